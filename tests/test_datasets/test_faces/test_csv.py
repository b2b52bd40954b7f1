import cv2
import numpy as np
import pytest

from eac_mm.datasets import CSVFaces
from eac_mm.datasets.faces import csv


@pytest.fixture
def root(tmp_path):
    for i, name in enumerate(('a.jpg', 'sub dir/ö.png', 'c.jpg')):
        path = tmp_path / 'faces' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((8, 8, 3), 40 * i, np.uint8)
        path.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    return tmp_path


def write(root, text):
    (root / 'list.csv').write_text(text, encoding='utf-8')
    return dict(data_root=str(root), ann_file='list.csv', data_prefix='faces')


def test_labels_and_paths(root):
    text = 'age,label,image\n3,sad,a.jpg\n4,"happy",sub dir/ö.png\n5,sad,c.jpg\n'
    data = CSVFaces(**write(root, text))
    assert data.metainfo['classes'] == ('happy', 'sad')
    infos = [data.get_data_info(i) for i in range(3)]
    assert [i['gt_label'] for i in infos] == [1, 0, 1]
    assert infos[1]['img_path'] == str(root / 'faces' / 'sub dir' / 'ö.png')
    assert infos[1]['name'] == 'sub dir/ö.png'


def test_classes_and_columns_by_name(root):
    text = 'file,emotion\na.jpg,sad\n'
    data = CSVFaces(
        **write(root, text),
        classes=['sad', 'angry'],
        image_column='file',
        label_column='emotion',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')],
    )
    assert data[0]['inputs'].shape == (3, 8, 8)
    assert data[0]['data_samples'].gt_label.tolist() == [0]
    assert data.metainfo['classes'] == ('sad', 'angry')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('file,label\na.jpg,sad\n', r"list.csv:1: 'file,label': .*column 'image'"),
        ('', r"list.csv:1: '': .*column 'image'"),
        ('image,label\n', 'lists no face'),
        ('image,label\na.jpg,bored\n', r"list.csv:2: 'a.jpg,bored': .*'sad'"),
        ('image,label\na.jpg,sad\nc.jpg\n', r'list.csv:3: .*2 fields, found 1'),
        ('image,label\na.jpg,\n', r'list.csv:2: .*a class name'),
        ('image,label\na.jpg,"sad\nc.jpg,happy\n', r'list.csv:3: .*a csv row'),
        ('image,label\na.jpg,"sad\nc.jpg"\n', r'list.csv:3: .*in one line'),
        ('image,label\nC:a.jpg,sad\n', r'list.csv:2: .*leave the data root'),
        ('image,label\n..\\\\a.jpg,sad\n', r'list.csv:2: .*leave the data root'),
        ('image,image,label\n', r"list.csv:1: .*column 'image', once"),
        ('image,label\na.jpg,sad\na.jpg,happy\n', r"list.csv:3: .*line 2, 'sad'"),
        ('image,label\n../x.jpg,sad\n', r'list.csv:2: .*path of an image in'),
        ('image,label\n/etc/x.jpg,sad\n', r'list.csv:2: .*path of an image in'),
        ('image,label\n,sad\n', r'list.csv:2: .*path of an image in'),
    ],
)
def test_bad_lines(root, text, message):
    with pytest.raises(ValueError, match=message):
        CSVFaces(**write(root, text), classes=['happy', 'sad'])


def test_missing_files(root):
    options = write(root, 'image,label\na.jpg,sad\nd.jpg,sad\n')
    with pytest.raises(FileNotFoundError, match=r'list.csv:3: .*d.jpg'):
        CSVFaces(**options)
    with pytest.raises(FileNotFoundError, match="none.csv' does not exist"):
        CSVFaces(**{**options, 'ann_file': 'none.csv'})
    with pytest.raises(FileNotFoundError, match="none' does not exist"):
        CSVFaces(**{**options, 'data_root': str(root / 'none')})
    with pytest.raises(FileNotFoundError, match="nofaces' does not exist"):
        CSVFaces(**{**options, 'data_prefix': 'nofaces'})


@pytest.mark.parametrize('separator', [',', ';', '\t', '|'])
def test_separators(root, separator):
    rows = [['label', 'note', 'image'], ['sad', 'x', 'a.jpg'], ['happy', '', 'c.jpg']]
    text = '\n'.join(separator.join(row) for row in rows)
    data = CSVFaces(**write(root, text))
    assert data.get_gt_labels().tolist() == [1, 0]
    assert data.get_data_info(1)['name'] == 'c.jpg'


def test_a_line_of_another_separator_is_named(root):
    text = 'image;label\na.jpg;sad\nc.jpg,sad\n'
    with pytest.raises(ValueError, match=r"csv:3: 'c.jpg,sad': .*2 fields, found 1"):
        CSVFaces(**write(root, text))


def test_paths_written_on_windows(root):
    text = 'image,label\nsub dir\\ö.png,sad\nsub dir/ö.png,sad\n'
    data = CSVFaces(**write(root, text))
    for i in range(2):
        info = data.get_data_info(i)
        assert info['name'] == 'sub dir/ö.png'
        assert info['img_path'] == str(root / 'faces' / 'sub dir' / 'ö.png')
    # Both are the same image.
    text = text.replace('/ö.png,sad', '/ö.png,happy')
    with pytest.raises(ValueError, match=r"csv:3: .*the label of line 2, 'sad'"):
        CSVFaces(**write(root, text))


def test_a_backslash_may_be_part_of_a_name(root):
    (root / 'faces' / 'a\\b.jpg').write_bytes(b'')
    data = CSVFaces(**write(root, 'image,label\na\\b.jpg,sad\n'))
    assert data.get_data_info(0)['name'] == 'a\\b.jpg'


def test_integers_as_class_names(root):
    text = 'image,label\na.jpg,10\nc.jpg,9\n'
    data = CSVFaces(**write(root, text))
    assert data.metainfo['classes'] == ('9', '10')
    assert data.get_gt_labels().tolist() == [1, 0]
    data = CSVFaces(**write(root, text), classes=[8, 9, 10])
    assert data.metainfo['classes'] == ('8', '9', '10')
    assert data.get_gt_labels().tolist() == [2, 1]


def test_listed_copies_of_a_notebook_are_warned_of(root, monkeypatch):
    said = []
    monkeypatch.setattr(csv, 'print_log', lambda text, **_: said.append(text))
    write(root, 'image,label\na.jpg,sad\n')
    CSVFaces(str(root), 'list.csv', 'faces')
    assert said == []
    folder = root / 'faces' / '.ipynb_checkpoints'
    folder.mkdir()
    (folder / 'a-checkpoint.jpg').touch()
    text = 'image,label\na.jpg,sad\n.ipynb_checkpoints/a-checkpoint.jpg,sad\n'
    assert len(CSVFaces(**write(root, text))) == 2
    assert 'lists 1 images that are hidden' in said[0]
    assert "'.ipynb_checkpoints/a-checkpoint.jpg'" in said[0]
