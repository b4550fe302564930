"""The answers of the JSON endpoints, as models from which the OpenAPI document is made.

The docstrings and descriptions of the models are published in that document.
"""

import json
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from indexer.web_support import FACETS, Role

EXAMPLES: dict[str, Any] = json.loads(
    (resources.files("web.api") / "examples" / "answers.json").read_text("utf-8")
)
"""One answer of each kind, from a real index; a test compares them with the present answers."""


HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "Stands for this answer: of a search for its generation and query, of others for what "
        "they say. There is none while the model fails.",
        "schema": {"type": "string", "pattern": '^(W/)?"[0-9a-f]+"$'},
    },
    "Retry-After": {
        "description": "When to try again, in seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How the secret may be given: `Basic` and `Bearer`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Request-Id": {
        "description": "What the server's log calls the request: what came under this name, if that is 1 to "
        "64 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
}


def headers(*names: str) -> dict[str, Any]:
    """Return the description of an answer's headers: these, and the one that every answer has."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-Id")}


# Descriptions of fields that several models have.
_DOC_ID = "The article's id: its file's path, and ::id where the file holds many."
_PATH = "The file's path inside the archive."
_SHA256 = "Of the file."
_BASIS = "Whether lines and characters are counted in the file itself or in the text extracted from it."
_ENCODING = "Of the file, such as utf-8."
_TITLE = "The article's title."
_PUBLISHED = "A day (YYYY-MM-DD), or null where it is not known."
_PASSAGE_NUMBER = "Number of the passage in its article, from 1."
_LINE_START, _LINE_END = "Its first line, from 1.", "Its last line."
_CHAR_START, _CHAR_END = "Where it begins, in code points from 0.", "Where it ends: after its last one."
_LANG = "Code of its language, such as ar or en; mixed where it is in both, und where it is not known."
_DIR = "The direction in which its text is written."
_PAGE = "The article's page, opened at the passage."
_GENERATION = "Of the index that answered."
_WARNINGS = "What whoever reads the answer should know, such as that an older index answers."


class Answer(BaseModel):
    """The sentence of a hit that answers the question: a range of its text, in code points."""

    start: int = Field(ge=0, description="Where the sentence begins in `text`.")
    end: int = Field(ge=1, description=_CHAR_END)
    confidence: float = Field(
        ge=0, le=1, description="How far it leads the next sentence, from 0, hardly, to 1; not a probability."
    )


class Highlight(BaseModel):
    """A range of a hit's text, in code points: a whole word that matched the question."""

    start: int = Field(ge=0, description="Where the word begins in `text`.")
    end: int = Field(ge=1, description=_CHAR_END)


class Source(BaseModel):
    """The provenance: where the words stand, and what proves it."""

    doc_id: str = Field(description=_DOC_ID)
    path: str = Field(description=_PATH)
    title: str = Field(description=_TITLE)
    published: str | None = Field(description=_PUBLISHED)
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description=_SHA256)
    basis: Literal["file", "extracted"] = Field(description=_BASIS)
    encoding: str = Field(description=_ENCODING)
    passage: int = Field(ge=1, description=_PASSAGE_NUMBER)
    line_start: int = Field(ge=1, description=_LINE_START)
    line_end: int = Field(ge=1, description=_LINE_END)
    char_start: int = Field(ge=0, description=_CHAR_START)
    char_end: int = Field(ge=1, description=_CHAR_END)
    url: str = Field(description=_PAGE)


class Explanation(BaseModel):
    """Why a hit has its place."""

    order: Literal["meaning", "both", "words"] = Field(
        description="What decides: its meaning; both, as in the question's own language; or words above all, "
        "as where the question is a name or a number."
    )
    passage: float | None = Field(description="Cosine of the passage; null where words alone found it.")
    sentence: float | None = Field(description="Cosine of its best sentence; null where it has only one.")
    words: float = Field(ge=0, description="Share of the question's information that its words cover.")
    spellings: list[str] = Field(description="Other spellings of the question's names that it has.")


