"""`portrayal character ...`: results on stdout, one JSON object when asked; bad input is one line and exit code 2."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from portrayal import assets, warmup
from portrayal.cli.characters import characters_app
from portrayal.errors import PortrayalError
from portrayal.settings import Settings

SAMPLE = str(assets.path("sample/astronaut.png"))
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command of the group and returns its stdout; errors are raised as the program's own."""
    monkeypatch.setenv("PORTRAYAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PORTRAYAL_CACHE_DIR", str(settings.cache_dir))
    monkeypatch.setattr(warmup, "needed", lambda: False)

    def call(*arguments: str | Path) -> str:
        characters_app([str(a) for a in arguments], standalone_mode=False)
        return capsys.readouterr().out

    return call


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A mask of the sample's face."""
    picture = np.zeros((512, 512), np.uint8)
    picture[60:200, 160:290] = 255
    file = tmp_path / "mask.png"
    Image.fromarray(picture).save(file)
    return file


def _json(text: str) -> dict[str, Any]:
    (line,) = text.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_the_life_of_a_character(run: Run, tmp_path: Path, mask: Path) -> None:
    assert run("list") == ""
    added = _json(run("add", "Ada", SAMPLE, "--notes", "the first", "--tag", "a", "-t", "b", "--json"))
    assert (added["name"], added["notes"], added["tags"], added["mask_used"]) == ("Ada", "the first", ["a", "b"], 0)
    assert Path(added["folder"], added["reference"]["file"]).read_bytes() == Path(SAMPLE).read_bytes()
    assert run("mask", "ada", "--mask", mask, "--note", "face").strip() == "@Ada uses version 1 of its mask"
    assert _json(run("mask", "ada", "--use", "0", "--json"))["mask_used"] == 0
    assert _json(run("mask", "ada", "--use", "1", "--json"))["mask_used"] == 1
    shown = _json(run("show", "@ADA", "--json"))
    assert shown["study"]["kind"] == "person"
    assert [m["note"] for m in shown["masks"]] == ["face"]
    assert Image.open(shown["thumbnail"]).size == (256, 256)
    lines = run("show", "ada").splitlines()
    assert lines[0].startswith("@Ada  person, saved ")
    assert any(line.startswith("mask 1: ") and "(used)" in line and "face" in line for line in lines)
    assert any(line.startswith("advice: ") for line in lines)
    packed = _json(run("export", "ada", tmp_path / "ada.zip", "--json"))
    assert Path(packed["path"]).stat().st_size == packed["bytes"]
    assert _json(run("import", tmp_path / "ada.zip", "--as", "Bea", "--json"))["name"] == "Bea"
    assert [c["name"] for c in _json(run("list", "--json"))["characters"]] == ["Ada", "Bea"]
    assert run("list").splitlines()[0].split()[0] == "@Ada"
    assert _json(run("remove", "bea", "--json")) == {"removed": "Bea"}
    assert [c["name"] for c in _json(run("list", "--json"))["characters"]] == ["Ada"]


def test_what_was_learnt_stays_private(run: Run, tmp_path: Path) -> None:
    run("add", "ada", SAMPLE)
    for text in (run("show", "ada", "--json"), run("show", "ada"), run("list", "--json")):
        assert "embedding" not in text
        assert not re.search(r"(-?\d+\.\d+, ){20}", text)
    small = _json(run("export", "ada", tmp_path / "a.zip", "--json"))["bytes"]
    large = _json(run("export", "ada", tmp_path / "b.zip", "--with-identity", "--json"))["bytes"]
    assert large > small


def test_a_damaged_character_is_marked_in_the_list(run: Run) -> None:
    folder = Path(_json(run("add", "ada", SAMPLE, "--json"))["folder"])
    run("add", "bob", SAMPLE)
    (folder / "reference.png").unlink()
    first, second = run("list").splitlines()
    assert first.startswith("@ada")
    assert "DAMAGED" in first
    assert "reference.png is missing" in first
    assert "DAMAGED" not in second
    rows = _json(run("list", "--json"))["characters"]
    assert [(r["name"], r["ok"]) for r in rows] == [("ada", False), ("bob", True)]


def test_force_replaces(run: Run, tmp_path: Path) -> None:
    run("add", "ada", SAMPLE, "--notes", "old")
    with pytest.raises(PortrayalError, match="saved already"):
        run("add", "ADA", SAMPLE)
    assert _json(run("add", "ADA", SAMPLE, "--force", "--notes", "new", "--json"))["notes"] == "new"
    run("export", "ada", tmp_path / "a.zip")
    with pytest.raises(PortrayalError, match="is there already"):
        run("export", "ada", tmp_path / "a.zip")
    run("export", "ada", tmp_path / "a.zip", "--force")


BAD: dict[str, tuple[list[str], str]] = {
    "bad name": (["add", "ada lovelace", SAMPLE], "name"),
    "no file": (["add", "ada", "nowhere.png"], "reference"),
    "folder": (["add", "ada", "."], "reference"),
    "no mask file": (["add", "ada", SAMPLE, "--mask", "nowhere.png"], "mask"),
    "long tag": (["add", "ada", SAMPLE, "--tag", "x" * 50], "tags"),
    "unknown to show": (["show", "nobody"], "character"),
    "unknown to remove": (["remove", "nobody"], "character"),
    "unknown to export": (["export", "nobody", "x.zip"], "character"),
    "unknown for a mask": (["mask", "nobody", "--use", "1"], "character"),
    "no mask at all": (["mask", "kept"], "mask"),
    "no such version": (["mask", "kept", "--use", "9"], "use"),
    "a note to an old version": (["mask", "kept", "--use", "0", "--note", "x"], "note"),
    "no archive": (["import", SAMPLE], "file"),
    "missing archive": (["import", "nowhere.zip"], "file"),
    "export as png": (["export", "kept", "x.png"], "file"),
    "import as a bad name": (["import", SAMPLE, "--as", "a/b"], "name"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input(kind: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("add", "kept", SAMPLE)
    arguments, field = BAD[kind]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PortrayalError) as caught:
        run(*arguments)
    assert caught.value.field == field
    assert caught.value.remedy
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_mask_and_use_together(run: Run, mask: Path) -> None:
    run("add", "ada", SAMPLE)
    with pytest.raises(PortrayalError, match="both given"):
        run("mask", "ada", "--mask", mask, "--use", "1")


def test_a_grey_alpha_mask_is_taken(run: Run, tmp_path: Path) -> None:
    picture = np.full((512, 512, 4), 255, np.uint8)
    picture[..., 3] = 0
    picture[60:200, 160:290, 3] = 255
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    (tmp_path / "alpha.png").write_bytes(out.getvalue())
    added = _json(run("add", "ada", SAMPLE, "--mask", tmp_path / "alpha.png", "--json"))
    kept = np.asarray(Image.open(Path(added["folder"], "mask-1.png")))
    np.testing.assert_array_equal(kept, picture[..., 3])
