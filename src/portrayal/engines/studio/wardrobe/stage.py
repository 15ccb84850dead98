"""The stage: where a garment is built up on the standard bust, layer over layer, and then turned to the camera.

**Coordinates.** Everything is drafted on the STANDARD bust: centimetres, origin the jugular notch, x right, y down,
z to the camera; neck radius 5.7 (`cut.NECK`), shoulders 1. No part looks at the frame's neck or shoulders: `surface()`
fits the finished clothes to the person, leans the neck, turns and tilts. So the same paths serve every person.
Arrays of the stage are (h, w) on its own lattice of `detail` cm (not the canvas), float32.

Landmarks of the standard bust: neck |x| < 5.7 at y = -5; slope of the shoulder y = -2 at x = 10; tip of the shoulder
x = 17, y = 2; outline of the arm x = 21..24, armpit (14, 15), apex of the chest (8, 14), elbow (20, 36). Chin about
y = -7. The picture ends at y = 15 (close-up) .. 45 (waist); a garment goes on to `cut.FAR`.

**A layer** is one call of `put`, from the back to the front::

    shell = stage.shell(offset=1.5, pad=1.3, bulk=0.5)                    # the surface the layer lies on
    cover = stage.area(path) * shell.inside                             # (h, w) 0..1, antialiased
    stage.put(cover, shell.z, shell.normals, stage.fabric(cloth), relief=stage.folds("tailored", 0.8),
              edge=(0.2, 0.3), lift=0.25)

- `area(*paths)`: union of closed outlines (n, 2) cm, antialiased. Multiply to intersect, `1 - a` to cut out.
- `shell(...)`: see `bust.trace`; `.inside` is its antialiased silhouette, `.edge` the signed cm to it.
- `fabric(cloth, uv=None, tint=1.0, rough=None)`: a `Fabric`, woven by `put` in the box of the layer only. `uv`: the two
  arrays of cloth coordinates in cm (default `stage.grain`: x and y that follow the sleeves down the arms).
  `solid("#rrggbb" or (r, g, b), material)`: a plain colour, e.g. metal; `painted(albedo, material, relief)`: arrays
  of the whole stage that a part has painted itself.
- `put(...)`: relief in cm is added to z and bends the normals; `edge=(thickness, radius)` rounds the layer's
  own rim: this is what makes it read as cloth (0.1..0.5, 0.12..0.8); `lift` (number or array) raises the layer off what
  lies under it, for occlusion and cast shadow; `skin` 0..1.
- `along(curve) -> (u, d)`: arc length and signed distance (cm) to a curve (n, 2): for ribs, stitches, rolls. Boxed:
  pass `cover` to work near it only.
- `distance(cover)`: cm to the rim inside of a cover. `line(curve, width)`: coverage of a drawn line; `dashes(curve,
  dash, gap, width)`: of stitches; `groove(curve, width, depth)`: relief of a seam. `noise(period, seed, beta)`:
  zero mean, unit deviation, over the stage, with `period` in cm of its largest cloud.
- `folds(kind, amount)`: relief of `folds.FALLS`, of the stage's seed; `strokes(lines)`: single folds, `folds.Stroke`.
- `band(radius, lean, centre) -> (z, normals)`: an elliptic cylinder around the neck, for collars and neck bands.
- `engrave(relief)` and `tint(amount)` change what is there: seams, stitches, wear over the layers put so far.
- `covers`: covers (h, w) that parts leave for later ones by name: "fronts" for seams that must not run over the shirt.
- `put(cover, None, None, ...)` lays something flat on what is there.
- `near(x, y, radius)`: a box (slices) around a point, to work on a few pixels only.
- `stage.skin`: albedo of bare skin (3,). `stage.random(number)`: a generator that only depends on the stage's seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio import noise
from portrayal.engines.studio.cloth.fabrics import weave
from portrayal.engines.studio.cloth.surface import COTTON, Surface
from portrayal.engines.studio.light.tone import linear_of_hex
from portrayal.engines.studio.types import Speed
from portrayal.engines.studio.wardrobe import bust, cut, folds, kernels, pose
from portrayal.engines.studio.wardrobe.folds import Stroke
from portrayal.engines.studio.wardrobe.frame import BustFrame
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.imaging import F32
from portrayal.parallel import bands

Box = tuple[slice, slice]
Fabric = Callable[[Box], tuple[F32, F32, F32]]
"""What a layer is made of, woven only where it shows: a box of the stage -> albedo (h or 1, w or 1, 3), relief
(h or 1, w or 1) cm, material (h or 1, w or 1, 4)."""


@dataclass(frozen=True)
class Shell:
    """A shell on the stage: z (h, w) cm, normals (h, w, 3) bust axes, inside (h, w) 0..1, edge (h, w) signed cm."""

    z: F32
    normals: F32
    inside: F32
    edge: F32


class Stage:
    """One set of clothes in the making. See the module's text for how to use it."""

    def __init__(self, frame: BustFrame, skin: F32, seed: int, speed: Speed = "balanced") -> None:
        """Args: frame: the person; skin: (3,) albedo of bare skin; seed: of folds and drape."""
        self.frame, self.skin, self.seed, self.speed = frame, np.asarray(skin, np.float32), seed, speed
        x0, x1, y0, y1 = pose.window(frame)
        # The lattice covers whole cells of the bust's grid, so that a shell is one resize away.
        c0 = max(0, math.floor((x0 - bust.LEFT) / bust.STEP))
        c1 = min(bust.COLUMNS, math.ceil((x1 - bust.LEFT) / bust.STEP))
        r0 = max(0, math.floor((y0 - bust.TOP) / bust.STEP))
        r1 = min(bust.ROWS, math.ceil((y1 - bust.TOP) / bust.STEP))
        self._cells = (slice(r0, r1), slice(c0, c1))
        self.w = max(8, round((c1 - c0) * bust.STEP * frame.scale))
        self.h = max(8, round((r1 - r0) * bust.STEP * frame.scale))
        self._left, self._top = bust.LEFT + c0 * bust.STEP, bust.TOP + r0 * bust.STEP
        self._sx, self._sy = self.w / ((c1 - c0) * bust.STEP), self.h / ((r1 - r0) * bust.STEP)
        self.detail = 1.0 / self._sx
        self._place = pose.Lattice(self._left, self._top, self._sx, self._sy)
        column = (self._left + (np.arange(self.w) + 0.5) / self._sx).astype(np.float32)
        row = (self._top + (np.arange(self.h) + 0.5) / self._sy).astype(np.float32)
        self.x: F32 = np.ascontiguousarray(np.broadcast_to(column, (self.h, self.w)))
        self.y: F32 = np.ascontiguousarray(np.broadcast_to(row[:, None], (self.h, self.w)))
        shape = (self.h, self.w)
        # Normal and z, albedo and cover, material, skin: what `_paint` blends layer over layer.
        self._geometry = np.zeros((*shape, 4), np.float32)
        self._geometry[..., 2], self._geometry[..., 3] = 1, -14
        self._colour = np.zeros((*shape, 4), np.float32)
        self._material = np.empty((*shape, 4), np.float32)
        self._material[:] = COTTON
        self._skin = np.zeros(shape, np.float32)
        # How much stronger the folds are than drafted: light cloth shows less of them.
        self.emphasis = 1.0
        self.covers: dict[str, F32] = {}
        self._shells: dict[tuple[float, ...], Shell] = {}
        self._folds: dict[tuple[str, int], F32] = {}
        self._grain: tuple[F32, F32] | None = None

    # ---------------------------------------------------------------- what layers are cut from

    def shell(
        self,
        offset: float = 0.0,
        pad: float = 0.0,
        bulk: float = 0.0,
        neck: bool = False,
        anatomy: float = 0.0,
        belly: float = 0.0,
    ) -> Shell:
        """The surface at `offset` cm above the body; see `bust.trace`. Kept, so ask for the same one freely."""
        chest = round(self.frame.chest * 4) / 4
        key = (offset, pad, bulk, float(neck), anatomy, belly, chest)
        if key not in self._shells:
            traced = bust.trace(offset, pad, bulk, neck, anatomy, belly, chest)
            size = (self.w, self.h)
            geometry = _resized(traced.geometry[self._cells], *size)
            edge = _resized(traced.inside[self._cells], *size)
            normals = np.ascontiguousarray(geometry[..., :3])
            # A lens draws no outline sharper than this.
            t = np.clip(0.5 + edge * np.float32(self._sx / 1.9), 0, 1)
            inside = (t * t * (3 - 2 * t)).astype(np.float32)
            self._shells[key] = Shell(np.ascontiguousarray(geometry[..., 3]), normals, inside, edge)
        return self._shells[key]

    def area(self, *paths: F32) -> F32:
        """Coverage (h, w) 0..1 of the union of closed outlines in cm."""
        mask = np.zeros((self.h, self.w), np.uint8)
        for path in paths:
            cv2.fillPoly(mask, [self._pixels(path)], 255, cv2.LINE_AA, 4)
        return np.asarray(mask * np.float32(1 / 255), np.float32)

    def line(self, curve: F32, width: float, closed: bool = False) -> F32:
        """Coverage (h, w) 0..1 of a line of `width` cm along a curve; a thinner line than a pixel is fainter."""
        mask = np.zeros((self.h, self.w), np.uint8)
        pixels = width * self._sx
        level = 255 * min(1.0, pixels)
        cv2.polylines(mask, [self._pixels(curve)], closed, level, max(1, round(pixels)), cv2.LINE_AA, 4)
        return np.asarray(mask * np.float32(1 / 255), np.float32)

    def dashes(self, curve: F32, dash: float = 0.28, gap: float = 0.15, width: float = 0.06) -> F32:
        """Coverage (h, w) 0..1 of stitches along a curve."""
        mask = np.zeros((self.h, self.w), np.uint8)
        at = cut.lengths(curve)
        pixels = width * self._sx
        starts = np.arange(0, float(at[-1]), dash + gap)
        ends = np.minimum(starts + dash, at[-1])
        pair = np.stack([np.stack([np.interp(t, at, curve[:, k]) for k in (0, 1)], 1) for t in (starts, ends)], 1)
        lines = [self._pixels(p) for p in pair]
        cv2.polylines(mask, lines, False, 255 * min(1.0, pixels * 1.3), max(1, round(pixels)), cv2.LINE_AA, 4)
        return np.asarray(mask * np.float32(1 / 255), np.float32)

    def groove(self, curve: F32, width: float = 0.14, depth: float = 0.12) -> F32:
        """Relief of a seam: a narrow groove, the cloth rising softly beside it."""
        drawn = self.line(curve, width)
        sigma = max(0.7, width * self._sx * 0.55)
        box = _box(drawn, math.ceil(3 * sigma))
        if box is not None:
            drawn[box] = cv2.GaussianBlur(drawn[box], (0, 0), sigma) * np.float32(-1.3 * depth)
        return drawn

    def distance(self, cover: F32) -> F32:
        """Distance in cm (h, w) to the rim, inside of a cover; 0 outside. The edges of the stage are no rims."""
        out = np.zeros((self.h, self.w), np.float32)
        box = _box(cover, 3)
        if box is not None:
            out[box] = self._rim(cover[box])
        return out

    def along(self, curve: F32, cover: F32 | None = None) -> tuple[F32, F32]:
        """Arc length and signed distance (h, w) cm of each point to a curve (n, 2); > 0 on its right (y down).

        Args:
            cover: work only in its box; elsewhere the distance is `cut.FAR`.
        """
        u, d = np.zeros((self.h, self.w), np.float32), np.full((self.h, self.w), cut.FAR, np.float32)
        box = (slice(0, self.h), slice(0, self.w)) if cover is None else _box(cover, 2)
        if box is None:
            return u, d
        x, y = self.x[box], self.y[box]
        # A curve is smooth: every third pixel is enough.
        h, w = x.shape
        small = (max(2, w // 3), max(2, h // 3))
        xs = np.ascontiguousarray(cv2.resize(x, small, interpolation=cv2.INTER_AREA))
        ys = np.ascontiguousarray(cv2.resize(y, small, interpolation=cv2.INTER_AREA))
        us, ds = np.empty_like(xs), np.empty_like(xs)
        points = np.ascontiguousarray(curve, np.float32)
        bands(lambda a, b: kernels.nearest(us, ds, xs, ys, points, a, b), xs.shape[0], least=24)
        u[box] = cv2.resize(us, (w, h), interpolation=cv2.INTER_LINEAR)
        d[box] = cv2.resize(ds, (w, h), interpolation=cv2.INTER_LINEAR)
        return u, d

    def folds(self, kind: str, amount: float = 1.0, number: int = 0) -> F32:
        """Relief (h, w) cm of how a kind of cloth falls (`folds.FALLS`); `number` tells layers of one outfit apart."""
        key = (kind, number)
        if key not in self._folds:
            self._folds[key] = self._spread(folds.relief(kind, self.seed * 31 + number))
        return np.asarray(self._folds[key] * np.float32(amount * self.emphasis), np.float32)

    def strokes(self, lines: list[Stroke]) -> F32:
        """Relief (h, w) cm of single folds."""
        return self._spread(folds.strokes(lines))

    def noise(self, period: float, seed: int = 0, beta: float = 1.7, stretch: float = 1.0) -> F32:
        """Cloudy relief (h, w), zero mean, unit deviation; largest clouds of `period` cm, `stretch` times as high."""
        scale = 0.35 / period
        # The tile is rough at every scale; a sixteenth of the period is the finest that shall show.
        q = min(24, max(1, int(period * self._sx / 16)))
        h, w = -(-self.h // q), -(-self.w // q)
        u = (self._left + (np.arange(w) + 0.5) * (q / self._sx)).astype(np.float32) * np.float32(scale)
        v = (self._top + (np.arange(h) + 0.5) * (q / self._sy)).astype(np.float32) * np.float32(scale / stretch)
        grid = np.broadcast_to(u, (h, w)), np.broadcast_to(v[:, None], (h, w))
        out = noise.fbm(*grid, (self.seed * 13 + seed) % 9973, beta)
        if q > 1:
            out = _resized(out, w * q, h * q)[: self.h, : self.w]
        return np.ascontiguousarray(out, np.float32)

    def band(self, radius: float, lean: float = 0.25, centre: float = -6.8) -> tuple[F32, F32]:
        """z and normals of an elliptic cylinder around the neck; `lean`: how far its front looks up."""
        x = self.x / np.float32(radius)
        t = np.sqrt(np.clip(1 - x * x, 0.0004, 1))
        z = (centre + radius * 1.02 * t - 0.10 * self.y).astype(np.float32)
        normals = np.stack([x, np.full_like(x, -lean), t], -1)
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        return z, np.asarray(normals, np.float32)

    def random(self, number: int) -> np.random.Generator:
        """A generator of its own for everything random in one part."""
        return np.random.default_rng([self.seed, number])

    # ---------------------------------------------------------------- what layers are made of

    @property
    def grain(self) -> tuple[F32, F32]:
        """Cloth coordinates (u, v) cm: x and y on the body; on the sleeves across and along the arm, round its
        curve."""
        if self._grain is None:
            ax, s = np.abs(self.x), np.sign(self.x)
            arm = _ramp(13.6, 15.6, ax) * _ramp(3.0, 9.0, self.y)
            # The arm leans outwards by 1.2 cm on 27; the cloth goes round it, so that its lines crowd at the outline.
            middle = 16.1 + 0.045 * (self.y - 9)
            across = np.clip((ax - middle) / 5.6, -0.97, 0.97)
            around = (np.arcsin(across) * 5.4 + 16.4) * s
            # On the chest the cloth turns away towards the sides.
            body = np.arcsin(np.clip(self.x / 24.0, -0.95, 0.95)) * 23.0
            u = body + (around - body) * arm
            # Seen from a little above, what goes round the body sags; cloth never hangs quite straight.
            sag = 1.3 * np.sqrt(np.clip(1 - (self.x / 26.0) ** 2, 0, 1)) * (1 - arm)
            slack = 0.22 * self.noise(30.0, 3)
            v = self.y - sag + slack + arm * (-0.12 * (ax - 15.0))
            self._grain = np.asarray(u + slack[::-1], np.float32), np.asarray(v, np.float32)
        return self._grain

    def fabric(
        self,
        cloth: Cloth,
        uv: tuple[F32, F32] | None = None,
        tint: float = 1.0,
        rough: float | None = None,
        number: int = 0,
    ) -> Fabric:
        """The cloth of a layer.

        Args:
            cloth: colour, fabric, pattern.
            uv: cloth coordinates (h, w) cm, None = `grain`.
            tint: brightness of the colour: 0.7 for the inside of a collar.
            rough: another roughness than the fabric's own.
            number: another piece of the same bolt.
        """
        u, v = uv if uv is not None else self.grain

        def make(box: Box) -> tuple[F32, F32, F32]:
            # Where the cloth turns away its threads crowd: a little less detail keeps them from flickering.
            detail = self.detail * 1.25
            at = np.ascontiguousarray(u[box]), np.ascontiguousarray(v[box])
            woven = weave(cloth, *at, detail, self.seed + number)
            albedo, material = woven.albedo, woven.material
            if tint != 1.0:
                albedo = albedo * np.float32(tint)
            if rough is not None:
                material = material.copy()
                material[..., 0] = rough
            return albedo, woven.relief, material.reshape(1, 1, 4) if material.ndim == 1 else material

        return make

    def put(
        self,
        cover: F32,
        z: F32 | None,
        normals: F32 | None,
        fabric: Fabric,
        relief: F32 | None = None,
        edge: tuple[float, float] = (0.0, 0.0),
        lift: float | F32 = 0.0,
        skin: float = 0.0,
    ) -> None:
        """Lay a layer over what is there. See the module's text; without z and normals it lies flat on what is
        there."""
        box = _box(cover, 3)
        if box is None:
            return
        part = cover[box]
        albedo, fine, material = fabric(box)
        height = np.array(np.broadcast_to(fine, part.shape), np.float32)
        if relief is not None:
            height += relief[box]
        if edge[0] > 0:
            t = np.clip(self._rim(part) / np.float32(edge[1]), 0, 1)
            height += np.float32(edge[0]) * np.sqrt(np.clip(1 - (1 - t) ** 2, 0, 1))
        up = np.array(np.broadcast_to(lift[box] if isinstance(lift, np.ndarray) else lift, part.shape), np.float32)
        up += self._geometry[box][..., 3] if z is None else z[box]
        facing = self._geometry[box][..., :3] if normals is None else normals[box]
        buffers = self._geometry, self._colour, self._material, self._skin
        _lay(buffers, box, (part, up, facing, height, albedo, material), self._sx, skin)

    def engrave(self, relief: F32) -> None:
        """Bend the normals of what is there by a relief (h, w) cm, wherever it is not flat: seams, stitches,
        creases."""
        box = _box(np.abs(relief), 3)
        if box is None:
            return
        part = np.ascontiguousarray(relief[box])
        gx = cv2.Sobel(part, cv2.CV_32F, 1, 0, ksize=3) * np.float32(self._sx / 8)
        gy = cv2.Sobel(part, cv2.CV_32F, 0, 1, ksize=3) * np.float32(self._sx / 8)
        normals = self._geometry[box][..., :3]
        f = np.maximum(normals[..., 2], 0.25)
        normals[..., 0] -= np.clip(gx, -2.5, 2.5) * f
        normals[..., 1] -= np.clip(gy, -2.5, 2.5) * f
        normals /= np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))[..., None] + np.float32(1e-6)

    def tint(self, amount: F32, colour: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
        """Multiply the colour of what is there by 1 + amount (h, w) * colour: wear (> 0), dirt (< 0)."""
        box = _box(np.abs(amount), 1)
        if box is not None:
            factor = 1 + amount[box][..., None] * np.array(colour, np.float32)
            self._colour[box][..., :3] = np.clip(self._colour[box][..., :3] * factor, 0, 1.2)

    def near(self, x: float, y: float, radius: float) -> Box:
        """The box of the stage within `radius` cm of a point, for work on a few pixels; may be empty."""
        j, i = (x - self._left) * self._sx, (y - self._top) * self._sy
        r = radius * self._sx + 2
        return (
            slice(min(max(int(i - r), 0), self.h), min(max(int(i + r), 0), self.h)),
            slice(min(max(int(j - r), 0), self.w), min(max(int(j + r), 0), self.w)),
        )

    # ---------------------------------------------------------------- out

    def surface(self) -> Surface:
        """The clothes on the canvas of the frame: fitted to the person, turned and tilted, in light axes."""
        return pose.surface(self.frame, self._geometry, self._colour, self._material, self._skin, self._place)

    # ---------------------------------------------------------------- inner

    def _pixels(self, points: F32) -> Any:
        p = np.asarray(points, np.float64)
        q = np.stack([(p[:, 0] - self._left) * self._sx - 0.5, (p[:, 1] - self._top) * self._sy - 0.5], 1)
        return np.round(q * 16).astype(np.int32)

    def _rim(self, cover: F32) -> F32:
        d = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        return np.asarray(cv2.GaussianBlur(d, (0, 0), 0.8) * np.float32(1 / self._sx), np.float32)

    def _spread(self, grid: F32) -> F32:
        """A field of the fold grid on the stage."""
        a, b = 1 / (self._sx * folds.STEP), 1 / (self._sy * folds.STEP)
        matrix = np.array(
            [
                [a, 0, (self._left - folds.LEFT) / folds.STEP + 0.5 * a],
                [0, b, (self._top - folds.TOP) / folds.STEP + 0.5 * b],
            ],
            np.float64,
        )
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(grid, matrix, (self.w, self.h), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, np.float32)


def solid(colour: str | tuple[float, float, float] | F32, material: tuple[float, ...] = COTTON) -> Fabric:
    """One plain colour: "#rrggbb", or linear light (r, g, b). Material: roughness, F0, sheen, metal."""
    value = linear_of_hex(colour) if isinstance(colour, str) else np.asarray(colour, np.float32)
    albedo = np.ascontiguousarray(np.reshape(value, (1, 1, 3)), np.float32)
    stuff = np.ascontiguousarray(np.reshape(material, (1, 1, 4)), np.float32)
    return lambda box: (albedo, np.zeros((1, 1), np.float32), stuff)


def painted(albedo: F32, material: tuple[float, ...] | F32 = COTTON, relief: F32 | None = None) -> Fabric:
    """A fabric that a part has painted itself: albedo (H, W, 3), material (4,) or (H, W, 4), relief (H, W) of the
    stage."""
    stuff = np.asarray(material, np.float32)

    def make(box: Box) -> tuple[F32, F32, F32]:
        bent = np.zeros((1, 1), np.float32) if relief is None else relief[box]
        return albedo[box], bent, stuff[box] if stuff.ndim == 3 else stuff.reshape(1, 1, 4)

    return make


def _box(cover: F32, margin: int) -> Box | None:
    """The rows and columns in which a cover is not zero, with a margin."""
    bits = (cover > 0.002).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(bits)
    if w == 0:
        return None
    rows, columns = cover.shape
    return (
        slice(max(0, y - margin), min(rows, y + h + margin)),
        slice(max(0, x - margin), min(columns, x + w + margin)),
    )


def _resized(array: F32, width: int, height: int) -> F32:
    return np.asarray(cv2.resize(array, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _ramp(a: float, b: float, v: F32) -> F32:
    t = np.clip((v - np.float32(a)) / np.float32(b - a), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _lay(
    stage: tuple[F32, F32, F32, F32],
    box: Box,
    layer: tuple[F32, F32, F32, F32, F32, F32],
    scale: float,
    skin: float,
) -> None:
    """Blend a layer (cover, z, normals, relief, albedo, material of the box) into the buffers of the stage."""
    geometry, colour, material, bare = stage
    y, x = box[0].start, box[1].start
    cover, z, normals, relief, albedo, stuff = (np.ascontiguousarray(a, np.float32) for a in layer)
    bands(
        lambda a, b: kernels.blend(
            geometry, colour, material, bare, cover, z, normals, relief, albedo, stuff, scale, skin, y, x, a, b
        ),
        cover.shape[0],
    )
