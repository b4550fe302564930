"""Too much at once: some are answered, some wait a moment, the others are refused, and all is well after."""

import contextlib
import json
import re
import socket
import statistics
import threading
import time
from collections import Counter
from http.client import HTTPConnection

import pytest
from flask import Flask, Response, request

from indexer.errors import NoIndex
from web import create_app
from web.pages import errors
from web.server import concurrency, serving
from web.server.concurrency import Gate, Overloaded

AT_ONCE, WAITING, PATIENCE, WORK, CLIENTS = 4, 16, 0.5, 0.25, 60


def until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def slow_app(gate=None, work=WORK):
    """An application whose searches take their time; it knows how many there were at once."""
    app = Flask("web")
    app.at_work, app.most = 0, 0
    lock = threading.Lock()

    @app.get("/api/v1/search")
    def search():
        with lock:
            app.at_work += 1
            app.most = max(app.most, app.at_work)
        time.sleep(work)
        with lock:
            app.at_work -= 1
        return f"{request.args['q']} " * 1_000

    @app.get("/api/v1/fails")
    def fails():
        raise RuntimeError("no luck")

    @app.get("/api/v1/made")
    def made():
        return Response(f"{number};" for number in range(3))

    @app.get("/livez")
    def livez():
        return "alive"

    @app.get("/large")
    def large():
        return b"x" * int(request.args["bytes"])

    concurrency.register(app, gate or Gate(AT_ONCE, WAITING, PATIENCE))
    errors.register(app)
    return app


@contextlib.contextmanager
def served(app):
    """Serve an application on real sockets, in a thread; yields its server."""
    server = serving.Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        server.stop()
        thread.join(10)
    assert not thread.is_alive()


def ask(port, address):
    """Return the status, the headers and the body of an answer, and how long it took."""
    started = time.monotonic()
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", address)
        response = connection.getresponse()
        body = response.read()
        return response.status, response.headers, body, time.monotonic() - started


class Client(threading.Thread):
    def __init__(self, port, address):
        super().__init__()
        self.port, self.address = port, address
        self.start()

    def run(self):
        self.status, self.headers, self.body, self.seconds = ask(self.port, self.address)


def test_sixty_requests_at_once_are_answered_or_refused_and_probes_pass():
    app = slow_app()
    with served(app) as server:
        started = time.monotonic()
        clients = [Client(server.port, f"/api/v1/search?q={number}") for number in range(CLIENTS)]
        until(lambda: app.at_work == AT_ONCE)
        probes = []
        while any(client.is_alive() for client in clients):
            status, _, body, seconds = ask(server.port, "/livez")
            probes.append(seconds)
            assert (status, body) == (200, b"alive")
        for client in clients:
            client.join()
        took = time.monotonic() - started
        good = [each for each in clients if each.status == 200]
        refused = [each for each in clients if each.status == 503]
        assert len(good) + len(refused) == CLIENTS
        # In PATIENCE each of the four places is free twice, or three times for who came just in time.
        assert 2 * AT_ONCE <= len(good) <= 4 * AT_ONCE
        for number, client in enumerate(clients):
            if client.status == 200:
                assert client.body == f"{number} ".encode() * 1_000
        for client in refused:
            assert re.fullmatch("[1-9][0-9]*", client.headers["Retry-After"])
            problem = json.loads(client.body)
            assert (problem["status"], problem["code"]) == (503, "overloaded")
        assert app.most == AT_ONCE
        assert max(each.seconds for each in refused) < PATIENCE + 3
        assert max(each.seconds for each in good) < PATIENCE + WORK + 3
        assert statistics.median(probes) < 0.2  # a busy machine may delay one of them
        # Requests without a place in the queue were refused at once.
        gate = app.extensions["gate"]
        assert sum(gate.refused.values()) == len(refused)
        assert gate.refused["full"] >= CLIENTS - AT_ONCE - WAITING - 3 * AT_ONCE
        assert took < PATIENCE + WORK + 2
        assert (gate.inside, gate.waiting) == (0, 0)
        for _ in range(AT_ONCE + 1):
            status, _, _, seconds = ask(server.port, "/api/v1/search?q=after")
            assert status == 200
            assert seconds < WORK + 0.5


def test_burst_within_the_gate_limit_is_answered_whole():
    app = slow_app(Gate(AT_ONCE, WAITING, 2), work=0.1)
    with served(app) as server:
        clients = [Client(server.port, f"/api/v1/search?q={number}") for number in range(AT_ONCE + WAITING)]
        for client in clients:
            client.join()
    assert Counter(client.status for client in clients) == {200: AT_ONCE + WAITING}


