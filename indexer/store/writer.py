"""The writer of one generation's files, from nothing or from the generation before.

Files of the generation before are linked or copied, and never opened for writing in place. New passages
take the rows after the passages that are carried over.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
    title_words,
    unpack_terms,
)
from indexer.store.sentence_vectors import KEY_BYTES, pack_ranges, pack_vectors, unpack_keys, unpack_ranges
from indexer.text.analysis import KINDS, Token, tokens
from indexer.text.analysis import terms as terms_of
from indexer.text.names import may_be_name, spelling_keys
from indexer.text.passages import searched_text
from indexer.text.sentences import Range

REPEATED_LISTED = 100  # repeated lines in a report; the index knows all of them
NOTES_LISTED = 1_000
TITLE_LENGTHS = 20, 90  # code points of a title that is an example of a question
_TERMS_MEMORY = 64_000_000  # bytes of Tantivy's write buffer
_FREE_SHARE = 0.25  # share of unused pages in the database above which it is vacuumed


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """An article that is ready for the index, with the facts about it that the next build needs."""

    article: SplitDocument
    digest: bytes = b""
    """Digest of the document before cutting; it differs where the document has changed."""
    longest_lines_key: int = 0
    """The key of its longest lines, equal for copies."""
    line_keys: Collection[int] = ()
    repeated_line_keys: Mapping[int, int] = field(default_factory=dict)
    """The key of each line that was cut because many articles share it, by line number."""


class Sentences(NamedTuple):
    """The sentences of one passage: their ranges within it, and the keys of their vectors."""

    ranges: Sequence[Range]
    keys: Sequence[bytes]


class PassageKeys(NamedTuple):
    """The keys of the vectors of a passage: of its text, of the title if it counts, and of its sentences."""

    text: bytes
    title: bytes | None = None
    sentences: Sentences = Sentences((), ())


class TitledPassage(NamedTuple):
    """The first passage of several sentences of an article, with the title that counts for it."""

    doc_id: str
    title: str
    source: str
    title_key: bytes
    text: str
    ranges: bytes
    vectors: bytes


Part = Literal["passage", "title", "sentence"]


class NewText(NamedTuple):
    """A text that needs a vector: a passage, its article's title, or the range of a sentence in it."""

    key: bytes
    row: int
    part: Part
    start: int
    end: int


