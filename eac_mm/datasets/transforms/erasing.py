"""Random Erasing on uint8 images, before normalisation."""

import math

import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

IMAGENET_MEAN_BGR = (103.53, 116.28, 123.675)

# top, left, height and width of an erased rectangle, in pixels
Rectangle = tuple[int, int, int, int]


@TRANSFORMS.register_module()
class Erasing(BaseTransform):
    """Erase at most one random rectangle of the image.

    `Random Erasing Data Augmentation <https://arxiv.org/abs/1708.04896>`_ with
    the sampling that torchvision publishes: area uniform, aspect (height over
    width) log-uniform, up to ten tries for a rectangle smaller than the image,
    else none. The rectangle gets the mean colour, which is zero after
    normalisation (to within half a grey level on uint8). The image is copied,
    never changed in place.

    MMPretrain's ``RandomErasing`` differs: it works in place, tries once and
    truncates the colour.

    **Required Keys:**

    - img (H x W or H x W x C)

    **Modified Keys:**

    - img

    Args:
        prob: Probability of erasing, in [0, 1]. Defaults to 0.5.
        area: Range of the erased share of the image. Defaults to (0.02, 0.25).
        aspect: Range of height over width. Defaults to (0.3, 3.3).
        fill: Colour on the 0..255 scale, in the image's channel order.
            Defaults to ImageNet's mean in BGR, the order in which images are
            loaded. Images of another number of channels, such as grey ones,
            get its mean.

    Raises:
        ValueError: For a probability, a range or a colour that is not allowed.
    """

    TRIES = 10
    NUMBERS = 3 + 2 * TRIES  # of one image, for rectangles()

    def __init__(
        self,
        prob: float = 0.5,
        area: tuple[float, float] = (0.02, 0.25),
        aspect: tuple[float, float] = (0.3, 3.3),
        fill: tuple[float, float, float] = IMAGENET_MEAN_BGR,
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(
                f'prob={prob} is not allowed. Fix: give a probability in [0, 1].'
            )
        if not 0 < area[0] <= area[1] <= 1:
            raise ValueError(
                f'area={area} is not allowed. Fix: give (low, high) with '
                '0 < low <= high <= 1.'
            )
        if not 0 < aspect[0] <= aspect[1]:
            raise ValueError(
                f'aspect={aspect} is not allowed. Fix: give (low, high) with '
                '0 < low <= high.'
            )
        if np.ndim(fill) != 1 or not all(0 <= value <= 255 for value in fill):
            raise ValueError(
                f'fill={fill} is not allowed. Fix: give one value for each channel, '
                'each in 0..255.'
            )
        self.prob = prob
        self.area = tuple(area)
        self.aspect = tuple(aspect)
        self.fill = tuple(fill)

    def sample_rectangle(self, height: int, width: int) -> Rectangle | None:
        """Draw what to erase from an image of ``height`` x ``width`` pixels."""
        if np.random.random() >= self.prob:
            return None
        low, high = np.log(self.aspect)
        for _ in range(self.TRIES):
            area = height * width * np.random.uniform(*self.area)
            aspect = math.exp(np.random.uniform(low, high))
            h, w = map(int, _sides(area, aspect))
            if h < height and w < width:
                top = np.random.randint(0, height - h + 1)
                left = np.random.randint(0, width - w + 1)
                return top, left, h, w
        return None

    def rectangles(
        self, numbers: np.ndarray, size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw what to erase from many images, by the rule of :meth:`sample_rectangle`.

        Args:
            numbers: Uniform numbers in [0, 1), (n, :attr:`NUMBERS`): one for the
                decision, an area and an aspect for each try, and two for the place.
            size: Height and width of the images.

        Returns:
            Whether each image is erased, bool (n,), and the rectangles, int (n, 4).
        """
        height, width = size
        decisions, areas, aspects, tops, lefts = np.split(
            numbers, np.cumsum([1, self.TRIES, self.TRIES, 1]), axis=1
        )
        low, high = self.area
        areas = height * width * (low + (high - low) * areas)
        low, high = np.log(self.aspect)
        heights, widths = _sides(areas, np.exp(low + (high - low) * aspects))
        fits = (heights < height) & (widths < width)
        first = fits.argmax(1, keepdims=True)
        h = np.take_along_axis(heights, first, 1).astype(int)
        w = np.take_along_axis(widths, first, 1).astype(int)
        top = (tops * (height - h + 1)).astype(int)
        left = (lefts * (width - w + 1)).astype(int)
        erased = fits.any(1) & (decisions[:, 0] < self.prob)
        return erased, np.concatenate([top, left, h, w], 1)

    def fill_of(self, channels: int) -> np.ndarray:
        """Return the colour for images of so many channels, (channels,)."""
        fill = np.asarray(self.fill, float)
        return fill if len(fill) == channels else np.full(channels, fill.mean())

    def erase(self, img: np.ndarray, rectangle: Rectangle | None) -> np.ndarray:
        """Return a copy of ``img`` with the rectangle filled."""
        img = img.copy()
        if rectangle is None:
            return img
        top, left, h, w = rectangle
        fill = self.fill_of(1 if img.ndim == 2 else img.shape[2])
        if np.issubdtype(img.dtype, np.integer):
            fill = np.rint(fill)
        img[top : top + h, left : left + w] = fill
        return img

    def transform(self, results: dict) -> dict:
        """Erase at most one rectangle of ``results['img']``."""
        img = results['img']
        results['img'] = self.erase(img, self.sample_rectangle(*img.shape[:2]))
        return results

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(prob={self.prob}, area={self.area}, '
            f'aspect={self.aspect}, fill={self.fill})'
        )


def _sides(area: np.ndarray | float, aspect: np.ndarray | float) -> tuple:
    """Return height and width of rectangles, whole pixels as floats."""
    return np.rint(np.sqrt(area * aspect)), np.rint(np.sqrt(area / aspect))
