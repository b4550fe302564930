"""The values at the boundaries: what a question may be, and what a hit quotes."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.datatypes import Candidate, Document, Highlight, Hit, Passage
from indexer.errors import RequestError
from indexer.request import COPIES, MODES, SearchRequest


def refusal(query="question", **values):
    with pytest.raises(RequestError) as caught:
        SearchRequest(query, **values)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    "query",
    ["", " ", "\t\r\n", "\u00a0\u2003", "\0", "\x1b\x7f", "\u200f\u200e\u202b", " \0\n\u200b", " " * 10_000],
)
def test_a_question_of_white_space_and_controls_is_empty(query):
    assert refusal(query)[0] == "empty_query"


@pytest.mark.parametrize(
    "query",
    [
        "a",
        "؟",
        '"',
        '"unclosed',
        "+a -b",
        "(((",
        "a AND NOT",
        "title:*",
        "\\",
        "\0a",
        "\u202eا",
        "🕊",
        "%",
        "ء",
    ],
)
def test_every_other_question_is_accepted(query):
    assert SearchRequest(query).query == query


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=990))
def test_a_question_is_kept_as_it_was_asked(text):
    assert SearchRequest(f"q{text}").query == f"q{text}"


def test_a_question_has_up_to_1000_code_points():
    assert SearchRequest("🕊" * 1_000).query == "🕊" * 1_000
    code, message = refusal("س" * 1_001)
    assert code == "query_too_long"
    assert "1,001" in message
    assert "1,000" in message


@pytest.mark.parametrize("query", ["\ud800", "a\udfffb"])
def test_lone_surrogate_is_refused(query):
    assert refusal(query)[0] == "bad_query"


@pytest.mark.parametrize(
    ("name", "legal", "illegal"),
    [
        ("limit", [1, 10, 100], [0, -1, 101]),
        ("offset", [0, 9_999, 10_000], [-1, 10_001]),
        ("mode", MODES, ["", "Hybrid", "fuzzy", "raw"]),
        ("copies", COPIES, ["", "Fold", "ALL", "none"]),
        ("lang", [None, "ar", "en", "und"], ["", "a", "AR", "arab", "ar\n", "en-US", "عر"]),
    ],
)
def test_values_out_of_bounds_are_refused(name, legal, illegal):
    for value in legal:
        assert getattr(SearchRequest("question", **{name: value}), name) == value
    for value in illegal:
        code, message = refusal(**{name: value})
        assert code == f"bad_{name}"
        assert (repr(value) if isinstance(value, str) else str(value)) in message


def test_the_defaults_are_those_of_the_interface():
    request = SearchRequest("question")
    assert (request.limit, request.offset, request.mode, request.lang) == (10, 0, "hybrid", None)
    assert request.generation is None
    assert (request.copies, request.highlight) == ("fold", True)
    assert MODES == ("hybrid", "dense", "lexical")
    assert COPIES == ("fold", "all")


def test_a_hit_quotes_its_range_of_the_document():
    document = Document("a.txt", "Title", "Title\n🕊 قال الوزير.", "", "ar")
    hit = Hit(1, 0.5, Passage("a.txt", 1, 6, 19, 2, 2, "ar"), document)
    assert hit.text == "🕊 قال الوزير."
    assert (hit.highlights, hit.also_in, hit.more) == ((), (), ())


@pytest.mark.parametrize("doc_id", ["a.txt", "a#b.txt", "x/#1", "corpus.jsonl::7#"])
def test_a_passage_id_splits_at_its_last_hash(doc_id):
    passage = Passage(doc_id, 12, 0, 1, 1, 1, "en")
    assert passage.passage_id.rpartition("#") == (doc_id, "#", "12")


@pytest.mark.parametrize(
    "value",
    [
        SearchRequest("q"),
        Document("a", "", "", "", "en"),
        Passage("a", 1, 0, 1, 1, 1, "en"),
        Candidate(Passage("a", 1, 0, 1, 1, 1, "en"), 0.5),
        Highlight(0, 1),
    ],
)
def test_values_are_frozen(value):
    first = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first, "other")
