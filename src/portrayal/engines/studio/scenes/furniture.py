"""Building blocks of rooms. Each takes the room and its own parameters out of `settings.toml`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import cards, textures
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.canvas import Canvas, Colour, hexadecimal
from portrayal.engines.studio.scenes.daylight import Daylight
from portrayal.engines.studio.scenes.panoramic import view
from portrayal.engines.studio.scenes.stage import Stage
from portrayal.imaging import F32, Array

Spec = dict[str, Any]


@dataclass
class Room:
    """A room under construction: half width, height and depth in metres, its light of the day and of lamps."""

    canvas: Canvas
    stage: Stage
    half: float
    high: float
    deep: float
    random: np.random.Generator = field(default_factory=np.random.default_rng)

    @property
    def day(self) -> Daylight:
        """Light outside."""
        return self.stage.day

    @property
    def outside(self) -> F32:
        """Colour and strength (3,) of the light behind the windows; about 1 at noon."""
        c = 0.4 * self.day.ambient + 0.6 * self.day.horizon
        strength = np.clip(self.day.exposure / 0.46, 0.03, 1.15)
        return np.asarray(c / max(float(luminance(c)), 1e-3) * strength, np.float32)


def triple(a: Array) -> Colour:
    """Three floats."""
    return float(a[0]), float(a[1]), float(a[2])


def outlook(room: Room, name: str, yaw: float) -> F32:
    """What lies behind a window, (72, 96, 3), by day or with the lit windows of a town by night."""
    small = Camera(96, 72, 50, 0.62, float(np.radians(yaw)))
    image = view(name, small, room.stage.shot.seed, glints=False)
    image = np.minimum(image, 6 * float(luminance(image).mean()))
    image = image / max(float(luminance(image).mean()), 1e-4)
    tone = 0.55 * image + 0.45 * luminance(image)[..., None]
    out = tone * room.outside
    if room.day.dark:
        random = np.random.default_rng(int(yaw) % 97 + 3)
        for _ in range(26):
            x, y = int(random.integers(0, 93)), int(random.integers(26, 70))
            out[y : y + 2, x : x + 2] += np.array(hexadecimal("ffc070")) * random.uniform(0.1, 0.9)
    return np.asarray(out, np.float32)


def _mullions(image: F32, nx: int, ny: int, frame: Colour, light: F32) -> F32:
    out = cv2.resize(image, (144, 144), interpolation=cv2.INTER_LINEAR)
    bar = np.asarray(frame, np.float32) * (0.10 + 0.25 * float(luminance(light)))
    for i in range(nx + 1):
        x = int(i * 139 / nx)
        out[:, x : x + 5] = bar
    for j in range(ny + 1):
        y = int(j * 139 / ny)
        out[y : y + 5] = bar
    return np.asarray(out, np.float32)


def windows(room: Room, s: Spec) -> None:
    """Windows in a wall: side, count, from, to (along it), y = [sill, lintel], view, gain, panes, arch."""
    c, n = room.canvas, int(s.get("count", 3))
    a, b = float(s.get("from", 2.0)), float(s.get("to", room.deep - 0.5))
    y0, y1 = s.get("y", (0.9, 2.6))
    gain = float(s.get("gain", 2.4)) * (1.0 if not room.day.dark else 1.6)
    wide = (b - a) / n * float(s.get("open", 0.78))
    side = s.get("side", "left")
    nx, ny = s.get("panes", (2, 3))
    for i in range(n):
        at = a + (b - a) * (i + 0.5) / n - wide / 2
        scene = outlook(room, s.get("view", "city"), s.get("yaw", 40) + 37 * i)
        glass = _mullions(scene, nx, ny, hexadecimal(s.get("frame", "d8d4cc")), room.outside)
        if s.get("arch"):
            shape = cv2.resize(cards.arch(s["arch"]), (144, 144))
            glass = np.concatenate([glass, shape[..., None]], -1)
        light = triple(room.outside * float(s.get("light", 0.55)))
        if side == "back":
            c.wall(at, at + wide, y0, y1, room.deep - 0.04, glass, gain)
            c.glow((at + wide / 2, (y0 + y1) / 2, room.deep - 0.5), light, 1.8)
        else:
            x = (room.half - 0.03) * (1 if side == "right" else -1)
            c.side(x, at, at + wide, y0, y1, glass, gain)
            c.glow((x * 0.92, (y0 + y1) / 2, at + wide / 2), light, 1.7)


def drapes(room: Room, s: Spec) -> None:
    """Cloth at the sides of a wall's windows, or over all of it: side, colour, at = list of [from, to]."""
    y0, y1 = s.get("y", (0.05, room.high - 0.15))
    cloth = textures.curtain(s.get("colour", "a89878"), int(s.get("folds", 6)))
    for a, b in s["at"]:
        if s.get("side", "back") == "back":
            room.canvas.wall(a, b, y0, y1, room.deep - 0.2, cloth)
        else:
            x = (room.half - 0.15) * (1 if s["side"] == "right" else -1)
            room.canvas.side(x, a, b, y0, y1, cloth)


