"""The reference's skin, eyes and lips on the scene's face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.head import eyes
from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.face import Moved
from portrayal.engines.studio.head.fields import blur, fill, opening, polygon, smoothstep, step, stroke, warp
from portrayal.engines.studio.head.frame import face_frame
from portrayal.engines.studio.head.raster import NOTHING, rasterise
from portrayal.engines.studio.place import place
from portrayal.engines.studio.swap.expression import Ready, adapted
from portrayal.engines.studio.swap.shape import Target, mouth_gap
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.types import FACE, SKIN, Expression

_MARGIN: Final = 0.35  # around the reference's face, in its heights
# Cosine between the surface and the camera under which the reference shows a place badly, and well.
_HIDDEN, _SEEN = 0.12, 0.42
_SKIRT: Final = 1.35  # ring around the face that a head swap keeps still, in sizes of its oval


def placed(character: IdentityMap, scale: float, speed: Speed, seed: int) -> Ready:
    """The reference's face, enlarged to the scene's scale with its fine detail, and its landmarks."""
    assert character.reading is not None
    points = character.reading.points
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    margin = _MARGIN * float(high[1] - low[1])
    low, high = low - margin, high + margin
    size = np.ceil((high - low) * scale).astype(int)
    offset = (float(-low[0] * scale), float(-low[1] * scale))
    cutout = place(character, scale, offset, int(size[0]), int(size[1]), speed, seed)
    assert cutout.points is not None
    other = blur((~np.isin(cutout.regions, (FACE, SKIN))).astype(np.float32), 0.008 * margin * scale / _MARGIN)
    return Ready(cutout.rgb, cutout.points, other)


def prepared(character: IdentityMap, scene: F32, wanted: Expression, scale: float, speed: Speed, seed: int) -> Ready:
    """The reference at the scene's scale with the scene's expression where it must be painted."""
    assert character.reading is not None
    base = placed(character, scale, speed, seed)
    return adapted(base, character.reading.expression, scene, wanted, seed)


@dataclass(frozen=True)
class Inside:
    """What is seen of the scene's mouth between the new lips: (h, w) its share 0..1, and where it is in the scene."""

    share: F32
    x: F32
    y: F32


@dataclass(frozen=True)
class Face:
    """The reference's face in the scene's place, not yet lit.

    Attributes:
        rgb: (h, w, 3) 0..1.
        cover: (h, w) 0..1, where it is defined.
        x, y: (h, w) where each pixel comes from in the reference.
        inside: the mouth's inside that must stay the scene's; None where nothing of it shows.
    """

    rgb: F32
    cover: F32
    x: F32
    y: F32
    inside: Inside | None

    def with_mouth(self, rgb: F32, scene: F32) -> F32:
        """The lit face with the inside of the scene's mouth; both (h, w, 3) 0..1."""
        if self.inside is None:
            return rgb
        there = warp(scene, self.inside.x, self.inside.y, cv2.INTER_CUBIC)
        out: F32 = rgb + (there - rgb) * self.inside.share[..., None]
        return out


def face(ready: Ready, target: Target, scene: F32, shape: tuple[int, int]) -> Face:
    """Carry the reference's face to the target's landmarks.

    Args:
        ready: the reference.
        target: landmarks in the scene's box.
        scene: (478, 3) the scene's own landmarks in the box.
        shape: (h, w) of the box.
    """
    h, w = shape
    new = target.points
    depth = -new[:468, 2]
    at, buffer = rasterise(new[:468, :2], depth, ready.points[:468, :2], tp.closed_triangles(), h, w)
    cover = (buffer > NOTHING).astype(np.float32)
    oval = polygon(new[list(mesh.OVAL), :2], shape)
    if ((cover == 0) & (oval > 0)).any():
        at = np.where((cover == 0)[..., None], fill(at, cover), at)
        cover = np.maximum(cover, (oval > 0.5).astype(np.float32))
    at = _even(at, cover, new)
    x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    rgb = warp(ready.rgb, x, y, cv2.INTER_CUBIC)
    rgb = _with_twin(rgb, ready, target, depth, cover)
    rgb = _with_eyes(rgb, ready, target)
    return Face(np.clip(rgb, 0, 1), cover, x, y, _inside(ready, target, scene, shape))


