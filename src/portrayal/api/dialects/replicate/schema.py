"""What the model is: its name, its versions, and the schema of its input and output as Cog describes it."""

from __future__ import annotations

from typing import Any, Final

from portrayal.sizes import RATIOS, RESOLUTIONS

OWNER: Final = "ideogram-ai"
NAME: Final = "ideogram-character"
MODEL: Final = f"{OWNER}/{NAME}"
LATEST: Final = "1f8e198263a0d8171b76c55907c294e933e1e7d55e2d0c54f319c0e4a42c723d"
VERSIONS: Final[dict[str, tuple[str, ...]]] = {
    LATEST: (),
    "cdb13abfe9d84f3d15ed64ef19f6c63d9f870e8d73431835f0b9e676d0e77dee": ("rendering_speed",),
    "b4f67adbc529aacc43c4a073c48af06acb99bf205f4921378e865375afc5302b": ("image", "mask"),
}
"""Version, the newest first -> the fields that it had not yet. All of them run; none refuses a field."""
CREATED: Final = "2025-07-29T00:00:00.000Z"
COG: Final = "0.15.8"

RATIO_NAMES: Final = tuple(name.replace("x", ":") for name in RATIOS)
RESOLUTION_NAMES: Final = ("None", *(f"{width}x{height}" for width, height in RESOLUTIONS))
STYLES: Final = ("Auto", "Fiction", "Realistic")
SPEED_NAMES: Final = ("Default", "Turbo", "Quality")
MAGIC_NAMES: Final = ("Auto", "On", "Off")

_PROPERTIES: Final[dict[str, dict[str, Any]]] = {
    "prompt": {"type": "string", "description": "What the picture shall show"},
    "character_reference_image": {
        "type": "string",
        "format": "uri",
        "description": "The picture of the character that shall be in it",
    },
    "aspect_ratio": {
        "enum": list(RATIO_NAMES),
        "default": "1:1",
        "description": "Shape of the picture; not looked at when a resolution or an image is given",
    },
    "resolution": {
        "enum": list(RESOLUTION_NAMES),
        "default": "None",
        "description": "Size of the picture in pixels; wins over the aspect ratio, not looked at with an image",
    },
    "image": {
        "type": "string",
        "format": "uri",
        "nullable": True,
        "description": "A picture to put the character into; needs a mask",
    },
    "mask": {
        "type": "string",
        "format": "uri",
        "nullable": True,
        "description": "Black is painted anew, white stays; resized to the image",
    },
    "magic_prompt_option": {
        "enum": list(MAGIC_NAMES),
        "default": "Auto",
        "description": "Whether the prompt may be rewritten",
    },
    "rendering_speed": {"enum": list(SPEED_NAMES), "default": "Default", "description": "Speed against quality"},
    "style_type": {"enum": list(STYLES), "default": "Auto", "description": "Style of the picture"},
    "seed": {
        "type": "integer",
        "nullable": True,
        "maximum": 2147483647,
        "description": "The same seed with the same input gives the same picture",
    },
}
EXTENSIONS: Final = ("num_outputs", "mask_mode")
NAMES: Final = frozenset((*_PROPERTIES, *EXTENSIONS))
"""The fields of the input that mean something here."""


def openapi_schema(version: str) -> dict[str, Any]:
    """The OpenAPI description of a version, as Cog generates it."""
    properties, enums = {}, {}
    kept = [name for name in _PROPERTIES if name not in VERSIONS[version]]
    for order, name in enumerate(kept):
        given = dict(_PROPERTIES[name])
        if "enum" in given:
            description, default = given["description"], given["default"]
            enums[name] = {"type": "string", "title": name, "enum": given["enum"], "description": "An enumeration."}
            given = {
                "allOf": [{"$ref": f"#/components/schemas/{name}"}],
                "default": default,
                "description": description,
            }
        else:
            given["title"] = name.replace("_", " ").title()
        properties[name] = {**given, "x-order": order}
    schemas: dict[str, Any] = {
        "Input": {
            "type": "object",
            "title": "Input",
            "required": ["prompt", "character_reference_image"],
            "properties": properties,
        },
        "Output": {"type": "string", "title": "Output", "format": "uri"},
        **enums,
    }
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {},
        "components": {"schemas": schemas},
    }


def version_named(text: str) -> str | None:
    """The version that a caller names: an id, `owner/name` or `owner/name:id`; None when there is none such."""
    name, _, version = text.strip().rpartition(":")
    if text.strip() == MODEL:
        return LATEST
    return version if version in VERSIONS and name in ("", MODEL) else None
