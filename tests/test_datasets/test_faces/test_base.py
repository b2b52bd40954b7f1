import logging
import re

import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from ranks import in_two_processes
from torch.utils.data import DataLoader

from eac_mm.datasets import CSVFaces, NoisyLabels
from eac_mm.datasets.faces.affectnet_files import COLUMNS
from eac_mm.datasets.faces.base import class_names, loader_of, sort_classes
from eac_mm.datasets.images import BadImageError, LoadFace
from eac_mm.datasets.noise.files import NoiseManifest

LOAD = [dict(type='LoadFace'), dict(type='PackInputs')]


def write_image(path, seed=0):
    image = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode('.jpg', image)[1].tobytes())


def spoil(path, how):
    if how == 'cut':
        path.write_bytes(path.read_bytes()[:200])
    elif how == 'folder':
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(how)


@pytest.fixture
def csv_root(tmp_path):
    """Twelve faces of two classes, with a space and an umlaut in their names."""
    lines = ['image,label']
    for i in range(12):
        write_image(tmp_path / f'gesicht ü {i}.jpg', i)
        lines.append(f'gesicht ü {i}.jpg,{("happy", "sad")[i % 2]}')
    (tmp_path / 'list.csv').write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return tmp_path


def faces(root, **kwargs):
    return CSVFaces(str(root), 'list.csv', pipeline=LOAD, **kwargs)


def spoil_three(root):
    spoil(root / 'gesicht ü 3.jpg', 'cut')
    spoil(root / 'gesicht ü 7.jpg', b'')
    spoil(root / 'gesicht ü 8.jpg', b'<html>')


def names(data):
    return [data.get_data_info(i)['name'] for i in range(len(data))]


@pytest.mark.parametrize('workers', [0, 1])
def test_stop_names_the_image(csv_root, workers):
    spoil_three(csv_root)
    data = faces(csv_root)
    assert len(data) == 12 and data.bad_images == {}
    loader = DataLoader(data, num_workers=workers, collate_fn=lambda x: x)
    with pytest.raises(BadImageError, match=r"gesicht ü 3\.jpg' cannot.*end is miss"):
        list(loader)


def test_skip_leaves_out_counts_and_names(csv_root, caplog):
    spoil_three(csv_root)
    with caplog.at_level(logging.WARNING):
        data = faces(csv_root, on_bad_image='skip')
    kept = [i for i in range(12) if i not in (3, 7, 8)]
    assert names(data) == [f'gesicht ü {i}.jpg' for i in kept]
    assert data.get_gt_labels().tolist() == [i % 2 for i in kept]
    assert [data[i]['data_samples'].gt_label.item() for i in range(9)] == [
        i % 2 for i in kept
    ]
    assert list(data.bad_images) == [
        str(csv_root / f'gesicht ü {i}.jpg') for i in (3, 7, 8)
    ]
    assert data.bad_images[str(csv_root / 'gesicht ü 7.jpg')] == 'the file is empty'


def test_what_the_log_says(csv_root, monkeypatch):
    said = []
    monkeypatch.setattr(
        'eac_mm.datasets.faces.base.print_log', lambda text, **k: said.append(text)
    )
    faces(csv_root, on_bad_image='skip')
    assert said == ['CSVFaces: all 12 images can be read.']
    for i in range(7):
        spoil(csv_root / f'gesicht ü {i}.jpg', b'')
    faces(csv_root, on_bad_image='skip')
    lines = said[1].split('\n  ')
    assert 'CSVFaces: 7 of 12 images cannot be read' in lines[0]
    assert lines[1] == f'{str(csv_root / "gesicht ü 0.jpg")!r}: the file is empty'
    assert len(lines) == 7 and lines[-1] == 'and 2 more'


def test_nothing_left(csv_root):
    for i in range(12):
        spoil(csv_root / f'gesicht ü {i}.jpg', b'')
    with pytest.raises(ValueError, match='none of its 12 images can be read:\n.*empty'):
        faces(csv_root, on_bad_image='skip')


