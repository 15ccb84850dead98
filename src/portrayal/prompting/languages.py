"""Which language a prompt is in: by its letters, else by how many of its words each vocabulary knows."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from portrayal.prompting.text import Token, is_cjk
from portrayal.prompting.vocabulary import LANGUAGES, load

# First word of a letter's Unicode name -> language that is most often written with it.
_SCRIPTS = {
    "CYRILLIC": "ru", "HANGUL": "ko", "ARABIC": "ar", "HEBREW": "he", "GREEK": "el", "THAI": "th", "DEVANAGARI": "hi",
}  # fmt: skip
_CHINESE = frozenset("的们们这她吗说还对个没来时让给过给实为从")


def detect(text: Sequence[Token]) -> str:
    """The ISO 639-1 code of a text's language; "en" when nothing speaks for another.

    Languages without a vocabulary (Russian, Korean, Chinese, ...) are named too, so that a caller can say so.
    """
    foreign = _by_script(text)
    if foreign:
        return foreign
    words = [t.word for t in text if not t.word[0].isdecimal()]
    known = Counter({"en": _known(words, "en")})
    if known["en"] == len(words):
        return "en"
    for language in LANGUAGES[1:-1]:
        known[language] = _known(words, language)
    best = max(LANGUAGES[:-1], key=lambda language: known[language])
    return best if known[best] > known["en"] else "en"


def _by_script(text: Sequence[Token]) -> str:
    scripts: Counter[str] = Counter()
    for token in text:
        first = token.word[0]
        if first.isascii():
            scripts["LATIN"] += 1
        elif is_cjk(token.word):
            # Kana makes it Japanese; ideographs alone may be Chinese.
            scripts["zh" if first in _CHINESE else "ja"] += 1
        else:
            scripts[unicodedata.name(first, "").partition(" ")[0]] += 1
    if not scripts:
        return ""
    if scripts["ja"] + scripts["zh"] > scripts["LATIN"]:
        kana = any("\u3041" <= t.word <= "\u30ff" for t in text if is_cjk(t.word))
        return "zh" if scripts["zh"] and not kana else "ja"
    return _SCRIPTS.get(scripts.most_common(1)[0][0], "")


def _known(words: Sequence[str], language: str) -> int:
    vocabulary = load(language)
    return sum(bool(vocabulary.forms(word)) for word in words)
