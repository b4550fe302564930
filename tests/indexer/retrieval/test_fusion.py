"""Fusion by value and by property: the order within a language, between languages, and of few words."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.retrieval.fusion import FEW_WORDS_WEIGHT, WORDS_WEIGHT, fuse, words_weight

# Scores in steps, so that equal ones occur and unequal ones differ by more than rounding.
meanings = st.integers(-1_000, 1_000).map(lambda step: step / 1_000)
shares = st.integers(0, 100).map(lambda step: step / 100)
weights = st.sampled_from([0.0, 0.15, 0.3, 0.6, 1.0])


@st.composite
def pools(draw):
    keys = draw(st.lists(st.text("abcdef#12", min_size=1, max_size=4), unique=True, max_size=12))
    meaning = {key: draw(meanings) for key in keys}
    coverage = {key: draw(shares) for key in keys if draw(st.booleans())}
    return meaning, coverage, {key for key in keys if draw(st.booleans())}


def agrees(fused, expected, keys):
    """Whether fused scores put the keys in the order of the expected ones, as far as these differ."""
    return all(
        fused[one] == fused[other] or (fused[one] > fused[other]) == (expected[one] > expected[other])
        for one, other in combinations(keys, 2)
        if abs(expected[one] - expected[other]) > 1e-9
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights)
def test_passages_in_the_query_language_are_ordered_by_meaning_and_words(candidates, weight):
    meaning, coverage, ours = candidates
    sums = {key: score + weight * coverage.get(key, 0.0) for key, score in meaning.items()}
    assert agrees(fuse(meaning, coverage, ours, weight), sums, ours)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights)
def test_order_between_languages_is_that_of_meaning(candidates, weight):
    meaning, coverage, ours = candidates
    fused = fuse(meaning, coverage, ours, weight)
    assert fused.keys() == meaning.keys()
    assert sorted(fused[key] for key in ours) == sorted(meaning[key] for key in ours)
    assert {key: fused[key] for key in meaning.keys() - ours} == {
        key: meaning[key] for key in meaning.keys() - ours
    }


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights)
def test_few_words_count_alike_in_every_language(candidates, weight):
    meaning, coverage, ours = candidates
    fused = fuse(meaning, coverage, ours, weight, everywhere=True)
    assert fused == fuse(meaning, coverage, set(), weight, everywhere=True)
    for key, score in fused.items():
        assert score == pytest.approx(meaning[key] + weight * coverage.get(key, 0.0), abs=1e-12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights, st.dictionaries(st.text("abcdef#12", min_size=1, max_size=4), shares))
def test_literal_matches_lift_only_passages_of_other_languages(candidates, weight, literal):
    meaning, coverage, ours = candidates
    plain, lifted = (fuse(meaning, coverage, ours, weight, literal=each) for each in (None, literal))
    for key, score in lifted.items():
        assert score == plain[key] + (0.0 if key in ours else literal.get(key, 0.0))


def test_words_move_a_passage_past_others_and_take_their_scores():
    meaning = {"ar1": 0.90, "en1": 0.85, "ar2": 0.80, "en2": 0.75}
    fused = fuse(meaning, {"en2": 0.5}, {"en1", "en2"}, 0.3)
    assert fused == {"en2": 0.85, "en1": 0.75, "ar1": 0.90, "ar2": 0.80}


def test_without_words_nothing_moves():
    meaning = {"a": 0.3, "b": 0.9, "c": 0.1}
    for ours in ((), ("a",), ("a", "b", "c")):
        assert fuse(meaning, {}, ours, 0.6) == meaning
    assert fuse({}, {}, (), 0.6) == {}


def test_inputs_are_unchanged():
    meaning, coverage, literal = {"a": 0.2, "b": 0.1}, {"b": 1.0}, {"a": 0.1}
    fuse(meaning, coverage, {"b"}, 0.6, literal=literal)
    assert (meaning, coverage, literal) == ({"a": 0.2, "b": 0.1}, {"b": 1.0}, {"a": 0.1})


def test_words_weigh_the_more_the_fewer_they_are():
    found = [words_weight(count) for count in range(30)]
    assert found[0] == found[1] == found[2] == FEW_WORDS_WEIGHT
    assert found == sorted(found, reverse=True)
    assert found[3] == pytest.approx(WORDS_WEIGHT + (FEW_WORDS_WEIGHT - WORDS_WEIGHT) * 4 / 9)
    assert found[-1] == pytest.approx(WORDS_WEIGHT, abs=0.01)
