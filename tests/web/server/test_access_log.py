"""The log: one line of JSON for each request, without the question."""

import json
import logging
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from http.client import HTTPConnection

import pytest

from tests.support.observed_app import RESULT, SECRET, application
from tests.support.paths import ROOT
from web.server import metrics


def test_request_is_one_json_line_without_the_question(app, logged, searcher):
    lines = logged()
    started = time.time()
    answer = app.test_client().get(f"/api/v1/documents/{SECRET}?q={SECRET}")
    (line,) = lines()
    entry = json.loads(line)
    assert list(entry) == [
        "time", "level", "logger", "event", "method", "route", "status", "ms", "bytes", "request_id",
        "generation",
    ]  # fmt: skip
    when = datetime.fromisoformat(entry.pop("time"))
    assert when.utcoffset().total_seconds() == 0
    assert abs(when.timestamp() - started) < 5
    assert 0 <= entry.pop("ms") < 5_000
    assert re.fullmatch("[0-9a-f]{16}", entry["request_id"])
    assert entry == {
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
def test_log_line_has_only_the_outcome_of_the_request(app, logged, address, method, facts):
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


def test_logged_generation_is_the_one_that_answered(app, logged):
    lines = logged()

    @app.get("/api/v1/answered")
    def answered():
        metrics.record_search(RESULT)
        return "x"

    app.test_client().get("/api/v1/answered")
    assert json.loads(lines()[0])["generation"] == "made-up"


def test_logged_generation_is_null_without_an_index(index, logged):
    lines = logged()
    application(index).test_client().get("/api/v1/search?q=x")
    entry = json.loads(lines()[0])
    assert (entry["status"], entry["generation"]) == (503, None)


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
def test_questions_are_logged_on_request_and_stay_on_one_line(app, logged, question):
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
def test_short_plain_request_id_is_used(app, logged, given, taken):
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


def test_error_is_one_line_with_traceback_and_without_the_question(app, logged):
    lines = logged()
    answer = app.test_client().get(f"/api/v1/fails?q={SECRET}")
    assert answer.status_code == 500
    error, entry = (json.loads(line) for line in lines())
    assert (error["level"], error["logger"], error["event"]) == ("error", "web", "A request failed")
    assert error["request_id"] == entry["request_id"] == answer.headers["X-Request-Id"]
    where = error["traceback"].splitlines()
    assert "builtins.KeyError" in where  # what it came from, first
    assert where[-1].endswith(".Failing")
    assert any("in fails" in line for line in where)
    assert entry["status"] == 500
    assert SECRET not in "".join(lines())


def test_error_has_its_full_message_when_questions_are_logged(app, logged):
    lines = logged(log_queries=True)
    app.test_client().get(f"/api/v1/fails?q={SECRET}")
    assert f"Failing: cannot find {SECRET}" in json.loads(lines()[0])["traceback"]


def test_error_outside_a_request_has_its_full_message(logged):
    lines = logged()

    def fail():
        raise RuntimeError("the disk is full")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (line,) = lines()
    assert json.loads(line)["traceback"].endswith("RuntimeError: the disk is full")


def test_waitress_warning_is_logged_without_the_path(logged):
    lines = logged()
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("waitress").exception(f"Exception while serving /{SECRET}")
    (line,) = lines()
    assert json.loads(line)["event"] == "Exception while serving a request"
    assert "ValueError" in line
    assert SECRET not in line


def test_application_alone_does_not_configure_logging(index):
    before = [*logging.getLogger().handlers], logging.getLogger("web").level
    application(index)
    assert ([*logging.getLogger().handlers], logging.getLogger("web").level) == before
    assert logging.getLogger("web").handlers == []


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


def test_server_prints_its_address_and_then_only_json(tmp_path):
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
    entries = [json.loads(line) for line in rest.splitlines()]
    assert [(entry["event"].partition(":")[0], entry.get("status")) for entry in entries if entry["logger"] != "py.warnings"] == [
        ("request", 200), ("A request failed", None), ("request", 500), ("request", 404),
    ]  # fmt: skip
    assert any("careful" in item["event"] for item in entries if item["logger"] == "py.warnings")
    assert SECRET not in rest
