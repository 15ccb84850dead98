"""Looks that live from the line: comic, cartoon, ink, pencil sketch, line art. Each gives sRGB codes (h, w, 3) 0..1."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.texture import (
    blur,
    border,
    dots,
    grid,
    hatching,
    mix,
    noise,
    paper,
    step,
    streaks,
)
from portrayal.imaging import F32, Array

_INK: Final = np.array([0.05, 0.04, 0.08], np.float32)


def cel(light: Array, steps: float, sharpness: float) -> F32:
    """Lightness in so many steps whose borders are soft (Winnemoeller, Olsen & Gooch 2006)."""
    scaled = light * np.float32(steps)
    nearest = np.round(scaled)
    slope = np.float32(2 * sharpness)
    soft = np.tanh((scaled - nearest) * slope) * np.float32(0.5 / np.tanh(sharpness))
    return np.asarray((nearest + soft) * np.float32(1 / steps), np.float32)


def shades(context: Context, softness: float, steps: float, sharpness: float) -> F32:
    """Oklab in flat shades: lightness in steps, smooth outlines; the detail zone keeps its own."""
    lab = context.toned
    wide = blur(lab, softness * context.unit)
    wide[..., 0] = cel(wide[..., 0], steps, sharpness)
    return mix(wide, lab, context.detail)


def comic(context: Context) -> F32:
    """Flat colours, ink, printed dots in the shade."""
    unit = context.unit
    lab = shades(context, 2.4, 5.5, 3.6)
    lab[..., 0] = np.clip(np.float32(0.56) + (lab[..., 0] - np.float32(0.5)) * np.float32(1.16), 0, 1)
    lab[..., 1:] *= np.float32(1.38)
    picture = to_rgb(lab)
    light = blur(context.toned[..., 0], 2.5 * unit)
    calm = 1 - np.float32(0.85) * np.maximum(context.detail, np.float32(0.55) * context.face)
    shade = dots(np.clip((np.float32(0.70) - light) * np.float32(1.5), 0, 0.60), max(5.0, 7.5 * unit)) * calm
    picture = mix(picture, picture * np.array([0.66, 0.62, 0.76], np.float32), shade * np.float32(0.7))
    ink = context.lines(1.5, 30.0, 6.0) * (np.float32(0.8) + np.float32(0.2) * context.subject)
    black = 1 - step(0.15, 0.21, blur(context.lifted(context.fine[..., 0]), 1.2 * unit))
    ink = np.maximum(ink, black * (1 - np.float32(0.5) * context.detail))
    return mix(picture, _INK, np.maximum(ink, context.outline(4.0))[..., None])


def cartoon(context: Context) -> F32:
    """Clean shades as on a cel, thin lines in the darker colour of what they surround, a quiet background."""
    unit = context.unit
    lab = shades(context, 3.2, 4.4, 3.8)
    behind = lab * np.array([0.90, 0.98, 0.98], np.float32) + np.array([0.10, 0.0, 0.0], np.float32)
    lab = mix(behind, lab, context.subject)
    lab[..., 0] = np.clip(np.float32(0.06) + np.float32(0.96) * lab[..., 0], 0, 0.985)
    lab[..., 1:] *= np.float32(1.26)
    lab[..., 1] += np.float32(0.022) * context.cheeks()
    picture = to_rgb(lab)
    line = context.lines(1.2, 26.0, 6.0) * (np.float32(0.6) + np.float32(0.4) * context.subject)
    line = np.maximum(line, context.outline(3.0)) * np.float32(0.9)
    deep = lab * np.array([0.36, 0.75, 0.75], np.float32) + np.array([0.05, 0.008, 0.0], np.float32)
    picture = mix(picture, to_rgb(deep), line)
    glow = blur(np.clip(picture - np.float32(0.82), 0, 1), 16 * unit)
    return np.asarray(np.clip(picture + np.float32(0.25) * glow, 0, 1), np.float32)


def ink(context: Context) -> F32:
    """Pen and brush on cream paper: lines, hatching that thickens with the shade, solid blacks."""
    unit = context.unit
    light = _spread(context, np.clip(context.fine[..., 0], 0, 1))
    soft = mix(_spread(context, blur(np.clip(context.flat[..., 0], 0, 1), 1.6 * unit)), light, context.detail)
    dark = 1 - soft
    dark = dark * (np.float32(0.84) + np.float32(0.16) * context.subject)
    calm = np.float32(0.6) * np.maximum(context.detail, np.float32(0.35) * context.face)
    drawn = np.zeros(context.shape, np.float32)
    period = max(4.0, 6.2 * unit)
    for i, (angle, least) in enumerate(((0.85, 0.36), (-0.75, 0.58), (0.10, 0.74))):
        width = np.clip((dark - np.float32(least)) * np.float32(1.9), 0, 0.8)
        away = hatching(context.shape, angle, period, context.seed + i)
        soft_edge = 1.6 / period
        drawn = np.maximum(drawn, step(-soft_edge, soft_edge, width - away) * step(0.0, 0.06, width) * (1 - calm))
    solid = step(0.80, 0.88, dark)
    line = context.lines(1.35, 34.0, 6.0)
    line = mix(step(0.22, 0.62, line), line, context.detail)  # ink is black or it is not there, but for the finest pen
    # Eyes, lips and brows keep their tones as a fine wash.
    wash = np.clip((dark - np.float32(0.22)) * np.float32(1.15), 0, 0.95) * context.detail
    out = np.maximum(np.maximum(np.maximum(drawn, solid), np.maximum(line, wash)), context.outline(3.4))
    height, shade = paper(context.shape, unit, context.seed + 7, 0.7)
    out = out * (np.float32(0.95) + np.float32(0.05) * height) * border(context.shape, 0.030, 0.018, 60 * unit, 11)
    page = np.array([0.965, 0.945, 0.895], np.float32)
    return np.asarray(np.clip(mix(page, _INK, out[..., None]) * shade[..., None], 0, 1), np.float32)


def _spread(context: Context, light: Array) -> F32:
    """Lightness spread over black to white by the picture's own quantiles."""
    low, high = np.quantile(context.lab[::4, ::4, 0], [0.02, 0.97])
    out = np.clip((light - np.float32(low)) / np.float32(max(high - low, 0.25)), 0, 1)
    return context.lifted(np.asarray(out, np.float32))


