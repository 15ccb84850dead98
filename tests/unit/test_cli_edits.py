"""The commands that work on a picture: bad input by table, what is reported, and the same command twice."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import portrayal
from portrayal import assets, warmup
from portrayal.bench.gallery_edits import empty_scene
from portrayal.cli import main
from portrayal.imaging import decode, encode_png

SAMPLE = assets.path("sample/astronaut.png")
SIDE = 512

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTRAYAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PORTRAYAL_CREDENTIALS", "false")
    monkeypatch.setattr(warmup, "needed", lambda **_: False)


@pytest.fixture(scope="module", autouse=True)
def _one_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTRAYAL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["portrayal", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each kind that the table names."""
    here = tmp_path / "given"
    here.mkdir()
    portrait = Image.open(SAMPLE).convert("RGB")
    portrait.save(here / "me.png")
    (here / "link.png").symlink_to(here / "me.png")
    Image.fromarray(empty_scene("beach", 5, (SIDE, SIDE))).save(here / "beach.png")
    box = (150, 20, 330, 230)
    for name, mode, fill, paint in (
        ("ok.png", "L", 0, 255),
        ("one.png", "1", 0, 1),
        ("mask.jpg", "L", 0, 255),
        ("clear.png", "RGBA", (0, 0, 0, 255), (0, 0, 0, 0)),
    ):
        mask = Image.new(mode, (SIDE, SIDE), fill)
        mask.paste(paint, box)
        mask.save(here / name)
    Image.new("L", (SIDE, SIDE), 0).save(here / "none.png")
    Image.new("L", (SIDE, SIDE), 255).save(here / "all.png")
    Image.new("L", (400, 400), 0).save(here / "other_size.png")
    Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 255)).save(here / "opaque.png")
    portrait.convert("L").save(here / "grey.png")
    half = Image.new("L", (SIDE, SIDE), 0)
    half.paste(255, (225, 0, SIDE, 190))
    half.save(here / "half_face.png")
    hair = Image.new("L", (SIDE, SIDE), 0)
    hair.paste(255, (150, 0, 300, 60))
    hair.save(here / "hair.png")
    frames = [Image.new("RGB", (96, 80), (i * 90, 0, 0)) for i in range(3)]
    frames[0].save(here / "moving.gif", save_all=True, append_images=frames[1:])
    (here / "cut.png").write_bytes((here / "me.png").read_bytes()[:200_000])
    portrait.resize((63, 63)).save(here / "s63.png")
    portrait.resize((64, 64)).save(here / "s64.png")
    Image.new("L", (9000, 9000)).save(here / "huge.png")
    Image.new("L", (8000, 9000)).save(here / "large.png")
    return here


EDIT = "edit -i me.png -r me.png "
# Command (files lie in the folder) -> the field that is named. "-o OUT" is added where none is given.
BAD: dict[str, str] = {
    EDIT + "--mask none.png": "mask",
    EDIT + "--mask all.png": "mask",
    EDIT + "--mask other_size.png": "mask",
    EDIT + "--mask grey.png": "mask",
    EDIT + "--mask me.png": "mask",
    EDIT + "--mask missing.png": "mask",
    EDIT + "--mask opaque.png --mask-mode alpha": "mask",
    EDIT + "--mask half_face.png": "mask",
    EDIT + "--mask hair.png": "mask",
    EDIT + "--mask ok.png --mask-mode grey": "mask_mode",
    EDIT + "--mask-mode black": "mask_mode",
    EDIT + "-r beach.png": "reference",
    EDIT + "--reference-mask other_size.png": "reference_mask",
    EDIT + "--num-images 9": "num_images",
    EDIT + "--speed fast": "speed",
    EDIT + "--seed -1": "seed",
    EDIT + "-o out.gif": "output",
    EDIT + "-o me.png": "output",
    EDIT + "-o link.png": "output",
    EDIT + "-o ../given/me.png": "output",
    EDIT + "--save-mask out.jpg": "save_mask",
    EDIT + "--save-mask me.png": "output",
    EDIT + "-p remove": "prompt",
    "edit -i me.png -p teal --reference-mask ok.png": "reference_mask",
    "edit -i me.png": "prompt",
    "edit -i me.png -p lamp": "mask",
    "edit -i me.png -p remove_the_lamp": "mask",
    "edit -i me.png -p remove_the_background": "prompt",
    "edit -i me.png -p don't_remove_her": "prompt",
    "edit -i me.png -p remove_the_second_person_from_the_left": "prompt",
    "edit -i me.png -p @nobody": "character",
    "edit -i me.png -r @nobody": "character",
    "edit -i missing.png -r me.png": "image",
    "edit -i moving.gif -r me.png": "image",
    "edit -i cut.png -r me.png": "image",
    "edit -i s63.png -r me.png": "image",
    "edit -i s64.png -r me.png": "image",
    "edit -i huge.png -r me.png": "image",
    "edit -i beach.png -r me.png": "image",
    "edit -i me.png -r cut.png": "reference",
    "remix -i me.png": "reference",
    "remix -i me.png -r me.png --strength -0.1": "strength",
    "remix -i me.png -r me.png --strength 1.1": "strength",
    "remix -i me.png -r me.png --strength nan": "strength",
    "generate -p five" + " -r me.png" * 5: "reference",
    "generate -r me.png -p _": "prompt",
    "reframe -i me.png": "size",
    "reframe -i me.png --size 1000x1000": "size",
    "reframe -i me.png --aspect-ratio 7:5": "aspect_ratio",
    "replace-background -i me.png": "prompt",
    "replace-background -i me.png --background cut.png": "background",
    "remove-background -i me.png -o out.jpg": "output",
    "remove-background -i me.png --mask other_size.png": "mask",
    "upscale -i me.png --factor 3": "factor",
    "upscale -i large.png --factor 4": "image",
}


