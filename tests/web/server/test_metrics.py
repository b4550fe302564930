"""What the server tells of itself: figures that add up, and lines that no request can break or read into."""

import io
import json
import logging
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import datetime
from http.client import HTTPConnection

import pytest
from flask import Flask, Response, request
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from indexer import Searcher, SearchRequest, SearchResult, build_index
from indexer.datatypes import Notice
from indexer.errors import NoIndex
from indexer.maintenance import cache_facts
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel
from tests.support.paths import ROOT
from web import create_app
from web.pages import errors
from web.server import access_log, concurrency, health, metrics

SECRET = "zanzibar"  # what was asked; no line may hold it by default


class FakeService:
    """A service that has the Searcher it was given, or none."""

    def __init__(self, index, searcher=None):
        self.index, self.found = index, searcher

    def searcher(self):
        if self.found is None:
            raise NoIndex("Nothing has been built yet.")
        return self.found

    def opened(self):
        return self.found


class Failing(Exception):
    pass


def application(built, searcher=None, gate=None):
    app = Flask("web")
    app.extensions["search"] = FakeService(built, searcher)
    access_log.register(app)
    concurrency.register(app, gate)
    health.register(app)

    @app.get("/api/v1/search")
    def search():
        result = app.extensions["search"].searcher().search(SearchRequest(request.args["q"]))
        metrics.record_search(result)
        return "found"

    @app.get("/api/v1/documents/<path:doc_id>")
    def document(doc_id):
        return doc_id

    @app.get("/static/<name>")
    def static_file(name):
        return b"a file"

    @app.get("/api/v1/made")
    def made():
        return Response(iter(["one", "two"]))

    @app.get("/api/v1/fails")
    def fails():
        try:
            raise KeyError(request.args["q"])
        except KeyError as error:
            raise Failing(f"cannot find {request.args['q']}") from error

    errors.register(app)
    return app


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of an index of two articles, which no test changes."""
    folder = tmp_path_factory.mktemp("observed")
    (folder / "archive").mkdir()
    (folder / "archive" / "talks.txt").write_text("Talks in Geneva\nEnvoys met in Geneva on Monday.\n")
    (folder / "archive" / "next.txt").write_text("The next round\nIt will be held in Vienna in March.\n")
    build_index(folder / "archive", folder / "index", FakeModel())
    return folder / "index"


@pytest.fixture
def searcher(built):
    found = Searcher(GenerationReader.open(IndexFolder(built)), FakeModel())
    yield found
    found.close()


@pytest.fixture
def app(built, searcher):
    return application(built, searcher)


def families(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {each.name: each for each in text_string_to_metric_families(answer.text)}


def figures(client):
    """Return the figures by name and labels: `name{label=value,…}`."""
    return {
        each.name + (f"{{{','.join(f'{k}={v}' for k, v in sorted(each.labels.items()))}}}" if each.labels else ""): each.value
        for family in families(client).values()
        for each in family.samples
    }  # fmt: skip


# --- metrics


def test_requests_are_counted_by_method_route_and_status(app):
    client = app.test_client()
    for _ in range(3):
        client.get("/api/v1/documents/a.txt")
    client.get("/api/v1/documents/b/c.txt")
    client.get("/api/v1/search?q=Geneva")
    client.get("/api/v1/search")
    client.head("/api/v1/documents/a.txt")
    client.get(f"/api/{SECRET}")
    client.post("/api/v1/search")
    client.open("/api/v1/search?q=x", method="BREW")
    found = figures(client)
    of = "warraq_http_requests_total{{method={},route={},status={}}}".format
    documents, search = "/api/v1/documents/<path:doc_id>", "/api/v1/search"
    assert {
        name: value for name, value in found.items() if name.startswith("warraq_http_requests_total")
    } == {
        of("GET", documents, 200): 4,
        of("HEAD", documents, 200): 1,
        of("GET", search, 200): 1,
        of("GET", search, 400): 1,
        of("GET", "none", 404): 1,
        of("POST", "none", 405): 1,
        of("other", "none", 405): 1,
    }
    assert found[f"warraq_http_request_duration_seconds_count{{route={documents}}}"] == 5
    assert found["warraq_http_request_duration_seconds_count{route=none}"] == 3
    assert 0 < found[f"warraq_http_request_duration_seconds_sum{{route={search}}}"] < 5
    assert figures(client)[of("GET", "/metrics", 200)] == 1


def test_whatever_is_asked_there_are_no_more_series(app):
    client = app.test_client()

    def ask(number):
        client.get(f"/api/v1/documents/{number}")
        client.get(f"/api/{number}?x={number}")
        client.open(f"/api/v1/search?q={number}", method=f"M{number}")

    ask(0)
    families(client)
    before = {*figures(client)}
    for number in range(1, 40):
        ask(number)
    assert {*figures(client)} == before


def test_threads_lose_no_count(app):
    def ask():
        client = app.test_client()
        for _ in range(50):
            client.get("/api/v1/documents/x")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = figures(app.test_client())
    route = "route=/api/v1/documents/<path:doc_id>"
    assert found[f"warraq_http_requests_total{{method=GET,{route},status=200}}"] == 400
    assert found[f"warraq_http_request_duration_seconds_count{{{route}}}"] == 400
    assert found[f"warraq_http_request_duration_seconds_bucket{{le=+Inf,{route}}}"] == 400


RESULT = SearchResult(SearchRequest("x"), "en", "made-up", 0, (), 30.0)


def test_searches_are_measured_by_stage_and_those_without_a_model_counted(app):
    stages = {"encode": 4.0, "dense": 2.0, "lexical": 0.4, "fuse": 1.0, "fetch": 20.0}
    with app.test_request_context("/api/v1/search?q=x"):
        metrics.record_search(replace(RESULT, stages=stages))
        metrics.record_search(replace(RESULT, took_ms=300.0, stages={"encode": 6.0, "dreaming": 7.0}))
        metrics.record_search(replace(RESULT, warnings=(Notice("undated", "…", 1), Notice("no_model", "…"))))
    found = figures(app.test_client())
    assert found["warraq_search_duration_seconds_count"] == 3
    assert found["warraq_search_duration_seconds_sum"] == pytest.approx(0.36)
    assert found["warraq_search_duration_seconds_bucket{le=0.05}"] == 2
    of = "warraq_search_stage_duration_seconds_{}{{stage={}}}".format
    assert {stage: found[of("count", stage)] for stage in stages} == {
        "encode": 2, "dense": 1, "lexical": 1, "fuse": 1, "fetch": 1,
    }  # fmt: skip
    assert found[of("sum", "encode")] == pytest.approx(0.010)
    assert found[of("sum", "fetch")] == pytest.approx(0.020)
    assert found[of("count", "other")] == 1
    assert found["warraq_search_stage_duration_seconds_bucket{le=0.0005,stage=lexical}"] == 1
    assert found["warraq_searches_degraded_total"] == 1


def test_a_search_that_was_made_is_measured(app):
    client = app.test_client()
    client.get("/api/v1/search?q=Geneva")
    found = figures(client)
    for stage in ("encode", "dense", "lexical", "fuse", "fetch"):
        assert found[f"warraq_search_stage_duration_seconds_count{{stage={stage}}}"] == 1
    total = found["warraq_search_duration_seconds_sum"]
    parts = sum(
        value for name, value in found.items() if name.startswith("warraq_search_stage_duration_seconds_sum")
    )
    assert 0 < parts <= total + 0.001


def test_the_index_that_is_served_is_told(app, searcher):
    found = figures(app.test_client())
    assert found["warraq_index_open"] == 1
    assert (found["warraq_index_documents"], found["warraq_index_passages"]) == searcher.size() == (2, 2)
    assert found[f"warraq_index_info{{generation={searcher.generation}}}"] == 1
    assert -5 < time.time() - found["warraq_index_built_timestamp_seconds"] < 60
    assert found["warraq_index_newer_damaged"] == 0
    searcher.store.damage = Notice("damage", "The newest is damaged.")
    assert figures(app.test_client())["warraq_index_newer_damaged"] == 1


def test_without_an_index_there_are_metrics_all_the_same(index):
    client = application(index).test_client()
    assert client.get("/api/v1/search?q=x").status_code == 503
    found = figures(client)
    assert found["warraq_index_open"] == 0
    assert not any(name.startswith("warraq_index_info") for name in found)
    assert found["warraq_http_requests_total{method=GET,route=/api/v1/search,status=503}"] == 1
    assert (found["warraq_vector_cache_vectors"], found["warraq_vector_cache_bytes"]) == (0, 0)
    assert found["process_resident_memory_bytes"] > 1e6
    assert not index.exists()


def test_what_was_refused_and_who_waits_is_told(built, searcher):
    gate = concurrency.Gate(1, 1, 5)
    client = application(built, searcher, gate).test_client()
    gate.enter()
    waiting = threading.Thread(target=gate.enter)
    waiting.start()
    while not gate.waiting:
        time.sleep(0.005)
    assert [client.get("/api/v1/search?q=x").status_code for _ in range(3)] == [503] * 3
    found = figures(client)
    assert found["warraq_requests_refused_total{reason=full}"] == 3
    assert found["warraq_requests_refused_total{reason=late}"] == 0
    assert (found["warraq_requests_working"], found["warraq_requests_waiting"]) == (1, 1)
    assert found["warraq_http_requests_total{method=GET,route=/api/v1/search,status=503}"] == 3
    gate.leave()
    waiting.join()
    gate.leave()
    assert figures(client)["warraq_requests_working"] == 0


def test_the_vector_cache_is_looked_at_now_and_then_only(app, built, monkeypatch):
    looked = []

    def look(folder):
        looked.append(folder)
        return cache_facts(folder)

    monkeypatch.setattr(metrics, "cache_facts", look)
    client = app.test_client()
    for _ in range(3):
        found = figures(client)
    facts = cache_facts(built)
    assert looked == [built]
    assert found["warraq_vector_cache_vectors"] == facts["vectors"] > 0
    assert found["warraq_vector_cache_bytes"] == facts["bytes"] > 0
    monkeypatch.setattr(metrics, "CACHE_READ_EVERY", 0)
    figures(client)
    assert looked == [built] * 2


def test_a_cache_that_cannot_be_looked_at_takes_no_other_figure_away(app, monkeypatch, caplog):
    def look(folder):
        raise RuntimeError("locked")

    monkeypatch.setattr(metrics, "cache_facts", look)
    found = figures(app.test_client())
    assert "warraq_vector_cache_bytes" not in found
    assert found["warraq_index_documents"] == 2
    assert "vector cache" in caplog.text


def test_names_follow_the_conventions_and_each_application_has_its_own(index, app):
    app.test_client().get("/api/v1/search?q=Geneva")
    for name, family in families(app.test_client()).items():
        assert re.fullmatch("(warraq|process)_[a-z_]+", name)
        assert family.documentation
        assert not any(each.name.endswith("_created") for each in family.samples)
        for each in family.samples:
            assert each.name.endswith("_total") == (family.type == "counter")
            if family.type == "histogram":
                assert name.endswith("_seconds")
            assert {*each.labels} <= {"method", "route", "status", "stage", "reason", "generation", "le"}
    other = figures(application(index).test_client())
    assert not any(name.startswith("warraq_http_requests_total") for name in other)
    assert not any(each.name.startswith("warraq") for each in REGISTRY.collect())


def test_the_probes_say_whether_it_lives_and_can_answer(index, app, searcher):
    client = app.test_client()
    assert client.get("/livez").get_json() == {"status": "alive"}
    assert client.get("/readyz").get_json() == {"status": "ready", "generation": searcher.generation}
    without = application(index).test_client()
    assert without.get("/livez").status_code == 200
    answer = without.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "no_index")


# --- log


@pytest.fixture
def logged():
    """Configure logging for a test; returns a function that gives the lines as they were written."""
    root, stream = logging.getLogger(), io.StringIO()
    names = ("", "web", "indexer", "web.request", "waitress", "py.warnings")
    before = {name: (logging.getLogger(name).level, [*logging.getLogger(name).handlers]) for name in names}
    kept, hook = [*root.handlers], threading.excepthook
    root.handlers = []  # basicConfig would close those of the test's own

    def start(**options):
        access_log.configure(stream=stream, **options)
        return lambda: stream.getvalue().splitlines(keepends=True)

    yield start
    logging.captureWarnings(False)
    threading.excepthook = hook
    for name, (level, handlers) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers = handlers
    root.handlers = kept
    access_log.requests.filters.clear()


def test_a_request_is_one_line_of_json_without_what_was_asked(app, logged, searcher):
    lines = logged()
    asked = time.time()
    answer = app.test_client().get(f"/api/v1/documents/{SECRET}?q={SECRET}")
    (line,) = lines()
    told = json.loads(line)
    assert list(told) == [
        "time", "level", "logger", "event", "method", "route", "status", "ms", "bytes", "request_id",
        "generation",
    ]  # fmt: skip
    when = datetime.fromisoformat(told.pop("time"))
    assert when.utcoffset().total_seconds() == 0
    assert abs(when.timestamp() - asked) < 5
    assert 0 <= told.pop("ms") < 5_000
    assert re.fullmatch("[0-9a-f]{16}", told["request_id"])
    assert told == {
        "level": "info",
        "logger": "web.request",
        "event": "request",
        "method": "GET",
        "route": "/api/v1/documents/<path:doc_id>",
        "status": 200,
        "bytes": len(SECRET),
        "request_id": answer.headers["X-Request-Id"],
        "generation": searcher.generation,
    }
    assert SECRET not in line


@pytest.mark.parametrize(
    ("address", "method", "facts"),
    [
        (f"/api/{SECRET}", "GET", {"route": "none", "status": 404}),
        (f"/api/v1/search?q={SECRET}", f"{SECRET.upper()}", {"route": "none", "status": 405, "method": "other"}),
        (f"/api/v1/documents/{SECRET}", "HEAD", {"status": 200, "bytes": 0, "method": "HEAD"}),
        (f"/api/v1/made?q={SECRET}", "GET", {"status": 200, "bytes": None}),
        (f"/api/v1/search?q={SECRET}&limit={SECRET}", "GET", {"route": "/api/v1/search", "status": 200, "bytes": 5}),
        (f"/api/v1/search?q=&x={SECRET}", "GET", {"route": "/api/v1/search", "status": 400}),
    ],
)  # fmt: skip
def test_whatever_is_asked_the_line_tells_how_it_went_only(app, logged, address, method, facts):
    lines = logged()
    app.test_client().open(address, method=method, headers={"User-Agent": SECRET, "Referer": SECRET})
    (line,) = lines()
    assert json.loads(line).items() >= facts.items()
    assert SECRET not in line.lower()


def test_probes_and_files_are_not_logged(app, logged):
    lines = logged()
    client = app.test_client()
    for address in ("/livez", "/readyz", "/metrics", "/static/style.css"):
        assert client.get(address).status_code == 200
    assert lines() == []
    logging.getLogger("web").setLevel(logging.DEBUG)
    client.get("/livez")
    (line,) = lines()
    assert json.loads(line)["level"] == "debug"


def test_the_generation_is_the_one_that_answered(app, logged):
    lines = logged()

    @app.get("/api/v1/answered")
    def answered():
        metrics.record_search(RESULT)
        return "x"

    app.test_client().get("/api/v1/answered")
    assert json.loads(lines()[0])["generation"] == "made-up"


def test_without_an_index_the_generation_is_null(index, logged):
    lines = logged()
    application(index).test_client().get("/api/v1/search?q=x")
    told = json.loads(lines()[0])
    assert (told["status"], told["generation"]) == (503, None)


INJECTED = [
    '"}\n{"event": "request", "status": 200}',
    "a\r\nlevel=info",
    "\x1b[2J\x1b[31mred\x07\x00\x7f\x85\u2028\u2029",
    "\u202egnitirw\u202c \u2066x\u2069 \u200f",
    "أزمة المياه",
    "\\\" } , \\n",
    "x" * 3_000,
]  # fmt: skip


@pytest.mark.parametrize("question", INJECTED, ids=range(len(INJECTED)))
def test_questions_are_logged_where_that_was_asked_for_and_break_no_line(app, logged, question):
    lines = logged(log_queries=True)
    app.test_client().get("/api/v1/search", query_string={"q": question, "other": SECRET})
    written = "".join(lines())
    assert written.count("\n") == len(lines()) == written.count('"time"') == 1
    assert re.fullmatch("[ -\x7f]+\n", written)  # ASCII without controls
    assert json.loads(written)["query"] == question[:1_000]
    assert SECRET not in written
    app.test_client().get("/api/v1/documents/x")
    assert "query" not in json.loads(lines()[1])


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("a1B2-c_3.d", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("two words", False),
        ('"}{"', False),
        ("<script>", False),
        ("\x1b[31m", False),
        ("\u202eabc".encode().decode("latin-1"), False),
        ("مرحبا".encode().decode("latin-1"), False),
        ("x\u0085y", False),
    ],
)
def test_a_request_id_is_taken_over_if_it_is_short_and_plain(app, logged, given, taken):
    lines = logged()
    answer = app.test_client().get("/api/v1/documents/x", headers={"X-Request-Id": given})
    used = answer.headers["X-Request-Id"]
    assert (used == given) == taken
    assert taken or re.fullmatch("[0-9a-f]{16}", used)
    (line,) = lines()
    assert json.loads(line)["request_id"] == used
    assert line.isascii()


def test_every_request_has_an_id_of_its_own(app):
    client = app.test_client()
    assert len({client.get("/livez").headers["X-Request-Id"] for _ in range(50)}) == 50


def test_an_error_is_one_line_with_its_traceback_and_without_what_was_asked(app, logged):
    lines = logged()
    answer = app.test_client().get(f"/api/v1/fails?q={SECRET}")
    assert answer.status_code == 500
    error, told = (json.loads(line) for line in lines())
    assert (error["level"], error["logger"], error["event"]) == ("error", "web", "A request failed")
    assert error["request_id"] == told["request_id"] == answer.headers["X-Request-Id"]
    where = error["traceback"].splitlines()
    assert "builtins.KeyError" in where  # what it came from, first
    assert where[-1].endswith(".Failing")
    assert any("in fails" in line for line in where)
    assert told["status"] == 500
    assert SECRET not in "".join(lines())


def test_an_error_is_told_whole_where_questions_are_logged(app, logged):
    lines = logged(log_queries=True)
    app.test_client().get(f"/api/v1/fails?q={SECRET}")
    assert f"Failing: cannot find {SECRET}" in json.loads(lines()[0])["traceback"]


def test_an_error_that_no_request_made_is_told_whole(logged):
    lines = logged()

    def fail():
        raise RuntimeError("the disk is full")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (line,) = lines()
    assert json.loads(line)["traceback"].endswith("RuntimeError: the disk is full")


def test_what_waitress_says_of_a_request_is_told_without_its_path(logged):
    lines = logged()
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("waitress").exception(f"Exception while serving /{SECRET}")
    (line,) = lines()
    assert json.loads(line)["event"] == "Exception while serving a request"
    assert "ValueError" in line
    assert SECRET not in line


def test_an_application_alone_configures_no_logging(index):
    before = [*logging.getLogger().handlers], logging.getLogger("web").level
    application(index)
    assert ([*logging.getLogger().handlers], logging.getLogger("web").level) == before
    assert logging.getLogger("web").handlers == []


def test_the_pages_and_the_api_are_measured(built, searcher, logged):
    lines = logged()
    client = create_app(FakeService(built, searcher)).test_client()
    for address in ("/?q=Geneva", "/api/v1/search?q=Geneva", "/api/v1/search?q=Vienna&mode=lexical"):
        assert client.get(address).status_code == 200
    refused = client.get(f"/api/v1/search?q={SECRET}", headers={"Host": "elsewhere.test"})
    assert refused.status_code == 400
    found = figures(client)
    assert found["warraq_search_duration_seconds_count"] == 3
    assert found["warraq_search_stage_duration_seconds_count{stage=encode}"] == 2
    assert found["warraq_search_stage_duration_seconds_count{stage=lexical}"] == 3
    assert found["warraq_http_requests_total{method=GET,route=/,status=200}"] == 1
    assert found["warraq_http_requests_total{method=GET,route=/api/v1/search,status=200}"] == 2
    assert found["warraq_http_requests_total{method=GET,route=/api/v1/search,status=400}"] == 1
    told = [json.loads(line) for line in lines()]
    assert [(each["route"], each["status"]) for each in told] == [
        ("/", 200), ("/api/v1/search", 200), ("/api/v1/search", 200), ("/api/v1/search", 400),
    ]  # fmt: skip
    assert told[-1]["request_id"] == refused.headers["X-Request-Id"]
    assert all(each["generation"] == searcher.generation for each in told)


SERVER = """
import sys, warnings
from pathlib import Path
from flask import Flask
from web.pages import errors
from web.server import access_log, concurrency, health
from web.server.serving import run

