import cv2
import numpy as np
import pytest
from matplotlib.axes import Axes

from eac_mm.experiments.plot import picture
from eac_mm.experiments.report import records


@pytest.mark.parametrize('seeds', [1, 3])
@pytest.mark.parametrize('done', [True, False])
@pytest.mark.parametrize('name', ['one', 'two', 'sweep'])
def test_picture(book, cells, finish, name, done, seeds):
    table_cells = cells(name, seeds=seeds)
    for run in [run for cell in table_cells for run in cell.runs if done]:
        finish(run, 80.0 + run.seed, **{'accuracy/top5': 95.0})
    table = book.tables[name]
    data = picture(table, records(table, table_cells, 'full'), 'A title')
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[0] > 200
    assert image.std() > 1


@pytest.mark.parametrize('name', ['one', 'two', 'sweep'])
def test_mean_class_accuracy_is_drawn(book, cells, finish, name, monkeypatch):
    drawn = []
    plot = Axes.plot

    def note(axes, x, y, *args, **kwargs):
        drawn.append((x, y))
        return plot(axes, x, y, *args, **kwargs)

    monkeypatch.setattr(Axes, 'plot', note)
    table_cells = cells(name, seeds=1)
    for run in [run for cell in table_cells for run in cell.runs]:
        finish(run, 80.0, **{'accuracy/top5': 95.0, 'mean_class/accuracy': 71.25})
    table = book.tables[name]
    picture(table, records(table, table_cells, 'full'), 'A title')
    # once a cell: beside the first metric only
    assert sum(71.25 in point for point in drawn) == len(table_cells)
