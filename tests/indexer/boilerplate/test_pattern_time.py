"""No pattern blows up: hostile lines are judged, cleaned and split in time that grows with their length."""

import re
import tomllib
from random import Random

import pytest

from indexer.boilerplate import patterns
from indexer.boilerplate.layout import clean
from indexer.datatypes import Document
from indexer.text.normalize import bare_letters
from indexer.text.passages import split_document
from tests.support.attack_strings import attacks, nested_repeats
from tests.support.time_bounds import at_most, quickest

CONTENT = tomllib.loads(patterns._PATTERNS.read_text("utf-8"))
MACROS = {name: f"(?:{'|'.join(words)})" for name, words in CONTENT["macros"].items()}
PATTERNS = [
    (name, kind, bare_letters(re.sub("<(network|share|channel)>", lambda macro: MACROS[macro[1]], pattern)))
    for name, rule in CONTENT["rules"].items()
    for kind in ("whole", "opening")
    for pattern in rule.get(kind, ())
]
HOSTILE = [
    "Home" + " ©" * 40 + "x" * 90, "عنا" + " ©" * 40 + "س" * 70, "App Store" + ", متجر متجر" * 18 + "س" * 40,
    "Recommended" + " by" * 30 + "x" * 30, "Home | About us | Contact | © 2024 Site 0 | " * 12 + "and so it goes on",
    "|" + " " * 40_000 + "x", "»" + "\u00a0" * 40_000 + "x", "a" + " " * 40_000 + "| b", "-" * 40_000, "a," * 20_000,
    "#a " * 20_000, ".\"'" * 20_000, "(تصوير " * 6_000, "<" * 40_000, "©" * 40_000, "x" * 200_000, "ا " * 60_000,
]  # fmt: skip
LONG_TEXTS = {
    "dots": "." * 65_000, "signs": "؟!" * 30_000, "contents": "Contents\n" + "\n".join(map(str, range(8_000))),
    "related": "\n".join(f"Related\nA headline about the thing number {at}" for at in range(2_000)),
    "questions": "\n".join(f"هل يعود الماء رقم {at}؟" for at in range(4_000)), "words": "ab\n" * 15_000,
    "titles": "A title of five words here\n" * 2_500, "comments": "Comments (3)\n" * 4_000,
    "networks": "Facebook\nTwitter\n" * 4_000, "tags": ", ".join(f"tag{at}" for at in range(20_000)),
}  # fmt: skip


def read(text):
    document, cuts = clean(Document("a.txt", "", text, "", "en"))
    return split_document(document, lambda piece: len(piece) // 4, 512, cuts)


@pytest.mark.parametrize(("name", "kind", "pattern"), PATTERNS)
def test_no_repeat_holds_another_that_may_take_its_text(name, kind, pattern):
    """A repeat in a repeat tries every way to share out a text, unless the outer one keeps what it has."""
    assert nested_repeats(pattern) == [], f"make the outer repeat of this pattern of {name} possessive"


def test_the_lint_knows_what_blows_up():
    assert nested_repeats("(?:a+ ?)*b")
    assert nested_repeats(r"(?:[\s|]+(?:x|y.{3,9}))*")
    assert not nested_repeats("(?:a+ ?)*+b")
    assert not nested_repeats("(?:ab|c)*")


def test_every_pattern_fails_in_time_on_what_it_nearly_matches():
    random = Random(5)
    lines = {line for _, _, pattern in PATTERNS for line in attacks(pattern, patterns.LONG, random)}
    assert len(lines) > 1_000
    slow = [
        line
        for line in sorted(lines)
        if quickest(lambda line=line: patterns.matching_rule(line), 0.05) > 0.05
    ]
    assert slow == []


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: line[:12])
def test_hostile_line_is_read_in_time(line):
    with at_most(2):
        read(
            f"A headline of the day\n{line}\nA paragraph of the article, which is long enough to be one of those."
        )


@pytest.mark.parametrize("name", LONG_TEXTS)
def test_time_grows_with_the_length(name):
    """Eight times the text takes about eight times as long; what is quadratic would take sixty-four."""
    text = LONG_TEXTS[name]
    eighth = quickest(lambda: read(text[: len(text) // 8]), 0.02)
    whole = quickest(lambda: read(text), 16 * eighth)
    assert whole < 16 * max(eighth, 0.02)
