import io
import sys
import types

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from eac_mm.utils import image_formats
from eac_mm.utils.image_formats import (
    COMMANDS,
    UnreadableImage,
    command_for,
    kind_of,
    open_image,
    readable_endings,
)


@pytest.fixture(autouse=True)
def fresh():
    """Look for readers again before and after each test."""
    image_formats.avif_reader.cache_clear()
    image_formats.heic_reader.cache_clear()
    yield
    image_formats.avif_reader.cache_clear()
    image_formats.heic_reader.cache_clear()


def box(*brands, size=None):
    """Make the head of a file: size, 'ftyp', major brand, version, brands."""
    rest = brands[0] + b'\0\0\0\0' + b''.join(brands[1:])
    return (size or 8 + len(rest)).to_bytes(4, 'big') + b'ftyp' + rest


@pytest.mark.parametrize(
    ('data', 'kind'),
    [
        (box(b'avif', b'mif1', b'miaf'), 'AVIF'),
        (box(b'avis'), 'AVIF'),
        (box(b'mif1', b'avif'), 'AVIF'),
        (box(b'heic', b'mif1'), 'HEIC'),
        (box(b'mif1', b'heic'), 'HEIC'),
        (box(b'hevc'), 'HEIC'),
        (box(b'isom', b'mp42'), None),  # a video
        (box(b'isom', size=16) + b'avif', None),  # behind the head
        (b'\x89PNG\r\n\x1a\n' + bytes(30), None),
        (b'', None),
    ],
)
def test_kinds(data, kind):
    assert kind_of(data) == kind


def encode(image, kind):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, quality=100)
    return buffer.getvalue()


def test_avif_is_read_if_pillow_has_it(monkeypatch):
    grey = np.full((8, 6, 3), 90, np.uint8)
    if image_formats.avif_reader():
        with open_image(encode(grey, 'AVIF')) as image:
            assert image.size == (6, 8)
            assert np.abs(np.asarray(image).astype(int) - 90).max() <= 2
        assert '.avif' in readable_endings() and command_for('.avif') is None
    image_formats.avif_reader.cache_clear()
    without = types.SimpleNamespace(SUPPORTED=False)
    monkeypatch.setattr('PIL.AvifImagePlugin', without, raising=False)
    with pytest.raises(UnreadableImage, match=r"pip install --upgrade 'pillow>=11.3'"):
        open_image(box(b'avif'))
    assert '.avif' not in readable_endings()
    assert command_for('.avif') == COMMANDS['AVIF']


def test_heic_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pillow_heif', None)
    with pytest.raises(UnreadableImage, match='HEIC image.*pip install pillow-heif'):
        open_image(box(b'heic'))
    assert command_for('.heic') == command_for('.heif') == 'pip install pillow-heif'
    assert not {'.heic', '.heif', '.hif'}.intersection(readable_endings())


def test_heic_with_its_package(monkeypatch):
    opened = []

    def reader(file):
        opened.append(file.read())
        return Image.new('RGB', (3, 2), (1, 2, 3))

    package = types.SimpleNamespace(HeifImageFile=reader)
    monkeypatch.setitem(sys.modules, 'pillow_heif', package)
    assert {'.heic', '.heif', '.hif'}.issubset(readable_endings())
    assert command_for('.heic') is None
    assert open_image(box(b'heic')).getpixel((0, 0)) == (1, 2, 3)
    assert opened == [box(b'heic')]


def test_the_real_package():
    pillow_heif = pytest.importorskip(
        'pillow_heif', reason='pip install pillow-heif; requirements/tests.txt has it'
    )

    # Other packages, such as imageio, register it when they are imported.
    registered = dict(Image.registered_extensions())
    buffer = io.BytesIO()
    grey = Image.new('RGB', (64, 48), (90, 90, 90))
    pillow_heif.from_pillow(grey).save(buffer)
    with open_image(buffer.getvalue()) as image:
        assert image.size == (64, 48)
        assert np.abs(np.asarray(image).astype(int) - 90).max() <= 2
    # Nothing is registered in Pillow.
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(buffer.getvalue()), formats=image_formats.FORMATS)
    assert Image.registered_extensions() == registered


def test_endings_that_are_always_read():
    assert {'.jpg', '.jpeg', '.png', '.webp', '.jfif'}.issubset(readable_endings())
    assert all(ending == ending.lower() for ending in readable_endings())
    assert command_for('.jpg') is None
    assert command_for('.txt') is None


def test_no_image():
    with pytest.raises(UnidentifiedImageError):
        open_image(b'<html>')
