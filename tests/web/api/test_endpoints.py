"""The search endpoint and the probes: shapes, problems and their codes."""

import json
import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer import Searcher, build_index
from indexer.query import parse
from indexer.request import has_word, is_visible
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.api_requests import SEARCH, get_with_etag, passage_places, problem, read_all_hits
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app


@pytest.fixture
def bare(index):
    """A client of a folder without an index."""
    service = SearchService(index, None, open_fake)
    service._refresh()
    return create_app(service).test_client()


def test_answer_has_the_documented_fields(client, archive):
    response = client.get(f"{SEARCH}?q=grain+corridor&limit=1")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    body = response.get_json()
    assert [*body] == [
        "query", "language", "mode", "answerable", "parsed", "spellings", "offers", "generation", "took_ms", "total", "total_is",
        "listed", "limit", "offset", "next",
        "facets", "hits", "articles", "warnings",
    ]  # fmt: skip
    assert (body["query"], body["language"], body["mode"]) == ("grain corridor", "en", "hybrid")
    assert body["spellings"] == {}
    assert (body["total"], body["limit"], body["offset"], body["warnings"]) == (4, 1, 0, [])
    assert {name: sum(item["count"] for item in counts) for name, counts in body["facets"].items()} == {
        "lang": 4, "source": 4, "author": 4, "year": 4,
    }  # fmt: skip
    assert body["took_ms"] > 0
    (hit,) = body["hits"]
    assert [*hit] == [
        "rank", "found", "score", "text", "lang", "dir", "highlights", "answer", "also_in", "more", "explain", "source",
    ]  # fmt: skip
    assert (hit["rank"], hit["lang"], hit["dir"]) == (1, "en", "ltr")
    assert 0 < hit["score"] <= 1
    source = hit["source"]
    assert [*source] == [
        "doc_id", "path", "title", "published", "sha256", "basis", "encoding", "passage", "line_start",
        "line_end", "char_start", "char_end", "url",
    ]  # fmt: skip
    text = (archive / source["path"]).read_text("utf-8")
    assert hit["text"] == text[source["char_start"] : source["char_end"]]
    assert (source["doc_id"], source["title"], source["basis"]) == ("talks.txt", "Talks in Geneva", "file")
    assert (source["line_start"], source["line_end"], source["passage"]) == (2, 2, 1)
    assert (source["published"], source["encoding"]) == (None, "utf-8")
    assert re.fullmatch("[0-9a-f]{64}", source["sha256"])
    assert source["url"] == "/documents/talks.txt#p1"
    assert body["articles"] == [
        {"doc_id": "talks.txt", "title": source["title"], "ranks": [1], "url": source["url"]}
    ]


def test_arabic_is_sent_unescaped_with_its_direction(client):
    response = client.get(f"{SEARCH}?{urlencode({'q': 'وزارة المياه', 'lang': 'ar'})}")
    assert "وزارة المياه" in response.get_data(as_text=True)
    body = response.get_json()
    assert body["language"] == "ar"
    assert {(hit["lang"], hit["dir"]) for hit in body["hits"]} == {("ar", "rtl")}


def test_next_leads_through_the_whole_list(client):
    address, ids, totals = f"{SEARCH}?q=Geneva&limit=1&lang=en&mode=dense", [], set()
    while address:
        body = client.get(address).get_json()
        ids += [(hit["source"]["doc_id"], hit["source"]["passage"]) for hit in body["hits"]]
        totals.add(body["total"])
        assert [hit["rank"] for hit in body["hits"]] == [len(ids)]
        address = body["next"]
        assert address is None or f"generation={body['generation']}" in address
    assert totals == {2}
    assert sorted(ids) == [("talks.txt", 1), ("talks.txt", 2)]


