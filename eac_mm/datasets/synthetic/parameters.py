"""Define the numbers of a synthetic face: its movements, its person, its photo.

Each of the three is a dataclass with a ``sample`` class method.
:mod:`eac_mm.datasets.synthetic.faces` draws them.
"""

import dataclasses

import numpy as np

Colour = tuple[float, float, float]  # BGR, 0 to 255


@dataclasses.dataclass
class Controls:
    """The movements of a face; 0 is at rest, 1 is full, most may be negative.

    They follow the action units (AU) of the Facial Action Coding System, Ekman
    & Friesen 1978, with opposite movements on one axis.

    Attributes:
        inner_brow: Inner brow raiser (AU 1).
        outer_brow: Outer brow raiser (AU 2).
        brow_lower: Brow lowerer, draws the brows together (AU 4).
        lids: Upper lid raiser (AU 5); below 0 the lids tighten (AU 7).
        cheeks: Cheek raiser, lifts the lower lid (AU 6).
        nose: Nose wrinkler (AU 9).
        upper_lip: Upper lip raiser (AU 10).
        corners: Lip corner puller (AU 12); below 0 their depressor (AU 15).
        stretch: Lip stretcher (AU 20); below 0 the lips funnel (AU 22).
        press: Lip pressor (AU 24).
        jaw: Lips part and jaw drops (AU 25 and 26).
    """

    inner_brow: float = 0.0
    outer_brow: float = 0.0
    brow_lower: float = 0.0
    lids: float = 0.0
    cheeks: float = 0.0
    nose: float = 0.0
    upper_lip: float = 0.0
    corners: float = 0.0
    stretch: float = 0.0
    press: float = 0.0
    jaw: float = 0.0

    @classmethod
    def sample(cls, expression: str, rng: np.random.Generator) -> 'Controls':
        """Sample the movements with which one face makes an expression.

        Args:
            expression: One of :data:`MEANS`.
            rng: Source of randomness. Every expression takes as many numbers
                from it, so that one state gives one temperament.

        Returns:
            The mean movement of the class times an intensity (the upper and the
            lower face each have a share of it), plus the deviation of this face.
        """
        low, high = INTENSITY
        intensity = low + (high - low) * rng.beta(*INTENSITY_BETA)
        upper, lower = intensity * rng.uniform(*REGION_SHARE, size=2)
        strength = np.where(UPPER_FACE, upper, lower)
        spread = SPREAD * rng.standard_normal(len(SPREAD))
        return cls(*(strength * np.array(MEANS[expression]) + spread).tolist())


