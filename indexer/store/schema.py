"""The files of a generation, as the writer and the reader both know them.

articles.sqlite   articles, their passages, what was cut, what was seen of files and lines
vectors.faiss     the vectors of the passages, by row
terms/            Tantivy's index of their terms, by row
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import ANALYSIS_VERSION
from ..text.analysis import KINDS, Kind, Token

if TYPE_CHECKING:
    import tantivy

ARTICLES, VECTORS, TERMS = "articles.sqlite", "vectors.faiss", "terms"

TABLES = """
CREATE TABLE files (path TEXT PRIMARY KEY, sha256 TEXT, reason TEXT, beside TEXT);
CREATE TABLE failures (path TEXT, record TEXT, reason TEXT);
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, doc_id TEXT UNIQUE, title TEXT, text TEXT, source TEXT, lang TEXT,
    published TEXT, metadata TEXT, path TEXT, digest BLOB, longest INTEGER);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, doc_id TEXT, ordinal INTEGER, start INTEGER, "end" INTEGER,
    line_start INTEGER, line_end INTEGER, lang TEXT, copy_key BLOB,
    vector_key BLOB, folded INTEGER, UNIQUE (doc_id, ordinal));
CREATE TABLE folded (number INTEGER PRIMARY KEY, key BLOB UNIQUE, terms BLOB);
CREATE TABLE cuts (
    doc_id TEXT, line INTEGER, start INTEGER, "end" INTEGER, rule TEXT, articles INTEGER, key INTEGER,
    PRIMARY KEY (doc_id, line)) WITHOUT ROWID;
CREATE TABLE sources (number INTEGER PRIMARY KEY, name TEXT UNIQUE, articles INTEGER);
CREATE TABLE lines (
    source INTEGER, line INTEGER, document INTEGER, PRIMARY KEY (source, line, document)) WITHOUT ROWID;
CREATE TABLE repeated (
    source INTEGER, line INTEGER, articles INTEGER, PRIMARY KEY (source, line)) WITHOUT ROWID;
CREATE INDEX passages_by_lang ON passages (lang);
CREATE INDEX documents_by_source ON documents (source, published);
CREATE INDEX documents_by_path ON documents (path);
"""
# Of the tables: `beside` is a hash of what sidecars say of a file; `lines` and `cuts.key` hold keys of
# lines made with a secret; `repeated` those that stand in enough articles of a source to be cut.


def read_only(path: Path) -> str:
    """Return the address under which SQLite opens a file that never changes, leaving nothing beside it."""
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def connect(path: Path) -> sqlite3.Connection:
    """Open a generation's articles for writing; what is deleted is overwritten too.

    Nothing is undone in it, and it is synced as a whole: a generation that is not finished is thrown away.
    """
    connection = sqlite3.connect(path)
    for setting in ("secure_delete = ON", "journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def terms_index(folder: Path) -> "tantivy.Index":
    """Open Tantivy's index in a folder, or make it there."""
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


def as_number(day: str) -> int:
    """Return a day as the number YYYYMMDD."""
    return int(day.replace("-", ""))


def copy_key(text: str) -> bytes:
    """Return what passages have in common that have the same words."""
    return hashlib.sha256(" ".join(text.split()).encode()).digest()[:16]


def folded_key(text: str) -> bytes:
    """Return the key under which the terms of a text are kept: of the text and of the analysis."""
    return hashlib.sha256(f"{ANALYSIS_VERSION}\0{text}".encode()).digest()[:16]


def packed(terms: Sequence[Token]) -> bytes:
    """Return the terms of a passage as they are kept."""
    lines = (" ".join(token.term for token in terms if token.kind == kind) for kind in KINDS)
    return zlib.compress("\n".join(lines).encode(), 1)  # folding costs more than unpacking


def unpacked(stored: bytes) -> dict[Kind, str]:
    """Return the terms of each kind, parted by spaces."""
    return dict(zip(KINDS, zlib.decompress(stored).decode().split("\n"), strict=True))
