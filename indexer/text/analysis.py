"""Text to search terms, for Arabic and Latin script. Pure functions.

One function, `tokens`, serves index, query and highlights, so that what is looked for is what was
stored. Folding only ever makes terms: no text that is shown comes from here.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

# A word is letters, digits and the marks that sit on them; tatweel, joiners and soft hyphens stand inside.
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}\u0640\u00ad\u200c\u200d]|(?<=\d)[.,٫٬](?=\d)"
                   rf"|(?<=[^\W\d_]|[{_MARKS}])['’](?=[^\W\d_]))*")  # fmt: skip
_DROPPED = re.compile(f"[{_MARKS}\u0640\u00ad\u200c\u200d]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_LETTERS = str.maketrans("أإآٱؤئىةکیۀہھ٫", "ااااوييهكيههه.", "ء٬")

# light10 of Larkey, Ballesteros and Connell (2002), as Lucene has it: strip و before three
# letters or more, then one article, then suffixes, while at least two letters are left.
_PREFIXES = ("ال", "وال", "بال", "كال", "فال", "لل")
_SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")


@dataclass(frozen=True, slots=True)
class Token:
    """A search term and the range of original code points that it came from."""

    term: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the terms of a text in order; those of a query match those of a passage by equality."""
    return [
        Token(term, match.start(), match.end())
        for match in _WORD.finditer(text)
        if (term := _term(match.group()))
    ]


def terms(text: str) -> list[str]:
    """Return the terms of a text in order, without their places."""
    return [token.term for token in tokens(text)]


@lru_cache(maxsize=65_536)
def _term(word: str) -> str:
    """Fold and stem one word, by the script it is in; empty where only marks are left of it."""
    # Without spaces: the compatibility forms of ﷺ and of single vowel signs have some.
    composed = unicodedata.normalize("NFKC", word).replace(" ", "")
    if _ARABIC.search(composed):
        return _arabic_term(_DROPPED.sub("", composed.casefold()))
    folded = _DROPPED.sub("", unicodedata.normalize("NFKD", composed)).casefold()
    folded = _digits(folded.replace("’", "'").removesuffix("'s"))
    return _english_stemmer().stemWord(folded) if folded.isascii() else folded


def _arabic_term(word: str) -> str:
    # Affixes first, letters after: the article has a bare alef, so the أل of ألبانيا is not one.
    if len(word) > 3 and word.startswith("و"):
        word = word[1:]
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 2:
            word = word[len(prefix) :]
            break
    word = _digits(word.translate(_LETTERS))
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 2:
            word = word[: -len(suffix)]
    return word


def _digits(word: str) -> str:
    """Write every decimal digit in ASCII, and a number without its thousands separators."""
    ascii_digits = "".join(str(unicodedata.decimal(char, char)) for char in word)
    return ascii_digits.replace(",", "") if re.fullmatch(r"[\d.,]+", ascii_digits) else ascii_digits


@lru_cache(maxsize=1)
def _english_stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")
