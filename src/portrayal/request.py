"""The one request: everything that may influence a picture is in it, and nothing else."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrayal.errors import InvalidRequestError
from portrayal.sizes import Size

Operation = Literal["generate", "edit", "remix", "reframe", "replace-background", "remove-background", "upscale"]
Speed = Literal["turbo", "balanced", "quality"]
EngineName = Literal["auto", "studio"]
MaskMode = Literal["white", "black", "alpha"]
StyleType = Literal["auto", "general", "realistic", "design", "fiction"]
MagicPrompt = Literal["auto", "on", "off"]
OutputFormat = Literal["png", "jpeg", "webp"]

MAX_PROMPT = 10_000
MAX_SEED = 2_147_483_647
MAX_CAST = 4
MAX_STYLES = 10
MAX_COLOURS = 8

_REMEDIES = {
    "prompt": f"Say in 1 to {MAX_PROMPT} characters what the picture shall show.",
    "negative_prompt": f"At most {MAX_PROMPT} characters.",
    "seed": f"Give a whole number from 0 to {MAX_SEED}.",
    "num_images": "Give a whole number from 1 to 8.",
    "speed": "Use turbo, balanced or quality.",
    "engine": "Use auto or studio.",
    "style_type": "Use auto, general, realistic, design or fiction.",
    "style_preset": "Use a name of `portrayal styles`.",
    "style_codes": "Give codes of eight hex digits, e.g. 1A2B3C4D.",
    "style_references": f"Give at most {MAX_STYLES} pictures: JPEG, PNG or WebP files.",
    "palette": f"Give a palette's name, or 1 to {MAX_COLOURS} colours #RRGGBB, with a weight (#RRGGBB:0.5) or without.",
    "magic_prompt": "Use auto, on or off.",
    "reference": "Give a JPEG, PNG or WebP file, or say @name of a saved character in the prompt.",
    "image": "Give the picture that shall be worked on: a JPEG, PNG or WebP file.",
    "edit_mask": "Give a picture of the same size, painted where the source shall change.",
    "mask_mode": "Use white (white is repainted), black (black is repainted) or alpha (transparent is repainted).",
    "strength": "Give a number from 0 (only colours, framing and light of the picture) to 1 (the very picture).",
    "factor": "Use 2 or 4.",
    "size": "Give a size such as 1024x1024, or an aspect ratio such as 16:9.",
    "background": "Give a picture of what shall be behind: a JPEG, PNG or WebP file.",
    "characters": f"Give at most {MAX_CAST} characters.",
    "output_format": "Use png, jpeg or webp.",
    "operation": "Use generate, edit, remix, reframe, replace-background, remove-background or upscale.",
}
# Pydantic's own words are kept for all other kinds.
_MESSAGES = {
    "string_pattern_mismatch": "is empty",
    "string_too_short": "is empty",
    "bytes_too_short": "the file is empty",
    "string_too_long": "is longer than {max_length} characters",
    "string_unicode": "holds bytes that are no text",
    "greater_than_equal": "is smaller than {ge}",
    "less_than_equal": "is larger than {le}",
    "literal_error": "is not {expected}",
    "extra_forbidden": "is not a field of a request",
    "finite_number": "is not a finite number",
    "too_long": "more than {max_length} are given",
}

# What the picture shall look like, and the words that may be added to its prompt.
_STYLE: Final = ("style_preset", "style_codes", "style_references", "palette", "magic_prompt")
# Operation -> (fields that it needs, fields that it may have besides those that every operation has).
_FIELDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "generate": (frozenset({"prompt", "reference"}), frozenset({"size", "negative_prompt", "style_type", *_STYLE})),
    "edit": (frozenset({"image"}), frozenset({"prompt", "reference", "edit_mask", "mask_mode", "negative_prompt"})),
    "remix": (
        frozenset({"image", "reference"}),
        frozenset({"prompt", "size", "strength", "negative_prompt", "style_type", *_STYLE}),
    ),
    "reframe": (frozenset({"image", "size"}), frozenset()),
    "replace-background": (
        frozenset({"image"}),
        frozenset({"prompt", "background", "edit_mask", "mask_mode", "negative_prompt"}),
    ),
    "remove-background": (frozenset({"image"}), frozenset({"edit_mask", "mask_mode"})),
    "upscale": (frozenset({"image"}), frozenset({"factor"})),
}
# With another value of these, the picture shall be the same one, only e.g. nearer to its source or better made.
_NOT_IN_THE_SEED: Final = (
    "seed",
    "num_images",
    "speed",
    "output_format",
    "engine",
    "strength",
    "factor",
    "style_type",
    *_STYLE,
)
_CHECKED: Final = (
    "prompt",
    "negative_prompt",
    "reference",
    "size",
    "image",
    "edit_mask",
    "mask_mode",
    "background",
    "strength",
    "factor",
    "style_type",
    *_STYLE,
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CharacterReference(_Frozen):
    """Who shall be in the picture.

    Attributes:
        image: bytes of the picture of the character.
        mask: bytes of a mask of it, white = belongs to the character; None = face and hair.
        name: of a saved character, without the ``@``; "" for a plain picture.
    """

    image: Annotated[bytes, Field(repr=False, min_length=1)]
    mask: Annotated[bytes | None, Field(repr=False, min_length=1)] = None
    name: str = ""

    @classmethod
    def make(cls, image: bytes, mask: bytes | None = None, name: str = "") -> CharacterReference:
        """A checked reference.

        Raises:
            InvalidRequestError: an empty file.
        """
        try:
            return cls(image=image, mask=mask, name=name)
        except ValidationError as error:
            raise refused(error) from None


class Request(_Frozen):
    """What a picture is made from. The same request gives the same bytes on the same installation, and the same
    pixels on the same version and machine kind.

    Attributes:
        operation: what shall be done.
        prompt: 1 to 10000 characters; may be empty where the operation needs no words.
        characters: who shall be in it, none to four.
        negative_prompt: what shall not be in the picture.
        image: bytes of the picture that is edited, remixed, reframed, ...
        edit_mask: bytes of a mask of `image`: what may change.
        mask_mode: which side of `edit_mask` is repainted.
        background: bytes of a picture to put behind the people.
        strength: of a remix: 0 keeps palette, framing and light of `image`, 1 is `image` with the character in it.
        factor: of an enlargement, 2 or 4.
        size: (width, height) in pixels, one of `sizes.ALLOWED`; None = as `image` is.
        speed: how much work is done.
        num_images: 1 to 8; picture i has seed + i.
        seed: 0 to 2147483647; None takes one from the request's own content, so that the same request always
            gives the same pictures.
        style_type: of a new picture: "realistic" and "general" = a photograph, "fiction" and "design" = drawn, "auto" =
            as the prompt says; what cannot be a convincing photograph, such as a whole body, is drawn then.
        style_preset: one of the 62 names of `portrayal.styles.catalogue.STYLE_PRESETS`; "" = none.
        style_codes: of eight hex digits; the first is portrayed. Neither with style_references nor with a style_type.
        style_references: bytes of pictures, at most ten, whose colours and brushwork the picture takes.
        palette: a name of `PALETTES`, or 1 to 8 colours "#RRGGBB" or "#RRGGBB:weight" (0.05 to 1).
        magic_prompt: whether words may be added to the prompt: "on", "auto" = when it leaves much open, or "off".
        engine: what makes the pixels.
        output_format: of the files.
    """

    operation: Operation = "generate"
    prompt: Annotated[str, Field(max_length=MAX_PROMPT)] = ""
    characters: Annotated[tuple[CharacterReference, ...], Field(max_length=MAX_CAST)] = ()
    negative_prompt: Annotated[str, Field(max_length=MAX_PROMPT)] = ""
    image: Annotated[bytes | None, Field(repr=False, min_length=1)] = None
    edit_mask: Annotated[bytes | None, Field(repr=False, min_length=1)] = None
    mask_mode: MaskMode = "white"
    background: Annotated[bytes | None, Field(repr=False, min_length=1)] = None
    strength: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    factor: Literal[2, 4] = 2
    size: Size | None = None
    speed: Speed = "balanced"
    num_images: Annotated[int, Field(ge=1, le=8)] = 1
    seed: Annotated[int | None, Field(ge=0, le=MAX_SEED)] = None
    style_type: StyleType = "auto"
    style_preset: Annotated[str, Field(max_length=40)] = ""
    style_codes: Annotated[tuple[str, ...], Field(max_length=MAX_STYLES)] = ()
    style_references: Annotated[
        tuple[Annotated[bytes, Field(min_length=1)], ...], Field(repr=False, max_length=MAX_STYLES)
    ] = ()
    palette: Annotated[tuple[str, ...], Field(max_length=MAX_COLOURS)] = ()
    magic_prompt: MagicPrompt = "off"
    engine: EngineName = "auto"
    output_format: OutputFormat = "png"

    @classmethod
    def make(cls, *, reference: bytes | None = None, mask: bytes | None = None, **values: Any) -> Request:
        """A checked request.

        Args:
            reference, mask: a single character, instead of `characters`.
            values: the attributes.

        Raises:
            InvalidRequestError: names the first wrong field and its remedy.
        """
        try:
            if reference is not None:
                values["characters"] = (CharacterReference.make(reference, mask),)
            if values.get("operation", "generate") == "generate" and values.get("size") is None:
                values["size"] = (1024, 1024)
            request = cls(**values)
        except ValidationError as error:
            raise refused(error) from None
        request.check()
        return request

    def check(self) -> None:
        """Check the fields against the operation.

        Raises:
            InvalidRequestError: a field is missing, or given where the operation has no use for it.
        """
        needed, allowed = _FIELDS[self.operation]
        for field in _CHECKED:
            given = self._given(field)
            if field in needed and not given:
                raise InvalidRequestError(
                    f"is empty; {self.operation} needs it", field=field, remedy=_REMEDIES.get(field, "")
                )
            if given and field not in needed | allowed:
                raise InvalidRequestError(
                    f"{self.operation} has no use for it", field=field, remedy="Leave it out, or use another operation."
                )
        for other in ("style_references", "style_type"):
            if self._given("style_codes") and self._given(other):
                raise InvalidRequestError(
                    f"a style code is a whole style; it goes without {other}",
                    field="style_codes",
                    remedy="Give one of the two.",
                )
        if self._given("mask_mode") and not self._given("edit_mask"):
            raise InvalidRequestError(
                "there is no mask that it could be the mode of", field="mask_mode", remedy="Give a mask too."
            )
        if self.operation == "remove-background" and self.output_format == "jpeg":
            raise InvalidRequestError(
                "a JPEG file holds no transparency", field="output_format", remedy="Save as PNG or WebP."
            )
        if self.operation == "replace-background" and not (self._given("prompt") or self._given("background")):
            raise InvalidRequestError(
                "neither a prompt nor a background picture is given",
                field="prompt",
                remedy="Say what shall be behind the person, or give a picture of it.",
            )
        if self.operation == "edit" and not any(map(self._given, ("prompt", "reference", "edit_mask"))):
            raise InvalidRequestError(
                "nothing says what shall change",
                field="prompt",
                remedy="Give a reference, a mask, or words.",
            )
        if self.operation in ("edit", "remix") and len(self.characters) > 1:
            raise InvalidRequestError(
                f"{self.operation} puts in one character at a time",
                field="reference",
                remedy="Edit the result once more for the next one.",
            )

    def _given(self, field: str) -> bool:
        if field == "reference":
            return bool(self.characters)
        if field in ("prompt", "negative_prompt"):
            return bool(getattr(self, field).strip())
        if field in ("mask_mode", "strength", "factor", "style_type", *_STYLE):
            return bool(getattr(self, field) != type(self).model_fields[field].default)
        return getattr(self, field) is not None

    def described(self) -> dict[str, Any]:
        """The request as plain values, with digests in the place of pictures (for files and logs)."""
        values = self.model_dump(exclude={"characters", "image", "edit_mask", "background", "style_references"})
        needed, allowed = _FIELDS[self.operation]
        for field in ("prompt", "negative_prompt", "size", "mask_mode", "strength", "factor", "style_type", *_STYLE):
            if field not in needed | allowed:
                values.pop(field, None)
        if "size" in values:
            values["size"] = None if self.size is None else f"{self.size[0]}x{self.size[1]}"
        for key in ("image", "edit_mask", "background"):
            data = getattr(self, key)
            if data is not None:
                values[f"{key}_sha256"] = _sha256(data)
        if self.style_references:
            values["style_references_sha256"] = [_sha256(data) for data in self.style_references]
        if len(self.characters) == 1:
            values.update(_described(self.characters[0]))
        elif self.characters:
            values["characters"] = [_described(character) for character in self.characters]
        return values

    def seeds(self) -> tuple[int, ...]:
        """The seed of each picture."""
        first = self.seed
        if first is None:
            described = self.described()
            for key in (*_NOT_IN_THE_SEED, "style_references_sha256"):
                described.pop(key, None)
            text = json.dumps(described, sort_keys=True)
            first = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % MAX_SEED
        return tuple((first + i) % (MAX_SEED + 1) for i in range(self.num_images))


def _described(character: CharacterReference) -> dict[str, str]:
    values = {"reference_sha256": _sha256(character.image)}
    if character.mask is not None:
        values["mask_sha256"] = _sha256(character.mask)
    if character.name:
        values["name"] = character.name
    return values


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refused(error: ValidationError) -> InvalidRequestError:
    """Our own error for the first thing that pydantic does not like."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    if error.title == "CharacterReference":
        field = "reference" if field == "image" else field
    message = _MESSAGES.get(first["type"], first["msg"].lower()).format(**first.get("ctx", {}))
    return InvalidRequestError(message, field=field, remedy=_REMEDIES.get(field, ""))