def pencil(context: Context) -> F32:
    """Graphite: contours drawn with short straight strokes and three layers of hatching (Lu, Xu & Jia 2012)."""
    unit, shape = context.unit, context.shape
    light = _spread(context, np.clip(context.fine[..., 0], 0, 1))
    smooth = mix(_spread(context, np.clip(context.flat[..., 0], 0, 1)), light, context.detail)
    strokes = _straight_strokes(smooth, 13 * unit)
    dark = 1 - np.clip(np.float32(0.08) + np.float32(0.92) * smooth, 0, 1)
    dark = dark * (np.float32(0.55) + np.float32(0.45) * context.subject)
    layers = [
        streaks(shape, angle, length * unit, context.seed + i)
        for i, (angle, length) in enumerate(((-0.9, 45), (-0.35, 37), (-1.5, 33)))
    ]
    dark *= 1 - np.float32(0.18) * context.skin
    ink = dark * (np.float32(0.66) + np.float32(0.28) * layers[0] * (1 - np.float32(0.7) * context.face))
    ink += np.clip(dark - np.float32(0.42), 0, 1) * (np.float32(0.4) + np.float32(0.36) * layers[1])
    ink += np.clip(dark - np.float32(0.68), 0, 1) * (np.float32(0.4) + np.float32(0.32) * layers[2])
    tone = mix(1 - np.clip(ink, 0, 0.93), 1 - dark * np.float32(0.88), context.detail * np.float32(0.6))
    line = np.maximum(context.lines(1.0, 26.0, 5.0), np.float32(0.7) * context.outline(2.2))
    line = line * (np.float32(0.5) + np.float32(0.5) * context.subject)
    strokes = strokes * (1 - np.float32(0.6) * context.detail) * (np.float32(0.5) + np.float32(0.5) * context.subject)
    out = tone * (1 - strokes) * (1 - np.float32(0.68) * line)
    x, y = grid(shape)
    away = np.minimum(np.minimum(x, shape[1] - 1 - x), np.minimum(y, shape[0] - 1 - y)) / np.float32(max(shape))
    fade = step(0.015, 0.20, away + np.float32(0.035) * noise(shape, 110 * unit, context.seed + 6))
    fade = np.maximum(fade, context.subject * step(0.005, 0.05, away))
    out = 1 - (1 - out) * fade
    height, shade = paper(shape, unit, context.seed + 4, 1.1)
    out = np.clip(out + np.float32(0.07) * height * (1 - out), 0, 1)[..., None]
    page, graphite = np.array([0.972, 0.965, 0.945], np.float32), np.array([0.10, 0.10, 0.12], np.float32)
    return np.asarray(np.clip(mix(graphite, page, out) * shade[..., None], 0, 1), np.float32)


