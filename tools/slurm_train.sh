#!/usr/bin/env bash
# Train on a Slurm cluster, one process a GPU.
#
#   [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=5] [BATCH=1] [SRUN_ARGS=...] \
#     tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of tools/train.py]
#
# Slurm is asked to send SIGUSR1 ahead of the time limit (SIGNAL_SECONDS=120 before it).
# With srun, as here, the training then says how to go on. BATCH=1 submits a batch job
# instead, which Slurm may requeue: ahead of its time limit or when it is preempted, the
# job goes back to the queue and resumes by itself. SBATCH_ARGS=--time=4:00:00 and the
# like are for sbatch, SRUN_ARGS for srun.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
gpus="${GPUS:-8}"
per_node="${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}"
cpus="${CPUS_PER_TASK:-5}"
job=(
  --partition="$1" --job-name="$2" --gres="gpu:$per_node" --ntasks="$gpus"
  --ntasks-per-node="$per_node" --cpus-per-task="$cpus"
  --signal="USR1@${SIGNAL_SECONDS:-120}"
)
train=("${PYTHON:-python}" -u "$(dirname "$0")/train.py" "$3" --launcher slurm "${@:4}")
# tools/train.py names this command when a signal stops it.
printf -v EAC_MM_COMMAND '%q ' "GPUS=$gpus" "GPUS_PER_NODE=$per_node" \
  "CPUS_PER_TASK=$cpus" ${BATCH:+"BATCH=$BATCH"} "$0" "$@"
export EAC_MM_COMMAND
# SRUN_ARGS and SBATCH_ARGS hold several arguments, split at spaces on purpose.
if [ -z "${BATCH:-}" ]; then
  exec srun "${job[@]}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} "${train[@]}"
fi
printf -v step '%q ' srun --cpus-per-task="$cpus" --kill-on-bad-exit=1 \
  ${SRUN_ARGS:-} "${train[@]}"
exec sbatch "${job[@]}" --requeue --open-mode=append ${SBATCH_ARGS:-} <<JOB
#!/usr/bin/env bash
$step
status=\$?
if [ \$status -eq 138 ]; then  # stopped by SIGUSR1: the time is nearly up
  exec scontrol requeue "\$SLURM_JOB_ID"
fi
exit \$status
JOB
