"""The script of a storyboard: a TOML file, read and checked before anything is made."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError
from portrayal.request import MAX_CAST, MAX_PROMPT, MAX_SEED, Speed, StyleType
from portrayal.styles.catalogue import preset
from portrayal.styles.style import resolve

MAX_PANELS: Final = 120
MAX_WORDS: Final = 240
_LAYOUT: Final = r"^[1-4](-[1-4]){0,4}$"
_NAME: Final = r"^[A-Za-z][\w-]{0,31}$"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Character(_Frozen):
    """A member of the cast.

    Attributes:
        reference: a picture beside the script, or "@name" of a saved character.
        mask: of the reference, white = belongs to the character.
        wears: words that dress it in every panel that does not say otherwise.
    """

    reference: Annotated[str, Field(min_length=1)]
    mask: str = ""
    wears: Annotated[str, Field(max_length=400)] = ""


class Balloon(_Frozen):
    """What somebody says.

    Attributes:
        who: a character of the panel; the tail points at its mouth. "" = a voice from outside, without a tail.
        text: verbatim.
    """

    text: Annotated[str, Field(min_length=1, max_length=MAX_WORDS)]
    who: str = ""
    kind: Literal["speech", "thought", "shout"] = "speech"


class Panel(_Frozen):
    """One picture of the story.

    Attributes:
        prompt: with "@name" of each character in it; may be without one when the cast has only one member.
        caption: told above the picture; below: the same at its foot.
        balloon: in reading order.
        seed: instead of the one that the policy gives.
        style_preset, negative_prompt: instead of the storyboard's.
    """

    prompt: Annotated[str, Field(min_length=1, max_length=MAX_PROMPT)]
    caption: Annotated[str, Field(max_length=MAX_WORDS)] = ""
    below: Annotated[str, Field(max_length=MAX_WORDS)] = ""
    balloon: Annotated[tuple[Balloon, ...], Field(max_length=6)] = ()
    seed: Annotated[int | None, Field(ge=0, le=MAX_SEED)] = None
    style_preset: str | None = None
    negative_prompt: str | None = None


class Script(_Frozen):
    """A storyboard.

    Attributes:
        title: on the first page; "" = none.
        page: "portrait", "landscape" or "square".
        layout: of each page in turn, e.g. "1-2-2": three rows of one, two and two panels; empty = chosen.
        characters: name -> who.
        panel: the story, in order.
        seed_policy: "panel" = every panel has its own seed, seed + number; "same" = all have the same.
        style_type ... speed: of every picture; see `portrayal.request.Request`.
        folder: that files are named relative to.
    """

    title: Annotated[str, Field(max_length=120)] = ""
    page: Literal["portrait", "landscape", "square"] = "portrait"
    layout: tuple[Annotated[str, Field(pattern=_LAYOUT)], ...] = ()
    characters: Annotated[dict[Annotated[str, Field(pattern=_NAME)], Character], Field(min_length=1)]
    panel: Annotated[tuple[Panel, ...], Field(min_length=1, max_length=MAX_PANELS)]
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 1
    seed_policy: Literal["panel", "same"] = "panel"
    style_type: StyleType = "auto"
    style_preset: str = ""
    style_codes: tuple[str, ...] = ()
    style_references: tuple[str, ...] = ()
    palette: tuple[str, ...] = ()
    negative_prompt: Annotated[str, Field(max_length=MAX_PROMPT)] = ""
    speed: Speed = "balanced"
    folder: Path = Path()

    def cast(self, number: int) -> tuple[str, ...]:
        """Names of the characters in a panel (0 first), in the order of the prompt."""
        named = [self._name(name) for name in mentions(self.panel[number].prompt)]
        return tuple(dict.fromkeys(named)) or (next(iter(self.characters)),)

    def _name(self, said: str) -> str:
        return next((name for name in self.characters if name.casefold() == said.casefold()), said)

    def seed_of(self, number: int) -> int:
        """The seed of a panel, 0 first."""
        own = self.panel[number].seed
        if own is not None:
            return own
        return (self.seed + (number if self.seed_policy == "panel" else 0)) % (MAX_SEED + 1)


_REMEDIES: Final = {
    "panel": f"Write 1 to {MAX_PANELS} [[panel]] tables.",
    "characters": 'Write e.g. [characters.ada] with reference = "ada.png".',
    "layout": 'Write rows such as "1-2-2": how many panels stand in each.',
    "text": f"At most {MAX_WORDS} characters fit a balloon.",
    "caption": f"At most {MAX_WORDS} characters.",
    "balloon": "Write at most six [[panel.balloon]] tables.",
    "[key]": "A name begins with a letter and has at most 32 letters, digits, - and _.",
    "seed": f"Give a whole number from 0 to {MAX_SEED}.",
}
_MESSAGES: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of a storyboard",
    "too_short": "is empty",
    "string_too_short": "is empty",
    "too_long": "more than {max_length} are given",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "has the wrong form",
    "greater_than_equal": "is smaller than {ge}",
    "less_than_equal": "is larger than {le}",
    "literal_error": "is not {expected}",
    "tuple_type": "is no list",
    "dict_type": "is no table",
    "model_type": "is no table",
    "string_type": "is no text in quotation marks",
    "int_type": "is no whole number",
    "int_from_float": "is no whole number",
    "finite_number": "is no whole number",
}


def read_script(path: Path) -> Script:
    """Read and check a script.

    Raises:
        InvalidRequestError: it cannot be read, or something in it is wrong; the field is named as a path such as
            "panel.3.balloon.1.who", counted from 1.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidRequestError(
            f"{path.name} cannot be read: {said}", field="script", remedy="Name a TOML file of text."
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidRequestError(
            f"{path.name} is no TOML: {error}", field="script", remedy="docs/storyboards.md has an example."
        ) from None
    return script_of(data, path.parent)


def script_of(data: dict[str, Any], folder: Path) -> Script:
    """A checked script from plain values; as `read_script`."""
    if "folder" in data:
        raise InvalidRequestError("is not a field of a storyboard", field="folder", remedy="Leave it out.")
    count = len(data["panel"]) if isinstance(data.get("panel"), list) else None
    if count is not None and not 1 <= count <= MAX_PANELS:
        raise InvalidRequestError(f"there are {count} panels", field="panel", remedy=_REMEDIES["panel"])
    try:
        script = Script.model_validate({**_short(data), "folder": folder})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in first["loc"])
        last = next((str(part) for part in reversed(first["loc"]) if isinstance(part, str)), "")
        said = _MESSAGES.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
        raise InvalidRequestError(said, field=where, remedy=_REMEDIES.get(last, "")) from None
    _check(script)
    return script


