"""Where the panels stand on their pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Page = Literal["portrait", "landscape", "square"]

SIZES: Final[dict[Page, tuple[int, int]]] = {
    "portrait": (1240, 1754),  # A4 at 150 dots per inch
    "landscape": (1754, 1240),
    "square": (1500, 1500),
}
"""Width and height of a page in pixels."""

# Chosen when the script says nothing, in turn: rows of so many panels.
_CHOSEN: Final[dict[Page, tuple[str, ...]]] = {
    "portrait": ("1-2-2", "2-1-2", "2-2-1"),
    "landscape": ("2-1", "1-2", "2-2"),
    "square": ("1-2", "2-1", "2-2"),
}
_MARGIN: Final = 0.040  # of the page's shorter side
_GUTTER: Final = 0.016
_HEAD: Final = 0.075  # height of the title's strip, of the page's height
_FOOT: Final = 0.022


@dataclass(frozen=True)
class Spot:
    """Where a panel stands: page (0 first), and its box in pixels."""

    page: int
    x: int
    y: int
    width: int
    height: int


def spots(count: int, page: Page, layout: Sequence[str], title: bool) -> tuple[Spot, ...]:
    """The places of panels in reading order: from left to right, from top to bottom.

    Rows with fewer panels are lower where they would be much wider than high, and columns of neighbouring rows do not
    stand exactly under each other.

    Args:
        count: of panels.
        page: its shape.
        layout: rows of each page in turn; empty = chosen. When pages are left, the last one repeats.
        title: whether the first page has one.
    """
    plans = list(layout) or list(_CHOSEN[page])
    placed: list[Spot] = []
    number = 0
    while len(placed) < count:
        plan = plans[number] if number < len(plans) else (plans[number % len(plans)] if not layout else plans[-1])
        rows = _cut([int(n) for n in plan.split("-")], count - len(placed))
        placed += _page(rows, number, page, title and number == 0)
        number += 1
    return tuple(placed)


def _cut(rows: list[int], left: int) -> list[int]:
    """The rows of the last page, which may have fewer panels."""
    out: list[int] = []
    for row in rows:
        if left <= 0:
            break
        out.append(min(row, left))
        left -= row
    return out


def _page(rows: list[int], number: int, page: Page, title: bool) -> list[Spot]:
    width, height = SIZES[page]
    short = min(width, height)
    margin, gutter = round(_MARGIN * short), round(_GUTTER * short)
    top = margin + (round(_HEAD * height) if title else 0)
    bottom = height - margin - round(_FOOT * height)
    # A single panel in a row is a wide shot, and needs less height than two side by side.
    heights = [0.86 if row == 1 else 1.0 for row in rows]
    room = bottom - top - gutter * (len(rows) - 1)
    if len(rows) < 2:
        room = min(room, round(0.62 * (bottom - top)))
    unit = room / sum(heights)
    found: list[Spot] = []
    y = float(top)
    for i, (row, share) in enumerate(zip(rows, heights, strict=True)):
        tall = unit * share
        whole = width - 2 * margin - gutter * (row - 1)
        # The wider panel of two changes its side from row to row.
        shares = [1.0] * row
        if row == 2:
            shares = [1.14, 0.86] if (i + number) % 2 == 0 else [0.86, 1.14]
        x = float(margin)
        for part in shares:
            wide = whole * part / sum(shares)
            found.append(Spot(number, round(x), round(y), round(x + wide) - round(x), round(y + tall) - round(y)))
            x += wide + gutter
        y += tall + gutter
    return found
