"""Work around defects of the packages below us.

Each function fixes one defect, says for which versions it was seen, and does
nothing elsewhere. :func:`apply` runs the ones that must come before anything
else is imported; ``eac_mm/__init__.py`` calls it.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import installed

# What the package was built against: name -> (first version, first too new).
SUPPORTED = {
    'torch': ('2.4', '3'),
    'mmengine': ('0.10.5', '0.11'),
    'mmcv': ('2.0.0', '2.4.0'),
    'mmpretrain': ('1.2.0', '1.3'),
}


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_mmcv() -> None:
    """Require either mmcv or mmcv-lite.

    Both distributions install the same ``mmcv`` folder: the one installed last
    has overwritten the other, and removing one breaks both.

    Raises:
        ImportError: If neither or both are installed.
    """
    full, lite = _installed('mmcv'), _installed('mmcv-lite')
    if full is None and lite is None:
        raise ImportError(
            'eac_mm needs mmcv or mmcv-lite and found neither. '
            'Fix: pip install "mmcv-lite>=2.0.0,<2.4.0"'
        )
    if full is not None and lite is not None:
        raise ImportError(
            f'mmcv {full} and mmcv-lite {lite} are both installed and '
            'overwrite each other. Fix: pip uninstall -y mmcv mmcv-lite, '
            'then install one of them.'
        )


def check_versions() -> None:
    """Refuse a version outside :data:`SUPPORTED`.

    Raises:
        ImportError: Naming the package, what was found and what is allowed.
    """
    from mmengine.utils import digit_version

    for name, (low, high) in SUPPORTED.items():
        found = _installed(name)
        if name == 'mmcv' and found is None:
            found = _installed('mmcv-lite')
        if found is None:
            raise ImportError(
                f'eac_mm needs {name}>={low},<{high} and found '
                f'none. Fix: pip install "{name}>={low},<{high}"'
            )
        release = found.split('+')[0]
        if not digit_version(low) <= digit_version(release) < digit_version(high):
            raise ImportError(
                f'eac_mm works with {name}>={low},<{high}; found {found}. '
                f'Fix: pip install "{name}>={low},<{high}"'
            )


def check_opencv() -> None:
    """Say what to install if OpenCV cannot find its system libraries.

    Raises:
        ImportError: With the fix, in place of the loader's own message.
    """
    try:
        importlib.import_module('cv2')
    except ImportError as error:
        if 'lib' not in str(error):
            raise
        raise ImportError(
            f'OpenCV cannot load a system library ({error}). Fix: install '
            'libgl1 and libglib2.0-0 (Debian, Ubuntu), or replace '
            'opencv-python by opencv-python-headless.'
        ) from error


def define_torchvision_operators() -> None:
    """Make a CUDA build of torchvision importable beside a CPU torch.

    Seen with torchvision 0.28.0 and torch 2.13.0+cpu: the import stops at
    ``operator torchvision::nms does not exist``, because the compiled library
    did not load. Defining the two schemas that the import looks up is enough;
    calling them still fails, and nothing here calls them.
    """
    try:
        importlib.import_module('torchvision')
        return
    except RuntimeError as error:
        if 'torchvision::' not in str(error):
            raise
    import torch

    for name in [n for n in sys.modules if n.split('.')[0] == 'torchvision']:
        del sys.modules[name]
    library = torch.library.Library('torchvision', 'FRAGMENT')
    library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    library.define('qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    # The schemas live as long as the library object does.
    define_torchvision_operators.library = library
    importlib.import_module('torchvision')


def mute_import_warnings() -> None:
    """Hide warnings at import that a user can do nothing about.

    mmcv-lite 2.2.0 warns that it lacks an operator, which nothing here uses.
    """
    warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeform')


def replace_pkg_resources() -> None:
    """Let MMEngine find installed packages without ``pkg_resources``.

    Seen with mmengine 0.10.7 and setuptools 82, which lacks it: configs with
    ``_base_ = 'mmpretrain::...'`` and MMEngine's hub ended in ModuleNotFoundError.
    """
    if importlib.util.find_spec('pkg_resources') is not None:
        return
    users = ('utils', 'utils.package_utils', 'config.config', 'hub.hub')
    for user in users:
        module = importlib.import_module(f'mmengine.{user}')
        for name in ('is_installed', 'get_installed_path'):
            if hasattr(module, name):
                setattr(module, name, getattr(installed, name))


def apply() -> None:
    """Run every fix that must precede the import of MMPretrain's parts."""
    mute_import_warnings()
    check_mmcv()
    check_versions()
    check_opencv()
    define_torchvision_operators()
    replace_pkg_resources()


def plain_message_hub(state: dict) -> dict:
    """Convert a message hub's state to plain values.

    Seen with mmengine 0.10.7 and torch >= 2.6: a checkpoint holds the hub's
    ``HistoryBuffer`` objects and NumPy scalars, which ``weights_only=True``
    refuses.
    """
    return _plain(state)


def _plain(value: Any) -> Any:
    from mmengine.logging import HistoryBuffer

    if isinstance(value, HistoryBuffer):
        return dict(
            log_history=value._log_history.tolist(),
            count_history=value._count_history.tolist(),
            max_length=value.max_length,
        )
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return value


def restore_message_hub(state: dict) -> dict:
    """Undo :func:`plain_message_hub`; leave a state of mmengine's own as it is."""
    from mmengine.logging import HistoryBuffer

    scalars = {
        name: HistoryBuffer(**buffer) if isinstance(buffer, dict) else buffer
        for name, buffer in state['log_scalars'].items()
    }
    return {**state, 'log_scalars': scalars}


@contextmanager
def weights_only(force: bool) -> Iterator[None]:
    """Make ``torch.load`` take tensors and plain values only, or anything.

    MMEngine leaves the choice to PyTorch, which before 2.6, and for files from the
    internet in any version, unpickles anything. PyTorch's own switches are
    environment variables; they are as before when the block ends.

    Args:
        force: Whether to refuse anything but tensors and plain values.
    """
    on, off = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
    before = {name: os.environ.pop(name, None) for name in (on, off)}
    os.environ[on if force else off] = '1'
    try:
        with warnings.catch_warnings():  # PyTorch warns of its own switches
            warnings.filterwarnings('ignore', message='Environment variable TORCH_FOR')
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def init_cpu_distributed(cfg: dict) -> None:
    """Start a gloo group for the Runner if there is no GPU.

    Seen with mmengine 0.10.7: ``init_dist`` calls ``torch.cuda.set_device``
    whatever the backend, and ``MMDistributedDataParallel`` gets the CUDA
    device's number. Does nothing on a machine with a GPU, or without a
    launcher.

    Args:
        cfg: The Runner's config, changed in place.

    Raises:
        ValueError: For a launcher that needs GPUs.
    """
    import torch

    if cfg.get('launcher', 'none') == 'none' or torch.cuda.is_available():
        return
    if cfg['launcher'] != 'pytorch':
        raise ValueError(
            f'launcher {cfg["launcher"]!r} needs GPUs, and this machine has none. '
            'Fix: use tools/dist_train.sh, which runs on CPUs too.'
        )
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    cfg['env_cfg']['dist_cfg'] = dict(backend='gloo')
    cfg['model_wrapper_cfg'] = {
        'type': 'MMDistributedDataParallel',
        'broadcast_buffers': False,
        **(cfg.get('model_wrapper_cfg') or {}),
        'device_ids': None,
    }
