"""Template functions that show texts of articles in their own language and direction, with highlights."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from flask import Flask

from indexer import Hit
from indexer.web_support import direction, html_lang, split_sentences, title_language
from web.pages.citations import title_of, title_or_path, unturned, visible

Range = tuple[int, int]
"""Start and end in code points."""

SHOWN = 420  # code points of a hit, about five lines; a longer one opens to the rest


def register(app: Flask) -> None:
    """Give every template the functions to show the words of an article."""
    app.add_template_global(direction)
    app.add_template_global(html_lang)
    app.add_template_global(title_language)
    app.add_template_global(title_of)
    app.add_template_global(title_or_path)
    app.add_template_global(visible)
    app.add_template_global(unturned)
    app.add_template_global(segments)
    app.add_template_global(excerpt)


def segments(hit: Hit, span: Range | None = None) -> list[tuple[str, bool, bool]]:
    """Split a hit's text at its marks; return each part, whether a word matched, and whether it answers.

    `span` is the range of the text that is shown; None for all of it.
    """
    words = [(highlight.start, highlight.end) for highlight in hit.highlights]
    answer = [(hit.answer.start, hit.answer.end)] if hit.answer else []
    marked = split_at_marks(hit.text, span or (0, len(hit.text)), (words, answer))
    return [(part, matched, answers) for part, (matched, answers) in marked]


def excerpt(hit: Hit) -> Range | None:
    """Return the range of a long hit's text that is shown first; None where all of it is.

    It is the sentence that answers with its neighbours, else the sentences from the first word that matched
    on, or those at the beginning.
    """
    text = hit.text
    if len(text) <= SHOWN:
        return None
    sentences = split_sentences(text)
    shown_for = hit.answer or next(iter(hit.highlights), None)
    anchor = shown_for.start if shown_for else 0
    first = last = max(0, bisect_right([start for start, _ in sentences], anchor) - 1)
    # One sentence before, for what the answer refers to; then as many as fit.
    if first and sentences[last][1] - sentences[first - 1][0] <= SHOWN:
        first -= 1
    while last + 1 < len(sentences) and sentences[last + 1][1] - sentences[first][0] <= SHOWN:
        last += 1
    start, end = sentences[first][0], sentences[last][1]
    return None if end - start > len(text) - SHOWN // 4 else (start, end)


def split_at_marks(
    text: str, span: tuple[int, int], marks: Sequence[Sequence[tuple[int, int]]]
) -> Iterator[tuple[str, tuple[bool, ...]]]:
    """Yield a range of a text, split at the edges of marks: each part, and which kinds of mark have it.

    `marks` has the ranges of each kind; all ranges are code points of the text.
    """
    borders = (edge for kind in marks for mark in kind for edge in mark)
    edges = sorted({*span, *(edge for edge in borders if span[0] < edge < span[1])})
    for start, end in pairwise(edges):
        yield text[start:end], tuple(any(mark[0] <= start < mark[1] for mark in kind) for kind in marks)
