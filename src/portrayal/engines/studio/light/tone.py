"""The tone curve of the camera, and its exact inverse.

The curve has the shape of AgX (Sobotka 2022): the primaries are inset, so that bright saturated light bleaches like on
film instead of clipping, and each channel goes through one sigmoid over 16.5 stops. The reference portrait is sent
through the *inverse* of the very same curve before it is lit: light of 1 then returns the photograph unchanged, and no
picture is ever tone-mapped twice.

Inside the kernels both directions are table look-ups: the forward table is indexed with the upper bits of the float
itself (its exponent and mantissa are a piecewise linear logarithm), so that no logarithm is taken per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numba import njit

from portrayal.imaging import F32, Array
from portrayal.parallel import bands

LUMA: Final = (0.2126, 0.7152, 0.0722)
# The inset of the primaries and its inverse (rows sum to one).
_INSET: Final = (
    (0.842479062253094, 0.0784335999999992, 0.0792237451477643),
    (0.0423282422610123, 0.878468636469772, 0.0791661274605434),
    (0.0423756549057051, 0.0784336, 0.879142973793104),
)
_LOW_EV: Final = -12.47393
_HIGH_EV: Final = 4.026069
# The plain sigmoid is flat and grey; this contrast and saturation put a mid-grey of 0.18 on display code 0.41.
_POWER: Final = 1.28
_SATURATION: Final = 1.22
# Display codes above this are compressed towards `_TOP` before the inversion: blown whites would become lamps.
_KNEE: Final = 0.93
_TOP: Final = 0.972

_SHIFT: Final = 14
_FIRST: Final = 0x38800000 >> _SHIFT  # bits of 2**-14
_SIZE: Final = ((0x42000000 >> _SHIFT) - _FIRST) + 2  # up to 32
_CODES: Final = 4096


@dataclass(frozen=True)
class Curve:
    """Tables of the tone curve, read-only.

    Attributes:
        forward: sigmoid by the upper bits of the linear value.
        inverse: linear value by the display code 0..1 (before the outset).
        inset, outset: (3, 3) matrices.
    """

    forward: F32
    inverse: F32
    inset: F32
    outset: F32


def _sigmoid(x: Array) -> Array:
    x2, x4 = x * x, x**4
    y = 15.5 * x4 * x2 - 40.14 * x4 * x + 31.96 * x4 - 6.868 * x2 * x + 0.4298 * x2 + 0.1191 * x - 0.00232
    return np.asarray(np.maximum.accumulate(np.clip(y, 0.0, 1.0)))


@lru_cache(1)
def curve() -> Curve:
    """The tables; made once."""
    t = np.linspace(0.0, 1.0, 16384)
    y = _sigmoid(t) + t * 1e-7
    bits = (np.arange(_SIZE, dtype=np.uint32) + np.uint32(_FIRST)) << np.uint32(_SHIFT)
    linear = bits.view(np.float32).astype(np.float64)
    place = np.clip((np.log2(linear) - _LOW_EV) / (_HIGH_EV - _LOW_EV), 0, 1)
    forward = np.clip(np.interp(place, t, y), 0, 1) ** _POWER
    codes = np.linspace(0.0, 1.0, _CODES)
    back = np.interp(np.clip(codes, 1e-4, 0.992) ** (1 / _POWER), y, t)
    inverse = np.exp2(back * (_HIGH_EV - _LOW_EV) + _LOW_EV)
    inset = np.array(_INSET, np.float64)
    # Saturation is linear in the display codes, so it becomes part of the outset matrix.
    luma = np.tile(np.array(LUMA), (3, 1))
    outset = np.linalg.inv(inset) @ (luma + _SATURATION * (np.eye(3) - luma))
    arrays = [np.ascontiguousarray(a, np.float32) for a in (forward, inverse, inset, outset)]
    for array in arrays:
        array.setflags(write=False)
    return Curve(*arrays)


@lru_cache(1)
def inverse_matrices() -> tuple[F32, F32]:
    """What `untone` multiplies with: display codes to curve codes (3, 3), and curve light to scene light (3, 3)."""
    c = curve()
    first = np.linalg.inv(c.outset.astype(np.float64)).astype(np.float32)
    last = np.linalg.inv(c.inset.astype(np.float64)).astype(np.float32)
    first.setflags(write=False)  # also: one compiled kernel for both directions
    last.setflags(write=False)
    return first, last


@njit(nogil=True, fastmath=True, inline="always")
def look_up(x: Any, table: Any) -> Any:
    """The sigmoid of one linear value; `table` is `Curve.forward`. For use inside other kernels."""
    x = min(max(x, np.float32(6.2e-5)), np.float32(31.9))
    bits = np.float32(x).view(np.int32)
    i = (bits >> _SHIFT) - _FIRST
    t = np.float32(bits & ((1 << _SHIFT) - 1)) * np.float32(1.0 / (1 << _SHIFT))
    return table[i] + t * (table[i + 1] - table[i])


@njit(nogil=True, fastmath=True, inline="always")
def look_back(code: Any, table: Any) -> Any:
    """The linear value of one curve code; `table` is `Curve.inverse`. For use inside other kernels."""
    s = min(max(code, np.float32(0.0)), np.float32(0.99999)) * np.float32(_CODES - 1)
    i = np.int32(s)
    t = s - np.float32(i)
    return table[i] + t * (table[i + 1] - table[i])


@njit(nogil=True, fastmath=True, inline="always")
def compress(code: Any) -> Any:
    """Display codes above 0.93 compressed so that 1.0 becomes 0.972; the rest is unchanged."""
    over = max(code - np.float32(_KNEE), np.float32(0.0))
    width = np.float32(1.0 - _KNEE)
    return min(code, np.float32(_KNEE)) + over * (
        np.float32(1.0) - over / width * np.float32(1.0 - (_TOP - _KNEE) / (1.0 - _KNEE))
    )


@njit(nogil=True, cache=True, fastmath=True)
def _map(source: Any, target: Any, table: Any, before: Any, after: Any, back: bool, first: int, last: int) -> None:
    for i in range(first, last):
        r, g, b = source[i, 0], source[i, 1], source[i, 2]
        if back:
            r, g, b = compress(r), compress(g), compress(b)
        x = before[0, 0] * r + before[0, 1] * g + before[0, 2] * b
        y = before[1, 0] * r + before[1, 1] * g + before[1, 2] * b
        z = before[2, 0] * r + before[2, 1] * g + before[2, 2] * b
        if back:
            x, y, z = look_back(x, table), look_back(y, table), look_back(z, table)
        else:
            x, y, z = look_up(x, table), look_up(y, table), look_up(z, table)
        for k in range(3):
            v = after[k, 0] * x + after[k, 1] * y + after[k, 2] * z
            target[i, k] = v if back else min(max(v, np.float32(0.0)), np.float32(1.0))


def _apply(values: Array, table: F32, before: F32, after: F32, back: bool) -> F32:
    source = np.ascontiguousarray(values, np.float32)
    flat, out = source.reshape(-1, 3), np.empty_like(source)
    target = out.reshape(-1, 3)
    bands(lambda a, b: _map(flat, target, table, before, after, back, a, b), len(flat), 16384)
    return out


def tone(radiance: Array) -> F32:
    """Scene linear light (..., 3) to display codes (..., 3) float32 0..1, already encoded for sRGB screens."""
    c = curve()
    return _apply(radiance, c.forward, c.inset, c.outset, False)


def untone(display: Array) -> F32:
    """Display codes (..., 3) float32 0..1 to scene linear light; ``tone(untone(x))`` returns x.

    Codes above 0.93 are compressed (1.0 returns as 0.972): a blown white is paper, not a lamp. Very saturated codes
    give slightly negative channels, as any colour outside of a camera's primaries does; they must be kept.
    """
    c = curve()
    first, last = inverse_matrices()
    return _apply(display, c.inverse, first, last, True)


def luminance(x: Array) -> F32:
    """Relative luminance of (..., 3) linear light (or the luma of display codes)."""
    return np.asarray(x @ np.array(LUMA, np.float32), np.float32)


def linear_of_hex(colour: str) -> F32:
    """The scene light (3,) that the camera shows as the sRGB colour ``"#rrggbb"``."""
    codes = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return np.asarray(untone(np.array([codes], np.float32))[0], np.float32)
