"""Bylines: the name in a line that states the author, and lines that only look like one."""

import pytest

from indexer.boilerplate.layout import clean
from indexer.datatypes import Document
from indexer.text.byline import author_of
from indexer.text.passages import passage_texts, split_document

FIRST = "أعلنت بلدية المرفأ أمس خطة لتجديد شبكة المياه في ثلاثة أحياء قديمة، وقالت إن العمل يبدأ في الربيع."


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("By Jane Doe", "Jane Doe"), ("Written by Omar Aziz", "Omar Aziz"), ("by Jane  Doe", "Jane Doe"),
        ("بقلم سلمى حداد", "سلمى حداد"), ("بقلم: د. سلمى حداد", ""), ("كتب: أحمد سالم", "أحمد سالم"),
        ("كتبت سلمى حداد", "سلمى حداد"), ("إعداد: سلمى حداد", "سلمى حداد"), ("كتب/ أحمد سالم", "أحمد سالم"),
        ("\u200fبقلم: سلمى حداد", "سلمى حداد"),
    ],
)  # fmt: skip
def test_name_in_a_byline(line, name):
    assert author_of(line) == name


@pytest.mark.parametrize(
    "line",
    ["", "بقلم", "كتب التاريخ القديم", "كتب ترامب في صفحته أمس", "By the sea", "By 2030, half of it", "by far",
     "إعداد الموازنة", "تحرير الموصل", "تقرير: أزمة المياه في المدينة", "By Jane Doe, who was there", "x" * 200],
)  # fmt: skip
def test_other_lines_name_nobody(line):
    assert author_of(line) == ""


def test_byline_gives_the_author_and_stays_in_the_text_but_in_no_passage():
    document = Document("a.txt", "", f"البلدية تجدد شبكة المياه\nبقلم: سلمى حداد\n{FIRST}\n", "", "ar")
    cleaned, cuts = clean(document)
    assert (cleaned.author, cuts, cleaned.text) == ("سلمى حداد", (), document.text)
    assert passage_texts(split_document(cleaned, len, 512, cuts)) == [FIRST]


def test_author_that_is_known_is_not_replaced():
    document = Document("a.txt", "", f"العنوان هنا\nبقلم: سلمى حداد\n{FIRST}", "", "ar", author="Omar Aziz")
    assert clean(document)[0].author == "Omar Aziz"
