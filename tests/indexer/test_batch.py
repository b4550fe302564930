"""Many questions at once: files of questions as people have them, and tables that spreadsheets read."""

import csv
import io
import json

import pytest

from indexer import build_index
from indexer.batch import COLUMNS, MOST, BatchWriter, ask_all, read_questions
from indexer.errors import RequestError
from tests.support.archives import write_small
from tests.support.fakes import FakeModel
from tests.support.search_indexes import open_fake_index


@pytest.mark.parametrize(
    ("content", "questions"),
    [
        ("one\ntwo\n", ["one", "two"]), ("\ufeffسؤال أول\r\n\r\nسؤال، ثان\r\n", ["سؤال أول", "سؤال، ثان"]),
        ("Who, and when?\nWhat; or why?", ["Who, and when?", "What; or why?"]),
        ('"grain corridor"\n"a ""b"" c"\n', ["grain corridor", 'a "b" c']),
        ("id,Question\n1,one\n2,two\n3,\n", ["one", "two"]), ("السؤال;رقم\nأ;1\n", ["أ"]),
        ('question\n"two\nlines"\n', ["two\nlines"]), ("q\tnote\none\tx\n", ["one"]), ("question\nonly this", ["only this"]),
    ],
)  # fmt: skip
def test_questions_are_read_from_lines_and_from_csv(content, questions):
    assert read_questions(content.encode()) == questions


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no question"), (b"\n \n", "no question"), (b"question\n", "no question"), (b"\xff\xfe", "not UTF-8"),
        (b"a\0b", "no text"), (b"x\n" * (MOST + 1), "10,001 questions; 10,000"), (b'question\n"open', "cannot be read"),
    ],
)  # fmt: skip
def test_files_without_questions_are_refused(content, reason):
    with pytest.raises(RequestError, match=reason):
        read_questions(content)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    build_index(write_small(folder / "archive"), folder / "index", FakeModel())
    with open_fake_index(folder / "index") as searcher:
        yield searcher


def test_rows_are_the_hits_of_each_question_in_order(searcher):
    questions = ["grain corridor", "-grain", "السدود", '"no such words"']
    by_question = list(ask_all(searcher, questions, {"limit": 3}))
    assert [[row["rank"] for row in rows] for rows in by_question] == [[1, 2, 3], [None], [1, 2, 3], [None]]
    for number, (question, rows) in enumerate(zip(questions, by_question, strict=True), 1):
        assert {(row["number"], row["question"]) for row in rows} == {(number, question)}
        assert all(tuple(row) == COLUMNS for row in rows)
    assert "only says what to leave out" in by_question[1][0]["error"]
    assert by_question[3][0]["error"] is None
    for question in (0, 2):
        for row, hit in zip(
            by_question[question], searcher.search(questions[question], limit=3), strict=True
        ):
            assert (row["text"], row["doc_id"], row["passage"], row["file"]) == (
                hit.text, hit.document.doc_id, hit.passage.number, hit.source.path,
            )  # fmt: skip
            assert hit.document.text[row["char_start"] : row["char_end"]] == row["text"]


def test_tables_hold_the_same_in_both_forms(searcher):
    rows = [row for rows in ask_all(searcher, ["السدود", "=cmd()"], {}) for row in rows]
    files = {form: io.StringIO(newline="") for form in ("csv", "jsonl")}
    for form, file in files.items():
        BatchWriter(file, form).write(rows)
    assert [json.loads(line) for line in files["jsonl"].getvalue().splitlines()] == rows
    table = files["csv"].getvalue()
    assert table.startswith("\ufeffnumber,question,")
    read = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"), newline="")))
    assert [row["text"] for row in read] == [row["text"] or "" for row in rows]
    assert {row["question"] for row in read} == {"السدود", "'=cmd()"}
