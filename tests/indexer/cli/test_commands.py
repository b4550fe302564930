"""The commands build, info, evaluate, model and serve: exit status, JSON, bars and errors."""

import io
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from indexer.cli import warraq
from indexer.retrieval.opening import current_generation
from tests.support.command_archives import LINE, build_voyage_index
from tests.support.command_line import errors
from tests.support.paths import ROOT


def module(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "indexer", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT, **options,
    )  # fmt: skip


def commands(command=warraq, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def test_build_prints_its_report(run, archive, tmp_path):
    done = run("build", "--archive", archive, "--index", tmp_path / "new", "--json")
    report = done.json
    assert done.status == 0
    assert done.err == ""  # no bars without a terminal
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


def test_failed_files_cause_a_warning_and_fail_a_strict_build(run, archive, index):
    (archive / "binary.txt").write_bytes(b"\0\1\2")
    (archive / "page.pdf").write_bytes(b"%PDF")
    arguments = ("build", "--archive", archive, "--index", index)
    done = run(*arguments, "--json")
    assert done.status == 0
    assert [failure["path"] for failure in done.json["failed"]] == ["binary.txt", "page.pdf"]
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


def test_info_lists_all_of_many_failed_files(run, archive, index):
    for position in range(30):
        (archive / f"bad{position:02}.txt").write_bytes(b"\0")
    done = run("build", "--archive", archive, "--index", index)
    assert done.status == 0
    assert len(done.err.splitlines()) < 15
    assert "20 more: warraq info" in done.err
    output = run("info", "--index", index).out
    assert all(f"bad{number:02}.txt: " in output for number in range(30))


def test_empty_archive_causes_a_warning_and_finds_nothing(run, tmp_path):
    (tmp_path / "none").mkdir()
    done = run("build", "--archive", tmp_path / "none", "--index", tmp_path / "new", "--json")
    assert done.status == 0
    assert done.json["documents"] == 0
    assert "Warning: there is no article" in done.err
    for mode in ("hybrid", "dense", "lexical"):
        result = run("search", "anything", "--index", tmp_path / "new", "--mode", mode, "--json")
        assert (result.status, result.json["hits"], result.json["total"]) == (1, [], 0)
    assert run("info", "--index", tmp_path / "new").status == 0


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("file")])
def test_missing_archive_is_wrong_usage(run, tmp_path, make):
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


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--nonsense"], ["serve", "--port", "70000"], ["model", "x"]]
)
def test_an_unknown_command_or_option_is_wrong_usage(run, arguments):
    done = run(*arguments)
    assert (done.status, done.out, len(errors(done))) == (2, "", 1)


def refused(done):
    assert (done.status, done.out, len(errors(done))) == (3, "", 1)
    assert done.err.count("\n") == 1
    return done.err


@pytest.mark.parametrize("command", [["search", "x"], ["info"]])
def test_missing_index_exits_3_with_the_build_command(run, tmp_path, command):
    (tmp_path / "readme").mkdir()
    (tmp_path / "readme" / "README.md").write_text("The index.")
    for folder in ("none", "readme"):
        assert "warraq build" in refused(run(*command, "--index", tmp_path / folder, "--json"))


@pytest.mark.parametrize("command", [["search", "x"], ["info"], ["build"], ["build", "--rebuild"]])
def test_foreign_folder_exits_3_and_is_left_unchanged(run, archive, tmp_path, command):
    (folder := tmp_path / "photos").mkdir()
    (folder / "cat.jpg").write_bytes(b"cat")
    more = ["--archive", archive] if command[0] == "build" else []
    assert "--index" in refused(run(*command, *more, "--index", folder, "--json"))
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("cat.jpg", b"cat")]
    assert "--index" in refused(run(*command, *more, "--index", folder / "cat.jpg", "--json"))


def test_index_of_another_model_exits_3(run, index):
    error = refused(run("search", "x", "--index", index, "--model", "another"))
    assert "built with the model bundled; this run asks for another" in error
    assert "warraq build --rebuild" in error
    assert run("search", "Geneva", "--index", index, "--model", "bundled").status == 0


