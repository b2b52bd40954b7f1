"""Draw the parts of a face: outline, hair, relief, nose, mouth, eyes, brows.

:mod:`eac_mm.datasets.synthetic.parameters` defines the numbers of a face, and
:mod:`eac_mm.datasets.synthetic.pen` the coordinates.
"""

import numpy as np

from .parameters import Colour, Controls, Person
from .pen import CIRCLE, Pen, between, ellipse, mirrored, mix

EYE_LEVEL = -0.15
WHITE: Colour = (228, 232, 235)
TEETH: Colour = (215, 228, 234)
INNER_MOUTH: Colour = (32, 24, 66)
DARK: Colour = (20, 20, 24)
RED: Colour = (70, 60, 190)
ARC = np.linspace(-1, 1, 13)  # along an eye, a brow or the mouth
BULGE = 1 - ARC**2
# From the temple to the middle of the forehead, mirrored for the other side.
HAIRLINES = {
    'short': (-0.97 - 0.3j, -0.9 - 0.55j, -0.72 - 0.82j, -0.3 - 0.88j),
    'receding': (-0.98 - 0.15j, -0.93 - 0.6j, -0.72 - 0.88j, -0.35 - 1.0j),
    'parted': (-0.98 - 0.2j, -0.9 - 0.5j, -0.5 - 0.68j, -0.04 - 1.0j),
    'fringe': (-0.99 - 0.05j, -0.9 - 0.5j, -0.6 - 0.62j, -0.2 - 0.66j),
    'curly': (-0.97 - 0.3j, -0.85 - 0.6j, -0.6 - 0.8j, -0.2 - 0.86j),
    'long': (-0.99 + 0.2j, -0.93 - 0.35j, -0.6 - 0.75j, -1.0j),
}


def outline(person: Person, controls: Controls) -> np.ndarray:
    """Return the outline of the face, clockwise from the right ear."""
    x, y = CIRCLE.real, CIRCLE.imag
    chin = person.chin + 0.16 * max(controls.jaw, 0)
    # A flatter power than the ellipse's makes room for the jaw.
    x = np.sign(x) * np.abs(x) ** 0.85 * (1 - person.taper * np.maximum(y, 0) ** 1.5)
    return x + 1j * np.where(y > 0, chin, person.forehead) * y


def draw_behind(pen: Pen, person: Person) -> None:
    """Draw what lies behind the face: long hair, neck, clothes, ears."""
    if person.style in ('long', 'fringe'):
        low = 0.15 if person.style == 'long' else -0.1
        pen.fill(ellipse(1j * low, 1.25, 1.3 + low), mix(person.hair, DARK, 0.25))
    neck = np.array([-0.6 + 0.5j, 0.6 + 0.5j, 0.65 + 2j, -0.65 + 2j])
    pen.fill(neck, mix(person.skin, DARK, 0.3))
    collar = [-2 + 1.55j, -0.6 + 1.35j, 1.6j, 0.6 + 1.35j, 2 + 1.55j, 3j]
    pen.fill(np.array(collar), person.clothes)
    if person.style != 'long':
        ears = mirrored(ellipse(1 + 0.02j, 0.12, 0.24))
        pen.fill(ears, mix(person.skin, DARK, 0.15))


def draw_beard(pen: Pen, person: Person, face: np.ndarray) -> None:
    """Draw the beard inside the outline of the face, and the moustache."""
    if person.beard == 'none':
        return
    colour = mix(person.skin, person.hair, 0.3 if person.beard == 'stubble' else 0.8)
    lip = person.mouth_height - person.lip
    if person.beard != 'moustache':
        jaw = face[face.imag > 0.2]  # from the right ear to the left
        cheeks = 0.8 * ARC + 1j * (0.2 + (lip - 0.25) * BULGE**0.6)
        pen.fill(np.concatenate([jaw, cheeks]), colour)
    curve = lip + 0.04 * np.abs(ARC)
    pen.fill(between(0.42 * ARC, curve - 0.12 * BULGE**0.5, curve), colour)


