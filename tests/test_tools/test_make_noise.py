import importlib.util
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import DictAction
from mmpretrain.registry import DATASETS

from eac_mm.apis import load_config
from eac_mm.datasets.noise.model import KINDS

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location(
    'make_noise', ROOT / 'tools' / 'make_noise.py'
)
make_noise = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_noise)

CLASSES = ['surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral']
COUNTS = [20, 30, 10, 40, 0, 5, 95]
CLEAN = np.repeat(np.arange(7), COUNTS)


@pytest.fixture
def data(tmp_path):
    """An annotation file in MMPretrain's style, without images."""
    rows = [dict(img_path=f'{i:03d}.jpg', gt_label=int(c)) for i, c in enumerate(CLEAN)]
    path = tmp_path / 'data.json'
    path.write_text(json.dumps(dict(metainfo=dict(classes=CLASSES), data_list=rows)))
    return dict(type='BaseDataset', ann_file=str(path))


def recipe(tmp_path, dataset):
    path = tmp_path / 'recipe.py'
    path.write_text(
        "custom_imports = dict(imports=['eac_mm'])\n"
        "default_scope = 'mmpretrain'\n"
        f'train_dataloader = dict(dataset={dataset!r})\n'
    )
    return str(path)


def read(path):
    """Labels and manifest of a noise file, read by hand."""
    lines = Path(path).read_text().splitlines()
    labels = [CLASSES.index(line.split('\t')[1]) for line in lines[2:]]
    return np.array(labels), json.loads(lines[1][2:])


def noisy(data, **kwargs):
    return dict(type='NoisyLabels', dataset=data, **kwargs)


def test_symmetric(tmp_path, data, capsys):
    config = recipe(tmp_path, noisy(data))
    out = tmp_path / 'noise.txt'
    manifest = make_noise.main([config, str(out), '--rate', '0.4', '--seed', '6'])
    given, written = read(out)
    changed = given != CLEAN
    assert abs(changed.sum() - 80) < 5 * np.sqrt(200 * 0.24)
    assert written['kind'] == 'symmetric'
    assert (written['rate'], written['seed']) == (0.4, 6)
    assert written['measured_rate'] == changed.mean() == manifest.measured_rate
    assert written['clean_counts'] == COUNTS
    per_class = [int(changed[c == CLEAN].sum()) for c in range(7)]
    assert written['changed_counts'] == per_class

    printed = capsys.readouterr().out
    assert f'{out}: symmetric noise, seed 6\n' in printed
    assert f'rate asked: 40.00 %; measured: {100 * changed.mean():.2f} %' in printed
    rows = [line.split() for line in printed.split('\n\n')[-2].split('\n')]
    assert rows[0] == ['class', 'clean', 'changed', 'share']
    for row, name, clean, wrong in zip(
        rows[1:],
        [*CLASSES, 'all'],
        [*COUNTS, 200],
        [*per_class, changed.sum()],
        strict=True,
    ):
        share = [f'{100 * wrong / clean:.2f}', '%'] if clean else ['-']
        assert row == [name, str(clean), str(wrong), *share]


def test_defaults(tmp_path, data):
    out = tmp_path / 'noise.txt'
    manifest = make_noise.main([recipe(tmp_path, noisy(data)), str(out)])
    assert (manifest.kind, manifest.rate, manifest.seed) == ('symmetric', 0.3, 0)


def test_noise_of_the_recipe_plays_no_part(tmp_path, data):
    plain, own = tmp_path / 'plain.txt', tmp_path / 'own.txt'
    make_noise.main([recipe(tmp_path, data), str(plain), '--rate', '0.2'])
    config = recipe(tmp_path, noisy(data, rate=0.7, seed=9))
    make_noise.main([config, str(own), '--rate', '0.2'])
    assert own.read_bytes() == plain.read_bytes()


def test_noise_below_a_cache_plays_no_part(tmp_path, data, capsys):
    plain, own = tmp_path / 'plain.txt', tmp_path / 'own.txt'
    make_noise.main([recipe(tmp_path, data), str(plain), '--rate', '0.2'])
    cached = dict(type='mmpretrain.DeviceCache', dataset=noisy(data, rate=0.7, seed=9))
    config = recipe(tmp_path, cached)
    capsys.readouterr()
    make_noise.main([config, str(own), '--rate', '0.2'])
    assert own.read_bytes() == plain.read_bytes()
    assert (
        capsys.readouterr()
        .out.rstrip()
        .endswith(
            f'--cfg-options train_dataloader.dataset.dataset.noise_file={own} '
            'train_dataloader.dataset.dataset.rate=0'
        )
    )


