"""The frame of a face: where up and right are, and how long a face is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portrayal.imaging import F32, F64
from portrayal.perception import mesh


@dataclass(frozen=True)
class FaceFrame:
    """The face's own axes in the picture.

    Attributes:
        axes: (3, 3) unit rows in the picture: along the eyes to the right, down the face, and out of it.
        origin: (3,) middle of the outer eye corners.
        unit: distance of the outer eye corners in pixels (3-D): the length in which expressions are given.
        height: height of the landmarks in pixels.
        points: (478, 3) float64 landmarks in these axes, in units.
    """

    axes: F64
    origin: F64
    unit: float
    height: float
    points: F64

    @property
    def right(self) -> F64:
        """(2,) unit vector along the eyes, to the right."""
        v: F64 = self.axes[0, :2] / np.linalg.norm(self.axes[0, :2])
        return v

    @property
    def down(self) -> F64:
        """(2,) unit vector down the face."""
        v: F64 = self.axes[1, :2] / np.linalg.norm(self.axes[1, :2])
        return v

    def to_picture(self, moves: F32 | F64) -> F32:
        """Displacements (n, 2) in units of the face -> (n, 2) pixels."""
        return (moves @ self.axes[:2, :2] * self.unit).astype(np.float32)


def face_frame(points: F32) -> FaceFrame:
    """The frame of (478, 3) landmarks in pixels."""
    p = points.astype(np.float64)
    across = p[263] - p[33]
    unit = float(np.linalg.norm(across))
    across /= unit
    down = p[mesh.CHIN] - p[168]
    down -= across * (down @ across)
    down /= np.linalg.norm(down)
    axes = np.stack([across, down, np.cross(across, down)])
    origin = (p[33] + p[263]) / 2
    return FaceFrame(axes, origin, unit, float(np.ptp(p[:468, 1])), (p - origin) @ axes.T / unit)
