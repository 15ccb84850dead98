"""Uploads: what is kept is the picture, every pixel of it and nothing else; what is no picture is refused by name."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin

from portrayal import imaging, packets, png
from portrayal.errors import ImageReadError, ImageTooLargeError
from portrayal.imaging import Array
from portrayal.service.pictures import Accepted, accepted, fingerprint
from portrayal.source import open_source

LIMITS: dict[str, Any] = {"max_bytes": 25 * 1024 * 1024, "max_pixels": 40_000_000}
SECRET = b"SECRET-PLACE-52.5200N-13.4050E"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def keep(data: bytes, **options: Any) -> Accepted:
    return accepted(data, "image", **(LIMITS | options))


def refused(data: bytes, **options: Any) -> str:
    with pytest.raises((ImageReadError, ImageTooLargeError)) as caught:
        keep(data, **options)
    assert caught.value.field == "image"
    assert caught.value.remedy
    return str(caught.value)


def noise(mode: str = "RGB", size: tuple[int, int] = (40, 30), seed: int = 1) -> Image.Image:
    """Smooth and rough at once, so that neither JPEG nor a turn goes unnoticed."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], bands), np.uint8)
    values[: size[1] // 2] = values[0, 0]
    return Image.frombytes(mode, size, values.tobytes())


def file(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pixels(data: bytes) -> Array:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image).copy()


def exif(turn: int = 1) -> bytes:
    """A block with an orientation, a place, and a thumbnail's worth of other things."""
    block = Image.Exif()
    block[0x0112] = turn
    block[0x010E] = SECRET.decode()
    block.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return block.tobytes()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    inner = b"WEBP" + b"".join(k + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for k, b in chunks)
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


# Files of every kind, each full of metadata


def dirty_jpeg(mode: str = "RGB", turn: int = 1, **options: Any) -> bytes:
    plain = file(noise(mode), "JPEG", icc_profile=SRGB if mode == "RGB" else None, exif=exif(turn), **options)
    added = [
        segment(0xE0, b"JFXX\0\x10" + SECRET),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
        segment(0xE2, b"MPF\0" + SECRET),
        segment(0xEB, b"JP\0\0" + SECRET),  # content credentials
        segment(0xED, b"Photoshop 3.0\0" + SECRET),
        segment(0xEE, SECRET),
        segment(0xEF, SECRET),
        segment(0xFE, SECRET),
    ]
    whole = plain[:2] + b"".join(added) + b"\xff\xff" + plain[2:]
    return whole[:-2] + segment(0xFE, SECRET) + whole[-2:] + SECRET + plain


def dirty_png(image: Image.Image | bytes, turn: int = 1, **options: Any) -> bytes:
    plain = image if isinstance(image, bytes) else file(image, "PNG", **options)
    head, end = plain[:33], len(plain) - 12
    added = [
        png.chunk(b"eXIf", exif(turn)[6:]),
        png.chunk(b"tEXt", b"Comment\0" + SECRET),
        png.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET)),
        png.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SECRET),
        png.chunk(b"tIME", bytes(7)),
        png.chunk(b"caBX", SECRET),
        png.chunk(b"prVt", SECRET),
        png.chunk(b"pHYs", bytes(9)),
        png.chunk(b"gAMA", struct.pack(">I", 45455)),
    ]
    late = png.chunk(b"tEXt", b"Late\0" + SECRET)
    return head + b"".join(added) + plain[33:end] + late + plain[end:] + SECRET


def dirty_webp(image: Image.Image, turn: int = 1, **options: Any) -> bytes:
    plain = file(image, "WEBP", exif=exif(turn), xmp=SECRET, icc_profile=SRGB, **options)
    return riff(*_webp(plain), (b"junk", SECRET + b"x")) + SECRET


