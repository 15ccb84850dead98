"""The members in front of the scene and of each other, from the farthest to the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.cast.member import Member
from portrayal.engines.studio.ground import contact_shadow
from portrayal.engines.studio.light.composite import FAR_WALL, composite, with_wall_shadow
from portrayal.engines.studio.light.occlusion import wide_blur
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import Lighting, Plate, Speed, Subject
from portrayal.imaging import F32

# Shade of somebody near: sigma in head heights and strength, of the closed corner and of the wide surroundings.
_CORNER: Final = (0.07, 0.34)
_AROUND: Final = (0.28, 0.26)
# Light at the outline of the one in front that the one behind keeps off: sigma in head heights and strength.
_EDGE: Final = (0.07, 0.6)
_APART: Final = 0.24  # distance between two who overlap, in head heights: how far aside a shadow falls
_DARKEST: Final = 0.55


def join(
    members: Sequence[Member], subjects: Sequence[Subject], lit: Sequence[F32], plate: Plate, speed: Speed
) -> tuple[F32, list[F32]]:
    """Join scene and members.

    Args:
        members, subjects, lit: where they stand, what they are and their radiance, each on its part of the canvas.
        plate: the scene.
        speed: see `composite`.

    Returns:
        Radiance (H, W, 3), and for each member how much of it is seen, on its part of the canvas.
    """
    height, width = plate.radiance.shape[:2]
    order = sorted(range(len(members)), key=lambda i: -members[i].spot.depth)
    people = np.zeros((height, width), np.float32)
    for i in order:
        np.maximum(people[members[i].part], subjects[i].alpha, out=people[members[i].part])
    radiance = _behind(members, subjects, plate, people)
    far = replace(plate, foreground=None, wall=max(plate.wall, FAR_WALL) if plate.wall > 0 else 0.0)
    people[:] = 0
    seen: dict[int, F32] = {}
    for i in order:
        member, subject, part = members[i], subjects[i], members[i].part
        behind, own = radiance[part], lit[i]
        if people[part].any():
            own = _backed(own, subject.alpha, people[part], member.spot.unit)
            shade = _shade(subject.alpha, plate.lighting, member.spot.unit) * people[part]
            behind = np.asarray(behind * (1 - shade)[..., None], np.float32)
        radiance[part] = composite(own, subject, replace(far, radiance=behind), speed)
        clear = 1 - subject.alpha
        for k in seen:
            _cover(seen[k], members[k], member, clear)
        seen[i] = subject.alpha.copy()
        people[part] = 1 - (1 - people[part]) * clear
    if plate.foreground is not None:
        radiance = radiance * (1 - plate.foreground[..., 3:]) + plate.foreground[..., :3]
    return np.ascontiguousarray(radiance, np.float32), [seen[i] for i in range(len(members))]


def _behind(members: Sequence[Member], subjects: Sequence[Subject], plate: Plate, people: F32) -> F32:
    """The scene with the shadows that all of them throw on it."""
    radiance = plate.radiance
    for member, subject in zip(members, subjects, strict=True):
        if subject.points is None:
            alone = np.zeros_like(people)
            alone[member.part] = subject.alpha
            radiance = contact_shadow(radiance, alone)
    if 0 < plate.wall < FAR_WALL:
        unit = float(np.mean([subject.face_height for subject in subjects]))
        group = replace(subjects[0], alpha=people, face_height=unit)
        radiance = with_wall_shadow(radiance, group, plate)
    return np.array(radiance, np.float32)


def _shade(alpha: F32, lighting: Lighting, unit: float) -> F32:
    """Darkness (h, w) 0..1 that somebody in front gives to who stands right behind: closed corner, room, and keys."""
    dark = _CORNER[1] * wide_blur(alpha, _CORNER[0] * unit) + _AROUND[1] * wide_blur(alpha, _AROUND[0] * unit)
    total = sum(float(luminance(np.asarray(key.colour, np.float32))) for key in lighting.keys)
    height, width = alpha.shape
    for key in lighting.keys:
        d = np.asarray(key.direction, np.float32)
        d = d / max(float(np.linalg.norm(d)), 1e-6)
        if d[2] <= 0.05 or key.shadow <= 0 or total <= 0:
            continue
        # A lamp that stands low at the side would throw a whole figure over the neighbour: the shadow stays near.
        aside = min(_APART / max(float(d[2]), 0.35), 2.2 * _APART) * unit
        move = np.array([[1, 0, -d[0] * aside], [0, 1, d[1] * aside]], np.float32)
        moved = cv2.warpAffine(alpha, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        share = float(luminance(np.asarray(key.colour, np.float32))) / total
        soft = wide_blur(np.asarray(moved, np.float32), (0.05 + 0.35 * key.softness) * unit)
        dark = dark + 0.6 * share * key.shadow * (1 - lighting.fill) * soft
    return np.asarray(np.clip(dark, 0, _DARKEST), np.float32)


def _backed(lit: F32, alpha: F32, people: F32, unit: float) -> F32:
    """The one in front, without the light at the outline that somebody right behind keeps off."""
    beside = wide_blur(np.asarray(people * (1 - alpha), np.float32), _EDGE[0] * unit)
    return np.asarray(lit * (1 - np.clip(2 * _EDGE[1] * beside, 0, _EDGE[1]))[..., None], np.float32)


def _cover(seen: F32, member: Member, front: Member, clear: F32) -> None:
    """Take away, in place, what somebody in front covers."""
    x0, x1 = max(member.x, front.x), min(member.x + member.width, front.x + front.width)
    y0, y1 = max(member.y, front.y), min(member.y + member.height, front.y + front.height)
    if x0 < x1 and y0 < y1:
        own = np.s_[y0 - member.y : y1 - member.y, x0 - member.x : x1 - member.x]
        seen[own] *= clear[y0 - front.y : y1 - front.y, x0 - front.x : x1 - front.x]
