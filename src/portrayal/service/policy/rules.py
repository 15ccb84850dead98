"""Rules as data: reading, checking and indexing the file of rules. Its format is described in `docs/policy.md`."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from portrayal import assets
from portrayal.errors import PortrayalError
from portrayal.service.policy.index import Node, Phrase, tree
from portrayal.service.policy.words import AGE, LONGEST, words

SHIPPED: Final = "policy.toml"
ALLOWED: Final = "allowed"
BEFORE: Final = "negations before"
AFTER: Final = "negations after"

_MOST_WORDS: Final = 12  # of one phrase
_MOST_SPELLINGS: Final = 5000  # of one phrase with braces
_MOST_BYTES: Final = 16 * 2**20
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_REMEDY: Final = "Correct the file that PORTRAYAL_POLICY_FILE names, or unset it for the rules that ship."

_Text = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,39}$")]
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
_Phrases = dict[_Language, list[_Text]]


class PolicyError(PortrayalError):
    """The file of rules cannot be read, or says something that it may not."""


class _FaultError(Exception):
    """Something wrong at a place of the file."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}" if where else message)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Rule(_Strict):
    """One reason to refuse.

    Attributes:
        category: what the refusal is called in answers and metrics.
        reason: a sentence for the caller.
        any: lists one of whose phrases must occur.
        near: lists one of whose phrases must occur too; empty = none need.
        within: at most so many words lie between them; None = anywhere in the prompt.
        unless: lists one of whose phrases excuses the whole prompt.
        always: whether it also holds where no person is referenced.
        negatable: whether "no ..." before a phrase, or its like, takes it back.
        where: "negative" judges the negative prompt, where a phrase must be a whole item between commas.
    """

    category: _Name
    reason: _Text
    any: list[_Name] = Field(min_length=1)
    near: list[_Name] = []
    within: int | None = Field(default=None, ge=0, le=200)
    unless: list[_Name] = []
    always: bool = False
    negatable: bool = True
    where: Literal["prompt", "negative"] = "prompt"


