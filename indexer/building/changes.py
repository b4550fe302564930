"""The changes since the base generation: read changed files, count lines, cut and split articles.

Whether a line is cut depends on the number of articles of its source that hold it, so all changed files
are read before the first article is cut. In between, the articles are staged on disk; memory grows only
with the number of files and of repeated lines. Where a line becomes repeated or stops being so, the
articles that hold it are read and cut again.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from indexer.boilerplate.layout import clean
from indexer.boilerplate.repetition import least_articles, line_key, line_keys
from indexer.datatypes import FailedFile, Progress
from indexer.embedding.encoder import Encoder
from indexer.errors import UnreadableFile
from indexer.ingest.documents import digest_of, documents_of
from indexer.ingest.files import ARTICLE_SIZE, FoundFile, MovingFile, open_file, printable_path
from indexer.ingest.metadata.fields import FieldNames
from indexer.ingest.metadata.sidecars import Sidecars, is_sidecar
from indexer.ingest.readers.registry import Readers
from indexer.store.base import SeenFile
from indexer.store.reader import GenerationReader
from indexer.store.staging import StagedDocuments
from indexer.store.writer import GenerationWriter, PreparedArticle
from indexer.text.passages import split_document
from indexer.time_limit import TooSlow, time_limit, within_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleSource:
    """The articles of the next generation, and what `write_generation` needs to write them."""

    prepare: Callable[[Encoder], Iterator[PreparedArticle]]
    """Yield each article to write, split for the encoder's window."""
    fields: FieldNames = field(default_factory=dict)
    base: GenerationReader | None = None
    """The generation to begin with."""
    dropped: Collection[str] = ()
    """Ids of the documents of `base` that are not carried over."""
    needs_model: bool = True
    """False where no article is written, because the build only removes documents."""
    save_state: Callable[[GenerationWriter], None] = lambda _writer: None
    """Write further facts that the next build needs into the generation."""


