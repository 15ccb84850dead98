"""What is in a picture, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from portrayal.imaging import F32

# Labels of a region map.
BACKGROUND: Final = 0
FACE: Final = 1
HAIR: Final = 2
SKIN: Final = 3  # neck, ears, hands, shoulders
CLOTHING: Final = 4
REGION_NAMES: Final = ("background", "face", "hair", "skin", "clothing")


@dataclass(frozen=True)
class Face:
    """A detected face: box (x0, y0, x1, y1) in pixels, score 0..1, six key points (6, 2)."""

    box: tuple[float, float, float, float]
    score: float
    keypoints: F32

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return self.box[2] - self.box[0]


@dataclass(frozen=True)
class HeadPose:
    """Head angles in degrees and the frame that they come from.

    yaw > 0: nose to the picture's right; pitch > 0: nose up; roll > 0: clockwise in the picture. `yaw` and `pitch`
    are corrected for the landmark net's pull towards the front; `raw_yaw` and `raw_pitch` are as read.
    `rotation` (3, 3) maps the canonical frame to the picture, `scale` is the cheek-to-cheek width in pixels (3-D),
    `origin` (3,) the middle between the eyes.
    """

    yaw: float
    pitch: float
    roll: float
    raw_yaw: float
    raw_pitch: float
    rotation: F32
    scale: float
    origin: F32


@dataclass(frozen=True)
class Expression:
    """Pose-free measures of a face.

    mouth_open: inner lip gap / mouth width; mouth_width: of the face width; corner_lift: > 0 when the corners are above
    the lips' middle (face widths); smile: about 0 neutral .. 1 open smile; eye_*: lid gap / eye width (under .12 shut);
    brow_*: brow height over the eye (face widths). "left" and "right" are the picture's.
    """

    mouth_open: float
    mouth_width: float
    corner_lift: float
    smile: float
    eye_left: float
    eye_right: float
    brow_left: float
    brow_right: float


@dataclass(frozen=True)
class FaceReading:
    """All that is read from one face: points (478, 3) with irises last (468..472 picture-left, 473..477 right)."""

    face: Face
    points: F32
    pose: HeadPose
    expression: Expression
