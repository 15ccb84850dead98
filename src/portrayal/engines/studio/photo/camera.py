"""What the camera did to a photograph, read off its pixels, and done again to the person who is put into it.

Grain: the noise estimate of Immerkaer (1996) on the calmest blocks, at two scales, which tells its size too. Softness:
the re-blur ratio at edges (Zhuo and Sim 2011). Large pictures are read in tiles, so that the cost does not grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from portrayal.engines.studio.light.tone import LUMA, luminance, untone
from portrayal.imaging import F32, U8, Array, Bool
from portrayal.perception.types import FaceReading

_TILE, _ACROSS, _DOWN = 128, 4, 3
_BLOCK = 16
_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
# Gaussian grain of this sigma: share of its deviation that the estimate sees, and the estimate at half size over it.
_GRAIN_SIZE = (0.0, 0.35, 0.5, 0.65, 0.8, 1.0, 1.3, 1.7)
_GRAIN_SEEN = (1.0, 0.959, 0.657, 0.337, 0.174, 0.084, 0.034, 0.013)
_GRAIN_HALF = (0.503, 0.528, 0.814, 1.56, 2.68, 4.31, 6.60, 9.10)
_REBLUR = 1.0
# Residual in codes under which every colour of a picture is a tone of one scale: grey, sepia, cyanotype.
_TONED = 5.0
# Softness that a face keeps its identity with, in face heights.
_SOFTEST = 0.011


@dataclass(frozen=True)
class Camera:
    """What the camera did.

    Attributes:
        grain: deviation of the luminance noise in mid-tones, display codes 0..1.
        grain_size: Gaussian sigma of the grain in pixels.
        grain_colour: deviation of the colour noise over that of the luminance.
        softness: Gaussian sigma in pixels of the sharpest edges.
        black, white: display codes of the darkest and the brightest.
        saturation: factor on a normal photograph's colour, 0.4..1.15.
        gray: whether all colours lie on one scale of tones.
        tones: (256, 3) float32 0..1, that scale by luma; None for a picture in colour.
        haze: (r, g, b, amount) of air between camera and place, scene linear; for `Plate`.
    """

    grain: float = 0.0
    grain_size: float = 0.0
    grain_colour: float = 0.3
    softness: float = 0.0
    black: float = 0.0
    white: float = 1.0
    saturation: float = 1.0
    gray: bool = False
    tones: F32 | None = None
    haze: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


def read_camera(
    photo: U8,
    *,
    faces: Sequence[FaceReading] = (),
    ignore: U8 | None = None,
    where: tuple[int, int, int, int] | None = None,
) -> Camera:
    """Read off a photograph what its camera did; arguments as for `light_of`."""
    rows, columns = photo.shape[:2]
    k = min(1.0, 400 / max(rows, columns))
    size = (max(4, round(columns * k)), max(4, round(rows * k)))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    seen = np.ones(small.shape[:2], bool)
    if ignore is not None:
        seen = cv2.resize(ignore, size, interpolation=cv2.INTER_AREA) < 128
        if seen.sum() < 50:
            seen[:] = True
    tones = _tones(small[seen])
    tiles = _tiles(photo, ignore)
    grain, grain_size, colour = _grain(tiles)
    parts = [p for face in faces if (p := _face_part(photo, face)) is not None]
    # Without people the sharpest thing may still lie out of focus, and whoever comes will be what is focused on.
    softness = (_softness(parts) or 0.0) if parts else min(0.5 * (_softness(tiles) or 0.0), 0.6)
    black, white, haze = _levels(
        small, seen, _luma(np.concatenate([p.reshape(-1, 3) for p in parts])) if parts else None
    )
    if tones is not None:  # a print has no tone beyond its own black
        black = max(black, min(float(np.percentile(_luma(small[seen]), 0.3)), 0.14))
    return Camera(
        grain=grain,
        grain_size=grain_size,
        grain_colour=0.0 if tones is not None else colour,
        softness=softness,
        black=black,
        white=white,
        saturation=_saturation(small[seen], parts),
        gray=tones is not None,
        tones=tones,
        haze=haze,
    )


def _luma(codes: Array) -> F32:
    """Luma 0..1 of uint8 codes (..., 3)."""
    return np.asarray(codes.astype(np.float32) @ (np.array(LUMA, np.float32) / np.float32(255)), np.float32)


def _tiles(photo: U8, ignore: U8 | None) -> list[U8]:
    """Parts (up to 128, 128, 3) of the picture at its full size, spread over it."""
    rows, columns = photo.shape[:2]
    down, across = min(_DOWN, max(1, rows // _TILE)), min(_ACROSS, max(1, columns // _TILE))
    out: list[U8] = []
    spare: list[U8] = []
    for i, j in product(range(down), range(across)):
        y = round((rows - min(_TILE, rows)) * (i + 0.5) / down)
        x = round((columns - min(_TILE, columns)) * (j + 0.5) / across)
        part = np.s_[y : y + _TILE, x : x + _TILE]
        (spare if ignore is not None and (ignore[part] > 0).any() else out).append(photo[part])
    return out or spare


def _noise_blocks(plane: F32, block: int) -> F32:
    """Noise estimate in each block of a plane; infinite where it is clipped."""
    rows, columns = (n // block * block for n in plane.shape)
    if min(rows, columns) < block:
        return np.empty(0, np.float32)
    answer = np.abs(cv2.filter2D(plane, -1, _NOISE))[:rows, :columns]

    def blocks(a: Array) -> Array:
        return a.reshape(rows // block, block, columns // block, block).swapaxes(1, 2).reshape(-1, block * block)

    level = blocks(plane[:rows, :columns]).mean(1)
    found = blocks(answer).mean(1) * np.float32(np.sqrt(np.pi / 2) / 6)
    return np.where((level > 0.04) & (level < 0.95), found, np.inf).astype(np.float32)


def _grain(tiles: list[U8]) -> tuple[float, float, float]:
    """(deviation, size, share of colour) of the grain."""
    fine, half, red = [], [], []
    for tile in tiles:
        luma = _luma(tile)
        own = _noise_blocks(luma, _BLOCK)
        small = cv2.resize(luma, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA)
        coarse = _noise_blocks(np.ascontiguousarray(small), _BLOCK // 2)
        if len(own) != len(coarse):
            continue
        fine.append(own)
        half.append(coarse)
        red.append(_noise_blocks(tile[..., 0].astype(np.float32) / np.float32(255) - luma + np.float32(0.5), _BLOCK))
    if not fine:
        return 0.0, 0.0, 0.3
    own, coarse, tint = (np.concatenate(a) for a in (fine, half, red))
    good = np.isfinite(own)
    if good.sum() < 4:
        return 0.0, 0.0, 0.3
    # The calmest fifth: what is left there is noise, not texture.
    calm = good & (own <= np.percentile(own[good], 20))
    seen = float(np.median(own[calm]))
    if seen < 2e-4:
        return 0.0, 0.0, 0.3
    ratio = float(np.median(coarse[calm & np.isfinite(coarse)])) / seen if (calm & np.isfinite(coarse)).any() else 0.5
    size = float(np.interp(ratio, _GRAIN_HALF, _GRAIN_SIZE))
    # Soft texture passes for coarse grain; the correction for what the estimate misses stays within a factor of five.
    deviation = seen / max(float(np.interp(size, _GRAIN_SIZE, _GRAIN_SEEN)), 0.2)
    chroma = float(np.median(tint[calm & np.isfinite(tint)])) if (calm & np.isfinite(tint)).any() else 0.0
    return float(np.clip(deviation, 0, 0.08)), min(size, 1.3), float(np.clip(chroma / seen, 0, 1.2))


def _softness(parts: Sequence[U8]) -> float | None:
    """Sigma in pixels of the sharpest edges; None where there are no edges."""
    found = []
    for part in parts:
        luma = cv2.GaussianBlur(_luma(part), (0, 0), 0.5)
        again = cv2.GaussianBlur(luma, (0, 0), _REBLUR)
        one, two = (
            cv2.magnitude(cv2.Sobel(p, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(p, cv2.CV_32F, 0, 1, scale=0.125))
            for p in (luma, again)
        )
        edge = one > max(0.012, float(np.percentile(one, 93)))
        edge &= one >= cv2.dilate(one, np.ones((3, 3), np.uint8)) - 1e-6
        if edge.sum() < 12:
            continue
        ratio = np.maximum(one[edge] / np.maximum(two[edge], 1e-6), 1.001)
        sigma2 = _REBLUR**2 / (ratio**2 - 1) - 0.25  # minus the blur against noise
        found.append(np.sqrt(np.clip(sigma2, 0, 36)))
    if not found:
        return None
    return float(np.percentile(np.concatenate(found), 15))


def _face_part(photo: U8, face: FaceReading) -> U8 | None:
    """The face and some hair around it."""
    low, high = face.points[:468, :2].min(0), face.points[:468, :2].max(0)
    pad = 0.2 * (high - low)
    x0, y0 = np.maximum(np.floor(low - pad).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(high + pad).astype(int) + 1, photo.shape[1::-1])
    if min(x1 - x0, y1 - y0) < 24:
        return None
    part = photo[y0:y1, x0:x1]
    step = max(1, round((x1 - x0) / 400))  # only the middle of a huge face is read: softness needs its full size
    if step > 1:
        h, w = part.shape[:2]
        part = part[h // 4 : h // 4 + 400, w // 2 - 200 : w // 2 + 200]
    return np.ascontiguousarray(part)


def _levels(small: U8, seen: Bool, faces: F32 | None) -> tuple[float, float, tuple[float, float, float, float]]:
    """Black, white, and the haze at the place."""
    luma = _luma(small)
    if faces is not None:
        lifted = float(np.percentile(faces, 0.5))  # pupils and nostrils are black in clear air
        return min(0.9 * max(lifted - 0.05, 0.0), 0.16), 1.0, (0.0, 0.0, 0.0, 0.0)
    # Faded prints stop at the same grey in many places; a bright beach merely has nothing dark.
    cells = [
        (float(np.percentile(part, 0.5)), float(np.percentile(part, 99.5)))
        for row in np.array_split(luma, 4)
        for part in np.array_split(row, 6, axis=1)
        if part.size
    ]
    black, white = min(c[0] for c in cells), max(c[1] for c in cells)
    lift = max(black - 0.02, 0.0) if sum(c[0] < black + 0.015 for c in cells) >= 8 else 0.0
    top = white if sum(c[1] > white - 0.015 for c in cells) >= 8 else 1.0
    values = luma[seen]
    dark, high = (float(np.percentile(values, p)) for p in (5, 92))
    flat = float(np.clip((0.24 - (high - dark)) / 0.12, 0, 1)) * float(np.clip((dark - 0.12) / 0.12, 0, 1))
    flat *= float(np.clip((14 - np.percentile(_chroma(small[seen]), 85)) / 6, 0, 1))  # sand is no fog
    if flat <= 0:
        return min(lift, 0.14), float(np.clip(top, 0.75, 1.0)), (0.0, 0.0, 0.0, 0.0)
    bright = small[seen & (luma >= np.percentile(values, 60))]
    c = untone(np.median(bright, axis=0)[None].astype(np.float32) / np.float32(255))[0]
    return min(lift * (1 - flat), 0.14), 1.0, (float(c[0]), float(c[1]), float(c[2]), 0.16 * flat)


def _saturation(codes: U8, faces: Sequence[U8]) -> float:
    """How colourful the picture is, over a normal photograph."""

    own = float(np.percentile(_chroma(codes), 85))
    factor = float(np.clip(0.72 + 0.28 * own / 16, 0.72, 1.0))
    if faces:
        skin = float(np.mean([float(np.median(_chroma(_middle(p)))) for p in faces]))
        factor = 0.3 * factor + 0.7 * float(np.clip(skin / 21, 0.4, 1.12))
    return factor


def _chroma(codes: U8) -> F32:
    """Chroma in Lab of uint8 codes (..., 3), as one row."""
    row = np.ascontiguousarray(codes.reshape(1, -1, 3)).astype(np.float32) / np.float32(255)
    lab = cv2.cvtColor(row, cv2.COLOR_RGB2Lab)
    return np.asarray(np.hypot(lab[..., 1], lab[..., 2]), np.float32)


def _middle(part: U8) -> U8:
    h, w = part.shape[:2]
    return part[h // 4 : h - h // 4, w // 4 : w - w // 4]


def _tones(codes: U8) -> F32 | None:
    """The scale of tones (256, 3) of a grey or toned picture; None when it has more colours."""
    level = np.clip(_luma(codes) * 255 + 0.5, 0, 255).astype(np.int32)
    count = np.bincount(level, minlength=256).astype(np.float64)
    table = np.stack([np.bincount(level, codes[:, c].astype(np.float64), 256) for c in range(3)], 1)
    used = np.flatnonzero(count > 0)
    scale = np.arange(256, dtype=np.float64)
    offsets = np.empty((256, 3))
    for c in range(3):
        # Smooth difference to grey, so that rare tones do not jump.
        weight = cv2.GaussianBlur(count[None], (0, 0), 4)[0]
        sums = cv2.GaussianBlur((table[:, c] - count * scale)[None], (0, 0), 4)[0]
        good = weight > 1e-3 * weight.max()
        offsets[:, c] = np.interp(scale, scale[good], sums[good] / weight[good])
    tones = scale[:, None] + offsets
    rest = np.abs(codes.astype(np.float64) - tones[level]).max(1)
    if len(used) < 2 or float(np.percentile(rest, 99.7)) > _TONED:
        return None
    return np.asarray(np.clip(tones / 255, 0, 1), np.float32)


def softened(radiance: F32, alpha: F32, camera: Camera, own: float, face_height: float) -> tuple[F32, F32]:
    """The person (radiance and matte) as soft as the photograph.

    Args:
        own: softness of the person's own edges in pixels, which need not be added again.
    """
    sigma = float(np.sqrt(max(camera.softness**2 - own**2, 0.0)))
    sigma = min(sigma, _SOFTEST * face_height, 2.5)
    if sigma < 0.3:
        return radiance, alpha
    soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), sigma), np.float32)
    colour = cv2.GaussianBlur(radiance * alpha[..., None], (0, 0), sigma)
    return np.asarray(colour / np.maximum(soft, 1e-3)[..., None], np.float32), soft


def own_softness(rgb: F32, points: F32 | None) -> float:
    """Softness in pixels of a placed person, read at its face; 0 without one."""
    if points is None:
        return 0.0
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    x0, y0 = np.maximum(np.floor(low).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(high).astype(int) + 1, rgb.shape[1::-1])
    if min(x1 - x0, y1 - y0) < 16:
        return 0.0
    return _softness([np.asarray(np.clip(rgb[y0:y1, x0:x1] * 255, 0, 255), np.uint8)]) or 0.0


def grades(camera: Camera) -> bool:
    """Whether `graded` changes anything that is seen."""
    flat = camera.black < 0.004 and camera.white > 0.99 and abs(camera.saturation - 1) < 0.02
    return not (flat and camera.tones is None)


def graded(codes: F32, camera: Camera) -> F32:
    """Display codes (h, w, 3) of the person with the photograph's saturation, levels and tones."""
    grey: Array = luminance(codes)[..., None]
    out: Array = grey + (codes - grey) * np.float32(camera.saturation)
    out = np.float32(camera.black) + out * np.float32(camera.white - camera.black)
    return toned(np.asarray(np.clip(out, 0, 1), np.float32), camera)


