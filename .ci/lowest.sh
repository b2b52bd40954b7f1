#!/usr/bin/env bash
# Train an epoch, validate, test and tabulate with the lowest versions that
# requirements/runtime.txt allows. They are put in a folder that goes before the calling
# environment, which lends the rest (torch and torchvision).
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --target "$work/lowest" -r requirements/lowest.txt
export PYTHONPATH="$work/lowest:$PWD"
"$python" -c "
import numpy, mmengine
assert numpy.__version__ == '1.24.0' and mmengine.__version__ == '0.10.5'
"
# pillow-heif, which is optional, asks for a later Pillow.
"$python" -m pytest -p no:cacheprovider -k 'not heic' tests/test_datasets/test_images/test_decoding.py
"$python" tools/compare.py configs/eac/resnet18_syntheticfer_noise30.py --work-dir "$work/runs" \
  --cfg-options train_cfg.max_epochs=1 train_dataloader.dataset.dataset.size=64 \
  val_dataloader.dataset.size=32
