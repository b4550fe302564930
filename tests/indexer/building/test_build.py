"""Builds: what is counted, what is embedded, what is refused, and when an index is stale."""

import base64
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer import Searcher, SearchRequest, build_index
from indexer.boilerplate.repetition import line_key, line_keys
from indexer.datatypes import RepeatedLine
from indexer.embedding.language_neutral import METHOD, NeutralEncoder, NeutralSpace, estimate, read_sample
from indexer.errors import ArchiveError, IndexUnusable
from indexer.retrieval.opening import current_generation, in_space, read_manifest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import SAMPLE, FakeModel, TwoTongues
from tests.support.paths import ROOT, SEEDS

BINARY = b"GIF89a\0\1\2"


def counts(report):
    names = ("added", "changed", "removed", "unchanged", "encoded", "reused", "documents", "passages")
    return {name: getattr(report, name) for name in names}


def put(folder, **files):
    """Write one-line articles, which are one passage each."""
    for name, line in files.items():
        (folder / f"{name}.txt").write_text(line, "utf-8")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found_texts(index):
    store = GenerationReader.open(IndexFolder(index))
    result = Searcher(store, FakeModel()).search(
        SearchRequest("anything", limit=100, mode="dense", copies="all")
    )
    store.close()
    return sorted(hit.text for hit in result.hits)


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


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
def test_counts_agree_with_the_difference_of_the_archives(tmp_path, states):
    archive, index = tmp_path / "varied", tmp_path / "varied-index"
    for folder in (archive, index):
        shutil.rmtree(folder, ignore_errors=True)
    known, before, model = set(), {}, FakeModel()
    for state in states:
        shutil.rmtree(archive, ignore_errors=True)
        archive.mkdir()
        for name, line in state.items():
            (archive / f"{name}.txt").write_bytes(BINARY if line is None else line.encode())
        report = build_index(archive, index, model)
        now = {name: line for name, line in state.items() if line}
        new = set(now.values()) - known
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
        assert [each.path for each in report.failed] == sorted(f"{n}.txt" for n in state.keys() - now.keys())
        assert found_texts(index) == sorted(now.values())
        known, before = known | new, now
    assert sorted(model.encoded) == sorted(known)


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


def test_an_edit_that_keeps_size_and_time_is_seen(empty, index, model):
    put(empty, a="Seven men came.")
    build_index(empty, index, model)
    times = (empty / "a.txt").stat()
    put(empty, a="Eight men came.")
    os.utime(empty / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert build_index(empty, index, model).changed == 1
    assert found_texts(index) == ["Eight men came."]


def test_another_archive_is_built_anew_in_place(tmp_path, index, model):
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


def test_the_same_articles_in_another_place_are_another_archive_but_embed_nothing(archive, index, model):
    first = build_index(archive, index, model)
    moved = archive.rename(archive.with_name("moved"))
    second = build_index(moved, index, model)
    assert second.generation != first.generation
    assert (second.encoded, second.unchanged) == (0, first.documents)
    assert read_manifest(index).archive == str(moved.resolve())


def test_an_archive_is_the_same_by_whatever_way_it_is_named(archive, index, model, monkeypatch):
    first = build_index(archive, index, model)
    link = archive.with_name("link")
    link.symlink_to(archive)
    monkeypatch.chdir(archive.parent)
    for name in (archive.relative_to(archive.parent), link):
        assert build_index(name, index, model).generation == first.generation


@pytest.mark.parametrize(
    "other", [FakeModel(name="other"), FakeModel(weights="other"), FakeModel(name="other", weights="other")]
)
def test_another_model_is_built_anew(archive, index, model, other):
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


def test_the_title_is_embedded_with_a_passage_and_tells_its_vectors_apart(empty, index, model):
    body = "Envoys met on Monday to speak about grain and the corridor across the sea."
    put(empty, a=f"Talks\n\n{body}\n\n{body}", b=f"Grain\n\n{body}\n\n{body}")
    assert build_index(empty, index, model).encoded == 4
    assert sorted(model.encoded) == sorted(f"{t}\n{x}{body}" for t in ("Talks", "Grain") for x in ("\n", ""))


def test_each_file_that_cannot_be_read_is_listed_with_its_reason(empty, index, model, tmp_path):
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
    reasons = {each.path: each.reason for each in report.failed}
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
        {"path": each.path, "reason": each.reason} for each in report.failed
    ]
    assert build_index(empty, index, model).failed == report.failed


