"""Noise of human annotators: a sample gets the label of one of its own votes."""

import numpy as np

from ..labels import Annotations


def vote_shares(annotations: Annotations, classes: int) -> np.ndarray:
    """Return the share of each class among the votes of each sample.

    Votes for none of the classes in use are left out.

    Args:
        annotations: Of data sets whose samples carry ``votes``, a count for each of
            their candidates, and which have an attribute ``vote_labels``: the label of
            each candidate, None if it is no class in use. :class:`FERPlus` is one.
        classes: Number of classes, L.

    Shape:
        - Output: (N, L), rows summing to 1

    Raises:
        ValueError: If a sample has no vote, or none for a class in use.
    """
    counts = np.zeros((len(annotations), classes))
    for i, row in enumerate(counts):
        source = annotations.source_of(i)
        labels = getattr(source, 'vote_labels', ())
        votes = annotations.get_info(i).get('votes', ())
        for label, number in zip(labels, votes, strict=True):
            if label is not None:
                row[label] += number
        if not row.any():
            raise ValueError(
                f'sample {i} ({annotations.name_of(i)}) of {type(source).__name__} has '
                f'the votes {tuple(votes)}, none of them for a class in use, and noise '
                "of kind 'annotator' draws one. Fix: a data set with votes such as "
                "FERPlus, or kind='symmetric'."
            )
    return counts / counts.sum(1, keepdims=True)
