"""A full disk, and a folder that is read-only: the index before is served, and the message is for people."""

import os
import subprocess

import pytest

from tests.support.fault_scenarios import wrong


def failing(points):
    """The points at which a step may fail: before it, in the middle of a write; SQLite's where it writes."""
    chosen, calls = [], {}
    for number, when, kind, path, changed in points:
        if kind.startswith("sqlite"):
            if when == "before":
                calls[kind, path] = number
            elif changed and "close" not in kind:
                chosen.append(calls[kind, path])
        elif when != "after":
            chosen.append(number)
    return sorted(chosen)


def by_after(points, kind, path):
    """The number of the point after a call."""
    return next(point[0] for point in points if point[1:4] == ["after", kind, path])


WHOLE = {"changed", "rollback"}  # scenarios that fail at each of their steps; the others at every third


@pytest.mark.parametrize("scenario", ["first", "added", "changed", "rollback"])
def test_build_survives_a_full_disk_at_every_step(faults, prepared, count, scenario):
    points = faults.ask({"do": "count", "name": prepared(scenario)})["points"]
    by_number = {number: point for number, *point in points}
    # Its folder could not be synced: the switch is made, though it may not last.
    unsure = by_after(points, "replace", "index/current") + 1
    jobs = [
        {"do": "fail", "name": scenario, "at": number, "legal": "new" if number == unsure else "old"}
        for number in (failing(points) if scenario in WHOLE else failing(points)[::3])
    ]
    results = faults.all(jobs)
    assert wrong([by_number[job["at"]] for job in jobs], results) == ([], 0)
    raised = sum(bool(result["raised"]) for result in results)
    assert raised
    count(**{
        "steps failed, the disk full from there on": len(jobs),
        "of them ended the build, the index as it was": raised,
    })  # fmt: skip


def test_build_survives_a_file_size_limit_inside_libraries(faults, prepared, count):
    """Each library writes until the kernel says no, which it says within the library's own call."""
    sizes = [0, 50, 500, 2_000, 5_000, 20_000, 70_000, 150_000]
    jobs = [
        {"do": "limit", "name": prepared(scenario), "size": size}
        for scenario in ("first", "added", "changed")
        for size in sizes
    ]
    results = faults.all(jobs)
    assert wrong(jobs, results) == ([], 0)
    count(**{"builds with a limit on the size of files": len(jobs)})


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, of a few megabytes."""
    (place := tmp_path / "disk").mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0755", "tmpfs", place]
    if os.getuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only the administrator of a machine mounts disks")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_build_survives_a_really_full_disk(faults, prepared, count, disk):
    jobs = [
        {"do": "full", "name": prepared(scenario), "disk": str(disk), "free": free}
        for scenario in ("added", "changed")
        for free in (0, 4_096, 20_000, 60_000, 100_000, 150_000, 200_000, 400_000)
    ]
    results = [faults.ask(job) for job in jobs]
    assert wrong(jobs, results) == ([], 0)
    assert any(result["raised"] for result in results)
    count(**{"builds on a disk that was full, or nearly": len(jobs)})


def test_read_only_user_searches_and_gets_a_clear_build_error(faults, prepared):
    done = faults.ask({"do": "read_only", "name": prepared("added")})
    assert done["wrong"] == []
    assert done["status"] == 3
    lines = [line for line in done["said"].splitlines() if line]
    assert len(lines) == 1
    assert lines[0].startswith("Error: The index ")
    assert "cannot be written" in lines[0]
    assert "Permission denied" in lines[0]
