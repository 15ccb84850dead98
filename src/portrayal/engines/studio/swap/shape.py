"""The reference's face in the scene's pose: where each landmark goes.

Some of a face is the person (eyes' distance, nose, thickness of the lips), some is the moment (lids, opening of the
mouth, brows). Each landmark is a mix of the reference's, turned rigidly into the scene's pose, and the scene's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.fields import step
from portrayal.imaging import F32, F64
from portrayal.perception import mesh
from portrayal.perception.crops import similarity

# Share of the scene's landmark by region: at identity 0 and at 1.
_OVAL: Final = (1.0, 0.55)
_BROWS: Final = (1.0, 0.05)
_EYES: Final = (1.0, 0.10)
_NOSE: Final = (0.8, 0.0)
_LIDS: Final = 0.75  # of the lids at identity 1
_FORM: Final = 0.78  # of the lips at identity 1: the reference's share
_REACH: Final = 0.09  # of a region's share over the rest of the mesh, in cheek widths
_JAW: Final = tuple(mesh.OVAL[12:25])  # what an opening mouth takes along
_NOSE_POINTS: Final = (1, 2, 4, 5, 195, 197, 6, 168, 98, 327, 48, 278, 64, 294, 94)


@dataclass(frozen=True)
class Target:
    """The new face.

    Attributes:
        points: (478, 3) landmarks in the scene's pixels.
        linear: (2, 2) reference pixels -> scene pixels on the face's front plane, for the eyeballs.
    """

    points: F32
    linear: F64


def target(reference: F32, scene: F32, identity: float, hold_brows: float = 0.0, own_outline: bool = False) -> Target:
    """Landmarks of the reference's face with the scene's pose and expression.

    Args:
        reference: (478, 3) landmarks in the reference's pixels.
        scene: (478, 3) landmarks in the scene's pixels.
        identity: 0 = the scene's shapes, 1 = as much of the reference's as the scene's expression allows.
        hold_brows: 0..1, how far brows must stay where the scene's are (hair over them would show both).
        own_outline: the face keeps the reference's outline; right where the whole head goes along.
    """
    identity = float(np.clip(identity, 0, 1))
    rigid = list(mesh.RIGID)
    scale, turn, shift = similarity(reference[rigid], scene[rigid])
    posed = (scale * reference.astype(np.float64) @ turn.T + shift).astype(np.float32)
    wanted = scene.astype(np.float32).copy()
    for side in (0, 1):
        _eye(wanted, posed, scene, side, identity)
    _mouth(wanted, posed, scene, identity)
    moment = _other_moment(reference, scene) * _opening(identity)
    share = _shares(identity, hold_brows, own_outline, moment)
    out: F32 = (posed + (wanted - posed) * share[:, None]).astype(np.float32)
    for side, iris in enumerate(tp.IRISES):
        out[iris] = _iris(out, scene, side, iris)
    return Target(out, scale * turn[:2, :2])


def _eye(wanted: F32, posed: F32, scene: F32, side: int, identity: float) -> None:
    """The scene's lids, at the reference's place and as wide as the reference's eye."""
    rings = _eye_rings(side)
    rim = _rim(side)
    own, other = posed[rim].mean(0), scene[rim].mean(0)
    wide = float(np.ptp(posed[rim, 0])) / max(float(np.ptp(scene[rim, 0])), 1e-3)
    share = np.float32(identity)
    grown = 1 + share * np.float32(np.clip(wide, 0.8, 1.25) - 1)
    lids = scene[rings] - other
    # A lid that is nearly shut stays so; else half of its shape is the person's.
    shut = 1 - step(0.14, 0.20, openness(scene, side))
    form = np.float32((1 - _LIDS * identity) * (1 - shut) + shut)
    lids = lids * grown * form + (posed[rings] - own) * (1 - form)
    wanted[rings] = other + (own - other) * share + lids


