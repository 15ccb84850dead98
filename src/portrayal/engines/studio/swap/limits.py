"""Which faces of a scene can be swapped."""

from __future__ import annotations

from typing import Final

from portrayal.errors import InvalidRequestError
from portrayal.perception.types import FaceReading

# Cheek-to-cheek width in pixels.
LEAST_FACE: Final = 32.0
LEAST_HEAD: Final = 32.0
MOST_YAW: Final = 38.0  # measured to 35: distance up to 0.52
MOST_PITCH: Final = 35.0


def check_target(target: FaceReading, scene_size: tuple[int, int], *, head: bool) -> None:
    """Refuse a face that cannot be swapped well.

    Args:
        target: the scene's face.
        scene_size: (width, height) of the scene in pixels.
        head: whether the hair goes along.

    Raises:
        InvalidRequestError: with `field` "image" and the nearest thing that works as its remedy.
    """
    width, height = scene_size
    least = LEAST_HEAD if head else LEAST_FACE
    wide = float(target.pose.scale)
    if wide < least:
        factor = 4 if wide * 2 < least else 2
        raise InvalidRequestError(
            f"the face is {wide:.0f} px wide; at least {least:.0f} px are needed to know somebody by it",
            field="image",
            remedy=f"Upscale the picture {factor}x first, or mask the whole person.",
        )
    x, y = float(target.pose.origin[0]), float(target.pose.origin[1])
    if not (0 <= x < width and 0 <= y < height):
        raise InvalidRequestError(
            "the middle of the face lies outside of the picture",
            field="image",
            remedy="Choose a picture that shows the face, or mask the whole person.",
        )
    turned = abs(target.pose.yaw) > MOST_YAW
    if turned or abs(target.pose.pitch) > MOST_PITCH:
        angle = abs(target.pose.yaw) if turned else abs(target.pose.pitch)
        way = "aside" if turned else "up or down"
        most = MOST_YAW if turned else MOST_PITCH
        raise InvalidRequestError(
            f"the face is turned {angle:.0f} degrees {way}; up to {most:.0f} can be swapped",
            field="image",
            remedy="Mask the whole person instead.",
        )
