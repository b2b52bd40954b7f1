"""Label noise: the model, its files, and the data set that applies it."""

from .annotated_labels import AnnotatedLabels
from .noisy_labels import NoisyLabels
from .wrong_samples import WrongSamples

__all__ = ['AnnotatedLabels', 'NoisyLabels', 'WrongSamples']
