"""A whole person: the photographed head on a posed and dressed body, ready for the light."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.compose import CAMERAS, motion_of, shot_of
from portrayal.engines.studio.figure.camera import View, view_of
from portrayal.engines.studio.figure.ground import Drop
from portrayal.engines.studio.figure.occlusion import bake
from portrayal.engines.studio.figure.surface import surfaced
from portrayal.engines.studio.figure.trace import trace
from portrayal.engines.studio.figure.turned import mirrored, turned
from portrayal.engines.studio.figure.types import Body, Stance
from portrayal.engines.studio.head import HeadMotion, move
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.light.tone import luminance, untone
from portrayal.engines.studio.place import place
from portrayal.engines.studio.types import Cutout, Notes, Shot, Subject
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.types import FACE, SKIN
from portrayal.prompting.plan import ScenePlan
from portrayal.request import Speed
from portrayal.sizes import Size

# Distance of the landmarks of forehead and chin, cm: 18 as a ruler says makes a bobble head.
_FACE: Final = 16.5
# A head turns so far from its reference on a figure; more is no longer the person.
_MOST_YAW: Final = 26.0
# Half width of the window in which the head is worked on, in cm around its middle.
_WINDOW: Final = 36.0
# The lens blurs what is far as before, but a whole person stands farther away.
_APERTURE: Final = {"medium": 0.9, "three-quarter": 0.75, "full": 0.6, "wide": 0.42}
_NO_FLOOR: Final = ("space", "underwater", "sky")
_JAW: Final = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)


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
    """One whole person.

    Args:
        plan: head, gaze and expression are taken from it, and the scene for the shot.
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
    rng = np.random.default_rng([seed, attempt, 707])
    body, motion = clock.time("body", lambda: _posed(plan, character, stance, seed, attempt, kept, rng))
    return stand(plan, character, body, motion, stance, size, speed, seed, kept, notes, clock, rng)


