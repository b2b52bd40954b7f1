import hashlib

import cv2
import numpy as np
import pytest
from PIL import Image

from eac_mm.audit.survey import (
    Group,
    ImageFacts,
    Survey,
    examine,
    identical_files,
    listed_twice,
    survey,
)
from eac_mm.datasets import CSVFaces, LoadFace, SyntheticFER


@pytest.fixture
def folder(tmp_path):
    """Three sound images, a copy, and a file that is no image."""
    for i, name in enumerate('abc'):
        image = np.full((4 + i, 9, 3), (0, 100, 50 * i), np.uint8)
        cv2.imwrite(str(tmp_path / f'{name}.png'), image)
    (tmp_path / 'copy.png').write_bytes((tmp_path / 'a.png').read_bytes())
    (tmp_path / 'text.jpg').write_text('no image')
    return tmp_path


def faces(folder, *rows):
    (folder / 'list.csv').write_text('\n'.join(['image,label', *rows]))
    return CSVFaces(str(folder), 'list.csv', classes=['happy', 'sad', 'fear'])


def look_at(folder, *rows, split='train'):
    return survey(faces(folder, *rows), split, LoadFace(), workers=2)


def test_a_small_folder(folder):
    rows = ['a.png,sad', 'b.png,happy', 'c.png,sad', 'text.jpg,sad', 'a.png,sad']
    started, done = [], []
    found = survey(
        faces(folder, *rows),
        'train',
        LoadFace(),
        on_start=started.append,
        on_image=lambda: done.append(1),
    )
    assert found.split == 'train' and found.error is None
    assert found.classes == {'happy': 1, 'sad': 4, 'fear': 0}
    assert found.empty_classes == ['fear']
    assert found.labels == ['sad', 'happy', 'sad', 'sad', 'sad']
    names = ('a.png', 'b.png', 'c.png', 'text.jpg')
    assert list(found.facts) == [str(folder / name) for name in names]
    assert started == [4] and len(done) == 4  # a.png is read once
    ((path, fault),) = [(facts.path, facts.fault) for facts in found.unreadable]
    assert path == str(folder / 'text.jpg') and 'it holds no JPEG' in fault
    smallest, largest = found.sizes
    assert (smallest.size, largest.size) == ((9, 4), (9, 6))
    assert found.kinds == {} and not found.in_memory


def test_facts(folder):
    facts = examine(LoadFace(), str(folder / 'b.png'))
    digest = hashlib.sha256((folder / 'b.png').read_bytes()).hexdigest()
    assert facts == ImageFacts(str(folder / 'b.png'), None, digest, (9, 5), ())
    missing = examine(LoadFace(), str(folder / 'gone.png'))
    assert missing.fault == 'the file does not exist'
    assert missing.sha256 is missing.size is None


@pytest.mark.parametrize(
    ('mode', 'ending', 'kinds'),
    [
        ('RGB', 'webp', ()),
        ('L', 'png', ('grey',)),
        ('P', 'png', ('palette',)),
        ('CMYK', 'jpg', ('CMYK',)),
        ('RGBA', 'png', ('transparent',)),
        ('LA', 'png', ('grey', 'transparent')),
        ('I;16', 'png', ('grey', '16-bit')),
    ],
)
def test_kinds(tmp_path, mode, ending, kinds):
    path = tmp_path / f'a.{ending}'
    Image.new(mode, (8, 8)).save(path)
    assert examine(LoadFace(), str(path)).kinds == kinds


def test_rotated_images_have_the_size_after_rotation(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    Image.new('RGB', (8, 5)).save(tmp_path / 'a.jpg', exif=exif)
    facts = examine(LoadFace(), str(tmp_path / 'a.jpg'))
    assert facts.size == (5, 8) and facts.kinds == ('rotated',)


def test_listed_twice_and_copies(folder):
    train = look_at(folder, 'a.png,sad', 'a.png,sad', 'b.png,happy')
    val = look_at(folder, 'b.png,sad', 'copy.png,fear', split='val')
    a, b, copy = (str(folder / f'{name}.png') for name in ('a', 'b', 'copy'))
    twice = [
        Group([a], ['sad', 'sad'], ['train', 'train']),
        Group([b], ['happy', 'sad'], ['train', 'val']),
    ]
    assert listed_twice([train, val]) == twice
    assert [group.disagrees for group in twice] == [False, True]
    assert identical_files([train, val]) == [
        Group([a, copy], ['sad', 'sad', 'fear'], ['train', 'train', 'val'])
    ]
    assert listed_twice([val]) == identical_files([val]) == []


def test_unreadable_files_are_no_copies_of_each_other(folder):
    (folder / 'text2.jpg').write_text('no image')
    found = look_at(folder, 'text.jpg,sad', 'text2.jpg,sad')
    assert len(found.unreadable) == 2 and found.sizes is None
    assert identical_files([found]) == []


def test_in_memory():
    data = SyntheticFER(size=5, img_size=24)
    found = survey(data, 'train', LoadFace())
    assert found.in_memory and found.paths == [] and found.facts == {}
    assert sum(found.classes.values()) == 5
    assert listed_twice([found]) == []


def test_a_split_that_could_not_be_loaded():
    found = Survey('val', error='gone')
    assert not found.in_memory and found.empty_classes == found.unreadable == []


class Labels:
    """A data set of these labels and nothing else."""

    def __init__(self, labels, classes):
        self.labels, self.metainfo = labels, dict(classes=classes)

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, index):
        return dict(img_path=f'{index}.jpg', gt_label=self.labels[index])


@pytest.mark.parametrize('label', [2, -1, 0.5, None, [0, 1]])
def test_labels_out_of_range(label):
    with pytest.raises(ValueError, match=r'sample 1 \(1.jpg\).*from 0 to 1 is allow'):
        survey(Labels([0, label], ('a', 'b')), 'train', LoadFace())


def test_no_class_names():
    with pytest.raises(ValueError, match=r'Labels has no class names. Fix: set meta'):
        survey(Labels([0], None), 'train', LoadFace())
