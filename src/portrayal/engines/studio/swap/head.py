"""Head swap: the character's head with its hair on a body of the scene."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.head import HeadMotion, move
from portrayal.engines.studio.head.fields import blur, disc, smoothstep, warp
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.place import place
from portrayal.engines.studio.swap import cover, light, texture
from portrayal.engines.studio.swap.expression import Ready, adapted
from portrayal.engines.studio.swap.face import Box, box_of, patch_of, plain, swap_face
from portrayal.engines.studio.swap.plate import Old, beside, jaw_line, old_head, plate
from portrayal.engines.studio.swap.shape import Target
from portrayal.engines.studio.swap.shape import target as target_shape
from portrayal.engines.studio.types import Cutout, Notes, Patch, Speed
from portrayal.imaging import F32, F64, U8
from portrayal.parallel import together
from portrayal.perception import mesh
from portrayal.perception.crops import similarity
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN, FaceReading

_MARGIN: Final = (1.05, 1.05, 0.75)  # of the scene's box: beside, above and below the face, in its heights
_REACH: Final = (1.1, 1.0, 0.85)  # of the reference's
_MISSED: Final = 3.0  # degrees by which a turn must fall short before the mirrored head is looked at
# Old hair beside the new head, as a share of the new head, from which the swap of the face looks better.
_MOST_LEFT: Final = 0.7


def swap_head(
    scene: U8,
    mask: U8,
    target: FaceReading,
    character: IdentityMap,
    kept: Kept,
    *,
    seed: int,
    speed: Speed,
    identity: float = 0.8,
    notes: Notes,
    alpha: F32 | None = None,
) -> Patch:
    """Put the character's head, with its hair, on a person of the scene.

    Old hair that sticks out is removed with the surroundings. Where it is too large for that, the face alone is
    swapped and a warning says so.

    Args:
        scene, mask, target, character, kept, seed, speed, notes: as for `swap_face`. The mask should cover the old hair
            and the room of the new. `notes.facts["uncovered"]` is the old hair beside the new head over the new head.
        identity: 0..1; higher = less of the scene's expression.
        alpha: (h, w) 0..1 matte of the scene's person, where it is known.
    """
    assert character.reading is not None
    box = box_of(scene, mask, target.points, _MARGIN)
    tall = cover.height(box.points)
    scale = float(target.pose.scale / character.reading.pose.scale)
    known = None if alpha is None else alpha[box.y : box.y + box.shape[0], box.x : box.x + box.shape[1]]
    old, (cutout, ready, lab, front) = together(
        lambda: old_head(box, target, known),
        lambda: (*_turned_head(target, character, kept, scale, speed, seed, box, notes), *_scene(box)),
    )
    back, new = _fit(ready, box, identity)
    face = texture.head(ready, new, back, box.points, box.shape)
    shown = np.clip(warp(_head_layer(cutout), face.x, face.y, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT), 0, 1)
    shown = shown * _neck_fade(new, box, old, cutout, face)
    left = (old.labels == HAIR) & (old.alpha > 0.3) & (shown < 0.5)
    _warn_of_hair(old, box, notes)
    notes.facts["uncovered"] = round(float(left.sum() / max(1.0, float((shown > 0.5).sum()))), 3)
    if notes.facts["uncovered"] > _MOST_LEFT:
        notes.warnings.append(
            "the hair of the person in the picture is too large to hide behind the new head: only the face was swapped"
        )
        return swap_face(
            scene, mask, target, character, kept, seed=seed, speed=speed, identity=max(identity, 0.9), notes=notes
        )
    before = _in_front(front, lab, box, old, tall)
    ground, rgb = together(
        lambda: plate(box, old, shown, new, tall),
        lambda: _lit(face, cutout, new, box, lab, old, shown, before, tall, seed),
    )
    open_to = cover.within(box.mask, max(2.0, 0.02 * tall))
    amount = shown * (1 - before) * open_to
    out = ground + (rgb - ground) * amount[..., None]
    changed = np.clip(np.maximum(amount, _changed(ground, box) * open_to), 0, 1)
    soft = cover.within(box.mask, 2.0)[..., None]
    out = box.rgb + (out - box.rgb) * soft
    return patch_of(box, out, changed)


def _warn_of_hair(old: Old, box: Box, notes: Notes) -> None:
    hair = (old.labels == HAIR) & (old.alpha > 0.3)
    if float((hair & (box.mask == 0)).sum()) > 0.03 * max(1.0, float(hair.sum())):
        notes.warnings.append("hair of the person in the picture reaches beyond the mask and stays there")


def _scene(box: Box) -> tuple[F32, F32]:
    """The box in Lab, and what looks as if it stood in front of its face."""
    lab = light.to_lab(box.rgb)
    return lab, cover.occluders(lab, box.points)


def _in_front(front: F32, lab: F32, box: Box, old: Old, tall: float) -> F32:
    """What stands in front of the scene's face (h, w) 0..1 and is not its own hair: hands, a microphone."""
    hair = np.maximum(cover.fringe(lab, box.points), (old.labels == HAIR).astype(np.float32))
    hair = np.maximum(hair, (old.alpha < 0.5).astype(np.float32))
    mine = cover.grown(hair, 0.10 * tall, 0.01 * tall)
    out: F32 = front * np.clip(1 - 1.5 * mine, 0, 1)
    return out


