"""The parameters of the Images API, and ours beside them, as values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from portrayal.api.bodies import Upload
from portrayal.api.dialects import common
from portrayal.api.dialects.openai_images.errors import ParameterError
from portrayal.errors import InvalidRequestError
from portrayal.request import MaskMode, OutputFormat, Speed

Operation = Literal["", "generate", "edit", "remix"]
"""What was asked for; "" = as the pictures say."""

SPEEDS: Final[dict[str, Speed]] = {
    "auto": "balanced",
    "low": "turbo",
    "medium": "balanced",
    "standard": "balanced",
    "high": "quality",
    "hd": "quality",
    "xhigh": "quality",
    "max": "quality",
}
QUALITIES: Final[dict[Speed, str]] = {"turbo": "low", "balanced": "medium", "quality": "high"}
"""How the answer names what was done."""
_FORMATS: Final[dict[str, OutputFormat]] = {name: name for name in get_args(OutputFormat)} | {"jpg": "jpeg"}
_RESPONSES: Final = {"b64_json": "b64_json", "url": "url"}
_BACKGROUNDS: Final = {"auto": "opaque", "opaque": "opaque", "transparent": "transparent"}
_OPERATIONS: Final[dict[str, Operation]] = {name: name for name in get_args(Operation) if name}
_STYLE_TYPES: Final = {name: name for name in ("auto", "general", "realistic", "design", "fiction")}
_MODES: Final[dict[str, MaskMode]] = {name: name for name in get_args(MaskMode)}
_POLARITIES: Final[dict[str, Literal["white", "black"]]] = {"white": "white", "black": "black"}
_SIZE: Final = re.compile(r"[1-9]\d{1,4}[x×][1-9]\d{1,4}")

PICTURES: Final = ("image", "mask", "character_reference_image", "reference_image_urls", "character_mask")
_HOST: Final = frozenset(
    {
        "prompt",
        "model",
        "n",
        "size",
        "quality",
        "response_format",
        "output_format",
        "output_compression",
        "background",
        "moderation",
        "style",
        "user",
        "safety_identifier",
        "stream",
        "partial_images",
        "complexity",
        "input_fidelity",
    }
)
_OURS: Final = frozenset(
    {
        "operation",
        "strength",
        "seed",
        "negative_prompt",
        "style_type",
        "style_preset",
        "magic_prompt",
        "mask_mode",
        "character_mask_mode",
    }
)
_UNSUPPORTED: Final = ("markup", "svg", "frame_count", "frame_duration_ms")
_MOST: Final = 8


@dataclass(frozen=True)
class Values:
    """All parameters but the pictures.

    Attributes:
        order: those that an order has.
        size: WIDTHxHEIGHT as it was asked for; "" = automatic.
        inline: pictures inside of the answer, not their addresses.
        stream: as events, as they are finished.
        notes: what is not heeded, one sentence each.
    """

    order: dict[str, Any]
    operation: Operation
    size: str
    strength: float | None
    mask_mode: MaskMode
    character_mask_mode: Literal["white", "black"]
    inline: bool
    stream: bool
    safety_identifier: str
    notes: tuple[str, ...]


def read(given: Mapping[str, Any]) -> Values:
    """Read the parameters of a call.

    Raises:
        InvalidRequestError: the first one that is wrong, unknown or not to be had.
    """
    known(given)
    get = given.get
    output = _format(get("output_format"))
    strength = get("strength")
    order = {
        "prompt": common.text(get("prompt"), "prompt", needed=True),
        "negative_prompt": common.text(get("negative_prompt"), "negative_prompt"),
        "num_images": _count(get("n")),
        "seed": common.seed(get("seed")),
        "speed": common.choice(get("quality"), SPEEDS, "quality", "balanced"),
        "output_format": output,
        "style_type": common.choice(get("style_type"), _STYLE_TYPES, "style_type", "auto"),
        "style_preset": common.style_preset(get("style_preset")),
        "magic_prompt": common.choice(get("magic_prompt"), common.MAGIC, "magic_prompt", "auto"),
    }
    stream = common.truth(get("stream"), "stream", False)
    return Values(
        order=order,
        operation=common.choice(get("operation"), _OPERATIONS, "operation", ""),
        size=_size(get("size")),
        strength=common.number(strength, "strength", 0.0, 1.0, 0.5) if common.given(strength) else None,
        mask_mode=common.choice(get("mask_mode"), _MODES, "mask_mode", "alpha"),
        character_mask_mode=common.choice(get("character_mask_mode"), _POLARITIES, "character_mask_mode", "white"),
        inline=common.choice(get("response_format"), _RESPONSES, "response_format", "b64_json") == "b64_json",
        stream=stream,
        safety_identifier=_words(get, "safety_identifier", 512) or _words(get, "user", 512),
        notes=_notes(given, output, stream),
    )


def _words(get: Any, name: str, most: int) -> str:
    return common.text(get(name), name, most=most)


def known(names: Iterable[str]) -> None:
    """Refuse parameters that mean nothing here, so that a slip of the pen is noticed, as OpenAI does.

    Raises:
        ParameterError: names the first one.
    """
    for name in names:
        if name.partition("[")[0] in _UNSUPPORTED:
            raise ParameterError(
                "is not supported here", field=name[:60], code="unsupported_parameter", remedy="Leave it out."
            )
        if name not in _HOST and name not in _OURS and name not in PICTURES:
            shown = "".join(c if c.isprintable() else "?" for c in name[:60])
            raise ParameterError(
                "is no parameter", field=shown, code="unknown_parameter", remedy="Leave it out, or check its spelling."
            )


def _count(value: Any) -> int:
    try:
        return common.integer(value, "n", 1, _MOST, 1)
    except InvalidRequestError as error:
        error.remedy = f"Give a whole number from 1 to {_MOST}; this server makes no more than {_MOST} at once."
        raise


def _format(value: Any) -> OutputFormat:
    if isinstance(value, str) and value.strip().lower() in ("gif", "svg"):
        raise ParameterError(
            f"{value.strip().lower()} is not supported here",
            field="output_format",
            code="unsupported_value",
            remedy="Use png, jpeg or webp.",
        )
    return common.choice(value, _FORMATS, "output_format", "png", get_args(OutputFormat))


def _size(value: Any) -> str:
    """WIDTHxHEIGHT, or "" for automatic."""
    text = "".join(value.split()).lower() if isinstance(value, str) else value
    if not common.given(text) or text == "auto":
        return ""
    if not isinstance(text, str) or not _SIZE.fullmatch(text):
        raise InvalidRequestError("is no size", field="size", remedy="Use WIDTHxHEIGHT such as 1024x1024, or auto.")
    return text.replace("×", "x")


def _notes(given: Mapping[str, Any], output: OutputFormat, stream: bool) -> tuple[str, ...]:
    """Check what cannot be heeded, and say so."""
    get, notes = given.get, []
    _words(get, "model", 200)
    if common.choice(get("background"), _BACKGROUNDS, "background", "opaque") == "transparent":
        raise ParameterError(
            "transparent is not supported here",
            field="background",
            code="unsupported_value",
            remedy="Use opaque or auto; `portrayal remove-background` cuts a person out afterwards.",
        )
    compression = common.integer(get("output_compression"), "output_compression", 0, 100, 100)
    if compression != 100:
        what = "PNG files have none" if output == "png" else "files are saved at their usual quality"
        notes.append(f"output_compression: not applied; {what}")
    if common.choice(get("moderation"), {"auto": "auto", "low": "low"}, "moderation", "auto") == "low":
        notes.append("moderation: the rules of this installation apply, whatever a call asks for")
    if style := common.choice(get("style"), {"vivid": "vivid", "natural": "natural"}, "style", ""):
        notes.append(f"style: {style} is not portrayed; see style_type")
    if complexity := common.choice(get("complexity"), {n: n for n in ("low", "medium", "high")}, "complexity", ""):
        notes.append(f"complexity: {complexity} is not applied; see quality")
    if common.choice(get("input_fidelity"), {"low": "low", "high": "high"}, "input_fidelity", "high") == "low":
        notes.append("input_fidelity: a person's features are always kept")
    if common.integer(get("partial_images"), "partial_images", 0, 3, 0) and stream:
        notes.append("partial_images: pictures are sent when they are finished, none before")
    return tuple(notes)


def references(given: Mapping[str, Any]) -> list[str | Upload]:
    """The characters' pictures that are given by name: addresses, data URIs or files.

    Raises:
        InvalidRequestError: something else.
    """
    return [
        picture for name in ("character_reference_image", "reference_image_urls") for picture in pictures(given, name)
    ]


def pictures(given: Mapping[str, Any], name: str) -> list[str | Upload]:
    """The pictures of a parameter: addresses, data URIs or files.

    Raises:
        InvalidRequestError: something else.
    """
    found = common.listed(given.get(name), name)
    for picture in found:
        if not isinstance(picture, str | Upload):
            raise InvalidRequestError("is no picture", field=name, remedy="Give a URL, a data URI or a file.")
    return found
