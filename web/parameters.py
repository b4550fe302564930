"""What the pages and the JSON endpoints share in reading addresses: ids in paths, and query strings."""

from collections.abc import Iterable

from werkzeug.datastructures import MultiDict
from werkzeug.routing import PathConverter

from indexer import SearchRequest, SimilarRequest
from indexer.web_support import PARAMETER_NAMES, RequestError


class DocumentId(PathConverter):
    """An article's id in a path, as file systems have it: even a line end may stand in a name."""

    regex = "(?s:[^/].*?)"


def read_request(values: MultiDict[str, str]) -> SearchRequest:
    """Make the request that a page's query string asks for; RequestError names the parameter at fault."""
    refuse_repeated(values)
    return SearchRequest.of(values)


def read_similar(values: MultiDict[str, str]) -> SimilarRequest:
    """Make the request for passages like a passage; its filters are those of a search."""
    refuse_repeated(values)
    return SimilarRequest.of(values)


def refuse_repeated(values: MultiDict[str, str], known: Iterable[str] = PARAMETER_NAMES) -> None:
    """Raise RequestError where a known parameter is given more than once."""
    for name in known:
        if len(values.getlist(name)) > 1:
            raise RequestError(f"bad_{name}", f"{name} is given more than once.")
