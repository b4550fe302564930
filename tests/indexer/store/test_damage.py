"""What happens to bytes on the disk is found, and the newest generation that is whole is served."""

import os
import random
import re
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict

import faiss
import numpy as np
import pytest

from indexer.errors import IndexDamaged, IndexUnusable, NoIndex
from indexer.store.folder import CURRENT, GENERATIONS, IndexFolder
from indexer.store.manifest import MANIFEST
from indexer.store.reader import GenerationReader
from tests.support.generations import (
    DIMENSION,
    NO_FILTER,
    build,
    entry,
    flip,
    names,
    only,
    publish,
    state,
    unit,
    wanted,
)
from tests.support.paths import ROOT

GROUPS = [
    [entry("talks.txt", "Grain talks.", "قمة الحبوب."), entry("port.txt", "The port in winter.")],
    [entry("bread.txt", "Bread and grain.")],
    [entry("peace.txt", "هدنة في الميناء.")],
]


@pytest.fixture
def folder(index):
    folder = IndexFolder(index)
    folder.prepare()
    return folder


@pytest.fixture
def chain(folder):
    """Three generations, each with files of the one before; their names, oldest first."""
    made, store = [], None
    for group in GROUPS:
        before, store = store, build(folder.path, group, store, keep=3)
        made.append(store.generation)
        if before:
            before.close()
    store.close()
    return made


@pytest.fixture
def made(folder):
    """One generation, as the product writes it: SQLite, FAISS and Tantivy; its manifest."""
    with closing(build(folder.path, GROUPS[0])) as store:
        return store.manifest


def served(folder):
    """The generation that a reader gets, its number of documents, and its damage notice."""
    with closing(GenerationReader.open(folder)) as store:
        assert store.lexical(wanted("Grain"), 10, NO_FILTER)
        assert store.dense(unit(np.ones(DIMENSION)), 10, only("en"))
        return store.generation, store.size()[0], store.damage and str(store.damage)


# --- every byte is guarded -----------------------------------------------------------------------


def test_every_file_of_a_generation_is_in_its_manifest(folder, made):
    home = folder.folder(made.generation)
    assert {"articles.sqlite", "vectors.faiss", "terms/meta.json", "terms/.managed.json"} < made.files.keys()
    on_disk = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    unguarded = on_disk - made.files.keys() - {MANIFEST}
    assert all(re.fullmatch(r"terms/\.tantivy.*\.lock", name) for name in unguarded)
    assert list(folder.damages(made)) == []


def test_flipped_bit_in_any_file_is_found(folder, made):
    draw = random.Random(1)
    for name in made.files:
        path = folder.folder(made.generation) / name
        size = path.stat().st_size
        places = {0, size - 1, size // 2, *range(0, size, 4_096), *(draw.randrange(size) for _ in range(5))}
        for at in places:
            bit = draw.randrange(8)
            flip(path, at, bit)
            assert list(folder.damages(made)) == [
                f"{name} of {made.generation} has changed since it was built"
            ]
            flip(path, at, bit)
    assert list(folder.damages(made)) == []


def test_resized_or_missing_file_is_found_before_serving(folder, made):
    for name in made.files:
        path = folder.folder(made.generation) / name
        good = path.read_bytes()
        for changed in (good + b"x", good[:-1], b"", None):
            path.unlink() if changed is None else path.write_bytes(changed)
            fact = f"{name} of {made.generation} {'is missing' if changed is None else 'has changed since it was built'}"
            assert list(folder.damages(made)) == [fact]
            with pytest.raises(
                IndexDamaged, match=f"is damaged: {re.escape(fact)}. Run: .*--rebuild"
            ) as error:
                folder.check_files(made)
            assert error.value.fact == fact
            with pytest.raises(IndexDamaged, match=re.escape(fact)):
                GenerationReader.open(folder)
        path.write_bytes(good)
    assert served(folder) == (made.generation, 2, None)


def test_all_damages_are_listed(folder, made):
    (folder.folder(made.generation) / "vectors.faiss").unlink()
    (folder.folder(made.generation) / "terms" / "meta.json").unlink()
    (folder.folder(made.generation) / "terms" / "meta.json").mkdir()
    flip(folder.folder(made.generation) / "articles.sqlite", 200)
    facts = list(folder.damages(made))
    assert len(facts) == 3
    assert any("vectors.faiss" in fact and "is missing" in fact for fact in facts)
    assert any("meta.json" in fact and "cannot be read" in fact for fact in facts)


def test_flipped_bit_in_a_manifest_is_found(folder, made):
    path = folder.folder(made.generation) / MANIFEST
    good = path.read_bytes()
    for at in range(len(good)):
        for bit in (at % 8, 5):  # 5 turns capitals to small letters
            path.write_bytes(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :])
            with pytest.raises(IndexDamaged):
                folder.manifest(made.generation)
    path.write_bytes(good)
    assert folder.manifest(made.generation) == made


