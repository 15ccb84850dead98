"""What the head shall do, and how far it may go."""

from __future__ import annotations

from dataclasses import dataclass, replace

from portrayal.engines.studio.types import Notes

YAW, PITCH, ROLL = 30.0, 15.0, 20.0
SMALL = 0.05  # degrees that nobody sees


@dataclass(frozen=True)
class HeadMotion:
    """A movement of the head relative to the reference.

    Attributes:
        yaw, pitch, roll: degrees relative to the reference's pose; yaw > 0 nose to the picture's right, pitch > 0 nose
            up, roll > 0 clockwise in the picture.
        expression: id of a preset, or None for the reference's own.
        strength: 0..1 of the expression.
        gaze: x > 0 to the picture's right, y > 0 up, each -1..1; None leaves the eyes.
        seed: of everything random (lashes).
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    expression: str | None = None
    strength: float = 1.0
    gaze: tuple[float, float] | None = None
    seed: int = 0

    @property
    def turns(self) -> bool:
        """Whether the head leaves the reference's pose."""
        return max(abs(self.yaw), abs(self.pitch), abs(self.roll)) > SMALL


@dataclass(frozen=True)
class Limits:
    """How far this head can be turned from its reference: (least, most) degrees relative to it."""

    yaw: tuple[float, float]
    pitch: tuple[float, float]
    roll: tuple[float, float]


def limits(yaw: float, pitch: float, ears: tuple[float, float], rims: tuple[float, float], cut: bool) -> Limits:
    """Limits of a head.

    Args:
        yaw, pitch: pose of the reference in degrees.
        ears: how much of the left and right ear shows, 0..1.
        rims: how bright the left and right outline of the face are, 0..1: a turn would draw the light over the cheek.
        cut: the reference's border cuts the head off, so that little is known beyond.
    """
    # Away from the camera the face itself foreshortens; towards it comes a side of which there are few pixels.
    away, towards = 0.55, 0.55
    left = YAW - away * max(0.0, -yaw) - towards * max(0.0, yaw) - 5.0 * ears[1] - 16.0 * rims[1]
    right = YAW - away * max(0.0, yaw) - towards * max(0.0, -yaw) - 5.0 * ears[0] - 16.0 * rims[0]
    down, up = PITCH - away * max(0.0, -pitch), PITCH - away * max(0.0, pitch)
    share = 0.55 if cut else 1.0
    left, right, down, up, roll = (share * v for v in (left, right, down, up, ROLL))
    return Limits((-max(left, 8.0), max(right, 8.0)), (-max(down, 5.0), max(up, 5.0)), (-roll, roll))


def clamp(motion: HeadMotion, allowed: Limits, notes: Notes) -> HeadMotion:
    """The motion within the limits; each angle that was cut leaves a warning."""
    values = {}
    for name in ("yaw", "pitch", "roll"):
        low, high = getattr(allowed, name)
        wanted = float(getattr(motion, name))
        values[name] = min(max(wanted, low), high)
        if abs(values[name] - wanted) > 1.5:
            notes.warnings.append(
                f"head {name}: {wanted:+.0f} degrees from the reference would distort this head; "
                f"turned by {values[name]:+.0f}"
            )
    # Yaw and pitch together strain the picture like one larger turn.
    strain = ((values["yaw"] / YAW) ** 2 + (values["pitch"] / PITCH) ** 2) ** 0.5
    if strain > 1.15:
        values["yaw"] *= 1.15 / strain
        values["pitch"] *= 1.15 / strain
        notes.warnings.append("head: yaw and pitch together were reduced, so that the face stays itself")
    return replace(motion, **values)
