"""Removing what is under a mask."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.fill.membrane import membrane
from portrayal.engines.studio.fill.synthesis import Prior, Synthesis, synthesise
from portrayal.engines.studio.types import Notes, Patch, Speed
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8, Bool

_MARGIN = 2  # pixels around a mask that are not copied: what is removed often reaches beyond it
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
    painted = paint(picture, hole, source, seed, speed, Prior(), notes)
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
    picture: F32, hole: Bool, source: Bool, seed: int, speed: Speed, prior: Prior, notes: Notes | None = None
) -> F32:
    """The picture (h, w, 3) float32 0..1 with its hole painted from `source`, seam closed, with grain."""
    source = source & ~hole
    base, known = _without_detail(picture, source), _without_detail(picture, ~hole)
    base = np.where(source[..., None], base, known)
    done = synthesise(np.ascontiguousarray(base), hole, source, seed, speed, prior)
    if done.match is None:
        if notes is not None:
            notes.warnings.append("there was too little around the mask to copy from: it was filled smoothly")
        return np.where(hole[..., None], done.base, picture).astype(np.float32)
    closed = _without_step(base, done, hole)
    fine = np.where(source[..., None], picture - base, 0).astype(np.float32)
    rows, columns = done.match[..., 0], done.match[..., 1]
    detail = fine[rows, columns]
    return np.where(hole[..., None], closed + detail, picture).astype(np.float32)


def _without_detail(picture: F32, where: Bool) -> F32:
    """The picture without its finest detail, blurred within `where` only."""
    weight = where.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), _GRAIN)
    soft = cv2.GaussianBlur(picture * weight[..., None], (0, 0), _GRAIN)
    return np.where(where[..., None], soft / np.maximum(share, 1e-3)[..., None], picture).astype(np.float32)


def _without_step(base: F32, done: Synthesis, hole: Bool) -> F32:
    """The painted hole, its light lifted by a sheet so that no step is left at its border.

    The sheet goes through the differences across the border (Farbman et al., "Coordinates for instant image cloning",
    2009, with Laplace's equation in place of mean values).
    """
    inside = hole.astype(np.float32)
    outside = 1 - inside
    near = [cv2.GaussianBlur(base * k[..., None], (0, 0), 2.0) for k in (outside, inside)]
    inner = cv2.GaussianBlur(done.base * inside[..., None], (0, 0), 2.0)
    shares = [np.maximum(cv2.GaussianBlur(k, (0, 0), 2.0), 1e-3)[..., None] for k in (outside, inside)]
    step = np.clip(near[0] / shares[0] - inner / shares[1], -0.06, 0.06)
    ring = hole & (cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0)
    sheet = membrane(np.where(ring[..., None], step, 0).astype(np.float32), ring | ~hole) if ring.any() else 0 * base
    return np.where(hole[..., None], done.base + sheet, done.base).astype(np.float32)
