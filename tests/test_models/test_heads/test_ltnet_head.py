import math
from pathlib import Path

import pytest
import torch
from mmpretrain.structures import DataSample
from ranks import Losses, in_two_processes
from short_training import (
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
from eac_mm.datasets import NoisyLabels, SyntheticFER
from eac_mm.models.heads import LTNetHead

CONFIGS = Path(__file__).parents[3] / 'configs/ltnet'
RECIPE = CONFIGS / 'resnet18_syntheticfer_noise30.py'
N, D, L = 4, 5, 3
# Of each sample: the noisy label and that of the second annotator, -1 for none.
LABELS = [(2, 2), (0, 1), (1, -1), (1, 0)]
# Candidates: class 1, class 0, none, class 2.
CANDIDATES = (1, 0, None, 2)
VOTES = [(7, 1, 2, 0), (0, 10, 0, 0), (0, 0, 10, 0), (3, 0, 1, 6)]


def make_head(epoch=3, seed=0, **kwargs):
    torch.manual_seed(seed)
    head = LTNetHead(**{**dict(num_classes=L, in_channels=D, annotators=2), **kwargs})
    with torch.no_grad():  # no longer alike for all annotators and classes
        head.confusion += torch.randn(head.confusion.shape)
    head.epoch = epoch
    return head


def make_features(seed=1, n=N):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, D, generator=generator).requires_grad_()


def samples_of(labels=LABELS):
    samples = [DataSample().set_gt_label(first) for first, *_ in labels]
    for sample, (_, *further) in zip(samples, labels, strict=True):
        sample.set_metainfo(dict(annotator_labels=tuple(further)))
    return samples


def voted(votes=VOTES):
    return [DataSample(metainfo=dict(votes=v)).set_gt_label(0) for v in votes]


def test_the_matrices_start_near_the_identity():
    diagonal = math.exp(5) / (math.exp(5) + 6)
    assert round(diagonal, 2) == 0.96
    matrices = LTNetHead(num_classes=7, in_channels=D, annotators=2).matrices()
    expected = torch.full((2, 7, 7), 1 / (math.exp(5) + 6))
    expected[:, range(7), range(7)] = diagonal
    torch.testing.assert_close(matrices, expected)
    # Class 0 is the second candidate, class 1 the first one, class 2 the last.
    crowd = LTNetHead(L, D, votes=CANDIDATES, certainty=math.log(2)).matrices()
    rows = [[1, 2, 1, 1], [2, 1, 1, 1], [1, 1, 1, 2]]
    torch.testing.assert_close(crowd, torch.tensor([rows]) / 5)


def oracle(features, state, evidence):
    """The loss by its equations, from (sample, annotator, label, times given)."""
    total, loss = 0, 0
    for i, k, j, times in evidence:
        logits = state['fc.weight'] @ features[i] + state['fc.bias']
        truth = logits.exp() / logits.exp().sum()
        rows = state['confusion'][k].exp()
        matrix = rows / rows.sum(1, keepdim=True)
        said = sum(truth[c] * matrix[c, j] for c in range(L))
        loss, total = loss - times * said.log(), total + times
    return loss / total


def assert_equations(head, samples, evidence):
    features, other = make_features(), make_features()
    state = {k: v.detach().clone().requires_grad_() for k, v in head.named_parameters()}
    losses = head.loss((features,), samples)
    assert list(losses) == ['loss']
    expected = oracle(other, state, evidence)
    torch.testing.assert_close(losses['loss'], expected)
    losses['loss'].backward()
    expected.backward()
    torch.testing.assert_close(features.grad, other.grad)
    for name, parameter in head.named_parameters():
        torch.testing.assert_close(parameter.grad, state[name].grad, msg=name)
        assert parameter.grad.abs().max() > 1e-4


def test_loss_and_gradients_are_those_of_the_equations():
    evidence = [
        (i, k, label, 1)
        for i, labels in enumerate(LABELS)
        for k, label in enumerate(labels)
        if label >= 0
    ]
    assert len(evidence) == 7
    assert_equations(make_head(), samples_of(), evidence)


def test_a_crowd_shares_one_matrix():
    evidence = [
        (i, 0, j, times)
        for i, votes in enumerate(VOTES)
        for j, times in enumerate(votes)
        if times
    ]
    assert_equations(make_head(annotators=1, votes=CANDIDATES), voted(), evidence)


