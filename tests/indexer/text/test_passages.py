"""Passages: exact ranges that cover a document but for its title, cut where a reader would cut."""

import io
import textwrap
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.boilerplate.layout import clean
from indexer.datatypes import Document
from indexer.text.passages import is_hard_wrapped, searched_text, split_document
from tests.support.paths import ROOT, SEEDS
from tests.support.read_files import read_documents

SENTENCE = "أعلنت وزارة المياه أن السدود امتلأت بعد أمطار الشتاء الغزيرة في شمال البلاد"
PARAGRAPH = (
    "Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea, and they agreed "
    "that the next round of talks will be held in Vienna in March."
)
BITS = [
    "كلمة", "Talks in Geneva\n", "الحكومة", "word", "Kyiv's", "3.5", "🕊", "é", "a.b", ".", "!", "؟", "؛", "،", "…", "»", '"', ":",
    " ", " ", " ", "  ", "\t", "\u00a0", "\u2028", "\u0085", "\v", "\f", "\u200f", "\ufeff", "\0",
    "\n", "\n", "\r\n", "\r", "\n\n", f"{SENTENCE}.", PARAGRAPH, "ط" * 50,
]  # fmt: skip

texts = st.lists(st.sampled_from(BITS), max_size=40).map("".join)
titles = st.sampled_from(["", "Talks in Geneva", "كلمة"])


def words(text):
    return len(text.split())


def document(text, title="", lang="en"):
    return Document("a.txt", title, text, "", lang)


def split(text, title="", window=512, count=words, lang="en"):
    return split_document(document(text, title, lang), count, window).passages


def quoted(text, **options):
    return [text[each.start : each.end] for each in split(text, **options)]


def article(text, **options):
    """Split a text as an article is: its title is its first line."""
    (read,) = read_documents("a.txt", text.encode())
    passages = split_document(read, options.pop("count", words), options.pop("window", 512)).passages
    return [read.text[each.start : each.end] for each in passages]


def letters(text):
    return [char for char in text.casefold() if char.isalnum()]


def title_places(text, title):
    """The places of the title's line, one of the first twelve, if there are other lines too."""
    lines, at = [], 0
    for line in io.StringIO(text, newline="").readlines():
        if line.strip():
            lines.append((line, range(at, at + len(line))))
        at += len(line)
    of_title = [places for line, places in lines[:12] if letters(line) == letters(title) != []]
    return set(of_title[0]) if of_title and len(lines) > 1 else set()


def assert_ranges_cover(text, passages, title=""):
    """Every word is in exactly one passage, but the title in none."""
    assert [each.number for each in passages] == list(range(1, len(passages) + 1))
    covered = [at for each in passages for at in range(each.start, each.end)]
    assert covered == sorted(set(covered))
    words_at = {at for at, char in enumerate(text) if not char.isspace()}
    assert words_at - set(covered) == words_at & title_places(text, title)
    for each in passages:
        assert text[each.start : each.end] == text[each.start : each.end].strip() != ""


def assert_words_are_whole(text, passages):
    for each in passages:
        assert each.start == 0 or text[each.start - 1].isspace()
        assert each.end == len(text) or text[each.end].isspace()


def assert_lines_are_right(text, passages):
    line_of, number = {}, 0
    at = 0
    for number, line in enumerate(io.StringIO(text, newline="").readlines(), 1):
        line_of |= dict.fromkeys(range(at, at + len(line)), number)
        at += len(line)
    for each in passages:
        assert (each.line_start, each.line_end) == (line_of[each.start], line_of[each.end - 1])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts, titles, st.integers(3, 40))
@example("", "", 10)
@example(" \n\r\n\u2028", "", 10)
@example("ط" * 50, "كلمة", 1)
@example("كلمة\nكلمة", "كلمة", 10)
@example("a.\n\n Talks, in Geneva? \nb.", "Talks in Geneva", 10)
def test_every_word_is_in_exactly_one_passage_but_the_title_in_none(text, title, window):
    passages = split(text, title, window)
    assert_ranges_cover(text, passages, title)
    assert_words_are_whole(text, passages)
    assert_lines_are_right(text, passages)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts, titles, st.integers(3, 40))
def test_every_passage_fits_the_window_unless_it_is_one_word(text, title, window):
    for passage in quoted(text, title=title, window=window):
        assert words(passage) <= window or passage.split() == [passage]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(texts, titles, st.integers(3, 40))
def test_the_same_document_is_always_split_alike(text, title, window):
    assert split(text, title, window) == split(text, title, window)


