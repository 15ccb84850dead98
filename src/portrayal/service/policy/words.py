"""A text as words that can be looked up, however they were spelt to get past a look-up.

The text is evened first (NFKC, casefold, invisible characters dropped, links blanked). Then each word has one or more
readings: itself without accents, and, only where it looks tampered with, what it may stand for ("nud3", "n.u.d.e",
"nuuude", Cyrillic letters in a Latin word). Readings are only ever compared with listed words, so a strange one
does no harm. All of it takes time in proportion to the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

LONGEST: Final = 24
"""Letters of the longest word that is looked for behind a trick."""

AGE: Final = "\ua66e"
"""Stands for a whole number under 18; a letter that no language writes today."""

_ADULT: Final = 18
# Kana and ideographs are written without spaces: each is a word of its own, only katakana go together in runs.
_KATAKANA: Final = "\u30a1-\u30fa\u30fc-\u30ff"
_SINGLE: Final = "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SIGN: Final = "@$!€*"  # stand for letters inside of a word
# Vowel signs of Devanagari and points of Arabic go on with a word; for `re` they are no letters.
_POINTS: Final = "\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
_PLAIN: Final = rf"[^\W_{_KATAKANA}{_SINGLE}]"
_PIECE: Final = re.compile(
    rf"(?P<word>[{_SINGLE}]|[{_KATAKANA}]+|{_PLAIN}+(?:[{_POINTS}]+{_PLAIN}*)*)"
    r"|(?P<stop>[,;.!?|()\[\]{}\n\r\u060c\u061b\u061f\u0964\u3001\u3002\u2014\u2013\u2022/])"
)
_LINK: Final = re.compile(r"https?://\S+")
_MENTION: Final = re.compile(r"(?<!\w)@[\w-]+", re.ASCII)  # a saved character: its name says nothing
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
# Accents; the points, the hamza on its seat and the stretching of Arabic; the dot under letters of Devanagari.
_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0489\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u093c\u20d0-\u20f0]"
)
# Traditional Chinese ideographs of listed words, and the simplified ones; any list may thus be written in either.
_TRADITIONAL: Final = (
    "愛陰莖級宮圖畫脫發關勢蕩亂穢為沒內褲掛無頭暈陣體誘嫵溝戀風騷襪帶僅圍隻襠張開雙強輪獸褻倫裝馬賽碼兒蘿齒嬰寶學歲麗殺猶韓國難滾蟲萬種豬黃著軍黨"
    "衛納禮舉館紀錄歷課覽對擊廟婦賤貨滿塗糞嘔鏈繩牽樣當眾醜斷顱屍臟髒骯腸問嚴絞嚨彈過額燒謀槍決處殘爛遲剝渾鮮傷妝聖節戲劇臺電殭偵現場醬喪縊視頻麥"
    "實樹牆磚侶調緒懷門談際換覺動醫點蝦絕隸們紅絲寫條擾變藝術該貪姦倖慾"
)
_SIMPLIFIED: Final = (
    "爱阴茎级宫图画脱发关势荡乱秽为没内裤挂无头晕阵体诱妩沟恋风骚袜带仅围只裆张开双强轮兽亵伦装马赛码儿萝齿婴宝学岁丽杀犹韩国难滚虫万种猪黄着军党"
    "卫纳礼举馆纪录历课览对击庙妇贱货满涂粪呕链绳牵样当众丑断颅尸脏脏肮肠问严绞咙弹过额烧谋枪决处残烂迟剥浑鲜伤妆圣节戏剧台电僵侦现场酱丧缢视频麦"
    "实树墙砖侣调绪怀门谈际换觉动医点虾绝隶们红丝写条扰变艺术该贪奸幸欲"
)
# What is one letter to who types in a hurry: Turkish dotless i, Polish l, endings of Arabic, nasals of Hindi.
_SAME: Final = str.maketrans("ıłةىیکँ" + _TRADITIONAL, "ilهييكं" + _SIMPLIFIED)
_ARABIC: Final = re.compile("[\u0621-\u064a]{4,}")
_PREFIXED: Final = re.compile("[وف]?(?:[بكل]?ال|لل|[بكل])|[وف]")
_TRIPLE: Final = re.compile(r"([^\W\d_])\1{2,}")
_LETTER: Final = re.compile(r"[^\W\d_]")
_LEET: Final = str.maketrans("034578@$€", "oeastbase")
# Small Cyrillic and Greek letters that look like Latin ones.
_ALIKE: Final = str.maketrans("аеорсухіјѕԁһкмтвнгпиԛԝαερονιτκυχ", "aeopcyxijsdhkmtbhrnuqwaepovitkux")
_ALIKE_LETTERS: Final = re.compile("[аеорсухіјѕԁһкмтвнгпиԛԝαερονιτκυχ]")
_RUSSIAN: Final = re.compile("[аеорсухкмтвнгпи]+")
_GENUINE: Final = re.compile("[бджзлфцчшщъыьэюя]")  # looks like no Latin letter
_LATIN: Final = re.compile("[a-z]")
_LEET_LETTER: Final = re.compile("[0134578]")
_ALONE: Final = re.compile(f"[{_SINGLE}]")
_SHORT: Final = "aeioy"  # words of one letter, in one language or another


class Word(NamedTuple):
    """One word.

    Attributes:
        readings: what it may be looked up as; the plain one, without accents, first.
        exact: lower case with its accents.
        stop: whether a stop (comma, end of a sentence or line, bracket) stands before it.
    """

    readings: tuple[str, ...]
    exact: str
    stop: bool


class _Piece(NamedTuple):
    text: str
    start: int
    end: int
    stop: bool


def even(text: str) -> str:
    """One spelling of one text: NFKC, casefolded, without invisible characters, stacked marks and links."""
    text = _INVISIBLE.sub("", text.encode("utf-8", "replace").decode())
    text = unicodedata.normalize("NFKC", text).casefold()
    # Casefolding may leave what NFKC would join, e.g. a dotted capital I.
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return _MENTION.sub(" ", _LINK.sub(" , ", text))


@lru_cache(maxsize=16384)
def fold(word: str) -> str:
    """A word of an evened text without accents; the marks of kana stay, they make other letters."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", word))).translate(_SAME)


