"""The main colours of a subject."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, U8

_SAMPLES = 6000
_SAME = 9.0  # Lab distance under which two colours are one


def palette(foreground: U8, alpha: F32, most: int = 6) -> tuple[str, ...]:
    """Up to `most` colours as ``"#rrggbb"``, most frequent first.

    Args:
        foreground: (h, w, 3) uint8.
        alpha: (h, w) float32.
    """
    solid = np.flatnonzero(alpha > 0.9)
    if not len(solid):
        solid = np.arange(alpha.size)
    pixels = foreground.reshape(-1, 3)[solid[:: max(1, len(solid) // _SAMPLES)]]
    lab = np.asarray(cv2.cvtColor(pixels[None].astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)[0], np.float32)
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    count = min(10, len(lab))
    labels = cv2.kmeans(lab, count, np.empty(0, np.int32), stop, 2, cv2.KMEANS_PP_CENTERS)[1].ravel()
    groups = [(int((labels == i).sum()), np.median(lab[labels == i], 0)) for i in range(count) if (labels == i).any()]
    merged: list[tuple[int, F32]] = []
    for number, colour in sorted(groups, key=lambda g: -g[0]):
        for i, (other_number, other) in enumerate(merged):
            if np.linalg.norm(colour - other) < _SAME:
                merged[i] = (number + other_number, other)
                break
        else:
            merged.append((number, colour))
    merged.sort(key=lambda g: -g[0])
    shown = np.array([[colour for _, colour in merged[:most]]], np.float32)
    rgb = np.clip(np.asarray(cv2.cvtColor(shown, cv2.COLOR_Lab2RGB)[0], np.float32) * 255 + 0.5, 0, 255).astype(
        np.uint8
    )
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in rgb)
