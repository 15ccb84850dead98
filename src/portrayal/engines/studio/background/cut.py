"""Everybody of a picture, cut out: one matte for all, colours without the old background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from portrayal import masks
from portrayal.character.masks import masked_share
from portrayal.engines.studio import edges
from portrayal.engines.studio.background.fringe import without_spill
from portrayal.engines.studio.types import Notes, Speed
from portrayal.errors import NoSubjectError
from portrayal.imaging import F32, U8, Bool
from portrayal.parallel import together
from portrayal.perception import mesh
from portrayal.perception.closed_form import pose_problem, solve
from portrayal.perception.faces import read_faces
from portrayal.perception.filters import dilated, distance_inside
from portrayal.perception.foreground import foreground_colours
from portrayal.perception.matte import FACE, finish_alpha, make_trimap
from portrayal.perception.regions import parse_regions
from portrayal.perception.segmentation import Head, segment_person, with_exact_body, with_hair_length
from portrayal.perception.subject import matte_of_mask, subject_matte
from portrayal.perception.types import BACKGROUND, CLOTHING, FaceReading

# Longer side at which the matte is solved.
SIZE: Final = {"turbo": 768, "balanced": 1024, "quality": 1440}
_VIEW: Final = 2048  # longer side at which faces are looked for
_SMALL_FACE: Final = 0.05  # of the view's longer side: smaller ones are looked for only when there is no other
_RIVAL: Final = 0.28  # of the largest face: smaller ones are pictures on a wall, prints on cloth, passers-by
_COLOURS: Final = 768  # longer side at which the colours of half covered pixels are estimated
_HAZE_REACH: Final = 0.012  # face widths from something solid within which a matte is believed
_HAZE: Final = (0.25, 0.65)
_SURE: Final = 4.0  # pull of a sure net, over the usual one
_BEYOND: Final = 0.06  # share of a mask that may lie outside of the people before it chooses a thing, too

FACELESS: Final = "no face found: what stands out from the background is taken"


@dataclass(frozen=True)
class CutPicture:
    """The people of a picture, or its one subject, without the background.

    Attributes:
        alpha: (h, w) float32 0..1.
        foreground: (h, w, 3) uint8, colours without spill of the background, defined everywhere.
        readings: the faces, largest first; empty for a subject without a face.
        regions: (h, w) uint8 labels of `portrayal.perception.types`.
        owners: (h, w) uint8, to which of the readings a pixel belongs (the nearest face).
    """

    alpha: F32
    foreground: U8
    readings: tuple[FaceReading, ...]
    regions: U8
    owners: U8


def cut_out(image: U8, *, speed: Speed, notes: Notes, mask: U8 | None = None) -> CutPicture:
    """Cut out everybody in a picture, or the one thing that stands out.

    Args:
        image: (h, w, 3) uint8.
        speed: size at which the matte is solved before it is refined at the picture's own edges.
        notes: gets a warning when there is no face.
        mask: (h, w) uint8; people whose face is under its white are kept, others are not. Without a face under it,
            what it covers is cut out. None = everybody.

    Raises:
        NoSubjectError: nobody, and nothing that stands out from the background.
        MaskMismatchError: the mask has another size, or chooses nothing.
    """
    alpha, readings = matte(image, speed=speed, notes=notes, mask=mask)
    owners = nearest(alpha.shape, readings)
    foreground, regions = together(lambda: colours(image, alpha), lambda: _regions(image, alpha, readings, owners))
    return CutPicture(alpha, foreground, readings, regions, owners)


def remove_background(image: U8, *, speed: Speed, notes: Notes, mask: U8 | None = None) -> tuple[U8, U8]:
    """Colours (h, w, 3) uint8, defined everywhere, and alpha (h, w) uint8 of a picture's people; as `cut_out`."""
    alpha, _ = matte(image, speed=speed, notes=notes, mask=mask)
    return colours(image, alpha), np.asarray(alpha * np.float32(255) + np.float32(0.5), np.uint8)


