"""Small Gaussian mixtures of colours: k-means and covariances, no further fitting (the seeds are clean)."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, Array

_SAMPLES = 3000


class ColourModel:
    """How unlikely a colour is under a set of sample colours."""

    def __init__(self, samples: Array, parts: int, spread: float = 12.0) -> None:
        """Learn from (n, 3) float32 samples; `spread` is added to the variances, in squared units of the colours."""
        x = np.ascontiguousarray(samples, np.float32)
        if len(x) > _SAMPLES:
            x = x[np.random.default_rng(0).choice(len(x), _SAMPLES, replace=False)]
        parts = max(1, min(parts, len(x) // 40))
        cv2.setRNGSeed(1)
        stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 15, 0.5)
        labels = cv2.kmeans(x, parts, np.empty(0, np.int32), stop, 2, cv2.KMEANS_PP_CENTERS)[1].ravel()
        self._middle = x.mean(0) if len(x) else np.zeros(3, np.float32)
        columns = []
        for label in range(parts):
            group = x[labels == label].astype(np.float64) - self._middle
            if len(group) < 5:
                continue
            mean, covariance = group.mean(0), np.cov(group.T) + spread * np.eye(3)
            q = 0.5 * np.linalg.inv(covariance)
            linear = -2 * q @ mean
            constant = mean @ q @ mean + 0.5 * np.linalg.slogdet(covariance)[1] - np.log(len(group) / len(x))
            squares = (q[0, 0], q[1, 1], q[2, 2], 2 * q[0, 1], 2 * q[0, 2], 2 * q[1, 2])
            columns.append([*squares, *linear, constant])
        self._forms = np.array(columns, np.float32).reshape(-1, 10)

    def cost(self, colours: F32) -> F32:
        """Negative log-likelihood (up to a constant) of (..., 3) float32 colours, under the nearest part."""
        r, g, b = (colours.reshape(-1, 3) - self._middle).T
        # All parts at once: a quadratic form is linear in the monomials of the colour.
        monomials = np.stack([r * r, g * g, b * b, r * g, r * b, g * b, r, g, b, np.ones_like(r)])
        return np.asarray((self._forms @ monomials).min(0), np.float32).reshape(colours.shape[:-1])
