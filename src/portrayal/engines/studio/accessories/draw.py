"""Parts of things drawn as the camera sees them: an unlit `Surface` over the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.accessories.frame import HeadFrame
from portrayal.engines.studio.accessories.solids import Part
from portrayal.engines.studio.cloth import fabrics
from portrayal.engines.studio.cloth.merge import zero
from portrayal.engines.studio.cloth.surface import NOWHERE, Surface, empty
from portrayal.engines.studio.head.raster import NOTHING, rasterise
from portrayal.engines.studio.types import Subject
from portrayal.imaging import F32, Array, Bool
from portrayal.perception.types import FACE, HAIR

_FINE: Final = 40.0  # samples per cm that are enough; never more than 3 by 3 per pixel
_SUNK: Final = 0.7  # cm by which a thing may lie below the modelled face without being hidden by it
_BEHIND: Final = -50.0  # clear glass gives way to whatever is there


@dataclass(frozen=True)
class _Samples:
    """Samples of a box (h * fine, w * fine): part (-1 = none), weight 0..1, cm of cloth, normals, depth."""

    part: Array
    weight: F32
    uv: F32
    normals: F32
    depth: F32


def draw(subject: Subject, frame: HeadFrame, parts: list[Part], skull: Part | None, seed: int) -> Surface | None:
    """Draw parts in front of a subject.

    Args:
        skull: hides what is behind it and shows nothing itself; None = nothing but the face does.
        seed: of the cloth.

    Returns:
        None when nothing of it is in the picture.
    """
    rows, columns = subject.alpha.shape
    flat = np.concatenate([frame.project(p.at)[0].reshape(-1, 2) for p in parts])
    x0, y0 = (int(v) for v in np.maximum(np.floor(flat.min(0)) - 2, 0))
    x1, y1 = (int(v) for v in np.minimum(np.ceil(flat.max(0)) + 3, (columns, rows)))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return None
    box = (slice(y0, y1), slice(x0, x1))
    fine = int(np.clip(round(_FINE / frame.scale), 2, 4))
    samples = _samples(frame, parts, skull, box, fine)
    samples = _hidden(samples, parts, subject, box, fine)
    return _surface(samples, parts, frame, box, fine, (columns, rows), seed)


def _triangles(first: int, n: int, m: int) -> Array:
    i = first + np.arange(n * m).reshape(n, m)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.int32)


def _normals(at: F32, frame: HeadFrame) -> F32:
    """(n, m, 3) unit vectors over the light axes; a grid whose last column repeats the first is closed."""
    p = at @ frame.turn.T * np.array([1, -1, -1], np.float32)
    down, across = np.gradient(p, axis=0), np.gradient(p, axis=1)
    if p.shape[1] > 3 and np.abs(p[:, 0] - p[:, -1]).max() < 1e-3:
        across[:, 0] = across[:, -1] = (p[:, 1] - p[:, -2]) / 2
    if p.shape[0] > 3 and np.abs(p[0] - p[-1]).max() < 1e-3:
        down[0] = down[-1] = (p[1] - p[-2]) / 2
    n = np.cross(across, down)
    return np.asarray(n / np.maximum(np.linalg.norm(n, axis=2, keepdims=True), 1e-9), np.float32)


def _samples(frame: HeadFrame, parts: list[Part], skull: Part | None, box: tuple[slice, slice], fine: int) -> _Samples:
    h, w = (box[0].stop - box[0].start) * fine, (box[1].stop - box[1].start) * fine
    corner = np.array([box[1].start, box[0].start], np.float32)
    wide = max(p.at.shape[1] for p in parts)
    high = sum(p.at.shape[0] for p in parts)
    normals, other = np.zeros((high, wide, 3), np.float32), np.zeros((high, wide, 3), np.float32)
    number = np.zeros(high, np.int32)
    points, depth, places, triangles = [], [], [], []
    row = count = 0
    for i, part in enumerate(parts):
        n, m = part.at.shape[:2]
        pixels, near = frame.project(part.at)
        points.append(((pixels - corner + 0.5) * fine - 0.5).reshape(-1, 2))
        depth.append((near + np.float32(_BEHIND if part.clear else 0)).ravel())
        v, u = np.mgrid[row : row + n, :m].astype(np.float32)
        places.append(np.stack([u, v], -1).reshape(-1, 2))
        triangles.append(_triangles(count, n, m))
        normals[row : row + n, :m] = _normals(part.at, frame)
        other[row : row + n, :m, :2] = part.uv
        other[row : row + n, :m, 2] = part.cover
        number[row : row + n] = i
        row, count = row + n, count + n * m
    uv, buffer = rasterise(np.concatenate(points), np.concatenate(depth), np.concatenate(places),
                           np.concatenate(triangles), h, w)  # fmt: skip
    there = buffer > NOTHING / 2
    part_of = np.where(there, number[np.clip(np.round(uv[..., 1]).astype(np.int32), 0, high - 1)], -1)
    clear = np.array([p.clear for p in parts])[part_of] & there
    buffer = np.where(clear, buffer - np.float32(_BEHIND), buffer)
    if skull is not None:
        behind = buffer < _occluder(frame, skull, corner, fine, (h, w)) - 0.05
        part_of[behind & ~np.array([p.back for p in parts])[part_of]] = -1
    n = np.asarray(cv2.remap(normals, uv[..., 0], uv[..., 1], cv2.INTER_LINEAR), np.float32)
    o = cv2.remap(other, uv[..., 0], uv[..., 1], cv2.INTER_LINEAR)
    _faced(n, part_of, parts)
    weight = np.where(part_of >= 0, o[..., 2], 0).astype(np.float32)
    return _Samples(part_of, weight, np.ascontiguousarray(o[..., :2]), n, buffer)


def _occluder(frame: HeadFrame, skull: Part, corner: F32, fine: int, size: tuple[int, int]) -> F32:
    pixels, near = frame.project(skull.at)
    flat = ((pixels - corner + 0.5) * fine - 0.5).reshape(-1, 2)
    n, m = skull.at.shape[:2]
    _, buffer = rasterise(flat, near.ravel(), np.zeros_like(flat), _triangles(0, n, m), *size)
    return buffer


def _faced(normals: F32, part_of: Array, parts: list[Part]) -> None:
    """Turn normals towards the camera, in place: solids as a whole, sheets where their other face is seen."""
    for i, part in enumerate(parts):
        at = part_of == i
        if not at.any():
            continue
        n = normals[at]
        n *= np.where(n[:, 2:] < 0, -1, 1) if not part.solid else (1 if np.median(n[:, 2]) >= 0 else -1)
        n[:, 2] = np.maximum(n[:, 2], 0.02)
        normals[at] = n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-6)


def _hidden(samples: _Samples, parts: list[Part], subject: Subject, box: tuple[slice, slice], fine: int) -> _Samples:
    """Without what the face, and the hair over it, hide."""
    size = (samples.part.shape[1], samples.part.shape[0])
    rows = subject.alpha.shape[0]
    grid = subject.height.shape[0] / rows
    scale = np.float32(1 / (grid * _cm(subject)))
    canvas = (subject.alpha.shape[1], rows)
    whole = np.asarray(cv2.resize((subject.height - np.float32(zero(subject))) * scale, canvas), np.float32)
    face = subject.face[box] * (subject.regions[box] == FACE)
    field = np.where(face > 0.5, whole[box], np.float32(NOWHERE)).astype(np.float32)
    field = np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_NEAREST), np.float32)
    gone: Bool = samples.depth < field - np.float32(_SUNK)
    tucked = np.array([p.tucked for p in parts])[samples.part] & (samples.part >= 0)
    if tucked.any():
        gone |= tucked & _under_hair(subject, box, size)
    weight = np.where(gone, 0, samples.weight).astype(np.float32)
    back = np.array([p.back for p in parts])[samples.part] & (samples.part >= 0)
    if back.any():
        own = subject.own if subject.own is not None else subject.alpha
        weight *= np.where(back, 1 - cv2.resize(own[box], size, interpolation=cv2.INTER_LINEAR), 1)
    return _Samples(np.where(gone, -1, samples.part), weight, samples.uv, samples.normals, samples.depth)


def _cm(subject: Subject) -> float:
    """Canvas pixels per cm by the height of the face."""
    return subject.face_height / 16.4


def _under_hair(subject: Subject, box: tuple[slice, slice], size: tuple[int, int]) -> Bool:
    """Where an arm of glasses would lie under hair, or outside of the head."""
    own = subject.own if subject.own is not None else subject.alpha
    sigma = max(0.6, 0.12 * _cm(subject))
    hair = cv2.GaussianBlur((subject.regions[box] == HAIR).astype(np.float32), (0, 0), sigma)
    free = (hair < 0.5) & (own[box] > 0.35)
    return np.asarray(cv2.resize(free.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) < 0.5)


def _surface(
    samples: _Samples, parts: list[Part], frame: HeadFrame, box: tuple[slice, slice], fine: int,
    canvas: tuple[int, int], seed: int,
) -> Surface | None:  # fmt: skip
    h, w = samples.part.shape[0] // fine, samples.part.shape[1] // fine

    def mean(values: F32) -> F32:
        return np.asarray(cv2.resize(values, (w, h), interpolation=cv2.INTER_AREA), np.float32)

    cover = mean(samples.weight)
    if cover.max() < 0.01:
        return None
    share = np.maximum(cover, 1e-4)[..., None]
    surface = empty(*canvas, frame.scale)
    normals = mean(samples.normals * samples.weight[..., None])
    albedo, material = np.zeros((h, w, 3), np.float32), np.zeros((h, w, 4), np.float32)
    relief = np.zeros((h, w), np.float32)
    for i, part in enumerate(parts):
        weight = np.where(samples.part == i, samples.weight, 0).astype(np.float32)
        if not weight.any():
            continue
        small = mean(weight)
        ys, xs = np.nonzero(small > 0)
        on = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        uv = np.asarray(mean(samples.uv * weight[..., None])[on] / np.maximum(small[on], 1e-4)[..., None], np.float32)
        woven = fabrics.weave(part.cloth, uv[..., 0], uv[..., 1], 1 / frame.scale, seed + i)
        own = small[on][..., None]
        albedo[on] += woven.albedo * own
        flat = woven.material if part.material is None else np.array(part.material, np.float32)
        material[on] += flat * own
        relief[on] += woven.relief * small[on]
    relief /= share[..., 0]
    normals /= share
    steep = np.where(cover > 0.9, normals[..., 2] * np.float32(frame.scale), 0)
    normals[..., 0] -= cv2.Sobel(relief, cv2.CV_32F, 1, 0, scale=0.125) * steep
    normals[..., 1] += cv2.Sobel(relief, cv2.CV_32F, 0, 1, scale=0.125) * steep
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-4)
    there = cover > 0.004
    full = there[..., None]
    surface.cover[box] = np.where(there, cover, 0)
    surface.albedo[box] = np.where(full, albedo / share, 0)
    surface.material[box] = np.where(full, material / share, surface.material[box])
    surface.normals[box] = np.where(full, normals, surface.normals[box])
    depth = mean(np.where(samples.weight > 0, samples.depth, 0) * samples.weight) / share[..., 0]
    surface.depth[box] = np.where(there, depth, np.float32(NOWHERE))
    return surface
