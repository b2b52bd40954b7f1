from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpretrain.registry import TRANSFORMS

from eac_mm.datasets import SyntheticFER
from eac_mm.engine.pipeline_checks import check_order, check_packed


@pytest.fixture(autouse=True)
def scope():
    """What recipes have: transforms inside transforms are found by it."""
    init_default_scope('mmpretrain')


SEED, PAIR, PACK = (
    dict(type=name) for name in ('SeedAugmentation', 'ErasingFlipPair', 'PackInputs')
)
JITTER = dict(type='ColorJitter', brightness=0.5)
FLIP = dict(type='RandomFlip', prob=1.0, direction='horizontal')


def faces(*pipeline):
    return SyntheticFER(size=4, pipeline=list(pipeline))


def of_each_view(*transforms):
    return dict(
        type='TransformBroadcaster',
        mapping=dict(img='img'),
        transforms=list(transforms),
    )


@pytest.mark.parametrize('maker', [PAIR, dict(type='AffinePair', angle=9)])
@pytest.mark.parametrize(
    'late',
    [
        JITTER,  # failed on the list
        dict(type='Resize', scale=(32, 32)),
        dict(type='RandomCrop', crop_size=40, padding=4),
        dict(type='Erasing'),
        FLIP,  # takes the list for one image
        dict(type='torchvision/RandomHorizontalFlip'),
        dict(type='RandomApply', transforms=[JITTER], prob=0.5),
        PAIR,
    ],
    ids=lambda transform: transform['type'],
)
def test_one_image_is_not_a_list_of_views(maker, late):
    name = type(TRANSFORMS.build(late)).__name__
    message = f'{name} takes one image, and stands behind {maker["type"]}.*Fix: put'
    with pytest.raises(ValueError, match=message):
        check_order(faces(SEED, maker, late, PACK))
    check_order(faces(SEED, late, PACK))


def test_views_of_mmpretrain():
    views = dict(type='MultiView', num_views=2, transforms=[[JITTER]])
    with pytest.raises(ValueError, match='ColorJitter .* behind MultiView'):
        check_order(faces(views, JITTER, PACK))
    check_order(faces(views, PACK))


def test_what_the_message_says_changes_each_view():
    plain, late = faces(PAIR, PACK), faces(PAIR, of_each_view(FLIP), PACK)
    check_order(late)
    for dataset in (plain, late):
        np.random.seed(0)
        dataset.views = [view.numpy() for view in dataset[0]['inputs']]
    for before, after in zip(plain.views, late.views, strict=True):
        np.testing.assert_array_equal(after, before[..., ::-1])


def test_a_transform_of_one_s_own_is_trusted():
    class Own:
        def __call__(self, results):
            return results

    dataset = faces(PAIR, PACK)
    dataset.pipeline.transforms.insert(1, Own())
    check_order(dataset)


def test_what_is_packed():
    keep = dict(type='PackInputs', algorithm_keys=('view_affine',))
    turn = dict(type='AffinePair', angle=9)
    for pack, fits in ((PACK, False), (keep, True)):
        dataset = faces(turn, pack)
        batch = dict(data_samples=[dataset[0]['data_samples']])
        if fits:
            check_packed(dataset, batch)
            continue
        with pytest.raises(ValueError, match=r'algorithm_keys=\("view_affine",\)'):
            check_packed(dataset, batch)
    check_packed(SimpleNamespace(), batch)  # no pipeline
