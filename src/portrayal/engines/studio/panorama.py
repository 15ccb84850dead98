"""The shipped HDR panoramas: decoding, looking into them, their lamps and their sky.

A panorama is equirectangular, (256, 512, 3) scene linear; the middle column is azimuth 0, azimuth grows to the
right, row 0 is the zenith. They are read from Radiance files: OpenCV's wheels carry no OpenEXR decoder from
version 5 on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from portrayal import assets
from portrayal.engines.studio.noise import fbm
from portrayal.errors import MissingDataError
from portrayal.imaging import F32, Array

LUMINANCE = (0.2126, 0.7152, 0.0722)
# Above this a sensor channel was clipped and the colour is not to be trusted.
_TRUSTED = 30.0
_BRIGHTEST = 400.0
_LOG_OFFSET = 0.003
_WIDTH = 512


def luminance(x: Array) -> F32:
    """Luminance of linear RGB in the last axis."""
    return np.asarray(x @ np.array(LUMINANCE, np.float32), np.float32)


@lru_cache(20)
def load(name: str) -> F32:
    """A panorama (256, 512, 3), float32, read-only.

    Raises:
        MissingDataError: when the file is missing or damaged.
    """
    data = np.frombuffer(assets.path(f"environments/{name}.hdr").read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3:
        raise MissingDataError(f"the panorama {name} is damaged", remedy="Install the package again.")
    rgb = np.ascontiguousarray(image[..., 2::-1], np.float32)
    top = rgb.max(-1, keepdims=True)
    # Clipped suns have lost channels: they become a warm white of the same strength.
    rgb = np.where(top > _TRUSTED, top * np.array((1.0, 0.94, 0.84), np.float32), rgb)
    rgb = np.clip(rgb, 0, _BRIGHTEST)
    rgb.setflags(write=False)
    return rgb


@dataclass(frozen=True)
class Glint:
    """A small lamp in a panorama: angles in radians, energy = radiance x pixels, radius in pixels."""

    azimuth: float
    elevation: float
    energy: tuple[float, float, float]
    radius: float


@lru_cache(20)
def split_lamps(name: str, limit: float = 6.0) -> tuple[F32, tuple[Glint, ...]]:
    """Take the small lamps out of a panorama.

    Args:
        name: of the panorama.
        limit: brightness over the panorama's mean from which a small blob counts as a lamp.

    Returns:
        The panorama without them (read-only), and the lamps.
    """
    image = load(name)
    light = luminance(image)
    bar = limit * float(np.mean(np.minimum(light, 10 * np.median(light) + 0.05)))
    mask = (light > bar).astype(np.uint8)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    rest = image.copy()
    glints = []
    h, w = light.shape
    for i in range(1, count):
        area = int(stats[i, cv2.CC_STAT_AREA])
        if area > 40 or max(stats[i, cv2.CC_STAT_WIDTH], stats[i, cv2.CC_STAT_HEIGHT]) > 12:
            continue
        where = labels == i
        excess = image[where] * (1 - bar / light[where])[:, None]
        rest[where] -= excess
        energy = excess.sum(0)
        x, y = centres[i]
        glints.append(
            Glint(
                float((x + 0.5) / w * 2 * np.pi - np.pi),
                float(np.pi / 2 - (y + 0.5) / h * np.pi),
                (float(energy[0]), float(energy[1]), float(energy[2])),
                float(np.sqrt(area / np.pi)),
            )
        )
    rest.setflags(write=False)
    return rest, tuple(glints)


@lru_cache(40)
def _logarithm(name: str, glints: bool) -> F32:
    """A panorama's logarithm, padded so that it can be read across its seam."""
    source = split_lamps(name)[0] if glints else load(name)
    return np.asarray(np.log(np.pad(source, ((0, 0), (4, 4), (0, 0)), "wrap") + _LOG_OFFSET), np.float32)


