"""Modelled: clay, plastic and plush that a soft lamp lights."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.pen import pieces
from portrayal.engines.studio.looks.methods.shapes import people
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, step
from portrayal.imaging import F32, Array
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN


def inflated(mask: Array, radius: float) -> F32:
    """Height (h, w) of a flat shape blown up to a cushion whose rim is a quarter circle (Johnston 2002)."""
    far = np.minimum(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32(radius))
    rest = 1 - far / np.float32(radius)
    return np.asarray(np.float32(radius) * np.sqrt(np.clip(1 - rest * rest, 0, 1)), np.float32)


def clay(
    canvas: Canvas, *, backdrop: float = 0.75, top: str = "f7c9b6", bottom: str = "b9d8ee", eyes: float = 0.08
) -> F32:
    """A smooth toy: inflated normals (Johnston 2002, Lumo), a soft wrapped lamp, a rim light, a pastel studio.

    Args:
        backdrop: 0 = the scene is modelled too, 1 = only the studio.
        eyes: how much larger they get.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    inner = people(context)
    labels = pieces(context, 6, 5, 0.006)
    ph, pw = labels.shape
    scale = max(h, w) / max(ph, pw)
    per = unit * 1.0 / scale  # pixels of the coarse picture in a unit
    small_inner = cv2.resize(inner, (pw, ph), interpolation=cv2.INTER_AREA)
    part = _parts(context, (pw, ph), small_inner)
    height = np.zeros((ph, pw), np.float32)
    for k in np.unique(labels).tolist():
        radius = (34.0 if k < 6 else 15.0) * per
        height += inflated(labels == k, radius) * np.float32(0.55 if k >= 6 else 0.9)
    face_z = _face_depth(context, (pw, ph))
    skin = cv2.resize(context.skin, (pw, ph), interpolation=cv2.INTER_AREA)
    light = cv2.resize(blur(context.toned[..., 0], 6 * unit), (pw, ph), interpolation=cv2.INTER_AREA)
    # Folds: what is lighter is nearer, as far as nothing else is known.
    height = blur(height, 4 * per) + np.float32(60 * per) * blur(light, 3 * per) * (small_inner * (1 - skin))
    smooth = mix(height, face_z * np.float32(1.0), blur(skin, 2 * per))
    for k in range(1, 5):
        smooth += inflated(part == k, 46 * per) * np.float32(1.0 if k != 1 else 0.55)
    smooth += inflated(small_inner > 0.5, 60 * per) * np.float32(0.5)
    smooth = blur(smooth, 3.2 * per)
    smooth = cv2.resize(smooth, (w, h), interpolation=cv2.INTER_CUBIC) * np.float32(scale)
    nx, ny = (-cv2.Sobel(smooth, cv2.CV_32F, *d, scale=0.125) for d in ((1, 0), (0, 1)))
    nz = 1 / np.sqrt(nx * nx + ny * ny + 1)
    nx, ny = nx * nz, ny * nz
    key = np.clip(
        (np.float32(-0.48) * nx - np.float32(0.55) * ny + np.float32(0.68) * nz + np.float32(0.35)) / np.float32(1.35),
        0,
        1,
    )
    fill_light = np.clip(np.float32(0.8) * nx + np.float32(0.1) * ny + np.float32(0.5) * nz, 0, 1)
    rim = np.clip(1 - nz, 0, 1) ** np.float32(2.2)
    half = np.clip(np.float32(-0.27) * nx - np.float32(0.33) * ny + np.float32(0.905) * nz, 0, 1)
    shine = half ** np.float32(38) * (np.float32(0.16) + np.float32(0.10) * (1 - context.skin))
    albedo = _toy_colours(context)
    shade = np.float32(0.40) + np.float32(0.78) * key + np.float32(0.10) * fill_light
    shade = mix(shade, np.ones_like(shade), context.detail * np.float32(0.75))
    shade = mix(shade, np.float32(0.35) + np.float32(0.65) * shade, context.face * np.float32(0.55))
    body = albedo * shade[..., None]
    # Light that went through the skin is warm where it turns into shade.
    turn = np.exp(-(((key - np.float32(0.46)) / np.float32(0.14)) ** 2)) * context.skin * (1 - context.detail)
    body *= 1 + turn[..., None] * np.array([0.07, -0.01, -0.03], np.float32)
    body += (shine * (1 - np.float32(0.85) * context.features))[..., None]
    edge = (
        rim * np.clip(np.float32(0.45) + nx * np.float32(0.5) - ny * np.float32(0.4), 0, 1) * inner * (1 - context.face)
    )
    body += edge[..., None] * np.array([0.42, 0.40, 0.46], np.float32)
    studio = _studio(context, inner, top, bottom)
    soft_scene = blur(body, 1.0 * unit)
    pastel = mix(soft_scene, np.broadcast_to(np.float32(0.86), body.shape), np.float32(0.22))
    behind = mix(pastel, studio, np.float32(backdrop))
    picture = mix(behind, body, inner)
    if eyes > 0:
        picture = _larger_eyes(context, picture, eyes)
    glow = blur(np.clip(picture - np.float32(0.8), 0, 1), 18 * unit)
    return np.asarray(np.clip(picture + np.float32(0.30) * glow, 0, 1), np.float32)