def test_intact_files_of_the_wrong_kind_are_refused(folder, made):
    """A manifest that agrees with the files does not describe their content."""
    content = {
        key: value for key, value in asdict(made).items() if key not in ("generation", "built", "files")
    }
    for name in ("vectors.faiss", "terms/meta.json"):
        with folder.staging_folder() as staging:
            shutil.copytree(folder.folder(made.generation), staging, dirs_exist_ok=True)
            (staging / MANIFEST).unlink()
            (staging / name).write_bytes(b"not an index")
            wrong = publish(folder, staging, earlier=[made.generation], **content)
        with pytest.raises(IndexDamaged, match=r"cannot be opened.*--rebuild"):
            GenerationReader.open_generation(folder, wrong.generation)
        assert served(folder)[0] == made.generation


def test_counts_that_differ_are_named(folder, made):
    content = {
        key: value for key, value in asdict(made).items() if key not in ("generation", "built", "files")
    }
    with folder.staging_folder() as staging:
        shutil.copytree(folder.folder(made.generation), staging, dirs_exist_ok=True)
        (staging / MANIFEST).unlink()
        publish(folder, staging, **{**content, "passages": 1_004})
    with (
        closing(GenerationReader.open(folder)) as store,
        pytest.raises(
            ValueError, match=r"it holds 3 passages, 3 vectors, 3 entries of terms for 1,004 passages"
        ),
    ):
        store.check_counts()
    with closing(GenerationReader.open_generation(folder, made.generation)) as store:
        store.check_counts()


def test_the_vectors_are_a_plain_faiss_index_in_the_order_of_rows(folder, made):
    index = faiss.read_index(str(folder.folder(made.generation) / "vectors.faiss"))
    with closing(GenerationReader.open(folder)) as store:
        assert index.reconstruct_n(0, 3).tolist() == store.vectors([0, 1, 2]).tolist()
        assert store.vectors([2, 0]).tolist() == index.reconstruct_n(0, 3)[[2, 0]].tolist()


# --- one step down -------------------------------------------------------------------------------


def test_undamaged_index_is_served_without_a_notice(folder, chain):
    assert served(folder) == (chain[2], 4, None)


@pytest.mark.parametrize("name", ["articles.sqlite", "vectors.faiss", MANIFEST, "terms/meta.json"])
def test_newest_undamaged_generation_is_served_with_damage_and_remedy(folder, chain, name):
    flip(folder.folder(chain[2]) / name, 40)
    generation, documents, damage = served(folder)
    assert (generation, documents) == (chain[1], 3)
    assert damage.startswith(
        f"The index in {folder.path} is damaged: {name} of {chain[2]} has changed since"
    ) or (
        damage.startswith(f"The index in {folder.path} is damaged: {name} of {chain[2]} ")
        and name == MANIFEST
    )
    assert f"from the newest generation that is whole, {chain[1]}." in damage
    assert damage.endswith(f"Run: warraq build --rebuild --index {folder.path}")
    (folder.folder(chain[1]) / name).unlink()
    generation, documents, damage = served(folder)
    assert (generation, documents) == (chain[0], 2)
    assert chain[2] in damage  # the first damage is reported
    assert chain[1] not in damage


def test_shared_damaged_file_damages_all_its_generations(folder, chain):
    manifest = folder.manifest(chain[2])
    shared = next(name for name in folder.manifest(chain[0]).files if name.endswith(".idx"))
    flip(folder.folder(chain[2]) / shared, 20)
    for generation in chain:
        assert [fact.partition(" of ")[0] for fact in folder.damages(folder.manifest(generation))] == [shared]
    with pytest.raises(
        IndexDamaged, match=f"{re.escape(shared)} of {manifest.generation} has changed.*--rebuild"
    ):
        GenerationReader.open(folder)


def test_first_damage_is_reported_when_all_generations_are_damaged(folder, chain):
    for generation in chain:
        (folder.folder(generation) / "vectors.faiss").unlink()
    remedy = re.escape(f"Run: warraq build --rebuild --index {folder.path}")
    with pytest.raises(IndexDamaged, match=rf"vectors.faiss of {chain[2]} is missing\. {remedy}") as error:
        GenerationReader.open(folder)
    assert not isinstance(error.value, NoIndex)
    shutil.rmtree(folder.path / GENERATIONS)
    with pytest.raises(IndexDamaged, match=rf"{MANIFEST} of {chain[2]} cannot be read\. {remedy}"):
        GenerationReader.open(folder)


