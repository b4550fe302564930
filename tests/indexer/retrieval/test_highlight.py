"""Marks in a passage: whole words as they are written, without function words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.datatypes import Highlight
from indexer.retrieval.highlight import find_highlights
from indexer.text.analysis import function_words, terms, tokens

WORDS = [
    *[
        "الحكومة",
        "حكومه",
        "اَلْحُكُومَة",
        "والحكومة",
        "الحـكومة",
        "لروسيا",
        "روسيا",
        "بموسكو",
        "ألمانيا",
        "المانيا",
        "الله",
        "له",
        "الأمة",
        "أم",
    ],
    *[
        "وهذا",
        "هذا",
        "في",
        "من",
        "على",
        "الكلية",
        "كل",
        "٢٠١٠",
        "2010",
        "الـBBC",
        "الـNATO",
        "BBC",
        "bbc",
        "قصفKyivأمس",
    ],
    *["Talks", "talk", "many", "Mani", "the", "of", "Kyiv’s", "café", "café"],
]
sentences = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", "، ", " 🕊 ", "\n", " (", "») "])), max_size=10
)
sentences = sentences.map(lambda pairs: "".join(word + between for word, between in pairs))


def marked(text, question):
    return [text[each.start : each.end] for each in find_highlights(text, tokens(question))]


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("الحكومة", "قالت اَلْحُكُومَة إن حكومه والحكومة", ["اَلْحُكُومَة", "حكومه", "والحكومة"]),
        ("حكومة", "الحـــكومة وﺍﻟﺤﻜﻮﻣﺔ", ["الحـــكومة", "وﺍﻟﺤﻜﻮﻣﺔ"]),
        ("grain talks", "Talks on grain’s price; talking", ["Talks", "grain’s", "talking"]),
        ("2010", "في عام ٢٠١٠م، لا ۲۰۱۱", ["٢٠١٠"]),
        ("لروسيا", "روسيا وبروسيا", ["روسيا", "وبروسيا"]),
        ("موسكو", "زار بموسكو", ["بموسكو"]),
        ("BBC", "قالت الـBBC أمس", ["BBC"]),
        ("Kyiv", "قصفKyivأمس", ["Kyiv"]),
        ("بانيا", "ألبانيا", []),
        ("Iran", "Iranian Iran", ["Iran"]),
        ("cafe", "the café\u0301 and cafés", ["café\u0301", "cafés"]),
        ("الحكومة", "الحكو\u200fمة قالت", ["الحكو\u200fمة"]),
        ("", "الحكومة", []),
        ("الحكومة", "", []),
        ("؟!", "الحكومة ؟!", []),
    ],
)
def test_words_that_match_are_marked_whole(question, text, expected):
    assert marked(text, question) == expected


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("ماذا قال في القمة", "قال في القمة على ما قال", ["قال", "القمة", "قال"]),
        ("What is the price of the wheat?", "the price is what the wheat of …", ["price", "wheat"]),
        ("في على من", "في على من", []),
        ("the of and", "the of and", []),
        ("وهذا القرار", "وهذا القرار هذا", ["القرار"]),
        ("الـBBC", "الـNATO والـBBC ال", ["BBC"]),
        ("الـNATO", "الـBBC", []),
        # A word whose stem looks like a function word is not a function word.
        ("حزب الله", "قال حزب الله إن له", ["حزب", "الله"]),
        ("مجلس الأمة", "مجلس الأمة أم غيره", ["مجلس", "الأمة"]),
        ("الكلية", "كلية الطب كل", ["كلية"]),
        ("Mani", "many Mani", ["Mani"]),
    ],
)
def test_function_words_and_the_article_are_never_marked(question, text, expected):
    assert marked(text, question) == expected


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("الدرعية", "سيفه ودرعه في الدرعية", ["الدرعية"]),
        ("لبنان", "اللبن في لبنان", ["لبنان"]),
        ("السلطان", "سلطة السلطان", ["السلطان"]),
        ("السودان", "سود السودان بالسودان", ["السودان", "بالسودان"]),
        ("دولي", "الدولية دولة دوليون", ["الدولية", "دوليون"]),
        ("البيت", "بيته وبيتها والبيت", ["بيته", "وبيتها", "والبيت"]),
        ("مسلم", "مسلمون ومسلمين ومسلمات", ["مسلمون", "ومسلمين", "ومسلمات"]),
        ("اقتصاد", "الاقتصادية", ["الاقتصادية"]),
    ],
)
def test_word_with_an_ending_that_makes_another_word_is_not_marked(question, text, expected):
    assert marked(text, question) == expected


def test_surface_match_is_marked_though_its_stem_differs():
    assert marked("في ألمانيا", "المانيا") == ["ألمانيا"]
    assert marked("في المانيا", "ألمانيا") == ["المانيا"]


def test_ranges_are_code_points_of_the_text_as_it_is_written():
    text = "𝔸🕊 قالت اَلْحُكُـومَة 👩‍🌾 grain"
    ranges = find_highlights(text, tokens("حكومة grain"))
    assert ranges == (Highlight(8, 21), Highlight(26, 31))
    assert [text[each.start : each.end] for each in ranges] == ["اَلْحُكُـومَة", "grain"]


def test_word_with_two_stems_is_marked_once():
    assert find_highlights("لروسيا", tokens("لروسيا روسيا لروسيا")) == (Highlight(0, 6),)


def test_word_positions_in_the_query_do_not_matter():
    assert find_highlights("grain talks", tokens("talks grain talks")) == (Highlight(0, 5), Highlight(6, 11))
    assert find_highlights("grain", iter(tokens("grain"))) == (Highlight(0, 5),)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(sentences, sentences)
def test_marks_are_whole_words_in_order_that_share_a_query_term(text, question):
    words = {(token.start, token.end) for token in tokens(text)}
    asked = {(token.kind, token.term) for token in tokens(question)}
    found = find_highlights(text, tokens(question))
    assert list(found) == sorted(set(found), key=lambda each: each.start)
    for each in found:
        assert (each.start, each.end) in words
        written = text[each.start : each.end]
        assert asked & {(token.kind, token.term) for token in tokens(written)}
        assert not set(terms(written, "surface")) & (function_words() | {"ال"})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(sentences)
def test_text_used_as_query_is_marked_except_function_words(text):
    idle = function_words() | {"ال", "وهذا"}
    assert [(each.start, each.end) for each in find_highlights(text, tokens(text))] == [
        (token.start, token.end)
        for token in tokens(text)
        if token.kind == "surface" and token.term not in idle
    ]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(sentences, sentences, st.sampled_from(["𝔸 ", "🕊🕊 ", "،، "]))
def test_preceding_text_only_shifts_the_marks(text, question, before):
    moved = find_highlights(before + text, tokens(question))
    assert moved == tuple(
        Highlight(each.start + len(before), each.end + len(before))
        for each in find_highlights(text, tokens(question))
    )
