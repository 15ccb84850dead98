"""Picture sizes: 15 aspect ratios and 69 resolutions of the Ideogram 3.0 family, and the usual preset names.

Source: the public OpenAPI description of Ideogram (`ResolutionV3`, `AspectRatioV3`); the preset names are those
that other hosts of the model use (`square_hd`, `portrait_4_3`, ...).
"""

from __future__ import annotations

import re
from math import log
from typing import Final

from portrayal.errors import InvalidRequestError

Size = tuple[int, int]

RATIOS: Final[dict[str, Size]] = {
    "1x3": (512, 1536),
    "1x2": (704, 1408),
    "9x16": (736, 1312),
    "10x16": (800, 1280),
    "2x3": (832, 1248),
    "3x4": (864, 1152),
    "4x5": (896, 1120),
    "1x1": (1024, 1024),
    "5x4": (1120, 896),
    "4x3": (1152, 864),
    "3x2": (1248, 832),
    "16x10": (1280, 800),
    "16x9": (1312, 736),
    "2x1": (1408, 704),
    "3x1": (1536, 512),
}
"""Aspect ratio -> (width, height)."""

_RESOLUTIONS = """
512x1536 576x1408 576x1472 576x1536 640x1344 640x1408 640x1472 640x1536 704x1152 704x1216 704x1280 704x1344
704x1408 704x1472 736x1312 768x1088 768x1216 768x1280 768x1344 800x1280 832x960 832x1024 832x1088 832x1152
832x1216 832x1248 864x1152 896x960 896x1024 896x1088 896x1120 896x1152 960x832 960x896 960x1024 960x1088
1024x832 1024x896 1024x960 1024x1024 1088x768 1088x832 1088x896 1088x960 1120x896 1152x704 1152x832 1152x864
1152x896 1216x704 1216x768 1216x832 1248x832 1280x704 1280x768 1280x800 1312x736 1344x640 1344x704 1344x768
1408x576 1408x640 1408x704 1472x576 1472x640 1472x704 1536x512 1536x576 1536x640
"""


def _pair(text: str) -> Size:
    width, height = text.split("x")
    return int(width), int(height)


RESOLUTIONS: Final[tuple[Size, ...]] = tuple(_pair(r) for r in _RESOLUTIONS.split())
"""All 69 (width, height) pairs."""

PRESETS: Final[dict[str, Size]] = {
    "square_hd": RATIOS["1x1"],
    "square": (512, 512),
    "portrait_4_3": RATIOS["3x4"],
    "portrait_16_9": RATIOS["9x16"],
    "landscape_4_3": RATIOS["4x3"],
    "landscape_16_9": RATIOS["16x9"],
}
"""`image_size` presets -> (width, height)."""

ALLOWED: Final[frozenset[Size]] = frozenset(RESOLUTIONS) | frozenset(PRESETS.values())


def nearest(width: float, height: float) -> Size:
    """The allowed resolution nearest in shape first (log ratio), then in area."""

    def distance(size: Size) -> float:
        shape = abs(log(size[0] / size[1]) - log(width / height))
        area = abs(log(size[0] * size[1]) - log(width * height))
        return 20 * shape + area

    return min(RESOLUTIONS, key=distance)


def parse_size(text: str) -> Size:
    """Read ``"1024x1024"``, or a preset name such as ``"square_hd"``.

    Raises:
        InvalidRequestError: when it is neither; the message names the nearest allowed size.
    """
    name = text.strip().lower().replace("-", "_")
    if name in PRESETS:
        return PRESETS[name]
    match = re.fullmatch(r"(\d{1,6})\s*[x×*]\s*(\d{1,6})", name)
    if not match:
        raise InvalidRequestError(
            f"{text[:40]!r} is not a size",
            field="size",
            remedy="Write WIDTHxHEIGHT, for example 1024x1024, or a preset: " + ", ".join(PRESETS),
        )
    return check_size(int(match[1]), int(match[2]))


def check_size(width: int, height: int) -> Size:
    """Return (width, height) when it is allowed.

    Raises:
        InvalidRequestError: otherwise, naming the nearest allowed size.
    """
    if (width, height) in ALLOWED:
        return width, height
    near = nearest(max(width, 1), max(height, 1))
    raise InvalidRequestError(
        f"{width}x{height} is not one of the {len(ALLOWED)} sizes",
        field="size",
        remedy=f"The nearest one is {near[0]}x{near[1]}; docs/sizes.md lists all.",
    )


def parse_ratio(text: str) -> Size:
    """Read ``"16:9"``, ``"16x9"`` or ``"16/9"``; return (width, height) in pixels.

    Raises:
        InvalidRequestError: when it is not one of the 15 ratios.
    """
    name = re.sub(r"\s*[:/×]\s*", "x", text.strip().lower())
    if name in RATIOS:
        return RATIOS[name]
    shown = ", ".join(r.replace("x", ":") for r in RATIOS)
    raise InvalidRequestError(
        f"{text[:40]!r} is not an aspect ratio", field="aspect_ratio", remedy=f"Use one of {shown}."
    )
