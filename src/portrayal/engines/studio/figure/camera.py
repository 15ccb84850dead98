"""The camera of a figure: where it stands so that what the framing promises lies in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.studio.figure import rows as columns
from portrayal.engines.studio.figure.types import Body, Framing, Stance
from portrayal.imaging import F32, Array
from portrayal.sizes import Size

# Top of the hair above the centre of the head, cm.
CROWN: Final = 13.5


@dataclass(frozen=True)
class View:
    """A pinhole at (0, eye, distance) that looks along -z; figure axes, cm.

    Attributes:
        width, height: canvas in pixels.
        focal: in pixels.
        x: column of the figure's axis.
        horizon: row of the eye line.
        eye: height over the floor, cm.
        distance: from the figure's axis, cm.
        fov: vertical, degrees.
    """

    width: int
    height: int
    focal: float
    x: float
    horizon: float
    eye: float
    distance: float
    fov: float

    def project(self, points: Array) -> F32:
        """Canvas pixels (n, 2) of points (n, 3)."""
        p = np.atleast_2d(np.asarray(points, np.float64))
        z = np.maximum(self.distance - p[:, 2], 1.0)
        return np.stack(
            [self.x + self.focal * p[:, 0] / z, self.horizon - self.focal * (p[:, 1] - self.eye) / z], -1
        ).astype(np.float32)

    def scale(self, z: float = 0.0) -> float:
        """Pixels per cm at a depth."""
        return self.focal / max(self.distance - z, 1.0)


@dataclass(frozen=True)
class Frame:
    """How a framing is taken.

    Attributes:
        fov: vertical, degrees, of a square picture.
        eye: of the camera at eye level, cm.
        lowest: the picture ends at this height of a standing body of 160 cm to the head's centre; None = on the floor.
        top, bottom: rows of the crown and of the lowest point, fractions of the height.
    """

    fov: float
    eye: float
    lowest: float | None
    top: float
    bottom: float


FRAMES: Final[dict[Framing, Frame]] = {
    "medium": Frame(25.0, 136.0, 84.0, 0.075, 1.0),
    "three-quarter": Frame(27.0, 122.0, 46.0, 0.065, 1.0),
    "full": Frame(30.0, 108.0, None, 0.06, 0.945),
    "wide": Frame(36.0, 126.0, None, 0.31, 0.88),
}
# Camera height -> (cm added to the eye, and the share of the distance that it may not exceed).
_RISES: Final = {"low angle": -62.0, "high angle": 62.0}
# A body's chains and hands stay this far from the sides of the picture.
_SIDE: Final = 0.04
_LOW: Final = 60.0
_LEAST_EYE: Final = 28.0


def view_of(body: Body, stance: Stance, size: Size) -> View:
    """Fit the camera.

    Args:
        body: turned to its final yaw.
        stance: framing and camera height.
        size: (width, height) of the canvas.

    Returns:
        The view: crown and feet (or the cut of the framing) on their rows, nothing cut off at the sides in full and
        wide framings.
    """
    width, height = size
    frame = FRAMES[stance.framing]
    # A frame that is wider than high shows more of the place, not a longer lens; a narrow one keeps its view across.
    fov = frame.fov
    focal = 0.5 * height / math.tan(math.radians(fov) / 2)
    eye = max(frame.eye + _RISES.get(stance.camera, 0.0), _LEAST_EYE)
    points, radii = _outline(body)
    crown = (body.head.centre + np.array([0, CROWN, 0]))[None]
    if frame.lowest is not None:
        # A raised arm may leave the picture at the top; the head may not.
        low = float(body.head.centre[1]) - (160.0 - frame.lowest)
        points = np.array([[0.0, low, float(body.joints["chest"][2])], crown[0]])
        radii = np.zeros(2)
        whole = False
    else:
        points, radii = np.vstack([points, crown]), np.append(radii, 0.0)
        if body.air and float(points[:, 1].min()) < _LOW:
            # Who jumps is seen above the floor that he left.
            points, radii = np.vstack([points, [[0.0, 3.0, 0.0]]]), np.append(radii, 0.0)
        whole = True
    distance, horizon = _fit(points, radii, focal, eye, frame, height)
    x, distance, horizon = _across(body, stance, (width, height), focal, eye, distance, horizon, frame, whole)
    return View(width, height, focal, x, horizon, eye, distance, fov)


def _outline(body: Body) -> tuple[Array, Array]:
    """Centres and radii of what the frame must hold: body and things, no cape."""
    rows = body.rows
    chosen = rows[(rows[:, columns.GROUP] < columns.CAPE) & (rows[:, columns.CUT] == 0)]
    start = chosen[:, columns.ORIGIN : columns.ORIGIN + 3]
    end = start + chosen[:, columns.U : columns.U + 3] * chosen[:, columns.LENGTH, None]
    kind = chosen[:, columns.KIND]
    first = np.where(kind == columns.LIMB, _thick(chosen, 0), chosen[:, columns.WIDTH])
    last = np.where(kind == columns.LIMB, _thick(chosen, 5), chosen[:, columns.WIDTH + 1])
    box = kind >= columns.BOX
    start = np.where(box[:, None], chosen[:, columns.CENTRE : columns.CENTRE + 3], start)
    end = np.where(box[:, None], start, end)
    size = chosen[:, columns.RADIUS] * 0.75
    first, last = np.where(box, size, first), np.where(box, size, last)
    flat = (kind == columns.LIMB) & (np.abs(chosen[:, columns.U + 1]) > 0.8)
    first, last = np.where(flat, 0.3 * first, first), np.where(flat, 0.3 * last, last)
    points = np.vstack([start, end]).astype(np.float64)
    radii = np.concatenate([first, last]).astype(np.float64)
    return points, np.minimum(radii, np.maximum(points[:, 1], 0.0))


def _thick(rows: Array, at: int) -> Array:
    return np.minimum(rows[:, columns.WIDTH + at], rows[:, columns.DEPTH + at])


def _rows_of(points: Array, radii: Array, focal: float, eye: float, distance: float) -> tuple[float, float]:
    """Highest and lowest row, relative to the horizon."""
    z = np.maximum(distance - points[:, 2], 20.0)
    up = -focal * (points[:, 1] + radii - eye) / z
    down = -focal * (np.maximum(points[:, 1] - radii, 0.0) - eye) / z
    return float(up.min()), float(down.max())


def _fit(points: Array, radii: Array, focal: float, eye: float, frame: Frame, height: int) -> tuple[float, float]:
    """Distance and horizon row at which the points fill the frame's rows."""
    wanted = (frame.bottom - frame.top) * height
    distance = focal * float(np.ptp(points[:, 1])) / wanted
    for _ in range(12):
        top, bottom = _rows_of(points, radii, focal, eye, distance)
        distance = max(distance * (bottom - top) / wanted, 90.0)
    top, bottom = _rows_of(points, radii, focal, eye, distance)
    return distance, frame.bottom * height - bottom


