"""Query strings of pages to requests. An empty value counts as none there: a form sends all its fields.

What the JSON endpoints take is described in `schemas`.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict
from werkzeug.routing import PathConverter

from indexer import RequestError, SearchRequest, SimilarRequest

Value = TypeVar("Value")
KNOWN = (
    "q", "limit", "offset", "mode", "lang", "copies", "highlight", "generation", "source", "from", "to",
    "sort",
)  # fmt: skip


class DocumentId(PathConverter):
    """An article's id in a path, as file systems have it: even a line end may stand in a name."""

    regex = "(?s:[^/].*?)"


def read_request(values: "MultiDict[str, str]") -> SearchRequest:
    """Make the request that a query string asks for; RequestError names the parameter at fault."""
    refuse_repeated(values)
    return SearchRequest(
        values.get("q", ""),
        # SearchRequest refuses what is no mode.
        values.get("mode") or "hybrid",  # type: ignore[arg-type]
        _read(values, "highlight", True, true_or_false),
        **_of_list(values),
    )


def read_similar(values: "MultiDict[str, str]") -> SimilarRequest:
    """Make the request for what is like a passage; its filters are those of a search."""
    refuse_repeated(values)
    if len(values.getlist("passage")) != 1:
        raise RequestError("bad_passage", "passage must be given once: the id of the passage asked about.")
    return SimilarRequest(values["passage"], **_of_list(values))


def _of_list(values: "MultiDict[str, str]") -> dict[str, Any]:
    return {
        "limit": _read(values, "limit", 10, whole_number),
        "offset": _read(values, "offset", 0, whole_number),
        "lang": values.get("lang") or None,
        "generation": values.get("generation") or None,
        "copies": values.get("copies") or "fold",
        "source": values.get("source") or None,
        "published_from": values.get("from") or None,
        "published_to": values.get("to") or None,
        "sort": values.get("sort") or "relevance",
    }


def refuse_repeated(values: "MultiDict[str, str]", known: Iterable[str] = KNOWN) -> None:
    """Raise RequestError where a parameter that is known is given more than once."""
    for name in known:
        if len(values.getlist(name)) > 1:
            raise RequestError(f"bad_{name}", f"{name} is given more than once.")


def whole_number(text: str) -> int:
    """Return the whole number that a text is; ValueError says that it is none."""
    # ASCII digits only, and few: int() would also take «٣», «1_0» and « 7 ».
    digits = text.removeprefix("-")
    if not (digits.isdecimal() and digits.isascii() and len(digits) < 10):
        raise ValueError("it must be a whole number")
    return int(text)


def true_or_false(text: str) -> bool:
    """Return the truth value that a text is; ValueError says that it is none."""
    if text not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text == "true"


def _read(values: "MultiDict[str, str]", name: str, default: Value, read: Callable[[str], Value]) -> Value:
    text = values.get(name, "")
    try:
        return read(text) if text else default
    except ValueError as error:
        raise RequestError(f"bad_{name}", f"{name} is {text[:40]!r}; {error}.") from error
