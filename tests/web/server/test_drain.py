"""Shutdown of a server: running requests are completed, new ones are refused, and no request delays it for ever."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection

import pytest

from tests.support.paths import ROOT

ENDS_WITHIN = 10  # seconds
SERVER = """
import os, time
import faiss, numpy
from flask import Flask, Response, request
from web.server.serving import leave, run

app = Flask("tried")

def arrived():
    os.write(1, b"arrived\\n")

@app.get("/slow")
def slow():
    arrived()
    time.sleep(float(request.args["seconds"]))
    return request.args["mark"] * int(request.args["times"])

@app.get("/made")
def made():
    def parts():
        for number in range(10):
            time.sleep(0.1)
            yield f"part {number};"
    arrived()
    return Response(parts())

@app.get("/endless")
def endless():
    arrived()
    while True:
        time.sleep(0.01)

@app.get("/native")
def native():
    index = faiss.IndexFlatIP(64)
    index.add(numpy.ones((100_000, 64), "float32"))
    arrived()
    while True:
        index.search(numpy.ones((4, 64), "float32"), 10)

@app.get("/quick")
def quick():
    return "quick"

if run(app, "127.0.0.1", 0):
    leave()
"""


class Process:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        line = self.process.stderr.readline()
        assert line.startswith("Warraq is at http://127.0.0.1:"), line + self.process.stderr.read()
        self.port = int(line.split(":")[2].split("/")[0])

    def connection(self):
        return contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=20))

    def arrived(self, count):
        """Wait until so many requests are being worked on."""
        assert [self.process.stdout.readline() for _ in range(count)] == ["arrived\n"] * count

    def ended(self):
        """Wait for the end; returns the exit status."""
        return self.process.wait(ENDS_WITHIN + 5)


@pytest.fixture
def server():
    started = Process()
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.wait()
    started.process.stdout.close()
    started.process.stderr.close()


class Client(threading.Thread):
    """Asks one thing on a connection of its own."""

    def __init__(self, server, address):
        super().__init__()
        self.server, self.address = server, address
        self.status, self.headers, self.body = None, {}, b""
        self.start()

    def run(self):
        with self.server.connection() as connection:
            connection.request("GET", self.address)
            response = connection.getresponse()
            self.status, self.headers = response.status, dict(response.getheaders())
            self.body = response.read()


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_running_requests_are_completed_and_new_ones_refused(server):
    # The last is longer than what the system takes from a server at once.
    wanted = {("a", 1): 1.1, ("b", 1_000): 1.2, ("c", 100_000): 1.3, ("d", 1): 1.8, ("e", 8_000_000): 1.4}
    clients = {
        (mark, times): Client(server, f"/slow?mark={mark}&times={times}&seconds={seconds}")
        for (mark, times), seconds in wanted.items()
    }
    made = Client(server, "/made")
    server.arrived(6)
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    while not is_refused(server.port):
        assert time.monotonic() - started < 5
        time.sleep(0.05)
    assert server.process.poll() is None
    for client in (*clients.values(), made):
        client.join(ENDS_WITHIN)
    assert {key: client.status for key, client in clients.items()} == dict.fromkeys(wanted, 200)
    assert all(client.body == mark.encode() * times for (mark, times), client in clients.items())
    assert made.body == b"".join(b"part %d;" % number for number in range(10))
    assert all(client.headers["Connection"] == "close" for client in clients.values())
    assert server.ended() == 0
    assert 1.7 < time.monotonic() - started < 5
    assert server.process.stderr.read() == ""


def test_endless_request_does_not_delay_shutdown(server):
    sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    for each in sockets:
        each.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
    server.arrived(2)
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.ended() == 0
    assert 4.5 < time.monotonic() - started < ENDS_WITHIN
    told = server.process.stderr.read()
    assert "cut off at the end: 2" in told
    assert "Traceback" not in told
    for each in sockets:
        assert each.recv(100) == b""
        each.close()


def test_second_signal_ends_the_server_at_once(server):
    with socket.create_connection(("127.0.0.1", server.port)) as asking:
        asking.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.arrived(1)
        started = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        assert server.ended() == 0
        assert time.monotonic() - started < 4


def test_threads_inside_libraries_do_not_crash_shutdown(server):
    """FAISS and the like cannot be stopped, and die loudly where the interpreter ends under them."""
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            asking = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            asking.sendall(b"GET /native HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.arrived(4)
        for each in (signal.SIGTERM, signal.SIGINT):
            server.process.send_signal(each)
            time.sleep(0.3)
        assert server.ended() == 0
    told = server.process.stderr.read()
    assert "cut off at the end: 4" in told
    assert "terminate" not in told


def test_connections_with_partial_requests_do_not_delay_shutdown(server):
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(server.connection())
        kept.request("GET", "/quick")
        assert kept.getresponse().read() == b"quick"
        silent, begun = (
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(2)
        )
        begun.sendall(b"GET /quick HTTP/1.1\r\nHost: loc")
        time.sleep(0.2)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.ended() == 0
        assert time.monotonic() - started < 4
        assert (silent.recv(10), begun.recv(10)) == (b"", b"")
    assert server.process.stderr.read() == ""


def test_connections_in_the_backlog_are_answered(server):
    """Closing a listening socket would break those that wait in it."""
    server.process.send_signal(signal.SIGSTOP)
    waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
    for each in waiting:
        each.sendall(b"GET /quick HTTP/1.1\r\nHost: localhost\r\n\r\n")
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGCONT)
    for each in waiting:
        answer = b"".join(iter(lambda each=each: each.recv(1_000), b""))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nquick")
        each.close()
    assert server.ended() == 0
