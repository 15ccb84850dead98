"""Full-text search: what a portrayal is found by, on SQLite (FTS5) and PostgreSQL (tsvector) alike.

Words are made here, not by the databases, so that both find the same: case and accents are folded, and scripts that
are written without spaces are taken letter by letter, so that any part of a sentence is found. Besides its words each
portrayal has marks: its library, operation, state, star, tags, characters and parents as words that no text can
hold. One inverted index so answers any combination of words and filters, the newest first, without sorting.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from portrayal.service import ids
from portrayal.service.envelope import FINAL
from portrayal.service.tables import PictureRow, PortrayalRow, SearchRow, SourceRow, TagRow, WordRow

MarkKind = Literal["library", "operation", "state", "starred", "tag", "character", "parent"]
ACTIVE: Final = "active"
"""The mark of all states that are not final: it changes once in a portrayal's life."""
_LONGEST: Final = 64  # letters of a word that count
_MOST: Final = 32  # words of a query that count
_TERM: Final = 4  # letters; FTS5 has an index for shorter beginnings
_EXPANSIONS: Final = 64
_GAP: Final = "¶"  # stands between the parts, so that no phrase reaches from the prompt into a tag
_ASCII: Final = re.compile(r"[a-z0-9]+")
_QUOTED: Final = re.compile(r'["“”„«»「」『』]')
# Letters that no decomposition turns into plain ones.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)
# Accents of Latin, Greek and Cyrillic; points of Hebrew; vowel signs of Arabic; selectors of emoji.
_ACCENTS: Final = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u200d\ufe00-\ufe0f]")
# Thai, Lao, Burmese, Khmer; kana and ideographs; Hangul (spaced, but particles stick to the words).
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True)
class Phrase:
    """Words that follow each other; with `prefix` the last of them may go on."""

    words: tuple[str, ...]
    prefix: bool = False


def words(text: str) -> list[str]:
    """The words of any text, folded, in their order."""
    if text.isascii():
        return [word[:_LONGEST] for word in _ASCII.findall(text.lower())]
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold()
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", folded)).translate(_PLAIN)
    found: list[str] = []
    open_ = False  # whether the last word may go on
    for letter in folded:
        kind = unicodedata.category(letter)
        alone = kind == "So" or _UNSPACED.match(letter) is not None
        if kind[0] == "M" and found:
            found[-1] += letter
        elif alone and kind[0] in "LNS":
            found.append(letter)
            open_ = False
        elif kind[0] in "LN":
            if open_:
                found[-1] += letter
            else:
                found.append(letter)
            open_ = True
        else:
            open_ = False
    return [word[:_LONGEST] for word in found]


def parsed(query: str) -> tuple[Phrase, ...]:
    """What a user's words ask for: all of them, the last one also as a beginning, quoted ones in this order.

    Nothing is an operator and nothing is wrong: marks that are no letters only part words.
    """
    phrases: list[Phrase] = []
    pieces = _QUOTED.split(query.replace("\0", " "))
    for i, piece in enumerate(pieces):
        quoted = i % 2 == 1
        for text in [piece] if quoted else piece.split():
            found = tuple(words(text))
            if found:
                phrases.append(Phrase(found))
    kept, left = [], _MOST
    for phrase in phrases:
        if left > 0:
            kept.append(Phrase(phrase.words[:left]))
            left -= len(phrase.words)
    last_quoted = len(pieces) > 1 and len(pieces) % 2 == 1 and not words(pieces[-1])
    if kept and not last_quoted and _prefixes(kept[-1].words[-1]):
        kept[-1] = Phrase(kept[-1].words, prefix=True)
    return tuple(kept)


def _prefixes(word: str) -> bool:
    """Whether a word can go on: what stands alone is whole."""
    return not (_UNSPACED.match(word) or unicodedata.category(word[0]) == "So")


def mark(kind: MarkKind, value: str) -> str:
    """A filter as a word that no text can hold."""
    return f"§{kind[:2]}{hashlib.blake2b(value.encode(), digest_size=8).hexdigest()}"


def indexed(texts: Iterable[str], marks: Iterable[str], *, sqlite: bool) -> str:
    """The words and marks of a portrayal, as the database takes them."""
    found: list[str] = []
    for text in texts:
        found += [*words(text), _GAP]
    found += marks
    if sqlite:
        return " ".join(found)
    # A position is a number up to 16383; a prompt is shorter than that.
    return " ".join(f"'{word}':{min(i, 16383)}" for i, word in enumerate(found, 1) if word != _GAP)


