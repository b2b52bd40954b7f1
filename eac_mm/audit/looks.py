"""Find images that look alike, and images that look like no other."""

import cv2
import numpy as np

from .confident import load_cleanlab

SIDE = 16  # of a thumbnail, in pixels
# Cosine distance of two thumbnails, 1 - correlation. Measured in docs/label_audit.md: a
# copy stays below it when it is mirrored or saved as JPEG, and other faces above it.
THRESHOLD = 0.01
NEIGHBOURS = 10  # cleanlab's default


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return grey values of an image, their mean taken away, as near-duplicates need.

    Shape:
        - image: (H, W, 3), uint8, in any order of the channels
        - Output: (16, 16), float32
    """
    grey = np.ascontiguousarray(image).mean(2).astype(np.float32)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return small - small.mean()


def near_duplicates(thumbnails: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Group images whose thumbnails, or mirrored thumbnails, are almost the same.

    An image belongs to a group if it is near to one image in it. Images of a single
    colour are near to none.

    Args:
        thumbnails: From :func:`thumbnail`, (N, 16, 16).
        threshold: Largest cosine distance, 0 to 2. Defaults to 0.01.

    Returns:
        The number of each image's group, int64 (N,), from 1 in the order of the first
        images; 0 for an image that is alone.
    """
    # Both take a second.
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import NearestNeighbors

    flat, mirrored = (
        views.reshape(len(thumbnails), -1)
        for views in (thumbnails, thumbnails[..., ::-1])
    )
    finder = NearestNeighbors(radius=threshold, metric='cosine').fit(flat)
    near = finder.radius_neighbors_graph(flat) + finder.radius_neighbors_graph(mirrored)
    _, parts = connected_components(near, directed=False)  # by their first images
    shared = np.bincount(parts) > 1
    return np.where(shared, np.cumsum(shared), 0)[parts]


def outlier_scores(features: np.ndarray) -> np.ndarray:
    """Return 1 - cleanlab's ``OutOfDistribution`` score, larger for stranger images.

    It goes by the mean cosine distance to the ten nearest images.

    Args:
        features: Of a network, (N, C) with C above 3 and N above 1.

    Returns:
        Scores, 0 to 1, (N,).
    """
    load_cleanlab()  # names the fix if it is missing
    from cleanlab.outlier import OutOfDistribution

    finder = OutOfDistribution(dict(k=min(NEIGHBOURS, len(features) - 1)))
    return 1 - finder.fit_score(features=features, verbose=False)
