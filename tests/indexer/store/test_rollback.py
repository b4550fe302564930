"""Which generations stay, which go, and the way back to one that stayed."""

import json
from datetime import UTC, datetime

import pytest

from indexer.errors import IndexDamaged, RequestError
from indexer.store.folder import CURRENT, GENERATIONS
from indexer.store.manifest import MANIFEST, Manifest
from tests.support.generations import names, publish, state
from tests.support.paths import SETTINGS

CONTENT = {
    "archive": "/somewhere", "settings": SETTINGS, "documents": 1, "passages": 1, "languages": {"en": 1}, "failed": [],
}  # fmt: skip


def build(folder, text="one", **changes):
    """Publish a generation of two small files; returns its name."""
    with folder.staging_folder() as staging:
        (staging / "articles.txt").write_text(text, "utf-8")
        (staging / "terms").mkdir()
        (staging / "terms" / "list.txt").write_text("terms", "utf-8")
        (staging / "terms" / ".tantivy-meta.lock").touch()
        return publish(folder, staging, **{**CONTENT, **changes}).generation


def is_whole(folder, generation):
    return not list(folder.damages(folder.manifest(generation)))


# --- which stay ----------------------------------------------------------------------------------


def test_two_generations_are_kept(folder):
    made = [build(folder, str(number)) for number in range(5)]
    assert folder.found() == folder.listed() == names(folder.path / GENERATIONS)[::-1] == made[:-3:-1]
    assert all(is_whole(folder, each) for each in made[-2:])


@pytest.mark.parametrize(("kept", "stay"), [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (99, 5)])
def test_requested_number_of_generations_is_kept_and_at_least_one(folder, kept, stay):
    made = [build(folder, str(number), keep=99) for number in range(4)]
    made.append(build(folder, "last", keep=kept))
    assert folder.listed() == made[::-1][:stay]
    assert folder.found() == made[::-1][:stay]


def test_exactly_the_named_generations_are_kept(folder):
    made = [build(folder, str(number), keep=99) for number in range(4)]
    last = build(folder, "last", earlier=[made[1]], keep=99)
    assert folder.listed() == folder.found() == [last, made[1]]
    alone = build(folder, "alone", earlier=[])
    assert folder.listed() == folder.found() == [alone]


def test_current_generation_is_kept_when_the_clock_was_set_back(folder):
    """Names contain the time of the build; the list of generations decides which is current."""
    late = "29990101T000000000000-aaaaaaaa"
    (folder.folder(late)).mkdir()
    made = build(folder, "now")
    assert folder.current() == made
    assert is_whole(folder, made)


def test_damaged_list_keeps_only_the_published_generation(folder):
    for number in range(2):
        build(folder, str(number))
    (folder.path / CURRENT).write_bytes(b"\xff")
    made = build(folder, "last")
    assert folder.listed() == folder.found() == [made]


# --- which go, and what of them ------------------------------------------------------------------


def test_foreign_file_in_a_generation_is_never_deleted(folder):
    made = [build(folder, str(number)) for number in range(2)]
    (folder.folder(made[0]) / "notes.txt").write_text("mine", "utf-8")
    (folder.folder(made[0]) / ".hidden").write_text("mine too", "utf-8")
    build(folder, "last")
    assert names(folder.folder(made[0])) == [".hidden", "notes.txt"]
    assert (folder.folder(made[0]) / "notes.txt").read_text("utf-8") == "mine"


@pytest.mark.parametrize("place", ["terms", "deeper/still"])
def test_foreign_file_in_a_subfolder_of_a_generation_is_never_deleted(folder, place):
    made = [build(folder, str(number)) for number in range(2)]
    strange = folder.folder(made[0]) / place
    strange.mkdir(parents=True, exist_ok=True)
    (strange / "notes.txt").write_text("mine", "utf-8")
    for number in range(3):
        build(folder, f"more {number}")
    assert (strange / "notes.txt").read_text("utf-8") == "mine"
    left = {name for name, (content, *_) in state(folder.folder(made[0])).items() if content}
    assert left <= {f"{place}/notes.txt", MANIFEST}


@pytest.mark.parametrize(
    "gone", [["articles.txt"], ["articles.txt", "terms/list.txt", "terms/.tantivy-meta.lock"]]
)
def test_interrupted_removal_is_resumed(folder, gone):
    """The manifest goes last: as long as anything is left, it says whose it is."""
    made = [build(folder, str(number)) for number in range(2)]
    for name in gone:
        (folder.folder(made[0]) / name).unlink()
    last = build(folder, "last")
    assert folder.found() == [last, made[1]]


def test_removal_interrupted_before_the_manifest_is_resumed(folder):
    made = [build(folder, str(number)) for number in range(2)]
    for name in ("articles.txt", "terms/list.txt", "terms/.tantivy-meta.lock"):
        (folder.folder(made[0]) / name).unlink()
    (folder.folder(made[0]) / "terms").rmdir()
    assert names(folder.folder(made[0])) == [MANIFEST]
    last = build(folder, "last")
    assert folder.found() == [last, made[1]]


