"""Pictures from pieces: the planes of a cubist painting, triangles, pixels."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method, codes
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_lab, to_rgb
from portrayal.engines.studio.looks.methods.inks import Inks, cut, ink_lab, patches
from portrayal.engines.studio.looks.texture import blur, grid, mix, noise, step, streaks
from portrayal.imaging import F32, U8, Array
from portrayal.perception import mesh

# Lines of a face that its planes meet at: from landmark to landmark.
_FACE_LINES: Final = ((10, 152), (168, 61), (168, 291), (127, 17), (356, 17), (54, 2), (284, 2))


def _line(a: Array, b: Array) -> tuple[float, float, float]:
    """Normal and offset of the line through two points."""
    way = (b - a) / max(float(np.hypot(*(b - a))), 1e-3)
    return -float(way[1]), float(way[0]), float(way[1] * a[0] - way[0] * a[1])


def _planes(context: Context, count: int, random: np.random.Generator) -> list[tuple[float, float, float]]:
    h, w = context.shape
    found = []
    for points in context.faces[:2]:
        for a, b in _FACE_LINES:
            found.append(_line(points[a, :2].astype(np.float64), points[b, :2].astype(np.float64)))
    angles = np.radians([18.0, 62.0, 118.0, 155.0, 78.0, 38.0])
    for i in range(count):
        angle = angles[i % len(angles)] + random.normal(0, 0.12)
        x, y = random.uniform(0.05, 0.95) * w, random.uniform(0.05, 0.95) * h
        found.append(_line(np.array([x, y]), np.array([x + math.cos(angle), y + math.sin(angle)])))
    return found


def cubist(
    canvas: Canvas, inks: Inks, planes: int = 9, shift: float = 26.0, tones: float = 0.10, pull: float = 0.55
) -> F32:
    """Planes that meet at straight edges, each seen from a little elsewhere and in a tone of its own; one side of an
    edge dark, the other passing into its neighbour (cf. Collomosse & Hall, Cubist Style Rendering, 2003). Eyes, brows
    and mouth stay where they are and whole.

    Args:
        canvas: what is painted.
        inks: palette of the planes.
        planes: number of lines that cut the picture, besides those of the face.
        shift: how far a plane's sight is moved, pixels of a 1024 px picture.
        tones: how much planes differ in lightness.
        pull: how far colours go to the palette.
    """
    context, unit = canvas.context, canvas.context.unit
    random = np.random.default_rng([7, 81])
    x, y = grid(context.shape)
    code = np.zeros(context.shape, np.int32)
    edge_tone = np.zeros(context.shape, np.float32)
    keep = np.clip(blur(context.features, 5 * unit) * np.float32(1.6), 0, 1)
    gate = noise(context.shape, 230 * unit, 5, 2)
    for i, (a, b, c) in enumerate(_planes(context, planes, random)):
        away = x * np.float32(a) + y * np.float32(b) + np.float32(c)
        code = code * np.int32(2) + (away > 0)
        code = code % np.int32(1 << 24) if i >= 24 else code
        side = away * np.float32(1 / ((26.0 + 30.0 * random.random()) * unit))
        shade = np.exp(-np.abs(side)) * np.where(side > 0, np.float32(-1), np.float32(0.45))
        shown = step(-0.1, 0.5, gate if i % 2 else -gate)
        edge_tone += np.asarray(shade * shown, np.float32)
    _, labels = np.unique(code.ravel(), return_inverse=True)
    labels = labels.reshape(context.shape)
    n = int(labels.max()) + 1
    held = 1 - np.maximum(keep, np.float32(0.72) * context.face)
    offsets = (random.normal(0, 1, (n, 2)) * shift * unit).astype(np.float32)
    map_x = x + offsets[labels, 0] * held
    map_y = y + offsets[labels, 1] * held
    moved = cv2.remap(
        canvas.picture,
        np.asarray(map_x, np.float32),
        np.asarray(map_y, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    lab = to_lab(codes(np.asarray(moved, np.float32)))
    palette = ink_lab(inks)
    # Each plane takes the ink that is nearest in lightness among three that chance deals it.
    mean = np.bincount(labels.ravel(), lab[..., 0].ravel(), n) / np.maximum(np.bincount(labels.ravel(), minlength=n), 1)
    dealt = random.integers(0, len(palette), (n, 3))
    chosen = dealt[np.arange(n), np.abs(palette[dealt, 0] - mean[:, None]).argmin(1)]
    ink = palette[chosen][labels]
    calm = 1 - np.float32(0.55) * context.skin
    free = 1 - keep * np.float32(0.9)
    strength = np.asarray(np.float32(pull) * calm * free, np.float32)
    lab[..., 1:] = mix(lab[..., 1:], ink[..., 1:], strength)
    lab[..., 0] += (ink[..., 0] - lab[..., 0]) * strength * np.float32(0.38)
    tone = random.normal(0, tones, n).astype(np.float32)[labels] * (1 - np.float32(0.45) * context.face) * free
    lab[..., 0] += tone + np.float32(0.085) * np.clip(edge_tone, -1.6, 1.2) * free * (
        1 - np.float32(0.3) * context.face
    )
    # Short parallel touches of the brush, another way in every plane.
    turns = random.integers(0, 3, n)[labels]
    touch = np.zeros(context.shape, np.float32)
    for k, angle in enumerate((0.3, -0.8, 1.35)):
        touch += streaks(context.shape, angle, 21 * unit, context.seed + k, 1.6 * unit) * (turns == k)
    lab[..., 0] += np.float32(0.020) * touch * (1 - np.float32(0.7) * keep)
    lab[..., 0] = np.clip(lab[..., 0], 0.04, 0.97)
    return to_rgb(lab)


def _scattered(context: Context, grey: U8, size: float) -> Array:
    """Points (n, 2) on the drawing's corners, close together where it is fine."""
    unit = context.unit
    found = []
    fine = np.asarray(context.detail > 0.3)
    face = np.asarray((context.face > 0.4) & ~fine)
    people = np.asarray((context.subject > 0.15) & ~fine & ~face)
    parts = ((fine, 6.0, 0.002), (face, 15.0, 0.004), (people, 20.0, 0.006), (~(fine | face | people), 40.0, 0.01))
    for mask, gap, quality in parts:
        corners = cv2.goodFeaturesToTrack(
            grey, 2400, quality, max(2.0, gap * size * unit), mask=mask.astype(np.uint8), blockSize=3
        )
        if corners is not None:
            found.append(corners.reshape(-1, 2))
    random = np.random.default_rng([context.seed, 83])
    h, w = context.shape
    gap = 62 * size * unit
    ys, xs = (v.ravel() for v in np.mgrid[gap / 2 : h : gap, gap / 2 : w : gap])
    jitter = random.uniform(-0.35, 0.35, (2, len(xs))) * gap
    found.append(np.stack([xs + jitter[0], ys + jitter[1]], 1))
    for points in context.faces:
        rows = [*mesh.LID_LEFT, *mesh.LID_RIGHT, *mesh.BROW_LEFT, *mesh.BROW_RIGHT, *mesh.LIPS, *mesh.MOUTH, *mesh.OVAL]
        found.append(points[rows, :2])
    t = np.linspace(0, 1, 15)
    for a, b in (((0, 0), (1, 0)), ((1, 0), (1, 1)), ((1, 1), (0, 1)), ((0, 1), (0, 0))):
        found.append(np.stack([(a[0] + (b[0] - a[0]) * t) * (w - 1), (a[1] + (b[1] - a[1]) * t) * (h - 1)], 1))
    out = np.concatenate(found).astype(np.float32)
    return np.asarray(np.clip(out, 0, [w - 1, h - 1]), np.float32)


