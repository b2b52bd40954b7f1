import io
import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.fileio import BaseStorageBackend, register_backend
from mmpretrain.registry import DATASETS, TRANSFORMS
from PIL import Image

from eac_mm.datasets.images import BadImageError, LoadFace, decoding


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


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF'])
def test_grey(loaded, kind):
    grey = pixels()[:, :, 0]
    found = loaded(encode(grey, kind))
    assert np.array_equal(found[..., 0], found[..., 1])
    assert np.array_equal(found[..., 0], found[..., 2])
    assert np.abs(found[..., 0].astype(int) - grey).max() <= 12 * (kind == 'JPEG')


def test_palette(loaded):
    palette = Image.fromarray(pixels()).quantize(16)
    assert palette.mode == 'P'
    expected = np.asarray(palette.convert('RGB'))
    assert np.array_equal(loaded(encode(palette, 'PNG')), expected)


def test_transparency_is_laid_over_white(loaded):
    image = np.zeros((2, 3, 4), np.uint8)
    image[...] = (200, 100, 0, 255)
    image[0, 0] = (12, 34, 56, 0)
    image[0, 1] = (200, 100, 0, 51)  # a fifth
    found = loaded(encode(image, 'PNG'))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[0, 1].tolist() == [244, 224, 204]
    assert found[1, 2].tolist() == [200, 100, 0]


def test_transparency_of_grey_and_palette(loaded):
    grey = np.full((2, 2, 2), 80, np.uint8)
    grey[..., 1] = [[0, 255], [255, 255]]
    found = loaded(encode(Image.fromarray(grey, 'LA'), 'PNG'))
    assert found[..., 0].tolist() == [[255, 80], [80, 80]]
    palette = Image.fromarray(np.array([[0, 1], [1, 1]], np.uint8), 'P')
    palette.putpalette([9, 9, 9, 70, 80, 90])
    found = loaded(encode(palette, 'PNG', transparency=0))
    assert found[0].tolist() == [[255, 255, 255], [70, 80, 90]]


@pytest.mark.parametrize('channels', [1, 3])
def test_16_bits_are_scaled_not_clipped(loaded, channels):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    image = ramp if channels == 1 else np.stack([ramp, ramp[::-1], ramp.T], -1)
    data = cv2.imencode('.png', image)[1].tobytes()
    expected = np.atleast_3d(image >> 8)[:, :, ::-1]
    assert np.array_equal(loaded(data), np.broadcast_to(expected, (8, 8, 3)))


def test_16_bits_of_tiff_and_with_transparency(loaded):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    found = loaded(cv2.imencode('.tiff', ramp)[1].tobytes())
    assert np.array_equal(found[..., 1], ramp >> 8)
    four = np.stack([ramp, ramp, ramp, np.full_like(ramp, 65535)], -1)
    found = loaded(cv2.imencode('.png', four)[1].tobytes())
    assert np.array_equal(found[..., 1], ramp >> 8)


def test_32_bits_are_refused(fault):
    image = np.linspace(0, 5, 64, dtype=np.float32).reshape(8, 8)
    assert 'have 32 bits' in fault(encode(image, 'TIFF'))


def test_cmyk(loaded):
    image = np.full((16, 16, 3), (200, 30, 60), np.uint8)
    data = encode(Image.fromarray(image).convert('CMYK'), 'JPEG', quality=95)
    assert Image.open(io.BytesIO(data)).mode == 'CMYK'
    assert np.abs(loaded(data).astype(int) - image).max() <= 3


@pytest.mark.parametrize(
    ('orientation', 'turn'),
    [(1, lambda i: i), (3, lambda i: i[::-1, ::-1]), (6, lambda i: np.rot90(i, -1))],
)
@pytest.mark.parametrize('kind', ['JPEG', 'WEBP'])
def test_exif_rotated(loaded, orientation, turn, kind):
    exif = Image.Exif()
    exif[0x112] = orientation
    image = pixels()
    found = loaded(encode(image, kind, exif=exif, quality=95))
    assert np.abs(found.astype(int) - turn(image)).mean() < 10
    plain = loaded(encode(image, kind, quality=95))
    assert np.array_equal(found, turn(plain))


@pytest.mark.parametrize('progressive', [False, True])
@pytest.mark.parametrize(
    'tail',
    [b'', b'\0' * 5000, b'\xff' * 100, b'no image'],
    ids=['nothing', 'zeros', 'ones', 'text'],
)
def test_cut_jpeg(fault, progressive, tail):
    data = encode(pixels(100, 100), 'JPEG', progressive=progressive, quality=95)
    for tenth in range(1, 10):
        reason = fault(data[: len(data) * tenth // 10] + tail)
        assert reason == 'the JPEG file is cut off: its end is missing'
    assert 'end is missing' in fault(data[:-1] + tail)
    assert 'end is missing' in fault(data[:-2] + tail)


def test_cut_behind_a_thumbnail(fault):
    thumbnail = encode(pixels(8, 8), 'JPEG')
    data = encode(pixels(100, 100), 'JPEG', quality=95)
    segment = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    whole = data[:2] + segment + data[2:]
    for length in (2 + len(segment), len(segment) + 700, len(whole) - 2):
        assert 'end is missing' in fault(whole[:length])


def test_bytes_after_the_end_are_fine(loaded):
    for kind in ('JPEG', 'PNG'):
        data = encode(pixels(), kind)
        assert np.array_equal(loaded(data + b'\0\0 camera notes'), loaded(data))


@pytest.mark.parametrize('kind', ['PNG', 'BMP', 'TIFF', 'WEBP', 'PPM', 'GIF'])
def test_cut_others(fault, kind):
    data = encode(pixels(100, 100), kind)
    for tenth in range(1, 10):
        fault(data[: len(data) * tenth // 10])


def test_empty(fault):
    assert fault(b'') == 'the file is empty'


def test_text_called_jpg(fault):
    assert 'it holds no JPEG' in fault(b'<html>404 not found</html>')
    assert "begins with b'<html>404 no'" in fault(b'<html>404 not found</html>')


def test_postscript_is_not_run(fault):
    text = b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage'
    assert 'it holds no JPEG' in fault(text)


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


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() == 0, reason='is root')
def test_file_without_permission(tmp_path):
    path = tmp_path / 'a.jpg'
    path.write_bytes(encode(pixels(), 'JPEG'))
    path.chmod(0)
    with pytest.raises(BadImageError, match='cannot be read'):
        load(path)


def test_huge_headers_are_refused_before_decoding(fault, monkeypatch):
    data = bytearray(encode(pixels(), 'JPEG'))
    at = data.index(b'\xff\xc0') + 5
    data[at : at + 4] = b'\xff\xff\xff\xff'
    assert 'its header says 65535 x 65535' in fault(bytes(data))
    monkeypatch.setattr(decoding, 'MAX_PIXELS', 60 * 40 - 1)
    for kind in ('JPEG', 'PNG', 'BMP'):
        assert 'its header says 60 x 40' in fault(encode(pixels(), kind))


def test_wrong_checksum(fault):
    data = bytearray(encode(pixels(), 'PNG'))
    data[len(data) // 2] ^= 1
    assert "its part 'IDAT' does not match its checksum" in fault(bytes(data))


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
