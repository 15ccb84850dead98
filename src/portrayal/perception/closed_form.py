"""Closed-form matting (Levin, Lischinski, Weiss 2008) of the unknown pixels of a trimap.

The matting Laplacian couples every pixel with the 5 x 5 pixels around it. It is stored as one row of 25 weights per
unknown pixel and solved by conjugate gradients with an incomplete Cholesky factor of the same pattern, IC(0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from portrayal.imaging import F32, F64, Array, Bool

# Regularisation of the local colour lines: larger is smoother.
_EPSILON = 1e-5
# Pull of every unknown pixel to 0.5: keeps the matrix definite where colours say nothing.
_ANCHOR = 1e-4
_TOLERANCE = 1e-4  # mean error of alpha under 0.0005
_ITERATIONS = 200


@dataclass(frozen=True)
class Problem:
    """A matting problem, ready for `solve`.

    Attributes:
        alpha: (h, w) float64, known pixels final, unknown ones as a first guess.
        unknown: (n,) flat indices of the unknown pixels, in reading order.
        weights: (n, 25) rows of the system matrix over the 5 x 5 neighbourhood; 0 at known neighbours.
        rows: (n, 25) number of the neighbour among the unknowns, or -1.
        right: (n,) right-hand side.
    """

    alpha: F64
    unknown: npt.NDArray[np.int64]
    weights: F64
    rows: npt.NDArray[np.int32]
    right: F64


def pose_problem(rgb: F32, alpha: F32, unknown: Bool, prior: F32 | None = None, weight: F32 | None = None) -> Problem:
    """Build the linear system.

    Args:
        rgb: (h, w, 3) float32 0..1.
        alpha: (h, w) float32: 0 or 1 where known, the first guess where unknown.
        unknown: (h, w) bool.
        prior, weight: (h, w) float32: a value that each unknown pixel is pulled to, and how strongly. A weak pull stops
            leaks along bands that touch no background, and helps the solver.
    """
    h, w = alpha.shape
    flat = np.flatnonzero(unknown)
    number = np.full((h + 4, w + 4), -1, np.int32)
    inner = np.full(h * w, -1, np.int32)
    inner[flat] = np.arange(len(flat), dtype=np.int32)
    number[2:-2, 2:-2] = inner.reshape(h, w)
    weights = np.zeros((len(flat), 25))
    rows = np.full((len(flat), 25), -1, np.int32)
    right = np.zeros(len(flat))
    if len(flat):
        _assemble(
            np.ascontiguousarray(rgb, np.float32), alpha.astype(np.float32), number, _EPSILON, weights, rows, right
        )
        pull = np.full(len(flat), _ANCHOR)
        target = np.full(len(flat), 0.5 * _ANCHOR)
        if prior is not None and weight is not None:
            extra = weight.reshape(-1)[flat].astype(np.float64)
            pull += extra
            target += extra * prior.reshape(-1)[flat]
        weights[:, 12] += pull
        right += target
    return Problem(alpha.astype(np.float64), flat, weights, rows, right)


def solve(problem: Problem) -> F32:
    """Alpha (h, w) float32 0..1. Runs without the GIL."""
    out = problem.alpha.copy()
    if len(problem.unknown):
        x = out.reshape(-1)[problem.unknown].copy()
        factor = np.zeros((len(x), 13))
        for shift in (0.0, 1e-3, 1e-2, 0.1, 1.0):
            if _factorise(problem.weights, problem.rows, shift, factor):
                break
        _conjugate(problem.weights, problem.rows, factor, problem.right, x, _TOLERANCE, _ITERATIONS)
        out.reshape(-1)[problem.unknown] = np.clip(x, 0, 1)
    return out.astype(np.float32)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _assemble(
    rgb: Array, alpha: Array, number: Array, epsilon: float, weights: Array, rows: Array, right: Array
) -> None:
    """Sum the windows' contributions into rows; known neighbours go to the right-hand side."""
    h, w = alpha.shape
    for y in range(h):
        for x in range(w):
            i = number[y + 2, x + 2]
            if i >= 0:
                for k in range(25):
                    rows[i, k] = number[y + k // 5, x + k % 5]
    c = np.empty((9, 3))
    m = np.empty((9, 3))
    ids = np.empty(9, np.int32)
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            some = False
            for k in range(9):
                ids[k] = number[y + 1 + k // 3, x + 1 + k % 3]
                some = some or ids[k] >= 0
            if not some:
                continue
            m0 = m1 = m2 = 0.0
            for k in range(9):
                for d in range(3):
                    c[k, d] = rgb[y - 1 + k // 3, x - 1 + k % 3, d]
                m0 += c[k, 0] / 9
                m1 += c[k, 1] / 9
                m2 += c[k, 2] / 9
            a00 = a11 = a22 = epsilon
            a01 = a02 = a12 = 0.0
            for k in range(9):
                c[k, 0] -= m0
                c[k, 1] -= m1
                c[k, 2] -= m2
                a00 += c[k, 0] * c[k, 0] / 9
                a01 += c[k, 0] * c[k, 1] / 9
                a02 += c[k, 0] * c[k, 2] / 9
                a11 += c[k, 1] * c[k, 1] / 9
                a12 += c[k, 1] * c[k, 2] / 9
                a22 += c[k, 2] * c[k, 2] / 9
            b00, b01, b02 = a11 * a22 - a12 * a12, a02 * a12 - a01 * a22, a01 * a12 - a02 * a11
            b11, b12, b22 = a00 * a22 - a02 * a02, a01 * a02 - a00 * a12, a00 * a11 - a01 * a01
            det = a00 * b00 + a01 * b01 + a02 * b02
            for k in range(9):
                m[k, 0] = (b00 * c[k, 0] + b01 * c[k, 1] + b02 * c[k, 2]) / det
                m[k, 1] = (b01 * c[k, 0] + b11 * c[k, 1] + b12 * c[k, 2]) / det
                m[k, 2] = (b02 * c[k, 0] + b12 * c[k, 1] + b22 * c[k, 2]) / det
            for k in range(9):
                i = ids[k]
                if i < 0:
                    continue
                for q in range(9):
                    value = -(1 + m[k, 0] * c[q, 0] + m[k, 1] * c[q, 1] + m[k, 2] * c[q, 2]) / 9
                    if q == k:
                        value += 1
                    if ids[q] < 0:
                        right[i] -= value * alpha[y - 1 + q // 3, x - 1 + q % 3]
                    else:
                        weights[i, 12 + (q // 3 - k // 3) * 5 + q % 3 - k % 3] += value


@numba.njit(nogil=True, cache=True, fastmath=True)
def _factorise(weights: Array, rows: Array, shift: float, factor: Array) -> bool:
    """IC(0): lower factor over the 12 earlier neighbours; [12] is one over the diagonal. False when it breaks down."""
    for i in range(len(weights)):
        diagonal = weights[i, 12] * (1 + shift)
        for a in range(12):
            j = rows[i, a]
            if j < 0:
                factor[i, a] = 0.0
                continue
            value = weights[i, a]
            ay, ax = a // 5 - 2, a % 5 - 2
            for b in range(12):  # neighbour k of j; as a neighbour of i it has the sum of both offsets
                ky, kx = ay + b // 5 - 2, ax + b % 5 - 2
                if ky >= -2 and -2 <= kx <= 2:
                    value -= factor[i, (ky + 2) * 5 + kx + 2] * factor[j, b]
            value *= factor[j, 12]
            factor[i, a] = value
            diagonal -= value * value
        if diagonal <= 1e-3 * weights[i, 12]:
            return False
        factor[i, 12] = 1 / np.sqrt(diagonal)
    return True


@numba.njit(nogil=True, cache=True, fastmath=True)
def _conjugate(weights: Array, rows: Array, factor: Array, right: Array, x: Array, tolerance: float, most: int) -> int:
    """Preconditioned conjugate gradients, in place; returns the number of iterations."""
    n = len(x)
    r, z, p = np.empty(n), np.empty(n), np.zeros(n)
    norm = old = 0.0
    for i in range(n):
        norm += right[i] * right[i]
    for step in range(most + 1):
        # Residual: exact at the start, updated later.
        if step == 0:
            for i in range(n):  # a slice would compile half of Numba's string library, for its error message
                p[i] = x[i]
        curve = 0.0
        for i in range(n):
            total = 0.0
            for k in range(25):
                j = rows[i, k]
                if j >= 0:
                    total += weights[i, k] * p[j]
            z[i] = total
            curve += total * p[i]
        size = 0.0
        if step == 0:
            for i in range(n):
                r[i] = right[i] - z[i]
                size += r[i] * r[i]
        else:
            length = old / curve
            for i in range(n):
                x[i] += length * p[i]
                r[i] -= length * z[i]
                size += r[i] * r[i]
        if size <= tolerance * tolerance * norm or step == most:
            return step
        for i in range(n):
            total = r[i]
            for k in range(12):
                j = rows[i, k]
                if j >= 0:
                    total -= factor[i, k] * z[j]
            z[i] = total * factor[i, 12]
        for i in range(n - 1, -1, -1):
            z[i] *= factor[i, 12]
            for k in range(12):
                j = rows[i, k]
                if j >= 0:
                    z[j] -= factor[i, k] * z[i]
        new = 0.0
        for i in range(n):
            new += r[i] * z[i]
        ratio = new / old if step else 0.0
        for i in range(n):
            p[i] = z[i] + ratio * p[i]
        old = new
    return most
