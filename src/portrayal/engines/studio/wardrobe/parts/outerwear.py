"""Fronts, collars, zips, pockets, hoods, seams: jackets, coats and hooded tops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio.light.tone import linear_of_hex
from portrayal.engines.studio.wardrobe import cut
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.parts.basic import cloth_of, neckline_of, shell_of
from portrayal.engines.studio.wardrobe.parts.registry import part
from portrayal.engines.studio.wardrobe.parts.tailoring import METALS, knobs
from portrayal.engines.studio.wardrobe.stage import Stage, painted, solid
from portrayal.imaging import F32

R = cut.NECK
THREAD = (0.8, 0.03, 0.1, 0.0)


def sides(params: Mapping[str, Any]) -> tuple[int, ...]:
    """The sides on which a part is: `side` = "left" or "right" (of the picture), or both."""
    return {"left": (-1,), "right": (1,)}.get(params.get("side", "both"), (-1, 1))


@part("seam")
def seam(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Grooves and stitches over what is there.

    Params: paths (list of paths for the picture's right; mirrored to `side`s) or armhole = rise; width, depth of
    the groove; stitch: offsets of rows of stitches, cm; thread: "#rrggbb"; dash; wear: 0..1 how much lighter the
    cloth is rubbed along it.
    """
    curves = [cut.side(path, s, 20) for path in params.get("paths", ()) for s in sides(params)]
    if "armhole" in params:
        curves += [cut.armhole(s, float(params.get("x", 15.6)), float(params["armhole"])) for s in (-1, 1)]
    within = stage.covers.get(params["on"]) if "on" in params else None
    within = shell_of(stage, params).inside if within is None else within
    width, depth = float(params.get("width", 0.14)), float(params.get("depth", 0.10))
    groove = np.zeros_like(stage.x)
    for curve in curves:
        groove += stage.groove(curve, width, depth)
    if params.get("wear"):
        rub = np.zeros_like(stage.x)
        for curve in curves:
            for back in (0.0, *params.get("stitch", ())):
                line = cut.offset(curve, float(back))
                rub = np.maximum(rub, _soft(stage, stage.line(line, 0.45), 0.26))
        patchy = np.clip(0.4 + 0.8 * stage.noise(3.0, 66, 1.2), 0, 1.4)
        stage.tint((float(params["wear"]) * rub * patchy * within).astype(np.float32))
        groove += 0.03 * rub * stage.noise(2.0, 67, 1.2)
    if "armhole" in params:
        groove *= np.clip((17.0 - stage.y) / 4.5, 0, 1)
    stage.engrave(groove * within)
    if params.get("stitch"):
        sew(stage, params, outfit, [cut.offset(c, float(d)) for c in curves for d in params["stitch"]], within)


def sew(stage: Stage, params: Mapping[str, Any], outfit: Outfit, curves: list[F32], within: F32) -> None:
    """Rows of stitches along curves, in the `thread`'s colour, or in a shade of the cloth."""
    cover, pits = np.zeros_like(stage.x), np.zeros_like(stage.x)
    dash = float(params.get("dash", 0.28))
    for curve in curves:
        cover = np.maximum(cover, stage.dashes(curve, dash, dash * 0.5, 0.065))
        pits += stage.groove(curve, 0.10, 0.02)
    stage.engrave(pits * within)
    cover *= within
    own = linear_of_hex(cloth_of(params, outfit).colour) * np.float32(0.72)
    thread = solid(str(params["thread"]) if "thread" in params else own, THREAD)
    stage.put(cover, None, None, thread, 0.05 * cover, (0.0, 0.0), 0.02)


def _soft(stage: Stage, mask: F32, sigma: float) -> F32:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.6, sigma / stage.detail)), np.float32)