class More(BaseModel):
    """Further passages of the same article that a hit stands for."""

    count: int = Field(ge=1, description="How many they are.")
    hits: "list[Hit]" = Field(description="The passages, each with its own provenance.")


class Hit(BaseModel):
    """A passage: its exact words, and the provenance."""

    rank: int | None = Field(description="From 1; null where the passage is collapsed into another hit.")
    found: bool = Field(
        description="Whether it is nearer to the question than chance; true where that is not judged."
    )
    score: float = Field(description="Higher is better; of lexical mode it is BM25, else a cosine.")
    text: str = Field(description="The exact words: the article's text from `char_start` to `char_end`.")
    lang: str = Field(description=_LANG)
    dir: Literal["rtl", "ltr"] = Field(description=_DIR)
    highlights: list[Highlight] = Field(description="The words that matched, in order.")
    answer: Answer | None = Field(description="The sentence that answers; null where none stands out.")
    also_in: list[Source] = Field(description="Identical passages elsewhere.")
    more: More | None = Field(
        description="Of its article, all but the best three passages, in the last of these; else null."
    )
    explain: Explanation | None = Field(description="Why it has its place; null unless asked for.")
    source: Source = Field(
        description="Where the words stand; not the newspaper or folder, which is the `source` of an article."
    )


class ArticleHits(BaseModel):
    """An article with hits on the page."""

    doc_id: str = Field(description=_DOC_ID)
    title: str = Field(description=_TITLE)
    ranks: list[int] = Field(min_length=1, description="The ranks of its hits, the best first.")
    url: str = Field(description="The article's page, opened at the first of them.")


class Count(BaseModel):
    """A value, and how many have it: hits in facets, articles in statistics."""

    value: str | None = Field(description="Null where it is not known, or there is none.")
    count: int = Field(ge=1, description="How many have it.")


_BY_FACET = {
    "lang": "By language, the commonest first.",
    "source": "By newspaper or folder, the commonest first; null where the article has no source.",
    "year": "By year, the newest first; null where the article has no date.",
}


def _facet(name: str) -> tuple[Any, Any]:
    description = _BY_FACET.get(name, f"By {name}, the commonest first; null where it is not known.")
    return list[Count], Field(description=description)


Facets: Any = create_model(
    "Facets",
    __doc__="How many hits the list of each value would find.",
    **{name: _facet(name) for name in FACETS},  # type: ignore[call-overload]
)


class ListAnswer(BaseModel):
    """A page of a ranked list."""

    generation: str = Field(description=_GENERATION)
    took_ms: float = Field(description="Milliseconds that the search took.")
    total: int = Field(
        ge=0,
        description="Hits found in earnest: passages nearer to the question than chance. Where that "
        "is not judged, as with `answerable` null, it is `listed`.",
    )
    total_is: Literal["exact", "at_least"] = Field(
        description="Whether `total` and the facets count all there is. The list is made of the best 200 "
        "passages of each way of searching, with `sort=date` of the best 100 of those; more may be found."
    )
    listed: int = Field(ge=0, description="Hits of the whole list, on all pages, also by chance near ones.")
    limit: int = Field(description="Hits to a page, as asked.")
    offset: int = Field(description="Hits passed over, as asked.")
    next: str | None = Field(description="Address of the next page, null after the last.")
    facets: Facets = Field(
        description="By value, the `total` that the same question finds with this value as its filter; where "
        "`total_is` says `at_least`, it may find more."
    )
    hits: list[Hit] = Field(description="The page, best or newest first.")
    articles: list[ArticleHits] = Field(
        description="The articles of these hits, that of the first hit first."
    )
    warnings: list[str] = Field(description=_WARNINGS)


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
        "parameters": {"doc_id": f"{_FIRST}/doc_id", "passage": f"{_FIRST}/passage"},
    },
}


def _shown(example: dict[str, Any], **more: Any) -> Any:
    """Return the model configuration that adds an answer's example and headers to the OpenAPI document."""
    return {"openapi_extra": {"example": example, "headers": headers("ETag"), **more}}


