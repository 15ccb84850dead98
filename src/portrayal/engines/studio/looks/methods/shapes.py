"""What several handmade methods share: shapes that are cut, drawn and placed beside the people.

Lengths named in units are pixels of a 1024 px picture; paths are (n, 2) in pixels of the picture at hand. Everything
random is drawn in shares of the picture, so that a small picture and a large one look alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.texture import blur, mix, noise, step
from portrayal.imaging import F32, Array

# The picture, reduced to about so many pixels, on which distances are measured.
_COARSE = 256


def people(context: Context) -> F32:
    """(h, w) 0..1 where the people are; all but a narrow rim where that is not known."""
    if context.cut:
        return context.subject
    h, w = context.shape
    out = np.zeros((h, w), np.float32)
    rim = round(0.035 * max(h, w))
    out[rim : h - rim, rim : w - rim] = 1
    return blur(out, 1.2 * context.unit)


def away(context: Context) -> F32:
    """(h, w) distance to the people in units, measured on a coarse picture; 0 on them."""
    h, w = context.shape
    part = _COARSE / max(h, w)
    size = max(8, round(w * part)), max(8, round(h * part))
    small = cv2.resize(people(context), size, interpolation=cv2.INTER_AREA)
    # A frame of nothing, so that a picture full of people has distances too.
    far = cv2.distanceTransform((small < 0.4).astype(np.uint8), cv2.DIST_L2, 5)
    far = np.minimum(far, np.float32(2 * _COARSE)) / np.float32(part * context.unit)
    return np.asarray(cv2.resize(far, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def heads(context: Context) -> list[tuple[float, float, float]]:
    """(x, y, height) of each face in pixels; the upper middle of the picture where there is none."""
    h, w = context.shape
    found = [
        (float(p[:468, 0].mean()), float(p[:468, 1].mean()), tall)
        for p, tall in zip(context.faces, context.face_heights, strict=True)
    ]
    return found or [(0.5 * w, 0.4 * h, 0.25 * min(h, w))]


def spots(
    context: Context, count: int, least: float, most: float, number: int, gap: float = 1.1, clear: float = 8.0
) -> list[tuple[float, float, float]]:
    """Free places (x, y, radius in pixels), largest first: off the people, apart from each other.

    Args:
        count: at most so many.
        least, most: radius in units.
        number: of the random stream.
        gap: 1 = they may touch.
        clear: space left to the people, in units.
    """
    h, w = context.shape
    far = away(context)
    random = np.random.default_rng([context.seed, number])
    tries = random.random((600, 3))
    found: list[tuple[float, float, float]] = []
    for size in (1.0, 0.7, 0.45, 0.25):
        for px, py, share in tries.tolist():
            if len(found) >= count:
                return found
            x, y = px * (w - 1), py * (h - 1)
            radius = min((least + (most - least) * size * (0.7 + 0.3 * share)), float(far[int(y), int(x)]) - clear)
            radius = radius * context.unit
            if radius < (least + (most - least) * size * 0.65) * context.unit:
                continue
            if all(math.hypot(x - a, y - b) > (radius + r) * gap for a, b, r in found):
                found.append((x, y, radius))
    return found


def _times(context: Context) -> int:
    return max(1, min(4, round(1.6 / context.unit)))


def filled(context: Context, paths: Sequence[Array]) -> F32:
    """(h, w) 0..1 inside of closed paths."""
    out = np.zeros(context.shape, np.uint8)
    for path in paths:
        cv2.fillPoly(out, [np.round(np.asarray(path)[:, :2] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return out.astype(np.float32) * np.float32(1 / 255)


def drawn_paths(context: Context, paths: Sequence[Array], width: float, closed: bool = False) -> F32:
    """(h, w) 0..1 on paths drawn with a round pen so many units wide."""
    times = _times(context)
    h, w = context.shape
    out = np.zeros((h * times, w * times), np.uint8)
    thick = max(1, round(width * context.unit * times))
    lines = [np.round(np.asarray(path)[:, :2] * (16 * times)).astype(np.int32) for path in paths]
    if lines:
        cv2.polylines(out, lines, closed, 255, thick, cv2.LINE_AA, 4)
    small = cv2.resize(out, (w, h), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1 / 255)


def around(x: float, y: float, radii: Array, turn: float = 0.0, stretch: float = 1.0) -> F32:
    """A closed path (n, 2) around a point, from its radii (n,)."""
    angle = np.linspace(0, 2 * np.pi, len(radii), endpoint=False) + turn
    return np.stack([x + radii * np.cos(angle), y + radii * np.sin(angle) * stretch], 1).astype(np.float32)


def star(x: float, y: float, radius: float, points: int = 5, inner: float = 0.45, turn: float = 0.0) -> F32:
    """A star, (2 * points, 2)."""
    radii = np.where(np.arange(2 * points) % 2 == 0, radius, inner * radius)
    return around(x, y, radii, turn - math.pi / 2)


def flower(x: float, y: float, radius: float, petals: int, depth: float = 0.4, turn: float = 0.0) -> F32:
    """A daisy's outline, (160, 2)."""
    angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    return around(x, y, radius * (1 - depth + depth * np.abs(np.cos(angle * petals / 2)) ** 0.6), turn)


