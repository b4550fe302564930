"""Pages of an empty result, and notices about filters, the model and damage."""

import re
from collections import Counter

import pytest

from indexer import Searcher, build_index
from indexer.datatypes import Notice, Offer
from indexer.retrieval.silence import Judgement, all_found
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import open_fake
from tests.support.html_checks import page_of
from tests.support.search_pages import client_of, items_of, query_of, search_url, title_links


def test_empty_result_shows_the_question_and_suggestions(read):
    page = read(search_url(q="<unheard>", mode="lexical", lang="ar", source="wire", to="2024-12-31"))
    assert page.one("h1").words == "Nothing was found for <unheard>"
    assert items_of(page) == []
    words = page.one("main").words
    assert "Only a part of the archive was searched." in words
    section = page.one("section", class_="plain")
    links = {link.text: query_of(link["href"]) for link in section.all("a")}
    whole = {"q": "<unheard>", "mode": "lexical", "lang": "ar", "source": "wire", "to": "2024-12-31"}

    def without(*names):
        return {name: value for name, value in whole.items() if name not in names}

    assert links == {
        "search in every language": without("lang"),
        "search in every source": without("source"),
        "search whatever the date": without("to"),
        "search by meaning and by words": without("mode"),
        "search everything": {"q": "<unheard>"},
    }
    assert len(page.all("a", class_="chip")) == 4


def test_empty_result_without_filters_does_not_mention_filters(read):
    page = read(search_url(q="unheard", mode="lexical"))
    assert "Only a part" not in page.one("main").text
    assert "whole question" in page.one("main").text


def test_undated_articles_excluded_by_a_filter_are_reported(read, newsroom):
    page = read(search_url(q="winter", from_="2024-01-01"))
    (note,) = page.all("p", class_="note")
    warnings = newsroom.get(search_url("/api/v1/search", q="winter", from_="2024-01-01")).get_json()[
        "warnings"
    ]
    assert [note.text.strip()] == warnings
    assert "without a date" in note.text
    assert note.parent["role"] == "note"
    assert read(search_url(q="winter")).all("p", class_="note") == []
    nothing = read(search_url(q="winter", to="2019-12-31"))
    assert "without a date were left out" in nothing.one("main").text
    assert "Nothing was found" in nothing.one("h1").text


@pytest.mark.parametrize(
    ("values", "template"),
    [({}, "The 43 passages nearest to"), ({"mode": "dense"}, "The 43 passages nearest to"),
     ({"mode": "lexical"}, "6 hits for"), ({"limit": "1"}, "The 43 passages nearest to")],
)  # fmt: skip
def test_heading_says_hits_only_in_lexical_mode(read, newsroom, values, template):
    """By meaning every passage has its place, the last one too: no list is a claim that there is an answer."""
    count = newsroom.get(search_url("/api/v1/search", q="winter rain", **values)).get_json()["total"]
    heading = read(search_url(q="winter rain", **values)).one("h1").words
    assert heading == f"{re.sub('[0-9]+', str(count), template)} winter rain"


def test_days_of_an_empty_result_can_be_edited_in_place(read):
    page = read(search_url(q="winter", from_="1901-03-03", to="1901-03-04", lang="en"))
    assert "Nothing was found" in page.one("h1").text
    form = page.one("form", class_="days")
    values = {field["name"]: field["value"] for field in form.all("input")}
    assert values == {"q": "winter", "lang": "en", "from": "1901-03-03", "to": "1901-03-04"}
    assert read(search_url(q="<unheard>", mode="lexical", lang="ar")).all("form", class_="days") == []


