"""The JSON endpoint and the probes: shapes, faults and their codes, whatever is asked."""

import json
import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer import Searcher, build_index
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.archives import write_small
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app

SEARCH = "/api/v1/search"


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
def bare(index):
    """A client where nothing has been built."""
    service = SearchService(index, None, open_fake)
    service._refresh()
    return create_app(service).test_client()


def problem(response, status, code):
    """Check that an answer is a problem (RFC 9457) and return what it says."""
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    found = response.get_json(force=True)
    assert found["status"] == status
    assert found["code"] == code
    assert {"type", "title", "detail"} <= found.keys()
    assert found["detail"]
    return found["detail"]


def test_the_answer_has_the_promised_shape(client, archive):
    response = client.get(f"{SEARCH}?q=grain+corridor&limit=1")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    found = response.get_json()
    assert [*found] == [
        "query", "language", "mode", "generation", "took_ms", "total", "limit", "offset", "next", "facets",
        "hits", "warnings",
    ]  # fmt: skip
    assert (found["query"], found["language"], found["mode"]) == ("grain corridor", "en", "hybrid")
    assert (found["total"], found["limit"], found["offset"], found["warnings"]) == (4, 1, 0, [])
    assert {name: sum(each["count"] for each in counts) for name, counts in found["facets"].items()} == {
        "lang": 4, "source": 4, "author": 4, "year": 4,
    }  # fmt: skip
    assert found["took_ms"] > 0
    (hit,) = found["hits"]
    assert [*hit] == [
        "rank", "score", "text", "lang", "dir", "highlights", "also_in", "more", "source",
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
    assert (source["line_start"], source["line_end"], source["passage"]) == (1, 2, 1)
    assert (source["published"], source["encoding"]) == (None, "utf-8")
    assert re.fullmatch("[0-9a-f]{64}", source["sha256"])
    assert source["url"] == "/documents/talks.txt#p1"


def test_arabic_comes_as_arabic_from_right_to_left(client):
    response = client.get(f"{SEARCH}?{urlencode({'q': 'وزارة المياه', 'lang': 'ar'})}")
    assert "وزارة المياه" in response.get_data(as_text=True)
    found = response.get_json()
    assert found["language"] == "ar"
    assert {(hit["lang"], hit["dir"]) for hit in found["hits"]} == {("ar", "rtl")}


def test_next_leads_through_the_whole_list(client):
    address, ids, totals = f"{SEARCH}?q=Geneva&limit=1&lang=en&mode=dense", [], set()
    while address:
        found = client.get(address).get_json()
        ids += [(hit["source"]["doc_id"], hit["source"]["passage"]) for hit in found["hits"]]
        totals.add(found["total"])
        assert [hit["rank"] for hit in found["hits"]] == [len(ids)]
        address = found["next"]
        assert address is None or f"generation={found['generation']}" in address
    assert totals == {2}
    assert sorted(ids) == [("talks.txt", 1), ("talks.txt", 2)]


def test_a_page_past_the_end_is_empty_and_has_no_next(client):
    found = client.get(f"{SEARCH}?q=Geneva&offset=10000").get_json()
    assert (found["total"], found["hits"], found["next"]) == (4, [], None)


@pytest.fixture
def crowd(archive, index, model):
    """A client of an archive with a copy in another article and one article of many passages."""
    body = "Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea, {}."
    (archive / "long.txt").write_text(
        "\n\n".join(["Geneva"] + [body.format(f"the minister of {each} said") for each in "abcdefg"]), "utf-8"
    )
    for name in ("copy", "copy again"):
        (archive / f"{name}.txt").write_text("Envoys discuss grain in Geneva.", "utf-8")
    build_index(archive, index, model)
    return create_app(SearchService(index, None, open_fake)).test_client()


def found_by(client, address):
    """Every hit of a list, page by page, and the totals that its pages told."""
    hits, totals = [], set()
    while address:
        found = client.get(address).get_json()
        hits += found["hits"]
        totals.add(found["total"])
        address = found["next"]
    return hits, totals


def places(hits):
    """File and passage of hits, of where they are also in, and of what they stand for."""
    for hit in hits:
        for source in (hit["source"], *hit["also_in"]):
            yield source["path"], source["passage"]
        yield from places(hit["more"]["hits"] if hit["more"] else [])


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_copies_fold_unless_all_are_asked_for(crowd, mode):
    address = f"{SEARCH}?q=Envoys+discuss+grain+in+Geneva&mode={mode}&limit=2"
    folded, totals = found_by(crowd, address)
    everything, totals_of_all = found_by(crowd, f"{address}&copies=all")
    assert (totals, totals_of_all) == ({len(folded)}, {len(everything)})
    assert len(folded) < len(everything)
    assert [hit["rank"] for hit in folded] == list(range(1, len(folded) + 1))
    assert all((hit["also_in"], hit["more"]) == ([], None) for hit in everything)
    assert sorted(places(folded)) == sorted(places(everything))
    assert folded == found_by(crowd, f"{address}&copies=fold")[0]
    (copy,) = [hit for hit in folded if hit["source"]["path"].startswith("copy")]
    assert [source["path"] for source in copy["also_in"]] == ["copy.txt"]
    (run,) = [hit["more"] for hit in folded if hit["more"]]
    assert run["count"] == len(run["hits"]) == 5
    for hit in run["hits"]:
        assert hit["rank"] is None
        assert hit["source"]["path"] == "long.txt"
        assert hit["source"]["url"] == f"/documents/long.txt#p{hit['source']['passage']}"


def test_highlights_are_ranges_of_whole_words_unless_they_are_declined(crowd):
    address = f"{SEARCH}?q=envoy+geneva+of+the&limit=3"
    hits, _ = found_by(crowd, address)
    every = hits + [each for hit in hits for each in (hit["more"] or {"hits": []})["hits"]]
    words = {hit["text"][each["start"] : each["end"]] for hit in every for each in hit["highlights"]}
    assert words == {"Envoys", "Geneva"}
    for hit in every:
        assert len(hit["highlights"]) == hit["text"].count("Envoys") + hit["text"].count("Geneva")
    assert found_by(crowd, f"{address}&highlight=true")[0] == hits
    declined, _ = found_by(crowd, f"{address}&highlight=false")
    assert {
        str(each["highlights"]) for hit in declined for each in (hit, *(hit["more"] or {"hits": []})["hits"])
    } == {"[]"}
    assert list(places(declined)) == list(places(hits))


def test_next_says_what_is_not_the_default(crowd):
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
        ("q=x&explain=1", "unknown_parameter"), ("q=x&=", "unknown_parameter"),
        ("q=x&highlight=1", "bad_highlight"), ("q=x&highlight=0", "bad_highlight"),
        ("q=x&highlight=True", "bad_highlight"), ("q=x&highlight=yes", "bad_highlight"),
        ("q=x&highlight=+true", "bad_highlight"), ("q=x&highlight=" + "t" * 5_000, "bad_highlight"),
        ("q=x&highlight=true&highlight=true", "bad_highlight"),
        ("q=x&copies=none", "bad_copies"), ("q=x&copies=Fold", "bad_copies"), ("q=x&copies=fold+", "bad_copies"),
        ("q=x&copies=all&copies=fold", "bad_copies"),
    ],
)  # fmt: skip
def test_every_fault_of_a_parameter_is_400_with_its_code(client, parameters, code):
    detail = problem(client.get(f"{SEARCH}?{parameters}"), 400, code)
    assert len(detail) < 300


