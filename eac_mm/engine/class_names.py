"""Compare the class names of a checkpoint with those of the data."""

from collections.abc import Sequence

from mmengine.logging import print_log
from torch import Tensor, nn

from .weights_fit import backbones_of, is_required


def classes_in(checkpoint: dict) -> list[str] | None:
    """Return the class names that a checkpoint was trained with, None if unknown."""
    meta = checkpoint.get('meta') or {}
    for known in (meta.get('dataset_meta') or {}, meta):
        for key in ('classes', 'CLASSES'):  # MMPretrain before 1.0 wrote CLASSES
            if known.get(key) is not None:
                return [str(name) for name in known[key]]
    return None


def check_same(
    then: Sequence[str] | None, now: Sequence[str] | None, role: str
) -> None:
    """Refuse a model whose outputs mean other classes than the labels.

    Args:
        then: Names in the checkpoint, in the order of the model's outputs.
        now: Names of the data, in the order of the labels.
        role: What the data is for, such as ``'test'``.

    Raises:
        ValueError: If names or order differ.
    """
    if then is None or now is None:
        print_log(
            f'the checkpoint or the {role} data has no class names: whether their '
            'order agrees is not checked',
            'current',
            level=30,
        )
        return
    then, now = tuple(then), tuple(now)
    if then == now:
        return
    what = 'order of the classes' if sorted(then) == sorted(now) else 'classes'
    raise ValueError(
        f'the {what} of the {role} data and of the checkpoint differ: the data has '
        f'{len(now)}, {now}; the model was trained with {len(then)}, {then}. Fix: '
        f'give the data set classes={list(then)}, the order of the checkpoint, or use '
        'the data that it was trained for.'
    )


def check_start(
    then: Sequence[str] | None,
    now: Sequence[str] | None,
    weights: dict[str, Tensor],
    model: nn.Module,
) -> None:
    """Check the classes of weights that a new training starts from.

    Other classes are allowed if the head is new.

    Args:
        then: Names in the checkpoint.
        now: Names of the training data.
        weights: State dict of the file.
        model: The model, without the wrapper of several processes.

    Raises:
        ValueError: If the head is taken over for other classes.
    """
    if then is None or now is None or tuple(then) == tuple(now):
        return
    taken = head_weights(weights, model, len(now))
    if taken:
        raise ValueError(
            f'load_from was trained with the classes {tuple(then)}, the training data '
            f'has {tuple(now)}, and {", ".join(taken)} would be taken over for other '
            f'classes. Fix: give the data sets classes={list(then)}, or start from a '
            'file without these weights, so that the head is new.'
        )
    print_log(
        f'load_from was trained with other classes, {tuple(then)}; the head is new and '
        f'learns {tuple(now)}',
        'current',
    )


def head_weights(
    weights: dict[str, Tensor], model: nn.Module, classes: int
) -> list[str]:
    """List the weights of a file that give a model one output for each class."""
    parts = backbones_of(model)
    return [
        key
        for key, value in model.state_dict().items()
        if not is_required(key, parts) or not parts
        if key in weights and weights[key].shape == value.shape
        if classes in value.shape
    ]
