"""Cells of CSV files as spreadsheets read them. Pure functions.

A spreadsheet runs a cell that begins with = or a similar sign as a formula. A cell therefore has an
apostrophe before such a sign wherever a cell may begin; some spreadsheets also split lines at semicolons or
tabs, and texts at their line ends.
"""

import unicodedata

BYTE_ORDER_MARK = "\ufeff"  # without it, Excel does not decode the file as UTF-8
_FORMULA = frozenset("=+-@|%")
_BEFORE_CELLS = frozenset(";\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")


def cell(text: str) -> str:
    """Return a text as a cell in which no spreadsheet finds a formula.

    Spreadsheets skip white space, quotes and invisible characters before a formula, and accept the full-width
    signs of East Asian keyboards.
    """
    escaped, at_beginning = list[str](), True
    for char in text:
        if at_beginning and not _is_skipped(char):
            if unicodedata.normalize("NFKC", char)[0] in _FORMULA:
                escaped.append("'")
            at_beginning = False
        at_beginning = at_beginning or char in _BEFORE_CELLS
        escaped.append(char)
    return "".join(escaped)


def _is_skipped(char: str) -> bool:
    return char == '"' or char.isspace() or unicodedata.category(char) in ("Cc", "Cf")
