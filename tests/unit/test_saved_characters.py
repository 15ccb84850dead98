"""Saved characters: whole or not at all, private, proved when used; archives from anywhere are believed in nothing."""

from __future__ import annotations

import io
import json
import os
import stat
import threading
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portrayal.character import archive, cache, folders, names, saved
from portrayal.character.card import id_of
from portrayal.errors import (
    ArchiveError,
    DamagedCharacterError,
    ImageReadError,
    ImageTooSmallError,
    InvalidRequestError,
    MaskMismatchError,
    NoSubjectError,
    OutputError,
    PortrayalError,
    UnknownCharacterError,
)
from portrayal.settings import Settings
from tests.unit import mascots


@pytest.fixture
def own(tmp_path: Path, settings: Settings) -> Settings:
    """A data folder for one test; the cache is that of the whole run, so that the sample is studied once."""
    return Settings(data_dir=tmp_path / "data", cache_dir=settings.cache_dir)


@pytest.fixture(scope="module")
def mask() -> bytes:
    """A mask of the sample that holds the face."""
    return _mask((160, 60, 290, 200))


def _mask(box: tuple[int, int, int, int], size: tuple[int, int] = (512, 512)) -> bytes:
    picture = np.zeros((size[1], size[0]), np.uint8)
    picture[box[1] : box[3], box[0] : box[2]] = 255
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def _png(rgb: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    return out.getvalue()


def _left_over(own: Settings) -> list[str]:
    base = folders.base(own)
    return sorted(p.name for p in base.iterdir() if p.name != ".lock") if base.exists() else []


def _other_cache(own: Settings) -> Settings:
    """For removing: the map of the sample shall stay for the next test."""
    return own.model_copy(update={"cache_dir": own.data_dir})


# Names.


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada", "ada"),
        (" Ada ", "Ada"),
        ("@ada", "ada"),
        ("ada_lovelace-2", "ada_lovelace-2"),
        ("2b", "2b"),
        ("Zoë", "Zoë"),
        ("Zoe\u0308", "Zoë"),
        ("さくら", "さくら"),
        ("Ада", "Ада"),
        ("आदित्य", "आदित्य"),
        ("مريم", "مريم"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_name_that_is_allowed(typed: str, kept: str) -> None:
    assert names.checked(typed) == kept
    assert id_of(kept) == id_of(kept.upper()) == id_of(unicodedata.normalize("NFD", kept))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "@",
        "x" * 41,
        "ada lovelace",
        "ada/bob",
        "..",
        "-ada",
        "_ada",
        "ada!",
        "a\x00b",
        "a\nb",
        "ada.b",
        "🙂",
    ],
)
def test_a_name_that_is_not_allowed(typed: str, own: Settings, sample: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        saved.add(typed, sample, own)
    assert caught.value.field == "name"
    assert caught.value.remedy
    assert not _left_over(own)


# Adding and using.


def test_what_was_saved_comes_back(own: Settings, sample: bytes) -> None:
    made = saved.add("Ada", sample, own, notes="First.\nSecond.", tags=["red", "red", " blue  sky "])
    found = saved.resolve("@aDA", own)
    assert found == made
    assert found.reference == sample
    assert found.mask is None
    assert (found.card.name, found.card.kind, found.card.notes) == ("Ada", "person", "First.\nSecond.")
    assert found.card.tags == ("red", "blue sky")
    assert found.card.created.utcoffset() is not None
    with Image.open(found.thumbnail) as thumbnail:
        assert thumbnail.size == (256, 256)
    assert saved.known_names(own) == ("Ada",)


def test_the_thumbnail_shows_the_face(own: Settings, sample: bytes) -> None:
    from portrayal.imaging import decode
    from portrayal.perception.faces import read_faces

    thumbnail = decode(saved.add("ada", sample, own).thumbnail.read_bytes())
    (reading,) = read_faces(thumbnail, average=False)
    assert 70 < reading.pose.scale < 150
    assert abs(reading.pose.origin[0] - 128) < 40
    assert abs(reading.pose.origin[1] - 128) < 50


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_everything_is_private(own: Settings, sample: bytes, mask: bytes, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = saved.add("ada", sample, own, mask=mask).folder
        saved.add_mask("ada", mask, own)
        packed = archive.export("ada", tmp_path / "ada.zip", own)
    finally:
        os.umask(before)
    for place in (folder, folder.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for file in [*folder.iterdir(), folder.parent / ".lock", packed]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_mascot_is_a_character(own: Settings) -> None:
    made = saved.add("blob", _png(mascots.draw("robot")), own)
    assert made.card.kind == "subject"
    assert saved.resolve("blob", own) == made


def test_a_taken_name(own: Settings, sample: bytes) -> None:
    saved.add("ada", sample, own, notes="old")
    with pytest.raises(InvalidRequestError, match="Ada is saved already") as caught:
        saved.add("Ada", sample, own)
    assert caught.value.field == "name"
    assert saved.resolve("ada", own).card.notes == "old"
    other = saved.add("ADA", _png(mascots.draw("robot")), own, notes="new", replace=True)
    assert saved.resolve("ada", own) == other
    assert len(_left_over(own)) == 1


@pytest.mark.parametrize(
    ("picture", "error"),
    [
        (b"", ImageReadError),
        (b"some words", ImageReadError),
        ("cut", ImageReadError),
        (_png(np.zeros((32, 32, 3), np.uint8)), ImageTooSmallError),
        (_png(np.full((256, 256, 3), 90, np.uint8)), NoSubjectError),
    ],
)
def test_a_bad_picture(picture: bytes | str, error: type[PortrayalError], own: Settings, sample: bytes) -> None:
    data = sample[:100_000] if isinstance(picture, str) else picture
    with pytest.raises(error) as caught:
        saved.add("ada", data, own)
    assert caught.value.field == "reference"
    assert not _left_over(own)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"notes": "x" * 10_001}, "notes"),
        ({"notes": "\x1b[31mred"}, "notes"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": [str(i) for i in range(51)]}, "tags"),
        ({"mask": b"no picture"}, "mask"),
        ({"mask": _mask((0, 0, 9, 9), (100, 100))}, "mask"),
        ({"mask": _mask((0, 0, 0, 0))}, "mask"),
    ],
)
def test_a_bad_option(options: dict[str, object], field: str, own: Settings, sample: bytes) -> None:
    with pytest.raises(PortrayalError) as caught:
        saved.add("ada", sample, own, **options)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert caught.value.remedy
    assert not _left_over(own)


