"""Which generations stay, which go, and the way back to one that stayed."""

import json
from datetime import UTC, datetime

import pytest

from indexer.errors import IndexDamaged, RequestError
from indexer.store.folder import CURRENT, GENERATIONS, IndexFolder
from indexer.store.manifest import MANIFEST, Manifest
from tests.support.generations import names, publish, state
from tests.support.paths import SETTINGS

CONTENT = {
    "archive": "/somewhere", "settings": SETTINGS, "documents": 1, "passages": 1, "languages": {"en": 1}, "failed": [],
}  # fmt: skip


@pytest.fixture
def folder(index):
    folder = IndexFolder(index)
    folder.prepare()
    return folder


def build(folder, text="one", **changes):
    """Publish a generation of two small files; returns its name."""
    with folder.staging_folder() as aside:
        (aside / "articles.txt").write_text(text, "utf-8")
        (aside / "terms").mkdir()
        (aside / "terms" / "list.txt").write_text("terms", "utf-8")
        (aside / "terms" / ".tantivy-meta.lock").touch()
        return publish(folder, aside, **{**CONTENT, **changes}).generation


def is_whole(folder, generation):
    return not list(folder.damages(folder.manifest(generation)))


# --- which stay ----------------------------------------------------------------------------------


def test_two_generations_are_kept(folder):
    made = [build(folder, str(number)) for number in range(5)]
    assert folder.found() == folder.listed() == names(folder.path / GENERATIONS)[::-1] == made[:-3:-1]
    assert all(is_whole(folder, each) for each in made[-2:])


@pytest.mark.parametrize(("kept", "stay"), [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (99, 5)])
def test_as_many_are_kept_as_are_asked_for_and_never_none(folder, kept, stay):
    made = [build(folder, str(number), keep=99) for number in range(4)]
    made.append(build(folder, "last", keep=kept))
    assert folder.listed() == made[::-1][:stay]
    assert folder.found() == made[::-1][:stay]


def test_what_is_named_to_be_kept_is_kept_and_nothing_else(folder):
    made = [build(folder, str(number), keep=99) for number in range(4)]
    last = build(folder, "last", earlier=[made[1]], keep=99)
    assert folder.listed() == folder.found() == [last, made[1]]
    alone = build(folder, "alone", earlier=[])
    assert folder.listed() == folder.found() == [alone]


def test_the_current_generation_is_kept_though_the_clock_was_set_back(folder):
    """Names tell when they were made; which of them is current is for the file that says so."""
    late = "29990101T000000000000-aaaaaaaa"
    (folder.folder(late)).mkdir()
    made = build(folder, "now")
    assert folder.current() == made
    assert is_whole(folder, made)


def test_where_the_list_is_damaged_what_is_published_is_kept_alone(folder):
    for number in range(2):
        build(folder, str(number))
    (folder.path / CURRENT).write_bytes(b"\xff")
    made = build(folder, "last")
    assert folder.listed() == folder.found() == [made]


# --- which go, and what of them ------------------------------------------------------------------


def test_what_is_not_ours_in_a_generation_outlives_it(folder):
    made = [build(folder, str(number)) for number in range(2)]
    (folder.folder(made[0]) / "notes.txt").write_text("mine", "utf-8")
    (folder.folder(made[0]) / ".hidden").write_text("mine too", "utf-8")
    build(folder, "last")
    assert names(folder.folder(made[0])) == [".hidden", "notes.txt"]
    assert (folder.folder(made[0]) / "notes.txt").read_text("utf-8") == "mine"


@pytest.mark.parametrize("place", ["terms", "deeper/still"])
def test_what_is_not_ours_in_a_folder_of_a_generation_outlives_it(folder, place):
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
def test_a_removal_that_was_cut_short_goes_on(folder, gone):
    """The manifest goes last: as long as anything is left, it says whose it is."""
    made = [build(folder, str(number)) for number in range(2)]
    for name in gone:
        (folder.folder(made[0]) / name).unlink()
    last = build(folder, "last")
    assert folder.found() == [last, made[1]]