def _webp(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def deep(channels: int) -> bytes:
    shape = (30, 40) if channels == 1 else (30, 40, channels)
    return png.encode(np.random.default_rng(2).integers(0, 65536, shape).astype(np.uint16))


def palette() -> Image.Image:
    image = noise().quantize(16)
    image.info["transparency"] = 3
    return image


KINDS = {
    "jpeg": dirty_jpeg(),
    "jpeg progressive": dirty_jpeg(progressive=True, quality=90),
    "jpeg restarts": dirty_jpeg(restart_marker_blocks=1),
    "jpeg gray": dirty_jpeg("L"),
    "jpeg cmyk": dirty_jpeg("CMYK"),
    "png rgb": dirty_png(noise(), icc_profile=SRGB),
    "png rgba": dirty_png(noise("RGBA")),
    "png gray": dirty_png(noise("L")),
    "png gray+alpha": dirty_png(noise("LA")),
    "png 1 bit": dirty_png(noise("L").convert("1")),
    "png palette": dirty_png(palette(), transparency=3),
    "png gray 16": dirty_png(deep(1)),
    "png gray+alpha 16": dirty_png(deep(2)),
    "png rgb 16": dirty_png(deep(3)),
    "png rgba 16": dirty_png(deep(4)),
    "webp": dirty_webp(noise(), quality=80),
    "webp alpha": dirty_webp(noise("RGBA"), quality=80),
    "webp lossless": dirty_webp(noise("RGBA"), lossless=True, exact=True),
    "webp simple": file(noise(), "WEBP"),
}


@pytest.mark.parametrize("name", KINDS)
def test_pixels_stay_and_metadata_goes(name: str) -> None:
    data = KINDS[name]
    kept = keep(data)
    assert (kept.width, kept.height, kept.notes) == (40, 30, ())
    assert kept.media_type == f"image/{name.split()[0]}"
    before, after = open_source(data, "image", 1), open_source(kept.data, "image", 1)
    np.testing.assert_array_equal(before.native, after.native)
    np.testing.assert_array_equal(before.rgb, after.rgb)
    assert (before.kind, before.depth, before.icc) == (after.kind, after.depth, after.icc)
    assert SECRET not in kept.data
    with Image.open(io.BytesIO(kept.data)) as image:
        image.load()
        assert set(image.info) <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe", "adobe_transform",
            "progressive", "progression", "icc_profile", "gamma", "transparency", "background", "loop", "timestamp",
            "duration",
        }  # fmt: skip
        assert not image.getexif()
    assert packets.read_xmp(kept.data) == ""
    assert len(kept.data) <= len(data)


def test_what_hides_inside_of_segments_that_are_kept_goes_too() -> None:
    plain = file(noise("CMYK"), "JPEG")
    assert b"\xff\xee\0\x0eAdobe" in plain
    adobe = plain.index(b"\xff\xee")
    jfif = segment(0xE0, b"JFIF\0\1\2\1\0\x48\0\x48" + bytes([2, 5]) + SECRET)
    longer = segment(0xEE, plain[adobe + 4 : adobe + 16] + SECRET)
    kept = keep(plain[:2] + jfif + longer + plain[adobe + 16 :])
    assert SECRET not in kept.data
    assert kept.data[:20] == b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\2\1\0\x48\0\x48\0\0")
    np.testing.assert_array_equal(pixels(kept.data), pixels(plain))


def test_the_header_of_a_webp_promises_only_what_is_there() -> None:
    for name in ("webp", "webp alpha", "webp lossless"):
        (kind, flags), *rest = _webp(keep(KINDS[name]).data)
        assert kind == b"VP8X"
        assert flags[0] == 0x20 | (0 if name == "webp" else 0x10)
        assert {k for k, _ in rest} <= {b"ICCP", b"ALPH", b"VP8 ", b"VP8L"}


@pytest.mark.parametrize("name", KINDS)
def test_what_was_kept_is_kept_again_as_it_is(name: str) -> None:
    once = keep(KINDS[name])
    assert keep(once.data) == once


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(["jpeg", "jpeg gray", "jpeg cmyk", "png", "webp", "webp lossless"]),
    turn=st.integers(0, 9),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    seed=st.integers(0, 99),
    mode=st.sampled_from(["RGB", "RGBA", "L", "LA"]),
)
def test_keeping_twice_is_keeping_once(name: str, turn: int, width: int, height: int, seed: int, mode: str) -> None:
    kind, _, variant = name.partition(" ")
    if kind == "jpeg":
        mode = {"gray": "L", "cmyk": "CMYK"}.get(variant, "RGB")
    elif kind == "webp" and mode[0] == "L":
        mode = "RGB"
    image = noise(mode, (width, height), seed)
    data = file(image, kind, exif=exif(turn), **({"lossless": True, "exact": True} if variant == "lossless" else {}))
    once = keep(data)
    assert keep(once.data) == Accepted(once.data, once.media_type, once.width, once.height)
    upright = (height, width) if 5 <= turn <= 8 else (width, height)
    assert (once.width, once.height) == upright == Image.open(io.BytesIO(once.data)).size


