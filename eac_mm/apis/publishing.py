"""Make a small file of a finished training, and describe it."""

import json
from pathlib import Path

import pandas as pd
import torch

from eac_mm.utils.files import write_atomically

from .launch import load_plain, vet_checkpoint
from .trained_model import load_model

KEPT = ('identity', 'dataset_meta', 'precision')
LIMITS = """\
## What it must not be used for

It guesses which expression people would name who see the picture. It does not tell
what somebody feels, thinks or intends. Do not decide about people by it: not in hiring,
schools, police work, insurance or medicine. Its data is neither balanced over classes
nor known to be balanced over ages, skin colours or countries. Look at the recall of the
class that matters to you, above: a rare one may never be predicted.
"""


def publish(
    checkpoint: str | Path, results: str | Path, target: str | Path, about: str
) -> list[Path]:
    """Write the weights of a checkpoint as a small file, and a model card beside it.

    The weights are stored in float16, which halves the file; optimiser and state of the
    training are left out, that of single samples too. What prediction needs to know
    comes along: network and test pipeline, names of the classes, precision, and the
    temperature that was fitted.

    Args:
        checkpoint: Of a training of this package.
        results: Folder that ``tools/test.py --results`` wrote for this checkpoint.
        target: File to write, ``NAME.pth``; the card is ``NAME.md``.
        about: What it was trained on, and how, in a sentence or two.

    Returns:
        Both files.

    Raises:
        FileNotFoundError: If there are no results.
        ValueError: If the checkpoint is no training's of this package, or holds more
            than tensors and plain values.
    """
    results, target = Path(results), Path(target)
    summary = results / 'summary.json'
    if not summary.is_file():
        raise FileNotFoundError(
            f'{summary} does not exist. Fix: python tools/test.py CONFIG {checkpoint} '
            f'--results {results}'
        )
    vet_checkpoint(checkpoint)
    content = load_plain(checkpoint)
    meta = content.get('meta') or {}
    missing = [key for key in KEPT if key not in meta]
    if missing:
        raise ValueError(
            f'{checkpoint} lacks {missing} in its meta: no training of eac_mm wrote '
            'it. Fix: name the epoch_N.pth of a work directory.'
        )
    figures = json.loads(summary.read_text(encoding='utf-8'))
    # As the network is in testing, when it holds nothing of single samples.
    network = load_model(checkpoint, device='cpu').network
    weights = {
        key: value.half() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    meta = {key: meta[key] for key in KEPT}
    meta['temperature'] = figures['calibration']['temperature']
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=weights, meta=meta), target)
    rows = pd.read_csv(results / 'by_class.csv')
    card = target.with_suffix('.md')
    write_atomically(card, describe(target.stem, about, figures, rows).encode())
    return [target, card]


def describe(name: str, about: str, figures: dict, rows: pd.DataFrame) -> str:
    """Return the model card.

    Args:
        name: Of the model.
        about: What it was trained on, and how.
        figures: Content of ``summary.json``.
        rows: Of ``by_class.csv``.
    """
    table = ['| class | images | recall | precision |', '| --- | --- | --- | --- |']
    table += [
        f'| {row["class"]} | {row.images} | {row.recall:.1f} | {row.precision:.1f} |'
        for _, row in rows.iterrows()
    ]
    error = figures['calibration']
    return '\n'.join(
        [
            f'# {name}',
            '',
            about,
            '',
            f'Measured on {figures["images"]} images: accuracy '
            f'{figures["accuracy"]:.2f} %, mean class accuracy '
            f'{figures["mean_class_accuracy"]:.2f} %. Expected calibration error '
            f'{100 * error["error"]:.1f} %, and {100 * error["error_scaled"]:.1f} % '
            f'with probabilities scaled by the temperature {error["temperature"]:.2f}, '
            'which the file holds.',
            '',
            *table,
            '',
            LIMITS,
        ]
    )
