"""Citations: their facts, literal texts in Markdown, and isolated text directions."""

import unicodedata
from html.parser import HTMLParser

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from indexer import Document
from indexer.datatypes import SourceFile
from web import i18n
from web.pages.citations import (
    QUOTED,
    Citation,
    markdown,
    one_line,
    original_of,
    plain,
    record_of,
    shorten,
    shown_path,
    title_of,
    visible,
)

SHA256 = "6a2597c67b80509db499b4e98f8245cdbb90a21ad84892704b89b7f2fd30279a"
ADDRESS = f"http://localhost/documents/wire/v1.txt?sha256={SHA256}&start=0&end=9#p1"
# What Markdown, HTML, and readers of both directions stumble over.
NASTY = (
    "[]()*_`<>|#\\&!~$+-=.:@{}^\"'/ \t\r\n\v\0\x1b\x85\u00a0\u200f\u2028\u202e\u202c\u2066\u2069ab1\u0651ش😀"
)
nasty = st.text(NASTY, max_size=40) | st.lists(
    st.sampled_from(
        ["1. a", "10) b", "- c", "* * *", "---", "===", "# d", "> e", "```", "~~~", "    f", "| a | b |", "|-|-|", "<b>", "</p>",
         "&amp;", "![g](h)", "[i](j)", "[k]: l", "**m**", "__n__", "~~o~~", "<http://p.q>", "https://r.s", "www.t.u", "v@w.x",
         "\\", "`y`", "", " ", "<!-- z", "$1$", ":smile:", "\u202eturned", "قال [أ](ب)"]
    ), max_size=6,
).map("\n".join)  # fmt: skip


def document(**changes):
    facts = {
        "doc_id": "wire/v1.txt", "title": "Talks in Geneva", "text": "x", "source": "wire", "lang": "en", "published": "2025-03-01",
        "author": "Salma Haddad", "url": "https://harbour.example/v?a=1&b=2",
    }  # fmt: skip
    file = {"path": "wire/v1.txt", "sha256": SHA256, "basis": "file", "encoding": "utf-8"}
    file |= changes.pop("file", {})
    return Document(**facts | changes, file=SourceFile(**file))


def citation(words="Envoys met in Geneva.", lines=(3, 5), **changes):
    return Citation(document(**changes), lines, words, ADDRESS)


@pytest.fixture
def arabic():
    app = Flask("web")
    i18n.register(app)
    with app.test_request_context(headers={"Accept-Language": "ar"}):
        yield


# --- facts


def test_a_plain_citation_has_a_line_for_each_fact_and_then_the_words():
    assert plain(citation()).split("\n") == [
        "Talks in Geneva",
        "Author: Salma Haddad",
        "Source: wire",
        "Date: March 1, 2025",
        "Original: https://harbour.example/v?a=1&b=2",
        "File: wire/v1.txt",
        "Lines: 3–5",
        f"sha256: {SHA256}",
        "Address:",
        ADDRESS,
        "Words:",
        "Envoys met in Geneva.",
    ]


def test_a_markdown_citation_is_a_link_a_list_and_a_quotation():
    assert markdown(citation("Envoys met\nin Geneva.")).split("\n") == [
        f"**[Talks in Geneva]({ADDRESS})**",
        "",
        "- Author: Salma Haddad",
        "- Source: wire",
        "- Date: March 1, 2025",
        "- Original: `https://harbour.example/v?a=1&b=2`",
        "- File: `wire/v1.txt`",
        "- Lines: 3–5",
        f"- sha256: `{SHA256}`",
        "",
        "> Envoys met  ",
        "> in Geneva.  ",
    ]


def test_unknown_facts_are_left_out():
    told = plain(citation(lines=(7, 7), source="", published=None, author="", url=""))
    assert told.split("\n")[1:3] == ["File: wire/v1.txt", "Line: 7"]
    assert "None" not in told
    assert plain(citation(title=" \n")).startswith("wire/v1.txt\n")


def test_lines_of_an_extracted_text_are_labelled():
    assert "\nLines of the extracted text: 3–5\n" in plain(citation(file={"basis": "extracted"}))


@pytest.mark.parametrize("doc_id", ["log.csv::17", "log.csv::a::b#2", "log.csv::7~1"])
def test_record_of_a_file_of_many_is_named(doc_id):
    record = doc_id.partition("::")[2]
    cited = citation(doc_id=doc_id, file={"path": "log.csv"})
    assert record_of(cited.document) == record
    assert f"\nFile: log.csv\nRecord: {record}\nLines" in plain(cited)
    assert f"\n- File: `log.csv`\n- Record: `{record}`\n- Lines" in markdown(cited)


def test_article_in_its_own_file_has_no_record_line():
    for path in ("a.txt", "a::b.txt"):
        assert record_of(document(doc_id=path, file={"path": path})) is None
    assert "Record" not in plain(citation())


@pytest.mark.parametrize(
    ("address", "original"),
    [("https://a.example/x", "https://a.example/x"), ("HTTP://A.example:80/", "HTTP://A.example:80/"), ("javascript:alert(1)", None),
     ("data:text/html,x", None), ("//a.example", None), ("https:a.example", None), ("https://", None), ("", None),
     ("https://[::1", None), ("https://a b.example", None), ("java\nscript:x", None), ("https://a.example\\@b.example", None),
     ("https://a.example/\u202ex", "https://a.example/%E2%80%AEx"), ("https://صحيفة.example/مقال", "https://صحيفة.example/مقال")],
)  # fmt: skip
def test_only_addresses_of_the_web_are_originals(address, original):
    assert original_of(document(url=address)) == original
    assert ("Original" in plain(citation(url=address))) == (original is not None)


