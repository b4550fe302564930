"""HTML: the article of a page and its facts; a parser that may take what it wants, but not for long."""

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from indexer.datatypes import Document
from indexer.errors import UnreadableFile
from indexer.ingest.documents import documents_of
from indexer.ingest.files import find_files, open_file
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers import html
from indexer.ingest.readers.html import PageWorker
from indexer.ingest.readers.registry import Readers
from tests.support.encoded_texts import IN_BYTES
from tests.support.time_bounds import at_most

TITLE = "Divers map a drowned harbour"
PARAGRAPHS = [
    "Divers from the coastal survey have mapped the drowned harbour off the point, and found two quays.",
    "The quays are of dressed stone and lie under nine metres of water, the survey said in its report.",
    "Nobody had drawn the harbour before, since the sand covers it in all but the calmest of winters.",
]
ARABIC_TITLE = "غواصون يرسمون ميناء غارقا قبالة الرأس"
ARABIC = [
    "رسم غواصون من هيئة مسح السواحل ميناء غارقا قبالة الرأس، ووجدوا رصيفين من حجر منحوت على عمق تسعة أمتار.",
    "وقالت الهيئة في تقريرها إن الميناء ضاع في زلزال قديم، وإن الرمل يغطيه في كل شتاء إلا أهدأها.",
    "ولم يرسم أحد هذا الميناء من قبل، ويأمل الباحثون أن يعودوا إليه في الصيف مع سفينة أكبر.",
]


def article(title=TITLE, paragraphs=PARAGRAPHS, below=""):
    body = "".join(f"<p>{each}</p>" for each in paragraphs)
    return f"<article><h1>{title}</h1>{below}{body}</article>"


def page(body, head="", title=TITLE):
    return f"<!DOCTYPE html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


@pytest.fixture(scope="module")
def worker():
    worker = PageWorker()
    yield worker
    worker.close()


@pytest.fixture
def read(tmp_path, worker):
    """Read a page with a process that all tests of this module share."""

    def read(data, path="a.html", worker=worker):
        (tmp_path / path).write_bytes(data.encode() if isinstance(data, str) else data)
        found = list(find_files(tmp_path))
        with open_file(found[0], tmp_path) as source:
            (document,) = documents_of(source, Readers({}, worker), Sidecars(tmp_path, found, {}))
        assert isinstance(document, Document)
        return document

    return read


@pytest.fixture
def refusal(read):
    def refusal(*arguments, **named):
        with pytest.raises(UnreadableFile) as caught:
            read(*arguments, **named)
        return str(caught.value)

    return refusal


def lines(document):
    return [line for line in document.text.split("\n") if line]


# The article


@pytest.mark.parametrize("path", ["a.html", "a.htm", "A.HTML", "a.htm.gz", "A.HTML.GZ"])
def test_the_text_of_a_page_is_its_title_and_its_paragraphs(read, path):
    data = page("<nav><a href='/'>Home</a></nav>" + article() + "<footer>Reef Wire</footer>").encode()
    document = read(gzip.compress(data) if path.lower().endswith(".gz") else data, path)
    assert lines(document) == [TITLE, *PARAGRAPHS]
    assert (document.title, document.doc_id) == (TITLE, path)
    assert document.file.basis == "extracted"


@pytest.mark.parametrize(
    "unseen",
    [
        "<script>var text = '{}';</script>", "<style>/* {} */</style>", "<!-- {} -->", "<template><p>{}</p></template>",
        "<script type='application/json'>{{\"text\": \"{}\"}}</script>", "<svg><text>{}</text></svg>",
        "<![CDATA[ <p>{}</p> ]]>", "<?php echo '{}' ?>",
    ],
)  # fmt: skip
def test_hidden_elements_are_not_in_the_text(read, unseen):
    secret = "The vault is opened with the key that hangs behind the third lamp of the long corridor."
    document = read(page(unseen.format(secret) + article()))
    assert secret not in document.text
    assert lines(document) == [TITLE, *PARAGRAPHS]