@part("fronts")
def fronts(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The two sides of an open jacket. Params: the shell's; path (front edge of the picture's right, from the neck
    down); left (of the left, drafted on the right; default path); folds, amount; edge; lift; lap (how much higher
    the right lies)."""
    shell = shell_of(stage, params)
    relief = stage.folds(params.get("folds", "denim"), float(params.get("amount", 1.0)), int(params.get("number", 0)))
    thickness, radius = params.get("edge", (0.3, 0.4))
    for s in (-1, 1):
        curve = front_curve(params, s)
        rest = [[curve[-1, 0], 60], [s * 45, 60], [s * 45, -14], [s * 11, -14], [s * 10.6, -5.7], [s * 8.6, -6.2]]
        cover = shell.inside * stage.area(np.concatenate([curve, np.array(rest, np.float32)]))
        whole = np.maximum(stage.covers.get("fronts", np.float32(0)), cover)
        stage.covers["fronts"] = np.asarray(whole, np.float32)
        lift = float(params.get("lift", 0.0)) + (float(params.get("lap", 0.12)) if s > 0 else 0.0)
        stage.put(
            cover, shell.z, shell.normals, stage.fabric(cloth_of(params, outfit)), relief, (thickness, radius), lift
        )


def front_curve(params: Mapping[str, Any], s: int) -> F32:
    """The front edge of one side."""
    return cut.side(params["left"] if s < 0 and "left" in params else params["path"], s, 18)


@part("leaf")
def leaf(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A turned-over piece: the leaf of a fold collar, a lapel, a flap.

    Params: the shell's; path (closed outline for the picture's right); left (another one for its left); roll: x at
    which it turns over (collars), or roll_path: the line along which it does (lapels); round: height of the turn;
    lift; edge; stitch,
    thread; role; wear.
    """
    shell = shell_of(stage, params)
    collar = np.maximum(shell.z, stage.shell(offset=0.5, neck=True).z) if params.get("over_neck", True) else shell.z
    for s in sides(params):
        outline = cut.side(params["left"] if s < 0 and "left" in params else params["path"], s)
        cover = stage.area(outline)
        if not params.get("over_neck", True):
            cover = cover * np.clip(shell.edge * 8 + 1, 0, 1)
        if "roll_path" in params:
            _, d = stage.along(cut.side(params["roll_path"], s, 18), cover)
            away = np.clip(np.abs(d) / 1.5, 0, 1)
        elif "roll" in params:
            away = np.clip((s * stage.x - float(params["roll"])) / 1.3, 0, 1)
        else:
            away = np.ones_like(stage.x)
        normals = shell.normals.copy()
        normals[..., 0] -= np.float32(0.68 * s) * (1 - away)
        normals[..., 1] -= 0.18 if "roll" in params else 0.0
        turn = 0.5 * float(params.get("round", 0.8)) * np.sqrt(np.clip(1 - (1 - away) ** 2, 0, 1))
        relief = turn + float(params.get("dents", 0.06)) * stage.noise(12.0, 68 + s)
        thickness, radius = params.get("edge", (0.25, 0.3))
        lift = float(params.get("lift", 0.5)) + (0.15 if s > 0 else 0.0)
        fabric = stage.fabric(cloth_of(params, outfit))
        stage.put(
            cover,
            collar.astype(np.float32),
            normals,
            fabric,
            relief.astype(np.float32),
            (thickness, radius),
            lift,
        )
        if params.get("stitch"):
            d = stage.distance(cover)
            for back in params["stitch"]:
                stage.engrave((-0.03 * np.exp(-(((d - float(back)) / 0.08) ** 2)) * cover).astype(np.float32))
            if params.get("sewn", True):
                sew(
                    stage,
                    params,
                    outfit,
                    [cut.resample(_shrunk(outline, float(b)), 0.15) for b in params["stitch"]],
                    cover,
                )
        if params.get("wear"):
            rub = np.exp(-((stage.distance(cover) / 0.35) ** 2)) * cover
            stage.tint(
                (float(params["wear"]) * rub * np.clip(0.5 + stage.noise(1.6, 66, 1.2), 0, 1.4)).astype(np.float32)
            )


def _shrunk(outline: F32, distance: float) -> F32:
    """An outline moved inwards."""
    inner = cut.offset(outline, distance)
    other = cut.offset(outline, -distance)
    return inner if _size(inner) < _size(other) else other


def _size(outline: F32) -> float:
    x, y = outline[:, 0], outline[:, 1]
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])))


