import numpy as np
import pytest

from eac_mm.deploy import TEMPLATES, get_template, template_of
from eac_mm.deploy.templates import ARCFACE


def test_arcface_is_the_usual_one():
    # The points in pixels of 112, as face recognition code has them.
    known = [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
    assert np.abs(112 * np.array(ARCFACE) - known).max() < 0.01


@pytest.mark.parametrize('name', TEMPLATES)
def test_points_have_their_places(name):
    left, right, nose, mouth_left, mouth_right = TEMPLATES[name].points
    assert left[0] < nose[0] < right[0]
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


def test_plain_values_give_the_template_again():
    there = get_template('ferplus')
    again = get_template(there.to_dict())
    assert np.allclose(again.points, there.points, atol=1e-5)
    assert (again.size, again.grey) == (48, True)
    assert get_template(there) is there


@pytest.mark.parametrize(
    ('dataset', 'name'),
    [
        (dict(type='FERPlus', split='test'), 'ferplus'),
        (dict(type='mmpretrain.FERPlus'), 'ferplus'),
        (dict(type='NoisyLabels', dataset=dict(type='FERPlus')), 'ferplus'),
        (dict(type='FolderFaces'), 'arcface'),
        (dict(type='FolderFaces', metainfo=dict(template='ferplus')), 'ferplus'),
        (dict(type='FERPlus', metainfo=dict(template='arcface')), 'arcface'),
    ],
)
def test_template_of_a_data_set(dataset, name):
    assert template_of(dataset).name == name


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('dlib', "template 'dlib' is unknown"),
        (dict(size=48), 'a dict with'),
        (dict(points=ARCFACE, sides=48), 'a dict with'),
        (dict(points=ARCFACE[:4]), 'five points'),
        (dict(points=[(38, 51)] * 5), 'divide pixels by'),
        (dict(points='eyes'), 'five points'),
    ],
)
def test_other_values_are_refused(value, message):
    with pytest.raises(ValueError, match=f'{message}.*Fix:|Fix:.*{message}'):
        get_template(value)
