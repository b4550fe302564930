"""Documents on their way: read, not yet cut. What a build needs twice and must not keep in memory.

They lie in a database without a name, which is gone with the process, however that ends: nothing
that cleaning will cut is left behind. A build that begins with an earlier generation sees it here
too, as far as its files are not read anew, so that lines are counted over both.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..datatypes import Document
from .schema import ARTICLES, TABLES, read_only

_TABLES = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, doc_id TEXT UNIQUE, title TEXT, text TEXT, source TEXT, lang TEXT,
    published TEXT, metadata TEXT, digest BLOB, longest INTEGER);
CREATE TABLE lines (source TEXT, line INTEGER, longest INTEGER, document INTEGER);
CREATE TABLE gone (path TEXT PRIMARY KEY);
CREATE TABLE crossed (source TEXT, line INTEGER, PRIMARY KEY (source, line)) WITHOUT ROWID;
CREATE TABLE kept (doc_id TEXT PRIMARY KEY);
"""
_STAYING = "path NOT IN (SELECT path FROM gone)"
_STANDING = f"""
    SELECT line, longest FROM lines WHERE source = :source
    UNION ALL SELECT line, longest FROM base.lines JOIN base.documents ON number = document
    WHERE base.lines.source = (SELECT number FROM base.sources WHERE name = :source) AND {_STAYING}"""


class Drafts:
    """Documents in the order they were added, and in how many articles of a source each line stands."""

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

    def forget(self, path: str) -> None:
        """Have the earlier generation's documents of a file count no more: it is read anew, or gone."""
        self._database.execute("INSERT OR IGNORE INTO gone VALUES (?)", (path,))

    def add(self, document: Document, digest: bytes, longest: int, lines: Collection[int]) -> None:
        """Add a document with the keys of its lines; those of the same longest lines count as one article."""
        number = self._database.execute(
            "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document.doc_id, document.title, document.text, document.source, document.lang,
             document.published, json.dumps(dict(document.metadata), ensure_ascii=False), digest, longest),
        ).lastrowid  # fmt: skip
        self._database.executemany(
            "INSERT INTO lines VALUES (?, ?, ?, ?)",
            ((document.source, line, longest, number) for line in lines),
        )

    def has(self, doc_id: str) -> bool:
        """Whether a document of this id has been added."""
        query = "SELECT 1 FROM documents WHERE doc_id = ?"
        return self._database.execute(query, (doc_id,)).fetchone() is not None

    def sources(self) -> list[str]:
        """Return the sources of which a document was added, or forgotten."""
        query = """SELECT source FROM documents
                   UNION SELECT source FROM base.documents JOIN gone USING (path) ORDER BY source"""
        return [source for (source,) in self._database.execute(query)]

    def articles(self, source: str) -> int:
        """Count the articles of a source, copies of one as one."""
        query = f"""SELECT COUNT(DISTINCT longest) FROM (
                        SELECT longest FROM documents WHERE source = :source
                        UNION ALL SELECT longest FROM base.documents WHERE source = :source AND {_STAYING})"""
        return int(self._database.execute(query, {"source": source}).fetchone()[0])

    def repeated(self, source: str, least: int) -> dict[int, int]:
        """Return the lines that stand in at least so many articles of a source: in how many, by key."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_line ON lines (source, line, longest)")
        query = f"""SELECT line, COUNT(DISTINCT longest) AS articles FROM ({_STANDING})
                    GROUP BY line HAVING articles >= :least"""
        return dict(self._database.execute(query, {"source": source, "least": least}))

    def cross(self, source: str, repeated: Collection[int]) -> None:
        """Note which lines of a source are repeated now and were not in the earlier generation, or were."""
        query = """SELECT line FROM base.repeated JOIN base.sources ON number = source WHERE name = ?"""
        before = {line for (line,) in self._database.execute(query, (source,))}
        self._database.execute("DELETE FROM crossed WHERE source = ?", (source,))
        self._database.executemany(
            "INSERT INTO crossed VALUES (?, ?)", ((source, line) for line in before ^ set(repeated))
        )

    def holders(self) -> set[str]:
        """Return the files whose documents, not forgotten, hold a line that has crossed."""
        query = f"""SELECT DISTINCT path FROM crossed
                    JOIN base.sources AS sources ON sources.name = crossed.source
                    JOIN base.lines AS old ON old.source = sources.number AND old.line = crossed.line
                    JOIN base.documents AS documents ON documents.number = old.document WHERE {_STAYING}"""
        return {path for (path,) in self._database.execute(query)}

    def settle(self) -> set[str]:
        """Decide what is written and what is taken over; returns the ids that are not taken over.

        A document is taken over where it is as it was and none of its lines has crossed.
        """
        run = self._database.execute
        run("CREATE INDEX IF NOT EXISTS by_document ON lines (document)")
        run("""INSERT INTO kept SELECT doc_id FROM documents JOIN base.documents AS old USING (doc_id, digest)
               WHERE NOT EXISTS (SELECT 1 FROM lines JOIN crossed USING (source, line)
                                 WHERE document = documents.number)""")
        query = """SELECT doc_id FROM base.documents JOIN gone USING (path)
                   WHERE doc_id NOT IN (SELECT doc_id FROM kept)"""
        return {doc_id for (doc_id,) in run(query)}

    def to_write(self) -> Iterator[tuple[Document, bytes, int]]:
        """Yield the documents that are not taken over, with their digests and longest lines, in order."""
        return self._documents("NOT IN")

    def to_touch(self) -> Iterator[Document]:
        """Yield the documents that are taken over though their files were read anew."""
        return (document for document, *_ in self._documents("IN"))

    def count_to_write(self) -> int:
        """Count what `to_write` yields."""
        query = "SELECT COUNT(*) FROM documents WHERE doc_id NOT IN (SELECT doc_id FROM kept)"
        return int(self._database.execute(query).fetchone()[0])

    def _documents(self, taken_over: str) -> Iterator[tuple[Document, bytes, int]]:
        rows = self._database.execute(
            f"""SELECT doc_id, title, text, source, lang, published, metadata, digest, longest
                FROM documents WHERE doc_id {taken_over} (SELECT doc_id FROM kept) ORDER BY number"""
        )
        for doc_id, title, text, source, lang, published, metadata, digest, longest in rows:
            document = Document(doc_id, title, text, source, lang, published, json.loads(metadata))
            yield document, digest, longest

    def lines(self, doc_id: str) -> list[int]:
        """Return the keys of a document's lines."""
        query = "SELECT line FROM lines WHERE document = (SELECT number FROM documents WHERE doc_id = ?)"
        return [line for (line,) in self._database.execute(query, (doc_id,))]
