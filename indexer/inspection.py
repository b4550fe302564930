"""Inspection of a file: its article, and which of its lines are kept or cut, read from the file itself.

`inspect_file` shows one file as a build reads it. `Originals` shows the cut lines of indexed articles, whose
texts are not in the index.
"""

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from indexer.addresses import document_url
from indexer.boilerplate.layout import blank_cut_lines, clean
from indexer.boilerplate.patterns import rule_reasons
from indexer.datatypes import Cut, Document, FailedFile, SplitDocument
from indexer.errors import ArchiveError, IndexUnusable, UnreadableFile
from indexer.ingest.documents import documents_of, read_original
from indexer.ingest.files import ARTICLE_SIZE, FoundFile, hash_file, open_file
from indexer.ingest.metadata.fields import FieldNames, check_names
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.base import Extract
from indexer.ingest.readers.html import PageWorker
from indexer.ingest.readers.registry import Readers
from indexer.settings import DEFAULT_INDEX
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.text.language import direction
from indexer.text.lines import nonblank_lines
from indexer.text.passages import split_document
from indexer.time_limit import time_limit, within_limit

JUDGED_SIZE = 64 << 20  # bytes; a file of this size is hashed in a tenth of a second
FileState = Literal["same", "changed", "gone", "unreadable", "too_long"]
"""The state of a file compared with the index; `too_long` means that it was not hashed to find out."""

CODE_POINTS_A_TOKEN = 3.5  # of the bundled model in Arabic and English news; only long paragraphs need it
WINDOW = 512  # tokens


@dataclass(frozen=True, slots=True)
class InspectedLine:
    """A line that is not blank; `rule` is None where it is kept, and `articles` is that of its Cut."""

    line: int
    text: str
    rule: str | None
    articles: int | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """One article of a file as a build reads it."""

    path: str
    article: SplitDocument
    lines: tuple[InspectedLine, ...]
    outside: tuple[str, ...]
    """The lines of a web page that are outside its article."""
    articles: int
    """The number of articles in the file."""
    refused_rows: tuple[FailedFile, ...]
    """The records of the file that are refused, each with its number after «::» and the reason."""
    indexed: bool
    """Whether the index holds this version of the file, and so its repeated lines and its passages."""


@dataclass(frozen=True, slots=True)
class CutLines:
    """The cut lines of an article, each with its text where the file still holds it."""

    cuts: tuple[tuple[Cut, str | None], ...]
    outside: tuple[str, ...]
    from_file: bool
    """False where the file is gone, has changed, or is too long to read for one article."""


def reason_of(rule: str, articles: int | None = None) -> str:
    """Return in one line why a rule cuts a line."""
    return rule_reasons()[rule] if articles is None else f"it stands in {articles:,} articles of this source"


def article_json(article: SplitDocument, cut: CutLines) -> dict[str, Any]:
    """Return an article as JSON values: its text, its passages and its cut lines."""
    document = article.document
    return {
        "doc_id": document.doc_id,
        **{name: getattr(document.file, name) for name in ("path", "sha256", "basis", "encoding")},
        "title": document.title,
        "source": document.source,
        "author": document.author or None,
        "url": document.url or None,
        "published": document.published,
        "lang": document.lang,
        "dir": direction(document.lang, document.text),
        "text": document.text,
        "passages": [
            {
                "passage": passage.number,
                "lang": passage.lang,
                "line_start": passage.line_start,
                "line_end": passage.line_end,
                "char_start": passage.start,
                "char_end": passage.end,
                "url": document_url(document.doc_id, passage.number),
            }
            for passage in article.passages
        ],
        "cut": [
            {
                "line": cut_line.line,
                "char_start": cut_line.start,
                "char_end": cut_line.end,
                "rule": cut_line.rule,
                "reason": reason_of(cut_line.rule, cut_line.articles),
                "text": text,
            }
            for cut_line, text in cut.cuts
        ],
        "outside": list(cut.outside),
        "cut_from_file": cut.from_file,
    }


