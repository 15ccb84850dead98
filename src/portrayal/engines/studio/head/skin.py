"""Folds: what an expression does to the light on the skin."""

from __future__ import annotations

import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.face import Moved
from portrayal.engines.studio.head.fields import blur, curve, fill, resize, stroke
from portrayal.engines.studio.head.presets import Preset
from portrayal.imaging import F32

_FROWN = ((107, 55, 193), (336, 285, 417))


def shaded(rgb: F32, face: Moved, smile: float, preset: Preset) -> F32:
    """Deepen or smooth the folds beside the mouth and between the brows."""
    fold, frown = preset.fold * face.strength, preset.frown * face.strength
    if fold < 0:
        rgb = _without(rgb, face, [_fold_line(face, side) for side in (0, 1)], 0.060, -fold)
    elif fold > 0:
        rgb = _deepened(rgb, face, fold)
    if frown < 0:
        lines = [curve(face.new[list(line)], 6) for line in _FROWN]
        rgb = _without(rgb, face, lines, 0.035, -0.8 * frown)
    elif frown > 0:
        rgb = _frowning(rgb, face, frown)
    return rgb


def _fold_line(face: Moved, side: int) -> F32:
    return curve(face.new[list(tp.FOLDS[side])], 6)


def _without(rgb: F32, face: Moved, lines: list[F32], width: float, amount: float) -> F32:
    """Bridge the shading across creases, keeping the skin's own texture."""
    h, w = face.shape
    band = np.zeros((h, w), np.float32)
    for line in lines:
        t = np.linspace(0, 1, len(line))
        fade = np.sin(np.pi * np.clip(0.08 + 0.84 * t, 0, 1)) ** 0.5
        band = np.maximum(band, stroke(line, (h, w), width * face.face, fade, 0.012 * face.face))
    step = max(1, round(face.face / 160))
    size = (-(-w // step), -(-h // step))
    bridged = fill(resize(rgb, size), np.clip(1 - 1.6 * resize(band, size), 0, 1))
    # Only what is finer than a crease, the pores, stays.
    change = resize(blur(bridged, 1.5), (w, h)) - blur(rgb, 0.0035 * face.face)
    out: F32 = rgb + change * np.clip(1.3 * band * amount, 0, 0.9)[..., None]
    return out


def _deepened(rgb: F32, face: Moved, amount: float) -> F32:
    for side, sign in ((0, -1), (1, 1)):
        line = _fold_line(face, side)
        fade = np.sin(np.pi * np.clip(np.linspace(0, 1, len(line)), 0.02, 0.98)) ** 0.7
        dark = stroke(line, face.shape, 0.010 * face.face, fade, 0.012 * face.face)
        shift = (-round(0.012 * face.face), sign * round(0.022 * face.face))
        light = np.roll(dark, shift, (0, 1))
        rgb = (rgb * (1 + amount * (0.35 * light - 1.4 * dark))[..., None]).astype(np.float32)
    return rgb


def _frowning(rgb: F32, face: Moved, amount: float) -> F32:
    for line, sign in zip(_FROWN, (-1, 1), strict=True):
        dark = stroke(curve(face.new[list(line)], 6), face.shape, 0.007 * face.face, 1.0, 0.007 * face.face)
        light = np.roll(dark, sign * round(0.018 * face.face), 1)
        rgb = (rgb * (1 + amount * (0.08 * light - 0.26 * dark))[..., None]).astype(np.float32)
    return rgb