@pytest.mark.parametrize(
    ('wrap', 'kind'),
    [
        (lambda d: dict(type='RepeatDataset', dataset=d, times=2), 'RepeatDataset'),
        (lambda d: dict(type='ConcatDataset', datasets=[d, d]), 'ConcatDataset'),
        (lambda d: dict(type='NoisyLabels', dataset=d), 'NoisyLabels'),
    ],
)
@pytest.mark.parametrize('cached', [False, True])
def test_noise_below_another_wrapper_is_refused(tmp_path, data, wrap, kind, cached):
    dataset = wrap(noisy(data, rate=0.7))
    if cached:
        dataset = dict(type='RAMCache', dataset=dataset)
    out = tmp_path / 'noise.txt'
    with pytest.raises(ValueError, match=rf'NoisyLabels inside {kind}, .*Fix: give'):
        make_noise.main([recipe(tmp_path, dataset), str(out)])
    assert not out.exists()


@pytest.mark.parametrize('kind', [[], ['--kind', 'asymmetric']])
def test_pairs(tmp_path, data, kind):
    transition = tmp_path / 'pairs.json'
    transition.write_text('{"fear": "surprise", "neutral": "sad"}')
    out = tmp_path / 'noise.txt'
    manifest = make_noise.main(
        [recipe(tmp_path, noisy(data)), str(out), '--rate', '0.5']
        + ['--transition', str(transition), *kind]
    )
    given, written = read(out)
    assert written['kind'] == manifest.kind == 'asymmetric'
    assert written['transition'] == {'fear': 'surprise', 'neutral': 'sad'}
    pairs = set(zip(CLEAN.tolist(), given.tolist(), strict=True))
    assert pairs == {(c, c) for c in (0, 1, 2, 3, 5, 6)} | {(1, 0), (6, 4)}
    assert abs((given == 4).sum() - 47.5) < 5 * np.sqrt(95 / 4)


def test_annotators(tmp_path, recipe_data, capsys):
    faces = dict(type='FERPlus', data_root=str(recipe_data['ferplus']))
    out = tmp_path / 'noise.txt'
    config = recipe(tmp_path, noisy(faces))
    manifest = make_noise.main([config, str(out), '--kind', 'annotator'])
    assert (manifest.kind, manifest.rate) == ('annotator', 0)
    assert manifest.measured_rate == 0  # the votes of these faces are unanimous
    assert 'rate asked: that of the votes; measured: 0.00 %' in capsys.readouterr().out


def test_matrix(tmp_path, data, capsys):
    rows = np.eye(7)[[1, 0, 2, 3, 4, 5, 6]]  # surprise and fear change places
    transition = tmp_path / 'matrix.json'
    transition.write_text(json.dumps(rows.tolist()))
    out = tmp_path / 'noise.txt'
    config = recipe(tmp_path, noisy(data))
    make_noise.main([config, str(out), '--transition', str(transition)])
    given, written = read(out)
    np.testing.assert_array_equal(given, np.array([1, 0, 2, 3, 4, 5, 6])[CLEAN])
    assert written['rate'] == 0
    assert written['transition'] == rows.tolist()
    printed = capsys.readouterr().out
    assert f'rate asked: that of {transition}; measured: 25.00 %' in printed


@pytest.mark.parametrize(
    'own', [dict(rate=0.7), dict(kind='asymmetric', transition=dict(fear='sad'))]
)
def test_printed_options_train_on_the_file(tmp_path, data, capsys, own):
    config = recipe(tmp_path, noisy(data, **own))
    out = tmp_path / 'noise.txt'
    make_noise.main([config, str(out), '--rate', '0.4'])
    head, line = capsys.readouterr().out.rstrip().split('\n')[-2:]
    assert head == 'To train on it:'
    flag, *options = shlex.split(line)
    assert flag == '--cfg-options'
    assert options[:2] == [
        f'train_dataloader.dataset.noise_file={out}',
        'train_dataloader.dataset.rate=0',
    ]
    parsed = make_noise.argparse.ArgumentParser()
    parsed.add_argument('--cfg-options', nargs='+', action=DictAction)
    changes = parsed.parse_args([flag, *options]).cfg_options
    cfg = load_config(config, options=changes)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    np.testing.assert_array_equal(dataset.given_labels, read(out)[0])


def test_recipe_without_noise(tmp_path, data, capsys):
    out = tmp_path / 'noise.txt'
    make_noise.main([recipe(tmp_path, data), str(out)])
    assert (
        capsys.readouterr()
        .out.rstrip()
        .endswith(
            "To train on it, wrap the recipe's training data set:\n"
            f"dict(type='NoisyLabels', noise_file='{out}', dataset=...)"
        )
    )


def test_shipped_recipe(tmp_path):
    config = ROOT / 'configs' / 'eac' / 'resnet18_syntheticfer_noise30.py'
    out = tmp_path / 'noise.txt'
    make_noise.main(
        [str(config), str(out), '--rate', '0.3', '--cfg-options']
        + ['train_dataloader.dataset.dataset.size=40']
    )
    cfg = load_config(config)
    data = dict(cfg.train_dataloader.dataset.dataset, size=40, pipeline=[])
    built = DATASETS.build(dict(type='NoisyLabels', dataset=data, rate=0.3))
    np.testing.assert_array_equal(read(out)[0], built.given_labels)


