"""Build an index: from an archive of files, or from prepared articles, to a new generation.

`build_index` reads and splits the articles that have changed since the current generation, embeds the
passages whose vectors are not cached, writes everything to a staging folder, checks it and switches to it.
If the archive has not changed, the index stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.boilerplate.line_secret import fingerprint, read_line_secret
from indexer.building.changes import ArticleSource, Changes
from indexer.building.examples import choose_examples
from indexer.datatypes import BuildReport, FailedFile, Progress, RepeatedLine, SplitDocument
from indexer.embedding.encoder import Encoder, find_model, vector_key
from indexer.embedding.language_neutral import (
    METHOD,
    ROLES,
    NeutralSpace,
    Role,
    Vectors,
    bundled_space,
    estimate,
    improves,
    read_sample,
)
from indexer.embedding.titles import with_titles
from indexer.errors import IndexUnusable, UnreadableFile
from indexer.ingest.files import FoundFile, find_files, hash_file, printable_path
from indexer.ingest.metadata.fields import FieldNames, check_names
from indexer.settings import (
    ANALYSIS_VERSION,
    DEFAULT_ARCHIVE,
    DEFAULT_INDEX,
    DEFAULT_MODEL,
    GENERATIONS_KEPT,
    READING_VERSION,
    SPLITTING_VERSION,
    Backend,
    BuildSettings,
    cache_dir,
)
from indexer.store.base import SeenFile
from indexer.store.folder import SPACE_FILE, IndexFolder
from indexer.store.manifest import Manifest
from indexer.store.reader import GenerationReader
from indexer.store.vector_cache import VectorCache
from indexer.store.writer import GenerationWriter, PassageKeys, Sentences
from indexer.text.passages import is_hard_wrapped, passage_texts
from indexer.text.sentences import split_sentences

ENCODED_AT_ONCE = 128  # passages between two commits of the vector cache; a crash loses at most this many
EMBEDDED_AT_ONCE = 2_048  # passages whose texts are sorted by length together
COPIED_AT_ONCE = 4_096  # vectors copied from the cache to the index at once


class Model(Protocol):
    """A model that can be identified before it is opened, since opening takes seconds."""

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def backend(self) -> Backend: ...
    def open(self) -> Encoder: ...


@dataclass(frozen=True, slots=True)
class WrittenGeneration:
    """A generation that was written and switched to."""

    manifest: Manifest
    encoded: int
    """Passages whose vectors were computed."""
    digests: dict[str, bytes]
    """The digest of each document, by id."""


def build_index(
    archive: str | Path = DEFAULT_ARCHIVE,
    index: str | Path = DEFAULT_INDEX,
    model: str | Model = DEFAULT_MODEL,
    *,
    rebuild: bool = False,
    fields: FieldNames | None = None,
    keep: int = GENERATIONS_KEPT,
    progress: Progress | None = None,
) -> BuildReport:
    """Bring the index of an archive up to date and return a report.

    >>> report = build_index("articles", "index")
    >>> report.documents, report.failed
    (2, ())

    `model` is the name or folder of a sentence-transformers model on this machine. An index of another
    archive, of another model or of another version of the program is rebuilt in place; `rebuild` does so
    in any case. Files that cannot be read are listed in the report and do not stop the build. `fields`
    maps Warraq's names of record fields to those of the archive; `keep` is the number of generations that
    stay, the new one included. Raises ArchiveError, ModelError, RequestError and IndexUnusable.
    """
    started = perf_counter()
    archive, index = Path(archive).resolve(), Path(index)
    model = find_model(model) if isinstance(model, str) else model
    fields = dict(fields or {})
    check_names(fields)
    files = list(find_files(archive))
    folder = IndexFolder(index)
    folder.prepare()
    secret = read_line_secret(cache_dir())
    with folder.lock(), _open_current(folder) as current:
        digests_before = current.digests() if current else {}
        base, hashes = None, dict[str, str | UnreadableFile]()
        if current and not rebuild and _can_extend(current.manifest, model, archive, fields, secret, files):
            base, hashes = current, _hashes(files, archive, progress)
            if not current.damage and _unchanged(hashes, current.files()):
                folder.remove_leftovers()
                return _report(current.manifest, digests_before, digests_before, encoded=0, started=started)
        with closing(Changes(archive, fields, secret, base, progress)) as changes:
            changes.read(files, hashes)
            written = write_generation(
                folder,
                changes.source(),
                model,
                str(archive),
                progress,
                line_secret=fingerprint(secret),
                earlier=folder.generations_to_keep(current.generation) if current else [],
                keep=keep,
            )
        return _report(
            written.manifest, written.digests, digests_before, encoded=written.encoded, started=started
        )


def write_generation(
    folder: IndexFolder,
    source: ArticleSource,
    model: Model,
    archive: str,
    progress: Progress | None = None,
    *,
    neutral: bool = True,
    line_secret: str = "",
    earlier: Sequence[str] = (),
    keep: int = GENERATIONS_KEPT,
) -> WrittenGeneration:
    """Write articles as the next generation and switch to it.

    `neutral` is False only in an evaluation, which measures the vectors of passages as the model gives them:
    without the language-neutral space, titles and sentences.
    `line_secret` is the fingerprint of the secret that line keys are made with. `earlier` names the
    generations that may stay with the new one; `keep` is how many stay in all.
    """
    base = source.base
    encoder = model.open() if base is None or source.needs_model else None
    with folder.staging_folder() as staging, VectorCache.open(folder.cache, mend=base is None) as cache:
        writer = GenerationWriter(staging, base, source.dropped)
        space = _write_space(staging, writer, base, encoder, cache, neutral=neutral)
        if encoder:
            for prepared in source.prepare(encoder):
                writer.add(prepared, list(_vector_keys(prepared.article, encoder, plain=not neutral)))
        source.save_state(writer)
        encoded = _embed(writer, encoder, cache, progress) if encoder else 0
        new_keys, digests, content = writer.new_keys(), writer.digests(), writer.content()
        settings = (
            _settings(model, encoder, source.fields, line_secret, neutral=space is not None)
            if encoder
            else dict(base.manifest.settings if base else {})
        )
        for first in range(writer.first_new, writer.rows, EMBEDDED_AT_ONCE):
            writer.set_sentence_vectors(
                _sentence_vectors(cache, writer.new_sentences(first, first + EMBEDDED_AT_ONCE), space)
            )
        if neutral:
            examples = choose_examples(writer, cache, space)
            content = replace(content, examples=[asdict(example) for example in examples])
        writer.finish(settings["dimension"], _vectors_in_order(cache, new_keys, space))
        manifest = folder.publish(
            staging,
            content,
            archive=archive,
            settings=settings,
            linked=writer.linked,
            check=lambda manifest: _check(folder, manifest),
            earlier=earlier,
            keep=keep,
        )
    return WrittenGeneration(manifest, encoded, digests)


def _settings(
    model: Model, encoder: Encoder, fields: FieldNames, line_secret: str, *, neutral: bool
) -> dict[str, Any]:
    return BuildSettings(
        model=model.name,
        weights=model.weights,
        backend=model.backend,
        dimension=encoder.dimension,
        prompts=encoder.prompts,
        window=encoder.window,
        language_neutral={"method": METHOD, "sample": read_sample().sha256, "used": neutral},
        fields=dict(fields),
        line_secret=line_secret,
    ).to_json()


def _check(folder: IndexFolder, manifest: Manifest) -> None:
    """Open a generation as a reader does, before the switch to it; its files have just been hashed."""
    with closing(GenerationReader.open_generation(folder, manifest.generation, hashed=True)) as store:
        store.check_counts()


def _vector_keys(article: SplitDocument, encoder: Encoder, *, plain: bool) -> Iterator[PassageKeys]:
    """Yield the keys of the vectors of each passage of an article; `plain` leaves out title and sentences."""
    title = article.document.title
    title_key = vector_key(encoder, title) if title else None
    wrapped = is_hard_wrapped(article.document.text)
    for text in passage_texts(article):
        key = vector_key(encoder, text)
        if plain:
            yield PassageKeys(key)
            continue
        ranges = split_sentences(text, wrapped=wrapped)
        sentences = Sentences(ranges, [vector_key(encoder, text[start:end]) for start, end in ranges])
        yield PassageKeys(key, None if text.startswith(title.removesuffix("…")) else title_key, sentences)


def _embed(writer: GenerationWriter, encoder: Encoder, cache: VectorCache, progress: Progress | None) -> int:
    """Encode the passages, titles and sentences whose vectors the cache lacks, each text once.

    Returns the number of passages among them.
    """
    total, before, encoded = writer.count_new_texts(), 0, 0

    def report(done: int) -> None:
        if progress:
            progress("embedding", done, total)

    for new in writer.new_texts(EMBEDDED_AT_ONCE):
        by_key = {text.key: text for text in reversed(new)}  # reversed: a passage before an equal sentence
        while missing := cache.missing(by_key):  # one pass, unless the cache turns out to be damaged
            # Sort by length: the texts of a batch are padded to the longest one.
            missing.sort(key=lambda key: by_key[key].end - by_key[key].start)
            for first in range(0, len(missing), ENCODED_AT_ONCE):
                report(before + len(new) - len(missing) + first)
                keys = missing[first : first + ENCODED_AT_ONCE]
                cache.put(keys, encoder.encode_passages(writer.texts([by_key[key] for key in keys])))
            encoded += sum(by_key[key].part == "passage" for key in missing)
        before += len(new)
    report(total)
    return encoded


def _sentence_vectors(
    cache: VectorCache, sentences: Sequence[tuple[int, Sentences]], space: NeutralSpace | None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the vectors of the sentences of each passage, with its row."""
    keys = [key for _, of_passage in sentences for key in of_passage.keys]
    if not keys:
        return
    vectors, first = _cached_vectors(cache, keys, space), 0
    for row, of_passage in sentences:
        yield row, vectors[first : first + len(of_passage.keys)]
        first += len(of_passage.keys)


