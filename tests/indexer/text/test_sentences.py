"""Sentences by value and by property: where one ends, what belongs to it, and that nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.text.sentences import LONG, SHORT, split_sentences
from tests.support.time_bounds import at_most

ONE = "The envoys met in Geneva on Monday to discuss the corridor."
TWO = "They agreed to meet again in Vienna before the winter ends."
FIRST = "التقى المبعوثون في جنيف يوم الاثنين لبحث ممر الحبوب."
SECOND = "واتفقوا على أن يلتقوا مرة أخرى في فيينا قبل الشتاء."


def sentences(text, **options):
    return [text[start:end] for start, end in split_sentences(text, **options)]


@pytest.mark.parametrize(
    "parts",
    [
        [ONE, TWO],
        [FIRST, SECOND],
        ["هل اتفق المبعوثون على ممر الحبوب في جنيف؟", SECOND],
        ["Did the envoys agree on the corridor in Geneva?", "They did, and went home the day after!", TWO],
        ["أعلن الوزير أن السدود امتلأت بعد المطر؛", SECOND],
        ["He said: “We shall meet again in the spring.”", TWO],
        ["وقال الوزير: «سنلتقي مرة أخرى في الربيع المقبل.»", SECOND],
        ["The talks went on until the morning of Friday...", "Nobody left the hall before the end of them."],
        ["The corridor was closed (it had been open since July).", TWO],
        ["یہ خبر کل شام سب سے پہلے یہاں شائع ہوئی تھی۔", "اس کے بعد کسی نے اس کی تصدیق نہیں کی۔"],
    ],
)
def test_sentence_ends_at_its_mark(parts):
    assert sentences(" ".join(parts)) == parts


@pytest.mark.parametrize(
    "one",
    [
        "Dr. Salma Haddad and Mr. J. K. Harbour spoke of it at the port on Monday",
        "The U.S. envoy came at 3.5 hours past noon and left at 5 p.m. with the rest",
        "The harvest grew by 3.5 percent, as 1.234.567 tons were counted in the port",
        "The ministry (cf. the report of No. 12 of last year) said nothing about it",
        "وقال د. أحمد الحداد إن النسبة بلغت 3.5 بالمئة في الربع الأول من العام",
        "The talks ... were long, and the envoys of both sides were tired of them",
        "The address is www.example.com/a.html and the file is called v.1.2 there",
    ],
)
def test_full_stop_inside_a_sentence_ends_none(one):
    assert sentences(f"{one}. {TWO}") == [f"{one}.", TWO]


def test_line_end_ends_a_sentence_unless_the_text_is_wrapped():
    text = "Bread and salt for the sailors of the port\nOil and grain for the people of the town"
    assert sentences(text) == text.split("\n")
    assert sentences(text, wrapped=True) == [text]


def test_short_sentence_is_joined_to_its_neighbour():
    assert sentences(f"Yes. {ONE} Nay. {TWO}") == [f"Yes. {ONE} Nay.", TWO]
    assert sentences(f"{ONE} Yes.") == [f"{ONE} Yes."]
    assert sentences("Yes. Nay.") == ["Yes. Nay."]


def test_long_sentence_is_divided_at_commas_then_at_spaces():
    part = "the ships of the northern valleys came to the harbour one by one, "
    pieces = sentences(part * 20)
    assert all(len(piece) <= LONG for piece in pieces)
    assert all(piece.endswith("one,") for piece in pieces)
    assert " ".join(pieces) == (part * 20).strip()
    words = "ship " * 300
    assert " ".join(sentences(words)) == words.strip()
    assert sentences("x" * 3 * LONG) == ["x" * 3 * LONG]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.text(st.sampled_from("abc ABC.!?؟؛… \n\r\t«»\"'()،,0123ابتد\u200f") | st.characters(), max_size=400),
    st.booleans(),
)
def test_nothing_but_white_space_is_between_sentences(text, wrapped):
    ranges = split_sentences(text, wrapped=wrapped)
    assert ranges
    end_before = 0
    for start, end in ranges:
        assert end_before <= start <= end <= len(text)
        assert not text[end_before:start].strip()
        end_before = end
    assert not text[end_before:].strip()
    if text.strip():
        assert all(text[start:end] == text[start:end].strip() for start, end in ranges)
        assert len(ranges) == 1 or all(end - start >= SHORT for start, end in ranges[1:])


@pytest.mark.parametrize(
    "text", ["." * 65_000, "a. " * 30_000, "«" * 50_000, " " * 100_000 + "x", "A." * 40_000]
)
def test_hostile_text_is_split_in_bounded_time(text):
    with at_most(3):
        split_sentences(text)
