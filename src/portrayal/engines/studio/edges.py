"""The outline of a cut-out: free of the old background, crisp where the body is, fine where the hair is."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.enlarge import detail
from portrayal.engines.studio.enlarge.denoise import LUMA
from portrayal.imaging import F32, U8

# Stray hairs per pixel of outline, for a face 300 px high; a larger face has longer ones, not more.
_DENSITY: Final = 0.25
_SHIFT: Final = 4  # bits of sub-pixel precision of cv2's drawing


def _luma(rgb: F32) -> F32:
    return np.asarray(cv2.transform(rgb, LUMA[None]), np.float32).reshape(rgb.shape[:2])


def _smooth(low: float, high: float, x: F32) -> F32:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def levels(alpha: F32) -> F32:
    """Matte without the haze of old background (below 5 %) and without pinholes (above 95 %); same shape, 0..1."""
    return np.asarray(np.clip((alpha - 0.05) / 0.9, 0, 1), np.float32)


def trim(alpha: F32, hair: F32, face_height: float) -> F32:
    """Matte without haze that floats away from the body: mistakes of the matte, not wisps.

    Half-transparent places fade with their distance from the solid body: beyond 0.02 face heights at clothes and skin,
    beyond 0.12 near hair.

    Args:
        alpha: (h, w) float32.
        hair: (h, w) weight of hair.
        face_height: in the same pixels.
    """
    away = cv2.distanceTransform((alpha < 0.85).astype(np.uint8), cv2.DIST_L2, 3) / np.float32(face_height)
    near = np.clip(3 * cv2.GaussianBlur(hair, (0, 0), 0.05 * face_height) - 0.3, 0, 1)
    reach = 0.02 + 0.10 * near
    return np.asarray(alpha * (1 - _smooth(0.0, 1.0, np.asarray(away / reach - 1, np.float32))), np.float32)


def decontaminate(rgb: F32, alpha: F32) -> F32:
    """Colours at the edge taken from inside the person, so that nothing of the old background is left.

    What the edge shows of its own texture (strands) stays as lightness, bounded by the colour inside: a light
    background cannot leave a bright fringe, a dark one no dark line.

    Args:
        rgb: (h, w, 3) float32 0..1, foreground colours at the reference's size.
        alpha: (h, w) float32 matte.

    Returns:
        (h, w, 3) float32, defined everywhere; opaque places are unchanged.
    """
    solid = np.clip((cv2.erode(alpha, np.ones((3, 3), np.uint8)) - 0.9) * 10, 0, 1) + np.float32(1e-5)
    weighted = cv2.merge([*cv2.split(rgb * solid[..., None]), solid])
    inside = np.zeros_like(rgb)
    total = np.zeros(alpha.shape, np.float32)
    for sigma, trust in ((1.5, 1.0), (4.0, 0.05), (12.0, 0.002), (40.0, 1e-4)):
        step = max(1, int(sigma // 3))
        size = (max(4, alpha.shape[1] // step), max(4, alpha.shape[0] // step))
        small = cv2.resize(weighted, size, interpolation=cv2.INTER_AREA) if step > 1 else weighted
        near = cv2.GaussianBlur(small, (0, 0), sigma / step)
        if step > 1:
            near = cv2.resize(near, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
        inside += np.float32(trust) * near[..., :3]
        total += np.float32(trust) * near[..., 3]
    inside /= np.maximum(total, 1e-12)[..., None]
    own, ground = _luma(rgb), np.maximum(_luma(inside), 0.01)
    ratio = np.clip(own / ground, 0.72, 1.12)
    edge = 1 - _smooth(0.6, 0.985, np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.7), np.float32))
    edge = np.maximum(edge, 1 - _smooth(0.75, 0.97, alpha))[..., None]
    clean = inside * (1 + 0.7 * (ratio - 1))[..., None]
    return np.asarray(np.clip(rgb + (clean - rgb) * edge, 0, 1), np.float32)


def crisp(alpha: F32, hair: F32, scale: float) -> F32:
    """An enlarged matte whose steps are as steep as an edge of the canvas, less so at hair.

    Args:
        alpha: (H, W) float32, softly enlarged.
        hair: (H, W) weight of hair.
        scale: how much it was enlarged.
    """
    if scale <= 1.2:
        return alpha
    # Rounds the pixel stairs of the small matte before they are made steep.
    smooth = cv2.GaussianBlur(alpha, (0, 0), 0.45 * scale)
    gain = 1 + (scale - 1) * (0.75 - 0.65 * hair)
    # Slightly inwards: what is half old background is better gone.
    hard = np.clip((smooth - 0.54) * gain + 0.5, 0, 1)
    mixed = hard + (alpha - hard) * (0.5 * hair)
    return np.asarray(np.clip(mixed, 0, 1), np.float32)


def ragged(alpha: F32, hair: F32, luma: F32, scale: float, seed: int) -> F32:
    """Matte whose soft border at hair is broken into strands; elsewhere unchanged."""
    border = 4 * alpha * (1 - alpha) * np.clip(hair * 1.5 - 0.25, 0, 1)
    if float(border.max(initial=0.0)) < 0.05:
        return alpha
    noise = detail.strand_noise(luma, np.asarray(border, np.float32), max(1.5, scale), seed)
    return np.asarray(np.clip(alpha + 0.22 * np.clip(noise, -2, 2) * border, 0, 1), np.float32)


def stray_hairs(rgb: F32, alpha: F32, hair: F32, face_height: float, seed: int) -> tuple[F32, F32]:
    """A few single hairs that stand off the outline of the hair.

    Only where hair meets the background; not on skin, ears, jaw or clothes.

    Args:
        rgb: (H, W, 3) float32 0..1.
        alpha: (H, W) float32.
        hair: (H, W) weight of hair, 0 everywhere for a bald head.
        face_height: in pixels.
        seed: where the hairs grow.

    Returns:
        rgb and alpha with the hairs.
    """
    roots, outward = _hair_line(alpha, hair, face_height)
    if len(roots) < 0.15 * face_height:
        return rgb, alpha
    rng = np.random.default_rng(seed)
    count = int(len(roots) * _DENSITY * 300 / max(150.0, face_height))
    reach = 0.2 * face_height
    x0, y0 = np.maximum(roots.min(0) - reach, 0).astype(int)
    x1, y1 = (roots.max(0) + reach).astype(int) + 1
    part = np.s_[y0:y1, x0:x1]
    drawing = _Drawing(np.ascontiguousarray(rgb[part]), face_height)
    for i in rng.integers(0, len(roots), count):
        drawing.hair(roots[i] - np.array([x0, y0], np.float32), outward[i], rng)
    extra = drawing.cover() * (1 - alpha[part])
    total = alpha[part] + extra
    share = (extra / np.maximum(total, 1e-4))[..., None]
    rgb, alpha = rgb.copy(), alpha.copy()
    rgb[part] += (drawing.colour.astype(np.float32) / 255 - rgb[part]) * share
    alpha[part] = np.clip(total, 0, 1)
    return rgb, alpha


def _hair_line(alpha: F32, hair: F32, face_height: float) -> tuple[F32, F32]:
    """Points (n, 2) of the outline where hair meets the background, and the outward unit vectors."""
    height, width = alpha.shape
    smooth = cv2.GaussianBlur(alpha, (0, 0), max(1.0, 0.012 * face_height))
    found, _ = cv2.findContours((smooth > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    points = max(found, key=len)[:, 0].astype(np.float32)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=5)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=5)
    xi, yi = points[:, 0].astype(int), points[:, 1].astype(int)
    normal = -np.stack([gx[yi, xi], gy[yi, xi]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6

    def at(picture: F32, distance: float) -> F32:
        q = np.round(points + normal * distance * face_height).astype(int)
        return np.asarray(picture[np.clip(q[:, 1], 0, height - 1), np.clip(q[:, 0], 0, width - 1)], np.float32)

    border = (xi > 3) & (yi > 3) & (xi < width - 4) & (yi < height - 4)
    hairy = (at(hair, -0.02) > 0.5) & (at(hair, -0.07) > 0.5)
    chosen = border & hairy & (at(alpha, 0.05) < 0.3)
    return points[chosen], normal[chosen].astype(np.float32)


class _Drawing:
    """Single hairs drawn over a part of the canvas: how much they cover, and their colour."""

    def __init__(self, rgb: F32, face_height: float) -> None:
        self.rgb = rgb
        self.face_height = face_height
        self.flow = detail.directions(_luma(rgb), 0.02 * face_height)[:2]
        self.mask: U8 = np.zeros(rgb.shape[:2], np.uint8)
        self.colour: U8 = np.asarray(np.clip(rgb, 0, 1) * 255 + 0.5, np.uint8)

    def cover(self) -> F32:
        """Coverage by hairs, 0..1."""
        return np.asarray(cv2.GaussianBlur(self.mask, (0, 0), 0.5).astype(np.float32) / 255, np.float32)

    def hair(self, root: F32, outward: F32, rng: np.random.Generator) -> None:
        """One hair that leaves the others at `root`."""
        start = root - outward * 0.02 * self.face_height
        height, width = self.mask.shape
        y = int(np.clip(start[1], 0, height - 1))
        x = int(np.clip(start[0], 0, width - 1))
        along = np.array([self.flow[0][y >> 1, x >> 1], self.flow[1][y >> 1, x >> 1]], np.float32)
        # A single hair leaves the others at a small angle: most of its way lies along the outline.
        steep = float(along @ outward)
        along = along - outward * (steep - float(np.clip(steep, -0.3, 0.3)))
        along /= float(np.linalg.norm(along)) + 1e-6
        # Hair falls: of the two ways along a strand the one that goes down, now and then the other.
        if (along[1] < 0) != (rng.random() < 0.12):
            along = -along
        length = self.face_height * rng.uniform(0.05, 0.17)
        lift, bend, wave = rng.uniform(0.25, 0.6), rng.uniform(-0.85, -0.25), rng.uniform(-0.05, 0.05)
        u = np.linspace(0, 1, 12, dtype=np.float32)[:, None]
        rise = lift * u + bend * u * u + wave * np.sin(u * 6.0)
        path = start + length * (along * u + outward * rise)
        path = np.round(path * 2**_SHIFT).astype(np.int32)
        tint = np.clip(self.rgb[y, x] * rng.uniform(0.8, 1.15) * 255, 0, 255)
        cv2.polylines(self.colour, [path], False, tint.tolist(), 3, cv2.LINE_8, _SHIFT)
        strength = rng.uniform(25, 80) * math.sqrt(min(1.5, max(0.5, self.face_height / 300)))
        for first, last, share in ((0, 7, 1.0), (6, 10, 0.65), (9, 12, 0.35)):
            cv2.polylines(self.mask, [path[first:last]], False, strength * share, 1, cv2.LINE_AA, _SHIFT)