def test_a_link_that_leads_to_itself_is_listed(empty, index, model):
    put(empty, good="An article that can be read.")
    (empty / "loop.txt").symlink_to(empty / "loop.txt")
    report = build_index(empty, index, model)
    assert [each.path for each in report.failed] == ["loop.txt"]
    assert report.documents == 1


def test_an_index_inside_its_archive_is_not_read_as_articles(archive, model):
    first = build_index(archive, archive / "index", model)
    (archive / "index" / "note.txt").write_text("Not an article.")
    assert build_index(archive, archive / "index", model).generation == first.generation


def test_an_empty_archive_makes_an_index_that_can_be_searched(empty, index, model):
    report = build_index(empty, index, model)
    assert (report.documents, report.passages, report.failed) == (0, 0, ())
    assert found_texts(index) == []
    put(empty, a="Rain fell.")
    assert build_index(empty, index, model).added == 1
    assert found_texts(index) == ["Rain fell."]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("a file")])
def test_no_archive_folder_is_refused_before_anything_is_written(tmp_path, index, model, make):
    make(tmp_path / "archive")
    with pytest.raises(ArchiveError, match="--archive"):
        build_index(tmp_path / "archive", index, model)
    assert not index.exists()
    assert model.opened == 0


def test_a_folder_that_is_not_ours_is_refused_and_left_alone(archive, index, model):
    (index / "photos").mkdir(parents=True)
    (index / "photos" / "cat.jpg").write_bytes(b"cat")
    (index / "README.md").write_text("My photos.")
    before = contents(index)
    with pytest.raises(IndexUnusable, match="--index"):
        build_index(archive, index, model, rebuild=True)
    assert contents(index) == before
    assert sorted(path.name for path in index.rglob("*")) == ["README.md", "cat.jpg", "photos"]


def test_a_folder_with_only_a_readme_is_ours(archive, index, model):
    index.mkdir()
    (index / "README.md").write_text("The index.")
    build_index(archive, index, model)
    assert (index / "README.md").read_text() == "The index."


def test_an_interrupted_build_leaves_the_last_good_index_and_costs_no_vector_twice(archive, index, model):
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


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def test_one_flipped_byte_in_any_file_is_refused(archive, index, model):
    folder = index / "generations" / build_index(archive, index, model).generation
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"articles.sqlite", "vectors.faiss", "manifest.json", "terms/meta.json"} <= names
    for name in names:
        if not Path(name).name.startswith("."):  # locks
            flip_a_byte(folder / name)
            with pytest.raises(IndexUnusable, match=r"damaged.*warraq build --rebuild"):
                GenerationReader.open(IndexFolder(index))
            flip_a_byte(folder / name)
    GenerationReader.open(IndexFolder(index)).close()


@pytest.mark.parametrize("name", ["articles.sqlite", "vectors.faiss", "manifest.json", "terms/meta.json"])
@pytest.mark.parametrize("damage", [flip_a_byte, Path.unlink])
def test_a_damaged_generation_is_mended_by_a_build(archive, index, model, name, damage):
    folder = index / "generations" / build_index(archive, index, model).generation
    texts = found_texts(index)
    damage(folder / name)
    assert build_index(archive, index, model).encoded == 0
    assert found_texts(index) == texts


def warnings_of(index):
    store = GenerationReader.open(IndexFolder(index))
    result = Searcher(store, FakeModel()).search(SearchRequest("anything"))
    store.close()
    return tuple(str(each) for each in result.warnings)


DAMAGED = [b"", b"\xff\xfe", b"20200101T000000-gone\n", b"20200101T000000000000-0123abcd\n", None]


