"""Glasses and sunglasses: rims, lenses, bridge, pads and arms, fitted to the person's own eyes and nose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.studio.accessories.frame import HeadFrame
from portrayal.engines.studio.accessories.solids import Part, tube
from portrayal.engines.studio.types import Subject
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.imaging import F64
from portrayal.perception.types import SKIN

_METAL: Final = (0.22, 0.55, 0.0, 0.9)
_GLASS: Final = (0.08, 0.05, 0.0, 0.0)
_DARK: Final = (0.09, 0.06, 0.0, 0.0)


@dataclass(frozen=True)
class Style:
    """Shape of a lens, cm: half width and height, power of the outline (2 = ellipse), how much wider it is above, how
    far its upper outer corner rises and its lower outer corner drops; half height and half thickness of the rim (0 =
    none); whether it is of wire."""

    wide: float
    high: float
    power: float
    taper: float
    rise: float
    drop: float
    rim: float
    deep: float
    wire: bool = False


_STYLES: Final[dict[str, Style]] = {
    "round": Style(2.32, 2.22, 2.1, 0.0, 0.0, 0.0, 0.085, 0.085, True),
    "square": Style(2.52, 1.80, 3.4, 0.07, 0.10, 0.0, 0.17, 0.16),
    "aviator": Style(2.80, 2.30, 2.6, 0.13, 0.05, 0.70, 0.07, 0.07, True),
    "cat-eye": Style(2.60, 1.80, 2.5, 0.13, 1.05, 0.0, 0.19, 0.16),
    "rimless": Style(2.55, 1.75, 3.4, 0.05, 0.0, 0.0, 0.0, 0.0, True),
}


@dataclass(frozen=True)
class _Fit:
    """Where the lenses sit in head axes, cm: half distance of their middles, height, depth of the plane, lean."""

    apart: float
    y: float
    z: float
    lean: float


def eyewear(frame: HeadFrame, subject: Subject, cut: str, cloth: Cloth, dark: bool) -> list[Part]:
    """The parts of glasses.

    Args:
        cut: a key of `_STYLES`.
        cloth: of the rim; metal rims are those of wire.
        dark: sunglasses.
    """
    style = _STYLES[cut]
    eyes = frame.marks[[33, 133, 362, 263]]
    half = float(np.ptp(eyes[:, 0])) / 4 + float(abs(eyes[2, 0] - eyes[1, 0])) / 4
    apart = max(half + 0.12, style.wide + 0.80)
    # The lenses hang a little lower than the pupils, and clear the bridge of the nose.
    bridge = frame.mark(168, 6)
    fit = _Fit(apart, float(eyes[:, 1].mean()) + 0.30, min(float(bridge[2]) - 0.25, -2.1), 0.13)
    parts: list[Part] = []
    for side in (-1, 1):
        edge = _outline(style, fit, side, 56)
        parts.append(_lens(style, fit, side, edge, dark))
        if style.rim:
            parts.append(tube(edge, style.rim, style.deep, cloth=cloth, closed=True, boxy=2.0 if style.wire else 3.0,
                              up=(0.0, 0.0, -1.0)))  # fmt: skip
        parts.append(_arm(frame, style, fit, side, edge, cloth, _bare_ear(frame, subject, side)))
        parts += _pads(frame, fit, style, side, cloth)
    parts += _bridge(style, fit, cloth)
    if style.wire and cloth.fabric == "plastic":
        parts = [p if p.material else _metallic(p) for p in parts]
    return parts


def _metallic(part: Part) -> Part:
    return Part(part.at, part.uv, part.cloth, part.cover, _METAL, part.solid, part.tucked, part.clear)


def _plane(fit: _Fit, x: F64, y: F64) -> F64:
    """(n, 3) points of the lenses' plane: it wraps a little round the face and leans its top forward."""
    z = fit.z + 0.016 * x * x + fit.lean * (y - fit.y)
    return np.stack([x, y, z], -1)


def _outline(style: Style, fit: _Fit, side: int, n: int) -> F64:
    """(n + 1, 3) closed outline of a lens."""
    t = np.linspace(0, 2 * np.pi, n + 1)
    c, s = np.cos(t), np.sin(t)
    x = np.sign(c) * np.abs(c) ** (2 / style.power) * style.wide  # outwards
    y = np.sign(s) * np.abs(s) ** (2 / style.power) * style.high  # down
    x *= 1 - style.taper * y / style.high
    out = np.clip(x / style.wide, -1, 1)
    y -= style.rise * np.clip(out, 0, 1) ** 2 * np.clip(-y / style.high + 0.3, 0, 1)
    y += style.drop * np.clip(0.5 + 0.5 * out, 0, 1) * np.clip(y / style.high, 0, 1) - 0.5 * style.drop
    return _plane(fit, side * (fit.apart + x), fit.y + y)


