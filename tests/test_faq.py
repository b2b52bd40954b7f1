"""The facts of docs/faq.md are those of the code.

Commands, files, options, settings and classes of all pages are checked by test_docs.py
and test_docs_code.py; here are the figures and names that the answers state.
"""

import json
import math
import re
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS, MODELS

from eac_mm.apis import load_config
from eac_mm.datasets import FERPlus
from eac_mm.datasets.noise import NoisyLabels

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / 'docs' / 'faq.md').read_text(encoding='utf-8')
ANSWERS = dict(part.split('\n', 1) for part in TEXT.split('\n## ')[1:])
RELEASED = 'resnet18_rafdb_noise30-released'
config = cache(load_config)


def answer(question):
    """The answer to the question that begins so, as one line."""
    (found,) = (text for asked, text in ANSWERS.items() if asked.startswith(question))
    return ' '.join(found.split())


def facts(question, pattern):
    """What the groups of a pattern match in an answer, which must state it once."""
    (found,) = re.finditer(pattern, answer(question))
    return found.groups()


def test_accuracies_of_the_paper_and_its_authors():
    stated = facts(
        'My accuracy', r'authors report about ([\d /]+) %.* paper has ([\d /]+)\.'
    )
    authors, paper = ([int(n) for n in text.split(' / ')] for text in stated)
    tables = yaml.safe_load((ROOT / 'configs/paper_tables.yml').read_text())['tables']
    cells = {c['recipe']: c['paper'] for c in tables['table1']['full'] if 'paper' in c}
    recipes = [f'eac/resnet18_rafdb_noise{n}0' for n in (1, 2, 3)]
    assert paper == [round(cells[recipe]) for recipe in recipes]
    page = (ROOT / 'configs/eac/README.md').read_text(encoding='utf-8')
    exact = re.search(r'([\d.]+) / ([\d.]+) / ([\d.]+) % on RAF-DB with 10', page)
    assert authors == [round(float(text)) for text in exact.groups()]


def test_accuracy_of_the_paper_on_ferplus():
    (paper,) = facts('My accuracy', r'clean labels, the paper ([\d.]+) %')
    recipe = (ROOT / 'configs/eac/resnet18_ferplus_clean.py').read_text('utf-8')
    assert f': {paper} %' in recipe


def test_batch_size():
    batch, processes, share = facts(
        'My accuracy', r'size\.\*\* (\d+)\..*with (\w+) processes.*batch_size=(\d+)`'
    )
    assert processes == 'four' and int(share) * 4 == int(batch)
    cfg = config('eac/resnet18_rafdb_noise30')
    assert cfg.train_dataloader.batch_size == int(batch)
    assert cfg.auto_scale_lr.base_batch_size == int(batch)


def test_learning_rate():
    r18, r50, gamma, epochs = facts(
        'My accuracy',
        r'(\S+) for ResNet-18 and (\S+) for ResNet-50, multiplied by (\S+) after each '
        r'epoch, for (\d+) epochs',
    )
    for name, rate in (('resnet18', r18), ('resnet50', r50)):
        cfg = config(f'eac/{name}_rafdb_noise30')
        assert cfg.optim_wrapper.optimizer.lr == float(rate)
        assert (
            cfg.param_scheduler.gamma == float(gamma) and cfg.param_scheduler.by_epoch
        )
        assert cfg.train_cfg.max_epochs == int(epochs)


@pytest.mark.parametrize('noise', ['clean', 'noise10', 'noise20', 'noise30'])
def test_lambda(noise):
    own, low, high = facts(
        'My accuracy',
        r'Lambda\.\*\* (\d+) for ResNet-18\. For MobileNetV2 and ResNet-50, (\d+) at 0 '
        r'and 10 % noise, and (\d+) at 20 and 30 %',
    )
    other = low if noise in ('clean', 'noise10') else high
    for name, wanted in (
        ('resnet18', own),
        ('mobilenetv2', other),
        ('resnet50', other),
    ):
        head = config(f'eac/{name}_rafdb_{noise}').model.head
        assert built(head).consistency_weight == float(wanted)


def built(part):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(part)


@pytest.mark.parametrize('question', ['My accuracy', 'What is `work_dirs'])
def test_names_in_a_result(question):
    named = set(re.findall(r'`([a-z]+(?:_[a-z]+)*)`', answer(question)))
    named -= {'load_from'}
    a_run = next((ROOT / 'docs/results/runs').rglob('*.json'))
    assert named and named <= set(json.loads(a_run.read_text()))


def test_the_result_is_the_mean_of_the_last_five():
    assert 'mean of the last five epochs' in answer('My accuracy')
    assert config('eac/resnet18_rafdb_noise30').default_hooks.result.last == 5


def test_recipes_from_dlibs_weights():
    assert '`dlibface`' in answer('Where do I get the face weights')
    recipes = sorted(ROOT.glob('configs/*/dlibface_*.py'))
    assert recipes
    for path in recipes:
        assert config(path).load_from == 'dlib-face'


def test_sizes_of_ferplus():
    sizes = facts(
        'Which faces of FERPlus',
        r'([\d,]+) faces for training, ([\d,]+) for validation, ([\d,]+) for testing',
    )
    assert re.search(r'7 +28,224 3,529 3,519', FERPlus.__doc__)
    assert sizes == ('28,224', '3,529', '3,519')


