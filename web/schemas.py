"""What the JSON endpoints take and give, as models: they validate requests and make the OpenAPI document.

A model says what a schema can say; what it cannot, such as `from` after `to`, SearchRequest refuses.
"""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from indexer import LIMIT, OFFSET, QUERY_LENGTH, RequestError, SearchRequest, SimilarRequest

from .parameters import true_or_false, whole_number
from .samples import DOCUMENT, SIMILAR, STATS
from .samples import SEARCH as SEARCH_SAMPLE


def _says_something() -> str:
    """Return the pattern of a question: a character that is seen. JSON Schema has no name for those."""
    unseen = [
        code
        for code, char in enumerate(map(chr, range(0x10000)))
        if char.isspace() or unicodedata.category(char) in ("Cc", "Cf")
    ]
    runs: list[list[int]] = []
    for code in unseen:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "[^" + "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in runs) + "]"


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)  # null is no value of a query string


def _optional(description: str, alias: str | None = None) -> Any:
    return Field(default=None, alias=alias, description=description, json_schema_extra=_without_default)


Limit = Annotated[int, Field(ge=1, le=LIMIT, description="Hits to a page."), BeforeValidator(whole_number)]
Offset = Annotated[
    int, Field(ge=0, le=OFFSET, description="Hits to pass over."), BeforeValidator(whole_number)
]
Text = Annotated[str, Field(min_length=1)] | SkipJsonSchema[None]
Language = Annotated[str, Field(pattern="^([a-z]{2,3}|mixed)$")] | SkipJsonSchema[None]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})] | SkipJsonSchema[None]


class _Query(BaseModel):
    """A query string: nothing else than what is named may stand in it."""

    model_config = ConfigDict(extra="forbid")


class _OfQuestion(_Query):
    q: str = Field(
        min_length=1,
        max_length=QUERY_LENGTH,
        description="The question, in Arabic or English.",
        json_schema_extra={"pattern": _says_something(), "example": "Who helped free Marc Fogel?"},
    )
    mode: Literal["hybrid", "dense", "lexical"] = Field(
        default="hybrid", description="By meaning and words, by meaning alone, or by words alone."
    )
    highlight: Annotated[
        bool,
        BeforeValidator(true_or_false),
        Field(validate_default=False, description="Whether to mark the words that matched."),
    ] = True


class _OfPassage(_Query):
    doc_id: str = Field(
        min_length=1, description="The passage's article.", json_schema_extra={"example": "talks.txt"}
    )
    paragraph: Annotated[
        int,
        Field(
            ge=1, le=1_000_000, description="The passage's number in it.", json_schema_extra={"example": 1}
        ),
        BeforeValidator(whole_number),
    ]


class ListQuery(_Query):
    """The part of a list that is wanted, and the filters, which are applied before anything is ranked."""

    limit: Limit = 10
    offset: Offset = 0
    lang: Language = _optional("Passages in this language only: its code, such as ar or en, or mixed.")
    source: Text = _optional("Articles of this source only, by its whole name.")
    published_from: Day = _optional("Articles of this day or later.", alias="from")
    published_to: Day = _optional("Articles of this day or earlier.", alias="to")
    sort: Literal["relevance", "date"] = Field(
        default="relevance", description="The best first, or of the best 100 the newest first."
    )
    copies: Literal["fold", "all"] = Field(
        default="fold", description="Whether identical passages and long runs of one article are one hit."
    )
    generation: Text = _optional("Answer from this generation of the index or not at all (409).")


# What is asked comes first, the part of the list after it: pydantic takes fields from the last base on.
class SearchQuery(ListQuery, _OfQuestion):
    """A question, and how it is to be answered."""

    def request(self) -> SearchRequest:
        return SearchRequest(self.q, self.mode, self.highlight, **_of_list(self))


class SimilarQuery(ListQuery, _OfPassage):
    """A passage, and which of those like it are wanted."""

    def request(self) -> SimilarRequest:
        return SimilarRequest(f"{self.doc_id}#{self.paragraph}", **_of_list(self))


