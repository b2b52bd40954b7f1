"""Measure how fast a review page of many images is in Chromium.

python tools/benchmark/review_page.py      # 30,000 images, about a minute

The images are blurred noise, which compresses about as faces do. Each frame scrolls by
200 pixels, so that it fills a row of new cards.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from eac_mm.audit import Suspects

CLASSES = tuple('abcdefg')
# Seconds between frames, while the grid scrolls.
SCROLL = """frames => new Promise(done => {
    const grid = document.getElementById('grid'), times = [];
    const step = now => {
        times.push(now);
        grid.scrollTop += 200;
        if (times.length <= frames) requestAnimationFrame(step);
        else done(times.slice(1).map((time, i) => (time - times[i]) / 1000));
    };
    requestAnimationFrame(step);
})"""
# Seconds from a key to the page that shows its decision.
DECIDE = """keys => [...Array(keys)].map(() => {
    const start = performance.now();
    document.getElementById('grid').dispatchEvent(
        new KeyboardEvent('keydown', { key: 'k', bubbles: true }));
    document.body.getBoundingClientRect();
    return (performance.now() - start) / 1000;
})"""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Measure a review page in Chromium.')
    add = parser.add_argument
    add('--images', type=int, default=30_000, help='[%(default)s]')
    add('--frames', type=int, default=300, help='to scroll [%(default)s]')
    add('--keys', type=int, default=100, help='to press [%(default)s]')
    return parser.parse_args(argv)


def make_suspects(count: int) -> 'Suspects':
    """Return suspects of which everything is known."""
    import numpy as np

    from eac_mm.audit import Suspects

    draw, size = np.random.default_rng(0), len(CLASSES)
    return Suspects(
        classes=CLASSES,
        names=[f'faces/{i:06d}.png' for i in range(count)],
        labels=draw.integers(size, size=count),
        shown=np.arange(count),
        suggestions=draw.integers(size, size=count),
        probabilities=draw.dirichlet(np.ones(size), count),
        scores={name: draw.random(count) for name in ('loss', 'margin')},
        losses=draw.random((count, 30)),
        attention=draw.random((count, 7, 7)),
        neighbours=draw.integers(count, size=(count, 6)),
    )


def pictures(count: int) -> Iterator[object]:
    """Return blurred noise, of which each picture has another part."""
    import cv2
    import numpy as np

    noise = np.random.default_rng(1).normal(128, 400, (200, 200, 3))
    noise = cv2.GaussianBlur(noise, (0, 0), 3).clip(0, 255).astype(np.uint8)
    for i in range(count):
        top, left = divmod(i % 10_000, 100)
        yield noise[top : top + 96, left : left + 96]


def measure(browser: 'Browser', path: Path, frames: int, keys: int) -> dict[str, float]:
    """Return what a page takes; times in seconds."""
    page = browser.new_page(viewport=dict(width=1400, height=900))
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector('.card')
    opened = time.perf_counter() - start
    between = page.evaluate(SCROLL, frames)
    pressed = page.evaluate(DECIDE, keys)
    nodes = page.evaluate("document.querySelectorAll('*').length")
    page.close()
    return dict(
        megabytes=path.stat().st_size / 1e6,
        open=opened,
        frames_per_second=len(between) / sum(between),
        slowest_frame=max(between),
        key=statistics.median(pressed),
        nodes=nodes,
    )


def write_page(folder: str | Path, count: int) -> Path:
    """Write a page of so many images."""
    from eac_mm.audit import write_review_page

    path = Path(folder, 'report.html')
    write_review_page(path, make_suspects(count), pictures(count), 'Benchmark')
    return path


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the figures."""
    args = parse_args(argv)
    from playwright.sync_api import sync_playwright

    program = shutil.which('chromium') or shutil.which('chromium-browser')
    options = dict(executable_path=program, args=['--no-sandbox'])
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = write_page(folder, args.images)
        with playwright.chromium.launch(**options) as browser:
            found = measure(browser, path, args.frames, args.keys)
    for name, value in found.items():
        print(f'{name:20}{value:10.3f}')


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
