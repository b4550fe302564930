"""Verification of an index: its files, passages, vectors and terms, the vector cache, and the archive."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.boilerplate.layout import blank_cut_lines
from indexer.datatypes import Document, Progress, SplitDocument
from indexer.embedding.encoder import Encoder, find_model, key_of
from indexer.embedding.language_neutral import NeutralSpace
from indexer.embedding.titles import with_titles
from indexer.errors import IndexDamaged, ModelError, UnreadableFile
from indexer.ingest.documents import digest_of, documents_by_id
from indexer.ingest.files import FoundFile, find_files, open_file, printable_path
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.registry import Readers
from indexer.integrity.consistency import sentence_faults, term_faults, vector_faults
from indexer.settings import DEFAULT_INDEX, READING_VERSION
from indexer.store.base import Row
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.vector_cache import VectorCache
from indexer.text.lines import LineNumbers

ENCODED = 32  # about so many passages are encoded again where the cache lacks their vectors
SHOWN = 3  # articles of one fault that are listed by id; the others are counted


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong in an index: where, in which part, the fact, and the remedy."""

    where: str
    """A generation's name, "index" or "cache"."""
    part: str
    """The part with the fault: index, files, articles, passages, vectors, sentences, terms or cache."""
    fact: str
    remedy: str


@dataclass
class Verification:
    """The result of a verification: the faults, and counts of the parts that were compared."""

    generations: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    articles: int = 0
    """Articles compared with their files, over all generations; equal ones count once."""
    changed: list[str] = field(default_factory=list)
    """Files that have changed or gone since the newest undamaged generation was built; this is no fault."""
    archive: str | None = None
    """The folder of the files that were compared; None where it is gone."""
    vectors: int = 0
    """Vectors compared with the cache."""
    encoded: int = 0
    """Vectors compared with those that the model computes again."""
    unchecked: int = 0
    """Vectors that were compared neither with the cache nor with the model; their file has not changed."""
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
    """Verify every part of an index, and compare its articles with their files.

    >>> verification = verify_index("index")
    >>> verification.whole, verification.articles, verification.faults
    (True, 2, [])

    `archive` is the folder of these files, where it has moved since the build. Raises NoIndex where nothing
    was built, and IndexUnusable where the folder is not Warraq's or was built by another version.
    """
    folder = IndexFolder(Path(index))
    with folder.exclude_builds():
        return _Verifier(folder, Path(archive) if archive else None, progress or (lambda *_: None)).run()