def head(ready: Ready, target: Target, back: F32, scene: F32, shape: tuple[int, int]) -> Face:
    """Carry the whole head by a similarity, and its face to the target's landmarks; nothing beside the face bends.

    Args:
        ready: the reference, with the head turned already.
        target: landmarks in the scene's box.
        back: (2, 3) matrix from the box to the reference.
        scene: (478, 3) the scene's own landmarks in the box.
        shape: (h, w) of the box.
    """
    h, w = shape
    there = np.asarray(cv2.invertAffineTransform(back.astype(np.float64)), np.float32)
    old = ready.points[:468, :2] @ there[:, :2].T + there[:, 2]
    ring = old[list(mesh.OVAL)]
    skirt = ring.mean(0) + (ring - ring.mean(0)) * np.float32(_SKIRT)
    old = np.vstack([old, skirt]).astype(np.float32)
    new = np.vstack([target.points[:468, :2], skirt]).astype(np.float32)
    depth = -np.concatenate([target.points[:468, 2], target.points[list(mesh.OVAL), 2]])
    triangles = np.vstack([tp.skirted_triangles(), tp.closed_triangles()[len(tp.triangles()) :]])
    way, buffer = rasterise(new, depth, old - new, triangles, h, w)
    seen = (buffer > NOTHING).astype(np.float32)
    way = _even(way * seen[..., None], np.ones(shape, np.float32), target.points)
    gy, gx = np.mgrid[0:h, 0:w].astype(np.float32)
    u, v = gx + way[..., 0], gy + way[..., 1]
    x = (back[0, 0] * u + back[0, 1] * v + back[0, 2]).astype(np.float32)
    y = (back[1, 0] * u + back[1, 1] * v + back[1, 2]).astype(np.float32)
    rgb = warp(ready.rgb, x, y, cv2.INTER_CUBIC)
    rgb = _with_eyes(rgb, ready, target)
    return Face(np.clip(rgb, 0, 1), np.ones(shape, np.float32), x, y, _inside(ready, target, scene, shape))


def _with_eyes(rgb: F32, ready: Ready, target: Target) -> F32:
    for side in (0, 1):
        rgb = _eye(rgb, ready, target, side)
    return rgb


def _even(at: F32, cover: F32, points: F32) -> F32:
    """Source places without the kinks of the triangles, kept exact along lids and lips."""
    tall = float(np.ptp(points[:468, 1]))
    sigma = 0.012 * tall
    share = np.maximum(blur(cover, sigma), 1e-3)[..., None]
    even = blur(at * cover[..., None], sigma) / share
    sharp = np.zeros(cover.shape, np.float32)
    for ring in (mesh.LIPS, mesh.LID_LEFT, mesh.LID_RIGHT):
        sharp = np.maximum(sharp, polygon(points[list(ring), :2], (cover.shape[0], cover.shape[1])))
    reach = max(1, round(0.02 * tall))
    near = blur(cv2.dilate(sharp, np.ones((2 * reach + 1,) * 2, np.uint8)), 0.012 * tall)[..., None]
    out: F32 = (even + (at - even) * near).astype(np.float32)
    return out


def _facing(points: F32) -> F32:
    """(468,) cosine between the surface and the camera; below 0 it faces away."""
    p = points[:468].astype(np.float64)
    t = tp.closed_triangles()
    normal = np.cross(p[t[:, 1]] - p[t[:, 0]], p[t[:, 2]] - p[t[:, 0]])
    # All triangles of the mean face look the same way, whatever their order.
    q = mesh.canonical_face().astype(np.float64)
    own = np.cross(q[t[:, 1]] - q[t[:, 0]], q[t[:, 2]] - q[t[:, 0]])
    outward = q[t].mean(1) - np.array([0.0, 0.25, 0.55])
    normal *= np.sign((own * outward).sum(1))[:, None]
    total = np.zeros((468, 3))
    for k in range(3):
        np.add.at(total, t[:, k], normal)
    out: F32 = (-total[:, 2] / np.maximum(np.linalg.norm(total, axis=1), 1e-9)).astype(np.float32)
    return out


def _with_twin(rgb: F32, ready: Ready, target: Target, depth: F32, cover: F32) -> F32:
    """What the reference shows edge-on comes from the other half of its face, mirrored."""
    own = _facing(ready.points)
    twin = own[mesh.mirror_map()]
    shown = _facing(target.points)
    need = (1 - smoothstep(_HIDDEN, _SEEN, own)) * smoothstep(0.05, 0.25, twin - own) * smoothstep(0.0, 0.15, shown)
    if float(need.max()) < 0.05:
        return rgb
    h, w = cover.shape
    triangles = tp.closed_triangles()
    places = ready.points[:468, :2][mesh.mirror_map()]
    at, _ = rasterise(target.points[:468, :2], depth, places, triangles, h, w)
    weight, _ = rasterise(target.points[:468, :2], depth, np.stack([need, need], 1), triangles, h, w)
    tall = float(np.ptp(target.points[:468, 1]))
    share = blur(np.ascontiguousarray(weight[..., 0]), 0.02 * tall)
    if float(share.max()) < 0.02:
        return rgb
    at = _even(at, cover, target.points)
    other = warp(ready.rgb, np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1]), cv2.INTER_CUBIC)
    # The halves stand in different light: the seen one sets the level where both are known.
    both = cover * np.clip(1 - share, 0, 1) * smoothstep(0.0, 0.1, share)
    if float(both.sum()) > 30:
        level = (rgb * both[..., None]).sum((0, 1)) / np.maximum((other * both[..., None]).sum((0, 1)), 1e-3)
        other = other * np.clip(level, 0.6, 1.6).astype(np.float32)
    out: F32 = rgb + (other - rgb) * share[..., None]
    return out


