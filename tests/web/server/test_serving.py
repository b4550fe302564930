"""The server as a process: it answers while it loads, and ends on a signal."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection

import pytest

from indexer import build_index
from tests.support.loaded_model import LoadedModel
from tests.support.paths import ROOT

READY_WITHIN, ENDS_WITHIN = 90, 10  # seconds


class Server:
    def __init__(self, process, port, host="127.0.0.1"):
        self.process, self.port, self.host = process, port, host

    def get(self, address):
        with contextlib.closing(HTTPConnection(self.host, self.port, timeout=10)) as connection:
            connection.request("GET", address)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type"), response.read().decode()

    def end(self, with_signal=signal.SIGTERM):
        """Send a signal; returns the exit status and how long it took."""
        started = time.monotonic()
        self.process.send_signal(with_signal)
        status = self.process.wait(ENDS_WITHIN + 5)
        return status, time.monotonic() - started


def ended_quietly(server):
    """Whether the log has no errors; waitress may have logged the length of its queue."""
    return not re.search("Traceback|Error|Fatal|Exception", server.process.stderr.read())


@pytest.fixture
def start():
    """Start Python processes, and leave none behind."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        for stream in (process.stdout, process.stderr):
            stream.close()
        process.wait()


@pytest.fixture
def serve(start):
    def serve(*arguments):
        process = start("-m", "indexer", "serve", *arguments)
        line = process.stderr.readline()
        told = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert told, line + process.stderr.read()
        return Server(process, int(told[1]))

    return serve


@pytest.fixture(scope="module")
def real_index(encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (archive := folder / "archive").mkdir()
    (archive / "water.txt").write_text(
        "أزمة المياه في الأردن\nأعلنت وزارة المياه أن السدود امتلأت بنسبة ٤٠ بالمئة بعد أمطار الشتاء الغزيرة.\n",
        "utf-8",
    )
    (archive / "talks.txt").write_text(
        "Talks in Geneva\nEnvoys met on Monday to discuss the grain corridor.\n"
    )
    build_index(archive, folder / "index", LoadedModel(encoder))
    return folder / "index"


def test_server_is_live_while_loading_then_answers_and_ends_on_sigterm(serve, real_index):
    server = serve("--index", real_index, "--port", 0)
    assert server.get("/livez")[0] == 200
    status, _, body = server.get("/readyz")
    assert (status, json.loads(body)["status"]) == (503, "loading")
    assert server.get("/api/v1/search?q=x")[:2] == (503, "application/problem+json")
    assert server.get("/")[0] == 503
    deadline = time.monotonic() + READY_WITHIN
    while server.get("/readyz")[0] != 200:
        assert time.monotonic() < deadline
        assert server.get("/livez")[0] == 200
        time.sleep(0.2)
    status, kind, body = server.get("/api/v1/search?q=How+full+are+the+dams+in+Jordan%3F&lang=ar")
    assert (status, kind) == (200, "application/json")
    assert "السدود امتلأت" in json.loads(body)["hits"][0]["text"]
    status, kind, body = server.get("/?q=grain+corridor")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "Envoys met on Monday" in body
    status, seconds = server.end()
    assert status == 0
    assert seconds < ENDS_WITHIN
    assert server.process.stdout.read() == ""
    assert ended_quietly(server)


@pytest.mark.parametrize("after", [0, 0.1, 0.2, 0.5])  # seconds; the model loads in the first ones
def test_sigterm_ends_a_loading_server(serve, real_index, after):
    server = serve("--index", real_index, "--port", 0)
    assert server.get("/livez")[0] == 200
    time.sleep(after)
    status, seconds = server.end()
    assert status == 0
    assert seconds < ENDS_WITHIN
    assert ended_quietly(server)


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_server_without_an_index_shows_the_build_command(serve, tmp_path, with_signal):
    server = serve("--index", tmp_path / "none", "--port", 0)
    assert server.get("/livez")[0] == 200
    deadline = time.monotonic() + 10
    while "loading" in (answer := server.get("/readyz"))[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (answer[0], json.loads(answer[2])["status"]) == (503, "no_index")
    status, _, page = server.get("/")
    assert status == 503
    assert "warraq build" in page
    status, seconds = server.end(with_signal)
    assert status == 0
    assert seconds < ENDS_WITHIN
    assert ended_quietly(server)
    assert not (tmp_path / "none").exists()


def refused(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "indexer", "serve", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=30,
    )  # fmt: skip
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    return done


def test_port_in_use_is_reported_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = refused("--index", tmp_path / "none", "--port", port)
    assert str(port) in done.stderr
    assert "--port" in done.stderr
    assert done.returncode == 5  # a status other than those for an empty result, wrong usage or the index


def test_invalid_host_is_reported_in_one_line(tmp_path):
    done = refused("--index", tmp_path / "none", "--host", "not a host", "--port", 0, "--insecure")
    assert "not a host" in done.stderr
    assert done.returncode == 5


TWO_ADDRESSES = """
import socket, sys
from pathlib import Path

ask = socket.getaddrinfo

def two(host, *rest, **options):
    hosts = ("127.0.0.1", "127.0.0.2") if host == "both.test" else (host,)
    return [found for each in hosts for found in ask(each, *rest, **options)]

socket.getaddrinfo = two
import web

web.serve(Path(sys.argv[1]), None, "both.test", int(sys.argv[2]), guard=web.Guard(None))
"""


def test_name_with_two_addresses_is_served_at_both(start, tmp_path):
    """As `localhost` is where it means 127.0.0.1 and ::1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start("-c", TWO_ADDRESSES, tmp_path / "none", port)
    assert process.stderr.readline().startswith(f"Warraq is at http://both.test:{port}/")
    for host in ("127.0.0.1", "127.0.0.2"):
        assert Server(process, port, host).get("/livez")[0] == 200
    assert Server(process, port).end()[0] == 0
