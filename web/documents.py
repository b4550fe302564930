"""The page of an article: all of it, opened at the words that its address names or that a search found."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, render_template, request
from werkzeug.datastructures import MultiDict

from indexer import (
    Article,
    Document,
    Hit,
    LineNumbers,
    Passage,
    Searcher,
    SearchRequest,
    WarraqError,
    document_url,
    permanent_url,
)

from .api import service
from .citations import Citation, markdown, one_line, plain, shown_path, title_of, visible
from .filters import address_of, hit_address
from .parameters import read_request

_LINE = re.compile(r"\S[^\r\n]*")  # that is not blank

blueprint = Blueprint("documents", __name__)


class Range(NamedTuple):
    """A range of a document's text, in code points, not empty."""

    start: int
    end: int

    def meets(self, other: "Range | Passage") -> bool:
        return self.start < other.end and other.start < self.end


class Place(NamedTuple):
    """What an address says of the words it means: the version of the file, and their range."""

    sha256: str | None
    range: Range | None
    unreadable: tuple[str, ...]
    """The parameters that say nothing that can be understood."""


Fate = Literal["none", "marked", "outside", "blank"]


class Piece(NamedTuple):
    """A piece of a text: whether it is of the words that the address names, and where a search matched."""

    marked: bool
    first: bool
    """Whether it is the first that is marked."""
    parts: list[tuple[str, bool]]


class Part(NamedTuple):
    """A stretch of an article's text as it is shown: a passage, or a line between passages."""

    passage: Passage | None
    text: str
    pieces: list[Piece]

    @property
    def marked(self) -> bool:
        return any(piece.marked for piece in self.pieces)


class Matches(NamedTuple):
    """The passages of an article that a search found, and the way from one to the next."""

    total: int
    number: int | None
    """Which of them is the one that the address names."""
    previous: str | None
    next: str | None


@blueprint.get("/documents/<document:doc_id>")
def document(doc_id: str) -> str | tuple[str, int]:
    searcher, place = service().searcher(), read_place(request.args)
    article = searcher.article(doc_id)
    if article is None:
        if place.sha256 is None:
            abort(404)
        return render_template("document.html", document=None, doc_id=doc_id, shown_path=shown_path), 404
    shown = article.document
    asked, hits = found_in(searcher, doc_id)
    here, fate = locate(place.range, shown.text)
    citation = cite(article, here)
    return render_template(
        "document.html",
        document=shown,
        asked=asked,
        damage=searcher.store.damage,
        place=place,
        named=here,
        fate=fate,
        changed=place.sha256 not in (None, shown.metadata["sha256"]),
        state=service().file_state(searcher, shown),
        parts=parts(article, here, hits),
        matches=matches_of(hits, asked, place.range) if asked else None,
        back=address_of(asked) if asked else None,
        citations=(plain(citation), markdown(citation)),
        original=original_of(shown),
        cut=service().cut_lines(searcher, article),
        like=lambda passage: f"/similar?{urlencode({'passage': passage.passage_id})}",
        one_line=one_line,
        permanent_url=permanent_url,
        shown_path=shown_path,
        title=title_of(shown),
        visible=visible,
    )


def read_place(values: "MultiDict[str, str]") -> Place:
    """Return what an address says of a place; what cannot be understood is named, and counts for nothing."""
    given = {name: values.getlist(name) for name in ("sha256", "start", "end") if any(values.getlist(name))}
    said = {name: value[0] for name, value in given.items() if len(value) == 1}
    sha256 = said.get("sha256", "").lower()
    bad = {"sha256"} if "sha256" in given and not re.fullmatch("[0-9a-f]{64}", sha256) else set()
    start, end = (said.get(name, "") for name in ("start", "end"))
    # ASCII digits only, and few: int() would also take «٣» and «1_0».
    whole = all(re.fullmatch("[0-9]{1,9}", each) for each in (start, end))
    span = Range(int(start), int(end)) if whole and int(start) < int(end) else None
    if span is None:
        bad |= {"start", "end"} & set(given)
    unreadable = tuple(name for name in given if name in bad)
    return Place(None if "sha256" in bad else sha256 or None, span, unreadable)


