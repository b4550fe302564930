"""The OpenAPI document: it is valid, it is true of the endpoints, and the pages made from it show all of it."""

import hashlib
import html
import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from indexer import Searcher, WarraqError, build_index
from indexer.request import COPIES, LIMIT, MODES, NAMES, OFFSET, QUERY_LENGTH, SORTS, is_visible
from indexer.retrieval.fusion import DEPTH
from indexer.retrieval.searcher import SORTED_BY_DATE
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel, open_fake
from tests.support.paths import ROOT
from tests.support.server_process import serving
from web import Guard, SearchService, create_app
from web.api.docs import EXAMPLES, WRITTEN_FOR
from web.api.schemas import EXAMPLES as ANSWERS
from web.api.schemas import (
    DocumentAnswer,
    DocumentsAnswer,
    SearchAnswer,
    SimilarAnswer,
    SourcesAnswer,
    Stats,
    Suggestions,
)
from web.server.security import ALLOWED_FAILURES

CASES = 250


@pytest.fixture(scope="module")
def client(press):
    return create_app(SearchService(press / "index", None, open_fake)).test_client()


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").get_json()


def parameters(document, path):
    """The parameters of an endpoint's query string or path, by name."""
    every = document["paths"][path]["get"].get("parameters", [])
    return {each["name"]: each for each in every if each["in"] != "header"}


def test_schemathesis_finds_no_failure(live, tmp_path):
    """All its checks, over what the schema allows and what it forbids; the cases are the same in every run."""
    done = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", f"{live}/openapi.json", "--checks", "all",
         "--max-examples", "45", "--generation-deterministic", "--no-color"],
        check=False, capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    print(done.stdout[-1_500:])
    assert done.returncode == 0, done.stdout + done.stderr
    generated, passed = re.findall(r"([\d,]+) generated, ([\d,]+) passed", done.stdout)[0]
    assert int(generated.replace(",", "")) == int(passed.replace(",", "")) >= CASES
    assert "Tested: 7" in done.stdout
    assert "not applicable" not in done.stdout


