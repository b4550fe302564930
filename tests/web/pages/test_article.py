"""The page of an article: what is known of it, the words that an address names, the way through a search's matches."""

import hashlib
import json
import re
import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from werkzeug.datastructures import MultiDict

from indexer import Document, Passage, Searcher, SearchRequest, build_index
from indexer.addresses import permanent_url
from indexer.datatypes import SourceFile, SplitDocument
from indexer.retrieval.searcher import MATCHES
from indexer.text.language import direction
from tests.support import html_checks
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app
from web.pages.article import SCANNED, Place, Range, find_words, locate, parts, read_place

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
            " ".join(each.text.split())
            for each in self.main.all("p")
            if "note" in (each.get("class") or "").split()
        ]

    @property
    def here(self):
        return [each for each in self.all("mark") if each.get("class") == "here"]

    @property
    def marked(self):
        return "".join(each.text for each in self.here)

    def passages(self):
        found = [each for each in self.all("div") if re.fullmatch(r"p\d+", each.get("id") or "")]
        return {int(each["id"][1:]): each.one("p") for each in found}

    def link(self, **attributes):
        return self.main.one("a", **attributes)["href"]


def furnish(folder: Path) -> Path:
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


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    return furnish(tmp_path_factory.mktemp("documents"))


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


@pytest.fixture
def reader(furnished):
    return Reader(furnished)


@pytest.fixture
def arabic(furnished):
    return Reader(furnished, "ar")


@pytest.fixture
def own(tmp_path):
    """A reader of an archive that a test changes."""
    return Reader(furnish(tmp_path / "own"))


def facts_of(page):
    facts = page.one("dl", class_="facts")
    return {each.one("dt").text: " ".join(each.one("dd").text.split()) for each in facts.all("div")}


DOCUMENTS = ["wire/ships.txt", "water.txt", "hostile.txt", "plain.txt", "feed.jsonl::x"]


# --- the article


def test_what_is_known_of_an_article_is_told(reader):
    page = reader.open("wire/ships.txt")
    assert facts_of(page) == {
        "Source": "The Wire",
        "Author": "سلمى <b>حداد</b>",
        "Date": "March 1, 2025",
        "Language": "English",
        "Original": "harbour.example",
        "File": "wire/ships.txt",
        "Lines": "1–15",
        "sha256": hashlib.sha256(SHIPS.encode()).hexdigest(),
    }
    assert page.one("time")["datetime"] == "2025-03-01"
    link = page.one("dl").one("a")
    assert (link["href"], link["rel"]) == ("https://harbour.example/v?a=1&b=2", "noreferrer noopener")
    assert page.one("title").text == "Ships of the corridor · Warraq"
    assert list(facts_of(reader.open("plain.txt"))) == ["Language", "File", "Line", "sha256"]


def test_of_a_record_its_file_and_its_own_name_are_told(reader):
    facts = facts_of(reader.open("feed.jsonl::x"))
    assert facts["File"] == "feed.jsonl (text extracted from the file)"
    assert facts["Record"] == "x"
    assert facts["Lines of the extracted text"] == "1–3"
    assert "Lines" not in facts


def test_an_original_that_may_be_no_link_is_shown_as_a_text(tmp_path):
    folder = furnish(tmp_path / "own")
    facts = {"url": "https://harbour.example/a <b>\u202e"}
    (folder / "archive" / "plain.meta.json").write_text(json.dumps(facts))
    build_index(folder / "archive", folder / "index", FakeModel())
    page = Reader(folder).open("plain.txt")
    assert facts_of(page)["Original"] == "https://harbour.example/a <b>"
    assert page.one("dl").all("a") == page.all("b") == []
    assert "Original" not in page.one("textarea", id="cite-plain").text


def test_the_title_has_its_own_language_and_direction(reader):
    for doc_id, lang, way in (("water.txt", "ar", "rtl"), ("wire/ships.txt", "en", "ltr")):
        title = reader.open(doc_id).one("h1")
        assert (title.text, title["lang"], title["dir"]) == (
            reader.article(doc_id).document.title,
            lang,
            way,
        )


@pytest.mark.parametrize("doc_id", DOCUMENTS)
def test_every_passage_is_shown_verbatim_in_its_language_and_direction(reader, doc_id):
    page, article = reader.open(doc_id), reader.article(doc_id)
    shown = page.passages()
    assert list(shown) == [each.number for each in article.passages]
    for passage in article.passages:
        words = article.document.text[passage.start : passage.end]
        assert shown[passage.number].text == words
        assert (shown[passage.number]["lang"], shown[passage.number]["dir"]) == (
            passage.lang,
            direction(passage.lang, words),
        )
    assert page.here == []
    assert page.told == []


def test_an_article_of_two_languages_has_both_directions_and_numbers_at_one_side(reader):
    page = reader.open("water.txt")
    assert [(each["lang"], each["dir"]) for each in page.passages().values()] == [
        ("ar", "rtl"),
        ("en", "ltr"),
        ("ar", "rtl"),
    ]
    assert page.one("div", class_="words")["dir"] == "rtl"
    for link in page.one("div", class_="words").all("a"):
        assert (link["lang"], link["dir"]) == ("en", "ltr")  # what the interface says is in its own language


@pytest.mark.parametrize("doc_id", DOCUMENTS)
def test_line_numbers_lead_to_the_permanent_address_of_each_passage(reader, doc_id):
    page, article = reader.open(doc_id), reader.article(doc_id)
    links = page.main.all("a", class_="line")
    assert len(links) == len(article.passages)
    for link, passage in zip(links, article.passages, strict=True):
        assert link["href"] == permanent_url(article.document, passage.start, passage.end, passage.number)
        number = link.all("span")[-1].text
        assert number == (
            str(passage.line_start)
            if passage.line_start == passage.line_end
            else f"{passage.line_start}–{passage.line_end}"
        )
        opened = reader.get(link["href"])
        assert opened.marked == article.document.text[passage.start : passage.end]
        assert opened.one("mark", id="here").parent.parent["id"] == urlsplit(link["href"]).fragment


