"""From a checkpoint to the network, and all that a prediction needs to know of it."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS, TRANSFORMS
from torch import nn

from eac_mm.deploy import Template, template_of
from eac_mm.engine.class_names import classes_in
from eac_mm.engine.weights_fit import check_fits
from eac_mm.utils.checkpoints import newest_whole
from eac_mm.utils.identity import describe_settings

from .launch import load_config, load_plain, vet_checkpoint

PRETRAINED = Path(__file__).parents[1] / 'pretrained'
# Steps of a pipeline that find the face in a file: the aligner has done that.
OF_FILES = ('Load', 'CropFace')


@dataclass(frozen=True)
class TrainedModel:
    """A network in evaluation mode, and what it was trained on.

    Attributes:
        network: The network.
        transforms: Config of the checkpoint's test pipeline, from a face's image on.
        classes: Names of the classes, in the order of the outputs.
        template: Where faces lie in its images.
        size: Side of the images that the network takes, in pixels.
        precision: ``'float32'``, ``'bfloat16'`` or ``'float16'``, as in training.
        temperature: Divides the logits before the softmax; 1 changes nothing.
        path: The checkpoint.
    """

    network: nn.Module
    transforms: list[dict[str, Any]]
    classes: tuple[str, ...]
    template: Template
    size: int
    precision: str
    temperature: float
    path: Path

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.network.parameters()).device

    def pipeline(self) -> Compose:
        """Build the steps from a face's image to the network's input."""
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            return Compose([TRANSFORMS.build(step) for step in self.transforms])


def pretrained_models() -> dict[str, Path]:
    """List the checkpoints that come with the package, by name."""
    return {path.stem: path for path in sorted(PRETRAINED.glob('*.pth'))}


def find_checkpoint(source: str | Path) -> Path:
    """Find the checkpoint of a run, a file or a name.

    Args:
        source: A checkpoint; the work directory of a run, whose newest whole
            checkpoint is taken; or a name of :func:`pretrained_models`.

    Raises:
        FileNotFoundError: If there is none.
    """
    path, names = Path(source), pretrained_models()
    if path.is_file():
        return path
    if str(source) in names:
        return names[str(source)]
    if path.is_dir():
        if found := newest_whole(path):
            return found
        raise FileNotFoundError(
            f'{path} has no whole checkpoint (epoch_N.pth). Fix: name the work '
            'directory of a training, or a checkpoint.'
        )
    known = f', or {" or ".join(names)}' if names else ''
    raise FileNotFoundError(
        f'model {str(source)!r} is no checkpoint and no work directory (seen from '
        f'{Path.cwd()}). Fix: name one of these{known}.'
    )


def load_model(
    source: str | Path,
    config: str | Path | None = None,
    device: str | torch.device | None = None,
) -> TrainedModel:
    """Load a trained network for prediction.

    Checkpoints of this package say how their network is built and how its images are
    prepared; no config is needed, and nothing in the file is run.

    Args:
        source: See :func:`find_checkpoint`.
        config: The recipe, for a checkpoint that does not say this. Defaults to None.
        device: Where to run. Defaults to None: the GPU if there is one, else the CPU.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        ValueError: If it holds more than tensors and plain values, does not say how
            its images are prepared, or belongs to another model.
    """
    path = find_checkpoint(source)
    if path.suffix == '.onnx':
        raise ValueError(
            f'{path} is an ONNX file, and predictions need a checkpoint. Fix: run it '
            'by docs/examples/predict_onnx.py.'
        )
    vet_checkpoint(path)
    checkpoint = load_plain(path)
    meta = checkpoint.get('meta') or {} if isinstance(checkpoint, dict) else {}
    settings = _settings(path, meta, config)
    dataset = _test_data(path, settings)
    classes = classes_in(checkpoint) or (dataset.get('metainfo') or {}).get('classes')
    if classes is None:
        raise ValueError(
            f'{path} has no names of its classes. Fix: take a checkpoint of a '
            'training, whose meta has dataset_meta.'
        )
    network = _build(settings)
    check_fits(checkpoint.get('state_dict', checkpoint), network)
    network.load_state_dict(checkpoint.get('state_dict', checkpoint), strict=False)
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    transforms = [step for step in dataset['pipeline'] if not _kind(step, OF_FILES)]
    return TrainedModel(
        network=network.to(device).eval(),
        transforms=transforms,
        classes=tuple(classes),
        template=template_of(dataset),
        size=_size(path, transforms),
        precision=meta.get('precision', 'float32'),
        temperature=float(meta.get('temperature', 1.0)),
        path=path,
    )


def _settings(path: Path, meta: Mapping, config: str | Path | None) -> dict[str, Any]:
    """Return model and data of a run as plain values."""
    if config is not None:
        cfg = load_config(config)
        settings = describe_settings(cfg.to_dict())['settings']
        loader = cfg.get('test_dataloader') or cfg.get('val_dataloader')
        if loader is not None:
            settings['val_dataloader'] = loader.to_dict()
        return settings
    settings = (meta.get('identity') or {}).get('settings')
    if settings is None:
        raise ValueError(
            f'{path} does not say how its network is built and its images are '
            'prepared: it was not written by a training of eac_mm. Fix: name its '
            'recipe by --config (config= in Python).'
        )
    return copy.deepcopy(settings)


def _test_data(path: Path, settings: Mapping) -> dict[str, Any]:
    """Return the config of the data that the run was validated on."""
    dataset = (settings.get('val_dataloader') or {}).get('dataset')
    while dataset and 'pipeline' not in dataset:
        dataset = dataset.get('dataset')
    if not dataset:
        raise ValueError(
            f'{path} is of a run without validation data, and its test pipeline is not '
            'known. Fix: name a recipe with val_dataloader by --config (config= in '
            'Python).'
        )
    return dataset


def _build(settings: dict[str, Any]) -> nn.Module:
    config = settings['model']
    if settings.get('data_preprocessor') is not None:
        config.setdefault('data_preprocessor', settings['data_preprocessor'])
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        try:
            return MODELS.build(config)
        except KeyError as error:  # a component that is not registered
            raise ValueError(
                f'the network cannot be built: {error}. Fix: import the module that '
                'registers its parts first.'
            ) from error


def _kind(step: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Whether a step of a pipeline is one of some kinds, by the start of its name."""
    return str(step.get('type')).rpartition('.')[2].startswith(names)


def _size(path: Path, transforms: list[dict[str, Any]]) -> int:
    """Return the side of the images that leave the pipeline."""
    sizes = [
        step.get('scale', step.get('crop_size'))
        for step in transforms
        if _kind(step, ('Resize', 'CenterCrop'))
    ]
    if not sizes:
        raise ValueError(
            f'{path}: its test pipeline has no Resize, so that the size of its images '
            'is not known. Fix: add one to the recipe, and name it by --config.'
        )
    size = sizes[-1]
    return int(max(size) if isinstance(size, list | tuple) else size)
