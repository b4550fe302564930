"""The command line: exit status by promise, JSON that is JSON, and one clear line for each fault."""

import io
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import click
import pytest
from click.testing import CliRunner

from indexer import Searcher, build_index
from indexer.cli import warraq
from indexer.retrieval.opening import current_generation
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.command_line import runner
from tests.support.fakes import FakeModel
from tests.support.paths import ROOT
from web import SearchService, create_app


@pytest.fixture
def run(monkeypatch, capsys):
    return runner(monkeypatch, capsys)


@pytest.fixture
def index(archive, tmp_path):
    build_index(archive, tmp_path / "index", FakeModel(name="bundled"))
    return tmp_path / "index"


def module(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "indexer", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT, **options,
    )  # fmt: skip


def errors(done):
    return [line for line in done.err.splitlines() if line.startswith("Error: ")]


def commands(command=warraq, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


# Build


def test_build_reports_what_was_done(run, archive, tmp_path):
    done = run("build", "--archive", archive, "--index", tmp_path / "new", "--json")
    report = done.json
    assert done.status == 0
    assert done.err == ""  # no bars where nobody watches
    assert [*report] == [
        "documents", "passages", "encoded", "reused", "added", "changed", "removed", "unchanged",
        "failed", "seconds", "generation", "cut", "repeated", "notes", "undated",
    ]  # fmt: skip
    assert (report["documents"], report["encoded"], report["added"], report["failed"]) == (2, 4, 2, [])
    assert report["generation"] == current_generation(tmp_path / "new")
    again = run("build", "--archive", archive, "--index", tmp_path / "new")
    assert again.status == 0
    assert again.out.startswith("Nothing has changed. 2 articles, 4 passages")
    rebuilt = run("build", "--archive", archive, "--index", tmp_path / "new", "--rebuild", "--json").json
    assert (rebuilt["encoded"], rebuilt["unchanged"]) == (0, 2)
    assert rebuilt["generation"] != report["generation"]


def test_files_that_failed_are_warned_of_and_fail_a_strict_build(run, archive, index):
    (archive / "binary.txt").write_bytes(b"\0\1\2")
    (archive / "page.pdf").write_bytes(b"%PDF")
    arguments = ("build", "--archive", archive, "--index", index)
    done = run(*arguments, "--json")
    assert done.status == 0
    assert [each["path"] for each in done.json["failed"]] == ["binary.txt", "page.pdf"]
    assert [*done.json["failed"][0]] == ["path", "reason"]
    for path, reason in (("binary.txt", "NUL"), ("page.pdf", "not a format")):
        (line,) = [line for line in done.err.splitlines() if path in line]
        assert line.startswith("Warning: ")
        assert reason in line
    strict = run(*arguments, "--json", "--strict")
    assert strict.status == 4
    assert strict.json["failed"] == done.json["failed"]
    (archive / "binary.txt").unlink()
    (archive / "page.pdf").unlink()
    assert run(*arguments, "--strict").status == 0


def test_many_failed_files_are_all_in_info(run, archive, index):
    for at in range(30):
        (archive / f"bad{at:02}.txt").write_bytes(b"\0")
    done = run("build", "--archive", archive, "--index", index)
    assert done.status == 0
    assert len(done.err.splitlines()) < 15
    assert "20 more: warraq info" in done.err
    told = run("info", "--index", index).out
    assert all(f"bad{at:02}.txt: " in told for at in range(30))


def test_an_empty_archive_is_warned_of_and_finds_nothing(run, tmp_path):
    (tmp_path / "none").mkdir()
    done = run("build", "--archive", tmp_path / "none", "--index", tmp_path / "new", "--json")
    assert done.status == 0
    assert done.json["documents"] == 0
    assert "Warning: there is no article" in done.err
    for mode in ("hybrid", "dense", "lexical"):
        found = run("search", "anything", "--index", tmp_path / "new", "--mode", mode, "--json")
        assert (found.status, found.json["hits"], found.json["total"]) == (1, [], 0)
    assert run("info", "--index", tmp_path / "new").status == 0


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("file")])
def test_no_archive_folder_is_wrong_usage(run, tmp_path, make):
    make(tmp_path / "none")
    done = run("build", "--archive", tmp_path / "none", "--index", tmp_path / "new", "--json")
    assert (done.status, done.out, len(errors(done))) == (2, "", 1)
    assert done.err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_bars_are_shown_on_a_terminal_and_stdout_stays_json(run, archive, tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    done = run("build", "--archive", archive, "--index", tmp_path / "new", "--json")
    assert done.json["documents"] == 2
    assert "reading: 100%" in terminal.getvalue()
    assert "embedding: 100%" in terminal.getvalue()


# Search


def test_search_prints_passages_with_their_place(run, index, archive):
    done = run("search", "grain corridor in Geneva", "--index", index)
    assert done.status == 0
    assert done.err == ""
    assert done.out.startswith("1. talks.txt:1-2  [en, ")
    assert "Envoys met in Geneva on Monday" in done.out
    assert done.out.endswith("Passages 1 to 4 of 4.\n")


@pytest.mark.parametrize(
    "options",
    [{}, {"limit": "1"}, {"limit": "2", "offset": "1"}, {"mode": "lexical"}, {"mode": "dense", "lang": "ar"}],
)
def test_json_is_what_the_api_returns(run, index, options):
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


def test_nothing_found_is_1(run, index):
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
def test_what_is_not_legal_is_wrong_usage_with_or_without_an_index(run, index, tmp_path, arguments):
    for folder in (index, tmp_path / "none"):
        done = run("search", *arguments, "--index", folder, "--json")
        assert (done.status, done.out, len(errors(done))) == (2, "", 1)


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--nonsense"], ["serve", "--port", "70000"], ["model", "x"]]
)
def test_an_unknown_command_or_option_is_wrong_usage(run, arguments):
    done = run(*arguments)
    assert (done.status, done.out, len(errors(done))) == (2, "", 1)


