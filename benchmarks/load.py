"""How the server bears readers: clients that ask without pause while the index is rebuilt under them.

    python benchmarks/load.py [SECONDS] [CLIENTS]

It indexes the project's own articles with the real model, serves them as a process, and has every client ask
questions that nobody asked before; half-way an article is added and the index built. Prints what failed, the
throughput and the percentiles of the time to an answer.
"""

import itertools
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "indexer"]
WORDS = [
    *("talks", "winter", "power", "drones", "harbour", "grain", "prisoners", "summit", "minerals", "museum"),
    *(
        "محادثات",
        "الشتاء",
        "الكهرباء",
        "المسيرات",
        "الميناء",
        "الأسرى",
        "القمة",
        "المعادن",
        "المتحف",
        "الطباعة",
    ),
]
ADDED = "The ferry of the northern islands sails again, after a winter in which no ship left the harbour."


class Client(threading.Thread):
    """Asks until it is told to stop."""

    def __init__(self, port: int, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.port, self.number, self.stop = port, number, stop
        self.took: list[float] = []
        self.failed: list[str] = []
        self.generations: set[str] = set()

    def run(self) -> None:
        draw = random.Random(self.number)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        for count in itertools.count():
            if self.stop.is_set():
                break
            question = " ".join(draw.sample(WORDS, 4)) + f" {self.number}-{count}"
            started = time.perf_counter()
            try:
                connection.request("GET", f"/api/v1/search?{urlencode({'q': question})}")
                response = connection.getresponse()
                body = response.read()
            except OSError as error:
                self.failed.append(repr(error))
                connection.close()
                continue
            if response.status == 200:
                self.took.append(time.perf_counter() - started)
                self.generations.add(json.loads(body)["generation"])
            else:
                self.failed.append(f"{response.status} {body[:200]!r}")
        connection.close()


def build(archive: Path, index: Path) -> str:
    done = subprocess.run(
        [*COMMAND, "build", "--archive", archive, "--index", index, "--json"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return str(json.loads(done.stdout)["generation"])


def ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def main(seconds: float = 60, clients: int = 8) -> int:
    with tempfile.TemporaryDirectory() as place:
        archive, index = Path(place, "archive"), Path(place, "index")
        shutil.copytree(ROOT / "archive", archive)
        generations = {build(archive, index)}
        server = subprocess.Popen(
            [*COMMAND, "serve", "--index", index, "--port", "0"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        assert server.stderr
        port = int(server.stderr.readline().split("127.0.0.1:")[1].split("/")[0])
        threading.Thread(target=lambda: [None for _ in server.stderr or ()], daemon=True).start()
        try:
            while not ready(port):
                time.sleep(0.2)
            stop = threading.Event()
            asking = [Client(port, number, stop) for number in range(clients)]
            started = time.perf_counter()
            for client in asking:
                client.start()
            time.sleep(seconds / 2)
            (archive / "ferry.en.txt").write_text(ADDED)
            generations.add(build(archive, index))
            time.sleep(max(0.0, seconds - (time.perf_counter() - started)))
            stop.set()
            for client in asking:
                client.join()
            lasted = time.perf_counter() - started
        finally:
            server.send_signal(signal.SIGTERM)
            status = server.wait(20)
    took = sorted(time for client in asking for time in client.took)
    failed = [each for client in asking for each in client.failed]
    seen = {each for client in asking for each in client.generations}
    print(f"{clients} clients, {lasted:.0f} s: {len(took):,} answers, {len(failed)} failed")
    print(f"the server ended with {status}")
    print(f"generations served: {len(seen)} of {len(generations)}")
    print(f"{len(took) / lasted:.1f} answers/s")
    for share in (0.5, 0.9, 0.99, 1.0):
        print(f"p{share * 100:g}: {took[min(len(took) - 1, int(share * len(took)))] * 1_000:.0f} ms")
    print("\n".join(failed[:10]))
    return 1 if failed or seen != generations or status else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
