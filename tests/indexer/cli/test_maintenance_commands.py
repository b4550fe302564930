"""The commands that look after an index: info, verify, rollback, cache, and a damaged one in use."""

import io
import json
import shutil

import pytest

from indexer import build_index
from indexer.retrieval.opening import current_generation
from tests.support.fakes import FakeModel


@pytest.fixture
def index(archive, tmp_path):
    """An index of two generations."""
    build_index(archive, tmp_path / "index", FakeModel(name="bundled"))
    (archive / "later.txt").write_text(
        "Later talks\nThe envoys met again in Vienna, as they had agreed in Geneva.\n"
    )
    build_index(archive, tmp_path / "index", FakeModel(name="bundled"))
    return tmp_path / "index"


def damage(path):
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.unlink()
    path.write_bytes(content)


def newest(index):
    return index / "generations" / current_generation(index)


# Info


def test_info_prints_the_size_of_each_part_and_the_kept_generations(run, index):
    told = run("info", "--index", index, "--json").json
    assert told["sizes"]["vectors.faiss"] == (newest(index) / "vectors.faiss").stat().st_size
    assert [each["current"] for each in told["generations"]] == [True, False]
    assert told["cache"]["vectors"] == 480 + told["passages"] + 3  # titles
    text = run("info", "--index", index).out
    for shown in (
        "vectors.faiss: ",
        "cache       488 vectors, ",
        "generations 2",
        f"{told['generation']}: 3 articles",
    ):
        assert shown in text
    assert "served" in text


def test_info_reports_a_missing_or_damaged_cache(run, index):
    (index / "vectors.sqlite").unlink()
    (index / "vectors.sha256").unlink()
    assert "cache       0 vectors, 0 B" in run("info", "--index", index).out
    (index / "vectors.sqlite").write_text("no cache")
    assert "cache       damaged" in run("info", "--index", index).out


# A damaged generation


def test_damaged_generation_falls_back_to_the_previous_with_a_warning(run, index):
    good = (run("info", "--index", index, "--json").json)["generations"][1]["generation"]
    damage(newest(index) / "vectors.faiss")
    done = run("search", "Geneva", "--index", index, "--json")
    assert (done.status, done.json["generation"]) == (0, good)
    (warning,) = done.json["warnings"]
    for said in ("vectors.faiss", "is damaged", good, f"warraq build --rebuild --index {index}"):
        assert said in warning
    assert warning in done.err
    assert warning in run("search", "Geneva", "--index", index).err
    assert run("search", "nothingofthekind", "--mode", "lexical", "--index", index, "--json").json[
        "warnings"
    ] == [warning]


def test_all_generations_damaged_exits_3_with_the_remedy(run, index, archive):
    for folder in (index / "generations").iterdir():
        damage(folder / "vectors.faiss")
    for command in (("search", "Geneva"), ("verify",)):
        done = run(*command, "--index", index)
        assert done.status == 3
        assert "warraq build --rebuild" in done.err + done.out
    assert run("build", "--rebuild", "--archive", archive, "--index", index, "--json").json["encoded"] == 0
    assert run("verify", "--index", index).status == 0


def test_info_describes_the_served_generation(run, index):
    (newest(index) / "manifest.json").unlink()
    done = run("info", "--index", index)
    assert done.status == 0
    assert "Warning: " in done.err
    assert "manifest.json" in done.err
    assert "cannot be read" in done.out


# Verify


def test_undamaged_index_exits_0_and_lists_the_checks(run, index):
    done = run("verify", "--index", index)
    assert done.status == 0
    assert done.out.endswith("All is as it was written.\n")
    assert "2 generations" in done.out
    found = run("verify", "--index", index, "--json").json
    assert (found["whole"], found["faults"], found["articles"]) == (True, [], 3)


def test_damage_exits_3_with_its_place_and_remedy(run, index):
    damage(newest(index) / "articles.sqlite")
    done = run("verify", "--index", index)
    assert done.status == 3
    assert f"generation {current_generation(index)}, files: articles.sqlite of" in done.out
    assert f"Run: warraq build --rebuild --index {index}" in done.out
    assert "1 fault found." in done.out
    done = run("verify", "--index", index, "--json")
    assert (done.status, done.json["whole"]) == (3, False)
    assert done.json["faults"][0].keys() == {"where", "part", "fact", "remedy"}


def test_changed_files_are_reported_and_exit_0(run, index, archive):
    (archive / "talks.txt").write_text("Other words.\n")
    done = run("verify", "--index", index)
    assert done.status == 0
    assert "1 file changed since the build (talks.txt); warraq build takes that in." in done.out


