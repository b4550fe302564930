"""Every step by which a build changes the disk, so that a test can act before it, within it or after it.

`steps` puts itself around each function by which our code, or a library that it calls, changes files
below one of the given folders, and calls `act` at every point. What a library does inside one call is
one step. It holds for the process that it is called in: call it in a child that ends soon.
"""

import builtins
import hashlib
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LIBRARIES = {"sqlite", "faiss", "tantivy", "safetensors"}


@dataclass(frozen=True)
class Point:
    number: int
    when: str
    """before, within or after."""
    kind: str
    """The call: the name of a function of `os`, open, write, or the library's."""
    path: Path

    @property
    def of_library(self) -> bool:
        return self.kind.partition(" ")[0] in LIBRARIES


class Steps:
    """Counts points and calls `act` at each."""

    def __init__(self, roots: list[Path], act: Callable[[Point], None]) -> None:
        self.roots, self.act, self.points = [os.fspath(root) for root in roots], act, 0

    def is_ours(self, path: str) -> bool:
        return any(path == root or path.startswith(f"{root}/") for root in self.roots)

    def point(self, when: str, kind: str, path: str) -> None:
        self.points += 1
        self.act(Point(self.points - 1, when, kind, Path(path)))

    @contextmanager
    def step(self, kind: str, path: str) -> Iterator[None]:
        if not self.is_ours(path):
            yield
            return
        self.point("before", kind, path)
        yield
        self.point("after", kind, path)


def fingerprint(*roots: Path) -> dict[str, str]:
    """Return what lies below folders: the sha256 of each file, an empty word for each folder."""
    found = {}
    for root in roots:
        for path in sorted(root.rglob("*")):
            # SQLite and Tantivy remove files of their own meanwhile.
            try:
                found[os.fspath(path)] = (
                    "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
                )
            except FileNotFoundError:
                continue
    return found


def _path(path: Any, directory: int | None = None) -> str:
    if isinstance(path, int):
        return os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115 - a word, not a place
    path = os.fsdecode(path)
    parent = _path(directory) if directory is not None else os.getcwd()  # noqa: PTH109
    return os.path.normpath(os.path.join(parent, path))  # noqa: PTH118 - what is not there is not resolved


class _Written:
    """A file that is open for writing. Each write is two halves with a point between them."""

    def __init__(self, file: Any, steps: Steps, path: str) -> None:
        self._file, self._steps, self._path = file, steps, path

    def write(self, data: Any) -> int:
        with self._steps.step("write", self._path):
            half = len(data) // 2
            self._file.write(data[:half])
            self._file.flush()
            self._steps.point("within", "write", self._path)
            self._file.write(data[half:])
            self._file.flush()
        return len(data)

    def __enter__(self) -> "_Written":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def steps(roots: list[Path], act: Callable[[Point], None]) -> Steps:
    """Have `act` called at every point of what this process does from here on."""
    made = Steps(roots, act)
    _watch_os(made)
    _watch_open(made)
    _watch_sqlite(made)
    _watch_libraries(made)
    return made


def _watch_os(steps: Steps) -> None:
    def watch(name: str, argument: int = 0) -> None:
        original = getattr(os, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            with steps.step(name, _path(arguments[argument], named.get("dir_fd"))):
                return original(*arguments, **named)

        setattr(os, name, watched)

    for name in ("fsync", "unlink", "remove", "rmdir", "mkdir", "chmod"):
        watch(name)
    for name in ("replace", "rename", "link"):
        watch(name, 1)

    original_open, original_sendfile = os.open, os.sendfile

    def watched_open(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR | os.O_TRUNC):
            with steps.step("open", _path(path, named.get("dir_fd"))):
                return original_open(path, flags, *arguments, **named)
        return original_open(path, flags, *arguments, **named)

    def watched_sendfile(target: int, source: int, offset: int, count: int) -> int:
        """Send no more than half a file at once; who calls asks again."""
        with steps.step("sendfile", _path(target)):
            return original_sendfile(
                target, source, offset, min(count, max(1, os.fstat(source).st_size // 2))
            )

    os.open, os.sendfile = watched_open, watched_sendfile


def _watch_open(steps: Steps) -> None:
    original = io.open

    def watched(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if not set(mode) & set("wxa+"):
            return original(file, mode, *arguments, **named)
        path = _path(file)
        with steps.step("open", path):
            opened = original(file, mode, *arguments, **named)
        return _Written(opened, steps, path) if steps.is_ours(path) else opened

    io.open = builtins.open = watched


WRITING = ("INSERT", "UPDATE", "DELETE", "CREATE", "DROP")


def _watch_sqlite(steps: Steps) -> None:
    original = sqlite3.connect

    class Connection(sqlite3.Connection):
        place = ""

        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            if not sql.lstrip().startswith(WRITING):
                return super().execute(sql, *arguments)
            with steps.step("sqlite execute", self.place):
                return super().execute(sql, *arguments)

        def __exit__(self, *arguments: Any) -> Any:
            with steps.step("sqlite commit", self.place):
                return super().__exit__(*arguments)

    def watch(name: str) -> None:
        inherited = getattr(sqlite3.Connection, name)

        def watched(self: Connection, *arguments: Any) -> Any:
            with steps.step(f"sqlite {name}", self.place):
                return inherited(self, *arguments)

        setattr(Connection, name, watched)

    for name in ("executemany", "executescript", "commit", "rollback", "close"):
        watch(name)

    def connect(database: Any, **named: Any) -> sqlite3.Connection:
        place = os.fspath(database)
        if place.startswith("file:"):
            if "mode=ro" in place:
                return original(database, **named)
            place = unquote(urlsplit(place).path)
        if not place:  # without a name
            return original(database, **named)
        with steps.step("sqlite connect", _path(place)):
            connection = original(database, factory=Connection, **named)
        connection.place = _path(place)
        return connection

    sqlite3.connect = connect


class _Terms:
    """Tantivy's writer, each of whose calls is a step."""

    def __init__(self, writer: Any, steps: Steps, path: str) -> None:
        self._writer, self._steps, self._path = writer, steps, path

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._writer, name)

        def watched(*arguments: Any) -> Any:
            with self._steps.step(f"tantivy {name}", self._path):
                return call(*arguments)

        return watched


class _TermsIndex:
    def __init__(self, index: Any, steps: Steps, path: str) -> None:
        self._index, self._steps, self._path = index, steps, path

    def writer(self, *arguments: Any, **named: Any) -> _Terms:
        with self._steps.step("tantivy writer", self._path):
            return _Terms(self._index.writer(*arguments, **named), self._steps, self._path)


def _watch_libraries(steps: Steps) -> None:
    import faiss

    from indexer.embedding import language_neutral
    from indexer.store import writer

    def watch(owner: Any, name: str, kind: str, argument: int) -> None:
        original = getattr(owner, name)

        def watched(*arguments: Any) -> Any:
            with steps.step(kind, _path(arguments[argument])):
                return original(*arguments)

        setattr(owner, name, watched)

    watch(faiss, "write_index", "faiss write_index", 1)
    watch(language_neutral, "save_file", "safetensors save_file", 1)
    original = writer.terms_index

    def terms_index(folder: Path) -> _TermsIndex:
        with steps.step("tantivy index", os.fspath(folder)):
            return _TermsIndex(original(folder), steps, os.fspath(folder))

    writer.terms_index = terms_index
