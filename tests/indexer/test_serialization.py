"""Results as JSON: the fixed keys, the provenance of a hit, addresses that lead back."""

import hashlib
import json
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.addresses import document_url, next_page_url, permanent_url
from indexer.datatypes import (
    Count,
    Cut,
    Document,
    Explanation,
    Highlight,
    Hit,
    Notice,
    Offer,
    Passage,
    SearchResult,
    SourceFile,
    SplitDocument,
)
from indexer.inspection import CutLines, article_json
from indexer.query import parse
from indexer.request import SearchRequest, SimilarRequest
from indexer.serialization import result_json, similar_json

RESULT_KEYS = [
    "query", "language", "mode", "answerable", "parsed", "spellings", "offers", "generation", "took_ms",
    "total", "total_is", "listed", "limit", "offset", "next", "facets", "hits", "articles", "warnings",
]  # fmt: skip
HIT_KEYS = [
    "rank", "found", "score", "text", "lang", "dir", "highlights", "answer", "also_in", "more", "explain", "source",
]  # fmt: skip
SOURCE_KEYS = [
    "doc_id", "path", "title", "published", "sha256", "basis", "encoding",
    "passage", "line_start", "line_end", "char_start", "char_end", "url",
]  # fmt: skip

TEXT = "أزمة المياه\r\n\r\n🕊 أعلنت الوزارة.\r\nOfficials agreed."
DOCUMENT = Document(
    "ar/مياه.txt",
    "أزمة المياه",
    TEXT,
    "ar",
    "ar",
    None,
    SourceFile("ar/مياه.txt", "ab" * 32),
)
HITS = (
    Hit(1, 0.912345678, Passage("ar/مياه.txt", 1, 0, 31, 1, 3, "ar"), DOCUMENT),
    Hit(2, 0.5, Passage("ar/مياه.txt", 2, 33, 50, 4, 4, "en"), DOCUMENT),
)


FACETS = {
    "lang": (Count("ar", 1), Count("en", 1)),
    "source": (Count("ar", 2),),
    "author": (Count(None, 2),),
    "year": (Count("2025", 1), Count(None, 1)),
}
SLOW = Notice("undated", "Slow.", 3)


def result(request, total=37, hits=HITS, like=None):
    stages, spellings = {"encode": 1.0}, {"ماء": ("مياه", "mia")}
    return SearchResult(
        request, "ar", "20250301-1", total, hits, 21.4, (SLOW,), FACETS, stages, "no",
        parse(request.query) if like is None else None, spellings, (Offer("spelling", "مياه"),), like, total, False,
    )  # fmt: skip


def test_a_result_says_what_the_query_was_understood_to_say():
    found = result_json(result(SearchRequest('ماء -"b c" source:x')))
    assert found["parsed"] == {
        "text": "ماء",
        "operators": [
            {"role": "phrase", "value": "b c", "excluded": True, "start": 4, "end": 10},
            {"role": "source", "value": "x", "excluded": False, "start": 11, "end": 19},
        ],
    }


def test_a_result_has_exactly_the_fixed_keys_in_their_order():
    found = result_json(result(SearchRequest("ماء")))
    assert list(found) == RESULT_KEYS
    for hit in found["hits"]:
        assert list(hit) == HIT_KEYS
        assert list(hit["source"]) == SOURCE_KEYS


def test_result_contains_the_query_and_the_counts():
    found = result_json(result(SearchRequest("ماء", limit=2, offset=4, mode="dense", lang="ar")))
    assert {key: found[key] for key in RESULT_KEYS if key not in ("hits", "next")} == {
        "query": "ماء",
        "language": "ar",
        "mode": "dense",
        "answerable": "no",
        "parsed": {"text": "ماء", "operators": []},
        "spellings": {"ماء": ["مياه", "mia"]},
        "offers": [{"kind": "spelling", "query": "مياه"}],
        "generation": "20250301-1",
        "took_ms": 21.4,
        "total": 37,
        "total_is": "at_least",
        "listed": 37,
        "limit": 2,
        "offset": 4,
        "facets": {
            "lang": [{"value": "ar", "count": 1}, {"value": "en", "count": 1}],
            "source": [{"value": "ar", "count": 2}],
            "author": [{"value": None, "count": 2}],
            "year": [{"value": "2025", "count": 1}, {"value": None, "count": 1}],
        },
        "articles": [
            {
                "doc_id": DOCUMENT.doc_id,
                "title": DOCUMENT.title,
                "ranks": [1, 2],
                "url": document_url(DOCUMENT.doc_id, 1),
            }
        ],
        "warnings": ["Slow."],
    }