# Orientation


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize(
    "name", ["rgb", "rgba", "gray", "gray+alpha", "palette", "rgb 16", "gray+alpha 16", "webp lossless"]
)
def test_lossless_files_are_turned_exactly(name: str, turn: int) -> None:
    if name == "webp lossless":
        data = dirty_webp(noise("RGBA"), turn, lossless=True, exact=True)
    elif name == "palette":
        data = dirty_png(palette(), turn, transparency=3)
    elif name.endswith("16"):
        data = dirty_png(deep(3 if name == "rgb 16" else 2), turn)
    else:
        mode = {"rgb": "RGB", "rgba": "RGBA", "gray": "L", "gray+alpha": "LA"}[name]
        data = dirty_png(noise(mode), turn, icc_profile=SRGB if mode == "RGB" else None)
    kept = keep(data)
    before, after = open_source(data, "image", 1), open_source(kept.data, "image", 1)
    np.testing.assert_array_equal(after.native, before.native)
    np.testing.assert_array_equal(after.rgb, before.rgb)
    assert (after.icc, after.depth) == (before.icc, before.depth)
    assert (kept.width, kept.height) == ((40, 30) if turn < 5 else (30, 40)) == after.size
    assert len(kept.notes) == (turn != 1)
    assert keep(kept.data).data == kept.data


@pytest.mark.parametrize("turn", range(2, 9))
@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGBA")])
def test_lossy_files_are_turned_and_coded_finely(kind: str, mode: str, turn: int) -> None:
    smooth = noise(mode, (8, 6)).resize((80, 60), Image.Resampling.BICUBIC)
    icc = SRGB if mode == "RGB" else None
    data = file(smooth, kind, exif=exif(turn), icc_profile=icc, quality=90)
    kept = keep(data)
    assert "quality 95" in kept.notes[0]
    assert (kept.width, kept.height) == ((80, 60) if turn < 5 else (60, 80))
    with Image.open(io.BytesIO(data)) as image, Image.open(io.BytesIO(kept.data)) as after:
        expected = ImageOps.exif_transpose(image)
        assert after.mode == expected.mode
        assert after.info.get("icc_profile") == icc
        assert np.abs(np.asarray(after, np.float32) - np.asarray(expected, np.float32)).mean() < 2.5
        if mode == "RGB":
            assert {component[1:3] for component in after.layer} == {(1, 1)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 99, exif(99), exif(0)]
)
def test_a_broken_exif_block_turns_nothing(block: bytes) -> None:
    plain = file(noise(), "JPEG")
    kept = keep(plain[:2] + segment(0xE1, block) + plain[2:])
    assert kept.data == keep(plain).data


def test_orientation_in_either_byte_order_and_without_the_prefix() -> None:
    for order in "<>":
        tiff = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, 2)
        tiff += struct.pack(f"{order}HHIHH", 0x0100, 3, 1, 40, 0) + struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 6, 0)
        plain = file(noise(), "PNG")
        kept = keep(plain[:33] + png.chunk(b"eXIf", tiff) + plain[33:])
        np.testing.assert_array_equal(pixels(kept.data), np.rot90(pixels(plain), -1))


# Colour


def test_a_profile_keeps_its_colours_and_loses_its_name() -> None:
    plain = file(noise(), "PNG")
    body = SECRET + b"\0\0" + zlib.compress(SRGB) + SECRET
    kept = keep(plain[:33] + png.chunk(b"iCCP", body) + plain[33:])
    assert open_source(kept.data, "image", 1).icc == SRGB
    assert SECRET not in kept.data


