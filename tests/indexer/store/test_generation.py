import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict

import faiss
import numpy as np
import pytest
from places import ROOT, SETTINGS

from indexer import IndexUnusable, NoIndex
from indexer.datatypes import Article, Document, Passage
from indexer.store.embedded import EmbeddedStore, EmbeddedWriter
from indexer.store.generation import (
    CURRENT,
    GENERATIONS,
    MANIFEST,
    MARKER,
    IndexFolder,
    replace_file,
    sha256_of,
)
from indexer.text.analysis import tokens

CONTENT = {
    "archive": "/somewhere/مقالات",
    "settings": {"model": "fake", "prompts": {"query": "q: "}, **SETTINGS},
    "documents": 1,
    "passages": 2,
    "languages": {"ar": 1, "en": 1},
    "failed": [{"path": "خبر.txt", "reason": "not UTF-8"}],
}


@pytest.fixture
def folder(index):
    folder = IndexFolder(index)
    folder.prepare()
    return folder


def build(folder, text="one", **changes):
    """Publish a generation of two small files."""
    with folder.write_aside() as aside:
        (aside / "articles.txt").write_text(text, "utf-8")
        (aside / "terms").mkdir()
        (aside / "terms" / "list.txt").write_text("terms", "utf-8")
        return folder.publish(aside, **{**CONTENT, **changes})


def names(path):
    return sorted(entry.name for entry in path.iterdir())


# --- whose folder it is --------------------------------------------------------------------------


def test_a_missing_folder_is_ours_and_checking_does_not_make_it(index):
    IndexFolder(index).check_ours()
    assert not index.exists()


@pytest.mark.parametrize("content", [[], ["README.md"]])
def test_an_empty_folder_and_one_with_a_readme_are_ours(index, content):
    index.mkdir()
    for name in content:
        (index / name).touch()
    IndexFolder(index).check_ours()
    assert names(index) == content
    IndexFolder(index).prepare()
    assert names(index) == sorted([*content, GENERATIONS, MARKER])


@pytest.mark.parametrize("name", ["thesis.txt", ".hidden", "readme.md", "current", "README.md.bak"])
def test_somebody_elses_folder_is_refused_and_left_as_it_was(index, name):
    index.mkdir()
    (index / "README.md").touch()
    (index / name).write_text("mine", "utf-8")
    for verb in (IndexFolder(index).check_ours, IndexFolder(index).prepare, IndexFolder(index).manifest):
        with pytest.raises(
            IndexUnusable, match=r"not an index of Warraq; nothing was changed\. .*--index"
        ) as refusal:
            verb()
        assert not isinstance(refusal.value, NoIndex)
    assert names(index) == sorted(["README.md", name])
    assert (index / name).read_text("utf-8") == "mine"


def test_a_file_in_its_place_is_refused(index):
    index.write_text("mine", "utf-8")
    with pytest.raises(IndexUnusable, match=r"is a file, not a folder\. .*--index"):
        IndexFolder(index).prepare()
    assert index.read_text("utf-8") == "mine"


def test_a_place_below_a_file_is_refused_when_it_should_be_written(index):
    index.write_text("mine", "utf-8")
    with pytest.raises(IndexUnusable, match="cannot be written"):
        IndexFolder(index / "deeper").prepare()


def test_a_marked_folder_is_ours_whatever_else_is_in_it(folder):
    (folder.path / "notes.txt").touch()
    folder.check_ours()
    before = (folder.path / MARKER).stat().st_mtime_ns
    folder.prepare()
    assert (folder.path / MARKER).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "marker",
    ['{"product": "warraq", "layout": 2}', "{}", "[]", "null", "3", "", "{", '{"layout": "1"}', "\x00"],
)
def test_another_layout_is_refused_with_the_way_out(folder, marker):
    (folder.path / MARKER).write_text(marker, "utf-8")
    with pytest.raises(IndexUnusable, match=r"another version of Warraq.*or remove this one and build again"):
        folder.check_ours()


def test_a_marker_that_cannot_be_read_is_refused(folder):
    (folder.path / MARKER).unlink()
    (folder.path / MARKER).mkdir()
    with pytest.raises(IndexUnusable, match="cannot be read"):
        folder.check_ours()


# --- which generation is current -----------------------------------------------------------------


def test_where_nothing_was_built_there_is_no_index_and_the_command_that_makes_one(folder):
    assert folder.current() is None
    with pytest.raises(NoIndex, match=f"Run: warraq build --archive DIR --index {folder.path}"):
        folder.manifest()


def test_a_missing_folder_has_no_index(index):
    assert IndexFolder(index).current() is None
    with pytest.raises(NoIndex):
        IndexFolder(index).manifest()


