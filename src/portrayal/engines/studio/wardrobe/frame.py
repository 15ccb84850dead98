"""Where the bust stands on the canvas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BustFrame:
    """The bust below a head. Its own axes: cm, origin at the jugular notch, x right, y DOWN, z towards the camera.

    Attributes:
        width, height: canvas in pixels.
        scale: canvas pixels per cm.
        x, y: the notch on the canvas, pixels.
        depth: of the notch, cm towards the camera from the plane of landmark depth 0 (see `cloth.surface`).
        neck: radius of the neck, 4.9..6.6 cm.
        lean: how far the top of the neck leans to the right, -2.5..2.5 cm.
        shoulders: scale of the shoulders, 0.88 slim .. 1.12 broad.
        chest: 0 flat .. 2.5 cm of bust.
        yaw, roll: of the whole bust, radians, as the head's (yaw > 0: turned to the picture's right).
    """

    width: int
    height: int
    scale: float
    x: float
    y: float
    depth: float = 0.0
    neck: float = 5.7
    lean: float = 0.0
    shoulders: float = 1.0
    chest: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0
