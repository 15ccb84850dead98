"""The person's own clothes in another colour, or with a pattern printed on them.

The cloth that covers most of the clothing is found by its colour; straps, patches, metal, shirt and collar keep theirs.
What the light does on it (folds, shade, weave) is divided out as a shading in linear light and put on the new colour.
A pattern follows the roundness of the body and slides a little over the folds, in the centimetres of real cloth.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.cloth.fabrics import dye, weave
from portrayal.engines.studio.light.tone import tone
from portrayal.engines.studio.types import Cutout
from portrayal.engines.studio.wardrobe import outfit
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, Bool
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN

_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Below this chroma (CIE Lab) a cloth counts as black, grey or white, and is told apart by lightness.
_NEUTRAL: Final = 14.0
_WORK: Final = 224  # longer side at which the cloth is looked for
_CLUSTERS: Final = 5
_FACE_CM: Final = 18.5  # height of a face from the landmarks' top to the chin
_ROUND_CM: Final = 20.0  # radius of a trunk
_SLIDE_CM: Final = 0.22
REWOVEN: Final = ("cotton", "linen", "denim", "wool", "tweed", "canvas", "jersey", "knit", "corduroy")
"""Fabrics that clothes of a photograph can turn into: the light on them stays that of cloth."""
_PIECE: Final = 0.03  # share of the cloth below which a separate piece of a neutral one is something else


def recolour(
    cutout: Cutout,
    colour_hex: str | None,
    mask: F32 | None = None,
    cloth: Cloth | None = None,
    *,
    pattern: str | None = None,
    second: str | None = None,
    fabric: str | None = None,
) -> Cutout:
    """The cut-out with its main cloth in another colour; everything else is unchanged to the bit.

    The mean of the cloth's lit part comes close to the colour (Lab distance below 15).

    Args:
        cutout: the person.
        colour_hex: new colour, "#rrggbb"; None = the cloth's own, for a pattern or a fabric.
        mask: (h, w) float32 0..1, where clothes may be recoloured; by default the region CLOTHING.
        cloth: the cloth to recolour; by default the main one that the cut-out shows. A close-up may show more of a
            collar than of the coat, so it is better looked for in the whole reference (`main_cloth`).
        pattern, second: a pattern to print, and its colour "#rrggbb"; None = one that goes with the first.
        fabric: whose threads to show; only those that change the colour and not the fall, see `REWOVEN`.

    Returns:
        A new cut-out; the same one when no cloth is seen.

    Raises:
        InvalidRequestError: when a colour is not of the form "#rrggbb", or there is no such pattern or fabric.
    """
    for colour in (colour_hex, second):
        if colour is not None:
            parse_hex(colour)
    if mask is None:
        mask = (cutout.regions == CLOTHING).astype(np.float32)
    lab = _lab(cutout.rgb)
    cloth = cloth or _main_cloth(lab, np.asarray(mask * cutout.alpha, np.float32))
    if cloth is None:
        return cutout
    member = _membership(lab, cloth, mask)
    if cloth.neutral:
        member = _main_pieces(member, mask)
    weight = _spread(member, mask, cutout)
    sure = weight * (cutout.alpha > 0.95) > 0.8
    if int(sure.sum()) < 50:
        return cutout
    light = _linear(cutout.rgb)
    shading = _shading(light, sure, cloth)
    colour_hex = colour_hex or _own_colour(light, sure, shading)
    target = _linear(parse_hex(colour_hex))
    new = _dye(shading, target, sure)
    if pattern is not None or fabric is not None:
        new = _printed(new, shading, cutout, weight, outfit.Cloth(colour_hex, fabric or "cotton", pattern, second))
    at = weight > 0
    changed = light[at] + (new[at] - light[at]) * weight[at][:, None]
    rgb = cutout.rgb.copy()
    rgb[at] = _display(changed)
    return dataclasses.replace(cutout, rgb=rgb)


def _own_colour(light: F32, sure: Bool, shading: F32) -> str:
    """The colour of the lit cloth, "#rrggbb"."""
    lit = sure & (shading >= np.median(shading[sure]))
    code = _display(np.asarray(light[lit].mean(axis=0), np.float32))
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in code)


def _printed(new: F32, shading: F32, cutout: Cutout, weight: F32, cloth: outfit.Cloth) -> F32:
    """Dyed cloth (h, w, 3) in linear RGB with a print and with threads: only its colour changes, not its light."""
    if cloth.fabric not in REWOVEN:
        known = ", ".join(REWOVEN)
        raise InvalidRequestError(
            f"the clothes of the picture cannot turn into {cloth.fabric}",
            field="fabric",
            remedy=f"Use one of: {known}.",
        )
    rows = np.flatnonzero((weight > 0).any(1))
    columns = np.flatnonzero((weight > 0).any(0))
    box = np.s_[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    u, v, detail = _on_the_body(cutout, shading)
    woven = weave(cloth, np.ascontiguousarray(u[box]), np.ascontiguousarray(v[box]), detail)
    # What the print does to the plain dye, seen through the camera's curve, is put on the dyed and shaded cloth.
    plain = _linear(tone(dye(cloth.colour)[None]))[0]
    there = np.maximum(_linear(tone(woven.albedo)), 0.004)
    level = np.asarray(new[box] @ _LUMINANCE, np.float32) / max(float(plain @ _LUMINANCE), 0.01)
    # Only the light of the dyed cloth is used: a dark dye has little of it, and white dots need all of it.
    shade = np.clip(np.maximum(level, 0.25 * shading[box]), 0, 1.6)[..., None]
    out = new.copy()
    out[box] = there * shade if cloth.pattern else new[box] * (there / np.maximum(plain, 0.004))
    return np.asarray(out, np.float32)


def _on_the_body(cutout: Cutout, shading: F32) -> tuple[F32, F32, float]:
    """Where each pixel lies on the cloth, cm across and down (h, w), and cm per pixel."""
    rows, columns = shading.shape
    if cutout.points is not None:
        tall = max(float(np.ptp(cutout.points[:468, 1])), 8.0)
        x0, y0 = float(cutout.points[:468, 0].mean()), float(cutout.points[:468, 1].max())
    else:
        tall, x0, y0 = 0.4 * float(np.sqrt((cutout.alpha > 0.5).sum())), columns / 2, rows * 0.4
    scale = tall / _FACE_CM
    y, x = (np.mgrid[:rows, :columns].astype(np.float32) - np.array([y0, x0], np.float32)[:, None, None]) / scale
    # Beyond the trunk are arms: the print goes on at the density that it has there.
    near = np.clip(x, -0.7 * _ROUND_CM, 0.7 * _ROUND_CM)
    u = _ROUND_CM * np.arcsin(near / _ROUND_CM) + 1.4 * (x - near)
    # A fold carries the print along: light and dark of a fold are its two slopes.
    calm = cv2.GaussianBlur(np.log(np.clip(shading, 0.05, 3)), (0, 0), max(1.0, 0.18 * scale))
    slide = _SLIDE_CM * scale
    u = u + slide * cv2.Sobel(calm, cv2.CV_32F, 1, 0, scale=0.125)
    v = y + slide * cv2.Sobel(calm, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(u, np.float32), np.asarray(v, np.float32), 1 / scale


def parse_hex(colour: str) -> F32:
    """ "#rrggbb" as (3,) float32 0..1.

    Raises:
        InvalidRequestError: when it has another form.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise InvalidRequestError(
            f"{colour!r} is not a colour", field="colour", remedy='Write it as "#rrggbb", for instance "#1f2a44".'
        )
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def _linear(code: F32) -> F32:
    low, high = code / 12.92, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4
    return np.asarray(np.where(code <= 0.04045, low, high), np.float32)