def pendants(room: Room, s: Spec) -> None:
    """Hanging lamps: x and z lists, y, colour, power, size, light on the room, shade colour."""
    colour = hexadecimal(s.get("colour", "ffb866"))
    y = float(s.get("y", 2.3))
    for z in s["z"]:
        for x in s["x"]:
            dx = float(room.random.uniform(-0.12, 0.12))
            if s.get("shade"):
                room.canvas.card(x + dx, y - 0.02, z, 0.42, 0.26, _shade(s["shade"]))
            room.canvas.wall(x + dx - 0.01, x + dx + 0.01, y + 0.2, room.high, z, (0.02, 0.02, 0.02))
            room.canvas.lamp((x + dx, y, z - 0.06), colour, s.get("power", 26), s.get("size", 0.06))
            room.canvas.glow((x + dx, y - 0.1, z), colour, s.get("radius", 1.3), s.get("light", 0.12))


def _shade(colour: str) -> F32:
    m = np.zeros((32, 48), np.uint8)
    cv2.fillPoly(m, [np.array([(17, 0), (31, 0), (47, 31), (0, 31)])], 255)
    rgb = np.broadcast_to(np.array(hexadecimal(colour), np.float32), (32, 48, 3))
    return np.concatenate([rgb, m[..., None] / 255], -1).astype(np.float32)


def spots(room: Room, s: Spec) -> None:
    """Lamps in or under the ceiling, seen as points: x, z lists, y, colour, power; `panel` draws bright rectangles."""
    colour = hexadecimal(s.get("colour", "fff0dc"))
    y = float(s.get("y", room.high - 0.05))
    for z in s["z"]:
        for x in s["x"]:
            if s.get("panel"):
                w, d = s["panel"]
                room.canvas.slab(x - w / 2, x + w / 2, z - d / 2, z + d / 2, y, colour, s.get("power", 3.0))
            else:
                room.canvas.lamp((x, y, z), colour, s.get("power", 40), s.get("size", 0.05))
            if s.get("light", 0.05):
                room.canvas.glow((x, y - 0.5, z), colour, 1.6, s.get("light", 0.05))


def strand(room: Room, s: Spec) -> None:
    """A string of small lamps between two points, hanging through: a, b, count, sag."""
    a, b, n = np.array(s["a"], float), np.array(s["b"], float), int(s.get("count", 14))
    for t in np.linspace(0, 1, n):
        p = a + (b - a) * t
        p[1] -= float(s.get("sag", 0.4)) * np.sin(np.pi * t)
        room.canvas.lamp(tuple(p), hexadecimal(s.get("colour", "ffc078")), s.get("power", 26), s.get("size", 0.035))


def shelf(room: Room, s: Spec) -> None:
    """Something on a wall: kind books, bottles or painting; at = [from, to, bottom, top], side, emits."""
    a, b, y0, y1 = s["at"]
    kind, seed = s.get("kind", "books"), int(s.get("seed", 1)) + room.stage.shot.seed % 5
    if kind == "books":
        t, emits = textures.books(int(s.get("rows", 5)), seed, s.get("wood", "4a2c17")), 0.0
    elif kind == "bottles":
        t = textures.bottles(int(s.get("rows", 3)), seed, "3a2414", s.get("glow", "ffb060"))
        emits = float(s.get("emits", 0.8))
    else:
        t, emits = textures.painting(seed, s.get("frame", "9a7430")), 0.0
    off = float(s.get("off", 0.08))
    if s.get("side", "back") == "back":
        room.canvas.box((a, b), (y0, y1), (room.deep - off, room.deep), t) if not emits else room.canvas.wall(
            a, b, y0, y1, room.deep - off, t, emits
        )
    else:
        room.canvas.side((room.half - off) * (1 if s["side"] == "right" else -1), a, b, y0, y1, t, emits)


