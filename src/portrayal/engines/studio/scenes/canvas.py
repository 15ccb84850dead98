"""A small deferred renderer for furniture, houses and cut-outs: parallelograms with textures, a depth buffer, lamps.

Everything solid is a list of parallelograms; `draw` rasterises them far to near by solving each pixel's ray against the
plane, which needs no clipping. Light falls on the result afterwards (`shade`), from soft point lights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.types import Lamp
from portrayal.imaging import F32, Array
from portrayal.parallel import bands

FAR = 1e5
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Glow:
    """A soft point light of a scene: world position, linear colour, radius at which it has fallen to about one."""

    position: tuple[float, float, float]
    colour: Colour
    radius: float


@dataclass(frozen=True)
class _Quad:
    solve: F32
    texture: F32
    normal: F32
    emits: float
    repeat: tuple[float, float]
    distance: float
    box: tuple[int, int, int, int]


def hexadecimal(code: str, gain: float = 1.0) -> Colour:
    """Linear RGB of a display colour such as ``"c8a060"``."""
    v = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    v = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) * gain
    return float(v[0]), float(v[1]), float(v[2])


@njit(nogil=True, cache=True, fastmath=True)
def _raster(
    albedo: F32,
    glow: F32,
    depth: F32,
    normals: F32,
    solve: F32,
    texture: F32,
    normal: F32,
    emits: float,
    rs: float,
    rt: float,
    lens: F32,
    x0: int,
    x1: int,
    y0: int,
    y1: int,
) -> None:
    """One parallelogram; a single loop, since kernels that call kernels compile longer."""
    th, tw = texture.shape[:2]
    for y in range(y0, y1):
        ry = (lens[2] - 0.5 - y) / lens[0]
        for x in range(x0, x1):
            rx = (x + 0.5 - lens[1]) / lens[0]
            k = solve[0, 0] * rx + solve[0, 1] * ry + solve[0, 2]
            if k <= 1e-6:
                continue
            s = (solve[1, 0] * rx + solve[1, 1] * ry + solve[1, 2]) / k
            t = (solve[2, 0] * rx + solve[2, 1] * ry + solve[2, 2]) / k
            if s < 0 or s >= 1 or t < 0 or t >= 1:
                continue
            z = 1 / k
            if z < 0.25 or z > depth[y, x] + 0.002 * z:
                continue
            u = s * rs
            v = t * rt
            fu = (u - np.floor(u)) * tw - 0.5
            fv = (v - np.floor(v)) * th - 0.5
            iu = int(np.floor(fu))
            iv = int(np.floor(fv))
            a = np.float32(fu - iu)
            b = np.float32(fv - iv)
            # Repeating textures wrap, others hold their edge.
            if rs > 1:
                i0 = iu % tw
                i1 = (iu + 1) % tw
            else:
                i0 = min(max(iu, 0), tw - 1)
                i1 = min(max(iu + 1, 0), tw - 1)
            if rt > 1:
                j0 = iv % th
                j1 = (iv + 1) % th
            else:
                j0 = min(max(iv, 0), th - 1)
                j1 = min(max(iv + 1, 0), th - 1)
            w00 = (1 - a) * (1 - b)
            w10 = a * (1 - b)
            w01 = (1 - a) * b
            w11 = a * b
            alpha = (
                texture[j0, i0, 3] * w00
                + texture[j0, i1, 3] * w10
                + texture[j1, i0, 3] * w01
                + texture[j1, i1, 3] * w11
            )
            if alpha < 0.02:
                continue
            for c in range(3):
                value = (
                    texture[j0, i0, c] * w00
                    + texture[j0, i1, c] * w10
                    + texture[j1, i0, c] * w01
                    + texture[j1, i1, c] * w11
                )
                albedo[y, x, c] = albedo[y, x, c] * (1 - alpha) + (value * alpha if emits <= 0 else 0.0)
                glow[y, x, c] = glow[y, x, c] * (1 - alpha) + (value * alpha * emits if emits > 0 else 0.0)
            if alpha > 0.5:
                depth[y, x] = z
                for c in range(3):
                    normals[y, x, c] = normal[c]


@njit(nogil=True, cache=True, fastmath=True)
def _shade(
    out: F32,
    albedo: F32,
    glow: F32,
    depth: F32,
    normals: F32,
    lens: F32,
    places: F32,
    colours: F32,
    first: int,
    last: int,
) -> None:
    w = depth.shape[1]
    for y in range(first, last):
        ry = (lens[2] - 0.5 - y) / lens[0]
        for x in range(w):
            if albedo[y, x, 0] + albedo[y, x, 1] + albedo[y, x, 2] < 1e-5:
                for c in range(3):
                    out[y, x, c] = glow[y, x, c]
                continue
            z = depth[y, x]
            px = (x + 0.5 - lens[1]) / lens[0] * z
            py = ry * z
            la = out[y, x, 0]
            lb = out[y, x, 1]
            lc = out[y, x, 2]
            for i in range(places.shape[0]):
                dx = places[i, 0] - px
                dy = places[i, 1] - py
                dz = places[i, 2] - z
                d2 = dx * dx + dy * dy + dz * dz + np.float32(1e-4)
                facing = (dx * normals[y, x, 0] + dy * normals[y, x, 1] + dz * normals[y, x, 2]) / np.sqrt(d2)
                facing = np.float32(0.4) + np.float32(0.6) * max(facing, np.float32(-0.4))
                f = facing / (np.float32(0.15) + d2 / (places[i, 3] * places[i, 3]))
                la += f * colours[i, 0]
                lb += f * colours[i, 1]
                lc += f * colours[i, 2]
            out[y, x, 0] = albedo[y, x, 0] * la + glow[y, x, 0]
            out[y, x, 1] = albedo[y, x, 1] * lb + glow[y, x, 1]
            out[y, x, 2] = albedo[y, x, 2] * lc + glow[y, x, 2]


@dataclass
class Canvas:
    """What a builder paints on. Textures are (h, w, 3) or (h, w, 4) linear, or one colour."""

    camera: Camera
    full_height: int
    quads: list[_Quad] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    glows: list[Glow] = field(default_factory=list)

    def __post_init__(self) -> None:
        h, w = self.camera.height, self.camera.width
        self.albedo = np.zeros((h, w, 3), np.float32)
        self.emission = np.zeros((h, w, 3), np.float32)
        self.depth = np.full((h, w), FAR, np.float32)
        self.normals = np.zeros((h, w, 3), np.float32)
        self.normals[..., 2] = -1

    @property
    def lens(self) -> F32:
        """Focal length and principal point in pixels."""
        c = self.camera
        return np.array((c.focal, c.width / 2, c.horizon * c.height), np.float32)

    def backdrop(self, radiance: Array, depth: Array | float) -> None:
        """Fill the whole canvas with light that is already there, e.g. a sky or a panorama."""
        self.emission[:] = radiance
        self.albedo[:] = 0
        self.depth[:] = depth

    def quad(
        self,
        corner: Sequence[float],
        right: Sequence[float],
        down: Sequence[float],
        texture: Array | Colour,
        emits: float = 0.0,
        repeat: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """A parallelogram: top left corner and the two edge vectors, world metres.

        `emits` > 0: the texture is light already, times this.
        """
        c = self.camera
        p = c.to_camera(np.asarray(corner))
        u, v = c.vector_to_camera(np.asarray(right)), c.vector_to_camera(np.asarray(down))
        corners = np.stack([p, p + u, p + u + v, p + v])
        box = self._box(corners)
        matrix = np.stack([p, u, v], 1).astype(np.float64)
        if box is None or abs(np.linalg.det(matrix)) < 1e-9:
            return
        n = np.cross(u, v)
        n = n / max(float(np.linalg.norm(n)), 1e-9)
        if float(n @ (p + u / 2 + v / 2)) > 0:
            n = -n
        tex: Array = _texture(texture)
        near = max(float(corners[:, 2].min()), 0.5)
        size = float(np.linalg.norm(v)) * c.focal / near
        while tex.shape[0] > 2.5 * size / max(repeat[1], 1) and tex.shape[0] >= 16 and tex.shape[1] >= 16:
            tex = cv2.resize(tex, (tex.shape[1] // 2, tex.shape[0] // 2), interpolation=cv2.INTER_AREA)
        # Kept textures are read-only; all are, so that the kernel is compiled for one kind of array.
        tex = np.ascontiguousarray(tex, np.float32).view()
        tex.setflags(write=False)
        self.quads.append(
            _Quad(
                np.linalg.inv(matrix).astype(np.float32),
                tex,
                n.astype(np.float32),
                float(emits),
                repeat,
                float(corners[:, 2].mean()),
                box,
            )
        )

    def _box(self, corners: F32) -> tuple[int, int, int, int] | None:
        near = 0.25
        points = [p for p in corners if p[2] > near]
        for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
            if (a[2] > near) != (b[2] > near):
                points.append(a + (b - a) * (near - a[2]) / (b[2] - a[2]))
        if not points:
            return None
        q = np.array(points)
        c = self.camera
        x = c.width / 2 + c.focal * q[:, 0] / q[:, 2]
        y = c.horizon * c.height - c.focal * q[:, 1] / q[:, 2]
        x0, x1 = int(max(np.floor(x.min()) - 1, 0)), int(min(np.ceil(x.max()) + 1, c.width))
        y0, y1 = int(max(np.floor(y.min()) - 1, 0)), int(min(np.ceil(y.max()) + 1, c.height))
        return (x0, x1, y0, y1) if x1 > x0 and y1 > y0 else None

    def wall(
        self,
        x0: float,
        x1: float,
        y0: float,
        y1: float,
        z: float,
        texture: Array | Colour,
        emits: float = 0.0,
        repeat: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """An upright rectangle that faces the camera."""
        self.quad((x0, y1, z), (x1 - x0, 0, 0), (0, y0 - y1, 0), texture, emits, repeat)

    def side(
        self,
        x: float,
        z0: float,
        z1: float,
        y0: float,
        y1: float,
        texture: Array | Colour,
        emits: float = 0.0,
        repeat: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """An upright rectangle along z."""
        self.quad((x, y1, z0), (0, 0, z1 - z0), (0, y0 - y1, 0), texture, emits, repeat)

    def slab(
        self,
        x0: float,
        x1: float,
        z0: float,
        z1: float,
        y: float,
        texture: Array | Colour,
        emits: float = 0.0,
        repeat: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """A level rectangle."""
        self.quad((x0, y, z1), (x1 - x0, 0, 0), (0, 0, z0 - z1), texture, emits, repeat)

    def box(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        texture: Array | Colour,
        top: Array | Colour | None = None,
    ) -> None:
        """A box; only the faces that the camera can see."""
        self.wall(x[0], x[1], y[0], y[1], z[0], texture)
        if x[0] > 0:
            self.side(x[0], z[0], z[1], y[0], y[1], texture)
        if x[1] < 0:
            self.side(x[1], z[0], z[1], y[0], y[1], texture)
        if y[1] < self.camera.eye:
            self.slab(x[0], x[1], z[0], z[1], y[1], texture if top is None else top)
        elif y[0] > self.camera.eye:
            self.slab(x[0], x[1], z[0], z[1], y[0], texture)

    def card(
        self, x: float, y: float, z: float, width: float, height: float, texture: Array, emits: float = 0.0
    ) -> None:
        """A cut-out that always faces the camera: (x, y, z) is the middle of its lower edge."""
        c, s = float(np.cos(self.camera.yaw)), float(np.sin(self.camera.yaw))
        self.quad(
            (x - width / 2 * c, y + height, z + width / 2 * s),
            (width * c, 0, -width * s),
            (0, -height, 0),
            texture,
            emits,
        )

    def lamp(self, place: Sequence[float], colour: Colour, power: float = 30.0, size: float = 0.06) -> None:
        """A visible lamp of `size` metres and `power` times the radiance `colour`."""
        x, y, z = self.camera.project(np.asarray(place))
        if z < 0.4:
            return
        k = self.full_height / self.camera.height
        radius = size * self.camera.focal * k / z
        energy = power * np.pi * radius * radius
        self.lamps.append(Lamp(x * k, y * k, z, (colour[0] * energy, colour[1] * energy, colour[2] * energy), radius))

    def glow(self, place: Sequence[float], colour: Colour, radius: float, gain: float = 1.0) -> None:
        """A light that falls on the scene; not visible itself."""
        x, y, z = place
        self.glows.append(Glow((x, y, z), (colour[0] * gain, colour[1] * gain, colour[2] * gain), radius))

    def draw(self) -> None:
        """Rasterise all quads so far, far to near."""
        order = sorted(self.quads, key=lambda q: -q.distance)
        lens = self.lens

        def band(first: int, last: int) -> None:
            for q in order:
                x0, x1, y0, y1 = q.box
                a, b = max(y0, first), min(y1, last)
                if a < b:
                    _raster(
                        self.albedo, self.emission, self.depth, self.normals, q.solve, q.texture, q.normal,
                        q.emits, q.repeat[0], q.repeat[1], lens, x0, x1, a, b,
                    )  # fmt: skip

        bands(band, self.camera.height, least=48)
        self.quads.clear()

    def shade(self, ambient: Colour | Array, occlusion: float = 0.5) -> F32:
        """Radiance (h, w, 3) of the scene under `ambient` light and all glows.

        `occlusion`: darkening where something stands closely before something deeper, 0..1.
        """
        out = np.empty_like(self.albedo)
        out[:] = np.asarray(ambient, np.float32)
        if self.glows:
            places = np.array([(*self.camera.to_camera(np.array(g.position)), g.radius) for g in self.glows])
            colours = np.array([g.colour for g in self.glows])
        else:
            places, colours = np.zeros((0, 4)), np.zeros((0, 3))
        a = places.astype(np.float32), colours.astype(np.float32)
        lens = self.lens
        bands(
            lambda first, last: _shade(
                out, self.albedo, self.emission, self.depth, self.normals, lens, *a, first, last
            ),
            out.shape[0],
            least=48,
        )
        if occlusion > 0:
            inverse = 1 / np.minimum(self.depth, 60.0)
            around = cv2.GaussianBlur(inverse, (0, 0), self.camera.height * 0.02)
            dark = np.clip((around / inverse - 1) * 3.0, 0, 1) * occlusion
            lit = self.albedo.max(-1) > 0.004
            out *= (1 - dark * lit)[..., None]
        return out

    def visible_lamps(self) -> list[Lamp]:
        """The lamps that nothing hides."""
        k = self.camera.height / self.full_height
        h, w = self.depth.shape
        kept = []
        for lamp in self.lamps:
            x, y = int(lamp.x * k), int(lamp.y * k)
            inside = 0 <= x < w and 0 <= y < h
            if not inside or self.depth[y, x] > lamp.depth - max(0.35, 0.02 * lamp.depth):
                kept.append(lamp)
        return kept


def _texture(texture: Array | Colour) -> F32:
    t = np.asarray(texture, np.float32)
    if t.ndim == 1:
        t = t[None, None]
    if t.shape[2] == 3:
        out = np.ones((*t.shape[:2], 4), np.float32)
        out[..., :3] = t
        return out
    return np.ascontiguousarray(t, np.float32)