def test_removal_interrupted_after_the_manifest_is_resumed(folder):
    (folder.path / GENERATIONS / "20200101T000000000000-00000000").mkdir()  # all that is left is the folder
    made = build(folder)
    assert folder.found() == [made]


def not_vouched(folder, generation):
    path = folder.folder(generation) / MANIFEST
    content = json.loads(path.read_text("utf-8"))
    content["files"]["notes.txt"] = "00"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")


@pytest.mark.parametrize(
    "change",
    [
        not_vouched,
        lambda folder, generation: (folder.folder(generation) / MANIFEST).unlink(),
        lambda folder, generation: (folder.folder(generation) / MANIFEST).write_bytes(b"{"),
    ],
)
def test_unverifiable_generation_is_never_deleted(folder, change):
    made = [build(folder, str(number)) for number in range(2)]
    (folder.folder(made[0]) / "notes.txt").write_text("mine", "utf-8")
    change(folder, made[0])
    before = state(folder.folder(made[0]))
    for number in range(3):
        build(folder, f"more {number}")
    assert state(folder.folder(made[0])) == before


def test_folder_with_another_name_is_never_deleted(folder):
    strange = folder.path / GENERATIONS / "0-notes"
    strange.mkdir()
    (strange / "keep.txt").touch()
    made = [build(folder, str(number)) for number in range(4)]
    assert names(folder.path / GENERATIONS) == ["0-notes", *made[-2:]]
    assert names(strange) == ["keep.txt"]


def test_removing_one_hard_link_keeps_the_other(folder):
    made = build(folder)
    with folder.staging_folder() as staging:
        (staging / "articles.txt").hardlink_to(folder.folder(made) / "articles.txt")
        linked = {"articles.txt": folder.manifest(made).files["articles.txt"]}
        after = publish(folder, staging, linked=linked, keep=1, **CONTENT).generation
    assert folder.found() == [after]
    assert is_whole(folder, after)
    assert (folder.folder(after) / "articles.txt").read_text("utf-8") == "one"


# --- the way back --------------------------------------------------------------------------------


def test_rollback_and_forward_delete_nothing(folder):
    made = [build(folder, str(number), keep=99) for number in range(4)]
    before = {each: state(folder.folder(each)) for each in made}
    for expected in (made[2], made[1], made[0]):
        assert folder.roll_back() == expected == folder.current()
        assert folder.newest(folder.manifest)[0].generation == expected
        assert sorted(folder.listed()) == made
    with pytest.raises(RequestError, match="keeps no generation before the current one") as refusal:
        folder.roll_back()
    assert refusal.value.code == "no_generation"
    assert folder.current() == made[0]
    for each in (made[3], made[1], made[1], made[2]):
        assert folder.roll_back(each) == each == folder.current()
    assert folder.found() == made[::-1]
    assert {each: state(folder.folder(each)) for each in made} == before


def test_build_after_rollback_keeps_the_served_generation(folder):
    made = [build(folder, str(number), keep=99) for number in range(3)]
    folder.roll_back(made[0])
    last = build(folder, "last")
    assert folder.listed() == [last, made[0]]
    assert folder.found() == [last, made[0]]
    assert folder.roll_back() == made[0]


@pytest.mark.parametrize(
    "name", ["nowhere", "20250101T000000000000-abcdef01", "../elsewhere", ".", "0-notes"]
)
def test_unknown_generation_is_refused_with_the_known_ones(folder, name):
    made = [build(folder, str(number)) for number in range(2)]
    (folder.path / GENERATIONS / "0-notes").mkdir()
    with pytest.raises(RequestError, match=f"keeps no generation {name}. Kept: {made[1]}, {made[0]}"):
        folder.roll_back(name)
    assert folder.listed() == made[::-1]


def test_rollback_without_a_build_is_refused(folder):
    with pytest.raises(RequestError, match="no generation"):
        folder.roll_back()
    assert not (folder.path / CURRENT).exists()


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\xff")])
def test_rollback_with_a_damaged_list_deletes_nothing(folder, damage):
    made = [build(folder, str(number), keep=99) for number in range(3)]
    damage(folder.path / CURRENT)
    assert folder.roll_back(made[1]) == made[1] == folder.current()
    assert folder.found() == made[::-1]
    assert all(is_whole(folder, each) for each in made)


@pytest.mark.parametrize(
    "name", ["../../../precious.txt", "/{outside}/precious.txt", "terms/../../../../precious.txt", ""]
)
def test_manifest_with_files_outside_its_folder_deletes_nothing(folder, tmp_path, name):
    """Whoever hands over an index can make a name and a manifest that agree."""
    (tmp_path / "precious.txt").write_text("mine")
    name = name.format(outside=str(tmp_path).lstrip("/"))
    forged = Manifest(**CONTENT, files={name: "0" * 64}).named(datetime(2020, 1, 1, tzinfo=UTC))
    folder.folder(forged.generation).mkdir()
    (folder.folder(forged.generation) / MANIFEST).write_text(forged.to_json())
    with pytest.raises(IndexDamaged, match="outside of it"):
        folder.manifest(forged.generation)
    build(folder)
    assert (tmp_path / "precious.txt").read_text() == "mine"
    assert (folder.folder(forged.generation) / MANIFEST).exists()
