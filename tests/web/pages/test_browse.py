"""The lists of articles and of sources: pages that fit together, a histogram that filters, and their API."""

import re
from datetime import date

import pytest

from indexer.datatypes import BrowseResult, Count
from indexer.request import BrowseRequest
from tests.support.archives import DAYS, SOURCES
from tests.support.html_checks import page_of
from tests.support.search_pages import query_of
from web.pages.browse import HEIGHT, MONTHS, WIDTH, histogram

API = "/api/v1/documents"


def entries(page):
    return [item.all("a", class_="title")[0] for item in page.one("ul", class_="entries").all("li")]


def titles_of(page):
    return [link.words for link in entries(page)]


@pytest.mark.parametrize("order", ["date", "title", "source"])
def test_pages_of_articles_follow_each_other_and_hold_what_the_api_lists(read, newsroom, order):
    whole = newsroom.get(f"{API}?limit=100&order={order}").get_json()
    assert whole["next"] is None
    assert len(whole["documents"]) == whole["total"] > 10
    listed, address = [], f"/articles?order={order}&limit=4"
    while address:
        page = read(address)
        assert page.one("h1").words == f"{whole['total']} articles"
        listed += titles_of(page)
        following = [link["href"] for link in page.all("a") if link.attributes.get("rel") == "next"]
        address = following[0] if following else None
    assert listed == [each["title"] for each in whole["documents"]]
    listed, address = [], f"{API}?order={order}&limit=5"
    while address:
        answer = newsroom.get(address).get_json()
        listed += answer["documents"]
        address = answer["next"]
    assert listed == whole["documents"]
    keys = {
        "date": lambda each: each["published"] or "",
        "title": lambda each: each["title"],
        "source": lambda each: each["source"],
    }
    values = [keys[order](each) for each in listed]
    assert values == sorted(values, reverse=order == "date")


def test_filters_of_articles_are_chips_and_facets_with_true_numbers(read, newsroom):
    page = read("/articles?source=wire")
    whole = newsroom.get(f"{API}?source=wire").get_json()
    assert {each["source"] for each in whole["documents"]} == {"wire"}
    (chip,) = page.all("a", class_="chip")
    assert query_of(chip["href"]) == {}
    for name, counts in whole["facets"].items():
        for each in counts:
            if each["value"]:
                days = f"from={each['value']}-01-01&to={each['value']}-12-31"
                choice = days if name == "year" else f"{name}={each['value']}"
                chosen = newsroom.get(f"{API}?source=wire&{choice}".replace("source=wire&source", "source"))
                assert chosen.get_json()["total"] == each["count"]
    none = read("/articles?source=nobody")
    assert "No article passes these filters." in none.one("main").words
    assert "No article is of the source" in none.one("main").words


def test_bar_of_the_histogram_leads_to_the_articles_of_its_month(read, newsroom):
    page = read("/articles")
    figure = page.one("figure", class_="histogram")
    bars = [link for link in figure.all("a") if link.all("rect")]
    rows = [row for row in figure.all("tr") if row.all("td")]
    assert len(bars) == len(rows) == len({day[:7] for day in DAYS if day})
    for bar, row in zip(bars, rows, strict=True):
        count = int(row.one("td").text)
        assert bar["href"] == row.one("a")["href"]
        assert bar["aria-label"] == f"{row.one('a').text}: {count}"
        days = query_of(bar["href"])
        first, last = date.fromisoformat(days["from"]), date.fromisoformat(days["to"])
        assert (first.day, last.month) == (1, first.month)
        assert newsroom.get(f"{API}?from={first}&to={last}").get_json()["total"] == count
        assert read(bar["href"]).one("h1").words == f"{count} article{'s' * (count > 1)}"


def result(months):
    return BrowseResult(
        BrowseRequest(lang="ar"), "g", 9, (), None, {}, tuple(Count(*each) for each in months)
    )


def test_histogram_is_true_to_time_and_to_numbers(newsroom):
    with newsroom.application.test_request_context():
        bars = histogram(result([("2024-11", 4), ("2025-02", 1)]))
        assert [(bar.label, bar.articles, bar.height) for bar in bars] == [
            ("November 2024", 4, HEIGHT), ("December 2024", 0, 0), ("January 2025", 0, 0), ("February 2025", 1, HEIGHT / 4),
        ]  # fmt: skip
        assert [bar.x for bar in bars] == [0, WIDTH / 4, WIDTH / 2, WIDTH * 3 / 4]
        assert query_of(bars[3].address) == {"lang": "ar", "from": "2025-02-01", "to": "2025-02-28"}
        assert histogram(result([])) == histogram(result([("2025-02", 1)])) == []
        years = histogram(result([("2010-01", 1), (f"{2010 + MONTHS // 12}-01", 2)]))
        assert [(bar.label, bar.articles) for bar in years][:: len(years) - 1] == [("2010", 1), ("2014", 2)]
        assert len(histogram(result([("0001-01", 1), ("9999-12", 1)]))) == 2


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_sources_lead_to_their_articles(newsroom, lang):
    page = page_of(newsroom, "/sources", lang=lang, **{"Accept-Language": lang})
    answer = newsroom.get("/api/v1/sources").get_json()["sources"]
    rows = [row for row in page.all("tr") if row.all("td")]
    unknown = {"en": "No source", "ar": "بلا مصدر"}[lang]
    assert [row.one("th").words for row in rows] == [each["name"] or unknown for each in answer]
    assert {each["name"] for each in answer} >= set(SOURCES)
    for row, each in zip(rows, answer, strict=True):
        if each["name"]:
            assert query_of(row.one("th").one("a")["href"]) == {"source": each["name"]}
        assert [day["datetime"] for day in row.all("time")] == [
            day for day in (each["first"], each["last"]) if day
        ]


def test_home_has_the_newest_articles_and_ways_to_all(read, newsroom):
    page = read("/")
    newest = newsroom.get(f"{API}?limit=5").get_json()["documents"]
    assert titles_of(page) == [each["title"] for each in newest]
    assert {"/articles", "/sources"} <= {link["href"] for link in page.all("a")}


def test_article_leads_to_its_neighbours_in_the_source(read, newsroom):
    listed = newsroom.get(f"{API}?source=wire&limit=100").get_json()["documents"]
    for place, each in enumerate(listed):
        around = [
            listed[place - 1] if place else None,
            listed[place + 1] if place + 1 < len(listed) else None,
        ]
        page = read(re.sub("#.*", "", each["url"]))
        shown = [link["href"] for link in page.one("nav", class_="neighbours").all("a", class_="title")]
        assert shown == [other["url"] for other in around if other]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("?order=best", "bad_order"), ("?after=x", "bad_after"), ("?after=%C3%BC", "bad_after"), ("?limit=0", "bad_limit"),
        ("?from=2025-02-30", "bad_from"), ("?from=2025-02-02&to=2025-01-01", "bad_from"), ("?lang=Arabic", "bad_lang"),
    ],
)  # fmt: skip
def test_illegal_lists_are_refused(newsroom, read, address, code):
    response = newsroom.get(API + address)
    assert (response.status_code, response.get_json()["code"]) == (400, code)
    read(f"/articles{address}", status=400)


def test_cursor_of_one_order_is_no_cursor_of_another(newsroom):
    cursor = newsroom.get(f"{API}?limit=2").get_json()["next"].partition("after=")[2]
    assert newsroom.get(f"{API}?order=title&after={cursor}").get_json()["code"] == "bad_after"
