"""Typefaces: by role, and for letters that the face of a role has not, by what is installed.

A face is looked for in this order: the role's own faces, the faces that ship with the package and its dependencies,
the fonts of the system by the letters that they hold, and for ideographs, kana and Hangul the face that is built
into OpenCV. What none of them has is reported; it is never set as an empty box.
"""

from __future__ import annotations

import importlib.util
import os
import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

import cv2
import numpy as np

from portrayal import assets
from portrayal.errors import MissingDataError

Role = Literal["sans", "serif", "comic", "shout", "poster", "hand", "brush", "script", "neon", "round", "modern"]
ROLES: Final[tuple[str, ...]] = get_args(Role)

BOLD: Final = 700.0
"""Weight of a variable font of the system: lettering is read from afar."""
_ENDINGS: Final = (".ttf", ".otf", ".ttc", ".otc")
_OUTLINES: Final = frozenset(("glyf", "CFF ", "CFF2"))
_BUILT_IN_SIZE: Final = 64


@dataclass(frozen=True, eq=False)
class Face:
    """One typeface, opened.

    Attributes:
        name: file name, with the member of a collection.
        font: for HarfBuzz, at the scale of its design; None = the face that is built into OpenCV.
        em: design units per em.
        letters: code points that it has.
        up, down: ascent and descent in em, both positive.
        cap, small: height of capitals and of small letters in em.
    """

    name: str
    font: Any
    em: float
    letters: Any = field(repr=False)
    up: float = 0.95
    down: float = 0.25
    cap: float = 0.7
    small: float = 0.5

    def has(self, text: str) -> bool:
        """Whether every character of a cluster is there; marks that only steer the shaping need not be."""
        return all(ord(c) in self.letters for c in text if not steering(c))


def steering(letter: str) -> bool:
    """Whether a character has no shape of its own: joiners, variation selectors, soft hyphens."""
    return unicodedata.category(letter) == "Cf" or 0xFE00 <= ord(letter) <= 0xFE0F


@lru_cache(1)
def table() -> dict[str, Any]:
    """The shipped table of faces."""
    return tomllib.loads((Path(__file__).parent / "faces.toml").read_text("utf-8"))


def faces(role: str) -> tuple[Face, ...]:
    """The faces of a role and those that help it out, best first; without the system's.

    Raises:
        MissingDataError: when a shipped face is missing.
        KeyError: for an unknown role.
    """
    names = [*table()["roles"][role], *table()["fallback"]["faces"]]
    return tuple(_shipped(name) for name in dict.fromkeys(names))


def for_cluster(cluster: str, role: str, language: str = "") -> Face | None:
    """The first face that has a letter with its marks; None when no installed font has it.

    Args:
        cluster: a letter and the marks that sit on it.
        role: of the lettering.
        language: "HAN", "KANA" or "HANGUL", for ideographs that are drawn differently in each.
    """
    return next((face for face in faces(role) if face.has(cluster)), None) or _elsewhere(cluster, language)


@lru_cache(64)
def _shipped(name: str) -> Face:
    package, _, file = name.rpartition(":")
    if not package:
        return _open(assets.path(f"fonts/{file}"))
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder) / "files" / file
        if found.is_file():
            return _open(found)
    raise MissingDataError(f"the typeface {file} is missing", remedy=f"Run: pip install {package.replace('_', '-')}")


def _open(path: Path, member: int = 0) -> Face:
    """A font file; raises hb.HarfBuzzError or OSError when it cannot be read."""
    import uharfbuzz as hb

    face = hb.Face(hb.Blob.from_file_path(str(path)), member)
    font = hb.Font(face)
    if face.has_var_data:
        font.set_variations({"wght": BOLD})
    extents, em = font.get_font_extents("ltr"), float(face.upem)

    def tall(letter: str, otherwise: float) -> float:
        glyph = font.get_nominal_glyph(ord(letter))
        shape = font.get_glyph_extents(glyph) if glyph else None
        return shape.y_bearing / em if shape else otherwise

    return Face(
        name=f"{path.name}#{member}" if member else path.name,
        font=font,
        em=em,
        letters=face.unicodes,
        up=extents.ascender / em,
        down=-extents.descender / em,
        cap=tall("H", 0.7),
        small=tall("x", 0.5),
    )


# ---------------------------------------------------------------------------------------------- fonts of the system


@lru_cache(4096)
def _elsewhere(cluster: str, language: str) -> Face | None:
    """A face of the system, or OpenCV's, that has a letter."""
    for path in _sorted(language or writing(cluster[0])):
        face = _system(path, language)
        if face is not None and face.has(cluster):
            return face
    built_in = built_in_face()
    return built_in if _BuiltIn.drawn(cluster) else None