@pytest.mark.parametrize("doc_id", DOCUMENTS)
def test_each_passage_leads_to_more_like_it(reader, doc_id):
    links = reader.open(doc_id).main.all("a", class_="like")
    asked = [parse_qs(urlsplit(each["href"]).query) for each in links]
    passages = reader.article(doc_id).passages
    assert asked == [{"doc_id": [doc_id], "passage": [str(each.number)]} for each in passages]
    assert {urlsplit(each["href"]).path for each in links} == {"/similar"}
    assert len({each.text for each in links}) == len(links)  # each says which passage it means


def test_texts_are_data_everywhere(reader):
    plain = reader.open("plain.txt")
    q = f"ships {TRAP}"
    for page in (
        reader.named("hostile.txt", 3, 300, q=q),
        reader.open("hostile.txt", q=q, sha256=TRAP, start=TRAP),
    ):
        assert {each.tag for each in page.root.inside} - {each.tag for each in plain.root.inside} <= {
            "mark",
            "nav",
            "kbd",
        }
        assert len(page.all("script")) == len(plain.all("script"))
        assert TRAP in page.one("h1").text
        assert TRAP in page.passages()[1].text
        assert TRAP in page.one("textarea", id="cite-plain").text
        for each in page.root.inside:
            assert not {name for name in each.attributes if name.startswith("on") or name == "style"}
    assert "\u202e" not in page.one("title").text
    assert facts_of(page)["Author"] == "Salma Haddad"
    assert facts_of(page)["Source"] == "wire x"


def test_what_turns_the_direction_of_text_ends_with_its_block(reader):
    page = reader.named("hostile.txt", 3, 900)
    turned = [each for each in page.root.inside if "\u202e" in each.text]
    for each in turned:
        # Inside a block of its own, or holding such blocks: nothing else stands in the line.
        inner = [one for one in each.inside if "\u202e" in one.text]
        assert inner or each.tag in ("p", "h1", "mark", "textarea"), each.tag
        if each.tag == "mark":
            assert each.parent.tag == "p"


def test_a_nul_leaves_a_sign():
    document = Document("x", "x", "one \0 two", "", "en", file=SourceFile("x"))
    (part,) = parts(SplitDocument(document, (Passage("x", 1, 0, 9, 1, 1, "en"),)), None, ())
    assert part.pieces[0].parts == [("one \ufffd two", False)]


def test_what_stands_between_passages_is_shown_line_by_line(reader):
    text = "Head\n   \nOne passage.\n* * *\n  an aside \n\nAnother one.\nTail"
    spans = [(text.index("One"), text.index("\n* *")), (text.index("Another"), text.index("\nTail"))]
    passages = tuple(Passage("x", n, *span, 1, 1, "en") for n, span in enumerate(spans, 1))
    article = SplitDocument(Document("x", "x", text, "", "en", file=SourceFile("x")), passages)
    here = Range(text.index("* *"), text.index("other one"))
    found = parts(article, here, ())
    assert [(each.text, each.passage and each.passage.number) for each in found] == [
        ("Head", None), ("One passage.", 1), ("* * *", None), ("an aside ", None), ("Another one.", 2), ("Tail", None),
    ]  # fmt: skip
    assert [each.marked for each in found] == [False, False, True, True, True, False]
    assert [piece.first for each in found for piece in each.pieces if piece.marked] == [True, False, False]


# --- the words that an address names


@given(st.data())
def test_marks_are_the_very_characters_of_the_range_and_of_the_matches(data):
    text = data.draw(st.text("ab \n", min_size=4, max_size=60))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    passages = tuple(
        Passage("x", n, start, end, 1, 1, "en")
        for n, (start, end) in enumerate(zip(cuts[::2], cuts[1::2], strict=False), 1)
    )
    article = SplitDocument(Document("x", "x", text, "", "en", file=SourceFile("x")), passages)
    start = data.draw(st.integers(0, len(text) - 1))
    here = Range(start, data.draw(st.integers(start + 1, len(text))))
    found = parts(article, here, ())
    for part in found:
        assert "".join(word for piece in part.pieces for word, _ in piece.parts) == part.text
        if part.passage:
            span = range(part.passage.start, part.passage.end)
            marked = [piece.marked for piece in part.pieces for word, _ in piece.parts for _ in word]
            assert marked == [here.start <= at < here.end for at in span]
    shown = [at for each in passages for at in range(each.start, each.end)]
    rest = "".join(char for at, char in enumerate(text) if at not in shown)
    assert "".join("".join(part.text.split()) for part in found if not part.passage) == "".join(rest.split())
    firsts = [piece.first for part in found for piece in part.pieces if piece.marked]
    assert firsts == [True] * bool(firsts) + [False] * (len(firsts) - 1)


@pytest.mark.parametrize("doc_id", ["wire/ships.txt", "water.txt", "hostile.txt"])
def test_the_words_are_marked_over_the_borders_of_passages(reader, doc_id):
    article = reader.article(doc_id)
    text, passages = article.document.text, article.passages
    start, end = passages[0].start + 3, passages[-1].start + 9
    page = reader.named(doc_id, start, end)
    expected = [text[max(start, each.start) : min(end, each.end)] for each in passages]
    assert [each.text for each in page.here] == expected
    assert [each.get("id") for each in page.here] == ["here"] + [None] * (len(expected) - 1)
    assert len(expected) > 2
    assert page.told == ["The words that this address names are marked. Go to what is marked"]
    assert page.one("div", class_="notes").one("a")["href"] == "#here"


def test_an_address_of_another_version_marks_with_doubt(reader):
    text = reader.article("wire/ships.txt").document.text
    page = reader.open("wire/ships.txt", sha256=SHA256, start=30, end=60)
    assert page.marked == text[30:60]
    (told,) = page.told
    assert told.startswith("The file has changed since this address was made.")
    assert "are marked" not in told
    page = reader.open("wire/ships.txt", sha256=SHA256)
    assert page.told == ["The file has changed since this address was made."]
    page = reader.open("wire/ships.txt", sha256=SHA256, start=30, end=10**6)
    assert page.told == [
        "The file has changed since this address was made.",
        "This address names words outside the article, so nothing is marked.",
    ]


