"""Read ids in paths and query strings; shared by the pages and the JSON endpoints."""

from collections.abc import Iterable

from werkzeug.datastructures import MultiDict
from werkzeug.routing import PathConverter

from indexer import SearchRequest, SimilarRequest
from indexer.web_support import PARAMETERS, BrowseRequest, RequestError


class DocumentId(PathConverter):
    """An article's id in a path; it may contain any character of a file name, even a line end."""

    regex = "(?s:[^/].*?)"


def read_request(values: MultiDict[str, str]) -> SearchRequest:
    """Make a search request from a query string; raises RequestError for the first illegal parameter."""
    refuse_repeated(values)
    return SearchRequest.of(values)


def read_similar(values: MultiDict[str, str]) -> SimilarRequest:
    """Make a request for similar passages from a query string; raises RequestError like `read_request`."""
    refuse_repeated(values)
    return SimilarRequest.of(values)


def read_browse(values: MultiDict[str, str]) -> BrowseRequest:
    """Make a request for articles from a query string; raises RequestError like `read_request`."""
    refuse_repeated(values)
    return BrowseRequest.of(values)


def refuse_repeated(values: MultiDict[str, str], names: Iterable[str] = PARAMETERS) -> None:
    """Raise RequestError if one of these parameters is given more than once."""
    for name in names:
        if len(values.getlist(name)) > 1:
            raise RequestError(f"bad_{name}", f"{name} is given more than once.")