def test_a_page_past_the_end_is_empty_and_has_no_next(client):
    body = client.get(f"{SEARCH}?q=Geneva&offset=10000").get_json()
    assert (body["total"], body["hits"], body["next"]) == (4, [], None)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_duplicates_collapse_unless_all_are_requested(crowd, mode):
    address = f"{SEARCH}?q=Envoys+discuss+grain+in+Geneva&mode={mode}&limit=2"
    collapsed, totals = read_all_hits(crowd, address)
    everything, totals_of_all = read_all_hits(crowd, f"{address}&copies=all")
    assert (totals, totals_of_all) == ({len(collapsed)}, {len(everything)})
    assert len(collapsed) < len(everything)
    assert [hit["rank"] for hit in collapsed] == list(range(1, len(collapsed) + 1))
    assert all((hit["also_in"], hit["more"]) == ([], None) for hit in everything)
    assert sorted(passage_places(collapsed)) == sorted(passage_places(everything))
    assert collapsed == read_all_hits(crowd, f"{address}&copies=fold")[0]
    (copy,) = [hit for hit in collapsed if hit["source"]["path"].startswith("copy")]
    assert [source["path"] for source in copy["also_in"]] == ["copy.txt"]
    (run,) = [hit["more"] for hit in collapsed if hit["more"]]
    assert run["count"] == len(run["hits"]) == 7 - 3  # all but the best three
    for hit in run["hits"]:
        assert hit["rank"] is None
        assert hit["source"]["path"] == "long.txt"
        assert hit["source"]["url"] == f"/documents/long.txt#p{hit['source']['passage']}"


def test_highlights_are_ranges_of_whole_words_unless_disabled(crowd):
    address = f"{SEARCH}?q=envoy+geneva+of+the&limit=3"
    hits, _ = read_all_hits(crowd, address)
    every = hits + [item for hit in hits for item in (hit["more"] or {"hits": []})["hits"]]
    words = {hit["text"][span["start"] : span["end"]] for hit in every for span in hit["highlights"]}
    assert words == {"Envoys", "Geneva"}
    for hit in every:
        assert len(hit["highlights"]) == hit["text"].count("Envoys") + hit["text"].count("Geneva")
    assert read_all_hits(crowd, f"{address}&highlight=true")[0] == hits
    declined, _ = read_all_hits(crowd, f"{address}&highlight=false")
    assert {
        str(entry["highlights"])
        for hit in declined
        for entry in (hit, *(hit["more"] or {"hits": []})["hits"])
    } == {"[]"}
    assert list(passage_places(declined)) == list(passage_places(hits))