class Changes:
    """The changed articles of an archive, read and prepared for the next generation."""

    def __init__(
        self,
        archive: Path,
        fields: FieldNames,
        secret: bytes,
        base: GenerationReader | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.archive, self.fields, self.base = archive, fields, base
        self.files: dict[str, SeenFile] = {}
        self.dropped: Collection[str] = ()
        """Ids of the documents of `base` that are not carried over; known after `read`."""
        self._secret, self._progress = secret, progress
        self._failures: dict[str, list[tuple[str, str]]] = {}
        self._repeated: dict[str, tuple[int, dict[int, int]]] = {}
        self._staged = StagedDocuments(base.folder if base else None)
        self._read_bytes = self._all_bytes = 0

    def source(self) -> ArticleSource:
        """Return the articles for `write_generation`; call `read` first."""
        return ArticleSource(
            prepare=self.prepare,
            fields=self.fields,
            base=self.base,
            dropped=self.dropped,
            needs_model=bool(self._staged.count_to_write()),
            save_state=self.save_state,
        )

    def read(
        self, files: Sequence[FoundFile], hashes: Mapping[str, str | UnreadableFile] | None = None
    ) -> None:
        """Read every file of the archive that has changed since `base`, and record refused files and records.

        `hashes` has for each file, by path, its sha256 or the error why it cannot be read. It is needed only
        where there is a base.
        """
        sidecars = Sidecars(self.archive, files, self.fields)
        to_read = self._files_to_read(files, hashes or {}, sidecars)
        by_path = {printable_path(file.path): file for file in files}
        with Readers(self.fields) as readers:
            while True:
                self._read_files(to_read, readers, sidecars)
                self._count_lines()
                to_read = [by_path[path] for path in sorted(self._staged.files_with_crossed_lines())]
                if not to_read:
                    break
        self.dropped = self._staged.plan_changes()

    def _files_to_read(
        self, files: Sequence[FoundFile], hashes: Mapping[str, str | UnreadableFile], sidecars: Sidecars
    ) -> list[FoundFile]:
        """Return the files to read; take over the state and the failures of the others from `base`."""
        states = self.base.files() if self.base else {}
        to_read = []
        # Sort by folder: a sidecar that is a table is read once for all files of its folder.
        for file in sorted(files, key=lambda file: file.path.rpartition("/")[0]):
            path = printable_path(file.path)
            sidecar_hash, state = sidecars.said_of(file.path), states.get(path)
            if (
                state
                and (state.sha256, state.sidecar_hash) == (hashes[path], sidecar_hash)
                and not is_sidecar(file.path)  # always read: whether it is valid depends on other files
            ):
                self.files[path] = state
            else:
                self.files[path] = SeenFile(None, None, sidecar_hash)
                to_read.append(file)
        for path in states.keys() - self.files.keys():
            self._staged.forget(path)
        for path, record, reason in self.base.failures() if self.base else ():
            self._failures.setdefault(path, []).append((record, reason))
        return sorted(to_read, key=lambda file: os.fsencode(file.path))

    def _read_files(self, files: Sequence[FoundFile], readers: Readers, sidecars: Sidecars) -> None:
        sizes = [_size(file) for file in files]
        self._all_bytes += sum(sizes)
        for file, size in zip(files, sizes, strict=True):
            bytes_before = self._read_bytes

            def advance(count: int, bytes_before: int = bytes_before, size: int = size) -> None:
                self._report_progress("reading", bytes_before + min(count, size), self._all_bytes)

            self._read_file(file, readers, sidecars, advance)
            self._read_bytes += size
            self._report_progress("reading", self._read_bytes, self._all_bytes)

    def _read_file(
        self, file: FoundFile, readers: Readers, sidecars: Sidecars, advance: Callable[[int], None]
    ) -> None:
        path, sha256 = printable_path(file.path), None
        sidecar_hash = self.files[path].sidecar_hash
        failures = list[tuple[str, str]]()
        self._staged.forget(path)
        self._failures.pop(path, None)
        try:
            with self._staged.whole_file(), open_file(file, self.archive, advance) as source:
                sha256 = source.sha256
                if is_sidecar(file.path):
                    sidecars.check(file)
                else:
                    results = documents_of(source, readers, sidecars, self._staged.has)
                    for result in within_limit(results, min(_size(file), ARTICLE_SIZE)):
                        if isinstance(result, FailedFile):
                            failures.append((result.path, result.reason))
                        else:
                            self._staged.add(result, digest_of(result), *line_keys(result.text, self._secret))
        except UnreadableFile as error:
            sha256 = None if isinstance(error, MovingFile) else sha256
            self.files[path] = SeenFile(sha256, str(error), sidecar_hash)
            return
        self.files[path] = SeenFile(sha256, None, sidecar_hash)
        if failures:
            self._failures[path] = failures

    def _count_lines(self) -> None:
        """Find the lines that many articles of a source share, and those that have crossed the threshold."""
        for source in self._staged.sources():
            articles = self._staged.articles(source)
            repeated = self._staged.repeated_lines(source, least_articles(articles))
            self._repeated[source] = articles, repeated
            self._staged.mark_threshold_crossings(source, repeated)

    def prepare(self, encoder: Encoder) -> Iterator[PreparedArticle]:
        """Yield each article to write, cut and split for the encoder's window.

        An article that takes too long is listed with the reason instead.
        """
        total = self._staged.count_to_write()
        for done, (document, digest, longest_lines_key) in enumerate(self._staged.to_write()):
            self._report_progress("cutting", done, total)
            _, repeated = self._repeated[document.source]
            try:
                with time_limit(len(document.text)):
                    cleaned, cuts = clean(document, repeated, self._secret)
                    article = split_document(cleaned, encoder.count_tokens, encoder.window, cuts)
            except TooSlow as error:
                failure = (document.doc_id, str(error))
                self._failures.setdefault(printable_path(document.file.path), []).append(failure)
                continue
            yield PreparedArticle(
                article,
                digest,
                longest_lines_key,
                self._staged.line_keys(document.doc_id),
                {
                    cut.line: line_key(document.text[cut.start : cut.end], self._secret)
                    for cut in cuts
                    if cut.articles
                },
            )
        self._report_progress("cutting", total, total)

    def save_state(self, writer: GenerationWriter) -> None:
        """Write into the generation the state of the files and the repeated lines of each source."""
        for document in self._staged.metadata_updates():
            writer.update_metadata(document)
        writer.set_files(
            self.files,
            ((path, *failure) for path in self.files for failure in self._failures.get(path, ())),
        )
        for source, (articles, repeated) in self._repeated.items():
            writer.set_repeated_lines(source, articles, repeated)

    def close(self) -> None:
        """Remove the staged documents."""
        self._staged.close()

    def _report_progress(self, stage: str, done: int, total: int) -> None:
        if self._progress and total:
            self._progress(stage, done, total)


def _size(file: FoundFile) -> int:
    with suppress(OSError):
        return file.location.stat().st_size
    return 0
