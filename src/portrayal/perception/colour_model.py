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
        self._parts: list[tuple[F32, F32, float]] = []
        for label in range(parts):
            group = x[labels == label].astype(np.float64)
            if len(group) < 5:
                continue
            covariance = np.cov(group.T) + spread * np.eye(3)
            whiten = np.linalg.cholesky(np.linalg.inv(covariance)) * np.sqrt(0.5)
            constant = 0.5 * np.linalg.slogdet(covariance)[1] - np.log(len(group) / len(x))
            self._parts.append((whiten.astype(np.float32), group.mean(0).astype(np.float32), float(constant)))

    def cost(self, colours: F32) -> F32:
        """Negative log-likelihood (up to a constant) of (..., 3) float32 colours, under the nearest part."""
        flat = colours.reshape(-1, 3)
        best = np.full(len(flat), np.inf, np.float32)
        for whiten, mean, constant in self._parts:
            d = flat @ whiten - mean @ whiten
            np.minimum(best, np.einsum("ij,ij->i", d, d) + np.float32(constant), out=best)
        return best.reshape(colours.shape[:-1])
