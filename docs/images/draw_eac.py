"""Draw how Erasing Attention Consistency trains: python docs/images/draw_eac.py."""

from pathlib import Path

INK, FAINT, BLUE, ORANGE = '#334155', '#94a3b8', '#2563eb', '#ea580c'
HEAT = '#f59e0b'


def text(x: int, y: int, words: str, size: int = 14, colour: str = INK) -> str:
    """Return centred lines of text, split at ``|``."""
    lines = words.split('|')
    return ''.join(
        f'<text x="{x}" y="{y + i * (size + 3)}" font-size="{size}" fill="{colour}" '
        f'text-anchor="middle">{line}</text>'
        for i, line in enumerate(lines)
    )


def box(x: int, y: int, width: int, height: int, words: str, colour: str) -> str:
    """Return a box with words in its middle."""
    lines = words.count('|')
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="white" '
        f'stroke="{colour}" stroke-width="2"/>'
        + text(x + width // 2, y + height // 2 + 5 - 8 * lines, words)
    )


def arrow(*points: tuple[int, int], colour: str = INK) -> str:
    """Return a line through some points that ends with an arrow."""
    path = ' '.join(f'{x},{y}' for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
        'marker-end="url(#tip)"/>'
    )


def face(x: int, y: int, flipped: bool = False, erased: bool = False) -> str:
    """Return a face of 90 pixels that looks to one side, with a part erased."""
    turn = f'translate({x + 90},{y}) scale(-1,1)' if flipped else f'translate({x},{y})'
    parts = [
        '<rect width="90" height="90" rx="6" fill="#f1f5f9" stroke="#94a3b8"/>',
        '<circle cx="45" cy="47" r="33" fill="#fde68a" stroke="#a16207"/>',
        '<circle cx="38" cy="40" r="4" fill="#334155"/>',
        '<circle cx="60" cy="40" r="4" fill="#334155"/>',
        '<path d="M34 58 Q50 74 64 56" fill="none" stroke="#334155" stroke-width="3"/>',
    ]
    if erased:
        parts.append('<rect x="14" y="14" width="32" height="24" fill="#64748b"/>')
    return f'<g transform="{turn}">{"".join(parts)}</g>'


def heat(x: int, y: int, at: tuple[int, int]) -> str:
    """Return an attention map of 70 pixels whose maximum lies at a cell of 5 x 5."""
    cells = []
    for row in range(5):
        for column in range(5):
            near = max(0, 3 - abs(row - at[0]) - abs(column - at[1])) / 3
            cells.append(
                f'<rect x="{x + 14 * column}" y="{y + 14 * row}" width="14" '
                'height="14" '
                f'fill="{HEAT}" fill-opacity="{0.08 + 0.85 * near:.2f}"/>'
            )
    frame = (
        f'<rect x="{x}" y="{y}" width="70" height="70" fill="none" stroke="{FAINT}"/>'
    )
    return ''.join(cells) + frame


def draw() -> str:
    """Return the figure as SVG."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 360" '
        'font-family="Helvetica, Arial, sans-serif" role="img">',
        '<title>Erasing Attention Consistency: two views of a face, one network, '
        'cross-entropy on view 1 and a distance between the attention maps</title>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" '
        f'fill="{INK}"/></marker></defs>',
        '<rect width="900" height="360" fill="white"/>',
        face(20, 125),
        text(65, 235, 'a face with a|noisy label', 14),
        arrow((115, 160), (150, 75)),
        arrow((115, 180), (150, 265)),
        face(155, 25, erased=True),
        text(200, 132, 'view 1: a part erased'),
        face(155, 215, flipped=True, erased=True),
        text(200, 322, 'view 2: view 1 flipped'),
        arrow((250, 70), (300, 140)),
        arrow((250, 260), (300, 200)),
        box(305, 125, 100, 90, 'the same|network', INK),
        arrow((405, 145), (470, 110)),
        arrow((405, 195), (470, 250)),
        heat(475, 85, (3, 3)),
        text(510, 172, 'attention 1'),
        heat(475, 215, (3, 1)),
        text(510, 302, 'attention 2'),
        arrow((550, 250), (583, 250)),
        heat(590, 215, (3, 3)),
        text(625, 302, 'flipped back'),
        arrow((550, 125), (705, 170), colour=BLUE),
        arrow((662, 245), (705, 205), colour=BLUE),
        box(710, 150, 165, 70, 'λ × distance of the|attention maps', BLUE),
        arrow((355, 125), (355, 45), (705, 45), colour=ORANGE),
        text(520, 36, 'scores of view 1'),
        box(710, 15, 165, 60, 'cross-entropy with|the noisy label', ORANGE),
        text(792, 118, '+', 26),
        arrow((792, 220), (792, 282)),
        text(792, 302, 'loss'),
        '</svg>',
    ]
    return '\n'.join(parts) + '\n'


if __name__ == '__main__':
    Path(__file__).with_name('eac.svg').write_text(draw(), encoding='utf-8')
