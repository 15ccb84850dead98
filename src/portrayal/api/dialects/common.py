"""Reading of values as hosts' callers write them: spellings, sizes, numbers in strings, palettes.

Every reader names the host's own field in its error. Case, hyphens, blanks and underscores of enumerations do not
matter; `16:9`, `16x9` and `ASPECT_16_9` are one ratio.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from portrayal.errors import InvalidRequestError
from portrayal.request import MAX_PROMPT, MAX_SEED, Speed
from portrayal.sizes import PRESETS, RATIOS, RESOLUTIONS, Size, nearest
from portrayal.styles.catalogue import PALETTES, STYLE_PRESETS

T = TypeVar("T")

SPEEDS: Final[dict[str, Speed]] = {
    "turbo": "turbo",
    "default": "balanced",
    "balanced": "balanced",
    "quality": "quality",
}
MAGIC: Final = {"auto": "auto", "on": "on", "off": "off"}
_NOTHING: Final = ("", "null", "none", "undefined")
_LONGEST_NOTHING: Final = 256  # with blanks around; a data URI of many MB is not copied to be compared


def given(value: Any) -> bool:
    """Whether a value is there; `null`, "", "null" and "None" are not (forms send them as words)."""
    if not isinstance(value, str):
        return value is not None
    return len(value) > _LONGEST_NOTHING or value.strip().lower() not in _NOTHING


def _key(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip().lower())


def choice(value: Any, table: Mapping[str, T], field: str, default: T, shown: Sequence[str] = ()) -> T:
    """The meaning of an enumeration's value.

    Args:
        table: lower-case spelling -> meaning.
        shown: the host's own spellings, for the error; the table's when empty.

    Raises:
        InvalidRequestError: it is none of them.
    """
    if not given(value):
        return default
    if "on" in table and str(value).strip().lower() in ("true", "false"):  # a YAML tool reads ON and OFF so
        value = "on" if str(value).strip().lower() == "true" else "off"
    if isinstance(value, str) and _key(value) in table:
        return table[_key(value)]
    names = ", ".join(shown or table)
    raise InvalidRequestError(f"{_short(value)} is not one of {names}", field=field, remedy=f"Use one of {names}.")


def integer(value: Any, field: str, least: int, most: int, default: T) -> int | T:
    """A whole number, also as text.

    Raises:
        InvalidRequestError: no whole number, or out of range.
    """
    if not given(value):
        return default
    remedy = f"Give a whole number from {least} to {most}."
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequestError(f"{_short(value)} is no whole number", field=field, remedy=remedy)
    if not least <= value <= most:
        raise InvalidRequestError(f"{value} is not within {least} to {most}", field=field, remedy=remedy)
    return value


def seed(value: Any, field: str = "seed") -> int | None:
    """A seed, 0 to 2147483647; None when there is none."""
    return integer(value, field, 0, MAX_SEED, None)


def number(value: Any, field: str, least: float, most: float, default: float) -> float:
    """A finite number, also as text.

    Raises:
        InvalidRequestError: no number, or out of range.
    """
    if not given(value):
        return default
    remedy = f"Give a number from {least:g} to {most:g}."
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise InvalidRequestError(f"{_short(value)} is no number", field=field, remedy=remedy)
    if not least <= found <= most:
        raise InvalidRequestError(f"{found:g} is not within {least:g} to {most:g}", field=field, remedy=remedy)
    return found


def truth(value: Any, field: str, default: bool) -> bool:
    """A truth value, also as text or 0 and 1.

    Raises:
        InvalidRequestError: it is none.
    """
    if not given(value):
        return default
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise InvalidRequestError(f"{_short(value)} is neither true nor false", field=field, remedy="Give true or false.")


def text(value: Any, field: str, *, most: int = MAX_PROMPT, needed: bool = False) -> str:
    """A text.

    Raises:
        InvalidRequestError: no text, too long, holds what is no Unicode text, or is empty although it is needed.
    """
    if value is None or value == "":
        value = ""
    if not isinstance(value, str):
        raise InvalidRequestError("is no text", field=field, remedy="Give a string.")
    if len(value) > most:
        raise InvalidRequestError(
            f"is longer than {most} characters", field=field, remedy=f"Give at most {most} characters."
        )
    if any("\ud800" <= c <= "\udfff" for c in value) or "\x00" in value or "\ufffd" in value:
        raise InvalidRequestError("holds bytes that are no text", field=field, remedy="Send UTF-8.")
    if needed and not value.strip():
        raise InvalidRequestError("is required", field=field, remedy="Say what the picture shall show.")
    return value


def listed(value: Any, field: str) -> list[Any]:
    """A list; one thing alone is a list of one, nothing is an empty one."""
    if not given(value):
        return []
    if isinstance(value, list | tuple):
        return [item for item in value if given(item)]
    return [value]


def ratio(value: Any, field: str) -> Size | None:
    """The size of an aspect ratio; None when there is none.

    Raises:
        InvalidRequestError: it is not one of the 15.
    """
    if not given(value):
        return None
    name = re.sub(r"\s*[:/×_]\s*", "x", str(value).strip().lower()).removeprefix("aspectx")
    if name in RATIOS:
        return RATIOS[name]
    names = ", ".join(RATIOS)
    raise InvalidRequestError(f"{_short(value)} is not one of the ratios", field=field, remedy=f"Use one of {names}.")


def resolution(value: Any, field: str, *, snap: bool = False) -> Size | None:
    """One of the 69 resolutions; None when there is none.

    Args:
        snap: any other size becomes the nearest of them.

    Raises:
        InvalidRequestError: it is not one of them.
    """
    if not given(value):
        return None
    found = re.sub(r"^resolution_", "", str(value).strip().lower())
    match = re.fullmatch(r"([1-9]\d{1,4})\s*[x×*_]\s*([1-9]\d{1,4})", found)
    if match:
        size = int(match[1]), int(match[2])
        if size in RESOLUTIONS:
            return size
        if snap:
            return nearest(*size)
    near = f" The nearest one is {'x'.join(map(str, nearest(int(match[1]), int(match[2]))))}." if match else ""
    raise InvalidRequestError(
        f"{_short(value)} is not one of the {len(RESOLUTIONS)} resolutions",
        field=field,
        remedy=f"Use WIDTHxHEIGHT such as 1024x1024.{near}",
    )


def image_size(value: Any, field: str = "image_size", *, presets_only: bool = False) -> Size | None:
    """A preset's name or {width, height}; another size becomes the nearest allowed one. None when there is none.

    Raises:
        InvalidRequestError: neither; or a side that is not within 1 to 14142.
    """
    if not given(value):
        return None
    if isinstance(value, Mapping) and not presets_only:
        width = integer(value.get("width"), f"{field}.width", 1, 14_142, 512)
        height = integer(value.get("height"), f"{field}.height", 1, 14_142, 512)
        return (width, height) if (width, height) in {*RESOLUTIONS, *PRESETS.values()} else nearest(width, height)
    if isinstance(value, str) and _key(value) in PRESETS:
        return PRESETS[_key(value)]
    names = ", ".join(PRESETS)
    raise InvalidRequestError(f"{_short(value)} is no size", field=field, remedy=f"Use one of {names}.")


def style_codes(value: Any, field: str = "style_codes") -> tuple[str, ...]:
    """Codes of 8 hexadecimal digits.

    Raises:
        InvalidRequestError: one that is none.
    """
    codes = tuple(str(code).strip().lower() for code in listed(value, field))
    for code in codes:
        if not re.fullmatch(r"[0-9a-f]{8}", code):
            raise InvalidRequestError(
                f"{_short(code)} is no style code", field=field, remedy="A code has 8 hexadecimal digits."
            )
    return codes


def style_preset(value: Any, field: str = "style_preset") -> str:
    """The name of a preset, upper case; "" when there is none.

    Raises:
        InvalidRequestError: it is not one of the 62.
    """
    name = _key(value).upper() if isinstance(value, str) else ""
    if name in STYLE_PRESETS:
        return name
    if not given(value):
        return ""
    names = ", ".join(STYLE_PRESETS)
    raise InvalidRequestError(
        f"{_short(value)} is not one of the {len(STYLE_PRESETS)} presets", field=field, remedy=f"Use one of {names}."
    )


def palette(value: Any, field: str = "color_palette") -> tuple[str, ...]:
    """``{"name": PRESET}`` or ``{"members": [{"color_hex": ...} or {"rgb": {r, g, b}}, ...]}``, the heaviest first.

    Raises:
        InvalidRequestError: neither.
    """
    if not given(value):
        return ()
    if isinstance(value, Mapping) and given(value.get("name")):
        return (choice(value["name"], {name: name for name in PALETTES}, f"{field}.name", ""),)
    members = value.get("members") if isinstance(value, Mapping) else None
    if not isinstance(members, list) or not members or not all(isinstance(m, Mapping) for m in members):
        raise InvalidRequestError(
            "is no palette", field=field, remedy='Give {"name": ...} or {"members": [{"color_hex": "#RRGGBB"}, ...]}.'
        )
    colours = [
        (_colour(m, field), number(m.get("color_weight"), f"{field}.color_weight", 0.0, 1.0, 0.5)) for m in members
    ]
    if not any(given(m.get("color_weight")) for m in members):
        return tuple(colour for colour, _ in colours)
    weighted = sorted(colours, key=lambda pair: -pair[1])
    return tuple(f"{colour}:{min(1.0, max(0.05, weight)):g}" for colour, weight in weighted)


def _colour(member: Mapping[str, Any], field: str) -> str:
    rgb = member.get("rgb")
    if isinstance(rgb, Mapping):
        parts = [integer(rgb.get(c), f"{field}.rgb.{c}", 0, 255, 0) for c in "rgb"]
        return "#" + "".join(f"{part:02x}" for part in parts)
    found = str(member.get("color_hex", "")).strip().lower()
    if not re.fullmatch(r"#?[0-9a-f]{6}", found):
        raise InvalidRequestError(f"{_short(found)} is no colour", field=field, remedy="Write #RRGGBB.")
    return "#" + found.removeprefix("#")


def missing(field: str, remedy: str) -> InvalidRequestError:
    """The error for a field that is needed."""
    return InvalidRequestError("is required", field=field, remedy=remedy)


def _short(value: Any) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in str(value)[:41])
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")


def echoed(value: Any) -> Any:
    """The input as a door remembers it: data URIs and other long texts are cut, so that a job's record stays small."""
    if isinstance(value, Mapping):
        return {str(key): echoed(item) for key, item in list(value.items())[:100]}
    if isinstance(value, list | tuple):
        return [echoed(item) for item in value[:50]]
    if isinstance(value, str) and value[:5].lower() == "data:":
        return value.split(",", 1)[0][:80] + ",..."
    if isinstance(value, str) and len(value) > MAX_PROMPT:
        return value[:MAX_PROMPT]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)[:200]
