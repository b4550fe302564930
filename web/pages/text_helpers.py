"""Template functions that show texts of articles in their own language and direction, with highlights."""

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


def segments(hit: Hit) -> list[tuple[str, bool]]:
    """Split a hit's text at its highlights; return each part, and whether it is a highlight."""
    parts, end = list[tuple[str, bool]](), 0
    for highlight in hit.highlights:
        before, word = hit.text[end : highlight.start], hit.text[highlight.start : highlight.end]
        parts += [(before, False), (word, True)]
        end = highlight.end
    return [part for part in [*parts, (hit.text[end:], False)] if part[0]]
