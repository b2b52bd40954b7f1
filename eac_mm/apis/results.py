"""Write the results of a test to a folder."""

import json
from pathlib import Path

import pandas as pd

from eac_mm.evaluation.results import by_class, calibration, confusion
from eac_mm.visualization.results import draw_confusion, draw_reliability
from eac_mm.visualization.style import save


def write_results(
    table: pd.DataFrame, classes: tuple[str, ...], folder: str | Path
) -> str:
    """Write predictions, figures by class, confusion matrix and calibration.

    The folder gets ``predictions.csv``, ``by_class.csv``, ``confusion.csv``,
    ``summary.json``, and the pictures ``confusion`` and ``reliability`` as ``.png`` and
    ``.svg``.

    Args:
        table: Of :class:`~eac_mm.evaluation.Predictions`.
        classes: Names of the classes, in the order of the labels.
        folder: Where to write; made if it is not there.

    Returns:
        The figures as text.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows, counts = by_class(table, classes), confusion(table, classes)
    figures, before, after = calibration(table, classes)
    accuracy = 100 * float((table['label'] == table['prediction']).mean())
    mean = rows.iloc[-1]
    summary = dict(
        images=len(table),
        accuracy=accuracy,
        mean_class_accuracy=float(mean['recall']),
        macro_f1=float(mean['f1']),
        calibration=figures,
    )
    table.round(6).to_csv(folder / 'predictions.csv', index=False)
    rows.round(4).to_csv(folder / 'by_class.csv', index=False)
    pd.DataFrame(counts, classes, classes).to_csv(
        folder / 'confusion.csv', index_label='label'
    )
    text = json.dumps(summary, indent=1)
    (folder / 'summary.json').write_text(text + '\n', encoding='utf-8')
    save(draw_confusion(counts, classes), folder / 'confusion')
    save(draw_reliability(before, after), folder / 'reliability')
    return (
        f'{rows.round(2).to_string(index=False)}\n'
        f'accuracy {accuracy:.2f} %, mean class accuracy {mean["recall"]:.2f} %\n'
        f'expected calibration error {100 * figures["error"]:.2f} %; scaled by the '
        f'temperature of the other half of these images '
        f'{100 * figures["error_scaled"]:.2f} % (temperature of all of them: '
        f'{figures["temperature"]:.2f})'
    )