@pytest.mark.parametrize(
    ('ending', 'split'), [('', 'test'), ('-small', 'val'), ('-pretrained', 'val')]
)
def test_splits_of_ferplus(ending, split):
    assert 'recipes at 224 px measure on the test split' in answer('Which faces')
    assert 'small and pretrained ones measure on the validation' in answer(
        'Which faces'
    )
    for path in ROOT.glob(f'configs/*/*_ferplus_noise30{ending}.py'):
        assert config(path).val_dataloader.dataset.split == split


def test_affectnet():
    assert '`ClassBalancedSampler`' in answer('And AffectNet')
    for path in ROOT.glob('configs/*/*_affectnet_*.py'):
        cfg = config(path)
        assert cfg.train_dataloader.sampler.type == 'ClassBalancedSampler'
        assert cfg.val_dataloader.dataset.split == 'val'
        assert cfg.model.head.num_classes == 7


def test_order_of_the_expressions():
    """Against the numbers that RAF-DB's own read-me gives, less one."""
    names = ['surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral']
    stated = ', '.join(f'{i} {name}' for i, name in enumerate(names))
    assert answer('Which number').startswith(f'{stated}, for RAF-DB')
    for kind in ('RAFDB', 'FERPlus', 'AffectNet'):
        assert DATASETS.get(kind).METAINFO['classes'] == tuple(names)


@pytest.mark.parametrize(('kind', 'own'), [('symmetric', False), ('uniform', True)])
def test_kinds_of_noise(kind, own):
    """Of two classes, a uniform draw gives half of the labels their own class again."""
    assert f"`kind='{kind}'`" in answer('What does 30 % noise mean')
    labels = [i % 2 for i in range(2000)]
    noisy = NoisyLabels(Labelled(labels), kind=kind, rate=0.9, seed=0)
    noisy.full_init()
    # Five standard deviations of a share of 2,000 labels are at most 0.056.
    assert len(noisy.wrong_indices) / 2000 == pytest.approx(
        0.45 if own else 0.9, abs=0.056
    )


class Labelled(torch.utils.data.Dataset):
    """Labels alone."""

    classes = ('a', 'b')

    def __init__(self, labels):
        self.targets = labels

    def __len__(self):
        return len(self.targets)


def test_scn_and_rul_as_released():
    scn, rate, epochs, rul = facts(
        'SCN or RUL',
        r'batch size of (\d+), a learning rate of (\S+), (\d+) epochs.*size of (\d+)',
    )
    cfg = config(f'scn/{RELEASED}')
    assert cfg.train_dataloader.batch_size == int(scn)
    assert cfg.optim_wrapper.optimizer.lr == float(rate)
    assert cfg.train_cfg.max_epochs == int(epochs)
    assert cfg.model.head.relabel == 'all'
    assert 'relabelling of every face' in answer('SCN or RUL')
    assert config(f'rul/{RELEASED}').train_dataloader.batch_size == int(rul)


def test_the_recipes_of_the_ramp():
    """Those the answer names have it over the epochs that it tells others to set."""
    (epochs,) = facts('EAC does not learn', r'default_hooks.ramp.epochs=(\d+)')
    for name in ('resnet18_syntheticfer_noise30', 'resnet18_ferplus_noise30-small'):
        assert config(f'eac/{name}').default_hooks.ramp.epochs == int(epochs)
    assert 'ramp' not in config('eac/resnet18_rafdb_noise30').default_hooks


def test_sizes_of_the_last_map():
    side, small, large = facts(
        'The images are small', r'At (\d+) px.* map is (\d) x \2\..*\((\d) x \3\)'
    )
    assert '`_base_/models/resnet18w16_cifar.py`' in answer('The images are small')
    assert map_of('eac/resnet18_rafdb_noise30', int(side)) == int(small)
    assert map_of('eac/resnet18_ferplus_noise30-small', int(side)) == int(large)
    (rul,) = facts('SCN or RUL', r'maps of (\d) x \1, which a ResNet-18 has at 224 px')
    assert map_of('eac/resnet18_rafdb_noise30', 224) == int(rul)


def map_of(recipe, side):
    backbone = built(config(recipe).model.backbone)
    backbone.eval()
    with torch.no_grad():
        return backbone(torch.zeros(1, 3, side, side))[-1].shape[-1]


@pytest.mark.parametrize('method', ['gce', 'sce', 'label_smooth'])
def test_methods_without_a_flip(method):
    """Only a loss differs from the baseline, and each has the flip to be left out."""
    assert f'`{method}`' in answer('My classes are left and right')
    cfg, base = (config(f'{m}/resnet18_rafdb_noise30') for m in (method, 'baseline'))
    assert cfg.model.type == base.model.type == 'ImageClassifier'
    steps = [s.type for s in cfg.train_dataloader.dataset.dataset.pipeline]
    assert 'RandomFlip' in steps


def test_hours_on_a_cpu():
    hours, epochs, steps, seconds = map(
        float,
        facts(
            'Do I need a GPU',
            r'about (\d+) hours on two CPU cores: (\d+) epochs of (\d+) steps.* takes '
            r'([\d.]+) seconds',
        ),
    )
    cfg = config('eac/resnet18_rafdb_noise30')
    assert epochs == cfg.train_cfg.max_epochs
    assert steps == math.ceil(12271 / cfg.train_dataloader.batch_size)
    assert hours == pytest.approx(epochs * steps * seconds / 3600, abs=0.5)
    measured = (ROOT / 'docs/performance.md').read_text(encoding='utf-8')
    assert f'the measured step of {seconds} s' in measured


def test_networks_that_are_shipped():
    (name,) = facts('Which licences', r'one network of its own, \[`([\w-]+)`\]')
    assert [path.stem for path in (ROOT / 'eac_mm/pretrained').glob('*.pth')] == [name]
