"""dlib's face weights as the start of a training: ``load_from='dlib-face'``."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.dataset import Compose
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from eac_mm.datasets.images import LoadFace
from eac_mm.datasets.listing import LeftOutFiles, find_images
from eac_mm.datasets.wrappers import number_samples, origins
from eac_mm.engine.rehearsal import kept_randomness
from eac_mm.engine.stage import is_training
from eac_mm.models.backbones.dlib_face_resnet import DlibFaceResNet
from eac_mm.utils.checkpoints import damage

from .conversion import Converted, refuse_existing, save
from .dlib_face import SHA256, convert_dlib_face, find_dlib_face

DLIB_FACE = 'dlib-face'
MOST, BATCH = 512, 32
MEAN, STD = (122.782, 117.001, 104.298), 256.0  # RGB
FORMAT = 1  # part of the file's name: raise it if the conversion changes
MINE = (
    'Fix: convert the weights by tools/model_converters/dlib_face.py, and name the '
    'file in load_from.'
)


def convert_for_run(runner: Runner) -> Path:
    """Convert dlib's face weights for a training, and return the file.

    The running statistics of BatchNorm are measured on training images, at most 512
    that are spread evenly over the data, as the run tests them: through the pipeline
    of its test data and the model's preprocessor. So they hang on the images and on
    neither seed nor noise nor method.

    The file is kept where PyTorch keeps weights, ``$TORCH_HOME/hub/checkpoints``, by
    default in ``~/.cache/torch``. A fingerprint of all that went in is part of its
    name, and runs with the same images share it. The main process writes it; the
    others wait.

    Args:
        runner: A Runner that is about to train, on all processes.

    Raises:
        FileNotFoundError: If the package is not installed, or another process finds
            no file.
        ValueError: If the model has no :class:`~eac_mm.models.DlibFaceResNet`, or no
            images to measure on are known.
    """
    answer: list = [None]
    if is_main_process():
        try:
            answer = [_convert_for_run(runner)]
        except (FileNotFoundError, ValueError) as error:
            answer = [error]  # for all processes: the others would wait for ever
    broadcast_object_list(answer)
    if isinstance(answer[0], Exception):
        raise answer[0]
    path = Path(answer[0])
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}, written by the first process, is not found by another one. Fix: '
            'set TORCH_HOME to a folder that all machines share.'
        )
    return path


def _convert_for_run(runner: Runner) -> str:
    source = find_dlib_face()
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    backbone = backbone_of(model)
    _warn_of_other_colours(runner, model)
    device = next(model.parameters()).device
    with kept_randomness(device), torch.no_grad():
        images = read_images(runner)

        def batches() -> Iterator[Tensor]:
            for batch in images.split(BATCH):
                yield model.data_preprocessor({'inputs': batch})['inputs'].cpu()

        stages, dense = len(backbone.stages), backbone.dense
        name = f'{DLIB_FACE}-{fingerprint(batches(), stages, dense)}.pth'
        path = Path(torch.hub.get_dir(), 'checkpoints', name)
        if path.is_file() and damage(path) is None:
            runner.logger.info(f'{DLIB_FACE}: the weights are in {path}')
            return str(path)
        save(convert_dlib_face(source, batches(), stages, dense), path)
    runner.logger.info(
        f'{DLIB_FACE}: the weights are converted, with BN running statistics of '
        f'{len(images)} training images; kept in {path}'
    )
    return str(path)


def backbone_of(model: nn.Module) -> DlibFaceResNet:
    """Return the backbone that takes dlib's weights.

    Raises:
        ValueError: If the model has none.
    """
    for module in model.modules():
        if isinstance(module, DlibFaceResNet):
            return module
    name = type(getattr(model, 'backbone', model)).__name__
    raise ValueError(
        f"load_from='{DLIB_FACE}' fills the backbone DlibFaceResNet, and this model "
        f"has {name}. Fix: build on '_base_/models/dlib_face.py', or name other "
        'weights in load_from.'
    )


def _warn_of_other_colours(runner: Runner, model: nn.Module) -> None:
    preprocessor = model.data_preprocessor
    mean, std = (getattr(preprocessor, name, None) for name in ('mean', 'std'))
    if (
        mean is not None
        and np.allclose(mean.flatten().cpu(), MEAN, atol=0.01)
        and np.allclose(std.flatten().cpu(), STD)
    ):
        return
    runner.logger.warning(
        f'{DLIB_FACE}: the network was trained on RGB images, less {MEAN}, divided by '
        f'{STD:g}, and model.data_preprocessor has other numbers. Fix: those of '
        'configs/_base_/models/dlib_face.py.'
    )


def read_images(runner: Runner) -> Tensor:
    """Read training images of a run as they are tested, (N, 3, H, W), N <= 512.

    Raises:
        ValueError: If there is no training, no test pipeline, or a data set that does
            not describe its images.
    """
    if not is_training(runner):
        raise ValueError(f"load_from='{DLIB_FACE}' needs training images. {MINE}")
    dataset = runner.train_dataloader.dataset
    found = origins(dataset)
    blind = [s for s in found.sources if not hasattr(s, 'get_data_info')]
    pipeline = pipeline_of(runner.cfg)
    if blind or pipeline is None:
        lack = (
            f'{type(blind[0]).__name__} has no get_data_info(idx)'
            if blind
            else 'the config has no test or validation pipeline'
        )
        raise ValueError(
            f"load_from='{DLIB_FACE}' measures BatchNorm on training images as they "
            f'are tested, and {lack}. {MINE}'
        )
    transform = Compose(pipeline)
    _, first = np.unique(number_samples(found), return_index=True)
    infos = [
        found.sources[found.source[i]].get_data_info(int(found.index[i]))
        for i in first[spread(len(first))]
    ]
    return torch.stack([transform(info)['inputs'] for info in infos])


def pipeline_of(cfg: ConfigDict) -> list | None:
    """Return the pipeline of the test data, else that of the validation data."""
    for name in ('test_dataloader', 'val_dataloader'):
        node = (cfg.get(name) or {}).get('dataset')
        while isinstance(node, dict):
            if node.get('pipeline'):
                return node['pipeline']
            node = node.get('dataset')
    return None


def spread(size: int) -> np.ndarray:
    """Return at most 512 indices, spread evenly over ``size`` samples."""
    return np.linspace(0, size - 1, min(size, MOST)).round().astype(int)


def fingerprint(batches: Iterable[Tensor], num_stages: int, dense: bool) -> str:
    """Hash all that the converted weights are made of, to 16 hexadecimal digits."""
    digest = hashlib.sha256(f'{FORMAT} {SHA256} {num_stages} {dense}'.encode())
    for batch in batches:
        digest.update(np.ascontiguousarray(batch.numpy()).tobytes())
    return digest.hexdigest()[:16]


def convert_for_folder(
    out: str | Path,
    folder: str | Path,
    size: int,
    num_stages: int = 4,
    dense: bool = False,
    source: str | Path | None = None,
    force: bool = False,
) -> Converted:
    """Convert dlib's face weights with statistics of the images in a folder.

    Args:
        out: The file to write, for ``load_from``.
        folder: Training images; at most 512, spread evenly over it, are read.
        size: Side of the images in training, pixels.
        num_stages: How many stages to convert, 1 to 5. Defaults to 4.
        dense: Measure on the denser map. Defaults to False.
        source: dlib's file. Defaults to that of the installed package.
        force: Replace ``out`` if it exists. Defaults to False.

    Raises:
        FileExistsError: If ``out`` exists and ``force`` is not given.
        FileNotFoundError: If there is no such folder, or no file to convert.
        ValueError: See :func:`~eac_mm.weights.convert_dlib_face`.
    """
    out, folder = Path(out), Path(folder)
    refuse_existing(out, force)
    source = find_dlib_face() if source is None else source
    if not folder.is_dir():
        raise FileNotFoundError(
            f'{folder} is no folder (seen from {Path.cwd()}). Fix: name one of '
            'training images.'
        )
    paths = find_images(folder, LeftOutFiles(folder))
    paths = [paths[i] for i in spread(len(paths))]
    converted = convert_dlib_face(source, _batches(paths, size), num_stages, dense)
    save(converted, out)
    return converted


def _batches(paths: list[Path], size: int) -> Iterator[Tensor]:
    load = LoadFace()
    mean = torch.tensor(MEAN).view(3, 1, 1)
    for start in range(0, len(paths), BATCH):
        images = [
            cv2.resize(load(dict(img_path=str(path)))['img'], (size, size))
            for path in paths[start : start + BATCH]
        ]
        rgb = np.ascontiguousarray(np.stack(images)[..., ::-1].transpose(0, 3, 1, 2))
        yield (torch.from_numpy(rgb) - mean) / STD
