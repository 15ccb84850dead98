"""Where a head is: axes of its own in centimetres, and how large the hair on it is.

Head axes: origin between the eyes, x to the picture's right of a head that looks into the lens, y down, z to the back
of the head. They are those of `mesh.canonical_face`, whose unit, the distance of the cheeks, is 14 cm of an adult.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.studio.types import Subject
from portrayal.imaging import F32, Array
from portrayal.perception import mesh
from portrayal.perception.pose import head_pose, rotation

_UNIT: Final = 14.0  # cm between the cheeks
_CAMERA: Final = 90.0  # cm from the camera to the eyes: 5.5 heights of a face, as in `head.view`
# Landmarks are pulled towards the front, see `pose.YAW_GAIN`; glasses must fit them, a hat the head behind them.
_YAW: Final = 1.20
_EYES: Final = (33, 133, 362, 263, 168, 6)


@dataclass(frozen=True)
class HeadFrame:
    """A head on the canvas.

    Attributes:
        origin: (3,) canvas pixels of the point between the eyes, depth as that of landmarks (away from the camera).
        turn: (3, 3) head axes -> picture axes (x right, y down, z away).
        scale: canvas pixels per cm.
        yaw: degrees, > 0 nose to the picture's right.
        marks: (468, 3) the person's own landmarks in head axes, cm.
    """

    origin: F32
    turn: F32
    scale: float
    yaw: float
    marks: F32

    def project(self, at: Array) -> tuple[F32, F32]:
        """Points (..., 3) in head axes -> canvas pixels (..., 2), and cm towards the camera as `Surface.depth`."""
        q = np.asarray(at, np.float32) @ self.turn.T
        near = np.float32(_CAMERA) / (np.float32(_CAMERA) + q[..., 2])
        pixels = q[..., :2] * (near * np.float32(self.scale))[..., None] + self.origin[:2]
        return pixels, -q[..., 2] - self.origin[2] / np.float32(self.scale)

    def mark(self, *indices: int) -> F32:
        """The mean (3,) of some landmarks in head axes."""
        return np.asarray(self.marks[list(indices)].mean(0), np.float32)


def head_frame(subject: Subject) -> HeadFrame:
    """The frame of a subject with landmarks, from where they are now."""
    assert subject.points is not None
    points = subject.points[:468].astype(np.float64)
    pose = head_pose(subject.points)
    turn = rotation(_YAW * pose.raw_yaw, pose.raw_pitch, pose.roll)
    scale = float(pose.scale) / _UNIT
    eyes = list(_EYES)
    origin = (points[eyes] - mesh.canonical_face()[eyes] * _UNIT * scale @ turn.T).mean(0)
    away = (points - origin) / scale
    away[:, :2] *= ((_CAMERA + away[:, 2]) / _CAMERA)[:, None]
    return HeadFrame(
        origin=origin.astype(np.float32),
        turn=turn.astype(np.float32),
        scale=scale,
        yaw=float(_YAW * pose.raw_yaw),
        marks=(away @ turn).astype(np.float32),
    )


@dataclass(frozen=True)
class Skull:
    """The head with its hair, as far as the silhouette tells; head axes, cm.

    Attributes:
        left, right: x of the hair's outline (as of a head seen from the front) at the height of a hat's band.
        top: y of the highest hair (negative).
    """

    left: float
    right: float
    top: float


_DEEP: Final = 7.6  # z of the skull's middle
_BAND: Final = -3.0  # y at which a hat is as wide as it is


def measure(subject: Subject, frame: HeadFrame) -> Skull:
    """Measure the outline of hair above the eyes."""
    own = subject.own if subject.own is not None else subject.alpha
    rows, columns = own.shape
    widths = []
    for sign in (-1, 1):
        far = [_outline(own, frame, sign, y) for y in (_BAND - 1.2, _BAND, _BAND + 1.2)]
        widths.append(float(np.median(far)))
    start, _ = frame.project(np.array([0.0, -4.0, _DEEP]))
    end, _ = frame.project(np.array([0.0, -20.0, _DEEP]))
    steps = np.linspace(0, 1, 161)[:, None]
    line = np.round(start + (end - start) * steps).astype(int)
    inside = (line[:, 0] >= 0) & (line[:, 0] < columns) & (line[:, 1] >= 0) & (line[:, 1] < rows)
    there = np.zeros(len(line), bool)
    there[inside] = own[line[inside, 1], line[inside, 0]] > 0.5
    empty = np.flatnonzero(~there)
    top = -4.0 - 0.1 * float(empty[0] if len(empty) else 90)
    return Skull(-widths[0], widths[1], float(np.clip(top, -16.0, -10.5)))


def _outline(own: F32, frame: HeadFrame, sign: int, y: float) -> float:
    """Distance (cm) from the head's middle to the outline of the matte at one height, to one side."""
    x = np.linspace(5.0, 16.0, 111, dtype=np.float32)
    at = np.stack([sign * x, np.full_like(x, y), np.full_like(x, _DEEP)], 1)
    pixels, _ = frame.project(at)
    i = np.round(pixels).astype(int)
    inside = (i[:, 0] >= 0) & (i[:, 0] < own.shape[1]) & (i[:, 1] >= 0) & (i[:, 1] < own.shape[0])
    there = np.zeros(len(x), bool)
    there[inside] = own[i[inside, 1], i[inside, 0]] > 0.5
    empty = np.flatnonzero(~there)
    return float(x[empty[0]] if len(empty) else x[-1])
