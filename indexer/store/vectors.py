"""The vector cache: nothing is embedded twice. Key: a hash of all that decides a vector."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Not a database, a damaged one, or one with other tables (SQLITE_ERROR).
_NOT_A_CACHE = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}
_AT_ONCE = 500  # keys in one statement; SQLite allows 32,766


class VectorCache:
    """Vectors by key, float32, in one SQLite file; what was put is there after a crash."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the cache, beginning a new one where the file is missing or not a cache."""
        try:
            return cls(_connect(path))
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in _NOT_A_CACHE:
                raise  # locked, or no file handles left: says nothing of what is in it
            with suppress(FileNotFoundError):
                path.unlink()
            return cls(_connect(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that have no vector, each once, in order."""
        wanted = list(dict.fromkeys(keys))
        known = {row[0] for row in self._rows("key", wanted)}
        return [key for key in wanted if key not in known]

    def get(self, keys: Sequence[bytes]) -> "NDArray[np.float32]":
        """Return the vectors of known keys as an array (len(keys), dimension); KeyError for others."""
        import numpy as np

        found = {row[0]: row[1] for row in self._rows("key, vector", keys)}
        return np.frombuffer(b"".join(found[key] for key in keys), np.float32).reshape(len(keys), -1)

    def put(self, keys: Sequence[bytes], vectors: "NDArray[np.float32]") -> None:
        """Keep vectors, one a key, durably."""
        rows = ((key, vector.tobytes()) for key, vector in zip(keys, vectors, strict=True))
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def _rows(self, columns: str, keys: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
        for first in range(0, len(keys), _AT_ONCE):
            some = keys[first : first + _AT_ONCE]
            marks = ",".join("?" * len(some))
            yield from self._connection.execute(f"SELECT {columns} FROM vectors WHERE key IN ({marks})", some)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
        )
        connection.execute("SELECT key FROM vectors LIMIT 1").fetchall()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
