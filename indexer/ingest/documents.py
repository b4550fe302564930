"""A file of the archive to documents: what its reader found, with ids, language and facts.

The text of a document is untouched here: nothing is cut yet, and where the file does not say its
title, the first line that cleaning leaves is the title.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from indexer.datatypes import Document, FailedFile, SourceFile
from indexer.errors import UnreadableFile
from indexer.ingest.files import FoundFile, OpenFile, open_file, printable_path
from indexer.ingest.metadata.dates import find_published
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.base import Extract
from indexer.ingest.readers.registry import Readers
from indexer.text.language import detect
from indexer.text.lines import nonblank_lines

FIRST_LINES = 8  # that are not blank, in which an article's date may stand
REREAD = 256 << 20  # bytes; what is read anew for one article takes a second at the most
_HEAD = 8_192  # code points that hold them
REFUSED_LISTED = 20  # records of one file that are refused one by one; a file of another kind has millions


def documents_of(
    source: OpenFile, readers: Readers, sidecars: Sidecars, taken: Callable[[str], bool] = lambda _: False
) -> Iterator[Document | FailedFile]:
    """Yield the documents of a file, and the records of it that are none, in order.

    `taken` says whether an id is used up by an earlier record. Raises UnreadableFile where the file is
    refused as a whole, which may come after documents: they are void then.
    """
    path, documents, refused = printable_path(source.path), 0, 0
    for found in readers.read(source):
        if isinstance(found, Extract):
            documents += 1
            yield _document(found, source, sidecars, taken)
            continue
        refused += 1
        if refused <= REFUSED_LISTED:
            yield FailedFile(f"{path}::{found.number}", found.reason)
    if not documents and not refused:
        raise UnreadableFile("it is empty: there are no articles in it")
    if refused > REFUSED_LISTED:
        yield FailedFile(path, f"{refused - REFUSED_LISTED:,} more of its records are refused")


def documents_by_id(source: OpenFile, readers: Readers, sidecars: Sidecars) -> dict[str, Document]:
    """Return the documents of a file by their ids; UnreadableFile where it is refused as a whole."""
    found: dict[str, Document] = {}
    for each in documents_of(source, readers, sidecars, found.__contains__):
        if isinstance(each, Document):
            found[each.doc_id] = each
    return found


def _document(
    extract: Extract, source: OpenFile, sidecars: Sidecars, taken: Callable[[str], bool]
) -> Document:
    lang = detect(extract.text)
    beside = sidecars.facts(source.path, lang)
    many = extract.number is not None
    facts = extract.facts.or_else(beside) if many else beside.or_else(extract.facts)
    notes = list(extract.notes)
    doc_id = _doc_id(source.path, extract, taken)
    if many and extract.id and not doc_id.endswith(f"::{extract.id}"):
        notes.append(f"record {extract.number} has the id of another, {extract.id}")
    return Document(
        doc_id,
        facts.title,
        extract.text,
        facts.source or _folder_of(source.path),
        lang,
        facts.published or _stated_date(extract, lang),
        SourceFile(source.path, source.sha256, extract.basis, extract.encoding, extract.number),
        facts.author,
        facts.url,
        "; ".join(notes),
        len(extract.left_out),
    )


def _doc_id(path: str, extract: Extract, taken: Callable[[str], bool]) -> str:
    """Return the id of an article: its file's path, and its own id or number where the file holds many."""
    if extract.number is None:
        if taken(path):
            raise UnreadableFile("its name is the id of an article in another file; rename it")
        return path
    own = f"{path}::{extract.id or extract.number}"
    if not taken(own):
        return own
    doc_id, again = f"{path}::{extract.number}", 1
    while taken(doc_id):
        again += 1
        doc_id = f"{path}::{extract.number}~{again}"
    return doc_id


def _folder_of(path: str) -> str:
    folder = PurePosixPath(path).parent.as_posix()
    return "" if folder == "." else folder


def _stated_date(extract: Extract, lang: str) -> str | None:
    """Return the date that an article's first lines say it is of."""
    head = extract.text[:_HEAD]
    first = [head[line.start : line.end] for line in nonblank_lines(head)[:FIRST_LINES]]
    return find_published(first, day_first=lang == "ar")


def read_original(document: Document, archive: Path, readers: Readers) -> Extract | None:
    """Return the article that a document was made of, read from its file anew, cut lines and all.

    None where the file is gone, refused or not what it was: by its hash, before and after; and where it
    is too long to be read for one article.
    """
    path = document.file.path
    try:
        with open_file(FoundFile(path, archive / path), archive, longest=REREAD) as source:
            if source.sha256 != document.file.sha256:
                return None
            extracts = (each for each in readers.read(source) if isinstance(each, Extract))
            return next((each for each in extracts if each.number == document.file.record), None)
    except UnreadableFile:
        return None


def digest_of(document: Document) -> bytes:
    """Return a digest of all that was read of a document, but not of the file around it."""
    content = repr((
        document.doc_id, document.title, document.text, document.source, document.lang, document.published,
        document.author, document.url, document.file.basis,
    ))  # fmt: skip
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()[:16]