def test_missing_images_stop_or_are_left_out(csv_root):
    (csv_root / 'gesicht ü 3.jpg').unlink()
    spoil(csv_root / 'gesicht ü 7.jpg', b'')
    with pytest.raises(FileNotFoundError, match=r'list.csv:5: .*3\.jpg.*not exist'):
        faces(csv_root)
    data = faces(csv_root, on_bad_image='skip')
    assert len(data) == 10
    assert data.bad_images == {
        str(csv_root / 'gesicht ü 3.jpg'): 'the file does not exist',
        str(csv_root / 'gesicht ü 7.jpg'): 'the file is empty',
    }


def test_unknown_value(csv_root):
    with pytest.raises(ValueError, match=r"'ignore' is unknown. Fix: .* 'stop', 's"):
        faces(csv_root, on_bad_image='ignore')


def test_indices_count_what_is_left(csv_root):
    spoil_three(csv_root)
    data = faces(csv_root, on_bad_image='skip', indices=4)
    assert names(data) == [f'gesicht ü {i}.jpg' for i in (0, 1, 2, 4)]
    assert len(data.get_subset([0, 3])) == 2


def test_lazy_init_reads_nothing(csv_root, monkeypatch):
    monkeypatch.setattr(LoadFace, 'find_fault', None)
    faces(csv_root, on_bad_image='skip', lazy_init=True)


def test_a_repeated_image_is_read_once(csv_root, monkeypatch):
    path = csv_root / 'list.csv'
    path.write_text(path.read_text() + 'gesicht ü 0.jpg,happy\n')
    spoil(csv_root / 'gesicht ü 0.jpg', b'')
    read = []
    find_fault = LoadFace.find_fault
    monkeypatch.setattr(
        LoadFace, 'find_fault', lambda s, p: (read.append(p), find_fault(s, p))[1]
    )
    data = faces(csv_root, on_bad_image='skip')
    assert len(read) == len(set(read)) == 12
    assert len(data) == 11


@pytest.mark.parametrize('how', ['cut', 'folder', b''])
def test_rafdb(tmp_path, how):
    folder = tmp_path / 'Image' / 'aligned'
    for i in range(1, 5):
        write_image(folder / f'train_{i:05d}_aligned.jpg', i)
    (tmp_path / 'EmoLabel').mkdir()
    (tmp_path / 'EmoLabel' / 'list_patition_label.txt').write_text(
        '\n'.join(f'train_{i:05d}.jpg {i}' for i in range(1, 5))
    )
    bad = folder / 'train_00002_aligned.jpg'
    spoil(bad, how)
    config = dict(type='RAFDB', data_root=str(tmp_path), pipeline=LOAD)
    with pytest.raises(BadImageError, match=re.escape(str(bad))):
        DATASETS.build(config)[1]
    data = DATASETS.build({**config, 'on_bad_image': 'skip'})
    assert data.get_gt_labels().tolist() == [0, 2, 3]
    assert data.max_refetch == 0


def test_ferplus(tmp_path):
    rows = [
        'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
        'contempt,unknown,NF'
    ]
    for i in range(3):
        write_image(tmp_path / 'FER2013Train' / f'{i}.png', i)
        rows.append(
            f'Training,{i}.png,{",".join("9" if k == i else "0" for k in range(10))}'
        )
    (tmp_path / 'fer2013new.csv').write_text('\n'.join(rows))
    spoil(tmp_path / 'FER2013Train' / '1.png', 'cut')
    config = dict(type='FERPlus', data_root=str(tmp_path), on_bad_image='skip')
    assert DATASETS.build(config).get_gt_labels().tolist() == [6, 0]


def missing_rafdb(root):
    for i in (1, 3):
        write_image(root / 'Image' / 'aligned' / f'train_{i:05d}_aligned.jpg', i)
    (root / 'EmoLabel').mkdir()
    (root / 'EmoLabel' / 'list_patition_label.txt').write_text(
        '\n'.join(f'train_{i:05d}.jpg {i}' for i in (1, 2, 3))
    )
    return dict(type='RAFDB'), [0, 2]


def missing_ferplus(root):
    rows = [
        'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
        'contempt,unknown,NF'
    ]
    for i in range(3):
        rows.append(
            f'Training,{i}.png,{",".join("9" if k == i else "0" for k in range(10))}'
        )
        if i != 1:
            write_image(root / 'FER2013Train' / f'{i}.png', i)
    (root / 'fer2013new.csv').write_text('\n'.join(rows))
    return dict(type='FERPlus'), [6, 0]


