"""Modelled: clay and smooth plastic that a soft lamp lights."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.contour import reduced, toned
from portrayal.engines.studio.looks.methods.pen import pieces
from portrayal.engines.studio.looks.methods.shapes import Board, around, people, spots
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, step
from portrayal.imaging import F32, Array
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN

# Number of k-means colours behind the people and in them.
_BEHIND, _PEOPLE = 6, 6


def inflated(mask: Array, radius: float) -> F32:
    """Height (h, w) of a flat shape blown up to a cushion whose rim is a quarter circle (Johnston 2002)."""
    far = np.minimum(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32(radius))
    rest = 1 - far / np.float32(radius)
    return np.asarray(np.float32(radius) * np.sqrt(np.clip(1 - rest * rest, 0, 1)), np.float32)


def clay(
    canvas: Canvas,
    *,
    studio: float = 1.0,
    props: int = 9,
    top: str = "ffd9c4",
    bottom: str = "bfe0f2",
    eyes: float = 0.08,
) -> F32:
    """A smooth toy: inflated normals (Johnston 2002, Lumo), a soft wrapped lamp, a rim light, a pastel studio.

    Args:
        studio: 0 = the scene is modelled too, 1 = a studio in the scene's colours.
        props: balls that lie and float around.
        top, bottom: pastels of the studio, mixed with the scene's own colours.
        eyes: how much larger they get.
    """
    context = canvas.context
    unit = context.unit
    inner = people(context)
    labels = pieces(context, _BEHIND, _PEOPLE, 0.004)
    flat = toned(context, reduced(context))
    colours, height = _toy_colours(context, labels, flat), _height(context, labels, flat)
    nx, ny, nz = _normals(height)
    picture = _lit(context, colours, nx, ny, nz, inner)
    if studio > 0:
        behind = mix(picture, _studio(context, inner, top, bottom, props), studio)
        picture = mix(behind, picture, inner)
    else:
        soft = blur(picture, 2.5 * unit)
        picture = mix(soft + np.float32(0.10) * (1 - soft), picture, inner)
    if eyes > 0:
        picture = _larger_eyes(context, picture, eyes)
    glow = blur(np.clip(picture - np.float32(0.82), 0, 1), 18 * unit)
    return np.asarray(np.clip(picture + np.float32(0.30) * glow, 0, 1), np.float32)


def _toy_colours(context: Context, labels: Array, flat: F32) -> F32:
    """Smooth Oklab (h, w, 3): each piece has its own colour that changes slowly; skin and features keep more."""
    h, w = context.shape
    unit = context.unit
    ph, pw = labels.shape
    per = unit * pw / w
    coarse = cv2.resize(flat, (pw, ph), interpolation=cv2.INTER_AREA)
    out = np.zeros((ph, pw, 3), np.float32)
    for k in np.unique(labels).tolist():
        where = (labels == k).astype(np.float32)
        reach = (30 if k < _BEHIND else 16) * per
        weight = blur(where, reach) + np.float32(1e-3)
        out += (blur(coarse * where[..., None], reach) / weight[..., None]) * where[..., None]
    # Borders as smooth as votes make them, in full size.
    mild = cv2.bilateralFilter(flat, 9, 0.09, max(1.0, 5 * unit))
    even = cv2.resize(blur(out, 0.8), (w, h), interpolation=cv2.INTER_CUBIC)
    skin = blur(context.skin, 5 * unit)
    lab = mix(mix(even, mild, 0.30), mix(blur(mild, 2.2 * unit), blur(flat, 12 * unit), 0.25), skin)
    lab = mix(lab, context.fine, context.detail * np.float32(0.92))
    lab[..., 0] = np.clip(np.float32(0.07) - np.float32(0.06) * skin + np.float32(0.96) * lab[..., 0], 0, 0.95)
    lab[..., 1:] *= np.float32(1.28)
    lab[..., 1] += np.float32(0.022) * context.cheeks()
    return lab


def _height(context: Context, labels: Array, flat: F32) -> F32:
    """How near everything is (h, w), in pixels: cushions of pieces and parts, folds from light, faces' depth."""
    h, w = context.shape
    ph, pw = labels.shape
    scale = w / pw
    per = context.unit / scale
    inner = cv2.resize(people(context), (pw, ph), interpolation=cv2.INTER_AREA)
    skin = cv2.resize(context.skin, (pw, ph), interpolation=cv2.INTER_AREA)
    light = cv2.resize(flat[..., 0], (pw, ph), interpolation=cv2.INTER_AREA)
    height = np.zeros((ph, pw), np.float32)
    for k in np.unique(labels).tolist():
        behind = k < _BEHIND
        height += inflated(labels == k, (26.0 if behind else 12.0) * per) * np.float32(0.7 if behind else 0.5)
    height *= 1 - skin
    # Folds and locks: what is lighter is nearer, as far as nothing else is known.
    body = np.asarray(inner * (1 - skin), np.float32)
    folds = blur(np.asarray(light, np.float32), 4.0 * per) - blur(light * inner, 34 * per) / (
        blur(inner, 34 * per) + np.float32(0.05)
    )
    height += np.float32(85 * per) * np.clip(folds, -0.35, 0.35) * blur(body, 3 * per)
    height += _face_depth(context, (pw, ph)) * np.float32(0.8)
    part = _parts(context, (pw, ph), np.asarray(inner, np.float32))
    for k in range(1, 5):
        height += inflated(part == k, (30 if k in (FACE, HAIR) else 34) * per) * np.float32(
            0.35 if k in (FACE, HAIR) else 0.9
        )
    height += inflated(inner > 0.5, 46 * per) * np.float32(0.7)
    smooth = cv2.resize(blur(height, 3.0 * per), (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(blur(np.asarray(smooth, np.float32), 0.8 * scale) * np.float32(scale), np.float32)


def _normals(height: F32) -> tuple[F32, F32, F32]:
    nx, ny = (-cv2.Sobel(height, cv2.CV_32F, *d, scale=0.125) for d in ((1, 0), (0, 1)))
    nz = 1 / np.sqrt(nx * nx + ny * ny + 1)
    return np.asarray(nx * nz, np.float32), np.asarray(ny * nz, np.float32), np.asarray(nz, np.float32)


def _lit(context: Context, lab: F32, nx: F32, ny: F32, nz: F32, inner: F32) -> F32:
    """Oklab under a wrapped lamp from the upper left, a fill from the right and a rim light; sRGB codes."""
    key = np.float32(-0.50) * nx - np.float32(0.56) * ny + np.float32(0.66) * nz
    key = np.clip((key + np.float32(0.35)) / np.float32(1.35), 0, 1)
    fill = np.clip(np.float32(0.75) * nx + np.float32(0.15) * ny + np.float32(0.45) * nz, 0, 1)
    shade = np.float32(0.44) + np.float32(0.70) * key + np.float32(0.10) * fill
    # Faces keep the light of the photograph, which carries their shape.
    skin = blur(np.maximum(context.skin, context.face), 3 * context.unit)
    wide = np.clip(blur(skin, 9 * context.unit) * np.float32(1.8), 0, 1)
    kept = np.maximum(context.detail * np.float32(0.9), wide * np.float32(0.72))
    shade = mix(shade, np.ones_like(shade), kept)
    body = to_rgb(lab) * shade[..., None]
    turn = np.exp(-(((key - np.float32(0.46)) / np.float32(0.14)) ** 2)) * context.skin * (1 - context.detail)
    body *= 1 + turn[..., None] * np.array([0.06, -0.01, -0.03], np.float32)
    half = np.clip(np.float32(-0.28) * nx - np.float32(0.32) * ny + np.float32(0.905) * nz, 0, 1)
    glossy = 1 - np.float32(0.97) * wide
    body += (half ** np.float32(46) * np.float32(0.20) * glossy * inner)[..., None]
    rim = np.clip(1 - nz, 0, 1) ** np.float32(1.8) * np.clip(
        np.float32(0.35) + nx * np.float32(0.7) - ny * np.float32(0.4), 0, 1
    )
    body += (rim * inner * (1 - np.float32(0.9) * wide))[..., None] * np.array([0.50, 0.50, 0.58], np.float32)
    return np.asarray(body, np.float32)


def _parts(context: Context, size: tuple[int, int], inner: F32) -> Array:
    """Labels 0..4 of what is modelled as one piece: behind, face, hair, skin, clothes."""
    if context.regions is None:
        return (inner > 0.5).astype(np.uint8) * np.uint8(CLOTHING)
    small = cv2.resize(context.regions, size, interpolation=cv2.INTER_NEAREST)
    votes = np.stack([blur((small == k).astype(np.float32), 2.5) for k in (0, FACE, HAIR, SKIN, CLOTHING)])
    out = np.asarray(votes.argmax(0), np.uint8)
    out[inner < 0.5] = 0
    return out


def _face_depth(context: Context, size: tuple[int, int]) -> F32:
    """Height (h', w') of the faces from their landmarks' depth, by normalised convolution; 0 elsewhere."""
    w, h = size
    out = np.zeros((h, w), np.float32)
    k = w / context.shape[1]
    for points, tall in zip(context.faces, context.face_heights, strict=True):
        if points.shape[1] < 3:
            continue
        total, count = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
        xy = np.round(points[:468, :2] * k).astype(int)
        inside = (xy >= 0).all(1) & (xy < (w, h)).all(1)
        far = points[:468, 2] - points[:468, 2].max()
        np.add.at(total, (xy[inside, 1], xy[inside, 0]), -far[inside] * np.float32(k))
        np.add.at(count, (xy[inside, 1], xy[inside, 0]), 1)
        sigma = max(1.2, 0.035 * tall * k)
        depth = cv2.GaussianBlur(total, (0, 0), sigma) / (cv2.GaussianBlur(count, (0, 0), sigma) + np.float32(1e-3))
        out += depth * cv2.resize(context.face, size, interpolation=cv2.INTER_AREA)
    return out


def _studio(context: Context, inner: F32, top: str, bottom: str, props: int) -> F32:
    """A pastel cove in the scene's colours with a glow behind the people, their soft shadow, and matte balls."""
    h, w = context.shape
    unit = context.unit
    x, y = grid(context.shape)
    free = (1 - inner)[::8, ::8, None]
    scene = context.lab[::8, ::8]
    ends = []
    for rows, pastel in ((slice(0, h // 20), top), (slice(h // 12, None), bottom)):
        weight = free[rows] + np.float32(1e-4)
        mean = (scene[rows] * weight).sum((0, 1)) / weight.sum()
        mean[0] = 0.87
        mean[1:] *= np.float32(1.6)
        ends.append(mix(to_rgb(np.asarray(mean[None, None], np.float32))[0, 0], colour(pastel), 0.55))
    down = (y + x * np.float32(0)) / np.float32(h)
    wall = mix(np.broadcast_to(ends[0], (h, w, 3)), ends[1], step(0.10, 0.90, down)[..., None])
    far = np.sqrt((x / np.float32(w) - np.float32(0.5)) ** 2 + (y / np.float32(h) - np.float32(0.40)) ** 2)
    wall = wall * (np.float32(0.90) + np.float32(0.14) * (1 - step(0.05, 0.70, far)))[..., None]
    board = Board(context, wall)
    paints = np.stack([*ends, colour("ffb7b2"), colour("ffe2a0"), colour("b5ead7"), colour("c7ceea")])
    for i, (px, py, r) in enumerate(spots(context, props, 16, 92, 161, 1.2, 24) if context.cut else []):
        path = around(px, py, np.full(90, r))
        board.shadow([path], 18, 0.22)
        y0, y1, x0, x1 = board.bounds([path])
        u = (np.arange(x0, x1, dtype=np.float32)[None] - np.float32(px)) / np.float32(r)
        v = (np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(py)) / np.float32(r)
        deep = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
        key = np.clip(
            (np.float32(0.66) * deep - np.float32(0.50) * u - np.float32(0.56) * v + np.float32(0.4)) / np.float32(1.4),
            0,
            1,
        )
        rim = (1 - deep) ** 2 * np.clip(u - v * np.float32(0.3), 0, 1) * np.float32(0.30)
        half = np.clip(np.float32(0.905) * deep - np.float32(0.28) * u - np.float32(0.32) * v, 0, 1) ** np.float32(50)
        paint = mix(paints[(i + 2) % len(paints)], ends[i % 2] * np.float32(0.9), 0.25)
        tone = (
            paint * (np.float32(0.50) + np.float32(0.62) * key)[..., None] + (rim + np.float32(0.22) * half)[..., None]
        )
        board.fill([path], np.clip(tone, 0, 1))
    shade = blur(inner, 40 * unit)
    move = np.array([[1, 0, 34 * unit], [0, 1, 26 * unit]], np.float32)
    moved = cv2.warpAffine(shade, move, (w, h), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(board.picture * (1 - np.float32(0.30) * moved)[..., None], np.float32)


def _larger_eyes(context: Context, picture: F32, much: float) -> F32:
    """Eyes grow by a share about their middles, smoothly (a radial bump)."""
    x, y = grid(context.shape)
    map_x, map_y = np.broadcast_to(x, context.shape).copy(), np.broadcast_to(y, context.shape).copy()
    for points, tall in zip(context.faces, context.face_heights, strict=True):
        for lid in (mesh.LID_LEFT, mesh.LID_RIGHT):
            cx, cy = (np.float32(v) for v in points[list(lid), :2].mean(0))
            near = 1 - step(0.25, 1.0, np.sqrt((x - cx) ** 2 + (y - cy) ** 2) / np.float32(0.17 * tall))
            map_x -= (x - cx) * near * np.float32(much)
            map_y -= (y - cy) * near * np.float32(much)
    return np.asarray(cv2.remap(picture, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


METHODS: Final[dict[str, Method]] = {"clay": clay}