@pytest.mark.parametrize(
    "between", ["</body></html>", "</html>", "</body>", "</HTML >", "</html><html><body>"]
)
def test_content_after_the_closing_html_tag_is_read(read, between):
    text = read(page(f"<h1>{TITLE}</h1><p>{PARAGRAPHS[0]}</p>{between}<p>{PARAGRAPHS[1]}</p>")).text
    assert PARAGRAPHS[0] in text
    assert PARAGRAPHS[1] in text


@pytest.mark.parametrize(
    "markup",
    [
        article(),
        f"<title>{TITLE}</title>{article()}",
        f"<body>{article()}",
        page(article()).replace("</p>", "").replace("</article>", ""),
        page(article()).replace("</head><body>", "").replace("</body></html>", ""),
        page(article()).replace("p>", "P>").replace("h1>", "H1>"),
        f"<?xml version='1.0' encoding='utf-16'?>\n{page(article())}",
        f"\n\n   {page(article())}",
    ],
)
def test_incomplete_page_is_read(read, markup):
    assert lines(read(markup)) == [TITLE, *PARAGRAPHS]


def test_plain_text_in_an_html_file_is_read(read):
    assert read("\n".join(PARAGRAPHS)).text.split() == " ".join(PARAGRAPHS).split()


@pytest.mark.parametrize(
    "escaped", ["&#0;", "&#xD800;", "&#x110000;", "&#1;", "\x01", "\x0b", "&nosuch;", "&"]
)
def test_invalid_character_references_are_read_safely(read, escaped):
    text = read(page(article(paragraphs=[f"{escaped} {each}" for each in PARAGRAPHS]))).text
    assert text.encode()
    assert "\0" not in text
    for each in PARAGRAPHS:
        assert each in text


@pytest.mark.parametrize("escaped", ["\\\\u0000", "\\\\ud800", "\\\\ud83d"])
def test_lone_surrogates_in_page_metadata_are_read_safely(read, escaped):
    said = (
        f'{{"@type": "NewsArticle", "headline": "{escaped} {TITLE}", "author": {{"name": "Lina {escaped}"}},'
        f' "url": "https://reef.example/{escaped}", "articleBody": "{escaped} {" ".join(PARAGRAPHS)}"}}'
    ).replace("\\\\", "\\")
    document = read(page("<p>.</p>", f'<script type="application/ld+json">{said}</script>'))
    for value in filter(None, (document.text, document.title, document.author, document.url, document.notes)):
        assert value.encode()
        assert "\0" not in value


@pytest.mark.parametrize(
    "markup",
    [
        "<html></html>", page(""), page("<div><p></p></div>"), page("<script>x()</script>"), page("<!-- a -->"),
        page("<p>Too short.</p>"), "<frameset><frame src='a.html'></frameset>", "<", "<<<<>>>>", "</p>", "&nbsp;",
        "<html><body><img src='a.png'></body></html>", "<!DOCTYPE html>", "<!--", "<![CDATA[", "<?xml?>",
    ],
)  # fmt: skip
def test_a_page_without_an_article_is_refused(refusal, markup):
    assert refusal(markup) in ("no article was found in the page", "it cannot be parsed (ParserError)")


@pytest.mark.parametrize("data", ["", " \n", "\ufeff", "\ufeff \r\n"])
def test_an_empty_page_is_refused_as_empty(refusal, data):
    assert refusal(data) == "it is empty"


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", page(article()).encode() + b"\0"])
def test_binary_file_is_refused(refusal, data):
    assert "NUL" in refusal(data)


def test_the_lines_outside_the_article_are_counted(read):
    document = read(page("<ul><li>Home page</li><li>Weather today</li></ul>" + article()))
    assert document.left_out == 2


# Encodings

DECLARATIONS = {
    "none": "",
    "utf-8": '<meta charset="utf-8">',
    "windows-1256": '<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=windows-1256">',
    "iso-8859-6": "<meta charset='ISO-8859-6'/>",
    "iso-8859-1": "<meta charset=iso-8859-1>",
    "unknown": '<meta charset="x-klingon">',
}


