"""Scenes with a person for tests of words: made once, so that many words can be put into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from portrayal.character import study
from portrayal.engines.base import Box, Job
from portrayal.engines.studio import generate
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.composite import composite
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.types import Notes, Plate, Shot, Subject
from portrayal.engines.studio.words.overlay import lettered
from portrayal.engines.studio.words.signs import face_boxes, signed
from portrayal.imaging import U8
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.reader import read
from portrayal.sizes import Size

SEED = 3


@dataclass(frozen=True)
class Scene:
    """A person and a scene before they are joined."""

    plan: ScenePlan
    subject: Subject
    plate: Plate
    shot: Shot

    def with_words(self, prompt: str, look: str | None = None) -> tuple[U8, list[tuple[str, Box]], Notes, ScenePlan]:
        """A picture of the scene with the quoted words of a prompt, where its letters are, and what was noted."""
        said = read(prompt)
        words = {"prompt": prompt, "lettering": said.lettering, "lettering_as": said.lettering_as}
        plan, notes = self.plan.model_copy(update=words), Notes()
        plate = signed(self.plate, self.subject, plan, self.shot, SEED, notes)
        lit = relight(self.subject, plate.lighting, "balanced", plate.radiance)
        image = finish(composite(lit, self.subject, plate), plate.grade, exposure=plate.exposure, seed=SEED)
        placed: list[tuple[str, Box]] = []
        faces = face_boxes(self.subject)
        image = lettered(image, plan, faces, self.subject.alpha, look, SEED, notes, shot=self.shot, placed=placed)
        return image, placed, notes, plan


def scene(sample: bytes, prompt: str, size: Size) -> Scene:
    """The sample's person in a scene, as `generate` has them before it develops the picture."""
    seen: dict[str, Any] = {}
    develop = generate._develop

    def listen(plan: Any, composition: Any, subject: Any, plate: Any, *rest: Any) -> Any:
        seen.update(plan=plan, subject=subject, plate=plate, shot=composition.shot)
        return develop(plan, composition, subject, plate, *rest)

    plan = read(prompt)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "_develop", listen)
        character = study(sample, use_cache=False)
        generate.generate(Job("generate", plan, (character,), SEED, "balanced", size, (plan,)), Kept())
    return Scene(seen["plan"], seen["subject"], seen["plate"], seen["shot"])
