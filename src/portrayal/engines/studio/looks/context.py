"""What all drawn looks share of one picture, each made when a look first asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.kernels import along, kuwahara, to_lab
from portrayal.engines.studio.looks.texture import blur, mix, step
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32, U8
from portrayal.perception import mesh
from portrayal.perception.types import FACE, HAIR, SKIN

_NOSTRILS: Final = (129, 98, 97, 2, 326, 327, 358, 4)
# Feature and by how much its polygon grows.
_FEATURES: Final = (
    (mesh.LID_LEFT, 1.45),
    (mesh.LID_RIGHT, 1.45),
    (mesh.BROW_LEFT, 1.15),
    (mesh.BROW_RIGHT, 1.15),
    (mesh.LIPS, 1.12),
    (_NOSTRILS, 0.95),
)
# Faces of so many pixels and less are drawn with the finest brush altogether; larger than the second, features only.
_SMALL, _LARGE = 110.0, 230.0


class Context:
    """A picture and what the looks know of it.

    Attributes:
        image: (h, w, 3) uint8.
        shape: (h, w).
        unit: how long a pixel of a 1024 px picture is here.
        faces: landmarks (478, 2 or 3) of each face, in pixels.
        subject: (h, w) 0..1, where the people are; 1 everywhere when that is not known.
        cut: whether `subject` is known.
        regions: (h, w) uint8 labels of `portrayal.perception.types`, or None.
        seed: of everything random.
        speed: how much work is done.
        pen: width of contours, 1 = as the look has them.
        found: what methods have found in this picture, by names of their own, for the steps after them.
    """

    def __init__(
        self,
        image: U8,
        faces: Sequence[F32],
        matte: F32 | None,
        regions: U8 | None,
        seed: int,
        speed: Speed,
        pen: float = 1.0,
    ) -> None:
        self.image = image
        self.shape = (image.shape[0], image.shape[1])
        self.unit = float(np.sqrt(image.shape[0] * image.shape[1])) / 1024
        self.faces = tuple(faces)
        self.cut = matte is not None
        self.subject = np.ones(self.shape, np.float32) if matte is None else np.clip(matte, 0, 1).astype(np.float32)
        self.regions = regions
        self.seed = seed
        self.speed = speed
        self.pen = pen
        self.found: dict[str, F32] = {}

    @cached_property
    def photograph(self) -> F32:
        """sRGB codes (h, w, 3) 0..1."""
        return self.image.astype(np.float32) / np.float32(255)

    @cached_property
    def lab(self) -> F32:
        """Oklab (h, w, 3)."""
        return to_lab(self.image)

    @cached_property
    def _tensor(self) -> tuple[F32, F32, F32, F32]:
        """Tangent x and y of the drawing, its anisotropy 0..1 and its strength (structure tensor, Brox 2006)."""
        return flow(self.lab[..., 0], 3.2 * self.unit)

    @property
    def tangent(self) -> tuple[F32, F32]:
        """Unit vectors along the edges, x and y, (h, w) each."""
        return self._tensor[0], self._tensor[1]

    @property
    def edges(self) -> F32:
        """Strength of the edges (h, w), lightness per pixel."""
        return self._tensor[3]

    @cached_property
    def face_heights(self) -> tuple[float, ...]:
        """Height of each face in pixels."""
        return tuple(float(np.ptp(p[:468, 1])) for p in self.faces)

    @cached_property
    def smallness(self) -> float:
        """0 = the largest face fills a portrait, 1 = it belongs to a whole figure; 0 without a face."""
        if not self.faces:
            return 0.0
        height = max(self.face_heights) / self.unit
        return float(np.clip((_LARGE - height) / (_LARGE - _SMALL), 0, 1))

    def polygon(self, points: F32, grow: float = 1.0) -> F32:
        """(h, w) 0..1 inside of a polygon (n, 2) that grows about its middle."""
        out = np.zeros(self.shape, np.uint8)
        middle = points.mean(0)
        corners = middle + (points - middle) * grow
        cv2.fillPoly(out, [np.round(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return out.astype(np.float32) / np.float32(255)

    @cached_property
    def features(self) -> F32:
        """(h, w) 0..1: eyes, brows, lips, nostrils."""
        out = np.zeros(self.shape, np.float32)
        for points, height in zip(self.faces, self.face_heights, strict=True):
            found = np.zeros(self.shape, np.float32)
            for rows, grow in _FEATURES:
                np.maximum(found, self.polygon(points[list(rows), :2], grow), out=found)
            found = np.clip(blur(found, max(0.6, 0.022 * height)) * np.float32(1.15), 0, 1)
            np.maximum(out, found, out=out)
        return out

    @cached_property
    def detail(self) -> F32:
        """(h, w) 0..1: `features`, and the whole of a small face. There every look stays fine: that keeps the
        person."""
        out = self.features.copy()
        for points, height in zip(self.faces, self.face_heights, strict=True):
            small = float(np.clip((_LARGE - height / self.unit) / (_LARGE - _SMALL), 0, 1))
            if small > 0:
                whole = blur(self.polygon(points[list(mesh.OVAL), :2], 1.02), max(0.6, 0.04 * height))
                np.maximum(out, whole * np.float32(0.8 * small), out=out)
        return out

    @cached_property
    def mouth(self) -> F32:
        """(h, w) 0..1 between the lips: teeth are left white, a line between two of them would be a gap."""
        out = np.zeros(self.shape, np.float32)
        for points, height in zip(self.faces, self.face_heights, strict=True):
            ring = points[list(mesh.MOUTH), :2]
            if np.ptp(ring[:, 1]) > 0.035 * height:
                np.maximum(out, blur(self.polygon(ring, 0.96), max(0.4, 0.006 * height)), out=out)
        return out

    @cached_property
    def face(self) -> F32:
        """(h, w) 0..1 inside the faces' ovals."""
        out = np.zeros(self.shape, np.float32)
        for points, height in zip(self.faces, self.face_heights, strict=True):
            found = blur(self.polygon(points[list(mesh.OVAL), :2], 1.03), max(0.6, 0.03 * height))
            np.maximum(out, found, out=out)
        return out

    @cached_property
    def skin(self) -> F32:
        """(h, w) 0..1 face and skin; only the face where the regions are not known."""
        if self.regions is None:
            return self.face
        bare = ((self.regions == FACE) | (self.regions == SKIN)).astype(np.float32)
        return np.asarray(np.maximum(blur(bare, 1.5 * self.unit) * self.subject, self.face), np.float32)

    @cached_property
    def fine(self) -> F32:
        """Oklab without grain, nothing else lost."""
        smooth = cv2.bilateralFilter(self.lab, 5, 0.035, max(0.9, 1.3 * self.unit))
        return np.asarray(smooth, np.float32)

    @cached_property
    def flat(self) -> F32:
        """Oklab in flat patches that follow the drawing; fine in the detail zone."""
        tx, ty, anisotropy, _ = self._tensor
        radius = {"turbo": 3.0, "balanced": 4.2, "quality": 5.4}[self.speed]
        angle = np.maximum(np.arctan2(ty, tx), 0)  # -pi, by rounding, is 0
        patches = kuwahara(self.fine, angle, anisotropy, max(2, round(radius * self.unit)))
        return mix(patches, self.fine, self.detail)

    @cached_property
    def lift(self) -> float:
        """Exponent that brings a dark scene's lightness to one that can be drawn; 1 = it is bright enough. From the
        brighter part of the scene, so that nobody's complexion has a say in it."""
        bright = float(np.quantile(self.lab[::4, ::4, 0], 0.85))
        return float(np.clip(np.log(0.76) / np.log(np.clip(bright, 0.05, 0.95)), 0.70, 1.0))

    @cached_property
    def _exponent(self) -> F32:
        # Skin and hair follow a little only, for their tone belongs to the person; clothes half: they have a colour.
        kept = np.maximum(np.float32(0.65) * self.skin, np.float32(0.45 if self.cut else 0.0) * self.subject)
        if self.regions is not None:
            hair = blur((self.regions == HAIR).astype(np.float32), 1.5 * self.unit) * self.subject
            kept = np.maximum(kept, np.float32(0.75) * hair)
        return np.asarray(1 - np.float32(1 - self.lift) * (1 - kept), np.float32)

    def lifted(self, light: F32) -> F32:
        """A lightness (h, w) of this picture, brought up by `lift`."""
        light = np.clip(light, 0, 1).astype(np.float32)
        if self.lift == 1:
            return light
        powers = cv2.log(np.maximum(light, np.float32(1e-4))) * self._exponent
        return np.asarray(cv2.exp(powers), np.float32)

    @cached_property
    def toned(self) -> F32:
        """`flat`, lifted."""
        out = self.flat.copy()
        out[..., 0] = self.lifted(out[..., 0])
        return out

    def lines(self, width: float, gain: float = 26.0, length: float = 5.0, source: F32 | None = None) -> F32:
        """Contours (h, w), 1 = line: the dark side of edges, however dark the place is.

        The difference of two blurs, smoothed along the flow (Kang 2007; Winnemoeller, Kyprianidis & Olsen 2012, without
        the tone). Faces get finer and more lines.

        Args:
            width: of a line in pixels of a 1024 px picture.
            gain: how much contrast is a line.
            length: how far a line goes on through gaps.
            source: (h, w) lightness, default the picture's own.
        """
        light = self.fine[..., 0] if source is None else source
        width *= self.pen
        out = _contours(light, self.tangent, width * self.unit, gain, length * self.unit)
        if self.cut and float(self.subject[::8, ::8].mean()) < 0.97:
            # What lies out of focus has only wide edges: there a broader pen looks for them.
            pen = 2.0 * width * self.unit
            wide = _contours(light, self.tangent, pen, 1.5 * gain, length * self.unit, 0.36, 0.58)
            # A maze of edges, such as lit windows, is drawn with a lighter hand.
            wide *= 1 - np.float32(0.75) * step(0.10, 0.30, blur(wide, 24 * self.unit))
            wide *= 1 - step(0.01, 0.10, blur(self.subject, 2.6 * pen))
            out = mix(np.maximum(out, wide), out, self.subject)
            # Along the silhouette `outline` is the line: no second one beside it.
            near = blur(self.subject, max(1.0, 2.0 * width * self.unit))
            out *= 1 - np.float32(3.4) * near * (1 - near) * (1 - self.detail)
        for points, height in zip(self.faces, self.face_heights, strict=True):
            top, bottom, left, right = self.box(points, 0.15)
            part = np.s_[top:bottom, left:right]
            if min(bottom - top, right - left) < 8:
                continue
            thin = max(0.5, min(0.72 * width * self.unit, 0.0065 * height))
            tangent = (np.ascontiguousarray(self.tangent[0][part]), np.ascontiguousarray(self.tangent[1][part]))
            drawn = _contours(light[part], tangent, thin, gain * 1.1, max(0.8, min(length * self.unit, 0.012 * height)))
            out[part] = mix(out[part], drawn, self.detail[part])
        return np.asarray(out * (1 - np.float32(0.8) * self.mouth), np.float32)

    def outline(self, width: float) -> F32:
        """(h, w) 1 = the line around the people, so many pixels of a 1024 px picture wide; 0 where they are not cut."""
        if not self.cut:
            return np.zeros(self.shape, np.float32)
        soft = blur(self.subject, max(0.7, 0.55 * width * self.pen * self.unit))
        rim = step(0.16, 0.44, soft) * (1 - step(0.50, 0.74, soft))
        return np.asarray(rim * (1 - np.float32(0.6) * self.detail), np.float32)

    def box(self, points: F32, margin: float) -> tuple[int, int, int, int]:
        """(top, bottom, left, right) of a face with a margin in face heights."""
        (x0, y0), (x1, y1) = points[:468, :2].min(0), points[:468, :2].max(0)
        away = margin * (y1 - y0)
        h, w = self.shape
        return max(0, int(y0 - away)), min(h, int(y1 + away)), max(0, int(x0 - away)), min(w, int(x1 + away))

    def cheeks(self) -> F32:
        """(h, w) 0..1 a blush on each cheek."""
        out = np.zeros(self.shape, np.uint8)
        for points, height in zip(self.faces, self.face_heights, strict=True):
            for row in (50, 280):
                x, y = np.round(points[row, :2] * 16).astype(int).tolist()
                cv2.circle(out, (x, y), round(0.10 * height * 16), 255, -1, cv2.LINE_AA, 4)
        sigma = 0.045 * max(self.face_heights, default=0.0)
        return np.asarray(blur(out.astype(np.float32) / np.float32(255), sigma) * self.face, np.float32)


