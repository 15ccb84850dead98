"""Face swap: the scene's pose, expression and light stay, the identity changes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.head.fields import blur, bounds, smoothstep, warp
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.swap import cover, light, texture
from portrayal.engines.studio.swap.blend import blended
from portrayal.engines.studio.swap.expression import Ready
from portrayal.engines.studio.swap.shape import Target
from portrayal.engines.studio.swap.shape import target as target_shape
from portrayal.engines.studio.types import Notes, Patch, Speed
from portrayal.imaging import F32, U8
from portrayal.parallel import together
from portrayal.perception import mesh
from portrayal.perception.types import FaceReading

_MARGIN = 0.45  # around the face, in its heights
_CONTEXT = 0.35  # around the mask
_LIPS = 0.15  # of their own shine that lips keep, besides skin's


@dataclass(frozen=True)
class Box:
    """The part of the scene that is worked on: its corner, pixels 0..1, mask and the face's landmarks in it."""

    x: int
    y: int
    rgb: F32
    original: U8
    mask: U8
    points: F32

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.rgb.shape[0], self.rgb.shape[1]


def box_of(scene: U8, mask: U8, points: F32, margin: tuple[float, float, float]) -> Box:
    """The box around a face; `margin` beside, above and below it, in face heights."""
    tall = float(np.ptp(points[:468, 1]))
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    low = low - np.array([margin[0], margin[1]]) * tall
    high = high + np.array([margin[0], margin[2]]) * tall
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(ys):  # a little context is enough beyond what may change, but the face must be seen
        room = _CONTEXT * tall
        face = points[:468, :2]
        low = np.maximum(low, np.minimum(np.array([xs[0], ys[0]]) - room, face.min(0)))
        high = np.minimum(high, np.maximum(np.array([xs[-1], ys[-1]]) + room, face.max(0)))
    x0, y0, x1, y1 = bounds(np.stack([low, high]), 8, (scene.shape[1], scene.shape[0]))
    original = np.ascontiguousarray(scene[y0:y1, x0:x1])
    rgb = original.astype(np.float32) * np.float32(1 / 255)
    corner = np.array([x0, y0, 0], np.float32)
    return Box(x0, y0, rgb, original, np.ascontiguousarray(mask[y0:y1, x0:x1]), points - corner)


def patch_of(box: Box, rgb: F32, painted: F32) -> Patch:
    """The changed part; what is not painted or not masked stays as it was, to the bit."""
    painted = np.where(box.mask > 0, painted, np.float32(0))
    amount = (np.clip(painted, 0, 1) * 255 + 0.5).astype(np.uint8)
    new = (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)
    out = np.where((amount > 0)[..., None], new, box.original)
    ys, xs = np.nonzero(amount)
    if not len(ys):
        return Patch(box.original[:1, :1].copy(), box.x, box.y, np.zeros((1, 1), np.uint8))
    y0, y1, x0, x1 = int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1
    part = np.s_[y0:y1, x0:x1]
    return Patch(np.ascontiguousarray(out[part]), box.x + x0, box.y + y0, np.ascontiguousarray(amount[part]))


def swap_face(
    scene: U8,
    mask: U8,
    target: FaceReading,
    character: IdentityMap,
    kept: Kept,
    *,
    seed: int,
    speed: Speed,
    identity: float = 0.9,
    notes: Notes,
) -> Patch:
    """Put the character's face on a person of the scene.

    Args:
        scene: (h, w, 3) uint8, the picture or a part of it with room around the head.
        mask: (h, w) uint8, 255 = may change. Pixels where it is 0 are returned as they are.
        target: the scene's face, in its pixels; see `check_target`.
        character: a person, i.e. with a `reading`.
        kept: what is kept of characters.
        seed: of grain and lashes.
        speed: turbo enlarges the reference simply.
        identity: 0..1; higher = more of the character's own shapes, less of the scene's expression.
        notes: gets a warning when the reference is small for this face, and the facts `enlarged` and `tall`.
    """
    assert character.reading is not None
    box = box_of(scene, mask, target.points, (_MARGIN, _MARGIN, _MARGIN))
    scale = float(target.pose.scale / character.reading.pose.scale)
    _note(scale, target, notes)
    tall = cover.height(box.points)
    ready, (lab, before) = together(
        lambda: texture.prepared(character, box.points, target.expression, scale, speed, seed),
        lambda: _scene(box),
    )
    new = target_shape(ready.points, box.points, identity, _brow_hold(before, box.points))
    face = texture.face(ready, new, box.points, box.shape)
    own = light.to_lab(face.rgb)
    fringe = _reference_fringe(ready, face, new)
    skin = _skin(face, new, box.points, before, fringe, tall)
    below, above = light.fields(own, lab, skin, tall)
    rgb = light.to_rgb(light.lit(own, below, above, plain(new, box.shape, tall)))
    rgb = light.filmed(rgb, box.rgb, skin, seed)
    rgb = face.with_mouth(rgb, box.rgb)
    rgb = light.to_rgb(light.toned(light.to_lab(np.clip(rgb, 0, 1)), lab, skin))
    outline = np.minimum(cover.oval(new.points, box.shape, 0.99), cover.oval(box.points, box.shape, 1.02)) * face.cover
    reach = _reach(outline, box.points, (0.15 - 0.10 * identity) * tall, tall)
    open_to = cover.within(box.mask, max(2.0, 0.02 * tall))
    weight = reach * (1 - before) * (1 - fringe) * open_to
    levels = max(2, round(math.log2(max(8.0, 0.10 * tall))))
    mixed = blended(np.where((face.cover > 0)[..., None], rgb, box.rgb), box.rgb, weight, levels)
    painted = np.clip(blur(weight, max(0.6, 0.01 * tall)) * 4, 0, 1) * open_to
    # The blend of coarse light leaks over what stands in front.
    painted = painted * smoothstep(0.75, 0.35, before)
    mixed = box.rgb + (mixed - box.rgb) * painted[..., None]
    return patch_of(box, mixed, painted)


