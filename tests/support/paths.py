"""Where tests find real input; the shared folder is not there on every machine."""

from pathlib import Path

from indexer.settings import FORMAT_VERSION

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SEEDS = SHARED / "seeds"
DATA = SHARED / "data"
# What a generation says of itself where a test has nothing else to say.
SETTINGS = {"format_version": FORMAT_VERSION, "fields": {}}
