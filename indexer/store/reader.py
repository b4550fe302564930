"""The reader of one generation: SQLite for documents and passages, FAISS for vectors, Tantivy for terms.

A passage has the same row, counted from 0, in all three. Rows differ from one generation to the next, so
no result shows them, and ties are broken by id. The writer and the reader share only the files.
"""

import json
import sqlite3
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import faiss
import numpy as np
import tantivy
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from tantivy import FieldType, Occur, Query

from indexer import settings
from indexer.datatypes import Candidate, Cut, Document, Notice, Passage, SentenceScores, SplitDocument
from indexer.errors import IndexDamaged
from indexer.request import DATE_COLUMN, Clause, Condition, Filters
from indexer.store.base import Labels, Row, SeenFile, WeightedTerm
from indexer.store.catalogue import Catalogue, Counted
from indexer.store.folder import SPACE_FILE, IndexFolder
from indexer.store.manifest import Manifest
from indexer.store.mapped_files import MappedFiles
from indexer.store.schema import (
    ARTICLES,
    DOCUMENT_COLUMNS,
    LABELS,
    OPERATORS,
    TERMS,
    VECTORS,
    check_tables,
    document_of,
    read_only,
    title_words,
    unpack_terms,
)
from indexer.store.sentence_vectors import cosines, unpack_ranges
from indexer.store.term_queries import masks, open_terms, words_query
from indexer.text.analysis import Kind, tokens
from indexer.text.sentences import Range

Space = TypeVar("Space")

_PASSAGE = 'doc_id, number, start, "end", line_start, line_end, lang'
_DOCUMENT = ", ".join(DOCUMENT_COLUMNS)
IN_MEMORY = 64 << 20  # bytes of vectors that are read into memory; more are mapped
_AT_ONCE = 500  # values in one SQL statement
_VECTORS_AT_ONCE = 4_096
_FILTERS_KEPT = 32  # sets of filters whose rows are remembered; a row takes 8 bytes
_MARGIN = 16  # passages asked for beyond the last one needed, so that ties with it are seen
_NEAR = 1e-5  # cosines this close may be the same sum, added up in another order
_TITLES_SEEN = 500  # titles with the words that are typed, among which the newest are suggested
_NEAR_PASSAGES = 200  # passages in which words near another one are looked for
_DIGITS = 5  # significant digits of a BM25 score; the others depend on the order of its sum