def _places(azimuth: Array, elevation: Array) -> tuple[F32, F32]:
    u = ((azimuth / (2 * np.pi) + 0.5) * _WIDTH - 0.5) % _WIDTH + 4
    v = (0.5 - elevation / np.pi) * (_WIDTH // 2) - 0.5
    return np.asarray(u, np.float32), np.asarray(v, np.float32)


def sample(name: str, azimuth: Array, elevation: Array, without_lamps: bool = True) -> F32:
    """Read a panorama at angles (h, w) in radians: (h, w, 3).

    Cubic in the logarithm, so that nothing rings around bright parts. Its small lamps are left out
    (`split_lamps`) unless `without_lamps` is false.
    """
    u, v = _places(azimuth, elevation)
    out = cv2.remap(_logarithm(name, without_lamps), u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.maximum(np.exp(out) - _LOG_OFFSET, 0), np.float32)


def sample_sky(name: str, azimuth: Array, elevation: Array) -> F32:
    """Read `sky_mask` at angles (h, w) in radians: (h, w) 0..1."""
    u, v = _places(azimuth, elevation)
    mask = np.pad(sky_mask(name), ((0, 0), (4, 4)), "wrap")
    return np.asarray(cv2.remap(mask, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def add_detail(image: F32, scale: float, seed: int, amount: float = 1.0) -> F32:
    """Give an enlarged panorama the fine structure that its resolution lacks.

    The next octaves are noise in proportion to the local contrast of the finest band that is there, plus a
    little edge contrast, all in the logarithm.

    Args:
        image: (h, w, 3) the enlarged view.
        scale: pixels of the view per pixel of the panorama.
        seed: of the noise.
        amount: 0..1.
    """
    if scale < 2 or amount <= 0:
        return image
    h, w = image.shape[:2]
    # The cubic kernel leaves stairs along slanted edges; half a panorama pixel of blur takes them out.
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.42 * scale), np.float32)
    log = np.log(luminance(image) + 0.01)
    fine, coarse = cv2.GaussianBlur(log, (0, 0), scale * 0.7), cv2.GaussianBlur(log, (0, 0), scale * 2)
    contrast = np.sqrt(cv2.GaussianBlur((fine - coarse) ** 2, (0, 0), scale * 2))
    y, x = np.mgrid[:h, :w].astype(np.float32) / h
    grain = 0.55 * fbm(x * 0.9, y * 0.9, seed + 7, 0.8) + 0.4 * fbm(x * 1.9, y * 1.9, seed + 8, 0.8)
    edge = log - cv2.GaussianBlur(log, (0, 0), scale * 0.55)
    gain = np.exp(np.clip(amount * (0.7 * contrast * grain + 0.3 * edge), -0.8, 0.8))
    return np.asarray(image * gain[..., None], np.float32)


@lru_cache(20)
def sky_mask(name: str) -> F32:
    """How much of each pixel of an outdoor panorama is sky, (256, 512) float32 0..1.

    Sky is brighter than what stands in front of it, lies above the horizon and is smooth.
    """
    image = load(name)
    h = image.shape[0]
    light = np.log(luminance(image) + 1e-3)
    level = np.asarray([np.percentile(row, 75) for row in light], np.float32)
    level = np.minimum(level, np.median(level[: h // 2]) + 1.0)[:, None]
    clear = np.clip((image[..., 2] / (image[..., 1] + 1e-3) - 1.1) / 0.15, 0, 1)
    bright = np.clip((light - level + 0.7 + 0.9 * clear) / 0.35, 0, 1)
    mean = cv2.blur(light, (5, 5))
    rough = np.sqrt(np.maximum(cv2.blur(light * light, (5, 5)) - mean * mean, 0))
    bright = bright * np.maximum(np.clip(1.6 - rough / 0.22, 0, 1), light > level + 0.2)
    rows = np.clip((h * 0.5 + 1 - np.arange(h, dtype=np.float32)) / 3, 0, 1)[:, None]
    # Deep blue between leaves is sky as well.
    blue = np.clip((image[..., 2] / (image[..., 1] + 1e-3) - 1.15) / 0.2, 0, 1) * (light > level - 2.5)
    bright = np.maximum(bright, blue)
    # A pixel of sky that is left at an outline would show as a fringe.
    wide = cv2.dilate(bright * rows, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(wide * rows, (0, 0), 0.5), np.float32)