def flow(light: F32, sigma: float) -> tuple[F32, F32, F32, F32]:
    """Tangent x and y, anisotropy 0..1 and strength of the edges of a lightness (h, w)."""
    smooth = blur(light, 1.0)
    gx, gy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0) / 16, cv2.Scharr(smooth, cv2.CV_32F, 0, 1) / 16
    xx, xy, yy = blur(gx * gx, sigma), blur(gx * gy, sigma), blur(gy * gy, sigma)
    spread = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    angle = np.float32(0.5) * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    anisotropy = spread / (xx + yy + np.float32(1e-7))
    strength = np.sqrt(np.maximum((xx + yy + spread) * np.float32(0.5), 0))
    tangent_x, tangent_y = (np.ascontiguousarray(f(angle), np.float32) for f in (np.cos, np.sin))
    return tangent_x, tangent_y, np.clip(anisotropy, 0, 0.999).astype(np.float32), strength.astype(np.float32)


def _contours(
    light: F32,
    tangent: tuple[F32, F32],
    sigma: float,
    gain: float,
    length: float,
    low: float = 0.10,
    high: float = 0.45,
) -> F32:
    near, far = (cv2.GaussianBlur(light, (0, 0), max(0.4, s)) for s in (sigma, 1.6 * sigma))
    dark = along(np.asarray(far - near, np.float32), *tangent, length, low / gain)
    return step(low, high, dark * np.float32(gain))
