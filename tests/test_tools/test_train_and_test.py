"""The command lines, on a folder in RAF-DB's layout."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
EAC = str(ROOT / 'configs/eac/resnet18_rafdb_noise30.py')
BASELINE = str(ROOT / 'configs/baseline/resnet18_rafdb_noise30.py')


def load_tool(name):
    path = ROOT / 'tools' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(f'tool_{name}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_result(work_dir):
    return json.loads((work_dir / 'result.json').read_text())


def test_train_resume_and_test(tmp_path, small_options, as_arguments, capfd):
    options = as_arguments(small_options)
    work_dir = tmp_path / 'run'
    command = [EAC, '--work-dir', str(work_dir), '--seed', '5', '--cfg-options']
    load_tool('train').main([*command, *options])
    result = read_result(work_dir)
    assert result['finished']
    assert result['seed'] == 5
    assert [e['epoch'] for e in result['epochs']] == [1, 2]
    log = capfd.readouterr()
    log = log.out + log.err
    assert 'of 12 noisy labels differ from the clean ones' in log
    assert 'eta: 0:00' in log
    assert 'loss_cls' in log
    assert 'loss_consistency' in log
    assert 'noise/memorised' in log
    assert 'Mean of 2 validations, epochs 1 to 2: accuracy/top1' in log

    checkpoint = work_dir / 'epoch_2.pth'
    saved = torch.load(checkpoint, weights_only=True)
    assert saved['meta']['epoch'] == 2

    options[options.index('train_cfg.max_epochs=2')] = 'train_cfg.max_epochs=3'
    load_tool('train').main([*command, *options, '--resume'])
    assert [e['epoch'] for e in read_result(work_dir)['epochs']] == [1, 2, 3]
    assert 'resumed epoch: 2, iter: 6' in ''.join(capfd.readouterr())

    def files():
        return {p: p.read_bytes() for p in work_dir.rglob('*') if p.is_file()}

    before = files()
    out = tmp_path / 'out' / 'metrics.json'
    metrics = load_tool('test').main(
        [
            EAC,
            str(work_dir / 'epoch_3.pth'),
            '--work-dir',
            str(work_dir),  # beside the run, whose files stay as they are
            '--out',
            str(out),
            '--cfg-options',
            *options,
        ]
    )
    assert json.loads(out.read_text()) == metrics
    assert before.items() <= files().items()
    final = read_result(work_dir)['epochs'][-1]
    assert metrics['accuracy/top1'] == pytest.approx(final['accuracy/top1'], abs=1e-4)
    assert 'single-label/f1-score' in metrics


def test_a_checkpoint_of_another_model_is_refused(
    tmp_path, small_options, as_arguments
):
    torch.save(dict(state_dict={'net.weight': torch.zeros(1)}), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='belongs to another model'):
        load_tool('test').main(
            [
                EAC,
                str(tmp_path / 'other.pth'),
                '--work-dir',
                str(tmp_path),
                '--cfg-options',
                *as_arguments(small_options),
            ]
        )
    with pytest.raises(FileNotFoundError, match=r'none.pth does not exist'):
        load_tool('test').main([EAC, str(tmp_path / 'none.pth')])
    with pytest.raises(ValueError, match='not a .json or .yaml file'):
        load_tool('test').main([EAC, str(tmp_path / 'other.pth'), '--out', 'x.pkl'])


def test_no_validate_and_amp(tmp_path, small_options, as_arguments):
    options = {**small_options, 'train_cfg.max_epochs': 1}
    arguments = [EAC, '--work-dir', str(tmp_path), '--amp', '--no-validate']
    load_tool('train').main([*arguments, '--cfg-options', *as_arguments(options)])
    assert not (tmp_path / 'result.json').exists()
    weights = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(w).all() for w in weights.values())
    assert weights['head.fc.weight'].dtype == torch.float32


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [
        ('model.head.num_classes', 8, 'num_classes=8, but the training data has 7'),
        ('train_dataloader.dataset.rate', 1.0, 'noise rate 1.0'),
        ('train_dataloader.dataset.dataset.data_root', '/none', '/none.*not exist'),
        ('model.head.in_channels', 512, 'head.in_channels=64'),
    ],
)
def test_bad_input_stops_before_training(
    tmp_path, small_options, as_arguments, option, value, message
):
    options = {**small_options, option: value}
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_tool('train').main(
            [EAC, '--work-dir', str(tmp_path), '--cfg-options', *as_arguments(options)]
        )
    assert not list(tmp_path.glob('*.pth'))


def test_an_unreadable_image_is_named(
    tmp_path, rafdb_root, small_options, as_arguments
):
    root = tmp_path / 'rafdb'
    (root / 'EmoLabel').mkdir(parents=True)
    (root / 'Image' / 'aligned').mkdir(parents=True)
    (root / 'EmoLabel' / 'list_patition_label.txt').write_text(
        'train_00001.jpg 1\ntrain_00002.jpg 2\ntest_0001.jpg 1\n'
    )
    image = np.zeros((40, 40, 3), np.uint8)
    for name in ('train_00001', 'test_0001'):
        cv2.imwrite(str(root / 'Image' / 'aligned' / f'{name}_aligned.jpg'), image)
    bad = root / 'Image' / 'aligned' / 'train_00002_aligned.jpg'
    bad.write_bytes(b'not a picture')
    options = {
        key: str(root) if key.endswith('data_root') else value
        for key, value in small_options.items()
    }
    options['train_dataloader.batch_size'] = 2
    with pytest.raises(Exception, match='train_00002_aligned.jpg'):
        load_tool('train').main(
            [
                EAC,
                '--work-dir',
                str(tmp_path / 'run'),
                '--cfg-options',
                *as_arguments(options),
            ]
        )


def run_script(*words, cwd):
    environment = {
        **os.environ,
        'PYTHON': sys.executable,
        'PYTHONPATH': f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}',
        'PORT': '29517',
        'OMP_NUM_THREADS': '1',
    }
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_two_processes(tmp_path, small_options, as_arguments):
    options = {'train_dataloader.batch_size': 3, 'train_cfg.max_epochs': 1}
    options = as_arguments({**small_options, **options})
    work_dir = tmp_path / 'run'
    done = run_script(
        ROOT / 'tools' / 'dist_train.sh',
        EAC,
        2,
        '--work-dir',
        work_dir,
        '--cfg-options',
        *options,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    result = read_result(work_dir)
    assert result['finished']
    assert 'Epoch(train) [1][2/2]' in done.stdout  # 12 images, 2 processes, 3 each

    # One process gets the figures that two did, with 7 images for two.
    metrics = load_tool('test').main(
        [
            EAC,
            str(work_dir / 'epoch_1.pth'),
            '--work-dir',
            str(tmp_path / 'test'),
            '--cfg-options',
            *options,
        ]
    )
    final = result['epochs'][-1]['accuracy/top1']
    assert metrics['accuracy/top1'] == pytest.approx(final, abs=1e-3)
