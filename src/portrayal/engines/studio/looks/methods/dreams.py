"""A surreal collage: cut-out figures in an engraved sky."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.methods.collage import cut_out, punchy
from portrayal.engines.studio.looks.methods.shapes import Board, around, away, cloud, spots, star
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32, Array


def engraved(
    context: Context, light: Array, period: float, angle: float, bulge: float = 1.6, corner: tuple[int, int] = (0, 0)
) -> F32:
    """1 = ink: the swelling lines of an engraving, bent by the light (Ostromoukhov 1999).

    Args:
        light: (rows, columns) 0..1, of the picture or of a part whose top and left are `corner`.
        period: in units; angle: across the lines; bulge: how many periods the light moves them.
    """
    x, y = grid((light.shape[0], light.shape[1]))
    pitch = max(3.4, period * context.unit)
    c, s = np.float32(math.cos(angle) / pitch), np.float32(math.sin(angle) / pitch)
    phase = (x + np.float32(corner[1])) * c + (y + np.float32(corner[0])) * s
    if bulge:
        phase = phase + np.float32(bulge) * blur(light, 3 * context.unit)
    off = np.abs(phase - np.floor(phase) - np.float32(0.5)) * 2
    width = np.clip(1 - light, 0.0, 1) * np.float32(0.95)
    edge = 1.3 / pitch
    return step(-edge, edge, width - off) * step(0.02, 0.10, width)


def dream(canvas: Canvas, *, high: str = "2f5f7d", low: str = "f2c48d", ink: str = "2b211c") -> F32:
    """A surreal collage: a cut-out person in an engraved sky with a moon, an eye that is a sun, a window to the scene.

    Engraving after Ostromoukhov 1999.
    Longer than most: the layers of one picture, in their order.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    x, y = grid(shape)
    random = np.random.default_rng([context.seed, 151])
    down = (y + x * np.float32(0)) / np.float32(h)
    horizon = 0.72
    picture = mix(np.broadcast_to(colour(high), (h, w, 3)), colour(low), step(0.0, horizon, down)[..., None])
    lines = engraved(
        context,
        np.float32(0.46)
        + np.float32(0.40) * step(0, horizon, down)
        + np.float32(0.10) * noise(shape, 160 * unit, 4, 3),
        9,
        math.pi / 2,
        3.0,
    )
    picture = mix(picture, colour(ink), (lines * np.float32(0.34))[..., None])
    # A floor of tiles that runs to the horizon.
    depth = np.maximum(down - np.float32(horizon), np.float32(1e-3))
    tile = np.mod(
        np.floor((x / np.float32(w) - np.float32(0.5)) / depth * np.float32(0.8)) + np.floor(np.float32(0.32) / depth),
        2,
    )
    floor = mix(np.broadcast_to(colour("e9d9b8"), (h, w, 3)), colour("7c3b35"), tile[..., None])
    floor = mix(floor, colour(low), (1 - step(0.0, 0.10, depth))[..., None])
    picture = mix(picture, floor, step(horizon - 0.001, horizon + 0.001, down)[..., None])
    board = Board(context, picture)
    for i, (px, py, r) in enumerate(spots(context, 9, 34, 150, 152, 1.12, 18)):
        if i < 3:
            (_window, _eye, _moon)[i](context, board, px, py, r, ink)
        elif i % 2 and py < horizon * h:
            _cloud(context, board, px, py, r, ink)
        else:
            _ball(context, board, px, py, 0.75 * r, ink, str(random.choice(("b3412f", "2f6f73", "d7a13b"))))
    picture = board.picture
    grey = context.lifted(context.fine[..., 0])
    a, b = np.quantile(grey[::4, ::4], [0.02, 0.97])
    tone = np.clip((grey - np.float32(a)) / np.float32(max(b - a, 0.3)), 0, 1)
    skin = np.maximum(context.skin, context.detail)
    strokes = engraved(context, np.clip(np.float32(0.12) + np.float32(0.95) * tone, 0, 1), 6.2, 0.95, 2.2)
    sepia = mix(
        np.broadcast_to(colour(ink), (h, w, 3)),
        colour("f4e8cf"),
        (np.float32(0.28) + np.float32(0.72) * tone)[..., None],
    )
    sepia = mix(sepia, punchy(context, 1.1, 1.2), 0.38)
    figure = mix(sepia, colour(ink), (strokes * np.float32(0.72) * (1 - skin))[..., None])
    hand = mix(punchy(context, 1.14, 0.85), sepia, 0.42)
    fine_lines = engraved(context, np.clip(np.float32(0.25) + tone, 0, 1), 5.2, 0.95, 2.2) * (1 - context.detail)
    hand = mix(hand, colour(ink), (fine_lines * np.float32(0.30))[..., None])
    figure = mix(figure, hand, skin)
    picture = cut_out(context, picture, figure, 6, 61)
    _, shade = paper(shape, unit, context.seed, 0.9)
    old = 1 - np.float32(0.06) * step(0.2, 1.6, noise(shape, 240 * unit, 6, 4))
    return np.asarray(np.clip(picture * (shade * old)[..., None], 0, 1), np.float32)


def _within(board: Board, path: Array, x: float, y: float, r: float) -> tuple[F32, F32, tuple[int, int]]:
    """Coordinates around a point in radii, within the bounds of a path, and the bounds' corner."""
    top, bottom, left, right = board.bounds([path])
    gx, gy = np.arange(left, right, dtype=np.float32)[None], np.arange(top, bottom, dtype=np.float32)[:, None]
    u = (gx - np.float32(x)) / np.float32(r) + gy * np.float32(0)
    return (
        np.asarray(u, np.float32),
        np.asarray((gy - np.float32(y)) / np.float32(r) + gx * np.float32(0), np.float32),
        (top, left),
    )


