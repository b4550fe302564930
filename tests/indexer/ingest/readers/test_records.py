"""JSON, JSON Lines and CSV: every article of a file, and each refused record with its reason."""

import codecs
import csv
import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import UnreadableFile
from indexer.ingest.readers import records
from tests.support.encoded_texts import IN_BYTES
from tests.support.read_files import read_all
from tests.support.time_bounds import at_most

QUAYS = "Divers have mapped two quays of dressed stone under nine metres of water off the point."
KILN = "The potter's kiln by the old gate burned for nine days before anybody opened its door."
ARABIC = (
    "رسم غواصون من هيئة مسح السواحل ميناء غارقا قبالة الرأس، ووجدوا رصيفين من حجر منحوت على عمق تسعة أمتار."
    "\nوقالت الهيئة إن الميناء ضاع في زلزال قديم، وإن أحدا لم يرسمه من قبل."
)


@pytest.fixture
def read(tmp_path):
    """Read one file; return its documents and, by the id of the record, why others are none."""

    def read(data, path="a.json", names=None):
        if not isinstance(data, str | bytes):
            data = json.dumps(data, ensure_ascii=False)
        (tmp_path / path).write_bytes(data.encode() if isinstance(data, str) else data)
        documents, refused = read_all(tmp_path, names)
        return documents, {each.path: each.reason for each in refused}

    return read


def refusal(read, *arguments):
    with pytest.raises(UnreadableFile) as caught:
        read(*arguments)
    return str(caught.value)


def lines(*objects):
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in objects)


def table(*rows, delimiter=",", end="\r\n"):
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=end).writerows(rows)
    return written.getvalue()


# Where the articles of a file are


def test_json_file_of_one_article_is_read(read):
    (document,), refused = read({"id": 7, "title": "Quays", "text": QUAYS})
    assert refused == {}
    assert (document.doc_id, document.title) == ("a.json", "Quays")
    assert document.text == f"Quays\n\n{QUAYS}"
    assert document.file.basis == "extracted"
    assert document.file.record is None


def test_article_with_lists_before_its_text_is_one_article(read):
    comments = [{"text": "First!"}, {"text": "Well said."}]
    (document,), _ = read({"comments": comments, "tags": ["sea"], "title": "Quays", "body": QUAYS})
    assert document.text == f"Quays\n\n{QUAYS}"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda articles: articles,
        lambda articles: {"articles": articles},
        lambda articles: {"status": "ok", "total": 2, "data": {"page": 1, "articles": articles}},
        lambda articles: {"items": articles},
        lambda articles: {"data": {"items": articles}},
        lambda articles: {"rss": {"channel": {"title": "Reef Wire", "item": articles}}},
        lambda articles: {"authors": [{"name": "Lina"}], "result": articles, "more": [{"text": "x"}]},
        lambda articles: {"took": 3, "hits": {"hits": [{"_id": at, "_source": e} for at, e in enumerate(articles)]}},
        lambda articles: [{"_index": "news", "_id": at, "_source": each} for at, each in enumerate(articles)],
        lambda articles: {"المقالات": articles},
    ],
)  # fmt: skip
def test_article_list_is_found_at_any_key(read, wrap):
    documents, refused = read(wrap([{"title": "Quays", "text": QUAYS}, {"title": "Kiln", "text": KILN}]))
    assert refused == {}
    assert [each.title for each in documents] == ["Quays", "Kiln"]
    assert [each.file.record for each in documents] == [1, 2]


def test_lists_inside_articles_are_not_the_article_list(read):
    articles = [{"comments": [{"text": "First!"}], "title": "Quays", "text": QUAYS}]
    (document,), _ = read({"data": {"articles": articles}})
    assert document.title == "Quays"


