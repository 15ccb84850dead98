"""Patterns of cloth, in centimetres as real cloth has them."""

from __future__ import annotations

import colorsys
import re
from typing import Any, Final

import numpy as np
from numba import njit

from portrayal.engines.studio.cloth.grain import cells, cloud, density, dice, roll, seen, value
from portrayal.engines.studio.light.tone import linear_of_hex, luminance
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32
from portrayal.kernels import HELPER, KERNEL
from portrayal.parallel import bands

NAMES: Final = (
    "striped", "pinstripe", "checked", "plaid", "polka dot", "floral", "houndstooth", "herringbone", "camouflage",
    "paisley", "animal", "tie-dye", "argyle", "geometric",
)  # fmt: skip
_WOVEN: Final = frozenset(
    ("striped", "pinstripe", "checked", "plaid", "polka dot", "houndstooth", "herringbone", "argyle")
)
_WHITE: Final = "#eeebe2"
_HALF: Final = np.float32(0.5)
_ONE: Final = np.float32(1.0)
_ZERO: Final = np.float32(0.0)


def names() -> tuple[str, ...]:
    """All patterns."""
    return NAMES


def natural(pattern: str) -> str | None:
    """The colour "#rrggbb" of cloth with a pattern that has one by nature (a leopard's coat), where none is named."""
    return {"camouflage": "#6a6b33", "animal": "#c19a6b"}.get(pattern)


