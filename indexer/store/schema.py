"""The files of a generation, as the writer writes them and the reader reads them.

articles.sqlite   articles, their passages and cut lines, and the state of the archive's files and lines
vectors.faiss     the vectors of the passages, by row
terms/            Tantivy's index of the terms of the passages, by row
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import tantivy

from indexer.datatypes import Document, SourceFile
from indexer.request import EQUAL_FILTERS, FILTERS
from indexer.settings import ANALYSIS_VERSION
from indexer.text.analysis import KINDS, Kind, Token, is_function_word, terms
from indexer.text.names import without_article

ARTICLES, VECTORS, TERMS = "articles.sqlite", "vectors.faiss", "terms"

TABLES = """
CREATE TABLE files (path TEXT PRIMARY KEY, sha256 TEXT, reason TEXT, sidecar_hash TEXT);
CREATE TABLE failures (path TEXT, record TEXT, reason TEXT);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, doc_id TEXT UNIQUE, title TEXT, text TEXT, source TEXT, lang TEXT, published TEXT,
    path TEXT, sha256 TEXT, basis TEXT, encoding TEXT, record INTEGER, author TEXT, url TEXT, notes TEXT,
    left_out INTEGER, digest BLOB, longest_lines_key INTEGER);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, doc_id TEXT, number INTEGER, start INTEGER, "end" INTEGER,
    line_start INTEGER, line_end INTEGER, lang TEXT, duplicate_key BLOB,
    vector_key BLOB, title_key BLOB, terms_id INTEGER, UNIQUE (doc_id, number));
CREATE TABLE sentences (row INTEGER PRIMARY KEY, ranges BLOB, keys BLOB, vectors BLOB);
CREATE TABLE terms (id INTEGER PRIMARY KEY, key BLOB UNIQUE, terms BLOB);
CREATE TABLE spellings (key TEXT, word TEXT, PRIMARY KEY (key, word)) WITHOUT ROWID;
CREATE TABLE title_words (
    word TEXT, document_id INTEGER, PRIMARY KEY (word, document_id)) WITHOUT ROWID;
CREATE TABLE cuts (
    doc_id TEXT, line INTEGER, start INTEGER, "end" INTEGER, rule TEXT, articles INTEGER, line_key INTEGER,
    PRIMARY KEY (doc_id, line)) WITHOUT ROWID;
CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT UNIQUE, articles INTEGER);
CREATE TABLE lines (
    source_id INTEGER, line_key INTEGER, document_id INTEGER,
    PRIMARY KEY (source_id, line_key, document_id)) WITHOUT ROWID;
CREATE TABLE repeated_lines (
    source_id INTEGER, line_key INTEGER, articles INTEGER, PRIMARY KEY (source_id, line_key)) WITHOUT ROWID;
CREATE INDEX passages_by_lang ON passages (lang);
CREATE INDEX documents_by_source ON documents (source, doc_id, lang, author, published);
CREATE INDEX documents_by_title ON documents (title, doc_id, lang, source, author, published);
CREATE INDEX documents_by_date ON documents (
    coalesce(published, '') DESC, doc_id, lang, source, author, published);
