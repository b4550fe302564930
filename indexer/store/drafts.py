"""Documents on their way: read, not yet cut. What a build needs twice and must not keep in memory.

They lie in a database without a name, which is gone with the process, however that ends: nothing
that cleaning will cut is left behind.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from ..datatypes import Document

_TABLES = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, doc_id TEXT UNIQUE, title TEXT, text TEXT, source TEXT, lang TEXT,
    published TEXT, metadata TEXT);
CREATE TABLE lines (source TEXT, line INTEGER, longest INTEGER);
"""


class Drafts:
    """Documents in the order they were added, and in how many articles of a source each line stands."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Let the documents go."""
        self._database.close()

    @contextmanager
    def whole_file(self) -> Iterator[None]:
        """Take what is added inside the block all together, or nothing of it where the block fails."""
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def add(self, document: Document, longest: int, lines: Collection[int]) -> None:
        """Add a document with the keys of its lines; those of the same longest lines count as one article."""
        self._database.execute(
            "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            (document.doc_id, document.title, document.text, document.source, document.lang,
             document.published, json.dumps(dict(document.metadata), ensure_ascii=False)),
        )  # fmt: skip
        self._database.executemany(
            "INSERT INTO lines VALUES (?, ?, ?)", ((document.source, line, longest) for line in lines)
        )

    def has(self, doc_id: str) -> bool:
        """Whether a document of this id has been added."""
        query = "SELECT 1 FROM documents WHERE doc_id = ?"
        return self._database.execute(query, (doc_id,)).fetchone() is not None

    def __len__(self) -> int:
        return int(self._database.execute("SELECT COUNT(*) FROM documents").fetchone()[0])

    def __iter__(self) -> Iterator[Document]:
        """Yield the documents in the order they were added."""
        rows = self._database.execute(
            "SELECT doc_id, title, text, source, lang, published, metadata FROM documents ORDER BY number"
        )
        for doc_id, title, text, source, lang, published, metadata in rows:
            yield Document(doc_id, title, text, source, lang, published, json.loads(metadata))

    def sources(self) -> list[tuple[str, int]]:
        """Return each source and how many articles it has, those of one longest line counted as one."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_line ON lines (source, line, longest)")
        query = "SELECT source, COUNT(DISTINCT longest) FROM lines GROUP BY source ORDER BY source"
        return self._database.execute(query).fetchall()

    def line_counts(self, source: str) -> Iterator[tuple[int, int]]:
        """Yield the key of each line of a source, and in how many of its articles the line stands."""
        query = "SELECT line, COUNT(DISTINCT longest) FROM lines WHERE source = ? GROUP BY line"
        return self._database.execute(query, (source,))
