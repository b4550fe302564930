"""The manifest of a generation: its settings, its counts, and the checksums of its files.

The name of a generation ends in a digest of its manifest, so the name proves the manifest and the
manifest proves every file.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationContent:
    """Counts and lists of the articles in a generation."""

    documents: int = 0
    passages: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    """Passages by language."""
    sources: dict[str, int] = field(default_factory=dict)
    """Documents by source."""
    undated: int = 0
    """Documents without a date."""
    cut: dict[str, int] = field(default_factory=dict)
    """Lines that were cut as boilerplate, by rule."""
    repeated: list[dict[str, Any]] = field(default_factory=list)
    """The commonest lines that were cut because many articles of a source share them."""
    failed: list[dict[str, str]] = field(default_factory=list)
    """Files and records that could not be read."""
    notes: list[dict[str, str]] = field(default_factory=list)
    """Files whose text was repaired, or is odd."""
    examples: list[dict[str, str]] = field(default_factory=list)
    """Questions that the archive answers (building/examples.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(GenerationContent):
    """The settings and the content of a generation; `warraq info` shows all of it."""

    generation: str = ""
    built: str = ""
    """Time of the build, ISO 8601, UTC."""
    archive: str
    settings: dict[str, Any]
    files: dict[str, str]
    """sha256 of every other file of the generation, by name."""

    def named(self, built: datetime) -> "Manifest":
        """Return a copy with the time of the build and with the name that proves the manifest."""
        timed = replace(self, built=built.isoformat(timespec="seconds"))
        content = {name: value for name, value in asdict(timed).items() if name != "generation"}
        return replace(timed, generation=f"{built:%Y%m%dT%H%M%S%f}-{_digest(content)}")

    def to_json(self) -> str:
        """Return the text of the manifest file, exactly; the name comes first."""
        return _json({"generation": self.generation, **asdict(self)})


class UnverifiableManifest(ValueError):
    """A manifest that does not match the name of its generation; the message says why."""


def read_verified(folder: Path) -> dict[str, Any]:
    """Return the content of the manifest in a generation's folder, whichever version wrote it.

    Raises UnverifiableManifest unless the name of the folder proves the manifest.
    """
    generation = folder.name
    try:
        content = (folder / MANIFEST).read_bytes().decode()
        stored = json.loads(content)
        name = stored.pop("generation")
        manifest = {"generation": name, **stored}
        inside = all(_is_inside(path) for path in stored["files"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnverifiableManifest(f"{MANIFEST} of {generation} cannot be read") from error
    if name != generation:
        raise UnverifiableManifest(f"{MANIFEST} of {generation} belongs to another generation")
    if _digest(stored) != generation.rpartition("-")[2] or content != _json(manifest):
        raise UnverifiableManifest(f"{MANIFEST} of {generation} has changed since it was built")
    if not inside:  # a removal follows these names
        raise UnverifiableManifest(f"{MANIFEST} of {generation} names files outside of it")
    return manifest


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
