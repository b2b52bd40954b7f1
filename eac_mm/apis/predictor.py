"""From pictures to the expressions of the faces in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmpretrain.structures import DataSample

from eac_mm.datasets.images.decoding import decode
from eac_mm.datasets.images.loading import LoadFace
from eac_mm.deploy import AlignedFace, FaceAligner, build_detector, get_template
from eac_mm.deploy.alignment import NO_FACE, UNREADABLE
from eac_mm.engine.optimizers.bfloat16 import autocast
from eac_mm.models.attention import class_attention
from eac_mm.utils.image_formats import UnreadableImage

from .trained_model import TrainedModel, load_model

UNCERTAIN = 'uncertain'


class ExpressionPredictor:
    """Find the faces of pictures, and predict the expression of each.

    Size, colours and alignment of the faces are those of the checkpoint's own test
    pipeline. Build it once, and call it with many pictures: their faces go through the
    network in batches.

    A predicted expression is what annotators would call the picture. It is no judgement
    of what someone feels, of their character or intentions.

    Args:
        model: A checkpoint, the work directory of a run, a name of
            :func:`~eac_mm.apis.pretrained_models`, or a
            :class:`~eac_mm.apis.TrainedModel`.
        config: The recipe, for a checkpoint that does not name its test pipeline.
            Defaults to None.
        detector: Finds the faces: ``'mtcnn'``, ``'dlib'``, the path of YuNet's file, or
            ``'none'`` for pictures that are aligned faces already. Defaults to
            ``'mtcnn'``.
        faces: Which faces of a picture count: ``'all'``, ``'largest'`` or
            ``'central'``. Defaults to ``'all'``.
        template: Where the network knows faces. Defaults to None: as its checkpoint
            says (see :func:`~eac_mm.deploy.template_of`).
        threshold: If no class reaches this probability, the expression is
            ``'uncertain'``. 0 to 1, defaults to 0.
        temperature: Divides the logits before the softmax: above 1 probabilities are
            less extreme. ``tools/test.py`` measures it. Defaults to None: the
            checkpoint's, or 1.
        attention: Whether to add the attention map of the predicted class. Defaults to
            False.
        batch_size: Faces at a time. Defaults to 32.
        device: Where to run. Defaults to None: the GPU if there is one, else the CPU.

    Raises:
        ValueError: For a value that is not allowed.
        FileNotFoundError: If the model or the detector's file is not there.

    Examples:
        >>> from eac_mm.apis import ExpressionPredictor
        >>> predict = ExpressionPredictor('work_dirs/eac/resnet18_rafdb_noise30')
        >>> for face in predict('party.jpg')[0]:
        ...     print(face.expression, face.pred_score, face.box)
    """

    def __init__(
        self,
        model: str | Path | TrainedModel,
        config: str | Path | None = None,
        detector: str | Path = 'mtcnn',
        faces: str = 'all',
        template: str | dict | None = None,
        threshold: float = 0.0,
        temperature: float | None = None,
        attention: bool = False,
        batch_size: int = 32,
        device: str | None = None,
    ) -> None:
        if not 0 <= threshold <= 1:
            raise ValueError(f'threshold={threshold}. Fix: give 0 to 1.')
        if temperature is not None and not 0 < temperature < float('inf'):
            raise ValueError(f'temperature={temperature}. Fix: give more than 0.')
        if batch_size < 1:
            raise ValueError(f'batch_size={batch_size}. Fix: give 1 or more.')
        found = build_detector(detector)
        if not isinstance(model, TrainedModel):
            model = load_model(model, config, device)
        self.model, self.threshold, self.batch_size = model, threshold, batch_size
        self.temperature = temperature or model.temperature
        self.attention = attention
        self.template = get_template(template or model.template)
        size = self.template.size or model.size
        self.aligner = FaceAligner(found, self.template, size, faces)
        self._pipeline = model.pipeline()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.model.classes

    def __call__(
        self, pictures: str | Path | np.ndarray | Sequence[str | Path | np.ndarray]
    ) -> list[list[DataSample]]:
        """Predict the faces of pictures.

        Args:
            pictures: A path or an array, or a list of them. Arrays are uint8 in BGR
                order, (H, W, 3), or grey, (H, W).

        Returns:
            For each picture its faces. A picture that cannot be read, or has no face,
            gives one sample that says so. A sample has

            - ``status``: ``'ok'``, ``'tiny'``, ``'profile'``
              (:class:`~eac_mm.deploy.AlignedFace`), ``'no_face'`` or ``'unreadable'``,
              and ``reason``, empty for the first four
            - ``source``: the path, or the number of the array; ``face``: its number

            and if there is a face

            - ``expression``: a name of :attr:`classes`, or ``'uncertain'``
            - ``pred_score``: probabilities, (L,); ``pred_label``
            - ``box``: left, top, right, bottom; ``points``: (5, 2), in pixels of the
              picture; ``score`` of the detector; ``roll`` in degrees
            - ``matrix``: from these pixels to those of the aligned face, (2, 3), whose
              side is ``aligned_size``
            - ``attention``: if asked for, the map of the predicted class, (H', W')

        Raises:
            TypeError: For something that is neither a path nor an array.
            ValueError: For an array of another shape or type.
        """
        if isinstance(pictures, str | Path | np.ndarray):
            pictures = [pictures]
        results, waiting = [], []
        for number, picture in enumerate(pictures):
            samples, aligned = self._find(number, picture)
            results.append(samples)
            waiting += zip(samples, aligned, strict=False)  # none without a face
        for start in range(0, len(waiting), self.batch_size):
            self._classify(waiting[start : start + self.batch_size])
        return results

    def _find(
        self, number: int, picture: str | Path | np.ndarray
    ) -> tuple[list[DataSample], list[AlignedFace]]:
        """Read a picture and find its faces."""
        source = str(number if isinstance(picture, np.ndarray) else picture)
        try:
            aligned = self.aligner(read_picture(picture))
        except UnreadableImage as error:
            return [_sample(source, 0, UNREADABLE, str(error))], []
        if not aligned:
            return [_sample(source, 0, NO_FACE)], []
        samples = []
        for face, found in enumerate(aligned):
            sample = _sample(source, face, found.status)
            sample.set_metainfo(
                dict(
                    box=found.face.box,
                    points=found.face.points,
                    score=found.face.score,
                    roll=found.face.roll,
                    matrix=found.matrix,
                    aligned_size=self.aligner.size,
                )
            )
            samples.append(sample)
        return samples, aligned

    @torch.no_grad()
    def _classify(self, faces: list[tuple[DataSample, AlignedFace]]) -> None:
        """Predict a batch of faces; write the result into their samples."""
        network, device = self.model.network, self.model.device
        packed = [self._pipeline(_as_loaded(found.image)) for _, found in faces]
        data = network.data_preprocessor(pseudo_collate(packed))
        with autocast(self.model.precision, device.type):
            predicted = network(**data, mode='predict')
            maps = class_attention(network, data['inputs']) if self.attention else None
        for i, ((sample, _), said) in enumerate(zip(faces, predicted, strict=True)):
            score = sharpen(said.pred_score.float().cpu(), self.temperature)
            settle(sample, score, self.classes, self.threshold)
            if maps is not None:
                chosen = maps[i, int(sample.pred_label)]
                sample.set_field(chosen.float().cpu(), 'attention')


def read_picture(picture: str | Path | np.ndarray) -> np.ndarray:
    """Return a picture as uint8 (H, W, 3) in BGR order.

    Raises:
        UnreadableImage: If a file cannot be read, with the reason.
        TypeError: For something that is neither a path nor an array.
        ValueError: For an array of another shape or type.
    """
    if isinstance(picture, str | Path):
        return decode(LoadFace().read_bytes(picture))
    if not isinstance(picture, np.ndarray):
        raise TypeError(
            f'a picture of type {type(picture).__name__}. Fix: give a path or an array.'
        )
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, 2)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(
            f'a picture of shape {picture.shape} and type {picture.dtype}. Fix: give '
            'uint8 of shape (H, W, 3) in BGR order, or (H, W).'
        )
    if 0 in picture.shape:
        raise ValueError(f'a picture of shape {picture.shape} has no pixels.')
    return picture


def sharpen(probabilities: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the probabilities that the logits over a temperature would give."""
    return torch.softmax(probabilities.log() / temperature, -1)


def settle(
    sample: DataSample, score: torch.Tensor, classes: Sequence[str], threshold: float
) -> None:
    """Write probabilities into a sample, and the expression that they mean.

    Args:
        sample: The sample, changed in place.
        score: Probabilities, (L,).
        classes: Names of the classes.
        threshold: If the highest probability is below, it is ``'uncertain'``.
    """
    label = int(score.argmax())
    sure = score[label] >= threshold
    sample.set_pred_score(score).set_pred_label(label)
    sample.set_metainfo(dict(expression=classes[label] if sure else UNCERTAIN))


def _sample(source: str, face: int, status: str, reason: str = '') -> DataSample:
    known = dict(source=source, face=face, status=status, reason=reason)
    return DataSample(metainfo=known)


def _as_loaded(image: np.ndarray) -> dict[str, Any]:
    """Return what loading an image gives."""
    return dict(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