@pytest.mark.parametrize("ending", [". ", " "])
def test_a_line_of_36000_characters_gives_passages_that_cover_it(ending):
    text = f"{SENTENCE}{ending}" * (36_000 // len(SENTENCE + ending) + 1)
    passages = split(text, window=200, count=lambda part: len(part) // 4 + 2)
    assert_ranges_cover(text, passages)
    assert_words_are_whole(text, passages)
    assert all((each.line_start, each.line_end) == (1, 1) for each in passages)
    assert all((each.end - each.start) // 4 + 2 <= 200 for each in passages)
    assert 36_000 / 800 < len(passages) < 36_000 / 250
    if ending == ". ":
        assert all(text[each.end - 1] == "." for each in passages)


def test_a_word_longer_than_the_window_is_a_passage_of_its_own():
    text = f"{'قبل ' * 30}{'ط' * 36_000}{' بعد' * 30}"
    passages = quoted(text, window=100, count=len)
    assert "ط" * 36_000 in passages
    assert all(len(each) <= 100 for each in passages if "ط" not in each)


@pytest.mark.parametrize("end", [".", "!", "?", "؟", "؛", ";", "…", "۔", '."', ".»", "?)", "!!", ".”", ".’"])
def test_text_too_long_is_cut_at_sentence_ends_of_both_scripts(end):
    text = " ".join([f"{SENTENCE}{end}", f"{SENTENCE}، {SENTENCE}{end}", f"{SENTENCE}{end}"] * 4)
    passages = quoted(text, window=30)
    assert len(passages) > 4
    assert all(each.endswith(end) for each in passages)


@pytest.mark.parametrize("inside", ["3.5", "U.N", "10:30", "example.com", "نعم،لا"])
def test_a_point_inside_a_word_ends_no_sentence(inside):
    text = f"{'كلمة ' * 9}نهاية. {'كلمة ' * 3}{inside} {'كلمة ' * 5}نهاية."
    assert quoted(text, window=14)[0].endswith("نهاية.")
    assert len(quoted(text, window=14)) == 2


def test_the_cut_is_the_sentence_end_nearest_the_middle():
    text = "one one. two two two. three three three three. four four four four four."
    assert quoted(text, window=9) == [
        "one one. two two two. three three three three.",
        "four four four four four.",
    ]


def test_a_text_without_sentence_ends_is_cut_at_spaces():
    text = "،".join(["كلمة"] * 3) + " كلمة،" * 60
    passages = quoted(text, window=20)
    assert " ".join(passages) == text
    assert len(passages) == 4


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_kind_give_the_same_passages(end):
    lines = ["Talks in Geneva", "", PARAGRAPH, "", "Next round", PARAGRAPH, f"{SENTENCE}.", "  تم. ", ""]
    plain, text = "\n".join(lines), end.join(lines)
    passages = split(text, "Talks in Geneva")
    assert_ranges_cover(text, passages, "Talks in Geneva")
    assert_lines_are_right(text, passages)
    assert [text[each.start : each.end].split(end) for each in passages] == [
        passage.split("\n") for passage in quoted(plain, title="Talks in Geneva")
    ]
    assert [(each.line_start, each.line_end) for each in passages] == [(3, 3), (5, 6), (7, 8)]


def test_a_byte_order_mark_moves_no_offset():
    text = f"Talks in Geneva\r\n\r\n{PARAGRAPH}\r\n{SENTENCE}."
    plain, marked = (
        split_document(read_documents("a.txt", data)[0], words, 512).passages
        for data in (text.encode(), text.encode("utf-8-sig"))
    )
    assert plain == marked
    assert text[marked[1].start : marked[1].end] == f"{SENTENCE}."


def test_other_separators_do_not_end_a_passage():
    text = f"{SENTENCE}\u2028{SENTENCE}\u0085{SENTENCE}\v{SENTENCE}"
    assert quoted(text) == [text]


def test_each_paragraph_under_the_title_is_a_passage():
    assert article(f"Talks in Geneva\n\n{PARAGRAPH}\n{SENTENCE}.\n\n{PARAGRAPH}\n") == [
        PARAGRAPH,
        f"{SENTENCE}.",
        PARAGRAPH,
    ]


@pytest.mark.parametrize("line", ["Talks in Geneva", "  # TALKS in Geneva! ", "«Talks in ‘Geneva’»"])
@pytest.mark.parametrize("above", [0, 1, 11])
def test_the_title_is_in_no_passage_wherever_it_stands_among_the_first_lines(line, above):
    others = [f"{number}. {PARAGRAPH}" for number in range(14)]
    lines = [*others[:above], line, *others[above:]]
    assert quoted("\n\n".join(lines), title="Talks in Geneva") == others


def test_a_line_like_the_title_below_the_first_lines_stays():
    others = [f"{number}. {PARAGRAPH}" for number in range(12)]
    text = "\n".join([*others, "Talks in Geneva", PARAGRAPH])
    assert quoted(text, title="Talks in Geneva") == [*others, f"Talks in Geneva\n{PARAGRAPH}"]


def test_no_passage_spans_the_title():
    assert quoted("نعم ولا.\nTalks in Geneva\nلا ونعم.", title="Talks in Geneva") == ["نعم ولا.", "لا ونعم."]


def test_a_first_paragraph_that_gives_its_beginning_as_the_title_is_a_passage():
    long = f"{PARAGRAPH} {PARAGRAPH}"
    (read,) = read_documents("a.txt", f"{long}\n{SENTENCE}.".encode())
    assert read.title.endswith("…")
    assert article(read.text) == [long, f"{SENTENCE}."]


def test_words_of_the_title_find_the_first_passage():
    def searched(text, title):
        split = split_document(document(text, title), words, 512)
        return [searched_text(split.document, each) for each in split.passages]

    title, text = "Talks in Geneva", f"{PARAGRAPH}\n{SENTENCE}."
    for whole in (f"{title}\n{text}", text):  # a title of the file, or one of a sidecar
        assert searched(whole, title) == [f"{title}\n{PARAGRAPH}", f"{SENTENCE}."]
    assert searched(title, title) == [title]
    assert searched(text, "Envoys met") == searched(text, "") == [PARAGRAPH, f"{SENTENCE}."]


def test_heading_belongs_to_the_first_passage_beneath_it():
    assert article(f"Title\n{PARAGRAPH}\n\nThe grain deal\n{PARAGRAPH}\n{PARAGRAPH}") == [
        PARAGRAPH,
        f"The grain deal\n{PARAGRAPH}",
        PARAGRAPH,
    ]


def test_headings_in_a_row_belong_to_the_first_passage_beneath_the_last():
    assert article(f"Title\n{PARAGRAPH}\nPart two\nThe grain deal\n{PARAGRAPH}") == [
        PARAGRAPH,
        f"Part two\nThe grain deal\n{PARAGRAPH}",
    ]


def test_short_last_line_is_kept_and_is_not_a_heading():
    assert article(f"Title\n{PARAGRAPH}\nThe end of it") == [f"{PARAGRAPH}\nThe end of it"]


def test_a_title_alone_is_a_passage():
    assert article("Talks in Geneva\n") == ["Talks in Geneva"]


@pytest.mark.parametrize("line", ["كلمة " * 2_000, f"{SENTENCE}. " * 30])
def test_a_heading_is_not_cut_off_from_a_long_line_beneath_it(line):
    first, *others = article(f"محادثات جنيف\nصفقة الحبوب\n{line}", window=300)
    assert first.startswith("صفقة الحبوب\n")
    assert len(first) > 200
    assert len(others) >= 3


def sentence_of(length):
    return "ط" * (length - 1) + "."


def test_a_long_paragraph_is_split_at_the_sentence_end_nearest_its_middle():
    sentences = [f"{SENTENCE}."] * 11
    assert len(" ".join(sentences)) > 800
    assert quoted(" ".join(sentences)) in (
        [" ".join(sentences[:5]), " ".join(sentences[5:])], [" ".join(sentences[:6]), " ".join(sentences[6:])],
    )  # fmt: skip


def test_a_paragraph_of_800_code_points_is_not_long():
    first = sentence_of(400)
    assert quoted(f"{first} {sentence_of(399)}") == [f"{first} {sentence_of(399)}"]
    assert quoted(f"{first} {sentence_of(400)}") == [first, sentence_of(400)]


@pytest.mark.parametrize("order", [1, -1])
def test_a_long_paragraph_is_not_split_into_pieces_under_200_code_points(order):
    for length, count in ((199, 1), (200, 2)):
        sentences = [sentence_of(length), sentence_of(700)][::order]
        assert quoted(" ".join(sentences)) == (sentences if count == 2 else [" ".join(sentences)])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*BITS[-3:], "كلمة", ". ", "\n"]), max_size=40).map("".join))
