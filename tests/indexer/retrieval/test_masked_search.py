"""What a query says beside its text holds for every hit in every mode, by an oracle of plain Python."""

import json
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer import build_index
from indexer.errors import RequestError
from indexer.query import parse
from indexer.text.analysis import tokens
from indexer.text.passages import searched_text
from tests.support.fakes import FakeModel
from tests.support.search_indexes import MODES, all_hits, open_fake_index

WORDS = [
    "grain",
    "ships",
    "The",
    "winter",
    "talks",
    "covid-19",
    "قمح",
    "الميناء",
    "ميناءٌ",
    "للسفن",
    "شتاء",
    "قمة",
]
SOURCES, AUTHORS = ["Okaz", "عكاظ اليوم", "Was"], ["Layla Haddad", "Omar", ""]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked")
    (folder / "archive").mkdir()
    rows, step = [], 0
    for number in range(150):
        lines = []
        for _ in range(1 + number % 2):
            line = []
            for _ in range(4 + number % 5):
                step = (step * 31 + 17 + number) % 9_973
                line.append(WORDS[step % len(WORDS)])
            lines.append(" ".join(line))
        rows.append(
            {
                "text": "\n".join(lines), "title": f"{WORDS[number % 12]} {WORDS[number % 7]} {number}",
                "source": SOURCES[number % 3], "author": AUTHORS[number % 3],
                "date": f"202{number % 4}-0{1 + number % 9}-15" if number % 5 else None,
            }
        )  # fmt: skip
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "archive" / "rows.jsonl").write_text(text, "utf-8")
    build_index(folder / "archive", folder / "index", FakeModel())
    with open_fake_index(folder / "index") as searcher:
        yield searcher


@pytest.fixture(scope="module")
def passages(searcher):
    """Every passage with its document, by id."""
    return Rows({row.passage.passage_id: row for row in searcher.store.rows()})


class Rows(dict):
    def __repr__(self):
        return f"{len(self)} passages"


@cache
def of_kind(text, kind):
    return [token.term for token in tokens(text) if token.kind == kind]


def has_words(row, value, quoted):
    """Whether a passage has words as they stand or, of a single word, any form of it."""
    text, wanted = searched_text(row.document, row.passage), of_kind(value, "surface")
    if len(wanted) == 1 and not quoted:
        return of_kind(value, "stem")[0] in of_kind(text, "stem")
    present = of_kind(text, "surface")
    return any(present[at : at + len(wanted)] == wanted for at in range(len(present)))


def admits(query, row):
    """Whether a query lets a passage in."""
    parsed, document = parse(query), row.document
    for each in parsed.operators:
        if each.role in ("source", "author"):
            continue
        holds = {
            "phrase": lambda each=each: has_words(row, each.value, True),
            "required": lambda each=each: has_words(row, each.value, False),
            "excluded": lambda each=each: has_words(row, each.value, False),
            "any": lambda each=each: any(has_words(row, value, False) for value in each.alternatives),
            "title": lambda each=each: (
                {of_kind(word, "stem")[0] for word in each.value.split() if tokens(word)}
                <= set(of_kind(document.title, "stem"))
            ),
            "lang": lambda each=each: row.passage.lang == each.value,
            "from": lambda each=each: bool(document.published and document.published >= each.value),
            "to": lambda each=each: bool(document.published and document.published <= each.value),
        }[each.role]()
        if holds == each.excluded:
            return False
    for label in ("source", "author"):
        value = getattr(document, label).casefold()
        for excluded in (False, True):
            named = [
                each.value for each in parsed.operators if (each.role, each.excluded) == (label, excluded)
            ]
            if named and any(f" {name.casefold()} " in f" {value} " for name in named) == excluded:
                return False
    return True


word = st.sampled_from([*WORDS, "ship", "wint", "سفن", "2021"])
words = st.lists(word, min_size=1, max_size=3).map(" ".join)
operators = st.one_of(
    words.map('"{}"'.format), words.map("«{}»".format), word.map("-{}".format), words.map('-"{}"'.format),
    word.map("+{}".format), st.tuples(word, word).map(" OR ".join), word.map("title:{}".format),
    word.map("-title:{}".format), st.sampled_from(["Okaz", "عكاظ", "was", "none"]).map("source:{}".format),
    st.sampled_from(["okaz", '"عكاظ اليوم"', "none"]).map("-source:{}".format),
    st.sampled_from(['author:"layla haddad"', "author:Omar", "-author:haddad", "lang:ar", "lang:en",
                     "after:2022", "before:2022-05", "قبل:2023-01-15", "بعد:٢٠٢١-٠٢"]),
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words, st.lists(operators, min_size=1, max_size=3))
def test_every_hit_is_one_that_the_query_admits(searcher, passages, mode, text, said):
    query = " ".join([text, *said])
    expected = {passage_id for passage_id, row in passages.items() if admits(query, row)}
    found = {hit.passage.passage_id for hit in all_hits(searcher, query, mode=mode)}
    assert found <= expected
    if mode != "lexical":  # meaning ranks every passage that is let in
        assert len(found) == min(len(expected), 200)


@pytest.mark.parametrize("query", ["-grain", "source:okaz", "lang:ar after:2022", '-"x y" -title:z'])
def test_a_query_without_anything_to_rank_is_refused(searcher, query):
    with pytest.raises(RequestError, match="only says what to leave out or where to look") as caught:
        searcher.search(query)
    assert caught.value.code == "nothing_asked"


def test_the_result_says_what_was_understood(searcher):
    result = searcher.search("+winter grain source:okaz after:2021")
    assert result.parsed.text == "winter grain"
    assert [operator.role for operator in result.parsed.operators] == ["required", "source", "from"]
    undated = [notice for notice in result.warnings if notice.code == "undated"]
    assert [notice.count for notice in undated] == [
        len({
            row.document.doc_id for row in searcher.store.rows()
            if row.document.published is None and row.document.source == "Okaz"
            and has_words(row, "winter", False)
        })
    ]  # fmt: skip


def test_filters_of_a_request_hold_too(searcher, passages):
    found = all_hits(searcher, "grain -ships", source="Okaz", lang="ar")
    assert {hit.passage.passage_id for hit in found} == {
        passage_id for passage_id, row in passages.items()
        if row.document.source == "Okaz" and row.passage.lang == "ar" and admits("grain -ships", row)
    }  # fmt: skip


@pytest.mark.parametrize("query", ["؟", "?!", "...", "+", "«»", "- –"])
def test_signs_alone_find_nothing(searcher, query):
    result = searcher.search(query)
    assert (result.hits, result.total) == ((), 0)
    assert [notice.code for notice in result.warnings] == ["no_word"]


@pytest.mark.parametrize("query", ["❤", "7", "x", "ق"])
def test_one_letter_number_or_picture_is_a_question(searcher, query):
    assert searcher.search(query).parsed.text == query


@pytest.mark.parametrize(
    ("query", "filters", "told"),
    [
        ("grain", {"lang": "xx"}, ["No passage is in the language xx."]),
        ("grain lang:fr", {}, ["No passage is in the language fr."]),
        ("grain", {"source": "Okas", "author": "Nobody"},
         ["No article is of the source Okas.", "No article is by Nobody."]),
        ("grain source:Okas", {}, ["No article has a source or an author of that name."]),
        ("grain -source:Okas", {"lang": "ar", "source": "Okaz"}, []),
    ],
)  # fmt: skip
def test_a_name_that_the_archive_does_not_have_is_told(searcher, query, filters, told):
    result = searcher.search(query, **filters)
    assert [str(notice) for notice in result.warnings] == told
    assert bool(result.hits) == (told == [])
