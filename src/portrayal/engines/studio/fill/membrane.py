"""A smooth sheet through known pixels: Laplace's equation with the known pixels held, coarse to fine."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.fill.kernels import relax
from portrayal.imaging import F32, U8, Bool

_LEAST = 6
_ROUNDS = 10


def halved(values: F32, known: F32) -> tuple[F32, F32]:
    """Mean of the known pixels of each two by two, and the share of them; odd sizes are rounded up."""
    h, w = known.shape
    size = (-(-w // 2), -(-h // 2))
    share = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.float32)
    total = cv2.resize(values * known[..., None], size, interpolation=cv2.INTER_AREA).reshape(*share.shape, -1)
    return np.asarray(total / np.maximum(share, 1e-6)[..., None], np.float32), share


def membrane(values: F32, known: Bool) -> F32:
    """The values where they are known, and a sheet without bumps between them.

    Args:
        values: (h, w, n) float32; anything where it is not known.
        known: (h, w); the border of the picture is free (no slope).

    Returns:
        (h, w, n) float32; the mean everywhere when nothing is known.
    """
    h, w = known.shape
    if known.all():
        return values
    if not known.any():
        return np.zeros_like(values)
    share = known.astype(np.float32)
    levels = [(values, share)]
    while min(levels[-1][1].shape) > _LEAST and levels[-1][1].min() <= 0:
        levels.append(halved(*levels[-1]))
    coarse, share = levels[-1]
    total = np.maximum(share.sum(), 1e-6)
    mean = (coarse * share[..., None]).sum((0, 1)) / total
    sheet = np.where((share > 0)[..., None], coarse, mean).astype(np.float32)
    sheet = relax(np.ascontiguousarray(sheet), _free(share), 60)
    for fine, share in reversed(levels[:-1]):
        h, w = share.shape
        wider = cv2.resize(sheet, (w, h), interpolation=cv2.INTER_LINEAR).reshape(h, w, -1)
        sheet = np.where((share > 0)[..., None], fine, wider).astype(np.float32)
        sheet = relax(np.ascontiguousarray(sheet), _free(share), _ROUNDS)
    return sheet


def _free(share: F32) -> U8:
    return ((share <= 0) * np.uint8(255)).astype(np.uint8)