def paintings(room: Room, s: Spec) -> None:
    """A row of framed pictures on a wall, each under its own spot: side, from, to, count, y, frame."""
    n = int(s.get("count", 3))
    edges = np.linspace(float(s["from"]), float(s["to"]), n + 1)
    for i in range(n):
        w = (edges[i + 1] - edges[i]) * room.random.uniform(0.55, 0.8)
        h = w * room.random.uniform(0.7, 1.15)
        mid, y = (edges[i] + edges[i + 1]) / 2, float(s.get("y", 1.75))
        t = textures.painting(int(s.get("seed", 1)) * 7 + i + room.stage.shot.seed % 11, s.get("frame", "9a7430"))
        if s.get("side", "back") == "back":
            room.canvas.wall(mid - w / 2, mid + w / 2, y - h / 2, y + h / 2, room.deep - 0.06, t)
            room.canvas.glow((mid, y + h * 0.7, room.deep - 0.7), hexadecimal("fff0d8"), 0.9, s.get("light", 0.25))
        else:
            x = (room.half - 0.05) * (1 if s["side"] == "right" else -1)
            room.canvas.side(x, mid - w / 2, mid + w / 2, y - h / 2, y + h / 2, t)
            room.canvas.glow((x * 0.85, y + h * 0.7, mid), hexadecimal("fff0d8"), 0.9, s.get("light", 0.25))


def block(room: Room, s: Spec) -> None:
    """A box: x, y, z ranges, texture, top; and small things on it (`things` = colours)."""
    body = textures.named(s["texture"])
    x, y, z = tuple(s["x"]), tuple(s["y"]), tuple(s["z"])
    room.canvas.box(x, y, z, body, textures.named(s["top"]) if "top" in s else None)
    if "things" in s:
        h = float(s.get("tall", 0.3))
        row = cards.clutter(room.stage.shot.seed % 7 + int(abs(x[0]) * 10), tuple(s["things"]), int(s.get("count", 9)))
        room.canvas.wall(x[0], x[1], y[1], y[1] + h, z[0] + 0.12, row)


def tables(room: Room, s: Spec) -> None:
    """Tables with chairs: at = list of [x, z], colour, chair, cloth (falls to the floor), candle."""
    c = room.canvas
    top, seat = textures.planks(s.get("colour", "8a5c34"), 4), cards.chair(s.get("chair", "3a2416"))
    w, high = float(s.get("width", 0.9)), float(s.get("height", 0.74))
    for x, z in s["at"]:
        x, z = x + room.random.uniform(-0.15, 0.15), z + room.random.uniform(-0.15, 0.15)
        if s.get("cloth"):
            c.box(
                (x - w / 2, x + w / 2),
                (0.1, high),
                (z - w / 2, z + w / 2),
                textures.curtain(s["cloth"], 7),
                hexadecimal(s["cloth"]),
            )
        else:
            c.box((x - w / 2, x + w / 2), (high - 0.04, high), (z - w / 2, z + w / 2), top)
            c.wall(x - 0.04, x + 0.04, 0, high, z, (0.03, 0.03, 0.03))
        for dx in (-0.72, 0.72):
            c.card(x + dx * w, 0, z + 0.1, 0.44, 0.92, seat)
        things = tuple(s.get("things", ("e8e4dc", "c8a880", "f4f0e8", "7a9a6a")))
        c.wall(x - w * 0.36, x + w * 0.36, high, high + 0.2, z, cards.clutter(int(abs(x * 10)) % 9, things, 6))
        if s.get("candle"):
            c.lamp((x, high + 0.12, z - 0.1), hexadecimal("ffa04a"), 26, 0.03)
            c.glow((x, high + 0.3, z), hexadecimal("ff9a48"), 0.55, 0.16)


def plants(room: Room, s: Spec) -> None:
    """Plants in pots: at = list of [x, z, height], or [x, z, height, base]."""
    for i, p in enumerate(s["at"]):
        t = cards.plant(i + int(s.get("seed", 0)), s.get("colour", "3a6a2c"), s.get("pot", "b8a890"))
        room.canvas.card(p[0], p[3] if len(p) > 3 else 0.0, p[1], p[2] * 0.75, p[2], t)


def columns(room: Room, s: Spec) -> None:
    """Round or square columns: x, z lists, width, texture, y."""
    t = textures.named(s["texture"])
    w = float(s.get("width", 0.5))
    y0, y1 = s.get("y", (0.0, room.high))
    shaded = t * (0.35 + 0.75 * np.sin(np.linspace(0.35, 2.6, t.shape[1])))[None, :, None].astype(np.float32)
    for z in s["z"]:
        for x in s["x"]:
            room.canvas.card(x, y0, z, w, y1 - y0, np.concatenate([shaded, np.ones((*t.shape[:2], 1), np.float32)], -1))
            if s.get("capital"):
                room.canvas.card(
                    x, y1 - 0.3, z - 0.02, w * 1.45, 0.3, np.ones((2, 2, 4), np.float32) * (0.4, 0.36, 0.3, 1)
                )


