"""An order: a request whose pictures are named by the digests of stored files. It is what a job is made from.

What an operation has no use for although hosts' formats can say it, such as the style of an edit, is kept and not
heeded; `unheeded` says so in words, and they go into the warnings of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrayal.character.mentions import mentions
from portrayal.prompting.lettering import check_lettering
from portrayal.prompting.text import take_lettering
from portrayal.request import (
    MAX_CAST,
    MAX_COLOURS,
    MAX_PROMPT,
    MAX_STYLES,
    CharacterReference,
    EngineName,
    MagicPrompt,
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

_FILES = ("image", "edit_mask", "background")
# New pictures, which can have any style.
STYLED = ("generate", "remix")
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
        palette: a palette's name, or "#RRGGBB" or "#RRGGBB:weight" colours.
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
    magic_prompt: MagicPrompt = "off"
    style_type: StyleType = "auto"
    style_preset: Annotated[str, Field(max_length=40)] = ""
    style_codes: Annotated[tuple[str, ...], Field(max_length=MAX_STYLES)] = ()
    style_references: Annotated[tuple[Digest, ...], Field(max_length=MAX_STYLES)] = ()
    palette: Annotated[tuple[str, ...], Field(max_length=MAX_COLOURS)] = ()

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
        check_lettering(take_lettering(self.prompt)[1])

    def digests(self) -> tuple[str, ...]:
        """Every stored file that the order needs, each once."""
        found = [who.image for who in self.characters] + [who.mask for who in self.characters if who.mask]
        found += [getattr(self, name) for name in _FILES if getattr(self, name)]
        return tuple(dict.fromkeys((*found, *self.style_references)))

    def request(self, read: Callable[[str], bytes]) -> Request:
        """The request, with the pictures that `read` gives for their digests."""
        values = self.model_dump(exclude={"characters", "style_references", *_FILES})
        if self.operation not in STYLED:  # a picture that is worked on keeps its look; `unheeded` says it
            for name in ("style_type", "magic_prompt", *_STYLE):
                values.pop(name, None)
        else:
            values["style_references"] = tuple(map(read, self.style_references))
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
        if self.operation in STYLED:
            return ()
        asked = {
            "style_type": self.style_type if self.style_type in ("design", "fiction") else "",
            "style_preset": self.style_preset,
            "style_codes": self.style_codes,
            "style references": self.style_references,
            "color_palette": self.palette,
        }
        notes = [
            f"{name}: styles are for new pictures; {self.operation} keeps the picture's look"
            for name, value in asked.items()
            if value
        ]
        if self.magic_prompt == "on":
            notes.append(f"magic_prompt: {self.operation} takes the prompt as it is")
        return tuple(notes)
