"""The page of an article: its whole text, opened at the words that the address names or a search found."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
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
from web.pages.text_helpers import split_at_marks
from web.parameters import read_request
from web.prefix import at
from web.server.metrics import record_search
from web.service import service

SHOWN = 200  # passages and lines of an article on one page; a longer article is shown in parts
SCANNED = 2**20  # code points; moved words are not looked for in a longer article
HASHED = 2**24  # code points to hash in the search for moved words, at most
A_HASH = 200  # code points that take as long to hash as the fixed part of one hash

_HASHES = {"sha256": 64, "words": len(words_hash(""))}  # parameters with a hash: its number of hex digits
_PLACE_PARAMETERS = ("sha256", "start", "end", "words")
_LINE = re.compile(r"\S[^\r\n]*")  # a nonblank line from its first visible character
_WORD = re.compile(r"\S+")

blueprint = Blueprint("documents", __name__)


class Range(NamedTuple):
    """A range of a document's text, in code points, not empty."""

    start: int
    end: int

    def meets(self, other: "Range | Passage") -> bool:
        return self.start < other.end and other.start < self.end


class Place(NamedTuple):
    """The words that an address names: the version of the file, their range and their hash, if stated."""

    sha256: str | None
    range: Range | None
    words: str | None
    unreadable: tuple[str, ...]
    """The names of the parameters whose values are invalid; they are ignored."""


Fate = Literal["none", "marked", "same", "moved", "doubtful", "outside", "blank"]
"""The result of looking for the words that an address names.

none: the address names no words. marked: they are at their range. same: they are at their range although the
file has changed, or the whole text is the same. moved: they are found, and marked, at another range.
doubtful: their range is marked but may hold other words. outside: the text is too short for the range. blank:
the range holds no words, such as a line that was cut."""


class Piece(NamedTuple):
    """A piece of a text: whether the address names it, and its parts.

    A part has its text, whether it is a word that a search matched, and whether it answers the search.
    """

    marked: bool
    first: bool
    """Whether this is the first marked piece of the article."""
    parts: list[tuple[str, bool, bool]]


class Part(NamedTuple):
    """A part of an article's text as the page shows it: a passage, or a line between passages."""

    passage: Passage | None
    text: str
    pieces: list[Piece]

    @property
    def marked(self) -> bool:
        return any(piece.marked for piece in self.pieces)


class Window(NamedTuple):
    """The part of a long article that a page shows: passages, and the addresses of the parts around it."""

    first: int
    """The number of the first passage shown."""
    last: int
    total: int
    """The number of passages of the article."""
    spans: list[tuple[Range, Passage | None]]
    earlier: str | None
    later: str | None


class Matches(NamedTuple):
    """The passages of an article that a search found: their number, and the addresses of the nearest ones."""

    total: int
    number: int | None
    """The number of the passage that the address names, from 1; None if it names none of them."""
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
    search_request = result.request if result is not None else None
    hits = result.hits if result is not None else ()
    citation = cite(article, here)
    window = window_of(article, here or place.range or _read_at(request.args))
    newer, older = searcher.neighbours(doc_id)
    return render_template(
        "document.html",
        document=shown,
        asked=search_request,
        warnings=result.warnings if result is not None else (),
        damage=searcher.damage if result is None else None,  # the warnings of a result include it
        place=place,
        named=here,
        fate=fate,
        changed=place.sha256 not in (None, shown.file.sha256),
        state=service().file_state(searcher, shown),
        parts=parts(article, window.spans, here, hits),
        window=window,
        newer=newer,
        older=older,
        matches=matches_of(hits, search_request, here or place.range) if search_request else None,
        back=list_address(search_request, near) if search_request else None,
        direction_of_words=direction_of_words(article),
        citation=citation,
        citations=(plain(citation), markdown(citation)),
        lines=lines_of(citation),
        original=original_of(shown),
        record=record_of(shown),
        cut=service().cut_lines(searcher, article),
        hostname=hostname,
        permanent_url=lambda *place: at(permanent_url(*place)),
        shown_path=shown_path,
        title=title_of(shown),
    )


def direction_of_words(article: SplitDocument) -> str:
    """Return the direction of most passages, as far as the first `SHOWN` tell.

    It may differ from the direction of the article's language.
    """
    text, lang = article.document.text, article.document.lang
    counts = Counter(
        direction(passage.lang, text[passage.start : passage.end]) for passage in article.passages[:SHOWN]
    )
    own_direction = direction(lang)
    return max(counts, key=lambda way: (counts[way], way == own_direction), default=own_direction)


