"""Soft and hard things that go round the head: baseball and flat caps, beanies, helmets, crowns."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.engines.studio.accessories.frame import HeadFrame, Skull
from portrayal.engines.studio.accessories.hats import Seat, seat
from portrayal.engines.studio.accessories.solids import Part, ball, tube
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.imaging import F64

_AROUND: Final = np.linspace(0, 2 * np.pi, 121)[None]
_GOLD: Final = (0.24, 0.60, 0.0, 0.92)
_GLOSS: Final = (0.16, 0.05, 0.0, 0.0)
_STONES: Final = ("#9b1128", "#123c8f", "#0b6b45")


def _dome(at: Seat, top: float, cloth: Cloth, power: float = 2.0, low: float = 0.0, out: F64 | float = 0.0,
          seams: int = 0, full: F64 | float = 0.0) -> Part:  # fmt: skip
    """A dome over a seat.

    Args:
        top: its height, cm.
        power: of its profile; 2 = an ellipse, more = boxier.
        low: cm at which it starts.
        out: cm that it stands off the seat.
        seams: number of seams from the rim to the top.
        full: cm that it bulges above its rim.
    """
    around = np.linspace(0, 2 * np.pi, 433)[None]
    q = np.linspace(0, 1, 40)[:, None] ** 0.9
    bend = q * np.pi / 2 * 0.995
    high = low + (top - low) * np.sin(bend) ** (2 / power)
    radius = np.cos(bend) ** (2 / power)
    bulge = full * np.sin(np.pi * np.clip(q * 1.4, 0, 1)) * radius
    groove = np.zeros_like(around)
    if seams:
        place = (around / (2 * np.pi) * seams + 0.5) % 1 - 0.5
        groove = -0.17 * np.exp(-((place * 2 * np.pi * at.wide / seams / 0.17) ** 2))
    across = np.sin(around) * ((at.wide + out) * radius + bulge + groove * radius)
    forth = np.cos(around) * ((at.long + out) * radius + bulge + groove * radius)
    points = at.place(across, forth, high)
    mean = (at.wide + at.long) / 2
    down = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points[:, 0], axis=0), axis=1))])[:, None]
    uv = np.stack(np.broadcast_arrays((around - np.pi) * mean, down), -1)
    return Part(points.astype(np.float32), uv.astype(np.float32), cloth)


def _height(at: Seat, skull: Skull, room: float, least: float, most: float) -> float:
    """Height over the seat of something that lies on the hair, cm."""
    middle = float(at.centre[1])
    return float(np.clip(middle - skull.top + room, least, most))


def _rim(at: Seat, radius: float, high: float, out: float, cloth: Cloth) -> Part:
    return tube(at.ring(_AROUND[0], 1.0, high, out), radius, radius, cloth=cloth, closed=True)


def cap(frame: HeadFrame, skull: Skull, cut: str, cloth: Cloth) -> tuple[list[Part], Seat, float]:
    """A baseball cap of six panels, or a flat cap."""
    flat = cut == "flat cap"
    at = seat(frame, skull, 2.8, 0.20, 0.30)
    top = 7.6 if flat else _height(at, skull, 0.9, 8.4, 10.4)
    if flat:
        return [*_flat(at, cloth), *_visor(at, cloth, 4.6, 0.75, 0.42, 0.055)], at, top - 0.5
    button = ball(at.place(np.array(0.0), np.array(0.0), np.array(top + 0.05)), (0.7, 0.35, 0.7), cloth=cloth)
    band = _rim(at, 0.16, 0.10, 0.02, cloth)
    crown = _dome(at, top, cloth, 2.35, -0.1, seams=6, full=0.35)
    return [crown, band, button, *_visor(at, cloth, 7.8, 0.92, 0.37, 0.038)], at, top - 0.6


def _flat(at: Seat, cloth: Cloth) -> list[Part]:
    """The soft top of a flat cap: low, a little wider than the head, drawn down to the visor in front."""
    q = np.linspace(0, 1, 44)[:, None]
    bend = q * np.pi / 2 * 0.995
    front = np.cos(_AROUND)
    out = (0.75 + 1.5 * np.clip(front, 0, 1) ** 1.5) * np.sin(np.pi * np.clip(q * 1.35, 0, 1)) ** 0.8
    radius = np.cos(bend) ** 0.9
    forth = front * (at.long * radius + out)
    across = np.sin(_AROUND) * (at.wide * radius + out)
    # The top slopes to the front; behind it is as high as the head.
    high = 8.0 * np.sin(bend) ** 0.95 * (1 - 0.34 * np.clip(front, -0.2, 1) * radius)
    points = at.place(across, forth, high)
    down = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points[:, 0], axis=0), axis=1))])[:, None]
    uv = np.stack(np.broadcast_arrays((_AROUND - np.pi) * 9.5, down), -1)
    return [Part(points.astype(np.float32), uv.astype(np.float32), cloth)]


def _visor(at: Seat, cloth: Cloth, reach: float, half: float, drop: float, bow: float) -> list[Part]:
    """The visor: a curved plate with a stitched edge. `half` = radians to each side, `drop` = its slope."""
    u = np.linspace(-1, 1, 41)[None]
    v = np.linspace(0, 1, 14)[:, None]
    angle = u * half
    across = np.sin(angle) * at.wide * (1.0 + 0.04 * v)
    length = reach * np.sqrt(np.clip(1 - 0.9996 * np.abs(u) ** 2.3, 0, 1))
    base = np.cos(angle) * at.long - 0.15
    forth = base + v * (length + 0.3)
    # It is sewn to the rim, and bends the more the farther it reaches.
    high = 0.12 - drop * v * length - bow * across**2 * (v * length / reach) ** 0.7
    points = at.place(across, forth, high)
    uv = np.stack(np.broadcast_arrays(across, forth), -1)
    plate = Part(points.astype(np.float32), uv.astype(np.float32), cloth, solid=False)
    edge = tube(points[-1], 0.15, 0.15, cloth=cloth, up=(0.0, -1.0, 0.05))
    return [plate, edge]


def beanie(frame: HeadFrame, skull: Skull, cloth: Cloth) -> tuple[list[Part], Seat, float]:
    """A knitted hat with a fold, ribs all round."""
    at = seat(frame, skull, 1.5, 0.24, 0.25, 9.0)
    top = _height(at, skull, 1.6, 10.2, 12.6)
    ribs = 0.5 + 0.5 * np.cos(_FINE * 62)
    q = np.linspace(0, 1, 44)[:, None]
    bend = q * np.pi / 2 * 0.99
    radius = np.cos(bend) ** 0.95
    gathered = 0.10 + 0.22 * q**3
    slouch = 0.35 * np.sin(np.pi * np.clip(q * 1.25, 0, 1)) ** 2
    out = (slouch + gathered * (ribs - 1)) * np.minimum(1, 3 * radius)
    across = np.sin(_FINE) * (at.wide * radius + out)
    forth = np.cos(_FINE) * (at.long * radius + out)
    high = 2.0 + (top - 2.0) * np.sin(bend) ** 0.95 - 0.10 * forth * q**2
    points = at.place(across, forth, high)
    mean = (at.wide + at.long) / 2
    uv = np.stack(np.broadcast_arrays(_FINE * mean, high), -1)
    body = Part(points.astype(np.float32), uv.astype(np.float32), cloth)
    return [body, _fold(at, cloth)], at, top - 0.8


_FINE: Final = np.linspace(0, 2 * np.pi, 497)[None]


def _fold(at: Seat, cloth: Cloth) -> Part:
    """The turned-up edge of a beanie."""
    t = np.linspace(0, 1, 22)[:, None]
    # From the inside of its lower edge round to the inside of its upper edge.
    high = 0.35 * np.clip(1 - t / 0.12, 0, 1) + 5.0 * np.clip((t - 0.12) / 0.88, 0, 1) ** 1.1
    out = 0.95 * np.clip(np.sin(np.pi * np.clip(t * 0.96 + 0.03, 0, 1)), 0, 1) ** 0.35 - 0.12
    ribs = 0.16 * (0.5 + 0.5 * np.cos(_FINE * 54) - 1) * np.clip(np.sin(np.pi * t), 0.2, 1)
    wave = 0.10 * np.sin(_FINE * 3 + 1.0) * t
    points = at.ring(_FINE, 1.0 - 0.010 * t, high + wave, out + ribs)
    uv = np.stack(np.broadcast_arrays(_FINE * (at.wide + at.long) / 2, high), -1)
    return Part(points.astype(np.float32), uv.astype(np.float32), cloth)


def helmet(frame: HeadFrame, skull: Skull, cloth: Cloth) -> tuple[list[Part], Seat, float]:
    """An open motorcycle helmet: a lacquered shell down to the jaw, a black edge, padding."""
    at = seat(frame, skull, 2.2, 0.06, 0.8, 9.6)
    top = _height(at, skull, 2.2, 11.0, 13.0)
    points = _shell(at, top, 1.2, _AROUND, 0.0)
    uv = np.stack(np.broadcast_arrays(_AROUND * at.wide, np.linspace(-11, top, len(points))[:, None]), -1)
    shell = Part(points.astype(np.float32), uv.astype(np.float32), cloth, material=_GLOSS)
    away = at.ring(_AROUND[0], 2.0) - at.ring(_AROUND[0], 1.0)
    edge = tube(points[0], 0.28, 0.28, cloth=Cloth("#17181a", "rubber"), closed=True, up=away)
    black = Cloth("#1b1c1f", "jersey")
    u = np.linspace(-0.98, 0.98, 41)
    forehead = _shell(at, top, 0.55, u[None], 0.0)[0] + np.array([0.0, -0.1, 0.0])
    lining = tube(forehead, 0.5 * np.cos(u / 0.98 * 1.5), 0.35, cloth=black, up=at.ring(u, 2.0) - at.ring(u, 1.0))
    inner = _shell(at, top, 1.05, _AROUND, 0.0)
    inside = Part(inner.astype(np.float32), np.zeros((*inner.shape[:2], 2), np.float32), black, solid=False)
    behind = _shell(at, top, 0.7, np.linspace(1.45, 2 * np.pi - 1.45, 61)[None], 0.3)
    back = Part(behind.astype(np.float32), np.zeros((*behind.shape[:2], 2), np.float32), black, solid=False, back=True)
    return [shell, inside, edge, lining, back], at, top - 1.2


def _shell(at: Seat, top: float, out: float, angle: F64, longer: float) -> F64:
    """Points (n, m, 3) of a helmet's shell: open before the face, down to the jaw from the ears on."""
    side = np.abs(np.angle(np.exp(1j * angle)))
    low = 0.2 - (10.6 + longer) / (1 + np.exp(-(side - 1.02) / 0.085))
    q = np.linspace(0, 1, 48)[:, None]
    upper = np.clip((q - 0.4) / 0.6, 0, 1) * np.pi / 2 * 0.995
    high = np.where(q < 0.4, low + (0.2 - low) * q / 0.4, 0.2 + (top - 0.2) * np.sin(upper))
    radius = np.where(q < 0.4, 1.0, np.cos(upper) ** 0.88)
    radius = radius * (1 - 0.006 * np.clip(-high - 1.5, 0, 11) ** 1.4)
    return at.place(np.sin(angle) * (at.wide + out) * radius, np.cos(angle) * (at.long + out) * radius, high)


