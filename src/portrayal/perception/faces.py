"""The one entry to faces: box, landmarks, pose and expression of everybody in a picture."""

from __future__ import annotations

import numpy as np

from portrayal.imaging import F32, U8
from portrayal.perception import detection, landmarks
from portrayal.perception.crops import Roi
from portrayal.perception.expression import read_expression
from portrayal.perception.pose import head_pose
from portrayal.perception.types import Face, FaceReading

# Face flag of the mesh net under which there is no face.
_SURE = 0.5
# Vertices at the detector's key points: eyes, nose, mouth, ears; left before right.
_KEYPOINTS = (159, 386, 4, 13, 234, 454)


def read_faces(rgb: U8, *, average: bool, tiles: bool | None = None, least: float | None = None) -> list[FaceReading]:
    """Read every face of a picture, largest first.

    Args:
        rgb: (h, w, 3) uint8.
        average: steadier landmarks (mean over crops and mirror images) for 15 ms more a face; right for a reference.
        tiles: True scans for all small faces too; None = only until a clear one is found.
        least: width of the smallest face in pixels; by default 2 % of the longer side, 24 or more.
    """
    out: list[FaceReading] = []
    for face in detection.detect(rgb, tiles=tiles, least=least):
        reading = _read(rgb, face, detection.roi(face), average)
        if reading is not None and not any(_same(reading, other) for other in out):
            out.append(reading)
    return sorted(out, key=lambda r: -r.pose.scale)


def read_face_near(
    rgb: U8, near: FaceReading | F32 | tuple[float, float, float, float] | None = None
) -> FaceReading | None:
    """Read one face quickly (10 ms): where it is expected, else in the whole picture, else by a full scan.

    Args:
        rgb: (h, w, 3) uint8.
        near: where the face must be in this picture: its box (x0, y0, x1, y1), landmarks (468 or more, 2 or 3), or a
            reading. None = the largest face.

    Returns:
        The reading, or None when there is no face.
    """
    if near is None:
        for tiles in (False, True):
            found = read_faces(rgb, average=False, tiles=tiles)
            if found:
                return found[0]
        return None
    if isinstance(near, FaceReading):
        near = near.points
    if isinstance(near, tuple):
        roi = detection.roi_of_box(near)
        face = Face(near, 1.0, np.zeros((6, 2), np.float32))
    else:
        roi = landmarks.roi_of(near)
        face = Face(_box(near), 1.0, near[list(_KEYPOINTS), :2].astype(np.float32))
    reading = _read(rgb, face, roi, average=False)
    if reading is not None and _distance(reading, roi) < 0.5 * roi.size:
        return reading
    found = read_faces(rgb, average=False, tiles=True)
    return min(found, key=lambda r: _distance(r, roi)) if found else None


def _read(rgb: U8, face: Face, roi: Roi, average: bool) -> FaceReading | None:
    first, flag = landmarks.look(rgb, roi)
    if flag < _SURE:
        return None
    points, flag = landmarks.refine(rgb, first, average=average)
    if flag < _SURE or not np.isfinite(points).all():
        return None
    pose = head_pose(points)
    return FaceReading(face, points, pose, read_expression(points, pose))


def _box(points: F32) -> tuple[float, float, float, float]:
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _same(a: FaceReading, b: FaceReading) -> bool:
    """Two boxes of one face lead to the same landmarks."""
    return float(np.linalg.norm(a.pose.origin[:2] - b.pose.origin[:2])) < 0.3 * max(a.pose.scale, b.pose.scale)


def _distance(reading: FaceReading, roi: Roi) -> float:
    return float(np.hypot(reading.pose.origin[0] - roi.cx, reading.pose.origin[1] - roi.cy))