def test_an_address_may_name_no_version_or_no_words(reader):
    sha256 = reader.article("wire/ships.txt").document.file.sha256
    assert reader.open("wire/ships.txt", sha256=sha256).told == []
    assert reader.open("wire/ships.txt", sha256=sha256.upper(), start=1, end=9).told == [
        "The words that this address names are marked. Go to what is marked"
    ]
    page = reader.open("wire/ships.txt", start=1, end=9)
    assert page.marked == SHIPS[1:9]
    assert "does not say which version" in page.told[0]


def test_words_outside_the_article_or_that_are_none_are_told(reader):
    length = len(SHIPS)
    assert reader.named("wire/ships.txt", 0, length).marked
    for start, end in [(0, length + 1), (length, length + 5), (10**8, 10**9 - 1)]:
        page = reader.named("wire/ships.txt", start, end)
        assert page.here == []
        assert page.told == ["This address names words outside the article, so nothing is marked."]
    at = SHIPS.index("Loading")  # which was cut
    page = reader.named("wire/ships.txt", at - 1, at + 8)
    assert page.here == []
    assert page.told[0].startswith("Where this address points there are no words")
    assert page.one("textarea", id="cite-plain").text.startswith("Ships of the corridor\n")


@pytest.mark.parametrize(
    ("values", "unreadable"),
    [
        ({"start": "x", "end": "5"}, ["start", "end"]),
        ({"start": "5"}, ["start"]),
        ({"end": "5"}, ["end"]),
        ({"start": "5", "end": "5"}, ["start", "end"]),
        ({"start": "9", "end": "5"}, ["start", "end"]),
        ({"start": "-1", "end": "5"}, ["start", "end"]),
        ({"start": "١", "end": "٥"}, ["start", "end"]),
        ({"start": "1_0", "end": "50"}, ["start", "end"]),
        ({"start": "0", "end": "9" * 400}, ["start", "end"]),
        ({"start": ["1", "1"], "end": "5"}, ["start", "end"]),
        ({"sha256": "5"}, ["sha256"]),
        ({"sha256": "g" * 64}, ["sha256"]),
        ({"sha256": [SHA256, SHA256]}, ["sha256"]),
        ({"words": "a" * 11}, ["words"]),
        ({"words": "a" * 13}, ["words"]),
        ({"words": ["a" * 12, "a" * 12]}, ["words"]),
        ({"words": "a" * 12}, []),
        ({"sha256": "<b>\0", "start": "\x1b", "end": "\u202e"}, ["sha256", "start", "end"]),
        ({"sha256": "", "start": "", "end": ""}, []),
        ({"utm_source": "x", "from": "yesterday", "": "y"}, []),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_left_aside_and_told(reader, values, unreadable):
    page = reader.open("wire/ships.txt", **values)
    assert page.here == []
    assert [each.text for each in page.main.all("code") if each.parent.tag == "p"] == unreadable
    assert len(page.told) == bool(unreadable)
    assert list(page.passages()) == [each.number for each in reader.article("wire/ships.txt").passages]


def test_a_part_of_an_address_that_is_good_still_counts(reader):
    page = reader.open("wire/ships.txt", sha256="x", start=1, end=9)
    assert page.marked == SHIPS[1:9]
    assert read_place(MultiDict({"sha256": SHA256, "start": "x", "end": "9", "words": "AB" * 6})) == Place(
        SHA256, None, "ab" * 6, ("start", "end")
    )
    page = reader.named("wire/ships.txt", 1, 9, words="x")
    assert page.marked == SHIPS[1:9]
    assert page.told == [
        "The words that this address names are marked. Go to what is marked",
        "A part of this address cannot be understood and was left aside: words",
    ]


def hashed(words):
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def article_of(text, *spans):
    document = Document("x", "x", text, "", "en", file=SourceFile("x", "a" * 64))
    return SplitDocument(
        document, tuple(Passage("x", n, *span, 1, 1, "en") for n, span in enumerate(spans, 1))
    )


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("abc", Place(None, None, None, ()), (None, "none")),
        ("abc", Place("b" * 64, None, None, ()), (None, "none")),
        ("abc", Place("b" * 64, None, hashed("abc"), ()), (None, "same")),
        ("abc", Place("b" * 64, None, hashed("abd"), ()), (None, "none")),
        ("abc", Place("a" * 64, None, hashed("abc"), ()), (None, "none")),
        ("abc", Place(None, Range(0, 3), None, ()), (Range(0, 3), "marked")),
        ("abc", Place("a" * 64, Range(0, 3), hashed("abc"), ()), (Range(0, 3), "marked")),
        ("abc", Place("b" * 64, Range(0, 3), hashed("abc"), ()), (Range(0, 3), "same")),
        ("abc", Place("b" * 64, Range(0, 3), None, ()), (Range(0, 3), "doubtful")),
        ("abc", Place("b" * 64, Range(0, 3), hashed("xyz"), ()), (Range(0, 3), "doubtful")),
        ("abc", Place("a" * 64, Range(0, 3), hashed("xyz"), ()), (Range(0, 3), "doubtful")),
        ("x abc", Place("b" * 64, Range(0, 3), hashed("abc"), ()), (Range(2, 5), "moved")),
        ("x abc", Place("b" * 64, Range(7, 10), hashed("abc"), ()), (Range(2, 5), "moved")),
        ("   abc", Place("b" * 64, Range(0, 3), hashed("abc"), ()), (Range(3, 6), "moved")),
        ("x abc abc", Place("b" * 64, Range(0, 3), hashed("abc"), ()), (Range(0, 3), "doubtful")),
        ("x abc zabcz", Place("b" * 64, Range(0, 3), hashed("abc"), ()), (Range(0, 3), "doubtful")),
        ("abc", Place(None, Range(0, 4), None, ()), (None, "outside")),
        ("abc", Place("b" * 64, Range(0, 4), hashed("abcd"), ()), (None, "outside")),
        ("  c", Place(None, Range(0, 2), None, ()), (None, "blank")),
        ("  c", Place("b" * 64, Range(0, 2), hashed("  "), ()), (None, "blank")),
    ],
)
def test_where_words_are_located(text, place, expected):
    assert locate(place, article_of(text)) == expected


