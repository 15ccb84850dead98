"""The light that the reference was taken in, as far as it can be told from the face, to divide it out.

Order-2 spherical harmonics are fitted to the log luminance of the face's skin by robust regression (iteratively
reweighted least squares with Huber weights). A face is symmetric, so brightness that goes from left to right is light
and is taken out nearly whole; what goes from top to bottom may as well be make-up, beard or tan and is halved.
"""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.light.harmonics import basis
from portrayal.engines.studio.light.occlusion import wide_blur
from portrayal.engines.studio.light.tone import luminance, untone
from portrayal.engines.studio.types import Subject
from portrayal.imaging import F32

_LEAST = 60
# How much of each term is believed to be light: 1, y, z, x, xy, yz, 3z²-1, xz, x²-y².
_TRUST = (0.0, 0.55, 0.6, 0.85, 0.8, 0.5, 0.5, 0.8, 0.5)
_RIDGE = (0.0, 0.02, 0.05, 0.02, 0.1, 0.1, 0.1, 0.1, 0.1)


def reference_shading(subject: Subject) -> F32:
    """Coefficients (9,) of the log luminance that the reference's own light gave the face.

    The constant makes the median over the face zero. All zero for a subject without a face.
    """
    rows, columns = subject.alpha.shape
    step = max(1, int(subject.face_height / 40))
    size = (max(1, columns // step), max(1, rows // step))
    if subject.points is None:
        return np.zeros(9, np.float32)
    face = cv2.resize(subject.face, size, interpolation=cv2.INTER_AREA) > 0.6
    if face.sum() < _LEAST:
        return np.zeros(9, np.float32)
    small = cv2.resize(subject.rgb, size, interpolation=cv2.INTER_AREA)[face]
    normals = cv2.resize(subject.normals, size, interpolation=cv2.INTER_AREA)[face]
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    log = np.log(np.maximum(luminance(untone(small)), 0) + 0.01)
    terms = basis(normals).astype(np.float64)
    ridge = np.diag(_RIDGE) * len(log)
    weight = np.ones(len(log))
    fitted = np.zeros(9)
    for _ in range(8):
        fitted = np.linalg.solve(terms.T @ (terms * weight[:, None]) + ridge, terms.T @ (weight * log))
        rest = log - terms @ fitted
        spread = 1.48 * float(np.median(np.abs(rest))) + 1e-3
        # Dark outliers are brows, eyes and lips; they say less about the light than bright ones.
        weight = np.where(rest > 0, 1, 0.7) / np.maximum(1, np.abs(rest) / (1.3 * spread))
    fitted *= np.array(_TRUST)
    fitted[0] = -float(np.median(terms[:, 1:] @ fitted[1:])) / terms[0, 0]
    return fitted.astype(np.float32)


def without_highlights(subject: Subject, skin: F32) -> F32:
    """Factor (H, W) up to 1 that takes half of the reference's own shine off the skin.

    Shine is what is brighter than the skin around it and smoother than pores. Under a new light it would stay where
    the old lamp was. All of it must not go: the shine of nose and cheeks is part of what a face is known by.
    """
    tall = subject.face_height
    rows, columns = skin.shape
    size = (max(4, columns // 2), max(4, rows // 2))
    small = cv2.resize(subject.rgb, size, interpolation=cv2.INTER_AREA)
    log = np.asarray(cv2.log(np.maximum(luminance(untone(small)), 0) + 0.02), np.float32)
    weight = np.asarray(cv2.resize(skin * subject.alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    smooth = _mean(log, weight, 0.012 * tall / 2)
    around = _mean(log, weight, 0.055 * tall / 2)
    excess = np.clip(smooth - around - 0.08, 0, 0.6) * weight
    full = cv2.resize(excess, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(np.exp(-0.6 * full), np.float32)


def _mean(values: F32, weight: F32, sigma: float) -> F32:
    sigma = max(sigma, 0.6)
    return np.asarray(wide_blur(values * weight, sigma) / np.maximum(wide_blur(weight, sigma), 1e-3), np.float32)
