"""Printing inks: a picture's tones as stencils, its colours as flat shades, lines of the key block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_lab, to_rgb
from portrayal.engines.studio.looks.texture import blur, colour, mix, noise, step
from portrayal.imaging import F32, U8, Array
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING, HAIR

Inks: TypeAlias = Sequence[str]
"""RRGGBB of each ink."""
# Chroma counts more than lightness when the nearest ink is looked for.
_CHROMA: Final = np.array([1.0, 1.7, 1.7], np.float32)
# Share of the picture under which a piece of a stencil is not cut out.
_ISLAND: Final = 0.00022
# Hue of skin in white light, degrees in Oklab.
_SKIN_HUE: Final = 55.0
# Height in pixels that a face is enlarged to for its features.
_FEATURE_FACE: Final = 420.0


def ink_lab(inks: Inks) -> F32:
    """Inks (n, 3) in Oklab."""
    codes = np.stack([np.round(colour(ink) * 255) for ink in inks]).astype(np.uint8)
    return np.asarray(to_lab(codes[None])[0], np.float32)


def cut(context: Context) -> F32:
    """(h, w) 0..1, the people as cut out with scissors; 1 everywhere when their matte is not known."""
    if not context.cut:
        return context.subject
    soft = blur(context.subject, max(0.8, 1.6 * context.unit))
    return iso(soft, 0.5, slope(soft))


def place(context: Context, where: str) -> F32:
    """(h, w) 0..1 of a part: "people", "scene", "all", "clothing", "hair", "skin", "bare" (people but skin)."""
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
    light = context.lifted(context.fine[..., 0])
    wide = blur(median(light, 4.2 * softness * unit), 0.8 * softness * unit)
    fine = blur(light, 0.7 * unit)
    soft = mix(wide, fine, context.detail)
    part = context.subject if where == "people" else 1 - context.subject
    chosen = wide[::4, ::4][part[::4, ::4] > 0.5]
    low, high = np.quantile(chosen if chosen.size > 50 else wide[::4, ::4], [0.03, 0.97]).tolist()
    out = (soft - np.float32(low)) * np.float32(1 / max(high - low, 0.3))
    if where != "people":
        return np.asarray(np.clip(out, 0, 1), np.float32)
    # Strong colours print dark, as on old plates: an orange coat is no white one.
    chroma = np.hypot(context.lab[..., 1], context.lab[..., 2])
    out = out - np.float32(1.6) * blur(np.maximum(chroma - np.float32(0.04), 0), 3 * unit) * (1 - context.skin)
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


def centres_of(samples: F32, count: int) -> F32:
    """Palette (count, 3) of colours (n, 3) by k-means that starts far apart; always the same."""
    centres = samples[:1]
    away = np.full(len(samples), np.inf, np.float32)
    for _ in range(count - 1):
        away = np.minimum(away, ((samples - centres[-1]) ** 2).sum(1))
        centres = np.vstack([centres, samples[np.argsort(away, kind="stable")[int(0.985 * len(samples))]]])
    for _ in range(10):
        nearest = ((samples[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        for k in range(count):
            if (nearest == k).any():
                centres[k] = samples[nearest == k].mean(0)
    return np.asarray(centres, np.float32)


def patches(lab: F32, part: F32, count: int, smooth: float, palette: F32 | None = None, pull: float = 0.0) -> F32:
    """Flat patches with smooth outlines (h, w, 3) in Oklab, whose colours are those of a part of the picture.

    Each pixel takes the colour that most of its neighbourhood has: outlines shrink to curves as by a mode filter.

    Args:
        lab: (h, w, 3) Oklab.
        part: (h, w) 0..1, whose colours count.
        count: of colours.
        smooth: radius of the smallest patch, pixels.
        palette: (n, 3) Oklab, inks that patches are drawn to.
        pull: how far, 0..1.
    """
    h, w = lab.shape[:2]
    small = cv2.resize(lab, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    flat = small.reshape(-1, 3) * _CHROMA
    chosen = np.flatnonzero(cv2.resize(part, (w // 2, h // 2), interpolation=cv2.INTER_AREA).ravel() > 0.5)
    if len(chosen) < 4 * count:
        chosen = np.arange(len(flat))
    random = np.random.default_rng(11)
    centres = centres_of(np.ascontiguousarray(flat[random.choice(chosen, 3000)]), count)
    # The nearest centre is the one with the largest x.c - c.c/2.
    scores = flat @ centres.T - np.float32(0.5) * (centres * centres).sum(1)
    nearest = scores.argmax(1).reshape(h // 2, w // 2)
    best = np.full((h, w), -1, np.float32)
    own = np.zeros((h, w), np.uint8)
    for k in range(count):
        vote = cv2.resize(blur((nearest == k).astype(np.float32), 0.5 * smooth), (w, h), interpolation=cv2.INTER_LINEAR)
        own[vote > best] = k
        best = np.maximum(best, vote)
    colours = centres / _CHROMA
    if palette is not None:
        away = (((colours[:, None] - palette) * _CHROMA) ** 2).sum(2)
        colours = mix(colours, palette[away.argmin(1)], pull)
    return np.asarray(cv2.GaussianBlur(np.asarray(colours, np.float32)[own], (0, 0), 0.55), np.float32)


def _skin_hue(base: F32, pull: float = 0.6) -> F32:
    """A complexion (3,) Oklab whose hue goes some way to that of skin in white light."""
    chroma = float(np.hypot(base[1], base[2]))
    hue = math.atan2(float(base[2]), float(base[1]))
    turn = (math.radians(_SKIN_HUE) - hue + math.pi) % (2 * math.pi) - math.pi
    hue += pull * float(np.clip(turn, -1.0, 1.0))
    chroma = max(chroma, 0.045)
    return np.array([base[0], chroma * math.cos(hue), chroma * math.sin(hue)], np.float32)


def _modelled(
    soft: F32,
    base: F32,
    inside: Array,
    marks: tuple[float, float, float],
    shades: tuple[float, float, float],
    tint: tuple[float, float] = (0.6, 0.6),
) -> F32:
    """A colour (3,) in four flat tones (h, w, 3), parted at quantiles of the lightness `soft` inside a mask.

    marks: quantiles where deep meets dark, dark meets the colour and the colour meets the highlight;
    shades: what is added to the lightness of the three others; tint: how far the colour axes follow it.
    """
    deep, dark, bright = np.quantile(soft[inside], marks).tolist()
    deep = min(deep, dark - 0.05)
    steep = slope(soft, 0.003)
    tones = [
        base * (1 + np.array([1.0, *tint], np.float32) * np.float32(d / max(float(base[0]), 0.15))) for d in shades
    ]
    out = mix(np.broadcast_to(tones[0], (*soft.shape, 3)), tones[1], iso(soft, deep, steep)[..., None])
    out = mix(out, base, iso(soft, dark, steep)[..., None])
    return mix(out, tones[2], iso(soft, bright, steep)[..., None])


def _complexion(context: Context, light: F32, shade: float, glow: float) -> tuple[F32, F32]:
    """Skin (h, w, 3) in flat tones of the person's own complexion, and that colour (3,)."""
    unit = context.unit
    soft = blur(median(light, 10 * unit), 2.6 * unit)
    inside = (context.face > 0.6) & (context.features < 0.3)
    if not inside.any():
        inside = context.face > 0.5
    lab = context.lab[inside]
    base = np.median(lab, 0).astype(np.float32)
    base[0] = np.float32(np.quantile(light[inside], 0.56))
    base = _skin_hue(base)
    base[0] = min(np.float32(1.065) * base[0], np.float32(0.90))
    depth = 0.5 + 0.65 * float(base[0])
    shades = (-1.6 * shade * depth, -shade * depth, glow * depth)
    return _modelled(soft, base, inside, (0.06, 0.26, 0.86), shades, (-1.1, 0.35)), base


