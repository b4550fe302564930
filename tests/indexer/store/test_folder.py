"""An index folder: whose it is, which generation is current, what a generation says of itself."""

import json
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from indexer import build_index
from indexer.errors import IndexDamaged, IndexUnusable, NoIndex
from indexer.store.disk import sha256_of
from indexer.store.folder import CURRENT, GENERATIONS, MARKER, IndexFolder
from indexer.store.manifest import MANIFEST
from tests.support.generations import names, publish
from tests.support.paths import ROOT, SETTINGS

CONTENT = {
    "archive": "/somewhere/مقالات",
    "settings": {"model": "fake", "prompts": {"query": "q: "}, **SETTINGS},
    "documents": 1,
    "passages": 2,
    "languages": {"ar": 1, "en": 1},
    "failed": [{"path": "خبر.txt", "reason": "not UTF-8"}],
}


def build(folder, text="one", **changes):
    """Publish a generation of two small files."""
    with folder.staging_folder() as staging:
        (staging / "articles.txt").write_text(text, "utf-8")
        (staging / "terms").mkdir()
        (staging / "terms" / "list.txt").write_text("terms", "utf-8")
        return publish(folder, staging, **{**CONTENT, **changes})


# --- whose folder it is --------------------------------------------------------------------------


def test_missing_folder_is_accepted_and_not_created_by_the_check(index):
    IndexFolder(index).check_ours()
    assert not index.exists()


@pytest.mark.parametrize("content", [[], ["README.md"]])
def test_empty_folder_and_folder_with_a_readme_are_accepted(index, content):
    index.mkdir()
    for name in content:
        (index / name).touch()
    IndexFolder(index).check_ours()
    assert names(index) == content
    IndexFolder(index).prepare()
    assert names(index) == sorted([*content, GENERATIONS, MARKER])


@pytest.mark.parametrize("name", ["thesis.txt", ".hidden", "readme.md", "current", "README.md.bak"])
def test_foreign_folder_is_refused_and_left_unchanged(index, name):
    index.mkdir()
    (index / "README.md").touch()
    (index / name).write_text("mine", "utf-8")
    folder = IndexFolder(index)
    for verb in (folder.check_ours, folder.prepare, lambda: folder.newest(folder.manifest)):
        with pytest.raises(
            IndexUnusable, match=r"not an index of Warraq; nothing was changed\. .*--index"
        ) as refusal:
            verb()
        assert not isinstance(refusal.value, NoIndex)
    assert names(index) == sorted(["README.md", name])
    assert (index / name).read_text("utf-8") == "mine"


def test_file_in_place_of_the_folder_is_refused(index):
    index.write_text("mine", "utf-8")
    with pytest.raises(IndexUnusable, match=r"is a file, not a folder\. .*--index"):
        IndexFolder(index).prepare()
    assert index.read_text("utf-8") == "mine"


def test_path_below_a_file_is_refused_on_writing(index):
    index.write_text("mine", "utf-8")
    with pytest.raises(IndexUnusable, match="cannot be written"):
        IndexFolder(index / "deeper").prepare()


def test_folder_with_a_marker_is_accepted_whatever_else_it_holds(folder):
    (folder.path / "notes.txt").touch()
    folder.check_ours()
    before = (folder.path / MARKER).stat().st_mtime_ns
    folder.prepare()
    assert (folder.path / MARKER).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "marker", ['{"product": "warraq", "layout": 2}', '{"layout": "1"}', '{"layout": null}']
)
def test_other_layout_is_refused_with_the_remedy(folder, marker):
    (folder.path / MARKER).write_text(marker, "utf-8")
    with pytest.raises(IndexUnusable, match=r"another version of Warraq.*or remove this one and build again"):
        folder.check_ours()


@pytest.mark.parametrize("marker", [b"{}", b"[]", b"null", b"3", b"", b"{", b"\x00", b"\xff\xfe"])
def test_empty_marker_is_damage_and_its_remedy_repairs_it(folder, marker):
    good = (folder.path / MARKER).read_text("utf-8")
    (folder.path / MARKER).write_bytes(marker)
    for verb in (folder.check_ours, folder.prepare, lambda: folder.newest(folder.manifest)):
        with pytest.raises(IndexDamaged, match=f"write {re.escape(good)} into that file"):
            verb()
    assert (folder.path / MARKER).read_bytes() == marker
    (folder.path / MARKER).write_text(good, "utf-8")
    folder.check_ours()


def test_unreadable_marker_is_refused(folder):
    (folder.path / MARKER).unlink()
    (folder.path / MARKER).mkdir()
    with pytest.raises(IndexUnusable, match="cannot be read"):
        folder.check_ours()


# --- which generation is current -----------------------------------------------------------------


def test_unbuilt_folder_has_no_index_and_names_the_build_command(folder):
    assert folder.current() is None
    with pytest.raises(NoIndex, match=f"Run: warraq build --archive DIR --index {folder.path}"):
        folder.newest(folder.manifest)
    assert (folder.listed(), folder.found()) == ([], [])


