"""The write side: an archive of files, or articles made elsewhere, to a new generation.

`build_index` is the one door. It reads and splits articles one by one, embeds the passages whose
vectors are not known yet, writes all of it aside and switches to it. An archive that is as the
current generation holds it is left alone.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from .datatypes import Article, BuildReport, Document, FailedFile
from .errors import IndexUnusable, UnreadableFile
from .ingest.files import FoundFile, find_files, printable, read_bytes
from .ingest.passages import embedded_text, split_document
from .ingest.readers import read_documents
from .models.bundled import WEIGHTS_SHA256
from .models.encoder import Encoder, vector_key
from .models.neutral import METHOD, ROLES, NeutralSpace, Role, estimate, improves, read_sample
from .settings import ANALYSIS_VERSION, SPLITTING_VERSION, BuildSettings
from .store.embedded import EmbeddedStore, EmbeddedWriter
from .store.generation import SPACE, IndexFolder, Manifest
from .store.vectors import VectorCache
from .text.analysis import tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENCODED_AT_ONCE = 128  # passages between two commits of the vector cache: what a crash may cost
COPIED_AT_ONCE = 4_096  # vectors on their way from the cache to the index

Progress = Callable[[str, int, int], None]
"""Told the stage ("reading" files, "embedding" passages), how many are done, and of how many."""


class Model(Protocol):
    """A model that can be told apart before it is opened, since opening takes seconds."""

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> str: ...
    def open(self) -> Encoder: ...


@dataclass(frozen=True, slots=True)
class SeenFile:
    """What a build saw of one file: its hash, where it could be read, and why it was refused, if so."""

    sha256: str | None
    reason: str | None


def build_index(
    archive: Path, index: Path, model: Model, *, rebuild: bool = False, progress: Progress | None = None
) -> BuildReport:
    """Bring the index of an archive up to date and report what was done.

    An index of another archive, another model or other versions of the program is built anew in
    place; `rebuild` does so in any case. Files that cannot be read are listed, never fatal. Raises
    ArchiveError, ModelError and IndexUnusable.
    """
    started = perf_counter()
    archive = archive.resolve()
    found = list(find_files(archive))
    folder = IndexFolder(index)
    folder.prepare()
    with folder.lock():
        before, known = _current(folder)
        if (
            before
            and not rebuild
            and _made_alike(before, model, archive)
            and _unchanged(archive, found, known)
        ):
            return _report(before, known, known, encoded=0, started=started)
        seen: dict[str, SeenFile] = {}
        manifest, encoded = write_generation(
            folder, _read_archive(archive, found, seen, progress), model, str(archive), seen, progress
        )
        return _report(manifest, seen, known, encoded=encoded, started=started)


def write_generation(
    folder: IndexFolder,
    sources: "Iterable[Callable[[Encoder], list[Article]]]",
    model: Model,
    archive: str,
    seen: Mapping[str, SeenFile],
    progress: Progress | None = None,
    *,
    neutral: bool = True,
) -> tuple[Manifest, int]:
    """Write articles as the next generation and switch to it; returns how many passages were encoded.

    Each source turns into articles when it is given the encoder, whose window decides the split.
    `neutral` is False only where the vectors as the model makes them are to be measured.
    """
    encoder = model.open()
    with folder.write_aside() as aside, VectorCache.open(folder.cache) as cache:
        space = _neutral_space(encoder, cache) if neutral else None
        if space:
            space.save(aside / SPACE)
        writer = EmbeddedWriter(aside)
        for source in sources:
            for article in source(encoder):
                texts = [article.document.text[each.start : each.end] for each in article.passages]
                writer.add(
                    article,
                    [tokens(text) for text in texts],
                    [vector_key(encoder, embedded_text(article.document.title, text)) for text in texts],
                )
        for path, file in seen.items():
            writer.add_file(path, file.sha256, file.reason)
        encoded = _embed(writer, encoder, cache, progress)
        keys = writer.vector_keys()
        documents, languages = writer.documents(), writer.languages()
        writer.finish(encoder.dimension, _in_order(cache, keys, space))
        settings = BuildSettings(
            model.name,
            model.weights,
            encoder.dimension,
            encoder.prompts,
            encoder.window,
            {"method": METHOD, "sample": read_sample().sha256, "used": space is not None},
        )
        manifest = folder.publish(
            aside,
            archive=archive,
            settings=settings.to_json(),
            documents=documents,
            passages=len(keys),
            languages=languages,
            failed=[{"path": path, "reason": file.reason} for path, file in seen.items() if file.reason],
        )
    return manifest, encoded


def _embed(writer: EmbeddedWriter, encoder: Encoder, cache: VectorCache, progress: Progress | None) -> int:
    """Encode what the cache lacks, each text once; returns how many."""
    rows = {key: row for row, key in enumerate(writer.vector_keys())}
    # By length: texts of a batch are padded to its longest.
    missing = sorted(cache.missing(rows), key=lambda key: writer.length(rows[key]))
    for first in range(0, len(missing), ENCODED_AT_ONCE):
        if progress:
            progress("embedding", first, len(missing))
        keys = missing[first : first + ENCODED_AT_ONCE]
        texts = writer.texts([rows[key] for key in keys])
        cache.put(keys, encoder.encode_passages([embedded_text(title, text) for title, text in texts]))
    if progress and missing:
        progress("embedding", len(missing), len(missing))
    return len(missing)


def _in_order(
    cache: VectorCache, keys: Sequence[bytes], space: NeutralSpace | None
) -> "Iterator[NDArray[np.float32]]":
    for first in range(0, len(keys), COPIED_AT_ONCE):
        vectors = cache.get(keys[first : first + COPIED_AT_ONCE])
        yield space.apply(vectors, "passage") if space else vectors


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
) -> "NDArray[np.float32]":
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


def _read_archive(
    archive: Path, found: Sequence[FoundFile], seen: dict[str, SeenFile], progress: Progress | None
) -> Iterator[Callable[[Encoder], list[Article]]]:
    """Yield a source for each file that can be read; note in `seen` what became of each."""
    for done, file in enumerate(found):
        if progress:
            progress("reading", done, len(found))
        path, sha256 = printable(file.path), None
        try:
            data = read_bytes(file, archive)
            sha256 = hashlib.sha256(data).hexdigest()
            documents = read_documents(file.path, data)
        except UnreadableFile as error:
            seen[path] = SeenFile(sha256, str(error))
            continue
        seen[path] = SeenFile(sha256, None)
        yield partial(_split, documents)
    if progress and found:
        progress("reading", len(found), len(found))


def _split(documents: list[Document], encoder: Encoder) -> list[Article]:
    return [split_document(document, encoder.count_tokens, encoder.window) for document in documents]


def _current(folder: IndexFolder) -> tuple[Manifest | None, dict[str, SeenFile]]:
    """Return the current generation's manifest and files; nothing where it is missing or damaged."""
    try:
        store = EmbeddedStore.open(folder)
    except IndexUnusable:
        return None, {}
    with closing(store):
        return store.manifest, {path: SeenFile(*state) for path, state in store.files().items()}


