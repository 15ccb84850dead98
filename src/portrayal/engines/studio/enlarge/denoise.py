"""Cleaning a small photograph before its pixels are made large: JPEG colour blotches and fine grain."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def split(rgb: F32) -> tuple[F32, F32, F32]:
    """(h, w, 3) display code to luma and the two colour differences R - Y and B - Y."""
    luma = np.asarray(cv2.transform(rgb, LUMA[None]), np.float32)
    luma = luma.reshape(rgb.shape[:2])
    return luma, np.asarray(rgb[..., 0] - luma, np.float32), np.asarray(rgb[..., 2] - luma, np.float32)


def join(luma: F32, red: F32, blue: F32) -> F32:
    """The inverse of `split`, clipped to 0..1."""
    green = luma - (LUMA[0] * red + LUMA[2] * blue) / LUMA[1]
    return np.asarray(np.clip(cv2.merge([luma + red, green, luma + blue]), 0, 1), np.float32)


def slope(guide: F32, follower: F32, size: int, eps: float) -> tuple[F32, F32]:
    """Local linear model follower = a * guide + b in square windows (He, Sun and Tang 2010), not yet averaged."""

    def mean(x: F32) -> F32:
        return np.asarray(cv2.blur(x, (size, size)), np.float32)

    m, f = mean(guide), mean(follower)
    a = (mean(guide * follower) - m * f) / (mean(guide * guide) - m * m + np.float32(eps))
    return np.asarray(a, np.float32), np.asarray(f - a * m, np.float32)


def clean_colour(luma: F32, colour: F32, size: int = 5) -> F32:
    """Colour difference without blotches: what follows the luma stays, the rest is averaged."""
    a, b = slope(luma, colour, size, 4e-4)
    smooth = cv2.blur(a, (3, 3)) * luma + cv2.blur(b, (3, 3))
    return np.asarray(0.7 * smooth + 0.3 * colour, np.float32)


def noise_level(luma: F32, where: F32) -> float:
    """Standard deviation of the pixel noise (Immerkaer 1996, with the median, which edges do not move)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    residue = np.abs(cv2.filter2D(luma, cv2.CV_32F, kernel))[where > 0.5]
    return float(np.median(residue)) * 1.4826 if residue.size else 0.0


def clean_luma(luma: F32, skin: F32, level: float) -> F32:
    """Luma whose finest band is cored: structure under the noise level becomes half as strong, most on skin.

    Args:
        luma: (h, w) float32 0..1.
        skin: (h, w) weight 0..1.
        level: standard deviation of the noise.
    """
    base = cv2.GaussianBlur(luma, (0, 0), 0.9)
    fine = luma - base
    limit = 0.9 * min(level, 0.010) + 1e-4
    kept = fine * fine / (fine * fine + limit * limit)  # Wiener's weight
    weight = (0.2 + 0.2 * skin) * (1 - kept)
    return np.asarray(luma - fine * weight, np.float32)
