"""A z-buffered triangle rasteriser."""

from __future__ import annotations

import numba
import numpy as np

from portrayal.imaging import F32, Array
from portrayal.parallel import bands

NOTHING = np.float32(-1e9)


def rasterise(points: F32, depth: F32, values: F32, triangles: Array, height: int, width: int) -> tuple[F32, F32]:
    """Draw triangles; the nearest wins.

    Args:
        points: (n, 2) pixels.
        depth: (n,) larger = nearer.
        values: (n, 2) attributes to interpolate.
        triangles: (t, 3) vertex indices.

    Returns:
        (height, width, 2) float32 attributes, 0 where nothing is, and (height, width) depth, `NOTHING` there.
    """
    out = np.zeros((height, width, 2), np.float32)
    buffer = np.full((height, width), NOTHING, np.float32)
    p, z = np.ascontiguousarray(points, np.float32), np.ascontiguousarray(depth, np.float32)
    v, t = np.ascontiguousarray(values, np.float32), np.ascontiguousarray(triangles, np.int32)
    bands(lambda a, b: _draw(p, z, v, t, out, buffer, a, b), height)
    return out, buffer


@numba.njit(nogil=True, cache=True, fastmath=True)
def _draw(p: Array, z: Array, v: Array, triangles: Array, out: Array, buffer: Array, first: int, last: int) -> None:
    width = out.shape[1]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = p[a, 0], p[a, 1], p[b, 0], p[b, 1], p[c, 0], p[c, 1]
        d = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(d) < 1e-6:
            continue
        xa, xb = max(0, int(np.floor(min(x0, x1, x2)))), min(width - 1, int(np.ceil(max(x0, x1, x2))))
        ya, yb = max(first, int(np.floor(min(y0, y1, y2)))), min(last - 1, int(np.ceil(max(y0, y1, y2))))
        for y in range(ya, yb + 1):
            for x in range(xa, xb + 1):
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / d
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / d
                w0 = 1 - w1 - w2
                if w0 < -1e-4 or w1 < -1e-4 or w2 < -1e-4:
                    continue
                near = w0 * z[a] + w1 * z[b] + w2 * z[c]
                if near > buffer[y, x]:
                    buffer[y, x] = near
                    out[y, x, 0] = w0 * v[a, 0] + w1 * v[b, 0] + w2 * v[c, 0]
                    out[y, x, 1] = w0 * v[a, 1] + w1 * v[b, 1] + w2 * v[c, 1]
