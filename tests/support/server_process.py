"""Start a server as a process, wait until it answers, and end it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.support.paths import ROOT

READY_WITHIN = 60  # seconds


@contextmanager
def serving(index: Path, state: str = "opened") -> Iterator[str]:
    """Yield the address of a server over an index, ready to answer, or in another state; its log is dropped."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.server_program", index, state],
        stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        line = process.stderr.readline()
        assert "http://127.0.0.1:" in line, line
        address = "http" + line.partition("http")[2].partition("/  ")[0].rstrip("/ \n")
        _drain(process)
        if state == "opened" and (index / "current").exists():
            until_ready(address)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        process.stderr.close()


def until_ready(address: str) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{address}/readyz") as response:
                if response.status == 200:
                    return
        except HTTPError as error:
            error.close()
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server never became ready")


def _drain(process: subprocess.Popen) -> None:
    """Read the log of a process, so that it does not block on a full pipe."""
    import threading

    threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
