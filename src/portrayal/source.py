"""A picture that is to be edited, with its own pixels kept: what is not painted anew stays equal to the bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from PIL import Image

from portrayal import imaging, png, profiles
from portrayal.errors import MaskMismatchError
from portrayal.imaging import MIN_SIDE, U8, UNDER_ALPHA, Array
from portrayal.parallel import bands
from portrayal.request import OutputFormat

Kind: TypeAlias = Literal["gray", "gray+alpha", "rgb", "rgba"]

_KINDS: Final[dict[int, Kind]] = {1: "gray", 2: "gray+alpha", 3: "rgb", 4: "rgba"}
_CHANNELS: Final = {0: 1, 2: 3, 4: 2, 6: 4}  # by PNG colour type
_BITS_PER_SAMPLE: Final = 258  # TIFF tag
_ORIENTATION: Final = 274  # EXIF tag
# What each EXIF orientation asks for to stand upright: turned by 90 degrees counter-clockwise how often, then mirrored.
_UPRIGHT: Final = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}
_WIDE: Final = ("I", "F")


@dataclass(frozen=True)
class Source:
    """A decoded picture, twice: as everybody works on it, and as the file holds it.

    Attributes:
        rgb: (h, w, 3) upright sRGB, as `imaging.decode` gives it: transparency lies over light grey.
        native: (h, w) or (h, w, 2..4) uint8 or uint16, upright, in the file's own colours.
        alpha: (h, w) uint8; None for an opaque kind.
        icc: the colour profile of `native`; None for sRGB.
        kind, depth: what `native` holds.
        notes: what had to be converted.
    """

    rgb: U8
    native: Array
    alpha: U8 | None
    icc: bytes | None
    kind: Kind
    depth: Literal[8, 16]
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]


def open_source(data: bytes, field: str = "image", least: int = MIN_SIDE) -> Source:
    """Decode a picture for editing.

    Read in full: JPEG, PNG (1 to 16 bits; gray, RGB, palette, each with transparency), WebP, TIFF of 8 and 16 bits.
    Other modes (CMYK, Lab, 32-bit) become 8-bit sRGB, with a note.

    Args:
        data: bytes of the file.
        field: name of the request field, for the errors.
        least: fewest pixels of the shorter side.

    Raises:
        ImageReadError, ImageTooLargeError, ImageTooSmallError: as for `imaging.decode`.
    """
    image = imaging.opened(data, field)
    imaging.check_least(image.size, field, least)
    notes: list[str] = []
    icc = image.info.get("icc_profile")
    if _is_deep(data, image):
        native = _deep(data, image, field)
    else:
        native = _shallow(imaging.loaded(image, field), notes)
        if notes:
            icc = None
    kind = _KINDS[1 if native.ndim == 2 else native.shape[2]]
    gray = kind.startswith("gray")
    if icc and not profiles.fits(icc, "L" if gray else "RGB"):
        notes.append("the colour profile cannot be used; the picture is taken as sRGB")
        icc = None
    srgb = icc is None or (not gray and profiles.is_srgb(icc))
    return Source(
        rgb=_working(native, None if srgb else icc),
        native=native,
        alpha=_codes(native[..., -1]) if kind in ("gray+alpha", "rgba") else None,
        icc=icc,
        kind=kind,
        depth=8 if native.dtype == np.uint8 else 16,
        notes=tuple(notes),
    )


def _is_deep(data: bytes, image: Image.Image) -> bool:
    """Whether the file holds 16 bits a channel, which Pillow reduces to 8 for more than one channel."""
    if image.format == "PNG":
        return data[24] == 16
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS_PER_SAMPLE, (1,))  # type: ignore[attr-defined]
        return set(bits if isinstance(bits, tuple) else (bits,)) == {16} and image.mode != "CMYK"
    return False


def _deep(data: bytes, image: Image.Image, field: str) -> Array:
    # OpenCV fills a damaged file with grey, without a word.
    if image.format != "PNG" or not png.is_whole(data):
        imaging.loaded(image, field)
    orientation = image.getexif().get(_ORIENTATION, 1)
    # Pillow opens gray with transparency of 16 bits as RGBA; the header of a PNG file says what it is.
    channels = _CHANNELS[data[25]] if image.format == "PNG" else len(image.getbands())
    channels += "transparency" in image.info
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or read.dtype != np.uint16:
        native = np.asarray(image).astype(np.uint16)
        return native if native.max(initial=0) > 255 else native * np.uint16(257)
    if read.ndim == 3:
        channels = min(channels, read.shape[2])
        if channels < 3:  # gray, which OpenCV repeats in three channels
            read = read[..., 0] if channels == 1 else read[..., [0, 3]]
        else:
            read = cv2.cvtColor(read, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA)
    turns, mirrored = _UPRIGHT.get(orientation, (0, False))
    upright = np.rot90(read, turns)
    return np.ascontiguousarray(np.fliplr(upright) if mirrored else upright)


def _shallow(image: Image.Image, notes: list[str]) -> Array:
    mode = image.mode
    clear = "transparency" in image.info
    if mode in ("1", "L"):
        image = image.convert("LA" if clear else "L")
    elif mode in ("P", "PA"):
        image = image.convert("RGBA" if clear or mode == "PA" else "RGB")
    elif mode in ("RGB", "RGBA", "LA"):
        image = image.convert("RGBA") if mode == "RGB" and clear else image
    elif mode in ("RGBa", "La"):
        image = image.convert("RGBA" if mode == "RGBa" else "LA")
    else:
        name = "32-bit" if mode.startswith(_WIDE) else mode
        notes.append(f"{name} colours were converted to 8-bit sRGB")
        image = imaging.to_rgb(image)
    return np.array(image, np.uint8)


def _codes(values: Array) -> U8:
    """16-bit values as 8-bit codes; 8-bit ones as they are."""
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    # Rounded division by 257, which the kernels of OpenCV do on all cores.
    return np.asarray(cv2.convertScaleAbs(np.ascontiguousarray(values), alpha=1 / 257), np.uint8)


def _split(native: Array) -> tuple[Array, Array | None]:
    """Colours and transparency."""
    if native.ndim == 3 and native.shape[2] in (2, 4):
        return native[..., 0] if native.shape[2] == 2 else native[..., :3], native[..., -1]
    return native, None


def _working(native: Array, icc: bytes | None) -> U8:
    colours, alpha = _split(native)
    rgb = np.ascontiguousarray(_codes(colours))
    flat = profiles.to_srgb(Image.fromarray(rgb), icc) if icc else None
    if flat is not None:
        rgb = np.array(flat, np.uint8)
    elif rgb.ndim == 2:
        rgb = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_GRAY2RGB), np.uint8)
    if alpha is None:
        return rgb
    part = _codes(alpha).astype(np.float32)[..., None] / np.float32(255)
    return np.asarray(rgb * part + UNDER_ALPHA * (1 - part) + np.float32(0.5), np.float32).astype(np.uint8)


def merge(source: Source, patch: U8, x: int = 0, y: int = 0, mask: U8 | None = None, cover: U8 | None = None) -> Array:
    """The native pixels with a patch painted in.

    Only pixels under the mask whose colour or cover differs from before change; all others are equal to the bit. New
    colours go through the file's own profile; a gray file takes their luma (Rec. 601); a 16-bit one keeps the low bits
    of what was there below the change.

    Args:
        source: the picture.
        patch: (ph, pw, 3) uint8 sRGB, what shall be seen, transparency over light grey as in `Source.rgb`.
        x, y: where the upper left corner of the patch lies.
        mask: (ph, pw) uint8, 0 = must not change; None = all may.
        cover: (ph, pw) uint8, how much of a pixel was painted: transparent pixels become at least so opaque.

    Returns:
        a new array of the shape and depth of `source.native`.

    Raises:
        MaskMismatchError: patch, mask and cover differ in size, or do not lie within the picture.
    """
    height, width = patch.shape[:2]
    shapes = [a.shape for a in (mask, cover) if a is not None]
    if any(s != (height, width) for s in shapes) or not _within(source, x, y, width, height):
        raise MaskMismatchError(
            f"a patch of {width}x{height} px at {x},{y} does not fit", field="edit_mask", remedy="Use one size."
        )
    native = source.native.copy()
    if mask is not None:
        left, top, wide, high = cv2.boundingRect(mask)
        if wide == 0:
            return native
        part = np.s_[top : top + high, left : left + wide]
        patch, mask, cover = patch[part], mask[part], None if cover is None else cover[part]
        x, y, width, height = x + left, y + top, wide, high
    here = np.s_[y : y + height, x : x + width]
    if source.kind == "rgb" and source.depth == 8 and source.icc is None:  # the common case, ten times as fast
        native[here] = patch if mask is None else cv2.copyTo(patch, mask, native[here].copy())
        return native
    bands(lambda a, b: _paint(source, native, patch, mask, cover, (x, y), (a, b)), height)
    return native


def _within(source: Source, x: int, y: int, width: int, height: int) -> bool:
    return x >= 0 and y >= 0 and x + width <= source.size[0] and y + height <= source.size[1]


def _paint(
    source: Source,
    native: Array,
    patch: U8,
    mask: U8 | None,
    cover: U8 | None,
    at: tuple[int, int],
    rows: tuple[int, int],
) -> None:
    """Write those pixels of some rows of a patch that differ from what is there."""
    first, last = rows
    here = np.s_[at[1] + first : at[1] + last, at[0] : at[0] + patch.shape[1]]
    patch = patch[first:last]
    colours, clear = _split(native[here])
    changed = (patch != source.rgb[here]).any(axis=2)
    if clear is not None and cover is not None:
        step = 1 if source.depth == 8 else 257
        opaque = cover[first:last].astype(native.dtype) * native.dtype.type(step)
        changed |= opaque > clear
        clear = np.maximum(clear, opaque)
    if mask is not None:
        changed &= mask[first:last] > 0
    if not changed.any():
        return
    if clear is not None:
        # What was seen is the colour over light grey; the colour itself is what that grey is taken from.
        part = np.maximum(_codes(clear).astype(np.float32)[..., None], 1) / np.float32(255)
        own = (patch - UNDER_ALPHA * (1 - part)) / part
        patch = np.clip(own + np.float32(0.5), 0, 255).astype(np.uint8)
    new: Array = _own_colours(patch, source)
    if source.depth == 16:
        change = new.astype(np.int32) - _codes(colours)
        new = np.clip(colours + change * 257, 0, 65535).astype(np.uint16)
    if clear is not None:
        new = np.dstack([new, clear])
    where = changed if native.ndim == 2 else changed[..., None]
    np.copyto(native[here], new, where=where)


def _own_colours(codes: U8, source: Source) -> U8:
    """(h, w, 3) sRGB codes in the colours of the file; (h, w) for gray."""
    gray = source.kind.startswith("gray")
    if source.icc is not None:
        return profiles.from_srgb(codes, source.icc, "L" if gray else "RGB")
    return np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY), np.uint8) if gray else codes


def encode_native(source: Source, native: Array, kind: OutputFormat = "png", *, lossless: bool = True) -> bytes:
    """The file of edited native pixels: PNG in the source's own kind, depth and profile; JPEG and WebP in 8 bits.

    Args:
        source: where the pixels come from.
        native: as `merge` gives it; its size and channels may differ (a reframed picture, one with new transparency).
        kind: the format.
        lossless: for WebP.

    Raises:
        OutputError: the picture is too large for the format.
    """
    icc = source.icc
    if icc and kind == "webp" and source.kind.startswith("gray"):  # WebP holds colours only, with a profile of colours
        colours, alpha = _split(native)
        rgb = _working(colours, icc)
        native = rgb if alpha is None else np.dstack([rgb, _codes(alpha)])
        icc = None
    return imaging.encode(native, kind, lossless=lossless, icc=icc)
