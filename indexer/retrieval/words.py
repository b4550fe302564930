"""The words of a query: their terms, what spellings they have in the archive, and the information they carry.

A word that may be a name is searched in every spelling and script that the archive has for it. Which words
these are is judged by the archive: a Latin word stands capitalized inside its sentences, or is in no sentence
at all; an Arabic word is spelled like one. A word that no passage has is also searched as it may have been
meant, without a slip of the pen; and a compound name written together is searched apart, and the reverse.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from indexer.retrieval.fusion import FEW_WORDS
from indexer.store.base import WeightedTerm
from indexer.store.reader import GenerationReader
from indexer.text.analysis import Token, is_function_word, telling_words
from indexer.text.analysis import terms as terms_of
from indexer.text.names import (
    distance,
    is_arabic,
    known_spellings,
    may_be_name,
    same_word,
    spelling_keys,
    without_article,
)

SURFACE_WEIGHT = 0.3  # of a word as it stands, against 1 for its stem: an exact match outranks a stemmed one
SURFACE_WEIGHT_OF_FEW = 1.0  # the same in a query of few words, which asks for these and no others
SPELLING_WEIGHT = 1.0  # of another spelling
PHRASE_WEIGHT = 0.3  # of two words of the query that stand side by side
SPELLINGS = 16  # of a word at most
# Distance beyond the nearest spelling in a script within which others are taken too, by consonants.
NEAR = (0.03, 0.03, 0.03, 0.03, 0.06, 0.1)
SHARED = 0.02  # taken off the distance for each consonant
OFTEN = 0.01  # taken off the distance for each time that the passages with a word double, up to four times
# Distance up to which a spelling is taken, by the number of consonants: more for a word that is known to be a
# name, less for one that may be any word.
KNOWN_NAME = (0.0, 0.02, 0.045, 0.1, 0.13)
SAME_SCRIPT = (-1.0, -1.0, 0.02, 0.04, 0.1)
UNKNOWN_WORD = (-1.0, -1.0, -1.0, 0.05, 0.1)
ANY_WORD = (-1.0, -1.0, -1.0, -1.0, 0.04)
LONG_ENOUGH = 4  # letters of an Arabic word of two consonants: with a vowel written, or it may be any word
ORDINARY = 0.05  # least share of its rarer form in an Arabic word that stands with the article and without
# The model's vocabulary has most ordinary words in one piece, and few names.
NAME_PIECES = 2
NAMED = 0.5  # least share of a name's passages that have it with a capital inside a sentence
# Slips of the pen that are looked for, by the least number of letters or digits; in a number one at most.
_SLIPS = {5: 1, 9: 2}
_ENDINGS = ("ه", "ها", "هم", "ات", "ين", "ون", "يه", "ي", "ا")
_BEFORE_NAME = ("عبد", "ابو", "ابا", "ابي", "ابن", "ام", "نور", "سيف")
_AFTER_NAME = ("الله", "الدين", "الرحمن")


@dataclass(frozen=True, slots=True)
class QueryWords:
    """The terms of a query, with the spellings that were added to it."""

    tokens: tuple[Token, ...]
    """The query's own words."""
    terms: tuple[WeightedTerm, ...]
    information: float
    """The BM25 score of a passage of average length that holds each word once."""
    spellings: dict[str, tuple[str, ...]]
    """The spellings that were added, by word of the query."""

    def marked(self) -> list[Token]:
        """Return the terms that are marked in passages: the query's own, and those of added spellings."""
        return [*self.tokens] + [
            Token(word, place, place + 1, "surface")
            for place, words in enumerate(self.spellings.values())
            for spelling in words
            for word in spelling.split(" ")
        ]

    def found_in(self, text: str) -> tuple[str, ...]:
        """Return the added spellings that a text has."""
        added = [spelling for words in self.spellings.values() for spelling in words]
        if not added:
            return ()
        text_words = f" {' '.join(terms_of(text, 'surface'))} "
        return tuple(spelling for spelling in dict.fromkeys(added) if f" {spelling} " in text_words)


def plain_words(words: Sequence[Token], store: GenerationReader) -> QueryWords:
    """Return the terms of a query as it is spelled."""
    return _query_words(words, store, {})


