"""Cut, torn and pasted: collage, avant-garde blocks, mixed media, a surreal collage of engravings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_rgb
from portrayal.engines.studio.looks.methods.brush import dab, directions, easel, full, relief, scattered, vivid
from portrayal.engines.studio.looks.methods.contour import contours
from portrayal.engines.studio.looks.methods.shapes import (
    Board,
    around,
    calm,
    drawn_paths,
    filled,
    grown,
    heads,
    laid,
    people,
    shadowed,
    wandering,
)
from portrayal.engines.studio.looks.texture import blur, colour, dots, grid, mix, noise, paper, step
from portrayal.imaging import F32, Array


def sheet(context: Context, x: float, y: float, wide: float, tall: float, turn: float) -> F32:
    """Corners (4, 2) of a sheet: middle and size as shares of the picture, turned by degrees."""
    h, w = context.shape
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * (wide * w, tall * h)
    return np.asarray(corners @ np.array([[c, s], [-s, c]]) + (x * w, y * h), np.float32)


class Tearer:
    """Pastes torn sheets on a board.

    Attributes:
        board: what they are pasted on.
    """

    def __init__(self, context: Context, picture: F32) -> None:
        self.board = Board(context, picture)
        self._unit = context.unit
        unit, shape, seed = context.unit, context.shape, context.seed + 17
        self._wide = [noise(shape, 60 * unit, seed + i, 3) * np.float32(unit) for i in range(2)]
        self._fine = [noise(shape, 7 * unit, seed + i, 2) * np.float32(unit) for i in (2, 3)]

    def sheet(self, paint: Array, corners: F32, number: int, edge: float = 6.0) -> None:
        """A torn sheet with its white fibrous edge and its shadow.

        Args:
            paint: (h, w, 3), what is on it, for the whole picture.
            corners: (n, 2).
            number: each sheet is torn in its own way.
            edge: width of the white, units.
        """
        at = self.board.bounds([corners], (edge + 34) * self._unit)
        if at[0] == at[1] or at[2] == at[3]:
            return
        part = np.s_[at[0] : at[1], at[2] : at[3]]
        mask = self.board.mask([corners], at)
        core = self._torn(mask, part, number, 5.0, 2.2)
        rim = np.maximum(self._torn(grown(mask, edge, self._unit), part, number + 1, 6.5, 3.0), core)
        under = shadowed(self.board.picture[part], rim, self._unit, 6, 0.42)
        self.board.picture[part] = laid(
            laid(under, colour("f6f1e6"), rim), paint[part] if paint.ndim == 3 else paint, core
        )

    def _torn(self, mask: F32, part: tuple[slice, slice], number: int, coarse: float, fine: float) -> F32:
        # Two fields, turned by the number, tear every sheet differently.
        c, s = np.float32(math.cos(2.4 * number)), np.float32(math.sin(2.4 * number))
        wide, near = (
            [f[part] * np.float32(coarse) for f in self._wide],
            [f[part] * np.float32(fine) for f in self._fine],
        )
        x, y = grid((mask.shape[0], mask.shape[1]))
        map_x = x + c * wide[0] + s * wide[1] + c * near[1] + s * near[0]
        map_y = y + c * wide[1] - s * wide[0] + c * near[0] - s * near[1]
        return np.asarray(cv2.remap(mask, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def paper_of(context: Context, hexadecimal: str, number: int) -> F32:
    """A coloured paper with fibres and folds."""
    unit, shape = context.unit, context.shape
    seed = context.seed + 131 * number
    tone = np.float32(0.035) * noise(shape, 180 * unit, seed, 4) + np.float32(0.022) * noise(
        shape, 4 * unit, seed + 1, 2
    )
    return np.asarray(np.clip(colour(hexadecimal) * (1 + tone)[..., None], 0, 1), np.float32)


def tape(context: Context, board: Board, x: float, y: float, turn: float, long: float = 120.0) -> None:
    """A piece of cream adhesive tape, x and y in pixels, turned by degrees; its ends are cut in teeth."""
    unit = context.unit
    ends = np.linspace(-0.5, 0.5, 9)
    tooth = np.where(np.arange(9) % 2 == 0, 0.0, 0.03)
    left, right = np.stack([-0.5 + tooth, ends], 1), np.stack([0.5 - tooth, ends], 1)[::-1]
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    path = np.concatenate([left, right]) * (long * unit, 36 * unit) @ np.array([[c, s], [-s, c]]) + (x, y)
    board.shadow([path], 2.5, 0.25)
    top, bottom, first, last = board.bounds([path])
    if top < bottom and first < last:
        under = board.picture[top:bottom, first:last]
        board.fill([path], under * np.float32(0.35) + colour("f3e3b0") * np.float32(0.64), 0.85)


def punchy(context: Context, contrast: float = 1.18, chroma: float = 1.15) -> F32:
    """The photograph as a good print has it; sRGB codes."""
    lab = context.fine.copy()
    lab[..., 0] = context.lifted(lab[..., 0])
    middle = np.float32(0.58)
    lab[..., 0] = np.clip(middle + (lab[..., 0] - middle) * np.float32(contrast), 0, 1)
    lab[..., 1:] *= np.float32(chroma)
    return to_rgb(lab)


def cut_out(context: Context, picture: F32, figure: F32, edge: float = 9.0, number: int = 11) -> F32:
    """Paste the people, cut with scissors: a white edge of uneven width, and a shadow."""
    inner = people(context)
    rim = wandering(context, grown(inner, edge, context.unit), 5.5, 0.4, number)
    # Scissors leave facets: a median over a coarse picture makes corners.
    rim = np.maximum(step(0.4, 0.6, rim), inner)
    picture = shadowed(picture, rim, context.unit, 11, 0.5)
    picture = laid(picture, colour("fbfaf6"), rim)
    return laid(picture, figure, inner)


def papers(
    canvas: Canvas, *, colours: Sequence[str] = ("e8dcc3", "1f7a7a", "f0b13c", "e4573d", "223a5e", "f3c6c1")
) -> F32:
    """A collage: the people cut out of a photograph, on torn coloured papers, with a torn print of the scene and tape.

    Edges wander by fractal noise (Perlin 1985).
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    sheets = [paper_of(context, c, i + 1) for i, c in enumerate(colours)]
    lay = np.random.default_rng([context.seed, 121]).uniform(-1, 1, 20)
    tearer = Tearer(context, sheets[0])
    tearer.sheet(sheets[1], sheet(context, 0.16, 0.30, 0.62, 0.72, -9 + 4 * lay[0]), 12)
    tearer.sheet(sheets[2], sheet(context, 0.86, 0.22, 0.52, 0.54, 8 + 4 * lay[1]), 14)
    scene = mix(punchy(context, 1.1, 0.85), colour("efe6d2"), 0.16)
    light = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    print_dots = dots(np.clip(1 - light, 0, 1) * np.float32(0.8), max(3.6, 6 * unit))
    scene = scene * (1 - np.float32(0.16) * print_dots)[..., None]
    tearer.sheet(scene, sheet(context, 0.5 + 0.02 * lay[2], 0.44, 0.76, 0.72, 3 * lay[3]), 16, 12)
    tearer.sheet(sheets[3], sheet(context, 0.10, 0.94, 0.72, 0.34, -12 + 4 * lay[4]), 18)
    tearer.sheet(sheets[4], sheet(context, 0.95, 0.93, 0.60, 0.36, 14 + 4 * lay[5]), 20)
    tearer.sheet(sheets[5], sheet(context, 0.93, 0.60, 0.20, 0.12, -20 + 9 * lay[6]), 22)
    board = Board(context, cut_out(context, tearer.board.picture, punchy(context, 1.2, 1.12), 11))
    for x, y, turn in ((0.155, 0.115, -42), (0.845, 0.105, 38)):
        tape(context, board, x * w, y * h, turn + 6 * lay[7])
    picture = board.picture
    _, shade = paper(shape, unit, context.seed, 0.7)
    return np.asarray(np.clip(picture * shade[..., None], 0, 1), np.float32)