CREATE INDEX documents_by_author ON documents (author);
CREATE INDEX documents_by_path ON documents (path);
"""
# `title_key` is the key of the title's vector, NULL where no title is added (embedding/titles.py).
# `sentences` has the passages of two sentences or more, by the row of the passage: ranges within the passage,
# and the key and the vector of each sentence (sentence_vectors.py). A single sentence is its passage.
# `spellings` has the words of the passages that may be names, by the keys of their spellings (text/names.py).
# The indexes by source, title and date hold all that lists of articles filter and count by: no text is read.
# `title_words` has the words of the titles, those with the article also without it, for completing questions.
# `line_key` is a hash of a line, made with a secret (line_secret.py). `repeated_lines` holds the lines that
# are cut because enough articles of a source share them. `articles` counts the articles that share a line;
# in `sources` it counts all articles of the source.

DOCUMENT_COLUMNS = (
    "doc_id", "title", "text", "source", "lang", "published", "path", "sha256", "basis", "encoding",
    "record", "author", "url", "notes", "left_out",
)  # fmt: skip
"""The columns that make a Document, in the order of `document_values`."""


LABELS = tuple(dict.fromkeys(filter_.field for filter_ in FILTERS if filter_.column.startswith("documents.")))
"""The columns of documents that filters compare and facets count."""


OPERATORS = {"equal": "=", "at_least": ">=", "at_most": "<="}
"""The operators of SQL, by the comparison of a filter."""


def document_values(document: Document) -> tuple[Any, ...]:
    """Return the values of `DOCUMENT_COLUMNS`."""
    file = document.file
    return (
        document.doc_id, document.title, document.text, document.source, document.lang, document.published,
        file.path, file.sha256, file.basis, file.encoding, file.record,
        document.author, document.url, document.notes, document.left_out,
    )  # fmt: skip


def document_of(values: Sequence[Any]) -> Document:
    """Return the document with these values of `DOCUMENT_COLUMNS`."""
    doc_id, title, text, source, lang, published = values[:6]
    author, url, notes, left_out = values[11:]
    file = SourceFile(*values[6:11])
    return Document(doc_id, title, text, source, lang, published, file, author, url, notes, left_out)


def check_tables(connection: sqlite3.Connection) -> None:
    """Raise ValueError unless a database has exactly the tables of an index: no view, no trigger."""
    if _declarations(connection) != _declared():
        raise ValueError("its tables are not those of an index")


@cache
def _declared() -> frozenset[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        return _declarations(connection)


def _declarations(connection: sqlite3.Connection) -> frozenset[tuple[str, ...]]:
    return frozenset(connection.execute("SELECT type, name, sql FROM sqlite_master"))


def read_only(path: Path) -> str:
    """Return the URI under which SQLite opens a file that never changes, without making files next to it."""
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def connect(path: Path) -> sqlite3.Connection:
    """Open a generation's database for writing; deleted content is overwritten in the file.

    There is no rollback journal, and the finished file is synced as a whole: an unfinished generation is
    thrown away.
    """
    connection = sqlite3.connect(path)
    for setting in ("secure_delete = ON", "journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def terms_index(folder: Path) -> tantivy.Index:
    """Open Tantivy's index in a folder, or create it there."""
    schema = tantivy.SchemaBuilder()
    # The terms come from text.analysis and are joined by spaces, so Tantivy only splits at white space.
    for kind in KINDS:
        schema.add_text_field(kind, stored=False, tokenizer_name="whitespace", index_option="position")
    schema.add_text_field("title", stored=False, tokenizer_name="whitespace", index_option="basic")
    for filter_ in EQUAL_FILTERS:
        schema.add_text_field(filter_.field, stored=False, tokenizer_name="raw", index_option="basic")
    schema.add_unsigned_field("published", fast=True)  # as the number YYYYMMDD
    schema.add_unsigned_field("row", fast=True)
    return tantivy.Index(schema.build(), str(folder))


def day_number(day: str) -> int:
    """Return a day as the number YYYYMMDD."""
    return int(day.replace("-", ""))


@lru_cache(1_024)
def title_words(title: str) -> frozenset[str]:
    """Return the words under which a title is suggested, normalized."""
    words = [word for word in terms(title, "surface") if not is_function_word(word)]
    return frozenset(words) | {without_article(word) for word in words}


def duplicate_key(text: str) -> bytes:
    """Return a key that is equal for passages with the same words; 16 bytes."""
    return hashlib.sha256(" ".join(text.split()).encode()).digest()[:16]


def terms_key(text: str) -> bytes:
    """Return the key of the terms of a text, from the text and the version of the analysis; 16 bytes."""
    return hashlib.sha256(f"{ANALYSIS_VERSION}\0{text}".encode()).digest()[:16]


def pack_terms(terms: Sequence[Token]) -> bytes:
    """Return the terms of a passage as they are stored: a line for each kind, compressed."""
    lines = (" ".join(token.term for token in terms if token.kind == kind) for kind in KINDS)
    # The fastest level: terms are stored because analyzing a text again takes longer than unpacking them.
    return zlib.compress("\n".join(lines).encode(), 1)


def unpack_terms(stored: bytes) -> dict[Kind, str]:
    """Return the terms of each kind, separated by spaces."""
    return dict(zip(KINDS, zlib.decompress(stored).decode().split("\n"), strict=True))
