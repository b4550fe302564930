"""Staged documents: read, but not yet cut. A build needs them twice and cannot keep them all in memory.

They lie in a temporary database without a name, which disappears with the process, so no text that is
going to be cut stays on the disk. An incremental build attaches its base generation, so that lines are
counted over the staged documents and over those documents of the base whose files are not read again.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.datatypes import Document
from indexer.store.schema import (
    ARTICLES,
    DOCUMENT_COLUMNS,
    TABLES,
    document_of,
    document_values,
    read_only,
)

_TABLES = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, doc_id TEXT UNIQUE, title TEXT, text TEXT, source TEXT, lang TEXT, published TEXT,
    path TEXT, sha256 TEXT, basis TEXT, encoding TEXT, record INTEGER, author TEXT, url TEXT, notes TEXT,
    left_out INTEGER, digest BLOB, longest_lines_key INTEGER);
CREATE TABLE lines (source TEXT, line_key INTEGER, longest_lines_key INTEGER, document_id INTEGER);
CREATE TABLE forgotten_files (path TEXT PRIMARY KEY);
CREATE TABLE crossed_lines (source TEXT, line_key INTEGER, PRIMARY KEY (source, line_key)) WITHOUT ROWID;
CREATE TABLE carried_over (doc_id TEXT PRIMARY KEY);
"""
_DOCUMENT = ", ".join(DOCUMENT_COLUMNS)
_NOT_FORGOTTEN = "path NOT IN (SELECT path FROM forgotten_files)"
_ALL_LINES = f"""
    SELECT line_key, longest_lines_key FROM lines WHERE source = :source
    UNION ALL SELECT line_key, longest_lines_key FROM base.lines JOIN base.documents ON id = document_id
    WHERE source_id = (SELECT id FROM base.sources WHERE name = :source) AND {_NOT_FORGOTTEN}"""


