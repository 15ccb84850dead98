"""What of a photograph stays when its clothes go: face, ears, hair, hat and the clean part of the neck.

The person without clothes is an identity map like any other, so that it is placed and its head moved in the same way.
Below the chin skin goes on for a while, an apron: a chin that drops or turns must find skin there, not a hole. How
much of that skin is shown is settled later, when the collar is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.head.fields import blur, disc, fill, polygon, resize, smoothstep, weighted_blur
from portrayal.engines.studio.light.tone import untone
from portrayal.imaging import F32, Array, Bool
from portrayal.perception import mesh
from portrayal.perception.types import BACKGROUND, CLOTHING, FACE, HAIR, SKIN

# Height of the face, in pixels, at which the matte is worked out; larger references are reduced to it.
_FACE: Final = 256.0
# Head and surroundings, in face heights from the middle of the face: to the sides, up, down.
_BOX: Final = (2.2, 2.0, 3.6)
# Half width of the band, in face heights, in which head and clothes are told apart by their colours.
_BAND: Final = 0.03
JAW: Final = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
"""Landmarks along the jaw from ear to ear."""


@dataclass(frozen=True)
class Bare:
    """A person without clothes below the neck.

    Attributes:
        character: the head, and clothes that the character mask holds; colours are clean everywhere, and `alpha`
            includes the apron of skin below the chin.
        foul: (h, w) float32 0..1, where below the jaw the reference shows something else than clean skin or hair.
        skin: (3,) scene light of skin on neck and chest, between that of the face and that of the neck.
        shoulders: scale of the shoulders, see `BustFrame`.
    """

    character: IdentityMap
    foul: F32
    skin: F32
    shoulders: float


@dataclass(frozen=True)
class _Part:
    """The surroundings of the head at working size; lengths in its pixels."""

    rgb: F32
    alpha: F32
    regions: Array
    kept: F32
    points: F32
    face: float
    calm: F32  # colours without noise and pores
    below: F32  # distance below the chin, (h, 1)
    aside: F32  # distance from the middle of the face, (1, w)
    from_skin: F32  # distance of each colour from the skin of the lower face, in its spreads


def undressed(character: IdentityMap) -> Bare:
    """The character without its clothes.

    Args:
        character: a person, i.e. with a `reading`.
    """
    assert character.reading is not None
    box, k = _box(character)
    part = _part(character, box, k)
    hull = polygon(cv2.convexHull(np.ascontiguousarray(part.points[:468, :2]))[:, 0], part.alpha.shape)
    part = replace(part, from_skin=_from_skin(part, _lower_face(part, hull)))
    neck = _neck(part, hull)
    head = _head(part, hull, neck)
    apron = _apron(part)
    known = cv2.erode((head * (1 - _cloth(part)) > 0.9).astype(np.uint8), disc(0.008 * part.face))
    clean = _skin_below(part, known.astype(np.float32), neck, hull)
    bare = _joined(character, box, part, (head, apron, clean, neck))
    return replace(bare, skin=_skin_colour(part, hull, neck))


def _box(character: IdentityMap) -> tuple[tuple[int, int, int, int], float]:
    """Box (x0, y0, x1, y1) of the head's surroundings in the reference, and working pixels per reference pixel."""
    assert character.reading is not None
    points = character.reading.points[:468, :2]
    low, high = points.min(0), points.max(0)
    face, (x, y) = float(high[1] - low[1]), (low + high) / 2
    h, w = character.alpha.shape
    x0, x1 = int(max(0, x - _BOX[0] * face)), int(min(w, x + _BOX[0] * face))
    y0, y1 = int(max(0, y - _BOX[1] * face)), int(min(h, y + _BOX[2] * face))
    return (x0, y0, x1, y1), min(1.0, _FACE / face)


