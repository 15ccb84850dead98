"""What a turn brings to light: surface that the reference shows from the side, or not at all.

There the shell's colours are drawn out to streaks. Hair takes its strands from the reference's own hair at the same
place of the picture: the light stays where it was and strands keep their width. Skin is smoothed and gets the grain
of the cheek; on a face that was turned away in the reference, the mirrored half lends its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.engines.studio.head import topology
from portrayal.engines.studio.head.fields import blur, fill, polygon, resize, sample, smoothstep, warp
from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.outline import Edge
from portrayal.engines.studio.head.raster import NOTHING, rasterise
from portrayal.engines.studio.head.shell import NO_TWIN
from portrayal.engines.studio.head.view import View, project
from portrayal.imaging import F32, F64, Array, Bool
from portrayal.perception import mesh

_AROUND = 0.25  # of what is smoothed, in face heights: where it takes its colours from
_TURNED = 5.0  # degrees of yaw from which one half of a face is seen better than the other


@dataclass(frozen=True)
class _Scene:
    """One turned head at local resolution; `step` = local pixels per pixel of the coarse fields."""

    rgb: F32
    source: F32
    edge: Edge
    model: HeadModel
    view: View
    face: float
    step: int

    @property
    def size(self) -> tuple[int, int]:
        return self.rgb.shape[1], self.rgb.shape[0]

    @property
    def coarse(self) -> tuple[int, int]:
        return -(-self.size[0] // self.step), -(-self.size[1] // self.step)

    def down(self, image: Array) -> F32:
        return resize(image, self.coarse)

    def up(self, image: Array) -> F32:
        return resize(image, self.size)


def mended(
    rgb: F32,
    source: F32,
    edge: Edge,
    covered: Bool,
    twin: F32 | None,
    model: HeadModel,
    view: View,
    turn: F64,
) -> F32:
    """The turned colours (h, w, 3) without streaks.

    Args:
        rgb: colours of the turned shell.
        source: colours before the turn.
        edge: source coordinates of each pixel.
        covered: where the shell is.
        twin: (h, w, 2) source of each pixel's mirror image, far outside where there is none.
        turn: (3, 3) rotation.
    """
    face = view.factor * model.face
    scene = _Scene(rgb, source, edge, model, view, face, max(1, round(face / 80)))
    inside = scene.down(covered.astype(np.float32))
    stretch = _stretch(scene, inside)
    weight = blur(smoothstep(1.7, 3.2, stretch), 0.025 * 80) * (inside > 0.05)
    weight = blur(cv2.dilate(weight, np.ones((3, 3), np.uint8)), 1.2)
    if float(weight.max()) < 0.02:
        return rgb
    if twin is not None:
        lent = _lent(scene, twin, weight)
        scene = replace(scene, rgb=scene.rgb + (lent[0] - scene.rgb) * scene.up(weight * lent[1])[..., None])
        weight = weight * (1 - 0.9 * lent[1])
    out = _smoothed_part(scene, weight, covered)
    # A frontal reference shows both halves equally aslant: nothing to borrow.
    donor = _mirrored(scene, turn) if abs(model.pose.yaw) > _TURNED else None
    return _with_other_half(replace(scene, rgb=out), stretch, donor) if donor else out


def _stretch(scene: _Scene, inside: F32) -> F32:
    """How much longer than wide a pixel of the reference became (coarse); 1 = not at all."""
    u, v = scene.down(scene.edge.x), scene.down(scene.edge.y)
    k = np.float32(1 / (2 * scene.step))

    def slopes(image: F32) -> tuple[F32, F32]:
        return (np.roll(image, -1, 1) - np.roll(image, 1, 1)) * k, (np.roll(image, -1, 0) - np.roll(image, 1, 0)) * k

    (a, b), (c, d) = slopes(u), slopes(v)
    area = np.abs(a * d - b * c)
    length = np.sqrt(a * a + b * b + c * c + d * d)
    out = np.clip(np.minimum(length, 2) / np.maximum(area, 0.02), 0, 12)
    whole = cv2.erode(inside, np.ones((3, 3), np.uint8)) > 0.9
    return np.where(whole, out, 0).astype(np.float32)


def _lent(scene: _Scene, twin: F32, weight: F32) -> tuple[F32, F32]:
    """Colours of the other half of the head (full size), and where it has any (coarse)."""
    valid = (twin[..., 0] > NO_TWIN / 4).astype(np.float32)
    share = scene.down(valid)
    share = blur(cv2.erode((share > 0.9).astype(np.float32), np.ones((5, 5), np.uint8)), 1.8)
    other = warp(scene.source, np.ascontiguousarray(twin[..., 0]), np.ascontiguousarray(twin[..., 1]), cv2.INTER_CUBIC)
    rim = ((weight > 0.05) & (weight < 0.5) & (share > 0.5)).astype(np.float32)
    if rim.sum() > 20:  # light falls differently on both halves
        a, b = scene.down(scene.rgb), scene.down(other)
        other = other * np.clip((a * rim[..., None]).sum((0, 1)) / (b * rim[..., None]).sum((0, 1)), 0.75, 1.3)
    return other.astype(np.float32), share


def _smoothed_part(scene: _Scene, weight: F32, covered: Bool) -> F32:
    """`_smoothed`, taken where there is something to smooth: often one side of the head only."""
    k, (w, h) = scene.step, scene.size
    rows, columns = np.nonzero(weight > 0.004)
    if not len(rows):
        return scene.rgb
    margin = round(_AROUND * scene.face / k)
    x0, x1 = max(0, int(columns.min()) - margin) * k, min(w, (int(columns.max()) + 1 + margin) * k)
    y0, y1 = max(0, int(rows.min()) - margin) * k, min(h, (int(rows.max()) + 1 + margin) * k)
    level = _grain_level(scene)
    here = np.s_[y0:y1, x0:x1]
    edge = Edge(scene.edge.alpha[here], scene.edge.x[here] - x0, scene.edge.y[here] - y0)
    view = scene.view.cropped((x0, y0, x1, y1))
    part = replace(scene, rgb=scene.rgb[here], source=scene.source[here], edge=edge, view=view)
    coarse = weight[y0 // k : -(-y1 // k), x0 // k : -(-x1 // k)]
    out = scene.rgb.copy()
    out[here] = _smoothed(part, coarse, covered[here], level)
    return out


def _smoothed(scene: _Scene, weight: F32, covered: Bool, level: float) -> F32:
    """Streaks replaced by their own low-pass plus the detail of the reference at the same place."""
    sigma = 0.024 * scene.face / scene.step
    coarse = scene.down(scene.rgb)
    # Only the rim's pixels are drawn out, and a rim may carry a light of its own: near colours from further in win.
    inner = fill(coarse, np.clip(1 - 4 * weight, 0, 1) * (scene.down(covered.astype(np.float32)) > 0.95))
    here = scene.view.field(scene.model.hair)
    hair = warp(here, scene.edge.x, scene.edge.y)
    bound = 0.04 + 0.08 * scene.down(hair)[..., None]
    low: F32 = inner + np.clip(blur(coarse, sigma) - inner, -bound, bound)
    own, sure = _same_place(scene)
    own_low = blur(scene.down(own), sigma)
    near = 1 - smoothstep(0.10, 0.26, np.abs(own_low - low).max(-1))
    similar = blur(near * scene.down(sure * here * hair), 0.03 * scene.face / scene.step)[..., None]
    detail = scene.up(similar) * hair
    # low + similar * (0.45 * (own_low - low) + own - own_low), with all that is soft at low resolution.
    new: F32 = scene.up(low) + (own - scene.up(0.55 * own_low + 0.45 * low)) * detail[..., None]
    skin = ((1 - hair) * (1 - detail))[..., None]
    new = (new * (1 - 0.08 * skin) + _grain(scene, level) * skin).astype(np.float32)
    out: F32 = scene.rgb + (new - scene.rgb) * scene.up(weight)[..., None]
    return out


def _same_place(scene: _Scene) -> tuple[F32, F32]:
    """The reference at each pixel's own place, mirrored at its outline; and 1 where that is inside the head."""
    view, outline = scene.view, scene.model.outline
    w, h = scene.size
    distance, nx, ny = (view.field(f) for f in (outline.distance, outline.nx, outline.ny))
    distance *= np.float32(view.factor)
    back = np.maximum(0.05 * scene.face - distance, 0) * 2
    gx, gy = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    x, y = gx - nx * back, gy - ny * back
    own = warp(scene.source, x, y)
    return own, (warp(distance, x, y) > 2).astype(np.float32)


