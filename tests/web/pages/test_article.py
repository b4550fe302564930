"""The page of an article: its facts, its text, its citation and its languages."""

import hashlib
import json
import re
import unicodedata
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from indexer import Document, Passage, Searcher, build_index
from indexer.addresses import permanent_url
from indexer.datatypes import SourceFile, SplitDocument
from indexer.text.language import direction
from tests.support.article_pages import (
    SHA256,
    SHIPS,
    TRAP,
    Reader,
    facts_of,
    words_hash,
    write_article_archive,
)
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app
from web.pages.article import Range, parts, spans_of
from web.pages.citations import unturned


@pytest.fixture
def arabic(article_folder):
    return Reader(article_folder, "ar")


DOCUMENTS = ["wire/ships.txt", "water.txt", "hostile.txt", "plain.txt", "feed.jsonl::x"]


# --- the article


def test_article_facts_are_shown(reader):
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


def test_record_shows_its_file_and_its_id(reader):
    facts = facts_of(reader.open("feed.jsonl::x"))
    assert facts["File"] == "feed.jsonl (text extracted from the file)"
    assert facts["Record"] == "x"
    assert facts["Lines of the extracted text"] == "1–3"
    assert "Lines" not in facts


def test_invalid_original_address_is_shown_as_text(tmp_path):
    folder = write_article_archive(tmp_path / "own")
    facts = {"url": "https://harbour.example/a <b>\u202e"}
    (folder / "archive" / "plain.meta.json").write_text(json.dumps(facts))
    build_index(folder / "archive", folder / "index", FakeModel())
    page = Reader(folder).open("plain.txt")
    assert facts_of(page)["Original"] == "https://harbour.example/a <b>"
    assert page.one("dl").all("a") == page.all("b") == []
    assert "Original" not in page.one("textarea", id="cite-plain").text


def test_the_title_is_a_heading_with_its_own_language_and_direction(reader):
    for doc_id, lang, way in (("water.txt", "ar", "rtl"), ("wire/ships.txt", "en", "ltr")):
        page = reader.open(doc_id)
        title = page.one("h1")
        assert not any(passage.text.startswith(title.text) for passage in page.passages().values())
        assert (title.text, title["lang"], title["dir"]) == (
            reader.article(doc_id).document.title,
            lang,
            way,
        )


@pytest.mark.parametrize("doc_id", DOCUMENTS)
def test_every_passage_is_shown_verbatim_in_its_language_and_direction(reader, doc_id):
    page, article = reader.open(doc_id), reader.article(doc_id)
    shown = page.passages()
    assert list(shown) == [item.number for item in article.passages]
    for passage in article.passages:
        words = article.document.text[passage.start : passage.end]
        assert shown[passage.number].text == unturned(words)
        assert (shown[passage.number]["lang"], shown[passage.number]["dir"]) == (
            passage.lang,
            direction(passage.lang, words),
        )
    assert page.here == []
    assert page.told == []