# Indexes that cannot be used


def refused(done):
    assert (done.status, done.out, len(errors(done))) == (3, "", 1)
    assert done.err.count("\n") == 1
    return done.err


@pytest.mark.parametrize("command", [["search", "x"], ["info"]])
def test_no_index_is_3_and_says_how_to_make_one(run, tmp_path, command):
    (tmp_path / "readme").mkdir()
    (tmp_path / "readme" / "README.md").write_text("The index.")
    for folder in ("none", "readme"):
        assert "warraq build" in refused(run(*command, "--index", tmp_path / folder, "--json"))


@pytest.mark.parametrize("command", [["search", "x"], ["info"], ["build"], ["build", "--rebuild"]])
def test_a_folder_that_is_not_ours_is_3_and_left_alone(run, archive, tmp_path, command):
    (folder := tmp_path / "photos").mkdir()
    (folder / "cat.jpg").write_bytes(b"cat")
    more = ["--archive", archive] if command[0] == "build" else []
    assert "--index" in refused(run(*command, *more, "--index", folder, "--json"))
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("cat.jpg", b"cat")]
    assert "--index" in refused(run(*command, *more, "--index", folder / "cat.jpg", "--json"))


def test_an_index_of_another_model_is_3(run, index):
    error = refused(run("search", "x", "--index", index, "--model", "another"))
    assert "built with the model bundled; this run asks for another" in error
    assert "warraq build --rebuild" in error
    assert run("search", "Geneva", "--index", index, "--model", "bundled").status == 0


def test_a_damaged_index_is_3_and_a_build_mends_it(run, archive, index):
    name = index / "generations" / current_generation(index) / "vectors.faiss"
    data = bytearray(name.read_bytes())
    data[-9] ^= 1
    name.write_bytes(data)
    assert "--rebuild" in refused(run("search", "Geneva", "--index", index, "--json"))
    assert run("build", "--archive", archive, "--index", index, "--json").json["encoded"] == 0
    assert run("search", "Geneva", "--index", index).status == 0


# Models


