"""The kernels that light each pixel: reference light out, new light in.

Per pixel: inverse tone curve, division by the reference's shading, irradiance of the ambient light and of wrapped key
lights with their shadows, a soft limit of the light ratio, highlights of skin (two Blinn lobes) and of hair (Kajiya
and Kay 1989, along the strands), light from behind. Skin scatters red further than blue, so its terminator is warm
(after Penner's pre-integrated skin).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from portrayal.engines.studio.light.tone import compress, look_back

# Columns of a key: direction 0..2, colour 3..5, wrap 6, shadow 7, specular 8, half vector 9..11.
KEY_COLUMNS = 12
# Columns of a rim: direction in the picture 0..1, colour times gain 2..4, bias 5.
RIM_COLUMNS = 6


@njit(nogil=True, fastmath=True, inline="always")
def _harmonic(c: Any, k: Any, x: Any, y: Any, z: Any) -> Any:
    return (
        c[0, k] * np.float32(0.282095)
        + np.float32(0.488603) * (c[1, k] * y + c[2, k] * z + c[3, k] * x)
        + np.float32(1.092548) * (c[4, k] * x * y + c[5, k] * y * z + c[7, k] * x * z)
        + c[6, k] * np.float32(0.315392) * (np.float32(3.0) * z * z - np.float32(1.0))
        + c[8, k] * np.float32(0.546274) * (x * x - y * y)
    )


@njit(nogil=True, fastmath=True, inline="always")
def _wrapped(facing: Any, wrap: Any) -> Any:
    t = max((facing + wrap) / (np.float32(1.0) + wrap), np.float32(0.0))
    bend = np.float32(0.4) * wrap
    return t * (np.float32(1.0) - bend + bend * t)


@njit(nogil=True, cache=True, fastmath=True)
def incident(normals: Any, open_: Any, shadows: Any, ambient: Any, keys: Any, out_sky: Any, out_keys: Any) -> None:
    """Light of the sky and of the keys, apart, at a list of points: normals (n, 3), shadows (k, n), out (n, 3)."""
    for i in range(normals.shape[0]):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        for k in range(3):
            out_sky[i, k] = max(_harmonic(ambient, k, x, y, z), np.float32(0.0)) * open_[i]
            out_keys[i, k] = 0.0
        for j in range(keys.shape[0]):
            facing = x * keys[j, 0] + y * keys[j, 1] + z * keys[j, 2]
            t = _wrapped(facing, keys[j, 6]) * (np.float32(1.0) - keys[j, 7] * (np.float32(1.0) - shadows[j, i]))
            t *= np.float32(0.4) + np.float32(0.6) * open_[i]
            for k in range(3):
                out_keys[i, k] += t * keys[j, 3 + k]


@njit(nogil=True, cache=True, fastmath=True)
def shade(
    rgb: Any, alpha: Any, normals: Any, face: Any, skin: Any, hair: Any, calm: Any, matt: Any, open_: Any, shadows: Any,
    strands: Any, edge: Any, table: Any, before: Any, after: Any, own: Any, ambient: Any, keys: Any, rims: Any,
    scalars: Any, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Light a band of rows; see the module's docstring. `scalars` are those of `relight._scalars`.

    One long function on purpose: each term reads registers of the others, and a call per term and pixel would cost
    more than the terms.
    """
    gain, sky, key_gain, mean = scalars[0], scalars[1], scalars[2], scalars[3]
    level, contrast, spread, chroma = scalars[4], scalars[5], scalars[6], scalars[7]
    chin, fall = scalars[8], scalars[9]
    one, zero = np.float32(1.0), np.float32(0.0)
    with_strands = strands.shape[0] > 1
    scatter = np.array([0.22, -0.03, -0.12], np.float32)
    r = np.zeros(3, np.float32)
    c0 = np.zeros(3, np.float32)
    light = np.zeros(3, np.float32)
    shine = np.zeros(3, np.float32)
    for y in range(first, last):
        # A lamp near the face lights the body less.
        down = max(np.float32(y) - chin, zero) * fall
        far = one / (one + down * down)
        for x in range(rgb.shape[1]):
            if alpha[y, x] < np.float32(0.004):
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = zero, zero, zero
                continue
            for k in range(3):
                c0[k] = compress(rgb[y, x, k])
            for k in range(3):
                r[k] = before[k, 0] * c0[0] + before[k, 1] * c0[1] + before[k, 2] * c0[2]
            for k in range(3):
                r[k] = look_back(r[k], table)
            nx, ny, nz = normals[y, x, 0], normals[y, x, 1], normals[y, x, 2]
            old = min(max(_harmonic(own, 0, nx, ny, nz), np.float32(-0.5)), np.float32(0.5))
            old *= np.float32(0.35) + np.float32(0.65) * face[y, x]
            divide = gain * np.exp(-old) * matt[y, x]
            a0 = after[0, 0] * r[0] + after[0, 1] * r[1] + after[0, 2] * r[2]
            a1 = after[1, 0] * r[0] + after[1, 1] * r[1] + after[1, 2] * r[2]
            a2 = after[2, 0] * r[0] + after[2, 1] * r[1] + after[2, 2] * r[2]
            r[0], r[1], r[2] = a0 * divide, a1 * divide, a2 * divide
            s, o = skin[y, x], open_[y, x]
            for k in range(3):
                light[k] = max(_harmonic(ambient, k, nx, ny, nz), zero) * o * sky
                shine[k] = zero
            for j in range(keys.shape[0]):
                facing = nx * keys[j, 0] + ny * keys[j, 1] + nz * keys[j, 2]
                lit = one - keys[j, 7] * (one - shadows[j, y, x])
                t = _wrapped(facing, keys[j, 6]) * lit
                # Where the light dies away, what is left has travelled through the skin and is red.
                dying = s * max(one - np.float32(1.6) * t, zero)
                t *= (np.float32(0.4) + np.float32(0.6) * o) * key_gain
                for k in range(3):
                    light[k] += t * keys[j, 3 + k] * (one + dying * scatter[k])
                half = max(nx * keys[j, 9] + ny * keys[j, 10] + nz * keys[j, 11], zero)
                p = half * half
                p4 = p * p
                p8 = p4 * p4
                p16 = p8 * p8
                lobe = np.float32(0.45) * p4 * p8 + np.float32(0.8) * p16 * p16
                glint = s * lobe + np.float32(0.10) * (one - s) * p16
                if with_strands and hair[y, x] > np.float32(0.02):
                    tx, ty = strands[y, x, 0], -strands[y, x, 1]
                    tz = -(tx * nx + ty * ny) / max(nz, np.float32(0.25))
                    along = (tx * keys[j, 9] + ty * keys[j, 10] + tz * keys[j, 11]) / np.sqrt(one + tz * tz)
                    q = max(one - along * along, zero)
                    q = q * q
                    q = q * q
                    q = q * q * q
                    q *= hair[y, x] * (tx * tx + ty * ty) * max(facing + np.float32(0.2), zero)
                    q *= lit * keys[j, 8] * key_gain * np.float32(1.6)
                    # The second lobe goes through the strand and takes its colour.
                    for k in range(3):
                        shine[k] += q * keys[j, 3 + k] * (np.float32(0.15) + np.float32(1.1) * max(r[k], zero))
                glint *= lit * keys[j, 8] * key_gain
                for k in range(3):
                    shine[k] += glint * keys[j, 3 + k]
            g = np.float32(0.2126) * light[0] + np.float32(0.7152) * light[1] + np.float32(0.0722) * light[2]
            ratio = max(g / mean, np.float32(1e-3))
            limit = np.exp(spread * np.tanh(contrast * np.log(ratio) / spread)) * level * far
            # The bound on the colour is the skin's; cloth and hair take more of the light's colour.
            bare = max(s, face[y, x])
            tint = (chroma + np.float32(0.6) * (one - bare) * (one - chroma)) * (one - np.float32(0.5) * calm[y, x])
            scale = limit / max(g, np.float32(1e-4))
            wet = level * (np.float32(0.15) + np.float32(0.85) * max(s, hair[y, x]))
            for k in range(3):
                light[k] = max(g + (light[k] - g) * tint, zero) * scale
            # Grass lights a chin from below; no photographer would print it as green as it is.
            green = np.float32(1.08) * max(light[0], light[2])
            light[1] += s * min(green - light[1], zero)
            for k in range(3):
                r[k] = r[k] * light[k] + shine[k] * wet
            e = edge[y, x]
            if e > np.float32(0.001):
                rise = min(max(np.float32(1.25) - nz, zero), one)
                rise *= np.sqrt(rise) * e
                for j in range(rims.shape[0]):
                    side = (nx * rims[j, 0] + ny * rims[j, 1]) * np.float32(0.9) + rims[j, 5]
                    side = min(max(side, zero), one) * rise
                    for k in range(3):
                        r[k] += (max(r[k], zero) * np.float32(0.9) + np.float32(0.045)) * side * rims[j, 2 + k]
            for k in range(3):
                v = r[k]
                if v > np.float32(2.0):
                    # White cloth must not bloom like a lamp.
                    v = np.float32(2.0) + np.float32(2.2) * np.tanh((v - np.float32(2.0)) * np.float32(1 / 2.2))
                out[y, x, k] = v
