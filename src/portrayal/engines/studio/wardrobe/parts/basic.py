"""Skin, the panels of the body, bands at the neck: what nearly every garment has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from portrayal.engines.studio.cloth.surface import SKIN
from portrayal.engines.studio.wardrobe import cut
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.engines.studio.wardrobe.parts.registry import part
from portrayal.engines.studio.wardrobe.stage import Fabric, Shell, Stage
from portrayal.imaging import F32, Array

R = cut.NECK


def cloth_of(params: Mapping[str, Any], outfit: Outfit) -> Cloth:
    """The cloth of a part: of its `role`, the garment's main cloth without one; `fabric` overrides the fabric."""
    role = params.get("role", "main")
    cloth = outfit.main if role == "main" else outfit.parts.get(role, outfit.main)
    if "fabric" in params:
        cloth = Cloth(
            cloth.colour, params["fabric"], cloth.pattern if params.get("patterned", True) else None, cloth.second
        )
    return cloth


def shell_of(stage: Stage, params: Mapping[str, Any]) -> Shell:
    """The shell that a part's `offset`, `pad`, `bulk`, `belly` name."""
    given = {key: float(params.get(key, 0.0)) for key in ("offset", "pad", "bulk", "belly")}
    return stage.shell(**given, neck=bool(params.get("neck", False)))


def neckline_of(params: Mapping[str, Any], outfit: Outfit) -> F32:
    """The opening of a panel: `opening` {shape, width, depth, top}; the outfit's neck goes before its shape."""
    given = dict(params.get("opening", {}))
    own = given.pop("shape", "crew")
    shape = outfit.neck if outfit.neck and params.get("choice", True) else own
    if shape != own:
        given = {"top": given.get("top", -5.2)}
    return cut.neckline(shape, **given)


def unit(normals: Array) -> F32:
    """The same directions, of length 1."""
    length = np.sqrt(np.einsum("ijk,ijk->ij", normals, normals)) + 1e-6
    return np.asarray(normals / length[..., None], np.float32)


