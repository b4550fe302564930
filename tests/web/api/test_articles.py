"""Articles and their cut lines from the API."""

from urllib.parse import urlencode

import pytest

from indexer import build_index
from tests.support.api_requests import SEARCH, problem
from tests.support.fakes import open_fake
from web import SearchService, create_app


def test_an_article_is_returned_whole_with_its_passages(client, archive):
    body = client.get("/api/v1/documents/ar/water.txt").get_json()
    assert body["text"] == (archive / "ar" / "water.txt").read_text("utf-8")
    assert (body["title"], body["lang"], body["dir"]) == ("أزمة المياه في الأردن", "ar", "rtl")
    assert [passage["passage"] for passage in body["passages"]] == [1, 2]
    for item in body["passages"]:
        hit = client.get(
            f"{SEARCH}?{urlencode({'q': body['text'][item['char_start'] : item['char_end']][:900]})}"
        )
        assert item["url"] in [every["source"]["url"] for every in hit.get_json()["hits"]]
    assert (body["cut"], body["outside"], body["cut_from_file"]) == ([], [], True)
    assert body["generation"] == client.get(f"{SEARCH}?q=x").get_json()["generation"]


def test_article_response_reads_cut_lines_from_the_file(archive, index, model):
    (archive / "cut.txt").write_text(
        "Title of it\n\nShare this article\n\nThe river rose in the night.\n", "utf-8"
    )
    build_index(archive, index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    body = client.get("/api/v1/documents/cut.txt").get_json()
    (line,) = body["cut"]
    assert (line["line"], line["text"], line["rule"]) == (3, "Share this article", "share")
    assert body["text"][line["char_start"] : line["char_end"]] == " " * len(line["text"])
    tag = client.get("/api/v1/documents/cut.txt").headers["ETag"]
    (archive / "cut.txt").write_text("Another file.", "utf-8")
    response = client.get("/api/v1/documents/cut.txt", headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert response.get_json()["cut"][0]["text"] is None
    assert response.get_json()["cut_from_file"] is False


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("nobody.txt", 404, "not_found"), ("../talks.txt", 404, "not_found"), ("..%2Ftalks.txt", 404, "not_found"),
        ("/etc/passwd", 404, "not_found"), ("talks.txt?generation=older", 409, "generation_changed"),
        ("talks.txt?q=x", 400, "unknown_parameter"), ("", 404, "not_found"), ("%00", 404, "not_found"),
    ],
)  # fmt: skip
def test_errors_of_an_article_request(client, address, status, code):
    problem(client.get(f"/api/v1/documents/{address}"), status, code)