def missing_affectnet_csv(root):
    rows = [','.join(COLUMNS)]
    for i, folder in enumerate(('a', 'gone', 'a')):
        rows.append(f'{folder}/{i}.jpg,1,1,1,1,1;1,{i},0,0')
        if folder == 'a':
            write_image(root / 'Manually_Annotated_Images' / folder / f'{i}.jpg', i)
    (root / 'training.csv').write_text('\n'.join(rows))
    return dict(type='AffectNet'), [6, 4]


def missing_affectnet_npy(root):
    (root / 'train_set' / 'annotations').mkdir(parents=True)
    for i in range(3):
        np.save(root / 'train_set' / 'annotations' / f'{i}_exp.npy', i)
        if i != 1:
            write_image(root / 'train_set' / 'images' / f'{i}.jpg', i)
    return dict(type='AffectNet'), [6, 4]


def missing_tiny_imagenet(root):
    (root / 'val').mkdir()
    (root / 'wnids.txt').write_text('n00000001\nn00000002\n')
    lines = [f'{i}.JPEG\tn0000000{i % 2 + 1}' for i in range(3)]
    (root / 'val' / 'val_annotations.txt').write_text('\n'.join(lines))
    for i in (0, 2):
        write_image(root / 'val' / 'images' / f'{i}.JPEG', i)
    return dict(type='TinyImageNet', split='val'), [0, 0]


@pytest.mark.parametrize(
    'make',
    [
        missing_rafdb,
        missing_ferplus,
        missing_affectnet_csv,
        missing_affectnet_npy,
        missing_tiny_imagenet,
    ],
)
def test_missing_images_of_every_data_set(tmp_path, make):
    config, left = make(tmp_path)
    config = dict(config, data_root=str(tmp_path), pipeline=LOAD)
    with pytest.raises(FileNotFoundError):
        DATASETS.build(config)
    data = DATASETS.build({**config, 'on_bad_image': 'skip'})
    assert data.get_gt_labels().tolist() == left
    assert list(data.bad_images.values()) == ['the file does not exist']


def test_a_missing_folder_is_never_skipped(tmp_path):
    missing_rafdb(tmp_path)
    (tmp_path / 'Image').rename(tmp_path / 'away')
    with pytest.raises(FileNotFoundError, match=r"aligned' does not exist. Fix"):
        DATASETS.build(dict(type='RAFDB', data_root=str(tmp_path), on_bad_image='skip'))


def test_class_names():
    assert class_names([0, 1, 'sad']) == ['0', '1', 'sad']
    assert class_names(None) is None
    assert class_names('classes.txt') == 'classes.txt'


def test_classes_are_sorted_by_number_if_all_are_integers():
    assert sort_classes(['10', '9', '1', '9']) == ('1', '9', '10')
    assert sort_classes(['10', '9', 'a']) == ('10', '9', 'a')


def test_noise_is_drawn_over_what_is_left(csv_root, tmp_path_factory):
    whole = NoisyLabels(faces(csv_root), rate=0.4)
    file = tmp_path_factory.mktemp('noise') / 'noise.txt'
    assert isinstance(whole.write(file), NoiseManifest)
    spoil_three(csv_root)
    noisy = NoisyLabels(faces(csv_root, on_bad_image='skip'), rate=0.4)
    assert len(noisy) == len(noisy.given_labels) == 9
    with pytest.raises(ValueError, match='describes 12 samples.*set has 9'):
        NoisyLabels(faces(csv_root, on_bad_image='skip'), noise_file=file)


def test_the_loader_is_the_pipeline_s(csv_root):
    data = faces(csv_root)
    assert loader_of(data) is data.pipeline.transforms[0]
    plain = CSVFaces(str(csv_root), 'list.csv')
    assert loader_of(plain).backend_args is None


def names_on_rank(rank, root):
    """For process 1 alone, another file is bad and no bad one is."""
    if rank == 1:
        LoadFace.find_fault = lambda self, path: 'bad' if '10' in path else None
    return names(faces(root, on_bad_image='skip'))


def test_every_process_leaves_out_the_same(csv_root):
    spoil_three(csv_root)
    kept = [f'gesicht ü {i}.jpg' for i in range(12) if i not in (3, 7, 8)]
    assert in_two_processes(names_on_rank, csv_root) == [kept, kept]
