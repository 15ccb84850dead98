"""What the parts of a body share while its rows are made."""

from __future__ import annotations

from dataclasses import dataclass, field

from portrayal.engines.studio.figure.dress import Wear
from portrayal.engines.studio.figure.poses import Pose
from portrayal.engines.studio.figure.rows import Rig, vector
from portrayal.engines.studio.figure.skeleton import Skeleton
from portrayal.engines.studio.figure.types import Build


@dataclass
class Making:
    """A body in the making: bones, clothes and the rig that takes the rows."""

    pose: Pose
    bones: Skeleton
    build: Build
    worn: Wear
    seed: int
    rig: Rig = field(default_factory=Rig)
    frames: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bones, rig = self.bones, self.rig
        for name, at, axes in (
            ("chest", bones.thorax, bones.chest_axes),
            ("pelvis", bones.pelvis, bones.pelvis_axes),
            ("room", vector(0, 0, 0), vector(1, 0, 0, 0, 1, 0, 0, 0, 1).reshape(3, 3)),
        ):
            self.frames[name] = rig.limb_frame(at, axes[:, 1], axes[:, 2], 30.0)
        for index in (0, 1):
            arm, leg = bones.arms[index], bones.legs[index]
            for name, a, b, front in (
                (f"upper arm {index}", arm.root, arm.middle, -arm.pole),
                (f"forearm {index}", arm.middle, arm.end, -arm.pole),
                (f"thigh {index}", leg.root, leg.middle, leg.pole),
                (f"shin {index}", leg.middle, leg.end, leg.pole),
            ):
                self.frames[name] = rig.limb_frame(a, b - a, front, float(((b - a) ** 2).sum() ** 0.5))

    def use(self, cloth: str, part: int, frame: str) -> None:
        """What the next rows are: the cloth by its name ("" = skin), a PART, and the limb whose weave it follows."""
        self.rig.use(self.worn.part(cloth) if cloth else -1, part, self.frames[frame])

    @property
    def seated(self) -> bool:
        """Whether the thighs lie, on a seat or a saddle."""
        return self.pose.seat != ""
