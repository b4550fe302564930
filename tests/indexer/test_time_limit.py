"""The limit on the time of one document: what is stopped, and what a build and `inspect` say of it."""

import re
import signal
import threading

import pytest

from indexer import build_index, inspect_file
from indexer import time_limit as limits
from indexer.boilerplate import layout
from indexer.building import changes
from indexer.errors import ArchiveError
from indexer.time_limit import TooSlow, seconds_for, time_limit, within_limit
from tests.support.fakes import FakeModel

EXPONENTIAL = re.compile("(?:a+)+b")


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(limits, "LEAST_SECONDS", 0.3)


def endless(*_):
    EXPONENTIAL.search("a" * 60)


def test_limit_grows_with_the_size():
    assert seconds_for(0) == 20
    assert seconds_for(2 << 20) == 140


def test_a_regular_expression_that_never_ends_is_stopped(short):
    with pytest.raises(TooSlow, match="it takes more than 0 seconds of the processor to read"), time_limit(0):
        endless()
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_quick_work_is_not_stopped_and_the_handler_of_before_stays(short):
    before = signal.getsignal(signal.SIGVTALRM)
    with time_limit(0):
        pass
    assert signal.getsignal(signal.SIGVTALRM) == before


def test_each_result_has_its_own_time(short):
    def slow_third():
        yield from "ab"
        endless()

    results = within_limit(slow_third(), 0)
    assert (next(results), next(results)) == ("a", "b")
    with pytest.raises(TooSlow):
        next(results)


def test_other_threads_have_no_limit(short):
    done = []

    def work():
        with time_limit(0):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("calm", "hostile", "quiet"):
        (folder / f"{name}.txt").write_text(f"The {name} harbour\n\nDivers have mapped the {name} quays.\n")
    return folder


def slow_for_hostile(document, *rest):
    if "hostile" in document.text:
        endless()
    return layout.clean(document, *rest)


def test_build_lists_the_article_and_indexes_the_others(archive, tmp_path, short, monkeypatch):
    monkeypatch.setattr(changes, "clean", slow_for_hostile)
    report = build_index(archive, tmp_path / "index", model=FakeModel())
    assert [(file.path, file.reason) for file in report.failed] == [
        ("hostile.txt", "it takes more than 0 seconds of the processor to read")
    ]
    assert report.documents == 2
    monkeypatch.undo()
    again = build_index(archive, tmp_path / "index", model=FakeModel())
    assert [file.path for file in again.failed] == ["hostile.txt"]


def test_inspect_says_so(archive, tmp_path, short, monkeypatch):
    monkeypatch.setattr("indexer.inspection.clean", slow_for_hostile)
    with pytest.raises(ArchiveError, match=r"hostile\.txt cannot be an article: it takes more than"):
        inspect_file(archive / "hostile.txt", tmp_path / "no-index")
