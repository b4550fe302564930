"""An application over a small index, and its log."""

import io
import logging
import threading

import pytest

from indexer import Searcher, build_index
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel
from tests.support.observed_app import application
from web.server import access_log


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of an index of two articles, which no test changes."""
    folder = tmp_path_factory.mktemp("observed")
    (folder / "archive").mkdir()
    (folder / "archive" / "talks.txt").write_text("Talks in Geneva\nEnvoys met in Geneva on Monday.\n")
    (folder / "archive" / "next.txt").write_text("The next round\nIt will be held in Vienna in March.\n")
    build_index(folder / "archive", folder / "index", FakeModel())
    return folder / "index"


@pytest.fixture
def searcher(built):
    opened = Searcher(GenerationReader.open(IndexFolder(built)), FakeModel())
    yield opened
    opened.close()


@pytest.fixture
def app(built, searcher):
    return application(built, searcher)


@pytest.fixture
def logged():
    """Configure logging for a test; returns a function that gives the lines as they were written."""
    root, stream = logging.getLogger(), io.StringIO()
    names = ("", "web", "indexer", "web.request", "waitress", "py.warnings")
    before = {name: (logging.getLogger(name).level, [*logging.getLogger(name).handlers]) for name in names}
    kept, hook = [*root.handlers], threading.excepthook
    root.handlers = []  # basicConfig would close those of the test's own

    def start(**options):
        access_log.configure(stream=stream, **options)
        return lambda: stream.getvalue().splitlines(keepends=True)

    yield start
    logging.captureWarnings(False)
    threading.excepthook = hook
    for name, (level, handlers) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers = handlers
    root.handlers = kept
    access_log.requests.filters.clear()
