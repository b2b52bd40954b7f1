import copy

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Subset

from eac_mm.datasets import BadImageError, FolderFaces
from eac_mm.datasets.images.store import (
    Decoder,
    ImageStore,
    bytes_of,
    split_pipeline,
)

from .conftest import LOAD


def store_of(dataset):
    decoder = Decoder(dataset)
    shape = (len(decoder.index), *decoder.shape)
    return ImageStore(decoder, torch.empty(shape, dtype=torch.uint8))


def test_split(faces):
    before, after = split_pipeline(faces(dict(type='Erasing')))
    assert [type(t).__name__ for t in before] == ['LoadFace', 'Resize']
    assert [type(t).__name__ for t in after] == [
        'SeedAugmentation',
        'Erasing',
        'PackInputs',
    ]


def test_images_and_results(faces):
    data = faces()
    store = store_of(data)
    for i in (0, 7, 11):
        results = data.get_data_info(i)
        for transform in data.pipeline.transforms[:2]:
            results = transform(results)
        np.testing.assert_array_equal(store.images[i], results.pop('img'))
        assert store.results(i) == results
    assert store.ori_shapes.tolist() == [[100, 100]] * 12
    assert store.index.tolist() == list(range(12))


def test_shared_images_are_stored_once(faces):
    first, second = faces(), faces(indices=3)
    decoder = Decoder(ConcatDataset([Subset(first, [5, 2, 5]), second, first]))
    assert decoder.leaves == [first, second]
    stored = list(zip(decoder.leaf.tolist(), decoder.index.tolist(), strict=True))
    assert len(stored) == len(set(stored)) == 12 + 3
    expected = [(0, 5), (0, 2), (0, 5)] + [(1, i) for i in range(3)]
    expected += [(0, i) for i in range(12)]
    assert [stored[row] for row in decoder.rows] == expected
    assert bytes_of(decoder) == 15 * 32 * 40 * 3


def test_copies_are_the_store_itself(faces):
    store = store_of(faces())
    assert copy.deepcopy(store) is store


@pytest.fixture
def folder(tmp_path):
    for i, size in enumerate([20, 20, 24]):
        path = tmp_path / 'train' / 'ab'[i % 2]
        path.mkdir(parents=True, exist_ok=True)
        image = np.full((size, size, 3), i, np.uint8)
        cv2.imwrite(str(path / f'{i}.png'), image)

    def build(*load):
        pipeline = [*load, dict(type='SeedAugmentation'), dict(type='PackInputs')]
        return FolderFaces(
            data_root=str(tmp_path),
            data_prefix='train',
            classes=['a', 'b'],
            pipeline=pipeline,
        )

    return build


def test_images_of_one_size(folder):
    with pytest.raises(ValueError, match=r'a/2.png has the shape \(24, 24, 3\),.*20'):
        store_of(folder(LOAD[0]))


def test_bad_image(folder, tmp_path):
    bad = tmp_path / 'train' / 'b' / '1.png'
    bad.write_bytes(bad.read_bytes()[:-20])
    with pytest.raises(BadImageError, match=r'b/1.png.*cut off'):
        store_of(folder(*LOAD))


def test_no_uint8_image(folder):
    with pytest.raises(ValueError, match='uint8 image before SeedAugmentation.*None'):
        store_of(folder())


def test_nowhere_to_stop(faces):
    dataset = faces(dict(type='Erasing'))
    del dataset.pipeline.transforms[2]
    with pytest.raises(ValueError, match=r"pipeline is \['LoadFace', 'Resize', 'Eras"):
        store_of(dataset)
    with pytest.raises(ValueError, match='list is not derived.*--cache none'):
        store_of([1, 2])