def test_a_missing_folder_has_no_index(index):
    folder = IndexFolder(index)
    assert folder.current() is None
    assert (folder.listed(), folder.found()) == ([], [])
    with pytest.raises(NoIndex):
        folder.newest(folder.manifest)
    assert not index.exists()


def test_published_generation_is_read_back(folder):
    made = build(folder)
    assert folder.current() == made.generation
    assert IndexFolder(folder.path).manifest(made.generation) == made
    assert IndexFolder(folder.path).newest(folder.manifest) == (made, None)
    assert (folder.path / CURRENT).read_text("utf-8") == f"{made.generation}\n"
    assert re.fullmatch(r"\d{8}T\d{12}-[0-9a-f]{8}", made.generation)
    assert {name: getattr(made, name) for name in CONTENT} == CONTENT
    assert made.files == {
        # printf one | sha256sum, and so on
        "articles.txt": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
        "terms/list.txt": sha256_of(folder.folder(made.generation) / "terms" / "list.txt"),
    }
    assert names(folder.folder(made.generation)) == ["articles.txt", MANIFEST, "terms"]
    folder.check_files(made)


def test_generations_are_listed_current_first_and_found_newest_first(folder):
    first, second = build(folder), build(folder, "two")
    assert folder.listed() == [second.generation, first.generation]
    assert folder.found() == [second.generation, first.generation]
    folder.roll_back()
    assert folder.listed() == [first.generation, second.generation]
    assert folder.found() == [second.generation, first.generation]


@pytest.mark.parametrize(
    "name",
    [
        "0-notes", "20250101T000000000000", "20250101T000000000000-ABCDEF01", "20250101T000000-abcdef01",
        "20250101T000000000000-abcdef01.bak", ".new-abc", "20250101T000000000000-abcdef0g", "current",
    ],
)  # fmt: skip
def test_folder_with_another_name_is_not_a_generation(folder, name):
    made = build(folder)
    (folder.path / GENERATIONS / name).mkdir()
    (folder.path / GENERATIONS / "99990101T000000000000-abcdef01").touch()  # a file
    assert folder.found() == [made.generation]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("{", "utf-8"),
        lambda path: path.write_text("[]", "utf-8"),
        lambda path: path.write_text('{"generation": "x"}', "utf-8"),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text(json.dumps(json.loads(path.read_text("utf-8"))), "utf-8"),
        lambda path: path.write_text(path.read_text("utf-8") + "\n", "utf-8"),
        lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")),
        lambda path: path.write_text(path.read_text("utf-8").replace("{", '{"documents": 1,', 1), "utf-8"),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_changed_manifest_is_refused(folder, change):
    made = build(folder)
    change(folder.folder(made.generation) / MANIFEST)
    remedy = re.escape(f"Run: warraq build --rebuild --index {folder.path}")
    with pytest.raises(
        IndexDamaged, match=f"is damaged: {MANIFEST} of {made.generation} .*{remedy}"
    ) as error:
        folder.manifest(made.generation)
    assert error.value.fact in str(error.value)
    assert "--rebuild" not in error.value.fact
    assert not isinstance(error.value, NoIndex)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"never-built\n", b"\xff\xfe", b"a\0b", b"20250101T000000000000-abcdef01",
        b"20250101T000000000000-abcdef01\n\n", b"\n20250101T000000000000-abcdef01\n",
        b"20250101T000000000000-abcdef01 \n", b"../../../elsewhere\n",
    ],
)  # fmt: skip
def test_generation_list_with_other_content_is_damaged(folder, content):
    (folder.path / CURRENT).write_bytes(content)
    for verb in (folder.listed, folder.current, lambda: folder.newest(folder.manifest)):
        with pytest.raises(
            IndexDamaged, match=f"is damaged: {CURRENT} .* Run: warraq build --rebuild --index"
        ):
            verb()


def test_folder_in_place_of_the_generation_list_is_damage(folder):
    (folder.path / CURRENT).mkdir()
    with pytest.raises(IndexDamaged, match=f"{CURRENT} cannot be read"):
        folder.listed()


def test_a_manifest_of_another_generation_is_refused(folder):
    first, second = build(folder), build(folder, "two")
    other = (folder.folder(first.generation) / MANIFEST).read_text("utf-8")
    (folder.folder(second.generation) / MANIFEST).write_text(other, "utf-8")
    with pytest.raises(IndexDamaged, match="belongs to another generation"):
        folder.manifest(second.generation)


def test_generation_name_authenticates_its_manifest(folder):
    """The same content under another name, or other content in the same form, is refused."""
    made = build(folder)
    content = (folder.folder(made.generation) / MANIFEST).read_text("utf-8")
    (folder.folder(made.generation) / MANIFEST).write_text(
        content.replace('"passages": 2', '"passages": 3'), "utf-8"
    )
    with pytest.raises(IndexDamaged, match="has changed since it was built"):
        folder.manifest(made.generation)
    name = f"{made.generation[:-8]}{'0' * 8}"
    folder.folder(made.generation).rename(folder.folder(name))
    (folder.folder(name) / MANIFEST).write_text(content.replace(made.generation, name), "utf-8")
    with pytest.raises(IndexDamaged, match="has changed since it was built"):
        folder.manifest(name)