# Mean movement of each expression, after the AU combinations of EMFACS (Ekman
# & Friesen 1983). The columns are the fields of Controls, in order.
MEANS = {
    # inner, outer and lowered brow, lids, cheeks, nose, upper lip, corners,
    # stretch, press, jaw
    'surprise': (0.90, 0.90, 0.00, 0.80, 0.00, 0.00, 0.00, 0.00, -0.40, 0.00, 0.90),
    'fear': (0.90, 0.40, 0.50, 0.70, 0.00, 0.00, 0.00, -0.30, 0.80, 0.00, 0.45),
    'disgust': (0.00, -0.20, 0.50, -0.50, 0.50, 1.00, 0.90, -0.35, 0.00, 0.00, 0.15),
    'happy': (0.00, 0.00, 0.00, -0.10, 0.80, 0.00, 0.20, 1.00, 0.40, 0.00, 0.35),
    'sad': (0.90, -0.30, 0.30, -0.40, 0.00, 0.00, 0.00, -0.90, 0.00, 0.15, 0.00),
    'angry': (-0.10, 0.10, 1.00, 0.00, 0.00, 0.35, 0.10, -0.35, 0.00, 0.80, 0.10),
    'neutral': (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
}
UPPER_FACE = np.arange(len(dataclasses.fields(Controls))) < 5
# Standard deviation of each control from face to face, in any expression.
SPREAD = np.array([0.12, 0.12, 0.12, 0.13, 0.1, 0.1, 0.1, 0.12, 0.12, 0.12, 0.08])
# Clear expressions: a small ResNet trained on clean labels is right on more than nine
# of ten new faces, so that what it loses with wrong labels is due to these.
INTENSITY = (0.9, 1.5)
INTENSITY_BETA = (1.6, 1.2)
REGION_SHARE = (0.65, 1.15)

SKINS: tuple[Colour, ...] = (
    (189, 210, 244),
    (165, 193, 233),
    (140, 172, 220),
    (115, 150, 203),
    (88, 123, 178),
    (64, 94, 146),
    (50, 72, 112),
)
HAIR_COLOURS: tuple[Colour, ...] = (
    (25, 24, 28),
    (34, 42, 58),
    (44, 66, 100),
    (70, 110, 160),
    (110, 165, 205),
    (40, 75, 150),
    (165, 165, 168),
)
IRISES: tuple[Colour, ...] = (
    (35, 50, 80),
    (40, 70, 110),
    (150, 110, 70),
    (90, 120, 85),
    (110, 105, 100),
)
HAIR_STYLES = ('bald', 'short', 'receding', 'parted', 'fringe', 'curly', 'long')
BEARDS = ('none', 'none', 'none', 'none', 'none', 'moustache', 'stubble', 'full')


@dataclasses.dataclass
class Person:
    """The identity of a face; lengths are in half face widths."""

    skin: Colour
    hair: Colour  # of head, brows and beard
    iris: Colour
    clothes: Colour
    glasses: Colour | None = None
    style: str = 'short'  # one of HAIR_STYLES
    beard: str = 'none'  # one of BEARDS
    lips: float = 0.5  # how red they are, 0 to 1
    lines: float = 0.5  # how strongly folds and furrows show, 0 to 1
    chin: float = 1.25  # from the middle of the face to the chin
    forehead: float = 1.15  # from the middle of the face to the crown
    taper: float = 0.25  # by which the chin is narrower than the cheeks
    eye_distance: float = 0.42  # from the middle line to the middle of an eye
    eye_width: float = 0.2  # half of it
    eye_height: float = 0.17  # of an eye at rest
    eye_tilt: float = 0.02  # outer corner over the middle of the eye
    brow_height: float = 0.3  # over the eye
    brow_width: float = 0.08
    brow_arch: float = 0.05
    nose_length: float = 0.48  # from the eyes to the tip
    nose_width: float = 0.17  # half of it
    mouth_height: float = 0.74  # below the middle of the face
    mouth_width: float = 0.34  # half of it
    lip: float = 0.08  # thickness
    glasses_size: float = 0.3  # half the width of a lens
    lopsided: tuple[float, float] = (0.0, 0.0)  # right over left: brow, mouth

    @classmethod
    def sample(cls, rng: np.random.Generator) -> 'Person':
        """Sample a person."""
        uniform = rng.uniform
        style = _pick(HAIR_STYLES, rng)
        beard = _pick(BEARDS, rng)
        spectacles = _colour(rng, 20, 120)
        return cls(
            skin=_near(_pick(SKINS, rng), rng),
            hair=_near(_pick(HAIR_COLOURS, rng), rng),
            iris=_near(_pick(IRISES, rng), rng),
            clothes=_colour(rng, 20, 230),
            glasses=spectacles if uniform() < 0.2 else None,
            style=style,
            beard='none' if style in ('fringe', 'long') else beard,
            lips=uniform(0.2, 1.0),
            lines=uniform(0.2, 1.0),
            chin=uniform(1.15, 1.36),
            forehead=uniform(1.05, 1.25),
            taper=uniform(0.12, 0.36),
            eye_distance=uniform(0.38, 0.47),
            eye_width=uniform(0.17, 0.23),
            eye_height=uniform(0.14, 0.2),
            eye_tilt=uniform(-0.03, 0.05),
            brow_height=uniform(0.25, 0.35),
            brow_width=uniform(0.05, 0.12),
            brow_arch=uniform(0.02, 0.09),
            nose_length=uniform(0.4, 0.56),
            nose_width=uniform(0.13, 0.22),
            mouth_height=uniform(0.69, 0.79),
            mouth_width=uniform(0.28, 0.4),
            lip=uniform(0.05, 0.12),
            glasses_size=uniform(0.26, 0.33),
            lopsided=(rng.normal(0, 0.012), rng.normal(0, 0.012)),
        )


@dataclasses.dataclass
class Photo:
    """How a face is photographed; the defaults add nothing to it."""

    roll: float = 0.0  # rotation in the image, in radians
    yaw: float = 0.0  # turn to the side: shift of the nose in half face widths
    scale: float = 0.345  # half a face width over the image's width
    shift: tuple[float, float] = (0.0, 0.0)  # right, down, over the image's width
    background: tuple[Colour, Colour] = ((150,) * 3, (150,) * 3)  # top, bottom
    light: tuple[float, float] = (0.0, 0.0)  # gain from left to right, top to bottom
    exposure: float = 1.0  # factor on the brightness
    tint: Colour = (1.0, 1.0, 1.0)  # factor on blue, green and red
    grey: bool = False  # black and white
    blur: float = 0.0  # standard deviation over the image's width
    noise: float = 0.0  # standard deviation in grey levels

    @classmethod
    def sample(cls, rng: np.random.Generator) -> 'Photo':
        """Sample the circumstances of a photograph."""
        uniform, normal = rng.uniform, rng.normal
        level = uniform(40, 220)
        return cls(
            roll=normal(0, 0.08),
            yaw=min(max(normal(0, 0.13), -0.3), 0.3),
            scale=uniform(0.41, 0.49),  # cropped closely, as aligned faces are
            shift=(normal(0, 0.022), normal(0, 0.022)),
            background=(
                _colour(rng, level - 40, level + 40),
                _colour(rng, level - 70, level + 70),
            ),
            light=(normal(0, 0.25), normal(0, 0.12)),
            exposure=uniform(0.72, 1.15),
            tint=_colour(rng, 0.93, 1.07),
            grey=uniform() < 0.1,
            blur=uniform(0.0, 0.011),
            noise=uniform(1.0, 6.0),
        )


def _pick(options: tuple, rng: np.random.Generator):
    return options[int(rng.integers(len(options)))]


def _near(colour: Colour, rng: np.random.Generator) -> Colour:
    return tuple((colour + 6 * rng.standard_normal(3)).clip(0, 255).tolist())


def _colour(rng: np.random.Generator, low: float, high: float) -> Colour:
    return tuple(rng.uniform(low, high, 3).tolist())
