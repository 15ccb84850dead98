"""Pictures from pieces: the planes of a cubist painting, triangles, pixels."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Method, codes
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import to_lab, to_rgb
from portrayal.engines.studio.looks.methods.illustration import centres_of
from portrayal.engines.studio.looks.methods.inks import Inks, cut, ink_lab, place
from portrayal.engines.studio.looks.texture import blur, grid, mix, noise, step, streaks
from portrayal.imaging import F32, U8, Array
from portrayal.perception import mesh

# Planes of a face as rings of landmarks, for the picture's left half; and how light each is when light falls from the
# left: on this half and on the other.
_LEFT_PLANES: Final = (
    ((10, 109, 67, 103, 54, 21, 70, 63, 105, 66, 107, 9), 0.050, -0.045),
    ((21, 70, 63, 105, 66, 107, 55, 193, 122, 118, 111, 127, 162), -0.010, -0.060),
    ((9, 55, 193, 122, 174, 198, 49, 64, 98, 2, 4, 5, 195, 197, 6, 168), 0.060, -0.120),
    ((111, 127, 234, 93, 132, 205, 206, 203, 64, 49, 198, 174, 122, 118), 0.035, -0.055),
    ((132, 58, 172, 136, 150, 149, 176, 61, 206, 205), -0.040, -0.120),
    ((206, 203, 64, 98, 2, 0, 61), 0.010, -0.050),
    ((61, 176, 148, 152, 17), 0.030, -0.030),
)
_MIRROR: Final = {
    10: 10, 109: 338, 67: 297, 103: 332, 54: 284, 21: 251, 70: 300, 63: 293, 105: 334, 66: 296, 107: 336, 9: 9,
    55: 285, 193: 417, 122: 351, 118: 347, 111: 340, 127: 356, 162: 389, 174: 399, 198: 420, 49: 279, 64: 294,
    98: 327, 2: 2, 4: 4, 5: 5, 195: 195, 197: 197, 6: 6, 168: 168, 234: 454, 93: 323, 132: 361, 205: 425, 206: 426,
    203: 423, 58: 288, 172: 397, 136: 365, 150: 379, 149: 378, 176: 400, 61: 291, 0: 0, 148: 377, 152: 152, 17: 17,
}  # fmt: skip


def _planes(context: Context, count: int, random: np.random.Generator) -> tuple[Array, Array, int]:
    """Which plane each pixel belongs to (h, w), the lightness that face planes get (n,), and where those begin."""
    h, w = context.shape
    x, y = grid(context.shape)
    code = np.zeros(context.shape, np.int32)
    angles = np.radians([24.0, 66.0, 112.0, 152.0, 80.0, 40.0, 128.0])
    for i in range(count):
        angle = angles[i % len(angles)] + random.normal(0, 0.10)
        # Lines are spread over the frame like the strings of a harp, not gathered in one point.
        at = (i + 0.5 + random.uniform(-0.3, 0.3)) / count
        px, py = at * w, random.uniform(0.1, 0.9) * h
        a, b = -math.sin(angle), math.cos(angle)
        code = code * np.int32(2) + (x * np.float32(a) + y * np.float32(b) > np.float32(a * px + b * py))
    side = min(h, w)
    for radius in (0.34, 0.55, 0.26):
        px, py = random.uniform(0.0, 1.0) * w, random.uniform(0.1, 1.0) * h
        inside = np.hypot(x - np.float32(px), y - np.float32(py)) < np.float32(radius * side)
        code = code * np.int32(2) + inside
    number = np.cumsum(np.bincount(code.ravel()) > 0).astype(np.int32) - 1
    labels = number[code]
    first = int(labels.max()) + 1
    tones = [0.0] * first
    for points in context.faces:
        for ring, left, right in _LEFT_PLANES:
            for rows, tone in ((ring, left), (tuple(_MIRROR[i] for i in ring), right)):
                cv2.fillPoly(labels, [np.round(points[list(rows), :2] * 16).astype(np.int32)], len(tones), 8, 4)
                tones.append(tone)
    return labels, np.array(tones, np.float32), first


def cubist(
    canvas: Canvas, inks: Inks, planes: int = 9, shift: float = 26.0, tones: float = 0.10, pull: float = 0.55
) -> F32:
    """Planes that meet at straight edges, each seen from a little elsewhere, shaded from one side to the other and in
    an ink of its own (cf. Collomosse & Hall, Cubist Style Rendering, 2003). A face breaks into the planes of its own
    anatomy, so that eyes, brows and mouth stay whole and where they are.

    Args:
        canvas: what is painted.
        inks: palette of the planes.
        planes: number of lines that cut the picture around the face.
        shift: how far a plane's sight is moved, pixels of a 1024 px picture.
        tones: how much planes differ in lightness.
        pull: how far colours go to the palette.
    """
    context, unit = canvas.context, canvas.context.unit
    random = np.random.default_rng([7, 81])
    x, y = grid(context.shape)
    labels, given, first = _planes(context, planes, random)
    n = len(given)
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=n), 1).astype(np.float32)
    ones = np.ones(context.shape, np.float32)
    middle_x = (np.bincount(labels.ravel(), (x * ones).ravel(), n) / sizes).astype(np.float32)
    middle_y = (np.bincount(labels.ravel(), (y * ones).ravel(), n) / sizes).astype(np.float32)
    hair = place(context, "hair")
    offsets = (random.normal(0, 1, (n, 2)) * shift * unit).astype(np.float32)[labels]
    lab = to_lab(codes(_moved(context, canvas.picture, offsets * (1 - np.float32(0.8) * hair)[..., None])))
    palette = ink_lab(inks)
    # Each plane takes the ink that is nearest in lightness among three that chance deals it.
    mean = np.bincount(labels.ravel(), lab[..., 0].ravel(), n) / sizes
    dealt = random.integers(0, len(palette), (n, 3))
    chosen = dealt[np.arange(n), np.abs(palette[dealt, 0] - mean[:, None]).argmin(1)]
    ink = palette[chosen][labels]
    on_face = (labels >= first).astype(np.float32)
    strength = np.float32(pull) * (1 - np.float32(0.72) * on_face) * (1 - np.float32(0.8) * context.features)
    own = context.subject if context.cut else context.face
    firm = 1 - np.maximum(np.float32(0.5) * hair, np.float32(0.2 + 0.5 * context.smallness) * own)
    strength = strength * firm
    lab[..., 1:] = mix(lab[..., 1:], ink[..., 1:], strength)
    lab[..., 0] += (ink[..., 0] - lab[..., 0]) * strength * np.float32(0.55) * (1 - on_face)
    # Shaded from one side to the other.
    turn = random.uniform(0, 2 * math.pi, n)
    turn[first:] = random.normal(math.pi, 0.9, n - first)
    reach = np.sqrt(sizes).astype(np.float32)[labels]
    along_x, along_y = np.cos(turn).astype(np.float32)[labels], np.sin(turn).astype(np.float32)[labels]
    ramp = ((x - middle_x[labels]) * along_x + (y - middle_y[labels]) * along_y) / reach
    ramp = np.clip(ramp, -0.8, 0.8) * np.where(on_face > 0, np.float32(0.11), np.float32(0.30))
    flat_tones = random.normal(0, tones, n).astype(np.float32)
    flat_tones[first:] = given[first:] * np.float32(1.35)
    calm = np.minimum(1 - np.float32(0.55) * context.features, firm)
    lab[..., 0] += (flat_tones[labels] + ramp) * calm
    lab[..., 0] += np.float32(0.022) * _touches(context, labels, n, random) * (1 - np.float32(0.7) * context.face)
    edges = _edges(labels, unit) * (1 - on_face * np.float32(0.85)) * (1 - context.features)
    lab[..., 0] *= 1 - np.float32(0.55) * edges * step(-0.2, 0.5, noise(context.shape, 200 * unit, 5, 2))
    lab[..., 0] = np.clip(lab[..., 0], 0.04, 0.97)
    return to_rgb(lab)


def _moved(context: Context, picture: F32, offsets: F32) -> F32:
    """A picture seen from elsewhere by offsets (h, w, 2) in pixels; faces stay where they are, small figures nearly."""
    x, y = grid(context.shape)
    free = 1 - np.clip(blur(context.face, 10 * context.unit) * np.float32(1.8), 0, 1)
    free = free * (1 - np.float32(0.6 * context.smallness) * context.subject)
    map_x, map_y = x + offsets[..., 0] * free, y + offsets[..., 1] * free
    return np.asarray(cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)


def _edges(labels: Array, unit: float) -> F32:
    """Thin lines (h, w) between planes."""
    small = np.asarray(labels % 251, np.uint8)
    width = np.ones((3, 3), np.uint8)
    line = (cv2.dilate(small, width) != cv2.erode(small, width)).astype(np.float32)
    return np.asarray(np.clip(blur(line, max(0.5, 0.9 * unit)) * np.float32(1.1), 0, 1), np.float32)


def _touches(context: Context, labels: Array, n: int, random: np.random.Generator) -> F32:
    """Short parallel touches of the brush (h, w), another way in every plane."""
    turns = random.integers(0, 3, n)[labels]
    out = np.zeros(context.shape, np.float32)
    for k, angle in enumerate((0.3, -0.8, 1.35)):
        strokes = streaks(context.shape, angle, 21 * context.unit, context.seed + k, 1.6 * context.unit)
        out += strokes * (turns == k)
    return out


def _scattered(context: Context, grey: U8, size: float) -> Array:
    """Points (n, 2) on the drawing's corners, close together where it is fine."""
    unit = context.unit
    size = size * (1 - 0.35 * context.smallness)  # a whole figure is cut from smaller pieces
    found: list[Array] = []
    if context.cut:
        rims, _ = cv2.findContours(np.asarray(cut(context) > 0.5, np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        every = max(3, round(15 * size * unit))
        found += [rim.reshape(-1, 2)[::every].astype(np.float32) for rim in rims if len(rim) > 6 * every]
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
    out = np.asarray(cv2.resize(big, (w, h), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    # Of a small face no triangle is small enough: its features are painted as they are.
    return mix(out, canvas.picture, context.detail * np.float32(0.75 * context.smallness))


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
    random = np.random.default_rng(11)
    seen = np.flatnonzero((people > 0.5).ravel())
    chosen = random.integers(0, len(flat), 2500)
    if context.cut and len(seen):
        chosen = np.concatenate([chosen, random.choice(seen, 2500)])
    centres = centres_of(np.ascontiguousarray(flat[chosen]), colours)
    order = np.tile(_BAYER, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns].ravel()
    calm = 1 - np.float32(0.7) * cv2.resize(context.face, (columns, rows), interpolation=cv2.INTER_AREA).ravel()
    flat[:, 0] += np.float32(2 * dither) * order * calm
    nearest = (flat @ centres.T - np.float32(0.5) * (centres * centres).sum(1)).argmax(1)
    palette = centres / np.array([1, 1.7, 1.7], np.float32)
    out = to_rgb(palette[nearest].reshape(rows, columns, 3).astype(np.float32))
    big = cv2.resize(out, (columns * side, rows * side), interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(big[:h, :w])


METHODS: Final[dict[str, Method]] = {"cubist": cubist, "low_poly": low_poly, "pixels": pixels}