def test_a_folder_that_cannot_be_made(settings: Settings, tmp_path: Path, sample: bytes) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError) as caught:
        saved.add("ada", sample, Settings(data_dir=tmp_path / "file", cache_dir=settings.cache_dir))
    assert "PORTRAYAL_DATA_DIR" in caught.value.remedy


def test_an_unknown_name_is_told_the_nearest(own: Settings, sample: bytes) -> None:
    with pytest.raises(UnknownCharacterError, match="portrayal character add"):
        saved.resolve("ada", own)
    for name in ("Adele", "bob"):
        saved.add(name, sample, own)
    with pytest.raises(UnknownCharacterError) as caught:
        saved.resolve("adelle", own)
    assert "@Adele" in caught.value.remedy
    assert "@bob" not in caught.value.remedy
    assert "portrayal character list" in caught.value.remedy


def test_several_programs_add_at_once(own: Settings, sample: bytes) -> None:
    saved.add("first", sample, own)
    done: list[str] = []
    start = threading.Barrier(6)

    def work(i: int) -> None:
        start.wait()
        try:
            done.append(saved.add("Twin", sample, own, notes=str(i)).card.notes)
        except InvalidRequestError:
            done.append("taken")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count("taken") == 5
    assert saved.resolve("twin", own).card.notes in done
    assert len(_left_over(own)) == 2


def test_a_replacement_that_died_half_way_loses_nothing(own: Settings, sample: bytes) -> None:
    folder = saved.add("ada", sample, own).folder
    folder.rename(folder.with_name(f".replaced-{folder.name}"))
    assert [e.name for e in saved.listed(own)] == ["ada"]
    folder.rename(folder.with_name(f".replaced-{folder.name}"))
    assert saved.resolve("ada", own).reference == sample