@settings(deadline=None)
@given(st.text("ab \n", min_size=1, max_size=30), st.data())
def test_words_are_found_where_they_stand_alone(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    words = text[start:end]
    found = find_words(article_of(text, (start, end)), end - start, hashed(words))
    places = [at for at in range(len(text)) if text.startswith(words, at)]
    assert found == (Range(start, end) if len(places) == 1 else None)
    assert find_words(article_of(text, (start, end)), end - start, hashed(words + "x")) is None


def test_the_time_that_looking_for_words_takes_has_a_limit():
    many = article_of("a " * 500_000 + "end")
    for length in (1, 499_999, 999_999):
        started = perf_counter()
        assert find_words(many, length, hashed("z" * length)) is None
        assert perf_counter() - started < 5
    assert find_words(article_of("a" * SCANNED), SCANNED, hashed("a" * SCANNED)) is None


# --- words in a file that changes


def rows(*texts):
    return "id,title,body\n" + "".join(f"{n},Day {n},{text}\n" for n, text in enumerate(texts, 1))


DAILY = [
    f"On day {n} ship number {n} left the port with grain for the people of the south." for n in (1, 2, 3)
]


@pytest.fixture
def log(tmp_path):
    """A log of records, and how it grows: its text is written anew and the index built again."""
    folder = tmp_path / "log"
    (folder / "archive").mkdir(parents=True)

    def write(text, name="log.csv"):
        (folder / "archive" / name).write_text(text, "utf-8")
        build_index(folder / "archive", folder / "index", FakeModel())
        return Reader(folder)

    return write


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_a_log_that_grows_leaves_its_citations_certain(log, name):
    def lines(texts):
        if name == "log.csv":
            return rows(*texts)
        each = ({"id": str(n), "title": f"Day {n}", "body": text} for n, text in enumerate(texts, 1))
        return "".join(json.dumps(record) + "\n" for record in each)

    before = log(lines(DAILY[:2]), name)
    doc_id = f"{name}::1"
    shown = before.article(doc_id)
    passage = shown.passages[0]
    words = before.open(doc_id).main.all("a", class_="line")[0]["href"]
    whole = re.search(
        "^Address:\n(.+)$", before.open(doc_id).one("textarea", id="cite-plain").text, re.MULTILINE
    )[1]
    after = log(lines(DAILY), name)
    assert after.article(doc_id).document.file.sha256 != shown.document.file.sha256
    page = after.get(words)
    assert page.marked == shown.document.text[passage.start : passage.end]
    assert page.told == ["The file has changed since, these words have not. Go to what is marked"]
    page = after.get(whole)
    assert page.told == ["The file has changed since, this article has not."]
    assert page.here == []
    for each in page.main.all("p"):
        assert "uncertain" not in (each.get("class") or "")
    assert facts_of(page)["Record"] == "1"


def test_words_that_moved_are_marked_where_they_stand_now(log):
    texts = [*SHIPS.split("\n\n")[1:3], *SHIPS.split("\n\n")[4:]]
    before = log("\n\n".join(["Ships of the corridor", *texts]), "ships.txt")
    article = before.article("ships.txt")
    passage = article.passages[3]
    words = article.document.text[passage.start : passage.end]
    address = permanent_url(article.document, passage.start, passage.end, passage.number)
    new = "In the morning the harbour master wrote something new above all of the ships that had left."
    page = log("\n\n".join(["Ships of the corridor", new, *texts]), "ships.txt").get(address)
    assert page.marked == words
    assert page.told == [
        "The file has changed; the words have moved and are marked where they stand now. Go to what is marked"
    ]
    told = page.one("textarea", id="cite-plain").text
    assert told.endswith(words)
    assert "uncertain" not in page.source
    # Twice now: nobody knows which is meant.
    page = log("\n\n".join(["Ships of the corridor", new, *texts, words]), "ships.txt").get(address)
    assert page.told[0].startswith(
        "The file has changed since this address was made. What is marked stands where"
    )
    # And not at all: what stands there is something else.
    page = log(
        "\n\n".join(["Ships of the corridor", new, *[text.upper() for text in texts]]), "ships.txt"
    ).get(address)
    assert page.marked
    assert page.told[0].startswith(
        "The file has changed since this address was made. What is marked stands where"
    )
    assert any("uncertain" in (each.get("class") or "") for each in page.main.all("p"))


def test_other_words_in_the_same_file_are_told(reader):
    page = reader.named("wire/ships.txt", 0, 5, words=hashed("Boats"))
    assert page.marked == "Ships"
    assert page.told == [
        "Other words stand here than those that this address was made for. Go to what is marked"
    ]
    page = reader.named("wire/ships.txt", 0, 8, words=hashed("corridor"))
    assert page.marked == "corridor"
    assert page.told == ["The words have moved and are marked where they stand now. Go to what is marked"]


# --- the file as it is now


def test_a_file_that_changed_since_the_index_was_built_is_told(own):
    (own.archive / "wire" / "ships.txt").write_text("Another text.", "utf-8")
    page = own.named("wire/ships.txt", 0, 5)
    assert page.told == [
        "The words that this address names are marked. Go to what is marked",
        "The file has changed since the index was built. Shown is the article as it was then.",
    ]
    assert page.marked == SHIPS[:5]
    (own.archive / "water.txt").unlink()
    (told,) = own.open("water.txt").told
    assert told.startswith("The file is gone from the archive since the index was built.")
    (own.archive / "plain.txt").unlink()
    (own.archive / "plain.txt").mkdir()
    (told,) = own.open("plain.txt").told
    assert told.startswith("The file cannot be read now")


@pytest.mark.parametrize("doc_id", ["gone.txt", "wire/ships.txt/", "wire/ships.txt::9", "<b>\u202e\n.txt"])
def test_an_article_that_is_not_in_the_index_may_have_been_if_the_address_says_so(reader, doc_id):
    page = reader.open(doc_id, 404, sha256=SHA256, start=0, end=5)
    assert "which is not in this index" in page.main.text
    assert "may have been taken out, moved or renamed" in page.main.text
    shown = page.main.one("bdi").text
    assert shown == doc_id.replace("\n", "\\n").replace("\u202e", "\\u202e")
    for values in ({}, {"sha256": "x"}):
        page = reader.open(doc_id, 404, **values)
        assert "which is not in this index" not in page.main.text


# --- the matches of a search


def walk(reader, doc_id, **asked):
    """Return what is read on the way from the first match to the last."""
    page, seen = reader.open(doc_id, **asked), []
    while page.main.all("a", rel="next"):
        page = reader.get(page.link(rel="next"))
        seen.append(page)
        assert len(seen) < 99
    return seen


@pytest.mark.parametrize(
    ("doc_id", "asked"),
    [("wire/ships.txt", {"q": "ships with grain"}), ("wire/ships.txt", {"q": "harbour book", "mode": "lexical"}),
     ("water.txt", {"q": "وزارة المياه", "lang": "ar"}), ("hostile.txt", {"q": f"ships {TRAP} & ?#", "sort": "date"}),
     ("wire/ships.txt", {"q": "grain", "source": "The Wire", "from": "2025-01-01", "to": "2025-12-31"})],
)  # fmt: skip
def test_matches_are_walked_from_the_first_to_the_last_and_back(reader, doc_id, asked):
    request = SearchRequest(
        asked["q"], mode=asked.get("mode", "hybrid"), lang=asked.get("lang"), source=asked.get("source"),
        published_from=asked.get("from"), published_to=asked.get("to"), sort=asked.get("sort", "relevance"),
    )  # fmt: skip
    hits = reader.searcher.matches(request, doc_id).hits
    assert hits
    seen = walk(reader, doc_id, **asked)
    assert [each.marked for each in seen] == [hit.text for hit in hits]
    for number, page in enumerate(seen, 1):
        nav = page.one("nav", class_="matches")
        assert f"Match {number} of {len(hits)}" in " ".join(nav.text.split())
        assert page.one("input", name="q")["value"] == asked["q"]
        marked = {
            at: [each.text for each in p.all("mark", class_="word")] for at, p in page.passages().items()
        }
        for hit in hits:
            assert marked[hit.passage.number] == [hit.text[each.start : each.end] for each in hit.highlights]
        for each in [*nav.all("a", rel="next"), *nav.all("a", rel="prev"), nav.one("a", class_="back")]:
            values = parse_qs(urlsplit(each["href"]).query)
            assert {name: values[name] for name in asked} == {name: [value] for name, value in asked.items()}
    back = urlsplit(seen[-1].link(class_="back"))
    assert back.path == "/"
    assert reader.get(back.geturl()).all("ol", class_="hits")
    page = seen[-1]
    for expected in reversed(seen[:-1]):
        page = reader.get(page.link(rel="prev"))
        assert page.marked == expected.marked
    assert page.main.all("a", rel="prev") == []


def test_words_that_matched_are_marked_inside_the_words_that_are_named(reader):
    at = SHIPS.index("Ship number 3")
    page = reader.named("wire/ships.txt", at, at + 20, q="ship port")
    (outer,) = page.here
    assert outer.text == SHIPS[at : at + 20]
    assert [each.text for each in outer.all("mark")] == ["Ship"]
    words = [each for each in page.passages()[4].all("mark", class_="word") if each.parent is not outer]
    assert "port" in [each.text for each in words]


def test_between_two_matches_previous_and_next_are_those_around(reader):
    request = SearchRequest("Geneva number 1 2", mode="lexical")
    hits = reader.searcher.matches(request, "wire/ships.txt").hits
    others = [
        each
        for each in reader.article("wire/ships.txt").passages
        if each not in [hit.passage for hit in hits]
    ]
    assert others
    for passage in others:
        page = reader.named(
            "wire/ships.txt", passage.start, passage.end, q="Geneva number 1 2", mode="lexical"
        )
        before = [hit for hit in hits if hit.passage.number < passage.number]
        after = [hit for hit in hits if hit.passage.number > passage.number]
        for rel, expected in (("prev", before[-1:]), ("next", after[:1])):
            found = [urlsplit(each["href"]).fragment for each in page.main.all("a", rel=rel)]
            assert found == [f"p{hit.passage.number}" for hit in expected]
        assert f"{len(hits)} match" in " ".join(page.one("nav", class_="matches").text.split())


def test_a_search_that_finds_nothing_here_says_so(reader):
    page = reader.open("plain.txt", q="ضجيج", mode="lexical")
    nav = page.one("nav", class_="matches")
    assert "found no passage of this article" in nav.text
    assert [each.get("class") for each in nav.all("a")] == ["back"]


@pytest.mark.parametrize(
    "asked",
    [{"q": ""}, {"q": " "}, {"q": "x" * 1_001}, {"q": ["a", "b"]}, {"q": "x", "mode": "<i>"}, {"q": "x", "lang": "Arabic"},
     {"q": "x", "from": "yesterday"}, {"q": "x", "sort": "age"}, {"q": "x", "limit": "-1"}, {"lang": "ar"}],
)  # fmt: skip
def test_a_bad_question_is_no_question(reader, asked):
    page = reader.open("wire/ships.txt", **asked)
    assert page.all("nav", class_="matches") == page.all("mark") == []
    assert page.one("input", name="q")["value"] == ""


def test_where_the_model_fails_the_article_is_shown_all_the_same(furnished):
    class Broken(FakeModel):
        def encode_queries(self, texts):
            raise RuntimeError("the model is gone")

    def broken(*_):
        return Searcher(open_fake(furnished / "index").store, Broken())

    reader = Reader(furnished)
    reader._client = create_app(SearchService(furnished / "index", None, broken)).test_client()
    page = reader.open("wire/ships.txt", q="grain", mode="dense")
    assert page.all("nav", class_="matches") == page.told == []
    page = reader.open("wire/ships.txt", q="grain")
    assert page.all("mark", class_="word")
    assert page.told == ["The model failed: passages were found by their words alone."]


def test_damage_is_told_once(own):
    (own.archive / "new.txt").write_text("A new article about the ships of the corridor.", "utf-8")
    folder = own.archive.parent / "index"
    build_index(own.archive, folder, FakeModel())
    vectors = folder / "generations" / open_fake(folder).generation / "vectors.faiss"
    vectors.chmod(0o600)
    vectors.write_bytes(b"damaged")
    reader = Reader(own.archive.parent)
    for values in ({}, {"q": "ships"}):
        (told,) = reader.open("wire/ships.txt", **values).told
        assert "damaged" in told
        assert "warraq build" in told


class Press(Reader):
    """Someone who reads lists of the archive `press` as well."""

    def listed(self, **asked):
        """Return every link of a list to an article with the words that are marked at it, page for page."""
        address, found = f"/?{urlencode(asked)}", []
        while address:
            page = self.get(address)
            for link in page.main.all("a"):
                if not link["href"].startswith("/documents/"):
                    continue
                around = next(each for each in link.within if each.get("class") in ("another", "hit"))
                text = around.all("p", class_="text")[0]
                copy = link.parent.get("class") == "receipt" and around["class"] == "hit"
                found.append((link["href"], None if copy else text, page))
            address = next((each["href"] for each in page.main.all("a", rel="next")), None)
        return found


@pytest.mark.parametrize(
    "asked",
    [{"q": "the council of the city this spring"}, {"q": "the council of the city this spring", "sort": "date"},
     {"q": "مجلس المدينة", "limit": "50"}, {"q": "dams of the northern valleys", "copies": "all", "sort": "date"},
     {"q": "harbour", "mode": "lexical"}, {"q": "port", "source": "wire", "from": "2024-01-01"}],
)  # fmt: skip
def test_every_hit_of_a_list_is_a_match_of_its_article(press, asked):
    reader = Press(press)
    links = reader.listed(**asked)
    assert links if "mode" in asked or "source" in asked else len(links) > MATCHES
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
            words = [each.text for each in shown.all("mark", class_="word")]
            assert words == [each.text for each in text.all("mark")]
        again = reader.get(page.link(class_="back"))
        assert again.one("ol", class_="hits").text == listed.one("ol", class_="hits").text


def test_the_pool_of_those_lists_is_larger_than_what_counts_as_its_best(press):
    assert open_fake(press / "index").search(SearchRequest("council", copies="all")).total > MATCHES


def test_the_results_lead_back_to_their_very_page(reader):
    asked = {"q": "ships with grain", "limit": "2", "copies": "all", "offset": "2", "sort": "date"}
    page = reader.get(f"/?{urlencode(asked)}")
    (link, *_) = [each["href"] for each in page.main.all("a") if each.parent.tag == "h2"]
    (item, *_) = [each["id"] for each in page.all("li") if each.parent.attributes.get("class") == "hits"]
    opened = reader.get(link)
    assert urlsplit(opened.link(class_="back")).fragment == item
    for _ in range(2):
        back = urlsplit(opened.link(class_="back"))
        assert parse_qs(back.query) == {name: [value] for name, value in asked.items()}
        assert re.fullmatch("hit-[0-9a-f]{12}", back.fragment)
        further = [each["href"] for rel in ("next", "prev") for each in opened.main.all("a", rel=rel)]
        opened = reader.get(further[0])


def test_a_search_on_the_page_of_an_article_is_counted(reader):
    def searches():
        told = reader._client.get("/metrics").get_data(as_text=True)
        return float(re.search(r"^warraq_search_duration_seconds_count (\S+)$", told, re.MULTILINE)[1])

    before = searches()
    reader.open("wire/ships.txt", q="grain")
    assert searches() == before + 1
    reader.open("wire/ships.txt")
    reader.open("wire/ships.txt", q=" ")
    assert searches() == before + 1


# --- what was cut

REPEATED = "The harbour master writes every Thursday"
OFFERED = "Subscribe to our newsletter <script>alert(1)</script> & <b>now</b> {{ 7*7 }}"


def write_voyages(folder: Path) -> Path:
    """An archive with furniture in it, some of it hostile, and its index."""
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
        (int(item["value"]), [each.text for each in item.all("span")], [each.text for each in item.all("p")])
        for item in details.all("li")
        if "value" in item.attributes
    ]