def stand(
    plan: ScenePlan,
    character: IdentityMap,
    body: Body,
    motion: HeadMotion,
    stance: Stance,
    size: Size,
    speed: Speed,
    seed: int,
    kept: Kept,
    notes: Notes,
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[Subject, Shot, Drop]:
    """The person of a posed body; see `figure`."""
    view = view_of(body, stance, size)
    head, own = clock.time("head", lambda: _head(character, body, view, motion, speed, seed, kept, notes))
    seen = clock.time("trace", lambda: trace(body.rows, view, speed == "quality"))
    grid = clock.time("bake", lambda: bake(body.rows, body.head.centre))
    skin = _skin(head, own)
    under = clock.time("surface", lambda: surfaced(body, seen, grid, view, skin, None))
    subject = clock.time("shape", lambda: _subject(head, own, under, body, view, speed))
    drop = Drop(grid, view, body.air, 0.0 if plan.setting in _NO_FLOOR else 1.0)
    return subject, _shot(plan, stance, view, size, speed, rng), drop


def _posed(
    plan: ScenePlan,
    character: IdentityMap,
    stance: Stance,
    seed: int,
    attempt: int,
    kept: Kept,
    rng: np.random.Generator,
) -> tuple[Body, HeadMotion]:
    """The body on the side to which this head turns better, and what the head does."""
    from portrayal.engines.studio.figure.body import build

    body = build(stance.pose, stance.outfit, stance.build, seed)
    return sided(plan, character, body, stance, seed, attempt, kept, rng)


def sided(
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


def _head(
    character: IdentityMap,
    body: Body,
    view: View,
    motion: HeadMotion,
    speed: Speed,
    seed: int,
    kept: Kept,
    notes: Notes,
) -> tuple[Cutout, F32]:
    """The head placed and moved on the canvas, and the matte of its own pixels: without neck and clothes."""
    assert character.reading is not None
    bare = kept.bare(character).character
    points = character.reading.points
    centre = body.head.centre
    ppc = view.scale(float(centre[2]) + 4)
    scale = _FACE * ppc / max(float(np.linalg.norm(points[mesh.FOREHEAD] - points[mesh.CHIN])), 1.0)
    ears = points[[mesh.CHEEK_LEFT, mesh.CHEEK_RIGHT]].mean(0)
    anchor = np.array([0.58 * ears[0] + 0.42 * points[mesh.CHIN, 0], points[mesh.CHIN, 1]])
    yaw = character.reading.pose.yaw + motion.yaw
    at = centre + np.array([0.6 * math.sin(math.radians(yaw)), 0, 0], np.float32)
    goal = np.array([view.project(at)[0, 0], view.project(body.head.chin)[0, 1]])
    # Only a window around the head is worked on.
    half = int(_WINDOW * ppc)
    x0, y0 = int(goal[0]) - half, int(goal[1]) - int(1.15 * half)
    window = (2 * half, int(1.9 * half))
    offset = goal - anchor * scale - np.array([x0, y0])
    cutout = place(bare, scale, (float(offset[0]), float(offset[1])), *window, speed, seed)
    cutout = move(cutout, kept.model(character), scale, (float(offset[0]), float(offset[1])), motion, speed, notes)
    own = cutout.alpha * _above_neck(cutout)
    assert cutout.points is not None
    ears = cutout.points[[mesh.CHEEK_LEFT, mesh.CHEEK_RIGHT]].mean(0)
    now = np.array([0.58 * ears[0] + 0.42 * cutout.points[mesh.CHIN, 0], cutout.points[mesh.CHIN, 1]])
    shift = np.round(goal - (now + np.array([x0, y0]))).astype(int)
    return _pasted(cutout, own, x0 + int(shift[0]), y0 + int(shift[1]), (view.width, view.height))


def _above_neck(cutout: Cutout) -> F32:
    """Weight (h, w) of the head above the line of the jaw; below it only what hangs beside the face (hair) stays."""
    assert cutout.points is not None
    h, w = cutout.alpha.shape
    tall = max(float(np.ptp(cutout.points[:468, 1])), 8.0)
    jaw = cutout.points[list(_JAW), :2]
    jaw = jaw[np.argsort(jaw[:, 0])]
    x = np.arange(w, dtype=np.float32)
    line = np.interp(x, jaw[:, 0], jaw[:, 1]).astype(np.float32)
    line = np.where((x > jaw[0, 0]) & (x < jaw[-1, 0]), line, jaw[0, 1] + 0.0 * x)
    below = np.arange(h, dtype=np.float32)[:, None] - line[None]
    cut = np.clip(0.5 - (below - 0.004 * tall) / (0.03 * tall), 0, 1)
    cut = cut * cut * (3 - 2 * cut)
    skin = np.isin(cutout.regions, (SKIN, FACE)).astype(np.float32)
    skin = cv2.GaussianBlur(cv2.dilate(skin, np.ones((3, 3), np.uint8)), (0, 0), max(0.6, 0.008 * tall))
    beside = 1 - np.clip(skin * 1.6, 0, 1)
    return np.asarray(np.maximum(cut, beside), np.float32)


def _pasted(cutout: Cutout, own: F32, x0: int, y0: int, size: Size) -> tuple[Cutout, F32]:
    """The window on the canvas."""
    width, height = size
    h, w = own.shape
    a, b, c, d = max(0, -y0), min(h, height - y0), max(0, -x0), min(w, width - x0)
    rgb, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    matte, regions = np.zeros((height, width), np.float32), np.zeros((height, width), np.uint8)
    if b > a and d > c:
        here, there = np.s_[y0 + a : y0 + b, x0 + c : x0 + d], np.s_[a:b, c:d]
        rgb[here], alpha[here], matte[here] = cutout.rgb[there], cutout.alpha[there], own[there]
        regions[here] = cutout.regions[there]
    assert cutout.points is not None
    points = cutout.points + np.array([x0, y0, 0], np.float32)
    return Cutout(rgb, alpha, regions, points, frozenset()), matte


def _skin(head: Cutout, own: F32) -> F32:
    """Scene light (3,) of the face's skin, neither in its highlights nor in its shades."""
    assert head.points is not None
    hull = np.zeros(own.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(head.points[:468, :2].astype(np.float32)).astype(np.int32), 1)
    at = (hull > 0) & (head.regions == FACE) & (own > 0.9)
    if at.sum() < 30:
        at = (hull > 0) & (own > 0.5)
    light = untone(head.rgb[at]) if at.any() else np.full((1, 3), 0.3, np.float32)
    g = luminance(light)
    low, high = np.percentile(g, [45, 85])
    return np.asarray(light[(g >= low) & (g <= high)].mean(0), np.float32)


def _subject(head: Cutout, own: F32, under: Surface, body: Body, view: View, speed: Speed) -> Subject:
    """Head and body together, with shape for the light."""
    assert head.points is not None
    tall = max(float(np.ptp(head.points[:468, 1])), 8.0)
    low, high = head.points[:468, :2].min(0), head.points[:468, :2].max(0)
    x0, y0 = (int(max(0, v)) for v in low - 1.4 * tall)
    x1, y1 = int(min(view.width, high[0] + 1.4 * tall)), int(min(view.height, high[1] + 1.2 * tall))
    corner = np.array([x0, y0, 0], np.float32)
    part = np.s_[y0:y1, x0:x1]
    alone = shape(Cutout(head.rgb[part], own[part], head.regions[part], head.points - corner, frozenset()), speed)
    normals = under.normals.copy()
    blend = own[part][..., None]
    normals[part] += (alone.normals - normals[part]) * (blend > 0.02)
    face = np.zeros_like(own)
    face[part] = alone.face
    alpha = own + (1 - own) * under.cover
    return Subject(
        rgb=head.rgb,
        alpha=alpha,
        regions=head.regions,
        points=head.points,
        normals=normals,
        height=_height(alone, part, under, body, view),
        face=face,
        face_height=tall,
        under=_behind_hand(under, body, own),
        own=own,
    )


def _behind_hand(under: Surface, body: Body, own: F32) -> Surface:
    """Reserved for hands before the face."""
    return under


def _height(alone: Subject, part: tuple[slice, slice], under: Surface, body: Body, view: View) -> F32:
    """The height field of head and body on one grid, in its own pixels."""
    longer = max(view.width, view.height)
    scale = min(512 / longer, 1.0)
    size = (max(8, round(view.width * scale)), max(8, round(view.height * scale)))
    depth = np.where(under.cover > 0.5, under.depth, -12.0).astype(np.float32)
    field = cv2.resize(depth, size, interpolation=cv2.INTER_AREA) * np.float32(under.scale * scale)
    rows, columns = part[0].stop - part[0].start, part[1].stop - part[1].start
    inner = (max(2, round(columns * scale)), max(2, round(rows * scale)))
    own = cv2.resize(alone.height, inner, interpolation=cv2.INTER_AREA) * np.float32(
        scale / (alone.height.shape[0] / rows)
    )
    matte = cv2.resize(alone.alpha, inner, interpolation=cv2.INTER_AREA)
    y, x = round(part[0].start * scale), round(part[1].start * scale)
    y1, x1 = min(y + inner[1], size[1]), min(x + inner[0], size[0])
    at, cut = np.s_[y:y1, x:x1], np.s_[: y1 - y, : x1 - x]
    field[at] += (own[cut] - field[at]) * matte[cut]
    return np.ascontiguousarray(field, np.float32)