def dye(colour: str) -> F32:
    """See `fabrics.dye`."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise InvalidRequestError(
            f"{colour!r} is not a colour", field="colour", remedy='Write it as "#rrggbb", for instance "#1f2a44".'
        )
    light = linear_of_hex(colour)
    bright = float(luminance(light))
    over = max(bright - 1.2, 0.0)
    return np.asarray(light * np.float32((bright - over + over / (1 + 0.5 * over)) / max(bright, 1e-4)), np.float32)


def dyed(cloth: Cloth, u: F32, v: F32, detail: float, seed: int = 0) -> F32:
    """Scene light (h, w, 3) of the dye at some points; see `fabrics.weave`.

    Raises:
        InvalidRequestError: for an unknown pattern.
    """
    base = dye(cloth.colour)
    out = np.empty((*u.shape, 3), np.float32)
    if cloth.pattern is None:
        out[:] = base
        return out
    if cloth.pattern not in NAMES:
        raise InvalidRequestError(
            f"there is no pattern {cloth.pattern!r}", field="pattern", remedy=f"Use one of: {', '.join(NAMES)}."
        )
    palette = _palette(cloth.pattern, cloth.colour, cloth.second)
    code, size, table = NAMES.index(cloth.pattern), np.float32(detail), dice()
    move = np.float32(seed % 97)
    if cloth.pattern in _WOVEN:
        bands(lambda a, b: _weave_rows(u, v, size, code, palette, out, a, b), len(u), 32)
    else:
        bands(lambda a, b: _print_rows(u, v, size, code, palette, table, move, out, a, b), len(u), 32)
    return out


def _hls(colour: str) -> tuple[float, float, float]:
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return colorsys.rgb_to_hls(r, g, b)


def _hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue % 1.0, min(max(lightness, 0.04), 0.95), min(max(saturation, 0.0), 1.0))
    return "#" + "".join(f"{round(255 * c):02x}" for c in rgb)


def _grey(colour: str) -> float:
    return sum(w * int(colour[i : i + 2], 16) / 255 for w, i in ((0.3, 1), (0.59, 3), (0.11, 5)))


def second_of(pattern: str, colour: str) -> str:
    """The colour that goes with a cloth, where the words name only one."""
    hue, lightness, saturation = _hls(colour)
    dark = _grey(colour) < 0.5
    if pattern in ("herringbone", "pinstripe"):
        return _hex(hue, lightness + 0.42, saturation * 0.5) if dark else _hex(hue, lightness * 0.38, saturation * 0.8)
    if pattern == "houndstooth":
        return _WHITE if _grey(colour) < 0.72 else "#1c1b1d"
    if pattern == "plaid":
        return "#15171c" if _grey(colour) > 0.16 else "#7d1f26"
    if pattern == "animal":
        return "#20150e" if _grey(colour) > 0.22 else "#b98a4e"
    if pattern == "camouflage":
        return (
            _hex(hue, lightness * 0.42, saturation * 0.9) if _grey(colour) > 0.22 else _hex(hue, lightness + 0.22, 0.2)
        )
    if pattern in ("floral", "paisley"):
        return "#c8475c" if not (hue > 0.9 or hue < 0.06) or saturation < 0.2 else "#f0c9a8"
    if _grey(colour) < 0.74:
        return _WHITE
    return "#24304f" if saturation < 0.45 else _hex(hue, 0.28, 0.6)


def _palette(pattern: str, colour: str, second: str | None) -> F32:
    """Colours (6, 3): the cloth, the pattern, then what the pattern needs besides."""
    other = second or second_of(pattern, colour)
    hue, lightness, saturation = _hls(colour)
    hue2, lightness2, saturation2 = _hls(other)
    accents = [_WHITE, "#d9a441", "#3f6b45", "#2b2a30"]
    if pattern == "plaid":
        accents[0] = "#e8dfc6" if _grey(other) < 0.6 else "#20242c"
    elif pattern == "camouflage":
        accents[0] = _hex(hue + 0.005, lightness + 0.15, saturation * 0.6)
        accents[1] = _hex(0.075, 0.24, 0.38) if saturation > 0.12 else _hex(hue, lightness * 0.6, saturation)
    elif pattern == "animal":
        accents[0] = _hex(hue - 0.015, lightness * 0.72, saturation * 1.05)
    elif pattern == "tie-dye":
        accents[0] = _hex(hue + 0.09, min(lightness + 0.1, 0.7), max(saturation, 0.4))
        accents[1] = _hex(hue - 0.10, lightness, max(saturation, 0.35))
    elif pattern in ("argyle", "geometric", "paisley"):
        accents[0] = "#e9e3d2" if _grey(colour) < 0.6 or _grey(other) < 0.6 else "#2b2f3a"
        # Beside white or grey a third colour comes from the cloth, else from the pattern.
        plain = saturation2 < 0.3 or _grey(other) > 0.75
        accents[1] = (
            _hex(hue + 0.02, 0.58, saturation * 0.55) if plain else _hex(hue2 + 0.08, lightness2 * 0.85, saturation2)
        )
        if pattern == "geometric":
            accents[1] = "#c8702f" if abs((hue + 0.5) % 1.0 - 0.5) > 0.12 or saturation < 0.2 else "#2f5f73"
        accents[3] = _hex(hue, lightness * 0.6, saturation)
    elif pattern == "floral":
        accents[0] = _hex(hue2 + 0.03, min(lightness2 + 0.22, 0.9), saturation2)
        accents[1] = "#e3b64b" if _grey(colour) < 0.75 else "#d58f3a"
    return np.stack([dye(c) for c in (colour, other, *accents)]).astype(np.float32)


@njit(**HELPER)
def _mix(c: Any, palette: Any, k: Any, t: Any) -> None:
    for i in range(3):
        c[i] += (palette[k, i] - c[i]) * t


@njit(**HELPER)
def _inside(distance: Any, pixel: Any) -> Any:
    """Coverage of a pixel by a shape whose edge is so far away (cm, > 0 inside)."""
    return min(max(distance / pixel + _HALF, _ZERO), _ONE)


@njit(**HELPER)
def _band(q: Any, period: Any, width: Any, pixel: Any) -> Any:
    """Coverage by stripes of a width, in the middle of each period; exact for stripes narrower than a pixel."""
    d = abs(q / period - np.floor(q / period) - _HALF) * period
    near = seen(period, pixel)
    sharp = min(max((_HALF * (width + pixel) - d) / pixel, _ZERO), min(_ONE, width / pixel))
    return sharp * near + width / period * (_ONE - near)


@njit(**HELPER)
def _plaid(c: Any, palette: Any, u: Any, v: Any, e: Any) -> None:
    """A tartan: the same sett in warp and weft, mixed by a twill."""
    near = seen(np.float32(0.16), e)
    over = _HALF + _HALF * np.sin((u + v) * np.float32(2 * np.pi / 0.16)) * near
    for way in range(2):
        q = u if way == 0 else v
        share = over if way == 0 else _ONE - over
        wide = _band(q, np.float32(6.4), np.float32(2.7), e)
        pair = _band(q + np.float32(2.05), np.float32(6.4), np.float32(0.3), e)
        pair = max(pair, _band(q - np.float32(2.05), np.float32(6.4), np.float32(0.3), e))
        line = _band(q + np.float32(3.2), np.float32(6.4), np.float32(0.16), e)
        middle = _band(q, np.float32(6.4), np.float32(0.22), e)
        for i in range(3):
            x = palette[0, i] + (palette[1, i] - palette[0, i]) * max(wide, pair)
            x += (palette[2, i] - x) * line * np.float32(0.9)
            x += (palette[3, i] - x) * middle * np.float32(0.8)
            c[i] = x * share if way == 0 else c[i] + x * share


@njit(**HELPER)
def _houndstooth(u: Any, v: Any, e: Any) -> Any:
    """Four dark and four light threads both ways in a 2/2 twill; four samples per pixel."""
    thread = np.float32(0.18)
    total = 0
    for k in range(4):
        i = int(np.floor((u + (np.float32(k & 1) - _HALF) * _HALF * e) / thread))
        j = int(np.floor((v + (np.float32(k >> 1) - _HALF) * _HALF * e) / thread))
        warp = ((i + j) & 3) < 2
        total += 1 if ((i & 7) < 4 if warp else (j & 7) < 4) else 0
    near = seen(thread * np.float32(3.0), e)
    p = thread * np.float32(8.0)
    flat = _HALF * (_band(u + p * np.float32(0.25), p, _HALF * p, e) + _band(v + p * np.float32(0.25), p, _HALF * p, e))
    return np.float32(total) * np.float32(0.25) * near + flat * (_ONE - near)


@njit(**HELPER)
def _floral(c: Any, palette: Any, table: Any, u: Any, v: Any, e: Any) -> None:
    """Flowers of five petals with leaves, one per cell of 3 cm, turned and moved at random, small ones between."""
    p = np.float32(3.0)
    i0, j0 = int(np.floor(u / p)), int(np.floor(v / p))
    for step in range(2):
        for j in range(j0 - 1, j0 + 2):
            for i in range(i0 - 1, i0 + 2):
                a, b, k = roll(table, i, j), roll(table, i + 31, j + 17), roll(table, i + 61, j + 5)
                dx = u - (np.float32(i) + _HALF + np.float32(0.32) * a) * p
                dy = v - (np.float32(j) + _HALF + np.float32(0.32) * b) * p
                r = p * (np.float32(0.35) + np.float32(0.13) * k)
                away = np.sqrt(dx * dx + dy * dy)
                if away > r * np.float32(2.1):
                    continue
                turn = np.arctan2(dy, dx) + np.float32(3.1) * k
                if step == 0:
                    leaf = abs(np.cos(turn * np.float32(1.5)))
                    leaf = leaf * leaf * leaf
                    leaf = leaf * leaf
                    t = _inside((r * np.float32(1.95) * leaf - away) * np.float32(0.6), e)
                    _mix(c, palette, np.int64(4), t * np.float32(0.9))
                    if t > 0:
                        for m in range(3):
                            c[m] *= _ONE - np.float32(0.25) * t * _inside(
                                np.float32(0.05) - abs(np.sin(turn * np.float32(1.5))) * away, e
                            )
                    continue
                wave = abs(np.cos(np.float32(2.5) * turn))
                t = _inside(r * (np.float32(0.62) + np.float32(0.38) * np.sqrt(wave)) - away, e)
                if t <= 0:
                    continue
                _mix(c, palette, np.int64(1 if a + b > np.float32(-0.25) else 2), t)
                # Petals are darker towards the heart and between, and have veins.
                shade = np.float32(0.66) + np.float32(0.44) * min(away / r, _ONE) * (_HALF + _HALF * wave)
                shade += np.float32(0.05) * np.cos(turn * np.float32(25.0)) * seen(r * np.float32(0.25), e)
                for m in range(3):
                    c[m] *= _ONE + (shade - _ONE) * t
                _mix(c, palette, np.int64(3), _inside(r * np.float32(0.24) - away, e))


@njit(**HELPER)
def _paisley(c: Any, palette: Any, table: Any, u: Any, v: Any, e: Any) -> None:
    """Drops with a bent tip, with a border, dots and a heart; small dots between."""
    p = np.float32(3.7)
    j = np.floor(v / p)
    q = u / p + _HALF * np.float32(int(j) & 1)
    i = np.floor(q)
    side = _ONE if (int(i) + int(j)) & 1 else -_ONE
    x, y = (q - i - _HALF) * p * side, (v / p - j - _HALF) * p * (_ONE if int(j) & 2 else -_ONE)
    # The tip bends aside: a circle whose middle moves and whose radius shrinks along y.
    t = min(max((y + np.float32(0.9)) / np.float32(2.7), _ZERO), _ONE)
    bend = x - np.float32(1.35) * t * t * t + np.float32(0.25) * t
    radius = np.float32(1.12) * (_ONE - t) ** np.float32(0.72) + np.float32(0.04)
    down = min(y + np.float32(0.55), _ZERO)
    d = radius - np.sqrt(bend * bend + down * down * np.float32(1.3))
    dots = (
        np.sqrt(
            (q * p * np.float32(2.0) - np.floor(q * p * np.float32(2.0)) - _HALF) ** 2
            + (v * np.float32(2.0) - np.floor(v * np.float32(2.0)) - _HALF) ** 2
        )
        * _HALF
    )
    _mix(
        c,
        palette,
        np.int64(2),
        seen(_HALF, e) * _inside(np.float32(0.07) - dots, e) * np.float32(0.8) * _inside(-d - np.float32(0.25), e),
    )
    _mix(c, palette, np.int64(2), _inside(d + np.float32(0.10), e))
    _mix(c, palette, np.int64(1), _inside(d, e))
    turn = np.arctan2(y + np.float32(0.5), bend)
    bead = np.float32(0.055) + np.float32(0.05) * np.cos(np.float32(16.0) * turn)
    _mix(c, palette, np.int64(2), _inside(bead - abs(d - np.float32(0.24)), e) * seen(_HALF, e))
    _mix(c, palette, np.int64(3), _inside(d - np.float32(0.42), e))
    heart = np.sqrt(bend * bend + (y + np.float32(0.45)) ** 2)
    _mix(c, palette, np.int64(0), _inside(np.float32(0.30) - heart, e))
    _mix(c, palette, np.int64(2), _inside(np.float32(0.12) - heart, e))


@njit(**HELPER)
def _animal(c: Any, palette: Any, table: Any, u: Any, v: Any, e: Any) -> None:
    """A leopard's coat: broken rings around darker middles."""
    wu = u + np.float32(0.35) * value(table, u * np.float32(1.1), v * np.float32(1.1))
    wv = v + np.float32(0.35) * value(
        table, u * np.float32(1.1) + np.float32(31.0), v * np.float32(1.1) + np.float32(7.0)
    )
    p = np.float32(1.75)
    first, second, which = cells(table, wu / p, wv / p * np.float32(0.85))
    ring = np.float32(0.30) + np.float32(0.05) * which
    broken = value(table, wu * np.float32(1.9) + which * np.float32(40.0), wv * np.float32(1.9))
    width = (np.float32(0.115) + np.float32(0.10) * broken) * p
    between = (second - first) * p
    _mix(c, palette, np.int64(2), _inside((ring - first) * p, max(e, np.float32(0.12))) * np.float32(0.85))
    _mix(c, palette, np.int64(1), _inside(width - abs(first - ring) * p, e) * _inside(between - np.float32(0.10), e))
    spot = value(table, wu * np.float32(1.3) + np.float32(77.0), wv * np.float32(1.3) + np.float32(19.0))
    _mix(
        c,
        palette,
        np.int64(1),
        _inside((spot - np.float32(0.62)) * np.float32(0.7), e) * _inside((first - ring) * p - np.float32(0.2), e),
    )


