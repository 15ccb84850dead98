"""All listed phrases as one tree of words, so that a text is looked through once, whatever the number of phrases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from portrayal.service.policy.words import Word


class Phrase(NamedTuple):
    """A listed phrase: the list, its words without accents, whether the last one is only a beginning.

    `exact` holds the words with accents where the entry insists on them ("=râpé"); else it is empty.
    """

    of: str
    words: tuple[str, ...]
    prefix: bool
    exact: tuple[str, ...]


class Node:
    """What may follow the words that led here, and the phrases that are complete with them."""

    __slots__ = ("beginnings", "children", "ends", "lengths")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.ends: list[Phrase] = []
        self.beginnings: dict[str, list[Phrase]] = {}
        self.lengths: tuple[int, ...] = ()


def tree(phrases: Iterable[Phrase]) -> Node:
    """The root of a tree of phrases."""
    root = Node()
    for phrase in phrases:
        node = root
        for word in phrase.words[:-1] if phrase.prefix else phrase.words:
            node = node.children.setdefault(word, Node())
        if phrase.prefix:
            beginning = phrase.words[-1]
            node.beginnings.setdefault(beginning, []).append(phrase)
            node.lengths = tuple(sorted({*node.lengths, len(beginning)}))
        else:
            node.ends.append(phrase)
    return root


def found(root: Node, text: Sequence[Word], start: int) -> Iterator[tuple[Phrase, int]]:
    """The phrases that begin at a word of the text, each with the word after its end. None goes on past a stop."""
    open_ends = [(root, start)]
    while open_ends:
        node, at = open_ends.pop()
        for phrase in node.ends:
            if _accents(phrase, text, start):
                yield phrase, at
        if at == len(text) or (at > start and text[at].stop):
            continue
        for reading in text[at].readings:
            child = node.children.get(reading)
            if child is not None:
                open_ends.append((child, at + 1))
            for length in node.lengths:
                if length > len(reading):
                    break
                for phrase in node.beginnings.get(reading[:length], ()):
                    if _accents(phrase, text, start):
                        yield phrase, at + 1


def _accents(phrase: Phrase, text: Sequence[Word], start: int) -> bool:
    return not phrase.exact or all(text[start + k].exact == word for k, word in enumerate(phrase.exact))