def inspection_json(inspection: Inspection) -> dict[str, Any]:
    """Return an inspection as JSON values, with one object for each line that is not blank."""
    document = inspection.article.document
    return {
        "path": inspection.path,
        "doc_id": document.doc_id,
        "articles": inspection.articles,
        "refused_rows": [int(row.path.rpartition("::")[2]) for row in inspection.refused_rows],
        "title": document.title,
        "lang": document.lang,
        "published": document.published,
        "source": document.source,
        "author": document.author or None,
        "url": document.url or None,
        "basis": document.file.basis,
        "encoding": document.file.encoding,
        "notes": document.notes or None,
        "indexed": inspection.indexed,
        "lines": [
            {
                "line": line.line,
                "kept": line.rule is None,
                "rule": line.rule,
                "reason": reason_of(line.rule, line.articles) if line.rule else None,
                "articles": line.articles,
                "text": line.text,
            }
            for line in inspection.lines
        ],
        "outside": list(inspection.outside),
        "passages": [
            {
                "start": passage.start,
                "end": passage.end,
                "line_start": passage.line_start,
                "line_end": passage.line_end,
            }
            for passage in inspection.article.passages
        ],
    }


class Originals:
    """Reads the files of an archive again for texts that the index does not hold. Safe between threads."""

    def __init__(self) -> None:
        self._worker = PageWorker()

    def cut_lines(self, article: SplitDocument, archive: Path, fields: FieldNames) -> CutLines:
        """Return the cut lines of an indexed article, with their texts where its file has not changed."""
        if not article.cuts and not article.document.left_out:
            return CutLines((), (), True)  # true of most articles; saves reading the file
        original = read_original(article.document, archive, Readers(fields, self._worker))
        texts = [original.text[cut.start : cut.end] if original else None for cut in article.cuts]
        return CutLines(
            tuple(zip(article.cuts, texts, strict=True)),
            original.left_out if original else (),
            original is not None,
        )

    def state(self, document: Document, archive: Path) -> FileState:
        """Return the state of the file of an indexed document; raises nothing."""
        path = document.file.path
        file = FoundFile(path, archive / path)
        try:
            if file.location.stat().st_size > JUDGED_SIZE:
                return "too_long"
            same = hash_file(file, archive) == document.file.sha256
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except (UnreadableFile, OSError, ValueError):  # such as a symbolic link that leads out of the archive
            return "unreadable"
        return "same" if same else "changed"

    def close(self) -> None:
        """End the process that parses pages, if there is one."""
        self._worker.close()


def inspect_file(
    file: str | Path,
    index: str | Path = DEFAULT_INDEX,
    *,
    record: str | None = None,
    fields: FieldNames | None = None,
) -> Inspection:
    """Read one file as a build does, and return which of its lines are kept or cut.

    >>> inspection = inspect_file("articles/talks.txt")
    >>> [(line.line, line.rule) for line in inspection.lines]
    [(1, None), (2, None), (3, None)]

    Needs no index and no model. Where the index at `index` holds this version of the file, the cuts of
    repeated lines are added, and the passages are those of the index. `record` is the id of an article in a
    file that holds many; otherwise the first is shown. Raises ArchiveError where the file cannot be read.
    """
    file, index = Path(file), Path(index)
    fields = dict(fields or {})
    check_names(fields)
    if not os.path.exists(file):  # noqa: PTH110 - Path.exists raises where the path cannot be
        raise ArchiveError(f"There is no file {file}.")
    if file.is_dir():
        raise ArchiveError(f"{file} is a folder. Name one file in it.")
    location = file.resolve()
    try:
        with _locate(location, index) as inspected:
            return inspected.inspect(file, record, fields)
    except UnreadableFile as error:
        raise ArchiveError(f"{file} cannot be an article: {error}.") from error


