"""What a network sees, by hand."""

import pytest
import torch
from mmpretrain.registry import MODELS

from eac_mm.apis import load_config
from eac_mm.visualization import look_at

RECIPE = 'configs/eac/resnet18_syntheticfer_noise30.py'
CLASSES = tuple('abcdefg')


@pytest.fixture
def network(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    torch.manual_seed(0)
    return MODELS.build(load_config(RECIPE).model).eval()


def test_pooled_attention_maps_are_the_logits_without_the_bias(network):
    image = torch.randint(0, 256, (3, 48, 48), dtype=torch.uint8)
    look = look_at(network, image, CLASSES)
    with torch.no_grad():
        flipped = [image, image.flip(2)]
        inputs = network.data_preprocessor(dict(inputs=flipped))['inputs']
        logits = network.head(network.extract_feat(inputs))
    best = logits.argmax(1)
    bias = network.head.fc.bias
    for i, attention in enumerate((look.attention, look.flipped_attention)):
        wanted = (logits[i] - bias)[best[i]].item()
        assert attention.mean() == pytest.approx(wanted, abs=1e-4)
    said = [look.prediction, look.flipped_prediction]
    assert [name for name, _ in said] == [CLASSES[i] for i in best]
    wanted = logits.softmax(1).amax(1).tolist()
    assert [share for _, share in said] == pytest.approx(wanted, abs=1e-5)
