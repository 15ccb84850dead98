"""The hair's edge at a new angle: the reference's own matte, carried along the outline.

A mesh cannot carry a matte. Instead, each pixel near the new outline finds the point of the old outline that came
there, and reads the old matte at the same signed distance along the old normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portrayal.engines.studio.head.contour import Contour, contour
from portrayal.engines.studio.head.fields import blur, resize, sample, smoothstep, warp, weighted_blur
from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.view import View
from portrayal.imaging import F32, Array, Bool
from portrayal.perception import mesh

BAND = 0.08  # reach of the matte on both sides of the outline, in face heights


@dataclass(frozen=True)
class Edge:
    """Alpha (h, w) of the turned head, and the source (x, y) of every pixel, also outside the shell; local pixels."""

    alpha: F32
    x: F32
    y: F32


@dataclass(frozen=True)
class _Feet:
    """Of low-resolution pixels near the outline: the matching point of the old outline and its normal (local)."""

    x: F32
    y: F32
    nx: F32
    ny: F32
    read_x: F32
    read_y: F32
    trust: F32


def transfer(source_alpha: F32, covered: Bool, uv: F32, model: HeadModel, view: View) -> Edge:
    """Alpha and source coordinates of a turned head.

    Args:
        source_alpha: (h, w) alpha of the head layer before the turn.
        covered: (h, w) where the turned shell is.
        uv: (h, w, 2) source of each covered pixel.
    """
    h, w = covered.shape
    face = view.factor * model.face
    new = _smooth_below(contour(covered, 0.006 * face), model, view, face)
    feet = _feet(new, covered, uv, model, view, face)
    distance = new.distance

    def full(field: F32) -> F32:
        return resize(field, (w, h))

    read_x, read_y = full(feet.x), full(feet.y)
    nx, ny = full(feet.nx), full(feet.ny)
    alpha = warp(source_alpha, read_x - nx * distance, read_y - ny * distance)
    inner = smoothstep(0.012 * face, 0.042 * face, distance)
    alpha = alpha + (1 - alpha) * inner
    trust = full(feet.trust)
    alpha = alpha * trust + smoothstep(-1.6, 1.6, distance) * (1 - trust)
    alpha[distance < -BAND * face] = 0
    inside = smoothstep(0, 2.5, distance) * covered
    return Edge(
        alpha=np.clip(alpha, 0, 1).astype(np.float32),
        x=uv[..., 0] * inside + full(feet.read_x) * (1 - inside),
        y=uv[..., 1] * inside + full(feet.read_y) * (1 - inside),
    )


def _smooth_below(new: Contour, model: HeadModel, view: View, face: float) -> Contour:
    """The outline with the steps of the shell's grid smoothed out of jaw and neck, which end in a plain edge."""
    h = new.distance.shape[0]
    chin = view.factor * float(model.points[mesh.CHIN, 1]) + view.shift[1]
    low = smoothstep(chin - 0.32 * face, chin - 0.18 * face, np.arange(h, dtype=np.float32))[:, None]
    first = int(np.argmax(low > 0))
    if low[-1] == 0:
        return new
    distance = new.distance.copy()
    distance[first:] += (blur(new.distance[first:], 0.018 * face) - distance[first:]) * low[first:]
    return Contour(distance, new.nx, new.ny)


def _feet(new: Contour, covered: Bool, uv: F32, model: HeadModel, view: View, face: float) -> _Feet:
    h, w = covered.shape
    step = max(1, round(face / 110))
    size = (-(-w // step), -(-h // step))
    ratio_x, ratio_y = w / size[0], h / size[1]
    gx, gy = np.meshgrid(
        (np.arange(size[0], dtype=np.float32) + 0.5) * ratio_x - 0.5,
        (np.arange(size[1], dtype=np.float32) + 0.5) * ratio_y - 0.5,
    )
    distance, nx, ny = (resize(f, size) for f in (new.distance, new.nx, new.ny))
    back = distance - 0.010 * face
    column = np.clip(np.rint(gx + nx * back), 0, w - 1).astype(np.intp)
    row = np.clip(np.rint(gy + ny * back), 0, h - 1).astype(np.intp)
    found = covered[row, column] & (np.abs(distance) < BAND * face)
    u, v = uv[row, column, 0], uv[row, column, 1]
    x, y, ox, oy, hair = _snapped(u, v, model, view)
    weight = found.astype(np.float32)
    sigma = 0.010 * face / step
    x, y, ox, oy, hair, u, v = weighted_blur([x, y, ox, oy, hair, u, v], weight, sigma)
    length = np.sqrt(ox * ox + oy * oy) + np.float32(1e-6)
    ox, oy = ox / length, oy / length
    agree = nx * ox + ny * oy
    # The matte of hair is carried only where both outlines correspond; jaw, neck and corners get a plain edge.
    trust = smoothstep(0.45, 0.8, agree) * smoothstep(0.5, 0.9, hair) * smoothstep(0.05, 0.5, blur(weight, sigma))
    return _Feet(x, y, ox, oy, u, v, trust)


def _snapped(u: F32, v: F32, model: HeadModel, view: View) -> tuple[F32, F32, F32, F32, F32]:
    """Nearest points of the old outline (local pixels), its normals there, and how much hair is there."""
    shape = u.shape
    x: Array = (u.ravel() - np.float32(view.shift[0])) / np.float32(view.factor)
    y: Array = (v.ravel() - np.float32(view.shift[1])) / np.float32(view.factor)
    old = np.dstack([model.outline.distance, model.outline.nx, model.outline.ny, model.hair])
    for _ in range(3):
        d, nx, ny, _hair = sample(old, x, y).T
        x, y = x + nx * d, y + ny * d
    _d, nx, ny, hair = sample(old, x, y).T
    place = view.to_local(np.stack([x, y], 1))
    fields = (place[:, 0], place[:, 1], nx, ny, hair)
    a, b, c, d, e = (np.ascontiguousarray(f.reshape(shape), np.float32) for f in fields)
    return a, b, c, d, e
