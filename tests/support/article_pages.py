"""An archive for the page of an article, a reader of its pages, and the parts of such a page."""

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from indexer import build_index
from tests.support import html_checks
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app

SHA256 = hashlib.sha256(b"another version").hexdigest()
TRAP = "<script>alert(1)</script> & <b>bold</b> {{ 7*7 }} </textarea></mark></p>"
BODY = "Ship number {0} left the port on day {0} of the year with grain for {0} thousand people in the south."
SHIPS = "\n\n".join(
    ["Ships of the corridor", *(BODY.format(n) for n in (1, 2)), "Loading", *(BODY.format(n) for n in (3, 4, 5)),
     "The harbour was quiet afterwards, and nobody there wrote anything of it in the book for many weeks."]
)  # fmt: skip
WATER = (
    "أزمة المياه في الأردن\n\nأعلنت وزارة المياه أن السدود امتلأت بنسبة ٤٠ بالمئة بعد أمطار الشتاء الغزيرة.\n\n"
    "An English paragraph about the grain that stands in the middle of an Arabic article, long enough to be one.\n\n"
    "وقالت الحكومة إن محطة التحلية الجديدة في العقبة ستبدأ العمل خلال ثلاث سنوات.\n"
)
HOSTILE = "\n\n".join(
    [f"A title {TRAP} \u202eturned", f"First of all the ships {TRAP} came with grain from the port.",
     "\u202eThis one is turned about by an override that is never closed, with ships and grain of the port.",
     "This one stands after it: ships \x1b[31m and \x07 grain \u2066 of the port \x85 in the south of the country.",
     f"{'verylong' * 800} of ships and grain."]
)  # fmt: skip


class Page(html_checks.Page):
    """The page of an article."""

    def __init__(self, response):
        super().__init__(response)
        self.status, self.main = response.status_code, self.one("main")

    @property
    def told(self):
        return [
            " ".join(paragraph.text.split())
            for paragraph in self.main.all("p")
            if "note" in (paragraph.get("class") or "").split()
        ]

    @property
    def here(self):
        return [entry for entry in self.all("mark") if entry.get("class") == "here"]

    @property
    def marked(self):
        return "".join(mark.text for mark in self.here)

    def passages(self):
        blocks = [block for block in self.all("div") if re.fullmatch(r"p\d+", block.get("id") or "")]
        return {int(item["id"][1:]): item.one("p") for item in blocks}

    def link(self, **attributes):
        return self.main.one("a", **attributes)["href"]


def write_article_archive(folder: Path) -> Path:
    (archive := folder / "archive").mkdir(parents=True)
    (archive / "wire").mkdir()
    (archive / "wire" / "ships.txt").write_text(SHIPS, "utf-8")
    facts = {
        "author": "سلمى <b>حداد</b>",
        "date": "2025-03-01",
        "source": "The Wire",
        "url": "https://harbour.example/v?a=1&b=2",
    }
    (archive / "wire" / "ships.meta.json").write_text(json.dumps(facts), "utf-8")
    (archive / "water.txt").write_text(WATER, "utf-8")
    (archive / "hostile.txt").write_text(HOSTILE, "utf-8")
    (archive / "hostile.meta.json").write_text(
        json.dumps({"author": "Salma \u202eHaddad", "source": "wire \u2067x"})
    )
    (archive / "plain.txt").write_text("Nothing of this is known but its words, and they are few.\n", "utf-8")
    record = {
        "id": "x",
        "title": "A record",
        "text": "Word of a ship that sank with all its grain last night.",
    }
    (archive / "feed.jsonl").write_text(json.dumps(record) + "\n")
    build_index(archive, folder / "index", FakeModel())
    return folder


class Reader:
    """Someone who opens pages of the archive in a language."""

    def __init__(self, folder, language="en"):
        self.archive, self.searcher = folder / "archive", open_fake(folder / "index")
        service = SearchService(folder / "index", None, open_fake)
        self._client, self._language = create_app(service).test_client(), language

    def get(self, address, status=200):
        assert urlsplit(address).netloc in ("", "localhost")
        response = self._client.get(address, headers={"Accept-Language": self._language})
        assert response.status_code == status
        return Page(response)

    def open(self, doc_id, status=200, **values):
        return self.get(f"/documents/{quote(doc_id)}?{urlencode(values, doseq=True)}", status)

    def article(self, doc_id):
        return self.searcher.article(doc_id)

    def named(self, doc_id, start, end, **values):
        sha256 = self.article(doc_id).document.file.sha256
        return self.open(doc_id, sha256=sha256, start=start, end=end, **values)


def facts_of(page):
    facts = page.one("dl", class_="facts")
    return {block.one("dt").text: " ".join(block.one("dd").text.split()) for block in facts.all("div")}


def words_hash(words):
    return hashlib.sha256(words.encode()).hexdigest()[:12]