def _part(character: IdentityMap, box: tuple[int, int, int, int], k: float) -> _Part:
    assert character.reading is not None
    x0, y0, x1, y1 = box
    size = (max(8, round((x1 - x0) * k)), max(8, round((y1 - y0) * k)))
    at = np.s_[y0:y1, x0:x1]
    scale = np.array([size[0] / (x1 - x0), size[1] / (y1 - y0), k], np.float32)
    points = (character.reading.points - np.array([x0, y0, 0], np.float32)) * scale
    rows = np.arange(size[1], dtype=np.float32)[:, None]
    columns = np.arange(size[0], dtype=np.float32)[None]
    rgb = resize(character.foreground[at], size) * np.float32(1 / 255)
    face = float(np.ptp(points[:468, 1]))
    return _Part(
        rgb=rgb,
        calm=blur(rgb, 0.006 * face),
        from_skin=np.zeros((1, 1), np.float32),
        alpha=resize(character.alpha[at], size),
        regions=cv2.resize(character.regions[at], size, interpolation=cv2.INTER_NEAREST),
        kept=resize(character.mask[at], size) * np.float32(1 / 255),
        points=points.astype(np.float32),
        face=face,
        below=rows - points[mesh.CHIN, 1],
        aside=np.abs(columns - float(points[list(mesh.OVAL), 0].mean())),
    )


def _cloth(p: _Part) -> F32:
    """Weight of clothes that go: not those that the mask holds, nor a hat or glasses above the mouth."""
    above = smoothstep(-0.55 * p.face, -0.65 * p.face, p.below) * (p.aside < 1.0 * p.face)
    worn = (p.regions == CLOTHING) * (1 - np.maximum(above, p.kept > 0.5))
    return np.asarray(worn, np.float32)


def _far_from(p: _Part, where: Bool, least: tuple[float, float, float]) -> F32:
    """How far, in spreads, each pixel's colour ratios are from those of a place, (h, w).

    Args:
        where: the place.
        least: smallest spread of the two log ratios and of the log lightness.
    """
    red, green, blue = (np.log(p.calm[..., i] + np.float32(0.05)) for i in range(3))
    features = np.stack([red - green, blue - green, green], -1)
    low, middle, high = np.quantile(features[where], [0.16, 0.5, 0.84], axis=0).astype(np.float32)
    spread = np.maximum((high - low) / 2, np.array(least, np.float32))
    return np.asarray(np.sqrt((((features - middle) / spread) ** 2).sum(-1)), np.float32)


def _from_skin(p: _Part, face: Bool) -> F32:
    """Distance of each pixel from the skin of the face; what is much less red (a pale wall, a collar) is far away."""
    distance = _far_from(p, face, (0.05, 0.05, 0.40))
    red = np.log(p.calm[..., 0] + np.float32(0.05)) - np.log(p.calm[..., 1] + np.float32(0.05))
    own = float(np.median(red[face]))
    if own < 0.05:  # a grey picture
        return distance
    return np.asarray(np.where(red < 0.45 * own, np.maximum(distance, 9), distance), np.float32)


def _lower_face(p: _Part, hull: F32) -> Bool:
    return np.asarray((hull > 0.5) & (p.below > -0.5 * p.face))


def _neck(p: _Part, hull: F32) -> F32:
    """Where clean skin of the neck is seen below the jaw, 0..1: well away from any cloth."""
    face = p.face
    skin = (p.regions == SKIN) | (p.regions == FACE)
    skin &= (p.alpha > 0.9) & (p.from_skin < 3.7)
    skin &= (p.below > -0.45 * face) & (p.below < 0.55 * face) & (p.aside < 0.62 * face)
    # Cloth throws its colour and its shadow on the skin beside it.
    cloth = cv2.dilate(_cloth(p).astype(np.uint8), disc(0.028 * face)) > 0
    both = np.maximum((skin & ~cloth).astype(np.uint8), (hull > 0.5).astype(np.uint8))
    both = cv2.morphologyEx(both, cv2.MORPH_OPEN, disc(0.03 * face))
    mask = both * (skin & ~cloth).astype(np.uint8)
    _, labels = cv2.connectedComponents(np.maximum(both, (hull > 0.5).astype(np.uint8)))
    nose = p.points[4]
    mask &= labels == labels[int(np.clip(nose[1], 0, len(mask) - 1)), int(np.clip(nose[0], 0, mask.shape[1] - 1))]
    return np.asarray(mask, np.float32)


