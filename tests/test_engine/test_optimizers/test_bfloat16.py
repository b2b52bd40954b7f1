import pytest
import torch
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn

from eac_mm.engine.optimizers import bfloat16
from eac_mm.utils import hardware


def test_forward_in_bfloat16_and_weights_in_float32(monkeypatch):
    monkeypatch.setattr(hardware, 'has_fast_bfloat16', lambda: True)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    wrapper = OPTIM_WRAPPERS.build(
        dict(type='BFloat16OptimWrapper', optimizer=optimizer)
    )
    # 1/3 has no exact bfloat16: the forward pass sees 0.333984375.
    nn.init.constant_(model.weight, 1 / 3)
    nn.init.zeros_(model.bias)
    with wrapper.optim_context(model):
        out = model(torch.ones(1, 3))
        assert out.dtype == torch.bfloat16
        assert out.tolist() == [[1.0, 1.0]]
        loss = out.float().sum()
    wrapper.update_params(loss)
    assert model.weight.dtype == torch.float32
    torch.testing.assert_close(model.weight, torch.full((2, 3), 1 / 3 - 0.5))


def test_a_cpu_that_emulates_bfloat16_runs_in_float32(monkeypatch):
    monkeypatch.setattr(hardware, 'has_fast_bfloat16', lambda: False)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    wrapper = bfloat16.BFloat16OptimWrapper(optimizer)
    with wrapper.optim_context(model):
        assert model(torch.ones(1, 3)).dtype == torch.float32


@pytest.mark.parametrize(
    ('wanted', 'device', 'unit', 'best', 'text'),
    [
        ('float32', 'cpu', None, 'avx2', 'float32, as configured'),
        ('bfloat16', 'cuda', None, 'avx2', 'bfloat16, as configured'),
        (
            *('bfloat16', 'cpu', 'amx_bf16', 'amx_bf16'),
            'bfloat16, which this CPU multiplies by amx_bf16',
        ),
        (
            *('bfloat16', 'cpu', None, 'avx512f'),
            'float32 instead of bfloat16: this CPU (avx512f) only emulates bfloat16, '
            'which takes longer',
        ),
        (
            *('float16', 'cpu', 'bf16', 'bf16'),
            'float32 instead of float16: this CPU (bf16) only emulates float16, which '
            'takes longer',
        ),
    ],
)
def test_the_choice_has_a_reason(wanted, device, unit, best, text, monkeypatch):
    monkeypatch.setattr(hardware, 'has_fast_bfloat16', lambda: unit is not None)
    monkeypatch.setattr(hardware, 'bfloat16_unit', lambda: unit)
    monkeypatch.setattr(hardware, 'instructions', lambda: best)
    assert bfloat16.why_precision(wanted, device) == text
