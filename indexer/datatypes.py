"""The values that flow through Warraq, frozen and in the field's words.

Offsets are code points of a document's text as decoded without newline translation, byte order
mark not counted. Lines end at LF, CR LF or CR only and count from 1. Scores: higher is better.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

from .errors import RequestError

Mode = Literal["hybrid", "dense", "lexical"]
Copies = Literal["fold", "all"]
Sort = Literal["relevance", "date"]
MODES: tuple[Mode, ...] = get_args(Mode)
COPIES: tuple[Copies, ...] = get_args(Copies)
SORTS: tuple[Sort, ...] = get_args(Sort)

QUERY_LENGTH = 1_000  # code points
LIMIT = 100
OFFSET = 10_000


@dataclass(frozen=True, slots=True)
class Document:
    """One article; `metadata` holds what its receipt needs (`path`, `sha256`, `encoding`, `basis`)."""

    doc_id: str
    title: str
    text: str
    source: str
    lang: str
    published: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """The range `start:end` of its document's text; `ordinal` counts from 1 within the document."""

    doc_id: str
    ordinal: int
    start: int
    end: int
    line_start: int
    line_end: int
    lang: str

    @property
    def passage_id(self) -> str:
        return f"{self.doc_id}#{self.ordinal}"


@dataclass(frozen=True, slots=True)
class Cut:
    """A line of a document that was cut as furniture: its range in the untouched text, and the rule."""

    line: int
    start: int
    end: int
    rule: str
    articles: int | None = None
    """In how many articles of its source the line stands, where that is why it was cut."""


@dataclass(frozen=True, slots=True)
class Article:
    """A document with the passages it was split into and the lines that were cut, each in order.

    In the document's text every code point of a cut line is a space.
    """

    document: Document
    passages: tuple[Passage, ...]
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Which part of a ranked list is asked for, and over which passages; what is not legal is refused."""

    limit: int = 10
    offset: int = 0
    lang: str | None = None
    generation: str | None = None
    copies: Copies = "fold"
    """Whether identical passages and long runs of one article are folded into one hit."""
    source: str | None = None
    """Only articles of this source, by its whole name."""
    published_from: str | None = None
    """Only articles published on this day (YYYY-MM-DD) or later; those without a date are left out."""
    published_to: str | None = None
    """Only articles published on this day or earlier; those without a date are left out."""
    sort: Sort = "relevance"
    """The best first, or of the best the newest first; those without a date come last."""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= LIMIT:
            raise RequestError("bad_limit", f"limit is {self.limit}; it must be from 1 to {LIMIT}.")
        if not 0 <= self.offset <= OFFSET:
            raise RequestError("bad_offset", f"offset is {self.offset}; it must be from 0 to {OFFSET:,}.")
        if self.copies not in COPIES:
            raise RequestError("bad_copies", f"copies is {self.copies[:40]!r}; it must be fold or all.")
        if self.sort not in SORTS:
            raise RequestError("bad_sort", f"sort is {self.sort[:40]!r}; it must be relevance or date.")
        if self.lang is not None and not re.fullmatch("[a-z]{2,3}|mixed", self.lang):
            raise RequestError(
                "bad_lang",
                f"lang is {self.lang[:40]!r}; it must be a language code such as ar or en, or mixed.",
            )
        for name, day in (("from", self.published_from), ("to", self.published_to)):
            if day is not None and not is_day(day):
                raise RequestError(f"bad_{name}", f"{name} is {day[:40]!r}; it must be a day as YYYY-MM-DD.")
        if self.published_from and self.published_to and self.published_from > self.published_to:
            raise RequestError(
                "bad_from", f"from is {self.published_from}, which is after to, {self.published_to}."
            )


@dataclass(frozen=True, slots=True)
class SearchRequest(ListRequest):
    """A question that has been found legal; making one refuses everything else (`RequestError`)."""

    query: str
    mode: Mode = "hybrid"
    highlight: bool = True

    def __post_init__(self) -> None:
        if not any(_says_something(char) for char in self.query):
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
        if self.mode not in MODES:
            raise RequestError(
                "bad_mode", f"mode is {self.mode[:40]!r}; it must be one of {', '.join(MODES)}."
            )
        ListRequest.__post_init__(self)


@dataclass(frozen=True, slots=True)
class SimilarRequest(ListRequest):
    """A passage for which more like it are wanted, from other articles."""

    passage_id: str


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, written as YYYY-MM-DD."""
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _says_something(char: str) -> bool:
    return not (char.isspace() or unicodedata.category(char) in ("Cc", "Cf"))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that was found, with the score that found it; equal `copy_key`s are equal words."""

    passage: Passage
    score: float
    copy_key: bytes = b""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A range of a hit's text, in code points: a whole word that the question's words matched."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked passage with all that proves it: the document it is a range of, and the range.

    A hit stands for what is folded into it: `also_in` are identical passages, `more` further
    passages of its article. Those carry no rank of their own.
    """

    rank: int | None
    score: float
    passage: Passage
    document: Document
    highlights: tuple[Highlight, ...] = ()
    also_in: "tuple[Hit, ...]" = ()
    more: "tuple[Hit, ...]" = ()

    @property
    def text(self) -> str:
        """The verbatim words."""
        return self.document.text[self.passage.start : self.passage.end]


@dataclass(frozen=True, slots=True)
class Count:
    """How many passages share a value; None is where it is not known."""

    value: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How the passages of a pool divide, before any is folded: the commonest first, years newest first."""

    lang: tuple[Count, ...] = ()
    source: tuple[Count, ...] = ()
    year: tuple[Count, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that whoever reads an answer should know; `str` is the sentence, in English."""

    code: Literal["damage", "no_model", "undated", "dated"]
    text: str
    count: int = 0
    """The number that the sentence tells, where there is one."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of a ranked list; `total` counts the whole list."""

    request: SearchRequest | SimilarRequest
    language: str
    generation: str
    total: int
    hits: tuple[Hit, ...]
    took_ms: float
    warnings: tuple[Notice, ...] = ()
    facets: Facets = Facets()
    stages: Mapping[str, float] = field(default_factory=dict)
    """What each stage of the search took, in milliseconds."""
    like: Hit | None = None
    """The passage that the hits are like, where that was asked."""

    @property
    def without_model(self) -> bool:
        """Whether the model failed, so that passages were found by their words alone."""
        return any(each.code == "no_model" for each in self.warnings)


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file of the archive that is not in the index, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class RepeatedLine:
    """A line that was cut since it stands in many articles of a source; the first of them shows it."""

    source: str
    articles: int
    doc_id: str
    line: int


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did; counts of documents unless they say otherwise."""

    documents: int
    passages: int
    encoded: int
    """Passages whose vectors were computed in this build."""
    reused: int
    """Passages whose vectors were known already."""
    added: int
    changed: int
    removed: int
    unchanged: int
    failed: tuple[FailedFile, ...]
    seconds: float
    generation: str
    cut: Mapping[str, int] = field(default_factory=dict)
    """Lines that were cut as furniture, by rule; "page" are those that extraction left out of pages."""
    repeated: tuple[RepeatedLine, ...] = ()
    """The lines cut since many articles have them: the commonest, for there may be thousands."""
    notes: tuple[FailedFile, ...] = ()
    """Files whose text was repaired, or is odd, and in what way."""
    undated: int = 0
    """Documents whose date is not known."""
