"""A saved character as one zip file, to take along or hand over.

``portrayal-character.json`` holds the card and the SHA-256 of every other file: the reference, the masks, the
thumbnail. What was learnt from the face stays on the machine unless it is asked for. An archive comes from anywhere, so
nothing in it is believed: names are compared with a list, sizes are counted while unpacking, digests and pictures are
proved, and the identity is learnt anew from the picture.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrayal.character import cache, card, names, saved
from portrayal.character.card import THUMBNAIL, Card, id_of
from portrayal.errors import ArchiveError, InvalidRequestError, OutputError, PortrayalError
from portrayal.imaging import MAX_BYTES, decode, decode_mask, read_bytes, write_file
from portrayal.masks import normalise
from portrayal.settings import Settings

MANIFEST: Final = "portrayal-character.json"
IDENTITY: Final = "identity.npz"
MAX_ARCHIVE: Final = 256_000_000
MAX_FILES: Final = card.MAX_MASKS + 4
MAX_RATIO: Final = 200  # unpacked / packed; photographs hardly shrink, a plain mask by a hundred
_FREE: Final = 1_000_000  # bytes of a file that may be packed as tightly as they like
_MAX_MANIFEST: Final = 4_000_000
_NAMES: Final = re.compile(r"reference\.(jpg|png|webp|bmp|tif|gif)|mask-[1-9][0-9]?\.png")
_ENTRY: Final = b"PK\x01\x02"  # begins a file's entry in the directory of a zip file
_CHANCE: Final = 20  # times that these bytes may stand in pictures
_REMEDY: Final = "Ask for the file again, or export it anew."


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["portrayal-character"] = "portrayal-character"
    character: dict[str, Any]
    files: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


def export(name: str, target: Path, settings: Settings, *, with_identity: bool = False, replace: bool = False) -> Path:
    """Write a character into a zip file; the same character gives the same bytes.

    Args:
        name: of a saved character.
        target: a file that ends in ``.zip``.
        settings: where the character lies.
        with_identity: also what was learnt of it, with the face descriptor: personal data.
        replace: write over a file of that name.

    Raises:
        UnknownCharacterError, DamagedCharacterError: as for `saved.resolve`; also when an unused mask is damaged.
        OutputError, InvalidRequestError: the file cannot be written, is there already, or has another ending.
    """
    if target.suffix.lower() != ".zip":
        raise InvalidRequestError(f"{target} is no .zip file", field="file", remedy="Name a file that ends in .zip.")
    found = saved.resolve(name, settings)
    if target.exists() and not replace:
        raise OutputError(f"{target} is there already", field="file", remedy="Choose another name, or use --force.")
    write_file(target, packed(found, settings, with_identity=with_identity))
    with contextlib.suppress(OSError):  # some file systems know no modes
        target.chmod(0o600)
    return target


def packed(found: saved.SavedCharacter, settings: Settings, *, with_identity: bool = False) -> bytes:
    """The bytes of the zip file of a character.

    Raises:
        DamagedCharacterError: one of its files is missing or was changed.
    """
    files = {found.card.reference.file: found.reference}
    files |= {m.file: saved.proved(found.folder, m.file, m.sha256, found.name) for m in found.card.masks}
    if found.thumbnail.is_file():
        files[THUMBNAIL] = found.thumbnail.read_bytes()
    if with_identity:
        files[IDENTITY] = _identity(found, settings)
    manifest = {
        "format": "portrayal-character",
        "character": found.card.model_dump(mode="json"),
        "files": {file: saved.sha256(data) for file, data in files.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _put(archive, MANIFEST, (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode())
        for file, data in files.items():
            _put(archive, file, data)
    return out.getvalue()


def import_(
    source: Path | bytes,
    settings: Settings,
    *,
    name: str | None = None,
    replace: bool = False,
    progress: saved.Progress | None = None,
) -> saved.SavedCharacter:
    """Save the character of a zip file; nothing is written unless all of it is sound.

    Args:
        source: the file, or its bytes.
        settings: where to.
        name: another name than the one in the archive.
        replace: put it in the place of a character of that name.
        progress: called with a stage and a fraction 0..1.

    Raises:
        ArchiveError: it is no archive of a character, is damaged, or holds what does not belong there.
        ImageReadError: the file cannot be read.
        InvalidRequestError: the name is not allowed or is taken.
        NoSubjectError, OutputError: as for `saved.add`.
    """
    data = read_bytes(source, "file") if isinstance(source, Path) else source
    wanted = None if name is None else names.checked(name)
    if wanted is not None:
        saved.refuse_taken(wanted, settings, replace)
    found, files = unpacked(data)
    called = wanted or found.name
    saved.refuse_taken(called, settings, replace)
    found = found.model_copy(update={"name": called, "id": id_of(called)})
    masks = [files[m.file] for m in found.masks]
    return saved.install(found, files[found.reference.file], masks, settings, replace=replace, progress=progress)


def unpacked(data: bytes) -> tuple[Card, dict[str, bytes]]:
    """The card and the files of an archive, all proved.

    Raises:
        ArchiveError: names what is wrong.
    """
    if len(data) > MAX_ARCHIVE:
        raise _refused(f"is larger than {MAX_ARCHIVE // 1_000_000} MB")
    # Counted before `zipfile` makes an object of each: millions fit into an archive.
    if (entries := data.count(_ENTRY)) > MAX_FILES + _CHANCE:
        raise _refused(f"holds {entries} files, at most {MAX_FILES} belong there")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = _unzipped(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError, RuntimeError) as error:
        raise _refused(f"is no zip file that can be read ({_short(error)})") from None
    found, digests = _manifest(files.pop(MANIFEST, None))
    named = {found.reference.file: found.reference.sha256} | {m.file: m.sha256 for m in found.masks}
    for file, digest in (named | digests).items():
        if file not in files:
            raise _refused(f"lacks {file}")
        if saved.sha256(files[file]) != digest or named.get(file, digest) != digests.get(file):
            raise _refused(f"holds a {file} that was changed or damaged")
    if extra := sorted(files.keys() - digests.keys()):
        raise _refused(f"holds {extra[0]}, which it does not list")
    _check_pictures(found, files)
    return found, files


def _identity(found: saved.SavedCharacter, settings: Settings) -> bytes:
    """What was learnt, as the cache would keep it."""
    from portrayal.character.learning import study

    known = study(found.reference, mask=found.mask, use_cache=settings.cache, cache_dir=settings.cache_dir)
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        if not cache.store(known, Path(folder)):
            raise OutputError(
                "cannot write a temporary file", field="identity", remedy="Free some space in the temporary folder."
            )
        return next(cache.folder(Path(folder)).glob("*.npz")).read_bytes()


def _put(archive: zipfile.ZipFile, file: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(file)  # dated 1980, so that equal characters give equal archives
    entry.external_attr = 0o600 << 16
    entry.create_system = 3
    entry.compress_type = zipfile.ZIP_DEFLATED if file.endswith((".json", ".bmp", ".tif")) else zipfile.ZIP_STORED
    archive.writestr(entry, data)


def _unzipped(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """All files of a zip, counted while they unpack: what its directory says may be a lie."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise _refused(f"holds {len(entries)} files, at most {MAX_FILES} belong there")
    files: dict[str, bytes] = {}
    left = 2 * MAX_ARCHIVE
    for entry in entries:
        name = entry.filename
        if name not in (MANIFEST, THUMBNAIL, IDENTITY) and not _NAMES.fullmatch(name):
            raise _refused(f"holds {_short(name)!r}, which does not belong there")
        if name in files:
            raise _refused(f"holds {name} twice")
        if entry.flag_bits & 1:
            raise _refused("is locked with a password")
        most = min(_MAX_MANIFEST if name == MANIFEST else MAX_BYTES, left)
        most = min(most, max(_FREE, MAX_RATIO * entry.compress_size))
        if entry.file_size > most:
            raise _refused(f"holds {name}, which unpacks to {entry.file_size} bytes")
        with archive.open(entry) as stream:
            files[name] = stream.read(most + 1)
        if len(files[name]) > most:
            raise _refused(f"holds {name}, which unpacks to more than {most} bytes")
        left -= len(files[name])
    return files


