"""Eyeballs that look elsewhere, and lids that close."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.face import Moved, Patch
from portrayal.engines.studio.head.fields import blur, disc, fill, opening, polygon, smoothstep, step, stroke
from portrayal.engines.studio.head.frame import FaceFrame
from portrayal.engines.studio.head.presets import Preset
from portrayal.imaging import F32, F64, Array

# Movement of the iris for a full look aside and up or down, in radii: more would show the unseen edge of the eyeball.
_ASIDE, _UP = 0.80, 0.45
_RINGS = 24


def gaze_shift(points: F32, iris: slice, frame: FaceFrame, preset: Preset, strength: float) -> F32:
    """(2,) movement of an iris in pixels."""
    r = _radius(points, iris) * strength
    # y of a gaze points up, the face's axis down.
    move: F64 = _ASIDE * preset.gaze_x * r * frame.right - _UP * preset.gaze_y * r * frame.down
    return move.astype(np.float32)


def _radius(points: F32, iris: slice) -> float:
    _, a, b, c, d = points[iris, :2]
    return 0.26 * float(np.linalg.norm(a - c) + np.linalg.norm(b - d))


def painted(rgb: F32, face: Moved, points: F32, preset: Preset) -> F32:
    """Paint both eyes of the new face.

    Args:
        rgb: (h, w, 3) the face, already moved.
        points: (478, 3) landmarks before, in its pixels.
    """
    out = rgb.copy()
    for side in (0, 1):
        upper, lower = tp.LIDS[side]
        rims = upper + lower
        shift = gaze_shift(points, tp.IRISES[side], face.frame, preset, face.strength)
        moves = float(np.abs(face.new[rims] - face.old[rims]).max()) + float(np.abs(shift).max())
        patch = face.patch(rims + tp.CREASES[side][0], 0.10 * face.face)
        if moves < 0.002 * face.face or patch.empty:
            continue
        part = out[patch.rows, patch.columns]
        open_now = _openness(face, side)
        hole = polygon(patch.local(opening(face.new[upper], face.new[lower])), patch.shape, 0.0022 * face.face)
        hole *= step(0.04, 0.16, open_now)
        ball = eyeball(face, patch, points, side, shift)
        part = part + (ball - part) * hole[..., None]
        part = _lid_shadow(part, face, patch, side, hole, open_now)
        shut = step(0.25, 1.0, 1 - open_now)
        if shut > 0.02:
            part = _lid(part, face, patch, side, shut)
        out[patch.rows, patch.columns] = part
    return out


def _openness(face: Moved, side: int) -> float:
    """Opening of an eye, as a share of the reference's."""
    upper, lower = tp.LIDS[side]

    def gap(v: F32) -> float:
        return float(np.mean((v[lower[2:-2]] - v[upper[2:-2]]) @ face.frame.down))

    return min(max(gap(face.new) / max(gap(face.old), 1e-3), 0.0), 1.0)


@dataclass(frozen=True)
class _Iris:
    centre: F32
    radius: float
    distance: F32  # (h, w) from the centre, in radii


