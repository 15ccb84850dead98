"""The topology of the 478 points: 468 vertices of the face mesh, then two irises of five points.

Indices are those of MediaPipe's canonical face model (Kartynnik et al. 2019). "Left" is the picture's left.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from portrayal.imaging import F32

POINTS: Final = 478
IRIS_LEFT: Final = slice(468, 473)  # centre first
IRIS_RIGHT: Final = slice(473, 478)

# Corners of the eyes: outer left, inner left, inner right, outer right.
EYE_CORNERS: Final = (33, 133, 362, 263)
CHEEK_LEFT: Final = 234
CHEEK_RIGHT: Final = 454
FOREHEAD: Final = 10
CHIN: Final = 152
NOSE_BASE: Final = 2

# fmt: off
# Vertices that the 71 contour points of the iris net replace; the first 16 are the lid contour.
EYE_LEFT: Final = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193)
EYE_RIGHT: Final = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413,
    265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417)

# Vertices that hardly move with the expression.
RIGID: Final = (
    33, 133, 263, 362, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 10, 151, 9, 8, 67, 297, 109, 338, 103, 332, 54, 284,
    21, 251, 162, 389, 127, 356, 234, 454, 93, 323, 116, 345, 117, 346, 123, 352)

# Closed contours, in order.
OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
    150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
MOUTH: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LID_LEFT: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LID_RIGHT: Final = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
BROW_LEFT: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
BROW_RIGHT: Final = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
# fmt: on


@lru_cache(1)
def _table() -> npt.NDArray[np.int16]:
    # Columns x, y, z (thousandths of the cheek width) and the index of the mirrored vertex.
    table: npt.NDArray[np.int16] = np.load(Path(__file__).parent / "canonical_face.npy", allow_pickle=False)
    table.setflags(write=False)
    return table


@lru_cache(1)
def canonical_face() -> F32:
    """(468, 3) float32 neutral mean face, read-only.

    Unit: cheek-to-cheek width (vertices 234..454). Origin between the eyes, x to the picture's right, y down, z away
    from the camera; mirror-symmetric; the line 10..152 is vertical. A Procrustes mean over 48 faces: nobody's face.
    """
    face = _table()[:, :3].astype(np.float32) / np.float32(1000)
    face.setflags(write=False)
    return face


@lru_cache(1)
def mirror_map() -> npt.NDArray[np.intp]:
    """(468,) index of the vertex on the other half of the face; applying it twice gives the identity."""
    index = _table()[:, 3].astype(np.intp)
    index.setflags(write=False)
    return index
