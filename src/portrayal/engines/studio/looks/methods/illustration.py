"""An illustrator's flat shades: few colours with smooth outlines, skin in its own tones, features as clean shapes."""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.inks import (
    Inks,
    cut,
    enlarged,
    half,
    ink_lab,
    iso,
    lightness,
    median,
    place,
    slope,
    smoothed,
)
from portrayal.engines.studio.looks.texture import blur, mix, step
from portrayal.imaging import F32, Array
from portrayal.parallel import together
from portrayal.perception import mesh

Zone: TypeAlias = tuple[slice, slice]
# Chroma counts more than lightness when the nearest ink is looked for.
_CHROMA: Final = np.array([1.0, 1.7, 1.7], np.float32)
# Hue of skin in white light, degrees in Oklab.
_SKIN_HUE: Final = 55.0
# Height in pixels that a face is enlarged to for its features.
_FEATURE_FACE: Final = 420.0


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


def patches(
    lab: F32,
    part: F32,
    count: int,
    smooth: float,
    palette: F32 | None = None,
    pull: float = 0.0,
    spare: F32 | None = None,
    ranked: bool = False,
) -> F32:
    """Flat patches with smooth outlines (2h, 2w, 3) in Oklab, whose colours are those of a part of the picture.

    Each pixel takes the colour that most of its neighbourhood has: outlines shrink to curves as by a mode filter.

    Args:
        lab: (h, w, 3) Oklab, the picture at half its size.
        part: (2h, 2w) 0..1, whose colours count.
        count: of colours.
        smooth: radius of the smallest patch, pixels of the whole picture.
        palette: (n, 3) Oklab, inks that patches are drawn to.
        pull: how far, 0..1.
        spare: (3,) Oklab, colours near this one keep theirs: a neck that nobody has labelled is no cloth.
        ranked: whether inks go to colours by the order of lightness, an equal share to each: for inks of one hue.
    """
    h, w = part.shape
    flat = lab.reshape(-1, 3) * _CHROMA
    chosen = np.flatnonzero(half(part).ravel() > 0.5)
    if len(chosen) < 4 * count:
        chosen = np.arange(len(flat))
    random = np.random.default_rng(11)
    centres = centres_of(np.ascontiguousarray(flat[random.choice(chosen, 2500)]), count)
    # The nearest centre is the one with the largest x.c - c.c/2.
    scores = flat @ centres.T - np.float32(0.5) * (centres * centres).sum(1)
    nearest = scores.argmax(1).reshape(lab.shape[:2]).astype(np.uint8)
    best = np.full((h, w), -1, np.float32)
    own = np.zeros((h, w), np.uint8)
    for k in range(count):
        vote = enlarged(blur((nearest == k).astype(np.float32), 0.5 * smooth), (h, w))
        np.copyto(own, np.uint8(k), where=vote > best)
        cv2.max(best, vote, dst=best)
    colours = centres / _CHROMA
    if palette is not None:
        nearest_ink = (((colours[:, None] - palette) * _CHROMA) ** 2).sum(2).argmin(1)
        if ranked:
            sizes = np.bincount(nearest.ravel()[chosen], minlength=count).astype(np.float64)
            order = np.argsort(colours[:, 0], kind="stable")
            middle = (np.cumsum(sizes[order]) - sizes[order] / 2) / max(float(sizes.sum()), 1.0)
            dark_first = np.argsort(palette[:, 0], kind="stable")
            nearest_ink[order] = dark_first[np.minimum((middle * len(palette)).astype(int), len(palette) - 1)]
        share = np.full(len(colours), pull, np.float32)
        if spare is not None:
            off = (colours - spare) * np.array([0.35, 1.0, 1.0], np.float32)
            share *= step(0.045, 0.075, np.sqrt((off * off).sum(1)))
        colours = mix(colours, palette[nearest_ink], share[:, None])
    painted = np.take(np.asarray(colours, np.float32), own, axis=0)
    return np.asarray(cv2.GaussianBlur(painted, (0, 0), 0.55), np.float32)


