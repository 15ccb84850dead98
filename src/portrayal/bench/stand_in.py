"""Another person for the gallery and the tests, made from the sample portrait: no third person's face is needed.

The features are moved over the face by a thin-plate spline (Bookstein 1989), the hair gets another colour, and the
picture is mirrored. The result is nobody: its descriptor lies about 0.5 from the sample's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from portrayal import assets, colours
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.recolour import recolour
from portrayal.engines.studio.types import Cutout
from portrayal.imaging import F32, U8, encode_png
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING, HAIR

_GRID: Final = 6  # pixels between the points at which the spline is evaluated


@dataclass(frozen=True)
class Features:
    """How a face differs; lengths in face heights, shares of the feature's own size.

    Attributes:
        jaw, chin: share of width, length added.
        nose_width, nose_length, eyes, apart, tilt, mouth_width, lips, brow: likewise of the features.
        hair: lightness, a and b (CIE Lab) of the hair, and the contrast that is left to it.
        clothes: colour name.
    """

    jaw: float
    chin: float
    nose_width: float
    nose_length: float
    eyes: float
    apart: float
    tilt: float
    mouth_width: float
    lips: float
    brow: float
    hair: tuple[float, float, float, float]
    clothes: str


PEOPLE: Final[dict[str, Features]] = {
    "red": Features(
        -0.21, -0.05, -0.27, -0.07, 0.33, -0.018, -0.18, 0.18, -0.15, 0.027, (38.0, 20.0, 25.0, 0.9), "navy"
    ),
    "dark": Features(0.25, 0.08, 0.44, 0.08, -0.19, 0.035, 0.16, -0.25, 0.32, -0.03, (20.0, 4.0, 8.0, 0.7), "emerald"),
    "fair": Features(-0.13, 0.03, -0.2, 0.05, 0.24, 0.02, 0.16, 0.12, 0.2, -0.03, (66.0, 3.0, 26.0, 1.0), "burgundy"),
}


@lru_cache(8)
def stand_in(name: str) -> bytes:
    """PNG bytes of a reference picture of one of `PEOPLE`."""
    features = PEOPLE[name]
    sample = study(assets.path("sample/astronaut.png").read_bytes(), use_cache=False)
    assert sample.reading is not None
    old = sample.reading.points[:, :2].astype(np.float32)
    field = _field(old, _moved(old, features), sample.image.shape[:2])
    image = cv2.remap(_dressed(sample, features.clothes), *field, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    hair = (sample.regions == HAIR).astype(np.float32) * sample.alpha
    weight = cv2.remap(hair, *field, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    dyed = _dyed(np.asarray(image, np.uint8), np.asarray(weight, np.float32), features)
    return encode_png(np.ascontiguousarray(dyed[:, ::-1]))


def _dressed(sample: IdentityMap, colour: str) -> U8:
    """The sample in clothes of another colour."""
    rgb = sample.image.astype(np.float32) / np.float32(255)
    worn = (sample.regions == CLOTHING).astype(np.float32)
    person = Cutout(rgb=rgb, alpha=sample.alpha, regions=sample.regions, points=None)
    dyed = recolour(person, colours.hex_of(colour), worn)
    return np.asarray(np.clip(dyed.rgb, 0, 1) * 255 + 0.5, np.uint8)


def _moved(points: F32, features: Features) -> F32:
    """The landmarks of the other face."""
    up = points[mesh.FOREHEAD] - points[mesh.CHIN]
    up = up / np.linalg.norm(up)
    right = np.array([-up[1], up[0]], np.float32)
    right = right if right[0] > 0 else -right
    centre, tall = points[168], float(np.ptp(points[:468, 1]))
    offset = points - centre
    face = np.stack([offset @ right, offset @ -up], -1) / tall
    x, y = face[:, 0], face[:, 1]
    new = face.copy()
    new[:, 0] *= 1 + features.jaw / (1 + np.exp(-(y - 0.25) * 14))
    new[:, 1] += features.chin * np.clip((y - 0.35) / 0.3, 0, 1)
    nose = np.exp(-((x / 0.13) ** 2) - ((y - 0.22) / 0.16) ** 2)
    new[:, 0] += features.nose_width * x * nose
    new[:, 1] += features.nose_length * nose
    for lid, side in ((mesh.LID_LEFT, -1.0), (mesh.LID_RIGHT, 1.0)):
        eye = face[list(lid)].mean(0)
        near = np.exp(-((face - eye) ** 2).sum(1) / 0.12**2)
        new += features.eyes * (face - eye) * near[:, None]
        new[:, 0] += side * features.apart * near
        new[:, 1] += side * features.tilt * (x - eye[0]) * near
    mouth = face[list(mesh.LIPS)].mean(0)
    near = np.exp(-((face - mouth) ** 2).sum(1) / 0.16**2)
    new += (face - mouth) * (features.mouth_width, features.lips) * near[:, None]
    new[:, 1] += features.brow * np.exp(-(((y + 0.1) / 0.07) ** 2)) * (np.abs(x) < 0.4)
    moved = centre + (new[:, :1] * right - new[:, 1:] * up) * tall
    return np.asarray(moved, np.float32)


def _field(old: F32, new: F32, shape: tuple[int, int]) -> tuple[F32, F32]:
    """Where each pixel of the new picture comes from: x and y maps."""
    height, width = shape
    known = sorted({*range(0, 478, 3), *mesh.OVAL, *mesh.LIPS, *mesh.LID_LEFT, *mesh.LID_RIGHT})
    centre, tall = old[:468].mean(0), float(np.ptp(old[:468, 1]))
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], -1)
    fixed = np.concatenate([centre + circle * tall * 1.0, centre + circle * tall * 1.5])
    targets = np.concatenate([new[known], fixed])
    sources = np.concatenate([old[known], fixed])
    spline = RBFInterpolator(targets, sources - targets, kernel="thin_plate_spline", smoothing=0.5)
    ys, xs = np.mgrid[0 : height + _GRID : _GRID, 0 : width + _GRID : _GRID].astype(np.float32)
    coarse = spline(np.stack([xs.ravel(), ys.ravel()], -1)).reshape(*xs.shape, 2).astype(np.float32)
    # The spline has no meaning far from the face: it fades out there.
    far = np.hypot(xs - centre[0], ys - centre[1]) / tall
    coarse *= np.clip(1.6 - far, 0, 1)[..., None].astype(np.float32)
    grid_y, grid_x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = grid_x / np.float32(_GRID), grid_y / np.float32(_GRID)
    fine = cv2.remap(coarse, x, y, cv2.INTER_LINEAR)
    return np.asarray(grid_x + fine[..., 0], np.float32), np.asarray(grid_y + fine[..., 1], np.float32)


def _dyed(image: U8, hair: F32, features: Features) -> U8:
    """The picture with hair of another colour."""
    lightness, a, b, contrast = features.hair
    lab = cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    middle = np.median(lab[hair > 0.9], axis=0)
    target = (lab - middle) * np.array([contrast, 0.6, 0.6], np.float32) + np.array([lightness, a, b], np.float32)
    target[..., 0] = np.maximum(target[..., 0], 3)
    weight = cv2.GaussianBlur(hair, (0, 0), 1.2)[..., None]
    mixed = (lab + (target - lab) * weight).astype(np.float32)
    rgb = cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(rgb, 0, 1) * 255 + 0.5, np.uint8)
