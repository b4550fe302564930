"""Split a text into lines with exact ranges. Pure functions.

Only LF, CR LF and CR end a line. The other separators of `str.splitlines` occur inside sentences of scraped
text.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Line:
    """The range `start:end` of one line in a text, without the line end; `number` counts from 1."""

    number: int
    start: int
    end: int


def split_lines(text: str) -> list[Line]:
    """Return every line of a text, blank lines included."""
    lines: list[Line] = []
    for match in _LINE.finditer(text):
        if match.start() == len(text) and lines:
            break  # after the last line end there is no further line
        lines.append(Line(len(lines) + 1, match.start(1), match.end(1)))
    return lines


class LineNumbers:
    """Find the lines of ranges in one text; built once for many ranges."""

    def __init__(self, text: str) -> None:
        self._starts = [line.start for line in split_lines(text)]

    def of(self, start: int, end: int) -> tuple[int, int]:
        """Return the numbers of the first and the last line of the nonempty range `start:end`."""
        return bisect_right(self._starts, start), bisect_right(self._starts, end - 1)


def line_numbers(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the numbers of the first and the last line of one range, as `LineNumbers.of` does."""
    first = 1 + _line_ends(text, start)
    return first, first + _line_ends(text, end - 1) - _line_ends(text, start)


def _line_ends(text: str, before: int) -> int:
    """Count the line ends that are complete before an offset."""
    pairs = text.count("\r\n", 0, before)
    # Between CR and LF, the line end is still incomplete.
    halved = text[before - 1 : before + 1] == "\r\n"
    return text.count("\n", 0, before) + text.count("\r", 0, before) - pairs - halved


def nonblank_lines(text: str) -> list[Line]:
    """Return the nonblank lines of a text, without leading and trailing white space."""
    lines = []
    for line in split_lines(text):
        content = text[line.start : line.end]
        start = line.start + len(content) - len(content.lstrip())
        end = line.start + len(content.rstrip())
        if start < end:
            lines.append(Line(line.number, start, end))
    return lines
