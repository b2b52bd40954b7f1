"""Test a checkpoint.

python tools/test.py configs/eac/resnet18_rafdb_noise30.py CHECKPOINT --results FOLDER
"""

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Test a checkpoint.',
        epilog='example: eac-mm test eac/resnet18_syntheticfer_noise30 '
        'work_dirs/eac/resnet18_syntheticfer_noise30/epoch_20.pth',
    )
    parser.add_argument('config', help='the recipe that the model was trained with')
    parser.add_argument('checkpoint', help='such as work_dirs/eac/RECIPE/epoch_60.pth')
    parser.add_argument('--work-dir', help='for logs [work_dirs/FOLDER/RECIPE]')
    parser.add_argument('--out', help='write the metrics here, .json or .yaml')
    parser.add_argument(
        '--results',
        help='folder for the prediction of each image, figures by class, confusion '
        'matrix, calibration error and temperature, and their pictures',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='overrides, such as test_dataloader.batch_size=16',
    )
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='unpickle whatever the checkpoint holds; it can run code',
    )
    parser.add_argument(
        '--launcher', choices=('none', 'pytorch', 'slurm'), default='none'
    )
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict:
    """Test, and return the metrics."""
    args = parse_args(argv)
    if not Path(args.checkpoint).is_file():
        raise FileNotFoundError(
            f'checkpoint {args.checkpoint} does not exist (seen from {Path.cwd()}). '
            'Fix: name one of those that tools/train.py wrote, by default to '
            'work_dirs/<folder of the recipe>/<recipe>/.'
        )
    if args.out and Path(args.out).suffix not in ('.json', '.yaml', '.yml'):
        raise ValueError(
            f'--out {args.out}: not a .json or .yaml file. Fix: choose such a name.'
        )
    import mmengine  # these take seconds
    import torch

    from eac_mm.apis import build_runner, load_config
    from eac_mm.apis.results import write_results
    from eac_mm.evaluation import Predictions
    from eac_mm.utils.hardware import keep_freed_memory
    from eac_mm.utils.plain import to_plain

    cfg = load_config(
        args.config,
        options=args.cfg_options,
        work_dir=args.work_dir,
        launcher=args.launcher,
    )
    cfg.load_from = args.checkpoint
    # MMEngine writes the config to the work directory: not over that of the training.
    name = Path(cfg.filename).with_name(f'{Path(cfg.filename).stem}_test.py')
    cfg = mmengine.Config(cfg.to_dict(), cfg_text=cfg.text, filename=str(name))
    if not torch.cuda.is_available():
        keep_freed_memory()
    runner = build_runner(cfg, args.trust_checkpoint)
    predictions = Predictions()
    if args.results:
        evaluator = runner.test_loop.evaluator
        predictions.dataset_meta = evaluator.dataset_meta
        evaluator.metrics.append(predictions)
    metrics = runner.test()
    if predictions.table is not None:  # on the main process
        table, classes = predictions.table, predictions.classes
        print(write_results(table, classes, args.results))
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        mmengine.dump(to_plain(metrics), args.out)
    return metrics


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