@njit(**HELPER)
def _camouflage(c: Any, palette: Any, table: Any, u: Any, v: Any, e: Any) -> None:
    """Blots of three more colours, edges a little ragged."""
    for k in range(3):
        s = np.float32(k * 23.7)
        n = cloud(table, u / np.float32(5.4) + s, v / np.float32(3.4) + s, np.int64(4), np.float32(3.4), e)
        limit = np.float32(0.14) if k == 0 else np.float32(0.22)
        _mix(c, palette, np.int64((2, 3, 1)[k]), _inside((n - limit) * np.float32(3.0), e))


@njit(**HELPER)
def _tie_dye(c: Any, palette: Any, table: Any, u: Any, v: Any) -> None:
    """A spiral folded into the cloth, bleeding."""
    x, y = u - np.float32(1.0), v - np.float32(16.0)
    x += np.float32(1.6) * value(table, u * np.float32(0.30), v * np.float32(0.30))
    y += np.float32(1.6) * value(table, u * np.float32(0.30) + np.float32(40.0), v * np.float32(0.30))
    away = np.sqrt(x * x + y * y) + np.float32(0.3)
    ragged = cloud(table, u * np.float32(0.8), v * np.float32(0.8), np.int64(3), np.float32(1.25), np.float32(0.05))
    turn = np.float32(2.5) * np.arctan2(y, x) + np.float32(2.6) * np.log(away) + np.float32(0.7) * ragged
    a, b = np.sin(turn * np.float32(2.0)), np.sin(turn * np.float32(2.0) * np.float32(0.6) + np.float32(1.3))
    _mix(c, palette, np.int64(2), min(max(_HALF + np.float32(1.1) * a, _ZERO), _ONE))
    _mix(c, palette, np.int64(3), min(max(np.float32(0.9) * b - np.float32(0.1), _ZERO), _ONE) * np.float32(0.8))
    _mix(
        c,
        palette,
        np.int64(1),
        min(max(np.float32(1.5) * (-a) - np.float32(0.55) + np.float32(0.25) * ragged, _ZERO), _ONE),
    )