def test_an_unknown_model_fails_at_once_with_the_command_that_fetches_it(archive, tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = module("build", "--model", "nobody/nothing", "--archive", archive, "--index", tmp_path / "new")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "warraq model fetch nobody/nothing" in done.stderr
    # Its own time, since the machine may be busy with others.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "name", ["no such/name/at all", "", "/no/such/model", "~no-such-user/model", "a" * 300]
)
def test_a_name_that_cannot_be_a_models_is_wrong_usage(archive, tmp_path, name):
    done = module("build", "--model", name, "--archive", archive, "--index", tmp_path / "new")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_fetching_what_cannot_be_a_models_name_asks_no_network(run):
    done = run("model", "fetch", "no such/name/at all")
    assert (done.status, done.out, len(errors(done))) == (2, "", 1)


# Evaluate and info


@pytest.fixture
def dataset(tmp_path):
    (folder := tmp_path / "tiny").mkdir()
    (folder / "corpus.jsonl").write_text('{"_id": "d", "text": "alpha"}\n{"_id": "e", "text": "beta"}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "alpha"}\n')
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n")
    return folder


def test_evaluate_prints_one_object_or_a_table(run, dataset):
    done = run("evaluate", dataset, "--json")
    row = {"query_lang": "en", "mode": "hybrid", "queries": 1, "nDCG@10": 1.0, "MRR@10": 1.0,
           "Recall@10": 1.0, "Recall@100": 1.0, "ci95": [1.0, 1.0]}  # fmt: skip
    assert done.status == 0
    assert done.json == {
        "dataset": "tiny",
        "passages": 2,
        "results": [{**row, "passage_lang": "en"}, {**row, "passage_lang": "all"}],
    }
    modes = [each["mode"] for each in run("evaluate", dataset, "--mode", "all", "--json").json["results"]]
    assert modes == [mode for mode in ("hybrid", "dense", "lexical", "raw") for _ in range(2)]
    table = run("evaluate", dataset, "--mode", "lexical").out.splitlines()
    assert table[0] == "tiny: 2 passages"
    assert len(table) == 4


def test_evaluate_without_a_data_set_is_wrong_usage(run, dataset, tmp_path):
    done = run("evaluate", tmp_path / "none", "--json")
    assert (done.status, done.out, len(errors(done))) == (2, "", 1)
    (dataset / "queries.jsonl").write_text("{}\n")
    done = run("evaluate", dataset, "--json")
    assert (done.status, done.out) == (2, "")
    assert "queries.jsonl, line 1" in done.err


def test_info_tells_what_the_index_holds(run, index, archive):
    told = run("info", "--index", index, "--json").json
    assert (told["documents"], told["passages"], told["languages"]) == (2, 4, {"ar": 2, "en": 2})
    assert told["archive"] == str(archive.resolve())
    assert told["generation"] == current_generation(index)
    assert told["settings"]["model"] == "bundled"
    text = run("info", "--index", index).out
    assert str(archive.resolve()) in text
    assert "4 (ar 2, en 2)" in text


# Manners


def test_every_command_and_option_stands_in_help():
    for path, command in commands():
        shown = CliRunner().invoke(warraq, [*path, "--help"])
        assert shown.exit_code == 0
        assert command.help
        if isinstance(command, click.Group):
            assert all(
                f"\n  {name} " in shown.output for name in command.list_commands(click.Context(command))
            )
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(option in shown.output for option in parameter.opts)
                assert parameter.help
    names = {" ".join(path) for path, _ in commands()}
    assert {"build", "search", "serve", "inspect", "info", "verify", "rollback", "cache", "evaluate"} <= names
    assert "model fetch" in names


def test_every_command_that_uses_an_index_takes_its_folder_with_one_default():
    for path, command in commands():
        if path and path[0] not in {"evaluate", "model"}:
            (option,) = [each for each in command.params if "--index" in each.opts]
            assert option.default == Path("index")


def test_the_version_is_told(run):
    assert run("--version").out.startswith("warraq 0.")


