"""What the traced body is made of: woven cloth along its limbs, skin, seams and hems, and the wardrobe's own front.

The torso's front is not painted twice: the wardrobe draws the garment on its standard bust, seen from the front, and
the posed chest takes colour and relief from there in its own axes. So a figure and a bust wear the same clothes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.cloth.fabrics import weave
from portrayal.engines.studio.cloth.surface import NOWHERE, SKIN, Surface
from portrayal.engines.studio.figure import rows as columns
from portrayal.engines.studio.figure import types as t
from portrayal.engines.studio.figure.camera import View
from portrayal.engines.studio.figure.detail import bent, detailed
from portrayal.engines.studio.figure.field import noise_table
from portrayal.engines.studio.figure.lettering import inked
from portrayal.engines.studio.figure.occlusion import Grid, open_sky, shadow
from portrayal.engines.studio.figure.trace import Traced
from portrayal.imaging import F32, Array, Bool
from portrayal.parallel import bands

_WOOD: Final = "#8a5c34"
_NAIL: Final = (0.32, 0.04, 0.03, 0.0)
# Share of the wardrobe's own shape on the chest, and of the fabric's relief.
_SHAPE: Final = 0.85
_RELIEF: Final = 0.6
# Softness of shadows when nobody says: an area light of the size of a window.
_INK: Final = np.float32(0.03)
_SOFT: Final = 0.12
_PACK: Final = 128
_LEAST: Final = 1e-3


@dataclass(frozen=True)
class Front:
    """The wardrobe's picture of the garment, seen from the front without a turn.

    Attributes:
        surface: over its own small canvas.
        x, y: of the jugular notch on it, pixels.
        lowest: cm below the notch down to which it can be used.
    """

    surface: Surface
    x: float
    y: float
    lowest: float


def surfaced(
    body: t.Body, seen: Traced, grid: Grid, view: View, skin: F32, front: Front | None, words: str = ""
) -> Surface:
    """The body as a surface of the canvas.

    Args:
        body, seen, grid, view: the posed body, its tracing, field and camera.
        skin: (3,) scene light of the face's skin.
        front: the garment's front, None = woven cloth everywhere.
        words: on a sign, if the body holds one.
    """
    scale = view.scale(float(body.joints["chest"][2]))
    albedo, normals, material, is_skin = _painted(body, seen, scale, skin, front, words)
    return _on_canvas(body, seen, grid, view, albedo, normals, material, is_skin, scale)


def _painted(
    body: t.Body, seen: Traced, scale: float, skin: F32, front: Front | None, words: str
) -> tuple[F32, F32, F32, F32]:
    """Albedo, normals, material and share of bare skin over the box; see `surfaced`."""
    h, w = seen.cover.shape
    row = np.maximum(seen.row, 0)
    part = np.where(seen.row >= 0, body.part[row], -1).astype(np.int32)
    cloth = np.where(seen.row >= 0, body.cloth[row], -2).astype(np.int32)
    on = np.flatnonzero(seen.row >= 0)  # half of the box is beside the body
    on_limb = _along(seen, body.frames[body.frame].astype(np.float32), on)
    on_chest = _in(seen.point, body.chest)
    across, along = _cloth_coordinates(body, part, row, on_limb, on_chest, seen)
    albedo, relief, material = _woven(body, cloth, across, along, scale)
    bare = cloth == -1
    albedo[bare] = skin
    material[bare] = SKIN
    tint, painted = np.ones((h, w, 3), np.float32), np.zeros((h, w), np.float32)
    on_hips = _in(seen.point, body.pelvis)
    rows = np.ascontiguousarray(body.rows, np.float32)
    lengths = np.ascontiguousarray(body.frames[body.frame][:, 12], np.float32)
    table, seed = noise_table(), np.float32(body.seed % 89)
    bands(
        lambda a, b: detailed(
            seen.row, part, rows, lengths, seen.point, seen.own, on_limb, on_chest, on_hips, table, seed, tint,
            painted, a, b,
        ),
        h,
        least=16,
    )  # fmt: skip
    albedo *= tint
    if words and "sign" in body.things:
        ink = (inked(body, seen.point, words) * (part == t.PLAIN))[..., None]
        albedo += (_INK - albedo) * ink
    is_skin = (bare & (seen.row >= 0)).astype(np.float32)
    normals = seen.normal.copy()
    if front is not None:
        chain = body.rows[row, columns.CHAIN]
        trunk = (chain == columns.TORSO) & (on_chest[..., 2] > -4) & (on_chest[..., 1] < 9)
        band = (part == t.CUFF) & trunk & (body.rows[row, columns.GROUP] == columns.PROP2)
        skin_only = (part == t.BARE) & trunk
        # The top of a sleeve goes on from the chest without a border.
        upper = (part == t.SLEEVE) & (body.rows[row, columns.JOIN] > 0)
        near = np.where(upper, np.clip((9.0 - on_limb[..., 0]) / 6.0, 0, 1), 1)
        torso = np.where((part == t.CHEST) | band | skin_only | upper, near, 0).astype(np.float32)
        _dressed(body, on_chest, torso, skin_only, front, albedo, relief, painted, material, is_skin, normals)
    group = np.where(seen.row >= 0, body.rows[row, columns.GROUP] * 16 + np.minimum(part, 15), -1).astype(np.int32)
    height = cv2.GaussianBlur(
        _RELIEF * relief + painted * np.clip(material[..., 0] / 0.6, 0.4, 1), (0, 0), max(0.4, 0.05 * scale)
    )
    bands(lambda a, b: bent(group, height, np.float32(scale), normals, a, b), h, least=16)
    return *_smooth_edges(seen, group, albedo, normals), material, is_skin


def _along(seen: Traced, frames: F32, on: Array) -> F32:
    """The points (h, w, 3) in the axes of their rows' frames (n, 13): along, v, w; 0 beside `on`."""
    frame = frames[seen.row.reshape(-1)[on]]
    away = seen.point.reshape(-1, 3)[on] - frame[:, :3]
    out = np.zeros((seen.row.size, 3), np.float32)
    out[on] = np.einsum("nkj,nj->nk", frame[:, 3:12].reshape(-1, 3, 3), away)
    return out.reshape(seen.point.shape)


