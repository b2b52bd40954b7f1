"""The benchmark computes what it compares, and reports what it measured."""

import math
import operator
import os
import platform
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from eac_mm.models import AttentionConsistencyLoss, EACHead, attention_maps

FOLDER = Path(__file__).parents[2] / 'tools' / 'benchmark'
MODULES = (
    'benchmark',
    'contenders',
    'interleave',
    'made_data',
    'own_process',
    'parts',
    'released',
    'report',
    'review_page',
    'scaling',
)


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in MODULES:
        sys.modules.pop(name, None)


def test_the_released_loss_is_ours():
    import released

    torch.manual_seed(0)
    first, second = torch.randn(2, 3, 8, 5, 5).unbind()
    weight = torch.randn(4, 8)
    theirs = [released.maps(features, weight) for features in (first, second)]
    ours = [attention_maps(features, weight) for features in (first, second)]
    torch.testing.assert_close(theirs[0], ours[0])
    torch.testing.assert_close(
        released.consistency(*theirs, released.flip_grid(5, 5)),
        AttentionConsistencyLoss('mse')(*ours),
    )


class Backbone(nn.Conv2d):
    """A convolution in place of a network; gives a tuple as MMPretrain's do."""

    def forward(self, images):
        return (super().forward(images),)


def test_the_released_step_is_ours():
    import released
    from mmpretrain.structures import DataSample

    torch.manual_seed(0)
    step = released.Step(Backbone(3, 6, 3), channels=6, classes=4)
    head = EACHead(num_classes=4, in_channels=6)
    head.fc.load_state_dict(step.classifier.state_dict())
    views = list(torch.randn(2, 2, 3, 7, 7))
    labels = torch.tensor([3, 1])
    features = tuple(step.backbone(view)[0] for view in views)
    samples = [DataSample().set_gt_label(label) for label in labels]
    losses = head.loss(tuple(f.mean((2, 3)) for f in features), samples, features)
    before = step.classifier.weight.detach().clone()
    torch.testing.assert_close(step(views, labels), sum(losses.values()))
    assert not torch.equal(step.classifier.weight, before)


def test_contenders_take_turns():
    import interleave

    calls = []

    def contender(name):
        calls.append(name)
        return float(len(calls))

    contenders = {name: partial(contender, name) for name in 'abc'}
    seconds = interleave.measure(contenders, rounds=2)
    assert ''.join(calls) == 'abcbcacab'
    assert seconds == dict(a=[6.0, 8.0], b=[4.0, 9.0], c=[5.0, 7.0])
    assert interleave.ratios([6.0, 3.0], [2.0, 6.0]) == [3.0, 0.5]
    expected = dict(median=3.0, low=2.0, high=4.0)
    assert interleave.summary([1.0, 2.0, 3.0, 4.0, 5.0]) == expected


CALL = operator.methodcaller('__call__')
glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc', reason='measures as glibc and Linux do'
)


def megabytes(number):
    """Build a run that writes so much memory and frees it again."""
    return partial(partial, torch.ones, number * 2**18)


def test_a_contender_has_a_process_of_its_own():
    from own_process import OwnProcess

    with OwnProcess(partial(partial, os.getpid), keep_memory=False) as process:
        answers = {process.ask(CALL) for _ in range(2)}
        assert len(answers) == 1
        assert os.getpid() not in answers
    with OwnProcess(partial(partial, torch.get_num_threads), False, 2) as process:
        assert process.ask(CALL) == 2
    with OwnProcess(partial(partial, time.sleep, 0.1), False) as process:
        assert 0.1 <= process() < 5  # of one run, though a turn has several


def test_no_process_is_in_all_rounds(monkeypatch):
    import parts

    lives = []

    class Contender:
        def __init__(self, build, keep_memory, threads):
            lives.append((build, keep_memory, threads))
            self.number = len(lives)

        def __call__(self):
            return float(self.number)

        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

    monkeypatch.setattr(parts, 'OwnProcess', Contender)
    monkeypatch.setattr(parts, 'LIFE', 2)
    seconds = parts.in_turns({'released': 'a', 'eac_mm, x': 'b'}, 3, threads=1)
    assert seconds == {'released': [1.0, 1.0, 3.0], 'eac_mm, x': [2.0, 2.0, 4.0]}
    assert lives == [('a', False, 1), ('b', True, 1)] * 2


def test_a_contender_that_fails():
    from own_process import OwnProcess

    with pytest.raises(RuntimeError, match=r'died \(exit code 1\)'):
        OwnProcess(partial(int, 'x'), keep_memory=False)
    process = OwnProcess(partial(partial, int, 'x'), keep_memory=False)
    with process, pytest.raises(RuntimeError, match=r'died \(exit code 1\)'):
        process()


@glibc
def test_memory_of_a_contender():
    import own_process

    for size in (8, 256):  # below and above what glibc gives back by itself
        with own_process.OwnProcess(megabytes(size), keep_memory=False) as process:
            peak = process.ask(own_process.peak)
            assert peak == pytest.approx(size * 2**20, rel=0.1)
            resident = process.ask(own_process.resident)
            assert peak + 2**26 < resident < peak + 2**31


