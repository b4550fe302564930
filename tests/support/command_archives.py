"""An archive of two sources with boilerplate and dates, for the command line."""

import json

from indexer import build_index
from tests.support.fakes import FakeModel

LINE = "The harbour master writes every Thursday"


def build_voyage_index(folder, index):
    """Articles of two sources with boilerplate, days for two of them, and an index of all."""
    (folder / "wire").mkdir(parents=True)
    for number in range(6):
        body = f"Ship number {number} left the port on day {number} with grain for {number} thousand people."
        text = "\n".join([f"Voyage {number}", "Loading", body, LINE, "Share"])
        (folder / "wire" / f"v{number}.txt").write_text(text, "utf-8")
        if number < 2:
            (folder / "wire" / f"v{number}.meta.json").write_text(
                json.dumps({"date": f"2025-03-0{number + 1}"})
            )
    (folder / "post.txt").write_text(
        "A voyage to the north\nThe ship and its grain were lost in the ice of the north."
    )
    build_index(folder, index, FakeModel(name="bundled"))
    return folder, index
