"""Where the modelled bust stands below the head of a photograph."""

from __future__ import annotations

import math

import numpy as np

from portrayal.engines.studio.wardrobe.frame import BustFrame
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.types import HeadPose

_FACE = 18.2  # cm from the forehead's highest landmark to the chin, of an ordinary adult
_NOTCH = 6.4  # cm from the chin down to the jugular notch, of a head held upright
_JAW_LEFT, _JAW_RIGHT = 58, 288
# A torso seen straight from the front looks like a mannequin: it is turned a little, to the side the head turns to.
_LEAST, _MOST = math.radians(3), math.radians(7)
_FURTHEST = 0.30


def stand(
    points: F32, pose: HeadPose, size: tuple[int, int], shoulders: float, seed: int, chest: float = 0.6
) -> BustFrame:
    """The bust below a head as the reference holds it.

    The head may move afterwards; the body does not follow every motion.

    Args:
        points: (478, 3) landmarks on the canvas before the head is moved.
        pose: of the head in the reference.
        size: (width, height) of the canvas.
        shoulders: their scale.
        seed: of the small turn of the body.
        chest: cm of bust.
    """
    rng = np.random.default_rng([seed, 606])
    scale = float(np.linalg.norm(points[mesh.FOREHEAD] - points[mesh.CHIN])) / _FACE
    ears = points[[mesh.CHEEK_LEFT, mesh.CHEEK_RIGHT]].mean(0)
    chin = points[mesh.CHIN]
    x = float(ears[0] + 0.42 * (chin[0] - ears[0]))
    # A chin that is raised or lowered moves farther than the neck under it.
    nod = math.sin(math.radians(float(np.clip(pose.pitch, -25, 25))))
    y = float(chin[1]) + (_NOTCH + 6.0 * nod) * scale
    jaw = points[[_JAW_LEFT, _JAW_RIGHT]]
    wide = float(np.linalg.norm(jaw[1] - jaw[0])) / scale
    lean = 0.5 * (0.5 * float(jaw[:, 0].mean() + ears[0]) - x) / scale
    turn = math.radians(pose.yaw)
    side = math.copysign(1.0, turn) if abs(turn) > math.radians(4) else float(rng.choice([-1, 1]))
    return BustFrame(
        width=size[0],
        height=size[1],
        scale=scale,
        x=x,
        y=y,
        # The neck stands below the ears; its front, and with it the notch, lies behind the chin.
        depth=-float(ears[2]) / scale + 2.5,
        neck=float(np.clip(0.425 * wide, 4.9, 6.6)),
        lean=float(np.clip(lean, -2.5, 2.5)),
        shoulders=shoulders,
        chest=chest,
        yaw=float(np.clip(0.45 * turn + side * rng.uniform(_LEAST, _MOST), -_FURTHEST, _FURTHEST)),
        # Nobody holds both shoulders at one height: 0.4..1 cm between their tips.
        roll=float(rng.choice([-1, 1]) * rng.uniform(0.012, 0.03)),
    )