def _mouth(wanted: F32, posed: F32, scene: F32, identity: float) -> None:
    """The mouth: opened as the scene's; its form is partly the reference's, as it smiles or not."""
    lips = [v for ring in tp.LIP_RINGS for v in ring]
    own = posed.copy()
    missing = (scene[tp.INNER_LOWER] - scene[tp.INNER_UPPER]) - (posed[tp.INNER_LOWER] - posed[tp.INNER_UPPER])
    # The nearer to the reference it must be, the less is its mouth forced open; closing hides nobody.
    if mouth_gap(scene) > mouth_gap(posed):
        missing = missing * np.float32(_opening(identity))
    for ring in tp.LIP_RINGS:
        upper, lower = tp.upper_row(ring)[1:-1], tp.lower_row(ring)[1:-1]
        own[upper] -= np.float32(0.25) * missing[1:-1]
        own[lower] += np.float32(0.75) * missing[1:-1]
    # The middle of the upper lip hangs on the skull: there the two mouths are compared.
    place = own[0] - scene[0]
    form = np.float32(_FORM * identity)
    moved = scene[lips] + place * np.float32(0.6 * identity)
    wanted[lips] = moved + (own[lips] - place * np.float32(1 - identity) - moved) * form


def _opening(identity: float) -> float:
    """Share of a wider opening of the scene's mouth that is taken over."""
    return 1 - step(0.65, 1.0, identity)


def _iris(out: F32, scene: F32, side: int, iris: slice) -> F32:
    """The scene's iris in the new eye: it looks where the scene's looks."""
    rim = _rim(side)
    a, b = scene[rim], out[rim]
    wide = float(np.ptp(b[:, 0])) / max(float(np.ptp(a[:, 0])), 1e-3)
    moved: F32 = (b.mean(0) + (scene[iris] - a.mean(0)) * np.float32(wide)).astype(np.float32)
    return moved


def openness(points: F32, side: int) -> float:
    """Gap of the lids over the eye's width."""
    upper, lower = tp.LIDS[side]
    gap = np.linalg.norm(points[upper[3:6], :2] - points[lower[3:6], :2], axis=1).mean()
    return float(gap / max(float(np.linalg.norm(points[upper[0], :2] - points[upper[-1], :2])), 1e-3))


def mouth_gap(points: F32) -> float:
    """Gap of the lips over the mouth's width."""
    gap = np.linalg.norm(points[13] - points[14])
    return float(gap / max(float(np.linalg.norm(points[78] - points[308])), 1e-3))


def _other_moment(reference: F32, scene: F32) -> float:
    """How unlike the two mouths are opened, 0..1: then the scene's shape counts, whoever it is."""
    return step(0.02, 0.09, abs(mouth_gap(scene) - mouth_gap(reference)))


def _rim(side: int) -> list[int]:
    upper, lower = tp.LIDS[side]
    return upper + lower[1:-1]


def _eye_rings(side: int) -> list[int]:
    return list((mesh.EYE_LEFT, mesh.EYE_RIGHT)[side][:32])


def _shares(identity: float, hold_brows: float, own_outline: bool, moment: float) -> F32:
    """(478,) share of the wanted landmark; the rest is the posed reference's."""
    at, regions, spread = _regions()

    def mixed(pair: tuple[float, float]) -> float:
        return pair[0] + (pair[1] - pair[0]) * identity

    # Eyes and lips have been brought to the reference's place already.
    brows = mixed(_BROWS) + (1 - mixed(_BROWS)) * hold_brows
    oval = 0.0 if own_outline else mixed(_OVAL)
    jaw = oval + (1 - oval) * 0.35 * moment
    values = np.array([oval, 1.0, brows, 1.0, mixed(_NOSE), jaw], np.float32)
    share = np.full(mesh.POINTS, 0.5, np.float32)
    share[:468] = spread @ values[regions]
    share[at] = values[regions]
    return share


@lru_cache(1)
def _regions() -> tuple[list[int], list[int], F32]:
    """Vertices with a share of their own, their regions, and (468, n) weights that spread it over the mesh."""
    groups = (
        tuple(v for v in mesh.OVAL if v not in _JAW),
        tuple(v for ring in tp.LIP_RINGS for v in ring),
        tuple(mesh.BROW_LEFT + mesh.BROW_RIGHT),
        tuple(_eye_rings(0) + _eye_rings(1)),
        _NOSE_POINTS,
        _JAW,
    )
    at: list[int] = []
    regions: list[int] = []
    for number, group in enumerate(groups):
        for vertex in group:
            if vertex not in at:
                at.append(vertex)
                regions.append(number)
    face = mesh.canonical_face()
    away = np.linalg.norm(face[:, None, :2] - face[None, at, :2], axis=2)
    weight = np.exp(-((away / _REACH) ** 2)) + 1e-7 / (away + 0.01)
    spread: F32 = (weight / weight.sum(1, keepdims=True)).astype(np.float32)
    return at, regions, spread
