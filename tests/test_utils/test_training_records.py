import time

import numpy as np
import pytest
from recorded import record

from eac_mm.utils.training_records import (
    epoch_path,
    read_records,
    record_files,
    samples_path,
    write_arrays,
)

LABELS = dict(
    noisy_labels=np.array([0, 1, 1]),
    clean_labels=np.array([0, 0, 1]),
    classes=np.array(['sad', 'happy']),
)


def logits_of(epoch):
    return np.full((2, 3, 2), epoch, np.float16)


def write_epochs(folder, *epochs):
    for epoch in epochs:
        gap = np.array([0, epoch, 2], np.float32)
        path = epoch_path(folder, epoch)
        write_arrays(path, dict(logits=logits_of(epoch), disagreement=gap))


@pytest.fixture
def run(tmp_path):
    write_arrays(samples_path(tmp_path), dict(LABELS, paths=None), compress=True)
    write_epochs(tmp_path, *range(1, 4))
    return tmp_path


def test_what_was_written_is_read(run):
    records = read_records(run)
    assert len(records) == 3
    assert [epoch.epoch for epoch in records] == [1, 2, 3]
    assert (records[-1].logits == logits_of(3)).all()
    assert records[-1].logits.dtype == np.float16
    assert records[1].disagreement.tolist() == [0, 2, 2]
    assert records.noisy_labels.tolist() == [0, 1, 1]
    assert records.clean_labels.tolist() == [0, 0, 1]
    assert records.classes == ('sad', 'happy')
    assert records.paths is None
    with pytest.raises(IndexError):
        records[3]


def test_passes_are_those_that_the_method_tells(run):
    assert read_records(run).passes == 3 * 2  # as two views say
    arrays = dict(LABELS, passes=np.float64(16 / 3))
    write_arrays(samples_path(run), arrays, compress=True)
    assert read_records(run).passes == 16


def test_epochs_of_four_digits_come_in_order(run):
    for epoch in range(4, 1000):
        epoch_path(run, epoch).touch()
    write_epochs(run, 1000)
    assert [path.name for path in record_files(run)[-3:]] == [
        'epoch_999.npz',
        'epoch_1000.npz',
        'samples.npz',
    ]
    assert read_records(run)[-1].epoch == 1000


def test_equal_arrays_give_equal_bytes(tmp_path, monkeypatch):
    for name in ('a', 'b'):
        monkeypatch.setattr(time, 'time', lambda: 4e9)  # of the second one
        write_arrays(tmp_path / name, LABELS, compress=True)
    assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()


def test_a_folder_without_records(tmp_path):
    with pytest.raises(FileNotFoundError, match='no record of an epoch.*recorder.type'):
        read_records(tmp_path)
    assert record_files(tmp_path) == []


def test_epochs_that_are_missing(run):
    epoch_path(run, 2).unlink()
    with pytest.raises(ValueError, match=r'ends with epoch 3 and lacks 1 .*first: 2'):
        read_records(run)


def test_samples_that_are_missing(run):
    samples_path(run).unlink()
    with pytest.raises(FileNotFoundError, match=r'samples.npz is missing'):
        read_records(run)


@pytest.mark.parametrize('damage', [b'', b'no archive', None])
def test_a_damaged_file_is_named(run, damage):
    path = epoch_path(run, 2)
    whole = path.read_bytes()
    # None: one bit of a number
    bad = whole.replace(logits_of(2).tobytes(), b'\1' + logits_of(2).tobytes()[1:])
    path.write_bytes(bad if damage is None else damage)
    records = read_records(run)
    assert records[0].epoch == 1
    with pytest.raises(ValueError, match=r'epoch_002.npz cannot be read .*Fix:'):
        records[1]


def test_records_of_other_samples(run):
    write_arrays(epoch_path(run, 1), dict(logits=np.zeros((1, 4, 2), np.float16)))
    with pytest.raises(ValueError, match=r'\(1, 4, 2\), and samples.npz lists 3'):
        read_records(run)[0]


def test_no_pickle_is_opened(run):
    write_arrays(epoch_path(run, 1), dict(logits=np.array([{}], object)))
    with pytest.raises(ValueError, match='cannot be read'):
        read_records(run)[0]


def test_passes_count_the_views_that_were_taken(tmp_path):
    logits = np.zeros((2, 4, 3))
    record(tmp_path / 'pairs', [logits] * 8, [0, 1, 2, 0], ('a', 'b', 'c'))
    assert read_records(tmp_path / 'pairs').passes == 16
    logits[1, 1:] = np.nan  # view 2 of one sample of four: 1.25 passes an epoch
    record(tmp_path / 'part', [logits] * 8, [0, 1, 2, 0], ('a', 'b', 'c'))
    assert read_records(tmp_path / 'part').passes == 10