@part("skin")
def skin(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Bare skin: the neck and the upper chest, or all of it (`all = true`), or the arms (`arms = true`)."""
    shell = stage.shell(neck=True, anatomy=0.75)
    ax = np.abs(stage.x)
    cover = shell.inside
    if params.get("arms"):
        cover = cover * np.clip((ax - 12.0) * 2, 0, 1) * np.clip((stage.y - 12) * 2, 0, 1)
    elif not params.get("all"):
        cover = cover * np.clip((R + 5.5 - ax) * 2, 0, 1) * np.clip((12 - stage.y) * 2, 0, 1)
    stage.put(cover, shell.z, shell.normals, _skin(stage), skin=1.0)


def _skin(stage: Stage) -> Fabric:
    """Bare skin: cloudy, redder on the chest, with pores, a few moles and the creases of the neck."""
    cloud, fine, blood = stage.noise(9.0, 71), stage.noise(1.1, 72, 1.2), stage.noise(5.0, 73)
    pores = stage.noise(0.30, 75, 0.8) if stage.speed != "turbo" else fine
    creases = stage.strokes(
        [
            ((-4.6, -4.1), (0.0, -2.6), (4.4, -4.3), -0.030, 0.28, 1.0),
            ((-4.2, -6.3), (0.0, -5.0), (4.6, -6.2), -0.022, 0.22, 1.0),
        ]
    )
    random = stage.random(74)
    places = random.uniform((-11, -6, 0.035, 0.4), (11, 10, 0.11, 1.0), (9, 4))
    moles = np.zeros_like(stage.x)
    for x, y, r, dark in places:
        box = stage.near(float(x), float(y), 3 * float(r))
        far = (stage.x[box] - x) ** 2 + (stage.y[box] - y) ** 2
        moles[box] = np.maximum(moles[box], dark * np.exp(-far / r**2))

    def make(box: tuple[slice, slice]) -> tuple[F32, F32, F32]:
        tone = 1 + 0.028 * cloud[box] + 0.012 * fine[box]
        # Blood shows where the skin is thin: the chest is redder than the neck.
        red = 0.018 * blood[box] + 0.025 * np.clip((stage.y[box] + 2) / 8, 0, 1)
        shade = np.stack([1 + red, 1 - 0.9 * red, 1 - 1.1 * red], -1) * tone[..., None]
        spots = 1 - moles[box][..., None] * np.array([0.35, 0.5, 0.6], np.float32)
        relief = creases[box] + 0.0025 * fine[box] + 0.0010 * pores[box]
        albedo = np.asarray(stage.skin * shade * spots, np.float32)
        return albedo, relief.astype(np.float32), np.array(SKIN, np.float32).reshape(1, 1, 4)

    return make


@part("panel")
def panel(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The body of a garment, sleeves and all, under its opening.

    Params: the shell's; opening (see `neckline_of`); folds (kind), amount, number; seams (rise of the armhole; absent =
    none), seam_x, seam_depth; within: half width of what is seen of it under a jacket; hem: y where short sleeves
    end; edge [thickness, radius]; lift.
    """
    shell = shell_of(stage, params)
    cover: F32 = shell.inside * stage.area(cut.below(neckline_of(params, outfit)))
    if "within" in params:
        cover = cover * np.clip((float(params["within"]) - np.abs(stage.x)) * 2, 0, 1)
    kind = params.get("folds", "jersey")
    if kind in ("shirt", "jersey") and cloth_of(params, outfit).fabric in ("silk", "satin"):
        # Silk falls in soft, broad folds, without the crisp ones of cotton.
        kind = "satin"
    relief: Any = stage.folds(kind, float(params.get("amount", 1.0)), int(params.get("number", 0)))
    if "seams" in params:
        for s in (-1, 1):
            seam = cut.armhole(s, float(params.get("seam_x", 15.6)), float(params["seams"]))
            fade = np.clip((17.0 - stage.y) / 4.5, 0, 1)
            relief = relief + stage.groove(seam, 0.16, float(params.get("seam_depth", 0.10))) * fade
    thickness, radius = params.get("edge", (0.18, 0.25))
    if "hem" in params:
        cover, relief = _short_sleeves(stage, cover, relief, float(params["hem"]))
    fabric = stage.fabric(cloth_of(params, outfit))
    stage.put(cover, shell.z, shell.normals, fabric, relief, (thickness, radius), float(params.get("lift", 0.0)))


def _short_sleeves(stage: Stage, cover: F32, relief: F32, hem: float) -> tuple[F32, F32]:
    """Cut the sleeves off at a height; the hem is turned up and stitched twice."""
    for s in (-1, 1):
        edge = cut.side([(13.6, hem + 1.2), (18.0, hem + 2.4, 23, hem - 0.2), (27, hem - 1.8)], s)
        # Beside the arm the torso goes on.
        inner = cut.side(
            [
                (13.6, hem + 1.2),
                (12.4, hem + 3.5, 12.4, hem + 7),
                (13.2, 36),
                (13.9, 44),
                (14.2, 70),
                (40, 70),
                (40, hem - 3),
                (27, hem - 1.8),
            ],
            s,
        )
        cover = cover * (1 - stage.area(np.concatenate([edge[::-1], inner])))
        for back in (0.9, 1.15):
            relief = relief - 0.03 * stage.dashes(edge - np.array([0, back], np.float32), 0.22, 0.1, 0.07)
    return cover, relief


def _mitred(stage: Stage, curve: F32, cover: F32) -> tuple[F32, F32, F32]:
    """As `Stage.along`, and the relief (h, w) of the seam where the two halves of a band meet at the tip of a V."""
    k = int(np.argmax(curve[:, 1]))
    none = np.zeros_like(stage.x)
    if not 1 < k < len(curve) - 2:
        return *stage.along(curve, cover), none
    (ax, ay), (bx, by) = curve[k] - curve[k - 2], curve[k + 2] - curve[k]
    if ax * bx + ay * by > 0.8 * np.hypot(ax, ay) * np.hypot(bx, by):
        return *stage.along(curve, cover), none
    # Each half runs on straight beyond the tip: its ribs end in the seam, not in the tip.
    left, right = stage.along(curve[: k + 1], cover), stage.along(curve[k:], cover)
    first = stage.x < curve[k, 0]
    seam = -0.12 * np.exp(-(((stage.x - curve[k, 0]) / 0.12) ** 2)) * (stage.y > curve[k, 1] - 0.5)
    u, d = np.where(first, left[0], right[0]), np.where(first, left[1], right[1])
    return u, d, seam.astype(np.float32)


@part("back")
def back(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The inside of a collar or neckband behind the neck. Params: width, low, high (y), dip, z."""
    r, low, high = float(params.get("width", R + 1.6)), float(params.get("low", -2)), float(params.get("high", -5.6))
    dip, depth = float(params.get("dip", 0.9)), float(params.get("z", -10.5))
    outline = cut.bezier(
        [(-r, low), (-r, high), (-r * 0.5, high - dip * 0.5, r * 0.5, high - dip * 0.5, r, high), (r, low)], 16
    )
    normals = np.stack([-stage.x / r * 0.6, np.full_like(stage.x, 0.25), np.full_like(stage.x, 0.75)], -1)
    z = (depth - 2.5 * (1 - (stage.x / r) ** 2)).astype(np.float32)
    fabric = stage.fabric(cloth_of(params, outfit), (stage.x, stage.y), tint=0.75)
    stage.put(stage.area(outline), z, unit(normals), fabric, edge=(0.12, 0.2))


@part("rib")
def rib(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """The ribbed band along a neckline. Params: the shell's and the opening's of its panel; height, puff, lift."""
    shell = shell_of(stage, params)
    curve = neckline_of(params, outfit)
    height = float(params.get("height", 1.6))
    cover = stage.area(cut.ribbon(curve, 0.0, height)) * np.clip(shell.edge * 8 + 3, 0, 1)
    u, d, seam = _mitred(stage, curve, cover)
    t = np.clip(np.abs(d) / height, 0, 1)
    relief = seam + float(params.get("puff", 0.16)) * np.maximum(np.sin(t * np.pi), 0) ** 0.6
    cloth = cloth_of({**params, "fabric": params.get("fabric", "rib"), "patterned": False}, outfit)
    fabric = stage.fabric(cloth, (u * np.float32(params.get("gauge", 1.9)), d))
    stage.put(
        cover, shell.z, shell.normals, fabric, relief.astype(np.float32), (0.10, 0.14), float(params.get("lift", 0.15))
    )
