"""kill -9 of real processes at random moments, for what happens within the libraries."""

import random
import subprocess
import sys
import time
from itertools import count as numbers

from tests.support.fault_scenarios import wrong
from tests.support.paths import ROOT

WANTED = 12
LARGE = ["many-0", "many-1", "many-2"]


def test_build_survives_kill_at_any_moment(faults, prepared, count):
    for name in faults.each(prepared, LARGE):
        assert name in LARGE
    duration = {name: killed(faults, name, f"calm-{name}", None)[1] for name in LARGE}
    kills, results, late = [], [], 0
    order = numbers()

    def one(_):
        number = next(order)
        name, dice = LARGE[number % len(LARGE)], random.Random(number)
        after = dice.uniform(0, 1.1 * duration[name])
        died, _, place = killed(faults, name, number, after)
        return name, number, after, died, faults.ask({"do": "verify", "name": name, **place})

    while len(kills) < WANTED and late < WANTED:
        for name, number, after, died, result in faults.each(one, list(range(WANTED - len(kills)))):
            if died:
                kills.append((name, number, after))
                results.append(result)
            else:
                late += 1
    assert len(kills) == WANTED
    assert wrong(kills, results) == ([], 0)
    states = [result["state"] for result in results]
    assert {"old", "new"} <= set(states)
    count(**{
        "random kills of real processes, each checked": len(kills),
        "of them before the switch": states.count("old"),
    })  # fmt: skip


def killed(faults, name, number, after):
    """Run a build as a process of its own and kill it; whether that came in time, and how long it had run."""
    run = faults.base / f"kill-{number}"
    run.mkdir()
    place = {"index": str(run / "index"), "notes": str(run / "notes"), "cache": str(run / "cache")}
    faults.ask({"do": "lay", "name": name, "run": str(run)})
    command = [
        sys.executable,
        ROOT / "tests/support/fault_program.py",
        "build",
        faults.base / name / "archive",
    ]
    command += [place["index"], place["notes"], *(["--rebuild"] if name == "many-2" else [])]
    environment = {**faults.environment, "WARRAQ_CACHE": place["cache"]}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout.readline() == "ready\n"
        started = time.perf_counter()
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.kill()
        took = time.perf_counter() - started
        assert process.wait() in (0, -9)
    return process.returncode == -9, took, place
