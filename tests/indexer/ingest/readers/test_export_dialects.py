"""JSON and tables as programs really export them: other dialects, and values in their nests."""

import gzip
import json

import pytest

from tests.support.read_files import read_all

QUAYS = "Divers have mapped two quays of dressed stone under nine metres of water off the point."
KILN = "The potter's kiln by the old gate burned for nine days before anybody opened its door."


@pytest.fixture
def read(tmp_path):
    """Read one file; return its documents and, by the id of the record, why others are none."""

    def read(data, path="a.json"):
        (tmp_path / path).write_bytes(data.encode() if isinstance(data, str) else data)
        documents, refused = read_all(tmp_path)
        return documents, {each.path: each.reason for each in refused}

    return read


@pytest.mark.parametrize(
    "data",
    [
        f'{{"text": "{QUAYS}"}}\n{{"text": "{KILN}"}}', f'{{\n"text": "{QUAYS}"\n}}\n{{\n"text": "{KILN}"\n}}\n',
        f'[{{"text": "{QUAYS}", "n": NaN}}, {{"text": "{KILN}", "n": -Infinity}}]',
        f'var news = [{{"text": "{QUAYS}"}}, {{"text": "{KILN}"}}];',
        f'callback({{"items": [{{"text": "{QUAYS}"}}, {{"text": "{KILN}"}}], "next": NaN}});',
        f'{{"chats": {{"list": [{{"messages": [{{"text": "{QUAYS}"}}]}}, {{"messages": [{{"text": "{KILN}"}}]}}]}}}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["json", "jsonl", "ndjson"])
def test_json_in_a_wider_sense_is_read(read, data, suffix):
    documents, refused = read(data, f"a.{suffix}")
    assert ([each.text for each in documents], refused) == ([QUAYS, KILN], {})


def test_strict_json_before_a_value_that_is_none_is_read_once(read):
    data = f'[{{"text": "{QUAYS}"}}, {{"text": "{KILN}"}}, {{"text": "{QUAYS} 3", "n": NaN}}]'
    assert [each.doc_id for each in read(data)[0]] == ["a.json::1", "a.json::2", "a.json::3"]


def test_fields_as_exports_nest_them(read):
    data = json.dumps([{
        "title": {"rendered": "Quays &#8220;open&#8221;"}, "content": {"rendered": f"<p>{QUAYS}</p>"},
        "date": {"$date": {"$numberLong": "1766102400000"}}, "author": 5,
        "_embedded": {"author": [{"name": "Lina Aziz"}]},
    }])  # fmt: skip
    ((document,), _) = read(data)
    assert (document.title, document.author, document.published) == (
        "Quays “open”",
        "Lina Aziz",
        "2025-12-19",
    )


@pytest.mark.parametrize(
    "data",
    [
        f'sep=;\r\ntitle;text\r\nQuays;"{QUAYS}"\r\n', f'title,text,,\nQuays,"{QUAYS}",,\nno text here,,,\n',
        f'title,text\nQuays,"{QUAYS}",,\n', f"title\ttext\nQuays\t{QUAYS}\n",
        f'title,text,note\n"Quays","{QUAYS}",\\N\n"a","\\"b\\" c",\\N\n',
    ],
)  # fmt: skip
def test_tables_as_programs_write_them(read, data):
    documents, _ = read(data, "a.csv")
    assert (documents[0].title, documents[0].text) == ("Quays", f"Quays\n\n{QUAYS}")


def test_row_with_a_nul_is_refused_alone(read):
    documents, refused = read(f"text\n{QUAYS}\na\0b\n{KILN}\n".encode(), "a.csv")
    assert [each.text for each in documents] == [QUAYS, KILN]
    assert refused == {"a.csv::2": "it has a byte that is no text in UTF-8"}


def test_pieces_of_formatted_text_join_without_line_breaks(read):
    pieces = ["Divers have ", {"type": "bold", "text": "mapped"}, " two quays\nand a mole."]
    ((document,), _) = read(json.dumps({"messages": [{"text": pieces}]}))
    assert document.text == "Divers have mapped two quays\nand a mole."


def test_gzip_is_unpacked_whatever_its_name(read):
    ((document,), _) = read(gzip.compress(f"Quays\n\n{QUAYS}\n".encode()), "a.txt")
    assert document.title == ""
    assert document.text == f"Quays\n\n{QUAYS}\n"


def test_references_in_a_text_file_are_read_as_letters_and_noted(read):
    ((document,), _) = read(f"&#1576;&#1604;&#1583; &amp; sea\n\n{QUAYS}", "a.txt")
    assert document.text == f"بلد & sea\n\n{QUAYS}"
    assert document.file.basis == "extracted"
    assert document.notes == "references to letters, as HTML has them, read as the letters: 4"


def test_toml_front_matter_gives_the_facts(read):
    matter = '+++\ntitle = "Quays"\ndate = 2025-12-19T10:00:00+03:00\nauthor = "Lina Aziz"\n+++\n'
    ((document,), _) = read(f"{matter}\n{QUAYS}\n", "a.md")
    assert (document.title, document.author, document.published) == ("Quays", "Lina Aziz", "2025-12-19")
    ((document,), _) = read(f"+++\nno toml\n+++\n\n{QUAYS}\n", "a.md")
    assert document.title == ""
