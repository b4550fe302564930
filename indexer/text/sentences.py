"""Split a passage into sentences: ranges that answer a question by themselves. Pure functions."""

import re
from itertools import pairwise

from indexer.text.normalize import ARABIC_LETTERS

SHORT = 25  # code points; a shorter sentence is joined to the one before it, the first to the one after it
LONG = 400  # code points; a longer sentence is divided, at a comma if it has one

Range = tuple[int, int]
"""Start and end in code points of the text that was split."""

_CLOSING = "\"'”’»)\\]"
_MARKS = ".…!?؟؛۔"
_END = re.compile(rf"(?<![{_MARKS}])[{_MARKS}]++[{_CLOSING}]*+(?=\s)")
_LINE_END = re.compile(r"[\r\n]+")
_COMMA = re.compile(r"[،,;:—–]\s+")
_SPACE = re.compile(r"\s+")
# A full stop after these ends no sentence: an initial, a title, an abbreviation with a word to come.
_ABBREVIATION = re.compile(
    rf"(?:^|[\s(\[\"«“'])(?:[A-Za-z{ARABIC_LETTERS}]|(?:[A-Za-z]\.)+[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|No|Gen|"
    r"Col|Lt|Sgt|Capt|Maj|Sen|Rep|Gov|Pres|Rev|Hon|Mt|Ft|Fig|Vol|pp|cf|ca|al|approx|e\.g|i\.e)$"
)


def split_sentences(text: str, *, wrapped: bool = False) -> list[Range]:
    """Return the ranges of the sentences of a passage, in order; what lies between them is white space.

    A sentence ends at its mark (. ! ? and the Arabic and Urdu ones, ellipses), with quotation marks and
    brackets that close, before white space; and at the end of a line, unless the text is hard-wrapped. A full
    stop after an initial or an abbreviation, inside a number, or before a small Latin letter ends none.
    """
    pieces = [
        piece
        for sentence in _joined(_between(text, _ends(text, wrapped=wrapped)))
        for piece in _divided(text, sentence)
    ]
    return pieces or [(0, len(text))]


def _ends(text: str, *, wrapped: bool) -> list[int]:
    ends = [match.end() for match in _END.finditer(text) if _is_end(text, match)]
    if not wrapped:
        ends += [match.start() for match in _LINE_END.finditer(text)]
    return sorted({*ends, len(text)})


def _is_end(text: str, match: re.Match[str]) -> bool:
    marks = match.group().rstrip(_CLOSING)
    if not set(marks) <= set(".…"):
        return True
    following = text[match.end() : match.end() + 8].lstrip()[:1]
    if following.islower():
        return False
    return not (marks == "." and _ABBREVIATION.search(text, max(0, match.start() - 12), match.start()))


def _between(text: str, ends: list[int]) -> list[Range]:
    """Return the ranges between these ends, without white space around them; blank ones are left out."""
    ranges = []
    for start, end in pairwise([0, *ends]):
        content = text[start:end]
        if content.strip():
            ranges.append((end - len(content.lstrip()), start + len(content.rstrip())))
    return ranges


def _joined(sentences: list[Range]) -> list[Range]:
    """Join each short sentence to its neighbour."""
    joined: list[Range] = []
    for start, end in sentences:
        if joined and (end - start < SHORT or joined[-1][1] - joined[-1][0] < SHORT):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _divided(text: str, sentence: Range) -> list[Range]:
    """Divide a long sentence at the comma, else the space, nearest its middle, and its halves again."""
    start, end = sentence
    if end - start <= LONG:
        return [sentence]
    middle = (start + end) // 2
    for pattern in (_COMMA, _SPACE):
        gaps = list(pattern.finditer(text, start + SHORT, end - SHORT))
        if gaps:
            gap = min(gaps, key=lambda match: abs(match.end() - middle))
            left = (start, start + len(text[start : gap.end()].rstrip()))
            return [*_divided(text, left), *_divided(text, (gap.end(), end))]
    return [sentence]
