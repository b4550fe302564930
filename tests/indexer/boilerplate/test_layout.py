"""Cleaning by value: which lines of an article go for what stands around them, and which title is found."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from indexer.boilerplate.layout import clean
from indexer.boilerplate.repetition import least_articles, line_key, line_keys
from indexer.datatypes import Document, SourceFile
from indexer.text.lines import nonblank_lines, split_lines
from tests.support.time_bounds import at_most

TITLE = "Envoys agree on a grain corridor"
FIRST = (
    "Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea, and they agreed "
    "that the next round of talks will be held in Vienna in March."
)
SECOND = "The corridor had been closed since July, when the last agreement between the two sides ran out."
LAST = "A ship with grain for Egypt is to leave the port on Friday, the envoys said, if the weather holds."
ARTICLE = [TITLE, FIRST, SECOND, LAST]

ARABIC_TITLE = "المبعوثون يتفقون على ممر للحبوب"
ARABIC_FIRST = (
    "التقى المبعوثون في جنيف يوم الاثنين لبحث ممر الحبوب عبر البحر الأسود، واتفقوا على أن تعقد الجولة "
    "المقبلة من المحادثات في فيينا في شهر آذار المقبل."
)
ARABIC_SECOND = "وكان الممر مغلقا منذ تموز الماضي، حين انتهى آخر اتفاق بين الطرفين من دون أن يمدد."


def cleaned(lines, title="", repeated=None, end="\n"):
    """Clean an article of these lines; return it and, by the text of each cut line, the rule."""
    text = end.join(lines)
    document, cuts = clean(Document("a.txt", title, text, "", "en"), repeated)
    return document, {text[cut.start : cut.end]: cut.rule for cut in cuts}


def cut(lines, **options):
    return cleaned(lines, **options)[1]


# --- the title -----------------------------------------------------------------------------------


def test_article_without_boilerplate_keeps_all_lines_and_its_title():
    document, gone = cleaned(ARTICLE)
    assert (document.title, gone) == (TITLE, {})
    assert document.text == "\n".join(ARTICLE)
    document, gone = cleaned([ARABIC_TITLE, ARABIC_FIRST, ARABIC_SECOND])
    assert (document.title, gone) == (ARABIC_TITLE, {})


def test_boilerplate_above_the_title_is_not_the_title():
    document, gone = cleaned(["Skip to content", "Home > World > Europe", "Loading", *ARTICLE])
    assert document.title == TITLE
    assert list(gone) == ["Skip to content", "Home > World > Europe", "Loading"]


@pytest.mark.parametrize(
    "again",
    [TITLE, TITLE.upper(), f"{TITLE}.", f"# {TITLE}", f"{TITLE} | Harbour News", f"{TITLE} - Harbour News",
     f"{TITLE} — The Harbour Daily News", f"Harbour News | {TITLE}", f"{TITLE} » World » Harbour News"],
)  # fmt: skip
def test_repeated_title_is_kept_at_its_first_place(again):
    document, gone = cleaned([TITLE, again, FIRST, SECOND, LAST])
    assert document.title == TITLE
    assert gone == {again: "title-repeated"} if again != TITLE else gone == {TITLE: "title-repeated"}
    assert document.text.startswith(f"{TITLE}\n ")


def test_repeated_arabic_title_is_recognized_in_other_spellings():
    again = "المبعوثون يتفقون علي ممرٍّ للحبوب - صحيفة المرفأ"
    assert cut([ARABIC_TITLE, again, ARABIC_FIRST, ARABIC_SECOND]) == {again: "title-repeated"}


def test_title_repeated_at_the_end_is_cut():
    more = [f"{SECOND[:-1]}, said witness {number}." for number in range(12)]
    assert cut([*ARTICLE, *more, TITLE]) == {TITLE: "title-repeated"}
    # Nearly the title: above the text only, for below it may be a sentence.
    assert cut([TITLE, f"{TITLE} today", FIRST, SECOND]) == {f"{TITLE} today": "title-repeated"}
    assert cut([*ARTICLE, *more, f"{TITLE} today"]) == {}


def test_a_heading_sign_is_no_part_of_the_title():
    document, gone = cleaned([f"## {TITLE}", FIRST, SECOND])
    assert (document.title, gone) == (TITLE, {})


def test_a_hashtag_stays_whole_in_a_title():
    document, gone = cleaned(["#corridor opens again", FIRST, SECOND])
    assert (document.title, gone) == ("#corridor opens again", {})


def test_title_is_the_beginning_of_a_long_first_line():
    line = f"{FIRST} {SECOND}"
    document, gone = cleaned([line, LAST])
    assert gone == {}
    assert document.title.endswith("…")
    assert line.startswith(document.title[:-1] + " ")
    assert 60 < len(document.title) <= 91
    document, _ = cleaned(["ط" * 300])
    assert document.title == "ط" * 90 + "…"


def test_known_title_is_kept_unchanged():
    document, gone = cleaned(["Harbour News", TITLE, FIRST, SECOND, TITLE], title=f"{TITLE}!")
    assert document.title == f"{TITLE}!"
    assert document.text.startswith(f"Harbour News\n{TITLE}\n")
    assert gone == {TITLE: "title-repeated"}


def test_known_title_absent_from_the_text_cuts_nothing():
    document, gone = cleaned(ARTICLE, title="Something else")
    assert (document.title, gone) == ("Something else", {})


@pytest.mark.parametrize("title", ["Most read", "Share", "Comments", "إعلان", "203.0.113.7"])
def test_title_that_reads_like_boilerplate_is_kept(title):
    document, gone = cleaned([title, FIRST, SECOND], title=title)
    assert (document.title, gone) == (title, {})


@pytest.mark.parametrize("line", ["Loading", "Most read", "203.0.113.7", "شارك"])
def test_a_document_of_one_line_keeps_it(line):
    document, gone = cleaned(["", line, ""])
    assert (document.title, gone) == (line, {})


def test_site_name_above_a_repeated_title_is_cut():
    gone = cut(
        ["Harbour News", "All the ports, all the time", TITLE, f"{TITLE} | Harbour News", FIRST, SECOND]
    )
    assert gone == {
        "Harbour News": "site-name",
        "All the ports, all the time": "site-name",
        f"{TITLE} | Harbour News": "title-repeated",
    }


def test_first_line_that_may_be_a_site_name_stays_and_is_not_the_title():
    document, gone = cleaned(["Harbour News", "Menu", TITLE, FIRST, SECOND])
    assert (document.title, gone) == (TITLE, {"Menu": "navigation"})


def test_section_name_above_the_article_is_cut():
    assert cut(["World", TITLE, FIRST, SECOND]) == {"World": "navigation"}
    assert cut(["اقتصاد وبورصة", ARABIC_TITLE, ARABIC_FIRST, ARABIC_SECOND]) == {
        "اقتصاد وبورصة": "navigation"
    }
    assert cut([TITLE, "Politics", FIRST, SECOND]) == {"Politics": "navigation"}


@pytest.mark.parametrize(
    "line",
    ["By Salma Haddad", "بقلم سلمى حداد", "12 March 2025", "المصدر: وكالة المرفأ", "Written by Omar Aziz, Geneva",
     "Updated 12 March 2025"],
)  # fmt: skip
def test_author_and_date_lines_are_kept(line):
    for lines in ([TITLE, line, FIRST, SECOND], [line, TITLE, FIRST, SECOND], [*ARTICLE, line]):
        document, gone = cleaned(lines)
        assert (document.title, gone) == (TITLE, {})


POEM = [
    "A sailor mourns his ship", "The harbour read it out last night, and the hall, which had been loud, was still to the end of it.",
    ".", "Her sails leaned over and the wind was still", "as though the sea had fallen asleep in her arms",
    ".", "The sun lets down its red upon the wave", "and dresses all the shores in lamps and dreams",
]  # fmt: skip


def test_lines_of_signs_are_cut_and_nothing_between_them():
    assert cut(POEM) == {".": "divider"}


@pytest.mark.parametrize(
    "headline",
    ["شاهد.. كلب يقود صاحبه الكفيف", "المزيد من الأمطار في الطريق", "إنقاذ ثلاثة صيادين - فيديو", "Share the water",
     "Read more books, says minister", "بالصور.. افتتاح الميناء", "Comments", "الرأي", "Menu", "قصة مصورة: العيد"],
)  # fmt: skip
def test_first_line_is_never_cut_by_what_it_says(headline):
    document, gone = cleaned([headline, FIRST, SECOND, LAST])
    assert (document.title, gone) == (headline, {})


def test_verse_from_which_the_title_was_taken_stays():
    verses = [f"{word} the river went down to the sea" for word in ("Slowly", "Early", "Lately", "Never")]
    assert cut([verses[0], *verses, FIRST]) == {}


# --- lists of other articles ---------------------------------------------------------------------

OTHERS = [
    "Why bread is dearer in the south",
    "Five ports that the war has closed",
    "The last miller of Odesa and his two sons",
]


def test_related_articles_list_ends_where_the_article_continues():
    gone = cut([TITLE, FIRST, "Related articles", *OTHERS, SECOND, LAST])
    assert gone == dict.fromkeys(["Related articles", *OTHERS], "related")


def test_subheading_after_a_related_articles_list_is_kept():
    gone = cut([TITLE, FIRST, "Most read", *OTHERS, "What comes next", SECOND, LAST])
    assert gone == dict.fromkeys(["Most read", *OTHERS], "related")


def test_arabic_related_articles_list_ends_where_the_article_continues():
    others = ["لماذا ارتفع ثمن الخبز في مدن الجنوب", "خمسة موانئ أغلقتها الحرب منذ عام"]
    gone = cut(
        [
            ARABIC_TITLE,
            ARABIC_FIRST,
            "مواضيع ذات صلة",
            *others,
            "ما الذي يأتي",
            ARABIC_SECOND,
            ARABIC_SECOND.replace("تموز", "آب"),
        ]
    )
    assert gone == dict.fromkeys(["مواضيع ذات صلة", *others], "related")


def test_related_articles_list_at_the_end_is_cut_to_the_end():
    gone = cut([*ARTICLE, "Related articles", *OTHERS])
    assert gone == dict.fromkeys(["Related articles", *OTHERS], "related")


def test_list_with_an_end_mark_ends_at_the_mark():
    gone = cut([TITLE, FIRST, "الأكثر قراءة", *OTHERS, "نهاية الأكثر قراءة", "Three more days", SECOND, LAST])
    assert gone.keys() == {"الأكثر قراءة", *OTHERS, "نهاية الأكثر قراءة"}


def test_longer_list_inside_an_article_is_kept():
    many = [f"Ship number {number} of the corridor to the south" for number in range(16)]
    assert cut([TITLE, FIRST, "Related articles", *many, SECOND, LAST]) == {"Related articles": "related"}
    assert len(cut([TITLE, FIRST, "Related articles", *many[:15], SECOND, LAST])) == 16


def test_sentence_under_a_related_articles_heading_is_not_a_headline():
    sentence = "Nobody in the town believed it."
    assert cut([TITLE, FIRST, "Related articles", sentence, SECOND, LAST]) == {"Related articles": "related"}


def test_numbers_and_times_are_not_headlines():
    lines = ["Odesa: 360,000 tons", "Constanta: 120,000 tons"]
    assert cut([TITLE, FIRST, "Most read", *lines, SECOND, LAST]) == {"Most read": "related"}


# --- other neighbours ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["نعم.", "Yes.", "لا.", "No.", "Next", "Support", "Contact", "موافق"])
def test_button_like_word_between_paragraphs_is_kept(answer):
    assert cut([TITLE, FIRST, answer, SECOND, LAST]) == {}


@pytest.mark.parametrize("times", [3, 4])
def test_word_repeated_often_is_a_button(times):
    lines = [TITLE, FIRST]
    for number in range(times):
        lines += ["Listen", f"{SECOND[:-1]}, for the time numbered {number}."]
    assert cut(lines) == {"Listen": "controls"}


def test_keywords_under_the_title_are_cut_and_a_list_in_the_text_is_not():
    words = "grain, ports, Odesa, Black Sea, Turkey"
    assert cut([TITLE, words, FIRST, SECOND, LAST]) == {words: "tags"}
    assert cut([TITLE, FIRST, words, SECOND, LAST]) == {}


def test_a_table_of_contents_is_cut_and_its_headings_stay_in_the_text():
    headings = ["How it began", "Who pays for it"]
    lines = [TITLE, "Contents", *headings, FIRST, headings[0], SECOND, headings[1], LAST]
    _, cuts = clean(Document("a.txt", "", "\n".join(lines), "", "en"))
    assert {each.line: each.rule for each in cuts} == {2: "controls", 3: "navigation", 4: "navigation"}


def test_a_line_inside_a_box_is_cut_with_it():
    gone = cut(
        [
            TITLE,
            FIRST,
            "Sign up to our newsletter",
            "Grain and ships, weekly",
            "Enter your email",
            SECOND,
            LAST,
        ]
    )
    assert gone["Grain and ships, weekly"] == "among-boilerplate"
    assert len(gone) == 3


def test_number_or_network_name_next_to_buttons_is_a_count():
    assert cut([*ARTICLE, "Share", "Telegram", "1204"]) == {
        "Share": "share", "Telegram": "share", "1204": "controls",
    }  # fmt: skip
    assert cut([TITLE, FIRST, "1204", SECOND, LAST]) == {}


def test_comments_are_cut_to_the_end():
    comments = [
        "Omar",
        "Well written, I was there in July.",
        "Huda",
        "And the price of bread?",
        "Nour",
        "Thanks",
    ]
    more = [f"{SECOND[:-1]}, said witness {number}." for number in range(6)]
    gone = cut([*ARTICLE, *more, "Comments (3)", *comments])
    assert gone == dict.fromkeys(["Comments (3)", *comments], "comments")


def test_comments_like_heading_cuts_no_paragraph_below_it():
    long = f"{SECOND} {FIRST} {LAST} {SECOND}"
    gone = cut([TITLE, FIRST, "Responses", long, SECOND, LAST])
    assert gone.keys() <= {"Responses"}


def test_short_lines_among_boilerplate_after_the_article_are_cut():
    gone = cut(
        [*ARTICLE, "© 2025 Harbour News", "Pier 4, Odesa", "Tags: grain, ports", "Quayside Media", "Log in"]
    )
    assert gone == {
        "© 2025 Harbour News": "copyright",
        "Pier 4, Odesa": "among-boilerplate",
        "Tags: grain, ports": "tags",
        "Quayside Media": "among-boilerplate",
        "Log in": "navigation",
    }


def test_last_line_away_from_boilerplate_is_kept():
    assert cut([*ARTICLE, "Still waiting"]) == {}


def test_an_article_of_questions_and_answers_keeps_both():
    lines = [TITLE]
    for number in range(5):
        lines += [f"Did the ship number {number} come back?", "Yes." if number % 2 else "No.", SECOND]
    assert cut(lines) == {}


def test_metadata_block_is_cut_and_gives_no_title():
    matter = ["---", "author: Salma Haddad", "tags: [grain, ports]", "---"]
    document, cuts = clean(Document("a.md", "", "\n".join([*matter, "", f"# {TITLE}", FIRST]), "", "en"))
    assert {each.line: each.rule for each in cuts} == dict.fromkeys((1, 2, 3, 4), "front-matter")
    assert document.title == TITLE


def test_title_inside_a_metadata_block_is_not_the_title():
    """A title that is a folded YAML scalar has a line of its own; the heading under the block is the title."""
    matter = ["---", "title: >", f"  {TITLE}", "---"]
    document, cuts = clean(Document("a.md", TITLE, "\n".join([*matter, "", f"# {TITLE}", FIRST]), "", "en"))
    assert {each.line for each in cuts} == {1, 2, 3, 4}
    assert f"# {TITLE}" in document.text


def test_horizontal_rule_opens_no_metadata_block():
    assert cut(["---", TITLE, FIRST, SECOND]).get(TITLE) is None
    assert "front-matter" not in cut(["---", TITLE, "---", FIRST, SECOND]).values()


# --- repetition ----------------------------------------------------------------------------------


def test_repeated_line_is_cut_whatever_its_text():
    line = "The harbour master writes every Thursday"
    document, cuts = clean(
        Document("a.txt", "", "\n".join([TITLE, FIRST, line, SECOND]), "", "en"), {line_key(line): 17}
    )
    assert [(each.line, each.rule, each.articles) for each in cuts] == [(3, "repeated", 17)]
    assert line not in document.text


def test_pattern_rule_takes_precedence_over_repetition():
    _, cuts = clean(Document("a.txt", "", f"{TITLE}\n{FIRST}\nLoading", "", "en"), {line_key("Loading"): 9})
    assert [(each.rule, each.articles) for each in cuts] == [("loading", None)]


def test_repeated_first_line_is_not_the_title():
    column = "From our correspondent at the harbour"
    document, cuts = clean(
        Document("a.txt", "", "\n".join([column, *ARTICLE]), "", "en"), {line_key(column): 9}
    )
    assert document.title == TITLE
    assert [(each.line, each.rule) for each in cuts] == [(1, "repeated")]


def test_known_title_that_repeats_is_kept():
    document, cuts = clean(
        Document("a.txt", TITLE, "\n".join(ARTICLE), "", "en"), {line_key(TITLE): 40, line_key(LAST): 40}
    )
    assert document.title == TITLE
    assert [(each.line, each.articles) for each in cuts] == [(4, 40)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("a  line", " a line "), ("a\tline", "a line"), ("a\u00a0line", "a line"), ("سطر  واحد", "سطر واحد")],
)
def test_lines_that_differ_only_in_white_space_count_as_one(one, other):
    assert line_key(one) == line_key(other)


@pytest.mark.parametrize(("one", "other"), [("a line", "A line"), ("a line", "a line."), ("a line", "aline")])
def test_lines_that_differ_in_a_letter_count_separately(one, other):
    assert line_key(one) != line_key(other)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_line_key_fits_an_sqlite_column(line):
    assert -(2**63) <= line_key(line) < 2**63


def test_line_keys_of_a_text_equal_those_of_its_lines():
    text = "Title\r\n\r\nA much longer line\r  Title \n\u2028\n"
    assert line_keys(text)[1] == {line_key("Title"), line_key("A much longer line")}
    assert line_keys(" \n\t\r\n")[1] == frozenset()


def test_duplicate_articles_share_a_key_and_different_articles_do_not():
    copy = "\r\n\r\n".join(["Loading", *ARTICLE, "Share"])
    key = line_keys("\n".join(ARTICLE))[0]
    assert line_keys(copy)[0] == key
    assert line_keys("\n".join([TITLE, FIRST, SECOND, f"{LAST} Or not."]))[0] != key
    # A long notice in both does not make two articles one.
    notice = "What stands here was written by the crews of the ships. " * 6
    assert line_keys(f"{TITLE}\n{FIRST}\n{notice}")[0] != line_keys(f"{TITLE}\n{SECOND}\n{notice}")[0]


@pytest.mark.parametrize(
    ("articles", "least"),
    [
        (0, 5),
        (1, 5),
        (5, 5),
        (50, 5),
        (51, 6),
        (60, 6),
        (61, 7),
        (199, 20),
        (200, 20),
        (201, 20),
        (100_000, 20),
    ],
)
def test_repetition_threshold_is_a_tenth_of_the_articles_from_5_to_20(articles, least):
    assert least_articles(articles) == least


# --- whatever the text ---------------------------------------------------------------------------

SOME_LINES = [
    TITLE, FIRST, SECOND, LAST, ARABIC_TITLE, ARABIC_FIRST, ARABIC_SECOND, "Loading", "Share", "Facebook", "1204", "Related articles",
    "Most read", *OTHERS, "Comments (3)", "Contents", "Yes.", "نعم.", "Subscribe", "Enter your email",
    "World", "Harbour News", f"{TITLE} | Harbour News", "© 2025 Harbour News", "grain, ports, Odesa, Turkey",
    "Odesa: 360,000", "By Salma Haddad", "12 March 2025", "203.0.113.7", "aXA6IDIwMy4wLjExMy43", "نهاية الأكثر قراءة",
    "الأكثر قراءة", "---", "title: x", "#", "# Heading", "…", ".", "-", "\u200f", "\ufeff", "\0", "\u2028", "x" * 400,
]  # fmt: skip
line_texts = st.sampled_from(SOME_LINES) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30
)
line_ends = st.sampled_from(["\n", "\n\n", "\r\n", "\r", "\n \n", " \t\n  "])
pages = st.lists(st.tuples(line_texts, line_ends), max_size=30).map(
    lambda rows: "".join(line + end for line, end in rows)
)
known = st.sampled_from(["", "", TITLE, "Loading", "Nowhere"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pages, known, st.sets(st.sampled_from(SOME_LINES), max_size=6))
@example("", "", set())
@example("\r\n\u2028", "x", set())
@example("---\na: b\n---\n", "", set())
def test_only_whole_lines_are_blanked(text, title, many):
    repeated = {line_key(line): 9 for line in many}
    given_document = Document("a.txt", title, text, "s", "en", "2025-03-01", SourceFile("a.txt"))
    document, cuts = clean(given_document, repeated)
    lines = {line.number: (line.start, line.end) for line in nonblank_lines(text)}
    assert [each.line for each in cuts] == sorted({each.line for each in cuts})
    assert all(lines[each.line] == (each.start, each.end) for each in cuts)
    blank = {at for each in cuts for at in range(each.start, each.end)}
    assert document.text == "".join(" " if at in blank else char for at, char in enumerate(text))
    assert split_lines(document.text) == split_lines(text)
    kept = {name: getattr(document, name) for name in ("doc_id", "source", "lang", "published", "file")}
    assert kept == {name: getattr(given_document, name) for name in kept}
    assert clean(given_document, repeated) == (document, cuts)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pages, known, st.sets(st.sampled_from(SOME_LINES), max_size=6))
@example(f"Contents\n{TITLE}\n{TITLE}\n", "", set())
@example(f"{FIRST}\nContents\n{TITLE}\n{TITLE}\n", TITLE, set())
@example(f"{TITLE}\n{TITLE}\n{TITLE}\nComments (3)\nEnter your email\n{FIRST}\n", "", {TITLE})
def test_title_is_a_kept_line_and_some_line_is_always_kept(text, title, many):
    assume(not text.startswith("---"))
    document, cuts = clean(Document("a.txt", title, text, "", "en"), {line_key(line): 9 for line in many})
    gone = {each.line for each in cuts}
    stay = [text[line.start : line.end] for line in nonblank_lines(text) if line.number not in gone]
    assert bool(stay) == bool(text.strip())
    if title:
        assert document.title == title
        assert any(line == title for line in stay) or title not in text.split("\n")
    elif stay:
        found = document.title.removesuffix("…")
        assert any(found in line[:300] for line in stay)
        assert found or document.title == "…"
    else:
        assert document.title == ""


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(line_texts, max_size=25), st.sampled_from(["\r\n", "\r", "\n\n", "  \n\t"]), known)
def test_line_ends_and_indentation_change_no_decision(lines, end, title):
    lines = [line for line in lines if line.strip()]
    assume(lines[:1] != ["---"])
    plain, other = (clean(Document("a", title, each.join(lines), "", "en")) for each in ("\n", end))
    assert plain[0].title == other[0].title
    rules = [
        [
            next((cut.rule for cut in cuts if cut.line == line.number), None)
            for line in nonblank_lines(document.text)
        ]
        for document, cuts in (plain, other)
    ]
    assert rules[0] == rules[1]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text())
def test_any_text_can_be_cleaned(text):
    document, _ = clean(Document("a.txt", "", text, "", "en"))
    assert len(document.text) == len(text)


# --- time ----------------------------------------------------------------------------------------


LONG_PAGES = {
    "paragraphs": [f"{SECOND[:-1]}, in the words of witness {number}." for number in range(10_000)],
    "headlines": ["Most read", *(f"Ship number {number} of the corridor" for number in range(10_000))],
    "boilerplate": ["Comments (3)", "Contents", "Share", "Related articles", "1204"] * 2_000,
    "a line": [", ".join(["grain"] * 20_000), "a" + ", " * 20_000 + "x"],
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LONG_PAGES)
def test_cleaning_time_is_linear_in_the_page_length(kind):
    text = "\n".join([*ARTICLE, *LONG_PAGES[kind]])
    with at_most(15):  # a slow machine that did other things too took five
        document, _ = clean(Document("a.txt", "", text, "", "en"))
    assert document.title == TITLE
