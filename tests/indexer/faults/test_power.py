"""A power cut: unsynced bytes may be lost, in whole or in part, and unsynced names may be the old ones."""

import pytest

from tests.support.fault_scenarios import SCENARIOS, wrong


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "crossing"])
def test_build_survives_power_loss_at_every_step(faults, prepared, count, scenario):
    done = faults.ask({"do": "cut", "name": prepared(scenario)})
    assert done["wrong"] == []
    jobs = [
        {"do": "check", "name": scenario, "left": left, "legal": legal} for left, _, _, legal in done["made"]
    ]
    assert any(job["legal"] == ["new"] for job in jobs)
    results = faults.all(jobs)
    assert wrong([each[1:] for each in done["made"]], results) == ([], 0)
    count(**{
        "instants at which the power was cut, in two ways each": done["instants"],
        "different disks that cuts left, each checked": len(jobs),
    })  # fmt: skip