def _display(light: F32) -> F32:
    light = np.clip(light, 0, 1)
    return np.asarray(np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055), np.float32)


def _lab(rgb: F32) -> F32:
    return np.asarray(cv2.cvtColor(np.clip(rgb, 0, 1), cv2.COLOR_RGB2Lab), np.float32)


def _smooth(low: float, high: float, x: F32) -> F32:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


@dataclass(frozen=True)
class Cloth:
    """A cloth: mean Lab colour, and whether it is black, grey or white."""

    lightness: float
    a: float
    b: float

    @property
    def code(self) -> str:
        """The colour, "#rrggbb"."""
        lab = np.array([[[self.lightness, self.a, self.b]]], np.float32)
        rgb = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[0, 0], 0, 1)
        return "#" + "".join(f"{round(float(v) * 255):02x}" for v in rgb)

    @property
    def chroma(self) -> float:
        """Distance from grey in Lab."""
        return float(np.hypot(self.a, self.b))

    @property
    def neutral(self) -> bool:
        """Black, grey or white."""
        return self.chroma < _NEUTRAL


def main_cloth(rgb: F32, weight: F32) -> Cloth | None:
    """The main cloth of a picture: (h, w, 3) float32 0..1 and the weight (h, w) of its clothes; None without any."""
    return _main_cloth(_lab(rgb), weight)


