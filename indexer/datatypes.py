"""The values that flow through Warraq; all are frozen.

Offsets are code points of a document's text, which is decoded without newline translation; a byte order
mark is not counted. Lines end at LF, CR LF or CR only and count from 1. Scores: higher is better.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from indexer.request import BrowseRequest, ParsedQuery, SearchRequest, SimilarRequest

Basis = Literal["file", "extracted"]
"""Whether offsets are positions in the decoded file or in the text extracted from it."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The file that a document was read from."""

    path: str
    """Its POSIX path inside the archive."""
    sha256: str = ""
    basis: Basis = "file"
    encoding: str = "utf-8"
    record: int | None = None
    """The number of the document in its file, from 1; None where the file holds only one."""


@dataclass(frozen=True, slots=True)
class Document:
    """One article; an empty string stands for an unknown fact.

    >>> document = inspect_file("articles/talks.txt").article.document
    >>> document.title, document.lang, document.file.path
    ('Talks in Geneva', 'en', 'talks.txt')
    """

    doc_id: str
    title: str
    text: str
    source: str
    """The newspaper, or the folder of the archive, that the article comes from."""
    lang: str
    published: str | None = None
    """The day of publication, YYYY-MM-DD."""
    file: SourceFile = SourceFile("")
    author: str = ""
    url: str = ""
    """Its original address."""
    notes: str = ""
    """Repairs of the text, and oddities in it."""
    left_out: int = 0
    """Lines of a web page that are outside the article."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The range `start:end` of its document's text; `number` counts from 1 within the document.

    >>> article = inspect_file("articles/talks.txt").article
    >>> first = article.passages[0]
    >>> first.number, first.line_start, article.document.text[first.start : first.start + 15]
    (1, 2, 'Envoys met in G')
    """

    doc_id: str
    number: int
    start: int
    end: int
    line_start: int
    line_end: int
    lang: str

    @property
    def passage_id(self) -> str:
        return f"{self.doc_id}#{self.number}"


@dataclass(frozen=True, slots=True)
class Cut:
    """A line of a document that was cut as boilerplate: its range in the original text, and the rule."""

    line: int
    start: int
    end: int
    rule: str
    articles: int | None = None
    """The number of articles of the source with this line, where the line was cut because of it."""


@dataclass(frozen=True, slots=True)
class SplitDocument:
    """A document with its passages and its cut lines, each in order.

    In the document's text every code point of a cut line is replaced by a space.
    """

    document: Document
    passages: tuple[Passage, ...]
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class SentenceScores:
    """The sentences of a passage: their ranges within it, and the cosine of each with a query."""

    ranges: tuple[tuple[int, int], ...]
    cosines: tuple[float, ...]


Order = Literal["meaning", "both", "words"]
"""What decides the place of a passage: its meaning, meaning and words together, or words above all."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a passage has its place: how near its meaning is, and what words of the query it has."""

    order: Order
    passage: float | None = None
    """The cosine of the passage with the query; None where it was found by words alone."""
    sentence: float | None = None
    """The same of its best sentence; None where it has only one."""
    words: float = 0.0
    """The share of the query's information that its words cover; above 1 where it repeats them."""
    spellings: tuple[str, ...] = ()
    """The other spellings of the query's words that it has."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that a retriever found, with its score; equal `duplicate_key`s mean equal words."""

    passage: Passage
    score: float
    duplicate_key: bytes = b""
    row: int = field(default=-1, compare=False)
    """Its row in the generation, which differs from one generation to the next."""
    sentences: SentenceScores | None = None
    """Its sentences, where it has several and the search went by meaning."""
    explanation: Explanation | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Highlight:
    """A range of a hit's text, in code points: a whole word that a word of the query matched."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The sentence of a hit that answers the query: a range of the hit's text, in code points."""

    start: int
    end: int
    confidence: float
    """How far it leads the next sentence: from 0, hardly, to 1."""