class Operator(BaseModel):
    """A part of the question that is no text: words that must or must not be there, or where to look."""

    role: Role = Field(description="The sign or the field that it is written with; `any` is what OR joins.")
    value: str = Field(description="The words, the name, the code of the language, or the day.")
    excluded: bool = Field(description="Whether it says what must not be.")
    start: int = Field(ge=0, description="Where it begins in the question, in code points.")
    end: int = Field(ge=1, description="Where it ends.")


class Offer(BaseModel):
    """A question that may have been meant."""

    kind: Literal["spelling", "keyboard"] = Field(
        description="With a slip mended, or typed with the other keyboard layout, Arabic or English."
    )
    query: str = Field(description="The whole question, to be asked instead.")


class Parsed(BaseModel):
    """A question as it was understood."""

    text: str = Field(description="What is ranked: all words but those of exclusions and filters.")
    operators: list[Operator] = Field(description="What decides which passages are ranked, in order.")


class SearchAnswer(ListAnswer):
    """The passages that answer a question."""

    model_config = _shown(EXAMPLES["search"], links=LINKS)

    query: str = Field(description="The question, as asked.")
    language: str = Field(description="Of the question.")
    mode: Literal["hybrid", "dense", "lexical"] = Field(description="The way of searching, as asked.")
    answerable: Literal["yes", "unsure", "no"] | None = Field(
        description="Whether the list seems to answer the question; null where that cannot be told."
    )
    parsed: Parsed = Field(description="What the question was understood to say.")
    spellings: dict[str, list[str]] = Field(
        description="By word of the question, normalized: the spellings of it that were searched too."
    )
    offers: list[Offer] = Field(
        description="Questions that may have been meant: where a word is in no passage and a near one is in "
        "several, or all words are some once typed with the other keyboard layout. They are not searched."
    )


class SimilarAnswer(ListAnswer):
    """The passages of other articles that are like one, by meaning."""

    model_config = _shown(EXAMPLES["similar"])

    like: Hit = Field(description="The passage that was asked about.")


class Suggestion(BaseModel):
    """A completion of what is typed."""

    kind: Literal["source", "author", "word", "title"] = Field(
        description="What completes it: a source or an author as a filter, a word of passages, or a title."
    )
    text: str = Field(description="What it is called, for people.")
    query: str = Field(description="The whole question with it.")


class Suggestions(BaseModel):
    """Completions of what is typed."""

    model_config = _shown(EXAMPLES["suggest"])

    suggestions: list[Suggestion] = Field(
        max_length=8, description="Sources and authors, words, then titles."
    )


class PassageOf(BaseModel):
    """A passage of an article, as a range of its text."""

    passage: int = Field(ge=1, description=_PASSAGE_NUMBER)
    lang: str = Field(description=_LANG)
    line_start: int = Field(ge=1, description=_LINE_START)
    line_end: int = Field(ge=1, description=_LINE_END)
    char_start: int = Field(ge=0, description=_CHAR_START)
    char_end: int = Field(ge=1, description=_CHAR_END)
    url: str = Field(description=_PAGE)


class CutLine(BaseModel):
    """A line that was cut as boilerplate."""

    line: int = Field(ge=1, description="Its number, from 1.")
    char_start: int = Field(ge=0, description=_CHAR_START)
    char_end: int = Field(ge=1, description=_CHAR_END)
    rule: str = Field(description="Name of the rule that cut it.")
    reason: str = Field(description="What the rule says, for people.")
    text: str | None = Field(description="What it said; null where the file is gone or has changed.")


