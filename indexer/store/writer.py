"""The write side of the embedded store: one generation's files, from nothing or from the one before.

What is taken over from the generation before is linked or copied, never opened for writing in its
place. New passages take the rows after those that are kept.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import tantivy
from numpy.typing import NDArray

from indexer.datatypes import Document, FailedFile, RepeatedLine, SplitDocument
from indexer.request import EQUAL_FILTERS
from indexer.store.base import Labels, SeenFile
from indexer.store.disk import copy_file, link_or_copy
from indexer.store.manifest import GenerationContent
from indexer.store.reader import GenerationReader
from indexer.store.schema import (
    ARTICLES,
    DOCUMENT_COLUMNS,
    LABELS,
    TABLES,
    TERMS,
    VECTORS,
    connect,
    day_number,
    document_values,
    duplicate_key,
    pack_terms,
    terms_index,
    terms_key,
    unpack_terms,
)
from indexer.text.analysis import KINDS, Token, tokens

REPEATED_LISTED = 100  # repeated lines in a report; the index knows all of them
NOTES_LISTED = 1_000
_TERMS_MEMORY = 64_000_000  # bytes, Tantivy's buffer
_FREE_SHARE = 0.25  # of a database's pages, beyond which it is packed


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """An article for the index, with what the next build must know of it."""

    article: SplitDocument
    digest: bytes = b""
    """Of the document before anything was cut: what makes it another one."""
    longest_lines_key: int = 0
    """The key of its longest lines, equal for copies."""
    line_keys: Collection[int] = ()
    repeated_line_keys: Mapping[int, int] = field(default_factory=dict)
    """The key of each line that was cut because many articles share it, by line number."""


class GenerationWriter:
    """Write one generation's files into an empty folder: articles first, then vectors, then finish.

    With `base` it begins with all that this generation holds, but for the documents in `dropped`.
    """

    def __init__(
        self, folder: Path, base: GenerationReader | None = None, dropped: Collection[str] = ()
    ) -> None:
        self.folder, self._base = folder, base
        self.linked: dict[str, str] = {}
        """The sha256 of the files that are shared with `base`, by name."""
        (folder / TERMS).mkdir()
        self._freed_rows: Sequence[int] = ()
        self._moved_rows: Sequence[int] = ()
        if base:
            copy_file(base.folder / ARTICLES, folder / ARTICLES)
        self._articles = connect(folder / ARTICLES)
        if base is None:
            self._articles.executescript(TABLES)
        elif dropped:
            self._drop(dropped)
        else:
            self._link_terms(base)
        self.rows = self.first_new = self._number("SELECT COUNT(*) FROM passages")
        with _raise_as_oserror():
            self._terms = terms_index(folder / TERMS).writer(_TERMS_MEMORY, num_threads=1)
        if base and dropped:
            self._index_kept()

    def _link_terms(self, base: GenerationReader) -> None:
        """Begin with all terms of `base`: Tantivy's segments are never changed, so they are linked."""
        for name, sha256 in base.manifest.files.items():
            if name.startswith(f"{TERMS}/"):
                if name.endswith(".json"):  # which Tantivy replaces
                    copy_file(base.folder / name, self.folder / name)
                elif link_or_copy(base.folder / name, self.folder / name):
                    self.linked[name] = sha256

    def carry_over(self, path: Path) -> Path:
        """Have a file of `base` in this generation too; returns where."""
        assert self._base
        if link_or_copy(path, self.folder / path.name):
            self.linked[path.name] = self._base.manifest.files[path.name]
        return self.folder / path.name

    def _drop(self, dropped: Collection[str]) -> None:
        """Take documents out; the last passages take the rows that become free, so that few move."""
        run = self._articles.execute
        run("CREATE TEMP TABLE dropped (doc_id TEXT PRIMARY KEY)")
        self._articles.executemany("INSERT INTO dropped VALUES (?)", ((doc_id,) for doc_id in dropped))
        gone = "doc_id IN (SELECT doc_id FROM dropped)"
        free = [row for (row,) in run(f"SELECT row FROM passages WHERE {gone} ORDER BY row")]
        run(f"""CREATE TEMP TABLE unused_terms AS SELECT terms_id FROM passages WHERE {gone}""")
        run(f"DELETE FROM lines WHERE document_id IN (SELECT id FROM documents WHERE {gone})")
        for table in ("passages", "cuts", "documents"):
            run(f"DELETE FROM {table} WHERE {gone}")
        run("""DELETE FROM terms
               WHERE id IN (SELECT terms_id FROM unused_terms EXCEPT SELECT terms_id FROM passages)""")
        kept = self._number("SELECT COUNT(*) FROM passages")
        self._freed_rows = [row for row in free if row < kept]
        last = run("SELECT row FROM passages WHERE row >= ? ORDER BY row", (kept,)).fetchall()
        self._moved_rows = [row for (row,) in last]
        self._articles.executemany(
            "UPDATE passages SET row = ? WHERE row = ?", zip(self._freed_rows, self._moved_rows, strict=True)
        )
        run("DROP TABLE dropped")
        run("DROP TABLE unused_terms")
        self._articles.commit()
        pages, unused = (self._number(f"PRAGMA {name}") for name in ("page_count", "freelist_count"))
        if unused > pages * _FREE_SHARE:
            run("VACUUM")

    def _index_kept(self) -> None:
        """Write the term index anew from the terms that are kept: Tantivy would count deleted ones."""
        rows = self._articles.execute(
            f"""SELECT row, passages.lang, {", ".join(f"documents.{name}" for name in LABELS)}, terms.terms
                FROM passages JOIN documents USING (doc_id) JOIN terms ON terms.id = terms_id
                ORDER BY row"""
        )
        for row, lang, *labels, terms in rows:
            self._add_terms(
                row, {"lang": lang, **dict(zip(LABELS, labels, strict=True))}, unpack_terms(terms)
            )

    def add(
        self,
        prepared: PreparedArticle,
        vector_keys: Sequence[bytes],
        analyze: Callable[[str], Sequence[Token]] = tokens,
    ) -> None:
        """Append an article with the vector key of each of its passages."""
        document = prepared.article.document
        values = (*document_values(document), prepared.digest, prepared.longest_lines_key)
        inserted = self._articles.execute(
            f"INSERT INTO documents VALUES (NULL, {', '.join('?' * len(values))})", values
        ).lastrowid
        self._articles.executemany(
            "INSERT INTO cuts VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((document.doc_id, cut.line, cut.start, cut.end, cut.rule, cut.articles,
              prepared.repeated_line_keys.get(cut.line)) for cut in prepared.article.cuts),
        )  # fmt: skip
        source = self._source_id(document.source)
        labels = {name: getattr(document, name) for name in LABELS}
        self._articles.executemany(
            "INSERT INTO lines VALUES (?, ?, ?)", ((source, key, inserted) for key in prepared.line_keys)
        )
        for passage, key in zip(prepared.article.passages, vector_keys, strict=True):
            text = document.text[passage.start : passage.end]
            terms_id, terms = self._terms_of(text, analyze)
            self._articles.execute(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self.rows, passage.doc_id, passage.number, passage.start, passage.end,
                 passage.line_start, passage.line_end, passage.lang, duplicate_key(text), key, terms_id),
            )  # fmt: skip
            self._add_terms(self.rows, {"lang": passage.lang, **labels}, unpack_terms(terms))
            self.rows += 1

    def _terms_of(self, text: str, analyze: Callable[[str], Sequence[Token]]) -> tuple[int, bytes]:
        """Store the terms of a text, unless they are there already; returns their id and the packed terms."""
        key = terms_key(text)
        found = self._articles.execute("SELECT id, terms FROM terms WHERE key = ?", (key,)).fetchone()
        if found:
            return int(found[0]), bytes(found[1])
        terms = (self._base and self._base.terms_of(key)) or pack_terms(analyze(text))
        added = self._articles.execute("INSERT INTO terms VALUES (NULL, ?, ?)", (key, terms))
        return int(added.lastrowid or 0), terms

    def _add_terms(self, row: int, labels: Labels, terms: Mapping[Any, str]) -> None:
        entry = tantivy.Document()
        for kind in KINDS:
            entry.add_text(kind, terms[kind])
        for on in EQUAL_FILTERS:
            entry.add_text(on.field, labels[on.field] or "")
        if published := labels["published"]:
            entry.add_unsigned("published", day_number(published))
        entry.add_unsigned("row", row)
        with _raise_as_oserror():
            self._terms.add_document(entry)

    def update_metadata(self, document: Document) -> None:
        """Update what a document that is carried over says of its file; its text has not changed."""
        changed = dict(zip(DOCUMENT_COLUMNS, document_values(document), strict=True))
        for name in ("doc_id", "title", "text"):
            del changed[name]
        assigned = ", ".join(f"{name} = ?" for name in changed)
        self._articles.execute(
            f"UPDATE documents SET {assigned} WHERE doc_id = ?", (*changed.values(), document.doc_id)
        )

    def set_files(
        self,
        files: Mapping[str, SeenFile],
        failures: Iterable[tuple[str, str, str]],
    ) -> None:
        """Note all files of the archive, by path.

        `failures` are records that were refused: the file's path, the record, and the reason.
        """
        self._articles.execute("DELETE FROM files")
        self._articles.execute("DELETE FROM failures")
        self._articles.executemany(
            "INSERT INTO files VALUES (?, ?, ?, ?)", ((path, *seen) for path, seen in files.items())
        )
        self._articles.executemany("INSERT INTO failures VALUES (?, ?, ?)", failures)

    def set_repeated_lines(self, source: str, articles: int, counts: Mapping[int, int]) -> None:
        """Note how many articles a source has, and the lines that many have: in how many, by key."""
        source_id = self._source_id(source)
        self._articles.execute("UPDATE sources SET articles = ? WHERE id = ?", (articles, source_id))
        self._articles.execute("DELETE FROM repeated_lines WHERE source_id = ?", (source_id,))
        self._articles.executemany(
            "INSERT INTO repeated_lines VALUES (?, ?, ?)", ((source_id, *each) for each in counts.items())
        )
        self._articles.execute(
            """UPDATE cuts SET articles = (SELECT articles FROM repeated_lines AS repeated
                                           WHERE source_id = ? AND repeated.line_key = cuts.line_key)
               WHERE line_key IS NOT NULL AND doc_id IN (SELECT doc_id FROM documents WHERE source = ?)""",
            (source_id, source),
        )

    def _source_id(self, name: str) -> int:
        run = self._articles.execute
        run("INSERT OR IGNORE INTO sources (name, articles) VALUES (?, 0)", (name,))
        return int(run("SELECT id FROM sources WHERE name = ?", (name,)).fetchone()[0])

    def new_keys(self) -> list[bytes]:
        """Return the vector keys of the passages that were added, by row."""
        query = "SELECT vector_key FROM passages WHERE row >= ? ORDER BY row"
        return [key for (key,) in self._articles.execute(query, (self.first_new,))]

    def length(self, row: int) -> int:
        """Return the length of a passage in code points."""
        query = 'SELECT "end" - start FROM passages WHERE row = ?'
        return int(self._articles.execute(query, (row,)).fetchone()[0])

    def texts(self, rows: Sequence[int]) -> list[tuple[str, str]]:
        """Return the title and the text of the passages at these rows, in their order."""
        return [self._text(row) for row in rows]

    def _text(self, row: int) -> tuple[str, str]:
        title, text, start, end = self._articles.execute(
            'SELECT title, text, start, "end" FROM passages JOIN documents USING (doc_id) WHERE row = ?',
            (row,),
        ).fetchone()
        return title, text[start:end]

    def digests(self) -> dict[str, bytes]:
        """Return the digest of every document, by id."""
        return dict(self._articles.execute("SELECT doc_id, digest FROM documents"))

    def content(self) -> GenerationContent:
        """Count and list what the generation holds."""
        cut = self._counts("SELECT rule, COUNT(*) FROM cuts GROUP BY rule ORDER BY COUNT(*) DESC, rule")
        left_out = self._number("SELECT SUM(left_out) FROM documents")
        if left_out:
            cut["page"] = left_out
        return GenerationContent(
            documents=self._number("SELECT COUNT(*) FROM documents"),
            passages=self.rows,
            languages=self._counts(
                "SELECT lang, COUNT(*) FROM passages GROUP BY lang ORDER BY COUNT(*) DESC, lang"
            ),
            sources=self._counts(
                "SELECT source, COUNT(*) FROM documents GROUP BY source ORDER BY COUNT(*) DESC, source"
            ),
            undated=self._number("SELECT COUNT(*) FROM documents WHERE published IS NULL"),
            failed=self._listed(
                FailedFile,
                """SELECT record, reason FROM (
                       SELECT path, path AS record, reason, 0 AS at FROM files WHERE reason IS NOT NULL
                       UNION ALL SELECT path, record, reason, rowid FROM failures) ORDER BY path, at""",
            ),
            notes=self._listed(
                FailedFile,
                f"""SELECT doc_id, notes FROM documents WHERE notes != ''
                    ORDER BY path, record LIMIT {NOTES_LISTED}""",
            ),
            cut=cut,
            repeated=self._listed(
                RepeatedLine,
                f"""SELECT source, articles, MIN(doc_id) AS first, line
                    FROM cuts JOIN documents USING (doc_id)
                    WHERE line_key IS NOT NULL GROUP BY source, line_key
                    ORDER BY articles DESC, first, line LIMIT {REPEATED_LISTED}""",
            ),
        )

    def _number(self, query: str) -> int:
        return int(self._articles.execute(query).fetchone()[0] or 0)

    def _counts(self, query: str) -> dict[str, int]:
        return dict(self._articles.execute(query).fetchall())

    def _listed(self, kind: type[Any], query: str) -> list[dict[str, Any]]:
        names = kind.__dataclass_fields__
        return [dict(zip(names, row, strict=True)) for row in self._articles.execute(query)]

    def finish(self, dimension: int, vectors: Iterable[NDArray[np.float32]]) -> None:
        """Write the vectors, those of the new rows in order and in as many arrays as suits, and close."""
        if self._base:
            # Into memory: what is mapped is the earlier generation's own file.
            index = faiss.read_index(str(self._base.folder / VECTORS))
            if self._freed_rows:
                vectors_of = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * dimension)
                by_row = vectors_of.reshape(index.ntotal, dimension)
                by_row[self._freed_rows] = by_row[self._moved_rows]
            index.remove_ids(faiss.IDSelectorRange(self.first_new, index.ntotal))
        else:
            index = faiss.IndexFlatIP(dimension)
        for some in vectors:
            index.add(some)
        if index.ntotal != self.rows:
            raise AssertionError(f"{index.ntotal} vectors for {self.rows} passages")
        with _raise_as_oserror():
            faiss.write_index(index, str(self.folder / VECTORS))
            self._terms.commit()
            self._terms.wait_merging_threads()
        # Of many small segments Tantivy makes one, and removes them.
        self.linked = {name: sha256 for name, sha256 in self.linked.items() if (self.folder / name).exists()}
        run = self._articles.execute
        run("DELETE FROM sources WHERE name NOT IN (SELECT source FROM documents)")
        run("DELETE FROM repeated_lines WHERE source_id NOT IN (SELECT id FROM sources)")
        self._articles.commit()
        self._articles.close()


@contextmanager
def _raise_as_oserror() -> Iterator[None]:
    """Raise as OSError what FAISS and Tantivy say in their own ways when they cannot write."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise OSError(str(error)) from error
