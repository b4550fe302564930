"""Generations on disk: whose folder it is, which generation is current, how the next takes over.

INDEX/warraq.json                  the marker: this folder is ours, in this layout
INDEX/current                      name of the generation that is served, replaced by one rename
INDEX/generations/NAME/            written aside, then renamed here; never changed afterwards
INDEX/generations/NAME/manifest.json   what it was made with; counts and sha256 of its files
INDEX/vectors.sqlite               the vector cache, shared by all generations
INDEX/lock                         held while building
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import IndexUnusable, NoIndex

MARKER, CURRENT, LOCK, GENERATIONS = "warraq.json", "current", "lock", "generations"
MANIFEST, SPACE = "manifest.json", "neutral.safetensors"
LAYOUT = 1
KEPT = 2  # generations, the current one counted: a reader may still hold the one before


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made with and what it holds; all that `info` tells of it."""

    generation: str
    built: str
    """Time of the build, ISO 8601, UTC."""
    archive: str
    settings: dict[str, Any]
    documents: int
    passages: int
    languages: dict[str, int]
    """Passages by language."""
    failed: list[dict[str, str]]
    files: dict[str, str]
    """sha256 by name of every other file of the generation."""
    sources: dict[str, int] = field(default_factory=dict)
    """Documents by source."""
    undated: int = 0
    cut: dict[str, int] = field(default_factory=dict)
    """Lines that were cut as furniture, by rule."""
    repeated: list[dict[str, Any]] = field(default_factory=list)
    """The commonest lines that were cut since many articles of a source have them."""
    notes: list[dict[str, str]] = field(default_factory=list)
    """Files whose text was repaired, or is odd."""


class IndexFolder:
    """An index folder, which may not exist yet. Making one checks nothing and writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cache = path / "vectors.sqlite"

    def check_ours(self) -> None:
        """Raise IndexUnusable where the folder is somebody else's or of another layout."""
        if self.path.exists() and not self.path.is_dir():
            raise IndexUnusable(f"{self.path} is a file, not a folder. Name another folder with --index.")
        marker = self.path / MARKER
        try:
            if not marker.exists():
                if self.path.exists() and {entry.name for entry in self.path.iterdir()} - {"README.md"}:
                    raise IndexUnusable(
                        f"The folder {self.path} holds files that are not an index of Warraq; nothing was "
                        "changed. Name another folder with --index."
                    )
                return
            layout = json.loads(marker.read_text("utf-8"))["layout"]
        except (ValueError, TypeError, KeyError):
            layout = None
        except OSError as error:
            raise IndexUnusable(
                f"The index in {self.path} cannot be read: {error.strerror or error}."
            ) from error
        if layout != LAYOUT:
            raise IndexUnusable(
                f"The index in {self.path} was made by another version of Warraq. "
                "Name another folder with --index, or remove this one and build again."
            )

    def prepare(self) -> None:
        """Make the folder and mark it as ours, unless it is already."""
        self.check_ours()
        try:
            (self.path / GENERATIONS).mkdir(parents=True, exist_ok=True)
            if not (self.path / MARKER).exists():
                replace_file(self.path / MARKER, json.dumps({"product": "warraq", "layout": LAYOUT}))
        except OSError as error:
            raise IndexUnusable(
                f"The index cannot be written to {self.path}: {error.strerror or error}."
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one build; a second build waits. The lock dies with its process.

        What keeps the build from writing, such as a full disk, is raised as IndexUnusable.
        """
        from filelock import FileLock

        try:
            with FileLock(self.path / LOCK):
                yield
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise IndexUnusable(
                f"The index in {self.path} cannot be written: {reason}. "
                "The index before, if there is one, is as it was."
            ) from error

    def current(self) -> str | None:
        """Return the name of the generation that is served, None where none was built."""
        try:
            return (self.path / CURRENT).read_text("utf-8").strip() or None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise self._damaged(f"{CURRENT} cannot be read") from error

    def folder(self, generation: str) -> Path:
        return self.path / GENERATIONS / generation

    def manifest(self) -> Manifest:
        """Read the current generation's manifest; NoIndex or IndexUnusable where there is none."""
        self.check_ours()
        generation = self.current()
        if generation is None:
            raise NoIndex(
                f"There is no index in {self.path} yet. Run: warraq build --archive DIR --index {self.path}"
            )
        try:
            stored = json.loads((self.folder(generation) / MANIFEST).read_text("utf-8"))
            manifest = Manifest(**stored)
        except (OSError, ValueError, TypeError) as error:
            raise self._damaged(f"{MANIFEST} of {generation} cannot be read") from error
        if manifest.generation != generation:
            raise self._damaged(f"{MANIFEST} of {generation} belongs to another generation")
        del stored["generation"]
        if _digest(stored) != generation.rpartition("-")[2]:
            raise self._damaged(f"{MANIFEST} of {generation} has changed since it was built")
        return manifest

    def check_files(self, manifest: Manifest) -> None:
        """Raise IndexUnusable unless every file of a generation is as it was written."""
        for name, expected in manifest.files.items():
            try:
                if sha256_of(self.folder(manifest.generation) / name) == expected:
                    continue
            except OSError as error:
                raise self._damaged(f"{name} cannot be read") from error
            raise self._damaged(f"{name} has changed since it was built")

    def _damaged(self, fact: str) -> IndexUnusable:
        return IndexUnusable(
            f"The index in {self.path} is damaged: {fact}. Run: warraq build --rebuild --index {self.path}"
        )

    @contextmanager
    def write_aside(self) -> Iterator[Path]:
        """Yield an empty folder for the next generation; it is removed unless it was published."""
        generations = self.path / GENERATIONS
        for left in generations.glob(".new-*"):  # of a build that died; the lock says it is nobody's
            shutil.rmtree(left, ignore_errors=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=generations))
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def publish(self, aside: Path, **content: Any) -> Manifest:
        """Finish a generation with its manifest and switch to it; returns what was written."""
        files = {
            path.relative_to(aside).as_posix(): sha256_of(path)
            for path in sorted(aside.rglob("*"))
            if path.is_file() and not path.name.startswith(".")  # Tantivy leaves lock files
        }
        built = datetime.now(UTC)
        unnamed = Manifest("", built.isoformat(timespec="seconds"), files=files, **content)
        vouched = {name: value for name, value in asdict(unnamed).items() if name != "generation"}
        manifest = replace(unnamed, generation=f"{built:%Y%m%dT%H%M%S%f}-{_digest(vouched)}")
        (aside / MANIFEST).write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), "utf-8")
        for path in [*aside.rglob("*"), aside]:
            sync(path)
        aside.chmod(0o755)  # mkdtemp keeps it to its maker; a server may be another user
        aside.rename(self.folder(manifest.generation))
        sync(self.path / GENERATIONS)
        replace_file(self.path / CURRENT, manifest.generation + "\n")
        self._prune()
        return manifest

    def _prune(self) -> None:
        """Remove generations before the last KEPT; only folders that hold a manifest are ours."""
        made = sorted(path.parent for path in (self.path / GENERATIONS).glob("*/" + MANIFEST))
        current = self.folder(self.current() or "")
        others = [folder for folder in made if folder != current]  # by name, which a clock set back misorders
        for folder in others[: -(KEPT - 1)]:
            shutil.rmtree(folder, ignore_errors=True)


def _digest(content: dict[str, Any]) -> str:
    """Return the end of a generation's name, which vouches for its manifest."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Have a file or folder reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: str) -> None:
    """Replace a small file whole: readers see the old content or the new one."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(content, "utf-8")
    sync(aside)
    aside.replace(path)
    sync(path.parent)