def toned(codes: F32, camera: Camera) -> F32:
    """Display codes (h, w, 3) on the photograph's scale of tones; unchanged for a photograph in colour."""
    if camera.tones is None:
        return codes
    level: Array = np.clip(luminance(codes) * 255, 0, 255)
    low = np.minimum(level.astype(np.int32), 254)
    t = (level - low)[..., None]
    return np.asarray(camera.tones[low] * (1 - t) + camera.tones[low + 1] * t, np.float32)


def grained(codes: F32, weight: F32, camera: Camera, own: float, seed: int) -> F32:
    """Display codes with the photograph's grain where `weight` (h, w) is above 0.

    Args:
        own: deviation of the noise that the person already has.
        seed: of the grain.
    """
    amount = float(np.sqrt(max(camera.grain**2 - own**2, 0.0)))
    if amount < 0.0012:
        return codes
    rng = np.random.default_rng([seed, 411])
    shape = codes.shape[:2]
    noise = _noise(rng, shape, camera.grain_size)
    g = luminance(codes)
    # Grain shows most in the mid-tones.
    s = (weight * np.float32(amount) * (np.float32(0.6) + np.float32(1.6) * g * (1 - g))).astype(np.float32)
    out = codes + (s * noise)[..., None]
    if camera.grain_colour > 0.05:
        for k in range(3):
            out[..., k] += s * np.float32(camera.grain_colour) * _noise(rng, shape, camera.grain_size)
    return np.asarray(np.clip(out, 0, 1), np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], size: float) -> F32:
    out: Array = rng.standard_normal(shape, np.float32)
    if size > 0.2:
        out = cv2.GaussianBlur(out, (0, 0), size)
        out = out / np.float32(max(float(out.std()), 1e-6))
    return np.asarray(out, np.float32)


def own_grain(rgb: F32, alpha: F32) -> float:
    """Deviation of the noise that a placed person already has."""
    solid = np.flatnonzero((alpha > 0.95).any(1))
    if not len(solid):
        return 0.0
    rows = rgb[solid[0] : solid[-1] + 1]
    inside = alpha[solid[0] : solid[-1] + 1] > 0.95
    luma = luminance(rows)
    own = _noise_blocks(np.where(inside, luma, np.float32(0)).astype(np.float32), _BLOCK)
    good = own[np.isfinite(own)]
    return float(np.percentile(good, 15)) if len(good) >= 4 else 0.0
