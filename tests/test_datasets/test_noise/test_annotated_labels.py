import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from torch.utils.data import ConcatDataset, Dataset

from eac_mm.datasets import AnnotatedLabels, NoisyLabels, RAMCache, SyntheticFER
from eac_mm.datasets.noise.files import NoiseManifest, write_noise_file

CLEAN = np.array([0, 1, 2, 0, 1, 2])
FIRST = np.array([0, 2, 2, 0, 1, 1])
SECOND = np.array([1, 1, 0, 0, 1, 2])
CLASSES = ['a', 'b', 'c']


class Few(Dataset):
    classes = CLASSES
    targets = CLEAN.tolist()

    def __len__(self):
        return len(CLEAN)

    def __getitem__(self, i):
        return np.zeros((2, 2, 3), np.uint8), self.targets[i]


def write(path, labels, clean=CLEAN, fitted=None):
    manifest = NoiseManifest.describe(
        clean, labels, CLASSES, 'predicted', 0, 0, fitted=fitted
    )
    write_noise_file(path, manifest, labels, [str(i) for i in range(len(labels))])
    return str(path)


@pytest.fixture
def files(tmp_path):
    return [write(tmp_path / 'one', FIRST), write(tmp_path / 'two', SECOND)]


def labels_of(dataset):
    samples = [dataset[i]['data_samples'] for i in range(len(dataset))]
    return [(s.gt_label.item(), s.sample_idx, s.annotator_labels) for s in samples]


def test_each_sample_carries_the_labels_of_all_annotators(files):
    data = AnnotatedLabels(Few(), annotators=files, rate=0.5, seed=3)
    noisy = NoisyLabels(Few(), rate=0.5, seed=3).given_labels
    pairs = list(zip(FIRST.tolist(), SECOND.tolist(), strict=True))
    expected = list(zip(noisy.tolist(), range(6), pairs, strict=True))
    assert labels_of(data) == expected
    np.testing.assert_array_equal(data.annotator_labels, np.stack([FIRST, SECOND], 1))


def test_without_files_the_labels_are_none():
    assert (
        AnnotatedLabels(Few(), annotators=[])[4]['data_samples'].annotator_labels == ()
    )


@pytest.mark.parametrize(
    ('indices', 'kept'), [([4, 0], [4, 0]), (2, [0, 1]), (-1, [5]), ([-2], [4])]
)
def test_a_part_keeps_its_labels(files, indices, kept):
    part = AnnotatedLabels(Few(), annotators=files).get_subset(indices)
    wanted = [(CLEAN[i], n, (FIRST[i], SECOND[i])) for n, i in enumerate(kept)]
    assert labels_of(part) == wanted


def test_repeated_and_cached_samples_keep_their_labels(tmp_path):
    load = [dict(type='SeedAugmentation'), dict(type='PackInputs')]
    faces = SyntheticFER(split='train', size=6, img_size=24, pipeline=load)
    path = tmp_path / 'noise.txt'
    wrong = NoisyLabels(faces, rate=0.5, seed=1)
    wrong.write(path)
    assert len(wrong.wrong_indices)
    data = AnnotatedLabels(faces, annotators=[path])
    served = RAMCache(ConcatDataset([data, data]))
    served.full_init()
    expected = [(label,) for label in wrong.given_labels.tolist()] * 2
    assert [labels for *_, labels in labels_of(served)] == expected


def test_a_config_builds_it_lazily(files):
    DATASETS.register_module(name='FewForAnnotators', module=Few, force=True)
    config = dict(type='AnnotatedLabels', annotators=files)
    data = DATASETS.build(dict(config, dataset=dict(type='FewForAnnotators')))
    assert labels_of(data)[2] == (2, 2, (2, 0))


def test_predictions_on_other_noisy_labels_are_refused(tmp_path):
    noisy = NoisyLabels(Few(), rate=0.5, seed=3).given_labels
    path = write(tmp_path / 'fitted', FIRST, fitted=noisy)
    AnnotatedLabels(Few(), annotators=[path], rate=0.5, seed=3)
    with pytest.raises(ValueError, match='other noisy labels.*Fix: python tools/cross'):
        AnnotatedLabels(Few(), annotators=[path])


def test_files_that_are_missing_or_of_another_kind_are_refused(tmp_path, files):
    with pytest.raises(FileNotFoundError, match='none.txt does not .*tools/cross_fit'):
        AnnotatedLabels(Few(), annotators=[tmp_path / 'none.txt'])
    listed = tmp_path / 'list.txt'
    listed.write_text('a.jpg 1\n')
    with pytest.raises(ValueError, match='no file of tools/cross_fit.py.*Fix:'):
        AnnotatedLabels(Few(), annotators=[listed])
    other = write(tmp_path / 'other', FIRST, clean=SECOND)
    with pytest.raises(ValueError, match='other clean labels'):
        AnnotatedLabels(Few(), annotators=[other])
    with pytest.raises(TypeError, match=r"Fix: annotators=\['"):
        AnnotatedLabels(Few(), annotators=files[0])