def arches(room: Room, s: Spec) -> None:
    """Arched recesses along both walls or the back: side, from, to, count, y, kind, texture or emission colour."""
    n = int(s.get("count", 4))
    mask = cards.arch(s.get("kind", "round"))
    inside = np.array(hexadecimal(s.get("colour", "14100c")), np.float32)
    ramp = np.linspace(0.5, 1.3, mask.shape[0])[:, None, None]
    t = np.concatenate([np.broadcast_to(inside * ramp, (*mask.shape, 3)), mask[..., None]], -1).astype(np.float32)
    edges = np.linspace(float(s["from"]), float(s["to"]), n + 1)
    y0, y1 = s.get("y", (0.0, 2.8))
    for i in range(n):
        a = edges[i] + 0.14 * (edges[i + 1] - edges[i])
        w = 0.72 * (edges[i + 1] - edges[i])
        if s.get("side") == "back":
            room.canvas.wall(a, a + w, y0, y1, room.deep - 0.03, t, s.get("emits", 0.0))
        else:
            for sign in (-1, 1):
                room.canvas.side(sign * (room.half - 0.03), a, a + w, y0, y1, t, s.get("emits", 0.0))


def chandeliers(room: Room, s: Spec) -> None:
    """Crystal chandeliers: at = list of [x, y, z], radius, count, colour."""
    colour = hexadecimal(s.get("colour", "ffcf90"))
    for x, y, z in s["at"]:
        n, r = int(s.get("count", 22)), float(s.get("radius", 0.7))
        for i in range(n):
            a, tier = i * 2.39996, (i % 3) / 2
            rr = r * (1 - 0.5 * tier)
            p = (x + rr * np.cos(a), y + 0.55 * tier * r + room.random.uniform(-0.04, 0.04), z + rr * np.sin(a))
            room.canvas.lamp(p, colour, s.get("power", 26) * room.random.uniform(0.4, 1.3), 0.035)
        room.canvas.glow((x, y, z), colour, 2.4, s.get("light", 0.28))
        room.canvas.wall(x - 0.015, x + 0.015, y + 0.3, room.high, z, (0.05, 0.04, 0.02))


def candles(room: Room, s: Spec) -> None:
    """Candles or torches: at = list of [x, y, z]; light, colour."""
    for x, y, z in s["at"]:
        k = room.random.uniform(0.75, 1.25)
        colour = hexadecimal(s.get("colour", "ff9a40"))
        room.canvas.lamp((x, y, z), colour, s.get("power", 40) * k, s.get("size", 0.05))
        room.canvas.glow((x * 0.93, y + 0.1, z - 0.1), colour, s.get("radius", 1.1), s.get("light", 0.35) * k)


def flames(room: Room, s: Spec) -> None:
    """A fire: at = [x0, x1, y0, y1, z]; tongues of flame, embers and their light."""
    x0, x1, y0, y1, z = s["at"]
    m = np.linspace(1, 0, 64)[:, None] ** 1.0 * np.ones((1, 64))
    x = np.linspace(-1, 1, 64)[None, :]
    from_noise = np.abs(np.sin(7 * x + 2.0 * np.sin(9 * m + room.random.uniform(0, 6))))
    body = np.clip(1.25 - np.abs(x) - (1 - m[::-1]) * 0 - m * (0.7 + 0.6 * from_noise), 0, 1)
    heat = np.stack([body**0.6 * 1.0, body**1.2 * 0.42, body**2.4 * 0.08], -1)[..., :3]
    t = np.concatenate([heat, np.clip(body * 3, 0, 1)[..., None]], -1).astype(np.float32)
    room.canvas.wall(x0, x1, y0, y1, z, t, s.get("gain", 9.0))
    for _ in range(12):
        p = (room.random.uniform(x0, x1), room.random.uniform(y0, y0 + 0.3), z - 0.03)
        room.canvas.lamp(p, hexadecimal("ff7a24"), 12, 0.03)
    room.canvas.glow(((x0 + x1) / 2, (y0 + y1) / 2, z - 0.5), hexadecimal("ff8a38"), 1.9, s.get("light", 0.6))


