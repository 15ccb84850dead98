"""What callers of the native API send to have pictures made."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field

from portrayal.request import (
    MAX_CAST,
    MAX_PROMPT,
    MAX_SEED,
    MAX_STYLES,
    EngineName,
    MagicPrompt,
    MaskMode,
    Operation,
    OutputFormat,
    Speed,
)

MAX_WAIT: Final = 600.0


def _clean(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Text = Annotated[str, AfterValidator(_clean)]
Prompt = Annotated[Text, Field(max_length=MAX_PROMPT, examples=["reading in a cafe, soft window light"])]
Given = Annotated[
    Text,
    Field(
        min_length=1,
        description="A picture: the id of an uploaded file or of a result, an address that an answer gave, an "
        "http(s) address, or a data URI.",
        examples=["01jd8w6k2v0z5q3t7y9c4b1m8n", "https://example.org/portrait.jpg"],
    ),
]
GivenOrName = Annotated[
    Text,
    Field(
        min_length=1,
        description="A picture (file id, address, data URI), or `@name` of a saved character.",
        examples=["@ada"],
    ),
]
SizeName = Annotated[
    Text | None,
    Field(
        description="WIDTHxHEIGHT of one of the 69 resolutions, or a preset's name; see /api/v1/sizes.",
        examples=["1024x1024", "square_hd"],
    ),
]
Ratio = Annotated[Text | None, Field(description="One of the 15 ratios, instead of `size`.", examples=["16:9"])]
Strength = Annotated[
    float,
    Field(ge=0, le=1, allow_inf_nan=False, description="0 = only colours, framing and light; 1 = the very picture."),
]

Wait = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_WAIT,
        allow_inf_nan=False,
        description="Answer when the portrayal is final, or after so many seconds; also `Prefer: wait=N`.",
    ),
]
Priority = Literal["low", "normal", "high"]


class In(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(extra="forbid")


class WhoIn(In):
    """One character: a picture, or the name of a saved one; a mask says what belongs to it (default: face and hair)."""

    image: Annotated[Given | None, Field(description="A picture of the character. Only of people who agreed.")] = None
    name: Annotated[Text | None, Field(max_length=41, description="Of a saved character, instead of `image`.")] = None
    mask: Given | None = None


class WebhookIn(In):
    """Who is told when the portrayal changes."""

    url: Annotated[AnyHttpUrl, Field(description="http(s); no private addresses unless the operator allows them.")]
    events: Annotated[
        tuple[Literal["processing", "picture", "succeeded", "failed", "canceled"], ...],
        Field(description="Which events; empty: the three final states."),
    ] = ()


class _Made(In):
    """What every operation may have."""

    num_images: Annotated[int, Field(ge=1, le=8)] = 1
    seed: Annotated[
        int | None, Field(ge=0, le=MAX_SEED, description="Picture i has seed + i; without it: from the request itself.")
    ] = None
    speed: Speed = "balanced"
    engine: EngineName = "auto"
    output_format: OutputFormat = "png"
    wait: Wait = 0.0
    priority: Priority = "normal"
    webhook: WebhookIn | None = None


class _Styled(_Made):
    """Style. What is not portrayed is listed in `warnings`."""

    magic_prompt: Annotated[MagicPrompt, Field(description="Whether words may be added to the prompt.")] = "off"
    style_type: Literal["auto", "general", "realistic", "design", "fiction"] = "auto"
    style_preset: Annotated[Text, Field(max_length=40, description="One of /api/v1/styles; empty: none.")] = ""
    style_codes: Annotated[
        tuple[Annotated[str, Field(pattern="^[0-9a-fA-F]{8}$")], ...],
        Field(max_length=MAX_STYLES, description="8 hexadecimal digits each; not together with style_references."),
    ] = ()
    style_references: Annotated[tuple[Given, ...], Field(max_length=MAX_STYLES)] = ()
    palette: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6}(:(1|1\.0|0?\.\d{1,4}))?|[A-Za-z]{3,20})$")], ...],
        Field(max_length=8, description='"#RRGGBB" or "#RRGGBB:weight" colours; or one name of /api/v1/styles.'),
    ] = ()


class _Cast(_Styled):
    characters: Annotated[tuple[WhoIn, ...], Field(max_length=MAX_CAST)] = ()
    reference: Annotated[GivenOrName | None, Field(description="Short form for one character.")] = None
    reference_mask: Annotated[Given | None, Field(description="Mask of `reference`.")] = None
    character_mask_mode: Annotated[
        Literal["white", "black"], Field(description="The colour, in masks of characters, of what belongs to them.")
    ] = "white"
    negative_prompt: Annotated[Prompt, Field(description="What shall not be in the picture.")] = ""


class GenerateIn(_Cast):
    """New pictures of one to four characters. `@name` in the prompt adds a saved one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prompt": "@ada on a beach at sunset", "aspect_ratio": "16:9", "wait": 30}]}
    )
    prompt: Annotated[Prompt, Field(min_length=1)]
    size: SizeName = None
    aspect_ratio: Ratio = None