def test_damaged_index_exits_3_and_a_build_repairs_it(run, archive, index):
    name = index / "generations" / current_generation(index) / "vectors.faiss"
    data = bytearray(name.read_bytes())
    data[-9] ^= 1
    name.write_bytes(data)
    assert "--rebuild" in refused(run("search", "Geneva", "--index", index, "--json"))
    assert run("build", "--archive", archive, "--index", index, "--json").json["encoded"] == 0
    assert run("search", "Geneva", "--index", index).status == 0


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
def test_invalid_model_name_is_wrong_usage(archive, tmp_path, name):
    done = module("build", "--model", name, "--archive", archive, "--index", tmp_path / "new")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_fetching_an_invalid_model_name_sends_no_request(run):
    done = run("model", "fetch", "no such/name/at all")
    assert (done.status, done.out, len(errors(done))) == (2, "", 1)


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
    modes = [result["mode"] for result in run("evaluate", dataset, "--mode", "all", "--json").json["results"]]
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


def test_info_prints_the_contents_of_the_index(run, index, archive):
    facts = run("info", "--index", index, "--json").json
    assert (facts["documents"], facts["passages"], facts["languages"]) == (2, 4, {"ar": 2, "en": 2})
    assert facts["archive"] == str(archive.resolve())
    assert facts["generation"] == current_generation(index)
    assert facts["settings"]["model"] == "bundled"
    text = run("info", "--index", index).out
    assert str(archive.resolve()) in text
    assert "4 (ar 2, en 2)" in text


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


def test_index_commands_share_one_option_and_default():
    for path, command in commands():
        if path and path[0] not in {"evaluate", "model"}:
            (option,) = [item for item in command.params if "--index" in item.opts]
            assert option.default == Path("index")


def test_version_is_printed(run):
    assert run("--version").out.startswith("warraq 0.")


def test_unexpected_error_exits_5(run, archive, tmp_path, monkeypatch):
    def explode(*_):
        raise RuntimeError("the sky fell")

    monkeypatch.setattr("indexer.cli.commands.build.find_model", explode)
    done = run("build", "--archive", archive, "--index", tmp_path / "new", "--json")
    assert (done.status, done.out) == (5, "")
    assert "the sky fell" in errors(done)[0]


def test_ctrl_c_ends_with_one_line(run, archive, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.cli.commands.build.find_model", interrupt)
    done = run("build", "--archive", archive, "--index", tmp_path / "new", "--json")
    assert (done.status, done.out) == (5, "")
    assert done.err.strip() == "Stopped."


def test_closed_pipe_is_not_an_error(index):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "indexer", "info", "--index", str(index)],
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_build_prints_cut_lines_and_repeated_lines(run, voyage_index, tmp_path):
    folder, _ = voyage_index
    done = run("build", "--archive", folder, "--index", tmp_path / "new")
    first, cut, repeated = done.out.splitlines()
    assert first.startswith("Built: 7 added. 7 articles, ")
    assert cut.startswith("Cut as boilerplate: 18 lines (loading 6, repeated 6, share 6).")
    assert "warraq inspect FILE" in cut
    assert repeated.strip() == "in 6 articles of wire: line 4 of wire/v0.txt"
    again = run("build", "--archive", folder, "--index", tmp_path / "new", "--json").json
    assert again["cut"] == {"loading": 6, "repeated": 6, "share": 6}
    assert again["repeated"] == [{"source": "wire", "articles": 6, "doc_id": "wire/v0.txt", "line": 4}]
    assert again["undated"] == 5


def test_info_prints_sources_undated_articles_and_cut_lines(run, voyage_index):
    _, index = voyage_index
    output = run("info", "--index", index).out.splitlines()
    assert "undated     5" in output
    first_source = output.index("sources     2")
    assert output[first_source + 1 : first_source + 3] == ["  wire: 6", "  (the archive itself): 1"]
    assert any(line.startswith("Cut as boilerplate: 18 lines") for line in output)
    assert "  in 6 articles of wire: line 4 of wire/v0.txt" in output
    assert run("info", "--index", index, "--json").json["sources"] == {"wire": 6, "": 1}


def test_serve_reads_a_moved_archive(run, tmp_path, monkeypatch):
    folder, index = build_voyage_index(tmp_path / "articles", tmp_path / "index")
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


def test_mcp_without_its_package_names_what_to_install(run, index, monkeypatch):
    monkeypatch.setattr("indexer.cli.commands.mcp.find_spec", lambda _name: None)
    done = run("mcp", "--index", index)
    assert done.status == 5
    assert "pip install 'warraq[mcp]'" in done.err


def test_mcp_without_an_index_names_the_build_command(run, tmp_path):
    done = run("mcp", "--index", tmp_path / "none")
    assert done.status == 3
    assert "warraq build" in done.err
