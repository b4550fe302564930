"""Pages for requests that fail, and for an index that is absent or loading."""

import re
from urllib.parse import urlencode

import pytest

from indexer import build_index
from tests.support.fakes import open_fake
from tests.support.html_checks import page_of
from tests.support.search_pages import client_of, items_of, query_of, search_url
from web import SearchService, create_app


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"q": ""}, "empty"), ({"q": "x" * 1_001}, "1,001"), ({"q": "<b>", "limit": "-1"}, "from 1 to 100 hits"),
     ({"q": "سؤال", "mode": "<i>"}, "way of searching"), ({"q": "x", "offset": "٣"}, "place"), ({"q": "x", "lang": "Arabic"}, "language"),
     ({"q": "x", "sort": "newest"}, "order"), ({"q": "x", "from": "yesterday"}, "The start date cannot be understood."),
     ({"q": "x", "to": "2025-02-30"}, "The end date cannot be understood."),
     ({"q": "x", "copies": "few"}, "Repeats"), ({"q": "x", "highlight": "1"}, "Words that match")],
)  # fmt: skip
def test_invalid_question_is_a_400_page_with_reason_and_question(get, values, reason):
    page = get(f"/?{urlencode(values)}", 400)
    message = page.one("section", class_="plain").all("p")[0].text
    assert reason in message
    assert not set(re.findall("[a-z]+", message)) & ({*values, "parameter"} - {"q", "from", "highlight"})
    assert page.one("input", id="q")["value"] == values["q"]
    assert page.all("b") == page.all("i") == []


FILTERS = {"lang": "en", "source": "<wire>", "sort": "date", "limit": "5"}


@pytest.mark.parametrize(
    ("days", "message", "shown"),
    [
        (("2025-03-02", "2025-03-01"), "The start date is after the end date.", ("2025-03-02", "2025-03-01")),
        (("tomorrow", "2025-03-01"), "The start date cannot be understood.", ("", "2025-03-01")),
        (("20250302", "2025-03-01"), "The start date cannot be understood.", ("", "2025-03-01")),
        (("2025-03-02", "2025-13-01"), "The end date cannot be understood.", ("2025-03-02", "")),
    ],
)
@pytest.mark.parametrize("of", [{"q": "winter <rain>"}, {"doc_id": "talks.txt", "passage": "1"}])
def test_invalid_days_are_corrected_on_the_error_page(read, of, days, message, shown):
    values = {
        **of,
        **FILTERS,
        "from": days[0],
        "to": days[1],
        "offset": "10",
        "generation": "older",
        "utm": "x",
    }
    path = "/similar" if "passage" in of else "/"
    page = read(f"{path}?{urlencode(values)}", 400)
    assert page.one("main").all("p")[0].text == message
    form = page.one("main").one("form")
    assert form["action"] == path
    assert not any(ancestor.tag == "details" for ancestor in form.within)
    dates = form.all("input", type="date")
    assert [(date_field["name"], date_field["value"]) for date_field in dates] == list(
        zip(("from", "to"), shown, strict=True)
    )
    assert {entry["name"]: entry["value"] for entry in form.all("input", type="hidden")} == {**of, **FILTERS}
    box = page.one("form", role="search")
    assert box.one("input", id="q")["value"] == of.get("q", "")
    assert {field["name"]: field["value"] for field in box.all("input", type="hidden")} == FILTERS
    # Sent again with the days the other way round, it is a list.
    mended = {item["name"]: item["value"] for item in form.all("input", type="hidden")}
    read(f"{path}?{urlencode({**mended, 'from': '2025-03-01', 'to': '2025-03-02'})}")


def test_refused_request_keeps_its_valid_parameters(read):
    page = read(f"/?{urlencode({'q': 'x' * 3_000, **FILTERS, 'offset': '10'})}", 400)
    box = page.one("form", role="search")
    assert box.one("input", id="q")["value"] == "x" * 3_000
    assert {field["name"]: field["value"] for field in box.all("input", type="hidden")} == FILTERS
    page = read(f"/?{urlencode({'q': 'x', **FILTERS, 'limit': '0'})}", 400)
    kept = {item["name"] for item in page.one("form", role="search").all("input", type="hidden")}
    assert kept == FILTERS.keys() - {"limit"}
    assert page.one("main").all("form") == []


def test_pages_ignore_parameters_that_they_do_not_know(get):
    assert len(items_of(get("/?q=Geneva&utm_source=x&colour=y&="))) == 4
    get("/?utm_source=x")
    get("/similar?doc_id=talks.txt&passage=1&utm_source=x")


def test_a_list_of_another_generation_is_409_and_leads_to_the_new_one(get):
    page = get(search_url(q="<x>", lang="en", generation="older", offset=10), 409)
    assert page.one("main").all("p")[0].text == "The index has changed since this list was made."
    (link,) = page.one("main").all("a")
    assert query_of(link["href"]) == {"q": "<x>", "lang": "en"}
    assert get(link["href"])


@pytest.mark.parametrize("address", ["/nothing", "/nothing/at/all", "/<b>", "/similar/"])
def test_unknown_address_is_a_404_page(get, address):
    page = get(address, 404)
    assert "Not found" in page.one("main").text
    assert page.all("b") == []


def test_other_methods_are_refused(get, index):
    client = client_of(index)
    for address in ("/", "/similar"):
        response = client.post(address)
        assert response.status_code == 405
        assert "GET" in response.headers["Allow"]
    assert client.head("/").status_code == 200
    assert client.get("/settings").status_code == 405


@pytest.mark.parametrize("address", ["/", "/?q=Geneva", "/similar?doc_id=a&passage=1"])
def test_pages_without_an_index_are_503_with_the_build_command(index, address):
    service = SearchService(index, None, open_fake)
    service._refresh()
    client = create_app(service).test_client()
    page = page_of(client, address, 503)
    assert page.one("h1").text == "There is nothing to search yet"
    (command,) = page.one("main").all("code")
    assert command.text == f"warraq build --archive DIR --index {index}"
    assert int(client.get(address).headers["Retry-After"]) > 0


def test_page_reloads_by_itself_while_loading(archive, index, model):
    build_index(archive, index, model)
    service = SearchService(index, None, open_fake)
    client = create_app(service).test_client()
    with service._opening:  # another thread is opening it
        page = page_of(client, "/?q=Geneva", 503)
    # By its script, which says so; without one there is a link.
    assert not [meta for meta in page.all("meta") if "http-equiv" in meta.attributes]
    again = next(span for span in page.all("span") if "data-again" in span.attributes)
    assert (again["data-again"], again.text) == ("3", "This page asks again by itself.")
    assert "hidden" in again.attributes
    (link,) = page.one("main").all("a")
    assert (link.text, link["href"]) == ("Try again", "/?q=Geneva")
    assert page.one("input", id="q")["value"] == "Geneva"
    assert items_of(page_of(client, "/?q=Geneva"))
