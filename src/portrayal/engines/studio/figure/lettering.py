"""Words on a sign board: set as large as they fit, and found for every point of the posed board."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.figure.props import SIGN, SIGN_LEAN
from portrayal.engines.studio.figure.rows import turn, vector
from portrayal.engines.studio.figure.types import Body
from portrayal.imaging import F32, U8
from portrayal.lettering import fit

_FINE: Final = 20.0
"""Pixels per cm of the set text."""
_MARGIN: Final = 2.6
_LARGEST: Final = 300
_SMALLEST: Final = 28
_LONGEST: Final = 120
"""More letters than this cannot be read on a board; the rest is left out."""


@lru_cache(8)
def board(text: str) -> U8:
    """A board with words, black ink = 255, (rows, columns) at 20 pixels per cm."""
    wide, tall = round(2 * SIGN[0] * _FINE), round(2 * SIGN[1] * _FINE)
    page = np.zeros((tall, wide), np.uint8)
    text = " ".join(text.split())[:_LONGEST].strip()
    if not text:
        return page
    room = wide - 2 * _MARGIN * _FINE, tall - 2 * _MARGIN * _FINE
    ink = fit(text, room, role="sans", largest=_LARGEST, smallest=_SMALLEST).coverage
    height, width = min(tall, ink.shape[0]), min(wide, ink.shape[1])
    y, x = (tall - height) // 2, (wide - width) // 2
    page[y : y + height, x : x + width] = np.asarray(ink[:height, :width] * 255 + 0.5, np.uint8)
    return page


def inked(body: Body, point: F32, text: str) -> F32:
    """Ink of the sign's words at points of a body.

    Args:
        body: with a sign in its hands.
        point: (h, w, 3) figure axes, turned as the body is.
        text: the words.

    Returns:
        (h, w) 0..1; 0 away from the front of the board and when the body holds no sign.
    """
    if "sign" not in body.things:
        return np.zeros(point.shape[:2], np.float32)
    axes = turn(body.yaw) @ np.stack(
        [vector(1, 0, 0), vector(0, 1, -SIGN_LEAN), vector(0, SIGN_LEAN, 1)], axis=1
    )  # columns: right, up, front
    own = (point - body.things["sign"]) @ axes.astype(np.float32)
    page = cv2.GaussianBlur(board(text), (0, 0), 1.2).astype(np.float32) / 255
    x = np.ascontiguousarray((own[..., 0] + SIGN[0]) * _FINE, np.float32)
    y = np.ascontiguousarray((SIGN[1] - own[..., 1]) * _FINE, np.float32)
    ink = cv2.remap(page, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(np.where(np.abs(own[..., 2]) < 0.5, ink, 0), np.float32)
