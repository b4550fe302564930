"""Maintenance of an index: describe its content and size, roll it back, and clear the vector cache."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.errors import IndexUnusable
from indexer.store.folder import IndexFolder
from indexer.store.manifest import Manifest
from indexer.store.reader import GenerationReader
from indexer.store.vector_cache import VectorCache, checksum_path, clear_cache_files


def describe_index(index: Path) -> dict[str, Any]:
    """Return, as JSON values, the content of the index, its settings, its failures and its sizes.

    The facts are those of the served generation; `damage` says why this is not the newest one, if so. Sizes
    are in bytes. Raises NoIndex and IndexUnusable.
    """
    folder = IndexFolder(index)
    manifest, damage = folder.newest(folder.manifest)
    folder.check_format(manifest)
    generations = [_generation_facts(folder, name, manifest.generation) for name in folder.found()]
    return {
        **asdict(manifest),
        "damage": str(damage) if damage else None,
        "sizes": _sizes(folder, manifest),
        "generations": generations,
        "cache": cache_facts(index),
        "disk": _disk(folder.path),
    }


def _generation_facts(folder: IndexFolder, name: str, current: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"generation": name, "current": name == current}
    try:
        manifest = folder.manifest(name)
    except IndexUnusable:
        return facts | {"built": None, "documents": None, "passages": None}
    return facts | {
        "built": manifest.built,
        "documents": manifest.documents,
        "passages": manifest.passages,
    }


def _sizes(folder: IndexFolder, manifest: Manifest) -> dict[str, int]:
    """Return the size of each part of a generation, the largest first; a folder is one part."""
    sizes: dict[str, int] = {}
    for name in manifest.files:
        part = name.partition("/")[0]
        sizes[part] = sizes.get(part, 0) + _size(folder.folder(manifest.generation) / name)
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def _disk(path: Path) -> int:
    """Return the size of all files of an index; files that generations share count once."""
    sizes = {}
    for file in path.rglob("*"):
        try:
            state = file.lstat()
        except OSError:
            continue  # a build has removed it meanwhile
        if file.is_file():
            sizes[state.st_dev, state.st_ino] = state.st_size
    return sum(sizes.values())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def roll_back(index: Path, generation: str | None = None) -> Manifest:
    """Serve the generation before the current one, or a named one, after verifying it; returns its manifest.

    Raises NoIndex, IndexUnusable, and RequestError where there is no such generation.
    """
    folder = IndexFolder(index)
    folder.check_ours()
    if not folder.found():
        raise folder.no_index()
    with folder.lock():
        target = folder.earlier(generation)
        with closing(GenerationReader.open_generation(folder, target)) as store:
            folder.roll_back(target)
            return store.manifest


def cache_facts(index: Path) -> dict[str, Any]:
    """Return file, number of vectors and size of the vector cache; `vectors` is None where it is damaged."""
    path = IndexFolder(index).cache
    if not path.exists():
        return {"path": str(path), "vectors": 0, "bytes": 0}
    try:
        with closing(VectorCache.existing(path)) as cache:
            vectors: int | None = len(cache)
    except OSError:
        vectors = None
    return {"path": str(path), "vectors": vectors, "bytes": _size(path) + _size(checksum_path(path))}


def clear_cache(index: Path) -> dict[str, Any]:
    """Remove the vector cache, so that the next build embeds everything again; returns its former facts."""
    folder = IndexFolder(index)
    folder.check_ours()
    facts = cache_facts(index)
    if facts["bytes"]:
        with folder.lock():
            clear_cache_files(folder.cache)
    return facts
