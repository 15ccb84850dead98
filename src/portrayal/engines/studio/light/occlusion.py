"""What the body hides from the light, on the height field: cast shadows and ambient occlusion."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import KeyLight, Speed
from portrayal.imaging import F32

# Offsets of the sample points of a large lamp across its direction, in units of its softness.
_AREA = ((0.0, 0.0), (0.9, 0.35), (-0.5, 0.8), (-0.75, -0.6), (0.45, -0.85))


def cast_shadow(field: F32, key: KeyLight, tall: float, speed: Speed) -> F32:
    """Share (g, g') of a key light that arrives, 0..1.

    The height field is marched towards the light; the penumbra widens with the distance of what casts the shadow.

    Args:
        field: heights in its own pixels.
        tall: height of the face in the field's pixels.
        speed: "quality" averages several points of a large lamp.
    """
    d = np.asarray(key.direction, np.float32)
    d = d / max(float(np.linalg.norm(d)), 1e-6)
    if d[2] < -0.2:
        return np.ones_like(field)
    if speed != "quality" or key.softness < 0.12:
        return _march(field, d, tall, key.softness)
    across = np.cross(d, np.array([0, 1, 0.01], np.float32))
    across = across / max(float(np.linalg.norm(across)), 1e-6)
    up = np.cross(across, d)
    total = np.zeros_like(field)
    for u, v in _AREA:
        point = d + (across * u + up * v) * min(key.softness, 0.6) * 0.7
        total += _march(field, (point / np.linalg.norm(point)).astype(np.float32), tall, 0.5 * key.softness)
    return np.asarray(total / len(_AREA), np.float32)


def _march(field: F32, d: F32, tall: float, softness: float) -> F32:
    flat = float(np.hypot(d[0], d[1]))
    if flat < 0.12:
        return np.ones_like(field)
    across, down, rise = float(d[0]) / flat, -float(d[1]) / flat, max(float(d[2]), 0.05) / flat
    smooth = cv2.GaussianBlur(field, (0, 0), 1.0)
    hidden = np.zeros_like(field)
    size = (field.shape[1], field.shape[0])
    step = max(1.0, 0.016 * tall)
    while step < 1.15 * tall:
        move = np.array([[1, 0, -across * step], [0, 1, -down * step]], np.float32)
        towards = cv2.warpAffine(smooth, move, size, borderMode=cv2.BORDER_REPLICATE)
        above = (towards - smooth - (rise * step + tall * 0.014)) * (1 / (softness * step + tall * 0.035))
        np.maximum(hidden, above, out=hidden)
        step *= 1.13
    t = np.clip(hidden, 0, 1)
    lit = 1 - t * t * (3 - 2 * t)
    return np.asarray(cv2.GaussianBlur(lit, (0, 0), max(0.8, tall * 0.016 * (1 + 4 * softness))), np.float32)


def ambient_occlusion(field: F32, tall: float, speed: Speed) -> F32:
    """Share (g, g') of the ambient light that arrives, 0.45..1: hollows are darker, at several scales."""
    scales = ((0.06, 0.5), (0.14, 0.6), (0.30, 0.5)) if speed != "quality" else (
        (0.03, 0.35), (0.06, 0.45), (0.14, 0.55), (0.30, 0.5), (0.55, 0.25))  # fmt: skip
    hollow = np.zeros_like(field)
    for share, weight in scales:
        hollow += np.clip(wide_blur(field, tall * share) - field, 0, None) * (weight / (tall * share))
    return np.asarray(np.clip(1 - 0.5 * hollow, 0.45, 1), np.float32)


def wide_blur(field: F32, sigma: float) -> F32:
    """A Gaussian blur; wide ones on a reduced picture."""
    part = int(sigma // 2)
    if part < 2:
        return np.asarray(cv2.GaussianBlur(field, (0, 0), max(sigma, 0.6)), np.float32)
    rows, columns = field.shape
    small = cv2.resize(field, (max(4, columns // part), max(4, rows // part)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * small.shape[0] / rows)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def strand_direction(rgb: F32, tall: float) -> F32:
    """Direction (h, w, 2) of hair strands in picture axes, from the structure tensor.

    The length is the coherence 0..1: no strands, no direction.
    """
    small = cv2.resize(luminance(rgb), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    gx = cv2.Sobel(small, cv2.CV_32F, 1, 0)
    gy = cv2.Sobel(small, cv2.CV_32F, 0, 1)
    sigma = max(1.5, 0.012 * tall)
    xx, xy, yy = (cv2.GaussianBlur(p, (0, 0), sigma) for p in (gx * gx, gx * gy, gy * gy))
    # Doubled angles interpolate without a jump at 180 degrees; the strand runs across the gradient.
    whole = xx + yy + 1e-6
    double = np.dstack([-(xx - yy) / whole, -2 * xy / whole]).astype(np.float32)
    full = cv2.resize(double, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR)
    length = np.sqrt(full[..., 0] ** 2 + full[..., 1] ** 2) + 1e-6
    half = full[..., 0] / length
    cos = np.sqrt(np.clip(0.5 + 0.5 * half, 0, 1)) * length
    sin = np.sqrt(np.clip(0.5 - 0.5 * half, 0, 1)) * np.where(full[..., 1] < 0, -1, 1) * length
    return np.dstack([cos, sin]).astype(np.float32)
