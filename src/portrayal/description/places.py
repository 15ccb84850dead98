"""Which of the settings a background looks like, and at what time and in what weather.

Linear discriminant analysis (Fisher 1936; Rao 1948) over `features`, learnt by ``tools/describe_table.py`` from many
photographs of every setting. Its axes are whitened, so that half the squared distance to a class's mean is the
logarithm of how likely the class is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from portrayal import assets
from portrayal.description.features import GREY
from portrayal.imaging import F32

FILE: Final = "describe.npz"
# The samples are fewer than the axes deserve, and real pictures differ more than rendered ones: likelihoods count less.
_TEMPER: Final = 0.35


@dataclass(frozen=True)
class Table:
    """Classes in a space where each is a round cloud of unit size.

    Attributes:
        names: (k,) of the classes.
        mean, scale: (n,) that features are brought to zero mean and unit size with.
        axes: (n, d).
        centres: (k, d).
        reach: squared distance to the own centre that 99 of 100 samples keep.
    """

    names: tuple[str, ...]
    mean: F32
    scale: F32
    axes: F32
    centres: F32
    reach: float

    def likely(self, row: F32) -> tuple[list[tuple[str, float]], float]:
        """(classes with their probabilities, the likeliest first; squared distance to it in units of `reach`)."""
        at = ((row[: len(self.mean)] - self.mean) / self.scale) @ self.axes
        away = ((self.centres - at) ** 2).sum(1)
        weights = np.exp(-0.5 * _TEMPER * (away - away.min()))
        weights /= weights.sum()
        order = np.argsort(-weights, kind="stable")
        return [(self.names[i], float(weights[i])) for i in order], float(away.min() / self.reach)


@lru_cache(1)
def tables() -> dict[str, Table]:
    """The tables ``place``, ``grey`` (places without colour), ``time`` and ``weather``.

    Raises:
        MissingDataError: when the file is not there.
    """
    with np.load(assets.path(FILE), allow_pickle=False) as data:
        found = {}
        for kind in ("place", "grey", "time", "weather"):
            parts = {k: data[f"{kind}_{k}"].astype(np.float32) for k in ("mean", "scale", "axes", "centres")}
            names = tuple(str(n) for n in data[f"{kind}_names"])
            found[kind] = Table(names=names, reach=float(data[f"{kind}_reach"]), **parts)
    return found


def learnt(rows: F32, labels: np.ndarray, dimensions: int, shrink: float = 0.05) -> dict[str, np.ndarray]:
    """The arrays of a `Table`, from samples (n, f) and their labels (n,)."""
    names = sorted(set(labels.tolist()))
    index = np.array([names.index(label) for label in labels.tolist()])
    mean, scale = rows.mean(0), rows.std(0) + 1e-4
    z = ((rows - mean) / scale).astype(np.float64)
    centres = np.array([z[index == k].mean(0) for k in range(len(names))])
    rest = z - centres[index]
    within = rest.T @ rest / len(z)
    size = np.trace(within) / len(within)
    values, vectors = np.linalg.eigh((1 - shrink) * within + shrink * size * np.eye(len(within)))
    white = vectors / np.sqrt(values)
    between = (centres - centres.mean(0)) @ white
    axes = white @ np.linalg.svd(between, full_matrices=False)[2][:dimensions].T
    away = ((z @ axes - (centres @ axes)[index]) ** 2).sum(1)
    return {
        "names": np.array(names),
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "axes": axes.astype(np.float16),
        "centres": (centres @ axes).astype(np.float32),
        "reach": np.float32(np.percentile(away, 99)),
    }


def grey(rows: F32) -> F32:
    """The features that know no colour."""
    return rows[..., :GREY]
