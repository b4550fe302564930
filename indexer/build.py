"""The write side: an archive of files, or articles made elsewhere, to a new generation.

`build_index` is the one door. It begins with the current generation, reads and splits the articles
that are not as that one holds them, embeds the passages whose vectors are not known yet, writes all
of it aside, checks it and switches to it. An archive that is as it was is left alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from .datatypes import BuildReport, FailedFile, RepeatedLine
from .errors import IndexUnusable, UnreadableFile
from .ingest.fields import FieldNames, check_names
from .ingest.files import FoundFile, find_files, hash_file, printable
from .ingest.passages import embedded_text
from .intake import Intake, Progress
from .models.bundled import WEIGHTS_SHA256
from .models.encoder import Encoder, vector_key
from .models.neutral import METHOD, ROLES, NeutralSpace, Role, estimate, improves, read_sample
from .settings import ANALYSIS_VERSION, KEPT, READING_VERSION, SPLITTING_VERSION, BuildSettings, cache_dir
from .store.base import SeenFile
from .store.embedded import EmbeddedStore
from .store.generation import SPACE, IndexFolder
from .store.manifest import Manifest
from .store.secret import name_of, read_secret
from .store.vectors import VectorCache
from .store.writing import EmbeddedWriter, Entry

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

    @property
    def base(self) -> EmbeddedStore | None:
        """The generation to begin with."""
        ...

    @property
    def dropped(self) -> Collection[str]:
        """The ids of its documents that are not taken over."""
        ...

    def __len__(self) -> int:
        """Count the articles that are to be written; none where nothing needs the model."""
        ...

    def entries(self, encoder: Encoder) -> Iterator[Entry]:
        """Yield each article that is to be written, split for the encoder's window."""
        ...

    def record(self, writer: EmbeddedWriter) -> None:
        """Have the generation hold what else the next build must know."""
        ...


def build_index(
    archive: Path,
    index: Path,
    model: Model,
    *,
    rebuild: bool = False,
    fields: FieldNames | None = None,
    keep: int = KEPT,
    progress: Progress | None = None,
) -> BuildReport:
    """Bring the index of an archive up to date and report what was done.

    An index of another archive, another model or other versions of the program is built anew in
    place; `rebuild` does so in any case. Files that cannot be read are listed, never fatal. `fields`
    names fields of records that go by other names than those that are known; `keep` is how many
    generations stay, the new one counted. Raises ArchiveError, ModelError, RequestError and
    IndexUnusable.
    """
    started = perf_counter()
    fields = dict(fields or {})
    check_names(fields)
    archive = archive.resolve()
    found = list(find_files(archive))
    folder = IndexFolder(index)
    folder.prepare()
    secret = read_secret(cache_dir())
    with folder.lock(), _current(folder) as before:
        known = before.digests() if before else {}
        base, hashes = None, dict[str, str | UnreadableFile]()
        if before and not rebuild and _made_alike(before.manifest, model, archive, fields, secret, found):
            base, hashes = before, _hashes(found, archive, progress)
            if not before.damage and _unchanged(hashes, before.files()):
                folder.tidy()
                return _report(before.manifest, known, known, encoded=0, started=started)
        with closing(Intake(archive, fields, secret, base, progress)) as intake:
            intake.read(found, hashes)
            manifest, encoded, digests = write_generation(
                folder, intake, model, str(archive), progress,
                lines=name_of(secret), kept=keep,
                keep=folder.good_beside(before.generation) if before else [],
            )  # fmt: skip
        return _report(manifest, digests, known, encoded=encoded, started=started)


