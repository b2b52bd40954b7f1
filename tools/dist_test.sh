#!/usr/bin/env bash
# Test in several processes of one machine, or of several; see dist_train.sh.
#
#   tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
nodes="${NNODES:-1}"
if [ "$nodes" = 1 ]; then
  address="${MASTER_ADDR:-127.0.0.1}:${PORT:-0}"
else
  address="${MASTER_ADDR:?is not set. Fix: the name of the first of the $nodes machines}:${PORT:-29500}"
fi
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="$nodes" --rdzv-backend=c10d --rdzv-id="${JOB_ID:-eac_mm}" \
  --rdzv-endpoint="$address" \
  --nproc-per-node="$3" \
  "$(dirname "$0")/test.py" "$1" "$2" --launcher pytorch "${@:4}"
