"""Read weights from files of other forms than MMEngine's."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

from eac_mm.utils.checkpoints import weights_in


@HOOKS.register_module()
class CheckpointFormatHook(Hook):
    """Put the weights of a loaded file under ``state_dict``, where hooks look for them.

    A file may also hold the weights alone, or under another of
    :data:`~eac_mm.utils.checkpoints.WRAPPERS`. MMEngine's loader takes the former, but
    its ``EMAHook`` does not.
    """

    # Before all that reads the file.
    priority = 'HIGHEST'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Change the file's content in place."""
        weights = weights_in(checkpoint)
        if weights is checkpoint:
            weights = dict(checkpoint)
            checkpoint.clear()
        checkpoint['state_dict'] = weights