def test_bilingual_article_has_both_directions_and_numbers_on_one_side(reader):
    page = reader.open("water.txt")
    assert [(paragraph["lang"], paragraph["dir"]) for paragraph in page.passages().values()] == [
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
        assert opened.marked == unturned(article.document.text[passage.start : passage.end])
        assert opened.one("mark", id="here").parent.parent["id"] == urlsplit(link["href"]).fragment


@pytest.mark.parametrize("doc_id", DOCUMENTS)
def test_each_passage_leads_to_more_like_it(reader, doc_id):
    links = reader.open(doc_id).main.all("a", class_="like")
    queries = [parse_qs(urlsplit(entry["href"]).query) for entry in links]
    passages = reader.article(doc_id).passages
    assert queries == [{"doc_id": [doc_id], "passage": [str(passage.number)]} for passage in passages]
    assert {urlsplit(item["href"]).path for item in links} == {"/similar"}
    assert len({link.text for link in links}) == len(links)  # each says which passage it means


def test_article_texts_are_never_markup(reader):
    plain = reader.open("plain.txt")
    q = f"ships {TRAP}"
    for page in (
        reader.named("hostile.txt", 3, 300, q=q),
        reader.open("hostile.txt", q=q, sha256=TRAP, start=TRAP),
    ):
        assert {element.tag for element in page.root.inside} - {item.tag for item in plain.root.inside} <= {
            "mark",
            "nav",
            "kbd",
        }
        assert len(page.all("script")) == len(plain.all("script"))
        assert TRAP in page.one("h1").text
        assert TRAP in page.passages()[1].text
        assert TRAP in page.one("textarea", id="cite-plain").text
        for entry in page.root.inside:
            assert not {name for name in entry.attributes if name.startswith("on") or name == "style"}
    assert "\u202e" not in page.one("title").text
    assert facts_of(page)["Author"] == "Salma Haddad"
    assert facts_of(page)["Source"] == "wire x"


def test_direction_override_ends_with_its_block(reader):
    page = reader.named("hostile.txt", 3, 900)
    turned = [element for element in page.root.inside if "\u202e" in element.text]
    for item in turned:
        # Inside a block of its own, or holding such blocks: nothing else stands in the line.
        inner = [one for one in item.inside if "\u202e" in one.text]
        assert inner or item.tag in ("p", "h1", "mark", "textarea"), item.tag
        if item.tag == "mark":
            assert item.parent.tag == "p"


def test_nul_is_shown_as_a_replacement_character():
    document = Document("x", "x", "one \0 two", "", "en", file=SourceFile("x"))
    article = SplitDocument(document, (Passage("x", 1, 0, 9, 1, 1, "en"),))
    (part,) = parts(article, list(spans_of(article)), None, ())
    assert part.pieces[0].parts == [("one \ufffd two", False, False)]


def test_text_between_passages_is_shown_line_by_line(reader):
    text = "Head\n   \nOne passage.\n* * *\n  an aside \n\nAnother one.\nTail"
    spans = [(text.index("One"), text.index("\n* *")), (text.index("Another"), text.index("\nTail"))]
    passages = tuple(Passage("x", n, *span, 1, 1, "en") for n, span in enumerate(spans, 1))
    article = SplitDocument(Document("x", "x", text, "", "en", file=SourceFile("x")), passages)
    here = Range(text.index("* *"), text.index("other one"))
    shown_parts = parts(article, list(spans_of(article)), here, ())
    assert [(entry.text, entry.passage and entry.passage.number) for entry in shown_parts] == [
        ("Head", None), ("One passage.", 1), ("* * *", None), ("an aside ", None), ("Another one.", 2), ("Tail", None),
    ]  # fmt: skip
    assert [item.marked for item in shown_parts] == [False, False, True, True, True, False]
    assert [piece.first for element in shown_parts for piece in element.pieces if piece.marked] == [
        True,
        False,
        False,
    ]


# --- the file as it is now


def test_changed_file_is_reported(own):
    (own.archive / "wire" / "ships.txt").write_text("Another text.", "utf-8")
    page = own.named("wire/ships.txt", 0, 5)
    assert page.told == [
        "The words that this address names are marked. Go to what is marked",
        "The file has changed since the index was built. Shown is the article as it was then.",
    ]
    assert page.marked == SHIPS[:5]
    (own.archive / "water.txt").unlink()
    (note,) = own.open("water.txt").told
    assert note.startswith("The file is gone from the archive since the index was built.")
    (own.archive / "plain.txt").unlink()
    (own.archive / "plain.txt").mkdir()
    (note,) = own.open("plain.txt").told
    assert note.startswith("The file cannot be read now")


@pytest.mark.parametrize("doc_id", ["gone.txt", "wire/ships.txt/", "wire/ships.txt::9", "<b>\u202e\n.txt"])
def test_missing_article_notice_depends_on_the_address_version(reader, doc_id):
    page = reader.open(doc_id, 404, sha256=SHA256, start=0, end=5)
    assert "which is not in this index" in page.main.text
    assert "may have been taken out, moved or renamed" in page.main.text
    shown = page.main.one("bdi").text
    assert shown == doc_id.replace("\n", "\\n").replace("\u202e", "\\u202e")
    for values in ({}, {"sha256": "x"}):
        page = reader.open(doc_id, 404, **values)
        assert "which is not in this index" not in page.main.text


# --- citations


@pytest.mark.parametrize("doc_id", ["wire/ships.txt", "water.txt", "hostile.txt", "feed.jsonl::x"])
def test_citation_has_the_words_that_its_address_shows(reader, doc_id):
    document = reader.article(doc_id).document
    passage = reader.article(doc_id).passages[-1]
    page = reader.named(doc_id, passage.start, passage.end - 1)
    citation = page.one("textarea", id="cite-plain")
    assert "readonly" in citation.attributes
    words = document.text[passage.start : passage.end - 1]
    address = re.search("^Address:\n(.+)$", citation.text, re.MULTILINE)[1]
    assert address.startswith("http://localhost/documents/")
    cited = reader.get(address)
    assert cited.marked == words
    assert cited.one("textarea", id="cite-plain").text == citation.text
    lines = (
        f"{passage.line_start}–{passage.line_end}"
        if passage.line_start < passage.line_end
        else str(passage.line_start)
    )
    assert re.search(f": {lines}$", citation.text, re.MULTILINE)
    assert document.file.sha256 in citation.text
    if len(words) <= 2_000:
        assert citation.text.endswith(words)
    assert address in page.one("textarea", id="cite-markdown").text
    assert page.one("details", class_="cite").one("summary").text == "Cite the marked words"


def test_without_marked_words_the_whole_article_is_cited(reader):
    page = reader.open("wire/ships.txt")
    citation = page.one("textarea", id="cite-plain").text
    sha256 = hashlib.sha256(SHIPS.encode()).hexdigest()
    words = words_hash(reader.article("wire/ships.txt").document.text)
    assert (
        f"\nAddress:\nhttp://localhost/documents/wire/ships.txt?sha256={sha256}&words={words}\n" in citation
    )
    assert f"\nLines: 1–{SHIPS.count(chr(10)) + 1}\n" in citation
    assert citation.endswith(f"Words:\n{reader.article('wire/ships.txt').document.text}")
    assert page.one("details", class_="cite").one("summary").text == "Cite this article"


def test_words_of_another_version_are_cited_with_the_shown_version(reader):
    citation = (
        reader.open("wire/ships.txt", sha256=SHA256, start=0, end=5).one("textarea", id="cite-plain").text
    )
    assert SHA256 not in citation
    assert citation.endswith("\nShips")


def test_controls_that_need_a_script_are_hidden_without_one(reader):
    page = reader.named("wire/ships.txt", 0, 50, q="ships")
    assert [item for item in page.main.all("button") if "hidden" not in item.attributes] == []
    for button in page.main.all("button"):
        assert page.one("textarea", id=button["data-copy"])
        assert button["data-done"]
        assert button["data-failed"]
    assert "hidden" in page.main.one("span", class_="keys").attributes
    for field in page.all("textarea"):
        assert page.one("label", for_=field["id"]).text


# --- the interface


def test_arabic_interface_has_arabic_digits_and_an_unchanged_article(arabic):
    page = arabic.named("wire/ships.txt", 25, 60, q="ships with grain")
    assert (page.one("html")["lang"], page.one("html")["dir"]) == ("ar", "rtl")
    assert "١ مارس ٢٠٢٥" in facts_of(page).values()
    numbers = [item.all("span")[-1].text for item in page.main.all("a", class_="line")]
    lines = [passage.line_start for passage in arabic.article("wire/ships.txt").passages]
    assert [int(number.partition("–")[0]) for number in numbers] == lines  # int() reads digits of any script
    assert not any(char.isascii() and char.isdigit() for number in numbers for char in number)
    assert page.marked == SHIPS[25:60]
    assert {(paragraph["lang"], paragraph["dir"]) for paragraph in page.passages().values()} == {
        ("en", "ltr")
    }
    assert page.one("div", class_="words")["dir"] == "ltr"
    for link in page.one("div", class_="words").all("a"):
        assert (link["lang"], link["dir"]) == ("ar", "rtl")
    nav = page.one("nav", class_="matches").text
    assert not any(char.isascii() and char.isdigit() for char in nav)
    assert any(unicodedata.name(char).startswith("ARABIC-INDIC DIGIT") for char in nav if char.isdigit())


def test_page_has_labelled_parts_and_unique_ids(reader):
    page = reader.named("wire/ships.txt", 25, 600, q="ships with grain")
    ids = [element["id"] for element in page.root.inside if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert page.one("nav", class_="matches")["aria-label"]
    for link in page.main.all("a"):
        address = urlsplit(link["href"])
        if not address.path:
            assert unquote(address.fragment) in ids


def test_article_without_a_passage_has_a_page(article_folder):
    class Bare:
        """The store, but with an article without text."""

        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        def article(self, doc_id):
            article = self._store.article(doc_id)
            return replace(article, document=replace(article.document, text=" \n "), passages=())

    def bare(*_):
        return Searcher(Bare(open_fake(article_folder / "index").store), FakeModel())

    reader = Reader(article_folder)
    reader._client = create_app(SearchService(article_folder / "index", None, bare)).test_client()
    page = reader.open("plain.txt", start=0, end=2)
    assert page.passages() == {}
    assert page.one("textarea", id="cite-plain").text