def test_what_was_cut_is_shown_with_rule_and_reason(voyages):
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
    assert {each["dir"] for each in details.all("p")} == {"auto"}
    assert page.all("b") == page.all("i") == []
    words = page.one("div", class_="words").text
    assert "<i>grain</i>" in words
    assert REPEATED not in words
    assert "Subscribe" not in words


def test_what_was_cut_of_a_record_is_shown_by_the_lines_of_its_text(voyages):
    assert [(number, told) for number, _, told in cut_of(voyages.open("feed.jsonl::x"))[1]] == [
        (2, ["Share"])
    ]


def test_an_article_of_which_nothing_was_cut_says_nothing_of_it(reader):
    page = reader.open("plain.txt")
    assert page.all("details", id="cut") == []
    assert "cut" not in page.main.text


@pytest.mark.parametrize(
    "change",
    [lambda file: file.unlink(), lambda file: file.write_text("Another text.\nShare\n" * 9, "utf-8")],
)
def test_where_the_file_is_gone_or_another_ranges_and_rules_are_shown_alone(voyages, change):
    change(voyages.archive / "wire" / "v2.txt")
    page = voyages.open("wire/v2.txt")
    details, lines = cut_of(page)
    assert "cannot be shown" in details.text
    assert [(number, rule, told) for number, (rule, _), told in lines] == [
        (2, "subscribe", []), (4, "repeated", []), (5, "loading", []),
    ]  # fmt: skip
    assert REPEATED not in page.source
    assert "Another text" not in page.source
    assert "Ship number 2 left the port" in page.one("div", class_="words").text  # it is in the index


