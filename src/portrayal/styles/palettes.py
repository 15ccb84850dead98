"""Palettes by optimal transport: the picture's colours travel to those that are asked for, each to its share.

Entropic optimal transport between the picture's colours and the palette (Cuturi 2013, Sinkhorn's iterations) in
Oklab; what comes out is a smooth map of all colours, so that no grain is amplified and no border torn. A reference
picture is a palette of many colours with their shares (as Pitie & Kokaram 2007 transport whole distributions).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Array
from portrayal.parallel import bands
from portrayal.styles.apply import _develop
from portrayal.styles.catalogue import Member
from portrayal.styles.oklab import from_oklab, to_oklab

_CUBE: Final = 33
_SIDE: Final = 160  # of the reduced picture whose colours are counted
_LIGHT: Final = 1.0  # weight of lightness against chroma in the cost
_CHROMA: Final = 1.6
_BLUR: Final = 0.010  # entropy of the plan, in squared Oklab units: how soft the borders between two colours are
_ROUNDS: Final = 60
# How far lightness, and hue and chroma, go to the palette: the drawing lives from the picture's own lightness.
_REACH: Final = (0.40, 0.94)
_SKIN_REACH: Final = (0.10, 0.42)
# How far the tones as a whole go to the palette's, in their order.
_TONES: Final = 0.7
_SKIN_TONES: Final = 0.3
_HILL: Final = 0.09
_PALE: Final = (0.012, 0.04)
_CLUSTERS: Final = 20
_NEAR: Final = 0.16  # weighted Oklab distance within which a pixel is of a palette's colour


def toned(image: U8, palette: Sequence[Member], *, skin: F32 | None = None) -> U8:
    """A picture in the colours of a palette.

    Args:
        image: (h, w, 3) uint8.
        palette: colours and their shares.
        skin: (h, w) 0..1, where people keep most of their complexion.
    """
    lab = to_oklab(_small(image)).reshape(-1, 3)
    weight = np.ones(len(lab), np.float32)
    if skin is not None:
        height, width = _small(image).shape[:2]
        weight -= np.float32(0.7) * cv2.resize(skin, (width, height), interpolation=cv2.INTER_AREA).ravel()
    goals = _oklab(palette)
    shares = np.array([m.weight for m in palette], np.float64)
    curve = _curve(lab[:, 0], weight, goals[:, 0], shares / shares.sum())
    lab[:, 0] = _through(curve, lab[:, 0], _TONES)
    potentials = _transport(lab, weight, goals, shares / shares.sum())
    cube = _cube(curve, goals, potentials, _paleness(goals, shares))
    source = np.ascontiguousarray(image)
    cover = np.zeros((1, 1), np.float32) if skin is None else np.ascontiguousarray(skin, np.float32)
    out, noise = np.empty_like(source), np.zeros((1, 1), np.float32)
    none, one = np.float32(0), np.float32(1)
    bands(lambda a, b: _develop(source, cover, cube, noise, none, one, out, a, b), len(source))
    return out


def measured(image: U8, palette: Sequence[Member]) -> tuple[tuple[str, float], ...]:
    """Each colour of a palette, and the share of the picture that is of it: nearest to it, and near."""
    lab = to_oklab(_small(image)).reshape(-1, 3)
    cost = _cost(lab, _oklab(palette))
    nearest, near = cost.argmin(1), cost.min(1) < _NEAR**2
    return tuple((member.colour, round(float(np.mean((nearest == k) & near)), 4)) for k, member in enumerate(palette))


def of_pictures(pictures: Sequence[U8]) -> tuple[Member, ...]:
    """The palette of pictures: the middles of their colours, by k-means, and their shares."""
    colours = np.concatenate([to_oklab(_small(picture)).reshape(-1, 3) for picture in pictures]).astype(np.float32)
    count = min(_CLUSTERS, len(np.unique(colours.round(3), axis=0)))
    cv2.setRNGSeed(11)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 24, 1e-4)
    start = np.zeros((len(colours), 1), np.int32)
    _, labels, centres = cv2.kmeans(colours, count, start, criteria, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels.ravel(), minlength=count) / len(colours)
    codes = np.round(from_oklab(np.asarray(centres, np.float32)) * 255).astype(int)
    return tuple(
        Member("#" + "".join(f"{c:02x}" for c in codes[k].tolist()), float(shares[k]))
        for k in np.argsort(-shares, kind="stable").tolist()
    )


def _small(image: U8) -> U8:
    part = _SIDE / max(image.shape[:2])
    if part >= 1:
        return image
    size = (max(1, round(image.shape[1] * part)), max(1, round(image.shape[0] * part)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _oklab(palette: Sequence[Member]) -> F32:
    codes = np.array([[int(m.colour[i : i + 2], 16) for i in (1, 3, 5)] for m in palette], np.uint8)
    return to_oklab(codes)


def _cost(lab: F32, goals: F32) -> F32:
    """(n, k) squared distance; palettes are about hue more than about lightness."""
    away = lab[:, None, :] - goals[None]
    return np.asarray(_LIGHT * away[..., 0] ** 2 + _CHROMA * (away[..., 1] ** 2 + away[..., 2] ** 2), np.float32)


def _transport(lab: F32, weight: F32, goals: F32, shares: Array) -> F32:
    """(k,) potentials of the goals, with which every goal gets its share of the picture."""
    scaled = -_cost(lab, goals).astype(np.float64) / _BLUR
    mass = weight.astype(np.float64) / weight.sum()
    potential = np.zeros(len(goals))
    for _ in range(_ROUNDS):
        z = scaled + potential
        plan = np.exp(z - z.max(1, keepdims=True))
        plan /= plan.sum(1, keepdims=True)
        found = mass @ plan
        # Half a step: the shares of a picture need not be met to the last pixel, and nothing swings.
        potential += 0.5 * np.log(np.maximum(shares, 1e-6) / np.maximum(found, 1e-9)).clip(-2, 2)
    return potential.astype(np.float32)


@lru_cache(1)
def _corners() -> F32:
    axis = np.linspace(0, 1, _CUBE, dtype=np.float32)
    return to_oklab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3))


def _curve(light: F32, weight: F32, goals: F32, shares: Array) -> F32:
    """(256,) lightness that brings the picture's tones to those of the palette; it never falls, so the drawing stays.

    Histogram matching (Gonzalez & Woods); every goal is a little hill of tones.
    """
    axis = np.linspace(0, 1, 256)
    hills = np.exp(-0.5 * ((axis[:, None] - goals[None]) / _HILL) ** 2) * shares
    wanted = np.cumsum((hills / np.maximum(hills.sum(0), 1e-9) * shares).sum(1))
    wanted /= wanted[-1]
    found = np.cumsum(np.bincount((light.clip(0, 1) * 255).astype(int), weights=weight, minlength=256))
    matched = np.interp(found / found[-1], wanted, axis)
    # Smooth, so that a plain wall does not break into steps.
    return np.asarray(cv2.GaussianBlur(matched.astype(np.float32)[None], (0, 0), 9, borderType=cv2.BORDER_REPLICATE)[0])


def _through(curve: F32, light: F32, share: float) -> F32:
    return np.asarray(light + share * (np.interp(light, np.linspace(0, 1, 256), curve) - light), np.float32)


def _paleness(goals: F32, shares: Array) -> float:
    """1 = a palette without colours, in which a face of flesh would look cut out; 0 = a coloured one."""
    chroma = float(np.average(np.hypot(goals[:, 1], goals[:, 2]), weights=shares))
    return float(np.clip((_PALE[1] - chroma) / (_PALE[1] - _PALE[0]), 0, 1))


def _cube(curve: F32, goals: F32, potentials: F32, pale: float) -> F32:
    """(33, 33, 33, 6): the new colours by display codes, and the gentle ones of skin."""
    own = _corners()
    lab = own.copy()
    lab[:, 0] = _through(curve, own[:, 0], _TONES)
    z = -_cost(lab, goals) / np.float32(_BLUR) + potentials
    plan = np.exp(z - z.max(1, keepdims=True))
    plan /= plan.sum(1, keepdims=True)
    goal = (plan @ goals).astype(np.float32)
    skin_chroma = _SKIN_REACH[1] + pale * (_REACH[1] - _SKIN_REACH[1])
    parts = []
    for tones, light, chroma in ((_TONES, *_REACH), (_SKIN_TONES, _SKIN_REACH[0], skin_chroma)):
        new = own.copy()
        new[:, 0] = _through(curve, own[:, 0], tones)
        new += (goal - new) * np.array([light, chroma, chroma], np.float32)
        parts.append(from_oklab(new))
    return np.ascontiguousarray(np.concatenate(parts, -1).reshape(_CUBE, _CUBE, _CUBE, 6), np.float32)
