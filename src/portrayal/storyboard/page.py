"""A page: pictures in frames with gutters between them, captions, balloons whose tails point at the speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.lettering import Balloon as Layers
from portrayal.lettering import Block, balloon, fit, typeset
from portrayal.lettering.fonts import Role
from portrayal.storyboard.layout import SIZES, Page, Spot
from portrayal.storyboard.script import Balloon, Panel

Face = tuple[float, float, float, float]

_PAPER: Final = (252, 251, 247)
_INK: Final = np.array([0.07, 0.06, 0.08], np.float32)
_CAPTION: Final = np.array([1.0, 0.955, 0.80], np.float32)
_WHITE: Final = np.array([1.0, 1.0, 1.0], np.float32)
_FRAME: Final = 0.0030  # of the page's shorter side
_LETTER: Final = 0.0205  # size of the em, of the page's shorter side
_SMALLEST: Final = 0.013
_SCALES: Final = (1.0, 0.88, 0.78, 0.68)


@dataclass(frozen=True)
class Drawn:
    """A panel that is ready for its page.

    Attributes:
        panel: of the script.
        picture: (h, w, 3) uint8, larger or smaller than its spot.
        faces: name of a character -> its face in the picture, in pixels.
        spot: where it stands.
    """

    panel: Panel
    picture: U8
    faces: dict[str, Face]
    spot: Spot


def draw_page(drawn: Sequence[Drawn], page: Page, title: str, number: int, pages: int) -> tuple[U8, tuple[str, ...]]:
    """One page, and notes on what did not find room.

    Args:
        drawn: its panels.
        page: its shape.
        title: at its head; "" = none.
        number: of the page, 0 first; pages: how many there are.
    """
    width, height = SIZES[page]
    short = min(width, height)
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = _PAPER
    notes: list[str] = []
    for one in drawn:
        spot = one.spot
        part, faces = _cropped(one.picture, one.faces, (spot.width, spot.height))
        part, said = _lettered(part, one.panel, faces, short)
        notes += said
        line = max(2, round(_FRAME * short))
        sheet[spot.y : spot.y + spot.height, spot.x : spot.x + spot.width] = part
        cv2.rectangle(sheet, (spot.x, spot.y), (spot.x + spot.width - 1, spot.y + spot.height - 1), (18, 16, 20), line)
    if title:
        top = min(one.spot.y for one in drawn)
        words = fit(title, (0.86 * width, 0.62 * top), role="shout", largest=0.075 * short, smallest=0.02 * short)
        _stamp(sheet, words, (width - words.coverage.shape[1]) // 2, round(0.56 * top - words.coverage.shape[0] / 2))
    if pages > 1:
        words = typeset(str(number + 1), role="sans", size=0.014 * short)
        _stamp(sheet, words, (width - words.coverage.shape[1]) // 2, height - round(0.030 * short))
    return sheet, tuple(notes)


def _stamp(sheet: U8, words: Block, x: int, y: int) -> None:
    rows, columns = words.coverage.shape
    x, y = max(0, x), max(0, y)
    part = sheet[y : y + rows, x : x + columns]
    cover = words.coverage[: part.shape[0], : part.shape[1], None]
    part[:] = np.round(part * (1 - cover) + 255 * _INK * cover).astype(np.uint8)


def _cropped(picture: U8, faces: dict[str, Face], size: tuple[int, int]) -> tuple[U8, dict[str, Face]]:
    """The part of a picture that fills a spot, with every face in it as far as that goes."""
    height, width = picture.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    inter = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    new = (max(size[0], round(width * scale)), max(size[1], round(height * scale)))
    scaled = np.asarray(cv2.resize(picture, new, interpolation=inter), np.uint8)
    boxes = {name: tuple(v * scale for v in box) for name, box in faces.items()}
    spare_x, spare_y = new[0] - size[0], new[1] - size[1]
    x, y = spare_x // 2, round(0.4 * spare_y)
    if boxes:
        left, right = min(b[0] for b in boxes.values()), max(b[2] for b in boxes.values())
        top = min(b[1] for b in boxes.values())
        x = int(np.clip((left + right) / 2 - size[0] / 2, 0, spare_x))
        # Hair is about half a face higher than the brows.
        tall = max(b[3] - b[1] for b in boxes.values())
        y = int(np.clip(min(y, top - 0.6 * tall), 0, spare_y))
    moved = {name: (b[0] - x, b[1] - y, b[2] - x, b[3] - y) for name, b in boxes.items()}
    return scaled[y : y + size[1], x : x + size[0]].copy(), moved


def _lettered(part: U8, panel: Panel, faces: dict[str, Face], short: int) -> tuple[U8, list[str]]:
    """A panel with its captions and balloons."""
    height, width = part.shape[:2]
    taken: list[Face] = []
    notes: list[str] = []
    picture = part.astype(np.float32) / np.float32(255)
    size = _LETTER * short
    for text, low in ((panel.caption, False), (panel.below, True)):
        if not text:
            continue
        words = fit(text, (0.80 * width, 0.24 * height), role="comic", largest=size, smallest=_SMALLEST * short)
        rows, columns = words.coverage.shape
        pad = round(0.6 * words.size)
        h, w = rows + 2 * pad, columns + 2 * pad
        x, y = (width - w if low else 0), (height - h if low else 0)
        box = (float(x), float(y), float(x + w), float(y + h))
        if not words.fits or any(_overlap(box, _grown(face)) > 0 for face in faces.values()):
            other = (width - w if not low else 0), y
            box = (float(other[0]), float(y), float(other[0] + w), float(y + h))
            if not words.fits or any(_overlap(box, _grown(face)) > 0 for face in faces.values()):
                notes.append(f"no room for the caption {_short(text)!r}")
                continue
            x = other[0]
        picture[y : y + h, x : x + w] = _CAPTION
        cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), _INK.tolist(), max(1, round(0.0016 * short)))
        cover = words.coverage[..., None]
        inside = picture[y + pad : y + pad + rows, x + pad : x + pad + columns]
        inside[:] = inside * (1 - cover) + _INK * cover
        taken.append(box)
    for i, said in enumerate(panel.balloon):
        placed = _balloon(said, i, len(panel.balloon), faces, taken, (width, height), short)
        if placed is None:
            notes.append(f"no room for the balloon {_short(said.text)!r}")
            continue
        layers, x, y, box = placed
        _lay(picture, layers.paper, _WHITE, x, y)
        _lay(picture, layers.ink, _INK, x, y)
        taken.append(box)
    return np.asarray(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8), notes


def _lay(picture: F32, cover: F32, colour: F32, x: int, y: int) -> None:
    """Put a colour where `cover` is, cut at the panel's borders."""
    rows, columns = cover.shape
    top, left = max(0, -y), max(0, -x)
    bottom, right = min(rows, picture.shape[0] - y), min(columns, picture.shape[1] - x)
    if bottom <= top or right <= left:
        return
    share = cover[top:bottom, left:right, None]
    part = picture[y + top : y + bottom, x + left : x + right]
    part[:] = part * (1 - share) + colour * share


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _balloon(
    said: Balloon,
    number: int,
    count: int,
    faces: dict[str, Face],
    taken: list[Face],
    size: tuple[int, int],
    short: int,
) -> tuple[Layers, int, int, Face] | None:
    """The layers of a balloon, where they go, and the box of its body; None when it finds no room."""
    face = faces.get(said.who)
    for scale in _SCALES:
        best = _place(said, _LETTER * short * scale, number, count, faces, taken, size)
        if best is not None:
            break
    else:
        return None
    words, body = best
    middle = ((body[0] + body[2]) / 2, (body[1] + body[3]) / 2)
    tail = None if face is None else _tail(face, middle, said.kind)
    shape = balloon(words, tail=tail, kind=said.kind, seed=number)
    return shape, round(middle[0] - shape.centre[0]), round(middle[1] - shape.centre[1]), body


