"""Passages that are like another, from the API."""

import pytest

from tests.support.api_requests import passage_places, problem, read_all_hits


def test_similar_passages_come_from_other_articles(crowd):
    body = crowd.get("/api/v1/similar?doc_id=copy.txt&passage=1&limit=3").get_json()
    assert [*body] == [
        "like", "generation", "took_ms", "total", "total_is", "listed", "limit", "offset", "next", "facets", "hits", "articles",
        "warnings",
    ]  # fmt: skip
    assert body["like"]["text"] == "Envoys discuss grain in Geneva."
    assert body["like"]["source"]["path"] == "copy.txt"
    hits, totals = read_all_hits(crowd, "/api/v1/similar?doc_id=copy.txt&passage=1&limit=3")
    assert totals == {len(hits)} == {body["total"]}
    paths = {path for path, _ in passage_places(hits)}
    assert paths == {"talks.txt", "ar/water.txt", "long.txt"}  # not duplicates of the same words
    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ("", 400, "bad_doc_id"), ("doc_id=talks.txt", 400, "bad_passage"), ("passage=1", 400, "bad_doc_id"),
        ("doc_id=&passage=1", 400, "bad_doc_id"), ("doc_id=talks.txt&passage=0", 400, "bad_passage"),
        ("doc_id=talks.txt&passage=one", 400, "bad_passage"), ("doc_id=talks.txt&passage=99", 404, "no_such_passage"),
        ("doc_id=../talks.txt&passage=1", 404, "no_such_passage"), ("doc_id=talks.txt&passage=1&q=x", 400, "unknown_parameter"),
        ("doc_id=talks.txt&passage=1&mode=dense", 400, "unknown_parameter"),
        ("doc_id=talks.txt&doc_id=talks.txt&passage=1", 400, "bad_doc_id"),
        ("doc_id=talks.txt&passage=1&generation=older", 409, "generation_changed"),
        ("doc_id=talks.txt&passage=1&limit=101", 400, "bad_limit"),
    ],
)  # fmt: skip
def test_errors_of_a_similar_request(client, parameters, status, code):
    problem(client.get(f"/api/v1/similar?{parameters}"), status, code)
