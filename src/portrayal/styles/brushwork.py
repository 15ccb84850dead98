"""Brushwork of a reference picture: its fine texture, laid over a picture patch by patch where the two are alike.

Image analogies by guided patches (Hertzmann et al. 2001; Barnes & Zhang 2017 for the search): every tile of the picture
looks among patches of the reference for the one whose coarse drawing is nearest (lightness and its slopes), and takes
that patch's fine texture. Tiles overlap and are blended by windows that sum to one, so that no seam shows. What the
picture itself has of fine texture gives way by the same share, except where `protect` keeps it: faces stay themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from scipy.spatial import cKDTree

from portrayal.imaging import F32, U8

_TILE: Final = 24  # pixels of a 1024 px picture
_STEP: Final = 12
_COARSE: Final = 4.5  # sigma between drawing and texture, in such pixels
_STRENGTH: Final = 0.85
_DRAWING: Final = 1.35  # how much more texture than the reference's own is laid on: it is averaged where tiles overlap
_MOST: Final = 9000  # patches of the references that are looked through
_SLOPE: Final = 3.0
_WANDER: Final = 0.015
_CAP: Final = 0.16  # lightness codes; single sparks of a reference are no brushwork


def brushed(image: U8, references: Sequence[U8], *, protect: F32 | None = None, seed: int = 0) -> U8:
    """A picture with the brushwork of references.

    Args:
        image: (h, w, 3) uint8.
        references: (., ., 3) uint8 pictures; the smaller of a photograph's grain, the larger of a painter's strokes.
        protect: (h, w) 0..1, where the picture keeps its own texture.
        seed: which patches are looked through.
    """
    height, width = image.shape[:2]
    unit = float(np.sqrt(height * width)) / 1024
    tile = max(8, 2 * round(_TILE * unit / 2))
    step = tile // 2
    tree, textures = _patches(references, tile, _COARSE * unit, seed)
    own = image.astype(np.float32) / np.float32(255)
    low = cv2.GaussianBlur(own, (0, 0), _COARSE * unit)
    rows, columns = -(-height // step) + 1, -(-width // step) + 1
    features = _features(np.asarray(low, np.float32), tile, rows, columns, step)
    # In a plain area many patches are alike: neighbours take different ones, or a lattice would show.
    features += np.random.default_rng([seed, 78]).normal(0, _WANDER, features.shape).astype(np.float32)
    found = tree.query(features, k=1, workers=2)[1]
    laid = _laid(textures[found], rows, columns, tile, step)[step : step + height, step : step + width]
    share = np.full((height, width, 1), _STRENGTH, np.float32)
    if protect is not None:
        share *= 1 - np.float32(0.9) * protect[..., None]
    # Half of the picture's own texture stays: it is what the picture shows.
    mixed = own - np.float32(0.55) * share * (own - low) + share * np.float32(_DRAWING) * laid[..., None]
    return np.asarray(np.clip(mixed, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8)


def _luma(picture: F32) -> F32:
    return np.asarray(picture @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)


def _features(low: F32, tile: int, rows: int, columns: int, step: int) -> F32:
    """(rows * columns, 3): lightness and slopes at the middles of the tiles."""
    light = _luma(low)
    slopes = [
        cv2.Sobel(light, cv2.CV_32F, *axis, ksize=5, scale=1 / 128) * np.float32(tile) for axis in ((1, 0), (0, 1))
    ]
    ys = np.clip(np.arange(rows) * step, 0, low.shape[0] - 1)
    xs = np.clip(np.arange(columns) * step, 0, low.shape[1] - 1)
    parts = [values[np.ix_(ys, xs)].ravel() for values in (light, *slopes)]
    return np.stack([parts[0], _SLOPE * parts[1], _SLOPE * parts[2]], 1).astype(np.float32)


def _patches(references: Sequence[U8], tile: int, sigma: float, seed: int) -> tuple[cKDTree, F32]:
    """A tree of the features of many patches, and their textures (n, tile, tile), lightness around 0."""
    rng = np.random.default_rng([seed, 77])
    features, textures = [], []
    for picture in references:
        side = max(3 * tile, 32)
        if min(picture.shape[:2]) < side:
            part = side / min(picture.shape[:2])
            size = (max(side, round(picture.shape[1] * part)), max(side, round(picture.shape[0] * part)))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        own = picture.astype(np.float32) / np.float32(255)
        low = np.asarray(cv2.GaussianBlur(own, (0, 0), sigma), np.float32)
        light, soft = _luma(own), _luma(low)
        fine = np.clip(light - soft, -_CAP, _CAP)
        count = _MOST // len(references)
        ys = rng.integers(0, picture.shape[0] - tile + 1, count)
        xs = rng.integers(0, picture.shape[1] - tile + 1, count)
        slopes = [
            cv2.Sobel(soft, cv2.CV_32F, *axis, ksize=5, scale=1 / 128) * np.float32(tile) for axis in ((1, 0), (0, 1))
        ]
        at = ys + tile // 2, xs + tile // 2
        features.append(np.stack([soft[at], _SLOPE * slopes[0][at], _SLOPE * slopes[1][at]], 1))
        windows = np.lib.stride_tricks.sliding_window_view(fine, (tile, tile))
        textures.append(windows[ys, xs])
    return cKDTree(np.concatenate(features)), np.concatenate(textures).astype(np.float32)


def _laid(tiles: F32, rows: int, columns: int, tile: int, step: int) -> F32:
    """The tiles side by side, each over half of the next, blended; with half a tile of margin at the top and left."""
    ramp = (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(tile) + 0.5) / tile)).astype(np.float32)
    # Texture is blended by its power: the mean of two unlike ones would be half as strong.
    window = np.sqrt(ramp)
    weighted = (tiles * (window[:, None] * window[None])).reshape(rows, columns, tile, tile)
    out = np.zeros(((rows + 1) * step, (columns + 1) * step), np.float32)
    # Even tiles lie side by side, so do odd ones: four layers.
    for dy in (0, 1):
        for dx in (0, 1):
            layer = weighted[dy::2, dx::2]
            n, m = layer.shape[:2]
            flat = layer.transpose(0, 2, 1, 3).reshape(n * tile, m * tile)
            part = out[dy * step : dy * step + n * tile, dx * step : dx * step + m * tile]
            part += flat[: part.shape[0], : part.shape[1]]
    return out
