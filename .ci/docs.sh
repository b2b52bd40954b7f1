#!/usr/bin/env bash
# Build the documentation site; a warning is an error, and no network is needed.
set -euo pipefail
cd "$(dirname "$0")/.."
"${PYTHON:-python}" -m sphinx -W --keep-going -q -b html docs "${1:-docs/_build}"
echo "documentation: ${1:-docs/_build}/index.html"
