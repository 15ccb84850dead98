"""Pictures that are looked at and not kept: for calls that only ask whether a request is good."""

from __future__ import annotations

import hashlib
from typing import Literal

from portrayal.imaging import decode_mask
from portrayal.masks import edit_mask, normalise
from portrayal.request import MaskMode
from portrayal.service.files import File
from portrayal.service.pictures import accepted
from portrayal.settings import Settings


class Trial:
    """Checks pictures and masks as `Files` and `Masks` do. Calls block."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._data: dict[str, bytes] = {}

    def take(self, data: bytes, field: str, library: str) -> File:
        """What `Files.take` would keep; it has no id and no address.

        Raises:
            ImageReadError, ImageTooLargeError: as for `Files.take`.
        """
        good = accepted(
            data, field, max_bytes=self._settings.max_upload_bytes, max_pixels=self._settings.max_upload_pixels
        )
        digest = hashlib.sha256(good.data).hexdigest()
        self._data[digest] = good.data
        return File("", library, digest, good.media_type, len(good.data), good.width, good.height, notes=good.notes)

    def edit_mask(self, mask: File, image: File, mode: MaskMode, field: str) -> File:
        """The very mask, after the checks of `Masks.of_edit`.

        Raises:
            MaskMismatchError: as for `Masks.of_edit`.
        """
        edit_mask(self._data[mask.sha256], (image.width, image.height), mode, field)
        return mask

    def reference_mask(self, mask: File, reference: File, polarity: Literal["white", "black"], field: str) -> File:
        """The very mask, after the checks of `Masks.of_reference`.

        Raises:
            MaskMismatchError: as for `Masks.of_reference`.
        """
        values = decode_mask(self._data[mask.sha256], field)
        normalise(values, (reference.width, reference.height), polarity, field)
        return mask
