"""A whole person: the photographed head on a posed and dressed body, ready for the light."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.compose import CAMERAS, motion_of, shot_of
from portrayal.engines.studio.figure import rows as columns
from portrayal.engines.studio.figure.body import build
from portrayal.engines.studio.figure.camera import View, view_of
from portrayal.engines.studio.figure.ground import Drop
from portrayal.engines.studio.figure.occlusion import bake
from portrayal.engines.studio.figure.surface import Front, surfaced
from portrayal.engines.studio.figure.trace import trace
from portrayal.engines.studio.figure.turned import mirrored, turned
from portrayal.engines.studio.figure.types import BELT, CUFF, Body, Stance
from portrayal.engines.studio.head import HeadMotion, move
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.cloth import under_chin
from portrayal.engines.studio.light.tone import luminance, untone
from portrayal.engines.studio.place import place
from portrayal.engines.studio.types import Cutout, Notes, Shot, Subject
from portrayal.engines.studio.wardrobe.choose import hair
from portrayal.engines.studio.wardrobe.frame import BustFrame
from portrayal.engines.studio.wardrobe.hair import styled
from portrayal.engines.studio.wardrobe.head import JAW, Bare
from portrayal.engines.studio.wardrobe.render import render
from portrayal.engines.studio.wardrobe.wear import wear
from portrayal.imaging import F32
from portrayal.parallel import together
from portrayal.perception import mesh
from portrayal.perception.types import BACKGROUND, CLOTHING, FACE, SKIN
from portrayal.prompting.plan import ScenePlan
from portrayal.request import Speed
from portrayal.sizes import Size

# Distance of the landmarks of forehead and chin, cm: 18 as a ruler says makes a bobble head.
_FACE: Final = 16.5
# Somebody with broad shoulders also has a larger head, by so many cm at most.
_BROAD: Final = 1.0
# A head turns so far from its reference on a figure; more is no longer the person.
_MOST_YAW: Final = 26.0
# Half width of the window in which the head is worked on, in cm around its middle.
_WINDOW: Final = 36.0
# The lens blurs what is far as before, but a whole person stands farther away.
_APERTURE: Final = {"medium": 0.9, "three-quarter": 0.75, "full": 0.6, "wide": 0.42}
_NO_FLOOR: Final = ("space", "underwater", "sky")
# The wardrobe's front: cm to each side of the notch, above and below it; pixels per cm, least and most.
_HALF: Final = 26.0
_ABOVE: Final = 14.0
_LOWEST: Final = 50.0
_WAIST: Final = 25.0
_BELT: Final = 42.0
_DETAIL: Final = (6.0, 16.0)
# Percentiles of the face's light that are neither shade nor shine, and how arms differ from a face.
_LIT: Final = (45, 85)
_BODY: Final = np.array([0.90, 0.88, 0.865], np.float32)
_NECKLINE: Final = 9
"""Chain of what is cut out of a top for the neck."""
# The photograph ends between these distances below the jaw, cm; the neck under it is the body's.
_NECK: Final = (0.1, 0.5)
# Longer side of the height field of the light.
_GRID: Final = 512


@dataclass(frozen=True)
class Planned:
    """A figure that is settled but not yet drawn.

    Attributes:
        stance: as asked.
        body: posed and dressed.
        motion: of the head, relative to the reference.
        view: the camera.
        shot: the same camera for the scene.
    """

    stance: Stance
    body: Body
    motion: HeadMotion
    view: View
    shot: Shot


def figure(
    plan: ScenePlan,
    character: IdentityMap,
    stance: Stance,
    size: Size,
    speed: Speed,
    seed: int,
    kept: Kept,
    notes: Notes,
    clock: Clock,
    attempt: int = 0,
) -> tuple[Subject, Shot, Drop]:
    """One whole person: `planned`, then `drawn`.

    Args:
        plan: head, gaze, expression and lettering are taken from it, and the scene for the shot.
        character: a person with a face.
        stance: pose, framing, outfit, build and camera.
        size: (width, height) of the canvas.
        speed: turbo, balanced or quality.
        seed, attempt: of everything random.
        kept: geometry of the character's head.
        notes: gets warnings.
        clock: gets the seconds of each stage.

    Returns:
        The subject (`own` = the photographed head, `under` = the body), the shot with which the scene must be
        photographed, and what darkens its ground (see `ground.shadowed`).
    """
    settled = clock.time("body", lambda: planned(plan, character, stance, size, speed, seed, kept, attempt))
    subject, drop = drawn(plan, character, settled, speed, seed, kept, notes, clock)
    return subject, settled.shot, drop


def planned(
    plan: ScenePlan,
    character: IdentityMap,
    stance: Stance,
    size: Size,
    speed: Speed,
    seed: int,
    kept: Kept,
    attempt: int = 0,
    body: Body | None = None,
) -> Planned:
    """Settle body, head and camera: fast, so that the scene can be photographed while the figure is drawn.

    See `figure`; `body` replaces the one of the stance.
    """
    rng = np.random.default_rng([seed, attempt, 707])
    body = body or build(stance.pose, stance.outfit, stance.build, seed)
    body, motion = _sided(plan, character, body, stance, seed, attempt, kept, rng)
    view = view_of(body, stance, size)
    return Planned(stance, body, motion, view, _shot(plan, stance, view, size, speed, rng))


def drawn(
    plan: ScenePlan,
    character: IdentityMap,
    settled: Planned,
    speed: Speed,
    seed: int,
    kept: Kept,
    notes: Notes,
    clock: Clock,
) -> tuple[Subject, Drop]:
    """Draw what is settled; see `figure`."""
    view, stance, bare = settled.view, settled.stance, kept.bare(character)
    body = _without_neckline(settled.body)
    skin = _skin(character, bare)
    head, front = together(
        lambda: clock.time("head", lambda: _head(plan, bare, character, settled, speed, seed, kept, notes)),
        lambda: clock.time("clothes", lambda: _front(stance, body, view, skin, speed)),
    )
    seen = clock.time("trace", lambda: trace(body.rows, view, speed == "quality"))
    grid = clock.time("bake", lambda: bake(body.rows, body.head.centre))
    words = " ".join(plan.lettering)
    under = clock.time("surface", lambda: surfaced(body, seen, grid, view, skin, front, words))
    subject = clock.time("head on body", lambda: _joined(head, bare, under, view, speed, seed))
    return subject, Drop(grid, view, body.air, 0.0 if plan.setting in _NO_FLOOR else 1.0)


def _without_neckline(body: Body) -> Body:
    """The body with its top closed up to the neck: the wardrobe's front draws neckline and collar on it."""
    rows = body.rows
    top = (rows[:, columns.GROUP] == columns.TOP) | (rows[:, columns.GROUP] == columns.PROP2)
    cut = (rows[:, columns.CUT] > 0) & top & (rows[:, columns.CHAIN] == _NECKLINE)
    band = (body.part == CUFF) & (rows[:, columns.CHAIN] == columns.TORSO)
    keep = ~((cut & (rows[:, columns.KIND] == columns.LIMB)) | band)
    if keep.all():
        return body
    return replace(body, rows=rows[keep], cloth=body.cloth[keep], part=body.part[keep], frame=body.frame[keep])


