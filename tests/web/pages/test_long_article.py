"""A very long article is shown in parts round the passage that the address names, with the way to the rest."""

import re

import pytest

from indexer import build_index
from tests.support.fakes import FakeModel
from tests.support.html_checks import page_of
from tests.support.search_pages import client_of
from web.pages.article import SHOWN

PASSAGES = 5 * SHOWN


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    (folder / "archive").mkdir()
    lines = (
        f"Entry {number} of the log says that the ship lay in the harbour."
        for number in range(1, PASSAGES + 1)
    )
    (folder / "archive" / "log.txt").write_text("The log of the harbour\n\n" + "\n\n".join(lines) + "\n")
    build_index(folder / "archive", folder / "index", FakeModel())
    return client_of(folder / "index")


def entries(page):
    return [
        int(re.search("Entry ([0-9]+)", passage.text)[1]) for passage in page.all("div", class_="passage")
    ]


def parts_of(page):
    return {link.text: link["href"] for link in page.all("nav", class_="parts")[0].all("a")}


def test_first_part_is_shown_and_every_passage_is_reached_from_it(client):
    page = page_of(client, "/documents/log.txt")
    assert entries(page) == list(range(1, SHOWN))  # the title is a line too
    assert f"Passages 1 to {SHOWN - 1} of {PASSAGES:,}" in page.one("article").text
    seen, address = set(), "/documents/log.txt"
    while address:
        page = page_of(client, address)
        seen.update(entries(page))
        address = parts_of(page).get("Later part")
    assert seen == set(range(1, PASSAGES + 1))
    assert "Earlier part" in parts_of(page)


def test_part_holds_the_passage_that_the_address_names_in_its_middle(client):
    found = page_of(client, "/?q=entry+700&mode=lexical&limit=1&lang=en")
    address = next(link["href"] for link in found.all("a") if "start=" in (link.get("href") or ""))
    page = page_of(client, address)
    (marked,) = page.all("mark", class_="here")
    assert "Entry 700 " in marked.text
    numbers = entries(page)
    assert len(numbers) in (SHOWN - 1, SHOWN)
    assert numbers[0] < 700 - SHOWN // 3 < 700 + SHOWN // 3 < numbers[-1]


@pytest.mark.parametrize("at", ["", "x", "-1", "٣", "9" * 12])
def test_place_that_is_none_shows_the_beginning(client, at):
    assert entries(page_of(client, f"/documents/log.txt?at={at}"))[0] == 1


def test_place_after_the_end_shows_the_end(client):
    assert entries(page_of(client, "/documents/log.txt?at=99999999"))[-1] == PASSAGES