def _parts(context: Context, size: tuple[int, int], inner: F32) -> Array:
    """Labels 0..4 of what is modelled as one piece: behind, face, hair, skin, clothes."""
    if context.regions is None:
        return (inner > 0.5).astype(np.uint8) * np.uint8(CLOTHING)
    small = cv2.resize(context.regions, size, interpolation=cv2.INTER_NEAREST)
    votes = np.stack([blur((small == k).astype(np.float32), 2.5) for k in (0, FACE, HAIR, SKIN, CLOTHING)])
    out = votes.argmax(0).astype(np.uint8)
    out[inner < 0.5] = 0
    return out


def _face_depth(context: Context, size: tuple[int, int]) -> F32:
    """Height (h', w') of the faces from their landmarks' depth, by normalised convolution; 0 elsewhere."""
    w, h = size
    out = np.zeros((h, w), np.float32)
    for points, tall in zip(context.faces, context.face_heights, strict=True):
        if points.shape[1] < 3:
            continue
        k = w / context.shape[1]
        total, count = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
        xy = np.round(points[:468, :2] * k).astype(int)
        inside = (xy >= 0).all(1) & (xy < (w, h)).all(1)
        np.add.at(total, (xy[inside, 1], xy[inside, 0]), -points[:468, 2][inside] * np.float32(k))
        np.add.at(count, (xy[inside, 1], xy[inside, 0]), 1)
        sigma = max(1.2, 0.032 * tall * k)
        depth = cv2.GaussianBlur(total, (0, 0), sigma) / (cv2.GaussianBlur(count, (0, 0), sigma) + np.float32(1e-4))
        mask = cv2.resize(context.face, size, interpolation=cv2.INTER_AREA)
        out += depth * mask
    return out


def _toy_colours(context: Context) -> F32:
    """Clean smooth colours without the photograph's texture, (h, w, 3) sRGB codes; the features keep theirs."""
    unit = context.unit
    lab = context.toned.copy()
    wide = blur(lab, 5 * unit)
    even = blur(lab, 14 * unit)
    # Less of the photograph's own light: the lamp gives it.
    wide[..., 0] = mix(wide[..., 0], even[..., 0], np.float32(0.40))
    wide[..., 0] = np.clip(np.float32(0.10) + np.float32(0.94) * wide[..., 0], 0, 0.96)
    smooth = mix(wide, blur(lab, 2.0 * unit), np.float32(0.45) * context.face)
    smooth = mix(smooth, context.fine, context.detail * np.float32(0.92))
    smooth[..., 1:] *= np.float32(1.24)
    smooth[..., 1] += np.float32(0.020) * context.cheeks()
    return to_rgb(smooth)


def _studio(context: Context, inner: F32, top: str, bottom: str) -> F32:
    """A pastel cove with a round glow behind the people, and their soft shadow."""
    h, w = context.shape
    x, y = grid(context.shape)
    down = (y + x * np.float32(0)) / np.float32(h)
    wall = mix(np.broadcast_to(colour(top), (h, w, 3)), colour(bottom), step(0.05, 0.95, down)[..., None])
    far = np.sqrt((x / np.float32(w) - np.float32(0.5)) ** 2 + (y / np.float32(h) - np.float32(0.42)) ** 2)
    wall = wall + np.float32(0.10) * (1 - step(0.0, 0.62, far))[..., None]
    shade = blur(inner, 46 * context.unit)
    moved = cv2.warpAffine(
        shade,
        np.array([[1, 0, 34 * context.unit], [0, 1, 26 * context.unit]], np.float32),
        (w, h),
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(wall * (1 - np.float32(0.30) * moved)[..., None], np.float32)


def _larger_eyes(context: Context, picture: F32, much: float) -> F32:
    """Eyes grow by a share about their middles, smoothly (a radial bump)."""
    x, y = grid(context.shape)
    map_x, map_y = np.broadcast_to(x, context.shape).copy(), np.broadcast_to(y, context.shape).copy()
    for points, tall in zip(context.faces, context.face_heights, strict=True):
        for lid in (mesh.LID_LEFT, mesh.LID_RIGHT):
            cx, cy = (float(v) for v in points[list(lid), :2].mean(0))
            reach = 0.17 * tall
            near = 1 - step(
                0.25, 1.0, np.sqrt((x - np.float32(cx)) ** 2 + (y - np.float32(cy)) ** 2) / np.float32(reach)
            )
            map_x -= (x - np.float32(cx)) * near * np.float32(much)
            map_y -= (y - np.float32(cy)) * near * np.float32(much)
    return np.asarray(cv2.remap(picture, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


METHODS: Final[dict[str, Method]] = {"clay": clay}
__all__ = ["METHODS", "clay", "inflated", "noise"]