class _InspectedFile:
    """A file to inspect: in the archive of an index that holds it, or alone in its folder."""

    def __init__(self, location: Path, store: GenerationReader | None) -> None:
        self._store = store
        self._archive = store.archive if store else location.parent
        self._file = FoundFile(location.relative_to(self._archive).as_posix(), location)

    def close(self) -> None:
        if self._store:
            self._store.close()

    def inspect(self, shown: Path, record: str | None, fields: FieldNames) -> Inspection:
        document, outside, count, refused = self._read(record, fields)
        stored = self._store.article(document.doc_id) if self._store else None
        if stored and _is_cut_from(stored, document):
            article = stored  # which has the cuts of repeated lines too
        else:
            with time_limit(len(document.text)):
                cleaned, cuts = clean(document)
                article = split_document(cleaned, _count_tokens, WINDOW, cuts)
        by_line = {cut.line: cut for cut in article.cuts}
        lines = tuple(
            InspectedLine(
                line.number,
                document.text[line.start : line.end],
                cut.rule if (cut := by_line.get(line.number)) else None,
                cut.articles if cut else None,
            )
            for line in nonblank_lines(document.text)
        )
        return Inspection(str(shown), article, lines, outside, count, refused, stored is not None)

    def _read(
        self, record: str | None, fields: FieldNames
    ) -> tuple[Document, tuple[str, ...], int, tuple[FailedFile, ...]]:
        """Return the requested article, the lines outside it, the number of articles, the refused records."""
        files = [self._file, *(_found_file(path, self._archive) for path in self._files_in_folder())]
        if self._store and not fields:
            fields = self._store.fields
        sidecars = Sidecars(self._archive, files, fields)
        chosen, count = None, 0
        refused: list[FailedFile] = []
        with Readers(fields) as readers:
            with open_file(self._file, self._archive) as source:
                ids: set[str] = set()
                results = documents_of(source, readers, sidecars, ids.__contains__)
                for result in within_limit(results, ARTICLE_SIZE):
                    if isinstance(result, FailedFile):
                        refused.append(result)
                        continue
                    count += 1
                    ids.add(result.doc_id)
                    if chosen is None and record in (None, result.doc_id, result.doc_id.partition("::")[2]):
                        chosen = result
            if chosen is None:
                reason = refused[0].reason if refused else "it holds no article"
                raise UnreadableFile(
                    reason if record is None else f"it holds no article with the id {record}"
                )
            original: Extract | None = None
            if chosen.left_out:
                original = read_original(chosen, self._archive, readers)
        rows = tuple(row for row in refused if row.path.rpartition("::")[2].isdecimal())
        return chosen, original.left_out if original else (), count, rows

    def _files_in_folder(self) -> list[Path]:
        return sorted(path for path in self._file.location.parent.iterdir() if path.is_file())


def _is_cut_from(article: SplitDocument, document: Document) -> bool:
    """Return whether an indexed article is this document with lines cut.

    It may have been read with other names of fields.
    """
    return blank_cut_lines(document.text, article.cuts) == article.document.text


def _found_file(path: Path, archive: Path) -> FoundFile:
    return FoundFile(path.relative_to(archive).as_posix(), path)


def _locate(location: Path, index: Path) -> "closing[_InspectedFile]":
    """Return the file in the archive of the index, if the index holds this version of it; otherwise alone."""
    try:
        store = GenerationReader.open(IndexFolder(index))
    except IndexUnusable:
        return closing(_InspectedFile(location, None))
    if location.is_relative_to(store.archive):
        path = location.relative_to(store.archive).as_posix()
        state = store.files().get(path)
        if state and state.sha256 is not None and _hash(location, store.archive) == state.sha256:
            return closing(_InspectedFile(location, store))
    store.close()
    return closing(_InspectedFile(location, None))


def _hash(location: Path, archive: Path) -> str | None:
    try:
        return hash_file(_found_file(location, archive), archive)
    except UnreadableFile:
        return None


def _count_tokens(text: str) -> int:
    """Return approximately how many tokens a text has, without a model."""
    return int(len(text) / CODE_POINTS_A_TOKEN)