def draw_relief(pen: Pen, person: Person, controls: Controls) -> None:
    """Shade the eye sockets, and the folds and furrows that movements make."""
    mouth = 1j * person.mouth_height
    chin = 1j * person.chin
    tip = 1j * (EYE_LEVEL + person.nose_length)
    eyes = 1j * EYE_LEVEL
    brow = 1j * (EYE_LEVEL - person.brow_height)
    smile = max(0.0, controls.cheeks)
    frown = person.lines * max(0.0, controls.brow_lower)
    raised = person.lines * max(0.0, controls.inner_brow + controls.outer_brow) / 2
    wrinkle = person.lines * max(0.0, controls.nose)
    fold = person.lines * max(0.0, controls.corners, controls.nose, controls.upper_lip)
    strokes = [
        (-0.7 + 0.8j, chin, 0.7 + 0.8j, 0.16, -0.08),
        (-0.12 + mouth + 0.2j, mouth + 0.2j, 0.12 + mouth + 0.2j, 0.07, -0.15),
        (eyes, eyes + 0.1j, tip - 0.06j, 0.09, 0.1),
    ]
    for forehead in (brow - 0.2j, brow - 0.34j):
        left, middle, right = forehead - 0.4, forehead - 0.03j, forehead + 0.4
        strokes.append((left, middle, right, 0.035, -0.45 * raised))
    for side in (-1, 1):
        eye = side * person.eye_distance + eyes
        wing = side * (person.nose_width + 0.06) + tip - 0.08j
        corner = side * (person.mouth_width + 0.1) + mouth
        cheek = 0.6 * side + 0.3j
        bridge, glabella = 0.1 * side + eyes, 0.07 * side + brow
        strokes += [
            (eye - 0.16 - 0.1j, eye - 0.11j, eye + 0.16 - 0.1j, 0.14, -0.12),
            (eye - 0.14 + 0.19j, eye + 0.2j, eye + 0.14 + 0.19j, 0.04, -0.15),
            (cheek - 0.05, cheek, cheek + 0.05, 0.25, 0.05 + 0.1 * smile),
            (glabella - 0.06j, glabella, glabella + 0.12j, 0.03, -0.5 * frown),
            (bridge - 0.06 * side, bridge, bridge + 0.12j, 0.045, -0.6 * wrinkle),
            (bridge + 0.1j, bridge + 0.2j, tip + 0.12 * side, 0.06, -0.12),
            (wing, corner - 0.12j, corner + 0.08j, 0.05, -0.06 - 0.4 * fold),
        ]
    pen.shade(strokes)


def draw_nose(pen: Pen, person: Person, controls: Controls) -> None:
    """Draw wings and nostrils; wrinkling pulls them up and apart."""
    wrinkle = max(-0.3, controls.nose)
    tip = 1j * (EYE_LEVEL + person.nose_length - 0.06 * wrinkle)
    width = person.nose_width * (1 + 0.25 * wrinkle)
    shadow = mix(person.skin, DARK, 0.35)
    pen.line(tip + width * ARC + 0.03j * np.cos(3 * np.pi * ARC), shadow, 0.035)
    wing = tip + np.array([0.9 * width - 0.1j, 1.05 * width - 0.02j])
    pen.line(mirrored(wing), shadow, 0.03)
    nostril = ellipse(tip + 0.5 * width, 0.05, 0.025)
    pen.fill(mirrored(nostril), mix(person.skin, DARK, 0.75))


def draw_mouth(pen: Pen, person: Person, controls: Controls) -> None:
    """Draw the lips, and the teeth between them."""
    gap = 0.42 * max(0.0, controls.jaw - 0.08)
    flat = min(max(controls.stretch, 0.0), 1.0)
    lip = person.lip * (1 - 0.7 * min(max(controls.press, -0.2), 1.0))
    width = person.mouth_width * (
        1 + 0.22 * controls.stretch + 0.18 * max(0.0, controls.corners) - 0.5 * gap
    )
    # A stretched mouth opens like a slot, a dropped jaw like an egg.
    opening = BULGE ** (0.9 - 0.4 * flat)
    bend = -0.19 * controls.corners + person.lopsided[1] * ARC
    line = person.mouth_height + bend * ARC**2
    top = line - (0.25 * gap + 0.1 * controls.upper_lip) * opening
    bottom = np.maximum(line + 0.75 * gap * opening, top)
    cupid = 1 - 0.25 * np.exp(-((ARC / 0.18) ** 2))
    upper = top - lip * cupid * BULGE**0.7
    lower = bottom + 1.25 * lip * BULGE**0.7
    x = width * ARC
    red = mix(mix(person.skin, DARK, 0.15), RED, 0.2 + 0.3 * person.lips)
    pen.fill(between(x, upper, lower), red)
    if gap or controls.upper_lip > 0.2:
        pen.fill(between(x, top, bottom), INNER_MOUTH)
        pen.fill(between(x, top, np.minimum(bottom, top + 0.09 * opening)), TEETH)
        bared = 0.1 * flat  # a stretched mouth shows the lower teeth too
        pen.fill(between(x, np.maximum(top, bottom - bared * opening), bottom), TEETH)
    pen.line(x + 1j * top, mix(red, DARK, 0.7), 0.025)


