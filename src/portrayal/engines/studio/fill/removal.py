"""Removing what is under a mask."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.fill.grain import regrained
from portrayal.engines.studio.fill.light import banded_light, even_light, soften
from portrayal.engines.studio.fill.membrane import membrane
from portrayal.engines.studio.fill.synthesis import Prior, synthesise
from portrayal.engines.studio.types import Notes, Patch, Speed
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8, Array, Bool

_MARGIN = 2  # pixels around a mask that are not copied: what is removed often reaches beyond it
_LIGHT = 0.06  # what still counts as a difference of light
_FITS = 0.03  # mean step at the border up to which the painting fits
_FAINT = 0.045  # deviation from its light up to which a ground is even
_NEAR = 0.1  # of the longer side: how far from the hole that is looked at
_SCARCE, _SOFTER = 0.4, 0.02  # share of the hole that the sources have in all; sigma where they have nearly nothing
# Pixels to which a very large hole is reduced, if it has more than twice as many.
_REDUCED = {"turbo": 160_000, "balanced": 300_000, "quality": 1_000_000}
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

    A very large hole is painted on a reduced picture; the finest detail then comes from where the painting came from.

    Args:
        hole: what to paint.
        known: what the painting has to fit to; all that is no hole when it is empty.
        source: what may be copied.
    """
    scale = float(np.sqrt(_REDUCED[speed] / max(int(hole.sum()), 1)))
    if scale > 0.7:
        return _paint(picture, hole, known, source, seed, speed, prior, notes)[0]
    h, w = hole.shape
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    shares = [cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) for m in (hole, known, source)]
    gap = shares[0] > 0
    painted, match = _paint(small, gap, shares[1] > 0.99, shares[2] > 0.99, seed, speed, prior, notes)
    ys, xs = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    box = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    larger = cv2.resize(painted, (w, h), interpolation=cv2.INTER_CUBIC)[box]
    if match is not None:
        fine = np.where(source[..., None], picture - cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC), 0)
        rows, columns = np.mgrid[: size[1], : size[0]]
        shift = (match - np.dstack([rows, columns])) * np.array([h / size[1], w / size[0]])
        moved = cv2.resize(shift.astype(np.float32), (w, h), interpolation=cv2.INTER_NEAREST)[box]
        y, x = np.mgrid[box].astype(np.float32)
        larger = larger + cv2.remap(fine, x + moved[..., 1], y + moved[..., 0], cv2.INTER_NEAREST)
    out = picture.copy()
    out[box][hole[box]] = larger[hole[box]]
    return regrained(out, hole, source, seed)


def _paint(
    picture: F32, hole: Bool, known: Bool, source: Bool, seed: int, speed: Speed, prior: Prior, notes: Notes | None
) -> tuple[F32, Array | None]:
    """As `paint`, at the picture's own size; also the rows and columns (h, w, 2) that were copied."""
    known = known & ~hole if (known & ~hole).any() else ~hole
    source = source & known
    base, rest = _without_detail(picture, source), _without_detail(picture, ~hole)
    base = np.ascontiguousarray(np.where(source[..., None], base, rest))
    light = even_light(base, known)
    if light is None and prior.bands:
        light = banded_light(base, source, prior.bands == "columns")
    flat = base if light is None else np.ascontiguousarray(base - light + light[known].mean(0))
    done = synthesise(flat, hole, known, source, seed, speed, prior)
    if done.match is None and notes is not None:
        notes.warnings.append("there was too little around the mask to copy from: it was filled smoothly")
    smooth, misfit = _without_step(flat, done.picture, hole, known, prior.melt)
    if light is not None and prior.bands:
        smooth = _calmed(smooth, flat, hole, source, light[known].mean(0), prior.bands)
    if light is not None:
        smooth = np.asarray(smooth + (light - light[known].mean(0)), np.float32)
    reach = _blur(hole, source, misfit, prior)
    if reach is not None and notes is not None:
        notes.warnings.append("the added part goes softer away from the picture: nothing there fits well")
    smooth, softened = soften(smooth, hole, source, done.match, reach, 0.88 if prior.bands else 0.99)
    if done.match is not None:
        fine = np.where(source[..., None], picture - base, 0).astype(np.float32)
        detail = fine[done.match[..., 0], done.match[..., 1]]
        # Grain stays where edges were blurred, but not the edges' own detail.
        grain = 3.7 * float(np.median(np.abs(fine[source]))) + 0.002
        detail += (np.clip(detail, -grain, grain) - detail) * softened[..., None]
        smooth = smooth + detail
    out = np.where(hole[..., None], smooth, picture).astype(np.float32)
    return regrained(out, hole, source, seed), done.match


def _blur(hole: Bool, source: Bool, misfit: float, prior: Prior) -> F32 | None:
    """Blur (sigma in pixels) away from the border, where what is painted does not fit or comes from very little."""
    if not prior.defocus:
        return None
    scarce = float(np.clip((_SCARCE - source.sum() / hole.sum()) / (0.75 * _SCARCE), 0, 1))
    sigma = float(np.clip((misfit - _FITS) / _FITS, 0, 1)) * prior.defocus + scarce * _SOFTER
    if sigma * max(hole.shape) < 1:
        return None
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) / max(hole.shape)
    return np.asarray(sigma * max(hole.shape) * np.clip((depth - 0.02) / 0.15, 0, 1), np.float32)


def _calmed(smooth: F32, flat: F32, hole: Bool, source: Bool, mean: Array, bands: str) -> F32:
    """Where the ground is even, the painting turns into it away from the border: what is faint shows when it repeats.

    Row by row, or column by column, as the `bands` go: a sky may be even over a sea that is not.
    """
    across = 1 if bands == "rows" else 0
    far = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    near = source & (far < _NEAR * max(hole.shape))
    rest = np.where(near, np.minimum(np.abs(flat - mean).max(2), 3 * _FAINT), 0).astype(np.float32)
    count = near.sum(across).astype(np.float32)
    line = np.sqrt(np.square(rest).sum(across) / np.maximum(count, 1))
    # A line of which little is known is judged by those beside it.
    sigma, weight = 0.012 * len(line), np.minimum(count, 40)
    wide = [cv2.GaussianBlur(v[:, None].astype(np.float32), (0, 0), sigma)[:, 0] for v in (line * weight, weight)]
    faint = np.clip((_FAINT - wide[0] / np.maximum(wide[1], 1e-3)) / (0.4 * _FAINT), 0, 1)
    if not faint.any():
        return smooth
    faint = np.expand_dims(faint, across)
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) / max(hole.shape)
    stays = 1 - faint * (1 - np.exp(-((depth / 0.06) ** 2)))
    calm = mean + (smooth - mean) * stays[..., None]
    return np.where(hole[..., None], calm, smooth).astype(np.float32)


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
