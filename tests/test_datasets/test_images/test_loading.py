import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.fileio import BaseStorageBackend, register_backend
from mmpretrain.registry import DATASETS, TRANSFORMS
from PIL import Image

from eac_mm.datasets.images import BadImageError, LoadFace


def pixels(height=40, width=60, seed=0):
    """A smooth RGB picture."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height))


def encode(image, kind, **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def load(path):
    results = LoadFace()({'img_path': str(path), 'gt_label': 3})
    image = results['img']
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    assert results['img_shape'] == results['ori_shape'] == image.shape[:2]
    assert results['gt_label'] == 3
    return image


@pytest.fixture
def loaded(tmp_path):
    """Write bytes to a file, load it, and give RGB."""

    def write_and_load(data, name='a.jpg'):
        (tmp_path / name).write_bytes(data)
        return load(tmp_path / name)[:, :, ::-1]

    return write_and_load


@pytest.fixture
def fault(tmp_path):
    """Write bytes to a file, and give the reason for which it is refused."""

    def refuse(data, name='a.jpg'):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(BadImageError) as caught:
            load(path)
        message = str(caught.value)
        assert message.startswith(f"The image '{path}' cannot be used: ")
        assert "on_bad_image='skip'" in message
        assert 'tools/check_dataset.py' in message
        reason = LoadFace().find_fault(path)
        assert f': {reason}. Fix' in message
        return reason

    return refuse


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'BMP', 'PPM', 'TIFF', 'WEBP', 'GIF'])
@pytest.mark.parametrize('name', ['a.jpg', 'a.PNG', 'without'])
def test_the_content_decides_not_the_name(loaded, kind, name):
    image = pixels()
    found = loaded(encode(image, kind), name)
    lossy = {'JPEG': 12, 'WEBP': 25, 'GIF': 60}
    assert np.abs(found.astype(int) - image).mean() <= lossy.get(kind, 0)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_same_pixels_as_mmcv_s(tmp_path, kind):
    path = tmp_path / 'a'
    path.write_bytes(encode(pixels(), kind))
    mmcv = TRANSFORMS.build(dict(type='LoadImageFromFile'))({'img_path': str(path)})
    ours = TRANSFORMS.build(dict(type='LoadFace'))({'img_path': str(path)})
    assert mmcv.keys() == ours.keys()
    assert np.array_equal(mmcv['img'], ours['img'])


@pytest.mark.parametrize(
    'name', ['with a space.png', 'Gesicht_ü_顔_😀.png', "it's.png"]
)
def test_names(loaded, name):
    assert np.array_equal(loaded(encode(pixels(), 'PNG'), name), pixels())


def test_folder_and_missing_file(tmp_path):
    (tmp_path / 'a.jpg').mkdir()
    with pytest.raises(BadImageError, match=r"a\.jpg' cannot.*it is a folder"):
        load(tmp_path / 'a.jpg')
    with pytest.raises(BadImageError, match=r"b\.jpg' cannot.*does not exist"):
        load(tmp_path / 'b.jpg')
    with pytest.raises(BadImageError, match='cannot be read'):
        load(tmp_path / 'a\0.jpg')
    with pytest.raises(BadImageError, match='cannot be read'):
        load(tmp_path / ('a' * 300))


def test_file_without_permission(tmp_path, monkeypatch):
    def refuse(path, backend_args):
        raise PermissionError(13, 'Permission denied', str(path))

    monkeypatch.setattr('eac_mm.datasets.images.loading.fileio.get', refuse)
    with pytest.raises(BadImageError, match=r'a\.jpg.*cannot be read.*denied'):
        load(tmp_path / 'a.jpg')


@pytest.mark.parametrize('data', [b'', b'<html>', encode(pixels(), 'JPEG')[:-9]])
def test_bad_content(fault, data):
    assert fault(data) in (
        'the file is empty',
        'it holds no JPEG, PNG, BMP, GIF, PPM, TIFF, WebP, AVIF or HEIC image; it '
        "begins with b'<html>'",
        'the JPEG file is cut off: its end is missing',
    )


def test_the_error_survives_a_worker_process():
    error = pickle.loads(pickle.dumps(BadImageError('a.jpg')))
    assert type(error) is BadImageError and str(error) == 'a.jpg'
    assert issubclass(BadImageError, ValueError)


def test_image_without_a_path_is_passed_on():
    image = pixels()
    assert LoadFace()({'img': image})['img'] is image
    with pytest.raises(KeyError, match='img_path'):
        LoadFace()({})


def test_backend_args_and_repr(tmp_path):
    (tmp_path / 'a').write_bytes(encode(pixels(), 'PNG'))
    loader = TRANSFORMS.build(dict(type='LoadFace', backend_args=dict(backend='local')))
    found = loader({'img_path': Path(tmp_path / 'a')})['img']
    assert np.array_equal(found[:, :, ::-1], pixels())
    assert repr(loader) == "LoadFace(backend_args={'backend': 'local'})"


class Store(BaseStorageBackend):
    """Files in a dict, as MMEngine's LMDB backend gives them."""

    files: dict[str, bytes] = {}

    def get(self, filepath):
        return self.files.get(str(filepath))

    def get_text(self, filepath, encoding='utf-8'):
        raise NotImplementedError


register_backend('store', Store, force=True)


def test_images_in_a_store(tmp_path):
    """Any data set that looks for no files will do, with any backend."""
    images = [pixels(seed=seed) for seed in range(3)]
    Store.files = {f'f/{i}.png': encode(images[i], 'PNG') for i in range(3)}
    lines = [f'{i}.png {i % 2}\n' for i in range(3)]
    (tmp_path / 'faces.txt').write_text(''.join(lines))
    store = dict(type='LoadFace', backend_args=dict(backend='store'))
    faces = dict(
        type='CustomDataset',
        ann_file=str(tmp_path / 'faces.txt'),
        data_prefix='f',
        classes=['happy', 'sad'],
        pipeline=[store, dict(type='PackInputs')],
    )
    dataset = DATASETS.build(dict(type='NoisyLabels', rate=0, dataset=faces))
    for i, image in enumerate(images):
        found = dataset[i]
        assert np.array_equal(found['inputs'].numpy(), image.transpose(2, 0, 1)[::-1])
        assert found['data_samples'].gt_label.tolist() == [i % 2]
    with pytest.raises(BadImageError, match=r"'f/9\.png'.*nothing under this name"):
        LoadFace(backend_args=dict(backend='store')).read('f/9.png')
