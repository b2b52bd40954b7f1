"""Tables of two cells, and runs that are finished without training."""

import pytest
from mmpretrain.registry import MODELS
from results import result_of, write_result
from torch import nn

from eac_mm.experiments import Plan, load_tables

TABLES = """
protocols: {full: The long one., small: The short one.}
data: {rafdb: {name: RAF-DB, images: 100}, ferplus: {name: FERPlus, images: 200}}
tables:
  one:
    title: First
    caption: Two methods.
    metrics: {accuracy: accuracy/top1}
    paper_data: RAF-DB
    full:
      - {data: rafdb, noise: 30, row: Base, column: R,
         recipe: baseline/a_rafdb_x, paper: 75.50}
      - {data: rafdb, noise: 30, row: EAC, column: R,
         recipe: eac/a_rafdb_x, paper: 84.42}
    small:
      - {data: ferplus, noise: 30, row: EAC, column: F,
         recipe: eac/a_ferplus_x, paper: 84.42}
  two:
    title: Second
    caption: Two metrics.
    metrics: {top-1: accuracy/top1, top-5: accuracy/top5}
    full:
      - {data: rafdb, noise: 10, row: EAC, column: R,
         recipe: eac/a_rafdb_y, paper: [60.0, 90.0]}
  sweep:
    title: Third
    caption: Over lambda.
    metrics: {accuracy: accuracy/top1}
    log_axis: lambda
    full:
      - {data: rafdb, noise: 30, row: 0.1, column: R,
         recipe: eac/a_rafdb_x, options: {model.weight: 0.1}}
      - {data: rafdb, noise: 30, row: 5, column: R,
         recipe: eac/a_rafdb_x}
"""


@MODELS.register_module()
class ToyClassifier(nn.Module):
    """A classifier whose training step passes an image ``views`` times."""

    def __init__(self, views=None, head_views=None, head_passes=None, weight=1.0):
        super().__init__()
        if views is not None:
            self.views = views
        if head_views is not None:
            self.head = nn.Module()
            self.head.views = head_views
        if head_passes is not None:
            self.head.passes = head_passes


@pytest.fixture
def book(tmp_path):
    path = tmp_path / 'tables.yml'
    path.write_text(TABLES)
    return load_tables(path)


@pytest.fixture
def configs(tmp_path):
    """Recipes that load, and say nothing but how long they are."""
    folder = tmp_path / 'configs'
    text = (
        "model = dict(type='ToyClassifier')\n"
        "train_dataloader = dict(dataset=dict(type='A'))\n"
    )
    for name in ('baseline/a_rafdb_x', 'eac/a_rafdb_x', 'eac/a_rafdb_y'):
        path = folder / f'{name}.py'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + 'train_cfg = dict(max_epochs=7)\n')
    (folder / 'eac/a_ferplus_x.py').write_text(text)
    return folder


@pytest.fixture
def plan_of(configs, tmp_path):
    """The plan of a protocol, with other options if asked for."""

    def build(protocol='full', **more):
        folders = (tmp_path / name / protocol for name in ('runs', 'out/runs'))
        return Plan(configs, *folders, **more)

    return build


@pytest.fixture
def cells(book, plan_of):
    """The cells of a table, with three seeds each."""

    def build(name, protocol='full', seeds=3):
        entries = book.tables[name].entries[protocol]
        return plan_of(protocol).wanted(entries, seeds)

    return build


@pytest.fixture
def finish():
    """Write the result of a finished run."""

    def write(run, last, best=99.0, seconds=120.0, finished=True, **more):
        result = result_of(run, last, best, seconds, **more)
        write_result(run, dict(result, finished=finished))

    return write
