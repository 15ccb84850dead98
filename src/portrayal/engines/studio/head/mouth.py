"""Lips that close, and what an open mouth shows."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.face import Moved, Patch
from portrayal.engines.studio.head.fields import blur, curve, disc, fill, opening, polygon, smoothstep, step, stroke
from portrayal.engines.studio.head.handles import mouth_of
from portrayal.engines.studio.head.presets import Preset
from portrayal.engines.studio.head.teeth import synthetic
from portrayal.imaging import F32, Array

_OUTER = tp.OUTER_UPPER + tp.OUTER_LOWER[-2:0:-1]


def painted(rgb: F32, face: Moved, smile: float, preset: Preset) -> F32:
    """Paint the mouth of the new face (h, w, 3)."""
    inner = tp.INNER_UPPER + tp.INNER_LOWER
    if float(np.abs(face.new[inner] - face.old[inner]).max()) < 0.002 * face.face:
        return rgb
    patch = face.patch(_OUTER, 0.10 * face.face)
    if patch.empty:
        return rgb
    out = rgb.copy()
    part = out[patch.rows, patch.columns]
    if preset.close > 0 and mouth_of(face.frame, smile).gap > 0.01:
        part = _filled_lips(part, face, patch, preset)
    ring = patch.local(opening(face.new[tp.INNER_UPPER], face.new[tp.INNER_LOWER]))
    gap = _gap(face.new, face)
    hole = polygon(ring, patch.shape, 0.0022 * face.face) * step(0.004, 0.02, gap)
    if float(hole.max()) > 0.02:
        inside = _inside(face, patch, hole, smile, preset)
        # Lips shade what lies behind them.
        part = part + (inside - part) * hole[..., None]
    if gap < 0.02:
        part = _contact(part, face, patch, 1 - step(0.004, 0.02, gap))
    if preset.pucker > 0:
        part = _pushed(part, face, patch, preset.pucker * face.strength)
    out[patch.rows, patch.columns] = part
    return out


def _gap(vertices: F32, face: Moved) -> float:
    """Mean opening of the lips' middle in units of the face."""
    between = vertices[tp.INNER_LOWER[3:8]] - vertices[tp.INNER_UPPER[3:8]]
    return float(np.mean(between @ face.frame.down)) / face.unit


def _filled_lips(part: F32, face: Moved, patch: Patch, preset: Preset) -> F32:
    """Lips drawn together from a reference whose opening, and its dark corners, were filled from the lips."""
    old = face.rgb[patch.rows, patch.columns]
    hole = polygon(patch.local(opening(face.old[tp.INNER_UPPER], face.old[tp.INNER_LOWER])), patch.shape)
    # The wider a mouth is open, the less exactly is known where its lips end and its teeth begin.
    wide = step(0.20, 0.27, _gap(face.old, face))
    hide = cv2.dilate(hole, disc((0.005 + 0.011 * wide) * face.face))
    light = old.mean(-1)
    dark = light < 0.86 * float(np.median(light))
    for corner in (61, 291):
        spot = np.zeros(patch.shape, np.float32)
        x, y = patch.local(face.old[[corner]])[0]
        cv2.circle(spot, (round(float(x)), round(float(y))), max(1, round(0.040 * face.face)), 1.0, -1)
        hide = np.maximum(hide, spot * dark)
    hide = blur(hide, 0.004 * face.face)
    known = (hide < 0.05).astype(np.float32)
    lips = old + (fill(old, known) - old) * hide[..., None]
    whole = face.rgb.copy()
    whole[patch.rows, patch.columns] = lips
    closed = face.carried(whole, patch, cv2.INTER_CUBIC)
    where = cv2.dilate(polygon(patch.local(face.new[_OUTER]), patch.shape), disc(0.010 * face.face))
    weight = blur(where, 0.006 * face.face) * min(1.0, 1.5 * preset.close * face.strength)
    out: F32 = part + (closed - part) * weight[..., None]
    return out


def _contact(part: F32, face: Moved, patch: Patch, amount: float) -> F32:
    """The line in which closed lips meet: dark red, tapering into the corners."""
    middle = curve((face.new[tp.INNER_UPPER] + face.new[tp.INNER_LOWER]) / 2)
    t = np.linspace(-1, 1, len(middle))
    strength = 0.45 + 0.55 * (1 - np.abs(t) ** 2.5)
    points = patch.local(middle)
    line = stroke(points, patch.shape, 0.008 * face.face, strength, 0.0042 * face.face)
    shade = stroke(points, patch.shape, 0.012 * face.face, strength, 0.014 * face.face)
    h, w = face.shape
    ring = face.old[list(tp.LIP_RINGS[1])].astype(int)
    lips = face.rgb[np.clip(ring[:, 1], 0, h - 1), np.clip(ring[:, 0], 0, w - 1)]
    colour = np.median(lips, 0) * np.array([0.52, 0.38, 0.38], np.float32)
    out = part * (1 - 0.16 * amount * shade[..., None] * np.array([0.8, 1, 1], np.float32))
    cover = np.clip(0.95 * line, 0, 0.75)[..., None] * np.float32(amount)
    drawn: F32 = (out + (colour - out) * cover).astype(np.float32)
    return drawn


