"""The person in a new light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.engines.studio.cloth.merge import raised
from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.light import skin as skins
from portrayal.engines.studio.light.cloth import Settled, chin_shadow, light_surface, surroundings, under_chin
from portrayal.engines.studio.light.delight import reference_shading, without_highlights
from portrayal.engines.studio.light.eyes import draw_catchlights
from portrayal.engines.studio.light.harmonics import basis
from portrayal.engines.studio.light.occlusion import ambient_occlusion, cast_shadow, strand_direction, wide_blur
from portrayal.engines.studio.light.shade import KEY_COLUMNS, RIM_COLUMNS, incident, shade
from portrayal.engines.studio.light.tone import curve, inverse_matrices, luminance, untone
from portrayal.engines.studio.types import KeyLight, Lighting, RimLight, Speed, Subject
from portrayal.imaging import F32, Array
from portrayal.parallel import bands

# Light ratios in a portrait stay within exp(+-this): a photograph, not a test render.
_SPREAD = 2.0


@dataclass(frozen=True)
class _Occlusion:
    """Open sky (h, w) and shadows (k, h, w) of the keys over the box of the person."""

    open: F32
    shadows: F32


def relight(subject: Subject, lighting: Lighting, speed: Speed = "balanced", mirror: F32 | None = None) -> F32:
    """Light the person, and what is modelled on him.

    The reference's own shading is divided out; then come ambient light and keys with shadows, occlusion and highlights,
    rims, the exposure of the skin and the bound on its colour shift. What `Subject.under` and `Subject.over` hold is
    lit by the same light at the same exposure, behind and in front of the photograph.

    Args:
        subject: from `shape`.
        lighting: all light; only ratios between its parts matter, `level` sets the brightness of the face.
        speed: turbo has no cast shadows, occlusion or hair highlights; quality finer shadows of large lamps.
        mirror: scene light (h, w, 3) of the place, for what is shiny; None = a room.

    Returns:
        Scene linear radiance (H, W, 3) float32; zero where the matte is empty.
    """
    out = np.zeros_like(subject.rgb, np.float32)
    box = _box(subject.alpha)
    if box is None:
        return out
    if subject.under is not None:
        subject = replace(subject, height=raised(subject, subject.under))
    if subject.over is not None:
        subject = replace(subject, height=raised(subject, subject.over, front=True))
    part = _cropped(subject, box)
    out[box] = _light(part, _field(subject, box), lighting, speed, mirror)
    return out


def _light(whole: Subject, field: F32, lighting: Lighting, speed: Speed, mirror: F32 | None) -> F32:
    subject = whole if whole.own is None else replace(whole, alpha=whole.own)
    skin = skins.skin_weight(subject)
    hair = skins.hair_weight(subject) if subject.points is not None else np.zeros_like(skin)
    own = reference_shading(subject)
    hidden = _occlusion(subject, field, lighting, speed)
    keys = _keys(lighting.keys)
    scalars, open_ = _scalars(_uncovered(subject), skin, own, hidden, lighting, keys)
    strands = (
        strand_direction(subject.rgb, subject.face_height) if speed != "turbo" else np.zeros((1, 1, 2), np.float32)
    )
    first, last = inverse_matrices()
    out = np.empty_like(subject.rgb, np.float32)
    rgb, alpha, normals, face = (
        np.ascontiguousarray(a, np.float32) for a in (subject.rgb, subject.alpha, subject.normals, subject.face)
    )
    calm = skins.eyes_and_teeth(subject)
    matt = without_highlights(subject, skin) if speed != "turbo" else np.ones_like(skin)
    edge = _edge(whole, lighting.rims)
    rims = _rims(lighting.rims)
    ambient = np.ascontiguousarray(lighting.ambient, np.float32)
    bands(
        lambda a, b: shade(
            rgb, alpha, normals, face, skin, hair, calm, matt, open_, hidden.shadows, strands, edge,
            curve().inverse, first, last, own[:, None], ambient, keys, rims, scalars, out, a, b,
        ),
        len(out),
    )  # fmt: skip
    draw_catchlights(out, subject, lighting, hidden.shadows)
    if whole.under is None and whole.over is None:
        return out
    settled = Settled(scalars, ambient, keys, rims, lighting.keys, edge)
    return _joined(out, whole, settled, hidden, surroundings(mirror), speed)


def _joined(photo: F32, subject: Subject, settled: Settled, hidden: _Occlusion, around: F32, speed: Speed) -> F32:
    """The lit photograph (h, w, 3) with the modelled surfaces behind and in front of it."""
    own = subject.own if subject.own is not None else subject.alpha
    out = photo * own[..., None]
    whole = own
    under, over = subject.under, subject.over
    if under is not None:
        open_, shadows = hidden.open, hidden.shadows
        if speed != "turbo":
            open_ = open_ * _touching(own, under)
            if subject.points is not None and under.open is None:
                size = (open_.shape[0], open_.shape[1])
                open_ = open_ * under_chin(subject.points, size, under.scale)
                thrown = [chin_shadow(subject.points, lamp, size, under.scale) for lamp in settled.lamps]
                shadows = np.asarray([np.minimum(a, b) for a, b in zip(shadows, thrown, strict=True)], np.float32)
        share = (1 - own) * under.cover
        out += light_surface(under, settled, open_, shadows, around, speed) * share[..., None]
        whole = own + share
    if over is not None:
        lit = light_surface(over, settled, hidden.open, hidden.shadows, around, speed)
        out = out * (1 - over.cover[..., None]) + lit * over.cover[..., None]
        whole = whole * (1 - over.cover) + over.cover
    # The matte of both together may have been softened since: what is there keeps its brightness.
    return np.asarray(out / np.maximum(whole, 1e-3)[..., None], np.float32)


def _touching(own: F32, under: Surface) -> F32:
    """Share (h, w) of the sky beside a photograph that lies on cloth; skin goes on into skin without a seam."""
    near = cv2.GaussianBlur(own, (0, 0), max(0.8, 0.45 * under.scale))
    return np.asarray(1 - 0.45 * near * (1 - under.skin), np.float32)


def _uncovered(subject: Subject) -> Subject:
    """The subject without what a hat or glasses hide of it: light is measured on the skin that shows."""
    if subject.over is None:
        return subject
    return replace(subject, alpha=np.asarray(subject.alpha * (1 - subject.over.cover), np.float32))


def _scalars(
    subject: Subject, skin: F32, own: F32, hidden: _Occlusion, lighting: Lighting, keys: F32
) -> tuple[F32, F32]:
    """Measure light on the face's skin and settle what multiplies it: see the unpacking in `shade`."""
    chosen = skins.sample(subject, skin)
    i = chosen.index
    normals = np.ascontiguousarray(subject.normals.reshape(-1, 3)[i])
    codes = subject.rgb.reshape(-1, 3)[i]
    divided = np.clip(basis(normals) @ own, -0.5, 0.5) * (0.35 + 0.65 * subject.face.reshape(-1)[i])
    albedo = untone(codes) * np.exp(-divided)[:, None]
    gain, lightness = skins.exposure(subject, chosen, albedo)
    sky, direct = np.empty_like(normals), np.empty_like(normals)
    open_here = np.ascontiguousarray(hidden.open.reshape(-1)[i])
    shadows_here = np.ascontiguousarray(hidden.shadows.reshape(len(hidden.shadows), skin.size)[:, i])
    incident(normals, open_here, shadows_here, lighting.ambient.astype(np.float32), keys, sky, direct)
    mean_sky = max(float(luminance(sky.mean(0))), 1e-4)
    mean_direct = float(luminance(direct.mean(0))) if len(keys) else 0.0
    lit = mean_direct > 1e-4
    sky_gain = (lighting.fill if lit else 1.0) / mean_sky
    key_gain = (1 - lighting.fill) / mean_direct if lit else 0.0
    light = sky * sky_gain + direct * key_gain
    mean = max(float(luminance(light).mean()), 1e-4)
    level = _level(lighting.level, lightness)
    limited = _limited(light, mean, lighting.contrast) * level
    chroma, _ = skins.kept_chroma(albedo * gain, limited, codes, lighting.skin_shift if chosen.human else 60.0)
    chin, fall = _fall_off(subject, level)
    values = (gain, sky_gain, key_gain, mean, level, lighting.contrast, _SPREAD, chroma, chin, fall)
    return np.array(values, np.float32), hidden.open


