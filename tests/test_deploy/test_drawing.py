import numpy as np
import torch
from mmpretrain.structures import DataSample

from eac_mm.deploy.drawing import DOUBTFUL, GOOD, annotate

BLACK = np.zeros((300, 400, 3), np.uint8)


def sample(**changes):
    known = dict(
        status='ok',
        expression='happy',
        box=np.array([100, 100, 200, 220.0]),
        points=np.array([(130, 140), (170, 140), (150, 160), (135, 185), (165, 185.0)]),
        matrix=np.array([[0.5, 0, -50], [0, 0.5, -50.0]]),
        aligned_size=50,
    )
    found = DataSample(metainfo={**known, **changes})
    return found.set_pred_score(torch.tensor([0.2, 0.8]))


def test_box_points_and_label():
    drawn = annotate(BLACK, [sample()])
    assert drawn.shape == BLACK.shape and not BLACK.any()
    for x, y in [(150, 220), (200, 160), (130, 140), (165, 185)]:
        assert tuple(drawn[y, x]) == GOOD
    assert not drawn[200, 150].any()  # within the face, beside the points
    assert (drawn[80:99, 100:160] > 180).all(2).any()  # white letters above the box


def test_doubtful_faces_have_another_colour():
    for changes in (dict(expression='uncertain'), dict(status='profile')):
        assert tuple(annotate(BLACK, [sample(**changes)])[220, 150]) == DOUBTFUL


def test_attention_lies_where_the_map_is_high():
    values = torch.zeros(5, 5)
    values[0, 4] = 3  # top right: a fifth of the face's 100 pixels
    face = sample()
    face.set_field(values, 'attention')
    red = annotate(BLACK, [face])[:, :, 2].astype(int)
    assert red[110, 190] > 100
    assert red[110, 110] == red[210, 190] == 0


def test_a_picture_without_a_face_stays():
    none = DataSample(metainfo=dict(status='no_face'))
    assert (annotate(BLACK, [none]) == BLACK).all()


def test_a_face_at_the_border():
    drawn = annotate(BLACK, [sample(box=np.array([-20, -30, 60, 50.0]))])
    assert drawn[:30, :60].any()  # its label is inside the picture