@pytest.mark.parametrize("damage", DAMAGED)
def test_with_a_damaged_pointer_the_generation_that_is_whole_answers_and_says_so(
    archive, index, model, damage
):
    first = build_index(archive, index, model)
    texts, pointer = found_texts(index), index / "current"
    assert warnings_of(index) == ()
    pointer.unlink() if damage is None else pointer.write_bytes(damage)
    assert read_manifest(index).generation == first.generation
    (warning,) = warnings_of(index)
    assert first.generation in warning
    assert f"warraq build --rebuild --index {index}" in warning
    assert found_texts(index) == texts


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_pointer_is_mended_by_a_build(archive, index, model, damage):
    build_index(archive, index, model)
    texts, pointer = found_texts(index), index / "current"
    pointer.unlink() if damage is None else pointer.write_bytes(damage)
    report = build_index(archive, index, model)
    assert (report.encoded, report.unchanged) == (0, 2)
    assert current_generation(index) == report.generation
    assert (found_texts(index), warnings_of(index)) == (texts, ())


def test_of_two_generations_the_one_that_is_whole_answers_and_the_next_build_begins_with_it(
    archive, index, model
):
    first = build_index(archive, index, model)
    texts = found_texts(index)
    put(archive, new="A new article.")
    second = build_index(archive, index, model)
    flip_a_byte(index / "generations" / second.generation / "articles.sqlite")
    assert found_texts(index) == texts
    (warning,) = warnings_of(index)
    assert first.generation in warning
    third = build_index(archive, index, model)
    assert (third.added, third.unchanged, third.encoded) == (1, 2, 0)
    assert (found_texts(index), warnings_of(index)) == (sorted([*texts, "A new article."]), ())
    (folder,) = {path for path in (index / "generations").iterdir() if path.name == first.generation}
    flip_a_byte(folder / "vectors.faiss")
    flip_a_byte(index / "generations" / third.generation / "manifest.json")
    with pytest.raises(IndexUnusable, match="damaged") as caught:
        found_texts(index)
    assert third.generation in str(caught.value)


def test_progress_tells_each_stage_to_its_end(archive, index, model):
    told = []
    build_index(archive, index, model, progress=lambda *each: told.append(each))
    size = sum(path.stat().st_size for path in archive.rglob("*.txt"))
    for stage, total in (("reading", size), ("cutting", 2), ("embedding", 4)):
        steps = [(done, of) for name, done, of in told if name == stage]
        assert steps == sorted(steps)
        assert steps[-1] == (total, total)


# --- the language-neutral space --------------------------------------------------------------------


def generation_folder(index):
    return index / "generations" / current_generation(index)


@pytest.mark.parametrize(("made_with", "used"), [(FakeModel(), False), (TwoTongues(), True)])
def test_the_space_is_stored_where_it_serves_the_model_and_only_there(archive, index, made_with, used):
    build_index(archive, index, made_with)
    manifest = read_manifest(index)
    assert (generation_folder(index) / "neutral.safetensors").exists() == used
    assert ("neutral.safetensors" in manifest.files) == used
    sample = (ROOT / "indexer" / "embedding" / "parallel.jsonl").read_bytes()
    assert manifest.settings["language_neutral"] == {
        "method": METHOD, "sample": hashlib.sha256(sample).hexdigest(), "used": used,
    }  # fmt: skip
    store = GenerationReader.open(IndexFolder(index))
    assert (store.space_path() is not None) == used
    store.close()


@pytest.mark.parametrize("made_with", [FakeModel(), TwoTongues()])
def test_a_manifest_holds_no_floats(archive, index, made_with):
    def refuse(number):
        raise AssertionError(f"{number} in the manifest")

    build_index(archive, index, made_with)
    text = (generation_folder(index) / "manifest.json").read_text("utf-8")
    json.loads(text, parse_float=refuse, parse_constant=refuse)
    assert len(text) < 10_000


