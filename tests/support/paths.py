"""Where tests find their input. Data outside the repository is read only where WARRAQ_DATA names its folder."""

import os
from pathlib import Path

from indexer.settings import FORMAT_VERSION

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("WARRAQ_DATA") or ROOT / "tests" / "no-data").resolve()
"""Evaluation sets in BEIR's layout, in `dev` and `test`; the folder need not exist."""
SEEDS = DATA.parent / "seeds"
"""Real articles that stand next to those sets."""
SETTINGS = {"format_version": FORMAT_VERSION, "fields": {}}
"""What the manifest of a generation holds where a test needs nothing else of it."""
