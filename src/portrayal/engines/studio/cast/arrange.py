"""Where the members of a cast stand: side by side, heads at the size that they have in life, every face free.

A photographer moves people until all faces are seen, nobody is lost at the border and the frame ends above what is
missing. Here the same is a search over how close they stand, who stands in front, how much higher the others are, and
how near the camera is; each choice costs what it takes away from the wish.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.studio.cast.figure import Figure
from portrayal.engines.studio.compose import FRAMINGS
from portrayal.imaging import F32, Array
from portrayal.sizes import Size

# Head height as a share of the frame when nobody asks, by number of people.
_USUAL: Final = {2: 0.245, 3: 0.215, 4: 0.19}
# Who stands in front (0) and who behind (1), from left to right.
_ROWS: Final[dict[int, tuple[tuple[int, ...], ...]]] = {
    2: ((0, 1), (1, 0)),
    3: ((1, 0, 1), (0, 1, 0)),
    4: ((0, 1, 0, 1), (1, 0, 1, 0), (0, 1, 1, 0)),
}
_BEHIND: Final = 0.955  # half a step back
_OVERLAP: Final = 0.38  # of the upper arms of neighbours, in head heights
_MARGIN: Final = 1.12  # from the middle of the outer face to the frame, in head heights
_AIR: Final = 0.10  # least distance of a head to the frame
_HIDDEN: Final = 0.10  # share of a head (hair) that somebody in front may cover
_APART: Final[F32] = np.linspace(0.06, 3.36, 56, dtype=np.float32)  # distances across that are tried
_ZOOMS: Final = np.linspace(-0.9, 0.45, 28)
_GROUND: Final = 0.9  # of the frame: where whole figures stand
_NEVER: Final = 99.0


@dataclass(frozen=True)
class Spot:
    """Where one member stands: canvas = scale * reference + offset; `depth` 0 is the nearest to the camera."""

    scale: float
    offset: tuple[float, float]
    depth: int
    unit: float


@dataclass(frozen=True)
class _Layout:
    """A group in head heights: middles of the faces around the group's own, sizes, depth (0 = nearest), the
    distance of the outer faces to the frame, and what closeness and a narrow margin cost."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    size: tuple[float, ...]
    depth: tuple[int, ...]
    margin: float
    cost: float


@dataclass(frozen=True)
class Arrangement:
    """The best places, in the order of the figures.

    Attributes:
        spots: where they stand.
        cost: what the places take away from the wish; under 1 nobody would ask for another frame.
        unit: height of a head on the canvas.
        reach: from the middle of the faces to the lower border of the frame, in head heights.
    """

    spots: tuple[Spot, ...]
    cost: float
    unit: float
    reach: float


def order_of(places: Sequence[str | None]) -> tuple[int, ...]:
    """Members from left to right: by their place words, else in the order in which they were given."""
    count = len(places)
    slots: list[int | None] = [None] * count
    rank = list(range(count))
    for word, choice in (
        ("left", rank),
        ("right", rank[::-1]),
        ("centre", sorted(rank, key=lambda i: abs(i - (count - 1) / 2))),
    ):
        asked = [i for i, place in enumerate(places) if place == word]
        for member in asked[::-1] if word == "right" else asked:
            slots[next(slot for slot in choice if slots[slot] is None)] = member
    rest = iter(i for i, place in enumerate(places) if place not in ("left", "right", "centre"))
    return tuple(slot if slot is not None else next(rest) for slot in slots)


def room(size: Size, count: int) -> float:
    """Width of the frame in head heights, at the size that heads of a group usually have."""
    return size[0] / (_USUAL[count] * min(size[1], 1.25 * size[0]))


