"""Style codes: eight hex digits, and the look that they stand for. No numpy here.

The 32 bits hold ten numbers. They are mixed by a bijection (two rounds of xorshift and multiplication by an odd number,
after Steele & Vigna 2021), so that neighbouring codes look different, every code is one, and none can be lost:
``StyleCode.parse(str(code)) == code``. The tables below are the meaning of codes that people keep: they never change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from portrayal.errors import InvalidRequestError

# Five bits. The photographs are drawn by the studio engine; the drawn looks follow, then places for looks to come.
LOOKS: Final = (
    "photo", "cinematic", "film", "vintage", "black and white", "sepia", "high contrast", "pastel",
    "warm", "cool", "matte", "vivid",
    "comic", "watercolor", "oil painting", "pencil sketch", "ink", "anime", "cartoon", "3d render",
    "pixel art", "travel poster", "pop art", "children's book", "line art", "low poly", "woodcut", "graffiti",
    "reserved 28", "reserved 29", "reserved 30", "reserved 31",
)  # fmt: skip
PHOTOGRAPHS: Final = frozenset(LOOKS[:12])
SCHEMES: Final = (
    "single", "analogous", "complementary", "split", "triad", "square", "light tone", "shadow tone",
)  # fmt: skip
_HUES: Final = tuple(11.25 * i for i in range(32))
_STRENGTHS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85)
_CONTRASTS: Final = (0.8, 0.88, 0.94, 1.0, 1.06, 1.13, 1.21, 1.3)
_SATURATIONS: Final = (0.5, 0.65, 0.78, 0.9, 1.0, 1.1, 1.22, 1.36)
_GRAINS: Final = (0.0, 0.14, 0.28, 0.42, 0.56, 0.7, 0.85, 1.0)
_LINES: Final = (0.0, 0.14, 0.28, 0.42, 0.57, 0.71, 0.86, 1.0)
_WARMTHS: Final = (-0.6, 0.0, 0.5, 1.0)
_SEEDS: Final = (0, 1, 2, 3)
# Field -> its bits and its values, lowest bits first.
_FIELDS: Final[dict[str, tuple[int, tuple[str, ...] | tuple[float, ...]]]] = {
    "look": (5, LOOKS),
    "hue": (5, _HUES),
    "scheme": (3, SCHEMES),
    "strength": (3, _STRENGTHS),
    "contrast": (3, _CONTRASTS),
    "saturation": (3, _SATURATIONS),
    "grain": (3, _GRAINS),
    "line": (3, _LINES),
    "warmth": (2, _WARMTHS),
    "seed": (2, _SEEDS),
}
_MASK: Final = 0xFFFFFFFF
_MULTIPLIERS: Final = (0x21F0AAAD, 0x735A2D97)
_SHIFTS: Final = (16, 15, 15)


@dataclass(frozen=True)
class StyleCode:
    """A look in plain units. Every number is brought to the nearest step that a code can hold.

    Attributes:
        look: one of `LOOKS`; those of `PHOTOGRAPHS` are photographic.
        hue: of the palette, degrees around the Oklab circle: 30 red, 70 orange, 110 yellow, 142 green, 195 cyan,
            264 blue, 328 magenta.
        scheme: which other hues the palette has, one of `SCHEMES`.
        strength: 0..0.85, how far colours are pulled to the palette; 0 = no palette.
        contrast: 0.8..1.3 times the picture's own.
        saturation: 0.5..1.36 times the picture's own.
        grain: 0..1, of the film.
        line: 0..1, width of contours in drawn looks; a photograph has none.
        warmth: -0.6 (cool) .. 1 (very warm).
        seed: 0..3, which pattern of grain.
    """

    look: str = "photo"
    hue: float = 0.0
    scheme: str = "single"
    strength: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    grain: float = 0.0
    line: float = 0.0
    warmth: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (_, values) in _FIELDS.items():
            object.__setattr__(self, name, _nearest(name, getattr(self, name), values))

    @staticmethod
    def parse(text: str) -> StyleCode:
        """Read eight hex digits; case, and ``#`` or ``0x`` in front, do not matter.

        Raises:
            InvalidRequestError: it is something else.
        """
        found = re.fullmatch(r"\s*(?:#|0[xX])?([0-9a-fA-F]{8})\s*", text, re.ASCII) if isinstance(text, str) else None
        if found is None:
            raise InvalidRequestError(
                f"{str(text)[:40]!r} is no style code",
                field="style_code",
                remedy="A style code has eight hex digits, e.g. 1A2B3C4D.",
            )
        packed = _unmixed(int(found[1], 16))
        said: dict[str, str | float] = {}
        for name, (bits, values) in _FIELDS.items():
            said[name] = values[packed & ((1 << bits) - 1)]
            packed >>= bits
        return StyleCode(**said)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """The code: eight upper-case hex digits."""
        packed, at = 0, 0
        for name, (bits, values) in _FIELDS.items():
            packed |= values.index(getattr(self, name)) << at
            at += bits
        return f"{_mixed(packed):08X}"

    @property
    def photographic(self) -> bool:
        """Whether the look is a photograph's. An engine that cannot draw another one has to say so."""
        return self.look in PHOTOGRAPHS

    @property
    def summary(self) -> str:
        """The style in words, e.g. "comic, triad of 142 degrees, vivid colours, fine grain"."""
        words = [self.look]
        if self.strength > 0:
            words.append(f"colours pulled {round(100 * self.strength)} % to {_hue_name(self.hue)} ({self.scheme})")
        if self.contrast != 1:
            words.append("more contrast" if self.contrast > 1 else "less contrast")
        if self.saturation != 1:
            words.append("stronger colours" if self.saturation > 1 else "paler colours")
        if self.warmth:
            words.append("warm" if self.warmth > 0 else "cool")
        if self.grain:
            words.append(f"{'fine' if self.grain < 0.5 else 'heavy'} grain")
        if self.line and not self.photographic:
            words.append(f"{'thin' if self.line < 0.4 else 'thick'} lines")
        return ", ".join(words)


