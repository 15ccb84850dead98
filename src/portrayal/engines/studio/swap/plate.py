"""The scene without its old head: its surroundings go on where hair was, and the neck under the chin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.fields import blur, disc, fill, resize, smoothstep, warp
from portrayal.engines.studio.swap.face import Box
from portrayal.engines.studio.swap.shape import Target
from portrayal.imaging import F32, U8, Array, Bool
from portrayal.perception import mesh
from portrayal.perception.matte import person_matte
from portrayal.perception.regions import parse_regions
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN, FaceReading

# Cheek-to-cheek width at which the old head is looked at: its outline is covered or painted over with room.
_WIDTH: Final = 110.0
_GRID: Final = 150.0  # height of a face on the grid on which the way to the surroundings is found
# How far beyond the border the surroundings are mirrored, in depths; the first that lands on them counts.
_TIMES: Final = (1.45, 1.3, 1.15)
_MISFIT: Final = (0.05, 0.12)  # mean difference up to which mirrors along the rows fit well, and from which not
# What glows beside skin and hair, in face heights; nothing is copied from there.
_GLOW, _HALO, _NEVER = 0.055, 0.10, 0.13


@dataclass(frozen=True)
class Old:
    """The scene's head: its matte and labels in the box, and its jaw's line (w,) y by column."""

    alpha: F32
    labels: U8
    jaw: F32


def old_head(box: Box, target: FaceReading, alpha: F32 | None = None) -> Old:
    """Find the head that goes; `alpha` is the person's matte of the box where it is known."""
    k = min(1.0, _WIDTH / float(target.pose.scale))
    h, w = box.shape
    size = (max(8, round(w * k)), max(8, round(h * k)))
    by = np.array([size[0] / w, size[1] / h], np.float32)
    corner = np.array([box.x, box.y], np.float32)
    points = box.points * np.array([*by, by[0]], np.float32)
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    moved = replace(
        target,
        face=replace(
            target.face,
            box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
            keypoints=((target.face.keypoints - corner) * by).astype(np.float32),
        ),
        points=points.astype(np.float32),
        pose=replace(
            target.pose,
            scale=target.pose.scale * float(by[0]),
            origin=((target.pose.origin - np.array([*corner, 0])) * by[0]).astype(np.float32),
        ),
    )
    small = np.asarray(cv2.resize(box.original, size, interpolation=cv2.INTER_AREA), np.uint8)
    matte = person_matte(small, moved) if alpha is None else resize(alpha, size)
    labels = parse_regions(small, matte, moved).labels
    if k < 1:
        labels = _enlarged(labels, (w, h))
        matte = resize(matte, (w, h)) if alpha is None else alpha
    return Old(matte, labels, jaw_line(box.points, w))


def _enlarged(labels: U8, size: tuple[int, int]) -> U8:
    """Labels at (width, height), with even borders."""
    names = np.unique(labels)
    shares = [resize((labels == name).astype(np.float32), size) for name in names]
    return np.asarray(names[np.argmax(shares, 0)], np.uint8)


def jaw_line(points: F32, width: int) -> F32:
    """(w,) height of the jaw in each column; beside the face that of its corners."""
    line = points[list(tp.JAW_LINE), :2]
    order = np.argsort(line[:, 0])
    out: F32 = np.interp(np.arange(width), line[order, 0], line[order, 1]).astype(np.float32)
    return out


def plate(box: Box, old: Old, alpha: F32, new: Target, tall: float) -> F32:
    """The scene without its old head: neck goes on under the chin, the rest continues the surroundings.

    Args:
        box: the scene.
        old: its head.
        alpha: (h, w) 0..1, where the new head hides it.
        new: the new face.
        tall: height of the face in pixels.
    """
    y = np.arange(box.shape[0], dtype=np.float32)[:, None]
    body = (old.labels == CLOTHING) & (y > old.jaw[None] - 0.25 * tall)
    # Where the old neck is wider than the new jaw it begins lower, with a slope: the lobes above are the old head's.
    out_by = beside(new, box.shape[1])
    low = 0.4 * box.points[list(mesh.LIPS), 1].mean() + 0.6 * box.points[mesh.CHIN, 1]
    start = old.jaw + 0.02 * tall + 1.2 * out_by
    start = np.where(out_by > 0, np.maximum(start, low), start)
    neck = (old.labels == SKIN) & (y > start[None])
    # Thin strips beside the neck are light, not hair.
    solid = _opened(np.isin(old.labels, (FACE, HAIR, SKIN)) & ~neck, 0.03 * tall)
    # Soft edges belong to what is nearest; light from behind makes hair glow beyond its matte.
    from_head, from_body = _away(solid), _away(body | neck)
    near = from_head < from_body
    from_hair = _away((old.labels == HAIR) & solid)
    gone = ((old.alpha > 0.04) | (from_head < _GLOW * tall) | (from_hair < _HALO * tall)) & near
    never = gone | (from_hair < _NEVER * tall) | (from_body < 0.03 * tall) | (old.alpha > 0.04)
    gone &= box.mask > 0
    hole = gone & (alpha < 0.985)
    if not hole.any():
        return box.rgb
    under = _under_chin(hole, old, neck, new, tall)
    out = box.rgb.copy()
    rest = hole & (under < 0.5)
    if rest.any():
        filled = _continued(box.rgb, never, tall)
        # What only glows, at the border, blends into the picture.
        soft = smoothstep(0.0, 0.04 * tall, _away(~gone)) * rest
        out += (filled - out) * soft[..., None]
    if float(under.max()) > 0:
        skin = _skin_on(out, neck, tall)
        share = blur(under, 0.006 * tall) * hole
        out += (skin - out) * share[..., None]
    return out


