import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import eac_mm
from eac_mm.datasets.faces.expressions import EXPRESSIONS
from eac_mm.datasets.synthetic.faces import draw_face, render_face
from eac_mm.datasets.synthetic.parameters import Controls, Person, Photo

ROOT = Path(eac_mm.__file__).parent
PLAIN = Person(
    skin=(140, 172, 220),
    hair=(25, 24, 28),
    iris=(150, 110, 70),
    clothes=(90, 90, 90),
)


def render(size=128, **controls):
    """Draw the plain person, facing the camera in even light."""
    return render_face(Controls(**controls), PLAIN, Photo(), size, None).astype(int)


def test_the_same_arguments_give_the_same_bytes_in_any_order():
    forwards = [draw_face(i % 7, 3, i) for i in range(6)]
    backwards = [draw_face(i % 7, 3, i) for i in reversed(range(6))][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_process_draws_the_same_face_without_torch():
    # Empty packages in place of eac_mm's, whose imports bring torch along.
    program = (
        'import sys, types\n'
        "for name in ('datasets', 'datasets.faces', 'datasets.synthetic'):\n"
        '    package = types.ModuleType(name)\n'
        f"    package.__path__ = [{str(ROOT)!r} + '/' + name.replace('.', '/')]\n"
        '    sys.modules[name] = package\n'
        'from datasets.synthetic.faces import draw_face\n'
        "assert 'torch' not in sys.modules\n"
        "sys.stdout.buffer.write(draw_face('fear', 5, 17, 48).tobytes())\n"
    )
    there = subprocess.run(
        [sys.executable, '-c', program], check=True, capture_output=True
    )
    assert there.stdout == draw_face('fear', 5, 17, 48).tobytes()


@pytest.mark.parametrize('size', [24, 64, 101])
def test_shape_and_type(size):
    face = draw_face('happy', 0, 0, size)
    assert face.shape == (size, size, 3)
    assert face.dtype == np.uint8
    assert face.flags.c_contiguous


def test_name_and_position_mean_the_same():
    for position, name in enumerate(EXPRESSIONS):
        np.testing.assert_array_equal(
            draw_face(name, 1, 2, 32), draw_face(np.int64(position), 1, 2, 32)
        )


def test_seed_index_and_expression_each_change_the_face():
    faces = [
        draw_face(*key, 32).tobytes()
        for key in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1)]
    ]
    assert len(set(faces)) == 5


def test_expressions_of_one_index_share_person_and_photo():
    happy, angry = (draw_face(name, 0, 11) for name in ('happy', 'angry'))
    # Above the brows and outside the cheeks nothing moves, noise included.
    np.testing.assert_array_equal(happy[:6], angry[:6])
    assert (happy[20:60, 20:44] != angry[20:60, 20:44]).mean() > 0.1


def test_a_plain_face_in_even_light_is_its_own_mirror_image():
    image = render(corners=0.5, lids=0.5, brow_lower=0.3)
    assert np.abs(image - image[:, ::-1]).mean() < 1
    turned = render_face(Controls(), PLAIN, Photo(yaw=0.2), 128, None).astype(int)
    assert np.abs(turned - turned[:, ::-1]).mean() > 4


def test_light_noise_and_grey_do_what_they_say():
    def photograph(**photo):
        rng = np.random.default_rng(0)
        return render_face(Controls(), PLAIN, Photo(**photo), 64, rng).astype(int)

    plain = photograph()
    lit = photograph(light=(0.4, 0))
    assert lit[0, 0, 0] == pytest.approx(0.8 * 150, abs=1)
    assert lit[0, -1, 0] == pytest.approx(1.2 * 150, abs=1)
    noise = photograph(noise=5)[:8, :8] - plain[:8, :8]
    assert noise.std() == pytest.approx(5, abs=1)
    grey = photograph(grey=True, tint=(0.9, 1, 1.1))
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('joy', 0, 0), "expression='joy' is unknown.*surprise, fear.*0 to 6"),
        ((7, 0, 0), 'expression=7 .*0 to 6'),
        ((-1, 0, 0), 'expression=-1 '),
        ((0, -1, 0), 'seed=-1 .*0 to'),
        ((0, 0, 2**32), 'index=4294967296 '),
        ((0, 0, 0, 23), '23 pixels.*Fix: set 24 or more'),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_face(*arguments)
