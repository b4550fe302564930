"""The page of an article: all of it, opened at the words that its address names or that a search found."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, render_template, request
from werkzeug.datastructures import MultiDict

from indexer import Hit, Passage, Searcher, SearchResult, WarraqError
from indexer.web_support import (
    SplitDocument,
    direction,
    document_url,
    line_numbers,
    permanent_url,
    words_hash,
)
from web.pages.citations import (
    Citation,
    lines_of,
    markdown,
    original_of,
    plain,
    record_of,
    shown_path,
    title_of,
)
from web.pages.links import AnyRequest, hit_address, list_address
from web.parameters import read_request
from web.server.metrics import record_search
from web.service import service

SCANNED = 2**20  # code points of an article in which words that have moved are looked for
HASHED = 2**24  # code points that are hashed to find them; an address says how many at a time
A_HASH = 200  # code points that cost as much as a hash costs whatever its length

_HASHES = {"sha256": 64, "words": len(words_hash(""))}  # hex digits of the hashes in an address
_LINE = re.compile(r"\S[^\r\n]*")  # that is not blank
_WORD = re.compile(r"\S+")

blueprint = Blueprint("documents", __name__)


class Range(NamedTuple):
    """A range of a document's text, in code points, not empty."""

    start: int
    end: int

    def meets(self, other: "Range | Passage") -> bool:
        return self.start < other.end and other.start < self.end


class Place(NamedTuple):
    """What an address says of the words it means: the version of the file, their range, and their hash."""

    sha256: str | None
    range: Range | None
    words: str | None
    unreadable: tuple[str, ...]
    """The parameters that say nothing that can be understood."""


Fate = Literal["none", "marked", "same", "moved", "doubtful", "outside", "blank"]
"""What became of the words that an address means. It names none, or they are marked; in a file that has
changed they are the same, or have moved and are marked where they are now; other words may stand at their
place, which is marked; or there is no such place, or there are no words at it."""


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
    here, fate = locate(place, article)
    near = _passage_at(article, here or place.range)
    result = found_in(searcher, article, near)
    asked, hits = (result.request, result.hits) if result else (None, ())
    citation = cite(article, here)
    return render_template(
        "document.html",
        document=shown,
        asked=asked,
        warnings=result.warnings if result else (),
        damage=None if result else searcher.damage,  # else it is among the warnings
        place=place,
        named=here,
        fate=fate,
        changed=place.sha256 not in (None, shown.file.sha256),
        state=service().file_state(searcher, shown),
        parts=parts(article, here, hits),
        matches=matches_of(hits, asked, here or place.range) if asked else None,
        back=list_address(asked, near) if asked else None,
        direction_of_words=direction_of_words(article),
        citation=citation,
        citations=(plain(citation), markdown(citation)),
        lines=lines_of(citation),
        original=original_of(shown),
        record=record_of(shown),
        cut=service().cut_lines(searcher, article),
        hostname=hostname,
        permanent_url=permanent_url,
        shown_path=shown_path,
        title=title_of(shown),
    )


def direction_of_words(article: SplitDocument) -> str:
    """Return the direction in which most passages of an article run, which need not be its language's."""
    text, lang = article.document.text, article.document.lang
    ways = Counter(direction(each.lang, text[each.start : each.end]) for each in article.passages)
    return max(ways, key=lambda way: (ways[way], way == direction(lang)), default=direction(lang))


def hostname(address: str) -> str | None:
    """Return the name of the site that an address leads to."""
    return urlsplit(address).hostname


def read_place(values: MultiDict[str, str]) -> Place:
    """Return what an address says of a place; what cannot be understood is named, and counts for nothing."""
    names = ("sha256", "start", "end", "words")
    given = {name: values.getlist(name) for name in names if any(values.getlist(name))}
    said = {name: value[0].lower() for name, value in given.items() if len(value) == 1}
    hashes = {name: re.fullmatch(f"[0-9a-f]{{{n}}}", said.get(name, "")) for name, n in _HASHES.items()}
    bad = {name for name, found in hashes.items() if name in given and not found}
    start, end = (said.get(name, "") for name in ("start", "end"))
    # ASCII digits only, and few: int() would also take «٣» and «1_0».
    whole = all(re.fullmatch("[0-9]{1,9}", each) for each in (start, end))
    span = Range(int(start), int(end)) if whole and int(start) < int(end) else None
    if span is None:
        bad |= {"start", "end"} & set(given)
    file, words = (found[0] if (found := hashes[name]) else None for name in ("sha256", "words"))
    return Place(file, span, words, tuple(name for name in given if name in bad))


