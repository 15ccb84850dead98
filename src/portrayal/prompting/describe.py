"""A plan said back to a person: what will be portrayed, and what will not."""

from __future__ import annotations

from portrayal.prompting.plan import Garment, HeadTurn, ScenePlan

_FRAMINGS = {
    "close-up": "A close-up",
    "head and shoulders": "A head-and-shoulders portrait",
    "bust": "A bust portrait",
    "medium": "A half-length portrait",
    "three-quarter": "A three-quarter portrait",
    "full": "A full-length portrait",
    "wide": "A wide shot",
}
_EXPRESSIONS = {
    "neutral": "with a neutral expression",
    "serious": "looking serious",
    "calm": "calm",
    "confident": "confident",
    "slight smile": "with a slight smile",
    "smile": "smiling",
    "broad smile": "with a broad smile",
    "laugh": "laughing",
    "surprised": "surprised",
    "sad": "sad",
    "angry": "angry",
    "pout": "pouting",
    "thoughtful": "thoughtful",
    "eyes closed": "with closed eyes",
    "wink": "winking",
    "wide eyes": "with wide eyes",
    "squint": "squinting",
    "skeptical": "looking skeptical",
}
_TIMES = {
    "dawn": "at dawn",
    "morning": "in the morning",
    "noon": "at noon",
    "afternoon": "in the afternoon",
    "golden hour": "at golden hour",
    "sunset": "at sunset",
    "blue hour": "at the blue hour",
    "night": "at night",
}
_LIGHTS = {
    "softbox": "soft studio light",
    "golden hour": "golden-hour light",
    "hard sun": "hard sunlight",
    "backlit": "lit from behind",
    "candle": "candlelight",
    "firelight": "firelight",
    "moonlight": "moonlight",
    "spotlight": "in a spotlight",
    "high key": "high-key light",
    "low key": "low-key light",
}
_WEATHERS = {
    "clear": "under a clear sky",
    "cloudy": "under clouds",
    "overcast": "under an overcast sky",
    "fog": "in fog",
    "rain": "in the rain",
    "snow": "in falling snow",
    "storm": "in a storm",
}
ON = frozenset(
    (
        "stage",
        "rooftop",
        "bridge",
        "beach",
        "tropical beach",
        "city street",
        "neon street",
        "night street",
        "rainy street",
    )
)
_AT = frozenset(("train station", "harbour", "market"))
# Names and masses take no article.
_BARE = {
    "mars": "on Mars",
    "space": "in space",
    "venice": "in Venice",
    "underwater": "under water",
    "sky": "in the sky",
    "moon": "on the Moon",
    "mountains": "in the mountains",
    "snow mountains": "in snowy mountains",
    "countryside": "in the countryside",
    "cherry blossom": "among cherry blossom",
    "fireplace": "by a fireplace",
    "snow forest": "in a snowy forest",
    "lake": "by a lake",
}
_PLURAL = frozenset((
    "glasses", "sunglasses", "headphones", "earrings", "trousers", "jeans", "shorts", "leggings", "shoes", "boots",
    "sneakers", "gloves",
))  # fmt: skip
_UNCOUNTED = frozenset(("scrubs", "armour"))


def describe(plan: ScenePlan) -> str:
    """One sentence on what the picture will show, e.g. "A portrait in a coffee shop at dusk, smiling." """
    scene = [_FRAMINGS.get(plan.framing or "", "A portrait"), _where(plan)]
    if plan.time and plan.time not in (plan.setting or ""):
        scene.append(_TIMES.get(plan.time, plan.time))
    scene.append(_WEATHERS.get(plan.weather or "", ""))
    parts = [" ".join(part for part in scene if part)]
    if plan.pose:
        with_limbs = plan.pose.startswith(("arms", "hands"))
        parts.append(f"with {plan.pose}" if with_limbs else plan.pose)
    if plan.expression:
        parts.append(_EXPRESSIONS.get(plan.expression, plan.expression))
    parts += _head(plan.head)
    if plan.gaze and not (plan.gaze.x and plan.head.yaw is None):
        parts += [] if plan.gaze.x or plan.gaze.y else ["looking at the camera"]
    if plan.hair:
        words = (plan.hair.length, plan.hair.colour, "hair")
        parts.append(f"with {' '.join(w for w in words if w)}")
    worn = [_garment(g) for g in plan.outfit if g.item or g.colour] + [_garment(g) for g in plan.accessory_details]
    if worn:
        parts.append(f"wearing {_and(worn)}")
    if plan.light:
        parts.append(_LIGHTS.get(plan.light) or f"{plan.light.removesuffix(' light')} light")
    if plan.camera and plan.camera != "eye level":
        parts.append(f"{plan.camera} camera")
    if plan.look and plan.look != "photo":
        parts.append(f"{plan.look} look")
    if plan.lettering:
        parts.append(f"lettering {_and([f'“{text}”' for text in plan.lettering])}")
    without = list(dict.fromkeys(u.value for u in plan.negative if u.kind in ("accessory", "outfit")))
    if without:
        parts.append(f"without {_and(without)}")
    return ", ".join(parts) + "."


def sentences(plan: ScenePlan) -> tuple[str, ...]:
    """`describe`, and a second sentence that names what was not understood, if anything."""
    first = describe(plan)
    return (first, f"Not portrayed: {', '.join(plan.unknown)}.") if plan.unknown else (first,)


def _where(plan: ScenePlan) -> str:
    setting = plan.setting
    if setting is None:
        return ""
    if setting == "studio":
        return f"before {_article(plan.backdrop)} studio backdrop" if plan.backdrop else "in a studio"
    if setting in _BARE:
        return _BARE[setting]
    preposition = "on" if setting in ON else "at" if setting in _AT else "in"
    return f"{preposition} {_article(setting)}"


def _head(head: HeadTurn) -> list[str]:
    said = []
    if head.yaw:
        said.append(f"the head turned {abs(head.yaw):g}° to the picture's {'right' if head.yaw > 0 else 'left'}")
    elif head.yaw == 0:
        said.append("facing the camera")
    if head.pitch:
        said.append("the chin raised" if head.pitch > 0 else "the head lowered")
    if head.roll:
        said.append("the head tilted")
    return said


def _garment(garment: Garment) -> str:
    item = garment.item or "clothes"
    item = {"chef": "chef's jacket", "superhero": "superhero suit"}.get(item, item)
    colour = f"{garment.colour} and {garment.second}" if garment.colour and garment.second else garment.colour
    words = [w for w in (garment.cut, colour, garment.pattern, garment.fabric) if w and w not in item.split()]
    if garment.second and not garment.colour:
        item = f"{item} with {garment.second}"
    text = " ".join([*words, item])
    return text if item in _PLURAL or item in _UNCOUNTED or item == "clothes" else _article(text)


def _article(noun: str | None) -> str:
    return f"{'an' if (noun or '')[:1] in tuple('aeio') else 'a'} {noun}"


def _and(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
