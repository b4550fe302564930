"""The addresses of lists, hits and exports, and the facets and filters of a list with their links."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from indexer import Hit, Passage, SearchRequest, SearchResult, SimilarRequest
from indexer.web_support import (
    DATE_COLUMN,
    FACETS,
    OFFSET,
    PARAMETERS,
    ArticleEntry,
    BrowseRequest,
    BrowseResult,
    FilteredRequest,
    document_url,
    parse,
    permanent_url,
    quoted,
    words_hash,
)
from web.i18n.locale import day, digits, gettext
from web.i18n.messages import (
    facet_label,
    facet_title,
    filter_title,
    operator_title,
    operator_value,
    without_filter,
    without_operator,
)
from web.prefix import at

AnyRequest = SearchRequest | SimilarRequest


class Choice(NamedTuple):
    """A value of a facet with the address of its list, if it can be chosen."""

    label: str
    hits: int | None
    """The number of hits of its list; None where it is not known."""
    address: str | None
    chosen: bool = False
    without: str | None = None
    """The address of the list without it."""
    adds: bool = False
    """Whether its address adds it to the values that are chosen already."""


class Facet(NamedTuple):
    """A facet with its values; `address` leads to the list of all values if one is chosen."""

    name: str
    title: str
    choices: list[Choice]
    address: str | None


class Chip(NamedTuple):
    """An active filter, and the address of the list without it, with `without` as the text of that link."""

    title: str
    value: str
    without: str
    address: str


def address_of(list_request: FilteredRequest, changes: Mapping[str, str | None] | None = None) -> str:
    """Return the address of a list's first page, with changes to its parameters; None removes a parameter."""
    values = {**list_request.values(with_page=False), **(changes or {})}
    return f"{path_of(list_request)}?{_encoded(values)}".removesuffix("?")


def path_of(list_request: FilteredRequest) -> str:
    """Return the path of the page of a list."""
    if isinstance(list_request, BrowseRequest):
        return at("/articles")
    return at("/" if isinstance(list_request, SearchRequest) else "/similar")


def articles_of_source(source: str) -> str:
    """Return the address of the list of a source's articles."""
    return address_of(BrowseRequest(source=source))


def list_address(list_request: AnyRequest, passage: Passage | None = None) -> str:
    """Return the address of the requested page of a list, of any generation, with a hit as its fragment."""
    place = f"#{hit_id(passage)}" if passage else ""
    return address_of(list_request, _offset_of(list_request)) + place


def hit_id(passage: Passage) -> str:
    """Return the HTML id of a hit: a hash, since the passage's id may contain characters to escape."""
    return f"hit-{words_hash(passage.passage_id)}"


def pages_around(result: SearchResult) -> tuple[str | None, str | None]:
    """Return the addresses of the previous and the next page of a list, of the same generation."""
    list_request = result.request

    def page_at(offset: int) -> str:
        return address_of(
            list_request, {"generation": result.generation, "offset": str(offset) if offset else None}
        )

    after = list_request.offset + list_request.limit
    return (
        page_at(max(0, list_request.offset - list_request.limit)) if list_request.offset else None,
        page_at(after) if after < result.listed and after <= OFFSET else None,
    )


