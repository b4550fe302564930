"""What a file says and what was cut of it, read from the file itself.

`inspect_file` shows one file as a build would take it; `Originals` shows the cut lines of articles that
are in an index, whose texts the index does not hold.
"""

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from indexer.boilerplate.layout import blank_cut_lines, clean
from indexer.boilerplate.patterns import rule_reasons
from indexer.datatypes import Cut, Document, FailedFile, SplitDocument
from indexer.errors import ArchiveError, IndexUnusable, UnreadableFile
from indexer.ingest.documents import documents_of, read_original
from indexer.ingest.files import FoundFile, hash_file, open_file
from indexer.ingest.metadata.fields import FieldNames, check_names
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.base import Extract
from indexer.ingest.readers.html import PageWorker
from indexer.ingest.readers.registry import Readers
from indexer.settings import DEFAULT_INDEX
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.text.lines import nonblank_lines
from indexer.text.passages import split_document

JUDGED_SIZE = 64 << 20  # bytes; a file this long is hashed in a tenth of a second
FileState = Literal["same", "changed", "gone", "unreadable", "too_long"]
"""What became of a file since it was indexed; `too_long` is one that is not hashed to tell."""

CODE_POINTS_A_TOKEN = 3.5  # of the bundled model in Arabic and English news; it decides long paragraphs only
WINDOW = 512  # tokens


@dataclass(frozen=True, slots=True)
class InspectedLine:
    """A line that is not blank; `rule` is None where it is kept, and `articles` as in Cut."""

    line: int
    text: str
    rule: str | None
    articles: int | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """One article of a file as a build would take it."""

    path: str
    article: SplitDocument
    lines: tuple[InspectedLine, ...]
    outside: tuple[str, ...]
    """The lines of a web page that are outside its article."""
    articles: int
    """How many articles the file holds."""
    indexed: bool
    """Whether the index holds this very file, so that repetition is known and passages are its own."""


@dataclass(frozen=True, slots=True)
class CutLines:
    """What was cut of an article: its lines with their rules, and their texts where the file has them."""

    cuts: tuple[tuple[Cut, str | None], ...]
    outside: tuple[str, ...]
    from_file: bool
    """False where the file is gone, has changed, or is too long to read for one article."""


def reason_of(rule: str, articles: int | None = None) -> str:
    """Return why a rule cuts a line, in one line."""
    return rule_reasons()[rule] if articles is None else f"it stands in {articles:,} articles of this source"


def inspection_json(inspection: Inspection) -> dict[str, Any]:
    """Return an inspection as JSON values: one row a line that is not blank."""
    document = inspection.article.document
    return {
        "path": inspection.path,
        "doc_id": document.doc_id,
        "articles": inspection.articles,
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
                "line": each.line,
                "kept": each.rule is None,
                "rule": each.rule,
                "reason": reason_of(each.rule, each.articles) if each.rule else None,
                "articles": each.articles,
                "text": each.text,
            }
            for each in inspection.lines
        ],
        "outside": list(inspection.outside),
        "passages": [
            {"start": each.start, "end": each.end, "line_start": each.line_start, "line_end": each.line_end}
            for each in inspection.article.passages
        ],
    }


class Originals:
    """The files of an archive, to be read again for what the index does not hold. Safe between threads."""

    def __init__(self) -> None:
        self._worker = PageWorker()

    def cut_lines(self, article: SplitDocument, archive: Path, fields: FieldNames) -> CutLines:
        """Return what was cut of an indexed article, from its file where that is as it was."""
        if not article.cuts and not article.document.left_out:
            return CutLines((), (), True)  # most articles: their files need not be read
        original = read_original(article.document, archive, Readers(fields, self._worker))
        texts = [original.text[cut.start : cut.end] if original else None for cut in article.cuts]
        return CutLines(
            tuple(zip(article.cuts, texts, strict=True)),
            original.left_out if original else (),
            original is not None,
        )

    def state(self, document: Document, archive: Path) -> FileState:
        """Return what became of the file of an indexed document; raises nothing."""
        path = document.file.path
        file = FoundFile(path, archive / path)
        try:
            if file.location.stat().st_size > JUDGED_SIZE:
                return "too_long"
            same = hash_file(file, archive) == document.file.sha256
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except (UnreadableFile, OSError, ValueError):  # such as a link out of the archive
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
    """Read one file as a build would, and tell what becomes of each of its lines.

    >>> inspection = inspect_file("articles/talks.txt")
    >>> [(line.line, line.rule) for line in inspection.lines]
    [(1, None), (2, None), (3, None)]

    Needs no index and no model; where the index at `index` holds this very file, what repetition says
    is added and the passages are those of the index. `record` names an article of a file that holds many,
    by its id; the first is shown otherwise. Raises ArchiveError where the file cannot be read.
    """
    file, index = Path(file), Path(index)
    fields = dict(fields or {})
    check_names(fields)
    if not os.path.exists(file):  # noqa: PTH110 - Path.exists raises where the path cannot be
        raise ArchiveError(f"There is no file {file}.")
    location = file.resolve()
    try:
        with _holding(location, index) as held:
            return held.inspect(file, record, fields)
    except UnreadableFile as error:
        raise ArchiveError(f"{file} cannot be an article: {error}.") from error


