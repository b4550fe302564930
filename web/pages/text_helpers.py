"""Texts of articles in templates: in their own language and direction, with the words that matched."""

from flask import Flask

from indexer import Hit
from indexer.web_support import direction, html_lang, title_language
from web.pages.citations import title_of, visible


def register(app: Flask) -> None:
    """Give every template what it needs to show the words of an article."""
    app.add_template_global(direction)
    app.add_template_global(html_lang)
    app.add_template_global(title_language)
    app.add_template_global(title_of)
    app.add_template_global(visible)
    app.add_template_global(segments)


def segments(hit: Hit) -> list[tuple[str, bool]]:
    """Cut a hit's text at its highlights: each part, and whether the question's words matched it."""
    parts, at = list[tuple[str, bool]](), 0
    for each in hit.highlights:
        parts += [(hit.text[at : each.start], False), (hit.text[each.start : each.end], True)]
        at = each.end
    return [part for part in [*parts, (hit.text[at:], False)] if part[0]]
