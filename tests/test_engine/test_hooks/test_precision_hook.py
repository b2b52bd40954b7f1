"""Training, validation, memorisation and test run in one precision."""

import json

import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner

from eac_mm.apis import build_runner, load_config
from eac_mm.engine import BFloat16OptimWrapper, PrecisionHook, training_precision
from eac_mm.engine.hooks.precision_hook import precision_of
from eac_mm.utils import hardware

RECIPE = 'configs/eac/resnet18_syntheticfer_noise30.py'
DTYPES = {'bfloat16': torch.bfloat16, 'float32': torch.float32}


@pytest.fixture(autouse=True)
def can_bfloat16(monkeypatch, pytestconfig):
    monkeypatch.setattr(hardware, 'has_fast_bfloat16', lambda: True)
    monkeypatch.setattr(hardware, 'bfloat16_unit', lambda: 'amx_bf16')
    monkeypatch.chdir(pytestconfig.rootpath)
    # they take most of the time of so small a run
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    monkeypatch.setattr(Runner, 'dump_config', lambda *args: None)


@pytest.fixture
def make_runner(tmp_path):
    def make(amp=False, load_from=None, name='run', **options):
        options = {
            'train_cfg.max_epochs': 1,
            'train_dataloader.batch_size': 4,
            'train_dataloader.dataset.rate': 0.5,
            'optim_wrapper.type': f'{"BFloat16" if amp else ""}OptimWrapper',
            **{
                f'{split}_dataloader.{key}': value
                for split, inner in dict(train='.dataset', val='', test='').items()
                for key, value in {
                    'num_workers': 0,
                    f'dataset{inner}.size': 8 if inner else 7,
                    f'dataset{inner}.img_size': 32,
                }.items()
            },
            **options,
        }
        options['test_dataloader.dataset.split'] = 'val'
        cfg = load_config(RECIPE, options, str(tmp_path / name))
        cfg.load_from = load_from
        return build_runner(cfg)

    return make


def watch(runner):
    """Batch size and precision of the backbone's passes, by training mode."""
    batches = {True: [], False: []}

    def see(backbone, inputs, outputs):
        batches[backbone.training].append((len(inputs[0]), outputs[-1].dtype))

    runner.model.backbone.register_forward_hook(see)
    return batches


@pytest.mark.parametrize('precision', DTYPES)
def test_validation_runs_in_the_precision_of_training(make_runner, precision):
    dtype = DTYPES[precision]
    runner = make_runner(amp=precision == 'bfloat16')
    batches = watch(runner)
    runner.train()
    assert set(batches[True]) == {(4, dtype)}
    # the test images, then those with a wrong label
    [hook] = [h for h in runner.hooks if type(h).__name__ == 'MemorisationHook']
    assert batches[False][-2:] == [(7, dtype), (len(hook._samples), dtype)]
    assert all(p.dtype == torch.float32 for p in runner.model.parameters())
    assert training_precision(runner) == precision


@pytest.mark.parametrize('precision', DTYPES)
def test_a_checkpoint_scores_in_a_test_as_in_its_validation(
    make_runner, tmp_path, precision
):
    runner = make_runner(amp=precision == 'bfloat16')
    runner.train()
    scores = [s.pred_score for s in predict(runner.model, runner)]
    path = str(tmp_path / 'run' / 'epoch_1.pth')
    meta = torch.load(path, weights_only=True)['meta']
    assert meta['precision'] == precision

    tester = make_runner(load_from=path)  # the recipe in float32
    batches = watch(tester)
    metrics = tester.test()
    assert batches[False] == [(7, DTYPES[precision])]
    again = [s.pred_score for s in predict(tester.model, tester)]
    assert all(a.equal(b) for a, b in zip(scores, again, strict=True))
    [epoch] = json.loads((tmp_path / 'run' / 'result.json').read_text())['epochs']
    assert metrics['accuracy/top1'] == pytest.approx(epoch['accuracy/top1'], abs=1e-4)


def predict(model, runner):
    model.eval()
    loader = runner.build_dataloader(runner.cfg.test_dataloader)
    with torch.no_grad():
        return [sample for batch in loader for sample in model.test_step(batch)]


