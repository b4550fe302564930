"""Suggestions while a question is typed: sources, authors, words and titles of the archive."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from indexer.datatypes import Suggestion, SuggestionKind
from indexer.query import parse, quoted, unquoted
from indexer.store.reader import GenerationReader
from indexer.text.analysis import is_function_word, terms
from indexer.text.normalize import bare_letters

NAMES = 2  # sources, and as many authors
WORDS = 3
TITLE_WORDS = 8  # typed words that a title must have; further ones are not looked up
LEAST_LETTERS = 3  # of a word that is completed; fewer begin too many words
MANY = 2  # passages with the word that completes


def suggest(typed: str, store: GenerationReader, limit: int) -> list[Suggestion]:
    """Return at most `limit` completions of a question, the most particular kind first."""
    parsed = parse(typed)
    if not terms(parsed.text, "surface"):
        return []
    # What the question says besides its text stays in front of a name or a title.
    operators = "".join(f"{typed[each.start : each.end]} " for each in parsed.operators if not each.text)
    text = parsed.text + " " * typed[-1:].isspace()
    whole = [
        *_names(parsed.text, "source", store),
        *_names(parsed.text, "author", store),
        *_titles(text, store, limit),
    ]
    whole = [replace(each, query=operators + each.query) for each in whole]
    names = sum(each.kind != "title" for each in whole)
    return [*whole[:names], *_words(typed, store), *whole[names:]][:limit]


def _names(typed: str, label: SuggestionKind, store: GenerationReader) -> Iterator[Suggestion]:
    """Yield the sources or authors of which a word begins with what is typed."""
    wanted = _letters(typed)
    found = (name for name in store.label_values(label) if wanted in _letters(name) and quoted(label, name))
    for name in islice(found, NAMES):
        yield Suggestion(label, name, f"{label}:{quoted(label, name)} ")


@lru_cache(1 << 16)
def _letters(text: str) -> str:
    """Return the words of a name without what spellings differ in, each behind a space."""
    return re.sub(r"\W+", " ", f" {bare_letters(text).casefold().strip()}")


def _words(typed: str, store: GenerationReader) -> Iterator[Suggestion]:
    """Yield what is typed with its last word completed, by the commonest words."""
    last = typed.rpartition(" ")[2]
    begun = terms(last, "surface")
    if len(begun) != 1 or len(begun[0]) < LEAST_LETTERS:
        return
    counts = store.words_beginning(begun[0])
    counts = {
        word: count
        for word, count in counts.items()
        if count >= MANY and word != begun[0] and not is_function_word(word)
    }
    for word in sorted(counts, key=lambda word: (-counts[word], word))[:WORDS]:
        completed = typed[: len(typed) - len(last)] + store.written(word)
        yield Suggestion("word", completed, completed)


def _titles(typed: str, store: GenerationReader, limit: int) -> Iterator[Suggestion]:
    """Yield the titles that have all typed words; the last one may be unfinished."""
    words = terms(typed, "surface")
    whole, begun = (words, "") if typed[-1:].isspace() else (words[:-1], words[-1])
    telling = [word for word in whole if not is_function_word(word)]
    for title in store.titles_with(telling[:TITLE_WORDS], begun, limit):
        yield Suggestion("title", title, unquoted(title))