def blob(x: float, y: float, radius: float, random: np.random.Generator, rough: float = 0.18) -> F32:
    """A smooth irregular shape, (96, 2)."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    radii = np.ones(96)
    for wave in (2, 3, 4, 5):
        radii += rough / wave * 2 * random.uniform(-1, 1) * np.cos(wave * angle + random.uniform(0, 6.3))
    return around(x, y, radius * radii)


def spiral(x: float, y: float, radius: float, turns: float, start: float = 0.0) -> F32:
    """A path that winds from the middle outwards, (n, 2)."""
    t = np.linspace(0.04, 1, int(26 * turns) + 8)
    angle = 2 * np.pi * turns * t + start
    return np.stack([x + radius * t * np.cos(angle), y + radius * t * np.sin(angle)], 1).astype(np.float32)


def heart(x: float, y: float, radius: float, turn: float = 0.0) -> F32:
    """A heart's outline, (60, 2)."""
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    hx = 16 * np.sin(t) ** 3 / 17
    hy = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 17
    c, s = math.cos(turn), math.sin(turn)
    return np.stack([x + radius * (c * hx - s * hy), y + radius * (s * hx + c * hy)], 1).astype(np.float32)


def cloud(x: float, y: float, radius: float, bumps: int = 9) -> F32:
    """A puffy cloud's outline, twice as wide as it is high, flat below, (180, 2)."""
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    radii = radius * (0.82 + 0.22 * np.abs(np.sin(angle * bumps / 2)))
    path = around(x, y, radii, 0.0, 0.52)
    path[:, 1] = np.minimum(path[:, 1], y + np.float32(0.30 * radius))
    return path


def splat(x: float, y: float, radius: float, random: np.random.Generator) -> list[F32]:
    """A splash of paint: a blob with thin arms, and drops around it."""
    n, arms = 240, int(random.integers(9, 15))
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radii = np.full(n, 0.55)
    drops = []
    for at in np.sort(random.uniform(0, 2 * np.pi, arms)):
        near = np.abs(np.angle(np.exp(1j * (angle - at))))
        long, wide = random.uniform(0.12, 0.5), random.uniform(0.05, 0.11)
        radii += long * np.exp(-((near / wide) ** 2))
        if random.random() < 0.7:
            out = radius * (0.62 + long + random.uniform(0.1, 0.5))
            dot = radius * random.uniform(0.03, 0.10)
            drops.append(around(x + out * math.cos(at), y + out * math.sin(at), np.full(20, dot)))
    return [around(x, y, radius * radii), *drops]