@dataclass(frozen=True, slots=True)
class Source:
    """The provenance of a hit: the file with its words, and the lines and characters where they stand.

    As a string it is the path with the lines, as compilers and editors write them: `talks.txt:3-4`.
    """

    doc_id: str
    path: str
    title: str
    published: str | None
    sha256: str
    basis: Basis
    encoding: str
    passage: int
    """The passage's number in its article."""
    line_start: int
    line_end: int
    char_start: int
    char_end: int

    def __str__(self) -> str:
        last = f"-{self.line_end}" if self.line_end > self.line_start else ""
        return f"{self.path}:{self.line_start}{last}"


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked passage with its provenance: the document it is a range of, and the range.

    >>> with open_searcher("index") as searcher:
    ...     hit = searcher.search("grain corridor", lang="en")[0]
    >>> print(hit.rank, hit.source, hit.text)
    1 talks.txt:2 Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea.

    A hit stands for the candidates that are collapsed into it: `also_in` are identical passages, `more`
    further passages of its article. Those carry no rank of their own.
    """

    rank: int | None
    score: float
    """Higher is better: a cosine with what words add to it, or BM25 where only words were searched."""
    passage: Passage
    document: Document
    highlights: tuple[Highlight, ...] = ()
    also_in: "tuple[Hit, ...]" = ()
    more: "tuple[Hit, ...]" = ()
    answer: Answer | None = None
    """Its sentence that answers the query; None where none stands out."""
    explanation: Explanation | None = None
    """Why it has its place in the list; None where it is no hit of a query."""
    found: bool = True
    """Whether it is nearer to the query than chance; True where that cannot be told."""

    @property
    def text(self) -> str:
        """The words of the passage, verbatim."""
        return self.document.text[self.passage.start : self.passage.end]

    @property
    def answer_text(self) -> str:
        """The words of the answer; "" without one."""
        return self.text[self.answer.start : self.answer.end] if self.answer else ""

    @property
    def source(self) -> Source:
        """The provenance of the words."""
        document, file, passage = self.document, self.document.file, self.passage
        return Source(
            doc_id=document.doc_id,
            path=file.path,
            title=document.title,
            published=document.published,
            sha256=file.sha256,
            basis=file.basis,
            encoding=file.encoding,
            passage=passage.number,
            line_start=passage.line_start,
            line_end=passage.line_end,
            char_start=passage.start,
            char_end=passage.end,
        )


@dataclass(frozen=True, slots=True)
class ArticleHits:
    """The hits of one article on a page of results, the best first."""

    document: Document
    hits: tuple[Hit, ...]

    @property
    def more(self) -> tuple[Hit, ...]:
        """The further passages of the article, which are collapsed into these hits."""
        return tuple(collapsed for hit in self.hits for collapsed in hit.more)


@dataclass(frozen=True, slots=True)
class Count:
    """The number of hits that the list of a value finds; None is the unknown value."""

    value: str | None
    count: int


Facets = Mapping[str, tuple[Count, ...]]
"""Counts of what was found, by the name of the facet."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact that the reader of a result should know; `str` is the whole message, in English."""

    code: Literal[
        "damage", "no_model", "undated", "dated", "no_dates", "no_word",
        "no_such_name", "no_such_lang", "no_such_source", "no_such_author",
    ]  # fmt: skip
    message: str
    count: int = 0
    """The number in the message, where it has one."""
    value: str = ""
    """The name or the code in the message, where it has one."""
    remedy: str | None = None
    """The command that repairs the fault, if there is one."""

    def __str__(self) -> str:
        return f"{self.message} Run: {self.remedy}" if self.remedy else self.message


@dataclass(frozen=True, slots=True)
class Offer:
    """A query that may have been meant: with a slip mended, or typed with the other keyboard layout."""

    kind: Literal["spelling", "keyboard"]
    query: str


