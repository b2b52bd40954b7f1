import pytest
from mmengine import Config

from eac_mm.audit import data_sets, survey_split

TRAIN = dict(type='CSVFaces', data_root='faces', ann_file='train.csv')


def loader(dataset):
    return dict(dataset=dataset)


@pytest.mark.parametrize(
    'wrappers', [(), ('NoisyLabels',), ('RepeatDataset', 'N', 'C')]
)
def test_wrappers_do_not_hide_the_files(wrappers):
    dataset = TRAIN
    for name in wrappers:
        dataset = dict(type=name, dataset=dataset)
    cfg = Config(dict(train_dataloader=loader(dataset)))
    assert data_sets(cfg) == {'training': TRAIN}


def test_splits_of_the_same_data_are_read_once():
    val = dict(TRAIN, ann_file='val.csv')
    cfg = Config(
        dict(
            train_dataloader=loader(dict(TRAIN, on_bad_image='skip')),
            val_dataloader=loader(dict(val, test_mode=True)),
            test_dataloader=loader(dict(val, pipeline=[dict(type='LoadFace')])),
        )
    )
    # on_bad_image='skip' would hide what is looked for
    found = data_sets(cfg)
    assert found == {'training': TRAIN, 'validation, test': dict(val, test_mode=True)}


@pytest.mark.parametrize('content', [{}, dict(val_dataloader=None)])
def test_a_recipe_without_data_is_refused(content):
    with pytest.raises(ValueError, match='has no data set. Fix: .*train_dataloader'):
        data_sets(Config(content))


def test_a_data_set_that_does_not_load_is_a_finding(tmp_path):
    found = survey_split('training', dict(TRAIN, data_root=str(tmp_path / 'none')))
    assert found.split == 'training'
    assert 'none' in found.error
    assert found.labels == []
