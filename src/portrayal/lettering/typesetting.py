"""Words set into lines: broken by sensible rules, shaped by HarfBuzz, drawn with exact anti-aliasing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

import cv2
import numpy as np

from portrayal.imaging import F32
from portrayal.lettering import fonts, shaping
from portrayal.lettering.fonts import Role
from portrayal.lettering.shaping import Paragraph, Shaped

Align = Literal["left", "center", "right"]

# What must not begin and what must not end a line of Chinese or Japanese (JIS X 4051, the short list).
_NO_START: Final = frozenset(
    "、。，．・：；？！）］｝〉》」』】〕〗ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ々〜…‥,.;:?!)]}%’”"
)
_NO_END: Final = frozenset("（［｛〈《「『【〔〖([{‘“")
_HYPHENS: Final = frozenset("-\u2010\u2012\u2013\u2014\u200b/")
_STEP: Final = 0.96
_LARGEST_SIDE: Final = 16_384


@dataclass(frozen=True)
class Block:
    """Set words.

    Attributes:
        coverage: (h, w) float32 0..1, cut to the ink; (1, 1) zeros when there is none.
        lines: what stands on each line, in reading order; joined with spaces (or without any, between ideographs)
            they are the text.
        size: of the em in pixels.
        missing: characters that no installed font has, each once; they are left out.
        letter: height of a capital (or of a letter of a script without capitals) in pixels.
        fits: False when `fit` found no size at which the words fit their box; the block is then larger than the box.
        rtl: whether the text runs from right to left.
    """

    coverage: F32
    lines: tuple[str, ...]
    size: float
    missing: str = ""
    letter: float = 0.0
    fits: bool = True
    rtl: bool = False


def typeset(
    text: str,
    *,
    role: Role = "sans",
    size: float,
    width: float | None = None,
    align: Align = "center",
    lead: float = 1.2,
) -> Block:
    """Set words.

    Args:
        text: any; line ends break lines, other blanks are one space.
        role: of the typeface.
        size: of the em in pixels.
        width: where lines are broken, in pixels; None = only where the text says so. A word that is wider stays whole.
        align: of the lines among themselves.
        lead: from one base line to the next, in sizes.

    Raises:
        ValueError: when the block would be larger than 16384 pixels.
    """
    return _drawn(_broken(text, role, None if width is None else width / size), role, size, align, lead)


def fit(
    text: str,
    box: tuple[float, float],
    *,
    role: Role = "sans",
    largest: float,
    smallest: float = 8.0,
    align: Align = "center",
    lead: float = 1.2,
) -> Block:
    """Set words as large as they fit a box.

    Args:
        text, role, align, lead: as for `typeset`.
        box: (width, height) in pixels, both for the ink.
        largest, smallest: sizes of the em in pixels between which one is looked for.

    Returns:
        The block; at `smallest` and with `fits` False when it does not fit at all.
    """
    size = max(largest, smallest)
    while True:
        lines = _broken(text, role, box[0] / size)
        wide = max((line.shape.advance for line in lines), default=0.0) * size
        tall = ((len(lines) - 1) * lead + 0.5) * size
        smaller = _STEP
        if wide <= 1.1 * box[0] and tall <= 1.05 * box[1]:  # ink may be less than the advance
            block = _drawn(lines, role, size, align, lead)
            ratio = min(box[0] / block.coverage.shape[1], box[1] / block.coverage.shape[0])
            if ratio >= 1:
                return block
            # A step that is known to be too short is not tried; a longer one might miss another break of the lines.
            smaller = min(0.995, max(0.9, ratio))
        if size <= smallest:
            return replace(_drawn(lines, role, size, align, lead), fits=False)
        size = max(smallest, size * smaller)


# ------------------------------------------------------------------------------------------------------------- lines


@dataclass(frozen=True)
class _Line:
    """One line: its words, its glyphs, what it lacks."""

    text: str
    shape: Shaped
    missing: str
    rtl: bool


def starts(text: str) -> list[int]:
    """Places at which a line may begin, without the first: after blanks and hyphens, and between ideographs.

    Thai and its like, which are written without spaces between words, are broken only where spaces are.
    """
    found = []
    for i in range(1, len(text)):
        before, after = text[i - 1], text[i]
        if after == " " or fonts.steering(after):
            continue
        hyphen = before in _HYPHENS and i > 1 and text[i - 2] not in " -" and after.isalpha()
        east = (_ideograph(before) or _ideograph(after)) and before not in _NO_END and after not in _NO_START
        if before == " " or hyphen or east:
            found.append(i)
    return found


def _ideograph(letter: str) -> bool:
    return fonts.writing(letter) in ("HAN", "KANA") or "\u3001" <= letter <= "\u303f"


def _broken(text: str, role: str, room: float | None) -> list[_Line]:
    """The lines of a text that are at most `room` em wide; lines of a paragraph come out about equally long."""
    lines: list[_Line] = []
    for row in shaping.plain(text).split("\n"):
        if not row:
            continue
        par = shaping.paragraph(row, role)
        cuts = _cuts(par, room) if room is not None else [0, len(row)]
        for a, b in pairwise(cuts):
            words = row[a:b].rstrip(" ")
            shape = _shaped(par, a, a + len(words))
            lines.append(_Line(words.replace("\u200b", ""), shape, par.missing, par.rtl))
    return lines


@lru_cache(1024)
def _shaped(par: Paragraph, start: int, end: int) -> Shaped:
    return shaping.shaped(par, start, end)


def _cuts(par: Paragraph, room: float) -> list[int]:
    """Places at which lines begin, and the end."""
    edges = [0, *starts(par.text), len(par.text)]
    ink = [len(par.text[a:b].rstrip(" ")) + a for a, b in pairwise(edges)]
    words = [_shaped(par, a, b).advance for a, b in zip(edges[:-1], ink, strict=True)]
    gaps = [_shaped(par, a, b).advance for a, b in zip(ink, edges[1:], strict=True)]

    def lines(limit: float) -> list[int]:
        found, x = [0], 0.0
        for i, word in enumerate(words):
            if i and x + word > limit + 1e-6:
                found.append(edges[i])
                x = 0.0
            x += word + gaps[i]
        return found

    best = lines(room)
    if len(best) > 1:
        low, high = max(words), room
        for _ in range(12):
            middle = (low + high) / 2
            tried = lines(middle)
            if len(tried) <= len(best):
                best, high = tried, middle
            else:
                low = middle
    return [*best, len(par.text)]


# ------------------------------------------------------------------------------------------------------------ drawing


def _drawn(lines: list[_Line], role: str, size: float, align: Align, lead: float) -> Block:
    """The block of broken lines."""
    import uharfbuzz as hb

    faces = [glyph.face for line in lines for glyph in line.shape.glyphs]
    wide = max((line.shape.advance for line in lines), default=0.0)
    side, over = round(0.8 * size) + 2, round(1.5 * size) + 2
    width = round(wide * size) + 2 * side
    height = round((len(lines) - 1) * lead * size) + 2 * over
    if max(width, height) > _LARGEST_SIDE:
        raise ValueError(f"words of {width} x {height} pixels are too large to be set")
    page = np.zeros((max(1, height), max(1, width)), np.float32)
    pen = hb.RasterDraw()
    pen.extents = hb.RasterExtents(0, 0, page.shape[1], page.shape[0], 0)
    left = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    outlined = False
    for row, line in enumerate(lines):
        x = side + left * (wide - line.shape.advance) * size
        y = over + row * lead * size
        for glyph in line.shape.glyphs:
            at = (x + glyph.x * size, y - glyph.y * size)
            if glyph.face.font is None:
                _stamp(page, glyph.letter, size, at)
                continue
            scale = size / glyph.face.em
            pen.transform = (scale, 0.0, 0.0, scale, at[0], page.shape[0] - at[1])
            pen.draw_glyph(glyph.face.font, glyph.index)
            outlined = True
    if outlined:
        image = pen.render()
        ink = np.frombuffer(image.buffer, np.uint8).reshape(image.extents.height, image.extents.stride)
        np.maximum(page, ink[::-1, : page.shape[1]].astype(np.float32) / np.float32(255), out=page)
    main = max(dict.fromkeys(faces), key=faces.count, default=None)
    return Block(
        coverage=_cut(page),
        lines=tuple(line.text for line in lines),
        size=size,
        missing="".join(dict.fromkeys("".join(line.missing for line in lines))),
        letter=(main.cap if main else 0.7) * size,
        rtl=any(line.rtl for line in lines),
    )


def _stamp(page: F32, letter: str, size: float, at: tuple[float, float]) -> None:
    """Draw a letter of OpenCV's face with its base line's left end at a point, to a fraction of a pixel."""
    whole = max(8, round(size))
    drawn = fonts.stamp(letter, whole)
    scale = size / whole
    x, y = at[0] - 0.5 * size, at[1] - 1.2 * size
    left, top = int(np.floor(x)), int(np.floor(y))
    height, width = (round(side * scale) + 2 for side in drawn.shape)
    matrix = np.array([[scale, 0, x - left], [0, scale, y - top]], np.float32)
    moved = cv2.warpAffine(drawn, matrix, (width, height), flags=cv2.INTER_LINEAR)
    y0, y1 = max(0, top), min(page.shape[0], top + height)
    x0, x1 = max(0, left), min(page.shape[1], left + width)
    if y0 < y1 and x0 < x1:
        part = moved[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32) / np.float32(255)
        np.maximum(page[y0:y1, x0:x1], part, out=page[y0:y1, x0:x1])


def _cut(page: F32) -> F32:
    """The page without its empty edges."""
    ink = page > 1 / 255
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return np.zeros((1, 1), np.float32)
    return np.ascontiguousarray(page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
