"""Checkpoints that load with ``weights_only=True``, into the right model."""

from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from torch import Tensor

from eac_mm import compat


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, mended.

    The file holds tensors and plain values only; and a file of another model is
    an error before anything of it is used, where MMEngine warns and goes on
    with random weights.

    Raises:
        ValueError: On loading, where the file leaves weights unfilled. A file
            that training starts from (``load_from``) may lack the head or have
            one of another size; to test or resume, all must fit.
    """

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Replace MMEngine's objects by plain values."""
        checkpoint['message_hub'] = compat.plain_message_hub(checkpoint['message_hub'])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the keys and put MMEngine's objects back."""
        if 'message_hub' in checkpoint:
            hub = compat.restore_message_hub(checkpoint['message_hub'])
            checkpoint['message_hub'] = hub
        # MMEngine's resume would run this string as Python.
        checkpoint.get('meta', {}).pop('config', None)

        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if hasattr(getattr(model, 'backbone', None), '_checkpoint_filter'):
            return  # the backbone renames keys while loading
        # A loop stays the config's dict until it is built, which only
        # ``Runner.train`` does with the training loop.
        training = runner._train_loop is not None and not isinstance(
            runner._train_loop, dict
        )
        strict = runner._resume or not training
        weights = checkpoint.get('state_dict', checkpoint)
        check_fits(weights, model.state_dict(), strict=strict)


def check_fits(
    given: dict[str, Tensor], wanted: dict[str, Tensor], strict: bool
) -> None:
    """Refuse weights that do not fill a model.

    Args:
        given: State dict of the file; keys may start with ``module.``.
        wanted: State dict of the model.
        strict: Whether the head must fit too.

    Raises:
        ValueError: Listing the keys that are missing or differ in shape.
    """
    given = {key.removeprefix('module.'): value for key, value in given.items()}
    missing = [key for key in wanted if key not in given]
    unlike = [
        f'{key} {tuple(given[key].shape)} for {tuple(value.shape)}'
        for key, value in wanted.items()
        if key in given and given[key].shape != value.shape
    ]
    if not strict:
        missing = [key for key in missing if not key.startswith('head.')]
        unlike = [text for text in unlike if not text.startswith('head.')]
    if missing or unlike:
        raise ValueError(
            f'the checkpoint belongs to another model: {len(missing)} of '
            f'{len(wanted)} weights are missing in it {missing[:4]}, {len(unlike)} '
            f'differ in shape {unlike[:4]}; it holds {list(given)[:4]} ... Mend: use '
            'the config it was trained with, or convert its keys.'
        )