def _front(stance: Stance, body: Body, view: View, skin: F32, speed: Speed) -> Front:
    """The garment as the wardrobe draws it, from the front."""
    scale = float(np.clip(view.scale(float(body.joints["chest"][2])), *_DETAIL))
    width, height = round(2 * _HALF * scale), round((_ABOVE + _LOWEST) * scale)
    frame = BustFrame(
        width=width,
        height=height,
        scale=scale,
        x=_HALF * scale,
        y=_ABOVE * scale,
        neck=stance.build.neck,
        shoulders=stance.build.shoulders,
        chest=min(stance.build.bust, 2.5),
    )
    # The body's own scarf hangs over it.
    outfit = replace(stance.outfit, without=stance.outfit.without | {"scarf"})
    return Front(render(outfit, frame, skin, speed), _HALF * scale, _ABOVE * scale, _lowest(body))


def _lowest(body: Body) -> float:
    """How far below the notch the front is used: a belt at the waist stands lower on a body than on a bust."""
    belts = body.rows[body.part == BELT][:, columns.CENTRE : columns.RADIUS]
    high = ((belts - body.chest.at) @ body.chest.axes)[:, 1] > -_BELT
    return _WAIST if high.any() else _LOWEST - 2


def _sided(
    plan: ScenePlan,
    character: IdentityMap,
    body: Body,
    stance: Stance,
    seed: int,
    attempt: int,
    kept: Kept,
    rng: np.random.Generator,
) -> tuple[Body, HeadMotion]:
    """Choose the body's side and settle the head's motion."""
    assert character.reading is not None
    pose = character.reading.pose
    allowed = kept.model(character).allowed
    motion, _ = motion_of(plan, character, CAMERAS[stance.camera][0], rng, seed, attempt)

    def missed(b: Body) -> float:
        wanted = b.head.yaw - pose.yaw
        return max(allowed.yaw[0] - wanted, wanted - allowed.yaw[1], 0.0)

    bodies = [turned(b, stance.turn) for b in (body, mirrored(body))]
    if stance.mirror is not None:
        chosen = bodies[int(stance.mirror)]
    else:
        costs = [missed(b) for b in bodies]
        first = int(rng.integers(2)) if abs(costs[0] - costs[1]) < 1 else int(np.argmin(costs))
        chosen = bodies[first]
    yaw, pitch, roll = motion.yaw, motion.pitch, motion.roll
    if plan.head.yaw is None:
        limit = (max(allowed.yaw[0], -_MOST_YAW), min(allowed.yaw[1], _MOST_YAW))
        yaw = float(np.clip(chosen.head.yaw - pose.yaw, *limit))
    if plan.head.pitch is None:
        pitch = float(np.clip(chosen.head.pitch + pitch, *allowed.pitch))
    if plan.head.roll is None:
        roll = float(np.clip(chosen.head.roll - pose.roll + 0.5 * roll, *allowed.roll))
    return chosen, replace(motion, yaw=yaw, pitch=pitch, roll=roll)


