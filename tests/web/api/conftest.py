"""Clients of the API over small archives."""

import json

import pytest

from indexer import build_index
from tests.support.api_requests import DATED
from tests.support.archives import write_small
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app


@pytest.fixture
def fresh(archive, index, model):
    """A client of an index that the test may change."""
    build_index(archive, index, model)
    return create_app(SearchService(index, None, open_fake)).test_client()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    place = tmp_path_factory.mktemp("small")
    build_index(write_small(place / "articles"), place / "index", FakeModel())
    return create_app(SearchService(place / "index", None, open_fake)).test_client()


@pytest.fixture
def crowd(archive, index, model):
    """A client of an archive with a copy in another article and one article of many passages."""
    body = "Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea, {}."
    (archive / "long.txt").write_text(
        "\n\n".join(["Geneva"] + [body.format(f"the minister of {item} said") for item in "abcdefg"]), "utf-8"
    )
    for name in ("copy", "copy again"):
        (archive / f"{name}.txt").write_text("Envoys discuss grain in Geneva.", "utf-8")
    build_index(archive, index, model)
    return create_app(SearchService(index, None, open_fake)).test_client()


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    folder, index = tmp_path_factory.mktemp("dated"), tmp_path_factory.mktemp("dated-index")
    records = [{"id": name, "text": f"The river rose in {name}.", "source": source, "date": day}
               for name, source, day in DATED]  # fmt: skip
    (folder / "feed.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    build_index(folder, index, FakeModel())
    return create_app(SearchService(index, None, open_fake)).test_client()
