"""What is behind the people: paper of a colour, or a place at a time of day in some weather."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from portrayal import colours
from portrayal.description import places
from portrayal.description.features import features
from portrayal.description.person import oklab_of_names
from portrayal.description.view import View
from portrayal.engines.studio.scenes.catalogue import settings
from portrayal.imaging import F32, Bool
from portrayal.styles.oklab import to_oklab

_SIDE: Final = 96
# Deviation in Oklab from a smooth sheet (lightness, colour). Measured on 196 portraits before paper: under 0.024 with
# 0.004; painted canvas reaches 0.028, but its clouds have no colour. Places: over 0.023 with 0.006.
_PAPER: Final = (0.022, 0.016)
_CANVAS: Final = (0.040, 0.0035)
# Paper behind people is darker in pictures than on its roll: by about 1.13, in dark rigs up to 1.9. The weight of the
# factor's logarithm, and of lightness, against hue and chroma; fitted to 47 papers under portrait rigs.
_SHADE: Final = 1.13
_SHADE_WEIGHT: Final = 0.1
_LIGHTNESS: Final = 0.5
_PALER: Final = 0.92
_SEEN: Final = 0.05  # share of the picture that must be background
# What must be known of a place before it is said.
_SURE: Final = 0.55
_STRANGE: Final = 1.0  # times the distance that 99 % of known backgrounds keep
_TIME_SURE: Final = 0.75
_WEATHER_SURE: Final = 0.8
_SAID_WEATHERS: Final = frozenset(("fog", "rain", "snow", "storm", "overcast"))
_GREY: Final = 0.012


@dataclass(frozen=True)
class Backdrop:
    """`paper`, `level`: colour name and lightness (Oklab, 0..1) of a plain backdrop; else what is known of a place.

    None = not sure.
    """

    paper: str | None = None
    level: float | None = None
    setting: str | None = None
    time: str | None = None
    weather: str | None = None
    facts: dict[str, float | str] = field(default_factory=dict)


def read(view: View) -> Backdrop:
    """Look behind the people."""
    lab, seen = _small(view)
    if float(seen.mean()) < _SEEN:
        return Backdrop(facts={"background": "hidden"})
    rest = _rest(lab, seen)
    gray = float(np.percentile(np.hypot(lab[..., 1], lab[..., 2]), 95)) < _GREY  # the whole photograph is
    flat = rest[0] < _PAPER[0] and rest[1] < _PAPER[1]
    if flat or (rest[0] < _CANVAS[0] and rest[1] < _CANVAS[1] and not gray):
        name = _paper_name(lab, seen)
        level = float(np.median(lab[..., 0][seen]))
        return Backdrop(paper=name, level=level, facts={"background": "plain", "backdrop": name})
    row = features(view.picture, view.person)
    tables = places.tables()
    likely, strange = tables["grey"].likely(places.grey(row)) if gray else tables["place"].likely(row)
    facts: dict[str, float | str] = {
        "background": "scene",
        "setting": likely[0][0],
        "setting_sure": round(likely[0][1] * min(1.0, 1.3 / max(strange, 1e-3)), 2),
        "setting_strange": round(strange, 2),
        "setting_second": likely[1][0],
    }
    if likely[0][1] < _SURE or strange > _STRANGE:
        return Backdrop(facts=facts)
    place = settings()[likely[0][0]]
    time = weather = None
    if place.place == "outdoor" and not gray:
        time = _sure("time", row, place.times, _TIME_SURE, facts)
        weather = _sure("weather", row, place.weathers, _WEATHER_SURE, facts)
    return Backdrop(
        setting=place.id,
        # What goes without saying is not said.
        time=None if time == place.time else time,
        weather=weather if weather in _SAID_WEATHERS else None,
        facts=facts,
    )


def outdoors(view: View) -> bool:
    """Whether a scene without people is surely under the sky."""
    likely, strange = places.tables()["place"].likely(features(view.picture, view.person))
    share = sum(p for name, p in likely if settings()[name].place == "outdoor")
    return share > 0.8 and strange < _STRANGE


def _sure(kind: str, row: F32, allowed: tuple[str, ...], least: float, facts: dict[str, float | str]) -> str | None:
    likely = [(name, p) for name, p in places.tables()[kind].likely(row)[0] if name in allowed]
    if not likely:
        return None
    name, p = likely[0]
    p /= sum(q for _, q in likely)
    facts |= {kind: name, f"{kind}_sure": round(p, 2)}
    return name if p > least else None


def _small(view: View) -> tuple[F32, Bool]:
    """The picture at 96 x 96 in Oklab, and where background is seen."""
    size = (_SIDE, _SIDE)
    small = np.asarray(cv2.resize(view.picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    cover = np.asarray(cv2.resize(view.person, size, interpolation=cv2.INTER_AREA), np.float32)
    near = cv2.dilate(cover, np.ones((5, 5), np.uint8))  # loose hair and light around the outline
    return to_oklab(small), np.asarray(near < 0.15, bool)


def _rest(lab: F32, seen: Bool) -> tuple[float, float]:
    """How far the background is from a smooth sheet: deviations of lightness and of colour from a cubic, outliers (a
    lamp, an arm) left out."""
    v, u = np.mgrid[:_SIDE, :_SIDE].astype(np.float32) / np.float32(_SIDE) - np.float32(0.5)
    x, y = u[seen], v[seen]
    terms = np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y, x**3, y**3, x * x * y, x * y * y])
    values = lab[seen].astype(np.float64)
    rest = values - terms @ np.linalg.lstsq(terms, values, rcond=None)[0]
    size = np.abs(rest[:, 0])
    kept = size <= np.quantile(size, 0.97)
    light, a, b = np.sqrt((rest[kept] ** 2).mean(0))
    return float(light), float(np.hypot(a, b))


def _paper_name(lab: F32, seen: Bool) -> str:
    """The colour of the roll. Vignette and falloff only darken, so the lit part counts; and every name is compared at
    the exposure at which it would fit best, if that is a likely one."""
    values = lab[seen]
    bright = values[values[:, 0] >= np.quantile(values[:, 0], 0.6)]
    middle = np.median(bright, axis=0) * np.array([1, _PALER, _PALER])
    logs = np.linspace(0, 0.75, 16)
    tried = middle * np.exp(logs)[:, None]
    names = colours.names()
    away = (tried[:, None] - oklab_of_names()[None]) * np.array([_LIGHTNESS, 1, 1])
    cost = (away**2).sum(-1) + ((_SHADE_WEIGHT * (logs - np.log(_SHADE))) ** 2)[:, None]
    return names[int(cost.min(0).argmin())]