def test_what_stands_at_the_limits_is_legal(client):
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
def test_every_other_question_is_legal_and_comes_back_as_it_was(client, query, mode):
    response = client.get(f"{SEARCH}?{urlencode({'q': query, 'mode': mode})}")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.get_json()["query"] == query


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=80), st.sampled_from(["hybrid", "lexical"]))
def test_no_question_breaks_the_endpoint(client, query, mode):
    response = client.get(f"{SEARCH}?{urlencode({'q': query, 'mode': mode})}")
    if response.status_code == 400:
        problem(response, 400, "empty_query")
        assert all(char.isspace() or not char.isprintable() for char in query)
    else:
        assert response.status_code == 200
        found = response.get_json()
        assert found["query"] == query
        assert json.dumps(found, allow_nan=False)


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


def test_without_an_index_every_search_is_503_and_says_how_to_build_one(bare):
    response = bare.get(f"{SEARCH}?q=x")
    assert "warraq build" in problem(response, 503, "no_index")
    assert int(response.headers["Retry-After"]) > 0


def test_a_wrong_parameter_is_400_even_without_an_index(bare):
    problem(bare.get(f"{SEARCH}?q=x&limit=0"), 400, "bad_limit")


def test_the_probes_tell_life_from_readiness(bare, archive, index, model):
    assert bare.get("/livez").status_code == 200
    response = bare.get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (503, "no_index")
    report = build_index(archive, index, model)
    response = bare.get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (200, "ready")
    assert response.get_json()["generation"] == report.generation
    assert bare.get("/livez").status_code == 200
    assert bare.get(f"{SEARCH}?q=x").status_code == 200