def _limited(light: F32, mean: float, contrast: float) -> F32:
    g = np.maximum(luminance(light), 1e-4)[:, None]
    ratio = np.maximum(g / mean, 1e-3)
    return np.asarray(light / g * np.exp(_SPREAD * np.tanh(contrast * np.log(ratio) / _SPREAD)), np.float32)


def _fall_off(subject: Subject, level: float) -> tuple[float, float]:
    """Row of the chin, and how fast light falls off below it (per pixel): the darker the mood, the nearer the lamp."""
    if subject.points is None:
        return 0.0, 0.0
    chin = float(subject.points[:468, 1].max())
    return chin, float(np.sqrt(np.clip(0.95 - level, 0, 0.6))) * 0.75 / subject.face_height


def _level(level: float, lightness: float) -> float:
    """Dark skin keeps its detail in low-key light."""
    if level >= 1:
        return level
    t = float(np.clip((lightness - 30) / 30, 0, 1))
    return level + (1 - level) * 0.5 * (1 - t * t * (3 - 2 * t))


def _keys(keys: tuple[KeyLight, ...]) -> F32:
    table = np.zeros((len(keys), KEY_COLUMNS), np.float32)
    for row, key in zip(table, keys, strict=True):
        d = _unit(key.direction)
        row[0:3], row[3:6] = d, key.colour
        row[6], row[7], row[8] = key.wrap, key.shadow, key.specular
        row[9:12] = _unit(d + np.array([0, 0, 1], np.float32))
    return table


