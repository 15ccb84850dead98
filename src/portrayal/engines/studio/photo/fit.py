"""Where a character stands in a photograph, and how large.

A person must not look cut: what the mask cuts off, or what the reference itself does not show, has to lie outside of
the picture or behind something. All places and sizes are tried on a small map; what would be cut is counted by
correlation, and the rest decides by the size of the people who are there and by what the mask suggests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.place import touches
from portrayal.imaging import F32, U8, Array
from portrayal.perception.types import FaceReading

_MAP = 84.0  # longer side of the mask's box on the map
_SIZES = 21
# What a cut through the head costs, against one through the body.
_HEAD = 12.0
_FACE_OF_SUBJECT = 0.215 / 0.62  # a subject without a face: the face that a person of its height would have
_CLEAR = 4.0  # pixels between a rounded arm and the reference's border, so that `place` fades nothing
_LARGEST = 0.42  # face height over picture height, when nobody says how large


@dataclass(frozen=True)
class Figure:
    """A character as it is placed, in reference pixels.

    Attributes:
        alpha: (h, w) float32.
        unit: height of the face, or what stands for it.
        x, y: middle of the face, or of the subject.
        top, bottom, left, right: the body's box.
        chin: row down to which a cut would go through the head.
        cut: the reference ends before the body does, at the bottom.
        sides: the reference cuts the body off at the left, right.
        face: whether there is one.
    """

    alpha: F32
    unit: float
    x: float
    y: float
    top: float
    bottom: float
    left: float
    right: float
    chin: float
    cut: bool
    sides: tuple[bool, bool]
    face: bool


@dataclass(frozen=True)
class Wish:
    """What the scene asks for, in its pixels; each with how much it counts.

    Attributes:
        unit: height of the face; None = what fits the mask.
        x, y: middle of the face; None = what fits the mask.
        firm: 1 = a suggestion, 6 = a measured neighbour, 30 = the very place of somebody.
    """

    unit: float | None = None
    x: float | None = None
    y: float | None = None
    firm: float = 1.0


@dataclass(frozen=True)
class Placing:
    """scene = scale * reference + (x, y), and what it costs.

    Attributes:
        seen_cut: share of the person that the mask cuts off within the picture.
        head_cut: the same share of the head; what lies beyond the picture counts as well.
        floor: row at which a body that the reference cuts off ends, None when nothing ends inside the picture.
    """

    scale: float
    x: float
    y: float
    cost: float
    seen_cut: float
    floor: int | None
    head_cut: float = 0.0


def figure_of(character: IdentityMap) -> Figure:
    """Measure a character for placing."""
    alpha = character.alpha
    solid = alpha > 0.5
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    top, bottom = float(rows[0]), float(rows[-1] + 1)
    left, right = float(columns[0]), float(columns[-1] + 1)
    ends = touches(alpha)
    if character.reading is not None:
        points = character.reading.points[:468, :2]
        low, high = points.min(0), points.max(0)
        unit, x, y, chin = float(high[1] - low[1]), float((low[0] + high[0]) / 2), 0.0, float(high[1])
        y = float((low[1] + high[1]) / 2)
        # A body that was cut out before ends above the border; it must not float either.
        cut = "bottom" in ends or bottom - top < 5.5 * unit
    else:
        unit = max(bottom - top, 0.8 * (right - left)) * _FACE_OF_SUBJECT
        x, y, chin = (left + right) / 2, top + 0.4 * (bottom - top), bottom
        cut = "bottom" in ends
    sides = ("left" in ends, "right" in ends)
    return Figure(alpha, unit, x, y, top, bottom, left, right, chin, cut, sides, character.reading is not None)


def rounded(character: IdentityMap, placing: Placing, mask: U8) -> IdentityMap:
    """The character with arms that the reference's border cuts off ended round where the scene would show the cut.

    A straight vertical end is what gives a cut-out away at once; a sleeve that ends as an elbow does not.
    """
    alpha = character.alpha
    rows, columns = alpha.shape
    unit = figure_of(character).unit
    out: F32 | None = None
    for at in (0, columns - 1):
        met = (alpha[:, min(at, columns - 3) : min(at, columns - 3) + 3].max(1) > 0.5).astype(np.int8)
        x = round(at * placing.scale + placing.x)
        if not met.any() or not 2 <= x < mask.shape[1] - 2:
            continue
        for first, last in _runs(met, round(0.2 * unit)):
            y0, y1 = (round(float(v) * placing.scale + placing.y) for v in (first, last))
            seen = mask[max(0, y0) : max(0, y1), x]
            if last - first < 0.12 * unit or not len(seen) or not (seen > 127).any():
                continue
            out = alpha.copy() if out is None else out
            # What goes on below the picture bends only at its upper end.
            tall = float(2 * (last - first) if last >= rows - 2 else last - first)
            deep = min(0.45 * tall, 0.4 * unit)
            more = round(0.8 * unit)  # above and below the end, the outline narrows towards it
            y = np.arange(max(0, first - more), min(rows, last + more))
            v = (y + 0.5 - first) / tall * 2 - 1
            t = np.clip((np.abs(v) - 1) * tall / 2 / more, 0, 1)
            # How far from the border each row ends.
            free = deep * np.where(t > 0, 1 - t * t * (3 - 2 * t), 1 - np.sqrt(np.clip(1 - v * v, 0, 1)))
            free = np.maximum(free, _CLEAR)
            away = np.abs(np.arange(columns, dtype=np.float32) - at)
            part = np.s_[y[0] : y[-1] + 1]
            cap = np.clip((away[None] - free[:, None]) / 2, 0, 1)
            out[part] = np.minimum(out[part], cap)
    return character if out is None else replace(character, alpha=out)


def _runs(met: Array, gap: int) -> list[tuple[int, int]]:
    """First and one past the last row of each stretch of ones; stretches less than `gap` apart are one."""
    change = np.diff(np.r_[0, met, 0])
    out: list[tuple[int, int]] = []
    for first, last in zip(np.flatnonzero(change == 1), np.flatnonzero(change == -1), strict=True):
        if out and first - out[-1][1] < gap:
            out[-1] = (out[-1][0], int(last))
        else:
            out.append((int(first), int(last)))
    return out


def expected(faces: Sequence[FaceReading], x: float) -> Wish:
    """Size and height of a face that stands beside the people of the picture, at column `x`.

    People of one height before one camera: the row of a face is a straight line over its size (the horizon and how
    high the camera hangs). One person alone, or all at one distance, give their own size and row.
    """
    if not faces:
        return Wish()
    sizes = np.array([height_of(f) for f in faces])
    rows = np.array([float(f.points[:468, 1].min() + f.points[:468, 1].max()) / 2 for f in faces])
    away = np.array([abs(float(f.pose.origin[0]) - x) for f in faces])
    nearest = int(np.argmin(away + 2 * np.abs(np.log(sizes / sizes.max())) * sizes.max()))
    return Wish(float(sizes[nearest]), None, float(rows[nearest]), 6.0)


def height_of(face: FaceReading) -> float:
    """Height of a face in pixels, as its landmarks give it; an open mouth does not make it larger."""
    tall = float(np.ptp(face.points[:468, 1]))
    return float(np.sqrt(tall * 1.14 * face.pose.scale)) if face.pose.scale > 0 else tall


def fit(figure: Figure, mask: U8, wish: Wish, *, behind: F32 | None = None) -> Placing:
    """The place and the size at which least is seen to be cut.

    Args:
        figure: from `figure_of`.
        mask: (h, w) uint8 of the whole scene.
        wish: from `expected`, or the place of who stood there.
        behind: (h, w) float32 of the scene, who stood there before and is better covered than painted over.
    """
    x0, y0, x1, y1 = _box(mask)
    height = mask.shape[0]
    shrink = _MAP / max(x1 - x0, y1 - y0)
    floor = None if y1 >= height - 2 else y1
    ground = _Ground(mask, (x0, y0, x1, y1), shrink, behind)
    start = wish.unit or _unit_of_mask(figure, (x0, y0, x1, y1), height)
    spread = 0.75 if wish.firm < 2 else 0.45
    best: Placing | None = None
    for factor in np.exp(np.linspace(-spread, spread, _SIZES)):
        found = _best_place(figure, ground, wish, start, float(start * factor / figure.unit), floor)
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    return best


def _box(mask: U8) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect(mask)
    return x, y, x + width, y + height


def _unit_of_mask(figure: Figure, box: tuple[int, int, int, int], height: int) -> float:
    """The face height at which the character fills the mask well."""
    wide, tall = box[2] - box[0], box[3] - box[1]
    by_height = (0.94 if figure.face else 0.88) * tall / max(figure.bottom - figure.top, 1)
    by_width = (1.0 if figure.face else 0.94) * wide / max(figure.right - figure.left, 1)
    scale = min(by_height, by_width) if not (figure.face and figure.cut) else min(by_height, 1.15 * by_width)
    return float(min(scale * figure.unit, _LARGEST * height if figure.face else np.inf))


class _Ground:
    """The scene on the map: where a person would be cut, and who stood there."""

    def __init__(self, mask: U8, box: tuple[int, int, int, int], shrink: float, behind: F32 | None) -> None:
        self.shrink = shrink
        self.height, self.width = mask.shape
        self.box = box
        # The map is as large as the mask's box and twice its size around it; beyond the picture nothing is cut.
        x0, y0, x1, y1 = box
        self.pad = max(x1 - x0, y1 - y0)
        self.x0, self.y0 = x0 - self.pad, y0 - self.pad
        size = (round((x1 - x0 + 2 * self.pad) * shrink), round((y1 - y0 + 2 * self.pad) * shrink))
        move = np.array([[shrink, 0, -self.x0 * shrink], [0, shrink, -self.y0 * shrink]], np.float32)
        inner = cv2.resize(mask[y0:y1, x0:x1], None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        inside = np.zeros(size[::-1], np.float32)
        at = round(self.pad * shrink)
        inside[at : at + inner.shape[0], at : at + inner.shape[1]] = inner / np.float32(255)
        ys = np.arange(size[1]) / shrink + self.y0
        xs = np.arange(size[0]) / shrink + self.x0
        within = ((ys >= 0) & (ys < self.height))[:, None] & ((xs >= 0) & (xs < self.width))[None]
        self.cut = np.where(within, 1 - inside, 0).astype(np.float32)
        # A head may touch no border of the picture.
        self.head = np.where(within, 1 - inside, 1).astype(np.float32)
        self.inside = (inside * within).astype(np.float32)
        self.old: F32 | None = None
        if behind is not None:
            self.old = np.asarray(cv2.warpAffine(behind, move, size, flags=cv2.INTER_AREA) * self.inside, np.float32)


def _best_place(figure: Figure, ground: _Ground, wish: Wish, start: float, scale: float, floor: int | None) -> Placing:
    """The best place on the map for one size."""
    k = scale * ground.shrink
    rows, columns = figure.alpha.shape
    size = (max(2, round(columns * k)), max(2, round(rows * k)))
    body = cv2.resize(figure.alpha, size, interpolation=cv2.INTER_AREA)
    # Room on all sides, so that every place at which a bit of the body lies in the box is tried.
    side, above = size[0], size[1]

    def counted(ground_map: F32, weights: Array) -> F32:
        room = cv2.copyMakeBorder(ground_map, above, above, side, side, cv2.BORDER_REPLICATE)
        return np.asarray(cv2.matchTemplate(room, np.ascontiguousarray(weights, np.float32), cv2.TM_CCORR), np.float32)

    head = body.copy()
    head[min(size[1], max(1, round((figure.chin + 0.1 * figure.unit) * k))) :] = 0
    area = max(float(body.sum()), 1e-3)
    lost = counted(ground.cut, body) / area
    beheaded = counted(ground.head, head) / max(float(head.sum()), 1e-3)
    cost = 12.0 * lost + _HEAD * beheaded
    for cut, strip in zip(figure.sides, (np.s_[:, :2], np.s_[:, -2:]), strict=True):
        if cut:  # an arm that the reference cuts off must not end inside the mask
            ends = np.zeros_like(body)
            ends[strip] = body[strip]
            cost += 0.15 * counted(ground.inside, ends) / max(0.25 * size[1], 1.0)
    y = (np.arange(cost.shape[0], dtype=np.float32) - above) / ground.shrink + ground.y0
    x = (np.arange(cost.shape[1], dtype=np.float32) - side) / ground.shrink + ground.x0
    if ground.old is not None:
        cost += 1.5 * (1 - counted(ground.old, body) / max(float(ground.old.sum()), 1e-3))
    cost += _wishes(figure, ground, wish, start, scale, x, y)
    bottom = y + figure.bottom * scale
    limit = ground.box[3] if floor is None else floor
    if figure.cut:
        # The cut lies below the picture, or below the mask's lower border, behind which the person then stands.
        short = np.maximum(limit + 1 - (bottom - 2 * scale), 0) / figure.unit / scale
        cost += np.where(short > 0, 8 + 20 * short, 0)[:, None]
    else:
        below = np.maximum(bottom - (limit - 0.07 * (limit - ground.box[1])), 0) if floor is not None else 0 * bottom
        cost += (30 * below / (figure.bottom - figure.top) / scale)[:, None]
    i, j = np.unravel_index(int(cost.argmin()), cost.shape)
    ends_inside = floor if figure.cut and floor is not None else None
    costs = float(cost[i, j]), float(lost[i, j])
    return Placing(scale, float(x[j]), float(y[i]), *costs, ends_inside, float(beheaded[i, j]))


def _wishes(figure: Figure, ground: _Ground, wish: Wish, start: float, scale: float, x: F32, y: F32) -> F32:
    """What a size and all places (rows, columns) cost against what is wished."""
    x0, y0, x1, y1 = ground.box
    unit = figure.unit * scale
    size = 2.0 if wish.unit is None else 4.0 * wish.firm
    total = size * float(np.log(unit / start)) ** 2
    across = x + figure.x * scale
    middle = _middle(ground) if wish.x is None else wish.x
    span = 0.6 * (x1 - x0) if wish.x is None else unit
    cost_x = (2.0 if wish.x is None else 0.2 * wish.firm) * ((across - middle) / span) ** 2
    if wish.y is None:
        if figure.cut or figure.face:
            top = y + figure.top * scale
            cost_y = 0.8 * ((top - (y0 + 0.05 * (y1 - y0))) / (0.5 * (y1 - y0))) ** 2
        else:  # a whole figure stands at the lower end
            foot = y + figure.bottom * scale
            cost_y = 3.0 * ((foot - (y1 - 0.09 * (y1 - y0))) / (0.3 * (y1 - y0))) ** 2
    else:
        cost_y = 0.1 * wish.firm * ((y + figure.y * scale - wish.y) / unit) ** 2
    return np.asarray(total + cost_x[None] + cost_y[:, None], np.float32)


def _middle(ground: _Ground) -> float:
    """Column of the mask's centre of mass."""
    weight = ground.inside.sum(0)
    columns = np.arange(len(weight)) / ground.shrink + ground.x0
    return float((weight * columns).sum() / max(float(weight.sum()), 1e-6))


