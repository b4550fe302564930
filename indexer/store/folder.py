"""Generations on disk: whose folder it is, which generation is current, how the next takes over.

INDEX/warraq.json                  the marker: this folder is ours, in this layout
INDEX/current                      names of the generations that are kept, a line each, the one that is
                                   served first; replaced by one rename
INDEX/generations/NAME/            written staging, then renamed here; never changed afterwards
INDEX/generations/NAME/manifest.json   what it was made with; counts and sha256 of its files
INDEX/vectors.sqlite               the vector cache, shared by all generations
INDEX/lock                         held while building

Files that two generations share are hard links; none is ever opened for writing.
"""

import json
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from indexer.datatypes import Notice
from indexer.errors import IndexDamaged, IndexUnusable, NoIndex, RequestError
from indexer.settings import GENERATIONS_KEPT
from indexer.store.disk import (
    move_folder,
    remove_file,
    replace_file,
    sha256_of,
    staging_path,
    sync,
    write_file,
)
from indexer.store.manifest import MANIFEST, GenerationContent, Manifest, UnverifiableManifest, read_verified
from indexer.store.removal import UNFINISHED, is_content, remove_generation, remove_staging
from indexer.store.vector_cache import checksum_path

MARKER, CURRENT, LOCK, GENERATIONS = "warraq.json", "current", "lock", "generations"
SPACE_FILE = "neutral.safetensors"
LAYOUT = 1
_STAGING = ".new-"  # how the name of a folder begins that is being written
_NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")

_MARK = json.dumps({"product": "warraq", "layout": LAYOUT})

