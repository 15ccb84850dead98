"""The key block: contours and outlines in one ink, sought where they will be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import along
from portrayal.engines.studio.looks.methods.inks import cut, enlarged, lightness
from portrayal.engines.studio.looks.texture import blur, colour, mix, step
from portrayal.imaging import F32


def _pen(light: F32, tangent: tuple[F32, F32], width: float, gain: float, length: float, least: float = 0.10) -> F32:
    """The dark side of edges (h, w), a line so many pixels wide; less than `least` is 0."""
    near, far = (cv2.GaussianBlur(light, (0, 0), max(0.4, s)) for s in (width, 1.6 * width))
    dark = along(np.asarray(far - near, np.float32), *tangent, length, least / gain)
    return np.asarray(dark * np.float32(gain), np.float32)


def _part(picture: F32, box: tuple[int, int, int, int]) -> F32:
    top, bottom, left, right = box
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _people(context: Context) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) around the people, with a margin."""
    h, w = context.shape
    if not context.cut:
        return 0, h, 0, w
    small = context.subject[::4, ::4] > 0.05
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    if not len(rows):
        return 0, h, 0, w
    pad = int(16 * context.unit) + 4
    return (
        max(0, 4 * int(rows[0]) - pad),
        min(h, 4 * int(rows[-1]) + pad),
        max(0, 4 * int(columns[0]) - pad),
        min(w, 4 * int(columns[-1]) + pad),
    )


def contours(context: Context, width: float, gain: float, length: float, scene: bool = True) -> F32:
    """Contours (h, w), 1 = line, as `Context.lines`, but a fine pen draws the people only and a broad one what lies
    behind them, on the half picture (Kang 2007; Winnemoeller, Kyprianidis & Olsen 2012).

    Args:
        context: of the picture.
        width: of a line, pixels of a 1024 px picture.
        gain: how much contrast is a line.
        length: how far a line goes on through gaps, pixels of a 1024 px picture.
        scene: whether lines behind the people are sought at all.
    """
    unit, light = context.unit, context.fine[..., 0]
    width = width * context.pen
    tx, ty = context.tangent
    box = _people(context)
    if min(box[1] - box[0], box[3] - box[2]) < 8:
        return np.zeros(context.shape, np.float32)
    near = _pen(_part(light, box), (_part(tx, box), _part(ty, box)), width * unit, gain, length * unit)
    out = np.zeros(context.shape, np.float32)
    out[box[0] : box[1], box[2] : box[3]] = step(0.10, 0.45, near)
    if context.cut:
        if scene and float(context.subject[::8, ::8].mean()) < 0.97:
            flow = (np.ascontiguousarray(tx[::2, ::2]), np.ascontiguousarray(ty[::2, ::2]))
            h, w = flow[0].shape
            small = np.asarray(cv2.resize(light, (w, h), interpolation=cv2.INTER_AREA), np.float32)
            wide = step(0.36, 0.58, _pen(small, flow, width * unit, 1.5 * gain, 0.5 * length * unit, 0.36))
            # A maze of edges, such as lit windows, is drawn with a lighter hand.
            wide = wide * (1 - np.float32(0.75) * step(0.10, 0.30, blur(wide, 12 * unit)))
            behind = enlarged(wide, context.shape) * (1 - step(0.01, 0.10, blur(context.subject, 5.2 * width * unit)))
            out = mix(behind, out, context.subject)
        else:
            out = out * context.subject
        # Along the silhouette `outline` is the line: no second one beside it.
        rim = blur(context.subject, max(1.0, 2.0 * width * unit))
        out *= 1 - np.float32(3.4) * rim * (1 - rim) * (1 - context.detail)
    for points, height in zip(context.faces, context.face_heights, strict=True):
        face = context.box(points, 0.15)
        if min(face[1] - face[0], face[3] - face[2]) < 8:
            continue
        thin = max(0.5, min(0.72 * width * unit, 0.0065 * height))
        reach = max(0.8, min(length * unit, 0.012 * height))
        drawn = step(0.10, 0.45, _pen(_part(light, face), (_part(tx, face), _part(ty, face)), thin, 1.1 * gain, reach))
        zone = np.s_[face[0] : face[1], face[2] : face[3]]
        out[zone] = mix(out[zone], drawn, context.detail[zone])
    return np.asarray(out * (1 - np.float32(0.8) * context.mouth), np.float32)


def line(
    canvas: Canvas,
    ink: str = "14131c",
    width: float = 1.5,
    gain: float = 28.0,
    length: float = 7.0,
    outline: float = 3.2,
    scene: float = 0.3,
    share: float = 0.95,
    shift: Sequence[float] = (0.0, 0.0),
    crisp: float = 0.6,
) -> F32:
    """The key block: contours and the outline of the people (Winnemoeller, Kyprianidis & Olsen 2012).

    Args:
        canvas: what is printed on.
        ink: of the line.
        width: of lines, pixels of a 1024 px picture.
        gain: how much contrast is a line.
        length: how far a line goes on through gaps.
        outline: width of the line around the people.
        scene: share of the lines behind the people.
        share: of ink.
        shift: right and down, pixels of a 1024 px picture: blocks seldom fit.
        crisp: 0 = soft lines, 1 = a line is there or not.
    """
    context, unit = canvas.context, canvas.context.unit
    drawn = contours(context, width, gain, length, scene > 0)
    drawn = mix(drawn, step(0.30, 0.62, drawn), crisp * (1 - context.detail))
    drawn = drawn * (np.float32(scene) + np.float32(1 - scene) * cut(context))
    if outline:
        drawn = np.maximum(drawn, context.outline(outline))
    dx, dy = (float(v) * unit for v in shift)
    if dx or dy:
        h, w = context.shape
        move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        drawn = np.asarray(cv2.warpAffine(drawn, move, (w, h), flags=cv2.INTER_LINEAR), np.float32)
    return mix(canvas.picture, colour(ink), (drawn * np.float32(share))[..., None])


def thin_lines(
    canvas: Canvas, ink: str = "2a2a33", width: float = 1.3, scene: float = 0.1, outline: float = 2.2
) -> F32:
    """A thin even pen, with the features as fine as they are."""
    context = canvas.context
    drawn = contours(context, width, 24.0, 9.0, scene > 0)
    drawn = mix(step(0.25, 0.55, drawn), drawn, context.detail)
    drawn = drawn * whole_strokes(drawn, 60 * context.unit, context.detail)
    drawn = drawn * (np.float32(scene) + np.float32(1 - scene) * context.subject)
    light = lightness(context)
    reference = blur(light, 0.10 * max(context.face_heights, default=1.0))
    features = step(0.05, 0.26, reference - light) * context.detail
    drawn = np.maximum(np.maximum(drawn, features), context.outline(outline))
    return mix(canvas.picture, colour(ink), (drawn * np.float32(0.95))[..., None])


def whole_strokes(drawn: F32, least: float, keep: F32) -> F32:
    """(h, w) 0 at strokes shorter than about `least` pixels, but where `keep` is over 0.2; 1 elsewhere."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((drawn > 0.25).astype(np.uint8), connectivity=8)
    long = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= least
    long[0] = False
    long[np.unique(labels[keep > 0.2])] = True
    if count < 2:
        return np.ones_like(drawn)
    return np.asarray(cv2.dilate(long[labels].astype(np.float32), np.ones((3, 3), np.uint8)), np.float32)


METHODS: Final[dict[str, Method]] = {"line": line, "thin_lines": thin_lines}
