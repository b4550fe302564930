"""Two programs that break builds on demand, for all tests of this folder, and the counts of what they did."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest
from breaking import Faults
from places import ROOT

MEMORY = Path("/dev/shm")
COUNTS: Counter[str] = Counter()


@pytest.fixture(scope="session")
def faults() -> Iterator[Faults]:
    """A folder in memory, where the machine has one: what a build leaves when it dies is the same there."""
    if sys.platform != "linux":
        pytest.skip("what a process does is followed through /proc")
    base = Path(tempfile.mkdtemp(prefix="warraq-faults-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    base.chmod(0o755)  # for a test in which another user reads there
    (base / "tmp").mkdir(mode=0o1777)
    (base / "tmp").chmod(0o1777)
    environment = {
        **os.environ,
        "TMPDIR": str(base / "tmp"),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/tests/support",
    }
    programs = [
        subprocess.Popen(
            [sys.executable, "-W", "error", ROOT / "tests/support/faulty.py", base, str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )
        for number in range(2)
    ]  # fmt: skip
    free: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
    for program in programs:
        free.put(program)
    with ThreadPoolExecutor(2) as threads:
        yield Faults(base, environment, free, threads)
    for program in programs:
        program.communicate()
    shutil.rmtree(base)


@pytest.fixture(scope="session")
def prepared(faults: Faults) -> Callable[[str], str]:
    """Have a scenario's archive and index made, once."""
    done: set[str] = set()

    def prepare(name: str) -> str:
        if name not in done:
            assert faults.ask({"do": "prepare", "name": name})["wrong"] == []
            done.add(name)
        return name

    return prepare


@pytest.fixture(scope="session")
def count() -> Callable[..., None]:
    """Add to the counts that are told at the end."""

    def add(**counts: int) -> None:
        COUNTS.update({name.replace("_", " "): number for name, number in counts.items()})

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if COUNTS:
        terminalreporter.section("faults")
        for name, number in COUNTS.items():
            terminalreporter.write_line(f"{number:>6,}  {name}")