@lru_cache(1)
def _files() -> tuple[Path, ...]:
    """Every font file of the system's folders, in a fixed order."""
    found: list[Path] = []
    for folder in table()["system"]["folders"]:
        root = os.path.expanduser(os.path.expandvars(folder))
        if "$" in root:
            continue
        for here, _, names in os.walk(root):
            found += [Path(here) / name for name in names if name.lower().endswith(_ENDINGS)]
    return tuple(sorted(found, key=lambda path: (path.name, str(path))))


def writing(letter: str) -> str:
    """The first word of a character's name, e.g. "DEVANAGARI", and three names for what East Asia writes."""
    name = re.split("[ -]", unicodedata.name(letter, ""))[0]
    return {"CJK": "HAN", "HIRAGANA": "KANA", "KATAKANA": "KANA", "FULLWIDTH": "HAN", "IDEOGRAPHIC": "HAN"}.get(
        name, name
    )


@lru_cache(64)
def _sorted(writing: str) -> tuple[Path, ...]:
    """The system's files, those first that are usual for a script: fewer must be opened."""
    usual = table()["system"]["usual"]
    hints = usual.get(writing, [f"notosans{writing.lower()}", writing.lower(), *usual["OTHER"]])

    def key(path: Path) -> tuple[int, bool, bool, int]:
        plain = "".join(c for c in path.name.lower() if c not in " -_")
        place = next((i for i, hint in enumerate(hints) if hint in plain), len(hints))
        odd = any(part in plain for part in ("italic", "oblique", "mono", "serif", "light", "thin", "condensed"))
        return place, odd, "bold" not in plain, len(plain)

    return tuple(sorted(_files(), key=key))


@lru_cache(512)
def _system(path: Path, language: str) -> Face | None:
    """A font of the system; None when it is damaged or holds no outlines (colour pictures, bitmaps)."""
    import uharfbuzz as hb

    try:
        blob = hb.Blob.from_file_path(str(path))
        count = hb.Face.count(blob) if callable(getattr(hb.Face, "count", None)) else hb.Face(blob, 0).count
        wanted = table()["system"]["member"].get(language, "")
        members = list(range(count))
        if count > 1 and wanted:
            names = {i: hb.Face(blob, i).get_name(hb.OTNameIdPredefined.FONT_FAMILY) or "" for i in members}
            members.sort(key=lambda i: (not names[i].endswith(f" {wanted}"), "Mono" in names[i], i))
        face = hb.Face(blob, members[0])
        if not _OUTLINES.intersection(face.table_tags):
            return None
        return _open(path, members[0])
    except (hb.HarfBuzzError, OSError, ValueError, IndexError):
        return None


# -------------------------------------------------------------------------------------------- OpenCV's built-in face


class _BuiltIn:
    """Ideographs, kana and Hangul of the face "uni" that is part of OpenCV."""

    @staticmethod
    @lru_cache(1)
    def _face() -> cv2.FontFace:
        return cv2.FontFace("uni")

    @staticmethod
    def stamp(text: str, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """White words on black, the base line at 1.2 sizes, the left edge at half a size; (2 sizes, ...) uint8."""
        page = np.zeros((2 * size, size * (len(text) + 2), 3), np.uint8)
        cv2.putText(page, text, (size // 2, round(1.2 * size)), (255, 255, 255), _BuiltIn._face(), size, 600)
        return np.ascontiguousarray(page[..., 0])

    @staticmethod
    @lru_cache(4096)
    def drawn(cluster: str) -> bool:
        """Whether it draws a letter and not the shape that stands for what it does not know."""
        if writing(cluster[0]) not in ("HAN", "KANA", "HANGUL"):
            return False
        letter, unknown = (_BuiltIn.stamp(c, _BUILT_IN_SIZE) for c in (cluster[0], "\U0010fffd"))
        return bool(letter.any()) and not np.array_equal(letter, unknown)


@lru_cache(1)
def built_in_face() -> Face:
    """OpenCV's face: it has no outlines, `font` is None and `stamp` draws it."""
    return Face(name="OpenCV uni", font=None, em=1000.0, letters=frozenset(), up=0.9, down=0.2)


def stamp(text: str, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Words in OpenCV's built-in face: white on black, (2 sizes, sizes of letters + 2) uint8.

    The base line lies at 1.2 sizes from the top, the first letter begins half a size from the left.
    """
    return _BuiltIn.stamp(text, size)