def beside(new: Target, width: int) -> F32:
    """(w,) how far each column lies beside the jaw of the new face, in pixels."""
    jaw = new.points[list(tp.JAW_LINE), :2]
    jaw = jaw[jaw[:, 1] >= new.points[list(mesh.LIPS), 1].mean()]
    x = np.arange(width, dtype=np.float32)
    out: F32 = np.maximum(np.maximum(jaw[:, 0].min() - x, x - jaw[:, 0].max()), 0).astype(np.float32)
    return out


def _opened(mask: Bool, radius: float) -> Bool:
    """A mask without what is thinner than a disc."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(radius)), np.uint8) > 0


def _away(mask: Bool) -> F32:
    """(h, w) distance to the nearest pixel of a mask."""
    if not mask.any():
        return np.full(mask.shape, 1e6, np.float32)
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3), np.float32)


def _continued(rgb: F32, hole: Bool, tall: float) -> F32:
    """The surroundings of a hole mirrored into it.

    Beside the new head only a ring of the hole is seen: what counts is that it meets the picture without a step, with
    its own texture and grain. A mirror at the nearest border does so whatever the picture shows, but bends lines; where
    mirrors at the borders on the same height (a horizon, a ceiling, shelves go on) fit as well, those are taken.
    """
    h, w = hole.shape
    if hole.all():
        return rgb
    k = min(1.0, _GRID / tall)
    size = (max(8, round(w * k)), max(8, round(h * k)))
    inside = (resize(hole.astype(np.float32), size) > 0.02).astype(np.uint8)
    if inside.all():
        return fill(rgb, (~hole).astype(np.float32))
    small, unit = resize(rgb, size), tall * k
    gx, gy = np.arange(w, dtype=np.float32)[None], np.arange(h, dtype=np.float32)[:, None]

    def carried(way: F32) -> F32:
        if (w, h) == size:
            return _moved(rgb, way[..., 0] + gx, way[..., 1] + gy)
        x, y = (resize(np.ascontiguousarray(way[..., i]), (w, h)) * np.float32((w, h)[i] / size[i]) for i in (0, 1))
        return _moved(rgb, x + gx, y + gy)

    way, border = _way_out(inside, 0.05 * unit)
    out = carried(way)
    # A pixel more, as fields are interpolated.
    rows = _rows(np.asarray(cv2.dilate(inside, np.ones((3, 3), np.uint8)), np.uint8))
    if rows is None:
        return out
    left, right, share = rows
    level, change = _fits(small, inside, border, unit)
    if float(level.max()) < 0.02:
        return out
    both = resize(share, (w, h))[..., None]
    across = carried(left)
    across += (carried(right) - across) * both + resize(change, (w, h))
    out += (across - out) * resize(level, (w, h))[..., None]
    return out


def _moved(rgb: F32, x: F32, y: F32) -> F32:
    return warp(rgb, np.asarray(x, np.float32), np.asarray(y, np.float32), cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101)


def _rows(hole: U8) -> tuple[F32, F32, F32] | None:
    """(h, w, 2) from each pixel of a hole to its mirror at the border to the left and to the right of it.

    The third is the share of the right one. None where a row is all hole.
    """
    h, w = hole.shape
    free = hole == 0
    if not free.any(1).all():
        return None
    x = np.broadcast_to(np.arange(w), (h, w))
    left = np.maximum.accumulate(np.where(free, x, -1), 1)
    right = np.minimum.accumulate(np.where(free, x, 2 * w)[:, ::-1], 1)[:, ::-1]
    left, right = np.where(left < 0, right, left), np.where(right >= w, left, right)
    ways = []
    for at in (left, right):
        way = np.zeros((h, w, 2), np.float32)
        mirrored = np.clip(np.round(at + (at - x) * (_TIMES[0] - 1)).astype(np.int64), 0, w - 1)
        lands = np.take_along_axis(free, mirrored, 1)
        way[..., 0] = np.where(lands, mirrored, at) - x
        ways.append(way)
    span = np.maximum(right - left, 1).astype(np.float32)
    share = smoothstep(0.25, 0.75, ((x - left) / span).astype(np.float32))
    return ways[0], ways[1], share


def _fits(small: F32, hole: U8, border: Array, unit: float) -> tuple[F32, F32]:
    """How well mirrors along the rows meet the picture at a hole's border (h, w) 0..1, carried into the hole.

    It is tried out on a known ring around the hole. The second is the change of light (h, w, 3) that they need.
    """
    h, w = hole.shape
    grown = np.asarray(cv2.dilate(hole, disc(0.07 * unit)), np.uint8)
    rows = _rows(grown)
    if rows is None:
        return np.zeros((h, w), np.float32), np.zeros((h, w, 3), np.float32)
    gx, gy = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    left, right = (_moved(small, gx + way[..., 0], gy + way[..., 1]) for way in rows[:2])
    ring = (grown - hole).astype(np.float32)
    off = (small - left - (right - left) * rows[2][..., None]) * ring[..., None]
    known = np.maximum(blur(ring, 0.05 * unit), 1e-3)
    good = smoothstep(_MISFIT[1], _MISFIT[0], blur(np.abs(off).max(2), 0.05 * unit) / known)
    change = blur(off, 0.05 * unit) / known[..., None]
    # What differs at the border counts less and less inside.
    x, y = border[..., 0], border[..., 1]
    depth = np.hypot(x - gx, y - gy)
    fade = np.exp(-((depth / (0.25 * unit)) ** 2))[..., None]
    inner = blur(np.asarray(change[y, x], np.float32), 0.06 * unit) * fade
    return blur(good[y, x], 0.06 * unit), np.asarray(inner, np.float32)


def _way_out(hole: U8, even: float) -> tuple[F32, Array]:
    """(h, w, 2) from each pixel of a hole to the mirrored one outside of it, 0 elsewhere.

    The second (h, w, 2) is the place of the nearest pixel outside.

    Args:
        hole: (h, w) 0 or 1.
        even: sigma over which directions are smoothed, in pixels.
    """
    h, w = hole.shape
    _, names = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ys, xs = np.nonzero(hole == 0)
    place = np.zeros((int(names.max()) + 1, 2), np.int64)
    place[names[ys, xs]] = np.stack([xs, ys], -1)
    grid = np.stack(np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)), -1)
    nearest = place[names]
    straight: F32 = (nearest - grid).astype(np.float32)
    depth = np.hypot(straight[..., 0], straight[..., 1])
    direction = blur(straight / np.maximum(depth, 1e-6)[..., None], even)
    direction /= np.maximum(np.hypot(direction[..., 0], direction[..., 1]), 1e-3)[..., None]
    # Where even the shortest of them does not lead out, the nearest pixel is stretched.
    out = straight.copy()
    found = np.zeros((h, w), bool)
    free = (1 - hole).astype(np.float32)
    for times in _TIMES:
        step = direction * (np.float32(times) * depth)[..., None]
        there = grid + step
        known = warp(free, np.ascontiguousarray(there[..., 0]), np.ascontiguousarray(there[..., 1])) > 0.99
        take = known & ~found
        out[take] = step[take]
        found |= known
    inside = hole.astype(np.float32)
    smooth = blur(out * inside[..., None], 0.3 * even) / np.maximum(blur(inside, 0.3 * even), 1e-3)[..., None]
    return np.asarray(smooth * inside[..., None], np.float32), nearest


def _under_chin(hole: Bool, old: Old, neck: Bool, new: Target, tall: float) -> F32:
    """Where the old chin was and the neck must go on (h, w) 0..1: between the neck's sides, below the new jaw."""
    h, w = hole.shape
    if neck.sum() < 0.01 * tall * tall:
        return np.zeros((h, w), np.float32)
    y = np.arange(h, dtype=np.float32)[:, None]
    chin = float(new.points[mesh.CHIN, 1])
    rows = neck & (y < float(old.jaw.max()) + 0.25 * tall)
    columns = np.flatnonzero(rows.sum(0) > 0.02 * tall)
    if not len(columns):
        return np.zeros((h, w), np.float32)
    inside = np.zeros((h, w), np.float32)
    inside[:, columns[0] : columns[-1] + 1] = 1
    return hole * inside * (y > chin - 0.35 * tall) * (y < old.jaw[None] + 0.08 * tall)


def _skin_on(rgb: F32, neck: Bool, tall: float) -> F32:
    """The neck's colour continued, with its own fine texture."""
    known = cv2.erode(neck.astype(np.uint8), disc(0.012 * tall)).astype(np.float32)
    if known.sum() < 20:
        known = neck.astype(np.float32)
    smooth = blur(fill(rgb, known), 0.01 * tall)
    fine = (rgb - blur(rgb, 0.012 * tall))[known > 0]
    grain = np.random.default_rng(7).standard_normal(neck.shape).astype(np.float32)
    grain = blur(grain, 0.7)
    grain *= np.float32(min(0.02, float(fine.std()) if len(fine) else 0.0) / max(float(grain.std()), 1e-6))
    return np.asarray(smooth + grain[..., None], np.float32)
