"""Analyze text into search terms, for Arabic and Latin script. Pure functions.

Index, queries and highlights all use the one function `tokens`, so that the terms of a query equal the terms
of the index. Terms are never displayed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from threading import local
from typing import Any, Literal, get_args

import snowballstemmer

from indexer.text.normalize import ARABIC_LETTERS, HAMZA, INVISIBLE, LETTERS, MARKS, TATWEEL

_INSIDE = MARKS + TATWEEL + INVISIBLE  # characters inside words that do not divide them
# A word has letters of one script: «الـBBC» is two words. Digits stay with Latin letters, as in «G20».
_WORD = re.compile(
    rf"[{ARABIC_LETTERS}][{ARABIC_LETTERS}{_INSIDE}]*"
    rf"|(?![{ARABIC_LETTERS}])[^\W_](?:(?![{ARABIC_LETTERS}])[^\W_]|[{_INSIDE}]"
    rf"|(?<=\d)[.,٫٬](?=\d)|(?<=[^\W\d_]|[{MARKS}])['’](?=(?![{ARABIC_LETTERS}])[^\W\d_]))*"
)
_DROPPED = re.compile(f"[{_INSIDE}]")
_ARABIC = re.compile(f"[{ARABIC_LETTERS}]")
_BEGINS_SENTENCE = ".!?:…؟؛\"'“”«»‘’([\r\n-–—•"
_LOOK_BACK = 8  # code points before a word, among which are more than spaces
_SEPARATORS = str.maketrans("٫", ".", "٬")

# The stemmer light10 of Larkey, Ballesteros and Connell (2002), as in Lucene: strip و before three letters or
# more, then one article, then suffixes, as long as at least two letters remain.
_PREFIXES = ("ال", "وال", "بال", "كال", "فال", "لل")
_SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")
# Prepositions and particles of one letter, written as part of the word: روسيا also finds «لروسيا».
_PROCLITICS = "بكلفس"
_LONG = 5  # letters; in a shorter stem the first letter more often belongs to the word

_FUNCTION_WORDS = """
a about after all also an and any are as at be been before but by can could did do does for from had has
have he her his how i if in into is it its many may more most much no not of on or our over said she so
some such than that the their them then there these they this those to under up was we were what when
where which while who whom whose why will with would you your
في من على الى عن مع هو هي هم هما نحن انا انت ما ماذا متى اين كيف لماذا هل كم اي ايه التي الذي الذين اللذين
اللواتي هذا هذه هؤلاء ذلك تلك كان كانت يكون تكون كانوا قد لقد ان انه انها انهم او ام ثم كل بعض بعد قبل بين
عند لدى لم لن لا ليس ليست غير حتى كما لكن بل اذا لو منذ خلال حول دون ضد نحو فيه فيها به بها له لها لهم منه
منها عنه عنها عليه عليها اليه اليها وهو وهي وقد وكان وكانت ولم ولا وما ومن وفي وعلى
مما بما فيما ايضا تم و
ف ب ك ل ال وال بال فال كال لل
"""


Kind = Literal["stem", "surface", "name"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Token:
    """A search term, and the range of the word in the text that it was made from, in code points.

    A word has one surface (normalized, not stemmed), one stem, and a second stem if its first letter may be a
    particle. If it is written with a capital inside a sentence, its surface is also a term of the kind name.
    """

    term: str
    start: int
    end: int
    kind: Kind


def tokens(text: str) -> list[Token]:
    """Return the terms of a text in order; terms of a query and of a passage match if they are equal."""
    return [
        Token(term, match.start(), match.end(), kind)
        for match in _WORD.finditer(text)
        for kind, term in (
            _terms_of_name(match.group()) if _is_capitalized(text, match.start()) else _terms(match.group())
        )
    ]


def terms(text: str, kind: Kind = "stem") -> list[str]:
    """Return the terms of one kind in order, without their ranges."""
    return [token.term for token in tokens(text) if token.kind == kind]


@lru_cache(maxsize=65_536)
def _terms(word: str) -> tuple[tuple[Kind, str], ...]:
    """Return the kinds and terms of one word; empty if normalizing leaves no letter."""
    surface, stem = _arabic(word) if _ARABIC.match(word) else _latin(word)
    if not surface:
        return ()
    kinds_and_terms: list[tuple[Kind, str]] = [("surface", surface), ("stem", stem)]
    if len(stem) >= _LONG and stem[0] in _PROCLITICS:
        kinds_and_terms.append(("stem", stem[1:]))
    return tuple(kinds_and_terms)


def _terms_of_name(word: str) -> Iterator[tuple[Kind, str]]:
    for kind, term in _terms(word):
        yield kind, term
        if kind == "surface":
            yield "name", term


def _is_capitalized(text: str, start: int) -> bool:
    """Return whether a word has a capital that does not come from the beginning of a sentence."""
    if not text[start].isupper():
        return False
    before = text[max(0, start - _LOOK_BACK) : start].rstrip(" ")
    return bool(before) and before[-1] not in _BEGINS_SENTENCE


def _latin(word: str) -> tuple[str, str]:
    """Return surface and stem of a word in any script but Arabic, or of a number."""
    surface = _DROPPED.sub("", unicodedata.normalize("NFKD", word)).casefold().replace(" ", "")
    surface = _digits(surface.replace("’", "'").removesuffix("'s"))
    return surface, _english_stemmer().stemWord(surface) if surface.isascii() else surface


def _arabic(word: str) -> tuple[str, str]:
    """Return surface and stem of a word in Arabic letters."""
    # Compose first, so that a hamza that is encoded apart from its alef becomes part of it. Remove spaces,
    # since NFKC makes several words of ﷺ.
    bare = _DROPPED.sub("", unicodedata.normalize("NFKC", word)).replace(" ", "")
    return bare.translate(LETTERS).translate(HAMZA), _light_stem(bare)


def _light_stem(word: str) -> str:
    # Strip prefixes before normalizing letters: the article has a bare alef, so the أل of ألبانيا stays.
    if len(word) > 3 and word.startswith("و"):
        word = word[1:]
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 2:
            word = word[len(prefix) :]
            break
    word = word.translate(LETTERS).translate(HAMZA)
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 2:
            word = word[: -len(suffix)]
    return word


def ascii_digits(text: str) -> str:
    """Return a text with the digits 0 to 9 for those of every script."""
    return "".join(str(unicodedata.decimal(char, char)) for char in text)


def _digits(word: str) -> str:
    """Write every decimal digit in ASCII, and a number without its thousands separators."""
    plain = ascii_digits(word).translate(_SEPARATORS)
    return plain.replace(",", "") if re.fullmatch(r"[\d.,]+", plain) else plain


_thread = local()


def _english_stemmer() -> Any:
    """Return this thread's stemmer; a stemmer holds its current word, so threads must not share one."""
    if not hasattr(_thread, "stemmer"):
        _thread.stemmer = snowballstemmer.stemmer("english")
    return _thread.stemmer


@lru_cache(maxsize=1)
def function_words() -> frozenset[str]:
    """Return the surfaces of function words, which carry grammar rather than content."""
    return frozenset(terms(_FUNCTION_WORDS, "surface"))


def telling_words(words: Iterable[Token]) -> set[str]:
    """Return the surfaces of the words that are no function words."""
    return {word.term for word in words if word.kind == "surface" and not is_function_word(word.term)}


def is_function_word(surface: str) -> bool:
    """Return whether a word is a function word, in Arabic also with «and» before it."""
    listed = function_words()
    return surface in listed or (len(surface) > 3 and surface[0] == "و" and surface[1:] in listed)
