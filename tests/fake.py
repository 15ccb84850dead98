"""A maker for tests of the service: real requests in, small real pictures out, in milliseconds.

It decodes the pictures as the pipeline does, reports the same kinds of progress, and gives an identity
score to everybody who is put in. What it paints depends on the request and the seed only.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Mapping

from PIL import Image

from portrayal._version import __version__
from portrayal.errors import InvalidRequestError
from portrayal.imaging import decode
from portrayal.request import Request
from portrayal.result import IdentityScore, Picture, Portrayal
from portrayal.settings import Settings


def maker(
    request: Request,
    *,
    settings: Settings,
    progress: Callable[[str, float], None],
    finished: Mapping[int, Picture],
    done: Callable[[int, Picture], None],
    judge: Callable[[str], None] = lambda _: None,
) -> Portrayal:
    """Paint. Words of the prompt direct it: "SLOW" takes 20 s (it can be canceled), "WAIT" 0.4 s, "FAIL" and "CRASH"
    end it, "EXIT" ends the process, "WARN" and "FLAW" warn of all and of each picture."""
    request.check()
    progress("reading the prompt", 0.0)
    size = request.size
    if request.image is not None:
        height, width = decode(request.image, "image").shape[:2]
        size = size or (width, height)
    for who in request.characters:
        decode(who.image, "reference")
    assert size is not None
    seeds = request.seeds()
    pictures = []
    for i, seed in enumerate(seeds):
        if i in finished:
            pictures.append(finished[i])
            continue
        prefix = "" if len(seeds) == 1 else f"picture {i + 1} of {len(seeds)}: "
        progress(prefix + "head", i / len(seeds))
        _obey(request.prompt, lambda fraction, p=prefix, i=i: progress(p + "light", (i + fraction) / len(seeds)))  # type: ignore[misc]
        picture = _painted(request, seed, size)
        done(i, picture)
        pictures.append(picture)
    return Portrayal(
        version=__version__,
        engine="fake",
        operation=request.operation,
        prompt=request.prompt,
        language="en",
        pictures=tuple(pictures),
        warnings=("made by a fake",) if "WARN" in request.prompt else (),
    )


def _obey(prompt: str, tell: Callable[[float], None]) -> None:
    if "FAIL" in prompt:
        raise InvalidRequestError("the fake shall fail", field="prompt", remedy="Ask for something else.")
    if "CRASH" in prompt:
        raise RuntimeError("secret words of the prompt")
    if "EXIT" in prompt:
        os._exit(9)
    end = time.monotonic() + (20.0 if "SLOW" in prompt else 0.4 if "WAIT" in prompt else 0.0)
    while time.monotonic() < end:
        tell(0.5)
        time.sleep(0.02)


def _painted(request: Request, seed: int, size: tuple[int, int]) -> Picture:
    digest = hashlib.sha256(f"{request.described()} {seed}".encode()).digest()
    out = io.BytesIO()
    Image.new("RGB", size, tuple(digest[:3])).save(out, request.output_format.upper())
    score = None
    if request.characters:
        score = IdentityScore(kind="face", distance=0.31, score=0.86, same_person=True, bar=0.45)
    return Picture(
        seed=seed,
        width=size[0],
        height=size[1],
        identity=score,
        data=out.getvalue(),
        format=request.output_format,
        timings={"total": 0.01},
        did="head swapped" if request.operation == "edit" else "",
        mask=request.edit_mask if request.operation == "edit" else None,
        warnings=("painted by a fake",) if "FLAW" in request.prompt else (),
    )