SuggestionKind = Literal["source", "author", "word", "title"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion of a question that is being typed."""

    kind: SuggestionKind
    text: str
    """What it is called: the name, the title, or the words as they would be."""
    query: str
    """The whole question with it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question that an archive answers: a title of it, and a sentence of its article."""

    lang: str
    question: str
    sentence: str
    doc_id: str


Answerable = Literal["yes", "unsure", "no"]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of a ranked list, as a sequence of hits.

    The list goes on beyond what was found: `total` counts the hits that are nearer to the query than chance,
    `listed` all hits.

    >>> with open_searcher("index") as searcher:
    ...     result = searcher.search("grain corridor", limit=3)
    >>> [hit.rank for hit in result], len(result), result.total, result.listed
    ([1, 2, 3], 3, 4, 4)
    """

    request: SearchRequest | SimilarRequest
    language: str
    generation: str
    total: int
    hits: tuple[Hit, ...]
    took_ms: float
    warnings: tuple[Notice, ...] = ()
    facets: Facets = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)
    """The time of each stage of the search, in milliseconds."""
    answerable: Answerable | None = None
    """Whether the list seems to answer the query; None where that cannot be told, as without a model."""
    parsed: ParsedQuery | None = None
    """What the query was understood to say; None for similar passages."""
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The spellings of names that were searched too, by word of the query."""
    offers: tuple[Offer, ...] = ()
    """Queries that may have been meant instead."""
    like: Hit | None = None
    """The passage to which the hits are similar; None for a query."""
    listed: int = 0
    """The number of hits on all pages."""
    complete: bool = True
    """Whether `total` and the facets count all that there is; more may be found with a filter otherwise."""

    @property
    def without_model(self) -> bool:
        """Whether the model failed, so that passages were found by their words alone."""
        return any(notice.code == "no_model" for notice in self.warnings)

    @property
    def articles(self) -> tuple[ArticleHits, ...]:
        """The hits of this page by article, in the order of the first hit of each."""
        by_article: dict[str, list[Hit]] = {}
        for hit in self.hits:
            by_article.setdefault(hit.document.doc_id, []).append(hit)
        return tuple(ArticleHits(hits[0].document, tuple(hits)) for hits in by_article.values())

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, place: int) -> Hit:
        return self.hits[place]


@dataclass(frozen=True, slots=True)
class ArticleEntry:
    """An article in a list: its labels, and the number of its passages."""

    doc_id: str
    title: str
    source: str
    author: str
    lang: str
    published: str | None
    path: str
    passages: int


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source with the number of its articles, and the days of the first and the last that has one."""

    name: str
    articles: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class BrowseResult:
    """One page of the articles of an archive."""

    request: BrowseRequest
    generation: str
    total: int
    articles: tuple[ArticleEntry, ...]
    next: str | None
    """The cursor of the next page; None after the last."""
    facets: Facets
    months: tuple[Count, ...]
    """The articles by month, YYYY-MM, the oldest first; those without a date are not counted."""
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file of the archive that is not in the index, with the reason; or a file with a note."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class RepeatedLine:
    """A line that was cut because many articles of a source share it, as it stands in the first of them."""

    source: str
    articles: int
    doc_id: str
    line: int


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The result of a build; numbers count documents unless stated otherwise.

    >>> report = build_index("articles", "index")
    >>> report.documents, report.passages, report.unchanged, report.encoded
    (2, 4, 2, 0)
    """

    documents: int
    passages: int
    encoded: int
    """Passages whose vectors were computed in this build."""
    reused: int
    """Passages whose vectors came from the cache."""
    added: int
    changed: int
    removed: int
    unchanged: int
    failed: tuple[FailedFile, ...]
    seconds: float
    generation: str
    cut: Mapping[str, int] = field(default_factory=dict)
    """Lines that were cut as boilerplate, by rule; "page" counts lines outside the articles of web pages."""
    repeated: tuple[RepeatedLine, ...] = ()
    """The commonest lines that were cut because many articles share them; there may be thousands."""
    notes: tuple[FailedFile, ...] = ()
    """Files whose text was repaired or is odd, with the details."""
    undated: int = 0
    """Documents whose date is not known."""


Progress = Callable[[str, int, int], None]
"""Called with a stage, the amount done and the total. The stage "checking" counts files, "reading" bytes of
files, "cutting" articles, "embedding" texts: passages, their
sentences and titles. The total of "reading" may grow while files are read."""
