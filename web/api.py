"""The JSON endpoints. The models in `schemas` validate what is asked and describe what is answered."""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint, OpenAPI, Tag  # type: ignore[attr-defined]
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import NotFound

from indexer import (
    Searcher,
    SearchResult,
    article_json,
    result_json,
    similar_json,
)

from .observing import observe
from .parameters import refuse_repeated
from .samples import PROBLEM
from .schemas import (
    KNOWN,
    DocumentAnswer,
    DocumentPath,
    DocumentQuery,
    NoQuery,
    SearchAnswer,
    SearchQuery,
    SimilarAnswer,
    SimilarQuery,
    Stats,
    fault_of,
)
from .service import service

PROBLEMS = {
    400: "A parameter is unknown, not legal, or given more than once; `code` says which.",
    401: "The server wants a secret that the request did not carry.",
    404: "The index holds no such article or passage.",
    409: "Another generation of the index is served than the one that was asked for.",
    503: "There is no index, it is being loaded, the model failed, or too much is asked at once: try again.",
}

VERSION = version("warraq")  # another one may rank otherwise, or say more
View = TypeVar("View", bound=Callable[..., Response])

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1")


def register(app: OpenAPI) -> None:
    """Add the endpoints to an application."""
    app.register_api(blueprint)
    app.validation_error_callback = _refuse


def _refuse(error: ValidationError) -> None:
    raise fault_of(error)


@blueprint.before_request
def check_repeated() -> None:
    refuse_repeated(request.args, KNOWN)


def _endpoint(
    rule: str, answer: type[BaseModel], *statuses: int, tag: str, summary: str
) -> Callable[[View], View]:
    """Describe an endpoint: what it answers, and the errors that it knows."""
    tags = {"Search": "Ranked passages.", "Archive": "What is in the index."}
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}

    def problem(status: int) -> dict[str, Any]:
        content = schema | ({"example": PROBLEM} if status == PROBLEM["status"] else {})
        return {"description": PROBLEMS[status], "content": {"application/problem+json": content}}

    problems = {status: problem(status) for status in statuses}
    described = {
        200: answer,
        304: {"description": "The answer is the one of this If-None-Match."},
        **dict(sorted(problems.items())),
    }

    def add(view: View) -> View:
        added: View = blueprint.get(
            rule,
            summary=summary,
            description=" ".join((view.__doc__ or "").split()),
            operation_id=view.__name__,
            tags=[Tag(name=tag, description=tags[tag])],
            responses=described,  # type: ignore[arg-type]
        )(view)
        return added

    return add


@_endpoint("/search", SearchAnswer, 400, 401, 409, 503, tag="Search", summary="Search")
def search(query: SearchQuery) -> Response:
    """Rank the passages that answer a question, in Arabic and English alike.

    Each hit has the exact words and the receipt: file, sha256, lines and characters. `next` leads on.
    """
    searcher, asked = service().searcher(), query.request()
    return _answered(searcher, lambda: searcher.search(asked), result_json)


@_endpoint("/similar", SimilarAnswer, 400, 401, 404, 409, 503, tag="Search", summary="Similar passages")
def similar(query: SimilarQuery) -> Response:
    """Rank the passages of other articles that are like a passage; the same words elsewhere are left out."""
    searcher, asked = service().searcher(), query.request()
    return _answered(searcher, lambda: searcher.similar(asked), similar_json)


@_endpoint(
    "/documents/<document:doc_id>",
    DocumentAnswer,
    *(400, 401, 404, 409, 503),
    tag="Archive",
    summary="Read an article",
)
def document(path: DocumentPath, query: DocumentQuery) -> Response:
    """Return an article whole: its text, where its passages are, and what was cut of it by which rule."""
    searcher = service().searcher()
    searcher.check_generation(query.generation)
    article = searcher.article(path.doc_id)
    if article is None:
        raise NotFound()
    cut = service().cut_lines(searcher, article)
    return by_content(article_json(article, cut) | {"generation": searcher.generation})


@_endpoint("/stats", Stats, 400, 401, 503, tag="Archive", summary="Statistics")
def stats(query: NoQuery) -> Response:
    """Tell what the index holds: articles, passages, languages, sources, years, and what was cut."""
    return by_content(service().searcher().stats())


def _answered(
    searcher: Searcher, ask: Callable[[], SearchResult], as_json: Callable[[SearchResult], dict[str, Any]]
) -> Response:
    """Answer a search, unless whoever asks has the answer: a generation answers a query one way only."""
    searcher.check_generation(request.args.get("generation"))
    asked = [VERSION, searcher.generation, searcher.store.damage, request.path, sorted(request.args.items())]
    tag = hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    # «*» means any answer: whether there is one is not known before the search.
    if not request.if_none_match.star_tag and request.if_none_match.contains_weak(tag):
        return _revalidated(Response(status=304), tag)
    result = ask()
    observe(result)
    response = jsonify(as_json(result))
    if any(each.code == "no_model" for each in result.warnings):
        response.headers["Cache-Control"] = "no-store"  # with the model back, the answer will be a better one
        return response
    return _revalidated(response, tag)


def _revalidated(response: Response, tag: str) -> Response:
    response.set_etag(tag, weak=True)  # the time it took differs
    return response


def by_content(values: dict[str, Any]) -> Response:
    """Answer with JSON values, unless whoever asks has them."""
    response = jsonify(values)
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]  # it is the same object
