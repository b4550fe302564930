"""What a build takes in: the files of an archive, read once, their lines counted, then cut and split.

Cutting needs to know in how many articles of its source a line stands, so every file is read before
the first article is cut. Between the two the articles are drafts on the disk; nothing here grows with
the archive but the numbers of its files and of its repeated lines.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path

from .datatypes import Article, Document, FailedFile, RepeatedLine
from .errors import UnreadableFile
from .ingest.cleaning import clean, least_articles, line_key, line_keys
from .ingest.documents import documents_of
from .ingest.fields import FieldNames
from .ingest.files import FoundFile, MovingFile, opened, printable
from .ingest.passages import split_document
from .ingest.readers import Readers
from .ingest.sidecars import Sidecars, is_sidecar
from .models.encoder import Encoder
from .store.drafts import Drafts
from .store.embedded import EmbeddedWriter

REPEATED_LISTED = 100  # repeated lines in a report; the index knows all of them
NOTES_LISTED = 1_000

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and of how much: "reading" counts bytes of files,
"cutting" articles, "embedding" passages."""


@dataclass(frozen=True, slots=True)
class SeenFile:
    """What a build saw of one file: its hash, where it could be read, and why it was refused, if so."""

    sha256: str | None
    reason: str | None


@dataclass
class Given:
    """Articles that were made elsewhere, for a generation that no build follows."""

    made: Iterable[Article]
    fields: FieldNames = field(default_factory=dict)
    failed: list[FailedFile] = field(default_factory=list)
    notes: list[FailedFile] = field(default_factory=list)
    left_out: int = 0

    def articles(self, _: Encoder) -> Iterator[tuple[Article, bytes]]:
        """Yield each article, with the digest of none."""
        return ((article, b"") for article in self.made)

    def record(self, writer: EmbeddedWriter) -> None:
        """Record nothing: there are no files."""

    def repeated(self) -> list[RepeatedLine]:
        """Return nothing: nothing was cut here."""
        return []


@dataclass
class Intake:
    """An archive's articles for one generation, and what was found on the way to them."""

    archive: Path
    fields: FieldNames
    progress: Progress | None = None
    files: dict[str, SeenFile] = field(default_factory=dict)
    failed: list[FailedFile] = field(default_factory=list)
    notes: list[FailedFile] = field(default_factory=list)
    left_out: int = 0
    _repeated: dict[tuple[str, int], RepeatedLine] = field(default_factory=dict)
    _tracking: set[int] = field(default_factory=set)
    _drafts: Drafts = field(default_factory=Drafts)

    def read(self, found: Sequence[FoundFile]) -> None:
        """Read every file of the archive; one that cannot be read is noted with its reason."""
        sizes = [_size(file) for file in found]
        total, done = sum(sizes), 0
        sidecars = Sidecars(self.archive, found, self.fields)
        with Readers(self.fields) as readers:
            for file, size in zip(found, sizes, strict=True):
                before = done

                def advance(count: int, before: int = before, size: int = size) -> None:
                    self._tell("reading", before + min(count, size), total)

                self._read_file(file, readers, sidecars, advance)
                done += size
                self._tell("reading", done, total)

    def _read_file(
        self, file: FoundFile, readers: Readers, sidecars: Sidecars, advance: Callable[[int], None]
    ) -> None:
        path, sha256 = printable(file.path), None
        failed, notes, left_out = list[FailedFile](), list[FailedFile](), 0
        try:
            with self._drafts.whole_file(), opened(file, self.archive, advance) as source:
                sha256 = source.sha256
                if is_sidecar(file.path):
                    sidecars.check(file)
                else:
                    for each in documents_of(source, readers, sidecars, self._drafts.has):
                        if isinstance(each, FailedFile):
                            failed.append(each)
                            continue
                        self._drafts.add(each, *line_keys(each.text))
                        if len(self.notes) + len(notes) < NOTES_LISTED and "notes" in each.metadata:
                            notes.append(FailedFile(printable(each.doc_id), each.metadata["notes"]))
                        left_out += int(each.metadata.get("left_out", 0))
        except UnreadableFile as error:
            self.files[path] = SeenFile(None if isinstance(error, MovingFile) else sha256, str(error))
            self.failed.append(FailedFile(path, str(error)))
            return
        self.files[path] = SeenFile(sha256, None)
        self.failed += failed
        self.notes += notes
        self.left_out += left_out

    def articles(self, encoder: Encoder) -> Iterator[tuple[Article, bytes]]:
        """Yield each article, cut and split for the encoder's window, with the digest of what was read."""
        repeated = {
            source: {
                line: count
                for line, count in self._drafts.line_counts(source)
                if count >= least_articles(articles)
            }
            for source, articles in self._drafts.sources()
        }
        total = len(self._drafts)
        for done, draft in enumerate(self._drafts):
            self._tell("cutting", done, total)
            document, cuts = clean(draft, repeated[draft.source])
            for cut in cuts:
                key = line_key(draft.text[cut.start : cut.end])
                if cut.rule == "tracking":
                    self._tracking.add(key)
                if cut.articles:
                    first = RepeatedLine(draft.source, cut.articles, draft.doc_id, cut.line)
                    self._repeated.setdefault((draft.source, key), first)
            yield split_document(document, encoder.count_tokens, encoder.window, cuts), _digest(draft)
        self._tell("cutting", total, total)

    def record(self, writer: EmbeddedWriter) -> None:
        """Have the generation hold what was seen of the files and how often each line stands."""
        for path, file in self.files.items():
            writer.add_file(path, file.sha256, file.reason)
        for source, articles in self._drafts.sources():
            # Even the key of a personal line may give it away: rare lines and tracking strings stay out.
            counts = (
                (line, count)
                for line, count in self._drafts.line_counts(source)
                if count >= least_articles(0) and line not in self._tracking
            )
            writer.add_line_counts(source, articles, counts)

    def repeated(self) -> list[RepeatedLine]:
        """Return the commonest of the lines that were cut since many articles have them."""
        commonest = sorted(self._repeated.values(), key=lambda each: (-each.articles, each.doc_id, each.line))
        return commonest[:REPEATED_LISTED]

    def close(self) -> None:
        """Let go of the drafts."""
        self._drafts.close()

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self.progress and total:
            self.progress(stage, done, total)


def _size(file: FoundFile) -> int:
    with suppress(OSError):
        return file.location.stat().st_size
    return 0


def _digest(draft: Document) -> bytes:
    """Return what tells two documents apart: all that was read of them, but not the file around them."""
    metadata = {name: draft.metadata.get(name) for name in ("author", "url", "basis")}
    content = repr((*astuple(draft)[:-1], metadata))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()[:16]
