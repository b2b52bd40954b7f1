"""Check a config before training: build all of it, look at its images.

python tools/check.py configs/eac/resnet18_syntheticfer_noise30.py

The exit status is 0 if a training can start and its images are sound, else 1.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eac_mm.apis import Problem


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Build all of a config and look at its images, and list every '
        'problem at once. Nothing is trained or written.',
        epilog='example: eac-mm check eac/resnet18_syntheticfer_noise30',
    )
    parser.add_argument('config', help='the recipe, a file or a name of eac-mm ls')
    parser.add_argument(
        '--no-images', action='store_true', help='do not read the images'
    )
    parser.add_argument(
        '--workers', type=int, help='reading threads [number of CPUs, at most 16]'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='overrides, as for the training',
    )
    return parser.parse_args(argv)


def listing(title: str, problems: Sequence['Problem']) -> list[str]:
    """Return the lines that show some problems, none if there are none."""
    if not problems:
        return []
    lines = [
        f'  {i}. {problem.place}: {problem.text}'
        for i, problem in enumerate(problems, start=1)
    ]
    return [f'{title}: {len(problems)}', *lines, '']


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print what was found, and return 0 if nothing was, else 1."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    from check_dataset import survey_all

    from eac_mm.apis import check
    from eac_mm.audit import build_report

    cfg, problems = check(args.config, args.cfg_options)
    errors = [problem for problem in problems if problem.stops]
    warnings = [problem for problem in problems if not problem.stops]
    surveys = []
    if cfg is not None and not args.no_images:
        found = survey_all(cfg, args.workers)
        surveys = [survey for survey in found if not survey.error]  # listed as errors
    lines = [*listing('problems', errors), *listing('warnings', warnings)]
    clean = True
    if surveys:
        report, text = build_report(args.config, surveys)
        lines += ['images', text, '']
        clean = report['clean']
    verdict = 'a training cannot start.' if errors else 'a training can start.'
    text = '\n'.join([*lines, f'{args.config}: {verdict}'])
    # A path may hold characters that the terminal's encoding lacks.
    print(text.encode(errors='backslashreplace').decode())
    return 0 if clean and not errors else 1


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