def _skin_hue(base: F32, pull: float = 0.8) -> F32:
    """A complexion (3,) Oklab whose hue goes some way to that of skin in white light."""
    chroma = float(np.hypot(base[1], base[2]))
    hue = math.atan2(float(base[2]), float(base[1]))
    turn = (math.radians(_SKIN_HUE) - hue + math.pi) % (2 * math.pi) - math.pi
    hue += pull * float(np.clip(turn, -1.0, 1.0))
    chroma = min(max(chroma, 0.045), 0.09)
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


def _complexion(context: Context, light: F32) -> tuple[F32, F32]:
    """The person's own complexion (3,) in Oklab as if in white light, and what the light has done to its hue (2,)."""
    inside = (context.face > 0.6) & (context.features < 0.3)
    if not inside.any():
        inside = context.face > 0.5
    seen = np.median(context.lab[inside], 0).astype(np.float32)
    seen[0] = np.float32(np.quantile(light[inside], 0.56))
    base = _skin_hue(seen)
    cast = seen[1:] - base[1:]
    base[0] = min(np.float32(1.09) * base[0], np.float32(0.90))
    return base, np.asarray(cast, np.float32)


def _nearest_hair(tint: F32, choices: F32) -> F32:
    """The ink of (n, 3) that prints a hair's colour (3,) best: a little lighter, of its hue, and grey only for grey."""
    lighter = choices[:, 0] - tint[0] - np.float32(0.07)
    chroma, own = np.hypot(choices[:, 1], choices[:, 2]), float(np.hypot(tint[1], tint[2]))
    vivid = chroma > 0.035
    turned = choices[:, 1:] / np.maximum(chroma, 1e-3)[:, None] - tint[1:] / max(own, 1e-3)
    hue = 0.8 * (turned * turned).sum(1) * (vivid & (own > 0.03))
    other = 0.06 * ((vivid != (own > 0.03)) & (choices[:, 0] > 0.4))  # black is neither
    return np.asarray(choices[(lighter * lighter + hue + other).argmin()], np.float32)


