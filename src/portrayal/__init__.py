"""Portrayal: one reference image and a prompt in, the same person in new pictures out.

>>> import portrayal
>>> result = portrayal.generate(reference="me.jpg", prompt="a portrait in a coffee shop")  # doctest: +SKIP
>>> result.pictures[0].identity.distance  # doctest: +SKIP
0.17

Importing this package loads nothing heavy; the first call does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrayal._version import __version__

if TYPE_CHECKING:
    from portrayal.character.identity_map import IdentityMap
    from portrayal.engines.base import Progress
    from portrayal.result import Portrayal

__all__ = ["__version__", "generate", "study"]


def generate(
    reference: str | Path | bytes,
    prompt: str,
    *,
    mask: str | Path | bytes | None = None,
    size: str | tuple[int, int] = (1024, 1024),
    aspect_ratio: str | None = None,
    output: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """Make pictures of the person in `reference`, as `prompt` says.

    Args:
        reference: a file or its bytes; use only pictures of people who agreed.
        prompt: what the picture shall show.
        mask: white = belongs to the character; of the reference's own size.
        size: ``"1024x1024"``, a preset name, or (width, height); `aspect_ratio` (``"16:9"``) goes before it.
        output: a file, or a folder for several pictures; None keeps them in memory.
        progress: called with (stage, fraction).
        options: any other field of `portrayal.request.Request`: negative_prompt, speed, num_images, seed, engine.

    Raises:
        portrayal.errors.PortrayalError: a clear line with field and remedy; nothing is written then.
    """
    from portrayal import output as files
    from portrayal.engines.base import silent
    from portrayal.pipeline import portray
    from portrayal.request import Request
    from portrayal.sizes import check_size, parse_ratio, parse_size

    if aspect_ratio is not None:
        pixels = parse_ratio(aspect_ratio)
    else:
        pixels = parse_size(size) if isinstance(size, str) else check_size(*size)
    request = Request.make(
        prompt=prompt,
        reference=_bytes(reference, "reference"),
        mask=None if mask is None else _bytes(mask, "mask"),
        size=pixels,
        **options,
    )
    target = None if output is None else files.prepare(Path(output), request.num_images)
    result = portray(request, progress=progress or silent)
    return result if target is None else files.save(result, target)


def study(reference: str | Path | bytes, *, mask: str | Path | bytes | None = None) -> IdentityMap:
    """Learn who is in a picture; see `portrayal.character.identity_map.IdentityMap`.

    Raises:
        portrayal.errors.PortrayalError: when it cannot be read, or nobody is in it.
    """
    from portrayal.pipeline import know
    from portrayal.request import Request
    from portrayal.settings import Settings

    data = _bytes(reference, "reference")
    request = Request.make(prompt="portrait", reference=data, mask=None if mask is None else _bytes(mask, "mask"))
    return know(request, Settings())


def _bytes(source: str | Path | bytes, field: str) -> bytes:
    from portrayal.imaging import read_bytes

    return source if isinstance(source, bytes) else read_bytes(Path(source), field)