def _grain_level(scene: _Scene) -> float:
    """Strength of the brighter cheek's grain."""
    points = scene.view.to_local(scene.model.points[:468, :2])
    r = max(2, int(0.07 * scene.face))
    best: F32 | None = None
    for i in (50, 280):
        x, y = int(points[i, 0]), int(points[i, 1])
        patch = scene.source[max(0, y - r) : max(0, y + r), max(0, x - r) : max(0, x + r)]
        if patch.size and (best is None or patch.mean() > best.mean()):
            best = patch
    level = 0.0
    if best is not None:
        fine = (best - blur(best, 0.008 * scene.face)).mean(-1)
        low, high = np.quantile(fine, [0.1, 0.9])
        level = min(1.3 * float(np.clip(fine, low, high).std()), 0.012)
    return level


def _grain(scene: _Scene, level: float) -> F32:
    """Fine noise (h, w, 1) of this strength."""
    h, w = scene.rgb.shape[:2]
    noise = blur(np.random.default_rng(1).standard_normal((h, w)).astype(np.float32), max(0.5, 0.0022 * scene.face))
    out: F32 = (noise * np.float32(level / max(float(noise.std()), 1e-6)))[..., None]
    return out


@dataclass(frozen=True)
class _Donor:
    """The face with its halves exchanged: source coordinates, where it is, and the turned landmarks (local)."""

    x: F32
    y: F32
    seen: F32
    points: F32


