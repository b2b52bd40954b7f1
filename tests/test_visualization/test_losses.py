"""Losses of clean and wrong labels, against values by hand."""

import numpy as np
import pytest

from eac_mm.utils.training_records import (
    epoch_path,
    read_records,
    samples_path,
    write_arrays,
)
from eac_mm.visualization import classification_losses, draw_losses

# Of one sample a class, and a third that was not served.
LOGITS = np.log(np.array([[[1, 1], [4, 1], [1, 1]]], np.float16))


@pytest.fixture
def make_records(tmp_path):
    def make(name='run', epochs=3, clean=(0, 0, 0), noisy=(0, 1, 0), samples=3):
        folder = tmp_path / name
        arrays = dict(
            noisy_labels=np.resize(noisy, samples).astype(np.int64),
            clean_labels=None
            if clean is None
            else np.resize(clean, samples).astype(np.int64),
            classes=np.array(['sad', 'happy']),
        )
        write_arrays(samples_path(folder), arrays)
        for epoch in range(1, epochs + 1):
            logits = np.resize(LOGITS * epoch, (1, samples, 2)).astype(np.float16)
            if samples == 3:
                logits[0, 2] = np.nan
            write_arrays(epoch_path(folder, epoch), dict(logits=logits))
        return read_records(folder)

    return make


def test_losses_by_hand(make_records):
    records = make_records()
    # Epoch 1: -log 1/2 of class 0, -log 1/5 of class 1.
    found = classification_losses(records, 1)
    assert found[:2] == pytest.approx([np.log(2), np.log(5)], rel=1e-3)
    assert np.isnan(found[2])
    # Epoch 2: logits log 16 and 0 give -log 1/17.
    assert classification_losses(records, 2)[1] == pytest.approx(np.log(17), rel=1e-3)


@pytest.mark.parametrize('epoch', [0, 4])
def test_an_epoch_that_is_not_there(make_records, epoch):
    with pytest.raises(ValueError, match='Fix: give 1 to 3'):
        classification_losses(make_records(), epoch)


def test_densities(make_records):
    # Of 200 samples every second is wrong; the clean ones lose less.
    runs = {
        name: make_records(name, epochs, samples=200)
        for name, epochs in (('a', 5), ('b', 3))
    }
    figure = draw_losses(runs)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [f'{name}, epoch {epoch}' for epoch in (1, 2, 3) for name in 'ab']
    clean, wrong = (figure.axes[0].patches[i].get_data() for i in (0, 2))
    for heights, edges, _ in (clean, wrong):
        assert (heights * np.diff(edges)).sum() == pytest.approx(1)
    # log 2 is 0.43 of log 5, the largest: bin 17 of 40.
    bins = len(clean.values)
    assert np.flatnonzero(clean.values).tolist() == [int(0.43 * bins)]
    assert np.flatnonzero(wrong.values).tolist() == [bins - 1]


@pytest.mark.parametrize(
    ('clean', 'lack'), [(None, 'no clean labels'), ((0, 1, 0), 'no wrong one')]
)
def test_both_kinds_must_be_known(make_records, clean, lack):
    with pytest.raises(ValueError, match=f'run: .*{lack}.* Fix: name a run'):
        draw_losses({'run': make_records(clean=clean)})
