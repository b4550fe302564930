"""Template functions that show texts of articles in their own language and direction, with highlights."""

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
    edges = sorted({0, len(hit.text), *(edge for mark in (*words, *answer) for edge in mark)})
    return [
        (hit.text[start:end], _within(start, words), _within(start, answer)) for start, end in pairwise(edges)
    ]


def _within(place: int, ranges: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in ranges)
