"""kill -9 at every step of a build: the last good index answers, and the next build goes on."""

import pytest

from tests.support.fault_scenarios import SCENARIOS, wrong


def deadly(points):
    """The points to die at: all of ours, and those around each call in which a library writes.

    Where two follow one another with nothing between them, the first is enough: an end and the next
    beginning are one instant. SQLite writes at few of its calls; those are known by what they change.
    """
    chosen, after = [], False
    calls = {}
    for number, when, kind, path, changed in points:
        of_sqlite = kind.startswith("sqlite")
        if when == "before":
            calls[kind, path] = number
        if of_sqlite and when == "after" and changed:
            chosen += [calls[kind, path], number]
        elif not of_sqlite and not (when == "before" and after):
            chosen.append(number)
        after = when == "after" and not of_sqlite
    return sorted(set(chosen))


# The builds of all scenarios take mostly the same steps. The longest one dies at each of them, and so does
# going back, which is short; the others at every third.
WHOLE = {"changed", "rollback"}
THIRDS = {name: number % 3 for number, name in enumerate(SCENARIOS)}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_build_survives_death_at_every_step(faults, prepared, count, scenario):
    counted = faults.ask({"do": "count", "name": prepared(scenario)})
    assert counted["wrong"] == []
    points = counted["points"]
    chosen = deadly(points) if scenario in WHOLE else deadly(points)[THIRDS[scenario] :: 3]
    jobs = [{"do": "die", "name": scenario, "at": number} for number in chosen]
    results = faults.all(jobs)
    by_number = {number: point for number, *point in points}
    assert wrong([by_number[job["at"]] for job in jobs], results) == ([], 0)
    assert {result["state"] for result in results} == {"old", "new"}
    count(**{
        "points in all builds: before, within or after a step": len(points),
        "deaths by SIGKILL at a step, each checked": len(jobs),
    })  # fmt: skip
