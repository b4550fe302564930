"""Index folders: who owns a folder, which generation is served, and how the next one takes over.

INDEX/warraq.json                  the marker: this folder belongs to Warraq, in this layout
INDEX/current                      names of the generations to keep, a line each, the served one first;
                                   replaced by one rename
INDEX/generations/NAME/            written in a staging folder, then renamed; never changed afterwards
INDEX/generations/NAME/manifest.json   the settings of the build; counts, and sha256 of the files
INDEX/vectors.sqlite               the vector cache, shared by all generations
INDEX/lock                         held while building

Files that two generations share are hard links; no such file is ever opened for writing.
"""

import json
import os
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
from indexer.settings import FORMAT_VERSION, GENERATIONS_KEPT
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
CACHE = "vectors.sqlite"
SPACE_FILE = "neutral.safetensors"
LAYOUT = 1
_STAGING = ".new-"  # prefix of the folder in which a generation is written
_NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")

_MARK = json.dumps({"product": "warraq", "layout": LAYOUT})

Opened = TypeVar("Opened")


def _odd_entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what an index never holds, by name and kind: reading it could wait for ever or lead outside."""
    pending = [folder]
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:
            continue  # missing, or told by whoever reads it
        for entry in entries:
            name = Path(entry.path).relative_to(folder).as_posix()
            if entry.is_symlink():
                yield name, "a link"
            elif entry.is_dir():
                if name == CACHE:
                    yield name, "a folder"
                pending.append(Path(entry.path))
            elif not entry.is_file():
                yield name, "a pipe, a socket or a device"


class IndexFolder:
    """An index folder, which may not exist yet. Making one checks nothing and writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cache = path / CACHE

    def check_ours(self) -> None:
        """Raise IndexUnusable where the folder is not Warraq's or has another layout."""
        if self.path.exists() and not self.path.is_dir():
            raise IndexUnusable(f"{self.path} is a file, not a folder. Name another folder with --index.")
        marker = self.path / MARKER
        try:
            if not marker.exists():
                # The staged marker remains where a first build died before it renamed the file.
                allowed = {"README.md", staging_path(marker).name}
                if self.path.exists() and {entry.name for entry in self.path.iterdir()} - allowed:
                    raise IndexUnusable(
                        f"The folder {self.path} holds files that are not an index of Warraq; nothing was "
                        "changed. Name another folder with --index."
                    )
                return
            self._check_kinds()
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

    def _check_kinds(self) -> None:
        for name, kind in _odd_entries(self.path):
            raise IndexUnusable(
                f"The index in {self.path} holds {name}, which is {kind}. Remove it.",
                remedy=self.rebuild_command,
            )

    def prepare(self) -> None:
        """Make the folder and write its marker, unless that has been done."""
        self.check_ours()
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True, exist_ok=True)
                sync(self.path.parent)
            # Write the marker first: without it the folder counts as somebody else's.
            if not self._is_marked():
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
        """Yield the faults of the marker and of the list of generations, a line each."""
        if (self.path / MARKER).exists() and not self._is_marked():
            yield f"{MARKER} has changed since it was written"
        try:
            names = self.listed()
        except IndexDamaged as error:
            yield error.fact
            return
        existing = self.found()
        if existing and not names:
            yield f"{CURRENT} is missing"
        for name in names:
            if name not in existing:
                yield f"{CURRENT} names {name}, which is missing"

    @contextmanager
    def exclude_builds(self) -> Iterator[None]:
        """Keep builds out while the index is verified; go on without the lock where it cannot be had."""
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
        """Hold the folder for one build; a second build waits. The lock ends with its process.

        An error that keeps the build from writing, such as a full disk, is raised as IndexUnusable.
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
        """Return the names of the generations to keep, the served one first.

        Empty where nothing was built; IndexDamaged where the file of the names cannot be read.
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
        """Return the name of the served generation; None where nothing was built."""
        return next(iter(self.listed()), None)

    def found(self) -> list[str]:
        """Return the names of all generations on disk, newest first."""
        with suppress(OSError):
            folders = [path.name for path in (self.path / GENERATIONS).iterdir() if path.is_dir()]
            return sorted(filter(_NAME.fullmatch, folders), reverse=True)
        return []

    def generations_to_keep(self, generation: str) -> list[str]:
        """Return the names of the generations to keep with an undamaged one, which comes first.

        If another generation is first in the list, it could not be served and is left out.
        """
        return [generation, *(name for name in self._listed_or_empty()[1:] if name != generation)]

    def candidates(self) -> list[str]:
        """Return the generations that could be served: the listed one, then the others, newest first."""
        first = self._listed_or_empty()[:1]
        return first + [name for name in self.found() if name not in first]

    def folder(self, generation: str) -> Path:
        return self.path / GENERATIONS / generation

    def manifest(self, generation: str) -> Manifest:
        """Read the manifest of a generation; IndexDamaged where it is missing or has changed."""
        try:
            return Manifest(**read_verified(self.folder(generation)))
        except UnverifiableManifest as error:
            raise self.damaged(str(error)) from error
        except TypeError as error:
            raise IndexUnusable(
                f"The index in {self.path} was built by another version of Warraq.",
                remedy=self.rebuild_command,
            ) from error

    def newest(self, open_generation: Callable[[str], Opened]) -> tuple[Opened, Notice | None]:
        """Open the served generation or, where it is damaged, the newest undamaged one.

        `open_generation` opens a generation by name and raises IndexDamaged for a damaged one. Returns its
        result, with a notice where the index is damaged. Raises NoIndex where nothing was built, and the
        first error where every generation is damaged.
        """
        self.check_ours()
        first_damage: IndexDamaged | None = None
        try:
            self.listed()
        except IndexDamaged as error:
            first_damage = error
        names = self.candidates()
        if not names and not first_damage:
            raise self.no_index()
        if not first_damage and not (self.path / CURRENT).exists():
            first_damage = self.damaged(f"{CURRENT} is missing")
        for name in names:
            try:
                opened = open_generation(name)
            except IndexDamaged as error:
                first_damage = first_damage or error
            except IndexUnusable:
                if first_damage is None:
                    raise  # built by another version, which is not damage
            else:
                return opened, self._damage_notice(first_damage, name) if first_damage else None
        raise first_damage or self.damaged("it holds no generation")

    def _damage_notice(self, error: IndexDamaged, name: str) -> Notice:
        return Notice(
            "damage",
            f"The index in {self.path} is damaged: {error.fact}. What is shown is from the newest generation "
            f"that is whole, {name}.",
            remedy=self.rebuild_command,
        )

    def check_files(self, manifest: Manifest) -> None:
        """Raise IndexDamaged unless every file of a generation is unchanged."""
        for fact in self.damages(manifest):
            raise self.damaged(fact)

    def damages(self, manifest: Manifest) -> Iterator[str]:
        """Yield the faults of the files of a generation, a line each."""
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

    def check_format(self, manifest: Manifest) -> None:
        """Raise IndexUnusable unless this version of the program wrote the files of a generation."""
        if manifest.settings.get("format_version") != FORMAT_VERSION:
            raise IndexUnusable(
                f"The index in {self.path} was built by another version of Warraq, which kept it in other "
                "files.",
                remedy=self.rebuild_command,
            )

    @property
    def build_command(self) -> str:
        """The command that brings the index up to date."""
        return f"warraq build --index {self.path}"

    @property
    def rebuild_command(self) -> str:
        """The command that repairs an index that is damaged or was built by another version."""
        return f"warraq build --rebuild --index {self.path}"

    def no_index(self) -> NoIndex:
        """Return the error for an index that was never built, with the command that builds it."""
        return NoIndex(
            f"There is no index in {self.path} yet.",
            remedy=f"warraq build --archive DIR --index {self.path}",
        )

    @contextmanager
    def staging_folder(self) -> Iterator[Path]:
        """Yield an empty folder for the next generation; remove it afterwards unless it was published."""
        self._remove_staging_folders()
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.path / GENERATIONS))
        try:
            write_file(staging / UNFINISHED, _MARK)
            # Sync the note before anything else is written: a folder without it is never removed.
            sync(staging)
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
        """Write the manifest of a generation, check the generation and switch to it; returns the manifest.

        `linked` has the sha256 of the files that are shared with an earlier generation, by name. `check`
        raises where the generation cannot be opened; then the switch does not happen. `earlier` names the
        generations that may stay with the new one, by default the listed ones; `keep` is how many stay
        in all.
        """
        linked = linked or {}
        files = {
            name: linked.get(name) or sha256_of(path)
            for path in sorted(staging.rglob("*"))
            if path.is_file() and is_content(path)
            for name in [path.relative_to(staging).as_posix()]
        }
        manifest = Manifest(
            **{field.name: getattr(content, field.name) for field in fields(content)},
            archive=archive,
            settings=settings,
            files=files,
        ).named(datetime.now(UTC))
        write_file(staging / MANIFEST, manifest.to_json())
        mode = (staging / MANIFEST).stat().st_mode & 0o777
        for path in staging.rglob("*"):
            # Libraries make some files private; give every file the permissions of the manifest.
            if path.is_file() and path.stat().st_mode & 0o777 != mode:
                path.chmod(mode)
        for path in [*staging.rglob("*"), staging]:
            sync(path)
        staging.chmod(0o755)  # mkdtemp makes it private; a server may run as another user
        try:
            move_folder(staging, self.folder(manifest.generation))
            check(manifest)
            names = [manifest.generation, *(self._listed_or_empty() if earlier is None else earlier)]
            self._switch(names[: max(keep, 1)])
        except BaseException:
            if self._listed_or_empty()[:1] != [manifest.generation]:
                self._remove(manifest.generation)
            raise
        return manifest

    def roll_back(self, generation: str | None = None) -> str:
        """Serve the generation built before the current one, or a named one; returns its name.

        Removes nothing, so that a user can go forward again. The caller has verified the generation. Raises
        RequestError where there is no such generation.
        """
        target = self.earlier(generation)
        names = self._listed_or_empty() or self.found()
        replace_file(self.path / CURRENT, _lines([target, *(name for name in names if name != target)]))
        return target

    def earlier(self, generation: str | None = None) -> str:
        """Return the generation built before the current one, or the named one.

        Raises RequestError where there is no such generation.
        """
        existing, current = self.found(), next(iter(self._listed_or_empty()), "")
        target = generation or next((name for name in existing if name < current), None)
        if target is None:
            raise RequestError(
                "no_generation", f"The index in {self.path} keeps no generation before the current one."
            )
        if target not in existing:
            raise RequestError(
                "no_generation",
                f"The index in {self.path} keeps no generation {target}. "
                f"Kept: {', '.join(existing) or 'none'}.",
            )
        return target

    def _listed_or_empty(self) -> list[str]:
        try:
            return self.listed()
        except IndexDamaged:
            return []

    def _switch(self, names: list[str]) -> None:
        """Serve the first of these generations, keep the others, and remove all that are not among them."""
        replace_file(self.path / CURRENT, _lines(names))
        self._remove_others(names)

    def remove_leftovers(self) -> None:
        """Remove the files of a build that died after its switch; the caller holds the lock."""
        self._remove_staging_folders()
        for path in (self.path / MARKER, self.path / CURRENT, checksum_path(self.cache)):
            with suppress(OSError):
                remove_file(staging_path(path))
        self._remove_others(self.listed())

    def _remove_staging_folders(self) -> None:
        for staging in (self.path / GENERATIONS).glob(f"{_STAGING}*"):  # left by a build that died
            remove_staging(staging)

    def _remove_others(self, names: Sequence[str]) -> None:
        """Remove all generations but these, and from these the note that they are unfinished."""
        for generation in self.found():
            if generation not in names:
                self._remove(generation)
            else:
                with suppress(OSError):
                    remove_file(self.folder(generation) / UNFINISHED)

    def _remove(self, generation: str) -> None:
        """Remove the files of a generation that its manifest names."""
        folder = self.folder(generation)
        try:
            files = list(read_verified(folder)["files"])
        except UnverifiableManifest:
            files = None
        remove_generation(folder, files)


def _lines(names: Sequence[str]) -> str:
    return "".join(f"{name}\n" for name in names)
