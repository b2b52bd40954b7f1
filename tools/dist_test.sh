#!/usr/bin/env bash
# Test in several processes of one machine, or of several; see dist_train.sh.
#
#   tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --rdzv-backend=c10d --rdzv-id="${JOB_ID:-eac_mm}" \
  --rdzv-endpoint="${MASTER_ADDR:-127.0.0.1}:${PORT:-29500}" \
  --nproc-per-node="$3" \
  "$(dirname "$0")/test.py" "$1" "$2" --launcher pytorch "${@:4}"
