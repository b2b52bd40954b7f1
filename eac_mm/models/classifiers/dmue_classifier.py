"""The classifier of DMUE, which repeats the backbone's last stage."""

import copy
from typing import Any

from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn


@MODELS.register_module()
class DMUEClassifier(ImageClassifier):
    """Give the head the features of a branch for each class beside the network's own.

    A branch is a copy of the backbone's last stage. All branches take what enters that
    stage, and the neck pools what they give. They start as equals of the stage: after
    its initialisation, and from a file that holds a backbone and no branches
    (``load_from``). In testing they do not run, and the model is MMPretrain's
    ``ImageClassifier``.

    Args:
        *args: As of MMPretrain's ``ImageClassifier``.
        last_stage: Name of the backbone's submodule that is repeated, such as
            ``'layer4'``. Its output must be the backbone's last one. Defaults to None:
            the last of its ``res_layers`` or ``stages``, however many there are.
        **kwargs: As of MMPretrain's ``ImageClassifier``. The head's ``loss`` must take
            ``branch_feats``, as :class:`DMUEHead` does.

    Attributes:
        branches: The copies, one for each class.

    Raises:
        TypeError: If the head knows no branches.
        ValueError: If the backbone has no such stage.
    """

    def __init__(
        self, *args: Any, last_stage: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not hasattr(self.head, 'classify_branches'):
            raise TypeError(
                f'DMUEClassifier needs a head with auxiliary branches, and '
                f"{type(self.head).__name__} has none. Fix: model.head.type='DMUEHead'."
            )
        self.last_stage = last_stage or find_last_stage(self.backbone)
        self.branches = nn.ModuleList(
            copy.deepcopy(self._stage()) for _ in range(self.head.num_classes)
        )
        self._register_load_state_dict_pre_hook(self._fill_branches)

    def _stage(self) -> nn.Module:
        try:
            return self.backbone.get_submodule(self.last_stage)
        except AttributeError:
            names = [name for name, _ in self.backbone.named_children()]
            raise ValueError(
                f'{type(self.backbone).__name__} has no stage {self.last_stage!r}; it '
                f'has {names}. Fix: model.last_stage, the name of its last stage.'
            ) from None

    def init_weights(self) -> None:
        """Initialise the network, and start the branches from its last stage."""
        super().init_weights()
        if (self.init_cfg or {}).get('type') == 'Pretrained':
            return  # the file has settled them: see _fill_branches
        for branch in self.branches:
            branch.load_state_dict(self._stage().state_dict())

    def _fill_branches(self, weights: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Let branches that a file does not hold start from its last stage."""
        ours = f'{prefix}branches.'
        if any(key.startswith(ours) for key in weights):
            return
        stage = f'{prefix}backbone.{self.last_stage}.'
        for key in [key for key in weights if key.startswith(stage)]:
            for number in range(len(self.branches)):
                copied = f'{ours}{number}.{key.removeprefix(stage)}'
                weights[copied] = weights[key]

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the head's losses.

        Args:
            inputs: Images, (N, 3, H, W).
            data_samples: N samples with the noisy labels.

        Raises:
            ValueError: If the stage's output is not the backbone's last one.
        """
        seen: list[tuple[tuple, Any]] = []
        handle = self._stage().register_forward_hook(
            lambda _, given, output: seen.append((given, output))
        )
        try:
            maps = self.extract_feat(inputs, stage='backbone')
        finally:
            handle.remove()
        if len(seen) != 1 or seen[0][1] is not maps[-1]:
            raise ValueError(
                f"the output of {type(self.backbone).__name__}'s {self.last_stage} is "
                'not its last one, which a branch must give. Fix: model.last_stage, '
                'the name of the module that gives it.'
            )
        given = seen[0][0]
        branch_feats = [self._pool((branch(*given),))[-1] for branch in self.branches]
        return self.head.loss(self._pool(maps), data_samples, branch_feats=branch_feats)

    def _pool(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return self.neck(maps) if self.with_neck else maps


def find_last_stage(backbone: nn.Module) -> str:
    """Return the name of a backbone's last stage.

    Raises:
        ValueError: If its stages are neither ``res_layers`` nor ``stages``.
    """
    names = list(getattr(backbone, 'res_layers', ()))
    names = names or [
        f'stages.{i}' for i in range(len(getattr(backbone, 'stages', ())))
    ]
    if not names:
        raise ValueError(
            f'{type(backbone).__name__} does not name its stages; it has '
            f'{[name for name, _ in backbone.named_children()]}. Fix: '
            'model.last_stage, the name of the one that is repeated.'
        )
    return names[-1]
