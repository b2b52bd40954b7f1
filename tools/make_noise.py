"""Write noisy labels for the training data of a recipe to a noise file.

python tools/make_noise.py configs/eac/resnet18_rafdb_clean.py noise30.txt --rate 0.3

Or write the labels that a method with relabelling ended with, from a checkpoint:

python tools/make_noise.py configs/scn/resnet18_rafdb_noise30.py relabelled.txt \
    --relabelled work_dirs/scn/resnet18_rafdb_noise30/epoch_60.pth

The file belongs to the recipe's data set and to any other of the same labels.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # these take seconds, and --help needs none
    from mmengine import Config

    from eac_mm.datasets.noise.files import NoiseManifest
    from eac_mm.datasets.noise.model import Transition

KINDS = ('symmetric', 'uniform', 'asymmetric', 'annotator', 'instance')

DEFAULT_RATE = 0.3
DATASET = 'train_dataloader.dataset'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Write noisy labels for the training data of a recipe to a file.',
        epilog='example: eac-mm noise eac/resnet18_rafdb_clean noise30.txt --rate 0.3',
    )
    parser.add_argument('config', help='the recipe, such as configs/eac/....py')
    parser.add_argument('out', type=Path, help='the noise file to write')
    parser.add_argument(
        '--kind',
        choices=KINDS,
        help='symmetric: to another class; uniform: to any class, its own included; '
        '[symmetric; with --transition asymmetric]',
    )
    parser.add_argument(
        '--rate',
        type=float,
        help='share of the labels to change, in [0, 1); uniform: to draw anew, some '
        'as they were; asymmetric: of those of the classes that change '
        f'[{DEFAULT_RATE}; 0 with a matrix or with annotators]',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the noise [%(default)s]'
    )
    parser.add_argument(
        '--transition',
        type=Path,
        metavar='FILE.json',
        help='asymmetric noise: {"fear": "surprise", ...}, or an L x L list whose '
        'rows (clean classes) sum to 1',
    )
    parser.add_argument(
        '--relabelled',
        type=Path,
        metavar='CHECKPOINT',
        help='draw no noise: write the labels that this training of the recipe has '
        'replaced, and its noisy labels for the rest',
    )
    parser.add_argument('--force', action='store_true', help='replace an existing file')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help=f'overrides, such as {DATASET}.dataset.data_root=/data/rafdb',
    )
    return parser.parse_args(argv)


def read_transition(path: Path) -> Transition:
    """Read a transition from a JSON file.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is not JSON (with file and line), or JSON of something
            else.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'--transition {path} does not exist (seen from {Path.cwd()}). '
            'Fix: correct the path.'
        )
    try:
        transition = json.loads(path.read_text(encoding='utf-8-sig'))
    except json.JSONDecodeError as error:
        raise ValueError(
            f'{path}:{error.lineno}: not JSON: {error.msg}. Fix: correct this line.'
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{path}: not UTF-8 text, so not JSON. Fix: save it as UTF-8.'
        ) from error
    if not isinstance(transition, dict | list):
        raise ValueError(
            f'{path} holds {transition!r}. Fix: write {{"fear": "surprise", ...}} or '
            'a list of lists.'
        )
    return transition


def training_data(cfg: Config) -> Config:
    """Return the config of the training data set, without its cache.

    Raises:
        ValueError: If the recipe has no training data set.
    """
    from eac_mm.datasets.images import without_cache

    dataset = (cfg.get('train_dataloader') or {}).get('dataset')
    if dataset is None:
        raise ValueError(
            f'{cfg.filename} has no {DATASET}. Fix: give a recipe for training.'
        )
    return without_cache(dataset)


def clean_data(cfg: Config) -> Config:
    """Return the config of the training data set, without its cache and noise.

    Raises:
        ValueError: If the recipe has no training data set, or one with noise below
            another wrapper.
    """
    dataset = training_data(cfg)
    clean = dataset.dataset if is_noisy(dataset) else dataset
    if holds_noise(clean):
        raise ValueError(
            f'{DATASET} has NoisyLabels inside {kind_of(dataset)}, so that the new '
            'noise would be added to the noisy labels. Fix: give a recipe that trains '
            'on that NoisyLabels alone, or on what it wraps, and set noise_file of the '
            'inner NoisyLabels to the new file.'
        )
    return clean


def is_noisy(dataset: Any) -> bool:
    """Tell whether the config of a data set is one of noisy labels."""
    return kind_of(dataset) in ('NoisyLabels', 'AnnotatedLabels')


def kind_of(dataset: Any) -> str:
    """Return the name of the class in a config, empty if it names none."""
    kind = dataset.get('type') if isinstance(dataset, dict) else None
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return name.rpartition('.')[2]


