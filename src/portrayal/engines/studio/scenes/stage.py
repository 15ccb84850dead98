"""What a builder gets, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.canvas import Canvas
from portrayal.engines.studio.scenes.catalogue import Setting
from portrayal.engines.studio.scenes.daylight import Daylight
from portrayal.engines.studio.types import Lamp, Lighting, Shot
from portrayal.imaging import F32


@dataclass(frozen=True)
class Stage:
    """One photograph to be built.

    Attributes:
        setting, shot: what is asked for.
        camera: at the size in which the plate is drawn, turned.
        day: light of the open air.
        own_time: the prompt says neither time nor weather.
    """

    setting: Setting
    shot: Shot
    camera: Camera
    day: Daylight
    own_time: bool

    @property
    def random(self) -> np.random.Generator:
        """A fresh generator of this shot's seed."""
        return np.random.default_rng((self.shot.seed, len(self.setting.id)))

    @property
    def phase(self) -> float:
        """A place of this shot in periodic noise, 0..1.

        A seed itself must not be added to coordinates: seeds go up to 2**31, where float32 has no fractions left.
        """
        return (self.shot.seed * 0.61803398875) % 1.0

    def canvas(self) -> Canvas:
        """An empty canvas of the camera."""
        return Canvas(self.camera, self.shot.height)

    def option(self, name: str, default: Any) -> Any:
        """A parameter of the setting."""
        return self.setting.options.get(name, default)


@dataclass
class Scene:
    """A sharp scene of `Stage.camera`'s size; lamps are in pixels of the whole canvas.

    `exposure` is the wanted geometric mean, 0 = leave it. `balance` 0..1 takes the plate's mean colour out.
    """

    radiance: F32
    depth: F32
    lighting: Lighting
    lamps: list[Lamp] = field(default_factory=list)
    exposure: float = 0.0
    balance: float = 0.0
    air: bool = True
