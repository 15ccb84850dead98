"""One owner for a file: a lock that ends with the process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, Any

from portrayal.errors import ConflictError


class LockFile:
    """A lock file beside a path."""

    def __init__(self, path: str) -> None:
        self._path = Path(f"{path}.lock")
        self._file: IO[Any] | None = None

    def take(self) -> None:
        """Own it.

        Raises:
            ConflictError: another process owns it.
        """
        self._file = self._path.open("a+b")
        try:
            if sys.platform == "win32":
                import msvcrt

                self._file.seek(0)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            self._file = None
            raise ConflictError(
                f"another server uses {os.fspath(self._path.parent)}",
                remedy="Stop it, or set PORTRAYAL_DATA_DIR to another folder.",
            ) from None

    def free(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None