def words(text: str, known: Callable[[str], bool], masked: Callable[[str], Iterable[str]]) -> list[Word]:
    """The words of a text in order.

    Args:
        text: any text; lone surrogates are harmless.
        known: whether a word is listed on its own; for runs of single letters that must be cut into words.
        masked: listed words that fit a spelling with asterisks ("n*de").
    """
    text = even(text)
    pieces: list[_Piece] = []
    stop = True
    for match in _PIECE.finditer(text):
        if match["word"] is None:
            stop = True
            continue
        pieces.append(_Piece(match["word"], match.start(), match.end(), stop))
        stop = False
    more = _joined(text, pieces, masked)
    _spelt_out(pieces, more, known)
    russian = _russian(pieces)
    return [
        Word(tuple(dict.fromkeys((*_plain(piece.text, russian), *more.get(i, ())))), _bare(piece.text), piece.stop)
        for i, piece in enumerate(pieces)
    ]


def _bare(word: str) -> str:
    return unicodedata.normalize("NFC", word)


def _russian(pieces: Iterable[_Piece]) -> bool:
    """Whether a text is written in Cyrillic letters in earnest, not to disguise Latin ones ("риге" is no "pute")."""
    genuine = latin = 0
    for piece in pieces:
        if piece.text.isascii():
            latin += len(piece.text) > 1
        elif _GENUINE.search(piece.text) and not _LATIN.search(piece.text):
            genuine += 1
    return genuine > 0 and genuine >= latin