class GenerationReader:
    """Read one generation. Safe to share between threads."""

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        articles: sqlite3.Connection,
        vectors: Any,
        terms: tuple[tantivy.Schema, tantivy.Searcher],
        damaged: Callable[[str], IndexDamaged],
    ) -> None:
        self.manifest, self.generation, self.folder = manifest, manifest.generation, folder
        self.archive, self.fields = Path(manifest.archive), manifest.settings["fields"]
        self.damage: Notice | None = None
        self._articles, self._mapped_vectors = articles, vectors
        self._schema, self._mapped_terms = terms
        self._damaged = damaged
        self._mapped_files = MappedFiles([folder / VECTORS, *(folder / TERMS).iterdir()])
        self._close_database = weakref.finalize(self, articles.close)  # also where nobody calls close
        # All threads share one connection: the folder may be removed meanwhile, so it cannot be opened again.
        self._lock = threading.Lock()
        self._rows: dict[Filters, Any] = {}
        self._last_article: SplitDocument | None = None
        self._label_values: dict[str, Sequence[str]] = {}
        self._counted: Counted = {}

    @classmethod
    def open(cls, index: IndexFolder) -> "GenerationReader":
        """Open the served generation or, where it is damaged, the newest undamaged one.

        Hashes all of its files. Raises NoIndex and IndexUnusable.
        """
        store, damage = index.newest(lambda generation: cls.open_generation(index, generation))
        store.damage = damage
        return store

    @classmethod
    def open_generation(
        cls, index: IndexFolder, generation: str, *, hashed: bool = False
    ) -> "GenerationReader":
        """Open one generation; IndexDamaged where a file of it is missing or has changed.

        `hashed` says that the caller has just hashed its files, so they are not hashed again.
        """
        manifest = index.manifest(generation)
        index.check_format(manifest)
        if not hashed:
            index.check_files(manifest)
        folder = index.folder(generation)
        faiss.omp_set_num_threads(settings.threads())
        try:
            return cls(
                manifest,
                folder,
                _open_articles(folder / ARTICLES),
                _read_vectors(folder / VECTORS),
                open_terms(folder / TERMS),
                index.damaged,
            )
        except (RuntimeError, ValueError, OSError, sqlite3.Error) as error:
            raise index.damaged(f"{generation} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the files; the reader cannot be used afterwards."""
        with self._lock:
            self._close_database()

    @property
    def _vectors(self) -> Any:
        self._check_mapped_files()
        return self._mapped_vectors

    @property
    def _searcher(self) -> tantivy.Searcher:
        self._check_mapped_files()
        return self._mapped_terms

    def _check_mapped_files(self) -> None:
        """Raise IndexDamaged where a file became shorter since it was opened."""
        if name := self._mapped_files.shortened():
            raise self._damaged(f"{name} of {self.generation} has become shorter")

    @property
    def dimension(self) -> int:
        """The number of coordinates of a vector."""
        return int(self._mapped_vectors.d)

    def space_path(self) -> Path | None:
        """Return the file of the language-neutral space; None where the vectors are the model's own."""
        return self.folder / SPACE_FILE if SPACE_FILE in self.manifest.files else None

    def space(self, load: Callable[[Path], Space]) -> Space | None:
        """Return what `load` reads from that file; IndexDamaged where it raises ValueError."""
        path = self.space_path()
        try:
            return load(path) if path else None
        except ValueError as error:
            raise self._damaged(f"{SPACE_FILE} of {self.generation} cannot be read: {error}") from error

    def size(self) -> tuple[int, int]:
        """Count the documents and the passages."""
        return self.manifest.documents, self.manifest.passages

    def digests(self) -> dict[str, bytes]:
        """Return the digest of every document before cutting, by id."""
        return dict(self._query("SELECT doc_id, digest FROM documents"))

    def files(self) -> dict[str, SeenFile]:
        """Return the state of each file of the archive when the build read it, by path."""
        return {path: SeenFile(*values) for path, *values in self._query("SELECT * FROM files")}

    def documents_by_file(self) -> dict[str, list[str]]:
        """Return the ids of the documents of each file, by path."""
        ids: dict[str, list[str]] = {}
        for path, doc_id in self._query("SELECT path, doc_id FROM documents ORDER BY path, doc_id"):
            ids.setdefault(path, []).append(doc_id)
        return ids

    def failures(self) -> list[tuple[str, str, str]]:
        """Return the refused records: path of the file, name of the record, and reason."""
        return self._query("SELECT path, record, reason FROM failures ORDER BY rowid")

    def terms_of(self, key: bytes) -> bytes | None:
        """Return the packed terms that are stored under a key; None where there are none."""
        rows = self._query("SELECT terms FROM terms WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def vectors(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors at these rows, (len(rows), dimension)."""
        return np.asarray(self._vectors.reconstruct_batch(np.asarray(rows, np.int64)), np.float32)

    def rows(self) -> Iterator[Row]:
        """Yield every passage by row, with its document and the keys of its terms and of its vector."""
        query = f"""SELECT row, {_PASSAGE}, (SELECT key FROM terms WHERE id = terms_id), vector_key, title_key
                    FROM passages WHERE row >= ? AND row < ? ORDER BY row"""
        for first in range(0, self.manifest.passages, _AT_ONCE):
            batch = self._query(query, (first, first + _AT_ONCE))
            documents = self.documents([doc_id for _, doc_id, *_ in batch])
            for row, *facts, terms_key, vector_key, title_key in batch:
                passage = Passage(*facts)
                document = documents[passage.doc_id]
                text = document.text[passage.start : passage.end]
                yield Row(row, passage, document, text, terms_key, vector_key, title_key)

    def sentences(self, rows: Sequence[int]) -> dict[int, tuple[list[Range], bytes, bytes]]:
        """Return ranges, keys and packed vectors of the sentences of passages, by row, if several."""
        stored = self._query_many("SELECT row, ranges, keys, vectors FROM sentences WHERE row IN", list(rows))
        return {row: (unpack_ranges(ranges), keys, vectors) for row, ranges, keys, vectors in stored}

    def title_words(self) -> set[tuple[str, str]]:
        """Return the words under which titles are suggested, each with the ids of its documents."""
        query = "SELECT word, doc_id FROM title_words JOIN documents ON documents.id = document_id"
        return set(self._query(query))

    def term_counts(self, field: str) -> dict[str, int]:
        """Return, by term, how many passages have it in a field of the term index."""
        return dict(self._searcher.terms_with_prefix(field, ""))

    def holds(self, row: int, terms: Mapping[Kind, Sequence[str]]) -> bool:
        """Return whether the term index finds a passage by these terms of each kind."""
        clauses = [(Occur.Must, Query.range_query(self._schema, "row", FieldType.Unsigned, row, row))]
        clauses += [
            (Occur.Must, Query.term_query(self._schema, kind, term))
            for kind, words in terms.items()
            for term in set(words)
        ]
        return bool(self._searcher.search(Query.boolean_query(clauses), limit=1).hits)

    def days(self) -> dict[int, int | None]:
        """Return the date of each row in the term index, as the number YYYYMMDD; None without a date."""
        hits = self._searcher.search(Query.all_query(), limit=max(1, self.manifest.passages)).hits
        addresses = [address for _, address in hits]
        rows, days = (self._searcher.fast_field_values(field, addresses) for field in ("row", "published"))
        return {
            int(row): None if day is None else int(day)
            for row, day in zip(rows, days, strict=True)
            if row is not None
        }

    def check_counts(self) -> None:
        """Raise ValueError unless each of the three parts holds as many passages as the manifest says."""
        counts = {
            "passages": self._query("SELECT COUNT(*) FROM passages")[0][0],
            "vectors": self._vectors.ntotal,
            "entries of terms": self._searcher.num_docs,
        }
        wrong = [f"{count:,} {name}" for name, count in counts.items() if count != self.manifest.passages]
        if wrong:
            raise ValueError(f"it holds {', '.join(wrong)} for {self.manifest.passages:,} passages")

    def dense(self, vector: NDArray[np.float32], depth: int, filters: Filters) -> list[Candidate]:
        """Return the `depth` passages nearest to a unit vector, by cosine, best first."""
        parameters = None
        if filters:
            # Scan exactly the rows that pass the filters; a graph index would lose recall under a filter.
            selector = faiss.IDSelectorBatch(self._rows_of(filters))
            parameters = faiss.SearchParameters(sel=selector)

        question, asked = vector.reshape(1, -1), depth + _MARGIN
        (scores,), (rows,) = self._vectors.search(question, asked, params=parameters)
        rows = rows[rows >= 0]  # FAISS pads with -1 where fewer passages remain than were asked for
        if len(rows) == asked and scores[-1] >= scores[depth - 1] - _NEAR:
            at_least = float(scores[depth - 1]) - _NEAR
            _, _, rows = self._vectors.range_search(question, at_least, params=parameters)
        return self._candidates(rows, self._cosines(vector, rows), depth)

    def lexical(self, terms: Sequence[WeightedTerm], depth: int, filters: Filters) -> list[Candidate]:
        """Return the `depth` passages with the highest weighted sum of BM25 over the terms, best first."""
        clauses = [(Occur.Should, self._term_query(term)) for term in terms]
        if not clauses:
            return []
        query = Query.boolean_query(clauses)
        if filters:
            query = Query.boolean_query([(Occur.Must, query), *masks(self._schema, filters)])

        asked, searcher = depth + _MARGIN, self._searcher
        while True:
            hits = searcher.search(query, limit=asked, count=False).hits
            if len(hits) < asked or _rounded(hits[-1][0]) < _rounded(hits[depth - 1][0]):
                break
            asked *= 64  # further passages may tie with the last one
        rows = np.array(searcher.fast_field_values("row", [address for _, address in hits]), np.int64)
        scores, places = np.unique([score for score, _ in hits], return_inverse=True)
        rounded = np.array([_rounded(score) for score in scores])
        return self._candidates(rows, rounded[places], depth)

    def cosines(self, vector: NDArray[np.float32], passages: Sequence[Passage]) -> list[float]:
        """Return the cosines of passages that another retriever found, in their order."""
        return self._cosines(vector, [self._row(passage) for passage in passages]).tolist()  # type: ignore[no-any-return]

    def sentence_cosines(self, vector: NDArray[np.float32], rows: Sequence[int]) -> dict[int, SentenceScores]:
        """Return the cosines of the sentences of passages, by row, of those that have several sentences."""
        stored = self._query_many("SELECT row, ranges, vectors FROM sentences WHERE row IN", rows)
        scores, first = cosines(b"".join(vectors for _, _, vectors in stored), vector).tolist(), 0
        scored = {}
        for row, packed, _ in stored:
            ranges = unpack_ranges(packed)
            scored[row] = SentenceScores(tuple(ranges), tuple(scores[first : first + len(ranges)]))
            first += len(ranges)
        return scored

    def sentences_of(self, vector: NDArray[np.float32], passage: Passage) -> SentenceScores | None:
        """Return the cosines of a passage's sentences; None where it has only one."""
        row = self._row(passage)
        return self.sentence_cosines(vector, [row]).get(row)

    def _term_query(self, term: WeightedTerm) -> Query:
        return Query.boost_query(words_query(self._schema, term.kind, term.term.split(" ")), term.weight)

    def count(self, kind: Kind, term: str) -> int:
        """Count the passages that have a term."""
        return int(self._searcher.doc_freq(kind, term))

    def words_spelled_like(self, keys: Collection[str]) -> list[str]:
        """Return the words that may be names and share one of these keys of spelling."""
        rows = self._query_many("SELECT DISTINCT word FROM spellings WHERE key IN", sorted(keys))
        return sorted({word for (word,) in rows})

    def spellings(self) -> set[tuple[str, str]]:
        """Return all keys of spelling, each with each of its words."""
        return set(self._query("SELECT key, word FROM spellings"))

    def words_near(self, word: str, slips: int) -> list[str]:
        """Return words of the passages that differ from a word by so many slips at most, the nearest first.

        A slip is a letter too much, too few or wrong, or two letters in the wrong order. Words that are in
        very many passages may be missing.
        """
        query = Query.fuzzy_term_query(self._schema, "surface", word, distance=slips)
        hits = self._searcher.search(query, limit=_NEAR_PASSAGES, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        packed = self._query_many(
            "SELECT terms.terms FROM passages JOIN terms ON terms.id = terms_id WHERE row IN",
            [int(row) for row in rows if row is not None],
        )
        words = {each for (terms,) in packed for each in unpack_terms(terms)["surface"].split()}
        far = {each: OSA.distance(word, each, score_cutoff=slips) for each in words}
        return sorted((each for each in words if far[each] <= slips), key=lambda each: (far[each], each))

    def words_beginning(self, letters: str) -> dict[str, int]:
        """Return, by word that begins with these letters, how many passages have it."""
        return dict(self._searcher.terms_with_prefix("surface", letters))

    def titles_with(self, words: Sequence[str], begun: str, limit: int) -> list[str]:
        """Return titles with all these words and one that begins with `begun`, of the newest articles first.

        Of very many that match, some are left out.
        """
        if words:
            # Each word is looked up for the documents of the first; a range of words could not be.
            query = "SELECT document_id FROM title_words WHERE word = ?" + "".join(
                " AND EXISTS (SELECT 1 FROM title_words other"
                " WHERE other.word = ? AND other.document_id = title_words.document_id)"
                for _ in words[1:]
            )
            values = sorted(words, key=len, reverse=True)  # a long one is rare more often
        else:
            query = "SELECT DISTINCT document_id FROM title_words WHERE word >= ? AND word < ?"
            values = [begun, f"{begun}\U0010ffff"]
        titles = f"""SELECT title, max(published) FROM documents WHERE id IN ({query} LIMIT {_TITLES_SEEN})
                     GROUP BY title ORDER BY max(published) DESC, title"""
        found = (title for title, _ in self._query(titles, values))
        matching = (title for title in found if any(word.startswith(begun) for word in title_words(title)))
        return list(islice(matching, limit))

    def written(self, word: str) -> str:
        """Return a word as the archive's text writes it, by a passage that has it; itself where none has."""
        query = Query.term_query(self._schema, "surface", word)
        for _, address in self._searcher.search(query, limit=1, count=False).hits:
            rows = self._searcher.fast_field_values("row", [address])
            stored = """SELECT text, start, "end", title
                        FROM passages JOIN documents USING (doc_id) WHERE row = ?"""
            text, start, end, title = self._query(stored, [int(row) for row in rows if row is not None])[0]
            # Sliced here, since SQLite's own substr() stops at a NUL.
            for part in (text[start:end], title):
                for token in tokens(part):
                    if token.kind == "surface" and token.term == word:
                        return str(part[token.start : token.end])
        return word

    def vector(self, passage: Passage) -> NDArray[np.float32]:
        """Return the unit vector of a passage."""
        return self.vectors([self._row(passage)])[0]  # type: ignore[no-any-return]

    def _row(self, passage: Passage) -> int:
        where = "SELECT row FROM passages WHERE doc_id = ? AND number = ?"
        return int(self._query(where, (passage.doc_id, passage.number))[0][0])

    def _cosines(
        self, vector: NDArray[np.float32], rows: NDArray[np.int64] | Sequence[int]
    ) -> NDArray[np.float64]:
        """Return cosines that do not depend on a row's position, unlike those of a matrix product."""
        exact = vector.astype(np.float64)
        parts = [
            (self.vectors(rows[first : first + _VECTORS_AT_ONCE]) * exact).sum(axis=1)
            for first in range(0, len(rows), _VECTORS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def undated(self, filters: Filters) -> int:
        """Count the documents without a date that pass the filters other than those of the date."""
        clauses = tuple(each for each in filters if isinstance(each, Clause))
        where, values = _where(
            each for each in filters if not isinstance(each, Clause) and each.filter.column != DATE_COLUMN
        )
        if clauses:
            where += " AND row IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(self._rows_of(clauses).tolist()))
        query = f"""SELECT COUNT(DISTINCT doc_id) FROM passages JOIN documents USING (doc_id)
                    WHERE published IS NULL AND {where}"""
        return int(self._query(query, values)[0][0])

    def has_value(self, condition: Condition) -> bool:
        """Return whether a passage has the value that a filter for equality asks for."""
        return bool(self._searcher.doc_freq(condition.filter.field, condition.value))

    def label_values(self, field: str) -> Sequence[str]:
        """Return all values of a label of documents, such as the sources, in alphabetical order."""
        if field not in self._label_values:
            query = f"SELECT DISTINCT {field} FROM documents WHERE {field} != '' ORDER BY {field}"
            self._label_values[field] = tuple(value for (value,) in self._query(query))
        return self._label_values[field]

    def labels(self, doc_ids: Sequence[str]) -> dict[str, Labels]:
        """Return the labels of the documents with these ids, by id."""
        rows = self._query_many(
            f"SELECT doc_id, {', '.join(LABELS)} FROM documents WHERE doc_id IN", list(dict.fromkeys(doc_ids))
        )
        return {doc_id: dict(zip(LABELS, values, strict=True)) for doc_id, *values in rows}

    def years(self) -> dict[str | None, int]:
        """Count the documents by year of publication, newest first; None where the date is not known."""
        counted = "SELECT substr(published, 1, 4) AS year, COUNT(*) FROM documents"
        return dict(self._query(f"{counted} GROUP BY year ORDER BY year DESC"))

    @property
    def catalogue(self) -> Catalogue:
        """The lists of the articles."""
        # Made anew each time: the two would refer to each other, and keep the files open.
        return Catalogue(self._query, self._counted)

    def documents(self, doc_ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents with these ids, by id."""
        rows = self._query_many(
            f"SELECT {_DOCUMENT} FROM documents WHERE doc_id IN", list(dict.fromkeys(doc_ids))
        )
        return {row[0]: document_of(row) for row in rows}

    def article(self, doc_id: str) -> SplitDocument | None:
        """Return a document with all its passages and cuts; None where the index does not hold it.

        The last one is remembered: a long article is read in parts.
        """
        last = self._last_article
        if last and last.document.doc_id == doc_id:
            return last
        document = self.documents([doc_id]).get(doc_id)
        if document is None:
            return None
        rows = self._query(f"SELECT {_PASSAGE} FROM passages WHERE doc_id = ? ORDER BY number", (doc_id,))
        cuts = self._query(
            'SELECT line, start, "end", rule, articles FROM cuts WHERE doc_id = ? ORDER BY line', (doc_id,)
        )
        article = SplitDocument(
            document, tuple(Passage(*row) for row in rows), tuple(Cut(*cut) for cut in cuts)
        )
        self._last_article = article
        return article

    def _candidates(
        self, rows: NDArray[np.int64], scores: NDArray[np.float64], depth: int
    ) -> list[Candidate]:
        """Return the `depth` best of these rows, best first; ties are broken by id and number."""
        if len(rows) > 2 * depth:  # very many ties, of which few will be shown
            best = np.lexsort((self._places[rows], -scores))[:depth]
            rows, scores = rows[best], scores[best]
        score_of = dict(zip(rows.tolist(), scores.tolist(), strict=True))
        stored = self._query_many(
            f"SELECT row, duplicate_key, {_PASSAGE} FROM passages WHERE row IN", list(score_of)
        )
        candidates = [
            Candidate(Passage(*passage), score_of[row], duplicate_key, row)
            for row, duplicate_key, *passage in stored
        ]
        candidates.sort(
            key=lambda candidate: (-candidate.score, candidate.passage.doc_id, candidate.passage.number)
        )
        return candidates[:depth]

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        """The place of each row in the order of document id and number."""
        ordered = [row for (row,) in self._query("SELECT row FROM passages ORDER BY doc_id, number")]
        places = np.empty(len(ordered), np.int32)
        places[ordered] = np.arange(len(ordered), dtype=np.int32)
        return places

    def _rows_of(self, filters: Filters) -> Any:
        if filters not in self._rows:
            if any(isinstance(each, Clause) for each in filters):
                rows = self._rows_with_words(filters)
            else:
                where, values = _where(filters)
                query = f"SELECT row FROM passages JOIN documents USING (doc_id) WHERE {where}"
                rows = np.array([row for (row,) in self._query(query, values)], np.int64)
            if len(self._rows) >= _FILTERS_KEPT:
                self._rows = {}
            self._rows[filters] = rows
        return self._rows[filters]

    def _rows_with_words(self, filters: Filters) -> NDArray[np.int64]:
        query = Query.boolean_query([(Occur.Must, Query.all_query()), *masks(self._schema, filters)])
        searcher = self._searcher
        hits = searcher.search(query, limit=max(1, self.manifest.passages), count=False).hits
        return np.array(searcher.fast_field_values("row", [address for _, address in hits]), np.int64)

    def _query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._articles.execute(sql, values).fetchall()

    def _query_many(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        rows = []
        for first in range(0, len(values), _AT_ONCE):
            batch = values[first : first + _AT_ONCE]
            rows += self._query(f"{sql} ({','.join('?' * len(batch))})", batch)
        return rows


def _open_articles(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(read_only(path), uri=True, check_same_thread=False)
    try:
        check_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_vectors(path: Path) -> Any:
    """Return the index of vectors, in memory if it is small, and otherwise mapped."""
    mapped = path.stat().st_size > IN_MEMORY
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)


def _rounded(score: float) -> float:
    return float(f"{score:.{_DIGITS}g}")


def _where(filters: Iterable[Any]) -> tuple[str, list[str]]:
    """Return filters as an SQL condition over passages joined with documents, and its values."""
    filters = list(filters)
    conditions = [f"{filter_.column} {OPERATORS[filter_.comparison]} ?" for filter_, _ in filters]
    return " AND ".join(conditions) or "TRUE", [value for _, value in filters]