class DocumentQuery(_Query):
    """Which generation an article is read from."""

    generation: Text = _optional("Answer from this generation of the index or not at all (409).")


class NoQuery(_Query):
    """Nothing may be asked."""


class DocumentPath(BaseModel):
    """The id of an article: its path in the archive, and ::id where its file holds many."""

    doc_id: str = Field(
        min_length=1,
        description="The article's id; / may stand in it.",
        json_schema_extra={"example": "talks.txt"},
    )


KNOWN = sorted(
    {
        field.alias or name
        for model in (SearchQuery, SimilarQuery, DocumentQuery)
        for name, field in model.model_fields.items()
    }
)


def _of_list(query: ListQuery) -> dict[str, Any]:
    return {name: getattr(query, name) for name in ListQuery.model_fields}


# --- answers -------------------------------------------------------------------------------------


class Highlight(BaseModel):
    """A range of a hit's text, in code points: a whole word that matched the question."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Source(BaseModel):
    """The receipt: where the words stand, and what proves it."""

    doc_id: str
    path: str = Field(description="The file's path inside the archive.")
    title: str
    published: str | None = Field(description="A day (YYYY-MM-DD), or null where it is not known.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the file.")
    basis: Literal["file", "extracted"] = Field(
        description="Whether the ranges are of the file itself or of the text extracted from it."
    )
    encoding: str
    paragraph: int = Field(ge=1, description="Number of the passage in its article.")
    line_start: int = Field(ge=1)
    line_end: int = Field(ge=1)
    char_start: int = Field(ge=0, description="In code points.")
    char_end: int = Field(ge=1)
    url: str = Field(description="The article's page, opened at the passage.")


class More(BaseModel):
    """Further passages of the same article that a hit stands for."""

    count: int = Field(ge=1)
    hits: "list[Hit]"


class Hit(BaseModel):
    """A passage: its exact words, and the receipt."""

    rank: int | None = Field(description="From 1; null where the passage is folded into another hit.")
    score: float = Field(description="Higher is better; of lexical mode it is BM25, else a cosine.")
    text: str
    lang: str
    dir: Literal["rtl", "ltr"]
    highlights: list[Highlight]
    also_in: list[Source] = Field(description="Identical passages elsewhere.")
    more: More | None
    explain: None = Field(description="Still to come.")
    source: Source


class Count(BaseModel):
    """A value of a facet, null where it is not known, and how many passages have it."""

    value: str | None
    count: int = Field(ge=1)


class Facets(BaseModel):
    """How the passages found divide, before any is folded into another."""

    lang: list[Count]
    source: list[Count]
    year: list[Count]


class ListAnswer(BaseModel):
    """A page of a ranked list."""

    generation: str = Field(description="Of the index that answered.")
    took_ms: float
    total: int = Field(ge=0, description="Hits of the whole list.")
    limit: int
    offset: int
    next: str | None = Field(description="Address of the next page, null after the last.")
    facets: Facets
    hits: list[Hit]
    warnings: list[str] = Field(description="What whoever reads the answer should know.")


_FIRST = "$response.body#/hits/0/source"
LINKS = {
    "article": {
        "operationId": "document",
        "description": "The article of the first hit.",
        "parameters": {"doc_id": f"{_FIRST}/doc_id"},
    },
    "more_like_this": {
        "operationId": "similar",
        "description": "More like the first hit.",
        "parameters": {"doc_id": f"{_FIRST}/doc_id", "paragraph": f"{_FIRST}/paragraph"},
    },
}


class SearchAnswer(ListAnswer):
    """The passages that answer a question."""

    model_config = {"openapi_extra": {"example": SEARCH_SAMPLE, "links": LINKS}}  # type: ignore[typeddict-unknown-key]

    query: str
    parsed: None = Field(description="Still to come.")
    language: str = Field(description="Of the question.")
    mode: Literal["hybrid", "dense", "lexical"]
    answerable: None = Field(description="Still to come.")


class SimilarAnswer(ListAnswer):
    """The passages of other articles that are like one."""

    model_config = {"openapi_extra": {"example": SIMILAR}}  # type: ignore[typeddict-unknown-key]

    like: Hit = Field(description="The passage that was asked about.")


class PassageOf(BaseModel):
    """A passage of an article, as a range of its text."""

    paragraph: int
    lang: str
    line_start: int
    line_end: int
    char_start: int
    char_end: int
    url: str


class CutLine(BaseModel):
    """A line that was cut as furniture; `text` is null where the file is gone or has changed."""

    line: int
    char_start: int
    char_end: int
    rule: str
    reason: str
    text: str | None


class DocumentAnswer(BaseModel):
    """An article whole. In its text every code point of a cut line is a space, so that ranges hold."""

    model_config = {"openapi_extra": {"example": DOCUMENT}}  # type: ignore[typeddict-unknown-key]

    doc_id: str
    path: str
    sha256: str
    basis: Literal["file", "extracted"]
    encoding: str
    title: str
    source: str
    author: str | None
    url: str | None
    published: str | None
    lang: str
    dir: Literal["rtl", "ltr"]
    text: str
    passages: list[PassageOf]
    cut: list[CutLine]
    outside: list[str] = Field(description="Lines of a web page that are outside its article.")
    cut_from_file: bool = Field(description="Whether the cut lines, if any, could be read.")
    generation: str


class Stats(BaseModel):
    """What the index holds and how it was made."""

    model_config = {"openapi_extra": {"example": STATS}}  # type: ignore[typeddict-unknown-key]

    generation: str
    built: str = Field(description="ISO 8601, UTC.")
    documents: int
    passages: int
    languages: dict[str, int] = Field(description="Passages by language.")
    sources: dict[str, int] = Field(description="Documents by source.")
    years: list[Count] = Field(description="Documents by year, newest first; null where unknown.")
    cut: dict[str, int] = Field(description="Lines cut as furniture, by rule.")
    failed: int = Field(description="Files that could not be read.")
    model: str
    searches_by_meaning: bool = Field(description="False while the model fails.")
    warnings: list[str]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    code: str = Field(description="Stable, for programs; /docs lists them.")
    detail: str = Field(description="The fact and the remedy; for people.")


def fault_of(error: ValidationError) -> RequestError:
    """Return the first fault of a request, in the words that are used everywhere else."""
    fault = error.errors(include_context=True)[0]
    name, kind, given = str(fault["loc"][0]), fault["type"], str(fault["input"])
    if kind == "extra_forbidden":
        return RequestError(
            "unknown_parameter",
            f"There is no parameter {name[:40]!r} here; /openapi.json lists those there are.",
        )
    if name == "q":
        return _fault_of_question(kind, given)
    if kind == "missing":
        return RequestError(f"bad_{name}", f"{name} is missing.")
    reason = fault["msg"].removeprefix("Value error, ").removesuffix(".")
    if kind in ("literal_error", "string_pattern_mismatch", "string_too_short"):
        reason = _REASONS.get(name, "it must not be empty")
    elif kind in ("greater_than_equal", "less_than_equal"):
        (bound,) = fault["ctx"].values()
        reason = f"it must be at {'least' if kind.startswith('greater') else 'most'} {bound:,}"
    return RequestError(f"bad_{name}", f"{name} is {given[:40]!r}; {reason}.")


_REASONS = {
    "lang": "it must be a language code such as ar or en, or mixed",
    "mode": "it must be one of hybrid, dense, lexical",
    "sort": "it must be relevance or date",
    "copies": "it must be fold or all",
}


def _fault_of_question(kind: str, given: str) -> RequestError:
    try:
        SearchRequest(given if kind != "missing" else "")
    except RequestError as error:
        return error
    return RequestError("bad_q", "The question cannot be read.")
