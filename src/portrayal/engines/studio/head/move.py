"""Move the head of a placed person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portrayal.engines.studio.head.express import express
from portrayal.engines.studio.head.fields import sample
from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.motion import HeadMotion, clamp
from portrayal.engines.studio.head.presets import Preset, presets
from portrayal.engines.studio.head.turn import turned
from portrayal.engines.studio.head.view import Carried, View, project, turning, view_of
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
        speed: all speeds move alike; the head is a small part of a picture's time.
        notes: gets a warning for every angle that had to be limited.

    Returns:
        The person with the head moved: rgb, alpha, regions and points (of the new pose and expression).
    """
    motion = clamp(motion, model.allowed, notes)
    canvas = (cutout.alpha.shape[1], cutout.alpha.shape[0])
    view = view_of(model, scale, offset, canvas)
    preset = _preset(motion, notes)
    if view is None or cutout.points is None or (preset is None and not motion.turns):
        return cutout
    x0, y0, x1, y1 = view.box
    part = replace(
        cutout,
        rgb=cutout.rgb[y0:y1, x0:x1],
        alpha=cutout.alpha[y0:y1, x0:x1],
        regions=cutout.regions[y0:y1, x0:x1],
    )
    points, carried = cutout.points, None
    if preset is not None:
        part, points, carried = _expressed(part, points, model, view, motion, preset)
    if motion.turns:
        points = _turned_points(points, model, view, motion, carried)
        part = turned(part, model, view, motion, carried)
    return _pasted(cutout, part, view, points)


def _preset(motion: HeadMotion, notes: Notes) -> Preset | None:
    """The expression and gaze asked for; None when there is neither."""
    preset = None
    if motion.expression is not None:
        preset = presets().get(motion.expression)
        if preset is None:
            notes.warnings.append(f"not portrayed: the expression {motion.expression!r}")
    if motion.gaze is not None:
        preset = (preset or Preset()).looking(motion.gaze)
    return preset


def _expressed(
    part: Cutout, points: F32, model: HeadModel, view: View, motion: HeadMotion, preset: Preset
) -> tuple[Cutout, F32, Carried | None]:
    corner = np.array([view.box[0], view.box[1], 0], np.float32)
    strength = min(max(motion.strength, 0.0), 1.0)
    new = express(part.rgb, points - corner, model.smile, preset, strength, motion.seed)
    if new is None:
        return part, points, None
    x0, y0, x1, y1 = new.box
    rgb = part.rgb.copy()
    # A chin that drops goes behind the collar; clothes stay.
    share = view.field(model.head)[y0:y1, x0:x1, None]
    rgb[y0:y1, x0:x1] += (new.rgb - rgb[y0:y1, x0:x1]) * share
    return replace(part, rgb=rgb), new.points + corner, Carried(new.field, (x0, y0))


def _turned_points(points: F32, model: HeadModel, view: View, motion: HeadMotion, carried: Carried | None) -> F32:
    """Landmarks (478, 3) on the canvas after a turn."""
    origin = np.array([view.box[0] + view.shift[0], view.box[1] + view.shift[1]], np.float32)
    at = (points[:, :2] - origin) / np.float32(view.factor)
    height = np.empty(len(at), np.float32)
    height[:468] = model.landmarks
    for iris, corners in ((mesh.IRIS_LEFT, (33, 133)), (mesh.IRIS_RIGHT, (362, 263))):
        height[iris] = model.landmarks[list(corners)].mean()
    was = at if carried is None else at + carried.back(model, view, at)
    follow = sample(model.follow, was[:, 0], was[:, 1])
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