def test_moved_archive_is_reported(run, index, archive):
    moved = archive.rename(archive.with_name("elsewhere"))
    assert "name it with --archive" in run("verify", "--index", index).out
    assert "Compared 3 articles" in run("verify", "--index", index, "--archive", moved).out


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_missing_index_exits_3(run, tmp_path, make):
    make(tmp_path / "other")
    done = run("verify", "--index", tmp_path / "other")
    assert done.status == 3
    assert "warraq build" in done.err


# Verification of hits


@pytest.fixture
def answer(run, index, tmp_path):
    """The file of a printed answer."""
    (tmp_path / "answer.json").write_text(run("search", "Geneva Vienna", "--index", index, "--json").out)
    return tmp_path / "answer.json"


def test_hit_or_whole_answer_is_verified(run, index, answer, tmp_path, monkeypatch):
    done = run("verify", "--index", index, "--hit", answer)
    assert done.status == 0
    assert all(line.startswith("proven: ") for line in done.out.splitlines())
    hit = json.loads(answer.read_text())["hits"][0]
    (tmp_path / "hit.json").write_text(json.dumps(hit))
    found = run("verify", "--index", index, "--hit", tmp_path / "hit.json", "--json").json
    assert (found["proven"], [each["doc_id"] for each in found["hits"]]) == (True, [hit["source"]["doc_id"]])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(hit).encode()), encoding="utf-8"))
    assert run("verify", "--index", index, "--hit", "-").status == 0


def test_hit_is_verified_without_an_index(run, index, answer, archive, tmp_path):
    shutil.rmtree(index)
    done = run("verify", "--index", index, "--hit", answer)
    assert done.status == 3
    assert "--archive" in done.err
    assert run("verify", "--index", index, "--archive", archive, "--hit", answer).status == 0


def test_changed_file_exits_1_and_contradicted_hit_exits_3(run, index, answer, archive):
    hit = json.loads(answer.read_text())["hits"][0]
    (archive / "more.txt").write_text("More.\n")
    path = archive / hit["source"]["path"]
    path.write_text(path.read_text() + "\nA line more.\n")
    answer.write_text(json.dumps(hit))
    done = run("verify", "--index", index, "--hit", answer)
    assert done.status == 1
    assert "NOT proven" in done.out
    assert "has changed since" in done.out
    other = json.loads(json.dumps(hit)) | {"text": "What nobody ever wrote."}
    other["source"]["sha256"] = __import__("hashlib").sha256(path.read_bytes()).hexdigest()
    answer.write_text(json.dumps(other))
    done = run("verify", "--index", index, "--hit", answer)
    assert done.status == 3
    assert "other words stand" in done.out


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b"no json"])
def test_invalid_hit_is_wrong_usage(run, index, tmp_path, content):
    (tmp_path / "hit.json").write_bytes(content)
    done = run("verify", "--index", index, "--hit", tmp_path / "hit.json")
    assert done.status == 2
    assert done.err.count("\n") == 1


def test_missing_hit_file_is_wrong_usage(run, index, tmp_path):
    assert run("verify", "--index", index, "--hit", tmp_path / "nothing.json").status == 2


# Rollback and cache


def test_rollback_serves_the_previous_generation_and_forward_by_name(run, index):
    new = current_generation(index)
    done = run("rollback", "--index", index)
    assert done.status == 0
    old = current_generation(index)
    assert old != new
    assert old in done.out
    done = run("rollback", "--index", index)
    assert done.status == 2
    assert "no generation before" in done.err
    assert run("rollback", new, "--index", index, "--json").json["generation"] == new
    assert run("rollback", "nothing", "--index", index).status == 2


def test_rollback_to_a_damaged_generation_exits_3(run, index):
    (old,) = [path for path in (index / "generations").iterdir() if path != newest(index)]
    damage(old / "vectors.faiss")
    assert run("rollback", "--index", index).status == 3


def test_the_cache_is_shown_and_cleared(run, index, archive):
    assert "488 vectors" in run("cache", "--index", index).out
    told = run("cache", "--index", index, "--json").json
    assert (told["vectors"], told["cleared"]) == (488, False)
    assert "cleared" in run("cache", "--clear", "--index", index).out
    assert run("cache", "--index", index, "--json").json["vectors"] == 0
    assert run("search", "Geneva", "--index", index).status == 0


def test_build_keeps_the_requested_number_of_generations(run, index, archive):
    (archive / "new.txt").write_text("New words stand here.\n")
    assert run("build", "--keep", 1, "--archive", archive, "--index", index).status == 0
    assert len(list((index / "generations").iterdir())) == 1
    assert run("build", "--keep", 0, "--archive", archive, "--index", index).status == 2
