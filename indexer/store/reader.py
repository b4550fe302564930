"""The embedded store, read: SQLite for documents and passages, FAISS for vectors, Tantivy for terms.

A passage's row is its place in all three, from 0; it differs from one generation to the next, so
nothing outside sees it, and ties fall by id. The writer and the reader meet only in the files.
"""

import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import FieldType, Occur, Query

from indexer import settings
from indexer.datatypes import Candidate, Cut, Document, Notice, Passage, SplitDocument
from indexer.errors import IndexUnusable
from indexer.request import DATE_COLUMN, Filters
from indexer.store.base import Labels, Row, SeenFile, WeightedTerm
from indexer.store.folder import SPACE_FILE, IndexFolder
from indexer.store.manifest import Manifest
from indexer.store.schema import (
    ARTICLES,
    DOCUMENT_COLUMNS,
    LABELS,
    TERMS,
    VECTORS,
    day_number,
    document_of,
    read_only,
    terms_index,
)
from indexer.text.analysis import Kind

_PASSAGE = 'doc_id, number, start, "end", line_start, line_end, lang'
_DOCUMENT = ", ".join(DOCUMENT_COLUMNS)
_AT_ONCE = 500  # values in one statement
_FILTERS_KEPT = 32  # whose rows are known; a row is 8 bytes
_MARGIN = 16  # passages that are asked for beyond the last wanted, so that ties there are seen
_NEAR = 1e-5  # relative; two scores as near may be one score, summed in another order
_DIGITS = 5  # significant ones of a BM25 score: the rest is the order in which terms were summed