@pytest.mark.parametrize("declared", DECLARATIONS)
@pytest.mark.parametrize("encoding", IN_BYTES)
def test_page_is_decoded_by_its_bytes_whatever_it_declares(read, encoding, declared):
    markup = page(article(ARABIC_TITLE, ARABIC), DECLARATIONS[declared], ARABIC_TITLE)
    document = read(IN_BYTES[encoding](markup))
    assert lines(document) == [ARABIC_TITLE, *ARABIC]
    assert document.title == ARABIC_TITLE
    assert encoding.startswith(document.file.encoding)


def test_xml_prolog_is_an_encoding_declaration(read):
    markup = f'<?xml version="1.0" encoding="windows-1256"?>{page(article(ARABIC_TITLE, ARABIC), "", ARABIC_TITLE)}'
    document = read(markup.encode("windows-1256"))
    assert lines(document) == [ARABIC_TITLE, *ARABIC]


# Facts


@pytest.mark.parametrize(
    "head",
    [
        '<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle",'
        f' "headline": "{TITLE}", "datePublished": "2024-05-03T09:00:00+03:00", "dateModified": "2024-06-01",'
        ' "author": {"@type": "Person", "name": "Lina Haddad"}}</script>'
        '<link rel="canonical" href="https://www.reef.example/harbour">',
        '<meta property="article:published_time" content="2024-05-03T09:00:00Z">'
        '<meta property="article:modified_time" content="2024-06-01T09:00:00Z">'
        '<meta name="author" content="Lina Haddad">'
        '<meta property="og:url" content="https://www.reef.example/harbour">',
    ],
    ids=["json-ld", "meta"],
)
def test_facts_come_from_the_page_metadata(read, head):
    document = read(page(article(), head))
    assert (document.title, document.published) == (TITLE, "2024-05-03")
    assert document.source == "reef.example"
    assert document.author == "Lina Haddad"
    assert document.url == "https://www.reef.example/harbour"


@pytest.mark.parametrize(
    ("line", "title", "paragraphs"),
    [
        ("Published 3 May 2024", TITLE, PARAGRAPHS),
        ("May 3, 2024, 9:15 am", TITLE, PARAGRAPHS),
        ("الجمعة 3 مايو 2024", ARABIC_TITLE, ARABIC),
        ("٣ أيار ٢٠٢٤ - ٩:١٥", ARABIC_TITLE, ARABIC),
        ("03/05/2024", ARABIC_TITLE, ARABIC),
    ],
)
def test_date_is_read_from_a_line_below_the_title(read, line, title, paragraphs):
    document = read(page(article(title, paragraphs, f"<div class='x'><span>{line}</span></div>"), "", title))
    assert document.published == "2024-05-03"


@pytest.mark.parametrize("told", ["0001-01-01", "2999-01-01", "2024-31-12", "soon", "", "1714000000000000"])
def test_invalid_day_is_unknown(read, told):
    head = f'<meta property="article:published_time" content="{told}">'
    assert read(page(article(), head)).published is None


def test_dates_elsewhere_in_a_page_are_ignored(read):
    body = article(
        paragraphs=[*PARAGRAPHS, "The first survey sailed on 4 June 1987 and found nothing at all."]
    )
    other = "<aside><a href='/2023/01/02/x'>Old story</a> of 2 January 2023</aside>"
    assert read(page(body + other)).published is None


def test_file_time_is_not_a_date(read, tmp_path):
    (tmp_path / "a.html").write_text(page(article()))
    os.utime(tmp_path / "a.html", (1_000_000_000, 1_000_000_000))
    assert read(page(article())).published is None


@pytest.mark.parametrize("told", ["javascript:x()", "/harbour", "reef", "http://[", "https:///x"])
def test_invalid_address_is_dropped(read, told):
    assert read(page(article(), f'<meta property="og:url" content="{told}">')).url == ""


# The process that parses


def is_running(worker):
    return worker._process is not None and worker._process.poll() is None


def test_page_over_the_time_limit_is_refused_and_the_next_is_read(read, refusal):
    worker = PageWorker(seconds=0.01)
    assert refusal(page(article()), worker=worker) == "its markup takes more than 0.01 seconds to parse"
    worker.seconds = 20
    assert lines(read(page(article()), worker=worker)) == [TITLE, *PARAGRAPHS]
    worker.close()