def test_search_engine_export_has_its_id_next_to_the_source(read):
    export = [{"_id": "x1", "_source": {"text": QUAYS}}, {"_source": {"_id": "x2", "text": KILN}}]
    documents, _ = read(export)
    assert [each.doc_id for each in documents] == ["a.json::x1", "a.json::x2"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n \n"])
@pytest.mark.parametrize("path", ["a.json", "a.jsonl", "a.JSONL"])
def test_json_lines_are_recognized_under_either_suffix(read, path, end):
    documents, refused = read(lines({"text": QUAYS}, {"text": KILN}).replace("\n", end) + end, path)
    assert [each.text for each in documents] == [QUAYS, KILN]
    assert refused == {}


def test_a_long_file_of_objects_on_lines_is_read_from_its_first_line(read):
    documents, refused = read(lines(*({"id": at, "text": KILN} for at in range(700))))
    assert [each.doc_id for each in documents] == [f"a.json::{at}" for at in range(700)]
    assert refused == {}


def test_a_printed_object_on_many_lines_is_one_article(read):
    (document,), _ = read(json.dumps({"text": QUAYS, "tags": {"a": 1}}, indent=1))
    assert (document.doc_id, document.text) == ("a.json", QUAYS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_table_is_read_with_any_column_separator(read, delimiter):
    rows = [
        ("id", "title", "text"),
        ("q", "Quays, two", QUAYS + "\nAnd; more,\nof | it."),
        ("k", "Kiln", KILN),
    ]
    documents, refused = read(table(*rows, delimiter=delimiter), "a.csv")
    assert refused == {}
    assert [(each.doc_id, each.title) for each in documents] == [
        ("a.csv::q", "Quays, two"),
        ("a.csv::k", "Kiln"),
    ]
    assert documents[0].text == f"Quays, two\n\n{QUAYS}\nAnd; more,\nof | it."


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_may_end_its_lines_in_any_way(read, end):
    documents, _ = read(table(("text", "title"), (QUAYS, "Quays"), (KILN, "Kiln"), end=end), "a.csv")
    assert [each.title for each in documents] == ["Quays", "Kiln"]


def test_blank_lines_of_a_table_are_passed_over_and_not_counted(read):
    documents, refused = read(f"\r\n\r\ntext,title\r\n\r\n{QUAYS},a\r\n,\r\n\r\n{KILN},b\r\n", "a.csv")
    assert [each.doc_id for each in documents] == ["a.csv::1", "a.csv::2"]
    assert refused == {}


def test_short_row_lacks_its_last_fields(read):
    (document,), _ = read(f"text,title,author\n{QUAYS}\n", "a.csv")
    assert (document.text, document.title) == (QUAYS, "")


def test_arabic_table_is_read(read):
    rows = [("المعرف", "العنوان", "النص", "التاريخ"), ("م١", "ميناء غارق", ARABIC, "3 مايو 2024")]
    (document,), _ = read(table(*rows), "a.csv")
    assert (document.doc_id, document.title) == ("a.csv::م١", "ميناء غارق")
    assert (document.published, document.lang) == ("2024-05-03", "ar")
    assert document.text == f"ميناء غارق\n\n{ARABIC}"


# What a field's text is


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (QUAYS, QUAYS),
        (f"  {QUAYS}\r\n\r\n", f"  {QUAYS}\r\n\r\n"),
        ([QUAYS, KILN], f"{QUAYS}\n{KILN}"),
        ([QUAYS, None, "", 3, [KILN]], f"{QUAYS}\n{KILN}"),
        ([{"type": "p", "text": QUAYS}, {"type": "image"}, {"text": KILN}], f"{QUAYS}\n{KILN}"),
        ({"rendered": QUAYS, "protected": False}, QUAYS),
        ({"text": QUAYS}, QUAYS),
        (f"<p>{QUAYS}</p><p>{KILN}</p>", f"{QUAYS}\n{KILN}"),
        (f"<DIV>{QUAYS}<br/>{KILN}</DIV><script>x()</script><!-- y -->", f"{QUAYS}\n{KILN}"),
        ("<p>Old\nquays</p>", "Old quays"),
        ("Old <b>quays</b>\n\nand a <a href='x'>kiln</a>", "Old quays\nand a kiln"),
        ("Old &quot;quays&quot;\n\nand 3 &lt; 4 &amp; x", 'Old "quays"\n\nand 3 < 4 & x'),
        ("if a<b then c &amp; d", "if a<b then c & d"),
        ("3 < 4 and R&D; <نص> stays", "3 < 4 and R&D; <نص> stays"),
        ("</div></body></html>Old quays <p>and a kiln", "Old quays\nand a kiln"),
        ("<p>a&#0;b&#xD800;c</p>", "a\ufffdb\ufffdc"),
    ],
)
def test_a_text_is_a_string_a_list_of_paragraphs_or_markup(read, value, text):
    (document,), refused = read([{"text": value}])
    assert refused == {}
    assert document.text == text