def _head(p: _Part, hull: F32, neck: F32) -> F32:
    """Share of the head in each pixel, 0..1, to be multiplied by the matte."""
    face = p.face
    cloth = _cloth(p)
    # Ears and the sides of the neck; bare shoulders, arms and hands are the new body's. What shows between hair and
    # cheek may be anything.
    ear = (p.regions == SKIN) & (p.below < -0.30 * face) & ((p.from_skin < 5.0) | (p.below < -0.65 * face))
    own = (p.regions == FACE) | (_hair(p) > 0) | ear | (neck > 0.5)
    own |= (p.regions == CLOTHING) & (cloth < 0.5)
    own |= hull > 0.5
    own &= ~_strange(p, hull)
    own = _together(own, p)
    gone = (p.alpha > 0.3) & ~own
    soft = blur(own.astype(np.float32), 0.010 * face)
    share = smoothstep(0.25, 0.75, soft)
    share = _told_apart(p, own, gone, share)
    # What the colours leave of a lock or a collar as specks goes as well.
    return np.asarray(share * cv2.dilate(_together(share > 0.3, p).astype(np.uint8), disc(0.008 * face)), np.float32)


def _hair(p: _Part) -> Array:
    """Hair, (h, w) uint8; the lower it hangs, the more it must have the colour of the hair above the eyes."""
    hair = p.regions == HAIR
    above = hair & (p.below < -0.75 * p.face) & (p.alpha > 0.9)
    if above.sum() > 0.01 * p.face**2:
        sure = np.clip((-0.30 * p.face - p.below) / (0.4 * p.face), 0, 1)
        hair &= _far_from(p, above, (0.06, 0.06, 0.8)) < 4.5 + 20 * sure * sure
    mask = cv2.morphologyEx(hair.astype(np.uint8), cv2.MORPH_CLOSE, disc(0.012 * p.face))
    return np.asarray(mask * (p.regions == HAIR))


