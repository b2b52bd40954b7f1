from torch import nn

from eac_mm.models.passes import passes_of


def test_the_model_or_its_head_tells():
    model = nn.Module()
    assert passes_of(model) == 1
    model.head = nn.Module()
    assert passes_of(model) == 1
    model.head.views = 2
    assert passes_of(model) == 2
    model.head.passes = 1.3  # what a step costs, if that is not a pass a view
    assert passes_of(model) == 1.3
    model.passes = 6
    assert passes_of(model) == 6
