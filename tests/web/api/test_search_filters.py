"""Source, author and days as parameters of the API."""

import json
from urllib.parse import urlencode

import pytest

from indexer import build_index
from tests.support.api_requests import SEARCH, problem, read_all_hits
from tests.support.fakes import open_fake
from web import SearchService, create_app


def test_an_article_without_a_source_has_none_in_facets(client):
    facets = client.get(f"{SEARCH}?q=x").get_json()["facets"]
    assert facets["source"] == [{"value": None, "count": 2}, {"value": "ar", "count": 2}]
    assert client.get("/api/v1/stats").get_json()["sources"] == {"": 1, "ar": 1}
    assert client.get("/api/v1/documents/talks.txt").get_json()["source"] == ""


def ids(hits):
    return "".join(sorted(hit["source"]["doc_id"][-1] for hit in hits))


@pytest.mark.parametrize(
    ("values", "left", "undated"),
    [({}, "abcdefg", 0), ({"source": "wire"}, "abde", 0), ({"source": "صحيفة المرفأ"}, "c", 0), ({"source": "Wire"}, "", 0),
     ({"from": "2025-03-15"}, "bcf", 3), ({"to": "2025-03-15"}, "abc", 3),
     ({"from": "2025-03-01", "to": "2025-03-01"}, "a", 3),
     ({"source": "wire", "from": "2025-03-02"}, "b", 2), ({"source": "post & sons", "to": "2025-12-31"}, "f", 1),
     ({"from": "2025-03-01", "lang": "ar"}, "", 0), ({"source": "صحيفة المرفأ", "to": "2025-12-31"}, "c", 0)],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_source_and_days_are_parameters(dated, mode, values, left, undated):
    response = dated.get(f"{SEARCH}?{urlencode({'q': 'river', 'mode': mode, **values})}")
    assert response.status_code == 200
    body = response.get_json()
    assert (ids(body["hits"]), body["total"]) == (left, len(left))
    warning = "1 article without a date was" if undated == 1 else f"{undated} articles without a date were"
    told = [f"{warning} left out by the date filter."] if undated else []
    if values.get("source") == "Wire":
        told = ["No article is of the source Wire."]
    if values.get("lang") == "ar":
        told = ["No passage is in the language ar."]
    assert body["warnings"] == told


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_an_author_is_a_parameter_a_facet_and_kept_in_next(tmp_path, index, model, mode):
    records = [{"id": name, "text": f"The river rose in {name}.", "author": author}
               for name, author in (("a", "ليلى & co"), ("b", "ليلى & co"), ("c", "Layla"), ("d", None))]  # fmt: skip
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "feed.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    build_index(tmp_path / "archive", index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    body = client.get(f"{SEARCH}?q=river&mode={mode}").get_json()
    assert (ids(body["hits"]), body["facets"]["author"]) == ("abcd", [
        {"value": "ليلى & co", "count": 2}, {"value": None, "count": 1}, {"value": "Layla", "count": 1},
    ])  # fmt: skip
    chosen = urlencode({"q": "river", "mode": mode, "author": "ليلى & co", "limit": 1})
    hits, totals = read_all_hits(client, f"{SEARCH}?{chosen}")
    assert (ids(hits), totals) == ("ab", {2})
    assert client.get(f"{SEARCH}?q=river&mode={mode}&author=layla").get_json()["total"] == 0
    similar = client.get("/api/v1/similar?doc_id=feed.jsonl::d&passage=1&author=Layla").get_json()
    assert ids(similar["hits"]) == "c"


@pytest.mark.parametrize(
    "values", [{"source": "wire"}, {"source": "post & sons", "to": "2025-12-31"}, {"from": "2025-03-01"}]
)
def test_next_keeps_source_and_days_to_the_end_of_the_list(dated, values):
    address = f"{SEARCH}?{urlencode({'q': 'river', 'limit': 1, **values})}"
    whole = dated.get(address.replace("limit=1", "limit=100")).get_json()
    hits, totals = read_all_hits(dated, address)
    assert totals == {whole["total"]}
    assert ids(hits) == ids(whole["hits"])
    assert len(hits) == whole["total"]


@pytest.mark.parametrize(
    ("parameters", "code", "reason"),
    [("from=2025-03-02&to=2025-03-01", "bad_from", "2025-03-01"), ("from=03/01/2025", "bad_from", "YYYY-MM-DD"),
     ("to=2025-02-29", "bad_to", "2025-02-29"), ("to=2025-03-01T00:00", "bad_to", "YYYY-MM-DD"), ("from=20250301", "bad_from", "YYYY-MM-DD"),
     ("from=0000-01-01", "bad_from", "0000"), ("to=2025-3-1", "bad_to", "2025-3-1"), ("from=%002025-03-01", "bad_from", "YYYY"),
     ("from=2025-03-01%0A", "bad_from", "YYYY"), ("from=2025-03-01&from=2025-03-01", "bad_from", "more than once"),
     ("to=2025-03-01&to=", "bad_to", "more than once"), ("source=a&source=a", "bad_source", "more than once")],
)  # fmt: skip
def test_invalid_days_are_400_with_a_reason(dated, parameters, code, reason):
    assert reason in problem(dated.get(f"{SEARCH}?q=river&{parameters}"), 400, code)
