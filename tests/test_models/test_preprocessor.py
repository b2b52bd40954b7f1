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
    plain = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True, channels_last=False)
    last = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True)
    items = [make_item(20 * i, i) for i in range(3)]
    expected = plain(default_collate(items))['inputs']
    for ours, theirs in zip(
        last(default_collate(items))['inputs'], expected, strict=True
    ):
        assert ours.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(ours, theirs)


# indices in place of images


class Faces:
    """Stands for NoisyLabels: image i is i everywhere, its flip 100 + i."""

    def __init__(self, pairs=True):
        self.pairs = pairs

    def to_device(self, device, reverse, channels_last):
        assert (device, reverse) == (torch.device('cpu'), True)
        self.channels_last = channels_last
        return self

    def views(self, indices):
        images = indices.view(-1, 1, 1, 1).expand(-1, 3, 4, 5).to(torch.uint8)
        if self.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return [images, images + 100] if self.pairs else images


def index_batch(*indices):
    return [
        dict(inputs=i, data_samples=DataSample().set_gt_label(i % 7)) for i in indices
    ]


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('channels_last', [False, True])
def test_indices(collate, channels_last):
    preprocessor = EACDataPreprocessor(
        mean=MEAN, std=STD, to_rgb=True, channels_last=channels_last
    )
    preprocessor.take_images(Faces())
    out = preprocessor(collate(index_batch(3, 50, 3)), training=True)
    for shift, view in zip((0, 100), out['inputs'], strict=True):
        for row, index in enumerate((3, 50, 3)):
            # as torch computes it image by image, to the bit
            pixel = torch.full((3, 4, 5), float(index + shift))
            expected = (pixel - preprocessor.mean) / preprocessor.std
            assert torch.equal(view[row], expected)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        assert view.is_contiguous(memory_format=layout)
    assert [s.gt_label.tolist() for s in out['data_samples']] == [[3], [1], [3]]


def test_indices_of_single_images_without_normalisation():
    preprocessor = EACDataPreprocessor(to_rgb=True)
    preprocessor.take_images(Faces(pairs=False))
    out = preprocessor(default_collate(index_batch(3, 4)))['inputs']
    assert out.dtype == torch.float32
    assert out[:, 1, 2, 3].tolist() == [3, 4]


def test_images_pass_beside_indices():
    """Validation gives images, while training gives indices."""
    preprocessor = EACDataPreprocessor(mean=MEAN, std=STD, to_rgb=True)
    batch = default_collate([make_item(20 * i, i) for i in range(3)])
    expected = preprocessor(batch)['inputs']
    preprocessor.take_images(Faces())
    found = preprocessor(batch)['inputs']
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_indices_of_unknown_images():
    preprocessor = EACDataPreprocessor(mean=MEAN, std=STD)
    with pytest.raises(ValueError, match='ImageCacheHook'):
        preprocessor(default_collate(index_batch(0)))
    with pytest.raises(ValueError, match='pad_size_divisor.*cache=ram'):
        EACDataPreprocessor(pad_size_divisor=32).take_images(Faces())
