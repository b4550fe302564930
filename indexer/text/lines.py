"""Lines of a text as exact ranges. Pure functions.

A line ends at LF, CR LF or CR only: the other separators that `str.splitlines` knows stand inside
scraped sentences.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Line:
    """The range `start:end` of a text without its line end; `number` counts from 1."""

    number: int
    start: int
    end: int


def split_lines(text: str) -> list[Line]:
    """Return every line of a text, blank ones too."""
    lines: list[Line] = []
    for match in _LINE.finditer(text):
        if match.start() == len(text) and lines:
            break  # what follows the last line end is no line
        lines.append(Line(len(lines) + 1, match.start(1), match.end(1)))
    return lines


class LineNumbers:
    """On which lines of a text its ranges stand."""

    def __init__(self, text: str) -> None:
        self._starts = [line.start for line in split_lines(text)]

    def of(self, start: int, end: int) -> tuple[int, int]:
        """Return the numbers of the first and the last line of the range `start:end`, not empty."""
        return bisect_right(self._starts, start), bisect_right(self._starts, end - 1)


def line_numbers(text: str, start: int, end: int) -> tuple[int, int]:
    """Return on which lines the range `start:end` of a text stands, as LineNumbers does, for one range."""
    first = 1 + _line_ends(text, start)
    return first, first + _line_ends(text, end - 1) - _line_ends(text, start)


def _line_ends(text: str, before: int) -> int:
    """Count the line ends that are over at an offset."""
    pairs = text.count("\r\n", 0, before)
    halved = text[before - 1 : before + 1] == "\r\n"  # a pair is over after its second half
    return text.count("\n", 0, before) + text.count("\r", 0, before) - pairs - halved


def nonblank_lines(text: str) -> list[Line]:
    """Return the lines of a text that are not blank, without the white space around them."""
    found = []
    for line in split_lines(text):
        content = text[line.start : line.end]
        start = line.start + len(content) - len(content.lstrip())
        end = line.start + len(content.rstrip())
        if start < end:
            found.append(Line(line.number, start, end))
    return found