def _vectors_in_order(
    cache: VectorCache, keys: Sequence[tuple[bytes, bytes | None]], space: NeutralSpace | None
) -> Iterator[NDArray[np.float32]]:
    """Yield the vectors of passages with their titles; `keys` has the keys of both for each passage."""
    for first in range(0, len(keys), COPIED_AT_ONCE):
        batch = keys[first : first + COPIED_AT_ONCE]
        vectors = _cached_vectors(cache, [key for key, _ in batch], space)
        title_keys = list(dict.fromkeys(key for _, key in batch if key))
        if title_keys:
            of_titles = dict(zip(title_keys, _cached_vectors(cache, title_keys, space), strict=True))
            no_title = np.zeros(vectors.shape[1], np.float32)
            vectors = with_titles(
                vectors, np.stack([of_titles[key] if key else no_title for _, key in batch])
            )
        yield vectors


def _cached_vectors(
    cache: VectorCache, keys: Sequence[bytes], space: NeutralSpace | None
) -> NDArray[np.float32]:
    """Return vectors (len(keys), d) from the cache, in the language-neutral space if there is one."""
    try:
        vectors = cache.get(keys)
    except KeyError:
        raise OSError("the vector cache was damaged while it was read; build again") from None
    return space.apply(vectors, "passage") if space else vectors


