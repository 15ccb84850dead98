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
_LARGE: Final = 100_000  # pixels of a box in which 2 by 2 samples must be enough
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
    fine = int(np.clip(round(_FINE / frame.scale), 2 if (x1 - x0) * (y1 - y0) > _LARGE else 3, 4))
    samples = _samples(frame, parts, skull, box, fine)
    samples = _hidden(samples, parts, subject, box, fine)
    return _surface(samples, parts, frame, box, fine, (columns, rows), seed)


def _triangles(first: int, n: int, m: int) -> Array:
    i = first + np.arange(n * m).reshape(n, m)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.int32)


def _normals(part: Part, frame: HeadFrame) -> F32:
    """(n, m, 3) unit vectors over the light axes; those of solids point outwards."""
    p = part.at @ frame.turn.T * np.array([1, -1, -1], np.float32)
    down, across = np.gradient(p, axis=0), np.gradient(p, axis=1)
    # A grid whose last line repeats the first is closed.
    if p.shape[1] > 3 and np.abs(p[:, 0] - p[:, -1]).max() < 1e-3:
        across[:, 0] = across[:, -1] = (p[:, 1] - p[:, -2]) / 2
    if p.shape[0] > 3 and np.abs(p[0] - p[-1]).max() < 1e-3:
        down[0] = down[-1] = (p[1] - p[-2]) / 2
    n = np.cross(across, down)
    if part.solid and float(((p - p.mean((0, 1))) * n).sum()) < 0:  # the volume, by the theorem of Gauss
        n = -n
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
        normals[row : row + n, :m] = _normals(part, frame)
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
    # Sheets turn to the camera whichever of their faces is seen.
    sheet = ~np.array([p.solid for p in parts])[part_of] & (n[..., 2] < 0)
    n = np.where(sheet[..., None], -n, n)
    n[..., 2] = np.maximum(n[..., 2], 0.02)
    weight = np.where(part_of >= 0, o[..., 2], 0).astype(np.float32)
    return _Samples(part_of, weight, np.ascontiguousarray(o[..., :2]), n, buffer)


def _occluder(frame: HeadFrame, skull: Part, corner: F32, fine: int, size: tuple[int, int]) -> F32:
    pixels, near = frame.project(skull.at)
    flat = ((pixels - corner + 0.5) * fine - 0.5).reshape(-1, 2)
    n, m = skull.at.shape[:2]
    _, buffer = rasterise(flat, near.ravel(), np.zeros_like(flat), _triangles(0, n, m), *size)
    return buffer


def _hidden(samples: _Samples, parts: list[Part], subject: Subject, box: tuple[slice, slice], fine: int) -> _Samples:
    """Without what the face, and the hair over it, hide."""
    size = (samples.part.shape[1], samples.part.shape[0])
    field = np.asarray(cv2.resize(_face_depth(subject, box), size, interpolation=cv2.INTER_NEAREST), np.float32)
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


def _face_depth(subject: Subject, box: tuple[slice, slice]) -> F32:
    """cm towards the camera of the face's surface, as `Surface.depth`, `NOWHERE` beside it; the size of the box."""
    down = subject.height.shape[0] / subject.alpha.shape[0]
    across = subject.height.shape[1] / subject.alpha.shape[1]
    matrix = np.array(
        [
            [across, 0, (box[1].start + 0.5) * across - 0.5],
            [0, down, (box[0].start + 0.5) * down - 0.5],
        ]
    )
    size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
    field = cv2.warpAffine(subject.height, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    face = (subject.face[box] > 0.5) & (subject.regions[box] == FACE)
    return np.where(face, (field - zero(subject)) / (down * _cm(subject)), NOWHERE).astype(np.float32)


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

    cover = _mean(samples.weight, fine)
    if cover.max() < 0.01:
        return None
    share = np.maximum(cover, 1e-4)[..., None]
    surface = empty(*canvas, frame.scale)
    normals = _mean(samples.normals * samples.weight[..., None], fine)
    albedo, material = np.zeros((h, w, 3), np.float32), np.zeros((h, w, 4), np.float32)
    relief = np.zeros((h, w), np.float32)
    looks = list(dict.fromkeys((p.cloth, p.material) for p in parts))
    look_of = np.array([looks.index((p.cloth, p.material)) for p in parts])
    for i, (cloth, plain) in enumerate(looks):
        # Only the pixels of these parts are worked on.
        on, fine_on = _bounds([p for p, k in zip(parts, look_of, strict=True) if k == i], frame, box, fine)
        part = samples.part[fine_on]
        weight = np.where((part >= 0) & (look_of[part] == i), samples.weight[fine_on], 0).astype(np.float32)
        if not weight.any():
            continue
        small = _mean(weight, fine)
        uv = _mean(samples.uv[fine_on] * weight[..., None], fine)
        uv = np.asarray(uv / np.maximum(small, 1e-4)[..., None], np.float32)
        woven = fabrics.weave(cloth, uv[..., 0], uv[..., 1], 1 / frame.scale, seed + i)
        own = small[..., None]
        albedo[on] += woven.albedo * own
        material[on] += (woven.material if plain is None else np.array(plain, np.float32)) * own
        relief[on] += woven.relief * small
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
    depth = _mean(np.where(samples.weight > 0, samples.depth, 0) * samples.weight, fine) / share[..., 0]
    surface.depth[box] = _lifted(np.where(there, depth, np.float32(NOWHERE)), surface.normals[box][..., 2], frame.scale)
    return surface


def _mean(values: F32, fine: int) -> F32:
    """Samples to pixels."""
    size = (values.shape[1] // fine, values.shape[0] // fine)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _bounds(
    parts: list[Part], frame: HeadFrame, box: tuple[slice, slice], fine: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where some parts are in the box: of its pixels, and of its samples."""
    flat = np.concatenate([frame.project(p.at)[0].reshape(-1, 2) for p in parts])
    size = np.array([box[1].stop - box[1].start, box[0].stop - box[0].start])
    corner = np.array([box[1].start, box[0].start])
    x0, y0 = (int(v) for v in np.clip(np.floor(flat.min(0)) - 2 - corner, 0, size - 1))
    x1, y1 = (int(v) for v in np.clip(np.ceil(flat.max(0)) + 3 - corner, 1, size))
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    return np.s_[y0:y1, x0:x1], np.s_[y0 * fine : y1 * fine, x0 * fine : x1 * fine]


def _lifted(depth: F32, facing: F32, scale: float) -> F32:
    """The depth (h, w) of what turns away from the camera, brought near that beside it.

    The light takes a step in depth for a hollow; the rim of a dome is none.
    """
    size = max(3, 2 * round(0.9 * scale) + 1)
    near = cv2.dilate(depth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))) - np.float32(0.35)
    weight = np.clip((np.float32(0.75) - facing) / np.float32(0.35), 0, 1)
    lifted = depth + np.maximum(near - depth, 0) * weight
    return np.where(depth > NOWHERE / 2, lifted, depth).astype(np.float32)
