import logging

import torch
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn

from eac_mm.engine.optimizers import bfloat16
from eac_mm.utils import hardware


def test_forward_in_bfloat16_and_weights_in_float32(monkeypatch):
    monkeypatch.setattr(hardware, 'has_bfloat16_convolutions', lambda: True)
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


def test_a_cpu_without_bfloat16_runs_in_float32_and_says_so(monkeypatch):
    warnings = []
    monkeypatch.setattr(hardware, 'has_bfloat16_convolutions', lambda: False)
    monkeypatch.setattr(bfloat16, 'print_log', lambda *args: warnings.append(args))
    model = nn.Linear(3, 2)
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), lr=0.5),
        )
    )
    for _ in range(2):  # one warning
        with wrapper.optim_context(model):
            assert model(torch.ones(1, 3)).dtype == torch.float32
    [(text, _, level)] = warnings
    assert level == logging.WARNING
    assert text.startswith('Training in float32 instead of bfloat16')
