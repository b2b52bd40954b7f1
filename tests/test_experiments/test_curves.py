import json

import cv2
import numpy as np
import pytest

from eac_mm.experiments import Run, curves
from eac_mm.experiments.curves import _draw, _epochs

KEYS = ('accuracy/top1', 'mean_class/accuracy', 'noise/memorised', 'noise/corrected')


@pytest.fixture
def make(tmp_path):
    """Write a run whose metric is 10 x seed + epoch, and memorised every 2nd epoch."""

    def build(method, seed, keys=KEYS, finished=True, unit='epoch'):
        folder = tmp_path / method / f'seed{seed}'
        folder.mkdir(parents=True)
        epochs = [
            {
                unit: epoch,
                **dict.fromkeys(keys, 10.0 * seed + epoch),
                'seconds': 1,
            }
            for epoch in range(1, 5)
        ]
        for epoch in epochs[::2]:
            epoch.pop('noise/memorised', None)
        text = json.dumps(dict(finished=finished, epochs=epochs))
        (folder / 'result.json').write_text(text)
        return Run(f'configs/{method}/a.py', seed, folder)

    return build


def lines_of(runs, metric):
    """Lines of a panel, as (colour, width, xs, ys)."""
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    _draw(axes, _epochs(runs), metric)
    return axes, [
        (line.get_color(), line.get_lw(), [*line.get_xdata()], [*line.get_ydata()])
        for line in axes.lines
    ]


def test_thin_lines_for_seeds_and_thick_ones_for_means(make):
    runs = [make('base', 0), make('base', 2), make('eac', 1), make('eac', 3)]
    axes, lines = lines_of(runs, 'accuracy/top1')
    epochs = [1, 2, 3, 4]
    assert lines == [
        ('C0', 0.7, epochs, [1, 2, 3, 4]),
        ('C0', 0.7, epochs, [21, 22, 23, 24]),
        ('C0', 2.2, epochs, [11, 12, 13, 14]),
        ('C1', 0.7, epochs, [11, 12, 13, 14]),
        ('C1', 0.7, epochs, [31, 32, 33, 34]),
        ('C1', 2.2, epochs, [21, 22, 23, 24]),
    ]
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ['base (2 seeds)', 'eac (2 seeds)']
    assert axes.get_xlabel() == 'epoch'
    assert axes.get_ylabel() == '% of the validation images'


def test_epochs_that_lack_a_metric_are_bridged(make):
    _, lines = lines_of([make('base', 1)], 'noise/memorised')
    assert lines == [('C0', 2.2, [2, 4], [12, 14])]


def test_iterations(make):
    axes, _ = lines_of([make('base', 1, unit='iter')], 'accuracy/top1')
    assert axes.get_xlabel() == 'iteration'


@pytest.mark.parametrize('count', [1, 3, 4])
def test_a_panel_for_each_metric(make, count):
    runs = {name: [make(name, 0, KEYS[:count])] for name in ('base', 'eac')}
    image = cv2.imdecode(np.frombuffer(curves(runs), np.uint8), cv2.IMREAD_COLOR)
    # 150 dots an inch, 4.4 inches a column; four panels stand in a square.
    columns = 2 if count == 4 else count
    assert image.shape[1] == 150 * (1 + 4.4 * columns)
    assert image.std() > 1


def test_nothing_to_draw(make):
    assert curves({'base': [make('base', 0, finished=False)]}) is None
    assert curves({'eac': [make('eac', 0, keys=('accuracy/top5',))]}) is None