def test_title_at_the_start_of_the_text_is_not_repeated(read):
    (document,), _ = read([{"title": "Quays", "text": f"\n Quays\n{QUAYS}"}])
    assert document.text == f"\n Quays\n{QUAYS}"


def test_escaped_characters_in_titles_are_read_as_in_texts(read):
    (document,), _ = read([{"title": "Fish &amp; chips", "text": f"Fish &amp; chips\n{QUAYS}"}])
    assert (document.title, document.text) == ("Fish & chips", f"Fish & chips\n{QUAYS}")


@pytest.mark.parametrize(
    "record",
    [
        {"العنوان": "ميناء", "النص": ARABIC, "الكاتب": "لينا", "التاريخ": "2024-05-03", "المصدر": "الريف"},
        {"headline": "ميناء", "articleBody": ARABIC, "byline": "لينا", "pubDate": "2024-05-03", "site": "الريف"},
        {
            "title": {"rendered": "ميناء"}, "content": {"rendered": ARABIC}, "author": [{"name": "لينا"}],
            "date": "2024-05-03T08:00:00", "source": {"id": None, "name": "الريف"},
        },
    ],
)  # fmt: skip
def test_facts_are_found_under_common_export_names(read, record):
    (document,), _ = read([record])
    assert (document.title, document.published, document.source) == ("ميناء", "2024-05-03", "الريف")
    assert document.author == "لينا"
    assert document.text == f"ميناء\n\n{ARABIC}"


@pytest.mark.parametrize(
    ("record", "names"),
    [
        ({"text": "x", "prose": QUAYS}, {"text": "prose"}),
        ({"doc": {"parts": {"prose": QUAYS}}}, {"text": "doc.parts.prose"}),
        ({"doc.prose": QUAYS}, {"text": "doc.prose"}),
    ],
)
@pytest.mark.parametrize("path", ["a.json", "a.jsonl"])
def test_configured_name_gives_the_text(read, record, names, path):
    data = lines(record, record) if path == "a.jsonl" else {"data": [record, record]}
    documents, refused = read(data, path, names)
    assert [each.text for each in documents] == [QUAYS, QUAYS]
    assert refused == {}


def test_configured_name_is_found_in_a_file_of_one_article(read):
    (document,), _ = read({"doc": {"prose": QUAYS}, "text": "x"}, "a.json", {"text": "doc.prose"})
    assert (document.doc_id, document.text) == ("a.json", QUAYS)


def test_configured_names_are_table_columns(read):
    names = {"text": "Prose", "id": "Key", "title": "Lead"}
    (document,), _ = read(table(("text", "Prose", "Key", "Lead"), ("x", QUAYS, "k", "Quays")), "a.csv", names)
    assert (document.doc_id, document.title) == ("a.csv::k", "Quays")


# Ids


