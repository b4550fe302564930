"""A command line and indexes for it."""

import pytest

from indexer import build_index
from tests.support.command_archives import build_voyage_index
from tests.support.command_line import runner
from tests.support.fakes import FakeModel


@pytest.fixture
def run(monkeypatch, capsys):
    return runner(monkeypatch, capsys)


@pytest.fixture
def index(archive, tmp_path):
    build_index(archive, tmp_path / "index", FakeModel(name="bundled"))
    return tmp_path / "index"


@pytest.fixture(scope="module")
def voyage_index(tmp_path_factory):
    """The same for tests that only read it."""
    folder = tmp_path_factory.mktemp("furnished")
    return build_voyage_index(folder / "articles", folder / "index")
