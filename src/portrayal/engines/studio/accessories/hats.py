"""Hats with a brim: a crown turned on an ellipse, pinched and dented, a brim that curls, a band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.studio.accessories.frame import HeadFrame, Skull
from portrayal.engines.studio.accessories.solids import Part, sheet, tube
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.imaging import F32, F64

_TURN: Final = 97  # points around


@dataclass(frozen=True)
class Seat:
    """How something sits on the head: an ellipse in a plane that leans to the back; head axes, cm.

    Attributes:
        centre: (3,) its middle.
        wide, long: half axes.
        lean: radians by which its back is lower.
    """

    centre: F64
    wide: float
    long: float
    lean: float

    def place(self, across: F64, forth: F64, high: F64) -> F64:
        """Points (..., 3): cm to the picture's right, to the front, and up, in the plane's own axes."""
        c, s = np.cos(self.lean), np.sin(self.lean)
        across, forth, high = np.broadcast_arrays(across, forth, high)
        return np.stack(
            [
                self.centre[0] + across,
                self.centre[1] - forth * s - high * c,
                self.centre[2] - forth * c + high * s,
            ],
            -1,
        )

    def ring(self, angle: F64, radius: F64 | float = 1.0, high: F64 | float = 0.0, out: F64 | float = 0.0) -> F64:
        """Points on the ellipse times `radius` plus `out` cm; angle 0 = front, growing to the picture's right."""
        return self.place(
            np.sin(angle) * (self.wide * radius + out), np.cos(angle) * (self.long * radius + out), np.asarray(high)
        )


def seat(frame: HeadFrame, skull: Skull, front: float, lean: float, room: float, most: float = 9.3) -> Seat:
    """The seat of something round the head.

    Args:
        front: cm of its lower edge above the eyebrows' middle.
        lean: radians.
        room: cm between hair and band.
        most: half width to which hair is pressed at most.
    """
    brow = frame.mark(105, 66, 334, 296)
    forehead = frame.mark(151, 9)
    y = float(brow[1]) - front
    temples = float(abs(frame.marks[[21, 251], 0]).mean())
    left, right = (float(np.clip(v + room, temples + 0.75, most)) for v in (-skull.left, skull.right))
    wide = (left + right) / 2
    first = float(forehead[2]) - 0.35
    long = max(9.4, 1.08 * wide)
    x = float(np.clip((right - left) / 2, -0.7, 0.7))
    return Seat(np.array([x, y + long * np.sin(lean), first + long * np.cos(lean)]), wide, long, lean)


def dome(at: Seat, top: float) -> Part:
    """Head and hair below a hat: what is behind it is not seen. `top` = cm over the seat."""
    v = np.linspace(-0.8, np.pi / 2 - 0.02, 24)[:, None]
    u = np.linspace(0, 2 * np.pi, 49)[None]
    high = np.where(v > 0, top, 13.0) * np.sin(v)
    radius = np.where(v > 0, np.cos(v), 1.0) * 0.985
    points = at.place(np.sin(u) * at.wide * radius, np.cos(u) * at.long * radius, high)
    return Part(points.astype(np.float32), np.zeros((*points.shape[:2], 2), np.float32), Cloth("#000000", "felt"))


@dataclass(frozen=True)
class _Hat:
    """Measures of a hat, cm: crown, brim, how much the brim's sides rise and its front falls, narrowing of the crown,
    dent along its top, pinch at its front, roundness of its upper edge, height of the band."""

    crown: float
    brim: float
    curl: float
    dip: float
    narrow: float
    dent: float
    pinch: float
    edge: float
    band: float


_HATS: Final[dict[str, _Hat]] = {
    "fedora": _Hat(10.4, 5.6, 1.2, 1.5, 0.17, 2.4, 1.3, 2.2, 3.3),
    "cowboy": _Hat(11.5, 8.6, 4.2, 2.0, 0.16, 3.4, 1.6, 2.4, 1.8),
    "top hat": _Hat(15.0, 5.0, 1.4, 1.1, -0.02, 0.0, 0.0, 0.5, 3.6),
    "bowler": _Hat(11.2, 4.4, 1.5, 0.9, 0.05, 0.0, 0.0, 7.0, 3.0),
    "wide-brimmed": _Hat(10.2, 9.2, -0.8, 2.4, 0.14, 0.4, 0.0, 3.6, 3.4),
}


