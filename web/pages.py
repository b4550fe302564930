"""The pages: the search box with its results, and the document opened at a passage."""

from flask import Blueprint, abort, render_template, request
from werkzeug.routing import PathConverter

from indexer import (
    Article,
    Hit,
    Passage,
    direction,
    document_url,
    html_lang,
    next_page,
    previous_page,
    reason_of,
)

from .api import service
from .parameters import read_request

blueprint = Blueprint("pages", __name__)
blueprint.add_app_template_global(direction)
blueprint.add_app_template_global(document_url)
blueprint.add_app_template_global(html_lang)
blueprint.add_app_template_global(reason_of)


@blueprint.app_template_global()
def segments(hit: Hit) -> list[tuple[str, bool]]:
    """Cut a hit's text at its highlights: each part, and whether the question's words matched it."""
    parts, at = list[tuple[str, bool]](), 0
    for each in hit.highlights:
        parts += [(hit.text[at : each.start], False), (hit.text[each.start : each.end], True)]
        at = each.end
    return [part for part in [*parts, (hit.text[at:], False)] if part[0]]


class DocumentId(PathConverter):
    """A path as file systems have it: even a line end may stand in a name."""

    regex = "(?s:[^/].*?)"


Part = tuple[str, Passage | None]
"""A stretch of an article's text, and the passage that it is, None between passages."""


@blueprint.get("/")
def index() -> str:
    if "q" not in request.args:
        searcher = service().searcher()
        articles, passages = searcher.size()
        damage = searcher.store.damage
        return render_template("home.html", articles=articles, passages=passages, damage=damage)
    asked = read_request(request.args)
    result = service().searcher().search(asked)
    pages = {"next_page": next_page(result, "/"), "previous_page": previous_page(result, "/")}
    return render_template("results.html", result=result, asked=asked, **pages)


@blueprint.get("/documents/<document:doc_id>")
def document(doc_id: str) -> str:
    searcher = service().searcher()
    article = searcher.article(doc_id)
    if article is None:
        abort(404)
    return render_template(
        "document.html",
        document=article.document,
        parts=parts(article),
        cut=service().cut_lines(searcher, article),
        damage=searcher.store.damage,
    )


def parts(article: Article) -> list[Part]:
    """Cut an article's text into its passages and what stands between them that is not blank."""
    text, at, found = article.document.text, 0, list[Part]()
    for passage in article.passages:
        found += [(text[at : passage.start], None), (text[passage.start : passage.end], passage)]
        at = passage.end
    return [(part, passage) for part, passage in [*found, (text[at:], None)] if part.strip()]