def _straight_strokes(light: F32, length: float) -> F32:
    """Edges (h, w) 0..0.85 drawn again with straight strokes in eight directions."""
    gx, gy = cv2.Scharr(light, cv2.CV_32F, 1, 0) / 16, cv2.Scharr(light, cv2.CV_32F, 0, 1) / 16
    edges = cv2.magnitude(gx, gy)
    n, kernels = max(5, int(length) | 1), []
    for i in range(8):
        kernel, c = np.zeros((n, n), np.float32), n // 2
        dx, dy = c * np.cos(i * np.pi / 8), c * np.sin(i * np.pi / 8)
        cv2.line(kernel, (round(c - dx), round(c - dy)), (round(c + dx), round(c + dy)), 1.0, 1)
        kernels.append(kernel / kernel.sum())
    answers = [cv2.filter2D(edges, -1, kernel) for kernel in kernels]
    best = answers[0].copy()
    for answer in answers[1:]:
        best = cv2.max(best, answer)
    out = np.zeros_like(edges)
    for kernel, answer in zip(kernels, answers, strict=True):
        out += np.asarray(cv2.filter2D(np.where(answer >= best, edges, np.float32(0)), -1, kernel), np.float32)
    top = np.float32(max(float(np.quantile(out[::3, ::3], 0.995)), 1e-4))
    return np.asarray(np.clip(out / top, 0, 1) ** np.float32(0.8) * np.float32(0.8), np.float32)


def line_art(context: Context) -> F32:
    """Clean lines of one pen with a few flat tints, on white."""
    lab = shades(context, 4.0, 3.4, 4.0)
    behind = np.array([0.965, 0.0, 0.006], np.float32)
    tint = lab.copy()
    pale = np.float32(0.48) - np.float32(0.24) * context.skin
    tint[..., 0] = np.clip(pale + (np.float32(0.99) - pale) * lab[..., 0], 0, 0.98)
    tint[..., 1:] *= np.float32(0.95)
    share = np.float32(0.25) + np.float32(0.72) * context.subject if context.cut else np.ones(context.shape, np.float32)
    tint = mix(np.broadcast_to(behind, tint.shape), tint, share)
    picture = to_rgb(tint)
    line = context.lines(1.45, 30.0, 8.0) * (np.float32(0.45) + np.float32(0.55) * context.subject)
    light = context.lifted(context.fine[..., 0])
    pupils = (1 - step(0.28, 0.44, light)) * context.detail
    line = np.maximum(np.maximum(line, pupils), context.outline(3.6))
    return mix(picture, np.array([0.10, 0.11, 0.19], np.float32), (line * np.float32(0.94))[..., None])
