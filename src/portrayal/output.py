"""Where pictures are saved: one file, or numbered files in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from portrayal.errors import InvalidRequestError, OutputError
from portrayal.result import Portrayal


def prepare(output: Path, pictures: int) -> Path:
    """Check, before any work is done, that the output can be written.

    A name that ends in ``.png`` is a file; everything else is a folder.

    Raises:
        InvalidRequestError: another picture format, which is not written.
        OutputError: the place cannot be written.
    """
    suffix = output.suffix.lower()
    if output.name.lower() == ".png":
        raise InvalidRequestError("no name is given", field="output", remedy="Name a .png file or a folder.")
    if suffix in {".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}:
        raise InvalidRequestError(
            f"{suffix} files are not written", field="output", remedy="Name a .png file or a folder."
        )
    if suffix == ".png" and output.is_dir():
        raise OutputError(f"{output} is a folder", field="output", remedy="Name a file or another folder.")
    if suffix != ".png" and output.is_file():
        raise OutputError(f"{output} is a file", field="output", remedy="Name a .png file or a folder.")
    folder = output.parent if suffix == ".png" else output
    existing = next((p for p in (folder, *folder.absolute().parents) if p.exists()), Path("/"))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} cannot be written", field="output", remedy="Choose another place.")
    return output


def save(result: Portrayal, output: Path) -> Portrayal:
    """Save all pictures; several ones, or a folder, get names with their seed.

    Raises:
        OutputError: when one cannot be written; those written before are removed again.
    """
    saved = []
    single = output.suffix.lower() == ".png"
    for i, picture in enumerate(result.pictures):
        if not single:
            path = output / f"portrayal-{picture.seed:010d}.png"
        elif len(result.pictures) == 1:
            path = output
        else:
            path = output.with_name(f"{output.stem}-{i + 1}{output.suffix}")
        try:
            saved.append(picture.save(path))
        except OutputError:
            for other in saved:
                if other.path:
                    other.path.unlink(missing_ok=True)
            raise
    return result.model_copy(update={"pictures": tuple(saved)})
