"""Make documents from a file of the archive: the extracts of its reader, with ids, language and facts.

This module leaves the text of a document unchanged. The cleaner cuts boilerplate later, and takes the title
from the first line that it keeps where neither file nor sidecar states one.
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

FIRST_LINES = 8  # nonblank lines at the top of an article that are searched for its date
REREAD = 256 << 20  # bytes; a longer file would take more than a second to read again for one article
_HEAD = 8_192  # code points of a text in which its first lines are looked for
REFUSED_LISTED = 20  # refused records of one file that are listed; an unsuitable file may have millions


def documents_of(
    source: OpenFile, readers: Readers, sidecars: Sidecars, taken: Callable[[str], bool] = lambda _: False
) -> Iterator[Document | FailedFile]:
    """Yield the documents of a file and its refused records, in order.

    `taken` tells whether an earlier record has an id already. Raises UnreadableFile if the whole file is
    refused. That may happen after some documents were yielded; drop those documents then.
    """
    path, documents, refused = printable_path(source.path), 0, 0
    for item in readers.read(source):
        if isinstance(item, Extract):
            documents += 1
            yield _document(item, source, sidecars, taken)
            continue
        refused += 1
        if refused <= REFUSED_LISTED:
            yield FailedFile(f"{path}::{item.number}", item.reason)
    if not documents and not refused:
        raise UnreadableFile("it is empty: there are no articles in it")
    if refused > REFUSED_LISTED:
        yield FailedFile(path, f"{refused - REFUSED_LISTED:,} more of its records are refused")


def documents_by_id(source: OpenFile, readers: Readers, sidecars: Sidecars) -> dict[str, Document]:
    """Return the documents of a file by their ids; raises UnreadableFile if the whole file is refused."""
    by_id: dict[str, Document] = {}
    for item in documents_of(source, readers, sidecars, by_id.__contains__):
        if isinstance(item, Document):
            by_id[item.doc_id] = item
    return by_id


def _document(
    extract: Extract, source: OpenFile, sidecars: Sidecars, taken: Callable[[str], bool]
) -> Document:
    lang = detect(extract.text)
    sidecar_facts = sidecars.facts(source.path, lang)
    is_record = extract.number is not None
    # A sidecar overrides a file of one article, but only fills the gaps of a record.
    facts = extract.facts.or_else(sidecar_facts) if is_record else sidecar_facts.or_else(extract.facts)
    notes = list(extract.notes)
    doc_id = _doc_id(source.path, extract, taken)
    if is_record and extract.id and not doc_id.endswith(f"::{extract.id}"):
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
    """Return the id of an article: its file's path, plus its own id or number if the file holds many.

    Raises UnreadableFile if the path itself is the id of a record in another file.
    """
    if extract.number is None:
        if taken(path):
            raise UnreadableFile("its name is the id of an article in another file; rename it")
        return path
    own_id = f"{path}::{extract.id or extract.number}"
    if not taken(own_id):
        return own_id
    doc_id, attempt = f"{path}::{extract.number}", 1
    while taken(doc_id):
        attempt += 1
        doc_id = f"{path}::{extract.number}~{attempt}"
    return doc_id


def _folder_of(path: str) -> str:
    folder = PurePosixPath(path).parent.as_posix()
    return "" if folder == "." else folder


def _stated_date(extract: Extract, lang: str) -> str | None:
    """Return the day of publication that an article's first lines state, YYYY-MM-DD, or None."""
    head = extract.text[:_HEAD]
    first_lines = [head[line.start : line.end] for line in nonblank_lines(head)[:FIRST_LINES]]
    return find_published(first_lines, day_first=lang == "ar")


def read_original(document: Document, archive: Path, readers: Readers) -> Extract | None:
    """Read the article of a document from its file again, with the lines that were cut.

    Returns None if the file is missing, refused, too long to read for one article (REREAD), or changed since
    it was indexed; its hash is checked before and after reading.
    """
    path = document.file.path
    try:
        with open_file(FoundFile(path, archive / path), archive, longest=REREAD) as source:
            if source.sha256 != document.file.sha256:
                return None
            extracts = (item for item in readers.read(source) if isinstance(item, Extract))
            return next((extract for extract in extracts if extract.number == document.file.record), None)
    except UnreadableFile:
        return None


def digest_of(document: Document) -> bytes:
    """Return a 16-byte digest of a document's text and facts, independent of the rest of its file."""
    content = repr((
        document.doc_id, document.title, document.text, document.source, document.lang, document.published,
        document.author, document.url, document.file.basis,
    ))  # fmt: skip
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()[:16]
