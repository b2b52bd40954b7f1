"""Run a tool of MMPretrain's on recipes of this package.

python tools/mmpretrain_tool.py confusion_matrix RECIPE CHECKPOINT --show-path a.png

docs/mmpretrain_tools.md says which of them work.
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run one of MMPretrain's tools.")
    parser.add_argument('tool', help='such as confusion_matrix, without .py')
    parser.add_argument(
        'words', nargs=argparse.REMAINDER, help="the tool's own arguments"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run it."""
    args = parse_args(argv)
    # Before anything of MMPretrain's: it repairs imports and registers the package.
    import eac_mm  # noqa: F401
    from eac_mm.utils.upstream_tools import run_tool

    run_tool(args.tool, args.words)


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
