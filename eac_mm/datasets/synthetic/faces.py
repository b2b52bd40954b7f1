"""Draw synthetic faces that show an expression, with numpy and OpenCV.

They stand in for photographs if none may be downloaded: in the demo, the tests and
the docs. :mod:`eac_mm.datasets.synthetic.parameters` samples the numbers of a face;
this module turns them into an image.
"""

import functools

import cv2
import numpy as np

from ..faces.expressions import EXPRESSIONS
from . import drawing
from .parameters import Controls, Person, Photo
from .pen import Pen

OVERSAMPLING = 2  # faces are drawn this many times larger and averaged down
MIN_SIZE = 24


def draw_face(
    expression: int | str, seed: int, index: int, size: int = 64
) -> np.ndarray:
    """Draw one face.

    The image is a function of the arguments alone: it is the same in every process
    and after any other face. One ``seed`` and ``index`` give one person, photograph
    and temperament, so that two expressions of them differ in the movement of the
    face alone.

    Args:
        expression: A name of :data:`EXPRESSIONS`, or its position there.
        seed: Number of the series of faces, 0 to 2**32 - 1.
        index: Number of the face in the series, 0 to 2**32 - 1.
        size: Width and height in pixels, at least 24.

    Returns:
        The image, uint8, of shape (size, size, 3), in BGR order.

    Raises:
        ValueError: If an argument is outside its range.
    """
    name = _expression_name(expression)
    for argument, value in (('seed', seed), ('index', index)):
        if not 0 <= value < 2**32:
            raise ValueError(
                f'{argument}={value} is not allowed. Fix: give an integer from 0 to '
                '2**32 - 1.'
            )
    check_size(size)
    rng = np.random.default_rng([seed, index])
    person, photo = Person.sample(rng), Photo.sample(rng)
    controls = Controls.sample(name, rng)
    return render_face(controls, person, photo, size, rng)


def check_size(size: int) -> None:
    """Refuse an image size at which expressions cannot be told apart.

    Args:
        size: Width and height in pixels.

    Raises:
        ValueError: If ``size`` is below 24.
    """
    if size < MIN_SIZE:
        raise ValueError(
            f'An image size of {size} pixels is not allowed: a mouth would be '
            f'a few pixels wide. Fix: set {MIN_SIZE} or more; the default is 64.'
        )


def _expression_name(expression: int | str) -> str:
    if expression in EXPRESSIONS:
        return expression
    if not isinstance(expression, str) and 0 <= expression < len(EXPRESSIONS):
        return EXPRESSIONS[expression]
    raise ValueError(
        f'expression={expression!r} is unknown. Fix: choose one of '
        f'{", ".join(EXPRESSIONS)}, or a position, 0 to {len(EXPRESSIONS) - 1}.'
    )


def render_face(
    controls: Controls,
    person: Person,
    photo: Photo,
    size: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw a face from its parts.

    Args:
        controls: The movements of the face.
        person: Whose face it is.
        photo: How it is photographed.
        size: Width and height in pixels.
        rng: Source of the sensor noise; unused if ``photo.noise`` is 0.

    Returns:
        The image, uint8, of shape (size, size, 3), in BGR order.
    """
    pen = Pen(photo, size * OVERSAMPLING)
    face = drawing.outline(person, controls)
    drawing.draw_behind(pen, person)
    pen.fill(face, person.skin)
    drawing.draw_beard(pen, person, face)
    drawing.draw_relief(pen, person, controls)
    drawing.draw_nose(pen, person, controls)
    drawing.draw_mouth(pen, person, controls)
    drawing.draw_eyes(pen, person, controls)
    drawing.draw_brows(pen, person, controls)
    drawing.draw_hair(pen, person)
    drawing.draw_glasses(pen, person)
    image = cv2.resize(pen.image, (size, size), interpolation=cv2.INTER_AREA)
    return _expose(image, photo, rng)


def _expose(image: np.ndarray, photo: Photo, rng: np.random.Generator) -> np.ndarray:
    """Apply blur, light, tint and sensor noise to a drawn image."""
    size = len(image)
    if photo.grey:
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    if photo.blur * size > 0.2:  # below, the kernel is a single pixel
        image = cv2.GaussianBlur(image, (0, 0), photo.blur * size)
    x, y = _ramps(size)
    light = photo.exposure * (1 + photo.light[0] * x + photo.light[1] * y)
    tint = np.ones(3) if photo.grey else np.array(photo.tint)
    image = image * (light[..., None] * tint.astype(np.float32))
    if photo.noise:
        image += photo.noise * rng.standard_normal((size, size, 1), np.float32)
    return np.clip(image, 0, 255).astype(np.uint8)


@functools.cache
def _ramps(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y from -0.5 to 0.5 over the image."""
    ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    return ramp[None, :], ramp[:, None]
