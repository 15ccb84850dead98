"""Learn a character from one picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np

from portrayal import imaging
from portrayal.character import cache
from portrayal.character.advice import NO_FACE, WHOLE, advise
from portrayal.character.identity_map import IdentityMap
from portrayal.character.masks import automatic_mask, given_mask, masked_share, without_others
from portrayal.character.palette import palette
from portrayal.errors import ImageReadError
from portrayal.imaging import F32, U8
from portrayal.parallel import together
from portrayal.perception import appearance
from portrayal.perception.faces import read_faces
from portrayal.perception.foreground import foreground_colours
from portrayal.perception.identity import embed
from portrayal.perception.matte import person_matte
from portrayal.perception.regions import parse_regions
from portrayal.perception.subject import matte_of_mask, subject_matte
from portrayal.perception.types import BACKGROUND, CLOTHING, FaceReading

LONGER_SIDE: Final = 2048

Picture: TypeAlias = bytes | Path | U8
Progress: TypeAlias = Callable[[str, float], None]


@dataclass(frozen=True)
class _Reference:
    digest: str
    image: U8
    mask: U8 | None


def study(
    image: Picture,
    *,
    mask: Picture | None = None,
    use_cache: bool = True,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> IdentityMap:
    """Learn all about the character of a reference, once.

    A person's largest face (or the one that a mask covers) is read, the matte solved, regions labelled, the
    descriptor computed. Without a face the subject is cut out: mascots, drawings, animals.

    Args:
        image: a file's bytes, its path, or (h, w, 3) uint8.
        mask: white = belongs to the character, of the reference's own size; None = face and hair.
        use_cache: keep the answer on disk, and take it from there the next time.
        cache_dir: the program's cache folder; None = the user's.
        progress: called with a stage and a fraction 0..1.

    Raises:
        ImageReadError, ImageTooLargeError, ImageTooSmallError: what cannot be decoded.
        MaskMismatchError: the mask has another size, or chooses nothing.
        NoSubjectError: one flat colour.
    """
    tell = progress or (lambda stage, fraction: None)
    data = imaging.read_bytes(image, "reference") if isinstance(image, Path) else image
    chosen = imaging.read_bytes(mask, "mask") if isinstance(mask, Path) else mask
    digest = _digest(data, chosen)
    if use_cache:
        known = cache.load(digest, cache_dir)
        if known is not None:
            tell("known already", 1.0)
            return known
    tell("reading the reference", 0.0)
    reference = _reference(digest, data, chosen)
    tell("looking for faces", 0.1)
    readings = _faces(reference)
    tell("cutting out", 0.2)
    character = _person(reference, readings) if readings else _subject(reference)
    if use_cache:
        cache.store(character, cache_dir)
    tell("studied", 1.0)
    return character


def _faces(reference: _Reference) -> list[FaceReading]:
    """All faces, the character's first: the largest one, or the one that a given mask covers."""
    found = read_faces(reference.image, average=True)
    mask = reference.mask
    if mask is None or (found and masked_share(mask, found[0]) >= 0.5):
        return found
    # The face that is meant may be a small one, which is looked for only when it is needed.
    every = read_faces(reference.image, average=True, tiles=True) or found
    meant = max(every, key=lambda reading: masked_share(mask, reading), default=None)
    if meant is None or masked_share(mask, meant) < 0.3:  # a mask of clothes or things chooses nobody
        return found
    return [meant, *(reading for reading in every if reading is not meant)]


def _digest(image: bytes | U8, mask: bytes | U8 | None) -> str:
    out = hashlib.sha256()
    for part in (image, mask):
        if isinstance(part, np.ndarray):
            out.update(str((part.shape, str(part.dtype))).encode() + np.ascontiguousarray(part).tobytes())
        elif part is not None:
            out.update(part)
    return out.hexdigest()


def _reference(digest: str, image: bytes | U8, mask: bytes | U8 | None) -> _Reference:
    rgb = _checked(image) if isinstance(image, np.ndarray) else imaging.decode(image, "reference")
    h, w = rgb.shape[:2]
    k = min(1.0, LONGER_SIDE / max(h, w))
    size = (max(1, round(w * k)), max(1, round(h * k)))
    chosen = None
    if mask is not None:
        plain = mask if isinstance(mask, np.ndarray) else imaging.decode_mask(mask, "mask")
        chosen = given_mask(plain, (w, h), size)
    if k < 1:
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _Reference(digest, rgb, chosen)


def _checked(rgb: U8) -> U8:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < imaging.MIN_SIDE:
        raise ImageReadError(
            f"an array of shape {rgb.shape} and type {rgb.dtype} is no picture",
            field="reference",
            remedy=f"Give (height, width, 3) uint8 RGB of at least {imaging.MIN_SIDE} px a side.",
        )
    return np.ascontiguousarray(rgb)


def _rounded(alpha: F32) -> F32:
    """Alpha in steps of 1/65535, as the cache keeps it: known and fresh maps are equal to the bit."""
    out: F32 = np.round(alpha * 65535).astype(np.uint16).astype(np.float32) / np.float32(65535)
    return out


def _person(reference: _Reference, readings: list[FaceReading]) -> IdentityMap:
    rgb, reading = reference.image, readings[0]
    alpha, embedding = together(
        lambda: _rounded(without_others(person_matte(rgb, reading), readings)),
        lambda: embed(rgb, reading.points, mirror=True),
    )
    # The colours use both cores themselves, so they stay on this thread.
    foreground, regions = together(lambda: foreground_colours(rgb, alpha), lambda: parse_regions(rgb, alpha, reading))
    labels = regions.labels
    return IdentityMap(
        digest=reference.digest,
        kind="person",
        image=rgb,
        alpha=alpha,
        foreground=foreground,
        regions=labels,
        mask=automatic_mask(labels, reading) if reference.mask is None else reference.mask,
        reading=reading,
        embedding=embedding,
        appearance=appearance.describe(foreground, alpha),
        palette=palette(foreground, alpha),
        crown_is_skin=regions.crown_is_skin,
        advice=advise(rgb, readings, labels, alpha),
    )


def _subject(reference: _Reference) -> IdentityMap:
    rgb, advice = reference.image, [NO_FACE]
    if reference.mask is not None:  # a person has said what the subject is
        alpha = matte_of_mask(rgb, reference.mask > 127)
    else:
        matte = subject_matte(rgb)
        alpha = matte.alpha
        if matte.whole:
            advice.append(WHOLE)
    alpha = _rounded(alpha)
    foreground = foreground_colours(rgb, alpha)
    labels = np.where(alpha > 0.5, CLOTHING, BACKGROUND).astype(np.uint8)
    return IdentityMap(
        digest=reference.digest,
        kind="subject",
        image=rgb,
        alpha=alpha,
        foreground=foreground,
        regions=labels,
        mask=automatic_mask(labels, None) if reference.mask is None else reference.mask,
        reading=None,
        embedding=None,
        appearance=appearance.describe(foreground, alpha),
        palette=palette(foreground, alpha),
        crown_is_skin=False,
        advice=tuple(advice),
    )
