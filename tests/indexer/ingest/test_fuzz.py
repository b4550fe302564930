"""Damaged files: a reader refuses any bytes with a reason or gives complete documents."""

import gzip
import itertools
import json
import re
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.datatypes import Document
from indexer.errors import UnreadableFile
from indexer.ingest.documents import documents_of
from indexer.ingest.files import FoundFile, open_file
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.registry import Readers
from indexer.store.staging import StagedDocuments

EXAMPLES = 12
SECONDS = 2

ENGLISH = (
    "Divers have mapped the drowned harbour off the point, and found two quays of dressed stone there.",
    "The quays lie under nine metres of water, and nobody had drawn them before, the survey says.",
)
ARABIC = (
    "رسم غواصون من هيئة مسح السواحل ميناء غارقا قبالة الرأس، ووجدوا رصيفين من حجر منحوت.",
    "وقالت الهيئة إن الميناء ضاع في زلزال قديم، وإن أحدا لم يرسمه من قبل في أي خريطة.",
)


def _text(lines):
    return f"{lines[0][:30]}\r\n3 May 2024\r\n\r\n" + "\r\n".join(lines)


def _markdown(lines):
    matter = "title: 'Quays'\ndate: 2024-05-03\nauthor: [Lina, {name: Sami}]\nurl: https://reef.example/a"
    return f"---\n{matter}\n---\n# {lines[0][:30]} *x* [y](z)\n\n" + "\n\n".join(lines)


def _page(lines):
    said = json.dumps({"@type": "NewsArticle", "headline": lines[0][:30], "datePublished": "2024-05-03"})
    return (
        f'<!DOCTYPE html><html lang="ar"><head><meta charset="utf-8"><title>{lines[0][:30]} | Wire</title>'
        f'<meta property="og:url" content="https://reef.example/a"><script type="application/ld+json">{said}</script>'
        f"</head><body><nav><a href='/'>Home</a></nav><article><h1>{lines[0][:30]}</h1><span>3 May 2024</span>"
        + "".join(f"<p>{line} <b>bold</b> &amp; &#8217;</p>" for line in lines * 2)
        + "<table><tr><td>1</td></tr></table></article><!-- end --></body></html>"
    )


def _records(lines):
    return [
        {
            "id": "a",
            "title": lines[0][:30],
            "text": lines[0],
            "date": "2024-05-03T10:00:00Z",
            "tags": ["x", 1, None],
        },
        {"id": 7, "title": {"rendered": "Quays"}, "text": list(lines), "author": [{"name": "Lina"}]},
        {
            "_id": {"$oid": "65"},
            "headline": "Q&amp;A",
            "body": f"<p>{lines[0]}</p><p>{lines[1]}",
            "url": "https://a.b/",
        },
    ]


def _json(lines):
    return json.dumps(
        {"status": "ok", "data": {"items": _records(lines)}}, ensure_ascii=lines is ENGLISH, indent=1
    )


def _json_lines(lines):
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in _records(lines))


def _table(lines):
    rows = [f'{at};"{line}";"{line}\n""quoted"" <b>x</b>";3 May 2024' for at, line in enumerate(lines)]
    return "\r\n".join(["id;title;text;date", *rows])


WRITERS = {
    ".txt": _text, ".md": _markdown, ".html": _page, ".json": _json, ".jsonl": _json_lines, ".csv": _table,
}  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "windows-1256")
WHOLE = {
    suffix: [write(lines).encode(encoding, "ignore") for lines in (ENGLISH, ARABIC) for encoding in ENCODINGS]
    for suffix, write in WRITERS.items()
}
WHOLE |= {
    f"{suffix}.gz": [gzip.compress(data) for data in WHOLE[suffix][::3]] for suffix in (".txt", ".jsonl")
}
PIECES = [
    b"\0", b"\xff", b"\xd8", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b'"', b"\\u0000", b"\\ud800", b"<", b"&#0;",
    b"{", b"[", b"}", b"]", b",", b"---\n", b"<!--", b"</html>", b"<p>", b"\\", b"NaN", b"1e999", b"*a", b"\x1f\x8b",
]  # fmt: skip


def test_every_format_is_fuzzed():
    assert WRITERS.keys() == Readers({}).suffixes - {".htm", ".ndjson", ".tsv"}  # which share readers


