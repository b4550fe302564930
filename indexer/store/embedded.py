"""The embedded store: SQLite for documents and passages, FAISS for vectors, Tantivy for terms.

A passage's row is its place in the archive's order, from 0, the same in all three. The writer and
the reader meet only in the files.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import settings
from ..datatypes import Article, Candidate, Cut, Document, Passage
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
    doc_id TEXT PRIMARY KEY, title TEXT, text TEXT, source TEXT, lang TEXT, published TEXT, metadata TEXT,
    digest BLOB);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, doc_id TEXT, ordinal INTEGER, start INTEGER, "end" INTEGER,
    line_start INTEGER, line_end INTEGER, lang TEXT, copy_key BLOB,
    vector_key BLOB, UNIQUE (doc_id, ordinal));
CREATE INDEX passages_by_lang ON passages (lang);
CREATE INDEX documents_by_source ON documents (source, published);
CREATE TABLE cuts (
    doc_id TEXT, line INTEGER, start INTEGER, "end" INTEGER, rule TEXT, articles INTEGER,
    PRIMARY KEY (doc_id, line)) WITHOUT ROWID;
CREATE TABLE sources (number INTEGER PRIMARY KEY, name TEXT UNIQUE, articles INTEGER);
CREATE TABLE lines (
    source INTEGER, line INTEGER, articles INTEGER, PRIMARY KEY (source, line)) WITHOUT ROWID;
"""
_PASSAGE = 'doc_id, ordinal, start, "end", line_start, line_end, lang'
_DOCUMENT = "doc_id, title, text, source, lang, published, metadata"
_AT_ONCE = 500  # values in one statement
_FILTERS_KEPT = 32  # whose rows are known; a row is 8 bytes
_TERMS_MEMORY = 64_000_000  # bytes, Tantivy's buffer


def _terms_index(folder: Path) -> "tantivy.Index":
    import tantivy

    schema = tantivy.SchemaBuilder()
    # Our own analysis made the terms; white space is all that Tantivy has to split at.
    for kind in KINDS:
        schema.add_text_field(kind, stored=False, tokenizer_name="whitespace", index_option="position")
    schema.add_text_field("lang", stored=False, tokenizer_name="raw", index_option="basic")
    schema.add_text_field("source", stored=False, tokenizer_name="raw", index_option="basic")
    schema.add_unsigned_field("published", fast=True)  # as the number YYYYMMDD
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

    def add_line_counts(self, source: str, articles: int, counts: Iterable[tuple[int, int]]) -> None:
        """Note in how many of a source's articles each line stands: pairs of its key and that number."""
        number = self._articles.execute(
            "INSERT INTO sources VALUES (NULL, ?, ?)", (source, articles)
        ).lastrowid
        self._articles.executemany(
            "INSERT INTO lines VALUES (?, ?, ?)", ((number, line, count) for line, count in counts)
        )

    def add(
        self,
        article: Article,
        digest: bytes,
        terms: Sequence[Sequence[Token]],
        vector_keys: Sequence[bytes],
    ) -> None:
        """Append a document with the search terms and the vector key of each of its passages.

        `digest` is of the document before anything was cut: what makes it another one.
        """
        import tantivy

        document = article.document
        self._articles.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (document.doc_id, document.title, document.text, document.source, document.lang,
             document.published, json.dumps(dict(document.metadata), ensure_ascii=False), digest),
        )  # fmt: skip
        self._articles.executemany(
            "INSERT INTO cuts VALUES (?, ?, ?, ?, ?, ?)",
            ((document.doc_id, cut.line, cut.start, cut.end, cut.rule, cut.articles) for cut in article.cuts),
        )
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
            entry.add_text("source", document.source)
            if document.published:
                entry.add_unsigned("published", _as_number(document.published))
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

    def sources(self) -> dict[str, int]:
        """Count the documents by source."""
        query = "SELECT source, COUNT(*) FROM documents GROUP BY source ORDER BY COUNT(*) DESC, source"
        return dict(self._articles.execute(query).fetchall())

    def undated(self) -> int:
        """Count the documents without a date."""
        query = "SELECT COUNT(*) FROM documents WHERE published IS NULL"
        return int(self._articles.execute(query).fetchone()[0])

    def cut_lines(self) -> dict[str, int]:
        """Count the lines that were cut by rule."""
        query = "SELECT rule, COUNT(*) FROM cuts GROUP BY rule ORDER BY COUNT(*) DESC, rule"
        return dict(self._articles.execute(query).fetchall())

    def digests(self) -> dict[str, bytes]:
        """Return the digest of every document, by id."""
        return dict(self._articles.execute("SELECT doc_id, digest FROM documents"))

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


