"""Feeds as feed readers see them: valid, the newest first, and each entry once whatever is built anew."""

import xml.etree.ElementTree as ET
from urllib.parse import quote, unquote_plus

import feedparser
import pytest

from indexer import build_index
from tests.support.fakes import FakeModel
from tests.support.html_checks import page_of
from tests.support.search_pages import client_of

ATOM = "{http://www.w3.org/2005/Atom}"


def parsed(client, address, **headers):
    response = client.get(address, headers=headers)
    assert (response.status_code, response.mimetype) == (200, "application/atom+xml")
    found = feedparser.parse(response.get_data())
    assert (found.bozo, found.version) == (False, "atom10")
    # What RFC 4287 wants, and feedparser forgives.
    feed = ET.fromstring(response.get_data())
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(ATOM + name)) == 1
            assert element.find(ATOM + name).text
    assert feed.findall(f"{ATOM}author/{ATOM}name")
    ids = [entry.id for entry in found.entries]
    assert len(set(ids)) == len(ids)
    assert all(entry.link.startswith("http://localhost/documents/") for entry in found.entries)
    return found


@pytest.mark.parametrize(
    "address",
    ["/?q=winter&format=atom", "/?q=winter&lang=ar&source=" + quote("صحيفة المرفأ") + "&format=atom", "/articles?format=atom",
     "/articles?source=wire&order=title&format=atom", "/similar?doc_id=talks.txt&passage=1&format=atom",
     "/?q=%22no+such+words%22&format=atom"],
)  # fmt: skip
def test_feeds_are_valid_and_the_newest_comes_first(newsroom, address):
    found = parsed(newsroom, address)
    dated = [entry.updated for entry in found.entries if entry.updated.endswith("T00:00:00Z")]
    assert dated == sorted(dated, reverse=True)
    assert all(entry.updated == found.entries[-1].updated for entry in found.entries[len(dated) :])
    assert unquote_plus(found.feed.links[0].href) == f"http://localhost{unquote_plus(address)}"


def test_entries_are_the_passages_of_a_list_with_their_words(newsroom):
    entries = parsed(newsroom, "/?q=winter&lang=en&format=atom").entries
    hits = newsroom.get("/api/v1/search?q=winter&lang=en&sort=date&limit=50").get_json()["hits"]
    assert [entry.content[0].value for entry in entries] == [
        hit["text"].replace("\x1b", "\ufffd")
        for hit in hits  # XML has no such control
    ]
    for entry, hit in zip(entries, hits, strict=True):
        assert entry.updated.startswith(hit["source"]["published"] or "20")
    page = page_of(newsroom, entries[0].link.removeprefix("http://localhost"))
    assert page.one("mark", class_="here")


def test_what_is_new_stands_in_a_feed_once_whatever_is_built(tmp_path):
    archive, index = tmp_path / "archive", tmp_path / "index"
    archive.mkdir()
    (archive / "a.txt").write_text("Talks on grain\n\nEnvoys met about grain in Geneva.\n", "utf-8")

    def ids():
        return {
            address: [entry.id for entry in parsed(client_of(index), address).entries]
            for address in ("/?q=grain&format=atom", "/articles?format=atom")
        }

    build_index(archive, index, FakeModel())
    first = ids()
    build_index(archive, index, FakeModel(), rebuild=True)
    assert ids() == first
    (archive / "b.txt").write_text("More grain\n\nThe grain left the ports.\x0b\ufffe\n", "utf-8")
    build_index(archive, index, FakeModel())
    for address, known in first.items():
        assert set(ids()[address]) > set(known)


def test_feed_is_told_unchanged_and_each_list_names_its_own(newsroom, read):
    response = newsroom.get("/articles?format=atom")
    again = newsroom.get("/articles?format=atom", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    for address in ("/?q=winter&lang=ar", "/articles?source=wire"):
        page = read(address)
        (link,) = [each for each in page.all("link") if each.attributes.get("type") == "application/atom+xml"]
        assert link["href"] == f"{address}&format=atom"
        assert parsed(newsroom, link["href"]).entries
    assert newsroom.get("/?q=&format=atom").status_code == 400