def test_what_is_stored_is_the_space_of_the_sample_and_the_passages_are_in_it(archive, index):
    model, sample = TwoTongues(), read_sample()
    build_index(archive, index, model)
    arabic, english = (
        {
            "passage": model.encode_passages(each["passage"]),
            "question": model.encode_queries(each["question"]),
        }
        for each in (sample.arabic, sample.english)
    )
    expected = estimate(arabic, english)
    store = GenerationReader.open(IndexFolder(index))
    stored = NeutralSpace.load(store.space_path())
    np.testing.assert_allclose(stored.matrix, expected.matrix, atol=1e-6)
    for role in ("passage", "question"):
        np.testing.assert_allclose(stored.offsets[role], expected.offsets[role], atol=1e-6)
    searcher = Searcher(store, in_space(store, model))
    assert isinstance(searcher.encoder, NeutralEncoder)
    assert searcher.encoder.base is model
    question = "grain corridor"
    hits = searcher.search(SearchRequest(question, mode="dense")).hits
    asked = expected.apply(model.encode_queries([question]), "question")[0]
    texts = [f"{hit.document.title}\n{hit.text}" if hit.passage.number > 1 else hit.text for hit in hits]
    cosines = expected.apply(model.encode_passages(texts), "passage") @ asked
    assert len(hits) == 4
    assert [hit.score for hit in hits] == pytest.approx(cosines.tolist(), abs=1e-5)
    store.close()


def test_the_vector_cache_holds_what_the_model_made_whatever_the_space(archive, index, tmp_path):
    """Vectors are kept as they came, so that another space costs no model."""
    build_index(archive, index, TwoTongues())
    assert build_index(archive, index, TwoTongues(), rebuild=True).encoded == 0
    first = faiss_vectors(index)
    build_index(archive, tmp_path / "fresh", TwoTongues())
    np.testing.assert_array_equal(first, faiss_vectors(tmp_path / "fresh"))


def test_copies_tie_whichever_builds_they_came_with(empty, index, tmp_path):
    """What the space makes of a vector must not depend on the other vectors that are mapped with it."""
    copy, model = "A ship left the port with grain for the people of the town on the hill.", TwoTongues()
    put(
        empty,
        m=copy,
        **{f"x{number}": f"Rain {number} and snow fell on the long valley." for number in range(9)},
    )
    build_index(empty, index, model)
    for names in (["b"], ["z", "f"], ["a", "n", "y", "k"]):
        put(empty, **dict.fromkeys(names, copy))
        build_index(empty, index, model)
    store = GenerationReader.open(IndexFolder(index))
    searcher = Searcher(store, in_space(store, model))
    for question in ("ship grain", "rain valley", "people town hill"):
        for mode in ("dense", "hybrid"):
            hits = searcher.search(SearchRequest(question, mode=mode, copies="all", limit=100)).hits
            copies = [hit for hit in hits if hit.text == copy]
            assert [hit.document.doc_id for hit in copies] == [f"{name}.txt" for name in "abfkmnyz"]
            assert mode == "hybrid" or len({hit.score for hit in copies}) == 1
    store.close()
    build_index(empty, tmp_path / "fresh", model)
    by_key = [
        dict(zip(vector_keys(folder), faiss_vectors(folder).tolist(), strict=True))
        for folder in (index, tmp_path / "fresh")
    ]
    assert by_key[0] == by_key[1]


def vector_keys(index):
    """The keys of the passages' vectors, by row."""
    with closing(sqlite3.connect(generation_folder(index) / "articles.sqlite")) as articles:
        return [key for (key,) in articles.execute("SELECT vector_key FROM passages ORDER BY row")]


def faiss_vectors(index):
    import faiss

    vectors = faiss.read_index(str(generation_folder(index) / "vectors.faiss"))
    return vectors.reconstruct_n(0, vectors.ntotal)


def test_the_sample_is_encoded_once_for_all_builds(archive, index):
    class Counting(FakeModel):
        def encode_passages(self, texts):
            asked.extend(texts)
            return super().encode_passages(texts)

        def encode_queries(self, texts):
            asked.extend(texts)
            return super().encode_queries(texts)

    asked = []
    report = build_index(archive, index, Counting())
    assert {text for text in asked if text in SAMPLE} == SAMPLE
    assert (report.encoded, report.reused) == (4, 0)  # the sample is no part of the archive
    asked.clear()
    build_index(archive, index, Counting(), rebuild=True)
    assert asked == []


