"""The skin of the modelled neck and chest: the photograph's own where it is seen, and the same skin everywhere else.

Photographed and modelled skin are compared where they overlap: the model is gained towards the photograph, the nearer
the more locally, and gets the grain of the person's own skin.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.cloth.surface import NOWHERE, SKIN, Surface
from portrayal.engines.studio.head.fields import blur, resize, smoothstep
from portrayal.engines.studio.light.tone import luminance, untone
from portrayal.engines.studio.types import Cutout
from portrayal.imaging import F32

# How far (cm) the neck of the photograph colours the modelled skin around it, and within which bounds.
_NEAR: Final = 2.2
_BOUNDS: Final = (0.45, 1.5)
_FLAT: Final = 0.65  # share of its own shade that is taken off the photographed neck, as the jaw throws a new one
_DARKEST: Final = 0.85  # of the skin around it, below which a line on the neck is lightened
_LEAST: Final = 1.0  # square centimetres of own neck that say something


def matched(surface: Surface, head: Cutout, neck: F32, below: F32, skin: F32, seed: int) -> Surface:
    """The surface with bare skin like the photograph's.

    Args:
        surface: modelled clothes and skin.
        head: the photographed head on the same canvas.
        neck: (H, W) 0..1, where its own clean neck is seen, or goes on behind the face.
        below: (H, W) 0..1, what lies below the face.
        skin: (3,) scene light of the person's skin below the jaw.
        seed: of the skin's grain.
    """
    bare = surface.skin * surface.cover
    rows, columns = np.flatnonzero(bare.max(1) > 0.02), np.flatnonzero(bare.max(0) > 0.02)
    if not len(rows):
        return surface
    at = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    albedo, scale = surface.albedo[at], surface.scale
    share = surface.skin[at][..., None]
    modelled = albedo * _grain(head, at, scale, seed)[..., None]
    own_neck = np.ascontiguousarray(neck[at] * surface.skin[at], np.float32)
    common = np.ascontiguousarray(own_neck * below[at], np.float32)
    if float(common.sum()) > _LEAST * scale * scale:
        own = untone(np.ascontiguousarray(head.rgb[at]))
        own *= _flattened(own, common, float(luminance(skin[None])[0]), scale)[..., None]
        modelled *= _gain(albedo, own, common, scale)
        modelled += (own - modelled) * own_neck[..., None]
    colour = surface.albedo.copy()
    colour[at] = albedo + (modelled - albedo) * share
    return replace(surface, albedo=colour)


def widened(surface: Surface, neck: F32) -> Surface:
    """The surface with the photographed neck where it goes beyond the modelled one."""
    more = neck * (1 - surface.cover)
    rows, columns = np.flatnonzero(more.max(1) > 0.02), np.flatnonzero(more.max(0) > 0.02)
    if not len(rows):
        return surface
    edge = int(surface.scale)
    y, x = slice(max(0, rows[0] - edge), rows[-1] + edge), slice(max(0, columns[0] - edge), columns[-1] + edge)
    part, extra = surface.cropped((y, x)), more[y, x]
    cover = part.cover + extra
    bare = (part.cover < 0.9) & (extra > 0.02)
    some = (part.skin > 0.5) & (part.cover > 0.9)
    colour = part.albedo[some].mean(0) if some.any() else np.full(3, 0.4, np.float32)
    depth, normals = _continued(part, extra)
    share = (extra / np.maximum(cover, 1e-4))[..., None]
    new = {
        "albedo": np.where(bare[..., None], colour, part.albedo),
        "normals": normals,
        "depth": depth,
        "material": part.material + (np.array(SKIN, np.float32) - part.material) * share,
        "cover": cover,
        "skin": (part.skin * part.cover + extra) / np.maximum(cover, 1e-4),
    }
    out = {}
    for name, values in new.items():
        out[name] = getattr(surface, name).copy()
        out[name][y, x] = values
    return replace(surface, **out)


def _continued(surface: Surface, more: F32) -> tuple[F32, F32]:
    """Depth and normals of the surface, going on as they are at its rim where it is widened."""
    known = (surface.depth > NOWHERE / 2) & (surface.cover > 0.9)
    if not known.any():
        return surface.depth, surface.normals
    nearest = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels((~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=nearest)
    first = np.zeros(int(labels.max()) + 1, np.intp)
    first[labels[known]] = np.flatnonzero(known)
    wanted = ~known & (more + surface.cover > 0.02)
    source = first[labels[wanted]]
    depth, normals = surface.depth.copy(), surface.normals.copy()
    depth[wanted] = surface.depth.ravel()[source]
    normals[wanted] = surface.normals.reshape(-1, 3)[source]
    return depth, normals


def _flattened(own: F32, weight: F32, level: float, scale: float) -> F32:
    """Factor (h, w) that takes most of the photograph's own shade off a neck, and the line under its jaw altogether."""
    step = max(1, round(scale / 8))
    size = (max(2, own.shape[1] // step), max(2, own.shape[0] // step))
    bright = np.maximum(luminance(own), 0)
    light = cv2.resize(bright * weight, size, interpolation=cv2.INTER_AREA)
    near = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    sigma = 0.8 * scale / step
    mean = (blur(light, sigma) + 1e-5) / (blur(near, sigma) + 1e-5 / level)
    wide = np.clip((level / np.maximum(mean, 1e-3)) ** _FLAT, 0.7, 2.2).astype(np.float32)
    mean, wide = (resize(np.asarray(a, np.float32), (own.shape[1], own.shape[0])) for a in (mean, wide))
    here = blur(bright, 0.07 * scale) / np.maximum(mean, 1e-3)
    return np.asarray(wide * np.clip(_DARKEST / np.maximum(here, 1e-2), 1, 3), np.float32)


def _gain(albedo: F32, own: F32, weight: F32, scale: float) -> F32:
    """Factor (h, w, 3) that makes the model equal to the photograph near its neck, and alike in hue farther away."""
    step = max(1, round(scale * _NEAR / 6))
    size = (max(2, albedo.shape[1] // step), max(2, albedo.shape[0] // step))

    def small(a: F32) -> F32:
        return np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32)

    here, sigma = small(weight), _NEAR * scale / step
    ours, theirs = small(own * weight[..., None]), small(albedo * weight[..., None])
    total = (ours.sum((0, 1)) + 1e-4) / (theirs.sum((0, 1)) + 1e-4)
    # Far from the neck its shade says nothing, its hue a little.
    hue = total / max(float(luminance(total[None])[0]), 1e-3)
    far = (1 + 0.5 * (np.clip(hue, 0.85, 1.2) - 1)).astype(np.float32)
    over = blur(ours, sigma)
    under = blur(theirs, sigma)
    near = np.clip((over + 1e-4) / (under + 1e-4), *_BOUNDS)
    trust = smoothstep(0.0, 0.22, blur(here, sigma))[..., None]
    field = np.exp(np.log(far) + (np.log(near) - np.log(far)) * trust).astype(np.float32)
    return np.asarray(cv2.resize(field, (albedo.shape[1], albedo.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _grain(head: Cutout, at: tuple[slice, slice], scale: float, seed: int) -> F32:
    """Pores and mottling like those of the cheeks, a factor (h, w) around 1."""
    assert head.points is not None
    cheeks = [cheek for cheek in (_cheek(head, 50, 187), _cheek(head, 280, 411)) if cheek is not None]
    fine, coarse = 0.02, 0.02
    if cheeks:
        logs = [np.log(luminance(untone(np.ascontiguousarray(c))) + np.float32(0.02)) for c in cheeks]
        fine = float(np.mean([np.std(a - blur(a, 0.12 * scale)) for a in logs]))
        coarse = float(np.mean([np.std(blur(a, 0.12 * scale) - blur(a, 0.5 * scale)) for a in logs]))
    h, w = at[0].stop - at[0].start, at[1].stop - at[1].start
    # A face has more shine and lines than a neck: its deviations are an upper bound.
    white = np.random.default_rng([seed, 611]).standard_normal((h, w), np.float32)
    pores = blur(white, max(0.5, 0.025 * scale))
    clouds = blur(white, 0.25 * scale)
    pores = (pores - blur(pores, 0.12 * scale)) / max(float(pores.std()), 1e-4)
    clouds = clouds / max(float(clouds.std()), 1e-4)
    return np.exp(min(fine, 0.06) * 0.6 * pores + min(coarse, 0.04) * 0.8 * clouds).astype(np.float32)


def _cheek(head: Cutout, upper: int, lower: int) -> F32 | None:
    assert head.points is not None
    a, b = head.points[upper, :2], head.points[lower, :2]
    middle, half = (a + b) / 2, 0.35 * float(np.linalg.norm(a - b))
    x0, y0 = (int(v) for v in np.floor(middle - half))
    x1, y1 = (int(v) for v in np.ceil(middle + half))
    if min(x0, y0) < 0 or min(x1 - x0, y1 - y0) < 4 or x1 > head.rgb.shape[1] or y1 > head.rgb.shape[0]:
        return None
    return head.rgb[y0:y1, x0:x1]