def test_what_was_published_is_read_back(folder):
    made = build(folder)
    assert folder.current() == made.generation
    assert IndexFolder(folder.path).manifest() == made
    assert {name: getattr(made, name) for name in CONTENT} == CONTENT
    assert made.files == {
        # printf one | sha256sum, and so on
        "articles.txt": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
        "terms/list.txt": sha256_of(folder.folder(made.generation) / "terms" / "list.txt"),
    }
    assert names(folder.folder(made.generation)) == ["articles.txt", MANIFEST, "terms"]
    folder.check_files(made)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder, made: (folder.folder(made) / MANIFEST).unlink(),
        lambda folder, made: (folder.folder(made) / MANIFEST).write_text("{", "utf-8"),
        lambda folder, made: (folder.folder(made) / MANIFEST).write_text("[]", "utf-8"),
        lambda folder, made: (folder.folder(made) / MANIFEST).write_text('{"generation": "x"}', "utf-8"),
        lambda folder, made: (folder.folder(made) / MANIFEST).write_bytes(b"\xff\xfe"),
        lambda folder, made: (folder.path / CURRENT).write_text("never-built\n", "utf-8"),
        lambda folder, made: (folder.path / CURRENT).write_bytes(b"\xff\xfe"),
        lambda folder, made: (folder.path / CURRENT).write_text("a\0b", "utf-8"),
        lambda folder, made: ((folder.path / CURRENT).unlink(), (folder.path / CURRENT).mkdir()),
    ],
)
def test_a_damaged_index_is_refused_with_the_command_that_mends_it(folder, damage):
    damage(folder, build(folder).generation)
    with pytest.raises(
        IndexUnusable, match=f"is damaged: .* Run: warraq build --rebuild --index {folder.path}"
    ) as error:
        folder.manifest()
    assert not isinstance(error.value, NoIndex)


def test_a_manifest_of_another_generation_is_refused(folder):
    first, second = build(folder), build(folder, "two")
    other = (folder.folder(first.generation) / MANIFEST).read_text("utf-8")
    (folder.folder(second.generation) / MANIFEST).write_text(other, "utf-8")
    with pytest.raises(IndexUnusable, match="belongs to another generation"):
        folder.manifest()


# --- the next takes over -------------------------------------------------------------------------


def test_the_next_generation_takes_over_and_the_one_before_stays_for_its_readers(folder):
    first, second = build(folder), build(folder, "two")
    assert folder.current() == second.generation != first.generation
    assert names(folder.path / GENERATIONS) == sorted([first.generation, second.generation])
    folder.check_files(first)


def test_two_generations_are_kept(folder):
    made = [build(folder, str(number)).generation for number in range(5)]
    assert names(folder.path / GENERATIONS) == made[-2:]
    assert folder.manifest().generation == made[-1]


def test_a_folder_without_a_manifest_is_never_removed(folder):
    strange = folder.path / GENERATIONS / "0-notes"
    strange.mkdir()
    (strange / "keep.txt").touch()
    made = [build(folder, str(number)).generation for number in range(4)]
    assert names(folder.path / GENERATIONS) == ["0-notes", *made[-2:]]
    assert names(strange) == ["keep.txt"]


def test_the_current_generation_is_kept_though_the_clock_was_set_back(folder):
    for name in ("29990101T000000000000-aaaaaaaa", "29990102T000000000000-bbbbbbbb"):
        made = build(folder, name)
        folder.folder(made.generation).rename(folder.folder(name))
    made = build(folder, "now")
    assert folder.manifest() == made
    folder.check_files(made)
    assert len(names(folder.path / GENERATIONS)) == 2


def test_what_was_not_published_is_gone_and_the_last_good_one_stays(folder):
    made = build(folder)
    with pytest.raises(ZeroDivisionError), folder.write_aside() as aside:
        assert names(aside) == []
        (aside / "half.txt").touch()
        raise ZeroDivisionError
    with folder.write_aside() as aside:
        (aside / "never published.txt").touch()
    assert names(folder.path / GENERATIONS) == [made.generation]
    assert folder.manifest() == made


def test_what_a_dead_build_left_is_removed_by_the_next(folder):
    made = build(folder)
    left = folder.path / GENERATIONS / ".new-dead"
    (left / "terms").mkdir(parents=True)
    (left / MANIFEST).touch()
    with folder.write_aside() as aside:
        assert names(folder.path / GENERATIONS) == sorted([aside.name, made.generation])
    assert folder.manifest() == made


