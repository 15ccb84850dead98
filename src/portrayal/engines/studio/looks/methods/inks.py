"""Printing inks: the parts of a picture, its tones as stencils, a scene in few given inks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_lab
from portrayal.engines.studio.looks.texture import blur, colour, mix, noise
from portrayal.imaging import F32, U8, Array
from portrayal.perception.types import CLOTHING, HAIR

Inks: TypeAlias = Sequence[str]
"""RRGGBB of each ink."""
# Share of the picture under which a piece of a stencil is not cut out.
_ISLAND: Final = 0.00022


def ink_lab(inks: Inks) -> F32:
    """Inks (n, 3) in Oklab."""
    codes = np.stack([np.round(colour(ink) * 255) for ink in inks]).astype(np.uint8)
    return np.asarray(to_lab(codes[None])[0], np.float32)


def cut(context: Context) -> F32:
    """(h, w) 0..1, the people as cut out with scissors; 1 everywhere when their matte is not known."""
    if not context.cut:
        return context.subject
    if "cut" not in context.found:
        soft = blur(context.subject, max(0.8, 1.6 * context.unit))
        context.found["cut"] = iso(soft, 0.5, slope(soft))
    return context.found["cut"]


def place(context: Context, where: str) -> F32:
    """(h, w) 0..1 of a part: "people", "scene", "all", "clothing", "hair", "skin", "bare" (people but skin)."""
    name = f"place {where}"
    if name not in context.found:
        context.found[name] = _place(context, where)
    return context.found[name]


def _place(context: Context, where: str) -> F32:
    people = cut(context)
    if where == "all":
        return np.ones(context.shape, np.float32)
    if where == "people":
        return people
    if where == "scene":
        return np.asarray(1 - people, np.float32)
    if where == "skin":
        return np.asarray(context.skin * people, np.float32)
    if where == "bare":
        return np.asarray(people * (1 - context.skin), np.float32)
    if context.regions is None:
        return np.zeros(context.shape, np.float32)
    label = {"clothing": CLOTHING, "hair": HAIR}[where]
    soft = blur((context.regions == label).astype(np.float32), max(0.8, 2.2 * context.unit))
    return np.asarray(iso(soft, 0.5, slope(soft)) * people, np.float32)


def half(picture: F32) -> F32:
    """A picture at half its size."""
    h, w = picture.shape[:2]
    return np.asarray(cv2.resize(picture, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA), np.float32)


def enlarged(picture: F32, shape: tuple[int, int]) -> F32:
    """A picture at another size (h, w), smooth."""
    return np.asarray(cv2.resize(picture, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def smoothed(light: F32, size: float, soft: float) -> F32:
    """A field (h, w) after a median of `size` pixels and a blur of `soft`, both on the half picture."""
    return enlarged(blur(median(half(light), 0.5 * size), max(0.5, 0.5 * soft)), (light.shape[0], light.shape[1]))


def lightness(context: Context) -> F32:
    """Lightness (h, w) without grain, lifted."""
    if "lightness" not in context.found:
        context.found["lightness"] = context.lifted(np.ascontiguousarray(context.fine[..., 0]))
    return context.found["lightness"]


def median(picture: F32, size: float) -> F32:
    """Median of a picture of values 0..1 over squares of so many pixels: outlines as a knife cuts them."""
    odd = max(3, int(size) | 1)
    codes = np.asarray(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8)
    return np.asarray(cv2.medianBlur(codes, odd), np.float32) / np.float32(255)


def slope(field: F32, least: float = 0.006) -> F32:
    """Steepness (h, w) per pixel of a field, never 0."""
    gx, gy = cv2.Sobel(field, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(field, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(np.maximum(cv2.magnitude(gx, gy), np.float32(least)), np.float32)


def iso(field: F32, level: float, steepness: F32) -> F32:
    """(h, w) 1 where a field lies over a level, with an edge one pixel wide however steep the field is."""
    return np.asarray(np.clip((field - np.float32(level)) / steepness + np.float32(0.5), 0, 1), np.float32)


def tone(context: Context, softness: float = 2.2, local: float = 0.6, where: str = "people") -> F32:
    """How light a print is (h, w) 0..1, spread over all inks; complexions keep their order, features their contrast.

    Args:
        context: of the picture.
        softness: of outlines, pixels of a 1024 px picture.
        local: how much the shape of a face is brought out.
        where: whose darkest and lightest parts are black and white, "people" or "scene".
    """
    unit = context.unit
    light = lightness(context)
    wide = smoothed(light, 4.2 * softness * unit, 0.9 * softness * unit)
    fine = blur(light, 0.7 * unit)
    soft = mix(wide, fine, context.detail)
    part = context.subject if where == "people" else 1 - context.subject
    chosen = wide[::4, ::4][part[::4, ::4] > 0.5]
    low, high = np.quantile(chosen if chosen.size > 50 else wide[::4, ::4], [0.03, 0.97]).tolist()
    out = (soft - np.float32(low)) * np.float32(1 / max(high - low, 0.3))
    if where != "people":
        return np.asarray(np.clip(out, 0, 1), np.float32)
    # Strong colours print dark, as on old plates: an orange coat is no white one.
    small = half(context.lab)
    chroma = np.maximum(np.hypot(small[..., 1], small[..., 2]) - np.float32(0.04), 0)
    strong = enlarged(blur(chroma, 1.5 * unit), context.shape)
    out = out - np.float32(1.6) * strong * (1 - context.skin)
    inside = light[::2, ::2][(context.face[::2, ::2] > 0.6) & (context.features[::2, ::2] < 0.3)]
    if inside.size > 50:
        q20, q50, q80 = np.quantile(inside, [0.20, 0.50, 0.80]).tolist()
        middle = 0.48 + 0.26 * min(max((q50 - 0.42) / 0.36, 0.0), 1.0)
        gain = min(max(0.24 / max(q80 - q20, 0.03), 1.0), 2.6)
        face = np.float32(middle) + (soft - np.float32(q50)) * np.float32(gain)
        if local:
            reach = 0.07 * max(context.face_heights)
            face += np.float32(local) * (soft - blur(soft, reach)) * context.face
        out = mix(out, face, context.skin)
        hair = place(context, "hair")
        strands = out[::2, ::2][hair[::2, ::2] > 0.5]
        if strands.size > 50:
            # Fair hair stays darker than the face beside it, white hair lighter: it needs a shape of its own.
            apart = float(np.median(strands)) - middle
            out = out - hair * np.float32(
                (0.24 + apart) * min(max((0.16 - apart) / 0.10, 0.0), 1.0) if apart > -0.24 else 0.0
            )
    return np.asarray(np.clip(out, 0, 1), np.float32)


def without_islands(alpha: F32, keep: F32, least: float) -> F32:
    """A stencil (h, w) 0..1 without pieces and holes of fewer pixels than `least`, but where `keep` is over 0.2."""
    inside = (alpha > 0.5).astype(np.uint8)
    flip = np.zeros(alpha.shape, np.uint8)
    held = keep > 0.2
    for mask in (inside, 1 - inside):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < least
        small[np.unique(labels[held])] = False
        small[0] = False
        if count > 1 and small.any():
            flip |= small[labels].astype(np.uint8)
    if not flip.any():
        return alpha
    near = cv2.dilate(flip, np.ones((5, 5), np.uint8))
    back = cv2.dilate(flip & inside, np.ones((5, 5), np.uint8)).astype(np.bool_)
    return np.asarray(np.where(near > 0, np.where(back, np.float32(0), np.float32(1)), alpha), np.float32)


def stencil(
    canvas: Canvas,
    inks: Inks,
    levels: Sequence[float],
    where: str = "people",
    softness: float = 2.2,
    local: float = 0.6,
    grain: float = 0.0,
    share: float = 1.0,
    source: str | None = None,
) -> F32:
    """Cut stencils of so many inks, dark to light (isophotes, cf. Gooch, Reinhard & Gooch 2004).

    Args:
        canvas: what is printed on.
        inks: one more than levels, dark to light.
        levels: tones 0..1 where one ink ends and the next begins.
        where: a part, see `place`.
        softness: of outlines, pixels of a 1024 px picture.
        local: how much the shape of a face is brought out.
        grain: of a lithographer's crayon where inks meet, in tones; 0 = cut.
        share: of ink.
        source: whose tones are spread, "people" or "scene"; by default that of `where`.
    """
    context = canvas.context
    spread = source or ("scene" if where == "scene" else "people")
    field = tone(context, softness, local, spread)
    keep = context.detail
    if grain:
        rough = noise(context.shape, 1.7 * context.unit, context.seed + 41, 1)
        field = field + rough * (np.float32(grain) * (1 - np.float32(0.85) * keep))
    steep = slope(field)
    if grain:
        steep = np.maximum(steep, np.float32(0.5 * grain))
    least = _ISLAND * field.size
    out = np.broadcast_to(colour(inks[0]), canvas.picture.shape)
    for level, ink in zip(levels, inks[1:], strict=True):
        alpha = iso(field, level, steep)
        if not grain:
            alpha = without_islands(alpha, keep, least)
        out = mix(out, colour(ink), alpha[..., None])
    return mix(canvas.picture, out, place(context, where) * np.float32(share))


def duotone(canvas: Canvas, inks: Inks, where: str = "people", share: float = 1.0) -> F32:
    """Lightness as a ramp over inks, dark to light."""
    context = canvas.context
    ramp = np.stack([colour(ink) for ink in inks])
    codes = np.linspace(0, len(inks) - 1, 256)
    table = np.stack([np.interp(codes, np.arange(len(inks)), ramp[:, i]) for i in range(3)], 1).astype(np.float32)
    grey: U8 = np.asarray(np.clip(cv2.cvtColor(canvas.picture, cv2.COLOR_RGB2GRAY), 0, 1) * 255, np.uint8)
    return mix(canvas.picture, table[grey], place(context, where) * np.float32(share))


def coverage(light: Array, low: float, high: float) -> F32:
    """Share of paper (h, w) that ink covers: 1 under `low`, 0 over `high`."""
    return np.asarray(np.clip((np.float32(high) - light) * np.float32(1 / (high - low)), 0, 1), np.float32)


METHODS: Final[dict[str, Method]] = {
    "stencil": stencil,
    "duotone": duotone,
}