def _write_space(
    staging: Path,
    writer: GenerationWriter,
    base: GenerationReader | None,
    encoder: Encoder | None,
    cache: VectorCache,
    *,
    neutral: bool,
) -> NeutralSpace | None:
    """Save the language-neutral space of the vectors in the generation; returns it, or None without one."""
    if base:
        if path := base.space_path():
            writer.carry_over(path)
        return base.space(NeutralSpace.load)
    space = _neutral_space(encoder, cache) if neutral and encoder else None
    if space:
        space.save(staging / SPACE_FILE)
    return space


def _neutral_space(encoder: Encoder, cache: VectorCache) -> NeutralSpace | None:
    """Return the space of a model, estimated from the sample unless it ships; None where it does not help."""
    if shipped := bundled_space(encoder.weights):
        return shipped
    arabic, english = sample_vectors(encoder, cache)
    return estimate(arabic, english) if improves(arabic, english) else None


def sample_vectors(encoder: Encoder, cache: VectorCache) -> tuple[Vectors, Vectors]:
    """Return the vectors of the parallel sample, in Arabic and in English, through the cache."""
    sample = read_sample()
    arabic, english = (
        {role: _texts_in_role(encoder, cache, role, texts[role]) for role in ROLES}
        for texts in (sample.arabic, sample.english)
    )
    return arabic, english