def test_what_nobody_foresaw_is_5(run, archive, tmp_path, monkeypatch):
    def explode(name):
        raise RuntimeError("the sky fell")

    monkeypatch.setattr("indexer.cli.commands.build.find_model", explode)
    done = run("build", "--archive", archive, "--index", tmp_path / "new", "--json")
    assert (done.status, done.out) == (5, "")
    assert "the sky fell" in errors(done)[0]


def test_ctrl_c_ends_with_one_line(run, archive, tmp_path, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.cli.commands.build.find_model", interrupt)
    done = run("build", "--archive", archive, "--index", tmp_path / "new", "--json")
    assert (done.status, done.out) == (5, "")
    assert done.err.strip() == "Stopped."


def test_a_reader_that_has_seen_enough_is_no_error(index):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "indexer", "info", "--index", str(index)],
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


# The real model


def test_the_real_command_builds_and_searches_across_languages(archive, tmp_path, model_cache):
    index = tmp_path / "real"
    built = module("build", "--archive", archive, "--index", index, "--json", "--quiet")
    assert (built.returncode, built.stderr) == (0, "")
    assert json.loads(built.stdout)["encoded"] == 4
    found = module("search", "How full are the dams in Jordan?", "--index", index, "--json", "--lang", "ar")
    assert (found.returncode, found.stderr, found.stdout.count("\n")) == (0, "", 1)
    hit = json.loads(found.stdout)["hits"][0]
    assert "السدود امتلأت" in hit["text"]
    assert (hit["dir"], hit["source"]["path"], hit["source"]["line_end"]) == ("rtl", "ar/water.txt", 2)


@pytest.fixture
def crowd(archive, tmp_path):
    """An index with a copy in another article, and an article of many passages."""
    body = "Envoys met in Geneva to discuss the grain corridor across the Black Sea, {}."
    (archive / "long.txt").write_text("\n\n".join(["Geneva", *map(body.format, "abcde")]), "utf-8")
    for name in ("first", "second"):
        (archive / f"{name}.txt").write_text("Envoys discuss grain in Geneva.", "utf-8")
    build_index(archive, tmp_path / "index", FakeModel(name="bundled"))
    return tmp_path / "index"


def test_search_folds_copies_and_runs_unless_it_is_told_not_to(run, crowd):
    question = ("search", "Envoys discuss grain in Geneva", "--index", crowd, "--limit", 100)
    folded, everything = run(*question, "--json").json, run(*question, "--json", "--copies", "all").json
    assert folded["total"] == everything["total"] - 4  # the second copy, and three of five passages
    assert [hit["more"] for hit in everything["hits"]] == [None] * everything["total"]
    printed = run(*question)
    assert printed.status == 0
    assert "\nAlso in second.txt:1\n" in printed.out
    assert "\n3 more in this article: long.txt:" in printed.out
    assert f"Passages 1 to {folded['total']} of {folded['total']}." in printed.out
    told = run(*question, "--copies", "all").out
    assert "Also in" not in told
    assert "more in this article" not in told
    assert run(*question, "--copies", "some").status == 2


# What was cut, and filters


LINE = "The harbour master writes every Thursday"


def furnish(folder, index):
    """Articles of two sources with furniture, days for two of them, and an index of all."""
    (folder / "wire").mkdir(parents=True)
    for number in range(6):
        body = f"Ship number {number} left the port on day {number} with grain for {number} thousand people."
        text = "\n".join([f"Voyage {number}", "Loading", body, LINE, "Share"])
        (folder / "wire" / f"v{number}.txt").write_text(text, "utf-8")
        if number < 2:
            (folder / "wire" / f"v{number}.meta.json").write_text(
                json.dumps({"date": f"2025-03-0{number + 1}"})
            )
    (folder / "post.txt").write_text(
        "A voyage to the north\nThe ship and its grain were lost in the ice of the north."
    )
    build_index(folder, index, FakeModel(name="bundled"))
    return folder, index


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """The same for tests that only read it."""
    folder = tmp_path_factory.mktemp("furnished")
    return furnish(folder / "articles", folder / "index")