def test_an_archive_that_has_moved_is_read_where_it_is(voyages):
    folder = voyages.archive.parent
    moved = voyages.archive.rename(folder / "moved")
    assert REPEATED not in voyages.open("wire/v2.txt").source
    service = SearchService(folder / "index", None, open_fake, moved)
    voyages._client = create_app(service).test_client()
    page = voyages.open("wire/v2.txt")
    assert [told for *_, told in cut_of(page)[1]] == [[OFFERED], [REPEATED], ["جار التحميل"]]
    assert page.told == []
    service.close()


def test_articles_are_shown_whatever_became_of_the_archive(voyages):
    shutil.rmtree(voyages.archive)
    for doc_id in ("wire/v2.txt", "feed.jsonl::x"):
        page = voyages.open(doc_id)
        assert page.passages()
        assert page.told[0].startswith("The file is gone from the archive")


def test_how_much_of_a_page_is_outside_its_article_is_shown(log):
    body = "".join(
        f"<p>Ship number {at} left the port on day {at} with grain for {at} thousand people.</p>"
        for at in range(9)
    )
    reader = log(
        f"<html><head><title>Nine ships in nine days</title></head><body><nav>Harbour &lt;b&gt;front&lt;/b&gt; page</nav>"
        f"<article><h1>Nine ships in nine days</h1>{body}</article><footer>Quayside Media, pier 4</footer></body></html>",
        "v.html",
    )
    details, _ = cut_of(reader.open("v.html"))
    outside = [each.text for each in details.all("li") if "value" not in each.attributes]
    assert outside == ["Harbour <b>front</b> page", "Quayside Media, pier 4"]
    assert "What was cut: 2 lines outside the article" in details.text
    assert "what the page shows outside its article" in details.text
    (reader.archive / "v.html").unlink()
    assert "2 lines outside the article" in cut_of(reader.open("v.html"))[0].text


