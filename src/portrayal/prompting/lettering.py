"""What each quoted text of a prompt is in the picture: a sign, a title, speech, a label, by the words around it.

No pixels here. The words that only announce a text ("a neon sign saying") are taken out of the reading, so that nothing
else is made of them and nothing is reported as unknown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from typing import Final, NamedTuple, cast

from portrayal.errors import InvalidRequestError
from portrayal.prompting.plan import LetteringAs
from portrayal.quotations import Quotation, quotations

MOST_LETTERS: Final = 300
MOST_TEXTS: Final = 12

# Looks in which words without an announcement are a title.
_PRINTED: Final = frozenset(("comic", "pop art", "travel poster"))
_STOP: Final = re.compile(r"[.;!?|()\n\u3002\uff1b\uff01\uff1f\u060c\u0964]|[,\uff0c\u3001](?!\s*$)")
_STOP_AFTER: Final = re.compile(r"[.;!?|()\n,\u3002\uff1b\uff01\uff1f\uff0c\u3001\u060c\u0964]")
_NEON: Final = re.compile("(?i)n[eé]on|neón|неон\\w*|霓虹灯?|ネオン|네온|نيون|नियॉन|निऑन")
_POSED: Final = "thinking"
"""A verb that also says how somebody stands, and stays."""
_REACH: Final = 60
"""Characters between a carrier and its quotation at most."""
_BEHIND: Final = 28


class Lettering(NamedTuple):
    """The quoted texts of a prompt.

    Attributes:
        rest: the prompt without them and without what announces them; a stop stands for each.
        texts: verbatim, in order.
        kinds: what each is.
        said: whether the words around it say so.
    """

    rest: str
    texts: tuple[str, ...]
    kinds: tuple[LetteringAs, ...]
    said: tuple[bool, ...]


class _Found(NamedTuple):
    start: int
    end: int
    kind: str
    keep: bool


def check_lettering(texts: Iterable[str]) -> None:
    """Refuse more words than a picture can show.

    Raises:
        InvalidRequestError: more than 12 texts, or more than 300 letters in all; the field is "prompt".
    """
    texts = list(texts)
    letters = sum(len("".join(text.split())) for text in texts)
    if len(texts) > MOST_TEXTS:
        raise InvalidRequestError(
            f"{len(texts)} quoted texts are more than one picture can show",
            field="prompt",
            remedy=f"Put at most {MOST_TEXTS} texts in quotation marks.",
        )
    if letters > MOST_LETTERS:
        raise InvalidRequestError(
            f"the quoted texts have {letters} letters; so many cannot be read in a picture",
            field="prompt",
            remedy=f"Put at most {MOST_LETTERS} letters in quotation marks, in all texts together.",
        )


def take(prompt: str) -> Lettering:
    """Quoted texts, what each is, and the rest of a prompt.

    Texts with nothing around that says what they are come out as "sign", or as "poster" and "title" where the prompt is
    about a poster or a cover.
    """
    quotes = [q for q in quotations(prompt) if q.text.strip()]
    every = list(quotations(prompt))
    gone = [False] * len(prompt)
    kinds: list[LetteringAs] = []
    said: list[bool] = []
    for number, quote in enumerate(quotes):
        since = quotes[number - 1].end if number else 0
        until = quotes[number + 1].start if number + 1 < len(quotes) else len(prompt)
        kind = _before(prompt, since, quote, gone) or _after(prompt, quote, until, gone)
        if kind is None and number and _only_links(prompt[since : quote.start]):
            kind = kinds[-1]
            gone[since : quote.start] = [True] * (quote.start - since)
        kinds.append(cast(LetteringAs, kind or _default(prompt, quotes)))
        said.append(kind is not None)
    rest, at = [], 0
    for quote in every:
        rest += [_kept(prompt, gone, at, quote.start), " | "]
        at = quote.end
    rest.append(_kept(prompt, gone, at, len(prompt)))
    return Lettering("".join(rest), tuple(q.text.strip() for q in quotes), tuple(kinds), tuple(said))


def settled(taken: Lettering, pose: str | None, look: str | None) -> tuple[LetteringAs, ...]:
    """What each text is once the plan is read.

    Only who holds a sign has words in the hands, and of what nothing is said is a title in a look that is printed.

    Args:
        taken: from `take`.
        pose, look: of the plan.
    """
    found = list(taken.kinds)
    held = pose == "holding a sign"
    for i, said in enumerate(taken.said):
        if found[i] == "held" and not held:
            found[i] = "sign"
        elif not said and look in _PRINTED and found[i] == "sign":
            found[i] = "title"
    if held and "held" not in found and "sign" in found:
        found[found.index("sign")] = "held"
    return tuple(found)


def _kept(prompt: str, gone: list[bool], start: int, end: int) -> str:
    return "".join(" " if gone[i] else prompt[i] for i in range(start, end))


def _before(prompt: str, since: int, quote: Quotation, gone: list[bool]) -> str | None:
    """What the words in front of a quotation say that it is; they are marked as gone."""
    clause = prompt[since : quote.start]
    stops = list(_STOP.finditer(clause))
    begin = stops[-1].end() if stops else 0
    clause = clause[begin:]
    offset = since + begin
    nouns, verbs, held = _cues("noun", clause), _cues("verb", clause), _cues("held", clause)
    noun = _nearest(nouns, len(clause))
    verb = _nearest(verbs, len(clause))
    if noun and verb and verb.end < noun.start:
        verb = None
    # A noun far in front of a verb is only its neighbour: "a man in front of a wall says".
    spoken = verb is not None and verb.kind in ("shout", "thought")
    if noun and verb and not spoken and not _only_links(clause[noun.end : verb.start]):
        gap = clause[noun.end : verb.start].split()
        spoken = len(gap) > 5 or noun.kind in ("wall", "thing")
    kind = verb.kind if verb and (noun is None or spoken) else noun.kind if noun else None
    if kind is None:
        _clear(gone, offset, _links_before(clause, len(clause)), len(clause))
        return None
    if kind in ("sign", "neon") and held and noun and held[0].start < noun.start + 1:
        kind = "held"
    if kind == "thing" and noun and not _only_links(clause[noun.end :], verbs=True):
        return None
    if verb is not None and clause[verb.start : verb.end].lower() != _POSED:
        _clear(gone, offset, verb.start, len(clause))
        _clear(gone, offset, _links_before(clause, verb.start), verb.start)
    if noun is not None and kind == noun.kind and not noun.keep and kind not in ("held", "thing"):
        _clear_carrier(gone, offset, clause, noun)
        # "Graffiti on the wall": both carry the words.
        for other in nouns:
            if other.end <= noun.start and not other.keep and _only_links(clause[other.end : noun.start]):
                _clear_carrier(gone, offset, clause, other)
                _clear(gone, offset, other.end, noun.start)
    _clear(gone, offset, _links_before(clause, len(clause)), len(clause))
    return kind


def _after(prompt: str, quote: Quotation, until: int, gone: list[bool]) -> str | None:
    """What the words behind a quotation say that it is: "OPEN" sign; "Hello," she says; 「営業中」と書かれた看板."""
    clause = prompt[quote.end : until]
    lead = re.match(r"\s*[,\uff0c]?\s*", clause)
    skip = lead.end() if lead else 0
    comma = "," in clause[:skip] or "\uff0c" in clause[:skip]
    stop = _STOP_AFTER.search(clause, skip)
    clause = clause[: stop.start() if stop else len(clause)]
    found = [] if comma else [*_cues("noun", clause), *_cues("place", clause)]
    found += _cues("verb", clause)
    held = _cues("held", clause)
    found = [f for f in found if f.start - skip <= _BEHIND and _only_links(clause[skip : f.start], verbs=True)]
    if not found:
        return None
    # A carrier is said after the verb that is written of it: 「…」と言う女性 has none, "…" yazan tabela has.
    first = min(found, key=lambda f: (f.kind not in _CARRIERS, f.start, -f.end))
    if first.kind in _CARRIERS and any(f.kind in ("shout", "thought") and f.start <= first.start for f in found):
        first = min(found, key=lambda f: (f.start, -f.end))
    kind = first.kind
    if kind in ("sign", "neon") and held:
        _clear(gone, quote.end, skip, first.start)
        return "held"
    if kind == "thing":
        return kind
    _clear(gone, quote.end, skip, first.start)
    if not first.keep and clause[first.start : first.end].lower() != _POSED:
        _clear_carrier(gone, quote.end, clause, first)
    return kind


_CARRIERS: Final = frozenset(("sign", "neon", "wall", "title", "poster", "label", "thing"))


def _clear(gone: list[bool], offset: int, start: int, end: int) -> None:
    for i in range(offset + start, offset + end):
        gone[i] = True


def _clear_carrier(gone: list[bool], offset: int, clause: str, found: _Found) -> None:
    """Take a carrier with its adjectives; the word for neon says something of the light, too, and stays."""
    _clear(gone, offset, _manner_before(clause, found.start), found.start)
    stays = _NEON.search(clause, found.start, found.end) if found.kind == "neon" else None
    for i in range(found.start, found.end):
        if stays is None or not stays.start() <= i < stays.end():
            gone[offset + i] = True


def _default(prompt: str, quotes: Sequence[Quotation]) -> str:
    """What a text is of which nothing is said: on a poster a line of it, on a cover its title, else a sign."""
    bare = list(prompt)
    for quote in quotes:
        bare[quote.start : quote.end] = " " * (quote.end - quote.start)
    found = [f for f in _cues("noun", "".join(bare)) if f.keep]
    if not found:
        return "sign"
    return "title" if any(f.kind == "title" for f in found) else "poster"


def _nearest(found: list[_Found], end: int) -> _Found | None:
    near = [f for f in found if end - f.end <= _REACH]
    return max(near, key=lambda f: (f.end, f.end - f.start), default=None)


def _only_links(text: str, verbs: bool = False) -> bool:
    """Whether nothing but words of grammar (and verbs of saying) stands in a stretch."""
    rest = _pattern("link").sub(" ", text)
    if verbs:
        rest = _pattern("manner").sub(" ", _pattern("verb").sub(" ", rest))
        rest = _pattern("link").sub(" ", rest)
    return not re.sub(r"[\s:,\-\u2013\u2014'\uff1a\uff0c]+", "", rest)


def _links_before(clause: str, end: int) -> int:
    """Where the words of grammar begin that end at a place."""
    return _run_before(clause, end, ("link",))


def _manner_before(clause: str, end: int) -> int:
    return _run_before(clause, end, ("manner",))


def _run_before(clause: str, end: int, tables: Sequence[str]) -> int:
    start = end
    while True:
        stripped = len(clause[:start].rstrip(" :,\t\uff1a\uff0c"))
        best = start
        for table in tables:
            for match in _pattern(table).finditer(clause, 0, stripped):
                if match.end() == stripped:
                    best = min(best, match.start())
        if best >= start or best >= stripped:
            return start
        start = best


def _cues(table: str, clause: str) -> list[_Found]:
    """All words of a table in a clause, the longer before the shorter at the same place."""
    found: list[_Found] = []
    for kind, pattern, keep in _kinds(table):
        found += [_Found(m.start(), m.end(), kind, keep) for m in pattern.finditer(clause)]
    # "neon sign" hides "sign", "thought bubble" hides "thought".
    return [
        f
        for f in found
        if not any(
            o is not f and o.start <= f.start and f.end <= o.end and o.end - o.start > f.end - f.start for o in found
        )
    ]


@lru_cache(8)
def _kinds(table: str) -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    """(kind, its words as a pattern, whether they stay in the reading) of a table."""
    raw = rules()
    if table == "held":
        return (("held", _compiled(raw["held"]), True),)
    found = [(kind, _compiled(words), False) for kind, words in raw[table].items()]
    if table == "noun":
        found += [(kind, _compiled(words), True) for kind, words in raw["kept"].items()]
    return tuple(found)


@lru_cache(8)
def _pattern(table: str) -> re.Pattern[str]:
    """All words of a table without kinds, or of all kinds of one."""
    raw = rules()[table]
    if table in ("link", "manner"):
        return _compiled(raw)
    merged: dict[str, list[str]] = {}
    for words in raw.values():
        for language, those in words.items():
            merged.setdefault(language, []).extend(those)
    return _compiled(merged)


@lru_cache(1)
def rules() -> dict[str, dict[str, dict[str, list[str]]]]:
    """The shipped words: table -> kind -> language -> words (`link`, `manner` and `held` have no kinds)."""
    text = resources.files(__package__).joinpath("lettering.toml").read_text("utf-8")
    return cast("dict[str, dict[str, dict[str, list[str]]]]", tomllib.loads(text))


def _compiled(words: object) -> re.Pattern[str]:
    spaced: list[str] = []
    closed: list[str] = []
    for language, those in cast("dict[str, list[str]]", words).items():
        (closed if language in ("zh", "ja", "ko") else spaced).extend(those)
    branches = []
    if spaced:
        branches.append(rf"(?<![\w'-])(?:{_either(spaced)})(?![\w-])")
    if closed:
        branches.append(f"(?:{_either(closed)})")
    return re.compile("|".join(branches), re.IGNORECASE)


def _either(words: list[str]) -> str:
    """Longest first; "*" is any ending, a blank any blanks."""
    ordered = sorted(dict.fromkeys(words), key=lambda word: (-len(word), word))
    return "|".join(re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for word in ordered)
