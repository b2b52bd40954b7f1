import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
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
    plain = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True)
    last = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True, channels_last=True)
    items = [make_item(20 * i, i) for i in range(3)]
    expected = plain(default_collate(items))['inputs']
    for ours, theirs in zip(
        last(default_collate(items))['inputs'], expected, strict=True
    ):
        assert ours.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(ours, theirs)
