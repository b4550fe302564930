"""The matches of a search in an article: their order, their marks and the way back to the list."""

import re
from functools import lru_cache
from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit

import pytest

from indexer import Searcher, SearchRequest, build_index
from indexer.retrieval.searcher import MATCHES
from tests.support.article_pages import SHIPS, TRAP, Reader
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app
from web.pages.citations import unturned


def walk(reader, doc_id, **parameters):
    """Return the pages from the first match to the last."""
    page, seen = reader.open(doc_id, **parameters), []
    while page.main.all("a", rel="next"):
        page = reader.get(page.link(rel="next"))
        seen.append(page)
        assert len(seen) < 99
    return seen


@pytest.mark.parametrize(
    ("doc_id", "parameters"),
    [("wire/ships.txt", {"q": "ships with grain"}), ("wire/ships.txt", {"q": "harbour book", "mode": "lexical"}),
     ("water.txt", {"q": "وزارة المياه", "lang": "ar"}), ("hostile.txt", {"q": f"ships {TRAP} & ?#", "sort": "date"}),
     ("wire/ships.txt", {"q": "grain", "source": "The Wire", "from": "2025-01-01", "to": "2025-12-31"})],
)  # fmt: skip
def test_matches_link_from_the_first_to_the_last_and_back(reader, doc_id, parameters):
    request = SearchRequest(
        parameters["q"], mode=parameters.get("mode", "hybrid"), lang=parameters.get("lang"), source=parameters.get("source"),
        published_from=parameters.get("from"), published_to=parameters.get("to"), sort=parameters.get("sort", "relevance"),
    )  # fmt: skip
    hits = reader.searcher.matches(request, doc_id).hits
    assert hits
    seen = walk(reader, doc_id, **parameters)
    assert [item.marked for item in seen] == [unturned(hit.text) for hit in hits]
    for number, page in enumerate(seen, 1):
        nav = page.one("nav", class_="matches")
        assert f"Match {number} of {len(hits)}" in " ".join(nav.text.split())
        assert page.one("input", name="q")["value"] == parameters["q"]
        marked = {
            position: [mark.text for mark in p.all("mark", class_="word")]
            for position, p in page.passages().items()
        }
        for hit in hits:
            assert marked[hit.passage.number] == [hit.text[span.start : span.end] for span in hit.highlights]
        for link in [*nav.all("a", rel="next"), *nav.all("a", rel="prev"), nav.one("a", class_="back")]:
            values = parse_qs(urlsplit(link["href"]).query)
            assert {name: values[name] for name in parameters} == {
                name: [value] for name, value in parameters.items()
            }
    back = urlsplit(seen[-1].link(class_="back"))
    assert back.path == "/"
    assert reader.get(back.geturl()).all("ol", class_="hits")
    page = seen[-1]
    for expected in reversed(seen[:-1]):
        page = reader.get(page.link(rel="prev"))
        assert page.marked == expected.marked
    assert page.main.all("a", rel="prev") == []


def test_matching_words_are_marked_inside_the_named_words(reader):
    start = SHIPS.index("Ship number 3")
    page = reader.named("wire/ships.txt", start, start + 20, q="ship port")
    (outer,) = page.here
    assert outer.text == SHIPS[start : start + 20]
    assert [mark.text for mark in outer.all("mark")] == ["Ship"]
    words = [item for item in page.passages()[4].all("mark", class_="word") if item.parent is not outer]
    assert "port" in [word.text for word in words]


def test_previous_and_next_between_matches_are_the_neighbours(reader):
    request = SearchRequest("Geneva number 1 2", mode="lexical")
    hits = reader.searcher.matches(request, "wire/ships.txt").hits
    others = [
        item
        for item in reader.article("wire/ships.txt").passages
        if item not in [hit.passage for hit in hits]
    ]
    assert others
    for passage in others:
        page = reader.named(
            "wire/ships.txt", passage.start, passage.end, q="Geneva number 1 2", mode="lexical"
        )
        before = [hit for hit in hits if hit.passage.number < passage.number]
        after = [hit for hit in hits if hit.passage.number > passage.number]
        for rel, expected in (("prev", before[-1:]), ("next", after[:1])):
            fragments = [urlsplit(link["href"]).fragment for link in page.main.all("a", rel=rel)]
            assert fragments == [f"p{hit.passage.number}" for hit in expected]
        assert f"{len(hits)} match" in " ".join(page.one("nav", class_="matches").text.split())


def test_search_without_matches_in_the_article_is_reported(reader):
    page = reader.open("plain.txt", q="ضجيج", mode="lexical")
    nav = page.one("nav", class_="matches")
    assert "found no passage of this article" in nav.text
    assert [link.get("class") for link in nav.all("a")] == ["back"]


@pytest.mark.parametrize(
    "parameters",
    [{"q": ""}, {"q": " "}, {"q": "x" * 1_001}, {"q": ["a", "b"]}, {"q": "x", "mode": "<i>"}, {"q": "x", "lang": "Arabic"},
     {"q": "x", "from": "yesterday"}, {"q": "x", "sort": "age"}, {"q": "x", "limit": "-1"}, {"lang": "ar"}],
)  # fmt: skip
def test_invalid_question_is_ignored(reader, parameters):
    page = reader.open("wire/ships.txt", **parameters)
    assert page.all("nav", class_="matches") == page.all("mark") == []
    assert page.one("input", name="q")["value"] == ""