class StagedDocuments:
    """Documents in the order of adding, and the number of articles of a source that hold each line."""

    def __init__(self, base: Path | None = None) -> None:
        self._database = sqlite3.connect("", isolation_level=None, uri=True)
        self._database.executescript(_TABLES)
        if base:
            self._database.execute("ATTACH ? AS base", (read_only(base / ARTICLES),))
        else:
            self._database.execute("ATTACH ':memory:' AS base")
            for statement in TABLES.replace("CREATE TABLE ", "CREATE TABLE base.").split(";"):
                if "CREATE TABLE" in statement:
                    self._database.execute(statement)

    def close(self) -> None:
        """Remove the documents."""
        self._database.close()

    @contextmanager
    def whole_file(self) -> Iterator[None]:
        """Add all documents from inside the block, or none where the block fails."""
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def forget(self, path: str) -> None:
        """Stop counting the base's documents of a file, because the file is read again or is gone."""
        self._database.execute("INSERT OR IGNORE INTO forgotten_files VALUES (?)", (path,))

    def add(
        self, document: Document, digest: bytes, longest_lines_key: int, line_keys: Collection[int]
    ) -> None:
        """Add a document with the keys of its lines; documents with the same longest lines count as one."""
        values = (*document_values(document), digest, longest_lines_key)
        document_id = self._database.execute(
            f"INSERT INTO documents VALUES (NULL, {', '.join('?' * len(values))})", values
        ).lastrowid
        self._database.executemany(
            "INSERT INTO lines VALUES (?, ?, ?, ?)",
            ((document.source, key, longest_lines_key, document_id) for key in line_keys),
        )

    def has(self, doc_id: str) -> bool:
        """Return whether a document with this id has been added."""
        query = "SELECT 1 FROM documents WHERE doc_id = ?"
        return self._database.execute(query, (doc_id,)).fetchone() is not None

    def sources(self) -> list[str]:
        """Return the sources of the added and of the forgotten documents."""
        query = """SELECT source FROM documents
                   UNION SELECT source FROM base.documents JOIN forgotten_files USING (path)
                   ORDER BY source"""
        return [source for (source,) in self._database.execute(query)]

    def articles(self, source: str) -> int:
        """Count the articles of a source; copies of an article count as one."""
        query = f"""SELECT COUNT(DISTINCT longest_lines_key) FROM (
                        SELECT longest_lines_key FROM documents WHERE source = :source
                        UNION ALL SELECT longest_lines_key FROM base.documents
                        WHERE source = :source AND {_NOT_FORGOTTEN})"""
        return int(self._database.execute(query, {"source": source}).fetchone()[0])

    def repeated_lines(self, source: str, least: int) -> dict[int, int]:
        """Return the lines of at least `least` articles of a source: the number of articles, by line key."""
        self._database.execute(
            "CREATE INDEX IF NOT EXISTS by_line ON lines (source, line_key, longest_lines_key)"
        )
        query = f"""SELECT line_key, COUNT(DISTINCT longest_lines_key) AS articles FROM ({_ALL_LINES})
                    GROUP BY line_key HAVING articles >= :least"""
        return dict(self._database.execute(query, {"source": source, "least": least}))

    def mark_threshold_crossings(self, source: str, repeated: Collection[int]) -> None:
        """Record the lines of a source that are repeated now and were not in the base, or the reverse."""
        query = "SELECT line_key FROM base.repeated_lines JOIN base.sources ON id = source_id WHERE name = ?"
        repeated_before = {key for (key,) in self._database.execute(query, (source,))}
        self._database.execute("DELETE FROM crossed_lines WHERE source = ?", (source,))
        self._database.executemany(
            "INSERT INTO crossed_lines VALUES (?, ?)",
            ((source, key) for key in repeated_before ^ set(repeated)),
        )

    def files_with_crossed_lines(self) -> set[str]:
        """Return the files whose documents in the base hold a line that has crossed the threshold."""
        query = f"""SELECT DISTINCT path FROM crossed_lines AS crossed
                    JOIN base.sources AS sources ON sources.name = crossed.source
                    JOIN base.lines AS old ON old.source_id = sources.id AND old.line_key = crossed.line_key
                    JOIN base.documents AS documents ON documents.id = old.document_id
                    WHERE {_NOT_FORGOTTEN}"""
        return {path for (path,) in self._database.execute(query)}

    def plan_changes(self) -> set[str]:
        """Decide which documents are carried over; returns the ids of the base's documents that are dropped.

        A document is carried over where it has not changed and none of its lines has crossed the threshold.
        """
        run = self._database.execute
        run("CREATE INDEX IF NOT EXISTS by_document ON lines (document_id)")
        run("""INSERT INTO carried_over
               SELECT doc_id FROM documents JOIN base.documents AS old USING (doc_id, digest)
               WHERE NOT EXISTS (SELECT 1 FROM lines JOIN crossed_lines USING (source, line_key)
                                 WHERE document_id = documents.id)""")
        query = """SELECT doc_id FROM base.documents JOIN forgotten_files USING (path)
                   WHERE doc_id NOT IN (SELECT doc_id FROM carried_over)"""
        return {doc_id for (doc_id,) in run(query)}

    def to_write(self) -> Iterator[tuple[Document, bytes, int]]:
        """Yield the documents that are not carried over, with digest and longest-lines key, in order."""
        return self._documents("NOT IN")

    def metadata_updates(self) -> Iterator[Document]:
        """Yield the documents that are carried over although their files were read again."""
        return (document for document, *_ in self._documents("IN"))

    def count_to_write(self) -> int:
        """Count the documents that `to_write` yields."""
        query = "SELECT COUNT(*) FROM documents WHERE doc_id NOT IN (SELECT doc_id FROM carried_over)"
        return int(self._database.execute(query).fetchone()[0])

    def _documents(self, carried_over: str) -> Iterator[tuple[Document, bytes, int]]:
        rows = self._database.execute(
            f"""SELECT {_DOCUMENT}, digest, longest_lines_key FROM documents
                WHERE doc_id {carried_over} (SELECT doc_id FROM carried_over) ORDER BY id"""
        )
        for *values, digest, longest_lines_key in rows:
            yield document_of(values), digest, longest_lines_key

    def line_keys(self, doc_id: str) -> list[int]:
        """Return the keys of a document's lines."""
        query = "SELECT line_key FROM lines WHERE document_id = (SELECT id FROM documents WHERE doc_id = ?)"
        return [key for (key,) in self._database.execute(query, (doc_id,))]
