"""The character mask: which pixels of the reference belong to the identity."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.masks import normalise
from portrayal.perception import mesh
from portrayal.perception.filters import dilated, eroded, without_holes
from portrayal.perception.types import BACKGROUND, CLOTHING, FACE, HAIR, SKIN, FaceReading


def automatic_mask(regions: U8, reading: FaceReading | None) -> U8:
    """Face, hair and ears of a person; all of a subject.

    Args:
        regions: (h, w) uint8 labels of `perception.types`.
        reading: the person's face, or None.

    Returns:
        (h, w) uint8 of 0 and 255.
    """
    if reading is None:
        return np.asarray((regions != BACKGROUND) * np.uint8(255), np.uint8)
    h, w = regions.shape
    unit = reading.pose.scale
    head = (regions == FACE) | (regions == HAIR)
    # Ears are skin beside the face, above the chin.
    origin, angle = reading.pose.origin, np.radians(reading.pose.roll)
    dx = ((np.arange(w, dtype=np.float32) - origin[0]) / unit)[None]
    dy = ((np.arange(h, dtype=np.float32) - origin[1]) / unit)[:, None]
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    x, y = (reading.points[mesh.CHIN, :2] - origin[:2]) / unit
    chin = float(y * np.cos(angle) - x * np.sin(angle))
    head |= (regions == SKIN) & (np.abs(u) < 0.75) & (v < 0.6 * chin)
    radius = 0.02 * unit
    closed = eroded(dilated(head, radius), radius) & (regions != BACKGROUND) & (regions != CLOTHING)
    return (without_holes(head | closed, 0.05 * unit**2) * np.uint8(255)).astype(np.uint8)


def given_mask(mask: U8, size: tuple[int, int], shown: tuple[int, int], field: str = "mask") -> U8:
    """A mask that a person made, in the internal form and at the identity map's size.

    Args:
        mask: (h, w) uint8, white belongs to the character.
        size: (width, height) of the reference as it was given.
        shown: (width, height) of the identity map.
        field: name of the request field, for the error.

    Raises:
        MaskMismatchError: another size than the reference, or nothing chosen.
    """
    clean = normalise(mask, size, field=field)
    if size == shown:
        return clean
    small: F32 = np.asarray(cv2.resize(clean.astype(np.float32), shown, interpolation=cv2.INTER_AREA), np.float32)
    return ((small >= 127.5) * np.uint8(255)).astype(np.uint8)


def masked_share(mask: U8, reading: FaceReading) -> float:
    """How much of a face a mask covers: the share 0..1 of its landmarks that lie on white."""
    h, w = mask.shape
    points = np.round(reading.points[:468, :2]).astype(int)
    inside = (points >= 0).all(1) & (points[:, 0] < w) & (points[:, 1] < h)
    x, y = points[inside].T
    return float((mask[y, x] > 127).sum() / len(points))