def test_rollback_is_not_damage(folder, chain):
    folder.roll_back(chain[0])
    assert served(folder) == (chain[0], 2, None)
    # Where that one is damaged the newest that is whole is served, which may be one that is later.
    (folder.folder(chain[0]) / "vectors.faiss").unlink()
    generation, documents, damage = served(folder)
    assert (generation, documents) == (chain[2], 4)
    assert f"vectors.faiss of {chain[0]} is missing" in damage


def test_damaged_generation_list_is_reported_and_the_newest_is_served(folder, chain):
    path = folder.path / CURRENT
    good = path.read_bytes()
    for at in range(len(f"{chain[2]}\n")):
        for bit in range(8):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :])
            manifest, damage = folder.newest(folder.manifest)
            assert manifest.generation == chain[2]
            assert "is damaged" in str(damage)
        generation, _, damage = served(folder)
        assert generation == chain[2]
        assert damage.endswith(f"Run: warraq build --rebuild --index {folder.path}")
    for at in range(len(f"{chain[2]}\n"), len(good)):  # the other kept generations
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])
        assert folder.newest(folder.manifest)[0].generation == chain[2]


def test_unlisted_first_generation_is_served_with_a_notice(folder, made):
    """The generation is complete, and no list names it as current."""
    (folder.path / CURRENT).unlink()
    (folder.folder(made.generation) / ".unfinished").touch()
    generation, documents, damage = served(folder)
    assert (generation, documents) == (made.generation, 2)
    assert damage.startswith(f"The index in {folder.path} is damaged: {CURRENT} is missing. ")
    with closing(build(folder.path, GROUPS[0])) as after:
        assert folder.listed() == folder.found() == [after.generation]
    assert served(folder) == (after.generation, 2, None)


def test_unfinished_generation_alone_is_no_index(folder):
    (folder.path / GENERATIONS / ".new-dead").mkdir()
    (folder.path / GENERATIONS / ".new-dead" / ".unfinished").touch()
    with pytest.raises(NoIndex):
        GenerationReader.open(folder)


def test_generation_of_another_version_is_refused_but_is_not_damage(folder, made):
    content = {
        key: value for key, value in asdict(made).items() if key not in ("generation", "built", "files")
    }
    with folder.staging_folder() as staging:
        shutil.copytree(folder.folder(made.generation), staging, dirs_exist_ok=True)
        (staging / MANIFEST).unlink()
        settings = {**made.settings, "format_version": 1}
        other = publish(folder, staging, earlier=[made.generation], **{**content, "settings": settings})
    with pytest.raises(IndexUnusable, match=r"another version of Warraq.*--rebuild") as error:
        GenerationReader.open(folder)
    assert not isinstance(error.value, IndexDamaged)
    # Where it is only what a damaged index might step down to, it is passed over.
    folder.roll_back(made.generation)
    (folder.folder(made.generation) / "vectors.faiss").unlink()
    with pytest.raises(IndexDamaged, match=f"vectors.faiss of {made.generation} is missing"):
        GenerationReader.open(folder)
    assert folder.found() == [other.generation, made.generation]


# --- readers leave everything as it is -----------------------------------------------------------


def test_a_reader_changes_nothing(folder, chain):
    before = state(folder.path)
    assert served(folder)[0] == chain[2]
    for generation in chain:
        with closing(GenerationReader.open_generation(folder, generation)) as store:
            assert store.files() == {}
            assert store.terms_of(b"nothing") is None
    assert state(folder.path) == before


READER = """
import os, sys
from pathlib import Path
import faiss, numpy, tantivy
from indexer.store.base import WeightedTerm
from indexer.request import ListRequest
from indexer.store.reader import GenerationReader
from indexer.request import ListRequest
from indexer.store.folder import IndexFolder
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
folder = IndexFolder(Path(sys.argv[1]))
assert not any(os.access(path, os.W_OK) for path in [folder.path, *folder.path.rglob("*")])
store = GenerationReader.open(folder)
vector = numpy.ones(16, numpy.float32)
print(store.generation, store.damage, len(store.dense(vector, 9, ListRequest(lang="en").filters())),
      len(store.lexical([WeightedTerm("Grain", "stem", 1.0)], 9, ())), store.article("bread.txt") is not None)
store.close()
"""


def test_another_user_reads_a_read_only_index(public):
    folder = IndexFolder(public / "index")
    (public / "temporary").mkdir()
    (public / "temporary").chmod(0o777)
    with closing(build(folder.path, GROUPS[0])) as base, closing(build(folder.path, GROUPS[1], base)) as last:
        generation = last.generation
    for path in [*folder.path.rglob("*"), folder.path]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = state(folder.path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READER, str(folder.path)], capture_output=True, text=True,
        check=False, cwd=ROOT, env={**os.environ, "TMPDIR": str(public / "temporary")},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == f"{generation} None 4 1 True\n"
    assert state(folder.path) == before
    assert names(public / "temporary") == []