@st.composite
def truncated(draw, suffix):
    data = draw(st.sampled_from(WHOLE[suffix]))
    return (
        data[draw(st.integers(0, len(data))) :]
        if draw(st.booleans())
        else data[: draw(st.integers(0, len(data)))]
    )


@st.composite
def spliced(draw, suffix):
    """The beginning of a file with the end of another, maybe one of another format."""
    first = draw(st.sampled_from(WHOLE[suffix]))
    second = draw(st.sampled_from(WHOLE[draw(st.sampled_from([suffix, *WHOLE]))]))
    return first[: draw(st.integers(0, len(first)))] + second[draw(st.integers(0, len(second))) :]


@st.composite
def flipped(draw, suffix):
    data = bytearray(draw(st.sampled_from(WHOLE[suffix])))
    for _ in range(draw(st.integers(1, 5))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@st.composite
def studded(draw, suffix):
    """A file into which pieces are put that mean something to one reader or another."""
    data = draw(st.sampled_from(WHOLE[suffix]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.sampled_from(PIECES)) * draw(st.sampled_from([1, 1, 2, 300])) + data[at:]
    return data


def random(_):
    return st.binary(max_size=600) | st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


DAMAGE = (random, truncated, spliced, flipped, studded)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Read bytes under a suffix; one folder and one process that parses HTML for all of them."""
    folder, numbers = tmp_path_factory.mktemp("damaged"), itertools.count()
    with Readers({}) as readers:

        def read(suffix, data):
            file = FoundFile(f"{next(numbers)}{suffix}", folder / f"damaged{suffix}")
            file.location.write_bytes(data)
            return file.path, list(_documents(file, folder, readers))

        read(".html", WHOLE[".html"][0])  # so that no example waits for the process to start
        yield read


def _documents(file, folder, readers):
    seen = set()
    try:
        with open_file(file, folder) as source:
            for each in documents_of(source, readers, Sidecars(folder, [file], {}), seen.__contains__):
                if isinstance(each, Document):
                    seen.add(each.doc_id)
                    yield each
                else:
                    assert each.path.startswith(file.path)
                    assert each.reason.encode()
    except UnreadableFile as error:
        assert str(error).encode()
        assert len(str(error)) < 300


def is_line(value):
    return value.encode() and "\0" not in value and " ".join(value.split()) == value and len(value) <= 500


def check(path, document):
    assert document.text.encode()
    assert document.text.strip()
    assert "\0" not in document.text
    assert document.title == "" or is_line(document.title)
    assert document.source == "" or is_line(document.source)
    assert document.published is None or re.fullmatch(r"\d{4}-\d\d-\d\d", document.published)
    assert document.published is None or 1800 <= date.fromisoformat(document.published).year < 2100
    for value in (document.author, document.url):
        assert value == "" or is_line(value)
    assert (document.url or "http").lower().startswith("http")
    assert document.doc_id == path or document.doc_id.startswith(f"{path}::")
    assert re.fullmatch("[a-z]{2,3}|mixed", document.lang)


def check_range(document, data):
    """Where offsets point into the file, its text is the file, letter for letter."""
    if document.file.basis == "file":
        plain = gzip.decompress(data) if document.doc_id.endswith(".gz") else data
        assert plain.endswith(document.text.encode(document.file.encoding))
        assert len(plain) - len(document.text.encode(document.file.encoding)) <= 4


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("suffix", WHOLE)
def test_damaged_file_is_refused_or_gives_complete_documents(read, suffix, damage):
    @settings(
        max_examples=EXAMPLES,
        deadline=SECONDS * 1_000,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(damage(suffix))
    def holds(data):
        path, documents = read(suffix, data)
        staged = StagedDocuments()
        for document in documents:
            check(path, document)
            check_range(document, data)
            staged.add(document, b"", 0, [])  # each id once, all of it to be written down
        assert staged.count_to_write() == len(documents)
        staged.close()

    holds()


@pytest.mark.parametrize("suffix", WHOLE)
def test_sample_files_are_undamaged(read, suffix):
    for data in WHOLE[suffix]:
        path, documents = read(suffix, data)
        assert documents
        for document in documents:
            check(path, document)
