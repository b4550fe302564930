"""Text to search terms, for Arabic and Latin script. Pure functions.

One function, `tokens`, serves index, query and highlights, so that what is looked for is what was
stored. Folding only ever makes terms: no text that is shown comes from here.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from threading import local
from typing import Any, Literal, get_args

import snowballstemmer

from indexer.text.normalize import ARABIC_LETTERS, HAMZA, INVISIBLE, LETTERS, MARKS, TATWEEL

_INSIDE = MARKS + TATWEEL + INVISIBLE  # stands inside words without parting them
# A word is of one script: «الـBBC» is two. Digits stay with Latin letters, as in «G20».
_WORD = re.compile(
    rf"[{ARABIC_LETTERS}][{ARABIC_LETTERS}{_INSIDE}]*"
    rf"|(?![{ARABIC_LETTERS}])[^\W_](?:(?![{ARABIC_LETTERS}])[^\W_]|[{_INSIDE}]"
    rf"|(?<=\d)[.,٫٬](?=\d)|(?<=[^\W\d_]|[{MARKS}])['’](?=(?![{ARABIC_LETTERS}])[^\W\d_]))*"
)
_DROPPED = re.compile(f"[{_INSIDE}]")
_ARABIC = re.compile(f"[{ARABIC_LETTERS}]")
_SEPARATORS = str.maketrans("٫", ".", "٬")

# light10 of Larkey, Ballesteros and Connell (2002), as Lucene has it: strip و before three
# letters or more, then one article, then suffixes, while at least two letters are left.
_PREFIXES = ("ال", "وال", "بال", "كال", "فال", "لل")
_SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")
# Prepositions and particles of one letter, written onto the word: «لروسيا» is also found as روسيا.
_PROCLITICS = "بكلفس"
_LONG = 5  # letters; in shorter stems the first letter is more often the word's own

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


Kind = Literal["stem", "surface"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Token:
    """A search term and the range of original code points, a whole word, that it came from.

    A word has one surface (folded, not stemmed), one stem, and a second stem where its first letter
    may be a particle written onto it.
    """

    term: str
    start: int
    end: int
    kind: Kind


def tokens(text: str) -> list[Token]:
    """Return the terms of a text in order; those of a query match those of a passage by equality."""
    return [
        Token(term, match.start(), match.end(), kind)
        for match in _WORD.finditer(text)
        for kind, term in _terms(match.group())
    ]


def terms(text: str, kind: Kind = "stem") -> list[str]:
    """Return the terms of one kind in order, without their places."""
    return [token.term for token in tokens(text) if token.kind == kind]


@lru_cache(maxsize=65_536)
def _terms(word: str) -> tuple[tuple[Kind, str], ...]:
    """Fold and stem one word; empty where only marks are left of it."""
    surface, stem = _arabic(word) if _ARABIC.match(word) else _latin(word)
    if not surface:
        return ()
    found: list[tuple[Kind, str]] = [("surface", surface), ("stem", stem)]
    if len(stem) >= _LONG and stem[0] in _PROCLITICS:
        found.append(("stem", stem[1:]))
    return tuple(found)


def _latin(word: str) -> tuple[str, str]:
    """Return surface and stem of a word in any script but Arabic, or of a number."""
    folded = _DROPPED.sub("", unicodedata.normalize("NFKD", word)).casefold().replace(" ", "")
    folded = _digits(folded.replace("’", "'").removesuffix("'s"))
    return folded, _english_stemmer().stemWord(folded) if folded.isascii() else folded


def _arabic(word: str) -> tuple[str, str]:
    """Return surface and stem of a word in Arabic letters."""
    # Composed first, so that a hamza that is written apart from its alef is part of it. Without
    # spaces: the compatibility form of ﷺ has some.
    bare = _DROPPED.sub("", unicodedata.normalize("NFKC", word)).replace(" ", "")
    return bare.translate(LETTERS).translate(HAMZA), _light_stem(bare)


def _light_stem(word: str) -> str:
    # Affixes first, letters after: the article has a bare alef, so the أل of ألبانيا is not one.
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


def _digits(word: str) -> str:
    """Write every decimal digit in ASCII, and a number without its thousands separators."""
    plain = "".join(str(unicodedata.decimal(char, char)) for char in word).translate(_SEPARATORS)
    return plain.replace(",", "") if re.fullmatch(r"[\d.,]+", plain) else plain


_own = local()


def _english_stemmer() -> Any:
    """Return this thread's stemmer: it keeps the word that it is at, so two threads would mix theirs."""
    if not hasattr(_own, "stemmer"):
        _own.stemmer = snowballstemmer.stemmer("english")
    return _own.stemmer


@lru_cache(maxsize=1)
def function_words() -> frozenset[str]:
    """Return the surfaces of words that say how others relate and nothing by themselves."""
    return frozenset(terms(_FUNCTION_WORDS, "surface"))
