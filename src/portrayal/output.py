"""Where pictures are saved: one file, or numbered files in a folder. An input is never replaced by accident."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from portrayal.errors import InvalidRequestError, OutputError
from portrayal.request import OutputFormat
from portrayal.result import Portrayal

FORMATS: Final[dict[str, OutputFormat]] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
"""The format of a file, by the end of its name; every other name is a folder."""
_SUFFIXES: Final[dict[OutputFormat, str]] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_NOT_WRITTEN: Final = {".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".jxl", ".svg", ".psd"}
_NAMES: Final = "Name a .png, .jpg or .webp file, or a folder."


def prepare(output: Path, pictures: int, *, force: bool = False, inputs: Iterable[Path] = ()) -> Path:
    """Check, before any work is done, that the output can be written.

    A name that ends in ``.png``, ``.jpg``, ``.jpeg`` or ``.webp`` is a file; everything else is a folder. A file that
    is there already is replaced, unless it is one of the inputs.

    Args:
        output: the file or folder.
        pictures: how many are to be saved.
        force: allow to replace an input.
        inputs: the files that the pictures are made from.

    Raises:
        InvalidRequestError: another picture format, which is not written.
        OutputError: the place cannot be written, or holds an input.
    """
    suffix = output.suffix.lower()
    if output.name.lower() in FORMATS:
        raise InvalidRequestError("no name is given", field="output", remedy=_NAMES)
    if suffix in _NOT_WRITTEN:
        raise InvalidRequestError(f"{suffix} files are not written", field="output", remedy=_NAMES)
    single = suffix in FORMATS
    if single and output.is_dir():
        raise OutputError(f"{output} is a folder", field="output", remedy="Name a file or another folder.")
    if not single and output.is_file():
        raise OutputError(f"{output} is a file", field="output", remedy=_NAMES)
    folder = output.parent if single else output
    existing = next((p for p in (folder, *folder.absolute().parents) if p.exists()), Path("/"))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} cannot be written", field="output", remedy="Choose another place.")
    if single and not force:
        for path in _files(output, pictures):
            _keep(path, tuple(inputs))
    return output


def save(result: Portrayal, output: Path, *, force: bool = False, inputs: Iterable[Path] = ()) -> Portrayal:
    """Save all pictures; several ones, or a folder, get names with their number or seed.

    In a folder an input is never replaced: the picture gets another number behind its seed.

    Args:
        result: pictures of the format that the name of `output` says, when it is a file.
        output, force, inputs: as for `prepare`.

    Raises:
        OutputError: when one cannot be written, or is an input; those written before are removed again.
    """
    kept = () if force else tuple(inputs)
    if output.suffix.lower() in FORMATS:
        paths = _files(output, len(result.pictures))
        for path in paths:
            _keep(path, kept)
    else:
        paths = [_free(output / f"portrayal-{p.seed:010d}{_SUFFIXES[p.format]}", kept) for p in result.pictures]
    saved = []
    for picture, path in zip(result.pictures, paths, strict=True):
        try:
            saved.append(picture.save(path))
        except OutputError:
            for other in saved:
                if other.path:
                    other.path.unlink(missing_ok=True)
            raise
    return result.model_copy(update={"pictures": tuple(saved)})


def _files(output: Path, pictures: int) -> list[Path]:
    if pictures == 1:
        return [output]
    return [output.with_name(f"{output.stem}-{i + 1}{output.suffix}") for i in range(pictures)]


def _free(path: Path, inputs: Sequence[Path]) -> Path:
    """The path, or the next one with a number that is no input."""
    tried, number = path, 1
    while _is_one_of(tried, inputs):
        number += 1
        tried = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return tried


def _keep(path: Path, inputs: Sequence[Path]) -> None:
    if _is_one_of(path, inputs):
        raise OutputError(
            f"{path} is one of the inputs", field="output", remedy="Name another file, or allow it with --force."
        )


def _is_one_of(path: Path, inputs: Sequence[Path]) -> bool:
    """Whether a path leads to one of the inputs: by another spelling, through links, or as a second name of it."""
    for given in inputs:
        try:
            if os.path.samefile(path, given):
                return True
        except OSError:  # one of them does not exist (yet)
            continue
    return False
