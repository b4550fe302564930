"""The embedded store: SQLite for documents and passages, FAISS for vectors, Tantivy for terms.

A passage's row is its place in the archive's order, from 0, the same in all three. The writer and
the reader meet only in the files.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import settings
from ..datatypes import Article, Candidate, Document, Passage
from ..errors import IndexUnusable
from ..text.analysis import KINDS, Token
from .base import Filters, WeightedTerm
from .generation import SPACE, IndexFolder, Manifest

if TYPE_CHECKING:
    import numpy as np
    import tantivy
    from numpy.typing import NDArray

ARTICLES, VECTORS, TERMS = "articles.sqlite", "vectors.faiss", "terms"

_TABLES = """
CREATE TABLE files (path TEXT PRIMARY KEY, sha256 TEXT, reason TEXT);
CREATE TABLE documents (
    doc_id TEXT PRIMARY KEY, title TEXT, text TEXT, source TEXT, lang TEXT, published TEXT, metadata TEXT);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, doc_id TEXT, ordinal INTEGER, start INTEGER, "end" INTEGER,
    line_start INTEGER, line_end INTEGER, lang TEXT, copy_key BLOB,
    vector_key BLOB, UNIQUE (doc_id, ordinal));
CREATE INDEX passages_by_lang ON passages (lang);
"""
_PASSAGE = 'doc_id, ordinal, start, "end", line_start, line_end, lang'
_DOCUMENT = "doc_id, title, text, source, lang, published, metadata"
_AT_ONCE = 500  # values in one statement
_TERMS_MEMORY = 64_000_000  # bytes, Tantivy's buffer


def _terms_index(folder: Path) -> "tantivy.Index":
    import tantivy

    schema = tantivy.SchemaBuilder()
    # Our own analysis made the terms; white space is all that Tantivy has to split at.
    for kind in KINDS:
        schema.add_text_field(kind, stored=False, tokenizer_name="whitespace", index_option="position")
    schema.add_text_field("lang", stored=False, tokenizer_name="raw", index_option="basic")
    schema.add_unsigned_field("row", fast=True)
    return tantivy.Index(schema.build(), str(folder))


class EmbeddedWriter:
    """Write one generation's files into an empty folder: articles first, then vectors, then finish."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0
        self._articles = sqlite3.connect(folder / ARTICLES)
        self._articles.executescript(_TABLES)
        (folder / TERMS).mkdir()
        # One thread: rows keep their order, so ties fall the same way in every build.
        self._terms = _terms_index(folder / TERMS).writer(_TERMS_MEMORY, num_threads=1)

    def add_file(self, path: str, sha256: str | None, reason: str | None = None) -> None:
        """Note a file of the archive that was read, or the reason why it was not."""
        self._articles.execute("INSERT INTO files VALUES (?, ?, ?)", (path, sha256, reason))

    def add(self, article: Article, terms: Sequence[Sequence[Token]], vector_keys: Sequence[bytes]) -> None:
        """Append a document with the search terms and the vector key of each of its passages."""
        import tantivy

        document = article.document
        self._articles.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
            (document.doc_id, document.title, document.text, document.source, document.lang,
             document.published, json.dumps(dict(document.metadata), ensure_ascii=False)),
        )  # fmt: skip
        for passage, passage_terms, key in zip(article.passages, terms, vector_keys, strict=True):
            self._articles.execute(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self.rows, passage.doc_id, passage.ordinal, passage.start, passage.end,
                 passage.line_start, passage.line_end, passage.lang,
                 _copy_key(document.text[passage.start : passage.end]), key),
            )  # fmt: skip
            entry = tantivy.Document()
            for kind in KINDS:
                entry.add_text(kind, " ".join(token.term for token in passage_terms if token.kind == kind))
            entry.add_text("lang", passage.lang)
            entry.add_unsigned("row", self.rows)
            self._terms.add_document(entry)
            self.rows += 1

    def vector_keys(self) -> list[bytes]:
        """Return the vector key of every passage, by row."""
        return [key for (key,) in self._articles.execute("SELECT vector_key FROM passages ORDER BY row")]

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

    def languages(self) -> dict[str, int]:
        """Count the passages by language."""
        query = "SELECT lang, COUNT(*) FROM passages GROUP BY lang ORDER BY COUNT(*) DESC, lang"
        return dict(self._articles.execute(query).fetchall())

    def documents(self) -> int:
        """Count the documents."""
        return int(self._articles.execute("SELECT COUNT(*) FROM documents").fetchone()[0])

    def finish(self, dimension: int, vectors: "Iterator[NDArray[np.float32]]") -> None:
        """Write the vectors of all rows, in order and in as many arrays as suits, and close."""
        import faiss

        index = faiss.IndexFlatIP(dimension)
        for some in vectors:
            index.add(some)
        if index.ntotal != self.rows:
            raise AssertionError(f"{index.ntotal} vectors for {self.rows} passages")
        faiss.write_index(index, str(self.folder / VECTORS))
        self._terms.commit()
        self._terms.wait_merging_threads()
        self._articles.commit()
        self._articles.close()


def _copy_key(text: str) -> bytes:
    """Return what passages have in common that have the same words."""
    return hashlib.sha256(" ".join(text.split()).encode()).digest()[:16]


