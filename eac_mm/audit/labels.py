"""Rank the labels of a training set by how suspect they are."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .confident import describe_classes, estimate_noise, find_issues
from .evidence import Evidence
from .scores import score_labels


@dataclass(frozen=True)
class LabelAudit:
    """What a training says of its labels.

    Attributes:
        table: A row for each sample, in the order of ``sample_idx``, with the columns
            ``index``; ``path``, if the data set has files; ``label`` and
            ``suggestion``, class names; ``rank``, 1 for the most suspect label;
            ``suspect``, whether the rank is within the estimated number of wrong
            labels, or that of :meth:`with_suspects`; ``cleanlab_issue``, cleanlab's own
            verdict; ``probability_<class>``; and the scores, of which larger is more
            suspect.
        classes: Class names.
        score: Name of the score that ranks.
        wrong: Estimated number of wrong labels.
        noise: Estimated probability of each noisy label (column) for each true one
            (row), (L, L).
        health: From :func:`~eac_mm.audit.confident.describe_classes`.
        scores: Names of the scores, each a column of the table.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    score: str
    wrong: int
    noise: np.ndarray
    health: dict[str, Any]
    scores: tuple[str, ...]

    def with_suspects(self, count: int) -> 'LabelAudit':
        """Return the audit with so many suspects, the most suspect labels.

        Raises:
            ValueError: If there are not so many labels.
        """
        if not 0 < count < len(self.table):
            raise ValueError(
                f'{count} suspects of {len(self.table)} labels. Fix: 1 to '
                f'{len(self.table) - 1}.'
            )
        return replace(
            self, table=self.table.assign(suspect=self.table['rank'] <= count)
        )

    def corrected_labels(self) -> np.ndarray:
        """Return the labels, int64 (N,), with the suggestions for suspects."""
        numbers = {name: label for label, name in enumerate(self.classes)}
        chosen = self.table.suggestion.where(self.table.suspect, self.table.label)
        return chosen.map(numbers).to_numpy(np.int64)

    def summary(self) -> dict[str, Any]:
        """Return counts and estimates, as plain values for JSON."""
        suspects = self.table[self.table.suspect]
        changed = suspects[suspects.label != suspects.suggestion]
        pairs = changed.groupby(['label', 'suggestion']).size()
        pairs = pairs.sort_values(ascending=False, kind='stable')
        return dict(
            samples=len(self.table),
            classes=list(self.classes),
            score=self.score,
            estimated_wrong=self.wrong,
            estimated_share=self.wrong / len(self.table),
            suspects=len(suspects),
            corrected=len(changed),
            corrected_pairs=[
                dict(label=label, suggestion=suggestion, count=int(count))
                for (label, suggestion), count in pairs.items()
            ],
            noise_matrix=self.noise.round(6).tolist(),
            **self.health,
        )


def audit_labels(records: Evidence, score: str | None = None) -> LabelAudit:
    """Rank the labels of a recorded training, or by predictions over folds.

    Args:
        records: From :func:`~eac_mm.audit.read_evidence`.
        score: Name of the score that ranks, see
            :func:`~eac_mm.audit.scores.score_labels`. Defaults to the one that was
            measured to be best: ``late_loss_view2`` if there are two views,
            ``late_loss`` if view 2 was not made of each image, and ``mean_loss`` of
            one view; for folds ``cleanlab_self_confidence``.

    Raises:
        ValueError: If there is no such score.
        ImportError: If cleanlab is not installed.
    """
    found = score_labels(records)
    score = score or found.default
    if score not in found.scores:
        raise ValueError(
            f'score {score!r} is unknown. Fix: choose one of {", ".join(found.scores)}.'
        )
    labels, names = records.noisy_labels, np.array(records.classes)
    wrong, noise = estimate_noise(labels, found.probabilities)
    ranks = rank(found.scores[score])
    # A sample that no epoch served has no prediction, and keeps its label.
    likeliest = np.where(
        np.isfinite(found.probabilities[:, 0]), found.probabilities.argmax(1), labels
    )
    columns = dict(
        index=np.arange(len(labels)),
        path=records.paths,
        label=names[labels],
        suggestion=names[likeliest],
        rank=ranks,
        suspect=ranks <= wrong,
        cleanlab_issue=find_issues(labels, found.probabilities),
    )
    if records.paths is None:
        del columns['path']
    shares = {
        f'probability_{name}': found.probabilities[:, label]
        for label, name in enumerate(records.classes)
    }
    return LabelAudit(
        table=pd.DataFrame({**columns, **shares, **found.scores}),
        classes=records.classes,
        score=score,
        wrong=wrong,
        noise=noise,
        health=describe_classes(labels, found.probabilities, records.classes),
        scores=tuple(found.scores),
    )


def rank(scores: pd.Series) -> np.ndarray:
    """Return 1 for the largest score; NaN is last, ties go by index."""
    order = np.argsort(-scores.to_numpy(), kind='stable')  # NaN sorts last
    ranks = np.empty(len(scores), np.int64)
    ranks[order] = np.arange(1, len(scores) + 1)
    return ranks