class _Verifier:
    """One verification of an index; it records each fault and goes on."""

    def __init__(self, folder: IndexFolder, archive: Path | None, progress: Progress) -> None:
        self.folder, self.archive, self.progress = folder, archive, progress
        self.result = Verification()
        self._compared: dict[str, bytes] = {}
        """A fingerprint of each article that equals its file, by id."""
        # Changed files are reported only for the newest generation that can be opened.
        self._newest_pending = True

    def run(self) -> Verification:
        self.folder.check_ours()
        for fact in self.folder.pointer_faults():
            self._fault("index", "index", fact, f"Run: {self.folder.build_command}")
        names = self.folder.candidates()
        if not names and not self.result.faults:
            raise self.folder.no_index()
        cache = self._cache()
        try:
            for name in names:
                self.result.generations.append(name)
                self._generation(name, cache)
        finally:
            if cache is not None:
                cache.close()
        return self.result

    def _fault(self, where: str, part: str, fact: str, remedy: str | None = None) -> None:
        self.result.faults.append(Fault(where, part, fact, remedy or f"Run: {self.folder.rebuild_command}"))

    def _cache(self) -> VectorCache | None:
        """Open the vector cache and verify all of it; None where it is missing or cannot be read."""
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
            self.result.cached = len(cache)
        return cache

    def _generation(self, name: str, cache: VectorCache | None) -> None:
        try:
            manifest = self.folder.manifest(name)
        except IndexDamaged as error:
            remedy = None
            if name != self.result.generations[0]:
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
            for fact in term_faults(store, self._progress_callback(f"terms of {name[-8:]}", store)):
                self._fault(name, "terms", fact)
            self._vectors(name, store, cache)

    def _progress_callback(self, stage: str, store: GenerationReader) -> Callable[[int], None]:
        total = store.size()[1]
        return lambda done: self.progress(stage, done, total)

    # -- articles against their files

    def _articles(self, name: str, store: GenerationReader) -> None:
        """Compare every article with its passages and, where its file has not changed, with its file."""
        is_newest, self._newest_pending = self._newest_pending, False
        archive = self.archive or store.archive
        comparison = _ArticleComparison(archive, store, self._compared)
        if is_newest:
            self.result.archive = str(archive) if archive.is_dir() else None
        documents_by_file = store.documents_by_file()
        with Readers(store.fields) as readers:
            for done, (path, doc_ids) in enumerate(documents_by_file.items(), 1):
                comparison.compare(path, doc_ids, readers)
                self.progress(f"articles of {name[-8:]}", done, len(documents_by_file))
        self.result.articles += comparison.articles
        if is_newest:
            self.result.changed = comparison.changed if self.result.archive else []
        if comparison.wrong_ranges:
            names = _listed(comparison.wrong_ranges)
            self._fault(name, "passages", f"{names} with passages that are no true ranges of them")
        if comparison.different:
            self._fault(
                name, "articles", f"{_listed(comparison.different)} that are not what their files say"
            )

    # -- vectors

    def _vectors(self, name: str, store: GenerationReader, cache: VectorCache | None) -> None:
        built_with = store.manifest.settings
        space = store.space(NeutralSpace.load)
        source = _VectorSource(cache, built_with, store.size()[1])

        def vectors_of(rows: Sequence[Row]) -> tuple[Sequence[int], NDArray[np.float32]]:
            places, vectors, titles = source.vectors_of(rows)
            if not places:
                return places, vectors
            if space:
                has_title = titles.any(axis=1)
                vectors = space.apply(vectors, "passage")
                titles[has_title] = space.apply(titles[has_title], "passage")
            return places, with_titles(vectors, titles)

        def expected_key(text: str) -> bytes:
            return key_of(
                built_with["weights"], built_with["backend"], built_with["prompts"]["document"], text
            )

        def cached_vectors(keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
            known = cache.known(list(keys)) if cache is not None else {}
            if not space or not known:
                return known
            return dict(zip(known, space.apply(np.stack(list(known.values())), "passage"), strict=True))

        stage = self._progress_callback(f"vectors of {name[-8:]}", store)
        for fact in vector_faults(store, expected_key, vectors_of, stage):
            self._fault(name, "vectors", fact)
        stage = self._progress_callback(f"sentences of {name[-8:]}", store)
        for fact in sentence_faults(store, expected_key, cached_vectors, stage):
            self._fault(name, "sentences", fact)
        self.result.vectors += source.cached
        self.result.encoded += source.encoded
        self.result.unchecked += source.unknown


class _ArticleComparison:
    """The articles of one generation, compared with their passages and with their files."""

    def __init__(self, archive: Path, store: GenerationReader, compared: dict[str, bytes]) -> None:
        self.articles = 0
        """Articles that were compared with their files."""
        self.wrong_ranges: list[str] = []
        """Ids of the articles whose passages are not ranges of their text."""
        self.different: list[str] = []
        """Ids of the articles that differ from their files."""
        self.changed: list[str] = []
        """Files that have changed since the build, or are gone."""
        files = list(find_files(archive)) if archive.is_dir() else []
        self._archive, self._store, self._compared = archive, store, compared
        self._files = {printable_path(file.path): file for file in files}
        self._sidecars = Sidecars(archive, files, store.fields)
        self._states, self._digests = store.files(), store.digests()
        # Another version may read the same file differently, so its articles cannot be compared.
        self._is_comparable = store.manifest.settings.get("reading_version") == READING_VERSION

    def compare(self, path: str, doc_ids: Sequence[str], readers: Readers) -> None:
        """Compare the articles of one file."""
        articles = {doc_id: self._store.article(doc_id) for doc_id in doc_ids}
        self.wrong_ranges += [doc_id for doc_id, article in articles.items() if not _has_true_ranges(article)]
        fingerprints = self._fingerprints(articles)
        if self._compared.items() >= fingerprints.items():
            return  # a newer generation holds the same articles
        documents = self._unchanged_documents(path, readers)
        if documents is None:
            self.changed.append(path)
        elif self._is_comparable:
            self.different += [
                doc_id
                for doc_id, article in articles.items()
                if not _equals_document(article, documents.get(doc_id), self._digests[doc_id])
            ]
            self.articles += len(doc_ids)
            self._compared |= fingerprints

    def _fingerprints(self, articles: Mapping[str, SplitDocument | None]) -> dict[str, bytes]:
        """Return for each article, by id, bytes that are equal for equal articles."""
        return {
            doc_id: self._digests[doc_id] + repr((article.passages, article.cuts)).encode()
            for doc_id, article in articles.items()
            if article
        }

    def _unchanged_documents(self, path: str, readers: Readers) -> dict[str, Document] | None:
        """Return the documents of a file; None where it or its sidecars have changed since the build."""
        sidecar_hash = self._sidecars.said_of(path) if path in self._files else ""
        state = self._states[path]
        documents = _documents(self._files.get(path), self._archive, readers, self._sidecars, state.sha256)
        return documents if sidecar_hash == state.sidecar_hash else None


class _VectorSource:
    """The expected vectors of passages: from the cache and, for a sample of the others, from the model."""

    def __init__(self, cache: VectorCache | None, built_with: Mapping[str, Any], passages: int) -> None:
        self.cached = self.encoded = self.unknown = 0
        self._cache, self._built_with = cache, built_with
        self._every = max(1, passages // ENCODED)
        self._model: Encoder | None = None
        self._has_looked = False

    def vectors_of(self, rows: Sequence[Row]) -> tuple[list[int], NDArray[np.float32], NDArray[np.float32]]:
        """Return the positions of the rows with known vectors, these vectors, and those of their titles.

        A row without a title has zeros in its place.
        """
        vectors = self._cached(rows)
        vectors |= self._encoded([row for row in rows if not _has_vectors(row, vectors)])
        known = [(position, row) for position, row in enumerate(rows) if _has_vectors(row, vectors)]
        passages = np.array([vectors[row.vector_key] for _, row in known], np.float32)
        no_title = np.zeros(passages.shape[1:], np.float32)
        titles = [vectors[row.title_key] if row.title_key else no_title for _, row in known]
        return [position for position, _ in known], passages, np.array(titles, np.float32)

    def _cached(self, rows: Sequence[Row]) -> dict[bytes, NDArray[np.float32]]:
        keys = [key for row in rows for key in (row.vector_key, row.title_key) if key]
        vectors = self._cache.known(keys) if self._cache is not None else {}
        self.cached += sum(_has_vectors(row, vectors) for row in rows)
        return vectors

    def _encoded(self, rows: Sequence[Row]) -> dict[bytes, NDArray[np.float32]]:
        """Encode the passages of a sample of these rows, and count the others as unknown."""
        sample = [row for row in rows if row.row % self._every == 0]
        encoder = self._encoder() if sample else None
        if not encoder:
            self.unknown += len(rows)
            return {}
        texts = {row.vector_key: row.text for row in sample}
        texts |= {row.title_key: row.document.title for row in sample if row.title_key}
        vectors = encoder.encode_passages(list(texts.values()))
        self.encoded += len(sample)
        self.unknown += len(rows) - len(sample)
        return dict(zip(texts, vectors, strict=True))

    def _encoder(self) -> Encoder | None:
        """Open the model that the index was built with; None where this machine does not have it."""
        if not self._has_looked:
            self._has_looked = True
            try:
                model = find_model(self._built_with["model"])
                self._model = model.open() if model.weights == self._built_with["weights"] else None
            except ModelError:
                self._model = None
        return self._model


def _has_vectors(row: Row, vectors: Mapping[bytes, NDArray[np.float32]]) -> bool:
    return row.vector_key in vectors and (row.title_key is None or row.title_key in vectors)


def _documents(
    file: FoundFile | None, archive: Path, readers: Readers, sidecars: Sidecars, sha256: str | None
) -> dict[str, Document] | None:
    """Return the documents of a file as a build reads them; None where the file has changed or is gone."""
    if file is None:
        return None
    try:
        with open_file(file, archive) as source:
            return documents_by_id(source, readers, sidecars) if source.sha256 == sha256 else None
    except UnreadableFile:
        return None


def _equals_document(article: SplitDocument | None, document: Document | None, digest: bytes) -> bool:
    """Return whether an indexed article equals a document of its file, apart from the lines that were cut."""
    if article is None or document is None or digest_of(document) != digest:
        return False
    return blank_cut_lines(document.text, article.cuts) == article.document.text


def _has_true_ranges(article: SplitDocument | None) -> bool:
    """Return whether the passages are ranges of the text: in order, on the right lines, without cut lines."""
    if article is None:
        return False
    text, previous_end = article.document.text, 0
    lines = LineNumbers(text)
    for passage in article.passages:
        if not previous_end <= passage.start < passage.end <= len(text):
            return False
        if any(cut.start < passage.end and passage.start < cut.end for cut in article.cuts):
            return False
        if (passage.line_start, passage.line_end) != lines.of(passage.start, passage.end):
            return False
        previous_end = passage.end
    return True


def _listed(doc_ids: Sequence[str]) -> str:
    more = f" and {len(doc_ids) - SHOWN:,} more" if len(doc_ids) > SHOWN else ""
    return f"{len(doc_ids):,} articles ({', '.join(doc_ids[:SHOWN])}{more})"
