"""The write side of the embedded store: one generation's files, from nothing or from the one before.

What is taken over from the generation before is linked or copied, never opened for writing in its
place. New passages take the rows after those that are kept.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datatypes import Article, Document, FailedFile, RepeatedLine
from ..text.analysis import KINDS, Token, tokens
from .base import SeenFile
from .disk import copy_file, link_or_copy
from .embedded import EmbeddedStore
from .schema import (
    ARTICLES,
    TABLES,
    TERMS,
    VECTORS,
    as_number,
    connect,
    copy_key,
    folded_key,
    packed,
    terms_index,
    unpacked,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPEATED_LISTED = 100  # repeated lines in a report; the index knows all of them
NOTES_LISTED = 1_000
_TERMS_MEMORY = 64_000_000  # bytes, Tantivy's buffer
_UNUSED = 0.25  # of a database's pages, beyond which it is packed


@dataclass(frozen=True, slots=True)
class Entry:
    """An article for the index, with what the next build must know of it."""

    article: Article
    digest: bytes = b""
    """Of the document before anything was cut: what makes it another one."""
    longest: int = 0
    """The key of its longest lines, equal for copies."""
    lines: Collection[int] = ()
    """The keys of its lines."""
    cut_keys: Mapping[int, int] = field(default_factory=dict)
    """The key of each line that was cut since many articles have it, by its number."""


class EmbeddedWriter:
    """Write one generation's files into an empty folder: articles first, then vectors, then finish.

    With `base` it begins with all that this generation holds, but for the documents in `dropped`.
    """

    def __init__(
        self, folder: Path, base: EmbeddedStore | None = None, dropped: Collection[str] = ()
    ) -> None:
        self.folder, self._base = folder, base
        self.linked: dict[str, str] = {}
        """The sha256 of the files that are shared with `base`, by name."""
        import tantivy

        self._document = tantivy.Document
        (folder / TERMS).mkdir()
        self._holes: Sequence[int] = ()
        self._fillers: Sequence[int] = ()
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
        with _said_as_oserror():
            self._terms = terms_index(folder / TERMS).writer(_TERMS_MEMORY, num_threads=1)
        if base and dropped:
            self._index_kept()

    def _link_terms(self, base: EmbeddedStore) -> None:
        """Begin with all terms of `base`: Tantivy's segments are never changed, so they are linked."""
        for name, sha256 in base.manifest.files.items():
            if name.startswith(f"{TERMS}/"):
                if name.endswith(".json"):  # which Tantivy replaces
                    copy_file(base.folder / name, self.folder / name)
                elif link_or_copy(base.folder / name, self.folder / name):
                    self.linked[name] = sha256

    def take(self, path: Path) -> Path:
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
        run(f"""CREATE TEMP TABLE unfolded AS SELECT folded FROM passages WHERE {gone}""")
        run(f"DELETE FROM lines WHERE document IN (SELECT number FROM documents WHERE {gone})")
        for table in ("passages", "cuts", "documents"):
            run(f"DELETE FROM {table} WHERE {gone}")
        run("""DELETE FROM folded
               WHERE number IN (SELECT folded FROM unfolded EXCEPT SELECT folded FROM passages)""")
        kept = self._number("SELECT COUNT(*) FROM passages")
        self._holes = [row for row in free if row < kept]
        last = run("SELECT row FROM passages WHERE row >= ? ORDER BY row", (kept,)).fetchall()
        self._fillers = [row for (row,) in last]
        self._articles.executemany(
            "UPDATE passages SET row = ? WHERE row = ?", zip(self._holes, self._fillers, strict=True)
        )
        run("DROP TABLE dropped")
        run("DROP TABLE unfolded")
        self._articles.commit()
        pages, unused = (self._number(f"PRAGMA {name}") for name in ("page_count", "freelist_count"))
        if unused > pages * _UNUSED:
            run("VACUUM")

    def _index_kept(self) -> None:
        """Write the term index anew from the terms that are kept: Tantivy would count deleted ones."""
        rows = self._articles.execute(
            """SELECT row, passages.lang, source, published, terms
               FROM passages JOIN documents USING (doc_id) JOIN folded ON folded.number = folded
               ORDER BY row"""
        )
        for row, lang, source, published, terms in rows:
            self._add_terms(row, lang, source, published, unpacked(terms))

    def add(
        self,
        entry: Entry,
        vector_keys: Sequence[bytes],
        fold: Callable[[str], Sequence[Token]] = tokens,
    ) -> None:
        """Append an article with the vector key of each of its passages."""
        document = entry.article.document
        number = self._articles.execute(
            "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document.doc_id, document.title, document.text, document.source, document.lang,
             document.published, _metadata(document), document.metadata.get("path"), entry.digest,
             entry.longest),
        ).lastrowid  # fmt: skip
        self._articles.executemany(
            "INSERT INTO cuts VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((document.doc_id, cut.line, cut.start, cut.end, cut.rule, cut.articles,
              entry.cut_keys.get(cut.line)) for cut in entry.article.cuts),
        )  # fmt: skip
        source = self._source(document.source)
        self._articles.executemany(
            "INSERT INTO lines VALUES (?, ?, ?)", ((source, line, number) for line in entry.lines)
        )
        for passage, key in zip(entry.article.passages, vector_keys, strict=True):
            text = document.text[passage.start : passage.end]
            folded, terms = self._folded(text, fold)
            self._articles.execute(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self.rows, passage.doc_id, passage.ordinal, passage.start, passage.end,
                 passage.line_start, passage.line_end, passage.lang, copy_key(text), key, folded),
            )  # fmt: skip
            self._add_terms(self.rows, passage.lang, document.source, document.published, unpacked(terms))
            self.rows += 1

    def _folded(self, text: str, fold: Callable[[str], Sequence[Token]]) -> tuple[int, bytes]:
        """Return the terms of a text, which are kept from here on, with the number they are kept under."""
        key = folded_key(text)
        found = self._articles.execute("SELECT number, terms FROM folded WHERE key = ?", (key,)).fetchone()
        if found:
            return int(found[0]), bytes(found[1])
        terms = (self._base and self._base.folded(key)) or packed(fold(text))
        added = self._articles.execute("INSERT INTO folded VALUES (NULL, ?, ?)", (key, terms))
        return int(added.lastrowid or 0), terms

    def _add_terms(
        self, row: int, lang: str, source: str, published: str | None, terms: Mapping[Any, str]
    ) -> None:
        entry = self._document()
        for kind in KINDS:
            entry.add_text(kind, terms[kind])
        entry.add_text("lang", lang)
        entry.add_text("source", source)
        if published:
            entry.add_unsigned("published", as_number(published))
        entry.add_unsigned("row", row)
        with _said_as_oserror():
            self._terms.add_document(entry)

    def touch(self, document: Document) -> None:
        """Have a document that is kept say what its file is now; its text is as it was."""
        self._articles.execute(
            "UPDATE documents SET metadata = ? WHERE doc_id = ?", (_metadata(document), document.doc_id)
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

    def set_repeated(self, source: str, articles: int, counts: Mapping[int, int]) -> None:
        """Note how many articles a source has, and the lines that many have: in how many, by key."""
        number = self._source(source)
        self._articles.execute("UPDATE sources SET articles = ? WHERE number = ?", (articles, number))
        self._articles.execute("DELETE FROM repeated WHERE source = ?", (number,))
        self._articles.executemany(
            "INSERT INTO repeated VALUES (?, ?, ?)", ((number, *each) for each in counts.items())
        )
        self._articles.execute(
            """UPDATE cuts SET articles = (SELECT articles FROM repeated WHERE source = ? AND line = key)
               WHERE key IS NOT NULL AND doc_id IN (SELECT doc_id FROM documents WHERE source = ?)""",
            (number, source),
        )

    def _source(self, name: str) -> int:
        run = self._articles.execute
        run("INSERT OR IGNORE INTO sources (name, articles) VALUES (?, 0)", (name,))
        return int(run("SELECT number FROM sources WHERE name = ?", (name,)).fetchone()[0])

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

    def content(self) -> dict[str, Any]:
        """Return what the manifest tells of the articles, by its names."""
        cut = self._counts("SELECT rule, COUNT(*) FROM cuts GROUP BY rule ORDER BY COUNT(*) DESC, rule")
        left_out = self._number("SELECT SUM(json_extract(metadata, '$.left_out')) FROM documents")
        if left_out:
            cut["page"] = left_out
        return {
            "documents": self._number("SELECT COUNT(*) FROM documents"),
            "passages": self.rows,
            "languages": self._counts(
                "SELECT lang, COUNT(*) FROM passages GROUP BY lang ORDER BY COUNT(*) DESC, lang"
            ),
            "sources": self._counts(
                "SELECT source, COUNT(*) FROM documents GROUP BY source ORDER BY COUNT(*) DESC, source"
            ),
            "undated": self._number("SELECT COUNT(*) FROM documents WHERE published IS NULL"),
            "failed": self._listed(
                FailedFile,
                """SELECT record, reason FROM (
                       SELECT path, path AS record, reason, 0 AS at FROM files WHERE reason IS NOT NULL
                       UNION ALL SELECT path, record, reason, rowid FROM failures) ORDER BY path, at""",
            ),
            "notes": self._listed(
                FailedFile,
                f"""SELECT doc_id, json_extract(metadata, '$.notes') AS note FROM documents
                    WHERE note IS NOT NULL
                    ORDER BY path, CAST(json_extract(metadata, '$.record') AS INTEGER)
                    LIMIT {NOTES_LISTED}""",
            ),
            "cut": cut,
            "repeated": self._listed(
                RepeatedLine,
                f"""SELECT source, articles, MIN(doc_id) AS first, line
                    FROM cuts JOIN documents USING (doc_id) WHERE key IS NOT NULL GROUP BY source, key
                    ORDER BY articles DESC, first, line LIMIT {REPEATED_LISTED}""",
            ),
        }

    def _number(self, query: str) -> int:
        return int(self._articles.execute(query).fetchone()[0] or 0)

    def _counts(self, query: str) -> dict[str, int]:
        return dict(self._articles.execute(query).fetchall())

    def _listed(self, kind: type[Any], query: str) -> list[dict[str, Any]]:
        names = kind.__dataclass_fields__
        return [dict(zip(names, row, strict=True)) for row in self._articles.execute(query)]

    def finish(self, dimension: int, vectors: "Iterable[NDArray[np.float32]]") -> None:
        """Write the vectors, those of the new rows in order and in as many arrays as suits, and close."""
        import faiss

        if self._base:
            # Into memory: what is mapped is the earlier generation's own file.
            index = faiss.read_index(str(self._base.folder / VECTORS))
            if self._holes:
                vectors_of = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * dimension)
                by_row = vectors_of.reshape(index.ntotal, dimension)
                by_row[self._holes] = by_row[self._fillers]
            index.remove_ids(faiss.IDSelectorRange(self.first_new, index.ntotal))
        else:
            index = faiss.IndexFlatIP(dimension)
        for some in vectors:
            index.add(some)
        if index.ntotal != self.rows:
            raise AssertionError(f"{index.ntotal} vectors for {self.rows} passages")
        with _said_as_oserror():
            faiss.write_index(index, str(self.folder / VECTORS))
            self._terms.commit()
            self._terms.wait_merging_threads()
        # Of many small segments Tantivy makes one, and removes them.
        self.linked = {name: sha256 for name, sha256 in self.linked.items() if (self.folder / name).exists()}
        run = self._articles.execute
        run("DELETE FROM sources WHERE name NOT IN (SELECT source FROM documents)")
        run("DELETE FROM repeated WHERE source NOT IN (SELECT number FROM sources)")
        self._articles.commit()
        self._articles.close()


def _metadata(document: Document) -> str:
    return json.dumps(dict(document.metadata), ensure_ascii=False)


@contextmanager
def _said_as_oserror() -> Iterator[None]:
    """Raise as OSError what FAISS and Tantivy say in their own ways when they cannot write."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise OSError(str(error)) from error