def spelled_words(
    words: Sequence[Token], store: GenerationReader, pieces: Callable[[str], int] = lambda _word: NAME_PIECES
) -> QueryWords:
    """Return the terms of a query, its names in every spelling that the archive has.

    `pieces` counts the pieces of the model's vocabulary that make up a word.
    """
    surfaces = [word.term for word in words if word.kind == "surface"]
    capitalized = {word.term for word in words if word.kind == "name"}
    compounds = _compounds(surfaces, store)
    spellings = {
        surface: tuple(
            dict.fromkeys(
                [
                    *compounds.get(surface, ()),
                    *_meant(surface, store),
                    *_spelled_alike(surface, store, named=surface in capitalized, pieces=pieces),
                ]
            )
        )[:SPELLINGS]
        for surface in surfaces
    }
    return _query_words(words, store, {surface: added for surface, added in spellings.items() if added})


def _query_words(
    words: Sequence[Token], store: GenerationReader, spellings: dict[str, tuple[str, ...]]
) -> QueryWords:
    by_word = _by_word(words)
    terms, information = list[WeightedTerm](), 0.0
    for surface, own in by_word:
        added = [WeightedTerm(word, "surface", SPELLING_WEIGHT) for word in spellings.get(surface, ())]
        counts = [_count(store, term) for term in (*own, *added)]
        rarities = [rarity(store, count) for count in counts]
        if not added:
            terms += own
            information += sum(
                term.weight * its_rarity for term, its_rarity in zip(own, rarities, strict=True)
            )
            continue
        # The spellings are one word: they are as rare as they are together, and each counts alike.
        together = rarity(store, max(counts[: len(own)]) + sum(counts[len(own) :]))
        for term, its_rarity in zip((*own, *added), rarities, strict=True):
            terms.append(term._replace(weight=term.weight * together / its_rarity))
        known = any(counts[: len(own)])
        information += together * (sum(term.weight for term in own) if known else SPELLING_WEIGHT)
    terms += [
        WeightedTerm(f"{one} {other}", "surface", PHRASE_WEIGHT)
        for (one, _), (other, _) in pairwise(by_word)
        if not (is_function_word(one) or is_function_word(other))
    ]
    return QueryWords(tuple(words), tuple(terms), information, spellings)


def _by_word(words: Sequence[Token]) -> list[tuple[str, list[WeightedTerm]]]:
    """Return the words of a query in order, each with its terms; a word that occurs twice comes twice."""
    few = len(telling_words(words)) <= FEW_WORDS
    weights = {"stem": 1.0, "surface": SURFACE_WEIGHT_OF_FEW if few else SURFACE_WEIGHT}
    by_word: list[tuple[str, list[WeightedTerm]]] = []
    for word in words:
        if word.kind == "surface":
            by_word.append((word.term, []))
        if word.kind in weights:
            by_word[-1][1].append(WeightedTerm(word.term, word.kind, weights[word.kind]))
    return by_word


def rarity(store: GenerationReader, count: int) -> float:
    """Return BM25's weight of a word that so many passages have."""
    passages = store.manifest.passages
    return math.log(1 + (passages - count + 0.5) / (count + 0.5))


def _count(store: GenerationReader, term: WeightedTerm) -> int:
    """Count the passages with a term, or with the rarest word of a phrase."""
    return min(store.count(term.kind, word) for word in term.term.split(" "))


def _meant(surface: str, store: GenerationReader) -> list[str]:
    """Return the words that may have been meant by one that no passage has."""
    if is_function_word(surface) or is_held(surface, store):
        return []
    slips = slips_of(surface)
    return store.words_near(surface, slips) if slips else []


def slips_of(surface: str) -> int:
    """Return how many slips of the pen are looked for in a word."""
    slips = max((count for least, count in _SLIPS.items() if len(surface) >= least), default=0)
    return min(slips, 1) if surface.isdigit() else slips


def is_held(surface: str, store: GenerationReader) -> bool:
    """Return whether a passage has a word, or another one with its stem."""
    return bool(store.count("surface", surface)) or any(
        store.count("stem", stem) for stem in terms_of(surface)
    )


