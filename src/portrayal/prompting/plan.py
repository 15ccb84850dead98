"""The structured reading of a prompt: what the picture shall show, in the words of the vocabulary.

No pixels here. Every name (setting, light, expression, ...) is an id of the vocabulary files; an engine that
does not know an id says so in its warnings.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Framing = Literal["close-up", "head and shoulders", "bust", "medium", "three-quarter", "full", "wide"]
Camera = Literal["eye level", "low angle", "high angle", "dutch angle"]
# What quoted words are in the picture. "held": on the sign in the hands; "thing": on something that is not lettered.
LetteringAs = Literal[
    "sign", "neon", "wall", "title", "poster", "speech", "shout", "thought", "label", "held", "thing"
]  # fmt: skip


LOWER: Final = frozenset((
    "trousers", "jeans", "shorts", "skirt", "leggings", "shoes", "boots", "sneakers", "gloves", "belt", "cape",
))  # fmt: skip


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeadTurn(_Frozen):
    """Angles of the head in degrees, absolute (0, 0, 0 = straight into the camera, upright).

    yaw > 0: nose to the picture's right; pitch > 0: nose up; roll > 0: clockwise as seen in the picture.
    ``None`` leaves the reference's own angle.
    """

    yaw: float | None = Field(default=None, ge=-90, le=90)
    pitch: float | None = Field(default=None, ge=-60, le=60)
    roll: float | None = Field(default=None, ge=-60, le=60)


class Gaze(_Frozen):
    """Where the eyes look relative to the head: x > 0 to the picture's right, y > 0 up, each -1..1."""

    x: float = Field(default=0.0, ge=-1, le=1)
    y: float = Field(default=0.0, ge=-1, le=1)


class Garment(_Frozen):
    """What the prompt says about clothes. The wardrobe reads it; colours are names of the colour vocabulary.

    `second` is the pattern's colour ("a navy and white striped shirt"), `cut` the neck or the shape, an id of the cuts
    ("v-neck", "off-shoulder"; "round" glasses). What the words exclude ("no tie") stands in the plan's `negative`.
    """

    text: str
    item: str | None = None
    colour: str | None = None
    pattern: str | None = None
    fabric: str | None = None
    second: str | None = None
    cut: str | None = None

    @property
    def lower(self) -> bool:
        """Whether only a whole figure shows it: trousers, shoes, gloves, a belt."""
        return self.item in LOWER


class HairWords(_Frozen):
    """What the prompt says about hair: a colour name or a shade of hair ("blonde"), and "short" or "long"."""

    colour: str | None = None
    length: str | None = None


class Understood(_Frozen):
    """One phrase of the prompt and what it was taken for, e.g. ``("golden hour", "time", "golden hour")``."""

    phrase: str
    kind: str
    value: str


class ScenePlan(_Frozen):
    """What the picture shall show. ``None`` means that the prompt does not say; the engine chooses."""

    prompt: str
    language: str = "en"
    framing: Framing | None = None
    camera: Camera | None = None
    head: HeadTurn = HeadTurn()
    gaze: Gaze | None = None
    expression: str | None = None
    outfit: tuple[Garment, ...] = ()
    accessories: tuple[str, ...] = ()
    accessory_details: tuple[Garment, ...] = ()  # the same accessories with what is said of each
    hair: HairWords | None = None
    pose: str | None = None  # of the body, an id of the poses
    setting: str | None = None
    backdrop: str | None = None  # colour name, for studio settings
    time: str | None = None
    weather: str | None = None
    light: str | None = None
    look: str | None = None
    lettering: tuple[str, ...] = ()
    lettering_as: tuple[LetteringAs, ...] = ()  # what each of them is; as many, or none where nobody looked
    negative: tuple[Understood, ...] = ()
    understood: tuple[Understood, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def framing_said(self) -> bool:
        """Whether the words name the framing, and it does not only follow from the pose."""
        posed = {u.phrase for u in self.understood if u.kind == "pose"}
        return any(u.kind == "framing" and u.phrase not in posed for u in self.understood)

    def excludes(self, kind: str, value: str | None) -> bool:
        """Whether the words keep something out of the picture; who chooses asks. See `without.excludes`."""
        from portrayal.prompting.without import excludes  # which reads the vocabulary; a plan alone needs none

        return excludes(self.negative, kind, value)
