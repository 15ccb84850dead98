"""Contours and flat colours for broad tools, found on a reduced picture: a quarter of the work, alike in every size."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.drawn import cel
from portrayal.engines.studio.looks.texture import blur, mix, step
from portrayal.imaging import F32

_COARSE: Final = 512


def reduced(context: Context) -> Context:
    """The same picture, at most 512 pixels long, and all that is known of it."""
    h, w = context.shape
    part = _COARSE / max(h, w)
    if part >= 1:
        return context
    size = round(w * part), round(h * part)
    image = cv2.resize(context.image, size, interpolation=cv2.INTER_AREA)
    matte = cv2.resize(context.subject, size, interpolation=cv2.INTER_AREA) if context.cut else None
    regions = None
    if context.regions is not None:
        regions = cv2.resize(context.regions, size, interpolation=cv2.INTER_NEAREST)
    faces = [np.asarray(points * np.float32(part), np.float32) for points in context.faces]
    return Context(
        np.asarray(image, np.uint8),
        faces,
        None if matte is None else np.asarray(matte, np.float32),
        None if regions is None else np.asarray(regions, np.uint8),
        context.seed,
        context.speed,
    )


def contours(
    context: Context, width: float, gain: float = 28.0, length: float = 5.0, small: Context | None = None
) -> F32:
    """As `Context.lines`, from a reduced picture; only the faces are searched in full size.

    Args:
        width: of a line, in pixels of a 1024 px picture; at least 1.2.
        gain, length: as there.
        small: `reduced(context)` where it is at hand.
    """
    coarse = reduced(context) if small is None else small
    if coarse is context:
        return context.lines(width, gain, length)
    h, w = context.shape
    found = cv2.resize(coarse.lines(width, gain, length), (w, h), interpolation=cv2.INTER_CUBIC)
    out = step(0.22, 0.78, found)
    for points in context.faces:
        top, bottom, left, right = context.box(points, 0.12)
        if min(bottom - top, right - left) < 24:
            continue
        part = np.s_[top:bottom, left:right]
        moved = points.copy()
        moved[:, 0] -= left
        moved[:, 1] -= top
        near = Context(np.ascontiguousarray(context.image[part]), (moved,), None, None, context.seed, context.speed)
        near.unit = context.unit
        out[part] = mix(out[part], near.lines(width, gain, length), context.face[part])
    return np.asarray(out, np.float32)


def toned(context: Context, small: Context) -> F32:
    """As `Context.toned`, from `small`; the detail zone is fine in full size. Oklab (h, w, 3)."""
    if small is context:
        return context.toned
    h, w = context.shape
    out = np.asarray(cv2.resize(small.toned, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)
    fine = context.fine.copy()
    fine[..., 0] = context.lifted(fine[..., 0])
    return mix(out, fine, context.detail)


def shades(context: Context, colours: F32, softness: float, steps: float, sharpness: float) -> F32:
    """Flat shades of `toned` colours (h, w, 3) as `drawn.shades` makes them; the detail zone keeps its own."""
    wide = blur(colours, softness * context.unit)
    wide[..., 0] = cel(wide[..., 0], steps, sharpness)
    return mix(wide, colours, context.detail)
