"""Pictures that are edited: what is outside of the mask comes back equal to the bit, in every kind of file."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from portrayal import imaging, profiles
from portrayal.errors import ImageReadError, ImageTooLargeError, ImageTooSmallError, MaskMismatchError, OutputError
from portrayal.imaging import U8, Array
from portrayal.source import Source, encode_native, merge, open_source

KINDS = {1: "gray", 2: "gray+alpha", 3: "rgb", 4: "rgba"}


def _file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _noise(height: int, width: int, channels: int, depth: int, seed: int = 1) -> Array:
    shape = (height, width) if channels == 1 else (height, width, channels)
    top = 256 if depth == 8 else 65536
    return np.random.default_rng(seed).integers(0, top, shape).astype(np.uint8 if depth == 8 else np.uint16)


def _profile(gamma: float, colours: tuple[tuple[float, float, float], ...] | None) -> bytes:
    """An ICC profile of version 2.4: matrix and gamma for RGB; gamma alone for gray."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(number, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    white = (0.9642, 1.0, 0.8249)
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", name), (b"wtpt", xyz(white)), (b"cprt", b"text\0\0\0\0none\0")]
    if colours is None:
        tags.append((b"kTRC", curve))
    else:
        tags += [(name, xyz(c)) for name, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colours, strict=True)]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags:
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    space = b"GRAY" if colours is None else b"RGB "
    head = struct.pack(">I", start + len(body)) + b"none\x02\x40\0\0mntr" + space + b"XYZ " + bytes(12) + b"acsp"
    return head.ljust(68, b"\0") + b"".join(map(number, white)) + bytes(128 - 80) + table + body


WIDE = _profile(2.2, ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)))  # Display P3
GRAY_18 = _profile(1.8, None)


def _png(native: Array, icc: bytes | None = None) -> bytes:
    return imaging.encode(native, "png", icc=icc)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    height=st.integers(64, 150),
    width=st.integers(64, 150),
    channels=st.sampled_from((1, 2, 3, 4)),
    depth=st.sampled_from((8, 16)),
    profiled=st.booleans(),
    seed=st.integers(0, 999),
    share=st.floats(0, 1),
    covered=st.booleans(),
)
def test_outside_of_the_mask_the_saved_file_is_equal_to_the_bit(
    height: int, width: int, channels: int, depth: int, profiled: bool, seed: int, share: float, covered: bool
) -> None:
    rng = np.random.default_rng(seed)
    native = _noise(height, width, channels, depth, seed)
    icc = (WIDE if channels > 2 else GRAY_18) if profiled else None
    source = open_source(_png(native, icc))
    assert (source.kind, source.depth, source.icc) == (KINDS[channels], depth, icc)
    assert np.array_equal(source.native, native)
    mask = (rng.random((height, width)) < share).astype(np.uint8) * np.uint8(255)
    patch = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    merged = merge(source, patch, 0, 0, mask, mask if covered else None)
    again = open_source(encode_native(source, merged))
    assert (again.kind, again.depth, again.icc) == (source.kind, source.depth, source.icc)
    assert np.array_equal(again.native, merged)
    assert np.array_equal(again.native[mask == 0], native[mask == 0])
    if channels >= 3:  # what was asked for is seen; wide colours clip, transparency rounds
        seen = np.abs(again.rgb.astype(int) - patch)[mask > 0]
        if channels == 3:
            # A gamma of 2.2 has too few codes for the deepest shadows of sRGB.
            seen = seen[(patch[mask > 0] >= 40).all(axis=1)] if profiled else seen
            assert seen.max(initial=0) <= (2 if profiled else 1)
        elif covered:
            assert seen.size == 0 or np.median(seen) <= 2


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_patch_that_repeats_what_is_there_changes_nothing(channels: int, depth: int) -> None:
    for icc in (None, WIDE if channels > 2 else GRAY_18):
        source = open_source(_png(_noise(80, 96, channels, depth), icc))
        merged = merge(source, source.rgb, 0, 0, np.full((80, 96), 255, np.uint8))
        assert np.array_equal(merged, source.native)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_a_patch_is_seen_where_it_was_painted(kind: str, depth: int, channels: int) -> None:
    native = np.full((96, 128, channels), 90 if depth == 8 else 90 * 257 + 31, np.uint8 if depth == 8 else np.uint16)
    if channels in (2, 4):
        native[..., -1] = 255 if depth == 8 else 65535
    source = open_source(_png(native if channels > 1 else native[..., 0]))
    patch = np.full((40, 50, 3), 160, np.uint8)
    merged = merge(source, patch, 30, 20)
    read = imaging.decode(encode_native(source, merged, kind))  # type: ignore[arg-type]
    assert np.abs(read[25:55, 35:75].astype(int) - 160).max() <= (0 if kind != "jpeg" else 3)
    assert np.abs(read[:10].astype(int) - 90).max() <= (0 if kind != "jpeg" else 3)


