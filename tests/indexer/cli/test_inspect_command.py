"""The command inspect: kept and cut lines of a file."""

import json

import pytest

from indexer import build_index
from tests.support.command_archives import LINE, build_voyage_index
from tests.support.command_line import errors
from tests.support.fakes import FakeModel


def test_inspect_prints_one_object(run, voyage_index):
    folder, index = voyage_index
    report = run("inspect", folder / "wire" / "v1.txt", "--index", index, "--json").json
    assert {"path", "title", "lang", "published", "lines", "passages"} <= report.keys()
    assert (report["title"], report["lang"], report["published"]) == ("Voyage 1", "en", "2025-03-02")
    assert [(row["line"], row["kept"], row["rule"]) for row in report["lines"]] == [
        (1, True, None), (2, False, "loading"), (3, True, None), (4, False, "repeated"), (5, False, "share"),
    ]  # fmt: skip
    (passage,) = report["passages"]  # without the title
    assert [*passage] == ["start", "end", "line_start", "line_end"]
    assert (passage["line_start"], passage["line_end"]) == (3, 3)


def test_inspect_prints_the_decision_for_each_line(run, voyage_index, tmp_path):
    folder, index = voyage_index
    done = run("inspect", folder / "wire" / "v1.txt", "--index", index)
    assert (done.status, done.err) == (0, "")
    shown = done.out.splitlines()
    assert f"file        {folder / 'wire' / 'v1.txt'}" in shown
    assert "published   2025-03-02" in shown
    assert "source      wire" in shown
    assert "repetition" not in done.out
    assert "    1            Voyage 1" in shown
    assert "    2  loading   Loading" in shown
    assert f"    4  repeated  {LINE}" in shown
    summary_line = next(number for number, line in enumerate(shown) if line.endswith("3 cut."))
    assert shown[summary_line] == "2 lines kept in 1 passages, 3 cut."
    assert "  repeated: it stands in 6 articles of this source" in shown[summary_line:]
    assert "  loading: what a page shows while it loads" in shown[summary_line:]
    alone = run("inspect", folder / "wire" / "v1.txt", "--index", tmp_path / "none").out
    assert "repetition  not known: no index holds this version of the file" in alone.splitlines()
    assert f"    4           {LINE}" in alone.splitlines()
    assert "3 lines kept in 2 passages, 2 cut." in alone


def test_inspect_prints_the_article_count_of_each_repeated_line(run, tmp_path):
    folder, index = build_voyage_index(tmp_path / "articles", tmp_path / "index")
    for number in range(5):
        path = folder / "wire" / f"v{number}.txt"
        path.write_text(path.read_text("utf-8") + "\nNine quays and a light\n", "utf-8")
    build_index(folder, index, FakeModel(name="bundled"))
    shown = run("inspect", folder / "wire" / "v1.txt", "--index", index).out
    assert "6 articles of this source" in shown
    assert "5 articles of this source" in shown


def test_inspect_accepts_a_record_id_and_field_names(run, tmp_path):
    records = [{"id": name, "what": {"was": f"Grain left port {name} today."}} for name in "abc"]
    (tmp_path / "feed.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    arguments = ("inspect", tmp_path / "feed.jsonl", "--index", tmp_path / "none", "--field", "text=what.was")
    assert run(*arguments, "--json").json["title"] == "Grain left port a today."
    done = run(*arguments, "--record", "c")
    assert "article     feed.jsonl::c (3 in the file)" in done.out.splitlines()
    assert "text        extracted from the file" in done.out.splitlines()
    done = run(*arguments, "--record", "d", "--json")
    assert (done.status, done.out, len(errors(done)), done.err.count("\n")) == (2, "", 1, 1)


@pytest.mark.parametrize("field", ["text", "text=", "=x", "colour=x", ""])
def test_invalid_field_option_is_wrong_usage(run, archive, tmp_path, field):
    for command in (("inspect", archive / "talks.txt"), ("build", "--archive", archive)):
        done = run(*command, "--index", tmp_path / "none", "--field", field, "--json")
        assert (done.status, done.out, len(errors(done))) == (2, "", 1)


def test_uninspectable_file_is_wrong_usage_in_one_line(run, tmp_path):
    (tmp_path / "binary.txt").write_bytes(b"\0")
    (tmp_path / "page.pdf").write_bytes(b"%PDF")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    for name in ("binary.txt", "page.pdf", "loop.txt", "none.txt", "no/way.txt", "binary.txt/x", "."):
        for arguments in ((), ("--json",)):
            done = run("inspect", tmp_path / name, "--index", tmp_path / "none", *arguments)
            assert (done.status, done.out, len(errors(done)), done.err.count("\n")) == (2, "", 1, 1), name
    assert run("inspect").status == 2
