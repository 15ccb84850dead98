"""Identifiers that sort by time and cannot be guessed."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """26 lower-case letters and digits: 48 bits of the time in milliseconds, 80 random bits (the ULID's layout)."""
    return _text((int(time.time() * 1000) << 80) | secrets.randbits(80))


def id_at(seconds: float) -> str:
    """The smallest identifier of that time (seconds since 1970)."""
    return _text(int(max(seconds, 0.0) * 1000) << 80)


def _text(value: int) -> str:
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -5, -5))
