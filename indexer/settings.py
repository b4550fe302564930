"""What is decided once: where things lie on this machine, and what an index is made with.

The environment is read here and nowhere else. Options of the ranking stand beside the figures
that chose them, in `ranking/fusion.py`; options of the web server in `web`.
"""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

DEFAULT_MODEL = "bundled"
DEFAULT_ARCHIVE = Path("archive")
DEFAULT_INDEX = Path("index")
GENERATIONS_KEPT = 2  # generations, the current one counted: one to go back to, which a reader may still hold

# Raised when the same input would give other passages or other terms, so that a build made
# before is known to be stale.
READING_VERSION = 2  # formats, encodings, facts and cleaning
SPLITTING_VERSION = 3
ANALYSIS_VERSION = 2
FORMAT_VERSION = 4  # of the files of a generation


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """All that decides what an index holds, apart from the articles. It stands in the manifest."""

    model: str
    weights: str
    """sha256 of the model's weights and tokenizer."""
    dimension: int
    prompts: dict[str, str]
    window: int
    """Most tokens that the model reads of one text, prompt included."""
    language_neutral: dict[str, object]
    """The language-neutral space: version of the method, sha256 of the sample, whether it is used."""
    fields: dict[str, str] = field(default_factory=dict)
    """Names of fields in records, where the user gave others than those that are known."""
    line_secret: str = ""
    """The fingerprint of the secret that line keys were made with."""
    reading_version: int = READING_VERSION
    splitting_version: int = SPLITTING_VERSION
    analysis_version: int = ANALYSIS_VERSION
    format_version: int = FORMAT_VERSION

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def cache_dir() -> Path:
    """Folder for what can be made again: `WARRAQ_CACHE`, else the user's cache folder."""
    named = os.environ.get("WARRAQ_CACHE")
    if named:
        return Path(named)
    return Path(platformdirs.user_cache_dir("warraq", appauthor=False))


def threads() -> int:
    """Threads for the model and the vector scan: `WARRAQ_THREADS`, else the cores we may use.

    Torch and FAISS each start a thread per core when left alone and then fight for them.
    """
    named = os.environ.get("WARRAQ_THREADS", "")
    if named.isdecimal() and int(named) > 0:
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def secret() -> str | None:
    """What a server wants of those who ask, where no file names it: `WARRAQ_SECRET`."""
    return os.environ.get("WARRAQ_SECRET", "").strip() or None
