"""What a build takes in: the files that are not as they were, their lines counted, then cut and split.

Cutting needs to know in how many articles of its source a line stands, so every such file is read
before the first article is cut. Between the two the articles are drafts on the disk; nothing here
grows with the archive but the numbers of its files and of its repeated lines. Where a line becomes
furniture, or is none any more, the articles that hold it are read anew and cut again.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .datatypes import Article, FailedFile
from .errors import UnreadableFile
from .ingest.cleaning import clean, least_articles, line_key, line_keys
from .ingest.documents import digest_of, documents_of
from .ingest.fields import FieldNames
from .ingest.files import FoundFile, MovingFile, opened, printable
from .ingest.passages import split_document
from .ingest.readers import Readers
from .ingest.sidecars import Sidecars, is_sidecar
from .models.encoder import Encoder
from .store.base import SeenFile
from .store.drafts import Drafts
from .store.embedded import EmbeddedStore
from .store.writing import EmbeddedWriter, Entry

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and of how much: "checking" counts files, "reading" bytes of
files, "cutting" articles, "embedding" passages. What is to be read may grow while it is read."""


@dataclass
class Given:
    """Articles that were made elsewhere, for a generation that no build follows."""

    made: Iterable[Article]
    fields: FieldNames = field(default_factory=dict)
    base: None = None
    dropped: Collection[str] = ()

    def __len__(self) -> int:
        return 1  # or more: they are not counted before they are made

    def entries(self, _: Encoder) -> Iterator[Entry]:
        """Yield each article."""
        return map(Entry, self.made)

    def record(self, writer: EmbeddedWriter) -> None:
        """Record nothing: there are no files."""


class Intake:
    """An archive's articles for the next generation, as far as `base` does not hold them as they are."""

    def __init__(
        self,
        archive: Path,
        fields: FieldNames,
        secret: bytes,
        base: EmbeddedStore | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.archive, self.fields, self.base = archive, fields, base
        self.files: dict[str, SeenFile] = {}
        self.dropped: Collection[str] = ()
        """The ids of documents that the next generation does not take over from `base`."""
        self._secret, self._progress = secret, progress
        self._failures: dict[str, list[tuple[str, str]]] = {}
        self._repeated: dict[str, tuple[int, dict[int, int]]] = {}
        self._drafts = Drafts(base.folder if base else None)
        self._read_bytes = self._all_bytes = 0

    def __len__(self) -> int:
        """Count the articles that are to be cut and written."""
        return self._drafts.count_to_write()

    def read(
        self, found: Sequence[FoundFile], hashes: Mapping[str, str | UnreadableFile] | None = None
    ) -> None:
        """Read every file of the archive that is not as `base` holds it; what is refused is noted.

        `hashes` has the sha256 of each file, by path, where there is a base, or why there is none.
        """
        sidecars = Sidecars(self.archive, found, self.fields)
        fresh = self._not_as_before(found, hashes or {}, sidecars)
        by_path = {printable(file.path): file for file in found}
        with Readers(self.fields) as readers:
            while True:
                self._read_files(fresh, readers, sidecars)
                self._count_lines()
                fresh = [by_path[path] for path in sorted(self._drafts.holders())]
                if not fresh:
                    break
        self.dropped = self._drafts.settle()

    def _not_as_before(
        self, found: Sequence[FoundFile], hashes: Mapping[str, str | UnreadableFile], sidecars: Sidecars
    ) -> list[FoundFile]:
        """Return the files to read, and take over what is known of the others and of their records."""
        known = self.base.files() if self.base else {}
        fresh = []
        # By folder: a table of files is read once for all files of its folder.
        for file in sorted(found, key=lambda each: each.path.rpartition("/")[0]):
            path = printable(file.path)
            beside, before = sidecars.said_of(file.path), known.get(path)
            if (
                before
                and (before.sha256, before.beside) == (hashes[path], beside)
                and not is_sidecar(file.path)  # what it is worth depends on other files
            ):
                self.files[path] = before
            else:
                self.files[path] = SeenFile(None, None, beside)
                fresh.append(file)
        for path in known.keys() - self.files.keys():
            self._drafts.forget(path)
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
        path, sha256 = printable(file.path), None
        beside = self.files[path].beside
        failures = list[tuple[str, str]]()
        self._drafts.forget(path)
        self._failures.pop(path, None)
        try:
            with self._drafts.whole_file(), opened(file, self.archive, advance) as source:
                sha256 = source.sha256
                if is_sidecar(file.path):
                    sidecars.check(file)
                else:
                    for each in documents_of(source, readers, sidecars, self._drafts.has):
                        if isinstance(each, FailedFile):
                            failures.append((each.path, each.reason))
                        else:
                            self._drafts.add(each, digest_of(each), *line_keys(each.text, self._secret))
        except UnreadableFile as error:
            sha256 = None if isinstance(error, MovingFile) else sha256
            self.files[path] = SeenFile(sha256, str(error), beside)
            return
        self.files[path] = SeenFile(sha256, None, beside)
        if failures:
            self._failures[path] = failures

    def _count_lines(self) -> None:
        """Find the lines that stand in many articles, and those that have crossed that threshold."""
        for source in self._drafts.sources():
            articles = self._drafts.articles(source)
            repeated = self._drafts.repeated(source, least_articles(articles))
            self._repeated[source] = articles, repeated
            self._drafts.cross(source, repeated)

    def entries(self, encoder: Encoder) -> Iterator[Entry]:
        """Yield each article that is to be written, cut and split for the encoder's window."""
        total = len(self)
        for done, (draft, digest, longest) in enumerate(self._drafts.to_write()):
            self._tell("cutting", done, total)
            _, repeated = self._repeated[draft.source]
            document, cuts = clean(draft, repeated, self._secret)
            yield Entry(
                split_document(document, encoder.count_tokens, encoder.window, cuts),
                digest,
                longest,
                self._drafts.lines(draft.doc_id),
                {
                    cut.line: line_key(draft.text[cut.start : cut.end], self._secret)
                    for cut in cuts
                    if cut.articles
                },
            )
        self._tell("cutting", total, total)

    def record(self, writer: EmbeddedWriter) -> None:
        """Have the generation hold what was seen of the files, and which lines stand in many articles."""
        for document in self._drafts.to_touch():
            writer.touch(document)
        writer.set_files(
            self.files,
            ((path, *each) for path in self.files for each in self._failures.get(path, ())),
        )
        for source, (articles, repeated) in self._repeated.items():
            writer.set_repeated(source, articles, repeated)

    def close(self) -> None:
        """Let go of the drafts."""
        self._drafts.close()

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self._progress and total:
            self._progress(stage, done, total)


def _size(file: FoundFile) -> int:
    with suppress(OSError):
        return file.location.stat().st_size
    return 0