def test_pieces_of_a_paragraph_that_fits_have_200_code_points(text):
    for one, other in pairwise(split(text, window=100_000)):
        if one.line_end == other.line_start:
            assert min(one.end - one.start, other.end - other.start) >= 200


def test_a_long_paragraph_without_a_sentence_end_is_whole_while_it_fits():
    text = " ".join(["كلمة"] * 300)
    assert quoted(text, window=300) == [text]
    assert len(quoted(text, window=299)) == 2


def test_a_short_line_joins_its_neighbour():
    assert article(f"Title\n{PARAGRAPH}\n{SENTENCE}.\nنعم.\n{PARAGRAPH}") == [
        PARAGRAPH,
        f"{SENTENCE}.\nنعم.",
        PARAGRAPH,
    ]


def test_a_short_line_joins_a_long_neighbour_too():
    long = " ".join([PARAGRAPH] * 4)
    assert article(f"Title\n{long}\nولم يرد الكرملين.") == [f"{long}\nولم يرد الكرملين."]


def test_a_short_line_never_joins_across_a_heading():
    assert article(f"Title\n{PARAGRAPH}\nنعم.\nThe grain deal\n{PARAGRAPH}\nلا.") == [
        f"{PARAGRAPH}\nنعم.",
        f"The grain deal\n{PARAGRAPH}\nلا.",
    ]


