import copy

import numpy as np
import pytest
import torch

from eac_mm.datasets import BadImageError, NoisyLabels
from eac_mm.datasets.images import DeviceImages, device_images

from .conftest import SINGLE

PAIR = dict(type='ErasingFlipPair')
STILL = dict(type='ErasingFlipPair', prob=0)


def tensor(*indices):
    return torch.tensor(indices)


def stacked(dataset, indices, view):
    return torch.stack([dataset[i]['inputs'][view] for i in indices])


@pytest.mark.parametrize('channels_last', [False, True])
@pytest.mark.parametrize('reverse', [False, True])
def test_the_images_are_those_of_the_pipeline(faces, set_epoch, reverse, channels_last):
    dataset = faces(STILL)
    images = DeviceImages(dataset, reverse=reverse, channels_last=channels_last)
    set_epoch(dataset, 0)
    first, second = images.views(tensor(3, 11, 3, 0))
    for view, found in enumerate((first, second)):
        expected = stacked(dataset, [3, 11, 3, 0], view)
        assert torch.equal(found, expected.flip(1) if reverse else expected)
        assert found.dtype == torch.uint8
    assert first.is_contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )
    assert images.ori_shapes.tolist() == [[100, 100]] * 12


@pytest.mark.parametrize('channels_last', [False, True])
def test_the_order_of_channels_and_the_layout_change_nothing_else(
    faces, set_epoch, channels_last
):
    dataset = faces(dict(**PAIR, noise_variance=30))
    set_epoch(dataset, 0)
    plain = DeviceImages(dataset).views(tensor(*range(12)))
    other = DeviceImages(dataset, channels_last=channels_last)
    for a, b in zip(plain, other.views(tensor(*range(12))), strict=True):
        assert torch.equal(a, b)
    # the fill turns with the image
    clear = faces(PAIR)
    set_epoch(clear, 0)
    plain = DeviceImages(clear).views(tensor(*range(12)))[0]
    other = DeviceImages(clear, reverse=True).views(tensor(*range(12)))[0]
    assert torch.equal(plain, other.flip(1))
    assert (plain == tensor(104, 116, 124).view(3, 1, 1)).all(1).any()


@pytest.mark.parametrize(
    'settings',
    [
        [dict(**PAIR, noise_variance=30)],
        [dict(**PAIR, erasing='independent', noise_variance=30)],
        SINGLE,
    ],
)
def test_a_sample_gets_the_same_in_any_batch(faces, set_epoch, settings):
    dataset, few = faces(*settings), faces(*settings, indices=5)
    images, fewer = DeviceImages(dataset), DeviceImages(few)

    def look(images, *indices):
        views = images.views(tensor(*indices))
        return torch.stack(views if isinstance(views, list) else [views], 1)

    for each in (dataset, few):
        set_epoch(each, 4)
    whole = look(images, *range(12))
    assert torch.equal(look(images, 7, 2, 7), whole[[7, 2, 7]])
    assert torch.equal(look(images, 11), whole[11:])
    # of a smaller data set, too
    assert torch.equal(look(fewer, 4, 0), whole[[4, 0]])
    # again in this epoch of this seed, and in no other
    for epoch, seed, same in [(5, 3, False), (4, 2, False), (4, 3, True)]:
        set_epoch(dataset, epoch, seed)
        assert torch.equal(look(images, *range(12)), whole) is same


def test_the_images_stay_as_they_are(faces, set_epoch):
    dataset = faces(dict(**PAIR, prob=1, noise_variance=30))
    images = DeviceImages(dataset)
    before = images.images.clone()
    for epoch in range(3):
        set_epoch(dataset, epoch)
        for view in images.views(tensor(*range(12))):
            view.zero_()
    assert torch.equal(images.images, before)


def test_without_an_epoch(faces):
    with pytest.raises(ValueError, match='EpochSeedHook'):
        DeviceImages(faces(PAIR)).views(tensor(0))


def test_room_is_asked_for_first(faces, monkeypatch):
    need = 12 * 32 * 40 * 3
    monkeypatch.setattr(device_images, 'free_on', lambda device: need - 1)
    with pytest.raises(MemoryError, match='free in cpu memory'):
        DeviceImages(faces(PAIR))
    monkeypatch.setattr(device_images, 'free_on', lambda device: need)
    DeviceImages(faces(PAIR))


def test_errors(faces):
    with pytest.raises(ValueError, match='cannot run RandomCrop'):
        DeviceImages(faces(dict(type='RandomCrop', crop_size=8), PAIR))
    dataset = faces(PAIR)
    dataset.pipeline.transforms[0].read = raise_bad
    with pytest.raises(BadImageError, match='this one'):
        DeviceImages(dataset)


def raise_bad(path):
    raise BadImageError('this one')


def test_samples_hold_their_index(faces):
    plain, noisy = (
        NoisyLabels(faces(PAIR), rate=0.5, cache=c) for c in ('none', 'device')
    )
    for idx in (0, 5, -1):
        found, expected = noisy[idx], plain[idx]
        assert found['inputs'] == idx % 12
        found, expected = found['data_samples'], expected['data_samples']
        assert torch.equal(found.gt_label, expected.gt_label)
        for key in ('img_path', 'clean_label', 'sample_idx'):
            assert found.get(key) == expected.get(key)
    assert len(noisy.load(2)['inputs']) == 2


def test_a_sample_is_the_same_whatever_was_done_to_it_before(faces):
    noisy = NoisyLabels(faces(PAIR), rate=0.5, cache='device')
    first = noisy[4]['data_samples']
    label = first.gt_label.clone()
    first.gt_label.fill_(6 - int(label))
    first.set_pred_label(2)
    first.set_metainfo(dict(clean_label=9))
    first.set_field([1], 'more')
    again = noisy[4]['data_samples']
    assert torch.equal(again.gt_label, label)
    assert again.clean_label == noisy.clean_labels[4]
    assert again.keys() == ['gt_label']
    noisy.given_labels[4] = 6 - int(label)
    assert noisy[4]['data_samples'].gt_label.tolist() == [6 - int(label)]


def test_copies_share_the_images(faces):
    images = DeviceImages(faces(PAIR))
    assert copy.deepcopy(images) is images


def test_numbers_are_not_the_samplers(faces, set_epoch):
    dataset = faces(SINGLE[1])
    images = DeviceImages(dataset)
    set_epoch(dataset, 0, seed=3)
    images.views(tensor(0))
    drawn = np.random.default_rng([3, 0]).random(12) < 0.5
    assert (images.transforms[0].flipped != drawn).any()
