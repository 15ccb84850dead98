"""Bow ties and necklaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from portrayal.engines.studio.wardrobe import cut
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.parts.basic import cloth_of
from portrayal.engines.studio.wardrobe.parts.registry import part
from portrayal.engines.studio.wardrobe.stage import Stage, solid

R = cut.NECK


@part("bow tie")
def bow_tie(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Params: y of the knot, size, offset of what it lies on."""
    y, size = float(params.get("y", 1.0)), float(params.get("size", 1.0))
    shell = stage.shell(offset=float(params.get("offset", 0.5)), neck=True)
    cloth, random = cloth_of(params, outfit), stage.random(91)
    for s in (-1, 1):
        for back, (w, h) in ((1, (5.3, 2.3)), (0, (5.0, 2.0))):
            w, h = w * size + float(random.uniform(-0.15, 0.15)), h * size
            low = 0.25 * back
            wing = cut.side(
                [
                    (0.4, y - 0.7),
                    (w * 0.4, y - 0.9, w * 0.7, y - h + low, w, y - h + low),
                    (w + 0.25, y, w - 0.05, y + h + low),
                    (w * 0.7, y + h + low, w * 0.4, y + 0.9, 0.4, y + 0.7),
                ],
                s,
            )
            spread = np.clip(np.abs(stage.x) / w, 0, 1)
            pleat = 0.16 * np.cos((stage.y - y) / np.maximum(0.35 + 0.75 * spread, 0.2) * 1.9) * (1 - spread) ** 0.7
            puff = (
                0.55
                * np.sin(np.clip(spread, 0, 1) * 2.4)
                * np.sqrt(np.clip(1 - ((stage.y - y) / (h + 0.6)) ** 2, 0, 1))
            )
            relief = (pleat + puff + 0.04 * stage.noise(3.0, 92 + back)).astype(np.float32)
            fabric = stage.fabric(cloth, number=back)
            stage.put(stage.area(wing), shell.z, shell.normals, fabric, relief, (0.18, 0.22), 0.9 + 0.5 * (1 - back))
    knot = cut.bezier(
        [
            (-0.9, y - 0.8),
            (0, y - 1.05, 0.9, y - 0.8),
            (1.1, y, 0.85, y + 0.85),
            (0, y + 1.05, -0.85, y + 0.85),
            (-1.1, y, -0.9, y - 0.8),
        ]
    )
    swell = 0.7 * np.sqrt(np.clip(1 - 0.7 * (stage.x / 1.05) ** 2 - 0.35 * ((stage.y - y) / 0.95) ** 2, 0.02, 1))
    pleat = 0.06 * np.cos(stage.x * 6.0)
    relief = (swell + pleat).astype(np.float32)
    stage.put(stage.area(knot), shell.z, shell.normals, stage.fabric(cloth, number=2), relief, (0.15, 0.25), 1.5)


@part("necklace")
def necklace(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A fine chain with a pendant, or a row of pearls (`beads`: radius in cm). Params: drop (y of its lowest
    point), beads."""
    drop, beads = float(params.get("drop", 5.2)), float(params.get("beads", 0.0))
    cloth = cloth_of(params, outfit)
    metal = cloth.fabric in ("metal", "steel")
    fabric = solid(cloth.colour, (0.22, 0.5, 0.0, 0.92) if metal else (0.22, 0.06, 0.05, 0.0))
    body = stage.shell(offset=0.05, neck=True, anatomy=0.75)
    curve = cut.resample(
        cut.bezier(
            [
                (-R - 1.4, -4.6),
                (-R * 0.9, 0.5, -2.4, drop - 0.3, 0, drop),
                (2.4, drop - 0.3, R * 0.9, 0.5, R + 1.4, -4.6),
            ],
            26,
        ),
        0.1,
    )
    u, d = stage.along(curve, stage.line(curve, 0.8 + 2 * beads))
    if beads:
        pitch = 2.02 * beads
        q = np.hypot((u / pitch) % 1 - 0.5, d / pitch) * 2
        cover = np.clip((1 - q) * beads / stage.detail + 0.5, 0, 1) * (np.abs(d) < 1.5 * beads)
        relief = beads * np.sqrt(np.clip(1 - q * q, 0, 1))
    else:
        half = 0.085 + 0.02 * np.cos(u * 22)
        cover = np.clip((half - np.abs(d)) / stage.detail + 0.5, 0, 1) * (np.abs(d) < 0.4)
        relief = 0.10 * np.sqrt(np.clip(1 - (d / 0.13) ** 2, 0, 1)) * (0.7 + 0.3 * np.cos(u * 22))
    inside = (cover * np.clip(body.edge * 6 + 1, 0, 1)).astype(np.float32)
    stage.put(inside, body.z, body.normals, fabric, relief.astype(np.float32), (0, 0), 0.10 + beads)
    if not beads:
        pendant = cut.disc(0.0, drop + 0.62, 0.5, 1.15)
        stage.put(stage.area(pendant), body.z, body.normals, fabric, None, (0.16, 0.3), 0.2)
