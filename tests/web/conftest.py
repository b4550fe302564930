"""A server over a newsroom's archive, as a process, shared by the tests that need real sockets."""

from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from indexer import build_index
from tests.support.archives import write_press
from tests.support.browser import Tabs, chromium
from tests.support.fakes import FakeModel
from tests.support.server_process import serving


class Compiled(BytecodeCache):
    """The code of templates that some application has compiled, by their path and their text."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    """Have all applications share their compiled templates: every new one takes a third of a second for its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Flask.jinja_options, "bytecode_cache", Compiled())
        yield


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
def browser() -> Iterator[Tabs]:
    """The tabs of a started Chromium."""
    with chromium() as tabs:
        yield tabs
