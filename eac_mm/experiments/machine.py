"""Note the machines that a run was trained on."""

from pathlib import Path

from eac_mm.utils.hardware import describe

FILE = 'machine.txt'


def note(folder: Path) -> None:
    """Add this machine to the folder of a run that starts or resumes here."""
    lines = noted(folder)
    if describe() not in lines:
        text = '\n'.join([*lines, describe()]) + '\n'
        (folder / FILE).write_text(text, encoding='utf-8')


def noted(folder: Path) -> list[str]:
    """List the machines that a run was trained on; empty if none were noted."""
    path = folder / FILE
    return path.read_text(encoding='utf-8').splitlines() if path.is_file() else []