def last_page_address(result: SearchResult) -> str:
    """Return the address of the last page of a list that has hits."""
    list_request = result.request
    return address_of(
        list_request, {"offset": str((result.listed - 1) // list_request.limit * list_request.limit)}
    )


def article_address(entry: ArticleEntry) -> str:
    """Return the address of an article's page."""
    return at(document_url(entry.doc_id, 1))


def export_address(list_request: AnyRequest, form: str) -> str:
    """Return the address of a whole list as a file, csv or jsonl."""
    return at(f"/export.{form}?{_encoded({**list_request.values(with_page=False), 'limit': None})}")


def hit_address(hit: Hit, list_request: AnyRequest | None = None) -> str:
    """Return the address of a hit's words, with the search, so that the page can lead to other matches."""
    passage = hit.passage
    address = at(permanent_url(hit.document, passage.start, passage.end, passage.number))
    if not isinstance(list_request, SearchRequest):
        return address
    search = {**list_request.values(with_page=False), **_offset_of(list_request)}
    path, _, fragment = address.partition("#")
    return f"{path}&{_encoded(search)}#{fragment}"


def similar_address(passage: Passage) -> str:
    """Return the address of the passages that are like a passage."""
    return at(f"/similar?{_encoded({'doc_id': passage.doc_id, 'passage': str(passage.number)})}")


def kept(list_request: object) -> list[tuple[str, str]]:
    """Return the parameters that forms keep: those of the list on the page; none on other pages."""
    if not isinstance(list_request, FilteredRequest):
        return []
    return list(list_request.values(with_page=False).items())


def kept_of_refused(values: Mapping[str, str], code: str) -> list[tuple[str, str]]:
    """Return the parameters to keep of a refused request, as typed, without the one that `code` refuses."""
    kept_names = [name for name, parameter in PARAMETERS.items() if not parameter.names_a_page]
    return [(name, values[name]) for name in kept_names if values.get(name) and code != f"bad_{name}"]


def facets_of(
    result: SearchResult | BrowseResult, sources: Iterable[str] = (), *, numbered: bool
) -> list[Facet]:
    """Return the facets of a list that have several values or an active filter.

    `numbered` says that the counts are those of the whole lists, and are shown. `sources` are those of the
    whole archive: where some are chosen, each other one can be added.
    """
    list_request = result.request
    facets = []
    for name, counts in result.facets.items():
        chosen = _chosen_value(list_request, name)
        choices = [
            Choice(
                label=facet_label(name, entry.value),
                hits=entry.count if numbered else None,
                address=_address_with_value(list_request, name, entry.value),
                chosen=entry.value is not None and entry.value == chosen,
                without=_address_without_value(list_request, name, entry.value) if len(counts) > 1 else None,
            )
            for entry in counts
        ]
        if name == "source":
            choices += _more_sources(list_request, sources)
        if len(choices) > 1 or (choices and _is_on(list_request, name)):
            facets.append(
                Facet(name, facet_title(name), choices, _address_with_any_value(list_request, name))
            )
    return facets


def chips_of(list_request: FilteredRequest) -> list[Chip]:
    """Return the active filters of a list, and its way of searching unless that is the usual one."""
    chips = []
    for name, facet in FACETS.items():
        if not _is_on(list_request, name):
            continue
        parameters = _parameters_of(name)
        value = (
            _period(list_request)
            if facet.column == DATE_COLUMN
            else facet_label(name, _chosen_value(list_request, name))
        )
        address = address_of(list_request, dict.fromkeys(parameters))
        chips.append(Chip(filter_title(name), value, without_filter(name), address))
    if isinstance(list_request, SearchRequest):
        chips += _operator_chips(list_request)
    if isinstance(list_request, SearchRequest) and list_request.mode != "hybrid":
        mode = gettext("by words alone") if list_request.mode == "lexical" else gettext("by meaning alone")
        without, address = gettext("search by meaning and by words"), address_of(list_request, {"mode": None})
        chips.append(Chip(gettext("Way of searching"), mode, without, address))
    return chips


def _operator_chips(list_request: SearchRequest) -> list[Chip]:
    """Return what the query says besides its text, each with the address of the query without it."""
    parsed = parse(list_request.query)
    return [
        Chip(
            operator_title(operator),
            operator_value(operator),
            without_operator(list_request.query[operator.start : operator.end]),
            address_of(list_request, {"q": parsed.without(list_request.query, operator)}),
        )
        for operator in parsed.operators
    ]


def unfiltered(list_request: FilteredRequest) -> str:
    """Return the address of a list without any filter."""
    changes: dict[str, str | None] = dict.fromkeys(name for facet in FACETS for name in _parameters_of(facet))
    if isinstance(list_request, SearchRequest):
        changes["mode"] = None
        changes["q"] = parse(list_request.query).text
    return address_of(list_request, changes)


def _offset_of(list_request: AnyRequest) -> dict[str, str | None]:
    return {"offset": str(list_request.offset) if list_request.offset else None}


def _parameters_of(facet: str) -> tuple[str, ...]:
    """Return the names of the parameters that choose among a facet's values."""
    column = FACETS[facet].column
    return tuple(
        parameter.name
        for parameter in SearchRequest.parameters()
        if parameter.filter and parameter.filter.column == column
    )


def _address_with_value(list_request: FilteredRequest, facet: str, value: str | None) -> str | None:
    """Return the address of the list with one value of a facet; None if no filter can choose the value."""
    if not value:
        return None  # articles without a source or a date are counted, but no filter chooses them
    names = _parameters_of(facet)
    if FACETS[facet].column == DATE_COLUMN:
        return address_of(list_request, dict(zip(names, (f"{value}-01-01", f"{value}-12-31"), strict=True)))
    return address_of(list_request, {names[0]: value})


def _address_without_value(list_request: FilteredRequest, facet: str, value: str | None) -> str | None:
    """Return the address of the list without one source or author; None where a query cannot say that."""
    named = quoted(facet, value or "") if facet in ("source", "author") else None
    if not named or not isinstance(list_request, SearchRequest):
        return None
    return address_of(list_request, {"q": f"{list_request.query} -{facet}:{named}"})


def _more_sources(list_request: FilteredRequest, sources: Iterable[str]) -> list[Choice]:
    """Return the sources that can be added to those that are chosen; none where none is chosen."""
    if not isinstance(list_request, SearchRequest):
        return []
    named = {
        operator.value
        for operator in parse(list_request.query).operators
        if operator.role == "source" and not operator.excluded
    }
    filtered = list_request.source
    if not (named or filtered) or (filtered and not quoted("source", filtered)):
        return []
    query = f"{list_request.query} source:{quoted('source', filtered)}" if filtered else list_request.query
    return [
        Choice(
            facet_label("source", source),
            None,
            address_of(list_request, {"q": f"{query} source:{quoted('source', source)}", "source": None}),
            adds=True,
        )
        for source in sources
        if source not in named and source != filtered and quoted("source", source)
    ]


def _address_with_any_value(list_request: FilteredRequest, facet: str) -> str | None:
    """Return the address of the list without the filter of a facet; None if that filter is not active."""
    return (
        address_of(list_request, dict.fromkeys(_parameters_of(facet)))
        if _is_on(list_request, facet)
        else None
    )


def _is_on(list_request: FilteredRequest, facet: str) -> bool:
    return any(used.column == FACETS[facet].column for used, _value in list_request.filters())


def _chosen_value(list_request: FilteredRequest, facet: str) -> str | None:
    """Return the value of a facet to which a list is limited; None if it is not limited to one value."""
    if FACETS[facet].column == DATE_COLUMN:
        return _whole_year(list_request)
    return next(
        (value for used, value in list_request.filters() if used.column == FACETS[facet].column), None
    )


def _whole_year(list_request: FilteredRequest) -> str | None:
    first, last = list_request.published_from or "", list_request.published_to or ""
    return first[:4] if (first[4:], last[4:]) == ("-01-01", "-12-31") and first[:4] == last[:4] else None


def _period(list_request: FilteredRequest) -> str:
    first, last = list_request.published_from, list_request.published_to
    if year := _whole_year(list_request):
        return digits(year)
    if first and last:
        return gettext("%(first)s to %(last)s", first=day(first), last=day(last))
    if first:
        return gettext("since %(day)s", day=day(first))
    return gettext("until %(day)s", day=day(last or ""))


def _encoded(values: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in values.items() if value is not None})
