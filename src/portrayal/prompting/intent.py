"""What a prompt for an edit wants: what to do, with what, and who is meant; the rest is a scene plan."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

from portrayal.colours import names
from portrayal.prompting import text as texts
from portrayal.prompting.clitics import parted
from portrayal.prompting.languages import detect
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.reader import read
from portrayal.prompting.vocabulary import LANGUAGES, load

Action = Literal["remove", "recolour", "change"]
Target = Literal["face", "head", "person", "background"]
Place = Literal["left", "right", "middle", "second", "third", "largest", "smallest", "others", "all"]

# What stands between a thing and its owner, and what may stand before a thing without being one.
# fmt: off
_OF: Final = frozenset((
    "of", "from", "off", "von", "vom", "des", "der", "de", "del", "du", "d", "da", "do", "dos", "das", "di", "della",
))
_OF_DUTCH: Final = frozenset(("van",))  # "de" is its article
_SMALL: Final = frozenset((
    "the", "a", "an", "this", "that", "please", "bitte", "die", "den", "das", "la", "el", "le", "les", "l", "o", "os",
    "as", "il", "lo", "los", "por", "favor",
))
# fmt: on

WORDS: Final = Path(__file__).parent / "edit_words.toml"


@dataclass(frozen=True)
class EditIntent:
    """The reading of an edit's prompt.

    Attributes:
        action: None when no word says it.
        target: what is meant, as far as a word says it. Of "the hat of the man" it is not the man.
        place: who is meant, among several people.
        colour: the first colour that is named, e.g. what shall be under the mask.
        plan: what the rest of the prompt says: expression, garments, a setting; colours are not unknown, hair is.
        negated: the words say what shall not be done ("do not remove him").
    """

    action: Action | None
    target: Target | None
    place: Place | None
    colour: str | None
    plan: ScenePlan
    negated: bool = False


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
                    words = tuple(token.word for token in parted(texts.tokens(texts.even(entry)), language))
                    found.setdefault(language, []).append(_Phrase(words, kind, name))
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
    tokens = parted(tokens, language)
    if language not in LANGUAGES or not _instructs(tokens, [language, "en"]):
        # A few words may look like another language: one in which they are an instruction is the better guess.
        language = next((other for other in LANGUAGES if _instructs(tokens, [other])), language)
    spoken = [language, "en"] if language in LANGUAGES and language != "en" else ["en"]
    found: dict[str, str] = {}
    at_first: dict[str, tuple[int, int]] = {}
    rest, copied = [], 0
    for at, end, phrase in _phrases_in(tokens, spoken):
        if phrase.kind not in found:
            found[phrase.kind], at_first[phrase.kind] = phrase.id, (at, end)
        rest.append(evened[copied : tokens[at].start])
        copied = tokens[end - 1].end
    rest.append(evened[copied:])
    if found.get("target") == "person" and _owns(tokens, at_first, language):
        del found["target"]
    plan = read(prompt if not found else " ".join(" ".join(rest).split()), negative)
    colour = _colour(tokens, spoken)
    if found.get("target") == "background" and colour is not None and not plan.setting:
        plan = plan.model_copy(update={"backdrop": colour})
    hair = tuple(u.phrase for u in plan.understood if u.kind == "hair")  # no edit changes hair
    unknown = tuple(words for phrase in (*plan.unknown, *hair) if (words := _without_colours(phrase, spoken)))
    return EditIntent(
        action=cast("Action | None", found.get("action")),
        target=cast("Target | None", found.get("target")),
        place=cast("Place | None", found.get("place")),
        colour=colour,
        plan=plan.model_copy(update={"prompt": prompt, "language": language, "unknown": unknown, "hair": None}),
        negated="not" in found,
    )


def _phrases_in(tokens: list[texts.Token], languages: list[str]) -> Iterator[tuple[int, int, _Phrase]]:
    """First token, end and phrase of each phrase, from left to right."""
    at = 0
    while at < len(tokens):
        phrase = _longest(tokens, at, languages)
        if phrase is None:
            at += 1
            continue
        yield at, at + len(phrase.words), phrase
        at += len(phrase.words)


def _instructs(tokens: list[texts.Token], languages: list[str]) -> bool:
    """Whether the words say that something shall be done."""
    known = [language for language in languages if language in LANGUAGES]
    return any(phrase.kind == "action" for _, _, phrase in _phrases_in(tokens, known))


def _owns(tokens: list[texts.Token], at: dict[str, tuple[int, int]], language: str) -> bool:
    """Whether the person who is named only owns what is meant: "the man's hat", "den Hut der Frau", "人の帽子"."""
    start, end = at["target"]
    if end < len(tokens) and tokens[end].word in ("s", "の"):
        return True
    if "action" not in at or at["action"][1] > start:
        return False
    between = [token.word for token in tokens[at["action"][1] : start]]
    of = _OF_DUTCH if language == "nl" else _OF
    at_owner = next((i for i, word in enumerate(between) if word in of), None)
    return at_owner is not None and any(word not in _SMALL for word in between[:at_owner])


def _without_colours(phrase: str, languages: list[str]) -> str:
    """An unknown phrase without the names of colours, which an edit understands."""
    tokens, kept, at = texts.tokens(texts.even(phrase)), [], 0
    while at < len(tokens):
        matches = [load(language).longest(tokens, at) for language in languages]
        end = max((m.end for m in matches if any(s.kind == "colour" for s in m.senses)), default=at)
        if end == at:
            kept.append(tokens[at])
            end += 1
        at = end
    return phrase if len(kept) == len(tokens) else " ".join(token.word for token in kept)


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
