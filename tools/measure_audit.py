"""Measure how well each score of a label audit finds the wrong labels of recorded runs.

python tools/measure_audit.py work_dirs/eac/resnet18_syntheticfer_noise30

A run is the work directory of a recorded training, or the .npz file of
tools/cross_fit.py. Of several on the same labels the scores are averaged. The rows go
to a csv file, in place of earlier ones of the same name.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

OUT = Path('docs/results/label_audit.csv')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Measure how well each score of a label audit finds the wrong '
        'labels of recorded runs.',
        epilog='example: python tools/measure_audit.py '
        'work_dirs/eac/resnet18_syntheticfer_noise30',
    )
    parser.add_argument(
        'runs',
        nargs='+',
        help='work directories, or files of tools/cross_fit.py; their scores are '
        'averaged',
    )
    parser.add_argument('--name', help='of the rows [folders of the first run]')
    parser.add_argument('--out', type=Path, default=OUT, help='[%(default)s]')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write the rows and print them."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    import pandas as pd

    from eac_mm.audit import read_evidence
    from eac_mm.audit.measure import measure_scores
    from eac_mm.utils.files import write_atomically

    measured = measure_scores([read_evidence(run) for run in args.runs])
    name = args.name or '/'.join(Path(args.runs[0]).resolve().parts[-3:])
    measured.insert(0, 'runs', len(args.runs))
    measured.insert(0, 'name', name)
    known = pd.read_csv(args.out) if args.out.is_file() else measured[:0]
    table = pd.concat([known[known.name != name], measured]) if len(known) else measured
    text = table.to_csv(index=False, float_format='%.4f', lineterminator='\n')
    write_atomically(args.out, text.encode())
    print(measured.drop(columns=['name', 'runs']).to_string(index=False))


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
