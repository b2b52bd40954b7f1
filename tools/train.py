"""Train a model from a config.

python tools/train.py configs/eac/resnet18_rafdb_noise30.py
"""

import argparse
import sys
from collections.abc import Sequence

ABOUT = 'Train a model from a config.'
EXAMPLE = 'example: eac-mm train configs/eac/resnet18_syntheticfer_noise30.py'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=ABOUT, epilog=EXAMPLE)
    parser.add_argument('config', help='the recipe, such as configs/eac/....py')
    parser.add_argument(
        '--work-dir', help='for logs and checkpoints [work_dirs/FOLDER/RECIPE]'
    )
    parser.add_argument('--seed', type=int, help="seed of the training [the config's]")
    used = parser.add_mutually_exclusive_group()
    used.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from this checkpoint, or from the newest in the work dir',
    )
    used.add_argument(
        '--overwrite',
        action='store_true',
        help='delete checkpoints and result of the run in the work dir, not its logs',
    )
    parser.add_argument(
        '--cache',
        choices=('none', 'ram', 'device'),
        help='decode each training image once, into RAM or onto the training device, '
        'where images are augmented in batches [as the config has it: none]',
    )
    parser.add_argument(
        '--amp', action='store_true', help='run in bfloat16, on CPU or GPU'
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='train without validation'
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
    import torch  # these take seconds

    from eac_mm.apis import load_config, train
    from eac_mm.utils.checkpoints import stamps
    from eac_mm.utils.hardware import keep_freed_memory
    from eac_mm.utils.signals import exit_on_signal, how_to_go_on

    cfg = load_config(
        args.config,
        options=args.cfg_options,
        work_dir=args.work_dir,
        seed=args.seed,
        amp=args.amp,
        launcher=args.launcher,
        cache=args.cache,
    )
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if not torch.cuda.is_available():
        keep_freed_memory()
    words = sys.argv if argv is None else ['tools/train.py', *argv]
    present = stamps(cfg.work_dir)

    def message() -> str:
        resumed = cfg.load_from if cfg.get('resume') else None
        return how_to_go_on(cfg.work_dir, words, present, resumed)

    with exit_on_signal(message):
        train(cfg, args.resume, args.overwrite, args.trust_checkpoint)


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