@pytest.mark.parametrize("changed", ["METHOD", "sample"])
def test_another_method_or_sample_is_built_anew(archive, index, model, monkeypatch, changed):
    first = build_index(archive, index, model)
    assert build_index(archive, index, model).generation == first.generation
    if changed == "METHOD":
        monkeypatch.setattr("indexer.building.build.METHOD", "another-1")
    else:
        import dataclasses

        other = dataclasses.replace(read_sample(), sha256="ab" * 32)
        monkeypatch.setattr("indexer.building.build.read_sample", lambda: other)
    second = build_index(archive, index, model)
    assert second.generation != first.generation
    assert second.encoded == 0
    assert build_index(archive, index, model).generation == second.generation


# --- repetition: a line that many articles of a source have ------------------------------------------

LINE = "The harbour master writes every Thursday"
PARAGRAPH = "Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea."


def put_voyages(folder, numbers, *lines):
    """Articles of their own words, with lines below that others have too."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        body = f"Ship number {number} left the port on day {number} with grain for {number} thousand people."
        (folder / f"v{number:02}.txt").write_text("\n".join([f"Voyage {number}", body, *lines]), "utf-8")


def cut_by_repetition(index):
    """By id, the lines that were cut since many articles have them, and in how many they stand."""
    store = GenerationReader.open(IndexFolder(index))
    found = {
        doc_id: [(cut.line, cut.articles) for cut in store.article(doc_id).cuts if cut.rule == "repeated"]
        for doc_id in store.digests()
    }
    store.close()
    return {doc_id: cuts for doc_id, cuts in found.items() if cuts}


def test_a_repeated_line_is_cut_counted_and_told(empty, index, model):
    put_voyages(empty / "wire", range(6), "Loading", LINE)
    put_voyages(empty / "post", range(20, 24), LINE)
    report = build_index(empty, index, model)
    assert report.cut == {"loading": 6, "repeated": 6}
    assert report.repeated == (RepeatedLine("wire", 6, "wire/v00.txt", 4),)
    assert cut_by_repetition(index) == {f"wire/v0{number}.txt": [(4, 6)] for number in range(6)}
    assert sum(LINE in text for text in found_texts(index)) == 4  # the other source keeps it
    assert sum(LINE in text for text in model.encoded) == 4
    manifest = read_manifest(index)
    assert (manifest.cut, manifest.undated) == (report.cut, report.undated)
    assert manifest.repeated == [{"source": "wire", "articles": 6, "doc_id": "wire/v00.txt", "line": 4}]
    again = build_index(empty, index, model)
    assert (again.cut, again.repeated) == (report.cut, report.repeated)


def test_twenty_copies_of_an_article_lose_nothing(empty, index, model):
    for number in range(20):
        put(empty, **{f"copy{number}": f"Talks in Geneva\n{PARAGRAPH}\n{LINE}"})
    report = build_index(empty, index, model)
    assert (report.cut, report.repeated, report.documents) == ({}, (), 20)
    assert sum(LINE in text for text in found_texts(index)) == 20


def test_crossing_the_threshold_cuts_or_restores_every_article_that_has_the_line(empty, index, model):
    put_voyages(empty / "wire", range(4), LINE)
    put_voyages(empty / "wire", range(10, 13))
    assert build_index(empty, index, model).cut == {}
    encoded = len(model.encoded)

    put_voyages(empty / "wire", [4], LINE)
    report = build_index(empty, index, model)
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 0, 0, 7)
    assert report.cut == {"repeated": 5}
    assert cut_by_repetition(index) == {f"wire/v0{number}.txt": [(3, 5)] for number in range(5)}
    assert not any(LINE in text for text in found_texts(index))

    (empty / "wire" / "v02.txt").unlink()
    report = build_index(empty, index, model)
    assert (report.added, report.changed, report.removed, report.unchanged) == (0, 0, 1, 7)
    assert (report.cut, report.repeated) == ({}, ())
    assert sum(LINE in text for text in found_texts(index)) == 4
    assert encoded < len(model.encoded) < encoded + 8  # texts that were known are not embedded again


def test_a_source_that_grows_needs_more_articles_for_the_same_line(empty, index, model):
    put_voyages(empty / "wire", range(5), LINE)
    assert build_index(empty, index, model).cut == {"repeated": 5}
    put_voyages(empty / "wire", range(10, 56))  # 5 of 51 are less than a tenth
    report = build_index(empty, index, model)
    assert (report.cut, report.unchanged) == ({}, 5)
    assert build_index(empty, index, model, rebuild=True).cut == {}


@pytest.mark.parametrize("seed", range(3))
def test_an_index_made_in_steps_is_the_one_made_at_once(empty, tmp_path, seed):
    """Passages, cuts, reports and ranked lists, whatever was added, changed and removed on the way."""
    draw, model = random.Random(seed), FakeModel()
    lines = ["Standing line one", "سطر ثابت في كل خبر", "Loading", "Most read"]
    index = tmp_path / "steps"
    for step in range(4):
        for _ in range(draw.randint(6, 10)):
            source, number = draw.choice(["wire", "post"]), draw.randrange(12)
            others = draw.sample(lines, draw.randint(0, 3))
            put_voyages(empty / source, [number], *others, *([LINE] if source == "wire" else []))
        put_voyages(empty / "wire", [20 + step], LINE)
        for path in draw.sample(sorted(empty.rglob("*.txt")), draw.randint(0, 3)):
            path.unlink()
        stepped = build_index(empty, index, model)
    fresh = build_index(empty, tmp_path / "fresh", FakeModel())
    for name in ("documents", "passages", "cut", "repeated", "undated", "failed", "notes"):
        assert getattr(stepped, name) == getattr(fresh, name)
    assert "repeated" in fresh.cut
    assert cut_by_repetition(index) == cut_by_repetition(tmp_path / "fresh")
    assert all_that_is_held(index) == all_that_is_held(tmp_path / "fresh")


def all_that_is_held(index):
    """Articles, files and ranked lists of an index, without what names its generation."""
    store = GenerationReader.open(IndexFolder(index))
    searcher = Searcher(store, FakeModel())
    found = (
        [store.article(doc_id) for doc_id in sorted(store.digests())],
        store.files(),
        [
            [
                (hit.passage, hit.score, [each.passage for each in hit.also_in])
                for hit in searcher.search(request).hits
            ]
            for query in ("grain ship", LINE, "سطر ثابت")
            for mode in ("hybrid", "dense", "lexical")
            for request in (
                SearchRequest(query, mode=mode, limit=100),
                SearchRequest(query, mode=mode, source="post"),
            )
        ],
    )
    store.close()
    return found


# --- what was cut is nowhere in the index ------------------------------------------------------------

ADDRESS, READER = "203.0.113.77", "zubaidareader@harbour.example"
TRACKED = base64.b64encode(f"ip: {ADDRESS}".encode()).decode()
PRIVATE = f"""Voyage of the Kingfisher
{PARAGRAPH}
Your address: {ADDRESS}
{TRACKED}
Subscribe to our newsletter, {READER}, and never miss a ship
A second paragraph, about the quartermaster and the ropes that he kept for the winter.
"""


def written_as(secret):
    """A secret in every form in which a file might hold it, letters in lower case."""
    for text in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
        yield from (text.lower().encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def content_of(path):
    """The bytes of a file; none, of one that a writer at work has renamed meanwhile."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""


