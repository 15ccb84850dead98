"""What the arrangement of a group needs to know of one member: a small silhouette, its head, and where it is cut off.

Everything is measured in units of the head and from the middle of the face, so that figures of different references can
be laid side by side at the size that they have in life.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.compose import Body, body_of
from portrayal.imaging import F32
from portrayal.perception.types import FACE, HAIR

_GRID: Final = 16.0  # pixels of the silhouette per unit
# 3-D width between the cheeks in face heights, of an ordinary face at rest.
_CHEEKS: Final = 0.81
# A mascot beside people is a costume of their height; its feet are just below the frame.
_MASCOT_EYES: Final = 0.24  # of its height, from the top
_MASCOT_FACE: Final = 0.7  # of its half width: what nobody may cover in its upper half
_OUTER: Final = 0.8  # share of its half width that stays inside the frame: an arm may leave it
_CUT: Final = 0.12  # share of its height that the frame cuts off
_LOWER: Final = 0.1  # its eyes below those of the people
_WHOLE: Final = 2.88  # height of a mascot among mascots, in units


@dataclass(frozen=True)
class Figure:
    """One member of the cast, in units of its head, from the middle of the face; x to the right, y down.

    Attributes:
        body: the reference as the frame sees it, in reference pixels.
        unit, x, y: reference pixels of one unit and of the middle of the face.
        alpha: (h, w) float32 silhouette, `_GRID` pixels per unit; `left`, `top` is where its first pixel lies.
        guarded: (k, 2) points that nobody may stand before: the face.
        head: (k, 2) points of the head (of a mascot: all), of which a little may be covered.
        cuts: (k, 2) points at which the reference ends.
        shoulders: reach of the body to the left and right of the face where two people touch.
        ends: reach of the head to the left, up and right.
        person: whether it has a face.
        lower: how far the eyes of a mascot are below those of the people beside it.
        foot: how far below the middle of the face a whole figure ends; None for a body that is cut off.
    """

    body: Body
    unit: float
    x: float
    y: float
    alpha: F32
    left: float
    top: float
    guarded: F32
    head: F32
    cuts: F32
    shoulders: tuple[float, float]
    ends: tuple[float, float, float]
    foot: float | None
    person: bool
    lower: float

    def covers(self, points: F32) -> F32:
        """Opacity (k,) of the figure at points (k, 2); below its end the last row goes on."""
        x = np.round((points[:, 0] - self.left) * _GRID).astype(np.intp)
        y = np.round((points[:, 1] - self.top) * _GRID).astype(np.intp)
        rows, columns = self.alpha.shape
        inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        found = self.alpha[np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)]
        return np.where(inside, found, 0).astype(np.float32)


def figure_of(character: IdentityMap, reach: float | None, widest: float) -> Figure:
    """Measure one member.

    Args:
        character: a person or subject.
        reach: from the faces to the lower border of the frame, in head heights: how large a mascot is beside people;
            None when nobody in the cast has a face, and whole mascots stand on the ground.
        widest: how wide a mascot may be beside people.
    """
    body = body_of(character)
    if character.reading is not None:
        # The mouth changes the height of a face, not its width.
        unit = float(np.sqrt(body.unit * character.reading.pose.scale / _CHEEKS))
        x, y = body.x, body.y
    else:
        tall, wide = body.bottom - body.top, body.right - body.left
        if reach is None:
            unit = max(tall, 0.8 * wide) / _WHOLE
        else:
            unit = max(tall * (1 - _CUT - _MASCOT_EYES) / (reach - _LOWER), wide / widest)
        x, y = body.x, body.top + _MASCOT_EYES * tall
    part, at = _shown(body, character.alpha.shape)

    def small(mask: F32) -> F32:
        k = _GRID / unit
        size = (max(2, round(mask[part].shape[1] * k)), max(2, round(mask[part].shape[0] * k)))
        how = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(mask[part], size, interpolation=how), np.float32)

    alpha = small(character.alpha)
    left, top = (at[0] - x) / unit, (at[1] - y) / unit
    if character.reading is not None:
        chin = int(character.reading.points[152, 1])
        above = np.isin(character.regions, (FACE, HAIR)) & (np.arange(len(character.alpha)) < chin)[:, None]
        head = _points(small(above.astype(np.float32) * character.alpha), left, top)
        # A little air around the face: somebody's hair on a cheek looks like an accident.
        guarded = np.asarray((character.reading.points[:468:3, :2] - (x, y)) / unit * (1.16, 1.08), np.float32)
    else:
        upper = (np.arange(len(alpha)) < 0.5 * len(alpha))[:, None]
        inner = np.abs(np.linspace(-1, 1, alpha.shape[1])) < _MASCOT_FACE
        guarded = _points(np.asarray(alpha * upper * inner, np.float32), left, top)
        head = _points(alpha, left, top)
    cuts = _cuts(character, body, (x, y), unit, reach is not None)
    person = character.reading is not None
    outer = 1.0 if person else _OUTER
    return Figure(
        body=body,
        unit=unit,
        x=x,
        y=y,
        alpha=alpha,
        left=left,
        top=top,
        guarded=guarded,
        head=head,
        cuts=cuts,
        shoulders=_shoulders(alpha, left, top),
        ends=(-float(head[:, 0].min()) * outer, -float(head[:, 1].min()), float(head[:, 0].max()) * outer),
        foot=None if character.reading is not None or body.cut_bottom else (body.bottom - y) / unit,
        person=person,
        lower=0.0 if person or reach is None or not len(cuts) else max(reach - float(cuts[:, 1].max()), _LOWER),
    )


def _shown(body: Body, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """The part of the reference that the body fills, and its first pixel (x, y)."""
    x0, y0 = max(int(body.left) - 2, 0), max(int(body.top) - 2, 0)
    return (slice(y0, min(int(body.bottom) + 2, shape[0])), slice(x0, min(int(body.right) + 2, shape[1]))), (x0, y0)


def _points(mask: F32, left: float, top: float) -> F32:
    """Every third pixel of a small mask, as points."""
    ys, xs = np.nonzero(mask > 0.5)
    return np.stack([xs[::3] / _GRID + left, ys[::3] / _GRID + top], 1).astype(np.float32)


def _cuts(character: IdentityMap, body: Body, middle: tuple[float, float], unit: float, among_people: bool) -> F32:
    """Points along the borders at which the reference cuts the body off; a mascot's feet count among people."""
    alpha = character.alpha
    rows, columns = alpha.shape
    step = max(1, round(unit / 10))
    found: list[tuple[float, float]] = []
    if body.cut_bottom:
        row = int(body.bottom) - 2
        found += [(float(x), row + 1.0) for x in range(0, columns, step) if alpha[row, x] > 0.3]
    elif character.reading is None and among_people:
        row_of_feet = body.bottom - _CUT * (body.bottom - body.top)
        found += [(float(x), row_of_feet) for x in range(int(body.left), int(body.right), step)]
    for cut_from, column, strip in (
        (body.cut_left_from, 0.0, alpha[:, :2].max(1)),
        (body.cut_right_from, columns - 1.0, alpha[:, -2:].max(1)),
    ):
        if np.isfinite(cut_from):
            found += [(column, float(y)) for y in range(int(cut_from), rows, step) if strip[y] > 0.3]
    if not found:
        return np.zeros((0, 2), np.float32)
    return ((np.array(found, np.float32) - np.array(middle, np.float32)) / np.float32(unit)).astype(np.float32)


def _shoulders(alpha: F32, left: float, top: float) -> tuple[float, float]:
    """How far the body reaches to both sides at the height of the upper arms."""
    first, last = (int(np.clip((v - top) * _GRID, 0, len(alpha) - 2)) for v in (0.9, 1.7))
    columns = np.flatnonzero((alpha[first : last + 1] > 0.5).mean(0) > 0.4)
    if not len(columns):
        return 0.8, 0.8
    return -float(columns[0] / _GRID + left), float(columns[-1] / _GRID + left)
