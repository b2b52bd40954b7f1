"""Validation that also looks at the wrong training labels."""

import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import Evaluator
from mmengine.runner import ValLoop, autocast
from mmpretrain.registry import LOOPS
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader

from eac_mm.datasets import NoisyLabels
from eac_mm.datasets.wrappers import find
from eac_mm.evaluation import Memorisation

from ..optimizers import BFloat16OptimWrapper


@LOOPS.register_module()
class NoisyLabelValLoop(ValLoop):
    """Validate, then ask what became of the wrongly labelled images.

    After MMEngine's validation, the wrongly labelled training images pass
    through the validation pipeline and the network in evaluation mode, and
    :class:`~eac_mm.evaluation.Memorisation` joins the validation's metrics.
    Where the training data is no :class:`~eac_mm.datasets.NoisyLabels`, or none
    of its labels is wrong, this is MMEngine's loop, whose arguments it takes. It
    runs in bfloat16 where training does.
    """

    _wrong_dataloader: DataLoader | None = None

    def run(self) -> dict:
        """Validate and return all metrics."""
        self.runner.call_hook('before_val')
        self.runner.call_hook('before_val_epoch')
        self.runner.model.eval()
        self.val_loss.clear()
        for idx, data_batch in enumerate(self.dataloader):
            self.run_iter(idx, data_batch)
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        metrics.update(self._evaluate_wrong_samples())
        self.runner.call_hook('after_val_epoch', metrics=metrics)
        self.runner.call_hook('after_val')
        return metrics

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Predict one batch and hand it to the metrics."""
        self.runner.call_hook('before_val_iter', batch_idx=idx, data_batch=data_batch)
        outputs = self._predict(data_batch)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            'after_val_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs
        )

    @torch.no_grad()
    def _evaluate_wrong_samples(self) -> dict:
        train = getattr(self.runner.train_loop, 'dataloader', None)
        found = find(train.dataset, NoisyLabels) if train is not None else []
        dataset = found[0] if found else None
        if dataset is None or not len(dataset.wrong_indices):
            return {}
        if self._wrong_dataloader is None:
            self._wrong_dataloader = self._build_wrong_dataloader(dataset)
        evaluator = Evaluator([Memorisation()])
        evaluator.dataset_meta = dataset.metainfo
        for data_batch in self._wrong_dataloader:
            evaluator.process(self._predict(data_batch), data_batch)
        return evaluator.evaluate(len(dataset.wrong_indices))

    def _predict(self, data_batch: dict) -> list[DataSample]:
        wrapper, model = self.runner.optim_wrapper, self.runner.model
        if isinstance(wrapper, BFloat16OptimWrapper):
            precision = wrapper.autocast(model)
        else:
            precision = autocast(enabled=self.fp16)
        with precision:
            return model.val_step(data_batch)

    def _build_wrong_dataloader(self, dataset: NoisyLabels) -> DataLoader:
        validation = self.dataloader.dataset
        while not hasattr(validation, 'pipeline'):  # concatenated or wrapped
            inner = getattr(validation, 'dataset', None)
            validation = inner if inner is not None else validation.datasets[0]
        wrong = dataset.wrong_samples(validation.pipeline)
        # Like the validation loader, but for its data.
        cfg = dict(
            dataset=wrong,
            batch_size=self.dataloader.batch_size,
            num_workers=self.dataloader.num_workers,
            persistent_workers=self.dataloader.persistent_workers,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
        )
        self.runner.logger.info(
            f'Memorisation is measured on {len(wrong):,} wrongly labelled training '
            f'images, {get_world_size()} process(es)'
        )
        return self.runner.build_dataloader(cfg, seed=self.runner.seed)