def test_half_built_folders_are_swept_after_a_day(own: Settings, sample: bytes) -> None:
    saved.add("ada", sample, own)
    old, young = folders.base(own) / ".new-old", folders.base(own) / ".new-young"
    for left in (old, young):
        left.mkdir()
        (left / "reference.png").write_bytes(sample)
    os.utime(old, (0, 0))
    assert [e.name for e in saved.listed(own)] == ["ada"]
    saved.add("bob", sample, own)
    assert not old.exists()
    assert young.exists()


# Masks.


def test_versions_of_the_mask(own: Settings, sample: bytes, mask: bytes) -> None:
    saved.add("ada", sample, own)
    first = saved.add_mask("ada", mask, own, note="face")
    second = saved.add_mask("ada", _mask((100, 40, 350, 400)), own, note="with hair")
    assert [(m.version, m.note) for m in second.card.masks] == [(1, "face"), (2, "with hair")]
    assert saved.resolve("ada", own) == second
    assert saved.use_mask("ada", 1, own).mask == first.mask
    assert saved.resolve("ada", own).mask == first.mask
    assert saved.use_mask("ada", 0, own).mask is None
    assert saved.resolve("ada", own).mask is None
    with pytest.raises(InvalidRequestError, match="There are 1, 2") as caught:
        saved.use_mask("ada", 3, own)
    assert caught.value.field == "use"


def test_a_grey_mask_is_kept_in_the_internal_form(own: Settings, sample: bytes) -> None:
    soft = np.zeros((512, 512), np.uint8)
    soft[60:200, 160:290] = 200
    soft[200:240, 160:290] = 90
    out = io.BytesIO()
    Image.fromarray(soft).save(out, "PNG")
    found = saved.add("ada", sample, own, mask=out.getvalue()).mask
    assert found
    with Image.open(io.BytesIO(found)) as kept:
        np.testing.assert_array_equal(np.asarray(kept), (soft >= 128) * np.uint8(255))


