"""An order: a request whose pictures are named by the digests of stored files. It is what a job is made from.

Besides the fields of `portrayal.request.Request` it holds what hosts' formats can say and the engines cannot do yet;
`unheeded` says so in words, and they go into the warnings of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrayal.character.mentions import mentions
from portrayal.request import (
    MAX_CAST,
    MAX_PROMPT,
    CharacterReference,
    EngineName,
    MaskMode,
    Operation,
    OutputFormat,
    Request,
    Speed,
    StyleType,
    refused,
)
from portrayal.sizes import Size

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MagicPrompt = Literal["auto", "on", "off"]

_FILES = ("image", "edit_mask", "background")
_STYLE = ("style_preset", "style_codes", "style_references", "palette")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Who(_Frozen):
    """One character of an order.

    Attributes:
        image, mask: digests; the mask is white where the picture belongs to the character.
        name: of a saved character, without the ``@``; "" for a plain picture.
    """

    image: Digest
    mask: Digest | None = None
    name: str = ""


class Order(_Frozen):
    """What a job shall make; see `portrayal.request.Request` for the fields that both have.

    Attributes:
        magic_prompt: whether the prompt may be rewritten.
        style_preset: a name of the 62, upper case; "" = none.
        style_codes: 8 hex digits each; style_references: digests of pictures.
        palette: a preset's name, or "#RRGGBB" colours, the heaviest first.
    """

    operation: Operation = "generate"
    prompt: Annotated[str, Field(max_length=MAX_PROMPT)] = ""
    characters: Annotated[tuple[Who, ...], Field(max_length=MAX_CAST)] = ()
    negative_prompt: Annotated[str, Field(max_length=MAX_PROMPT)] = ""
    image: Digest | None = None
    edit_mask: Digest | None = None
    mask_mode: MaskMode = "white"
    background: Digest | None = None
    strength: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    factor: Literal[2, 4] = 2
    size: Size | None = None
    speed: Speed = "balanced"
    num_images: Annotated[int, Field(ge=1, le=8)] = 1
    seed: Annotated[int | None, Field(ge=0, le=2_147_483_647)] = None
    engine: EngineName = "auto"
    output_format: OutputFormat = "png"
    magic_prompt: MagicPrompt = "auto"
    style_type: StyleType = "auto"
    style_preset: str = ""
    style_codes: tuple[str, ...] = ()
    style_references: tuple[Digest, ...] = ()
    palette: tuple[str, ...] = ()

    @classmethod
    def make(cls, **values: Any) -> Order:
        """A checked order.

        Raises:
            InvalidRequestError: names the first wrong field and its remedy, as `Request.make` does.
        """
        if values.get("operation", "generate") == "generate" and values.get("size") is None:
            values["size"] = (1024, 1024)
        try:
            order = cls(**values)
        except ValidationError as error:
            raise refused(error) from None
        order.check(mentioned=bool(mentions(order.prompt)))
        return order

    def check(self, *, mentioned: bool = False) -> None:
        """Check the fields against the operation, as `Request.check` does.

        Args:
            mentioned: characters that the prompt mentions are still to be found; they count as given.
        """
        order = self
        if mentioned and not self.characters:
            order = self.model_copy(update={"characters": (Who(image="0" * 64),)})
        order.request(lambda digest: b"-").check()

    def digests(self) -> tuple[str, ...]:
        """Every stored file that the order needs, each once."""
        found = [who.image for who in self.characters] + [who.mask for who in self.characters if who.mask]
        found += [getattr(self, name) for name in _FILES if getattr(self, name)]
        return tuple(dict.fromkeys((*found, *self.style_references)))

    def request(self, read: Callable[[str], bytes]) -> Request:
        """The request, with the pictures that `read` gives for their digests."""
        values = self.model_dump(exclude={"characters", "magic_prompt", *_FILES, *_STYLE})
        if self.operation != "generate":  # a picture that is worked on keeps its look; `unheeded` says it
            del values["style_type"]
        for name in _FILES:
            digest = getattr(self, name)
            values[name] = None if digest is None else read(digest)
        characters = tuple(
            CharacterReference(image=read(who.image), mask=read(who.mask) if who.mask else None, name=who.name)
            for who in self.characters
        )
        return Request(characters=characters, **values)

    def unheeded(self) -> tuple[str, ...]:
        """What the order asks for and the engines cannot do yet, one sentence each."""
        notes = []
        if self.magic_prompt == "on":
            notes.append("magic_prompt: prompts are not rewritten yet; the prompt was taken as it is")
        if self.style_type in ("design", "fiction") and self.operation != "generate":
            notes.append(
                f"style_type: {self.style_type} is for new pictures; {self.operation} keeps the picture's look"
            )
        if self.style_preset:
            notes.append(f"style_preset: {self.style_preset} is not portrayed yet")
        if self.style_codes:
            notes.append("style_codes: not applied to pictures yet")
        if self.style_references:
            notes.append("style references: not applied to pictures yet")
        if self.palette:
            notes.append("color_palette: not applied to pictures yet")
        return tuple(notes)
