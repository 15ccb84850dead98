"""Masks that callers give, as stored files in the one internal form: white is chosen, the picture's own size."""

from __future__ import annotations

import io
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from portrayal.imaging import U8, decode_mask, loaded, opened
from portrayal.masks import edit_mask, normalise
from portrayal.request import MaskMode
from portrayal.service.files import File, Files


class Masks:
    """Read, check and convert masks. Calls block."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def of_edit(self, mask: File, image: File, mode: MaskMode, field: str, *, fit: bool = False) -> File:
        """The mask of an edit in the internal form: white may be repainted.

        Args:
            mask, image: as they were taken.
            mode: what is repainted in `mask`.
            field: name for the errors.
            fit: a mask of another size is resized to the picture (nearest neighbour), as Replicate does.

        Raises:
            MaskMismatchError: another size, nothing or everything is chosen, or it is no mask.
        """
        data = self._files.read(mask)
        size = (image.width, image.height)
        if fit and (mask.width, mask.height) != size:
            data = _resized(data, size, field)
        chosen, _ = edit_mask(data, size, mode, field)
        return self._kept(chosen, mask.library, field)

    def check_edit(self, mask: File, image: File, mode: MaskMode, field: str) -> None:
        """Check the mask of an edit that is used as it is.

        Raises:
            MaskMismatchError: as for `of_edit`.
        """
        edit_mask(self._files.read(mask), (image.width, image.height), mode, field)

    def check_reference(self, mask: File, reference: File, field: str) -> None:
        """Check a character mask (white belongs to the character) that is used as it is.

        Raises:
            MaskMismatchError: as for `of_reference`.
        """
        normalise(decode_mask(self._files.read(mask), field), (reference.width, reference.height), field=field)

    def of_reference(
        self, mask: File, reference: File, field: str, *, polarity: Literal["white", "black"] = "white"
    ) -> File:
        """A character mask in the internal form: white belongs to the character.

        Raises:
            MaskMismatchError: another size than the reference, or nothing is chosen.
        """
        values = decode_mask(self._files.read(mask), field)
        return self._kept(normalise(values, (reference.width, reference.height), polarity, field), mask.library, field)

    def _kept(self, chosen: U8, library: str, field: str) -> File:
        data = bytes(cv2.imencode(".png", chosen)[1])
        return self._files.take(data, field, library, purpose="mask")


def _resized(data: bytes, size: tuple[int, int], field: str) -> bytes:
    image = loaded(opened(data, field), field)
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float64)
        image = Image.fromarray((values / max(values.max(), 1.0) * 255).astype(np.uint8))
    out = io.BytesIO()
    image.resize(size, Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()