def test_relabelled(tmp_path, data, capsys):
    config = recipe(tmp_path, noisy(data, rate=0.4))
    given = DATASETS.build(noisy(data, rate=0.4)).given_labels
    rows = np.full(200, -1)
    rows[[0, 7, 199]] = CLEAN[[0, 7, 199]]
    weights = {'head.relabelling.values': torch.from_numpy(rows)}
    torch.save(dict(state_dict=weights), tmp_path / 'epoch_1.pth')
    out = tmp_path / 'relabelled.txt'
    command = [config, str(out), '--relabelled', str(tmp_path / 'epoch_1.pth')]
    make_noise.main(command)
    expected = np.where(rows < 0, given, rows)
    labels, written = read(out)
    np.testing.assert_array_equal(labels, expected)
    assert written['kind'] == 'relabelled'
    printed = capsys.readouterr().out
    wrong = 100 * (expected != CLEAN).mean()
    assert f'{out}: labels of {tmp_path}/epoch_1.pth\nwrong labels: {wrong:.2f} %' in (
        printed
    )
    assert printed.rstrip().endswith(
        f'--cfg-options train_dataloader.dataset.noise_file={out} '
        'train_dataloader.dataset.rate=0'
    )
    with pytest.raises(ValueError, match=r'and --kind, --rate say how .*Fix: leave'):
        make_noise.main([*command, '--force', '--rate=0', '--kind=symmetric'])
    command[-1] = 'none.pth'
    with pytest.raises(
        FileNotFoundError, match=r'--relabelled none.pth does not exist'
    ):
        make_noise.main([*command, '--force'])


def test_existing_file(tmp_path, data):
    config = recipe(tmp_path, noisy(data))
    out = tmp_path / 'noise.txt'
    out.write_text('mine')
    with pytest.raises(FileExistsError, match=r'noise.txt exists; .*--force'):
        make_noise.main([config, str(out)])
    assert out.read_text() == 'mine'
    make_noise.main([config, str(out), '--force'])
    assert len(read(out)[0]) == 200


@pytest.mark.parametrize('rate', ['-0.1', '1.0', '1.5', 'nan'])
def test_bad_rate(tmp_path, data, rate):
    out = tmp_path / 'noise.txt'
    with pytest.raises(ValueError, match=rf'noise rate {rate} is not in \[0, 1\)'):
        make_noise.main([recipe(tmp_path, noisy(data)), str(out), f'--rate={rate}'])
    assert not out.exists()


def test_the_command_line_knows_the_kinds():
    assert make_noise.KINDS == KINDS


@pytest.mark.parametrize('option', ['--rate=abc', '--seed=x', '--kind=pairflip'])
def test_bad_option(tmp_path, data, option, capsys):
    with pytest.raises(SystemExit):
        make_noise.main([recipe(tmp_path, data), str(tmp_path / 'noise.txt'), option])
    assert option.split('=')[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ('text', 'options', 'message'),
    [
        ('{"fear": \n "sad",}', [], r't.json:2: not JSON'),
        ('"fear"', [], r"t.json holds 'fear'. Fix: write \{"),
        (
            '{"fear": "joy"}',
            [],
            r"names the class 'joy'; the data set has \('surprise'",
        ),
        ('[[1, 0], [0, 1]]', [], r'shape \(2, 2\); 7 classes need 7 x 7'),
        ('{"fear": "sad"}', ['--kind', 'symmetric'], r'takes no transition'),
        (json.dumps(np.eye(7).tolist()), ['--rate=0.3'], r'leave out rate=0.3'),
    ],
)
def test_bad_transition(tmp_path, data, text, options, message):
    (tmp_path / 't.json').write_text(text)
    out = tmp_path / 'noise.txt'
    with pytest.raises(ValueError, match=message):
        make_noise.main(
            [recipe(tmp_path, noisy(data)), str(out)]
            + ['--transition', str(tmp_path / 't.json'), *options]
        )
    assert not out.exists()


def test_transition_that_is_no_text(tmp_path):
    (tmp_path / 't.json').write_bytes(b'\xff\xfe\x00\x81')
    with pytest.raises(ValueError, match=r't.json: not UTF-8 text'):
        make_noise.read_transition(tmp_path / 't.json')


def test_missing_transition_file(tmp_path, data):
    with pytest.raises(
        FileNotFoundError, match=r'--transition .*t.json does not exist'
    ):
        make_noise.main(
            [recipe(tmp_path, data), str(tmp_path / 'noise.txt')]
            + ['--transition', str(tmp_path / 't.json')]
        )


def test_asymmetric_without_transition(tmp_path, data):
    with pytest.raises(ValueError, match=r'asymmetric noise needs a transition'):
        make_noise.main(
            [recipe(tmp_path, data), str(tmp_path / 'noise.txt'), '--kind=asymmetric']
        )


def test_recipe_without_training_data(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text("default_scope = 'mmpretrain'\n")
    with pytest.raises(ValueError, match=r'recipe.py has no train_dataloader.dataset'):
        make_noise.main([str(path), str(tmp_path / 'noise.txt')])
