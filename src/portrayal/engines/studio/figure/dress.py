"""How a garment is worn on the whole body: `dress.toml`, and the cloth of every part."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np

from portrayal import colours
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.avoid import worn_as
from portrayal.engines.studio.figure.poses import Pose, poses
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.perception.types import CLOTHING

TUCKED: Final = 90.0
"""A hem above this is tucked in."""


@dataclass(frozen=True)
class Top:
    """A garment of the upper body, see `dress.toml`."""

    offset: float
    loose: float
    hem: float
    sleeve: float
    neck: str
    bulk: float = 0.0
    folds: float = 0.0
    pad: float = 0.0
    cuffs: bool = False
    shirt: bool = False
    drop: float = 0.0
    skirt: float = 0.0
    flare: float = 1.0
    front: float = 0.0
    vest: bool = False

    @property
    def tucked(self) -> bool:
        """Whether no hem shows."""
        return self.hem > TUCKED

    @property
    def arm(self) -> float:
        """Cloth of the sleeve above the skin, cm."""
        return self.offset * 0.85 + self.bulk * 0.55


@dataclass(frozen=True)
class Lower:
    """A garment of the legs, see `dress.toml`."""

    kind: str
    offset: float
    folds: float = 0.0
    knee: float = 6.5
    ankle: float = 6.0
    length: float = 0.0
    flare: float = 1.0
    flutes: float = 0.0


@dataclass(frozen=True)
class Feet:
    """What is on the feet, see `dress.toml`."""

    kind: str
    sole: float


@dataclass(frozen=True)
class Wear:
    """One outfit as worn: forms, and the cloth of each part as an index into `cloths`.

    `part` gives the index of a part's cloth by its name; parts without cloth of their own take the garment's.
    """

    garment: str
    top: Top
    lower: Lower
    feet: Feet
    glove: float | None
    belt: bool
    cape: bool
    pack: bool
    scarf: bool
    cloths: tuple[Cloth, ...]
    names: tuple[str, ...]

    def part(self, name: str) -> int:
        """Index of the cloth of a part."""
        return self.names.index(name) if name in self.names else 0


@cache
def table() -> MappingProxyType[str, Any]:
    """The file `dress.toml`."""
    text = resources.files("portrayal.engines.studio.figure").joinpath("dress.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(text))


def _form(kind: Any, entry: dict[str, Any]) -> Any:
    known = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in entry.items() if key in known})


def _hex(colour: str) -> str:
    return colour if colour.startswith("#") else colours.hex_of(colour)


_THINGS: Final = {
    "sole": ("black", "rubber"),
    "light sole": ("white", "rubber"),
    "wood": ("brown", "plastic"),
    "frame": ("charcoal", "steel"),
    "paper": ("ivory", "cotton"),
    "cup": ("white", "cotton"),
    "sleeve": ("tan", "cotton"),
    "lid": ("charcoal", "plastic"),
    "paint": ("red", "patent"),
    "tyre": ("black", "rubber"),
    "steel": ("silver", "steel"),
}
"""Cloth of soles and props, by name."""

_FEET: Final = {"boots": "boots", "sneakers": "trainers", "shoes": "shoes"}
"""Form of what is named for the feet; boots and sneakers are "shoes" too, so they come first."""


_LEGS: Final = {"chinos": "trousers", "suit trousers": "trousers", "loose trousers": "trousers", "jeans": "jeans",
                "skirt": "skirt"}  # fmt: skip
_SHOD: Final = {"shoes": "shoes", "trainers": "sneakers", "boots": "boots", "low": "shoes"}
"""What people call a form of the legs' clothes or the feet's."""


def _instead(form: str, called: dict[str, str], without: frozenset[str]) -> str:
    """A form, or the first of another name when people do not want what it is called."""
    if called.get(form) not in without:
        return form
    return next((other for other, name in called.items() if name not in without), form)


def wear(outfit: Outfit) -> Wear:
    """How an outfit is worn. A garment that `dress.toml` does not know is worn as a sweater."""
    data = table()
    name = outfit.garment if outfit.garment in data["garment"] else "sweater"
    entry = data["garment"][name]
    cloths: dict[str, Cloth] = {"main": outfit.main}
    for part, usual in entry["parts"].items():
        cloths[part] = outfit.main if usual == "main" else worn_as(Cloth(_hex(usual[0]), usual[1]), outfit.avoid)
    for part, cloth in outfit.parts.items():
        if part not in outfit.without:
            cloths[part] = cloth
    if name == "scarf":  # the scarf is the garment; what is under it is the sweater
        cloths["scarf"], cloths["main"] = outfit.main, cloths["inner"]
    for part, (colour, fabric) in _THINGS.items():
        cloths[part] = Cloth(colours.hex_of(colour), fabric)
    lower = _form(Lower, data["lower"][_instead(entry["lower"], _LEGS, outfit.without)])
    if "skirt" in outfit.parts and lower.kind != "skirt":
        lower = _form(Lower, data["lower"]["skirt"])
    elif "trousers" in outfit.parts and "leggings" not in outfit.parts and lower.kind == "skirt" and lower.length < 60:
        lower = _form(Lower, data["lower"]["chinos"])
    if "leggings" in outfit.parts and lower.kind != "skirt":
        lower = _form(Lower, data["lower"]["tights"])
    feet = next((form for part, form in _FEET.items() if part in outfit.parts), None)
    feet = feet or _instead(entry["feet"], _SHOD, outfit.without)
    gloves = outfit.parts.get("gloves")
    return Wear(
        garment=name,
        top=_form(Top, data["top"][entry["top"]]),
        lower=lower,
        feet=_form(Feet, data["feet"][feet]),
        glove=entry.get("glove", 0.35 if gloves else None) if "gloves" not in outfit.without else None,
        belt=(entry.get("belt", False) or "belt" in outfit.parts) and "belt" not in outfit.without,
        cape=(entry.get("cape", False) or "cape" in outfit.parts) and "cape" not in outfit.without,
        pack=entry.get("pack", False),
        scarf="scarf" in cloths,
        cloths=tuple(cloths.values()),
        names=tuple(cloths),
    )


def fits(garment: str, pose: str) -> bool:
    """Whether a garment convinces in a pose."""
    entry = table()["garment"].get(garment)
    return entry is None or pose not in entry.get("not_with", ())


_NEAREST: Final = {
    "running": "walking",
    "cycling": "walking",
    "flying": "arms raised",
    "jumping": "arms raised",
    "arms raised": "standing",
    "waving": "standing",
    "arms crossed": "hands on hips",
    "thinking": "hands on hips",
    "hands in pockets": "hands behind back",
    "hands behind back": "standing",
    "sitting on a chair": "standing",
    "sitting on a stool": "standing",
    "sitting on a bench": "standing",
}


def nearest_pose(garment: str, pose: str) -> str:
    """The pose itself, or the nearest one in which the garment convinces."""
    while not fits(garment, pose):
        pose = _NEAREST.get(pose, "standing")
    return pose


def adapt(worn: Wear, pose: Pose) -> Wear:
    """The outfit as the pose moves it: a loose hem rides up over a raised thigh, and is tucked in there."""
    top = worn.top
    raised = pose.tuck or pose.seat != "" or pose.prop == "bicycle"
    if raised and not top.tucked and top.skirt == 0 and top.hem > -9 and pose.tuck:
        top = replace(top, hem=99.0)
    return replace(worn, top=top)


def own_clothes(character: IdentityMap, seed: int = 0) -> Outfit:
    """Clothes in the reference's own colour, when the words name none: a sweater or a T-shirt, with jeans.

    The colour is the most frequent one of the clothing that the reference shows, as its brighter part has it; a
    reference without clothing gets grey.
    """
    colour = colours.hex_of("grey")
    shown = (character.regions == CLOTHING) & (character.alpha > 0.9)
    if character.kind == "person" and int(shown.sum()) > 400:
        lab = cv2.cvtColor((character.foreground[shown][None] / np.float32(255)).astype(np.float32), cv2.COLOR_RGB2LAB)[
            0
        ]
        # Colours are told apart by hue, greys by lightness; what is nearly black may be a shade or a thing held.
        strong = np.hypot(lab[:, 1], lab[:, 2]) > 18
        hue = np.floor(np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) / 40)
        kind = np.where(strong, hue, 100 + np.floor(lab[:, 0] / 25)).astype(np.int64)
        names, where = np.unique(kind, return_inverse=True)
        share = np.bincount(where.reshape(-1), np.where(lab[:, 0] < 10, 0.5, 1.0), len(names))
        main = lab[where.reshape(-1) == int(np.argmax(share))]
        middle = np.median(main, axis=0)
        middle[0] = float(np.percentile(main[:, 0], 70))
        rgb = cv2.cvtColor(middle.astype(np.float32)[None, None], cv2.COLOR_LAB2RGB)[0, 0]
        colour = "#" + "".join(f"{round(float(np.clip(v, 0, 1)) * 255):02x}" for v in rgb)
    return Outfit(garment="sweater", main=Cloth(colour, "knit"), seed=seed)


def offered() -> list[tuple[str, str]]:
    """All pairs of garment and pose that convince."""
    return [(garment, pose) for garment in table()["garment"] for pose in poses() if fits(garment, pose)]