def _rims(rims: tuple[RimLight, ...]) -> F32:
    table = np.zeros((len(rims), RIM_COLUMNS), np.float32)
    for row, rim in zip(table, rims, strict=True):
        d = _unit(rim.direction)
        row[0:2] = d[:2] / max(float(np.hypot(d[0], d[1])), 0.2)
        row[2:5] = np.asarray(rim.colour, np.float32) * rim.gain
        row[5] = rim.bias
    return table


def _unit(v: Array) -> F32:
    v = np.asarray(v, np.float32)
    return np.asarray(v / max(float(np.linalg.norm(v)), 1e-6), np.float32)


def _edge(subject: Subject, rims: tuple[RimLight, ...]) -> F32:
    """Weight (h, w) of the band inside the silhouette that light from behind reaches."""
    if not rims:
        return np.zeros_like(subject.alpha)
    tall = subject.face_height
    # The crop ends where the body ends; the picture's border must not count as an outline.
    near = 1 - wide_blur(subject.alpha, 0.021 * tall)
    far = 1 - wide_blur(subject.alpha, 0.07 * tall)
    edge = np.clip(near * 1.5, 0, 1) * 0.6 + np.clip(far * 1.6, 0, 1) * 0.5
    return np.ascontiguousarray(edge, np.float32)


def _occlusion(subject: Subject, field: F32, lighting: Lighting, speed: Speed) -> _Occlusion:
    rows, columns = subject.alpha.shape
    if speed == "turbo":
        return _Occlusion(
            np.ones((rows, columns), np.float32), np.ones((len(lighting.keys), rows, columns), np.float32)
        )
    tall = subject.face_height * field.shape[0] / rows
    open_ = cv2.resize(ambient_occlusion(field, tall, speed), (columns, rows), interpolation=cv2.INTER_LINEAR)
    shadows = np.ones((len(lighting.keys), rows, columns), np.float32)
    for i, key in enumerate(lighting.keys):
        if key.shadow > 0:
            small = cast_shadow(field, key, tall, speed)
            shadows[i] = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return _Occlusion(np.ascontiguousarray(open_, np.float32), shadows)


def _box(alpha: F32) -> tuple[slice, slice] | None:
    rows = np.flatnonzero(alpha.max(1) > 0.004)
    columns = np.flatnonzero(alpha.max(0) > 0.004)
    if not len(rows) or not len(columns):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _cropped(subject: Subject, box: tuple[slice, slice]) -> Subject:
    points = subject.points
    if points is not None:
        points = points - np.array([box[1].start, box[0].start, 0], np.float32)
    return replace(
        subject,
        rgb=subject.rgb[box],
        alpha=subject.alpha[box],
        regions=subject.regions[box],
        points=points,
        normals=subject.normals[box],
        face=subject.face[box],
        under=None if subject.under is None else subject.under.cropped(box),
        own=None if subject.own is None else subject.own[box],
        over=None if subject.over is None else subject.over.cropped(box),
    )


def _field(subject: Subject, box: tuple[slice, slice]) -> F32:
    """The height field over the box, still in units of its own pixels."""
    rows, columns = subject.alpha.shape
    scale = subject.height.shape[0] / rows
    size = (max(8, round((box[1].stop - box[1].start) * scale)), max(8, round((box[0].stop - box[0].start) * scale)))
    # One pixel of the field is one unit of its heights, so the crop must keep the scale.
    x = (np.arange(size[0], dtype=np.float32) + 0.5) / size[0] * (box[1].stop - box[1].start) + box[1].start
    y = (np.arange(size[1], dtype=np.float32) + 0.5) / size[1] * (box[0].stop - box[0].start) + box[0].start
    u = x * (subject.height.shape[1] / columns) - 0.5
    v = y * scale - 0.5
    mapped = cv2.remap(
        subject.height, np.tile(u, (size[1], 1)), np.tile(v[:, None], (1, size[0])), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(mapped, np.float32)