def test_masks_added_at_once_get_numbers_of_their_own(own: Settings, sample: bytes) -> None:
    saved.add("ada", sample, own)
    boxes = [(160, 60, 290, 200 + 10 * i) for i in range(4)]
    threads = [threading.Thread(target=saved.add_mask, args=("ada", _mask(box), own)) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (entry,) = saved.listed(own)
    assert entry.card
    assert [m.version for m in entry.card.masks] == [1, 2, 3, 4]


def test_a_bad_mask_changes_nothing(own: Settings, sample: bytes) -> None:
    before = saved.add("ada", sample, own)
    for bad in (b"words", _mask((0, 0, 50, 50), (64, 64)), _mask((0, 0, 0, 0))):
        with pytest.raises((ImageReadError, MaskMismatchError)):
            saved.add_mask("ada", bad, own)
    assert saved.resolve("ada", own) == before
    assert not list(before.folder.glob("mask-*"))


# Removing.


def test_removing_deletes_what_was_learnt_too(tmp_path: Path, sample: bytes, mask: bytes) -> None:
    own = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    saved.add("Ada", sample, own)
    saved.add_mask("ada", mask, own)
    assert len(list(cache.folder(own.cache_dir).glob("*.npz"))) == 2
    with pytest.raises(UnknownCharacterError):
        saved.remove("ad", own)
    assert saved.remove("ada", own) == "Ada"
    assert not list(cache.folder(own.cache_dir).glob("*.npz"))
    assert not _left_over(own)
    with pytest.raises(UnknownCharacterError):
        saved.remove("ada", own)


# Damage.


def _edit(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    values = json.loads((folder / "character.json").read_bytes())
    change(values)
    (folder / "character.json").write_text(json.dumps(values))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "card gone": lambda f: (f / "character.json").unlink(),
    "card is no json": lambda f: (f / "character.json").write_text("{"),
    "card is deep": lambda f: (f / "character.json").write_text("[" * 100_000),
    "card is a list": lambda f: (f / "character.json").write_text("[]"),
    "card is binary": lambda f: (f / "character.json").write_bytes(b"\xff\xfe\x00"),
    "newer schema": lambda f: _edit(f, lambda v: v.update(schema_version=2)),
    "no schema": lambda f: _edit(f, lambda v: v.pop("schema_version")),
    "unknown field": lambda f: _edit(f, lambda v: v.update(colour="red")),
    "other name": lambda f: _edit(f, lambda v: v.update(name="bob")),
    "path in a file name": lambda f: _edit(f, lambda v: v["reference"].update(file="../../x.png")),  # type: ignore
    "mask that is not there": lambda f: _edit(f, lambda v: v.update(mask_used=7)),
    "reference gone": lambda f: (f / "reference.png").unlink(),
    "reference changed": lambda f: (f / "reference.png").write_bytes(b"x"),
    "mask gone": lambda f: (f / "mask-1.png").unlink(),
    "mask changed": lambda f: (f / "mask-1.png").write_bytes(_mask((0, 0, 5, 5))),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_character(kind: str, own: Settings, sample: bytes, mask: bytes) -> None:
    saved.add("bob", sample, own)
    folder = saved.add("ada", sample, own, mask=mask).folder
    DAMAGE[kind](folder)
    with pytest.raises(DamagedCharacterError) as caught:
        saved.resolve("ada", own)
    assert "ada" in caught.value.message
    assert "portrayal character remove" in caught.value.remedy
    assert len(str(caught.value).splitlines()) == 1
    entries = saved.listed(own)
    assert [(e.name, e.card is None) for e in entries if e.card] == [("bob", False)]
    (bad,) = [e for e in entries if e.card is None]
    assert bad.problem
    assert saved.resolve("bob", own).reference == sample
    saved.remove("ada", _other_cache(own))
    assert [e.name for e in saved.listed(own)] == ["bob"]


def test_a_nameless_damaged_character_can_be_removed_by_its_id(own: Settings, sample: bytes) -> None:
    folder = saved.add("ada", sample, own).folder
    (folder / "character.json").write_text("")
    (entry,) = saved.listed(own)
    assert entry.name == folder.name
    saved.remove(entry.name, _other_cache(own))
    assert not _left_over(own)


# Archives.


def test_an_archive_goes_there_and_back(own: Settings, sample: bytes, mask: bytes, tmp_path: Path) -> None:
    saved.add("Ada", sample, own, mask=mask, notes="n", tags=["t"])
    before = saved.add_mask("ada", _mask((100, 40, 350, 400)), own)
    file = archive.export("ada", tmp_path / "ada.zip", own)
    with zipfile.ZipFile(file) as packed:
        assert set(packed.namelist()) == {
            archive.MANIFEST, "reference.png", "mask-1.png", "mask-2.png", "thumbnail.webp",
        }  # fmt: skip
        assert "embedding" not in packed.read(archive.MANIFEST).decode()
    assert archive.packed(before, own) == file.read_bytes()
    saved.remove("ada", _other_cache(own))
    assert archive.import_(file, own).card == before.card
    assert saved.resolve("ada", own) == before
    other = archive.import_(file, own, name="Bea")
    assert other.card == before.card.model_copy(update={"name": "Bea", "id": id_of("bea")})
    assert saved.resolve("bea", own).mask == before.mask
    with pytest.raises(InvalidRequestError, match="saved already"):
        archive.import_(file, own)
    assert archive.import_(file, own, replace=True).card == before.card


def test_the_descriptor_leaves_only_when_asked(own: Settings, sample: bytes, tmp_path: Path) -> None:
    saved.add("ada", sample, own)
    file = archive.export("ada", tmp_path / "ada.zip", own, with_identity=True)
    with zipfile.ZipFile(file) as packed, np.load(io.BytesIO(packed.read(archive.IDENTITY))) as learnt:
        assert learnt["embedding"].shape == (128,)
    saved.remove("ada", _other_cache(own))
    archive.import_(file, own)
    assert not list(saved.resolve("ada", own).folder.glob("*.npz"))


def test_a_forged_identity_is_not_believed(tmp_path: Path, own: Settings, sample: bytes) -> None:
    from portrayal.character import study

    fox = saved.add("fox", _png(mascots.draw("robot")), own)
    ada = saved.add("ada", sample, own)
    forged = archive._identity(fox, own)
    packed = _zip_of(_files(archive.packed(ada, own)) | {archive.IDENTITY: forged}, list_all=True)
    fresh = Settings(data_dir=tmp_path / "other", cache_dir=tmp_path / "cache")
    archive.import_(packed, fresh)
    known = study(sample, cache_dir=fresh.cache_dir)
    assert known.kind == "person"


def test_an_export_writes_over_nothing_unasked(own: Settings, sample: bytes, tmp_path: Path) -> None:
    saved.add("ada", sample, own)
    file = tmp_path / "ada.zip"
    file.write_text("precious")
    with pytest.raises(OutputError, match="is there already"):
        archive.export("ada", file, own)
    assert file.read_text() == "precious"
    archive.export("ada", file, own, replace=True)
    assert zipfile.is_zipfile(file)
    with pytest.raises(InvalidRequestError, match=r"\.zip"):
        archive.export("ada", tmp_path / "ada.png", own)


def _files(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _zip_of(files: dict[str, bytes], list_all: bool = False, how: int = zipfile.ZIP_STORED) -> bytes:
    if list_all:
        manifest = json.loads(files[archive.MANIFEST])
        manifest["files"] = {n: saved.sha256(d) for n, d in files.items() if n != archive.MANIFEST}
        files = files | {archive.MANIFEST: json.dumps(manifest).encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def _with_card(files: dict[str, bytes], **values: object) -> dict[str, bytes]:
    manifest = json.loads(files[archive.MANIFEST])
    manifest["character"].update(values)
    return files | {archive.MANIFEST: json.dumps(manifest).encode()}


def _with_reference(files: dict[str, bytes], data: bytes) -> bytes:
    card = json.loads(files[archive.MANIFEST])["character"]["reference"] | {"sha256": saved.sha256(data)}
    return _zip_of(_with_card(files | {"reference.png": data}, reference=card), list_all=True)


def _lying(files: dict[str, bytes]) -> bytes:
    """An entry whose directory says that it is small, and that unpacks to 50 MB."""
    bomb = _zip_of(files | {"mask-9.png": b"\0" * 50_000_000}, how=zipfile.ZIP_DEFLATED)
    size = (50_000_000).to_bytes(4, "little")
    assert bomb.count(size) == 2
    return bomb.replace(size, (900_000).to_bytes(4, "little"))


BAD_ARCHIVES: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "empty": (lambda f: b"", "no zip"),
    "no zip": (lambda f: b"PK and some words", "no zip"),
    "cut off": (lambda f: _zip_of(f)[:200_000], "no zip"),
    "flipped bits": (lambda f: _zip_of(f).replace(f["reference.png"][500:540], b"\0" * 40), "no zip"),
    "no manifest": (lambda f: _zip_of({k: v for k, v in f.items() if k != archive.MANIFEST}), "lacks portrayal-char"),
    "manifest is no json": (lambda f: _zip_of(f | {archive.MANIFEST: b"{"}), "no JSON"),
    "manifest is deep": (lambda f: _zip_of(f | {archive.MANIFEST: b"[" * 200_000}), "no JSON"),
    "manifest is no text": (lambda f: _zip_of(f | {archive.MANIFEST: b"\xff\xfe\xfd\xfc"}), "no JSON"),
    "manifest is a list": (lambda f: _zip_of(f | {archive.MANIFEST: b"[]"}), "not understood"),
    "newer schema": (lambda f: _zip_of(_with_card(f, schema_version=2)), "newer Portrayal"),
    "old schema": (lambda f: _zip_of(_with_card(f, schema_version=0)), "no schema version"),
    "a bad name": (lambda f: _zip_of(_with_card(f, name="../ada")), "name"),
    "escape codes in the notes": (lambda f: _zip_of(_with_card(f, notes="\x1b]0;x\x07")), "notes"),
    "path in the reference": (
        lambda f: _zip_of(_with_card(f, reference={"file": "../x.png", "sha256": "0" * 64})),
        "reference",
    ),
    "unknown mask": (lambda f: _zip_of(_with_card(f, mask_used=5)), "version 5"),
    "path traversal": (lambda f: _zip_of(f | {"../../evil.png": b"x"}), "does not belong"),
    "absolute path": (lambda f: _zip_of(f | {"/etc/evil": b"x"}), "does not belong"),
    "backslashes": (lambda f: _zip_of(f | {"..\\evil.png": b"x"}), "does not belong"),
    "a folder": (lambda f: _zip_of(f | {"sub/": b""}), "does not belong"),
    "not listed": (lambda f: _zip_of(f | {"mask-7.png": _mask((0, 0, 9, 9))}), "does not list"),
    "a file is missing": (lambda f: _zip_of({k: v for k, v in f.items() if k != "reference.png"}), "lacks reference"),
    "a mask is missing": (lambda f: _zip_of({k: v for k, v in f.items() if k != "mask-1.png"}), "lacks mask-1"),
    "changed reference": (lambda f: _zip_of(f | {"reference.png": f["reference.png"] + b"x"}), "was changed"),
    "changed and listed": (
        lambda f: _zip_of(f | {"reference.png": f["reference.png"] + b"x"}, list_all=True),
        "was changed",
    ),
    "damaged picture": (lambda f: _with_reference(f, f["reference.png"][:90_000]), "reference.png that is no use"),
    "words as picture": (lambda f: _with_reference(f, b"words"), "reference.png that is no use"),
    "animated picture": (lambda f: _with_reference(f, _gif()), "reference.png that is no use"),
    "mask of another size": (
        lambda f: _with_reference(f, _png(mascots.draw("robot"))),
        "mask-1.png that is no use",
    ),
    "bomb": (lambda f: _zip_of(f | {"mask-9.png": b"\0" * 50_000_000}, how=zipfile.ZIP_DEFLATED), "unpacks to"),
    "bomb that lies": (_lying, "mask-9|no zip"),
    "bomb in the manifest": (
        lambda f: _zip_of(f | {archive.MANIFEST: b" " * 50_000_000}, how=zipfile.ZIP_DEFLATED),
        "unpacks to",
    ),
    "many files": (lambda f: _zip_of(f | {f"mask-{i}.png": b"" for i in range(1, 150)}), "files, at most"),
}


def _gif() -> bytes:
    frames = [Image.new("RGB", (96, 80), (i * 90, 0, 0)) for i in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, settings: Settings, sample: bytes, mask: bytes) -> dict[str, bytes]:
    """The files of a good archive."""
    place = Settings(data_dir=tmp_path_factory.mktemp("data"), cache_dir=settings.cache_dir)
    return _files(archive.packed(saved.add("ada", sample, place, mask=mask), place))


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_a_bad_archive(kind: str, own: Settings, good: dict[str, bytes]) -> None:
    make, words = BAD_ARCHIVES[kind]
    with pytest.raises(ArchiveError, match=words) as caught:
        archive.import_(make(dict(good)), own)
    assert caught.value.field == "file"
    assert caught.value.remedy
    assert len(str(caught.value).splitlines()) == 1
    assert not _left_over(own)


def test_the_archives_above_are_bad_for_one_reason_only(own: Settings, good: dict[str, bytes]) -> None:
    assert archive.import_(_zip_of(good), own).name == "ada"
    assert archive.import_(_zip_of(good, list_all=True, how=zipfile.ZIP_DEFLATED), own, name="b").name == "b"


def test_two_entries_of_one_name(own: Settings, good: dict[str, bytes]) -> None:
    out = io.BytesIO(_zip_of(good))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as packed:
        packed.writestr("reference.png", b"x")
    with pytest.raises(ArchiveError, match="twice"):
        archive.import_(out.getvalue(), own)


def test_a_flat_picture_in_an_archive_is_refused(own: Settings, good: dict[str, bytes]) -> None:
    flat = _with_card(good, masks=[], mask_used=0)
    flat.pop("mask-1.png")
    packed = _with_reference(flat, _png(np.full((256, 256, 3), 90, np.uint8)))
    with pytest.raises(NoSubjectError):
        archive.import_(packed, own)
    assert not _left_over(own)


def test_an_archive_of_a_great_many_files_is_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory of a zip file is much smaller than what `zipfile` makes of it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as many:
        for number in range(archive.MAX_FILES + 50):
            many.writestr(f"{number}", b"")
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(ArchiveError, match="belong there"):
        archive.unpacked(out.getvalue())
