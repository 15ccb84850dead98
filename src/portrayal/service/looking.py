"""Looking at pictures: a description in words, and masks of what is in them. One at a time, so that jobs go on."""

from __future__ import annotations

import threading
from typing import Final, Literal, get_args

import cv2
import numpy as np

from portrayal.description import Description, describe
from portrayal.errors import NoSubjectError
from portrayal.imaging import U8, Bool, decode
from portrayal.service.files import File, Files
from portrayal.settings import Settings

What = Literal["face", "hair", "head", "person", "clothing", "background"]
WHATS: Final[tuple[str, ...]] = get_args(What)
MAX_GROW: Final = 256
MAX_FEATHER: Final = 128
_PEOPLE: Final = 6
"""So many people are cut out for a mask of the background; smaller ones are left in it."""


class Looking:
    """Describes pictures and masks what is in them. Calls block."""

    def __init__(self, settings: Settings, files: Files) -> None:
        self._settings, self._files = settings, files
        self._turn = threading.Lock()

    def describe(self, file: File) -> Description:
        """Words that lead to such a picture, and its style code; see `portrayal.description.describe`."""
        data = self._files.read(file)
        with self._turn:
            return describe(data)

    def mask(self, file: File, what: What, *, grow: int = 0, feather: int = 0) -> File:
        """A mask of a picture's own size, white = chosen, as a new file that ends as uploads do.

        Args:
            file: the picture.
            what: "face", "hair", "head" (both, with the ears), "person", "clothing" of the largest person, or
                "background", which is what belongs to nobody. Of a picture without a face "person" is the subject.
            grow: pixels by which it is grown; shrunk when it is smaller than 0.
            feather: width of a soft border in pixels; masks of edits are cut at its middle.

        Raises:
            NoSubjectError: there is nothing of that kind in the picture.
        """
        data = self._files.read(file)
        with self._turn:
            chosen = self._chosen(data, what)
        size = (file.width, file.height)
        values = cv2.resize(chosen.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        mask = _grown(values >= 0.5, grow)
        if not mask.any():
            raise _nothing(what)
        soft: U8 = (mask * np.uint8(255)).astype(np.uint8)
        if feather:
            soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), feather / 2), np.uint8)
        png = bytes(cv2.imencode(".png", soft)[1])
        return self._files.take(png, "mask", file.library, name=f"{what} mask")

    def _chosen(self, data: bytes, what: What) -> Bool:
        """What is meant, at the size of the identity map."""
        from portrayal.character.learning import study  # the nets and kernels: only where a picture is studied
        from portrayal.perception.faces import read_faces
        from portrayal.perception.matte import person_matte
        from portrayal.perception.types import CLOTHING, FACE, HAIR

        decode(data, "file")  # for the name of the field in the errors
        known = study(data, use_cache=self._settings.cache, cache_dir=self._settings.cache_dir)
        if what == "person":
            return np.asarray(known.alpha > 0.5)
        if what == "background":
            people = known.alpha
            if known.reading is not None:
                readings = read_faces(known.image, average=True)[1:_PEOPLE]
                for reading in readings:
                    people = np.maximum(people, person_matte(known.image, reading))
            return np.asarray(people <= 0.5)
        if known.reading is None:
            raise NoSubjectError(
                "there is no face in the picture", field="what", remedy="Choose person, which is the subject then."
            )
        if what == "head":
            return np.asarray(known.mask > 127)
        return np.asarray(known.regions == {"face": FACE, "hair": HAIR, "clothing": CLOTHING}[what])


def _grown(mask: Bool, pixels: int) -> Bool:
    from portrayal.perception.filters import dilated, eroded

    if pixels > 0:
        return dilated(mask, float(pixels))
    return eroded(mask, float(-pixels)) if pixels < 0 else mask


def _nothing(what: str) -> NoSubjectError:
    return NoSubjectError(f"there is no {what} in the picture", field="what", remedy="Choose something else.")
