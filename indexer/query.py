"""The language of queries: which words must stand in a passage, which must not, and where. Pure functions.

People type what they know from other search engines: "exact words", -word, -"words", +word, OR, and fields
such as source:NAME. What is no operator is text, so every query can be read. The text is ranked; the rest
decides which passages are ranked at all.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from indexer.request import LANGUAGE, Clause, Match, Operator, ParsedQuery, Role
from indexer.text.analysis import ascii_digits, tokens

# Opening marks, each with those that may close it. A single quote is an apostrophe more often.
_QUOTES = {'"': '"”', "“": '”"', "„": '“”"', "«": "»", "＂": "＂"}
_NO_MARKS = str.maketrans(dict.fromkeys("".join([*_QUOTES, *_QUOTES.values()]), " "))
_MINUS, _PLUS = "-−–", "+＋"
_FIELDS: dict[str, Role] = {
    "title": "title", "عنوان": "title", "العنوان": "title",
    "source": "source", "مصدر": "source", "المصدر": "source",
    "author": "author", "كاتب": "author", "الكاتب": "author",
    "lang": "lang", "language": "lang", "لغة": "lang", "اللغة": "lang",
    "after": "from", "since": "from", "بعد": "from", "before": "to", "قبل": "to",
}  # fmt: skip
_LANGUAGES = {
    "arabic": "ar", "عربي": "ar", "عربية": "ar", "العربية": "ar",
    "english": "en", "انجليزي": "en", "إنجليزي": "en", "انجليزية": "en", "إنجليزية": "en", "الإنجليزية": "en",
}  # fmt: skip
_FIELD = re.compile(r"([^\W\d_]+)[:：]")
_CLOSING = "".join(_QUOTES.values()) + " \t\r\n"
PROSE = 2  # words outside quotation marks of a question that is prose
_PUNCTUATION = ".,;:!?،؛؟…"  # behind the value of a field
_DAY = re.compile(r"([0-9]{4})(?:[-/]([0-9]{1,2})(?:[-/]([0-9]{1,2}))?)?")


class _Item(NamedTuple):
    start: int
    end: int
    sign: str
    field: Role | None
    quoted: bool
    value: str


@lru_cache(256)
def parse(query: str) -> ParsedQuery:
    """Return what a query says. Any text is a query; what is no operator is text."""
    items, text, operators = list(_items(query)), list[str](), list[Operator]()
    prose, place = _is_prose(query, items), 0
    while place < len(items):
        group = _joined_by_or(items, place)
        operator = _alternatives(group) if len(group) > 1 else _operator(items[place], prose=prose)
        start, end = items[place].start, items[place].end
        if operator:
            operators.append(operator)
            text += [operator.text] if operator.text else []
        elif text and place and items[place - 1].end == start:
            text[-1] += query[start:end]  # a sign right behind a quotation
        else:
            text.append(query[start:end])
        place += 2 * len(group) - 1
    return ParsedQuery(" ".join(text), tuple(operators))


def _items(query: str) -> Iterator[_Item]:
    """Yield the parts of a query that white space divides, a quotation as one part."""
    place = 0
    while place < len(query):
        if query[place].isspace():
            place += 1
            continue
        start, sign, field_ = place, "", None
        if query[place] in _MINUS + _PLUS and query[place + 1 : place + 2].strip():
            sign, place = "-" if query[place] in _MINUS else "+", place + 1
        if (match := _FIELD.match(query, place)) and match[1].lower() in _FIELDS:
            follows = query[match.end() : match.end() + 1]
            if follows.strip():
                field_, place = _FIELDS[match[1].lower()], match.end()
        closed = _closing(query, place)
        if closed:
            yield _Item(start, closed, sign, field_, True, query[place + 1 : closed - 1].strip())
            place = closed
            continue
        end = place
        while end < len(query) and not query[end].isspace():
            end += 1
        value = query[place:end]
        yield _Item(start, end, sign, field_, False, value.rstrip(_PUNCTUATION) if field_ else value)
        place = end


def _closing(query: str, place: int) -> int | None:
    """Return the place behind a quotation that begins here and holds a word; None where none does."""
    closing = _QUOTES.get(query[place : place + 1])
    if closing is None:
        return None
    for end in range(place + 1, len(query)):
        if query[end] in closing:
            return end + 1 if tokens(query[place + 1 : end]) else None
    return None


def _joined_by_or(items: Sequence[_Item], place: int) -> list[_Item]:
    """Return the item at a place and those that OR joins to it."""
    group = [items[place]]
    while (
        len(items) > place + 2
        and _is_or(items[place + 1])
        and all(_is_plain(item) for item in (*group, items[place + 2]))
    ):
        group.append(items[place + 2])
        place += 2
    return group


def _alternatives(group: Sequence[_Item]) -> Operator:
    values = tuple(dict.fromkeys(item.value for item in group))
    return Operator("any", " OR ".join(values), group[0].start, group[-1].end, alternatives=values)


def _is_or(item: _Item) -> bool:
    return not (item.sign or item.field or item.quoted) and item.value in ("OR", "|", "||")


def _is_plain(item: _Item) -> bool:
    return not (item.sign or item.field or _is_or(item)) and bool(tokens(item.value))


def _is_prose(query: str, items: Sequence[_Item]) -> bool:
    """Return whether a query is a whole question, in which quotation marks stand round names and titles."""
    outside = sum(not (item.sign or item.field or item.quoted) and bool(tokens(item.value)) for item in items)
    return query.rstrip(_CLOSING).endswith(("?", "؟")) and outside >= PROSE


def _operator(item: _Item, *, prose: bool) -> Operator | None:
    """Return what an item says besides its text; None where it is text alone."""
    if prose and item.quoted and not (item.sign or item.field):
        return None
    excluded = item.sign == "-"
    if item.field:
        value = _field_value(item.field, item.value)
        if value is None or (excluded and item.field in ("from", "to", "lang")):
            return None
        return Operator(item.field, value, item.start, item.end, excluded)
    if not (item.sign or item.quoted) or not tokens(item.value):
        return None
    if item.sign and item.value[0] in _MINUS + _PLUS:
        return None  # a row of signs
    role: Role = "phrase" if item.quoted else "excluded" if excluded else "required"
    return Operator(role, item.value, item.start, item.end, excluded)


def _field_value(field_: Role, value: str) -> str | None:
    """Return the value of a field as it is compared; None where it is none."""
    if field_ == "lang":
        code = _LANGUAGES.get(value.lower(), value.lower())
        return code if re.fullmatch(LANGUAGE, code) else None
    if field_ in ("from", "to"):
        first = _first_day(value)
        if first is None:
            return None
        try:
            return (first if field_ == "from" else first - timedelta(days=1)).isoformat()
        except OverflowError:
            return None
    if field_ == "title":
        return value if tokens(value) else None
    return value or None


def _first_day(value: str) -> date | None:
    """Return the first day of a year, a month or a day as people write it."""
    stated = _DAY.fullmatch(ascii_digits(value))
    if stated is None:
        return None
    try:
        return date(int(stated[1]), int(stated[2] or 1), int(stated[3] or 1))
    except ValueError:
        return None


def quoted(field: str, name: str) -> str | None:
    """Return a name in quotation marks as a field's value; None where no marks can hold it."""
    for in_marks in (f'"{name}"', f"«{name}»"):
        if [operator.value for operator in parse(f"{field}:{in_marks}").operators] == [name]:
            return in_marks
    return None


