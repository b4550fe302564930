"""The filters of a list: what may be chosen, what is chosen, and the addresses that choose otherwise."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from indexer import (
    OFFSET,
    Count,
    Hit,
    Passage,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    permanent_url,
    words_hash,
)

from .languages import day, digits, gettext, language_name

Asked = SearchRequest | SimilarRequest
NOT_TOLD = {"limit": "10", "sort": "relevance", "mode": "hybrid", "copies": "fold"}
"""What holds without being said, and is not said."""
PARAMETERS = (
    "q", "passage", "mode", "highlight", "lang", "source", "from", "to", "sort", "copies", "limit",
)  # fmt: skip
"""What a list is asked for with: no page, no generation."""


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


def values_of(asked: Asked) -> dict[str, str]:
    """Return a request as parameters: no page, no generation, and nothing that holds anyway."""
    values: dict[str, str | None]
    if isinstance(asked, SearchRequest):
        highlight = None if asked.highlight else "false"
        values = {"q": asked.query, "mode": asked.mode, "highlight": highlight}
    else:
        values = {"passage": asked.passage_id}
    values |= {
        "lang": asked.lang,
        "source": asked.source,
        "from": asked.published_from,
        "to": asked.published_to,
        "sort": asked.sort,
        "copies": asked.copies,
        "limit": str(asked.limit),
    }
    return {name: value for name, value in values.items() if value and NOT_TOLD.get(name) != value}


def address_of(asked: Asked, changes: Mapping[str, str | None] | None = None) -> str:
    """Return the address of a list's first page, with changes to its parameters; None takes one away."""
    values = {**values_of(asked), **(changes or {})}
    path = "/" if isinstance(asked, SearchRequest) else "/similar"
    return f"{path}?{_encoded(values)}"


def list_address(asked: Asked, passage: Passage | None = None) -> str:
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


def last_address(result: SearchResult) -> str:
    """Return the address of the last page of a list that holds something."""
    asked = result.request
    return address_of(asked, {"offset": str((result.total - 1) // asked.limit * asked.limit)})


def export_address(asked: Asked, form: str) -> str:
    """Return the address of a whole list as a file, csv or jsonl."""
    return f"/export.{form}?{_encoded({**values_of(asked), 'limit': None})}"


def hit_address(hit: Hit, asked: Asked | None = None) -> str:
    """Return the address of a hit's words, with the search that found them, to walk through its matches."""
    passage = hit.passage
    address = permanent_url(hit.document, passage.start, passage.end, passage.ordinal)
    if not isinstance(asked, SearchRequest):
        return address
    search = {**values_of(asked), **_at_its_page(asked)}
    path, _, fragment = address.partition("#")
    return f"{path}&{_encoded(search)}#{fragment}"


def like_address(passage: Passage) -> str:
    """Return the address of the passages that are like a passage."""
    return f"/similar?{_encoded({'passage': passage.passage_id})}"


def kept(asked: object) -> list[tuple[str, str]]:
    """Return what forms take along: the parameters of the list that is shown, of none on other pages."""
    return list(values_of(asked).items()) if isinstance(asked, SearchRequest | SimilarRequest) else []


def kept_of_refused(values: Mapping[str, str], code: str) -> list[tuple[str, str]]:
    """Return the same of a request that was refused, as it was typed, without what `code` finds at fault."""
    return [(name, values[name]) for name in PARAMETERS if values.get(name) and code != f"bad_{name}"]


def facets_of(result: SearchResult) -> list[Facet]:
    """Return the facets of a list that divide it, or by which it was chosen."""
    asked, counts = result.request, result.facets
    whole = _whole_year(asked)

    def choices(name: str, found: Iterable[Count], chosen: str | None) -> list[Choice]:
        return [
            Choice(
                label=_label(name, each.value),
                passages=each.count,
                address=_choose(asked, name, each.value),
                chosen=each.value is not None and each.value == chosen,
            )
            for each in found
        ]

    facets = [
        Facet("lang", gettext("Language"), choices("lang", counts.lang, asked.lang), None),
        Facet("source", gettext("Source"), choices("source", counts.source, asked.source), None),
        Facet("year", gettext("Year"), choices("year", counts.year, whole), None),
    ]
    return [
        each._replace(address=_choose_all(asked, each.name))
        for each in facets
        if len(each.choices) > 1 or (each.choices and _is_on(asked, each.name))
    ]


def chips_of(asked: Asked) -> list[Chip]:
    """Return the filters of a list that are on, and how it is searched where that is not as usual."""
    chips = []
    if asked.lang:
        without, address = gettext("search in every language"), address_of(asked, {"lang": None})
        chips.append(Chip(gettext("Language"), language_name(asked.lang), without, address))
    if asked.source:
        without, address = gettext("search in every source"), address_of(asked, {"source": None})
        chips.append(Chip(gettext("Source"), asked.source, without, address))
    if asked.published_from or asked.published_to:
        without, address = gettext("search whatever the date"), address_of(asked, {"from": None, "to": None})
        chips.append(Chip(gettext("Date"), _period(asked), without, address))
    if isinstance(asked, SearchRequest) and asked.mode != "hybrid":
        mode = gettext("by words alone") if asked.mode == "lexical" else gettext("by meaning alone")
        without, address = gettext("search by meaning and by words"), address_of(asked, {"mode": None})
        chips.append(Chip(gettext("Way of searching"), mode, without, address))
    return chips


def unfiltered(asked: Asked) -> str:
    """Return the address of a list without any filter."""
    return address_of(asked, dict.fromkeys(("lang", "source", "from", "to", "mode")))


def _at_its_page(asked: Asked) -> dict[str, str | None]:
    return {"offset": str(asked.offset) if asked.offset else None}


def _choose(asked: Asked, name: str, value: str | None) -> str | None:
    """Return the address of a list where a facet has a value."""
    if not value:
        return None  # articles of no source and of no date are counted, but there is no filter for them
    days = {"from": f"{value}-01-01", "to": f"{value}-12-31"}
    return address_of(asked, days if name == "year" else {name: value})


def _choose_all(asked: Asked, name: str) -> str | None:
    """Return the address of a list where a facet that is on has any value."""
    parameters = ("from", "to") if name == "year" else (name,)
    return address_of(asked, dict.fromkeys(parameters)) if _is_on(asked, name) else None


def _is_on(asked: Asked, name: str) -> bool:
    on = {"lang": asked.lang, "source": asked.source, "year": asked.published_from or asked.published_to}
    return bool(on[name])


def _label(name: str, value: str | None) -> str:
    if name == "lang":
        return language_name(value or "und")
    if name == "source":
        return value or gettext("No source")
    return digits(value) if value else gettext("No date")


def _whole_year(asked: Asked) -> str | None:
    first, last = asked.published_from or "", asked.published_to or ""
    return first[:4] if (first[4:], last[4:]) == ("-01-01", "-12-31") and first[:4] == last[:4] else None


def _period(asked: Asked) -> str:
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
