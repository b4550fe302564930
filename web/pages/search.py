"""The pages of search: the home page, the list of hits, and the list of passages similar to one."""

from urllib.parse import quote, urlencode

from flask import Blueprint, Response, render_template, request

from indexer import Document, Searcher, SearchRequest, SearchResult
from indexer.web_support import BrowseRequest
from web.i18n.locale import digits
from web.pages import citations, feeds, links
from web.pages.citations import one_line, shown_path
from web.parameters import read_request, read_similar
from web.prefix import at
from web.server.metrics import record_search
from web.service import service

NEWEST = 5  # articles on the home page

blueprint = Blueprint("pages", __name__)


for function in (
    at,
    links.address_of,
    links.article_address,
    links.articles_of_source,
    feeds.feed_address,
    links.export_address,
    links.hit_address,
    links.hit_id,
    links.kept,
    links.last_page_address,
    links.path_of,
    links.similar_address,
    links.unfiltered,
    one_line,
    shown_path,
):
    blueprint.add_app_template_global(function)


@blueprint.get("/")
def index() -> str | Response:
    searcher = service().searcher()
    if "q" not in request.args:
        articles, passages = searcher.size()
        return render_template(
            "home.html",
            articles=articles,
            passages=passages,
            examples=searcher.examples(),
            newest=searcher.entries(BrowseRequest(limit=NEWEST)),
            damage=searcher.damage,
        )
    list_request = read_request(request.args)
    if feeds.is_wanted():
        return feeds.search_feed(searcher, list_request)
    return _list(searcher, searcher.search(list_request))


@blueprint.get("/similar")
def similar() -> str | Response:
    searcher, list_request = service().searcher(), read_similar(request.args)
    if feeds.is_wanted():
        return feeds.search_feed(searcher, list_request)
    return _list(searcher, searcher.similar(list_request))


@blueprint.app_template_global()
def again() -> str:
    """Return the address of the first page of the requested list, of any generation."""
    values = [item for item in request.args.items(multi=True) if item[0] not in ("generation", "offset")]
    return at(f"{quote(request.path)}?{urlencode(values)}")


@blueprint.app_template_global()
def record_of(document: Document) -> str:
    """Return the number or id of an article's record in its file; "" if the file is one article."""
    record = citations.record_of(document)
    if not record:
        return ""
    return digits(record) if record.isdecimal() and record.isascii() else shown_path(record)


def _has_all_passages(result: SearchResult) -> bool:
    """Return whether the list ranks every passage by nearness, not only those with matching words."""
    list_request = result.request
    words_alone = isinstance(list_request, SearchRequest) and list_request.mode == "lexical"
    return not words_alone and not result.without_model


def _list(searcher: Searcher, result: SearchResult) -> str:
    record_search(result)
    articles, _ = searcher.size()
    before, after = links.pages_around(result)
    return render_template(
        "results.html",
        result=result,
        asked=result.request,
        facets=links.facets_of(result, searcher.sources(), numbered=result.complete),
        chips=links.chips_of(result.request),
        empty=not articles,
        nearest=_has_all_passages(result),
        previous_page=before,
        next_page=after,
    )
