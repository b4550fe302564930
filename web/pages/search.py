"""The pages of search: the first page, the list of what was found, and the list of what is like a passage."""

from urllib.parse import quote, urlencode

from flask import Blueprint, render_template, request

from indexer import Document, Searcher, SearchRequest, SearchResult
from web.i18n.locale import digits
from web.pages import citations, links
from web.pages.citations import one_line, shown_path
from web.parameters import read_request, read_similar
from web.server.metrics import record_search
from web.service import service

blueprint = Blueprint("pages", __name__)


for each in (
    links.address_of,
    links.export_address,
    links.hit_address,
    links.hit_id,
    links.kept,
    links.last_page_address,
    links.similar_address,
    links.unfiltered,
    one_line,
    shown_path,
):
    blueprint.add_app_template_global(each)


@blueprint.get("/")
def index() -> str:
    searcher = service().searcher()
    if "q" not in request.args:
        articles, passages = searcher.size()
        return render_template("home.html", articles=articles, passages=passages, damage=searcher.damage)
    return _list(searcher, searcher.search(read_request(request.args)))


@blueprint.get("/similar")
def similar() -> str:
    searcher = service().searcher()
    return _list(searcher, searcher.similar(read_similar(request.args)))


@blueprint.app_template_global()
def again() -> str:
    """Return the address of the list that was asked for, from its first page and of any generation."""
    values = [each for each in request.args.items(multi=True) if each[0] not in ("generation", "offset")]
    return f"{quote(request.path)}?{urlencode(values)}"


@blueprint.app_template_global()
def record_of(document: Document) -> str:
    """Return the number or id of an article among those of its file, "" where the file holds one."""
    record = citations.record_of(document)
    if not record:
        return ""
    return digits(record) if record.isdecimal() and record.isascii() else shown_path(record)


def _has_all_passages(result: SearchResult) -> bool:
    """Whether every passage has a place in the list, by how near it is, and none had to match a word."""
    asked = result.request
    words_alone = isinstance(asked, SearchRequest) and asked.mode == "lexical"
    return not words_alone and not result.without_model


def _list(searcher: Searcher, result: SearchResult) -> str:
    record_search(result)
    articles, _ = searcher.size()
    before, after = links.pages_around(result)
    return render_template(
        "results.html",
        result=result,
        asked=result.request,
        facets=links.facets_of(result),
        counted=sum(each.count for each in result.facets["lang"]),
        chips=links.chips_of(result.request),
        empty=not articles,
        nearest=_has_all_passages(result),
        previous_page=before,
        next_page=after,
    )