class Service:
    index = Path(sys.argv[1])
    def opened(self):
        return None
    def searcher(self):
        return None

app = Flask("web")
app.extensions["search"] = Service()
access_log.configure()
access_log.register(app)
concurrency.register(app)
health.register(app)
errors.register(app)

@app.get("/api/v1/works")
def works():
    return "it does"

@app.get("/api/v1/fails")
def fails():
    warnings.warn("careful")
    raise RuntimeError("no\\nluck")

run(app, "127.0.0.1", 0)
"""


def test_a_server_says_where_it_is_and_then_json_alone(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path / "none")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    try:
        first = process.stderr.readline()
        assert re.fullmatch(r"Warraq is at http://127\.0\.0\.1:\d+/  \(Ctrl-C ends it\)\n", first)
        connection = HTTPConnection("127.0.0.1", int(first.split(":")[2].split("/")[0]), timeout=10)
        statuses = []
        for address in ("/api/v1/works", f"/api/v1/fails?q={SECRET}", "/metrics", "/livez", f"/api/{SECRET}"):
            connection.request("GET", address, headers={"X-Request-Id": "mine"})
            response = connection.getresponse()
            statuses.append((response.status, response.getheader("X-Request-Id")))
            response.read()
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        rest = process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    assert statuses == [(status, "mine") for status in (200, 500, 200, 200, 404)]
    told = [json.loads(line) for line in rest.splitlines()]
    assert [(each["event"].partition(":")[0], each.get("status")) for each in told if each["logger"] != "py.warnings"] == [
        ("request", 200), ("A request failed", None), ("request", 500), ("request", 404),
    ]  # fmt: skip
    assert any("careful" in each["event"] for each in told if each["logger"] == "py.warnings")
    assert SECRET not in rest