def _tail(face: Face, middle: tuple[float, float], kind: str) -> tuple[float, float]:
    """Where a tail ends, from the balloon's middle: on the way to the mouth, at the rim of the face."""
    mouth = np.array([(face[0] + face[2]) / 2, face[1] + 0.80 * (face[3] - face[1])])
    away = np.array(middle) - mouth
    step = away / max(1e-3, float(np.linalg.norm(away))) * 0.02 * (face[2] - face[0])
    # Bubbles of a thought end at the hair.
    rim = _grown(face, 0.16 if kind == "thought" else 0.04)
    end = mouth
    while rim[0] < end[0] < rim[2] and rim[1] < end[1] < rim[3]:
        end = end + step
    return float(end[0] - middle[0]), float(end[1] - middle[1])


def _place(
    said: Balloon,
    em: float,
    number: int,
    count: int,
    faces: dict[str, Face],
    taken: list[Face],
    size: tuple[int, int],
) -> tuple[Block, Face] | None:
    """The best place for a balloon with letters of that size, and its words; None when there is none."""
    role: Role = "shout" if said.kind == "shout" else "comic"
    best: tuple[float, Block, Face] | None = None
    # Wider or taller: whatever fits beside the heads.
    for share in (0.52, 0.40, 0.30, 0.68):
        words = typeset(said.text, role=role, size=em, width=share * size[0])
        shape = balloon(words, kind=said.kind, seed=number)
        w, h = shape.body[2] - shape.body[0], shape.body[3] - shape.body[1]
        if w > 0.96 * size[0] or h > 0.9 * size[1]:
            continue
        for x in np.linspace(0.02 * size[0], size[0] - w - 0.02 * size[0], 11):
            for y in np.linspace(0.02 * size[1], size[1] - h - 0.02 * size[1], 11):
                body = (float(x), float(y), float(x + w), float(y + h))
                cost = _cost(body, faces.get(said.who), faces, taken, number, count, size)
                if cost is not None and (best is None or cost < best[0]):
                    best = (cost, words, body)
    return None if best is None else best[1:]