def test_a_loss_by_hand():
    head = make_head(annotators=1)
    with torch.no_grad():
        head.fc.weight.zero_()
        head.fc.bias.copy_(torch.tensor([0.5, 0.3, 0.2]).log())
        head.confusion.copy_(
            torch.tensor([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]]).log()
        )
    # Label 1: 0.5 * 0.1 + 0.3 * 0.6 + 0.2 * 0.3; label 2: 0.05 + 0.06 + 0.08
    features = torch.zeros(2, D)
    loss = head.loss((features,), samples_of([(1,), (2,)]))['loss']
    assert loss.item() == pytest.approx(-(math.log(0.29) + math.log(0.19)) / 2)


@pytest.mark.parametrize('epoch', [0, 2])
def test_the_first_annotator_alone_warms_up(epoch):
    head, features = make_head(epoch), make_features()
    loss = head.loss((features,), samples_of())['loss']
    given = torch.tensor([first for first, _ in LABELS])
    torch.testing.assert_close(loss, F.cross_entropy(head((features,)), given))
    loss.backward()
    assert not head.confusion.grad.any()  # and not None: several processes wait for it
    assert head.fc.weight.grad.any()


def test_votes_for_classes_alone_warm_up():
    head, features = make_head(0, annotators=1, votes=CANDIDATES), make_features()
    loss = head.loss((features,), voted())['loss']
    # Counts of classes 0, 1, 2: the candidates in the order of the classes
    counts = torch.tensor([[1, 7, 0], [10, 0, 0], [0, 0, 0], [0, 3, 6]])
    said = head((features,)).log_softmax(1)
    torch.testing.assert_close(loss, -(counts * said).sum() / 27)


def test_groups_without_labels_are_handled():
    head, features = make_head(), make_features(n=1)
    loss = head.loss((features,), samples_of([(-1, -1)]))['loss']
    assert loss.item() == 0
    loss.backward()
    assert not features.grad.any()
    one = head.loss((features,), samples_of([(-1, 1)]))['loss']  # a batch of one
    assert one.item() > 0


def test_a_label_that_cannot_be_stays_finite():
    head = make_head(annotators=1)
    with torch.no_grad():
        head.fc.weight.zero_()
        head.fc.bias.copy_(torch.tensor([500.0, 0.0, 0.0]))
        head.confusion.copy_(torch.eye(3) * 500)
    features = make_features(n=1)
    loss = head.loss((features,), samples_of([(1,)]))['loss']
    # h_1 and T_01 are both exp(-500), which float32 cannot hold: 500 - log 2
    assert loss.item() == pytest.approx(500 - math.log(2))
    loss.backward()
    assert head.confusion.grad.isfinite().all()


def test_bfloat16_is_left_for_the_logarithms():
    head, features = make_head(), make_features()
    with torch.autocast('cpu', torch.bfloat16):
        logits = head((features,))
        loss = head.loss((features,), samples_of())['loss']
    assert (logits.dtype, loss.dtype) == (torch.bfloat16, torch.float32)
    exact = head.loss((features,), samples_of())['loss']
    assert loss.item() == pytest.approx(exact.item(), rel=0.02)
    loss.backward()
    assert features.grad.isfinite().all() and features.grad.any()


def test_in_testing_it_is_a_linear_head_of_the_latent_truth():
    head, features = make_head(epoch=None), make_features().detach()
    expected = features @ head.fc.weight.T + head.fc.bias
    head.confusion = None
    torch.testing.assert_close(head((features,)), expected)
    (predicted,) = head.predict((features[:1],))  # one image is enough
    torch.testing.assert_close(predicted.pred_score, expected[0].softmax(0))


def test_what_is_recorded_is_the_latent_truth():
    head, features = make_head(cal_acc=True), make_features()
    plain, taken = head.loss((features,), samples_of()), []
    head.recorder = lambda logits: taken.extend(logits)
    recorded = head.loss((features,), samples_of())
    (logits,) = taken
    torch.testing.assert_close(logits, head((features,)))
    assert torch.equal(recorded['loss'], plain['loss'])
    given = torch.tensor([first for first, _ in LABELS])
    right = (logits.argmax(1) == given).float().mean() * 100
    assert recorded['accuracy_top-1'][0].item() == pytest.approx(right.item())


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(annotators=0), 'annotators=0: .*Fix: model.head.annotators=1'),
        (dict(annotators=2, votes=(0, 1, 2)), 'one crowd.*Fix: model.head.annotators'),
        (dict(annotators=1, votes=(0, 1, None)), 'each of the classes 0 to 2.*Fix:'),
        (dict(annotators=1, votes=(0, 1, 2, 3)), 'beside them None alone.*Fix:'),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        LTNetHead(num_classes=L, in_channels=D, **settings)


