"""Run the tools that MMPretrain ships, with what packages below have changed since."""

import functools
import importlib.metadata
import importlib.util
import runpy
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path('.mim', 'tools')


def list_tools() -> dict[str, Path]:
    """Return the Python tools of the installed MMPretrain by their names."""
    package = importlib.util.find_spec('mmpretrain')
    folder = Path(package.origin).parent / FOLDER
    kinds = ('analysis_tools', 'misc', 'visualization')
    found = [path for kind in kinds for path in folder.glob(f'{kind}/*.py')]
    return {path.stem: path for path in sorted(found) if path.stem != 'utils'}


def run_tool(name: str, words: Sequence[str]) -> None:
    """Run a tool in this process, as if it were called by itself.

    Args:
        name: One of :func:`list_tools`.
        words: Its arguments.

    Raises:
        ValueError: If there is no such tool.
    """
    tools = list_tools()
    if name not in tools:
        raise ValueError(
            f'MMPretrain has no tool {name!r}. Fix: choose one of {", ".join(tools)}.'
        )
    provide_pkg_resources()
    accept_n_iter()
    find_renderer()
    path = str(tools[name])
    sys.argv = [path, *words]
    sys.path.insert(0, str(tools[name].parent))  # as Python does for a script
    runpy.run_path(path, run_name='__main__')


def provide_pkg_resources() -> None:
    """Stand in for ``pkg_resources``, which setuptools 82 lacks: versions alone.

    Seen with MMPretrain 1.2.0's ``vis_cam``.
    """
    if importlib.util.find_spec('pkg_resources') is None:
        module = types.ModuleType('pkg_resources')
        module.get_distribution = importlib.metadata.distribution
        sys.modules['pkg_resources'] = module


def accept_n_iter() -> None:
    """Let scikit-learn's ``TSNE`` take ``n_iter``, which 1.7 renamed to ``max_iter``.

    Seen with MMPretrain 1.2.0's ``vis_tsne``.
    """
    from sklearn import manifold

    init = manifold.TSNE.__init__
    if 'max_iter' not in init.__code__.co_varnames:
        return

    class TSNE(manifold.TSNE):
        @functools.wraps(init)
        def __init__(self, *args, n_iter: int | None = None, **kwargs) -> None:
            if n_iter is not None:
                kwargs['max_iter'] = n_iter
            init(self, *args, **kwargs)

    manifold.TSNE = TSNE


def find_renderer() -> None:
    """Let matplotlib's ``adjust_bbox`` find the renderer, which it did itself once.

    Seen with matplotlib 3.11 and MMPretrain 1.2.0's ``browse_dataset``.
    """
    from matplotlib import _tight_bbox

    adjust = _tight_bbox.adjust_bbox
    if 'renderer' not in adjust.__code__.co_varnames:
        return

    @functools.wraps(adjust)
    def call(figure: Any, box: Any, renderer: Any = None, **kwargs: Any) -> Any:
        renderer = renderer or figure.canvas.get_renderer()
        return adjust(figure, box, renderer, **kwargs)

    _tight_bbox.adjust_bbox = call
