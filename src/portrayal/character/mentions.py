"""``@name`` in a prompt: who is meant, and the prompt without the names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

from portrayal.character import names
from portrayal.quotations import quotations

# An e-mail address is looked for at its beginning only: at each of its letters a long word would take seconds.
_LINK = re.compile(r"https?://\S+|www\.\S+|(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]*[A-Za-z0-9]@[\w-]+(?:\.[\w-]+)+")
_POSSESSIVE = re.compile(r"['’`´]s\b", re.IGNORECASE)
# What may stand between the names of a list: "@ada, @bob and @cy".
_LIST = re.compile(r"\s*[,、&+/]?\s*(?:(?:and|und|sowie|y|e|et|ed)\s+|と\s*|や\s*)?", re.IGNORECASE)
# Scripts that are written without spaces: kana and ideographs, Thai, Lao, Khmer, Burmese.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3005, 0x30FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
# The portrait of one; one among others; the same again; two, three, four.
_WORDS: Final[dict[str, tuple[str, str, str, tuple[str, str, str]]]] = {
    "en": ("a portrait", "a person", "the person", ("two people", "three people", "four people")),
    "de": ("ein Porträt", "eine Person", "die Person", ("zwei Personen", "drei Personen", "vier Personen")),
    "es": ("un retrato", "una persona", "la persona", ("dos personas", "tres personas", "cuatro personas")),
    "fr": ("un portrait", "une personne", "la personne", ("deux personnes", "trois personnes", "quatre personnes")),
    "pt": ("um retrato", "uma pessoa", "a pessoa", ("duas pessoas", "três pessoas", "quatro pessoas")),
    "it": ("un ritratto", "una persona", "la persona", ("due persone", "tre persone", "quattro persone")),
    "ja": ("人物", "人物", "人物", ("二人の人物", "三人の人物", "四人の人物")),
}
# Words that no other language of the reader has; a prompt without them keeps its own words only.
_ENGLISH = re.compile(
    r"\b(?:the|with|and|at|of|is|are|wearing|by|her|his|their|into|(?:in|on|as|like) an?)\b", re.IGNORECASE
)


class Mention(NamedTuple):
    """One ``@name``: where it begins (at the ``@``) and ends (after a possessive 's), and the name."""

    start: int
    end: int
    name: str


def find(prompt: str, known: Iterable[str] = ()) -> tuple[Mention, ...]:
    """Every mention in a prompt, in order.

    E-mail addresses, links and everything in quotation marks hold no mentions. Of several known names that fit, the
    longest is taken. In scripts without spaces a known name ends where it is spelt out ("@さくらが笑う"); a name that
    nobody has goes as far as letters do.

    Args:
        prompt: any text.
        known: the names of the saved characters; a mention gets their spelling.
    """
    spelt = {names.key(name): name for name in known}
    taken = [(q.start, q.end) for q in quotations(prompt)]
    taken += [(m.start(), m.end()) for m in _LINK.finditer(prompt)]
    found = []
    for match in re.finditer("[@＠]", prompt):
        at = match.start()
        if any(start <= at < end for start, end in taken):
            continue
        before = prompt[at - 1] if at else " "
        if (before.isalnum() and not _unspaced(before)) or before in "@＠":
            continue
        run = _run(prompt, at + 1)
        if not run:
            continue
        length, name = _longest(run, spelt)
        end = at + 1 + length
        possessive = _POSSESSIVE.match(prompt, end)
        found.append(Mention(at, possessive.end() if possessive else end, name))
    return tuple(found)


def mentions(prompt: str, known: Iterable[str] = ()) -> tuple[str, ...]:
    """The names that a prompt mentions, each once, in order; see `find`."""
    found: dict[str, str] = {}
    for mention in find(prompt, known):
        found.setdefault(names.key(mention.name), mention.name)
    return tuple(found.values())


def candidates(prompt: str) -> tuple[str, ...]:
    """The keys (`names.key`) that a known name must have to be mentioned in a prompt, each once.

    Whoever knows many names looks these up, and calls `find` with those that there are.
    """
    found: dict[str, None] = {}
    for mention in find(prompt):
        run = _run(prompt, mention.start + 1)
        for length in range(min(len(run), 2 * names.LONGEST), 0, -1):
            if _ends(run, length):
                found.setdefault(names.key(run[:length]))
    return tuple(found)


def without_mentions(prompt: str, count: int, known: Iterable[str] = (), language: str = "") -> str:
    """The prompt with plain words for the names: "@ada in a cafe" is "a portrait in a cafe".

    Args:
        prompt: any text.
        count: how many characters are in the picture.
        known: the names of the saved characters, as for `find`.
        language: of the prompt (``"en"``, ``"de"``, ...). When it is not given, words are put in only where the
            prompt is clearly English; elsewhere the names are taken out, so that the language is still recognised.
    """
    groups = _groups(prompt, find(prompt, known))
    if not groups:
        return prompt
    plain = _joined(prompt, groups, [""] * len(groups))
    if not language and (_ENGLISH.search(plain) or not re.search(r"\w", plain)):
        language = "en"
    words = _WORDS.get(language)
    if words is None:
        return plain
    seen: set[str] = set()
    put: list[str] = []
    for group in groups:
        called = {names.key(m.name) for m in group}
        new = called - seen
        number = count if len(groups) == 1 and len(called) > 1 else len(called)
        if number > 1:
            text = words[3][min(number, 4) - 2]
        elif not new:
            text = words[2]
        elif count == 1 and not prompt[: group[0].start].strip():
            text = words[0]
        else:
            text = words[1]
        owned = language == "en" and prompt[group[-1].end - 2 : group[-1].end].lower() == "'s"
        put.append(text.replace("a portrait", "a person") + "'s" if owned else text)
        seen |= called
    return _joined(prompt, groups, put)


def _groups(prompt: str, found: tuple[Mention, ...]) -> list[list[Mention]]:
    """Mentions that stand in one list together."""
    groups: list[list[Mention]] = []
    for mention in found:
        if groups and _LIST.fullmatch(prompt, groups[-1][-1].end, mention.start):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return groups


def _joined(prompt: str, groups: list[list[Mention]], words: list[str]) -> str:
    parts, at = [], 0
    for group, word in zip(groups, words, strict=True):
        before, after = prompt[at : group[0].start], prompt[group[-1].end :]
        near = word or " "
        if word and before and before[-1].isalnum() and not _unspaced(word[0]):
            near = f" {near}"
        if word and after and after[0].isalnum() and not _unspaced(word[-1]):
            near = f"{near} "
        parts += [before, near]
        at = group[-1].end
    text = "".join((*parts, prompt[at:]))
    return re.sub(r"[ \t]{2,}", " ", text).strip(" \t,、")


def _run(prompt: str, at: int) -> str:
    """As many characters of a name as there are from here on."""
    end = at
    while end < len(prompt) and (names.is_letter(prompt[end]) or (end > at and names.may_follow(prompt[end]))):
        end += 1
    return prompt[at:end]


def _longest(run: str, spelt: dict[str, str]) -> tuple[int, str]:
    """(letters, name) of the longest known name that the run begins with; else of all of it."""
    for length in range(min(len(run), 2 * names.LONGEST), 0, -1):
        name = spelt.get(names.key(run[:length]))
        if name is not None and _ends(run, length):
            return length, name
    bare = run.rstrip("-_")
    return len(bare), unicodedata.normalize("NFC", bare)


def _ends(run: str, length: int) -> bool:
    """Whether a name may end here: nothing follows but a stray hyphen, or one script has no spaces."""
    if not run[length:].strip("-_"):
        return True
    after = run[length]
    return names.is_letter(after) and (_unspaced(after) or _unspaced(run[length - 1]))


def _unspaced(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _UNSPACED)
