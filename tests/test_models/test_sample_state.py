import copy
import re

import pytest
import torch
from mmpretrain.structures import DataSample
from ranks import in_two_processes
from torch import nn

from eac_mm.models import SampleState


def samples_of(*indices):
    return [DataSample(metainfo=dict(sample_idx=index)) for index in indices]


def make_state(size=4, **kwargs):
    state = SampleState(**kwargs)
    state.resize(size)
    return state


def test_rows_by_sample():
    state = make_state(shape=(2,), fill=0.5)
    assert len(state) == 4
    indices = state.indices(samples_of(3, 0))
    old = state.read(indices)
    assert old.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    state.write(indices, torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True))
    expected = [[3.0, 4.0], [0.5, 0.5], [0.5, 0.5], [1.0, 2.0]]
    assert state.values.tolist() == expected
    assert not state.values.requires_grad
    assert old.tolist() == [[0.5, 0.5], [0.5, 0.5]]  # a copy
    state.resize(3)
    assert state.values.tolist() == [[0.5, 0.5]] * 3


def test_types_are_kept():
    state = make_state(dtype=torch.int64, fill=-1)
    state.write(torch.tensor([1]), torch.tensor([5], dtype=torch.int32))
    assert state.values.dtype == torch.int64
    assert state.values.tolist() == [-1, 5, -1, -1]
    half = make_state()
    half.write(torch.tensor([1]), torch.tensor([0.5], dtype=torch.bfloat16))
    assert half.values.dtype == torch.float32
    assert half.values.tolist() == [0, 0.5, 0, 0]


def test_of_a_sample_that_comes_twice_the_last_row_counts():
    state = make_state()
    state.write(torch.tensor([2, 1, 2, 2]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert state.values.tolist() == [0, 2, 4, 0]


def write_on_rank(rank):
    state = make_state(shape=(2,))
    indices = [torch.tensor([0, 3]), torch.tensor([3, 1])][rank]  # 3 is padding
    rows = torch.arange(4.0).view(2, 2) + 10 * rank
    state.write(indices, rows)
    return state.values.tolist()


def test_processes_write_the_rows_of_all():
    one, other = in_two_processes(write_on_rank)
    assert one == [[0, 1], [12, 13], [0, 0], [10, 11]]
    assert other == one


@pytest.mark.parametrize(
    ('size', 'indices', 'message'),
    [
        (4, [0, None], 'a sample has no sample_idx, .*Fix: NoisyLabels'),
        (0, [0], r'is not set. Fix: default_hooks.sample_state=dict\('),
        (4, [1, 4], 'sample_idx 1 to 4, and there is state for 0 to 3. Fix: one Noisy'),
        (4, [-1, 2], 'sample_idx -1 to 2, and there is state for 0 to 3. Fix: '),
    ],
)
def test_samples_without_a_row(size, indices, message):
    with pytest.raises(ValueError, match=message):
        make_state(size).indices(samples_of(*indices))


def test_checkpoints_hold_the_values_and_testing_ignores_them():
    model = nn.ModuleDict(dict(state=make_state()))
    model['state'].write(torch.tensor([2]), torch.tensor([7.0]))
    saved = model.state_dict()
    assert list(saved) == ['state.values']

    trained = nn.ModuleDict(dict(state=make_state()))
    trained.load_state_dict(saved)
    assert trained['state'].values.tolist() == [0, 0, 7, 0]
    # A copy must not look at the size of the original.
    tested = copy.deepcopy(nn.ModuleDict(dict(state=SampleState())))
    for weights in (saved, {}):
        tested.load_state_dict(weights)
        assert len(tested['state']) == 0
    assert saved['state.values'].tolist() == [0, 0, 7, 0]
    other = copy.deepcopy(tested)
    other['state'].resize(3)
    with pytest.raises(RuntimeError, match=re.escape('torch.Size([4])')):
        other.load_state_dict(saved)
