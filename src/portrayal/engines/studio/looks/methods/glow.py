"""Light in the air and in the lens: auras, rims, flares, shafts, bokeh, stars."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.methods.stage import (
    away,
    focus,
    ground,
    head,
    luma,
    people,
    plate,
    put_behind,
    ramp,
    screen,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, step
from portrayal.imaging import F32
from portrayal.parallel import together


def aura(
    canvas: Canvas,
    inner: Sequence[str] = ("ffffff", "ffd1e8"),
    outer: Sequence[str] = ("ffffff", "c9d6ff"),
    reach: float = 150.0,
    scene: float = 0.2,
    wrap: float = 0.5,
    base: float = 0.0,
) -> F32:
    """A field of colour that radiates from the people and takes the scene's place.

    The field follows their outline: a sum of wide blurs of the matte, which falls off as light of a glowing body does.

    Args:
        canvas: the picture.
        inner, outer: RRGGBB from the outline to the rim of the picture, for two sides that flow into each other.
        reach: of the light, pixels of a 1024 px picture.
        scene: share of the scene's light and shade that stays.
        wrap: how much of the light falls on the people's edges.
        base: least brightness of the field far away, -1..1 added to the position along the colours.
    """
    context, unit = canvas.context, canvas.context.unit
    mask = people(context)
    wide = np.float32(0.5) * blur(mask, reach * unit) + np.float32(0.5) * blur(mask, 2.2 * reach * unit)
    near = 1 - step(0.4, 4.0, away(context, 1.0, -0.1))
    field = np.clip(np.float32(0.65) * wide + np.float32(0.55) * near, 0, 1)
    drift = noise(context.shape, 420 * unit, context.seed * 3 + 91, 2)
    position = np.clip(1 - field + np.float32(0.10) * drift + np.float32(base), 0, 1)
    at, (x, y) = focus(context), grid(context.shape)
    turn = np.arctan2(y - np.float32(at.y), x - np.float32(at.x))
    side = np.float32(0.5) + np.float32(0.5) * np.sin(turn + np.float32(0.7 + 0.6 * (context.seed % 7)) + drift)
    light = mix(ramp(position, inner), ramp(position, outer), side)
    old = plate(canvas.picture, mask)
    if scene:
        shade = luma(old)
        light = light * (1 + np.float32(scene) * (shade - blur(shade, 160 * unit)) * 2)[..., None]
    light *= (1 - np.float32(0.45) * ground(context))[..., None]
    out = put_behind(canvas, np.clip(light, 0, 1), old)
    # The light of the field reaches around the edges, strongest at the rim of hair and shoulders.
    edge = (1 - blur(mask, 22 * unit)) * mask * (1 - np.float32(0.85) * context.detail)
    edge += np.float32(0.25) * (1 - blur(mask, 90 * unit)) * mask * (1 - np.float32(0.6) * context.face)
    return screen(out, blur(light, 30 * unit) * (np.float32(wrap) * edge)[..., None])


def rim(canvas: Canvas, left: str = "ff2fa8", right: str = "19d3ff", width: float = 26.0, amount: float = 0.9) -> F32:
    """Two coloured lights from behind, one a side. The outline's slope stands for the normal (Johnston 2002).

    Args:
        canvas: the picture.
        left, right: RRGGBB.
        width: of the lit rim, pixels of a 1024 px picture.
        amount: of light.
    """
    context = canvas.context
    mask = people(context)
    smooth = blur(mask, width * context.unit)
    slope = cv2.Scharr(blur(mask, 0.6 * width * context.unit), cv2.CV_32F, 1, 0) * np.float32(width * context.unit / 12)
    edge = mask * np.clip(np.float32(1.9) * (1 - smooth), 0, 1) ** 2
    tone = np.float32(0.30) + np.float32(0.95) * luma(canvas.picture)
    calm = 1 - np.float32(0.8) * context.detail
    out = canvas.picture
    for sign, paint in ((1, left), (-1, right)):
        facing = np.clip(slope * np.float32(sign), 0, 1)
        out = screen(out, colour(paint) * (np.float32(amount) * facing * edge * tone * calm)[..., None])
    return out


def flare(
    canvas: Canvas,
    tone: str = "ffb45a",
    size: float = 0.5,
    amount: float = 0.8,
    streak: float = 0.0,
    ghosts: float = 0.5,
    height: float = 0.10,
) -> F32:
    """A light at the picture's rim and what the lens makes of it: glow, ghosts, a streak (Hullin et al. 2011).

    Args:
        canvas: the picture.
        tone: RRGGBB.
        size: of the glow, share of the longer side.
        amount: of light.
        streak: of the flat line of an anamorphic lens.
        ghosts: of the discs on the way through the middle.
        height: of the light, share of the height; the side is the one with more room beside the faces.
    """
    context = canvas.context
    h, w = context.shape
    long = max(h, w)
    at, (x, y) = focus(context), grid(context.shape)
    sx, sy = (0.06 if at.x > 0.48 * w else 0.94) * w, height * h
    far = np.hypot(x - np.float32(sx), y - np.float32(sy)) / np.float32(long)
    light = np.float32(0.55) * np.exp(-far / np.float32(0.45 * size)) + np.exp(-((far / np.float32(0.09 * size)) ** 2))
    rays = np.sin(np.arctan2(y - np.float32(sy), x - np.float32(sx)) * 9 + 1.3) ** 8
    light = light + np.float32(0.10) * rays * np.exp(-far / np.float32(0.25 * size))
    calm = (1 - np.float32(0.45) * people(context)) * (1 - np.float32(0.65) * context.face)
    out = screen(canvas.picture, colour(tone) * (np.float32(amount) * light.astype(np.float32) * calm)[..., None])
    if streak:
        line = np.exp(-np.abs(y - np.float32(sy)) / np.float32(0.0045 * long))
        line = line + np.float32(0.35) * np.exp(-np.abs(y - np.float32(sy)) / np.float32(0.020 * long))
        line = line * np.exp(-np.abs(x - np.float32(sx)) / np.float32(0.75 * w)) * (1 - people(context))
        out = screen(out, colour("5aa8ff") * (np.float32(streak) * line.astype(np.float32))[..., None])
    return _ghosts(out, context, (sx, sy), tone, ghosts) if ghosts else out


def _ghosts(picture: F32, context: Context, source: tuple[float, float], tone: str, amount: float) -> F32:
    h, w = context.shape
    light = np.zeros((h, w, 3), np.float32)
    paints = (tone, "7fd4ff", "b9ff9a", "ff8ad0", tone)
    for where, radius, paint in zip(
        (0.45, 0.8, 1.15, 1.45, 1.8), (0.018, 0.035, 0.022, 0.06, 0.03), paints, strict=True
    ):
        cx, cy = source[0] + where * (w / 2 - source[0]), source[1] + where * (0.55 * h - source[1])
        disc = np.zeros((h, w), np.uint8)
        for r, level in ((1.0, 200), (0.86, 120)):
            size = round(r * radius * max(h, w) * 16)
            cv2.circle(disc, (round(cx * 16), round(cy * 16)), size, level, -1, cv2.LINE_AA, 4)
        light += colour(paint) * (disc.astype(np.float32) * np.float32(0.16 * amount / 255))[..., None]
    return screen(picture, blur(light, 2.0 * context.unit) * (1 - head(context))[..., None])


def shafts(canvas: Canvas, tone: str = "ffe9a8", amount: float = 0.5, mist: float = 0.4, dapple: float = 0.0) -> F32:
    """Light that falls through leaves: shafts from above, mist that grows with the distance, dapples.

    Args:
        canvas: the picture.
        tone: RRGGBB.
        amount: of the shafts.
        mist: of the haze behind people and at the ground.
        dapple: of the spots of light.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    at, (x, y) = focus(context), grid(context.shape)
    mask = people(context)
    left = at.x > 0.48 * w
    sx, sy = (-0.10 if left else 1.10) * w, -0.35 * h
    angle = np.arctan2(y - np.float32(sy), x - np.float32(sx)).astype(np.float32)
    random = np.random.default_rng([context.seed, 92])
    beams = np.convolve(random.standard_normal(256), np.hanning(5), "same") + np.convolve(
        random.standard_normal(256), np.hanning(13), "same"
    )
    beams = np.clip(beams / beams.std() - 0.2, 0, 2).astype(np.float32) ** np.float32(1.3)
    where = np.mod(angle, np.float32(np.pi)) * np.float32(255 / np.pi)
    shaft = cv2.remap(beams[None], where, np.zeros_like(where), cv2.INTER_LINEAR)
    far = np.hypot(x - np.float32(sx), y - np.float32(sy)) / np.float32(np.hypot(h, w))
    shaft = blur(shaft * np.exp(-np.float32(1.5) * far), 5 * unit) * (1 - np.float32(0.72) * mask)
    calm = 1 - np.float32(0.7) * head(context)
    paint = colour(tone)
    out = screen(canvas.picture, paint * (np.float32(amount) * shaft * calm)[..., None])
    if mist:
        cloud = np.clip(
            np.float32(0.75) + np.float32(0.5) * noise(context.shape, 300 * unit, context.seed + 93, 3), 0, 2
        )
        low = np.float32(0.35) + np.float32(0.65) * (y / h) ** 2
        veil = np.float32(mist) * cloud * (1 - mask + np.float32(0.30) * mask * (y / h) ** 3) * low
        veil = np.clip(veil, 0, 0.9) * calm
        out = mix(out, np.float32(0.25) + np.float32(0.72) * paint, veil[..., None])
    if dapple:
        spots = step(0.35, 0.95, blur(noise(context.shape, 70 * unit, context.seed + 94, 2), 5 * unit))
        spots = blur(spots, 3 * unit) * (1 - np.float32(0.95) * blur(context.face, 8 * unit))
        spots *= 1 - step(0.40, 0.70, blur(luma(out), 8 * unit))  # what is bright already is in the light
        shade = 1 - np.float32(0.28 * dapple) * (1 - np.float32(0.9) * context.face)
        lit = out * shade[..., None] + out * paint * (np.float32(0.95 * dapple) * spots)[..., None]
        out = np.asarray(np.clip(lit, 0, 1), np.float32)
    return out


