"""Training images as the network gets them."""

import pytest
from mmpretrain.registry import DATASETS

from eac_mm.apis import load_config
from eac_mm.datasets.transforms import SeedAugmentation
from eac_mm.datasets.wrappers import transforms_of
from eac_mm.visualization import draw_pairs


@pytest.fixture
def make_dataset(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)

    def make(method):
        recipe = f'configs/{method}/resnet18_syntheticfer_noise30.py'
        cfg = load_config(recipe, {'train_dataloader.dataset.dataset.size': 12})
        return DATASETS.build(cfg.train_dataloader.dataset)

    return make


def test_pairs_are_those_of_the_epochs(make_dataset):
    dataset = make_dataset('eac')
    [seeding] = transforms_of(dataset, SeedAugmentation)
    figure = draw_pairs(dataset, [3, 5], epochs=(2, 7), seed=4)
    assert seeding.seed_epoch == (-1, -1)
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles == [f'epoch {e}, view {v}' for e in (2, 7) for v in (1, 2)]
    for epoch, columns in ((1, (0, 1)), (6, (2, 3))):
        seeding.set_epoch(4, epoch)
        for row, index in enumerate((3, 5)):
            served = dataset[index]
            for view, column in zip(served['inputs'], columns, strict=True):
                axes = figure.axes[4 * row + column]
                image = view.permute(1, 2, 0).numpy()[..., ::-1]
                assert (axes.images[0].get_array() == image).all()
    label = dataset.metainfo['classes'][served['data_samples'].gt_label.item()]
    assert figure.axes[4].get_xlabel() == f'label: {label}'


def test_single_images(make_dataset):
    figure = draw_pairs(make_dataset('baseline'), [0], epochs=(1, 2, 3))
    assert [axes.get_title() for axes in figure.axes] == [
        'epoch 1',
        'epoch 2',
        'epoch 3',
    ]
