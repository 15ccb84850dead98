"""The character mask: which pixels of the reference belong to the identity."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.masks import normalise
from portrayal.perception import mesh
from portrayal.perception.filters import dilated, eroded, without_holes
from portrayal.perception.types import BACKGROUND, CLOTHING, FACE, HAIR, SKIN, FaceReading

_PERSON: Final = 0.35
"""Faces smaller than this share of the character's are left where they are: pictures on a wall, prints on cloth."""


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


def without_others(alpha: F32, readings: list[FaceReading]) -> F32:
    """A matte without the other people of a picture.

    Every pixel goes to the nearest face, counted in the widths of that face, so that a body stays with its head; what
    then hangs together with the first face is kept.

    Args:
        alpha: (h, w) float32 matte of all people.
        readings: all faces, the character's first.

    Returns:
        (h, w) float32.
    """
    own = readings[0]
    others = [r for r in readings[1:] if r.pose.scale > _PERSON * own.pose.scale]
    if not others:
        return alpha
    h, w = alpha.shape
    margin = np.min([_nearness(r, h, w) for r in others], axis=0) - _nearness(own, h, w)
    # A border as soft as the edge of a matte: about one pixel of a face of 100.
    left = alpha * np.clip(margin * np.float32(50) + np.float32(0.5), 0, 1)
    _, parts = cv2.connectedComponents((left > 0.05).astype(np.uint8))
    x, y = np.clip(np.round(own.pose.origin[:2]).astype(int), 0, (w - 1, h - 1))
    part = int(parts[y, x])
    return np.asarray(left * (parts == part) if part else left, np.float32)


def _nearness(reading: FaceReading, height: int, width: int) -> F32:
    """Distance of each pixel to a face in widths of the face; people are taller than wide, so heights count less."""
    x = (np.arange(width, dtype=np.float32) - np.float32(reading.pose.origin[0]))[None]
    y = (np.arange(height, dtype=np.float32) - np.float32(reading.pose.origin[1]))[:, None]
    return np.asarray(np.hypot(x, 0.3 * y) / np.float32(reading.pose.scale), np.float32)
