import math
from pathlib import Path

import pytest
import torch
from mmpretrain.registry import DATASETS, MODELS
from mmpretrain.structures import DataSample
from ranks import in_two_processes
from short_training import (
    OPTIONS,
    SAMPLES,
    At,
    Killed,
    assert_same,
    kill,
    start_from_backbone,
    train,
)
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from eac_mm.apis import load_config
from eac_mm.datasets.fingerprint import fingerprint
from eac_mm.engine.weights_fit import prepare_start
from eac_mm.models.classifiers.ktn_student import distillation, divergence
from eac_mm.utils.identity import compare, describe_settings, first_weights

CONFIGS = Path(__file__).parents[3] / 'configs/ktn'
RECIPE = CONFIGS / 'resnet18_syntheticfer_noise30.py'
N = 4
LABELS = [2, 0, 0, 5]


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """A checkpoint of the recipe's teacher."""
    torch.manual_seed(7)
    teacher = MODELS.build(load_config(RECIPE).model.teacher)
    path = tmp_path_factory.mktemp('teacher') / 'epoch_1.pth'
    torch.save(dict(state_dict=teacher.state_dict()), path)
    return str(path)


def make_model(weights, seed=0, **settings):
    torch.manual_seed(seed)
    cfg = load_config(RECIPE).model
    cfg.update(teacher_weights=weights, **settings)
    model = MODELS.build(cfg)
    model.init_weights()
    model.history.resize(8)
    return model.train()


def make_images(n=N, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, 32, 32, generator=generator)


def samples_of(labels=LABELS, first=0):
    return [
        DataSample(metainfo=dict(sample_idx=first + i)).set_gt_label(label)
        for i, label in enumerate(labels)
    ]


def test_divergences_and_gradients_by_hand():
    target = torch.tensor([[0.5, 0.5], [0.0, 0.0]])  # the second was not served before
    p = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    logits = p.log().requires_grad_()
    value = divergence(target, logits)
    expected = (0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)) / 2
    assert value.item() == pytest.approx(expected)
    value.backward()
    torch.testing.assert_close(
        logits.grad, torch.tensor([[-0.25, 0.25], [0.0, 0.0]]) / 2
    )
    # At T = 2 probabilities go by square roots: 1 to 3 for the teacher, 1 to 1.
    taught, logits = torch.tensor([[1.0, 9.0]]).log(), torch.tensor([[2.0, 2.0]])
    expected = 4 * (0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5))
    assert distillation(logits, taught, 2.0).item() == pytest.approx(expected)


def test_the_losses_of_two_steps(weights):
    settings = dict(teacher_weight=0.25, temperature=2.0, history_weight=3.0)
    model, images = make_model(weights, **settings), make_images()
    teacher = MODELS.build(load_config(RECIPE).model.teacher).eval()
    teacher.load_state_dict(torch.load(weights)['state_dict'])
    with torch.no_grad():
        taught = teacher(images, mode='tensor')

    def step(before, class_weights):
        logits = model.head(model.extract_feat(images))
        labels = torch.tensor(LABELS)
        cls = F.cross_entropy(logits, labels, reduction='none')
        soft = (taught / 2).softmax(1)
        kl = (soft * (soft.log() - (logits / 2).log_softmax(1))).sum() / N
        history = 0.0
        if before is not None:
            history = (before * (before / logits.softmax(1)).log()).sum() / N
        expected = dict(
            loss_cls=0.75 * (class_weights[labels] * cls).mean(),
            loss_teacher=0.25 * 4 * kl,
            loss_history=torch.as_tensor(3.0 * history),
        )
        losses = model.loss(images, samples_of())
        for name, value in expected.items():
            torch.testing.assert_close(losses[name], value, atol=1e-5, rtol=1e-4)
        assert set(losses) == set(expected)
        sum(losses.values()).backward()
        return logits.detach().softmax(1)

    first = step(None, torch.ones(7))
    torch.testing.assert_close(model.history.values[:N], first)
    assert not model.history.values[N:].any()
    with torch.no_grad():
        model.head.fc.weight.mul_(-2)  # so that it says something else
    loss = model.head.loss_module
    step(first, loss.class_weights())
    assert all(p.grad is None for p in model.teacher.parameters())
    assert all(p.grad is not None for p in model.backbone.parameters())


def test_the_teacher_stays_as_it_was(weights):
    model = make_model(weights)
    saved = torch.load(weights)['state_dict']
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    sum(model.loss(make_images(), samples_of()).values()).backward()
    optimiser.step()
    for key, value in model.teacher.state_dict().items():
        assert torch.equal(value, saved[key]), key  # running statistics too
    assert model.training and not model.teacher.training


