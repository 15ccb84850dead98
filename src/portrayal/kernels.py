"""How kernels are compiled: the options of every new `numba.njit`, in one place, because compilation is waited for.

- ``@njit(**KERNEL)``: called from Python over a band of rows (see `portrayal.parallel.bands`); its machine code is
  kept on disk.
- ``@njit(**HELPER)``: called from kernels alone. It has no entry for Python and no file of its own: both cost time, and
  nobody would use them.

Numba compiles a function anew for every *literal* number or truth value that a caller hands over: write
``np.int64(2)`` for a number that a helper takes as an argument, and start counters with ``np.int64(0)``.
``error_model="numpy"``: a division by zero is infinite, not an exception; the code for the exceptions is left out.
"""

from __future__ import annotations

from typing import Any, Final

HELPER: Final[dict[str, Any]] = {
    "nogil": True,
    "fastmath": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
KERNEL: Final[dict[str, Any]] = {
    "nogil": True,
    "fastmath": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "cache": True,
}
