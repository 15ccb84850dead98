"""Cut-out of a subject without a human face: a mascot, a drawing, a thing on a plain-ish background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.errors import NoSubjectError
from portrayal.imaging import F32, U8, Array, Bool
from portrayal.perception.closed_form import pose_problem, solve
from portrayal.perception.filters import eroded, main_part, smoothed
from portrayal.perception.matte import SIZE, finish_alpha
from portrayal.perception.pockets import pockets

_SIZE: Final = 448


@dataclass(frozen=True)
class SubjectMatte:
    """Alpha (h, w) float32 0..1; `whole` when nothing stands out and all of the picture is the subject."""

    alpha: F32
    whole: bool


def subject_matte(rgb: U8, field: str = "reference") -> SubjectMatte:
    """Separate what the colours of the border do not explain.

    Args:
        rgb: (h, w, 3) uint8.
        field: name of the request field, for the error.

    Raises:
        NoSubjectError: the picture is one flat colour, or only noise.
    """
    h, w = rgb.shape[:2]
    k = min(1.0, _SIZE / max(h, w))
    size = (max(8, round(w * k)), max(8, round(h * k)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab), np.float32)
    calm = smoothed(lab, 0.03 * max(size))
    if float(np.ptp(calm, axis=(0, 1)).max()) < 4.0:
        raise NoSubjectError(
            "nobody and nothing can be seen in this picture",
            field=field,
            remedy="Give a picture in which the character stands out from the background.",
        )
    mask = _subject_mask(small, lab)
    if not 0.01 < float(mask.mean()) < 0.97:
        return SubjectMatte(np.ones((h, w), np.float32), whole=True)
    return SubjectMatte(_without_pockets(rgb, matte_of_mask(rgb, mask)), whole=False)


def _without_pockets(rgb: U8, alpha: F32) -> F32:
    """The matte without what its arms and handles enclose of the background."""
    gaps = pockets(rgb, alpha)
    if gaps is None:
        return alpha
    size = (gaps.shape[1], gaps.shape[0])
    solid = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32) > 0.5
    return np.minimum(alpha, matte_of_mask(rgb, solid & ~gaps))


def matte_of_mask(rgb: U8, mask: Bool, band: float = 0.006) -> F32:
    """Alpha with soft, exact edges from a rough mask (any size, same shape of picture).

    Args:
        rgb: (h, w, 3) uint8.
        mask: bool, right up to `band` times the longer side.
        band: half width of the border that is solved.

    Returns:
        (h, w) float32 0..1.
    """
    h, w = rgb.shape[:2]
    k = min(1.0, SIZE / max(h, w))
    size = (max(8, round(w * k)), max(8, round(h * k)))
    low = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    grown = np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)
    solid = grown > 0.5
    radius = max(1.5, band * max(size))
    unknown = ~(eroded(solid, radius) | eroded(~solid, radius))
    first = np.where(unknown, grown, solid).astype(np.float32)
    alpha = solve(pose_problem(low, first, unknown))
    return finish_alpha(alpha, low, np.where(unknown, 0.5, first).astype(np.float32), rgb)


def _border(shape: tuple[int, int]) -> tuple[Bool, int]:
    width = max(2, round(0.03 * min(shape)))
    edge = np.ones(shape, bool)
    edge[width:-width, width:-width] = False
    return edge, width


def _subject_mask(small: U8, lab: F32) -> Bool:
    h, w = lab.shape[:2]
    edge, width = _border((h, w))
    far = _unexplained(lab, edge, width)
    noise = float(np.percentile(far[edge], 95))
    differs = far > np.clip(1.5 * noise + 2, 4, 20)
    # The subject is what the background cannot reach: a white belly on white survives.
    radius = max(1, round(0.006 * max(h, w)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    walls = np.asarray(cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_CLOSE, disc), np.uint8)
    flood = np.pad(walls, 1)
    cv2.floodFill(flood, None, (0, 0), (2,))  # the added rim joins all sides
    mask = main_part(flood[1:-1, 1:-1] != 2, share=0.05)
    if noise > 10 or mask.mean() < 0.02:
        cut = _graph_cut(small, mask, edge)
        if cut.mean() > 0.02:
            mask = cut
    return mask


def _unexplained(lab: F32, edge: Bool, width: int) -> F32:
    """Distance in Lab to the best of four models of the background that are read off the picture's border."""
    h, w = lab.shape[:2]
    x = np.broadcast_to((np.arange(w, dtype=np.float32) / w - 0.5)[None], (h, w))
    y = np.broadcast_to((np.arange(h, dtype=np.float32) / h - 0.5)[:, None], (h, w))
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1)
    use = edge
    for _ in range(4):  # smooth gradient: a quadratic fitted to the border, outliers dropped
        weights = np.linalg.lstsq(terms[use], lab[use], rcond=None)[0]
        best = np.linalg.norm(lab - terms @ weights, axis=2)
        use = edge & (best < max(4.0, 2.5 * float(np.median(best[edge]))))

    def strip(part: Array, axis: int) -> F32:
        line = np.median(part, axis=axis).astype(np.float32)
        return np.asarray(cv2.medianBlur(line[None], 5)[0], np.float32)

    left, right, top = strip(lab[:, :width], 1), strip(lab[:, -width:], 1), strip(lab[:width], 0)
    across = (x + 0.5)[..., None]
    # Floor and wall: each row between its two ends. Standing on the lower border: each column like its top.
    for model in (left[:, None] * (1 - across) + right[:, None] * across, left[:, None], right[:, None], top[None]):
        best = np.minimum(best, np.linalg.norm(lab - model, axis=2))
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    samples = np.ascontiguousarray(lab[edge])
    for colour in cv2.kmeans(samples, 6, np.empty(0, np.int32), stop, 2, cv2.KMEANS_PP_CENTERS)[2]:  # patterns
        best = np.minimum(best, np.linalg.norm(lab - colour, axis=2))
    return smoothed(best.astype(np.float32), 0.7)


def _graph_cut(small: U8, mask: Bool, edge: Bool) -> Bool:
    """GrabCut (Rother et al. 2004) around a first guess, for busy backgrounds."""
    h, w = mask.shape
    state = np.full((h, w), cv2.GC_PR_BGD, np.uint8)
    state[edge & ~mask] = cv2.GC_BGD
    if mask.mean() < 0.02:
        state[h // 6 : -h // 10, w // 5 : -w // 5] = cv2.GC_PR_FGD
    state[mask] = cv2.GC_PR_FGD
    state[eroded(mask, 0.03 * max(h, w))] = cv2.GC_FGD
    sides = state & 1  # GC_FGD and GC_PR_FGD are odd
    if sides.min() == sides.max():
        return mask
    models = np.zeros((2, 1, 65))
    cv2.setRNGSeed(1)
    bgr = np.ascontiguousarray(small[..., ::-1])
    state = np.asarray(
        cv2.grabCut(bgr, state, (0, 0, 0, 0), models[0], models[1], 3, cv2.GC_INIT_WITH_MASK)[0], np.uint8
    )
    return main_part((state & 1) == 1, share=0.10)