def test_in_testing_the_teacher_does_not_run(weights):
    model, images = make_model(weights).eval(), make_images()
    model.teacher = None
    expected = model.head.fc(model.backbone(images)[-1].mean((2, 3)))
    torch.testing.assert_close(model(images, mode='tensor'), expected)
    predicted = model.predict(images[:1])
    torch.testing.assert_close(predicted[0].pred_score, expected[0].softmax(0))


def test_a_batch_of_one_trains(weights):
    losses = make_model(weights).loss(make_images(1), samples_of([3]))
    assert all(loss.isfinite() for loss in losses.values())


def test_bfloat16_is_left_for_the_divergences(weights):
    model, exact = make_model(weights), make_model(weights)
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(make_images(), samples_of())
    expected = exact.loss(make_images(), samples_of())
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(expected[name].item(), rel=0.1, abs=1e-3)
    assert model.history.values.dtype == torch.float32
    sums = model.history.values[:N].sum(1)
    torch.testing.assert_close(sums, torch.ones(N))


def test_weights_that_are_refused(weights, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'Fix: train the teacher first'):
        make_model(str(tmp_path / 'none.pth'))
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(1)}), other)
    with pytest.raises(ValueError, match=r'(?s)does not hold the teacher .* Fix: '):
        make_model(str(other))


@pytest.mark.parametrize(
    'wrong', [dict(teacher_weight=1.5), dict(temperature=0), dict(history_weight=-1)]
)
def test_settings_that_are_refused(wrong, weights):
    with pytest.raises(ValueError, match=r'Fix: model.teacher_weight=0.5'):
        make_model(weights, **wrong)


def test_mixed_samples_are_refused(weights):
    model, samples = make_model(weights), samples_of()
    for sample in samples:
        sample.set_gt_score(torch.full((7,), 1 / 7))
    with pytest.raises(ValueError, match=r'no sample. Fix: no batch augmentations'):
        model.loss(make_images(), samples)
    assert not model.history.values.any()


def step_on_rank(rank, weights):
    model = make_model(weights)
    wrapped = DistributedDataParallel(model, broadcast_buffers=False)
    samples = samples_of(first=N * rank)
    losses = wrapped(make_images(seed=rank), samples, mode='loss')
    sum(losses.values()).backward()
    gradient = model.head.fc.weight.grad
    return model.history.values.tolist(), gradient.tolist()


def test_two_processes_remember_the_samples_of_both(weights):
    one, other = in_two_processes(step_on_rank, weights)
    assert one == other
    sums = torch.tensor(one[0]).sum(1)
    torch.testing.assert_close(sums, torch.ones(8))


def test_it_resumes_exactly(tmp_path, weights):
    options = {'model.teacher_weights': weights}
    whole = train(RECIPE, tmp_path / 'whole', **options)
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill), **options)
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth', **options)
    assert resumed.iter == 6
    assert_same(resumed, whole)
    sums = whole.model.history.values.sum(1)
    torch.testing.assert_close(sums, torch.ones(SAMPLES))


def test_it_starts_from_the_weights_of_a_backbone(tmp_path, weights):
    taught = torch.load(weights)['state_dict']

    def look(runner, _):
        for key, value in runner.model.teacher.state_dict().items():
            assert torch.equal(value, taught[key]), key
        assert not runner.model.history.values.any()

    options = {'model.teacher_weights': weights}
    start_from_backbone(RECIPE, tmp_path, look, **options)


def test_weights_of_a_student_leave_the_teacher_as_it_is(weights):
    model = make_model(weights)
    ones = {key: torch.ones_like(w) for key, w in model.state_dict().items()}
    prepare_start(ones, model)
    assert not any(key.startswith('teacher.') for key in ones)
    assert set(model.backbone.state_dict()) <= {
        key.removeprefix('backbone.') for key in ones
    }


@pytest.mark.parametrize('same', [True, False])
def test_a_teacher_of_other_labels_is_refused(tmp_path, weights, same):
    data = DATASETS.build(load_config(RECIPE, OPTIONS).train_dataloader.dataset)
    labels = fingerprint(data)['labels'] if same else '0' * 16
    meta = dict(identity=dict(data=dict(train=dict(labels=labels))))
    path = tmp_path / 'teacher.pth'
    torch.save(dict(torch.load(weights), meta=meta), path)
    options = {'model.teacher_weights': str(path)}
    if same:
        runner = train(RECIPE, tmp_path / 'run', **options)
        assert runner.model.teacher_labels == labels
    else:
        with pytest.raises(ValueError, match=r'other labels .* Fix: train the teacher'):
            train(RECIPE, tmp_path / 'run', **options)


def test_a_teacher_that_moved_is_the_same_run():
    cfg = load_config(RECIPE)
    one = describe_settings(cfg)
    cfg.model.teacher_weights = '/elsewhere/epoch_30.pth'
    assert compare(one, describe_settings(cfg)) == ([], [])
    assert first_weights(cfg) == ['epoch_30.pth']
