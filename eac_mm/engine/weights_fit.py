"""Check whether the weights of a checkpoint fit a model."""

from collections.abc import Iterable

from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

SHOWN = 4


def check_fits(weights: dict[str, Tensor], model: nn.Module) -> None:
    """Refuse weights that do not fill a model to the last one, to resume or test.

    Args:
        weights: State dict of the file. A prefix ``module.`` of its keys is removed.
        model: The model, without the wrapper of several processes.

    Raises:
        ValueError: Listing the keys that are missing or differ in shape.
    """
    remove_prefix(weights)
    wanted = model.state_dict()
    missing, unlike = misfits(weights, model, wanted)
    if missing or unlike:
        raise ValueError(
            'the checkpoint belongs to another model: '
            f'{describe(missing, unlike, len(wanted))}; it holds '
            f'{list(weights)[:SHOWN]} ... Fix: use the config it was trained with, or '
            'convert its keys.'
        )


def prepare_start(weights: dict[str, Tensor], model: nn.Module) -> None:
    """Prepare the weights that a new training starts from (``load_from``).

    - They must fill every backbone: see :func:`backbones_of`. A backbone that the file
      does not name starts from the file's ``backbone.``, if that fits.
    - Everything else may be missing or differ in shape. It stays new, and the log
      names it.
    - Parts that the model names in ``never_started`` take nothing from the file: they
      have weights of their own, such as a teacher.
    - Outside the backbones, buffers other than running statistics stay new as well.
      They hold what another training has learned about its samples.

    Args:
        weights: State dict of the file, changed in place.
        model: The model, without the wrapper of several processes.

    Raises:
        ValueError: If a backbone is not filled.
    """
    remove_prefix(weights)
    wanted = model.state_dict()
    parts = backbones_of(model)
    own = tuple(f'{part}.' for part in getattr(model, 'never_started', ()))
    for key in [key for key in weights if key.startswith(own)]:
        del weights[key]
    wanted = {key: value for key, value in wanted.items() if not key.startswith(own)}
    for part in parts:
        copy_backbone(weights, wanted, part)
    missing, unlike = misfits(weights, model, wanted)

    lost = [key for key in missing if is_required(key, parts)]
    wrong = {key: text for key, text in unlike.items() if is_required(key, parts)}
    if lost or wrong:
        total = sum(is_required(key, parts) for key in wanted)
        raise ValueError(
            f'load_from does not fill {" and ".join(parts) or "the model"}: '
            f'{describe(lost, wrong, total)}; it holds {list(weights)[:SHOWN]} ... '
            'Fix: use the backbone of the file, convert its keys '
            '(tools/model_converters), or give each backbone its own file by '
            "init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')."
        )
    state = [key for key in state_buffers(model) if not is_required(key, parts)]
    state = [key for key in state if weights.pop(key, None) is not None]
    report_new([key for key in missing if not is_counter(key)], unlike, state)


def is_counter(key: str) -> bool:
    """Whether a key is BN's count of batches, which old files lack and PyTorch adds."""
    return key.endswith('.num_batches_tracked')


def is_required(key: str, parts: list[str]) -> bool:
    """Whether weights to start from must hold a key."""
    if parts:
        inside = key.startswith(tuple(f'{part}.' for part in parts))
    else:  # unknown: all but the head
        inside = not key.startswith('head.')
    return inside and not is_counter(key)


def remove_prefix(weights: dict[str, Tensor]) -> None:
    """Remove the prefix that a wrapper of several processes gave to the keys."""
    for key in [key for key in weights if key.startswith('module.')]:
        weights[key.removeprefix('module.')] = weights.pop(key)


def backbones_of(model: nn.Module) -> list[str]:
    """Name the submodules that weights to start from must fill.

    A model may declare them by an attribute ``pretrained_parts``. Otherwise they are
    the submodules with ``backbone`` in their name, such as ``backbone``,
    ``student.backbone``, or ``backbones.0`` and ``backbones.1`` of a ``ModuleList``.
    """
    declared = getattr(model, 'pretrained_parts', None)
    if declared is not None:
        return list(declared)
    return list(_backbones_in(model, ''))


def _backbones_in(module: nn.Module, prefix: str) -> Iterable[str]:
    for name, child in module.named_children():
        path = prefix + name
        if 'backbone' not in name:
            yield from _backbones_in(child, f'{path}.')
        elif isinstance(child, nn.ModuleList | nn.ModuleDict):
            yield from (f'{path}.{part}' for part, _ in child.named_children())
        else:
            yield path


def copy_backbone(
    weights: dict[str, Tensor], wanted: dict[str, Tensor], part: str
) -> None:
    """Let a backbone that the file does not name start from the file's ``backbone.``.

    Does nothing if the file has weights under the name, or if its ``backbone.`` has
    other keys or shapes.
    """
    prefix = f'{part}.'
    if any(key.startswith(prefix) for key in weights):
        return
    keys = [key for key in wanted if key.startswith(prefix)]
    sources = {key: f'backbone.{key.removeprefix(prefix)}' for key in keys}
    if not all(
        source in weights and weights[source].shape == wanted[key].shape
        for key, source in sources.items()
    ):
        return
    weights.update({key: weights[source] for key, source in sources.items()})
    print_log(f'{part} starts from the weights of "backbone" in load_from', 'current')


def misfits(
    weights: dict[str, Tensor], model: nn.Module, wanted: dict[str, Tensor]
) -> tuple[list[str], dict[str, str]]:
    """Compare a file's weights with a model's.

    Modules that rename or resize weights while they load (such as the position
    embedding of a ``VisionTransformer``) are asked to do so on a copy first.

    Returns:
        The keys that are missing, and both shapes of those that differ in shape.
    """
    loaded = dict(weights)
    for name, module in model.named_modules():
        prefix = f'{name}.' if name else ''
        for hook in module._load_state_dict_pre_hooks.values():
            hook(loaded, prefix, {}, True, [], [], [])
    # A hook may also drop what its module computes by itself.
    missing = [key for key in wanted if key not in loaded and key not in weights]
    unlike = {
        key: f'{key} {tuple(loaded[key].shape)} for {tuple(value.shape)}'
        for key, value in wanted.items()
        if key in loaded and loaded[key].shape != value.shape
    }
    return missing, unlike


def state_buffers(model: nn.Module) -> list[str]:
    """List the buffers of a model that are not running statistics of a norm layer."""
    return [
        f'{name}.{buffer}' if name else buffer
        for name, module in model.named_modules(remove_duplicate=False)
        if not isinstance(module, _NormBase)
        for buffer, _ in module.named_buffers(recurse=False)
    ]


def describe(missing: list[str], unlike: dict[str, str], total: int) -> str:
    """Say which weights are missing or differ in shape."""
    return (
        f'{len(missing)} of {total} weights are missing in it {missing[:SHOWN]}, '
        f'{len(unlike)} differ in shape {list(unlike.values())[:SHOWN]}'
    )


def report_new(missing: list[str], unlike: dict[str, str], state: list[str]) -> None:
    """Log what does not start from the file."""
    reasons = {
        'not in the file': missing,
        'of another shape': list(unlike.values()),
        'state of another training': [key for key in state if key not in unlike],
    }
    said = [f'{reason}: {", ".join(keys)}' for reason, keys in reasons.items() if keys]
    if said:
        print_log(f'load_from leaves these new. {"; ".join(said)}', 'current')