def write_generation(
    folder: IndexFolder,
    material: Material,
    model: Model,
    archive: str,
    progress: Progress | None = None,
    *,
    neutral: bool = True,
    lines: str = "",
    keep: Sequence[str] = (),
    kept: int = KEPT,
) -> tuple[Manifest, int, dict[str, bytes]]:
    """Write articles as the next generation and switch to it.

    Returns its manifest, how many passages were encoded, and the digest of each document. `neutral` is
    False only where the vectors as the model makes them are to be measured; `lines` names the secret of
    the lines' keys; `keep` are generations that may stay, `kept` how many do.
    """
    base = material.base
    # Loading a model takes seconds, and what is only taken away needs none.
    encoder = model.open() if base is None or len(material) else None
    with folder.write_aside() as aside, VectorCache.open(folder.cache, mend=base is None) as cache:
        writer = EmbeddedWriter(aside, base, material.dropped)
        space = _space(aside, writer, base, encoder, cache, neutral=neutral)
        if encoder:
            for entry in material.entries(encoder):
                document = entry.article.document
                texts = [document.text[each.start : each.end] for each in entry.article.passages]
                keys = [vector_key(encoder, embedded_text(document.title, text)) for text in texts]
                writer.add(entry, keys)
        material.record(writer)
        encoded = _embed(writer, encoder, cache, progress) if encoder else 0
        new, digests, content = writer.new_keys(), writer.digests(), writer.content()
        if encoder:
            made_with = {"method": METHOD, "sample": read_sample().sha256, "used": space is not None}
            settings = BuildSettings(
                model.name, model.weights, encoder.dimension, encoder.prompts, encoder.window, made_with,
                dict(material.fields), lines,
            ).to_json()  # fmt: skip
        else:
            settings = dict(base.manifest.settings) if base else {}
        writer.finish(settings["dimension"], _in_order(cache, new, space))
        manifest = folder.publish(
            aside, linked=writer.linked, check=lambda made: _check(folder, made), keep=keep, kept=kept,
            archive=archive, settings=settings, **content,
        )  # fmt: skip
    return manifest, encoded, digests


def _check(folder: IndexFolder, manifest: Manifest) -> None:
    """Open a generation as a reader will, before any reader does; its files have just been hashed."""
    with closing(EmbeddedStore.open_generation(folder, manifest.generation, hashed=True)) as store:
        store.check_counts()


def _embed(writer: EmbeddedWriter, encoder: Encoder, cache: VectorCache, progress: Progress | None) -> int:
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


def _in_order(
    cache: VectorCache, keys: Sequence[bytes], space: NeutralSpace | None
) -> "Iterator[NDArray[np.float32]]":
    for first in range(0, len(keys), COPIED_AT_ONCE):
        try:
            vectors = cache.get(keys[first : first + COPIED_AT_ONCE])
        except KeyError:
            raise OSError("the vector cache was damaged while it was read; build again") from None
        yield space.apply(vectors, "passage") if space else vectors


def _space(
    aside: Path,
    writer: EmbeddedWriter,
    base: EmbeddedStore | None,
    encoder: Encoder | None,
    cache: VectorCache,
    *,
    neutral: bool,
) -> NeutralSpace | None:
    """Have the generation hold the language-neutral space of its vectors, and return it."""
    if base:
        path = base.space_path()
        return NeutralSpace.load(writer.take(path)) if path else None
    space = _neutral_space(encoder, cache) if neutral and encoder else None
    if space:
        space.save(aside / SPACE)
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


@contextmanager
def _current(folder: IndexFolder) -> Iterator[EmbeddedStore | None]:
    """Yield the newest generation that is whole; None where there is none, or only of another make."""
    try:
        store = EmbeddedStore.open(folder)
    except IndexUnusable:
        yield None
        return
    with closing(store):
        yield store


def _made_alike(
    manifest: Manifest,
    model: Model,
    archive: Path,
    fields: FieldNames,
    secret: bytes,
    found: Sequence[FoundFile],
) -> bool:
    """Whether a generation made now would be of the same make, so that it can begin with this one."""
    made = manifest.settings
    return (
        manifest.archive == str(archive)
        and (made.get("model"), made.get("weights")) == (model.name, model.weights)
        and made["fields"] == fields
        and made.get("reading_version") == READING_VERSION
        and made.get("splitting_version") == SPLITTING_VERSION
        and made.get("analysis_version") == ANALYSIS_VERSION
        and (made["neutral"]["method"], made["neutral"]["sample"]) == (METHOD, read_sample().sha256)
        and made.get("lines") == name_of(secret)
        # A name such as a.jsonl::1 may be the id of a record elsewhere: who has it depends on the order.
        and not any("::" in file.path for file in found)
        and len({printable(file.path) for file in found}) == len(found)
    )


def _hashes(
    found: Sequence[FoundFile], archive: Path, progress: Progress | None
) -> dict[str, str | UnreadableFile]:
    """Return the sha256 of each file, by path, or why it cannot be read."""
    hashes: dict[str, str | UnreadableFile] = {}
    for done, file in enumerate(found, 1):
        try:
            hashes[printable(file.path)] = hash_file(file, archive)
        except UnreadableFile as error:
            hashes[printable(file.path)] = error
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
