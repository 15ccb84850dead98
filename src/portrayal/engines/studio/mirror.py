"""The character as a mirror shows it: the way to turn a head that the reference shows from the other side.

A photograph that is taken from the right holds hardly any pixel of the left cheek; mirrored, it is a photograph from
the left. Clothes, parting and a mole change sides with it, so the result says so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import F32
from portrayal.perception.mesh import IRIS_LEFT, IRIS_RIGHT, mirror_map
from portrayal.perception.types import FaceReading, HeadPose


def mirrored(character: IdentityMap) -> IdentityMap:
    """The identity map of the mirrored reference; same descriptor (it is a mean over both sides)."""
    width = character.alpha.shape[1]
    return replace(
        character,
        digest=f"{character.digest}+mirrored",
        image=np.ascontiguousarray(character.image[:, ::-1]),
        alpha=np.ascontiguousarray(character.alpha[:, ::-1]),
        foreground=np.ascontiguousarray(character.foreground[:, ::-1]),
        regions=np.ascontiguousarray(character.regions[:, ::-1]),
        mask=np.ascontiguousarray(character.mask[:, ::-1]),
        reading=None if character.reading is None else _reading(character.reading, width),
    )


def _reading(reading: FaceReading, width: int) -> FaceReading:
    x0, y0, x1, y1 = reading.face.box
    e = reading.expression
    return FaceReading(
        face=replace(
            reading.face,
            box=(width - 1 - x1, y0, width - 1 - x0, y1),
            keypoints=_flipped(reading.face.keypoints[[1, 0, 2, 3, 5, 4]], width),
        ),
        points=_points(reading.points, width),
        pose=_pose(reading.pose, width),
        expression=replace(
            e, eye_left=e.eye_right, eye_right=e.eye_left, brow_left=e.brow_right, brow_right=e.brow_left
        ),
    )


def _flipped(points: F32, width: int) -> F32:
    out = points.copy()
    out[:, 0] = width - 1 - out[:, 0]
    return out


def _points(points: F32, width: int) -> F32:
    out = np.empty_like(points)
    out[:468] = points[:468][mirror_map()]
    out[IRIS_LEFT], out[IRIS_RIGHT] = points[IRIS_RIGHT], points[IRIS_LEFT]
    return _flipped(out, width)


def _pose(pose: HeadPose, width: int) -> HeadPose:
    across = np.diag([-1.0, 1.0, 1.0]).astype(np.float32)
    origin = pose.origin.copy()
    origin[0] = width - 1 - origin[0]
    return replace(
        pose,
        yaw=-pose.yaw,
        roll=-pose.roll,
        raw_yaw=-pose.raw_yaw,
        rotation=(across @ pose.rotation @ across).astype(np.float32),
        origin=origin,
    )