def test_low_bits_stay_below_a_change() -> None:
    native = np.full((64, 64, 3), 100 * 257 + 77, np.uint16)
    source = open_source(_png(native))
    patch = source.rgb.copy()
    patch[10:20, 10:20] += 20
    merged = merge(source, patch)
    assert set(np.unique(merged[10:20, 10:20])) == {120 * 257 + 77}
    assert np.array_equal(merged[30:], native[30:])


def test_transparent_pixels_become_opaque_where_something_was_painted() -> None:
    native = np.zeros((64, 64, 4), np.uint8)
    native[:, 32:] = (10, 20, 30, 255)
    source = open_source(_png(native))
    cover = np.zeros((64, 64), np.uint8)
    cover[:, :16] = 255
    cover[:, 16:24] = 128
    patch = source.rgb.copy()
    patch[:, :16] = (200, 100, 50)
    patch[:, 16:24] = (218, 168, 143)  # half of it over the light grey
    merged = merge(source, patch, 0, 0, np.full((64, 64), 255, np.uint8), cover)
    assert tuple(merged[5, 5]) == (200, 100, 50, 255)
    assert np.abs(merged[5, 20].astype(int) - (200, 100, 50, 128)).max() <= 1
    assert np.array_equal(merged[:, 24:], native[:, 24:])


def test_wide_colours_are_converted_and_converted_back() -> None:
    native = np.full((64, 64, 3), (200, 60, 40), np.uint8)
    source = open_source(_png(native, WIDE))
    assert source.rgb[0, 0, 0] > 205  # the same red has a larger code in sRGB
    assert np.array_equal(source.rgb, imaging.decode(_png(native, WIDE)))
    merged = merge(source, np.full((8, 8, 3), 128, np.uint8), 4, 4)
    assert np.abs(open_source(encode_native(source, merged)).rgb[5, 5].astype(int) - 128).max() <= 1
    assert np.array_equal(merged[20:], native[20:])


def test_srgb_by_another_name_moves_no_pixel() -> None:
    from PIL import ImageCms

    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    native = _noise(64, 64, 3, 8)
    source = open_source(_png(native, icc))
    assert profiles.is_srgb(icc)
    assert not profiles.is_srgb(WIDE)
    assert np.array_equal(source.rgb, native)
    assert source.icc == icc


@pytest.mark.parametrize("icc", [b"broken", GRAY_18])
def test_a_profile_that_does_not_fit_is_left_out_with_a_note(icc: bytes) -> None:
    source = open_source(_file(Image.fromarray(_noise(64, 64, 3, 8)), icc_profile=icc))
    assert source.icc is None
    assert "profile" in source.notes[0]


FILES: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "1": (lambda: _file(Image.new("1", (70, 80), 1)), "gray", 8),
    "2 bit": (lambda: _file(Image.new("P", (70, 80)).convert("L"), bits=2), "gray", 8),
    "palette": (lambda: _file(Image.fromarray(_noise(80, 70, 3, 8)).quantize(16)), "rgb", 8),
    "palette with transparency": (
        lambda: _file(Image.fromarray(_noise(80, 70, 3, 8)).quantize(16), transparency=3),
        "rgba",
        8,
    ),
    "gray jpeg": (lambda: _file(Image.fromarray(_noise(80, 70, 1, 8)), "JPEG"), "gray", 8),
    "cmyk jpeg": (lambda: _file(Image.new("CMYK", (70, 80), (0, 200, 200, 0)), "JPEG"), "rgb", 8),
    "webp": (lambda: _file(Image.fromarray(_noise(80, 70, 3, 8)), "WEBP"), "rgb", 8),
    "webp with alpha": (lambda: _file(Image.fromarray(_noise(80, 70, 4, 8)), "WEBP", lossless=True), "rgba", 8),
    "tiff": (lambda: _file(Image.fromarray(_noise(80, 70, 3, 8)), "TIFF"), "rgb", 8),
    "tiff of 16 bits": (lambda: cv2.imencode(".tiff", _noise(80, 70, 3, 16))[1].tobytes(), "rgb", 16),
    "gray tiff of 16 bits": (lambda: cv2.imencode(".tiff", _noise(80, 70, 1, 16))[1].tobytes(), "gray", 16),
    "float tiff": (lambda: _file(Image.fromarray(np.ones((80, 70), np.float32)), "TIFF"), "rgb", 8),
    "lab tiff": (lambda: _file(Image.new("LAB", (70, 80)), "TIFF"), "rgb", 8),
}


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_is_read(name: str) -> None:
    make, kind, depth = FILES[name]
    data = make()
    source = open_source(data)
    assert (source.kind, source.depth, source.size) == (kind, depth, (70, 80))
    assert np.abs(source.rgb.astype(int) - imaging.decode(data)).max() <= 1
    assert bool(source.notes) == (name in ("cmyk jpeg", "float tiff", "lab tiff"))


