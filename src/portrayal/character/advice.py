"""What would make a better reference, in words."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.perception.expression import SHUT
from portrayal.perception.identity import chip
from portrayal.perception.types import HAIR, FaceReading

SMALL_FACE: Final = 80.0  # pixels, cheek to cheek
TURNED: Final = 25.0  # degrees
_TILTED: Final = 22.0
_SIDE_LIGHT: Final = 2.2  # ratio of the two cheeks in linear light
_DARK: Final = 0.05  # linear light of the cheeks
_BLURRED: Final = 0.075
_RIVAL: Final = 0.5  # size of a second face that makes the choice worth telling

NO_FACE: Final = "no human face found: treated as a mascot or drawing and compared by its look"
WHOLE: Final = "nothing stands out from the background: the whole picture is taken; a mask or a plain background helps"

_CHEEK_LEFT: Final = (117, 118, 101, 36, 205, 187, 123)
_CHEEK_RIGHT: Final = (346, 347, 330, 266, 425, 411, 352)


def advise(rgb: U8, readings: list[FaceReading], regions: U8, alpha: F32) -> tuple[str, ...]:
    """Advice on the reference of a person; empty when it is a good one.

    Args:
        rgb: (h, w, 3) uint8.
        readings: all faces, the chosen one first.
        regions: (h, w) uint8 labels.
        alpha: (h, w) float32 matte.
    """
    reading = readings[0]
    pose, expression = reading.pose, reading.expression
    out: list[str] = []
    rivals = [r for r in readings[1:] if r.pose.scale > _RIVAL * pose.scale]
    if rivals:
        names = {1: "two", 2: "three", 3: "four"}
        largest = all(r.pose.scale <= pose.scale for r in rivals)
        taken = "the largest" if largest else "the one in the mask"
        out.append(f"{names.get(len(rivals), str(len(rivals) + 1))} faces: took {taken}")
    if pose.scale < SMALL_FACE:
        out.append(f"the face is {pose.scale:.0f} px wide: a larger photo shows more of it (200 px or more)")
    elif sharpness(rgb, reading) < _BLURRED:
        out.append("the face is blurred: a sharper photo is better")
    if abs(pose.yaw) > TURNED:
        out.append(f"the head is turned by {abs(pose.yaw):.0f} degrees: a photo from the front can be turned both ways")
    if abs(pose.pitch) > _TILTED:
        way = "up" if pose.pitch > 0 else "down"
        out.append(f"the head looks {way}: a photo at eye level is better")
    if max(expression.eye_left, expression.eye_right) < SHUT:
        out.append("the eyes are closed: open eyes are needed to know the gaze")
    left, right = cheek_light(rgb, reading)
    if max(left, right) < _DARK:
        out.append("the face is dark: more light shows more of it")
    elif max(left, right) > _SIDE_LIGHT * max(min(left, right), 1e-3) and abs(pose.yaw) <= TURNED:
        out.append("strong side light: even light can be relit better")
    if (((regions[:2] == HAIR) & (alpha[:2] > 0.5)).any(0)).sum() > 0.15 * pose.scale:
        out.append("the hair is cut off at the top: leave some room above the head")
    return tuple(out)


def cheek_light(rgb: U8, reading: FaceReading) -> tuple[float, float]:
    """Median linear luminance 0..1 of the picture-left and picture-right cheek."""
    return _light(rgb, reading.points[list(_CHEEK_LEFT), :2]), _light(rgb, reading.points[list(_CHEEK_RIGHT), :2])


def _light(rgb: U8, outline: F32) -> float:
    x0, y0 = np.maximum(outline.min(0), 0).astype(int)
    x1, y1 = outline.max(0).astype(int) + 2
    part = rgb[y0:y1, x0:x1]
    if not part.size:
        return 0.5
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline - [x0, y0]).astype(np.int32)], (1,))
    pixels = part[mask > 0] if mask.any() else part.reshape(-1, 3)
    linear = np.power(pixels.astype(np.float32) / 255, 2.2)
    return float(np.median(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)))


def sharpness(rgb: U8, reading: FaceReading) -> float:
    """Detail of the face relative to its coarse contrast: about 0.2 sharp, under 0.075 blurred."""
    grey = np.asarray(cv2.cvtColor(chip(rgb, reading.points), cv2.COLOR_RGB2GRAY), np.float32)[30:125, 30:120]
    fine = grey - np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.2), np.float32)
    coarse = grey - np.asarray(cv2.GaussianBlur(grey, (0, 0), 10), np.float32)
    return float(np.abs(fine).mean() / (np.abs(coarse).mean() + 1))
