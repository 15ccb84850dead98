"""From a picture to its description."""

from __future__ import annotations

from typing import Any

from portrayal.description import backdrop, light, person, words
from portrayal.description.backdrop import Backdrop
from portrayal.description.model import Description
from portrayal.description.view import View, look
from portrayal.imaging import U8
from portrayal.prompting import read
from portrayal.styles.nearest import nearest
from portrayal.styles.skin import skin_weight


def describe(image: U8, provenance: dict[str, Any] | None = None) -> Description:
    """See `portrayal.description.of_picture`."""
    view = look(image)
    facts: dict[str, float | str] = {"kind": view.kind, "people": float(len(view.people))}
    code = nearest(view.picture, skin_weight(view.picture, view.people) if view.people else None)
    phrases = _who(view, facts)
    behind = backdrop.read(view)
    facts |= behind.facts
    phrases += [*_where(behind), *_how(view, behind, code.look, facts)]
    prompt, own = words.sentence(phrases), False
    said = _own(provenance)
    if said is not None:
        facts["measured"] = prompt
        facts |= said[1]
        prompt, own = said[0], True
    return Description(prompt=prompt, style_code=str(code), facts=facts, own=own)


def _own(provenance: dict[str, Any] | None) -> tuple[str, dict[str, float | str]] | None:
    """The prompt of a picture of our own, and its seed; None when the file says neither."""
    request = (provenance or {}).get("request")
    prompt = request.get("prompt") if isinstance(request, dict) else None
    if not isinstance(prompt, str) or not prompt.strip():
        return None
    facts: dict[str, float | str] = {}
    seed = (provenance or {}).get("seed")
    if isinstance(seed, int):
        facts["seed"] = float(seed)
    return prompt, facts


def _who(view: View, facts: dict[str, float | str]) -> list[str]:
    if view.kind == "scene":
        return ["a landscape" if backdrop.outdoors(view) else "a picture"]
    if view.kind == "figure":
        return ["a figure"]
    reading = view.people[0]
    framing = person.framing(view)
    facts["framing"] = framing
    said = [f"{words.FRAMINGS[framing]} of {words.people(len(view.people))}"]
    for axis in ("yaw", "pitch", "roll"):
        facts[axis] = round(float(getattr(reading.pose, axis)), 1)
    if len(view.people) == 1:
        said += person.head(reading)
        aside = person.glance(reading)
        said += [aside] if aside else []
    mood, sure = person.expression(reading.expression)
    facts["smile"] = round(reading.expression.smile, 2)
    facts["mouth_open"] = round(reading.expression.mouth_open, 2)
    if mood:
        facts |= {"expression": mood, "expression_sure": sure}
        said.append(words.EXPRESSIONS[mood])
    cloth, share = person.clothes(view)
    if cloth and len(view.people) == 1:
        facts |= {"clothes": cloth, "clothes_sure": round(share, 2)}
        said.append(f"in {cloth} clothes")
    return said


def _where(found: Backdrop) -> list[str]:
    if found.paper:
        return [f"on a plain {found.paper} background"]
    said = [words.place(found.setting)] if found.setting else []
    more = [words.TIMES[found.time]] if found.time else []
    more += [words.WEATHERS[found.weather]] if found.weather else []
    for phrase in more:
        # Some words change the place together: a city street at night is a night street.
        plan = read(words.sentence([*said, phrase]))
        if plan.setting == found.setting and not plan.unknown:
            said.append(phrase)
    return said


def _how(view: View, behind: Backdrop, style: str, facts: dict[str, float | str]) -> list[str]:
    said = []
    if view.people:
        found = light.read(view, behind.level)
        facts |= found.facts
        if found.rig:
            said.append(words.LIGHTS[found.rig])
    if style in words.LOOKS:
        facts["look"] = style
        said.append(words.LOOKS[style])
    return said
