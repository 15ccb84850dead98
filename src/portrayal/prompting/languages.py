"""Which language a prompt is in: by its letters, else by how many of its words each vocabulary knows."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from portrayal.prompting.clitics import parted
from portrayal.prompting.text import Token, is_cjk
from portrayal.prompting.vocabulary import LANGUAGES, LATIN, load

# First word of a letter's Unicode name -> language that is most often written with it.
_SCRIPTS = {
    "CYRILLIC": "ru", "HANGUL": "ko", "ARABIC": "ar", "HEBREW": "he", "GREEK": "el", "THAI": "th", "DEVANAGARI": "hi",
}  # fmt: skip
# Characters that are common in Chinese and stand in no Japanese prompt without kana beside them.
_CHINESE = frozenset("的们們这這她吗嗎你您在了呢吧很跟或还還也沒是穿戴")


def detect(text: Sequence[Token]) -> str:
    """The ISO 639-1 code of a text's language; "en" when nothing speaks for another.

    Languages without a vocabulary (Greek, Hebrew, Thai, ...) are named too, so that a caller can say so.
    """
    text = _before_english(text)
    foreign = _by_script(text)
    if foreign:
        return foreign
    words = [t.word for t in text if not t.word[0].isdecimal()]
    known = Counter({"en": _known(words, "en")})
    if known["en"] == len(words):
        return "en"
    for language in LATIN[1:]:
        known[language] = _known(words, language)
    best = max(LATIN, key=lambda language: known[language])
    return best if known[best] > known["en"] else "en"


def _before_english(text: Sequence[Token]) -> Sequence[Token]:
    """The text up to the comma behind which all is English, as the magic prompt adds it; else the whole text."""
    english = load("en")
    last = max((i for i, t in enumerate(text) if not t.word[0].isdecimal() and not english.forms(t.word)), default=-1)
    end = next((i for i in range(last + 1, len(text)) if text[i].after_stop), len(text))
    return text[:end] if last >= 0 else text


def _by_script(text: Sequence[Token]) -> str:
    scripts: Counter[str] = Counter()
    for token in text:
        first = token.word[0]
        if first.isascii():
            scripts["LATIN"] += 1
        elif is_cjk(token.word):
            scripts["CJK"] += 1
        else:
            scripts[unicodedata.name(first, "").partition(" ")[0]] += 1
    if not scripts:
        return ""
    if scripts["CJK"] > scripts["LATIN"] and scripts["CJK"] >= scripts["HANGUL"]:
        return _chinese_or_japanese(text)
    return _SCRIPTS.get(scripts.most_common(1)[0][0], "")


def _chinese_or_japanese(text: Sequence[Token]) -> str:
    """Kana makes it Japanese, a simplified character or a Chinese word of grammar Chinese.

    Characters that only Japan writes so (駅, 図) count against them. Where all characters are common to both, the
    vocabulary that knows more of them decides, and Chinese where both know as many.
    """
    characters = [t for t in text if is_cjk(t.word)]
    if any("\u3041" <= t.word <= "\u30ff" for t in characters):
        return "ja"
    votes = sum(_vote(t.word) for t in characters)
    if votes:
        return "zh" if votes > 0 else "ja"
    return "ja" if _covered(characters, "ja") > _covered(parted(characters, "zh"), "zh") else "zh"


@lru_cache(maxsize=4096)
def _vote(character: str) -> int:
    """1 for a character of Chinese texts, -1 for one of Japanese texts, 0 for one of both.

    The national character sets tell: GB 2312 has the simplified characters, Shift JIS those of Japan, Big 5 the
    traditional ones. A traditional character that Shift JIS has too (圖) may be Japanese too.
    """
    if character in _CHINESE:
        return 1
    simple, japanese, traditional = (_encodes(character, code) for code in ("gb2312", "shift_jis", "big5"))
    if japanese:
        return 0 if simple or traditional else -1
    return 1 if simple or traditional else 0


def _encodes(character: str, code: str) -> bool:
    try:
        character.encode(code)
    except UnicodeEncodeError:
        return False
    return True


def _covered(characters: Sequence[Token], language: str) -> int:
    """How many of the characters belong to phrases with a meaning."""
    if language not in LANGUAGES:
        return 0
    vocabulary, at, covered = load(language), 0, 0
    while at < len(characters):
        match = vocabulary.longest(characters, at)
        if any(sense.kind != "grammar" for sense in match.senses):
            covered += match.end - at
        at = max(match.end, at + 1)
    return covered


def _known(words: Sequence[str], language: str) -> int:
    vocabulary = load(language)
    return sum(bool(vocabulary.forms(word)) for word in words)