def test_hit_contains_its_provenance():
    arabic, english = result_json(result(SearchRequest("ماء")))["hits"]
    assert arabic["text"] == TEXT[:31] == "أزمة المياه\r\n\r\n🕊 أعلنت الوزارة."
    assert (arabic["rank"], arabic["score"], arabic["lang"], arabic["dir"]) == (1, 0.912346, "ar", "rtl")
    assert (english["text"], english["lang"], english["dir"]) == ("Officials agreed.", "en", "ltr")
    assert arabic["source"] == {
        "doc_id": "ar/مياه.txt",
        "path": "ar/مياه.txt",
        "title": "أزمة المياه",
        "published": None,
        "sha256": "ab" * 32,
        "basis": "file",
        "encoding": "utf-8",
        "passage": 1,
        "line_start": 1,
        "line_end": 3,
        "char_start": 0,
        "char_end": 31,
        "url": "/documents/ar/%D9%85%D9%8A%D8%A7%D9%87.txt#p1",
    }


def test_hit_without_duplicates_has_empty_lists():
    hit = result_json(result(SearchRequest("ماء")))["hits"][0]
    assert (hit["highlights"], hit["also_in"], hit["more"]) == ([], [], None)


def test_collapsed_passages_have_their_own_provenance():
    more = replace(HITS[1], rank=None, highlights=(Highlight(0, 9),), also_in=(HITS[0],))
    first = replace(
        HITS[0], highlights=(Highlight(0, 4), Highlight(17, 22)), also_in=(HITS[1], HITS[0]), more=(more,)
    )
    alone = result_json(result(SearchRequest("ماء")))["hits"]
    (hit,) = result_json(result(SearchRequest("ماء"), hits=(first,)))["hits"]
    assert list(hit) == HIT_KEYS
    assert hit["highlights"] == [{"start": 0, "end": 4}, {"start": 17, "end": 22}]
    assert hit["also_in"] == [alone[1]["source"], alone[0]["source"]]
    assert hit["more"] == {
        "count": 1,
        "hits": [
            {
                **alone[1],
                "rank": None,
                "highlights": [{"start": 0, "end": 9}],
                "also_in": [alone[0]["source"]],
            }
        ],
    }
    assert {key: hit[key] for key in ("rank", "text", "source")} == {
        key: alone[0][key] for key in ("rank", "text", "source")
    }


def test_a_result_survives_json():
    found = result_json(result(SearchRequest('\0 "quoted" \u202eماء 🕊')))
    assert json.loads(json.dumps(found)) == found


def test_nothing_found_is_an_empty_list():
    found = result_json(result(SearchRequest("ماء"), total=0, hits=()))
    assert (found["total"], found["hits"], found["next"]) == (0, [], None)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.integers(1, 100),
    st.integers(0, 9_900),
    st.sampled_from(["hybrid", "dense", "lexical"]),
    st.sampled_from([None, "ar", "en"]),
    st.sampled_from(["fold", "all"]),
    st.booleans(),
)
def test_next_address_repeats_the_request_at_the_next_offset(
    text, limit, offset, mode, lang, copies, highlight
):
    request = SearchRequest(f"q{text}", mode, highlight, limit=limit, offset=offset, lang=lang, copies=copies)
    address = result_json(result(request, total=20_000))["next"]
    parts = urlsplit(address)
    assert address.isascii()
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("", "", "/api/v1/search", "")
    values = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
    expected = {"q": request.query, "offset": str(offset + limit)}
    expected |= {"limit": str(limit)} if limit != 10 else {}
    expected |= {"mode": mode} if mode != "hybrid" else {}
    expected |= {"generation": "20250301-1"} | ({"lang": lang} if lang else {})
    expected |= {} if copies == "fold" else {"copies": "all"}
    expected |= {} if highlight else {"highlight": "false"}
    assert values == {key: [value] for key, value in expected.items()}


@pytest.mark.parametrize(
    ("total", "limit", "offset", "further"),
    [(0, 10, 0, None), (10, 10, 0, None), (11, 10, 0, 10), (37, 10, 20, 30), (37, 10, 30, None), (37, 10, 90, None),
     (20_000, 100, 9_900, 10_000), (20_000, 100, 9_901, None), (20_000, 10, 10_000, None)],
)  # fmt: skip
def test_last_allowed_page_has_no_next(total, limit, offset, further):
    address = next_page_url(result(SearchRequest("ماء", limit=limit, offset=offset), total), "/")
    assert (address and parse_qs(urlsplit(address).query)["offset"]) == (further and [str(further)])


@pytest.mark.parametrize("total", [0, 1, 9, 10, 11, 37])
def test_following_next_sees_every_offset_once(total):
    seen, request = [], SearchRequest("ماء", limit=10)
    while True:
        seen += range(request.offset, min(request.offset + 10, total))
        address = next_page_url(result(request, total), "/")
        if address is None:
            break
        request = SearchRequest("ماء", offset=int(parse_qs(urlsplit(address).query)["offset"][0]))
    assert seen == list(range(total))


