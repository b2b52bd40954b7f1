"""Draw features in the plane, by noisy and by clean label (the paper's Figure 3)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import colour_of, new_figure

FEWEST = 5


def embed(features: np.ndarray, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Place features in the plane by t-SNE (scikit-learn).

    Args:
        features: (N, C), at least five.
        perplexity: About the number of neighbours that count. It is lowered to a
            third of N if there are few features.
        seed: Of t-SNE.

    Returns:
        Places, (N, 2).

    Raises:
        ValueError: If there are fewer than five features.
    """
    # scikit-learn is only needed here, and takes a second.
    from sklearn.manifold import TSNE

    if len(features) < FEWEST:
        raise ValueError(
            f'{len(features)} images are too few to draw their features. Fix: give '
            f'{FEWEST} or more.'
        )
    perplexity = min(perplexity, (len(features) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init='pca', random_state=seed)
    return tsne.fit_transform(np.asarray(features, dtype=np.float32))


def draw_embedding(
    places: np.ndarray,
    noisy_labels: np.ndarray,
    clean_labels: np.ndarray | None,
    classes: Sequence[str],
) -> Figure:
    """Draw places, coloured by noisy label and, beside it, by clean label.

    Samples whose noisy label is wrong have a black rim.

    Args:
        places: Of :func:`embed`, (N, 2).
        noisy_labels: (N,).
        clean_labels: (N,), or None if they are not known: one panel.
        classes: Names of the classes.
    """
    panels = {'by noisy label (trained on)': noisy_labels}
    wrong = np.zeros(len(places), bool)
    if clean_labels is not None:
        panels['by clean label'] = clean_labels
        wrong = noisy_labels != clean_labels
    figure = new_figure(1.6 + 4.4 * len(panels), 4.6)
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, labels) in zip(all_axes, panels.items(), strict=True):
        _scatter(axes, places, labels, wrong, len(classes))
        axes.set_title(title, fontsize=11)
    handles = [_key(*colour_of(i), name) for i, name in enumerate(classes)]
    if wrong.any():
        handles.append(_key('white', 'o', 'wrong label', rim='black'))
    figure.legend(handles=handles, loc='outside right center', frameon=False)
    return figure


def _scatter(
    axes: Axes, places: np.ndarray, labels: np.ndarray, wrong: np.ndarray, classes: int
) -> None:
    for i in range(classes):
        colour, marker = colour_of(i)
        for chosen, rim in ((~wrong, 'none'), (wrong, 'black')):
            x, y = places[(labels == i) & chosen].T
            style = dict(color=colour, marker=marker, edgecolors=rim, linewidths=0.8)
            axes.scatter(x, y, s=14, **style)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color('0.8')


def _key(colour: str, marker: str, label: str, rim: str = 'none') -> Line2D:
    style = dict(marker=marker, markerfacecolor=colour, markeredgecolor=rim, ls='')
    return Line2D([], [], label=label, **style)