def test_every_request_frees_its_place_whatever_its_outcome():
    app = slow_app(Gate(1, 0, 0), work=0)
    app.testing = False
    asked = app.test_client()
    assert asked.get("/api/v1/search?q=x").status_code == 200
    assert asked.get("/api/v1/search").status_code == 400
    assert asked.get("/api/v1/fails").status_code == 500
    assert asked.get("/api/v1/nothing").status_code == 404
    assert asked.post("/api/v1/search").status_code == 405
    assert asked.get("/api/v1/made").text == "0;1;2;"
    assert app.extensions["gate"].inside == 0
    assert app.extensions["gate"].refused == {"full": 0, "late": 0}


def test_refused_request_frees_no_place():
    app = slow_app(Gate(1, 0, 0), work=0)
    gate = app.extensions["gate"]
    gate.enter()
    assert [app.test_client().get("/api/v1/search?q=x").status_code for _ in range(3)] == [503] * 3
    assert app.test_client().get("/livez").status_code == 200
    assert (gate.inside, gate.refused) == (1, {"full": 3, "late": 0})
    gate.leave()
    assert app.test_client().get("/api/v1/search?q=x").status_code == 200


def test_longest_waiting_request_is_next():
    gate, came = Gate(1, 10, 5), []
    gate.enter()

    def wait(number):
        gate.enter()
        came.append(number)
        gate.leave()

    threads = []
    for number in range(10):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        until(lambda: gate.waiting == len(threads))
    with pytest.raises(Overloaded):
        gate.enter()
    gate.leave()
    for thread in threads:
        thread.join()
    assert came == [*range(10)]
    assert (gate.inside, gate.waiting, gate.refused) == (0, 0, {"full": 1, "late": 0})


def test_request_that_waits_too_long_is_refused_and_leaves_the_queue():
    gate = Gate(1, 1, 0.05)
    gate.enter()
    started = time.monotonic()
    with pytest.raises(Overloaded):
        gate.enter()
    assert 0.05 <= time.monotonic() - started < 5
    assert (gate.inside, gate.waiting, gate.refused) == (1, 0, {"full": 0, "late": 1})
    gate.leave()
    gate.enter()
    assert gate.inside == 1


