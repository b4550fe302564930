"""The write side: an archive of files, or articles made elsewhere, to a new generation.

`build_index` reads and splits the articles that have changed since the current generation, embeds the
passages whose vectors are not cached, writes all of it to a staging folder, checks it and switches to it. An
archive that has not changed is left alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.boilerplate.line_secret import fingerprint, read_line_secret
from indexer.building.changes import ArticleSource, Changes
from indexer.datatypes import BuildReport, FailedFile, Progress, RepeatedLine
from indexer.embedding.bundled.model import WEIGHTS_SHA256
from indexer.embedding.encoder import Encoder, find_model, vector_key
from indexer.embedding.language_neutral import (
    METHOD,
    ROLES,
    NeutralSpace,
    Role,
    estimate,
    improves,
    read_sample,
)
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
    BuildSettings,
    cache_dir,
)
from indexer.store.base import SeenFile
from indexer.store.folder import SPACE_FILE, IndexFolder
from indexer.store.manifest import Manifest
from indexer.store.reader import GenerationReader
from indexer.store.vector_cache import VectorCache
from indexer.store.writer import GenerationWriter
from indexer.text.passages import embedded_text

ENCODED_AT_ONCE = 128  # passages between two commits of the vector cache; a crash loses at most these
COPIED_AT_ONCE = 4_096  # vectors copied from the cache to the index at a time


class Model(Protocol):
    """A model that can be identified before it is opened, since opening takes seconds."""

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> str: ...
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
    """Bring the index of an archive up to date and report what was done.

    >>> report = build_index("articles", "index")
    >>> report.documents, report.failed
    (2, ())

    `model` is the name or folder of a sentence-transformers model on this machine. An index of another
    archive, of another model or of another version of the program is built anew in place; `rebuild` does
    so in any case. Files that cannot be read are listed in the report, never fatal. `fields` maps our
    names of record fields to the archive's; `keep` is the number of generations that stay, the new one
    included. Raises ArchiveError, ModelError, RequestError and IndexUnusable.
    """
    started = perf_counter()
    archive, index = Path(archive).resolve(), Path(index)
    model = find_model(model) if isinstance(model, str) else model
    fields = dict(fields or {})
    check_names(fields)
    found = list(find_files(archive))
    folder = IndexFolder(index)
    folder.prepare()
    secret = read_line_secret(cache_dir())
    with folder.lock(), _current(folder) as before:
        known = before.digests() if before else {}
        base, hashes = None, dict[str, str | UnreadableFile]()
        if before and not rebuild and _can_extend(before.manifest, model, archive, fields, secret, found):
            base, hashes = before, _hashes(found, archive, progress)
            if not before.damage and _unchanged(hashes, before.files()):
                folder.remove_leftovers()
                return _report(before.manifest, known, known, encoded=0, started=started)
        with closing(Changes(archive, fields, secret, base, progress)) as changes:
            changes.read(found, hashes)
            written = write_generation(
                folder,
                changes.source(),
                model,
                str(archive),
                progress,
                line_secret=fingerprint(secret),
                earlier=folder.generations_to_keep(before.generation) if before else [],
                keep=keep,
            )
        return _report(written.manifest, written.digests, known, encoded=written.encoded, started=started)


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

    `neutral` is False only to measure the vectors as the model makes them. `line_secret` is the fingerprint
    of the secret that line keys were made with. `earlier` names the generations that may stay beside the
    new one, `keep` how many stay in all.
    """
    base = source.base
    encoder = model.open() if base is None or source.needs_model else None
    with folder.staging_folder() as staging, VectorCache.open(folder.cache, mend=base is None) as cache:
        writer = GenerationWriter(staging, base, source.dropped)
        space = _write_space(staging, writer, base, encoder, cache, neutral=neutral)
        if encoder:
            for prepared in source.prepare(encoder):
                document = prepared.article.document
                texts = [document.text[passage.start : passage.end] for passage in prepared.article.passages]
                keys = [vector_key(encoder, embedded_text(document.title, text)) for text in texts]
                writer.add(prepared, keys)
        source.save_state(writer)
        encoded = _embed(writer, encoder, cache, progress) if encoder else 0
        new_keys, digests, content = writer.new_keys(), writer.digests(), writer.content()
        settings = (
            _settings(model, encoder, source.fields, line_secret, neutral=space is not None)
            if encoder
            else dict(base.manifest.settings if base else {})
        )
        writer.finish(settings["dimension"], _vectors_in_order(cache, new_keys, space))
        manifest = folder.publish(
            staging,
            content,
            archive=archive,
            settings=settings,
            linked=writer.linked,
            check=lambda made: _check(folder, made),
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
        dimension=encoder.dimension,
        prompts=encoder.prompts,
        window=encoder.window,
        language_neutral={"method": METHOD, "sample": read_sample().sha256, "used": neutral},
        fields=dict(fields),
        line_secret=line_secret,
    ).to_json()


def _check(folder: IndexFolder, manifest: Manifest) -> None:
    """Open a generation as a reader will, before any reader does; its files have just been hashed."""
    with closing(GenerationReader.open_generation(folder, manifest.generation, hashed=True)) as store:
        store.check_counts()


