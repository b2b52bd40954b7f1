import cv2
import numpy as np
import pytest
import torch
from pictures import astronaut, coffee, scene
from short_training import train
from torch.nn import functional as F
from trained import RECIPE, save_checkpoint

from eac_mm.apis import ExpressionPredictor, load_model
from eac_mm.apis.predictor import sharpen
from eac_mm.datasets.faces.expressions import EXPRESSIONS


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return load_model(save_checkpoint(tmp_path_factory.mktemp('a') / 'epoch_1.pth'))


def test_the_same_as_the_validation_of_the_run(tmp_path):
    runner = train(RECIPE, tmp_path)
    (batch,) = runner.val_dataloader
    dataset = runner.val_dataloader.dataset
    expected = runner.model.val_step(batch)
    pictures = [dataset.get_data_info(i)['img'] for i in range(len(dataset))]
    found = ExpressionPredictor(tmp_path, detector='none', batch_size=3)(pictures)
    for sample, (face,) in zip(expected, found, strict=True):
        assert torch.allclose(face.pred_score, sample.pred_score, atol=1e-5)
        assert face.expression == EXPRESSIONS[int(sample.pred_label)]


def test_faces_of_several_pictures(model):
    predict = ExpressionPredictor(model, batch_size=2)
    several = scene([0, 10, -10], 0)[0]
    first, none, three = predict([astronaut(), coffee(), several])
    assert [s.status for s in (*first, *none, *three)] == [
        *('ok', 'no_face', 'ok', 'ok', 'ok')
    ]
    assert 'pred_score' not in none[0] and none[0].source == '1'
    assert [sample.face for sample in three] == [0, 1, 2]
    for sample in (*first, *three):
        assert sample.pred_score.sum() == pytest.approx(1)
        assert sample.expression == EXPRESSIONS[int(sample.pred_score.argmax())]
    # One by one, and in other batches, they are the same.
    again = [face for p in (astronaut(), several) for face in predict(p)[0]]
    for one, other in zip([*first, *three], again, strict=True):
        assert torch.allclose(one.pred_score, other.pred_score, atol=1e-5)


def test_largest_and_central(model):
    picture = np.zeros((512, 900, 3), np.uint8)
    picture[:, :512] = astronaut()
    picture[200:400, 600:800] = cv2.resize(astronaut(), (200, 200))
    boxes = [s.box for s in ExpressionPredictor(model, faces='largest')(picture)[0]]
    assert len(boxes) == 1 and boxes[0][2] < 512
    assert len(ExpressionPredictor(model)(picture)[0]) == 2


def test_paths(model, tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), astronaut())
    (tmp_path / 'b.png').write_bytes(b'no picture')
    predict = ExpressionPredictor(model)
    names = [tmp_path / name for name in ('b.png', 'a.png', 'c.png')]
    bad, good, missing = predict(names)
    assert (bad[0].status, good[0].status) == ('unreadable', 'ok')
    assert 'no JPEG, PNG' in bad[0].reason
    assert missing[0].reason == 'the file does not exist'
    assert good[0].source == str(tmp_path / 'a.png')
    (direct,) = predict(astronaut())[0]
    assert torch.equal(good[0].pred_score, direct.pred_score)


def test_grey_arrays_and_wrong_ones(model):
    predict = ExpressionPredictor(model)
    grey = cv2.cvtColor(astronaut(), cv2.COLOR_BGR2GRAY)
    assert predict(grey)[0][0].status == 'ok'
    with pytest.raises(ValueError, match=r'shape \(4, 4, 4\).*Fix: give uint8'):
        predict(np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(ValueError, match='type float32'):
        predict(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ValueError, match='has no pixels'):
        predict(np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(TypeError, match=r'type int. Fix: give a path'):
        predict([3])


def test_threshold(model):
    (face,) = ExpressionPredictor(model)(astronaut())[0]
    highest = float(face.pred_score.max())
    for threshold, expected in (
        (highest - 1e-4, face.expression),
        (highest + 1e-4, 'uncertain'),
    ):
        predict = ExpressionPredictor(model, threshold=threshold)
        assert predict(astronaut())[0][0].expression == expected


def test_temperature():
    logits = torch.tensor([1.0, -2.0, 0.5])
    expected = F.softmax(logits / 2.5, 0)
    assert torch.allclose(sharpen(F.softmax(logits, 0), 2.5), expected, atol=1e-6)
    certain = sharpen(torch.tensor([1.0, 0.0]), 2.0)
    assert certain.tolist() == [1, 0]


def test_temperature_of_the_checkpoint_and_the_user(model, tmp_path):
    path = save_checkpoint(tmp_path / 'a.pth', temperature=3.0)
    plain, own, given = (
        ExpressionPredictor(*args)(astronaut())[0][0].pred_score
        for args in ((model,), (path,), (path, None, 'mtcnn', 'all', None, 0.0, 1.0))
    )
    assert torch.allclose(given, plain, atol=1e-6)
    assert torch.allclose(own, sharpen(plain, 3.0), atol=1e-6)


def test_attention(model):
    (face,) = ExpressionPredictor(model, attention=True)(astronaut())[0]
    assert face.attention.shape == (3, 3)
    # With average pooling, the mean of a class's map and its bias are its logit.
    bias = model.network.head.fc.bias[int(face.pred_label)]
    others = face.pred_score.log() - face.pred_score.log()[int(face.pred_label)]
    logit = face.attention.mean() + bias
    expected = F.softmax(logit + others, 0)
    assert torch.allclose(expected, face.pred_score, atol=1e-5)


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        (dict(threshold=1.5), r'threshold=1.5. Fix: give 0 to 1'),
        (dict(temperature=0.0), r'temperature=0.0. Fix'),
        (dict(batch_size=0), r'batch_size=0. Fix'),
        (dict(faces='two'), r"faces='two' is unknown"),
        (dict(template='mine'), r"template 'mine' is unknown"),
        (dict(detector='haar'), r"detector='haar' is unknown"),
    ],
)
def test_values_that_are_not_allowed(model, option, message):
    with pytest.raises(ValueError, match=message):
        ExpressionPredictor(model, **option)
