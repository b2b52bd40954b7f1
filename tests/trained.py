"""A checkpoint as a training of this package writes it, with random weights."""

from pathlib import Path

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from eac_mm.apis import load_config
from eac_mm.datasets.faces.expressions import EXPRESSIONS
from eac_mm.utils.identity import describe_settings

ROOT = Path(__file__).parents[1]
RECIPE = str(ROOT / 'configs/eac/resnet18_syntheticfer_noise30.py')


def save_checkpoint(path, recipe=RECIPE, options=None, **meta):
    """Write a checkpoint of a recipe's network, whose BN statistics are not trivial.

    Args:
        path: The file.
        recipe: The recipe.
        options: Overrides for it.
        **meta: Further entries of the checkpoint's ``meta``; None leaves one out.

    Returns:
        The path.
    """
    cfg = load_config(recipe, options)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        network = MODELS.build(cfg.model)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, 0, 0.2)
    torch.nn.init.normal_(network.head.fc.weight, 0, 0.5)
    known = dict(
        identity=describe_settings(cfg.to_dict()),
        dataset_meta=dict(classes=list(EXPRESSIONS)),
        **meta,
    )
    known = {key: value for key, value in known.items() if value is not None}
    content = dict(state_dict=network.state_dict(), meta=known)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path
