"""What happens behind the people: backdrops, motion, trails of light, lasers, a second exposure, a calm room."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.methods.stage import (
    away,
    extent,
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


def backdrop(
    canvas: Canvas,
    colours: Sequence[str] = ("ffffff", "d8dce0"),
    scene: float = 0.15,
    soft: float = 12.0,
    reach: float = 5.0,
    mottled: float = 0.0,
    dissolve: float = 0.0,
    shadow: float = 0.0,
) -> F32:
    """A backdrop of one or two tones in place of the scene, of which a pale memory stays.

    Args:
        canvas: the picture.
        colours: RRGGBB, behind the head to the rim of the picture.
        scene: share of the scene that stays, out of focus.
        soft: how far out of focus, pixels of a 1024 px picture.
        reach: of the light behind the head, in heights of the face.
        mottled: 0..1, of a hand-painted canvas.
        dissolve: 0..1, how far the lower edge of the people fades into it.
        shadow: 0..1, soft, of the people on the backdrop.
    """
    context, unit = canvas.context, canvas.context.unit
    mask = people(context)
    position = np.asarray(np.clip(away(context, 1.15, 0.4) * np.float32(1 / reach), 0, 1), np.float32)
    if mottled:
        position += np.float32(0.30 * mottled) * noise(context.shape, 240 * unit, context.seed + 101, 4)
    wall = ramp(np.clip(position, 0, 1), colours)
    old = plate(canvas.picture, mask)
    if scene:
        # Light and shade of the scene upon the backdrop, and a little of its colour.
        memory = blur(old, soft * unit)
        shade = luma(memory)
        relief = (shade - np.float32(shade.mean()))[..., None]
        tint = memory - shade[..., None]
        wall += np.float32(scene) * (np.float32(1.1) * relief + np.float32(0.8) * tint)
    if shadow:
        h, w = context.shape
        move = np.array([[1, 0, 34 * unit], [0, 1, 22 * unit]], np.float32)
        cast = blur(cv2.warpAffine(mask, move, (w, h), borderMode=cv2.BORDER_REPLICATE), 24 * unit)
        wall = wall * (1 - np.float32(shadow) * cast)[..., None]
    wall = np.clip(wall, 0, 1) * (1 - np.float32(0.30) * ground(context))[..., None]
    out = put_behind(canvas, np.asarray(wall, np.float32), old)
    if dissolve:
        y = grid(context.shape)[1] / np.float32(context.shape[0])
        cloud = np.float32(0.05) * noise(context.shape, 320 * unit, context.seed + 102, 2)
        gone = np.float32(dissolve) * step(0.58, 1.04, np.asarray(y + cloud, np.float32)) * (1 - head(context))
        out = mix(out, np.asarray(wall, np.float32), gone)
    return out


def _smear(picture: F32, angle: float, length: float) -> F32:
    """Blur along an angle (degrees): turned, blurred along rows, turned back; at half the size."""
    h, w = picture.shape[:2]
    small = cv2.resize(picture, (max(8, w // 2), max(8, h // 2)), interpolation=cv2.INTER_AREA)
    sh, sw = small.shape[:2]
    side = int(np.hypot(sh, sw)) + 2
    turn = cv2.getRotationMatrix2D((sw / 2, sh / 2), angle, 1)
    turn[:, 2] += ((side - sw) / 2, (side - sh) / 2)
    turned = cv2.warpAffine(small, turn, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    n = max(1, round(length / 2)) | 1
    turned = cv2.blur(cv2.blur(turned, (n, 1)), (max(1, n // 3) | 1, 1))
    back = cv2.warpAffine(turned, turn, (sw, sh), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(cv2.resize(back, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def motion(canvas: Canvas, length: float = 120.0, angle: float = 8.0, body: float = 46.0, ghost: float = 0.35) -> F32:
    """A slow shutter: the scene is swept away, the body leaves a trail, the head holds still.

    Light adds up as light does (codes squared stand for it), so that lamps become streaks.

    Args:
        canvas: the picture.
        length: of the sweep behind, pixels of a 1024 px picture.
        angle: degrees.
        body: of the people's own trail.
        ghost: share of a longer, fainter trail.
    """
    context, unit = canvas.context, canvas.context.unit
    mask = people(context)
    light = canvas.picture * canvas.picture
    old = plate(canvas.picture, mask)
    swept = _smear(old * old * (1 + np.float32(1.5) * np.clip(old - np.float32(0.7), 0, 1)), angle, length * unit)
    # What was out of focus already shows its motion by fine streaks.
    grain = np.random.default_rng([context.seed, 112]).standard_normal(context.shape, np.float32)
    lines = _smear(blur(grain, 1.6 * unit)[..., None].repeat(3, 2), angle, 2 * length * unit)
    swept = np.maximum(swept * (1 + np.clip(lines * np.float32(0.13) / (lines.std() + np.float32(1e-6)), -0.5, 0.6)), 0)
    person = np.dstack([light * mask[..., None], mask])
    trail = _smear(person, angle, body * unit)
    moved = swept * (1 - trail[..., 3:]) + trail[..., :3]
    if ghost:
        long = _smear(person, angle, 4 * body * unit)
        moved = mix(moved, swept * (1 - long[..., 3:]) + long[..., :3], ghost)
    sharp = swept * (1 - mask[..., None]) + np.maximum(light - (1 - mask)[..., None] * old * old, 0)
    out = mix(
        moved, np.asarray(sharp, np.float32), head(context) if context.faces or context.cut else mask * np.float32(0.4)
    )
    return np.asarray(cv2.sqrt(np.clip(out, 0, 1)), np.float32)


def zoom(canvas: Canvas, length: float = 0.35) -> F32:
    """The lens is zoomed while the shutter is open: what is behind streams away from the people, who stay sharp.

    Args:
        canvas: the picture.
        length: of the streaks, share of their distance from the middle.
    """
    context = canvas.context
    h, w = context.shape
    mask = people(context)
    at = focus(context)
    old = plate(canvas.picture, mask)
    light = cv2.resize(
        old * old * (1 + 2 * np.clip(old - np.float32(0.7), 0, 1)), (w // 2, h // 2), interpolation=cv2.INTER_AREA
    )
    middle, most = (at.x / 2, at.y / 2), float(np.hypot(w, h)) / 2
    flags = cv2.WARP_POLAR_LOG | cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS
    columns, rows = 512, 1024
    padded = cv2.copyMakeBorder(light, h // 4, h // 4, w // 4, w // 4, cv2.BORDER_REFLECT_101)
    centre = (middle[0] + w // 4, middle[1] + h // 4)
    polar = cv2.warpPolar(padded, (columns, rows), centre, most, flags)
    # Along the logarithm of the radius a zoom is a shift.
    n = max(3, round(columns * float(np.log1p(length)) / float(np.log(most)))) | 1
    polar = cv2.blur(cv2.blur(polar, (n, 1)), (n // 2 | 1, 1))
    back = cv2.warpPolar(polar, (padded.shape[1], padded.shape[0]), centre, most, flags | cv2.WARP_INVERSE_MAP)
    swept = back[h // 4 : h // 4 + h // 2, w // 4 : w // 4 + w // 2]
    wide = cv2.resize(cv2.sqrt(np.clip(swept, 0, 1)), (w, h), interpolation=cv2.INTER_LINEAR)
    swift = mix(old, wide, step(0.5, 1.6, away(context))) * (1 - np.float32(0.45) * ground(context))[..., None]
    return put_behind(canvas, np.asarray(swift, np.float32), old)


def trails(
    canvas: Canvas,
    colours: Sequence[str] = ("ff2a1a", "ff7a1e", "ffe9c8"),
    count: int = 26,
    amount: float = 1.0,
    horizon: float = 0.50,
) -> F32:
    """The lights of cars that passed while the shutter was open: bundles that come from a far point behind the people
    and sweep past them on both sides.

    Args:
        canvas: the picture.
        colours: RRGGBB of the one side; the other side mixes them with white.
        count: of lights a side.
        amount: of light.
        horizon: height of the far point, share of the height.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    random = np.random.default_rng([context.seed, 103])
    drawn = np.zeros((h, w, 3), np.uint8)
    far = np.array([focus(context).x, horizon * h])
    t = np.linspace(0, 1, 48)[:, None]
    for side in (-1, 1):
        for k in range(count):
            lane = random.normal(0, 0.6) + (1.1 if k % 3 == 0 else 0.0)
            end = np.array([w / 2 + side * 0.64 * w, (0.66 + 0.15 * lane) * h])
            knee = np.array([far[0] + side * (0.24 - 0.02 * lane) * w, far[1] + (0.015 + 0.035 * lane) * h])
            path = (1 - t) ** 2 * far + 2 * t * (1 - t) * knee + t**2 * end
            names = colours if side > 0 else (*colours[1:], "ffffff", "cfe4ff")
            paint = colour(names[k % len(names)]) * np.float32(255 * random.uniform(0.3, 1.0))
            points = np.round(path * 16).astype(np.int32)
            for j in range(0, 47, 3):
                thick = max(1, round((0.8 + 3.4 * (j / 47) ** 1.6 * random.uniform(0.6, 1.2)) * unit))
                part = [points[j : j + 4]]
                cv2.polylines(drawn, part, False, paint.tolist(), thick, cv2.LINE_AA, 4)
    light = drawn.astype(np.float32) / np.float32(255)
    glow = light + np.float32(0.9) * blur(light, 5 * unit) + np.float32(1.3) * blur(light, 28 * unit)
    mask = people(context)
    out = screen(canvas.picture, np.float32(amount) * glow * (1 - mask)[..., None])
    wrap = mask * (1 - blur(mask, 16 * unit)) * (1 - context.face)
    return screen(out, np.float32(0.8 * amount) * blur(glow, 20 * unit) * wrap[..., None])


