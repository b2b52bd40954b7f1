import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from eac_mm.datasets.synthetic.dataset import CLASS_SHARES, SyntheticFER
from eac_mm.datasets.synthetic.faces import draw_face

CLASSES = ('surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral')


def images(dataset):
    return np.stack([dataset[i]['img'] for i in range(len(dataset))])


def test_classes_are_in_the_order_of_raf_db():
    dataset = SyntheticFER(lazy_init=True)
    assert dataset.CLASSES == CLASSES
    assert set(CLASS_SHARES) == set(CLASSES)
    assert sum(CLASS_SHARES.values()) == pytest.approx(1)


def test_is_built_by_name_and_runs_through_a_pipeline():
    config = {
        'type': 'SyntheticFER',
        'split': 'val',
        'size': 3,
        'img_size': 32,
        'test_mode': True,
        'pipeline': [{'type': 'PackInputs'}],
    }
    sample = DATASETS.build(config)[2]
    assert sample['inputs'].shape == (3, 32, 32)
    data_sample = sample['data_samples']
    assert data_sample.img_path == 'synthetic/val/000002'
    assert data_sample.img_shape == data_sample.ori_shape == (32, 32)
    assert data_sample.gt_label.item() in range(7)


def test_a_sample_is_the_face_of_its_label():
    dataset = SyntheticFER(split='val', size=4, img_size=32, seed=9)
    for i in range(4):
        info = dataset[i]
        # The splits take turns in one series: val has faces 1, 4, 7, ...
        expected = draw_face(info['gt_label'], 9, 3 * i + 1, 32)
        np.testing.assert_array_equal(info['img'], expected)


def test_default_sizes():
    sizes = [SyntheticFER(split=s, lazy_init=True).size for s in ('train', 'val')]
    assert sizes == [6000, 1500]
    assert SyntheticFER(split='test', lazy_init=True).size == 1500
    assert len(SyntheticFER(size=5, img_size=24)) == 5


def test_a_smaller_set_is_the_beginning_of_a_larger_one():
    small, large = (SyntheticFER(size=n, img_size=24) for n in (10, 20))
    np.testing.assert_array_equal(images(small), images(large)[:10])
    np.testing.assert_array_equal(small.get_gt_labels(), large.get_gt_labels()[:10])


def test_no_face_is_in_two_splits_or_seeds():
    sets = [
        SyntheticFER(split=split, size=12, img_size=24, seed=seed)
        for seed in (0, 1)
        for split in ('train', 'val', 'test')
    ]
    faces = [face.tobytes() for dataset in sets for face in images(dataset)]
    assert len(set(faces)) == 6 * 12
    labels = {tuple(dataset.get_gt_labels()) for dataset in sets}
    assert len(labels) == 6


def test_labels_follow_the_class_shares():
    dataset = SyntheticFER(size=20000, lazy_init=True)
    shares = np.bincount(dataset._draw_labels()) / 20000
    expected = [CLASS_SHARES[name] for name in CLASSES]
    np.testing.assert_allclose(shares, expected, atol=0.01)
    assert CLASSES[shares.argmax()] == 'happy'


def test_arguments_of_the_base_class_pass_through():
    dataset = SyntheticFER(size=10, img_size=24, indices=4, serialize_data=False)
    assert len(dataset) == 4
    # A pipeline may write into its image without changing the data set's.
    dataset.get_data_info(0)['img'][:] = 0
    assert dataset[0]['img'].any()
    letters = tuple('abcdefg')
    renamed = SyntheticFER(metainfo={'classes': letters}, lazy_init=True)
    assert renamed.metainfo['classes'] == letters


def test_representation_says_which_faces():
    text = repr(SyntheticFER(split='test', size=2, img_size=24, seed=6))
    assert 'Split: \ttest' in text
    assert 'Seed: \t6' in text


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'split': 'dev'}, "split='dev'.*'train', 'val', 'test'"),
        ({'size': 0}, 'size=0 .*Fix: set 1 or more.*6000'),
        ({'img_size': 23}, '23 pixels.*24 or more'),
        ({'seed': -1}, 'seed=-1 .*from 0'),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        SyntheticFER(lazy_init=True, **arguments)


def test_expressions_can_be_learnt_but_not_by_a_line_through_pixels():
    from sklearn.linear_model import RidgeClassifier

    def small(split, size):
        dataset = SyntheticFER(split=split, size=size, img_size=32)
        grey = [cv2.cvtColor(face, cv2.COLOR_BGR2GRAY) for face in images(dataset)]
        faces = [cv2.resize(face, (24, 24)) for face in grey]
        return np.reshape(faces, (size, -1)) / 255, dataset.get_gt_labels()

    probe = RidgeClassifier(alpha=10).fit(*small('train', 600))
    accuracy = probe.score(*small('val', 300))
    # The commonest class alone would be 0.22.
    assert 0.28 < accuracy < 0.70
