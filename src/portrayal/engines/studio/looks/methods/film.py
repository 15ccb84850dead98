"""Light-sensitive layers: grading, black and white, grain, halation, leaks of light, vignettes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas
from portrayal.engines.studio.looks.methods.stage import away, focus, head, luma, people, ramp, screen, standing
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, step
from portrayal.imaging import F32, F64
from portrayal.parallel import bands

_TABLE: Final = 4096


def grade(
    canvas: Canvas,
    exposure: float = 0.0,
    contrast: float = 0.0,
    pivot: float = 0.45,
    fade: float = 0.0,
    ceiling: float = 1.0,
    saturation: float = 1.0,
    warmth: float = 0.0,
    tint: float = 0.0,
    shadows: str = "808080",
    lights: str = "808080",
    split: float = 0.0,
    skin: float = 0.6,
    where: str = "all",
) -> F32:
    """A colourist's first pass: tone curve, white balance, saturation, split toning (shadows and lights get a colour
    each, after Reinhard et al. 2001 in spirit: a mood is a shift of few moments).

    Args:
        canvas: the picture.
        exposure: stops, on codes.
        contrast: -1..2, slope at `pivot` less 1; toe and shoulder stay soft.
        pivot: code that contrast keeps.
        fade: 0..0.4, how far black is lifted.
        ceiling: where white ends up.
        saturation: 0 = grey.
        warmth, tint: -1..1, blue to amber, green to magenta.
        shadows, lights: RRGGBB around 808080.
        split: how much of them.
        skin: share of the change in colour that skin takes on; its tone follows everything.
        where: all, people, scene.
    """
    picture = canvas.picture
    tone = fade + _curve(exposure, contrast, pivot) * (ceiling - fade)
    gains = np.array([1 + 0.16 * warmth + 0.08 * tint, 1 - 0.08 * tint, 1 - 0.20 * warmth + 0.08 * tint])
    tables = np.clip(tone[:, None] * (gains / (gains @ [0.30, 0.59, 0.11])), 0, 1).astype(np.float32)
    toning = np.stack([colour(shadows), colour(lights)]) - np.float32(0.5)
    toning *= np.float32(split)
    kept = (1 - np.float32(skin)) * canvas.context.skin if skin < 1 else None
    out = np.empty_like(picture)

    def rows(first: int, last: int) -> None:
        part = None if kept is None else kept[first:last]
        out[first:last] = _graded(picture[first:last], tables, saturation, toning, part)

    bands(rows, len(picture))
    if where != "all":
        mask = people(canvas.context)
        out = mix(picture, out, mask if where == "people" else 1 - mask)
    return np.asarray(out, np.float32)


def _graded(picture: F32, tables: F32, saturation: float, toning: F32, kept: F32 | None) -> F32:
    """Some rows (n, w, 3) through curves (codes, 3), saturation and the colours of shadows and lights (2, 3); where
    `kept` (n, w) is 1 a pixel keeps its own colour under the new tone."""
    index = np.clip(picture * np.float32(_TABLE - 1) + np.float32(0.5), 0, _TABLE - 1).astype(np.int16)
    out = np.dstack([tables[:, k][index[..., k]] for k in range(3)])
    light = luma(out)
    if saturation != 1:
        out = light[..., None] + (out - light[..., None]) * np.float32(saturation)
    if toning.any():
        dark, bright = (1 - light) ** 2, light * light
        for k in range(3):
            out[..., k] += toning[0, k] * dark + toning[1, k] * bright
    out = np.clip(out, 0, 1)
    if kept is not None:
        tone = luma(out)[..., None]
        own = picture * (tone / np.maximum(luma(picture), 0.02)[..., None])
        if saturation < 1:
            own = tone + (own - tone) * np.float32(0.45 + 0.55 * saturation)
        out = mix(out, np.clip(own, 0, 1), kept)
    return np.asarray(out, np.float32)


def _curve(exposure: float, contrast: float, pivot: float) -> F64:
    """New codes of the codes 0..1 in `_TABLE` steps: a logistic curve through 0, pivot and 1, or a flatter line."""
    tone = np.clip(np.linspace(0, 1, _TABLE) * 2 ** (exposure / 2.2), 0, 1.2)
    if contrast > 0:
        k = 8 * (1 + contrast) * pivot * (1 - pivot)
        low, high, middle = (1 / (1 + np.exp(-k * (v - pivot))) for v in (0.0, 1.0, pivot))
        s = 1 / (1 + np.exp(-k * (tone - pivot)))
        below = pivot * (s - low) / (middle - low)
        above = pivot + (1 - pivot) * (s - middle) / (high - middle)
        tone = np.where(tone < pivot, below, above)
    elif contrast < 0:
        tone = pivot + (tone - pivot) * (1 + contrast)
    return np.asarray(np.clip(tone, 0, 1))


def monochrome(
    canvas: Canvas,
    mixer: Sequence[float] = (0.34, 0.52, 0.14),
    tones: Sequence[str] = ("000000", "ffffff"),
    contrast: float = 0.0,
    clarity: float = 0.0,
    levels: Sequence[float] = (0.01, 0.99),
    amount: float = 1.0,
) -> F32:
    """Black and white through a filter, then toned.

    Args:
        canvas: the picture.
        mixer: what red, green and blue add to the grey; red lightens skin, blue darkens it.
        tones: RRGGBB of black to white.
        contrast: 0..3, of an S curve.
        clarity: local contrast, an unsharp mask as wide as a face's features.
        levels: quantiles of the picture that become black and white.
        amount: 1 = no colour is left.
    """
    context, unit = canvas.context, canvas.context.unit
    grey = np.asarray(cv2.transform(canvas.picture, np.array([mixer], np.float32)), np.float32)
    low, high = np.quantile(grey[::4, ::4], levels)
    grey = np.clip((grey - np.float32(low)) * np.float32(1 / max(high - low, 0.2)), 0, 1)
    # A face that is burnt out or sinks into black is held where its features can be told.
    if context.faces:
        inside = grey[context.face > 0.6]
        own = float(np.median(inside)) if inside.size else 0.5
        near = blur(np.clip(context.face * np.float32(1.2), 0, 1), 0.10 * focus(context).tall)
        grey += np.float32(min(max(own, 0.34), 0.55) - own) * near
    if clarity:
        grey = np.clip(grey + np.float32(clarity) * (grey - blur(grey, 22 * unit)), 0, 1)
    if contrast:
        k = np.float32(2.5 * contrast)
        middle = np.float32(np.tanh(k / 2))
        hard = np.float32(0.5) + np.tanh((grey - np.float32(0.5)) * k) / (2 * middle)
        # Half of that on faces: what is burnt white there is lost to whoever looks for the person.
        grey = mix(hard, grey, np.float32(0.5) * blur(context.face, 0.05 * focus(context).tall))
    return mix(canvas.picture, ramp(grey.astype(np.float32), tones), amount)


def grain(canvas: Canvas, amount: float = 0.05, size: float = 1.0, colours: float = 0.0) -> F32:
    """Film grain: strongest in the middle tones, finer on eyes and mouth (statistics after Newson et al. 2017).

    Args:
        canvas: the picture.
        amount: deviation in codes.
        size: of a grain, pixels of a 1024 px picture.
        colours: share that differs between the three layers.
    """
    context, picture = canvas.context, canvas.picture
    light = luma(picture)
    strength = np.float32(amount) * (np.float32(0.45) + np.float32(2.2) * light * (1 - light))
    strength *= 1 - np.float32(0.45) * context.detail
    random = np.random.default_rng([context.seed, 71])
    sigma = float(np.hypot(size * context.unit, 0.35))

    def layer() -> F32:
        rough = cv2.GaussianBlur(random.standard_normal(context.shape, np.float32), (0, 0), sigma)
        return np.asarray(rough * np.float32(np.sqrt(4 * np.pi) * sigma), np.float32)

    out = picture + (layer() * strength * np.float32(1 - 0.5 * colours))[..., None]
    if colours:
        strength *= np.float32(colours)
        for k in (0, 2):
            out[..., k] += layer() * strength
    return np.asarray(np.clip(out, 0, 1), np.float32)


def bloom(
    canvas: Canvas,
    threshold: float = 0.7,
    size: float = 18.0,
    amount: float = 0.6,
    tint: str = "ffffff",
    soft: float = 0.0,
) -> F32:
    """Light that spreads in film or glass: halation with a red tint, a mist filter with `soft`.

    Args:
        canvas: the picture.
        threshold: code from which light spreads.
        size: how far, pixels of a 1024 px picture.
        amount: of the spread light.
        tint: RRGGBB of it.
        soft: share of a blurred copy that is screened over everything (Orton's effect).
    """
    context, picture = canvas.context, canvas.picture
    calm = 1 - np.float32(0.55) * context.detail
    light = np.clip(picture - np.float32(threshold), 0, 1) * np.float32(1 / (1.001 - threshold))
    spread = np.float32(0.6) * blur(light, size * context.unit) + np.float32(0.4) * blur(light, 3 * size * context.unit)
    out = screen(picture, spread * colour(tint) * (np.float32(amount) * calm)[..., None])
    if soft:
        veil = blur(out, 14 * context.unit)
        out = mix(out, screen(out * np.float32(0.82), veil * veil * np.float32(0.6)), np.float32(soft) * calm)
    return np.asarray(out, np.float32)


def vignette(
    canvas: Canvas,
    amount: float = 0.4,
    tone: str = "000000",
    start: float = 0.45,
    end: float = 1.15,
    wander: float = 0.0,
) -> F32:
    """The rim of the picture turns to a tone.

    Args:
        canvas: the picture.
        amount: how much at the corners.
        tone: RRGGBB.
        start, end: where it begins and is complete; 1 = middle of a side, 1.41 = corner.
        wander: 0..1, how far its middle moves towards the faces.
    """
    context = canvas.context
    h, w = context.shape
    at, (x, y) = focus(context), grid(context.shape)
    cx, cy = w / 2 + wander * (at.x - w / 2), h / 2 + wander * (at.y - h / 2)
    far = np.hypot((x - np.float32(cx)) / np.float32(w / 2), (y - np.float32(cy)) / np.float32(h / 2))
    share = np.float32(amount) * step(start, end, far.astype(np.float32))
    share *= 1 - np.maximum(np.float32(0.8) * context.face, np.float32(0.3) * people(context))
    return mix(canvas.picture, colour(tone), share[..., None])


def leaks(
    canvas: Canvas, colours: Sequence[str] = ("ff5a1e", "ffb347"), amount: float = 0.8, reach: float = 0.30
) -> F32:
    """Light that got into the camera: warm flames from an edge or two, away from the faces.

    Args:
        canvas: the picture.
        colours: RRGGBB, from the far end to the brightest core.
        amount: of light.
        reach: how far from the edge, share of a side.
    """
    context = canvas.context
    h, w = context.shape
    random = np.random.default_rng([context.seed, 72])
    x, y = grid(context.shape)
    first = 0 if focus(context).x > w / 2 else 1
    light = np.zeros(context.shape, np.float32)
    for side, strength in ((first, 1.0), (1 - first, 0.45), (2, 0.55)):
        far = (x / w, (w - x) / w, y / h)[side]
        along = (y / h if side < 2 else x / w) - np.float32(random.uniform(0.15, 0.85))
        flame = np.float32(reach * strength) * np.exp(-(along**2) * np.float32(random.uniform(4, 9)))
        flame = flame * (1 + np.float32(0.25) * noise((h, w), 260 * context.unit, int(random.integers(1 << 30)), 1))
        np.maximum(light, np.exp(-far / np.maximum(flame, 0.01)) * np.float32(strength), out=light)
    light *= 1 - np.float32(0.8) * head(context)
    return screen(canvas.picture, ramp(light, ("000000", *colours), None) * np.float32(amount))


def mottle(
    canvas: Canvas, amount: float = 0.06, size: float = 180.0, tones: Sequence[str] = ("6a3fa0", "3f9a6a")
) -> F32:
    """Old emulsion: wide stains between two colours, less on faces.

    Args:
        canvas: the picture.
        amount: 0..1.
        size: of a stain, pixels of a 1024 px picture.
        tones: RRGGBB of the two.
    """
    context = canvas.context
    stain = noise(context.shape, size * context.unit, context.seed * 7 + 73, 3)
    share = np.float32(amount) * (1 - np.float32(0.7) * context.face)
    tinted = ramp(np.clip(stain * np.float32(0.5) + np.float32(0.5), 0, 1), tones) - np.float32(0.45)
    return np.asarray(np.clip(canvas.picture + tinted * share[..., None], 0, 1), np.float32)


def flash(canvas: Canvas, amount: float = 0.6, falloff: float = 0.55, shadow: float = 0.35) -> F32:
    """A small flash on the camera: people bright and flat, the scene falls off into the dark, a hard edge of shadow.

    Args:
        canvas: the picture.
        amount: of light on the people.
        falloff: 0..1, how much darker the scene gets.
        shadow: 0..1, of the people on what is close behind them.
    """
    context, picture = canvas.context, canvas.picture
    mask = people(context)
    shift = 13 * context.unit
    shadow = 0.0 if standing(context) else shadow
    move = np.array([[1, 0, shift], [0, 1, 0.5 * shift]], np.float32)
    h, w = context.shape
    cast = blur(cv2.warpAffine(mask, move, (w, h), borderMode=cv2.BORDER_REPLICATE), 2.2 * context.unit)
    near = 1 - step(1.0, 4.5, away(context, 1.2, 0.6))
    behind = 1 - np.float32(falloff) * (1 - np.float32(0.55) * near) - np.float32(shadow) * cast * (1 - mask)
    lit = 1 - (1 - picture) ** np.float32(1 + amount * 0.8)
    lit = mix(picture, lit, np.float32(0.55) + np.float32(0.45) * near)
    dark = picture * np.clip(behind, 0.05, 1)[..., None]
    return mix(np.asarray(dark, np.float32), np.asarray(lit, np.float32), mask)
