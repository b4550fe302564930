"""Keys and distances of spellings, by value, and over names in the news."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.text.analysis import terms
from indexer.text.names import (
    distance,
    is_arabic,
    known_spellings,
    may_be_name,
    same_word,
    spelling_keys,
    without_article,
)
from tests.support.spelled_names import CHOSEN_BY

WORDS = st.text("abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=14) | st.text(
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي", min_size=1, max_size=14
)


def surface(word: str) -> str:
    return terms(word, "surface")[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dmitriev", "دميترييف"),
        ("Dmitriyev", "دميترييف"),
        ("Dmitriev", "Dmitriyev"),
        ("Kyiv", "Kiev"),
        ("Kyiv", "كييف"),
        ("Zelenskyy", "Zelensky"),
        ("Zelenskyy", "زيلنسكي"),
        ("زيلينسكي", "زيلنسكي"),
        ("Guterres", "غوتيريش"),
        ("Gaddafi", "قذافي"),
        ("قذافي", "غذافي"),
        ("NATO", "الناتو"),
        ("Washington", "وواشنطن"),
    ],
)
def test_spellings_of_a_name_share_a_key_and_are_near(one, other):
    one, other = surface(one), surface(other)
    assert spelling_keys(one) & spelling_keys(other)
    assert distance(one, other) <= 0.1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Putin", "باتون"), ("Salem", "سلم"), ("Table", "طبل"), ("Trump", "ترميم"), ("كتاب", "مكتب")],
)
def test_other_words_are_far_or_share_no_key(one, other):
    one, other = surface(one), surface(other)
    assert not spelling_keys(one) & spelling_keys(other) or distance(one, other) >= 0.07


def test_names_in_the_news_share_a_key():
    met = [
        bool(spelling_keys(surface(latin)) & spelling_keys(surface(arabic)))
        or surface(arabic) in known_spellings(surface(latin))
        for latin, arabic in CHOSEN_BY
    ]
    assert sum(met) / len(met) >= 0.95


@given(WORDS, WORDS)
@settings(max_examples=200, deadline=None)
def test_distance_is_zero_for_equal_words_and_the_same_both_ways(one, other):
    assert distance(one, one) == 0
    assert distance(one, other) == pytest.approx(distance(other, one))


@given(WORDS)
@settings(max_examples=200, deadline=None)
def test_a_word_has_few_keys_of_capital_letters(word):
    keys = spelling_keys(word)
    assert len(keys) <= 80
    assert all(key.isascii() and key.isupper() for key in keys)


@pytest.mark.parametrize("word", ["القاهره", "بالقاهره", "والقاهره", "cairo"])
def test_a_listed_name_is_known_with_what_is_prefixed_to_it(word):
    assert known_spellings(word) == {"القاهره", "cairo"}


def test_other_words_are_not_listed():
    assert not any(known_spellings(word) for word in ("قاهر", "market", "كتاب"))


@pytest.mark.parametrize(
    ("word", "may"),
    [("putin", True), ("بوتين", True), ("xi", False), ("the", False), ("2026", False), ("من", False)],
)
def test_short_words_numbers_and_function_words_are_no_names(word, may):
    assert may_be_name(word) is may


def test_prefixes_do_not_make_another_word():
    assert same_word("القاهره", "وبالقاهره") or same_word("القاهره", "والقاهره")
    assert not same_word("زيلينسكي", "زيلنسكي")
    assert [without_article(word) for word in ("القذافي", "والقذافي", "قذافي", "البيت")] == [
        "قذافي", "قذافي", "قذافي", "بيت",
    ]  # fmt: skip
    assert is_arabic("قذافي") and not is_arabic("gaddafi")
