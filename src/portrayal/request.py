"""The one request: everything that may influence a picture is in it, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrayal.errors import InvalidRequestError
from portrayal.sizes import Size

Speed = Literal["turbo", "balanced", "quality"]
EngineName = Literal["auto", "studio"]

MAX_PROMPT = 10_000
MAX_SEED = 2_147_483_647

_REMEDIES = {
    "prompt": f"Say in 1 to {MAX_PROMPT} characters what the picture shall show.",
    "negative_prompt": f"At most {MAX_PROMPT} characters.",
    "seed": f"Give a whole number from 0 to {MAX_SEED}.",
    "num_images": "Give a whole number from 1 to 8.",
    "speed": "Use turbo, balanced or quality.",
    "engine": "Use auto or studio.",
    "reference": "Give a JPEG, PNG or WebP file.",
}
# Pydantic's own words are kept for all other kinds.
_MESSAGES = {
    "string_pattern_mismatch": "is empty",
    "string_too_short": "is empty",
    "bytes_too_short": "the file is empty",
    "string_too_long": "is longer than {max_length} characters",
    "string_unicode": "holds bytes that are no text",
    "greater_than_equal": "is smaller than {ge}",
    "less_than_equal": "is larger than {le}",
    "literal_error": "is not {expected}",
    "extra_forbidden": "is not a field of a request",
}


class Request(BaseModel):
    """What a picture is made from. The same request gives the same bytes on the same version and machine kind.

    Attributes:
        prompt: 1 to 10000 characters.
        reference: bytes of the picture of the character.
        mask: bytes of a mask of the reference, white = belongs to the character; None = face and hair.
        negative_prompt: what shall not be in the picture.
        size: (width, height) in pixels, one of `sizes.ALLOWED`.
        speed: how much work is done.
        num_images: 1 to 8; picture i has seed + i.
        seed: 0 to 2147483647; None takes one from the request's own content, so that the same request always
            gives the same pictures.
        engine: what makes the pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=MAX_PROMPT, pattern=r"\S")]
    reference: Annotated[bytes, Field(repr=False, min_length=1)]
    mask: Annotated[bytes | None, Field(repr=False)] = None
    negative_prompt: Annotated[str, Field(max_length=MAX_PROMPT)] = ""
    size: Size = (1024, 1024)
    speed: Speed = "balanced"
    num_images: Annotated[int, Field(ge=1, le=8)] = 1
    seed: Annotated[int | None, Field(ge=0, le=MAX_SEED)] = None
    engine: EngineName = "auto"

    @classmethod
    def make(cls, **values: Any) -> Request:
        """A checked request.

        Raises:
            InvalidRequestError: names the first wrong field and its remedy.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = str(first["loc"][0]) if first["loc"] else ""
            message = _MESSAGES.get(first["type"], first["msg"].lower()).format(**first.get("ctx", {}))
            raise InvalidRequestError(message, field=field, remedy=_REMEDIES.get(field, "")) from None

    def described(self) -> dict[str, Any]:
        """The request as plain values, with digests in the place of pictures (for files and logs)."""
        values = self.model_dump(exclude={"reference", "mask"})
        values["size"] = f"{self.size[0]}x{self.size[1]}"
        values["reference_sha256"] = hashlib.sha256(self.reference).hexdigest()
        if self.mask is not None:
            values["mask_sha256"] = hashlib.sha256(self.mask).hexdigest()
        return values

    def seeds(self) -> tuple[int, ...]:
        """The seed of each picture."""
        first = self.seed
        if first is None:
            parts = (self.prompt, self.negative_prompt, str(self.size))
            digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass") + self.reference)
            first = int.from_bytes(digest.digest()[:4], "big") % MAX_SEED
        return tuple((first + i) % (MAX_SEED + 1) for i in range(self.num_images))