class EditIn(_Cast):
    """Magic Fill: put the character under the mask of a picture, or fill or change what is there."""

    image: Given
    prompt: Prompt = ""
    mask: Annotated[Given | None, Field(description="What may change; without it the person is found.")] = None
    mask_mode: Annotated[
        MaskMode,
        Field(description="What is repainted: white, black, or alpha = transparent (in `image` without mask)."),
    ] = "white"


class RemixIn(_Cast):
    """A new picture of the character after an inspiration."""

    image: Given
    prompt: Prompt = ""
    strength: Strength = 0.5
    size: SizeName = None
    aspect_ratio: Ratio = None


class ReframeIn(_Styled):
    """The picture in another size or ratio; what is missing is painted on."""

    image: Given
    size: SizeName = None
    aspect_ratio: Ratio = None


class ReplaceBackgroundIn(_Styled):
    """The same people somewhere else: give a prompt, or a picture of the place."""

    image: Given
    prompt: Prompt = ""
    negative_prompt: Prompt = ""
    background: Given | None = None
    mask: Annotated[Given | None, Field(description="What stays; without it everybody in the picture.")] = None
    mask_mode: Annotated[MaskMode, Field(description="What stays: white, black, or alpha = opaque.")] = "white"


class RemoveBackgroundIn(_Made):
    """The people of a picture, or its subject, alone: PNG or WebP with transparency."""

    image: Given
    mask: Annotated[Given | None, Field(description="What stays; without it everybody in the picture.")] = None
    mask_mode: Annotated[MaskMode, Field(description="What stays: white, black, or alpha = opaque.")] = "white"


class UpscaleIn(_Made):
    """A picture enlarged; edges and faces stay crisp, nothing is invented."""

    image: Given
    factor: Literal[2, 4] = 2


class AgainIn(In):
    """How an order is made once more."""

    seed: Annotated[int | None, Field(ge=0, le=MAX_SEED, description="Without it: another one.")] = None
    num_images: Annotated[int | None, Field(ge=1, le=8, description="Without it: as before.")] = None
    wait: Wait = 0.0
    priority: Priority = "normal"
    webhook: WebhookIn | None = None


Body = GenerateIn | EditIn | RemixIn | ReframeIn | ReplaceBackgroundIn | RemoveBackgroundIn | UpscaleIn

OPERATIONS: Final[dict[type[BaseModel], Operation]] = {
    GenerateIn: "generate",
    EditIn: "edit",
    RemixIn: "remix",
    ReframeIn: "reframe",
    ReplaceBackgroundIn: "replace-background",
    RemoveBackgroundIn: "remove-background",
    UpscaleIn: "upscale",
}
PRIORITIES: Final = {"high": 0, "normal": 1, "low": 2}


def plain(body: BaseModel, *names: str) -> dict[str, Any]:
    """Those of these fields that a body has."""
    return {name: getattr(body, name) for name in names if name in type(body).model_fields}
