"""What the tests of batch transforms share: batches, numbers, rectangles."""

import numpy as np
import torch

SIZE = (48, 36)

DRAWS = 4000

FILL = torch.tensor([104, 116, 124], dtype=torch.uint8).view(3, 1, 1)

SHAPES = np.tile(SIZE, (DRAWS, 1))


def numbers(part, draws=DRAWS):
    return np.random.default_rng(5).random((draws, part.numbers))


def batch(n=16, channels=3, channels_last=False):
    """Images of values that the fill does not have."""
    values = torch.randint(0, 90, (n, channels, *SIZE), dtype=torch.uint8)
    if channels_last:
        values = values.contiguous(memory_format=torch.channels_last)
    return values


def run(part, images, ori=SIZE):
    """A batch transform's result, with the numbers of :func:`numbers`."""
    shapes = np.tile(ori, (len(images), 1))
    return part(images, numbers(part, len(images)), shapes)


def boxes_of(erasing, n=16, start=0):
    """What is erased of ``n`` images, from the columns that begin at ``start``."""
    columns = numbers(type('All', (), dict(numbers=start + erasing.NUMBERS)), n)
    erased, boxes = erasing.rectangles(columns[:, start:], SIZE)
    return [tuple(box) if one else None for one, box in zip(erased, boxes, strict=True)]
