"""The order of letters in lines that mix directions: the Unicode Bidirectional Algorithm (UAX #9).

The implicit part of it. Lettering is short and plain: the embedding, override and isolate controls (rules X1-X8) are
taken out before (`portrayal.lettering.shaping.plain`), so that every text is one level run.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_BRACKETS: Final = {"(": ")", "[": "]", "{": "}", "\u2329": "\u232a", "\u3008": "\u3009", "\u27e8": "\u27e9"}
_CLOSING: Final = {close: opening for opening, close in _BRACKETS.items()}
_NEUTRAL: Final = frozenset(("B", "S", "WS", "ON"))


def right_to_left(text: str) -> bool:
    """Whether a paragraph runs from right to left: its first strong letter does (rules P2, P3)."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def levels(text: str) -> list[int]:
    """The embedding level of every character: even = left to right, odd = right to left.

    Args:
        text: one paragraph without directional controls.

    Returns:
        As many levels as characters; rules P2 to I2 and the first part of L1.
    """
    base = int(right_to_left(text))
    around = "R" if base else "L"
    kinds = [unicodedata.bidirectional(letter) or "L" for letter in text]
    first = list(kinds)
    _weak(kinds, around)
    _brackets(text, kinds, around)
    _neutral(kinds, around)
    found = []
    for kind in kinds:
        if base:
            found.append(1 if kind == "R" else 2)  # I2
        else:
            found.append({"L": 0, "R": 1}.get(kind, 2))  # I1
    # L1: white space at the end of the line, and separators, stay with the paragraph.
    for place in range(len(text) - 1, -1, -1):
        if first[place] not in ("WS", "S", "B", "BN"):
            break
        found[place] = base
    return found


def _weak(kinds: list[str], around: str) -> None:
    """Numbers, their signs and marks take the direction of what stands about them (rules W1-W7)."""
    before = around
    for i, kind in enumerate(kinds):  # W1
        if kind in ("NSM", "BN"):
            kinds[i] = before
        before = kinds[i]
    strong = around
    for i, kind in enumerate(kinds):  # W2
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[i] = "AN"
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for i in range(1, len(kinds) - 1):  # W4
        pair = (kinds[i - 1], kinds[i + 1])
        if (kinds[i] in ("ES", "CS") and pair == ("EN", "EN")) or (kinds[i] == "CS" and pair == ("AN", "AN")):
            kinds[i] = pair[0]
    for i, kind in enumerate(kinds):  # W5
        if kind == "EN":
            for step in (-1, 1):
                at = i + step
                while 0 <= at < len(kinds) and kinds[at] == "ET":
                    kinds[at] = "EN"
                    at += step
    kinds[:] = ["ON" if kind in ("ES", "ET", "CS") else kind for kind in kinds]  # W6
    strong = around
    for i, kind in enumerate(kinds):  # W7
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[i] = "L"


def _side(kind: str) -> str | None:
    """The direction that a resolved kind counts as among neutrals: numbers count as right to left."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(kind)


def _brackets(text: str, kinds: list[str], around: str) -> None:
    """A pair of brackets has one direction (rule N0)."""
    stack: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for i, letter in enumerate(text):
        if kinds[i] != "ON":
            continue
        if letter in _BRACKETS:
            stack.append((letter, i))
        elif letter in _CLOSING:
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth][0] == _CLOSING[letter]:
                    pairs.append((stack[depth][1], i))
                    del stack[depth:]
                    break
    for opening, closing in sorted(pairs):
        inside = {_side(kind) for kind in kinds[opening + 1 : closing]} - {None}
        if not inside:
            continue
        if around in inside:
            kind = around
        else:
            context = next((s for s in map(_side, reversed(kinds[:opening])) if s), around)
            other = "L" if around == "R" else "R"
            kind = other if context == other else around
        kinds[opening] = kinds[closing] = kind


def _neutral(kinds: list[str], around: str) -> None:
    """Spaces and punctuation between two letters of a direction take it, else that of the paragraph (N1, N2)."""
    at = 0
    while at < len(kinds):
        if kinds[at] not in _NEUTRAL:
            at += 1
            continue
        end = at
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        left = (_side(kinds[at - 1]) if at else around) or around
        right = (_side(kinds[end]) if end < len(kinds) else around) or around
        kinds[at:end] = [left if left == right else around] * (end - at)
        at = end


def visual(found: list[int]) -> list[int]:
    """The places of the characters (or runs) of one line from left to right (rule L2).

    Args:
        found: level of each, in reading order.
    """
    order = list(range(len(found)))
    odd = [level for level in found if level % 2]
    if not odd:
        return order
    for level in range(max(found), min(odd) - 1, -1):
        at = 0
        while at < len(order):
            end = at
            while end < len(order) and found[order[end]] >= level:
                end += 1
            if end > at:
                order[at:end] = order[at:end][::-1]
            at = max(end, at + 1)
    return order