def test_a_checkpoint_that_does_not_say(make_runner, tmp_path):
    runner = make_runner()
    path = str(tmp_path / 'weights.pth')
    torch.save(dict(state_dict=runner.model.state_dict()), path)
    for amp, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        tester = make_runner(amp=amp, load_from=path)
        batches = watch(tester)
        tester.test()
        assert batches[False] == [(7, dtype)]


def test_weights_to_start_from_do_not_decide(make_runner, tmp_path):
    first = make_runner(amp=True)
    first.train()
    path = str(tmp_path / 'run' / 'epoch_1.pth')
    fine = make_runner(load_from=path, name='fine')
    batches = watch(fine)
    fine.train()
    assert batches[False][-1][1] == torch.float32
    saved = torch.load(tmp_path / 'fine' / 'epoch_1.pth', weights_only=True)
    assert saved['meta']['precision'] == 'float32'


def test_another_precision_on_request(make_runner, tmp_path):
    make_runner(amp=True).train()
    path = str(tmp_path / 'run' / 'epoch_1.pth')
    tester = make_runner(load_from=path, **{'default_hooks.precision.dtype': 'float32'})
    batches = watch(tester)
    tester.test()
    assert batches[False] == [(7, torch.float32)]


def test_a_cpu_without_bfloat16(make_runner, tmp_path, monkeypatch):
    make_runner(amp=True).train()
    monkeypatch.setattr(hardware, 'has_fast_bfloat16', lambda: False)
    monkeypatch.setattr(hardware, 'instructions', lambda: 'avx2')
    tester = make_runner(load_from=str(tmp_path / 'run' / 'epoch_1.pth'))
    batches = watch(tester)
    tester.test()
    assert batches[False] == [(7, torch.float32)]
    log = ''.join(path.read_text() for path in tmp_path.glob('run/*/*.log'))
    why = 'this CPU (avx2) only emulates bfloat16, which takes longer'
    assert f'Testing in float32 instead of bfloat16: {why}' in log


WHY = 'float32 instead of bfloat16: this CPU (avx2) only emulates bfloat16, which'


@pytest.mark.parametrize(
    ('fast', 'options', 'line'),
    [
        (True, {}, 'Training and validation in bfloat16, which this CPU multiplies by'),
        (False, {}, f'Training and validation in {WHY} takes longer'),
        (
            *(False, {'default_hooks.precision.dtype': 'float32'}),
            f'Training in {WHY} takes longer; validation in float32, as configured',
        ),
    ],
)
def test_a_training_says_its_precision_once(
    make_runner, tmp_path, monkeypatch, fast, options, line
):
    monkeypatch.setattr(hardware, 'has_fast_bfloat16', lambda: fast)
    monkeypatch.setattr(hardware, 'instructions', lambda: 'avx2')
    runner = make_runner(amp=True, **options)
    runner.train()
    log = ''.join(path.read_text() for path in tmp_path.glob('run/*/*.log'))
    assert log.count(line) == 1
    assert log.index(line) < log.index('Epoch(val)')
    assert training_precision(runner) == ('bfloat16' if fast else 'float32')


def test_one_wrapping_for_training_and_test(make_runner):
    runner = make_runner()
    runner.train()
    step = runner.model.test_step
    runner.test()
    assert runner.model.test_step is step


@pytest.mark.parametrize(
    ('wrapper', 'precision'),
    [
        (None, 'float32'),
        (dict(), 'float32'),
        (dict(type='OptimWrapper'), 'float32'),
        (dict(type=OptimWrapper), 'float32'),
        (dict(type='BFloat16OptimWrapper'), 'bfloat16'),
        (dict(type=BFloat16OptimWrapper), 'bfloat16'),
        (dict(type='AmpOptimWrapper'), 'float16'),
        (dict(type=AmpOptimWrapper, dtype='bfloat16'), 'bfloat16'),
    ],
)
def test_precision_of_a_config(wrapper, precision):
    assert precision_of(wrapper) == precision


def test_precision_of_mmengine_s_wrapper():
    wrapper = AmpOptimWrapper.__new__(AmpOptimWrapper)  # its own needs a GPU
    for dtype, precision in ((None, 'float16'), (torch.bfloat16, 'bfloat16')):
        wrapper.cast_dtype = dtype
        assert precision_of(wrapper) == precision


def test_unknown_precision():
    with pytest.raises(ValueError, match=r"dtype='half' is unknown. Fix: choose one"):
        PrecisionHook('half')
