"""Predict whatever a user names, and write it down."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mmpretrain.structures import DataSample

from eac_mm.deploy.alignment import NO_FACE, UNREADABLE
from eac_mm.deploy.drawing import annotate
from eac_mm.deploy.smoothing import Smoother
from eac_mm.deploy.sources import Frames, Source
from eac_mm.utils.image_formats import UnreadableImage

from .prediction_files import PredictionFiles
from .predictor import ExpressionPredictor, read_picture, settle

FRAMES = 16  # of a video that are predicted at a time
Step = Callable[[int], None]


@dataclass
class Summary:
    """What came of a prediction.

    Attributes:
        pictures: Pictures and frames.
        statuses: How many faces, or pictures without one, have each status.
        expressions: How many faces have each expression.
        failed: Sources without a single face, with the reason.
        seconds: Time it took.
    """

    pictures: int = 0
    statuses: Counter = field(default_factory=Counter)
    expressions: Counter = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, samples: Sequence[DataSample]) -> None:
        """Count the samples of a picture."""
        self.pictures += 1
        for sample in samples:
            self.statuses[sample.status] += 1
            if 'expression' in sample:
                self.expressions[sample.expression] += 1

    def __str__(self) -> str:
        """Return the lines that a tool prints."""
        rate = self.pictures / self.seconds if self.seconds else 0.0
        lines = [
            f'{self.pictures:,} pictures or frames in {self.seconds:.1f} s '
            f'({rate:.1f} a second)',
            f'faces: {self.expressions.total():,}{_listed(self.expressions)}',
            f'status{_listed(self.statuses)}',
        ]
        if self.failed:
            lines.append(f'without a prediction: {len(self.failed):,}')
            lines += [f'  {name}: {why}' for name, why in self.failed.items()]
        return '\n'.join(lines)


def predict_sources(
    predictor: ExpressionPredictor,
    sources: Sequence[Source],
    files: PredictionFiles,
    draw: bool = True,
    smoothing: float = 0.0,
    max_frames: int | None = None,
    step: Step = lambda count: None,
) -> Summary:
    """Predict pictures, videos and cameras, and write the results.

    A source that cannot be read gets a status of its own, and the others go on. A
    camera ends with Ctrl-C, or after ``max_frames``.

    Args:
        predictor: Finds and classifies the faces.
        sources: From :func:`~eac_mm.deploy.sources.list_sources`.
        files: Where the results go.
        draw: Whether to write annotated pictures and videos. Defaults to True.
        smoothing: Weight of earlier frames, from 0 to below 1; see
            :class:`~eac_mm.deploy.smoothing.Smoother`. Defaults to 0.
        max_frames: Of each video or camera. Defaults to None: all.
        step: Called with the number of pictures or frames that are done.
    """
    summary, start = Summary(), time.perf_counter()
    Smoother(smoothing)  # is the weight allowed?
    pictures = [source for source in sources if source.kind == 'picture']
    for group in _groups(pictures, predictor.batch_size):
        _predict_pictures(predictor, group, files, draw, summary)
        step(len(group))
    for source in sources:
        if source.kind != 'picture':
            smoother = Smoother(smoothing) if smoothing else None
            _predict_frames(
                predictor, source, files, draw, smoother, max_frames, summary, step
            )
    summary.seconds = time.perf_counter() - start
    return summary


def _predict_pictures(
    predictor: ExpressionPredictor,
    sources: Sequence[Source],
    files: PredictionFiles,
    draw: bool,
    summary: Summary,
) -> None:
    results = predictor([source.target for source in sources])
    for source, samples in zip(sources, results, strict=True):
        summary.add(samples)
        for sample in samples:
            files.add(sample)
        if 'box' not in samples[0]:
            summary.failed[source.name] = samples[0].reason or 'no face was found'
        elif draw:
            image = annotate(read_picture(source.target), samples)
            files.draw(source.name, image)


def _predict_frames(
    predictor: ExpressionPredictor,
    source: Source,
    files: PredictionFiles,
    draw: bool,
    smoother: Smoother | None,
    max_frames: int | None,
    summary: Summary,
    step: Step,
) -> None:
    before, number = summary.expressions.total(), 0
    try:
        frames = Frames(source)
        files.start_video(source.name, frames.rate)
        # A camera shows each frame at once.
        size = 1 if source.kind == 'camera' else FRAMES
        for group in _groups(islice(frames, max_frames), size):
            for image, samples in zip(group, predictor(group), strict=True):
                if smoother is not None:
                    _smooth(predictor, smoother, samples)
                for sample in samples:
                    sample.set_metainfo(dict(source=source.name, frame=number))
                    files.add(sample)
                summary.add(samples)
                if draw:
                    files.draw_frame(annotate(image, samples))
                number += 1
            step(len(group))
    except UnreadableImage as error:
        reason = str(error)
        meta = dict(source=source.name, face=0, status=UNREADABLE, reason=reason)
        files.add(DataSample(metainfo=meta))
        summary.statuses[UNREADABLE] += 1
        summary.failed[source.name] = reason
    except KeyboardInterrupt:
        if source.kind != 'camera':
            raise
    finally:
        files.end_video()
    if source.name not in summary.failed and summary.expressions.total() == before:
        summary.failed[source.name] = 'no face was found in any frame'


def _smooth(
    predictor: ExpressionPredictor, smoother: Smoother, samples: Sequence[DataSample]
) -> None:
    faces = [sample for sample in samples if sample.status != NO_FACE]
    for sample, score in zip(faces, smoother(faces), strict=True):
        settle(sample, score, predictor.classes, predictor.threshold)


def _groups(items: Any, size: int) -> Iterator[list]:
    """Give lists of ``size`` items; itertools.batched is new in Python 3.12."""
    items = iter(items)
    while group := list(islice(items, size)):
        yield group


def _listed(counts: Counter) -> str:
    if not counts:
        return ''
    return ': ' + ', '.join(f'{n:,} {name}' for name, n in counts.most_common())
