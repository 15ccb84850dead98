"""Spherical harmonics of order 2 over the light axes (x right, y up, z to the camera).

Ramamoorthi and Hanrahan, An Efficient Representation for Irradiance Environment Maps, 2001. Order of the nine terms:
1, y, z, x, xy, yz, 3z²-1, xz, x²-y². Coefficients here hold irradiance over pi: a constant environment of radiance L
gives irradiance L in every direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from portrayal.imaging import F32, Array

CONSTANT = 0.282095
_COSINE = (1.0, 2 / 3, 2 / 3, 2 / 3, 0.25, 0.25, 0.25, 0.25, 0.25)


def basis(directions: Array) -> F32:
    """The nine terms (..., 9) at unit vectors (..., 3)."""
    x, y, z = directions[..., 0], directions[..., 1], directions[..., 2]
    terms = (
        np.full_like(x, CONSTANT),
        0.488603 * y,
        0.488603 * z,
        0.488603 * x,
        1.092548 * x * y,
        1.092548 * y * z,
        0.315392 * (3 * z * z - 1),
        1.092548 * x * z,
        0.546274 * (x * x - y * y),
    )
    return np.stack(terms, -1).astype(np.float32)


@lru_cache(1)
def _sphere() -> tuple[F32, F32]:
    """Directions (n, 3) and solid angles (n,) that cover the sphere."""
    rows, columns = 32, 64
    polar = ((np.arange(rows) + 0.5) / rows * np.pi)[:, None]
    turn = ((np.arange(columns) + 0.5) / columns * 2 * np.pi)[None]
    s = np.sin(polar)
    d = np.stack([s * np.sin(turn), np.cos(polar) + 0 * turn, s * np.cos(turn)], -1).reshape(-1, 3)
    area = np.broadcast_to(s * (np.pi / rows) * (2 * np.pi / columns), (rows, columns)).reshape(-1)
    return d.astype(np.float32), area.astype(np.float32)


def constant(colour: Sequence[float]) -> F32:
    """Coefficients (9, 3) of the same light from everywhere."""
    out = np.zeros((9, 3), np.float32)
    out[0] = np.asarray(colour, np.float32) / CONSTANT
    return out


def lobe(direction: Array, colour: Array, sharpness: float) -> F32:
    """Coefficients (9, 3) of a soft light: radiance colour * exp(sharpness * (cos - 1)) around `direction`."""
    d, area = _sphere()
    v = np.asarray(direction, np.float32)
    v = v / max(float(np.linalg.norm(v)), 1e-6)
    weight = np.exp(sharpness * (d @ v - 1)) * area
    terms = (basis(d) * weight[:, None]).sum(0) * np.array(_COSINE, np.float32)
    return np.asarray(terms[:, None] * np.asarray(colour, np.float32), np.float32)


def irradiance(coefficients: F32, normals: Array) -> F32:
    """Irradiance over pi (..., 3) at unit normals (..., 3); never negative."""
    return np.asarray(np.maximum(basis(normals) @ coefficients, 0), np.float32)
