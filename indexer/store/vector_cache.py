"""The vector cache: nothing is embedded twice. Key: a hash of all that decides a vector.

It is the one file that generations share and builds change. Each vector has a checksum of its own,
and beside the file stands the sha256 of the whole, while no build is writing to it.
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

_PAGE = 16_384  # bytes: ten vectors of 384 dimensions, where the usual 4,096 hold two and waste a fifth

_VERSIONS = {b"", b"\1\1"}  # of a file that is new, and of one without a write-ahead log

Answer = TypeVar("Answer")


def checksum_path(path: Path) -> Path:
    """Return the file that holds the sha256 of a cache that no build is writing to."""
    return path.with_suffix(".sha256")


class VectorCache:
    """Vectors by key, float32, in one SQLite file; what was put is there after a crash."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._connection = path, connection

    @classmethod
    def open(cls, path: Path, *, mend: bool = False) -> Self:
        """Open the cache, beginning a new one where the file is missing or not a cache.

        `mend` looks at all of it, and takes out what is damaged; otherwise that is done for the vectors
        that are asked for.
        """
        try:
            cache = cls(path, _connect(path))
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise  # locked, or no file handles left: says nothing of what is in it
            clear_cache_files(path)
            return cls(path, _connect(path))
        if mend and not cache._matches_checksum():
            cache._salvage()
        return cache

    @classmethod
    def existing(cls, path: Path) -> Self:
        """Open a cache to look at it; OSError where it cannot be read."""
        connection = sqlite3.connect(path)
        try:
            connection.execute("SELECT key, checksum FROM vectors LIMIT 1").fetchall()
        except sqlite3.DatabaseError as error:
            connection.close()
            raise OSError(f"{path.name} cannot be read: {error}") from error
        return cls(path, connection)

    def close(self) -> None:
        """Let go of the file as it is."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        if not checksum_path(self._path).exists():
            with suppress(OSError):  # it says less without, and no less is in it
                replace_file(checksum_path(self._path), sha256_of(self._path) + "\n")

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that have no vector, or a damaged one, each once, in order."""
        wanted = list(dict.fromkeys(keys))
        known = self._salvaging(lambda: {key for key, _ in self._whole(wanted)})
        return [key for key in wanted if key not in known]

    def known(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors of those keys that have a whole one."""
        return {key: np.frombuffer(vector, np.float32) for key, vector in self._whole(keys)}

    def get(self, keys: Sequence[bytes]) -> NDArray[np.float32]:
        """Return the vectors of known keys as an array (len(keys), dimension); KeyError for others.

        Where the file turns out to be damaged, keys that were known may be so no more.
        """
        found = self._salvaging(lambda: dict(self._whole(keys)))
        return np.frombuffer(b"".join(found[key] for key in keys), np.float32).reshape(len(keys), -1)

    def put(self, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Keep vectors, one a key, durably."""
        if checksum_path(self._path).exists():
            remove_file(checksum_path(self._path))
            sync(self._path.parent)  # or it might be there again, and speak of what the file was before
        rows = [
            (key, content, _checksum(key, content))
            for key, content in zip(keys, (vector.tobytes() for vector in vectors), strict=True)
        ]

        self._salvaging(lambda: _insert(self._connection, rows))

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM vectors").fetchone()[0])

    def damages(self) -> Iterator[str]:
        """Yield what is wrong with the cache, a line each."""
        try:
            if not self._matches_checksum():
                yield f"{self._path.name} has changed since it was written"
            for (fact,) in self._connection.execute("PRAGMA integrity_check"):
                if fact != "ok":
                    yield f"{self._path.name}: {fact}"
            rows = self._connection.execute("SELECT key, vector, checksum FROM vectors")
            damaged = sum(not _is_whole(*row) for row in rows)
            if damaged:
                yield f"{damaged:,} vectors in {self._path.name} have changed since they were written"
        except (sqlite3.DatabaseError, OSError) as error:
            yield f"{self._path.name} cannot be read: {error}"

    def _matches_checksum(self) -> bool:
        """Whether the file is as the last build left it, as far as that came to its end."""
        seal = checksum_path(self._path)
        return not seal.exists() or seal.read_text("utf-8", "replace") == sha256_of(self._path) + "\n"

    def _salvage(self) -> None:
        """Begin a new file with the vectors that are whole, as far as the old one can be read."""
        aside = self._path.with_name(f".{self._path.name}.new")
        clear_cache_files(aside)
        with closing(_connect(aside)) as fresh, suppress(sqlite3.DatabaseError):
            rows = self._connection.execute("SELECT key, vector, checksum FROM vectors NOT INDEXED")
            while some := rows.fetchmany(_AT_ONCE):
                _insert(fresh, [row for row in some if _is_whole(*row)])
        self._connection.close()
        clear_cache_files(self._path)
        replace_with(aside, self._path)
        self._connection = _connect(self._path)

    def _whole(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for first in range(0, len(keys), _AT_ONCE):
            some = keys[first : first + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, vector, checksum FROM vectors WHERE key IN ({marks})"
            for key, vector, checksum in self._connection.execute(query, some):
                if _is_whole(key, vector, checksum):
                    yield key, vector

    def _salvaging(self, action: Callable[[], Answer]) -> Answer:
        """Return what an action does, on what is whole in the file where it turns out to be damaged."""
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
    """A file that SQLite opens and would not write to."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # Extended codes have the plain one in their lowest byte.
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _NOT_A_CACHE


def _versions(path: Path) -> bytes:
    """Return the two bytes of a file's head that say how it may be written and read."""
    with path.open("rb") as file:
        return file.read(20)[18:]


def clear_cache_files(path: Path) -> None:
    """Remove a cache; the next build makes another."""
    for each in (path, path.with_name(f"{path.name}-journal"), checksum_path(path)):
        remove_file(each)


def _is_whole(key: Any, vector: Any, checksum: Any) -> bool:
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
