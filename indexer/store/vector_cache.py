"""The vector cache: no text is embedded twice. The key is a hash of everything that decides a vector.

All generations share this file, and builds change it. Each vector has its own checksum. The sha256 of
the whole file stands in a second file, except while a build is writing.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.store.disk import remove_file, replace_file, replace_with, sha256_of, sync

# Not a database, a damaged one, or one with other tables (SQLITE_ERROR).
_NOT_A_CACHE = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}
_AT_ONCE = 500  # keys in one statement; SQLite allows 32,766

_PAGE = 16_384  # bytes: holds ten vectors of 384 dimensions; the default 4,096 holds two and wastes a fifth

_VERSIONS = {b"", b"\1\1"}  # header bytes of a new file, and of a file without a write-ahead log

Answer = TypeVar("Answer")


def checksum_path(path: Path) -> Path:
    """Return the file with the sha256 of a cache; it is missing while a build is writing."""
    return path.with_suffix(".sha256")


class VectorCache:
    """Vectors by key, float32, in one SQLite file; a stored vector survives a crash."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._connection = path, connection

    @classmethod
    def open(cls, path: Path, *, mend: bool = False) -> Self:
        """Open the cache; begin a new one where the file is missing or is not a cache.

        `mend` compares the whole file with its checksum and, where they differ, removes the damaged vectors.
        Without it, only the vectors that are asked for are checked.
        """
        try:
            cache = cls(path, _connect(path))
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise  # locked, or no file handles left: that says nothing about the content
            clear_cache_files(path)
            return cls(path, _connect(path))
        if mend and not cache._matches_checksum():
            cache._salvage()
        return cache

    @classmethod
    def existing(cls, path: Path) -> Self:
        """Open a cache in order to verify it; OSError where it cannot be read."""
        connection = sqlite3.connect(path)
        try:
            connection.execute("SELECT key, checksum FROM vectors LIMIT 1").fetchall()
        except sqlite3.DatabaseError as error:
            connection.close()
            raise OSError(f"{path.name} cannot be read: {error}") from error
        return cls(path, connection)

    def close(self) -> None:
        """Close the file without writing its checksum."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        if not checksum_path(self._path).exists():
            # Best effort: without the checksum file the cache is valid but cannot be verified.
            with suppress(OSError):
                replace_file(checksum_path(self._path), sha256_of(self._path) + "\n")

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that have no vector or a damaged one, each once, in order."""
        unique_keys = list(dict.fromkeys(keys))
        present = self._retry_after_salvage(lambda: {key for key, _ in self._intact(unique_keys)})
        return [key for key in unique_keys if key not in present]

    def known(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the undamaged vectors of these keys, by key."""
        return {key: np.frombuffer(vector, np.float32) for key, vector in self._intact(keys)}

    def get(self, keys: Sequence[bytes]) -> NDArray[np.float32]:
        """Return the vectors of these keys as an array (len(keys), dimension).

        Raises KeyError where a key has no undamaged vector. That can happen to a key that `missing` did not
        return, if the file turns out to be damaged in between.
        """
        vectors = self._retry_after_salvage(lambda: dict(self._intact(keys)))
        return np.frombuffer(b"".join(vectors[key] for key in keys), np.float32).reshape(len(keys), -1)

    def put(self, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Store vectors durably, one for each key."""
        if checksum_path(self._path).exists():
            remove_file(checksum_path(self._path))
            # Sync the removal, or after a power cut a stale checksum could reappear.
            sync(self._path.parent)
        rows = [
            (key, content, _checksum(key, content))
            for key, content in zip(keys, (vector.tobytes() for vector in vectors), strict=True)
        ]

        self._retry_after_salvage(lambda: _insert(self._connection, rows))

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM vectors").fetchone()[0])

    def damages(self) -> Iterator[str]:
        """Yield the faults of the cache, a line each."""
        try:
            if not self._matches_checksum():
                yield f"{self._path.name} has changed since it was written"
            for (fact,) in self._connection.execute("PRAGMA integrity_check"):
                if fact != "ok":
                    yield f"{self._path.name}: {fact}"
            rows = self._connection.execute("SELECT key, vector, checksum FROM vectors")
            damaged = sum(not _is_intact(*row) for row in rows)
            if damaged:
                yield f"{damaged:,} vectors in {self._path.name} have changed since they were written"
        except (sqlite3.DatabaseError, OSError) as error:
            yield f"{self._path.name} cannot be read: {error}"

    def _matches_checksum(self) -> bool:
        """Return whether the file equals its checksum; True where the last build has left none."""
        checksum_file = checksum_path(self._path)
        return (
            not checksum_file.exists()
            or checksum_file.read_text("utf-8", "replace") == sha256_of(self._path) + "\n"
        )

    def _salvage(self) -> None:
        """Begin a new file with the undamaged vectors, as far as the old file can be read."""
        staged = self._path.with_name(f".{self._path.name}.new")
        clear_cache_files(staged)
        with closing(_connect(staged)) as salvaged, suppress(sqlite3.DatabaseError):
            rows = self._connection.execute("SELECT key, vector, checksum FROM vectors NOT INDEXED")
            while batch := rows.fetchmany(_AT_ONCE):
                _insert(salvaged, [row for row in batch if _is_intact(*row)])
        self._connection.close()
        clear_cache_files(self._path)
        replace_with(staged, self._path)
        self._connection = _connect(self._path)

    def _intact(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for first in range(0, len(keys), _AT_ONCE):
            batch = keys[first : first + _AT_ONCE]
            marks = ",".join("?" * len(batch))
            query = f"SELECT key, vector, checksum FROM vectors WHERE key IN ({marks})"
            for key, vector, checksum in self._connection.execute(query, batch):
                if _is_intact(key, vector, checksum):
                    yield key, vector

    def _retry_after_salvage(self, action: Callable[[], Answer]) -> Answer:
        """Return the result of an action; if the file turns out to be damaged, salvage it and try again."""
        try:
            return action()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._salvage()
            return action()


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[bytes, bytes, int]]) -> None:
    with connection:
        connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


class _Damaged(sqlite3.DatabaseError):
    """A file that SQLite opens, in a version that Warraq does not write to."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # SQLite's extended error codes hold the primary code in their lowest byte.
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _NOT_A_CACHE


def _versions(path: Path) -> bytes:
    """Return the two bytes of the header that say which version may write and read a file."""
    with path.open("rb") as file:
        return file.read(20)[18:]


def clear_cache_files(path: Path) -> None:
    """Remove a cache with its journal and its checksum; the next build makes another."""
    for file in (path, path.with_name(f"{path.name}-journal"), checksum_path(path)):
        remove_file(file)


def _is_intact(key: Any, vector: Any, checksum: Any) -> bool:
    return isinstance(key, bytes) and isinstance(vector, bytes) and checksum == _checksum(key, vector)


def _checksum(key: bytes, vector: bytes) -> int:
    return zlib.crc32(key + vector)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        if path.exists() and _versions(path) not in _VERSIONS:
            raise _Damaged(f"{path.name} is of another version")
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB, checksum INTEGER)"
        )
        connection.execute("SELECT key, checksum FROM vectors LIMIT 1").fetchall()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