def sofa(room: Room, s: Spec) -> None:
    """A sofa or bed: x, z ranges, height, back, colour, cushions."""
    x, z = s["x"], s["z"]
    high, back = float(s.get("height", 0.45)), float(s.get("back", 0.9))
    t = textures.plaster(s["colour"], 3, 0.14)
    room.canvas.box(tuple(x), (0.08, high), tuple(z), t)
    room.canvas.wall(x[0], x[1], high, back, z[1], textures.plaster(s.get("board", s["colour"]), 5, 0.14))
    edges = np.linspace(x[0] + 0.1, x[1] - 0.1, len(s.get("cushions", ())) + 1)
    for a, b, code in zip(edges[:-1], edges[1:], s.get("cushions", ()), strict=True):
        puff = cards.crown(code, 4, 2.0, "", 0.15)
        room.canvas.wall(a, b, high - 0.05, high + 0.38, z[1] - 0.12, puff)


def rows(room: Room, s: Spec) -> None:
    """Rows of seats or pews across the room: from, to, count, height, texture, aisle."""
    t = textures.named(s["texture"])
    for z in np.linspace(float(s["to"]), float(s["from"]), int(s.get("count", 6))):
        for a, b in ((-room.half, -float(s.get("aisle", 0.6))), (float(s.get("aisle", 0.6)), room.half)):
            room.canvas.box((a, b), (0.05, float(s.get("height", 0.85))), (z, z + 0.1), t)


def screens(room: Room, s: Spec) -> None:
    """Lit panels: at = list of [x0, x1, y0, y1, z], colour, gain; with a pattern of text-like lines."""
    for i, (x0, x1, y0, y1, z) in enumerate(s["at"]):
        random = np.random.default_rng(i + 5)
        t = np.ones((40, 64, 3), np.float32) * hexadecimal(s.get("colour", "5a9ad8")) * 0.5
        for y in range(4, 36, 4):
            t[y : y + 2, 4 : int(random.integers(14, 60))] *= random.uniform(0.4, 2.6)
        room.canvas.wall(x0, x1, y0, y1, z, t, s.get("gain", 1.0))
        room.canvas.glow(
            ((x0 + x1) / 2, (y0 + y1) / 2, z - 0.3), hexadecimal(s.get("colour", "5a9ad8")), 0.6, s.get("light", 0.1)
        )


def stands(room: Room, s: Spec) -> None:
    """Tall things on the floor as flat textures: at = list of [x, z, width, height], texture."""
    t = textures.named(s["texture"])
    for x, z, w, h in s["at"]:
        room.canvas.box((x - w / 2, x + w / 2), (0, h), (z, z + min(w, 0.6)), t)


def stained(room: Room, s: Spec) -> None:
    """Coloured glass windows: side, from, to, count, y; gain by day."""
    random = np.random.default_rng(int(s.get("seed", 3)))
    n = int(s.get("count", 3))
    mask = cards.arch("pointed")
    edges = np.linspace(float(s["from"]), float(s["to"]), n + 1)
    y0, y1 = s.get("y", (1.6, 5.0))
    codes = ("2a4ac8", "c83a2a", "d8a030", "2a8a5a", "8a3aa8", "e8e0c8")
    for i in range(n):
        grid = random.integers(0, len(codes), (16, 8))
        t: Array = np.array([hexadecimal(q) for q in codes], np.float32)[grid] * random.uniform(0.4, 1.3, (16, 8, 1))
        t = cv2.resize(t.astype(np.float32), (128, 192), interpolation=cv2.INTER_NEAREST)
        t[:, ::16] = t[:, ::16] * 0.1
        t[::12] = t[::12] * 0.1
        t = np.concatenate([t * room.outside, mask[..., None]], -1).astype(np.float32)
        a, w = edges[i] + 0.15 * (edges[i + 1] - edges[i]), 0.7 * (edges[i + 1] - edges[i])
        gain = float(s.get("gain", 3.0))
        if s.get("side", "back") == "back":
            room.canvas.wall(a, a + w, y0, y1, room.deep - 0.03, t, gain)
            room.canvas.glow((a + w / 2, (y0 + y1) / 2, room.deep - 0.8), triple(room.outside), 2.5, 0.5)
        else:
            x = (room.half - 0.03) * (1 if s["side"] == "right" else -1)
            room.canvas.side(x, a, a + w, y0, y1, t, gain)
            room.canvas.glow((x * 0.9, (y0 + y1) / 2, a + w / 2), triple(room.outside), 2.2, 0.45)


ITEMS: dict[str, Callable[[Room, Spec], None]] = {
    f.__name__: f
    for f in (
        windows, drapes, pendants, spots, strand, shelf, paintings, block, tables, plants, columns, arches, chandeliers,
        candles, flames, sofa, rows, screens, stands, stained,
    )
}  # fmt: skip
