"""Morphology by distance, main component, guided filter."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, Bool


def distance_inside(mask: Bool) -> F32:
    """Distance in pixels of each pixel of the mask to the nearest one outside; the picture's border is no outside."""
    padded = np.pad(mask.astype(np.uint8), 1, mode="edge")
    if mask.all():
        return np.full(mask.shape, float(sum(mask.shape)), np.float32)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1], np.float32)


def eroded(mask: Bool, radius: float) -> Bool:
    """The mask shrunk by a radius in pixels, not from the picture's border."""
    return distance_inside(mask) > radius


def dilated(mask: Bool, radius: float) -> Bool:
    """The mask grown by a radius in pixels."""
    return ~eroded(~mask, radius)


def smoothed(values: F32, sigma: float) -> F32:
    """Gaussian blur, border reflected."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), max(sigma, 0.1)), np.float32)


def main_part(mask: Bool, seed: tuple[float, float] | None = None, share: float = 0.05) -> Bool:
    """The component that holds the seed (x, y), else the largest with all over `share` of it; small holes filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 1:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    best = int(areas.argmax())
    keep = areas >= max(1.0, share * areas[best])
    if seed is not None:
        x = int(np.clip(seed[0], 0, mask.shape[1] - 1))
        y = int(np.clip(seed[1], 0, mask.shape[0] - 1))
        best = int(labels[y, x]) or best
        keep = np.arange(count) == best
    out: Bool = keep[labels]
    return without_holes(out, 0.01 * float(out.sum()))


def without_holes(mask: Bool, area: float) -> Bool:
    """The mask with holes of fewer pixels than `area` filled; a bay at the picture's border is no hole."""
    h, w = mask.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8))
    x, y, width, height, size = stats.T
    hole = (x > 0) & (y > 0) & (x + width < w) & (y + height < h) & (size < area)
    hole[0] = False
    out: Bool = mask | hole[labels]
    return out


def _box(values: F32, radius: int) -> F32:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _linear_model(guide: F32, values: F32, radius: int, epsilon: float) -> tuple[F32, F32]:
    """Guided filter (He, Sun, Tang 2013), colour guide: values ~ slope . guide + offset around every pixel."""
    mean, level = _box(guide, radius), _box(values, radius)
    c = _box(guide * values[..., None], radius) - mean * level[..., None]
    pairs = np.stack([guide[..., i] * guide[..., j] for i, j in ((0, 0), (0, 1), (0, 2))], -1)
    others = np.stack([guide[..., i] * guide[..., j] for i, j in ((1, 1), (1, 2), (2, 2))], -1)
    rr, rg, rb = cv2.split(_box(pairs, radius) - mean * mean[..., :1])
    gg, gb, bb = cv2.split(
        _box(others, radius) - np.stack([mean[..., 1] ** 2, mean[..., 1] * mean[..., 2], mean[..., 2] ** 2], -1)
    )
    rr, gg, bb = rr + epsilon, gg + epsilon, bb + epsilon
    a, b, d = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    e, f, g = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    x, y, z = c[..., 0], c[..., 1], c[..., 2]
    slope = np.stack([a * x + b * y + d * z, b * x + e * y + f * z, d * x + f * y + g * z], -1)
    slope /= (rr * a + rg * b + rb * d)[..., None]
    offset = level - np.einsum("ijk,ijk->ij", slope, mean)
    return _box(slope.astype(np.float32), radius), _box(offset.astype(np.float32), radius)


def guided(guide: F32, values: F32, radius: int, epsilon: float) -> F32:
    """Guided filter of (h, w) values by a (h, w, 3) float32 picture."""
    slope, offset = _linear_model(guide, values, radius, epsilon)
    out: F32 = np.einsum("ijk,ijk->ij", slope, guide) + offset
    return out


def guided_upsample(low_guide: F32, low: F32, guide: F32, radius: int = 2, epsilon: float = 1e-4) -> F32:
    """Fast guided filter: the linear models of a small picture, applied to the large one."""
    slope, offset = _linear_model(low_guide, low, radius, epsilon)
    size = (guide.shape[1], guide.shape[0])
    slope = np.asarray(cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR), np.float32)
    offset = np.asarray(cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR), np.float32)
    out: F32 = np.einsum("ijk,ijk->ij", slope, guide) + offset
    return out
