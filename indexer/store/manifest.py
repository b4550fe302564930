"""What a generation says of itself: what it was made with, and what it holds to the last byte.

The name of a generation ends in a digest of its manifest, so that the name vouches for the manifest
and the manifest for every file.
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
    """What a generation holds, counted and listed."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(GenerationContent):
    """What a generation was made with and what it holds; all that `info` tells of it."""

    generation: str = ""
    built: str = ""
    """Time of the build, ISO 8601, UTC."""
    archive: str
    settings: dict[str, Any]
    files: dict[str, str]
    """sha256 by name of every other file of the generation."""

    def named(self, built: datetime) -> "Manifest":
        """Return it with the time of the build, and with the name that vouches for it."""
        timed = replace(self, built=built.isoformat(timespec="seconds"))
        vouched = {name: value for name, value in asdict(timed).items() if name != "generation"}
        return replace(timed, generation=f"{built:%Y%m%dT%H%M%S%f}-{_digest(vouched)}")

    def to_json(self) -> str:
        """Return what its file holds, to the last byte; the name comes first."""
        return _json({"generation": self.generation, **asdict(self)})


class UnverifiableManifest(ValueError):
    """A manifest that is not what its generation's name says; the message is the fact."""


def read_verified(folder: Path) -> dict[str, Any]:
    """Return what the manifest in a generation's folder holds, whichever version wrote it."""
    generation = folder.name
    try:
        content = (folder / MANIFEST).read_bytes().decode()
        stored = json.loads(content)
        name = stored.pop("generation")
        vouched = {"generation": name, **stored}
        inside = all(_is_inside(each) for each in stored["files"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnverifiableManifest(f"{MANIFEST} of {generation} cannot be read") from error
    if name != generation:
        raise UnverifiableManifest(f"{MANIFEST} of {generation} belongs to another generation")
    if _digest(stored) != generation.rpartition("-")[2] or content != _json(vouched):
        raise UnverifiableManifest(f"{MANIFEST} of {generation} has changed since it was built")
    if not inside:  # files are removed by these names
        raise UnverifiableManifest(f"{MANIFEST} of {generation} names files outside of it")
    return vouched


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
