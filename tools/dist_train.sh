#!/usr/bin/env bash
# Train in several processes of one machine, or of several: on GPUs with nccl, one
# process a GPU; without a GPU with gloo.
#
#   tools/dist_train.sh CONFIG PROCESSES [options of tools/train.py]
#
# MAX_RESTARTS=3 lets torchrun start again, from the newest checkpoint, when a process dies.
# On one machine a free port is taken, unless PORT is set. For several machines run this on
# each, with the same NNODES, MASTER_ADDR, PORT [29500] and JOB_ID (any word that no other
# job of yours has).
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
nodes="${NNODES:-1}"
if [ "$nodes" = 1 ]; then
  address="${MASTER_ADDR:-127.0.0.1}:${PORT:-0}"
else
  address="${MASTER_ADDR:?is not set. Fix: the name of the first of the $nodes machines}:${PORT:-29500}"
  : "${JOB_ID:?is not set. Fix: one word for this job on all $nodes machines, and another for each job}"
fi
# tools/train.py names this command when a signal stops it.
printf -v EAC_MM_COMMAND '%q ' "$0" "$@"
export EAC_MM_COMMAND
# A restart would read the addresses of the processes before it from a shared store.
export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="$nodes" --rdzv-backend=c10d --rdzv-id="${JOB_ID:-eac_mm}" \
  --rdzv-endpoint="$address" \
  --nproc-per-node="$2" --max-restarts="${MAX_RESTARTS:-0}" \
  "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
