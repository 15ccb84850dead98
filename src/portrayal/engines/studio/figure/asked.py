"""Whether a picture needs the whole figure, how much of it is shown, and whether it is drawn or a photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio import avoid, looks
from portrayal.engines.studio.figure.build import build_of
from portrayal.engines.studio.figure.dress import nearest_pose, own_clothes, wear
from portrayal.engines.studio.figure.passing import passes, photographic
from portrayal.engines.studio.figure.poses import poses
from portrayal.engines.studio.figure.types import Framing, Stance
from portrayal.engines.studio.types import Notes
from portrayal.engines.studio.wardrobe.choose import choose, dyed
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.prompting.nearest import one
from portrayal.prompting.plan import ScenePlan
from portrayal.styles.style import Style

_ORDER: Final[tuple[Framing, ...]] = get_args(Framing)
_CLOSE: Final = ("close-up", "head and shoulders", "bust")
# A portrait may be of somebody who stands: that calls for the whole figure only together with a framing that shows it.
_QUIET: Final = ("standing",)
_STANDING: Final = ("standing", "contrapposto", "hands behind back")


@dataclass(frozen=True)
class Asked:
    """A figure to make.

    Attributes:
        stance: how it stands, in which framing, in what clothes.
        look: the drawn look of the picture, None = a photograph.
    """

    stance: Stance
    look: str | None


def asked(
    plan: ScenePlan,
    character: IdentityMap,
    outfit: Outfit | None,
    style: Style,
    shown: str,
    seed: int,
    notes: Notes,
) -> Asked | None:
    """The figure that a plan asks for; None when a portrait shows all that is asked.

    Args:
        plan: the reading of the prompt.
        character: who; without a face there is no figure.
        outfit: what the words dress the person in; None = as in the reference.
        style: its type "auto" and "fiction" draw figures, "realistic" and "general" photograph what passes.
        shown: the widest framing that the reference itself can fill.
        seed: of the picture.
        notes: gets a warning for everything that is changed.
    """
    if not _wanted(plan, character, shown, notes):
        return None
    pose = plan.pose if plan.pose in poses() else None
    rng = np.random.default_rng([seed, 606])
    if pose is None:
        pose = str(rng.choice(avoid.free(plan, "pose", _STANDING)))
    said = Notes()
    worn = outfit or choose(plan, seed, said)  # a mask holds no clothes of another body
    if worn is None:
        worn = dyed(plan, own_clothes(character, seed), seed)
        said.warnings.append("the whole body is dressed anew, in a sweater of the colour of the reference's clothes")
    near = nearest_pose(worn.garment, pose)
    shows = _framing(plan, near)
    stance = Stance(
        pose=near,
        framing=shows,
        outfit=worn,
        build=build_of(character),
        camera=plan.camera or "eye level",
        turn=float(rng.uniform(-6, 6)),
        across=float(rng.uniform(-0.05, 0.05)),
    )
    look, note = looks.choose(plan, style, body=True)
    if not looks.is_drawn(look):
        if not any(passes(near, framing, worn) for framing in _ORDER[_ORDER.index(shows) :]):
            notes.warnings.append(
                f"not portrayed: {plan.pose or 'the whole figure'}; a photograph of it in these clothes looks "
                "modelled, so the picture is a portrait; style_type auto draws the whole figure"
            )
            return None
        stance = photographic(stance, Notes())
    if note:
        notes.warnings.append(note)
    notes.warnings += said.warnings
    _tell(plan, pose, stance, notes)
    return Asked(stance, look)


def _wanted(plan: ScenePlan, character: IdentityMap, shown: str, notes: Notes) -> bool:
    """Whether more of a body is asked for than a portrait of this reference shows."""
    pose = plan.pose if plan.pose in poses() else None
    if character.reading is None:
        if pose:
            notes.warnings.append(f"not portrayed: {pose}; only people with a face get another body")
        return False
    # Down to the waist and without a pose, a portrait comes near enough, and it is a photograph.
    wide = (
        plan.framing in _ORDER[1:] and plan.framing_said and _framings().index(plan.framing) > _framings().index(shown)
    )
    if plan.framing in _CLOSE:
        if pose and pose not in _QUIET:
            notes.warnings.append(
                f"not portrayed: {pose}; the framing {plan.framing!r} does not show it, {poses()[pose].shows!r} would"
            )
        return False
    return wide or (pose is not None and pose not in _QUIET)


def _tell(plan: ScenePlan, pose: str, stance: Stance, notes: Notes) -> None:
    """Say what is other than the words have it: pose, framing, clothes of the legs."""
    worn = wear(stance.outfit)
    if plan.pose and stance.pose != pose:
        notes.warnings.append(f"not portrayed: {pose} in {one(worn.garment)}; {stance.pose} is shown")
    if plan.framing_said and stance.framing != plan.framing:
        near = _ORDER.index(_framing(plan, stance.pose)) < _ORDER.index(stance.framing)
        why = (
            f"a photograph of {stance.pose} is only convincing from farther away"
            if near
            else f"it does not show {stance.pose}"
        )
        notes.warnings.append(f"framing {plan.framing!r}: {why}, so the picture is {stance.framing!r}")
    if worn.lower.kind == "skirt":
        for garment in plan.outfit:
            if garment.item in ("trousers", "jeans", "leggings"):
                notes.warnings.append(f"not portrayed: {garment.text}; a skirt is worn")


def _framings() -> tuple[str, ...]:
    return (*_CLOSE, *_ORDER)


def _framing(plan: ScenePlan, pose: str) -> Framing:
    """The framing of the words, unless it is too close to show the pose."""
    entry = poses()[pose]
    named: Framing | None = next((framing for framing in _ORDER if framing == plan.framing), None)
    if named is None:
        return entry.framing
    return _ORDER[max(_ORDER.index(named), _ORDER.index(entry.shows))]
