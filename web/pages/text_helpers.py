"""Template functions that show texts of articles in their own language and direction, with highlights."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from flask import Flask

from indexer import Hit
from indexer.web_support import direction, html_lang, title_language
from web.pages.citations import title_of, visible


def register(app: Flask) -> None:
    """Give every template the functions to show the words of an article."""
    app.add_template_global(direction)
    app.add_template_global(html_lang)
    app.add_template_global(title_language)
    app.add_template_global(title_of)
    app.add_template_global(visible)
    app.add_template_global(segments)


def segments(hit: Hit) -> list[tuple[str, bool, bool]]:
    """Split a hit's text at its marks; return each part, whether a word matched, and whether it answers."""
    words = [(highlight.start, highlight.end) for highlight in hit.highlights]
    answer = [(hit.answer.start, hit.answer.end)] if hit.answer else []
    marked = split_at_marks(hit.text, (0, len(hit.text)), (words, answer))
    return [(part, matched, answers) for part, (matched, answers) in marked]


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