def eyeball(face: Moved, patch: Patch, points: F32, side: int, shift: F32) -> F32:
    """The eye without lids: white of the eye everywhere, and the whole iris at its new place (patch, 3)."""
    iris = tp.IRISES[side]
    r = max(_radius(points, iris), 1.0)
    cx, cy = patch.local(points[iris, :2])[0]
    gx, gy = np.meshgrid(np.arange(patch.width, dtype=np.float32), np.arange(patch.height, dtype=np.float32))
    it = _Iris(np.array([cx, cy], np.float32), r, np.hypot(gx - cx, gy - cy) / np.float32(r))
    upper, lower = tp.LIDS[side]
    seen = polygon(patch.local(opening(face.old[upper], face.old[lower])), patch.shape) > 0.5
    seen_sure = cv2.erode(seen.astype(np.float32), np.ones((max(1, int(0.12 * r)),) * 2, np.uint8))
    old = face.rgb[patch.rows, patch.columns]
    white = _white(old, seen_sure, it)
    colour = _whole_iris(old, seen_sure, it)
    mask = 1 - smoothstep(0.92, 1.10, it.distance)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    size = (patch.width, patch.height)
    there = cv2.warpAffine(colour, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    cover = np.asarray(cv2.warpAffine(mask, matrix, size), np.float32)[..., None]
    out: F32 = white + (there - white) * cover
    return out


def _white(old: F32, seen: Array, it: _Iris) -> F32:
    """The white of the eye continued under the iris and the lids."""
    where = seen * (it.distance > 1.18)
    light = old.mean(-1)
    if where.sum() > 8:
        where = where * (light > np.quantile(light[where > 0], 0.35))
    if where.sum() <= 4:
        grey = np.array([0.72, 0.68, 0.66], np.float32) * max(0.4, float(light.max()))
        return np.broadcast_to(grey, old.shape).astype(np.float32)
    white = blur(fill(old, where.astype(np.float32)), 0.35 * it.radius)
    own = (seen * (it.distance > 1.18) > 0)[..., None]
    return blur(np.where(own, 0.6 * old + 0.4 * white, white), 0.06 * it.radius)


def _whole_iris(old: F32, seen: Array, it: _Iris) -> F32:
    """The iris with the part under the lids completed by the mean of each ring that is seen."""
    visible = (seen > 0) & (it.distance < 1.15)
    ring = np.clip((it.distance * (_RINGS / 1.3)).astype(int), 0, _RINGS - 1)
    profile = np.full((_RINGS, 3), 0.1, np.float32)
    for i in range(_RINGS):
        pixels = old[visible & (ring == i)]
        if len(pixels) >= 2:
            profile[i] = np.median(pixels, 0)
        elif i:
            profile[i] = profile[i - 1]
    at = (np.arange(_RINGS) + 0.5) * 1.3 / _RINGS
    rings = np.stack([np.interp(it.distance, at, profile[:, k]) for k in range(3)], -1)
    depth = np.asarray(cv2.distanceTransform(visible.astype(np.uint8), cv2.DIST_L2, 3), np.float32)
    own = blur(visible * smoothstep(0, 0.2 * it.radius, depth), 0.05 * it.radius)[..., None]
    return (rings + (old - rings) * own).astype(np.float32)


def _lid_shadow(part: F32, face: Moved, patch: Patch, side: int, hole: F32, open_now: float) -> F32:
    """The upper lid shades the eyeball below it."""
    upper, _ = tp.LIDS[side]
    line = stroke(patch.local(face.new[upper]), patch.shape, 0.014 * face.face, 1.0, 0.008 * face.face)
    shade = 0.30 * line * hole * step(0.1, 0.5, open_now)
    out: F32 = part * (1 - shade)[..., None]
    return out


def _lid_skin(face: Moved, patch: Patch, side: int) -> tuple[F32, F32]:
    """The reference with eye and lashes replaced by the lid's skin, and the colour of the lashes.

    A closing lid stretches the few rows of skin above the lashes; stretching the lashes along looks wrong.
    """
    old = face.rgb[patch.rows, patch.columns]
    upper, lower = (patch.local(face.old[row]) for row in tp.LIDS[side])
    crease = patch.local(face.old[tp.CREASES[side][0]])
    top = upper + (crease - upper) * 0.70
    hide = polygon(np.vstack([top, (lower + (lower - upper) * 0.15)[::-1]]), patch.shape)
    hide = np.asarray(cv2.dilate(hide, disc(0.008 * face.face)), np.float32)
    wide = np.vstack([crease + (crease - upper) * 0.5, (lower + (lower - crease) * 0.5)[::-1]])
    around = (polygon(wide, patch.shape) > 0.5) & (hide < 0.1)
    light = old.mean(-1)
    usual = float(np.quantile(light[around], 0.6)) if around.sum() > 8 else float(light.mean())
    known = ((1 - hide) * (light > 0.72 * usual)).astype(np.float32)
    skin = blur(fill(old, known), 0.006 * face.face)
    hidden = old[hide > 0.5]
    lashes = np.quantile(hidden, 0.08, axis=0) if len(hidden) else np.full(3, 0.2 * usual)
    return skin, lashes.astype(np.float32)


def _lid(part: F32, face: Moved, patch: Patch, side: int, shut: float) -> F32:
    """A lid that is closing: its skin, the light on its bulge, and the line of lashes."""
    skin, lash = _lid_skin(face, patch, side)
    upper = patch.local(face.new[tp.LIDS[side][0]])
    crease = patch.local(face.new[tp.CREASES[side][0]])
    area = np.vstack([upper + (crease - upper) * 0.9, (upper + (upper - crease) * 0.22)[::-1]])
    cover = polygon(area, patch.shape, 0.008 * face.face) * np.float32(step(0.5, 0.9, shut))
    whole = face.rgb.copy()
    whole[patch.rows, patch.columns] = skin
    moved = blur(face.carried(whole, patch, cv2.INTER_LINEAR), 0.004 * face.face)
    bulge = (upper + (crease - upper) * 0.45)[2:-2]
    light = stroke(bulge, patch.shape, 0.020 * face.face, 1.0, 0.016 * face.face)
    skinned = moved * (1 + 0.10 * light)[..., None] + _texture(face, patch)
    part = part + (skinned - part) * cover[..., None]
    drawn = _lashes(face, patch, side, upper, shut)
    out: F32 = part + (lash - part) * drawn[..., None]
    return out


def _texture(face: Moved, patch: Patch) -> F32:
    """Pores and grain of the cheek below (patch, 3), so that a painted lid is as fine as the skin around it."""
    h, w = face.shape
    down = face.frame.down * 0.17 * face.face
    rows = np.clip(np.arange(patch.y, patch.y + patch.height) + round(float(down[1])), 0, h - 1)
    columns = np.clip(np.arange(patch.x, patch.x + patch.width) + round(float(down[0])), 0, w - 1)
    cheek = face.rgb[np.ix_(rows, columns)]
    out: F32 = np.clip(cheek - blur(cheek, 0.006 * face.face), -0.04, 0.04)
    return out


def _lashes(face: Moved, patch: Patch, side: int, upper: F32, shut: float) -> F32:
    """(h, w) coverage by the lid's dark rim and short lashes that point down and outwards."""
    n = 28
    t = np.linspace(0.05, 0.97, n)
    at = np.linspace(0, 1, len(upper))
    line = np.stack([np.interp(t, at, upper[:, 0]), np.interp(t, at, upper[:, 1])], 1)
    line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    down = face.frame.down
    line = line + down * 0.004 * face.unit
    outwards = (line[0] - line[-1]) / max(float(np.linalg.norm(line[0] - line[-1])), 1e-6)
    rim = np.zeros(patch.shape, np.float32)
    short = np.zeros(patch.shape, np.float32)
    rng = np.random.default_rng([face.seed, side])
    fixed = np.round(line * 16).astype(int)
    for i in range(n - 1):
        width = max(1, round(0.0085 * face.face * (1 - 0.55 * t[i])))
        a, b = tuple(map(int, fixed[i])), tuple(map(int, fixed[i + 1]))
        cv2.line(rim, a, b, float(0.95 - 0.45 * t[i]), width, cv2.LINE_AA, 4)
        skip, lean, long = rng.random(3)
        if i == 0 or i > n - 5 or skip < 0.25:
            continue
        direction = down * (0.35 + 0.45 * lean) + outwards * (0.75 - 1.1 * t[i])
        direction = direction / np.linalg.norm(direction)
        end = line[i] + direction * face.unit * (0.030 + 0.022 * long) * (1.1 - 0.6 * t[i])
        cv2.line(short, a, tuple(map(int, np.round(end * 16))), 0.55, 1, cv2.LINE_AA, 4)
    cover = 1.05 * blur(rim, 0.0034 * face.face)
    cover += 0.75 * step(0.6, 1.0, shut) * blur(short, max(0.6, 0.0030 * face.face))
    out: F32 = np.clip(cover, 0, 0.82) * np.float32(step(0.45, 0.9, shut))
    return out