def _together(own: Bool, p: _Part) -> Bool:
    """The part that hangs together with the face."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(own.astype(np.uint8), connectivity=4)
    nose = p.points[4]
    main = labels[int(np.clip(nose[1], 0, own.shape[0] - 1)), int(np.clip(nose[0], 0, own.shape[1] - 1))]
    large = stats[:, cv2.CC_STAT_AREA] > 0.02 * p.face**2
    high = stats[:, cv2.CC_STAT_TOP] < p.points[mesh.CHIN, 1]
    keep = large & high
    keep[0], keep[main] = False, True
    kept = keep[labels]
    # Holes of a few pixels in hair and crown are mistakes of the labels; those beside the cheek are air.
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    hole = stats[:, cv2.CC_STAT_AREA] < 0.006 * p.face**2
    hole[0] = False
    return np.asarray(kept | (hole[labels] & ((p.regions == HAIR) | (p.below < -0.65 * p.face))))


def _strange(p: _Part, hull: F32) -> Bool:
    """What lies within the landmarks' outline, beside mouth and jaw, but is neither skin nor beard.

    It is redder, bluer or whiter than the skin of the cheek or chin next to it; a beard is darker and greyer.
    """
    inner = (hull > 0.5).astype(np.uint8)
    depth = np.asarray(cv2.distanceTransform(inner, cv2.DIST_L2, 3), np.float32) / np.float32(p.face)
    outer = (depth > 0) & (depth < 0.05) & (p.below > -0.5 * p.face)
    logs = [np.log(p.calm[..., i] + np.float32(0.05)) for i in range(3)]
    fields = [logs[0] - logs[1], logs[2] - logs[1], logs[1]]
    near = weighted_blur(fields, (depth > 0.06).astype(np.float32), 0.08 * p.face)
    red, blue, light = (a - b for a, b in zip(fields, near, strict=True))
    return np.asarray(outer & ((red > 0.45) | (blue > 0.35) | ((light > 0.35) & (red < -0.12))))


def _told_apart(p: _Part, own: Bool, cloth: Bool, share: F32) -> F32:
    """The share with its border to clothes settled by colour: how much head a mixed pixel holds.

    Both sides are continued into the band by their own colours; a pixel between the two holds as much of the head as
    its colour lies on the way (the two-colour matte). Where both sides look alike the labels stay.
    """
    radius = max(1.0, _BAND * p.face)
    band = (cv2.dilate(cloth.astype(np.uint8), disc(radius)) > 0) & (cv2.dilate(own.astype(np.uint8), disc(radius)) > 0)
    if not band.any():
        return share
    rows, columns = np.flatnonzero(band.any(1)), np.flatnonzero(band.any(0))
    at = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    opaque = p.alpha[at] > 0.9
    sure = [(cv2.erode(side[at].astype(np.uint8), disc(0.8 * radius)) > 0) & opaque for side in (own, cloth)]
    if min(int(s.sum()) for s in sure) < 30:
        return share
    rgb, sigma = p.rgb[at], 1.2 * radius
    sides = []
    for s in sure:
        weight = s.astype(np.float32)
        near = np.dstack(weighted_blur([rgb[..., i] for i in range(3)], weight, sigma))
        sides.append(np.where((blur(weight, sigma) > 0.01)[..., None], near, fill(rgb, weight)))
    head, away = sides
    way = head - away
    length = (way * way).sum(-1)
    along = ((rgb - away) * way).sum(-1) / np.maximum(length, 1e-4)
    trust = smoothstep(0.10, 0.24, np.sqrt(length))
    # Rather lose a strand than keep a piece of the collar.
    matte = smoothstep(0.30, 0.85, blur(np.clip(along, 0, 1), 0.6))
    out = share.copy()
    inside = band[at]
    mixed = share[at] + (np.minimum(matte, smoothstep(0.02, 0.3, share[at])) - share[at]) * trust
    out[at] = np.where(inside, mixed, share[at])
    return out


def _apron(p: _Part) -> F32:
    """Where skin shall go on below the jaw, 0..1."""
    jaw = p.points[list(JAW), :2]
    middle = jaw.mean(0)
    upper = middle + (jaw - middle) * np.array([0.92, 1.0], np.float32)
    lower = middle + (jaw - middle) * np.array([0.80, 1.0], np.float32) + np.array([0, 0.42 * p.face], np.float32)
    shape = np.vstack([upper - np.array([0, 0.1 * p.face], np.float32), lower])
    area = polygon(cv2.convexHull(shape.astype(np.float32))[:, 0], p.alpha.shape, 0.01 * p.face)
    return np.asarray(area * (p.alpha > 0.5), np.float32)


def _skin_below(p: _Part, known: F32, neck: F32, hull: F32) -> F32:
    """The picture's colours with skin, and nothing of the clothes, wherever the head is not known."""
    hair = blur((p.regions == HAIR).astype(np.float32), 0.01 * p.face)
    skin = known * np.maximum(hull, neck) * (hair < 0.2) * (p.below > -0.35 * p.face)
    skin = np.asarray(skin * (p.from_skin < 3.7), np.float32)
    if skin.sum() < 50:
        skin = known
    return blur(fill(p.rgb, skin), 0.01 * p.face)


