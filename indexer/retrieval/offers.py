"""Offers: what may have been meant by a query with words that no passage has.

A keyboard left in the other layout turns a word of one script into letters of the other that are no word. A
slip of the pen leaves a word that no passage has, next to one that many have. Both are offered, not searched.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

from indexer.datatypes import Offer
from indexer.request import ParsedQuery
from indexer.retrieval.words import is_held, slips_of
from indexer.store.reader import GenerationReader
from indexer.text.analysis import Token, is_function_word, tokens

MANY = 3  # passages with the word that is offered
SHORT = 4  # letters of a word up to which a slip is not looked for
# The model's vocabulary has most words in one piece or two; slips fall into more. A whole question has words
# that an archive lacks more often than a slip, so it is asked for more pieces (docs/quality.md).
PIECES, PIECES_OF_QUESTION = 2, 3
WHOLE_QUESTION = 4  # telling words
_AFFIXES = frozenset({
    "و", "ف", "ب", "ك", "ل", "ال", "لل", "س", "م", "ت", "ي", "ن", "ا",
    "ه", "ها", "هم", "هن", "ات", "ين", "ون", "ان", "يه", "نا", "وا", "s", "es", "d", "ed", "ing",
})  # fmt: skip
CORRECTED = 8  # words of a query that are looked up for slips
CHOICES = 3  # places of a word where one key may have been meant or two
# The Arabic layout (101) on the keys of the English one; one key writes lam with alef.
KEYS = {
    **dict(zip("`qwertyuiop[]", "ذضصثقفغعهخحجد", strict=True)),
    **dict(zip("asdfghjkl;'", "شسيبلاتنمكط", strict=True)),
    **dict(zip("zxcvnm,./", "ئءؤرىةوزظ", strict=True)),
    **dict(zip("YHNJKP?", "إأآـ،؛؟", strict=True)),
    "b": "لا", "G": "لأ", "T": "لإ", "B": "لآ",
}  # fmt: skip
_LETTERS = {letters: key for key, letters in KEYS.items() if len(letters) == 1}
_LIGATURES = {letters: key for key, letters in KEYS.items() if len(letters) == 2}


def offers(
    query: str, parsed: ParsedQuery, store: GenerationReader, pieces: Callable[[str], int]
) -> tuple[Offer, ...]:
    """Return the queries that may have been meant, none where the archive has all words.

    `pieces` counts the pieces of the model's vocabulary that make up a word.
    """
    words = _telling(parsed.text)
    missing = [word for word in words if not is_held(word.term, store)]
    if not missing or any(operator.excluded or not operator.text for operator in parsed.operators):
        return ()
    # Letters of a word are signs in the other layout, which leaves single letters that an archive has.
    if all(word in missing for word in words if len(word.term) > 2):
        typed = _typed_otherwise(query, store)
        if typed and not any(len(word.term) >= SHORT and pieces(word.term) < PIECES for word in missing):
            return (Offer("keyboard", typed),)
    least = PIECES if len(words) < WHOLE_QUESTION else PIECES_OF_QUESTION
    strange = [word.term for word in missing if pieces(word.term) >= least]
    corrected = _corrected(query, strange[:CORRECTED], store)
    return (Offer("spelling", corrected),) if corrected else ()


def _telling(text: str) -> list[Token]:
    return [word for word in tokens(text) if word.kind == "surface" and not is_function_word(word.term)]


def _typed_otherwise(query: str, store: GenerationReader) -> str | None:
    """Return a query as the other layout would have written it; None unless the archive has most words."""
    for layout in (_in_arabic, _in_english):
        typed = layout(query, store)
        if typed == query:
            continue
        words = _telling(typed)
        held = [word for word in words if len(word.term) > 2 and is_held(word.term, store)]
        if held and 2 * len(held) >= len(words):
            return typed
    return None


def _in_arabic(query: str, _: GenerationReader) -> str:
    return "".join(KEYS.get(char, KEYS.get(char.lower(), char)) for char in query)


def _in_english(query: str, store: GenerationReader) -> str:
    return " ".join(_english_word(word, store) for word in query.split(" "))


def _english_word(word: str, store: GenerationReader) -> str:
    """Return a word typed in the Arabic layout; of several readings the one that the archive has."""
    readings = ["".join(reading) for reading in product(*_readings(word))]
    return next((reading for reading in readings if is_held(reading, store)), readings[0])


def _readings(word: str) -> Iterator[tuple[str, ...]]:
    """Yield what each letter may have been: lam and alef are one key or two."""
    place, choices = 0, 0
    while place < len(word):
        pair = word[place : place + 2]
        if pair in _LIGATURES:
            two_keys = "".join(_LETTERS.get(letter, letter) for letter in pair)
            yield (_LIGATURES[pair], two_keys) if choices < CHOICES else (_LIGATURES[pair],)
            place, choices = place + 2, choices + 1
        else:
            yield (_LETTERS.get(word[place], word[place]),)
            place += 1


def _corrected(query: str, missing: Sequence[str], store: GenerationReader) -> str | None:
    """Return a query with near words that many passages have; None where there is none."""
    near = {word: meant for word in missing if (meant := _near(word, store))}
    corrected, end = list[str](), 0
    for word in _telling(query):
        if word.term in near:
            corrected += [query[end : word.start], near[word.term]]
            end = word.end
    return "".join([*corrected, query[end:]]) if corrected else None


def _near(word: str, store: GenerationReader) -> str | None:
    """Return the word that is nearest to one that no passage has, as the archive writes it."""
    slips = slips_of(word)
    if word.isdigit() or len(word) <= SHORT or not slips:
        return None
    counts = {near: store.count("surface", near) for near in store.words_near(word, slips)}
    many = [near for near, count in counts.items() if count >= MANY and not _is_inflected(word, near)]
    return store.written(many[0]) if many else None


def _is_inflected(one: str, other: str) -> bool:
    """Return whether two words differ in what may be put before a word or behind it."""
    shorter, longer = sorted((one, other), key=len)
    return longer.removeprefix(shorter) in _AFFIXES or longer.removesuffix(shorter) in _AFFIXES
