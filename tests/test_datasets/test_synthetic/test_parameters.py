import dataclasses

import numpy as np
import pytest

from eac_mm.datasets.faces.expressions import EXPRESSIONS
from eac_mm.datasets.synthetic.parameters import (
    BEARDS,
    HAIR_STYLES,
    INTENSITY,
    INTENSITY_BETA,
    MEANS,
    REGION_SHARE,
    SPREAD,
    UPPER_FACE,
    Controls,
    Person,
    Photo,
)


@pytest.mark.parametrize('expression', EXPRESSIONS)
def test_controls_scatter_about_the_mean_of_the_expression(expression):
    rng = np.random.default_rng(0)
    drawn = [Controls.sample(expression, rng) for _ in range(1500)]
    mean = np.mean([list(vars(controls).values()) for controls in drawn], axis=0)
    share = INTENSITY_BETA[0] / sum(INTENSITY_BETA)
    intensity = INTENSITY[0] + share * (INTENSITY[1] - INTENSITY[0])
    expected = intensity * np.mean(REGION_SHARE) * np.array(MEANS[expression])
    np.testing.assert_allclose(mean, expected, atol=0.03)


@pytest.mark.parametrize(
    ('name', 'up', 'down'),
    [('corners', 'happy', 'sad'), ('inner_brow', 'sad', 'angry')]
    + [('jaw', 'surprise', 'neutral'), ('brow_lower', 'angry', 'surprise')]
    + [('lids', 'fear', 'disgust'), ('nose', 'disgust', 'happy')]
    + [('stretch', 'fear', 'surprise'), ('press', 'angry', 'fear')],
)
def test_table_of_means_says_what_the_action_units_say(name, up, down):
    column = list(vars(Controls())).index(name)
    assert MEANS[up][column] > 0.5 + MEANS[down][column]
    assert not any(MEANS['neutral'])


def test_the_tables_fit_the_controls():
    assert tuple(MEANS) == EXPRESSIONS
    assert {len(row) for row in MEANS.values()} == {len(SPREAD)} == {11}
    names = [field.name for field in dataclasses.fields(Controls)]
    upper = [name for name, up in zip(names, UPPER_FACE, strict=True) if up]
    assert upper == ['inner_brow', 'outer_brow', 'brow_lower', 'lids', 'cheeks']


def test_every_expression_takes_as_many_numbers():
    states = set()
    for name in EXPRESSIONS:
        rng = np.random.default_rng(5)
        Controls.sample(name, rng)
        states.add(rng.random())
    assert len(states) == 1


@pytest.fixture(scope='module')
def people():
    rng = np.random.default_rng(0)
    return [Person.sample(rng) for _ in range(400)]


@pytest.mark.parametrize(
    ('name', 'low', 'high'),
    [('chin', 1.15, 1.36), ('eye_distance', 0.38, 0.47), ('lip', 0.05, 0.12)]
    + [('mouth_width', 0.28, 0.4), ('brow_height', 0.25, 0.35), ('lips', 0.2, 1)],
)
def test_a_measure_fills_its_range_evenly(people, name, low, high):
    values = np.array([getattr(person, name) for person in people])
    assert low <= values.min() and values.max() <= high
    # The mean of 400 uniform numbers is off by four standard errors at most.
    assert abs(values.mean() - (low + high) / 2) < 4 * (high - low) / 12**0.5 / 20


def test_people_differ_in_style(people):
    assert {person.style for person in people} == set(HAIR_STYLES)
    assert {person.beard for person in people} == set(BEARDS)
    assert all(
        person.beard == 'none'
        for person in people
        if person.style in ('long', 'fringe')
    )
    glasses = sum(person.glasses is not None for person in people)
    assert abs(glasses - 80) < 4 * (400 * 0.2 * 0.8) ** 0.5
    for person in people:
        colours = np.array([person.skin, person.hair, person.iris, person.clothes])
        assert colours.min() >= 0 and colours.max() <= 255


def test_photos_stay_in_range():
    rng = np.random.default_rng(0)
    photos = [Photo.sample(rng) for _ in range(400)]
    assert max(abs(photo.yaw) for photo in photos) <= 0.3
    assert all(0.41 <= photo.scale <= 0.49 for photo in photos)
    assert all(0.72 <= photo.exposure <= 1.15 for photo in photos)
    assert all(0.93 <= gain <= 1.07 for photo in photos for gain in photo.tint)
    grey = sum(photo.grey for photo in photos)
    assert abs(grey - 40) < 4 * (400 * 0.1 * 0.9) ** 0.5


def test_a_photo_adds_nothing_by_default():
    photo = Photo()
    assert (photo.roll, photo.yaw, photo.shift, photo.blur, photo.noise) == (
        0,
        0,
        (0, 0),
        0,
        0,
    )
    assert (photo.exposure, photo.tint, photo.light) == (1, (1, 1, 1), (0, 0))
