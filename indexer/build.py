"""The write side: an archive of files, or articles made elsewhere, to a new generation.

`build_index` is the one door. It reads and splits articles one by one, embeds the passages whose
vectors are not known yet, writes all of it aside and switches to it. An archive that is as the
current generation holds it is left alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from .datatypes import Article, BuildReport, FailedFile, RepeatedLine
from .errors import IndexUnusable, UnreadableFile
from .ingest.fields import FieldNames, check_names
from .ingest.files import FoundFile, find_files, hash_file, printable
from .ingest.passages import embedded_text
from .intake import Intake, Progress, SeenFile
from .models.bundled import WEIGHTS_SHA256
from .models.encoder import Encoder, vector_key
from .models.neutral import METHOD, ROLES, NeutralSpace, Role, estimate, improves, read_sample
from .settings import ANALYSIS_VERSION, READING_VERSION, SPLITTING_VERSION, BuildSettings
from .store.embedded import EmbeddedStore, EmbeddedWriter
from .store.generation import SPACE, IndexFolder, Manifest
from .store.vectors import VectorCache
from .text.analysis import tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENCODED_AT_ONCE = 128  # passages between two commits of the vector cache: what a crash may cost
COPIED_AT_ONCE = 4_096  # vectors on their way from the cache to the index


class Model(Protocol):
    """A model that can be told apart before it is opened, since opening takes seconds."""

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> str: ...
    def open(self) -> Encoder: ...


class Material(Protocol):
    """What a generation is made of, as `Intake` takes it from an archive."""

    fields: FieldNames
    failed: list[FailedFile]
    notes: list[FailedFile]
    left_out: int

    def articles(self, encoder: Encoder) -> Iterator[tuple[Article, bytes]]:
        """Yield each article, split for the encoder's window, with the digest that tells it from others."""
        ...

    def record(self, writer: EmbeddedWriter) -> None:
        """Have the generation hold what else the next build must know."""
        ...

    def repeated(self) -> list[RepeatedLine]:
        """Return the lines that were cut since many articles have them."""
        ...


def build_index(
    archive: Path,
    index: Path,
    model: Model,
    *,
    rebuild: bool = False,
    fields: FieldNames | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Bring the index of an archive up to date and report what was done.

    An index of another archive, another model or other versions of the program is built anew in
    place; `rebuild` does so in any case. Files that cannot be read are listed, never fatal. `fields`
    names fields of records that go by other names than those that are known. Raises ArchiveError,
    ModelError, RequestError and IndexUnusable.
    """
    started = perf_counter()
    fields = dict(fields or {})
    check_names(fields)
    archive = archive.resolve()
    found = list(find_files(archive))
    folder = IndexFolder(index)
    folder.prepare()
    with folder.lock():
        before, files, known = _current(folder)
        if (
            before
            and not rebuild
            and _made_alike(before, model, archive, fields)
            and _unchanged(archive, found, files)
        ):
            return _report(before, known, known, encoded=0, started=started)
        with closing(Intake(archive, fields, progress)) as intake:
            intake.read(found)
            manifest, encoded, digests = write_generation(folder, intake, model, str(archive), progress)
        return _report(manifest, digests, known, encoded=encoded, started=started)


def write_generation(
    folder: IndexFolder,
    material: Material,
    model: Model,
    archive: str,
    progress: Progress | None = None,
    *,
    neutral: bool = True,
) -> tuple[Manifest, int, dict[str, bytes]]:
    """Write articles as the next generation and switch to it.

    Returns its manifest, how many passages were encoded, and the digest of each document. `neutral` is
    False only where the vectors as the model makes them are to be measured.
    """
    encoder = model.open()
    with folder.write_aside() as aside, VectorCache.open(folder.cache) as cache:
        space = _neutral_space(encoder, cache) if neutral else None
        if space:
            space.save(aside / SPACE)
        writer = EmbeddedWriter(aside)
        for article, digest in material.articles(encoder):
            texts = [article.document.text[each.start : each.end] for each in article.passages]
            writer.add(
                article,
                digest,
                [tokens(text) for text in texts],
                [vector_key(encoder, embedded_text(article.document.title, text)) for text in texts],
            )
        material.record(writer)
        encoded = _embed(writer, encoder, cache, progress)
        keys, digests = writer.vector_keys(), writer.digests()
        content = _content(writer, material)
        writer.finish(encoder.dimension, _in_order(cache, keys, space))
        settings = BuildSettings(
            model.name,
            model.weights,
            encoder.dimension,
            encoder.prompts,
            encoder.window,
            {"method": METHOD, "sample": read_sample().sha256, "used": space is not None},
            dict(material.fields),
        )
        manifest = folder.publish(
            aside, archive=archive, settings=settings.to_json(), passages=len(keys), **content
        )
    return manifest, encoded, digests


def _content(writer: EmbeddedWriter, material: Material) -> dict[str, Any]:
    """Return what the manifest tells of a generation's articles."""
    cut = writer.cut_lines()
    if material.left_out:
        cut["page"] = material.left_out
    return {
        "documents": writer.documents(),
        "languages": writer.languages(),
        "sources": writer.sources(),
        "undated": writer.undated(),
        "failed": [asdict(each) for each in material.failed],
        "notes": [asdict(each) for each in material.notes],
        "cut": cut,
        "repeated": [asdict(each) for each in material.repeated()],
    }


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


def _current(folder: IndexFolder) -> tuple[Manifest | None, dict[str, SeenFile], dict[str, bytes]]:
    """Return the current generation's manifest, files and digests of documents.

    Nothing where it is missing, damaged or of another make.
    """
    try:
        store = EmbeddedStore.open(folder)
    except IndexUnusable:
        return None, {}, {}
    with closing(store):
        files = {path: SeenFile(*state) for path, state in store.files().items()}
        return store.manifest, files, store.digests()


def _made_alike(manifest: Manifest, model: Model, archive: Path, fields: FieldNames) -> bool:
    made = manifest.settings
    return (
        manifest.archive == str(archive)
        and (made.get("model"), made.get("weights")) == (model.name, model.weights)
        and made["fields"] == fields
        and made.get("reading_version") == READING_VERSION
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
            if hash_file(file, archive) != state.sha256:
                return False
        except UnreadableFile as error:
            if (state.sha256, state.reason) != (None, str(error)):
                return False
    return True


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
