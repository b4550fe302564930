"""Highlights: the words of a passage that match the words of a query. Pure functions.

A stem finds more words than a reader takes for the same: «الدرعية», a town, and «ودرعه», his shield, have one
stem, and so have «لبنان» and «لبن». Ranking can bear that, marks cannot. A word is therefore marked if its
surface is the query's, or if stem and ending are.
"""

from collections.abc import Iterable, Iterator

from indexer.datatypes import Highlight
from indexer.text.analysis import Token, is_function_word, tokens

_ROOT, _SHORT = 3, 4  # letters of a stem up to which an ending may make another word


def find_highlights(text: str, query: Iterable[Token]) -> tuple[Highlight, ...]:
    """Return the ranges of the whole words, in code points of `text`, that match a query's terms.

    Function words are left out, or every «في» and «the» would be marked.
    """
    query_forms = {form for _, form in _forms(_content_terms(query))}
    if not query_forms:
        return ()
    ranges = {
        (token.start, token.end)
        for token, form in _forms(_content_terms(tokens(text)))
        if form in query_forms
    }
    return tuple(Highlight(start, end) for start, end in sorted(ranges))


def _forms(words: Iterable[Token]) -> Iterator[tuple[Token, tuple[str, ...]]]:
    """Yield each term with what must be equal for a mark; a word's surface precedes its stems."""
    surface = ""
    for word in words:
        if word.kind == "stem":
            yield word, (word.kind, word.term, _ending(surface, word.term))
        else:
            surface = word.term
            yield word, (word.kind, word.term)


def _ending(surface: str, stem: str) -> str:
    """Return the ending of a word if it makes another word; "" if it only inflects.

    Pronouns, the feminine and most plurals inflect. The «ي» of belonging makes another word of a short one,
    and behind three letters «ان», «ين» and «ون» belong to the word more often than not.
    """
    _, found, ending = surface.rpartition(stem)
    if not found:
        return ""
    if ending[:1] == "ي" and ending[:2] != "ين":
        return "ي" if len(stem) <= _SHORT else ""
    return ending[:2] if len(stem) <= _ROOT and ending[:2] in ("ان", "ين", "ون") else ""


def _content_terms(words: Iterable[Token]) -> list[Token]:
    """Return the terms of all words other than function words.

    Only the surface of a word tells whether it is a function word: a stem may look like one, as those of
    «الله» and «الأمة» look like «له» and «أم».
    """
    words = list(words)
    function_word_ranges = {
        (word.start, word.end) for word in words if word.kind == "surface" and is_function_word(word.term)
    }
    return [word for word in words if (word.start, word.end) not in function_word_ranges]
