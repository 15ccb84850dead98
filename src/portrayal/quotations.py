"""Text in quotation marks: it is lettering, word for word, and nothing in it has another meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Each opening mark stops at the next one of its own kind, so that the search stays linear.
_QUOTED = re.compile(
    r"(?<![\d\"])\"([^\"]{1,300})\""
    r"|[“”]([^“”„]{1,300})[“”]|„([^„“”\"]{1,300})[“”\"]|«([^«»]{1,300})»|»([^«»]{1,300})«|‹([^‹›]{1,300})›"
    r"|「([^「」]{1,300})」|『([^『』]{1,300})』|＂([^＂]{1,300})＂|〝([^〝〞〟]{1,300})[〞〟]"
    r"|(?<!\w)‚([^‚‘’]{2,80})[‘’](?!\w)"
    r"|(?<!\w)‘([^‘’\n]{2,80})’(?![^\W\uac00-\ud7a3])"  # in Korean a particle follows without a space
    r"|(?<!\w)['‘]([^'‘’\n]{1,80})['’](?![^\W\uac00-\ud7a3])"
)
# What announces words in single quotes, which could be apostrophes; in verb-last languages it stands behind them.
_CUE = re.compile(
    r"(?:says?|saying|shouts?|reads?|reading|titled?|text|words?|caption|lettering|sign|slogan|letters"
    r"|written|writing|called|named"
    r"|sagt|steht|wort|schriftzug|aufschrift|titel|dice|diga|texto|palabra|letrero|dit|texte|mot|inscription"
    r"|diz|palavra|testo|parola|scritta|zegt|tekst|woord|opschrift|staat|napis\w*|tekst\w*|słow\w*|mówi"
    r"|надпис\w*|текст\w*|слов\w*|гласит|говорит|كلمة|عبارة|写着|字样|文字)\W{0,4}$",
    re.IGNORECASE,
)
_CUE_BEHIND = re.compile(
    r"\W{0,3}(?:yazan|yazılı|yazısı|yazıyor|diyen|이?라고|라는|이라는|लिखा|लिखी)(?!\w)", re.IGNORECASE
)
_SINGLE = 13  # group number of lettering in plain single quotes


class Quotation(NamedTuple):
    """A quoted text: where it begins and ends with its marks, and what is between them."""

    start: int
    end: int
    text: str


def quotations(text: str) -> Iterator[Quotation]:
    """All quoted texts, in order; apostrophes are no quotation marks."""
    for match in _QUOTED.finditer(text):
        inner = match[match.lastindex or 0]
        if match.lastindex == _SINGLE:
            loud = inner.upper() == inner and inner.lower() != inner
            # An apostrophe opens a quotation only where the words beside it announce one, or it is in capitals.
            before = text[max(0, match.start() - 24) : match.start()]
            if not (loud or _CUE.search(before) or _CUE_BEHIND.match(text, match.end())):
                continue
        yield Quotation(match.start(), match.end(), inner)