def draw_eyes(pen: Pen, person: Person, controls: Controls) -> None:
    """Draw the part of the eyes that the lids leave open."""
    x = person.eye_distance + person.eye_width * ARC
    height = person.eye_height * max(1 + 0.75 * controls.lids, 0.12)
    raised = 0.8 * min(max(controls.cheeks, -0.2), 1.0)  # of the lower lid
    line = EYE_LEVEL - person.eye_tilt * ARC
    top = line - 0.62 * height * BULGE
    bottom = line + 0.38 * height * (1 - raised) * BULGE
    pen.fill(mirrored(between(x, top, bottom)), WHITE)
    for radius, colour in ((0.1, person.iris), (0.05, DARK)):
        disc = ellipse(person.eye_distance + 1j * (EYE_LEVEL - 0.015), radius, radius)
        # The lids cover the part of the iris that lies beyond them.
        y = np.maximum(disc.imag, np.interp(disc.real, x, top))
        y = np.minimum(y, np.interp(disc.real, x, bottom))
        pen.fill(mirrored(disc.real + 1j * y), colour)
    pen.line(mirrored(x + 1j * top), mix(person.skin, DARK, 0.85), 0.045)
    pen.line(mirrored(x + 1j * bottom), mix(person.skin, DARK, 0.4), 0.02)


def draw_brows(pen: Pen, person: Person, controls: Controls) -> None:
    """Draw the brows, thick at the nose and thin at the temple."""
    outer = (ARC + 1) / 2  # 0 at the inner end, 1 at the outer end
    lift = (
        0.17 * controls.inner_brow * (1 - outer)
        + 0.15 * controls.outer_brow * outer
        - 0.13 * controls.brow_lower * (1 - 0.75 * outer)
        + person.brow_arch * np.sin(np.pi * outer)
    )
    y = EYE_LEVEL - person.brow_height - lift
    inner_end = 0.17 - 0.06 * controls.brow_lower
    x = inner_end + (person.eye_distance + 0.28 - inner_end) * outer
    half = person.brow_width * (0.55 - 0.35 * outer)
    brows = mirrored(between(x, y - half, y + half))
    lopsided = person.lopsided[0] * np.array([[-1j], [1j]])
    pen.fill(brows + lopsided, mix(person.hair, DARK, 0.3))


def draw_hair(pen: Pen, person: Person) -> None:
    """Draw the hair on top of the head."""
    if person.style == 'bald':
        return
    skull = 1.08 * np.exp(1j * np.linspace(-0.05, -np.pi + 0.05, 17))
    skull.imag *= person.forehead - 0.08
    skull.imag -= 0.1
    if person.style == 'curly':
        for middle in skull[::2]:
            pen.fill(ellipse(middle, 0.24, 0.24), person.hair)
    left = np.array(HAIRLINES[person.style])
    left.imag *= person.forehead / 1.15
    hairline = np.concatenate([left, -left[::-1].conj()])
    pen.fill(np.concatenate([hairline, skull]), person.hair)


def draw_glasses(pen: Pen, person: Person) -> None:
    """Draw the frame of the glasses."""
    if person.glasses is None:
        return
    size = person.glasses_size
    x, y = CIRCLE.real, CIRCLE.imag
    lens = np.sign(x) * np.abs(x) ** 0.7 + 0.8j * np.sign(y) * np.abs(y) ** 0.7
    middle = person.eye_distance + 1j * (EYE_LEVEL + 0.03)
    pen.line(mirrored(middle + size * lens), person.glasses, 0.045, closed=True)
    temple = np.array([middle + size - 0.06j, 1 - 0.2j])
    pen.line(mirrored(temple), person.glasses, 0.045)
    bridge = np.array([middle - size, -(middle - size).conjugate()])
    pen.line(bridge, person.glasses, 0.045)
