"""Fusion against brute force in numpy, and the promise about languages."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.retrieval.fusion import LEXICAL_WEIGHT, LITERAL_WEIGHT, fuse

# Cosines and BM25 scores in steps, so that equal ones occur and unequal ones differ by more than rounding.
cosines = st.integers(-1_000, 1_000).map(lambda step: step / 1_000)
weights = st.sampled_from([0.0, 0.3, 0.5, 1.0])
literal_weights = st.sampled_from([0.0, LITERAL_WEIGHT, 0.1])


@st.composite
def pools(draw):
    keys = draw(st.lists(st.text("abcdef#12", min_size=1, max_size=4), unique=True, max_size=12))
    dense = {key: draw(cosines) for key in keys}
    lexical = {key: draw(st.integers(0, 300)) / 10 for key in keys if draw(st.booleans())}
    return dense, lexical, {key for key in keys if draw(st.booleans())}


def z(values):
    spread = values.std() if len(values) and np.ptp(values) else 0
    return (values - values.mean()) / spread if spread else np.zeros(len(values))


def strengths(dense, lexical, ours, weight):
    keys = [key for key in dense if key in ours]
    term = z(np.array([lexical.get(key, 0.0) for key in keys]))
    sense = z(np.array([dense[key] for key in keys]))
    return dict(zip(keys, weight * term + (1 - weight) * sense, strict=True))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights)
def test_passages_in_the_query_language_are_ordered_by_both_retrievers(candidates, weight):
    dense, lexical, ours = candidates
    fused = fuse(dense, lexical, ours, weight)
    expected = strengths(dense, lexical, ours, weight)
    for a, b in combinations(expected, 2):
        if abs(expected[a] - expected[b]) > 1e-9:
            assert fused[a] == fused[b] or (fused[a] > fused[b]) == (expected[a] > expected[b])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights)
def test_order_between_languages_is_unchanged(candidates, weight):
    dense, lexical, ours = candidates
    fused = fuse(dense, lexical, ours, weight, literal_weight=0.0)
    assert fused.keys() == dense.keys()
    for other in dense.keys() - ours:
        assert fused[other] == dense[other]
        for compare in (float.__gt__, float.__eq__):
            assert sum(compare(fused[key], fused[other]) for key in ours) == sum(
                compare(dense[key], dense[other]) for key in ours
            )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights, literal_weights)
def test_matching_words_in_another_language_lift_only_their_passage(candidates, weight, literal):
    dense, lexical, ours = candidates
    fused = fuse(dense, lexical, ours, weight, literal)
    unlifted = fuse(dense, lexical, ours, weight, literal_weight=0.0)
    for key in dense:
        gain = 0.0 if key in ours else literal * lexical.get(key, 0.0)
        assert fused[key] == pytest.approx(unlifted[key] + gain, abs=1e-12)
        assert fused[key] >= unlifted[key]
        assert gain or fused[key] == unlifted[key]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights, literal_weights)
def test_fusion_equals_the_numpy_reference(candidates, weight, literal):
    dense, lexical, ours = candidates
    fused = fuse(dense, lexical, ours, weight, literal)
    strength = strengths(dense, lexical, ours, weight)
    best_first = sorted(strength, key=lambda key: -strength[key])
    slots = np.sort([dense[key] for key in best_first])[::-1]
    gaps = -np.diff([strength[key] for key in best_first])
    if (gaps > 1e-9).all():  # else rounding decides which of two equals comes first
        assert [fused[key] for key in best_first] == slots.tolist()
    others = [key for key in dense if key not in ours]
    lifted = np.array([dense[key] for key in others]) + literal * np.array(
        [lexical.get(key, 0) for key in others]
    )
    assert np.allclose([fused[key] for key in others], lifted, rtol=0, atol=1e-12)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pools(), cosines, st.one_of(st.none(), st.integers(0, 300)), weights, literal_weights)
def test_added_candidate_in_the_other_language_changes_no_score(candidates, cosine, matched, weight, literal):
    dense, lexical, ours = candidates
    more = lexical | ({} if matched is None else {"new": matched / 10})
    before = fuse(dense, lexical, ours, weight, literal)
    after = fuse(dense | {"new": cosine}, more, ours, weight, literal)
    assert {key: after[key] for key in dense} == before


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pools(), cosines, st.one_of(st.none(), st.integers(0, 300)), weights, literal_weights)
def test_added_candidate_in_the_query_language_takes_one_place(candidates, cosine, matched, weight, literal):
    dense, lexical, ours = candidates
    more = lexical | ({} if matched is None else {"new": matched / 10})
    before = fuse(dense, lexical, ours, weight, literal)
    after = fuse(dense | {"new": cosine}, more, ours | {"new"}, weight, literal)
    others = dense.keys() - ours
    assert {key: after[key] for key in others} == {key: before[key] for key in others}
    # Within the question's language it may re-order the rest; the places that language holds stay, and
    # one is added at the cosine of the new passage, whatever its words.
    places_before, places_after = (
        sorted(score for key, score in fused.items() if key not in others) for fused in (before, after)
    )
    assert places_after == sorted([*places_before, cosine])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights, literal_weights)
def test_fusion_works_for_each_language_alone(candidates, weight, literal):
    dense, lexical, ours = candidates
    fused = fuse(dense, lexical, ours, weight, literal)
    for keys in (ours, dense.keys() - ours):
        alone = fuse({key: dense[key] for key in dense if key in keys}, lexical, ours, weight, literal)
        assert alone == {key: fused[key] for key in alone}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pools(), weights)
def test_fused_scores_are_a_permutation_of_the_dense_scores(candidates, weight):
    dense, lexical, ours = candidates
    fused = fuse(dense, lexical, ours, weight)
    assert sorted(fused[key] for key in ours) == sorted(dense[key] for key in ours)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pools())
def test_order_is_unchanged_without_lexical_scores(candidates):
    dense, _, ours = candidates
    assert fuse(dense, {}, ours) == dense
    assert fuse(dense, dict.fromkeys(dense, 7.0), ours, literal_weight=0.0) == dense
    assert fuse(dense, dict.fromkeys(ours, 7.0), ours) == dense
    assert fuse(dense, {key: 9.0 for key in dense if key not in ours}, ours, literal_weight=0.0) == dense


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pools())
def test_dense_order_is_kept_without_candidates_in_the_query_language(candidates):
    dense, lexical, _ = candidates
    assert fuse(dense, lexical, (), literal_weight=0.0) == dense
    assert fuse(dense, {}, ()) == dense


def test_fusion_of_no_candidates_is_empty():
    assert fuse({}, {}, ()) == {}


def test_one_passage_keeps_its_score():
    assert fuse({"a#1": 0.8}, {"a#1": 12.5}, ["a#1"]) == {"a#1": 0.8}


def test_fusion_equals_hand_calculated_values():
    # Of en1, en2 and en3 the dense scores stand at +1.22, 0, −1.22, the lexical ones at −0.71, +1.41, −0.71:
    # with 0.3 and 0.7 that makes 0.65, 0.42 and −1.07. With equal weights en2 wins, 0.71 against 0.26.
    dense = {"en1": 0.9, "ar1": 0.85, "en2": 0.8, "ar2": 0.75, "en3": 0.7}
    lexical = {"en2": 10.0}
    ours = {"en1", "en2", "en3"}
    assert fuse(dense, lexical, ours, 0.3) == dense
    assert fuse(dense, lexical, ours, 0.5) == {"en1": 0.8, "ar1": 0.85, "en2": 0.9, "ar2": 0.75, "en3": 0.7}


def test_exact_name_match_in_the_other_language_equals_hand_calculation():
    dense = {"ar1": 0.86, "en1": 0.85, "en2": 0.80, "ar2": 0.79}
    lexical = {"en1": 9.0, "ar2": 2.0}
    ours = {"en1", "en2"}
    # 2.0 × 0.008 lifts ar2 by 0.016, above en2; ar1 matches nothing and stands.
    assert fuse(dense, lexical, ours) == pytest.approx({"ar1": 0.86, "en1": 0.85, "en2": 0.80, "ar2": 0.806})


def test_lexical_scores_break_dense_ties():
    fused = fuse({"a": 0.5, "b": 0.5, "c": 0.4}, {"b": 3.0}, {"a", "b", "c"})
    assert fused == {"a": 0.5, "b": 0.5, "c": 0.4}
    fused = fuse({"a": 0.51, "b": 0.50, "c": 0.10}, {"b": 3.0}, {"a", "b", "c"})
    assert fused == {"a": 0.50, "b": 0.51, "c": 0.10}


def test_input_is_unchanged():
    dense, lexical = {"a": 0.1, "b": 0.2}, {"a": 5.0}
    fuse(dense, lexical, {"a", "b"}, 1.0)
    assert (dense, lexical) == ({"a": 0.1, "b": 0.2}, {"a": 5.0})


@pytest.mark.parametrize("size", [400])
def test_default_weight_is_the_measured_one(size):
    random = np.random.default_rng(3)
    dense = {
        f"p{n}": float(score) for n, score in enumerate(random.normal(0.8, 0.05, size).astype(np.float32))
    }
    lexical = {f"p{n}": float(random.gamma(2, 3)) for n in range(0, size, 2)}
    assert (LEXICAL_WEIGHT, LITERAL_WEIGHT) == (0.3, 0.008)
    fused = fuse(dense, lexical, dense)
    expected = strengths(dense, lexical, set(dense), 0.3)
    assert sorted(dense, key=lambda key: -fused[key]) == sorted(dense, key=lambda key: -expected[key])