@pytest.mark.parametrize(
    ("value", "own"),
    [
        ("q-1", "q-1"), (12, "12"), (12.0, "12"), (2**64, str(2**64)), ({"$oid": "65f0"}, "65f0"),
        ("two words\n", "two words"), ("معرف", "معرف"), ("", "1"), (None, "1"), (True, "1"),
        ("x" * 200, "x" * 200), ("x" * 201, "1"), ("half\ud83d", "half"), ("a\0b", "a b"), ("#1::2", "#1::2"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["a.json", "a.jsonl"])
def test_id_is_the_record_id_or_its_number(read, value, own, path):
    record = json.dumps({"text": QUAYS, "id": value})
    documents, refused = read(f"[{record}]" if path == "a.json" else record, path)
    assert refused == {}
    assert [each.doc_id for each in documents] == [f"{path}::{own}"]


def test_repeated_ids_get_a_number_and_a_note(read):
    documents, _ = read(lines(*({"id": own, "text": QUAYS} for own in ("a", "b", "a", "a"))), "a.jsonl")
    assert [each.doc_id for each in documents] == ["a.jsonl::a", "a.jsonl::b", "a.jsonl::3", "a.jsonl::4"]
    assert [each.notes for each in documents] == [
        "", "", "record 3 has the id of another, a", "record 4 has the id of another, a",
    ]  # fmt: skip


def test_record_number_and_equal_record_id_are_distinguished(read):
    documents, _ = read(lines({"id": 2, "text": QUAYS}, {"text": KILN}, {"id": 2, "text": QUAYS}), "a.jsonl")
    ids = [each.doc_id for each in documents]
    assert ids == ["a.jsonl::2", "a.jsonl::2~2", "a.jsonl::3"]


IDS = st.lists(st.sampled_from(["", "1", "2", "3", "2~2", "a", 2]), min_size=1, max_size=8)


@settings(deadline=None)
@given(IDS)
def test_ids_are_unique(tmp_path_factory, ids):
    folder = tmp_path_factory.mktemp("ids")
    (folder / "a.jsonl").write_text(lines(*({"id": own, "text": QUAYS} for own in ids)))
    documents, refused = read_all(folder)
    assert len(documents) == len(ids)
    assert refused == []


def test_ids_are_stable_when_records_are_added_or_removed(read):
    articles = [{"id": own, "text": f"{QUAYS} {own}"} for own in ("a", "b", "c")]

    def texts(records):
        return {each.doc_id: each.text for each in read(records)[0]}

    before = texts(articles)
    assert texts([{"id": "z", "text": KILN}, *articles]).items() >= before.items()
    assert texts(articles[1:]) == {key: before[key] for key in ("a.json::b", "a.json::c")}


# Refused records


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("[1, 2]", "it is no JSON object"),
        ('"text"', "it is no JSON object"),
        ("null", "it is no JSON object"),
        ('{"title": "x"}', "no field of it is an article's text; name it with --field text=NAME"),
        ('{"text": ""}', "no field of it is an article's text; name it with --field text=NAME"),
        ('{"text": " \\n\\u00a0"}', "no field of it is an article's text; name it with --field text=NAME"),
        ('{"text": 12}', "no field of it is an article's text; name it with --field text=NAME"),
        ('{"text": {"parts": 1}}', "no field of it is an article's text; name it with --field text=NAME"),
        ('{"text": "half \\ud83d"}', "its text is not valid Unicode: it holds half a character"),
        ('{"text": "a\\u0000b"}', "it is not text: it holds NUL characters"),
        ('{"text": "<p> </p><br>"}', "its markup shows no text"),
        ('{"text": "&nbsp;"}', "its markup shows no text"),
        ('{"text": "' + "<b>" * 300 + 'x"}', "its markup is nested too deeply"),
        (
            '{"text": ' + "[" * 60 + '"x"' + "]" * 60 + "}",
            "no field of it is an article's text; name it with --field text=NAME",
        ),
    ],
)
@pytest.mark.parametrize("path", ["a.json", "a.jsonl"])
def test_record_without_an_article_is_refused_and_the_others_kept(read, record, reason, path):
    good = json.dumps({"text": QUAYS})
    data = f"{good}\n{record}\n{good}" if path == "a.jsonl" else f"[{good}, {record}, {good}]"
    documents, refused = read(data, path)
    assert [each.doc_id for each in documents] == [f"{path}::1", f"{path}::3"]
    assert refused == {f"{path}::2": reason}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "caf\xe9 na\xefve"}', "it is not UTF-8 text (byte 14 of its line)"),
        (b'{"text": "\xed\xa0\x80"}', "its text is not valid Unicode: it holds half a character"),
        (b'{"text": "a', "it is not JSON: Invalid control character at: line 1 column 12 (char 11)"),
        (b"\x1f\x8b\x08\x00junk", "it is not UTF-8 text (byte 2 of its line)"),
        (b"plain text", "it is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"text": "a"} {"text": "b"}', "it is not JSON: Extra data: line 1 column 15 (char 14)"),
    ],
)
def test_a_broken_line_is_refused_and_the_other_lines_are_kept(read, line, reason):
    good = json.dumps({"text": ARABIC}, ensure_ascii=False).encode()
    documents, refused = read(b"\n".join([good, line, good]), "a.jsonl")
    assert [each.doc_id for each in documents] == ["a.jsonl::1", "a.jsonl::3"]
    assert refused == {"a.jsonl::2": reason}


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000, '{"text": ' + "9" * 10_000 + "}"])
def test_line_with_excessive_nesting_or_digits_is_refused(read, nested):
    documents, refused = read(f"{nested}\n{json.dumps({'text': QUAYS})}", "a.jsonl")
    assert [each.text for each in documents] == [QUAYS]
    assert refused["a.jsonl::1"].startswith("it is not JSON: ")


