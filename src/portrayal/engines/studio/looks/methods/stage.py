"""What the photographic methods share: where to look, who stands in front, what lies behind, and light that adds up.

Positions and sizes are in pixels unless a name says share. Pictures are sRGB codes (h, w, 3) 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, step
from portrayal.imaging import F32, Array

_LUMA: Final = np.array([[0.30, 0.59, 0.11]], np.float32)
_RAMP: Final = 1024
_RIM: Final = 0.22  # of a matte: less than that is not kept before another scene


@dataclass(frozen=True)
class Focus:
    """Where people look first: the middle of the faces, how tall the largest is, and half of how far all reach."""

    x: float
    y: float
    tall: float
    across: float
    down: float


def focus(context: Context) -> Focus:
    """The faces together; the upper part of what is cut out, or of the picture, where there is none."""
    h, w = context.shape
    if not context.faces and context.cut and float(context.subject.max()) > 0.5:
        left, top, right, bottom = extent(context)
        tall = min(0.42 * (bottom - top), 0.7 * (right - left))
        return Focus((left + right) / 2, top + 0.62 * tall, tall, 0.4 * tall, 0.5 * tall)
    if not context.faces:
        tall = 0.26 * min(h, w)
        return Focus(0.5 * w, 0.40 * h, tall, 0.4 * tall, 0.5 * tall)
    points = np.concatenate([p[:468, :2] for p in context.faces])
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    tall = max(context.face_heights)
    return Focus(float(x0 + x1) / 2, float(y0 + y1) / 2, tall, float(x1 - x0) / 2, float(y1 - y0) / 2)


def away(context: Context, width: float = 1.0, drop: float = 0.0) -> F32:
    """Distance (h, w) of every pixel from the nearest face in heights of the largest; `width` > 1 makes the rings wide
    ellipses, `drop` moves their middle down by so many heights. From the focus where there is no face."""
    at, (x, y) = focus(context), grid(context.shape)
    middles = [p[:468, :2].mean(0).tolist() for p in context.faces] or [(at.x, at.y)]
    out: F32 | None = None
    for cx, cy in middles:
        across = (x - np.float32(cx)) * np.float32(1 / (width * at.tall))
        down = (y - np.float32(cy + drop * at.tall)) * np.float32(1 / at.tall)
        far = cv2.sqrt(across * across + down * down)
        out = np.asarray(far if out is None else np.minimum(out, far), np.float32)
    assert out is not None
    return out


def head(context: Context) -> F32:
    """(h, w) 0..1: the heads with some room, softly: where a picture stays sharp. 0 without a face and a matte."""
    out = np.zeros(context.shape, np.float32)
    at, (x, y) = focus(context), grid(context.shape)
    places = [(*p[:468, :2].mean(0).tolist(), t) for p, t in zip(context.faces, context.face_heights, strict=True)]
    if not places and context.cut:
        places.append((at.x, at.y, at.tall))
    for cx, cy, height in places:
        reach = np.hypot((x - np.float32(cx)) / np.float32(0.80 * height), (y - np.float32(cy - 0.1 * height)) / height)
        np.maximum(out, 1 - step(0.72, 1.12, reach.astype(np.float32)), out=out)
    return out


def people(context: Context) -> F32:
    """(h, w) 0..1 where the people are; guessed from the faces where they are not cut out."""
    if context.cut:
        return context.subject
    x, y = grid(context.shape)
    out = np.zeros(context.shape, np.float32)
    for points, height in zip(context.faces, context.face_heights, strict=True):
        cx, cy = (float(v) for v in points[:468, :2].mean(0))
        top = np.hypot((x - np.float32(cx)) / np.float32(0.78), y - np.float32(cy - 0.12 * height))
        trunk = np.hypot((x - np.float32(cx)) / np.float32(1.7), np.minimum(y - np.float32(cy + 2.1 * height), 0))
        near = np.minimum(top / np.float32(height), trunk / np.float32(1.15 * height))
        np.maximum(out, 1 - step(0.85, 1.10, near.astype(np.float32)), out=out)
    if not context.faces:
        out = 1 - np.float32(0.8) * step(0.5, 2.4, away(context))
    return np.asarray(out, np.float32)


def luma(picture: Array) -> F32:
    """Luma (h, w) of sRGB codes."""
    return np.asarray(cv2.transform(picture, _LUMA), np.float32)


def screen(picture: Array, light: Array) -> F32:
    """Light that is added as by a second exposure, never clipped."""
    return np.asarray(1 - (1 - picture) * (1 - np.clip(light, 0, 1)), np.float32)


def ramp(position: Array, colours: Sequence[str], curve: Sequence[float] | None = None) -> F32:
    """Colours (h, w, 3) along a position (h, w): the first RRGGBB at 0, the last at 1; `curve` says where each lies."""
    paints = np.stack([colour(c) for c in colours])
    stops = np.linspace(0, 1, len(colours)) if curve is None else np.asarray(curve)
    where = np.linspace(0, 1, _RAMP)
    table = np.stack([np.interp(where, stops, paints[:, k]) for k in range(3)], 1).astype(np.float32)
    return table[np.clip(position * np.float32(_RAMP - 1), 0, _RAMP - 1).astype(np.int16)]


def plate(picture: F32, mask: F32) -> F32:
    """The scene without the people: colours flow in from around them (pull-push, Gortler et al. 1996).

    Args:
        picture: (h, w, 3).
        mask: (h, w) 0..1, where people are.

    Returns:
        (h, w, 3); where nobody is, the picture itself.
    """
    h, w = mask.shape
    half = (max(8, w // 2), max(8, h // 2))
    small = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    covered = cv2.dilate(cv2.resize(mask, half, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    weight = (1 - step(0.02, 0.30, covered)) + np.float32(1e-6)
    levels: list[tuple[Array, Array]] = [(small * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 3:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    filled: Array = levels[-1][0] / levels[-1][1][..., None]
    for tinted, known in reversed(levels[:-1]):
        filled = cv2.resize(filled, (known.shape[1], known.shape[0]), interpolation=cv2.INTER_LINEAR)
        share = np.clip(known, 0, 1)[..., None]
        filled = filled * (1 - share) + tinted / np.maximum(known, 1e-4)[..., None] * share
    wide = cv2.resize(filled, (w, h), interpolation=cv2.INTER_LINEAR)
    return mix(picture, wide, step(0.0, 0.12, cv2.dilate(mask, np.ones((3, 3), np.uint8))))


def put_behind(canvas: Canvas, scene: F32, old: F32 | None = None) -> F32:
    """The picture with another scene behind the people. Fringes of hair lose the old scene's colour.

    Args:
        canvas: with the picture.
        scene: (h, w, 3) sRGB codes.
        old: the scene that was there, `plate` of the picture, when it is known already.
    """
    mask = people(canvas.context)
    old = plate(canvas.picture, mask) if old is None else old
    # What is left of the old scene where nobody is must not stay: at most as much as the matte lets through; and the
    # outermost rim of a matte is more scene than person.
    own = np.minimum(np.maximum(canvas.picture - (1 - mask)[..., None] * old, 0), mask[..., None])
    kept = np.clip((mask - np.float32(_RIM)) * np.float32(1 / (1 - _RIM)), 0, 1)
    own *= (kept / np.maximum(mask, np.float32(0.05)))[..., None]
    return np.asarray(np.clip(own + (1 - kept)[..., None] * scene, 0, 1), np.float32)


def standing(context: Context) -> bool:
    """Whether the people's feet are in the picture."""
    h = context.shape[0]
    return context.cut and float(context.subject[int(0.985 * h) :].max(initial=0.0)) < 0.5


def extent(context: Context) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the people."""
    mask = people(context)[::2, ::2] > 0.5
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0.0, 0.0, float(context.shape[1]), float(context.shape[0])
    return 2.0 * columns[0], 2.0 * rows[0], 2.0 * columns[-1] + 2, 2.0 * rows[-1] + 2


def ground(context: Context) -> F32:
    """(h, w) 0..1: the shadow at the feet of people who stand in the picture, so that nobody floats."""
    shadow = np.zeros(context.shape, np.float32)
    if not standing(context):
        return shadow
    rows = np.flatnonzero(context.subject.max(1) > 0.5)
    if not len(rows):
        return shadow
    top, bottom = int(rows[0]), int(rows[-1])
    tall = bottom - top
    feet = np.flatnonzero(context.subject[max(0, bottom - tall // 10) : bottom + 1].max(0) > 0.5)
    middle = (int(feet.mean()), bottom - tall // 60)
    cv2.ellipse(shadow, middle, (int(0.6 * np.ptp(feet)) + tall // 14, max(2, tall // 45)), 0, 0, 360, 1.0, -1)
    return blur(shadow, max(1.0, tall / 70))
