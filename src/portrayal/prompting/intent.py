"""What a prompt for an edit wants: what to do, with what, and who is meant; the rest is a scene plan."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

from portrayal.colours import names
from portrayal.prompting import text as texts
from portrayal.prompting.languages import detect
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.reader import read
from portrayal.prompting.vocabulary import LANGUAGES, load

Action = Literal["remove", "change"]
Target = Literal["face", "head", "person", "background"]
Place = Literal["left", "right", "middle", "largest", "smallest"]

WORDS: Final = Path(__file__).parent / "edit_words.toml"


@dataclass(frozen=True)
class EditIntent:
    """The reading of an edit's prompt.

    Attributes:
        action: None when no word says it.
        target: what is meant, as far as a word says it.
        place: who is meant, among several people.
        colour: the first colour that is named, e.g. what shall be under the mask.
        plan: what the rest of the prompt says: expression, garments, a setting.
    """

    action: Action | None
    target: Target | None
    place: Place | None
    colour: str | None
    plan: ScenePlan


class _Phrase(NamedTuple):
    words: tuple[str, ...]
    kind: str
    id: str


@lru_cache(1)
def phrases() -> dict[str, tuple[_Phrase, ...]]:
    """All phrases by language, longest first."""
    table = tomllib.loads(WORDS.read_text("utf-8"))
    found: dict[str, list[_Phrase]] = {language: [] for language in LANGUAGES}
    for kind, ids in table.items():
        for name, languages in ids.items():
            for language, entries in languages.items():
                for entry in entries:
                    words = tuple(token.word for token in texts.tokens(texts.even(entry)))
                    found[language].append(_Phrase(words, kind, name))
    return {language: tuple(sorted(entries, key=lambda p: -len(p.words))) for language, entries in found.items()}


def read_edit(prompt: str, negative: str = "") -> EditIntent:
    """Read the prompt of an edit; the same languages as `reader.read`.

    Args:
        prompt: may be empty. Words in quotation marks are lettering and never an instruction.
        negative: what shall not be in the picture.
    """
    prompt = texts.clean(prompt)
    without_lettering, _ = texts.take_lettering(prompt)
    evened = texts.even(without_lettering)
    tokens = texts.tokens(evened)
    language = detect(tokens)
    spoken = [language, "en"] if language in LANGUAGES and language != "en" else ["en"]
    found: dict[str, str] = {}
    rest, at, copied = [], 0, 0
    while at < len(tokens):
        phrase = _longest(tokens, at, spoken)
        if phrase is None:
            at += 1
            continue
        first, last = tokens[at], tokens[at + len(phrase.words) - 1]
        found.setdefault(phrase.kind, phrase.id)
        rest.append(evened[copied : first.start])
        copied = last.end
        at += len(phrase.words)
    rest.append(evened[copied:])
    plan = read(prompt if not found else " ".join(" ".join(rest).split()), negative)
    return EditIntent(
        action=cast("Action | None", found.get("action")),
        target=cast("Target | None", found.get("target")),
        place=cast("Place | None", found.get("place")),
        colour=_colour(tokens, spoken),
        plan=plan.model_copy(update={"prompt": prompt, "language": language}),
    )


def _colour(tokens: list[texts.Token], languages: list[str]) -> str | None:
    for at in range(len(tokens)):
        for language in languages:
            for sense in load(language).longest(tokens, at).senses:
                if sense.kind == "colour" and sense.id in names():
                    return sense.id
    return None


def _longest(tokens: list[texts.Token], at: int, languages: list[str]) -> _Phrase | None:
    """The longest phrase that begins at a token; none reaches across a comma."""
    for language in languages:
        for phrase in phrases()[language]:
            window = tokens[at : at + len(phrase.words)]
            if tuple(t.word for t in window) == phrase.words and not any(t.after_stop for t in window[1:]):
                return phrase
    return None