class _Place:
    """Where a file stands: in the archive of an index that holds it, or alone in its folder."""

    def __init__(self, location: Path, store: GenerationReader | None) -> None:
        self._store = store
        self._archive = store.archive if store else location.parent
        self._file = FoundFile(location.relative_to(self._archive).as_posix(), location)

    def close(self) -> None:
        if self._store:
            self._store.close()

    def inspect(self, shown: Path, record: str | None, fields: FieldNames) -> Inspection:
        draft, outside, count = self._read(record, fields)
        stored = self._store.article(draft.doc_id) if self._store else None
        if stored and _is_made_of(stored, draft):
            article = stored  # with what repetition says
        else:
            document, cuts = clean(draft)
            article = split_document(document, _count_tokens, WINDOW, cuts)
        by_line = {cut.line: cut for cut in article.cuts}
        lines = tuple(
            InspectedLine(
                line.number,
                draft.text[line.start : line.end],
                cut.rule if (cut := by_line.get(line.number)) else None,
                cut.articles if cut else None,
            )
            for line in nonblank_lines(draft.text)
        )
        return Inspection(str(shown), article, lines, outside, count, stored is not None)

    def _read(self, record: str | None, fields: FieldNames) -> tuple[Document, tuple[str, ...], int]:
        """Return the article asked for, what is outside it, and how many articles the file has."""
        beside = [self._file, *(_found(path, self._archive) for path in self._beside())]
        if self._store and not fields:
            fields = self._store.fields
        sidecars = Sidecars(self._archive, beside, fields)
        chosen, refused, count = None, None, 0
        with Readers(fields) as readers:
            with open_file(self._file, self._archive) as source:
                seen: set[str] = set()
                for each in documents_of(source, readers, sidecars, seen.__contains__):
                    if isinstance(each, FailedFile):
                        refused = refused or each
                        continue
                    count += 1
                    seen.add(each.doc_id)
                    if chosen is None and record in (None, each.doc_id, each.doc_id.partition("::")[2]):
                        chosen = each
            if chosen is None:
                reason = refused.reason if refused else "it holds no article"
                raise UnreadableFile(
                    reason if record is None else f"it holds no article with the id {record}"
                )
            original: Extract | None = None
            if chosen.left_out:
                original = read_original(chosen, self._archive, readers)
        return chosen, original.left_out if original else (), count

    def _beside(self) -> list[Path]:
        return sorted(path for path in self._file.location.parent.iterdir() if path.is_file())


def _is_made_of(article: SplitDocument, draft: Document) -> bool:
    """Whether an indexed article is this document, cut: it may have been read with other names of fields."""
    return blank_cut_lines(draft.text, article.cuts) == article.document.text


def _found(path: Path, archive: Path) -> FoundFile:
    return FoundFile(path.relative_to(archive).as_posix(), path)


def _holding(location: Path, index: Path) -> "closing[_Place]":
    """Return the place of a file in the index, where that holds it as it is now; else alone."""
    try:
        store = GenerationReader.open(IndexFolder(index))
    except IndexUnusable:
        return closing(_Place(location, None))
    if location.is_relative_to(store.archive):
        path = location.relative_to(store.archive).as_posix()
        seen = store.files().get(path)
        if seen and seen.sha256 is not None and _hash(location, store.archive) == seen.sha256:
            return closing(_Place(location, store))
    store.close()
    return closing(_Place(location, None))


def _hash(location: Path, archive: Path) -> str | None:
    try:
        return hash_file(_found(location, archive), archive)
    except UnreadableFile:
        return None


def _count_tokens(text: str) -> int:
    """Return about how many tokens a text has: no model is asked."""
    return int(len(text) / CODE_POINTS_A_TOKEN)
