"""Highlights: the words of a passage that match the words of a query. Pure functions."""

from collections.abc import Iterable

from indexer.datatypes import Highlight
from indexer.text.analysis import Token, is_function_word, tokens


def find_highlights(text: str, query: Iterable[Token]) -> tuple[Highlight, ...]:
    """Return the ranges of the whole words, in code points of `text`, that match a query's terms.

    Function words are left out, or every «في» and «the» would be marked.
    """
    query_terms = {(token.kind, token.term) for token in _content_terms(query)}
    if not query_terms:
        return ()
    ranges = {
        (token.start, token.end)
        for token in _content_terms(tokens(text))
        if (token.kind, token.term) in query_terms
    }
    return tuple(Highlight(start, end) for start, end in sorted(ranges))


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