def _main_cloth(lab: F32, weight: F32) -> Cloth | None:
    """The colour that covers most of the clothing: the largest cluster together with its own shades."""
    factor = min(1.0, _WORK / max(weight.shape))
    size = (max(4, round(weight.shape[1] * factor)), max(4, round(weight.shape[0] * factor)))
    small = cv2.resize(lab, size, interpolation=cv2.INTER_AREA)
    sample = np.ascontiguousarray(small[cv2.resize(weight, size, interpolation=cv2.INTER_AREA) > 0.8], np.float32)
    if len(sample) < 30:
        return None
    sample *= np.array([0.4, 1, 1], np.float32)  # shade moves the lightness more than the cloth's own colour
    cv2.setRNGSeed(1)
    count = min(_CLUSTERS, len(sample) // 6)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.3)
    start = np.zeros((len(sample), 1), np.int32)
    _, labels, centres = cv2.kmeans(sample, count, start, criteria, 3, cv2.KMEANS_PP_CENTERS)
    share = np.bincount(np.asarray(labels).ravel(), minlength=count).astype(np.float64)
    colours = [Cloth(float(c[0] / 0.4), float(c[1]), float(c[2])) for c in centres]
    together = [sum(share[j] for j in range(count) if _same(colours[i], colours[j])) for i in range(count)]
    best = int(np.argmax(np.array(together) + 1e-3 * share))
    family = [j for j in range(count) if _same(colours[best], colours[j])]
    # Lit shades say more about a cloth than its folds do.
    say = np.array([share[j] * (10 + colours[j].lightness) for j in family])
    mean = sum(
        s * np.array([colours[j].lightness, colours[j].a, colours[j].b]) for s, j in zip(say, family, strict=True)
    )
    found = np.asarray(mean) / say.sum()
    return Cloth(float(found[0]), float(found[1]), float(found[2]))


def _same(one: Cloth, other: Cloth) -> bool:
    if one.neutral or other.neutral:
        near = np.hypot(one.a - other.a, one.b - other.b) < 9
        return bool(near and abs(one.lightness - other.lightness) < 22)
    cosine = (one.a * other.a + one.b * other.b) / (one.chroma * other.chroma)
    return bool(cosine > 0.93)


def _membership(lab: F32, cloth: Cloth, mask: F32) -> F32:
    """How much each pixel is of the cloth, by colour alone, (h, w) 0..1."""
    lightness, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    if cloth.neutral:
        apart = np.hypot(a - cloth.a, b - cloth.b)
        above = lightness - cloth.lightness
        # White has deep shadows but nothing above it, black has highlights but little below it.
        down = 18 + 0.4 * cloth.lightness
        in_range = (1 - _smooth(24, 40, above)) * (1 - _smooth(down, down + 16, -above))
        return np.asarray(in_range * (1 - _smooth(11, 22, np.asarray(apart, np.float32))), np.float32)
    chroma = np.hypot(a, b)
    cosine = (a * cloth.a + b * cloth.b) / (np.maximum(chroma, 1e-3) * cloth.chroma)
    # Chroma falls with the light as lightness does: their ratio knows the cloth in the shade too.
    relative = (chroma / (lightness + 8)) / (cloth.chroma / (cloth.lightness + 8))
    found = _smooth(0.80, 0.93, np.asarray(cosine, np.float32)) * _smooth(0.30, 0.58, np.asarray(relative, np.float32))
    # Almost black has no hue: its neighbours decide.
    known = np.asarray(np.clip((lightness - 6) / 20, 0.02, 1), np.float32)
    # A fold has its cloth on both sides, a black collar beside the cloth has not.
    sigma = max(1.5, 0.006 * max(lab.shape[:2]))
    known *= mask
    near = np.maximum(cv2.GaussianBlur(known, (0, 0), sigma), 1e-3)
    share = cv2.GaussianBlur(found * known, (0, 0), sigma) / near
    around = _smooth(0.55, 0.9, np.asarray(share, np.float32))
    return np.asarray(found * known + around * (1 - known), np.float32)


def _spread(member: F32, mask: F32, cutout: Cutout) -> F32:
    """Membership inside the mask, carried on over the matte's soft border; 0 on face, hair and skin."""
    free = ~np.isin(cutout.regions, (FACE, HAIR, SKIN))
    sigma = max(1.5, 0.004 * max(mask.shape))
    # Well inside the mask a low matte is a fade, not a border.
    inner = cv2.blur(mask, (2 * round(2 * sigma) + 1,) * 2) > 0.97
    inside = np.maximum(_smooth(0.90, 0.985, cutout.alpha), inner.astype(np.float32)) * mask
    solid = np.maximum((cutout.alpha > 0.96).astype(np.float32), inner) * mask
    near = cv2.GaussianBlur(solid, (0, 0), 2 * sigma)
    edge = np.clip(1.1 * cv2.GaussianBlur(member * solid, (0, 0), 2 * sigma) / np.maximum(near, 1e-3), 0, 1)
    # Only close to cloth: far from it the border may be anybody's.
    edge *= _smooth(0.02, 0.12, np.asarray(near, np.float32))
    # The labels end at the matte's middle, the mask with them: beyond is border as well.
    weight = member * inside + edge * (1 - inside)
    weight[weight < 0.01] = 0
    return np.asarray(np.clip(weight, 0, 1) * free, np.float32)


def _main_pieces(member: F32, mask: F32) -> F32:
    """Membership without small separate pieces: the dark stripes of a tie are not the dark suit, nor is a watch."""
    factor = min(1.0, 2 * _WORK / max(mask.shape))
    size = (max(4, round(mask.shape[1] * factor)), max(4, round(mask.shape[0] * factor)))
    small = cv2.resize(np.asarray(member * mask, np.float32), size, interpolation=cv2.INTER_AREA)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((small > 0.5).astype(np.uint8), connectivity=4)
    if count <= 2:
        return member
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    area[0] = 0
    minor = (area < _PIECE * area.sum())[labels] & (labels > 0)
    grown = cv2.dilate(minor.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    drop = cv2.resize(grown, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(member * (1 - drop), np.float32)


def _shading(light: F32, sure: Bool, cloth: Cloth) -> F32:
    """Light on the cloth relative to its lit part (1), (h, w), without the noise of dark cloth."""
    base = np.asarray(light @ _LUMINANCE, np.float32)
    if not cloth.neutral:
        # The strongest channel depends least on the dye; the luminance keeps folds where it is clipped.
        top = light.max(axis=-1)
        base = 0.65 * base + 0.35 * top * float(np.median(base[sure]) / max(1e-4, float(np.median(top[sure]))))
    dark = float(np.clip((0.04 - np.median(base[sure])) / 0.04, 0, 1))
    if dark > 0:
        calm = cv2.bilateralFilter(np.sqrt(np.maximum(base, 0)), 7, 0.06, 2.5) ** 2
        base = base + (calm - base) * dark
    lit = float(np.percentile(base[sure], 70))
    # Light that the lens scattered into black cloth: without it, its folds would be ten times too deep.
    veil = 0.004 + 0.10 * lit
    return np.asarray((np.maximum(base, 0) + veil) / (lit + veil), np.float32)


def _average(values: F32, where: Bool, sigma: float) -> F32:
    """Gaussian average over the pixels of a mask, at reduced size; near it only, else 0."""
    step = max(1, int(sigma // 3))
    size = (max(4, values.shape[1] // step), max(4, values.shape[0] // step))
    weight = where.astype(np.float32)
    both = cv2.resize(cv2.merge([values * weight, weight]), size, interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(both, (0, 0), sigma / step)
    mean = near[..., 0] / np.maximum(near[..., 1], 0.02)
    return np.asarray(cv2.resize(mean, (values.shape[1], values.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _dye(shading: F32, target: F32, sure: Bool) -> F32:
    """Cloth of the target colour (linear RGB) under a shading, linear RGB (h, w, 3)."""
    level = float(target @ _LUMINANCE)
    spread = float(np.std(np.log(np.maximum(shading[sure], 1e-3)))) + 1e-3
    # Light cloth shows gentle folds, dark cloth deep ones; a print is at most 1.6 times the original's.
    wanted = 0.30 + 0.30 * float(np.clip(1 - level / 0.6, 0, 1))
    gain = float(np.clip(wanted / spread, 0.3, 1.6))
    logs = np.log(np.clip(shading, 0.01, 3))
    # Only the wide shade is softened for light cloth: folds and weave are what makes it cloth.
    wide = _average(np.asarray(logs, np.float32), sure, 0.025 * max(shading.shape))
    folds = np.exp(gain * wide + max(gain, 0.9) * (logs - wide)).astype(np.float32)
    # A shoulder for highlights, so that white keeps its folds.
    folds = np.where(folds > 1, 1 + 0.7 * np.tanh((folds - 1) / 0.7), folds).astype(np.float32)
    gloss = (0.02 + 0.04 * level) * np.clip(folds - 1.1, 0, 1)
    # White cloth in the light is not paper white, or its folds would be clipped; black cloth is not a hole.
    base = np.maximum(target * min(1.0, 0.80 / max(level, 1e-3)), 0.010).astype(np.float32)
    lit = sure & (shading >= np.median(shading[sure]))
    colour = base.copy()
    for _ in range(4):
        mean = np.clip(colour * folds[lit][:, None] + gloss[lit][:, None], 0, 1).mean(axis=0)
        colour = np.clip(colour * np.clip(base / np.maximum(mean, 1e-4), 0.6, 1.6), 0.002, 1.05).astype(np.float32)
    return np.asarray(colour * folds[..., None] + gloss[..., None], np.float32)
