"""Move the head of a placed person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.express import express
from portrayal.engines.studio.head.fields import bounds, fill, resize, sample, smoothstep
from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.motion import SMALL, HeadMotion, clamp
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
    preset = _preset(motion, notes)
    motion = clamp(_carriage(motion, preset), model.allowed, notes)
    canvas = (cutout.alpha.shape[1], cutout.alpha.shape[0])
    view = view_of(model, scale, offset, canvas)
    if view is None or cutout.points is None or (preset is None and not motion.turns):
        return cutout
    x0, y0, x1, y1 = view.box
    part = replace(
        cutout,
        rgb=cutout.rgb[y0:y1, x0:x1],
        alpha=cutout.alpha[y0:y1, x0:x1],
        regions=cutout.regions[y0:y1, x0:x1],
    )
    corner = np.array([x0, y0, 0], np.float32)
    points, carried = cutout.points - corner, None
    base = float((model.landmarks + points[:468, 2] / view.factor).mean())
    if preset is not None:
        part, points, carried = _expressed(part, points, model, view, motion, preset)
    if motion.turns:
        points = _turned_points(points, base, model, view, motion, carried)
        part = turned(part, model, view, motion, carried)
    return _pasted(cutout, part, view, points + corner)


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


def _carriage(motion: HeadMotion, preset: Preset | None) -> HeadMotion:
    """The motion with the nod and the tilt of its expression, where it asks for none itself."""
    if preset is None:
        return motion
    strength = min(max(motion.strength, 0.0), 1.0)
    return replace(
        motion,
        pitch=motion.pitch if abs(motion.pitch) > SMALL else preset.pitch * strength,
        roll=motion.roll if abs(motion.roll) > SMALL else preset.roll * strength,
    )


def _expressed(
    part: Cutout, points: F32, model: HeadModel, view: View, motion: HeadMotion, preset: Preset
) -> tuple[Cutout, F32, Carried | None]:
    strength = min(max(motion.strength, 0.0), 1.0)
    head = view.field(model.head)
    new = express(_skin_goes_on(part.rgb, head, points), points, model.smile, preset, strength, motion.seed)
    if new is None:
        return part, points, None
    x0, y0, x1, y1 = new.box
    rgb = part.rgb.copy()
    # A chin that drops goes behind the collar; clothes stay.
    share = head[y0:y1, x0:x1, None]
    rgb[y0:y1, x0:x1] += (new.rgb - rgb[y0:y1, x0:x1]) * share
    moved = _along_surface(points, new.points, model, view)
    return replace(part, rgb=rgb), moved, Carried(new.field, (x0, y0))


def _skin_goes_on(rgb: F32, head: F32, points: F32) -> F32:
    """The colours (h, w, 3) with the neck continued behind the clothes.

    A chin that rises draws up what is below it: that must be skin, not the collar.
    """
    h, w = head.shape
    height = float(np.ptp(points[:468, 1]))
    chin = float(points[mesh.CHIN, 1])
    x0, y0, x1, y1 = bounds(points[list(tp.JAW_LINE), :2], 0.12 * height, (w, h))
    y0 = min(max(y0, int(chin - 0.5 * height)), y1)
    if min(x1 - x0, y1 - y0) < 16:
        return rgb
    part, share = rgb[y0:y1, x0:x1], head[y0:y1, x0:x1]
    step = max(1, round(height / 120))
    small = (-(-(x1 - x0) // step), -(-(y1 - y0) // step))
    known = smoothstep(0.95, 1.0, resize(share, small))
    if known.max() == 0 or known.min() == 1:
        return rgb
    skin = resize(fill(resize(part, small), known), (x1 - x0, y1 - y0))
    out = rgb.copy()
    out[y0:y1, x0:x1] = skin + (part - skin) * smoothstep(0.90, 1.0, share)[..., None]
    return out


def _along_surface(old: F32, new: F32, model: HeadModel, view: View) -> F32:
    """Depth of moved landmarks: what moves sideways slides over the face, what moves down takes its depth along."""
    a, b = view.to_model(old[:468, :2]), view.to_model(new[:468, :2])
    rise = sample(model.front, b[:, 0], a[:, 1]) - sample(model.front, a[:, 0], a[:, 1])
    out = new.copy()
    out[:468, 2] -= rise * np.float32(view.factor)
    return out


def _turned_points(
    points: F32, base: float, model: HeadModel, view: View, motion: HeadMotion, carried: Carried | None
) -> F32:
    """Landmarks (478, 3) of the box after a turn; `base` = height of depth 0, in model pixels."""
    at = view.to_model(points[:, :2])
    was = at if carried is None else carried.before(model, view, at)
    follow = sample(model.follow, was[:, 0], was[:, 1])
    height = (base - points[:, 2] / view.factor).astype(np.float32)
    new, near = project(model, turning(model, motion), at, height, follow)
    out: F32 = np.column_stack([view.to_local(new), (base - near) * np.float32(view.factor)]).astype(np.float32)
    return out


def _pasted(cutout: Cutout, part: Cutout, view: View, points: F32) -> Cutout:
    x0, y0, x1, y1 = view.box
    rgb, alpha, regions = cutout.rgb.copy(), cutout.alpha.copy(), cutout.regions.copy()
    rgb[y0:y1, x0:x1], alpha[y0:y1, x0:x1], regions[y0:y1, x0:x1] = part.rgb, part.alpha, part.regions
    return replace(cutout, rgb=rgb, alpha=alpha, regions=regions, points=points)
