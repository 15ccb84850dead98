"""The scene's light and film on the reference's skin."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.head.fields import blur, resize, smoothstep
from portrayal.imaging import F32, Bool

_NEAR, _FAR = 0.13, 0.30  # reach of the light's field in face heights
_GRID: Final = 120.0  # height of a face on the grid on which light is measured
_SHINE: Final = 12.0  # highlights of the reference's skin are compressed to about this (L)
# Skin in white light: largest chroma, and hues in radians (a to b).
_MOST_CHROMA: Final = 32.0
_HUES: Final = (0.55, 1.25)


def to_lab(rgb: F32) -> F32:
    """CIE Lab of display codes 0..1."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), np.float32)


def to_rgb(lab: F32) -> F32:
    """Display codes 0..1 of CIE Lab."""
    return np.clip(np.asarray(cv2.cvtColor(np.ascontiguousarray(lab), cv2.COLOR_Lab2RGB), np.float32), 0, 1)


def fields(own: F32, scene: F32, skin: F32, tall: float, near: float = _NEAR) -> tuple[F32, F32]:
    """Low frequencies (h, w, 3) of both pictures over the skin that both show, defined everywhere.

    Args:
        own, scene: (h, w, 3) Lab.
        skin: (h, w) 0..1.
        tall: height of the face in pixels.
        near: reach of the field in face heights.
    """
    h, w = skin.shape
    k = min(1.0, _GRID / tall)
    size = (max(4, round(w * k)), max(4, round(h * k)))
    weight = resize(skin, size)
    total = max(float(weight.sum()), 1e-3)
    pair = resize(own, size), resize(scene, size)
    means = [(one * weight[..., None]).sum((0, 1)) / total for one in pair]
    # Freckles, stubble and wrinkles of one face must not become light on the other: strange pixels count less.
    count = weight
    for one, mean in zip(pair, means, strict=True):
        off = one - _mean(one, weight, _FAR * tall * k, mean)
        spread = 1.48 * np.sqrt((off**2 * weight[..., None]).sum((0, 1)) / total) + 1.0
        count = count / np.maximum(1, np.abs(off / spread).max(2) / 1.4)
    out = []
    for one, mean in zip(pair, means, strict=True):
        far = _mean(one, count, _FAR * tall * k, mean)
        out.append(resize(_mean(one, count, near * tall * k, far), (w, h)))
    return out[0], out[1]


def _mean(values: F32, weight: F32, sigma: float, fallback: F32) -> F32:
    """Gaussian means over what has weight; where there is little, the fallback."""
    share = blur(weight, sigma)[..., None]
    found = blur(values * weight[..., None], sigma) / np.maximum(share, 1e-4)
    sure = np.clip(share / 0.15, 0, 1)
    out: F32 = (fallback + (found - fallback) * sure).astype(np.float32)
    return out


def lit(own: F32, below: F32, scene: F32, skin: F32) -> F32:
    """The reference's Lab under the scene's light.

    Skin takes the scene's tone. Teeth, whites of the eyes and brows are not skin: they take the colour of the scene's
    light only.

    Args:
        own: (h, w, 3) Lab of the reference's face.
        below: its low frequencies.
        scene: the scene's low frequencies.
        skin: (h, w) 0..1, where the reference shows no eyes, brows or lips.
    """
    gain = np.clip((scene[..., 0] + 2) / (below[..., 0] + 2), 0.25, 2.2)
    detail = (own[..., 0] - below[..., 0]) * np.clip(gain, 0.5, 1.5)
    # Shine and rims of light of the reference's own lamps do not belong into this light.
    most = _SHINE + (1 - skin) * (3.5 * _SHINE)
    shine = np.tanh(np.maximum(detail, 0) / most) * most
    detail = np.where(detail > 0, shine + 0.12 * (detail - shine), detail)
    lamp = scene[..., 1:] - _natural(scene[..., 1:])
    off = own[..., 1:]
    pale = np.clip((own[..., 0] - below[..., 0]) / 12.0, 0, 1) * skin
    off = off + (below[..., 1:] - off) * (0.7 * pale)[..., None]
    out = np.empty_like(own)
    out[..., 0] = scene[..., 0] + detail
    out[..., 1:] = _reskinned(off, below[..., 1:], scene[..., 1:] - lamp, np.clip(gain, 0.55, 1.2)) + lamp
    return out


def _natural(chroma: F32) -> F32:
    """The nearest colour (a, b) that skin has in white light; more colour than that is the lamp's."""
    strength = np.hypot(chroma[..., 0], chroma[..., 1])
    hue = np.arctan2(chroma[..., 1], chroma[..., 0])
    strength = np.minimum(strength, _MOST_CHROMA)
    # Where there is hardly any colour its hue means nothing.
    narrow = np.clip(hue, *_HUES)
    hue = hue + (narrow - hue) * np.clip(strength / 6, 0, 1)
    return np.stack([strength * np.cos(hue), strength * np.sin(hue)], -1).astype(np.float32)


def _reskinned(chroma: F32, old: F32, new: F32, gain: F32) -> F32:
    """Colours (a, b) with the share of the old skin in them replaced by the new one.

    Teeth and brows hold little skin and keep their colour; lips are redder than skin and stay so by as much.
    """
    strength = (old**2).sum(-1)
    share = (chroma * old).sum(-1) / np.maximum(strength, 1.0)
    # Beside a grey face all is skin.
    grey = smoothstep(36.0, 9.0, strength)
    share = np.clip(share + (1 - share) * grey, 0, 1)[..., None]
    out: F32 = (share * new + (chroma - share * old) * gain[..., None]).astype(np.float32)
    return out