@pytest.mark.parametrize(
    "doc_id",
    ["a.txt", "ar/مقال.txt", "a b.txt", "100%.txt", "%41.txt", "why?.txt", "x#2.txt", "a&b=c+d.txt", "a\\b.txt",
     "new\nline.txt", '"<b>\'.txt', "dir;v=1/é.txt", "corpus.jsonl::7", "🕊.txt", "http:/x.txt"],
)  # fmt: skip
def test_the_address_of_a_document_leads_back_to_its_id(doc_id):
    address = document_url(doc_id, 3)
    parts = urlsplit(address)
    assert unquote(parts.path, errors="strict") == f"/documents/{doc_id}"
    assert (parts.netloc, parts.query, parts.fragment) == ("", "", "p3")
    assert address.isascii()
    assert not set(address) & set(" \"<>'\\\n")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from([None, "2025-03-01", "0001-01-01"]),
    st.sampled_from([None, "2025-03-01", "9999-12-31"]),
)
def test_the_address_of_the_next_page_keeps_source_and_days(source, first, last):
    request = SearchRequest("ماء", offset=20, source=source, published_from=first, published_to=last)
    wanted = {"source": source, "from": first, "to": last}
    address = next_page_url(result(request), "/")
    values = parse_qs(urlsplit(address).query, keep_blank_values=True, strict_parsing=True)
    kept = {name: values[name] for name in wanted if name in values}
    assert kept == {name: [value] for name, value in wanted.items() if value is not None}


def test_similar_passages_have_the_same_form_and_a_next_address():
    request = SimilarRequest("ar/مياه.txt", 2, limit=2, offset=2, lang="ar", sort="date")
    found = similar_json(result(request, like=HITS[1]))
    asked = result_json(result(SearchRequest("ماء", limit=2, offset=2, lang="ar", sort="date")))
    assert found["like"] == asked["hits"][1]
    shared = (
        "generation",
        "took_ms",
        "total",
        "listed",
        "limit",
        "offset",
        "facets",
        "hits",
        "articles",
        "warnings",
    )
    assert {key: found[key] for key in shared} == {key: asked[key] for key in shared}
    assert parse_qs(urlsplit(found["next"]).query) == {
        "doc_id": ["ar/مياه.txt"], "passage": ["2"], "limit": ["2"], "offset": ["4"], "lang": ["ar"], "sort": ["date"],
        "generation": ["20250301-1"],
    }  # fmt: skip
    assert urlsplit(found["next"]).path == "/api/v1/similar"


def test_a_permanent_address_names_the_words_and_the_version_of_the_file():
    address = urlsplit(permanent_url(DOCUMENT, 33, 50, 2))
    assert unquote(address.path) == "/documents/ar/مياه.txt"
    words = hashlib.sha256(b"Officials agreed.").hexdigest()[:12]
    assert parse_qs(address.query) == {
        "sha256": ["ab" * 32], "start": ["33"], "end": ["50"], "words": [words]
    }  # fmt: skip
    assert address.fragment == "p2"
    values = parse_qs(urlsplit(permanent_url(DOCUMENT, 0, 31, 1)).query)  # line ends and all
    assert values["words"] == [hashlib.sha256(TEXT[:31].encode("utf-8")).hexdigest()[:12]]


def test_article_has_its_text_passages_and_cuts():
    cut = Cut(3, 15, 31, "share")
    article = SplitDocument(DOCUMENT, tuple(hit.passage for hit in HITS), (cut,))
    found = article_json(article, CutLines(((cut, "🕊 أعلنت الوزارة."),), ("Menu",), True))
    assert found["text"] == TEXT
    for passage, hit in zip(found["passages"], HITS, strict=True):
        assert TEXT[passage["char_start"] : passage["char_end"]] == hit.text
        assert (passage["passage"], passage["line_start"]) == (hit.passage.number, hit.passage.line_start)
    (line,) = found["cut"]
    assert (line["line"], line["rule"], line["text"]) == (3, "share", TEXT[15:31])
    assert line["reason"]
    assert (found["outside"], found["cut_from_file"]) == (["Menu"], True)
    assert (found["author"], found["url"], found["dir"]) == (None, None, "rtl")
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    "doc_id",
    [
        "a/../b",
        "a/./b",
        "x/..",
        "x/.",
        "../../top",
        "./a",
        "feed.jsonl::https://ex.org/a/../b?q=1#frag",
        "a/..b/c",
        "...",
    ],
)
def test_document_address_has_no_dot_segments(doc_id):
    address = document_url(doc_id, 1)
    steps = urlsplit(address).path.split("/")
    assert {".", ".."}.isdisjoint(steps)
    assert urljoin("http://127.0.0.1/", address) == f"http://127.0.0.1{address}"
    assert unquote(urlsplit(address).path) == f"/documents/{doc_id}"


def test_a_hit_is_explained_where_the_request_asks_for_it():
    explanation = Explanation("both", 0.8, None, 0.4567891, ("مياه",))
    hits = (replace(HITS[0], explanation=explanation),)
    (plain,) = result_json(result(SearchRequest("ماء"), hits=hits))["hits"]
    assert plain["explain"] is None
    (explained,) = result_json(result(SearchRequest("ماء", explain=True), hits=hits))["hits"]
    assert explained["explain"] == {
        "order": "both", "passage": 0.8, "sentence": None, "words": 0.456789, "spellings": ["مياه"],
    }  # fmt: skip
