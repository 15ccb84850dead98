"""The image door: what is read, what is refused and how, and that files are written whole or not at all."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portrayal import imaging, masks
from portrayal.errors import (
    ImageReadError,
    ImageTooLargeError,
    ImageTooSmallError,
    MaskMismatchError,
    OutputError,
)


def _bytes(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _gradient(width: int = 96, height: int = 80) -> imaging.U8:
    y, x = np.mgrid[:height, :width]
    return np.dstack([x * 255 // width, y * 255 // height, (x + y) % 256]).astype(np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG", "WEBP"])
def test_each_format_is_read(kind: str) -> None:
    source = _gradient()
    read = imaging.decode(_bytes(Image.fromarray(source), kind))
    assert read.shape == source.shape
    assert np.abs(read.astype(int) - source).mean() < (0.01 if kind in ("PNG", "BMP", "TIFF") else 12)


def test_exif_orientation_is_applied() -> None:
    image = Image.fromarray(_gradient())
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees to stand upright
    read = imaging.decode(_bytes(image, "JPEG", exif=exif, quality=95))
    assert read.shape == (96, 80, 3)


def test_sixteen_bit_grey_keeps_its_values() -> None:
    values = np.linspace(0, 65535, 96 * 80).reshape(80, 96).astype(np.uint16)
    read = imaging.decode(_bytes(Image.fromarray(values)))
    assert np.abs(read[..., 0].astype(float) - values / 257).max() <= 1


def test_cmyk_becomes_rgb() -> None:
    cmyk = Image.new("CMYK", (96, 80), (0, 255, 255, 0))
    r, g, b = imaging.decode(_bytes(cmyk, "JPEG", quality=95))[40, 40]
    assert r > 180
    assert g < 80
    assert b < 80


def test_transparency_is_put_over_light_grey() -> None:
    image = Image.new("RGBA", (96, 80), (255, 0, 0, 0))
    image.paste((10, 200, 30, 255), (20, 20, 60, 60))
    read = imaging.decode(_bytes(image))
    assert tuple(read[5, 5]) == (236, 236, 236)
    assert tuple(read[40, 40]) == (10, 200, 30)


def test_a_wide_gamut_profile_is_converted() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    lab = Image.new("RGB", (96, 80), (200, 100, 50))
    read = imaging.decode(_bytes(lab, icc_profile=profile.tobytes()))  # does not fit RGB: must not break
    assert tuple(read[0, 0]) == (200, 100, 50)


def _bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9000, 30000, 60000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    with pytest.raises(ImageTooLargeError):
        imaging.decode(_bomb(side, side))


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"<svg></svg>", b"%PDF-1.4", bytes(5000)])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ImageReadError) as caught:
        imaging.decode(data, "reference")
    assert caught.value.field == "reference"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)
    data = _bytes(Image.fromarray(noise), kind)
    with pytest.raises(ImageReadError):
        imaging.decode(data[: int(len(data) * share)])


def test_an_animation_is_refused() -> None:
    frames = [Image.new("RGB", (96, 80), (i * 90, 0, 0)) for i in range(3)]
    data = _bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageReadError, match="animated"):
        imaging.decode(data)


def test_forty_pixels_are_too_small() -> None:
    with pytest.raises(ImageTooSmallError, match="40x40"):
        imaging.decode(_bytes(Image.new("RGB", (40, 40))))


def test_png_text_survives_and_equal_input_gives_equal_bytes() -> None:
    text = {"portrayal": '{"prompt": "夜の東京"}'}
    one, two = imaging.encode_png(_gradient(), text), imaging.encode_png(_gradient(), text)
    assert one == two
    assert imaging.read_png_text(one) == text
    assert np.array_equal(imaging.decode(one), _gradient())


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="no file"):
        imaging.read_bytes(tmp_path / "nothing.jpg", "reference")
    with pytest.raises(ImageReadError, match="folder"):
        imaging.read_bytes(tmp_path, "reference")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "picture.png"
    target.write_bytes(b"the picture of yesterday")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        imaging.write_file(target, b"x" * 1000)
    assert target.read_bytes() == b"the picture of yesterday"
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


def test_masks_have_one_internal_form() -> None:
    mask = np.zeros((80, 96), np.uint8)
    mask[10:20, 10:30] = 200
    white = masks.normalise(mask, (96, 80))
    black = masks.normalise(255 - mask, (96, 80), "black")
    assert np.array_equal(white, black)
    assert set(np.unique(white)) == {0, 255}
    with pytest.raises(MaskMismatchError, match="96x80"):
        masks.normalise(mask, (100, 80))
    with pytest.raises(MaskMismatchError, match="nothing"):
        masks.normalise(np.zeros((80, 96), np.uint8), (96, 80))


def test_a_mask_is_read_from_alpha_or_from_grey() -> None:
    image = Image.new("RGBA", (96, 80), (255, 255, 255, 0))
    image.paste((0, 0, 0, 255), (20, 20, 60, 60))
    assert imaging.decode_mask(_bytes(image))[40, 40] == 255
    assert imaging.decode_mask(_bytes(image))[5, 5] == 0
    grey = Image.new("L", (96, 80), 0)
    grey.paste(255, (20, 20, 60, 60))
    assert imaging.decode_mask(_bytes(grey))[40, 40] == 255
