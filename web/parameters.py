"""Query strings of pages to requests. An empty value counts as none there: a form sends all its fields.

What the JSON endpoints take is described in `schemas`.
"""

from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.routing import PathConverter

from indexer import RequestError, SearchRequest, SimilarRequest

KNOWN = (
    "q", "limit", "offset", "mode", "lang", "copies", "highlight", "generation", "source", "from", "to",
    "sort",
)  # fmt: skip


class DocumentId(PathConverter):
    """An article's id in a path, as file systems have it: even a line end may stand in a name."""

    regex = "(?s:[^/].*?)"


def read_request(values: "MultiDict[str, str]") -> SearchRequest:
    """Make the request that a query string asks for; RequestError names the parameter at fault."""
    _refuse_repeated(values)
    return SearchRequest(
        values.get("q", ""),
        # SearchRequest refuses what is no mode.
        values.get("mode") or "hybrid",  # type: ignore[arg-type]
        _boolean(values, "highlight", True),
        **_of_list(values),
    )


def read_similar(values: "MultiDict[str, str]") -> SimilarRequest:
    """Make the request for what is like a passage; its filters are those of a search."""
    _refuse_repeated(values)
    if len(values.getlist("passage")) != 1:
        raise RequestError("bad_passage", "passage must be given once: the id of the passage asked about.")
    return SimilarRequest(values["passage"], **_of_list(values))


def _of_list(values: "MultiDict[str, str]") -> dict[str, Any]:
    return {
        "limit": _integer(values, "limit", 10),
        "offset": _integer(values, "offset", 0),
        "lang": values.get("lang") or None,
        "generation": values.get("generation") or None,
        "copies": values.get("copies") or "fold",
        "source": values.get("source") or None,
        "published_from": values.get("from") or None,
        "published_to": values.get("to") or None,
        "sort": values.get("sort") or "relevance",
    }


def _refuse_repeated(values: "MultiDict[str, str]") -> None:
    for name in KNOWN:
        if len(values.getlist(name)) > 1:
            raise RequestError(f"bad_{name}", f"{name} is given more than once.")


def _boolean(values: "MultiDict[str, str]", name: str, default: bool) -> bool:
    value = values.get(name, "")
    if value not in ("", "true", "false"):
        raise RequestError(f"bad_{name}", f"{name} is {value[:40]!r}; it must be true or false.")
    return value == "true" if value else default


def _integer(values: "MultiDict[str, str]", name: str, default: int) -> int:
    value = values.get(name, "")
    if not value:
        return default
    # ASCII digits only: int() would also take «٣», «1_0» and « 7 ».
    if not value.removeprefix("-").isdecimal() or not value.isascii() or len(value) > 9:
        raise RequestError(f"bad_{name}", f"{name} is {value[:40]!r}; it must be a whole number.")
    return int(value)