def _across(
    body: Body, stance: Stance, size: Size, focal: float, eye: float, distance: float, horizon: float, frame: Frame,
    whole: bool,
) -> tuple[float, float, float]:  # fmt: skip
    """Column of the axis; a body too broad for the frame is taken from farther away."""
    width, height = size
    points, radii = _outline(body)
    if not whole:
        row = horizon - focal * (points[:, 1] - eye) / np.maximum(distance - points[:, 2], 20.0)
        seen = (row > 0) & (row < height)
        points, radii = points[seen], radii[seen]
    room = (1 - 2 * _SIDE) * width
    for _ in range(8):
        left, right = _sides(points, radii, focal, distance)
        if right - left <= room:
            break
        distance *= (right - left) / room
    top, bottom = _rows_of(points, radii, focal, eye, distance)
    if whole:
        # Farther away it stands lower than the middle, with its feet on the same row.
        horizon = (
            frame.bottom * height
            - bottom
            - (frame.bottom - 0.5) * 0.35 * max(0.0, (frame.bottom - frame.top) * height - (bottom - top))
        )
    else:
        head = -focal * (body.head.centre[1] + CROWN - eye) / (distance - body.head.centre[2])
        horizon = frame.top * height - float(head)
    left, right = _sides(points, radii, focal, distance)
    middle = width * (0.5 + stance.across)
    x = middle - 0.5 * (left + right) * (0.85 if whole else 0.35)
    x = min(max(x, _SIDE * width - left), (1 - _SIDE) * width - right)
    return float(x), float(distance), float(horizon)


def _sides(points: Array, radii: Array, focal: float, distance: float) -> tuple[float, float]:
    z = np.maximum(distance - points[:, 2], 20.0)
    return float((focal * (points[:, 0] - radii) / z).min()), float((focal * (points[:, 0] + radii) / z).max())
