"""The command ``eac-mm``: one name for the scripts in ``tools/``.

It lies beside the package, not in it: to import ``eac_mm`` takes seconds, and help
should appear at once.
"""

import ast
import difflib
import importlib.util
import os
import runpy
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHIPPED = HERE / 'eac_mm' / '.mim'  # in a wheel; a clone has its own folders
TOOLS = (SHIPPED if SHIPPED.is_dir() else HERE) / 'tools'

# Each verb and its script below tools/, whose docstring says what it does.
VERBS = {
    'train': 'train.py',
    'test': 'test.py',
    'predict': 'predict.py',
    'publish': 'publish_model.py',
    'export': 'export.py',
    'align': 'align_faces.py',
    'compare': 'compare.py',
    'reproduce': 'reproduce.py',
    'ls': 'list_recipes.py',
    'cp': 'copy_recipe.py',
    'check': 'check.py',
    'audit': 'audit_labels.py',
    'noise': 'make_noise.py',
    'cross-fit': 'cross_fit.py',
    'convert ferplus': 'dataset_converters/ferplus.py',
    'convert weights': 'model_converters/convert.py',
    'convert dlib-face': 'model_converters/dlib_face.py',
    'figures': 'visualize.py',
    'figures faces': 'visualizations/draw_synthetic_faces.py',
    'benchmark': 'benchmark/benchmark.py',
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb with its arguments, and return the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ('-h', '--help'):
        print(overview())
        return 0
    if argv[0] == '--version':
        print(runpy.run_path(str(HERE / 'eac_mm' / 'version.py'))['__version__'])
        return 0
    words = next((n for n in (2, 1) if ' '.join(argv[:n]) in VERBS), None)
    if words is None:
        return unknown(argv[0])
    verb, arguments = ' '.join(argv[:words]), argv[words:]
    sys.argv = [f'eac-mm {verb}', *arguments]  # what a script's own help and log say
    os.environ['EAC_MM_COMMAND'] = shlex.join(['eac-mm', *argv])
    return run(lambda: load(verb)())


def run(script: Callable[[], object]) -> int:
    """Run the ``main`` of a script, and return the exit status.

    An error that says how to fix it is printed without a traceback (status 2). Ctrl-C
    ends the process in silence, and a shell's loop around it too: for that the process
    has to die of the signal.
    """
    try:
        status = script()
    except KeyboardInterrupt:
        sys.stdout.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
        return 130  # where the signal does not end it at once
    except Exception as error:
        if 'Fix:' not in str(error):
            raise
        sys.stdout.flush()  # what came before stands before in a log of both
        print(f'error: {error}', file=sys.stderr)
        return 2
    return status if isinstance(status, int) else 0


def load(verb: str) -> Callable[[], object]:
    """Return the ``main`` of a verb's script, imported as Python runs a script."""
    path = TOOLS / VERBS[verb]
    sys.path.insert(0, str(path.parent))  # scripts import their neighbours
    name = f'eac_mm_tool_{path.stem}'
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.main


def overview() -> str:
    """Return the list of verbs, each with what it does."""
    width = max(map(len, VERBS))
    lines = [f'  {verb:{width}}  {about(verb)}' for verb in VERBS]
    return '\n'.join(
        [
            'usage: eac-mm VERB [arguments]',
            '',
            *lines,
            '',
            'eac-mm VERB --help explains a verb, with an example.',
            'example: eac-mm train configs/eac/resnet18_syntheticfer_noise30.py',
        ]
    )


def about(verb: str) -> str:
    """Return the first line of the docstring of a verb's script."""
    tree = ast.parse((TOOLS / VERBS[verb]).read_text(encoding='utf-8'))
    return ast.get_docstring(tree).splitlines()[0]


def unknown(word: str) -> int:
    """Say that there is no such verb, and name the nearest."""
    near = [verb for verb in VERBS if verb.startswith(f'{word} ')]
    near = near or difflib.get_close_matches(word, VERBS, 1) or list(VERBS)
    print(
        f'error: eac-mm has no verb {word!r}. Fix: eac-mm {" or eac-mm ".join(near)}.',
        file=sys.stderr,
    )
    return 2


if __name__ == '__main__':
    sys.exit(main())
