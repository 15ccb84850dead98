"""Cut-outs with transparency, (h, w, 4) linear: plants, trees, chairs, small things. Cached; shapes vary by seed."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from portrayal.engines.studio.noise import sheet
from portrayal.engines.studio.scenes.canvas import hexadecimal
from portrayal.imaging import F32, U8, Array


def _card(mask: Array, colour: Array) -> F32:
    m = np.asarray(mask, np.float32)
    if m.max() > 1:
        m = m * np.float32(1 / 255)
    rgb = np.broadcast_to(np.asarray(colour, np.float32), (*m.shape, 3))
    out = np.concatenate([rgb, m[..., None]], -1).astype(np.float32)
    out.setflags(write=False)
    return out


def _rgb(code: str) -> F32:
    return np.array(hexadecimal(code), np.float32)


def _points(points: Array) -> Array:
    return np.round(np.asarray(points) * 8).astype(np.int32)


def _poly(mask: U8, points: Array) -> None:
    cv2.fillPoly(mask, [_points(points)], 255, cv2.LINE_AA, 3)


@lru_cache(48)
def crown(colour: str, seed: int, dense: float = 0.0, light: str = "", ragged: float = 1.0) -> F32:
    """A tree's crown or a bush, (160, 160, 4): clumps of leaves, lit from above, with gaps."""
    n = 160
    y, x = np.mgrid[:n, :n].astype(np.float32) / n * 2 - 1
    big, fine = sheet(n, n, seed, 1.2, 1.2, 1.2), sheet(n, n, seed + 3, 0.8, 2.5, 2.5)
    edge = 1.02 - np.sqrt(x * x + (y * 1.05) ** 2) + ragged * (0.14 * big + 0.06 * fine) - 0.10
    gaps = 0.9 + dense - 0.55 * np.clip(big, -1, 2) * 0.5 - 0.30 * fine
    mask = np.clip(edge * 9, 0, 1) * np.clip(gaps * 1.6, 0, 1)
    shade = np.clip(0.62 - 0.42 * y + 0.30 * big + 0.22 * fine, 0.10, 1.6)
    c = _rgb(colour) * shade[..., None]
    if light:
        sun = np.clip(shade - 0.85, 0, 1)[..., None]
        c = c * (1 - sun) + _rgb(light) * sun * 1.3
    return _card(mask, c)


@lru_cache(24)
def trunk(colour: str, seed: int, branches: int = 5) -> F32:
    """A trunk that forks upwards, (192, 96, 4)."""
    random = np.random.default_rng(seed)
    m = np.zeros((192, 96), np.uint8)
    _poly(m, np.array([(41, 191), (55, 191), (51, 60), (45, 60)]))
    for i in range(branches):
        y = random.uniform(45, 110)
        to = 48 + random.uniform(20, 44) * (1 if i % 2 else -1)
        cv2.line(
            m, (48, int(y)), (int(to), int(y - random.uniform(35, 60))), 255, int(random.integers(2, 5)), cv2.LINE_AA
        )
    side = np.linspace(0.5, 1.3, 96)[None, :, None]
    return _card(m, _rgb(colour) * side * (1 + 0.25 * sheet(192, 96, seed, 0.8, 1, 3))[..., None])


@lru_cache(16)
def fir(colour: str, seed: int, snow: float = 0.0) -> F32:
    """A fir, (224, 128, 4), with snow on its branches if wanted."""
    random = np.random.default_rng(seed)
    m, white = np.zeros((224, 128), np.uint8), np.zeros((224, 128), np.uint8)
    cv2.line(m, (64, 30), (64, 223), 255, 5)
    for i in range(14):
        q = (i + 0.5) / 14
        y, w = 6 + 200 * q, 60 * q**0.85 * random.uniform(0.8, 1.1)
        fan = [(64 + w * t, y + 0.38 * w * abs(t) ** 1.4 + random.uniform(0, 6)) for t in np.linspace(-1, 1, 13)]
        _poly(m, np.array([(64, y - 20), *fan[::-1]]))
        _poly(white, np.array([(64, y - 20), *[(a, b - random.uniform(4, 9)) for a, b in fan[::-1]]]))
    n = sheet(224, 128, seed, 0.8, 1.5, 2.5)
    c = _rgb(colour) * (0.8 + 0.3 * n)[..., None]
    s = (snow * cv2.GaussianBlur(white, (0, 0), 1.0).astype(np.float32) / 255 * np.clip(0.75 + 0.5 * n, 0, 1))[
        ..., None
    ]
    return _card(m, c * (1 - s) + _rgb("dfe8f2") * s)


