"""A server under load while builds switch generations: no request fails, no answer is of two of them."""

import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from indexer import build_index, verify_index
from tests.support.paths import ROOT

CLIENTS, BUILDS, ARTICLES = 4, 20, 12
MOVED_WITHIN = 1.0  # seconds

SERVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.support.fakes import open_fake
from web import SearchService, create_app
from web.server.serving import run

service = SearchService(Path(sys.argv[1]), None, open_fake)
service.start()
run(create_app(service), "127.0.0.1", 0)
"""


def write(archive, state):
    """Have every article say which state of the archive it belongs to; some come and go."""
    archive.mkdir(exist_ok=True)
    for number in range(ARTICLES):
        (archive / f"{number}.txt").write_text(
            f"Ship {number}\nIn state{state} the ship number {number} lay in the harbour of state{state}.\n"
        )
    extra = archive / "extra.txt"
    if state % 3:
        extra.write_text(f"Extra\nAnother ship came into the harbour in state{state}.\n")
    else:
        extra.unlink(missing_ok=True)


class Client(threading.Thread):
    """Sends requests until it is stopped, and keeps the answers."""

    def __init__(self, port, stop):
        super().__init__()
        self.port, self.stop = port, stop
        self.answers, self.failed = [], []

    def run(self):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        while not self.stop.is_set():
            for address in ("/api/v1/search?q=harbour+ship&limit=20", "/documents/3.txt", "/"):
                try:
                    connection.request("GET", address)
                    response = connection.getresponse()
                    body = response.read().decode()
                except OSError as error:
                    self.failed.append((address, repr(error)))
                    connection.close()
                    continue
                if response.status != 200:
                    self.failed.append((address, response.status, body[:200]))
                elif address.startswith("/api"):
                    self.answers.append(json.loads(body))
        connection.close()


def get(port, address):
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", address)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def until(condition, seconds):
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it never came"
        time.sleep(0.01)
    return time.monotonic() - started


def held(process):
    """What a process holds: memory in MiB, open files, threads."""
    proc = Path(f"/proc/{process.pid}")
    pages = int((proc / "statm").read_text().split()[1])
    return (
        pages * os.sysconf("SC_PAGESIZE") / 2**20,
        len(list((proc / "fd").iterdir())),
        len(list((proc / "task").iterdir())),
    )


def last_generations(clients):
    """The generations that the last answers of clients are of."""
    return {answer["generation"] for client in clients for answer in client.answers[-1:]}


@pytest.fixture
def server(tmp_path, index, model):
    write(tmp_path / "ships", 0)
    build_index(tmp_path / "ships", index, model)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(index), str(ROOT)],
        stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    try:
        port = int(process.stderr.readline().split(":")[2].split("/")[0])
        until(lambda: get(port, "/readyz")[0] == 200, 30)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        process.stderr.close()


def test_twenty_switches_under_load_keep_every_answer_complete(server, tmp_path, index, model):
    process, port = server
    archive, stop = tmp_path / "ships", threading.Event()
    clients = [Client(port, stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    states = {get(port, "/readyz")[1]["generation"]: 0}
    took, memory = [], []
    for state in range(1, BUILDS + 1):
        write(archive, state)
        generation = build_index(archive, index, model).generation
        states[generation] = state
        took.append(until(lambda made=generation: get(port, "/readyz")[1]["generation"] == made, 10))
        memory.append(held(process))
        until(lambda made=generation: made in last_generations(clients), 10)  # before a build replaces it
    asked = len(states)
    time.sleep(0.5)  # the last requests of the generation before come to their end
    memory.append(held(process))
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    mapped = set(re.findall(r"generations/([^/]+)/", maps))  # a released generation is not mapped any more
    stop.set()
    for client in clients:
        client.join()

    assert [failed for client in clients for failed in client.failed] == []
    answers = [answer for client in clients for answer in client.answers]
    seen = set()
    for answer in answers:
        state = states[answer["generation"]]
        seen.add(state)
        assert answer["hits"]
        assert answer["warnings"] == []
        for hit in answer["hits"]:
            assert f"state{state} " in hit["text"] or f"state{state}." in hit["text"], (state, hit["text"])
    assert asked == BUILDS + 1
    assert len(seen) >= BUILDS  # every generation has answered, or all but one
    assert statistics.median(took) < MOVED_WITHIN, took  # a busy machine may delay one of them
    early, late = memory[4], memory[-1]
    assert late[0] < early[0] + 12, memory  # MiB; a generation that leaked would be kept twenty times
    assert late[1] <= early[1] + 2, memory
    assert late[2] <= early[2] + 2, memory
    assert len(mapped) <= 2, mapped
    assert verify_index(index).whole
