"""The people of a photograph, found on a reduced look at it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from portrayal.imaging import U8
from portrayal.perception.faces import read_faces
from portrayal.perception.types import FaceReading

_LONGEST = 1280


def people_in(scene: U8, least: float) -> list[FaceReading]:
    """Faces of a scene in its pixels, largest first.

    A look at the whole, then at overlapping thirds: a scan of all sizes would take most of an insertion's time.

    Args:
        scene: (h, w, 3) uint8.
        least: width of the smallest face worth finding, in pixels.
    """
    k = min(1.0, _LONGEST / max(scene.shape[:2]))
    size = (max(8, round(scene.shape[1] * k)), max(8, round(scene.shape[0] * k)))
    small = np.asarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA), np.uint8) if k < 1 else scene
    found = read_faces(small, average=False, tiles=False)
    for x0, y0, x1, y1 in _windows(*size):
        part = np.ascontiguousarray(small[y0:y1, x0:x1])
        for face in read_faces(part, average=False, tiles=False):
            moved = _moved(face, 1.0, x0, y0)
            if not any(_same(moved, other) for other in found):
                found.append(moved)
    kept = [_moved(f, 1 / k, 0, 0) for f in found if f.pose.scale / k >= least]
    return sorted(kept, key=lambda f: -f.pose.scale)


def _windows(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Three overlapping windows over the longer side, in the upper two thirds of the picture where heads are."""
    low = max(1, round(0.75 * height))
    side = min(low, max(1, round(0.5 * width)))
    return [(round(x), 0, round(x) + side, side) for x in np.linspace(0, width - side, 3)] + [
        (round(x), low - side, round(x) + side, low) for x in np.linspace(0, width - side, 3) if low - side > 0.2 * side
    ]


def _same(a: FaceReading, b: FaceReading) -> bool:
    return float(np.linalg.norm(a.pose.origin[:2] - b.pose.origin[:2])) < 0.4 * max(a.pose.scale, b.pose.scale)


def _moved(face: FaceReading, k: float, x: float, y: float) -> FaceReading:
    """A reading of a part, in pixels of the whole."""
    shift = np.array([x, y, 0], np.float32)
    factor = np.float32(k)
    b = face.face.box
    box = replace(
        face.face,
        box=(b[0] * k + x, b[1] * k + y, b[2] * k + x, b[3] * k + y),
        keypoints=(face.face.keypoints * factor + shift[:2]).astype(np.float32),
    )
    pose = replace(face.pose, scale=face.pose.scale * k, origin=(face.pose.origin * factor + shift).astype(np.float32))
    return replace(face, face=box, points=(face.points * factor + shift).astype(np.float32), pose=pose)