def test_overlong_line_is_refused_and_the_next_is_read(read, monkeypatch):
    monkeypatch.setattr(records, "RECORD_SIZE", 1 << 20)
    long = json.dumps({"text": "x" * (1 << 20)})
    most = json.dumps({"text": "x" * ((1 << 20) - 13)})
    assert len(most) == (1 << 20) - 1
    documents, refused = read("\n".join([long, most, long, json.dumps({"text": QUAYS})]), "a.jsonl")
    assert [len(each.text) for each in documents] == [(1 << 20) - 13, len(QUAYS)]
    assert refused == dict.fromkeys(
        ("a.jsonl::1", "a.jsonl::3"), "it is longer than 1 MiB, which no article is"
    )


def test_a_row_of_too_many_fields_is_refused_and_the_rest_is_kept(read):
    documents, refused = read(f"text,title\n{QUAYS},a\n{QUAYS},a,b,c\n{KILN},b\n", "a.csv")
    assert [each.doc_id for each in documents] == ["a.csv::1", "a.csv::3"]
    assert refused == {"a.csv::2": "it has 4 fields for 2 columns"}


def test_a_row_without_a_text_is_refused_and_the_rest_is_kept(read):
    _, refused = read(f"text,title\n{QUAYS},a\n,b\n", "a.csv")
    assert refused == {"a.csv::2": "no field of it is an article's text; name it with --field text=NAME"}


@pytest.mark.parametrize("end", ["\n", ""])
def test_unclosed_quote_does_not_swallow_the_following_rows(read, end):
    documents, refused = read(f'id,text\n1,{QUAYS}\n2,"{KILN}\n3,{QUAYS}{end}', "a.csv")
    assert [each.doc_id for each in documents] == ["a.csv::1"]
    assert refused == {"a.csv::2": "a quote in it is not closed, up to the end of the file"}


