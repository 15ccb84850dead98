"""Portrayal: one reference image and a prompt in, the same person in new pictures out.

>>> import portrayal
>>> result = portrayal.generate(reference="me.jpg", prompt="a portrait in a coffee shop")  # doctest: +SKIP
>>> result.pictures[0].identity.distance  # doctest: +SKIP
0.17

Importing this package loads nothing heavy; the first call does.
"""

from __future__ import annotations

from portrayal._version import __version__
from portrayal.verbs import (
    describe,
    edit,
    generate,
    reframe,
    remix,
    remove_background,
    replace_background,
    study,
    upscale,
    verify,
)

__all__ = [
    "__version__",
    "describe",
    "edit",
    "generate",
    "reframe",
    "remix",
    "remove_background",
    "replace_background",
    "study",
    "upscale",
    "verify",
]
