"""A student in the manner of KTN: it learns from a teacher and from itself."""

from pathlib import Path
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.nn import functional as F

from ..labels import single_labels
from ..sample_state import SampleState


@MODELS.register_module()
class KTNStudent(ImageClassifier):
    r"""Learn from labels, from a frozen teacher, and from what it said an epoch ago.

    **In the manner of** KTN (Li, Wang, Ding, Yang, Gao: Adaptively Learning Facial
    Expression Representation via C-F Labels and Distillation, IEEE Transactions on
    Image Processing 2021), whose abstract names both sources. Its loss is not public;
    this one is ours. With p the student's probabilities, p' those of the sample's last
    step, and P(T) probabilities of logits divided by T:

    .. math::
        L = (1 - a) L_{head} + a T^2 KL(P_{teacher}(T) \| P(T)) + b KL(p' \| p)

    Each is a mean over the batch; the last is 0 for a sample that was not served
    before. In testing it is MMPretrain's ``ImageClassifier``, and the teacher does not
    run.

    Args:
        *args: As of MMPretrain's ``ImageClassifier``.
        teacher: Config of the teacher, without data preprocessor: it sees what the
            student sees.
        teacher_weights: Checkpoint of the teacher's training. It is read when a
            training begins, and its weights are in the student's checkpoints.
        teacher_weight: Weight a, in [0, 1]. Defaults to 0.5.
        temperature: Temperature T, above 0. Defaults to 4.0.
        history_weight: Weight b, 0 or more. Defaults to 0.2.
        **kwargs: As of MMPretrain's ``ImageClassifier``.

    Attributes:
        passes: How often a sample passes a backbone in a training step. The teacher
            has no backward pass, and counts a third.
        teacher: The teacher, in eval mode and without gradient.
        teacher_labels: Fingerprint of the labels that the teacher was trained on, None
            if its file does not say. A :class:`~eac_mm.engine.RunIdentityHook` refuses
            a student that trains on others.
        history: The probabilities of each sample's last step.

    Raises:
        ValueError: If a weight or the temperature is out of range.
    """

    passes = 1 + 1 / 3
    pretrained_parts = ('backbone',)
    never_started = ('teacher',)  # it comes from teacher_weights
    teacher_labels: str | None = None

    def __init__(
        self,
        *args: Any,
        teacher: dict,
        teacher_weights: str,
        teacher_weight: float = 0.5,
        temperature: float = 4.0,
        history_weight: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not 0 <= teacher_weight <= 1 or temperature <= 0 or history_weight < 0:
            raise ValueError(
                f'teacher_weight={teacher_weight}, temperature={temperature} and '
                f'history_weight={history_weight}: allowed are 0 to 1, above 0, and 0 '
                'or more. Fix: model.teacher_weight=0.5 model.temperature=4 '
                'model.history_weight=0.2'
            )
        self.teacher = MODELS.build(teacher).requires_grad_(False).eval()
        self.teacher_weights = teacher_weights
        self.teacher_weight = teacher_weight
        self.temperature = temperature
        self.history_weight = history_weight
        self.history = SampleState((self.head.num_classes,))

    def init_weights(self) -> None:
        """Initialise the student, and read the teacher's weights.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it does not hold the teacher.
        """
        super().init_weights()
        self.teacher_labels = load_teacher(self.teacher, self.teacher_weights)

    def train(self, mode: bool = True) -> 'KTNStudent':
        """Set the mode of the student; the teacher stays in eval mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the losses, and remember what the student says.

        Args:
            inputs: (N, 3, H, W).
            data_samples: N samples with the noisy labels.

        Returns:
            ``loss_cls``, ``loss_teacher`` and ``loss_history``. Their sum is trained
            on. Accuracies too, if the head's ``cal_acc`` is set.

        Raises:
            ValueError: If samples are mixed.
        """
        single_labels(
            data_samples,
            'KTNStudent remembers what it said of each sample, and a mix of two is no '
            'sample. Fix: no batch augmentations (model.train_cfg.augments).',
        )
        feats = self.extract_feat(inputs)
        losses = self.head.loss(feats, data_samples)
        losses['loss_cls'] = (1 - self.teacher_weight) * losses.pop('loss')
        logits = self.head(feats)
        with torch.no_grad():
            taught = self.teacher(inputs, mode='tensor')
        indices = self.history.indices(data_samples)
        before = self.history.read(indices)
        with torch.autocast(inputs.device.type, enabled=False):
            logits = logits.float()
            losses['loss_teacher'] = self.teacher_weight * distillation(
                logits, taught.float(), self.temperature
            )
            losses['loss_history'] = self.history_weight * divergence(before, logits)
        self.history.write(indices, logits.detach().softmax(1))
        return losses


def load_teacher(teacher: ImageClassifier, path: str) -> str | None:
    """Fill a teacher from a checkpoint of its training.

    Returns:
        Fingerprint of the labels that it was trained on, None if the file has none.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it does not hold this network.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(
            f'{path} does not exist, and the student learns from the teacher in it. '
            'Fix: train the teacher first, by the recipe of the same name that ends '
            'with -teacher, or name its checkpoint: model.teacher_weights=PATH'
        )
    saved = torch.load(file, map_location='cpu', weights_only=True)
    weights = saved.get('state_dict', saved)
    try:
        teacher.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f'{path} does not hold the teacher ({type(teacher).__name__}): {error}. '
            'Fix: model.teacher_weights, a checkpoint of the recipe that ends with '
            '-teacher.'
        ) from error
    identity = saved.get('meta', {}).get('identity') or {}
    return identity.get('data', {}).get('train', {}).get('labels')


def distillation(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Return T^2 KL(teacher || student) at a temperature T, a mean over the batch.

    Args:
        logits: Of the student, float32 (N, num_classes).
        taught: Logits of the teacher, float32 (N, num_classes).
        temperature: Above 0.
    """
    softened = (taught / temperature).softmax(1)
    return temperature**2 * divergence(softened, logits / temperature)


def divergence(target: Tensor, logits: Tensor) -> Tensor:
    """Return KL(target || softmax(logits)), a mean over the batch.

    Args:
        target: Probabilities, (N, num_classes); rows of zeros count as 0.
        logits: float32, (N, num_classes).
    """
    return F.kl_div(logits.log_softmax(1), target, reduction='batchmean')