def _changed(ground: F32, box: Box) -> F32:
    out: F32 = (np.abs(ground - box.rgb).max(2) > 0.5 / 255).astype(np.float32)
    return out


def _turned_head(
    target: FaceReading,
    character: IdentityMap,
    kept: Kept,
    scale: float,
    speed: Speed,
    seed: int,
    box: Box,
    notes: Notes,
) -> tuple[Cutout, Ready]:
    """The reference's head at the scene's scale, turned and with its expression."""
    character = _better_side(target, character, kept, notes)
    assert character.reading is not None
    points = character.reading.points
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    tall = float(high[1] - low[1])
    low, high = _head_bounds(character, low - np.array(_REACH[:2]) * tall, high + np.array(_REACH[::2]) * tall, tall)
    w, h = (int(v) for v in np.ceil((high - low) * scale))
    offset = (float(-low[0] * scale), float(-low[1] * scale))
    cutout = place(character, scale, offset, w, h, speed, seed)
    assert cutout.points is not None
    zero = np.zeros(cutout.alpha.shape, np.float32)
    ready = adapted(
        Ready(cutout.rgb, cutout.points, zero), character.reading.expression, box.points, target.expression, seed
    )
    cutout = replace(cutout, rgb=ready.rgb, points=ready.points)
    pose, own = target.pose, character.reading.pose
    motion = HeadMotion(yaw=pose.yaw - own.yaw, pitch=pose.pitch - own.pitch, seed=seed)
    quiet = Notes()
    cutout = move(cutout, kept.model(character), scale, offset, motion, speed, quiet)
    if quiet.warnings:
        notes.warnings.append("the head could not be turned as far as the one in the picture")
    assert cutout.points is not None
    return cutout, Ready(cutout.rgb, cutout.points, zero)