def test_sixteen_bit_colours_of_a_tiff_are_those_that_were_written() -> None:
    native = _noise(80, 70, 3, 16)
    data = cv2.imencode(".tiff", native[..., ::-1])[1].tobytes()
    assert np.array_equal(open_source(data).native, native)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "16 bit"])
def test_every_orientation_stands_upright(kind: str, orientation: int) -> None:
    y, x = np.mgrid[:80, :70]
    codes = np.dstack([x * 3, y * 3, np.full_like(x, 128)]).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = _file(Image.fromarray(codes), "JPEG" if kind == "JPEG" else "PNG", exif=exif, **_quality(kind))
    if kind == "16 bit":  # the same file, each sample twice as long
        data = _deepened(data, codes)
    source = open_source(data)
    assert source.depth == (16 if kind == "16 bit" else 8)
    assert np.abs(source.rgb.astype(int) - imaging.decode(data)).max() <= 1
    assert source.size == ((70, 80) if orientation < 5 else (80, 70))


def _quality(kind: str) -> dict[str, Any]:
    return {"quality": 95} if kind == "JPEG" else {}


def _deepened(png: bytes, codes: U8) -> bytes:
    from portrayal.png import chunks

    exif = next((png[a:b] for name, a, b in chunks(png) if name == b"eXIf"), b"")
    deep = _png(codes.astype(np.uint16) * 257)
    return deep[:33] + exif + deep[33:]


@pytest.mark.parametrize("size", [(64, 64), (6000, 64), (64, 6000), (1001, 777)])
def test_every_size_comes_back(size: tuple[int, int]) -> None:
    native = _noise(size[1], size[0], 3, 8)
    source = open_source(_png(native))
    mask = np.zeros(native.shape[:2], np.uint8)
    mask[20:40, 30:50] = 255
    merged = merge(source, np.zeros_like(native), 0, 0, mask)
    assert np.array_equal(open_source(encode_native(source, merged)).native[mask == 0], native[mask == 0])
    assert not merged[mask > 0].any()


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ImageTooSmallError):
        open_source(_file(Image.new("RGB", (63, 90))))
    with pytest.raises(ImageTooLargeError):
        open_source(_file(Image.new("1", (10_000, 8_100))))
    with pytest.raises(ImageReadError):
        open_source(_png(_noise(90, 90, 3, 16))[:20_000])
    deep = bytearray(_png(_noise(90, 90, 3, 16)))
    deep[20_000] ^= 255
    with pytest.raises(ImageReadError):
        open_source(bytes(deep))
    with pytest.raises(OutputError, match="too long"):
        imaging.encode(np.zeros((8, 16_400, 3), np.uint8), "webp")


@pytest.mark.parametrize("at", [(-1, 0), (0, 60), (60, 0)])
def test_a_patch_must_lie_within(at: tuple[int, int]) -> None:
    source = open_source(_png(_noise(64, 64, 3, 8)))
    with pytest.raises(MaskMismatchError):
        merge(source, np.zeros((8, 8, 3), np.uint8), *at)
    with pytest.raises(MaskMismatchError):
        merge(source, np.zeros((8, 8, 3), np.uint8), 0, 0, np.zeros((8, 9), np.uint8))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_profiles_are_embedded_in_every_format(kind: str) -> None:
    native = np.full((64, 64, 3), (200, 60, 40), np.uint8)
    source: Source = open_source(_png(native, WIDE))
    again = open_source(encode_native(source, source.native, kind))  # type: ignore[arg-type]
    assert again.icc == WIDE
    assert np.abs(again.rgb.astype(int) - source.rgb).max() <= 3
