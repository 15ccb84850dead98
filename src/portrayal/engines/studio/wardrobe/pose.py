"""From the standard bust to the person: the neck's and the shoulders' width, the lean of the neck, turn and tilt.

One smooth warp does all of it at once. The frame's (x, y) is where the notch is *seen*, turned or not: the body turns
around the vertical line through the notch as seen, hence the neck's axis, 6.2 cm behind, goes to
``frame.x - 6.2 * sin(yaw) * scale``; `frame.lean` is the way from there to the middle of the neck's top.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.cloth.surface import NOWHERE, Surface
from portrayal.engines.studio.wardrobe import bust, cut
from portrayal.engines.studio.wardrobe.bust import AXIS
from portrayal.engines.studio.wardrobe.frame import BustFrame
from portrayal.imaging import F32
from portrayal.kernels import KERNEL
from portrayal.parallel import bands

# The neck keeps facing with the head; below the second height the body has its whole turn.
_FACING: Final = -11.0
_TURNED: Final = -3.0
_ACROMION: Final = 15.2
_NOTCH: Final = -0.6
"""z of the notch on the bust."""
_MARGIN: Final = 1.5
_STEPS: Final = np.linspace(0, 60, 601)


@dataclass(frozen=True)
class Lattice:
    """Where the stage's pixels lie on the standard bust: left and top edge (cm), pixels per cm in x and y."""

    left: float
    top: float
    sx: float
    sy: float


def fit(x: F32, frame: BustFrame, back: bool = False) -> F32:
    """From x on the standard bust to x on the person (or back), cm, along the shoulders."""
    curve = _curve(frame.neck, frame.shoulders)
    size = np.abs(x)
    out = np.interp(size, curve, _STEPS) if back else np.interp(size, _STEPS, curve)
    return np.asarray(np.sign(x) * out, np.float32)


@lru_cache(32)
def _curve(neck: float, shoulders: float) -> F32:
    """x on the person for 0, 0.1, .. 60 cm on the standard bust."""
    wide = (_ACROMION + 1.5) * shoulders
    a = np.array([0.0, cut.NECK - 1.5, cut.NECK + 1.5, _ACROMION - 2, _ACROMION + 1.5, 60.0])
    b = np.array([0.0, neck - 1.5, neck + 1.5, wide - 3.5, wide, wide + 60 - _ACROMION - 1.5])
    # Rounded corners: a kink in the map would be a kink in every stripe.
    curve = np.interp(_STEPS, a, b)
    kernel = np.hanning(31)
    padded = np.concatenate([-curve[15:0:-1], curve, 2 * curve[-1] - curve[-2:-17:-1]])
    return np.convolve(padded, kernel / kernel.sum(), "valid").astype(np.float32)


def window(frame: BustFrame) -> tuple[float, float, float, float]:
    """The part of the standard bust (x0, x1, y0, y1) cm that the canvas can show."""
    corners = np.array([[0, 0], [frame.width, 0], [0, frame.height], [frame.width, frame.height]], np.float64)
    p = (corners - [frame.x, frame.y]) / frame.scale
    c, s = math.cos(frame.roll), math.sin(frame.roll)
    x, y = p[:, 0] * c + p[:, 1] * s, -p[:, 0] * s + p[:, 1] * c
    reach = _MARGIN + 14 * abs(math.sin(frame.yaw)) + abs(frame.lean)
    x0, x1 = float(x.min()) - reach, float(x.max()) + reach
    stretch = max(1.0, 1 / math.cos(frame.yaw)) / min(0.85, frame.shoulders)
    x0, x1 = (v * stretch if abs(v) > 5 else v - 2 for v in (x0, x1))
    low = max(-14.0, float(y.min()) - _MARGIN)
    return max(x0, -31.75), min(max(x1, x0 + 6), 31.75), low, max(float(y.max()) + _MARGIN, low + 4)


@lru_cache(8)
def _relief(chest: float) -> F32:
    """z of the clothed bust (ROWS, COLUMNS), smooth: what the turn moves sideways."""
    z = bust.trace(1.2, 0.3, 0.5, True, 0.0, 0.0, chest).geometry[..., 3]
    return np.asarray(cv2.GaussianBlur(np.clip(z, -12, 8), (0, 0), 1.6 / bust.STEP), np.float32)


def _turn(y: F32, yaw: float) -> F32:
    t = np.clip((y - _FACING) / (_TURNED - _FACING), 0, 1)
    return np.asarray(yaw * t * t * (3 - 2 * t), np.float32)


