"""Whether a body does what was asked, measured in the picture's pixels by the pose net: lengths in shoulder widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from portrayal.imaging import U8
from portrayal.perception.body import BodyReading, read_body
from portrayal.perception.types import FaceReading

Answer: TypeAlias = tuple[bool, str]
_SIDES: Final = ("left", "right")


class _Body:
    """Joints in shoulder widths, from the middle of the shoulders, x to the picture's right, y down."""

    def __init__(self, reading: BodyReading) -> None:
        left, right = (np.array(reading.at(f"{side} shoulder")) for side in _SIDES)
        self._reading, self._middle = reading, (left + right) / 2
        # A body that is turned has a narrow line of shoulders; its trunk tells the size as well.
        hips = (np.array(reading.at("left hip")) + np.array(reading.at("right hip"))) / 2
        self._unit = max(float(np.linalg.norm(left - right)), 0.55 * float(np.linalg.norm(hips - self._middle)), 1.0)

    def __getitem__(self, joint: str) -> tuple[float, float]:
        x, y = (np.array(self._reading.at(joint)) - self._middle) / self._unit
        return float(x), float(y)

    def bend(self, side: str, names: tuple[str, str, str]) -> float:
        """Degrees at the middle joint of three: 180 = straight."""
        a, b, c = (np.array(self[f"{side} {name}"]) for name in names)
        u, v = a - b, c - b
        cosine = float(u @ v) / max(float(np.linalg.norm(u) * np.linalg.norm(v)), 1e-6)
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


_ARM: Final = ("shoulder", "elbow", "wrist")


def _waving(body: _Body) -> Answer:
    above = max(body[f"{s} shoulder"][1] - body[f"{s} wrist"][1] for s in _SIDES)
    return above > 0.1, f"a wrist {above:+.1f} above its shoulder"


def _raised(body: _Body) -> Answer:
    above = min(body[f"{s} shoulder"][1] - body[f"{s} wrist"][1] for s in _SIDES)
    return above > 0.1, f"both wrists {above:+.1f} above the shoulders"


def _crossed(body: _Body) -> Answer:
    """Both forearms lie before the trunk: which hand is on top, or tucked in, the net can only guess."""
    aside = max(abs(body[f"{s} wrist"][0]) for s in _SIDES)
    rows = [body[f"{s} wrist"][1] for s in _SIDES]
    bent = max(body.bend(s, _ARM) for s in _SIDES)
    holds = aside < 0.45 and min(rows) > 0.3 and max(rows) < 1.35 and bent < 120
    return holds, f"wrists {aside:.1f} from the middle, {max(rows):.1f} below the shoulders, elbows {bent:.0f} degrees"


def _on_hips(body: _Body) -> Answer:
    out = min(body["left shoulder"][0] - body["left elbow"][0], body["right elbow"][0] - body["right shoulder"][0])
    bent = max(body.bend(s, _ARM) for s in _SIDES)
    return out > 0.15 and bent < 140, f"elbows {out:.1f} outside, bent to {bent:.0f} degrees"


def _pointing(body: _Body) -> Answer:
    far = max(abs(body[f"{s} wrist"][0] - body[f"{s} shoulder"][0]) for s in _SIDES)
    return far > 0.8, f"a wrist {far:.1f} beside its shoulder"


def _thinking(body: _Body) -> Answer:
    near = min(float(np.hypot(*(np.array(body[f"{s} wrist"]) - np.array(body["nose"])))) for s in _SIDES)
    return near < 0.95, f"a wrist {near:.1f} from the nose"


def _sitting(body: _Body) -> Answer:
    drop = min(body[f"{s} knee"][1] - body[f"{s} hip"][1] for s in _SIDES)
    return drop < 0.95, f"a knee {drop:.1f} below its hip"


CHECKS: Final[dict[str, Callable[[_Body], Answer]]] = {
    "waving": _waving,
    "arms raised": _raised,
    "arms crossed": _crossed,
    "hands on hips": _on_hips,
    "pointing": _pointing,
    "thinking": _thinking,
    "sitting on a chair": _sitting,
    "sitting on a stool": _sitting,
    "sitting on a bench": _sitting,
}
"""Poses whose joints such a net reads well enough to judge them."""


def check(pose: str, image: U8, face: FaceReading) -> Answer:
    """Whether the body of a picture is in a pose of `CHECKS`, and what was measured in words."""
    return CHECKS[pose](_Body(read_body(image, face)))
