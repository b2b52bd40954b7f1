import cv2
import numpy as np
import pytest

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
