"""The height field with modelled clothes in it: the chin throws its shadow on a collar, a brim on the face."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.types import Subject
from portrayal.imaging import F32

# Hair that hangs in front of a coat lies on it, cm.
_LIES = 0.3


def raised(subject: Subject, surface: Surface, front: bool = False) -> F32:
    """The subject's height field (g, g') with a surface in it, in the field's own units.

    The plane of landmark depth 0 lies where the field is, by the median over the landmarks, when their own depth is
    taken off. Where the photograph does not cover the surface, the field is the surface; where it does, the
    photograph lies on it.

    Args:
        front: the surface is in front of the photograph (a hat): the higher of both counts.
    """
    field = subject.height
    rows, columns = field.shape
    size = (columns, rows)
    grid = rows / subject.alpha.shape[0]
    cover = cv2.resize(surface.cover, size, interpolation=cv2.INTER_AREA)
    weight = np.where(surface.cover > 0.02, surface.cover, 0).astype(np.float32)
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    depth = cv2.resize(surface.depth * weight, size, interpolation=cv2.INTER_AREA) / np.maximum(share, 1e-4)
    unit = surface.scale * grid
    height = depth * np.float32(unit) + np.float32(zero(subject))
    here = cover > 0.5
    own = cv2.resize(subject.own if subject.own is not None else subject.alpha, size, interpolation=cv2.INTER_AREA)
    if front:
        return np.asarray(np.where(here, np.maximum(field, height), field), np.float32)
    if here.any():
        # What lies behind both must not stand higher than a sleeve that turns away.
        field = np.where(here | (own > 0.5), field, np.minimum(field, height[here].min() - 1))
    lying = np.maximum(field, height + np.float32(_LIES * unit))
    return np.asarray(np.where(here, np.where(own > 0.5, lying, height), field), np.float32)


def zero(subject: Subject) -> float:
    """Height of the plane of landmark depth 0 in the subject's field; 0 for a subject without landmarks."""
    if subject.points is None:
        return 0.0
    field = subject.height
    rows, columns = field.shape
    grid = rows / subject.alpha.shape[0]
    points = subject.points[:468]
    x = np.round(points[:, 0] * (columns / subject.alpha.shape[1])).astype(int)
    y = np.round(points[:, 1] * grid).astype(int)
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    if not inside.any():
        return 0.0
    # z of the landmarks is negative towards the camera.
    return float(np.median(field[y[inside], x[inside]] + points[inside, 2] * np.float32(grid)))
