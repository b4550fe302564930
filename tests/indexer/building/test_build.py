"""Builds: counts, embedded texts, refused archives and progress."""

import os
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer import build_index
from indexer.embedding.titles import TITLE_WEIGHT
from indexer.errors import ArchiveError, IndexUnusable
from indexer.retrieval.opening import current_generation, read_manifest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.edited_archives import found_texts, put
from tests.support.fakes import FakeModel

BINARY = b"GIF89a\0\1\2"


def counts(report):
    names = ("added", "changed", "removed", "unchanged", "encoded", "reused", "documents", "passages")
    return {name: getattr(report, name) for name in names}


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_counts_over_a_sequence_of_edits(empty, index, model):
    put(empty, a="The first line.", b="The second line.", c="The third line.")
    assert counts(build_index(empty, index, model)) == {
        "added": 3, "changed": 0, "removed": 0, "unchanged": 0,
        "encoded": 3, "reused": 0, "documents": 3, "passages": 3,
    }  # fmt: skip

    put(empty, b="The second line, edited.", d="The fourth line.")
    (empty / "c.txt").unlink()
    assert counts(build_index(empty, index, model)) == {
        "added": 1, "changed": 1, "removed": 1, "unchanged": 1,
        "encoded": 2, "reused": 1, "documents": 3, "passages": 3,
    }  # fmt: skip

    put(empty, c="The third line.", b="The second line.")  # back as they were: known by their text
    assert counts(build_index(empty, index, model)) == {
        "added": 1, "changed": 1, "removed": 0, "unchanged": 2,
        "encoded": 0, "reused": 4, "documents": 4, "passages": 4,
    }  # fmt: skip

    (empty / "d.txt").rename(empty / "moved.txt")
    assert counts(build_index(empty, index, model)) == {
        "added": 1, "changed": 0, "removed": 1, "unchanged": 3,
        "encoded": 0, "reused": 4, "documents": 4, "passages": 4,
    }  # fmt: skip

    (empty / "a.txt").write_bytes(BINARY)  # an article that can no longer be read has left
    assert counts(build_index(empty, index, model)) == {
        "added": 0, "changed": 0, "removed": 1, "unchanged": 3,
        "encoded": 0, "reused": 3, "documents": 3, "passages": 3,
    }  # fmt: skip


LINES = st.sampled_from(["Rain fell.", "Snow fell.", "هطل المطر.", "Wind rose.", "ثار الغبار.", None])
ARCHIVES = st.dictionaries(st.sampled_from("abcde"), LINES, max_size=5)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ARCHIVES, min_size=1, max_size=3))
def test_counts_equal_the_difference_between_the_archives(tmp_path, states):
    archive, index = tmp_path / "varied", tmp_path / "varied-index"
    for folder in (archive, index):
        shutil.rmtree(folder, ignore_errors=True)
    embedded, before, model = set(), {}, FakeModel()
    for state in states:
        shutil.rmtree(archive, ignore_errors=True)
        archive.mkdir()
        for name, line in state.items():
            (archive / f"{name}.txt").write_bytes(BINARY if line is None else line.encode())
        report = build_index(archive, index, model)
        now = {name: line for name, line in state.items() if line}
        new = set(now.values()) - embedded
        assert counts(report) == {
            "added": len(now.keys() - before.keys()),
            "changed": sum(before[name] != now[name] for name in now.keys() & before.keys()),
            "removed": len(before.keys() - now.keys()),
            "unchanged": len(now.items() & before.items()),
            "encoded": len(new),
            "reused": len(now) - len(new),
            "documents": len(now),
            "passages": len(now),
        }
        assert [failure.path for failure in report.failed] == sorted(
            f"{n}.txt" for n in state.keys() - now.keys()
        )
        assert found_texts(index) == sorted(now.values())
        embedded, before = embedded | new, now
    assert sorted(model.encoded) == sorted(embedded)


def test_an_unchanged_archive_embeds_nothing_and_keeps_its_generation(archive, index, model):
    (archive / "broken.txt").write_bytes(BINARY)
    (archive / "gone.txt").symlink_to(archive / "nowhere.txt")
    first = build_index(archive, index, model)
    before, opened = contents(index), model.opened
    for path in archive.rglob("*.txt"):
        if path.exists():
            os.utime(path, (1, 1))  # as after a copy or a checkout
    second = build_index(archive, index, model)
    assert second.generation == first.generation == current_generation(index)
    assert (second.encoded, second.reused, second.unchanged) == (0, first.passages, first.documents)
    assert (second.added, second.changed, second.removed) == (0, 0, 0)
    assert second.failed == first.failed
    assert model.opened == opened
    assert contents(index) == before


