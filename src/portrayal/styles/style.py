"""What a picture shall look like, as one value: type, preset, code, palette and pictures to take after."""

from __future__ import annotations

from dataclasses import dataclass

from portrayal.errors import InvalidRequestError
from portrayal.imaging import U8
from portrayal.request import StyleType
from portrayal.styles import catalogue
from portrayal.styles.catalogue import Member
from portrayal.styles.code import StyleCode


@dataclass(frozen=True)
class Style:
    """The style of a picture.

    Attributes:
        type: whether it is a photograph or drawn.
        preset: a name of `STYLE_PRESETS`; "" = none.
        code: look, colours, line and grain; None = none.
        palette: colours that the picture shall have, with their shares; empty = any.
        references: (h, w, 3) uint8 pictures whose colours and brushwork are taken.
    """

    type: StyleType = "auto"
    preset: str = ""
    code: StyleCode | None = None
    palette: tuple[Member, ...] = ()
    references: tuple[U8, ...] = ()

    @property
    def coloured(self) -> bool:
        """Whether it changes the colours of the finished picture."""
        return self.code is not None or bool(self.palette) or bool(self.references)


def resolve(
    type: StyleType = "auto",
    preset: str = "",
    codes: tuple[str, ...] = (),
    palette: tuple[str, ...] = (),
    references: tuple[U8, ...] = (),
) -> tuple[Style, tuple[str, ...]]:
    """A style from what callers write, and notes for the warnings.

    Raises:
        InvalidRequestError: an unknown preset, a malformed code or palette; names field and remedy.
    """
    notes: tuple[str, ...] = ()
    if len(codes) > 1:
        notes = (f"style_codes: one style is portrayed at a time; {codes[0]} was taken",)
    try:
        parsed = [StyleCode.parse(code) for code in codes]
    except InvalidRequestError as error:
        error.field = "style_codes"
        raise
    return Style(
        type=type,
        preset=catalogue.preset(preset, "style_preset") if preset else "",
        code=parsed[0] if parsed else None,
        palette=catalogue.members(palette) if palette else (),
        references=references,
    ), notes
