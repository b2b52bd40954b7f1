"""Labels, names and classes of every style of data set."""

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset as MMEngineConcat
from mmengine.dataset import RepeatDataset
from mmpretrain.datasets import BaseDataset
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from eac_mm.datasets import NoisyLabels
from eac_mm.datasets.labels import (
    Annotations,
    check_range,
    class_names,
    read_annotations,
)

LABELS = [2, 0, 1, 1]


class Style(Dataset):
    """Four samples, and labels in one style alone."""

    def __init__(self, classes=('a', 'b', 'c'), **attributes):
        self.classes = classes
        vars(self).update(attributes)

    def __len__(self):
        return 4

    def __getitem__(self, idx):
        return torch.full((3, 2, 2), idx), LABELS[idx]


class Infos(BaseDataset):
    METAINFO = dict(classes=('a', 'b', 'c'))

    def __init__(self, labels=tuple(LABELS)):
        self.given = labels
        super().__init__(ann_file='')

    def load_data_list(self):
        rows = enumerate(self.given)
        return [dict(img_path=f'x/{i}.png', gt_label=label) for i, label in rows]


STYLES = dict(
    targets=Style(targets=LABELS),
    array=Style(targets=np.array(LABELS)),
    tensor=Style(targets=torch.tensor(LABELS)),
    labels=Style(labels=LABELS),
    gt_labels=Style(get_gt_labels=lambda: np.array(LABELS)),
    cat_ids=Style(get_cat_ids=lambda i: [LABELS[i]]),
    infos=Style(get_data_info=lambda i: dict(gt_label=LABELS[i])),
    tensors=TensorDataset(torch.zeros(4, 3, 2, 2), torch.tensor(LABELS)),
    base=Infos(),
)
WRAPPERS = {
    'alone': (lambda d: d, LABELS),
    'subset': (lambda d: Subset(d, [3, 0]), [1, 2]),
    'concatenated': (lambda d: ConcatDataset([d, d]), LABELS * 2),
    'both': (
        lambda d: Subset(ConcatDataset([Subset(d, [1, 0]), d]), [5, 1, 0]),
        [1, 2, 0],
    ),
}


@pytest.mark.parametrize('style', STYLES)
@pytest.mark.parametrize('wrapper', WRAPPERS)
def test_labels_in_every_style(style, wrapper):
    wrap, expected = WRAPPERS[wrapper]
    labels = Annotations(wrap(STYLES[style])).read_labels()
    assert labels.dtype == np.int64
    assert labels.tolist() == expected


class Renamed(Infos):
    def get_data_info(self, idx):
        return dict(super().get_data_info(idx), gt_label=-idx)


def test_annotations_of_any_data_set():
    rows = [(f'x/{i}.png', label) for i, label in enumerate(LABELS)]

    def read(dataset):
        infos = read_annotations(dataset)
        return [(info['img_path'], info['gt_label']) for info in infos]

    assert read(Infos()) == rows  # serialised
    assert read(Infos().get_subset([3, 1])) == [rows[3], rows[1]]
    listed = Infos()
    listed.serialize_data, listed.data_list = False, listed.load_data_list()
    assert read(listed) == rows
    # its own get_data_info counts
    assert read(Renamed()) == [(path, -i) for i, (path, _) in enumerate(rows)]


def test_mmengine_s_wrappers():
    wrapped = MMEngineConcat([Infos(), Infos()])
    wrapped = ConcatDataset([wrapped, RepeatDataset(Infos(), 2)])
    annotations = Annotations(wrapped)
    assert annotations.read_labels().tolist() == LABELS * 4
    assert annotations.name_of(9) == '1.png'


def test_names():
    joined = ConcatDataset([Style(targets=LABELS), Infos()])
    annotations = Annotations(joined)
    assert [annotations.name_of(i) for i in (3, 4, 7)] == ['3', '0.png', '3.png']
    assert annotations.get_info(3) == {}
    assert annotations.get_info(5)['gt_label'] == 0
    assert not annotations.describe_images
    assert Annotations(Infos()).describe_images


@pytest.mark.parametrize(
    ('dataset', 'error', 'message'),
    [
        (Style(), TypeError, r'Style does not say what .* get_gt_labels.*Fix: give'),
        (Style(targets=[0, 1]), ValueError, r'Style has 2 labels for 4 samples. Fix'),
        (Style(targets=[0, 1, 2.5, 0]), ValueError, r'sample 2 \(2\) of Style .*2\.5'),
        (Style(targets=np.eye(4, 3)), ValueError, r'sample 0 .* has the label \[1'),
        (Style(get_cat_ids=lambda i: [0, 1]), ValueError, r'the label \[0, 1\]'),
        (Infos((0, None, 1, 1)), ValueError, r'sample 1 \(1.png\) of Infos .*None'),
        (Subset(Style(targets=LABELS), []), ValueError, 'Subset is empty. Fix'),
    ],
)
def test_bad_labels(dataset, error, message):
    with pytest.raises(error, match=message):
        Annotations(dataset).read_labels()


def test_classes():
    abc = ('a', 'b', 'c')
    style, infos = Style(list(abc)), Infos()
    assert class_names(style) == class_names(infos) == abc
    assert class_names(Subset(ConcatDataset([style, infos]), [0])) == abc
    assert class_names(TensorDataset(torch.zeros(1))) is None
    with pytest.raises(ValueError, match=r"different classes.*'c'.*'x'.*Fix"):
        class_names(ConcatDataset([style, Style(('a', 'b', 'x'))]))


def test_range():
    assert check_range(np.array([0, 1]), ('a', 'b'), str).tolist() == [0, 1]
    with pytest.raises(ValueError, match=r'sample 1 \(1\) has the label 2; .*Fix'):
        check_range(np.array([0, 2]), ('a', 'b'), str)


# NoisyLabels on them


@pytest.mark.parametrize('style', [s for s in STYLES if s not in ('base', 'tensors')])
@pytest.mark.parametrize('wrapper', WRAPPERS)
def test_noise_on_an_ordinary_data_set(style, wrapper):
    wrap, clean = WRAPPERS[wrapper]
    matrix = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    noisy = NoisyLabels(wrap(STYLES[style]), kind='asymmetric', transition=matrix)
    assert noisy.metainfo['classes'] == ('a', 'b', 'c')
    assert noisy.given_labels.tolist() == [(label + 1) % 3 for label in clean]
    for i, sample in enumerate(noisy[i] for i in range(len(noisy))):
        packed = sample['data_samples']
        assert int(packed.gt_label) == (clean[i] + 1) % 3
        assert (packed.clean_label, packed.sample_idx) == (clean[i], i)
        assert (
            LABELS[int(sample['inputs'][0, 0, 0])] == clean[i]
        )  # the image is its own
    assert noisy.get_data_info(0)['clean_label'] == clean[0]
