"""``portrayal character ...``: characters that are saved once and used everywhere as ``@name``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from portrayal.cli.remote import Key, Server, client
from portrayal.cli.shared import Json, out, progress_bar, say

if TYPE_CHECKING:
    from portrayal.character.card import Card
    from portrayal.character.saved import SavedCharacter
    from portrayal.client import Character, Client

characters_app = typer.Typer(
    help="Save characters under a name, and use them in every prompt as @name.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="Name of a saved character.", show_default=False)]
Replace = Annotated[bool, typer.Option("--force", help="Replace a character of that name.")]


@characters_app.command()
def add(
    name: Annotated[str, typer.Argument(help="1 to 40 letters, digits, - or _.", show_default=False)],
    picture: Annotated[
        Path, typer.Argument(help="Picture of the character; only of people who agreed.", show_default=False)
    ],
    mask: Annotated[Path | None, typer.Option(help="White = belongs to the character.")] = None,
    notes: Annotated[str, typer.Option(help="Free text.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="May be given several times.")] = None,
    force: Replace = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Save a character."""
    if server:
        made = client(server, key).characters.add(name, picture, mask=mask, notes=notes, tags=tag or (), replace=force)
        _told(made, as_json, f"saved @{made.name}")
        return
    from portrayal.character import names, saved
    from portrayal.imaging import read_bytes
    from portrayal.settings import Settings

    settings = Settings()
    saved.refuse_taken(names.checked(name), settings, force)
    data = read_bytes(picture, "reference")
    chosen = None if mask is None else read_bytes(mask, "mask")
    with progress_bar(as_json, (picture, "reference"), (mask, "mask")) as progress:
        character = saved.add(
            name, data, settings, mask=chosen, notes=notes, tags=tag or (), replace=force, progress=progress
        )
    _done(character, as_json, f"saved @{character.name}")


@characters_app.command("list")
def list_(as_json: Json = False, server: Server = None, key: Key = None) -> None:
    """List all saved characters."""
    if server:
        _list_remote(client(server, key), as_json)
        return
    from portrayal.character.saved import listed
    from portrayal.settings import Settings

    entries = listed(Settings())
    if as_json:
        rows = [
            {"ok": True, **_facts(e.card.model_dump(mode="json"), e.folder)}
            if e.card
            else {"ok": False, "name": e.name, "folder": str(e.folder), "problem": e.problem}
            for e in entries
        ]
        out(json.dumps({"characters": rows}, ensure_ascii=False))
        return
    width = max((len(e.name) for e in entries), default=0) + 1
    for entry in entries:
        if entry.card is None:
            out(f"{'@' + entry.name:<{width}}  DAMAGED: {entry.problem}")
            continue
        out(_line(entry.card, width))
    if not entries:
        say("no character is saved yet; `portrayal character add NAME PICTURE` saves one")


@characters_app.command()
def show(name: Name, as_json: Json = False, server: Server = None, key: Key = None) -> None:
    """Show what is known of a character: its study, advice, masks, thumbnail."""
    if server:
        _show_remote(client(server, key).characters.get(name), as_json)
        return
    from portrayal.bench.study_sheet import facts
    from portrayal.character import study
    from portrayal.character.saved import resolve
    from portrayal.settings import Settings

    settings = Settings()
    character = resolve(name, settings)
    with progress_bar(as_json) as progress:
        known = study(
            character.reference,
            mask=character.mask,
            use_cache=settings.cache,
            cache_dir=settings.cache_dir,
            progress=progress,
        )
    values = _facts(character.card.model_dump(mode="json"), character.folder)
    values["study"] = facts(known)
    if as_json:
        out(json.dumps(values, ensure_ascii=False))
        return
    _lines(values)