def edge_near(scene: U8, mask: U8, floor: int) -> Array | None:
    """A line of the picture behind whose upper side a body can end: a table's edge, a wall's top.

    Args:
        scene: (h, w, 3) uint8.
        mask: (h, w) uint8.
        floor: the mask's lower end.

    Returns:
        (w,) row of the line in each column near the lower end of the mask, or None when no line goes through.
    """
    columns = np.flatnonzero(mask[max(0, floor - max(4, floor // 40)) : floor].any(0))
    if len(columns) < 16:
        return None
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    _, top, _, lower = _box(mask)
    tall = lower - top
    y0, y1 = max(0, floor - max(6, round(0.16 * tall))), min(scene.shape[0], floor + 3)
    part = cv2.cvtColor(scene[y0:y1, x0:x1], cv2.COLOR_RGB2Lab).astype(np.float32)
    sigma = max(1.0, 0.006 * (x1 - x0))
    soft = cv2.GaussianBlur(part, (0, 0), sigmaX=3 * sigma, sigmaY=sigma)
    step = np.abs(np.diff(soft, axis=0)).sum(2)
    if step.shape[0] < 5:
        return None
    reach = np.asarray(cv2.dilate(step, np.ones((5, 1), np.uint8)), np.float32)  # lines may lean a little
    strong = reach > max(2.0 / sigma, 0.4 * float(np.percentile(reach, 95)))
    share = strong.mean(1)
    share[-2:] = 0
    good = np.flatnonzero((share > 0.7) & (reach.mean(1) > 3.0 / sigma))
    if not len(good):
        return None
    row = int(good[share[good] > share[good].max() - 0.08][-1])  # of lines as clear, the one nearest to the mask's end
    low = max(0, row - 4)
    line = low + step[low : row + 5].argmax(0)
    smooth = cv2.medianBlur(line.astype(np.float32)[None], 5)[0]
    out = np.interp(np.arange(scene.shape[1]), np.arange(x0, x1), smooth + y0 + 1)
    return np.asarray(out)