@pytest.mark.parametrize("profile", [zlib.compress(bytes(300_000_000)), b"nonsense", zlib.compress(SRGB)[:-40]])
def test_a_profile_that_cannot_be_unpacked_is_dropped_with_a_note(profile: bytes) -> None:
    plain = file(noise(), "PNG")
    kept = keep(plain[:33] + png.chunk(b"iCCP", b"x\0\0" + profile) + plain[33:])
    assert kept.data == plain
    assert "profile" in kept.notes[0]


def test_text_that_unpacks_to_a_bomb_does_no_harm() -> None:
    plain = file(noise(), "PNG")
    bomb = png.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(300_000_000)))
    assert keep(plain[:33] + bomb * 9 + plain[33:]).data == plain


# Limits


def flat_png(width: int, height: int) -> bytes:
    """A gray PNG of any size in a few bytes a row."""
    squeeze = zlib.compressobj(9)
    rows = squeeze.compress(bytes((width + 1) * height)) + squeeze.flush() if width * height < 10**6 else b"x" * 99
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return png.SIGNATURE + png.chunk(b"IHDR", head) + png.chunk(b"IDAT", rows) + png.chunk(b"IEND", b"")


def large_jpeg(side: int) -> bytes:
    """One that is so large by its header."""
    plain = file(noise(), "JPEG")
    at = plain.index(b"\xff\xc0")
    return plain[: at + 5] + struct.pack(">HH", side, side) + plain[at + 9 :]


@pytest.mark.parametrize(
    "data", [flat_png(30_000, 30_000), flat_png(2**31 - 1, 2**31 - 1), large_jpeg(6400), large_jpeg(65500)]
)
def test_bombs_are_refused_from_their_header(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("it was unpacked"))
    tracemalloc.start()
    said = refused(data)
    assert "more than 40 megapixels" in said
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_the_size_is_told_where_the_header_tells_it() -> None:
    assert "30000x30000 px" in refused(flat_png(30_000, 30_000))


def test_limits_are_inclusive() -> None:
    data = file(noise(), "PNG")
    assert keep(data, max_bytes=len(data), max_pixels=1200).width == 40
    assert "more than" in refused(data, max_bytes=len(data) - 1)
    assert "megapixels" in refused(data, max_pixels=1199)


def test_a_file_of_26_megabytes() -> None:
    assert "26.0 MB, more than 25 MB" in refused(b"\xff\xd8\xff" + bytes(26 * 1024 * 1024 - 3))


def test_a_jpeg_of_very_many_passes_is_refused() -> None:
    plain = file(noise("L"), "JPEG", progressive=True)
    start = plain.rindex(b"\xff\xda")
    assert "damaged" in refused(plain[:start] + plain[start:-2] * 200 + b"\xff\xd9")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_of_very_many_pieces_is_refused(kind: str) -> None:
    plain = file(noise(), kind)
    if kind == "JPEG":
        data = plain[:2] + segment(0xFE, b"") * 60_000 + plain[2:]
    elif kind == "PNG":
        data = plain[:33] + png.chunk(b"tEXt", b"") * 60_000 + plain[33:]
    else:
        data = riff(*_webp(plain), *[(b"junk", b"")] * 60_000)
    assert "damaged" in refused(data)


def test_a_long_run_of_fill_bytes_costs_no_time() -> None:
    """Which would take hours if it were searched from each of them anew."""
    plain = file(noise(), "JPEG")
    run = b"\xff" * 5_000_000
    assert keep(plain[:2] + run + plain[2:-2] + run + plain[-2:]).data == plain
    assert "damaged" in refused(plain[:-2] + run + b"\0")


# What is no picture


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file"),
        (b"just a text, named .png", "a text"),
        (b"<!doctype html><html></html>", "a web page"),
        (file(noise(), "GIF"), "a GIF"),
        (file(noise(), "BMP"), "a BMP"),
        (file(noise(), "TIFF"), "a TIFF"),
        (file(noise(), "JPEG2000"), "a JPEG 2000"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "a HEIC"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"PK\x03\x04" + bytes(99), "a zip archive"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a RIFF file"),
        (bytes(500), "an unknown kind of file"),
    ],
)
def test_other_files_are_named(data: bytes, said: str) -> None:
    message = refused(data)
    assert said in message
    assert "Give a JPEG, PNG or WebP file." in message