def test_build_tells_what_was_cut_and_which_lines_stand_often(run, furnished, tmp_path):
    folder, _ = furnished
    done = run("build", "--archive", folder, "--index", tmp_path / "new")
    first, cut, repeated = done.out.splitlines()
    assert first.startswith("Built: 7 added. 7 articles, ")
    assert cut.startswith("Cut as furniture: 18 lines (loading 6, repeated 6, share 6).")
    assert "warraq inspect FILE" in cut
    assert repeated.strip() == "in 6 articles of wire: line 4 of wire/v0.txt"
    again = run("build", "--archive", folder, "--index", tmp_path / "new", "--json").json
    assert again["cut"] == {"loading": 6, "repeated": 6, "share": 6}
    assert again["repeated"] == [{"source": "wire", "articles": 6, "doc_id": "wire/v0.txt", "line": 4}]
    assert again["undated"] == 5


def test_info_tells_sources_undated_articles_and_what_was_cut(run, furnished):
    _, index = furnished
    told = run("info", "--index", index).out.splitlines()
    assert "undated     5" in told
    at = told.index("sources     2")
    assert told[at + 1 : at + 3] == ["  wire: 6", "  (the archive itself): 1"]
    assert any(line.startswith("Cut as furniture: 18 lines") for line in told)
    assert "  in 6 articles of wire: line 4 of wire/v0.txt" in told
    assert run("info", "--index", index, "--json").json["sources"] == {"wire": 6, "": 1}


@pytest.mark.parametrize(
    ("options", "left", "undated"),
    [((), "012345p", ""), (("--source", "wire"), "012345", ""), (("--source", ""), "p", ""), (("--from", "2025-03-02"), "1", "5 articles without a date were"),
     (("--to", "2025-03-01"), "0", "5 articles without a date were"), (("--from", "2025-03-01", "--to", "2025-03-02"), "01", "5 articles without a date were"),
     (("--source", "wire", "--to", "2025-12-31"), "01", "4 articles without a date were"), (("--source", "", "--to", "2025-12-31"), "", "1 article without a date was"),
     (("--source", "nowhere"), "", "")],
)  # fmt: skip
def test_search_is_filtered_by_source_and_days(run, furnished, options, left, undated):
    _, index = furnished
    arguments = ("search", "ship grain", "--index", index, "--limit", 100, "--copies", "all", *options)
    done = run(*arguments, "--json")
    names = {hit["source"]["doc_id"].removesuffix(".txt") for hit in done.json["hits"]}
    assert "".join(sorted(name[-1] if name != "post" else "p" for name in names)) == left
    assert done.status == (0 if left else 1)
    note = f"{undated} left out by the date filter."
    assert done.json["warnings"] == ([note] if undated else [])
    assert done.err == (f"Note: {note}\n" if undated else "")
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
def test_days_that_are_none_are_wrong_usage(run, furnished, options):
    done = run("search", "ship", "--index", furnished[1], *options, "--json")
    assert (done.status, done.out, len(errors(done)), done.err.count("\n")) == (2, "", 1, 1)


def test_a_printed_passage_names_its_source_and_its_day(run, furnished):
    shown = run("search", "ship number 1", "--index", furnished[1], "--from", "2025-03-02").out
    assert shown.splitlines()[0].startswith("1. wire/v1.txt:3  [en, ")
    assert shown.splitlines()[1] == "Voyage 1 · wire · 2025-03-02"


# Inspect


def test_inspect_prints_one_object(run, furnished):
    folder, index = furnished
    found = run("inspect", folder / "wire" / "v1.txt", "--index", index, "--json").json
    assert {"path", "title", "lang", "published", "lines", "passages"} <= found.keys()
    assert (found["title"], found["lang"], found["published"]) == ("Voyage 1", "en", "2025-03-02")
    assert [(row["line"], row["kept"], row["rule"]) for row in found["lines"]] == [
        (1, True, None), (2, False, "loading"), (3, True, None), (4, False, "repeated"), (5, False, "share"),
    ]  # fmt: skip
    (first, second) = found["passages"]
    assert [*first] == ["start", "end", "line_start", "line_end"]
    assert (first["line_end"], second["line_start"]) == (1, 3)