def match(phrases: Sequence[Phrase], marks: Sequence[str], *, sqlite: bool, expansions: Sequence[str] = ()) -> str:
    """The query: all phrases and all marks.

    Args:
        expansions: what the last word may be, from `expanded`; nothing = any word that begins so.
    """
    asked = [*(Phrase((m,)) for m in marks), *phrases]
    if sqlite:
        return " AND ".join(_fts5(p, expansions) for p in asked)
    parts = []
    for phrase in asked:
        each = [f"'{word}'" for word in phrase.words]
        each[-1] += ":*" if phrase.prefix else ""
        parts.append(f"({' <-> '.join(each)})")
    return " & ".join(parts)


def _fts5(phrase: Phrase, expansions: Sequence[str]) -> str:
    if not phrase.prefix:
        return f'"{" ".join(phrase.words)}"'
    if not expansions:
        return f'"{" ".join(phrase.words)}" *'
    before = phrase.words[:-1]
    return "(" + " OR ".join(f'"{" ".join((*before, word))}"' for word in expansions) + ")"


def expanded(session: Session, phrases: Sequence[Phrase]) -> list[str]:
    """The words that the beginning at a query's end may mean, if they are few.

    FTS5 reads every occurrence of every word that begins so before it gives the newest. It has an index of its own for
    beginnings of up to three letters; for longer ones the words themselves are asked for, which costs nothing.
    """
    if not phrases or not phrases[-1].prefix or len(phrases[-1].words[-1]) < _TERM:
        return []
    begin = phrases[-1].words[-1]
    found = sa.select(WordRow.word).where(WordRow.word >= begin, WordRow.word < begin + "\U0010ffff")
    terms = list(session.scalars(found.limit(_EXPANSIONS + 1)))
    return terms if len(terms) <= _EXPANSIONS else []


def remember(session: Session, text: str) -> None:
    """Keep the words of a text that was indexed, for `expanded`."""
    terms = [{"word": word} for word in sorted(set(text.split())) if len(word) >= _TERM and word[0] != "§"]
    if terms:
        session.execute(sqlite_insert(WordRow).on_conflict_do_nothing(), terms)


def forget(session: Session, text: str) -> None:
    """Drop the words of a text that nobody else has, after its portrayal was deleted."""
    gone = [word for word in set(text.split()) if len(word) >= _TERM and word[0] != "§"]
    if gone:
        used = sa.text("NOT EXISTS (SELECT 1 FROM search_fts WHERE search_fts MATCH '\"' || word || '\"')")
        session.execute(sa.delete(WordRow).where(WordRow.word.in_(gone), used))


def write(session: Session, portrayal_id: str) -> None:
    """Note what a portrayal is found by, after it was made or changed."""
    session.flush()
    columns = (PortrayalRow.library, PortrayalRow.operation, PortrayalRow.state, PortrayalRow.starred)
    row = session.execute(
        sa.select(*columns, PortrayalRow.prompt, PortrayalRow.order).where(PortrayalRow.id == portrayal_id)
    ).one_or_none()
    if row is None:
        return
    tags = list(session.scalars(sa.select(TagRow.tag).where(TagRow.portrayal_id == portrayal_id)))
    sources = session.execute(
        sa.select(SourceRow.character, PictureRow.portrayal_id)
        .outerjoin(PictureRow, sa.and_(PictureRow.id == SourceRow.picture, SourceRow.picture != ""))
        .where(SourceRow.portrayal_id == portrayal_id)
    ).all()
    marks = marks_of(
        row.library, row.operation, row.state, row.starred, tags, [s[0] for s in sources], [s[1] for s in sources]
    )
    names = [str(who.get("name", "")) for who in row.order.get("characters", ())]
    sqlite = session.get_bind().dialect.name == "sqlite"
    text = indexed([row.prompt, *tags, *names], marks, sqlite=sqlite)
    if sqlite:
        remember(session, text)
    changed: Any = session.execute(
        sa.update(SearchRow).where(SearchRow.portrayal_id == portrayal_id).values(words=text)
    )
    if not changed.rowcount:
        session.execute(
            sa.insert(SearchRow).values(
                portrayal_id=portrayal_id,
                number=ids.number(portrayal_id) if sqlite else None,
                library=row.library,
                words=text,
            )
        )


def marks_of(
    library: str,
    operation: str,
    state: str,
    starred: bool,
    tags: Iterable[str],
    characters: Iterable[str | None],
    parents: Iterable[str | None],
) -> list[str]:
    """All marks of a portrayal, each once."""
    found = [mark("library", library), mark("operation", operation)]
    found.append(mark("state", state if state in FINAL else ACTIVE))
    found.append(mark("starred", "yes" if starred else "no"))
    found += [mark("tag", tag) for tag in tags]
    found += [mark("character", character) for character in characters if character]
    found += [mark("parent", parent) for parent in parents if parent]
    return list(dict.fromkeys(found))
