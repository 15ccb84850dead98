"""The identity map: what was learnt from the reference, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from portrayal.imaging import F32, U8
from portrayal.perception.types import FaceReading


@dataclass(frozen=True)
class IdentityMap:
    """One character, known from one picture.

    Attributes:
        digest: SHA-256 of the reference file's bytes (and of the mask's, when one was given), hex.
        kind: "person" when a human face was found, else "subject" (mascot, drawing, animal).
        image: (h, w, 3) uint8, the reference upright, at most 2048 px on its longer side.
        alpha: (h, w) float32 matte of the whole subject.
        foreground: (h, w, 3) uint8, colours without spill of the old background, defined everywhere.
        regions: (h, w) uint8 labels of `portrayal.perception.types` (a subject is all CLOTHING).
        mask: (h, w) uint8, 255 = belongs to the identity (automatic: face + hair; subject: all of it).
        reading: face, landmarks, pose, expression; None for a subject.
        embedding: (128,) float32 face descriptor; None for a subject.
        appearance: (n,) float32 unit vector, look of the subject without a face.
        palette: up to six main colours of the subject as "#rrggbb", most frequent first.
        crown_is_skin: bald, or hair that cannot be told from skin by colour.
        advice: what would make a better reference, in words.
    """

    digest: str
    kind: Literal["person", "subject"]
    image: U8
    alpha: F32
    foreground: U8
    regions: U8
    mask: U8
    reading: FaceReading | None
    embedding: F32 | None
    appearance: F32
    palette: tuple[str, ...]
    crown_is_skin: bool
    advice: tuple[str, ...]
