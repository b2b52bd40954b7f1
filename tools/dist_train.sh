#!/usr/bin/env bash
# Train in several processes of one machine, or of several: on GPUs with nccl, one
# process a GPU; without a GPU with gloo.
#
#   tools/dist_train.sh CONFIG PROCESSES [options of tools/train.py]
#
# MAX_RESTARTS=3 lets torchrun start again, from the newest checkpoint, when a process dies.
# For several machines run it on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  --nproc_per_node="$2" --max_restarts="${MAX_RESTARTS:-0}" \
  "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