def _spelled_alike(
    surface: str, store: GenerationReader, *, named: bool, pieces: Callable[[str], int]
) -> list[str]:
    """Return the words that may be this one in another spelling, of its own script first."""
    known = named or _is_name(surface, store)
    if not may_be_name(surface) or not (known or is_arabic(surface) or not store.count("surface", surface)):
        return []  # an ordinary word
    if listed := known_spellings(surface):
        return [
            word
            for spelling in sorted(listed)
            if not same_word(spelling, surface)
            for word in sorted({spelling, *store.words_spelled_like(spelling_keys(spelling))})
            if same_word(word, spelling) and store.count("surface", word)
        ]
    if not (known or is_arabic(surface)) and pieces(surface) < NAME_PIECES:
        return []  # an ordinary word, in an archive that has none of its language
    if is_arabic(surface) and not _is_like_a_name(surface, store):
        return []
    near: dict[bool, list[tuple[float, int, str]]] = {False: [], True: []}
    for word in store.words_spelled_like(spelling_keys(surface)):
        if not is_arabic(word) and not _is_name(word, store):
            continue
        consonants = _consonants(surface, word)
        if is_arabic(word) != is_arabic(surface):
            limits = KNOWN_NAME if known or not is_arabic(word) else ANY_WORD
        elif not is_arabic(word):
            limits = SAME_SCRIPT
        else:
            limits = ANY_WORD if is_held(surface, store) else UNKNOWN_WORD
        limit = _by_consonants(limits, consonants)
        far = distance(surface, word, limit)
        if far > limit or _is_same_word(word, surface):
            continue
        if not is_arabic(word) or _is_like_a_name(word, store):
            often = min(4.0, math.log2(store.count("surface", word)))
            unlikely = far - OFTEN * often - SHARED * consonants
            near[is_arabic(word) != is_arabic(surface)].append((unlikely, consonants, word))
    return [
        word
        for of_script in near.values()
        for unlikely, consonants, word in sorted(of_script)
        if unlikely <= min(of_script)[0] + _by_consonants(NEAR, consonants)
    ]


def _by_consonants(values: Sequence[float], consonants: int) -> float:
    return values[min(consonants, len(values) - 1)]


def _consonants(one: str, other: str) -> int:
    """Return the number of consonants that two words share, without the article."""
    keys = (spelling_keys(without_article(word)) for word in (one, other))
    return max(map(len, frozenset.intersection(*keys)), default=0)


def _is_same_word(one: str, other: str) -> bool:
    """Return whether the terms of one word find the other too."""
    return same_word(one, other) or not set(terms_of(one)).isdisjoint(terms_of(other))


def _is_name(word: str, store: GenerationReader) -> bool:
    """Return whether a Latin word mostly stands with a capital inside the archive's sentences."""
    return not is_arabic(word) and store.count("name", word) >= max(1, NAMED * store.count("surface", word))


def _is_like_a_name(word: str, store: GenerationReader) -> bool:
    """Return whether an Arabic word is long enough for a name and is not inflected like other words.

    Other words stand with the article and without, and with endings.
    """
    bare = without_article(word)
    if len(bare) < LONG_ENOUGH and max(map(len, spelling_keys(bare)), default=0) < 3:
        return False
    forms = sorted(store.count("surface", form) for form in (bare, f"ال{bare}"))
    inflected = {bare + ending for ending in _ENDINGS} | {bare.removesuffix("ه") + end for end in _ENDINGS}
    endings = sum(store.count("surface", form) > 0 for form in inflected - {bare})
    return endings < 3 and (forms[0] <= ORDINARY * forms[1] or not endings)


def _compounds(surfaces: Sequence[str], store: GenerationReader) -> dict[str, tuple[str, ...]]:
    """Return compound names of the query as the archive writes them otherwise: together, or apart."""
    found: dict[str, tuple[str, ...]] = {}
    for one, other in pairwise(surfaces):
        if (one in _BEFORE_NAME or other in _AFTER_NAME) and store.count("surface", one + other):
            found[one] = found[other] = (one + other,)
    for surface in surfaces:
        for first, second in _parts(surface):
            if store.count("surface", first) and store.count("surface", second):
                found.setdefault(surface, (f"{first} {second}",))
    return found


def _parts(surface: str) -> Iterator[tuple[str, str]]:
    for first in _BEFORE_NAME:
        second = surface.removeprefix(first)
        if second != surface and len(second) > 2:
            yield first, second
    for second in _AFTER_NAME:
        first = surface.removesuffix(second)
        if first != surface and len(first) > 2 and not is_function_word(first):
            yield first, second