def test_next_keeps_values_other_than_the_default(crowd):
    def following(parameters):
        return parse_qs(urlsplit(crowd.get(f"{SEARCH}?q=x&limit=1{parameters}").get_json()["next"]).query)

    assert {"copies", "highlight"}.isdisjoint(following(""))
    assert {"copies", "highlight"}.isdisjoint(following("&copies=fold&highlight=true"))
    named = following("&copies=all&highlight=false")
    assert (named["copies"], named["highlight"]) == (["all"], ["false"])


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("", "empty_query"), ("q=", "empty_query"), ("q=+%09%0A", "empty_query"), ("q=%00%01", "empty_query"),
        ("q=" + "x" * 1_001, "query_too_long"), ("q=" + quote("س") * 1_001, "query_too_long"),
        ("q=x&limit=0", "bad_limit"), ("q=x&limit=-1", "bad_limit"), ("q=x&limit=101", "bad_limit"),
        ("q=x&limit=ten", "bad_limit"), ("q=x&limit=1.5", "bad_limit"), ("q=x&limit=1e1", "bad_limit"),
        ("q=x&limit=%D9%A3", "bad_limit"), ("q=x&limit=%EF%BC%93", "bad_limit"), ("q=x&limit=%C2%B2", "bad_limit"),
        ("q=x&limit=1_0", "bad_limit"), ("q=x&limit=+5", "bad_limit"), ("q=x&limit=--5", "bad_limit"),
        ("q=x&limit=-", "bad_limit"), ("q=x&limit=" + "9" * 5_000, "bad_limit"), ("q=x&limit=5%00", "bad_limit"),
        ("q=x&offset=-1", "bad_offset"), ("q=x&offset=10001", "bad_offset"), ("q=x&offset=%D9%A3", "bad_offset"),
        ("q=x&mode=best", "bad_mode"), ("q=x&mode=raw", "bad_mode"), ("q=x&mode=Dense", "bad_mode"),
        ("q=x&lang=AR", "bad_lang"), ("q=x&lang=arabic", "bad_lang"), ("q=x&lang=a", "bad_lang"),
        ("q=x&lang=%00%00", "bad_lang"), ("q=x&lang=ar%0A", "bad_lang"),
        ("q=x&q=y", "bad_q"), ("q=x&q=x", "bad_q"), ("q=x&limit=5&limit=5", "bad_limit"),
        ("q=x&mode=dense&mode=dense", "bad_mode"), ("q=x&lang=ar&lang=en", "bad_lang"),
        ("q=x&generation=a&generation=a", "bad_generation"),
        ("q=x&limit=", "bad_limit"), ("q=x&lang=", "bad_lang"), ("q=x&source=", "bad_source"), ("q=x&from=", "bad_from"),
        ("q=x&mode=", "bad_mode"), ("q=x&sort=newest", "bad_sort"), ("q=x&sort=date&sort=date", "bad_sort"),
        ("q=x&colour=red", "unknown_parameter"), ("q=x&doc_id=a", "unknown_parameter"), ("q=x&Limit=5", "unknown_parameter"),
        ("q=x&from=2025-1-1", "bad_from"), ("q=x&to=2025-02-30", "bad_to"), ("q=x&from=٢٠٢٥-٠١-٠١", "bad_from"),
        ("q=x&from=2025-02-01&to=2025-01-31", "bad_from"), ("q=x&source=a&source=b", "bad_source"),
        ("q=x&author=", "bad_author"), ("q=x&author=a&author=b", "bad_author"),
        ("q=x&explain=1", "bad_explain"), ("q=x&names=yes", "bad_names"), ("q=x&=", "unknown_parameter"),
        ("q=x&highlight=1", "bad_highlight"), ("q=x&highlight=0", "bad_highlight"),
        ("q=x&highlight=True", "bad_highlight"), ("q=x&highlight=yes", "bad_highlight"),
        ("q=x&highlight=+true", "bad_highlight"), ("q=x&highlight=" + "t" * 5_000, "bad_highlight"),
        ("q=x&highlight=true&highlight=true", "bad_highlight"),
        ("q=x&copies=none", "bad_copies"), ("q=x&copies=Fold", "bad_copies"), ("q=x&copies=fold+", "bad_copies"),
        ("q=x&copies=all&copies=fold", "bad_copies"),
    ],
)  # fmt: skip
def test_every_parameter_error_is_400_with_its_code(client, parameters, code):
    detail = problem(client.get(f"{SEARCH}?{parameters}"), 400, code)
    assert len(detail) < 300


def test_values_at_the_limits_are_accepted(client):
    for parameters in (
        "limit=1",
        "limit=100",
        "offset=0",
        "offset=10000",
        "mode=lexical",
        "lang=en",
        "lang=ckb",
        "copies=fold",
        "copies=all",
        "highlight=true",
        "highlight=false",
    ):
        assert client.get(f"{SEARCH}?q=x&{parameters}").status_code == 200
    for query in ("x" * 1_000, "س" * 1_000, "😀" * 1_000, "\u200fx"):
        response = client.get(f"{SEARCH}?q={quote(query)}")
        assert (response.status_code, response.get_json()["query"]) == (200, query)


HOSTILE = [
    '"', '"open', "'", "'; DROP TABLE passages; --", "(((", ")", "[a-z]{3}", "a AND OR NOT", "+grain -Geneva",
    "title:x^2~3", "*", "grain*", "?", "\\", "/a/b/", "a\0b", "\x1b[31m", "<script>alert(1)</script>", "</title><b>",
    "{{ 7 * 7 }}", "{% x %}", "%s %d", "%00", "\u202eabc\u202c", "\u2067سلام\u2069", "😀👩‍👩‍👧", "\ufeffx", "é́́",
    "ﷺ", "\U0010ffff", "a\u2028b", "-", "--limit", "&q=x", "#", "::", "\u0651x", "null", "../../etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
@pytest.mark.parametrize("query", HOSTILE)
def test_every_other_question_is_accepted_and_returned_unchanged(client, query, mode):
    response = client.get(f"{SEARCH}?{urlencode({'q': query, 'mode': mode})}")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.get_json()["query"] == query


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=80), st.sampled_from(["hybrid", "lexical"]))
def test_no_question_breaks_the_endpoint(client, query, mode):
    response = client.get(f"{SEARCH}?{urlencode({'q': query, 'mode': mode})}")
    if response.status_code == 400:
        code = "empty_query" if not is_visible(query) else "nothing_asked"
        problem(response, 400, code)
        assert parse(query).operators or not is_visible(query)
        assert not has_word(parse(query).text)
    else:
        assert response.status_code == 200
        body = response.get_json()
        assert body["query"] == query
        assert json.dumps(body, allow_nan=False)


