"""Files that were damaged at random: an answer or a clear error, never more.

Every mutation follows from its number, so that a failure can be repeated.
"""

import io
import random
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from eac_mm.datasets import RAFDB, BadImageError, CSVFaces, FERPlus, LoadFace
from eac_mm.utils.image_formats import avif_reader

LIST_MUTATIONS = 400  # of each format
IMAGE_MUTATIONS = 150  # of each kind, beside the cuts
CLASSES = RAFDB.METAINFO['classes']
FAST = dict(serialize_data=False)  # which collects garbage every time
HEADER = (
    'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
    'contempt,unknown,NF'
)
# What a hostile hand would put in.
HOSTILE = [
    b'../../secret.jpg',
    b'/etc/passwd',
    b'..',
    b'C:\\x.jpg',
    b'..\\..\\x.jpg',
    b'\0',
    b'"',
    b'\n',
    b'\r',
    b',',
    b' ',
    b'\xff\xfe',
    b'\xe2\x80\xa8',
    b'9' * 5000,
    b'-1',
    b'1e9',
    b'\xd9\xa3',
    b'x' * 140_000,
    b'{"a": 1}',
]


def mutate(data, number):
    """Damage ``data`` once to four times; the same for the same ``number``."""
    rng = random.Random(number)
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.choice(
            ('flip', 'cut', 'delete', 'hostile', 'swap', 'repeat', 'junk')
        )
        if kind == 'flip' and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 'cut':
            del data[at:]
        elif kind == 'delete':
            del data[at : at + rng.randint(1, 30)]
        elif kind == 'hostile':
            data[at:at] = rng.choice(HOSTILE)
        elif kind == 'junk':
            data[at : at + 8] = rng.randbytes(8)
        else:
            lines = bytes(data).split(b'\n')
            a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
            if kind == 'swap':
                lines[a], lines[b] = lines[b], lines[a]
            else:
                lines.insert(a, lines[b])
            data = bytearray(b'\n'.join(lines))
    return bytes(data)


