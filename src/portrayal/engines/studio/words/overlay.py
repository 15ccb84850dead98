"""Words over the finished picture: titles, poster lines, balloons, labels; crisp, and never over a face."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from portrayal.engines.base import Box
from portrayal.engines.studio import looks
from portrayal.engines.studio.types import Notes, Shot
from portrayal.engines.studio.words import hanging, signs
from portrayal.engines.studio.words.room import Room, grown
from portrayal.imaging import F32, U8, Array
from portrayal.lettering import Block, balloon, contrast, fit, typeset
from portrayal.lettering.balloons import Kind, extent
from portrayal.lettering.contrast import Colour
from portrayal.lettering.fonts import Role
from portrayal.prompting.plan import ScenePlan

_PAPER: Final = np.array((252, 251, 247), np.float32)
_INK: Final = np.array((15, 14, 16), np.float32)
_MARGIN: Final = 0.04
_SMALLEST: Final = 0.022
"""Height of a capital over that of the picture below which words are left out."""
_MOUTH: Final = 0.80
"""Height of the mouth in the box of a face."""


@dataclass(frozen=True)
class Dress:
    """How words over a picture of a look are set; see titles.toml."""

    role: Role
    inks: tuple[Colour, ...]
    outline: float
    label: tuple[Colour, Colour]


def lettered(
    image: U8,
    plan: ScenePlan,
    faces: Sequence[Box],
    matte: F32 | None,
    look: str | None,
    seed: int,
    notes: Notes,
    *,
    shot: Shot | None = None,
    matrix: Array | None = None,
    held: bool = False,
    placed: list[tuple[str, Box]] | None = None,
) -> U8:
    """The picture with its words.

    Args:
        image: (H, W, 3) uint8, developed and drawn; not changed.
        plan: `lettering` and `lettering_as` count.
        faces: boxes of the faces as `signs.signed` had them; none is touched, with 8 % around each.
        matte: (H, W) float32 of the people.
        look: of the picture, a drawn look or a preset; None = a photograph.
        seed: of hand-drawn outlines.
        notes: gets words that found no room, and characters that no font has.
        shot: the camera, when `signed` put signs into the scene: their letters are made sure to be readable.
        matrix: (2, 3) of a camera that was turned about its axis after the signs hung; None = it was not.
        held: whether somebody in the picture holds a sign with words.
        placed: gets every text that was set, with the box of its letters, in the order of setting.
    """
    if not plan.lettering:
        return image
    size = (image.shape[1], image.shape[0])
    seen = _Words(image, look, seed, notes, [] if placed is None else placed)
    spots = hanging.hang(plan, size, faces, matte, shot, seed, matrix) if shot is not None else ()
    hung = {spot.index for spot in spots}
    letters = [_turned(signs.letters_of(spot, size), matrix) for spot in spots]
    faces = [_turned_box(face, matrix) for face in faces]
    room = seen.room = Room(size, faces, None if matte is None else _turned(matte, matrix), _MARGIN)
    for spot, cover in zip(spots, letters, strict=True):
        room.take(_turned_box(spot.box, matrix))
        seen.sign(spot, plan.lettering[spot.index], cover)
    kinds = list(plan.lettering_as) or ["title"] * len(plan.lettering)
    rows = [(kind, text) for i, (kind, text) in enumerate(zip(kinds, plan.lettering, strict=True)) if i not in hung]
    if not any(kind == "title" for kind, _ in rows):
        first = next((i for i, (kind, _) in enumerate(rows) if kind == "poster"), None)
        if first is not None:
            rows[first] = ("title", rows[first][1])
    for kind, text in sorted(rows, key=lambda row: _ORDER.index(row[0])):
        if kind == "held" and held:
            continue
        seen.set(kind, text, faces)
    return seen.image


_ORDER: Final = ("title", "speech", "shout", "thought", "poster", "sign", "neon", "wall", "held", "label", "thing")


class _Words:
    """One picture while words are put on it."""

    room: Room

    def __init__(self, image: U8, look: str | None, seed: int, notes: Notes, placed: list[tuple[str, Box]]):
        self.placed = placed
        self.image = image
        self.drawn = looks.is_drawn(look)
        self.dress = dress(look)
        self.seed = seed
        self.notes = notes
        self.titled: str | None = None

    def set(self, kind: str, text: str, faces: Sequence[Box]) -> None:
        """Put one text of a kind where it fits, or say that it does not."""
        if kind == "thing":
            self.notes.warnings.append(f"not portrayed: the lettering {text!r} on a thing or on clothes")
            return
        if kind == "title":
            done = self._title(text)
        elif kind == "poster":
            done = self._line(text)
        elif kind in ("speech", "shout", "thought"):
            done = self._spoken(kind, text, faces)
        else:
            done = self._label(text)
            if done and kind != "label":
                self.notes.warnings.append(f"no room for a sign in this scene: the words {text!r} are set as a label")
        if not done:
            self.notes.warnings.append(f"not portrayed: the lettering {text!r}; there is no room beside the face")

    # Signs that hang in the scene.

    def sign(self, spot: hanging.Spot, text: str, cover: F32) -> None:
        """Make sure that a sign can be read after light, grade and look."""
        self._missing(spot.block)
        rows, columns = np.flatnonzero(cover.max(axis=1) > 0.02), np.flatnonzero(cover.max(axis=0) > 0.02)
        if not len(rows):
            return
        self._note(text, columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        em = spot.block.size
        pad = round(0.35 * em)
        y0, y1 = max(0, rows[0] - pad), rows[-1] + pad + 1
        x0, x1 = max(0, columns[0] - pad), columns[-1] + pad + 1
        part, own = self.image[y0:y1, x0:x1], cover[y0:y1, x0:x1]
        reach = max(2, round(0.05 * em))
        if not self.drawn and contrast.measured(part, own, reach) >= contrast.LEAST + 0.2:
            return
        light = contrast.luminance(part)
        solid, around = own > 0.6, cv2.dilate(own, np.ones((5, 5), np.uint8)) < 0.02
        if not solid.any() or not around.any():
            return
        ground = np.median(part[around], axis=0)
        bright = float(np.median(light[solid])) > float(np.median(light[around]))
        own_ink = np.clip(np.median(part[solid], axis=0), 0, 255)
        if self.drawn:
            # The look has drawn over the letters: their ground is laid anew.
            soft = cv2.GaussianBlur(cv2.dilate(own, np.ones((3, 3), np.uint8)), (0, 0), max(1.0, 0.03 * em))[..., None]
            part = np.asarray(part * (1 - soft) + ground * soft + 0.5, np.uint8)
        inks = [_colour(own_ink), (250, 248, 240) if bright else (14, 14, 16), (255, 255, 255) if bright else (0, 0, 0)]
        for ink in inks:
            plain = np.asarray(part * (1 - own[..., None]) + np.array(ink) * own[..., None] + 0.5, np.uint8)
            if contrast.measured(plain, own, reach) >= contrast.LEAST + 0.2:
                break
        else:
            plain, _ = contrast.set_readable(part, own, [inks[-1]], reach=max(2.0, 0.07 * em))
        self.image = self.image.copy()
        self.image[y0:y1, x0:x1] = plain

    # Titles and lines.

    def _title(self, text: str) -> bool:
        """As large as it may be, above or below the face, or beside the people in a wide picture."""
        width, height = self.room.size
        best: tuple[float, Block, Box] | None = None
        for tall in (0.22, 0.15, 0.10, 0.065):
            block = self._fitted(text, (0.90 * width, tall * height), self.dress.role, 0.24 * height)
            if block is None or (best is not None and best[0] >= block.letter / height):
                continue
            h, w = block.coverage.shape
            for edge in ("top", "bottom"):
                y = _MARGIN * height if edge == "top" else (1 - _MARGIN) * height - h
                box = ((width - w) / 2, y, (width + w) / 2, y + h)
                if not self.room.free(box):
                    continue
                price = (2.0 if edge == "top" else 0.45) * self.room.share(box) + (0.04 if edge == "bottom" else 0.0)
                value = min(block.letter / height, 0.12) - 0.09 * price
                if best is None or value > best[0]:
                    best = (value, block, box)
        for wide in (0.40,):
            block = self._fitted(text, (wide * width, 0.3 * height), self.dress.role, 0.16 * height)
            found = block and self.room.best(block.coverage.shape[::-1], lambda x, y: np.abs(y / height - 0.3), np.inf)
            if block and found and (best is None or block.letter / height - 0.02 * found[0] > best[0] + 0.012):
                best = (block.letter / height - 0.02 * found[0], block, found[1])
        if best is None:
            return False
        self.titled = "top" if best[2][1] < 0.4 * height else "bottom"
        self._print(text, best[1], best[2], self.dress.inks, self.dress.outline)
        return True

    def _line(self, text: str) -> bool:
        """A smaller line: under the title when that is at the bottom, else at the lower edge."""
        width, height = self.room.size

        def cost(x: F32, y: F32) -> F32:
            return np.asarray(1.2 * np.abs(y / height - 0.93) + np.abs(x / width - 0.5), np.float32)

        for tall in (0.055, 0.045, 0.036, 0.029):
            block = self._fitted(text, (0.86 * width, 2.6 * tall * height), "sans", tall * height)
            found = block and self.room.best(block.coverage.shape[::-1], cost, 0.12)
            if block and found:
                self._print(
                    text, block, found[1], self.dress.inks[::-1] if self.dress.outline else self.dress.inks, 0.0
                )
                return True
        return False

    def _fitted(self, text: str, box: tuple[float, float], role: Role, largest: float) -> Block | None:
        """The text in a box; None when it would be too small to read or when nothing of it can be set."""
        height = self.room.size[1]
        block = fit(text, box, role=_cased(role, text), largest=largest, smallest=_SMALLEST * height, lead=1.08)
        return block if block.fits and block.coverage.any() and block.letter >= _SMALLEST * height else None

    def _print(self, text: str, block: Block, box: Box, inks: Sequence[Colour], outline: float) -> None:
        """Letters onto the picture, with whatever shade they need."""
        self._missing(block)
        height, width = self.image.shape[:2]
        cover = np.zeros((height, width), np.float32)
        h, w = block.coverage.shape
        y, x = round(min(max(0.0, box[1]), height - h)), round(min(max(0.0, box[0]), width - w))
        cover[y : y + h, x : x + w] = block.coverage
        self._note(text, x, y, x + w, y + h)
        self.room.take((x - 0.2 * block.size, y - 0.2 * block.size, x + w + 0.2 * block.size, y + h + 0.2 * block.size))
        if outline > 0:
            radius = max(2, round(outline * block.size))
            room = radius + 3
            y0, y1, x0, x1 = max(0, y - room), min(height, y + h + room), max(0, x - room), min(width, x + w + room)
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
            edge = np.asarray(cv2.GaussianBlur(cv2.dilate(cover[y0:y1, x0:x1], kernel), (0, 0), 0.6), np.float32)
            self._mix((x0, y0, x1, y1), edge, np.array(inks[-1], np.float32))
            self._mix((x0, y0, x1, y1), cover[y0:y1, x0:x1], np.array(inks[0], np.float32))
            return
        self.image, _ = contrast.set_readable(
            self.image, cover, inks, reach=max(3.0, 0.07 * block.size), spare=self.room.faces
        )

    def _mix(self, box: tuple[int, int, int, int], cover: F32, colour: F32) -> None:
        x0, y0, x1, y1 = box
        image = self.image.copy()
        part = image[y0:y1, x0:x1].astype(np.float32)
        image[y0:y1, x0:x1] = np.asarray(part * (1 - cover[..., None]) + colour * cover[..., None] + 0.5, np.uint8)
        self.image = image

    # Balloons.

    def _spoken(self, kind: str, text: str, faces: Sequence[Box]) -> bool:
        """A balloon near the head of who is seen largest, its tail towards the mouth."""
        width, height = self.room.size
        role: Role = "shout" if kind == "shout" and _cased("shout", text) == "shout" else "comic"
        shape: Kind = "shout" if kind == "shout" else "thought" if kind == "thought" else "speech"
        face = max(faces, key=lambda f: (f[2] - f[0]) * (f[3] - f[1]), default=None)
        mouth = (0.5 * width, 0.45 * height) if face is None else _at(face, 0.5, _MOUTH if kind != "thought" else 0.2)

        def cost(x: F32, y: F32) -> F32:
            away = np.sqrt(((x - mouth[0]) / width) ** 2 + ((y - mouth[1]) / height) ** 2)
            return np.asarray(0.8 * away + 0.6 * np.maximum(0, (y - mouth[1]) / height), np.float32)

        kept = self.room.taken.copy()
        for other in faces:  # a tail needs some way to be seen
            self.room.take(grown(other, 0.28))
        best: tuple[float, Block, Box] | None = None
        for letter in (0.036, 0.031, 0.027, _SMALLEST + 0.001):
            for block in _shapes(text, role, letter * height):
                found = self.room.best(extent(block, shape), cost, 1.2)
                if found and (best is None or found[0] + 3 * (0.036 - letter) < best[0]):
                    best = (found[0] + 3 * (0.036 - letter), block, found[1])
            if best is not None and best[0] < 0.5:
                break
        self.room.taken = kept
        if best is None:
            return False
        _, block, box = best
        self._missing(block)
        centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        tail = None if face is None else _outside(centre, mouth, self.room.faces)
        self._balloon(block, shape, centre, tail)
        h, w = block.coverage.shape
        self._note(text, centre[0] - w / 2, centre[1] - h / 2, centre[0] + w / 2, centre[1] + h / 2)
        self.room.take(box)
        return True

    def _balloon(self, block: Block, kind: Kind, centre: tuple[float, float], tail: tuple[float, float] | None) -> None:
        """Draw a balloon about a place."""
        height, width = self.image.shape[:2]
        made = balloon(block, tail=tail, kind=kind, seed=self.seed)
        x, y = round(centre[0] - made.centre[0]), round(centre[1] - made.centre[1])
        h, w = made.paper.shape
        x0, y0, x1, y1 = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
        inside = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
        blocked = np.zeros((height, width), np.uint8)
        for face in self.room.faces:
            a, b, c, d = (round(v) for v in face)
            blocked[max(0, b) : max(0, d), max(0, a) : max(0, c)] = 1
        if tail is not None and (made.paper[inside] * blocked[y0:y1, x0:x1]).any():
            shorter = tail[0] * 0.86, tail[1] * 0.86
            self._balloon(block, kind, centre, shorter if np.hypot(*shorter) > block.size else None)
            return
        self._mix((x0, y0, x1, y1), made.paper[inside], _PAPER)
        self._mix((x0, y0, x1, y1), made.ink[inside], _INK)

    # Labels.

    def _label(self, text: str) -> bool:
        """A strip at the lower edge, or wherever no face is."""
        width, height = self.room.size

        def cost(x: F32, y: F32) -> F32:
            return np.asarray(1.5 * np.abs(y / height - 0.94) + 0.5 * np.abs(x / width - 0.5), np.float32)

        for tall in (0.042, 0.036, _SMALLEST / 0.66 + 0.001):
            block = self._fitted(text, (0.8 * width, 4.2 * tall * height), "sans", tall * height)
            if block is None:
                continue
            pad_x, pad_y = 0.65 * block.size, 0.42 * block.size
            h, w = block.coverage.shape
            found = self.room.best((w + 2 * pad_x, h + 2 * pad_y), cost, 0.1)
            if found is None:
                continue
            self._strip(text, block, found[1])
            return True
        return False

    def _strip(self, text: str, block: Block, box: Box) -> None:
        self._missing(block)
        paper, ink = self.dress.label
        x0, y0, x1, y1 = (round(v) for v in box)
        cover = np.full((y1 - y0, x1 - x0), 0.94, np.float32)
        self._mix((x0, y0, x1, y1), cover, np.array(paper, np.float32))
        letters = np.zeros((y1 - y0, x1 - x0), np.float32)
        h, w = block.coverage.shape
        y, x = (letters.shape[0] - h) // 2, (letters.shape[1] - w) // 2
        letters[y : y + h, x : x + w] = block.coverage
        self._note(text, x0 + x, y0 + y, x0 + x + w, y0 + y + h)
        self._mix((x0, y0, x1, y1), letters, np.array(ink, np.float32))
        self.room.take((x0 - 3, y0 - 3, x1 + 3, y1 + 3))

    def _note(self, text: str, *box: float) -> None:
        """Take down where the letters of a text are."""
        self.placed.append((text, (float(box[0]), float(box[1]), float(box[2]), float(box[3]))))

    def _missing(self, block: Block) -> None:
        if block.missing:
            self.notes.warnings.append(f"not portrayed: no installed font has {block.missing!r}")


def _cased(role: Role, text: str) -> Role:
    """The role, or one with small letters where the text has some and the face draws them as capitals."""
    return "round" if role == "shout" and any(c.islower() for c in text) else role


def _shapes(text: str, role: Role, letter: float) -> list[Block]:
    """The text on so many lines that a balloon about it looks well: one to six, none too long."""
    one = typeset(text, role=role, size=40.0)
    if not one.coverage.any():
        return []
    em = letter * 40.0 / one.letter
    found: dict[tuple[str, ...], tuple[float, Block]] = {}
    for count in range(1, 7):
        width = None if count == 1 else one.coverage.shape[1] / count * 1.1
        block = typeset(text, role=role, size=40.0, width=width, lead=1.12)
        ratio = block.coverage.shape[1] / block.coverage.shape[0]
        found.setdefault(block.lines, (abs(float(np.log(ratio / 2.3))), block))
    ordered = sorted(found.values(), key=lambda f: f[0])[:2]
    return [typeset("\n".join(block.lines), role=role, size=em, lead=1.12) for _, block in ordered]


def _at(box: Box, x: float, y: float) -> tuple[float, float]:
    return box[0] + x * (box[2] - box[0]), box[1] + y * (box[3] - box[1])


def _outside(
    centre: tuple[float, float], mouth: tuple[float, float], faces: Sequence[Box]
) -> tuple[float, float] | None:
    """Where a tail ends that goes from a balloon to a mouth: shortly before the first face on its way."""
    direction = np.array(mouth) - np.array(centre)
    last = 0.0
    for step in np.linspace(0, 1, 101):
        x, y = np.array(centre) + step * direction
        if any(f[0] - 3 <= x <= f[2] + 3 and f[1] - 3 <= y <= f[3] + 3 for f in faces):
            break
        last = float(step)
    last = min(last, 0.92)
    return (float(direction[0] * last), float(direction[1] * last)) if last > 0.1 else None


def _turned(layer: F32, matrix: Array | None) -> F32:
    if matrix is None:
        return layer
    return np.asarray(cv2.warpAffine(layer, matrix, layer.shape[::-1], flags=cv2.INTER_LINEAR), np.float32)


def _turned_box(box: Box, matrix: Array | None) -> Box:
    if matrix is None:
        return box
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]]) @ np.asarray(matrix).T
    low, high = corners.min(axis=0), corners.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _colour(values: Array) -> Colour:
    return int(values[0]), int(values[1]), int(values[2])


@lru_cache(128)
def dress(look: str | None) -> Dress:
    """How words over a picture of a look (or of a photograph: None) are set."""
    rows: list[dict[str, Any]] = table()["row"]
    row = next((row for row in rows if look in row["looks"]), rows[-1])
    paper, ink = row["label"]
    return Dress(
        role=row["role"],
        inks=tuple((ink[0], ink[1], ink[2]) for ink in row["inks"]),
        outline=row["outline"],
        label=((paper[0], paper[1], paper[2]), (ink[0], ink[1], ink[2])),
    )


@lru_cache(1)
def table() -> dict[str, Any]:
    """The shipped dresses of words."""
    return tomllib.loads((Path(__file__).parent / "titles.toml").read_text("utf-8"))