def _mirrored(scene: _Scene, turn: F64) -> _Donor | None:
    model = scene.model
    at = model.points[:468, :2]
    follow = sample(model.follow, at[:, 0], at[:, 1])
    new, near = project(model, turn, at, model.landmarks, follow)
    points = scene.view.to_local(new)
    source = scene.view.to_local(at[mesh.mirror_map()])
    w, h = scene.size
    uv, buffer = rasterise(points, near, source, topology.closed_triangles(), h, w)
    seen = (buffer > NOTHING).astype(np.float32)
    if float(seen.max()) == 0:
        return None
    return _Donor(np.ascontiguousarray(uv[..., 0]), np.ascontiguousarray(uv[..., 1]), seen, points)


def _with_other_half(scene: _Scene, stretch: F32, donor: _Donor) -> F32:
    """Use the mirrored half where an area of the face, not just a crease, is drawn out."""
    seen = scene.down(donor.seen)
    bad = smoothstep(2.0, 3.4, stretch) * (seen > 0.5)
    area = cv2.morphologyEx((bad > 0.5).astype(np.uint8), cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    if area.sum() < 0.01 * seen.sum():
        return scene.rgb
    wide = cv2.dilate(area.astype(np.float32), np.ones((13, 13), np.uint8))
    depth = cv2.distanceTransform((donor.seen > 0).astype(np.uint8), cv2.DIST_L2, 5)
    weight = scene.up(blur(wide, 3.5)) * smoothstep(0, 0.05 * scene.face, depth)
    h, w = scene.rgb.shape[:2]
    for upper, lower in topology.LIDS:  # an eye is taken whole from one side, never blended
        ring = donor.points[upper + lower[-2:0:-1]]
        spot = cv2.dilate(polygon(ring, (h, w)), np.ones((int(0.03 * scene.face) | 1,) * 2, np.uint8))
        spot = blur(spot, 0.008 * scene.face)
        if spot.sum() > 20:
            mostly = float((weight * spot).sum() / spot.sum()) > 0.62
            weight = np.maximum(weight, spot) if mostly else weight * (1 - spot)
    other = warp(scene.source, donor.x, donor.y, cv2.INTER_CUBIC)
    rim = ((donor.seen > 0) & (weight > 0.05) & (weight < 0.4))[..., None]
    if rim.sum() > 50:
        gain = (scene.rgb * rim).sum((0, 1)) / np.maximum((other * rim).sum((0, 1)), 1e-3)
        other = other * np.clip(gain, 0.82, 1.22)
    out: F32 = (scene.rgb + (other - scene.rgb) * weight[..., None]).astype(np.float32)
    return out