def _way(frame: BustFrame, lattice: Lattice) -> tuple[F32, F32]:
    """Where each canvas pixel looks on the stage: map_x, map_y (H, W) in stage pixels. The map is smooth: every
    eighth."""
    q = 8
    w, h = (frame.width + q - 1) // q + 1, (frame.height + q - 1) // q + 1
    px = (np.arange(w, dtype=np.float32) * q)[None, :] - np.float32(frame.x)
    py = (np.arange(h, dtype=np.float32) * q)[:, None] - np.float32(frame.y)
    px, py = (px + 0 * py) / frame.scale, (py + 0 * px) / frame.scale
    c, s = math.cos(frame.roll), math.sin(frame.roll)
    x, y = (px * c + py * s).astype(np.float32), (-px * s + py * c).astype(np.float32)
    yaw = _turn(y, frame.yaw)
    lean = np.float32(frame.lean) * np.clip(-y / 9, 0, 1.3)
    axis = np.float32((AXIS - _NOTCH) * math.sin(frame.yaw))
    deep = _relief(round(frame.chest * 4) / 4)
    rows = ((y - bust.TOP) / bust.STEP - 0.5).astype(np.float32)
    cosine, sine = np.cos(yaw), np.sin(yaw)
    seen = x - axis - lean
    standard = fit(np.asarray(x - lean, np.float32), frame, back=True)
    for _ in range(6 if frame.yaw else 1):
        columns = ((standard - bust.LEFT) / bust.STEP - 0.5).astype(np.float32)
        z = cv2.remap(deep, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        turned = np.asarray((seen - (z - AXIS) * sine) / cosine, np.float32)
        target = fit(turned, frame, back=True)
        standard = 0.35 * standard + 0.65 * target
    mx = (standard - lattice.left) * lattice.sx - 0.5
    my = (y - lattice.top) * lattice.sy - 0.5
    matrix = np.array([[1 / q, 0, 0], [0, 1 / q, 0]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (frame.width, frame.height)
    both = cv2.warpAffine(np.dstack([mx, my]).astype(np.float32), matrix, size, flags=flags)
    return np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1])


def surface(frame: BustFrame, geometry: F32, colour: F32, material: F32, skin: F32, lattice: Lattice) -> Surface:
    """The stage's layers (normal and z, albedo and cover, material, skin) as the frame's canvas shows them."""
    # Nothing is above the stage's first row; only rows below it are worked on.
    mx, my = _way(frame, lattice)
    rows = np.flatnonzero((my > -2).any(1))
    top = int(rows[0]) if len(rows) else frame.height
    h, w = frame.height, frame.width
    part = slice(top, h)
    mx, my = mx[part], my[part]
    # The bust goes on beyond the last row of the stage, but nothing is beside it.

    def read(source: F32) -> F32:
        return np.asarray(cv2.remap(source, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    out_colour = np.zeros((h, w, 4), np.float32)
    out_material = np.zeros((h, w, 4), np.float32)
    out_normals = np.zeros((h, w, 3), np.float32)
    out_normals[..., 2] = 1
    out_depth = np.full((h, w), NOWHERE, np.float32)
    out_skin = np.zeros((h, w), np.float32)
    out_material[:] = material[0, 0]
    if top < h:
        # Weighted by cover: what is empty has no colour to give to an outline.
        cover = colour[..., 3]
        colour[..., :3] *= cover[..., None]
        out_colour[part] = read(colour)
        out_material[part] = read(material)
        out_skin[part] = read(skin * cover)
        shape = read(geometry)
        numbers = np.array(
            [lattice.left, lattice.top, lattice.sx, lattice.sy, frame.yaw, frame.roll, frame.depth], np.float32
        )
        curve = _curve(frame.neck, frame.shoulders)
        bands(
            lambda a, b: _face(out_normals, out_depth, out_colour, out_skin, shape, mx, my, curve, numbers, top, a, b),
            h - top,
        )
    return Surface(
        albedo=np.ascontiguousarray(out_colour[..., :3]),
        normals=out_normals,
        depth=out_depth,
        material=out_material,
        cover=np.ascontiguousarray(np.clip(out_colour[..., 3], 0, 1)),
        skin=out_skin,
        scale=frame.scale,
    )


@njit(**KERNEL)
def _face(
    normals: Any,
    depth: Any,
    colour: Any,
    skin: Any,
    shape: Any,
    mx: Any,
    my: Any,
    curve: Any,
    numbers: Any,
    top: int,
    first: int,
    last: int,
) -> None:
    """Turn and tilt normals and z of the rows top + first..last; light axes out."""
    left, high, sx, sy = numbers[0], numbers[1], numbers[2], numbers[3]
    yaw, roll, base = numbers[4], numbers[5], numbers[6]
    cr, sr, forward = math.cos(roll), math.sin(roll), (AXIS - _NOTCH) * math.cos(yaw)
    for i in range(first, last):
        for j in range(mx.shape[1]):
            cover = colour[top + i, j, 3]
            if cover < 0.004:
                colour[top + i, j, 3] = 0.0
                skin[top + i, j] = 0.0
                continue
            for k in range(3):
                colour[top + i, j, k] = max(colour[top + i, j, k] / cover, 0.0)
            skin[top + i, j] = min(skin[top + i, j] / cover, 1.0)
            y = (my[i, j] + 0.5) / sy + high
            t = min(max((y - _FACING) / (_TURNED - _FACING), 0.0), 1.0)
            turn = yaw * t * t * (3.0 - 2.0 * t)
            c, s = math.cos(turn), math.sin(turn)
            a, b, z = shape[i, j, 0], shape[i, j, 1], shape[i, j, 2]
            nx, nz = a * c + z * s, max(-a * s + z * c, 0.02)
            n = 1.0 / math.sqrt(nx * nx + b * b + nz * nz + 1e-9)
            normals[top + i, j, 0] = (nx * cr - b * sr) * n
            normals[top + i, j, 1] = -(nx * sr + b * cr) * n
            normals[top + i, j, 2] = nz * n
            x = (mx[i, j] + 0.5) / sx + left
            at = min(abs(x) * 10.0, 599.0)
            k = int(at)
            wide = curve[k] + (curve[k + 1] - curve[k]) * (at - k)
            depth[top + i, j] = (shape[i, j, 3] - AXIS) * c - math.copysign(wide, x) * s + forward + base
