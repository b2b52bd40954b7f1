"""Compare recipes over seeds."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .report import markdown_table, measured, show_spread, summarise
from .runs import Run

COLUMNS = dict(
    last5='accuracy, mean of the last epochs',
    mean_class='mean class accuracy, likewise',
    macro_f1='macro F1, likewise',
    best_epoch='best epoch',
    memorised='memorised',
    corrected='corrected',
    minutes='minutes',
)


def plan_comparison(
    configs: Sequence[str], seeds: Sequence[int], folder: Path, options: Sequence[str]
) -> dict[str, list[Run]]:
    """Plan a run for each recipe and seed, in ``<folder>/<method>/<recipe>/seed<k>``.

    Args:
        configs: Files of the recipes.
        seeds: Training seeds.
        folder: Folder for all runs.
        options: Overrides for every run, as ``KEY=VALUE``.

    Returns:
        The runs by ``<method>/<recipe>``.

    Raises:
        ValueError: If two different files have the same method and recipe names.
    """
    files: dict[str, str] = {}
    for config in configs:
        path = Path(config)
        name = f'{path.resolve().parent.name}/{path.stem}'
        known = files.setdefault(name, config)
        if Path(known).resolve() != path.resolve():
            raise ValueError(
                f'{known} and {config} are both named {name}, which names their runs. '
                'Fix: rename one of the files or their folders.'
            )
    return {
        name: [
            Run(config, seed, folder / name / f'seed{seed}', tuple(options))
            for seed in dict.fromkeys(seeds)
        ]
        for name, config in files.items()
    }


def comparison_table(runs: dict[str, list[Run]]) -> str:
    """Return a Markdown table with one row for each recipe: mean ± deviation.

    Only finished runs count; the column ``seeds`` names them.

    Args:
        runs: The runs of each recipe.
    """
    finished = {
        name: {run.seed: result for run in of_name if (result := run.result())}
        for name, of_name in runs.items()
    }
    lines = [
        dict(recipe=name, **measured(result))
        for name, results in finished.items()
        for result in results.values()
    ]
    values = pd.DataFrame(lines, columns=['recipe', *COLUMNS])
    found = summarise(values, ['recipe']).reindex(list(runs))
    rows = [
        [
            name,
            ' '.join(map(str, finished[name])) or '-',
            *(show_spread(line['mean', key], line['sd', key]) for key in COLUMNS),
        ]
        for name, line in found.iterrows()
    ]
    return markdown_table(['recipe', 'seeds', *COLUMNS.values()], rows)