@pytest.mark.parametrize(
    "field", ['"Quays "" and more"', '"Quays"', 'Quays "and" more', '"a" b', '""""', '"x\n"']
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_row_that_ends_with_a_closed_quote_is_read(read, field, end):
    documents, refused = read(f"id,text\n1,{field}{end}", "a.csv")
    assert len(documents) == 1
    assert refused == {}


# Refused files


@pytest.mark.parametrize(
    ("data", "path"),
    [(b"", "a.json"), (b" \n", "a.json"), (b"", "a.jsonl"), (b"\n\r\n", "a.jsonl"), (b"", "a.csv")]
    + [(codecs.BOM_UTF8, path) for path in ("a.json", "a.jsonl", "a.csv")]
    + [(b"[]", "a.json"), (b"text,title\n", "a.csv"), (b"text", "a.csv"), (b"text,title\r\n,\r\n", "a.csv")],
)
def test_a_file_without_articles_is_refused_as_empty(read, data, path):
    assert refusal(read, data, path).startswith("it is empty")


@pytest.mark.parametrize(
    "data",
    [
        '[{"text": "a"}', '[{"text": "a"}] x', '[{"text": "a"},]', "[{'text': 'a'}]", '{"text": "a", "text"}',
        '[{"text": "a\nb"}]', '[{"text": "\\x"}]', "not json", '[{"id": ' + "9" * 10_000 + ', "text": "a"}]', "[01]",
    ],
)  # fmt: skip
def test_invalid_json_is_refused_in_one_short_line(read, data):
    message = refusal(read, data)
    assert message.startswith("it is not JSON: ")
    assert len(message) < 150
    assert message.isprintable()


@pytest.mark.parametrize(
    "data", ["12", '"text"', "null", "{}", '{"title": "x"}', '{"articles": []}', '{"a": [1]}']
)
def test_json_without_a_text_is_refused_with_the_remedy(read, data):
    assert refusal(read, data) == "no field of it is an article's text; name it with --field text=NAME"


def test_file_of_one_article_without_text_is_refused(read):
    assert refusal(read, {"text": "a\0b"}) == "it is not text: it holds NUL characters"


@pytest.mark.parametrize("piece", ["[", '{"a":', '[{"text":'])
def test_excessively_nested_json_is_refused_at_once(read, piece):
    with at_most(5):
        assert refusal(read, piece * 300_000) == "its lists and objects are nested too deeply"


def test_normally_nested_json_is_read(read):
    deep = {"text": QUAYS}
    for _ in range(90):
        deep = {"text": QUAYS, "inner": deep}
    (document,), _ = read([deep])
    assert document.text == QUAYS


def test_a_record_that_is_too_long_refuses_its_file(read, monkeypatch):
    monkeypatch.setattr(records, "RECORD_SIZE", 1 << 18)
    assert "longer than 0 MiB" in refusal(read, [{"text": QUAYS}, {"text": "x" * (1 << 20)}])
    assert "longer than 0 MiB" in refusal(read, '[{"text": "' + "x" * (1 << 20))
    assert "longer than 0 MiB" in refusal(read, {"text": "x" * (1 << 20)})


def test_a_file_may_be_longer_than_any_of_its_records(read, monkeypatch):
    monkeypatch.setattr(records, "RECORD_SIZE", 1 << 18)
    documents, _ = read([{"text": "x" * 100_000}] * 20)
    assert len(documents) == 20
    documents, _ = read([{"text": f"<b>{'x' * 100_000}"}, {"text": "x" * 100_000}] * 2)
    assert len(documents) == 4


@pytest.mark.parametrize(
    "data",
    [
        "text,title\n" + "x" * (1 << 20) + ",a\n",
        "text,title\n" + '"a\n",' * 200_000,
        f'text,title\n{QUAYS},a\n"' + "x\n" * 200_000,
        "text," + "x" * (1 << 20),
    ],
    ids=["line", "fields", "quote", "header"],
)
def test_a_row_that_is_too_long_refuses_its_table(read, monkeypatch, data):
    monkeypatch.setattr(records, "RECORD_SIZE", 1 << 18)
    message = refusal(read, data, "a.csv")
    assert "longer than 0 MiB" in message or "field larger than field limit" in message


def test_a_table_may_be_longer_than_any_of_its_rows(read, monkeypatch):
    monkeypatch.setattr(records, "RECORD_SIZE", 1 << 18)
    documents, refused = read(table(("text",), *[("x\n" * 50_000,)] * 10), "a.csv")
    assert (len(documents), refused) == (10, {})


def test_blank_rows_are_no_part_of_a_record(read, monkeypatch):
    monkeypatch.setattr(records, "RECORD_SIZE", 1 << 16)
    (document,), _ = read("text,title\n" + ",\n" * 100_000 + f"{QUAYS},a\n", "a.csv")
    assert document.doc_id == "a.csv::1"


def test_a_table_without_a_column_of_texts_is_refused_with_the_remedy(read):
    expected = "no column of it is an article's text; name it with --field text=COLUMN"
    assert refusal(read, "id,title\n1,Quays\n", "a.csv") == expected
    assert refusal(read, f"id,text\n1,{QUAYS}\n", "b.csv", {"text": "prose"}) == expected


@pytest.mark.parametrize("path", ["a.json", "a.csv"])
@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)) * 4, gzip.compress(b"text", mtime=0)]
)
def test_binary_file_is_refused(read, path, data):
    assert refusal(read, data, path)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)), gzip.compress(b"text", mtime=0)]
)
def test_lines_of_a_binary_file_are_refused(read, data):
    documents, refused = read(data, "a.jsonl")
    assert documents == []
    assert refused


