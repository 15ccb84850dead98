"""From characters to placed glyphs: cleaning, choice of faces, direction, shaping with HarfBuzz.

Everything is measured in em, so that a text is shaped once and set at any size: outlines are never hinted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2

from portrayal.lettering import bidi, fonts
from portrayal.lettering.fonts import Face

# Joiners shape Arabic and Indic letters and stay; zero width space is a place to break a line.
_KEPT: Final = frozenset("\u200b\u200c\u200d\u00ad")
_TYPED: Final = {"\u2028": "\n", "\u2029": "\n", "\u0085": "\n", "\t": " ", "\r": "\n", "\v": "\n", "\f": "\n"}
_EAST: Final = ("HAN", "KANA", "HANGUL")


@dataclass(frozen=True)
class Glyph:
    """One glyph of a line: its index in the face and its origin in em, x to the right, y up.

    A glyph of the built-in face has index -1 and its letter.
    """

    face: Face
    index: int
    x: float
    y: float
    letter: str
    cluster: int


@dataclass(frozen=True)
class Shaped:
    """Glyphs of a line from left to right, and how wide it is in em."""

    glyphs: tuple[Glyph, ...]
    advance: float


@dataclass(frozen=True, eq=False)
class Paragraph:
    """A text that stands on one line until it is broken.

    Attributes:
        text: clean, without line ends.
        rtl: whether it runs from right to left.
        levels: of every character (`bidi.levels`).
        faces: of every character; None where no installed font has it.
        writings: the script of every character, by the first word of its name.
        space: what every space is wider than the face has it, in em.
    """

    text: str
    rtl: bool
    levels: tuple[int, ...]
    faces: tuple[Face | None, ...]
    writings: tuple[str, ...]
    space: float = 0.0

    @property
    def missing(self) -> str:
        """Characters that no installed font has, each once."""
        return "".join(dict.fromkeys(c for c, f in zip(self.text, self.faces, strict=True) if f is None))


def plain(text: str) -> str:
    """The text in composed form (NFC), without control characters; runs of blanks become one, lines stay apart."""
    text = "".join(_TYPED.get(c, c) for c in text.replace("\r\n", "\n"))
    text = "".join(c for c in text if c == "\n" or c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    lines = [
        re.sub(r"[^\S\u00a0\u202f\u2007]+", " ", line).strip()
        for line in unicodedata.normalize("NFC", text).split("\n")
    ]
    return "\n".join(line for line in lines if line)


def clusters(text: str) -> list[tuple[int, int]]:
    """First and last+1 place of every letter with its marks: what one face must have together."""
    found: list[tuple[int, int]] = []
    for i, letter in enumerate(text):
        joined = i > 0 and (
            unicodedata.category(letter).startswith("M") or fonts.steering(letter) or text[i - 1] == "\u200d"
        )
        if joined and found:
            found[-1] = (found[-1][0], i + 1)
        else:
            found.append((i, i + 1))
    return found


@lru_cache(256)
def paragraph(text: str, role: str) -> Paragraph:
    """Faces and directions of a clean text of one line.

    One face for all of it where a face has all of it: digits and commas then match their letters.
    """
    writings = _writings(text)
    east = next((w for w in ("KANA", "HANGUL", "HAN") if w in writings), "")
    whole = next((face for face in fonts.faces(role) if face.has(text)), None)
    chosen: list[Face | None] = []
    for start, end in clusters(text):
        cluster, face = text[start:end], whole
        if face is None:
            language = east if writings[start] in _EAST else ""
            before = chosen[-1] if chosen else None
            if before is not None and not unicodedata.category(cluster[0]).startswith("L") and before.has(cluster):
                face = before
            else:
                face = fonts.for_cluster(cluster, role, language) or fonts.for_cluster(cluster[0], role, language)
        chosen += [face] * (end - start)
    space = float(fonts.table()["spaces"].get(role, 0.0))
    return Paragraph(text, bidi.right_to_left(text), tuple(bidi.levels(text)), tuple(chosen), tuple(writings), space)


def _writings(text: str) -> list[str]:
    """The script of each character; what belongs to none (digits, spaces) has that of the letter before, else after."""
    found = [fonts.writing(c) if unicodedata.category(c)[0] in "LM" else "" for c in text]
    for i in range(1, len(found)):
        found[i] = found[i] or found[i - 1]
    for i in range(len(found) - 2, -1, -1):
        found[i] = found[i] or found[i + 1]
    return found


def shaped(par: Paragraph, start: int = 0, end: int | None = None) -> Shaped:
    """The glyphs of a stretch of a paragraph, in the order in which they are seen.

    Args:
        par: from `paragraph`.
        start, end: places in its text; a line without the blanks at its end.
    """
    end = len(par.text) if end is None else end
    runs: list[tuple[int, int]] = []
    for i in range(start, end):
        same = runs and all(row[i] == row[i - 1] for row in (par.levels, par.faces, par.writings))
        if same:
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    glyphs: list[Glyph] = []
    x = 0.0
    for place in bidi.visual([par.levels[a] for a, _ in runs]):
        a, b = runs[place]
        face = par.faces[a]
        if face is None:
            continue
        if face.font is None:
            x = _stamped(face, par.text[a:b], a, x, glyphs)
        else:
            x = _run(face, par.text[a:b], a, par.levels[a] % 2 == 1, x, glyphs, par.space)
    return Shaped(tuple(glyphs), x)


def _run(face: Face, text: str, first: int, rtl: bool, x: float, glyphs: list[Glyph], space: float) -> float:
    """Add the glyphs of a run of one face, script and direction; where the next one begins."""
    import uharfbuzz as hb

    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if rtl else "ltr"
    hb.shape(face.font, buffer, {})
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        glyphs.append(
            Glyph(
                face,
                info.codepoint,
                x + position.x_offset / face.em,
                position.y_offset / face.em,
                text[info.cluster],
                first + info.cluster,
            )
        )
        x += position.x_advance / face.em + (space if text[info.cluster] == " " else 0.0)
    return x


def _stamped(face: Face, text: str, first: int, x: float, glyphs: list[Glyph]) -> float:
    """The same for OpenCV's face, whose letters all stand in a square."""
    for i, letter in enumerate(text):
        glyphs.append(Glyph(face, -1, x, 0.0, letter, first + i))
        x += _square()
    return x


@lru_cache(1)
def _square() -> float:
    """Advance of an ideograph of OpenCV's face in em."""
    face = cv2.FontFace("uni")
    one, two = (cv2.getTextSize((4000, 400), "\u4e00" * n, (0, 0), face, 100, 600)[2] for n in (1, 2))
    return (two - one) / 100
