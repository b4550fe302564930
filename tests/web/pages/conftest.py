"""Readers and clients of the archives whose pages are tested."""

import pytest

from indexer import build_index
from tests.support.article_pages import Reader, write_article_archive
from tests.support.fakes import FakeModel
from tests.support.html_checks import page_of
from tests.support.search_pages import client_of


@pytest.fixture(scope="module")
def article_folder(tmp_path_factory):
    return write_article_archive(tmp_path_factory.mktemp("documents"))


@pytest.fixture
def reader(article_folder):
    return Reader(article_folder)


@pytest.fixture
def own(tmp_path):
    """A reader of an archive that a test changes."""
    return Reader(write_article_archive(tmp_path / "own"))


@pytest.fixture
def log(tmp_path):
    """A function that rewrites a growing file of records and builds its index again."""
    folder = tmp_path / "log"
    (folder / "archive").mkdir(parents=True)

    def write(text, name="log.csv"):
        (folder / "archive" / name).write_text(text, "utf-8")
        build_index(folder / "archive", folder / "index", FakeModel())
        return Reader(folder)

    return write


@pytest.fixture
def get(archive, index, model):
    """Get a page about a small archive."""
    build_index(archive, index, model)
    client = client_of(index)
    return lambda address, status=200: page_of(client, address, status)


@pytest.fixture(scope="module")
def newsroom(press):
    """A client of a newsroom's archive, for tests that only read it."""
    return client_of(press / "index")


@pytest.fixture
def read(newsroom):
    """Get a page about a newsroom's archive."""
    return lambda address, status=200: page_of(newsroom, address, status)