@part("zip")
def zipper(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A metal zip along a path. Params: the shell's; path; side; width; tape "#rrggbb"; metal; lift."""
    shell = shell_of(stage, params)
    width, lift = float(params.get("width", 0.9)), float(params.get("lift", 0.15))
    colour, gloss = METALS[params.get("metal", "silver")]
    for s in sides(params):
        curve = cut.resample(cut.side(params["path"], s, 24), 0.25)
        tape = stage.area(cut.ribbon(curve, -width / 2, width / 2)) * shell.inside
        stage.put(tape, shell.z, shell.normals, solid(str(params.get("tape", "#202022"))), None, (0.05, 0.08), lift)
        teeth = stage.area(cut.ribbon(curve, -width * 0.27, width * 0.27)) * shell.inside
        u, d = stage.along(curve, teeth)
        phase = (u / 0.30 + 0.5 * (d > 0)) % 1 - 0.5
        tooth = np.clip(1 - (np.abs(phase) / 0.36) ** 4, 0, 1).astype(np.float32)
        albedo = solid(colour)((slice(0, 1), slice(0, 1)))[0] * np.clip(0.25 + tooth, 0, 1)[..., None]
        stage.put(teeth, shell.z, shell.normals, painted(albedo, gloss, 0.12 * tooth), None, (0.0, 0.0), lift + 0.15)


@part("pocket")
def pocket(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A patch or a flap on the shell. Params: the shell's; path; side; folds, amount; edge; lift; stitch; thread;
    role."""
    shell = shell_of(stage, params)
    relief = stage.folds(params.get("folds", "denim"), 0.7 * float(params.get("amount", 1.0)))
    thickness, radius = params.get("edge", (0.13, 0.2))
    for s in sides(params):
        outline = cut.side(params["path"], s)
        cover = stage.area(outline) * shell.inside
        bent = relief + 0.03 * stage.noise(14.0, 69)
        fabric = stage.fabric(cloth_of(params, outfit), number=3)
        stage.put(cover, shell.z, shell.normals, fabric, bent, (thickness, radius), float(params.get("lift", 0.18)))
        if params.get("stitch"):
            sew(
                stage, params, outfit, [cut.resample(_shrunk(outline, float(b)), 0.15) for b in params["stitch"]], cover
            )


@part("strip")
def strip(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A band of cloth along a path: a placket, a strap, an epaulette, a belt.

    Params: the shell's; path; side; width, or left and right offsets; edge; lift; stitch (offsets from the middle),
    thread; role; folds, amount.
    """
    shell = shell_of(stage, params)
    half = float(params.get("width", 3.0)) / 2
    within = shell.inside
    if "opening" in params:
        within = within * stage.area(cut.below(neckline_of({**params, "choice": False}, outfit)))
    thickness, radius = params.get("edge", (0.14, 0.2))
    for s in sides(params):
        curve = cut.resample(cut.side(params["path"], s, 18), 0.4)
        a, b = float(params.get("inner", -half)), float(params.get("outer", half))
        cover = stage.area(cut.ribbon(curve, a * s, b * s)) * within
        relief = stage.folds(
            params.get("folds", "tailored"), float(params.get("amount", 0.6)), int(params.get("number", 0))
        )
        u, d = stage.along(curve, cover)
        fabric = stage.fabric(cloth_of(params, outfit), (d, u), number=5)
        stage.put(cover, shell.z, shell.normals, fabric, relief, (thickness, radius), float(params.get("lift", 0.2)))
        if params.get("stitch"):
            sew(stage, params, outfit, [cut.offset(curve, float(o) * s) for o in params["stitch"]], cover)


@part("studs")
def studs(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Metal buttons, rivets, snaps on both sides. Params: the shell's; points; side; radius; metal; lift."""
    shell = shell_of(stage, params)
    points = [(s * float(x), float(y)) for x, y in params["points"] for s in sides(params)]
    knobs(
        stage,
        points,
        float(params.get("radius", 0.6)),
        params.get("metal", "silver"),
        shell.z,
        float(params.get("lift", 0.5)),
    )


@part("hood behind")
def hood_behind(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The hood lying on the back, seen behind the neck: its roll and the dark inside."""
    cloth = cloth_of(params, outfit)
    roll = cut.bezier(
        [
            (-R - 7.6, 1.5),
            (-R - 7.2, -2.6, -R - 4.6, -6.2, -R + 0.2, -7.4),
            (-2, -8.1, 2, -8.1, R - 0.2, -7.4),
            (R + 4.6, -6.2, R + 7.2, -2.6, R + 7.6, 1.5),
        ],
        16,
    )
    up = np.clip((-stage.y - 4) / 4, 0, 1)
    normals = np.stack([stage.x / (R + 8) * 0.9, -0.30 - 0.45 * up, np.full_like(stage.x, 0.8)], -1)
    z = (-8.0 - 0.02 * stage.x**2).astype(np.float32)
    relief = stage.folds("fleece", 0.5, 4) + 0.12 * stage.noise(9, 81)
    stage.put(stage.area(roll), z, normals, stage.fabric(cloth), relief, (0.9, 1.6))
    inside = cut.bezier(
        [(-R - 2.4, 0), (-R - 2.6, -5.2, -R - 0.5, -6.5, 0, -6.4), (R + 0.5, -6.5, R + 2.6, -5.2, R + 2.4, 0)], 16
    )
    normals = np.stack([-stage.x / (R + 8) * 0.9, np.full_like(stage.x, 0.4), np.full_like(stage.x, 0.8)], -1)
    stage.put(
        stage.area(inside), np.full_like(stage.x, -10.5), normals, stage.fabric(cloth, tint=0.7), None, (0.1, 0.3)
    )


@part("hood")
def hood(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The two front edges of a hood that lies on the shoulders, crossing under the throat."""
    shell = shell_of(stage, params)
    cloth, random = cloth_of(params, outfit), stage.random(82)
    for s in (1, -1):
        tip, slack = float(random.uniform(-0.4, 0.4)), float(random.uniform(-0.5, 0.5))
        inner = cut.side([(R + 0.9, -6.2), (R + 1.1, -2.5, R - 0.6, 2.0, -1.3, 5.6 + tip)], s, 22)
        outer = cut.side(
            [
                (-1.6, 7.4 + tip),
                (2.2, 8.2, R + 3.3 + slack, 4.6, R + 5.8 + slack, -0.4),
                (R + 6.6, -2.9, R + 4.8, -5.2, R + 3.0, -6.2),
                (R + 2, -6.7, R + 0.9, -6.2),
            ],
            s,
            18,
        )
        cover = stage.area(np.concatenate([inner, outer]))
        u, d = stage.along(inner, cover)
        d = np.abs(d)
        q = np.clip(d / 5.0, 0, 1)
        roll = 1.55 * np.sqrt(np.clip(1 - (2 * q - 0.9) ** 2 / 1.25, 0, 1))
        # Gathered by the string in the tunnel.
        gather = 0.07 * np.sin(u * 1.7 + 2 * stage.noise(3.0, 83)) * np.exp(-d / 1.6)
        lines = [
            ((s * (R + 5.8), -2.0), (s * (R + 2.8), 1.5), (s * (R - 0.8), 3.6), 0.30, 0.9, 1.2),
            ((s * (R + 4.2), -5.8), (s * (R + 3.4), -2.5), (s * (R + 1.6), 0.6), 0.26, 0.8, 0.8),
            ((s * (R + 5.2), 0.2), (s * (R + 2), 3.4), (s * 1.5, 6.2), 0.20, 0.7, 1.2),
        ]
        stitch = 0.035 * np.exp(-(((d - 2.2) / 0.08) ** 2))
        relief = (roll + gather - stitch + stage.strokes(lines) + 0.06 * stage.noise(10.0, 84 + s)).astype(np.float32)
        z = np.asarray(np.maximum(shell.z, -6) + 0.2, np.float32)
        stage.put(cover, z, shell.normals, stage.fabric(cloth, (d, u)), relief, (0.5, 0.8), 0.3)


@part("drawstrings")
def drawstrings(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The two strings of a hood, from their eyelets. Params: the shell's; role; metal."""
    shell = shell_of(stage, params)
    random = stage.random(85)
    for s in (-1, 1):
        x, y = s * 2.9 + 0.3 * float(random.normal()), 5.2
        sway, length = float(random.uniform(-0.7, 0.7)), float(random.uniform(11, 15))
        curve = cut.bezier(
            [(x, y), (x + s * 0.5 + sway, y + 5, x - s * 0.6, y + 9, x + s * 0.3 + sway, y + length)], 30
        )
        cover = stage.area(cut.ribbon(curve, -0.3, 0.3))
        u, d = stage.along(curve, cover)
        relief = 0.3 * np.sqrt(np.clip(1 - (d / 0.32) ** 2, 0, 1)) + 0.04 * np.sin(u * 18 + np.abs(d) * 9)
        lift = (1.7 * np.clip((10 - stage.y) / 6, 0.12, 1)).astype(np.float32)
        fabric = stage.fabric(cloth_of(params, outfit), (d, u))
        stage.put(cover, shell.z, shell.normals, fabric, relief.astype(np.float32), (0, 0), lift)
        knobs(stage, [(x, y)], 0.42, params.get("metal", "silver"), shell.z, 1.5)
        # The knot at the end.
        end = curve[-1]
        ball = cut.disc(float(end[0]), float(end[1]), 0.45, 1.3)
        stage.put(stage.area(ball), shell.z, shell.normals, fabric, None, (0.4, 0.45), 0.3)
