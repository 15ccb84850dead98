"""What a remix says about the words and the people that it could not follow."""

from __future__ import annotations

from portrayal.engines.studio.remix.bands import Bands
from portrayal.engines.studio.remix.inspiration import Inspiration
from portrayal.engines.studio.types import Notes
from portrayal.prompting.plan import ScenePlan


def say_who(inspiration: Inspiration, share: Bands, notes: Notes) -> None:
    """Whom the inspiration shows, and what becomes of them."""
    count = len(inspiration.people)
    if count == 0 and share.crowd:
        notes.warnings.append("the inspiration shows nobody whose place could be taken: the character stands in front")
    if count > 1:
        others = "the others stay" if share.crowd else "the others are left out"
        notes.warnings.append(
            f"the inspiration shows {count} people: the largest and most central one is replaced, {others}"
        )


def say_what_stays(plan: ScenePlan, share: Bands, swap: bool, notes: Notes) -> None:
    """Words that the inspiration overrules at this strength."""
    unmet: list[tuple[str, str | None]] = []
    if share.own <= 0:
        unmet += [("setting", plan.setting), ("time", plan.time), ("weather", plan.weather)]
    if share.own <= 0 or plan.camera == "dutch angle":
        unmet.append(("camera", plan.camera))
    if swap:
        turned = any(v is not None for v in (plan.head.yaw, plan.head.pitch, plan.head.roll))
        unmet += [
            ("expression", plan.expression),
            ("light", plan.light),
            ("framing", plan.framing),
            ("head", "turned" if turned else None),
        ]
        unmet.append(("gaze", "aside" if plan.gaze else None))
    for kind, value in unmet:
        if value is not None and not (kind == "setting" and value == "studio"):
            notes.warnings.append(f"not portrayed: {kind} {value!r}; at this strength the inspiration's is kept")
    if not swap:
        return
    for garment in plan.outfit:
        if garment.item or garment.pattern or garment.fabric:
            own = f", in {garment.colour}" if garment.colour else ""
            notes.warnings.append(f"not portrayed: {garment.text}; the clothes of the inspiration are kept{own}")
    own_hair = tuple(u.phrase for u in plan.understood if u.kind == "hair" and u.value != "own")
    for phrase in (*plan.unknown, *plan.accessories, *own_hair):
        notes.warnings.append(f"not portrayed: {phrase}")