Opened = TypeVar("Opened")


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
                beside = {"README.md", staging_path(marker).name}  # the second of a first build that died
                if self.path.exists() and {entry.name for entry in self.path.iterdir()} - beside:
                    raise IndexUnusable(
                        f"The folder {self.path} holds files that are not an index of Warraq; nothing was "
                        "changed. Name another folder with --index."
                    )
                return
            layout = json.loads(marker.read_text("utf-8"))["layout"]
        except (ValueError, TypeError, KeyError) as error:
            raise IndexDamaged(
                f"The marker {marker} cannot be read. If the folder is an index of Warraq, write {_MARK} "
                "into that file; otherwise name another folder with --index.",
                f"{MARKER} cannot be read",
            ) from error
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
            if not self.path.exists():
                self.path.mkdir(parents=True, exist_ok=True)
                sync(self.path.parent)
            if not self._is_marked():  # first: what else is in the folder is ours only beside it
                replace_file(self.path / MARKER, _MARK)
            if not (self.path / GENERATIONS).exists():
                (self.path / GENERATIONS).mkdir(exist_ok=True)
                sync(self.path)
        except OSError as error:
            raise IndexUnusable(
                f"The index cannot be written to {self.path}: {error.strerror or error}."
            ) from error

    def _is_marked(self) -> bool:
        marker = self.path / MARKER
        return marker.exists() and marker.read_bytes() == _MARK.encode()

    def pointer_faults(self) -> Iterator[str]:
        """Yield what is wrong with the files that say whose the index is and which generation is served."""
        if (self.path / MARKER).exists() and not self._is_marked():
            yield f"{MARKER} has changed since it was written"
        try:
            names = self.listed()
        except IndexDamaged as error:
            yield error.fact
            return
        found = self.found()
        if found and not names:
            yield f"{CURRENT} is missing"
        for name in names:
            if name not in found:
                yield f"{CURRENT} names {name}, which is missing"

    @contextmanager
    def exclude_builds(self) -> Iterator[None]:
        """Keep builds out while the index is looked at, as far as this user can."""
        lock = FileLock(self.path / LOCK)
        with suppress(OSError):
            if (self.path / LOCK).exists():
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one build; a second build waits. The lock dies with its process.

        What keeps the build from writing, such as a full disk, is raised as IndexUnusable.
        """
        try:
            with FileLock(self.path / LOCK):
                yield
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise IndexUnusable(
                f"The index in {self.path} cannot be written: {reason}. "
                "The index before, if there is one, is as it was."
            ) from error

    def listed(self) -> list[str]:
        """Return the names of the generations that are kept, the one that is served first.

        None where nothing was built; IndexDamaged where the file that tells cannot be read.
        """
        try:
            content = (self.path / CURRENT).read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError) as error:
            raise self.damaged(f"{CURRENT} cannot be read") from error
        names = content.splitlines()
        if not names or content != _lines(names) or not all(map(_NAME.fullmatch, names)):
            raise self.damaged(f"{CURRENT} names no generation")
        return names

    def current(self) -> str | None:
        """Return the name of the generation that is served, None where none was built."""
        return next(iter(self.listed()), None)

    def found(self) -> list[str]:
        """Return the names of all generations that are on the disk, newest first."""
        with suppress(OSError):
            folders = [path.name for path in (self.path / GENERATIONS).iterdir() if path.is_dir()]
            return sorted(filter(_NAME.fullmatch, folders), reverse=True)
        return []

    def generations_to_keep(self, generation: str) -> list[str]:
        """Return the names of the generations to keep with one that is whole, itself the first.

        What should have been served and was not, is not among them.
        """
        return [generation, *(name for name in self._kept()[1:] if name != generation)]

    def candidates(self) -> list[str]:
        """Return the generations that could be served: the one that should be, then the newest first."""
        first = self._kept()[:1]
        return first + [name for name in self.found() if name not in first]

    def folder(self, generation: str) -> Path:
        return self.path / GENERATIONS / generation

    def manifest(self, generation: str) -> Manifest:
        """Read the manifest of a generation; IndexDamaged unless it is as it was written."""
        try:
            return Manifest(**read_verified(self.folder(generation)))
        except UnverifiableManifest as error:
            raise self.damaged(str(error)) from error
        except TypeError as error:
            raise IndexUnusable(
                f"The index in {self.path} was built by another version of Warraq.",
                remedy=self.rebuild_command,
            ) from error

    def newest(self, opened: Callable[[str], Opened]) -> tuple[Opened, Notice | None]:
        """Open the generation that is served; where it is damaged, the newest that is whole.

        Returns it, with a notice where it is not the newest. `opened` raises IndexDamaged for a damaged one.
        Raises NoIndex where nothing was built, and the first error where no generation is whole.
        """
        self.check_ours()
        first: IndexDamaged | None = None
        try:
            self.listed()
        except IndexDamaged as error:
            first = error
        names = self.candidates()
        if not names and not first:
            raise self.no_index()
        if not first and not (self.path / CURRENT).exists():
            first = self.damaged(f"{CURRENT} is missing")
        for name in names:
            try:
                found = opened(name)
            except IndexDamaged as error:
                first = first or error
            except IndexUnusable:
                if first is None:
                    raise  # of another make, which is no damage
            else:
                return found, self._stepped_down(first, name) if first else None
        raise first or self.damaged("it holds no generation")

    def _stepped_down(self, error: IndexDamaged, name: str) -> Notice:
        return Notice(
            "damage",
            f"The index in {self.path} is damaged: {error.fact}. What is shown is from the newest generation "
            f"that is whole, {name}.",
            remedy=self.rebuild_command,
        )

    def check_files(self, manifest: Manifest) -> None:
        """Raise IndexDamaged unless every file of a generation is as it was written."""
        for fact in self.damages(manifest):
            raise self.damaged(fact)

    def damages(self, manifest: Manifest) -> Iterator[str]:
        """Yield what is wrong with the files of a generation, a line each."""
        for name, expected in manifest.files.items():
            try:
                if sha256_of(self.folder(manifest.generation) / name) != expected:
                    yield f"{name} of {manifest.generation} has changed since it was built"
            except FileNotFoundError:
                yield f"{name} of {manifest.generation} is missing"
            except OSError as error:
                yield f"{name} of {manifest.generation} cannot be read: {error.strerror or error}"

    def damaged(self, fact: str) -> IndexDamaged:
        """Return the error for a fact about this index, with the remedy."""
        return IndexDamaged(
            f"The index in {self.path} is damaged: {fact}.", fact, remedy=self.rebuild_command
        )

    @property
    def build_command(self) -> str:
        """The command that brings the index up to date."""
        return f"warraq build --index {self.path}"

    @property
    def rebuild_command(self) -> str:
        """The command that mends an index that is damaged or was built by another version."""
        return f"warraq build --rebuild --index {self.path}"

    def no_index(self) -> NoIndex:
        """Return the error for an index that was never built, with the command that builds it."""
        return NoIndex(
            f"There is no index in {self.path} yet.",
            remedy=f"warraq build --archive DIR --index {self.path}",
        )

    @contextmanager
    def staging_folder(self) -> Iterator[Path]:
        """Yield an empty folder for the next generation; it is removed unless it was published."""
        self._remove_staging_folders()
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.path / GENERATIONS))
        try:
            write_file(staging / UNFINISHED, _MARK)
            sync(staging)  # before anything is in it: without the note nobody would remove it
            yield staging
        finally:
            remove_staging(staging)

    def publish(
        self,
        staging: Path,
        content: GenerationContent,
        *,
        archive: str,
        settings: dict[str, Any],
        linked: Mapping[str, str] | None = None,
        check: Callable[[Manifest], None] = lambda _: None,
        earlier: Sequence[str] | None = None,
        keep: int = GENERATIONS_KEPT,
    ) -> Manifest:
        """Finish a generation with its manifest, check it and switch to it; returns the manifest.

        `linked` has the sha256 of the files that are shared with an earlier generation, by name. `earlier`
        names the generations that may stay beside the new one, by default those that are listed now; `keep`
        is how many stay in all.
        """
        linked = linked or {}
        files = {
            name: linked.get(name) or sha256_of(path)
            for path in sorted(staging.rglob("*"))
            if path.is_file() and is_content(path)
            for name in [path.relative_to(staging).as_posix()]
        }
        manifest = Manifest(
            **{each.name: getattr(content, each.name) for each in fields(content)},
            archive=archive,
            settings=settings,
            files=files,
        ).named(datetime.now(UTC))
        write_file(staging / MANIFEST, manifest.to_json())
        mode = (staging / MANIFEST).stat().st_mode & 0o777
        for path in staging.rglob("*"):
            # Libraries keep some files to their maker; whoever may read one may read all.
            if path.is_file() and path.stat().st_mode & 0o777 != mode:
                path.chmod(mode)
        for path in [*staging.rglob("*"), staging]:
            sync(path)
        staging.chmod(0o755)  # mkdtemp keeps it to its maker; a server may be another user
        try:
            move_folder(staging, self.folder(manifest.generation))
            check(manifest)
            self._switch(
                [manifest.generation, *(self._kept() if earlier is None else earlier)][: max(keep, 1)]
            )
        except BaseException:
            if self._kept()[:1] != [manifest.generation]:
                self._remove(manifest.generation)
            raise
        return manifest

    def roll_back(self, generation: str | None = None) -> str:
        """Serve the generation that was built before the current one, or a named one; returns its name.

        Nothing is removed, so that one can go forward again. It must be held to be whole by the
        caller. Raises RequestError where there is none.
        """
        wanted = self.earlier(generation)
        names = self._kept() or self.found()
        replace_file(self.path / CURRENT, _lines([wanted, *(name for name in names if name != wanted)]))
        return wanted

    def earlier(self, generation: str | None = None) -> str:
        """Return the generation built before the current one, or the one that is named, if it is here."""
        found, current = self.found(), next(iter(self._kept()), "")
        wanted = generation or next((name for name in found if name < current), None)
        if wanted is None:
            raise RequestError(
                "no_generation", f"The index in {self.path} keeps no generation before the current one."
            )
        if wanted not in found:
            raise RequestError(
                "no_generation",
                f"The index in {self.path} keeps no generation {wanted}. Kept: {', '.join(found) or 'none'}.",
            )
        return wanted

    def _kept(self) -> list[str]:
        try:
            return self.listed()
        except IndexDamaged:
            return []

    def _switch(self, names: list[str]) -> None:
        """Serve the first of these generations, keep the others, and remove what is ours beside them."""
        replace_file(self.path / CURRENT, _lines(names))
        self._remove_others(names)

    def remove_leftovers(self) -> None:
        """Remove what a build that died after its switch has left. The lock says that it is nobody's."""
        self._remove_staging_folders()
        for path in (self.path / MARKER, self.path / CURRENT, checksum_path(self.cache)):
            with suppress(OSError):
                remove_file(staging_path(path))
        self._remove_others(self.listed())

    def _remove_staging_folders(self) -> None:
        for left in (self.path / GENERATIONS).glob(f"{_STAGING}*"):  # of a build that died
            remove_staging(left)

    def _remove_others(self, names: Sequence[str]) -> None:
        """Remove the generations that are ours but for these, which are finished."""
        for generation in self.found():
            if generation not in names:
                self._remove(generation)
            else:
                with suppress(OSError):
                    remove_file(self.folder(generation) / UNFINISHED)

    def _remove(self, generation: str) -> None:
        """Remove a generation, as far as it is ours."""
        folder = self.folder(generation)
        try:
            files = list(read_verified(folder)["files"])
        except UnverifiableManifest:
            files = None
        remove_generation(folder, files)


def _lines(names: Sequence[str]) -> str:
    return "".join(f"{name}\n" for name in names)