def test_title_has_its_own_direction_whatever_the_article(tmp_path, index, model):
    english = (
        "The launch was watched by {} million people from San Francisco and the whole Bay Area that night."
    )
    texts = {
        "mostly.txt": f"شركة تطلق نموذجا جديدا\n\n{english.format('two')}\n\n{english.format('six')}\n",
        "english.txt": f"A launch in spring\n\n{english.format('three')}\n",
        "digits.txt": f"2024\n\n{english.format('four')}\n",
        "turned.txt": f"A \u202elaunch\x07\n\n{english.format('five')}\n",
    }
    (tmp_path / "articles").mkdir()
    for name, text in texts.items():
        (tmp_path / "articles" / name).write_text(text, "utf-8")
    build_index(tmp_path / "articles", index, model)
    client = client_of(index)
    titles = {
        link.text: (link.parent["lang"], link.parent["dir"])
        for link in title_links(page_of(client, search_url(q="launch")))
    }
    assert titles == {
        "شركة تطلق نموذجا جديدا": ("ar", "rtl"), "A launch in spring": ("en", "ltr"), "2024": ("en", "ltr"),
        "A launch\ufffd": ("en", "ltr"),
    }  # fmt: skip
    for name, title in (("mostly.txt", "شركة تطلق نموذجا جديدا"), ("turned.txt", "A launch\ufffd")):
        heading = page_of(client, f"/documents/{name}").one("h1")
        assert (heading.text, heading["lang"], heading["dir"]) == (title, *titles[title])
    assert page_of(client, "/documents/mostly.txt").one("div", class_="words")["dir"] == "ltr"


def test_model_failure_is_reported(press):
    def open_without(index, model, before):
        return Searcher(GenerationReader.open(IndexFolder(index)), None)

    page = page_of(client_of(press / "index", open_without), search_url(q="winter"))
    assert "found by their words alone" in page.one("p", class_="note").text
    assert re.match("[0-9]+ hits for winter", page.one("h1").words)
    assert items_of(page)


def test_damage_is_reported_on_every_page_with_the_remedy(archive, index, model):
    build_index(archive, index, model)
    damage = Notice(
        "damage", f"The index in {index} is damaged: <b>.", remedy=f"warraq build --rebuild --index {index}"
    )

    def open_damaged(*_):
        searcher = open_fake(index, None, None)
        searcher.store.damage = damage
        return searcher

    client = client_of(index, open_damaged)
    for address in ("/", search_url(q="Geneva")):
        page = page_of(client, address)
        note = page.one("p", class_="note")
        assert f"The index in {index} is damaged: <b>." in note.text
        assert note.all("code")[0].text == f"warraq build --rebuild --index {index}"
        assert note.all("code")[0]["dir"] == "ltr"


def test_empty_index_is_reported(tmp_path, index, model):
    (tmp_path / "none").mkdir()
    build_index(tmp_path / "none", index, model)
    client = client_of(index)
    for address in ("/", "/?q=x"):
        page = page_of(client, address)
        assert "The archive is empty" in page.one("main").text
        assert page.one("main").all("code")[0].text == "warraq info"
    assert "Nothing was found" in page.one("h1").text


def test_what_a_question_says_stands_above_the_list_and_can_be_taken_off(read):
    page = read(search_url(q='winter -"no such words" source:none'))
    chips = page.all("a", class_="chip")
    assert [chip.words for chip in chips] == [
        "Take away the filter Not exactly: no such words ×", "Take away the filter Source: none ×",
    ]  # fmt: skip
    without_phrase, without_source = (query_of(chip["href"])["q"] for chip in chips)
    assert (without_phrase, without_source) == ("winter source:none", 'winter -"no such words"')
    assert "Nothing was found" in page.one("h1").text
    assert "search without \u2068source:none\u2069" in page.one("main").text
    assert "Only a part of the archive was searched" in page.one("main").text
    everything = next(link["href"] for link in page.all("a") if link.text == "search everything")
    assert query_of(everything) == {"q": "winter"}


def test_a_question_that_only_excludes_is_refused_in_one_line(read):
    page = read(search_url(q="-winter"), status=400)
    assert "only says what to leave out" in page.one("main").text


