"""Settings: the folders and threads of this machine, and the versions and options that make an index.

The environment is read in this module and nowhere else. Options of the ranking stand in
`retrieval/fusion.py` with the figures that chose them, options of the web server in `web`.
"""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

DEFAULT_MODEL = "bundled"
Backend = Literal["openvino", "torch"]  # what a model runs on
BACKENDS: tuple[Backend, ...] = get_args(Backend)
DEFAULT_ARCHIVE = Path("archive")
DEFAULT_INDEX = Path("index")
GENERATIONS_KEPT = 2  # with the current one: one stays for a rollback, and readers may still use it

# A version is raised when the same input gives other passages, other terms or other files, so that an
# index of an earlier version is recognised as stale.
READING_VERSION = 3  # of the reading of formats, encodings and facts, and of the cutting of lines
SPLITTING_VERSION = 7  # of passages and sentences
ANALYSIS_VERSION = 3
FORMAT_VERSION = 8  # of the files of a generation


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """All settings that decide the content of an index; they stand in its manifest."""

    model: str
    weights: str
    """sha256 of the model's weights and tokenizer."""
    backend: Backend
    dimension: int
    prompts: dict[str, str]
    window: int
    """The maximum number of tokens that the model reads of a text, with the prompt."""
    language_neutral: dict[str, object]
    """The language-neutral space: version of the method, sha256 of the sample, whether it is used."""
    fields: dict[str, str] = field(default_factory=dict)
    """Names of record fields, where the user named others than the usual ones."""
    line_secret: str = ""
    """The fingerprint of the secret that line keys are made with."""
    reading_version: int = READING_VERSION
    splitting_version: int = SPLITTING_VERSION
    analysis_version: int = ANALYSIS_VERSION
    format_version: int = FORMAT_VERSION

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def cache_dir() -> Path:
    """Return the folder for files that can be made again: `WARRAQ_CACHE`, else the user's cache folder."""
    named = os.environ.get("WARRAQ_CACHE")
    if named:
        return Path(named)
    return Path(platformdirs.user_cache_dir("warraq", appauthor=False))


def threads() -> int:
    """Return the number of threads for model and vector scan: `WARRAQ_THREADS`, else the cores we may use.

    Without a limit, torch and FAISS each start a thread for each core and compete for the cores.
    """
    named = os.environ.get("WARRAQ_THREADS", "")
    if named.isdecimal() and int(named) > 0:
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def secret() -> str | None:
    """Return the secret that a server requires, where no file holds it: `WARRAQ_SECRET`."""
    return os.environ.get("WARRAQ_SECRET", "").strip() or None
