"""Damaged files and pointers of an index: refused, answered around and repaired."""

from pathlib import Path

import pytest

from indexer import Searcher, SearchRequest, build_index
from indexer.errors import IndexUnusable
from indexer.retrieval.opening import current_generation, read_manifest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.edited_archives import found_texts, put
from tests.support.fakes import FakeModel


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def test_one_flipped_byte_in_any_file_is_refused(archive, index, model):
    folder = index / "generations" / build_index(archive, index, model).generation
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"articles.sqlite", "vectors.faiss", "manifest.json", "terms/meta.json"} <= names
    for name in names:
        if not Path(name).name.startswith("."):  # locks
            flip_a_byte(folder / name)
            with pytest.raises(IndexUnusable, match=r"damaged.*warraq build --rebuild"):
                GenerationReader.open(IndexFolder(index))
            flip_a_byte(folder / name)
    GenerationReader.open(IndexFolder(index)).close()


@pytest.mark.parametrize("name", ["articles.sqlite", "vectors.faiss", "manifest.json", "terms/meta.json"])
@pytest.mark.parametrize("damage", [flip_a_byte, Path.unlink])
def test_damaged_generation_is_repaired_by_a_build(archive, index, model, name, damage):
    folder = index / "generations" / build_index(archive, index, model).generation
    texts = found_texts(index)
    damage(folder / name)
    assert build_index(archive, index, model).encoded == 0
    assert found_texts(index) == texts


def warnings_of(index):
    store = GenerationReader.open(IndexFolder(index))
    result = Searcher(store, FakeModel()).search(SearchRequest("anything"))
    store.close()
    return tuple(str(warning) for warning in result.warnings)


DAMAGED = [b"", b"\xff\xfe", b"20200101T000000-gone\n", b"20200101T000000000000-0123abcd\n", None]


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_pointer_serves_the_undamaged_generation_with_a_notice(archive, index, model, damage):
    first = build_index(archive, index, model)
    texts, pointer = found_texts(index), index / "current"
    assert warnings_of(index) == ()
    pointer.unlink() if damage is None else pointer.write_bytes(damage)
    assert read_manifest(index).generation == first.generation
    (warning,) = warnings_of(index)
    assert first.generation in warning
    assert f"warraq build --rebuild --index {index}" in warning
    assert found_texts(index) == texts


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_pointer_is_repaired_by_a_build(archive, index, model, damage):
    build_index(archive, index, model)
    texts, pointer = found_texts(index), index / "current"
    pointer.unlink() if damage is None else pointer.write_bytes(damage)
    report = build_index(archive, index, model)
    assert (report.encoded, report.unchanged) == (0, 2)
    assert current_generation(index) == report.generation
    assert (found_texts(index), warnings_of(index)) == (texts, ())


def test_undamaged_generation_of_two_is_served_and_is_the_next_base(archive, index, model):
    first = build_index(archive, index, model)
    texts = found_texts(index)
    put(archive, new="A new article.")
    second = build_index(archive, index, model)
    flip_a_byte(index / "generations" / second.generation / "articles.sqlite")
    assert found_texts(index) == texts
    (warning,) = warnings_of(index)
    assert first.generation in warning
    third = build_index(archive, index, model)
    assert (third.added, third.unchanged, third.encoded) == (1, 2, 0)
    assert (found_texts(index), warnings_of(index)) == (sorted([*texts, "A new article."]), ())
    (folder,) = {path for path in (index / "generations").iterdir() if path.name == first.generation}
    flip_a_byte(folder / "vectors.faiss")
    flip_a_byte(index / "generations" / third.generation / "manifest.json")
    with pytest.raises(IndexUnusable, match="damaged") as caught:
        found_texts(index)
    assert third.generation in str(caught.value)