def holding(folder, *secrets):
    """The files below a folder that hold one of the secrets, each with that secret."""
    return [
        (path.relative_to(folder).as_posix(), secret)
        for path, content in [(path, content_of(path).lower()) for path in folder.rglob("*")]
        for secret in secrets
        if any(form in content for form in written_as(secret))
    ]


@pytest.fixture
def private(empty):
    """An archive with what nobody but the reader should know, and the lines that say it."""
    put(empty, private=PRIVATE)
    secrets = [ADDRESS, TRACKED, READER, f"ip: {ADDRESS}"]
    if SEEDS.exists():
        for path in SEEDS.glob("*.txt"):
            shutil.copy(path, empty)
        token = next(SEEDS.glob("000_*")).read_text("utf-8-sig").split("\n")[17].split()[0]
        decoded = base64.b64decode(token).decode().strip()
        secrets += [token.rstrip("="), decoded, decoded.split()[-1]]
    return empty, secrets


def test_what_was_cut_is_in_no_file_of_the_index(private, index, model):
    archive, secrets = private
    report = build_index(archive, index, model)
    assert report.cut["tracking"] >= 2
    assert holding(index, "quartermaster")  # what was not cut is found so
    assert holding(index, *secrets) == []
    assert not any(secret in text for text in model.encoded for secret in secrets)


