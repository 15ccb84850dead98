"""Bands around the neck: roll necks, stand-up collars, scarves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from portrayal.engines.studio.wardrobe import cut
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.parts.basic import cloth_of
from portrayal.engines.studio.wardrobe.parts.registry import part
from portrayal.engines.studio.wardrobe.stage import Stage

R = cut.NECK


@part("turtleneck")
def turtleneck(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A ribbed tube around the neck, folded over once. Params: top, bottom (y), radius, offset and bulk of the body."""
    top, bottom = float(params.get("top", -6.4)), float(params.get("bottom", 0.8))
    r = float(params.get("radius", R + 1.0))
    edge = r + 0.15
    random = stage.random(51)
    sag = float(random.uniform(-0.3, 0.3))
    outline = cut.bezier(
        [
            (-edge + 0.1, top + 0.2),
            (-edge * 0.75, top + 2.0, sag, top + 2.5),
            (edge * 0.75, top + 2.0, edge - 0.1, top + 0.2),
            (edge + 0.5, top + 1.8, edge + 1.0, bottom - 3.6),
            (edge + 0.9, bottom + 0.2, edge * 0.55, bottom + 1.9, sag, bottom + 2.0),
            (-edge * 0.55, bottom + 2.1, -edge - 0.9, bottom + 0.2, -edge - 1.0, bottom - 3.6),
            (-edge - 0.5, top + 1.8, -edge + 0.1, top + 0.2),
        ],
        16,
    )
    cover = stage.area(outline)
    turn = np.arcsin(np.clip(stage.x / r, -0.999, 0.999))
    z, normals = stage.band(r + 1.3, 0.02, -7.2)
    t = np.clip((stage.y - top - 2.2 * np.cos(turn)) / (bottom - top), 0, 1)
    puff = 0.75 * np.sqrt(np.clip(1 - (2 * t - 1) ** 4, 0, 1))
    normals[..., 1] += -0.55 * (1 - t) ** 2.2 + 0.45 * t**3
    lines = []
    for _ in range(5):
        y, tip = float(random.uniform(top + 2.4, bottom + 0.4)), float(random.uniform(0.6, 2.2))
        lines.append(
            (
                (-edge + float(random.uniform(0, 6)), y - 1.6),
                (float(random.uniform(-1.5, 1.5)), y + tip * 0.5),
                (edge - float(random.uniform(0, 6)), y - 1.4),
                float(random.uniform(0.05, 0.14)),
                float(random.uniform(0.45, 0.8)),
                1.2,
            )
        )
    body = stage.shell(offset=float(params.get("offset", 1.0)), bulk=float(params.get("bulk", 1.2)))
    cloth = cloth_of({**params, "fabric": "rib", "patterned": False}, outfit)
    fabric = stage.fabric(cloth, ((turn * (r * 0.8)).astype(np.float32), stage.y))
    stage.put(
        cover,
        np.maximum(z + puff * 0.6, body.z - 1.0).astype(np.float32),
        normals,
        fabric,
        stage.strokes(lines) + 0.05 * stage.noise(10.0, 52),
        (0.35, 0.5),
        0.3,
    )


