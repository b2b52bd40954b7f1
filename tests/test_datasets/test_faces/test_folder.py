import cv2
import numpy as np
import pytest

from eac_mm.datasets import FolderFaces


@pytest.fixture
def root(tmp_path):
    for name in ('happy/2.JPG', 'happy/sub dir/1.png', 'angry/é.webp', 'sad/1.jpg'):
        path = tmp_path / 'train' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.zeros((8, 8, 3), np.uint8)
        path.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    (tmp_path / 'train' / 'happy' / 'notes.txt').write_text('no image')
    return tmp_path


def test_the_label_is_the_place_of_the_name(root):
    data = FolderFaces(str(root), 'train', classes=['sad', 'happy', 'angry'])
    infos = [data.get_data_info(i) for i in range(len(data))]
    assert [(i['name'], i['gt_label']) for i in infos] == [
        ('sad/1.jpg', 0),
        ('happy/2.JPG', 1),
        ('happy/sub dir/1.png', 1),
        ('angry/é.webp', 2),
    ]
    assert infos[3]['img_path'] == str(root / 'train' / 'angry' / 'é.webp')
    assert data.metainfo['classes'] == ('sad', 'happy', 'angry')


def test_without_classes_the_sorted_names(root):
    data = FolderFaces(str(root / 'train'))
    assert data.metainfo['classes'] == ('angry', 'happy', 'sad')
    assert data.get_gt_labels().tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (['sad', 'happy'], r"lacks \['angry'\] and names \[\]"),
        (['sad', 'happy', 'anger'], r"lacks \['angry'\] and names \['anger'\]"),
    ],
)
def test_other_classes(root, classes, message):
    with pytest.raises(ValueError, match=message):
        FolderFaces(str(root), 'train', classes=classes)


def test_missing_and_empty_folders(root):
    with pytest.raises(FileNotFoundError, match="none' does not exist"):
        FolderFaces(str(root), 'none')
    (root / 'train' / 'fear').mkdir()
    with pytest.raises(ValueError, match="fear' has no image"):
        FolderFaces(str(root), 'train')
    (root / 'empty').mkdir()
    with pytest.raises(ValueError, match=r'has the class folders \[\]'):
        FolderFaces(str(root), 'empty')