def test_a_list_of_short_lines_becomes_passages_that_stay_findable():
    lines = [f"{number}. Item of the agenda" for number in range(200)]
    passages = quoted("\n".join(lines))
    assert "\n".join(passages).split("\n") == lines
    assert all(100 < len(each) <= 700 for each in passages)


def test_short_lines_do_not_join_beyond_the_window():
    passages = quoted("\n".join(["نعم ولا."] * 60), window=10)
    assert all(words(each) <= 10 for each in passages)
    assert len(passages) == 12


@pytest.mark.parametrize("width", [40, 72, 100])
@pytest.mark.parametrize("sentence", [f"{SENTENCE}. ", f"{PARAGRAPH} "])
def test_hard_wrapped_text_joins_to_its_paragraphs(width, sentence):
    paragraphs = [textwrap.fill(sentence * 4, width, break_on_hyphens=False) for _ in range(3)]
    text = "\n\n".join(paragraphs)
    assert quoted(text) == paragraphs
    assert_lines_are_right(text, split(text))


def test_a_list_of_headlines_does_not_join():
    headlines = [
        "Envoys meet in Geneva to discuss the grain corridor",
        "Dams in the north are full after the heaviest rain in eleven years, says ministry",
        "Parliament votes on the new budget before the break",
        "Olive harvest starts late and prices double in the markets of the capital",
        "A telescope sees the first galaxies further than ever",
        "Museum returns forty manuscripts to the old library of Timbuktu after a decade",
    ]
    text = "\n".join(headlines)
    assert not is_hard_wrapped(text)
    assert quoted(text) == headlines


def test_ordinary_paragraphs_are_not_hard_wrapped():
    text = "\n".join([PARAGRAPH, f"{SENTENCE}.", PARAGRAPH, f"{SENTENCE}.", PARAGRAPH])
    assert not is_hard_wrapped(text)


def test_passage_language_is_its_own_or_that_of_the_document():
    text = f"{PARAGRAPH}\n{SENTENCE}.\n{'2025 – 40 % … ' * 5}"
    assert [each.lang for each in split(text, lang="ar")] == ["en", "ar", "ar"]
    assert [each.lang for each in split(text, lang="en")] == ["en", "ar", "en"]


def test_passages_carry_the_id_of_their_document():
    (passage,) = split(PARAGRAPH)
    assert (passage.doc_id, passage.passage_id) == ("a.txt", "a.txt#1")


# --- around lines that were cut --------------------------------------------------------------------


def cut_and_split(lines, window=512, count=words, end="\n"):
    """Clean an article of these lines and split it; returns the untouched text and what came of it."""
    text = end.join(lines)
    cleaned, cuts = clean(document(text))
    return text, split_document(cleaned, count, window, cuts)


def quotes(text, cut_article):
    return [text[each.start : each.end] for each in cut_article.passages]


def test_passages_never_span_a_cut_line():
    text, found = cut_and_split(["Talks in Geneva", PARAGRAPH, "نعم ولا.", "Loading", "لا ونعم.", PARAGRAPH])
    assert [cut.line for cut in found.cuts] == [4]
    assert quotes(text, found) == [f"{PARAGRAPH}\nنعم ولا.", f"لا ونعم.\n{PARAGRAPH}"]


def test_a_title_of_which_all_other_lines_are_cut_is_a_passage():
    text, found = cut_and_split(["Loading", "Talks in Geneva", "Share"])
    assert [cut.line for cut in found.cuts] == [1, 3]
    assert quotes(text, found) == ["Talks in Geneva"]


