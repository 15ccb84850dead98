"""Modelled surfaces in the light of the photographed face: clothes, bare skin beyond the photograph, hats, glasses.

The same ambient light, keys, exposure, contrast and bound on the colour as in `shade`, with what cloth has and a
photograph already shows by itself: a highlight by roughness (GGX, Walter et al. 2007), the surroundings mirrored in
leather and steel (Fresnel by Schlick 1994), a sheen of fibres at grazing angles, light that the walls of a fold send
each other. Bare skin has the very terms of `shade`, so that a modelled neck goes with the face above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.cloth.surface import NOWHERE, Surface
from portrayal.engines.studio.light.occlusion import wide_blur
from portrayal.engines.studio.light.shade import _harmonic, _wrapped
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import KeyLight, Speed
from portrayal.imaging import F32, U8
from portrayal.kernels import HELPER, KERNEL
from portrayal.parallel import bands
from portrayal.perception import mesh

# Hollows of a surface: size in cm, strength, depth in cm at which a hollow is full.
_HOLLOWS: Final = ((0.16, 0.50, 0.30), (0.7, 0.60, 1.0), (2.6, 0.40, 3.2))
# Shadows of lapel, collar and tie: cm from the surface at which something may stand in the light.
_REACH: Final = tuple(float(x) for x in np.geomspace(0.2, 7.0, 12))
# The chin stands so far in front of the neck, cm; its shade is made at a quarter of the size.
_OVERHANG: Final = 4.0
_CHIN: Final = 4
_MAP: Final = 32  # side of the mirrored surroundings


@dataclass(frozen=True)
class Settled:
    """What `relight` has settled for the face: see the unpacking in `shade`.

    Attributes:
        scalars: (10,), from `relight._scalars`.
        ambient: (9, 3).
        keys, rims: tables of `shade`.
        lamps: the keys themselves.
        edge: (h, w) band inside the silhouette that light from behind reaches.
    """

    scalars: F32
    ambient: F32
    keys: F32
    rims: F32
    lamps: tuple[KeyLight, ...]
    edge: F32


def light_surface(
    surface: Surface, settled: Settled, open_: F32, shadows: F32, around: F32, speed: Speed = "balanced"
) -> F32:
    """Scene light (h, w, 3) of a surface; zero where it covers nothing.

    Args:
        open_: (h, w) open sky from the height field; the surface's own hollows are added here.
        shadows: (k, h, w) what arrives of each key; the surface's own small shadows are added here.
        around: (32, 32, 3) what shiny things mirror, from `surroundings`.
    """
    if surface.open is not None:
        open_ = surface.open
    fine = hollows(surface, wide=surface.open is None) if speed != "turbo" else np.ones_like(open_)
    sky = np.ascontiguousarray(open_ * fine, np.float32)
    lit = np.empty((len(settled.lamps), *open_.shape), np.float32)
    for i, lamp in enumerate(settled.lamps):
        far = shadows[i] if surface.shadow is None else surface.shadow(np.asarray(lamp.direction, np.float32))
        lit[i] = np.minimum(far, small_shadow(surface, lamp)) if speed != "turbo" else far
    soft = np.array([lamp.softness for lamp in settled.lamps], np.float32)
    out = np.zeros((*open_.shape, 3), np.float32)
    albedo, normals, material, cover, skin = (
        np.ascontiguousarray(a, np.float32)
        for a in (surface.albedo, surface.normals, surface.material, surface.cover, surface.skin)
    )
    bands(
        lambda a, b: _light_rows(
            albedo, normals, material, cover, skin, sky, lit, settled.edge, settled.ambient, settled.keys, soft,
            settled.rims, settled.scalars, around, out, a, b,
        ),
        len(out),
    )  # fmt: skip
    return out


def surroundings(mirror: F32 | None) -> F32:
    """What shiny things mirror, (32, 32, 3) by the direction of the mirrored ray (x to the right, y down); mean 1.

    Args:
        mirror: scene light (h, w, 3) of the plate; None = a room with a bright upper half and two windows.
    """
    n = _MAP
    y, x = ((np.mgrid[:n, :n] + 0.5) / n * 2 - 1).astype(np.float32)
    room = 0.30 + 1.0 / (1 + np.exp((y + 0.05) * 7))
    for at, wide in ((-0.62, 0.16), (0.55, 0.11)):
        room = room + 1.6 * np.exp(-(((x - at) / wide) ** 2) - ((y + 0.25) / 0.5) ** 4)
    out = np.repeat(room[..., None], 3, 2).astype(np.float32)
    if mirror is not None:
        small = cv2.resize(np.clip(mirror[:, ::-1], 0, 8), (n, n), interpolation=cv2.INTER_AREA)
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.2), np.float32)
        grey = luminance(small)[..., None]
        # The plate lies behind the person: it knows the colours in front of him, not their places. And what faces a
        # person in a coloured place, the camera's side, is never all of its colour.
        tint = 1 + 0.40 * (small / np.maximum(grey, 1e-3) - 1)
        out = np.asarray(out * tint * (0.55 + 0.45 * np.clip(grey / (float(grey.mean()) + 1e-4), 0, 4)), np.float32)
    out = np.asarray(np.maximum(out, 0) ** 1.5, np.float32)
    return np.ascontiguousarray(out / max(float(luminance(out).mean()), 1e-4), np.float32)


def hollows(surface: Surface, wide: bool = True) -> F32:
    """Share (h, w) of the sky that the surface's own hollows see: seams, folds, the edge of a collar."""
    rows, columns = surface.cover.shape
    half = (max(1, columns // 2), max(1, rows // 2))
    depth = _solid(surface, half)
    out = np.ones_like(depth)
    for size, strength, full in _HOLLOWS if wide else _HOLLOWS[:2]:
        deep = np.clip((wide_blur(depth, size * surface.scale / 2) - depth) / np.float32(full), 0, 1)
        out *= 1 - strength * np.sqrt(deep) * np.sqrt(np.sqrt(deep))
    return np.asarray(cv2.resize(out, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def small_shadow(surface: Surface, lamp: KeyLight) -> F32:
    """Share (h, w) of a key that arrives past lapels, collars and ties, from the surface's own depth."""
    rows, columns = surface.cover.shape
    direction = np.asarray(lamp.direction, np.float32)
    direction = direction / max(float(np.linalg.norm(direction)), 1e-6)
    if lamp.shadow <= 0 or float(np.hypot(direction[0], direction[1])) < 0.08:
        return np.ones((rows, columns), np.float32)
    half = (max(1, columns // 2), max(1, rows // 2))
    depth = _solid(surface, half)
    out = np.empty_like(depth)
    reach = np.array(_REACH, np.float32)
    scale, soft = np.float32(surface.scale / 2), np.float32(max(0.45 * lamp.softness, 0.06))
    bands(lambda a, b: _shadow_rows(depth, reach, direction, scale, soft, out, a, b), len(out))
    out = np.asarray(cv2.GaussianBlur(out, (0, 0), max(0.7, 0.09 * surface.scale)), np.float32)
    return np.asarray(cv2.resize(out, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _solid(surface: Surface, size: tuple[int, int]) -> F32:
    """Depth at reduced size; far behind where nothing is."""
    here = surface.depth > NOWHERE / 2
    if not here.any():
        return np.zeros((size[1], size[0]), np.float32)
    back = float(surface.depth[here].min()) - 2
    return np.ascontiguousarray(
        cv2.resize(np.where(here, surface.depth, np.float32(back)), size, interpolation=cv2.INTER_AREA), np.float32
    )


def under_chin(points: F32, shape: tuple[int, int], scale: float) -> F32:
    """Share (h, w) of the sky that the jaw leaves to neck and collar below it; `scale` is pixels per cm."""
    rows, columns = max(2, shape[0] // _CHIN), max(2, shape[1] // _CHIN)
    face = _jaw(points, (rows, columns), (0.0, 0.0))
    away = cv2.distanceTransform((face < 128).astype(np.uint8), cv2.DIST_L2, 5) * (_CHIN / scale)
    dark = 0.55 * np.exp(-away / 2.3) * _below(points, rows, scale)
    return np.asarray(1 - cv2.resize(dark, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def chin_shadow(points: F32, lamp: KeyLight, shape: tuple[int, int], scale: float) -> F32:
    """Share (h, w) of a key that arrives past the jaw on neck and collar.

    The height field is too coarse for the narrow shadow that makes a head stand in front of a neck, so the jaw itself
    is thrown on a plane some centimetres behind it.
    """
    rows, columns = max(2, shape[0] // _CHIN), max(2, shape[1] // _CHIN)
    d = np.asarray(lamp.direction, np.float32)
    d = d / max(float(np.linalg.norm(d)), 1e-6)
    if lamp.shadow <= 0 or d[2] < -0.2:
        return np.ones(shape, np.float32)
    behind = _OVERHANG * scale / _CHIN / max(float(d[2]), 0.4)
    thrown = _jaw(points, (rows, columns), (-float(d[0]) * behind, float(d[1]) * behind))
    sigma = (0.35 + 1.3 * lamp.softness) * scale / _CHIN
    dark = cv2.GaussianBlur(thrown, (0, 0), max(sigma, 0.6)).astype(np.float32) * np.float32(0.85 / 255)
    dark *= _below(points, rows, scale)
    return np.asarray(1 - cv2.resize(dark, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _jaw(points: F32, shape: tuple[int, int], move: tuple[float, float]) -> U8:
    """The face's outline, filled, at reduced size, moved by so many of its pixels."""
    out = np.zeros(shape, np.uint8)
    oval = points[list(mesh.OVAL), :2] / _CHIN + np.array(move, np.float32)
    cv2.fillPoly(out, [np.round(oval * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return out


def _below(points: F32, rows: int, scale: float) -> F32:
    """Weight (rows, 1) of what lies lower than the corners of the mouth."""
    chin = float(points[:468, 1].max()) / _CHIN
    row = np.arange(rows, dtype=np.float32)[:, None]
    return np.asarray(np.clip((row - chin) * (_CHIN / (3.5 * scale)) + 1.2, 0, 1), np.float32)


@njit(**KERNEL)
def _shadow_rows(depth: Any, reach: Any, towards: Any, scale: Any, soft: Any, out: Any, first: int, last: int) -> None:
    rows, columns = depth.shape
    rise = max(towards[2], np.float32(0.25)) + np.float32(0.12)
    one, zero = np.float32(1.0), np.float32(0.0)
    for y in range(first, last):
        for x in range(columns):
            here = depth[y, x]
            hidden = zero
            for k in range(reach.shape[0]):
                t = reach[k]
                i = int(np.float32(x) + towards[0] * t * scale + np.float32(0.5))
                j = int(np.float32(y) - towards[1] * t * scale + np.float32(0.5))
                if i < 0 or j < 0 or i >= columns or j >= rows:
                    break
                above = depth[j, i] - here - rise * t - np.float32(0.10)
                # What stands far in front (a hand, the other arm) is not a lapel.
                if above > np.float32(9.0):
                    continue
                hidden = max(hidden, min(above / (soft * t + np.float32(0.16)), one))
            out[y, x] = one - hidden * hidden * (np.float32(3.0) - np.float32(2.0) * hidden)


@njit(**HELPER)
def _mirrored(around: Any, k: Any, x: Any, y: Any) -> Any:
    """The map of the surroundings in a direction."""
    n = around.shape[0]
    a = min(max((x * np.float32(0.5) + np.float32(0.5)) * np.float32(n - 1), np.float32(0.0)), np.float32(n - 1.001))
    b = min(max((np.float32(0.5) - y * np.float32(0.5)) * np.float32(n - 1), np.float32(0.0)), np.float32(n - 1.001))
    i, j = int(a), int(b)
    s, t = a - np.float32(i), b - np.float32(j)
    upper = around[j, i, k] + (around[j, i + 1, k] - around[j, i, k]) * s
    lower = around[j + 1, i, k] + (around[j + 1, i + 1, k] - around[j + 1, i, k]) * s
    return upper + (lower - upper) * t


@njit(**KERNEL)
def _light_rows(
    albedo: Any, normals: Any, material: Any, cover: Any, skin: Any, open_: Any, shadows: Any, edge: Any, ambient: Any,
    keys: Any, soft: Any, rims: Any, scalars: Any, around: Any, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Light a band of rows; see the module's docstring. One long function for the reason that `shade` is one."""
    gain, sky, key_gain, mean = scalars[0], scalars[1], scalars[2], scalars[3]
    level, contrast, spread, chroma = scalars[4], scalars[5], scalars[6], scalars[7]
    chin, fall = scalars[8], scalars[9]
    one, zero, half = np.float32(1.0), np.float32(0.0), np.float32(0.5)
    scatter = np.array([0.22, -0.03, -0.12], np.float32)
    a = np.zeros(3, np.float32)
    light = np.zeros(3, np.float32)
    shine = np.zeros(3, np.float32)
    fibre = np.zeros(3, np.float32)
    for y in range(first, last):
        down = max(np.float32(y) - chin, zero) * fall
        far = one / (one + down * down)
        for x in range(albedo.shape[1]):
            if cover[y, x] < np.float32(0.004):
                continue
            nx, ny, nz = normals[y, x, 0], normals[y, x, 1], normals[y, x, 2]
            rough, f0, sheen, metal = material[y, x, 0], material[y, x, 1], material[y, x, 2], material[y, x, 3]
            s, o = skin[y, x], open_[y, x]
            cloth = one - s
            bright = (
                np.float32(0.2126) * albedo[y, x, 0]
                + np.float32(0.7152) * albedo[y, x, 1]
                + np.float32(0.0722) * albedo[y, x, 2]
            )
            # A white that nobody dyed (`fabrics.dye`) is no lamp, and what faces the key gets more light than a face
            # does on the average. Bare skin is exposed as the face is.
            over = max(bright - np.float32(2.8), zero)
            factor = s * gain + cloth * np.float32(0.90) * (bright - over + over / (one + over)) / max(
                bright, np.float32(1e-4)
            )
            nv = min(max(nz, np.float32(0.04)), one)
            graze = one - nv
            alpha = max(rough * rough, np.float32(0.012))
            shiny = cloth > half and (f0 > np.float32(0.035) or metal > zero)
            # The colour by which cloth is called has its usual gloss in it: that much is not added to it again.
            d = np.float32(0.87) * (alpha * alpha - one) + one
            usual = cloth * (one - metal) * f0 * np.float32(0.16) * min(alpha * alpha / (d * d), np.float32(3.0))
            usual += np.float32(0.05) * sheen * cloth
            if shiny:
                usual += np.float32(0.34) * f0 * (one - metal)
            for k in range(3):
                v = albedo[y, x, k] * factor
                a[k] = max(v - usual, min(v, np.float32(0.4) * v + np.float32(0.0025)))
                shine[k] = zero
            for k in range(3):
                light[k] = max(_harmonic(ambient, k, nx, ny, nz), zero) * sky
                # The walls of a fold light each other in their own colour.
                light[k] *= o + (one - o) * np.float32(0.32) * min(a[k], one)
                fibre[k] = light[k] * np.float32(0.8)
            reached = zero
            for j in range(keys.shape[0]):
                facing = nx * keys[j, 0] + ny * keys[j, 1] + nz * keys[j, 2]
                lit = one - keys[j, 7] * (one - shadows[j, y, x])
                # Cloth lets less light round the corner than skin does.
                t = _wrapped(facing, keys[j, 6] * (np.float32(0.6) + np.float32(0.4) * s)) * lit
                dying = s * max(one - np.float32(1.6) * t, zero)
                t *= (np.float32(0.4) + np.float32(0.6) * o) * key_gain
                back = min(max(facing + np.float32(0.3), zero), one) * lit * key_gain * np.float32(0.6)
                for k in range(3):
                    light[k] += t * keys[j, 3 + k] * (one + dying * scatter[k])
                    fibre[k] += back * keys[j, 3 + k]
                nh = max(nx * keys[j, 9] + ny * keys[j, 10] + nz * keys[j, 11], zero)
                p = nh * nh
                # A large lamp makes a large highlight.
                wide = min(alpha + np.float32(0.12) * soft[j], one)
                w2 = wide * wide
                d = p * (w2 - one) + one
                ggx = min(w2 / (d * d) * np.float32(0.25) / max(nv, np.float32(0.3)), np.float32(14.0))
                ggx *= max(facing, zero) * cloth
                p8 = p * p * p * p
                p16 = p8 * p8
                wet = s * (np.float32(0.45) * p8 * p * p + np.float32(0.8) * p16 * p16) * keys[j, 8]
                for k in range(3):
                    f = f0 + (a[k] - f0) * metal
                    shine[k] += (ggx * f + wet) * lit * key_gain * keys[j, 3 + k]
                reached += lit
            if keys.shape[0] > 0:
                reached /= np.float32(keys.shape[0])
            else:
                reached = one
            if shiny:
                rx, ry, rz = np.float32(2.0) * nz * nx, np.float32(2.0) * nz * ny, np.float32(2.0) * nz * nz - one
                clear = one - min(rough * np.float32(1.3), one)
                # Cloth mirrors a blur; only metal and lacquer show what stands around.
                sharpness = clear * (np.float32(0.30) * clear + np.float32(1.4) * metal)
                sharpness = min(sharpness + max(np.float32(0.28) - rough, zero) * np.float32(3.0), one)
                g2 = graze * graze
                fresnel = g2 * g2 * graze * clear * np.sqrt(clear + np.float32(1e-4))
                hidden = o * np.sqrt(o) * (np.float32(0.45) + np.float32(0.55) * reached)
                hidden *= np.float32(0.24) + np.float32(0.76) * metal
                for k in range(3):
                    f = f0 + (min(a[k], one) - f0) * metal
                    f += (one - f) * fresnel
                    seen = max(_harmonic(ambient, k, rx, ry, rz), np.float32(0.02)) * sky
                    # Half of the light is in the lamps: a mirror shows them as well.
                    seen += key_gain * np.float32(0.30)
                    sharp = _mirrored(around, k, rx, ry)
                    shine[k] += f * hidden * seen * (one + (sharp - one) * sharpness)
            g = np.float32(0.2126) * light[0] + np.float32(0.7152) * light[1] + np.float32(0.0722) * light[2]
            ratio = max(g / mean, np.float32(1e-3))
            # Folds are what cloth is known by: their contrast is that of a harder print, most of all on white, where
            # the camera's curve is flat.
            white = min(max((bright - np.float32(0.8)) * np.float32(0.6), zero), one)
            harder = contrast * (one + (np.float32(0.25) + np.float32(0.25) * white) * cloth)
            limit = np.exp(spread * np.tanh(harder * np.log(ratio) / spread)) * level * far
            tint = chroma + np.float32(0.6) * cloth * (one - chroma)
            scale = limit / max(g, np.float32(1e-4))
            for k in range(3):
                light[k] = max(g + (light[k] - g) * tint, zero) * scale
            green = np.float32(1.08) * max(light[0], light[2])
            light[1] += s * min(green - light[1], zero)
            # A pile shows its tips at the edge and swallows the light between them in front.
            fuzz = (
                sheen
                * graze
                * (
                    graze * (np.float32(0.35) + np.float32(0.65) * graze)
                    + np.float32(4.0) * max(sheen - np.float32(0.4), zero)
                )
            )
            pile = one - np.float32(0.45) * sheen * nv * nv * cloth
            for k in range(3):
                v = a[k] * light[k] * (one - metal * cloth) * pile
                v += (
                    fuzz
                    * fibre[k]
                    * (np.float32(0.12) + np.float32(0.88) * np.sqrt(min(max(a[k], zero), one)))
                    * (level * far)
                )
                v += shine[k] * level * far
                light[k] = v
            e = edge[y, x]
            if e > np.float32(0.001):
                rise = min(max(np.float32(1.25) - nz, zero), one)
                rise *= np.sqrt(rise) * e
                for j in range(rims.shape[0]):
                    side = (nx * rims[j, 0] + ny * rims[j, 1]) * np.float32(0.9) + rims[j, 5]
                    side = min(max(side, zero), one) * rise
                    for k in range(3):
                        light[k] += (max(a[k], zero) * np.float32(0.9) + np.float32(0.045)) * side * rims[j, 2 + k]
            for k in range(3):
                v = light[k]
                if v > np.float32(2.4):
                    v = np.float32(2.4) + np.float32(2.2) * np.tanh((v - np.float32(2.4)) * np.float32(1 / 2.2))
                out[y, x, k] = v