@njit(**HELPER)
def _argyle(c: Any, palette: Any, u: Any, v: Any, e: Any) -> None:
    """Two colours of diamonds with a thin lattice across."""
    w, h = np.float32(5.0), np.float32(7.6)
    a, b = u / w + v / h, u / w - v / h
    k = int(np.floor(a)) - int(np.floor(b))
    x, y = a - np.floor(a), b - np.floor(b)
    edge = min(min(x, _ONE - x), min(y, _ONE - y)) * np.float32(4.0)
    t = _HALF + _HALF * min(edge / e * _HALF, _ONE)
    i = int(np.floor(a)) + int(np.floor(b))
    if k & 1:
        _mix(c, palette, np.int64(1 if (i + k) & 2 else 3), t)
    elif edge < e:
        _mix(c, palette, np.int64(1), (_ONE - t))
    lattice = max(
        _band(a + _HALF + np.float32(0.5), _ONE, np.float32(0.035), e / w),
        _band(b + _HALF + np.float32(0.5), _ONE, np.float32(0.035), e / w),
    )
    _mix(c, palette, np.int64(2), lattice * np.float32(0.9))


@njit(**HELPER)
def _geometric(c: Any, palette: Any, table: Any, u: Any, v: Any, e: Any) -> None:
    """Bands of triangles, diamonds and steps, as woven ribbons have them."""
    p = np.float32(3.0)
    tall = np.float32(9.0)
    row = v / tall
    y = (row - np.floor(row)) * tall
    q = u / p
    x = abs(q - np.floor(q) - _HALF) * np.float32(2.0)
    if y < np.float32(3.2):
        d = np.float32(1.6) - abs(y - np.float32(1.6)) - x * np.float32(1.5)
        _mix(c, palette, np.int64(1), _inside(d, e))
        _mix(c, palette, np.int64(2), _inside(d - np.float32(0.5), e))
        _mix(c, palette, np.int64(3), _inside(d - np.float32(0.9), e))
    elif y < np.float32(4.1):
        _mix(c, palette, np.int64(2), _inside(np.float32(0.45) - abs(y - np.float32(3.65)), e))
        small = abs(q * np.float32(3.0) - np.floor(q * np.float32(3.0)) - _HALF) * np.float32(1.0)
        _mix(
            c, palette, np.int64(5), _inside(np.float32(0.30) - small - abs(y - np.float32(3.65)) * np.float32(0.8), e)
        )
    elif y < np.float32(7.4):
        z = y - np.float32(4.1)
        d = z - np.float32(0.3) - x * np.float32(2.6)
        _mix(c, palette, np.int64(3), _inside(min(d, np.float32(3.0) - z), e))
        _mix(c, palette, np.int64(1), _inside(min(d - np.float32(0.9), np.float32(3.0) - z), e))
        _mix(c, palette, np.int64(5), _inside(min(d - np.float32(1.7), np.float32(3.0) - z), e))
    else:
        _mix(c, palette, np.int64(1), _inside(np.float32(0.6) - abs(y - np.float32(8.2)), e))
        zig = np.float32(8.2) + (
            abs(q * np.float32(2.0) - np.floor(q * np.float32(2.0)) - _HALF) - np.float32(0.25)
        ) * np.float32(1.6)
        _mix(c, palette, np.int64(2), _inside(np.float32(0.16) - abs(y - zig), e))


