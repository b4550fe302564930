"""The language-neutral space of an index: where it is stored, and when it is made anew."""

import hashlib
import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from indexer import Searcher, SearchRequest, build_index
from indexer.embedding.language_neutral import METHOD, NeutralEncoder, NeutralSpace, estimate, read_sample
from indexer.embedding.titles import with_titles
from indexer.retrieval.opening import current_generation, in_space, read_manifest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.edited_archives import put
from tests.support.fakes import SAMPLE, FakeModel, TwoTongues
from tests.support.paths import ROOT


def generation_folder(index):
    return index / "generations" / current_generation(index)


@pytest.mark.parametrize(("made_with", "used"), [(FakeModel(), False), (TwoTongues(), True)])
def test_space_is_stored_only_where_it_improves_the_model(archive, index, made_with, used):
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


def test_stored_space_is_that_of_the_sample_and_holds_the_passages(archive, index):
    model, sample = TwoTongues(), read_sample()
    build_index(archive, index, model)
    arabic, english = (
        {
            "passage": model.encode_passages(item["passage"]),
            "question": model.encode_queries(item["question"]),
        }
        for item in (sample.arabic, sample.english)
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
    query_vector = expected.apply(model.encode_queries([question]), "question")[0]
    texts, titles = [hit.text for hit in hits], [hit.document.title for hit in hits]
    of_texts, of_titles = (expected.apply(model.encode_passages(each), "passage") for each in (texts, titles))
    cosines = with_titles(of_texts, of_titles) @ query_vector
    assert len(hits) == 4
    assert [hit.score for hit in hits] == pytest.approx(cosines.tolist(), abs=1e-5)
    store.close()


def test_vector_cache_holds_model_vectors_outside_the_space(archive, index, tmp_path):
    """Vectors are kept as they came, so that another space costs no model."""
    build_index(archive, index, TwoTongues())
    assert build_index(archive, index, TwoTongues(), rebuild=True).encoded == 0
    first = faiss_vectors(index)
    build_index(archive, tmp_path / "fresh", TwoTongues())
    np.testing.assert_array_equal(first, faiss_vectors(tmp_path / "fresh"))


def test_duplicates_tie_whichever_build_added_them(empty, index, tmp_path):
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
            encoded_texts.extend(texts)
            return super().encode_passages(texts)

        def encode_queries(self, texts):
            encoded_texts.extend(texts)
            return super().encode_queries(texts)

    encoded_texts = []
    report = build_index(archive, index, Counting())
    assert {text for text in encoded_texts if text in SAMPLE} == SAMPLE
    assert (report.encoded, report.reused) == (4, 0)  # the sample is no part of the archive
    encoded_texts.clear()
    build_index(archive, index, Counting(), rebuild=True)
    assert encoded_texts == []


@pytest.mark.parametrize("changed", ["METHOD", "sample"])
def test_different_method_or_sample_causes_a_rebuild(archive, index, model, monkeypatch, changed):
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
