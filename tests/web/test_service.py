"""The service behind all requests: loading, moving on with a build, and what keeps it from opening."""

import contextlib
import logging
import threading
import time

import pytest

from indexer import SearchRequest, build_index
from indexer.errors import IndexUnusable, NoIndex
from tests.support.fakes import FakeModel, open_fake
from web.service import TRIED_AGAIN_EVERY, Loading, SearchService


def until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


class Gate:
    """Opens an index only when the test lets it, and counts."""

    def __init__(self):
        self.may, self.asked = threading.Event(), 0

    def __call__(self, index, model, before):
        self.asked += 1
        assert self.may.wait(5)
        return open_fake(index, model, before)


def add(archive, line):
    (archive / f"{len(list(archive.iterdir()))}.txt").write_text(line)


def test_service_is_loading_until_index_and_model_are_open(archive, index, model):
    build_index(archive, index, model)
    gate = Gate()
    service = SearchService(index, None, gate)
    service.start()
    until(lambda: gate.asked)
    with pytest.raises(Loading) as error:
        service.searcher()
    assert (error.value.code, error.value.http_status) == ("loading", 503)
    assert service.close()  # and is still loading
    gate.may.set()
    until(lambda: service._searcher)
    assert service.searcher().size() == (2, 4)
    assert gate.asked == 1
    assert not service.close()


def test_service_opens_a_generation_once(archive, index, model):
    build_index(archive, index, model)
    gate = Gate()
    gate.may.set()
    service = SearchService(index, None, gate)
    assert service.searcher() is service.searcher() is service.searcher()
    assert gate.asked == 1


def test_service_follows_a_switch_and_keeps_the_model(archive, index, model):
    first = build_index(archive, index, model)
    service = SearchService(index, None, open_fake)
    before = service.searcher()
    assert before.generation == first.generation
    add(archive, "A new article.")
    second = build_index(archive, index, model)
    assert service.searcher().generation == second.generation
    assert service.searcher().encoder is before.encoder
    assert service.searcher().size()[0] == 3
    assert before.search(SearchRequest("Geneva")).total == 4  # who holds the old one can finish


def test_requests_are_answered_from_the_old_generation_during_a_switch(archive, index, model):
    build_index(archive, index, model)
    gate = Gate()
    gate.may.set()
    service = SearchService(index, None, gate)
    old = service.searcher()
    gate.may.clear()
    add(archive, "A new article.")
    build_index(archive, index, model)
    opening = threading.Thread(target=service.searcher)
    opening.start()
    until(lambda: gate.asked == 2)
    for _ in range(3):
        assert service.searcher() is old
        assert service.searcher().search(SearchRequest("Geneva")).total == 4
    gate.may.set()
    opening.join()
    assert service.searcher().search(SearchRequest("Geneva")).total == 5
    assert gate.asked == 2


def test_service_reports_a_missing_index_and_opens_it_once_built(archive, index, model):
    service = SearchService(index, None, open_fake)
    service.start()
    until(lambda: not isinstance(service._error, Loading))
    for _ in range(2):
        with pytest.raises(NoIndex):
            service.searcher()
    assert not index.exists()
    build_index(archive, index, model)
    assert service.searcher().size() == (2, 4)


def test_repeated_fault_is_reported_each_time(archive, index, model, caplog):
    build_index(archive, index, model)
    faults = [IndexUnusable("The index is on another disk.")]

    def opened(*arguments):
        if faults:
            raise faults[0]
        return open_fake(*arguments)

    service = SearchService(index, None, opened)
    for told in (1, 2):
        with contextlib.suppress(IndexUnusable):
            service.searcher()
        assert caplog.text.count("on another disk") == told
        fault = faults.pop()
        add(archive, f"Article {told}.")
        build_index(archive, index, model)
        assert service.searcher()
        faults.append(fault)
        add(archive, f"Another {told}.")
        build_index(archive, index, model)


def test_unstarted_service_is_not_loading(index):
    with pytest.raises(NoIndex):
        SearchService(index, None, open_fake).searcher()


def test_service_serves_the_undamaged_generation_and_then_the_next(archive, index, model):
    first = build_index(archive, index, model)
    service = SearchService(index, None, open_fake)
    service.searcher()
    add(archive, "A new article.")
    damaged = build_index(archive, index, model)
    (index / "generations" / damaged.generation / "vectors.faiss").write_bytes(b"")
    assert service.searcher().generation == first.generation
    mended = build_index(archive, index, model)
    assert service.searcher().generation == mended.generation