def tilted_blocks(
    canvas: Canvas,
    *,
    dark: str = "101014",
    hot: str = "e3141e",
    acid: str = "d8f000",
    light: str = "eceae2",
    tilt: float = -17.0,
) -> F32:
    """Avant-garde: a photograph in hard black and white between tilted blocks, slices of the scene, a torn strip.

    The blacks are a soft threshold with grain (Winnemoeller 2011, XDoG).
    Longer than most: the layers of one picture, in their order.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    inner = people(context)
    grey = context.lifted(context.fine[..., 0])
    low, high = np.quantile(grey[::4, ::4], [0.03, 0.96])
    grey = np.clip((grey - np.float32(low)) / np.float32(max(high - low, 0.3)), 0, 1)
    grain = np.float32(0.05) * noise(shape, 2.6 * unit, context.seed + 1, 2)
    hard = step(0.22, 0.74, grey + grain * (1 - np.float32(0.6) * context.detail))
    skin = np.maximum(context.skin, context.detail)
    # Faces have their own scale, and their features are brought out, so that nobody's washes out or drowns.
    tall = max(context.face_heights, default=0.0)
    kept = step(0.08, 0.92, grey)
    if tall:
        inside = grey[context.face > 0.6]
        a, b = np.quantile(inside if len(inside) else grey, [0.04, 0.92])
        own = np.clip((grey - np.float32(a)) / np.float32(max(b - a, 0.15)), 0, 1)
        own = np.float32(0.06) + np.float32(0.84) * mix(own, kept, 0.35)
        kept = np.clip(
            own + np.float32(1.3) * (grey - blur(grey, 0.045 * tall)) * blur(context.features, 0.02 * tall), 0, 1
        )
    figure = mix(hard, kept, skin * np.float32(0.85))
    # The scene in three slices that slipped along the tilt.
    angle = math.radians(tilt)
    x, y = grid(shape)
    across = -math.sin(angle) * (x - w / 2) + math.cos(angle) * (y - h / 2)
    slice_of = np.floor(across / np.float32(0.19 * h))
    slip = np.where(np.mod(slice_of, 2) == 0, np.float32(46 * unit), np.float32(-30 * unit)).astype(np.float32)
    tone = cv2.remap(
        grey, x + slip * np.float32(math.cos(angle)), y + slip * np.float32(math.sin(angle)), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    screen = dots(np.clip(1 - tone, 0.0, 1) ** np.float32(1.3), max(5.0, 11 * unit), angle)
    picture = mix(np.broadcast_to(colour(light), (h, w, 3)), colour(dark), (screen * np.float32(0.86))[..., None])
    x0, y0, tall = heads(context)[0]
    cx, cy = x0 / w, y0 / h
    blocks = (
        (hot, cx - 0.30, cy + 0.02, 0.52, 0.34, tilt),
        (dark, cx + 0.34, cy - 0.26, 0.70, 0.20, tilt),
        (acid, cx + 0.36, cy + 0.24, 0.34, 0.46, tilt),
        (dark, cx - 0.46, cy + 0.36, 0.62, 0.10, tilt),
        (hot, cx + 0.50, cy - 0.06, 0.60, 0.045, tilt),
        (dark, cx + 0.02, cy - 0.40, 0.05, 0.60, tilt),
    )
    for paint, bx, by, wide, long, turn in blocks:
        mask = filled(context, [sheet(context, bx, by, wide, long, turn)])
        ink = np.float32(0.97) - np.float32(0.05) * step(0.4, 1.4, noise(shape, 5 * unit, context.seed + 5, 2))
        picture = mix(picture, colour(paint), (mask * ink)[..., None])
    person = mix(np.broadcast_to(colour(dark), (h, w, 3)), colour("f4f2ec"), figure[..., None])
    rim = grown(inner, 6, unit)
    picture = laid(picture, colour(light), np.maximum(rim, inner))
    picture = laid(picture, person, inner)
    # A torn strip over the clothes, never over a face.
    spare = 1 - calm(context, 0.22)
    low_edge = min(0.93, (y0 + 1.15 * tall) / h)
    strip = sheet(context, 0.5, max(0.86, low_edge), 1.3, 0.085, tilt * 0.55)
    tearer = Tearer(context, picture)
    tearer.sheet(colour(acid), strip, 41, 7)
    tearer.sheet(colour(hot), sheet(context, 0.82, max(0.92, low_edge), 0.5, 0.05, tilt * 0.55), 43, 4)
    over = tearer.board.picture
    picture = mix(picture, over, spare)
    _, shade = paper(shape, unit, context.seed, 0.6)
    return np.asarray(np.clip(picture * shade[..., None], 0, 1), np.float32)


def newsprint(context: Context, number: int, turn: float = -3.0) -> F32:
    """Old printed paper: columns of lines that nobody can read, (h, w, 3)."""
    unit, shape = context.unit, context.shape
    x, y = grid(shape)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    u, v = (x * c + y * s) / np.float32(unit), (y * c - x * s) / np.float32(unit)
    column = np.floor(u / 250)
    inside = step(0.05, 0.07, np.abs(u / 250 - column - np.float32(0.5)) * -1 + np.float32(0.5))
    row = np.floor(v / 15)
    body = 1 - step(0.20, 0.32, np.abs(v / 15 - row - np.float32(0.5)))
    # Words are runs of noise along a row, the same in every size.
    random = np.random.default_rng([number, 9])
    words = blur((random.random((199, 997)) > 0.22).astype(np.float32), 0.35)
    letters = random.random((199, 997)).astype(np.float32)
    at = np.mod(row * 7 + column * 31, 199).astype(np.float32) + np.float32(0.0)
    text = cv2.remap(
        words * (np.float32(0.55) + np.float32(0.45) * letters),
        np.mod(u / np.float32(6.5), 990).astype(np.float32),
        at,
        cv2.INTER_LINEAR,
    )
    ink = body * inside * text * np.float32(0.62)
    base = colour("e6dcc4") * (1 + np.float32(0.05) * noise(shape, 120 * unit, number, 4))[..., None]
    return mix(base, colour("3a3733"), ink[..., None])


def mixed(canvas: Canvas, *, wash: str = "49a3ad", warm: str = "e0743a", pencil: str = "2d2b33") -> F32:
    """Mixed media: photograph, strokes of paint (Haeberli 1990) and pencil lines (Lu, Xu & Jia 2012) on newsprint.

    Longer than most: the layers of one picture, in their order.
    """
    context = canvas.context
    unit, shape = context.unit, context.shape
    h, w = shape
    random = np.random.default_rng([context.seed, 141])
    inner = people(context)
    x0, y0, tall = heads(context)[0]
    _, yy = grid(shape)
    page = newsprint(context, 3)
    gesso = step(-0.1, 0.5, noise(shape, 260 * unit, context.seed, 4))
    page = mix(page, colour("f4efe4"), (gesso * np.float32(0.70))[..., None])
    # The scene in a few broad strokes: the newsprint shows between them.
    lab = vivid(context, 1.25, 0.4)
    picture, height = easel(context, page, 0.25)
    part = picture.shape[0] / h
    angle = directions(context, 30)
    spread = step(-0.35, 0.45, noise(shape, 300 * unit, context.seed + 2, 2))
    cover = np.zeros(shape, np.float32)
    for radius, where, spacing in ((46.0, (1 - inner) * spread, 1.7), (26.0, inner * (1 - context.skin), 1.5)):
        x, y = scattered(context, radius, where, random, spacing)
        if not len(x):
            continue
        at = y.astype(np.intp), x.astype(np.intp)
        paint = blur(lab, 0.5 * radius * unit)[at] + random.normal(0, 0.02, (len(x), 3)).astype(np.float32)
        turn = angle[at] + random.normal(0, 0.3, len(x))
        sizes = random.uniform(0.8, 1.1, len(x)) * radius * unit * part
        places = np.stack([x * part, y * part, turn, sizes, np.full(len(x), 3.2)], 1)
        dab(picture, height, places, to_rgb(np.asarray(paint[None], np.float32))[0])
    picture, height = full(context, picture, height)
    # Where the paint did not reach, the page keeps its fine print.
    cover = step(0.04, 0.14, np.abs(picture - blur(page, 1.5 * unit)).sum(2))
    picture = relief(mix(page, picture, blur(cover, 0.8 * unit)), height, unit, 0.35)
    disc = filled(context, [around(x0, y0 - 0.1 * tall, np.full(90, 1.2 * tall))])
    disc = wandering(context, disc, 8, 3, 51) * (1 - inner)
    flat = mix(picture, np.broadcast_to(colour(wash), picture.shape), 0.80)
    picture = mix(picture, flat * (np.float32(0.94) + np.float32(0.10) * height)[..., None], disc)
    # The photograph: head and shoulders, torn off below.
    photo = punchy(context, 1.12, 1.05)
    rag = noise(shape, 150 * unit, context.seed + 4, 4)
    below_all = float(np.flatnonzero(inner.max(1) > 0.5).max(initial=0))
    tear = y0 + max(1.10 * tall, 0.36 * (below_all - y0))
    level = (yy - np.float32(tear)) / np.float32(tall) + np.float32(0.13) * rag
    pulp = np.float32(0.055) + np.float32(0.03) * noise(shape, 12 * unit, context.seed + 5, 2)
    soft = np.float32(2 * unit / tall)
    above = np.clip(np.float32(0.5) - level / soft, 0, 1)
    rim = np.clip(np.float32(0.5) - (level - pulp) / soft, 0, 1)
    body = np.maximum(grown(inner, 5, unit), inner)
    picture = shadowed(picture, body * rim, unit, 7, 0.35)
    picture = laid(picture, colour("f9f6ee"), body * rim)
    kept = np.maximum(above, context.face) * inner
    picture = laid(picture, photo, kept)
    # Pencil: contours gone over twice below, and construction lines.
    line = contours(context, 1.5, 30.0, 6.0) * (np.float32(0.35) + np.float32(0.65) * inner)
    line = np.maximum(line, context.outline(2.4))
    below = 1 - np.maximum(context.face, np.maximum(kept, body * rim))
    twice = np.maximum(wandering(context, line, 3.4, 1.0, 52), np.float32(0.8) * wandering(context, line, 6.0, 1.0, 53))
    circle = around(x0, y0 - 0.1 * tall, np.full(120, 1.27 * tall))
    lines = [
        np.concatenate([circle, circle[:9] * np.float32(1.006)]),
        around(x0 + 8 * unit, y0 - 0.1 * tall, np.full(120, 1.18 * tall)),
    ]
    lines += [np.array([[0.03 * w, y0 + k * tall], [0.97 * w, y0 + (k - 0.06) * tall]]) for k in (-0.72, 0.55)]
    lines += [np.array([[x0 + k * tall, 0.02 * h], [x0 + (k + 0.03) * tall, 0.98 * h]]) for k in (-1.4, 1.45)]
    drawn = wandering(context, drawn_paths(context, lines, 2.2), 4, 0.8, 54) * (1 - inner)
    graphite = np.float32(0.78) + np.float32(0.22) * noise(shape, 3 * unit, context.seed + 7, 2)
    ink = np.clip(np.maximum(twice * below, drawn * np.float32(0.85)) * graphite, 0, 1)
    picture = mix(picture, colour(pencil), (ink * np.float32(0.88))[..., None])
    # Two warm strokes at last.
    accent = np.array([[0.83 * w, 0.93 * h, -0.22, 24 * unit, 6.0], [0.15 * w, 0.09 * h, 0.12, 20 * unit, 5.5]])
    over = picture.copy()
    dab(over, height, accent, np.stack([colour(warm), colour(warm)]))
    picture = mix(picture, over, 1 - calm(context, 0.25))
    _, shade = paper(shape, unit, context.seed, 0.8)
    return np.asarray(np.clip(picture * shade[..., None], 0, 1), np.float32)


METHODS: Final[dict[str, Method]] = {
    "papers": papers,
    "tilted_blocks": tilted_blocks,
    "mixed": mixed,
}
