import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner.checkpoint import load_state_dict
from mmpretrain.registry import MODELS
from torch import nn

from eac_mm.engine import weights_fit
from eac_mm.engine.weights_fit import backbones_of, check_fits, prepare_start


class Head(nn.Module):
    """A linear layer, a module of its own, and one value a sample."""

    def __init__(self, classes=3, samples=5):
        super().__init__()
        self.fc = nn.Linear(2, classes)
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer('targets', torch.zeros(samples))


class Model(BaseModel):
    """Backbones by name, and a head."""

    def __init__(self, *backbones, **head):
        super().__init__()
        for name in backbones or ('backbone',):
            setattr(self, name, nn.Linear(2, 2))
        self.head = Head(**head)

    def forward(self, inputs):
        raise NotImplementedError


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(weights_fit, 'print_log', lambda text, *_: lines.append(text))
    return lines


def weights_of(model, **values):
    """The model's state dict, filled with 1 (or a value for names that hold a word)."""
    weights = {k: torch.ones_like(v) for k, v in model.state_dict().items()}
    for word, value in values.items():
        weights.update({k: v * value for k, v in weights.items() if word in k})
    return weights


# to resume or test


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_all_weights_fit(prefix):
    model = Model()
    check_fits({prefix + k: v for k, v in weights_of(model).items()}, model)


def test_a_missing_weight_is_refused():
    weights = weights_of(Model())
    del weights['head.fc.bias']
    with pytest.raises(ValueError, match=r"1 of 10 weights are missing.*'head.fc.bias"):
        check_fits(weights, Model())


@pytest.mark.parametrize(
    ('head', 'text'),
    [
        (dict(classes=8), r'head.fc.weight \(8, 2\) for \(3, 2\)'),
        (dict(samples=9), r'head.targets \(9,\) for \(5,\)'),
    ],
)
def test_another_shape_is_refused(head, text):
    with pytest.raises(ValueError, match=text):
        check_fits(weights_of(Model(**head)), Model())


# to start from


def test_the_backbone_alone_will_do(said):
    weights = {k: v for k, v in weights_of(Model()).items() if 'backbone' in k}
    prepare_start(weights, Model())
    assert said == [
        'load_from leaves these new. not in the file: head.targets, head.fc.weight, '
        'head.fc.bias, head.norm.weight, head.norm.bias, head.norm.running_mean, '
        'head.norm.running_var'
    ]


def test_a_head_of_another_size_is_new(said):
    model = Model(classes=3)
    fc = model.head.fc.weight.clone()
    weights = weights_of(Model(classes=8))
    prepare_start(weights, model)
    load_state_dict(model, weights)
    assert torch.equal(model.head.fc.weight, fc)
    assert torch.equal(model.head.norm.weight, torch.ones(2))
    assert 'head.fc.weight (8, 2) for (3, 2), head.fc.bias (8,) for (3,)' in said[0]


@pytest.mark.parametrize('samples', [5, 9])
def test_values_of_single_samples_are_new(said, samples):
    model = Model(samples=5)
    weights = weights_of(Model(samples=samples), running_mean=7)
    prepare_start(weights, model)
    load_state_dict(model, weights)
    assert torch.equal(model.head.targets, torch.zeros(5))
    # Running statistics are weights to start from.
    assert torch.equal(model.head.norm.running_mean, torch.full((2,), 7.0))
    assert 'head.targets' in said[0]


@pytest.mark.parametrize('change', ['missing', 'shape'])
def test_an_unfilled_backbone_is_refused(change):
    weights = weights_of(Model('backbone', 'backbone2'))
    if change == 'missing':
        del weights['backbone2.bias']
        text = r"backbone2: 1 of 4 weights are missing in it \['backbone2.bias'\]"
    else:
        weights['backbone2.weight'] = torch.zeros(3, 2)
        text = r'backbone2.weight \(3, 2\) for \(2, 2\)'
    with pytest.raises(ValueError, match=text):
        prepare_start(weights, Model('backbone', 'backbone2'))