def _texts_in_role(
    encoder: Encoder, cache: VectorCache, role: Role, texts: Sequence[str]
) -> NDArray[np.float32]:
    prompt, encode = {
        "passage": ("document", encoder.encode_passages),
        "question": ("query", encoder.encode_queries),
    }[role]
    keys = [vector_key(encoder, text, prompt) for text in texts]
    missing = cache.missing(keys)
    if missing:
        by_key = dict(zip(keys, texts, strict=True))
        cache.put(missing, encode([by_key[key] for key in missing]))
    return cache.get(keys)


@contextmanager
def _open_current(folder: IndexFolder) -> Iterator[GenerationReader | None]:
    """Yield a reader of the newest undamaged generation; None where no generation can be read."""
    try:
        store = GenerationReader.open(folder)
    except IndexUnusable:
        yield None
        return
    with closing(store):
        yield store


def _can_extend(
    manifest: Manifest,
    model: Model,
    archive: Path,
    fields: FieldNames,
    secret: bytes,
    files: Sequence[FoundFile],
) -> bool:
    """Return whether a build can begin with this generation: same archive, model, settings and versions."""
    built_with = manifest.settings
    return (
        manifest.archive == str(archive)
        and (built_with.get("model"), built_with.get("weights"), built_with.get("backend"))
        == (model.name, model.weights, model.backend)
        and built_with["fields"] == fields
        and built_with.get("reading_version") == READING_VERSION
        and built_with.get("splitting_version") == SPLITTING_VERSION
        and built_with.get("analysis_version") == ANALYSIS_VERSION
        and (built_with["language_neutral"]["method"], built_with["language_neutral"]["sample"])
        == (METHOD, read_sample().sha256)
        and built_with.get("line_secret") == fingerprint(secret)
        # A file named a.jsonl::1 and the first record of a.jsonl compete for one id; so do two files whose
        # paths print alike. Which of them gets it depends on the order in which all files are read.
        and not any("::" in file.path for file in files)
        and len({printable_path(file.path) for file in files}) == len(files)
    )


def _hashes(
    files: Sequence[FoundFile], archive: Path, progress: Progress | None
) -> dict[str, str | UnreadableFile]:
    """Return for each file, by path, its sha256 or the error why it cannot be read."""
    hashes: dict[str, str | UnreadableFile] = {}
    for done, file in enumerate(files, 1):
        try:
            hashes[printable_path(file.path)] = hash_file(file, archive)
        except UnreadableFile as error:
            hashes[printable_path(file.path)] = error
        if progress:
            progress("checking", done, len(files))
    return hashes


def _unchanged(hashes: Mapping[str, str | UnreadableFile], states: Mapping[str, SeenFile]) -> bool:
    """Return whether every file has the same sha256 as before, or cannot be read for the same reason."""
    return hashes.keys() == states.keys() and all(
        states[path].sha256 == hash_or_error
        if isinstance(hash_or_error, str)
        else (states[path].sha256, states[path].reason) == (None, str(hash_or_error))
        for path, hash_or_error in hashes.items()
    )


def _report(
    manifest: Manifest,
    digests: Mapping[str, bytes],
    digests_before: Mapping[str, bytes],
    *,
    encoded: int,
    started: float,
) -> BuildReport:
    both = digests_before.keys() & digests.keys()
    unchanged = sum(digests_before[doc_id] == digests[doc_id] for doc_id in both)
    return BuildReport(
        documents=manifest.documents,
        passages=manifest.passages,
        encoded=encoded,
        reused=manifest.passages - encoded,
        added=len(digests.keys() - digests_before.keys()),
        changed=len(both) - unchanged,
        removed=len(digests_before.keys() - digests.keys()),
        unchanged=unchanged,
        failed=tuple(FailedFile(**facts) for facts in manifest.failed),
        seconds=round(perf_counter() - started, 3),
        generation=manifest.generation,
        cut=manifest.cut,
        repeated=tuple(RepeatedLine(**facts) for facts in manifest.repeated),
        notes=tuple(FailedFile(**facts) for facts in manifest.notes),
        undated=manifest.undated,
    )
