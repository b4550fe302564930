"""Bytes to documents: files that are read, and refusals with their messages."""

import gzip
import hashlib
import json

import pytest

from indexer.datatypes import SourceFile
from indexer.errors import UnreadableFile
from indexer.text.lines import split_lines
from tests.support.read_files import read_documents


def read(data, path="news/a.txt"):
    if isinstance(data, str):
        data = data.encode()
    (document,) = read_documents(path, data)
    return document


def refusal(data, path="a.txt"):
    with pytest.raises(UnreadableFile) as caught:
        read(data, path)
    return str(caught.value)


def test_document_is_the_unchanged_file():
    data = "  عنوان المقال \r\n\r\nقال الوزير.\u2028\r\n".encode()
    document = read(data, "ar/2025/a.txt")
    assert document.text == data.decode()
    assert (document.doc_id, document.title, document.source) == ("ar/2025/a.txt", "عنوان المقال", "ar/2025")
    assert (document.lang, document.published) == ("ar", None)
    assert document.file == SourceFile("ar/2025/a.txt", hashlib.sha256(data).hexdigest(), "file", "utf-8")
    assert (document.author, document.url, document.notes, document.left_out) == ("", "", "", 0)


def test_a_file_at_the_root_of_the_archive_has_no_source():
    assert read("Title", "a.txt").source == ""


@pytest.mark.parametrize("path", ["a.txt", "A.TXT", "a.b.Txt", "مقال.txt"])
def test_suffix_selects_the_reader_in_any_case(path):
    assert read("Title", path).doc_id == path


@pytest.mark.parametrize(
    "path", ["a.docx", "a", "a.txt.bak", "folder.txt/a", "a.gz", "a.pdf.gz", "a.txt.gz.gz"]
)
def test_unknown_suffix_is_refused_with_the_known_ones(path):
    message = refusal("Title", path)
    assert "(.csv, .htm, .html, .json, .jsonl, .md, .ndjson, .tsv, .txt, plain or .gz)" in message


PROSE = "Divers have mapped the drowned harbour off the point, and found two quays of dressed stone there."
FORMATS = {
    ".txt": PROSE,
    ".md": PROSE,
    ".html": f"<body><p>{PROSE}</p></body>",
    ".htm": f"<body><p>{PROSE}</p></body>",
    ".json": json.dumps({"text": PROSE}),
    ".jsonl": json.dumps({"text": PROSE}),
    ".csv": f'text\n"{PROSE}"\n',
}


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("suffix", [*FORMATS, *(f"{suffix}.gz" for suffix in FORMATS)])
def test_every_format_is_read_plain_and_gzipped_in_either_case(suffix, case):
    plain = suffix.removesuffix(".gz")
    data = FORMATS[plain].encode()
    document = read(gzip.compress(data) if suffix != plain else data, f"a{case(suffix)}")
    assert document.text == PROSE
    assert document.file.basis == ("file" if plain in (".txt", ".md") else "extracted")
    assert document.file.encoding == "utf-8"


@pytest.mark.parametrize("suffix", FORMATS)
def test_nested_gzip_is_refused_in_every_format(suffix):
    data = gzip.compress(gzip.compress(FORMATS[suffix].encode()))
    assert refusal(data, f"a{suffix}.gz") if suffix != ".jsonl" else not read_documents(f"a{suffix}.gz", data)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_refused_where_it_is_empty(suffix):
    assert refusal(b"", f"a{suffix}").startswith("it is empty")
    assert refusal(b"", f"a{suffix}.gz").startswith("it is empty")
    assert refusal(gzip.compress(b" \n"), f"a{suffix}.gz").startswith("it is empty")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_gzip_file_that_ends_early_is_refused_in_every_format(suffix):
    data = gzip.compress(FORMATS[suffix].encode() * 20)
    assert "not a whole gzip file" in refusal(data[:-9], f"a{suffix}.gz")


def test_a_byte_order_mark_is_not_counted():
    data = "\ufeffTitle\nBody".encode()
    document = read(data)
    assert document.text == "Title\nBody"
    assert document.title == "Title"
    assert document.file.sha256 == hashlib.sha256(data).hexdigest()


def test_only_the_first_byte_order_mark_is_removed():
    assert read("\ufeffTitle\n\ufeffBody").text == "Title\n\ufeffBody"


@pytest.mark.parametrize(
    ("data", "byte"),
    [
        (b"ok \xed\xa0\x80", 4),  # half of a surrogate pair
        ("سلام".encode()[:-1], 7),  # cut in the middle of a letter
        ("\ufeffab".encode() + b"\xe9", 6),  # bytes of the file are counted, its mark too
    ],
)
def test_invalid_utf8_is_refused_with_the_byte_and_the_remedy(data, byte):
    message = refusal(data)
    assert f"(byte {byte})" in message
    assert "save it as UTF-8" in message


@pytest.mark.parametrize("data", [b"Title\0", b"\x89PNG\r\n\0\0"])
def test_nul_bytes_are_refused(data):
    assert "NUL" in refusal(data)


@pytest.mark.parametrize("data", ["", "\ufeff", " \t\r\n\r\n", "\u00a0\u2003\n", "\ufeff\n"])
def test_an_empty_or_blank_file_is_refused(data):
    assert refusal(data) == "it is empty"


def test_the_title_is_the_first_line_that_is_not_blank():
    assert read("\n \r\r\n\tTalks in Geneva \nBody").title == "Talks in Geneva"


def test_other_separators_do_not_end_the_title():
    assert read("Talks\u2028in Geneva\nBody").title == "Talks\u2028in Geneva"


def test_first_line_of_up_to_200_code_points_is_the_title():
    assert read("x" * 200).title == "x" * 200
    assert read("x" * 201).title == "x" * 90 + "…"


def test_the_title_of_a_long_first_line_ends_between_words():
    line = "قال المتحدث " * 40
    title = read(line).title
    assert title.endswith("…")
    assert line.startswith(title[:-1] + " ")
    assert 60 <= len(title) <= 91


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_kept_as_they_are(end):
    document = read(f"Title{end}{end}Body{end}")
    assert document.text == f"Title{end}{end}Body{end}"
    assert len(split_lines(document.text)) == 3


@pytest.mark.parametrize(("text", "lang"), [("Geneva talks", "en"), ("محادثات جنيف", "ar"), ("2025", "und")])
def test_a_document_has_the_language_of_its_text(text, lang):
    assert read(text).lang == lang
