"""What a saved character may be called, in any script, and when two names are the same."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from typing import Final

from portrayal.errors import InvalidRequestError

LONGEST: Final = 40
_REMEDY: Final = f"Use 1 to {LONGEST} letters, digits, - or _, and begin with a letter or a digit."


def is_letter(char: str) -> bool:
    """Whether a character may stand anywhere in a name: letters and digits of any script."""
    return unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lm", "Lo", "Nd")


def may_follow(char: str) -> bool:
    """Whether it may stand in a name behind a letter: also -, _ and the marks that many scripts write vowels with."""
    return char in "-_" or is_letter(char) or unicodedata.category(char) in ("Mn", "Mc")


def checked(name: str) -> str:
    """The name as it is kept (NFC, without a leading ``@``).

    Raises:
        InvalidRequestError: empty, too long, or with other characters.
    """
    clean = unicodedata.normalize("NFC", name.strip())
    if clean[:1] in ("@", "＠"):
        clean = clean[1:]
    if not clean:
        raise InvalidRequestError("is empty", field="name", remedy=_REMEDY)
    if len(clean) > LONGEST:
        raise InvalidRequestError(f"is {len(clean)} characters long", field="name", remedy=_REMEDY)
    wrong = next((c for c in clean if not may_follow(c)), None)
    if wrong is None and not is_letter(clean[0]):
        wrong = clean[0]
    if wrong is not None:
        shown = "a space" if wrong == " " else f'"{wrong}"' if wrong.isprintable() else f"U+{ord(wrong):04X}"
        where = "begins with" if wrong in "-_" else "holds"
        raise InvalidRequestError(f"{where} {shown}", field="name", remedy=_REMEDY)
    return clean


def key(name: str) -> str:
    """What is equal for two spellings of one name: case and Unicode form do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def nearest(name: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The known names that are spelt most alike, best first."""
    spellings = {key(k): k for k in known}
    found = difflib.get_close_matches(key(name), list(spellings), most, 0.5)
    return tuple(spellings[k] for k in found)
