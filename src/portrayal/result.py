"""What comes out: pictures, each with its identity score, and what was and was not portrayed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from portrayal.request import Operation, OutputFormat


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IdentityScore(_Frozen):
    """How sure it is that a picture shows the character.

    Attributes:
        kind: "face" (distance of face descriptors) or "appearance" (a subject without a face).
        distance: Euclidean distance of the 128-d descriptors, 0 = same picture; None for "appearance", and when no
            face could be found in the picture.
        score: 0..1; 0.5 is the border between the same and another person.
        same_person: the verdict.
        bar: largest distance that the identity lock accepts at once (for "appearance": smallest score).
        measured: where: in the "picture" itself, or "before the look" when a look was drawn over it (a face descriptor
            was learned from photographs, so that ink and paint would be counted as another person).
        tries: how often the picture was made.
        name: of the character in a cast: a saved name, or "character 1", ...; "" for a single one.
        others: distance of this face to each other character of the cast, by name.
    """

    kind: Literal["face", "appearance"]
    distance: float | None
    score: float
    same_person: bool
    bar: float
    measured: Literal["picture", "before the look"] = "picture"
    tries: int = 1
    name: str = ""
    others: dict[str, float] = {}


class Picture(_Frozen):
    """One finished picture.

    Attributes:
        seed: gives this very picture again with the same request.
        identity: the proof; of a cast, that of the least alike. None when nobody was put in.
        cast: the proof of each member of a cast of several.
        did: of an edit: "face swapped", "head swapped", "person replaced", "put in", "removed", "filled", "recoloured"
            or "background replaced"; "" of all else.
        look: the drawn look or the style preset that it has; "" = a photograph without one.
        palette: the colours that were asked for, and the share of the picture that is of each.
        faces: of each character in the order of `cast`: where its face is (x0, y0, x1, y1 in pixels); None = it has
            none.
        mask_box: x0, y0, x1, y1 (end exclusive) of the mask of an edit, in pixels.
        mask: of an edit, as PNG bytes, white = was allowed to change (not part of `summary`).
        data: the file's bytes (not part of `summary`).
        format: of the file.
        path: where it was saved.
        warnings: what was not portrayed as asked.
        timings: seconds per stage.
        facts: measured or chosen values, e.g. requested and measured head angles.
    """

    seed: int
    width: int
    height: int
    identity: IdentityScore | None
    data: Annotated[bytes, Field(repr=False)]
    format: OutputFormat = "png"
    cast: tuple[IdentityScore, ...] = ()
    path: Path | None = None
    warnings: tuple[str, ...] = ()
    timings: dict[str, float] = {}
    facts: dict[str, float] = {}
    did: str = ""
    look: str = ""
    palette: tuple[tuple[str, float], ...] = ()
    faces: tuple[tuple[float, float, float, float] | None, ...] = ()
    mask_box: tuple[int, int, int, int] | None = None
    mask: Annotated[bytes | None, Field(repr=False)] = None

    @property
    def proof(self) -> IdentityScore:
        """`identity` of a picture with somebody in it.

        Raises:
            LookupError: nobody was put in.
        """
        if self.identity is None:
            raise LookupError("nobody was put into this picture")
        return self.identity

    def summary(self) -> dict[str, Any]:
        """Plain values for JSON, without the pixels."""
        return self.model_dump(mode="json", exclude={"data", "mask"})

    def save(self, path: str | Path) -> Picture:
        """Write the file whole or not at all; return the picture with its path.

        Raises:
            OutputError: when it cannot be written.
        """
        from portrayal.imaging import write_file

        target = Path(path)
        write_file(target, self.data)
        return self.model_copy(update={"path": target})


class Portrayal(_Frozen):
    """One finished job.

    Attributes:
        operation: what was done.
        prompt: as given; language: as recognised.
        magic_prompt: the richer prompt that was portrayed; "" = the prompt as given.
        added: (kind, phrase) of what the magic prompt added.
        understood: (phrase, kind, value) of each phrase that was read; unknown: phrases that were not portrayed.
        warnings: about the whole job (the reference, the prompt).
    """

    version: str
    engine: str
    operation: Operation
    prompt: str
    language: str
    pictures: tuple[Picture, ...]
    understood: tuple[tuple[str, str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    magic_prompt: str = ""
    added: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    timings: dict[str, float] = {}

    def summary(self) -> dict[str, Any]:
        """Plain values for JSON, without the pixels."""
        values = self.model_dump(mode="json", exclude={"pictures"})
        values["pictures"] = [picture.summary() for picture in self.pictures]
        return values