def bokeh(
    canvas: Canvas,
    colours: Sequence[str] = ("ffb3e6", "9fd0ff", "ffe2b8"),
    count: int = 60,
    size: float = 34.0,
    amount: float = 0.6,
    scene: float = 0.5,
    front: int = 6,
    glitter: int = 0,
) -> F32:
    """Lights out of focus: the scene's own highlights and a garland of others become discs, behind the people; a few
    large faint ones, and glitter, float in front, never over a head.

    Args:
        canvas: the picture.
        colours: RRGGBB of the discs.
        count, size: of the discs; radius in pixels of a 1024 px picture.
        amount: of light.
        scene: 0..1, how far the scene goes out of focus.
        front: discs in front.
        glitter: small sparkles in front.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    mask = people(context)
    random = np.random.default_rng([context.seed, 95])
    old, light = together(
        lambda: plate(canvas.picture, mask), lambda: _discs(context, random, colours, count, size * unit, 0.92)
    )
    soft = mix(old, blur(old, 16 * unit), scene)
    bright = np.clip(blur(old, 2 * unit) - np.float32(0.72), 0, 1)
    r = max(2, round(0.7 * size * unit))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1)).astype(np.float32)
    own = cv2.filter2D(
        cv2.resize(bright, (w // 2, h // 2), interpolation=cv2.INTER_AREA), -1, disc / (0.22 * disc.sum())
    )
    soft = screen(soft, cv2.resize(own, (w, h), interpolation=cv2.INTER_LINEAR))
    out = put_behind(canvas, screen(soft, light * np.float32(amount)), old)
    free = (1 - head(context))[..., None]
    if front:
        near = blur(_discs(context, random, colours, front, 2.6 * size * unit, 0.92), 5 * unit)
        out = screen(out, near * np.float32(0.55 * amount) * free)
    if glitter:
        out = screen(out, _glitter(context, random, glitter) * free)
    return out


def _discs(
    context: Context, random: np.random.Generator, colours: Sequence[str], count: int, size: float, rest: float
) -> F32:
    """Discs with a brighter rim (h, w, 3), more of them in the upper part."""
    h, w = context.shape
    light = np.zeros((h, w, 3), np.float32)
    for _ in range(count):
        x, y = random.uniform(-0.05, 1.05) * w, random.beta(1.1, 1.5) * h
        r, level = size * random.uniform(0.35, 1.0), random.uniform(0.25, 1.0)
        paint = colour(colours[int(random.integers(len(colours)))]) * np.float32(level)
        reach = int(r) + 3
        x0, x1, y0, y1 = max(0, int(x) - reach), min(w, int(x) + reach), max(0, int(y) - reach), min(h, int(y) + reach)
        if x1 <= x0 or y1 <= y0:
            continue
        xs, ys = np.arange(x0, x1, dtype=np.float32)[None], np.arange(y0, y1, dtype=np.float32)[:, None]
        far = np.hypot(xs - np.float32(x), ys - np.float32(y))
        edge = max(0.8, 0.05 * r)
        shape = (1 - step(r - edge, r + edge, far)) * (
            np.float32(0.55) + np.float32(0.45) * step(rest * r - 0.12 * r, rest * r, far)
        )
        part = light[y0:y1, x0:x1]
        np.copyto(part, screen(part, paint * shape[..., None] * np.float32(0.75)))
    return light


def _glitter(context: Context, random: np.random.Generator, count: int) -> F32:
    """Small four-pointed sparkles (h, w, 3)."""
    h, w = context.shape
    unit = context.unit
    points = np.zeros((h, w), np.uint8)
    for _ in range(count):
        x, y, r = random.random() * w, random.random() * h, random.random() ** 3
        at = (round(x * 16), round(y * 16))
        cv2.circle(points, at, round((0.5 + 1.2 * r) * unit * 16), 255, -1, cv2.LINE_AA, 4)
        if r > 0.62:  # a star with rays that thin out
            long, thin = (3 + 13 * r) * unit, 0.5 * unit
            for dx, dy in ((long, thin), (thin, long)):
                ray = np.array([(x - dx, y), (x, y - dy), (x + dx, y), (x, y + dy)])
                cv2.fillPoly(points, [np.round(ray * 16).astype(np.int32)], 150, cv2.LINE_AA, 4)
    lit = points.astype(np.float32) / np.float32(255)
    return np.asarray(
        (np.float32(0.7) * lit + np.float32(1.6) * blur(lit, 3 * unit))[..., None] * colour("fff3fb"), np.float32
    )


def stars(
    canvas: Canvas, threshold: float = 0.86, length: float = 70.0, amount: float = 0.9, tone: str = "ffffff"
) -> F32:
    """A star filter: crosses of light on the brightest spots, as the etched filters of the eighties made them.

    Args:
        canvas: the picture.
        threshold: code from which a spot gets a star.
        length: of a ray, pixels of a 1024 px picture.
        amount: of light.
        tone: RRGGBB.
    """
    context, unit = canvas.context, canvas.context.unit
    light = luma(canvas.picture)
    peak = np.clip(light - np.maximum(np.float32(threshold), blur(light, 12 * unit) + np.float32(0.12)), 0, 1)
    peak *= 1 - head(context) * np.float32(0.9)
    n = max(3, round(length * unit)) | 1
    falloff = np.exp(-np.abs(np.linspace(-3.2, 3.2, n))).astype(np.float32)
    rays = np.zeros_like(peak)
    for angle in (45.0, 135.0):
        kernel = np.zeros((n, n), np.float32)
        index = np.arange(n)
        kernel[index, index if angle == 45.0 else n - 1 - index] = falloff
        rays += cv2.filter2D(peak, -1, kernel)
    return screen(
        canvas.picture, colour(tone) * np.clip(np.float32(amount) * rays * np.float32(2 / unit), 0, 1)[..., None]
    )


def neon(
    canvas: Canvas,
    left: str = "ff2fa8",
    right: str = "19d3ff",
    amount: float = 1.0,
    spill: float = 0.6,
    wet: float = 0.6,
) -> F32:
    """Tubes of neon out of focus on both sides of the people, their light on the scene and on a wet floor.

    Args:
        canvas: the picture.
        left, right: RRGGBB.
        amount: of the tubes' light.
        spill: of their light on the scene.
        wet: of the reflection.
    """
    context = canvas.context
    h, w = context.shape
    mask, random = people(context), np.random.default_rng([context.seed, 96])
    x = grid(context.shape)[0]
    old = plate(canvas.picture, mask)
    share = step(0.15, 0.85, np.broadcast_to(x / np.float32(w), (h, w)))
    field = mix(np.broadcast_to(colour(left), (h, w, 3)), np.broadcast_to(colour(right), (h, w, 3)), share)
    near = np.float32(0.25) + np.float32(0.75) * np.abs(share * 2 - 1)
    tone = np.float32(0.16) + np.float32(1.1) * luma(old)
    scene = screen(old, field * (np.float32(spill) * near * tone)[..., None])
    glow, damp = _tubes(context, random, left, right, 0.80, wet)
    scene = scene * (1 - np.float32(0.5) * damp)[..., None]
    return put_behind(canvas, screen(scene, np.float32(amount) * glow), old)


def _tubes(
    context: Context, random: np.random.Generator, left: str, right: str, floor: float, wet: float
) -> tuple[F32, F32]:
    """Light of the tubes with its reflection (h, w, 3), and how wet the ground is (h, w); made at half the size."""
    full, at = context.shape, focus(context)
    h, w, unit = full[0] // 2, full[1] // 2, context.unit / 2
    tubes = np.zeros((h, w, 3), np.uint8)
    apart = max(at.tall, 0.2 * min(full)) / 2
    for side, paint in ((-1, left), (1, right)):
        for k in range(3):
            x = at.x / 2 + side * (at.across / 2 + (0.95 + 0.42 * k + random.uniform(-0.08, 0.08)) * apart)
            top, low = random.uniform(0.06, 0.28) * h, random.uniform(0.46, 0.72) * h
            ends = [(round(x * 16), round(y * 16)) for y in (top, low)]
            ink = (colour(paint) * np.float32(255 * random.uniform(0.65, 1.0))).tolist()
            cv2.line(tubes, ends[0], ends[1], ink, max(1, round(7 * unit)), cv2.LINE_AA, 4)
    light = blur(tubes.astype(np.float32) / np.float32(255), 3.2 * unit)
    glow = light + np.float32(0.7) * light * light
    glow += np.float32(1.2) * blur(light, 14 * unit) + np.float32(1.6) * blur(light, 60 * unit)
    damp = np.zeros((h, w), np.float32)
    if wet:
        xs, ys = grid((h, w))
        first = round(floor * h)
        flip = np.zeros_like(glow)
        flip[first:] = glow[np.clip((first - (np.arange(first, h) - first) * 2.6).astype(int), 0, h - 1)]
        ripple = np.float32(7 * unit) * noise((h, w), 16 * unit, context.seed + 97, 2)
        flip = cv2.remap(flip, xs + ripple, np.broadcast_to(ys, (h, w)), cv2.INTER_LINEAR)
        flip = cv2.blur(flip, (1, max(1, round(26 * unit))))
        damp += step(0.0, 0.10, ys / np.float32(h) - np.float32(floor)) * np.float32(wet)
        glow += flip * damp[..., None]
    size = (full[1], full[0])
    wide = [cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in (glow, damp)]
    return np.asarray(wide[0], np.float32), np.asarray(wide[1], np.float32)


def leaves(
    canvas: Canvas, tones: Sequence[str] = ("16361c", "2f6a2a", "8fae3a"), amount: float = 0.9, soft: float = 9.0
) -> F32:
    """Foliage close to the lens, out of focus, at the upper corners and the sides; never over a head.

    Args:
        canvas: the picture.
        tones: RRGGBB, from the shade to leaves in the light.
        amount: how opaque.
        soft: how far out of focus, pixels of a 1024 px picture.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    long, random = max(h, w), np.random.default_rng([context.seed, 98])
    ink, cover = np.zeros((h, w, 3), np.uint8), np.zeros((h, w), np.uint8)
    for k in range(150):
        corner = k % 2
        along, deep = random.random() ** 1.6, abs(random.normal(0, 0.075))
        upper = random.random() < 0.55
        px = (along * 0.5 if upper else deep) * w
        py = (deep * 0.8 if upper else along * 0.8) * h
        px = px if corner == 0 else w - px
        lean = random.uniform(0, 2 * np.pi)
        tip = np.array([np.cos(lean), np.sin(lean)]) * long * random.uniform(0.03, 0.075)
        across = np.array([-tip[1], tip[0]]) * random.uniform(0.16, 0.26)
        body = np.array(
            [(0, 0), 0.3 * tip + across, 0.65 * tip + 0.8 * across, tip, 0.65 * tip - 0.8 * across, 0.3 * tip - across]
        )
        leaf = [np.round((body + np.array([px, py])) * 16).astype(np.int32)]
        shade = random.random()
        paint = np.asarray(
            [
                np.interp(shade**1.5 * (len(tones) - 1), range(len(tones)), [colour(t)[c] for t in tones])
                for c in range(3)
            ]
        )
        cv2.fillPoly(ink, leaf, (paint * 255).tolist(), cv2.LINE_AA, 4)
        cv2.fillPoly(cover, leaf, 255, cv2.LINE_AA, 4)
    alpha = blur(cover.astype(np.float32) / np.float32(255), soft * unit)
    paint_over = blur(ink.astype(np.float32) / np.float32(255), soft * unit) / np.maximum(alpha, 0.02)[..., None]
    free = (1 - blur(head(context), 12 * unit)) * (1 - np.float32(0.5) * people(context))
    return mix(canvas.picture, np.clip(paint_over, 0, 1), np.float32(amount) * alpha * free)
