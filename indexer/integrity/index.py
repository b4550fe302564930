"""Whether an index is what it says: its files, passages, vectors and terms, and the vector cache."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.boilerplate.layout import blank_cut_lines
from indexer.datatypes import Document, SplitDocument
from indexer.embedding.encoder import Encoder, find_model, key_of
from indexer.embedding.language_neutral import NeutralSpace
from indexer.errors import IndexDamaged, ModelError, UnreadableFile
from indexer.ingest.documents import digest_of, documents_by_id
from indexer.ingest.files import FoundFile, find_files, open_file, printable_path
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.registry import Readers
from indexer.integrity.consistency import term_faults, vector_faults
from indexer.settings import DEFAULT_INDEX, READING_VERSION
from indexer.store.base import Row
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.vector_cache import VectorCache
from indexer.text.lines import LineNumbers
from indexer.text.passages import embedded_text

ENCODED = 32  # passages whose vectors are made anew where the cache does not hold them
SHOWN = 3  # articles of one fault that are named

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it should be: where, what, and how it is mended."""

    where: str
    """A generation's name, "index" or "cache"."""
    part: str
    """What is wrong there: index, files, articles, passages, vectors, terms or cache."""
    fact: str
    remedy: str


@dataclass
class Verification:
    """What was looked at and what was found."""

    generations: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    articles: int = 0
    """Compared with their files, over all generations; those that two share are counted once."""
    changed: list[str] = field(default_factory=list)
    """Files that are other than they were when the newest whole generation was built, or gone: no fault."""
    archive: str | None = None
    """Where the files were looked for; None where that folder is gone."""
    vectors: int = 0
    """Compared with the cache."""
    encoded: int = 0
    """Compared with what the model makes of their passages now."""
    unchecked: int = 0
    """Of unit length and in a file that is as it was, but neither in the cache nor encoded again."""
    cached: int = 0
    """Vectors in the cache."""

    @property
    def whole(self) -> bool:
        return not self.faults


