"""Put things on a head: what is worn over the photograph, what it hides of the hair, what shade it throws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.accessories import caps, eyewear, hats, jewels, press
from portrayal.engines.studio.accessories.data import things as offered
from portrayal.engines.studio.accessories.draw import draw
from portrayal.engines.studio.accessories.frame import HeadFrame, Skull, head_frame, measure
from portrayal.engines.studio.accessories.solids import Part
from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.types import Notes, Speed, Subject
from portrayal.engines.studio.wardrobe.outfit import Cloth, Thing
from portrayal.imaging import F32
from portrayal.perception.types import CLOTHING

# One of each group is worn, the first that is named.
_GROUPS: Final = (
    frozenset({"glasses", "sunglasses"}), frozenset({"hat", "cap", "beanie", "helmet", "crown", "headphones"}),
)  # fmt: skip


def adorn(subject: Subject, things: Sequence[Thing], seed: int, speed: Speed, notes: Notes) -> Subject:
    """Put things on the head of a subject that is placed, moved and dressed.

    Args:
        subject: with landmarks; one without a face is left as it is.
        things: from `wardrobe.choose.things`.
        seed: of shapes that the words leave open.
        speed: kept for symmetry; all speeds draw alike.
        notes: gets a warning for each thing that is not worn, and the fact "bar_extra": distance to the reference that
            the face may have more because a part of it is hidden.

    Returns:
        The subject with `over`, and with hair pressed or hidden below a hat.
    """
    if subject.points is None:
        notes.warnings += [f"not portrayed: {thing.item}; there is no face to wear it" for thing in things]
        return subject
    worn = _worn(things, notes)
    if not worn:
        return subject
    frame = head_frame(subject)
    skull = measure(subject, frame)
    extra = 0.0
    for thing in worn:
        kind = offered()[thing.item]
        cut = kind.cut(thing, seed)
        if thing.cut and thing.cut != cut:
            notes.warnings.append(f"not portrayed: {thing.cut} {thing.item}; the shape is another")
        new = _put(subject, frame, skull, thing.item, cut, kind.made_of(thing, cut), seed)
        if new is subject:
            notes.warnings.append(f"not portrayed: {thing.item}; its place is not in the picture")
            continue
        subject = new
        extra = max(extra, kind.bar_extra)
    if extra:
        notes.facts["bar_extra"] = extra
    return subject


def _worn(things: Sequence[Thing], notes: Notes) -> list[Thing]:
    worn: list[Thing] = []
    for thing in things:
        if thing.item not in offered():
            notes.warnings.append(f"not portrayed: {thing.item}")
            continue
        rival = next((w for w in worn if w.item == thing.item or any({w.item, thing.item} <= g for g in _GROUPS)), None)
        if rival is not None:
            if rival.item != thing.item:
                notes.warnings.append(f"not portrayed: {thing.item}; the {rival.item} is worn")
            continue
        worn.append(thing)
    # What is over the eyes lies under what is over the forehead.
    return sorted(worn, key=lambda t: t.item not in _GROUPS[0])


def _put(subject: Subject, frame: HeadFrame, skull: Skull, item: str, cut: str, cloth: Cloth, seed: int) -> Subject:
    if item in ("glasses", "sunglasses"):
        surface = draw(subject, frame, eyewear.eyewear(frame, subject, cut, cloth, item == "sunglasses"), None, seed)
        return _over(subject, surface, soft=0.35, dark=0.18)
    if item == "earrings":
        parts = jewels.earrings(frame, subject, cut, cloth)
        return _over(subject, draw(subject, frame, parts, None, seed) if parts else None, soft=0.3, dark=0.25)
    if item == "headphones":
        return _over(subject, draw(subject, frame, jewels.headphones(frame, skull, cloth), None, seed), 0.8, 0.4)
    parts, seat, high = _headwear(frame, skull, item, cut, cloth)
    surface = draw(subject, frame, parts, hats.dome(seat, high), seed)
    if surface is None:
        return subject
    if item != "crown":
        subject = press.pressed(subject, frame, seat, 10.0 if item == "helmet" else 0.0)
    return _over(subject, surface, soft=0.7, dark=0.32)


def _headwear(frame: HeadFrame, skull: Skull, item: str, cut: str, cloth: Cloth) -> tuple[list[Part], hats.Seat, float]:
    """Parts, seat, and the height of hair under it over the seat, cm."""
    if item == "hat":
        parts, seat = hats.hat(frame, skull, cut, cloth, _band_of(cloth))
        return parts, seat, 9.0
    if item == "cap":
        return caps.cap(frame, skull, cut, cloth)
    make = {"beanie": caps.beanie, "helmet": caps.helmet, "crown": caps.crown}[item]
    return make(frame, skull, cloth)


def _band_of(cloth: Cloth) -> Cloth:
    """A ribbon that goes with a hat: dark on light, black on dark."""
    red, green, blue = (int(cloth.colour[i : i + 2], 16) for i in (1, 3, 5))
    bright = 0.3 * red + 0.6 * green + 0.1 * blue
    share = 0.36 if bright > 60 else 0.0
    colour = "#" + "".join(f"{int(share * v + 10):02x}" for v in (red, green, blue))
    return Cloth(colour, "satin" if cloth.fabric != "straw" else "cotton")


def _over(subject: Subject, surface: Surface | None, soft: float, dark: float) -> Subject:
    """The subject with a surface in front of everything; the photograph close to it gets its contact shade.

    Args:
        soft: width of the shade, cm.
        dark: its strength.
    """
    if surface is None:
        return subject
    own = subject.own if subject.own is not None else subject.alpha
    on = _around(surface, 2.5 * soft)
    cover = surface.cover[on]
    thick = np.clip(cover * 1.6 - 0.6, 0, 1)
    shade = _contact(thick, surface.scale, soft) * np.float32(dark) * (1 - thick)
    rgb, alpha, regions = subject.rgb.copy(), subject.alpha.copy(), subject.regions.copy()
    rgb[on] *= (1 - shade)[..., None]
    regions[on][(cover > 0.5) & (alpha[on] < 0.5)] = CLOTHING
    alpha[on] += (1 - alpha[on]) * cover
    both = surface if subject.over is None else _stacked(subject.over, surface)
    return replace(subject, rgb=rgb, alpha=alpha, own=own, over=both, regions=regions)


def _around(surface: Surface, margin: float) -> tuple[slice, slice]:
    """Rows and columns that a surface covers, and `margin` cm around them."""
    rows, columns = surface.cover.shape
    ys, xs = np.flatnonzero(surface.cover.max(1) > 0), np.flatnonzero(surface.cover.max(0) > 0)
    far = int(margin * surface.scale) + 2
    return (
        slice(max(int(ys[0]) - far, 0), min(int(ys[-1]) + far, rows)),
        slice(max(int(xs[0]) - far, 0), min(int(xs[-1]) + far, columns)),
    )


def _contact(thick: F32, scale: float, soft: float) -> F32:
    """Where something lies close above the skin, thrown a little down, (H, W) 0..1."""
    shift = np.array([[1, 0, 0], [0, 1, 0.45 * soft * scale]], np.float32)
    below = cv2.warpAffine(thick, shift, thick.shape[::-1])
    return np.asarray(cv2.GaussianBlur(below, (0, 0), max(0.7, 0.5 * soft * scale)), np.float32)


def _stacked(first: Surface, second: Surface) -> Surface:
    """Two surfaces as one, the second in front."""
    share = second.cover / np.maximum(first.cover + second.cover - first.cover * second.cover, 1e-4)
    weight = share[..., None]
    normals = first.normals + (second.normals - first.normals) * weight
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-4)
    return replace(
        second,
        albedo=np.asarray(first.albedo + (second.albedo - first.albedo) * weight, np.float32),
        normals=np.asarray(normals, np.float32),
        material=np.asarray(first.material + (second.material - first.material) * weight, np.float32),
        depth=np.maximum(first.depth, second.depth),
        cover=first.cover + second.cover - first.cover * second.cover,
    )