def colours(image: U8, alpha: F32) -> U8:
    """Colours (h, w, 3) uint8 of what alpha shows, without spill of the background."""
    return without_spill(foreground_colours(image, alpha, _COLOURS), alpha)


def matte(image: U8, *, speed: Speed, notes: Notes, mask: U8 | None) -> tuple[F32, tuple[FaceReading, ...]]:
    """Alpha (h, w) float32 and the faces that belong to it; arguments and errors as for `cut_out`."""
    height, width = image.shape[:2]
    chosen = None if mask is None else masks.normalise(mask, (width, height)) > 0
    people = _people(image, chosen)
    if not people:
        notes.warnings.append(FACELESS)
        return _subject(image, chosen), ()
    kept = people if chosen is None else [r for r in people if masked_share(chosen * np.uint8(255), r) >= 0.3]
    alpha = without_haze(_joined(image, people, speed), [0.9 * r.pose.scale for r in people])
    if len(kept) < len(people):
        alpha = alpha * _share(alpha.shape, people, kept)
    if chosen is not None:
        alpha = _with_things(image, alpha, chosen)
    return alpha, tuple(kept)


def without_haze(alpha: F32, sizes: list[float]) -> F32:
    """A matte without the smooth haze that closed form leaves around hair; strands stay.

    A strand is nearly opaque somewhere across it, haze nowhere: what has nothing solid within a few pixels goes.

    Args:
        alpha: (h, w) float32.
        sizes: of the faces, in pixels.
    """
    alpha = edges.levels(alpha)
    radius = max(1, round(_HAZE_REACH * float(np.median(sizes))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    near = np.asarray(cv2.blur(cv2.dilate(alpha, disc), (2 * radius + 1, 2 * radius + 1)), np.float32)
    t = np.clip((near - _HAZE[0]) / (_HAZE[1] - _HAZE[0]), 0, 1)
    return np.asarray(alpha * (t * t * (3 - 2 * t)), np.float32)


def _people(image: U8, chosen: Bool | None) -> list[FaceReading]:
    """The faces of a picture, largest first; none when a mask covers no face at all."""
    longer = max(image.shape[:2])
    k = min(1.0, _VIEW / longer)
    view = image
    if k < 1:
        size = (round(image.shape[1] * k), round(image.shape[0] * k))
        view = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    small = max(24.0, _SMALL_FACE * max(view.shape[:2]))
    found = read_faces(view, average=True, tiles=True, least=small) or read_faces(view, average=True)
    if k < 1:
        found = [_scaled(r, 1 / k) for r in found]
    if chosen is not None:
        mask = chosen * np.uint8(255)
        under = [r for r in found if masked_share(mask, r) >= 0.3]
        if not under:  # a small face may be meant
            found = found or read_faces(image, average=True, tiles=True)
            under = [r for r in found if masked_share(mask, r) >= 0.3]
        if not under:
            return []
    if not found:
        return []
    least = _RIVAL * found[0].pose.scale
    return [r for r in found if r.pose.scale > least or (chosen is not None and r in under)]


def _scaled(reading: FaceReading, k: float) -> FaceReading:
    """A reading of a view, in pixels of a picture `k` times as large."""
    shift = np.float32(0.5 * k - 0.5)

    def moved(points: F32) -> F32:
        out = (points * np.float32(k)).astype(np.float32)
        out[..., :2] += shift
        return out

    x0, y0, x1, y1 = (float(v * k) for v in reading.face.box)
    face = replace(reading.face, box=(x0, y0, x1, y1), keypoints=moved(reading.face.keypoints))
    pose = replace(reading.pose, scale=reading.pose.scale * k, origin=moved(reading.pose.origin))
    return replace(reading, face=face, points=moved(reading.points), pose=pose)


def _joined(image: U8, people: list[FaceReading], speed: Speed) -> F32:
    """One matte of all people: where they touch there is no edge."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = _box(image, people)
    part = image[y0:y1, x0:x1]
    near = [_moved(r, x0, y0) for r in people]
    h, w = part.shape[:2]
    k = min(1.0, SIZE[speed] / max(h, w), FACE / min(r.pose.scale for r in near))
    size = (max(8, round(w * k)), max(8, round(h * k)))
    small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    low = small.astype(np.float32) / np.float32(255)
    heads = [_head(r, k) for r in near]
    likely = np.max([segment_person(part, r, size) for r in near], axis=0)
    heads = [with_hair_length(head, likely) for head in heads]
    zones = [head.hair_zone((size[1], size[0])) for head in heads]
    body = np.max([with_exact_body(likely, small, head) for head in heads], axis=0)
    likely = np.where(np.any(zones, axis=0), likely, body).astype(np.float32)
    trimap, evidence, unit = _trimap(likely, heads, zones, low)
    inside = likely > 0.5
    depth = np.where(inside, distance_inside(inside), distance_inside(~inside)) / unit
    # As for one person, see `perception.matte.matting_problem`; but where the nets are sure and no colour contradicts,
    # short hair before a wall of its own colour must not go.
    against = np.where(inside, evidence, -evidence)
    doubt = 1 + 5 * np.clip(1 - against / 3, 0, 1)
    ramp = np.clip((depth - 0.03) / 0.12, 0, 1) ** 2
    sure = inside & (likely > 0.9) & (against < 1)
    ramp = np.where(sure, np.maximum(ramp, _SURE * np.clip((depth - 0.03) / 0.06, 0, 1)), ramp)
    weight = (0.05 * doubt * ramp).astype(np.float32)
    unknown = trimap == 0.5
    first = np.where(unknown, likely, trimap).astype(np.float32)
    problem = pose_problem(low, first, unknown, inside.astype(np.float32), weight)
    found = finish_alpha(solve(problem), low, trimap, np.ascontiguousarray(part))
    if found.shape == (height, width):
        return found
    out = np.zeros((height, width), np.float32)
    out[y0:y1, x0:x1] = found
    return out


def _trimap(likely: F32, heads: list[Head], zones: list[Bool], low: F32) -> tuple[F32, F32, F32 | float]:
    """Trimap, evidence of the colours, and the face width that counts at each pixel: those of the nearest head."""
    each = [make_trimap(likely, head, low) for head in heads]
    if len(heads) == 1:
        return (*each[0], heads[0].unit)
    shape = likely.shape
    far = np.stack([np.hypot(*head.frame(shape)) for head in heads])
    in_zone = np.stack(zones)
    owner = np.where(in_zone, far, far + 1e3).argmin(0)
    trimaps = np.stack([t for t, _ in each])
    own = np.take_along_axis(trimaps, owner[None], 0)[0]
    # Around a head its own reading counts, elsewhere whoever stands there.
    trimap = np.where(in_zone.any(0), own, trimaps.max(0)).astype(np.float32)
    evidence = np.take_along_axis(np.stack([e for _, e in each]), owner[None], 0)[0]
    unit = np.array([head.unit for head in heads], np.float32)[owner]
    return trimap, np.asarray(evidence, np.float32), unit


def _head(reading: FaceReading, k: float) -> Head:
    eyes = reading.points[list(mesh.EYE_CORNERS), :2].mean(0) * k
    return Head(float(eyes[0]), float(eyes[1]), reading.pose.scale * k)


def _moved(reading: FaceReading, x: int, y: int) -> FaceReading:
    """A reading in the pixels of a part that begins at (x, y)."""
    if not x and not y:
        return reading
    by = np.array([x, y, 0], np.float32)
    x0, y0, x1, y1 = reading.face.box
    face = replace(
        reading.face, box=(x0 - x, y0 - y, x1 - x, y1 - y), keypoints=reading.face.keypoints - by[:2].astype(np.float32)
    )
    pose = replace(reading.pose, origin=(reading.pose.origin - by).astype(np.float32))
    return replace(reading, face=face, points=(reading.points - by).astype(np.float32), pose=pose)


def _box(image: U8, people: list[FaceReading]) -> tuple[int, int, int, int]:
    """The part (x0, y0, x1, y1) of a large picture that holds all people, roughly; of a small one all of it."""
    height, width = image.shape[:2]
    if max(height, width) <= SIZE["balanced"]:
        return 0, 0, width, height
    k = 256 / max(height, width)
    size = (max(8, round(width * k)), max(8, round(height * k)))
    rough = np.max([segment_person(image, r, size) for r in people], axis=0)
    solid = dilated(rough > 0.3, max(r.pose.scale for r in people) * k * 0.5)
    ys, xs = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if not len(ys):
        return 0, 0, width, height
    x0, x1 = int(xs[0] / k), min(width, int((xs[-1] + 1) / k) + 1)
    y0, y1 = int(ys[0] / k), min(height, int((ys[-1] + 1) / k) + 1)
    return x0, y0, x1, y1


def nearest(shape: tuple[int, ...], readings: tuple[FaceReading, ...] | list[FaceReading]) -> U8:
    """To which face (h, w) each pixel belongs: the nearest one in its own widths; bodies hang below their heads."""
    if len(readings) < 2:
        return np.zeros(shape[:2], np.uint8)
    return np.asarray(_distances(shape, readings).argmin(0), np.uint8)


def _distances(shape: tuple[int, ...], readings: tuple[FaceReading, ...] | list[FaceReading]) -> F32:
    x = np.arange(shape[1], dtype=np.float32)[None]
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    far = []
    for reading in readings:
        a, b = (np.float32(v) for v in reading.pose.origin[:2])
        far.append(np.hypot(x - a, np.float32(0.3) * (y - b)) / np.float32(reading.pose.scale))
    return np.asarray(np.stack(far), np.float32)


def shares(shape: tuple[int, ...], people: list[FaceReading], k: float = 1.0) -> F32:
    """Weights (n, h, w) that sum to one: whose a pixel is, with borders half a face wide; `k` scales the readings."""
    far = _distances(shape, [_scaled(r, k) for r in people] if k != 1 else people)
    weights = np.exp(np.maximum((far.min(0) - far) * np.float32(10), -30))
    return np.asarray(weights / weights.sum(0), np.float32)


def _share(shape: tuple[int, ...], people: list[FaceReading], kept: list[FaceReading]) -> F32:
    """Weight (h, w) 0..1 of the people that are kept, against the others."""
    own = _distances(shape, kept).min(0)
    other = _distances(shape, [r for r in people if r not in kept]).min(0)
    return np.asarray(np.clip((other - own) * np.float32(50) + np.float32(0.5), 0, 1), np.float32)


def _with_things(image: U8, alpha: F32, chosen: Bool) -> F32:
    """The matte and what else a mask chooses; a brush that runs over the people's outline chooses nothing more."""
    reach = 0.05 * float(np.sqrt((alpha > 0.5).sum()))
    thing = chosen & ~dilated(alpha > 0.5, reach)
    if thing.sum() < _BEYOND * chosen.sum():
        return alpha
    return np.maximum(alpha, matte_of_mask(image, chosen | (alpha > 0.5)))


def _subject(image: U8, chosen: Bool | None) -> F32:
    if chosen is not None:
        return matte_of_mask(image, chosen)
    found = subject_matte(image, "image")
    if found.whole:
        raise NoSubjectError(
            "nothing stands out from the background",
            field="image",
            remedy="Give a mask of what is to be kept, or a picture with a calmer background.",
        )
    return found.alpha


def _regions(image: U8, alpha: F32, readings: tuple[FaceReading, ...], owners: U8) -> U8:
    if not readings:
        return np.where(alpha > 0.5, CLOTHING, BACKGROUND).astype(np.uint8)
    if len(readings) == 1:
        return parse_regions(image, alpha, readings[0]).labels
    out = np.zeros(alpha.shape, np.uint8)
    for i, reading in enumerate(readings):
        mine = owners == i
        labels = parse_regions(image, np.where(mine, alpha, 0).astype(np.float32), reading).labels
        out[mine] = labels[mine]
    return out
