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
_BROAD: Final = 20.0  # cm to each side of the head in which hair is looked for
_UNDER: Final = 0.8  # cm by which hair and forehead go on under the rim
_FACE: Final = 6.6  # cm from the middle within which nothing moves


def pressed(subject: Subject, frame: HeadFrame, seat: hats.Seat, down: float = 0.0) -> Subject:
    """The subject with its hair as a hat leaves it.

    Args:
        seat: the hat's lower edge.
        down: cm below it to which its sides reach; hair gets its width back farther down.
    """
    own = (subject.own if subject.own is not None else subject.alpha).copy()
    pixels, _ = frame.project(hats.lower_edge(seat))
    left, right = pixels[int(np.argmin(pixels[:, 0]))], pixels[int(np.argmax(pixels[:, 0]))]
    rows, columns = own.shape
    middle = float(frame.project(np.array([0.0, 0.0, 4.0]))[0][0])
    lowest = float(pixels[:, 1].max()) + (_EASE + down) * frame.scale
    bottom = int(np.clip(lowest + 2, 1, rows))
    sides = np.clip(middle + np.array([-_BROAD, _BROAD]) * frame.scale, 0, columns).astype(int)
    on = (slice(0, bottom), slice(int(sides[0]), max(int(sides[1]), int(sides[0]) + 1)))
    subject, own = _squeezed(subject, own, frame.scale, (middle, left, right), down, on)
    own[on] *= _below(frame.scale, pixels, on)
    alpha = own
    if subject.under is not None:
        alpha = np.asarray(own + (1 - own) * subject.under.cover, np.float32)
    regions = subject.regions.copy()
    regions[on][(own[on] < 0.1) & (alpha[on] < 0.5)] = BACKGROUND
    return replace(subject, own=own, alpha=alpha, regions=regions)


def _below(scale: float, pixels: F32, on: tuple[slice, slice]) -> F32:
    """1 below the rim of a hat (the points `pixels`, from its back round to its back), 0 above it, for a box."""
    half = len(pixels) // 4
    front = pixels[half : 3 * half + 1]
    order = np.argsort(front[:, 0])
    x = np.arange(on[1].start, on[1].stop, dtype=np.float32)
    rim = np.interp(x, front[order, 0], front[order, 1]).astype(np.float32)
    y = np.arange(on[0].start, on[0].stop, dtype=np.float32)[:, None]
    soft = max(1.0, 0.15 * scale)
    return smoothstep(-soft, soft, y - rim[None] + np.float32(_UNDER * scale))


def _squeezed(
    subject: Subject, own: F32, scale: float, rim: tuple[float, F32, F32], down: float, on: tuple[slice, slice]
) -> tuple[Subject, F32]:
    """Hair beside the face drawn in to the width of the rim, less and less below it.

    Args:
        rim: column of the head's middle; the rim's points at the left and the right.
        on: the box that is worked on.
    """
    middle = rim[0]
    y = np.arange(on[0].start, on[0].stop, dtype=np.float32)[:, None]
    x = np.arange(on[1].start, on[1].stop, dtype=np.float32)[None]
    shape = (y.shape[0], x.shape[1])
    source = np.broadcast_to(x, shape).astype(np.float32).copy()
    moved = False
    for sign, end in ((-1, rim[1]), (1, rim[2])):
        target = max(abs(float(end[0]) - middle) - 0.1 * scale, (_FACE + 0.4) * scale)
        wide = _width(own, middle, sign, float(end[1]), scale, max(down, 1.5))
        if wide <= target + 1:
            continue
        moved = True
        face = min(_FACE * scale, target - 2)
        share = smoothstep(float(end[1]) + (_EASE + down) * scale, float(end[1]) + down * scale, y)
        d = sign * (x - np.float32(middle))
        at = np.where(d < target, face + (d - face) * ((wide - face) / (target - face)), d + wide - target)
        move = np.where(d > face, at - d, 0) * share
        source += np.float32(sign) * np.where(d > 0, move, 0).astype(np.float32)
    if not moved:
        return subject, own
    lines = np.ascontiguousarray(np.broadcast_to(y, shape), np.float32)

    def warped(image: F32 | U8, flag: int = cv2.INTER_LINEAR) -> F32 | U8:
        out = image.copy()
        out[on] = cv2.remap(image, source, lines, flag, borderMode=cv2.BORDER_REPLICATE)
        return out

    new = replace(
        subject,
        rgb=np.asarray(warped(subject.rgb), np.float32),
        regions=np.asarray(warped(subject.regions, cv2.INTER_NEAREST), np.uint8),
        normals=np.asarray(warped(subject.normals), np.float32),
    )
    return new, np.asarray(warped(own), np.float32)


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
