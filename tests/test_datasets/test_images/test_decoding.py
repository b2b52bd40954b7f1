import io

import cv2
import numpy as np
import pytest
from PIL import Image

from eac_mm.datasets.images import decoding
from eac_mm.datasets.images.decoding import decode
from eac_mm.utils import image_formats
from eac_mm.utils.image_formats import UnreadableImage


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


@pytest.fixture
def loaded():
    """Decode bytes, and give RGB."""

    def decode_to_rgb(data):
        image = decode(data)
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        assert image.flags.c_contiguous
        return image[:, :, ::-1]

    return decode_to_rgb


@pytest.fixture
def fault():
    """Decode bytes, and give the reason for which they are refused."""

    def refuse(data):
        with pytest.raises(UnreadableImage) as caught:
            decode(data)
        return str(caught.value)

    return refuse


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


def test_avif_is_decoded_or_the_command_is_named(loaded, fault, monkeypatch):
    if image_formats.avif_reader():
        image = pixels()
        found = loaded(encode(image, 'AVIF', quality=95))
        assert np.abs(found.astype(int) - image).mean() < 10
        data = encode(pixels(100, 100), 'AVIF')
        for tenth in range(1, 10):
            fault(data[: len(data) * tenth // 10])
    monkeypatch.setattr(image_formats, 'avif_reader', lambda: None)
    data = b'\0\0\0\x14ftypavif\0\0\0\0mif1'
    assert "pip install --upgrade 'pillow>=11.3'" in fault(data)


@pytest.mark.parametrize('size', [(3, 2), (0, 5), (20_000, 20_000)])
def test_heic_is_decoded_by_its_package(loaded, fault, monkeypatch, size):
    class Reader(Image.Image):
        """What pillow-heif's class is to Pillow; its pixels come when asked for."""

        def __init__(self, file):
            super().__init__()
            self._mode, self._size = 'RGB', size

        def load(self):
            self._im = Image.new('RGB', size, (1, 2, 3)).im

    monkeypatch.setattr(image_formats, 'heic_reader', lambda: Reader)
    data = b'\0\0\0\x14ftypheic\0\0\0\0mif1'
    if size == (3, 2):
        assert loaded(data).tolist() == [[[1, 2, 3]] * 3] * 2
    else:
        assert f'its header says {size[0]} x {size[1]} pixels' in fault(data)


def test_a_reader_that_fails_makes_the_image_damaged(fault, monkeypatch):
    def reader(file):
        raise RuntimeError('out of order')

    monkeypatch.setattr(image_formats, 'heic_reader', lambda: reader)
    data = b'\0\0\0\x14ftypheic\0\0\0\0mif1'
    assert fault(data) == 'it is damaged (Pillow: out of order)'


def test_a_mistake_of_ours_is_no_damage_of_the_file(monkeypatch):
    """Pillow before 10.1 lacks an attribute, and sound files were called damaged."""
    data = io.BytesIO()
    Image.new('RGB', (4, 4)).save(data, 'BMP')
    monkeypatch.delattr(Image.Image, 'has_transparency_data')
    with pytest.raises(AttributeError, match='has_transparency_data'):
        decode(data.getvalue())