class EmbeddedStore:
    """Read one generation. Safe to share between threads."""

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        articles: sqlite3.Connection,
        vectors: Any,
        terms: "tantivy.Index",
    ) -> None:
        self.manifest, self.generation, self.folder = manifest, manifest.generation, folder
        self._articles, self._vectors, self._terms = articles, vectors, terms
        self._searcher = terms.searcher()
        self._lock = threading.Lock()  # one connection, opened once: the folder may go while we read
        self._rows_by_lang: dict[str, Any] = {}

    @classmethod
    def open(cls, index: IndexFolder) -> "EmbeddedStore":
        """Open the current generation after checking each of its files; IndexUnusable otherwise."""
        import faiss

        manifest = index.manifest()
        index.check_files(manifest)
        folder = index.folder(manifest.generation)
        faiss.omp_set_num_threads(settings.threads())
        try:
            return cls(
                manifest,
                folder,
                sqlite3.connect(f"{(folder / ARTICLES).resolve().as_uri()}?mode=ro&immutable=1",
                                uri=True, check_same_thread=False),
                faiss.read_index(str(folder / VECTORS), faiss.IO_FLAG_MMAP_IFC),
                _terms_index(folder / TERMS),
            )  # fmt: skip
        except (RuntimeError, ValueError, sqlite3.Error) as error:
            raise IndexUnusable(
                f"The index in {index.path} cannot be opened: {error}. "
                f"Run: warraq build --rebuild --index {index.path}"
            ) from error

    def close(self) -> None:
        with self._lock:
            self._articles.close()

    def space_path(self) -> Path | None:
        """Return the file of the space that the vectors are in; None where the model made them so."""
        return self.folder / SPACE if SPACE in self.manifest.files else None

    def size(self) -> tuple[int, int]:
        return self.manifest.documents, self.manifest.passages

    def files(self) -> dict[str, tuple[str | None, str | None]]:
        """Return what the build saw of the archive: sha256 and reason of refusal, by path."""
        return {path: (sha256, reason) for path, sha256, reason in self._query("SELECT * FROM files")}

    def dense(self, vector: "NDArray[np.float32]", depth: int, filters: Filters) -> list[Candidate]:
        import faiss

        parameters = None
        if filters.lang is not None:
            # Exact scan of the language's rows; a graph would lose recall under a filter.
            selector = faiss.IDSelectorBatch(self._rows_of(filters.lang))
            parameters = faiss.SearchParameters(sel=selector)
        scores, rows = self._vectors.search(vector.reshape(1, -1), depth, params=parameters)
        # FAISS pads with -1 where it has fewer passages than were asked for.
        return self._candidates(
            {int(row): float(score) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0}
        )

    def lexical(self, terms: Sequence[WeightedTerm], depth: int, filters: Filters) -> list[Candidate]:
        from tantivy import Occur, Query

        schema = self._terms.schema
        should = [
            (Occur.Should, Query.boost_query(Query.term_query(schema, kind, term), weight))
            for term, kind, weight in terms
        ]
        if not should:
            return []
        query = Query.boolean_query(should)
        if filters.lang is not None:
            of_lang = Query.const_score_query(Query.term_query(schema, "lang", filters.lang), 0.0)
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, of_lang)])
        found = self._searcher.search(query, limit=depth, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in found])
        return self._candidates(
            {int(row): float(score) for row, (score, _) in zip(rows, found, strict=True) if row is not None}
        )

    def cosines(self, vector: "NDArray[np.float32]", passages: Sequence[Passage]) -> list[float]:
        if not passages:
            return []
        rows = [
            row
            for passage in passages
            for (row,) in self._query(
                "SELECT row FROM passages WHERE doc_id = ? AND ordinal = ?", (passage.doc_id, passage.ordinal)
            )
        ]
        return [float(score) for score in self._vectors.reconstruct_batch(rows) @ vector]

    def documents(self, doc_ids: Sequence[str]) -> dict[str, Document]:
        rows = self._query_many(
            f"SELECT {_DOCUMENT} FROM documents WHERE doc_id IN", list(dict.fromkeys(doc_ids))
        )
        return {
            doc_id: Document(doc_id, title, text, source, lang, published, json.loads(metadata))
            for doc_id, title, text, source, lang, published, metadata in rows
        }

    def article(self, doc_id: str) -> Article | None:
        document = self.documents([doc_id]).get(doc_id)
        if document is None:
            return None
        rows = self._query(f"SELECT {_PASSAGE} FROM passages WHERE doc_id = ? ORDER BY ordinal", (doc_id,))
        return Article(document, tuple(Passage(*row) for row in rows))

    def _candidates(self, scores: dict[int, float]) -> list[Candidate]:
        rows = self._query_many(f"SELECT row, copy_key, {_PASSAGE} FROM passages WHERE row IN", list(scores))
        found = {row: (Passage(*passage), copy_key) for row, copy_key, *passage in rows}
        best_first = sorted(scores, key=lambda row: (-scores[row], row))
        return [Candidate(found[row][0], scores[row], found[row][1]) for row in best_first]

    def _rows_of(self, lang: str) -> Any:
        import numpy as np

        if lang not in self._rows_by_lang:
            rows = self._query("SELECT row FROM passages WHERE lang = ?", (lang,))
            self._rows_by_lang[lang] = np.array([row for (row,) in rows], np.int64)
        return self._rows_by_lang[lang]

    def _query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._articles.execute(sql, values).fetchall()

    def _query_many(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        rows = []
        for first in range(0, len(values), _AT_ONCE):
            some = values[first : first + _AT_ONCE]
            rows += self._query(f"{sql} ({','.join('?' * len(some))})", some)
        return rows