def test_a_build_killed_half_way_leaves_the_last_good_one(folder):
    made = build(folder)
    program = (
        "import os, sys; from pathlib import Path; from indexer.store.generation import IndexFolder\n"
        "folder = IndexFolder(Path(sys.argv[1]))\n"
        "with folder.lock(), folder.write_aside() as aside:\n"
        "    (aside / 'articles.txt').write_text('half')\n"
        "    os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(folder.path)], cwd=ROOT, check=False)
    assert killed.returncode == 9
    assert folder.manifest() == made
    folder.check_files(made)
    with folder.lock():
        second = build(folder, "two")
    assert names(folder.path / GENERATIONS) == [made.generation, second.generation]


# --- its files -----------------------------------------------------------------------------------


def real_generation(folder):
    """A generation as the product writes it: SQLite, FAISS and Tantivy."""
    document = Document("talks.txt", "Talks", "Grain talks.\nقمة الحبوب.", "talks.txt", "en")
    passages = (Passage("talks.txt", 1, 0, 12, 1, 1, "en"), Passage("talks.txt", 2, 13, 24, 2, 2, "ar"))
    with folder.write_aside() as aside:
        writer = EmbeddedWriter(aside)
        writer.add(
            Article(document, passages),
            b"",
            [tokens("Grain talks."), tokens("قمة الحبوب.")],
            [b"1" * 32, b"2" * 32],
        )
        writer.finish(4, iter([np.eye(2, 4, dtype=np.float32)]))
        return folder.publish(aside, **CONTENT)


def test_every_file_of_a_real_generation_is_guarded(folder):
    made = real_generation(folder)
    home = folder.folder(made.generation)
    assert {"articles.sqlite", "vectors.faiss", "terms/meta.json"} < made.files.keys()
    on_disk = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    assert {name for name in on_disk if not name.rpartition("/")[2].startswith(".")} == {
        MANIFEST,
        *made.files,
    }
    folder.check_files(made)
    for name in made.files:
        path = home / name
        good = path.read_bytes()
        changes = {good + b"x", good[:-1], bytes([good[0] ^ 1]) + good[1:], b""} if good else {b"x"}
        for changed in changes:
            path.write_bytes(changed)
            for verb in (lambda: folder.check_files(made), lambda: EmbeddedStore.open(folder)):
                with pytest.raises(IndexUnusable, match=rf"{name} has changed since it was built.*--rebuild"):
                    verb()
        path.unlink()
        with pytest.raises(IndexUnusable, match=f"{name} cannot be read.*--rebuild"):
            folder.check_files(made)
        path.write_bytes(good)
    folder.check_files(made)
    EmbeddedStore.open(folder).close()


def test_files_that_are_whole_but_not_what_they_should_be_are_refused(folder):
    """A manifest that agrees with the files says nothing of what is in them."""
    made = real_generation(folder)
    with folder.write_aside() as aside:
        shutil.copytree(folder.folder(made.generation), aside, dirs_exist_ok=True)
        (aside / MANIFEST).unlink()
        (aside / "vectors.faiss").write_bytes(b"not an index")
        content = {
            key: value for key, value in asdict(made).items() if key not in ("generation", "built", "files")
        }
        folder.publish(aside, **content)
    with pytest.raises(IndexUnusable, match=r"cannot be opened.*--rebuild"):
        EmbeddedStore.open(folder)


def test_the_vectors_are_a_plain_faiss_index_in_the_order_of_rows(folder):
    made = real_generation(folder)
    index = faiss.read_index(str(folder.folder(made.generation) / "vectors.faiss"))
    assert index.reconstruct_n(0, 2).tolist() == np.eye(2, 4).tolist()


# --- one file, replaced whole --------------------------------------------------------------------


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "current"
    replace_file(path, "first")
    replace_file(path, "ثانٍ\n")
    assert path.read_bytes() == "ثانٍ\n".encode()
    assert names(tmp_path) == ["current"]


def test_a_replacement_that_fails_leaves_the_old_content(tmp_path):
    path = tmp_path / "current"
    replace_file(path, "old")
    with pytest.raises(UnicodeEncodeError):
        replace_file(path, "\ud800")
    assert path.read_text("utf-8") == "old"


def test_what_a_dead_replacement_left_does_not_disturb_the_next(tmp_path):
    path = tmp_path / "current"
    replace_file(path, "old")
    (tmp_path / ".current.new").write_text("half of something much longer", "utf-8")
    replace_file(path, "new")
    assert path.read_text("utf-8") == "new"
    assert names(tmp_path) == ["current"]


def test_a_reader_sees_the_old_content_or_the_new_one(tmp_path):
    path = tmp_path / "current"
    contents = ["a" * 5_000, "b" * 9_000]
    replace_file(path, contents[0])
    done = threading.Event()
    seen = set()

    def read():
        while not done.is_set():
            seen.add(path.read_text("utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        replace_file(path, contents[number % 2])
    done.set()
    reader.join()
    assert seen <= set(contents)


# --- one build at a time -------------------------------------------------------------------------


def test_a_second_build_in_another_thread_waits(folder):
    order = []

    def second():
        with folder.lock():
            order.append("second")

    with folder.lock():
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]


HOLDER = (
    "import sys; from pathlib import Path; from indexer.store.generation import IndexFolder\n"
    "with IndexFolder(Path(sys.argv[1])).lock():\n"
    "    print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def holder(folder):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def wait_for_lock(folder):
    taken = threading.Event()

    def take():
        with folder.lock():
            taken.set()

    thread = threading.Thread(target=take)
    thread.start()
    return thread, taken


def test_a_build_in_another_process_is_waited_for(folder, holder):
    thread, taken = wait_for_lock(folder)
    assert not taken.wait(0.3)
    holder.stdin.close()
    assert taken.wait(10)
    thread.join()


def test_the_lock_dies_with_its_process(folder, holder):
    thread, taken = wait_for_lock(folder)
    assert not taken.wait(0.1)
    holder.kill()
    assert taken.wait(10)
    thread.join()