def test_other_names_are_refused():
    weights = {f'encoder.{k}': v for k, v in weights_of(Model()).items()}
    with pytest.raises(ValueError, match=r'2 of 2 .*missing.*holds .*encoder.*Fix:'):
        prepare_start(weights, Model())


def test_one_backbone_of_a_file_starts_each(said):
    model = Model('backbone', 'backbone2')
    weights = {
        'backbone.weight': torch.full((2, 2), 3.0),
        'backbone.bias': torch.zeros(2),
    }
    prepare_start(weights, model)
    load_state_dict(model, weights)
    assert torch.equal(model.backbone2.weight, torch.full((2, 2), 3.0))
    assert torch.equal(model.backbone.weight, torch.full((2, 2), 3.0))
    assert said[0] == 'backbone2 starts from the weights of "backbone" in load_from'
    # They are two networks afterwards.
    model.backbone.weight.data.zero_()
    assert model.backbone2.weight.data.all()


def test_a_backbone_that_differs_is_not_copied():
    model = Model('backbone', 'backbone2')
    model.backbone2 = nn.Linear(2, 4)
    weights = {k: v for k, v in weights_of(Model()).items() if 'backbone' in k}
    with pytest.raises(ValueError, match=r'backbone2: 2 of 4 weights are missing'):
        prepare_start(weights, model)


def test_the_count_of_batches_may_be_missing():
    model = Model()
    model.backbone = nn.BatchNorm1d(2)
    weights = weights_of(model)
    del weights['backbone.num_batches_tracked']
    prepare_start(weights, model)


# where the backbones are


def test_backbones_are_found_by_name():
    model = Model('backbone', 'backbone_teacher')
    assert backbones_of(model) == ['backbone', 'backbone_teacher']
    model = Model()
    model.networks = nn.ModuleList([Model(), Model()])
    model.backbones = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    assert backbones_of(model) == [
        'backbone',
        'networks.0.backbone',
        'networks.1.backbone',
        'backbones.0',
        'backbones.1',
    ]


def test_a_model_may_declare_them():
    model = Model()
    model.pretrained_parts = ('head.fc',)
    assert backbones_of(model) == ['head.fc']
    weights = {k: v for k, v in weights_of(model).items() if 'backbone' in k}
    with pytest.raises(ValueError, match=r'fill head.fc: 2 of 2 weights'):
        prepare_start(weights, model)


def test_without_any_backbone_all_but_the_head_is_needed():
    model = Model('encoder')
    assert backbones_of(model) == []
    weights = weights_of(model)
    prepare_start({k: v for k, v in weights.items() if 'encoder' in k}, model)
    with pytest.raises(ValueError, match=r'2 of 2 weights are missing.*encoder.weight'):
        prepare_start({k: v for k, v in weights.items() if 'head' in k}, model)


# weights that change while they load


def build_vit(img_size):
    arch = dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=16)
    backbone = dict(type='VisionTransformer', arch=arch, img_size=img_size)
    return MODELS.build(dict(type='ImageClassifier', backbone=backbone))


def test_position_embeddings_of_another_size_fit():
    weights = build_vit(64).state_dict()
    assert weights['backbone.pos_embed'].shape == (1, 17, 16)
    prepare_start(weights, build_vit(32))
    check_fits(weights, build_vit(32))
    # They are resized by MMPretrain when they load, not here.
    assert weights['backbone.pos_embed'].shape == (1, 17, 16)


def test_weights_that_the_backbone_renames_fit():
    model = Model()
    model._register_load_state_dict_pre_hook(
        lambda weights, *_: weights.update(
            {k.replace('old', 'backbone'): weights.pop(k) for k in list(weights)}
        )
    )
    renamed = {k.replace('backbone', 'old'): v for k, v in weights_of(model).items()}
    check_fits(dict(renamed), model)
    prepare_start(dict(renamed), model)
    with pytest.raises(ValueError, match='backbone'):
        check_fits(dict(renamed), Model())
