"""The command line: every kind of bad input is one clear line, exit code 2, and nothing written."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portrayal import assets, warmup
from portrayal.cli import main
from portrayal.errors import OutputError
from portrayal.output import prepare

SAMPLE = str(assets.path("sample/astronaut.png"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTRAYAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PORTRAYAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(warmup, "needed", lambda **_: False)


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["portrayal", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def _png(width: int, height: int, colour: tuple[int, int, int] = (120, 130, 140)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def _bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def _animation() -> bytes:
    frames = [Image.new("RGB", (96, 80), (i * 90, 0, 0)) for i in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


BAD_FILES = {
    "not an image": b"just some words",
    "empty": b"",
    "truncated": Path(SAMPLE).read_bytes()[:200_000],
    "bomb": _bomb(),
    "tiny": _png(40, 40),
    "flat": _png(512, 512),
    "animated": _animation(),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_reference(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "reference.png", tmp_path / "out" / "picture.png"
    source.write_bytes(BAD_FILES[kind])
    code = _run(monkeypatch, "generate", "-r", str(source), "-p", "portrait", "-o", str(target))
    _refused(code, target, capsys, "reference")


BAD_OPTIONS: dict[str, tuple[list[str], str]] = {
    "missing file": (["-r", "nowhere.jpg", "-p", "portrait"], "reference"),
    "folder as reference": (["-r", ".", "-p", "portrait"], "reference"),
    "empty prompt": (["-r", SAMPLE, "-p", "  "], "prompt"),
    "long prompt": (["-r", SAMPLE, "-p", "word " * 20_000], "prompt"),
    "unknown size": (["-r", SAMPLE, "-p", "portrait", "--size", "1000x999"], "size"),
    "unknown ratio": (["-r", SAMPLE, "-p", "portrait", "--aspect-ratio", "7:5"], "aspect_ratio"),
    "size and ratio": (["-r", SAMPLE, "-p", "portrait", "--size", "512x512", "--aspect-ratio", "1:1"], "size"),
    "negative seed": (["-r", SAMPLE, "-p", "portrait", "--seed", "-1"], "seed"),
    "huge seed": (["-r", SAMPLE, "-p", "portrait", "--seed", "2147483648"], "seed"),
    "no number as seed": (["-r", SAMPLE, "-p", "portrait", "--seed", "many"], "seed"),
    "nine pictures": (["-r", SAMPLE, "-p", "portrait", "-n", "9"], "num_images"),
    "unknown speed": (["-r", SAMPLE, "-p", "portrait", "--speed", "warp"], "speed"),
    "unknown style type": (["-r", SAMPLE, "-p", "portrait", "--style-type", "anime"], "style_type"),
    "device as reference": (["-r", os.devnull, "-p", "portrait"], "reference"),
    "empty size": (["-r", SAMPLE, "-p", "portrait", "--size", ""], "size"),
    "missing mask": (["-r", SAMPLE, "-p", "portrait", "--mask", "nowhere.png"], "mask"),
    "no prompt": (["-r", SAMPLE], "prompt"),
    "unknown option": (["-r", SAMPLE, "-p", "portrait", "--colour", "red"], "colour"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_a_bad_option(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options, field = BAD_OPTIONS[name]
    target = tmp_path / "out" / "picture.png"
    _refused(_run(monkeypatch, "generate", *options, "-o", str(target)), target, capsys, field)


def test_a_mask_of_another_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mask, target = tmp_path / "mask.png", tmp_path / "out" / "picture.png"
    mask.write_bytes(_png(300, 200, (255, 255, 255)))
    code = _run(monkeypatch, "generate", "-r", SAMPLE, "-p", "portrait", "--mask", str(mask), "-o", str(target))
    _refused(code, target, capsys, "mask")


@pytest.mark.parametrize("name", ["picture.gif", "picture.tiff"])
def test_a_format_that_is_not_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / name
    code = _run(monkeypatch, "generate", "-r", SAMPLE, "-p", "portrait", "-o", str(target))
    _refused(code, target, capsys, "output")


def test_an_output_below_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    target = tmp_path / "file" / "picture.png"
    code = _run(monkeypatch, "generate", "-r", SAMPLE, "-p", "portrait", "-o", str(target))
    _refused(code, target, capsys, "output")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX permissions")
def test_a_folder_that_is_not_writable(tmp_path: Path) -> None:
    """In a child without root's rights, since root may write everywhere."""
    folder = tmp_path / "locked"
    folder.mkdir()
    for parent in (*tmp_path.parents[:3], tmp_path):
        parent.chmod(0o755)
    folder.chmod(0o555)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.setuid(65534)
        try:
            prepare(folder / "a.png", 1)
            os._exit(1)
        except OutputError as error:
            os._exit(0 if error.field == "output" and error.remedy else 2)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not list(folder.iterdir())


def test_a_sixteen_bit_reference_is_handled(tmp_path: Path) -> None:
    import portrayal

    grey = np.asarray(Image.open(SAMPLE).convert("L"), np.uint16) * 257
    source = tmp_path / "deep.png"
    Image.fromarray(grey).save(source)
    assert portrayal.study(source).kind == "person"


def _refused(code: int, target: Path, capsys: pytest.CaptureFixture[str], field: str) -> None:
    shown = capsys.readouterr()
    assert code == 2
    assert shown.out == ""
    assert len(shown.err.strip().splitlines()) == 1, shown.err
    assert field.replace("_", "-") in shown.err.replace("_", "-")
    assert "Traceback" not in shown.err
    assert not target.exists()
    assert not list(target.parent.parent.rglob("*.part"))


def test_an_empty_output_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _refused(_run(monkeypatch, "generate", "-r", SAMPLE, "-p", "portrait", "-o", ""), tmp_path / "x", capsys, "output")
    assert not list(tmp_path.rglob("*.png"))


def test_ctrl_c_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("portrayal.generate", interrupted)
    target = tmp_path / "picture.png"
    assert _run(monkeypatch, "generate", "-r", SAMPLE, "-p", "portrait", "-o", str(target)) == 130
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not target.exists()


def test_a_bad_picture_is_refused_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def compiled(progress: object) -> bool:
        raise AssertionError("compiled for a bad picture")

    monkeypatch.setattr(warmup, "needed", lambda: True)
    monkeypatch.setattr(warmup, "prepare", compiled)
    source, target = tmp_path / "cut.png", tmp_path / "out" / "picture.png"
    source.write_bytes(Path(SAMPLE).read_bytes()[:200_000])
    _refused(
        _run(monkeypatch, "generate", "-r", str(source), "-p", "x", "-o", str(target)), target, capsys, "reference"
    )


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--style-preset", "NOSUCH"), "style_preset"),
        (("--style-code", "12"), "style_codes"),
        (("--palette", "#ff0000:0"), "palette"),
        (("--palette", "#ff0000:\uff10.5"), "palette"),
        (("--style-reference", "text.png"), "style_references"),
        (("-p", " ".join(f'"word {i}"' for i in range(30))), "prompt"),
    ],
)
def test_a_bad_style_is_refused_before_anything_is_compiled(
    options: tuple[str, str],
    field: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def compiled(progress: object) -> bool:
        raise AssertionError("compiled for a bad style")

    monkeypatch.setattr(warmup, "needed", lambda: True)
    monkeypatch.setattr(warmup, "prepare", compiled)
    monkeypatch.chdir(tmp_path)
    Path("text.png").write_text("no picture")
    target = tmp_path / "out" / "picture.png"
    _refused(_run(monkeypatch, "generate", "-r", SAMPLE, "-p", "x", *options, "-o", str(target)), target, capsys, field)
