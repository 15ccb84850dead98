"""Methods of the printed looks: inks, geometry, and what a press or a drawing board does to a picture.

- `halftone`, `screen`: amplitude-modulated dots (Ulichney 1987), one screen an ink at the classic angles.
- `engrave`: lines that follow the form, thicker in the dark (Ostromoukhov 1999, facial engraving).
- `airbrush`: smooth modelling with two coloured rim lights.
- `draughting`: white lines on blue with dimensions.
- `grain_of_wood`, `bokashi`: of a Japanese woodblock.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods import facets, geometry, illustration, inks, keyblock
from portrayal.engines.studio.looks.methods.figures import SHAPES, Pen, head, paint
from portrayal.engines.studio.looks.methods.inks import coverage, cut, enlarged, half, lightness, place, tone
from portrayal.engines.studio.looks.methods.keyblock import contours
from portrayal.engines.studio.looks.texture import blur, colour, dots, grid, mix, noise, step
from portrayal.imaging import F32

_PROCESS: Final = (
    (15.0, (0.0, 0.62, 0.88)),
    (75.0, (0.90, 0.05, 0.50)),
    (0.0, (1.0, 0.90, 0.0)),
    (45.0, (0.1, 0.09, 0.11)),
)


def halftone(canvas: Canvas, period: float = 9.0, fine: float = 0.5, paper: str = "fbf8ee", slip: float = 1.2) -> F32:
    """Four inks in dots that form rosettes; the finer screen in faces' features.

    Args:
        canvas: what is printed.
        period: of dots, pixels of a 1024 px picture.
        fine: factor of the period in features.
        paper: its colour.
        slip: how far blocks miss each other, pixels of a 1024 px picture.
    """
    context, unit = canvas.context, canvas.context.unit
    picture = np.clip(canvas.picture + np.float32(0.8) * (canvas.picture - blur(canvas.picture, 2 * unit)), 0, 1)
    lack = 1 - picture
    grey = lack.min(2)
    black = grey * np.sqrt(grey) * np.float32(0.9)
    share = 1 / np.maximum(1 - black, np.float32(0.05))
    out = np.broadcast_to(colour(paper), picture.shape)
    keep = step(0.10, 0.36, np.maximum(context.detail, context.features))
    random = np.random.default_rng([context.seed, 61])
    for channel, (angle, ink) in enumerate(_PROCESS):
        amount = black if channel == 3 else (lack[..., channel] - black) * share
        amount = np.clip(amount, 0, 1) ** np.float32(1.12)
        printed = dots(amount, period * unit, math.radians(angle))
        close = dots(amount, period * fine * unit, math.radians(angle))
        printed = mix(printed, close, keep)
        dx, dy = (random.uniform(-slip, slip, 2) * unit).tolist()
        h, w = context.shape
        moved = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        printed = np.asarray(cv2.warpAffine(printed, moved, (w, h), borderMode=cv2.BORDER_REPLICATE), np.float32)
        out = out * (1 - printed[..., None] * (1 - np.array(ink, np.float32)))
    return np.asarray(out, np.float32)


def screen(
    canvas: Canvas,
    ink: str,
    period: float = 10.0,
    low: float = 0.35,
    high: float = 0.85,
    most: float = 0.6,
    where: str = "people",
    angle: float = 45.0,
    lines: bool = False,
    multiply: bool = False,
    features: float = 0.15,
    least: float = 0.0,
) -> F32:
    """One ink in dots or lines that grow with the shade.

    Args:
        canvas: what is printed on.
        ink: of the dots.
        period: pixels of a 1024 px picture.
        low, high: tones between which dots shrink from `most` to nothing.
        most: largest share of the paper that is covered.
        where: a part, see `inks.place`.
        angle: of the screen, degrees.
        lines: whether lines are printed and not dots.
        multiply: whether the ink is transparent.
        features: share of the screen that is left in the detail zone.
        least: tone under which nothing is printed.
    """
    context = canvas.context
    light = tone(context, 1.8, 0.5, "scene" if where == "scene" else "people")
    amount = coverage(light, low, high) * np.float32(most)
    if least:
        amount = amount * step(least, least + 0.02, light)
    gap = max(4.0, period * context.unit)
    printed = (_rules if lines else dots)(amount, gap, math.radians(angle))
    printed = printed * place(context, where) * (1 - np.float32(1 - features) * context.detail)
    goal = canvas.picture * colour(ink) if multiply else np.broadcast_to(colour(ink), canvas.picture.shape)
    return mix(canvas.picture, goal, printed)


def _rules(amount: F32, period: float, angle: float, bend: F32 | None = None) -> F32:
    """Parallel lines (h, w) that cover the share `amount` of the paper."""
    x, y = grid((amount.shape[0], amount.shape[1]))
    phase = x * np.float32(math.sin(angle) / period) + y * np.float32(math.cos(angle) / period)
    if bend is not None:
        phase = phase + bend
    away = np.abs(phase - np.floor(phase) - np.float32(0.5)) * 2
    soft = 1.3 / period
    return np.asarray(step(-soft, soft, amount - away) * step(0.0, 0.05, amount), np.float32)


def ramp_dots(
    canvas: Canvas,
    ink: str,
    period: float = 20.0,
    near: float = 0.1,
    far: float = 0.75,
    most: float = 0.5,
    where: str = "scene",
    angle: float = 45.0,
) -> F32:
    """Dots that grow with the distance from the head, or shrink when `near` is over `far` (shares of the side)."""
    context = canvas.context
    x, y = grid(context.shape)
    cx, cy, _ = head(context)
    away = np.hypot(x - np.float32(cx), y - np.float32(cy)) / np.float32(min(context.shape))
    amount = np.clip((away - np.float32(near)) / np.float32(far - near), 0, 1) * np.float32(most)
    printed = dots(np.asarray(amount, np.float32), max(5.0, period * context.unit), math.radians(angle))
    return mix(canvas.picture, colour(ink), (printed * step(0.0, 0.02, amount) * place(context, where))[..., None])


def engrave(
    canvas: Canvas,
    ink: str = "2b241c",
    paper: str = "f3ead3",
    period: float = 6.4,
    bend: float = 5.0,
    cross: float = 0.5,
) -> F32:
    """A banknote's engraving: lines swell with the shade and bend over the form; dark parts are crossed.

    Args:
        canvas: what is engraved.
        ink, paper: the two colours.
        period: of lines, pixels of a 1024 px picture; closer in faces' features.
        bend: lines that lie over one full range of lightness.
        cross: darkness 0..1 from which a second set of lines crosses the first.
    """
    context, unit = canvas.context, canvas.context.unit
    light = tone(context, 1.2, 0.9)
    if context.cut:
        light = mix(tone(context, 3.0, 0.0, "scene") * np.float32(0.55) + np.float32(0.42), light, context.subject)
    dark = 1 - light
    form = blur(context.lifted(context.fine[..., 0]), 9 * unit) * np.float32(bend)
    gap = max(3.4, period * unit)
    first = _rules(np.clip(dark * np.float32(0.92) - np.float32(0.03), 0, 0.9), gap, 0.18, form)
    second = _rules(np.clip((dark - np.float32(cross)) * np.float32(1.5), 0, 0.7), gap, -0.75, -form)
    third = _rules(np.clip((dark - np.float32(cross + 0.22)) * np.float32(2.2), 0, 0.7), gap, 0.95, form)
    behind = _rules(np.clip(dark * np.float32(0.95), 0, 0.8), gap * 0.9, 0.0)
    drawn = np.maximum(np.maximum(first, second), third)
    drawn = mix(behind, drawn, cut(context)) if context.cut else drawn
    close = _rules(np.clip(dark * np.float32(1.0), 0, 0.92), max(2.6, 0.5 * gap), 0.18, form)
    wash = np.clip((dark - np.float32(0.38)) * np.float32(1.6), 0, 1)
    drawn = mix(drawn, np.maximum(np.float32(0.55) * close, wash), context.detail)
    pen = contours(context, 1.1, 30.0, 6.0) * (np.float32(0.35) + np.float32(0.65) * context.subject)
    drawn = np.maximum(np.maximum(drawn, pen * np.float32(0.9)), context.outline(2.6))
    return mix(colour(paper), colour(ink), drawn[..., None])


def guilloche(canvas: Canvas, ink: str = "3d5a4a", width: float = 0.06, share: float = 0.8) -> F32:
    """A border of a banknote: braided waves in many fine lines, and rosettes in its corners."""
    context = canvas.context
    pen = Pen(context, np.full((*context.shape, 3), 255, np.uint8))
    h, w, side = pen.h, pen.w, pen.side
    band, thin = width * side, max(1.0, 1.1 * context.unit)
    for horizontal in (True, False):
        length = w if horizontal else h
        t = np.linspace(0, length, int(length / 3))
        waves = max(4, round(length / (1.5 * band)))
        for k in range(7):
            turn = 2 * math.pi * (t / length * waves + k / 7)
            away = band * (0.55 + 0.40 * np.sin(turn))
            for far in (False, True):
                end = (h if horizontal else w) - 1
                across = end - away if far else away
                pen.stroke(np.stack([t, across] if horizontal else [across, t], 1), paint(ink), thin)
    for cx, cy in ((band, band), (w - band, band), (band, h - band), (w - band, h - band)):
        pen.fill(pen.circle(cx, cy, 1.25 * band), (255, 255, 255))
        t = np.linspace(0, 2 * math.pi, 240)
        for k in range(6):
            radius = band * (0.86 + 0.30 * np.cos(8 * t + k * math.pi / 3))
            pen.stroke(np.stack([cx + radius * np.cos(t), cy + radius * np.sin(t)], 1), paint(ink), thin, True)
    drawn = pen.picture.astype(np.float32) / np.float32(255)
    x, y = grid(context.shape)
    inner = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y)) - np.float32(1.15 * band)
    clear = np.clip(1 - inner, 0, 1).astype(np.float32)
    corner = np.hypot(np.minimum(x, w - 1 - x) - np.float32(band), np.minimum(y, h - 1 - y) - np.float32(band))
    clear = np.maximum(clear, np.clip(np.float32(1.28 * band) - corner, 0, 1))
    out = mix(canvas.picture, np.broadcast_to(canvas.picture.max((0, 1)), drawn.shape), clear)
    return mix(out, out * drawn, share)


def airbrush(
    canvas: Canvas,
    left: str = "2ee6ff",
    right: str = "ff3fb4",
    rim: float = 0.85,
    vivid: float = 1.35,
    smooth: float = 1.0,
) -> F32:
    """Smooth modelling without a brush's trace, and a coloured light from behind on each side.

    Args:
        canvas: what is painted.
        left, right: colours of the rim lights.
        rim: their strength.
        vivid: factor of chroma.
        smooth: how much of the skin's and cloth's texture goes.
    """
    context, unit = canvas.context, canvas.context.unit
    lab = context.fine.copy()
    lab[..., 0] = lightness(context)
    # The half picture is smooth enough, but not its edges.
    soft = np.asarray(cv2.bilateralFilter(blur(half(lab), 0.8 * unit), 9, 0.09, max(1.5, 3.5 * unit)), np.float32)
    firm = np.maximum(context.detail * np.float32(0.8), np.float32(0.8) * step(0.015, 0.05, context.edges))
    out = mix(lab, enlarged(soft, context.shape), np.float32(smooth) * (1 - firm))
    light = out[..., 0]
    contrast = 1 + np.float32(0.22) * (1 - context.skin)
    bright = np.float32(0.52) + (light - np.float32(0.50)) * contrast
    out[..., 0] = np.clip(bright + np.float32(0.10) * step(0.74, 0.92, light) * (1 - context.skin), 0, 0.99)
    out[..., 1:] *= np.float32(vivid)
    # Skin is rosy on such pictures, not yellow.
    out[..., 1] += np.float32(0.018) * context.skin
    out[..., 2] *= 1 - np.float32(0.25) * context.skin
    picture = to_rgb(out)
    if not context.cut:
        return picture
    people = cut(context)
    inner = blur(people, 15 * unit)
    gx = cv2.Sobel(inner, cv2.CV_32F, 1, 0, scale=0.125)
    near = np.clip(1.9 * (1 - inner), 0, 1) * people * (1 - np.float32(0.85) * context.detail)
    strength = np.float32(50 * unit)
    shape_light = np.clip(np.float32(0.6) + light, 0, 1)
    for side, ink in ((np.clip(gx * strength, 0, 1), left), (np.clip(-gx * strength, 0, 1), right)):
        lit = np.asarray(near * side * shape_light * np.float32(rim), np.float32)
        picture = 1 - (1 - picture) * (1 - np.clip(lit, 0, 1)[..., None] * colour(ink))
    return mix(canvas.picture, np.asarray(picture, np.float32), people)


def draughting(
    canvas: Canvas, ground: str = "123f7d", ink: str = "e8f3ff", step_: float = 0.032, dimensions: bool = True
) -> F32:
    """A blueprint: white lines on blue over a grid, form in faint hatching, dimensions of the head and the frame."""
    context, unit, shape = canvas.context, canvas.context.unit, canvas.context.shape
    light = tone(context, 1.6, 0.8)
    # White is light, as chalk on blue paper: nobody becomes a negative. Tones draw the features, lines keep off.
    fine = np.maximum(contours(context, 1.15, 34.0, 6.0), np.float32(0.8) * contours(context, 2.2, 20.0, 8.0))
    fine = fine * (np.float32(0.45) + np.float32(0.55) * context.subject)
    quiet = np.maximum(np.maximum(context.features, context.detail), np.float32(0.5) * context.face)
    fine = fine * (1 - np.float32(0.9) * quiet)
    people = cut(context) if context.cut else np.ones(context.shape, np.float32)
    bright = np.clip((light - np.float32(0.30)) * np.float32(1.75), 0, 1)
    period = max(3.4, 5.2 * unit)
    hatch = _rules(np.asarray(bright * np.float32(0.62), np.float32), period, 0.9) * people * (1 - context.detail)
    tint = bright * bright * people * (np.float32(0.34) + np.float32(0.50) * context.detail)
    cyan, blue = colour(ink), colour(ground)
    mottle = (
        1
        + np.float32(0.07) * noise(shape, 160 * unit, context.seed, 3)
        + np.float32(0.025) * noise(shape, 3 * unit, context.seed + 1, 2)
    )
    pen = Pen(context, np.zeros((*shape, 3), np.uint8))
    thin = 1.0 / pen.side
    for gap, value in ((step_, "1c1c1c"), (step_ * 5, "3c3c3c")):
        _grid_lines(pen, gap, thin, value)
    rules = pen.picture[..., 0].astype(np.float32) / np.float32(255) * (1 - np.float32(0.6) * context.subject)
    drawn = np.maximum(
        np.maximum(fine, np.float32(0.9) * context.outline(3.2)),
        np.maximum(hatch * np.float32(0.50) + tint * np.float32(0.80), rules),
    )
    drawn = np.maximum(drawn, tint)
    if context.cut:
        mottle = mottle + np.float32(0.34) * (1 - people) * (tone(context, 3.0, 0.0, "scene") - np.float32(0.5))
    out = mix(blue * mottle[..., None], cyan, drawn[..., None])
    if dimensions:
        lines = _dimensions(canvas)
        out = mix(out, cyan, lines[..., None])
    return np.asarray(np.clip(out, 0, 1), np.float32)


def _grid_lines(pen: Pen, gap: float, width: float, value: str) -> None:
    SHAPES["grid"](pen, {"step": gap, "width": width, "ink": value})


def _dimensions(canvas: Canvas) -> F32:
    """Centre lines, dimension lines with arrows and ticks, a title block: (h, w) 0..1."""
    context = canvas.context
    pen = Pen(context, np.zeros((*context.shape, 3), np.uint8))
    white, faint = (235, 235, 235), (150, 150, 150)
    h, w, side = pen.h, pen.w, pen.side
    x, y, r = pen.head
    thin = max(1.0, 1.3 * context.unit)
    edge = 0.022 * side
    pen.stroke(
        np.array([[edge, edge], [w - edge, edge], [w - edge, h - edge], [edge, h - edge]]), white, 2 * thin, True
    )
    people = context.subject > 0.5
    columns = np.flatnonzero(people.any(0)) if context.cut else np.array([int(x - r), int(x + r)])
    rows = np.flatnonzero(people.any(1)) if context.cut else np.array([int(y - r), int(y + r)])
    away = 1 - cut(context) if context.cut else np.ones(context.shape, np.float32)

    if len(columns) and len(rows):
        top, bottom = float(rows[0]), float(min(rows[-1], h - 2 * edge))
        right = min(w - 2.4 * edge, max(float(columns[-1]), x + 1.5 * r) + 1.6 * edge)
        _measure(pen, (right, top), (right, bottom), white, thin)
        _measure(
            pen,
            (max(2.4 * edge, x - r * 1.02), max(2.0 * edge, top - 0.045 * side)),
            (min(w - 2.4 * edge, x + r * 1.02), max(2.0 * edge, top - 0.045 * side)),
            white,
            thin,
        )
    dash = 0.016 * side
    for k in range(int(max(h, w) / dash / 2) + 1):
        if k % 4 == 3:
            continue
        at = 2 * k * dash
        pen.stroke(np.array([[x, at], [x, at + 1.3 * dash]]), faint, thin)
        pen.stroke(np.array([[at, y + 0.12 * r], [at + 1.3 * dash, y + 0.12 * r]]), faint, thin)
    for ring in (1.35, 1.95):
        pen.stroke(pen.circle(x, y, ring * r), faint, thin, True)
    bx, by, bw, bh = w - edge - 0.26 * side, h - edge - 0.095 * side, 0.26 * side, 0.095 * side
    for fx in (0.0, 0.34, 0.67):
        pen.stroke(np.array([[bx + fx * bw, by], [bx + fx * bw, by + bh]]), white, thin)
    for fy in (0.0, 0.5):
        pen.stroke(np.array([[bx, by + fy * bh], [bx + bw, by + fy * bh]]), white, thin)
    return np.asarray(pen.picture[..., 0].astype(np.float32) / np.float32(255) * away, np.float32)


def _measure(pen: Pen, a: tuple[float, float], b: tuple[float, float], ink: tuple[int, int, int], thin: float) -> None:
    """A dimension: a line from a to b with arrows and ticks."""
    start, end = np.array(a), np.array(b)
    pen.stroke(np.array([a, b]), ink, thin)
    way = (end - start) / max(float(np.hypot(*(end - start))), 1.0) * pen.side
    across = np.array([-way[1], way[0]])
    for tip, inward in ((start, way), (end, -way)):
        base = tip + 0.020 * inward
        pen.fill(np.array([tip, base + 0.006 * across, base - 0.006 * across]), ink)
        pen.stroke(np.array([tip - 0.018 * across, tip + 0.018 * across]), ink, thin)


def stipple(
    canvas: Canvas, ink: str, where: str = "people", angle: float = 25.0, reach: float = 60.0, amount: float = 0.5
) -> F32:
    """Shade of sprayed grains that thin out: from the people's rim on one side, or over the scene from one side.

    Args:
        canvas: what is sprayed on.
        ink: multiplies what is there.
        where: a part, see `inks.place`.
        angle: to which side the shade lies, degrees clockwise from the right.
        reach: how far it goes from the rim, pixels of a 1024 px picture.
        amount: of grains at its densest, 0..1.
    """
    context, unit = canvas.context, canvas.context.unit
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    part = place(context, where)
    h, w = context.shape
    if where in ("scene", "all") or not context.cut:
        x, y = grid(context.shape)
        t = (x / np.float32(w) - np.float32(0.5)) * np.float32(c) + (y / np.float32(h) - np.float32(0.5)) * np.float32(
            s
        )
        dense = step(-0.05, 0.62, t)
    else:
        move = np.array([[1, 0, -c * 0.6 * reach * unit], [0, 1, -s * 0.6 * reach * unit]], np.float32)
        whole = blur(part, 0.45 * reach * unit)
        away = np.asarray(cv2.warpAffine(whole, move, (w, h), borderMode=cv2.BORDER_REPLICATE), np.float32)
        dense = step(0.25, 0.95, 1 - away)
    grains = blur(np.random.default_rng([context.seed, 91]).standard_normal(context.shape, np.float32), 0.62 * unit)
    grains = grains / np.float32(grains.std() + 1e-6)
    # A grain lies where chance is below the density: the normal quantile of it, roughly.
    level = np.clip(dense * np.float32(amount), 0.0, 0.98)
    shown = step(-0.25, 0.25, (level - np.float32(0.5)) * np.float32(2.9) - grains) * step(0.02, 0.10, level)
    shown = shown * part * (1 - np.maximum(np.float32(0.85) * context.detail, np.float32(0.85) * context.skin))
    return mix(canvas.picture, canvas.picture * colour(ink), shown)


def grain_of_wood(canvas: Canvas, strength: float = 0.05, where: str = "all") -> F32:
    """Fibres of the block that show in flat inks, fewer in faces."""
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    random = np.random.default_rng([context.seed, 71])
    threads = random.standard_normal((h, max(8, w // 8)), np.float32)
    threads = np.asarray(cv2.GaussianBlur(threads, (0, 0), sigmaX=5.0, sigmaY=max(0.6, 0.9 * unit)), np.float32)
    fibres = np.asarray(cv2.resize(threads, (w, h)), np.float32)
    x, y = grid((h, w))
    wide = noise((h, w), 240 * unit, context.seed + 72, 2)
    knots = y + wide * np.float32(26 * unit)
    moved = cv2.remap(
        fibres,
        np.broadcast_to(x, (h, w)).copy(),
        np.asarray(knots, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    moved = np.asarray(moved, np.float32) / np.float32(moved.std() + 1e-6)
    rings = np.sin(knots * np.float32(2 * math.pi / (26 * unit)) + wide * 5)
    texture = (moved + np.float32(0.55) * rings) * (1 - np.float32(0.7) * context.face)
    part = place(context, where)
    return np.asarray(
        np.clip(canvas.picture * (1 + np.float32(strength) * texture * part)[..., None], 0, 1), np.float32
    )


def bokashi(
    canvas: Canvas, ink: str = "2c4a72", depth: float = 0.32, share: float = 0.9, low: str = "", low_share: float = 0.5
) -> F32:
    """Ink wiped to nothing: a dark band at the top of the scene that fades down, perhaps another that fades up."""
    context, unit = canvas.context, canvas.context.unit
    h = context.shape[0]
    _, y = grid(context.shape)
    wiped = y / np.float32(h) + np.float32(0.012) * noise(context.shape, 90 * unit, context.seed + 75, 3)
    behind = place(context, "scene")
    top = (1 - step(0.02, depth, wiped)) * behind * np.float32(share)
    out = mix(canvas.picture, canvas.picture * colour(ink), top[..., None])
    if low:
        bottom = step(1 - depth, 1.02, wiped) * behind * np.float32(low_share)
        out = mix(out, colour(low), bottom[..., None])
    return out


METHODS: Final[dict[str, Method]] = {
    **inks.METHODS,
    **geometry.METHODS,
    **facets.METHODS,
    **illustration.METHODS,
    **keyblock.METHODS,
    "halftone": halftone,
    "screen": screen,
    "ramp_dots": ramp_dots,
    "engrave": engrave,
    "guilloche": guilloche,
    "airbrush": airbrush,
    "draughting": draughting,
    "grain_of_wood": grain_of_wood,
    "bokashi": bokashi,
    "stipple": stipple,
}
