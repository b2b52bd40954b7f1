import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmpretrain.models.utils import ClsDataPreprocessor
from mmpretrain.structures import DataSample

from eac_mm.models import EACDataPreprocessor

MEAN, STD = [100.0, 50.0, 10.0], [2.0, 4.0, 5.0]  # R, G, B


def make_item(value, label):
    views = [
        torch.tensor([value, 60, 104], dtype=torch.uint8)  # B, G, R
        .reshape(3, 1, 1)
        .expand(3, 2, 3)
        .clone()
        for value in (value, value + 10)
    ]
    return dict(inputs=views, data_samples=DataSample().set_gt_label(label))


def normalised(blue):
    """(R - 100) / 2, (G - 50) / 4, (B - 10) / 5 by hand."""
    return [2.0, 2.5, (blue - 10) / 5]


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('size', [2, 3])
def test_both_views_alike(collate, size):
    preprocessor = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True)
    batch = collate([make_item(20 * i, i) for i in range(size)])
    out = preprocessor(batch, training=True)
    assert len(out['inputs']) == 2
    for shift, view in zip((0, 10), out['inputs'], strict=True):
        assert view.shape == (size, 3, 2, 3)
        for i in range(size):
            assert view[i, :, 1, 2].tolist() == pytest.approx(
                normalised(20 * i + shift)
            )
    assert [s.gt_label.item() for s in out['data_samples']] == list(range(size))


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('size', [1, 2, 3])
def test_one_view_in_testing(collate, size):
    preprocessor = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True)
    items = [make_item(20 * i, i) for i in range(size)]
    batch = collate([{**item, 'inputs': item['inputs'][0]} for item in items])
    out = preprocessor(batch)['inputs']
    assert out.shape == (size, 3, 2, 3)
    for i in range(size):
        assert out[i, :, 0, 0].tolist() == pytest.approx(normalised(20 * i))


def test_channels_last_changes_the_layout_alone():
    plain = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True, channels_last=False)
    last = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True)
    items = [make_item(20 * i, i) for i in range(3)]
    expected = plain(default_collate(items))['inputs']
    for ours, theirs in zip(
        last(default_collate(items))['inputs'], expected, strict=True
    ):
        assert ours.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(ours, theirs)


# one pass in place of MMPretrain's several


@pytest.mark.parametrize('channels_last', [False, True])
@pytest.mark.parametrize('source', [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize('settings', [dict(mean=MEAN, std=STD), dict()])
@pytest.mark.parametrize('to_rgb', [False, True])
def test_values_are_those_of_mmpretrain(channels_last, source, settings, to_rgb):
    """To the bit, from any layout, and without writing into the images."""
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 5, 4), dtype=torch.uint8)
    images = images.contiguous(memory_format=source)
    before = images.clone()
    plain = ClsDataPreprocessor(to_rgb=to_rgb, **settings)
    ours = EACDataPreprocessor(to_rgb=to_rgb, channels_last=channels_last, **settings)
    found = ours(dict(inputs=images))['inputs']
    assert torch.equal(found, plain(dict(inputs=images))['inputs'])
    assert found.dtype == torch.float32
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert found.is_contiguous(memory_format=layout)
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    ('images', 'settings'),
    [
        (torch.rand(2, 3, 5, 4), dict(mean=MEAN, std=STD)),  # floats
        (torch.full((2, 1, 5, 4), 7, dtype=torch.uint8), dict(mean=MEAN, std=STD)),
        (torch.full((2, 1, 5, 4), 7, dtype=torch.uint8), dict(mean=[3], std=[2])),
        (torch.full((2, 3, 5, 4), 7, dtype=torch.uint8), dict(pad_size_divisor=4)),
    ],
)
def test_other_inputs_are_left_to_mmpretrain(images, settings):
    expected = ClsDataPreprocessor(to_rgb=True, **settings)(dict(inputs=images))
    found = EACDataPreprocessor(to_rgb=True, **settings)(dict(inputs=images))
    assert torch.equal(found['inputs'], expected['inputs'])
    assert found['data_samples'] is None


# batch augmentations

MIXES = [
    dict(type='Mixup', alpha=0.8),
    dict(type='CutMix', alpha=1.0),
    dict(type='ResizeMix', alpha=1.0),
]


def pairs(n=6, size=12):
    """Pairs of an image and its mirror image, with labels 0 to 3."""
    torch.manual_seed(1)
    items = []
    for i in range(n):
        image = torch.randint(0, 256, (3, size, size), dtype=torch.uint8)
        sample = DataSample().set_gt_label(i % 4)
        items.append(dict(inputs=[image, image.flip(-1)], data_samples=sample))
    return items


def mixer(*augments, probs=None, **kwargs):
    batch_augments = dict(augments=list(augments), probs=probs)
    settings = dict(mean=MEAN, std=STD, to_rgb=True, num_classes=4)
    return EACDataPreprocessor(batch_augments=batch_augments, **settings, **kwargs)


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('augment', MIXES)
def test_both_views_are_mixed_alike(augment, collate):
    """View 1 is what MMPretrain makes of it, view 2 its mirror image."""
    plain = ClsDataPreprocessor(
        batch_augments=dict(augments=[augment]),
        **dict(mean=MEAN, std=STD, to_rgb=True, num_classes=4),
    )
    first = [{**item, 'inputs': item['inputs'][0]} for item in pairs()]
    batches = [collate(first), collate(pairs())]
    results = []
    for preprocessor, batch in zip((plain, mixer(augment)), batches, strict=True):
        np.random.seed(5)
        torch.manual_seed(5)
        results.append(preprocessor(batch, training=True))
    expected, found = results
    one, two = found['inputs']
    assert torch.equal(one, expected['inputs'])
    assert torch.equal(two, one.flip(-1))
    still = plain(collate(first))['inputs']
    assert not torch.equal(one, still)
    for view in (one, two):
        assert view.is_contiguous(memory_format=torch.channels_last)
    for a, b in zip(found['data_samples'], expected['data_samples'], strict=True):
        assert torch.equal(a.gt_score, b.gt_score)
        assert torch.equal(a.gt_label, b.gt_label)


def test_mixing_is_for_training_alone():
    batch = default_collate(pairs())
    expected = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True)(batch)['inputs']
    for preprocessor, training in [
        (mixer(MIXES[0]), False),
        (mixer(MIXES[0], probs=[0.0]), True),
    ]:
        found = preprocessor(default_collate(pairs()), training=training)
        for a, b in zip(found['inputs'], expected, strict=True):
            assert torch.equal(a, b)
        assert found['data_samples'][2].gt_score.tolist() == [0, 0, 1, 0]


def test_one_view_is_mixed_as_in_mmpretrain():
    items = [{**item, 'inputs': item['inputs'][0]} for item in pairs()]
    views = []
    for batch in (default_collate(items), default_collate(pairs())):
        np.random.seed(3)
        torch.manual_seed(3)
        views.append(mixer(MIXES[1])(batch, training=True)['inputs'])
    assert torch.equal(views[0], views[1][0])


def test_what_cannot_be_mixed_is_refused():
    items = pairs()
    for item in items:
        item['data_samples'].set_field(np.eye(2, 3), 'view_affine')
    with pytest.raises(ValueError, match='AffinePair turns.*Fix: ErasingFlipPair'):
        mixer(MIXES[0])(default_collate(items), training=True)
    with pytest.raises(ValueError, match=r'Fix: model\.data_preprocessor\.num_classes'):
        EACDataPreprocessor(batch_augments=dict(augments=MIXES[:1]))
