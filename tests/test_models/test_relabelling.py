import math

import pytest
import torch
from mmpretrain.structures import DataSample
from ranks import in_two_processes

from eac_mm.models import Relabelling


def samples_of(labels, indices=None):
    indices = range(len(labels)) if indices is None else indices
    pairs = zip(labels, indices, strict=True)
    return [
        DataSample(metainfo=dict(sample_idx=index)).set_gt_label(label)
        for label, index in pairs
    ]


def make(size=4, epoch=9, **kwargs):
    relabelling = Relabelling(**kwargs)
    relabelling.resize(size)
    relabelling.epoch = epoch
    return relabelling


def logits_of(*chances):
    return torch.tensor(chances).log()


def labels_of(samples):
    return torch.cat([sample.gt_label for sample in samples]).tolist()


# Against the labels 0, 1, 2, 0: by 0.3, by 0.15, the label itself, by 0.7.
CHANCES = [0.3, 0.6, 0.1], [0.45, 0.3, 0.25], [0.2, 0.1, 0.7], [0.1, 0.1, 0.8]
LABELS = [0, 1, 2, 0]


def test_by_hand():
    relabelling, samples = make(), samples_of(LABELS)
    assert labels_of(relabelling.relabelled(samples)) == LABELS
    relabelling.update(samples, logits_of(*CHANCES))
    assert relabelling.values.tolist() == [1, -1, -1, 2]
    assert labels_of(relabelling.relabelled(samples)) == [1, 1, 2, 2]
    assert labels_of(samples) == LABELS  # the data never change
    # Now the first label is 1, which is what the network says.
    relabelling.update(samples[:1], logits_of([0.35, 0.45, 0.2]))
    assert relabelling.values.tolist() == [1, -1, -1, 2]
    relabelling.update(samples[:1], logits_of([0.6, 0.35, 0.05]))
    assert relabelling.values.tolist() == [0, -1, -1, 2]


@pytest.mark.parametrize(
    ('margin', 'expected'),
    [(0.0, [1, 0, -1, 2]), (0.31, [-1, -1, -1, 2]), (0.71, [-1] * 4)],
)
def test_the_margin(margin, expected):
    relabelling = make(margin=margin)
    relabelling.update(samples_of(LABELS), logits_of(*CHANCES))
    assert relabelling.values.tolist() == expected


def test_it_starts_with_the_epoch_named():
    relabelling, samples = make(start=3, epoch=0), samples_of(LABELS)
    for relabelling.epoch in (0, 1):
        relabelling.update(samples, logits_of(*CHANCES))
        assert relabelling.values.tolist() == [-1] * 4
    relabelling.epoch = 2  # two are done, the third one runs
    relabelling.update(samples, logits_of(*CHANCES))
    assert relabelling.values.tolist() == [1, -1, -1, 2]


def test_only_those_chosen():
    relabelling = make()
    chosen = torch.tensor([False, True, True, True])
    relabelling.update(samples_of(LABELS), logits_of(*CHANCES), chosen)
    assert relabelling.values.tolist() == [-1, -1, -1, 2]


def test_probabilities_are_taken_in_float32():
    # e^x / (e^x + 1) - 1 / (e^x + 1) = tanh(x / 2), for a bfloat16 x of 0.40625
    lead = math.tanh(0.40625 / 2)
    logits = torch.tensor([[0.0, 0.40625]], dtype=torch.bfloat16)
    for margin, label in ((lead - 1e-5, 1), (lead + 1e-5, -1)):
        relabelling = make(size=1, margin=margin)
        with torch.autocast('cpu', torch.bfloat16):
            relabelling.update(samples_of([0]), logits)
        assert relabelling.values.tolist() == [label]


def update_on_rank(rank):
    relabelling = make()
    if rank == 0:
        relabelling.update(samples_of([0, 1]), logits_of(*CHANCES[:2]))
    else:  # the first sample again, as padding, and not replaced there
        samples = samples_of([0, 0], [0, 3])
        relabelling.update(samples, logits_of([0.8, 0.1, 0.1], CHANCES[3]))
    return relabelling.values.tolist()


def test_processes_hold_the_labels_of_all():
    assert in_two_processes(update_on_rank) == [[-1, -1, -1, 2]] * 2


def test_errors():
    with pytest.raises(
        ValueError, match=r'relabel_margin=1: .*Fix: model.head.relabel'
    ):
        Relabelling(margin=1)
    for start in (0, 2.5):
        with pytest.raises(ValueError, match=rf'relabel_start={start}: .*Fix: '):
            Relabelling(start=start)
    samples = samples_of([0])
    samples[0].set_gt_score(torch.tensor([0.5, 0.5]))
    with pytest.raises(
        ValueError, match=r'batch augmentations mix them. Fix: no model'
    ):
        make().relabelled(samples)