def _embed(writer: GenerationWriter, encoder: Encoder, cache: VectorCache, progress: Progress | None) -> int:
    """Encode what the cache lacks, each text once; returns how many."""
    rows = {key: row for row, key in enumerate(writer.new_keys(), writer.first_new)}
    encoded = 0
    while missing := cache.missing(rows):  # once, unless the cache's file is damaged meanwhile
        # By length: texts of a batch are padded to its longest.
        missing.sort(key=lambda key: writer.length(rows[key]))
        for first in range(0, len(missing), ENCODED_AT_ONCE):
            if progress:
                progress("embedding", first, len(missing))
            keys = missing[first : first + ENCODED_AT_ONCE]
            texts = writer.texts([rows[key] for key in keys])
            cache.put(keys, encoder.encode_passages([embedded_text(title, text) for title, text in texts]))
        if progress:
            progress("embedding", len(missing), len(missing))
        encoded += len(missing)
    return encoded


def _vectors_in_order(
    cache: VectorCache, keys: Sequence[bytes], space: NeutralSpace | None
) -> Iterator[NDArray[np.float32]]:
    for first in range(0, len(keys), COPIED_AT_ONCE):
        try:
            vectors = cache.get(keys[first : first + COPIED_AT_ONCE])
        except KeyError:
            raise OSError("the vector cache was damaged while it was read; build again") from None
        yield space.apply(vectors, "passage") if space else vectors


def _write_space(
    staging: Path,
    writer: GenerationWriter,
    base: GenerationReader | None,
    encoder: Encoder | None,
    cache: VectorCache,
    *,
    neutral: bool,
) -> NeutralSpace | None:
    """Have the generation hold the language-neutral space of its vectors, and return it."""
    if base:
        path = base.space_path()
        return NeutralSpace.load(writer.carry_over(path)) if path else None
    space = _neutral_space(encoder, cache) if neutral and encoder else None
    if space:
        space.save(staging / SPACE_FILE)
    return space


def _neutral_space(encoder: Encoder, cache: VectorCache) -> NeutralSpace | None:
    """Estimate the space from the sample that ships; None where it does not serve this model."""
    sample = read_sample()
    arabic, english = (
        {role: _sample_vectors(encoder, cache, role, texts[role]) for role in ROLES}
        for texts in (sample.arabic, sample.english)
    )
    if encoder.weights != WEIGHTS_SHA256 and not improves(arabic, english):
        return None
    return estimate(arabic, english)


def _sample_vectors(
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
def _current(folder: IndexFolder) -> Iterator[GenerationReader | None]:
    """Yield the newest generation that is whole; None where there is none, or only of another make."""
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
    found: Sequence[FoundFile],
) -> bool:
    """Whether a build could begin with this generation: same archive, model, settings and versions."""
    made = manifest.settings
    return (
        manifest.archive == str(archive)
        and (made.get("model"), made.get("weights")) == (model.name, model.weights)
        and made["fields"] == fields
        and made.get("reading_version") == READING_VERSION
        and made.get("splitting_version") == SPLITTING_VERSION
        and made.get("analysis_version") == ANALYSIS_VERSION
        and (made["language_neutral"]["method"], made["language_neutral"]["sample"])
        == (METHOD, read_sample().sha256)
        and made.get("line_secret") == fingerprint(secret)
        # A name such as a.jsonl::1 may be the id of a record elsewhere: who has it depends on the order.
        and not any("::" in file.path for file in found)
        and len({printable_path(file.path) for file in found}) == len(found)
    )


def _hashes(
    found: Sequence[FoundFile], archive: Path, progress: Progress | None
) -> dict[str, str | UnreadableFile]:
    """Return the sha256 of each file, by path, or why it cannot be read."""
    hashes: dict[str, str | UnreadableFile] = {}
    for done, file in enumerate(found, 1):
        try:
            hashes[printable_path(file.path)] = hash_file(file, archive)
        except UnreadableFile as error:
            hashes[printable_path(file.path)] = error
        if progress:
            progress("checking", done, len(found))
    return hashes


def _unchanged(hashes: Mapping[str, str | UnreadableFile], known: Mapping[str, SeenFile]) -> bool:
    """Whether every file holds what it held, by its hash; what could not be read fails the same way."""
    return hashes.keys() == known.keys() and all(
        known[path].sha256 == seen
        if isinstance(seen, str)
        else (known[path].sha256, known[path].reason) == (None, str(seen))
        for path, seen in hashes.items()
    )


def _report(
    manifest: Manifest,
    now: Mapping[str, bytes],
    known: Mapping[str, bytes],
    *,
    encoded: int,
    started: float,
) -> BuildReport:
    both = known.keys() & now.keys()
    unchanged = sum(known[doc_id] == now[doc_id] for doc_id in both)
    return BuildReport(
        documents=manifest.documents,
        passages=manifest.passages,
        encoded=encoded,
        reused=manifest.passages - encoded,
        added=len(now.keys() - known.keys()),
        changed=len(both) - unchanged,
        removed=len(known.keys() - now.keys()),
        unchanged=unchanged,
        failed=tuple(FailedFile(**each) for each in manifest.failed),
        seconds=round(perf_counter() - started, 3),
        generation=manifest.generation,
        cut=manifest.cut,
        repeated=tuple(RepeatedLine(**each) for each in manifest.repeated),
        notes=tuple(FailedFile(**each) for each in manifest.notes),
        undated=manifest.undated,
    )
