"""Collapsing against brute force: no hit is lost or moved, and no article fills the list."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.datatypes import Candidate, Passage
from indexer.retrieval.duplicates import OPEN, collapse, ungrouped


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
    """A slow reference: remove duplicates first, then all but the best three of each article."""
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
    of_article = defaultdict(list)
    for entry in entries:
        of_article[entry[0].partition("#")[0]].append(entry)
    for best in of_article.values():
        best[min(2, len(best) - 1)][2].extend(best[3:])
    return [entry for entry in entries if entry in of_article[entry[0].partition("#")[0]][:3]]


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
def test_articles_have_three_hits_at_most_and_words_are_listed_once(ranked):
    assert OPEN == 3
    entries = collapse(ranked)
    assert all(count <= 3 for count in Counter(entry.candidate.passage.doc_id for entry in entries).values())
    keys = [inner.candidate.duplicate_key for entry in entries for inner in (entry, *entry.more)]
    assert len(set(keys)) == len(keys)
    # Only the third hit of an article has collapsed passages, all of its own article, without nesting.
    seen = Counter()
    for entry in entries:
        article = entry.candidate.passage.doc_id
        seen[article] += 1
        assert not entry.more or seen[article] == 3
        for inner in entry.more:
            assert inner.candidate.passage.doc_id == article
            assert inner.more == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rankings())
def test_collapse_is_idempotent(ranked):
    listed = [entry.candidate for entry in collapse(ranked)]
    assert shape(collapse(listed)) == shape(ungrouped(listed))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rankings(copies=False), st.sampled_from("abc"))
def test_collapse_of_an_article_does_not_depend_on_the_others(ranked, article):
    def of_article(candidates):
        return [each for each in candidates if each.passage.doc_id == article]

    groups = [group for group in collapse(ranked) if of_article([group.candidate])]
    assert shape(groups) == shape(collapse(of_article(ranked)))


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
        ("aaab", ["a#1", "a#2", "a#3", "b#4"]),
        ("aaaab", ["a#1", "a#2", "a#3", "b#5"]),
        ("aaabaa", ["a#1", "a#2", "a#3", "b#4"]),
        ("aabaa", ["a#1", "a#2", "b#3", "a#4"]),
        ("abababab", ["a#1", "b#2", "a#3", "b#4", "a#5", "b#6"]),
    ],
)
def test_all_but_the_best_three_of_an_article_are_collapsed_by_example(articles, listed):
    ranked = [candidate(article, n) for n, article in enumerate(articles, 1)]
    assert ids(entry.candidate for entry in collapse(ranked)) == listed


def test_third_hit_of_an_article_has_its_collapsed_passages():
    first, second, third, other = collapse([candidate("a", n) for n in range(1, 6)] + [candidate("b", 6)])
    assert (first.more, second.more, other.more) == ([], [], [])
    assert shape(third.more) == [("a#4", [], []), ("a#5", [], [])]


def test_duplicate_of_another_passage_is_no_hit_of_its_article():
    ranked = [candidate("b", 1, "x"), *(candidate("a", n) for n in (2, 3)), candidate("a", 4, "x")]
    ranked += [candidate("a", 5), candidate("a", 6)]
    assert shape(collapse(ranked)) == [
        ("b#1", ["a#4"], []), ("a#2", [], []), ("a#3", [], []), ("a#5", [], [("a#6", [], [])]),
    ]  # fmt: skip


def test_duplicates_inside_an_article_collapse_with_their_passage():
    ranked = [candidate("a", 1, "x"), candidate("a", 2, "x"), candidate("a", 3), candidate("a", 4)]
    ranked += [candidate("a", 5, "y"), candidate("c", 6, "y")]
    assert shape(collapse(ranked)) == [
        ("a#1", ["a#2"], []), ("a#3", [], []), ("a#4", [], [("a#5", ["c#6"], [])]),
    ]  # fmt: skip


def test_iterator_is_accepted_and_candidates_are_unchanged():
    ranked = [candidate("a", n) for n in range(1, 6)]
    assert shape(collapse(iter(ranked))) == shape(collapse(ranked)) == by_hand(ranked)
