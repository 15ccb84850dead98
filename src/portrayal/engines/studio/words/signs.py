"""Signs in the scene: boards and neon tubes in the plate's own linear light, in perspective, behind the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.base import Box
from portrayal.engines.studio.light.harmonics import irradiance
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.scenes.catalogue import settings
from portrayal.engines.studio.types import Notes, Plate, Shot, Subject
from portrayal.engines.studio.words import boards
from portrayal.engines.studio.words.hanging import Spot, hang
from portrayal.imaging import F32, F64, Array
from portrayal.lettering import typeset
from portrayal.prompting.plan import ScenePlan

_FINE: Final = 1.6
"""Board pixels per picture pixel."""
_SOFT: Final = 0.00042
"""Blur of a board by the lens, in heights of the picture: it hangs about where the person stands."""
_DIMMEST: Final = 0.46
"""Light on a board at least, after the exposure: a sign in the dark has a lamp of its own."""


def signed(
    plate: Plate,
    subject: Subject,
    plan: ScenePlan,
    shot: Shot,
    seed: int,
    notes: Notes,
    matrix: Array | None = None,
) -> Plate:
    """The plate with the signs of the plan in it.

    Args:
        plate: the scene, not changed.
        subject: who will stand before it; signs hang beside or above, never behind.
        plan: its `lettering` of the kinds "sign", "neon" and "wall".
        shot: the camera of the plate.
        seed: of the kind of board and its turn.
        notes: gets what is done in another way. Texts without room are left to `overlay.lettered`.
        matrix: (2, 3) of a camera that will be turned about its axis; None = it will not.
    """
    height, width = plate.radiance.shape[:2]
    spots = hang(plan, (width, height), face_boxes(subject), subject.alpha, shot, seed, matrix)
    if not spots:
        return plate
    radiance = plate.radiance.copy()
    for spot in spots:
        if spot.board.name == "brush" and plan.lettering_as[spot.index] == "wall" and plate.wall <= 0:
            notes.warnings.append(f"the writing {plan.lettering[spot.index]!r} is on a board: the scene shows no wall")
        if not _painted(spot, plate):
            _held_up(radiance, spot, plate, plan, subject.alpha)
        _put(radiance, spot, plate, shot, seed)
    return replace(plate, radiance=radiance)


def face_boxes(subject: Subject) -> tuple[Box, ...]:
    """The face of a subject as a box, or nothing."""
    if subject.points is None:
        return ()
    points = subject.points[:468, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    return ((float(low[0]), float(low[1]), float(high[0]), float(high[1])),)


def letters_of(spot: Spot, size: tuple[int, int]) -> F32:
    """Coverage of a sign's letters in the picture, (H, W) 0..1."""
    block = spot.block.coverage
    out = np.zeros((size[1], size[0]), np.float32)
    x0, y0, x1, y1 = _region(spot, size, 2)
    shift = np.array(
        [[1, 0, (spot.size[0] - block.shape[1]) / 2], [0, 1, (spot.size[1] - block.shape[0]) / 2], [0, 0, 1]]
    )
    matrix = _moved(spot.matrix @ shift, -x0, -y0)
    out[y0:y1, x0:x1] = cv2.warpPerspective(block, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    return out


def _moved(matrix: F64, x: float, y: float) -> F64:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64) @ matrix


