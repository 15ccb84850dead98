"""Folders of saved characters on disk: private, whole or not at all, safe when several programs write at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from portrayal.errors import OutputError
from portrayal.settings import Settings

_STALE: Final = 24 * 3600.0  # seconds after which a half-built folder was left by a program that died
_ASIDE: Final = ".replaced-"


def base(settings: Settings) -> Path:
    """Where the saved characters lie."""
    return settings.data_dir / "characters"


def every(settings: Settings) -> list[Path]:
    """The folders of all characters."""
    try:
        inside = [p.name for p in base(settings).iterdir()]
    except OSError:
        return []
    ids = {name.removeprefix(_ASIDE) for name in inside if name.startswith(_ASIDE) or not name.startswith(".")}
    return sorted(folder for id_ in ids if (folder := find(settings, id_)) is not None)


def find(settings: Settings, id_: str) -> Path | None:
    """The folder of an id."""
    folder = base(settings) / id_
    return folder if folder.is_dir() else _restored(folder)


def create(settings: Settings, id_: str, files: Mapping[str, bytes], replace: bool) -> Path | None:
    """Write a folder beside and rename it into place; None when there is one already and it shall not be replaced.

    Raises:
        OutputError: it cannot be written; nothing is left then.
    """
    folder = base(settings) / id_
    with writing(settings):
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            for file, data in files.items():
                write(temporary / file, data)
            with _locked(folder.parent):
                if not folder.exists():
                    os.rename(temporary, folder)
                elif replace:
                    _exchange(temporary, folder)
                else:
                    return None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def delete(settings: Settings, folder: Path) -> None:
    """Delete a character's folder.

    Raises:
        OutputError: it cannot be deleted.
    """
    with writing(settings), _locked(folder.parent):
        trash = folder.with_name(f".trash-{uuid.uuid4()}")
        os.rename(folder, trash)
        shutil.rmtree(trash)


@contextlib.contextmanager
def changing(settings: Settings) -> Iterator[None]:
    """For reading a card, changing it and writing it again: one program at a time.

    Raises:
        OutputError: the data folder cannot be written.
    """
    with writing(settings), _locked(base(settings)):
        yield


@contextlib.contextmanager
def waiting(settings: Settings) -> Iterator[None]:
    """For reading while no other program writes; where nobody can write, nobody needs to be waited for."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(_locked(base(settings)))
        yield


@contextlib.contextmanager
def writing(settings: Settings) -> Iterator[None]:
    """Make the data folder, private; turn what the system says against writing into one clear error.

    Raises:
        OutputError: the data folder cannot be written.
    """
    place = base(settings)
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.mkdir(exist_ok=True, mode=0o700)
        place.chmod(0o700)
        _sweep(place)
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot write {place}: {reason}",
            field="data_dir",
            remedy="Free some space, or name another folder in PORTRAYAL_DATA_DIR.",
        ) from None


def write(path: Path, data: bytes) -> None:
    """Write a file of a character whole or not at all, mode 0600."""
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)  # 0600 by itself
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _exchange(new: Path, folder: Path) -> None:
    """Put one folder in the place of another. A program that dies in between leaves the old one to `_restored`."""
    aside = folder.with_name(f"{_ASIDE}{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(folder, aside)
    try:
        os.rename(new, folder)
    except OSError:
        os.rename(aside, folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _restored(folder: Path) -> Path | None:
    """A folder that a program took aside and died; None when there is nothing like that."""
    aside = folder.with_name(f"{_ASIDE}{folder.name}")
    if not aside.is_dir():
        return folder if folder.is_dir() else None
    with contextlib.suppress(OSError), _locked(folder.parent):
        if aside.is_dir() and not folder.exists():
            os.rename(aside, folder)
    return folder if folder.is_dir() else None


def _sweep(place: Path) -> None:
    """Delete what programs left that were killed while they wrote."""
    for pattern in (".new-*", ".trash-*"):
        for left in place.glob(pattern):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE:
                    shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Wait until no other program, and no other thread, changes this folder."""
    handle = os.open(place / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)  # freed when the handle is closed, also by a crash
        yield
    finally:
        os.close(handle)