def _manifest(data: bytes | None) -> tuple[Card, dict[str, str]]:
    if data is None:
        raise _refused(f"lacks {MANIFEST}: it is no exported character")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise _refused(f"holds a {MANIFEST} that is no JSON") from None
    try:
        manifest = _Manifest.model_validate(values)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
        raise _refused(f"holds a {MANIFEST} that is not understood ({_short(where) or 'not an object'})") from None
    try:
        return card.parsed(manifest.character), manifest.files
    except ValueError as error:
        remedy = "Update Portrayal." if "newer" in str(error) else _REMEDY
        raise _refused(f"holds a card that {error}", remedy) from None


def _check_pictures(found: Card, files: dict[str, bytes]) -> None:
    """Every picture is decoded before anything is written."""
    file = found.reference.file
    try:
        height, width = decode(files[file], "file").shape[:2]
        for version in found.masks:
            file = version.file
            normalise(decode_mask(files[file], "file"), (width, height), field="file")
        if THUMBNAIL in files:
            file = THUMBNAIL
            decode(files[file], "file", least=1)
    except PortrayalError as error:
        raise _refused(f"holds a {file} that is no use: {error.message}") from None


def _refused(what: str, remedy: str = _REMEDY) -> ArchiveError:
    return ArchiveError(f"the archive {what}", field="file", remedy=remedy)


def _short(value: object) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