def test_schema_limits_equal_those_of_the_library(document):
    assert document["openapi"].startswith("3.1")
    found = parameters(document, "/api/v1/search")
    assert set(found) == {
        "q", "limit", "offset", "mode", "lang", "source", "author", "from", "to", "copies", "highlight", "generation",
        "sort", "names", "explain",
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
    for name, values in (("mode", MODES), ("copies", COPIES), ("names", NAMES), ("sort", SORTS)):
        assert schemas[name]["enum"] == list(values)
    assert {schemas[name]["format"] for name in ("from", "to")} == {"date"}
    assert set(document["paths"]) == {
        "/api/v1/search", "/api/v1/similar", "/api/v1/suggest", "/api/v1/documents", "/api/v1/documents/{doc_id}",
        "/api/v1/sources", "/api/v1/stats",
    }  # fmt: skip
    for path in document["paths"]:
        problems = document["paths"][path]["get"]["responses"]
        assert {"200", "304", "400", "401", "503"} <= set(problems)
        for status, response in problems.items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"]


def test_question_pattern_equals_the_rule_of_the_library(document):
    pattern = re.compile(parameters(document, "/api/v1/search")["q"]["schema"]["pattern"])
    for char in map(chr, range(0x10000)):
        assert bool(pattern.search(char)) == is_visible(char), hex(ord(char))


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """The folder of the two articles that the examples are of, and a client of their index."""
    place = tmp_path_factory.mktemp("sampled")
    folder = place / "articles"
    folder.mkdir()
    (folder / "talks.txt").write_text(
        "Talks in Geneva\n\nEnvoys discussed the grain corridor.\n\nShare this article\n", "utf-8"
    )
    facts = {"source": "wire", "published": "2025-03-01"}
    (folder / "talks.txt.meta.json").write_text(json.dumps(facts), "utf-8")
    (folder / "talks.ar.txt").write_text("محادثات في جنيف\n\nبحث المبعوثون ممر الحبوب.\n", "utf-8")
    build_index(folder, place / "index", FakeModel(name="bundled"))
    return folder, create_app(SearchService(place / "index", None, open_fake)).test_client()


SAMPLES = [
    ("search", "search?q=grain+corridor&limit=1", SearchAnswer, ANSWERS["search"]),
    ("similar", "similar?doc_id=talks.txt&passage=1", SimilarAnswer, ANSWERS["similar"]),
    ("suggest", "suggest?q=talks", Suggestions, ANSWERS["suggest"]),
    ("documents", "documents", DocumentsAnswer, ANSWERS["documents"]),
    ("sources", "sources", SourcesAnswer, ANSWERS["sources"]),
    ("documents/{doc_id}", "documents/talks.txt", DocumentAnswer, ANSWERS["document"]),
    ("stats", "stats", Stats, ANSWERS["stats"]),
]


def but(values, *names):
    """JSON values without what differs from one build, one model or one moment to another."""
    if isinstance(values, dict):
        return {name: but(value, *names) for name, value in values.items() if name not in names}
    return [but(each, *names) for each in values] if isinstance(values, list) else values


@pytest.mark.parametrize(("path", "address", "model", "example"), SAMPLES)
def test_schema_examples_are_real_answers(document, sampled, path, address, model, example):
    model.model_validate(example, strict=True)
    text = sampled[1].get(f"/api/v1/{address}").get_data(as_text=True)
    real = json.loads(
        text.replace(json.loads(text).get("generation", "-"), example.get("generation", "-"))
    )  # in `next` too
    assert [*real] == [*example]
    varying = ("took_ms", "built", "score")
    assert but(real, *varying) == but(example, *varying)
    answers = document["paths"][f"/api/v1/{path}"]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["example"] == example
    assert answers["400"]["content"]["application/problem+json"]["example"] == ANSWERS["problem"]


def test_schema_examples_use_one_article(sampled, client):
    folder, _ = sampled
    (hit,), shown = ANSWERS["search"]["hits"], ANSWERS["document"]
    provenance, content = hit["source"], (folder / "talks.txt").read_bytes()
    assert provenance["sha256"] == shown["sha256"] == hashlib.sha256(content).hexdigest()
    assert hit["text"] == shown["text"][provenance["char_start"] : provenance["char_end"]]
    assert hit["text"] == content.decode()[provenance["char_start"] : provenance["char_end"]]
    assert (
        hit["text"].splitlines()
        == content.decode().splitlines()[provenance["line_start"] - 1 : provenance["line_end"]]
    )
    assert shown["passages"] == [{name: {**provenance, "lang": "en"}[name] for name in shown["passages"][0]}]
    assert [hit["text"][each["start"] : each["end"]] for each in hit["highlights"]] == ["grain", "corridor"]
    (cut,) = shown["cut"]
    assert shown["text"][cut["char_start"] : cut["char_end"]] == " " * len(cut["text"])
    assert content.decode()[cut["char_start"] : cut["char_end"]] == cut["text"]
    assert client.get("/api/v1/search?q=x&limit=0").get_json(force=True) == ANSWERS["problem"]


def test_every_parameter_field_and_header_has_a_meaning(document):
    told = {
        f"{name}.{field}": schema.get("description", "")
        for name, model in document["components"]["schemas"].items()
        for field, schema in model.get("properties", {}).items()
    }
    told |= {name: model.get("description", "") for name, model in document["components"]["schemas"].items()}
    told |= {name: each["description"] for name, each in document["components"]["headers"].items()}
    for path, methods in document["paths"].items():
        told |= {
            f"{path} {each['name']}": each.get("description", "") for each in methods["get"]["parameters"]
        }
    assert len(told) > 130
    assert {name for name, text in told.items() if not re.fullmatch(r"\S.*\.", text)} == set()
    assert "newspaper or folder" in told["Facets.source"]
    assert "newspaper or folder" in told["DocumentAnswer.source"]
    assert "the words stand" in told["Hit.source"]


# --- how much of what matches a list has -----------------------------------------------------------

MANY = 250  # more than either way of searching finds


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The index of an archive of many articles that say about the same, none of them of a source or day."""
    place = tmp_path_factory.mktemp("many")
    (place / "articles").mkdir()
    lines = [
        json.dumps({"id": str(n), "text": f"The dams of valley {n} are full."}) + "\n" for n in range(MANY)
    ]
    (place / "articles" / "feed.jsonl").write_text("".join(lines), "utf-8")
    build_index(place / "articles", place / "index", FakeModel())
    return place / "index"


def test_lists_and_facets_match_their_descriptions(document, many):
    client = create_app(SearchService(many, None, open_fake)).test_client()
    fields = document["components"]["schemas"]["SearchAnswer"]["properties"]
    assert f"best {DEPTH} passages" in fields["total_is"]["description"]
    assert f"best {SORTED_BY_DATE} of" in fields["total_is"]["description"]
    assert f"best {SORTED_BY_DATE} passages" in parameters(document, "/api/v1/search")["sort"]["description"]
    for mode, sort, total, counted in (
        ("dense", "relevance", DEPTH, DEPTH), ("lexical", "relevance", DEPTH, DEPTH),
        ("dense", "date", SORTED_BY_DATE, SORTED_BY_DATE), ("lexical", "date", SORTED_BY_DATE, SORTED_BY_DATE),
    ):  # fmt: skip
        found = client.get(f"/api/v1/search?q=dams&mode={mode}&sort={sort}").get_json()
        assert (found["total"], found["listed"], found["total_is"]) == (total, total, "at_least")
        assert {name: sum(each["count"] for each in counts) for name, counts in found["facets"].items()} == {
            "lang": counted, "source": counted, "author": counted, "year": counted,
        }  # fmt: skip
    hybrid = client.get("/api/v1/search?q=dams").get_json()
    assert DEPTH <= hybrid["total"] == hybrid["facets"]["lang"][0]["count"] <= MANY


# --- what else an endpoint may answer --------------------------------------------------------------


def answers_of_an_endpoint(press, live, index):
    """An answer of each status that the endpoint of searches has: its status, headers and body."""
    address = "/api/v1/search?q=winter&limit=1"

    class Exploding(Searcher):
        def search(self, request):
            raise RuntimeError

    def open_exploding(path, _model, _before):
        return Exploding(GenerationReader.open(IndexFolder(path)), FakeModel())

    def asked(place, opening=open_fake, guard=None, address=address, **options):
        service = SearchService(place, None, opening)
        service._refresh()
        response = create_app(service, guard).test_client().get(address, **options)
        return response.status_code, response.headers, response.get_data()

    first = asked(press / "index")
    yield first
    yield asked(press / "index", headers={"If-None-Match": first[1]["ETag"]})
    yield asked(press / "index", address=f"{address}&limit=2")
    yield asked(press / "index", address=f"{address}&generation=older")
    yield asked(press / "index", guard=Guard(secret="a long secret"))
    guard = Guard(secret="a long secret")
    for _ in range(2 * ALLOWED_FAILURES):
        guard.failed.add("127.0.0.1")
    yield asked(press / "index", guard=guard, headers={"Authorization": "Bearer wrong"})
    yield asked(press / "index", headers={"Origin": "https://evil.example"})
    yield asked(press / "index", open_exploding)
    yield asked(index)
    # Requests that are refused before the application.
    for sent in (
        {"Content-Length": "70000"},
        {"X-Much": "x" * 40_000},
        {"Transfer-Encoding": "gzip"},
        {"Content-Length": "x"},
    ):
        connection = http.client.HTTPConnection(urlsplit(live).netloc, timeout=10)
        connection.request("GET", address, headers=sent)
        response = connection.getresponse()
        yield response.status, response.headers, response.read()
        connection.close()


def test_every_answer_matches_the_schema(press, live, index, document):
    described = document["paths"]["/api/v1/search"]["get"]["responses"]
    components, seen = document["components"]["headers"], set()
    for status, headers, body in answers_of_an_endpoint(press, live, index):
        answer = described[str(status)]
        seen.add(str(status))
        assert {"ETag", "Retry-After", "WWW-Authenticate", "X-Request-Id"} & {*headers.keys()} == {
            *answer["headers"]
        }
        for name, each in answer["headers"].items():
            assert each == {"$ref": f"#/components/headers/{name}"}
            schema = components[name]["schema"]
            assert re.search(schema.get("pattern", "."), headers[name])
            assert schema["type"] == "string" or int(headers[name]) >= schema["minimum"]
        if status == 304:
            assert body == b""
            continue
        assert [*answer["content"]] == [headers["Content-Type"]]
        if status >= 400:
            assert set(json.loads(body)) == {"type", "title", "status", "code", "detail"}
    assert seen == set(described)


def test_endpoints_share_their_statuses_except_404(document):
    every = {"200", "304", "400", "401", "403", "413", "429", "431", "500", "501", "503"}
    own = {
        "search": {"409"},
        "similar": {"404", "409"},
        "documents/{doc_id}": {"404", "409"},
        "stats": set(),
        "suggest": set(),
    }
    for path, statuses in own.items():
        operation = document["paths"][f"/api/v1/{path}"]["get"]
        assert set(operation["responses"]) == every | statuses
        (header,) = [each for each in operation["parameters"] if each["in"] == "header"]
        assert (header["name"], header["required"], header["schema"]["type"]) == (
            "If-None-Match",
            False,
            "string",
        )


@pytest.mark.parametrize("secret", [None, "a long secret"])
def test_schema_tells_whether_a_secret_is_required(press, secret):
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
    text = html.escape(text, quote=False).replace("'", "&#39;").replace('"', "&#34;")
    return re.sub("`([^`]*)`", r"<code>\1</code>", text)


def test_the_page_shows_every_parameter_every_answer_and_every_model(client, document):
    page = client.get("/docs").get_data(as_text=True)
    for path, methods in document["paths"].items():
        assert f"GET {path}" in page
        for each in methods["get"]["parameters"]:
            assert f"<code>{each['name']}</code>" in page
            assert shown_as(each["description"]) in page
        for status, response in methods["get"]["responses"].items():
            assert f'<th scope="row">{status}</th>' in page
            assert shown_as(response["description"]) in page
    for name, model in document["components"]["schemas"].items():
        assert f'<h3 id="{name}">' in page
        for field, schema in model["properties"].items():
            row = re.search(rf'id="{name}".*?<code>{field}</code></th>(.*?)</tr>', page, re.DOTALL)[1]
            assert f"<td>{shown_as(schema['description'])}</td>" in row
    for name, header in document["components"]["headers"].items():
        row = re.search(rf'id="headers".*?<code>{name}</code></th>(.*?)</tr>', page, re.DOTALL)[1]
        assert f"<td>{shown_as(header['description'])}</td>" in row
        has = {"ETag": "200, 304", "Retry-After": "429, 503", "WWW-Authenticate": "401"}.get(
            name, "200, 304, 400, 401, 403"
        )
        assert f"<td>{has}" in row
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
    environment = os.environ | {"WARRAQ_SECRET": "none is wanted here"}
    found = json.loads(run("bash", "-euc", shown(live, name), cwd=tmp_path, env=environment))
    assert found["hits"]
    assert len(found["hits"]) <= (3 if name == "search.sh" else 10)
    if name == "secret.sh":
        assert found["query"] == "أزمة المياه في الأردن"
        assert all(hit["source"]["published"] >= "2024-01-01" for hit in found["hits"])


def test_repeated_example_request_is_answered_without_a_body(live, tmp_path):
    assert run("bash", "-euc", shown(live, "again.sh"), cwd=tmp_path) == "304\n"


def test_provenance_example_verifies_a_hit(live, tmp_path):
    lines = run(sys.executable, "-c", shown(live, "provenance.py"), cwd=tmp_path).splitlines()
    assert len(lines) == 10
    assert all(re.search(r"is right, and [1-9]\d* passages", line) for line in lines)


@pytest.mark.parametrize("state", ["opened", "wordy"])
def test_every_hit_example_prints_all_hits_and_each_warning_once(many, tmp_path, state):
    with serving(many, state) as address:
        code = shown(address, "every_hit.py")
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60, cwd=tmp_path
        )
    lines = done.stdout.splitlines()
    assert len(set(lines)) == len(lines) >= DEPTH > LIMIT  # so that there is more than one page
    assert all(
        re.match(r"""feed\.jsonl, lines \d+–\d+: 'The dams of valley \d+ are full\.'""", line)
        for line in lines
    )
    warning = "Warning: The model failed: passages were found by their words alone.\n"
    assert done.stderr == (warning if state == "wordy" else "")