def _frond(
    mask: U8, tone: F32, start: tuple[float, float], angle: float, long: float, random: np.random.Generator
) -> None:
    """One feathered leaf of a palm, in place: a bent rib, and narrow leaflets that hang from both its sides."""
    s = np.linspace(0, 1, 30)
    droop = long * (0.30 + 0.45 * abs(float(np.cos(angle))))
    x, y = start[0] + np.cos(angle) * long * s, start[1] - np.sin(angle) * long * 0.75 * s + droop * s**2.1
    shade = random.uniform(0.55, 1.35)
    one = np.zeros_like(mask)
    cv2.polylines(one, [_points(np.stack([x, y], 1))], False, 255, 2, cv2.LINE_AA, 3)
    along = np.arctan2(np.gradient(y), np.gradient(x))
    for i in range(2, 30):
        reach = 0.27 * long * np.sin(np.pi * (0.12 + 0.80 * s[i])) * random.uniform(0.85, 1.1)
        for turn in (0.75, -0.75):
            lean = along[i] + turn
            tip = x[i] + np.cos(lean) * reach, y[i] + np.sin(lean) * reach + 0.30 * reach
            ax, ay = np.cos(along[i]) * 2.2, np.sin(along[i]) * 2.2
            _poly(one, np.array([(x[i] - ax, y[i] - ay), tip, (x[i] + ax, y[i] + ay)]))
    np.maximum(mask, one, out=mask)
    tone[one > 60] = shade * random.uniform(0.9, 1.1)


@lru_cache(16)
def palm(seed: int, colour: str = "3f5a24") -> F32:
    """A palm tree, (384, 384, 4): a ringed trunk that bends, and feathered leaves."""
    random = np.random.default_rng(seed)
    n = 384
    m, wood = np.zeros((n, n), np.uint8), np.zeros((n, n), np.uint8)
    tone = np.ones((n, n), np.float32)
    bend = random.uniform(-60, 60)
    t = np.linspace(0, 1, 20)
    px, py = n / 2 - bend * (1 - t) ** 1.7, 118 + (n - 118) * (1 - t)
    wide = 4.0 + 3.5 * (1 - t) ** 2
    _poly(wood, np.concatenate([np.stack([px - wide, py], 1), np.stack([px + wide, py], 1)[::-1]]))
    for a in np.linspace(-0.45, np.pi + 0.45, 17)[random.permutation(17)] + random.uniform(-0.1, 0.1, 17):
        _frond(m, tone, (n / 2, 118), float(a), random.uniform(112, 158), random)
    grain = sheet(n, n, seed, 0.8, 3, 3)
    y = np.mgrid[:n, :n][0]
    bark = _rgb("7a6248") * (0.8 + 0.25 * np.sin(y * 0.8) + 0.2 * grain)[..., None]
    leaf = _rgb(colour) * (tone * (1 + 0.2 * grain))[..., None]
    return _card(np.maximum(m, wood), np.where((wood > m)[..., None], bark, leaf))


@lru_cache(24)
def leaf(seed: int, colour: str = "2f6a24") -> F32:
    """One large leaf with ribs and torn edges, as of a banana or a philodendron, (192, 96, 4); it grows upwards."""
    random = np.random.default_rng(seed)
    m = np.zeros((192, 96), np.uint8)
    s = np.linspace(0, 1, 40)
    bend = random.uniform(-26, 26)
    rib, y = 48 + bend * s**1.8, 188 - 182 * s
    wide = 36 * np.sin(np.pi * np.clip(s * 0.94 + 0.03, 0, 1)) ** 0.7 * (1 - 0.25 * s)
    _poly(m, np.concatenate([np.stack([rib - wide, y], 1), np.stack([rib + wide, y], 1)[::-1]]))
    for i in random.integers(6, 34, 7):
        side = float(random.choice((-1, 1)))
        edge = rib[i] + side * wide[i] * 1.1
        notch = [(edge, y[i] - 16), (edge, y[i] - 4), (rib[i] + side * wide[i] * random.uniform(0.2, 0.5), y[i] + 6)]
        cv2.fillPoly(m, [_points(np.array(notch))], 0, cv2.LINE_AA, 3)
    yy, xx = np.mgrid[:192, :96].astype(np.float32)
    middle = np.interp(yy[:, 0], y[::-1], rib[::-1])[:, None]
    across = (xx - middle) / 36
    veins = 0.12 * np.sin((yy + np.abs(across) * 26) * 0.55)
    shade = 0.8 + veins + 0.35 * np.where(across > 0, 1, -0.6) * np.exp(-(across**2) * 0.5)
    shade = shade + 0.7 * np.exp(-((across / 0.05) ** 2)) + 0.3 * (1 - yy / 192)
    return _card(m, _rgb(colour) * np.clip(shade, 0.15, 2.2)[..., None])