@part("mandarin")
def mandarin(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A stand-up collar, open in front. Params: radius, top, bottom, gap, dip, offset of the body, edge."""
    r, top, bottom = (
        float(params.get("radius", R + 0.9)),
        float(params.get("top", -5.6)),
        float(params.get("bottom", 0.9)),
    )
    gap, dip = float(params.get("gap", 1.0)), float(params.get("dip", 2.0))
    z, normals = stage.band(r + 0.8, 0.12, -6.8)
    body = stage.shell(offset=float(params.get("offset", 0.8)), neck=True)
    for s in (-1, 1):
        leaf = cut.side(
            [
                (r, top),
                (r * 0.8, top + 1.5 + dip * 0.9, gap * 1.4, top + 2.3 + dip, gap * 0.5, top + 2.6 + dip),
                (gap * 0.1 + 0.1 * s, bottom + 1.9),
                (r * 0.5, bottom + 1.7, r + 0.4, bottom - 0.4, r + 0.9, bottom - 3.2),
                (r + 0.6, top - 0.2, r, top),
            ],
            s,
            16,
        )
        cover = stage.area(leaf)
        stitch = 0.02 * np.exp(-(((stage.distance(cover) - 0.35) / 0.07) ** 2))
        relief = (0.05 * stage.noise(6, 54) - stitch).astype(np.float32)
        height = np.maximum(z, body.z - 0.5).astype(np.float32)
        stage.put(cover, height, normals, stage.fabric(cloth_of(params, outfit)), relief, (0.22, 0.22), 0.4)


@part("scarf")
def scarf(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A scarf wound twice around the neck, its ends hanging in front. Params: ends (false: tucked in), fabric."""
    random = stage.random(61)
    cloth = cloth_of(params, outfit)
    body = stage.shell(offset=1.4, neck=True)
    if params.get("ends", True):
        for s, x, length in ((1, 2.6, 30.0), (-1, -1.2, 24.0)):
            x += float(random.uniform(-0.8, 0.8))
            curve = cut.bezier([(x, 1.0), (x + 0.6 * s, 10, x + 1.6 * s, 20, x + 1.2 * s, length)], 30)
            outline = cut.ribbon(curve, -3.0, 3.0)
            cover = stage.area(outline)
            u, d = stage.along(curve, cover)
            lines = [
                ((x + k, 1.0), (x + k * 1.3 + 0.5, 12.0), (x + k * 1.2 + s, length), 0.28, 0.55, 1.2)
                for k in (-1.7, -0.3, 1.2)
            ]
            relief = stage.strokes(lines) + 0.35 * np.sqrt(np.clip(1 - (d / 3.1) ** 2, 0, 1)).astype(np.float32)
            stage.put(
                cover, body.z, body.normals, stage.fabric(cloth, (d, u)), relief, (0.35, 0.5), 0.6 + 0.3 * (s > 0)
            )
            _fringe(stage, curve, replace(cloth, pattern=None), body.z)
    for y0, y1, r, skew, lift in ((-5.4, 0.2, R + 1.7, 0.5, 0.5), (-2.4, 4.0, R + 2.7, -0.8, 1.1)):
        skew += float(random.uniform(-0.5, 0.5))
        outline = cut.bezier(
            [
                (-r, y0 - skew),
                (-r * 0.6, y0 + 3.0, r * 0.6, y0 + 3.0 + skew, r, y0 + skew),
                (r + 1.3, y0 + 1.5, r + 0.3, y1 - 1.2),
                (r * 0.55, y1 + 2.4, -r * 0.55, y1 + 2.4 - skew, -r - 0.3, y1 - 1.4),
                (-r - 1.3, y0 + 1.5, -r, y0 - skew),
            ],
            16,
        )
        cover = stage.area(outline)
        z, normals = stage.band(r + 0.8, 0.0, -6.4)
        arch = 2.2 * np.sqrt(np.clip(1 - (stage.x / r) ** 2, 0, 1))
        t = np.clip((stage.y - y0 - arch - skew * stage.x / r * 0.5) / (y1 - y0), 0, 1)
        normals[..., 1] += -0.75 * (1 - t) ** 2 + 0.65 * t**2
        lines = []
        for k in range(7):
            h = y0 + 0.6 + (y1 - y0) * k / 7 + float(random.normal()) * 0.25
            a, b = float(random.uniform(-1, 0.2)), float(random.uniform(-0.2, 1))
            lines.append(
                (
                    (-r + (a + 1) * 3, h - skew),
                    (float(random.normal()), h + 3.2 + float(random.normal()) * 0.4),
                    (r - (1 - b) * 3, h + skew),
                    float(random.uniform(0.18, 0.45)),
                    float(random.uniform(0.35, 0.7)),
                    float(random.uniform(0.7, 1.5)),
                )
            )
        turn = np.arcsin(np.clip(stage.x / (r + 0.6), -0.99, 0.99)) * r
        fabric = stage.fabric(cloth, ((stage.y - arch).astype(np.float32), turn.astype(np.float32)))
        relief = stage.strokes(lines) + 0.08 * stage.noise(12.0, 63)
        stage.put(cover, np.maximum(z, body.z).astype(np.float32), normals, fabric, relief, (0.6, 0.9), lift)


def _fringe(stage: Stage, curve: Any, cloth: Any, z: Any) -> None:
    """The knotted threads at the end of a scarf."""
    end, random = curve[-1], stage.random(62)
    facing = np.zeros((stage.h, stage.w, 3), np.float32)
    facing[..., 2] = 1
    for k in np.arange(-2.8, 2.9, 0.5):
        x, y = float(end[0] + k), float(end[1]) - 0.2
        way = float(random.normal()) * 0.25
        strand = cut.bezier([(x, y), (x + way * 0.3, y + 1.6, x + way, y + 3.2 + float(random.uniform(-0.3, 0.3)))], 6)
        cover = stage.line(strand, 0.26)
        stage.put(cover, z, facing, stage.fabric(cloth), None, (0.12, 0.12), 0.7)
