import pytest

from eac_mm.experiments import Run, missing_inputs

DATA = """
data = dict(type='RAFDB', data_root={root!r})
train_dataloader = dict(dataset=dict(type='NoisyLabels', dataset=dict(**data)))
val_dataloader = dict(dataset=dict(**data, split='test'))
"""


@pytest.fixture
def run(tmp_path):
    def make(root, *options, seed=0, more=''):
        recipe = tmp_path / 'recipe.py'
        recipe.write_text(DATA.format(root=str(root)) + more)
        return Run(str(recipe), seed, tmp_path / 'w', options)

    return make


def test_nothing_is_missing(run, rafdb_root):
    assert missing_inputs([run(rafdb_root), run(rafdb_root, seed=1)]) == []
    # Nothing to read, or nothing that can be looked for.
    drawn = "train_dataloader = dict(dataset=dict(_delete_=True, type='SyntheticFER'))"
    assert missing_inputs([run('none', more=f'{drawn}\nval_dataloader = None')]) == []
    url = 'load_from=https://example.org/a.pth'
    assert missing_inputs([run(rafdb_root, url)]) == []


def test_data_that_is_missing_is_named_once(run, tmp_path):
    (found,) = missing_inputs([run(tmp_path / 'none', seed=seed) for seed in (0, 1)])
    assert found.startswith(
        f"The folder '{tmp_path}/none' does not exist. Fix: request"
    )


def test_weights_and_labels_that_are_missing(run, rafdb_root, tmp_path):
    noise = 'train_dataloader.dataset.noise_file=noise.txt'
    found = missing_inputs(
        [run(rafdb_root, 'load_from=weights.pth', noise), run(rafdb_root)]
    )
    assert [text.split(' does not exist')[0] for text in found] == [
        'weights.pth',
        'noise.txt',
    ]
    weights = tmp_path / 'weights.pth'
    weights.touch()
    assert missing_inputs([run(rafdb_root, f'load_from={weights}')]) == []


def test_what_ltnet_and_ktn_read_beside_the_data(run, rafdb_root, tmp_path):
    def beside(annotators, teacher):
        return (
            f"train_dataloader['dataset'].update(annotators={annotators})\n"
            f"model = dict(type='KTNStudent', teacher_weights={teacher!r})"
        )

    files = beside(['second.txt', 'third.txt'], 'teacher.pth')
    found = missing_inputs([run(rafdb_root, more=files)])
    assert [text.split(' does not exist')[0] for text in found] == [
        'teacher.pth',
        'second.txt',
        'third.txt',
    ]
    assert 'Fix: train the teacher first' in found[0]
    assert 'Fix: make it by tools/cross_fit.py' in found[1]
    there = tmp_path / 'there'
    there.touch()
    files = beside([str(there)], str(there))
    assert missing_inputs([run(rafdb_root, more=files)]) == []


def test_images_that_are_missing(run, rafdb_root, tmp_path):
    (tmp_path / 'root' / 'Image' / 'aligned').mkdir(parents=True)
    (tmp_path / 'root' / 'EmoLabel').symlink_to(rafdb_root / 'EmoLabel')
    found = missing_inputs([run(tmp_path / 'root')])
    assert len(found) == 1 and "aligned' is empty. Fix: request" in found[0]


def test_a_package_of_weights(run, rafdb_root, monkeypatch):
    def find():
        raise FileNotFoundError('not installed. Fix: pip install')

    monkeypatch.setattr('eac_mm.experiments.inputs.find_dlib_face', find)
    found = missing_inputs([run(rafdb_root, 'load_from=dlib-face')])
    assert found == ['not installed. Fix: pip install']
