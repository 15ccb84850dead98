"""Plate armour, and rings of metal: surfaces that are bent by themselves, not laid on the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio.wardrobe import cut
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.parts.basic import shell_of, unit
from portrayal.engines.studio.wardrobe.parts.costume import bounds, fabric_of
from portrayal.engines.studio.wardrobe.parts.registry import part
from portrayal.engines.studio.wardrobe.stage import Box, Fabric, Stage
from portrayal.imaging import F32

R = cut.NECK


def dome(stage: Stage, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> tuple[F32, F32, F32]:
    """z, normals and coverage (h, w) of an ellipsoid seen from the front; nothing is outside of its box."""
    box = _near(stage, centre[0] - radii[0], centre[0] + radii[0], centre[1] - radii[1], centre[1] + radii[1])
    x, y = (stage.x[box] - centre[0]) / radii[0], (stage.y[box] - centre[1]) / radii[1]
    q = x * x + y * y
    front = np.sqrt(np.clip(1 - q, 0.01, 1))
    z, cover = np.zeros_like(stage.x), np.zeros_like(stage.x)
    normals = np.zeros((*stage.x.shape, 3), np.float32)
    z[box] = centre[2] + radii[2] * front
    normals[box] = unit(np.stack([x / radii[0], y / radii[1], front / radii[2]], -1))
    cover[box] = np.clip(0.5 + (1 - np.sqrt(q)) * (min(radii[0], radii[1]) / stage.detail), 0, 1)
    return z, normals, cover


def _near(stage: Stage, x0: float, x1: float, y0: float, y1: float) -> Box:
    """The box of the stage between x0, x1 and y0, y1 cm, with a margin; may be empty."""
    left, top = float(stage.x[0, 0]), float(stage.y[0, 0])
    j0, j1, i0, i1 = (
        int(max(0.0, v / stage.detail + r)) for v, r in ((x0 - left, -3), (x1 - left, 4), (y0 - top, -3), (y1 - top, 4))
    )
    return slice(i0, i1), slice(j0, j1)


def _plate(
    stage: Stage,
    cover: F32,
    z: F32,
    normals: F32,
    fabric: Fabric,
    *,
    rim: float,
    lift: float | F32,
    bend: F32 | None = None,
) -> None:
    """A plate with a rolled rim. `bend`: its own relief, cm."""
    box = bounds(cover)
    d = stage.distance(cover)[box]
    relief = np.zeros_like(cover)
    relief[box] = rim * np.exp(-(((d - 0.42) / 0.24) ** 2)) - 0.35 * rim * np.exp(-(((d - 0.95) / 0.25) ** 2))
    if bend is not None:
        relief[box] += bend[box]
    stage.put(cover, z, normals, fabric, relief, (0.24, 0.26), lift)


def _rivets(
    stage: Stage, points: list[tuple[float, float]], fabric: Fabric, z: F32, lift: float, r: float = 0.3
) -> None:
    normals = np.zeros((stage.h, stage.w, 3), np.float32)
    cover, bent = np.zeros_like(stage.x), np.zeros_like(stage.x)
    for x, y in points:
        box = stage.near(x, y, 1.3 * r)
        d = np.hypot(stage.x[box] - x, stage.y[box] - y) / r
        cover[box] = np.clip((1 - d) * (r / stage.detail) + 0.5, 0, 1)
        bent[box] = 0.6 * r * np.sqrt(np.clip(1 - d * d, 0, 1))
        normals[box][..., 2] = 1
    stage.put(cover, z, normals, fabric, bent, (0.0, 0.0), lift)


@part("costume armour")
def armour(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Mail, breastplate, gorget of three lames, pauldrons of five. Params: role; trim (role of the rivets)."""
    steel = fabric_of(stage, params, outfit)
    brass = fabric_of(stage, {"role": params.get("trim", "trim"), "material": (0.28, 0.5, 0.0, 0.95)}, outfit)
    _breastplate(stage, steel, brass)
    _gorget(stage, steel, brass)
    for s in (-1, 1):
        _pauldron(stage, s, steel, brass)


