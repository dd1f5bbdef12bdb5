"""Draw bar charts as SVG, without a library."""

from collections.abc import Mapping
from html import escape

COLORS = ("#0b6e4f", "#6bbf9c", "#9aa0a6", "#d98e04", "#b3541e", "#7a5195", "#2f6db3", "#d45087")
LEFT, WIDTH, BAR, GAP, FACE = 250, 760, 13, 26, "font-family='system-ui, sans-serif'"


def draw(bars: Mapping[str, Mapping[str, float]]) -> str:
    """Groups of bars, in the order they come; each with its value. The same label has the same color everywhere."""
    labels = list(dict.fromkeys(label for group in bars.values() for label in group))
    most = max(value for group in bars.values() for value in group.values())
    parts: list[str] = []
    y = 34
    for title, group in bars.items():
        y += GAP
        parts.append(f"<text x='12' y='{y - 6}' font-size='13' font-weight='600'>{escape(title)}</text>")
        for label, value in group.items():
            length = max(1.0, value / most * (WIDTH - LEFT - 60))
            color = COLORS[labels.index(label) % len(COLORS)]
            parts.append(f"<text x='{LEFT - 8}' y='{y + 10}' font-size='11' text-anchor='end'>{escape(label)}</text>")
            parts.append(f"<rect x='{LEFT}' y='{y}' width='{length:.1f}' height='{BAR - 2}' fill='{color}'/>")
            parts.append(f"<text x='{LEFT + length + 5:.1f}' y='{y + 10}' font-size='11'>{value:.2f}</text>")
            y += BAR
    height = y + 14
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' {FACE} fill='#202124'>"
        f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>"
        "<text x='12' y='24' font-size='15' font-weight='600'>Answers for the same processor time,"
        " the limit (or bare Flask) being 1</text>"
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"
