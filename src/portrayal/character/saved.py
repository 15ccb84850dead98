"""Characters that are kept under a name: one folder each, whole or not at all, readable by its owner alone.

A folder ``characters/<id>/`` of the data folder holds ``character.json`` (a `Card`), the reference as it was given,
``mask-1.png``, ``mask-2.png``, ... and a thumbnail. The id follows from the name, so that the file system itself keeps
names apart and a character is found without a search. Identity maps are not here but in the cache: they can be learnt
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from portrayal.character import card, folders, names
from portrayal.character.card import THUMBNAIL, Card, id_of
from portrayal.errors import DamagedCharacterError, InvalidRequestError, PortrayalError, UnknownCharacterError
from portrayal.settings import Settings

CARD: Final = "character.json"
_LIST: Final = "`portrayal character list` shows all."

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class SavedCharacter:
    """A saved character, its files read and proved.

    Attributes:
        card: what is known of it; folder: where it lies.
        reference: bytes of the picture as it was given.
        mask: PNG bytes of the mask that is used, white = belongs to the character; None = face and hair.
    """

    card: Card
    folder: Path
    reference: bytes
    mask: bytes | None

    @property
    def name(self) -> str:
        """The name, as it was spelt when it was saved."""
        return self.card.name

    @property
    def thumbnail(self) -> Path:
        """A small picture of the face or subject."""
        return self.folder / THUMBNAIL


@dataclass(frozen=True)
class Listed:
    """One entry of the list: its card, or what is wrong with it."""

    name: str
    folder: Path
    card: Card | None
    problem: str = ""


def base_folder(settings: Settings) -> Path:
    """Where the saved characters lie."""
    return settings.data_dir / "characters"


def add(
    name: str,
    picture: bytes,
    settings: Settings,
    *,
    mask: bytes | None = None,
    notes: str = "",
    tags: Sequence[str] = (),
    replace: bool = False,
    progress: Progress | None = None,
) -> SavedCharacter:
    """Save a character: the picture is studied, a thumbnail made, all written at once.

    Args:
        name: 1 to 40 letters, digits, ``-``, ``_``; upper and lower case are the same name.
        picture: bytes of a picture file; kept as they are.
        settings: where to.
        mask: bytes of a mask of the picture's size, white = belongs to the character.
        notes: free text, up to 10000 characters.
        tags: up to 50 of up to 40 characters.
        replace: put it in the place of a character of that name.
        progress: called with a stage and a fraction 0..1.

    Raises:
        InvalidRequestError: the name is not allowed or is taken; notes or tags are not allowed.
        ImageReadError, ImageTooLargeError, ImageTooSmallError, MaskMismatchError, NoSubjectError: as for `study`.
        OutputError: the data folder cannot be written.
    """
    name = names.checked(name)
    refuse_taken(name, settings, replace)
    new = card.made(
        schema_version=card.SCHEMA,
        id=id_of(name),
        name=name,
        kind="person",
        notes=notes,
        tags=list(dict.fromkeys(" ".join(t.split()) for t in tags)),
        created=now(),
        reference={"file": f"reference.{extension(picture)}", "sha256": sha256(picture)},
    )
    if mask is not None:
        new = with_mask(new, prepared(picture, mask), "")
    masks = () if mask is None else (prepared(picture, mask),)
    return install(new, picture, masks, settings, replace=replace, progress=progress)


def install(
    new: Card,
    picture: bytes,
    masks: Sequence[bytes],
    settings: Settings,
    *,
    replace: bool = False,
    progress: Progress | None = None,
) -> SavedCharacter:
    """Study and write a character whose card is known; `masks` in the order of the card's versions.

    Raises:
        PortrayalError: as for `add`.
    """
    files = {version.file: data for version, data in zip(new.masks, masks, strict=True)}
    used = new.mask_file()
    mask = None if used is None else files[used.file]
    kind, thumbnail = learnt(picture, mask, settings, progress)
    new = new.model_copy(update={"kind": kind})
    files |= {new.reference.file: picture, THUMBNAIL: thumbnail, CARD: new.text()}
    folder = folders.create(settings, new.id, files, replace)
    if folder is None:
        raise _taken(new.name)
    return SavedCharacter(new, folder, picture, mask)


def refuse_taken(name: str, settings: Settings, replace: bool = False) -> None:
    """Before any work: is the name free?

    Raises:
        InvalidRequestError: a character of that name is saved, and shall not be replaced.
    """
    if not replace and folders.find(settings, id_of(name)) is not None:
        raise _taken(name)


def resolve(name: str, settings: Settings) -> SavedCharacter:
    """The saved character of a name, with or without ``@``; its files are proved against their digests.

    Raises:
        UnknownCharacterError: no character has that name; the message names the nearest ones.
        DamagedCharacterError: its files are missing or were changed.
    """
    folder = _found(name, settings)
    try:
        return _read(folder, name)
    except DamagedCharacterError:  # or another program replaced it just now: look again while nobody writes
        with folders.waiting(settings):
            return _read(folder, name)


def known_names(settings: Settings) -> tuple[str, ...]:
    """All names, as they were spelt; of damaged characters too, where their name can still be read."""
    return tuple(sorted((_name_in(folder) for folder in folders.every(settings)), key=names.key))


def listed(settings: Settings) -> tuple[Listed, ...]:
    """All saved characters by name; damaged ones with what is wrong."""
    found = []
    for folder in folders.every(settings):
        name = _name_in(folder)
        try:
            known = _read_card(folder, name)
            files = [(known.reference.file, known.reference.sha256), *((m.file, m.sha256) for m in known.masks)]
            for file, digest in files:
                proved(folder, file, digest, known.name)
            found.append(Listed(known.name, folder, known))
        except DamagedCharacterError as error:
            found.append(Listed(name, folder, None, error.message))
    return tuple(sorted(found, key=lambda entry: names.key(entry.name)))


def add_mask(
    name: str, mask: bytes, settings: Settings, *, note: str = "", progress: Progress | None = None
) -> SavedCharacter:
    """Add a version of the character mask, and use it.

    Raises:
        MaskMismatchError: another size than the picture, or nothing is chosen.
        InvalidRequestError: there are 99 versions already.
        PortrayalError: as for `resolve`.
    """
    saved = resolve(name, settings)
    data = prepared(saved.reference, mask)
    with_mask(saved.card, data, note)  # a note that is not allowed is refused before the work
    return _changed(saved, lambda known: with_mask(known, data, note), {sha256(data): data}, settings, progress)


def use_mask(name: str, version: int, settings: Settings, *, progress: Progress | None = None) -> SavedCharacter:
    """Use another version of the mask; 0 is the automatic one.

    Raises:
        InvalidRequestError: there is no such version.
        PortrayalError: as for `resolve`.
    """
    saved = resolve(name, settings)
    if version and version not in (m.version for m in saved.card.masks):
        have = ", ".join(str(m.version) for m in saved.card.masks)
        raise InvalidRequestError(
            f"{saved.name} has no version {version} of its mask",
            field="use",
            remedy=f"There {f'are {have}, and ' if have else 'is only '}0, the automatic mask.",
        )
    return _changed(saved, lambda known: known.model_copy(update={"mask_used": version}), {}, settings, progress)


def remove(name: str, settings: Settings) -> str:
    """Delete a character and everything that was learnt from it; returns its name. Damaged ones too, also by id.

    Raises:
        UnknownCharacterError: no character has that name.
        OutputError: it cannot be deleted.
    """
    from portrayal.character import cache

    folder = _found(name, settings)
    shown, digests = _name_in(folder), _map_digests(folder)
    folders.delete(settings, folder)
    for digest in digests:
        cache.forget(digest, settings.cache_dir)
    return shown


# Changes.


def _changed(
    saved: SavedCharacter,
    change: Callable[[Card], Card],
    new: dict[str, bytes],
    settings: Settings,
    progress: Progress | None,
) -> SavedCharacter:
    """Change the card and write what is `new` (digest -> bytes of a mask)."""
    expected = change(saved.card)
    used = expected.mask_file()
    mask = None if used is None else new.get(used.sha256) or _used_mask(saved.folder, expected)
    _, thumbnail = learnt(saved.reference, mask, settings, progress)
    with folders.changing(settings):
        now = _read_card(saved.folder, saved.name)  # again: another program may have changed it meanwhile
        if now.reference != saved.card.reference:
            raise InvalidRequestError("the character was replaced meanwhile", field="name", remedy="Try again.")
        done = change(now)
        for file in done.masks:
            if file not in now.masks:
                folders.write(saved.folder / file.file, new[file.sha256])
        folders.write(saved.folder / THUMBNAIL, thumbnail)
        folders.write(saved.folder / CARD, done.text())
    return SavedCharacter(done, saved.folder, saved.reference, mask)


def with_mask(known: Card, data: bytes, note: str) -> Card:
    """The card with one more version of the mask, which is used."""
    number = max((m.version for m in known.masks), default=0) + 1
    if number > card.MAX_MASKS:
        raise InvalidRequestError(
            f"{known.name} has {number - 1} versions already",
            field="mask",
            remedy="Save the picture under another name.",
        )
    version = {
        "version": number,
        "file": f"mask-{number}.png",
        "sha256": sha256(data),
        "note": note,
        "created": now(),
    }
    values = known.model_dump()
    return card.made(**{**values, "masks": [*values["masks"], version], "mask_used": number})


# Reading.


def _found(name: str, settings: Settings) -> Path:
    """The folder of a name or id."""
    bare = name.strip().removeprefix("@").removeprefix("＠")
    folder = folders.find(settings, id_of(bare))
    if folder is None and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bare):
        folder = folders.find(settings, bare)
    if folder is None:
        raise unknown(bare, known_names(settings))
    return folder


def unknown(name: str, known: Sequence[str]) -> UnknownCharacterError:
    """The error for a name that nobody has; it names those that are spelt alike."""
    near = names.nearest(name, known)
    meant = f"Did you mean {' or '.join(f'@{n}' for n in near)}? " if near else ""
    if not known:
        return UnknownCharacterError(
            f"no character @{name} is saved",
            field="character",
            remedy="Save one first: `portrayal character add NAME PICTURE`.",
        )
    return UnknownCharacterError(f"no character @{name} is saved", field="character", remedy=meant + _LIST)


def _taken(name: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"a character @{name} is saved already", field="name", remedy="Choose another name, or use --force."
    )


def _damaged(name: str, what: str) -> DamagedCharacterError:
    return DamagedCharacterError(
        f"the saved character {name} is damaged: {what}",
        field="character",
        remedy=f"Put the file back, or run `portrayal character remove {name}` and add or import it again.",
    )


def _read_card(folder: Path, name: str) -> Card:
    name = name or folder.name
    try:
        known = card.parsed((folder / CARD).read_bytes())
    except FileNotFoundError:
        raise _damaged(name, f"{CARD} is missing") from None
    except OSError as error:
        raise _damaged(name, f"{CARD} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise _damaged(name, f"{CARD} {error}") from None
    if id_of(known.name) != folder.name or known.id != folder.name:
        raise _damaged(name, f"{CARD} belongs to another character")
    return known


def proved(folder: Path, file: str, digest: str, name: str) -> bytes:
    """The bytes of a character's file, if they are those that were saved.

    Raises:
        DamagedCharacterError: it is missing, unreadable or was changed.
    """
    try:
        data = (folder / file).read_bytes()
    except FileNotFoundError:
        raise _damaged(name, f"{file} is missing") from None
    except OSError as error:
        raise _damaged(name, f"{file} cannot be read ({error.strerror})") from None
    if sha256(data) != digest:
        raise _damaged(name, f"{file} was changed")
    return data


def _read(folder: Path, name: str) -> SavedCharacter:
    known = _read_card(folder, name)
    picture = proved(folder, known.reference.file, known.reference.sha256, known.name)
    return SavedCharacter(known, folder, picture, _used_mask(folder, known))


def _used_mask(folder: Path, known: Card) -> bytes | None:
    mask = known.mask_file()
    return None if mask is None else proved(folder, mask.file, mask.sha256, known.name)


def _name_in(folder: Path) -> str:
    """The name on a card, also on a damaged one if it fits the folder; else the id."""
    with contextlib.suppress(OSError, ValueError):
        text = (folder / CARD).read_bytes()
        with contextlib.suppress(ValueError):
            return card.parsed(text).name
        found = re.search(r'"name":\s*"([^"\\]{1,80})"', text.decode())
        if found and id_of(found[1]) == folder.name:
            return found[1]
    return folder.name


# Learning.


def learnt(picture: bytes, mask: bytes | None, settings: Settings, progress: Progress | None) -> tuple[str, bytes]:
    """(kind, thumbnail file). The identity map goes into the cache: the first use of the name is quick."""
    from portrayal.character.learning import study
    from portrayal.character.thumbnail import thumbnail

    known = study(picture, mask=mask, use_cache=settings.cache, cache_dir=settings.cache_dir, progress=progress)
    return known.kind, thumbnail(known)


def extension(picture: bytes) -> str:
    """The usual ending of a picture's format.

    Raises:
        ImageReadError, ImageTooLargeError, ImageTooSmallError: as for `imaging.decode`.
    """
    from PIL import Image

    from portrayal.imaging import decode

    decode(picture, "reference")
    with Image.open(io.BytesIO(picture)) as image:
        name = image.format or ""
    return {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif"}.get(name, name.lower())


def prepared(picture: bytes, mask: bytes) -> bytes:
    """A mask in the internal form, as PNG.

    Raises:
        ImageReadError: it is no picture.
        MaskMismatchError: another size than the picture, or nothing is chosen.
    """
    from PIL import Image

    from portrayal.imaging import decode, decode_mask
    from portrayal.masks import normalise

    height, width = decode(picture, "reference").shape[:2]
    out = io.BytesIO()
    Image.fromarray(normalise(decode_mask(mask, "mask"), (width, height))).save(out, "PNG")
    return out.getvalue()


def _map_digests(folder: Path) -> set[str]:
    """Digests of all identity maps that may have been learnt: of the picture alone, and with each mask."""
    found: set[str] = set()
    with contextlib.suppress(PortrayalError):
        found.add(_read_card(folder, "").reference.sha256)
    for reference in folder.glob("reference.*"):
        with contextlib.suppress(OSError):
            picture = reference.read_bytes()
            found.add(sha256(picture))
            found.update(sha256(picture + mask.read_bytes()) for mask in folder.glob("mask-*.png"))
    return found


def now() -> datetime:
    """The time, in whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def sha256(data: bytes) -> str:
    """The digest of a file, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