def _breastplate(stage: Stage, steel: Fabric, brass: Fabric) -> None:
    shell = stage.shell(offset=2.1, belly=1.2, pad=0.2)
    # Hammered into one globe: no muscle shows through a plate.
    sigma = 2.2 / stage.detail / 4
    size = (max(8, stage.w // 4), max(8, stage.h // 4))
    small = cv2.GaussianBlur(cv2.resize(shell.normals, size, interpolation=cv2.INTER_AREA), (0, 0), sigma)
    normals = unit(np.asarray(cv2.resize(small, (stage.w, stage.h), interpolation=cv2.INTER_CUBIC), np.float32))
    outline = cut.bezier(
        [
            (-9.8, 2.6), (-5.4, 6.6, 5.4, 6.6, 9.8, 2.6), (12.6, 1.8), (12.9, 6.5, 12.6, 10.0, 14.6, 14.5),
            (16.2, 22, 14.2, 30), (13.0, 34, 14.6, 60), (-14.6, 60), (-13.0, 34, -14.2, 30), (-16.2, 22, -14.6, 14.5),
            (-12.6, 10.0, -12.9, 6.5, -12.6, 1.8), (-9.8, 2.6),
        ], 18,
    )  # fmt: skip
    cover = stage.area(outline)
    ax = np.abs(stage.x)
    keel = 0.16 * (8.5 - np.minimum(np.sqrt(stage.x**2 + 0.06), 8.5)) * np.clip((stage.y - 4) / 5, 0, 1)
    flutes = np.zeros_like(ax)
    for a, b in ((5.0, 11.0),):
        for s in (-1, 1):
            curve = cut.side([(a * 0.35, 62.0), (a * 0.8, 22.0, b, 6.5)], s, 18)
            flutes += 0.16 * cv2.GaussianBlur(stage.line(curve, 0.16), (0, 0), 0.14 / stage.detail)
    _plate(stage, cover, shell.z, normals, steel, rim=0.30, lift=0.7, bend=(keel + flutes).astype(np.float32))
    points = [(s * x, y) for x, y in ((11.5, 3.4), (12.0, 9.6), (14.6, 17.0), (14.9, 23.0)) for s in (-1, 1)]
    _rivets(stage, points, brass, shell.z, 1.2)


def _gorget(stage: Stage, steel: Fabric, brass: Fabric) -> None:
    base = stage.shell(offset=0.9)
    for k, (r, top, foot, lift) in enumerate(
        ((R + 5.6, 1.6, 5.8, 1.3), (R + 3.0, -2.2, 3.4, 1.7), (R + 1.3, -5.4, 0.9, 2.0))
    ):
        z, normals = stage.band(r + 0.8, 0.52 - 0.16 * k, -6.4)
        outline = cut.bezier(
            [
                (-r - 0.1, top - 3.4), (-r * 0.72, top + 1.0, 0, top + 2.1), (r * 0.72, top + 1.0, r + 0.1, top - 3.4),
                (r + 0.8, top - 1.4, r + 0.8, foot - 3.4), (r * 0.74, foot + 0.8, 0, foot + 2.2),
                (-r * 0.74, foot + 0.8, -r - 0.8, foot - 3.4), (-r - 0.8, top - 1.4, -r - 0.1, top - 3.4),
            ], 18,
        )  # fmt: skip
        keel = 0.10 * (2.2 - np.minimum(np.sqrt(stage.x**2 + 0.02), 2.2))
        surface = np.maximum(z, base.z + 0.4)
        _plate(stage, stage.area(outline), surface, normals, steel, rim=0.34 if k == 2 else 0.16, lift=lift, bend=keel)
        if k < 2:
            places = [(x * r, foot - 1.3 + 1.6 * (1 - x * x) - 2.2 * abs(x) ** 3) for x in (-0.84, -0.44, 0.44, 0.84)]
            _rivets(stage, places, brass, surface, lift + 0.5)


def _pauldron(stage: Stage, s: int, steel: Fabric, brass: Fabric) -> None:
    # Where each lame ends on its inner edge: x, y.
    ends = [(9.8, -2.6), (12.2, 4.6), (12.8, 7.8), (13.4, 10.8), (13.9, 13.6), (14.3, 16.2)]
    for k in range(len(ends) - 2, -1, -1):
        (x0, y0), (x1, y1) = ends[k], ends[k + 1]
        # Each lame slides under the one above it, so it is a little smaller.
        z, normals, inside = dome(stage, (s * 17.2, 9.4, -6.0), (8.5 - 0.28 * k, 11.4, 9.2))
        y0 -= 0.9 if k else 0.0
        outline = cut.side(
            [
                (x0, y0), (17.5, y0 + (2.2 if k else -6.5), 27.5, y0 - (1.4 if k else 6.0)), (27.5, y1 + 0.2),
                (22.5, y1 + 2.6, 17.6, y1 + 2.4), (14.4, y1 + 2.0, x1, y1),
                (x1 - 1.0, y1 - 1.4, x0 - (0.2 if k else 1.0), y0 + 1.2), (x0 - 0.3, y0 + 0.4, x0, y0),
            ], s, 18,
        )  # fmt: skip
        cover = stage.area(outline) * inside
        # Each lame is a barrel of its own: it mirrors the room from its upper to its lower edge.
        box = bounds(cover)
        t = np.clip((stage.y[box] - y0) / (y1 + 2.0 - y0), 0, 1)
        barrel = normals[box].copy()
        barrel[..., 1] += np.float32(0.42 if k else 0.10) * (2 * t - 1)
        normals[box] = unit(barrel)
        lift = np.zeros_like(cover)
        lift[box] = 1.7 - 0.28 * k + 0.35 * t
        _plate(stage, cover, z, normals, steel, rim=0.20, lift=lift)
        _rivets(stage, [(s * (x1 + 0.9), y1 - 0.2), (s * 17.0, y1 + 1.5)], brass, z, 2.3 - 0.28 * k, 0.26)


@part("costume ring")
def ring(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """An elliptic ring around the neck, seen from a little above.

    Params: x, y, wide, high (radii of its middle line), thick (radius of the tube), half "back" or "front" or "both",
    depth (z of its sides), reach (how far its front comes forward), arcs [[from, to], ...] in radians from the
    picture's right downwards: only these parts; square (0 round .. 1 boxy tube), lift.
    """
    cx, cy = float(params.get("x", 0.0)), float(params["y"])
    a, b, r = float(params["wide"]), float(params["high"]), float(params["thick"])
    x, y = (stage.x - cx) / a, (stage.y - cy) / b
    q = np.sqrt(x * x + y * y) + 1e-6
    slope = np.sqrt((x / a) ** 2 + (y / b) ** 2) / q
    away = (q - 1) / np.maximum(slope, 1e-4)
    t = np.clip(away / r, -1, 1)
    cover = np.clip(0.5 + (r - np.abs(away)) / stage.detail, 0, 1)
    half = params.get("half", "both")
    if half != "both":
        sign = 1 if half == "front" else -1
        cover = cover * np.clip(0.5 + sign * (stage.y - cy) / stage.detail, 0, 1)
    angle = np.arctan2(y, x)
    if "arcs" in params:
        window = np.zeros_like(angle)
        for low, high in params["arcs"]:
            soft = stage.detail / a
            window += np.clip((angle - low) / soft, 0, 1) * np.clip((high - angle) / soft, 0, 1)
        cover = cover * np.clip(window, 0, 1)
    boxy = float(params.get("square", 0.0))
    bulge = np.clip(1 - np.abs(t) ** (2 + 6 * boxy), 0, 1) ** 0.5
    lean = t * (np.abs(t) ** (4 * boxy))
    ex, ey = np.cos(angle), np.sin(angle)
    normals = unit(np.stack([ex * lean, ey * lean * 1.2 - 0.30 * bulge, np.maximum(bulge, 0.12)], -1))
    z = float(params.get("depth", -6.0)) + ey * float(params.get("reach", 0.85 * a)) + r * bulge
    u = np.asarray(angle * a, np.float32)
    fabric = fabric_of(stage, params, outfit, (u, np.asarray(away, np.float32)))
    relief = np.zeros_like(cover)
    if "ridges" in params:
        period, depth = params["ridges"]
        relief = depth * np.cos(u * (2 * np.pi / period))
    stage.put(
        np.asarray(cover, np.float32), z.astype(np.float32), normals, fabric, np.asarray(relief, np.float32),
        (0.0, 0.0), float(params.get("lift", 0.0)),
    )  # fmt: skip


@part("costume hollow")
def hollow(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """What is seen inside of a ring, behind the neck: an ellipse of padded lining. Params: x, y, wide, high, depth."""
    outline = cut.disc(
        float(params.get("x", 0.0)), float(params["y"]), float(params["wide"]), params["high"] / params["wide"]
    )
    shell = shell_of(stage, params)
    normals = np.zeros_like(shell.normals)
    normals[..., 1], normals[..., 2] = -0.45, 0.89
    z = np.full_like(stage.x, float(params.get("depth", -11.0)))
    relief = 0.25 * stage.noise(4.0, 77)
    stage.put(stage.area(outline), z, normals, fabric_of(stage, params, outfit), relief)
