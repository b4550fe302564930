"""Programs that break builds on demand, and how to ask them."""

import json
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

SCENARIOS = ["first", "added", "changed", "crossing", "rollback", "damaged"]
SHOWN = 4


@dataclass
class Faults:
    """Jobs for the program `fault_program`, done by as many of it as were started."""

    base: Path
    environment: dict[str, str]
    free: "SimpleQueue[subprocess.Popen[str]]"
    threads: ThreadPoolExecutor

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        program = self.free.get()
        try:
            print(json.dumps(job), file=program.stdin, flush=True)
            return json.loads(program.stdout.readline())
        finally:
            self.free.put(program)

    def all(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Do jobs, in any order; returns what became of each, in their order."""
        return list(self.threads.map(self.ask, jobs))

    def each(self, work: Callable[[Any], Any], items: list[Any]) -> list[Any]:
        return list(self.threads.map(work, items))


def wrong(jobs: Sequence[Any], results: Sequence[dict[str, Any]]) -> tuple[list[Any], int]:
    """Return the first few faults, by job, and their number; one fault shows at many steps."""
    found = [(job, result["wrong"]) for job, result in zip(jobs, results, strict=True) if result["wrong"]]
    return found[:SHOWN], len(found)