def _made_alike(manifest: Manifest, model: Model, archive: Path) -> bool:
    made = manifest.settings
    return (
        manifest.archive == str(archive)
        and (made.get("model"), made.get("weights")) == (model.name, model.weights)
        and made.get("splitting_version") == SPLITTING_VERSION
        and made.get("analysis_version") == ANALYSIS_VERSION
        and (made["neutral"]["method"], made["neutral"]["sample"]) == (METHOD, read_sample().sha256)
    )


def _unchanged(archive: Path, found: Sequence[FoundFile], known: Mapping[str, SeenFile]) -> bool:
    """Whether every file holds what it held, by its hash; what could not be read fails the same way."""
    if {printable(file.path) for file in found} != known.keys():
        return False
    for file in found:
        state = known[printable(file.path)]
        try:
            if hashlib.sha256(read_bytes(file, archive)).hexdigest() != state.sha256:
                return False
        except UnreadableFile as error:
            if (state.sha256, state.reason) != (None, str(error)):
                return False
    return True


def _report(
    manifest: Manifest,
    seen: Mapping[str, SeenFile],
    known: Mapping[str, SeenFile],
    *,
    encoded: int,
    started: float,
) -> BuildReport:
    old = {path: file.sha256 for path, file in known.items() if not file.reason}
    new = {path: file.sha256 for path, file in seen.items() if not file.reason}
    both = old.keys() & new.keys()
    unchanged = sum(old[path] == new[path] for path in both)
    return BuildReport(
        documents=manifest.documents,
        passages=manifest.passages,
        encoded=encoded,
        reused=manifest.passages - encoded,
        added=len(new.keys() - old.keys()),
        changed=len(both) - unchanged,
        removed=len(old.keys() - new.keys()),
        unchanged=unchanged,
        failed=tuple(FailedFile(path, file.reason) for path, file in seen.items() if file.reason),
        seconds=round(perf_counter() - started, 3),
        generation=manifest.generation,
    )
