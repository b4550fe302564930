"""The cut lines of an article, with rule and reason."""

import json
import shutil
from pathlib import Path

import pytest

from indexer import build_index
from tests.support.article_pages import Reader
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app

REPEATED = "The harbour master writes every Thursday"
OFFERED = "Subscribe to our newsletter <script>alert(1)</script> & <b>now</b> {{ 7*7 }}"


def write_voyages(folder: Path) -> Path:
    """An archive with boilerplate in it, some of it hostile, and its index."""
    (folder / "archive" / "wire").mkdir(parents=True)
    for number in range(5):
        body = f"Ship number {number} left the port on day {number} with <i>grain</i> for {number} thousand people."
        text = "\n".join([f"Voyage {number}", OFFERED, body, REPEATED, "جار التحميل"])
        (folder / "archive" / "wire" / f"v{number}.txt").write_text(text, "utf-8")
    record = {"id": "x", "text": f"{REPEATED}, as <b>he</b> says.\nShare"}
    (folder / "archive" / "feed.jsonl").write_text(json.dumps(record) + "\n")
    build_index(folder / "archive", folder / "index", FakeModel())
    return folder


@pytest.fixture
def voyages(tmp_path):
    return Reader(write_voyages(tmp_path / "voyages"))


def cut_of(page):
    """What a page shows as cut: number, rule and reason, and the line itself where it is shown."""
    details = page.one("details", id="cut")
    return details, [
        (
            int(item["value"]),
            [span.text for span in item.all("span")],
            [paragraph.text for paragraph in item.all("p")],
        )
        for item in details.all("li")
        if "value" in item.attributes
    ]


def test_cut_lines_are_shown_with_rule_and_reason(voyages):
    page = voyages.open("wire/v2.txt")
    details, lines = cut_of(page)
    assert "What was cut: 3 lines" in details.text
    assert "cannot be shown" not in details.text
    assert "open" not in details.attributes
    assert lines == [
        (2, ["subscribe", "a newsletter, channel, app or subscription that is offered"], [OFFERED]),
        (4, ["repeated", "it stands in 5 articles of this source"], [REPEATED]),
        (5, ["loading", "what a page shows while it loads"], ["جار التحميل"]),
    ]
    assert {paragraph["dir"] for paragraph in details.all("p")} == {"auto"}
    assert page.all("b") == page.all("i") == []
    words = page.one("div", class_="words").text
    assert "<i>grain</i>" in words
    assert REPEATED not in words
    assert "Subscribe" not in words


def test_cut_lines_of_a_record_are_numbered_in_its_text(voyages):
    assert [(number, item) for number, _, item in cut_of(voyages.open("feed.jsonl::x"))[1]] == [
        (2, ["Share"])
    ]


def test_article_without_cuts_has_no_cut_section(reader):
    page = reader.open("plain.txt")
    assert page.all("details", id="cut") == []
    assert "cut" not in page.main.text


@pytest.mark.parametrize(
    "change",
    [lambda file: file.unlink(), lambda file: file.write_text("Another text.\nShare\n" * 9, "utf-8")],
)
def test_missing_or_changed_file_shows_only_ranges_and_rules(voyages, change):
    change(voyages.archive / "wire" / "v2.txt")
    page = voyages.open("wire/v2.txt")
    details, lines = cut_of(page)
    assert "cannot be shown" in details.text
    assert [(number, rule, line) for number, (rule, _), line in lines] == [
        (2, "subscribe", []), (4, "repeated", []), (5, "loading", []),
    ]  # fmt: skip
    assert REPEATED not in page.source
    assert "Another text" not in page.source
    assert "Ship number 2 left the port" in page.one("div", class_="words").text  # it is in the index


def test_cut_lines_are_read_from_a_moved_archive(voyages):
    folder = voyages.archive.parent
    moved = voyages.archive.rename(folder / "moved")
    assert REPEATED not in voyages.open("wire/v2.txt").source
    service = SearchService(folder / "index", None, open_fake, moved)
    voyages._client = create_app(service).test_client()
    page = voyages.open("wire/v2.txt")
    assert [item for *_, item in cut_of(page)[1]] == [[OFFERED], [REPEATED], ["جار التحميل"]]
    assert page.told == []
    service.close()


def test_articles_are_shown_without_the_archive(voyages):
    shutil.rmtree(voyages.archive)
    for doc_id in ("wire/v2.txt", "feed.jsonl::x"):
        page = voyages.open(doc_id)
        assert page.passages()
        assert page.told[0].startswith("The file is gone from the archive")


def test_lines_outside_the_article_are_shown(log):
    body = "".join(
        f"<p>Ship number {number} left the port on day {number} with grain for {number} thousand people.</p>"
        for number in range(9)
    )
    reader = log(
        f"<html><head><title>Nine ships in nine days</title></head><body><nav>Harbour &lt;b&gt;front&lt;/b&gt; page</nav>"
        f"<article><h1>Nine ships in nine days</h1>{body}</article><footer>Quayside Media, pier 4</footer></body></html>",
        "v.html",
    )
    details, _ = cut_of(reader.open("v.html"))
    outside = [item.text for item in details.all("li") if "value" not in item.attributes]
    assert outside == ["Harbour <b>front</b> page", "Quayside Media, pier 4"]
    assert "What was cut: 2 lines outside the article" in details.text
    assert "what the page shows outside its article" in details.text
    (reader.archive / "v.html").unlink()
    assert "2 lines outside the article" in cut_of(reader.open("v.html"))[0].text
