"""A server over a newsroom's archive, as a process, shared by the tests that need real sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer import build_index
from tests.support.archives import write_press
from tests.support.browser import chromium
from tests.support.fakes import FakeModel
from tests.support.server_process import serving


@pytest.fixture(scope="session")
def press(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the archive `press` and of its index, `index`."""
    place = tmp_path_factory.mktemp("press")
    write_press(place / "archive")
    report = build_index(place / "archive", place / "index", FakeModel())
    assert not report.failed
    return place


@pytest.fixture(scope="session")
def live(press: Path) -> Iterator[str]:
    """The address of a server over the archive `press`."""
    with serving(press / "index") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A started Chromium."""
    with chromium() as started:
        yield started