def _joined(
    character: IdentityMap,
    box: tuple[int, int, int, int],
    p: _Part,
    layers: tuple[F32, F32, F32, F32],
) -> Bare:
    """The new identity map at the reference's size, of the layers head, apron, colours of skin, clean neck."""
    head, apron, skin, neck = layers
    x0, y0, x1, y1 = box
    at, size = np.s_[y0:y1, x0:x1], (x1 - x0, y1 - y0)
    share, below = resize(head, size), resize(apron, size)
    # An apron is no outline: it counts only where the head does not.
    shown = share + below * (1 - share)
    kept = (character.regions == CLOTHING) & (character.mask >= 128)
    alpha = np.where(kept, character.alpha, 0).astype(np.float32)
    alpha[at] = np.maximum(alpha[at], character.alpha[at] * shown)
    rgb = character.foreground.copy()
    # A mixed pixel is all skin: none of the collar that it holds may stay.
    own = smoothstep(0.7, 1.0, share)[..., None]
    mixed = resize(skin, size) * np.float32(255)
    hair = blur((p.regions == HAIR).astype(np.float32), 0.012 * p.face)
    facial = (p.below > -0.5 * p.face) & (p.aside < 0.7 * p.face) & (hair < 0.25)
    near_skin = resize(np.maximum(blur(apron, 0.02 * p.face) > 0.01, facial).astype(np.float32), size)[..., None] > 0.5
    held = kept[at][..., None]
    clean = np.where(near_skin & ~held, mixed + (rgb[at] - mixed) * own, rgb[at])
    rgb[at] = np.clip(clean + 0.5, 0, 255).astype(np.uint8)
    labels = np.where(kept, CLOTHING, BACKGROUND).astype(np.uint8)
    inner = character.regions[at]
    inner = np.where(np.isin(inner, (CLOTHING, HAIR)) & (alpha[at] > 0.5) & ~kept[at] & (share < 0.5), SKIN, inner)
    labels[at] = np.where(alpha[at] > 0.5, inner, BACKGROUND)
    dirty = (p.alpha > 0.2) & (neck < 0.5) & (p.regions != HAIR) & (p.below > -0.45 * p.face)
    full = np.zeros(character.alpha.shape, np.float32)
    foul = cv2.morphologyEx(dirty.astype(np.uint8), cv2.MORPH_OPEN, disc(0.01 * p.face))
    full[at] = resize(cv2.dilate(foul, disc(0.012 * p.face)).astype(np.float32), size)
    # The last rows of a picture are no neck to go on from.
    full[-max(2, round(0.06 * p.face * size[1] / len(p.alpha))) :] = 1
    return Bare(
        character=replace(character, digest=f"{character.digest}+bare", alpha=alpha, foreground=rgb, regions=labels),
        foul=full,
        skin=np.zeros(3, np.float32),
        shoulders=_shoulders(character),
    )


def _skin_colour(p: _Part, hull: F32, neck: F32) -> F32:
    """Scene light (3,) of skin below the neck: a chest is better lit than a neck, and less rosy than a face."""
    lower = (hull > 0.5) & (p.below > -0.5 * p.face) & (p.regions == FACE)
    lower &= p.from_skin < 2.5
    face = untone(np.ascontiguousarray(np.median(p.rgb[lower], 0)[None], np.float32))[0]
    seen = (neck > 0.5) & (hull < 0.1)
    if seen.sum() < 0.002 * p.face**2:
        return np.asarray(face * np.array([0.90, 0.90, 0.88], np.float32), np.float32)
    own = untone(np.ascontiguousarray(np.median(p.rgb[seen], 0)[None], np.float32))[0]
    return np.asarray(np.exp(0.75 * np.log(face) + 0.25 * np.log(np.maximum(own, 0.3 * face))), np.float32)


def _shoulders(character: IdentityMap) -> float:
    """Scale of the shoulders by the outline of the body a hand below the neck, where the picture does not cut it."""
    assert character.reading is not None
    points = character.reading.points
    unit = float(np.linalg.norm(points[mesh.FOREHEAD] - points[mesh.CHIN])) / 18
    middle, chin = float(points[list(mesh.OVAL), 0].mean()), float(points[mesh.CHIN, 1])
    h, w = character.alpha.shape
    rows = np.arange(int(chin + 15 * unit), int(chin + 21 * unit))
    rows = rows[rows < h]
    widths = []
    for row in rows:
        columns = np.flatnonzero(character.alpha[row] > 0.5)
        if not len(columns):
            continue
        left, right = middle - columns[0], columns[-1] - middle
        widths += [side for side, cut in ((left, columns[0] < 3), (right, columns[-1] > w - 4)) if not cut]
    if len(rows) < 3 * unit or not widths:
        return 0.95
    # Clothes, and things beside the body, only ever widen the outline.
    seen = float(np.median(widths)) / unit / 23.0
    return float(np.clip(0.95 + 0.5 * (seen - 1), 0.88, 1.08))