# --- citations


@pytest.mark.parametrize("doc_id", ["wire/ships.txt", "water.txt", "hostile.txt", "feed.jsonl::x"])
def test_the_words_of_a_citation_are_those_that_its_address_shows(reader, doc_id):
    document = reader.article(doc_id).document
    passage = reader.article(doc_id).passages[-1]
    page = reader.named(doc_id, passage.start, passage.end - 1)
    told = page.one("textarea", id="cite-plain")
    assert "readonly" in told.attributes
    words = document.text[passage.start : passage.end - 1]
    address = re.search("^Address:\n(.+)$", told.text, re.MULTILINE)[1]
    assert address.startswith("http://localhost/documents/")
    cited = reader.get(address)
    assert cited.marked == words
    assert cited.one("textarea", id="cite-plain").text == told.text
    lines = (
        f"{passage.line_start}–{passage.line_end}"
        if passage.line_start < passage.line_end
        else str(passage.line_start)
    )
    assert re.search(f": {lines}$", told.text, re.MULTILINE)
    assert document.file.sha256 in told.text
    if len(words) <= 2_000:
        assert told.text.endswith(words)
    assert address in page.one("textarea", id="cite-markdown").text
    assert page.one("details", class_="cite").one("summary").text == "Cite the marked words"


def test_without_marked_words_the_whole_article_is_cited(reader):
    page = reader.open("wire/ships.txt")
    told = page.one("textarea", id="cite-plain").text
    sha256 = hashlib.sha256(SHIPS.encode()).hexdigest()
    words = hashed(reader.article("wire/ships.txt").document.text)
    assert f"\nAddress:\nhttp://localhost/documents/wire/ships.txt?sha256={sha256}&words={words}\n" in told
    assert f"\nLines: 1–{SHIPS.count(chr(10)) + 1}\n" in told
    assert told.endswith(f"Words:\n{reader.article('wire/ships.txt').document.text}")
    assert page.one("details", class_="cite").one("summary").text == "Cite this article"


def test_words_of_another_version_are_cited_by_the_version_that_is_shown(reader):
    told = reader.open("wire/ships.txt", sha256=SHA256, start=0, end=5).one("textarea", id="cite-plain").text
    assert SHA256 not in told
    assert told.endswith("\nShips")


def test_what_needs_a_script_is_not_seen_without_one(reader):
    page = reader.named("wire/ships.txt", 0, 50, q="ships")
    assert [each for each in page.main.all("button") if "hidden" not in each.attributes] == []
    for button in page.main.all("button"):
        assert page.one("textarea", id=button["data-copy"])
        assert button["data-done"]
        assert button["data-failed"]
    assert "hidden" in page.main.one("span", class_="keys").attributes
    for field in page.all("textarea"):
        assert page.one("label", for_=field["id"]).text


# --- the interface


def test_in_arabic_numbers_and_dates_are_arabic_and_the_article_is_as_it_was(arabic):
    page = arabic.named("wire/ships.txt", 25, 60, q="ships with grain")
    assert (page.one("html")["lang"], page.one("html")["dir"]) == ("ar", "rtl")
    assert "١ مارس ٢٠٢٥" in facts_of(page).values()
    numbers = [each.all("span")[-1].text for each in page.main.all("a", class_="line")]
    lines = [each.line_start for each in arabic.article("wire/ships.txt").passages]
    assert [int(number.partition("–")[0]) for number in numbers] == lines  # int() reads digits of any script
    assert not any(char.isascii() and char.isdigit() for number in numbers for char in number)
    assert page.marked == SHIPS[25:60]
    assert {(each["lang"], each["dir"]) for each in page.passages().values()} == {("en", "ltr")}
    assert page.one("div", class_="words")["dir"] == "ltr"
    for link in page.one("div", class_="words").all("a"):
        assert (link["lang"], link["dir"]) == ("ar", "rtl")
    nav = page.one("nav", class_="matches").text
    assert not any(char.isascii() and char.isdigit() for char in nav)
    assert any(unicodedata.name(char).startswith("ARABIC-INDIC DIGIT") for char in nav if char.isdigit())


