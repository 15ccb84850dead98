"""Bent colours: a poster of the 1960s, and something weird."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.contour import contours, reduced, shades, toned
from portrayal.engines.studio.looks.methods.shapes import (
    Board,
    around,
    away,
    calm,
    flower,
    grown,
    heads,
    laid,
    people,
    shadowed,
    spots,
)
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32, Array
from portrayal.perception.types import HAIR


def stripes(level: Array, paints: Array, unit: float, line: float = 2.0, ink: str = "2b1030") -> F32:
    """Colours (h, w, 3) of a field's bands, one of `paints` a band in turn, with an inked line between them."""
    whole = np.floor(level)
    part = level - whole
    slope = cv2.magnitude(
        cv2.Sobel(part * 0 + level, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(level, cv2.CV_32F, 0, 1, scale=0.125)
    )
    pixels = np.minimum(part, 1 - part) / np.maximum(slope, np.float32(1e-4))
    out = paints[np.mod(whole, len(paints)).astype(np.intp)]
    mark = 1 - step(0.5 * line * unit, 0.5 * line * unit + 1.2, pixels)
    return mix(out, colour(ink), (mark * np.float32(0.9))[..., None])


def psychedelic(
    canvas: Canvas,
    *,
    palette: Sequence[str] = ("f9c80e", "f86624", "ea3546", "b5179e", "662e9b", "1b998b", "f4f1bb"),
    ink: str = "2b1030",
) -> F32:
    """A poster of the 1960s: rainbow bands that flow out of the silhouette, swirls in the clothes, flowers.

    Bands are level sets of the distance to the people, bent by waves and noise (Perlin 1985).
    Longer than most: the layers of one picture, in their order.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    inner = people(context)
    paints = np.stack([colour(c) for c in palette])
    x, y = grid(shape)
    x0, y0, _ = heads(context)[0]
    dx, dy = x - np.float32(x0), y - np.float32(y0)
    angle, far = np.arctan2(dy, dx), np.sqrt(dx * dx + dy * dy) / np.float32(unit)
    out = blur(away(context), 10 * unit)
    wave = np.float32(26) * np.sin(angle * 9 + out * np.float32(0.018)) * step(20, 190, out)
    wave = wave + np.float32(34) * noise(shape, 260 * unit, context.seed, 2) * step(10, 160, out)
    grey = blur(context.lab[..., 0], 16 * unit)
    level = (np.float32(0.80) * out + np.float32(0.20) * far + wave + np.float32(36) * grey) / np.float32(40)
    behind = stripes(blur(np.asarray(level, np.float32), 2 * unit), paints, unit, 3.2, ink)
    # People: warm flat shades, clothes melt into swirls of their own colour.
    small = reduced(context)
    flat = toned(context, small)
    lab = shades(context, flat, 3.4, 4.2, 5.0)
    soft = blur(flat, 18 * unit)
    swirl = (
        soft[..., 0] * 7
        + np.float32(1.5) * noise(shape, 190 * unit, context.seed + 3, 2)
        + np.sin(far / np.float32(60) + 2 * angle) * np.float32(0.55)
    )
    bands_of = np.mod(np.floor(swirl), 4)
    melted = soft.copy()
    melted[..., 1:] *= np.float32(1.75)
    melted[..., 0] = np.clip(
        np.float32(0.10) + np.float32(0.92) * melted[..., 0] + np.float32(0.085) * (bands_of - np.float32(1.3)),
        0.14,
        0.95,
    )
    melted[..., 1] += np.float32(0.05) * (bands_of == 1) - np.float32(0.02) * (bands_of == 2)
    melted[..., 2] += np.float32(0.05) * (bands_of == 2) - np.float32(0.04) * (bands_of == 3)
    skin = np.maximum(context.skin, context.detail)
    warm = shades(context, flat, 3.0, 7.0, 2.4)
    warm[..., 0] = np.clip(np.float32(0.07) + np.float32(0.96) * warm[..., 0], 0, 0.97)
    warm = warm * np.array([1, 1.25, 1.25], np.float32) + np.array([0, 0.008, 0.024], np.float32)
    lab[..., 1:] *= np.float32(1.6)
    garment = to_rgb(mix(lab, melted, 0.66))
    inked = paints[np.asarray(np.mod(bands_of * 2 + 1, len(paints)), np.intp)]
    tinted = inked * (np.float32(0.24) + np.float32(0.85) * melted[..., :1])
    grey = 1 - step(0.03, 0.10, np.sqrt(soft[..., 1] ** 2 + soft[..., 2] ** 2))
    if context.regions is not None:
        hair = blur((context.regions == HAIR).astype(np.float32), 3 * unit)
        grey, garment = grey * (1 - hair), mix(garment, to_rgb(lab), np.float32(0.6) * hair)
    garment = mix(garment, tinted, np.float32(0.18) + np.float32(0.34) * grey)
    figure = mix(garment, to_rgb(warm), skin)
    picture = laid(behind, colour("fbf3c8"), grown(inner, 12, unit))
    picture = laid(picture, colour(ink), grown(inner, 5, unit))
    picture = laid(picture, figure, np.maximum(inner, context.detail))
    line = step(0.18, 0.5, contours(context, 1.8, 30.0, 8.0, small)) * inner
    picture = mix(picture, colour(ink), (line * np.float32(0.9))[..., None])
    picture = _flowers(context, picture, paints, ink)
    height, shade = paper(shape, unit, context.seed, 0.7)
    worn = step(1.3, 1.9, noise(shape, 6 * unit, context.seed + 5)) * (1 - skin) * np.float32(0.18)
    picture = mix(picture, colour("f7edd0"), worn[..., None])
    picture = picture * np.float32(0.96) + np.float32(0.02) * height[..., None] * (1 - skin)[..., None]
    return np.asarray(np.clip(picture * shade[..., None] * np.array([1.0, 0.98, 0.93], np.float32), 0, 1), np.float32)


def _flowers(context: Context, picture: F32, paints: Array, ink: str) -> F32:
    """Daisies in the corners and where it is free."""
    h, w = context.shape
    unit = context.unit
    random = np.random.default_rng([context.seed, 191])
    found = [(0.07 * w, 0.93 * h, 118 * unit), (0.95 * w, 0.90 * h, 104 * unit), (0.95 * w, 0.06 * h, 92 * unit)]
    found += [(0.05 * w, 0.08 * h, 78 * unit)] if context.cut else []
    found += spots(context, 7, 20, 50, 192, 1.5, 16) if context.cut else []
    clear = 1 - calm(context, 0.12)
    board = Board(context, picture)
    for i, (x, y, r) in enumerate(found):
        petals = int(random.integers(5, 9))
        whole = flower(x, y, r, petals, 0.42, float(random.uniform(0, 6)))
        board.shadow([whole], 5, 0.35)
        heart = around(x, y, np.full(40, 0.26 * r))
        for path, k in ((whole, 6), ((whole - (x, y)) * 0.74 + (x, y), 1), (heart, 0)):
            board.fill([path], paints[(3 * i + k) % len(paints)])
            board.line([path], colour(ink), 3.0)
    return mix(picture, board.picture, clear)


def strange(canvas: Canvas, *, swirls: int = 4, turn: float = 3.2, eyes: int = 11) -> F32:
    """Weird: the scene swirls in false colours, eyes and dots float in it, clothes ripple; the face is left in peace.

    The swirls are rotations that fall off with distance (Karni-free warps of Wolberg 1990).
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    inner = people(context)
    random = np.random.default_rng([context.seed, 201])
    x, y = grid(shape)
    map_x, map_y = np.broadcast_to(x, shape).astype(np.float32), np.broadcast_to(y, shape).astype(np.float32)
    centres = spots(context, swirls, 70, 170, 202, 1.0, -60) or [
        (0.2 * w, 0.2 * h, 150 * unit),
        (0.8 * w, 0.3 * h, 150 * unit),
    ]
    for i, (cx, cy, r) in enumerate(centres):
        reach = np.float32(2.0 * r)
        dx, dy = map_x - np.float32(cx), map_y - np.float32(cy)
        inside = dx * dx + dy * dy < reach * reach  # all else stays where it is
        dx, dy = dx[inside], dy[inside]
        share = 1 - step(0.0, 1.0, np.sqrt(dx * dx + dy * dy) / reach)
        spin = share * share * np.float32(turn * (1 if i % 2 else -1))
        c, s = np.cos(spin), np.sin(spin)
        map_x[inside], map_y[inside] = np.float32(cx) + c * dx - s * dy, np.float32(cy) + s * dx + c * dy
    map_x = map_x + np.float32(9 * unit) * np.sin(y / np.float32(26 * unit))
    small = reduced(context)
    flat = toned(context, small)
    scene = _false_colours(blur(flat, 2 * unit), 1.0)
    behind = cv2.remap(scene, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    far = away(context)
    ring = np.abs(np.mod(far / np.float32(34), 1) - np.float32(0.5)) * 2
    echo = (
        step(0.62, 0.72, ring) * (1 - step(60, 170, far)) * (1 - inner) if context.cut else np.zeros(shape, np.float32)
    )
    behind = mix(behind, 1 - behind, (echo * np.float32(0.75))[..., None])
    picture = np.asarray(behind, np.float32)
    if context.cut:
        picture = _dots(context, picture)
        picture = _eyes(context, picture, eyes, random)
    # Clothes and hair in colours of their own world, rippled; away from the face.
    still = calm(context, 0.10)
    ripple = (
        np.float32(13 * unit)
        * np.sin(y / np.float32(17 * unit) + x / np.float32(60 * unit))
        * (1 - blur(still, 10 * unit))
    )
    other = _false_colours(shades(context, flat, 2.4, 7.0, 2.0), 0.55)
    wavy = cv2.remap(other, x + ripple, y + ripple * np.float32(0.3), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    skin = np.maximum(context.skin, context.detail)
    natural = flat * np.array([1, 1.12, 1.12], np.float32)
    figure = mix(wavy, to_rgb(natural), skin)
    picture = shadowed(picture, inner, unit, 10, 0.5) if context.cut else picture
    picture = mix(picture, figure, np.maximum(inner, context.detail))
    glow = blur(inner, 7 * unit) * (1 - inner)
    picture = mix(picture, colour("eaff00"), (glow * np.float32(1.2)).clip(0, 1)[..., None])
    line = contours(context, 1.4, 26.0, 7.0, small) * inner * (1 - np.float32(0.5) * context.skin)
    picture = mix(picture, colour("1c0636"), (line * np.float32(0.8))[..., None])
    return np.asarray(np.clip(picture, 0, 1), np.float32)


_WHEEL: Final = ("14003b", "4b1fa8", "0096c7", "17e0a0", "f4ff61", "ff8a3d", "ff3fa4", "ffd1f0")


def _false_colours(lab: F32, share: float) -> F32:
    """Lightness through a wheel of colours, sRGB codes; `share` of it, the rest is the picture with turned hues."""
    light = np.clip(lab[..., 0] * np.float32(1.05), 0, 1) * np.float32(255)
    at = np.linspace(0, 255, len(_WHEEL))
    wheel = np.stack([colour(c) for c in _WHEEL])
    table = np.stack([np.interp(np.arange(256), at, wheel[:, c]) for c in range(3)], 1).astype(np.float32)
    mapped = table[light.astype(np.intp)]
    turned = lab.copy()
    c, s = math.cos(2.2), math.sin(2.2)
    turned[..., 1], turned[..., 2] = c * lab[..., 1] - s * lab[..., 2], s * lab[..., 1] + c * lab[..., 2]
    turned[..., 1:] *= np.float32(1.6)
    return mix(to_rgb(turned), mapped, share)


def _dots(context: Context, picture: F32) -> F32:
    """Rows of dots that shrink towards the people."""
    x, y = grid(context.shape)
    unit = np.float32(context.unit)
    u, v = (x + y) / unit / 46, (x - y) / unit / 46
    far = np.sqrt((u - np.floor(u) - np.float32(0.5)) ** 2 + (v - np.floor(v) - np.float32(0.5)) ** 2) * 46
    size = np.clip((away(context) - 110) / 14, 0, 13)
    cover = (1 - step(-0.8, 0.8 / context.unit, far - size)) * step(0.5, 2.0, size)
    return mix(picture, 1 - picture[..., ::-1] * np.float32(0.8), (cover * np.float32(0.55))[..., None])


def _eyes(context: Context, picture: F32, count: int, random: np.random.Generator) -> F32:
    """Floating eyes that all look at the people."""
    x0, y0, _ = heads(context)[0]
    irises = ("ff3fa4", "17c3b2", "ff8a1f", "6a4cff", "b6e000")
    ink = colour("1c0636")
    board = Board(context, picture)
    for i, (x, y, r) in enumerate(spots(context, count, 18, 62, 203, 1.35, 22)):
        lid = around(x, y, np.full(60, r), 0, 0.92)
        board.shadow([lid], 8, 0.5)
        top, bottom, left, right = board.bounds([lid])
        gx, gy = np.arange(left, right, dtype=np.float32)[None], np.arange(top, bottom, dtype=np.float32)[:, None]
        depth = np.sqrt((gx - np.float32(x + 0.2 * r)) ** 2 + (gy - np.float32(y + 0.25 * r)) ** 2) / np.float32(r)
        pale = np.broadcast_to(colour("fffdf5"), (*depth.shape, 3))
        board.fill([lid], mix(pale, colour("b9a3d9"), step(0.5, 1.5, depth)[..., None]))
        look = math.atan2(y0 - y, x0 - x)
        ix, iy = x + 0.38 * r * math.cos(look), y + 0.36 * r * math.sin(look)
        for share, paint in ((0.50, "1c0636"), (0.45, irises[i % 5]), (0.24, "10041f")):
            board.fill([around(ix, iy, np.full(40, share * r))], colour(paint), within=[lid])
        board.fill([around(ix - 0.16 * r, iy - 0.17 * r, np.full(20, 0.10 * r))], colour("ffffff"))
        board.line([lid], ink, 3.0)
        if random.random() < 0.7:  # lashes
            turns = np.linspace(-2.4, -0.75, 6).tolist()
            inner = [np.array([x + r * math.cos(t), y + 0.92 * r * math.sin(t)]) for t in turns]
            outer = [np.array([x + 1.28 * r * math.cos(t), y + 1.2 * r * math.sin(t)]) for t in turns]
            board.line([np.stack(pair) for pair in zip(inner, outer, strict=True)], ink, 3.4, closed=False)
    return board.picture


METHODS: Final[dict[str, Method]] = {"psychedelic": psychedelic, "strange": strange}
