"""Split a document into passages: exact ranges of its text that the model can read whole. Pure functions.

A paragraph is a nonblank line; if the text is hard-wrapped, adjacent lines form a paragraph. A heading begins
a section and belongs to the first passage of it. The article's title and its byline belong to none: they head
every hit. No passage spans a line that was cut. A paragraph that is too short to mean anything is joined to
its neighbour in the section. A paragraph that is too long to be read at a glance is split at the sentence end
nearest its middle, and its halves again if needed; one that is too long for the model also at a space; never
inside a word.
"""

import math
import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from indexer.datatypes import Cut, Document, Passage, SplitDocument
from indexer.text.analysis import terms
from indexer.text.byline import author_of
from indexer.text.language import UNDETERMINED, paragraph_language
from indexer.text.lines import Line, nonblank_lines

SHORT = 40  # code points; a shorter paragraph is joined to its neighbour
JOINED = 600  # code points; the limit of joining, so that a list of short lines stays findable
HEADING = 100  # code points; a longer line is a paragraph
LONG = 800  # code points; a longer paragraph is split at a sentence end if it has one
LEAST = 200  # code points of a piece that is split off because of that
TOP = 12  # lines in which the title is looked for
WRAP_WIDTHS = range(30, 121)  # code points; line lengths at which people and programs wrap text

# The look-behind keeps a search through a long row of signs from starting at each of them.
_SENTENCE_END = re.compile(r"(?<![.!?؟؛;…۔])[.!?؟؛;…۔]++[\"'”’»)\]]*+\s+")
_SPACE = re.compile(r"\s+")
_LINE_END = re.compile("[\r\n]")
_ENDS_SENTENCE = re.compile(r"[.!?؟؛;:…۔،,][\"'”’»)\]]*$")
_CODE_POINTS_A_TOKEN = 64  # the most that one token covers; longer texts exceed the window without counting


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int


CountTokens = Callable[[str], int]


def split_document(
    document: Document, count_tokens: CountTokens, window: int, cuts: Sequence[Cut] = ()
) -> SplitDocument:
    """Split a document into passages whose embedded text has at most `window` tokens.

    Cut lines are blank in the document's text, and no passage spans one. Only a single word that is longer
    than the window makes a longer passage; the model then reads its beginning.
    """
    text = document.text

    def fits(span: _Span) -> bool:
        if span.end - span.start > window * _CODE_POINTS_A_TOKEN:
            return False
        return count_tokens(text[span.start : span.end]) <= window

    lines = nonblank_lines(text)
    heads = _heading_lines(text, lines, document)
    wrapped = is_hard_wrapped(text)
    spans = [
        piece
        for run in _runs(lines, heads, [cut.line for cut in cuts])
        for section in _sections(text, _paragraphs(run, wrapped=wrapped))
        # Second pass without the length limit: a paragraph that is still short now has a long neighbour, so
        # joining cannot glue a list together.
        for unit in _join_short(_join_short(section, fits, JOINED), fits)
        for piece in _split_to_fit(text, unit, fits)
    ]
    passages = []
    line = 0
    for number, span in enumerate(spans, 1):
        while lines[line].end <= span.start:
            line += 1
        last = line
        while lines[last].end < span.end:
            last += 1
        lang = paragraph_language(text[span.start : span.end])
        passages.append(
            Passage(
                document.doc_id,
                number,
                span.start,
                span.end,
                lines[line].number,
                lines[last].number,
                document.lang if lang == UNDETERMINED else lang,
            )
        )
    return SplitDocument(document, tuple(passages), tuple(cuts))


def passage_texts(article: SplitDocument) -> list[str]:
    """Return the texts of an article's passages, in order; the model embeds these and nothing else.

    With the article's title before each passage, English questions found Arabic passages less often.
    """
    text = article.document.text
    return [text[passage.start : passage.end] for passage in article.passages]


def searched_text(document: Document, passage: Passage) -> str:
    """Return the text whose words find a passage: its own, and before the first passage the title."""
    text = document.text[passage.start : passage.end]
    if passage.number > 1 or text.startswith(document.title.removesuffix("…")):  # one shortened, or alone
        return text
    return f"{document.title}\n{text}"


def _title_line(text: str, lines: list[Line], title: str) -> Line | None:
    """Return the line with the title, if there is one and other lines too."""
    words = terms(title, "surface")
    if not words or len(lines) < 2:
        return None
    return next(
        (line for line in lines[:TOP] if terms(text[line.start : line.end], "surface") == words), None
    )


def _heading_lines(text: str, lines: list[Line], document: Document) -> list[Line]:
    """Return the lines with the article's title and author, unless no other line would be left."""
    title = _title_line(text, lines, document.title)
    bylines = [
        line
        for line in [*lines[:TOP], *lines[TOP:][-1:]]
        if document.author and author_of(text[line.start : line.end]) == document.author
    ]
    heads = [*([title] if title else []), *bylines[:1]]
    return heads if len(heads) < len(lines) else heads[: len(lines) - 1]