def test_a_removal_that_was_cut_short_before_the_manifest_goes_on(folder):
    made = [build(folder, str(number)) for number in range(2)]
    for name in ("articles.txt", "terms/list.txt", "terms/.tantivy-meta.lock"):
        (folder.folder(made[0]) / name).unlink()
    (folder.folder(made[0]) / "terms").rmdir()
    assert names(folder.folder(made[0])) == [MANIFEST]
    last = build(folder, "last")
    assert folder.found() == [last, made[1]]


def test_a_removal_that_was_cut_short_after_the_manifest_goes_on(folder):
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
def test_of_a_folder_whose_manifest_does_not_prove_that_it_is_ours_nothing_is_removed(folder, change):
    made = [build(folder, str(number)) for number in range(2)]
    (folder.folder(made[0]) / "notes.txt").write_text("mine", "utf-8")
    change(folder, made[0])
    before = state(folder.folder(made[0]))
    for number in range(3):
        build(folder, f"more {number}")
    assert state(folder.folder(made[0])) == before


def test_a_folder_of_another_name_is_never_removed(folder):
    strange = folder.path / GENERATIONS / "0-notes"
    strange.mkdir()
    (strange / "keep.txt").touch()
    made = [build(folder, str(number)) for number in range(4)]
    assert names(folder.path / GENERATIONS) == ["0-notes", *made[-2:]]
    assert names(strange) == ["keep.txt"]


def test_of_files_under_two_names_one_goes_and_the_other_stays(folder):
    made = build(folder)
    with folder.staging_folder() as aside:
        (aside / "articles.txt").hardlink_to(folder.folder(made) / "articles.txt")
        linked = {"articles.txt": folder.manifest(made).files["articles.txt"]}
        after = publish(folder, aside, linked=linked, keep=1, **CONTENT).generation
    assert folder.found() == [after]
    assert is_whole(folder, after)
    assert (folder.folder(after) / "articles.txt").read_text("utf-8") == "one"


# --- the way back --------------------------------------------------------------------------------


def test_one_goes_back_and_forward_again_and_nothing_is_removed(folder):
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


def test_a_build_after_going_back_keeps_what_is_served_then(folder):
    made = [build(folder, str(number), keep=99) for number in range(3)]
    folder.roll_back(made[0])
    last = build(folder, "last")
    assert folder.listed() == [last, made[0]]
    assert folder.found() == [last, made[0]]
    assert folder.roll_back() == made[0]


@pytest.mark.parametrize(
    "name", ["nowhere", "20250101T000000000000-abcdef01", "../elsewhere", ".", "0-notes"]
)
def test_a_generation_that_is_not_kept_is_refused_with_those_that_are(folder, name):
    made = [build(folder, str(number)) for number in range(2)]
    (folder.path / GENERATIONS / "0-notes").mkdir()
    with pytest.raises(RequestError, match=f"keeps no generation {name}. Kept: {made[1]}, {made[0]}"):
        folder.roll_back(name)
    assert folder.listed() == made[::-1]


def test_there_is_no_way_back_where_nothing_was_built(folder):
    with pytest.raises(RequestError, match="no generation"):
        folder.roll_back()
    assert not (folder.path / CURRENT).exists()


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\xff")])
def test_going_back_removes_nothing_though_the_list_of_what_is_kept_is_damaged(folder, damage):
    made = [build(folder, str(number), keep=99) for number in range(3)]
    damage(folder.path / CURRENT)
    assert folder.roll_back(made[1]) == made[1] == folder.current()
    assert folder.found() == made[::-1]
    assert all(is_whole(folder, each) for each in made)


@pytest.mark.parametrize(
    "name", ["../../../precious.txt", "/{outside}/precious.txt", "terms/../../../../precious.txt", ""]
)
def test_a_manifest_that_names_files_outside_its_folder_removes_nothing(folder, tmp_path, name):
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
