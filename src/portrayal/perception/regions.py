"""Which pixels are face, hair, other skin and clothing.

Colour mixtures are learnt from this person alone: skin from the cheeks, hair from a ring around the forehead, clothing
from below the chin. Costs are joined with priors of the head's frame, smoothed by a guided filter, and the cheapest
label wins; a second round learns again from the first answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Array, Bool
from portrayal.perception import mesh
from portrayal.perception.colour_model import ColourModel
from portrayal.perception.filters import Guided, dilated, distance_inside, smoothed
from portrayal.perception.types import BACKGROUND, CLOTHING, FACE, HAIR, SKIN, FaceReading

_SIZE: Final = 384  # longer side of the working picture; more when the face would get too small
_FACE: Final = 56.0
_FAR: Final = 40.0  # a cost that no other label exceeds


@dataclass(frozen=True)
class Regions:
    """Labels (h, w) uint8 of `types`, and whether the crown cannot be told from skin (bald, or skin-coloured hair)."""

    labels: U8
    crown_is_skin: bool


@dataclass(frozen=True)
class _Frame:
    """The working picture in the frame of the head: unit = face width, origin = between the eyes, v down."""

    smooth: Guided
    grey: bool
    colours: F32  # half lightness and two log colour ratios, which do not change with shade
    light: F32
    alpha: F32
    inside: Bool
    u: F32
    v: F32
    width: float
    oval: Bool
    outside: F32  # distance to the oval from outside, and from inside
    depth: F32
    features: Bool  # eyes, brows, lips
    chin: float
    top: float
    nose: float


@dataclass
class _Models:
    skin: F32  # cost of skin per pixel
    sure: float  # cost up to which a pixel is skin for sure
    hair: ColourModel | None
    cloth: ColourModel | None
    hair_seed: Bool
    bald: bool
    redness: float


def parse_regions(rgb: U8, alpha: F32, reading: FaceReading) -> Regions:
    """Label every pixel with alpha over 0.5.

    Args:
        rgb: (h, w, 3) uint8.
        alpha: (h, w) float32 matte of the person.
        reading: the person's face.
    """
    frame = _frame(rgb, alpha, reading)
    models = _learn(frame)
    labels = _decide(frame, models)
    _learn_again(frame, models, labels)
    labels = _tidied(frame, _decide(frame, models))
    labels[~frame.inside] = BACKGROUND
    return Regions(_enlarged(labels, alpha), models.bald)


def _frame(rgb: U8, alpha: F32, reading: FaceReading) -> _Frame:
    h, w = alpha.shape
    scale = reading.pose.scale
    k = min(1.0, max(_SIZE / max(h, w), min(_FACE / scale, 768 / max(h, w))))
    size = (max(8, round(w * k)), max(8, round(h * k)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    matte = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    light = np.asarray(cv2.cvtColor(small / np.float32(255), cv2.COLOR_RGB2Lab)[..., 0], np.float32)
    logs = np.log(smoothed(small, 0.8) + 12)
    # In a grey picture only the lightness is left to tell hair from skin.
    grey = float(np.abs(small[..., 0] - small[..., 1]).mean() + np.abs(small[..., 2] - small[..., 1]).mean()) < 6
    colours = np.stack(
        [(1.5 if grey else 0.5) * light, 50 * (logs[..., 0] - logs[..., 1]), 50 * (logs[..., 2] - logs[..., 1])], -1
    )
    points, width = reading.points[:, :2] * k, scale * k
    origin = points[list(mesh.EYE_CORNERS)].mean(0)
    angle = np.radians(reading.pose.roll)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    dx = ((np.arange(size[0], dtype=np.float32) - origin[0]) / width)[None]
    dy = ((np.arange(size[1], dtype=np.float32) - origin[1]) / width)[:, None]

    def height(vertex: int) -> float:
        x, y = (points[vertex] - origin) / width
        return float(-x * sin + y * cos)

    oval = _polygon(matte.shape, points, mesh.OVAL)
    features = np.zeros(matte.shape, bool)
    for part in (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.BROW_LEFT, mesh.BROW_RIGHT, mesh.LIPS):
        features |= _polygon(matte.shape, points, part)
    return _Frame(
        grey=grey,
        smooth=Guided(small / np.float32(255), max(2, int(0.05 * width)), 1e-3),
        colours=colours.astype(np.float32),
        light=light,
        alpha=matte,
        inside=matte > 0.5,
        u=(dx * cos + dy * sin).astype(np.float32),
        v=(-dx * sin + dy * cos).astype(np.float32),
        width=width,
        oval=oval,
        outside=distance_inside(~oval) / np.float32(width),
        depth=distance_inside(oval) / np.float32(width),
        features=dilated(features, 0.03 * width),
        chin=height(mesh.CHIN),
        top=height(mesh.FOREHEAD),
        nose=height(mesh.NOSE_BASE),
    )


def _polygon(shape: tuple[int, ...], points: F32, vertices: tuple[int, ...]) -> Bool:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(vertices)]).astype(np.int32)], 1)
    return mask.astype(bool)


def _learn(f: _Frame) -> _Models:
    seed = f.oval & ~f.features & (f.depth > 0.05) & (f.v > 0.6 * f.top) & (f.v < f.nose + 0.12)
    if seed.sum() < 20:
        seed = f.oval
    samples = f.colours[seed]
    middle = np.median(samples, 0)
    spread = np.median(np.abs(samples - middle), 0) + 1.5
    skin = ColourModel(samples[(np.abs(samples - middle) / spread < 4).all(1)], 3).cost(f.colours)
    usual, sure = (float(x) for x in np.percentile(skin[seed], [75, 90]))
    other = skin > sure + 4
    bald = _crown_is_skin(f, skin, sure, seed)
    hair_seed = _hair_seed(f, skin, usual, other, bald)
    hair = ColourModel(f.colours[hair_seed], 4) if hair_seed.sum() > 60 else None
    cloth_seed = f.inside & other & (f.v > f.chin + 0.45)
    if hair is not None:  # long hair is not clothing
        cost = hair.cost(f.colours)
        strange = cost > np.percentile(cost[hair_seed], 85)
        cloth_seed &= strange | ((np.abs(f.u) < 0.35) & (f.v > f.chin + 0.5))
    if cloth_seed.sum() < 60:
        cloth_seed = f.inside & other & (f.v > f.chin + 0.2)
    cloth = ColourModel(f.colours[cloth_seed], 5) if cloth_seed.sum() > 60 else None
    return _Models(skin, sure, hair, cloth, hair_seed, bald, float(np.median(f.colours[seed][:, 1])))


def _crown(f: _Frame) -> Bool:
    return f.inside & (f.v < f.top - 0.10) & (np.abs(f.u) < 0.4) & (f.alpha > 0.9)


def _crown_is_skin(f: _Frame, skin: F32, sure: float, seed: Bool) -> bool:
    """Whether what is above the forehead is coloured, and as smooth, as the forehead."""
    crown = _crown(f)
    if crown.sum() < 0.04 * f.width**2:
        # Nothing above the forehead: bald, unless the picture ends there.
        return not bool((f.inside & (np.abs(f.u) < 0.5))[:2].any())
    texture = np.abs(f.light - smoothed(f.light, 0.02 * f.width))
    rough = float(texture[crown].mean() / (texture[seed].mean() + 0.1))
    return bool(np.median(skin[crown]) < sure and rough < (1.5 if f.grey else 2.5))


def _hair_seed(f: _Frame, skin: F32, usual: float, other: Bool, bald: bool) -> Bool:
    ring = f.inside & ~f.oval & (f.v < 0.10) & (f.outside < 0.6) & (f.outside > 0.05)
    upper = ring & (f.v < f.top)
    enough = 0.12 * upper.sum()
    seed = ring & other
    if not bald and (seed & upper).sum() < enough:
        seed = ring & (skin > usual + 0.5)  # blond: close to skin
        if (seed & upper).sum() < enough:
            seed = _crown(f)
    return seed


def _costs(f: _Frame, m: _Models) -> F32:
    below = np.clip((f.v - f.chin) / 0.3, 0, 1)
    cost = np.full((*f.alpha.shape, 5), _FAR, np.float32)
    cost[..., FACE] = np.where(f.oval, np.where(f.depth > 0.10, -4, 0) + np.minimum(m.skin, 16) * 0.5 - 3, _FAR)
    cost[..., SKIN] = m.skin + np.where(f.oval, 6, 0) + 1.5 * (f.v > f.chin + 0.3)
    if not m.bald:
        cost[..., SKIN] += 3 * (f.v < f.top + 0.1)
    if f.grey:  # bare shoulders are rarer than clothes of the skin's lightness
        cost[..., SKIN] += 8 * (f.v > f.chin + 0.35)
    # White and grey cloth in shade is not skin: the face's redness is the yardstick.
    cost[..., SKIN] += 5.0 * ((f.v > f.chin + 0.25) & (f.colours[..., 1] < 0.5 * m.redness - 1.0))
    if m.hair is not None:
        side = np.clip((np.abs(f.u) - 0.25) / 0.15, 0, 1)  # long hair falls beside the neck
        low = 1.5 * below * (1 + 4 * (1 - side)) + 2 * np.clip((f.v - f.chin - 0.6) / 0.6, 0, 4)
        inner = np.where(f.oval & (f.v > 0.35 * f.top), 25 * np.clip(f.depth / 0.06, 0, 1), 0)
        pull = -1.5 * ((f.v < f.top - 0.08) & ~f.oval)
        cost[..., HAIR] = m.hair.cost(f.colours) + low + inner + pull
    if m.cloth is not None:
        # Collars and shoulders may rise beside the jaw, but no cloth is higher.
        above = 3 * np.clip((f.chin + 0.05 - f.v) / 0.15, 0, 1) + 25 * np.clip((f.chin - 0.3 - f.v) / 0.1, 0, 1)
        cost[..., CLOTHING] = m.cloth.cost(f.colours) - below + above + np.where(f.oval, 25, 0)
    cost = np.minimum(cost, _FAR)
    for label in (FACE, HAIR, SKIN, CLOTHING):
        cost[..., label] = f.smooth(np.ascontiguousarray(cost[..., label]))
    return cost


def _decide(f: _Frame, m: _Models) -> U8:
    cost = _costs(f, m)
    labels = np.asarray(1 + np.argmin(cost[..., 1:], 2), np.uint8)
    labels[~f.inside] = BACKGROUND
    if m.hair is not None:  # hair hangs together with the crown
        hair = labels == HAIR
        _, parts = cv2.connectedComponents(hair.astype(np.uint8), connectivity=8)
        near = m.hair_seed | ((f.outside < 0.15) & (f.v < f.nose))
        rooted = np.unique(parts[near & hair])
        loose = hair & ~np.isin(parts, rooted[rooted > 0])
        cost[..., HAIR] = _FAR + 1
        labels[loose] = (1 + np.argmin(cost[loose][:, 1:], 1)).astype(np.uint8)
    return labels


def _learn_again(f: _Frame, m: _Models, labels: U8) -> None:
    solid = f.alpha > 0.9
    hair = (labels == HAIR) & solid & (f.v < f.chin + 0.3)
    cloth = (labels == CLOTHING) & solid
    skin = (labels == SKIN) & solid & (m.skin < m.sure + 4) & (np.abs(f.u) < 0.6) & (f.v < f.chin + 0.7)
    if hair.sum() > 100:
        m.hair = ColourModel(f.colours[hair], 4)
    if cloth.sum() > 100:
        m.cloth = ColourModel(f.colours[cloth], 6)
    if skin.sum() > 100:  # neck and chest stand in other light than the face
        m.skin = np.minimum(m.skin, ColourModel(f.colours[skin], 3).cost(f.colours) + 1)


def _tidied(f: _Frame, labels: U8) -> U8:
    """Specks take the label around them, the forehead above the landmarks is face, thin lines of skin are none."""
    least = 0.02 * f.width**2
    for label in (SKIN, CLOTHING, HAIR, FACE):
        count, parts, stats, _ = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8))
        for part in range(1, count):
            if stats[part, cv2.CC_STAT_AREA] < least:
                _give_away(labels, parts, part, stats[part])
    above = (labels == SKIN) & (f.v < -0.1) & (np.abs(f.u) < 0.6) & (f.outside < 0.45)
    labels[above] = FACE
    count, parts, stats, _ = cv2.connectedComponentsWithStats((labels == SKIN).astype(np.uint8))
    thick = distance_inside(labels == SKIN) / f.width
    beside_face = f.outside < 0.1
    for part in range(1, count):
        x, y, w, h = stats[part, :4]
        box = np.s_[y : y + h, x : x + w]
        mine = parts[box] == part
        if not beside_face[box][mine].any() and float(thick[box][mine].max()) < 0.06:
            _give_away(labels, parts, part, stats[part])
    return labels


def _give_away(labels: U8, parts: Array, part: int, stats: Array) -> None:
    """Give a component to the label that is most common right around it (background is none)."""
    x, y, w, h = (int(v) for v in stats[:4])
    box = np.s_[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1]
    mine = parts[box] == part
    ring = (cv2.dilate(mine.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~mine
    votes = np.bincount(labels[box][ring], minlength=5)
    votes[BACKGROUND] = 0
    if votes.any():
        labels[box][mine] = votes.argmax()


def _enlarged(labels: U8, alpha: F32) -> U8:
    """Labels at the picture's size: smooth borders instead of steps, and background exactly where alpha says so."""
    size = (alpha.shape[1], alpha.shape[0])
    best = np.zeros(alpha.shape, np.float32)
    out = np.full(alpha.shape, CLOTHING, np.uint8)
    for label in (FACE, HAIR, SKIN, CLOTHING):
        member = (labels == label).astype(np.float32)
        share = cv2.resize(member + 0.1 * smoothed(member, 2.0), size, interpolation=cv2.INTER_LINEAR)
        better = np.asarray(share, np.float32) > best
        out[better] = label
        np.maximum(best, share, out=best)
    out[alpha <= 0.5] = BACKGROUND
    return out