class DocumentAnswer(BaseModel):
    """An article whole. In its text every code point of a cut line is a space, so that ranges hold."""

    model_config = _shown(EXAMPLES["document"])

    doc_id: str = Field(description=_DOC_ID)
    path: str = Field(description=_PATH)
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description=_SHA256)
    basis: Literal["file", "extracted"] = Field(description=_BASIS)
    encoding: str = Field(description=_ENCODING)
    title: str = Field(description=_TITLE)
    source: str = Field(
        description="The newspaper or folder it is of, as in filters and facets; empty where none is known."
    )
    author: str | None = Field(description="Who wrote it, or null where that is not known.")
    url: str | None = Field(description="Where it was published, or null where that is not known.")
    published: str | None = Field(description=_PUBLISHED)
    lang: str = Field(description=_LANG)
    dir: Literal["rtl", "ltr"] = Field(description=_DIR)
    text: str = Field(description="All of it, cut lines blank.")
    passages: list[PassageOf] = Field(description="What is searched of it, in order.")
    cut: list[CutLine] = Field(description="What is not searched of it, in order.")
    outside: list[str] = Field(description="Lines of a web page that are outside its article.")
    cut_from_file: bool = Field(description="Whether the cut lines, if any, could be read.")
    generation: str = Field(description=_GENERATION)
    warnings: list[str] = Field(description=_WARNINGS)


class DocumentEntry(BaseModel):
    """An article in a list."""

    doc_id: str = Field(description=_DOC_ID)
    title: str = Field(description=_TITLE)
    source: str = Field(description="The newspaper or folder it is of; empty where none is known.")
    author: str = Field(description="Who wrote it; empty where that is not known.")
    lang: str = Field(description=_LANG)
    published: str | None = Field(description=_PUBLISHED)
    path: str = Field(description=_PATH)
    passages: int = Field(ge=0, description="How many passages it has.")
    url: str = Field(description="The article's page.")


class DocumentsAnswer(BaseModel):
    """A page of the articles of the archive."""

    model_config = _shown(EXAMPLES["documents"])

    generation: str = Field(description=_GENERATION)
    total: int = Field(ge=0, description="Articles that pass the filters, on all pages.")
    limit: int = Field(description="Articles to a page, as asked.")
    next: str | None = Field(description="Address of the next page, null after the last.")
    facets: Facets = Field(description="By value, how many articles of the list have it.")
    months: list[Count] = Field(
        description="Articles by month, YYYY-MM, the oldest first; those without a date are not counted."
    )
    documents: list[DocumentEntry] = Field(description="The page.")
    warnings: list[str] = Field(description=_WARNINGS)


class SourceFacts(BaseModel):
    """A newspaper or a folder of the archive."""

    name: str = Field(description='Its name, as in filters; `""` for articles without one.')
    articles: int = Field(ge=1, description="How many articles it has.")
    first: str | None = Field(description="Day of the first that has a date, or null.")
    last: str | None = Field(description="Day of the last that has a date, or null.")


class SourcesAnswer(BaseModel):
    """The sources of the archive."""

    model_config = _shown(EXAMPLES["sources"])

    generation: str = Field(description=_GENERATION)
    sources: list[SourceFacts] = Field(description="In alphabetical order.")
    warnings: list[str] = Field(description=_WARNINGS)


class Stats(BaseModel):
    """What the index holds and how it was made."""

    model_config = _shown(EXAMPLES["stats"])

    generation: str = Field(description=_GENERATION)
    built: str = Field(description="ISO 8601, UTC.")
    documents: int = Field(ge=0, description="Articles.")
    passages: int = Field(ge=0, description="Passages of all articles.")
    languages: dict[str, int] = Field(description="Passages by language.")
    sources: dict[str, int] = Field(
        description='Articles by newspaper or folder; under `""` those without a source.'
    )
    years: list[Count] = Field(description="Articles by year, newest first; null where unknown.")
    cut: dict[str, int] = Field(description="Lines cut as boilerplate, by rule.")
    failed: int = Field(ge=0, description="Files that could not be read.")
    model: str = Field(description="Name of the model that the index was made with.")
    searches_by_meaning: bool = Field(description="False while the model fails.")
    warnings: list[str] = Field(description=_WARNINGS)


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="Always about:blank; `code` tells errors apart.")
    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599, description="The status of the answer.")
    code: str = Field(description="Stable, for programs; /docs lists them.")
    detail: str = Field(description="The fact and the remedy; for people.")