def test_another_generation_is_409_and_the_served_one_is_not(client):
    served = client.get(f"{SEARCH}?q=x").get_json()["generation"]
    assert client.get(f"{SEARCH}?q=x&generation={served}").status_code == 200
    assert served in problem(client.get(f"{SEARCH}?q=x&generation=older"), 409, "generation_changed")


def test_a_next_page_is_409_once_a_build_has_switched(fresh, archive, index, model):
    address = fresh.get(f"{SEARCH}?q=x&limit=1").get_json()["next"]
    (archive / "new.txt").write_text("A new article.")
    build_index(archive, index, model)
    problem(fresh.get(address), 409, "generation_changed")
    assert fresh.get(f"{SEARCH}?q=x").get_json()["total"] == 5


def test_search_without_an_index_is_503_with_the_build_command(bare):
    response = bare.get(f"{SEARCH}?q=x")
    assert "warraq build" in problem(response, 503, "no_index")
    assert int(response.headers["Retry-After"]) > 0


def test_a_wrong_parameter_is_400_even_without_an_index(bare):
    problem(bare.get(f"{SEARCH}?q=x&limit=0"), 400, "bad_limit")


def test_probes_distinguish_liveness_from_readiness(bare, archive, index, model):
    assert bare.get("/livez").status_code == 200
    response = bare.get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (503, "no_index")
    report = build_index(archive, index, model)
    response = bare.get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (200, "ready")
    assert response.get_json()["generation"] == report.generation
    assert bare.get("/livez").status_code == 200
    assert bare.get(f"{SEARCH}?q=x").status_code == 200


def test_search_is_503_while_loading_and_then_200(archive, index, model):
    import threading

    build_index(archive, index, model)
    may, opening = threading.Event(), threading.Event()

    def slowly(*arguments):
        opening.set()
        assert may.wait(5)
        return open_fake(*arguments)

    service = SearchService(index, None, slowly)
    client = create_app(service).test_client()
    service.start()
    assert opening.wait(5)
    response = client.get(f"{SEARCH}?q=x")
    problem(response, 503, "loading")
    assert int(response.headers["Retry-After"]) > 0
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200
    may.set()
    while service._searcher is None:
        assert not threading.Event().wait(0.005)
    assert client.get("/readyz").status_code == 200
    assert client.get(f"{SEARCH}?q=x").status_code == 200


def test_an_index_that_cannot_be_used_is_503(archive, index):
    build_index(archive, index, FakeModel(name="nobody/nothing"))
    client = create_app(SearchService(index, "bundled")).test_client()
    problem(client.get(f"{SEARCH}?q=x"), 503, "index_unusable")
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


def test_other_addresses_and_methods_are_problems_too(client):
    problem(client.get("/api/v1/nothing"), 404, "not_found")
    problem(client.get("/api/v1/search/"), 404, "not_found")
    for method in ("post", "put", "delete", "patch"):
        response = getattr(client, method)(f"{SEARCH}?q=x")
        problem(response, 405, "method_not_allowed")
        assert "GET" in response.headers["Allow"]


