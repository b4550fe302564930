"""The command search: filters, duplicates, JSON and wrong usage."""

import csv
import io
import json
from urllib.parse import urlencode

import pytest

from indexer import Searcher, build_index
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.command_line import errors
from tests.support.fakes import FakeModel
from web import SearchService, create_app


def test_search_prints_passages_with_their_place(run, index, archive):
    done = run("search", "grain corridor in Geneva", "--index", index)
    assert done.status == 0
    assert done.err == ""
    assert done.out.startswith("1. talks.txt:2  [en, ")
    assert done.out.splitlines()[1] == "Talks in Geneva"
    assert done.out.splitlines()[2].startswith("Envoys met in Geneva on Monday")
    assert done.out.endswith("Passages 1 to 4 of 4.\n")


@pytest.mark.parametrize(
    "options",
    [{}, {"limit": "1"}, {"limit": "2", "offset": "1"}, {"mode": "lexical"}, {"mode": "dense", "lang": "ar"}],
)
def test_json_equals_the_api_response(run, index, options):
    query = "وزارة المياه grain & <b>Geneva</b>"
    arguments = [f"--{name}={value}" for name, value in options.items()]
    done = run("search", query, "--index", index, "--json", *arguments)
    store = GenerationReader.open(IndexFolder(index))
    service = SearchService(index, None, lambda *_: Searcher(store, FakeModel(name="bundled")))
    response = create_app(service).test_client().get(f"/api/v1/search?{urlencode({'q': query, **options})}")
    printed, returned = done.json, response.get_json()
    assert done.status == 0
    assert printed["hits"]
    assert [*printed] == [*returned]
    assert printed.pop("took_ms") >= 0
    assert returned.pop("took_ms") >= 0
    assert printed == returned
    store.close()


def test_empty_result_exits_1(run, index):
    done = run("search", "unheard", "--index", index, "--mode", "lexical")
    assert (done.status, done.out) == (1, "Nothing was found.\n")
    done = run("search", "unheard", "--index", index, "--lang", "fr", "--json")
    assert (done.status, done.json["hits"]) == (1, [])
    done = run("search", "Geneva", "--index", index, "--offset", "400")
    assert (done.status, done.out) == (1, "No passage past that offset.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [""], [" \t\n"], ["\u200f\u200e"], ["x" * 10_000], ["x" * 1_001],
        ["x", "--limit", "-1"], ["x", "--limit", "0"], ["x", "--limit", "101"], ["x", "--limit", "ten"],
        ["x", "--offset", "-1"], ["x", "--offset", "10001"], ["x", "--mode", "best"], ["x", "--mode", "raw"],
        ["x", "--lang", "Arabic"], ["x", "--lang", ""], ["x", "--colour"], ["x", "y"], [],
    ],
)  # fmt: skip
def test_invalid_options_are_wrong_usage_with_or_without_an_index(run, index, tmp_path, arguments):
    for folder in (index, tmp_path / "none"):
        done = run("search", *arguments, "--index", folder, "--json")
        assert (done.status, done.out, len(errors(done))) == (2, "", 1)


@pytest.fixture
def crowd(archive, tmp_path):
    """An index with a copy in another article, and an article of many passages."""
    body = "Envoys met in Geneva to discuss the grain corridor across the Black Sea, {}."
    (archive / "long.txt").write_text("\n\n".join(["Geneva", *map(body.format, "abcde")]), "utf-8")
    for name in ("first", "second"):
        (archive / f"{name}.txt").write_text("Envoys discuss grain in Geneva.", "utf-8")
    build_index(archive, tmp_path / "index", FakeModel(name="bundled"))
    return tmp_path / "index"


def test_search_collapses_duplicates_and_runs_unless_disabled(run, crowd):
    question = ("search", "Envoys discuss grain in Geneva", "--index", crowd, "--limit", 100)
    collapsed, everything = run(*question, "--json").json, run(*question, "--json", "--copies", "all").json
    assert collapsed["total"] == everything["total"] - 3  # the second copy, and two of five passages
    assert [hit["more"] for hit in everything["hits"]] == [None] * everything["total"]
    printed = run(*question)
    assert printed.status == 0
    assert "\nAlso in second.txt:1\n" in printed.out
    assert "\n2 more in this article: long.txt:" in printed.out
    assert f"Passages 1 to {collapsed['total']} of {collapsed['total']}." in printed.out
    output = run(*question, "--copies", "all").out
    assert "Also in" not in output
    assert "more in this article" not in output
    assert run(*question, "--copies", "some").status == 2