def hostname(address: str) -> str | None:
    """Return the host of a web address, or None."""
    return urlsplit(address).hostname


def read_place(values: MultiDict[str, str]) -> Place:
    """Return the words that a query string names; invalid parameters are listed in the place, and ignored."""
    stated = {name: values.getlist(name) for name in _PLACE_PARAMETERS if any(values.getlist(name))}
    single = {name: entries[0].lower() for name, entries in stated.items() if len(entries) == 1}
    hashes = {name: _read_hash(single.get(name, ""), digits) for name, digits in _HASHES.items()}
    span = _read_range(single.get("start", ""), single.get("end", ""))
    valid = {name for name, digest in hashes.items() if digest}
    if span:
        valid |= {"start", "end"}
    return Place(hashes["sha256"], span, hashes["words"], tuple(name for name in stated if name not in valid))


def _read_hash(value: str, digits: int) -> str | None:
    """Return a hash with this many hex digits; None if the value is something else."""
    return value if re.fullmatch(f"[0-9a-f]{{{digits}}}", value) else None


def _read_range(start: str, end: str) -> Range | None:
    """Return the range of two offsets; None unless they are whole numbers in ascending order."""
    # Accept a few ASCII digits only: int() would also accept «٣» and «1_0».
    if not all(re.fullmatch("[0-9]{1,9}", offset) for offset in (start, end)):
        return None
    return Range(int(start), int(end)) if int(start) < int(end) else None


def locate(place: Place, article: SplitDocument) -> tuple[Range | None, Fate]:
    """Return the range of an article's text to mark, if any, and the fate of the words that were named."""
    text, named = article.document.text, place.range
    changed = place.sha256 not in (None, article.document.file.sha256)
    if named is None:
        # The citation of a whole article has the hash of its whole text.
        return None, "same" if changed and place.words == words_hash(text) else "none"
    present_words = text[named.start : named.end] if named.end <= len(text) else ""
    if place.words and present_words.strip() and words_hash(present_words) == place.words:
        return named, "same" if changed else "marked"
    if place.words and (moved := find_words(article, named.end - named.start, place.words)):
        return moved, "moved"
    if named.end > len(text):
        return None, "outside"
    if not present_words.strip():
        return None, "blank"  # such as a line that was cut
    return named, "doubtful" if changed or place.words else "marked"


def find_words(article: SplitDocument, length: int, hashed: str) -> Range | None:
    """Return the range of the words with a length and a hash; None if they occur nowhere or more than once.

    Only ranges from the beginning of a word or passage to the end of one are tried, within the limits SCANNED
    and HASHED, which bound the time that a page takes.
    """
    text, cost = article.document.text, 0
    if len(text) >= SCANNED:
        return None
    spans = [word.span() for word in _WORD.finditer(text)]
    spans += [(passage.start, passage.end) for passage in article.passages]
    ends = {end for _, end in spans}
    for start in sorted({start for start, _ in spans}):
        if start + length not in ends:
            continue
        cost += length + A_HASH
        if cost > HASHED:
            return None
        words = text[start : start + length]
        if words_hash(words) == hashed:
            unique = text.find(words) == start and text.find(words, start + 1) < 0
            return Range(start, start + length) if unique else None
    return None


