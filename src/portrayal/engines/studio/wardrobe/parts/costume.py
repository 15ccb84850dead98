"""Parts of costumes that are wholly described by data: cut pieces, bands along curves, studs, draped cloth, fur.

Every path is one of `cut.bezier`. `mirror = true` builds the piece on both sides of the body from the draft of the
picture's right side. Common params: the shell's (offset, pad, bulk, belly, neck), `lift`, `edge`, `folds`, `amount`,
`number`, and the cloth's: role, fabric, `colour` (fixed "#rrggbb"), `material` (fixed four numbers), `tint`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio.light.tone import linear_of_hex
from portrayal.engines.studio.wardrobe import cut
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.engines.studio.wardrobe.parts import costume_drape as drapes
from portrayal.engines.studio.wardrobe.parts.basic import cloth_of, neckline_of, shell_of, unit
from portrayal.engines.studio.wardrobe.parts.registry import part
from portrayal.engines.studio.wardrobe.stage import Box, Fabric, Shell, Stage, painted, solid
from portrayal.imaging import F32

METAL = (0.26, 0.55, 0.0, 0.92)


def fabric_of(stage: Stage, params: Mapping[str, Any], outfit: Outfit, uv: tuple[F32, F32] | None = None) -> Fabric:
    """The fabric that a part's role, fabric, colour, material and tint name."""
    if "material" in params:
        return solid(params.get("colour") or cloth_of(params, outfit).colour, tuple(params["material"]))
    cloth = cloth_of(params, outfit)
    if "colour" in params:
        cloth = Cloth(params["colour"], params.get("fabric", "cotton"), params.get("pattern"), params.get("second"))
    rough = params.get("rough")
    return stage.fabric(cloth, uv, float(params.get("tint", 1.0)), rough, int(params.get("number", 0)))


def mixed(first: Fabric, second: Fabric, share: F32) -> Fabric:
    """Where share (h, w) is 1 the second fabric, else the first."""

    def make(box: Box) -> tuple[F32, F32, F32]:
        m = share[box]
        one, two = first(box), second(box)
        out = []
        for a, b, weight in zip(one, two, (m[..., None], m, m[..., None]), strict=True):
            out.append(np.asarray(a + (b - a) * weight, np.float32))
        return out[0], out[1], out[2]

    return make


def sides(params: Mapping[str, Any], key: str = "path", pieces: int = 16) -> Iterable[tuple[int, F32]]:
    """The sides (1, -1) on which a piece is, with its path."""
    yield 1, cut.bezier(params[key], pieces)
    if params.get("mirror"):
        yield -1, cut.side(params[key], -1, pieces)


def falls(stage: Stage, params: Mapping[str, Any]) -> F32:
    """Relief of `folds`, `amount`, `number`, of `strokes` and of `seams` (mirrored curves; `seam_fade` [from, to] y)"""
    relief = np.zeros((stage.h, stage.w), np.float32)
    if "folds" in params:
        relief = relief + stage.folds(params["folds"], float(params.get("amount", 1.0)), int(params.get("number", 0)))
    lines = []
    for a, b, c, *form in params.get("strokes", ()):
        for s in (1, -1):
            lines.append(((s * a[0], a[1]), (s * b[0], b[1]), (s * c[0], c[1]), *form))
    if lines:
        relief = relief + stage.strokes(lines)
    width, depth = params.get("seam", (0.16, 0.12))
    low, high = params.get("seam_fade", (200.0, 201.0))
    fade = np.clip((high - stage.y) / (high - low), 0, 1)
    for path in params.get("seams", ()):
        for s in (1, -1):
            relief = relief + stage.groove(cut.side(path, s), width, depth) * fade
    for path in params.get("stitches", ()):
        for s in (1, -1):
            relief = relief - 0.03 * stage.dashes(cut.side(path, s), 0.24, 0.12, 0.07)
    if "dents" in params:
        amount, period = params["dents"]
        relief = relief + amount * stage.noise(period, 900 + int(params.get("number", 0)))
    return np.asarray(relief, np.float32)


def bounds(cover: F32) -> Box:
    """The box in which a cover is not zero, with a margin: small pieces need not be worked on all over the stage."""
    x, y, w, h = cv2.boundingRect((cover > 0.002).astype(np.uint8))
    return slice(max(0, y - 3), y + h + 3), slice(max(0, x - 3), x + w + 3)


