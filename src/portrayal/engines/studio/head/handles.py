"""From the parameters of an expression to displacements of landmarks.

A handle is a landmark with a displacement (dx, dy) in the face's own axes, dy down, in distances of the outer eye
corners. References smile already, so targets of the mouth are relative to the face at rest, which is estimated from the
reference and how much it smiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.frame import FaceFrame
from portrayal.engines.studio.head.presets import Preset
from portrayal.imaging import F32, F64
from portrayal.perception import mesh

Moves = dict[int, tuple[float, float]]

_MIN_WIDTH, _MAX_WIDTH = 0.76, 1.24  # of the reference's own mouth; beyond, the skin around it gives it away
_LEAST_DROP, _MOST_DROP = 0.06, 0.24  # of a jaw that opens
# A full smile widens a mouth by this share and lifts its corners by this much.
_SMILE_WIDTH, _SMILE_LIFT = 0.22, 0.055


@dataclass(frozen=True)
class Mouth:
    """The reference's mouth, in the face's axes and units.

    Attributes:
        middle, half: x of the middle, half the width.
        gap: opening of the lips.
        lift: height of the corners over the lips' middle.
        side_lift: the same for each corner (left, right).
        rest_width, rest_lift: as they would be without a smile.
        smile: 0 at rest .. 1.2.
    """

    middle: float
    half: float
    gap: float
    lift: float
    side_lift: tuple[float, float]
    rest_width: float
    rest_lift: float
    smile: float


def mouth_of(frame: FaceFrame, smile: float) -> Mouth:
    """Measure the mouth of a face that smiles this much (0 at rest, 1 open smile)."""
    c = frame.points
    smile = min(max(smile, 0.0), 1.2)
    half = float(abs(c[291, 0] - c[61, 0]) / 2)
    line = (c[13, 1] + c[14, 1]) / 2
    lift = float(line - (c[61, 1] + c[291, 1]) / 2)
    return Mouth(
        middle=float((c[61, 0] + c[291, 0]) / 2),
        half=half,
        gap=float(max(0.0, c[14, 1] - c[13, 1])),
        lift=lift,
        side_lift=(float(line - c[61, 1]), float(line - c[291, 1])),
        rest_width=2 * half / (1 + _SMILE_WIDTH * smile),
        rest_lift=lift - _SMILE_LIFT * smile,
        smile=smile,
    )


@dataclass(frozen=True)
class _Plan:
    """What the mouth shall do: changes of half the width, of the corners (left, right), of jaw and lips."""

    widen: float
    lift: tuple[float, float]
    jaw: float
    upper: float
    lower: float


def displacements(frame: FaceFrame, smile: float, preset: Preset, strength: float) -> F32:
    """(504, 2) displacements of the mesh's vertices (and of its fixed skirt) in the face's axes and units."""
    moves: Moves = dict.fromkeys((*tp.NOSE, *mesh.OVAL), (0.0, 0.0))
    mouth = mouth_of(frame, smile)
    plan = _plan(frame, mouth, preset)
    _lips(moves, frame, mouth, plan, preset)
    _lower_face(moves, frame, mouth, plan, preset)
    _cheeks(moves, plan)
    _brows(moves, preset)
    _lids(moves, frame, preset)
    order = tuple(sorted(moves))
    values = np.array([moves[i] for i in order], np.float32) * np.float32(strength)
    out: F32 = tp.spreader(order) @ values
    return out


def _plan(frame: FaceFrame, mouth: Mouth, p: Preset) -> _Plan:
    width, keep = 2 * mouth.half, p.at_least > 0
    widen, lift, upper, lower, jaw = 0.0, (0.0, 0.0), p.upper * mouth.smile, p.lower, 0.0
    if p.jaw > 0:
        jaw = min(max(p.jaw - mouth.gap, _LEAST_DROP), _MOST_DROP)
    if p.width is not None:
        target = min(max(p.width * mouth.rest_width, _MIN_WIDTH * width), _MAX_WIDTH * width)
        widen = ((max(target, width) if keep else target) - width) / 2
    if p.lift is not None:
        target = p.lift + mouth.rest_lift
        target = max(target, mouth.lift) if keep else target
        # Mostly each corner's own height, so that a crooked smile does not stay in a calm face.
        both = [target - (0.75 * own + 0.25 * mouth.lift) for own in mouth.side_lift]
        lift = (both[0] + p.lift_left, both[1] + p.lift_right)
    if p.gap is not None:
        missing = max(0.0, p.gap - mouth.gap)
        upper, lower, jaw = upper + 0.30 * missing, lower + 0.25 * missing, jaw + 0.45 * missing
    return _Plan(widen, lift, jaw, upper, lower)


def _row_at(frame: FaceFrame, row: list[int], u: float) -> float:
    """Height of a row of the lips at a place across it, -1..1."""
    x = frame.points[row, 0]
    x = (2 * x - x[0] - x[-1]) / max(abs(x[-1] - x[0]), 1e-6)
    order = np.argsort(x)
    return float(np.interp(u, x[order], frame.points[row, 1][order]))


def _lips(moves: Moves, frame: FaceFrame, mouth: Mouth, plan: _Plan, p: Preset) -> None:
    """All four rings of both lips, outermost (share 1) to innermost (share 0)."""
    for ring, outward in zip(tp.LIP_RINGS, (1.0, 0.55, 0.25, 0.0), strict=True):
        inner = tp.LIP_RINGS[-1]
        for is_upper, row, inner_row in (
            (True, tp.upper_row(ring), tp.upper_row(inner)),
            (False, tp.lower_row(ring), tp.lower_row(inner)),
        ):
            x = frame.points[row, 0]
            across = np.clip((2 * x - x[0] - x[-1]) / max(abs(x[-1] - x[0]), 1e-6), -1, 1)
            for vertex, partner, u in zip(row, inner_row, across.tolist(), strict=True):
                if is_upper or vertex not in moves:
                    moves[vertex] = _lip(frame, mouth, plan, p, vertex, partner, u, is_upper, outward)


def _lip(
    frame: FaceFrame,
    mouth: Mouth,
    plan: _Plan,
    p: Preset,
    vertex: int,
    partner: int,
    u: float,
    is_upper: bool,
    outward: float,
) -> tuple[float, float]:
    """One vertex of a lip.

    Args:
        partner: the vertex of the innermost ring beside it.
        u: its place across its own ring, -1..1, so that all rings meet in the corners.
        outward: 1 on the outermost ring, 0 on the innermost.
    """
    c = frame.points
    corner, middle = abs(u) ** 1.6, 1 - abs(u) ** 2.5
    dx = (
        p.side * (1 - 0.25 * u * u)
        + plan.widen * u * abs(u) ** 0.5
        - 0.16 * p.pucker * mouth.half * u * (1 - 0.2 * abs(u))
    )
    dy = -plan.lift[int(u > 0)] * corner + 0.22 * plan.jaw * corner
    upper_at = _row_at(frame, tp.INNER_UPPER, u)
    gap = max(_row_at(frame, tp.INNER_LOWER, u) - upper_at, 0.0)
    if is_upper:
        dy -= plan.upper * middle * (1 - 0.25 * outward) + 0.03 * plan.jaw * middle
        dy += p.close * 0.36 * gap * (1 - 0.38 * outward)
        dy += p.pucker * (0.004 - 0.030 * outward) * middle
    else:
        dy += plan.jaw * (1 - abs(u) ** 2.2) * (1 - 0.05 * outward) + plan.lower * middle * (1 - 0.25 * outward)
        dy -= p.close * 0.64 * gap * (1 - 0.32 * outward)
        dy += p.pucker * 0.034 * outward * middle
    if p.round > 0:
        dy += p.round * (_rounded(frame, plan, u, is_upper, upper_at, upper_at + gap) - dy)
    # Volume: a wide lip is thin, a narrow one is full.
    volume = 0.42 * float(np.clip(plan.widen / 0.06, -1, 1)) * (0.6 if plan.widen < 0 else 1.0)
    dy += volume * outward * (c[partner, 1] - c[vertex, 1]) * (1 if outward == 1 else 0.6)
    return dx, dy


def _rounded(frame: FaceFrame, plan: _Plan, u: float, is_upper: bool, upper_at: float, lower_at: float) -> float:
    """Movement that makes the opening an ellipse: corners sink to its middle, both lips arch."""
    c = frame.points
    top = float(c[13, 1]) - 0.10 * plan.jaw - plan.upper
    bottom = float(c[14, 1]) + plan.jaw + plan.lower
    corner = top + 0.46 * (bottom - top)
    bow = max(1 - u * u, 0.0) ** 0.6
    if is_upper:
        return float(corner - (corner - top) * bow - upper_at)
    return float(corner + (bottom - corner) * bow - lower_at)


def _lower_face(moves: Moves, frame: FaceFrame, mouth: Mouth, plan: _Plan, p: Preset) -> None:
    c = frame.points
    drop = 0.90 * plan.jaw - 0.42 * p.close * mouth.gap - 0.02 * p.pucker
    for i in tp.CHIN:
        bell = _bell(c, i, mouth.middle, 0.42)
        moves[i] = (0.25 * p.side * bell, drop * bell)
    for i in tp.JAW:
        side = float(np.sign(c[i, 0] - mouth.middle))
        moves[i] = (-0.05 * plan.jaw * side, 0.80 * drop * _bell(c, i, mouth.middle, 0.55))


def _bell(c: F64, vertex: int, middle: float, width: float) -> float:
    return float(np.exp(-(((c[vertex, 0] - middle) / width) ** 2)))


# Share of the corner's movement (across, up) and of the jaw's that each point of `topology.CHEEKS` takes.
_CHEEK_SHARES = (
    (0.30, 0.55, 0.0),
    (0.55, 0.75, 0.12),
    (0.12, 0.32, 0.0),
    (0.10, 0.25, 0.0),
    (0.55, 0.55, 0.35),
    (0.50, 0.45, 0.35),
)


def _cheeks(moves: Moves, plan: _Plan) -> None:
    """Cheeks and folds follow the corners of the mouth."""
    for side, sign in ((0, -1.0), (1, 1.0)):
        lift = plan.lift[side]
        for vertex, (across, up, jaw) in zip(tp.CHEEKS[side], _CHEEK_SHARES, strict=True):
            moves[vertex] = (sign * across * 0.8 * plan.widen, -up * (lift + 0.15 * plan.widen) + jaw * plan.jaw)
        wing, beside = tp.FOLDS[side][:2]
        moves[beside] = (sign * 0.35 * plan.widen, -0.45 * lift)
        moves[wing] = (sign * 0.18 * plan.widen, -0.22 * lift)


def _brows(moves: Moves, p: Preset) -> None:
    middle = (p.brow_in + p.brow_out) / 2 if p.brow_mid is None else p.brow_mid
    for side, sign, own in ((0, -1.0, p.brow_left), (1, 1.0, p.brow_right)):
        for row in tp.BROWS[side]:
            for vertex, t in zip(row, (0.0, 0.25, 0.5, 0.75, 1.0), strict=True):
                up = float(np.interp(t, [0, 0.5, 1], [p.brow_out, middle, p.brow_in])) + p.brow + own
                moves[vertex] = (-sign * p.brow_knit * t * t, -up)


def _lids(moves: Moves, frame: FaceFrame, p: Preset) -> None:
    for side, own in ((0, p.blink_left), (1, p.blink_right)):
        shut = min(1.0, p.blink + own)
        (upper, lower), (crease, below) = tp.LIDS[side], tp.CREASES[side]
        for n in range(9):
            gap = max(float(frame.points[lower[n], 1] - frame.points[upper[n], 1]), 0.0)
            # The lid follows a lowered gaze, as it does in life.
            lid = gap * (0.90 * shut - 0.15 * p.wide - 0.10 * p.gaze_y * (1 - shut))
            rise = gap * (-0.10 * shut - 0.30 * p.squint * (1 - shut))
            end = n in (0, 8)
            for vertex, dy in (
                (upper[n], lid),
                (lower[n], rise),
                (crease[n], 0.42 * lid),
                (below[n], 0.55 * rise),
            ):
                moves[vertex] = (0.0, 0.0 if end else dy)