def found_in(searcher: Searcher, article: SplitDocument, near: Passage | None) -> SearchResult | None:
    """Return the matches of the address's search in an article; None if there is no search or an illegal one.

    `near` is the passage that the address names; it is always among the matches.
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
    return next((passage for passage in article.passages if place and place.meets(passage)), None)


def matches_of(hits: Sequence[Hit], search_request: AnyRequest, here: Range | None) -> Matches:
    """Return the number of matches, and the addresses of the matches before and after the named range.

    `here` is where the named words are now.
    """
    addresses = [hit_address(hit, search_request) for hit in hits]
    if here is None:
        return Matches(len(hits), None, None, addresses[0] if hits else None)
    count_before = sum(hit.passage.end <= here.start for hit in hits)
    names_a_match = count_before < len(hits) and here.meets(hits[count_before].passage)
    next_place = count_before + names_a_match
    return Matches(
        len(hits),
        count_before + 1 if names_a_match else None,
        addresses[count_before - 1] if count_before else None,
        addresses[next_place] if next_place < len(hits) else None,
    )


def _read_at(values: MultiDict[str, str]) -> Range | None:
    """Return the place in the text that the parameter `at` names, as a range of one code point."""
    at = values.get("at", "")
    return Range(int(at), int(at) + 1) if re.fullmatch("[0-9]{1,9}", at) else None


def window_of(article: SplitDocument, around: Range | None) -> Window:
    """Return the part of an article to show: all of it, or SHOWN passages and lines around a place."""
    start, total = around.start if around else 0, len(article.passages)
    nearest = max(0, bisect_right(article.passages, start, key=lambda passage: passage.start) - 1)
    spans = list(spans_of(article, max(0, nearest - SHOWN), nearest + SHOWN))
    if len(spans) <= SHOWN:
        return Window(1, total, total, spans, None, None)
    middle = max(0, bisect_right(spans, start, key=lambda entry: entry[0].start) - 1)
    first = min(max(0, middle - SHOWN // 2), len(spans) - SHOWN)
    shown = spans[first : first + SHOWN]
    numbers = [passage.number for _, passage in shown if passage] or [1]
    search = {name: value for name, value in request.args.items() if name not in (*_PLACE_PARAMETERS, "at")}
    url = at(document_url(article.document.doc_id, 1).partition("#")[0])

    def address(middle: int) -> str:
        at = spans[min(max(middle, 0), len(spans) - 1)][0].start
        return f"{url}?{urlencode({**search, 'at': at})}#words"

    earlier = address(first - SHOWN // 2) if first else None
    later = address(first + SHOWN + SHOWN // 2) if first + SHOWN < len(spans) else None
    return Window(numbers[0], numbers[-1], total, shown, earlier, later)


def parts(
    article: SplitDocument,
    spans: Sequence[tuple[Range, Passage | None]],
    here: Range | None,
    hits: Sequence[Hit],
) -> list[Part]:
    """Return the passages and the lines between them at these ranges of an article, each with its marks."""
    text, shown, marked_before = article.document.text, list[Part](), False
    words = [
        Range(hit.passage.start + highlight.start, hit.passage.start + highlight.end)
        for hit in hits
        for highlight in hit.highlights
    ]
    answers = [
        Range(hit.passage.start + hit.answer.start, hit.passage.start + hit.answer.end)
        for hit in hits
        if hit.answer
    ]
    kinds = ([here] if here else [], words, answers)
    for span, passage in spans:
        pieces = list[Piece]()
        marks = [[mark for mark in kind if span.meets(mark)] for kind in kinds]
        for marked, group in groupby(split_at_marks(text, span, marks), key=lambda part: part[1][0]):
            flagged = [
                (part.replace("\0", "\ufffd"), matched, answers)  # HTML cannot contain a NUL
                for part, (_, matched, answers) in group
            ]
            pieces.append(Piece(marked, marked and not marked_before, flagged))
            marked_before = marked_before or marked
        shown.append(Part(passage, text[span.start : span.end], pieces))
    return shown


def spans_of(
    article: SplitDocument, first: int = 0, end: int | None = None
) -> Iterator[tuple[Range, Passage | None]]:
    """Yield the ranges of passages and of the lines around them, in order.

    `first` and `end` count passages from 0; without them, all of the article.
    """
    text, passages = article.document.text, article.passages
    following = passages[end : end + 1] if end is not None else ()
    previous_end = passages[first - 1].end if first else 0
    for passage in (*passages[first:end], None):
        end_of_gap = passage.start if passage else following[0].start if following else len(text)
        for line in _LINE.finditer(text, previous_end, end_of_gap):
            yield Range(line.start(), line.end()), None
        if passage:
            yield Range(passage.start, passage.end), passage
            previous_end = passage.end


def cite(article: SplitDocument, here: Range | None) -> Citation:
    """Return the citation of the named range; without one, of the whole article."""
    document, passages = article.document, article.passages
    text, site = document.text, request.url_root.rstrip("/")
    if here:
        number = max((passage.number for passage in passages if passage.start <= here.start), default=1)
        address = permanent_url(document, here.start, here.end, number)
    else:
        here = Range(len(text) - len(text.lstrip()), len(text.rstrip())) if text.strip() else Range(0, 0)
        version = urlencode({"sha256": document.file.sha256, "words": words_hash(text)})
        address = f"{document_url(document.doc_id, 1).partition('#')[0]}?{version}"
    return Citation(document, line_numbers(text, *here), text[here.start : here.end], f"{site}{address}")