_HUE_NAMES: Final = (
    (30, "red"),
    (70, "orange"),
    (110, "yellow"),
    (142, "green"),
    (195, "cyan"),
    (264, "blue"),
    (328, "magenta"),
)


def _hue_name(hue: float) -> str:
    return min(_HUE_NAMES, key=lambda named: abs((named[0] - hue + 180) % 360 - 180))[1]


def steps(field: str) -> tuple[str, ...] | tuple[float, ...]:
    """The values that a field of `StyleCode` can have, in their order."""
    return _FIELDS[field][1]


def _nearest(field: str, value: str | float, values: tuple[str, ...] | tuple[float, ...]) -> str | float:
    if isinstance(value, str):
        if value in values:
            return value
        raise InvalidRequestError(f"there is no {field} {value!r}", field="style_code", remedy=f"Use one of: {values}.")
    numbers = [float(v) for v in values]
    if field == "hue":
        distances = [abs((v - value + 180) % 360 - 180) for v in numbers]
    else:
        distances = [abs(v - value) for v in numbers]
    if not min(distances) < 1e9:
        raise InvalidRequestError(f"{field} is no number", field="style_code", remedy="Give a finite number.")
    return values[distances.index(min(distances))]


def _mixed(x: int) -> int:
    for shift, multiplier in zip(_SHIFTS, _MULTIPLIERS, strict=False):
        x = ((x ^ (x >> shift)) * multiplier) & _MASK
    return x ^ (x >> _SHIFTS[2])


def _unmixed(x: int) -> int:
    x = _unshifted(x, _SHIFTS[2])
    for shift, multiplier in zip(reversed(_SHIFTS[:2]), reversed(_MULTIPLIERS), strict=True):
        x = _unshifted((x * pow(multiplier, -1, 1 << 32)) & _MASK, shift)
    return x


def _unshifted(y: int, shift: int) -> int:
    """x of y = x ^ (x >> shift)."""
    x = y
    for _ in range(32 // shift):
        x = y ^ (x >> shift)
    return x