def test_while_it_loads_searches_are_503_and_then_200(archive, index, model):
    import threading

    build_index(archive, index, model)
    may, asked = threading.Event(), threading.Event()

    def slowly(*arguments):
        asked.set()
        assert may.wait(5)
        return open_fake(*arguments)

    service = SearchService(index, None, slowly)
    client = create_app(service).test_client()
    service.start()
    assert asked.wait(5)
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


def test_what_nobody_foresaw_is_500_and_tells_nothing_of_the_inside(archive, index, model):
    class Exploding(Searcher):
        def search(self, request):
            raise RuntimeError("a secret of the inside")

    def open_exploding(index, _model, _before):
        return Exploding(GenerationReader.open(IndexFolder(index)), FakeModel())

    build_index(archive, index, model)
    response = create_app(SearchService(index, None, open_exploding)).test_client().get(f"{SEARCH}?q=x")
    problem(response, 500, "internal")
    assert "secret" not in response.get_data(as_text=True)


def test_an_index_that_cannot_be_opened_for_whatever_reason_is_503(archive, index, model):
    def explode(*_):
        raise OSError(24, "a secret of the inside")

    build_index(archive, index, model)
    client = create_app(SearchService(index, None, explode)).test_client()
    assert "secret" not in problem(client.get(f"{SEARCH}?q=x"), 503, "not_opened")
    assert client.get("/readyz").status_code == 503


# --- sources and days ------------------------------------------------------------------------------