def _grown(face: Face, share: float = 0.08) -> Face:
    """A face with its margin; hair may be covered, features not."""
    dx, dy = share * (face[2] - face[0]), share * (face[3] - face[1])
    return face[0] - dx, face[1] - dy, face[2] + dx, face[3] + dy


def _overlap(first: Face, second: Face) -> float:
    """Area that two boxes share."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    tall = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, wide) * max(0.0, tall)


def _cost(
    body: Face,
    face: Face | None,
    faces: dict[str, Face],
    taken: list[Face],
    number: int,
    count: int,
    size: tuple[int, int],
) -> float | None:
    """How badly a balloon stands there; None when it would cover a face or another balloon."""
    if any(_overlap(body, _grown(other)) > 0 for other in faces.values()):
        return None
    if any(_overlap(body, _grown(other, 0.05)) > 0 for other in taken):
        return None
    x, y = (body[0] + body[2]) / 2 / size[0], (body[1] + body[3]) / 2 / size[1]
    # Read from the top left to the bottom right; the first speaks highest.
    cost = 0.9 * abs(y - (0.14 + 0.5 * number / max(1, count)))
    for other in taken:
        if other[1] > body[1] + 0.2 * size[1]:
            cost += 1.0
    # Hair is covered only when there is no other place.
    area = (body[2] - body[0]) * (body[3] - body[1])
    for other in faces.values():
        wide, tall = other[2] - other[0], other[3] - other[1]
        hair = (other[0] - 0.4 * wide, other[1] - 0.6 * tall, other[2] + 0.4 * wide, other[3])
        cost += 1.5 * _overlap(body, hair) / max(1.0, area)
    if face is None:
        return cost + 0.3 * abs(x - 0.5)
    mouth = ((face[0] + face[2]) / 2 / size[0], (face[1] + 0.8 * (face[3] - face[1])) / size[1])
    cost += 0.8 * float(np.hypot(x - mouth[0], y - mouth[1]))
    # Voices rise: a balloon on the chest hides it, and its tail has no room.
    below = body[3] / size[1] - (face[1] + 0.55 * (face[3] - face[1])) / size[1]
    cost += 1.6 * max(0.0, below)
    gap = np.hypot(max(0.0, face[0] - body[2], body[0] - face[2]), max(0.0, face[1] - body[3], body[1] - face[3]))
    cost += 0.7 * max(0.0, 0.35 - float(gap) / (face[2] - face[0]))
    # A tail through somebody else's face points at the wrong one.
    for other in faces.values():
        if other is not face and min(mouth[0], x) * size[0] < (other[0] + other[2]) / 2 < max(mouth[0], x) * size[0]:
            cost += 1.0
    return cost