def _short(data: dict[str, Any]) -> dict[str, Any]:
    """Short forms written out: a character that is only a file."""
    cast = data.get("characters")
    if not isinstance(cast, dict):
        return data
    return {**data, "characters": {k: {"reference": v} if isinstance(v, str) else v for k, v in cast.items()}}


def _check(script: Script) -> None:
    """What the types cannot say.

    Raises:
        InvalidRequestError: names the place.
    """
    resolve(script.style_type, script.style_preset, script.style_codes, script.palette)
    known = ", ".join(script.characters)
    if len({name.casefold() for name in script.characters}) < len(script.characters):
        raise InvalidRequestError(
            "two names differ only in capitals",
            field="characters",
            remedy="Prompts do not tell them apart: rename one.",
        )
    for i, panel in enumerate(script.panel):
        if panel.style_preset:
            preset(panel.style_preset, f"panel.{i + 1}.style_preset")
        cast = script.cast(i)
        for name in cast:
            if name not in script.characters:
                raise InvalidRequestError(
                    f"there is no character {name!r}", field=f"panel.{i + 1}.prompt", remedy=f"The cast is: {known}."
                )
        if len(cast) > MAX_CAST:
            raise InvalidRequestError(
                f"{len(cast)} characters", field=f"panel.{i + 1}.prompt", remedy=f"At most {MAX_CAST} fit a panel."
            )
        for k, balloon in enumerate(panel.balloon):
            if balloon.who and balloon.who not in cast:
                raise InvalidRequestError(
                    f"{balloon.who!r} is not in this panel",
                    field=f"panel.{i + 1}.balloon.{k + 1}.who",
                    remedy=f"In it: {', '.join(cast)}; leave `who` out for a voice from outside.",
                )
    for name, character in script.characters.items():
        for field, text in (("reference", character.reference), ("mask", character.mask)):
            if text and not text.startswith("@") and not _is_file(script.folder / text):
                raise InvalidRequestError(
                    f"there is no file {text[:80]!r}",
                    field=f"characters.{name}.{field}",
                    remedy="Name a picture relative to the script, or @name of a saved character.",
                )
    for i, text in enumerate(script.style_references):
        if not _is_file(script.folder / text):
            raise InvalidRequestError(
                f"there is no file {text[:80]!r}", field=f"style_references.{i + 1}", remedy="Name a picture."
            )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def dressed(script: Script, number: int) -> str:
    """The prompt of a panel with what its characters always wear."""
    prompt = script.panel[number].prompt
    for name in script.cast(number):
        wears = script.characters[name].wears.strip()
        if not wears:
            continue
        found = re.search(rf"@{re.escape(name)}\b", prompt, re.IGNORECASE)
        if found is None:
            prompt = f"wearing {wears}, {prompt}"
        else:
            prompt = f"{prompt[: found.end()]} wearing {wears},{prompt[found.end() :]}"
    return prompt