def locate(wanted: Range | None, text: str) -> tuple[Range | None, Fate]:
    """Return the range of a text that is marked, and what became of the one that was wanted."""
    if wanted is None:
        return None, "none"
    if wanted.end > len(text):
        return None, "outside"
    if not text[wanted.start : wanted.end].strip():
        return None, "blank"  # such as a line that was cut
    return wanted, "marked"


def found_in(searcher: Searcher, doc_id: str) -> tuple[SearchRequest | None, tuple[Hit, ...]]:
    """Return the search that led here, None where there is none or it is not legal, and what it found."""
    if not request.args.get("q"):
        return None, ()
    try:
        asked = read_request(request.args)
        return asked, searcher.matches(asked, doc_id)
    except WarraqError:
        return None, ()


def matches_of(hits: Sequence[Hit], asked: SearchRequest, here: Range | None) -> Matches:
    """Return the way through the matches of a search; the one that the address names is where it is now."""
    addresses = [hit_address(hit, asked) for hit in hits]
    if here is None:
        return Matches(len(hits), None, None, addresses[0] if hits else None)
    before = sum(hit.passage.end <= here.start for hit in hits)
    at_one = before < len(hits) and here.meets(hits[before].passage)
    after = before + at_one
    return Matches(
        len(hits),
        before + 1 if at_one else None,
        addresses[before - 1] if before else None,
        addresses[after] if after < len(hits) else None,
    )


def parts(article: Article, here: Range | None, hits: Sequence[Hit]) -> list[Part]:
    """Cut an article's text into its passages and the lines between them that are not blank."""
    text, found, marked_before = article.document.text, list[Part](), False
    words = [
        Range(hit.passage.start + each.start, hit.passage.start + each.end)
        for hit in hits
        for each in hit.highlights
    ]
    for span, passage in _spans(article):
        pieces = list[Piece]()
        within = [each for each in words if span.meets(each)]
        for marked, each in groupby(_cut(text, span, here, within), key=lambda piece: piece[1]):
            pieces.append(
                Piece(marked, marked and not marked_before, [(part, word) for part, _, word in each])
            )
            marked_before = marked_before or marked
        found.append(Part(passage, text[span.start : span.end], pieces))
    return found


def _spans(article: Article) -> Iterator[tuple[Range, Passage | None]]:
    """Yield the ranges of passages and of the lines between them, in order."""
    text, at = article.document.text, 0
    for passage in (*article.passages, None):
        end = passage.start if passage else len(text)
        for line in _LINE.finditer(text, at, end):
            yield Range(line.start(), line.end()), None
        if passage:
            yield Range(passage.start, passage.end), passage
            at = passage.end


def _cut(
    text: str, span: Range, here: Range | None, words: Sequence[Range]
) -> Iterator[tuple[str, bool, bool]]:
    """Yield a range of a text, cut where a mark begins or ends: each part, whether named, whether matched."""
    borders = (edge for each in (*words, *([here] if here else ())) for edge in each)
    edges = sorted({*span, *(edge for edge in borders if span.start < edge < span.end)})
    for start, end in pairwise(edges):
        part = Range(start, end)
        shown = text[start:end].replace("\0", "\ufffd")  # HTML cannot hold a NUL
        yield shown, here is not None and part.meets(here), any(part.meets(word) for word in words)


def cite(article: Article, here: Range | None) -> Citation:
    """Return the citation of the words that the address names, else of the whole article."""
    document, passages = article.document, article.passages
    text, site = document.text, request.host_url.rstrip("/")
    if here:
        ordinal = max((each.ordinal for each in passages if each.start <= here.start), default=1)
        address = permanent_url(document, here.start, here.end, ordinal)
    else:
        here = Range(passages[0].start, passages[-1].end) if passages else Range(0, len(text))
        version = urlencode({"sha256": document.metadata["sha256"]})
        address = f"{document_url(document.doc_id, 1).partition('#')[0]}?{version}"
    return Citation(document, LineNumbers(text).of(*here), text[here.start : here.end], f"{site}{address}")


def original_of(document: Document) -> str | None:
    """Return the site that an article's own address leads to, None where it is none that may be a link."""
    address = document.metadata.get("url", "")
    if not re.fullmatch(r"https?://[^\s\0-\x20\x7f-\x9f\\]+", address, re.IGNORECASE):
        return None
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
