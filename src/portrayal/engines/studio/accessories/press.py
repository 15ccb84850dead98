"""Hair under a hat: what stands above its rim is gone, what hangs below it is pressed to the head."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.accessories import hats
from portrayal.engines.studio.accessories.frame import HeadFrame
from portrayal.engines.studio.head.fields import smoothstep
from portrayal.engines.studio.types import Subject
from portrayal.imaging import F32, U8
from portrayal.perception.types import BACKGROUND

_EASE: Final = 8.0  # cm below the rim over which hair gets its own width back
_UNDER: Final = 0.8  # cm by which hair and forehead go on under the rim
_FACE: Final = 6.6  # cm from the middle within which nothing moves


def pressed(subject: Subject, frame: HeadFrame, seat: hats.Seat, down: float = 0.0) -> Subject:
    """The subject with its hair as a hat leaves it.

    Args:
        seat: the hat's lower edge.
        down: cm below it to which its sides reach; hair gets its width back farther down.
    """
    own = subject.own if subject.own is not None else subject.alpha
    pixels, _ = frame.project(hats.lower_edge(seat))
    left, right = pixels[int(np.argmin(pixels[:, 0]))], pixels[int(np.argmax(pixels[:, 0]))]
    subject, own = _squeezed(subject, own, frame, left, right, down)
    own = own * _below(subject, frame, pixels)
    own = np.ascontiguousarray(own, np.float32)
    alpha = own
    if subject.under is not None:
        alpha = np.asarray(own + (1 - own) * subject.under.cover, np.float32)
    gone = (own < 0.1) & (alpha < 0.5)
    return replace(subject, own=own, alpha=alpha, regions=np.where(gone, BACKGROUND, subject.regions).astype(np.uint8))


def _below(subject: Subject, frame: HeadFrame, pixels: F32) -> F32:
    """1 below the rim of a hat, 0 above it, (H, W)."""
    rows, columns = subject.alpha.shape
    half = len(pixels) // 4
    front = pixels[half : 3 * half + 1]
    order = np.argsort(front[:, 0])
    x = np.arange(columns, dtype=np.float32)
    rim = np.interp(x, front[order, 0], front[order, 1]).astype(np.float32)
    y = np.arange(rows, dtype=np.float32)[:, None]
    soft = max(1.0, 0.15 * frame.scale)
    return smoothstep(-soft, soft, y - rim[None] + np.float32(_UNDER * frame.scale))


def _squeezed(subject: Subject, own: F32, frame: HeadFrame, left: F32, right: F32, down: float) -> tuple[Subject, F32]:
    """Hair beside the face drawn in to the width of the rim, less and less below it."""
    rows, columns = own.shape
    scale = frame.scale
    middle = float(frame.project(np.array([0.0, 0.0, 4.0]))[0][0])
    y = np.arange(rows, dtype=np.float32)[:, None]
    x = np.arange(columns, dtype=np.float32)[None]
    source = np.broadcast_to(x, own.shape).astype(np.float32).copy()
    moved = False
    for sign, rim in ((-1, left), (1, right)):
        target = max(abs(float(rim[0]) - middle) - 0.1 * scale, (_FACE + 0.4) * scale)
        wide = _width(own, middle, sign, float(rim[1]), scale, max(down, 1.5))
        if wide <= target + 1:
            continue
        moved = True
        face = min(_FACE * scale, target - 2)
        share = smoothstep(float(rim[1]) + (_EASE + down) * scale, float(rim[1]) + down * scale, y)
        d = sign * (x - middle)
        at = np.where(d < target, face + (d - face) * ((wide - face) / (target - face)), d + wide - target)
        at = np.where(d > face, d + (at - d) * share, d)
        side = np.broadcast_to(d > 0, own.shape)
        source[side] = (middle + sign * at)[side]
    if not moved:
        return subject, own
    lines = np.ascontiguousarray(np.broadcast_to(y, own.shape), np.float32)

    def warped(image: F32 | U8, flag: int = cv2.INTER_LINEAR) -> F32:
        return np.asarray(cv2.remap(image, source, lines, flag, borderMode=cv2.BORDER_REPLICATE), np.float32)

    new = replace(
        subject,
        rgb=np.ascontiguousarray(warped(subject.rgb), np.float32),
        regions=warped(subject.regions, cv2.INTER_NEAREST).astype(np.uint8),
        normals=np.ascontiguousarray(warped(subject.normals), np.float32),
    )
    return new, warped(own)


def _width(own: F32, middle: float, sign: int, row: float, scale: float, down: float) -> float:
    """Pixels from the middle to the outline of the matte, at a row and a little below it."""
    first, last = (int(np.clip(v, 0, len(own) - 1)) for v in (row, row + down * scale))
    line = own[first : last + 1].max(0) > 0.5
    steps = np.arange(int(5 * scale), int(18 * scale))
    x = np.round(middle + sign * steps).astype(int)
    there = np.zeros(len(x), bool)
    inside = (x >= 0) & (x < own.shape[1])
    there[inside] = line[x[inside]]
    empty = np.flatnonzero(~there)
    return float(steps[empty[0]] if len(empty) else steps[-1])