def verify_index(
    index: str | Path = DEFAULT_INDEX,
    archive: str | Path | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Look at every part of an index and at the files it was made of.

    >>> found = verify_index("index")
    >>> found.whole, found.articles, found.faults
    (True, 2, [])

    `archive` is where those are, if not where they were when it was built. Raises NoIndex where nothing
    was built, and IndexUnusable where the folder is not ours or of another make.
    """
    folder = IndexFolder(Path(index))
    with folder.exclude_builds():
        return _Verifier(folder, Path(archive) if archive else None, progress or (lambda *_: None)).run()


class _Verifier:
    """One run over an index; finds faults and goes on."""

    def __init__(self, folder: IndexFolder, archive: Path | None, progress: Progress) -> None:
        self.folder, self.archive, self.progress = folder, archive, progress
        self.found = Verification()
        self._compared: dict[str, bytes] = {}
        self._first = True  # of the generations that can be opened: what it is compared with is of today

    def run(self) -> Verification:
        self.folder.check_ours()
        for fact in self.folder.pointer_faults():
            self._fault("index", "index", fact, f"Run: {self.folder.build_command}")
        names = self.folder.candidates()
        if not names and not self.found.faults:
            raise self.folder.no_index()
        cache = self._cache()
        try:
            for name in names:
                self.found.generations.append(name)
                self._generation(name, cache)
        finally:
            if cache:
                cache.close()
        return self.found

    def _fault(self, where: str, part: str, fact: str, remedy: str | None = None) -> None:
        self.found.faults.append(Fault(where, part, fact, remedy or f"Run: {self.folder.rebuild_command}"))

    def _cache(self) -> VectorCache | None:
        """Open the vector cache and look at all of it; None where there is none that can be read."""
        if not self.folder.cache.exists():
            return None
        try:
            cache = VectorCache.existing(self.folder.cache)
        except OSError as error:
            self._fault("cache", "cache", str(error))
            return None
        facts = list(cache.damages())
        for fact in facts:
            self._fault("cache", "cache", fact)
        if not facts:
            self.found.cached = len(cache)
        return cache

    def _generation(self, name: str, cache: VectorCache | None) -> None:
        try:
            manifest = self.folder.manifest(name)
        except IndexDamaged as error:
            remedy = None
            if name != self.found.generations[0]:
                remedy = f"Nothing needs it and nothing proves whose it is: remove {self.folder.folder(name)}"
            self._fault(name, "files", error.fact, remedy)
            return
        damages = list(self.folder.damages(manifest))
        for fact in damages:
            self._fault(name, "files", fact)
        if damages:
            return
        try:
            store = GenerationReader.open_generation(self.folder, name, hashed=True)
        except IndexDamaged as error:
            self._fault(name, "files", error.fact)
            return
        with closing(store):
            try:
                store.check_counts()
            except ValueError as error:
                self._fault(name, "files", str(error))
                return
            self._articles(name, store)
            for fact in term_faults(store, self._told(f"terms of {name[-8:]}", store)):
                self._fault(name, "terms", fact)
            self._vectors(name, store, cache)

    def _told(self, stage: str, store: GenerationReader) -> Callable[[int], None]:
        total = store.size()[1]
        return lambda done: self.progress(stage, done, total)

    # -- articles against their files

    def _articles(self, name: str, store: GenerationReader) -> None:
        """Compare every article with its passages, and with its file where that is as it was."""
        first, self._first = self._first, False
        archive = self.archive or store.archive
        found = list(find_files(archive)) if archive.is_dir() else []
        if first:
            self.found.archive = str(archive) if archive.is_dir() else None
        by_path = {printable_path(file.path): file for file in found}
        sidecars, seen, digests = Sidecars(archive, found, store.fields), store.files(), store.digests()
        ranges, others, gone = list[str](), list[str](), list[str]()
        paths = store.documents_by_file()
        alike = store.manifest.settings.get("reading_version") == READING_VERSION
        with Readers(store.fields) as readers:
            for done, (path, doc_ids) in enumerate(paths.items(), 1):
                articles = {doc_id: store.article(doc_id) for doc_id in doc_ids}
                ranges += [doc_id for doc_id, article in articles.items() if not _has_true_ranges(article)]
                fingerprints = {
                    doc_id: digests[doc_id] + repr((article.passages, article.cuts)).encode()
                    for doc_id, article in articles.items()
                    if article
                }
                if not self._compared.items() >= fingerprints.items():
                    said = sidecars.said_of(path) if path in by_path else ""
                    drafts = _drafts(by_path.get(path), archive, readers, sidecars, seen[path].sha256)
                    if drafts is None or said != seen[path].sidecar_hash:
                        gone.append(path)
                    elif alike:
                        others += [
                            doc_id
                            for doc_id, article in articles.items()
                            if not _is_of(article, drafts.get(doc_id), digests[doc_id])
                        ]
                        self.found.articles += len(doc_ids)
                        self._compared |= fingerprints
                self.progress(f"articles of {name[-8:]}", done, len(paths))
        if first:
            self.found.changed = gone if self.found.archive else []
        if ranges:
            self._fault(name, "passages", f"{_named(ranges)} with passages that are no true ranges of them")
        if others:
            self._fault(name, "articles", f"{_named(others)} that are not what their files say")

    # -- vectors

    def _vectors(self, name: str, store: GenerationReader, cache: VectorCache | None) -> None:
        made = store.manifest.settings
        space_path = store.space_path()
        space = NeutralSpace.load(space_path) if space_path else None
        source = _VectorSource(cache, made, store.size()[1])

        def vectors_of(rows: Sequence[Row]) -> tuple[Sequence[int], NDArray[np.float32]]:
            places, vectors = source.vectors_of(rows)
            return places, space.apply(vectors, "passage") if space and places else vectors

        def named(title: str, text: str) -> bytes:
            return key_of(made["weights"], made["prompts"]["document"], embedded_text(title, text))

        for fact in vector_faults(store, named, vectors_of, self._told(f"vectors of {name[-8:]}", store)):
            self._fault(name, "vectors", fact)
        self.found.vectors += source.cached
        self.found.encoded += source.encoded
        self.found.unchecked += source.unknown


class _VectorSource:
    """What the vectors of passages should be: from the cache, and of some of the others from the model."""

    def __init__(self, cache: VectorCache | None, made_with: Mapping[str, Any], passages: int) -> None:
        self.cached = self.encoded = self.unknown = 0
        self._cache, self._made_with = cache, made_with
        self._every = max(1, passages // ENCODED)
        self._model: Encoder | None = None
        self._looked = False

    def vectors_of(self, rows: Sequence[Row]) -> tuple[list[int], NDArray[np.float32]]:
        known = self._cache.known([each.vector_key for each in rows]) if self._cache else {}
        self.cached += sum(each.vector_key in known for each in rows)
        missing = [each for each in rows if each.vector_key not in known]
        wanted = [each for each in missing if each.row % self._every == 0]
        encoder = self._encoder() if wanted else None
        if encoder:
            vectors = encoder.encode_passages(
                [embedded_text(each.document.title, each.text) for each in wanted]
            )
            known |= {each.vector_key: vector for each, vector in zip(wanted, vectors, strict=True)}
            self.encoded += len(wanted)
        self.unknown += len(missing) - (len(wanted) if encoder else 0)
        places = [at for at, each in enumerate(rows) if each.vector_key in known]
        return places, np.array([known[rows[at].vector_key] for at in places], np.float32)

    def _encoder(self) -> Encoder | None:
        """Open the model that the index was built with; None where this machine does not have it."""
        if not self._looked:
            self._looked = True
            try:
                model = find_model(self._made_with["model"])
                self._model = model.open() if model.weights == self._made_with["weights"] else None
            except ModelError:
                self._model = None
        return self._model


def _drafts(
    file: FoundFile | None, archive: Path, readers: Readers, sidecars: Sidecars, sha256: str | None
) -> dict[str, Document] | None:
    """Return the documents of a file as a build would read them; None where it is not what it was."""
    if file is None:
        return None
    try:
        with open_file(file, archive) as source:
            return documents_by_id(source, readers, sidecars) if source.sha256 == sha256 else None
    except UnreadableFile:
        return None


def _is_of(article: SplitDocument | None, draft: Document | None, digest: bytes) -> bool:
    """Whether an indexed article is what its file says, but for the lines that were cut."""
    if article is None or draft is None or digest_of(draft) != digest:
        return False
    return blank_cut_lines(draft.text, article.cuts) == article.document.text


def _has_true_ranges(article: SplitDocument | None) -> bool:
    """Whether an article's passages are ranges of its text, in order, over no cut line, on their lines."""
    if article is None:
        return False
    text, at = article.document.text, 0
    lines = LineNumbers(text)
    for passage in article.passages:
        if not at <= passage.start < passage.end <= len(text):
            return False
        if any(cut.start < passage.end and passage.start < cut.end for cut in article.cuts):
            return False
        if (passage.line_start, passage.line_end) != lines.of(passage.start, passage.end):
            return False
        at = passage.end
    return True


def _named(doc_ids: Sequence[str]) -> str:
    more = f" and {len(doc_ids) - SHOWN:,} more" if len(doc_ids) > SHOWN else ""
    return f"{len(doc_ids):,} articles ({', '.join(doc_ids[:SHOWN])}{more})"
