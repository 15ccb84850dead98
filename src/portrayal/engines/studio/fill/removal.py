"""Removing what is under a mask."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.fill.light import even_light, soften
from portrayal.engines.studio.fill.membrane import membrane
from portrayal.engines.studio.fill.synthesis import Prior, synthesise
from portrayal.engines.studio.types import Notes, Patch, Speed
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8, Bool

_MARGIN = 2  # pixels around a mask that are not copied: what is removed often reaches beyond it
_LIGHT = 0.06  # what still counts as a difference of light
_FITS = 0.03  # mean step at the border up to which the painting fits
_GRAIN = 0.8  # sigma of what counts as finest detail


def fill(
    image: U8, mask: U8, *, seed: int, speed: Speed, forbid: U8 | None = None, notes: Notes | None = None
) -> Patch:
    """Remove what is under the mask: paint it from its surroundings.

    Args:
        image: (h, w, 3) uint8.
        mask: (h, w) uint8, 255 = remove; values between blend.
        seed: another one, another painting.
        speed: turbo, balanced or quality.
        forbid: (h, w) uint8, over 127 = never copy from there.
        notes: gets a warning when there was nothing to copy.

    Returns:
        The changed part; equal to the picture wherever the mask is 0.

    Raises:
        MaskMismatchError: the mask has another size, or is empty, or leaves nothing of the picture.
    """
    _check(image, mask, forbid)
    y0, y1, x0, x1 = _context(mask)
    part = np.s_[y0:y1, x0:x1]
    hole = mask[part] > 0
    source = cv2.dilate(hole.astype(np.uint8), np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8)) == 0
    if forbid is not None:
        source &= forbid[part] < 128
    picture = image[part].astype(np.float32) * np.float32(1 / 255)
    known = ~hole if forbid is None else ~hole & (forbid[part] < 128)
    painted = paint(picture, hole, known, source, seed, speed, Prior(), notes)
    ys, xs = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    box = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    cover = mask[part][box]
    share = (cover.astype(np.float32) * np.float32(1 / 255))[..., None]
    blend = picture[box] + (painted[box] - picture[box]) * share
    rgb = np.where(cover[..., None] > 0, np.clip(blend * 255 + 0.5, 0, 255).astype(np.uint8), image[part][box])
    return Patch(rgb, int(x0 + xs[0]), int(y0 + ys[0]), cover.copy())


def _check(image: U8, mask: U8, forbid: U8 | None) -> None:
    for name, other in (("mask", mask), ("forbid", forbid)):
        if other is not None and other.shape != image.shape[:2]:
            raise MaskMismatchError(
                f"the mask is {other.shape[1]}x{other.shape[0]} px, its picture {image.shape[1]}x{image.shape[0]} px",
                field=name,
                remedy="Draw the mask on the picture itself, or resize it.",
            )
    if not mask.any():
        raise MaskMismatchError("the mask chooses nothing", field="mask", remedy="Paint what shall be removed.")
    if mask.all():
        raise MaskMismatchError(
            "the mask covers the whole picture", field="mask", remedy="Leave some of its surroundings unpainted."
        )


def _context(mask: U8) -> tuple[int, int, int, int]:
    """Rows and columns of the mask and of as much around it as is worth looking at."""
    h, w = mask.shape
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    tall, wide = int(ys[-1] - ys[0] + 1), int(xs[-1] - xs[0] + 1)
    pad = int(np.clip(0.9 * max(tall, wide), 56, 420))
    return max(0, int(ys[0]) - pad), min(h, int(ys[-1]) + pad), max(0, int(xs[0]) - pad), min(w, int(xs[-1]) + pad)


def paint(
    picture: F32, hole: Bool, known: Bool, source: Bool, seed: int, speed: Speed, prior: Prior, notes: Notes | None
) -> F32:
    """The picture (h, w, 3) float32 0..1 with its hole painted, seam closed, with grain.

    Args:
        hole: what to paint.
        known: what the painting has to fit to; all that is no hole when it is empty.
        source: what may be copied.
    """
    known = known & ~hole if (known & ~hole).any() else ~hole
    source = source & known
    base, rest = _without_detail(picture, source), _without_detail(picture, ~hole)
    base = np.ascontiguousarray(np.where(source[..., None], base, rest))
    light = even_light(base, known)
    flat = base if light is None else np.ascontiguousarray(base - light + light[known].mean(0))
    done = synthesise(flat, hole, known, source, seed, speed, prior)
    if done.match is None and notes is not None:
        notes.warnings.append("there was too little around the mask to copy from: it was filled smoothly")
    smooth, misfit = _without_step(flat, done.picture, hole, known, prior.melt)
    if light is not None:
        smooth = np.asarray(smooth + (light - light[known].mean(0)), np.float32)
    reach = None
    if prior.defocus and misfit > _FITS:
        share = min(1.0, (misfit - _FITS) / _FITS)
        depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) / max(hole.shape)
        reach = np.asarray(share * prior.defocus * max(hole.shape) * np.clip((depth - 0.02) / 0.15, 0, 1), np.float32)
        if notes is not None:
            notes.warnings.append("the added part goes softer away from the picture: nothing there fits well")
    smooth, softened = soften(smooth, hole, source, done.match, reach)
    if done.match is not None:
        fine = np.where(source[..., None], picture - base, 0).astype(np.float32)
        detail = fine[done.match[..., 0], done.match[..., 1]]
        # Grain stays where edges were blurred, but not the edges' own detail.
        grain = 3.7 * float(np.median(np.abs(fine[source]))) + 0.002
        detail += (np.clip(detail, -grain, grain) - detail) * softened[..., None]
        smooth = smooth + detail
    return np.where(hole[..., None], smooth, picture).astype(np.float32)


def _without_detail(picture: F32, where: Bool) -> F32:
    """The picture without its finest detail, blurred within `where` only."""
    weight = where.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), _GRAIN)
    soft = cv2.GaussianBlur(picture * weight[..., None], (0, 0), _GRAIN)
    return np.where(where[..., None], soft / np.maximum(share, 1e-3)[..., None], picture).astype(np.float32)


def _without_step(base: F32, painted: F32, hole: Bool, known: Bool, far: float) -> tuple[F32, float]:
    """The painted hole, its light lifted by a sheet so that no step is left at its border; and how large it was.

    The sheet goes through the differences across the border (Farbman et al., "Coordinates for instant image cloning",
    2009, with Laplace's equation in place of mean values).
    """
    sides = []
    for picture, where in ((base, known), (painted, hole)):
        weight = where.astype(np.float32)
        share = cv2.GaussianBlur(weight, (0, 0), 2.0)
        soft = cv2.GaussianBlur(picture * weight[..., None], (0, 0), 2.0)
        sides.append((soft / np.maximum(share, 1e-3)[..., None], share > 0.2))
    step = sides[0][0] - sides[1][0]
    ring = hole & (cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0) & sides[0][1]
    if not ring.any():
        return painted, 0.0
    misfit = float(np.abs(step[ring]).mean())
    sheet = membrane(np.where(ring[..., None], step, 0).astype(np.float32), ring)
    # A difference of light reaches far in; where things do not fit together, only the border is made soft.
    light = np.clip(sheet, -_LIGHT, _LIGHT)
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    sheet = light + (sheet - light) * np.exp(-((depth / (far * max(hole.shape))) ** 2))[..., None]
    return np.where(hole[..., None], painted + sheet, painted).astype(np.float32), misfit