def _in(point: F32, place: t.Place) -> F32:
    """Points in the axes of a place: right, up, front."""
    return np.asarray((point - place.at.astype(np.float32)) @ place.axes.astype(np.float32), np.float32)


def _cloth_coordinates(body: t.Body, part: t.I32, row: t.I32, limb: F32, chest: F32, seen: Traced) -> tuple[F32, F32]:
    """cm across and down the cloth, (h, w) each; tubes are rolled out."""
    width = body.rows[:, columns.WIDTH : columns.WIDTH + 6].mean(1).astype(np.float32)
    torso = (part == t.CHEST) | (part == t.HOOD)
    side = np.where(torso, chest[..., 0] * np.float32(1 / 15), limb[..., 1])
    front = np.where(torso, (chest[..., 2] + 6) * np.float32(1 / 10), limb[..., 2])
    across = np.arctan2(side, front) * np.where(torso, np.float32(12.5), width[row])
    down = np.where(torso, -chest[..., 1], limb[..., 0])
    kind = body.rows[:, columns.KIND][row]
    solid = (kind == columns.BOX) | (part == t.SHOE) | (part == t.SOLE)
    across = np.where(solid, seen.own[..., 1], across)
    down = np.where(solid, seen.own[..., 0] + seen.own[..., 2], down)
    return across.astype(np.float32), down.astype(np.float32)


