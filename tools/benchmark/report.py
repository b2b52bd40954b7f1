"""The benchmark's figures as a page and a plot."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import matplotlib

matplotlib.use('Agg')
from interleave import ratios, summary
from matplotlib import pyplot as plt

from eac_mm.experiments import markdown_table

OPERATIONS = 10


@dataclass
class Line:
    """One ratio: of what to what, and its goal."""

    part: str
    over: str
    under: str
    goal: float
    at_least: bool

    @property
    def name(self) -> str:
        """Name of the line on the page."""
        return f'{self.part}: {self.over} / {self.under}'

    def values(self, measured: dict) -> list[float]:
        """Return the ratio of each round."""
        values = measured[self.part]['values']
        over, under = values[self.over], values[self.under]
        if isinstance(over, list):
            return ratios(over, under)
        return [over / under]

    def measured(self, measured: dict) -> bool:
        """Return whether both were measured."""
        values = measured.get(self.part, {}).get('values', {})
        return self.over in values and self.under in values

    def met(self, value: float) -> bool:
        """Whether the goal is reached."""
        return value >= self.goal if self.at_least else value <= self.goal


LINES = [
    Line('step', 'released', 'eac_mm, float32', 1.15, True),
    Line('step', 'released', 'eac_mm, bfloat16', 3.0, True),
    *(
        Line(part, ours, f'bare backbone, {precision}', goal, False)
        for part, goal in (('step', 1.02), ('iteration', 1.06))
        for precision in ('float32', 'bfloat16')
        for ours in [f'eac_mm, {precision}']
    ),
    Line('loader', 'released', "eac_mm, cache='none'", 1.0, True),
    Line('loader', 'released', "eac_mm, cache='ram'", 1.0, True),
    Line('loader', 'released', "eac_mm, cache='device'", 5.0, True),
    *(
        Line('maps', f'released, {n} classes', f'eac_mm, {n} classes', goal, True)
        for n, goal in ((7, 1.0), (100, 1.0), (200, 80.0))
    ),
    *(
        Line(
            'memory',
            f'maps: released, {n} classes',
            f'maps: eac_mm, {n} classes',
            goal,
            True,
        )
        for n, goal in ((7, 1.0), (100, 1.0), (200, 40.0))
    ),
    *(
        Line('memory', f'eac_mm, {p}', f'bare backbone, {p}', 1.05, False)
        for p in ('float32', 'bfloat16')
    ),
]


def measured_lines(measured: dict) -> list[Line]:
    """The ratios of what has been measured."""
    return [line for line in LINES if line.measured(measured)]


def markdown(measured: dict, name: str) -> str:
    """The page: ratios and goals, medians, and the profile.

    Args:
        measured: By part, what ``benchmark.py`` keeps.
        name: Of the machine's kind.
    """
    blocks = [f'# Measured: {name}', provenance(measured)]
    if 'step' in measured and 'eac_mm, bfloat16' not in measured['step']['values']:
        blocks.append('This CPU has no instructions that multiply bfloat16.')
    rows = []
    for line in measured_lines(measured):
        s = summary(line.values(measured))
        goal = f'{"at least" if line.at_least else "at most"} {line.goal:g}'
        if (line.at_least, line.goal) == (True, 1.0):
            goal = '-'
        met = '' if goal == '-' else ('yes' if line.met(s['median']) else '**no**')
        low, high = s['low'], s['high']
        spread = f'{low:.3g} to {high:.3g}' if low != high else ''
        rows.append([line.name, f'{s["median"]:.3f}', spread, goal, met])
    head = ['ratio', 'median', 'quartiles', 'goal', 'met']
    blocks.append(markdown_table(head, rows))
    for part, unit, scale in (
        ('step', 'seconds', 1),
        ('iteration', 'seconds', 1),
        ('loader', 'milliseconds a batch of pairs', 1e3),
        ('maps', 'milliseconds, forward and backward', 1e3),
    ):
        if part in measured:
            blocks.append(medians(measured[part]['values'], part, unit, scale))
    if 'memory' in measured:
        blocks.append(peaks(measured['memory']['values']))
    if 'profile' in measured:
        blocks.append(operations(measured['profile']['values']))
    return '\n\n'.join(blocks) + '\n'


def provenance(measured: dict) -> str:
    """Command and machine of each part."""
    made: dict[str, list[str]] = {}
    for part, entry in measured.items():
        setting = dict(entry['setting'], threads=entry['threads'])
        options = ' '.join(f'--{k} {v}' for k, v in setting.items())
        where = entry['machine']
        made.setdefault(f'{options} (on {where})', []).append(part)
    return '\n'.join(
        f'- `python tools/benchmark/benchmark.py {" ".join(names)} {rest}'.replace(
            ' (on', '` (on'
        )
        for rest, names in made.items()
    )


def medians(values: dict, part: str, unit: str, scale: float) -> str:
    """A table of medians, as they were on this machine at that time."""
    rows = [[k, f'{median(v) * scale:.4g}'] for k, v in values.items()]
    return markdown_table([part, f'{unit}, median'], rows)


def peaks(values: dict[str, int]) -> str:
    """A table of peak memory."""
    rows = [[k, f'{v / 2**20:,.0f}'] for k, v in values.items()]
    return markdown_table(
        ['peak over what was held, or of a whole process', 'MiB'], rows
    )


def operations(values: dict[str, dict[str, float]]) -> str:
    """Return what the time of each step is spent on, longest in the last one first."""
    rows = []
    for key in list(list(values.values())[-1])[:OPERATIONS]:
        cells = [f'`{key}`']
        for times in values.values():
            taken = times.get(key, 0.0)
            cells.append(f'{taken:.3f} ({100 * taken / sum(times.values()):.1f} %)')
        rows.append(cells)
    return markdown_table(['seconds of one step, by operation', *values], rows)


def plot(measured: dict, path: Path) -> None:
    """Bars of the ratios beside their goals, on a log scale."""
    lines = measured_lines(measured)[::-1]
    values = [summary(line.values(measured))['median'] for line in lines]
    figure, axes = plt.subplots(figsize=(9, 0.34 * len(lines) + 1.4))
    met = [line.met(value) for line, value in zip(lines, values, strict=True)]
    colours = ['tab:blue' if ok else 'tab:red' for ok in met]
    axes.barh(range(len(lines)), [v - 1 for v in values], left=1, color=colours)
    for i, (line, value) in enumerate(zip(lines, values, strict=True)):
        if line.goal != 1.0:
            axes.plot(
                [line.goal] * 2, [i - 0.45, i + 0.45], color='black', linewidth=1.5
            )
        axes.annotate(
            f'{value:.3g}',
            (max(value, 1, line.goal), i),
            xytext=(4, 0),
            va='center',
            textcoords='offset points',
            fontsize=8,
        )
    axes.set_xscale('log')
    axes.set_yticks(range(len(lines)), [line.name for line in lines], fontsize=8)
    axes.axvline(1, color='grey', linewidth=0.8)
    axes.margins(x=0.12, y=0.01)
    axes.set_xlabel('ratio (log scale); black: goal; red: goal missed')
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
