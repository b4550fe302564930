"""Collapsing against brute force: no hit is lost or moved, and no article fills the list."""

from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.datatypes import Candidate, Passage
from indexer.retrieval.duplicates import RUN_LENGTH, collapse, ungrouped


def candidate(article, number, words=None):
    """A passage of an article; its words are its own unless they are given."""
    key = f"{article}#{number}" if words is None else words
    return Candidate(Passage(article, number, 0, 9, 1, 1, "en"), 1 / number, key.encode())


@st.composite
def rankings(draw, copies=True, articles="abc"):
    drawn = draw(st.lists(st.sampled_from(articles), max_size=14))
    words = st.one_of(st.none(), st.sampled_from("xyz")) if copies else st.none()
    return [candidate(article, number, draw(words)) for number, article in enumerate(drawn, 1)]


def ids(candidates):
    return [each.passage.passage_id for each in candidates]


def shape(entries):
    """Entries as nested lists of ids, which compare by value."""
    return [(entry.candidate.passage.passage_id, ids(entry.also_in), shape(entry.more)) for entry in entries]


def by_hand(ranked):
    """A slow reference: remove duplicates first, then cut runs."""
    firsts = [
        each
        for place, each in enumerate(ranked)
        if each.duplicate_key not in {e.duplicate_key for e in ranked[:place]}
    ]
    entries = [
        (
            first.passage.passage_id,
            ids(each for each in ranked if each.duplicate_key == first.duplicate_key and each is not first),
            [],
        )
        for first in firsts
    ]
    collapsed = []
    for _, run in groupby(entries, key=lambda entry: entry[0].partition("#")[0]):
        first, *rest = run
        if not rest:
            collapsed.append(first)
        else:
            (key, also_in, _), *more = rest
            collapsed += [first, (key, also_in, more)]
    return collapsed


@settings(max_examples=400, deadline=None, derandomize=True)
@given(rankings())
def test_collapse_equals_the_reference(ranked):
    assert shape(collapse(ranked)) == by_hand(ranked)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rankings())
def test_every_candidate_is_there_exactly_once(ranked):
    there = [
        each
        for entry in collapse(ranked)
        for inner in (entry, *entry.more)
        for each in (inner.candidate, *inner.also_in)
    ]
    assert sorted(ids(there)) == sorted(ids(ranked))
    assert {id(each) for each in there} == {id(each) for each in ranked}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rankings())
def test_order_is_kept_and_the_best_duplicate_represents_the_others(ranked):
    place = {each.passage.passage_id: n for n, each in enumerate(ranked)}
    entries = collapse(ranked)
    for listed in (entries, *(entry.more for entry in entries)):
        assert [place[each] for each in ids(entry.candidate for entry in listed)] == sorted(
            place[each] for each in ids(entry.candidate for entry in listed)
        )
    for entry in (inner for outer in entries for inner in (outer, *outer.more)):
        assert {each.duplicate_key for each in entry.also_in} <= {entry.candidate.duplicate_key}
        copies = [place[each] for each in ids([entry.candidate, *entry.also_in])]
        assert copies == sorted(copies)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rankings())
def test_runs_are_at_most_two_and_words_are_listed_once(ranked):
    assert RUN_LENGTH == 2
    entries = collapse(ranked)
    articles = [entry.candidate.passage.doc_id for entry in entries]
    assert [
        1 for trio in zip(articles, articles[1:], articles[2:], strict=False) if len(set(trio)) == 1
    ] == []
    keys = [inner.candidate.duplicate_key for entry in entries for inner in (entry, *entry.more)]
    assert len(set(keys)) == len(keys)
    # Only the second of two in a row has collapsed passages, all of its own article, without nesting.
    for before, entry in pairwise([None, *entries]):
        assert not entry.more or before is not None
        for inner in entry.more:
            assert inner.candidate.passage.doc_id == entry.candidate.passage.doc_id
            assert before.candidate.passage.doc_id == entry.candidate.passage.doc_id
            assert inner.more == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rankings())
def test_collapse_is_idempotent(ranked):
    listed = [entry.candidate for entry in collapse(ranked)]
    assert shape(collapse(listed)) == shape(ungrouped(listed))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rankings(copies=False), st.sampled_from(["d", "e"]))
def test_alternating_articles_are_not_collapsed(ranked, other):
    alternating = [
        each
        for n, mine in enumerate(ranked, 1)
        for each in (candidate("a", 2 * n), candidate(other, 2 * n + 1), mine)
        if mine.passage.doc_id != "a"
    ]
    assert shape(collapse(alternating)) == shape(ungrouped(alternating))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rankings())
def test_disabled_collapse_returns_the_list_unchanged(ranked):
    assert shape(ungrouped(ranked)) == [(each, [], []) for each in ids(ranked)]
    assert [entry.candidate for entry in ungrouped(ranked)] == ranked


@pytest.mark.parametrize(
    ("articles", "listed"),
    [
        ("", []),
        ("a", ["a#1"]),
        ("aa", ["a#1", "a#2"]),
        ("aaab", ["a#1", "a#2", "b#4"]),
        ("aaaba", ["a#1", "a#2", "b#4", "a#5"]),  # a run that is broken starts again
        ("aabaa", ["a#1", "a#2", "b#3", "a#4", "a#5"]),
        ("aaabbbb", ["a#1", "a#2", "b#4", "b#5"]),
    ],
)
def test_runs_of_one_article_are_collapsed_by_example(articles, listed):
    ranked = [candidate(article, n) for n, article in enumerate(articles, 1)]
    assert ids(entry.candidate for entry in collapse(ranked)) == listed


def test_second_hit_of_a_run_has_the_collapsed_passages():
    first, second, other = collapse([candidate("a", n) for n in (1, 2, 3, 4)] + [candidate("b", 5)])
    assert (first.more, other.more) == ([], [])
    assert shape(second.more) == [("a#3", [], []), ("a#4", [], [])]


def test_duplicate_inside_a_run_does_not_break_it():
    ranked = [candidate("a", 1, "x"), candidate("a", 2), candidate("b", 3, "x"), candidate("a", 4)]
    assert shape(collapse(ranked)) == [("a#1", ["b#3"], []), ("a#2", [], [("a#4", [], [])])]


def test_duplicates_inside_an_article_collapse_with_their_passage():
    ranked = [candidate("a", 1, "x"), candidate("a", 2, "x"), candidate("a", 3), candidate("a", 4, "y")]
    ranked.append(candidate("c", 5, "y"))
    assert shape(collapse(ranked)) == [("a#1", ["a#2"], []), ("a#3", [], [("a#4", ["c#5"], [])])]


def test_iterator_is_accepted_and_candidates_are_unchanged():
    ranked = [candidate("a", 1), candidate("a", 2), candidate("a", 3)]
    assert shape(collapse(iter(ranked))) == shape(collapse(ranked)) == by_hand(ranked)
