"""A searcher over articles of one line each."""

from pathlib import Path

import pytest

from indexer import build_index
from tests.support.fakes import FakeModel
from tests.support.search_indexes import open_fake_index, write_lines


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    write_lines(folder)
    return {path.name: path.read_text("utf-8") for path in sorted(folder.iterdir())} | {"": str(folder)}


@pytest.fixture(scope="module")
def searcher(texts, tmp_path_factory):
    index = tmp_path_factory.mktemp("lines-index")
    build_index(Path(texts[""]), index, FakeModel())
    searcher = open_fake_index(index)
    yield searcher
    searcher.store.close()
