"""Pose-free measures of a facial expression, from landmarks alone."""

from __future__ import annotations

import numpy as np

from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.pose import head_frame
from portrayal.perception.types import Expression, HeadPose

# Below this lid gap (of the eye's width) an eye is shut.
SHUT = 0.12

_BROW_LEFT = [70, 63, 105, 66, 107]
_BROW_RIGHT = [300, 293, 334, 296, 336]


def read_expression(points: F32, pose: HeadPose) -> Expression:
    """Measures of `Expression`.

    Args:
        points: (478, 3) landmarks in pixels, eyes refined.
        pose: their head pose.
    """
    q = head_frame(points[:468], pose)

    def gap(a: int, b: int) -> float:
        return float(np.linalg.norm(q[a, :2] - q[b, :2]))

    width = gap(61, 291)
    middle = (q[0, 1] + q[17, 1]) / 2
    lift = float(middle - (q[61, 1] + q[291, 1]) / 2)
    smile = 0.5 * np.clip((width - 0.345) / 0.14, -0.5, 1.2) + 0.5 * np.clip((lift + 0.003) / 0.055, -0.5, 1.2)
    return Expression(
        mouth_open=gap(13, 14) / max(width, 1e-6),
        mouth_width=width,
        corner_lift=lift,
        smile=float(smile),
        eye_left=_openness(points, mesh.EYE_LEFT),
        eye_right=_openness(points, mesh.EYE_RIGHT),
        brow_left=float(q[[33, 133], 1].mean() - q[_BROW_LEFT, 1].mean()),
        brow_right=float(q[[263, 362], 1].mean() - q[_BROW_RIGHT, 1].mean()),
    )


def _openness(points: F32, contour: tuple[int, ...]) -> float:
    """Gap between the lids over the middle of the eye, as a share of its width."""
    lid = points[list(contour[:16]), :2]
    lower, upper = lid[1:8], lid[9:16]  # both from the outer corner inwards
    gap = np.linalg.norm(lower - upper, axis=1)[2:5].mean()
    return float(gap / max(float(np.linalg.norm(lid[0] - lid[8])), 1e-6))
