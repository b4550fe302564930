"""The language of queries: what is an operator, and what is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.query import parse, word_clauses
from indexer.request import Clause, Match


def said(query):
    """The text, and each operator as its role, its value and how it is written; a minus where it excludes."""
    parsed = parse(query)
    return parsed.text, [
        ("-" * each.excluded + each.role, each.value, query[each.start : each.end])
        for each in parsed.operators
    ]


@pytest.mark.parametrize(
    ("query", "text", "operators"),
    [
        ("who helped?", "who helped?", []),
        ('"exact words" of him', "exact words of him", [("phrase", "exact words", '"exact words"')]),
        ("«ممر الحبوب»؟", "ممر الحبوب؟", [("phrase", "ممر الحبوب", "«ممر الحبوب»")]),
        ("“a b” c", "a b c", [("phrase", "a b", "“a b”")]),
        ("grain -wheat", "grain", [("-excluded", "wheat", "-wheat")]),
        ("grain −wheat", "grain", [("-excluded", "wheat", "−wheat")]),
        ('grain -"winter wheat"', "grain", [("-phrase", "winter wheat", '-"winter wheat"')]),
        ('who wrote +"the talks"?', "who wrote the talks?", [("phrase", "the talks", '+"the talks"')]),
        ('what "mercy"?', "what mercy?", [("phrase", "mercy", '"mercy"')]),
        ("+grain ship", "grain ship", [("required", "grain", "+grain")]),
        ('+"grain ship"', "grain ship", [("phrase", "grain ship", '+"grain ship"')]),
        ("wheat OR barley OR rye now", "wheat barley rye now",
         [("any", "wheat OR barley OR rye", "wheat OR barley OR rye")]),
        ('قمح | "شعير جديد"', "قمح شعير جديد", [("any", "قمح OR شعير جديد", 'قمح | "شعير جديد"')]),
        ("title:summit peace", "summit peace", [("title", "summit", "title:summit")]),
        ('-title:"peace summit" x', "x", [("-title", "peace summit", '-title:"peace summit"')]),
        ("عنوان:قمة سلام", "قمة سلام", [("title", "قمة", "عنوان:قمة")]),
        ("x source:okaz, Source:was", "x", [("source", "okaz", "source:okaz,"), ("source", "was", "Source:was")]),
        ("x -مصدر:عكاظ", "x", [("-source", "عكاظ", "-مصدر:عكاظ")]),
        ('x author:"Layla Haddad"', "x", [("author", "Layla Haddad", 'author:"Layla Haddad"')]),
        ("x lang:AR lang:english لغة:عربي", "x",
         [("lang", "ar", "lang:AR"), ("lang", "en", "lang:english"), ("lang", "ar", "لغة:عربي")]),
        ("x after:2024", "x", [("from", "2024-01-01", "after:2024")]),
        ("x before:2024-03", "x", [("to", "2024-02-29", "before:2024-03")]),
        ("x قبل:٢٠٢٤/٠٥/٠٦ بعد:2023-1", "x",
         [("to", "2024-05-05", "قبل:٢٠٢٤/٠٥/٠٦"), ("from", "2023-01-01", "بعد:2023-1")]),
        ("-x", "", [("-excluded", "x", "-x")]),
    ],
)  # fmt: skip
def test_operators_are_understood(query, text, operators):
    assert said(query) == (text, operators)


@pytest.mark.parametrize(
    "query",
    [
        "covid-19 and F-16", "a - b", "5 + 3", "--help", "-", "+", "- -", "-؟", '"', '""', '" "', '"unclosed words',
        "«ناقص", "don't 'quote' this", "OR", "OR x", "x OR", "x OR OR", "x or y", "قمح أو شعير", "10:30 today",
        "https://example.org/a?b=-c", "Subject: hello", "title:", "title: news", "lang:klingon", "lang:",
        "before:yesterday", "after:2024-13", "after:2024-02-30", "before:0001", "-lang:ar", "-after:2024", "title:؟",
        "قال: نعم", 'Who wrote the novel "Season of Migration"?', "إلى أي درجة حرارة تُبرَّد كاميرا «ميري»؟",
        'ماذا عنت "دا يوان"؟', 'Why were they called "the Methodists?"', "a:b:c", "source:", "C++ and c-",
    ],
)  # fmt: skip
def test_everything_else_is_text(query):
    assert said(query) == (" ".join(query.split()), [])


def test_clauses_are_terms_of_the_index():
    assert word_clauses(parse('"The Ships" -ships +الميناء title:قمم a OR "b c"')) == (
        Clause((Match("surface", ("the", "ships")),)),
        Clause((Match("stem", ("ship",)),), excluded=True),
        Clause((Match("stem", ("مينا",)),)),
        Clause((Match("title", ("قمم",)),)),
        Clause((Match("stem", ("a",)), Match("surface", ("b", "c")))),
    )
    assert word_clauses(parse("-covid-19")) == (Clause((Match("surface", ("covid", "19")),), excluded=True),)
    assert word_clauses(parse("source:x lang:ar after:2024 plain")) == ()


@pytest.mark.parametrize(
    ("query", "place", "without"),
    [
        ('who -x "a b" said', 0, 'who "a b" said'), ('who -x "a b" said', 1, "who -x a b said"),
        ("wheat OR rye now", 0, "wheat rye now"), ("x source:a y", 0, "x y"), ('"a b"', 0, "a b"),
        ("+x -title:y", 1, "+x"),
    ],
)  # fmt: skip
def test_an_operator_can_be_taken_off(query, place, without):
    parsed = parse(query)
    assert parsed.without(query, parsed.operators[place]) == without


PIECES = st.sampled_from(
    ["grain", "ship", "قمح", "الميناء", "OR", "|", "-", "+", '"', "«", "»", "“", "”", ":", "title:", "source:",
     "lang:ar", "before:2024", " ", " ", " ", "\n", "؟", "x-y", "٢٠٢٤", "\u0640", "\u064e", "-\u200f"]
)  # fmt: skip
queries = st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text(max_size=40))


@given(queries)
def test_every_text_is_a_query(query):
    parsed = parse(query)
    ends = [0]
    for operator in parsed.operators:
        assert ends[-1] <= operator.start < operator.end <= len(query)
        assert operator.value.strip()
        ends.append(operator.end)
    # No letter is lost: what is not in an operator is in the text, in order.
    outside = (
        "".join(query[end : operator.start] for end, operator in zip(ends, parsed.operators, strict=False))
        + query[ends[-1] :]
    )
    remaining = iter("".join(parsed.text.split()))
    assert all(char in remaining for char in "".join(outside.split()))
    for clause in word_clauses(parsed):
        assert clause.any_of
        assert all(match.words and all(match.words) for match in clause.any_of)


@given(queries)
def test_a_query_without_its_operators_has_none(query):
    parsed = parse(query)
    for _ in range(len(query)):
        if parsed.operators:
            query = parsed.without(query, parsed.operators[0])
            parsed = parse(query)
    assert parsed.operators == ()
