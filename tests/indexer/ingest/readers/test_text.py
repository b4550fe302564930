"""Plain text and Markdown: the document is the file, letter for letter, whatever its encoding."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import UnreadableFile
from indexer.text.front_matter import front_matter
from tests.support.encoded_texts import IN_BYTES
from tests.support.read_files import read_untouched
from tests.support.time_bounds import at_most

ENGLISH = (
    "Divers map a drowned harbour\r\n\r\n"
    "Divers from the coastal survey have mapped the drowned harbour off the point, and found two quays\r\n"
    "of dressed stone under nine metres of water. Nobody had drawn it before, the survey says.\r\n"
)
ARABIC = (
    "غواصون يرسمون ميناء غارقا\n\n"
    "رسم غواصون من هيئة مسح السواحل ميناء غارقا قبالة الرأس، ووجدوا رصيفين من حجر منحوت\n"
    "على عمق تسعة أمتار. وقالت الهيئة إن الميناء ضاع في زلزال قديم، وإن أحدا لم يرسمه من قبل.\n"
)


def read(text, path="a.txt", names=None, **sidecars):
    (document,) = read_untouched(path, text.encode() if isinstance(text, str) else text, names, **sidecars)
    return document


@pytest.mark.parametrize("suffix", [".txt", ".md", ".TXT.gz", ".Md.GZ"])
@pytest.mark.parametrize("encoding", IN_BYTES)
@pytest.mark.parametrize("text", [ENGLISH, ARABIC], ids=["english", "arabic"])
def test_the_text_is_the_decoded_file_in_every_encoding(text, encoding, suffix):
    data = IN_BYTES[encoding](text)
    document = read(gzip.compress(data) if suffix.lower().endswith(".gz") else data, f"a{suffix}")
    assert document.text == text
    assert document.file.basis == "file"
    name = document.file.encoding
    assert data.endswith(document.text.encode(name))
    assert encoding.startswith(name) or text is ENGLISH


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff\x06"), min_size=1))
def test_any_text_in_utf8_comes_back_untouched(text):
    try:
        document = read(text)
    except UnreadableFile as error:
        assert str(error) == "it is empty"
        assert not text.strip()
    else:
        assert document.text == text or document.file.basis == "extracted"


def test_a_text_that_was_repaired_is_not_the_file():
    misread = "".join(bytes([each]).decode("windows-1252", "ignore") or chr(each) for each in ARABIC.encode())
    document = read(misread)
    assert document.text == ARABIC
    assert document.file.basis == "extracted"
    assert "read again" in document.notes


def test_text_has_only_the_facts_of_its_first_lines():
    document = read("Divers map a harbour\n3 May 2024\n\nBody.\n")
    assert (document.title, document.published, document.source) == ("", "2024-05-03", "")
    assert document.author == ""


# Markdown

MATTER = """---
title: "Divers map: a harbour"
date: 2024-05-03
author:
  - Lina Haddad
  - Sami Nasser
source: Reef Wire
link: https://reef.example/harbour
draft: no
---
# Another heading

Body.
"""


def test_front_matter_gives_the_facts_and_stays_in_the_text():
    document = read(MATTER, "a.md")
    assert document.text == MATTER
    assert (document.title, document.published) == ("Divers map: a harbour", "2024-05-03")
    assert (document.source, document.author) == ("Reef Wire", "Lina Haddad, Sami Nasser")
    assert document.url == "https://reef.example/harbour"


def test_arabic_front_matter_is_read():
    document = read(
        "---\nالعنوان: ميناء غارق\nالكاتب: لينا حداد\nالتاريخ: 3 مايو 2024\n---\n" + ARABIC, "a.md"
    )
    assert (document.title, document.published) == ("ميناء غارق", "2024-05-03")
    assert document.author == "لينا حداد"


def test_front_matter_with_windows_line_ends_is_read():
    document = read(MATTER.replace("\n", "\r\n"), "a.md")
    assert (document.title, document.published) == ("Divers map: a harbour", "2024-05-03")
    assert document.text == MATTER.replace("\n", "\r\n")


def test_configured_names_apply_to_front_matter():
    assert read("---\nlead: Quays\ntitle: x\n---\nBody.", "a.md", {"title": "lead"}).title == "Quays"


@pytest.mark.parametrize(
    "text",
    [
        "--- \nAn aside\n---\nBody.",  # a sentence between two rules
        "---\n- a\n- b\n---\nBody.",
        "---\ntitle: [unclosed\n---\nBody.",
        "---\ntitle: never closed\n\nBody.",
        "\n---\ntitle: not at the start\n---\nBody.",
        "---\n---\nBody.",
        '---\ntitle: "\\UFFFFFFFF"\n---\nBody.',
        "---\ntitle: \x07\n---\nBody.",
        "---\n" + "[" * 5_000 + "\n---\nBody.",
        "---\n? [a]\n: b\n---\nBody.",
        "---\n!!python/object/apply:os.system [echo]\n---\nBody.",
    ],
)
def test_invalid_front_matter_is_text(text):
    document = read(text, "a.md")
    assert document.text == text
    assert front_matter(text) == ""


def test_self_referencing_front_matter_is_read_to_a_limit():
    endless = "---\ntitle: &a\n  - Quays\n  - *a\n---\nBody."
    assert read(endless, "a.md").title in ("Quays, Quays", "")


def test_self_multiplying_front_matter_is_read_in_bounded_time():
    lists = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lists += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 12)]
    text = "\n".join(["---", *lists, "title: *a11", "---", "Body."])
    with at_most(5):
        assert read(text, "a.md").text == text


def test_lone_surrogate_in_front_matter_is_dropped():
    assert read('---\ntitle: "Quays \\ud83d"\n---\nBody.', "a.md").title == "Quays"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Divers *map* a [harbour](https://a.example)\n\nBody.", "Divers map a harbour"),
        ("Divers map a harbour\n====\n\nBody.", "Divers map a harbour"),
        ("Body first.\n\n## Then a heading\n\n# And another", "Then a heading"),
        ("# غواصون `يرسمون` **ميناء**\n", "غواصون يرسمون ميناء"),
        ("Divers map\na *harbour*\n====\n", "Divers map a harbour"),
        (f"# {'x' * 501}\n", ""),
        (f"{'A paragraph. ' * 60}\n---\n", ""),
        ("#\n\nBody.", ""),
        ("#No space\n", ""),
        ("    # code\n", ""),
        ("```\n# code\n```\n", ""),
        ("Body.", ""),
        ("# Title &amp; more ##\n", "Title & more"),
    ],
)
def test_the_title_of_markdown_is_its_first_heading(text, title):
    assert read(text, "a.md").title == title


def test_heading_in_front_matter_is_not_the_title():
    assert read("---\nauthor: x\n# a comment\n---\nBody.", "a.md").title == ""


@pytest.mark.parametrize(
    "piece", ["[", "![", "*a ", "> ", "- ", "`", "<", "[a](<b", "_a__", "# ", "&#", "[a]: <\n"]
)
def test_hostile_markdown_is_read_in_bounded_time(piece):
    text = "# Title\n\n" + piece * 20_000
    with at_most(5):
        document = read(text, "a.md")
    assert (document.title, document.text) == ("Title", text)
