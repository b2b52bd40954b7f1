"""The whole way: recorded run, audit, review page, export, training on the export."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from browsers import press, saved
from recorded import record
from short_training import OPTIONS

from eac_mm.apis import audit_run, build_runner, load_config
from eac_mm.datasets import NoisyLabels, SyntheticFER

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / 'configs/baseline/resnet18_syntheticfer_noise30.py'
SIZE = 40
FACES = 'train_dataloader.dataset.dataset'
# A recipe on files instead of faces in memory.
ON_FILES = """
_base_ = '{recipe}'
decode = dict(type='LoadFace')
files = dict(_delete_=True, type='CSVFaces', data_root='{root}', ann_file='list.csv')
files['classes'] = {classes}
train_dataloader = dict(dataset=dict(
    rate=0, dataset=dict(**files, pipeline=[decode, *_base_.train_pipeline])))
val_dataloader = dict(dataset=dict(**files, pipeline=[decode, *_base_.test_pipeline]))
"""


@pytest.fixture
def data():
    faces = SyntheticFER(size=SIZE, img_size=48, pipeline=[])
    return NoisyLabels(faces, rate=0.3)


@pytest.fixture
def review(browser, data, tmp_path):
    """Audit what a perfect network said; accept all suggestions after some keys."""
    context = browser.new_context(viewport=dict(width=700, height=700))

    def accept(recipe, options, *keys):
        logits = 4 * np.eye(7)[data.clean_labels]
        record(tmp_path, [[logits]] * 2, data.given_labels, data.CLASSES)
        _, files = audit_run(tmp_path, config=recipe, options=options, survey=False)
        page = context.new_page()
        page.goto(files[-1].as_uri())
        press(page, *keys, *['Shift+ArrowDown'] * 10, 's')
        assert 'unsure 0); ' in page.inner_text('#counters')
        assert page.inner_text('#stop')
        return saved(page, '#list', tmp_path), page.inner_text('#message')

    yield accept
    context.close()


def train(recipe, folder, options):
    """Train an epoch; return the runner."""
    own = {k: v for k, v in OPTIONS.items() if not k.endswith('.size')}
    options = {**own, 'train_cfg.max_epochs': 1, **options}
    runner = build_runner(load_config(recipe, options, str(folder)))
    runner.train()
    assert runner.iter == -(-len(runner.train_dataloader.dataset) // 8)
    return runner


def test_files_are_trained_on_without_the_discarded(data, review, tmp_path):
    lines = ['image,label']
    for i, label in enumerate(data.given_labels):
        cv2.imwrite(str(tmp_path / f'{i}.png'), data.dataset.get_data_info(i)['img'])
        lines.append(f'{i}.png,{data.CLASSES[label]}')
    (tmp_path / 'list.csv').write_text('\n'.join(lines))
    recipe = tmp_path / 'on_files.py'
    text = ON_FILES.format(recipe=RECIPE, root=tmp_path, classes=data.CLASSES)
    recipe.write_text(text)

    path, message = review(recipe, {}, 'd')
    assert (path.name, message) == ('corrected.csv', '')
    runner = train(recipe, tmp_path / 'again', {f'{FACES}.ann_file': str(path)})

    noisy = runner.train_dataloader.dataset
    numbers = [
        int(Path(noisy.get_data_info(i)['img_path']).stem) for i in range(SIZE - 1)
    ]
    assert len(noisy) == len(set(numbers)) == SIZE - 1
    # The one that was discarded was the most suspect: its label was wrong.
    assert set(range(SIZE)) - set(numbers) <= set(data.wrong_indices)
    assert (noisy.given_labels == data.clean_labels[numbers]).all()


def test_images_in_memory_take_the_list_as_a_noise_file(data, review, tmp_path):
    options = {f'{FACES}.size': SIZE}
    path, message = review(RECIPE, options, 'd')
    assert message.startswith('Discarded images (1) keep their label')
    options['train_dataloader.dataset.rate'] = 0
    options['train_dataloader.dataset.noise_file'] = str(path)
    noisy = train(RECIPE, tmp_path / 'again', options).train_dataloader.dataset
    unlike = np.flatnonzero(noisy.given_labels != data.clean_labels)
    assert len(unlike) == 1
    assert noisy.given_labels[unlike] == data.given_labels[unlike]