def _zone(context: Context, share: F32) -> Zone:
    """Where a share (h, w) is not 0, with a margin; at even places, as `half` needs."""
    margin = round(32 * context.unit)
    found: list[slice] = []
    for axis in (1, 0):
        on = np.flatnonzero(share.max(axis) > 0)
        first, last = (int(on[0]), int(on[-1]) + 1) if len(on) else (0, 2)
        found.append(slice(max(0, first - margin) // 2 * 2, last + margin))
    return found[0], found[1]


def _skin(context: Context, light: F32, at: Zone, base: F32, shade: float, glow: float) -> F32:
    """Skin in four flat tones of a complexion (3,), in a part of the picture."""
    unit = context.unit
    soft, face = smoothed(light[at], 10 * unit, 2.6 * unit), context.face[at]
    inside = (face > 0.6) & (context.features[at] < 0.3)
    depth = 0.5 + 0.65 * float(base[0])
    shades = (-1.6 * shade * depth, -shade * depth, glow * depth)
    return _modelled(soft, base, inside if inside.any() else face > 0.5, (0.06, 0.26, 0.86), shades, (-1.1, 0.35))


def _whites(context: Context, points: F32) -> F32:
    """(h, w) 0..1 where a face may be white: eyes and mouth."""
    rings = (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.MOUTH)
    found = [context.polygon(points[list(ring), :2], 1.1) for ring in rings]
    return np.asarray(np.maximum(np.maximum(found[0], found[1]), found[2]), np.float32)


def _inked(context: Context, points: F32) -> list[tuple[F32, tuple[float, float], float]]:
    """Brows and lips (h, w), by how much they are darker and redder than skin at least, and their share of ink: pale
    ones would be lost."""
    mouth = context.polygon(points[list(mesh.MOUTH), :2])
    lips = np.asarray(context.polygon(points[list(mesh.LIPS), :2]) * (1 - mouth), np.float32)
    brows = [context.polygon(_brow(points, list(ring)), 0.94) for ring in (mesh.BROW_LEFT, mesh.BROW_RIGHT)]
    return [(lips, (0.05, 0.035), 0.9), *((brow, (0.13, 0.004), 0.8) for brow in brows)]


def _brow(points: F32, ring: list[int]) -> F32:
    """A brow's outline (10, 2), thinner than the mesh has it."""
    both = points[ring, :2]
    upper, lower = both[:5], both[5:][::-1] if _same_way(both) else both[5:]
    middle = (upper + lower) * np.float32(0.5)
    thin = np.vstack([middle + (upper - middle) * 0.72, (middle + (lower - middle) * 0.72)[::-1]])
    return np.asarray(thin, np.float32)


def _same_way(both: F32) -> bool:
    """Whether the ring of a brow runs back along its lower edge."""
    return bool(np.hypot(*(both[4] - both[5])) < np.hypot(*(both[4] - both[9])))


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
        # As if in even white light: light and colour of the skin around them are taken out.
        around = (context.face * (1 - context.features))[zone]
        wide = 0.15 * height
        weight = np.maximum(blur(around, wide), np.float32(1e-3))[..., None]
        lit = blur(lab[zone] * around[..., None], wide) / weight
        ratio = lab[zone][..., :1] / np.maximum(lit[..., :1], np.float32(0.12))
        plain = np.concatenate([base[0] * ratio, lab[zone][..., 1:] + ratio * (base[1:] - lit[..., 1:])], 2)
        near = cv2.resize(np.asarray(plain, np.float32), size, interpolation=cv2.INTER_CUBIC)
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
        skin = (away[:, 0] > -0.15) & (away[:, 0] < 0.11) & (np.hypot(away[:, 1], away[:, 2]) < 0.095)
        # Haze and coloured light: dark features go half way to a deep tone of the skin, whites to white.
        deep = base[1:] * (np.float32(0.7) * colours[:, :1] / base[0])
        own_hue = np.where(
            away[:, :1] > 0.02, np.float32(0.35) * colours[:, 1:], np.float32(0.5) * (colours[:, 1:] + deep)
        )
        colours[:, 1:] = own_hue
        # What is lighter than skin is the white of an eye or teeth, nothing else.
        white = cv2.resize(np.ascontiguousarray(_whites(context, points)[zone]), size, interpolation=cv2.INTER_LINEAR)
        light = away[:, 0] > 0
        shown = (~skin)[own].astype(np.float32) * step(0.10, 0.30, mask) * np.where(light[own], white, np.float32(1))
        for polygon, least, share in _inked(context, points):
            inner = polygon[zone] > 0.5
            ink = np.median(plain[inner], 0) if inner.any() else base
            ink = np.array([min(ink[0], base[0] - least[0]), max(ink[1], base[1] + least[1]), ink[2]], np.float32)
            out[zone] = mix(out[zone], ink, np.float32(share) * polygon[zone][..., None])
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
        hair_inks: hair takes the nearest of these.
        pale: how far skin goes to white, for dots that carry its tone.
    """
    context, bright = canvas.context, lightness(canvas.context)
    lab = context.fine.copy()
    lab[..., 0] = bright
    seen = bool((context.face > 0.5).any())  # a face may lie beside the picture
    base, cast = _complexion(context, bright) if seen else (np.zeros(3, np.float32), np.zeros(2, np.float32))
    spare = base + np.array([0.0, *cast], np.float32) if seen else None
    far = pull if scene_pull is None else scene_pull
    own, behind = _patchwork(context, lab, (count, scene), (smooth, scene_smooth), inks, (pull, far), spare)
    hair = place(context, "hair")
    if (hair > 0.5).sum() > 200:
        at = _zone(context, hair)
        own[at] = mix(own[at], _hair(context, lab[at], hair[at], cast, hair_inks), hair[at])
    if seen:
        bare = blur(context.skin, context.unit) * (1 - hair * (1 - context.features))  # a fringe covers the forehead
        at = _zone(context, np.maximum(bare, context.face))
        tones = mix(_skin(context, bright, at, base, shade, glow), np.array([0.97, 0.0, 0.01], np.float32), pale)
        own[at] = mix(own[at], tones, iso(bare[at], 0.5, slope(bare[at])))
        _features(context, lab, own, base)
    if blush:
        own = own + context.cheeks()[..., None] * np.array([-0.1 * blush, blush, 0.25 * blush], np.float32)
    out = own if behind is None else mix(behind, own, cut(context))
    out[..., 0] = np.clip(np.float32(light) + np.float32(0.985 - light) * out[..., 0], 0, 0.985)
    keeps = np.float32(0.8) * place(context, "skin")
    if hair_inks:
        keeps = np.maximum(keeps, hair)
    out[..., 1:] *= (1 + np.float32(vivid - 1) * (1 - keeps))[..., None]
    return to_rgb(out)


def _patchwork(
    context: Context,
    lab: F32,
    counts: tuple[int, int],
    smooth: tuple[float, float],
    inks: Inks,
    pulls: tuple[float, float],
    spare: F32 | None,
) -> tuple[F32, F32 | None]:
    """Patches of the people and of the scene (None where nobody is cut out), both at the same time; pairs are of the
    people and of the scene."""
    palette = ink_lab(inks) if inks else None
    small = half(lab)
    for i, zero in enumerate((0.0, 0.5, 0.5)):
        small[..., i] = median(small[..., i] + np.float32(zero), 3.5 * context.unit) - np.float32(zero)
    near, far = place(context, "bare"), place(context, "scene")

    def behind() -> F32 | None:
        return patches(small, far, counts[1], smooth[1] * context.unit, palette, pulls[1]) if context.cut else None

    return together(lambda: patches(small, near, counts[0], smooth[0] * context.unit, palette, pulls[0], spare), behind)


def _hair(context: Context, lab: F32, hair: F32, cast: F32, inks: Inks) -> F32:
    """Hair (h, w, 3) in four tones of its own colour, without half of the light's, or of the nearest ink."""
    strands = smoothed(np.ascontiguousarray(lab[..., 0]), 7 * context.unit, 2.0 * context.unit)
    inside = hair > 0.5
    tint = np.median(lab[inside][::3], 0).astype(np.float32)
    tint[1:] -= np.float32(0.6) * cast
    if inks:
        tint = _nearest_hair(tint, ink_lab(inks))
    spread = float(np.clip(np.ptp(np.quantile(strands[inside], [0.1, 0.9])), 0.08, 0.30))
    return _modelled(strands, tint, inside, (0.12, 0.38, 0.85), (-0.75 * spread, -0.38 * spread, 0.28 * spread))


def scene_inks(
    canvas: Canvas,
    inks: Inks,
    smooth: float = 8.0,
    share: float = 1.0,
    count: int = 9,
    spread: float = 1.0,
    ranked: bool = False,
) -> F32:
    """The scene behind the people in a few given inks, each patch in the ink nearest to its own colour.

    Args:
        canvas: what is printed on.
        inks: any number.
        smooth: radius of the smallest patch, pixels of a 1024 px picture.
        share: of ink over what is there.
        count: of patches' colours before they are printed.
        spread: how far the scene's lightness is spread over that of the inks, 0..1.
        ranked: whether only the order of lightness counts, for inks of one hue.
    """
    context = canvas.context
    palette = ink_lab(inks)
    lab = half(context.fine)
    lab[..., 0] = half(lightness(context))
    part = place(context, "scene" if context.cut else "all")
    chosen = lab[::2, ::2, 0][half(part)[::2, ::2] > 0.5]
    if chosen.size > 50 and spread:
        low, high = np.quantile(chosen, [0.03, 0.97]).tolist()
        darkest, lightest = float(palette[:, 0].min()), float(palette[:, 0].max())
        wide = darkest + (lab[..., 0] - np.float32(low)) * np.float32((lightest - darkest) / max(high - low, 0.25))
        lab[..., 0] = mix(lab[..., 0], np.clip(wide, 0, 1), spread)
    printed = to_rgb(patches(lab, part, count, smooth * context.unit, palette, 1.0, ranked=ranked))
    return mix(canvas.picture, printed, part * np.float32(share))


METHODS: Final[dict[str, Method]] = {"flat": flat, "scene_inks": scene_inks}