def test_heading_does_not_join_text_after_a_cut_line():
    text, found = cut_and_split(["Talks", PARAGRAPH, f"{SENTENCE}.", "The grain deal", "Loading", PARAGRAPH])
    assert quotes(text, found) == [PARAGRAPH, f"{SENTENCE}.\nThe grain deal", PARAGRAPH]


def test_hard_wrapped_lines_do_not_join_over_a_cut_line():
    wrapped = textwrap.fill(f"{SENTENCE} " * 8, 72, break_on_hyphens=False).split("\n")
    text, found = cut_and_split(["Talks", "", *wrapped[:4], "Loading", *wrapped[4:]])
    assert [cut.rule for cut in found.cuts] == ["loading"]
    assert quotes(text, found) == ["\n".join(wrapped[:4]), "\n".join(wrapped[4:])]


def test_of_lines_like_titles_only_the_title_is_left_out():
    """A question of two lines' length heads the article; under a cut line it is a paragraph like others."""
    line = "Will the corridor across the Black Sea be open again before the winter, when the ice closes the ports of the north?"
    other = "Who is to pay for all the ships and their crews that must wait at the quays of the south until spring comes?"
    assert 100 < len(line) <= 200
    assert 100 < len(other) <= 200
    text, found = cut_and_split([line, PARAGRAPH, "Loading", other, PARAGRAPH])
    assert found.document.title == line
    assert quotes(text, found) == [PARAGRAPH, other, PARAGRAPH]


def test_the_title_rule_holds_where_the_first_lines_were_cut():
    text, found = cut_and_split(["Loading", "Talks in Geneva, and after them?", PARAGRAPH, SENTENCE])
    assert [cut.line for cut in found.cuts] == [1]
    assert quotes(text, found) == [PARAGRAPH, SENTENCE]


CUT_LINES = ["Loading", "Share", "Most read", "203.0.113.7", "  Advertisement ", "شارك", "جار التحميل"]
cut_pages = st.lists(
    st.sampled_from([*CUT_LINES, *BITS[-3:], "Talks in Geneva", "نعم.", "A heading", ""]), max_size=20
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(cut_pages, st.sampled_from(["\n", "\r\n", "\n\n"]), st.integers(5, 60))
def test_kept_lines_are_in_one_passage_and_cut_lines_and_the_title_in_none(lines, end, window):
    text, found = cut_and_split(lines, window, end=end)
    assert_ranges_cover(found.document.text, found.passages, found.document.title)
    assert_words_are_whole(found.document.text, found.passages)
    assert_lines_are_right(text, found.passages)
    for cut in found.cuts:
        assert all(each.end <= cut.start or each.start >= cut.end for each in found.passages)
    assert all(
        text[each.start : each.end] == found.document.text[each.start : each.end] for each in found.passages
    )


def test_languages_are_detected_paragraph_by_paragraph():
    persian = "وزارت نیرو اعلام کرد که سدها پس از باران‌های زمستانی پر شده‌اند و آب شهرها تا تابستان کافی است."
    mixed = (
        "قال الوزير في مؤتمر صحفي إن الاتفاق سيوقع غدا في جنيف: "
        "we have agreed on every point that was still open between the two sides."
    )
    urdu = "وزیر نے کہا کہ بارش کے بعد ڈیم بھر گئے ہیں اور شہروں کے لیے پانی گرمیوں تک کافی ہے۔"
    text = "\n\n".join(["محادثات جنيف", f"{SENTENCE}.", PARAGRAPH, mixed, persian, urdu])
    assert [each.lang for each in split(text, lang="ar")] == ["ar", "en", "mixed", "fa", "ur"]


def holds_for_file(path):
    (read,) = read_documents(path.name, path.read_bytes())
    passages = split_document(read, lambda text: len(text) // 3 + 2, 512).passages
    assert_ranges_cover(read.text, passages, read.title)
    assert_words_are_whole(read.text, passages)
    assert_lines_are_right(read.text, passages)
    assert min(title_places(read.text, read.title)) == 0
    assert all(each.end - each.start >= 40 for each in passages)


def test_the_articles_that_ship_are_split_whole():
    paths = sorted((ROOT / "archive").rglob("*.txt"))
    assert len(paths) >= 18
    for path in paths:
        holds_for_file(path)


@pytest.mark.skipif(not SEEDS.exists(), reason="needs the shared data")
def test_scraped_articles_are_split_whole():
    for path in sorted(SEEDS.glob("*.txt")):
        holds_for_file(path)
