"""The words of a description. `portrayal.prompting.read` understands every phrase; a test reads them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from portrayal.prompting.describe import ON

FRAMINGS: Final = {
    "close-up": "a close-up portrait",
    "head and shoulders": "a head and shoulders portrait",
    "bust": "a bust portrait",
    "medium": "a medium shot",
    "three-quarter": "a three-quarter length portrait",
    "full": "a full body portrait",
    "wide": "a wide shot",
}
EXPRESSIONS: Final = {
    "neutral": "with a neutral expression",
    "slight smile": "with a slight smile",
    "smile": "smiling",
    "broad smile": "with a broad smile",
    "laugh": "laughing",
    "surprised": "surprised",
    "eyes closed": "with closed eyes",
    "wink": "winking",
}
TIMES: Final = {
    "dawn": "at dawn",
    "morning": "in the morning",
    "noon": "at noon",
    "afternoon": "in the afternoon",
    "golden hour": "at golden hour",
    "sunset": "at sunset",
    "blue hour": "at blue hour",
    "night": "at night",
}
WEATHERS: Final = {
    "cloudy": "with clouds in the sky",
    "overcast": "under an overcast sky",
    "fog": "in fog",
    "rain": "in the rain",
    "snow": "in falling snow",
    "storm": "in a storm",
}
LIGHTS: Final = {
    "softbox": "soft studio light",
    "window": "window light",
    "Rembrandt": "rembrandt light",
    "split": "split light",
    "high key": "high-key light",
    "low key": "low-key light",
    "golden hour": "golden hour light",
    "candle": "candlelight",
    "firelight": "firelight",
    "spotlight": "in a spotlight",
    "rim": "rim light",
    "beauty": "beauty light",
    "neon": "neon light",
    "moonlight": "moonlight",
    "hard sun": "hard sunlight",
}
LOOKS: Final = {"black and white": "black and white photograph", "sepia": "sepia photograph"}
_AT: Final = frozenset(("train station", "market"))
_PLACES: Final = {
    "mars": "on mars",
    "space": "in outer space",
    "venice": "in venice",
    "underwater": "underwater",
    "sky": "in the sky",
    "moon": "on the moon",
    "mountains": "in the mountains",
    "snow mountains": "in snowy mountains",
    "countryside": "in the countryside",
    "cherry blossom": "under cherry blossoms",
    "fireplace": "by a fireplace",
    "snow forest": "in a snowy forest",
    "lake": "by a lake",
    "harbour": "in a harbour",
    "studio": "in a photo studio",
}


def people(count: int) -> str:
    """How many there are."""
    return "a person" if count == 1 else f"{count} persons"


def place(setting: str) -> str:
    """Where it is."""
    if setting in _PLACES:
        return _PLACES[setting]
    article = "an" if setting[0] in "aeio" else "a"
    return f"{'on' if setting in ON else 'at' if setting in _AT else 'in'} {article} {setting}"


def sentence(phrases: Sequence[str]) -> str:
    """The phrases as one prompt."""
    said = ", ".join(phrase for phrase in phrases if phrase)
    return said[:1].upper() + said[1:]
