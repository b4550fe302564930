"""What a build takes in: the files that are not as they were, their lines counted, then cut and split.

Cutting needs to know in how many articles of its source a line stands, so every such file is read
before the first article is cut. Between the two the articles are staged on the disk; nothing here
grows with the archive but the numbers of its files and of its repeated lines. Where a line becomes
furniture, or is none any more, the articles that hold it are read anew and cut again.
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
from indexer.ingest.files import FoundFile, MovingFile, open_file, printable_path
from indexer.ingest.metadata.fields import FieldNames
from indexer.ingest.metadata.sidecars import Sidecars, is_sidecar
from indexer.ingest.readers.registry import Readers
from indexer.store.base import SeenFile
from indexer.store.reader import GenerationReader
from indexer.store.staging import StagedDocuments
from indexer.store.writer import GenerationWriter, PreparedArticle
from indexer.text.passages import split_document


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleSource:
    """What the next generation is made of, for `write_generation`."""

    prepare: Callable[[Encoder], Iterator[PreparedArticle]]
    """Yield each article that is to be written, split for the encoder's window."""
    fields: FieldNames = field(default_factory=dict)
    base: GenerationReader | None = None
    """The generation to begin with."""
    dropped: Collection[str] = ()
    """The ids of its documents that are not carried over."""
    needs_model: bool = True
    """False where nothing is to be written, since documents are only taken away."""
    save_state: Callable[[GenerationWriter], None] = lambda _writer: None
    """Write what else the next build must know into the generation."""


class Changes:
    """An archive's articles for the next generation, as far as `base` does not hold them as they are."""

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
        """The ids of documents that the next generation does not take over from `base`."""
        self._secret, self._progress = secret, progress
        self._failures: dict[str, list[tuple[str, str]]] = {}
        self._repeated: dict[str, tuple[int, dict[int, int]]] = {}
        self._staged = StagedDocuments(base.folder if base else None)
        self._read_bytes = self._all_bytes = 0

    def source(self) -> ArticleSource:
        """Return what the next generation is made of, once `read` is done."""
        return ArticleSource(
            prepare=self.prepare,
            fields=self.fields,
            base=self.base,
            dropped=self.dropped,
            needs_model=bool(self._staged.count_to_write()),
            save_state=self.save_state,
        )

    def read(
        self, found: Sequence[FoundFile], hashes: Mapping[str, str | UnreadableFile] | None = None
    ) -> None:
        """Read every file of the archive that is not as `base` holds it; what is refused is noted.

        `hashes` has the sha256 of each file, by path, where there is a base, or why there is none.
        """
        sidecars = Sidecars(self.archive, found, self.fields)
        fresh = self._not_as_before(found, hashes or {}, sidecars)
        by_path = {printable_path(file.path): file for file in found}
        with Readers(self.fields) as readers:
            while True:
                self._read_files(fresh, readers, sidecars)
                self._count_lines()
                fresh = [by_path[path] for path in sorted(self._staged.files_with_crossed_lines())]
                if not fresh:
                    break
        self.dropped = self._staged.plan_changes()

    def _not_as_before(
        self, found: Sequence[FoundFile], hashes: Mapping[str, str | UnreadableFile], sidecars: Sidecars
    ) -> list[FoundFile]:
        """Return the files to read, and take over what is known of the others and of their records."""
        known = self.base.files() if self.base else {}
        fresh = []
        # By folder: a table of files is read once for all files of its folder.
        for file in sorted(found, key=lambda each: each.path.rpartition("/")[0]):
            path = printable_path(file.path)
            sidecar_hash, before = sidecars.said_of(file.path), known.get(path)
            if (
                before
                and (before.sha256, before.sidecar_hash) == (hashes[path], sidecar_hash)
                and not is_sidecar(file.path)  # what it is worth depends on other files
            ):
                self.files[path] = before
            else:
                self.files[path] = SeenFile(None, None, sidecar_hash)
                fresh.append(file)
        for path in known.keys() - self.files.keys():
            self._staged.forget(path)
        for path, record, reason in self.base.failures() if self.base else ():
            self._failures.setdefault(path, []).append((record, reason))
        return sorted(fresh, key=lambda each: os.fsencode(each.path))

    def _read_files(self, files: Sequence[FoundFile], readers: Readers, sidecars: Sidecars) -> None:
        sizes = [_size(file) for file in files]
        self._all_bytes += sum(sizes)
        for file, size in zip(files, sizes, strict=True):
            before = self._read_bytes

            def advance(count: int, before: int = before, size: int = size) -> None:
                self._tell("reading", before + min(count, size), self._all_bytes)

            self._read_file(file, readers, sidecars, advance)
            self._read_bytes += size
            self._tell("reading", self._read_bytes, self._all_bytes)

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
                    for each in documents_of(source, readers, sidecars, self._staged.has):
                        if isinstance(each, FailedFile):
                            failures.append((each.path, each.reason))
                        else:
                            self._staged.add(each, digest_of(each), *line_keys(each.text, self._secret))
        except UnreadableFile as error:
            sha256 = None if isinstance(error, MovingFile) else sha256
            self.files[path] = SeenFile(sha256, str(error), sidecar_hash)
            return
        self.files[path] = SeenFile(sha256, None, sidecar_hash)
        if failures:
            self._failures[path] = failures

    def _count_lines(self) -> None:
        """Find the lines that stand in many articles, and those that have crossed that threshold."""
        for source in self._staged.sources():
            articles = self._staged.articles(source)
            repeated = self._staged.repeated_lines(source, least_articles(articles))
            self._repeated[source] = articles, repeated
            self._staged.mark_threshold_crossings(source, repeated)

    def prepare(self, encoder: Encoder) -> Iterator[PreparedArticle]:
        """Yield each article that is to be written, cut and split for the encoder's window."""
        total = self._staged.count_to_write()
        for done, (document, digest, longest_lines_key) in enumerate(self._staged.to_write()):
            self._tell("cutting", done, total)
            _, repeated = self._repeated[document.source]
            cleaned, cuts = clean(document, repeated, self._secret)
            yield PreparedArticle(
                split_document(cleaned, encoder.count_tokens, encoder.window, cuts),
                digest,
                longest_lines_key,
                self._staged.line_keys(document.doc_id),
                {
                    cut.line: line_key(document.text[cut.start : cut.end], self._secret)
                    for cut in cuts
                    if cut.articles
                },
            )
        self._tell("cutting", total, total)

    def save_state(self, writer: GenerationWriter) -> None:
        """Have the generation hold what was seen of the files, and which lines stand in many articles."""
        for document in self._staged.metadata_updates():
            writer.update_metadata(document)
        writer.set_files(
            self.files,
            ((path, *each) for path in self.files for each in self._failures.get(path, ())),
        )
        for source, (articles, repeated) in self._repeated.items():
            writer.set_repeated_lines(source, articles, repeated)

    def close(self) -> None:
        """Remove the staged documents."""
        self._staged.close()

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self._progress and total:
            self._progress(stage, done, total)


def _size(file: FoundFile) -> int:
    with suppress(OSError):
        return file.location.stat().st_size
    return 0
