"""Answers that are kept: the cache of queries, and ETags."""

import pytest

from indexer import Searcher, build_index
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.api_requests import SEARCH, get_with_etag, problem
from tests.support.fakes import FakeModel
from web import SearchService, create_app


def test_a_query_is_answered_once_for_a_generation(fresh, archive, index, model):
    address = f"{SEARCH}?q=Geneva&limit=2"
    first = fresh.get(address)
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = get_with_etag(fresh, address, tag)
    assert (again.status_code, again.get_data(), again.headers["ETag"]) == (304, b"", tag)
    assert get_with_etag(fresh, f"{SEARCH}?limit=2&q=Geneva", tag).status_code == 304
    assert get_with_etag(fresh, address, f'"other", {tag}').status_code == 304
    for other in (
        f"{SEARCH}?q=Geneva&limit=3",
        f"{SEARCH}?q=geneva&limit=2",
        "/api/v1/similar?doc_id=talks.txt&passage=1",
    ):
        answer = get_with_etag(fresh, other, tag)
        assert (answer.status_code, answer.headers["ETag"] != tag) == (200, True)
    assert get_with_etag(fresh, f"{address}&generation=older", tag).status_code == 409
    assert get_with_etag(fresh, f"{address}&generation=older", "*").status_code == 409
    assert get_with_etag(fresh, address, '"*"').status_code == 200
    assert get_with_etag(fresh, "/api/v1/similar?doc_id=nobody&passage=1", "*").status_code == 404
    assert get_with_etag(fresh, f"{address}&colour=red", tag).status_code == 400
    (archive / "new.txt").write_text("Another article about Geneva.")
    build_index(archive, index, model)
    moved = get_with_etag(fresh, address, tag)
    assert (moved.status_code, moved.headers["ETag"] != tag) == (200, True)


WITH_TAGS = [
    f"{SEARCH}?q=Geneva", "/api/v1/similar?doc_id=talks.txt&passage=1", "/api/v1/documents/talks.txt",
    "/api/v1/stats", "/openapi.json",
]  # fmt: skip


@pytest.mark.parametrize("address", WITH_TAGS)
def test_matching_etag_gives_304(client, address):
    whole = client.get(address)
    tag = whole.headers["ETag"]
    strong = tag.removeprefix("W/")
    for item in (tag, strong, f"W/{strong}", f'"other", {tag}', "*"):
        again = get_with_etag(client, address, item)
        assert (again.status_code, again.get_data()) == (304, b"")
        own = {"X-Request-Id", "Content-Type", "Content-Length"}
        assert {name: value for name, value in again.headers.items() if name not in own} == {
            name: value for name, value in whole.headers.items() if name not in own
        }
        assert "Vary" not in again.headers
    for other in ('"other"', "other", "", '"*"', "W/*", tag + "x", ",,,", "\xff"):
        assert get_with_etag(client, address, other).status_code == 200


@pytest.mark.parametrize("address", WITH_TAGS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-Match", '"zz"'), ("If-Match", ""), ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"), ("Range", "bytes=0-3"), ("If-Range", '"zz"'),
    ],
)  # fmt: skip
def test_other_conditional_headers_change_nothing(client, address, name, value):
    whole, conditional = client.get(address), client.get(address, headers={name: value})
    assert (conditional.status_code, conditional.content_type) == (200, "application/json")
    assert conditional.headers["ETag"] == whole.headers["ETag"]
    assert conditional.get_json().keys() == whole.get_json().keys()
    matching = client.get(address, headers={name: value, "If-None-Match": whole.headers["ETag"]})
    assert (matching.status_code, matching.get_data()) == (304, b"")


def test_answers_without_the_model_are_not_cached(archive, index, model):
    class Failing(FakeModel):
        def encode_queries(self, texts):
            raise RuntimeError("out of memory")

    def open_failing(index, _model, _before):
        return Searcher(GenerationReader.open(IndexFolder(index)), Failing())

    build_index(archive, index, model)
    client = create_app(SearchService(index, None, open_failing)).test_client()
    response = client.get(f"{SEARCH}?q=Geneva")
    assert response.status_code == 200
    assert response.get_json()["hits"]
    assert "words alone" in response.get_json()["warnings"][0]
    assert "ETag" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert get_with_etag(client, f"{SEARCH}?q=Geneva", "*").status_code == 200
    problem(client.get(f"{SEARCH}?q=Geneva&mode=dense"), 503, "no_model")
    assert "ETag" in client.get(f"{SEARCH}?q=Geneva&mode=lexical").headers
