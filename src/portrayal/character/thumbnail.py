"""A small picture of a character, to know it by in a list."""

from __future__ import annotations

import io
from typing import Final

import cv2
import numpy as np
from PIL import Image

from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import U8

SIDE: Final = 256
_FACES: Final = 2.5  # side of the square in face widths: the head with its hair
_BELOW: Final = 0.12  # the middle of a head lies so far under the eyes, in face widths


def thumbnail(character: IdentityMap) -> bytes:
    """WebP file of 256x256 px around the face, or all of a subject without one; never beyond the photograph."""
    picture = character.image
    h, w = picture.shape[:2]
    x, y, side = _square(character)
    size = max(8, min(round(side), h, w))
    x0 = int(np.clip(round(x - size / 2), 0, w - size))
    y0 = int(np.clip(round(y - size / 2), 0, h - size))
    part: U8 = picture[y0 : y0 + size, x0 : x0 + size]
    how = cv2.INTER_AREA if size >= SIDE else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=how), np.uint8)
    out = io.BytesIO()
    Image.fromarray(small).save(out, "WEBP", quality=88, method=4)
    return out.getvalue()


def _square(character: IdentityMap) -> tuple[float, float, float]:
    """Middle (x, y) and side in pixels."""
    reading = character.reading
    if reading is not None:
        pose = reading.pose
        # The side of a turned head is seen on one side of the face: the box of the face holds its middle.
        x = (reading.face.box[0] + reading.face.box[2]) / 2
        return x, float(pose.origin[1]) + _BELOW * pose.scale, _FACES * pose.scale
    ys, xs = np.nonzero(character.alpha > 0.3)
    if not len(ys):
        h, w = character.alpha.shape
        return w / 2, h / 2, float(min(h, w))
    x0, x1, y0, y1 = (float(v) for v in (xs.min(), xs.max(), ys.min(), ys.max()))
    return (x0 + x1) / 2, (y0 + y1) / 2, 1.08 * max(x1 - x0, y1 - y0, 8.0)