def test_formats_can_be_fewer() -> None:
    message = refused(file(noise(), "JPEG"), formats=("PNG",))
    assert "this is a JPEG, not a PNG picture" in message
    assert keep(file(noise(), "PNG"), formats=("PNG",)).media_type == "image/png"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_animations_are_refused_with_a_remedy(kind: str) -> None:
    data = file(noise(), kind, save_all=True, append_images=[noise(seed=2), noise(seed=3)])
    message = refused(data)
    assert "a GIF" in message if kind == "GIF" else "animated" in message and "one frame" in message


def test_a_photograph_with_a_second_view_keeps_the_first() -> None:
    data = file(noise(), "MPO", save_all=True, append_images=[noise(seed=2)])
    kept = keep(data)
    np.testing.assert_array_equal(pixels(kept.data), pixels(data))
    assert kept.data.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize("name", KINDS)
def test_cut_files_are_refused_wherever_they_are_cut(name: str) -> None:
    data = keep(KINDS[name]).data
    for end in {*range(len(data) - 12, len(data)), *range(12, len(data), 37)}:
        assert "damaged or cut off" in refused(data[:end])


@pytest.mark.parametrize("name", ["png rgb", "png palette", "png gray 16"])
def test_a_png_with_one_wrong_byte_is_refused(name: str) -> None:
    data = keep(KINDS[name]).data
    for at in range(29, len(data) - 12, 23):
        broken = bytearray(data)
        broken[at] ^= 0x10
        assert "damaged" in refused(bytes(broken))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(KINDS)),
    at=st.floats(0, 1, exclude_max=True),
    put=st.binary(min_size=1, max_size=8),
    insert=st.booleans(),
)
def test_damaged_files_are_kept_or_refused_and_nothing_else(name: str, at: float, put: bytes, insert: bool) -> None:
    data = KINDS[name]
    place = int(at * len(data))
    broken = data[:place] + put + data[place + (0 if insert else len(put)) :]
    try:
        once = keep(broken)
    except (ImageReadError, ImageTooLargeError):
        return
    assert keep(once.data).data == once.data
    imaging.decode(once.data, least=1)


# Fingerprint


def gray(values: Array) -> bytes:
    return file(Image.fromarray(values.astype(np.uint8)), "PNG")


def test_fingerprints_of_slopes() -> None:
    """Brighter to the right gives ones, darker zeros; the leftmost bit of the top row comes first."""
    slope = np.tile(np.arange(90, dtype=np.uint8) * 2, (80, 1))
    assert fingerprint(gray(slope)) == "f" * 16
    assert fingerprint(gray(slope[:, ::-1])) == "0" * 16
    half = slope.copy()
    half[40:] = half[40:, ::-1]
    assert fingerprint(gray(half)) == "ffffffff00000000"
    tent = np.concatenate([slope[:, :45], slope[:, 44::-1]], axis=1)
    assert fingerprint(gray(tent)) == "f0" * 8


def _bits_apart(one: str, two: str) -> int:
    return (int(one, 16) ^ int(two, 16)).bit_count()


def test_a_fingerprint_outlives_scaling_and_coding_and_tells_pictures_apart(sample: bytes) -> None:
    own = fingerprint(sample)
    image = Image.open(io.BytesIO(sample)).convert("RGB")
    for again in (
        file(image, "JPEG", quality=40),
        file(image.resize((150, 190)), "WEBP"),
        file(image.convert("L"), "PNG"),
        file(ImageOps.autocontrast(image), "JPEG", exif=exif(1)),
    ):
        assert _bits_apart(own, fingerprint(again)) <= 4
    turned = file(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif(6), quality=95)
    assert _bits_apart(own, fingerprint(turned)) <= 4
    assert _bits_apart(own, fingerprint(file(ImageOps.mirror(image), "PNG"))) > 10


def test_a_fingerprint_needs_a_picture() -> None:
    with pytest.raises(ImageReadError):
        fingerprint(b"no picture")


def test_text_in_png_by_the_library_itself_goes() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", SECRET.decode(), zip=True)
    data = file(noise(), "PNG", pnginfo=info)
    with Image.open(io.BytesIO(keep(data).data)) as image:
        assert image.text == {}  # type: ignore[attr-defined]
