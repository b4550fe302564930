"""Which words of a passage a question's words matched. Pure functions."""

from collections.abc import Iterable

from indexer.datatypes import Highlight
from indexer.text.analysis import Token, function_words, tokens


def find_highlights(text: str, query: Iterable[Token]) -> tuple[Highlight, ...]:
    """Return the ranges of the whole words, in code points of `text`, that match a question's terms.

    Function words are left out: every «في» and «the» would be marked.
    """
    wanted = {(token.kind, token.term) for token in _content_terms(query)}
    if not wanted:
        return ()
    found = {
        (token.start, token.end)
        for token in _content_terms(tokens(text))
        if (token.kind, token.term) in wanted
    }
    return tuple(Highlight(start, end) for start, end in sorted(found))


def _content_terms(words: Iterable[Token]) -> list[Token]:
    """Return the terms of all words but function words, which are known by their surfaces alone.

    A stem may look like one: «الله» and «الأمة» have those of «له» and «أم».
    """
    words = list(words)
    idle = {
        (word.start, word.end) for word in words if word.kind == "surface" and _is_function_word(word.term)
    }
    return [word for word in words if (word.start, word.end) not in idle]


def _is_function_word(surface: str) -> bool:
    known = function_words()
    return surface in known or (len(surface) > 3 and surface[0] == "و" and surface[1:] in known)
