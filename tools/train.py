"""Train a model from a config.

python tools/train.py configs/eac/resnet18_rafdb_noise30.py
"""

import argparse
import os
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Train a model from a config.')
    parser.add_argument('config', help='the recipe, such as configs/eac/....py')
    parser.add_argument(
        '--work-dir', help='for logs and checkpoints [work_dirs/FOLDER/RECIPE]'
    )
    parser.add_argument('--seed', type=int, help="seed of the training [the config's]")
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or from the newest in the work dir',
    )
    parser.add_argument(
        '--amp', action='store_true', help='run in bfloat16, on CPU or GPU'
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not measure while training'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='overrides, such as model.head.consistency_weight=3',
    )
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='unpickle whatever the checkpoint holds; it can run code',
    )
    parser.add_argument(
        '--launcher', choices=('none', 'pytorch', 'slurm'), default='none'
    )
    # torch.distributed.launch passes it; torchrun sets the environment instead.
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train."""
    args = parse_args(argv)
    from eac_mm.apis import build_runner, load_config, resume  # takes seconds

    cfg = load_config(
        args.config,
        options=args.cfg_options,
        work_dir=args.work_dir,
        seed=args.seed,
        amp=args.amp,
        launcher=args.launcher,
    )
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    # torchrun restarts a failed job with the command that it was given.
    restarted = int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)) > 0
    if args.resume is not None or restarted:
        resume(cfg, 'auto' if restarted else args.resume)
    build_runner(cfg, args.trust_checkpoint).train()


if __name__ == '__main__':
    main()