def test_gate_limit_holds_for_any_load_and_all_are_counted():
    gate, lock = Gate(3, 4, 0.003), threading.Lock()
    inside, most, done, refused = 0, 0, 0, 0

    def come():
        nonlocal inside, most, done, refused
        for _ in range(100):
            try:
                gate.enter()
            except Overloaded:
                with lock:
                    refused += 1
                continue
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.001)
            with lock:
                inside -= 1
                done += 1
            gate.leave()

    threads = [threading.Thread(target=come) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3
    assert done + refused == 1_200
    assert sum(gate.refused.values()) == refused
    assert (gate.inside, gate.waiting) == (0, 0)


class NoSearcher:
    def searcher(self):
        raise NoIndex("Nothing has been built yet.")

    def opened(self):
        return None


def test_full_server_still_serves_probes_metrics_and_static_files(tmp_path):
    service = NoSearcher()
    service.index = tmp_path / "none"
    app = create_app(service)
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert rules >= concurrency.FREE
    gate = app.extensions["gate"]
    for _ in range(gate.at_once):
        gate.enter()
    gate.room = 0
    client = app.test_client()
    for address in ("/livez", "/metrics", "/openapi.json", "/docs", "/static/style.css"):
        assert client.get(address, buffered=True).status_code == 200
    assert client.get("/readyz").get_json()["status"] == "no_index"
    for address in ("/?q=x", "/documents/x", "/similar?doc_id=x&passage=1"):
        page = client.get(address)
        assert (page.status_code, page.mimetype) == (503, "text/html")
        assert int(page.headers["Retry-After"]) > 0
        assert "Too much is asked at once" in page.text
    for address in (
        "/api/v1/search?q=x",
        "/api/v1/similar?doc_id=x&passage=1",
        "/api/v1/documents/x",
        "/api/v1/stats",
    ):
        assert client.get(address).get_json()["code"] == "overloaded"
    # An unauthorized request is refused and takes no place.
    assert client.get("/api/v1/stats", headers={"Host": "elsewhere.test"}).get_json()["code"] == "bad_host"
    assert gate.refused["full"] == 7


# --- clients that are slow


def begun(port, text=b""):
    opened = socket.create_connection(("127.0.0.1", port), timeout=5)
    opened.sendall(text)
    return opened


def is_closed(opened):
    with contextlib.suppress(TimeoutError, BlockingIOError):
        opened.settimeout(0.01)
        try:
            while opened.recv(100_000):
                pass
        except ConnectionResetError:
            pass
        return True
    return False


def test_hundreds_of_idle_connections_block_no_request():
    app = slow_app(work=0)
    with served(app) as server, contextlib.ExitStack() as stack:
        half = b"GET /api/v1/search?q=x HTTP/1.1\r\nHost: loc"
        opened = [
            stack.enter_context(begun(server.port, half if number % 2 else b"")) for number in range(300)
        ]
        for _ in range(3):
            status, _, _, seconds = ask(server.port, "/api/v1/search?q=x")
            assert status == 200
            assert seconds < 1
        until(lambda: len(server.connections()) <= serving.CONNECTIONS)
        # The oldest made room.
        assert all(is_closed(each) for each in opened[:150])
        assert not is_closed(opened[-1])


def test_slow_request_must_be_complete_in_time(monkeypatch):
    monkeypatch.setattr(serving, "RECEIVE", 0.6)
    with served(slow_app(work=0)) as server:
        with begun(server.port, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ") as trickling:
            started = time.monotonic()
            with pytest.raises(OSError):  # a broken pipe or a reset, as it comes
                while time.monotonic() - started < 5:
                    trickling.sendall(b"x")
                    time.sleep(0.05)
        assert time.monotonic() - started < 3
        assert ask(server.port, "/livez")[0] == 200


def test_silent_connection_is_closed_and_an_active_one_is_kept(monkeypatch):
    monkeypatch.setattr(serving, "IDLE", 0.5)
    with served(slow_app(work=1.5)) as server:
        client = Client(server.port, "/api/v1/search?q=slow")
        with begun(server.port) as silent:
            until(lambda: is_closed(silent), 3)
        client.join()
        assert client.status == 200


def test_clients_that_read_no_answer_hold_no_thread_and_are_closed(monkeypatch):
    monkeypatch.setattr(serving, "THREADS", 2)
    monkeypatch.setattr(serving, "IDLE", 1)
    with served(slow_app(work=0)) as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            asking = stack.enter_context(begun(server.port))
            asking.sendall(b"GET /large?bytes=20000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: len(server.connections()) == 4)
        for _ in range(3):
            status, _, _, seconds = ask(server.port, "/livez")
            assert status == 200
            assert seconds < 1
        until(lambda: not server.connections())


def test_slow_reader_gets_the_whole_answer(monkeypatch):
    monkeypatch.setattr(serving, "IDLE", 1)
    with served(slow_app(work=0)) as server, begun(server.port) as asking:
        asking.sendall(b"GET /large?bytes=9000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got, started = bytearray(), time.monotonic()
        while part := asking.recv(400_000):
            got += part
            time.sleep(0.06)  # 400,000 bytes at most at a time: 23 times
        assert time.monotonic() - started > 1  # longer than it may be silent
        assert got.endswith(b"x" * 9_000_000)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"x" * serving.HEADER_SIZE + b"\r\n\r\n", b"431"),
        (b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", b"413"),
    ],
)
def test_oversized_request_is_refused_before_it_is_read(sent, status):
    with served(slow_app()) as server, begun(server.port, sent) as asking:
        assert asking.recv(100).split()[1] == status


def test_readers_of_articles_leave_room_for_searches():
    """However many ask for long articles, only a few of them stand at the gate that searches pass."""
    app = slow_app(Gate(concurrency.ARTICLES_AT_ONCE + 1, 0, 0), work=0)
    reading, finish = [], threading.Event()

    @app.get("/documents/<name>")
    def article(name):
        reading.append(name)
        assert finish.wait(10)
        return "text"

    with served(app) as server:
        readers = [Client(server.port, f"/documents/{number}") for number in range(6)]
        until(lambda: len(reading) == concurrency.ARTICLES_AT_ONCE)
        answers = [ask(server.port, f"/api/v1/search?q={number}")[0] for number in range(5)]
        finish.set()
        for reader in readers:
            reader.join()
    assert answers == [200] * 5
    assert [reader.status for reader in readers] == [200] * 6
    assert app.extensions["gate"].inside == 0
