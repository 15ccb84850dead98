"""The thing in one's hand: frames, bars, dust, the camera's date, a glossy page, washi."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas
from portrayal.engines.studio.looks.methods.stage import extent, focus, head, screen, standing
from portrayal.engines.studio.looks.texture import blur, colour, grid, mix, noise, paper, step
from portrayal.imaging import F32

# Segments of a digit: top, upper left, upper right, middle, lower left, lower right, bottom.
_SEGMENTS: Final = {
    "0": "1110111", "1": "0010010", "2": "1011101", "3": "1011011", "4": "0111010",
    "5": "1101011", "6": "1101111", "7": "1010010", "8": "1111111", "9": "1111011", "'": "0100000",
}  # fmt: skip
_STROKES: Final = (
    ((0, 0), (1, 0)), ((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 1), (1, 1)), ((0, 1), (0, 2)), ((1, 1), (1, 2)),
    ((0, 2), (1, 2)),
)  # fmt: skip


def frame(
    canvas: Canvas,
    side: float = 0.04,
    bottom: float = 0.04,
    tone: str = "f6f3ec",
    corner: float = 0.0,
    line: float = 0.0,
    rough: float = 0.0,
) -> F32:
    """The margin of a print. It lies over the picture, so that nothing moves; a face and feet stay free.

    Args:
        canvas: the picture.
        side: width left, right and above, share of the shorter side.
        bottom: width below.
        tone: RRGGBB.
        corner: radius of the inner corners, share.
        line: width of a black line around the picture, pixels of a 1024 px picture.
        rough: 0..1, how uneven the edge is, as of a filed-out negative carrier.
    """
    context = canvas.context
    h, w = context.shape
    short, unit = min(h, w), context.unit
    if standing(context):
        bottom = min(bottom, 0.022)
        side = min(side, 0.03)
    at = focus(context)
    room = max(0.004, (at.y - at.down - 0.12 * at.tall) / short) if context.faces else 1.0
    x, y = grid(context.shape)
    left, top, low = side * short, min(side, room) * short, bottom * short
    # Signed distance to a rectangle with round corners, positive inside.
    cx, cy, a, b = w / 2, (top + h - low) / 2, w / 2 - left, (h - low - top) / 2
    r = corner * short
    dx, dy = np.abs(x - np.float32(cx)) - np.float32(a - r), np.abs(y - np.float32(cy)) - np.float32(b - r)
    inside = np.float32(r) - np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) - np.minimum(np.maximum(dx, dy), 0)
    if rough:
        inside = inside + np.float32(rough * unit) * (
            5 * noise(context.shape, 34 * unit, context.seed + 81, 3) + 2 * noise(context.shape, 5 * unit, 82, 1)
        )
    soft = max(0.6, 0.9 * unit)
    margin = (1 - step(-soft, soft, inside)).astype(np.float32)
    out = canvas.picture
    if line:
        ink = 1 - step(line * unit - soft, line * unit + soft, inside)
        out = mix(out, np.full(3, 0.06, np.float32), ink[..., None])
    height, shade = paper(context.shape, unit, 83, 0.5)
    page = colour(tone) * (shade * (1 + np.float32(0.008) * height))[..., None]
    return np.asarray(np.clip(mix(out, page, margin), 0, 1), np.float32)


def bars(canvas: Canvas, share: float = 0.10) -> F32:
    """The black bars of a wide film, each so much of the height at most: never over a face or feet.

    Args:
        canvas: the picture.
        share: of the height, each.
    """
    context = canvas.context
    h, at = context.shape[0], focus(context)
    most = share * h
    if context.faces:
        above, below = at.y - at.down - 0.45 * at.tall, h - at.y - at.down - 0.25 * at.tall
        most = max(0.0, min(most, above, below))
    if standing(context):
        most = min(most, max(0.018 * h, h - extent(context)[3] - 0.01 * h))
    bar = round(most)
    out = canvas.picture.copy()
    out[:bar] = np.float32(0.008)
    out[h - bar :] = np.float32(0.008)
    return out


def _fixed(x: float, y: float) -> tuple[int, int]:
    return round(x * 16), round(y * 16)


def dust(canvas: Canvas, amount: float = 1.0, tone: str = "fffaf0", scratches: int = 2) -> F32:
    """Specks, fibres and thin scratches of a negative that lay about; faces stay clean.

    Args:
        canvas: the picture.
        amount: how many.
        tone: RRGGBB.
        scratches: long upright ones.
    """
    context = canvas.context
    h, w = context.shape
    unit = context.unit
    random = np.random.default_rng([context.seed, 84])
    marks = np.zeros((h, w), np.uint8)
    # Drawn in sixteenths of a pixel, so that a small picture gets the same marks.
    for x, y, r in zip(*(random.random(round(90 * amount)) for _ in range(3)), strict=True):
        cv2.circle(
            marks, _fixed(x * w, y * h), round((0.5 + 1.9 * r**4) * unit * 16), int(90 + 165 * r), -1, cv2.LINE_AA, 4
        )
    for _ in range(round(9 * amount)):
        bend = np.cumsum(random.normal(0, 0.35, 14)) + random.uniform(0, 6.3)
        path = np.cumsum(np.stack([np.cos(bend), np.sin(bend)], 1) * random.uniform(1.5, 5.0) * unit, 0)
        path += random.random(2) * (w, h)
        cv2.polylines(marks, [np.round(path * 16).astype(np.int32)], False, 190, 1, cv2.LINE_AA, 4)
    for _ in range(scratches):
        x, y0, y1 = random.uniform(0.05, 0.95) * w, random.uniform(0, 0.4) * h, random.uniform(0.6, 1) * h
        cv2.line(marks, _fixed(x, y0), _fixed(x + random.normal(0, 4) * unit, y1), 120, 1, cv2.LINE_AA, 4)
    share = marks.astype(np.float32) * np.float32(min(1.0, unit + 0.15) / 255) * (1 - head(context))
    return mix(canvas.picture, colour(tone), share[..., None])


def date(canvas: Canvas, tone: str = "ff8a1e", height: float = 0.026) -> F32:
    """The date that a compact camera of the nineties burned into a corner: an amber seven-segment display, glowing.

    Args:
        canvas: the picture.
        tone: RRGGBB.
        height: of a digit, share of the shorter side.
    """
    context = canvas.context
    h, w = context.shape
    random = np.random.default_rng([context.seed, 85])
    text = f"'{random.integers(92, 100)} {random.integers(1, 13):>2} {random.integers(1, 29):>2}"
    size = height * min(h, w)
    lit = np.zeros((h, w), np.uint8)
    x, y = w - size * (0.78 * len(text) + 1.6), h - 2.6 * size
    for letter in text:
        for (a, b), on in zip(_STROKES, _SEGMENTS.get(letter, "0000000"), strict=True):
            if on == "1":
                ends = [
                    (round((x + (p + 0.14 * (1 - q)) * 0.46 * size) * 16), round((y + q * 0.5 * size) * 16))
                    for p, q in (a, b)
                ]
                cv2.line(lit, ends[0], ends[1], 255, max(1, round(0.10 * size)), cv2.LINE_AA, 4)
        x += (0.44 if letter == "'" else 0.78) * size
    digits = blur(lit.astype(np.float32) / np.float32(255), 0.035 * size)
    glow = np.float32(0.9) * digits + np.float32(0.9) * blur(digits, 0.22 * size)
    out = mix(canvas.picture, colour(tone), np.clip(digits, 0, 1) * np.float32(0.85))
    return screen(out, colour(tone) * glow[..., None] * np.float32(0.8))


def page(canvas: Canvas, spine: float = 0.10, sheen: float = 0.16) -> F32:
    """A glossy magazine page: it bends into the spine at the left, a window lies on it as a soft sheen.

    Args:
        canvas: the picture.
        spine: width of the bend, share of the width.
        sheen: strength of the reflection.
    """
    context = canvas.context
    h, w = context.shape
    x, y = grid(context.shape)
    bend = np.clip(1 - x / np.float32(spine * w), 0, 1)
    shade = 1 - np.float32(0.62) * bend**3 + np.float32(0.06) * np.exp(-(((x / w - 1.35 * spine) / 0.035) ** 2))
    out = np.clip(canvas.picture * shade[..., None], 0, 1)
    across = (x / w + 0.55 * y / h).astype(np.float32)
    light = np.exp(-(((across - 0.30) / 0.10) ** 2)) + 0.7 * np.exp(-(((across - 1.22) / 0.13) ** 2))
    light = light * (1 - 0.35 * y / h) * (1 - np.float32(0.75) * context.face)
    return screen(np.asarray(out, np.float32), (np.float32(sheen) * light.astype(np.float32))[..., None])


def washi(canvas: Canvas, amount: float = 1.0) -> F32:
    """Japanese paper: soft clouds of pulp and long fibres, light ones and a few dark; faces keep most of their skin.

    Args:
        canvas: the picture.
        amount: 0..1.
    """
    context = canvas.context
    h, w = context.shape
    unit = context.unit
    random = np.random.default_rng([context.seed, 86])
    fibres = np.full((h, w), 128, np.uint8)
    for k in range(340):
        bend = np.cumsum(random.normal(0, 0.16, 12)) + random.uniform(0, 6.3)
        path = np.cumsum(np.stack([np.cos(bend), np.sin(bend)], 1) * random.uniform(2, 8) * unit, 0)
        path += random.random(2) * (w, h)
        cv2.polylines(
            fibres, [np.round(path * 16).astype(np.int32)], False, 96 if k % 4 == 0 else 168, 1, cv2.LINE_AA, 4
        )
    thread = blur((fibres.astype(np.float32) - 128) / np.float32(128), 0.5 * unit)
    _, shade = paper(context.shape, unit, context.seed + 87, 1.3)
    pulp = noise(context.shape, 60 * unit, context.seed + 88, 3)
    change = np.float32(0.30) * thread + np.float32(0.016) * pulp + (shade - 1)
    change *= np.float32(amount) * (1 - np.float32(0.75) * context.face) * (1 - np.float32(0.4) * context.subject)
    return np.asarray(np.clip(canvas.picture * (1 + change)[..., None], 0, 1), np.float32)
