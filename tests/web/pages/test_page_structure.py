"""Landmarks, headings and links of every page."""

from itertools import pairwise

import pytest

from tests.support.search_pages import client_of


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 200),
        ("/?q=winter", 200),
        ("/similar?doc_id=talks.txt&passage=1", 200),
        ("/?q=", 400),
        ("/nothing", 404),
        ("/?q=winter&offset=99", 200),
    ],
)
def test_page_has_landmarks_and_ordered_headings(read, address, status):
    page = read(address, status)
    skip = page.all("a")[0]
    assert (skip["href"], page.one("main")["id"]) == ("#main", "main")
    # Where results are announced stays in its place when they are changed.
    live = page.one("p", id="said")
    assert live["role"] == "status"
    assert page.one("main") not in live.within
    assert "hidden" in page.one("p", id="keys").attributes  # until there is a script that they work with
    links = [
        link["href"]
        for link in next(footer for footer in page.all("footer") if footer.parent.tag == "body").all("a")
    ]
    assert links == ["/articles", "/sources", "/docs"]
    ids = [element["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for label in page.all("label", **{}):
        assert "for" not in label.attributes or label["for"] in ids
    levels = [int(item.tag[1]) for item in page.elements if item.tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_link_of_a_page_works(get, index):
    page = get("/?q=Geneva")
    client = client_of(index)
    places = [link["href"] for link in page.all("link")] + [script["src"] for script in page.all("script")]
    places += [item["href"] for item in page.all("a") if not item["href"].startswith("#")]
    assert len(places) > 10
    for place in places:
        response = client.get(place, buffered=True)
        assert response.status_code == 200, place