class GenerationReader:
    """Read one generation. Safe to share between threads."""

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        articles: sqlite3.Connection,
        vectors: Any,
        terms: tuple[tantivy.Schema, tantivy.Searcher],
    ) -> None:
        self.manifest, self.generation, self.folder = manifest, manifest.generation, folder
        self.archive, self.fields = Path(manifest.archive), manifest.settings["fields"]
        self.damage: Notice | None = None
        self._articles, self._vectors = articles, vectors
        self._schema, self._searcher = terms
        self._let_go = weakref.finalize(self, articles.close)  # also where nobody closes it
        self._lock = threading.Lock()  # one connection, opened once: the folder may go while we read
        self._rows: dict[Filters, Any] = {}

    @classmethod
    def open(cls, index: IndexFolder) -> "GenerationReader":
        """Open the current generation, or the newest that is whole, after checking each of its files.

        Raises NoIndex and IndexUnusable.
        """
        store, damage = index.newest(lambda generation: cls.open_generation(index, generation))
        store.damage = damage
        return store

    @classmethod
    def open_generation(
        cls, index: IndexFolder, generation: str, *, hashed: bool = False
    ) -> "GenerationReader":
        """Open one generation; IndexDamaged unless it is whole. `hashed` files need not be hashed again."""
        manifest = index.manifest(generation)
        if manifest.settings.get("format_version") != settings.FORMAT_VERSION:
            raise IndexUnusable(
                f"The index in {index.path} was built by another version of Warraq, which kept it in other "
                "files.",
                remedy=index.rebuild_command,
            )
        if not hashed:
            index.check_files(manifest)
        folder = index.folder(generation)
        faiss.omp_set_num_threads(settings.threads())
        try:
            return cls(
                manifest,
                folder,
                sqlite3.connect(read_only(folder / ARTICLES), uri=True, check_same_thread=False),
                faiss.read_index(str(folder / VECTORS), faiss.IO_FLAG_MMAP_IFC),
                _opened_terms(folder / TERMS),
            )
        except (RuntimeError, ValueError, OSError, sqlite3.Error) as error:
            raise index.damaged(f"{generation} cannot be opened: {error}") from error

    def close(self) -> None:
        """Let go of files; nothing is asked afterwards."""
        with self._lock:
            self._let_go()

    def space_path(self) -> Path | None:
        """Return the file of the space that the vectors are in; None where the model made them so."""
        return self.folder / SPACE_FILE if SPACE_FILE in self.manifest.files else None

    def size(self) -> tuple[int, int]:
        """Count the documents and the passages."""
        return self.manifest.documents, self.manifest.passages

    def digests(self) -> dict[str, bytes]:
        """Return the digest of every document as it was before cutting, by id."""
        return dict(self._query("SELECT doc_id, digest FROM documents"))

    def files(self) -> dict[str, SeenFile]:
        """Return what the build saw of the archive's files, by path."""
        return {path: SeenFile(*seen) for path, *seen in self._query("SELECT * FROM files")}

    def documents_by_file(self) -> dict[str, list[str]]:
        """Return the ids of the documents of each file, by its path."""
        found: dict[str, list[str]] = {}
        for path, doc_id in self._query("SELECT path, doc_id FROM documents ORDER BY path, doc_id"):
            found.setdefault(path, []).append(doc_id)
        return found

    def failures(self) -> list[tuple[str, str, str]]:
        """Return the records that were refused: the path of their file, their names and the reasons."""
        return self._query("SELECT path, record, reason FROM failures ORDER BY rowid")

    def terms_of(self, key: bytes) -> bytes | None:
        """Return the terms that are kept under a key, packed."""
        found = self._query("SELECT terms FROM terms WHERE key = ?", (key,))
        return found[0][0] if found else None

    def vectors(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the vectors at these rows, (len(rows), dimension)."""
        return np.asarray(self._vectors.reconstruct_batch(np.asarray(rows, np.int64)), np.float32)

    def rows(self) -> Iterator[Row]:
        """Yield every passage by row, with what the other parts hold of it."""
        query = f"""SELECT row, {_PASSAGE}, (SELECT key FROM terms WHERE id = terms_id), vector_key
                    FROM passages WHERE row >= ? AND row < ? ORDER BY row"""
        for first in range(0, self.manifest.passages, _AT_ONCE):
            found = self._query(query, (first, first + _AT_ONCE))
            documents = self.documents([doc_id for _, doc_id, *_ in found])
            for row, *facts, terms_key, vector_key in found:
                passage = Passage(*facts)
                document = documents[passage.doc_id]
                text = document.text[passage.start : passage.end]
                yield Row(row, passage, document, text, terms_key, vector_key)

    def term_counts(self, field: str) -> dict[str, int]:
        """Return in how many passages each term of a field of the term index stands."""
        return dict(self._searcher.terms_with_prefix(field, ""))

    def holds(self, row: int, terms: Mapping[Kind, Sequence[str]]) -> bool:
        """Whether the term index finds a passage by its terms."""
        wanted = [(Occur.Must, Query.range_query(self._schema, "row", FieldType.Unsigned, row, row))]
        wanted += [
            (Occur.Must, Query.term_query(self._schema, kind, term))
            for kind, some in terms.items()
            for term in set(some)
        ]
        return bool(self._searcher.search(Query.boolean_query(wanted), limit=1).hits)

    def days(self) -> dict[int, int | None]:
        """Return the date, as YYYYMMDD, that the term index has of each row."""
        hits = self._searcher.search(Query.all_query(), limit=max(1, self.manifest.passages)).hits
        addresses = [address for _, address in hits]
        rows, days = (self._searcher.fast_field_values(field, addresses) for field in ("row", "published"))
        return {
            int(row): None if day is None else int(day)
            for row, day in zip(rows, days, strict=True)
            if row is not None
        }

    def check_counts(self) -> None:
        """Raise ValueError unless the three parts hold as many passages as the manifest says."""
        counts = {
            "passages": self._query("SELECT COUNT(*) FROM passages")[0][0],
            "vectors": self._vectors.ntotal,
            "entries of terms": self._searcher.num_docs,
        }
        wrong = [f"{count:,} {name}" for name, count in counts.items() if count != self.manifest.passages]
        if wrong:
            raise ValueError(f"it holds {', '.join(wrong)} for {self.manifest.passages:,} passages")

    def dense(self, vector: NDArray[np.float32], depth: int, filters: Filters) -> list[Candidate]:
        """Return the passages nearest a unit vector, by cosine."""
        parameters = None
        if filters:
            # Exact scan of the rows that are left; a graph would lose recall under a filter.
            selector = faiss.IDSelectorBatch(self._rows_of(filters))
            parameters = faiss.SearchParameters(sel=selector)

        def find(count: int) -> list[tuple[int, float]]:
            scores, rows = self._vectors.search(vector.reshape(1, -1), count, params=parameters)
            # FAISS pads with -1 where it has fewer passages than were asked for.
            found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
            return [(row, score) for row, score in found if row >= 0]

        rows = [row for row, _ in _with_ties(find, depth)]
        return self._candidates(dict(zip(rows, self._cosines(vector, rows), strict=True)), depth)

    def lexical(self, terms: Sequence[WeightedTerm], depth: int, filters: Filters) -> list[Candidate]:
        """Return the passages that hold most of the terms, by the weighted sum of their BM25."""
        should = [
            (Occur.Should, Query.boost_query(Query.term_query(self._schema, kind, term), weight))
            for term, kind, weight in terms
        ]
        if not should:
            return []
        query = Query.boolean_query(should)
        masks = [Query.const_score_query(mask, 0.0) for mask in _masks(self._schema, filters)]
        if masks:
            query = Query.boolean_query([(Occur.Must, each) for each in [query, *masks]])

        def find(count: int) -> list[tuple[int, float]]:
            found = self._searcher.search(query, limit=count, count=False).hits
            rows = self._searcher.fast_field_values("row", [address for _, address in found])
            return [
                (int(row), float(f"{score:.{_DIGITS}g}"))
                for row, (score, _) in zip(rows, found, strict=True)
                if row is not None
            ]

        return self._candidates(dict(_with_ties(find, depth)), depth)

    def cosines(self, vector: NDArray[np.float32], passages: Sequence[Passage]) -> list[float]:
        """Return the dense scores of passages found otherwise."""
        return self._cosines(vector, [self._row(passage) for passage in passages])

    def vector(self, passage: Passage) -> NDArray[np.float32]:
        """Return the unit vector of a passage."""
        return self.vectors([self._row(passage)])[0]  # type: ignore[no-any-return]

    def _row(self, passage: Passage) -> int:
        where = "SELECT row FROM passages WHERE doc_id = ? AND number = ?"
        return int(self._query(where, (passage.doc_id, passage.number))[0][0])

    def _cosines(self, vector: NDArray[np.float32], rows: Sequence[int]) -> list[float]:
        """Return cosines that do not depend on the place of a row, as those of a matrix product do."""
        if not rows:
            return []
        products = self.vectors(rows).astype(np.float64) * vector.astype(np.float64)
        return [float(score) for score in products.sum(axis=1)]

    def undated(self, filters: Filters) -> int:
        """Count the articles without a date among those that the other filters leave."""
        where, values = _where(tuple(each for each in filters if each.filter.column != DATE_COLUMN))
        query = f"""SELECT COUNT(DISTINCT doc_id) FROM passages JOIN documents USING (doc_id)
                    WHERE published IS NULL AND {where}"""
        return int(self._query(query, values)[0][0])

    def labels(self, doc_ids: Sequence[str]) -> dict[str, Labels]:
        """Return what the documents of these ids are filed under, by id."""
        rows = self._query_many(
            f"SELECT doc_id, {', '.join(LABELS)} FROM documents WHERE doc_id IN", list(dict.fromkeys(doc_ids))
        )
        return {doc_id: dict(zip(LABELS, values, strict=True)) for doc_id, *values in rows}

    def years(self) -> dict[str | None, int]:
        """Count the documents by the year they were published in, newest first; None where unknown."""
        counted = "SELECT substr(published, 1, 4) AS year, COUNT(*) FROM documents"
        return dict(self._query(f"{counted} GROUP BY year ORDER BY year DESC"))

    def documents(self, doc_ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents of these ids, by id."""
        rows = self._query_many(
            f"SELECT {_DOCUMENT} FROM documents WHERE doc_id IN", list(dict.fromkeys(doc_ids))
        )
        return {row[0]: document_of(row) for row in rows}

    def article(self, doc_id: str) -> SplitDocument | None:
        """Return a document with all its passages; None where the index has none of that id."""
        document = self.documents([doc_id]).get(doc_id)
        if document is None:
            return None
        rows = self._query(f"SELECT {_PASSAGE} FROM passages WHERE doc_id = ? ORDER BY number", (doc_id,))
        cuts = self._query(
            'SELECT line, start, "end", rule, articles FROM cuts WHERE doc_id = ? ORDER BY line', (doc_id,)
        )
        return SplitDocument(document, tuple(Passage(*row) for row in rows), tuple(Cut(*cut) for cut in cuts))

    def _candidates(self, scores: dict[int, float], depth: int) -> list[Candidate]:
        rows = self._query_many(
            f"SELECT row, duplicate_key, {_PASSAGE} FROM passages WHERE row IN", list(scores)
        )
        found = [
            Candidate(Passage(*passage), scores[row], duplicate_key) for row, duplicate_key, *passage in rows
        ]
        found.sort(key=lambda each: (-each.score, each.passage.doc_id, each.passage.number))
        return found[:depth]

    def _rows_of(self, filters: Filters) -> Any:
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


def _opened_terms(folder: Path) -> tuple[tantivy.Schema, tantivy.Searcher]:
    """Open Tantivy's index and leave its folder as it is, which may be another user's.

    Tantivy makes a lock file where it opens an index: that is a folder of links here. What it has
    opened stays open when the links go. Where there is no room for it, on a full disk, the index is
    opened in its place: the lock file of its writer is there.
    """
    try:
        with _passing_folder() as view:
            for path in folder.iterdir():
                if path.suffix == ".json":
                    shutil.copyfile(path, view / path.name)
                elif path.suffix != ".lock":
                    (view / path.name).symlink_to(path.resolve())
            return _searched(terms_index(view))
    except (OSError, ValueError):
        return _searched(terms_index(folder))


def _searched(index: tantivy.Index) -> tuple[tantivy.Schema, tantivy.Searcher]:
    index.config_reader("Manual", 0)  # no thread that looks for changes: there are none
    return index.schema, index.searcher()


@contextmanager
def _passing_folder() -> Iterator[Path]:
    """Yield a folder that is removed afterwards, whatever Tantivy's own thread puts there meanwhile."""
    place = Path(tempfile.mkdtemp(prefix="warraq-"))
    try:
        yield place
    finally:
        for _ in range(5):
            shutil.rmtree(place, ignore_errors=True)
            if not place.exists():
                break


def _with_ties(find: Callable[[int], list[tuple[int, float]]], depth: int) -> list[tuple[int, float]]:
    """Return the best `depth` rows with their scores, and those that the last of them may tie with.

    Which of two equal scores comes first is for ids to say, and `find` knows rows only.
    """
    count = depth + _MARGIN
    while True:
        found = find(count)
        if len(found) < count or found[-1][1] < found[depth - 1][1] - _NEAR * max(
            1, abs(found[depth - 1][1])
        ):
            return found
        count *= 2


def _where(filters: Filters) -> tuple[str, list[str]]:
    """Return filters as SQL over passages joined with documents, and its values."""
    operators = {"equal": "=", "at_least": ">=", "at_most": "<="}
    conditions = [f"{on.column} {operators[on.comparison]} ?" for on, _ in filters]
    return " AND ".join(conditions) or "TRUE", [value for _, value in filters]


def _masks(schema: tantivy.Schema, filters: Filters) -> list[Query]:
    """Return the same filters as queries over terms."""
    masks = [Query.term_query(schema, on.field, value) for on, value in filters if on.comparison == "equal"]
    days = {on.comparison: day_number(value) for on, value in filters if on.column == DATE_COLUMN}
    if days:
        first, last = days.get("at_least"), days.get("at_most")
        masks.append(Query.range_query(schema, "published", FieldType.Unsigned, first, last))
    return masks
