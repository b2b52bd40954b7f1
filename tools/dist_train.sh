#!/usr/bin/env bash
# Train in several processes of one machine, or of several: on GPUs with nccl, one
# process a GPU; without a GPU with gloo.
#
#   tools/dist_train.sh CONFIG PROCESSES [options of tools/train.py]
#
# MAX_RESTARTS=3 lets torchrun start again, from the newest checkpoint, when a process dies.
# For several machines run it on each, with the same NNODES, MASTER_ADDR and PORT.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
# A restart would read the addresses of the processes before it from a shared store.
export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --rdzv-backend=c10d --rdzv-id="${JOB_ID:-eac_mm}" \
  --rdzv-endpoint="${MASTER_ADDR:-127.0.0.1}:${PORT:-29500}" \
  --nproc-per-node="$2" --max-restarts="${MAX_RESTARTS:-0}" \
  "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