def _lens(style: Style, fit: _Fit, side: int, edge: F64, dark: bool) -> Part:
    rings = np.linspace(0.0, 1.0, 12)[:, None]
    middle = edge[:-1].mean(0)
    at = middle + rings[..., None] * (edge - middle)
    at[..., 2] -= 0.28 * (1 - rings**2)
    y = (at[..., 1] - fit.y) / style.high
    if dark:
        cover = 0.995 - 0.04 * np.clip(0.5 * y + 0.5, 0, 1)
        return Part(at.astype(np.float32), at[..., :2].astype(np.float32), Cloth("#14171b", "plastic"),
                    cover.astype(np.float32), _DARK)  # fmt: skip
    # A pane of light across clear glass, as from a window.
    x = side * (at[..., 0] - side * fit.apart) / style.wide
    band = np.exp(-(((x * side * 0.8 + y * 0.9 + 0.55) / 0.22) ** 2))
    cover = 0.03 + 0.045 * band * np.clip(0.6 - 0.6 * y, 0, 1) + 0.05 * rings[:, 0][:, None] ** 8
    return Part(at.astype(np.float32), at[..., :2].astype(np.float32), Cloth("#eef3f8", "plastic"),
                cover.astype(np.float32), _GLASS, clear=True)  # fmt: skip


def _bridge(style: Style, fit: _Fit, cloth: Cloth) -> list[Part]:
    inner = fit.apart - style.wide
    t = np.linspace(-1, 1, 15)
    thin = max(0.8 * style.rim, 0.075)

    def bar(y: float, arch: float, half: float, reach: float) -> Part:
        x = t * (inner + reach)
        path = _plane(fit, x, fit.y + y - arch * (1 - t * t))
        path[:, 2] -= 0.22 * (1 - t * t)
        return tube(path, half, max(style.deep, 0.075), cloth=cloth)

    bars = [bar(-0.42 * style.high, 0.22, thin, 0.12)]
    if style.drop:
        bars.append(bar(-0.86 * style.high, 0.05, thin, 0.55))
    return bars


def _pads(frame: HeadFrame, fit: _Fit, style: Style, side: int, cloth: Cloth) -> list[Part]:
    """Nose pads, half hidden behind the rims."""
    if not style.wire:
        return []
    x = side * (fit.apart - style.wide + 0.05)
    start = np.array([x, fit.y - 0.1, fit.z + 0.05])
    end = np.array([x - side * 0.12, fit.y + 0.65, fit.z + 0.75])
    t = np.linspace(0, 1, 6)[:, None]
    return [tube(start + (end - start) * t, 0.045, cloth=cloth)]


def _arm(frame: HeadFrame, style: Style, fit: _Fit, side: int, edge: F64, cloth: Cloth, bare: bool) -> Part:
    """From the rim's outer corner to the ear; a bare ear hides its end, otherwise the hair over it does."""
    y = fit.y - 0.45 * style.high - 0.5 * style.rise
    outer = float(np.abs(edge[:, 0]).max())
    temple = max(abs(float(frame.marks[127 if side < 0 else 356, 0])), outer + 0.3) + 0.12
    hinge = _plane(fit, np.array([side * (outer - 0.12), side * (outer + 0.18)]), np.array([y, y]))
    hinge[1, 2] += 0.12
    ear = np.array([side * temple, y + 0.15, 5.6])
    knee = hinge[1] + np.array([side * 0.12, 0.0, 0.55])
    far = np.array([side * (temple + 0.1), y + 0.45, 8.2])
    corners = np.stack([hinge[0], hinge[1], knee, ear, far])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    s = np.concatenate([np.linspace(0, length[2], 8)[:-1], np.linspace(length[2], length[-1], 24)])
    if bare:
        s = s[s <= length[3] + 0.4]
    if side * frame.yaw > 4:  # the face stands before the arm on its far side
        s = s[s <= length[2]]
    path = np.stack([np.interp(s, length, corners[:, k]) for k in range(3)], 1)
    high = (0.075 if style.wire else 0.26) * np.ones(len(s))
    if not style.wire:
        high = 0.26 - 0.08 * np.clip((s - length[2]) / 3, 0, 1)
    return tube(path, high, 0.07 if style.wire else 0.10, cloth=cloth, boxy=2.0 if style.wire else 3.5, tucked=not bare)


def _bare_ear(frame: HeadFrame, subject: Subject, side: int) -> bool:
    """Whether an ear shows that hair does not cover: then the arm lies on what hair there is."""
    ear = frame.mark(127 if side < 0 else 356) + np.array([side * 0.6, 1.2, 1.5], np.float32)
    x, y = (int(v) for v in np.round(frame.project(ear)[0]))
    r = max(1, round(1.2 * frame.scale))
    near = subject.regions[max(y - r, 0) : max(y + r + 1, 0), max(x - r, 0) : max(x + r + 1, 0)]
    return near.size > 0 and float((near == SKIN).mean()) > 0.22
