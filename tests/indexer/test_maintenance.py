"""Looking after an index: what it weighs, going back and forward, and clearing the cache."""

import shutil
from dataclasses import fields

import pytest

from indexer import Searcher, SearchRequest, build_index, open_searcher, verify_index
from indexer.errors import IndexUnusable, NoIndex, RequestError
from indexer.maintenance import cache_facts, clear_cache, describe_index, roll_back
from indexer.retrieval.opening import current_generation
from indexer.settings import FORMAT_VERSION
from indexer.store.folder import IndexFolder
from indexer.store.manifest import GenerationContent
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel
from tests.support.generations import publish


@pytest.fixture
def steps(archive, index, model):
    """Three builds, of which two are kept; returns their reports."""
    reports = [build_index(archive, index, model)]
    for number in range(2):
        (archive / f"new{number}.txt").write_text(
            f"New {number}\nThe quartermaster counted {number} ropes again.\n"
        )
        reports.append(build_index(archive, index, model))
    return reports


def found(index, question="quartermaster"):
    store = GenerationReader.open(IndexFolder(index))
    result = Searcher(store, FakeModel()).search(SearchRequest(question, mode="lexical"))
    store.close()
    return sorted(hit.document.doc_id for hit in result.hits)


def test_rollback_serves_the_previous_generation_and_returns(steps, index):
    assert found(index) == ["new0.txt", "new1.txt"]
    assert roll_back(index).generation == steps[1].generation == current_generation(index)
    assert found(index) == ["new0.txt"]
    assert roll_back(index, steps[2].generation).generation == steps[2].generation
    assert found(index) == ["new0.txt", "new1.txt"]


def test_rollback_before_the_oldest_generation_is_refused(steps, index):
    roll_back(index)
    with pytest.raises(RequestError, match="no generation before"):
        roll_back(index)
    assert current_generation(index) == steps[1].generation


@pytest.mark.parametrize("name", ["nothing", "../..", "20200101T000000000000-00000000"])
def test_unknown_generation_is_refused(steps, index, name):
    with pytest.raises(RequestError, match="keeps no generation") as error:
        roll_back(index, name)
    assert steps[2].generation in str(error.value)
    assert current_generation(index) == steps[2].generation


def test_rollback_to_a_damaged_generation_is_refused(steps, index):
    path = index / "generations" / steps[1].generation / "vectors.faiss"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(IndexUnusable, match=r"vectors\.faiss"):
        roll_back(index)
    assert current_generation(index) == steps[2].generation


def test_build_after_rollback_begins_with_the_served_generation(steps, index, archive, model):
    roll_back(index)
    report = build_index(archive, index, model)
    assert (report.added, report.unchanged, report.encoded) == (1, 3, 0)
    assert found(index) == ["new0.txt", "new1.txt"]
    assert IndexFolder(index).listed() == [report.generation, steps[1].generation]


def test_rollback_without_an_index_is_refused(tmp_path):
    with pytest.raises(NoIndex):
        roll_back(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_requested_number_of_generations_is_kept(archive, index, model, keep):
    made = []
    for number in range(4):
        (archive / f"new{number}.txt").write_text(f"Number {number} stands here.\n")
        made.append(build_index(archive, index, model, keep=keep).generation)
    assert IndexFolder(index).listed() == made[::-1][:keep]
    assert IndexFolder(index).found() == made[::-1][:keep]


def test_index_facts_list_parts_and_sizes(steps, index):
    facts = describe_index(index)
    assert facts["documents"] == 4
    assert facts["damage"] is None
    folder = index / "generations" / steps[2].generation
    assert facts["sizes"]["articles.sqlite"] == (folder / "articles.sqlite").stat().st_size
    assert facts["sizes"]["terms"] == sum(
        path.stat().st_size for path in (folder / "terms").glob("*") if not path.name.endswith(".lock")
    )
    assert [each["generation"] for each in facts["generations"]] == [steps[2].generation, steps[1].generation]
    assert [each["current"] for each in facts["generations"]] == [True, False]
    assert facts["generations"][1]["documents"] == 3
    assert facts["cache"]["vectors"] == 480 + facts["passages"] + 4  # titles
    inodes = {path.stat().st_ino: path.stat().st_size for path in index.rglob("*") if path.is_file()}
    assert facts["disk"] == sum(inodes.values())
    assert facts["disk"] < sum(path.stat().st_size for path in index.rglob("*") if path.is_file())


def test_index_facts_describe_the_served_generation(steps, index):
    (index / "generations" / steps[2].generation / "manifest.json").write_text("{}")
    facts = describe_index(index)
    assert facts["generation"] == steps[1].generation
    assert "manifest.json" in facts["damage"]
    assert facts["generations"][0]["documents"] is None


def test_cleared_cache_only_causes_new_embedding(steps, index, archive, model):
    facts = clear_cache(index)
    assert facts["vectors"] == 480 + steps[2].passages + 4  # titles
    assert cache_facts(index)["vectors"] == 0
    assert not list(index.glob("vectors.*"))
    assert found(index) == ["new0.txt", "new1.txt"]
    model.encoded.clear()
    assert build_index(archive, index, model, rebuild=True).encoded == steps[2].passages
    assert clear_cache(index)["bytes"] > 0


def test_clearing_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "vectors.sqlite").write_text("somebody's")
    with pytest.raises(IndexUnusable):
        clear_cache(tmp_path)
    assert (tmp_path / "vectors.sqlite").read_text() == "somebody's"


def test_an_index_of_another_format_is_refused_with_the_command_and_keeps_its_vectors(archive, index, model):
    """What a version before wrote: its files are another's, its vectors are those of the same texts."""
    build_index(archive, index, model)
    folder = IndexFolder(index)
    manifest = folder.manifest(folder.current())
    with folder.staging_folder() as staging:
        shutil.copytree(folder.folder(manifest.generation), staging, dirs_exist_ok=True)
        (staging / "manifest.json").unlink()
        facts = {each.name: getattr(manifest, each.name) for each in fields(GenerationContent)}
        settings = {**manifest.settings, "format_version": FORMAT_VERSION - 1}
        publish(folder, staging, archive=manifest.archive, settings=settings, earlier=[], **facts)
    for ask in (describe_index, open_searcher, verify_index):
        with pytest.raises(IndexUnusable, match="another version of Warraq") as error:
            ask(index)
        assert error.value.remedy == f"warraq build --rebuild --index {index}"
    report = build_index(archive, index, model)
    assert (report.documents, report.encoded) == (2, 0)
    assert describe_index(index)["documents"] == 2
