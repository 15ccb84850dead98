"""The pose of a body: 33 landmarks from the hips to the fingers.

Net: MediaPipe's BlazePose, full (Bazarevsky et al. 2020). It expects a square around the whole body; the first square
is guessed from the face, the next ones follow the net's own two alignment points (middle of the hips, and a point on
the circle around the body).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.imaging import F32, F64, U8
from portrayal.perception.crops import Roi
from portrayal.perception.nets import forward, sigmoid
from portrayal.perception.types import FaceReading

_INPUT: Final = 256
_MARGIN: Final = 1.25
_SQUARES: Final = (9.0, 15.0, 5.5)  # sides of the first squares in face widths: the surest answer counts
_ROUNDS: Final = 2
_TRUNK: Final = 3.3  # from the shoulders to the hips, in face widths

# Landmarks by name; "left" and "right" are the picture's, as everywhere here (the net's are the person's).
JOINTS: Final[dict[str, int]] = {
    "nose": 0,
    "left shoulder": 12,
    "right shoulder": 11,
    "left elbow": 14,
    "right elbow": 13,
    "left wrist": 16,
    "right wrist": 15,
    "left hip": 24,
    "right hip": 23,
    "left knee": 26,
    "right knee": 25,
    "left ankle": 28,
    "right ankle": 27,
}


@dataclass(frozen=True)
class BodyReading:
    """All that is read from one body.

    Attributes:
        points: (33, 3) float32, x and y in pixels (they may lie outside of the picture: the net guesses), z in pixels
            from the middle of the hips, negative towards the camera.
        seen: (33,) float32 0..1, how likely each is visible.
        score: 0..1, how sure the net is that somebody is there.
    """

    points: F32
    seen: F32
    score: float

    def at(self, joint: str) -> tuple[float, float]:
        """Pixel of a joint of `JOINTS`."""
        x, y = self.points[JOINTS[joint], :2]
        return float(x), float(y)

    def visible(self, joint: str) -> float:
        """How likely a joint of `JOINTS` is visible, 0..1."""
        return float(self.seen[JOINTS[joint]])


def read_body(rgb: U8, face: FaceReading) -> BodyReading:
    """The body below a face.

    Args:
        rgb: (h, w, 3) uint8.
        face: of the same person.
    """
    unit = face.pose.scale * 1.1
    x, y = float(face.pose.origin[0]), float(face.pose.origin[1])
    best: tuple[F64, F64, float] | None = None
    for side in _SQUARES:
        # The face is near the upper end of a standing body, and not far from the middle of a portrait.
        answer = _look(rgb, Roi(x, y + 0.36 * side * unit, side * unit))
        for _ in range(_ROUNDS):
            answer = _look(rgb, _around(answer[0]))
        answer = (answer[0], answer[1], answer[2] * _plausible(answer[0], face, unit))
        if best is None or answer[2] > best[2]:
            best = answer
    assert best is not None
    points, seen, score = best
    return BodyReading(points[:33].astype(np.float32), seen[:33].astype(np.float32), score)


def _plausible(points: F64, face: FaceReading, unit: float) -> float:
    """0..1: a body whose nose is the face's and whose trunk is as long as such a face's is."""
    near = float(np.hypot(*(points[0, :2] - face.points[4, :2]))) / unit
    trunk = float(np.linalg.norm(points[[11, 12]].mean(0) - points[[23, 24]].mean(0))) / unit
    return float(np.exp(-(near**2) - (np.log(max(trunk, 0.1) / _TRUNK) / 0.35) ** 2))


def _look(rgb: U8, roi: Roi) -> tuple[F64, F64, float]:
    """One run: (39, 3) points in pixels of the picture, (39,) visibility, score."""
    crop = roi.crop(rgb, _INPUT)
    raw, flag = forward("pose_landmark_full", crop, ("Identity", "Identity_1"))
    rows = raw.reshape(39, 5).astype(np.float64)
    points = rows[:, :3].copy()
    matrix = roi.to_image(_INPUT)
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    points[:, 2] *= roi.size / _INPUT
    seen = sigmoid(rows[:, 3].astype(np.float32)).astype(np.float64)
    score = float(flag.reshape(-1)[0])
    return points, seen, float(np.clip(score, 0.0, 1.0))


def _around(points: F64) -> Roi:
    """The square of the next look: around the hips, upright along the body."""
    centre, rim = points[33, :2], points[34, :2]
    along = rim - centre
    angle = float(np.arctan2(along[0], -along[1]))
    return Roi(float(centre[0]), float(centre[1]), 2 * _MARGIN * float(np.hypot(*along)), angle)