def test_a_page_names_its_parts_and_no_id_twice(reader):
    page = reader.named("wire/ships.txt", 25, 600, q="ships with grain")
    ids = [each["id"] for each in page.root.inside if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    assert page.one("nav", class_="matches")["aria-label"]
    for link in page.main.all("a"):
        address = urlsplit(link["href"])
        if not address.path:
            assert unquote(address.fragment) in ids


def test_an_article_without_a_passage_is_a_page_too(furnished):
    class Bare:
        """The store, but for an article of which nothing is left."""

        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        def article(self, doc_id):
            article = self._store.article(doc_id)
            return replace(article, document=replace(article.document, text=" \n "), passages=())

    def bare(*_):
        return Searcher(Bare(open_fake(furnished / "index").store), FakeModel())

    reader = Reader(furnished)
    reader._client = create_app(SearchService(furnished / "index", None, bare)).test_client()
    page = reader.open("plain.txt", start=0, end=2)
    assert page.passages() == {}
    assert page.one("textarea", id="cite-plain").text


# --- in a browser


@pytest.fixture
def visit(browser, live):
    """Open pages in a language; at the end nothing may have failed on any of them."""
    faults, contexts = [], []

    def visit(address, language="en", **options):
        contexts.append(browser.new_context(locale=language, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.goto(live + address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert faults == []


PORT = "/documents/" + quote("صحيفة المرفأ/port.en.txt")


@pytest.mark.parametrize(
    ("language", "keys"), [("en", "n n p ArrowRight ArrowLeft"), ("ar", "n n p ArrowLeft ArrowRight")]
)
def test_keys_walk_from_match_to_match_as_they_point(visit, language, keys):
    page = visit(f"{PORT}?{urlencode({'q': 'council of the city this year'})}", language)
    found = []
    for key in keys.split():
        with page.expect_navigation():
            page.keyboard.press(key)
        found.append(urlsplit(page.url).fragment)
        assert page.locator(f"#{found[-1]} #here").is_visible()
    first, second = found[:2]
    assert found == [first, second, first, second, first]
    assert first != second
    page.locator("#keys-switch").click()
    page.keyboard.press("n")
    page.locator("#q").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(200)
    assert urlsplit(page.url).fragment == first


def test_walking_by_keys_leaves_the_results_one_step_back(visit):
    page = visit(f"/?{urlencode({'q': 'council of the city this year'})}")
    results = page.url
    page.locator(".hits h2 a").first.click()
    page.wait_for_url("**/documents/**")
    for _ in range(2):
        key = "n" if page.locator(".matches a[rel=next]").count() else "p"
        with page.expect_navigation():
            page.keyboard.press(key)
    page.go_back()
    assert page.url == results
    page.go_forward()
    (link, *_) = page.locator(".matches a[rel]").all()
    before = page.url
    with page.expect_navigation():
        link.click()
    page.go_back()
    assert page.url == before  # a link that is followed is a step


def test_in_print_the_permanent_address_stands_once_and_is_told_nowhere_else(visit, press):
    article = open_fake(press / "index").article("wire/trap.txt")
    address = permanent_url(article.document, 5, 120, 1)
    page = visit(address.replace("#", "&q=harbour#"))
    line = page.locator(".printed")
    assert not line.is_visible()
    page.emulate_media(media="print")
    assert line.is_visible()
    assert line.inner_text() == f"Address: {page.url.partition('/documents')[0]}{address}"
    assert page.locator("main").inner_text().count("/documents/") == 1
    follows = "each => ['::before', '::after'].map((at) => getComputedStyle(each, at).content)"
    for link in page.locator("main a").all():
        assert set(link.evaluate(follows)) <= {"none", "normal", '""'}


def test_each_line_of_an_article_finds_its_own_direction(visit):
    # But not in Arabic, where sentences begin with Latin names too.
    for address, way in ((PORT, "plaintext"), (PORT.replace(".en.", ".ar."), "isolate")):
        page = visit(address)
        texts = page.locator(".words .passage .text").all()
        found = {each.evaluate("each => getComputedStyle(each).unicodeBidi") for each in texts}
        assert found == {way}


@pytest.mark.parametrize("clipboard", [True, False])
def test_a_button_copies_a_citation_and_says_so(visit, clipboard):
    granted = ["clipboard-read", "clipboard-write"]
    page = visit(PORT, permissions=granted)
    if not clipboard:  # as at an address that is not secure
        page.evaluate("navigator.clipboard.writeText = undefined")
    page.locator(".cite summary").click()
    button = page.get_by_role("button", name="Copy: As Markdown")
    button.click()
    expect(page.locator("#said")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#cite-markdown").input_value()
    assert button.evaluate("each => each === document.activeElement")


def test_words_far_down_a_passage_come_into_view(visit, press):
    article = open_fake(press / "index").article("صحيفة المرفأ/port.en.txt")
    last = article.passages[-1]
    address = permanent_url(article.document, last.end - 20, last.end, article.passages[0].number)
    page = visit(address, viewport={"width": 320, "height": 300})
    expect(page.locator("#here")).to_be_in_viewport()


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [320, 1200])
def test_the_page_is_accessible_and_never_wider_than_the_window(visit, press, language, width):
    trap = open_fake(press / "index").article("wire/trap.txt")
    address = permanent_url(trap.document, 5, 120, 1).replace("#", "&q=harbour#")
    for scheme in ("light", "dark"):
        page = visit(address, language, viewport={"width": width, "height": 700}, color_scheme=scheme)
        for summary in page.locator("main details > summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.title().startswith("A trap <script>")
        assert Axe().run(page).response["violations"] == []