def test_article_is_shown_when_the_model_fails(article_folder):
    class Broken(FakeModel):
        def encode_queries(self, texts):
            raise RuntimeError("the model is gone")

    def broken(*_):
        return Searcher(open_fake(article_folder / "index").store, Broken())

    reader = Reader(article_folder)
    reader._client = create_app(SearchService(article_folder / "index", None, broken)).test_client()
    page = reader.open("wire/ships.txt", q="grain", mode="dense")
    assert page.all("nav", class_="matches") == page.told == []
    page = reader.open("wire/ships.txt", q="grain")
    assert page.all("mark", class_="word")
    assert page.told == ["The model failed: passages were found by their words alone."]


def test_damage_is_reported_once(own):
    (own.archive / "new.txt").write_text("A new article about the ships of the corridor.", "utf-8")
    folder = own.archive.parent / "index"
    build_index(own.archive, folder, FakeModel())
    vectors = folder / "generations" / open_fake(folder).generation / "vectors.faiss"
    vectors.chmod(0o600)
    vectors.write_bytes(b"damaged")
    reader = Reader(own.archive.parent)
    for values in ({}, {"q": "ships"}):
        (note,) = reader.open("wire/ships.txt", **values).told
        assert "damaged" in note
        assert "warraq build" in note


class Press(Reader):
    """Someone who reads lists of the archive `press` as well."""

    def listed(self, **parameters):
        """Return every link of a list to an article with the words that are marked at it, page for page."""
        address, links = f"/?{urlencode(parameters)}", []
        while address:
            page = self.get(address)
            for link in page.main.all("a"):
                if not link["href"].startswith("/documents/"):
                    continue
                around = next(
                    ancestor for ancestor in link.within if ancestor.get("class") in ("another", "hit")
                )
                text = around.all("p", class_="text")[0]
                copy = link.parent.get("class") == "provenance" and around["class"] == "hit"
                links.append((link["href"], None if copy else text, page))
            address = next((item["href"] for item in page.main.all("a", rel="next")), None)
        return links


@pytest.mark.parametrize(
    "parameters",
    [{"q": "the council of the city this spring"}, {"q": "the council of the city this spring", "sort": "date"},
     {"q": "مجلس المدينة", "limit": "50"}, {"q": "dams of the northern valleys", "copies": "all", "sort": "date"},
     {"q": "harbour", "mode": "lexical"}, {"q": "port", "source": "wire", "from": "2024-01-01"}],
)  # fmt: skip
def test_every_hit_of_a_list_is_a_match_of_its_article(press, parameters):
    reader = Press(press)
    links = reader.listed(**parameters)
    assert links if "mode" in parameters or "source" in parameters else len(links) > MATCHES
    lists = lru_cache(lambda address: reader.get(address).one("ol", class_="hits").text)
    for address, text, listed in links:
        page = reader.get(address)
        nav = page.one("nav", class_="matches")
        number, total = map(int, re.search(r"Match (\d+) of (\d+)", nav.text).groups())
        assert 1 <= number <= total
        assert (number == 1) == (nav.all("a", rel="prev") == [])
        assert (number == total) == (nav.all("a", rel="next") == [])
        number = int(urlsplit(address).fragment[1:])
        shown = page.passages()[number]
        if text is not None:
            assert page.marked == text.text
            words = [item.text for item in shown.all("mark", class_="word")]
            assert words == [mark.text for mark in text.all("mark")]
        back = urldefrag(page.link(class_="back")).url
        assert lists(back) == listed.one("ol", class_="hits").text


def test_candidates_exceed_the_match_limit(press):
    assert open_fake(press / "index").search(SearchRequest("council", copies="all")).total > MATCHES


def test_results_link_returns_to_the_same_page_of_the_list(reader):
    parameters = {"q": "ships with grain", "limit": "2", "copies": "all", "offset": "2", "sort": "date"}
    page = reader.get(f"/?{urlencode(parameters)}")
    (link, *_) = [entry["href"] for entry in page.main.all("a") if entry.parent.tag == "h2"]
    (item, *_) = [hit["id"] for hit in page.all("div", class_="listed")]
    opened = reader.get(link)
    assert urlsplit(opened.link(class_="back")).fragment == item
    for _ in range(2):
        back = urlsplit(opened.link(class_="back"))
        assert parse_qs(back.query) == {name: [value] for name, value in parameters.items()}
        assert re.fullmatch("hit-[0-9a-f]{12}", back.fragment)
        further = [element["href"] for rel in ("next", "prev") for element in opened.main.all("a", rel=rel)]
        opened = reader.get(further[0])


def test_a_search_on_the_page_of_an_article_is_counted(reader):
    def searches():
        metrics = reader._client.get("/metrics").get_data(as_text=True)
        return float(re.search(r"^warraq_search_duration_seconds_count (\S+)$", metrics, re.MULTILINE)[1])

    before = searches()
    reader.open("wire/ships.txt", q="grain")
    assert searches() == before + 1
    reader.open("wire/ships.txt")
    reader.open("wire/ships.txt", q=" ")
    assert searches() == before + 1
