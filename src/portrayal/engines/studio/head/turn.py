"""The head turned in 3-D, over a body that stays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.engines.studio.head import outline, reveal
from portrayal.engines.studio.head.fields import blur, bounds, disc, fill, resize, sample, smoothstep, warp
from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.motion import HeadMotion
from portrayal.engines.studio.head.raster import NOTHING, rasterise
from portrayal.engines.studio.head.shell import NO_TWIN
from portrayal.engines.studio.head.view import Carried, View, project, turning
from portrayal.engines.studio.types import Cutout
from portrayal.imaging import F32, F64, U8, Bool
from portrayal.parallel import bands
from portrayal.perception import mesh
from portrayal.perception.types import BACKGROUND, CLOTHING

_STRIDE = 4  # pixels between those that are looked at to find the head


@dataclass(frozen=True)
class _Drawn:
    """The turned shell: where it is, and the source (h, w, 2) of each pixel, and of its twin on the other half."""

    covered: Bool
    uv: F32
    twin: F32 | None


def turned(part: Cutout, model: HeadModel, view: View, motion: HeadMotion, carried: Carried | None) -> Cutout:
    """The head of a part of the canvas (the view's box) in another pose; `points` are left to the caller.

    Args:
        carried: what an expression has moved before.
    """
    matrix = turning(model, motion)
    x0, y0, x1, y1 = box = _touched(part.alpha, model, view, matrix)
    if min(x1 - x0, y1 - y0) < 16:
        return part
    if carried is not None:
        carried = replace(carried, corner=(carried.corner[0] - x0, carried.corner[1] - y0))
    inner = replace(
        part, rgb=part.rgb[y0:y1, x0:x1], alpha=part.alpha[y0:y1, x0:x1], regions=part.regions[y0:y1, x0:x1]
    )
    inner = _turned(inner, model, view.cropped(box), matrix, carried)
    rgb, alpha, regions = part.rgb.copy(), part.alpha.copy(), part.regions.copy()
    rgb[y0:y1, x0:x1], alpha[y0:y1, x0:x1], regions[y0:y1, x0:x1] = inner.rgb, inner.alpha, inner.regions
    return replace(part, rgb=rgb, alpha=alpha, regions=regions)


def _touched(alpha: F32, model: HeadModel, view: View, matrix: F64) -> tuple[int, int, int, int]:
    """The box of the view (local pixels) that holds the head, its hair and its neck, before and after the turn."""
    coarse = view.coarse(_STRIDE)
    head = alpha[::_STRIDE, ::_STRIDE] * np.maximum(coarse.field(model.head), 1 - coarse.field(model.body))
    rows, columns = np.nonzero((head > 0.02) & (coarse.field(model.follow) > 0.002))
    before = np.stack([columns, rows], 1).astype(np.float32) * _STRIDE
    shell = model.shell
    after, _ = project(model, matrix, shell.at, shell.front, shell.follow)
    behind, _ = project(model, matrix, shell.at, shell.back, shell.follow)
    places = np.vstack([before, view.to_local(np.vstack([after, behind]))])
    return bounds(places, (outline.BAND + 0.02) * view.factor * model.face + _STRIDE, view.size)


def _turned(part: Cutout, model: HeadModel, view: View, matrix: F64, carried: Carried | None) -> Cutout:
    share = view.field(model.head)
    drawn = _draw(model, view, matrix, carried)
    edge = outline.transfer(part.alpha * share, drawn.covered, drawn.uv, model, view)
    # Beyond the canvas, hair goes on mirrored rather than in stripes.
    rgb = warp(part.rgb, edge.x, edge.y, cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101)
    rgb = _antialiased(rgb, edge.x, edge.y)
    rgb = reveal.mended(rgb, part.rgb, edge, drawn.covered, drawn.twin, model, view, matrix)
    return _composite(part, rgb, edge, model, view)


def _draw(model: HeadModel, view: View, matrix: F64, carried: Carried | None) -> _Drawn:
    shell = model.shell
    height, follow = shell.front, shell.follow
    if carried is not None:  # a dropped chin takes its height along, over what was neck
        was = carried.before(model, view, shell.at)
        height = (
            height + sample(model.front, was[:, 0], was[:, 1]) - sample(model.front, shell.at[:, 0], shell.at[:, 1])
        )
        follow = sample(model.follow, was[:, 0], was[:, 1])
    front, near = project(model, matrix, shell.at, height, follow)
    back, far = project(model, matrix, shell.at, shell.back, shell.follow)
    points = view.to_local(np.vstack([front, back]))
    # The front wins where both meet, at the rim.
    depth = np.concatenate([near + 0.005 * model.face, far])
    source = view.to_local(shell.source)
    triangles = np.vstack([shell.triangles, shell.triangles + len(shell.at)])
    w, h = view.size
    uv, buffer = rasterise(points, depth, np.vstack([source, source]), triangles, h, w)
    twin = None
    if (shell.twin[:, 0] > NO_TWIN / 2).mean() > 0.02:
        places = np.where(shell.twin > NO_TWIN / 2, view.to_local(shell.twin), np.float32(NO_TWIN))
        twin, _ = rasterise(points, depth, np.vstack([places, places]), triangles, h, w)
    covered = (buffer > NOTHING).astype(np.uint8)
    face = view.factor * model.face
    low = int(np.clip(view.factor * (model.points[mesh.CHIN, 1] - 0.35 * model.face) + view.shift[1], 0, h))
    if low < h:  # a turned neck leaves slivers beside it
        covered[low:] = cv2.morphologyEx(covered[low:], cv2.MORPH_OPEN, disc(0.037 * face))
    return _Drawn(covered > 0, uv, twin)


def _antialiased(rgb: F32, x: F32, y: F32) -> F32:
    """Soften the jumps where one part of the head hides another."""
    jump = np.maximum(np.abs(cv2.Laplacian(x, cv2.CV_32F)), np.abs(cv2.Laplacian(y, cv2.CV_32F))) > 6
    if not jump.any():
        return rgb
    near = blur(cv2.dilate(jump.astype(np.float32), np.ones((3, 3), np.uint8)), 0.8)[..., None]
    out: F32 = rgb + (blur(rgb, 1.1) - rgb) * near
    return out


def _composite(part: Cutout, rgb: F32, edge: outline.Edge, model: HeadModel, view: View) -> Cutout:
    """Head over body; what does not move stays as it was, to the bit."""
    face = view.factor * model.face
    # Where the body has no colour of its own it goes on from the nearest that it has.
    known = view.field(model.clothes)
    step = max(1, round(face / 150))
    w, h = view.size
    small = (-(-w // step), -(-h // step))
    hidden = resize(fill(resize(part.rgb, small), resize((known > 0.5).astype(np.float32), small)), (w, h))
    under = np.maximum(part.alpha * view.field(model.body), view.field(model.behind))
    distance = view.field(model.outline.distance)
    # A head that the reference's border cuts off goes on over the border when it moves in, but not outside of it.
    moves = np.zeros_like(under)
    area = view.reference(model)
    moves[area] = smoothstep(0.0, 0.03, view.field(model.follow))[area]
    out, alpha = np.empty_like(part.rgb), np.empty_like(part.alpha)

    def mix(a: int, b: int) -> None:
        # Off the head's old outline the body's colours are clean, however soft its matte.
        away = smoothstep(-0.012, -0.032, distance[a:b] * np.float32(1 / model.face))
        own = np.maximum(smoothstep(0.2, 0.9, known[a:b]), away)
        body = hidden[a:b] + (part.rgb[a:b] - hidden[a:b]) * own[..., None]
        head, low, moved = edge.alpha[a:b], under[a:b], moves[a:b]
        both = head + low * (1 - head)
        share = np.where(both > 1e-3, head / np.maximum(both, 1e-4), 1)[..., None]
        mixed = np.clip(body + (rgb[a:b] - body) * share, 0, 1)
        out[a:b] = part.rgb[a:b] + (mixed - part.rgb[a:b]) * moved[..., None]
        alpha[a:b] = part.alpha[a:b] + (both - part.alpha[a:b]) * moved

    bands(mix, h)
    labels = np.where(moves > 0.5, _regions(part, edge, under), part.regions).astype(np.uint8)
    return replace(part, rgb=out, alpha=alpha, regions=labels)


def _regions(part: Cutout, edge: outline.Edge, under: F32) -> U8:
    carried = cv2.remap(part.regions, edge.x, edge.y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    body = np.where(under > 0.5, np.uint8(CLOTHING), np.uint8(BACKGROUND))
    return np.where(edge.alpha > 0.5, carried, body).astype(np.uint8)