def test_invalid_byte_far_after_the_sample_refuses_its_row(read):
    data = table(("text",), *[(ARABIC,)] * 1_000).encode()
    documents, refused = read(data[:-20] + b"\xff" + data[-20:], "a.csv")
    assert len(documents) == 999
    assert refused == {"a.csv::1000": "it has a byte that is no text in UTF-8"}


def test_invalid_byte_in_json_is_read_as_a_replacement_character(read):
    data = json.dumps([{"text": ARABIC}] * 1_000, ensure_ascii=False).encode()
    documents, refused = read(data[:-20] + b"\xff" + data[-20:])
    assert (len(documents), refused) == (1_000, {})
    assert "\ufffd" in documents[-1].text
    assert documents[-1].notes


def test_a_file_that_ends_within_a_character_is_refused(read):
    data = lines(*[{"text": ARABIC}] * 1_000).encode("utf-16")
    assert refusal(read, data[:-1], "a.jsonl") == "it is not utf-16 text; save it as UTF-8"


# Encodings


@pytest.mark.parametrize("encoding", IN_BYTES)
@pytest.mark.parametrize("path", ["a.json", "a.jsonl", "a.csv", "A.JSON.GZ", "a.jsonl.gz", "a.Csv.gz"])
@pytest.mark.parametrize("number", [1, 60], ids=["few", "many"])
def test_every_encoding_gives_the_same_texts(read, path, encoding, number):
    articles = [{"id": at, "title": "ميناء غارق", "text": f"{ARABIC} {at}"} for at in range(number)]
    if ".csv" in path.lower():
        data = table(("id", "title", "text"), *[tuple(each.values()) for each in articles])
    elif "jsonl" in path:
        data = lines(*articles)
    else:
        data = json.dumps(articles, ensure_ascii=False, indent=1)
    data = IN_BYTES[encoding](data)
    documents, refused = read(gzip.compress(data) if path.lower().endswith("gz") else data, path)
    assert refused == {}
    assert [each.text for each in documents] == [f"ميناء غارق\n\n{each['text']}" for each in articles]
    assert {each.doc_id for each in documents} == {f"{path}::{at}" for at in range(number)}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0&<"), min_size=1).filter(
    lambda text: text.strip() and text.isascii()
)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
@pytest.mark.parametrize("path", ["a.json", "a.jsonl", "a.csv"])
def test_any_texts_are_read_back_unchanged(tmp_path_factory, path, texts):
    folder = tmp_path_factory.mktemp("texts")
    if path == "a.csv":
        data = table(("text",), *[(each,) for each in texts])
    else:
        objects = [{"text": each} for each in texts]
        data = lines(*objects) if path == "a.jsonl" else json.dumps(objects)
    (folder / path).write_bytes(data.encode())
    documents, refused = read_all(folder)
    assert [each.text for each in documents] == texts
    assert refused == []
