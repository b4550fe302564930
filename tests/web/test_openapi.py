"""The OpenAPI document: it is valid, it is true of the endpoints, and the pages made from it show all of it."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import open_fake
from places import ROOT

from indexer import WarraqError
from indexer.datatypes import COPIES, LIMIT, MODES, OFFSET, QUERY_LENGTH, SORTS, _says_something
from web import Guard, SearchService, create_app
from web.docs import EXAMPLES, WRITTEN_FOR
from web.samples import DOCUMENT, PROBLEM, SEARCH, SIMILAR, STATS
from web.schemas import (
    DocumentAnswer,
    SearchAnswer,
    SimilarAnswer,
    Stats,
)

CASES = 500


@pytest.fixture(scope="module")
def client(press):
    return create_app(SearchService(press / "index", None, open_fake)).test_client()


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").get_json()


def parameters(document, path):
    return {each["name"]: each for each in document["paths"][path]["get"].get("parameters", [])}


def test_schemathesis_finds_no_failure(live, tmp_path):
    """All its checks, over what the schema allows and what it forbids; the cases are the same in every run."""
    done = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", f"{live}/openapi.json", "--checks", "all",
         "--max-examples", "90", "--generation-deterministic", "--no-color"],
        check=False, capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "contract", "PYTHONPATH": str(ROOT / "tests" / "support")},
    )  # fmt: skip
    print(done.stdout[-1_500:])
    assert done.returncode == 0, done.stdout + done.stderr
    generated, passed = re.findall(r"([\d,]+) generated, ([\d,]+) passed", done.stdout)[0]
    assert int(generated.replace(",", "")) == int(passed.replace(",", "")) >= CASES
    assert "Tested: 4" in done.stdout
    assert "not applicable" not in done.stdout


def test_it_is_made_of_what_the_library_allows(document):
    assert document["openapi"].startswith("3.1")
    found = parameters(document, "/api/v1/search")
    assert set(found) == {
        "q", "limit", "offset", "mode", "lang", "source", "from", "to", "copies", "highlight", "generation", "sort",
    }  # fmt: skip
    schemas = {name: each["schema"] for name, each in found.items()}
    assert (schemas["limit"]["minimum"], schemas["limit"]["maximum"], schemas["limit"]["default"]) == (
        1,
        LIMIT,
        10,
    )
    assert (schemas["offset"]["minimum"], schemas["offset"]["maximum"]) == (0, OFFSET)
    assert schemas["q"]["maxLength"] == QUERY_LENGTH
    assert [name for name, each in found.items() if each["required"]] == ["q"]
    for name, values in (("mode", MODES), ("copies", COPIES), ("sort", SORTS)):
        assert schemas[name]["enum"] == list(values)
    assert {schemas[name]["format"] for name in ("from", "to")} == {"date"}
    assert set(document["paths"]) == {
        "/api/v1/search", "/api/v1/similar", "/api/v1/documents/{doc_id}", "/api/v1/stats",
    }  # fmt: skip
    for path in document["paths"]:
        problems = document["paths"][path]["get"]["responses"]
        assert {"200", "304", "400", "401", "503"} <= set(problems)
        for status, response in problems.items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"]


def test_the_pattern_of_a_question_is_what_the_library_takes_for_one(document):
    pattern = re.compile(parameters(document, "/api/v1/search")["q"]["schema"]["pattern"])
    for char in map(chr, range(0x10000)):
        assert bool(pattern.search(char)) == _says_something(char), hex(ord(char))


def test_its_examples_are_answers(document, client):
    (hit,) = SEARCH["hits"]
    assert [hit["text"][each["start"] : each["end"]] for each in hit["highlights"]] == ["grain", "corridor"]
    passage, cut = DOCUMENT["passages"][0], DOCUMENT["cut"][0]
    assert DOCUMENT["text"][passage["char_start"] : passage["char_end"]].endswith(hit["text"])
    assert DOCUMENT["text"][cut["char_start"] : cut["char_end"]] == " " * len(cut["text"])
    for path, address, model, example in (
        ("search", "search?q=grain+corridor", SearchAnswer, SEARCH),
        ("similar", "similar?doc_id=talks.txt&paragraph=1", SimilarAnswer, SIMILAR),
        ("documents/{doc_id}", "documents/talks.txt", DocumentAnswer, DOCUMENT),
        ("stats", "stats", Stats, STATS),
    ):
        model.model_validate(example, strict=True)
        real = client.get(f"/api/v1/{address}").get_json()
        assert [*real] == [*example]
        if "hits" in real:
            assert [*real["hits"][0]] == [*hit]
            assert [*real["hits"][0]["source"]] == [*hit["source"]]
        answers = document["paths"][f"/api/v1/{path}"]["get"]["responses"]
        assert answers["200"]["content"]["application/json"]["example"] == example
        assert answers["400"]["content"]["application/problem+json"]["example"] == PROBLEM
    assert client.get("/api/v1/search?q=x&limit=0").get_json(force=True) == PROBLEM


@pytest.mark.parametrize("secret", [None, "a long secret"])
def test_it_says_whether_the_server_wants_a_secret(press, secret):
    client = create_app(SearchService(press / "index", None, open_fake), Guard(secret=secret)).test_client()
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    document = client.get("/openapi.json", headers=headers).get_json()
    assert document.get("security", []) == ([{"bearer": []}, {"basic": []}] if secret else [])
    assert {"bearer", "basic"} == set(document["components"]["securitySchemes"])
    page = client.get("/docs", headers=headers).get_data(as_text=True)
    assert ("This server wants a secret" in page) == bool(secret)
    page = client.get("/docs/examples", headers=headers).get_data(as_text=True)
    assert ("the secret that this server wants" in page) == bool(secret)


def shown_as(text):
    """A text as the page has it: what stands between backticks is code."""
    text = html.escape(text, quote=False).replace("'", "&#39;")
    return re.sub("`([^`]*)`", r"<code>\1</code>", text)


def test_the_page_shows_every_parameter_every_answer_and_every_model(client, document):
    page = client.get("/docs").get_data(as_text=True)
    for path, methods in document["paths"].items():
        assert f"GET {path}" in page
        for name, each in parameters(document, path).items():
            assert f"<code>{name}</code>" in page
            assert shown_as(each["description"]) in page
        for status, response in methods["get"]["responses"].items():
            assert f'<th scope="row">{status}</th>' in page
            assert shown_as(response["description"]) in page
    for name, model in document["components"]["schemas"].items():
        assert f'<h3 id="{name}">' in page
        assert all(f"<code>{field}</code>" in page for field in model["properties"])
    targets = set(re.findall(r'href="#(\w+)"', page)) - {"main"}
    assert targets <= set(re.findall(r'id="(\w+)"', page))


def subclasses(kind):
    return {each for child in kind.__subclasses__() for each in (child, *subclasses(child))}


def test_the_page_lists_every_code_that_an_endpoint_may_give(client):
    page = client.get("/docs").get_data(as_text=True)
    never = {"no_archive", "unreadable_file"}  # of the command line
    codes = {
        vars(each)["code"] for each in subclasses(WarraqError) if isinstance(vars(each).get("code"), str)
    }
    assert {"loading", "overloaded", "bad_host"} <= codes
    for code in codes - never:
        assert f"<code>{code}</code>" in page, code
    for address in (
        "search",
        "search?q=%01",
        "search?q=" + "x" * 1_001,
        "search?q=x&a=b",
        "documents/nobody",
        "search?q=x&generation=a",
    ):
        code = client.get(f"/api/v1/{address}").get_json(force=True)["code"]
        assert f"<code>{code}</code>" in page, code


def test_the_document_and_the_pages_load_nothing_from_elsewhere(client, live):
    for address in ("/docs", "/docs/examples", "/openapi.json"):
        response = client.get(address)
        assert response.status_code == 200
        assert not re.search(r'(?:src|href)="(?:https?:)?//', response.get_data(as_text=True))


# --- the examples are run as they stand on the page ------------------------------------------------


def shown(live, name):
    """The code of an example as a running server shows it."""
    from urllib.request import urlopen

    with urlopen(f"{live}/docs/examples") as response:
        page = response.read().decode()
    (code,) = re.findall(rf'<h2 id="{re.escape(name)}">.*?<code>(.*?)</code></pre>', page, re.DOTALL)
    assert WRITTEN_FOR not in code
    return html.unescape(code)


def run(*command, **options):
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_shown(live):
    for name in EXAMPLES:
        assert live in shown(live, name)


@pytest.mark.parametrize("name", ["search.sh", "secret.sh"])
def test_the_shell_examples_give_an_answer(live, tmp_path, name):
    import json

    environment = os.environ | {"WARRAQ_SECRET": "none is wanted here"}
    found = json.loads(run("bash", "-euc", shown(live, name), cwd=tmp_path, env=environment))
    assert found["hits"]
    assert len(found["hits"]) <= (3 if name == "search.sh" else 10)
    if name == "secret.sh":
        assert found["query"] == "أزمة المياه في الأردن"
        assert all(hit["source"]["published"] >= "2024-01-01" for hit in found["hits"])


def test_asking_again_is_answered_without_a_body(live, tmp_path):
    assert run("bash", "-euc", shown(live, "again.sh"), cwd=tmp_path) == "304\n"


def test_the_python_examples_print_what_they_say(live, tmp_path):
    lines = run(sys.executable, "-c", shown(live, "every_hit.py"), cwd=tmp_path).splitlines()
    assert len(lines) > 20
    assert all(re.match(r""".+, lines \d+–\d+: ['"].+""", line) for line in lines)
    lines = run(sys.executable, "-c", shown(live, "receipt.py"), cwd=tmp_path).splitlines()
    assert len(lines) == 10
    assert all(re.search(r"is right, and [1-9]\d* passages", line) for line in lines)
