"""Programs that break builds on demand, for all tests of this folder, and the counts of what they did."""

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

from tests.support.fault_scenarios import Faults
from tests.support.paths import ROOT

MEMORY = Path("/dev/shm")
COUNTED = "faults: "  # how what a test has counted begins, among the properties of its report


def programs_at_once() -> int:
    """Two, for two cores; one where another process runs tests of this folder at the same time."""
    return 1 if "PYTEST_XDIST_WORKER" in os.environ else 2


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
        "PYTHONPATH": str(ROOT),
    }
    programs = [
        subprocess.Popen(
            [sys.executable, "-W", "error", ROOT / "tests/support/fault_program.py", base, str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )
        for number in range(programs_at_once())
    ]  # fmt: skip
    free: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
    for program in programs:
        free.put(program)
    with ThreadPoolExecutor(len(programs)) as threads:
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


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Add to the counts that are printed at the end."""

    def add(**counts: int) -> None:
        for name, number in counts.items():
            record_property(COUNTED + name, number)

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts; reports come here from the processes that tests run in."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        counts.update({
            name.removeprefix(COUNTED): number
            for name, number in report.user_properties
            if name.startswith(COUNTED)
        })  # fmt: skip
    if counts:
        terminalreporter.section("faults")
        for name, number in counts.items():
            terminalreporter.write_line(f"{number:>6,}  {name}")
