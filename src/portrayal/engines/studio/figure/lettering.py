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

_FINE: Final = 20.0
"""Pixels per cm of the set text."""
_MARGIN: Final = 2.6
_LEAD: Final = 1.22
"""Height of a line in font sizes."""
_LARGEST: Final = 260
_SMALLEST: Final = 28
_LONGEST: Final = 120
"""More letters than this cannot be read on a board; the rest is left out."""


def _font(text: str) -> str:
    """The built-in face that has the letters: the second holds ideographs."""
    return "uni" if any(ord(letter) > 0x2E7F for letter in text) else "sans"


def _width(face: cv2.FontFace, text: str, size: int) -> int:
    box = cv2.getTextSize((4000, 400), text, (0, 0), face, size, 600)
    return int(box[2])


def _lines(face: cv2.FontFace, words: list[str], gap: str, size: int, room: float) -> list[str] | None:
    """Words broken into lines of at most `room` pixels; None when a word alone is too long."""
    lines: list[str] = []
    for word in words:
        if _width(face, word, size) > room:
            return None
        joined = f"{lines[-1]}{gap}{word}" if lines else word
        if lines and _width(face, joined, size) <= room:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


@lru_cache(8)
def board(text: str) -> U8:
    """A board with words, black ink = 255, (rows, columns) at 20 pixels per cm."""
    wide, tall = round(2 * SIGN[0] * _FINE), round(2 * SIGN[1] * _FINE)
    page = np.zeros((tall, wide, 3), np.uint8)
    text = " ".join(text.split())[:_LONGEST].strip()
    if not text:
        return page[..., 0]
    face = cv2.FontFace(_font(text))
    spaced = _font(text) == "sans" or " " in text  # ideographs stand without spaces
    words, gap = (text.split(" "), " ") if spaced else (list(text), "")
    room, high = wide - 2 * _MARGIN * _FINE, tall - 2 * _MARGIN * _FINE
    size, lines = _SMALLEST, [text]
    for trial in range(_LARGEST, _SMALLEST - 1, -6):
        broken = _lines(face, words, gap, trial, room)
        if broken is not None and len(broken) * _LEAD * trial <= high:
            size, lines = trial, broken
            break
    lead = _LEAD * size
    y = tall / 2 - (len(lines) - 1) * lead / 2 + 0.36 * size
    for line in lines:
        x = (wide - _width(face, line, size)) / 2
        cv2.putText(page, line, (round(x), round(y)), (255, 255, 255), face, size, 600)
        y += lead
    return np.ascontiguousarray(page[..., 0])


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