def within(shell: Shell, stage: Stage, grow: float = 0.0) -> F32:
    """Coverage (h, w) of a shell's silhouette, grown by so many cm."""
    return np.asarray(np.clip(0.5 + (shell.edge + grow) / stage.detail, 0, 1), np.float32)


@part("costume body")
def body(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A panel with any opening and any cut.

    Params: opening (path from left to right, or a shape as `neckline_of` takes), keep and drop (lists of closed paths
    to which it is limited, with `mirror` both sides), quilt [period, depth, sag], flat (its pattern runs straight over
    wide sleeves).
    """
    shell = shell_of(stage, params)
    cover = shell.inside
    if "opening" in params:
        own = params["opening"]
        curve = neckline_of(params, outfit) if isinstance(own, Mapping) else cut.bezier(own, 20)
        cover = cover * stage.area(cut.below(curve))
    both = (1, -1) if params.get("mirror") else (1,)
    if "keep" in params:
        cover = cover * stage.area(*[cut.side(p, s, 18) for p in params["keep"] for s in both])
    if "drop" in params:
        cover = cover * (1 - stage.area(*[cut.side(p, s, 18) for p in params["drop"] for s in both]))
    relief = falls(stage, params)
    if "quilt" in params:
        relief = relief + _quilt(stage, *params["quilt"])
    fabric = fabric_of(stage, params, outfit, (stage.x, stage.y) if params.get("flat") else None)
    thickness, radius = params.get("edge", (0.2, 0.3))
    stage.put(cover, shell.z, shell.normals, fabric, relief, (thickness, radius), float(params.get("lift", 0.0)))


def _quilt(stage: Stage, period: float, depth: float, sag: float) -> F32:
    """Down in chambers: round between the seams, puckered beside them; on the sleeves they go round the arm."""
    _, v = stage.grain
    arm = np.clip((np.abs(stage.x) - 14.4) / 1.2, 0, 1) * np.clip((stage.y - 4) / 4, 0, 1)
    row = v + sag * (stage.x / 12) ** 2 * (1 - arm) + arm * period * 0.45 + 0.12 * stage.noise(6.0, 311)
    q = np.mod(row / period, 1.0)
    puff = np.sqrt(np.clip(1 - (2 * q - 1) ** 2, 0.0, 1))
    near = np.minimum(q, 1 - q) * period
    pucker = stage.noise(2.6, 312, 1.6, 2.0) * np.exp(-near / 1.2)
    plump = 1 + 0.22 * stage.noise(7.0, 313)
    return np.asarray(depth * (puff * plump + 0.07 * pucker) - 0.10 * np.exp(-((near / 0.12) ** 2)), np.float32)


def _left_out(stage: Stage, params: Mapping[str, Any], side: int, cover: F32) -> F32:
    """A cover without the closed paths of `drop`."""
    if "drop" not in params:
        return cover
    return cover * (1 - stage.area(*[cut.side(p, side, 18) for p in params["drop"]]))


@part("costume piece")
def piece(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A cut piece laid on: `path` (closed outline), limited to the shell's silhouette unless it is `free`.

    Params: stitched (distances of stitches from the rim), tilt [x, y] of normals, dome (cm it swells in the middle),
    drop (closed paths it leaves out).
    """
    shell = shell_of(stage, params)
    relief = falls(stage, params)
    for s, path in sides(params):
        cover = stage.area(path)
        cover = _left_out(stage, params, s, cover)
        if not params.get("free"):
            cover = cover * shell.inside
        box = bounds(cover)
        rim = stage.distance(cover)[box]
        own = relief[box].copy()
        for distance in params.get("stitched", ()):
            near = np.exp(-(((rim - distance) / 0.06) ** 2))
            own -= 0.018 * near * (0.55 + 0.45 * np.sin((stage.x[box] + stage.y[box]) * 15))
        if "dome" in params:
            t = np.clip(rim / float(params.get("reach", 2.0)), 0, 1)
            own += float(params["dome"]) * np.sqrt(np.clip(1 - (1 - t) ** 2, 0, 1))
        bent = np.zeros_like(cover)
        bent[box] = own
        normals = shell.normals
        if "tilt" in params:
            normals = np.zeros_like(shell.normals)
            normals[box] = unit(
                shell.normals[box] + np.array([s * params["tilt"][0], params["tilt"][1], 0], np.float32)
            )
        fabric = fabric_of(stage, params, outfit)
        edge = tuple(params.get("edge", (0.12, 0.18)))
        stage.put(cover, shell.z, normals, fabric, bent, edge, float(params.get("lift", 0.2)))


@part("costume ribbon")
def ribbon(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A band along a curve `path`, between the offsets `left` and `right` (cm; > 0 is to the right of its way).

    Params: profile "flat", "round" (a tube, a cord) or "rolled" (a collar: its left edge is a fold); ridges [period,
    depth] across it (corrugated hose, twisted cord: slant); stand (how far the band leans towards the neck near its
    top); free; along (uv follow the band, default true); folds and stitched as in `piece`.
    """
    shell = shell_of(stage, params)
    left, right = float(params["left"]), float(params["right"])
    relief = falls(stage, params)
    for s, path in sides(params):
        low, high = (left, right) if s > 0 else (-left, -right)
        cover = stage.area(_tapered(path, low, high, float(params.get("taper", 1.0))))
        cover = _left_out(stage, params, s, cover)
        if not params.get("free"):
            cover = cover * within(shell, stage, 0.15)
        u, d = stage.along(path, cover)
        box = bounds(cover)
        d[box] *= s
        bent = np.zeros_like(cover)
        bent[box] = relief[box] + _profile(params, u[box], d[box], left, right)
        normals = shell.normals
        if "stand" in params:
            lean = float(params["stand"]) * np.clip((6.0 - stage.y[box]) / 9.0, 0, 1)
            inner = np.clip(1 - np.abs(d[box] - left) / max(abs(right - left), 0.1), 0, 1)
            side = np.sign(stage.x[box]) * lean * inner
            normals = np.zeros_like(shell.normals)
            normals[box] = unit(
                shell.normals[box] - np.stack([side, 0.35 * lean * inner, np.zeros_like(side)], -1).astype(np.float32)
            )
        uv = (d, u) if params.get("along", True) else None
        fabric = fabric_of(stage, params, outfit, uv)
        edge = tuple(params.get("edge", (0.10, 0.14)))
        stage.put(cover, shell.z, normals, fabric, bent, edge, float(params.get("lift", 0.2)))


def _profile(params: Mapping[str, Any], u: F32, d: F32, left: float, right: float) -> F32:
    """Relief across a band."""
    middle, half = (left + right) / 2, abs(right - left) / 2
    q = np.clip((d - middle) / half, -1, 1)
    out = np.zeros_like(d)
    kind = params.get("profile", "flat")
    if kind == "round":
        out = half * np.sqrt(np.clip(1 - q * q, 0, 1)) * np.float32(params.get("swell", 1.0))
    elif kind == "rolled":
        t = np.clip(np.abs(d - left) / (half * 0.9), 0, 1)
        out = np.float32(params.get("swell", 0.3)) * np.sqrt(np.clip(1 - (1 - t) ** 2, 0, 1))
    if "ridges" in params:
        period, depth = params["ridges"][:2]
        slant = params["ridges"][2] if len(params["ridges"]) > 2 else 0.0
        wave = np.cos((u + slant * d) * (2 * np.pi / period))
        out = out + depth * wave * np.sqrt(np.clip(1 - q * q, 0, 1))
    for distance in params.get("stitched", ()):
        at = left + distance if right > left else left - distance
        out = out - 0.02 * np.exp(-(((d - at) / 0.06) ** 2)) * (0.55 + 0.45 * np.sin(u * 17))
    return np.asarray(out, np.float32)


def _tapered(path: F32, left: float, right: float, taper: float) -> F32:
    """The outline of a band that begins `taper` times as broad and has its breadth after 45 % of its way."""
    if taper == 1.0:
        return cut.ribbon(path, left, right)
    at = cut.lengths(path)
    t = np.clip(at / (0.45 * at[-1]), 0, 1)
    grow = taper + (1 - taper) * t * t * (3 - 2 * t)
    return np.concatenate([cut.offset(path, left), cut.offset(path, left + (right - left) * grow)[::-1]])


@part("costume stand")
def stand(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A collar that stands around the neck.

    Params: radius, top, foot (y at the side), gap (half, cm, in front), dip (how much lower its front is), puff,
    stitched, lean.
    """
    r, gap = float(params.get("radius", cut.NECK + 0.8)), float(params.get("gap", 0.3))
    top, foot, dip = float(params.get("top", -5.6)), float(params.get("foot", 0.9)), float(params.get("dip", 2.2))
    z, normals = stage.band(r + 0.8, float(params.get("lean", 0.12)))
    shell = shell_of(stage, params)
    for s in (-1, 1):
        path = cut.side(
            [
                (r, top), (r * 0.8, top + 1.5 + dip * 0.9, gap * 1.4 + 0.2, top + 2.3 + dip, gap, top + 2.6 + dip),
                (gap * 0.3, foot + 1.9),
                (r * 0.5, foot + 1.7, r + 0.4, foot - 0.4, r + 0.9, foot - 3.2), (r + 0.6, top - 0.2, r, top),
            ], s,
        )  # fmt: skip
        cover = stage.area(path)
        relief = falls(stage, params)
        rim = stage.distance(cover)
        for distance in params.get("stitched", ()):
            relief = relief - 0.02 * np.exp(-(((rim - distance) / 0.06) ** 2))
        relief = relief + float(params.get("puff", 0.05)) * stage.noise(4.0, 55)
        uv = (np.asarray(np.arcsin(np.clip(stage.x / (r + 1.2), -0.99, 0.99)) * r, np.float32), stage.y)
        fabric = fabric_of(stage, params, outfit, uv)
        stage.put(
            cover, np.maximum(z, shell.z - 0.5), normals, fabric, np.asarray(relief, np.float32),
            tuple(params.get("edge", (0.2, 0.2))), float(params.get("lift", 0.4)) + (0.12 if s > 0 else 0.0),
        )  # fmt: skip


@part("costume studs")
def studs(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Buttons, rivets, caps: `at` (list of x, y), radius, squeeze, follow (how much they lie along the shell).

    Params: profile "button" (rim and holes), "cap" (rim only), "dome", "knot", "flat".
    """
    shell = shell_of(stage, params)
    r, kind = float(params["radius"]), params.get("profile", "dome")
    flat = float(params.get("squeeze", 1.0))
    places = [(s * x, y) for x, y in params["at"] for s in ((1, -1) if params.get("mirror") else (1,))]
    cover = stage.area(*[cut.disc(x, y, r, flat) for x, y in places])
    follow = float(params.get("follow", 0.6))
    normals = np.zeros_like(shell.normals)
    relief = np.zeros((stage.h, stage.w), np.float32)
    reach = max(2, int(r / stage.detail) + 3)
    for x, y in places:
        i = int((y - float(stage.y[0, 0])) / stage.detail)
        j = int((x - float(stage.x[0, 0])) / stage.detail)
        box = np.s_[max(0, i - reach) : max(0, i + reach), max(0, j - reach) : max(0, j + reach)]
        dx, dy = (stage.x[box] - x) / r, (stage.y[box] - y) / (r * flat)
        away = np.hypot(dx, dy)
        if kind == "dome":
            bent = 0.55 * r * np.sqrt(np.clip(1 - away**2, 0, 1))
        elif kind == "flat":
            bent = 0.0 * away
        elif kind == "knot":
            bent = 0.7 * r * np.sqrt(np.clip(1 - away**2, 0, 1)) * (0.8 + 0.2 * np.cos(6 * (dx + dy)))
        else:
            bent = 0.10 * np.exp(-(((away - 0.82) / 0.16) ** 2)) + 0.12 * np.clip((1 - away) / 0.2, 0, 1)
            for a in range(4 if kind == "button" else 0):
                hx, hy = 0.28 * np.cos(a * np.pi / 2 + 0.78), 0.28 * np.sin(a * np.pi / 2 + 0.78)
                bent = bent - 0.12 * np.exp(-((dx - hx) ** 2 + (dy - hy) ** 2) / 0.014)
        relief[box] = np.maximum(relief[box], bent)
        normals[box] = unit(shell.normals[box] * follow + np.array([0, 0, 1], np.float32))
    fabric = fabric_of(stage, {"material": (0.35, 0.05, 0.0, 0.0), **params}, outfit)
    stage.put(cover, shell.z, normals, fabric, relief, (0.0, 0.0), float(params.get("lift", 0.3)))


@part("costume drape")
def drape(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Cloth spread between `guides` (paths along which its folds run), in folds of its own.

    Params: count of folds; kind "hanging" or "knife" (pleats); ratio (height of a fold by its breadth); rough 0..1;
    most (limit of their height, cm); long, wide (cm of the cloth, for its pattern); drop (closed paths it leaves out);
    keep (a closed path it stays in); borders [[t0, t1], ...] of the role `border`; roll (cm by which the whole swells,
    a rolled swag); depth (z, of cloth that hangs freely); ease (share of t near 0 and 1 where folds die away),
    fade (share of s over which they begin).
    """
    for s in (1, -1) if params.get("mirror") else (1,):
        _drape(stage, params, outfit, s)


def _drape(stage: Stage, params: Mapping[str, Any], outfit: Outfit, side: int) -> None:
    shell = shell_of(stage, params)
    z, normals, edge_of = shell.z, shell.normals, shell.edge
    if "depth" in params:
        # Hangs freely behind the body.
        z, edge_of = np.full_like(z, float(params["depth"])), np.full_like(z, 9.0)
        normals = np.zeros_like(normals)
        normals[..., 2] = 1
    guides = [cut.side(path, side, 18) for path in params["guides"]]
    laid = drapes.lay(stage, guides)
    count, rough = params["count"], float(params.get("rough", 0.5))
    seed = stage.seed * 7 + int(params.get("number", 0)) + 50 * (side < 0)
    table = drapes.hanging(seed, count, rough)
    if params.get("kind") == "knife":
        # Pleats are pressed in; the cloth still falls in softer folds of its own.
        table = drapes.knife(seed, int(count), rough) + 0.30 * drapes.hanging(seed + 1, 2.3 * count, 0.9)
    broad = drapes.breadth(stage, laid) / np.float32(count)
    most = float(params.get("most", 1.2))
    swell = most * np.tanh(float(params.get("ratio", 0.35)) * broad / most)
    s, t = drapes.full(stage, np.maximum(laid.s, -0.2)), drapes.full(stage, np.maximum(laid.t, -0.2))
    relief = drapes.height(stage, laid, table) * swell
    if "ease" in params:
        relief = relief * np.clip(np.minimum(t, 1 - t) / float(params["ease"]), 0, 1)
    if "fade" in params:
        relief = relief * np.clip(s / float(params["fade"]), 0, 1) ** 0.7
    if "roll" in params:
        relief = relief + float(params["roll"]) * np.sqrt(np.clip(1 - (2 * t - 1) ** 2, 0, 1))
    relief = relief + falls(stage, params)
    cover = stage.area(drapes.outline(guides))
    # A crest at the outline of the body is seen from the side; not far, for the shell ends there.
    cover = cover * np.clip(0.5 + (edge_of + 0.12 * relief - 0.06) / stage.detail, 0, 1)
    if "keep" in params:
        cover = cover * stage.area(cut.side(params["keep"], side, 18))
    if "drop" in params:
        cover = cover * (1 - stage.area(*[cut.side(p, side, 18) for p in params["drop"]]))
    uv = (t * np.float32(params.get("wide", 60.0)), s * np.float32(params.get("long", 50.0)))
    fabric = fabric_of(stage, params, outfit, uv)
    if "borders" in params and params["border"] not in outfit.without:
        share = np.zeros_like(t)
        for low, high in params["borders"]:
            share += np.clip((t - low) / 0.004, 0, 1) * np.clip((high - t) / 0.004, 0, 1)
        other = {"role": params["border"], "number": 5}
        fabric = mixed(fabric, fabric_of(stage, other, outfit, uv), np.clip(share, 0, 1).astype(np.float32))
    edge = tuple(params.get("edge", (0.22, 0.3)))
    stage.put(
        np.asarray(cover, np.float32), z, normals, fabric, np.asarray(relief, np.float32), edge,
        float(params.get("lift", 0.4)),
    )  # fmt: skip


@part("costume fur")
def fur(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """A band of fur along a curve. Params: broad (half its breadth), length of the hairs, density, drift, out."""
    shell = shell_of(stage, params)
    cloth = cloth_of(params, outfit)
    base = solid(cloth.colour)((slice(0, 1), slice(0, 1)))[0]
    broad, length = float(params.get("broad", 1.9)), float(params.get("length", 2.2))
    for s, path in sides(params):
        drift = params.get("drift", (0.0, 0.25))
        cover, tone, lift = drapes.hairs(
            stage, path, s + 1 + int(params.get("number", 0)) * 3, broad=broad, length=length,
            density=float(params.get("density", 100.0)), drift=(s * drift[0], drift[1]),
            out=float(params.get("out", 1.0)),
        )  # fmt: skip
        _, d = stage.along(path, cover)
        box = bounds(cover)
        round_ = 1.3 * broad * np.sqrt(np.clip(1 - (d[box] / (broad + 0.7 * length)) ** 2, 0, 1))
        tone = np.asarray(cv2.GaussianBlur(tone, (0, 0), 0.6), np.float32)
        albedo = np.zeros((stage.h, stage.w, 3), np.float32)
        albedo[box] = base * (0.30 + 0.75 * tone[box][..., None])
        relief = np.zeros_like(cover)
        relief[box] = round_ + 0.16 * (lift[box] + 0.8 * tone[box])
        material = np.array([0.85, 0.03, 0.30, 0.0], np.float32).reshape(1, 1, 4)

        def make(box: Box, albedo: F32 = albedo, material: F32 = material) -> tuple[F32, F32, F32]:
            return albedo[box], np.zeros((1, 1), np.float32), material

        stage.put(
            np.clip(cover * 1.15, 0, 1).astype(np.float32), np.maximum(shell.z, -7.0), shell.normals, make,
            np.asarray(relief, np.float32), (0.0, 0.0), float(params.get("lift", 0.6)),
        )  # fmt: skip


# Colours of the stripes of made-up service ribbons: none is an order of any country.
_RIBBONS = (
    ("#a81e2e", "#e8e4d8", "#a81e2e"),
    ("#23408f", "#d8b13c", "#23408f"),
    ("#1e6a45", "#1e6a45", "#d9d5c8"),
    ("#d8b13c", "#6a1328", "#d8b13c"),
    ("#5b2f7a", "#d9d5c8", "#5b2f7a"),
    ("#d9d5c8", "#2a8fa0", "#d9d5c8"),
)


@part("costume ribbon bar")
def ribbon_bar(stage: Stage, params: Mapping[str, Any], outfit: Outfit) -> None:
    """Rows of service ribbons of invented colours. Params: x, y (left upper corner), columns, rows, lift."""
    shell = shell_of(stage, params)
    wide, high = 2.15, 0.92
    cover, weave = np.zeros_like(stage.x), np.zeros_like(stage.x)
    albedo = np.zeros((stage.h, stage.w, 3), np.float32)
    soft = stage.detail
    for row in range(int(params["rows"])):
        for column in range(int(params["columns"])):
            x, y = params["x"] + wide * column, params["y"] + (high + 0.08) * row - 0.05 * column
            box = stage.near(x + wide / 2, y + high / 2, 1.6)
            u, v = (stage.x[box] - x) / wide, stage.y[box] - y
            one = np.clip(u * wide / soft, 0, 1) * np.clip((0.97 - u) * wide / soft, 0, 1)
            one *= np.clip(v / soft, 0, 1) * np.clip((high - v) / soft, 0, 1)
            colours = [linear_of_hex(c) for c in _RIBBONS[(2 * column + 3 * row) % len(_RIBBONS)]]
            # Symmetric stripes: the outer colour, a narrow one, the outer again, the middle.
            mirrored = np.abs(u - 0.485)
            stripe = np.where(mirrored < 0.12, 1, np.where((mirrored > 0.25) & (mirrored < 0.36), 2, 0))
            albedo[box] += (np.stack(colours)[stripe] - albedo[box]) * one[..., None]
            weave[box] += 0.012 * np.sin(stage.x[box] * 42) * one
            cover[box] = np.maximum(cover[box], one)
    fabric = painted(albedo, (0.55, 0.04, 0.1, 0.0))
    stage.put(cover, shell.z, shell.normals, fabric, weave, (0.06, 0.08), float(params["lift"]))
