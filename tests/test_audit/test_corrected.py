import cv2
import numpy as np
import pytest
from mmengine.dataset import ConcatDataset

from eac_mm.audit import write_corrected
from eac_mm.datasets import RAFDB, CSVFaces, NoisyLabels, SyntheticFER


@pytest.fixture
def listed(tmp_path):
    """CSVFaces of six images, with columns of their own names."""
    rows = ['face;mood', *(f'{i}.png;{"sad" if i < 3 else "happy"}' for i in range(6))]
    (tmp_path / 'faces.csv').write_text('\n'.join(rows))
    for i in range(6):
        cv2.imwrite(str(tmp_path / f'{i}.png'), np.full((8, 8, 3), i, np.uint8))
    return dict(
        data_root=str(tmp_path),
        image_column='face',
        label_column='mood',
        classes=['happy', 'sad'],
        pipeline=[],
    )


def test_the_noise_file_of_a_data_set_with_noise(tmp_path):
    faces = SyntheticFER(size=30, img_size=24, pipeline=[])
    noisy = NoisyLabels(faces, rate=0.5)
    corrected = (noisy.given_labels + 1) % 7
    (path,) = write_corrected(noisy, corrected, tmp_path)
    assert path.name == 'corrected_labels.txt'
    again = NoisyLabels(faces, noise_file=path)
    assert again.get_gt_labels().tolist() == corrected.tolist()


def test_a_csv_list_is_read_back(tmp_path, listed):
    data = CSVFaces(ann_file='faces.csv', **listed)
    labels = np.array([0, 1, 1, 0, 0, 1])
    files = write_corrected(data, labels, tmp_path)
    assert [path.name for path in files] == [
        'corrected_labels.txt',
        'corrected_list.csv',
    ]
    again = CSVFaces(ann_file='corrected_list.csv', **listed)
    assert again.get_gt_labels().tolist() == labels.tolist()
    assert [again.get_data_info(i)['name'] for i in range(6)] == [
        f'{i}.png' for i in range(6)
    ]
    noisy = NoisyLabels(data, noise_file=files[0])
    assert noisy.get_gt_labels().tolist() == labels.tolist()


def test_a_list_of_raf_db_is_read_back(tmp_path, rafdb_root):
    data = RAFDB(str(rafdb_root), pipeline=[])
    labels = np.arange(12) % 7
    path = write_corrected(NoisyLabels(data), labels, tmp_path)[1]
    assert path.read_text().splitlines()[:2] == [
        'train_00001.jpg 1',
        'train_00002.jpg 2',
    ]
    again = RAFDB(str(rafdb_root), ann_file=str(path), pipeline=[])
    assert again.get_gt_labels().tolist() == labels.tolist()


def test_joined_data_sets_have_no_list_of_their_own(tmp_path, listed):
    data = CSVFaces(ann_file='faces.csv', **listed)
    joined = NoisyLabels(
        ConcatDataset([data, CSVFaces(ann_file='faces.csv', **listed)])
    )
    files = write_corrected(joined, np.zeros(12, int), tmp_path)
    assert [path.name for path in files] == ['corrected_labels.txt']


def test_an_image_that_is_listed_twice_keeps_one_label(tmp_path, listed):
    with (tmp_path / 'faces.csv').open('a') as file:
        file.write('\n0.png;sad')
    data = CSVFaces(ann_file='faces.csv', **listed)
    write_corrected(data, np.array([0, 1, 1, 0, 0, 0, 1]), tmp_path)
    again = CSVFaces(ann_file='corrected_list.csv', **listed)
    assert again.get_gt_labels().tolist() == [0, 1, 1, 0, 0, 0, 0]