def _runs(lines: list[Line], heads: list[Line], cut_numbers: list[int]) -> Iterator[list[Line]]:
    """Yield the runs of lines between the headings of the article and cut lines; `cut_numbers` are sorted."""
    ends = sorted([*cut_numbers, *(line.number for line in heads)])
    others = (line for line in lines if line not in heads)
    for _, run in groupby(others, lambda line: bisect(ends, line.number)):
        yield list(run)


def _paragraphs(lines: list[Line], *, wrapped: bool) -> list[_Span]:
    if not wrapped:
        return [_Span(line.start, line.end) for line in lines]
    paragraphs = [_Span(lines[0].start, lines[0].end)]
    for previous, line in pairwise(lines):
        if line.number == previous.number + 1:
            paragraphs[-1] = _Span(paragraphs[-1].start, line.end)
        else:
            paragraphs.append(_Span(line.start, line.end))
    return paragraphs


def is_hard_wrapped(text: str) -> bool:
    """Return whether nearly all lines break because the next word would exceed the longest line."""
    lines = nonblank_lines(text)
    width = max((line.end - line.start for line in lines), default=0)
    if width not in WRAP_WIDTHS:
        return False
    breaks = [(a, b) for a, b in pairwise(lines) if b.number == a.number + 1]
    full = sum(
        line.end - line.start + 1 + len(text[after.start : after.end].split(maxsplit=1)[0]) > width
        for line, after in breaks
    )
    return len(breaks) >= 3 and full >= 0.9 * len(breaks)


def _sections(text: str, paragraphs: list[_Span]) -> Iterator[list[_Span]]:
    """Yield the paragraphs of each section, with its heading joined to the first of them."""
    section: list[_Span] = []
    heading: _Span | None = None
    headings = _headings(text, paragraphs)
    for place, paragraph in enumerate(paragraphs):
        if place in headings:
            if heading is None:
                if section:
                    yield section
                section, heading = [], paragraph
            continue
        section.append(_Span(heading.start if heading else paragraph.start, paragraph.end))
        heading = None
    if section:
        yield section


def _headings(text: str, paragraphs: list[_Span]) -> set[int]:
    """Return the places of the headings: short lines directly above a long line or another heading."""
    headings: set[int] = set()
    for place in reversed(range(len(paragraphs) - 1)):
        content, after = text[paragraphs[place].start : paragraphs[place].end], paragraphs[place + 1]
        heads_text = after.end - after.start > HEADING
        # Up to three short lines in a row are headings; more are a list.
        heads_heading = place + 1 in headings and place + 3 not in headings
        if len(content) <= HEADING and (heads_text or heads_heading) and not _ENDS_SENTENCE.search(content):
            headings.add(place)
    return headings


def _join_short(section: list[_Span], fits: Callable[[_Span], bool], limit: float = math.inf) -> list[_Span]:
    """Join adjacent paragraphs of a section if one of them is short, up to `limit` code points."""
    joined: list[_Span] = []
    for span in section:
        if joined and (_is_short(span) or _is_short(joined[-1])):
            both = _Span(joined[-1].start, span.end)
            if both.end - both.start <= limit and fits(both):
                joined[-1] = both
                continue
        joined.append(span)
    return joined


def _is_short(span: _Span) -> bool:
    return span.end - span.start < SHORT


def _split_to_fit(text: str, span: _Span, fits: Callable[[_Span], bool]) -> Iterator[_Span]:
    """Yield the pieces of a range, in order, each short enough unless it cannot be split."""
    pending = [span]
    while pending:
        part = pending.pop()
        gap = None
        if not fits(part):
            gap = _middle_gap(text, part, _SENTENCE_END) or _middle_gap(text, part, _SPACE)
        elif part.end - part.start > LONG:
            gap = _middle_gap(text, part, _SENTENCE_END, LEAST)
        if gap is None:
            yield part
        else:
            pending += [_Span(gap.end, part.end), _Span(part.start, gap.start)]


def _middle_gap(text: str, span: _Span, pattern: re.Pattern[str], least: int = 1) -> _Span | None:
    """Return the white space nearest the middle that ends a match; None if there is none.

    Both sides of it have at least `least` code points.
    """
    middle = (span.start + span.end) // 2
    gaps = (
        _Span(match.end() - len(space), match.end())
        for match in pattern.finditer(text, span.start, span.end)
        if (space := _SPACE.search(match.group()).group())  # type: ignore[union-attr]
        and not (pattern is _SENTENCE_END and _LINE_END.search(space))  # a line end may follow a heading
    )
    far_enough = (gap for gap in gaps if gap.start - span.start >= least and span.end - gap.end >= least)
    return min(far_enough, key=lambda gap: abs(gap.start - middle), default=None)