def _eye(rgb: F32, ready: Ready, target: Target, side: int) -> F32:
    """An eyeball behind the new lids: the reference's iris, round, where the scene's looks."""
    upper, lower = tp.LIDS[side]
    iris = tp.IRISES[side]
    new, old = target.points, ready.points
    tall = float(np.ptp(new[:468, 1]))
    gap = float(np.linalg.norm(new[upper[3:6], :2] - new[lower[3:6], :2], axis=1).mean())
    wide = float(np.linalg.norm(new[upper[0], :2] - new[upper[-1], :2]))
    seen = step(0.08, 0.16, gap / max(wide, 1e-3))
    if seen == 0 or wide < 6:
        return rgb
    ball, corner = _ball(ready, side)
    h, w = rgb.shape[:2]
    hole = polygon(opening(new[upper, :2], new[lower, :2]), (h, w), max(0.4, 0.003 * tall)) * np.float32(seen)
    ys, xs = np.nonzero(hole > 0.004)
    if not len(ys):
        return rgb
    box = np.s_[int(ys.min()) : int(ys.max()) + 1, int(xs.min()) : int(xs.max()) + 1]
    y, x = np.mgrid[box].astype(np.float32)
    back = np.linalg.inv(target.linear)
    dx, dy = x - new[iris.start, 0], y - new[iris.start, 1]
    u = old[iris.start, 0] - corner[0] + np.float32(back[0, 0]) * dx + np.float32(back[0, 1]) * dy
    v = old[iris.start, 1] - corner[1] + np.float32(back[1, 0]) * dx + np.float32(back[1, 1]) * dy
    there = warp(ball, u.astype(np.float32), v.astype(np.float32), cv2.INTER_CUBIC)
    lid = stroke(new[upper, :2], (h, w), max(1.0, 0.014 * tall), 1.0, max(0.5, 0.008 * tall))[box]
    there = there * (1 - 0.32 * lid)[..., None]
    out = rgb.copy()
    out[box] += (there - out[box]) * hole[box][..., None]
    return out


def _ball(ready: Ready, side: int) -> tuple[F32, tuple[int, int]]:
    """The reference's eye without lids (h, w, 3), and the corner of that box."""
    upper, lower = tp.LIDS[side]
    points = ready.points[:468, :2]
    zero = np.zeros((1, 1), np.float32)
    moved = Moved(ready.rgb, points, points, zero, zero, face_frame(ready.points), 1.0, 0)
    rim = upper + lower
    patch = moved.patch(rim + tp.CREASES[side][0], 0.10 * moved.face)
    ball = eyes.eyeball(moved, patch, ready.points, side, np.zeros(2, np.float32))
    return np.ascontiguousarray(ball, np.float32), (patch.x, patch.y)


def _inside(ready: Ready, target: Target, scene: F32, shape: tuple[int, int]) -> Inside | None:
    """The scene's own mouth between the new lips, where it is opened unlike the reference's."""
    there, here = mouth_gap(scene), mouth_gap(ready.points)
    # A mouth that is hardly opened farther, for the sake of identity, keeps its own teeth.
    wider = mouth_gap(target.points) - here
    other = step(0.03, 0.06, wider) if there > here else step(0.12, 0.25, here - there)
    if other == 0 or there < 0.03:
        return None
    new = target.points
    tall = float(np.ptp(new[:468, 1]))
    ring = opening(new[tp.INNER_UPPER, :2], new[tp.INNER_LOWER, :2])
    share = polygon(ring, shape, max(0.5, 0.006 * tall)) * np.float32(other)
    # Its teeth go where the new lips are, or the scene's lip would look like a tongue.
    way, buffer = rasterise(
        new[:468, :2], -new[:468, 2], (scene - new)[:468, :2], tp.closed_triangles()[len(tp.triangles()) :], *shape
    )
    seen = (buffer > NOTHING).astype(np.float32)
    if not seen.any():
        return None
    near = blur(seen, 0.01 * tall)
    way = np.asarray(blur(way, 0.01 * tall) / np.maximum(near, 1e-3)[..., None], np.float32)
    share = np.asarray(share * smoothstep(0.0, 0.1, near), np.float32)
    gy, gx = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    return Inside(share, np.asarray(gx + way[..., 0], np.float32), np.asarray(gy + way[..., 1], np.float32))