def lasers(
    canvas: Canvas,
    colours: Sequence[str] = ("ff3fb4", "3fd0ff", "9b5bff"),
    wall: Sequence[str] = ("4a3a8c", "15123c", "07061a"),
    count: int = 15,
    amount: float = 1.0,
    scene: float = 0.1,
) -> F32:
    """The backdrop of a school portrait of the eighties: crossing laser beams in smoke before a mottled dark canvas.

    Args:
        canvas: the picture.
        colours: RRGGBB of the beams.
        wall: RRGGBB behind the head to the rim.
        count: of beams.
        amount: of their light.
        scene: share of the scene that shines through.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    mask, random = people(context), np.random.default_rng([context.seed, 104])
    cloud = noise(context.shape, 260 * unit, context.seed + 105, 4)
    scenery = ramp(np.clip(away(context) / np.float32(3.6) + np.float32(0.16) * cloud, 0, 1), wall)
    old = plate(canvas.picture, mask)
    soft = blur(old, 10 * unit)
    scenery = scenery + np.float32(scene) * (soft - np.float32(0.3))
    drawn = np.zeros((h, w, 3), np.uint8)
    for k in range(count):
        x = w * (k + random.uniform(0.1, 0.9)) / count
        lean = np.tan(np.radians(random.choice([-1, 1]) * random.uniform(18, 52)))
        a, b = (x - lean * 0.62 * h, -0.12 * h), (x + lean * 0.5 * h, 1.0 * h)
        ends = [(round(p * 16), round(q * 16)) for p, q in (a, b)]
        paint = (colour(colours[k % len(colours)]) * np.float32(255 * random.uniform(0.55, 1.0))).tolist()
        cv2.line(drawn, ends[0], ends[1], paint, max(1, round(random.uniform(1.4, 3.6) * unit)), cv2.LINE_AA, 4)
    light = drawn.astype(np.float32) / np.float32(255)
    smoke = np.clip(np.float32(1) + np.float32(0.5) * cloud, 0.2, 2)[..., None]
    glow = light + np.float32(1.0) * blur(light, 4 * unit) + np.float32(1.6) * blur(light, 22 * unit) * smoke
    scenery = screen(np.clip(scenery, 0, 1), np.float32(amount) * glow)
    return put_behind(canvas, scenery * (1 - np.float32(0.5) * ground(context))[..., None], old)


def double(
    canvas: Canvas,
    paper: str = "f4f1ec",
    trees: Sequence[str] = ("b9c7c4", "6f8a86", "2c4540", "122420"),
    amount: float = 0.9,
) -> F32:
    """A second exposure: the silhouette on white, filled with the scene and a wood in mist; the face stays.

    Where the first exposure was dark (hair, clothes) the second one shows, as on film.

    Args:
        canvas: the picture.
        paper: RRGGBB around the silhouette.
        trees: RRGGBB of the rows of trees, far to near.
        amount: of the second exposure.
    """
    context, unit = canvas.context, canvas.context.unit
    h = context.shape[0]
    mask = people(context)
    old = plate(canvas.picture, mask)
    fill = _wood(context, old, trees)
    light = luma(canvas.picture)
    dark = 1 - step(0.15, 0.80, light)
    face = context.face if context.faces else np.float32(0.75) * head(context)
    free = 1 - np.clip(blur(face, 0.07 * focus(context).tall + 1), 0, 1)
    # Over the face only the crown and the jaw take in some of the wood.
    share = np.float32(amount) * free * (np.float32(0.62) + np.float32(0.38) * dark)
    grey = light[..., None] + (canvas.picture - light[..., None]) * np.float32(0.55)
    exposed = 1 - (1 - fill) * (1 - np.float32(0.55) * grey * (np.float32(0.4) + np.float32(0.6) * light[..., None]))
    inside = mix(grey, exposed, share)
    page = np.broadcast_to(colour(paper), inside.shape)
    far = np.clip(away(context) / np.float32(6), 0, 1)[..., None]
    page = page * (1 - np.float32(0.05) * far)
    y = grid(context.shape)[1] / np.float32(h)
    cloud = np.float32(0.07) * noise(context.shape, 330 * unit, context.seed + 107, 3)
    faded = np.float32(0.95) * step(0.64, 1.02, np.asarray(y + cloud, np.float32)) if not _stands(context) else 0.0
    solid = mask * (1 - faded)
    birds = _birds(context)
    out = mix(np.asarray(page, np.float32), inside, solid)
    return mix(out, colour(trees[-1]), (birds * (1 - mask))[..., None])


def _stands(context: Context) -> bool:
    return float(ground(context).max()) > 0


def _wood(context: Context, scene: F32, trees: Sequence[str]) -> F32:
    """Rows of conifers in mist (h, w, 3) under the scene's own sky."""
    h, w = context.shape
    _, top, _, bottom = extent(context)
    xs, ys = grid(context.shape)
    tall_people = bottom - top
    random = np.random.default_rng([context.seed, 106])
    sky = mix(blur(scene, 6 * context.unit), np.array([0.93, 0.95, 0.95], np.float32), 0.45)
    out = sky
    count = len(trees)
    for row, paint in enumerate(trees):
        depth = row / max(1, count - 1)
        foot = top + (0.12 + 0.76 * depth) * tall_people
        size = (0.28 + 0.40 * depth) * tall_people
        shape = np.zeros((h, w), np.uint8)
        x = -0.2 * size
        while x < w + 0.2 * size:
            tall = size * random.uniform(0.55, 1.0)
            _conifer(shape, x, foot + 0.06 * size * random.standard_normal(), tall, random)
            x += tall * random.uniform(0.09, 0.30)
        # Needles: the smooth drawing is torn by fine noise.
        rough = max(0.7, 0.0045 * size)
        torn = [np.float32(rough) * noise((h, w), 3.2 * rough, context.seed + 114 + 2 * row + k, 2) for k in (0, 1)]
        cover = cv2.remap(shape, xs + torn[0], ys + torn[1], cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)
        cover = blur(cover, 0.5 * context.unit + (1 - depth) * context.unit)
        hills = foot + 0.05 * size * noise((8, w), 0.4 * size, context.seed + 113 + row, 2)[4]
        cover = np.maximum(cover, step(-0.04 * size, 0.04 * size, ys - np.asarray(hills, np.float32)[None]))
        haze = np.clip((ys - np.float32(foot - 0.55 * size)) / np.float32(0.8 * size), 0, 1)
        tinted = mix(
            np.broadcast_to(colour(paint), (h, w, 3)),
            np.array([0.86, 0.90, 0.89], np.float32),
            np.broadcast_to(haze * np.float32(0.8 * (1 - 0.45 * depth)), (h, w)),
        )
        out = mix(out, tinted, cover)
    return np.asarray(out, np.float32)


