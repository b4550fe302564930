"""Split a document into passages: exact ranges of its text that the model can read whole. Pure functions.

A paragraph is a nonblank line; if the text is hard-wrapped, adjacent lines form a paragraph. A heading begins
a section and belongs to the first passage of it. No passage spans a line that was cut. A paragraph that is
too short to mean anything is joined to its neighbour in the section. A paragraph that is too long for the
model is split at the sentence end nearest its middle, and its halves again if needed; without a sentence end,
at a space; never inside a word.
"""

import math
import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from indexer.datatypes import Cut, Document, Passage, SplitDocument
from indexer.text.language import UNDETERMINED, paragraph_language
from indexer.text.lines import Line, nonblank_lines

SHORT = 40  # code points; a shorter paragraph is joined to its neighbour
JOINED = 600  # code points; the limit of joining, so that a list of short lines stays findable
HEADING = 100  # code points; a longer line is a paragraph
WRAP_WIDTHS = range(30, 121)  # code points; line lengths at which people and programs wrap text

_SENTENCE_END = re.compile(r"[.!?؟؛;…۔]+[\"'”’»)\]]*\s+")
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
    wrapped = is_hard_wrapped(text)
    spans = [
        piece
        for run in _runs(lines, [cut.line for cut in cuts])
        for section in _sections(text, _paragraphs(run, wrapped=wrapped), titled=run[0] is lines[0])
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


def _runs(lines: list[Line], cut_numbers: list[int]) -> Iterator[list[Line]]:
    """Yield the runs of lines between cut lines; `cut_numbers` are sorted."""
    for _, run in groupby(lines, lambda line: bisect(cut_numbers, line.number)):
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


def _sections(text: str, paragraphs: list[_Span], *, titled: bool) -> Iterator[list[_Span]]:
    """Yield the paragraphs of each section, with its heading joined to the first of them.

    `titled`: the first paragraph is the article's title.
    """
    section: list[_Span] = []
    heading: _Span | None = None
    headings = _headings(text, paragraphs, titled=titled)
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


def _headings(text: str, paragraphs: list[_Span], *, titled: bool) -> set[int]:
    """Return the places of the headings: short lines directly above a long line or another heading."""
    headings: set[int] = set()
    for place in reversed(range(len(paragraphs) - 1)):
        content, after = text[paragraphs[place].start : paragraphs[place].end], paragraphs[place + 1]
        if place == 0 and titled:  # a title may be longer than other headings
            is_heading = len(content) <= 2 * HEADING
        else:
            heads_text = after.end - after.start > HEADING
            # Up to three short lines in a row are headings; more are a list.
            heads_heading = place + 1 in headings and place + 3 not in headings
            is_heading = (
                len(content) <= HEADING
                and (heads_text or heads_heading)
                and not _ENDS_SENTENCE.search(content)
            )
        if is_heading:
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
    """Yield the pieces of a range, each of which fits or is a single word, in order."""
    pending = [span]
    while pending:
        part = pending.pop()
        gap = None if fits(part) else _middle_gap(text, part)
        if gap is None:
            yield part
        else:
            pending += [_Span(gap.end, part.end), _Span(part.start, gap.start)]


def _middle_gap(text: str, span: _Span) -> _Span | None:
    """Return the white space nearest the middle, after a sentence end if possible; None if there is none."""
    middle = (span.start + span.end) // 2
    for pattern in (_SENTENCE_END, _SPACE):
        gaps = (
            _Span(match.end() - len(space), match.end())
            for match in pattern.finditer(text, span.start, span.end)
            if (space := _SPACE.search(match.group()).group())  # type: ignore[union-attr]
            and not (pattern is _SENTENCE_END and _LINE_END.search(space))  # a line end may follow a heading
        )
        nearest = min(gaps, key=lambda gap: abs(gap.start - middle), default=None)
        if nearest is not None:
            return nearest
    return None