def _window(context: Context, board: Board, x: float, y: float, r: float, ink: str) -> None:
    """An arched frame that shows the scene, from where it is farthest from the people."""
    turn = np.linspace(np.pi, 2 * np.pi, 40)
    top = np.stack([x + 0.62 * r * np.cos(turn), y - 0.3 * r + 0.62 * r * np.sin(turn)], 1)
    path = np.concatenate([top, [[x + 0.62 * r, y + 0.95 * r], [x - 0.62 * r, y + 0.95 * r]]])
    frame = (path - (x, y)) * 1.13 + (x, y)
    board.shadow([frame], 10, 0.5)
    board.fill([frame], colour("d9b36a"))
    board.line([frame], colour(ink), 2.4, 0.8)
    y0, y1, x0, x1 = board.bounds([path])
    if y0 == y1 or x0 == x1:
        return
    h, w = context.shape
    # Twice as much of the scene as the window is large; where the people are least in it.
    tall, wide = min(h, 2 * (y1 - y0)), min(w, 2 * (x1 - x0))
    free = cv2.blur(np.minimum(away(context), np.float32(120)), (wide | 1, tall | 1), borderType=cv2.BORDER_CONSTANT)
    at = np.unravel_index(int(free.argmax()), free.shape)
    top_row = int(np.clip(int(at[0]) - tall // 2, 0, h - tall))
    left_column = int(np.clip(int(at[1]) - wide // 2, 0, w - wide))
    view = punchy(context, 1.1, 1.2)[top_row : top_row + tall, left_column : left_column + wide]
    board.fill([path], cv2.resize(view, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA))
    board.line([path], colour(ink), 3.0, 0.8)


def _eye(context: Context, board: Board, x: float, y: float, r: float, ink: str) -> None:
    """An eye that is a sun, with rays around it."""
    rays = [star(x, y, r, 18, 0.62, 0.1)]
    board.shadow(rays, 6, 0.35)
    board.fill(rays, colour("eab04a"))
    board.line(rays, colour(ink), 2.2, 0.8)
    t = np.linspace(-1, 1, 40)
    arc = 0.30 * (1 - t**2) ** 0.8
    upper, lower = np.stack([x + 0.56 * r * t, y - r * arc], 1), np.stack([x + 0.56 * r * t, y + r * arc], 1)
    almond = np.concatenate([upper, lower[::-1]])
    board.fill([almond], colour("f8f1df"))
    for share, paint in ((0.24, "3f7f8c"), (0.12, ink)):
        board.fill([around(x, y, np.full(40, share * r))], colour(paint), within=[almond])
    board.fill([around(x - 0.08 * r, y - 0.08 * r, np.full(20, 0.05 * r))], colour("ffffff"))
    board.line([almond], colour(ink), 3.4)


def _moon(context: Context, board: Board, x: float, y: float, r: float, ink: str) -> None:
    """A full moon with seas, lit from the left."""
    path = around(x, y, np.full(90, 0.85 * r))
    u, v, corner = _within(board, path, x, y, 0.85 * r)
    seas = noise((u.shape[0], u.shape[1]), 70 * context.unit, 21, 3)
    light = np.clip(
        np.float32(0.85) - np.float32(0.40) * (u + v * np.float32(0.4)) - np.float32(0.20) * step(0.1, 0.7, seas),
        0.05,
        1,
    )
    lines = engraved(context, light, 6, 1.2, 0.0, corner)
    board.shadow([path], 6, 0.3)
    board.fill(
        [path],
        mix(np.broadcast_to(colour("f3e9d0"), (*u.shape, 3)), colour(ink), (lines * np.float32(0.75))[..., None]),
    )


def _cloud(context: Context, board: Board, x: float, y: float, r: float, ink: str) -> None:
    """A cut-out cloud, engraved in its shade."""
    path = cloud(x, y, r)
    _, v, corner = _within(board, path, x, y, r)
    lines = engraved(context, np.clip(np.float32(0.80) - np.float32(0.9) * v, 0, 1), 6.5, math.pi / 2, 0.0, corner)
    board.shadow([path], 8, 0.35)
    board.fill(
        [path], mix(np.broadcast_to(colour("faf3e3"), (*v.shape, 3)), colour(ink), (lines * np.float32(0.6))[..., None])
    )
    board.line([path], colour(ink), 2.0, 0.8)


def _ball(context: Context, board: Board, x: float, y: float, r: float, ink: str, paint: str) -> None:
    """A floating ball, shaded with engraved lines."""
    path = around(x, y, np.full(60, r))
    u, v, corner = _within(board, path, x, y, r)
    deep = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    facing = deep * np.float32(0.6) - u * np.float32(0.5) - v * np.float32(0.55)
    light = np.clip(np.float32(0.25) + np.float32(0.9) * facing, 0, 1)
    lines = engraved(context, np.clip(light + np.float32(0.15), 0, 1), 6, 0.6, 1.0, corner)
    lit = np.clip(colour(paint) * (np.float32(0.55) + np.float32(0.6) * light)[..., None], 0, 1)
    board.shadow([path], 9, 0.35)
    board.fill([path], mix(lit, colour(ink), (lines * np.float32(0.6))[..., None]))


METHODS: Final[dict[str, Method]] = {"dream": dream}
