"""People before another background: their shape, the new light on them, one lens and one film for both."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.background.cut import CutPicture, cut_out, shares
from portrayal.engines.studio.background.plate import picture_plate, resized, stands, without_colour
from portrayal.engines.studio.ground import contact_shadow
from portrayal.engines.studio.light.composite import composite
from portrayal.engines.studio.light.finish import finish, looks
from portrayal.engines.studio.light.occlusion import wide_blur
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.light.shape import face_height, shape
from portrayal.engines.studio.light.tone import luminance, tone, untone
from portrayal.engines.studio.photo.camera import Camera, graded, grained, own_grain, read_camera
from portrayal.engines.studio.types import Cutout, Lighting, Notes, Plate, Speed, Subject
from portrayal.imaging import F32, U8
from portrayal.prompting.plan import ScenePlan

GREY: Final = "the picture has no colours, so its new background has none"
# Longer side at which light is computed; larger pictures get it as a smooth factor on their own pixels.
_LIT: Final = {"turbo": 1280, "balanced": 1664, "quality": 2400}
_MARGIN: Final = 0.1  # of the canvas around a person, for blurs
_BRIGHTEST: Final = 6.0  # factor between the old light and the new
_TINT: Final = 1.5  # most that the new light may be stronger in one colour than in all
_KEPT: Final = 0.2  # exponent: 0 = only the new light, 1 = only the old one
_FINE_GRAIN: Final = 0.3  # of the usual film; the rest is that of the picture itself


def replace_background(
    image: U8,
    new: Plate | U8,
    *,
    plan: ScenePlan,
    seed: int,
    speed: Speed,
    notes: Notes,
    mask: U8 | None = None,
    cut: CutPicture | None = None,
) -> U8:
    """Put the people of a picture before another background, in its light.

    They stay where they are and as they are; direction, colour and level of the light follow the background, within
    what keeps a face itself. Who is cut off by the picture's border stays cut off there.

    Args:
        image: (h, w, 3) uint8.
        new: the plate of a scene (`plate_for`), or a background picture (h', w', 3) uint8, cropped to the ratio.
        plan: its look is that of the film.
        seed: of the grain.
        speed: as for the light.
        notes: gets warnings.
        mask: chooses the people, see `cut_out`.
        cut: the people, when they are cut out already.

    Returns:
        (h, w, 3) uint8.

    Raises:
        NoSubjectError, MaskMismatchError: as for `cut_out`.
    """
    cut = cut or cut_out(image, speed=speed, notes=notes, mask=mask)
    height, width = cut.alpha.shape
    own = read_camera(image, faces=cut.readings)
    picture: U8 | None = None
    film = own
    if isinstance(new, Plate):
        plate = resized(new, width, height)
    else:
        plate, film, picture = picture_plate(new, cut.alpha, notes)
    lit = _lit(cut, plate.lighting, speed)
    if picture is not None:
        lit = _as_taken(lit, cut.alpha, film, picture)
    if stands(cut.alpha):
        plate = replace(plate, radiance=contact_shadow(plate.radiance, cut.alpha))
    outline = _outline(cut)
    if picture is not None and plate.wall > 0:
        plate = replace(plate, radiance=plate.radiance / _shade(outline))
    radiance = composite(lit, outline, plate, speed)
    if picture is not None:
        return _before_picture(radiance, picture, cut, film, seed, speed)
    grey = without_colour(image, own)
    if grey:
        notes.warnings.append(GREY)
    return _before_scene(radiance, plate, plan, cut, own, grey, seed, speed)


def _before_scene(
    radiance: F32, plate: Plate, plan: ScenePlan, cut: CutPicture, own: Camera, grey: bool, seed: int, speed: Speed
) -> U8:
    """Develop; the plate gets the grain that the picture of the people has."""
    look = plan.look if plan.look and plan.look in looks() else "photo"
    image = finish(
        radiance, plate.grade, look, plate.exposure, vignette=0.12, grain=_FINE_GRAIN, seed=seed, speed=speed
    )
    if own.grain < 0.0012 and not grey:
        return image
    codes = image.astype(np.float32) / np.float32(255)
    if grey:
        codes = graded(codes, replace(own, black=0.0, white=1.0))
    return _bytes(grained(codes, 1 - cut.alpha, own, 0.0, seed))


def _before_picture(radiance: F32, picture: U8, cut: CutPicture, film: Camera, seed: int, speed: Speed) -> U8:
    """Develop without any film of our own: where nobody stands the background picture keeps its bytes."""
    codes = tone(radiance)
    back = picture.astype(np.float32) / np.float32(255)
    # The tone curve compresses whites; the picture's own ones come back.
    codes = np.asarray(codes + (back - tone(untone(back))) * (1 - cut.alpha)[..., None], np.float32)
    own = own_grain(cut.foreground.astype(np.float32) / np.float32(255), cut.alpha)
    return _bytes(grained(np.clip(codes, 0, 1), cut.alpha, film, own, seed))


def _bytes(codes: F32) -> U8:
    return np.asarray(np.clip(codes, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8)


def _as_taken(lit: F32, alpha: F32, film: Camera, picture: U8) -> F32:
    """The people with the levels and tones of a background picture: grey in a grey one, faded in a faded one."""
    if not without_colour(picture, film):
        film = replace(film, tones=None)
        if film.gray or (film.black < 0.02 and film.white > 0.98):
            return lit
    codes = graded(tone(lit), replace(film, saturation=max(film.saturation, 0.9)))
    return np.asarray(untone(codes) * (alpha > 0)[..., None], np.float32)


def _shade(outline: Subject) -> F32:
    """What `composite` leaves of the light right behind a body (h, w, 1): a room wants it, plain paper stays clean."""
    wide = np.clip(wide_blur(outline.alpha, max(0.17 * outline.face_height, 1.0)), 0, 1)
    return np.asarray(1 - np.float32(0.10) * wide[..., None], np.float32)


def _outline(cut: CutPicture) -> Subject:
    """What `composite` needs to know of the people: the matte and the size of a face."""
    none = np.zeros((1, 1, 3), np.float32)
    points = cut.readings[0].points if cut.readings else None
    tall = face_height(Cutout(none, cut.alpha, cut.regions, points))
    return Subject(none, cut.alpha, cut.regions, points, none, none[..., 0], none[..., 0], tall)


def _lit(cut: CutPicture, lighting: Lighting, speed: Speed) -> F32:
    """Scene linear radiance (h, w, 3) of the people in a light."""
    height, width = cut.alpha.shape
    k = min(1.0, _LIT[speed] / max(height, width))
    if k == 1:
        return _together(cut.foreground, cut.alpha, cut, 1.0, lighting, speed)
    size = (max(8, round(width * k)), max(8, round(height * k)))
    rgb = np.asarray(cv2.resize(cut.foreground, size, interpolation=cv2.INTER_AREA), np.uint8)
    alpha = np.asarray(cv2.resize(cut.alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    lit = _together(rgb, alpha, cut, k, lighting, speed)
    before = untone(rgb.astype(np.float32) / np.float32(255))
    # Light is smooth: as a factor it carries over to the full size, and every hair keeps its own pixels.
    level = np.clip(luminance(lit) / np.maximum(luminance(before), 0.004), 0, _BRIGHTEST)[..., None]
    # The tint is bounded: in a black pupil it is noise, and a catch-light would take it.
    factor = np.clip(lit / np.maximum(before, 0.004), level / _TINT, level * _TINT)
    weight = (alpha > 0.02).astype(np.float32) + np.float32(1e-6)
    soft = cv2.GaussianBlur(weight, (0, 0), 3.0)[..., None]
    spread = cv2.GaussianBlur(factor * weight[..., None], (0, 0), 3.0) / np.maximum(soft, 1e-6)
    factor = np.where((alpha > 0.02)[..., None], factor, spread).astype(np.float32)
    full = cv2.resize(factor, (width, height), interpolation=cv2.INTER_LINEAR)
    radiance = untone(cut.foreground.astype(np.float32) / np.float32(255))
    radiance *= full
    radiance *= (cut.alpha > 0)[..., None]
    return np.asarray(radiance, np.float32)


def _together(rgb: U8, alpha: F32, cut: CutPicture, k: float, lighting: Lighting, speed: Speed) -> F32:
    """Everybody lit, each by the shape of the own face; `k` is the size relative to the picture."""
    codes = rgb.astype(np.float32) / np.float32(255)
    regions = cut.regions
    if k < 1:
        regions = np.asarray(cv2.resize(regions, alpha.shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    points = [_at(r.points, k) for r in cut.readings]
    if len(points) < 2:
        whole = Cutout(codes, alpha, regions, points[0] if points else None)
        return _kept(whole, relight(shape(whole, speed), lighting, speed))
    out = np.zeros_like(codes)
    for share, own in zip(shares(alpha.shape, list(cut.readings), k), points, strict=True):
        box = _box(np.asarray(alpha * share, np.float32))
        if box is None:
            continue
        at = own - np.array([box[1].start, box[0].start, 0], np.float32)
        # The whole matte: where people touch there is no edge for the light to catch.
        part = Cutout(
            np.ascontiguousarray(codes[box]), np.ascontiguousarray(alpha[box]), np.ascontiguousarray(regions[box]), at
        )
        out[box] += _kept(part, relight(shape(part, speed), lighting, speed)) * share[box][..., None]
    return out


def _kept(cutout: Cutout, lit: F32) -> F32:
    """Part of the photograph's own modelling left in the new light: it is what a face was known by before."""
    own = np.maximum(luminance(untone(cutout.rgb)), 0) + np.float32(0.02)
    new = np.maximum(luminance(lit), 0) + np.float32(0.02)
    log = np.asarray(cv2.log(own / new), np.float32)
    solid = cutout.alpha > 0.9
    log -= np.float32(log[solid].mean()) if solid.any() else np.float32(0)
    factor = cv2.exp(np.clip(log, -1.4, 1.4) * np.float32(_KEPT))
    return np.asarray(lit * factor[..., None], np.float32)


def _at(points: F32, k: float) -> F32:
    out = (points * np.float32(k)).astype(np.float32)
    out[:, :2] += np.float32(0.5 * k - 0.5)
    return out


def _box(alpha: F32) -> tuple[slice, slice] | None:
    """The part of the canvas around somebody, with a margin."""
    rows, columns = np.flatnonzero(alpha.max(1) > 0.004), np.flatnonzero(alpha.max(0) > 0.004)
    if not len(rows) or not len(columns):
        return None
    height, width = alpha.shape
    y, x = round(_MARGIN * np.ptp(rows)) + 8, round(_MARGIN * np.ptp(columns)) + 8
    return (
        slice(max(0, int(rows[0]) - y), min(height, int(rows[-1]) + 1 + y)),
        slice(max(0, int(columns[0]) - x), min(width, int(columns[-1]) + 1 + x)),
    )
