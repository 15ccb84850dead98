"""Flat geometry and paper: figures drawn from data, ramps, margins, worn sheets, shapes that do not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method, codes
from portrayal.engines.studio.looks.methods.figures import SHAPES, Pen
from portrayal.engines.studio.looks.methods.inks import Inks, cut, place
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32, U8


def shapes(
    canvas: Canvas,
    shapes: Sequence[Mapping[str, Any]],
    where: str = "scene",
    share: float = 1.0,
    multiply: bool = False,
    but: Sequence[Mapping[str, Any]] = (),
) -> F32:
    """Flat shapes over a part of the picture; see `Pen` for their coordinates.

    Args:
        canvas: what is drawn on.
        shapes: each a table with `kind` and what that kind needs.
        where: a part, see `inks.place`.
        share: of ink.
        multiply: whether ink is transparent and darkens what lies under it.
        but: shapes whose place is left out.
    """
    context = canvas.context
    ground: U8 = (
        np.full((*context.shape, 3), 255, np.uint8) if multiply else np.ascontiguousarray(codes(canvas.picture))
    )
    pen = Pen(context, ground)
    for shape in shapes:
        SHAPES[shape["kind"]](pen, shape)
    drawn = pen.picture.astype(np.float32) / np.float32(255)
    if multiply:
        drawn = drawn * canvas.picture
    part = place(context, where) * np.float32(share)
    if but:
        hole = Pen(context, np.zeros((*context.shape, 3), np.uint8))
        for shape in but:
            SHAPES[shape["kind"]](hole, {**shape, "ink": "ffffff"})
        part = part * (1 - hole.picture[..., 0].astype(np.float32) / np.float32(255))
    return mix(canvas.picture, drawn, part)


def fill(canvas: Canvas, inks: Inks, where: str = "scene", share: float = 1.0, angle: float = 90.0) -> F32:
    """One flat ink, or a smooth ramp over several (from left to right at angle 0, top to bottom at 90)."""
    context = canvas.context
    h, w = context.shape
    if len(inks) == 1:
        return mix(canvas.picture, colour(inks[0]), (place(context, where) * np.float32(share))[..., None])
    x, y = grid(context.shape)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    t = x * np.float32(c / w) + y * np.float32(s / h) + np.float32(max(0.0, -c) + max(0.0, -s))
    t = np.clip(t / np.float32(abs(c) + abs(s)), 0, 1) * np.float32(len(inks) - 1)
    out = np.broadcast_to(colour(inks[0]), canvas.picture.shape)
    for i, ink in enumerate(inks[1:]):
        out = mix(out, colour(ink), np.clip(t - np.float32(i), 0, 1)[..., None])
    return mix(canvas.picture, out, place(context, where) * np.float32(share))


def margin(
    canvas: Canvas,
    ink: str = "f4ecd8",
    width: float = 0.03,
    bottom: float | None = None,
    rule: float = 0.0,
    rule_ink: str = "1a1a1a",
    round_: float = 0.0,
) -> F32:
    """A paper margin around the print; `bottom` may be wider; `rule` draws a thin frame just inside of it.

    Widths are shares of the shorter side.
    """
    h, w = canvas.context.shape
    side = min(h, w)
    base = width if bottom is None else bottom
    edge, low = width * side, h - base * side
    x, y = grid((h, w))
    away = np.minimum(np.minimum(x - edge, w - 1 - edge - x), np.minimum(y - edge, low - 1 - y)) + np.float32(0.5)
    out = canvas.picture
    if rule:
        inner = away - np.float32(1.2 * rule * side)
        band = np.clip(inner + 0.5, 0, 1) * np.clip(np.float32(rule * side) - inner + 0.5, 0, 1)
        out = mix(out, colour(rule_ink), np.asarray(band, np.float32)[..., None])
    return mix(colour(ink), out, np.clip(away + np.float32(0.5), 0, 1).astype(np.float32)[..., None])


def sheet(
    canvas: Canvas,
    relief: float = 0.7,
    grain: float = 0.02,
    wear: float = 0.0,
    paper_ink: str = "f4ead2",
    tint: float = 0.0,
    folds: float = 0.0,
    vignette: float = 0.0,
) -> F32:
    """Paper under and over the ink: relief, grain, worn spots, yellowing, folds.

    Args:
        canvas: the print.
        relief: how rough the paper is.
        grain: of the ink.
        wear: share of ink that is gone in worn spots.
        paper_ink: colour of the paper.
        tint: how far everything is tinted by the paper.
        folds: how much ink is gone on the two folds.
        vignette: how much darker the corners are.
    """
    context, unit, shape = canvas.context, canvas.context.unit, canvas.context.shape
    page = colour(paper_ink)
    out = canvas.picture
    height, shade = paper(shape, unit, context.seed + 3, relief)
    calm = 1 - np.float32(0.75) * context.face
    if tint:
        out = mix(out, out * page, tint)
    if wear:
        spots = noise(shape, 4.5 * unit, context.seed + 5) + np.float32(0.45) * noise(
            shape, 130 * unit, context.seed + 6, 2
        )
        out = mix(out, page, (step(1.05, 1.6, spots) * calm * np.float32(wear))[..., None])
    x, y = grid(shape)
    if folds:
        h, w = shape
        wobble = noise(shape, 40 * unit, context.seed + 8, 3) * np.float32(2.2 * unit)
        crease = np.minimum(np.abs(x - np.float32(0.5 * w) + wobble), np.abs(y - np.float32(0.72 * h) + wobble))
        rough = np.clip(np.float32(0.6) + height, 0, 1.2)
        ink_off = np.exp(-((crease / np.float32(1.6 * unit)) ** 2)) * rough * (1 - context.face)
        out = mix(out, page, (np.clip(ink_off, 0, 1) * np.float32(folds))[..., None])
    if vignette:
        h, w = shape
        far = ((x - w / 2) / (0.72 * w)) ** 2 + ((y - h / 2) / (0.72 * h)) ** 2
        out = out * (1 - np.float32(vignette) * step(0.45, 1.25, np.asarray(far, np.float32)))[..., None]
    texture = (1 + np.float32(grain) * height * calm) * shade
    return np.asarray(np.clip(out * texture[..., None], 0, 1), np.float32)


def glow(canvas: Canvas, radius: float = 18.0, strength: float = 0.35, over: float = 0.75) -> F32:
    """Bright parts shine over their surroundings."""
    bright = np.clip(canvas.picture - np.float32(over), 0, 1)
    wide = blur(bright, radius * canvas.context.unit) * np.float32(strength / (1 - over))
    return np.asarray(1 - (1 - canvas.picture) * (1 - np.clip(wide, 0, 1)), np.float32)


def silhouette(
    canvas: Canvas, ink: str, shift: Sequence[float], multiply: bool = False, share: float = 1.0, behind: bool = True
) -> F32:
    """The people's shape again in one ink beside them, as of a block that does not fit; `shift` as in `inks.line`."""
    context = canvas.context
    h, w = context.shape
    if not context.cut:
        return canvas.picture
    people = cut(context)
    dx, dy = (float(v) * context.unit for v in shift)
    moved = cv2.warpAffine(
        people, np.array([[1, 0, dx], [0, 1, dy]], np.float32), (w, h), borderMode=cv2.BORDER_REPLICATE
    )
    if behind:
        moved = moved * (1 - people)
    goal = canvas.picture * colour(ink) if multiply else np.broadcast_to(colour(ink), canvas.picture.shape)
    return mix(canvas.picture, goal, np.asarray(moved, np.float32) * np.float32(share))


METHODS: Final[dict[str, Method]] = {
    "shapes": shapes,
    "fill": fill,
    "margin": margin,
    "sheet": sheet,
    "glow": glow,
    "silhouette": silhouette,
}
