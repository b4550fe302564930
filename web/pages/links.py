"""The filters of a list: what may be chosen, what is chosen, and the addresses that choose otherwise."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from indexer import Hit, Passage, SearchRequest, SearchResult, SimilarRequest
from indexer.web_support import DATE_COLUMN, FACETS, OFFSET, permanent_url, words_hash
from web.i18n.locale import day, digits, gettext
from web.i18n.messages import facet_label, facet_title, filter_title, without_filter

AnyRequest = SearchRequest | SimilarRequest


class Choice(NamedTuple):
    """A value of a facet: how many passages have it, and the list that it leads to, if it can be chosen."""

    label: str
    passages: int
    address: str | None
    chosen: bool


class Facet(NamedTuple):
    """What passages may be chosen by; `address` leads to the list of all, where one value is chosen."""

    name: str
    title: str
    choices: list[Choice]
    address: str | None


class Chip(NamedTuple):
    """A filter that is on, and the address of the list without it, which `without` says in words."""

    title: str
    value: str
    without: str
    address: str


def address_of(asked: AnyRequest, changes: Mapping[str, str | None] | None = None) -> str:
    """Return the address of a list's first page, with changes to its parameters; None takes one away."""
    values = {**asked.values(with_page=False), **(changes or {})}
    path = "/" if isinstance(asked, SearchRequest) else "/similar"
    return f"{path}?{_encoded(values)}"


def list_address(asked: AnyRequest, passage: Passage | None = None) -> str:
    """Return the address of the very page of a list that was asked for, of any generation, at a hit."""
    place = f"#{hit_id(passage)}" if passage else ""
    return address_of(asked, _at_its_page(asked)) + place


def hit_id(passage: Passage) -> str:
    """Return the id of a hit on its page; the passage's own may hold what an address would have to escape."""
    return f"hit-{words_hash(passage.passage_id)}"


def pages_around(result: SearchResult) -> tuple[str | None, str | None]:
    """Return the addresses of the pages of a list before and after this one, of the same generation."""
    asked = result.request

    def at(offset: int) -> str:
        return address_of(asked, {"generation": result.generation, "offset": str(offset) if offset else None})

    after = asked.offset + asked.limit
    return (
        at(max(0, asked.offset - asked.limit)) if asked.offset else None,
        at(after) if after < result.total and after <= OFFSET else None,
    )


