import json
from fractions import Fraction

import numpy as np
import pytest
import torch

from eac_mm.utils.plain import to_plain


@pytest.mark.parametrize(
    ('value', 'plain'),
    [
        (torch.tensor(0.5), 0.5),
        (torch.tensor(0.5, dtype=torch.bfloat16), 0.5),
        (torch.tensor([1, 2], requires_grad=False), [1, 2]),
        (torch.nn.Parameter(torch.ones(1)), [1.0]),
        (torch.tensor([[True]]), [[True]]),
        (np.float32(0.25), 0.25),
        (np.int64(3), 3),
        (np.array(7.0), 7.0),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.array(['a']), ['a']),
        (np.str_('a'), 'a'),
        (np.bool_(True), True),
        (Fraction(1, 4), 0.25),
        ((1, (2.5, None)), [1, [2.5, None]]),
        ({'a': np.float64(1), 2: {True}}, {'a': 1.0, '2': [True]}),
        (torch.nn.Linear, 'Linear'),
    ],
)
def test_plain_values(value, plain):
    found = to_plain(value)
    assert found == plain
    assert type(found) is type(plain)
    assert json.loads(json.dumps(found)) == plain
