from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS
from short_training import At, Killed, assert_same, kill, start_from_backbone, train

from eac_mm.apis import load_config

CONFIGS = Path(__file__).parents[3] / 'configs/ktn'
RECIPE = CONFIGS / 'resnet18_syntheticfer_noise30-teacher.py'


def make_model(**backbone):
    torch.manual_seed(0)
    cfg = load_config(RECIPE).model
    cfg.backbone.update(backbone)
    model = MODELS.build(cfg)
    model.init_weights()
    return model


def stages_of(model):
    return model.coarse_stage.state_dict(), model.backbone.layer4.state_dict()


def test_both_streams_share_all_but_the_last_stage_and_start_alike():
    model = make_model().eval()
    coarse, fine = stages_of(model)
    assert coarse.keys() == fine.keys()
    assert all(torch.equal(coarse[key], fine[key]) for key in fine)
    assert not {id(p) for p in model.coarse_stage.parameters()} & {
        id(p) for p in model.backbone.parameters()
    }
    images = torch.randn(2, 3, 48, 48)
    one, other = model.extract_feat(images)
    assert one.shape == (2, 128)
    torch.testing.assert_close(one, other)
    with torch.no_grad():  # now apart: each of its own stage
        for parameter in model.coarse_stage.parameters():
            parameter.mul_(1.5)
    shared, maps = model.backbone(images)
    one, other = model.extract_feat(images)
    torch.testing.assert_close(one, model.coarse_stage(shared).mean((2, 3)))
    torch.testing.assert_close(other, maps.mean((2, 3)))
    assert not torch.allclose(one, other)
    expected = model.head((one, other))
    torch.testing.assert_close(model(images, mode='tensor'), expected)
    torch.testing.assert_close(model.extract_feat(images, 'pre_logits'), other)


def test_a_checkpoint_keeps_both_streams_apart():
    model, other = make_model(), make_model()
    with torch.no_grad():
        for parameter in model.coarse_stage.parameters():
            parameter.add_(1)
    other.load_state_dict(model.state_dict())
    coarse, fine = stages_of(other)
    assert not torch.equal(coarse['0.conv1.weight'], fine['0.conv1.weight'])
    assert torch.equal(coarse['0.conv1.weight'], fine['0.conv1.weight'] + 1)


def test_a_backbone_that_returns_one_stage_is_refused():
    with pytest.raises(ValueError, match=r'Fix: model.backbone.out_indices=\(2, 3\)'):
        make_model(out_indices=(3,))


def test_it_resumes_exactly(tmp_path):
    whole = train(RECIPE, tmp_path / 'whole')
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill))
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth')
    assert resumed.iter == 6
    assert_same(resumed, whole)
    coarse, fine = stages_of(whole.model)
    assert not torch.equal(coarse['0.conv1.weight'], fine['0.conv1.weight'])


def test_it_starts_from_the_weights_of_a_backbone(tmp_path):
    def look(runner, weights):
        for key, value in runner.model.coarse_stage.state_dict().items():
            assert torch.equal(value, weights[f'layer4.{key}']), key

    start_from_backbone(RECIPE, tmp_path, look)
