"""Verification: an undamaged index passes; every kind of damage is found and named, with its remedy."""

import json
import shutil
import sqlite3

import faiss
import numpy as np
import pytest

from indexer import build_index, verify_index
from indexer.embedding.encoder import find_model
from indexer.errors import IndexUnusable, NoIndex
from indexer.store.folder import IndexFolder
from indexer.store.schema import terms_index
from indexer.store.vector_cache import checksum_path
from tests.support.fakes import FakeModel
from tests.support.generations import publish


@pytest.fixture
def built(archive, index, model):
    """An index of two generations, the second of them begun with the first."""
    build_index(archive, index, model)
    (archive / "later.txt").write_text(
        "Later talks\nThe envoys met again in Vienna, as they had agreed in Geneva.\n"
    )
    (archive / "feed.jsonl").write_text(
        "".join(
            json.dumps({"id": number, "title": f"Record {number}", "text": f"Ship {number} left the port."})
            + "\n"
            for number in range(3)
        )
    )
    build_index(archive, index, model)
    return index


def parts(found):
    return {fault.part for fault in found.faults}


def current(index):
    return IndexFolder(index).folder(IndexFolder(index).current())


def republish_with_change(index, change):
    """Make a generation that says of itself that it is whole, from the current one as `change` leaves it."""
    folder = IndexFolder(index)
    manifest = folder.manifest(folder.current())
    with folder.staging_folder() as staging:
        shutil.copytree(current(index), staging, dirs_exist_ok=True)
        (staging / "manifest.json").unlink()
        change(staging)
        facts = {
            name: getattr(manifest, name)
            for name in manifest.__dataclass_fields__
            if name not in ("generation", "built", "files")
        }
        publish(folder, staging, **facts)


def test_undamaged_index_passes_and_lists_the_checks(built):
    found = verify_index(built)
    assert found.faults == []
    assert found.whole
    assert len(found.generations) == 2
    assert found.generations[0] == IndexFolder(built).current()
    assert found.articles == 6  # two that both generations have, once
    assert (found.vectors, found.encoded, found.unchecked) == (4 + 8, 0, 0)
    assert found.cached == 480 + 8 + 6  # texts of the sample, passages, titles
    assert found.changed == []


def test_verification_changes_nothing(built):
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in built.rglob("*") if path.is_file()
    }
    verify_index(built)
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in built.rglob("*") if path.is_file()
    }


def test_a_flipped_byte_anywhere_is_found(built):
    """In every file of the index that holds anything: the first byte, the last, and some between."""
    for path in sorted(path for path in built.rglob("*") if path.is_file() and path.stat().st_size):
        content = path.read_bytes()
        for at in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
            path.unlink()  # a hard link: the other generation keeps what it has
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x20]) + content[at + 1 :])
            try:
                found = verify_index(built)
            except IndexUnusable as error:
                assert path.name == "warraq.json", path
                assert "warraq.json" in str(error)
            else:
                assert found.faults, f"{path.name} at {at}"
                assert all(
                    "warraq build" in fault.remedy or "remove" in fault.remedy for fault in found.faults
                )
            path.write_bytes(content)
    assert verify_index(built).whole


def test_a_file_that_two_generations_share_is_damaged_in_both(built, archive, model):
    (archive / "one-more.txt").write_text(
        "One more\nIt stands here so that the next build has something to add.\n"
    )
    build_index(archive, built, model)
    shared = [path for path in current(built).rglob("*") if path.stat().st_nlink > 1 and path.is_file()]
    assert shared
    with shared[0].open("r+b") as file:
        file.write(b"\xff")
    found = verify_index(built)
    assert {fault.where for fault in found.faults} == set(found.generations)


@pytest.mark.parametrize("name", ["articles.sqlite", "vectors.faiss", "manifest.json", "terms/meta.json"])
def test_a_missing_file_is_found(built, name):
    (current(built) / name).unlink()
    found = verify_index(built)
    assert [fault.where for fault in found.faults] == [found.generations[0]]
    assert name.rpartition("/")[2] in found.faults[0].fact


def test_a_generation_that_is_missing_altogether_is_found(built):
    shutil.rmtree(current(built))
    assert "missing" in verify_index(built).faults[0].fact


def test_swapped_vectors_are_found(built):
    def swap(folder):
        vectors = faiss.read_index(str(folder / "vectors.faiss"))
        rows = vectors.reconstruct_n(0, vectors.ntotal)
        swapped = faiss.IndexFlatIP(vectors.d)
        swapped.add(rows[::-1].copy())
        faiss.write_index(swapped, str(folder / "vectors.faiss"))

    republish_with_change(built, swap)
    found = verify_index(built)
    assert [(fault.where, fault.part) for fault in found.faults] == [(found.generations[0], "vectors")]
    assert "not those of their passages" in found.faults[0].fact