def _as_number(day: str) -> int:
    return int(day.replace("-", ""))


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
        self.archive, self.fields = Path(manifest.archive), manifest.settings["fields"]
        self._articles, self._vectors, self._terms = articles, vectors, terms
        self._searcher = terms.searcher()
        self._lock = threading.Lock()  # one connection, opened once: the folder may go while we read
        self._rows: dict[Filters, Any] = {}

    @classmethod
    def open(cls, index: IndexFolder) -> "EmbeddedStore":
        """Open the current generation after checking each of its files; IndexUnusable otherwise."""
        import faiss

        manifest = index.manifest()
        if manifest.settings.get("format_version") != settings.FORMAT_VERSION:
            raise IndexUnusable(
                f"The index in {index.path} was built by another version of Warraq, which kept it in other "
                f"files. Run: warraq build --rebuild --index {index.path}"
            )
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

    def digests(self) -> dict[str, bytes]:
        """Return the digest of every document as it was before cutting, by id."""
        return dict(self._query("SELECT doc_id, digest FROM documents"))

    def repeated_lines(self, source: str) -> tuple[int, dict[int, int]]:
        """Return how many articles a source has, and in how many each line of theirs stands, by its key."""
        articles = self._query("SELECT number, articles FROM sources WHERE name = ?", (source,))
        if not articles:
            return 0, {}
        lines = self._query("SELECT line, articles FROM lines WHERE source = ?", (articles[0][0],))
        return articles[0][1], dict(lines)

    def files(self) -> dict[str, tuple[str | None, str | None]]:
        """Return what the build saw of the archive: sha256 and reason of refusal, by path."""
        return {path: (sha256, reason) for path, sha256, reason in self._query("SELECT * FROM files")}

    def dense(self, vector: "NDArray[np.float32]", depth: int, filters: Filters) -> list[Candidate]:
        import faiss

        parameters = None
        if filters != Filters():
            # Exact scan of the rows that are left; a graph would lose recall under a filter.
            selector = faiss.IDSelectorBatch(self._rows_of(filters))
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
        masks = [Query.const_score_query(mask, 0.0) for mask in _masks(schema, filters)]
        if masks:
            query = Query.boolean_query([(Occur.Must, each) for each in [query, *masks]])
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

    def undated(self, filters: Filters) -> int:
        where, values = _where(replace(filters, published_from=None, published_to=None))
        query = f"""SELECT COUNT(DISTINCT doc_id) FROM passages JOIN documents USING (doc_id)
                    WHERE published IS NULL AND {where}"""
        return int(self._query(query, values)[0][0])

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
        cuts = self._query(
            'SELECT line, start, "end", rule, articles FROM cuts WHERE doc_id = ? ORDER BY line', (doc_id,)
        )
        return Article(document, tuple(Passage(*row) for row in rows), tuple(Cut(*cut) for cut in cuts))

    def _candidates(self, scores: dict[int, float]) -> list[Candidate]:
        rows = self._query_many(f"SELECT row, copy_key, {_PASSAGE} FROM passages WHERE row IN", list(scores))
        found = {row: (Passage(*passage), copy_key) for row, copy_key, *passage in rows}
        best_first = sorted(scores, key=lambda row: (-scores[row], row))
        return [Candidate(found[row][0], scores[row], found[row][1]) for row in best_first]

    def _rows_of(self, filters: Filters) -> Any:
        import numpy as np

        if filters not in self._rows:
            where, values = _where(filters)
            query = f"SELECT row FROM passages JOIN documents USING (doc_id) WHERE {where}"
            rows = np.array([row for (row,) in self._query(query, values)], np.int64)
            if len(self._rows) >= _FILTERS_KEPT:
                self._rows = {}
            self._rows[filters] = rows
        return self._rows[filters]

    def _query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._articles.execute(sql, values).fetchall()

    def _query_many(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        rows = []
        for first in range(0, len(values), _AT_ONCE):
            some = values[first : first + _AT_ONCE]
            rows += self._query(f"{sql} ({','.join('?' * len(some))})", some)
        return rows


def _where(filters: Filters) -> tuple[str, list[str]]:
    """Return filters as SQL over passages joined with documents, and its values."""
    conditions = {
        "passages.lang = ?": filters.lang,
        "source = ?": filters.source,
        "published >= ?": filters.published_from,
        "published <= ?": filters.published_to,
    }
    asked = {condition: value for condition, value in conditions.items() if value is not None}
    return " AND ".join(asked) or "TRUE", list(asked.values())


def _masks(schema: "tantivy.Schema", filters: Filters) -> "list[tantivy.Query]":
    """Return the same filters as queries over terms."""
    from tantivy import FieldType, Query

    masks = [
        Query.term_query(schema, field, value)
        for field, value in (("lang", filters.lang), ("source", filters.source))
        if value is not None
    ]
    if filters.by_date:
        first, last = (
            _as_number(day) if day else None for day in (filters.published_from, filters.published_to)
        )
        masks.append(Query.range_query(schema, "published", FieldType.Unsigned, first, last))
    return masks
