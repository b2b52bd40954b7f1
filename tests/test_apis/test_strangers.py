import pytest

from eac_mm.apis import load_config, strangers

RECIPE = 'configs/eac/resnet18_rafdb_noise30.py'
LEFT_OUT = 'optim_wrapper.optimizer: {} takes the place of Adam and does not take fused'


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(strangers, 'print_log', lambda text, *_: lines.append(text))
    return lines


@pytest.mark.parametrize('name', ['RMSprop', 'Lamb', 'Adadelta', 'LARS'])
def test_another_optimizer_does_not_inherit_what_it_does_not_take(name, said):
    cfg = load_config(RECIPE, {'optim_wrapper.optimizer.type': name})
    # lr and weight decay of the paper's schedule
    assert cfg.optim_wrapper.optimizer == dict(type=name, lr=2e-4, weight_decay=1e-4)
    assert said == [
        f'{LEFT_OUT.format(name)}, which the recipe set for it: left out. It keeps '
        'lr=0.0002, weight_decay=0.0001 of the recipe.'
    ]


def test_what_is_taken_and_what_is_given_stay(said):
    cfg = load_config(RECIPE, {'optim_wrapper.optimizer.type': 'AdamW'})
    assert cfg.optim_wrapper.optimizer.fused is True
    options = {'optim_wrapper.optimizer.type': 'SGD', 'optim_wrapper.optimizer.lr': 1}
    assert load_config(RECIPE, options).optim_wrapper.optimizer.lr == 1
    assert said == []
    options = {
        'optim_wrapper.optimizer.type': 'RMSprop',
        'optim_wrapper.optimizer.fused': True,
    }
    with pytest.raises(ValueError, match=r'optimizer\.fused: RMSprop does not take it'):
        load_config(RECIPE, options)


@pytest.mark.parametrize(
    ('options', 'scheduler'),
    [
        (
            {'param_scheduler.type': 'CosineAnnealingLR', 'param_scheduler.T_max': 60},
            dict(type='CosineAnnealingLR', T_max=60, by_epoch=True),
        ),
        (
            {'param_scheduler.type': 'MultiStepLR', 'param_scheduler.milestones': [9]},
            dict(type='MultiStepLR', milestones=[9], gamma=0.9, by_epoch=True),
        ),
        (
            {'param_scheduler': dict(type='PolyLR', power=2)},
            dict(type='PolyLR', power=2, by_epoch=True),
        ),
    ],
)
def test_another_schedule(options, scheduler, said):
    assert load_config(RECIPE, options).param_scheduler == scheduler


def test_entries_of_a_list(tmp_path, said):
    path = tmp_path / 'recipe.py'
    path.write_text(
        "param_scheduler = [dict(type='LinearLR', start_factor=0.1, end=5), "
        "dict(type='ExponentialLR', gamma=0.9)]"
    )
    cfg = load_config(path, {'param_scheduler.0.type': 'ConstantLR'})
    assert cfg.param_scheduler[0] == dict(type='ConstantLR', end=5)
    assert cfg.param_scheduler[1] == dict(type='ExponentialLR', gamma=0.9)


def test_amp_needs_no_loss_scale(tmp_path, said):
    path = tmp_path / 'recipe.py'
    path.write_text(
        "optim_wrapper = dict(type='AmpOptimWrapper', loss_scale='dynamic', "
        "clip_grad=dict(max_norm=1), optimizer=dict(type='SGD', lr=0.1))"
    )
    cfg = load_config(path, amp=True)
    assert cfg.optim_wrapper == dict(
        type='BFloat16OptimWrapper',
        clip_grad=dict(max_norm=1),
        optimizer=dict(type='SGD', lr=0.1),
    )


def test_a_recipe_is_told_how_to_replace_a_part_of_its_base(tmp_path):
    path = tmp_path / 'recipe.py'
    (tmp_path / 'base.py').write_text(
        "optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3, fused=True))\n"
        "param_scheduler = dict(type='ExponentialLR', gamma=0.9)"
    )
    text = (
        "_base_ = 'base.py'\noptim_wrapper = dict(optimizer=dict({}type='RMSprop'))\n"
        "param_scheduler = dict({}type='StepLR', step_size=9)"
    )
    path.write_text(text.format('', ''))
    with pytest.raises(ValueError, match=r'(?s)fused: RMSprop.*_delete_=True'):
        load_config(path)
    path.write_text(text.format('_delete_=True, ', ''))
    cfg = load_config(path)
    assert cfg.optim_wrapper.optimizer == dict(type='RMSprop')


def test_a_constructor_of_several_optimizers_is_trusted(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text(
        "optim_wrapper = dict(constructor='LearningRateDecayOptimWrapperConstructor', "
        "one=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1)))"
    )
    assert load_config(path).optim_wrapper.one.optimizer.lr == 1


def test_labels_from_a_file_take_the_place_of_noise_to_draw(said):
    place = 'train_dataloader.dataset'
    cfg = load_config(RECIPE, {f'{place}.noise_file': 'own.txt'})
    assert cfg.train_dataloader.dataset.rate == 0
    text = f'{place}: noise_file=own.txt takes the place of rate=0.3 of the recipe'
    assert said == [text]
    both = {f'{place}.noise_file': 'own.txt', f'{place}.rate': 0.2}
    assert load_config(RECIPE, both).train_dataloader.dataset.rate == 0.2