def _features(context: Context, lab: F32, out: F32, base: F32, count: int = 10) -> None:
    """Eyes, brows, lips and nostrils as flat shapes with smooth outlines, drawn over `out`; skin between them is left.

    Each face is enlarged for it, so that small ones are drawn as cleanly as large ones.
    """
    for points, height in zip(context.faces, context.face_heights, strict=True):
        top, bottom, left, right = context.box(points, 0.06)
        if min(bottom - top, right - left) < 12:
            continue
        scale = float(np.clip(_FEATURE_FACE / height, 1.0, 6.0))
        size = (round((right - left) * scale), round((bottom - top) * scale))
        zone = np.s_[top:bottom, left:right]
        near = cv2.resize(np.ascontiguousarray(lab[zone]), size, interpolation=cv2.INTER_CUBIC)
        near = np.asarray(blur(near, 0.5 + 0.35 * scale), np.float32)
        mask = cv2.resize(np.ascontiguousarray(context.features[zone]), size, interpolation=cv2.INTER_LINEAR)
        flat = near.reshape(-1, 3) * _CHROMA
        chosen = np.flatnonzero(mask.ravel() > 0.35)
        if len(chosen) < 60:
            continue
        centres = centres_of(np.ascontiguousarray(flat[np.random.default_rng(12).choice(chosen, 2500)]), count)
        nearest = (flat @ centres.T - np.float32(0.5) * (centres * centres).sum(1)).argmax(1).reshape(mask.shape)
        best, own = np.full(mask.shape, -1, np.float32), np.zeros(mask.shape, np.uint8)
        for k in range(count):
            vote = blur((nearest == k).astype(np.float32), 1.3 + 0.25 * scale)
            own[vote > best] = k
            best = np.maximum(best, vote)
        colours = np.asarray(centres / _CHROMA, np.float32)
        # Skin between the features belongs to the tones under them, but teeth and eyes may be as light.
        away = (colours - base) * np.array([1.0, 2.2, 2.2], np.float32)
        skin = (away[:, 0] > -0.17) & (away[:, 0] < 0.12) & (np.hypot(away[:, 1], away[:, 2]) < 0.095)
        shown = (~skin)[own].astype(np.float32) * step(0.10, 0.30, mask)
        lips = np.asarray(
            context.polygon(points[list(mesh.LIPS), :2]) * (1 - context.polygon(points[list(mesh.MOUTH), :2]))
        )
        ink = np.median(lab[lips > 0.5], 0) if (lips > 0.5).any() else base
        ink = np.array([min(ink[0], base[0] - 0.05), max(ink[1], base[1] + 0.035), ink[2]], np.float32)
        out[zone] = mix(out[zone], ink, np.float32(0.9) * lips[zone][..., None])
        small = (right - left, bottom - top)
        painted = cv2.resize(colours[own], small, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(shown, small, interpolation=cv2.INTER_AREA)
        out[zone] = mix(out[zone], painted, alpha)


def flat(
    canvas: Canvas,
    count: int = 9,
    scene: int = 8,
    smooth: float = 5.0,
    scene_smooth: float = 9.0,
    inks: Inks = (),
    pull: float = 0.0,
    scene_pull: float | None = None,
    shade: float = 0.10,
    glow: float = 0.055,
    vivid: float = 1.15,
    light: float = 0.03,
    blush: float = 0.0,
    grain: float = 0.0,
    hair_inks: Inks = (),
    pale: float = 0.0,
) -> F32:
    """Clean flat shades as of an illustrator: skin in three tones, clothes and hair in few colours, the scene in few.

    Args:
        canvas: what is drawn.
        count, scene: colours of the people and of the scene.
        smooth, scene_smooth: radius of the smallest patch, pixels of a 1024 px picture.
        inks: palette that colours are drawn to.
        pull, scene_pull: how far, 0..1, in people (not their skin) and scene.
        shade, glow: how much darker and lighter than the complexion its shades are, Oklab lightness.
        vivid: factor of chroma.
        light: added lightness, of the darkest.
        blush: of the cheeks, Oklab a.
        grain: stipple where shades meet, Oklab lightness.
        hair_inks: hair takes the nearest of these.
        pale: how far skin goes to white, for dots that carry its tone.
    """
    context, unit = canvas.context, canvas.context.unit
    lab = context.fine.copy()
    lab[..., 0] = context.lifted(lab[..., 0])
    if grain:
        rough = noise(context.shape, 1.6 * unit, context.seed + 43, 1)
    palette = ink_lab(inks) if inks else None
    smoothed = np.stack(
        [median(lab[..., 0], 7 * unit), *(median(lab[..., i] + 0.5, 7 * unit) - 0.5 for i in (1, 2))], 2
    )
    smoothed = np.asarray(smoothed, np.float32)
    people = cut(context)
    own = patches(smoothed, np.asarray(people * (1 - context.skin), np.float32), count, smooth * unit, palette, pull)
    if context.cut:
        far = scene_pull if scene_pull is not None else pull
        behind = patches(smoothed, np.asarray(1 - people, np.float32), scene, scene_smooth * unit, palette, far)
    else:
        behind = own
    light_now = lab[..., 0]
    hair = place(context, "hair")
    if (hair > 0.5).sum() > 200:
        strands = blur(median(light_now, 7 * unit), 2.0 * unit)
        inside = hair > 0.5
        tint = np.median(lab[inside], 0).astype(np.float32)
        if hair_inks:
            choices = ink_lab(hair_inks)
            near = choices - tint - np.array([0.10, 0.0, 0.0], np.float32)
            tint = choices[(near * near).sum(1).argmin()]
        spread = float(np.clip(np.ptp(np.quantile(strands[inside], [0.1, 0.9])), 0.08, 0.30))
        tones = _modelled(strands, tint, inside, (0.12, 0.38, 0.85), (-0.75 * spread, -0.38 * spread, 0.28 * spread))
        own = mix(own, tones, hair)
    if context.faces:
        tones, base = _complexion(context, light_now, shade, glow)
        tones = mix(tones, np.array([0.97, 0.0, 0.01], np.float32), pale)
        own = mix(own, tones, iso(blur(context.skin, unit), 0.5, slope(context.skin)))
        _features(context, lab, own, base)
    if blush:
        own = own + context.cheeks()[..., None] * np.array([-0.1 * blush, blush, 0.25 * blush], np.float32)
    out = mix(behind, own, people)
    if grain:
        # Stipple: the soft shade under the flat one, as grains that are there or not.
        soft = blur(smoothed[..., 0], 9 * unit) - out[..., 0]
        strength = np.clip(soft * 6, -1, 1) * (1 - context.detail)
        out[..., 0] += (
            np.float32(grain) * strength * step(0.2, 0.6, np.abs(rough) * 1.1 * np.abs(strength) + 0.2 * rough)
        )
    out[..., 0] = np.clip(np.float32(light) + np.float32(0.985 - light) * out[..., 0], 0, 0.985)
    own_tint = np.float32(0.8) * context.skin * people
    if hair_inks:
        own_tint = np.maximum(own_tint, hair)
    out[..., 1:] *= (1 + np.float32(vivid - 1) * (1 - own_tint))[..., None]
    return to_rgb(out)


def line(
    canvas: Canvas,
    ink: str = "14131c",
    width: float = 1.5,
    gain: float = 28.0,
    length: float = 7.0,
    outline: float = 3.2,
    scene: float = 0.3,
    share: float = 0.95,
    shift: Sequence[float] = (0.0, 0.0),
    crisp: float = 0.6,
) -> F32:
    """The key block: contours and the outline of the people (Winnemoeller, Kyprianidis & Olsen 2012).

    Args:
        canvas: what is printed on.
        ink: of the line.
        width: of lines, pixels of a 1024 px picture.
        gain: how much contrast is a line.
        length: how far a line goes on through gaps.
        outline: width of the line around the people.
        scene: share of the lines behind the people.
        share: of ink.
        shift: right and down, pixels of a 1024 px picture: blocks seldom fit.
        crisp: 0 = soft lines, 1 = a line is there or not.
    """
    context, unit = canvas.context, canvas.context.unit
    drawn = context.lines(width, gain, length)
    drawn = mix(drawn, step(0.30, 0.62, drawn), crisp * (1 - context.detail))
    drawn = drawn * (np.float32(scene) + np.float32(1 - scene) * cut(context))
    if outline:
        drawn = np.maximum(drawn, context.outline(outline))
    dx, dy = (float(v) * unit for v in shift)
    if dx or dy:
        h, w = context.shape
        move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        drawn = np.asarray(cv2.warpAffine(drawn, move, (w, h), flags=cv2.INTER_LINEAR), np.float32)
    return mix(canvas.picture, colour(ink), (drawn * np.float32(share))[..., None])


def scene_inks(
    canvas: Canvas, inks: Inks, smooth: float = 8.0, share: float = 1.0, count: int = 9, spread: float = 1.0
) -> F32:
    """The scene behind the people in a few given inks, each patch in the ink nearest to its own colour.

    Args:
        canvas: what is printed on.
        inks: any number.
        smooth: radius of the smallest patch, pixels of a 1024 px picture.
        share: of ink over what is there.
        count: of patches' colours before they are printed.
        spread: how far the scene's lightness is spread over that of the inks, 0..1.
    """
    context = canvas.context
    palette = ink_lab(inks)
    lab = context.fine.copy()
    lab[..., 0] = context.lifted(lab[..., 0])
    behind = np.asarray(1 - cut(context), np.float32)
    part = behind if context.cut else np.ones(context.shape, np.float32)
    chosen = lab[::4, ::4, 0][part[::4, ::4] > 0.5]
    if chosen.size > 50 and spread:
        low, high = np.quantile(chosen, [0.03, 0.97]).tolist()
        darkest, lightest = float(palette[:, 0].min()), float(palette[:, 0].max())
        wide = darkest + (lab[..., 0] - np.float32(low)) * np.float32((lightest - darkest) / max(high - low, 0.25))
        lab[..., 0] = mix(lab[..., 0], np.clip(wide, 0, 1), spread)
    printed = to_rgb(patches(lab, part, count, smooth * context.unit, palette, 1.0))
    return mix(canvas.picture, printed, part * np.float32(share))


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
    "flat": flat,
    "line": line,
    "scene_inks": scene_inks,
    "duotone": duotone,
}
