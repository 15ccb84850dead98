"""Shapes as grids of points: tubes, lathes and sheets, in head axes and centimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.imaging import F32, F64, Array


@dataclass(frozen=True)
class Part:
    """One piece of a thing.

    Attributes:
        at: (n, m, 3) points, head axes, cm.
        uv: (n, m, 2) cm along the material.
        cloth: what it is made of.
        cover: how much it hides of what is behind: a number, or (n, m).
        material: roughness, F0, sheen, metal instead of the cloth's own.
        solid: seen from outside only; otherwise a sheet with two faces.
        tucked: hidden by hair that lies over it (the arms of glasses).
        clear: glass; whatever else is there is seen through it.
        back: behind the head: only what the photograph leaves free shows it.
    """

    at: F32
    uv: F32
    cloth: Cloth
    cover: float | F32 = 1.0
    material: tuple[float, float, float, float] | None = None
    solid: bool = True
    tucked: bool = False
    clear: bool = False
    back: bool = False


ROUND: Final = 12
"""Points around a tube."""


def tube(
    path: Array, across: Array | float, deep: Array | float | None = None, *, cloth: Cloth, closed: bool = False,
    boxy: float = 2.0, around: int = ROUND, up: tuple[float, float, float] | F64 = (0.0, -1.0, 0.0),
    tucked: bool = False,
) -> Part:  # fmt: skip
    """A tube along a path (n, 3).

    Args:
        up: roughly that direction, never that of the path; one, or (n, 3).
        across: half its height along `up`, one number or (n,).
        deep: half its thickness; None = as `across`.
        closed: the path returns to its first point, which is repeated.
        boxy: 2 = round, more = a rounded box.
    """
    path = np.asarray(path, np.float64)
    along = np.gradient(path, axis=0)
    if closed:
        along[0] = along[-1] = (path[1] - path[-2]) / 2
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side = np.cross(along, np.asarray(up, np.float64))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    other = np.cross(side, along)
    t = np.linspace(0, 2 * np.pi, around + 1)
    c, s = np.cos(t), np.sin(t)
    c, s = np.sign(c) * np.abs(c) ** (2 / boxy), np.sign(s) * np.abs(s) ** (2 / boxy)
    a = np.broadcast_to(np.asarray(across, np.float64), len(path))[:, None, None]
    d = a if deep is None else np.broadcast_to(np.asarray(deep, np.float64), len(path))[:, None, None]
    at = path[:, None] + a * other[:, None] * c[:, None] + d * side[:, None] * s[:, None]
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(length[:, None], t[None] * float(a.mean())), -1)
    return Part(at.astype(np.float32), uv.astype(np.float32), cloth, tucked=tucked)


def ball(centre: Array, radius: tuple[float, float, float] | float, *, cloth: Cloth, n: int = 16) -> Part:
    """An ellipsoid; `radius` (3,) or a number."""
    v = np.linspace(0.02, np.pi - 0.02, n)[:, None]
    u = np.linspace(0, 2 * np.pi, 2 * n + 1)[None]
    at = np.stack(np.broadcast_arrays(np.sin(v) * np.sin(u), -np.cos(v), -np.sin(v) * np.cos(u)), -1)
    r = np.broadcast_to(np.asarray(radius, np.float64), 3)
    at = np.asarray(centre, np.float64) + at * r
    # What is so small shows no grain.
    return Part(at.astype(np.float32), np.zeros((n, 2 * n + 1, 2), np.float32), cloth)


def sheet(at: Array, *, cloth: Cloth, solid: bool = False, uv: Array | None = None) -> Part:
    """Any grid of points (n, m, 3); `uv` from the lengths of its lines where it is not given."""
    at = np.asarray(at, np.float64)
    if uv is None:
        down = np.concatenate([np.zeros((1, at.shape[1])), np.cumsum(np.linalg.norm(np.diff(at, axis=0), axis=2), 0)])
        along = np.concatenate(
            [np.zeros((at.shape[0], 1)), np.cumsum(np.linalg.norm(np.diff(at, axis=1), axis=2), 1)], 1
        )
        longest = along[int(np.argmax(along[:, -1]))]
        uv = np.stack([np.broadcast_to(longest, down.shape), down], -1)
    return Part(at.astype(np.float32), np.asarray(uv, np.float32), cloth, solid=solid)