def _head_bounds(character: IdentityMap, low: F64, high: F64, tall: float) -> tuple[F64, F64]:
    """The part of a reach (low, high) that head and hair take, with room to turn."""
    h, w = character.regions.shape
    x0, y0 = np.clip(np.floor(low), 0, [w - 1, h - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(high), [x0 + 1, y0 + 1], [w, h]).astype(int)
    part = np.isin(character.regions[y0:y1, x0:x1], (FACE, HAIR, SKIN))
    ys, xs = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    if not len(ys):
        return low, high
    room = 0.15 * tall
    first = np.array([x0 + xs[0], y0 + ys[0]]) - room
    last = np.array([x0 + xs[-1] + 1, y0 + ys[-1] + 1]) + room
    return np.maximum(low, first), np.minimum(high, last)


def _better_side(target: FaceReading, character: IdentityMap, kept: Kept, notes: Notes) -> IdentityMap:
    """The mirrored character where the scene's head looks to a side that the reference does not show."""
    missed = _missed(target, character, kept)
    if missed < _MISSED:
        return character
    other = kept.mirrored(character)
    if _missed(target, other, kept) > 0.5 * missed:
        return character
    notes.warnings.append("the reference shows the other side of the face: the head is mirrored, with its parting")
    return other


def _missed(target: FaceReading, character: IdentityMap, kept: Kept) -> float:
    assert character.reading is not None
    low, high = kept.model(character).allowed.yaw
    wanted = target.pose.yaw - character.reading.pose.yaw
    return max(low - wanted, wanted - high, 0.0)


def _fit(ready: Ready, box: Box, identity: float) -> tuple[F32, Target]:
    """The (2, 3) matrix from the box to the reference, and the new face's landmarks in the box."""
    rigid = list(mesh.RIGID)
    scale, turn, shift = similarity(ready.points[rigid, :2], box.points[rigid, :2])
    matrix = np.hstack([scale * turn, shift[:, None]])
    back = np.asarray(cv2.invertAffineTransform(matrix), np.float32)
    return back, target_shape(ready.points, box.points, identity, own_outline=True)


def _head_layer(cutout: Cutout) -> F32:
    """Share of the head, its hair and its neck in the cut-out (h, w)."""
    assert cutout.points is not None
    tall = cover.height(cutout.points)
    own = np.isin(cutout.regions, (FACE, HAIR, SKIN))
    # Beside the jaw a face does not reach beyond its landmarks: what the matte holds there is background.
    rim = cover.oval(cutout.points, (own.shape[0], own.shape[1]), 1.03) < 0.5
    rim[: max(0, int(cutout.points[mesh.NOSE_BASE, 1]))] = False
    own &= ~((cutout.regions == FACE) & rim)
    eyes = cutout.points[list(mesh.EYE_CORNERS), :2].mean(0)
    own[: max(0, int(eyes[1] - 0.25 * tall))] = True  # hats and hair bands
    grown = cv2.dilate(own.astype(np.uint8), disc(0.012 * tall)).astype(np.float32)
    rows = np.arange(own.shape[0], dtype=np.float32)[:, None]
    # Single hairs lie beyond what is labelled; below the mouth a collar does.
    free = 1 - smoothstep(0.0, 0.1 * tall, rows - cutout.points[list(mesh.LIPS), 1].mean())
    tight = smoothstep(0.4, 0.9, blur(own.astype(np.float32), 0.008 * tall))
    soft = tight + (smoothstep(0.2, 0.8, blur(grown, 0.008 * tall)) - tight) * free
    cloth = blur((cutout.regions == CLOTHING).astype(np.float32), 0.01 * tall)
    out: F32 = cutout.alpha * np.maximum(soft, free * (1 - np.clip(2 * cloth, 0, 1)))
    return out


def _neck_fade(new: Target, box: Box, old: Old, cutout: Cutout, face: texture.Face) -> F32:
    """1 above the jaw, falling to 0 along the neck; hair goes on."""
    h, w = box.shape
    tall = cover.height(new.points)
    y = np.arange(h, dtype=np.float32)[:, None]
    x = np.arange(w, dtype=np.float32)
    # Beside the face nothing above the mouth is neck: ears hang lower than the jaw begins.
    mouth = float(new.points[list(mesh.LIPS), 1].mean())
    # What goes on farther out below them is the reference's own wide neck.
    line = np.maximum(jaw_line(new.points, w), mouth)[None] - np.minimum(beside(new, w), 0.10 * tall)[None]
    middle = float(new.points[mesh.CHIN, 0])
    side = np.abs(x - middle) / max(0.5 * float(np.ptp(new.points[:468, 0])), 1.0)
    fade = (0.16 * tall * np.clip(1.15 - 0.8 * side, 0.12, 1.0))[None]
    neck = 1 - smoothstep(0.0, 1.0, (y - line) / fade)
    # A collar stands in front of the neck.
    collar = blur((old.labels == CLOTHING).astype(np.float32), 0.006 * tall)
    neck = neck * (1 - collar * smoothstep(0.0, 0.02 * tall, y - line))
    hair = (cutout.regions == HAIR).astype(np.float32)
    long = blur(np.clip(warp(hair, face.x, face.y, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT), 0, 1), 0.012 * tall)
    out: F32 = np.maximum(neck, smoothstep(0.4, 0.8, long)).astype(np.float32)
    return out


def _lit(
    face: texture.Face,
    cutout: Cutout,
    new: Target,
    box: Box,
    lab: F32,
    old: Old,
    alpha: F32,
    before: F32,
    tall: float,
    seed: int,
) -> F32:
    """The head in the scene's light, sharpness, grain and tone."""
    own = light.to_lab(face.rgb)
    skin = _common_skin(face, cutout, new, box, old, alpha, before, tall)
    below, above = light.fields(own, lab, skin, tall, 0.16)
    labels = (np.isin(cutout.regions, (FACE, SKIN))).astype(np.float32)
    fleshy = np.clip(warp(labels, face.x, face.y), 0, 1)
    # The labels of a forehead under a fringe or receding hair are unsure.
    forehead = cover.grown(cover.oval(new.points, box.shape), 0.20 * tall, 0.04 * tall)
    fleshy = blur(np.maximum(fleshy, light.alike(own, below, tall) * forehead), 0.012 * tall)
    lit = light.lit(own, below, above, plain(new, box.shape, tall))
    hair = light.lit_hair(own, below, above)
    rgb = light.to_rgb(hair + (lit - hair) * fleshy[..., None])
    rgb = light.filmed(rgb, box.rgb, skin, seed)
    rgb = face.with_mouth(rgb, box.rgb)
    return light.to_rgb(light.toned(light.to_lab(np.clip(rgb, 0, 1)), lab, skin))


def _common_skin(
    face: texture.Face,
    cutout: Cutout,
    new: Target,
    box: Box,
    old: Old,
    alpha: F32,
    before: F32,
    tall: float,
) -> F32:
    """Where both heads show plain skin (h, w) 0..1."""
    shape = box.shape
    own = np.isin(cutout.regions, (FACE, SKIN)).astype(np.float32)
    both = np.clip(warp(own, face.x, face.y), 0, 1) * np.isin(old.labels, (FACE, SKIN))
    parts = np.maximum(cover.features(new.points, shape, 1.3), cover.features(box.points, shape, 1.3))
    both = both * (1 - np.clip(2 * blur(parts, 0.01 * tall), 0, 1)) * (alpha > 0.5)
    both = both * (1 - np.clip(2 * before, 0, 1))
    return np.asarray(cv2.erode(both.astype(np.float32), disc(0.012 * tall)), np.float32)