def arrange(
    figures: Sequence[Figure], size: Size, framing: str | None, seed: int, attempt: int, shrink: float = 1.0
) -> Arrangement:
    """Find the places.

    Args:
        figures: from left to right.
        size: (width, height) of the canvas.
        framing: as the prompt asks, or None.
        seed, attempt: choose among what is equally good.
        shrink: part of the frame that is sure to be seen (a tilted camera cuts its borders).
    """
    rng = np.random.default_rng([seed, attempt, 303])
    width, height = size
    base = min(height, 1.25 * width)
    share = FRAMINGS[framing][0] if framing else _USUAL[len(figures)] * math.exp(rng.uniform(-0.07, 0.07))
    wish = share * base * shrink
    taste = rng.uniform(0, 0.25, len(_ROWS[len(figures)]))
    jitter = rng.uniform(-0.05, 0.05, len(figures))
    beside, lower, little = rng.uniform(-1, 1), rng.uniform(-0.02, 0.02), float(rng.uniform(0.10, 0.24))
    rises = (little,) if width > 0.95 * height else (little, 0.45, 0.8, 1.2)
    best: tuple[float, _Layout, float, float, float] | None = None
    while best is None:
        for rows, liking in zip(_ROWS[len(figures)], taste, strict=True):
            for rise in rises:
                group = _Group(figures, rows, rise, jitter)
                for zoom in _ZOOMS:
                    unit = float(wish * math.exp(zoom))
                    layout = group.spaced(0.5 * width * shrink / unit)
                    if layout is None:
                        continue
                    base = liking + (2.2 * zoom) ** 2 + (0.5 * rise) ** 2 + layout.cost
                    if best is not None and base >= best[0]:
                        continue
                    for aside in _shifts(figures, layout, float(beside)):
                        y, cost = _height(figures, layout, unit, (width, height), aside, shrink, float(lower))
                        cost += base + 2.5 * (aside * unit / (0.5 * width)) ** 2
                        if best is None or cost < best[0]:
                            best = (float(cost), layout, unit, aside, y)
        wish *= 0.6  # a crowd in a narrow frame
    cost, layout, unit, aside, y = best
    x = 0.5 * width + aside * unit
    spots = []
    for figure, dx, dy, grown, depth in zip(figures, layout.x, layout.y, layout.size, layout.depth, strict=True):
        scale = unit * grown / figure.unit
        at = (x + dx * unit - figure.x * scale, y + dy * unit - figure.y * scale)
        spots.append(Spot(scale, at, depth, unit * grown))
    return Arrangement(tuple(spots), cost, unit, (height - y) / unit)


class _Group:
    """The figures in given rows: who stands how high, and how close they may come."""

    def __init__(self, figures: Sequence[Figure], rows: Sequence[int], rise: float, jitter: Array) -> None:
        self.figures = figures
        order = sorted(range(len(rows)), key=lambda i: (rows[i], i))
        self.depth = tuple(order.index(i) for i in range(len(rows)))
        self.size = tuple(_BEHIND if row else 1.0 for row in rows)
        self.y = _heights(figures, self.size, [float(rise * (0.5 - r) + j) for r, j in zip(rows, jitter, strict=True)])
        # A mascot is known by all of it, a person by the face.
        self.cost = 0.4 * sum(row for row, figure in zip(rows, figures, strict=True) if not figure.person)
        count = len(figures)
        self.close = {(i, j): self._apart(i, j) for i in range(count) for j in range(i + 1, min(i + 3, count))}

    def _apart(self, i: int, j: int) -> float:
        """Least distance across at which nobody's face is covered, of a member and one farther right."""
        front, back = (i, j) if self.depth[i] < self.depth[j] else (j, i)
        side = 1.0 if front > back else -1.0
        covered = []
        for points in (self.figures[back].guarded, self.figures[back].head):
            x = points[:, 0] * self.size[back] - side * _APART[:, None]
            y = np.broadcast_to(points[:, 1] * self.size[back] - (self.y[front] - self.y[back]), x.shape)
            moved = np.stack([x, y], -1).reshape(-1, 2) / self.size[front]
            covered.append(self.figures[front].covers(np.asarray(moved, np.float32)).reshape(len(_APART), -1))
        bad = np.flatnonzero((covered[0].max(1) > 0.1) | (covered[1].mean(1) > _HIDDEN))
        return float(_APART[min(int(bad[-1]) + 1, len(_APART) - 1)] if len(bad) else _APART[0])

    def spaced(self, half: float) -> _Layout | None:
        """The group in a frame of that half width in head heights; None when it does not fit."""
        figures, size = self.figures, self.size
        near = [self.close[i, i + 1] for i in range(len(figures) - 1)]
        for i in range(len(figures) - 2):
            # Neighbours of a neighbour meet when the one between stands in another row.
            near[i + 1] = max(near[i + 1], self.close[i, i + 2] - near[i])
        easy = [
            max(n, figures[i].shoulders[1] * size[i] + figures[i + 1].shoulders[0] * size[i + 1] - _OVERLAP)
            for i, n in enumerate(near)
        ]
        inner = 2 * (half - _MARGIN)
        spare = sum(easy) - sum(near)
        share = 1.0 if spare <= 0 else min(max((inner - sum(near)) / spare, 0.0), 1.0)
        gaps = [n + share * (e - n) for n, e in zip(near, easy, strict=True)]
        margin = half - 0.5 * sum(gaps)
        if margin < max(figures[0].ends[0] * size[0], figures[-1].ends[2] * size[-1]) + _AIR:
            return None
        x = np.cumsum([-0.5 * sum(gaps), *gaps])
        cost = (max(0.0, _MARGIN - margin) / 0.25) ** 2 + 0.4 * (1 - share) ** 2 + self.cost
        return _Layout(tuple(float(v) for v in x), self.y, size, self.depth, margin, cost)


