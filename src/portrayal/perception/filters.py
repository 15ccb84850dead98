"""Morphology by distance, main component, guided filter."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Array, Bool


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


class Guided:
    """Guided filter (He, Sun, Tang 2013) with a colour guide: what depends on the guide alone is computed once."""

    def __init__(self, guide: F32, radius: int, epsilon: float) -> None:
        """Prepare for a (h, w, 3) float32 picture 0..1; `epsilon` is a variance: smaller keeps fainter edges."""
        self.guide, self.radius = guide, radius
        self.mean = _box(guide, radius)
        r, g, b = _channels(guide)
        mr, mg, mb = _channels(self.mean)

        def spread(p: F32, q: F32, mp: F32, mq: F32) -> F32:
            return _box(p * q, radius) - mp * mq

        rr, gg, bb = (spread(x, x, m, m) + np.float32(epsilon) for x, m in ((r, mr), (g, mg), (b, mb)))
        rg, rb, gb = spread(r, g, mr, mg), spread(r, b, mr, mb), spread(g, b, mg, mb)
        # Adjugate over determinant: the inverse of the symmetric 3 x 3 covariance.
        a, c, d = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
        e, f, h = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
        over = 1 / (rr * a + rg * c + rb * d)
        self.inverse = tuple(x * over for x in (a, c, d, e, f, h))

    def model(self, values: F32) -> tuple[F32, F32]:
        """Slope (h, w, 3) and offset (h, w) with values ~ slope . guide + offset around every pixel."""
        level = _box(values, self.radius)
        x, y, z = _channels(_box(self.guide * values[..., None], self.radius) - self.mean * level[..., None])
        a, b, c, d, e, f = self.inverse
        slope = cv2.merge([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z])
        offset = level - _dot(slope, self.mean)
        return _box(np.asarray(slope, np.float32), self.radius), _box(offset, self.radius)

    def __call__(self, values: F32) -> F32:
        """(h, w) values smoothed within the guide's edges."""
        slope, offset = self.model(values)
        return _dot(slope, self.guide) + offset


def _channels(picture: F32) -> tuple[F32, F32, F32]:
    r, g, b = (np.asarray(c, np.float32) for c in cv2.split(picture))
    return r, g, b


def _dot(a: Array, b: Array) -> F32:
    out: F32 = a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]
    return out


def guided_at(low_guide: F32, low: F32, guide: U8, where: Bool, radius: int = 2, epsilon: float = 1e-4) -> F32:
    """Fast guided upsampling: the linear models of a small picture, applied to some pixels of the large one.

    Args:
        low_guide: (h, w, 3) float32 0..1, the small picture.
        low: (h, w) float32 values at its size.
        guide: (H, W, 3) uint8, the large picture.
        where: (H, W) bool.

    Returns:
        (n,) float32 values of the chosen pixels, in reading order.
    """
    slope, offset = Guided(low_guide, radius, epsilon).model(low)
    model = np.dstack([slope, offset])
    ys, xs = np.nonzero(where)
    wide = 1024  # remap wants a picture, not a list
    fill = -len(xs) % wide
    ky, kx = low.shape[0] / guide.shape[0], low.shape[1] / guide.shape[1]
    x = np.pad((xs + 0.5) * kx - 0.5, (0, fill)).astype(np.float32).reshape(-1, wide)
    y = np.pad((ys + 0.5) * ky - 0.5, (0, fill)).astype(np.float32).reshape(-1, wide)
    found = cv2.remap(model, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 4)[: len(xs)]
    return _dot(found, guide[ys, xs].astype(np.float32) / np.float32(255)) + found[:, 3]
