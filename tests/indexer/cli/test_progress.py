"""Progress: plain lines off a terminal, at least every so often, and nothing where none is wanted."""

import io
import re
import threading

import pytest

from indexer.cli.progress import PRINTED_EVERY, PlainProgress, show_progress
from tests.support.archives import write_small
from tests.support.command_line import runner


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def line_after(seconds, stage, done, total):
    clock = Clock()
    progress = PlainProgress(io.StringIO(), clock=clock)
    progress.tell(stage, 0, total)
    clock.now = seconds
    progress.tell(stage, done, total)
    return progress.line()


def test_a_line_comes_at_least_every_thirty_seconds():
    assert PRINTED_EVERY <= 30


@pytest.mark.parametrize(
    ("seconds", "stage", "done", "total", "line"),
    [
        (10, "embedding", 300, 1_500, "embedding: 300 of 1,500 texts, 30/s, 00:40 left"),
        (100, "cutting", 150, 1_000, "cutting: 150 of 1,000 articles, 1.5/s, 09:26 left"),
        (2, "reading", 3 << 20, 9 << 20, "reading: 3.00M of 9.00M B, 1.50M/s, 00:04 left"),
        (4, "hybrid ar to en", 8, 16, "hybrid ar to en: 8 of 16, 2.0/s, 00:04 left"),
        (60, "embedding", 0, 1_500, "embedding: 0 of 1,500 texts, 0.0/s, unknown left"),
        (9, "reading", 9 << 20, 9 << 20, "reading: 9.00M B, done; the next step has begun"),
        (3_600, "embedding", 100, 200, "embedding: 100 of 200 texts, 0.0/s, 1:00:00 left"),
    ],
)
def test_a_line_says_what_is_done_of_how_much_how_fast_and_how_long_it_will_take(
    seconds, stage, done, total, line
):
    assert line_after(seconds, stage, done, total) == line


def test_the_rate_is_that_of_the_stage_and_not_of_the_whole_work():
    clock = Clock()
    progress = PlainProgress(io.StringIO(), clock=clock)
    progress.tell("reading", 1, 2)
    clock.now = 1_000
    progress.tell("embedding", 0, 100)
    clock.now = 1_010
    progress.tell("embedding", 50, 100)
    assert progress.line() == "embedding: 50 of 100 texts, 5.0/s, 00:10 left"


def test_lines_are_printed_also_while_one_step_takes_long():
    stream, waited = io.StringIO(), threading.Event()
    with PlainProgress(stream, every=0.01):
        waited.wait(0.2)
    lines = stream.getvalue().splitlines()
    assert len(lines) >= 3
    assert all(re.fullmatch(r"working, 00:00 so far", line) for line in lines)


def test_nothing_is_printed_after_the_work_has_ended():
    stream = io.StringIO()
    with PlainProgress(stream, every=0.01) as tell:
        tell("embedding", 1, 2)
    before = stream.getvalue()
    threading.Event().wait(0.05)
    assert stream.getvalue() == before


def test_off_a_terminal_quick_work_prints_nothing(capsys):
    with show_progress() as tell:
        tell("embedding", 1, 2)
    assert capsys.readouterr().err == ""


def test_quiet_builds_print_warnings_and_nothing_else(monkeypatch, capsys, tmp_path):
    run = runner(monkeypatch, capsys)
    archive = write_small(tmp_path / "articles")
    (archive / "broken.txt").write_bytes(b"\xd8\x00\xd8\x00\x00")
    done = run("build", "--archive", archive, "--index", tmp_path / "index", "--quiet")
    assert (done.status, done.out) == (0, "")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["Warning"]
    with show_progress(quiet=True) as tell:
        assert tell is None