@lru_cache(maxsize=16384)
def _plain(word: str, russian: bool = False) -> tuple[str, ...]:
    """Readings of a word by itself; in a Russian text, words of Cyrillic letters alone are what they are."""
    folded = fold(word) or word  # a word of marks alone stays
    found = [folded]
    if folded[0].isdecimal():
        digits = re.match(r"\d+", folded)
        number, rest = (digits.group(), folded[digits.end() :]) if digits else ("", folded)
        if len(number) <= 2 and int(number) < _ADULT:
            found.append(AGE + rest)
    if len(folded) > LONGEST * 2:
        return tuple(found)
    if _ALIKE_LETTERS.search(folded) and not (russian and _RUSSIAN.fullmatch(folded)):
        found.append(folded.translate(_ALIKE))
    if _ARABIC.fullmatch(folded):
        # "and", "with", "for", "the" are written together with their word.
        prefix = _PREFIXED.match(folded)
        while prefix and len(folded) - prefix.end() >= 3:
            found.append(folded[prefix.end() :])
            prefix = _PREFIXED.match(folded, 0, prefix.end() - 1)
    if len(folded) > 2 and _LEET_LETTER.search(folded) and _LETTER.search(folded):
        found += _unleet(folded)
    for reading in tuple(found):
        if _TRIPLE.search(reading):
            found += [_TRIPLE.sub(r"\1", reading), _TRIPLE.sub(r"\1\1", reading)]
    return tuple(found)


def _unleet(word: str) -> list[str]:
    word = word.translate(_LEET)
    return [word.replace("1", letter).replace("!", letter) for letter in "il"]


def _joined(text: str, pieces: list[_Piece], masked: Callable[[str], Iterable[str]]) -> dict[int, list[str]]:
    """Further readings of pieces that stand together without a space: "nu-de", "n@ked", "n*de", "p.o.r.n"."""
    more: dict[int, list[str]] = {}
    first = 0
    while first < len(pieces):
        last = first
        while last + 1 < len(pieces) and _touch(text, pieces[last], pieces[last + 1]):
            last += 1
        start, end = pieces[first].start, pieces[last].end
        if start and text[start - 1] == "$":
            start -= 1
        if (last > first or start < pieces[first].start) and end - start <= LONGEST * 2:
            chunk = fold(text[start:end])
            found = more.setdefault(first, [])
            letters = re.sub(r"[^\w]|_", "", chunk)
            if letters.isalpha():
                found.append(letters)
            found += _unleet(re.sub(rf"[^\w{_SIGN}]|_", "", chunk))
            if "*" in chunk:
                found += masked(chunk)
        first = last + 1
    return more


def _touch(text: str, one: _Piece, other: _Piece) -> bool:
    """Whether a word goes on behind a hyphen, a dot or a sign. Kana and ideographs touch anyway and do not count."""
    between = text[one.end : other.start]
    return 1 <= len(between) <= 3 and all(c in "-._·•~+|/" or c in _SIGN for c in between)


def _spelt_out(pieces: list[_Piece], more: dict[int, list[str]], known: Callable[[str], bool]) -> None:
    """Readings of runs of single letters, "n u d e": each word of the run, at its first letter."""
    first = 0
    while first < len(pieces):
        last = first
        while last < len(pieces) and len(pieces[last].text) == 1 and not _ALONE.match(pieces[last].text):
            last += 1
        if last - first >= 3:
            letters = "".join(_spelling(piece.text) for piece in pieces[first:last])
            plain = "".join((fold(piece.text) or "-")[0] for piece in pieces[first:last])
            for at, word in _cut(letters, known) or (_cut(plain, known) if plain != letters else []):
                more.setdefault(first + at, []).append(word)
        first = last + 1


def _spelling(letter: str) -> str:
    return (fold(letter).translate(_ALIKE).translate(_LEET).replace("1", "i") or "-")[0]


def _cut(letters: str, known: Callable[[str], bool]) -> list[tuple[int, str]]:
    """A run of letters as listed words and nothing else; empty when it cannot be cut so ("c o c k t a i l")."""
    # back[i]: where the last word of letters[:i] begins; -1 when these letters are no row of words.
    back = [0] + [-1] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - LONGEST), end):
            if back[start] >= 0 and (known(letters[start:end]) if end - start > 1 else letters[start] in _SHORT):
                back[end] = start
                break
    found: list[tuple[int, str]] = []
    end = len(letters)
    while end and back[end] >= 0:
        found.append((back[end], letters[back[end] : end]))
        end = back[end]
    return found[::-1]
