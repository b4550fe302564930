"""Query strings to SearchRequest: the one place where the web reads a search's parameters."""

from werkzeug.datastructures import MultiDict
from werkzeug.routing import PathConverter

from indexer import RequestError, SearchRequest

KNOWN = (
    "q", "limit", "offset", "mode", "lang", "copies", "highlight", "generation", "source", "from", "to",
    "sort",
)  # fmt: skip


class DocumentId(PathConverter):
    """An article's id in a path, as file systems have it: even a line end may stand in a name."""

    regex = "(?s:[^/].*?)"


def read_request(values: "MultiDict[str, str]") -> SearchRequest:
    """Make the request that a query string asks for; RequestError names the parameter at fault."""
    for name in KNOWN:
        if len(values.getlist(name)) > 1:
            raise RequestError(f"bad_{name}", f"{name} is given more than once.")
    return SearchRequest(
        query=values.get("q", ""),
        limit=_integer(values, "limit", 10),
        offset=_integer(values, "offset", 0),
        # SearchRequest refuses what is no mode and no way with copies.
        mode=values.get("mode") or "hybrid",  # type: ignore[arg-type]
        lang=values.get("lang") or None,
        generation=values.get("generation") or None,
        copies=values.get("copies") or "fold",  # type: ignore[arg-type]
        highlight=_boolean(values, "highlight", True),
        source=values.get("source") or None,
        published_from=values.get("from") or None,
        published_to=values.get("to") or None,
        sort=values.get("sort") or "relevance",  # type: ignore[arg-type]
    )


def refuse_unknown(values: "MultiDict[str, str]") -> None:
    """Raise RequestError for a parameter that no feature of this version reads."""
    for name in values:
        if name not in KNOWN:
            raise RequestError(
                "unknown_parameter", f"There is no parameter {name[:40]!r}; there are {', '.join(KNOWN)}."
            )


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