def test_inspect_shows_a_stranger_what_becomes_of_each_line(run, furnished, tmp_path):
    folder, index = furnished
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
    at = next(number for number, line in enumerate(shown) if line.endswith("3 cut."))
    assert shown[at] == "2 lines kept in 2 passages, 3 cut."
    assert "  repeated: it stands in 6 articles of this source" in shown[at:]
    assert "  loading: what a page shows while it loads" in shown[at:]
    alone = run("inspect", folder / "wire" / "v1.txt", "--index", tmp_path / "none").out
    assert "repetition  not known: the index does not hold this very file" in alone.splitlines()
    assert f"    4           {LINE}" in alone.splitlines()
    assert "3 lines kept in 3 passages, 2 cut." in alone


def test_inspect_tells_each_repeated_line_in_how_many_articles_it_stands(run, tmp_path):
    folder, index = furnish(tmp_path / "articles", tmp_path / "index")
    for number in range(5):
        path = folder / "wire" / f"v{number}.txt"
        path.write_text(path.read_text("utf-8") + "\nNine quays and a light\n", "utf-8")
    build_index(folder, index, FakeModel(name="bundled"))
    shown = run("inspect", folder / "wire" / "v1.txt", "--index", index).out
    assert "6 articles of this source" in shown
    assert "5 articles of this source" in shown


def test_inspect_takes_an_article_of_many_and_the_names_of_its_fields(run, tmp_path):
    records = [{"id": name, "what": {"was": f"Grain left port {name} today."}} for name in "abc"]
    (tmp_path / "feed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    arguments = ("inspect", tmp_path / "feed.jsonl", "--index", tmp_path / "none", "--field", "text=what.was")
    assert run(*arguments, "--json").json["title"] == "Grain left port a today."
    done = run(*arguments, "--record", "c")
    assert "article     feed.jsonl::c (3 in the file)" in done.out.splitlines()
    assert "text        extracted from the file" in done.out.splitlines()
    done = run(*arguments, "--record", "d", "--json")
    assert (done.status, done.out, len(errors(done)), done.err.count("\n")) == (2, "", 1, 1)


@pytest.mark.parametrize("field", ["text", "text=", "=x", "colour=x", ""])
def test_a_field_that_is_none_is_wrong_usage(run, archive, tmp_path, field):
    for command in (("inspect", archive / "talks.txt"), ("build", "--archive", archive)):
        done = run(*command, "--index", tmp_path / "none", "--field", field, "--json")
        assert (done.status, done.out, len(errors(done))) == (2, "", 1)


def test_a_file_that_cannot_be_inspected_is_wrong_usage_in_one_line(run, tmp_path):
    (tmp_path / "binary.txt").write_bytes(b"\0")
    (tmp_path / "page.pdf").write_bytes(b"%PDF")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    for name in ("binary.txt", "page.pdf", "loop.txt", "none.txt", "no/way.txt", "binary.txt/x", "."):
        for arguments in ((), ("--json",)):
            done = run("inspect", tmp_path / name, "--index", tmp_path / "none", *arguments)
            assert (done.status, done.out, len(errors(done)), done.err.count("\n")) == (2, "", 1, 1), name
    assert run("inspect").status == 2


def test_serve_reads_an_archive_where_it_has_moved(run, tmp_path, monkeypatch):
    folder, index = furnish(tmp_path / "articles", tmp_path / "index")
    moved = folder.rename(folder.with_name("moved"))
    served = []
    monkeypatch.setattr("web.run", lambda app, host, port, **_: served.append((app, host, port)))
    run("serve", "--index", index, "--archive", moved, "--port", "0")
    run("serve", "--index", index, "--port", "0")
    shown = []
    for app, host, port in served:
        assert (host, port) == ("127.0.0.1", 0)
        client = app.test_client()
        while (response := client.get("/documents/wire/v1.txt")).status_code == 503:
            time.sleep(0.01)
        shown.append(LINE in response.get_data(as_text=True))
    assert shown == [True, False]
