import importlib.metadata
import sys

import numpy as np
import pytest
from matplotlib import _tight_bbox
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from sklearn import manifold

from eac_mm.utils import upstream_tools
from eac_mm.utils.upstream_tools import (
    accept_n_iter,
    find_renderer,
    list_tools,
    provide_pkg_resources,
    run_tool,
)


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """What a tool changes in the process ends with the test."""
    monkeypatch.setattr(manifold, 'TSNE', manifold.TSNE)
    monkeypatch.setattr(_tight_bbox, 'adjust_bbox', _tight_bbox.adjust_bbox)
    monkeypatch.setattr(sys, 'argv', sys.argv)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.delitem(sys.modules, 'pkg_resources', raising=False)
    yield
    sys.modules.pop('pkg_resources', None)


def test_tools_are_found():
    tools = list_tools()
    assert {'confusion_matrix', 'eval_metric', 'vis_tsne', 'print_config'} <= set(tools)
    assert 'utils' not in tools
    with pytest.raises(ValueError, match="no tool 'vis'. Fix: choose .*vis_tsne"):
        run_tool('vis', [])


def test_versions_by_pkg_resources(monkeypatch):
    monkeypatch.setattr(upstream_tools.importlib.util, 'find_spec', lambda name: None)
    provide_pkg_resources()
    import pkg_resources

    version = pkg_resources.get_distribution('numpy').version
    assert version == importlib.metadata.version('numpy')


def test_the_number_of_steps_by_its_old_name():
    accept_n_iter()
    points = np.random.default_rng(0).normal(size=(12, 3))
    model = manifold.TSNE(perplexity=3, n_iter=260, init='random', random_state=0)
    assert model.fit_transform(points).shape == (12, 2)
    assert model.n_iter_ <= 260
    assert (model.perplexity, model.random_state) == (3, 0)


def test_the_renderer_is_found():
    find_renderer()
    figure = Figure(figsize=(2, 2), dpi=50)
    FigureCanvasAgg(figure)
    restore = _tight_bbox.adjust_bbox(figure, Bbox([[0, 0], [1, 1]]))
    assert figure.bbox_inches.bounds == (0, 0, 1, 1)
    restore()
    assert figure.bbox_inches.bounds == (0, 0, 2, 2)


def test_a_tool_runs_as_if_called_by_itself(tmp_path, capsys):
    recipe = tmp_path / 'recipe.py'
    recipe.write_text("model = dict(depth=18)\nwork_dir = 'a'")
    run_tool('print_config', [str(recipe), '--cfg-options', 'model.depth=50'])
    assert 'depth=50' in capsys.readouterr().out
    assert sys.argv[1] == str(recipe)