def _shot(plan: ScenePlan, stance: Stance, view: View, size: Size, speed: Speed, rng: np.random.Generator) -> Shot:
    """The camera of the figure, for the scene."""
    shot = shot_of(plan, size, speed, view.fov, view.horizon / size[1], rng)
    return replace(
        shot,
        fov=view.fov,
        horizon=view.horizon / size[1],
        focus=view.distance / 100,
        aperture=shot.aperture * _APERTURE[stance.framing],
        eye=view.eye / 100,
    )


def _skin(character: IdentityMap, bare: Bare) -> F32:
    """Scene light (3,) of the skin of arms and hands: the face's, neither in its highlights nor in its shades."""
    assert character.reading is not None
    hull = np.zeros(character.alpha.shape, np.uint8)
    points = character.reading.points[:468, :2].astype(np.float32)
    cv2.fillConvexPoly(hull, cv2.convexHull(points).astype(np.int32), 1)
    at = np.flatnonzero((hull > 0) & (character.regions == FACE))
    if len(at) < 50:
        return bare.skin
    at = at[:: max(1, len(at) // 4000)]
    light = untone(character.foreground.reshape(-1, 3)[at].astype(np.float32) / np.float32(255))
    bright = luminance(light)
    low, high = np.percentile(bright, _LIT)
    return np.asarray(light[(bright >= low) & (bright <= high)].mean(0) * _BODY, np.float32)


@dataclass(frozen=True)
class _Placed:
    """The head on a window of the canvas: x0, y0 of the window, and as it was placed before it was moved."""

    cutout: Cutout
    still: F32
    placed: tuple[float, tuple[float, float]]
    x0: int
    y0: int


def _head(
    plan: ScenePlan,
    bare: Bare,
    character: IdentityMap,
    settled: Planned,
    speed: Speed,
    seed: int,
    kept: Kept,
    notes: Notes,
) -> _Placed:
    """The head placed and moved; only a window around it is worked on."""
    assert character.reading is not None
    points = character.reading.points
    body, motion, view, broad = settled.body, settled.motion, settled.view, settled.stance.build.shoulders
    centre = body.head.centre
    ppc = view.scale(float(centre[2]) + 4)
    size = _FACE + _BROAD * float(np.clip((broad - 0.95) / 0.12, 0, 1))
    scale = size * ppc / max(float(np.linalg.norm(points[mesh.FOREHEAD] - points[mesh.CHIN])), 1.0)
    yaw = character.reading.pose.yaw + motion.yaw
    at = centre + np.array([0.6 * math.sin(math.radians(yaw)), 0, 0], np.float32)
    goal = np.array([view.project(at)[0, 0], view.project(body.head.chin)[0, 1]])
    half = int(_WINDOW * ppc)
    window = (2 * half, int(1.9 * half))
    corner = np.array([int(goal[0]) - half, int(goal[1]) - int(1.15 * half)])
    x, y = (float(v) for v in goal - _anchor(points) * scale - corner)
    cutout = place(bare.character, scale, (x, y), *window, speed, seed)
    cutout = styled(cutout, bare.character.mask, hair(plan), (scale, (x, y)), notes, seed, bare=True)
    assert cutout.points is not None
    still = cutout.points
    cutout = move(cutout, kept.model(character), scale, (x, y), motion, speed, notes)
    assert cutout.points is not None
    # A head that turns or nods moves its chin: the whole window goes back to where the neck is.
    x0, y0 = (int(v) for v in np.round(goal - _anchor(cutout.points)))
    return _Placed(cutout, still, (scale, (x, y)), x0, y0)


def _anchor(points: F32) -> F32:
    """The point (2,) of a head that stands over the neck."""
    ears = points[[mesh.CHEEK_LEFT, mesh.CHEEK_RIGHT], 0].mean()
    return np.array([0.58 * ears + 0.42 * points[mesh.CHIN, 0], points[mesh.CHIN, 1]], np.float32)


def _joined(head: _Placed, bare: Bare, under: Surface, view: View, speed: Speed, seed: int) -> Subject:
    """Head and body together, with shape for the light: worked out in the head's window, put on the canvas."""
    cutout, x0, y0 = head.cutout, head.x0, head.y0
    h, w = cutout.alpha.shape
    left, top = max(0, x0), max(0, y0)
    right, bottom = min(view.width, x0 + w), min(view.height, y0 + h)
    on = np.s_[top:bottom, left:right]
    inner = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
    shift = np.array([left - x0, top - y0, 0], np.float32)
    assert cutout.points is not None
    part = replace(
        cutout,
        rgb=np.ascontiguousarray(cutout.rgb[inner]),
        alpha=np.ascontiguousarray(cutout.alpha[inner]),
        regions=np.ascontiguousarray(cutout.regions[inner]),
        points=cutout.points - shift,
    )
    scale, (x, y) = head.placed
    placed = (scale, (x - float(shift[0]), y - float(shift[1])))
    local = wear(part, head.still - shift, bare, under.cropped(on), placed, speed, seed)
    assert local.own is not None
    assert local.under is not None
    assert local.points is not None
    near, chin = local.under, under_chin(local.points, (bottom - top, right - left), under.scale)
    # The photograph's own colours and shape reach to the last of its own pixels.
    own = np.asarray(local.own * _above(local, under.scale), np.float32)
    local = replace(local, own=own, rgb=part.rgb, normals=_to_the_edge(local.normals, own))
    return _whole(local, replace(near, open=_times(near.open, chin)), under, on, view)


def _above(local: Subject, scale: float) -> F32:
    """Weight (h, w) of the photograph: its skin ends a little below the jaw, for the body's neck stands elsewhere."""
    assert local.points is not None
    face = np.zeros((local.alpha.shape[0], local.alpha.shape[1]), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(local.points[:468, :2].astype(np.float32)).astype(np.int32), 1)
    away = cv2.distanceTransform(1 - face, cv2.DIST_L2, 5) / np.float32(scale)
    mouth = float(local.points[list(mesh.LIPS), 1].mean())
    rows = np.arange(len(face), dtype=np.float32)[:, None]
    lower = np.clip((rows - mouth) / (2.0 * scale), 0, 1)
    skin = cv2.GaussianBlur(
        np.isin(local.regions, (SKIN, FACE, CLOTHING, BACKGROUND)).astype(np.float32), (0, 0), max(0.5, 0.15 * scale)
    )
    # Between the ends of the jaw a dark shade below the chin may be taken for hair.
    jaw = local.points[list(JAW), 0]
    middle, half = 0.5 * float(jaw.min() + jaw.max()), 0.42 * float(np.ptp(jaw))
    columns_ = np.arange(face.shape[1], dtype=np.float32)[None]
    skin = np.maximum(skin, np.clip((half - np.abs(columns_ - middle)) / scale, 0, 1))
    gone = np.clip((away - _NECK[0]) / (_NECK[1] - _NECK[0]), 0, 1)
    gone = gone * gone * (3 - 2 * gone)
    return np.asarray(1 - lower * skin * gone, np.float32)


def _to_the_edge(normals: F32, own: F32) -> F32:
    """Normals (h, w, 3) of the photograph continued over its soft edge, where they are mixed with the body's."""
    solid = cv2.erode((own > 0.97).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    near = cv2.GaussianBlur(solid, (0, 0), 1.5)
    band = (own > 0.005) & (solid == 0) & (near > 0.01)
    rows, cols = np.flatnonzero(band.any(1)), np.flatnonzero(band.any(0))
    if not len(rows):
        return normals
    at = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    mean = cv2.GaussianBlur(normals[at] * solid[at][..., None], (0, 0), 1.5)
    mean = mean / np.maximum(np.sqrt((mean * mean).sum(-1, keepdims=True)), 1e-6)
    out = normals.copy()
    out[at] = np.where(band[at][..., None], mean, normals[at])
    return out


def _times(open_: F32 | None, chin: F32) -> F32:
    return chin if open_ is None else np.asarray(open_ * chin, np.float32)


def _whole(local: Subject, near: Surface, under: Surface, on: tuple[slice, slice], view: View) -> Subject:
    """The window's subject on the whole canvas."""
    size = (view.height, view.width)
    assert local.points is not None
    assert local.own is not None
    assert under.open is not None
    assert near.open is not None
    corner = np.array([on[1].start, on[0].start, 0], np.float32)
    rgb, own, face = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32), np.zeros(size, np.float32)
    regions = np.where(under.cover > 0.5, np.where(under.skin > 0.5, SKIN, CLOTHING), BACKGROUND).astype(np.uint8)
    normals, albedo, open_ = under.normals.copy(), under.albedo.copy(), under.open.copy()
    rgb[on], own[on], face[on], regions[on] = local.rgb, local.own, local.face, local.regions
    # The skin of hands and arms takes the hue that the neck's skin was given.
    albedo += (albedo * (_hue(near, under.cropped(on), local.own) - 1)) * under.skin[..., None]
    normals[on], albedo[on], open_[on] = local.normals, near.albedo, near.open
    grid = min(_GRID / max(size), 1.0)
    field = np.zeros((max(8, round(size[0] * grid)), max(8, round(size[1] * grid))), np.float32)
    _laid(field, local.height, on, grid, local.alpha.shape[0])
    return Subject(
        rgb=rgb,
        alpha=np.asarray(own + (1 - own) * under.cover, np.float32),
        regions=regions,
        points=local.points + corner,
        normals=normals,
        height=field,
        face=face,
        face_height=local.face_height,
        under=replace(under, albedo=albedo, open=open_),
        own=own,
    )


def _hue(near: Surface, before: Surface, own: F32) -> F32:
    """Factor (3,) that bare skin got in the head's window, away from the neck."""
    rows = np.arange(len(own), dtype=np.float32)[:, None] * np.ones_like(own)
    at = (before.skin > 0.9) & (before.cover > 0.9) & (own < 0.05)
    if at.sum() < 20:
        return np.ones(3, np.float32)
    low = at & (rows >= np.percentile(rows[at], 70))
    ratio = near.albedo[low] / np.maximum(before.albedo[low], 1e-4)
    return np.asarray(np.clip(np.median(ratio, 0), 0.7, 1.25), np.float32)


def _laid(field: F32, local: F32, on: tuple[slice, slice], grid: float, rows: int) -> None:
    """Lay a window's height field into the canvas' own, in place; heights are in the pixels of their field."""
    y0, x0 = round(on[0].start * grid), round(on[1].start * grid)
    y1, x1 = min(round(on[0].stop * grid), field.shape[0]), min(round(on[1].stop * grid), field.shape[1])
    if y1 - y0 < 2 or x1 - x0 < 2:
        return
    small = cv2.resize(local, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    field[y0:y1, x0:x1] = small * np.float32(grid * rows / local.shape[0])