@lru_cache(24)
def plant(seed: int, colour: str = "3a6a2c", pot: str = "b8a890") -> F32:
    """A potted plant, (128, 96, 4)."""
    random = np.random.default_rng(seed)
    m, p = np.zeros((128, 96), np.uint8), np.zeros((128, 96), np.uint8)
    _poly(p, np.array([(32, 96), (64, 96), (60, 127), (36, 127)]))
    shade = np.ones((128, 96), np.float32)
    for a in random.uniform(0.15, np.pi - 0.15, 26):
        long = random.uniform(34, 88)
        s = np.linspace(0, 1, 7)
        x, y = 48 + np.cos(a) * long * 0.55 * s, 98 - np.sin(a) * long * s + 20 * s**2.4
        w = 6.5 * np.sin(np.pi * np.clip(s + 0.03, 0, 1))
        leaf = np.zeros_like(m)
        _poly(leaf, np.concatenate([np.stack([x - w, y], 1), np.stack([x + w, y], 1)[::-1]]))
        shade[leaf > 0] = random.uniform(0.35, 1.5)
        m = np.maximum(m, leaf)
    c = np.where(
        (m > 0)[..., None], _rgb(colour) * shade[..., None], _rgb(pot) * np.linspace(0.6, 1.2, 96)[None, :, None]
    )
    return _card(np.maximum(m, p), c)


@lru_cache(16)
def chair(colour: str) -> F32:
    """A chair from behind, (96, 64, 4)."""
    m = np.zeros((96, 64), np.uint8)
    for a, b in (((10, 4), (54, 14)), ((12, 44), (52, 54)), ((10, 4), (15, 95)), ((49, 4), (54, 95))):
        cv2.rectangle(m, a, b, 255, -1)
    for x in (22, 31, 40):
        cv2.rectangle(m, (x, 10), (x + 3, 46), 255, -1)
    return _card(m, _rgb(colour) * np.linspace(1.15, 0.6, 96)[:, None, None])


@lru_cache(16)
def arch(kind: str = "round") -> F32:
    """A mask (192, 128) of an arched opening, ``"round"`` or ``"pointed"``, white inside."""
    m = np.zeros((192, 128), np.uint8)
    cv2.rectangle(m, (2, 66), (125, 191), 255, -1)
    if kind == "round":
        cv2.circle(m, (64, 66), 62, 255, -1, cv2.LINE_AA)
    else:
        a, b = np.zeros_like(m), np.zeros_like(m)
        cv2.circle(a, (126, 80), 124, 255, -1, cv2.LINE_AA)
        cv2.circle(b, (2, 80), 124, 255, -1, cv2.LINE_AA)
        m[:80] = np.minimum(a, b)[:80]
    return np.asarray(m / np.float32(255), np.float32)


@lru_cache(32)
def clutter(seed: int, colours: tuple[str, ...], count: int = 9) -> F32:
    """A row of small things that stand on a surface, (48, 160, 4)."""
    random = np.random.default_rng(seed)
    m = np.zeros((48, 160), np.float32)
    c = np.zeros((48, 160, 3), np.float32)
    for _ in range(count):
        x, w, h = int(random.integers(2, 146)), int(random.integers(6, 16)), int(random.integers(8, 46))
        k = _rgb(colours[int(random.integers(len(colours)))]) * random.uniform(0.5, 1.2)
        round_ = (0.5 + 0.7 * np.sin(np.linspace(0.5, 2.4, w)))[None, :, None]
        c[48 - h :, x : x + w] = (k * round_)[:, : 160 - x]
        m[48 - h :, x : x + w] = 1
        if random.random() < 0.4:
            m[48 - h : 48 - h + h // 3, x : x + w // 3] = 0
            m[48 - h : 48 - h + h // 3, x + w - w // 3 : x + w] = 0
    return _card(m, c)


@lru_cache(8)
def gown(seed: int) -> F32:
    """A stall's striped awning, (64, 192, 4)."""
    random = np.random.default_rng(seed)
    colours = ("c23a2a", "2f6a4a", "d89a2a", "2a4a8a", "b8483a")
    a = _rgb(colours[int(random.integers(len(colours)))])
    x = np.arange(192)
    stripe = ((x // 16) % 2)[None, :, None]
    t = np.where(stripe == 1, _rgb("ece4d4"), a) * np.linspace(1.1, 0.6, 64)[:, None, None]
    m = np.ones((64, 192), np.float32)
    m[52:] = ((x % 16 - 8) ** 2 < 50)[None]
    return _card(m, t)
