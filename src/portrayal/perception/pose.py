"""Head pose from landmarks: a similarity fit of the canonical face (Umeyama 1991)."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.imaging import F32, F64
from portrayal.perception import mesh
from portrayal.perception.crops import similarity
from portrayal.perception.types import HeadPose

# Degrees added so that a level gaze into the lens reads about 0.
PITCH_ZERO: Final = 5.0
# The landmark net pulls turned faces towards the front; gains measured on renders of turned textured heads, good to
# about 3 degrees up to 45.
YAW_GAIN: Final = 1.32
PITCH_GAIN: Final = 1.24


def head_pose(points: F32) -> HeadPose:
    """Angles, scale and place of a head.

    Args:
        points: (468 or more, 3) landmarks in pixels.
    """
    rigid = list(mesh.RIGID)
    scale, matrix, origin = similarity(mesh.canonical_face()[rigid], points[rigid])
    front = -matrix[:, 2]
    yaw = float(np.degrees(np.arctan2(front[0], -front[2])))
    pitch = float(np.degrees(np.arcsin(np.clip(-front[1], -1, 1)))) + PITCH_ZERO
    level = _level(front)
    x = matrix[:, 0]
    roll = float(np.degrees(np.arctan2(x @ np.cross(-front, level), x @ level)))
    return HeadPose(
        yaw=float(np.clip(YAW_GAIN * yaw, -90, 90)),
        pitch=float(np.clip(PITCH_GAIN * pitch, -90, 90)),
        roll=roll,
        raw_yaw=yaw,
        raw_pitch=pitch,
        rotation=matrix.astype(np.float32),
        scale=scale,
        origin=origin.astype(np.float32),
    )


def _level(front: F64) -> F64:
    """The level x axis of a gaze direction."""
    x = np.cross([0.0, 1.0, 0.0], -front)
    unit: F64 = x / max(float(np.linalg.norm(x)), 1e-9)
    return unit


def rotation(yaw: float, pitch: float, roll: float) -> F64:
    """(3, 3) matrix from the canonical frame to the picture: the exact inverse of `head_pose`'s raw angles.

    Args:
        yaw, pitch, roll: degrees; yaw > 0 nose to the picture's right, pitch > 0 nose up, roll > 0 clockwise.
    """
    a, b, c = np.radians([yaw, pitch - PITCH_ZERO, roll])
    front = np.array([np.sin(a) * np.cos(b), -np.sin(b), -np.cos(a) * np.cos(b)])
    x = _level(front)
    y = np.cross(-front, x)
    turned = np.cos(c) * x + np.sin(c) * y
    return np.stack([turned, np.cross(-front, turned), -front], 1)


def head_frame(points: F32, pose: HeadPose) -> F32:
    """Landmarks (n, 3) in the canonical frame, pose and size removed; unit = cheek-to-cheek width."""
    return np.asarray((points - pose.origin) @ pose.rotation / pose.scale, np.float32)
