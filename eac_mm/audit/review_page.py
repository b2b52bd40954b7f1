"""Write the page on which a person reviews suspect labels."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

import cv2
import numpy as np

from eac_mm.utils.files import write_atomically

SIDE = 96  # of a picture, in pixels
QUALITY = 80
SCRIPTS = ('review.js', 'grid.js', 'page.js')
UNKNOWN = 255  # the byte of a loss that is not known


@dataclass(frozen=True)
class Suspects:
    """What the page shows of a data set of N samples, of which K are suspect.

    Attributes:
        classes: Names of the L classes.
        names: What is shown as the name of every sample, (N,). The corrected list
            names the images so, for :class:`~eac_mm.datasets.CSVFaces`.
        labels: Label of every sample, int (N,).
        shown: Indices of the suspects, (K,), most suspect first.
        suggestions: Class suggested for each suspect, int (K,).
        probabilities: Predicted probabilities of the suspects, (K, L).
        scores: Scores of the suspects by name, (K,) each, larger where more suspect;
            NaN is not known, and least suspect. The first one sorts the page at the
            start.
        losses: Loss of the suspects' labels in each epoch, (K, E), NaN in an epoch
            without the sample; or None.
        attention: Attention maps of the suspects, (K, H, W), or None.
        neighbours: Places in ``shown`` of the suspects nearest to each, int (K, M), or
            None.
        keys: Name of every sample in its data set, (N,), by which
            :class:`~eac_mm.datasets.NoisyLabels` finds its label in the corrected
            list. Defaults to None: ``names``.
        files: Whether ``names`` are files, so that the corrected list can leave out a
            discarded image. Defaults to True.
    """

    classes: Sequence[str]
    names: Sequence[str]
    labels: np.ndarray
    shown: np.ndarray
    suggestions: np.ndarray
    probabilities: np.ndarray
    scores: Mapping[str, np.ndarray]
    losses: np.ndarray | None = None
    attention: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    keys: Sequence[str] | None = None
    files: bool = True

    @property
    def fingerprint(self) -> str:
        """Hash of names, labels and classes: what a saved review belongs to."""
        parts = [*self.classes, *self.names, *map(str, self.labels)]
        # A name that is not UTF-8 on disk holds surrogates.
        text = '\0'.join(parts).encode(errors='surrogatepass')
        return hashlib.sha256(text).hexdigest()[:16]


def write_review_page(
    path: str | Path, suspects: Suspects, pictures: Iterable[np.ndarray], title: str
) -> None:
    """Write a self-contained page that opens without a server.

    It makes no request: a content security policy forbids it. Names are shown as text,
    whatever is in them.

    Args:
        path: File to write, ``report.html``.
        suspects: What to show.
        pictures: Of the suspects, in their order, RGB uint8 (H, W, 3) each. The page
            holds them as WebP of at most 96 pixels a side.
        title: Of the page.

    Raises:
        ValueError: If there is not one picture for each suspect.
    """
    drawn = [encode_picture(picture) for picture in pictures]
    if len(drawn) != len(suspects.shown):
        raise ValueError(
            f'{len(drawn)} pictures for {len(suspects.shown)} suspects. Fix: give one '
            'for each, in their order.'
        )
    page = files('eac_mm.audit') / 'page'
    html_text, style, *scripts = (
        (page / name).read_text(encoding='utf-8')
        for name in ('page.html', 'page.css', *SCRIPTS)
    )
    script = '\n'.join(scripts)
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    text = Template(html_text).substitute(
        csp=policy,
        title=html.escape(title),
        style=style,
        script=script,
        data=_json(page_data(suspects, drawn)),
    )
    write_atomically(Path(path), text.encode(errors='replace'))


def page_data(suspects: Suspects, pictures: list[str]) -> dict:
    """Return what the page's script reads, as plain values.

    Numbers of many suspects are bytes in base64: probabilities in steps of 1/255,
    losses in steps of 1/254 of the largest, attention of each map's range.
    """
    losses, attention = suspects.losses, suspects.attention
    if losses is not None:
        largest = max(float(np.nanmax(losses, initial=0)), 1e-12)
        steps = np.round(np.nan_to_num(losses) / largest * (UNKNOWN - 1))
        losses = _base64(np.where(np.isnan(losses), UNKNOWN, steps))
    if attention is not None:
        low = attention.min((1, 2), keepdims=True)
        high = attention.max((1, 2), keepdims=True)
        maps = _bytes((attention - low) / np.maximum(high - low, 1e-12))
        _, height, width = attention.shape
        attention = dict(maps=maps, height=height, width=width)
    near, keys = suspects.neighbours, suspects.keys
    return dict(
        fingerprint=suspects.fingerprint,
        classes=list(suspects.classes),
        names=[str(name) for name in suspects.names],
        keys=[str(key) for key in (suspects.names if keys is None else keys)],
        files=suspects.files,
        labels=np.asarray(suspects.labels).tolist(),
        shown=np.asarray(suspects.shown).tolist(),
        suggestions=np.asarray(suspects.suggestions).tolist(),
        probabilities=_bytes(suspects.probabilities),
        scores={name: _numbers(values) for name, values in suspects.scores.items()},
        curves=losses,
        attention=attention,
        neighbours=None if near is None else np.asarray(near).tolist(),
        pictures=pictures,
    )


def encode_picture(picture: np.ndarray) -> str:
    """Return a picture, RGB uint8 (H, W, 3), as the data URI of a small WebP."""
    scale = SIDE / max(picture.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    picture = np.ascontiguousarray(picture[..., ::-1])
    _, coded = cv2.imencode('.webp', picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return f'data:image/webp;base64,{base64.b64encode(coded).decode()}'


def _bytes(shares: np.ndarray) -> str:
    """Return shares of 1 as bytes in base64; one that is not known is 0."""
    return _base64(np.round(np.clip(np.nan_to_num(shares), 0, 1) * 255))


def _base64(values: np.ndarray) -> str:
    """Return integers from 0 to 255 as bytes in base64."""
    return base64.b64encode(np.ascontiguousarray(values, np.uint8)).decode()


def _numbers(values: np.ndarray) -> list[float | None]:
    """Return numbers as JSON has them: NaN is None, infinity a large number."""
    values = np.asarray(values, dtype=float)
    finite = np.nan_to_num(values).round(6).tolist()
    pairs = zip(finite, np.isnan(values), strict=True)
    return [None if unknown else value for value, unknown in pairs]


def _json(data: dict) -> str:
    """Return JSON that cannot end the script element that it stands in."""
    return json.dumps(data, separators=(',', ':')).replace('<', '\\u003c')


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f'sha256-{base64.b64encode(digest).decode()}'
