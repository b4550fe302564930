"""Strings that make a regular expression work hard: each of its repeats pumped, with an end that does not fit."""

import re._constants as codes
import re._parser as parser
from collections.abc import Iterator
from random import Random
from typing import Any

REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
ENDS = ("x" * 90, "!", "س", "\0")  # of an attack, where the pattern should fail
CANDIDATES = "b7 س-|x."  # characters of which one is outside any small set


def attacks(pattern: str, length: int, random: Random) -> Iterator[str]:
    """Yield strings of this length that a pattern nearly matches, some for each of its open repeats."""
    tree = parser.parse(pattern)
    for repeat in _repeats(tree):
        if repeat[1] != codes.MAXREPEAT and repeat[1] <= 4:
            continue
        for end in ENDS:
            times, text = 4, ""
            while len(text) < length - len(end) and times <= length:
                times *= 2
                text = _text(tree, repeat, times, random)
            yield text[: length - len(end)] + end


def nested_repeats(pattern: str) -> list[Any]:
    """Return the open repeats whose body repeats something too and that may give up what they have matched."""
    return [
        repeat
        for repeat in _repeats(parser.parse(pattern), giving_back=True)
        if (repeat[1] == codes.MAXREPEAT or repeat[1] > 8)
        and any(inner[0] != inner[1] for inner in _repeats(repeat[2]))
        and len(set(repeat[2].getwidth())) > 1
    ]


def _repeats(tree: Any, *, giving_back: bool = False) -> Iterator[Any]:
    """Yield the repeats in a parsed pattern; with `giving_back` only those that are not possessive."""
    for code, value in tree:
        if code in REPEATS:
            if not (giving_back and code == codes.POSSESSIVE_REPEAT):
                yield value
            yield from _repeats(value[2], giving_back=giving_back)
        elif code == codes.SUBPATTERN:
            yield from _repeats(value[3], giving_back=giving_back)
        elif code == codes.ATOMIC_GROUP:
            yield from _repeats(value, giving_back=giving_back)
        elif code == codes.BRANCH:
            for branch in value[1]:
                yield from _repeats(branch, giving_back=giving_back)


def _text(tree: Any, pumped: Any, times: int, random: Random) -> str:
    """Return a text for a parsed pattern in which one repeat has so many rounds and others the fewest."""
    text = ""
    for code, value in tree:
        if code in REPEATS:
            least, most, body = value
            rounds = min(times, int(most)) if value is pumped else int(least) or random.randint(0, 1)
            text += "".join(_text(body, pumped, times, random) for _ in range(rounds))
        elif code == codes.SUBPATTERN:
            text += _text(value[3], pumped, times, random)
        elif code == codes.ATOMIC_GROUP:
            text += _text(value, pumped, times, random)
        elif code == codes.BRANCH:
            leading = [branch for branch in value[1] if any(each is pumped for each in _repeats(branch))]
            text += _text(random.choice(leading or value[1]), pumped, times, random)
        else:
            text += _char(code, value, random)
    return text


def _char(code: Any, value: Any, random: Random) -> str:
    if code == codes.LITERAL:
        return chr(value)
    if code == codes.IN:
        return _char_outside(value[1:]) if value[0][0] == codes.NEGATE else _char_inside(random.choice(value))
    return "b" if code in (codes.ANY, codes.NOT_LITERAL) else ""


def _char_inside(member: Any) -> str:
    code, value = member
    if code == codes.LITERAL:
        return chr(value)
    if code == codes.RANGE:
        return chr(value[0])
    return {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_NOT_WORD": "-"}.get(str(value), "b")


def _char_outside(members: Any) -> str:
    return next((char for char in CANDIDATES if not any(_is_in(char, member) for member in members)), "b")


def _is_in(char: str, member: Any) -> bool:
    code, value = member
    if code == codes.LITERAL:
        return ord(char) == value
    if code == codes.RANGE:
        return value[0] <= ord(char) <= value[1]
    return {
        "CATEGORY_DIGIT": char.isdigit(), "CATEGORY_SPACE": char.isspace(), "CATEGORY_WORD": char.isalnum(),
        "CATEGORY_NOT_WORD": not char.isalnum(),
    }.get(str(value), False)  # fmt: skip
