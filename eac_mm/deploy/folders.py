"""Align the faces of a folder of images, for training, or measure where they lie."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from eac_mm.datasets.images.decoding import decode
from eac_mm.datasets.images.loading import LoadFace
from eac_mm.datasets.listing import LeftOutFiles, find_images
from eac_mm.utils.files import write_atomically
from eac_mm.utils.image_formats import UnreadableImage

from .alignment import NO_FACE, UNREADABLE, FaceAligner, box_matrix, warp
from .faces import Detector, choose
from .templates import Template

REPORT = 'alignment.json'  # the settings, and in the end what came of it
RECORDS = 'alignment.jsonl'  # a line for each image; a run that was stopped goes on
WRITTEN = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')
JPEG = ('.jpeg', '.jpg')
QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 98)
Record = dict[str, Any]


def align_folder(
    source: str | Path,
    target: str | Path,
    aligner: FaceAligner,
    keep_undetected: bool = False,
    step: Callable[[int], None] = lambda count: None,
) -> Record:
    """Write the aligned face of each image of a folder to another folder.

    The written images have the same names in the same folders below; those of a format
    that OpenCV does not write get ``.png`` at the end. A run that was stopped goes on
    when it is started again.

    Args:
        source: Folder of images, and folders of them.
        target: Folder to write, outside the source. It gets ``alignment.json`` too.
        aligner: Of one face: ``faces='largest'`` or ``'central'``.
        keep_undetected: Write the central square of images without a face, rather than
            leave them out. Defaults to False.
        step: Called with the number of images that are done.

    Returns:
        What ``alignment.json`` holds: ``settings``, ``statuses`` (how many images have
        each), ``written``, ``left_out`` (reason by image), and ``template``, a value
        for a recipe's ``metainfo=dict(template=...)``.

    Raises:
        ValueError: If the source has no image, the target lies in it, or it was written
            with other settings.
        FileNotFoundError: If the source does not exist.
    """
    source, target = Path(source), Path(target)
    if target.resolve().is_relative_to(source.resolve()):
        raise ValueError(f'{target} lies in {source}. Fix: choose a target outside.')
    images = list_images(source)
    template = dict(aligner.template.to_dict(), size=aligner.size)
    settings = dict(
        source=str(source.resolve()),
        detector=type(aligner.detector).__name__,
        faces=aligner.faces,
        keep_undetected=keep_undetected,
        template=template,
    )
    _claim(target, settings)
    done = _done(target)
    step(len(done))
    with (target / RECORDS).open('a', encoding='utf-8') as records:
        for path in images:
            name = path.relative_to(source).as_posix()
            if name in done:
                continue
            done[name] = _align(path, target / name, aligner, keep_undetected)
            records.write(json.dumps(dict(image=name, **done[name])) + '\n')
            records.flush()
            step(1)
    report = dict(
        settings=settings,
        statuses=dict(Counter(record['status'] for record in done.values())),
        written=sum(record['written'] for record in done.values()),
        left_out={
            name: record['reason'] or record['status']
            for name, record in sorted(done.items())
            if not record['written']
        },
        template=template,
    )
    _write(target, report)
    return report


def list_images(source: Path) -> list[Path]:
    """List the images of a folder.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it has no image.
    """
    if not source.is_dir():
        raise FileNotFoundError(
            f'folder {source} does not exist (seen from {Path.cwd()}). Fix: correct it.'
        )
    images = find_images(source, LeftOutFiles(source))
    if not images:
        raise ValueError(f'{source} has no image. Fix: name a folder of images.')
    return images


def measure_template(
    source: str | Path,
    detector: Detector,
    limit: int = 300,
    step: Callable[[int], None] = lambda count: None,
) -> tuple[Template, int]:
    """Measure where faces lie in the images of a folder.

    Args:
        source: The folder.
        detector: Finds the faces; the largest of an image counts.
        limit: How many images, spread evenly, to look at. Defaults to 300.
        step: Called with the number of images that are done.

    Returns:
        The template, with the median points made symmetric and the median side of the
        images, and the number of images with a face.

    Raises:
        ValueError: If no face was found.
    """
    images = list_images(Path(source))
    chosen = images[:: max(1, len(images) // limit)][:limit]
    points, sides, grey = [], [], True
    for path in chosen:
        step(1)
        try:
            image = decode(LoadFace().read_bytes(path))
        except UnreadableImage:
            continue
        height, width = image.shape[:2]
        for face in choose(detector(image), 'largest', image.shape):
            points.append(face.points / [width, height])
            sides.append(max(height, width))
            grey &= not np.ptp(image.astype(int), 2).any()
    if not points:
        raise ValueError(
            f'{source}: no face was found in {len(chosen)} images. Fix: another folder '
            'or --detector.'
        )
    mirrored = np.median(points, 0)[[1, 0, 2, 4, 3]] * [-1, 1] + [1, 0]
    middle = (np.median(points, 0) + mirrored) / 2
    return Template(middle, int(np.median(sides)), grey), len(points)


def _align(
    path: Path, target: Path, aligner: FaceAligner, keep_undetected: bool
) -> Record:
    """Write the face of an image, and return what came of it."""
    try:
        image = decode(LoadFace().read_bytes(path))
    except UnreadableImage as error:
        return dict(status=UNREADABLE, written=False, reason=str(error))
    found = aligner(image)
    if found:
        record = dict(
            status=found[0].status,
            score=round(found[0].face.score, 4),
            roll=round(found[0].face.roll, 2),
        )
        aligned = found[0].image
    else:
        record = dict(status=NO_FACE)
        height, width = image.shape[:2]
        half = min(height, width) / 2
        box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
        aligned = warp(image, box_matrix(box, aligner.size), aligner.size)
    written = bool(found) or keep_undetected
    if written:
        if target.suffix.lower() not in WRITTEN:
            target = target.with_name(f'{target.name}.png')
        suffix = target.suffix.lower()
        # OpenCV 4.14 warns of a quality that the format does not have.
        content = cv2.imencode(suffix, aligned, QUALITY if suffix in JPEG else ())[1]
        write_atomically(target, content.tobytes())
    return dict(record, written=written, reason='')


def _claim(target: Path, settings: Record) -> None:
    """Begin a target, or go on with one of the same settings."""
    path = target / REPORT
    if path.is_file():
        then = json.loads(path.read_text(encoding='utf-8'))['settings']
        other = [key for key in settings if settings[key] != then.get(key)]
        if other:
            raise ValueError(
                f'{target} was written with another {", ".join(other)}. Fix: choose '
                'another target, or delete this one.'
            )
    elif target.is_dir() and any(target.iterdir()):
        raise ValueError(
            f'{target} holds files of something else. Fix: choose an empty target.'
        )
    else:
        _write(target, dict(settings=settings))


def _done(target: Path) -> dict[str, Record]:
    """Return the records of an earlier run; a line that was cut off is left out."""
    path, done = target / RECORDS, {}
    lines = path.read_text(encoding='utf-8').splitlines(True) if path.is_file() else []
    whole = [line for line in lines if line.endswith('\n')]
    if whole != lines:
        write_atomically(path, ''.join(whole).encode())
    for line in whole:
        record = json.loads(line)
        done[record.pop('image')] = record
    return done


def _write(target: Path, report: Record) -> None:
    content = json.dumps(report, indent=1) + '\n'
    write_atomically(target / REPORT, content.encode())