def _region(spot: Spot, size: tuple[int, int], room: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = spot.box
    return (
        max(0, int(x0) - room), max(0, int(y0) - room),
        min(size[0], int(np.ceil(x1)) + room), min(size[1], int(np.ceil(y1)) + room),
    )  # fmt: skip


def _put(radiance: F32, spot: Spot, plate: Plate, shot: Shot, seed: int) -> None:
    """Draw one board into the plate's light."""
    height, width = radiance.shape[:2]
    fine = typeset("\n".join(spot.block.lines), role=spot.board.role, size=spot.block.size * _FINE, lead=1.12)
    face = boards.made(spot.board, fine, seed + spot.index)
    x0, y0, x1, y1 = _region(spot, (width, height), 3)
    scale = np.diag([spot.size[0] / face.cover.shape[1], spot.size[1] / face.cover.shape[0], 1.0])
    matrix = _moved(spot.matrix @ scale, -x0, -y0)

    def seen(layer: F32) -> F32:
        soft = cv2.GaussianBlur(layer, (0, 0), max(0.45 * _FINE, _SOFT * height * _FINE))
        return np.asarray(cv2.warpPerspective(soft, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR), np.float32)

    if _painted(spot, plate):
        _paint(radiance[y0:y1, x0:x1], np.clip(seen(face.letters), 0, 1))
        return
    cover = np.clip(seen(face.cover), 0, 1)
    _shade(radiance, cover, (x0, y0), spot, plate)
    light = _light(radiance[y0:y1, x0:x1], spot, plate, shot.seed)
    lit = seen(face.albedo) * light
    if face.emission is not None:
        lit += seen(face.emission) * np.float32(2.0**-plate.exposure)
    part = radiance[y0:y1, x0:x1]
    radiance[y0:y1, x0:x1] = part * (1 - cover[..., None]) + lit * cover[..., None]
    if face.emission is not None:
        _bloom(radiance, seen(face.letters), (x0, y0), spot, plate)


def _painted(spot: Spot, plate: Plate) -> bool:
    """Whether the words are paint on the wall of a studio."""
    return spot.board.name == "brush" and plate.wall > 0


def _paint(wall: F32, letters: F32) -> None:
    """Paint on a wall: white on a dark one, black on a bright one; the wall's light and its grain stay."""
    bright = float(np.median(luminance(np.ascontiguousarray(wall))))
    mean = np.maximum(cv2.GaussianBlur(wall, (0, 0), 6.0), 0)
    paint = mean * (0.06 if bright > 0.16 else 1.0) + (0.0 if bright > 0.16 else max(0.42, 6 * bright))
    cover = 0.96 * letters[..., None]
    wall[:] = wall * (1 - cover) + paint * cover


def _light(around: F32, spot: Spot, plate: Plate, seed: int) -> F32:
    """Light that falls on a board (h, w, 3): that of the scene by its direction and colour, a little uneven."""
    angle = np.radians(spot.turn)
    normal = np.array([np.sin(angle), 0.0, np.cos(angle)], np.float32)
    lighting = plate.lighting
    total = np.maximum(irradiance(lighting.ambient, normal[None])[0], 0).astype(np.float32)
    side = np.zeros(2, np.float32)
    for key in lighting.keys:
        direction = np.asarray(key.direction, np.float32)
        direction = direction / max(1e-6, float(np.linalg.norm(direction)))
        total = total + np.asarray(key.colour, np.float32) * max(0.0, float(direction @ normal))
        side += direction[:2] * float(luminance(np.asarray(key.colour, np.float32)))
    colour = total / max(1e-4, float(luminance(total)))
    colour = 0.45 + 0.55 * colour
    mean = float(np.median(luminance(np.ascontiguousarray(around))))
    level = 1.05 * lighting.level * float(np.clip((mean / 0.25) ** 0.35, 0.6, 1.15))
    level = max(level, _DIMMEST * 2.0**-plate.exposure)
    size = float(np.linalg.norm(side))
    side = side / size if size > 1e-6 else np.array([0.3, 0.8], np.float32)
    height, width = around.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(1, -1, height, dtype=np.float32)[:, None, None]
    uneven = 1 + np.float32(0.11) * (x * side[0] + y * side[1])
    return np.asarray(colour * np.float32(level) * uneven, np.float32)


def _shade(radiance: F32, cover: F32, at: tuple[int, int], spot: Spot, plate: Plate) -> None:
    """The soft shadow behind a board, away from the strongest light; strong where a wall is near."""
    height, width = radiance.shape[:2]
    tall = spot.box[3] - spot.box[1]
    key = max(plate.lighting.keys, key=lambda k: float(np.sum(k.colour)), default=None)
    direction = np.array([-0.4, 0.8, 0.6], np.float32) if key is None else np.asarray(key.direction, np.float32)
    direction = direction / max(1e-6, float(np.linalg.norm(direction)))
    move = np.clip(np.array([-direction[0], direction[1]]) / max(0.35, float(direction[2])), -1.2, 1.2) * 0.16 * tall
    sigma = 0.10 * tall
    room = round(3 * sigma + float(np.abs(move).max())) + 2
    x0, y0 = max(0, at[0] - room), max(0, at[1] - room)
    x1, y1 = min(width, at[0] + cover.shape[1] + room), min(height, at[1] + cover.shape[0] + room)
    dark = np.zeros((y1 - y0, x1 - x0), np.float32)
    dark[at[1] - y0 : at[1] - y0 + cover.shape[0], at[0] - x0 : at[0] - x0 + cover.shape[1]] = cover
    moved = np.array([[1, 0, move[0]], [0, 1, move[1]]], np.float32)
    dark = cv2.GaussianBlur(cv2.warpAffine(dark, moved, dark.shape[::-1]), (0, 0), max(1.0, sigma))
    strength = np.float32(0.5 if plate.wall > 0 else 0.22)
    radiance[y0:y1, x0:x1] *= 1 - strength * dark[..., None]


def _bloom(radiance: F32, letters: F32, at: tuple[int, int], spot: Spot, plate: Plate) -> None:
    """Neon light on what is around: the wall near by and the air before it."""
    height, width = radiance.shape[:2]
    em, part = spot.block.size, 8
    room = round(5 * em)
    x0, y0 = max(0, at[0] - room), max(0, at[1] - room)
    x1, y1 = min(width, at[0] + letters.shape[1] + room), min(height, at[1] + letters.shape[0] + room)
    around = np.zeros((y1 - y0, x1 - x0), np.float32)
    around[at[1] - y0 : at[1] - y0 + letters.shape[0], at[0] - x0 : at[0] - x0 + letters.shape[1]] = letters
    small = cv2.resize(around, (max(2, (x1 - x0) // part), max(2, (y1 - y0) // part)), interpolation=cv2.INTER_AREA)
    wide = sum(cv2.GaussianBlur(small, (0, 0), sigma * em / part) for sigma in (0.7, 1.7))
    glow = cv2.resize(0.26 * np.asarray(wide, np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    colour = np.array(spot.board.ink, np.float32) * np.float32(2.0**-plate.exposure)
    near = radiance[y0:y1, x0:x1]
    near += glow[..., None] * colour * (0.35 + np.minimum(near, 1))


def _held_up(radiance: F32, spot: Spot, plate: Plate, plan: ScenePlan, matte: F32) -> None:
    """A post to the ground, or cords to above the frame; on a studio's wall a sign hangs by itself."""
    height, width = radiance.shape[:2]
    known = settings().get(plan.setting or "studio")
    place = known.place if known else "apart"
    hung = spot.board.hung
    if hung == "place":
        hung = "post" if place == "outdoor" else "cords"
    if plate.wall > 0 and hung != "post":
        return
    wide, tall = spot.size
    above = spot.box[3] < 0.5 * height and spot.box[0] < 0.5 * width < spot.box[2]
    if hung == "post" and not above:
        feet = np.flatnonzero((matte > 0.5).any(axis=1))
        foot = float(feet[-1]) if len(feet) and feet[-1] < 0.97 * height else height + 10.0
        thick = float(np.clip(0.05 * wide, 0.011 * height, 0.022 * height))
        wood = spot.board.grain in ("wood", "card", "chalk")
        colour = np.array((0.10, 0.062, 0.036) if wood else (0.16, 0.165, 0.17), np.float32)
        for share in (0.5,) if wide < 2.4 * tall else (0.2, 0.8):
            _pole(
                radiance,
                _seen(spot, share * wide, 0.6 * tall),
                foot,
                thick,
                colour * np.float32(0.9 * plate.lighting.level),
            )
        return
    for share in (0.1, 0.9):
        x, y = _seen(spot, share * wide, 2.0)
        thick = max(1, round(0.0024 * height))
        _pole(radiance, (x, -4.0), y, thick, np.full(3, 0.03 * plate.lighting.level, np.float32))


def _seen(spot: Spot, x: float, y: float) -> tuple[float, float]:
    point = spot.matrix @ np.array([x, y, 1.0])
    return float(point[0] / point[2]), float(point[1] / point[2])


def _pole(radiance: F32, top: tuple[float, float], bottom: float, thick: float, colour: F32) -> None:
    """An upright round bar from a point down to a row."""
    height, width = radiance.shape[:2]
    x0, x1 = max(0, int(top[0] - thick) - 1), min(width, int(top[0] + thick) + 2)
    y0, y1 = max(0, int(top[1])), min(height, int(np.ceil(bottom)))
    if x0 >= x1 or y0 >= y1:
        return
    across = (np.arange(x0, x1, dtype=np.float32) + 0.5 - top[0]) / np.float32(thick / 2)
    cover = np.clip((1 - np.abs(across)) * thick / 2 + 0.5, 0, 1)
    round_ = np.sqrt(np.clip(1 - np.minimum(np.abs(across), 0.98) ** 2, 0, 1)) * (1 - 0.25 * across) + 0.12
    bar = colour * round_[:, None] * 1.6
    part = radiance[y0:y1, x0:x1]
    radiance[y0:y1, x0:x1] = part * (1 - cover[None, :, None]) + bar[None] * cover[None, :, None]


def unplaced(plan: ScenePlan, spots: Sequence[Spot], kinds: frozenset[str]) -> list[int]:
    """Places in the plan of texts that should hang and have no room."""
    hung = {spot.index for spot in spots}
    return [i for i, kind in enumerate(plan.lettering_as) if kind in kinds and i not in hung]