def test_page_and_plot(tmp_path):
    import report

    setting = dict(batch=32, size=224, rounds=2, width=64)
    step = {
        'released': [6.0, 8.0],
        'eac_mm, float32': [5.0, 5.0],
        'eac_mm, bfloat16': [3.0, 4.0],
        'bare backbone, float32': [5.0, 5.0],
        'bare backbone, bfloat16': [2.5, 2.5],
    }
    profile = {'released': {'conv': 3.0, 'add': 1.0}, 'eac_mm': {'add': 2.0}}
    entry = dict(machine='a machine', threads=2, setting=setting)
    measured = dict(step=dict(entry, values=step), profile=dict(entry, values=profile))
    page = report.markdown(measured, 'cpu-avx2')
    rows = [[c.strip() for c in line.split('|')[1:-1]] for line in page.splitlines()]
    # ratios of (6/5, 8/5), (6/3, 8/4) and (3/2.5, 4/2.5)
    line = 'step: released / eac_mm,'
    assert [f'{line} float32', '1.400', '1.3 to 1.5', 'at least 1.15', 'yes'] in rows
    assert [f'{line} bfloat16', '2.000', '', 'at least 3', '**no**'] in rows
    line = 'step: eac_mm, bfloat16 / bare backbone, bfloat16'
    assert [line, '1.400', '1.3 to 1.5', 'at most 1.02', '**no**'] in rows
    assert ['`add`', '1.000 (25.0 %)', '2.000 (100.0 %)'] in rows
    assert '--size 224 --rounds 2 --width 64 --threads 2` (on a machine' in page
    assert 'multiply bfloat16' not in page
    report.plot(measured, tmp_path / 'plot.png')
    assert (tmp_path / 'plot.png').stat().st_size > 5000


def test_a_cpu_without_bfloat16_is_not_measured_in_it():
    import report

    step = {
        'released': [6.0],
        'eac_mm, float32': [5.0],
        'bare backbone, float32': [5.0],
    }
    setting = dict(batch=32, size=224, rounds=1, width=64)
    entry = dict(machine='a machine', threads=2, setting=setting, values=step)
    page = report.markdown(dict(step=entry), 'cpu-avx2')
    assert 'This CPU has no instructions that multiply bfloat16.' in page
    assert 'eac_mm, bfloat16' not in page


# Loader and maps have three turns a round; a turn is a single run.
@pytest.mark.parametrize(
    ('name', 'rounds'), [('step', 2), ('iteration', 2), ('loader', 1), ('maps', 1)]
)
def test_each_part_measures(name, rounds, monkeypatch):
    import contenders
    import own_process
    import parts
    import report

    monkeypatch.setattr(own_process, 'TURN', 0)
    values = parts.run(name, parts.Setting(batch=2, size=64, rounds=rounds, width=16))
    measured = {name: dict(values=values)}
    lines = [line for line in report.LINES if line.part == name]
    missing = [line.under for line in lines if not line.measured(measured)]
    if 'bfloat16' in contenders.precisions():
        assert missing == []
    assert all('bfloat16' in name for name in missing)
    for line in report.measured_lines(measured):
        ratios = line.values(measured)
        assert len(ratios) >= 2
        assert min(ratios) > 0


def test_the_command_line_knows_parts_and_sizes():
    import benchmark
    import parts

    assert tuple(parts.PARTS) == benchmark.PARTS
    assert vars(parts.Setting()) == benchmark.SIZES


def test_stretches_of_iterations():
    import parts

    bare = iter(range(1, 100))
    hook = parts.BareBetween(lambda: next(bare), stretch=2)
    for batch_idx in range(6):  # the first, a stretch of two, another, one over
        hook.after_train_iter(None, batch_idx)
    assert hook.seconds['bare'] == [1, 2]
    assert len(hook.seconds['iteration']) == 2


def test_a_profile_of_every_step(tmp_path):
    import contenders
    import parts

    setting = parts.Setting(batch=2, size=64, rounds=1, width=16)
    values = parts.run('profile', setting)
    assert list(values) == list(contenders.steps(setting, tmp_path))
    for times in values.values():
        assert times['aten::convolution_backward'] > 0


def test_review_page(browser, tmp_path):
    import review_page

    page = review_page.write_page(tmp_path, 40)
    found = review_page.measure(browser, page, frames=20, keys=5)
    assert 0 < found['frames_per_second'] < 1000
    assert 0 < found['key'] < found['open']
    # An image takes 1 to 2 kB, and what is known of it less.
    assert 0.04 < found['megabytes'] < 0.16


def test_a_ring_all_reduce():
    import scaling

    # 4 GPUs: 6 hops, each a quarter of 8 GB at 2 GB/s and 0.1 s of latency
    assert scaling.all_reduce(8e9, 4, 2e9, 0.1) == pytest.approx(6 * (1 + 0.1))
    assert scaling.all_reduce(8e9, 1, 2e9, 0.1) == 0
    # two thirds of a step hide it
    assert scaling.step_time(0.3, 0.2) == pytest.approx(0.3)
    assert scaling.step_time(0.3, 0.25) == pytest.approx(0.35)


def test_scaling_page():
    import scaling

    text = scaling.main(['--step', '0.01', '--gpus', '1', '512'])
    rows = [[c.strip() for c in line.split('|')[1:-1]] for line in text.splitlines()]
    assert rows[2] == ['1', '0.00', '10.00', '100', '32', '384', '882', '8,872']
    assert rows[3][4:] == ['16,384', '1', '2', '18']
    # 32 images in 10 ms, each 1.4 ms of a core (4.48 in all) and 20 kB
    assert ['1', '3,200', '5', '0.06'] in rows
    # 1,022 hops of 10 us and of 44.72 MB / 512 at 25 GB/s, and a third of 10 ms
    seconds = 1022 * (1e-5 + 44.72e6 / 512 / 25e9) + 0.01 / 3
    images = 512 * 32 / seconds
    assert ['512', f'{images:,.0f}', f'{math.ceil(images * 1.4e-3):,}'] == rows[-1][:3]