def wandering(context: Context, mask: Array, coarse: float, fine: float, number: int) -> F32:
    """A mask or picture whose edges wander as cut or torn ones do: so many units at long and at short waves."""
    unit, shape = context.unit, context.shape
    seed = 7919 * number + context.seed
    h, w = shape
    x = np.arange(w, dtype=np.float32)[None] + noise(shape, 60 * unit, seed, 3) * np.float32(coarse * unit)
    y = np.arange(h, dtype=np.float32)[:, None] + noise(shape, 60 * unit, seed + 1, 3) * np.float32(coarse * unit)
    if fine > 0:
        x += noise(shape, 7 * unit, seed + 2, 2) * np.float32(fine * unit)
        y += noise(shape, 7 * unit, seed + 3, 2) * np.float32(fine * unit)
    return np.asarray(cv2.remap(mask, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def shifted(mask: Array, dx: float, dy: float) -> F32:
    """A mask or picture moved by so many pixels; what comes in is the rim."""
    h, w = mask.shape[:2]
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(cv2.warpAffine(mask, move, (w, h), borderMode=cv2.BORDER_REPLICATE), np.float32)


def shadowed(picture: F32, mask: F32, unit: float, depth: float = 7.0, strength: float = 0.45) -> F32:
    """A picture under the shadow of what a mask lays on it."""
    shade = blur(shifted(mask, 0.6 * depth * unit, depth * unit), 0.8 * depth * unit)
    return picture * (1 - np.float32(strength) * shade)[..., None]


def laid(picture: F32, paint: Array, mask: F32) -> F32:
    """A colour (3,) or picture (h, w, 3) over a picture where the mask is 1."""
    return mix(picture, np.asarray(paint, np.float32), mask[..., None])


def calm(context: Context, spread: float = 0.16) -> F32:
    """(h, w) 0..1: the faces and a little around them, softly; there, no texture disturbs."""
    out = context.face
    wide = spread * max(context.face_heights, default=0.0)
    return np.clip(blur(out, wide) * np.float32(1.4), 0, 1) if wide > 0 else out


def grown(mask: F32, units: float, unit: float) -> F32:
    """A mask grown (or shrunk) by so many units, with round corners."""
    soft = max(1.0, abs(units) * unit)
    level = 0.5 - 0.43 * math.copysign(1, units)
    return step(level - 0.06, level + 0.06, blur(mask, soft))


class Board:
    """A picture on which small things are laid, each within its own bounds only.

    Attributes:
        picture: (h, w, 3) sRGB codes; changed in place.
    """

    def __init__(self, context: Context, picture: F32) -> None:
        self.picture = np.array(picture, np.float32)
        self._unit = context.unit
        self._times = _times(context)

    def bounds(self, paths: Sequence[Array], margin: float = 2.0) -> tuple[int, int, int, int]:
        """(top, bottom, left, right) of paths within the picture, with a margin in pixels; empty where they are out."""
        h, w = self.picture.shape[:2]
        points = np.concatenate([np.asarray(path, np.float32)[:, :2] for path in paths])
        (x0, y0), (x1, y1) = points.min(0) - margin, points.max(0) + margin
        top, left = max(0, math.floor(y0)), max(0, math.floor(x0))
        return top, max(top, min(h, math.ceil(y1) + 1)), left, max(left, min(w, math.ceil(x1) + 1))

    def mask(
        self, paths: Sequence[Array], at: tuple[int, int, int, int], width: float = 0.0, closed: bool = True
    ) -> F32:
        """0..1 within bounds: inside of paths, or on them with a pen so many units wide."""
        top, bottom, left, right = at
        times = 1 if width <= 0 else self._times
        out = np.zeros(((bottom - top) * times, (right - left) * times), np.uint8)
        moved = [np.round((np.asarray(path)[:, :2] - (left, top)) * (16 * times)).astype(np.int32) for path in paths]
        if width <= 0:
            for path in moved:
                cv2.fillPoly(out, [path], 255, cv2.LINE_AA, 4)
        else:
            cv2.polylines(out, moved, closed, 255, max(1, round(width * self._unit * times)), cv2.LINE_AA, 4)
            out = np.asarray(cv2.resize(out, (right - left, bottom - top), interpolation=cv2.INTER_AREA), np.uint8)
        return out.astype(np.float32) * np.float32(1 / 255)

    def fill(
        self, paths: Sequence[Array], paint: Array, share: float = 1.0, within: Sequence[Array] | None = None
    ) -> None:
        """Fill paths with a colour (3,), or with what `paint` (rows, columns, 3) shows in their `bounds`.

        Args:
            share: of the colour.
            within: only what lies in these paths too.
        """
        at = self.bounds(paths)
        if at[0] == at[1] or at[2] == at[3]:
            return
        cover = self.mask(paths, at) * np.float32(share)
        self._lay(at, paint, cover if within is None else cover * self.mask(within, at))

    def line(self, paths: Sequence[Array], paint: Array, width: float, share: float = 1.0, closed: bool = True) -> None:
        """Draw paths with a pen so many units wide."""
        at = self.bounds(paths, width * self._unit + 2)
        if at[0] < at[1] and at[2] < at[3]:
            self._lay(at, paint, self.mask(paths, at, width, closed) * np.float32(share))

    def shadow(self, paths: Sequence[Array], depth: float = 6.0, strength: float = 0.4) -> None:
        """The soft shadow of paths, cast to the lower right, so many units deep."""
        far = depth * self._unit
        moved = [np.asarray(path)[:, :2] + (0.6 * far, far) for path in paths]
        at = self.bounds(moved, 3 * far + 2)
        if at[0] < at[1] and at[2] < at[3]:
            shade = cv2.GaussianBlur(self.mask(moved, at), (0, 0), max(0.4, 0.8 * far))
            part = np.s_[at[0] : at[1], at[2] : at[3]]
            self.picture[part] *= (1 - np.float32(strength) * shade)[..., None]

    def _lay(self, at: tuple[int, int, int, int], paint: Array, cover: F32) -> None:
        part = np.s_[at[0] : at[1], at[2] : at[3]]
        self.picture[part] += (np.asarray(paint, np.float32) - self.picture[part]) * cover[..., None]
