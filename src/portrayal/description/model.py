"""What a description is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Description(BaseModel):
    """A picture in words.

    Attributes:
        prompt: words that lead to such a picture; `portrayal.prompting.read` understands every one.
        style_code: eight hex digits, the code nearest to the picture's colours; see `portrayal.styles.code`.
        facts: what was measured, and how sure it is (``..._sure``, 0..1); names and numbers only.
        own: the picture was made by Portrayal and still holds its request: `prompt` is that request's own.
    """

    model_config = ConfigDict(frozen=True)

    prompt: str
    style_code: str = Field(pattern="^[0-9A-F]{8}$")
    facts: dict[str, float | str] = Field(default_factory=dict)
    own: bool = False
