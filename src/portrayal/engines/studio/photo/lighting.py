"""The light of a photograph, as it would fall on a person who stands in it.

What is behind the camera is not seen, so the picture serves for both halves of the world, the front one as its mirror
image (Khan et al., Image-Based Material Editing, 2006): a window on the left lights from the left. Compact bright areas
become a key on their side and, when they are behind the place, a light on the outline. Faces know better: where the
photograph shows some, their shading gives the direction, and their skin the level and the colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.engines.studio.light.tone import luminance, untone
from portrayal.engines.studio.photo.camera import Camera, read_camera
from portrayal.engines.studio.photo.faces import FaceLight, read_light
from portrayal.engines.studio.scenes.lighting import irradiance, sphere
from portrayal.engines.studio.types import KeyLight, Lighting, RimLight, vector
from portrayal.imaging import F32, U8, Array
from portrayal.perception.types import FaceReading

Where = tuple[int, int, int, int]

_LONGER = 160  # longer side of the look at the whole picture
_HALF_VIEW = 0.62  # tangent of half the angle of view along the longer side
# Display code from which a pixel is clipped: what it shows is brighter than it can say.
_CLIPPED = 0.94
_CLIPPED_GAIN = 4.0
# Share of the colour of surfaces that is taken for the colour of the light on them: a red wall is not red light.
_SURFACE = 0.4


@dataclass(frozen=True)
class PhotoLight:
    """A photograph's light on a person, and its camera.

    Attributes:
        lighting: for `relight`.
        camera: for `camera.develop`: grain, softness, levels, saturation, tint.
        side: -1..1, where the light comes from: the picture's left or right; 0 = from the front or all around.
        backlight: 0..1, how much brighter it is behind the place than around.
        seen: number of faces that the light was read from.
    """

    lighting: Lighting
    camera: Camera
    side: float
    backlight: float
    seen: int


@dataclass(frozen=True)
class _Look:
    """The whole picture at reduced size: radiance (h, w, 3), its luminance, weights (h, w), and the place.

    `x`, `y` of the place and `wide` are in shares of the picture's longer side.
    """

    radiance: F32
    light: F32
    weight: F32
    x: float
    y: float
    wide: float

    def across(self) -> tuple[F32, F32]:
        """Coordinates (h, w) right of and below the place, in shares of the longer side."""
        rows, columns = self.light.shape
        longer = max(rows, columns)
        v, u = np.mgrid[:rows, :columns].astype(np.float32)
        return (u + 0.5) / longer - self.x, (v + 0.5) / longer - self.y


@dataclass(frozen=True)
class _Bright:
    """What stands out in brightness: share of all light, mean place relative to the person, its colour."""

    share: float
    x: float
    y: float
    colour: F32


def light_of(
    photo: U8, *, faces: Sequence[FaceReading] = (), ignore: U8 | None = None, where: Where | None = None
) -> PhotoLight:
    """Read a photograph's light and camera.

    Args:
        photo: (h, w, 3) uint8.
        faces: people in it whose light counts; nearer and larger ones count more.
        ignore: (h, w) uint8, 255 = not to be looked at (who or what will go).
        where: x0, y0, x1, y1 in pixels: the box of the person who will stand there; None = the middle.

    Returns:
        The light; every number is bounded, so that any picture (black, white, noise) gives a usable one.
    """
    look = _look(photo, ignore, where)
    bright = _bright(look)
    side = _side(look, bright)
    back, at = _behind(look)
    camera = read_camera(photo, faces=faces, ignore=ignore, where=where)
    lighting = _lighting(look, bright, side, back, at)
    if camera.gray:
        lighting = _gray(lighting)
    seen = read_light(photo, faces, where)
    if seen is not None:
        lighting, side = _as_on_faces(lighting, seen, side, back, camera.gray)
    return PhotoLight(lighting, camera, float(np.clip(side, -1, 1)), back, seen.count if seen else 0)


def _look(photo: U8, ignore: U8 | None, where: Where | None) -> _Look:
    rows, columns = photo.shape[:2]
    k = _LONGER / max(rows, columns)
    size = (max(4, round(columns * k)), max(4, round(rows * k)))
    # Two steps: the second one averages light, not codes, so that a small lamp keeps its strength.
    middle = (min(columns, 4 * size[0]), min(rows, 4 * size[1]))
    codes = cv2.resize(photo, middle, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    light = np.maximum(untone(codes), 0)
    over = np.clip((codes.max(-1) - _CLIPPED) / (1 - _CLIPPED), 0, 1) * np.clip((codes.min(-1) - 0.6) / 0.3, 0, 1)
    light *= (1 + _CLIPPED_GAIN * over)[..., None]
    small = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
    weight = np.ones(size[::-1], np.float32)
    if ignore is not None:
        weight = 1 - cv2.resize(ignore, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
        weight = np.where(weight > 0.5, weight, 0).astype(np.float32)
        if weight.sum() < 0.02 * weight.size:
            weight[:] = 1
        small = _filled(small, weight)
    x0, y0, x1, y1 = where or (columns // 3, rows // 5, columns - columns // 3, rows)
    longer = max(rows, columns)
    return _Look(
        small,
        luminance(small),
        weight,
        (x0 + x1) / 2 / longer,
        (0.7 * y0 + 0.3 * y1) / longer,
        float(np.clip((x1 - x0) / longer, 0.08, 0.5)),
    )


def _filled(light: F32, weight: F32) -> F32:
    """What is not to be looked at gets the colours around it (normalised convolution)."""
    out, near = light * weight[..., None], weight
    known = light.copy()
    todo = weight <= 0
    for sigma in (2.0, 6.0, 18.0, 54.0):
        soft = cv2.GaussianBlur(out, (0, 0), sigma)
        share = cv2.GaussianBlur(near, (0, 0), sigma)
        found = todo & (share > 0.02)
        known[found] = soft[found] / share[found][:, None]
        todo &= ~found
    return known


def _bright(look: _Look) -> _Bright:
    """What is brighter than the rest, as one light."""
    light = look.light
    total = float((light * look.weight).sum())
    bound = max(float(np.percentile(light, 88)), 1.25 * float(light.mean()), 1e-4)
    excess = np.maximum(light - bound, 0) * look.weight
    mass = float(excess.sum())
    upper = (light >= np.percentile(light, 75)) * look.weight * np.minimum(1, 1.2 / np.maximum(light, 1e-4)) ** 2
    colour = _hue((look.radiance * upper[..., None]).sum((0, 1)) + 1e-6)  # what is clipped has lost its colour
    if mass < 1e-5 * max(total, 1e-6) or total <= 0:
        return _Bright(0.0, 0.0, 0.0, colour)
    u, v = look.across()
    return _Bright(mass / total, float((excess * u).sum()) / mass, float((excess * v).sum()) / mass, colour)


def _hue(colour: Array) -> F32:
    """A colour (3,) brought to luminance one, its channels within a factor of five."""
    c = np.maximum(np.asarray(colour, np.float32), 1e-5)
    c = np.clip(c / max(float(luminance(c)), 1e-5), 0.2, 2.6)
    return np.asarray(c / float(luminance(c)), np.float32)


def _side(look: _Look, bright: _Bright) -> float:
    """-1..1: the side of the light. What lies far aside shines on the side; what is behind the person hardly does."""
    u, _ = look.across()
    reach = np.clip(u / 0.35, -1, 1) * look.weight
    capped = np.minimum(look.light, max(float(np.percentile(look.light, 97)), 1e-4))
    left = float((capped * np.maximum(-reach, 0)).sum()) / max(float(np.maximum(-reach, 0).sum()), 1e-3)
    right = float((capped * np.maximum(reach, 0)).sum()) / max(float(np.maximum(reach, 0).sum()), 1e-3)
    room = min(float(np.maximum(-reach, 0).sum()), float(np.maximum(reach, 0).sum())) / max(look.weight.sum(), 1)
    even = (right - left) / max(right + left, 1e-4) * min(1.0, room / 0.08)
    return float(np.tanh(1.6 * even + 2.0 * min(1.0, 3 * bright.share) * bright.x))


def _behind(look: _Look) -> tuple[float, float]:
    """How much brighter it is behind head and shoulders than elsewhere (0..1), and on which side of them (-1..1)."""
    u, v = look.across()
    near = np.exp(-((u / (0.75 * look.wide)) ** 2) - (v / (0.9 * look.wide)) ** 2) * (look.weight + 0.3)
    capped = np.minimum(look.light, 8.0)
    here = float((capped * near).sum() / max(float(near.sum()), 1e-4))
    elsewhere = float((capped * look.weight).sum() / max(float(look.weight.sum()), 1e-4))
    if here <= 0.02:
        return 0.0, 0.0
    ratio = here / max(elsewhere, 0.02)
    strong = float(np.clip((ratio - 1.15) / 1.0, 0, 1) * np.clip((here - 0.3) / 0.5, 0, 1))
    at = float((capped * near * u).sum() / max(float((capped * near).sum()), 1e-4)) / look.wide
    return strong, float(np.clip(4 * at, -1, 1))


def _environment(look: _Look) -> F32:
    """The world (32, 64, 3) around the person: the picture behind, its dimmed mirror image in front."""
    d, _ = sphere()
    x, y, z = d[..., 0], d[..., 1], np.maximum(np.abs(d[..., 2]), 0.12)
    rows, columns = look.light.shape
    longer = max(rows, columns)
    u = (look.x + 0.5 * x / z / _HALF_VIEW) * longer
    v = (look.y - 0.5 * y / np.hypot(x, z) / _HALF_VIEW) * longer
    soft = cv2.GaussianBlur(look.radiance, (0, 0), 0.05 * longer)
    u, v = np.clip(u, 0, columns - 1).astype(np.float32), np.clip(v, 0, rows - 1).astype(np.float32)
    world = cv2.remap(soft, u, v, cv2.INTER_LINEAR)
    # Nobody knows how bright it is behind the camera, but hardly as bright as a window in the picture.
    front = d[..., 2:] > 0
    cap = max(float(np.percentile(look.light, 85)), 1e-3)
    grey = luminance(world)[..., None]
    return np.asarray(np.where(front, world * np.minimum(1, cap / np.maximum(grey, 1e-4)), world), np.float32)


def _plain(colour: F32, share: float) -> F32:
    """A colour moved towards grey of its luminance."""
    grey = luminance(colour)[..., None]
    return np.asarray(grey + (colour - grey) * np.float32(share), np.float32)


def _level(look: _Look) -> float:
    """Exposure of a face, 0.28 at night to 0.98 by day.

    By day a line through what our own scenes do to theirs; darker than those by night, because a photograph's night
    has no lamp that was put up for the newcomer.
    """
    light = look.light[look.weight > 0] if (look.weight > 0).any() else look.light.reshape(-1)
    log = np.log(light + 0.01)
    key = 0.5 * float(log.mean()) + 0.5 * float(np.median(log))
    return float(np.interp(key, (-3.2, -2.5, -1.7, -1.1, -0.8), (0.28, 0.41, 0.76, 0.92, 0.98)))


def _illuminant(look: _Look, bright: _Bright) -> F32:
    """Colour (3,) of the light, luminance one: the tint that the brightest and all the rest have in common."""
    mean = np.log(_hue((look.radiance * look.weight[..., None]).mean((0, 1))))
    most = np.log(bright.colour)
    common = np.where(mean * most > 0, np.sign(mean) * np.minimum(np.abs(mean), np.abs(most)), 0)
    return _hue(np.exp(common))


def _clear_sky(look: _Look) -> float:
    """0..1: whether a blue sky is seen, so that a sun shines on what is in front."""
    rows = max(2, look.light.shape[0] * 2 // 5)
    top, light = look.radiance[:rows], look.light[:rows]
    blue = (top[..., 2] > 1.18 * top[..., 0]) & (top[..., 2] > 1.02 * top[..., 1]) & (light > 0.22)
    return float(np.clip((float(blue.mean()) - 0.08) / 0.3, 0, 1))


def _lighting(look: _Look, bright: _Bright, side: float, back: float, at: float) -> Lighting:
    level, sun = _level(look), _clear_sky(look)
    world = _environment(look)
    night = float(np.clip((0.75 - level) / 0.3, 0, 1))
    # The light's colour whole, that of things in part; by night lamps are what is seen.
    tint = _illuminant(look, bright)
    ambient = irradiance(_plain(world / tint, _SURFACE + 0.3 * night) * tint)
    colour = _hue(_plain((bright.colour / tint)[None], 0.5 + 0.4 * night)[0] * tint)
    low = float(np.clip(bright.y / 0.25, 0, 1)) * min(1.0, 5 * bright.share)  # a fire lights from below
    up = 0.55 - 0.5 * low + 0.15 * sun
    wrap = 0.65 - 0.33 * sun
    spread = float(np.log2(max(float(np.percentile(look.light, 92)), 1e-3) + 0.02))
    spread -= float(np.log2(max(float(np.percentile(look.light, 12)), 1e-3) + 0.02))
    hard = float(np.clip((spread - 1.5) / 3.5, 0, 1))
    towards = vector(0.95 * side, up, 0.85 - 0.35 * abs(side))
    shadow = 0.35 + 0.25 * hard + 0.25 * sun
    key = KeyLight(towards, colour, wrap=wrap, shadow=shadow, softness=0.5 - 0.3 * sun, specular=0.04 + 0.02 * sun)
    keys = (key, *_second(look, side, night))
    fill = float(np.clip(0.74 - 0.30 * abs(side) * (0.4 + 0.6 * hard) - 0.14 * sun + 0.1 * back, 0.36, 0.8))
    chroma = float(max(np.ptp(colour), np.ptp(_hue(ambient[0]))))
    return Lighting(
        ambient=ambient,
        keys=keys,
        rims=_rims(bright, back, at, colour, level),
        fill=fill,
        level=level * (1 - 0.28 * back),
        skin_shift=float(np.clip(6 + 7 * chroma + 4 * night, 6, 20)),
        contrast=float(np.clip(1.2 + 0.5 * hard + 0.25 * night, 1.2, 1.9)),
    )


def _second(look: _Look, side: float, night: float) -> tuple[KeyLight, ...]:
    """At night the other side often has a lamp of its own, in another colour."""
    if night < 0.2:
        return ()
    u, _ = look.across()
    away = (np.sign(u) != np.sign(side or 1.0)) & (np.abs(u) > 0.12)
    lit = look.light > max(float(np.percentile(look.light, 90)), 0.05)
    chosen = (away & lit & (look.weight > 0)).astype(np.float32)
    if chosen.sum() < 0.004 * chosen.size:
        return ()
    colour = _hue((look.radiance * chosen[..., None]).sum((0, 1)))
    towards = vector(-0.85 * (np.sign(side) or 1.0), 0.2, 0.35)
    return (KeyLight(towards, (colour * 0.45 * night).astype(np.float32), wrap=0.5, shadow=0.3, softness=0.5),)


def _rims(bright: _Bright, back: float, at: float, colour: F32, level: float) -> tuple[RimLight, ...]:
    """Light on the outline: from behind the place, and from a window or a sun beside it, which is behind as well."""
    tint = (_hue(_plain(colour[None], 0.9)[0]) * np.float32(0.4 + 0.6 * min(level, 1.0))).astype(np.float32)
    beside = min(1.6, 7 * bright.share) * float(np.clip(1.25 - abs(bright.x) / 0.4, 0, 1)) * (1 - back)
    side = float(np.sign(bright.x) or 1.0) * 0.9
    out: list[RimLight] = []
    if beside > 0.12 and abs(bright.x) > 0.04:
        out.append(RimLight(vector(side, 0.4, -1), tint, beside, 0.12))
    if back >= 0.08:
        gain = 3.2 * back
        near, far = (0.8, 0.8) if abs(at) <= 0.25 else (1.0, 0.4)
        way = 1.0 if at >= 0 else -1.0
        out.append(RimLight(vector(0.8 * way, 0.5, -1), tint, near * gain, 0.2))
        out.append(RimLight(vector(-0.8 * way, 0.5, -1), tint, far * gain, 0.2))
    return tuple(out)


def _as_on_faces(lighting: Lighting, seen: FaceLight, side: float, back: float, gray: bool) -> tuple[Lighting, float]:
    """The light corrected by what it does to the faces in the picture."""
    sure = seen.sure
    side = (1 - sure) * side + sure * seen.side
    main = lighting.keys[0]
    up = (1 - 0.6 * sure) * float(main.direction[1]) + 0.6 * sure * seen.up
    towards = vector(0.95 * side, up, 0.9 - 0.4 * abs(side))
    colour = main.colour
    if not gray:
        colour = _hue((1 - 0.6 * sure) * _hue(main.colour) + 0.6 * sure * seen.colour)
    key = replace(main, direction=towards, colour=colour, wrap=0.65 - 0.3 * seen.hard)
    fill = (1 - sure) * lighting.fill + sure * float(np.clip(0.74 - 0.36 * abs(seen.side), 0.34, 0.8))
    level = lighting.level ** (1 - 0.6 * sure) * float(np.clip(seen.level, 0.2, 1.8)) ** (0.6 * sure)
    level = float(np.clip(level, 0.26, 1.08))
    ambient = lighting.ambient
    if not gray:
        mix = (0.5 + 0.5 * seen.colour)[None]
        ambient = (ambient * (1 - 0.5 * sure + 0.5 * sure * mix)).astype(np.float32)
    # Where faces show no bright outline, ours gets no strong one either.
    rims = tuple(replace(r, gain=r.gain * (1 - 0.3 * sure)) for r in lighting.rims)
    return replace(lighting, ambient=ambient, keys=(key, *lighting.keys[1:]), rims=rims, fill=fill, level=level), side


def _gray(lighting: Lighting) -> Lighting:
    """The same light without colour."""
    return replace(
        lighting,
        ambient=np.repeat(luminance(lighting.ambient)[:, None], 3, 1).astype(np.float32),
        keys=tuple(replace(k, colour=np.full(3, luminance(k.colour), np.float32)) for k in lighting.keys),
        rims=tuple(replace(r, colour=np.full(3, luminance(r.colour), np.float32)) for r in lighting.rims),
        skin_shift=4.0,
    )
