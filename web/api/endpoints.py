"""The JSON endpoints. `queries` has the models of their parameters, `schemas` the models of their answers."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, TypeVar

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint, Header, OpenAPI, Tag
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import NotFound

from indexer import Searcher, SearchResult
from indexer.web_support import article_json, browse_json, result_json, similar_json
from web.api.queries import (
    KNOWN,
    BrowseQuery,
    Condition,
    DocumentPath,
    DocumentQuery,
    NoQuery,
    SearchQuery,
    SimilarQuery,
    SuggestQuery,
    fault_of,
)
from web.api.schemas import (
    EXAMPLES,
    HEADERS,
    DocumentAnswer,
    DocumentsAnswer,
    SearchAnswer,
    SimilarAnswer,
    SourcesAnswer,
    Stats,
    Suggestions,
    headers,
)
from web.parameters import refuse_repeated
from web.prefix import at
from web.server.metrics import record_search
from web.service import service

PROBLEMS = {
    400: "A parameter is unknown, not legal, or given more than once; `code` says which.",
    401: "The server wants a secret that the request did not carry.",
    403: "A page of another site asks.",
    404: "The index holds no such article or passage.",
    409: "Another generation of the index is served than the one that was asked for.",
    413: "The request has a body that is too large; none is wanted.",
    429: "Too many wrong secrets came from this address: try again in a second.",
    431: "The address and headers of the request are too long.",
    500: "Something unforeseen went wrong; the server's log has the details.",
    501: "The body of the request is coded in a way that the server does not know.",
    503: "There is no index, it is being loaded, the model failed, or too much is asked at once: try again.",
}
# Every status is declared by its number and none as `default`, so that a test can find undeclared answers.
# 405 is left out: only methods without a description give it.
EVERYWHERE = (400, 401, 403, 413, 429, 431, 500, 501, 503)
HEADERS_OF = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}

ADDRESSES = frozenset({"next", "url"})  # fields that hold an address of this server

VERSION = version("warraq")  # part of ETags: another version may rank or answer differently
View = TypeVar("View", bound=Callable[..., Response])

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1")


def register(app: OpenAPI) -> None:
    """Add the endpoints to an application."""
    app.register_api(blueprint)
    app.components.headers = {name: Header.model_validate(header) for name, header in HEADERS.items()}
    app.validation_error_callback = _refuse


def _refuse(error: ValidationError) -> None:
    raise fault_of(error)


@blueprint.before_request
def check_repeated() -> None:
    refuse_repeated(request.args, KNOWN)


def _endpoint(
    rule: str, answer: type[BaseModel], *statuses: int, tag: str, summary: str
) -> Callable[[View], View]:
    """Return a decorator that adds a view as an endpoint, with its answer and its errors in the document.

    `statuses` are the errors that this endpoint can give in addition to EVERYWHERE.
    """
    tags = {"Search": "Ranked passages.", "Archive": "What is in the index."}
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}

    def problem(status: int) -> dict[str, Any]:
        content = schema | (
            {"example": EXAMPLES["problem"]} if status == EXAMPLES["problem"]["status"] else {}
        )
        return {
            "description": PROBLEMS[status],
            "headers": headers(*HEADERS_OF.get(status, ())),
            "content": {"application/problem+json": content},
        }

    responses = {
        200: answer,
        304: {"description": "The answer is one of If-None-Match.", "headers": headers("ETag")},
        **{status: problem(status) for status in sorted({*EVERYWHERE, *statuses})},
    }

    def add(view: View) -> View:
        added: View = blueprint.get(
            rule,
            summary=summary,
            description=" ".join((view.__doc__ or "").split()),
            operation_id=view.__name__,
            tags=[Tag(name=tag, description=tags[tag])],
            responses=responses,  # type: ignore[arg-type]
        )(view)
        return added

    return add


@_endpoint("/search", SearchAnswer, 409, tag="Search", summary="Search")
def search(query: SearchQuery, header: Condition) -> Response:
    """Rank the passages that answer a question, in Arabic and English alike.

    Each hit has the exact words and the provenance: file, sha256, lines and characters. `next` leads on.
    """
    searcher, search_request = service().searcher(), query.request()
    return _answered(searcher, lambda: searcher.search(search_request), result_json)


@_endpoint("/similar", SimilarAnswer, 404, 409, tag="Search", summary="Similar passages")
def similar(query: SimilarQuery, header: Condition) -> Response:
    """Rank the passages of other articles that are like a passage; the same words elsewhere are left out."""
    searcher, similar_request = service().searcher(), query.request()
    return _answered(searcher, lambda: searcher.similar(similar_request), similar_json)


@_endpoint("/suggest", Suggestions, tag="Search", summary="Complete a question")
def suggest(query: SuggestQuery, header: Condition) -> Response:
    """Complete what is typed by sources, authors, words and titles of the archive; at most eight."""
    suggestions = service().searcher().suggest(query.query)
    return by_content({"suggestions": [asdict(suggestion) for suggestion in suggestions]})


@_endpoint("/documents/<document:doc_id>", DocumentAnswer, 404, 409, tag="Archive", summary="Read an article")
def document(path: DocumentPath, query: DocumentQuery, header: Condition) -> Response:
    """Return an article whole: its text, where its passages are, and what was cut of it by which rule."""
    searcher = service().searcher()
    searcher.check_generation(query.generation)
    article = searcher.article(path.doc_id)
    if article is None:
        raise NotFound()
    cut = service().cut_lines(searcher, article)
    served = {"generation": searcher.generation, "warnings": searcher.warnings()}
    return by_content(article_json(article, cut) | served)


@_endpoint("/documents", DocumentsAnswer, 409, tag="Archive", summary="List articles")
def documents(query: BrowseQuery, header: Condition) -> Response:
    """List the articles of the archive, without a question: the newest first, by title or by source.

    `next` leads on by a cursor, which stays valid when the index is built anew.
    """
    return by_content(browse_json(service().searcher().browse(query.request())))


@_endpoint("/sources", SourcesAnswer, tag="Archive", summary="List sources")
def sources(query: NoQuery, header: Condition) -> Response:
    """List the newspapers or folders of the archive, with their articles and the days of these."""
    searcher = service().searcher()
    facts = [asdict(source) for source in searcher.source_facts()]
    return by_content({"generation": searcher.generation, "sources": facts, "warnings": searcher.warnings()})


@_endpoint("/stats", Stats, tag="Archive", summary="Statistics")
def stats(query: NoQuery, header: Condition) -> Response:
    """Tell what the index holds: articles, passages, languages, sources, years, and what was cut."""
    return by_content(service().searcher().stats())


def _answered(
    searcher: Searcher, ask: Callable[[], SearchResult], as_json: Callable[[SearchResult], dict[str, Any]]
) -> Response:
    """Answer a search, or with 304 if the client has the answer: one generation has one answer to a query."""
    searcher.check_generation(request.args.get("generation"))
    identity = [VERSION, searcher.generation, searcher.damage, request.path, sorted(request.args.items())]
    tag = hashlib.sha256(repr(identity).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    if request.if_none_match.contains_weak(tag) and not request.if_none_match.star_tag:
        return _unchanged(tag, weak=True)
    # «*» in If-None-Match stands for any answer, so it matches only after the search has succeeded.
    result = ask()
    record_search(result)
    response = jsonify(_addressed(as_json(result)))
    if result.without_model:
        response.headers["Cache-Control"] = "no-store"  # the answer will be better when the model is back
        return response
    response.set_etag(tag, weak=True)  # weak, since `took_ms` differs
    return _unless_known(response)


def by_content(values: dict[str, Any]) -> Response:
    """Answer with JSON values, or with 304 if the client has them."""
    response = jsonify(_addressed(values))
    response.add_etag()
    return _unless_known(response)


def _addressed(values: Any) -> Any:
    """Return JSON values with their addresses as they are below a prefix."""
    if not request.script_root:
        return values
    if isinstance(values, list):
        return [_addressed(value) for value in values]
    if not isinstance(values, dict):
        return values
    return {
        name: at(value)
        if name in ADDRESSES and isinstance(value, str) and value.startswith(("/documents/", "/api/"))
        else _addressed(value)
        for name, value in values.items()
    }


def _unless_known(response: Response) -> Response:
    """Return an answer, or 304 if the client has it. Conditions other than If-None-Match are ignored."""
    tag, weak = response.get_etag()
    return _unchanged(tag, weak=bool(weak)) if tag and request.if_none_match.contains_weak(tag) else response


def _unchanged(tag: str, *, weak: bool) -> Response:
    # Give it the type of the full answer: with Flask's default type it would get the headers of a page.
    response = Response(status=304, mimetype="application/json")
    response.set_etag(tag, weak)
    return response