def test_vectors_that_are_not_of_unit_length_are_found(built):
    def stretch(folder):
        vectors = faiss.read_index(str(folder / "vectors.faiss"))
        rows = vectors.reconstruct_n(0, vectors.ntotal)
        rows[2] *= np.float32(1.01)
        stretched = faiss.IndexFlatIP(vectors.d)
        stretched.add(rows)
        faiss.write_index(stretched, str(folder / "vectors.faiss"))

    republish_with_change(built, stretch)
    facts = [fault.fact for fault in verify_index(built).faults]
    assert any("unit length" in fact and fact.startswith("1 ") for fact in facts)


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        (
            "UPDATE documents SET text = replace(text, 'Geneva', 'Genava') WHERE doc_id = 'talks.txt'",
            "articles",
        ),
        ("UPDATE documents SET title = 'Another' WHERE doc_id = 'talks.txt'", "vectors"),
        ("UPDATE documents SET title = 'Another' WHERE doc_id = 'talks.txt'", "terms"),
        ('UPDATE passages SET "end" = "end" - 1 WHERE row = 0', "vectors"),
        ("UPDATE passages SET start = start + 1 WHERE row = 1", "vectors"),
        (
            "UPDATE passages SET line_start = line_start + 1, line_end = line_end + 1 WHERE row = 1",
            "passages",
        ),
        ('UPDATE passages SET "end" = 100000 WHERE row = 1', "passages"),
        ("UPDATE documents SET digest = x'00' WHERE doc_id = 'talks.txt'", "articles"),
        ("UPDATE documents SET source = 'elsewhere' WHERE doc_id = 'talks.txt'", "terms"),
        ("UPDATE documents SET published = '2024-05-01' WHERE doc_id = 'talks.txt'", "terms"),
        ("UPDATE passages SET lang = 'fr' WHERE row = 0", "terms"),
        ("UPDATE passages SET vector_key = x'00' WHERE row = 0", "vectors"),
        ("DELETE FROM spellings WHERE word = 'geneva'", "terms"),
        ("INSERT INTO spellings VALUES ('XXX', 'geneva')", "terms"),
        ("DELETE FROM title_words WHERE word = (SELECT min(word) FROM title_words)", "terms"),
        ("INSERT INTO title_words VALUES ('other', 1)", "terms"),
        ("DELETE FROM terms WHERE rowid = 1", "terms"),
        ("DELETE FROM passages WHERE row = 1", "files"),
    ],
)
def test_inconsistent_passages_are_found(built, statement, part):
    def alter(folder):
        connection = sqlite3.connect(folder / "articles.sqlite")
        assert connection.execute(statement).rowcount == 1
        connection.commit()
        connection.close()

    republish_with_change(built, alter)
    assert part in parts(verify_index(built))


def test_swapped_terms_are_found(built):
    def rewrite(folder):
        import tantivy

        shutil.rmtree(folder / "terms")
        (folder / "terms").mkdir()
        writer = terms_index(folder / "terms").writer(15_000_000, num_threads=1)
        for row in range(8):
            entry = tantivy.Document()
            entry.add_text("stem", "port")
            entry.add_unsigned("row", row)
            writer.add_document(entry)
        writer.commit()
        writer.wait_merging_threads()

    republish_with_change(built, rewrite)
    facts = [fault.fact for fault in verify_index(built).faults if fault.part == "terms"]
    assert any("not found by their own terms" in fact for fact in facts)
    assert any("terms (stem)" in fact for fact in facts)


def test_vectors_missing_from_the_cache_are_encoded_again(built, monkeypatch):
    (built / "vectors.sqlite").unlink()
    checksum_path(built / "vectors.sqlite").unlink()
    monkeypatch.setattr(
        "indexer.integrity.index.find_model", lambda name, _backend=None: FakeModel(name=name)
    )
    found = verify_index(built)
    assert (found.whole, found.cached, found.vectors, found.encoded, found.unchecked) == (True, 0, 0, 12, 0)


def test_verification_without_cache_and_model_lists_skipped_checks(built):
    (built / "vectors.sqlite").unlink()
    checksum_path(built / "vectors.sqlite").unlink()
    assert find_model("bundled").weights != "fake-weights"
    found = verify_index(built)  # no machine has a model called fake
    assert (found.whole, found.vectors, found.encoded, found.unchecked) == (True, 0, 0, 12)


def test_changed_file_is_reported_but_is_not_damage(built, archive):
    (archive / "talks.txt").write_text("Other words altogether, of which the index knows nothing.\n")
    (archive / "later.txt").unlink()
    found = verify_index(built)
    assert found.whole
    assert found.changed == ["later.txt", "talks.txt"]


def test_changed_sidecar_is_reported(built, archive):
    (archive / "talks.meta.json").write_text('{"title": "Another title"}')
    assert verify_index(built).changed == ["talks.txt"]


def test_articles_are_compared_in_a_moved_archive(built, archive):
    moved = archive.rename(archive.with_name("elsewhere"))
    found = verify_index(built)
    assert (found.whole, found.archive, found.articles, found.changed) == (True, None, 0, [])
    found = verify_index(built, moved)
    assert (found.whole, found.archive, found.articles, found.changed) == (True, str(moved), 6, [])


@pytest.mark.parametrize("at", [0.02, 0.3, 0.6, 0.97])
def test_damaged_cache_is_found_and_rebuilt_without_encoding_the_rest(built, archive, model, at):
    path = built / "vectors.sqlite"
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0xFF
    path.write_bytes(content)
    found = verify_index(built)
    assert {(fault.where, fault.part) for fault in found.faults} == {("cache", "cache")}
    model.encoded.clear()
    build_index(archive, built, model, rebuild=True)
    assert verify_index(built).whole
    assert len(model.encoded) <= 8 + 6  # passages and titles, not the sample


def test_invalid_cache_is_found(built, archive, model):
    (built / "vectors.sqlite").write_bytes(b"not a database at all " * 1000)
    assert verify_index(built).faults[0].where == "cache"
    build_index(archive, built, model, rebuild=True)
    assert verify_index(built).whole


def test_an_index_that_was_never_built_is_refused(tmp_path, archive):
    with pytest.raises(NoIndex):
        verify_index(tmp_path / "nothing")
    with pytest.raises(IndexUnusable, match="not an index"):
        verify_index(archive)