def locate(place: Place, article: SplitDocument) -> tuple[Range | None, Fate]:
    """Return the range of an article's text that is marked, and what became of the words that were meant."""
    text, wanted = article.document.text, place.range
    changed = place.sha256 not in (None, article.document.file.sha256)
    if wanted is None:
        # A citation of a whole article has the hash of all of it.
        return None, "same" if changed and place.words == words_hash(text) else "none"
    there = text[wanted.start : wanted.end] if wanted.end <= len(text) else ""
    if place.words and there.strip() and words_hash(there) == place.words:
        return wanted, "same" if changed else "marked"
    if place.words and (moved := find_words(article, wanted.end - wanted.start, place.words)):
        return moved, "moved"
    if wanted.end > len(text):
        return None, "outside"
    if not there.strip():
        return None, "blank"  # such as a line that was cut
    return wanted, "doubtful" if changed or place.words else "marked"


def find_words(article: SplitDocument, length: int, hashed: str) -> Range | None:
    """Return where the words of a length and a hash stand, None where nowhere or not there alone.

    They are looked for from the beginning of a word or passage to the end of one, and no longer than
    pages may take.
    """
    text, hashing = article.document.text, 0
    if len(text) >= SCANNED:
        return None
    spans = [each.span() for each in _WORD.finditer(text)]
    spans += [(each.start, each.end) for each in article.passages]
    ends = {end for _, end in spans}
    for start in sorted({start for start, _ in spans}):
        if start + length not in ends:
            continue
        hashing += length + A_HASH
        if hashing > HASHED:
            return None
        words = text[start : start + length]
        if words_hash(words) == hashed:
            alone = text.find(words) == start and text.find(words, start + 1) < 0
            return Range(start, start + length) if alone else None
    return None


def found_in(searcher: Searcher, article: SplitDocument, near: Passage | None) -> SearchResult | None:
    """Return what the search that led here found of an article, None where there is none or it is not legal.

    `near` is the passage that the address leads to: what a list led to is always found.
    """
    if not request.args.get("q"):
        return None
    try:
        result = searcher.matches(read_request(request.args), article.document.doc_id, near)
    except WarraqError:
        return None
    record_search(result)
    return result


def _passage_at(article: SplitDocument, place: Range | None) -> Passage | None:
    return next((each for each in article.passages if place and place.meets(each)), None)


def matches_of(hits: Sequence[Hit], asked: AnyRequest, here: Range | None) -> Matches:
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


def parts(article: SplitDocument, here: Range | None, hits: Sequence[Hit]) -> list[Part]:
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
        for marked, each in groupby(_split_at_marks(text, span, here, within), key=lambda piece: piece[1]):
            pieces.append(
                Piece(marked, marked and not marked_before, [(part, word) for part, _, word in each])
            )
            marked_before = marked_before or marked
        found.append(Part(passage, text[span.start : span.end], pieces))
    return found


def _spans(article: SplitDocument) -> Iterator[tuple[Range, Passage | None]]:
    """Yield the ranges of passages and of the lines between them, in order."""
    text, at = article.document.text, 0
    for passage in (*article.passages, None):
        end = passage.start if passage else len(text)
        for line in _LINE.finditer(text, at, end):
            yield Range(line.start(), line.end()), None
        if passage:
            yield Range(passage.start, passage.end), passage
            at = passage.end


def _split_at_marks(
    text: str, span: Range, here: Range | None, words: Sequence[Range]
) -> Iterator[tuple[str, bool, bool]]:
    """Yield a range of a text, cut where a mark begins or ends: each part, whether named, whether matched."""
    borders = (edge for each in (*words, *([here] if here else ())) for edge in each)
    edges = sorted({*span, *(edge for edge in borders if span.start < edge < span.end)})
    for start, end in pairwise(edges):
        part = Range(start, end)
        shown = text[start:end].replace("\0", "\ufffd")  # HTML cannot hold a NUL
        yield shown, here is not None and part.meets(here), any(part.meets(word) for word in words)


def cite(article: SplitDocument, here: Range | None) -> Citation:
    """Return the citation of the words that the address names, else of the whole article."""
    document, passages = article.document, article.passages
    text, site = document.text, request.host_url.rstrip("/")
    if here:
        number = max((each.number for each in passages if each.start <= here.start), default=1)
        address = permanent_url(document, here.start, here.end, number)
    else:
        here = Range(passages[0].start, passages[-1].end) if passages else Range(0, len(text))
        version = urlencode({"sha256": document.file.sha256, "words": words_hash(text)})
        address = f"{document_url(document.doc_id, 1).partition('#')[0]}?{version}"
    return Citation(document, line_numbers(text, *here), text[here.start : here.end], f"{site}{address}")
