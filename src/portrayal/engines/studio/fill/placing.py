"""Where a picture lies in a canvas of another shape: all of it if possible, and no body that ends in mid-air."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portrayal.imaging import F32
from portrayal.perception.types import FaceReading
from portrayal.sizes import Size

_MOST_CROPPED = 0.4  # of the height, to lose a part that is cut off at both sides
_AIR = 0.35  # face heights that stay around a face when something is cropped


@dataclass(frozen=True)
class Place:
    """A placement: canvas = scale * picture + (x, y), in pixels; what lies beyond the canvas is cropped.

    Attributes:
        note: what was cropped or could not be avoided, for the result's warnings; "" when nothing.
        cut: sides at which shoulders that the picture cuts off would end in the new area.
    """

    scale: float
    x: int
    y: int
    note: str = ""
    cut: frozenset[str] = frozenset()


def place(width: int, height: int, size: Size, subject: F32 | None, faces: Sequence[FaceReading]) -> Place:
    """Place a picture.

    Args:
        width, height: of the picture.
        size: (width, height) of the canvas.
        subject: (height, width) matte of the people, 0..1, or None.
        faces: never cropped.
    """
    wide, tall = size
    starts = _starts(subject)
    if wide / width >= tall / height:
        return _sideways(width, height, size, starts, faces)
    return _upwards(width, height, size, starts, faces)


def _starts(subject: F32 | None) -> dict[str, float]:
    """For each side at which the matte is cut off: where that begins (a row for left and right, else a column)."""
    if subject is None:
        return {}
    found: dict[str, float] = {}
    h, w = subject.shape
    lines = {"left": subject[:, :2], "right": subject[:, -2:], "top": subject[:2].T, "bottom": subject[-2:].T}
    for side, line in lines.items():
        rows = np.flatnonzero(line.max(1) > 0.5)
        if len(rows) > 0.015 * max(h, w):
            found[side] = float(rows[0])
    return found


def _span(faces: Sequence[FaceReading], axis: int) -> tuple[float, float] | None:
    """First and last row (axis 1) or column (axis 0) of all faces with some air around them."""
    if not faces:
        return None
    ends = [(f.points[:468, axis].min(), f.points[:468, axis].max(), np.ptp(f.points[:468, 1])) for f in faces]
    return min(float(a - _AIR * s) for a, _, s in ends), max(float(b + _AIR * s) for _, b, s in ends)


def _sideways(width: int, height: int, size: Size, starts: dict[str, float], faces: Sequence[FaceReading]) -> Place:
    wide, tall = size
    scale, keep = tall / height, float(height)
    cut = {s for s in ("left", "right") if s in starts}
    grows = round(width * scale) < wide
    note = ""
    span = _span(faces, 1)
    if len(cut) == 2 and grows:
        # Rows below the place where the second side begins to be cut are given up, if they are few.
        row = max(starts["left"], starts["right"]) - 0.02 * height
        most = wide * height / (width * tall)  # at this share of the height no side grows any more
        row = max(row, height / most)
        if row >= (1 - _MOST_CROPPED) * height and (span is None or row >= span[1]):
            keep = row
            scale = tall / keep
            cut -= {"left"} if starts["left"] >= starts["right"] else {"right"}
            note = (
                f"the lowest {100 * (1 - keep / height):.0f} % of the picture were cropped: the body is cut off there"
            )
    above = bool(faces) and min(starts[s] for s in cut) < _chin(faces) if len(cut) == 2 else False
    y = 0
    if above and grows and span is not None:
        # A head that is cut off cannot be completed: as near as its face allows, so that little is added.
        scale = max(scale, min(wide / width, tall / max(span[1] - span[0], 1.0)))
        y = round(float(np.clip(tall / 2 - (span[0] + span[1]) / 2 * scale, tall - height * scale, 0)))
        note = (
            "the picture cuts the head off at both sides: it was brought nearer, and what is added beside it may show"
        )
    room = wide - round(width * scale)
    middle = len(cut) != 1 or room <= 0
    x = room // 2 if middle else 0 if "left" in cut else room
    ending = frozenset(cut) if len(cut) == 2 and room > 0 and not above else frozenset()
    return Place(scale, x, y, note, ending)


def _chin(faces: Sequence[FaceReading]) -> float:
    """Row of the lowest chin, a little raised: hair and collars begin there."""
    return max(float(f.points[:468, 1].max() - 0.1 * np.ptp(f.points[:468, 1])) for f in faces)


def _upwards(width: int, height: int, size: Size, starts: dict[str, float], faces: Sequence[FaceReading]) -> Place:
    wide, tall = size
    scale = wide / width
    if "top" in starts and "bottom" in starts:
        # Nothing may be added above or below: the sides are given up, as far as faces allow.
        largest = tall / height
        span = _span(faces, 0)
        if span is not None:
            largest = min(largest, wide / max(span[1] - span[0], 1.0))
        scale = max(scale, largest)
        middle = (span[0] + span[1]) / 2 if span else width / 2
        x = round(float(np.clip(wide / 2 - middle * scale, wide - width * scale, 0)))
        room = tall - round(height * scale)
        note = f"{100 * (1 - wide / (width * scale)):.0f} % of the width were cropped: the body is cut off at the top"
        return Place(scale, x, max(room, 0), note, frozenset({"top"}) if room > 0 else frozenset())
    room = tall - round(height * scale)
    if "bottom" in starts:
        y = room
    elif "top" in starts:
        y = 0
    else:
        y = round(0.55 * room)  # a little more sky than ground
    return Place(scale, 0, y)
