import numpy as np
import pytest

from eac_mm.datasets import LeftOut, NoisyLabels, SyntheticFER
from eac_mm.datasets.left_out import write_left_out
from eac_mm.datasets.wrappers import origins


@pytest.fixture
def faces():
    pipeline = [dict(type='PackInputs')]
    return NoisyLabels(SyntheticFER(size=6, img_size=48, pipeline=pipeline), rate=0.5)


def test_the_others_keep_labels_and_numbers(faces, tmp_path):
    write_left_out(tmp_path / 'out.txt', faces, np.array([0, 4]))
    assert (tmp_path / 'out.txt').read_text() == '0\t000000\n4\t000004\n'
    kept = LeftOut(faces, tmp_path / 'out.txt')
    assert kept.indices == [1, 2, 3, 5]
    assert kept.get_gt_labels().tolist() == faces.given_labels[[1, 2, 3, 5]].tolist()
    assert [kept[i]['data_samples'].sample_idx for i in range(4)] == [1, 2, 3, 5]
    assert kept.get_cat_ids(3) == [faces.given_labels[5]]
    assert kept.get_data_info(0)['sample_idx'] == 1
    assert kept.metainfo['classes'] == faces.CLASSES
    assert origins(kept, NoisyLabels).index.tolist() == [1, 2, 3, 5]


@pytest.mark.parametrize('line', ['6\t000006', '1\t000002', 'one', '01\t000001'])
def test_a_line_of_another_data_set(faces, tmp_path, line):
    (tmp_path / 'out.txt').write_text(f'0\t000000\n{line}\n')
    with pytest.raises(ValueError, match='out.txt:2: .*6 samples.*Fix: '):
        LeftOut(faces, tmp_path / 'out.txt')


def test_some_must_stay(faces, tmp_path):
    write_left_out(tmp_path / 'out.txt', faces, range(6))
    with pytest.raises(ValueError, match='lists all 6 samples. Fix: '):
        LeftOut(faces, tmp_path / 'out.txt')