def _note(scale: float, target: FaceReading, notes: Notes) -> None:
    notes.facts["enlarged"] = round(scale, 3)
    notes.facts["tall"] = round(float(np.ptp(target.points[:468, 1])), 1)
    if scale > 3.0:
        notes.warnings.append(f"the face of the picture is {scale:.1f} times as large as the reference's: it is soft")


def _reach(outline: F32, scene: F32, soft: float, tall: float) -> F32:
    """How much of the new face shows (h, w) 0..1: soft along the outline, but whole over the scene's eyes and brows."""
    shape = (outline.shape[0], outline.shape[1])
    eyes = (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.BROW_LEFT, mesh.BROW_RIGHT)
    hide = cover.grown(cover.features(scene, shape, 1.15, eyes), 0.015 * tall, 0.012 * tall)
    out: F32 = np.maximum(cover.feather(outline, soft), hide * cover.feather(outline, 0.02 * tall))
    return out


def _scene(box: Box) -> tuple[F32, F32]:
    """The box in Lab, and what stands in front of its face: hair, hands, glasses (h, w) 0..1."""
    lab = light.to_lab(box.rgb)
    return lab, np.maximum(cover.occluders(lab, box.points), _hair(lab, box.points))


def _hair(lab: F32, points: F32) -> F32:
    """The scene's own hair over its forehead stays in front."""
    tall = cover.height(points)
    inside = cover.oval(points, (lab.shape[0], lab.shape[1]), 1.04)
    return np.asarray(blur(cover.fringe(lab, points), 0.008 * tall) * inside, np.float32)


def _brow_hold(before: F32, points: F32) -> float:
    """How much of the brows something covers: then the new ones must lie on the old ones."""
    brows = cover.features(points, (before.shape[0], before.shape[1]), 1.3, (mesh.BROW_LEFT, mesh.BROW_RIGHT))
    return float(np.clip(3 * (before * brows).sum() / max(float(brows.sum()), 1.0), 0, 1))


def _reference_fringe(ready: Ready, face: texture.Face, new: Target) -> F32:
    """Hair of the reference over its own forehead (h, w) 0..1, which must not become skin."""
    tall = cover.height(ready.points)
    lab = light.to_lab(np.clip(ready.rgb, 0, 1))
    hair = np.maximum(cover.fringe(lab, ready.points), ready.other)
    hair = cover.grown(hair, 0.03 * tall, 0.02 * tall)
    brows = cover.features(new.points, face.cover.shape, 1.25, (mesh.BROW_LEFT, mesh.BROW_RIGHT))
    keep = 1 - np.clip(1.6 * blur(brows, 0.012 * tall), 0, 1)
    out: F32 = np.clip(warp(hair, face.x, face.y), 0, 1) * face.cover * keep
    return out


def plain(new: Target, shape: tuple[int, int], tall: float) -> F32:
    """1 on skin, 0 on the new face's eyes, brows and mouth, between on its lips, which shine."""
    parts = (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.BROW_LEFT, mesh.BROW_RIGHT)
    own = np.maximum(
        cover.features(new.points, shape, 1.1, parts), cover.features(new.points, shape, 1.05, (mesh.MOUTH,))
    )
    own = np.maximum(own, _LIPS * cover.features(new.points, shape, 1.1, (mesh.LIPS,)))
    return np.asarray(1 - np.clip(1.5 * blur(own, 0.008 * tall), 0, 1), np.float32)


def _skin(face: texture.Face, new: Target, scene: F32, before: F32, fringe: F32, tall: float) -> F32:
    """Where both faces show plain skin."""
    shape = (face.cover.shape[0], face.cover.shape[1])
    parts = np.maximum(cover.features(new.points, shape, 1.3), cover.features(scene, shape, 1.3))
    skin = np.minimum(cover.oval(new.points, shape, 0.96), cover.oval(scene, shape, 0.96)) * face.cover
    skin = skin * (1 - np.clip(2 * blur(parts, 0.01 * tall), 0, 1))
    out: F32 = skin * (1 - np.clip(2 * before, 0, 1)) * (1 - np.clip(2 * fringe, 0, 1))
    return out