@njit(**KERNEL)
def _weave_rows(u: Any, v: Any, detail: Any, code: Any, palette: Any, out: Any, first: int, last: int) -> None:
    """Stripes, checks and what else is woven into cloth, over a band of rows; `code` is the place in `NAMES`."""
    width = u.shape[1]
    pixel = np.empty(width, np.float32)
    c = np.empty(3, np.float32)
    for y in range(first, last):
        density(u, v, y, detail, pixel)
        for x in range(width):
            a, b, e = u[y, x], v[y, x], pixel[x]
            for i in range(3):
                c[i] = palette[0, i]
            t = _ZERO
            if code == 0:
                t = _band(b, np.float32(2.6), np.float32(1.15), e)
            elif code == 1:
                t = _band(a, np.float32(1.5), np.float32(0.085), e) * np.float32(0.75)
            elif code == 2:
                p = np.float32(1.3)
                t = _HALF * (_band(a, p, _HALF * p, e) + _band(b, p, _HALF * p, e))
            elif code == 3:
                _plaid(c, palette, a, b, e)
            elif code == 4:
                p = np.float32(1.7)
                r = b / p * np.float32(2.0)
                q = a / p + _HALF * np.float32(int(np.floor(r)) & 1)
                dx, dy = (q - np.floor(q) - _HALF) * p, (r - np.floor(r) - _HALF) * p * _HALF
                t = _inside(np.float32(0.36) - np.sqrt(dx * dx + dy * dy), e)
            elif code == 6:
                t = _houndstooth(a, b, e)
            elif code == 7:
                q = a / np.float32(1.9)
                bend = abs(q - np.floor(q) - _HALF) * np.float32(3.8)
                t = _HALF + _HALF * np.sin((b + bend) * np.float32(2 * np.pi / 0.62)) * seen(np.float32(0.62), e)
                t *= np.float32(0.6)
            else:
                _argyle(c, palette, a, b, e)
            _mix(c, palette, np.int64(1), t)
            for i in range(3):
                out[y, x, i] = c[i]