@pytest.mark.usefixtures("arabic")
def test_arabic_citation_has_arabic_labels_and_unchanged_words():
    for told in (plain(citation()), markdown(citation())):
        assert "الأسطر: ٣–٥" in told
        assert "١ مارس ٢٠٢٥" in told
        assert "Lines" not in told
        assert "Author" not in told
        assert ADDRESS in told
        assert SHA256 in told
        assert "Envoys met in Geneva." in told
        assert "wire/v1.txt" in told


# --- the words


def test_words_are_exact_with_their_line_ends():
    words = "  First,\u202e \u00a0 the «words»\n\n\tas they «stand»…  "
    assert plain(citation(words)).endswith(f"Words:\n{words}")


@pytest.mark.parametrize("length", [1, QUOTED - 1, QUOTED])
def test_short_words_are_quoted_whole(length):
    assert shorten("x" * length) == ("x" * length, "")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("word " * 500, 1_999),  # the last word that is whole
        ("x" * 3_000, QUOTED),  # one that has no end
        ("شَ" * 1_500, QUOTED),
        ("ab" + "شَ" * 1_500, QUOTED),
        ("a" + "شَ" * 1_500, QUOTED - 1),  # no mark is taken from its letter
        ("x" * 1_950 + " " + "y" * 2_000, 1_950),
        ("x" * QUOTED + " y", QUOTED),
    ],
)
def test_very_long_words_are_shortened_at_a_space_with_a_note(words, shown):
    quoted, note = shorten(words)
    assert quoted == f"{words[:shown]}…"
    assert note == f"shortened: the first {shown:,} of {len(words):,} characters"
    assert not unicodedata.combining(words[shown])
    assert f"Words ({note}):\n{quoted}" in plain(citation(words))
    assert markdown(citation(words)).endswith(f"\n\n({note})")


# --- lines


# --- hostile texts


@given(nasty)
def test_facts_are_one_line_without_direction_overrides(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not any(
        unicodedata.bidirectional(char)
        in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI", "B")
        for char in line
    )
    assert all(unicodedata.category(char) != "Cc" for char in line)
    assert [char for char in line if char.isalnum()] == [char for char in text if char.isalnum()]


def test_path_is_shown_with_its_invisible_characters():
    assert shown_path("new\nline\u202etxt.exe") == "new\\nline\\u202etxt.exe"
    assert shown_path("مجلد/ملف\u200c.txt") == "مجلد/ملف\u200c.txt"
    assert visible("a\0b\x1b\tc\n") == "a\ufffdb\ufffd\tc\n"
    assert title_of(document(title="\u202e", file={"path": "a\rb"})) == "a\\rb"


class Rendered(HTMLParser):
    """What a reader of Markdown sees: the elements, and the text of each kind, line breaks and all."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.links, self.texts, self._open = [], [], {}, []
        rules = ["table", "strikethrough"]
        self.feed(MarkdownIt("commonmark").enable(rules).render(source))
        assert self._open == []

    def handle_startendtag(self, tag, attributes):
        assert (tag, attributes) == ("br", [])

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        for tag in set(self._open):
            self.texts[tag][-1] += data


@given(
    title=nasty, author=nasty, source=nasty, words=nasty, path=st.text(NASTY, min_size=1, max_size=20),
    record=st.text(NASTY, min_size=1, max_size=20), url=st.text("a/?&=<>`*_[]()#\u202e\u2066ش", max_size=20),
)  # fmt: skip
def test_markdown_renders_texts_literally(title, author, source, words, path, record, url):
    url = f"https://x.example/{url}"
    facts = {"author": author, "url": url, "file": {"path": f"{path}.txt"}}
    doc_id = f"{path}.txt::{record}x"
    given = citation(f"x{words}", title=f"x{title}", source=source, doc_id=doc_id, **facts)
    source_text = markdown(given)
    seen = Rendered(source_text)
    assert set(seen.tags) <= {"p", "strong", "a", "ul", "li", "code", "blockquote"}
    assert seen.links == [ADDRESS]
    assert [seen.tags.count(each) for each in ("a", "strong", "ul", "blockquote", "code")] == [1, 1, 1, 1, 4]
    assert seen.texts["a"] == [one_line(f"x{title}")]
    shown = url.replace("\u202e", "%E2%80%AE").replace("\u2066", "%E2%81%A6")
    assert seen.texts["code"] == [shown, shown_path(f"{path}.txt"), shown_path(f"{record}x"), SHA256]
    assert seen.texts["blockquote"][0].split() == visible(f"x{words}").split()
    known = {text.partition(": ")[0]: text.partition(": ")[2] for text in seen.texts["li"]}
    assert known.get("Author", "").split() == one_line(author).split()
    assert known.get("Source", "").split() == one_line(source).split()
    for line in source_text.split("\n"):
        if not line.startswith(">"):  # the words are exact, and alone in their lines
            assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in line)


def test_addresses_in_texts_do_not_become_links():
    told = markdown(citation("See https://a.example, WWW.b.example and c@d.example."))
    assert "https\\://a.example" in told
    assert "WWW\\.b.example" in told
    assert "c\\@d.example" in told


def test_words_keep_their_lines_in_markdown():
    seen = Rendered(markdown(citation("One\n  two\r\nthree\rfour\n\n\nfive")))
    assert [line.strip() for line in seen.texts["blockquote"][0].split("\n") if line.strip()] == [
        "One", "two", "three", "four", "five"
    ]  # fmt: skip
