"""Textures of walls, floors and shelves, linear RGB, cached. Colours are display codes such as ``"8a4a36"``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from portrayal.engines.studio.noise import sheet
from portrayal.engines.studio.scenes.canvas import hexadecimal
from portrayal.imaging import F32, Array

_BOOKS = ("6b1f1a", "8a5a2b", "1f3a4a", "2f4a2a", "c9b48a", "3a2a44", "7d7468", "a03a22", "20242c", "d8cdb4", "52341f")
_BOTTLES = ("2a5a2a", "6a3a12", "c08a30", "d8d8d0", "3a1a12", "8aa8b0", "a84a1a", "e0c890")
_LIT = ("ffb765", "ffd9a0", "fff0d8", "cfe4ff")


def _rgb(colour: str, gain: float = 1.0) -> F32:
    return np.array(hexadecimal(colour, gain), np.float32)


def _done(texture: Array) -> F32:
    out = np.ascontiguousarray(np.maximum(texture, 0), np.float32)
    out.setflags(write=False)
    return out


@lru_cache(64)
def plaster(colour: str, seed: int = 0, contrast: float = 0.08) -> F32:
    """A painted wall with cloudy unevenness, (96, 96, 3)."""
    n = sheet(96, 96, seed, 1.7, 0.4, 0.4) + 0.5 * sheet(96, 96, seed + 1, 1.2)
    return _done(_rgb(colour) * np.exp(contrast * n)[..., None])


@lru_cache(64)
def planks(colour: str, count: int = 8, seed: int = 1, along: bool = True) -> F32:
    """Boards with grain, (128, 128, 3); `along` = boards run down the texture."""
    random = np.random.default_rng(seed)
    t = np.ones((128, 128, 3), np.float32) * _rgb(colour) * (1 + 0.13 * sheet(128, 128, seed, 1.2, 4, 0.35))[..., None]
    width = 128 // count
    shade = np.repeat(random.uniform(0.72, 1.2, count + 1), width)[:128]
    t *= shade[None, :, None]
    t[:, ::width] *= 0.5
    return _done(t if along else t.transpose(1, 0, 2))


@lru_cache(32)
def bricks(colour: str, rows: int = 24, seed: int = 2, joint: str = "8a8078") -> F32:
    """A brick or stone wall, (192, 192, 3)."""
    random = np.random.default_rng(seed)
    n = 192
    high = n // rows
    wide = high * 3
    y, x = np.mgrid[:n, :n]
    row = y // high
    across = x + (row % 2) * wide // 2
    tone = random.uniform(0.6, 1.25, (rows + 2, n // wide + 3))
    v = tone[np.minimum(row, rows + 1), across // wide]
    edge = ((y % high) < max(high * 0.14, 1)) | ((across % wide) < max(high * 0.14, 1))
    t = np.where(edge[..., None], _rgb(joint) * 0.8, _rgb(colour) * v[..., None])
    return _done(t * (1 + 0.14 * sheet(n, n, seed, 1.2)[..., None]))


@lru_cache(32)
def tiles(colour: str, other: str = "", count: int = 8, seed: int = 3) -> F32:
    """Tiles, one colour with joints or two as a chequerboard, (128, 128, 3)."""
    n = 128
    y, x = np.mgrid[:n, :n]
    side = n // count
    odd = ((y // side + x // side) % 2)[..., None]
    t = np.where(odd == 1, _rgb(other or colour), _rgb(colour)) * np.ones((n, n, 1), np.float32)
    joint = ((y % side) < 2) | ((x % side) < 2)
    t = np.where(joint[..., None], t * 0.7, t)
    return _done(t * (1 + 0.05 * sheet(n, n, seed, 1.2)[..., None]))


@lru_cache(32)
def marble(colour: str, vein: str = "ffffff", seed: int = 4) -> F32:
    """Veined stone, (160, 160, 3)."""
    n = sheet(160, 160, seed, 1.2, 0.8, 0.8)
    line = np.clip(1 - np.abs(n) * 4, 0, 1)[..., None] ** 2
    cloud = np.exp(0.2 * sheet(160, 160, seed + 1, 1.7, 0.5, 0.5))[..., None]
    return _done(_rgb(colour) * cloud * (1 - 0.3 * line) + _rgb(vein) * 0.2 * line)


def _shelf(n: int, wide: int, shelves: int, wood: str) -> tuple[F32, int]:
    t = np.ones((n, wide, 3), np.float32) * _rgb(wood) * 0.22
    return t, n // shelves


@lru_cache(32)
def books(shelves: int = 6, seed: int = 1, wood: str = "4a2c17") -> F32:
    """Filled bookshelves, (240, 200, 3)."""
    random = np.random.default_rng(seed)
    t, high = _shelf(240, 200, shelves, wood)
    for i in range(shelves):
        floor = (i + 1) * high - max(high // 10, 2)
        x = 4
        while x < 192:
            w = int(random.uniform(0.08, 0.2) * high) + 2
            h = int(random.uniform(0.58, 0.86) * high)
            if random.random() < 0.06:
                x += 2 * w
                continue
            round_ = np.sin(np.linspace(0.4, 2.6, w))[None, :, None] ** 0.7
            c = _rgb(_BOOKS[int(random.integers(len(_BOOKS)))]) * random.uniform(0.6, 1.3)
            t[floor - h : floor, x : x + w] = (c * round_)[:, : 200 - x]
            x += w + 1
        t[floor : (i + 1) * high] = _rgb(wood)
    t[:, :4] = t[:, -4:] = _rgb(wood)
    return _done(t)


@lru_cache(32)
def bottles(shelves: int = 3, seed: int = 1, wood: str = "3a2414", glow: str = "ffb060") -> F32:
    """A back bar: rows of bottles before a lit back, as emission (150, 240, 3)."""
    random = np.random.default_rng(seed)
    n, wide = 150, 240
    high = n // shelves
    t = np.zeros((n, wide, 3), np.float32)
    lamp = (1.15 - np.linspace(0, 1, high) ** 0.7)[:, None, None]
    for i in range(shelves):
        t[i * high : (i + 1) * high] = _rgb(glow) * 0.42 * lamp
        floor = (i + 1) * high - 4
        x = 3
        while x < wide - 8:
            w = int(random.integers(6, 11))
            h = int(random.uniform(0.5, 0.8) * high)
            c = _rgb(_BOTTLES[int(random.integers(len(_BOTTLES)))]) * random.uniform(0.25, 0.9)
            edge = np.abs(np.linspace(-1, 1, w))[None, :, None]
            t[floor - int(h * 0.66) : floor, x : x + w] = c * (0.55 + 0.7 * edge)
            neck = x + w // 3
            t[floor - h : floor - int(h * 0.66), neck : neck + max(w // 3, 2)] = c * 0.8
            if random.random() < 0.8:
                t[floor - int(h * 0.45) : floor - int(h * 0.15), x + 1 : x + w - 1] = _rgb("e8dcc0") * random.uniform(
                    0.05, 0.4
                )
            x += w + int(random.integers(1, 5))
        t[floor : (i + 1) * high] = _rgb(wood) * 0.5
    return _done(t)


@lru_cache(32)
def curtain(colour: str, folds: int = 9, seed: int = 5) -> F32:
    """Hanging cloth, (128, 192, 3)."""
    y, x = np.mgrid[:128, :192].astype(np.float32)
    wave = x / 192 * folds * 2 * np.pi + 0.7 * sheet(128, 192, seed, 1.7, 1, 0.3)
    fold = 0.5 + 0.42 * np.sin(wave) + 0.16 * np.sin(2.3 * wave + 1)
    return _done(_rgb(colour) * (0.12 + 1.05 * np.clip(fold, 0, 1.2))[..., None] * (1 - 0.25 * y / 128)[..., None])


_SKIES = (("8fa8b8", "e8d8b8"), ("5a7890", "d8c8a0"), ("c89868", "f0d8a0"), ("6a7480", "b8b4a4"))
_FIELDS = (("5a6238", "38402a"), ("8a7840", "4a4a28"), ("6a5a3c", "3a3224"), ("4a6a70", "24404a"))


def _landscape(random: np.random.Generator, seed: int) -> Array:
    """A sky with clouds, hills that fade, and a tree or two, (96, 128, 3)."""
    h, w = 96, 128
    y, x = np.mgrid[:h, :w].astype(np.float32)
    upper, lower = (_rgb(c) for c in _SKIES[int(random.integers(4))])
    near, shadow = (_rgb(c) for c in _FIELDS[int(random.integers(4))])
    line = h * random.uniform(0.5, 0.66)
    t: Array = upper + (lower - upper) * np.clip(y / line, 0, 1)[..., None] ** 1.5
    cloud = np.clip(sheet(h, w, seed, 1.7, 0.7, 1.1) - 0.2, 0, 1)[..., None] * 0.6
    t = t * (1 - cloud) + _rgb("f0e8d8") * cloud
    for i, fade in enumerate((0.6, 0.3, 0.0)):
        ridge = line + 9 * i - 7 * np.sin(x * random.uniform(0.02, 0.05) + random.uniform(0, 6)) * (1 - 0.3 * i)
        c = (near + (shadow - near) * np.clip((y - ridge) / 40, 0, 1)[..., None]) * (1 - fade) + lower * fade
        t = np.where((y > ridge)[..., None], c * (1 + 0.15 * sheet(h, w, seed + i, 0.8))[..., None], t)
    for _ in range(int(random.integers(1, 4))):
        tx, ty, r = random.uniform(12, w - 12), line + random.uniform(-4, 8), random.uniform(7, 15)
        lump = np.hypot((x - tx) / r, (y - ty) / (1.2 * r)) + 0.22 * sheet(h, w, seed + 5, 1.2, 3, 3)
        lit = 0.45 + 0.5 * np.clip((tx - x + ty - y) / r * 0.5 + 0.5, 0, 1)
        t = np.where((lump < 1)[..., None], shadow * lit[..., None], t)
    return t


def _sitter(random: np.random.Generator, seed: int) -> Array:
    """A half-length figure before a dark ground, as old portraits are, (96, 128, 3)."""
    h, w = 96, 128
    y, x = np.mgrid[:h, :w].astype(np.float32)
    at = 64 + random.uniform(-8, 8)
    ground = _rgb(("3a2e20", "2c3028", "402c24")[int(random.integers(3))])
    t: Array = ground * (0.5 + 0.8 * np.exp(-(((x - at - 16) / 40) ** 2) - ((y - 34) / 40) ** 2))[..., None]
    coat = _rgb(("1c1a20", "5a1c1c", "22304a", "3a3a24")[int(random.integers(4))])
    shoulders = (np.abs(x - at) / 38) ** 2.4 + ((96 - y) / 42) ** 2.2
    side = np.clip(0.55 + (at - x) / 60, 0.25, 1.2)[..., None]
    t = np.where((shoulders < 1)[..., None], coat * side, t)
    hair = np.hypot((x - at) / 14, (y - 33) / 17)
    t = np.where((hair < 1)[..., None], _rgb(("2a1c12", "5a4028", "8a8478")[int(random.integers(3))]) * side, t)
    collar = np.hypot((x - at) / 9, (y - 57) / 6) < 1
    t = np.where(collar[..., None], _rgb("d8ccb4") * side, t)
    face = np.hypot((x - at) / 10, (y - 37) / 13.5)
    skin = _rgb("c89a74") * np.clip(1.05 - 0.045 * (x - at + 3), 0.35, 1.3)[..., None]
    t = np.where((face < 1)[..., None], skin, t)
    return np.asarray(cv2.GaussianBlur(np.asarray(t, np.float32), (0, 0), 1.0))


@lru_cache(64)
def painting(seed: int, frame: str = "9a7430") -> F32:
    """A framed picture, (96, 128, 3): mostly landscapes, some portraits, under old varnish."""
    random = np.random.default_rng(seed)
    t = _sitter(random, seed) if seed % 3 == 1 else _landscape(random, seed)
    # Varnish pulls towards brown; brush strokes are finer than the shapes.
    t = t * _rgb("f4e6c4") * np.exp(0.10 * sheet(96, 128, seed + 3, 0.8, 2.0, 1.0))[..., None]
    for i in range(8):
        tone = _rgb(frame) * (0.55 + 0.9 * np.sin(np.pi * (i + 0.5) / 8))
        t[i, i : 128 - i] = t[95 - i, i : 128 - i] = tone
        t[i : 96 - i, i] = t[i : 96 - i, 127 - i] = tone * 0.85
    return _done(t)


@lru_cache(48)
def facade(colour: str, columns: int, floors: int, lit: float, seed: int, glass: str = "2a323c") -> tuple[F32, F32]:
    """A house front: reflectance and emission of its lit windows, both (192, 128, 3)."""
    random = np.random.default_rng(seed)
    h, w = 192, 128
    a = np.ones((h, w, 3), np.float32) * _rgb(colour) * (1 + 0.12 * sheet(h, w, seed, 1.2)[..., None])
    e = np.zeros_like(a)
    cw, ch = w / columns, h / floors
    for j in range(floors):
        for i in range(columns):
            y0, y1 = int((j + 0.24) * ch), max(int((j + 0.82) * ch), int((j + 0.24) * ch) + 1)
            x0, x1 = int((i + 0.22) * cw), max(int((i + 0.78) * cw), int((i + 0.22) * cw) + 1)
            a[y0:y1, x0:x1] = _rgb(glass) * random.uniform(0.5, 1.6)
            if random.random() < lit:
                k = _rgb(_LIT[int(random.choice(4, p=(0.4, 0.3, 0.2, 0.1)))]) * random.uniform(0.25, 1.5)
                e[y0:y1, x0:x1] = k * np.linspace(1.2, 0.5, y1 - y0)[:, None, None]
                a[y0:y1, x0:x1] *= 0.3
        a[int(j * ch) : int(j * ch) + 2] *= 0.75
    return _done(a), _done(e)


@lru_cache(64)
def far_facade(colour: str, columns: int, floors: int, lit: float, seed: int, glass: str) -> tuple[F32, F32]:
    """`facade` for houses far away, (48, 32, 3)."""
    a, e = facade(colour, columns, floors, lit, seed, glass)
    return _done(cv2.resize(a, (32, 48), interpolation=cv2.INTER_AREA)), _done(
        cv2.resize(e, (32, 48), interpolation=cv2.INTER_AREA)
    )


@lru_cache(24)
def shop(seed: int, glow: str) -> F32:
    """A lit shop window with things in it, as emission (64, 160, 3)."""
    random = np.random.default_rng(seed)
    t = np.ones((64, 160, 3), np.float32) * _rgb(glow) * np.linspace(1.5, 0.35, 64)[:, None, None]
    t *= np.exp(0.35 * sheet(64, 160, seed, 1.2))[..., None]
    for _ in range(16):
        x, w, h = random.integers(0, 150), random.integers(4, 14), random.integers(12, 44)
        t[64 - h :, x : x + w] *= 0.3 * random.uniform(0.2, 1.4, 3)
    for x in random.integers(0, 157, 5):
        t[:, x : x + 3] *= 0.08
    t[:9] *= 0.15 if random.random() < 0.5 else random.uniform(0.2, 1.6, 3)
    t[-6:] *= 0.15
    return _done(t)


def named(text: str) -> F32:
    """A texture from a word of `settings.toml`: ``kind:colour[:number]``, e.g. ``"bricks:8a4a36:20"``."""
    kind, colour, *rest = text.split(":")
    number = int(rest[0]) if rest else 0
    makers: dict[str, Callable[[], Array]] = {
        "plaster": lambda: plaster(colour, number),
        "planks": lambda: planks(colour, number or 8),
        "boards": lambda: planks(colour, number or 8, 1, False),
        "bricks": lambda: bricks(colour, number or 24),
        "stone": lambda: bricks(colour, number or 9, 7, "5a544c"),
        "tiles": lambda: tiles(colour, "", number or 8),
        "checks": lambda: tiles(colour, "1c1a18", number or 8),
        "marble": lambda: marble(colour),
        "curtain": lambda: curtain(colour, number or 9),
        "books": lambda: books(number or 6, 3, colour),
        "metal": lambda: cv2.blur(planks(colour, number or 10), (1, 31)),
    }
    return np.asarray(makers[kind](), np.float32)
