"""Judging a prompt and its pictures by rules."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from portrayal.service.policy import index
from portrayal.service.policy.rules import AFTER, ALLOWED, BEFORE, Rule, Rules
from portrayal.service.policy.words import Word, words

BLOCKED_PICTURE: Final = "blocked-picture"
ALIKE: Final = 6
"""Bits of 64 by which the difference hashes of one picture, scaled or compressed anew, may differ."""

_LONGEST_PHRASE: Final = 12
_FILLERS: Final = frozenset(
    "any a the visible explicit de of di jegliche irgendwelche enige اي 任 किसी".split()  # noqa: SIM905
)
_GOES_ON: Final = frozenset(
    "or nor oder noch ou ni o nem ne や of lub ani czy veya или ни 或 和 또는 او ولا या".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Verdict:
    """Whether work may be spent on a request.

    Attributes:
        allowed: whether it may.
        category: "" when it may; else the rule's category (of the rules that ship: "sexual", "minors", "degrading",
            "hateful", "violence"), or "blocked-picture".
        reason: "" when it may; else a sentence for the caller. It does not quote the text.
    """

    allowed: bool
    category: str = ""
    reason: str = ""


class _Match(NamedTuple):
    start: int
    end: int
    negated: bool = False


def judge(
    prompt: str,
    *,
    negative_prompt: str = "",
    people: bool,
    picture_hashes: Sequence[tuple[str, str]] = (),
    rules: Rules,
) -> Verdict:
    """Judge a request before work is spent on it. Takes time in proportion to the texts.

    Args:
        prompt: any text of any length, quoted lettering included.
        negative_prompt: what shall not be in the picture; "nude" is no fault there, "clothes" is one.
        people: whether the picture of a person is referenced; without one only the rules with ``always`` hold.
        picture_hashes: of every input picture its SHA-256 and 64-bit difference hash, both in hex; either may be "".
        rules: as loaded.
    """
    if _blocked(picture_hashes, rules):
        return Verdict(
            False, BLOCKED_PICTURE, "A picture of this request is on this server's list of blocked pictures."
        )
    negative = [rule for rule in rules.rules if rule.where == "negative"]
    for text, judged in (
        (prompt, [rule for rule in rules.rules if rule.where == "prompt"]),
        (negative_prompt, negative),
    ):
        if not text:
            continue
        found = words(text, rules.known, rules.masked)
        matches = _matches(found, rules)
        for rule in judged:
            if (rule.always or people) and _holds(rule, matches, found):
                return Verdict(False, rule.category, rule.reason)
    return Verdict(True)


def _blocked(hashes: Iterable[tuple[str, str]], rules: Rules) -> bool:
    for sha256, dhash in hashes:
        if sha256.lower() in rules.sha256s:
            return True
        if dhash and rules.dhashes:
            bits = int(dhash, 16)
            if any((bits ^ blocked).bit_count() <= ALIKE for blocked in rules.dhashes):
                return True
    return False


def _matches(text: Sequence[Word], rules: Rules) -> Mapping[str, list[_Match]]:
    """Where the phrases of each list occur, by their start; those in an allowed context are left out."""
    found: dict[str, set[_Match]] = defaultdict(set)
    for start in range(len(text)):
        for phrase, end in index.found(rules.phrases, text, start):
            found[phrase.of].add(_Match(start, end))
    allowed = [0] * (len(text) + 1)
    for start, end, _ in found.pop(ALLOWED, ()):
        allowed[start] = max(allowed[start], end)
    # reach[i]: how far an allowed context goes that began at word i or before.
    reach = list(accumulate(allowed, max))
    before = {match.end for match in found.pop(BEFORE, ())}
    after = {match.start for match in found.pop(AFTER, ())}
    kept = {of: sorted(m for m in matches if m.end > reach[m.start]) for of, matches in found.items()}
    negated: set[tuple[int, int]] = set()
    ends: set[int] = set()
    for start, end, _ in sorted({match for matches in kept.values() for match in matches}):
        if _negated(text, start, end, before, after, ends):
            negated.add((start, end))
            ends.add(end)
    return {of: [m._replace(negated=(m.start, m.end) in negated) for m in matches] for of, matches in kept.items()}


def _negated(text: Sequence[Word], start: int, end: int, before: set[int], after: set[int], ends: set[int]) -> bool:
    """Whether "no" stands before it, "-free" behind it, or "or" between it and one that is negated."""
    if end in after and not text[end].stop:
        return True
    if text[start].stop:
        return False
    if start in before:
        return True
    last = text[start - 1]
    if last.stop:
        return False
    if last.readings[0] in _FILLERS and start - 1 in before:
        return True
    # "no nudity or gore", "without blood or gore": the word before "or" is negated.
    return last.readings[0] in _GOES_ON and (start - 1 in ends or start - 2 in before)


def _holds(rule: Rule, matches: Mapping[str, list[_Match]], text: Sequence[Word]) -> bool:
    def of(names: Iterable[str]) -> list[_Match]:
        found = {m for name in names for m in matches.get(name, ()) if not (rule.negatable and m.negated)}
        if rule.where == "negative":
            found = {m for m in found if text[m.start].stop and (m.end == len(text) or text[m.end].stop)}
        return sorted(found)

    if any(matches.get(name) for name in rule.unless):
        return False
    first = of(rule.any)
    if not first or not rule.near:
        return bool(first)
    return _near(first, of(rule.near), len(text) if rule.within is None else rule.within)


def _near(some: Sequence[_Match], others: Sequence[_Match], within: int) -> bool:
    """Whether two different matches lie at most so many words apart."""
    starts = [other.start for other in others]
    for one in some:
        low = bisect_left(starts, one.start - within - _LONGEST_PHRASE)
        high = bisect_right(starts, one.end + within)
        for other in others[low:high]:
            if other[:2] != one[:2] and one.start - other.end <= within:
                return True
    return False
