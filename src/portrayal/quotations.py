"""Text in quotation marks: it is lettering, word for word, and nothing in it has another meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Each opening mark stops at the next one of its own kind, so that the search stays linear.
_QUOTED = re.compile(
    r"(?<![\d\"])\"([^\"]{1,300})\""
    r"|[“”]([^“”„]{1,300})[“”]|„([^„“”]{1,300})[“”]|«([^«»]{1,300})»|»([^«»]{1,300})«|‹([^‹›]{1,300})›"
    r"|「([^「」]{1,300})」|『([^『』]{1,300})』|＂([^＂]{1,300})＂"
    r"|(?<!\w)['‘]([^'‘’\n]{1,80})['’](?!\w)"
)
_CUE = re.compile(
    r"(?:says?|saying|shouts?|reads?|reading|titled?|text|words?|caption|lettering|sign|slogan|letters"
    r"|written|writing|called|named)\W{0,4}$",
    re.IGNORECASE,
)
_SINGLE = 10  # group number of lettering in single quotes


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
            # An apostrophe opens a quotation only where the words before it announce one, or it is in capitals.
            if not loud and not _CUE.search(text[max(0, match.start() - 24) : match.start()]):
                continue
        yield Quotation(match.start(), match.end(), inner)