@characters_app.command("mask")
def mask_(
    name: Name,
    mask: Annotated[Path | None, typer.Option(help="A new version; white = belongs to the character.")] = None,
    use: Annotated[int | None, typer.Option(help="Use this version; 0 = the automatic mask.", min=0)] = None,
    note: Annotated[str, typer.Option(help="What the new version is for.")] = "",
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Add a version of a character's mask, or choose one."""
    from portrayal.character import saved
    from portrayal.errors import InvalidRequestError
    from portrayal.imaging import read_bytes
    from portrayal.settings import Settings

    if (mask is None) == (use is None):
        what = "neither --mask nor --use is given" if mask is None else "--mask and --use are both given"
        raise InvalidRequestError(what, field="mask", remedy="Give one of them.")
    if server:
        there = client(server, key).characters
        changed = there.use_mask(name, use or 0) if mask is None else there.add_mask(name, mask, note=note)
        _told(changed, as_json, f"@{changed.name} uses {_used(changed.mask_used)}")
        return
    settings = Settings()
    if mask is not None:
        data = read_bytes(mask, "mask")
        saved.resolve(name, settings)
        with progress_bar(as_json, (mask, "mask")) as progress:
            character = saved.add_mask(name, data, settings, note=note, progress=progress)
    else:
        if note:
            raise InvalidRequestError(
                "goes with a new version of the mask", field="note", remedy="Give --mask, or leave it out."
            )
        with progress_bar(as_json) as progress:
            character = saved.use_mask(name, use or 0, settings, progress=progress)
    _done(character, as_json, f"@{character.name} uses {_used(character.card.mask_used)}")


@characters_app.command()
def remove(name: Name, as_json: Json = False, server: Server = None, key: Key = None) -> None:
    """Delete a character and all that was learnt from it."""
    from portrayal.character.saved import remove as delete
    from portrayal.settings import Settings

    if server:
        there = client(server, key).characters
        gone = there.get(name).name
        there.remove(gone)
    else:
        gone = delete(name, Settings())
    out(json.dumps({"removed": gone}, ensure_ascii=False) if as_json else f"removed @{gone}")


@characters_app.command("export")
def export_(
    name: Name,
    file: Annotated[Path, typer.Argument(help="Where to, a .zip file.", show_default=False)],
    with_identity: Annotated[
        bool, typer.Option("--with-identity", help="Also the face descriptor: personal data.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file of that name.")] = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Write a character into one zip file."""
    if server:
        done = _written(file, force, lambda: client(server, key).characters.export(name, with_identity=with_identity))
        values = {"path": str(done), "bytes": done.stat().st_size, "with_identity": with_identity}
        out(json.dumps(values, ensure_ascii=False) if as_json else f"{done}  {values['bytes']} bytes")
        return
    from portrayal.character.archive import export
    from portrayal.settings import Settings

    done = export(name, file, Settings(), with_identity=with_identity, replace=force)
    values = {"path": str(done), "bytes": done.stat().st_size, "with_identity": with_identity}
    out(json.dumps(values, ensure_ascii=False) if as_json else f"{done}  {values['bytes']} bytes")


@characters_app.command("import")
def import__(
    file: Annotated[Path, typer.Argument(help="A .zip file of `character export`.", show_default=False)],
    name: Annotated[str | None, typer.Option("--as", help="Another name.")] = None,
    force: Replace = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Save the character of a zip file."""
    if server:
        made = client(server, key).characters.import_(file, name=name, replace=force)
        _told(made, as_json, f"saved @{made.name}")
        return
    from portrayal.character.archive import import_
    from portrayal.settings import Settings

    with progress_bar(as_json) as progress:
        character = import_(file, Settings(), name=name, replace=force, progress=progress)
    _done(character, as_json, f"saved @{character.name}")


def _used(version: int) -> str:
    return f"version {version} of its mask" if version else "the automatic mask"


def _told(character: Character, as_json: bool, line: str) -> None:
    """What a server answers, as JSON or in a line."""
    out(json.dumps(character.model_dump(mode="json"), ensure_ascii=False) if as_json else line)


def _list_remote(there: Client, as_json: bool) -> None:
    entries = list(there.characters.list())
    if as_json:
        rows = [{"ok": True, **entry.model_dump(mode="json")} for entry in entries]
        out(json.dumps({"characters": rows}, ensure_ascii=False))
        return
    width = max((len(e.name) for e in entries), default=0) + 1
    for entry in entries:
        out(_line(entry, width))
    if not entries:
        say("no character is saved yet; `portrayal character add NAME PICTURE` saves one")


def _line(known: Card | Character, width: int) -> str:
    words = [f"{known.created:%Y-%m-%d}", known.kind]
    words += [f"{len(known.masks)} mask{'s' if len(known.masks) > 1 else ''}"] if known.masks else []
    words += [", ".join(known.tags)] if known.tags else []
    words += ["*"] if known.star else []
    return f"{'@' + known.name:<{width}}  {'  '.join(words)}"


def _show_remote(known: Character, as_json: bool) -> None:
    if as_json:
        out(json.dumps(known.model_dump(mode="json"), ensure_ascii=False))
        return
    out(f"@{known.name}  {known.kind}, saved {known.created:%Y-%m-%d}")
    for line in known.notes.splitlines():
        out(f"  {line}")
    if known.tags:
        out(f"tags: {', '.join(known.tags)}")
    out(f"reference: {known.image.url}  {known.image.width}x{known.image.height} px")
    out(f"thumbnail: {known.thumbnail_url}")
    out(f"mask 0: automatic{' (used)' if not known.mask_used else ''}")
    for mask in known.masks:
        note = f"  {' '.join(mask.note.split())}" if mask.note else ""
        used = " (used)" if mask.version == known.mask_used else ""
        out(f"mask {mask.version}: {mask.created:%Y-%m-%d}{used}{note}")
    for line in known.advice:
        out(f"advice: {line}")


def _written(file: Path, force: bool, read: Callable[[], bytes]) -> Path:
    """A file that is written whole or not at all, readable by its owner alone."""
    from portrayal.errors import InvalidRequestError, OutputError
    from portrayal.imaging import write_file

    if file.suffix.lower() != ".zip":
        raise InvalidRequestError(f"{file} is no .zip file", field="file", remedy="Name a file that ends in .zip.")
    if file.exists() and not force:
        raise OutputError(f"{file} is there already", field="file", remedy="Choose another name, or use --force.")
    write_file(file, read())
    file.chmod(0o600)
    return file


def _done(character: SavedCharacter, as_json: bool, line: str) -> None:
    if as_json:
        out(json.dumps(_facts(character.card.model_dump(mode="json"), character.folder), ensure_ascii=False))
    else:
        out(line)


def _facts(card: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A card with the places of its files."""
    from portrayal.character.card import THUMBNAIL

    return {**card, "folder": str(folder), "thumbnail": str(folder / THUMBNAIL)}


def _lines(values: dict[str, Any]) -> None:
    """Facts as lines for people."""
    out(f"@{values['name']}  {values['kind']}, saved {values['created'][:10]}")
    for line in values["notes"].splitlines():
        out(f"  {line}")
    if values["tags"]:
        out(f"tags: {', '.join(values['tags'])}")
    study = values["study"]
    out(f"reference: {values['folder']}/{values['reference']['file']}  {study['size'][0]}x{study['size'][1]} px")
    out(f"thumbnail: {values['thumbnail']}")
    used = values["mask_used"]
    out(f"mask 0: automatic{' (used)' if not used else ''}")
    for mask in values["masks"]:
        note = f"  {' '.join(mask['note'].split())}" if mask["note"] else ""
        out(f"mask {mask['version']}: {mask['created'][:10]}{' (used)' if mask['version'] == used else ''}{note}")
    if "head_pose" in study:
        out("head: " + ", ".join(f"{axis} {angle:g}°" for axis, angle in study["head_pose"].items()))
    out(f"palette: {', '.join(study['palette'])}")
    for line in study["advice"] or ["a good reference"]:
        out(f"advice: {line}")