def test_what_was_cut_is_found_by_no_question(private, index, model):
    archive, _ = private
    build_index(archive, index, model)
    searcher = Searcher(GenerationReader.open(IndexFolder(index)), model)
    for word, found in (("quartermaster", 1), ("zubaidareader", 0), (TRACKED, 0), ("203", 0)):
        assert searcher.search(SearchRequest(word, mode="lexical", source="")).total == found
    searcher.store.close()


def ways_of_writing(key):
    """A key of 64 bits in every form in which a file might hold it."""
    unsigned = key % 2**64
    yield from (unsigned.to_bytes(8, order) for order in ("big", "little"))
    yield from (f"{each}".encode() for each in (unsigned, key, f"{unsigned:016x}", f"{unsigned:016X}"))


@pytest.mark.parametrize("articles", [1, 3, 6])
def test_not_even_the_plain_key_of_a_readers_line_is_kept(empty, index, model, model_cache, articles):
    """An address has so few spellings that a hash of its line would tell it, in however many articles."""
    personal = [TRACKED, f"Your address: {ADDRESS}", f"Subscribe to our newsletter, {READER}"]
    for _ in range(2):  # at once, and in a step that begins with it
        put_voyages(empty, range(articles), *personal, LINE)
        put_voyages(empty, [40], "\n".join(personal))
        build_index(empty, index, model)
        files = {path: path.read_bytes() for path in index.rglob("*") if path.is_file()}
        secret = (model_cache / "lines.key").read_bytes()
        keys = [line_key(line) for line in [*personal, " ".join(sorted(personal, key=len)[::-1])]]
        keys += [line_keys(path.read_text("utf-8"))[0] for path in empty.glob("*.txt")]
        told = [secret, *(form.encode() for form in (secret.hex(), base64.b64encode(secret).decode()))]
        told += [form for key in keys for form in ways_of_writing(key)]
        assert [path for path, content in files.items() if any(form in content for form in told)] == []
        made_with_it = line_key(LINE, secret).to_bytes(8, "big", signed=True)
        assert [path.name for path, content in files.items() if made_with_it in content][-1:] == [
            "articles.sqlite"
        ]  # so are they written
        put_voyages(empty, [50], *personal)


def test_the_secret_of_the_keys_is_made_once_and_nobody_elses_to_read(archive, index, model, model_cache):
    build_index(archive, index, model)
    path = model_cache / "lines.key"
    before = path.read_bytes()
    build_index(archive, index, model, rebuild=True)
    assert path.read_bytes() == before
    assert (len(before), path.stat().st_mode & 0o777) == (32, 0o600)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_was_cut_is_in_no_file_after_a_build_that_failed(private, index, model, error):
    class Failing(FakeModel):
        def encode_passages(self, texts):
            if any(text not in SAMPLE for text in texts):
                seen.append(holding(index, *secrets))
                raise error
            return super().encode_passages(texts)

    archive, secrets = private
    seen = []
    with pytest.raises(error):
        build_index(archive, index, Failing())
    assert seen == [[]]  # in the middle, and after
    assert holding(index, *secrets) == []
    assert list((index / "generations").iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.support.fakes import SAMPLE, FakeModel
from indexer import build_index

class Killed(FakeModel):
    def encode_passages(self, texts):
        if any(text not in SAMPLE for text in texts):
            os._exit(9)
        return super().encode_passages(texts)

build_index(Path(sys.argv[1]), Path(sys.argv[2]), Killed())
"""


def test_what_was_cut_is_in_no_file_after_a_build_that_was_killed(private, index, tmp_path):
    archive, secrets = private
    (temporary := tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, archive, index, ROOT],
        env={**os.environ, "TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)},
        check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 9
    assert list((index / "generations").glob(".new-*/articles.sqlite"))  # it was in the middle
    for folder in (index, temporary):
        assert holding(folder, *secrets) == []
    build_index(archive, index, FakeModel())
    assert list((index / "generations").glob(".new-*")) == []