def test_unexpected_error_is_500_without_internal_details(archive, index, model):
    class Exploding(Searcher):
        def search(self, request):
            raise RuntimeError("a secret of the inside")

    def open_exploding(index, _model, _before):
        return Exploding(GenerationReader.open(IndexFolder(index)), FakeModel())

    build_index(archive, index, model)
    response = create_app(SearchService(index, None, open_exploding)).test_client().get(f"{SEARCH}?q=x")
    problem(response, 500, "internal")
    assert "secret" not in response.get_data(as_text=True)


def test_index_that_fails_to_open_is_503(archive, index, model):
    def explode(*_):
        raise OSError(24, "a secret of the inside")

    build_index(archive, index, model)
    client = create_app(SearchService(index, None, explode)).test_client()
    assert "secret" not in problem(client.get(f"{SEARCH}?q=x"), 503, "not_opened")
    assert client.get("/readyz").status_code == 503


# --- passages like another, articles, statistics, and asking again ---------------------------------


def test_answers_of_an_older_generation_have_a_warning(archive, index, model):
    first = build_index(archive, index, model)
    (archive / "new.txt").write_text("A new article.", "utf-8")
    whole = create_app(SearchService(index, None, open_fake)).test_client()
    addresses = [
        f"{SEARCH}?q=x",
        "/api/v1/similar?doc_id=talks.txt&passage=1",
        "/api/v1/documents/talks.txt",
        "/api/v1/stats",
    ]
    tags = []
    for address in addresses:
        answer = whole.get(address)
        assert answer.get_json()["warnings"] == []
        tags.append(answer.headers["ETag"])
    second = build_index(archive, index, model)
    (index / "generations" / second.generation / "vectors.faiss").write_bytes(b"")
    damaged = create_app(SearchService(index, None, open_fake)).test_client()
    for address, tag in zip(addresses, tags, strict=True):
        answer = get_with_etag(damaged, address, tag)
        assert answer.status_code == 200  # it is the older generation, and yet another answer
        body = answer.get_json()
        assert body["generation"] == first.generation
        (warning,) = body["warnings"]
        assert second.generation in warning
        assert "warraq build --rebuild" in warning


def test_statistics_are_those_of_the_generation(dated):
    body = dated.get("/api/v1/stats").get_json()
    assert (body["documents"], body["passages"]) == (7, 7)
    assert body["sources"] == {"wire": 4, "صحيفة المرفأ": 1, "post & sons": 2}
    assert body["languages"] == {"en": 7}
    assert body["years"] == [{"value": "2025", "count": 4}, {"value": None, "count": 3}]
    assert (body["failed"], body["model"], body["searches_by_meaning"], body["warnings"]) == (
        0,
        "fake",
        True,
        [],
    )
    problem(dated.get("/api/v1/stats?q=x"), 400, "unknown_parameter")


def test_server_without_its_model_answers_lexically_and_is_not_ready(archive, index):
    build_index(archive, index, FakeModel(name="nobody/nothing"))
    client = create_app(SearchService(index)).test_client()
    body = client.get(f"{SEARCH}?q=Geneva").get_json()
    assert body["hits"]
    assert "words alone" in body["warnings"][0]
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (503, "no_model")
    assert client.get("/api/v1/stats").get_json()["searches_by_meaning"] is False
    assert client.get("/?q=Geneva").status_code == 200


@pytest.mark.parametrize(
    ("address", "message"),
    [("search?q=x&limit=0", "at least 1"), ("search?q=x&limit=101", "at most 100"), ("search?q=x&offset=10001", "at most 10,000"),
     ("similar?doc_id=a&passage=0", "at least 1"), ("similar?doc_id=a&passage=1000001", "at most 1,000,000"),
     ("search?q=x&limit=ten", "whole number"), ("search?q=x&highlight=1", "true or false"), ("search?q=x&from=1", "YYYY-MM-DD"),
     ("search?q=x&mode=best", "hybrid"), ("search?q=x&mode=", "hybrid"), ("search?q=x&source=", "not be empty"),
     ("search?q=x&author=", "not be empty"), ("search?q=x&lang=AR", "ar or en"), ("search?q=x&lang=", "ar or en")],
)  # fmt: skip
def test_error_detail_names_the_valid_values(client, address, message):
    assert message in client.get(f"/api/v1/{address}").get_json(force=True)["detail"]