DATED = [
    ("a", "wire", "2025-03-01"), ("b", "wire", "2025-03-15"), ("c", "صحيفة المرفأ", "2025-03-15"), ("d", "wire", None),
    ("e", "wire", None), ("f", "post & sons", "2025-04-01"), ("g", "post & sons", None),
]  # fmt: skip


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    folder, index = tmp_path_factory.mktemp("dated"), tmp_path_factory.mktemp("dated-index")
    records = [{"id": name, "text": f"The river rose in {name}.", "source": source, "date": day}
               for name, source, day in DATED]  # fmt: skip
    (folder / "feed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
    build_index(folder, index, FakeModel())
    return create_app(SearchService(index, None, open_fake)).test_client()


def test_an_article_without_a_source_has_none_in_facets(client):
    found = client.get(f"{SEARCH}?q=x").get_json()["facets"]
    assert found["source"] == [{"value": None, "count": 2}, {"value": "ar", "count": 2}]
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
    found = response.get_json()
    assert (ids(found["hits"]), found["total"]) == (left, len(left))
    told = "1 article without a date was" if undated == 1 else f"{undated} articles without a date were"
    assert found["warnings"] == ([f"{told} left out by the date filter."] if undated else [])


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_an_author_is_a_parameter_a_facet_and_kept_in_next(tmp_path, index, model, mode):
    records = [{"id": name, "text": f"The river rose in {name}.", "author": author}
               for name, author in (("a", "ليلى & co"), ("b", "ليلى & co"), ("c", "Layla"), ("d", None))]  # fmt: skip
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "feed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    build_index(tmp_path / "archive", index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    found = client.get(f"{SEARCH}?q=river&mode={mode}").get_json()
    assert (ids(found["hits"]), found["facets"]["author"]) == ("abcd", [
        {"value": "ليلى & co", "count": 2}, {"value": None, "count": 1}, {"value": "Layla", "count": 1},
    ])  # fmt: skip
    chosen = urlencode({"q": "river", "mode": mode, "author": "ليلى & co", "limit": 1})
    hits, totals = found_by(client, f"{SEARCH}?{chosen}")
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
    hits, totals = found_by(dated, address)
    assert totals == {whole["total"]}
    assert ids(hits) == ids(whole["hits"])
    assert len(hits) == whole["total"]


@pytest.mark.parametrize(
    ("parameters", "code", "told"),
    [("from=2025-03-02&to=2025-03-01", "bad_from", "2025-03-01"), ("from=03/01/2025", "bad_from", "YYYY-MM-DD"),
     ("to=2025-02-29", "bad_to", "2025-02-29"), ("to=2025-03-01T00:00", "bad_to", "YYYY-MM-DD"), ("from=20250301", "bad_from", "YYYY-MM-DD"),
     ("from=0000-01-01", "bad_from", "0000"), ("to=2025-3-1", "bad_to", "2025-3-1"), ("from=%002025-03-01", "bad_from", "YYYY"),
     ("from=2025-03-01%0A", "bad_from", "YYYY"), ("from=2025-03-01&from=2025-03-01", "bad_from", "more than once"),
     ("to=2025-03-01&to=", "bad_to", "more than once"), ("source=a&source=a", "bad_source", "more than once")],
)  # fmt: skip
def test_days_that_are_none_are_400_and_say_why(dated, parameters, code, told):
    assert told in problem(dated.get(f"{SEARCH}?q=river&{parameters}"), 400, code)


# --- passages like another, articles, statistics, and asking again ---------------------------------


def test_passages_like_another_are_of_other_articles(crowd):
    found = crowd.get("/api/v1/similar?doc_id=copy.txt&passage=1&limit=3").get_json()
    assert [*found] == [
        "like", "generation", "took_ms", "total", "limit", "offset", "next", "facets", "hits", "warnings",
    ]  # fmt: skip
    assert found["like"]["text"] == "Envoys discuss grain in Geneva."
    assert found["like"]["source"]["path"] == "copy.txt"
    hits, totals = found_by(crowd, "/api/v1/similar?doc_id=copy.txt&passage=1&limit=3")
    assert totals == {len(hits)} == {found["total"]}
    paths = {path for path, _ in places(hits)}
    assert paths == {"talks.txt", "ar/water.txt", "long.txt"}  # not copies of the same words
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
def test_faults_of_a_request_for_what_is_like_a_passage(client, parameters, status, code):
    problem(client.get(f"/api/v1/similar?{parameters}"), status, code)


def test_an_article_is_returned_whole_with_its_passages(client, archive):
    found = client.get("/api/v1/documents/ar/water.txt").get_json()
    assert found["text"] == (archive / "ar" / "water.txt").read_text("utf-8")
    assert (found["title"], found["lang"], found["dir"]) == ("أزمة المياه في الأردن", "ar", "rtl")
    assert [each["passage"] for each in found["passages"]] == [1, 2]
    for each in found["passages"]:
        hit = client.get(
            f"{SEARCH}?{urlencode({'q': found['text'][each['char_start'] : each['char_end']][:900]})}"
        )
        assert each["url"] in [every["source"]["url"] for every in hit.get_json()["hits"]]
    assert (found["cut"], found["outside"], found["cut_from_file"]) == ([], [], True)
    assert found["generation"] == client.get(f"{SEARCH}?q=x").get_json()["generation"]


def test_an_article_shows_what_was_cut_from_the_file_alone(archive, index, model):
    (archive / "cut.txt").write_text(
        "Title of it\n\nShare this article\n\nThe river rose in the night.\n", "utf-8"
    )
    build_index(archive, index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    found = client.get("/api/v1/documents/cut.txt").get_json()
    (line,) = found["cut"]
    assert (line["line"], line["text"], line["rule"]) == (3, "Share this article", "share")
    assert found["text"][line["char_start"] : line["char_end"]] == " " * len(line["text"])
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
def test_faults_of_a_request_for_an_article(client, address, status, code):
    problem(client.get(f"/api/v1/documents/{address}"), status, code)


def test_an_older_index_that_answers_says_so_in_every_answer(archive, index, model):
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
        answer = asked_again(damaged, address, tag)
        assert answer.status_code == 200  # it is the older generation, and yet another answer
        found = answer.get_json()
        assert found["generation"] == first.generation
        (warning,) = found["warnings"]
        assert second.generation in warning
        assert "warraq build --rebuild" in warning


def test_statistics_are_those_of_the_generation(dated):
    found = dated.get("/api/v1/stats").get_json()
    assert (found["documents"], found["passages"]) == (7, 7)
    assert found["sources"] == {"wire": 4, "صحيفة المرفأ": 1, "post & sons": 2}
    assert found["languages"] == {"en": 7}
    assert found["years"] == [{"value": "2025", "count": 4}, {"value": None, "count": 3}]
    assert (found["failed"], found["model"], found["searches_by_meaning"], found["warnings"]) == (
        0,
        "fake",
        True,
        [],
    )
    problem(dated.get("/api/v1/stats?q=x"), 400, "unknown_parameter")


def asked_again(client, address, tag):
    return client.get(address, headers={"If-None-Match": tag})


def test_a_query_is_answered_once_for_a_generation(fresh, archive, index, model):
    address = f"{SEARCH}?q=Geneva&limit=2"
    first = fresh.get(address)
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = asked_again(fresh, address, tag)
    assert (again.status_code, again.get_data(), again.headers["ETag"]) == (304, b"", tag)
    assert asked_again(fresh, f"{SEARCH}?limit=2&q=Geneva", tag).status_code == 304
    assert asked_again(fresh, address, f'"other", {tag}').status_code == 304
    for other in (
        f"{SEARCH}?q=Geneva&limit=3",
        f"{SEARCH}?q=geneva&limit=2",
        "/api/v1/similar?doc_id=talks.txt&passage=1",
    ):
        answer = asked_again(fresh, other, tag)
        assert (answer.status_code, answer.headers["ETag"] != tag) == (200, True)
    assert asked_again(fresh, f"{address}&generation=older", tag).status_code == 409
    assert asked_again(fresh, f"{address}&generation=older", "*").status_code == 409
    assert asked_again(fresh, address, '"*"').status_code == 200
    assert asked_again(fresh, "/api/v1/similar?doc_id=nobody&passage=1", "*").status_code == 404
    assert asked_again(fresh, f"{address}&colour=red", tag).status_code == 400
    (archive / "new.txt").write_text("Another article about Geneva.")
    build_index(archive, index, model)
    moved = asked_again(fresh, address, tag)
    assert (moved.status_code, moved.headers["ETag"] != tag) == (200, True)


WITH_TAGS = [
    f"{SEARCH}?q=Geneva", "/api/v1/similar?doc_id=talks.txt&passage=1", "/api/v1/documents/talks.txt",
    "/api/v1/stats", "/openapi.json",
]  # fmt: skip


@pytest.mark.parametrize("address", WITH_TAGS)
def test_what_was_read_is_not_sent_again(client, address):
    whole = client.get(address)
    tag = whole.headers["ETag"]
    strong = tag.removeprefix("W/")
    for known in (tag, strong, f"W/{strong}", f'"other", {tag}', "*"):
        again = asked_again(client, address, known)
        assert (again.status_code, again.get_data()) == (304, b"")
        own = {"X-Request-Id", "Content-Type", "Content-Length"}
        assert {name: value for name, value in again.headers.items() if name not in own} == {
            name: value for name, value in whole.headers.items() if name not in own
        }
        assert "Vary" not in again.headers
    for other in ('"other"', "other", "", '"*"', "W/*", tag + "x", ",,,", "\xff"):
        assert asked_again(client, address, other).status_code == 200


@pytest.mark.parametrize("address", WITH_TAGS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-Match", '"zz"'), ("If-Match", ""), ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"), ("Range", "bytes=0-3"), ("If-Range", '"zz"'),
    ],
)  # fmt: skip
def test_no_other_condition_changes_an_answer(client, address, name, value):
    whole, asked = client.get(address), client.get(address, headers={name: value})
    assert (asked.status_code, asked.content_type) == (200, "application/json")
    assert asked.headers["ETag"] == whole.headers["ETag"]
    assert asked.get_json().keys() == whole.get_json().keys()
    known = client.get(address, headers={name: value, "If-None-Match": whole.headers["ETag"]})
    assert (known.status_code, known.get_data()) == (304, b"")