def _conifer(shape: np.ndarray, x: float, foot: float, tall: float, random: np.random.Generator) -> None:
    """A spruce as tiers of drooping boughs, in sixteenths of a pixel."""
    wide = random.uniform(0.12, 0.19) * tall
    trunk = 0.008 * tall
    parts = [[(x - trunk, foot), (x, foot - tall * 1.02), (x + trunk, foot)]]
    tiers = 30
    for k in range(tiers):
        t = (k + 0.6) / tiers
        y = foot - tall * (1 - 0.97 * t)
        for side in (-1, 1):
            for _ in range(2):
                reach = side * wide * (0.10 + 0.90 * t) * random.uniform(0.55, 1.1)
                at = y + tall * random.uniform(-0.02, 0.02)
                droop = abs(reach) * random.uniform(0.15, 0.55)
                parts.append(
                    [
                        (x, at - 0.022 * tall),
                        (x + reach, at + droop),
                        (x + 0.45 * reach, at + 0.6 * droop + 0.010 * tall),
                        (x, at + 0.014 * tall),
                    ]
                )
    for part in parts:
        cv2.fillPoly(shape, [np.round(np.array(part) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)


def _birds(context: Context) -> F32:
    """A small flock (h, w) beside the head."""
    h, w = context.shape
    at, random = focus(context), np.random.default_rng([context.seed, 108])
    shape = np.zeros((h, w), np.uint8)
    side = 1 if at.x < 0.55 * w else -1
    size = max(at.tall, 0.16 * min(h, w))
    for _ in range(9):
        x = at.x + side * (at.across + size * random.uniform(0.5, 1.8))
        y = max(at.y, 0.22 * h) - size * random.uniform(0.1, 1.1)
        r, lift = size * random.uniform(0.03, 0.065), random.uniform(0.25, 0.6)
        # Two wings that are thickest near the body.
        wings = [(-1, -lift), (-0.45, -0.80 * lift), (0, 0.05), (0.45, -0.75 * lift), (1, -0.9 * lift)]
        wings += [(0.42, -0.52 * lift), (0, 0.26), (-0.42, -0.55 * lift)]
        bird = np.array(wings) * r + np.array([x, y])
        cv2.fillPoly(shape, [np.round(bird * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(shape.astype(np.float32) / np.float32(255), np.float32)


def room(
    canvas: Canvas,
    wall: Sequence[str] = ("efe6d8", "dccdb8"),
    wood: str = "a98660",
    ink: str = "2b2724",
    scene: float = 0.14,
    disc: float = 1.0,
) -> F32:
    """A calm room between Japan and Scandinavia: plaster, a pale disc, slats of oak at a side, a branch's shadow.

    Args:
        canvas: the picture.
        wall: RRGGBB of the plaster, light to shade.
        wood: RRGGBB of the slats.
        ink: RRGGBB that the scene is washed in.
        scene: share of the scene that stays, as an ink wash.
        disc: 0..1 of the disc behind the head.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    mask, at, (x, y) = people(context), focus(context), grid(context.shape)
    old = plate(canvas.picture, mask)
    plaster = np.float32(0.10) * noise(context.shape, 320 * unit, context.seed + 109, 4)
    out = ramp(np.clip((x / w + 0.7 * y / h) * np.float32(0.55) + plaster, 0, 1), wall)
    shade = luma(blur(old, 4 * unit))
    wash = np.clip((np.float32(0.62) - shade) * np.float32(1.6), 0, 1) * np.float32(scene)
    out = mix(out, colour(ink), wash[..., None])
    side = 1 if at.x < 0.55 * w else -1
    if disc:
        r = max(1.25 * at.tall, 0.2 * min(h, w))
        cx, cy = at.x - side * 0.2 * r, at.y - 0.12 * r
        cx, cy = float(cx), max(cy, r * 0.9)
        ring = 1 - step(r - 1.5 * unit, r + 1.5 * unit, np.hypot(x - np.float32(cx), y - np.float32(cy)))
        out = mix(out, colour("c8634a"), (ring * np.float32(0.78 * disc) * (1 + plaster))[..., None])
    # Slats of oak at the side with more room.
    edge = w * (0.80 if side > 0 else 0.20)
    period = 0.034 * max(h, w)
    inside = (x > edge) if side > 0 else (x < edge)
    phase = np.mod(x - np.float32(edge), np.float32(period)) / np.float32(period)
    slat = step(0.0, 0.06, phase) * (1 - step(0.62, 0.68, phase))
    stripes = noise((max(2, h // 24), w), 6 * unit, context.seed + 110, 2)
    veins = cv2.resize(stripes, (w, h), interpolation=cv2.INTER_LINEAR)
    oak = (
        colour(wood)
        * (
            np.float32(0.35)
            + slat * np.float32(0.65)
            + np.float32(0.05) * veins
            + np.float32(0.10) * slat * (1 - phase)
        )[..., None]
    )
    out = mix(out, np.asarray(oak, np.float32), np.broadcast_to(inside.astype(np.float32), (h, w)))
    branch = _branch(context, -side)
    out = out * (1 - np.float32(0.30) * branch)[..., None]
    out = out * (1 - np.float32(0.25) * ground(context))[..., None]
    return put_behind(canvas, np.asarray(np.clip(out, 0, 1), np.float32), old)


def _branch(context: Context, side: int) -> F32:
    """The soft shadow (h, w) of a twig with leaves that reaches in from an upper corner."""
    h, w = context.shape
    unit = context.unit
    random = np.random.default_rng([context.seed, 111])
    shape = np.zeros((h, w), np.uint8)
    start = np.array([w * (0.5 + 0.56 * side), 0.02 * h])
    for turn, length in ((0.55, 0.62), (0.95, 0.55), (0.25, 0.42)):
        angle = np.cumsum(random.normal(0, 0.05, 26)) + turn
        steps = np.stack([-side * np.cos(angle), np.sin(angle)], 1) * length * max(h, w) / 26
        path = start + np.cumsum(steps, 0)
        cv2.polylines(
            shape, [np.round(path * 16).astype(np.int32)], False, 255, max(1, round(3 * unit)), cv2.LINE_AA, 4
        )
        for k in range(4, 26, 3):
            for way in (-1, 1):
                lean = angle[k] + way * random.uniform(0.35, 0.85)
                tip = np.array([-side * np.cos(lean), np.sin(lean)]) * max(h, w) * random.uniform(0.07, 0.105)
                across = np.array([-tip[1], tip[0]]) * random.uniform(0.08, 0.11)
                body = [
                    (0, 0),
                    0.25 * tip + 0.8 * across,
                    0.5 * tip + across,
                    tip,
                    0.5 * tip - across,
                    0.25 * tip - 0.8 * across,
                ]
                leaf = path[k] + np.array(body)
                cv2.fillPoly(shape, [np.round(leaf * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return blur(shape.astype(np.float32) / np.float32(255), 4 * unit)
