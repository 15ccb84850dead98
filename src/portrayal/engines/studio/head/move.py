"""Move the head of a placed person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portrayal.engines.studio.head.fields import sample
from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.motion import HeadMotion, clamp
from portrayal.engines.studio.head.turn import turned
from portrayal.engines.studio.head.view import View, project, turning, view_of
from portrayal.engines.studio.types import Cutout, Notes, Speed
from portrayal.imaging import F32
from portrayal.perception import mesh


def move(
    cutout: Cutout,
    model: HeadModel,
    scale: float,
    offset: tuple[float, float],
    motion: HeadMotion,
    speed: Speed,
    notes: Notes,
) -> Cutout:
    """Give the head of a person on the canvas another pose, expression and gaze.

    Args:
        cutout: the person at canvas scale; may be cut off by the canvas at any side.
        model: of the same character, see `analyse`.
        scale, offset: canvas = scale * reference + offset, (x, y) in pixels.
        motion: relative to the reference; nothing to do returns `cutout` itself.
        speed: how carefully the pixels are taken.
        notes: gets a warning for every angle that had to be limited.

    Returns:
        The person with the head moved: rgb, alpha, regions and points (of the new pose and expression).
    """
    motion = clamp(motion, model.allowed, notes)
    canvas = (cutout.alpha.shape[1], cutout.alpha.shape[0])
    view = view_of(model, scale, offset, canvas)
    if view is None or cutout.points is None or not motion.turns:
        return cutout
    x0, y0, x1, y1 = view.box
    part = replace(
        cutout,
        rgb=cutout.rgb[y0:y1, x0:x1],
        alpha=cutout.alpha[y0:y1, x0:x1],
        regions=cutout.regions[y0:y1, x0:x1],
    )
    points = cutout.points
    moved = part
    if motion.turns:
        moved = turned(moved, model, view, motion, speed)
        points = _turned_points(points, model, view, motion)
    return _pasted(cutout, moved, view, points)


def _turned_points(points: F32, model: HeadModel, view: View, motion: HeadMotion) -> F32:
    """Landmarks (478, 3) on the canvas after a turn."""
    origin = np.array([view.box[0] + view.shift[0], view.box[1] + view.shift[1]], np.float32)
    at = (points[:, :2] - origin) / np.float32(view.factor)
    height = np.empty(len(at), np.float32)
    height[:468] = model.landmarks
    for iris, corners in ((mesh.IRIS_LEFT, (33, 133)), (mesh.IRIS_RIGHT, (362, 263))):
        height[iris] = model.landmarks[list(corners)].mean()
    follow = sample(model.follow, at[:, 0], at[:, 1])
    new, near = project(model, turning(model, motion), at, height, follow)
    base = points[:468, 2].mean() / view.factor + model.landmarks.mean()  # the landmarks' own zero of depth
    depth = (base - near) * np.float32(view.factor)
    out: F32 = np.column_stack([new * np.float32(view.factor) + origin, depth]).astype(np.float32)
    return out


def _pasted(cutout: Cutout, part: Cutout, view: View, points: F32) -> Cutout:
    x0, y0, x1, y1 = view.box
    rgb, alpha, regions = cutout.rgb.copy(), cutout.alpha.copy(), cutout.regions.copy()
    rgb[y0:y1, x0:x1], alpha[y0:y1, x0:x1], regions[y0:y1, x0:x1] = part.rgb, part.alpha, part.regions
    return replace(cutout, rgb=rgb, alpha=alpha, regions=regions, points=points)