def _woven(body: t.Body, cloth: t.I32, across: F32, down: F32, scale: float) -> tuple[F32, F32, F32]:
    """Albedo, relief and material of all cloths; each is woven only at its own pixels, packed together."""
    h, w = cloth.shape
    albedo, relief = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32)
    material = np.zeros((h, w, 4), np.float32)
    material[:] = (0.9, 0.028, 0.1, 0.0)
    for number, kind in enumerate(body.cloths):
        at = np.flatnonzero(cloth == number)
        if not len(at):
            continue
        packed = np.resize(at, (-(-len(at) // _PACK), _PACK))
        woven = weave(kind, across.reshape(-1)[packed], down.reshape(-1)[packed], 1 / scale, body.seed + number)
        albedo.reshape(-1, 3)[at] = woven.albedo.reshape(-1, 3)[: len(at)]
        relief.reshape(-1)[at] = woven.relief.reshape(-1)[: len(at)]
        full = np.broadcast_to(woven.material, (*packed.shape, 4)).reshape(-1, 4)
        material.reshape(-1, 4)[at] = full[: len(at)]
    return albedo, relief, material


def _dressed(
    body: t.Body,
    chest: F32,
    torso: F32,
    skin_only: Bool,
    front: Front,
    albedo: F32,
    relief: F32,
    painted: F32,
    material: F32,
    bare: F32,
    normals: F32,
) -> None:
    """Paint the wardrobe's front on the torso, in place.

    `torso` (h, w) is the weight of what gets the front. Where the body is bare (`skin_only`) only cloth is painted;
    `bare` (h, w) is the share of bare skin.
    """
    surface = front.surface
    torso = torso * (chest[..., 1] > -front.lowest)
    if not torso.any():
        return
    rows, cols = np.flatnonzero(torso.any(1)), np.flatnonzero(torso.any(0))
    at = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    here = chest[at]
    u = np.ascontiguousarray(front.x + here[..., 0] * surface.scale)
    v = np.ascontiguousarray(front.y - here[..., 1] * surface.scale)
    # The side of the body is not seen from the front, and below the armpits hang the bust's own arms: there the
    # woven cloth goes on.
    wide = np.clip(16.0 - (-here[..., 1] - 6.0) * 0.5, 13.0, 16.0)
    side = np.clip((wide - np.abs(here[..., 0])) / 2.5, 0, 1) * np.clip((here[..., 2] + 11.0) / 4.0, 0, 1)
    end = np.clip((here[..., 1] + front.lowest) / 5.0, 0, 1)

    def read(values: F32) -> F32:
        return np.asarray(cv2.remap(values, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    weight = (torso[at] * side * end * read(surface.cover)).astype(np.float32)
    shown = read(surface.skin)
    weight = np.where(skin_only[at], weight * (1 - shown), weight).astype(np.float32)
    k = weight[..., None]
    albedo[at] += (read(surface.albedo) - albedo[at]) * k
    material[at] += (read(surface.material) - material[at]) * k
    bare[at] += (shown - bare[at]) * weight
    # The wardrobe's bust is the better chest: its shape, lapels and folds bend the light.
    shape = read(surface.normals) @ body.chest.axes.T
    collar = np.clip((here[..., 1] + 6.0) / 4.0, 0, 1)[..., None]
    shape = normals[at] + (shape - normals[at]) * (k * (_SHAPE + (1 - _SHAPE) * collar))
    normals[at] = shape / np.maximum(np.sqrt((shape * shape).sum(-1, keepdims=True)), 1e-4)
    known = (surface.cover > 0.5).astype(np.float32)
    depth = np.where(known > 0, surface.depth, 0).astype(np.float32)
    sigma = 1.2 * surface.scale
    smooth = cv2.GaussianBlur(depth, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(known, (0, 0), sigma), 1e-3)
    fine = np.clip((depth - smooth) * known, -0.6, 0.6).astype(np.float32)
    relief[at] += (read(fine) - relief[at]) * weight
    painted[at] *= 1 - 0.8 * weight


def _smooth_edges(seen: Traced, group: t.I32, albedo: F32, normals: F32) -> tuple[F32, F32]:
    """Antialias where parts or depths meet inside the silhouette: there one ray per pixel leaves steps."""
    kernel = np.ones((3, 3), np.uint8)
    on = seen.cover > 0
    ids = (group + 2).astype(np.float32)
    depth = np.where(on, seen.point[..., 2], 0).astype(np.float32)
    step = (cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)) | (
        cv2.dilate(depth, kernel) - cv2.erode(depth, kernel) > 2.0
    )
    mask = cv2.GaussianBlur((step & on).astype(np.float32), (0, 0), 0.6) * on
    weight = cv2.GaussianBlur(on.astype(np.float32), (0, 0), 0.75)
    at = np.flatnonzero(mask > _LEAST)
    share = mask.reshape(-1)[at, None]
    out = []
    for values in (albedo, normals):
        soft = cv2.GaussianBlur(values * on[..., None], (0, 0), 0.75).reshape(-1, 3)[at]
        mixed = values.copy().reshape(-1, 3)
        own = mixed[at]
        mixed[at] = own + (soft / np.maximum(weight.reshape(-1)[at, None], 1e-3) - own) * share
        out.append(mixed)
    edge = out[1][at]
    out[1][at] = edge / np.maximum(np.sqrt((edge * edge).sum(-1, keepdims=True)), 1e-4)
    return out[0].reshape(albedo.shape), out[1].reshape(normals.shape)


def _on_canvas(
    body: t.Body, seen: Traced, grid: Grid, view: View, albedo: F32, normals: F32, material: F32, skin: F32,
    scale: float,
) -> Surface:  # fmt: skip
    """Put the box on the canvas, with its own open sky and shadows at half size."""
    h, w = seen.cover.shape
    size = (view.height, view.width)
    at = np.s_[seen.y0 : seen.y0 + h, seen.x0 : seen.x0 + w]
    point, normal, cover = _half(seen)
    sky = _enlarged(open_sky(grid, point, normal, cover), cover, (w, h)) * _crevices(seen, scale)
    faces = _full(np.array([0, 0, 1], np.float32), size)

    def cast(direction: F32) -> F32:
        shade = _enlarged(shadow(grid, point, normal, cover, direction, _SOFT), cover, (w, h))
        whole = np.ones(size, np.float32)
        whole[at] = shade
        return whole

    arrays = {
        "albedo": (albedo, np.zeros((*size, 3), np.float32)),
        "normals": (normals, faces),
        "depth": (
            np.where(seen.cover > 0, seen.point[..., 2] - body.head.centre[2], NOWHERE),
            np.full(size, NOWHERE, np.float32),
        ),
        "material": (material, _full(np.array((0.9, 0.028, 0.1, 0.0), np.float32), size)),
        "cover": (seen.cover, np.zeros(size, np.float32)),
        "skin": (skin, np.zeros(size, np.float32)),
        "open": (sky, np.ones(size, np.float32)),
    }
    for part, whole in arrays.values():
        whole[at] = part
    return Surface(**{name: whole for name, (_, whole) in arrays.items()}, scale=scale, shadow=cast)


def _half(seen: Traced) -> tuple[F32, F32, F32]:
    """Points, normals and cover at half size."""
    h, w = seen.cover.shape
    at = np.s_[: 2 * max(1, h // 2) : 2, : 2 * max(1, w // 2) : 2]
    return (
        np.ascontiguousarray(seen.point[at]),
        np.ascontiguousarray(seen.normal[at]),
        np.ascontiguousarray(seen.cover[at]),
    )


def _full(value: F32, size: tuple[int, int]) -> F32:
    out = np.empty((*size, len(value)), np.float32)
    out[:] = value
    return out


def _enlarged(values: F32, cover: F32, size: tuple[int, int]) -> F32:
    """Values of the covered pixels at full size, not mixed with those beside the body."""
    on = (cover > 0).astype(np.float32)
    spread = cv2.GaussianBlur(values * on, (0, 0), 0.7) / np.maximum(cv2.GaussianBlur(on, (0, 0), 0.7), 1e-3)
    near = np.where(on > 0, spread, np.where(cv2.dilate(on, np.ones((3, 3), np.uint8)) > 0, spread, 1))
    return np.asarray(cv2.resize(near.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _crevices(seen: Traced, scale: float) -> F32:
    """Open sky of what lies deeper than its surroundings on the picture, at three sizes: folds, fingers, overlaps."""
    h, w = seen.cover.shape
    on: Bool = seen.cover > 0
    depth = np.where(on, seen.point[..., 2], 0).astype(np.float32)
    out = np.ones((h, w), np.float32)
    for size, strength, deep in ((1.6, 0.3, 1.4), (4.0, 0.35, 3.0)):
        sigma = size * scale
        part = 1 if sigma < 3 else 2 if sigma < 8 else 4
        small = (max(2, w // part), max(2, h // part))
        matte = cv2.resize(on.astype(np.float32), small, interpolation=cv2.INTER_AREA)
        mean = cv2.GaussianBlur(cv2.resize(depth, small, interpolation=cv2.INTER_AREA), (0, 0), sigma / part)
        mean = np.asarray(mean / np.maximum(cv2.GaussianBlur(matte, (0, 0), sigma / part), 1e-3), np.float32)
        mean = cv2.resize(mean, (w, h), interpolation=cv2.INTER_LINEAR)
        out *= 1 - strength * np.clip((mean - depth) / deep, 0, 1) ** 0.85 * on
    return out
