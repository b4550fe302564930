"""Two builds at once: the second waits, and the lock dies with its process."""

import subprocess
import sys
import time

import pytest

from tests.support.paths import ROOT

PROGRAM = """
import sys
from pathlib import Path
from tests.support.fakes import FakeModel
from indexer import build_index
from indexer.store.folder import IndexFolder

archive, index, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

class Waiting(FakeModel):
    def open(self):
        print("at work", flush=True)
        sys.stdin.readline()
        return super().open()

if what == "roll back":
    folder = IndexFolder(index)
    with folder.lock():
        print("at work", flush=True)
        sys.stdin.readline()
        print(folder.roll_back(), flush=True)
else:
    print("begun", flush=True)
    report = build_index(archive, index, Waiting() if what == "wait" else FakeModel())
    print(f"{report.generation} {report.encoded} {report.added} {report.unchanged}", flush=True)
"""


@pytest.fixture
def start(archive, index):
    started = []

    def start(what):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, archive, index, what],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "WARRAQ_CACHE": str(index.parent)},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def line(process):
    return process.stdout.readline().strip()


def is_waiting(process):
    time.sleep(0.5)
    return process.poll() is None


def test_second_build_waits_and_changes_nothing(start):
    first = start("wait")
    assert (line(first), line(first)) == ("begun", "at work")
    second = start("build")
    assert line(second) == "begun"
    assert is_waiting(second)
    print(file=first.stdin, flush=True)
    generation, encoded, added, unchanged = line(first).split()
    assert (encoded, added, unchanged) == ("4", "2", "0")
    assert line(second) == f"{generation} 0 0 2"


def test_killed_build_releases_its_lock_at_once(start):
    first = start("wait")
    assert (line(first), line(first)) == ("begun", "at work")
    second = start("build")
    assert line(second) == "begun"
    assert is_waiting(second)
    first.kill()
    killed = time.perf_counter()
    assert line(second).endswith(" 4 2 0")
    assert time.perf_counter() - killed < 10


def test_build_waits_for_a_rollback(start, archive):
    line(start("build"))
    first = start("build")
    assert line(first) == "begun"
    before = line(first).split()[0]
    (archive / "more.txt").write_text("A storm came in the night.")
    second = start("build")
    assert line(second) == "begun"
    assert line(second).endswith(" 1 1 2")
    back = start("roll back")
    assert line(back) == "at work"
    third = start("build")
    assert line(third) == "begun"
    assert is_waiting(third)
    print(file=back.stdin, flush=True)
    assert line(back) == before
    assert line(third).endswith(" 0 1 2")
