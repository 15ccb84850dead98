"""Roughly where the person is: two networks that make different mistakes, combined.

MediaPipe's selfie segmentation sees the whole picture (and its mirror image) and, when the face is small, the head and
shoulders again. The segmentation of its body pose net (Bazarevsky et al. 2020) knows whose body it is: it drops other
people, flags and tables.
"""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.perception.crops import Roi
from portrayal.perception.nets import forward, sigmoid
from portrayal.perception.types import FaceReading

_INPUT = 256
_SELFIE_LIMIT = 4.0  # logits; a sure answer of the selfie net outweighs the body net
_BODY_LIMIT = 3.0
_BODY_WEIGHT = 0.5


def segment_person(rgb: U8, reading: FaceReading | None, size: tuple[int, int]) -> F32:
    """Probability 0..1 of the person.

    Args:
        rgb: (h, w, 3) uint8.
        reading: the person's face; without it only the selfie net is asked.
        size: (width, height) of the answer.

    Returns:
        (height, width) float32.
    """
    logit = _selfie(rgb, size)
    if reading is not None:
        logit = _with_head(rgb, reading, logit)
        logit += _BODY_WEIGHT * _body(rgb, reading, size)
    return sigmoid(logit)


def _selfie(rgb: U8, size: tuple[int, int]) -> F32:
    small = np.asarray(cv2.resize(rgb, (_INPUT, _INPUT), interpolation=cv2.INTER_AREA), np.uint8)
    plain = _selfie_once(small)
    mirrored = _selfie_once(np.ascontiguousarray(small[:, ::-1]))[:, ::-1]
    return np.asarray(cv2.resize((plain + mirrored) / 2, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _selfie_once(small: U8) -> F32:
    p = forward("selfie_segmentation", small, ("activation_10",))[0].reshape(_INPUT, _INPUT)
    p = np.clip(p, 1e-4, 1 - 1e-4)
    logit: F32 = np.clip(np.log(p / (1 - p)), -_SELFIE_LIMIT, _SELFIE_LIMIT)
    return logit


def _with_head(rgb: U8, reading: FaceReading, logit: F32) -> F32:
    """A closer look at head and shoulders, feathered into the answer for the whole picture."""
    h, w = rgb.shape[:2]
    unit = reading.pose.scale * 1.1
    cx, cy = float(reading.pose.origin[0]), float(reading.pose.origin[1]) + 0.65 * unit
    half = 2.1 * unit
    x0, y0, x1, y1 = (int(v) for v in (max(0, cx - half), max(0, cy - half), min(w, cx + half), min(h, cy + half)))
    if (x1 - x0) * (y1 - y0) >= 0.6 * w * h or x1 - x0 < 16 or y1 - y0 < 16:
        return logit
    rows, columns = logit.shape
    fx, fy = columns / w, rows / h
    a, b, c, d = round(x0 * fx), round(y0 * fy), round(x1 * fx), round(y1 * fy)
    part = _selfie(np.ascontiguousarray(rgb[y0:y1, x0:x1]), (c - a, d - b))
    # Weight falls to 0 at the sides of the crop, but not where they are sides of the picture.
    feather = 0.25 * half * fx
    x, y = np.arange(a, c, dtype=np.float32), np.arange(b, d, dtype=np.float32)
    across = np.minimum(
        np.full_like(x, np.inf) if a == 0 else x - a, np.full_like(x, np.inf) if c == columns else c - 1 - x
    )
    down = np.minimum(np.full_like(y, np.inf) if b == 0 else y - b, np.full_like(y, np.inf) if d == rows else d - 1 - y)
    weight = np.clip(np.minimum(across[None], down[:, None]) / feather, 0, 1).astype(np.float32)
    out = logit.copy()
    out[b:d, a:c] += weight * (part - out[b:d, a:c])
    return out


def _body(rgb: U8, reading: FaceReading, size: tuple[int, int]) -> F32:
    """Logit of the body pose net in a square around head and trunk; 0 (no opinion) towards its border and beyond."""
    h, w = rgb.shape[:2]
    unit = reading.pose.scale * 1.1
    roi = Roi(float(reading.pose.origin[0]), float(reading.pose.origin[1]) + 2.4 * unit, 8 * unit)
    raw = forward("pose_landmark_full", roi.crop(rgb, _INPUT), ("Identity_2",))[0].reshape(_INPUT, _INPUT)
    logit = np.clip(raw, -_BODY_LIMIT, _BODY_LIMIT)
    ramp = np.minimum(np.arange(_INPUT), np.arange(_INPUT)[::-1]).astype(np.float32)
    logit *= np.clip(np.minimum(ramp[None], ramp[:, None]) / 32, 0, 1)
    matrix = roi.to_image(_INPUT) * np.array([[size[0] / w], [size[1] / h]])
    shift = matrix[:, 2] + matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    matrix = np.hstack([matrix[:, :2], shift[:, None]])
    return np.asarray(cv2.warpAffine(logit, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