def toned(lab: F32, scene: F32, skin: F32) -> F32:
    """The new face with as much colour as the scene has: grey in grey, brown in sepia.

    Args:
        lab: (h, w, 3) of the new face.
        scene: (h, w, 3) Lab of the scene's surroundings.
        skin: (h, w) 0..1 where both are compared.
    """
    # In a toned picture the hue follows the lightness: nothing is left around that line.
    values = scene.reshape(-1, 3)
    steps = np.clip((values[:, 0] / 12.5).astype(int), 0, 7)
    rest = 0.0
    line = np.zeros((8, 2), np.float32)
    known = np.zeros(8, bool)
    for i in range(8):
        group = values[steps == i, 1:]
        if len(group) < 40:
            continue
        line[i], known[i] = np.median(group, 0), True
        rest = max(rest, float(np.quantile(np.abs(group - line[i]), 0.98)))
    if rest > 4.0 or not known.any():
        return lab
    at = np.flatnonzero(known) * 12.5 + 6.25
    out = lab.copy()
    for k in (0, 1):
        out[..., 1 + k] = np.interp(lab[..., 0].ravel(), at, line[known, k]).reshape(lab.shape[:2])
    return out


def filmed(rgb: F32, scene: F32, skin: F32, seed: int) -> F32:
    """The scene's sharpness and grain on the new face.

    Args:
        rgb, scene: (h, w, 3) 0..1, the new face and the scene.
        skin: (h, w) where both show plain skin.
        seed: of the grain.
    """
    where = skin > 0.6
    if where.sum() < 60:
        return rgb
    there = scene.mean(2)
    out = rgb
    noise = _noise(there, where)
    sharp = max(_fine(there, where) ** 2 - noise**2, 1e-8) ** 0.5
    own = max(_fine(rgb.mean(2), where) ** 2 - _noise(rgb.mean(2), where) ** 2, 1e-8) ** 0.5
    if own > 1.25 * sharp:
        for sigma in (0.45, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2):
            out = blur(rgb, sigma)
            if _fine(out.mean(2), where) <= 1.15 * sharp:
                break
    return _with_noise(out, noise, _noise(out.mean(2), where), seed)


def grained(rgb: F32, scene: F32, where: Bool, around: Bool, seed: int) -> F32:
    """The grain of some surroundings on what was painted beside them.

    Args:
        rgb, scene: (h, w, 3) 0..1, the painting and the scene.
        where, around: (h, w) where it was painted, and the surroundings.
    """
    if min(where.sum(), around.sum()) < 60:
        return rgb
    return _with_noise(rgb, _noise(scene.mean(2), around), _noise(rgb.mean(2), where), seed)


def _with_noise(rgb: F32, wanted: float, own: float, seed: int) -> F32:
    missing = max(0.0, wanted**2 - own**2) ** 0.5
    if missing < 0.001:
        return rgb
    grain = np.random.default_rng([seed, 41]).standard_normal(rgb.shape[:2]).astype(np.float32)
    grain = blur(grain, 0.45)
    grain = grain - blur(grain, 1.5)
    grain *= np.float32(min(missing, 0.05) / _spread(grain - blur(grain, 0.8)))
    colour = np.array([1.0, 0.97, 1.04], np.float32)
    return (rgb + grain[..., None] * colour).astype(np.float32)


def _spread(values: F32) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) + 1e-6


def _noise(light: F32, where: Bool) -> float:
    return _spread((light - blur(light, 0.8))[where])


def _fine(light: F32, where: Bool) -> float:
    return float((light - blur(light, 1.2))[where].std())


def alike(own: F32, below: F32, tall: float) -> F32:
    """How much a pixel looks like the skin around it (h, w) 0..1: near in colour, and smooth as hair is not."""
    off = own - below
    far = np.sqrt((off[..., 0] / 15) ** 2 + (off[..., 1] ** 2 + off[..., 2] ** 2) / 64)
    light = np.ascontiguousarray(own[..., 0])
    rough = np.sqrt(blur((light - blur(light, 0.012 * tall)) ** 2, 0.02 * tall))
    return smoothstep(2.0, 1.0, far) * smoothstep(3.6, 1.8, rough)


def lit_hair(own: F32, below: F32, scene: F32) -> F32:
    """The reference's hair (Lab) under the scene's light: its level in part, its direction and its colour.

    How much lighter or darker the faces are says as much about the two people's skin as about the light.
    """
    gain = np.clip((scene[..., 0] + 2) / (below[..., 0] + 2), 0.25, 2.2)
    level = float(np.median(gain))
    gain = level**0.5 * (gain / level) ** 0.9
    lamp = scene[..., 1:] - _natural(scene[..., 1:])
    out = np.empty_like(own)
    gain = np.clip(gain, 0.3, 1.4)
    # Dark hair gets lighter in proportion; fair hair must not lose its strands in white.
    bright = 100 * (1 - (1 - np.clip(own[..., 0], 0, 100) / 100) ** np.maximum(gain, 1))
    out[..., 0] = np.where(gain > 1, bright, own[..., 0] * gain)
    out[..., 1:] = own[..., 1:] * np.clip(gain, 0.5, 1.1)[..., None] + lamp * np.clip(own[..., :1] / 60, 0.1, 1)
    return out