class GenerationWriter:
    """Write the files of one generation into an empty folder: articles first, then vectors by `finish`.

    With `base`, begin with the content of that generation, without the documents whose ids are `dropped`.
    """

    def __init__(
        self, folder: Path, base: GenerationReader | None = None, dropped: Collection[str] = ()
    ) -> None:
        self.folder, self._base = folder, base
        self.linked: dict[str, str] = {}
        """The sha256 of the files that are shared with `base`, by name."""
        (folder / TERMS).mkdir()
        self._spelled: set[str] = set()  # words whose keys of spelling are stored
        self._freed_rows: Sequence[int] = ()
        self._moved_rows: Sequence[int] = ()
        self._last_read: tuple[str, str, str] | None = None  # id, title and text of a document
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
            self._reindex_terms()

    def _link_terms(self, base: GenerationReader) -> None:
        """Begin with all terms of `base`; the files are linked, since Tantivy never changes a segment."""
        for name, sha256 in base.manifest.files.items():
            if name.startswith(f"{TERMS}/"):
                if name.endswith(".json"):  # Tantivy replaces these files
                    copy_file(base.folder / name, self.folder / name)
                elif link_or_copy(base.folder / name, self.folder / name):
                    self.linked[name] = sha256

    def carry_over(self, path: Path) -> Path:
        """Link or copy a file of `base` into this generation; returns its new path."""
        assert self._base
        if link_or_copy(path, self.folder / path.name):
            self.linked[path.name] = self._base.manifest.files[path.name]
        return self.folder / path.name

    def _drop(self, dropped: Collection[str]) -> None:
        """Remove documents, and move the last passages to the freed rows, so that few passages move."""
        run = self._articles.execute
        run("CREATE TEMP TABLE dropped (doc_id TEXT PRIMARY KEY)")
        self._articles.executemany("INSERT INTO dropped VALUES (?)", ((doc_id,) for doc_id in dropped))
        is_dropped = "doc_id IN (SELECT doc_id FROM dropped)"
        dropped_rows = [row for (row,) in run(f"SELECT row FROM passages WHERE {is_dropped} ORDER BY row")]
        run(f"""CREATE TEMP TABLE unused_terms AS SELECT terms_id FROM passages WHERE {is_dropped}""")
        for table in ("lines", "title_words"):
            run(f"DELETE FROM {table} WHERE document_id IN (SELECT id FROM documents WHERE {is_dropped})")
        run(f"DELETE FROM sentences WHERE row IN (SELECT row FROM passages WHERE {is_dropped})")
        for table in ("passages", "cuts", "documents"):
            run(f"DELETE FROM {table} WHERE {is_dropped}")
        run("""DELETE FROM terms
               WHERE id IN (SELECT terms_id FROM unused_terms EXCEPT SELECT terms_id FROM passages)""")
        remaining = self._number("SELECT COUNT(*) FROM passages")
        self._freed_rows = [row for row in dropped_rows if row < remaining]
        last_passages = run("SELECT row FROM passages WHERE row >= ? ORDER BY row", (remaining,)).fetchall()
        self._moved_rows = [row for (row,) in last_passages]
        moves = list(zip(self._freed_rows, self._moved_rows, strict=True))
        for table in ("passages", "sentences"):
            self._articles.executemany(f"UPDATE {table} SET row = ? WHERE row = ?", moves)
        run("DROP TABLE dropped")
        run("DROP TABLE unused_terms")
        self._articles.commit()
        pages, unused = (self._number(f"PRAGMA {name}") for name in ("page_count", "freelist_count"))
        if unused > pages * _FREE_SHARE:
            run("VACUUM")

    def _reindex_terms(self) -> None:
        """Write a new term index from the terms of the remaining passages.

        After deletions in the old one, Tantivy's statistics would still count the deleted entries.
        """
        rows = self._articles.execute(
            f"""SELECT row, passages.lang, title, {", ".join(f"documents.{name}" for name in LABELS)},
                       terms.terms
                FROM passages JOIN documents USING (doc_id) JOIN terms ON terms.id = terms_id
                ORDER BY row"""
        )
        for row, lang, title, *labels, packed in rows:
            terms = unpack_terms(packed)
            self._spelled.update(terms["surface"].split())
            self._add_terms(row, {"lang": lang, **dict(zip(LABELS, labels, strict=True))}, terms, title)
        stored = {word for (word,) in self._articles.execute("SELECT DISTINCT word FROM spellings")}
        self._articles.executemany(
            "DELETE FROM spellings WHERE key = ? AND word = ?",
            ((key, word) for word in stored - self._spelled for key in spelling_keys(word)),
        )

    def add(
        self,
        prepared: PreparedArticle,
        vectors: Sequence[PassageKeys],
        analyze: Callable[[str], Sequence[Token]] = tokens,
    ) -> None:
        """Append an article, with the keys of the vectors of each of its passages."""
        document = prepared.article.document
        values = (*document_values(document), prepared.digest, prepared.longest_lines_key)
        document_id = self._articles.execute(
            f"INSERT INTO documents VALUES (NULL, {', '.join('?' * len(values))})", values
        ).lastrowid
        self._articles.executemany(
            "INSERT INTO title_words VALUES (?, ?)",
            ((word, document_id) for word in title_words(document.title)),
        )
        self._articles.executemany(
            "INSERT INTO cuts VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((document.doc_id, cut.line, cut.start, cut.end, cut.rule, cut.articles,
              prepared.repeated_line_keys.get(cut.line)) for cut in prepared.article.cuts),
        )  # fmt: skip
        source = self._source_id(document.source)
        labels = {name: getattr(document, name) for name in LABELS}
        self._articles.executemany(
            "INSERT INTO lines VALUES (?, ?, ?)", ((source, key, document_id) for key in prepared.line_keys)
        )
        first = self.rows
        self._articles.executemany(
            "INSERT INTO sentences VALUES (?, ?, ?, NULL)",
            ((row, pack_ranges(keys.sentences.ranges), b"".join(keys.sentences.keys))
             for row, keys in enumerate(vectors, first) if len(keys.sentences.ranges) > 1),
        )  # fmt: skip
        for passage, keys in zip(prepared.article.passages, vectors, strict=True):
            text = document.text[passage.start : passage.end]
            terms_id, terms = self._terms_of(searched_text(document, passage), analyze)
            self._articles.execute(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self.rows, passage.doc_id, passage.number, passage.start, passage.end,
                 passage.line_start, passage.line_end, passage.lang, duplicate_key(text),
                 keys.text, keys.title, terms_id),
            )  # fmt: skip
            by_kind = unpack_terms(terms)
            self._add_spellings(by_kind["surface"])
            self._add_terms(self.rows, {"lang": passage.lang, **labels}, by_kind, document.title)
            self.rows += 1

    def _terms_of(self, text: str, analyze: Callable[[str], Sequence[Token]]) -> tuple[int, bytes]:
        """Store the terms of a text unless they are stored already; returns their id and the packed terms."""
        key = terms_key(text)
        stored = self._articles.execute("SELECT id, terms FROM terms WHERE key = ?", (key,)).fetchone()
        if stored:
            return int(stored[0]), bytes(stored[1])
        terms = (self._base and self._base.terms_of(key)) or pack_terms(analyze(text))
        inserted = self._articles.execute("INSERT INTO terms VALUES (NULL, ?, ?)", (key, terms))
        return int(inserted.lastrowid or 0), terms

    def _add_terms(self, row: int, labels: Labels, terms: Mapping[Any, str], title: str) -> None:
        entry = tantivy.Document()
        for kind in KINDS:
            entry.add_text(kind, terms[kind])
        entry.add_text("title", _title_terms(title))
        for filter_ in EQUAL_FILTERS:
            entry.add_text(filter_.field, labels[filter_.field] or "")
        if published := labels["published"]:
            entry.add_unsigned("published", day_number(published))
        entry.add_unsigned("row", row)
        with _raise_as_oserror():
            self._terms.add_document(entry)

    def _add_spellings(self, surfaces: str) -> None:
        """Store the keys of those words that may be names."""
        new = set(surfaces.split()) - self._spelled
        self._spelled |= new
        self._articles.executemany(
            "INSERT OR IGNORE INTO spellings VALUES (?, ?)",
            ((key, word) for word in new if may_be_name(word) for key in spelling_keys(word)),
        )

    def update_metadata(self, document: Document) -> None:
        """Update the metadata of a document that is carried over; its text has not changed."""
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
        """Record the state of all files of the archive, by path.

        `failures` are the refused records: path of the file, name of the record, and reason.
        """
        self._articles.execute("DELETE FROM files")
        self._articles.execute("DELETE FROM failures")
        self._articles.executemany(
            "INSERT INTO files VALUES (?, ?, ?, ?)", ((path, *state) for path, state in files.items())
        )
        self._articles.executemany("INSERT INTO failures VALUES (?, ?, ?)", failures)

    def set_repeated_lines(self, source: str, articles: int, counts: Mapping[int, int]) -> None:
        """Record the number of articles of a source and, by line key, of those with each repeated line."""
        source_id = self._source_id(source)
        self._articles.execute("UPDATE sources SET articles = ? WHERE id = ?", (articles, source_id))
        self._articles.execute("DELETE FROM repeated_lines WHERE source_id = ?", (source_id,))
        self._articles.executemany(
            "INSERT INTO repeated_lines VALUES (?, ?, ?)",
            ((source_id, line_key, count) for line_key, count in counts.items()),
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

    def new_keys(self) -> list[tuple[bytes, bytes | None]]:
        """Return the keys of the added passages and of their titles, by row."""
        query = "SELECT vector_key, title_key FROM passages WHERE row >= ? ORDER BY row"
        return self._articles.execute(query, (self.first_new,)).fetchall()

    def count_new_texts(self) -> int:
        """Count the texts of `new_texts`."""
        added = f"FROM passages WHERE row >= {self.first_new}"
        sentences = f"SELECT SUM(length(keys)) / {KEY_BYTES} FROM sentences WHERE row >= {self.first_new}"
        return self._number(f"SELECT COUNT(*) + COUNT(title_key) {added}") + self._number(sentences)

    def new_texts(self, at_once: int) -> Iterator[list[NewText]]:
        """Yield the added passages with their titles and sentences, those of `at_once` passages together.

        A text comes once for each passage that it is a part of.
        """
        passages = """SELECT row, vector_key, title_key, "end" - start FROM passages
                      WHERE row >= ? AND row < ? ORDER BY row"""
        for first in range(self.first_new, self.rows, at_once):
            texts = list[NewText]()
            for row, key, title_key, length in self._articles.execute(passages, (first, first + at_once)):
                texts.append(NewText(key, row, "passage", 0, length))
                if title_key:
                    texts.append(NewText(title_key, row, "title", 0, 0))
            for row, sentences in self.new_sentences(first, first + at_once):
                texts += [
                    NewText(key, row, "sentence", start, end)
                    for key, (start, end) in zip(sentences.keys, sentences.ranges, strict=True)
                ]
            yield texts

    def new_sentences(self, first: int, end: int) -> list[tuple[int, Sentences]]:
        """Return row and sentences of the added passages between two rows that have several."""
        query = "SELECT row, ranges, keys FROM sentences WHERE row >= ? AND row < ? ORDER BY row"
        return [
            (row, Sentences(unpack_ranges(ranges), unpack_keys(keys)))
            for row, ranges, keys in self._articles.execute(query, (max(first, self.first_new), end))
        ]

    def set_sentence_vectors(self, vectors: Iterable[tuple[int, NDArray[np.float32]]]) -> None:
        """Store the vectors (n, d) of the sentences of passages, by row."""
        self._articles.executemany(
            "UPDATE sentences SET vectors = ? WHERE row = ?",
            ((pack_vectors(of_passage), row) for row, of_passage in vectors),
        )

    def titled_passages(self, lang: str, limit: int) -> list[TitledPassage]:
        """Return passages of different articles in a language, in an order that only their titles decide."""
        shortest, longest = TITLE_LENGTHS
        return [
            TitledPassage(doc_id, title, source, title_key, text[start:end], ranges, vectors)
            for doc_id, title, source, title_key, text, start, end, ranges, vectors in self._articles.execute(
                # Chosen before any text is read, or the texts of all articles would be sorted.
                """SELECT doc_id, title, source, title_key, text, start, "end", ranges, vectors
                   FROM (SELECT doc_id, row, title_key, start, "end"
                         FROM (SELECT doc_id, MIN(number), row, title_key, start, "end"
                               FROM passages JOIN sentences USING (row)
                               WHERE title_key IS NOT NULL AND passages.lang = ? GROUP BY doc_id)
                         JOIN documents USING (doc_id) JOIN sentences USING (row)
                         WHERE length(title) BETWEEN ? AND ? AND vectors IS NOT NULL
                         ORDER BY title_key, doc_id LIMIT ?)
                   JOIN documents USING (doc_id) JOIN sentences USING (row)
                   ORDER BY title_key, doc_id""",
                (lang, shortest, longest, limit),
            )
        ]

    def texts(self, wanted: Sequence[NewText]) -> list[str]:
        """Return texts of `new_texts`; a long document is read once for all of its passages."""
        found = dict[NewText, str]()
        for new in sorted(wanted, key=lambda new: new.row):
            doc_id, start = self._articles.execute(
                "SELECT doc_id, start FROM passages WHERE row = ?", (new.row,)
            ).fetchone()
            title, text = self._title_and_text(doc_id)
            # Sliced here, since SQLite's own substr() stops at a NUL.
            found[new] = title if new.part == "title" else text[start + new.start : start + new.end]
        return [found[new] for new in wanted]

    def _title_and_text(self, doc_id: str) -> tuple[str, str]:
        if self._last_read is None or self._last_read[0] != doc_id:
            query = "SELECT doc_id, title, text FROM documents WHERE doc_id = ?"
            self._last_read = self._articles.execute(query, (doc_id,)).fetchone()
        assert self._last_read
        return self._last_read[1:]

    def digests(self) -> dict[str, bytes]:
        """Return the digest of every document, by id."""
        return dict(self._articles.execute("SELECT doc_id, digest FROM documents"))

    def content(self) -> GenerationContent:
        """Return the counts and lists for the manifest."""
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
        """Write the vectors and close the files.

        `vectors` yields those of the added passages in the order of their rows, in arrays of any length.
        """
        if self._base:
            # Read into memory: a mapped file would be the earlier generation's own, which must not change.
            index = faiss.read_index(str(self._base.folder / VECTORS))
            if self._freed_rows:
                coordinates = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * dimension)
                by_row = coordinates.reshape(index.ntotal, dimension)
                by_row[self._freed_rows] = by_row[self._moved_rows]
            index.remove_ids(faiss.IDSelectorRange(self.first_new, index.ntotal))
        else:
            index = faiss.IndexFlatIP(dimension)
        for batch in vectors:
            index.add(batch)
        if index.ntotal != self.rows:
            raise AssertionError(f"{index.ntotal} vectors for {self.rows} passages")
        with _raise_as_oserror():
            faiss.write_index(index, str(self.folder / VECTORS))
            self._terms.commit()
            self._terms.wait_merging_threads()
        # Tantivy merges small segments and removes their files, which are then not shared any more.
        self.linked = {name: sha256 for name, sha256 in self.linked.items() if (self.folder / name).exists()}
        run = self._articles.execute
        run("DELETE FROM sources WHERE name NOT IN (SELECT source FROM documents)")
        run("DELETE FROM repeated_lines WHERE source_id NOT IN (SELECT id FROM sources)")
        self._articles.commit()
        self._articles.close()


@lru_cache(1_024)
def _title_terms(title: str) -> str:
    return " ".join(terms_of(title, "stem"))


@contextmanager
def _raise_as_oserror() -> Iterator[None]:
    """Raise as OSError the errors by which FAISS and Tantivy report that they cannot write."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise OSError(str(error)) from error
