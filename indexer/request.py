"""Requests: the parameters of a search, each described once.

Each field of a request carries its `Parameter`: the name in query strings and on the command line, its
meaning, the parser of its text, and its legal values. The command line, the pages, the JSON endpoints,
addresses and the filters of the store all read this description, so a new filter is one new field here:
`column` names the column that it compares, and `facet` the facet that counts the column.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self, get_args

from indexer.errors import RequestError

Mode = Literal["hybrid", "dense", "lexical"]
Copies = Literal["fold", "all"]
Names = Literal["on", "off"]
Sort = Literal["relevance", "date"]
Order = Literal["date", "title", "source"]
MODES: tuple[Mode, ...] = get_args(Mode)
COPIES: tuple[Copies, ...] = get_args(Copies)
NAMES: tuple[Names, ...] = get_args(Names)
SORTS: tuple[Sort, ...] = get_args(Sort)
ORDERS: tuple[Order, ...] = get_args(Order)

QUERY_LENGTH = 1_000  # code points
LIMIT = 100
OFFSET = 10_000
PASSAGE_NUMBER = 1_000_000
LANGUAGE = "[a-z]{2,3}|mixed"


# --- kinds of values ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number within bounds, both included."""

    least: int
    most: int

    def parse(self, text: str) -> int:
        """Return the whole number that a text holds; ValueError where it holds none."""
        # Only a few ASCII digits: int() would also accept «٣», «1_0» and « 7 ».
        digits = text.removeprefix("-")
        if not (digits.isdecimal() and digits.isascii() and len(digits) < 10):
            raise ValueError("it must be a whole number")
        return int(text)

    def check(self, value: Any) -> None:
        if not self.least <= value <= self.most:
            raise ValueError(f"it must be from {self.least} to {self.most:,}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def parse(self, text: str) -> str:
        return text

    def check(self, value: Any) -> None:
        if value not in self.words:
            listed = " or ".join(self.words) if len(self.words) == 2 else f"one of {', '.join(self.words)}"
            raise ValueError(f"it must be {listed}")


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def parse(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError("it must be true or false")
        return text == "true"

    def check(self, value: Any) -> None:
        """Every value is legal."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that matches `pattern`, if there is one; otherwise `reason` says what it must be."""

    pattern: str | None = None
    reason: str = "it must not be empty"
    longest: int | None = None
    """The maximum number of code points, if it is limited."""

    def parse(self, text: str) -> str:
        return text

    def check(self, value: Any) -> None:
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise ValueError(self.reason)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar, YYYY-MM-DD."""

    def parse(self, text: str) -> str:
        return text

    def check(self, value: Any) -> None:
        if not is_day(value):
            raise ValueError("it must be a day as YYYY-MM-DD")


def is_day(text: str) -> bool:
    """Return whether a text is a day of the calendar, written as YYYY-MM-DD."""
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


# --- parameters --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    """The comparison that a parameter makes with a column, if it is a filter."""

    column: str
    """`passages.NAME` or `documents.NAME` in the store."""
    comparison: Literal["equal", "at_least", "at_most"] = "equal"
    facet: str | None = None
    """The facet that counts the values of this column, if there is one."""

    @property
    def field(self) -> str:
        """The name of the column without its table, which is its name in the term index."""
        return self.column.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a request."""

    name: str
    """Its name in query strings and, after two dashes, on the command line."""
    value: WholeNumber | Choice | Flag | Text | Day
    help: str
    default: Any = None
    required: bool = False
    filter: Filter | None = None
    metavar: str | None = None
    """The placeholder of its value in the help of the command line."""
    on_command_line: bool = True
    names_a_page: bool = False
    """Whether it selects the page or the generation of a list, but does not change the list."""
    attribute: str = ""
    """The field of the request that holds it."""

    def read(self, text: str) -> Any:
        """Return the value that a text stands for; RequestError where it is not legal."""
        try:
            return self.value.parse(text)
        except ValueError as error:
            raise self.fault(text, str(error)) from error

    def check(self, value: Any) -> None:
        """Raise RequestError where a value is not legal."""
        if self.required and value == "":
            raise RequestError(f"bad_{self.name}", f"{self.name} is missing.")
        try:
            self.value.check(value)
        except ValueError as error:
            raise self.fault(value, str(error)) from error

    def fault(self, value: Any, reason: str) -> RequestError:
        """Return the error for a value that is not legal, with the same wording everywhere."""
        shown = repr(value[:40]) if isinstance(value, str) else value
        return RequestError(f"bad_{self.name}", f"{self.name} is {shown}; {reason}.")

    def written(self, value: Any) -> str:
        """Return a value as a query string writes it."""
        return str(value).lower() if isinstance(value, bool) else str(value)


def parameter(
    name: str,
    value: WholeNumber | Choice | Flag | Text | Day,
    help: str,  # noqa: A002
    *,
    default: Any = None,
    required: bool = False,
    **more: Any,
) -> Any:
    """Return a field of a request that carries its Parameter."""
    description = Parameter(name, value, help, default, required, **more)
    metadata = {"parameter": description}
    return field(metadata=metadata) if required else field(default=default, metadata=metadata)


class Condition(NamedTuple):
    """A filter with the value that a request gives it."""

    filter: Filter
    value: str


class Match(NamedTuple):
    """Words that stand one after the other in a field of a passage."""

    field: Literal["surface", "stem", "title", "source", "author"]
    words: tuple[str, ...]


class Clause(NamedTuple):
    """A passage has one of these matches or, if `excluded`, none of them."""

    any_of: tuple[Match, ...]
    excluded: bool = False


Role = Literal["phrase", "required", "excluded", "any", "title", "source", "author", "lang", "from", "to"]
"""What an operator of a query says, by the field or the sign that it is written with."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A part of a query that is no text, where it stands, and what it says."""

    role: Role
    value: str
    """The words, the name, the code of the language, or the day (YYYY-MM-DD) that it says."""
    start: int
    end: int
    """Its range in the query, with its alternatives if it is one of several that OR joins."""
    excluded: bool = False
    """Whether it says what must not be, as in -source:NAME and -"words"; the role "excluded" always does."""
    alternatives: tuple[str, ...] = ()
    """All that OR joins, for the role "any"."""

    @property
    def text(self) -> str:
        """Its words, where they are ranked too; else empty."""
        if self.excluded or self.role not in ("phrase", "required", "any", "title"):
            return ""
        return " ".join(self.alternatives) or self.value


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query as it was understood."""

    text: str
    """What is ranked: all words but those of exclusions and of fields that are no words."""
    operators: tuple[Operator, ...] = ()

    def without(self, query: str, operator: Operator) -> str:
        """Return the query without one operator; words that must be there stay as text."""
        return " ".join(f"{query[: operator.start]} {operator.text} {query[operator.end :]}".split())


Filters = tuple[Condition | Clause, ...]
"""The conditions that a passage must meet to be searched, all of them; empty admits every passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredRequest:
    """A request for one page of a list with filters; an illegal value raises RequestError."""

    limit: int = parameter("limit", WholeNumber(1, LIMIT), f"Hits to a page, 1 to {LIMIT}.", default=10)
    lang: str | None = parameter(
        "lang",
        Text(LANGUAGE, "it must be a language code such as ar or en, or mixed"),
        "Only passages in this language: its code, such as ar or en, or mixed.",
        filter=Filter("passages.lang", facet="lang"),
        metavar="CODE",
    )
    source: str | None = parameter(
        "source",
        Text(),
        "Only articles of this source, a newspaper or a folder of the archive, by its whole name.",
        filter=Filter("documents.source", facet="source"),
        metavar="NAME",
    )
    author: str | None = parameter(
        "author",
        Text(),
        "Only articles by this author, by the whole name as articles give it.",
        filter=Filter("documents.author", facet="author"),
        metavar="NAME",
    )
    published_from: str | None = parameter(
        "from",
        Day(),
        "Only articles of this day or later; articles without a date are left out.",
        filter=Filter("documents.published", "at_least", facet="year"),
        metavar="YYYY-MM-DD",
    )
    published_to: str | None = parameter(
        "to",
        Day(),
        "Only articles of this day or earlier; articles without a date are left out.",
        filter=Filter("documents.published", "at_most"),
        metavar="YYYY-MM-DD",
    )
    generation: str | None = parameter(
        "generation",
        Text(),
        "Answer from this generation of the index or not at all (409).",
        on_command_line=False,
        names_a_page=True,
    )

    def __post_init__(self) -> None:
        for param in self.parameters():
            value = getattr(self, param.attribute)
            if value is not None:
                param.check(value)
        if self.published_from and self.published_to and self.published_from > self.published_to:
            raise RequestError(
                "bad_from", f"from is {self.published_from}, which is after to, {self.published_to}."
            )

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Return the parameters of this kind of request; those of every list come last."""
        return _parameters_of(cls)  # type: ignore[arg-type]  # a class is hashable

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        """Return the request for texts by parameter name; an empty text counts as missing."""
        attributes: dict[str, Any] = {}
        for param in cls.parameters():
            text = values.get(param.name)
            if text:
                attributes[param.attribute] = param.read(text)
            elif param.required:
                attributes[param.attribute] = ""
        return cls(**attributes)

    def values(self, *, with_page: bool = True) -> dict[str, str]:
        """Return the request as texts by parameter name, without values that are the default.

        Without `with_page`, the parameters of the page and of the generation are left out too, so that the
        texts name the whole list.
        """
        texts = {}
        for param in self.parameters():
            value = getattr(self, param.attribute)
            if value is not None and value != param.default and (with_page or not param.names_a_page):
                texts[param.name] = param.written(value)
        return texts

    def filters(self) -> tuple[Condition, ...]:
        """Return the conditions of the filters that have a value."""
        values = ((param.filter, getattr(self, param.attribute)) for param in self.parameters())
        return tuple(Condition(filter_, value) for filter_, value in values if filter_ and value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest(FilteredRequest):
    """A request for one page of a ranked list of passages."""

    offset: int = parameter(
        "offset",
        WholeNumber(0, OFFSET),
        f"Hits to pass over, 0 to {OFFSET:,}.",
        default=0,
        names_a_page=True,
    )
    sort: Sort = parameter(
        "sort",
        Choice(SORTS),
        "The best first, or of the best 100 passages the newest first.",
        default="relevance",
    )
    copies: Copies = parameter(
        "copies",
        Choice(COPIES),
        "Whether identical passages and long runs of one article are collapsed into one hit.",
        default="fold",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowseRequest(FilteredRequest):
    """A request for one page of the articles of an archive.

    >>> BrowseRequest(lang="ar", order="title").values()
    {'lang': 'ar', 'order': 'title'}
    """

    order: Order = parameter(
        "order",
        Choice(ORDERS),
        "The newest first, those without a date last; by title; or by source.",
        default="date",
    )
    after: str | None = parameter(
        "after",
        Text(r"[A-Za-z0-9_-]+", "it must be the cursor of a page before", longest=4_000),
        "The cursor of the page before, from its `next`.",
        names_a_page=True,
        on_command_line=False,
    )


@dataclass(frozen=True, slots=True)
class SearchRequest(ListRequest):
    """A query with legal values; making one raises RequestError for any other.

    >>> SearchRequest("Who helped free Marc Fogel?", limit=5, lang="ar").values()
    {'q': 'Who helped free Marc Fogel?', 'limit': '5', 'lang': 'ar'}
    """

    query: str = parameter(
        "q",
        Text(longest=QUERY_LENGTH),
        "The question, in Arabic or English.",
        required=True,
        on_command_line=False,
    )
    mode: Mode = parameter(
        "mode",
        Choice(MODES),
        "By meaning and words, by meaning alone, or by words alone.",
        default="hybrid",
    )
    highlight: bool = parameter(
        "highlight", Flag(), "Whether to mark the words that matched.", default=True, on_command_line=False
    )
    explain: bool = parameter(
        "explain",
        Flag(),
        "Whether to say of each hit why it has its place.",
        default=False,
        on_command_line=False,
    )
    names: Names = parameter(
        "names",
        Choice(NAMES),
        "Whether to find names in every spelling and script that the archive has for them.",
        default="on",
    )

    def __post_init__(self) -> None:
        if not is_visible(self.query):
            raise RequestError(
                "empty_query", "The question is empty. Type a few words, in Arabic or English."
            )
        if len(self.query) > QUERY_LENGTH:
            raise RequestError(
                "query_too_long",
                f"The question has {len(self.query):,} characters; {QUERY_LENGTH:,} are allowed. Shorten it.",
            )
        if any("\ud800" <= char <= "\udfff" for char in self.query):
            raise RequestError("bad_query", "The question is not valid Unicode text. Send it as UTF-8.")
        FilteredRequest.__post_init__(self)


@dataclass(frozen=True, slots=True)
class SimilarRequest(ListRequest):
    """A request for passages of other articles that are similar to one passage.

    >>> SimilarRequest("talks.txt", 2, lang="en").passage
    2
    """

    doc_id: str = parameter("doc_id", Text(), "The passage's article.", required=True, on_command_line=False)
    passage: int = parameter(
        "passage",
        WholeNumber(1, PASSAGE_NUMBER),
        "The passage's number in its article, from 1.",
        required=True,
        on_command_line=False,
    )


@lru_cache
def _parameters_of(kind: Any) -> tuple[Parameter, ...]:
    # The fields of every list are keyword-only; sorting is stable and puts them last.
    in_order = sorted(fields(kind), key=lambda item: bool(item.kw_only))
    return tuple(replace(item.metadata["parameter"], attribute=item.name) for item in in_order)


def has_word(text: str) -> bool:
    """Return whether a text has a letter, a number or a picture, and not signs alone."""
    return any(unicodedata.category(char)[0] in "LN" or unicodedata.category(char) == "So" for char in text)


def is_visible(text: str) -> bool:
    """Return whether a text has a character that one sees."""
    return any(not (char.isspace() or unicodedata.category(char) in ("Cc", "Cf")) for char in text)


FILTERS = tuple(param.filter for param in FilteredRequest.parameters() if param.filter)
"""All filters."""
EQUAL_FILTERS = tuple(filter_ for filter_ in FILTERS if filter_.comparison == "equal")
"""The filters that compare for equality; each has a field in the term index."""
FACETS = {filter_.facet: filter_ for filter_ in FILTERS if filter_.facet}
"""The facets by name, each with the filter whose column it counts."""
DATE_COLUMN = "documents.published"
PARAMETERS = {
    param.name: param
    for kind in (BrowseRequest, SearchRequest, SimilarRequest)
    for param in kind.parameters()
}
"""The parameters of all requests, by name."""
