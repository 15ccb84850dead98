"""Freed memory is kept for the next picture.

A picture passes through some hundred arrays of 4 to 32 MB, each of which lives for milliseconds. The C library of Linux
gives such memory back to the system at once, and the system hands it out again page by page, each filled with zeros:
an eighth of the time of a dressed portrait (docs/benchmarks.md).
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

# From <malloc.h> of glibc, see mallopt(3).
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_MB: Final = 1 << 20
# glibc takes no threshold over 32 MB.
_LARGEST: Final = 32 * _MB
_KEPT: Final = 256 * _MB


def keep() -> bool:
    """Keep freed memory in this process, up to 256 MB in each of two arenas; returns whether the C library can (glibc
    can). Threads share the arenas: with one for each, as usual, a server would keep that for each of its threads.

    For whoever owns the process: the command line and its server call it, the library does not.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    wishes = ((_M_ARENA_MAX, 2), (_M_MMAP_THRESHOLD, _LARGEST), (_M_TRIM_THRESHOLD, _KEPT))
    done = [mallopt(ctypes.c_int(name), ctypes.c_int(value)) == 1 for name, value in wishes]
    return all(done)