def holds_noise(dataset: Any) -> bool:
    """Tell whether a config is, or has anywhere in it, :class:`NoisyLabels`."""
    if isinstance(dataset, dict):
        return is_noisy(dataset) or any(map(holds_noise, dataset.values()))
    return isinstance(dataset, list | tuple) and any(map(holds_noise, dataset))


def table(manifest: NoiseManifest) -> str:
    """Return the clean and changed labels of each class as a table to print."""
    rows = list(
        zip(
            manifest.classes,
            manifest.clean_counts,
            manifest.changed_counts,
            strict=True,
        )
    )
    rows.append(('all', sum(manifest.clean_counts), sum(manifest.changed_counts)))
    width = max(len(name) for name, _, _ in rows)
    lines = [f'{"class":{width}}  {"clean":>9}  {"changed":>9}  {"share":>7}']
    for name, clean, changed in rows:
        share = f'{100 * changed / clean:.2f} %' if clean else '-'
        lines.append(f'{name:{width}}  {clean:>9,}  {changed:>9,}  {share:>7}')
    return '\n'.join(lines)


def usage(dataset: Config, out: Path) -> str:
    """Return how to train on the file, to print."""
    from eac_mm.datasets.images import without_cache

    inner = without_cache(dataset)
    where = DATASET if inner is dataset else f'{DATASET}.dataset'
    if not is_noisy(inner):
        return (
            "To train on it, wrap the recipe's training data set:\n"
            f"dict(type='NoisyLabels', noise_file={str(out)!r}, dataset=...)"
        )
    options = [f'{where}.noise_file={shlex.quote(str(out))}', f'{where}.rate=0']
    if inner.get('transition') is not None:
        options.append(f'{where}.transition=None')
    return f'To train on it:\n--cfg-options {" ".join(options)}'


def relabel(args: argparse.Namespace, cfg: Config) -> NoiseManifest:
    """Write the labels that a training has replaced, and print how many are wrong.

    Raises:
        ValueError: If options of noise that is drawn are given too.
        FileNotFoundError: If the checkpoint does not exist.
    """
    from mmpretrain.registry import DATASETS

    from eac_mm.apis.launch import load_plain
    from eac_mm.datasets.relabelled import write_relabelled

    drawn = dict(kind=args.kind, rate=args.rate, transition=args.transition)
    given = [f'--{name}' for name, value in drawn.items() if value is not None]
    if given:
        raise ValueError(
            f'--relabelled draws no noise, and {", ".join(given)} say how to draw it. '
            'Fix: leave them out.'
        )
    if not args.relabelled.is_file():
        raise FileNotFoundError(
            f'--relabelled {args.relabelled} does not exist (seen from {Path.cwd()}). '
            'Fix: correct the path.'
        )
    dataset = DATASETS.build(training_data(cfg))
    manifest = write_relabelled(args.out, dataset, load_plain(args.relabelled))
    print(
        f'\n{args.out}: labels of {args.relabelled}\n'
        f'wrong labels: {100 * manifest.measured_rate:.2f} %'
    )
    return manifest


def draw(args: argparse.Namespace, cfg: Config) -> NoiseManifest:
    """Draw and write noise, and print its rate."""
    from eac_mm.datasets import NoisyLabels

    transition = read_transition(args.transition) if args.transition else None
    rate = args.rate
    if rate is None:
        settled = isinstance(transition, list) or args.kind == 'annotator'
        rate = 0.0 if settled else DEFAULT_RATE
    noisy = NoisyLabels(
        clean_data(cfg),
        kind=args.kind or ('symmetric' if transition is None else 'asymmetric'),
        rate=rate,
        seed=args.seed,
        transition=transition,
    )
    manifest = noisy.write(args.out)
    asked = f'{100 * rate:.2f} %'
    if isinstance(transition, list):
        asked = f'that of {args.transition}'
    elif args.kind == 'annotator':
        asked = 'that of the votes'
    print(
        f'\n{args.out}: {manifest.kind} noise, seed {manifest.seed}\n'
        f'rate asked: {asked}; measured: {100 * manifest.measured_rate:.2f} %'
    )
    return manifest


def main(argv: Sequence[str] | None = None) -> NoiseManifest:
    """Write and summarise a noise file, and return its manifest.

    Raises:
        FileExistsError: If the file exists and ``--force`` is not given.
    """
    args = parse_args(argv)
    from mmengine.registry import init_default_scope

    from eac_mm.apis import load_config

    if args.out.exists() and not args.force:
        raise FileExistsError(
            f'{args.out} exists; runs may depend on it. Fix: choose another name, or '
            'replace it with --force.'
        )
    cfg = load_config(args.config, options=args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    manifest = (draw if args.relabelled is None else relabel)(args, cfg)
    print(f'\n{table(manifest)}\n\n{usage(cfg.train_dataloader.dataset, args.out)}')
    return manifest


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