def unquoted(text: str) -> str:
    """Return a text without the marks that would ask for its words as they stand."""
    return " ".join(text.translate(_NO_MARKS).split())


def word_clauses(parsed: ParsedQuery) -> tuple[Clause, ...]:
    """Return the conditions on the words of a passage and of its article's title."""
    clauses = []
    for operator in parsed.operators:
        if operator.role == "any":
            matches = tuple(_words(value) for value in operator.alternatives)
            clauses.append(Clause(matches))
        elif operator.role == "title":
            clauses += [
                Clause((Match("title", (stem,)),), operator.excluded) for stem in _main_stems(operator.value)
            ]
        elif operator.role == "phrase":
            clauses.append(Clause((_exactly(operator.value),), operator.excluded))
        elif operator.role in ("required", "excluded"):
            clauses.append(Clause((_words(operator.value),), operator.excluded))
    return tuple(clauses)


def _words(value: str) -> Match:
    """Return the match of a word in any of its forms, or of several words as they stand."""
    stems = _main_stems(value)
    return Match("stem", tuple(stems)) if len(stems) == 1 else _exactly(value)


def _exactly(value: str) -> Match:
    return Match("surface", tuple(token.term for token in tokens(value) if token.kind == "surface"))


def _main_stems(value: str) -> list[str]:
    """Return one stem of each word, that of the word as it stands."""
    stems: dict[int, str] = {}
    for token in tokens(value):
        if token.kind == "stem":
            stems.setdefault(token.start, token.term)
    return list(stems.values())