def _shifts(figures: Sequence[Figure], layout: _Layout, beside: float) -> list[float]:
    """How far the group may stand aside, in head heights: as the seed says, or so that a cut arm leaves the frame."""
    out = [0.3 * beside * max(0.0, layout.margin - _MARGIN)]
    for side, figure, grown in ((-1, figures[0], layout.size[0]), (1, figures[-1], layout.size[-1])):
        ends = figure.ends[0] if side < 0 else figure.ends[2]
        across = side * figure.cuts[:, 0] * grown
        border = across.max(initial=0) if len(across) else 0.0
        if border > ends * grown + _AIR and layout.margin > border - 0.05:
            out.append(side * float(layout.margin - border + 0.05))
    return out


def _heights(figures: Sequence[Figure], size: Sequence[float], wish: Sequence[float]) -> tuple[float, ...]:
    """How low the middle of each face is: whole figures stand on one ground, mascots reach below the frame."""
    people = any(figure.person for figure in figures)
    feet = [0.0 if f.foot is None else f.foot * s for f, s in zip(figures, size, strict=True)]
    out = []
    for figure, foot, y in zip(figures, feet, wish, strict=True):
        if figure.person or figure.foot is None:
            out.append(y)
        elif people:
            out.append(figure.lower + 0.4 * y)
        else:
            out.append(max(feet) - foot + 0.5 * y)
    return tuple(out)


def _height(
    figures: Sequence[Figure],
    layout: _Layout,
    unit: float,
    size: Size,
    aside: float,
    shrink: float,
    lower: float,
) -> tuple[float, float]:
    """Row of the group's middle on the canvas, and what it costs: no cut edge may be seen, no head be cut off."""
    width, height = size
    shares, centres = zip(*((share, centre) for share, centre, _ in list(FRAMINGS.values())[4::-1]), strict=True)
    centre = float(np.interp(unit / min(height, 1.25 * width), shares, centres)) + lower
    wish = height * (0.5 + (centre - 0.5) * shrink)
    tops = [y - f.ends[1] * s for f, y, s in zip(figures, layout.y, layout.size, strict=True)]
    if all(figure.foot is not None and not len(figure.cuts) for figure in figures):
        feet = max(y + (f.foot or 0) * s for f, y, s in zip(figures, layout.y, layout.size, strict=True))
        wish = _GROUND * height - feet * unit
    air = 0.5 * (1 - shrink) * height + 0.035 * height
    row = max(wish, air - min(tops) * unit, height + 1 - _reach(figures, layout, 0.5 * width / unit, aside) * unit)
    cut = [top for top, figure in zip(tops, figures, strict=True) if figure.body.cut_top]
    above = max((row + top * unit for top in cut), default=0.0)
    return row, ((row - wish) / (0.10 * height)) ** 2 + (max(0.0, above) / (0.05 * height)) ** 2


def _reach(figures: Sequence[Figure], layout: _Layout, half: float, aside: float) -> float:
    """How far below the group's middle the first end of a reference would be seen, in head heights."""
    reach = _NEVER
    for i, figure in enumerate(figures):
        at = np.array([layout.x[i], layout.y[i]], np.float32)
        points = figure.cuts * np.float32(layout.size[i]) + at
        seen = np.abs(points[:, 0] + aside) < half
        for k, other in enumerate(figures):
            if layout.depth[k] < layout.depth[i]:
                there = (points - np.array([layout.x[k], layout.y[k]], np.float32)) / np.float32(layout.size[k])
                seen &= other.covers(there) < 0.9
        if seen.any():
            reach = min(reach, float(points[seen, 1].min()))
    return reach