def crown(frame: HeadFrame, skull: Skull, cloth: Cloth) -> tuple[list[Part], Seat, float]:
    """A gold crown: a band with stones, eight points with balls."""
    at = seat(frame, skull, 3.4, 0.10, 0.15, 9.6)
    points = 8
    u = np.linspace(0, 2 * np.pi, 241)[None]
    v = np.linspace(0, 1, 20)[:, None]
    wave = np.abs(((u / (2 * np.pi) * points + 0.5) % 1) - 0.5) * 2
    reach = 2.7 + 3.3 * np.clip(1 - wave * 1.12, 0, 1) ** 1.15
    high = v * reach
    flare = 0.16 * high
    wall = at.ring(u, 1.0, high, flare)
    uv = np.stack(np.broadcast_arrays(u * at.wide, high), -1)
    parts = [Part(wall.astype(np.float32), uv.astype(np.float32), cloth, material=_GOLD, solid=False)]
    for h in (0.15, 2.35):
        parts.append(_golden(tube(at.ring(u[0], 1.0, h, 0.16 * h + 0.05), 0.20, 0.20, cloth=cloth, closed=True)))
    parts.append(_golden(tube(wall[-1], 0.11, 0.11, cloth=cloth, closed=True)))
    for i in range(points):
        angle = np.array(2 * np.pi * i / points)
        tip = at.ring(angle, 1.0, 6.15, 0.16 * 6.0)
        parts.append(_golden(ball(tip, 0.42, cloth=cloth, n=10)))
        parts += _stone(at, angle, 0.62, _STONES[i % 2], cloth)
        parts += _stone(at, angle + np.pi / points, 0.36, _STONES[2], cloth)
    return parts, at, 8.5


def _golden(part: Part) -> Part:
    return Part(part.at, part.uv, part.cloth, part.cover, _GOLD, part.solid)


def _stone(at: Seat, angle: F64, size: float, colour: str, gold: Cloth) -> list[Part]:
    """A polished stone in its setting."""
    middle = at.ring(angle, 1.0, 1.25, 0.26)
    set_in = at.ring(angle, 1.0, 1.25, 0.20)
    stone = ball(middle, (size * 0.85, size, size * 0.7), cloth=Cloth(colour, "plastic"), n=12)
    stone = Part(stone.at, stone.uv, stone.cloth, material=(0.10, 0.09, 0.0, 0.0))
    return [_golden(ball(set_in, (size * 1.12, size * 1.25, size * 0.6), cloth=gold, n=12)), stone]
