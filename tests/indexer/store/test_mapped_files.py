"""A file of a generation that is shortened while it is served: the damage is told, and no process ends."""

import pytest

from indexer import SearchRequest, build_index
from indexer.errors import IndexDamaged
from indexer.store import reader
from indexer.store.mapped_files import MappedFiles
from indexer.store.schema import TERMS, VECTORS
from tests.support.fakes import FakeModel, open_fake


def test_only_a_file_that_is_there_and_shorter_counts(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.write_bytes(b"12345")
    files = MappedFiles([one, other])
    assert files.shortened() is None
    one.unlink()
    other.write_bytes(b"123456")
    assert files.shortened() is None
    other.write_bytes(b"1234")
    assert files.shortened() == "other"


@pytest.fixture(params=[True, False], ids=["mapped", "in memory"])
def searcher(request, tmp_path, monkeypatch):
    if request.param:
        monkeypatch.setattr(reader, "IN_MEMORY", 0)
    archive = tmp_path / "archive"
    archive.mkdir()
    for number in range(30):
        (archive / f"{number}.txt").write_text(
            f"Harbour {number}\n\nDivers have mapped quay number {number}.\n"
        )
    build_index(archive, tmp_path / "index", model=FakeModel())
    opened = open_fake(tmp_path / "index")
    yield opened
    opened.close()


@pytest.mark.parametrize("part", ["vectors", "terms"])
def test_search_in_a_shortened_file_tells_the_damage(searcher, part):
    assert searcher.search(SearchRequest("quays")).hits
    folder = searcher.store.folder
    path = (
        folder / VECTORS
        if part == "vectors"
        else max((folder / TERMS).iterdir(), key=lambda file: file.stat().st_size)
    )
    with path.open("r+b") as file:
        file.truncate(10)
    with pytest.raises(IndexDamaged, match="has become shorter") as caught:
        searcher.search(SearchRequest("divers"))
    assert caught.value.remedy.startswith("warraq build --rebuild")