def _pushed(part: F32, face: Moved, patch: Patch, amount: float) -> F32:
    """Lips pushed forward: light on the roll of the lower one, and its shade on the skin below."""
    edge = face.new[tp.OUTER_LOWER[2:-2]]
    inner = face.new[tp.INNER_LOWER[2:-2]]
    fade = np.sin(np.pi * np.linspace(0.06, 0.94, len(edge)))
    roll = stroke(patch.local(inner + 0.45 * (edge - inner)), patch.shape, 0.018 * face.face, fade, 0.014 * face.face)
    below = edge + (0.022 * face.face * face.frame.down).astype(np.float32)
    shade = stroke(patch.local(below), patch.shape, 0.020 * face.face, fade, 0.014 * face.face)
    out: F32 = (part * (1 + amount * (0.16 * roll - 0.24 * shade))[..., None]).astype(np.float32)
    return out


def _inside(face: Moved, patch: Patch, hole: F32, smile: float, preset: Preset) -> F32:
    """Teeth, tongue and darkness behind the lips (patch, 3)."""
    light = float(face.skin.mean())
    across, down = _axes(face, patch)
    half = float(np.linalg.norm(face.new[308] - face.new[78])) / 2 / face.unit
    deep = smoothstep(0, 0.10, cv2.distanceTransform((hole > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / face.unit)
    cavity = np.array([0.20, 0.075, 0.07], np.float32) * np.float32(light / 0.55) * (1 - 0.72 * deep)[..., None]
    low = float((face.new[14] - face.new[13]) @ face.frame.down) / face.unit
    bulge = np.exp(-((across / (0.60 * half)) ** 2) - ((down - 1.02 * low) / (0.44 * max(low, 0.05))) ** 2)
    tongue = np.array([0.54, 0.27, 0.26], np.float32) * np.float32(light / 0.6)
    tongue = tongue * (1 - 0.25 * smoothstep(0.5, 1.0, np.abs(across) / half))[..., None]
    cavity = cavity + (tongue - cavity) * (0.80 * bulge)[..., None]
    if mouth_of(face.frame, smile).gap > 0.05 and _shows_teeth(face, patch, light):
        return _own_teeth(face, patch, cavity)
    return synthetic(cavity, face, across, down, half, 1 - 0.6 * preset.round)


def _axes(face: Moved, patch: Patch) -> tuple[F32, F32]:
    """Coordinates of the pixels, across and down from the middle of the upper lip's edge, in units of the face."""
    gx, gy = np.meshgrid(
        np.arange(patch.width, dtype=np.float32) + patch.x - face.new[13, 0],
        np.arange(patch.height, dtype=np.float32) + patch.y - face.new[13, 1],
    )
    right, down = face.frame.right.astype(np.float32), face.frame.down.astype(np.float32)
    unit = np.float32(face.unit)
    return (gx * right[0] + gy * right[1]) / unit, (gx * down[0] + gy * down[1]) / unit


def _shows_teeth(face: Moved, patch: Patch, light: float) -> bool:
    hole = polygon(patch.local(opening(face.old[tp.INNER_UPPER], face.old[tp.INNER_LOWER])), patch.shape) > 0.8
    seen = face.rgb[patch.rows, patch.columns][hole]
    if len(seen) < 12:
        return False
    bright = (seen.mean(-1) > 0.62 * light) & (seen[:, 0] - seen[:, 2] < 0.34 * seen[:, 0])
    return float(bright.mean()) > 0.30


def _own_teeth(face: Moved, patch: Patch, cavity: F32) -> F32:
    """The reference's teeth, which hang on the skull: they hardly follow the lip."""
    hole = polygon(patch.local(opening(face.old[tp.INNER_UPPER], face.old[tp.INNER_LOWER])), patch.shape)
    sure = cv2.erode((hole > 0.6).astype(np.float32), np.ones((max(1, int(0.006 * face.face)),) * 2, np.uint8))
    old = face.rgb[patch.rows, patch.columns]
    shift = (face.new[13] - face.old[13]) * np.float32(0.25)
    filled = fill(old, sure) if sure.sum() > 10 else old
    known = blur(sure, 0.004 * face.face)[..., None]
    teeth = old * known + (0.55 * filled + 0.45 * cavity) * (1 - known) * np.float32(0.8)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    size = (patch.width, patch.height)
    teeth = np.asarray(cv2.warpAffine(teeth, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32)
    edge: Array = patch.local(face.old[tp.INNER_LOWER]) + shift
    below = polygon(np.vstack([edge, edge[::-1] + face.frame.down * face.unit]), patch.shape, 0.005 * face.face)
    out: F32 = teeth + (cavity - teeth) * below[..., None]
    return out
