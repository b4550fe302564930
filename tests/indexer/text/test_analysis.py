"""Terms by value, and the spellings that must not matter."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.text.analysis import terms, tokens

VOWELS = "ًٌٍَُِّْٰ"  # tanween, short vowels, shadda, sukun, dagger alef
HARMLESS = [*VOWELS, "ـ", "\u200c", "\u200d"]
LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءأإآؤئ"
WRITING = [
    *LETTERS,
    *VOWELS,
    *"ٱپچکیۀگ",
    *"abcstzABCSTZ",
    *"éèüñçşğİŠ",
    *"0123٠١٢٣۴",
    *" \n.,'’-_٬٫؟ـ\u0301\u0654",
]

arabic_words = st.text(LETTERS, min_size=1, max_size=12)
texts = st.lists(st.sampled_from(WRITING), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("spellings", "term"),
    [
        ("الحكومة والحكومة حكومه اَلْحُكُومَة الحكـــومة ﺍﻟﺤﻜﻮﻣﺔ بالحكومة للحكومة كالحكومة فالحكومة", "حكوم"),
        ("المفاوضات مفاوضون المفاوضين ومفاوضات مفاوضان مفاوضة مفاوضها", "مفاوض"),
        ("أوكرانيا اوكرانيا وأوكرانيا", "اوكرانيا"),
        ("أحمد احمد إحمد ٱحمد أَحْمَد", "احمد"),
        ("ألبانيا وألبانيا", "البانيا"),  # the first letters are no article: it has a bare alef
        ("مسؤول مسوول", "مسوول"),
        ("على علي علی", "عل"),
        ("كتاب کتاب", "كتاب"),
        ("شيء شي", "شي"),
        ("كتابيها", "كتاب"),  # one suffix after the other
        ("ولد", "ولد"),  # three letters keep their و
        ("الم", "الم"),  # an article leaves two letters or more
        ("می\u200cخواهم میخواهم", "ميخواهم"),
        ("٢٠١٠ ۲۰۱۰ 2010 ２０１０", "2010"),
        ("١٬٢٣٤ 1,234 1234 ١,٢٣٤ ۱٬۲۳۴", "1234"),
        ("١٢٫٥ 12.5 ۱۲٫۵", "12.5"),
        ("café cafe CAFÉ cafe\u0301 ｃａｆｅ", "cafe"),
        ("Kyiv's Kyiv’s KYIV'S Kyiv kyiv", "kyiv"),
        ("don't don’t", "don't"),
        ("Straße STRASSE", "strass"),
        ("ﬁnance finance financing", "financ"),
        ("Talks talk talked", "talk"),
    ],
)  # fmt: skip
def test_spellings_of_one_word_are_one_term(spellings, term):
    assert terms(spellings) == [term] * len(spellings.split())


@pytest.mark.parametrize(
    "pair", ["ألبانيا بانيا", "علم قلم", "2010 2011", "12.5 125", "Iran Iraq", "وزير سفير"]
)
def test_different_words_stay_different(pair):
    first, second = pair.split()
    assert terms(first) != terms(second)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("؟! — … _ 🕊", []),
        ("ء", []),  # nothing is left of it
        ("\u064b \u0301 \u200c", []),
        ("حرب،سلام؛هدنة", ["حرب", "سلام", "هدن"]),
        ("snake_case e-mail a/b", ["snake", "case", "e", "mail", "a", "b"]),
        ("«ناتو» (NATO).", ["ناتو", "nato"]),
        ("2025-03-01", ["2025", "03", "01"]),
        ("'quoted' rock 'n' roll", ["quot", "rock", "n", "roll"]),
        ("10, 20. 30", ["10", "20", "30"]),
    ],
)
def test_words_end_where_readers_see_them_end(text, expected):
    assert terms(text) == expected


def test_a_latin_name_after_an_arabic_article_is_found_in_either_case():
    assert terms("الـBBC") == terms("الـbbc")
    assert terms("الـNATO") == terms("الـnato")


def test_an_accent_in_two_code_points_does_not_end_the_word_before_an_apostrophe():
    assert terms(unicodedata.normalize("NFD", "café's")) == ["cafe"]


@pytest.mark.parametrize("sign", ["ﷺ", "ﹰ", "ﹶ", "ﱠ", "محمد ﷺ قال"])
def test_no_term_holds_white_space_even_where_compatibility_forms_do(sign):
    assert [term for term in terms(sign) if not term.strip() or term.split() != [term]] == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(texts, st.text(max_size=40)))
def test_terms_are_words_that_an_index_can_store(text):
    assert [term for term in terms(text) if term.split() != [term]] == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(texts, st.text(max_size=40)))
def test_ranges_are_ordered_and_lead_back_to_the_words(text):
    found = tokens(text)
    assert [token.term for token in found] == terms(text)
    assert all(0 <= token.start < token.end <= len(text) for token in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(terms(text[token.start : token.end]) == [token.term] for token in found)


def test_ranges_cover_the_word_as_it_is_written():
    text = "🕊 قالت اَلْحُكُومَة: Kyiv’s café\u0301 costs ١٬٢٣٤$"
    assert [text[token.start : token.end] for token in tokens(text)] == [
        "قالت",
        "اَلْحُكُومَة",
        "Kyiv’s",
        "café\u0301",
        "costs",
        "١٬٢٣٤",
    ]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(texts, st.text("aéأؤا'’ 1,َ_", max_size=12)))
def test_composed_and_decomposed_spellings_are_the_same_terms(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert terms(composed) == terms(text) == terms(decomposed)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(arabic_words, st.lists(st.tuples(st.integers(1, 12), st.sampled_from(HARMLESS)), max_size=8))
def test_vowels_tatweel_and_joiners_change_no_term(word, marks):
    marked = list(word)
    for place, mark in marks:
        marked.insert(min(place, len(marked)), mark)
    assert terms("".join(marked)) == terms(word)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts)
def test_case_changes_no_term(text):
    assert terms(text.casefold()) == terms(text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 10**9))
def test_a_number_is_one_term_in_every_digits_and_grouping(number):
    arabic = str.maketrans("0123456789,", "٠١٢٣٤٥٦٧٨٩٬")
    persian = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")
    for written in (str(number), f"{number:,}"):
        for digits in (written, written.translate(arabic), written.translate(persian)):
            assert terms(f"نحو {digits} طن")[1:-1] == [str(number)]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(texts, texts)
def test_neighbouring_text_changes_no_term(before, after):
    assert terms(f"{before}\n{after}") == terms(before) + terms(after)