def one_hot(index):
    return ','.join('9' if i == index else '0' for i in range(10))


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Images in every layout, and one outside that must never be listed."""
    base = tmp_path_factory.mktemp('mutated')
    (base / 'secret.jpg').touch()
    root = base / 'a' / 'root'
    for folder in ('Image/aligned', 'EmoLabel', 'FER2013Train', 'faces/sub dir'):
        (root / folder).mkdir(parents=True)
    for i in range(20):
        (root / 'Image' / 'aligned' / f'train_{i:05d}_aligned.jpg').touch()
        (root / 'FER2013Train' / f'fer{i:07d}.png').touch()
        (root / 'faces' / 'sub dir' / f'{i}.jpg').touch()
    return root


FORMATS = {
    'rafdb': (
        'EmoLabel/list_patition_label.txt',
        '\n'.join(f'train_{i:05d}.jpg {i % 7 + 1}' for i in range(20)) + '\n',
        'Image/aligned',
        lambda root: RAFDB(str(root), **FAST),
    ),
    'ferplus': (
        'fer2013new.csv',
        '\n'.join(
            [HEADER, *(f'Training,fer{i:07d}.png,{one_hot(i % 10)}' for i in range(20))]
        ),
        'FER2013Train',
        lambda root: FERPlus(str(root), **FAST),
    ),
    'csv faces': (
        'list.csv',
        '\r\n'.join(
            ['image,label', *(f'sub dir/{i}.jpg,{CLASSES[i % 7]}' for i in range(20))]
        ),
        'faces',
        lambda root: CSVFaces(str(root), 'list.csv', 'faces', classes=CLASSES, **FAST),
    ),
    'csv faces without classes': (
        'list.csv',
        '\n'.join(
            [
                'age,image,label',
                *(f'{i},"sub dir/{i}.jpg",{CLASSES[i % 7]}' for i in range(20)),
            ]
        ),
        'faces',
        lambda root: CSVFaces(str(root), 'list.csv', 'faces', **FAST),
    ),
}


@pytest.mark.parametrize('name', FORMATS)
def test_mutated_lists(root, name):
    file, text, folder, load = FORMATS[name]
    path = root / file
    path.write_text(text, newline='')
    assert len(load(root)) >= 14
    outcomes = {'loaded': 0, 'refused': 0}
    for number in range(LIST_MUTATIONS):
        path.write_bytes(mutate(text.encode(), number))
        try:
            data = load(root)
        except (ValueError, FileNotFoundError) as error:
            outcomes['refused'] += 1
            assert path.name in str(error), (number, error)
            # Where a line is wrong, it is named.
            assert re.search(r':\d+: |lists no face|is empty|images', str(error)), (
                number
            )
            continue
        outcomes['loaded'] += 1
        infos = [data.get_data_info(i) for i in range(len(data))]
        assert infos
        classes = data.metainfo['classes']
        for info in infos:
            assert type(info['gt_label']) is int
            assert 0 <= info['gt_label'] < len(classes), number
            image = Path(info['img_path']).resolve()
            assert image.is_relative_to(root / folder), (number, image)
            assert image.is_file()
    print(name, outcomes)
    assert min(outcomes.values()) > LIST_MUTATIONS // 20, outcomes


def pixels():
    small = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return cv2.resize(small, (96, 96))


def encode(kind, **options):
    image = Image.fromarray(pixels())
    if options.pop('cmyk', False):
        image = image.convert('CMYK')
    if options.pop('palette', False):
        image = image.quantize(32)
    if options.pop('alpha', False):
        image.putalpha(128)
    if options.pop('exif', False):
        options['exif'] = Image.Exif()
        options['exif'][0x112] = 6
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


KINDS = {
    'jpeg': encode('JPEG'),
    'progressive jpeg': encode('JPEG', progressive=True, quality=95),
    'rotated jpeg': encode('JPEG', exif=True, restart_marker_blocks=4),
    'cmyk jpeg': encode('JPEG', cmyk=True),
    'png': encode('PNG'),
    'palette png': encode('PNG', palette=True),
    'transparent png': encode('PNG', alpha=True),
    'webp': encode('WEBP'),
    'tiff': encode('TIFF', compression='tiff_lzw'),
    'gif': encode('GIF'),
    'bmp': encode('BMP'),
}
if avif_reader():
    KINDS['avif'] = encode('AVIF')


def try_to_load(path, data):
    """The image, or None where it is refused in the way that it must be."""
    path.write_bytes(data)
    try:
        image = LoadFace()({'img_path': str(path)})['img']
    except BadImageError as error:
        assert str(path) in str(error)
        return None
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    assert image.size
    return image


@pytest.mark.filterwarnings('ignore::UserWarning')  # Pillow's, of damaged tags
@pytest.mark.parametrize('kind', KINDS)
def test_mutated_images(tmp_path, kind):
    data = KINDS[kind]
    path = tmp_path / 'gesicht 1.jpg'
    whole = try_to_load(path, data)
    assert whole is not None
    for tenth in range(10):
        assert try_to_load(path, data[: len(data) * tenth // 10]) is None, tenth
    outcomes = {'loaded': 0, 'refused': 10}
    for number in range(IMAGE_MUTATIONS):
        image = try_to_load(path, mutate(data, number))
        outcomes['refused' if image is None else 'loaded'] += 1
        # In PNG, a checksum covers all that counts.
        assert image is None or 'png' not in kind or np.array_equal(image, whole)
    print(kind, outcomes)
    assert outcomes['refused'] > 10


@pytest.mark.parametrize('kind', [k for k in KINDS if 'jpeg' in k])
@pytest.mark.parametrize('tail', [b'', b'\0' * 4096], ids=['cut', 'zeros'])
def test_no_cut_jpeg_is_accepted(tmp_path, kind, tail):
    data = KINDS[kind]
    for length in range(0, len(data) - 1, max(1, len(data) // 100)):
        assert try_to_load(tmp_path / 'a.jpg', data[:length] + tail) is None, length
