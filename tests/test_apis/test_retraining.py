import numpy as np
from mmengine import Config

from eac_mm.apis.retraining import write_recipes
from eac_mm.datasets import NoisyLabels, SyntheticFER

FACES = dict(type='SyntheticFER', size=4)


def written(data, folder, **more):
    noisy = NoisyLabels(SyntheticFER(size=4, img_size=48, pipeline=[]))
    cfg = Config(dict(train_dataloader=dict(dataset=data), work_dir='w', **more))
    before = cfg.to_dict()
    files = write_recipes(cfg, noisy, np.array([2]), folder / 'labels.txt', folder)
    assert cfg.to_dict() == before
    assert [path.name for path in files] == [
        'left_out.txt',
        'relabelled.py',
        'removed.py',
    ]
    assert files[0].read_text() == '2\t000002\n'
    found = [Config.fromfile(path) for path in files[1:]]
    assert not any('work_dir' in cfg for cfg in found)
    return found


def data_of(cfgs):
    return [cfg.train_dataloader.dataset.to_dict() for cfg in cfgs]


def test_noise_gives_way_to_the_corrected_labels(tmp_path):
    labels, listed = str(tmp_path / 'labels.txt'), str(tmp_path / 'left_out.txt')
    noise = dict(type='NoisyLabels', kind='asymmetric', rate=0.3, seed=1, dataset=FACES)
    cached = dict(type='RAMCache', dataset=noise)
    given = dict(type='NoisyLabels', seed=1, noise_file=labels, dataset=FACES)
    left_out = dict(type='LeftOut', file=listed)
    kept = dict(left_out, dataset=noise)
    assert data_of(written(cached, tmp_path)) == [given, kept]

    # What repeats the samples stays outside.
    twice = dict(type='RepeatDataset', times=2)
    found = data_of(written(dict(twice, dataset=noise), tmp_path))
    assert found == [dict(twice, dataset=given), dict(twice, dataset=kept)]

    # The labels of a data set without noise stand in a new one.
    given = dict(type='NoisyLabels', noise_file=labels, dataset=FACES)
    found = data_of(written(FACES, tmp_path))
    assert found == [given, dict(left_out, dataset=FACES)]


def test_a_resumed_run_starts_anew(tmp_path):
    found = written(FACES, tmp_path, resume=True, load_from='epoch_3.pth')
    assert [(cfg.resume, cfg.load_from) for cfg in found] == [(False, None)] * 2
    found = written(FACES, tmp_path, resume=False, load_from='face.pth')
    assert [cfg.load_from for cfg in found] == ['face.pth'] * 2