@pytest.mark.parametrize(
    ("answerable", "heading", "told"),
    [
        ("no", "Nothing here seems to answer winter", "only what is nearest to it"),
        ("unsure", "25 passages found for winter", "It is not certain that these passages answer"),
        ("yes", "25 passages found for winter", None), (None, "The 25 passages nearest to winter", None),
    ],
)  # fmt: skip
def test_list_that_seems_to_answer_nothing_says_so_and_stays(read, monkeypatch, answerable, heading, told):
    everything = [item.words for item in items_of(read(search_url(q="winter")))]
    monkeypatch.setattr(
        Searcher, "_judge", lambda _self, pool, _query: all_found(pool.candidates, None, answerable)
    )
    page = read(search_url(q="winter"))
    assert heading in page.one("h1").words
    assert [item.words for item in items_of(page)] == everything
    assert ("pale" in page.one("ol")["class"]) == (answerable == "no")
    said = "It is not certain" in page.one("main").text or "only what is nearest" in page.one("main").text
    assert said == (told is not None)
    assert told is None or told in page.one("main").text


def test_list_counts_what_is_found_and_goes_on_pale(read, newsroom, monkeypatch):
    everything = newsroom.get(search_url("/api/v1/search", q="winter")).get_json()
    found = [hit["source"] for hit in everything["hits"]][1:3]
    ids = frozenset(f"{source['doc_id']}#{source['passage']}" for source in found)
    for complete, heading in ((True, "2 passages found for winter"), (False, "At least 2 passages found")):
        judgement = Judgement("yes", ids, complete)
        monkeypatch.setattr(Searcher, "_judge", lambda *_, judgement=judgement: judgement)
        answer = newsroom.get(search_url("/api/v1/search", q="winter")).get_json()
        assert (answer["total"], answer["listed"]) == (2, everything["total"])
        assert answer["total_is"] == ("exact" if complete else "at_least")
        assert [hit["found"] for hit in answer["hits"]][:4] == [False, True, True, False]
        assert {each["value"]: each["count"] for each in answer["facets"]["lang"]} == Counter(
            hit["lang"] for hit in answer["hits"] if hit["found"]
        )
        page = read(search_url(q="winter"))
        assert page.one("h1").words.startswith(heading)
        assert f"of {everything['total']}" in page.one("p", class_="count").words
        listed = page.one("ol", class_="hits").all("li")
        pale = [item for item in listed if item.attributes.get("class") == "pale"]
        assert 0 < len(pale) < len(listed)
        narrow = page.one("section", class_="narrow")
        assert bool(narrow.all("span", class_="n")) == complete


def test_what_is_near_by_chance_comes_last_in_order_of_date(newsroom, monkeypatch):
    def ask():
        return newsroom.get(search_url("/api/v1/search", q="winter", sort="date", limit=50)).get_json()[
            "hits"
        ]

    by_date = [hit["source"] for hit in ask()]
    oldest = f"{by_date[-1]['doc_id']}#{by_date[-1]['passage']}"
    monkeypatch.setattr(Searcher, "_judge", lambda *_: Judgement("yes", frozenset({oldest}), True))
    assert [hit["source"] for hit in ask()] == [by_date[-1], *by_date[:-1]]


@pytest.mark.parametrize("kind", ["spelling", "keyboard"])
def test_what_may_have_been_meant_is_a_link_to_its_list(read, monkeypatch, kind):
    monkeypatch.setattr("indexer.retrieval.searcher.offers", lambda *_: (Offer(kind, 'winter "dams"'),))
    page = read(search_url(q="wimter", lang="en"))
    link = page.one("p", class_="offer").one("a")
    assert link.text == 'winter "dams"'
    assert query_of(link["href"]) == {"q": 'winter "dams"', "lang": "en"}
    asks = {"spelling": "Did you mean", "keyboard": "Typed with the other keyboard?"}
    assert page.one("p", class_="offer").words.startswith(asks[kind])
