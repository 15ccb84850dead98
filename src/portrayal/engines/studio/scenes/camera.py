"""The camera of a plate: pixels to rays, points to pixels.

World of the scenes: x right, y up with the floor at 0, z away from the camera at yaw 0, metres; the camera stands at
(0, eye, 0) and turns by `yaw` to the right. Verticals stay upright: the horizon is moved by a shift of the film, as a
view camera does, never by tilting.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from portrayal.engines.studio.types import Shot
from portrayal.imaging import F32, Array

EYE = 1.5


@dataclass(frozen=True)
class Camera:
    """A pinhole of (height, width) pixels.

    Attributes:
        fov: vertical field of view in degrees.
        horizon: fraction of the height.
        yaw: radians to the right.
        eye: metres over the floor.
    """

    width: int
    height: int
    fov: float
    horizon: float
    yaw: float
    eye: float = EYE

    @staticmethod
    def of(shot: Shot, scale: float, yaw: float, eye: float = EYE) -> Camera:
        """The camera of a shot at a reduced size; `yaw` in degrees."""
        width, height = max(24, round(shot.width * scale)), max(24, round(shot.height * scale))
        return Camera(width, height, shot.fov, shot.horizon, float(np.radians(yaw)), eye)

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return float(0.5 * self.height / np.tan(np.radians(self.fov) / 2))

    @cached_property
    def rays(self) -> F32:
        """Camera-space rays (h, w, 3) with z = 1."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal
        y = (self.horizon * self.height - 0.5 - np.arange(self.height, dtype=np.float32)) / self.focal
        out = np.ones((self.height, self.width, 3), np.float32)
        out[..., 0], out[..., 1] = x[None, :], y[:, None]
        return out

    @cached_property
    def azimuth(self) -> F32:
        """World azimuth of each column, (1, w) radians."""
        return np.asarray(np.arctan(self.rays[:1, :, 0]) + self.yaw, np.float32)

    @cached_property
    def elevation(self) -> F32:
        """Elevation of each pixel, (h, w) radians."""
        r = self.rays
        return np.asarray(np.arctan2(r[..., 1], np.hypot(r[..., 0], 1)), np.float32)

    @cached_property
    def frame(self) -> tuple[Array, Array]:
        """Picture coordinates x, y (h, w) in heights: 0, 0 on the horizon's middle, x right, y down."""
        r = self.rays
        k = 0.5 / np.tan(np.radians(self.fov) / 2)
        return r[..., 0] * k, -r[..., 1] * k

    def to_camera(self, points: Array) -> F32:
        """World points (..., 3) to camera space: x right, y up from the eye, z forward."""
        p = np.asarray(points, np.float32)
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.stack(
            [p[..., 0] * c - p[..., 2] * s, p[..., 1] - self.eye, p[..., 0] * s + p[..., 2] * c], -1
        ).astype(np.float32)

    def vector_to_camera(self, vector: Array) -> F32:
        """A world direction (..., 3) in camera space."""
        v = np.asarray(vector, np.float32)
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.stack([v[..., 0] * c - v[..., 2] * s, v[..., 1], v[..., 0] * s + v[..., 2] * c], -1).astype(
            np.float32
        )

    def to_light_axes(self, vector: Array) -> F32:
        """A world direction in the light axes (x right, y up, z towards the camera)."""
        v = self.vector_to_camera(vector)
        return np.asarray(v * np.array((1, 1, -1), np.float32), np.float32)

    def project(self, point: Array | tuple[float, float, float]) -> tuple[float, float, float]:
        """Pixel x, y and depth of one world point; depth <= 0 is behind the camera."""
        x, y, z = (float(v) for v in self.to_camera(np.asarray(point)))
        safe = max(z, 1e-3)
        return self.width / 2 + self.focal * x / safe, self.horizon * self.height - self.focal * y / safe, z

    def ground(self, level: float = 0.0) -> tuple[F32, F32, F32]:
        """World x, z and depth of the plane y = level at each pixel; depth is infinite above the horizon."""
        r = self.rays
        drop = self.eye - level
        with np.errstate(divide="ignore"):
            depth = np.where(r[..., 1] < -1e-4, -drop / np.minimum(r[..., 1], -1e-4), np.float32(np.inf))
        d = np.minimum(depth, 1e5)
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        x = d * (r[..., 0] * c + s)
        z = d * (-r[..., 0] * s + c)
        return x.astype(np.float32), z.astype(np.float32), depth.astype(np.float32)