def _arguments(command: str, folder: Path) -> list[str]:
    words = [word.replace("_", " ") if before == "-p" else word for before, word in _pairs(command.split())]
    words = [str(folder / word) if word.endswith((".png", ".jpg", ".gif")) else word for word in words]
    return words if "-o" in words else [*words, "-o", str(folder / "out.png")]


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(["", *words], words, strict=False))


@pytest.mark.parametrize("command", BAD)
def test_bad_input_is_one_line_and_nothing_is_written(command: str, run: Run, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, out, error = run(*_arguments(command, folder))
    lines = [line for line in error.splitlines() if line.startswith("portrayal: ")]
    assert code == 2
    assert out == ""
    assert len(lines) == 1
    assert lines[0].startswith(f"portrayal: {BAD[command]}: ")
    assert lines[0].count(". ") >= 1, "a remedy is named"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("mask", ["ok.png", "one.png", "mask.jpg", "clear.png"])
def test_masks_of_every_kind_mean_the_same(mask: str, run: Run, folder: Path) -> None:
    mode = "alpha" if mask == "clear.png" else "white"
    options = ["-p", "remove", "--mask", folder / mask, "--mask-mode", mode, "--speed", "turbo", "--json"]
    code, out, _ = run("edit", "-i", folder / "beach.png", *options, "-o", folder / "out.png")
    assert code == 0
    picture = json.loads(out)["pictures"][0]
    assert picture["did"] == "removed"
    assert picture["mask_box"] == [150, 20, 330, 230]


def test_several_pictures_in_a_folder_are_told_in_full_and_twice_the_same(run: Run, folder: Path) -> None:
    found = []
    for name in ("a", "b"):
        where = folder / name
        options = ["-n", 2, "--seed", 7, "--speed", "turbo", "--save-mask", folder / f"{name}.png", "--json"]
        code, out, _ = run("edit", "-i", folder / "me.png", "-r", folder / "me.png", *options, "-o", where)
        assert code == 0
        pictures = json.loads(out)["pictures"]
        assert [picture["seed"] for picture in pictures] == [7, 8]
        for picture in pictures:
            assert picture["did"] == "face swapped"
            assert picture["identity"]["same_person"] is True
            assert picture["facts"]["distance_before"] == pytest.approx(0, abs=0.01)
            assert Path(picture["path"]).parent == where
        mask = decode((folder / f"{name}.png").read_bytes())
        assert set(np.unique(mask)) == {0, 255}
        x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask[..., 0]))
        assert [x, y, x + width, y + height] == pictures[0]["mask_box"]
        found.append([Path(picture["path"]).read_bytes() for picture in pictures])
    assert found[0] == found[1]


def test_the_saved_mask_does_the_same_again(run: Run, folder: Path) -> None:
    """The face is read in another crop then, so the pictures are alike, not equal."""
    me, used = folder / "me.png", folder / "used.png"
    common = ["edit", "-i", me, "-r", me, "--seed", 3, "--speed", "turbo", "--json"]
    first = run(*common, "--save-mask", used, "-o", folder / "by_words.png")
    second = run(*common, "--mask", used, "-o", folder / "by_mask.png")
    told = [json.loads(out)["pictures"][0] for _, out, _ in (first, second)]
    assert told[0]["did"] == told[1]["did"] == "face swapped"
    assert told[0]["mask_box"] == told[1]["mask_box"]
    one, two, old = (decode((folder / name).read_bytes()) for name in ("by_words.png", "by_mask.png", "me.png"))
    outside = decode(used.read_bytes())[..., 0] == 0
    assert np.array_equal(one[outside], old[outside])
    assert np.array_equal(two[outside], old[outside])
    assert np.abs(one[~outside].astype(int) - two[~outside]).mean() < 3


def test_what_was_done_stands_in_the_line(run: Run, folder: Path) -> None:
    code, out, error = run(
        "edit", "-i", folder / "me.png", "-p", "make the suit navy", "--speed", "turbo", "-o", folder / "out.png"
    )
    assert code == 0
    assert "recoloured" in out
    assert "note: no mask was given: the clothes of the person are recoloured" in error


def test_bytes_and_paths_from_python() -> None:
    beach = encode_png(empty_scene("beach", 5, (SIDE, SIDE)))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[100:160, 200:260] = 255
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG")
    stages: list[float] = []
    made = portrayal.edit(
        beach, mask=out.getvalue(), seed=1, speed="turbo", progress=lambda stage, fraction: stages.append(fraction)
    )
    assert made.pictures[0].did == "filled"
    assert made.pictures[0].path is None
    assert stages == sorted(stages)
    assert stages[-1] == 1.0
    used = made.pictures[0].mask
    assert used is not None
    assert np.array_equal(decode(used)[..., 0], mask)
    assert "mask" not in made.summary()["pictures"][0]