def test_edit_that_keeps_size_and_time_is_detected(empty, index, model):
    put(empty, a="Seven men came.")
    build_index(empty, index, model)
    times = (empty / "a.txt").stat()
    put(empty, a="Eight men came.")
    os.utime(empty / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert build_index(empty, index, model).changed == 1
    assert found_texts(index) == ["Eight men came."]


def test_different_archive_is_rebuilt_in_place(tmp_path, index, model):
    (one := tmp_path / "one").mkdir()
    (two := tmp_path / "two").mkdir()
    put(one, a="Rivers rose in spring.", b="The dam held.")
    put(two, b="Markets fell in autumn.")
    first = build_index(one, index, model)
    second = build_index(two, index, model)
    assert second.generation != first.generation
    assert second.documents == second.passages == second.encoded == 1
    assert read_manifest(index).archive == str(two.resolve())
    assert found_texts(index) == ["Markets fell in autumn."]


def test_moved_archive_is_rebuilt_without_embedding(archive, index, model):
    first = build_index(archive, index, model)
    moved = archive.rename(archive.with_name("moved"))
    second = build_index(moved, index, model)
    assert second.generation != first.generation
    assert (second.encoded, second.unchanged) == (0, first.documents)
    assert read_manifest(index).archive == str(moved.resolve())


def test_archive_is_the_same_under_every_path(archive, index, model, monkeypatch):
    first = build_index(archive, index, model)
    link = archive.with_name("link")
    link.symlink_to(archive)
    monkeypatch.chdir(archive.parent)
    for name in (archive.relative_to(archive.parent), link):
        assert build_index(name, index, model).generation == first.generation


@pytest.mark.parametrize(
    "other", [FakeModel(name="other"), FakeModel(weights="other"), FakeModel(name="other", weights="other")]
)
def test_different_model_causes_a_rebuild(archive, index, model, other):
    first = build_index(archive, index, model)
    second = build_index(archive, index, other)
    assert second.generation != first.generation
    made = read_manifest(index).settings
    assert (made["model"], made["weights"]) == (other.name, other.weights)
    assert second.encoded == (0 if other.weights == model.weights else second.passages)
    back = build_index(archive, index, model)
    assert (back.encoded, back.unchanged) == (0, first.documents)
    assert read_manifest(index).settings["model"] == model.name


def test_a_rebuild_is_a_new_generation_that_embeds_nothing(archive, index, model):
    first = build_index(archive, index, model)
    encoded = list(model.encoded)
    again = build_index(archive, index, model, rebuild=True)
    assert again.generation != first.generation
    assert current_generation(index) == again.generation
    assert (again.encoded, again.reused, again.unchanged) == (0, first.passages, first.documents)
    assert model.encoded == encoded


def test_the_same_text_twice_is_embedded_once(empty, index, model):
    put(empty, a="Rain fell.", b="Rain fell.", c="Snow fell.")
    report = build_index(empty, index, model)
    assert (report.passages, report.encoded, report.reused) == (3, 2, 1)
    assert sorted(model.encoded) == ["Rain fell.", "Snow fell."]
    assert found_texts(index) == ["Rain fell.", "Rain fell.", "Snow fell."]


def test_passages_with_different_titles_get_different_vectors(empty, index, model):
    body = "Envoys met on Monday to speak about grain and the corridor across the sea."
    put(empty, a=f"Talks\n\n{body}\n\n{body}", b=f"Grain\n\n{body}\n\n{body}")
    report = build_index(empty, index, model)
    assert (report.passages, report.encoded) == (4, 1)  # all of them are one text
    assert sorted(model.encoded) == sorted(["Talks", "Grain", body])
    store = GenerationReader.open(IndexFolder(index))
    for doc_id, title in (("a.txt", "Talks"), ("b.txt", "Grain")):
        both = model.encode_passages([body])[0] + TITLE_WEIGHT * model.encode_passages([title])[0]
        first, second = store.article(doc_id).passages
        for passage in (first, second):
            np.testing.assert_allclose(store.vector(passage), both / np.linalg.norm(both), atol=1e-6)
    store.close()


def test_a_passage_that_is_its_own_title_has_the_vector_of_its_text(empty, index, model):
    put(empty, a="Talks in Geneva")
    build_index(empty, index, model)
    assert model.encoded == ["Talks in Geneva"]
    store = GenerationReader.open(IndexFolder(index))
    (passage,) = store.article("a.txt").passages
    alone = model.encode_passages(["Talks in Geneva"])[0]
    np.testing.assert_allclose(store.vector(passage), alone, atol=1e-6)
    store.close()


def test_unreadable_files_are_listed_with_a_reason(empty, index, model, tmp_path):
    put(empty, good="An article that can be read.")
    put(tmp_path, outside="An article somewhere else.")
    (empty / "binary.txt").write_bytes(BINARY)
    (empty / "latin.txt").write_bytes("سلام".encode("cp1256"))
    (empty / "blank.txt").write_text(" \n\n")
    (empty / "dangling.txt").symlink_to(empty / "nowhere.txt")
    (empty / "link.txt").symlink_to(tmp_path / "outside.txt")
    os.mkfifo(empty / "pipe.txt")
    (empty / "page.pdf").write_bytes(b"%PDF-1.7")
    (empty / "README").write_text("A note.")
    with open(os.fsencode(empty) + b"/na\xefve.txt", "w") as file:  # noqa: PTH123  # a name of bytes
        file.write("An article under a name that is not UTF-8.")
    report = build_index(empty, index, model)
    reasons = {failure.path: failure.reason for failure in report.failed}
    expected = {
        "binary.txt": "NUL",
        "latin.txt": "its encoding cannot be told",
        "blank.txt": "empty",
        "dangling.txt": "No such file",
        "link.txt": "outside the archive",
        "pipe.txt": "not a regular file",
        "page.pdf": ".pdf is not a format",
        "README": "without a suffix",
        "na\\xefve.txt": "name is not UTF-8",
    }
    assert reasons.keys() == expected.keys()
    for path, part in expected.items():
        assert part in reasons[path]
        assert reasons[path]
    assert report.documents == 1
    assert read_manifest(index).failed == [
        {"path": item.path, "reason": item.reason} for item in report.failed
    ]
    assert build_index(empty, index, model).failed == report.failed


def test_link_to_itself_is_listed(empty, index, model):
    put(empty, good="An article that can be read.")
    (empty / "loop.txt").symlink_to(empty / "loop.txt")
    report = build_index(empty, index, model)
    assert [failure.path for failure in report.failed] == ["loop.txt"]
    assert report.documents == 1


def test_index_inside_its_archive_is_not_read_as_articles(archive, model):
    first = build_index(archive, archive / "index", model)
    (archive / "index" / "note.txt").write_text("Not an article.")
    assert build_index(archive, archive / "index", model).generation == first.generation


def test_index_of_an_empty_archive_can_be_searched(empty, index, model):
    report = build_index(empty, index, model)
    assert (report.documents, report.passages, report.failed) == (0, 0, ())
    assert found_texts(index) == []
    put(empty, a="Rain fell.")
    assert build_index(empty, index, model).added == 1
    assert found_texts(index) == ["Rain fell."]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("a file")])
