"""Train a model from a config.

python tools/train.py configs/eac/resnet18_rafdb_noise30.py
"""

import argparse
from collections.abc import Sequence

from mmengine.config import DictAction

from eac_mm.apis import build_runner, load_config


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Train a model from a config.')
    parser.add_argument('config', help='the recipe, such as configs/eac/....py')
    parser.add_argument(
        '--work-dir', help='for logs and checkpoints [work_dirs/<name of the config>]'
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
        '--amp', action='store_true', help='bfloat16 and channels last, on CPU or GPU'
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not measure while training'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='overrides, such as model.head.consistency_weight=3',
    )
    parser.add_argument(
        '--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none'
    )
    # torch.distributed.launch passes it; torchrun sets the environment instead.
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train."""
    args = parse_args(argv)
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
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    build_runner(cfg).train()


if __name__ == '__main__':
    main()
