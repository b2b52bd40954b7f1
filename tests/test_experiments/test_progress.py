"""The lines that a newcomer reads while runs go on."""

import io
import re

import pytest

from eac_mm.experiments.progress import Progress

TRAIN = 'INFO - Epoch(train)  [{}][{:>3}/100]  lr: 2.0e-03  loss: 1.8262'
VAL = 'INFO - Epoch(val) [{}][14/14]    accuracy/top1: {:.4f}  noise/memorised: 9.7'


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def lines(stream):
    return stream.getvalue().splitlines()


def test_a_line_an_epoch(clock):
    out = io.StringIO()
    show = Progress(['baseline seed 0', 'eac seed 0'], stream=out, clock=clock)
    show.start(0, 'w/train.log', 4)
    clock.now = 60
    show.read(0, TRAIN.format(1, 50))  # an eighth
    assert lines(out) == ['run 1 of 2  baseline seed 0  starts  (log: w/train.log)']
    clock.now = 120
    show.read(0, VAL.format(1, 54.06))  # a quarter, at an eighth a minute
    assert lines(out)[1:] == [
        'run 1 of 2  baseline seed 0  epoch 1 of 4  accuracy 54.1 %  '
        # The other run takes as long as this one in all: 2 + 6 minutes.
        'about 6 min left (all runs: about 14 min left)'
    ]
    show.read(0, TRAIN.format(2, 50))
    show.read(0, TRAIN.format(2, 100))
    assert len(lines(out)) == 2
    clock.now = 480
    show.end(0)
    show.start(1, 'v/train.log', 4)
    assert lines(out)[2:] == [
        'run 1 of 2  baseline seed 0  done in 8 min  accuracy 54.1 %',
        'run 2 of 2  eac seed 0  starts  (log: v/train.log)',
    ]
    show.read(1, TRAIN.format(1, 100))
    clock.now += 60
    show.read(1, VAL.format(4, 61))
    assert lines(out)[-1].endswith('accuracy 61.0 %  less than 1 min left')
    show.end(1, 'failed')
    assert lines(out)[-1] == 'run 2 of 2  eac seed 0  failed  accuracy 61.0 %'


def test_epochs_without_validation_have_a_line_when_the_next_begins():
    out = io.StringIO()
    show = Progress(['a'], stream=out)
    show.start(0, 'log', None)
    for epoch in (1, 2, 3):
        for step in (50, 100):
            show.read(0, TRAIN.format(epoch, step))
    assert [line.split('  ')[2] for line in lines(out)[1:]] == ['epoch 2', 'epoch 3']


def test_a_resumed_run_counts_from_where_it_went_on(clock):
    out = io.StringIO()
    show = Progress(['a'], stream=out, clock=clock)
    show.start(0, 'log', 10)
    show.read(0, TRAIN.format(9, 100))  # nine tenths are done
    clock.now = 60
    show.read(0, TRAIN.format(10, 50))
    assert 'epoch 10 of 10  about 1 min left' in lines(out)[-1]


def test_jobs_share_what_is_ahead(clock):
    out = io.StringIO()
    show = Progress(['a', 'b', 'c'], jobs=2, stream=out, clock=clock)
    for number in (0, 1):
        show.start(number, 'log', 2)
        show.read(number, TRAIN.format(1, 0))
    clock.now = 600
    show.read(0, VAL.format(1, 50))
    assert lines(out)[-1].endswith('about 10 min left')  # b has not said enough
    show.read(1, TRAIN.format(2, 0))
    # c takes 20 minutes as the others do. That and their 10 are shared by two.
    assert lines(out)[-1].endswith('about 10 min left (all runs: about 20 min left)')


def test_a_terminal_is_updated_in_place(clock, monkeypatch):
    monkeypatch.setenv('COLUMNS', '60')
    out = Terminal()
    show = Progress(['a', 'b'], jobs=2, stream=out, clock=clock)
    show.start(0, 'log', 4)
    show.start(1, 'log', 4)
    for epoch in range(1, 4):
        clock.now += 60
        show.read(0, VAL.format(epoch, 50 + epoch))
        show.read(1, VAL.format(epoch, 60 + epoch))
    show.end(0)
    show.end(1)
    screen = []
    for line in out.getvalue().split('\n')[:-1]:
        while up := re.match(r'\x1b\[(\d+)A\x1b\[J', line):
            del screen[len(screen) - int(up[1]) :]
            line = line[up.end() :]
        screen.append(line)
        assert len(line) < 60
    assert [line.split('  ')[2] for line in screen] == [
        *('starts', 'starts'),
        *('done in 3 min', 'done in 3 min'),
    ]
    assert 'epoch 3 of 4  accuracy 63.0 %' in out.getvalue()
    assert '\nall runs: about 1 min left\n' in out.getvalue()


def test_warnings_come_through_once():
    out = io.StringIO()
    show = Progress(['a', 'b'], jobs=2, stream=out)
    said = 'INFO - 3,022 of 10,000 noisy labels differ from the clean ones'
    for number in (0, 1):
        show.start(number, 'log', 4)
        show.read(number, f'11/25 04:55 - mmengine - {said}\n')
        show.read(number, '11/25 - mmengine - WARNING - The batch is another\n')
        show.read(number, '11/25 - mmengine - WARNING - A is deprecated\n')
        show.read(number, '11/25 - mmengine - INFO - Checkpoints will be saved\n')
    text = out.getvalue()
    assert text.count('differ from the clean ones') == 1
    assert text.count('run 1 of 2  a  The batch is another') == 1
    assert 'deprecated' not in text
    assert 'Checkpoints' not in text


def test_a_loop_by_iterations(clock):
    out = io.StringIO()
    show = Progress(['a'], stream=out, clock=clock)
    show.start(0, 'log', None)
    show.read(0, 'INFO - Iter(train) [ 50/400]  lr: 1')
    clock.now = 7200
    show.read(0, 'INFO - Iter(train) [200/400]  lr: 1')
    # 150 steps in two hours, 200 ahead.
    assert lines(out)[-1].endswith('iteration 200 of 400  about 2 h 40 min left')