@njit(**KERNEL)
def _print_rows(
    u: Any, v: Any, detail: Any, code: Any, palette: Any, table: Any, move: Any, out: Any, first: int, last: int
) -> None:
    """Prints over a band of rows; `code` is the place in `NAMES`. A kernel of its own, so that stripes need not wait
    for the compilation of flowers.

    Only prints move with the seed: stripes and checks lie where a tailor lays them.
    """
    width = u.shape[1]
    pixel = np.empty(width, np.float32)
    c = np.empty(3, np.float32)
    far = move * np.float32(7.3)
    for y in range(first, last):
        density(u, v, y, detail, pixel)
        for x in range(width):
            a, b, e = u[y, x], v[y, x], pixel[x]
            for i in range(3):
                c[i] = palette[0, i]
            if code == 5:
                _floral(c, palette, table, a + far, b + far, e)
            elif code == 8:
                _camouflage(c, palette, table, a + far, b + far, e)
            elif code == 9:
                _paisley(c, palette, table, a, b, e)
            elif code == 10:
                _animal(c, palette, table, a + far, b + far, e)
            elif code == 11:
                _tie_dye(c, palette, table, a, b)
            else:
                _geometric(c, palette, table, a, b, e)
            for i in range(3):
                out[y, x, i] = c[i]