def test_missing_archive_is_refused_before_anything_is_written(tmp_path, index, model, make):
    make(tmp_path / "archive")
    with pytest.raises(ArchiveError, match="--archive"):
        build_index(tmp_path / "archive", index, model)
    assert not index.exists()
    assert model.opened == 0


def test_foreign_folder_is_refused_and_left_unchanged(archive, index, model):
    (index / "photos").mkdir(parents=True)
    (index / "photos" / "cat.jpg").write_bytes(b"cat")
    (index / "README.md").write_text("My photos.")
    before = contents(index)
    with pytest.raises(IndexUnusable, match="--index"):
        build_index(archive, index, model, rebuild=True)
    assert contents(index) == before
    assert sorted(path.name for path in index.rglob("*")) == ["README.md", "cat.jpg", "photos"]


def test_folder_with_only_a_readme_is_accepted(archive, index, model):
    index.mkdir()
    (index / "README.md").write_text("The index.")
    build_index(archive, index, model)
    assert (index / "README.md").read_text() == "The index."


def test_interrupted_build_keeps_the_last_index_and_the_cached_vectors(archive, index, model):
    class Interrupted(FakeModel):
        def encode_passages(self, texts):
            raise KeyboardInterrupt

    first = build_index(archive, index, model)
    before = found_texts(index)
    put(archive, new="A new article.")
    with pytest.raises(KeyboardInterrupt):
        build_index(archive, index, Interrupted())
    assert current_generation(index) == first.generation
    assert found_texts(index) == before
    assert build_index(archive, index, model).encoded == 1
    assert sorted(path.name[:2] for path in (index / "generations").iterdir()) == ["20", "20"]


def test_progress_reports_each_stage_to_its_end(archive, index, model):
    reports = []
    build_index(archive, index, model, progress=lambda *each: reports.append(each))
    size = sum(path.stat().st_size for path in archive.rglob("*.txt"))
    for stage, total in (("reading", size), ("cutting", 2), ("embedding", 4 + 4)):  # a title with each
        steps = [(done, of) for name, done, of in reports if name == stage]
        assert steps == sorted(steps)
        assert steps[-1] == (total, total)