def hat(frame: HeadFrame, skull: Skull, cut: str, cloth: Cloth, band: Cloth) -> tuple[list[Part], Seat]:
    """A hat with a brim, and how it sits."""
    kind = _HATS[cut]
    at = seat(frame, skull, 2.2, 0.17, 0.35)
    angle = np.linspace(0, 2 * np.pi, _TURN)[None]
    parts = [_crown(kind, at, angle, cloth), _band(kind, at, angle, band)]
    parts += _brim(kind, at, angle, cloth)
    return parts, at


def _shape(kind: _Hat, angle: F64, high: F64) -> F64:
    """Radius of the crown's wall, a share of the seat."""
    share = np.clip(high / kind.crown, 0, 1)
    radius = 1 - kind.narrow * share**1.6
    for side in (0.62, 2 * np.pi - 0.62):
        away = np.angle(np.exp(1j * (angle - side)))
        radius = radius - kind.pinch / 9 * np.exp(-((away / 0.42) ** 2)) * np.clip(share * 1.5 - 0.35, 0, 1) ** 1.3
    return np.asarray(radius)


def _crown(kind: _Hat, at: Seat, angle: F64, cloth: Cloth) -> Part:
    wall = np.linspace(-0.25, kind.crown - kind.edge, 22)[:, None]
    q = np.linspace(0, 1, 30)[1:, None]
    # The upper edge is a quarter of an ellipse, what is left a flat top.
    bend = np.clip(q / 0.55, 0, 1) * np.pi / 2
    mean = (at.wide + at.long) / 2
    inset = kind.edge * (1 - np.cos(bend)) / mean
    flat = np.clip((q - 0.55) / 0.45, 0, 1)
    high = np.concatenate([wall, kind.crown - kind.edge + kind.edge * np.sin(bend)])
    base = _shape(kind, angle, np.minimum(high, kind.crown))
    cut = np.concatenate([np.zeros_like(wall), inset])
    flat = np.concatenate([np.zeros_like(wall), flat])
    radius = np.maximum((base - cut) * (1 - flat), 0.004)
    across, forth = np.sin(angle) * at.wide * radius, np.cos(angle) * at.long * radius
    top = np.clip((high - kind.crown + kind.edge) / max(kind.edge, 0.1), 0, 1)
    # A crease along the top, deeper behind the front.
    dent = kind.dent * np.exp(-((across / 3.0) ** 2)) * top * np.clip(1.1 - 0.05 * (forth - 3) ** 2 / 4, 0.2, 1)
    slope = 0.07 * forth * np.clip(high / kind.crown, 0, 1) * (1 if kind.dent else 0)
    points = at.place(across, forth, high - dent + slope)
    girth = angle * mean
    down = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points[:, 0], axis=0), axis=1))])[:, None]
    uv = np.stack(np.broadcast_arrays(girth, down), -1)
    return Part(points.astype(np.float32), uv.astype(np.float32), cloth)


def _band(kind: _Hat, at: Seat, angle: F64, cloth: Cloth) -> Part:
    high = np.linspace(0.0, kind.band, 8)[:, None]
    swell = 0.14 * np.clip(np.sin(np.pi * np.linspace(0.06, 0.94, 8)), 0, 1)[:, None] ** 0.3
    points = at.ring(angle, _shape(kind, angle, high), high, swell)
    uv = np.stack(np.broadcast_arrays(angle * 9.0, high), -1)
    return Part(points.astype(np.float32), uv.astype(np.float32), cloth)


def _brim(kind: _Hat, at: Seat, angle: F64, cloth: Cloth) -> list[Part]:
    t = np.linspace(0, 1, 14)[:, None]
    sides = np.sin(angle) ** 2
    front = np.clip(np.cos(angle), 0, 1) ** 2
    back = np.clip(-np.cos(angle), 0, 1) ** 2
    rise = kind.curl * sides * t**1.8 - kind.dip * front * t**1.3 + 0.25 * kind.curl * back * t**2
    out = kind.brim * t * (1 - 0.10 * sides - 0.03 * max(kind.curl, 0) * sides * t)
    points = at.ring(angle, 1.0, rise, out)
    plate = sheet(points, cloth=cloth)
    edge = tube(points[-1], 0.13, 0.13, cloth=cloth, closed=True, up=(0.0, -1.0, 0.05))
    return [plate, edge]


def lower_edge(at: Seat, n: int = 129) -> F32:
    """(n, 3) the seat's outline, from the back over the picture's left, the front and the right to the back."""
    return at.ring(np.linspace(-np.pi, np.pi, n)).astype(np.float32)
