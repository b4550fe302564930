"""Inspection: the decision for each line of a file, alone or in an index; and its cut lines."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer import Document, build_index, inspect_file
from indexer.boilerplate.patterns import rule_reasons
from indexer.datatypes import SourceFile
from indexer.errors import ArchiveError, RequestError
from indexer.inspection import JUDGED_SIZE, Originals, inspection_json, reason_of
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel
from tests.support.paths import ROOT

LINE = "The harbour master writes every Thursday"
KEYS = [
    "path", "doc_id", "articles", "refused_rows", "title", "lang", "published", "source", "author", "url", "basis", "encoding",
    "notes", "indexed", "lines", "outside", "passages",
]  # fmt: skip
PAGE = """<html><head><title>Voyage 7 of the corridor</title></head><body>
<nav><a href="/">Harbour front page and tides</a></nav>
<article><h1>Voyage 7 of the corridor</h1>
{body}<p>Advertisement</p>{body}</article>
<footer>Quayside Media, pier 4</footer></body></html>"""
PARAGRAPH = (
    "Ship number {} left the port on day {} of the year with grain for {} thousand people in the south."
)


def voyage(number, *others):
    return (
        "\n".join([f"Voyage {number} of the corridor", "", PARAGRAPH.format(number, number, number), *others])
        + "\n"
    )


@pytest.fixture
def folder(tmp_path):
    """Five articles of a source with a line in common, one with a date, and a file of many articles."""
    folder = tmp_path / "articles"
    (folder / "wire").mkdir(parents=True)
    for number in range(5):
        (folder / "wire" / f"v{number}.txt").write_text(voyage(number, "Loading", LINE), "utf-8")
    (folder / "wire" / "v0.meta.json").write_text('{"published": "2025-03-01", "author": "Salma Haddad"}')
    records = [
        {"id": name, "title": f"Record {name}", "body": voyage(at, "Share")}
        for at, name in enumerate("xyz", 60)
    ]
    (folder / "feed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
    return folder


@pytest.fixture
def nowhere(tmp_path):
    return tmp_path / "no index"


@pytest.fixture
def store(folder, index, model):
    build_index(folder, index, model)
    store = GenerationReader.open(IndexFolder(index))
    yield store
    store.close()


def told(file, index, **options):
    return inspection_json(inspect_file(file, index, **options))


def rules(found):
    return {row["line"]: row["rule"] for row in found["lines"]}


# --- a file alone --------------------------------------------------------------------------------


def test_file_is_inspected_line_by_line_without_an_index(folder, nowhere):
    file = folder / "wire" / "v0.txt"
    found = told(file, nowhere)
    assert list(found) == KEYS
    text = file.read_text("utf-8")
    assert [row["line"] for row in found["lines"]] == [1, 3, 4, 5]
    for row in found["lines"]:
        assert list(row) == ["line", "kept", "rule", "reason", "articles", "text"]
        assert row["text"] == text.split("\n")[row["line"] - 1]
        assert row["kept"] == (row["rule"] is None) == (row["reason"] is None)
    assert rules(found) == {1: None, 3: None, 4: "loading", 5: None}
    assert found["lines"][2]["reason"] == rule_reasons()["loading"]
    assert (found["path"], found["doc_id"], found["articles"]) == (str(file), "v0.txt", 1)
    assert (found["title"], found["lang"], found["basis"]) == ("Voyage 0 of the corridor", "en", "file")
    assert (found["published"], found["author"]) == ("2025-03-01", "Salma Haddad")  # from its sidecar
    assert (found["indexed"], found["outside"], found["notes"]) == (False, [], None)
    assert not nowhere.exists()
    json.dumps(found)


def test_passages_are_file_ranges_without_the_title_and_the_cut_lines(folder, nowhere):
    file = folder / "wire" / "v0.txt"
    text = file.read_text("utf-8")
    passages = told(file, nowhere)["passages"]
    assert [list(each) for each in passages] == [["start", "end", "line_start", "line_end"]] * 2
    quoted = [text[each["start"] : each["end"]] for each in passages]
    assert quoted == [PARAGRAPH.format(0, 0, 0), LINE]
    assert [(each["line_start"], each["line_end"]) for each in passages] == [(3, 3), (5, 5)]


def test_report_has_one_row_per_nonblank_line(tmp_path, nowhere):
    file = tmp_path / "odd.txt"
    file.write_bytes("\ufeff\r\n  Talks in Geneva \r\r\nA line\u2028with a break.\n\t\nThe end.".encode())
    assert [(row["line"], row["text"]) for row in told(file, nowhere)["lines"]] == [
        (2, "Talks in Geneva"), (4, "A line\u2028with a break."), (6, "The end."),
    ]  # fmt: skip


def test_an_article_of_a_file_of_many_is_named_by_its_id(folder, nowhere):
    file = folder / "feed.jsonl"
    assert told(file, nowhere)["doc_id"] == "feed.jsonl::x"
    for record in ("y", "feed.jsonl::y"):
        found = told(file, nowhere, record=record)
        assert (found["doc_id"], found["articles"], found["title"]) == ("feed.jsonl::y", 3, "Record y")
        assert (found["basis"], rules(found)[6]) == ("extracted", "share")
    with pytest.raises(ArchiveError, match="no article with the id w"):
        inspect_file(file, nowhere, record="w")


def test_fields_of_other_names_are_named(tmp_path, nowhere):
    file = tmp_path / "feed.jsonl"
    file.write_text(json.dumps({"what": {"was": "Grain left the port today."}}) + "\n")
    with pytest.raises(ArchiveError, match="--field text=NAME"):
        inspect_file(file, nowhere)
    assert (
        told(file, nowhere, fields={"text": "what.was"})["lines"][0]["text"] == "Grain left the port today."
    )
    with pytest.raises(RequestError, match="There is no field 'colour'"):
        inspect_file(file, nowhere, fields={"colour": "x"})


def test_page_report_lists_lines_outside_the_article(tmp_path, nowhere):
    file = tmp_path / "v.html"
    body = "".join(f"<p>{PARAGRAPH.format(at, at, at)}</p>" for at in range(8))
    file.write_text(PAGE.format(body=body), "utf-8")
    found = told(file, nowhere)
    assert found["basis"] == "extracted"
    assert found["title"] == "Voyage 7 of the corridor"
    assert [row["rule"] for row in found["lines"] if row["text"] == "Advertisement"] == ["advertisement"]
    assert "Quayside Media, pier 4" in found["outside"]
    assert not any(row["text"] in found["outside"] for row in found["lines"])


def unreadable(folder):
    (folder / "binary.txt").write_bytes(b"\0\1\2")
    (folder / "blank.txt").write_text(" \n")
    (folder / "page.pdf").write_bytes(b"%PDF")
    (folder / "broken.json").write_text('[{"text": "a')
    (folder / "none.jsonl").write_text('{"text": ""}\n')
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    return ["binary.txt", "blank.txt", "page.pdf", "broken.json", "none.jsonl", "loop.txt", "no.txt", "no/way.txt",
            "binary.txt/x.txt", "wire", "x" * 300]  # fmt: skip


def test_unreadable_file_is_refused_with_its_name_and_reason(folder, nowhere):
    for name in unreadable(folder):
        with pytest.raises(ArchiveError) as error:
            inspect_file(folder / name, nowhere)
        assert name in str(error.value)
        assert "\n" not in str(error.value)
        assert error.value.exit_status == 2


def test_file_is_found_under_every_path(folder, index, store, monkeypatch):
    monkeypatch.chdir(folder / "wire")
    (folder.parent / "link").symlink_to(folder)
    for name in (Path("v0.txt"), Path("../wire/v0.txt"), folder.parent / "link" / "wire" / "v0.txt"):
        found = told(name, index)
        assert (found["doc_id"], found["indexed"], found["path"]) == ("wire/v0.txt", True, str(name))


# --- as an index holds it ------------------------------------------------------------------------


def test_indexed_file_shows_repeated_lines(folder, index, store):
    found = told(folder / "wire" / "v3.txt", index)
    assert (found["indexed"], found["doc_id"], found["source"]) == (True, "wire/v3.txt", "wire")
    assert rules(found) == {1: None, 3: None, 4: "loading", 5: "repeated"}
    row = found["lines"][3]
    assert (row["articles"], row["reason"], row["text"]) == (
        5,
        "it stands in 5 articles of this source",
        LINE,
    )
    assert found["lines"][2]["articles"] is None


def test_inspection_of_every_file_equals_the_index(folder, index, store):
    shutil.copytree(ROOT / "archive" / "ukraine", folder / "ukraine")
    build_index(folder, index, FakeModel())
    held = GenerationReader.open(IndexFolder(index))
    for path in held.files():
        if not path.endswith(("meta.json", "metadata.csv")):
            inspection = inspect_file(folder / path, index)
            assert inspection.article == held.article(inspection.article.document.doc_id)
            assert {each.line: (each.rule, each.articles) for each in inspection.lines if each.rule} == {
                cut.line: (cut.rule, cut.articles) for cut in inspection.article.cuts
            }
    held.close()


def test_changed_file_is_inspected_as_it_is_now(folder, index, store):
    file = folder / "wire" / "v3.txt"
    file.write_text(voyage(3, LINE, "Share"), "utf-8")
    found = told(file, index)
    assert found["indexed"] is False
    assert rules(found) == {1: None, 3: None, 4: None, 5: "share"}
    build_index(folder, index, FakeModel())
    found = told(file, index)
    assert (found["indexed"], rules(found)[4]) == (True, "repeated")


def test_equal_file_outside_the_archive_is_not_an_indexed_file(folder, index, store, tmp_path):
    shutil.copy(folder / "wire" / "v3.txt", tmp_path / "v3.txt")
    found = told(tmp_path / "v3.txt", index)
    assert (found["indexed"], found["doc_id"], rules(found)[5]) == (False, "v3.txt", None)


def test_inspection_of_an_indexed_record_equals_the_index(folder, index, store):
    found = told(folder / "feed.jsonl", index, record="z")
    assert (found["indexed"], found["doc_id"], found["articles"]) == (True, "feed.jsonl::z", 3)
    assert store.article("feed.jsonl::z").document.title == found["title"] == "Record z"


def test_inspection_uses_the_field_names_of_the_index(tmp_path, index, model):
    (archive := tmp_path / "named").mkdir()
    (archive / "feed.jsonl").write_text(json.dumps({"what": {"was": "Grain left the port today."}}) + "\n")
    build_index(archive, index, model, fields={"text": "what.was"})
    assert told(archive / "feed.jsonl", index, fields={"text": "what.was"})["indexed"] is True
    assert told(archive / "feed.jsonl", index)["indexed"] is True


@pytest.mark.parametrize("damage", ["articles.sqlite", "manifest.json"])
def test_damaged_index_is_ignored(folder, index, store, damage):
    (index / "generations" / store.generation / damage).write_bytes(b"x")
    found = told(folder / "wire" / "v3.txt", index)
    assert (found["indexed"], rules(found)[5]) == (False, None)


def test_every_rule_has_a_reason_and_repetition_has_its_count():
    assert all(reason_of(rule) == reason for rule, reason in rule_reasons().items())
    assert reason_of("repeated", 1_204) == "it stands in 1,204 articles of this source"


# --- cut lines of an indexed article ----------------------------------------------------------


@pytest.fixture
def originals():
    originals = Originals()
    yield originals
    originals.close()


def test_cut_lines_are_read_from_the_file(folder, store, originals):
    article = store.article("wire/v2.txt")
    found = originals.cut_lines(article, store.archive, store.fields)
    assert [(cut.line, cut.rule, text) for cut, text in found.cuts] == [
        (4, "loading", "Loading"), (5, "repeated", LINE)
    ]  # fmt: skip
    assert tuple(cut for cut, _ in found.cuts) == article.cuts
    assert (found.from_file, found.outside) == (True, ())


def test_cut_lines_of_a_record_are_read_from_its_file(store, originals):
    found = originals.cut_lines(store.article("feed.jsonl::y"), store.archive, store.fields)
    assert [(cut.line, text) for cut, text in found.cuts] == [(6, "Share")]


@pytest.mark.parametrize(
    "change", [Path.unlink, lambda file: file.write_text(voyage(2, "Loading", LINE, "Changed"))]
)
def test_cut_lines_of_a_missing_or_changed_file_have_only_range_and_rule(folder, store, originals, change):
    change(folder / "wire" / "v2.txt")
    article = store.article("wire/v2.txt")
    found = originals.cut_lines(article, store.archive, store.fields)
    assert found.cuts == tuple((cut, None) for cut in article.cuts)
    assert (found.from_file, found.outside) == (False, ())


def test_cut_lines_are_read_from_a_moved_archive(folder, store, originals):
    moved = folder.rename(folder.with_name("moved"))
    article = store.article("wire/v2.txt")
    assert originals.cut_lines(article, store.archive, store.fields).from_file is False
    assert originals.cut_lines(article, moved, store.fields).from_file is True


def test_file_replaced_by_a_link_out_of_the_archive_is_not_read(folder, store, originals, tmp_path):
    file = folder / "wire" / "v2.txt"
    file.rename(tmp_path / "outside.txt")
    file.symlink_to(tmp_path / "outside.txt")
    assert originals.cut_lines(store.article("wire/v2.txt"), store.archive, store.fields).from_file is False


# --- what became of a file since it was indexed --------------------------------------------------


def becomes_a_link(file):
    (file.parent.parent.parent / "outside.txt").write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(file.parent.parent.parent / "outside.txt")


def becomes_too_long(file):
    with file.open("r+b") as sparse:
        sparse.truncate(JUDGED_SIZE + 1)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda file: None, "same"),
        (lambda file: file.write_bytes(file.read_bytes()), "same"),  # by what it says, not by its dates
        (lambda file: file.write_text("Another text."), "changed"),
        (Path.unlink, "gone"),
        (lambda file: shutil.rmtree(file.parent), "gone"),
        (lambda file: shutil.rmtree(file.parent) or file.parent.write_text("no folder"), "gone"),
        (lambda file: file.unlink() or file.mkdir(), "unreadable"),
        (lambda file: file.unlink() or file.symlink_to(file), "unreadable"),
        (lambda file: file.unlink() or os.mkfifo(file), "unreadable"),
        (becomes_a_link, "unreadable"),
        (becomes_too_long, "too_long"),
    ],
)
def test_file_state_is_decided_by_its_hash(folder, store, originals, change, state):
    change(folder / "wire" / "v2.txt")
    assert originals.state(store.article("wire/v2.txt").document, store.archive) == state
    assert originals.state(store.article("wire/v1.txt").document, store.archive) == (
        "same" if (folder / "wire").is_dir() else "gone"
    )


def test_file_state_is_read_from_a_moved_archive(folder, store, originals):
    document = store.article("feed.jsonl::y").document
    assert originals.state(document, store.archive) == "same"
    moved = folder.rename(folder.with_name("moved"))
    assert originals.state(document, store.archive) == "gone"
    assert originals.state(document, moved) == "same"


@pytest.mark.parametrize("path", ["a\0b.txt", "x" * 5_000, "../outside.txt", "\ud800.txt", "/etc/passwd", ""])
def test_state_of_an_invalid_path_raises_nothing(folder, originals, path):
    document = Document("x", "x", "x", "", "en", file=SourceFile(path, "0" * 64))
    assert originals.state(document, folder) in ("gone", "unreadable")


def test_concurrent_threads_get_the_lines_of_their_own_page(tmp_path, index, model):
    (archive := tmp_path / "pages").mkdir()
    for number in range(4):
        body = "".join(f"<p>{PARAGRAPH.format(number, at, at)}</p>" for at in range(12))
        page = PAGE.format(body=body).replace("Advertisement", f"Share this story: {number} Facebook")
        (archive / f"{number}.html").write_text(page, "utf-8")
    build_index(archive, index, model)
    store, originals = GenerationReader.open(IndexFolder(index)), Originals()
    articles = [store.article(f"{number}.html") for number in range(4)]
    alone = [originals.cut_lines(each, archive, {}) for each in articles]
    assert [f"{number} Facebook" in each.cuts[0][1] for number, each in enumerate(alone)] == [True] * 4
    with ThreadPoolExecutor(8) as executor:
        together = list(executor.map(lambda each: originals.cut_lines(each, archive, {}), articles * 6))
    assert together == alone * 6
    originals.close()
    store.close()