class BlockedPicture(_Strict):
    """A picture that is refused: by its very bytes, or by its look (64-bit difference hash, 6 bits may differ)."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    dhash: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{16}$")] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _one_at_least(self) -> BlockedPicture:
        if self.sha256 is None and self.dhash is None:
            raise ValueError("give sha256 or dhash")
        return self


class _Negations(_Strict):
    before: _Phrases = {}
    after: _Phrases = {}


class _File(_Strict):
    extends: Literal["shipped"] | None = None
    lists: dict[_Name, _Phrases] = {}
    allowed: _Phrases = {}
    negations: _Negations = _Negations()
    rules: list[Rule] = []
    blocked_pictures: list[BlockedPicture] = []


@dataclass(frozen=True, repr=False, eq=False)
class Rules:
    """Rules that were read and indexed; made by `load` once, used by `judge` from any thread."""

    rules: tuple[Rule, ...]
    phrases: Node
    singles: frozenset[str]
    ends: Mapping[tuple[str, str, int], tuple[str, ...]]
    sha256s: frozenset[str]
    dhashes: tuple[int, ...]

    @classmethod
    def load(cls, path: Path | None = None) -> Rules:
        """The rules of a file, or those that ship with the package.

        A file stands alone, unless it says ``extends = "shipped"``: then its phrases, rules and blocked pictures are
        added to those that ship.

        Raises:
            PolicyError: the file cannot be read, is no TOML in UTF-8, or breaks a rule of the format; the message says
                where.
        """
        shipped = assets.path(SHIPPED)
        path = shipped if path is None else path
        try:
            file = _parsed(path)
            if file.extends:
                file = _merged(_parsed(shipped), file)
            return _indexed(file)
        except _FaultError as fault:
            raise PolicyError(f"{path}: {fault}", field="policy_file", remedy=_REMEDY) from None

    def known(self, word: str) -> bool:
        """Whether a word is listed on its own, or as a beginning."""
        return word in self.singles

    def masked(self, spelling: str) -> list[str]:
        """Listed words that a spelling with an asterisk per hidden letter may stand for."""
        return [
            word
            for word in self.ends.get(_ends(spelling), ())
            if all(given in ("*", letter) for given, letter in zip(spelling, word, strict=True))
        ]


def _ends(word: str) -> tuple[str, str, int]:
    return word[0], word[-1], len(word)


def _grouped(singles: Iterable[str]) -> dict[tuple[str, str, int], tuple[str, ...]]:
    groups: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for word in sorted(singles):
        if 3 <= len(word) <= LONGEST:
            groups[_ends(word)].append(word)
    return {ends: tuple(found) for ends, found in groups.items()}


def _parsed(path: Path) -> _File:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise PolicyError(f"{path} has {size} bytes, over {_MOST_BYTES}", field="policy_file", remedy=_REMEDY)
        data = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise PolicyError(f"{path}: {reason}", field="policy_file", remedy="Check PORTRAYAL_POLICY_FILE.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path} is no TOML in UTF-8 ({error})", field="policy_file", remedy=_REMEDY) from None
    try:
        return _File.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _FaultError(".".join(map(str, first["loc"])), first["msg"]) from None


def _merged(base: _File, more: _File) -> _File:
    def joined(one: _Phrases, other: _Phrases) -> _Phrases:
        return {key: [*one.get(key, ()), *other.get(key, ())] for key in dict.fromkeys((*one, *other))}

    names = dict.fromkeys((*base.lists, *more.lists))
    return _File(
        lists={name: joined(base.lists.get(name, {}), more.lists.get(name, {})) for name in names},
        allowed=joined(base.allowed, more.allowed),
        negations=_Negations(
            before=joined(base.negations.before, more.negations.before),
            after=joined(base.negations.after, more.negations.after),
        ),
        rules=[*base.rules, *more.rules],
        blocked_pictures=[*base.blocked_pictures, *more.blocked_pictures],
    )


def _indexed(file: _File) -> Rules:
    for i, rule in enumerate(file.rules):
        for name in (*rule.any, *rule.near, *rule.unless):
            if name not in file.lists:
                raise _FaultError(f"rules.{i}", f"there is no list {name!r}")
    phrases = dict.fromkeys(_phrases(file))
    singles = frozenset(p.words[0] for p in phrases if len(p.words) == 1)
    return Rules(
        rules=tuple(file.rules),
        phrases=tree(phrases),
        singles=singles,
        ends=_grouped(singles),
        sha256s=frozenset(p.sha256.lower() for p in file.blocked_pictures if p.sha256),
        dhashes=tuple(int(p.dhash, 16) for p in file.blocked_pictures if p.dhash),
    )


def _phrases(file: _File) -> Iterator[Phrase]:
    tables: list[tuple[str, str, _Phrases]] = [(name, f"lists.{name}", phrases) for name, phrases in file.lists.items()]
    tables += [
        (ALLOWED, "allowed", file.allowed),
        (BEFORE, "negations.before", file.negations.before),
        (AFTER, "negations.after", file.negations.after),
    ]
    for of, where, table in tables:
        for language, entries in table.items():
            for entry in entries:
                yield from _spellings(of, f"{where}.{language}", entry)


def _spellings(of: str, where: str, entry: str) -> Iterator[Phrase]:
    """All phrases of one entry: "nude {heel,heels}" is two; "porn*" a beginning.

    "#" stands for a whole number under 18, "=" in front for "with these very accents".
    """
    for text in _expanded(where, entry):
        prefix = text.endswith("*")
        if "*" in text[:-1]:
            raise _FaultError(where, f"{entry!r}: an asterisk stands at the end of an entry only")
        plain = text.removeprefix("=").removesuffix("*").replace("#", AGE)
        found = words(plain, lambda word: False, lambda word: ())
        if not 1 <= len(found) <= _MOST_WORDS:
            raise _FaultError(where, f"{entry!r} has {len(found)} words; 1 to {_MOST_WORDS} may be")
        folded = tuple(word.readings[0] for word in found)
        # A syllable of Korean is two or three letters.
        if prefix and len(unicodedata.normalize("NFD", folded[-1])) < 3 and not len(folded) > 1:
            raise _FaultError(where, f"{entry!r}: at least three letters must stand before an asterisk")
        exact = tuple(word.exact for word in found)
        yield Phrase(of, folded, prefix, exact if text.startswith("=") else ())


def _expanded(where: str, entry: str) -> list[str]:
    found = [entry]
    while any(_BRACES.search(text) for text in found):  # the innermost pair of each
        found = list(dict.fromkeys(spelling for text in found for spelling in _choices(text)))
        if len(found) > _MOST_SPELLINGS:
            raise _FaultError(where, f"{entry!r} makes more than {_MOST_SPELLINGS} phrases")
    if any(c in text for text in found for c in "{}"):
        raise _FaultError(where, f"{entry!r}: a brace is not closed")
    return [text.strip() for text in found]


def _choices(text: str) -> list[str]:
    match = _BRACES.search(text)
    if match is None:
        return [text]
    return [text[: match.start()] + choice + text[match.end() :] for choice in match[1].split(",")]
