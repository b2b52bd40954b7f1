import pytest
import torch
from torch import nn

from eac_mm.engine import class_names
from eac_mm.engine.class_names import (
    check_same,
    check_start,
    classes_in,
    head_weights,
)


@pytest.fixture
def log(monkeypatch):
    lines = []
    monkeypatch.setattr(
        class_names, 'print_log', lambda text, *args, **kwargs: lines.append(text)
    )
    return lines


THEN = ['happy', 'sad', 'angry']


@pytest.mark.parametrize(
    ('meta', 'classes'),
    [
        (dict(dataset_meta=dict(classes=('a', 'b'))), ['a', 'b']),
        (dict(dataset_meta=dict(CLASSES=['a'])), ['a']),
        (dict(CLASSES=('a', 'b')), ['a', 'b']),
        (dict(dataset_meta=None), None),
        (dict(epoch=3), None),
        (None, None),
    ],
)
def test_where_classes_are_found(meta, classes):
    assert classes_in(dict(meta=meta)) == classes
    assert classes_in({}) is None


def test_the_same_classes_pass():
    check_same(THEN, tuple(THEN), 'test')


@pytest.mark.parametrize(
    ('now', 'what'),
    [
        (sorted(THEN), 'the order of the classes of the test data'),
        ([*THEN, 'fear'], 'the classes of the test data.*the data has 4'),
        (['happy', 'sad', 'anger'], 'the classes of the test data'),
        (THEN[:2], 'the data has 2.*trained with 3'),
    ],
)
def test_others_are_refused_with_the_fix(now, what):
    with pytest.raises(ValueError, match=what) as error:
        check_same(THEN, now, 'test')
    assert "Fix: give the data set classes=['happy', 'sad', 'angry']" in str(
        error.value
    )


@pytest.mark.parametrize(('then', 'now'), [(None, THEN), (THEN, None)])
def test_unknown_classes_are_a_warning(then, now, log):
    check_same(then, now, 'test')
    assert 'no class names' in log[0]


def make_model(classes=3):
    model = nn.Module()
    model.backbone = nn.Linear(3, 3)  # a size like the number of classes
    model.head = nn.Module()
    model.head.hidden = nn.Linear(5, 5)
    model.head.fc = nn.Linear(5, classes)
    return model


def test_a_head_that_is_taken_over_must_have_the_classes():
    model = make_model()
    weights = dict(make_model().state_dict())
    assert head_weights(weights, model, 3) == ['head.fc.weight', 'head.fc.bias']
    check_start(THEN, THEN, weights, model)
    check_start(None, THEN, weights, model)
    with pytest.raises(ValueError, match=r'head.fc.weight.*Fix: .*classes=\['):
        check_start(THEN, sorted(THEN), weights, model)


def test_a_new_head_may_learn_other_classes(log):
    weights = dict(make_model(8).state_dict())
    check_start(list('abcdefgh'), THEN, weights, make_model())
    assert 'the head is new and learns' in log[0]
    weights = {k: v for k, v in make_model().state_dict().items() if 'fc' not in k}
    check_start(sorted(THEN), THEN, weights, make_model())
    assert torch.is_tensor(weights['head.hidden.weight'])
