"""Composition: where the person stands in the frame, and how the camera sees the scene.

A photographer's contact sheet: every seed has another camera, distance and place in the frame, within what the prompt
asks for and what the reference shows. A body that the reference cuts off must never end inside the picture, so the
frame is tightened until every cut lies outside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.body import complete
from portrayal.engines.studio.head import HeadMotion
from portrayal.engines.studio.types import Notes, Shot
from portrayal.imaging import F32
from portrayal.prompting.plan import ScenePlan
from portrayal.request import Speed
from portrayal.sizes import Size

# Framing -> (face height, height of the face's centre, both as fractions of the frame; vertical field of view).
FRAMINGS: dict[str, tuple[float, float, float]] = {
    "close-up": (0.40, 0.47, 30.0),
    "head and shoulders": (0.285, 0.42, 38.0),
    "bust": (0.215, 0.37, 44.0),
    "medium": (0.155, 0.33, 52.0),
    "three-quarter": (0.115, 0.27, 54.0),
    "full": (0.085, 0.22, 56.0),
    "wide": (0.06, 0.35, 60.0),
}

# Camera height -> (apparent pitch of the head in degrees, horizon as a fraction of the frame).
CAMERAS: dict[str, tuple[float, float]] = {
    "eye level": (0.0, 0.46),
    "low angle": (7.0, 0.66),
    "high angle": (-7.0, 0.28),
    "dutch angle": (0.0, 0.46),
}

# What a photographer takes of a person when nobody says; a close-up now and then.
_USUAL = ("head and shoulders", "head and shoulders", "bust", "bust", "close-up")

# A modelled bust reaches so far below the middle of the face, in heights of the face.
_BUST = 3.5

# Cost of a frame over which the shoulders are completed, when that gives a better one.
_TIGHT = 0.6

STRONG = frozenset({"laugh", "surprised", "sad", "angry", "pout", "eyes closed", "singing", "shouting", "wink"})


@dataclass(frozen=True)
class Composition:
    """How one picture is taken.

    Attributes:
        scale, offset: canvas = scale * reference + offset, in pixels.
        framing: what the frame really shows.
        shot: the camera for the scene.
        motion: what the head does.
        camera_roll: degrees of a dutch angle.
        bar: largest accepted distance to the reference.
        completed: scale and offset are those of the character with completed shoulders, see `body.complete`.
    """

    scale: float
    offset: tuple[float, float]
    framing: str
    shot: Shot
    motion: HeadMotion
    camera_roll: float
    bar: float
    completed: bool = False


# Air above a hat and how far a face may go down for it, in heights of the picture; the least of its wanted size.
_AIR, _LOWER, _FARTHER = 0.035, 0.13, 0.70


@dataclass(frozen=True)
class Body:
    """The reference as the frame sees it, in reference pixels: a unit of height, an anchor, and the cut edges."""

    unit: float
    x: float
    y: float
    top: float
    bottom: float
    left: float
    right: float
    height: float
    width: float
    cut_bottom: bool
    cut_top: bool
    cut_left_from: float
    cut_right_from: float


def compose(
    plan: ScenePlan,
    character: IdentityMap,
    size: Size,
    speed: Speed,
    seed: int,
    attempt: int,
    notes: Notes,
    wider: Callable[[IdentityMap], IdentityMap] = complete,
    dressed: bool = False,
    over: float = 0.0,
) -> Composition:
    """Choose the frame and the camera of one picture, from the plan and the seed alone.

    `dressed`: the character is a head alone that gets a modelled bust. `over`: how far a hat will reach above the
    middle of the face, in heights of the face.
    """
    width, height = size
    rng = np.random.default_rng([seed, attempt, 101])
    body = body_of(character, dressed)
    camera = plan.camera or "eye level"
    pitch, horizon = CAMERAS[camera]
    wanted = plan.framing or _usual_framing(character, rng)
    share, centre, fov = FRAMINGS[wanted]
    base = min(height, 1.25 * width)
    zoom = math.exp(rng.uniform(-0.09, 0.09))
    unit = share * base * zoom
    x = width * (0.5 + _place_across(width / height, rng))
    if character.reading is None and not body.cut_bottom:
        centre = 0.5  # a whole figure stands on the ground in front, not in the distance
    y = height * (centre + rng.uniform(-0.03, 0.03))
    if over and character.reading is not None:  # room for a hat: lower, then from farther away
        y = max(y, min(over * unit + _AIR * height, y + _LOWER * height))
        unit = min(unit, max((y - 0.5 * _AIR * height) / over, _FARTHER * unit))
    frame = fit(character, unit, x, y, size, wider, dressed)
    scale, offset, got = frame.scale, frame.offset, frame.framing
    if plan.framing and _rank(got) < _rank(plan.framing) and scale * body.unit / base > share * 1.3:
        notes.warnings.append(
            f"framing {plan.framing!r}: the reference shows no more of the body, so the picture is {got!r}"
        )
    motion, bar = motion_of(plan, character, pitch, rng, seed, attempt)
    shot = shot_of(plan, size, speed, fov, horizon, rng)
    roll = roll_of(camera, rng)
    return Composition(scale, offset, got, shot, motion, roll, bar, frame.completed)


def shot_of(plan: ScenePlan, size: Size, speed: Speed, fov: float, horizon: float, rng: np.random.Generator) -> Shot:
    """The camera for the scene, varied a little by the random numbers."""
    return Shot(
        width=size[0],
        height=size[1],
        fov=fov,
        horizon=float(horizon + rng.uniform(-0.06, 0.06)),
        yaw=float(rng.uniform(-22, 22)),
        aperture=0.018 * math.exp(rng.uniform(-0.15, 0.2)),
        time=plan.time,
        weather=plan.weather,
        light=plan.light,
        backdrop=plan.backdrop,
        seed=int(rng.integers(0, 2**31 - 1)),
        speed=speed,
    )


def roll_of(camera: str, rng: np.random.Generator) -> float:
    """Degrees that the camera is turned about its axis."""
    return 0.0 if camera != "dutch angle" else float(rng.choice([-1, 1]) * rng.uniform(7, 11))


@dataclass(frozen=True)
class Frame:
    """Where a character lies on the canvas: canvas = scale * reference + offset; see `Composition`.

    `cost` grows with the distance from what was wished.
    """

    cost: float
    scale: float
    offset: tuple[float, float]
    framing: str
    completed: bool


def fit(
    character: IdentityMap,
    unit: float,
    x: float,
    y: float,
    size: Size,
    wider: Callable[[IdentityMap], IdentityMap] = complete,
    dressed: bool = False,
) -> Frame:
    """The frame nearest to a wish at which no cut edge of the body lies inside the picture.

    Args:
        character: who.
        unit: wanted height of the face in pixels (without a face: 0.35 of the subject's height).
        x, y: wanted place of the face's centre (without a face: of the point at 0.4 of the subject's height).
        size: (width, height) of the canvas.
        wider: completes shoulders where that allows a better frame.
        dressed: the character is a head alone that gets a modelled bust, which no border cuts.
    """
    width, height = size
    body = body_of(character, dressed)
    cost, scale, offset = _fit(body, unit, x, y, size)
    completed = False
    if cost > _TIGHT and not dressed and (wide := wider(character)) is not character:
        other = _fit(body_of(wide), unit, x, y, size)
        if other[0] < 0.6 * cost:
            completed, (cost, scale, offset) = True, other
    return Frame(cost, scale, offset, framing_of(scale * body.unit / min(height, 1.25 * width)), completed)


def _usual_framing(character: IdentityMap, rng: np.random.Generator) -> str:
    if character.reading is None:
        return "bust"
    return str(rng.choice(_USUAL))


def _place_across(ratio: float, rng: np.random.Generator) -> float:
    """Shift from the middle, as a fraction of the width: near the thirds in a wide frame."""
    side = float(rng.choice([-1, 1]))
    if ratio > 1.2:
        return side * float(rng.uniform(0.03, min(0.17, 0.07 * ratio)))
    return side * float(rng.uniform(0.0, 0.10))


def _rank(framing: str) -> int:
    return list(FRAMINGS).index(framing)


def framing_of(share: float) -> str:
    """The framing whose face height, as a share of the frame, is nearest."""
    return min(FRAMINGS, key=lambda name: abs(math.log(FRAMINGS[name][0] / max(share, 1e-3))))


def _first_row(column: F32) -> float:
    rows = np.flatnonzero(column > 0.4)
    return float(rows[0]) if len(rows) > 0.01 * len(column) else math.inf


def body_of(character: IdentityMap, dressed: bool = False) -> Body:
    """The reference as the frame sees it; `dressed`: a head alone, with a modelled bust below it."""
    alpha = character.alpha
    height, width = alpha.shape
    rows = np.flatnonzero((alpha > 0.5).any(1))
    columns = np.flatnonzero((alpha > 0.5).any(0))
    top, bottom = float(rows[0]), float(rows[-1] + 1)
    left, right = float(columns[0]), float(columns[-1] + 1)
    if character.reading is not None:
        points = character.reading.points[:468]
        lo, hi = points[:, :2].min(0), points[:, :2].max(0)
        unit, x, y = float(hi[1] - lo[1]), float((lo[0] + hi[0]) / 2), float((lo[1] + hi[1]) / 2)
        # A body that ends above the picture's border was cut out before; it must not float either.
        cut_bottom = bottom < height - 3 or (alpha[-3:] > 0.5).mean() > 0.02
        cut_bottom = cut_bottom and not (bottom < height - 3 and bottom - top > 5.5 * unit)
        if dressed:
            bottom, cut_bottom = y + _BUST * unit, True
    else:
        # Without a face the whole subject is the unit: 0.215 of the frame is then 0.62 of it in height.
        unit = max(bottom - top, 0.8 * (right - left)) * 0.215 / 0.62
        x, y = (left + right) / 2, top + 0.40 * (bottom - top)
        cut_bottom = bool((alpha[-3:] > 0.5).mean() > 0.05)
    return Body(
        unit=unit,
        x=x,
        y=y,
        top=top,
        bottom=bottom,
        left=left,
        right=right,
        height=float(height),
        width=float(width),
        cut_bottom=bool(cut_bottom),
        cut_top=bool((alpha[:2] > 0.5).mean() > 0.02),
        cut_left_from=_first_row(alpha[:, :2].max(1)),
        cut_right_from=_first_row(alpha[:, -2:].max(1)),
    )


def _fit(body: Body, unit: float, x: float, y: float, size: Size) -> tuple[float, float, tuple[float, float]]:
    """(cost, scale, offset) nearest to the wish at which no cut edge of the body lies inside the frame."""
    width, height = size
    best: tuple[float, float, tuple[float, float]] | None = None
    for zoom in np.exp(np.linspace(0.0, 1.6, 81)):
        scale = float(unit * zoom / body.unit)
        for down in np.linspace(-0.06, 0.24, 31):
            ty = float(y + down * height - body.y * scale)
            if body.cut_bottom and (body.bottom - 1) * scale + ty < height:
                continue
            if body.cut_top and ty > 0:
                continue
            tx = x - body.x * scale
            tx, shift = _hide_sides(body, scale, tx, ty, width, height)
            if math.isnan(tx):
                continue
            head_room = max(0.0, -(body.top * scale + ty) / height - 0.02)
            cost = (2.2 * math.log(zoom)) ** 2 + (down / 0.10) ** 2 + (shift / (0.16 * width)) ** 2
            cost += (head_room / 0.05) ** 2
            if best is None or cost < best[0]:
                best = (cost, scale, (tx, ty))
        if best is not None and (2.2 * math.log(zoom)) ** 2 > best[0]:
            break
    if best is None:  # nothing hides the cuts: fill the frame
        scale = max(width / (body.width - 1), height / (body.height - 1), unit / body.unit)
        return 99.0, scale, ((width - body.width * scale) / 2, height - (body.height - 1) * scale)
    return best


def _hide_sides(body: Body, scale: float, tx: float, ty: float, width: int, height: int) -> tuple[float, float]:
    """Move sideways until cut edges are outside; returns (tx, size of the move), NaN when that is impossible."""
    wish = tx
    left_seen = body.cut_left_from * scale + ty < height
    right_seen = body.cut_right_from * scale + ty < height
    if left_seen and right_seen and scale * (body.width - 1) < width + 2:
        return math.nan, math.nan
    if left_seen:
        tx = min(tx, -1.0)
    if right_seen:
        tx = max(tx, width + 1.0 - scale * (body.width - 1))
    x = body.x * scale + tx
    if not 0.2 * width < x < 0.8 * width:
        return math.nan, math.nan
    return tx, abs(tx - wish)


def motion_of(
    plan: ScenePlan,
    character: IdentityMap,
    camera_pitch: float,
    rng: np.random.Generator,
    seed: int,
    attempt: int,
) -> tuple[HeadMotion, float]:
    """What the head does, relative to the reference, and the distance that this may cost."""
    pose = character.reading.pose if character.reading else None
    small_yaw = float(rng.choice([-9.0, -6.0, 0.0, 0.0, 6.0, 9.0])) * (0.5 if attempt else 1.0)
    small_roll = float(rng.uniform(-2.5, 2.5)) * (0.5 if attempt else 1.0)
    if pose is None:
        return HeadMotion(seed=seed), 0.40
    yaw = small_yaw if plan.head.yaw is None else plan.head.yaw - pose.yaw
    small_pitch = float(rng.uniform(-3.0, 3.0)) * (0.5 if attempt else 1.0)
    pitch = small_pitch if plan.head.pitch is None else plan.head.pitch - pose.pitch
    roll = small_roll if plan.head.roll is None else plan.head.roll - pose.roll
    strength = 1.0 if attempt == 0 else 0.85 if attempt == 1 else 0.7
    motion = HeadMotion(
        yaw=float(yaw),
        pitch=float(pitch + camera_pitch),
        roll=float(roll),
        expression=plan.expression,
        strength=strength,
        gaze=(plan.gaze.x, plan.gaze.y) if plan.gaze else None,
        seed=seed,
    )
    hard = plan.expression in STRONG or abs(yaw) > 20
    return motion, 0.52 if hard else 0.40
