"""Instance-dependent noise: how an image looks decides which wrong label it gets."""

import cv2
import numpy as np

from eac_mm.utils.threads import in_threads

from ..faces.base import loader_of
from ..labels import Annotations

SIDE = 32
SPREAD = 0.1  # standard deviation of the rates of single images


def read_features(annotations: Annotations) -> np.ndarray:
    """Read each image as a row of numbers: its pixels at 32 x 32, standardised.

    Mean and standard deviation are those of each channel over all images.

    Shape:
        - Output: float32 (N, 3072)

    Raises:
        ValueError: If a data set does not say where its images are.
        BadImageError: If an image cannot be read.
    """
    loaders = {
        id(source): loader_of(source)
        for source in annotations.sources
        if hasattr(source, 'pipeline')
    }

    def read(i: int) -> np.ndarray:
        source, info = annotations.source_of(i), annotations.get_info(i)
        image = info.get('img')
        if image is None and 'img_path' in info and id(source) in loaders:
            image = loaders[id(source)].read(info['img_path'])
        if image is None:
            raise ValueError(
                f"noise of kind 'instance' reads the images, and "
                f'{type(source).__name__} gives neither img nor img_path of sample '
                f"{i}. Fix: a data set of eac_mm or MMPretrain, or kind='symmetric'."
            )
        size = (SIDE, SIDE)
        return cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA)

    pixels = np.stack(list(in_threads(read, range(len(annotations)))))
    pixels = pixels.reshape(len(pixels), SIDE * SIDE, -1).astype(np.float32)
    spread = pixels.std((0, 1)) + np.finfo(np.float32).tiny
    return ((pixels - pixels.mean((0, 1))) / spread).reshape(len(pixels), -1)


def instance_shares(
    features: np.ndarray, labels: np.ndarray, rate: float, classes: int, seed: int
) -> np.ndarray:
    """Return the probability of each noisy label for each image.

    Algorithm 2 of `Part-dependent Label Noise (Xia et al., NeurIPS 2020)
    <https://arxiv.org/abs/2006.07836>`_, the generator that most papers use. An image
    x of class y has a rate q of its own, from a normal distribution of mean ``rate``
    and standard deviation 0.1, truncated to [0, 1]. It keeps its label with
    probability 1 - q. The others share q by a softmax of x W_y, where W_y is
    standard normal. With as many pixels nearly all of q falls to one wrong label.

    Truncation lifts the mean of the rates: to 0.13 if 0.1 is asked, 0.21 of 0.2.

    Args:
        features: float (N, S), from :func:`read_features`.
        labels: Clean labels, integers (N,).
        rate: In (0, 1).
        classes: Number of classes, L.
        seed: Seed of the rates and of W.

    Shape:
        - Output: (N, L), rows summing to 1
    """
    from scipy import stats  # it takes long, and other kinds need none

    # A second number separates these streams from that of the labels.
    rng = np.random.default_rng([seed, 1])
    bounds = -rate / SPREAD, (1 - rate) / SPREAD
    drawn = stats.truncnorm.rvs(
        *bounds, loc=rate, scale=SPREAD, size=len(labels), random_state=rng
    )
    shares = np.zeros((len(labels), classes))
    for label in range(classes):
        weights = rng.standard_normal((features.shape[1], classes), np.float32)
        here = labels == label
        scores = (features[here] @ weights).astype(float)
        scores[:, label] = -np.inf
        scores = np.exp(scores - scores.max(1, keepdims=True))
        flips = drawn[here, None] * scores / scores.sum(1, keepdims=True)
        flips[:, label] = 1 - drawn[here]
        shares[here] = flips
    return shares
