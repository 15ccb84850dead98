"""Which landmarks form triangles, lids and lips.

The triangles are our own: a Delaunay triangulation of the mean face, unwrapped around a point inside the head. The lips
are four rings of twenty points, joined ring to ring, so that the mouth and the eyes are holes and their rims can part.
Rows of an eye or a lip run from one corner to the other; eyes and brows from the outer end inwards; (left, right) are
the picture's.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.spatial import Delaunay

from portrayal.imaging import F32, Array
from portrayal.perception import mesh

# fmt: off
# Rings of the lips, all from the picture's left corner through the lower lip to the right one and back: skin to mouth.
_SECOND: Final = (
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 408, 304, 303, 302, 11, 72, 73, 74, 184)
_THIRD: Final = (
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 407, 272, 271, 268, 12, 38, 41, 42, 183)
LIP_RINGS: Final = (mesh.LIPS, _SECOND, _THIRD, mesh.MOUTH)
# fmt: on


def lower_row(ring: tuple[int, ...]) -> list[int]:
    """Lower lip of a ring, corner to corner (left to right)."""
    return list(ring[:11])


def upper_row(ring: tuple[int, ...]) -> list[int]:
    """Upper lip of a ring, corner to corner (left to right)."""
    return [ring[0], *ring[:9:-1]]


INNER_UPPER, INNER_LOWER = upper_row(mesh.MOUTH), lower_row(mesh.MOUTH)
OUTER_UPPER, OUTER_LOWER = upper_row(mesh.LIPS), lower_row(mesh.LIPS)


def _eye_rows(contour: tuple[int, ...], ring: int) -> tuple[list[int], list[int]]:
    """(upper, lower) rows of nine points of one of the three rings around an eye."""
    part = contour[16 * ring : 16 * ring + 16]
    return [part[0], *part[9:16], part[8]], list(part[:9])


# (upper, lower) of the lid rim and of the crease, for both eyes.
LIDS: Final = (_eye_rows(mesh.EYE_LEFT, 0), _eye_rows(mesh.EYE_RIGHT, 0))
CREASES: Final = (_eye_rows(mesh.EYE_LEFT, 1), _eye_rows(mesh.EYE_RIGHT, 1))

# Upper edge of the brow, then lower edge.
BROWS: Final = (
    ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55)),
    ((300, 293, 334, 296, 336), (276, 283, 282, 295, 285)),
)
IRISES: Final = (mesh.IRIS_LEFT, mesh.IRIS_RIGHT)
NOSE: Final = (1, 2, 4, 5, 6, 168, 197, 195, 98, 327, 19, 94, 45, 275)
# Below the eye outwards and inwards, beside the nose, beside the mouth: six per side.
CHEEKS: Final = ((50, 205, 101, 117, 187, 207), (280, 425, 330, 346, 411, 427))
# Nasolabial fold, from the wing of the nose down.
FOLDS: Final = ((129, 203, 206, 216, 212, 210), (358, 423, 426, 436, 432, 430))
CHIN: Final = (152, 148, 377, 176, 400, 175, 199, 200, 171, 396, 208, 428, 201, 421, 32, 262, 149, 378, 18, 83, 313)
JAW: Final = (150, 379, 136, 365, 172, 397, 58, 288, 140, 369, 170, 395, 169, 394)
# The edge of the face where it meets ears and hair.
SIDES: Final = (234, 454, 127, 356, 93, 323, 132, 361)
JAW_LINE: Final = mesh.OVAL[8:29]  # from ear to ear, over the chin


def _unwrapped() -> F32:
    """(468, 2) angles of the mean face's vertices as seen from a point inside the head."""
    d = mesh.canonical_face().astype(np.float64) - [0.0, 0.25, 0.55]
    out: F32 = np.stack([np.arctan2(d[:, 0], -d[:, 2]), np.arctan2(d[:, 1], np.hypot(d[:, 0], d[:, 2]))], 1)
    return out


@lru_cache(1)
def triangles() -> Array:
    """(t, 3) int32 triangles of the 468 vertices, without those over the eyes and the mouth."""
    inside = {v for ring in LIP_RINGS[1:] for v in ring}
    kept = np.array([v for v in range(468) if v not in inside])
    simplices = kept[Delaunay(_unwrapped()[kept]).simplices]
    rings = [set(r) for r in (mesh.LIPS, mesh.LID_LEFT, mesh.LID_RIGHT, mesh.OVAL)]
    out = [t for t in simplices.tolist() if not any(r.issuperset(t) for r in rings)]
    for outer, inner in pairwise(LIP_RINGS):
        for i in range(20):
            j = (i + 1) % 20
            out += [[outer[i], outer[j], inner[i]], [outer[j], inner[j], inner[i]]]
    # Neighbouring rings share no vertex, but a few landmarks of a closed corner lie on each other.
    return np.array([t for t in out if len(set(t)) == 3], np.int32)


@lru_cache(1)
def closed_triangles() -> Array:
    """`triangles` with lids over the eyes and the mouth."""
    fans = [triangles()]
    for upper, lower in (*LIDS, (INNER_UPPER, INNER_LOWER)):
        ring = upper + lower[-2:0:-1]
        fans.append(np.array([(ring[0], a, b) for a, b in pairwise(ring[1:])], np.int32))
    return np.vstack(fans)


@lru_cache(1)
def skirted_triangles() -> Array:
    """`triangles` and a skirt from the face's oval to 36 more vertices (468..503) outside it."""
    n = len(mesh.OVAL)
    skirt = []
    for i in range(n):
        a, b, c, d = mesh.OVAL[i], mesh.OVAL[(i + 1) % n], 468 + i, 468 + (i + 1) % n
        skirt += [(a, b, c), (b, d, c)]
    return np.vstack([triangles(), np.array(skirt, np.int32)])


@lru_cache(8)
def spreader(handles: tuple[int, ...]) -> F32:
    """(504, len(handles)) matrix: displacements of handles -> of all vertices, the outer 36 staying.

    Minimises the squared Laplacian of the displacement (bi-Laplacian surface deformation, Botsch & Kobbelt 2004) with
    the uniform Laplacian, so that it is the same for every face.
    """
    t, n = skirted_triangles(), 468 + len(mesh.OVAL)
    i, j = t[:, [0, 1, 2]].ravel(), t[:, [1, 2, 0]].ravel()
    edges = sp.coo_matrix((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), shape=(n, n)).tocsr()
    edges.data[:] = 1
    laplacian = sp.eye(n) - sp.diags(1 / np.asarray(edges.sum(1)).ravel()) @ edges
    energy = (laplacian.T @ laplacian).toarray()
    known = np.array([*handles, *range(468, n)])
    free = np.setdiff1d(np.arange(n), known)
    out = np.zeros((n, len(handles)))
    out[list(handles), np.arange(len(handles))] = 1
    out[free] = np.linalg.solve(energy[np.ix_(free, free)], -energy[np.ix_(free, np.array(handles))])
    return out.astype(np.float32)
