"""Attention during a short training."""

import cv2
import pytest
import short_training
from short_training import assert_same

from eac_mm.visualization import AttentionFigureHook

RECIPE = 'configs/baseline/resnet18_syntheticfer_noise30.py'
HOOK = {'custom_hooks': [dict(type='AttentionFigureHook', interval=2, count=2)]}


@pytest.fixture
def train(tmp_path, pytestconfig):
    def run(name, **options):
        recipe = pytestconfig.rootpath / RECIPE
        return short_training.train(recipe, tmp_path / name, **options)

    return run


def test_the_training_stays_as_it_is(train, tmp_path):
    with_figures, without = train('with', **HOOK), train('without')
    assert_same(with_figures, without)
    # Two epochs, of which the second is drawn: two images in three columns.
    [picture] = tmp_path.glob('with/*/vis_data/vis_image/*')
    assert picture.name == 'attention_2.png'
    height, width = cv2.imread(str(picture)).shape[:2]
    assert (width, height) == (int(3 * 1.7 * 150), int((0.4 + 2 * 2.05) * 150))


def test_without_wrong_labels_nothing_is_drawn(train, tmp_path):
    train('clean', **HOOK, **{'train_dataloader.dataset.rate': 0.0})
    assert not [*tmp_path.glob('clean/*/vis_data/vis_image/*')]


@pytest.mark.parametrize('wrong', [dict(interval=0), dict(count=1.5)])
def test_bad_arguments(wrong):
    with pytest.raises(ValueError, match='AttentionFigureHook: .*Fix: give 1 or more'):
        AttentionFigureHook(**wrong)