def test_samples_that_do_not_fit_are_refused():
    features = (make_features(n=1),)
    with pytest.raises(ValueError, match='the epoch. Fix: default_hooks.epoch'):
        make_head(epoch=None).loss(features, samples_of([(0, 1)]))
    with pytest.raises(ValueError, match="0 more. Fix: .*'AnnotatedLabels' with 1 fil"):
        make_head().loss(features, [DataSample().set_gt_label(0)])
    crowd = make_head(annotators=1, votes=CANDIDATES)
    with pytest.raises(ValueError, match='4 vote counts, .*carries None. Fix:'):
        crowd.loss(features, [DataSample().set_gt_label(0)])
    with pytest.raises(ValueError, match=r'Fix: no model.train_cfg.augments'):
        make_head().loss(features, [DataSample().set_gt_score(torch.ones(L) / L)])
    noisy = voted([(7, 1, 2, 0)])
    noisy[0].set_metainfo(dict(clean_label=1))
    with pytest.raises(ValueError, match=r'tell the clean labels.*dataset.rate=0.0'):
        crowd.loss(features, noisy)


def step_on_rank(rank, epoch):
    """Gradients of a step of two ranks, and those of this rank's half alone."""
    head, alone, features = make_head(epoch), make_head(epoch), make_features(seed=rank)
    for step in (alone.loss, DistributedDataParallel(Losses(head))):
        step((features.detach(),), samples_of())['loss'].backward()
    return [
        torch.cat([p.grad.flatten() for p in model.parameters()]).tolist()
        for model in (head, alone)
    ]


@pytest.mark.parametrize('epoch', [0, 3])
def test_two_processes_take_the_mean(epoch):
    (one, alone), (other, alone_too) = in_two_processes(step_on_rank, epoch)
    assert one == other
    mean = (torch.tensor(alone) + torch.tensor(alone_too)) / 2
    torch.testing.assert_close(torch.tensor(one), mean)
    assert alone != alone_too


@pytest.fixture
def annotator(tmp_path):
    """Options that name the file of a second annotator for the short trainings."""
    faces = SyntheticFER(split='train', size=SAMPLES, img_size=48)
    path = tmp_path / 'annotator.txt'
    NoisyLabels(faces, rate=0.5, seed=7).write(path)
    return {'train_dataloader.dataset.annotators': [str(path)]}


def test_it_resumes_exactly(tmp_path, annotator):
    options = {**annotator, 'model.head.warmup': 1, 'train_cfg.max_epochs': 2}
    moved = []
    start = LTNetHead(num_classes=7, in_channels=D, annotators=2).confusion.detach()

    def watch(runner):
        moved.append(not torch.equal(runner.model.head.confusion, start))

    watching = [At(step, watch) for step in (2, 3, 4)]
    whole = train(RECIPE, tmp_path / 'whole', *watching, **options)
    assert moved == [False, False, True]  # from the first step of epoch 2 on
    decays = {
        group.get('weight_decay')
        for group in whole.optim_wrapper.param_groups
        if any(p is whole.model.head.confusion for p in group['params'])
    }
    assert decays == {0}
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill), **options)
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth', **options)
    assert resumed.iter == 6
    assert_same(resumed, whole)


def test_it_starts_from_the_weights_of_a_backbone(tmp_path, annotator):
    start_from_backbone(RECIPE, tmp_path, **annotator)


def test_the_recipes_know_the_candidates_of_ferplus():
    # The columns of its csv in the order of our classes, as FERPlus documents them:
    # surprise, fear, disgust, happy, sad, angry, neutral.
    columns = [2, 6, 5, 1, 3, 4, 0]
    for path in CONFIGS.glob('*votes*.py'):
        votes = load_config(path).model.head.votes
        assert [votes.index(label) for label in range(7)] == columns
        assert list(votes[7:]) == [None] * 3  # contempt, unknown, NF
