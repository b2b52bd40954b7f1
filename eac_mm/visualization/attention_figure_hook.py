"""Show attention during training."""

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

from eac_mm.datasets.noise import WrongSamples
from eac_mm.datasets.wrappers import part_with_pipeline
from eac_mm.engine.hooks.exact_resume_hook import inner_model

from .attention import AttentionRow, draw_attention
from .looks import look_at
from .style import as_image

NAME = 'attention'


@HOOKS.register_module()
class AttentionFigureHook(Hook):
    """Draw what the network looks at in wrongly labelled training images.

    The figure goes to the run's visualizer, under the name ``attention``: to a folder
    with ``LocalVisBackend``, to TensorBoard or WandB with theirs. ::

        default_hooks=dict(figures=dict(type='AttentionFigureHook', interval=5))
        vis_backends=[dict(type='TensorboardVisBackend')]

    Training is the same with and without it. If no label is wrong, it does nothing.

    Args:
        interval: Draw after every ``interval``-th epoch, if it is validated. Defaults
            to 1.
        count: Number of images. Defaults to 4.

    Raises:
        ValueError: If an argument is below 1, or the network has no attention maps.
    """

    def __init__(self, interval: int = 1, count: int = 4) -> None:
        for name, value in dict(interval=interval, count=count).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f'AttentionFigureHook: {name}={value!r} is not allowed. Fix: give '
                    '1 or more.'
                )
        self.interval, self.count = interval, count

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Choose the images."""
        pipeline = part_with_pipeline(runner.val_dataloader.dataset).pipeline
        wrong = WrongSamples(runner.train_dataloader.dataset, pipeline)
        count = min(self.count, len(wrong))
        self._items = [wrong[i] for i in range(count)]
        self._classes = wrong.metainfo.get('classes')

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Draw the figure; the network is in evaluation mode."""
        if not self._items or runner.epoch % self.interval:
            return
        network, classes = inner_model(runner), self._classes
        rows = []
        for item in self._items:
            image, sample = item['inputs'], item['data_samples']
            picture = np.ascontiguousarray(image.permute(1, 2, 0).numpy()[..., ::-1])
            noisy = classes[sample.gt_label.item()]
            clean = classes[int(sample.clean_label)]
            look = look_at(network, image, classes)
            rows.append(AttentionRow(picture, noisy, clean, {'the network': look}))
        figure = as_image(draw_attention(rows))
        runner.visualizer.add_image(NAME, figure, step=runner.epoch)
