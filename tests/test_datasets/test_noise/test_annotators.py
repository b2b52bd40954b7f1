import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from torch.utils.data import ConcatDataset, Subset

import eac_mm  # noqa: F401  before mmpretrain.datasets
from eac_mm.datasets import FERPlus, NoisyLabels
from eac_mm.datasets.labels import Annotations
from eac_mm.datasets.noise.annotators import vote_shares


def voted(votes, labels=(1, 0, None, 2), clean=None):
    """A data set of three classes and four candidates, with the votes as given."""
    clean = [0] * len(votes) if clean is None else clean
    rows = [
        {'img_path': f'{i}.png', 'gt_label': label, **row}
        for i, (label, row) in enumerate(zip(clean, votes, strict=True))
    ]
    base = DATASETS.get('mmpretrain.BaseDataset')
    kind = type('Voted', (base,), dict(load_data_list=lambda self: rows))
    kind.vote_labels = labels
    return kind(ann_file='', metainfo=dict(classes=('a', 'b', 'c')), pipeline=[])


def rows(*votes):
    return [dict(votes=vote) for vote in votes]


def test_shares_are_those_of_the_votes_for_classes():
    data = voted(rows((3, 1, 6, 0), (0, 0, 0, 4), (1, 1, 0, 2)))
    # candidate 0 is class b, 1 is a, 2 is none, 3 is c
    expected = [[0.25, 0.75, 0], [0, 0, 1], [0.25, 0.25, 0.5]]
    np.testing.assert_array_equal(vote_shares(Annotations(data), 3), expected)


def test_each_data_set_has_candidates_of_its_own():
    one = voted(rows((1, 3, 0, 0)))
    other = voted(rows((1, 3)), labels=(2, 0))
    both = Subset(ConcatDataset([one, other]), [1, 0])
    expected = [[0.75, 0, 0.25], [0.75, 0.25, 0]]
    np.testing.assert_array_equal(vote_shares(Annotations(both), 3), expected)


@pytest.mark.parametrize('votes', [dict(votes=(0, 0, 5, 0)), dict(votes=(0, 0, 0, 0))])
def test_a_sample_without_a_vote_for_a_class(votes):
    data = voted([dict(votes=(1, 0, 0, 0)), votes])
    with pytest.raises(ValueError, match=r'sample 1 \(1\.png\) of Voted .* Fix: '):
        vote_shares(Annotations(data), 3)


def test_data_without_votes():
    data = voted([{}], labels=())
    with pytest.raises(ValueError, match=r"votes \(\), none .* or kind='symmetric'"):
        NoisyLabels(data, kind='annotator')


def test_noisy_labels_are_drawn_from_the_votes():
    # 4,000 faces each: 8 to 2 between a and b, and unanimous for c
    votes = rows(*[(2, 8, 9, 0)] * 4000, *[(0, 0, 1, 9)] * 4000)
    noisy = NoisyLabels(voted(votes, clean=[0] * 4000 + [2] * 4000), kind='annotator')
    drawn = np.bincount(noisy.given_labels[:4000], minlength=3)
    # Five standard deviations of a binomial share are 0.032
    np.testing.assert_allclose(drawn / 4000, [0.8, 0.2, 0], atol=0.032)
    assert set(noisy.given_labels[4000:]) == {2}
    assert len(noisy.wrong_indices) == drawn[1]


def test_votes_of_ferplus_stand_for_its_labels(tmp_path):
    header = 'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
    lines = [f'{header}contempt,unknown,NF', 'Training,a.png,1,2,3,4,0,0,0,0,0,0']
    lines.append('Training,b.png,0,0,0,0,1,2,3,1,1,2')
    (tmp_path / 'fer2013new.csv').write_text('\n'.join(lines))
    (tmp_path / 'FER2013Train').mkdir()
    for name in 'ab':
        (tmp_path / 'FER2013Train' / f'{name}.png').touch()
    shares = vote_shares(Annotations(FERPlus(str(tmp_path))), 7)
    # surprise, fear, disgust, happy, sad, angry, neutral
    np.testing.assert_array_equal(
        shares, [[0.3, 0, 0, 0.2, 0.4, 0, 0.1], [0, 3 / 6, 2 / 6, 0, 0, 1 / 6, 0]]
    )
    eight = vote_shares(Annotations(FERPlus(str(tmp_path), num_classes=8)), 8)
    np.testing.assert_array_equal(eight[1], [0, 3 / 7, 2 / 7, 0, 0, 1 / 7, 0, 1 / 7])