def test_while_the_model_fails_words_answer_and_nothing_is_kept(archive, index, model):
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
    assert asked_again(client, f"{SEARCH}?q=Geneva", "*").status_code == 200
    problem(client.get(f"{SEARCH}?q=Geneva&mode=dense"), 503, "no_model")
    assert "ETag" in client.get(f"{SEARCH}?q=Geneva&mode=lexical").headers


def test_without_its_model_a_server_answers_by_words_and_is_not_ready(archive, index):
    build_index(archive, index, FakeModel(name="nobody/nothing"))
    client = create_app(SearchService(index)).test_client()
    found = client.get(f"{SEARCH}?q=Geneva").get_json()
    assert found["hits"]
    assert "words alone" in found["warnings"][0]
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (503, "no_model")
    assert client.get("/api/v1/stats").get_json()["searches_by_meaning"] is False
    assert client.get("/?q=Geneva").status_code == 200


@pytest.mark.parametrize(
    ("address", "said"),
    [("search?q=x&limit=0", "at least 1"), ("search?q=x&limit=101", "at most 100"), ("search?q=x&offset=10001", "at most 10,000"),
     ("similar?doc_id=a&passage=0", "at least 1"), ("similar?doc_id=a&passage=1000001", "at most 1,000,000"),
     ("search?q=x&limit=ten", "whole number"), ("search?q=x&highlight=1", "true or false"), ("search?q=x&from=1", "YYYY-MM-DD"),
     ("search?q=x&mode=best", "hybrid"), ("search?q=x&mode=", "hybrid"), ("search?q=x&source=", "not be empty"),
     ("search?q=x&author=", "not be empty"), ("search?q=x&lang=AR", "ar or en"), ("search?q=x&lang=", "ar or en")],
)  # fmt: skip
def test_a_fault_says_what_would_be_right(client, address, said):
    assert said in client.get(f"/api/v1/{address}").get_json(force=True)["detail"]
