"""The finished file: PNG with provenance in it."""

from __future__ import annotations

import json
from typing import Any

from portrayal._version import __version__
from portrayal.imaging import read_png_text, with_png_text
from portrayal.request import Request
from portrayal.result import IdentityScore

KEY = "portrayal"


def label(png: bytes, request: Request, seed: int, engine: str, score: IdentityScore | None, metadata: bool) -> bytes:
    """The PNG file; with `metadata`, the request, seed, version and score go into a text chunk named ``portrayal``.

    The chunk holds digests in the place of pictures and no date, so that equal requests give equal bytes.
    """
    if not metadata:
        return png
    values = {
        "version": __version__,
        "engine": engine,
        "seed": seed,
        "request": request.described(),
        "identity": None if score is None else score.model_dump(mode="json"),
    }
    text = json.dumps(values, ensure_ascii=False, sort_keys=True)
    return with_png_text(png, {"Software": f"Portrayal {__version__}", KEY: text})


def provenance(data: bytes) -> dict[str, Any] | None:
    """What `label` wrote into a PNG file, or None."""
    text = read_png_text(data).get(KEY)
    return json.loads(text) if text else None
