"""Shirt collars, ties, lapels, buttons: what tailored clothes are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from portrayal.engines.studio.wardrobe import cut
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.parts.basic import cloth_of, shell_of, unit
from portrayal.engines.studio.wardrobe.parts.registry import part
from portrayal.engines.studio.wardrobe.stage import Fabric, Stage, solid
from portrayal.imaging import F32

R = cut.NECK

# Roughness, F0, sheen, metal.
METALS: dict[str, tuple[str, tuple[float, float, float, float]]] = {
    "silver": ("#b9bbbf", (0.25, 0.5, 0.0, 0.9)),
    "steel": ("#8d9095", (0.30, 0.5, 0.0, 0.9)),
    "gold": ("#c79a3e", (0.26, 0.5, 0.0, 0.95)),
    "copper": ("#9c6340", (0.28, 0.5, 0.0, 0.95)),
}
HORN = (0.32, 0.05, 0.0, 0.0)


def hardware(colour: str) -> Fabric:
    """Metal by name, or horn of a colour "#rrggbb"."""
    return solid(*METALS[colour]) if colour in METALS else solid(colour, HORN)


def knobs(stage: Stage, points: list[tuple[float, float]], radius: float, colour: str, z: F32, lift: float) -> None:
    """Buttons, rivets, studs: horn ones have four holes and a rim, metal ones are domed."""
    facing = np.zeros((stage.h, stage.w, 3), np.float32)
    facing[..., 2] = 1
    for x, y in points:
        box = stage.near(x, y, 1.4 * radius)
        px, py = stage.x[box], stage.y[box]
        d = np.hypot(px - x, py - y) / np.float32(radius)
        if colour in METALS:
            bent = 0.5 * radius * np.sqrt(np.clip(1 - d * d, 0, 1))
        else:
            bent = 0.06 * radius * np.exp(-(((d - 0.80) / 0.16) ** 2))
            for a in range(4):
                hx = x + 0.28 * radius * math.cos(a * 1.5708 + 0.78)
                hy = y + 0.28 * radius * math.sin(a * 1.5708 + 0.78)
                bent = bent - 0.09 * radius * np.exp(-((np.hypot(px - hx, py - hy) / (0.13 * radius)) ** 2))
        cover, relief = np.zeros_like(stage.x), np.zeros_like(stage.x)
        cover[box] = np.clip((1 - d) * np.float32(radius / stage.detail) + 0.5, 0, 1)
        relief[box] = bent
        stage.put(cover, z, facing, hardware(colour), relief, (0.10 * radius, 0.2 * radius), lift)


@part("buttons")
def buttons(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Params: the shell's; points [[x, y], ...]; or x, top, step, count; radius, colour, lift."""
    shell = shell_of(stage, params)
    points = [(float(x), float(y)) for x, y in params.get("points", ())]
    for k in range(int(params.get("count", 0))):
        points.append((float(params["x"]), float(params["top"]) + k * float(params["step"])))
    radius, colour = float(params.get("radius", 0.55)), str(params.get("colour", "#e8e4d8"))
    knobs(stage, points, radius, colour, shell.z, float(params.get("lift", 0.2)))


