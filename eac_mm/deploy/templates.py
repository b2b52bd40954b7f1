"""Where faces lie in the images of a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

KEYS = ('points', 'size', 'grey')
# Five points as x and y in parts of the image's side; see Face for their order.
ARCFACE = (
    (0.34192, 0.46158),
    (0.65653, 0.45983),
    (0.50022, 0.64050),
    (0.37097, 0.82469),
    (0.63152, 0.82325),
)
FERPLUS = ((0.315, 0.38), (0.685, 0.38), (0.5, 0.594), (0.3415, 0.778), (0.6585, 0.778))


@dataclass(frozen=True)
class Template:
    """Where faces lie in the images that a network was trained on.

    Attributes:
        points: Five points in parts of the image's side, (5, 2): eyes, nose and
            corners of the mouth, as in :class:`~eac_mm.deploy.Face`.
        size: Side of the images in pixels. Faces are aligned at this size first, so
            that a network that was trained on enlarged images gets enlarged faces.
            Defaults to None: at the network's size.
        grey: Whether the images have no colours. Defaults to False.
        name: Name of the template. Defaults to ``'custom'``.
    """

    points: np.ndarray = field(repr=False)
    size: int | None = None
    grey: bool = False
    name: str = 'custom'

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, which :func:`get_template` takes."""
        points = np.round(self.points, 5).tolist()
        return dict(points=points, size=self.size, grey=self.grey)


# FERPlus: medians of 271 faces that MTCNN found in 300 training images, made symmetric.
# ArcFace: the usual points for 112 px, on which most face networks were trained.
TEMPLATES = {
    'arcface': Template(np.array(ARCFACE), name='arcface'),
    'ferplus': Template(np.array(FERPLUS), 48, grey=True, name='ferplus'),
}
# Of data sets whose config has no metainfo=dict(template=...).
OF_DATASET = {'FERPlus': 'ferplus'}
DEFAULT = 'arcface'


def get_template(value: str | Mapping[str, Any] | Template) -> Template:
    """Return a template.

    Args:
        value: A name of :data:`TEMPLATES`; or a dict with ``points`` and, if it is
            known, ``size`` and ``grey``, as in a recipe's
            ``metainfo=dict(template=...)``.

    Raises:
        ValueError: If it is none of these, or the points are not five in the image.
    """
    if isinstance(value, Template):
        return value
    if isinstance(value, str):
        if value not in TEMPLATES:
            raise ValueError(
                f'template {value!r} is unknown. Fix: choose one of '
                f'{tuple(TEMPLATES)}, or measure one: tools/align_faces.py FOLDER '
                '--measure.'
            )
        return TEMPLATES[value]
    if not isinstance(value, Mapping) or 'points' not in value or set(value) - {*KEYS}:
        raise ValueError(
            f'template {value!r}: a dict with {KEYS} is allowed. Fix: '
            'dict(points=[[x, y], ...]), five points in parts of the side.'
        )
    size, grey = value.get('size'), bool(value.get('grey', False))
    return Template(_check_points(value['points']), size and int(size), grey)


def template_of(dataset: Mapping[str, Any]) -> Template:
    """Return the template of a data set by its config.

    That is ``metainfo=dict(template=...)`` of the data set, or of one that it wraps;
    else the one in :data:`OF_DATASET`, else ArcFace's.

    Args:
        dataset: Config of a data set, as plain values.
    """
    while isinstance(dataset.get('dataset'), Mapping):
        dataset = dataset['dataset']
    given = (dataset.get('metainfo') or {}).get('template')
    kind = str(dataset.get('type')).rpartition('.')[2]
    return get_template(given or OF_DATASET.get(kind, DEFAULT))


def _check_points(value: Sequence[Sequence[float]]) -> np.ndarray:
    try:
        points = np.array(value, float)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.shape != (5, 2) or not (np.abs(points - 0.5) <= 1).all():
        raise ValueError(
            f'template with points {value!r}: five points as x and y in parts of the '
            "side are allowed. Fix: divide pixels by the image's side."
        )
    return points
