"""A finished training as a small file."""

import json

import pandas as pd
import pytest
import short_training
import torch

from eac_mm.apis import load_model
from eac_mm.apis.publishing import publish

RECIPE = 'configs/eac/resnet18_syntheticfer_noise30.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory, pytestconfig):
    folder = tmp_path_factory.mktemp('publishing') / 'run'
    short_training.train(pytestconfig.rootpath / RECIPE, folder)
    return folder / 'epoch_2.pth'


@pytest.fixture
def results(tmp_path):
    error = dict(error=0.2, error_scaled=0.05, temperature=1.75)
    summary = dict(
        images=8, accuracy=62.5, mean_class_accuracy=50.0, macro_f1=0, calibration=error
    )
    (tmp_path / 'summary.json').write_text(json.dumps(summary))
    rows = dict(image=0, images=[6, 2], recall=[75.0, 25.0], precision=[60.0, 100.0])
    rows = pd.DataFrame({'class': ['happy', 'fear'], **rows})
    rows.to_csv(tmp_path / 'by_class.csv', index=False)
    return tmp_path


def test_a_small_file_predicts_as_the_checkpoint(checkpoint, results, tmp_path):
    target, card = publish(checkpoint, results, tmp_path / 'out/mine.pth', 'About it.')
    assert target.stat().st_size < checkpoint.stat().st_size / 4
    before, after = load_model(checkpoint), load_model(target)
    assert (after.classes, after.size) == (before.classes, before.size)
    assert (before.temperature, after.temperature) == (1.0, 1.75)
    images = torch.randn(4, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = [model.network(images, mode='tensor') for model in (before, after)]
    torch.testing.assert_close(*logits, atol=0.02, rtol=0.02)
    text = card.read_text(encoding='utf-8')
    assert text.startswith('# mine\n\nAbout it.\n')
    assert 'accuracy 62.50 %, mean class accuracy 50.00 %' in text
    assert '20.0 %, and 5.0 % with probabilities scaled by the temperature 1.75' in text
    assert '| fear | 2 | 25.0 | 100.0 |' in text


def test_what_was_learned_of_single_samples_is_kept_back(
    results, tmp_path, pytestconfig
):
    recipe = pytestconfig.rootpath / 'configs/scn/resnet18_syntheticfer_noise30.py'
    short_training.train(recipe, tmp_path / 'run')
    checkpoint, target = tmp_path / 'run/epoch_2.pth', tmp_path / 'scn.pth'
    publish(checkpoint, results, target, '')
    key = 'head.relabelling.values'
    held = [torch.load(path)['state_dict'][key] for path in (checkpoint, target)]
    assert [len(values) for values in held] == [short_training.SAMPLES, 0]
    load_model(target)


def test_results_are_needed(checkpoint, tmp_path):
    with pytest.raises(FileNotFoundError, match='summary.json.* Fix: python tools'):
        publish(checkpoint, tmp_path, tmp_path / 'a.pth', '')


def test_only_trainings_of_this_package(results, tmp_path):
    torch.save(dict(state_dict={}), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r"lacks \['identity'.*Fix: name the epoch_N"):
        publish(tmp_path / 'other.pth', results, tmp_path / 'a.pth', '')