@part("shirt collar")
def shirt_collar(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The two leaves of a shirt's collar. Params: open 0..1 (unbuttoned), spread cm, height 1, offset of the shirt."""
    gap = 0.35 + 2.4 * float(params.get("open", 0.0))
    y = 0.6 + 3.0 * float(params.get("open", 0.0))
    spread, high = float(params.get("spread", 0.0)), float(params.get("height", 1.0))
    offset = float(params.get("offset", 0.5))
    round_z, round_n = stage.band(R + 1.95, 0.42, -7.0)
    body = stage.shell(offset=offset, neck=True)
    tilt = np.clip((stage.y - y) / 5, 0, 1)
    normals = unit(round_n * (1 - 0.75 * tilt)[..., None] + body.normals * (0.75 * tilt)[..., None])
    z = np.maximum(round_z * (1 - tilt) + tilt * (body.z + 0.9), body.z + 0.55)
    for s in (-1, 1):
        leaf = cut.side(
            [
                (R + 0.55, -5.6 * high - 0.2),
                (R + 0.35, -3.0, R * 0.62, -0.9, gap, y),
                (gap + 2.6 + spread, y + 5.2),
                (gap + 3.1 + spread, y + 5.2, gap + 3.4 + spread, y + 4.7),
                (R + 1.2, 2.2, R + 2.3, -1.6, R + 1.5, -4.6 * high),
                (R + 1.0, -6.0 * high, R + 0.55, -5.6 * high - 0.2),
            ],
            s,
            16,
        )
        cover = stage.area(leaf)
        d = stage.distance(cover)
        stitch = 0.016 * np.exp(-(((d - 0.5) / 0.07) ** 2))
        fabric = stage.fabric(cloth_of(params, outfit), (stage.x * 0.94 + stage.y * (0.34 * s), stage.y))
        relief = (0.05 * stage.noise(7, 40 + s) - stitch).astype(np.float32)
        stage.put(cover, z.astype(np.float32), normals, fabric, relief, (0.15, 0.16), 0.4)


@part("tie")
def tie(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Knot and blade. Params: y of the knot, width, knot, offset of what it lies on."""
    y, width, knot = float(params.get("y", 0.9)), float(params.get("width", 1.0)), float(params.get("knot", 1.0))
    shell = stage.shell(offset=float(params.get("offset", 0.5)), neck=True)
    cloth, slack = cloth_of(params, outfit), float(stage.random(31).uniform(-0.35, 0.35))
    blade = cut.bezier(
        [
            (-1.5, y + 2.9),
            (1.5, y + 2.9),
            (2.1, y + 7, 3.4 * width + slack, y + 16, 4.3 * width + slack, y + 40),
            (-4.3 * width + slack, y + 40),
            (-3.4 * width + slack, y + 16, -2.1, y + 7, -1.5, y + 2.9),
        ]
    )
    t = np.clip((stage.y - y - 3) / 14, 0, 1)
    half = np.maximum(1.5 + 2.0 * t * width, 0.5)
    x = stage.x / half
    dimple = 0.34 * np.exp(-((x / 0.33) ** 2)) * np.exp(-np.maximum(stage.y - y - 3, 0) / 3.2)
    pillow = 0.5 * np.sqrt(np.clip(1 - np.clip(x, -1, 1) ** 4, 0, 1)) - dimple + 0.06 * stage.noise(9, 33)
    # Cut on the bias: the pattern runs at 45 degrees already in the cloth.
    stage.put(
        stage.area(blade),
        shell.z,
        shell.normals,
        stage.fabric(cloth, (stage.x, stage.y)),
        pillow.astype(np.float32),
        (0.12, 0.22),
        0.5,
    )
    w = 2.15 * knot
    outline = cut.bezier(
        [
            (-w, y - 0.55),
            (0, y - 0.95, w, y - 0.55),
            (w * 1.02, y + 0.6, 1.5, y + 3.3),
            (0, y + 3.95, -1.5, y + 3.3),
            (-w * 1.02, y + 0.6, -w, y - 0.55),
        ]
    )
    across, down = stage.x / w, (stage.y - y - 1.3) / 2.4
    wrap = 0.12 * np.exp(-(((stage.x - 0.9 * (stage.y - y) * 0.35 + 0.9) / 0.22) ** 2))
    swell = 1.0 * np.sqrt(np.clip(1 - 0.75 * across**2 - 0.5 * down**2, 0.02, 1)) + wrap
    turned = (stage.x * 0.8 - stage.y * 0.6, stage.x * 0.6 + stage.y * 0.8)
    stage.put(
        stage.area(outline),
        shell.z,
        shell.normals,
        stage.fabric(cloth, (turned[0].astype(np.float32), turned[1].astype(np.float32))),
        swell.astype(np.float32),
        (0.16, 0.28),
        0.75,
    )


def front_edge(s: int, params: Mapping[str, Any]) -> F32:
    """The front edge of a jacket's side s from the neck down to the button, where it begins to roll."""
    x, y = float(params.get("roll_x", 6.6)), float(params.get("button", 25.0))
    lap = float(params.get("lap", 1.1))
    top = -4.6 - 0.25 * float(params.get("pad", 1.3))
    points = [
        (R + 0.7, top),
        (R + 0.9, -1.5, x - 0.2, 4, x * 0.545, y * 0.52),
        (x * 0.2, y * 0.8, -lap if s > 0 else -0.6, y),
    ]
    return cut.side(points, s, 18)


@part("jacket")
def jacket(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The two fronts of a jacket, each with its lapel and collar; the picture's right laps over.

    Params: the shell's; button (y of the upper one), roll_x, lap; folds, amount; lapel ("notch", "peak", "shawl"),
    lapel_role (cloth of the lapel), width; collar (false: none); below: half gap at the bottom.
    """
    shell = shell_of(stage, params)
    relief: Any = stage.folds(params.get("folds", "tailored"), float(params.get("amount", 1.0)))
    fade = np.clip((17.0 - stage.y) / 4.5, 0, 1)
    pull: list[Any] = []
    for s in (-1, 1):
        relief = relief + stage.groove(cut.armhole(s, 16.0, float(params.get("pad", 1.3))), 0.18, 0.09) * fade
        # The dart from the chest to the pocket.
        relief = relief + stage.groove(cut.side([(9.6, 17.5), (9.2, 24, 9.8, 40)], s), 0.10, 0.035)
        # The cloth is drawn towards the button.
        y, random = float(params.get("button", 25.0)) + 1.6, stage.random(36 + s)
        pull += [
            ((s * 0.8, y), (s * 4, y - a + b), (s * (8 + 2 * c), y - 2.2 * a), 0.13, 0.7, 1.3)
            for a, b, c in random.uniform((-1.5, -0.4, -0.5), (3.0, 0.8, 1.0), (3, 3))
        ]
    relief = relief + stage.strokes(pull)
    fabric = stage.fabric(cloth_of(params, outfit))
    button = float(params.get("button", 25.0))
    leaf = params.get("lapel", "notch") != "shawl" and params.get("collar", True)
    for s in (-1, 1):
        inner = front_edge(s, params)
        end = float(params.get("below", -1.4))
        rest = [[s * -abs(end), 60], [s * 45, 60], [s * 45, -14]]
        if leaf:
            # The shoulder runs out flatter into the root of the collar: it would stand out beside it.
            high = float(inner[0, 1])
            rest += [[s * 11.0, -14], [s * 10.6, high - 0.8], [s * 8.5, high - 1.4]]
        else:
            rest += [[s * 12, -14], [s * 9.6, -6.2]]
        cover = shell.inside * stage.area(np.concatenate([inner, np.array(rest, np.float32)]))
        lift = 0.0 if s < 0 else 0.25
        stage.put(cover, shell.z, shell.normals, fabric, relief, (0.2, 0.3), lift)
        _lapel(stage, params, outfit, s, inner, button)
        if leaf:
            _jacket_collar(stage, params, outfit, s)


def _lapel(stage: Stage, params: Mapping[str, Any], outfit: Outfit, s: int, inner: F32, button: float) -> None:
    shell = shell_of(stage, params)
    kind, w = params.get("lapel", "notch"), float(params.get("width", 1.0))
    role = params.get("lapel_role")
    cloth = cloth_of({"role": role} if role else params, outfit)
    start = (abs(float(inner[-1, 0])) * (1 if inner[-1, 0] * s > 0 else -1), float(inner[-1, 1]))
    if kind == "shawl":
        outer = [start, (4.0, button * 0.8, 9.6 * w, 13, 9.4 * w, 6), (9.2 * w, 1.0, R + 2.6, -3, R + 1.8, -5.0)]
    elif kind == "peak":
        outer = [
            start,
            (3.4, button * 0.8, 8.6 * w, 13, 12.4 * w, 3.2),
            (12.5 * w, 2.7, 12.0 * w, 2.7),
            (9.4 * w, 3.9),
            (8.0 * w, 3.3, R + 1.2, 2.9),
        ]
    else:
        outer = [
            start,
            (3.4, button * 0.8, 8.4 * w, 13, 11.2 * w, 6.1),
            (11.3 * w, 5.7, 10.9 * w, 5.5),
            (9.4 * w, 4.35),
            (8.1 * w, 3.4, R + 1.2, 2.9),
        ]
    path = np.concatenate([inner, cut.side(outer, s, 18)])
    cover = stage.area(path) * np.clip(shell.edge * 8 + 1, 0, 1)
    _, d = stage.along(inner, cover)
    inn = np.abs(d)
    # The cloth is not pressed flat at the roll line: it turns over in a soft round.
    soft = 0.35 * np.sqrt(np.clip(1 - (1 - np.clip(inn / 1.5, 0, 1)) ** 2, 0, 1))
    fade = np.clip((button + 1 - stage.y) / 5, 0.15, 1)
    tilt = np.clip(1 - inn / 1.6, 0, 1) ** 1.3 * fade
    normals = shell.normals.copy()
    normals[..., 0] -= np.float32(s * 0.75) * tilt
    rim = stage.distance(cover)
    stitch = 0.010 * np.exp(-(((rim - 0.5) / 0.06) ** 2))
    bow = 0.16 * np.sin(np.clip(stage.y / button, 0, 1) * np.pi) * np.clip(inn / 4, 0, 1)
    relief = (bow - stitch + 0.045 * stage.noise(11, 9 + s)).astype(np.float32)
    angle = np.float32(0.28 * s)
    uv = (stage.x * np.cos(angle) + stage.y * np.sin(angle), stage.y * np.cos(angle) - stage.x * np.sin(angle))
    stage.put(
        cover,
        (shell.z + soft * fade).astype(np.float32),
        normals,
        stage.fabric(cloth, uv),
        relief,
        (0.15, 0.15),
        0.45 if s < 0 else 0.7,
    )


def _jacket_collar(stage: Stage, params: Mapping[str, Any], outfit: Outfit, s: int) -> None:
    shell = shell_of(stage, params)
    w = float(params.get("width", 1.0))
    top = -4.6 - 0.25 * float(params.get("pad", 1.3))
    role = params.get("collar_role")
    leaf = cut.side(
        [
            (R + 0.45, top - 0.7),
            (R + 0.55, -2.0, R + 0.55, 0.6, R + 0.95, 3.05),
            (R + 2.4, 3.35, 8.2 * w, 3.45),
            (10.0 * w, 2.3),
            (10.4 * w, 1.9, 10.2 * w, 1.4),
            (R + 4.0, -1.7, R + 2.9, top - 1.2),
            (R + 1.9, top - 2.3, R + 0.45, top - 0.7),
        ],
        s,
    )
    cover = stage.area(leaf)
    roll = np.clip((np.abs(stage.x) - (R + 0.5)) / 1.2, 0, 1)
    normals = shell.normals.copy()
    normals[..., 0] -= np.float32(s * 0.7) * (1 - roll)
    normals[..., 1] -= 0.18
    stitch = 0.010 * np.exp(-(((stage.distance(cover) - 0.5) / 0.06) ** 2))
    relief = (0.28 * np.sqrt(np.clip(1 - (1 - roll) ** 2, 0, 1)) - stitch).astype(np.float32)
    cloth = cloth_of({"role": role} if role else params, outfit)
    stage.put(cover, shell.z + 0.35, normals, stage.fabric(cloth), relief, (0.15, 0.15), 0.75 if s < 0 else 0.95)


@part("welt")
def welt(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The breast pocket of a jacket. Params: the shell's; square: role of a pocket square."""
    shell = shell_of(stage, params)
    outline = cut.bezier([(8.6, 12.9), (14.4, 12.1), (14.5, 14.0), (8.7, 14.9), (8.6, 12.9)])
    if params.get("square") in outfit.parts:
        hank = cut.bezier([(9.2, 13.3), (9.4, 11.7), (11.6, 11.4, 13.9, 11.1), (14.1, 12.6)])
        cloth = outfit.parts[params["square"]]
        relief = 0.12 * stage.noise(3.0, 44)
        stage.put(stage.area(hank), shell.z, shell.normals, stage.fabric(cloth), relief, (0.1, 0.15), 0.15)
    relief = stage.folds(params.get("folds", "tailored"))
    stage.put(
        stage.area(outline), shell.z, shell.normals, stage.fabric(cloth_of(params, outfit)), relief, (0.10, 0.12), 0.16
    )


@part("pleats")
def pleats(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The pleated front of a dress shirt. Params: the shell's; width, pitch."""
    shell = shell_of(stage, params)
    width, pitch = float(params.get("width", 6.0)), float(params.get("pitch", 1.0))
    # Each pleat rises slowly and falls steeply, away from the middle.
    phase = (np.abs(stage.x) / pitch) % 1.0
    saw = 0.10 * np.where(phase < 0.85, phase / 0.85, (1 - phase) / 0.15)
    bib = cut.bezier([(-width, 2.0), (-width, 40), (width, 40), (width, 2.0)])
    cover = stage.area(bib) * np.clip((stage.y - 2.2) * 2, 0, 1)
    stage.put(
        cover, shell.z, shell.normals, stage.fabric(cloth_of(params, outfit)), saw.astype(np.float32), (0.05, 0.1), 0.05
    )
