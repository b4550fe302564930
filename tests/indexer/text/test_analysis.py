"""Terms by value, and the spellings that must not matter."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.text.analysis import KINDS, _terms, function_words, terms, tokens

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
# Letters of Arabic and Latin script and their marks, composed and not, with what stands among them unseen.
BIDI = ["\u061c", "\u200e", "\u200f", *"\u202a\u202b\u202c\u202d\u202e", *"\u2066\u2067\u2068\u2069"]
ARABIC_OR_LATIN = [
    char
    for char in map(chr, [*range(0x180), *range(0x600, 0x700), *range(0x750, 0x780), *range(0xFB50, 0xFEFD)])
    if unicodedata.category(char)[0] in "LM" and unicodedata.name(char, "").startswith(("ARABIC", "LATIN"))
]
spelled = st.lists(
    st.sampled_from([*ARABIC_OR_LATIN, *HARMLESS, *BIDI, "\u0301", "\u0654", "\u0653"]), max_size=8
)


def finds(query: str, text: str) -> bool:
    """Whether every word of a query shares a term with some word of a text."""
    there = {(token.kind, token.term) for token in tokens(text)}
    words = {}
    for token in tokens(query):
        words.setdefault((token.start, token.end), set()).add((token.kind, token.term))
    return bool(words) and all(there & terms_of_word for terms_of_word in words.values())


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


def test_decomposed_accent_before_an_apostrophe_does_not_end_the_word():
    assert terms(unicodedata.normalize("NFD", "café's")) == ["cafe"]


@pytest.mark.parametrize("sign", ["ﷺ", "ﹰ", "ﹶ", "ﱠ", "محمد ﷺ قال"])
def test_terms_contain_no_white_space_even_from_compatibility_forms(sign):
    assert [term for term in terms(sign) if not term.strip() or term.split() != [term]] == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(texts, st.text(max_size=40)))
def test_terms_are_words_that_an_index_can_store(text):
    assert [term for term in terms(text) if term.split() != [term]] == []


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(texts, spelled.map("".join), st.text(max_size=40)))
def test_ranges_are_ordered_and_lead_back_to_the_words(text):
    found = tokens(text)
    assert [token.term for kind in KINDS for token in found if token.kind == kind] == [
        term for kind in KINDS for term in terms(text, kind)
    ]
    assert all(0 <= token.start < token.end <= len(text) for token in found)
    ranges = [(token.start, token.end) for token in found]
    assert all(before == after or before[1] <= after[0] for before, after in pairwise(ranges))
    for start, end in set(ranges):
        here = [token for token in found if (token.start, token.end) == (start, end) and token.kind != "name"]
        there = [(token.kind, token.term) for token in here]
        assert [(token.kind, token.term) for token in tokens(text[start:end])] == there
        assert sorted(kind for kind, _ in there) in (["stem", "surface"], ["stem", "stem", "surface"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([*LETTERS, *VOWELS, "ـ", *BIDI, *"abcXYZ", "é", "e\u0301"]), max_size=20), texts
)
def test_each_range_is_the_written_form_of_its_term(letters, before):
    word = "".join(letters)
    text = f"🕊 {before} {word}"
    for token in tokens(text):
        written = text[token.start : token.end]
        assert terms(written, "surface") == terms(unicodedata.normalize("NFC", written), "surface")
        assert token.term in {each.term for each in tokens(written)}
        assert not any(char.isspace() for char in written)
    # No letter is left outside: what stands between the ranges makes no term.
    places = [0, *(place for token in tokens(text) for place in (token.start, token.end)), len(text)]
    assert [
        text[a:b] for a, b in zip(places[::2], places[1::2], strict=True) if a < b and terms(text[a:b])
    ] == []


def test_ranges_cover_the_word_as_it_is_written():
    text = "🕊 قالت اَلْحُكُومَة: Kyiv’s café\u0301 costs ١٬٢٣٤$ لروسيا الـBBC"
    words = ["قالت", "اَلْحُكُومَة", "Kyiv’s", "café\u0301", "costs", "١٬٢٣٤", "لروسيا", "الـ", "BBC"]
    written = [(token.kind, text[token.start : token.end]) for token in tokens(text)]
    assert [word for kind, word in written if kind == "surface"] == words
    # The first letter of «لروسيا» may be a preposition, so it has a second stem, of the same range.
    assert [word for kind, word in written if kind == "stem"] == [*words[:7], "لروسيا", *words[7:]]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(texts, st.text("aéأؤا'’ 1,َ_", max_size=12)))
def test_composed_and_decomposed_spellings_are_the_same_terms(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    for kind in KINDS:
        assert terms(composed, kind) == terms(text, kind) == terms(decomposed, kind)


@pytest.mark.parametrize("around", ["ب{}ت", "b{}t", "{}"])
def test_every_letter_is_one_letter_composed_or_decomposed(around):
    for char in ARABIC_OR_LATIN:
        word = around.format(char)
        composed, decomposed = (unicodedata.normalize(form, word) for form in ("NFC", "NFD"))
        for kind in KINDS:
            assert terms(composed, kind) == terms(word, kind) == terms(decomposed, kind), f"U+{ord(char):04X}"


def test_presentation_forms_are_the_letters_they_show():
    forms = [
        char
        for char in ARABIC_OR_LATIN
        if char >= "\ufb50"
        and unicodedata.category(char) == "Lo"
        and unicodedata.normalize("NFKC", char).isalpha()
    ]
    assert len(forms) > 500
    for char in forms:
        for kind in KINDS:
            shown = unicodedata.normalize("NFKC", char)
            assert terms(f"ب{char}ت", kind) == terms(f"ب{shown}ت", kind), f"U+{ord(char):04X}"


@pytest.mark.parametrize("signs", ["﴾{}﴿", "«{}»", "{}۝", "{}۩", "({})", "\u2066{}\u2069", "\u202b{}\u202c"])
def test_signs_around_a_word_are_not_part_of_it(signs):
    assert terms(signs.format("الحكومة"), "surface") == ["الحكومه"]
    assert terms(signs.format("Kyiv"), "surface") == ["kyiv"]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(spelled)
def test_normalization_is_idempotent(letters):
    for surface in terms("".join(letters), "surface"):
        # The dot of Catalan «ŀ» is a sign of its own, so that one is two words apart.
        if "·" not in surface:
            assert terms(surface, "surface") == [surface]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts)
def test_surfaces_of_a_text_are_the_surfaces_of_their_list(text):
    surfaces = terms(text, "surface")
    plain = [
        surface for surface in surfaces if "'" not in surface
    ]  # a possessive of a possessive is normalized again
    assert terms(" ".join(plain), "surface") == plain


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts)
def test_words_normalized_alike_share_their_surface(text):
    surfaces = [token for token in tokens(text) if token.kind == "surface"]
    assert len({(token.start, token.end) for token in tokens(text)}) == len(surfaces)


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("2010", "٢٠١٠ ۲۰۱۰ 2010 ２０１０ 20١٠ عام٢٠١٠م"),
        ("٢٠١٠", "2010 ۲۰۱۰"),
        ("الحكومة", "والحكومة حكومه اَلْحُكُومَة الحـكومة ﺍﻟﺤﻜﻮﻣﺔ الحكومه بالحكومة لحكومة «الحكومة»"),
        ("حكومة", "الحكومة للحكومة فالحكومة"),
        ("لروسيا", "روسيا لروسيا"),
        ("روسيا", "لروسيا بروسيا وروسيا كروسيا"),
        ("بموسكو", "موسكو بموسكو"),
        ("موسكو", "بموسكو لموسكو وموسكو"),
        ("ألبانيا", "ألبانيا وألبانيا لألبانيا البانيا"),
        ("المانيا", "ألمانيا"),  # its stem has lost an article; as it stands it is the same
        ("كييف", "«كييف» كيــيف"),
        ("Kyiv", "قصفKyivأمس والـKyiv Kyiv’s KYIV"),
        ("bbc", "الـBBC الـbbc «BBC»"),
        ("إلى الأمام", "الي_الامام"),
        ("قرآن", "قرا\u0653ن قُرْءَان القرآن"),
    ],
)  # fmt: skip
def test_a_question_finds_the_words_in_other_spellings(query, texts):
    assert [text for text in texts.split() if not finds(query, text)] == []


@pytest.mark.parametrize(
    ("query", "text"),
    [("بانيا", "ألبانيا"), ("2010", "20100"), ("2010", "2011 201 20100"), ("Kyiv", "كييف"), ("bc", "الـBBC")],
)
def test_a_question_does_not_find_parts_of_words(query, text):
    assert not finds(query, text)


def test_a_name_in_latin_letters_inside_arabic_is_analysed_as_latin():
    assert terms("زار وفدKyivأمس", "surface") == ["زار", "وفد", "kyiv", "امس"]
    assert [(token.kind, token.term) for token in tokens("talks")] == [("surface", "talks"), ("stem", "talk")]
    assert terms("قال talks قالت", "stem") == ["قال", "talk", "قالت"]


def test_the_surface_keeps_what_the_stem_drops():
    assert terms("والحكومة الحكومات", "surface") == ["والحكومه", "الحكومات"]
    assert terms("والحكومة الحكومات", "stem") == ["حكوم", "حكوم"]
    assert terms("Talks talking", "surface") == ["talks", "talking"]


@pytest.mark.parametrize(
    ("word", "stems"),
    [
        ("لروسيا", ["لروسيا", "روسيا"]),
        ("بموسكو", ["بموسكو", "موسكو"]),
        ("سيعلن", ["سيعلن", "يعلن"]),
        ("كوريا", ["كوريا", "وريا"]),
        ("فلسطيني", ["فلسطين", "لسطين"]),
        ("بلاد", ["بلاد"]),  # too short to decide
        ("روسيا", ["روسيا"]),  # no particle
        ("وموسكو", ["موسكو"]),
        ("billions", ["billion"]),  # a particle is Arabic
    ],
)
def test_a_particle_gives_a_second_stem_where_enough_is_left(word, stems):
    assert terms(word) == stems


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text([*LETTERS, *"abc129"], min_size=1, max_size=10), st.data())
def test_controls_of_direction_inside_words_change_no_term(word, data):
    places = data.draw(st.lists(st.tuples(st.integers(1, 10), st.sampled_from(BIDI)), max_size=6))
    marked = list(word)
    for place, control in places:
        marked.insert(min(place, len(marked)), control)
    for kind in KINDS:
        assert terms("".join(marked), kind) == terms(word, kind)


def test_function_words_are_known_in_normalized_form():
    idle = function_words()
    for word in ["في", "على", "إلى", "الى", "أَنَّ", "التي", "هذا", "مِن", "the", "The", "WHO", "of", "what's"]:
        assert set(terms(word, "surface")) <= idle, word
    for word in ["حكومة", "الله", "الأمة", "بوتين", "موسكو", "2010", "Kyiv", "talks", "war", "May1"]:
        assert not set(terms(word, "surface")) & idle, word
    assert all(terms(word, "surface") == [word] for word in idle)


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


def test_threads_do_not_mix_their_words():
    """Stemmers keep the word that they are at; what one thread makes of it is kept for all."""
    words = [f"{stem}{end}" for stem in ("treat", "strait", "traffic", "negotiat", "harbour", "generous", "organiz")
             for end in ("y", "ies", "ing", "ed", "ion", "ations", "fulness", "ly", "ers", "s")]  # fmt: skip
    alone = {word: terms(word, "stem") for word in words}
    for _ in range(5):
        _terms.cache_clear()
        with ThreadPoolExecutor(8) as executor:
            found = list(executor.map(lambda word: (word, terms(word, "stem")), words * 8))
        assert [(word, found) for word, found in found if found != alone[word]] == []
