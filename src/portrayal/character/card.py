"""The card of a saved character: what is kept besides its pictures, as ``character.json`` and in archives."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from portrayal.character import names
from portrayal.errors import InvalidRequestError, PortrayalError

SCHEMA: Final = 1
MAX_MASKS: Final = 99
THUMBNAIL: Final = "thumbnail.webp"
_SPACE: Final = uuid.UUID("5b8cf3c5-6a3a-4b8e-9a51-3d1f2c0c7f5e")
_REMEDIES: Final = {
    "notes": "Use up to 10000 characters of plain text.",
    "note": "Use up to 10000 characters of plain text.",
    "tags": "Use up to 50 tags of 1 to 40 characters of plain text.",
}


def id_of(name: str) -> str:
    """The id of a name (UUID version 5); the same for every spelling of it."""
    return str(uuid.uuid5(_SPACE, names.key(name)))


def _plain(text: str) -> str:
    """Text for people: no control characters, which could play tricks on a terminal."""
    if any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in text):
        raise ValueError("holds control characters")
    return text


Text = Annotated[str, Field(max_length=10_000), AfterValidator(_plain)]
Tag = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^\S(.*\S)?$"), AfterValidator(_plain)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ReferenceName = Annotated[str, Field(pattern=r"^reference\.(jpg|png|webp|bmp|tif|gif)$")]
MaskName = Annotated[str, Field(pattern=r"^mask-[1-9][0-9]?\.png$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReferenceFile(_Frozen):
    """The picture of the character: file name and SHA-256 of its bytes."""

    file: ReferenceName
    sha256: Digest


class MaskFile(_Frozen):
    """One version of the character mask: what belongs to the character."""

    version: Annotated[int, Field(ge=1, le=MAX_MASKS)]
    file: MaskName
    sha256: Digest
    note: Text = ""
    created: AwareDatetime


class Card(_Frozen):
    """What is kept of a character besides its pictures; ``character.json``.

    Attributes:
        id: follows from the name, see `id_of`.
        kind: "person", or "subject" for a mascot, drawing or animal.
        masks: all versions, oldest first; mask_used: the one that is used, 0 = the automatic one (face and hair).
    """

    schema_version: Literal[1] = 1
    id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    name: Annotated[str, AfterValidator(names.checked)]
    kind: Literal["person", "subject"]
    notes: Text = ""
    tags: Annotated[tuple[Tag, ...], Field(max_length=50)] = ()
    star: bool = False
    created: AwareDatetime
    reference: ReferenceFile
    masks: Annotated[tuple[MaskFile, ...], Field(max_length=MAX_MASKS)] = ()
    mask_used: Annotated[int, Field(ge=0, le=MAX_MASKS)] = 0

    def mask_file(self) -> MaskFile | None:
        """The version that is used; None for the automatic mask.

        Raises:
            ValueError: when it is not among the versions.
        """
        if self.mask_used == 0:
            return None
        found = next((m for m in self.masks if m.version == self.mask_used), None)
        if found is None:
            raise ValueError(f"there is no version {self.mask_used} of the mask")
        return found

    def text(self) -> bytes:
        """The JSON file."""
        return (json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n").encode()


def made(**values: Any) -> Card:
    """A checked card.

    Raises:
        InvalidRequestError: names the field that is wrong.
    """
    try:
        return Card.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0])
        field = "note" if field == "masks" else field
        raise InvalidRequestError(_words(first), field=field, remedy=_REMEDIES.get(field, "")) from None


def parsed(data: bytes | dict[str, Any]) -> Card:
    """A card out of a file.

    Raises:
        ValueError: in words, what is wrong with it.
    """
    try:
        values = data if isinstance(data, dict) else json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None
    if not isinstance(values, dict):
        raise ValueError("holds no card")
    version = values.get("schema_version")
    if version != SCHEMA:
        if isinstance(version, int) and version > SCHEMA:
            raise ValueError(f"was written by a newer Portrayal (schema {version}, this one reads {SCHEMA})")
        raise ValueError("has no schema version that is known")
    try:
        card = Card.model_validate(values)
        card.mask_file()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {_words(first)}") from None
    except PortrayalError as error:
        raise ValueError(str(error)) from None
    if len({m.version for m in card.masks}) != len(card.masks):
        raise ValueError("masks: a version is there twice")
    if any(m.file != f"mask-{m.version}.png" for m in card.masks):
        raise ValueError("masks: a file does not belong to its version")
    return card


def _words(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ").lower()
