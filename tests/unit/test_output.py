"""Output files: the three formats, names, and originals that are never replaced by accident."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from portrayal import imaging, packets
from portrayal.errors import InvalidRequestError, OutputError
from portrayal.output import prepare, save
from portrayal.result import Picture, Portrayal

FORMATS = ("png", "jpeg", "webp")


def _picture(seed: int, kind: Any = "png") -> Picture:
    data = imaging.encode(np.full((64, 64, 3), seed % 256, np.uint8), kind)
    return Picture(seed=seed, width=64, height=64, identity=None, data=data, format=kind)


def _result(*pictures: Picture) -> Portrayal:
    return Portrayal(version="1", engine="studio", operation="edit", prompt="", language="en", pictures=pictures)


def _smooth() -> imaging.U8:
    y, x = np.mgrid[:160, :200]
    return np.dstack([x, y, 255 - x]).astype(np.uint8)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_each_format_takes_each_kind_of_picture(kind: Any, channels: int, depth: Any) -> None:
    chosen: Any = {1: 0, 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    codes = np.dstack([_smooth(), np.full((160, 200), 255, np.uint8)])[..., chosen]
    picture = codes.astype(depth) * depth(257 if depth == np.uint16 else 1)
    data = imaging.encode(picture, kind)
    assert packets.sniff(data) == kind
    assert data == imaging.encode(picture, kind)
    shown = imaging.decode(data).astype(int)
    wanted = _smooth() if channels > 2 else np.repeat(_smooth()[..., :1], 3, axis=2)
    assert np.abs(shown - wanted).mean() < (0.5 if kind == "png" else 2)


def test_jpeg_keeps_the_colour_of_thin_lines() -> None:
    lines = np.full((64, 64, 3), 200, np.uint8)
    lines[:, ::8] = (200, 20, 30)
    shown = imaging.decode(imaging.encode(lines, "jpeg"))
    assert np.abs(shown[:, ::8].astype(int) - (200, 20, 30)).mean() < 8
    with Image.open(io.BytesIO(imaging.encode(lines, "jpeg"))) as image:
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # type: ignore[attr-defined]


def test_lossless_webp_is_equal_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    for channels in (3, 4):  # colours below full transparency too
        picture = rng.integers(0, 256, (70, 90, channels)).astype(np.uint8)
        with Image.open(io.BytesIO(imaging.encode(picture, "webp", lossless=True))) as image:
            assert np.array_equal(np.asarray(image), picture)


def test_white_lies_under_a_transparent_jpeg() -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    assert tuple(imaging.decode(imaging.encode(picture, "jpeg"))[5, 5]) == (255, 255, 255)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (65, 6000), (6000, 65), (1311, 737)])
def test_png_of_any_size_is_read_by_others(width: int, height: int) -> None:
    rng = np.random.default_rng(width)
    picture = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    with Image.open(io.BytesIO(imaging.encode(picture))) as image:
        assert np.array_equal(np.asarray(image), picture)


def test_png_does_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    from portrayal import parallel

    picture = np.random.default_rng(1).integers(0, 9, (3000, 900, 3)).astype(np.uint8)
    several = imaging.encode(picture)
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    assert imaging.encode(picture) == several


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.webp", "folder", "not/yet/there"])
def test_what_can_be_written(name: str, tmp_path: Path) -> None:
    assert prepare(tmp_path / name, 3) == tmp_path / name
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.gif", "a.tiff", "a.avif", "a.heic", ".png", ".jpg"])
def test_what_cannot_be_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        prepare(tmp_path / name, 1)
    assert caught.value.field == "output"


@pytest.mark.parametrize("form", ["same", "dots", "symlink", "hard link", "linked folder", "relative"])
def test_an_input_is_never_replaced_without_force(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "in.png"
    given.write_bytes(b"the original")
    output = given
    if form == "dots":
        output = tmp_path / "sub" / ".." / "in.png"
        (tmp_path / "sub").mkdir()
    elif form == "symlink":
        output = tmp_path / "link.png"
        output.symlink_to(given)
    elif form == "hard link":
        output = tmp_path / "other.png"
        os.link(given, output)
    elif form == "linked folder":
        (tmp_path / "way").symlink_to(tmp_path)
        output = tmp_path / "way" / "in.png"
    elif form == "relative":
        monkeypatch.chdir(tmp_path)
        output = Path("in.png")
    with pytest.raises(OutputError, match="one of the inputs") as caught:
        prepare(output, 1, inputs=(tmp_path / "missing.png", given))
    assert "--force" in caught.value.remedy
    with pytest.raises(OutputError):
        save(_result(_picture(1)), output, inputs=(given,))
    assert given.read_bytes() == b"the original"
    prepare(output, 1, force=True, inputs=(given,))
    save(_result(_picture(1)), output, force=True, inputs=(given,))
    assert imaging.decode(output.read_bytes()).shape == (64, 64, 3)


def test_a_numbered_file_may_be_an_input(tmp_path: Path) -> None:
    given = tmp_path / "a-2.png"
    given.write_bytes(b"the original")
    prepare(tmp_path / "a.png", 1, inputs=(given,))
    with pytest.raises(OutputError, match=r"a-2\.png"):
        prepare(tmp_path / "a.png", 2, inputs=(given,))


def test_in_a_folder_the_picture_takes_another_name(tmp_path: Path) -> None:
    given = tmp_path / "portrayal-0000000007.png"
    given.write_bytes(b"the original")
    saved = save(_result(_picture(7)), tmp_path, inputs=(given,))
    assert given.read_bytes() == b"the original"
    assert saved.pictures[0].path == tmp_path / "portrayal-0000000007-2.png"


def test_another_file_is_replaced_as_ever(tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"of yesterday")
    save(_result(_picture(1)), prepare(tmp_path / "out.png", 1, inputs=(tmp_path / "in.png",)))
    assert (tmp_path / "out.png").read_bytes() != b"of yesterday"


@pytest.mark.parametrize(("kind", "suffix"), [("png", ".png"), ("jpeg", ".jpg"), ("webp", ".webp")])
def test_names_in_a_folder_follow_the_format(kind: Any, suffix: str, tmp_path: Path) -> None:
    saved = save(_result(_picture(1, kind), _picture(2, kind)), tmp_path / "new")
    assert [p.path for p in saved.pictures] == [tmp_path / "new" / f"portrayal-000000000{i}{suffix}" for i in (1, 2)]
    assert [packets.sniff(p.path.read_bytes()) for p in saved.pictures if p.path] == [kind, kind]


def test_several_pictures_get_numbers(tmp_path: Path) -> None:
    saved = save(_result(_picture(1, "jpeg"), _picture(2, "jpeg")), tmp_path / "a.jpg")
    assert [p.path for p in saved.pictures] == [tmp_path / "a-1.jpg", tmp_path / "a-2.jpg"]


def test_when_one_cannot_be_written_none_stays(tmp_path: Path) -> None:
    (tmp_path / "a-2.png").mkdir()
    with pytest.raises(OutputError):
        save(_result(_picture(1), _picture(2)), tmp_path / "a.png")
    assert [p.name for p in tmp_path.iterdir()] == ["a-2.png"]
