"""Identifiers that sort by time and cannot be guessed."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH: Final = 26
_RANDOM: Final = 65  # bits behind the number
_COUNT: Final = 15  # bits of the counter inside of one millisecond
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """26 lower-case letters and digits in the ULID's layout.

    48 bits of the time in milliseconds, 15 bits that begin somewhere and count inside of one millisecond, 65 random
    bits. So of two identifiers of one process the later one always sorts after the earlier one, and `number` tells
    them apart.
    """
    global _last
    with _lock:
        fresh = (int(time.time() * 1000) << _COUNT) | secrets.randbits(_COUNT - 1)
        _last = fresh if fresh >> _COUNT > _last >> _COUNT else _last + 1
        number_ = _last
    return _text((number_ << _RANDOM) | secrets.randbits(_RANDOM))


def number(identifier: str) -> int:
    """The first 63 bits of an identifier: an integer with the same order.

    Raises:
        ValueError: it is no identifier.
    """
    if len(identifier) != _LENGTH or identifier[0] > "7":
        raise ValueError("no identifier")
    value = 0
    for letter in identifier:
        if letter not in _VALUES:
            raise ValueError("no identifier")
        value = (value << 5) | _VALUES[letter]
    return value >> _RANDOM


def id_at(seconds: float) -> str:
    """The smallest identifier of that time (seconds since 1970)."""
    milliseconds = min(max(0, int(seconds * 1000)), (1 << 48) - 1)
    return _text(milliseconds << (_COUNT + _RANDOM))


def _text(value: int) -> str:
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -5, -5))