@pytest.mark.parametrize(
    ("options", "left", "undated"),
    [((), "012345p", ""), (("--source", "wire"), "012345", ""), (("--source", ""), "p", ""), (("--from", "2025-03-02"), "1", "5 articles without a date were"),
     (("--to", "2025-03-01"), "0", "5 articles without a date were"), (("--from", "2025-03-01", "--to", "2025-03-02"), "01", "5 articles without a date were"),
     (("--source", "wire", "--to", "2025-12-31"), "01", "4 articles without a date were"), (("--source", "", "--to", "2025-12-31"), "", "1 article without a date was"),
     (("--source", "nowhere"), "", "")],
)  # fmt: skip
def test_search_is_filtered_by_source_and_days(run, voyage_index, options, left, undated):
    _, index = voyage_index
    arguments = ("search", "ship grain", "--index", index, "--limit", 100, "--copies", "all", *options)
    done = run(*arguments, "--json")
    names = {hit["source"]["doc_id"].removesuffix(".txt") for hit in done.json["hits"]}
    assert "".join(sorted(name[-1] if name != "post" else "p" for name in names)) == left
    assert done.status == (0 if left else 1)
    note = f"{undated} left out by the date filter." if undated else ""
    if "nowhere" in options:
        note = "No article is of the source nowhere."
    assert done.json["warnings"] == ([note] if note else [])
    assert done.err == (f"Note: {note}\n" if note else "")
    printed = run(*arguments)
    assert (printed.status, printed.err) == (done.status, done.err)
    assert printed.out.count("wire/v") + printed.out.count("post.txt") == len(done.json["hits"])


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "yesterday"),
        ("--to", "2025-02-30"),
        ("--from", ""),
        ("--from", "2025-03-02", "--to", "2025-03-01"),
    ],
)
def test_invalid_days_are_wrong_usage(run, voyage_index, options):
    done = run("search", "ship", "--index", voyage_index[1], *options, "--json")
    assert (done.status, done.out, len(errors(done)), done.err.count("\n")) == (2, "", 1, 1)


def test_a_printed_passage_names_its_source_and_its_day(run, voyage_index):
    shown = run("search", "ship number 1", "--index", voyage_index[1], "--from", "2025-03-02").out
    assert shown.splitlines()[0].startswith("1. wire/v1.txt:3  [en, ")
    assert shown.splitlines()[1] == "Voyage 1 · wire · 2025-03-02"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_batch_writes_one_table_of_all_questions(run, index, tmp_path, form):
    questions = tmp_path / "questions.csv"
    questions.write_text("id;question\n1;grain corridor in Geneva\n2;-grain\n", "utf-8")
    done = run("search", "--batch", questions, "--index", index, "--limit", "2", "--format", form)
    assert (done.status, done.err) == (0, "")
    output = tmp_path / "table"
    again = run(
        "search", "--batch", questions, "--index", index, "--limit", "2", "--format", form, "--output", output
    )
    assert (again.status, again.out) == (0, "")
    table = output.read_bytes().decode()
    assert table.replace("\r\n", "\n") == done.out.replace("\r\n", "\n")
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"), newline="")))
        assert table.startswith("\ufeff")
    else:
        rows = [json.loads(line) for line in table.splitlines()]
    assert [(str(row["number"]), row["file"] or None) for row in rows] == [
        ("1", "talks.txt"), ("1", rows[1]["file"]), ("2", None),
    ]  # fmt: skip


def test_batch_of_nothing_found_exits_1_and_wrong_usage_2(run, index, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text('question\n"""no such words"""\n', "utf-8")
    assert run("search", "--batch", questions, "--index", index).status == 1
    for arguments in (["x", "--batch", questions], [], ["--batch", tmp_path / "none"]):
        assert run("search", *arguments, "--index", index).status == 2
    done = run("search", "--batch", questions, "--index", index, "--output", tmp_path / "no" / "folder")
    assert done.status == 2
    assert "cannot be written" in done.err