def test_service_continues_when_the_index_is_removed(archive, index, model):
    build_index(archive, index, model)
    service = SearchService(index, None, open_fake)
    service.searcher()
    index.rename(index.with_name("away"))
    assert service.searcher().search(SearchRequest("Geneva")).total == 4


def test_damaged_index_is_reported_and_repaired_by_a_build(archive, index, model):
    report = build_index(archive, index, model)
    (index / "generations" / report.generation / "articles.sqlite").unlink()
    service = SearchService(index, None, open_fake)
    for _ in range(2):
        with pytest.raises(IndexUnusable, match="damaged"):
            service.searcher()
    build_index(archive, index, model)
    assert service.searcher().size() == (2, 4)


def test_service_without_its_model_searches_lexically_and_retries(archive, index, caplog, monkeypatch):
    build_index(archive, index, FakeModel(name="nobody/nothing"))
    service, now = SearchService(index), 1_000.0
    monkeypatch.setattr("web.service.monotonic", lambda: now)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            found = service.searcher().search(SearchRequest("Geneva"))
            assert [each.code for each in found.warnings] == ["no_model"]
            assert found.hits
    assert caplog.text.count("warraq model fetch nobody/nothing") == 1
    now += TRIED_AGAIN_EVERY
    before = service.searcher()
    assert caplog.text.count("warraq model fetch nobody/nothing") == 2
    service._open = lambda index, *_: open_fake(index, None, None)  # the model has been fetched
    assert service.searcher() is before
    now += TRIED_AGAIN_EVERY
    assert [each.code for each in service.searcher().search(SearchRequest("Geneva")).warnings] == []


def test_index_of_another_model_is_refused(archive, index, model):
    build_index(archive, index, model)
    with pytest.raises(IndexUnusable, match="this run asks for bundled"):
        SearchService(index, "bundled").searcher()


def test_many_threads_share_one_opening(archive, index, model):
    build_index(archive, index, model)
    gate = Gate()
    service = SearchService(index, None, gate)
    answers = []

    def ask():
        try:
            answers.append(service.searcher())
        except Loading:
            answers.append(None)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) == 7)  # all but the one that opens
    gate.may.set()
    for thread in threads:
        thread.join()
    assert gate.asked == 1
    assert [answer for answer in answers if answer] == [service.searcher()]


def test_watcher_survives_unexpected_errors(archive, index, model, monkeypatch, caplog):
    first = build_index(archive, index, model)
    monkeypatch.setattr("web.service.TRIED_AGAIN_EVERY", 0.2)
    failing = [OSError(24, "Too many open files"), MemoryError()]

    def opening(*arguments):
        if failing:
            raise failing.pop()
        return open_fake(*arguments)

    service = SearchService(index, None, opening)
    service.start()
    try:
        until(service.opened)
        assert service.searcher().generation == first.generation
        failing.append(OSError(24, "Too many open files"))
        add(archive, "A new article.")
        second = build_index(archive, index, model)
        until(lambda: service.searcher().generation == second.generation)
        assert caplog.text.count("could not be opened") == 3
    finally:
        service.close()


def test_repaired_index_is_opened_while_serving(archive, index, model, monkeypatch, caplog):
    """As one that is copied in, its pointer first."""
    report = build_index(archive, index, model)
    monkeypatch.setattr("web.service.TRIED_AGAIN_EVERY", 0.2)
    folder, away = index / "generations" / report.generation, index.with_name("away")
    folder.rename(away)
    service = SearchService(index, None, open_fake)
    service.start()
    try:
        until(lambda: isinstance(service._error, IndexUnusable))
        away.rename(folder)
        until(service.opened)
        assert service.searcher().generation == report.generation
        assert caplog.text.count("cannot be opened") == 1  # reported once, not at every try
    finally:
        service.close()


def test_repaired_newer_generation_is_served_again(archive, index, model, monkeypatch, caplog):
    first = build_index(archive, index, model)
    add(archive, "A new article.")
    second = build_index(archive, index, model)
    file = index / "generations" / second.generation / "vectors.faiss"
    content = file.read_bytes()
    file.write_bytes(b"")
    now = 1_000.0
    monkeypatch.setattr("web.service.monotonic", lambda: now)
    service = SearchService(index, None, open_fake)
    assert service.searcher().generation == first.generation
    assert caplog.text.count("An older generation is served") == 1
    file.write_bytes(content)
    now += TRIED_AGAIN_EVERY
    assert service.searcher().generation == second.generation
    assert service.searcher().damage is None