def last_page_address(result: SearchResult) -> str:
    """Return the address of the last page of a list that holds something."""
    asked = result.request
    return address_of(asked, {"offset": str((result.total - 1) // asked.limit * asked.limit)})


def export_address(asked: AnyRequest, form: str) -> str:
    """Return the address of a whole list as a file, csv or jsonl."""
    return f"/export.{form}?{_encoded({**asked.values(with_page=False), 'limit': None})}"


def hit_address(hit: Hit, asked: AnyRequest | None = None) -> str:
    """Return the address of a hit's words, with the search that found them, to walk through its matches."""
    passage = hit.passage
    address = permanent_url(hit.document, passage.start, passage.end, passage.number)
    if not isinstance(asked, SearchRequest):
        return address
    search = {**asked.values(with_page=False), **_at_its_page(asked)}
    path, _, fragment = address.partition("#")
    return f"{path}&{_encoded(search)}#{fragment}"


def similar_address(passage: Passage) -> str:
    """Return the address of the passages that are like a passage."""
    return f"/similar?{_encoded({'doc_id': passage.doc_id, 'passage': str(passage.number)})}"


def kept(asked: object) -> list[tuple[str, str]]:
    """Return what forms take along: the parameters of the list that is shown, of none on other pages."""
    return list(asked.values(with_page=False).items()) if isinstance(asked, AnyRequest) else []


def kept_of_refused(values: Mapping[str, str], code: str) -> list[tuple[str, str]]:
    """Return the same of a request that was refused, as it was typed, without what `code` finds at fault."""
    described = {each.name: each for kind in (SearchRequest, SimilarRequest) for each in kind.parameters()}
    kept_names = [name for name, each in described.items() if not each.names_a_page]
    return [(name, values[name]) for name in kept_names if values.get(name) and code != f"bad_{name}"]


def facets_of(result: SearchResult) -> list[Facet]:
    """Return the facets of a list that divide it, or by which it was chosen."""
    asked = result.request
    found = []
    for name, counts in result.facets.items():
        chosen = _chosen(asked, name)
        choices = [
            Choice(
                label=facet_label(name, each.value),
                passages=each.count,
                address=_choose(asked, name, each.value),
                chosen=each.value is not None and each.value == chosen,
            )
            for each in counts
        ]
        if len(choices) > 1 or (choices and _is_on(asked, name)):
            found.append(Facet(name, facet_title(name), choices, _choose_all(asked, name)))
    return found


def chips_of(asked: AnyRequest) -> list[Chip]:
    """Return the filters of a list that are on, and how it is searched where that is not as usual."""
    chips = []
    for name, on in FACETS.items():
        if not _is_on(asked, name):
            continue
        parameters = _parameters_of(name)
        value = _period(asked) if on.column == DATE_COLUMN else facet_label(name, _chosen(asked, name))
        address = address_of(asked, dict.fromkeys(parameters))
        chips.append(Chip(filter_title(name), value, without_filter(name), address))
    if isinstance(asked, SearchRequest) and asked.mode != "hybrid":
        mode = gettext("by words alone") if asked.mode == "lexical" else gettext("by meaning alone")
        without, address = gettext("search by meaning and by words"), address_of(asked, {"mode": None})
        chips.append(Chip(gettext("Way of searching"), mode, without, address))
    return chips


def unfiltered(asked: AnyRequest) -> str:
    """Return the address of a list without any filter."""
    return address_of(
        asked, dict.fromkeys((*(name for facet in FACETS for name in _parameters_of(facet)), "mode"))
    )


def _at_its_page(asked: AnyRequest) -> dict[str, str | None]:
    return {"offset": str(asked.offset) if asked.offset else None}


def _parameters_of(facet: str) -> tuple[str, ...]:
    """Return the names of the parameters that choose among a facet's values."""
    column = FACETS[facet].column
    return tuple(
        each.name for each in SearchRequest.parameters() if each.filter and each.filter.column == column
    )


def _choose(asked: AnyRequest, facet: str, value: str | None) -> str | None:
    """Return the address of the list where a facet has a value; None where no filter can choose it."""
    if not value:
        return None  # articles without a source or a date are counted, but no filter chooses them
    names = _parameters_of(facet)
    if FACETS[facet].column == DATE_COLUMN:
        return address_of(asked, dict(zip(names, (f"{value}-01-01", f"{value}-12-31"), strict=True)))
    return address_of(asked, {names[0]: value})


def _choose_all(asked: AnyRequest, facet: str) -> str | None:
    """Return the address of the list where a facet that is on may have any value."""
    return address_of(asked, dict.fromkeys(_parameters_of(facet))) if _is_on(asked, facet) else None


def _is_on(asked: AnyRequest, facet: str) -> bool:
    return any(on.column == FACETS[facet].column for on, _value in asked.filters())


def _chosen(asked: AnyRequest, facet: str) -> str | None:
    """Return the value of a facet that is chosen, if one alone is."""
    if FACETS[facet].column == DATE_COLUMN:
        return _whole_year(asked)
    return next((value for on, value in asked.filters() if on.column == FACETS[facet].column), None)


def _whole_year(asked: AnyRequest) -> str | None:
    first, last = asked.published_from or "", asked.published_to or ""
    return first[:4] if (first[4:], last[4:]) == ("-01-01", "-12-31") and first[:4] == last[:4] else None


def _period(asked: AnyRequest) -> str:
    first, last = asked.published_from, asked.published_to
    if year := _whole_year(asked):
        return digits(year)
    if first and last:
        return gettext("%(first)s to %(last)s", first=day(first), last=day(last))
    if first:
        return gettext("since %(day)s", day=day(first))
    return gettext("until %(day)s", day=day(last or ""))


def _encoded(values: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in values.items() if value is not None})
