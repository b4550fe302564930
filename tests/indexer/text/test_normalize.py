"""The text that a model reads, by value: one spelling, whoever typed it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.text.normalize import model_text


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("مَنْ سَاعَدَ فِي إِطْلَاقِ سَرَاحِه؟", "من ساعد في إطلاق سراحه؟"),
        ("الـــســلام عليكم", "السلام عليكم"),
        ("کیف حال الوزیر", "كيف حال الوزير"),
        ("على المبنى", "على المبنى"),  # not «علي», which is a name
        ("WHO HELPED FREE MARC FOGEL?", "who helped free marc fogel?"),
        ("wHo HeLPed", "who helped"),
        ("مذكرة\u200fمن\u200d الوزير", "مذكرةمن الوزير"),
        ("cafe\u0301", "café"),
        ("1,234.5 % — «x»", "1,234.5 % — «x»"),
        ("", ""),
    ],
)
def test_spelling_of_the_writer_is_not_read(typed, read):
    assert model_text(typed) == read


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_text_as_read_is_read_unchanged(text):
    assert model_text(model_text(text)) == model_text(text)