def test_endless_parse_is_ended(refusal):
    worker = PageWorker()
    worker.page(page(article()))  # so that it has started
    worker.seconds = 0.5
    hostile = page("<p " + " ".join(f"a{at}=1" for at in range(60_000)) + ">" + article())
    started = time.perf_counter()
    assert refusal(hostile, worker=worker) == "its markup takes more than 0.5 seconds to parse"
    assert time.perf_counter() - started < 5
    assert not is_running(worker)


def test_page_over_the_memory_limit_is_refused_and_the_next_is_read(read, refusal):
    resource = pytest.importorskip("resource")
    worker = PageWorker()
    worker.page(page(article()))
    pid = worker._process.pid
    used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (used + (8 << 20), used + (8 << 20)))
    message = refusal(page("<p>a " * 400_000), worker=worker)
    assert (
        message in ("it needs more memory than a page may", "its markup ends the parser")
        or "parsed" in message
    )
    assert lines(read(page(article()), worker=worker)) == [TITLE, *PARAGRAPHS]
    worker.close()


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td", "blockquote", "span"])
def test_excessively_nested_markup_is_refused(refusal, tag):
    assert refusal(page(f"<{tag}>" * 20_000 + article())) == "its markup is nested too deeply"


def test_article_in_deeply_nested_markup_is_refused_and_not_truncated(refusal):
    body = article() + "<div>" * 300 + f"<p>{PARAGRAPHS[0]}</p>" + "</div>" * 300
    assert refusal(page(body)) == "its markup is nested too deeply"


def test_parser_killed_while_parsing_refuses_only_that_page(read, refusal):
    worker = PageWorker()
    worker.page(page(article()))
    threading.Timer(0.3, worker._process.kill).start()
    hostile = page("<p " + " ".join(f"a{at}=1" for at in range(60_000)) + ">" + article())
    assert refusal(hostile, worker=worker) == "its markup ends the parser"
    assert lines(read(page(article()), worker=worker)) == [TITLE, *PARAGRAPHS]
    worker.close()


def test_parser_killed_between_pages_loses_no_page(read):
    worker = PageWorker()
    read(page(article()), worker=worker)
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()
    assert lines(read(page(article()), worker=worker)) == [TITLE, *PARAGRAPHS]
    worker.close()


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit()",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'\\0\\0')",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'\\0\\0\\1\\0{\"text\": ')",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'\\0\\0\\1\\0')",
    ],
)
def test_incomplete_worker_answer_is_refused(program):
    worker = PageWorker()
    worker._process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with pytest.raises(UnreadableFile, match="its markup ends the parser"):
        worker.fragment("<p>" + "x" * 200_000)
    assert worker.fragment("<p>Two quays") == "Two quays"
    worker.close()


def test_worker_starts_on_first_use_and_ends_with_its_readers():
    worker = PageWorker()
    with Readers({}, worker):
        assert not is_running(worker)
        assert worker.fragment("<p>Two<br>quays") == "Two\nquays"
        process = worker._process
        assert is_running(worker)
    assert process.poll() is not None
    worker.close()


def test_a_large_page_is_read_in_time(read):
    body = article(paragraphs=[f"{at} {each}" for at in range(1_500) for each in PARAGRAPHS])
    comments = "".join(f"<li>{at} what a line</li>" for at in range(15_000))
    started = time.perf_counter()
    text = read(page(body + f"<ul>{comments}</ul>")).text
    assert time.perf_counter() - started < 10
    assert f"1499 {PARAGRAPHS[-1]}" in text


def test_outside_line_search_ends_in_bounded_time(monkeypatch):
    monkeypatch.setattr(html, "_SEARCHED", 100_000)
    text = "\n".join(f"{at} {PARAGRAPHS[0]}" for at in range(3_000))
    shown = [*text.split("\n"), *(f"{at} outside" for at in range(200_000))]
    with at_most(5):
        outside = list(html._outside(shown, text))
    assert outside == shown[3_000:]
