"""The sentence that answers a question: marked in lists and articles, stated in the API and in exports."""

import csv
import io
import json
from urllib.parse import urlencode

import pytest

from indexer import build_index
from indexer.cli.output import result_text
from tests.support.fakes import FakeModel, open_fake
from tests.support.html_checks import page_of
from tests.support.search_pages import client_of

ANSWER = "Ferries of the southern line were painted yellow by their crews."
ARTICLE = (
    "News of the harbour\n"
    "Dock workers mended nets beside the old stone quay until dusk fell. "
    f"{ANSWER} Merchants counted barrels under lanterns while children slept nearby.\n"
)
QUESTION = {"q": "Who painted the ferries of the southern line yellow?"}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    place = tmp_path_factory.mktemp("answers")
    (folder := place / "articles").mkdir()
    (folder / "harbour.txt").write_text(ARTICLE, "utf-8")
    (folder / "short.txt").write_text("Ferries and barrels of yellow paint.\n", "utf-8")
    build_index(folder, place / "index", FakeModel())
    return place / "index"


@pytest.fixture(scope="module")
def client(index):
    return client_of(index)


def hits_of(client, **parameters):
    found = client.get(f"/api/v1/search?{urlencode({**QUESTION, **parameters})}").get_json()
    return {hit["source"]["path"]: hit for hit in found["hits"]}


def test_api_gives_the_range_of_the_sentence(client):
    hits = hits_of(client)
    answer, text = hits["harbour.txt"]["answer"], hits["harbour.txt"]["text"]
    assert text[answer["start"] : answer["end"]] == ANSWER
    assert 0.5 <= answer["confidence"] <= 1
    assert hits["short.txt"]["answer"] is None


@pytest.mark.parametrize("parameters", [{"mode": "lexical"}, {"highlight": "false"}])
def test_no_answer_without_meaning_or_without_marks(client, parameters):
    assert [hit["answer"] for hit in hits_of(client, **parameters).values()] == [None] * len(
        hits_of(client, **parameters)
    )


@pytest.mark.parametrize("address", ["/", "/documents/harbour.txt"])
def test_page_marks_the_sentence_apart_from_the_words(client, address):
    page = page_of(client, f"{address}?{urlencode(QUESTION)}")
    marked = page.all("strong", class_="answer")
    assert "".join(part.text for part in marked) == ANSWER
    words = [mark.text for part in marked for mark in part.all("mark")]
    assert words == ["Ferries", "southern", "line", "painted", "yellow"]


def test_exports_state_the_sentence(client):
    rows = csv.DictReader(
        io.StringIO(client.get(f"/export.csv?{urlencode(QUESTION)}").get_data().decode("utf-8-sig"))
    )
    assert {row["file"]: row["answer"] for row in rows} == {"harbour.txt": ANSWER, "short.txt": ""}
    lines = client.get(f"/export.jsonl?{urlencode(QUESTION)}").get_data(as_text=True).splitlines()
    answers = {(hit := json.loads(line))["source"]["path"]: hit["answer"] for line in lines}
    assert answers["short.txt"] is None
    assert answers["harbour.txt"]["end"] - answers["harbour.txt"]["start"] == len(ANSWER)


def test_command_line_prints_the_sentence(index):
    result = open_fake(index).search(QUESTION["q"])
    assert result_text(result).count("\nAnswer: ") == 1
    assert f"\nAnswer: {ANSWER}\n" in result_text(result)
