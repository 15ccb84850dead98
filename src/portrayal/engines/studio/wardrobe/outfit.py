"""What somebody shall wear, settled from the words: every colour chosen, all but the fall of the folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Cloth:
    """What a part of an outfit is made of.

    Attributes:
        colour: "#rrggbb".
        fabric: an id of `cloth/fabrics.toml`.
        pattern: an id of the pattern vocabulary, or None for plain cloth.
        second: "#rrggbb" of the pattern, None = one that goes with the first.
    """

    colour: str
    fabric: str
    pattern: str | None = None
    second: str | None = None


@dataclass(frozen=True)
class Outfit:
    """One set of clothes.

    Attributes:
        garment: an id of the garments (`wardrobe/garments/*.toml`), the same ids as the vocabulary's.
        main: the cloth of the garment itself.
        parts: cloth of its other parts by name: "shirt", "tie", "bow tie", "inner", "lapel", "collar", "trim", "scarf",
            "necklace", "trousers", "skirt", "shoes", "gloves", "belt", "cape", ... A part that the garment does not
            have by itself (a scarf over a T-shirt, a tie to a shirt) is worn when it is named here.
        without: parts that the garment has by itself and that the words exclude: "tie".
        neck: "crew", "v", "off-shoulder", "boat", or None = the garment's own.
        seed: of folds and drape; another seed falls in another way.
        avoid: names of colours that no part shall have, of those that are not told here either.
    """

    garment: str
    main: Cloth
    parts: Mapping[str, Cloth] = field(default_factory=lambda: MappingProxyType({}))
    without: frozenset[str] = frozenset()
    neck: str | None = None
    seed: int = 0
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Thing:
    """One thing worn on the head: an id of the accessory vocabulary, and what is said of it.

    `cut` is its shape, an id of the vocabulary's cuts: "round" glasses, a "cowboy" hat, "hoop" earrings.
    """

    item: str
    colour: str | None = None
    fabric: str | None = None
    pattern: str | None = None
    cut: str | None = None


@dataclass(frozen=True)
class Hair:
    """What the words say of hair: a colour "#rrggbb", or a length ("short", "long"); None = as it is."""

    colour: str | None = None
    length: str | None = None