# --- the next takes over -------------------------------------------------------------------------


def test_next_generation_is_served_and_the_previous_is_kept(folder):
    first, second = build(folder), build(folder, "two")
    assert folder.current() == second.generation != first.generation
    assert names(folder.path / GENERATIONS) == sorted([first.generation, second.generation])
    folder.check_files(first)


def test_unpublished_generation_is_removed_and_the_last_is_kept(folder):
    made = build(folder)
    with pytest.raises(ZeroDivisionError), folder.staging_folder() as staging:
        assert names(staging) == [".unfinished"]
        (staging / "half.txt").touch()
        raise ZeroDivisionError
    with folder.staging_folder() as staging:
        (staging / "never published.txt").touch()
    assert names(folder.path / GENERATIONS) == [made.generation]
    assert folder.newest(folder.manifest) == (made, None)


@pytest.mark.parametrize("more", [(), ("terms/list.txt", MANIFEST)])
def test_leftovers_of_a_killed_build_are_removed_by_the_next(folder, more):
    made = build(folder)
    left = folder.path / GENERATIONS / ".new-dead"
    (left / "terms").mkdir(parents=True)
    for name in (".unfinished", *more):
        (left / name).touch()
    with folder.staging_folder() as staging:
        assert names(folder.path / GENERATIONS) == sorted([staging.name, made.generation])
    assert folder.newest(folder.manifest) == (made, None)


def test_empty_folder_of_a_killed_build_is_removed_by_the_next(folder):
    (folder.path / GENERATIONS / ".new-dead").mkdir()
    with folder.staging_folder() as staging:
        assert names(folder.path / GENERATIONS) == [staging.name]


def test_folder_without_the_unfinished_mark_is_kept(folder):
    """Its name is that of a folder being written, but it has no mark that proves it is ours."""
    strange = folder.path / GENERATIONS / ".new-thesis"
    (strange / "chapters").mkdir(parents=True)
    (strange / "chapters" / "one.txt").write_text("mine", "utf-8")
    build(folder)
    build(folder, "two")
    assert (strange / "chapters" / "one.txt").read_text("utf-8") == "mine"


def test_unfinished_mark_is_removed_last_and_is_not_content(folder):
    seen = []
    with folder.staging_folder() as staging:
        (staging / "articles.txt").write_text("one", "utf-8")
        (staging / ".tantivy-writer.lock").touch()
        (staging / ".managed.json").touch()
        made = publish(
            folder, staging, check=lambda made: seen.extend(names(folder.folder(made.generation))), **CONTENT
        )
    assert made.files.keys() == {"articles.txt", ".managed.json"}
    assert ".unfinished" in seen
    assert ".unfinished" not in names(folder.folder(made.generation))


def test_a_published_generation_can_be_read_by_others(folder):
    assert folder.folder(build(folder).generation).stat().st_mode & 0o777 == 0o755


def test_a_generation_that_does_not_pass_its_check_is_never_current(folder):
    made = build(folder)

    def refuse(tried):
        assert folder.current() == made.generation
        raise folder.damaged(f"{tried.generation} is not what it should be")

    for _ in range(3):
        with pytest.raises(IndexDamaged, match="is not what it should be"):
            build(folder, "two", check=refuse)
        assert folder.newest(folder.manifest) == (made, None)
    last = build(folder, "three")
    assert folder.found() == folder.listed() == [last.generation, made.generation]


def test_killed_build_leaves_the_last_generation(folder):
    made = build(folder)
    program = (
        "import os, sys; from pathlib import Path; from indexer.store.folder import IndexFolder\n"
        "folder = IndexFolder(Path(sys.argv[1]))\n"
        "with folder.lock(), folder.staging_folder() as aside:\n"
        "    (aside / 'articles.txt').write_text('half')\n"
        "    os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(folder.path)], cwd=ROOT, check=False)
    assert killed.returncode == 9
    assert folder.newest(folder.manifest) == (made, None)
    folder.check_files(made)
    with folder.lock():
        second = build(folder, "two")
    assert names(folder.path / GENERATIONS) == [made.generation, second.generation]


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
    "import sys; from pathlib import Path; from indexer.store.folder import IndexFolder\n"
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


def test_lock_is_released_when_its_process_dies(folder, holder):
    thread, taken = wait_for_lock(folder)
    assert not taken.wait(0.1)
    holder.kill()
    assert taken.wait(10)
    thread.join()


def test_all_files_of_a_generation_have_the_same_permissions(archive, index, model):
    """Libraries keep some of theirs to their maker; a server may be another user."""
    report = build_index(archive, index, model)
    folder = index / "generations" / report.generation
    modes = {
        path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert len(modes) >= 6
    assert set(modes.values()) == {modes["manifest.json"]}
