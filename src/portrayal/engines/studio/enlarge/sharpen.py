"""Edges of an enlarged picture: thin, without ringing, and true to the small picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.enlarge.frame import Frame
from portrayal.imaging import F32


@dataclass(frozen=True)
class Limits:
    """Darkest and lightest value that a place of the canvas may take, (H, W) float32 each."""

    low: F32
    high: F32


def limits(luma: F32, frame: Frame, slack: float | F32) -> Limits:
    """Limits from the reference pixels around each place; overshoot by the share `slack` of their range is allowed.

    `slack` is a number or an (H, W) array.
    """
    kernel = np.ones((3, 3), np.uint8)
    low = frame.warp(cv2.erode(luma, kernel), cv2.INTER_LINEAR)
    high = frame.warp(cv2.dilate(luma, kernel), cv2.INTER_LINEAR)
    room = (high - low) * slack + 0.004
    return Limits(np.maximum(low - room, 0), np.minimum(high + room, 1))


def hold(luma: F32, allowed: Limits) -> F32:
    """Luma kept within its limits."""
    return np.asarray(np.minimum(np.maximum(luma, allowed.low), allowed.high), np.float32)


def settle(large: F32, small: F32, frame: Frame) -> F32:
    """One step of back-projection (Irani and Peleg 1991): what the reference's camera would see wrong is added back."""
    height, width = small.shape
    return np.asarray(large + frame.warp(small - frame.shrink(large, width, height)), np.float32)


def thin(luma: F32, scale: float, amount: float) -> F32:
    """Edges made narrower by moving pixels towards them (warp sharpening, Arad and Gotsman 1999).

    No value is made that was not there, so nothing rings.

    Args:
        luma: (H, W) float32.
        scale: how much the picture was enlarged; the reach grows with it.
        amount: 0..1.
    """
    soft = cv2.GaussianBlur(luma, (0, 0), 0.35 * scale)
    gx = cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 32)
    edge = cv2.GaussianBlur(cv2.magnitude(gx, gy), (0, 0), 0.35 * scale)
    # The logarithm makes faint and strong edges move alike; the constant leaves noise alone.
    ridge = np.log(edge + 0.03 / scale)
    reach = np.float32(amount * 0.18 * scale * scale)
    dx = reach * cv2.Scharr(ridge, cv2.CV_32F, 1, 0, scale=1 / 32)
    dy = reach * cv2.Scharr(ridge, cv2.CV_32F, 0, 1, scale=1 / 32)
    cap = np.minimum(1, 0.38 * scale / np.maximum(cv2.magnitude(dx, dy), 1e-6))
    height, width = luma.shape
    x = np.arange(width, dtype=np.float32)[None] - dx * cap
    y = np.arange(height, dtype=np.float32)[:, None] - dy * cap
    return np.asarray(cv2.remap(luma, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