def low_poly(canvas: Canvas, size: float = 1.0, vivid: float = 1.2, contrast: float = 1.12) -> F32:
    """Triangles between points on the drawing (Delaunay; cf. Gai & Wang 2015), each in one colour.

    Args:
        canvas: what is drawn.
        size: factor of the triangles' size.
        vivid: factor of chroma.
        contrast: of lightness.
    """
    context, unit = canvas.context, canvas.context.unit
    h, w = context.shape
    smooth = blur(canvas.picture, 1.2 * unit)
    grey = np.asarray(cv2.cvtColor(codes(smooth), cv2.COLOR_RGB2GRAY), np.uint8)
    net = cv2.Subdiv2D((0, 0, w, h))
    net.insert(np.unique(np.round(_scattered(context, grey, size) * 2) / 2, axis=0).astype(np.float32).tolist())
    corners = np.asarray(net.getTriangleList(), np.float32).reshape(-1, 3, 2)
    inside = ((corners >= 0) & (corners <= [w, h])).all((1, 2))
    corners = corners[inside]
    middle = corners.mean(1, keepdims=True)
    samples = np.concatenate([corners * 0.5 + middle * 0.5, middle], 1).astype(np.float32)
    colours = cv2.remap(smooth, samples[..., 0], samples[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lab = to_lab(codes(np.asarray(colours.mean(1), np.float32))[None])
    random = np.random.default_rng([context.seed, 84])
    tilt = random.normal(0, 0.010, lab.shape[:2]).astype(np.float32)
    lab[..., 0] = np.clip(np.float32(0.53) + (lab[..., 0] - np.float32(0.52)) * np.float32(contrast) + tilt, 0, 0.98)
    lab[..., 1:] *= np.float32(vivid)
    inks = np.round(to_rgb(lab)[0] * 255).astype(int).tolist()
    big: U8 = np.zeros((2 * h, 2 * w, 3), np.uint8)
    for triangle, ink in zip(np.round(corners * 32).astype(np.int32), inks, strict=True):
        cv2.fillConvexPoly(big, triangle, ink, cv2.LINE_8, 4)
    return np.asarray(cv2.resize(big, (w, h), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)


_BAYER: Final = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - np.float32(
    0.47
)


def pixels(canvas: Canvas, colours: int = 28, cell: float = 8.0, vivid: float = 1.25, dither: float = 0.035) -> F32:
    """Large pixels of few colours, dithered in order (Bayer 1973); faces keep at least thirty of them from top to chin.

    Args:
        canvas: what is drawn.
        colours: how many.
        cell: side of a pixel, pixels of a 1024 px picture.
        vivid: factor of chroma.
        dither: how strong, Oklab lightness.
    """
    context = canvas.context
    h, w = context.shape
    finest = min(context.face_heights, default=np.inf) / 32
    side = max(2, round(min(cell * context.unit, max(finest, 3 * context.unit))))
    rows, columns = -(-h // side), -(-w // side)
    sharp = np.clip(canvas.picture + np.float32(0.9) * (canvas.picture - blur(canvas.picture, 0.9 * side)), 0, 1)
    padded = cv2.copyMakeBorder(
        np.asarray(sharp, np.float32), 0, rows * side - h, 0, columns * side - w, cv2.BORDER_REPLICATE
    )
    small = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    lab = to_lab(codes(np.asarray(small, np.float32)))
    lab[..., 1:] *= np.float32(vivid)
    lab[..., 0] = np.clip(np.float32(0.54) + (lab[..., 0] - np.float32(0.52)) * np.float32(1.12), 0, 1)
    people = cv2.resize(cut(context), (columns, rows), interpolation=cv2.INTER_AREA)
    if context.cut:
        rim = (people > 0.5).astype(np.uint8) - cv2.erode((people > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8))
        lab[..., 0] *= 1 - np.float32(0.55) * rim
    flat = lab.reshape(-1, 3) * np.array([1, 1.7, 1.7], np.float32)
    from portrayal.engines.studio.looks.methods.inks import _centres

    random = np.random.default_rng(11)
    seen = np.flatnonzero((people > 0.5).ravel())
    chosen = random.integers(0, len(flat), 2500)
    if context.cut and len(seen):
        chosen = np.concatenate([chosen, random.choice(seen, 2500)])
    centres = _centres(np.ascontiguousarray(flat[chosen]), colours)
    order = np.tile(_BAYER, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns].ravel()
    calm = 1 - np.float32(0.7) * cv2.resize(context.face, (columns, rows), interpolation=cv2.INTER_AREA).ravel()
    flat[:, 0] += np.float32(2 * dither) * order * calm
    nearest = (flat @ centres.T - np.float32(0.5) * (centres * centres).sum(1)).argmax(1)
    palette = centres / np.array([1, 1.7, 1.7], np.float32)
    out = to_rgb(palette[nearest].reshape(rows, columns, 3).astype(np.float32))
    big = cv2.resize(out, (columns * side, rows * side), interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(big[:h, :w])


METHODS: Final[dict[str, Method]] = {"cubist": cubist, "low_poly": low_poly, "pixels": pixels}
_ = patches
