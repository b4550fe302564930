"""Lines that many articles of a source have: when they are cut and restored."""

import random

import pytest

from indexer import Searcher, SearchRequest, build_index
from indexer.datatypes import RepeatedLine
from indexer.retrieval.opening import read_manifest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.edited_archives import LINE, PARAGRAPH, found_texts, put, put_voyages_into
from tests.support.fakes import FakeModel


def cut_by_repetition(index):
    """By id, the lines that were cut since many articles have them, and in how many they stand."""
    store = GenerationReader.open(IndexFolder(index))
    cuts_by_id = {
        doc_id: [(cut.line, cut.articles) for cut in store.article(doc_id).cuts if cut.rule == "repeated"]
        for doc_id in store.digests()
    }
    store.close()
    return {doc_id: cuts for doc_id, cuts in cuts_by_id.items() if cuts}


def test_repeated_line_is_cut_counted_and_reported(empty, index, model):
    put_voyages_into(empty / "wire", range(6), "Loading", LINE)
    put_voyages_into(empty / "post", range(20, 24), LINE)
    report = build_index(empty, index, model)
    assert report.cut == {"loading": 6, "repeated": 6}
    assert report.repeated == (RepeatedLine("wire", 6, "wire/v00.txt", 4),)
    assert cut_by_repetition(index) == {f"wire/v0{number}.txt": [(4, 6)] for number in range(6)}
    assert sum(LINE in text for text in found_texts(index)) == 4  # the other source keeps it
    assert [text for text in model.encoded if LINE in text] == [LINE]  # of four articles, with other titles
    manifest = read_manifest(index)
    assert (manifest.cut, manifest.undated) == (report.cut, report.undated)
    assert manifest.repeated == [{"source": "wire", "articles": 6, "doc_id": "wire/v00.txt", "line": 4}]
    again = build_index(empty, index, model)
    assert (again.cut, again.repeated) == (report.cut, report.repeated)


def test_twenty_duplicate_articles_keep_all_lines(empty, index, model):
    for number in range(20):
        put(empty, **{f"copy{number}": f"Talks in Geneva\n{PARAGRAPH}\n{LINE}"})
    report = build_index(empty, index, model)
    assert (report.cut, report.repeated, report.documents) == ({}, (), 20)
    assert sum(LINE in text for text in found_texts(index)) == 20


def test_crossing_the_threshold_updates_every_article_with_the_line(empty, index, model):
    put_voyages_into(empty / "wire", range(4), LINE)
    put_voyages_into(empty / "wire", range(10, 13))
    assert build_index(empty, index, model).cut == {}
    encoded = len(model.encoded)

    put_voyages_into(empty / "wire", [4], LINE)
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
    put_voyages_into(empty / "wire", range(5), LINE)
    assert build_index(empty, index, model).cut == {"repeated": 5}
    put_voyages_into(empty / "wire", range(10, 56))  # 5 of 51 are less than a tenth
    report = build_index(empty, index, model)
    assert (report.cut, report.unchanged) == ({}, 5)
    assert build_index(empty, index, model, rebuild=True).cut == {}


@pytest.mark.parametrize("seed", range(3))
def test_index_built_in_steps_equals_a_full_build(empty, tmp_path, seed):
    """Passages, cuts, reports and ranked lists are equal after additions, changes and removals."""
    draw, model = random.Random(seed), FakeModel()
    lines = ["Standing line one", "سطر ثابت في كل خبر", "Loading", "Most read"]
    index = tmp_path / "steps"
    for step in range(4):
        for _ in range(draw.randint(6, 10)):
            source, number = draw.choice(["wire", "post"]), draw.randrange(12)
            others = draw.sample(lines, draw.randint(0, 3))
            put_voyages_into(empty / source, [number], *others, *([LINE] if source == "wire" else []))
        put_voyages_into(empty / "wire", [20 + step], LINE)
        for path in draw.sample(sorted(empty.rglob("*.txt")), draw.randint(0, 3)):
            path.unlink()
        stepped = build_index(empty, index, model)
    fresh = build_index(empty, tmp_path / "fresh", FakeModel())
    for name in ("documents", "passages", "cut", "repeated", "undated", "failed", "notes"):
        assert getattr(stepped, name) == getattr(fresh, name)
    assert "repeated" in fresh.cut
    assert cut_by_repetition(index) == cut_by_repetition(tmp_path / "fresh")
    assert index_content(index) == index_content(tmp_path / "fresh")


def index_content(index):
    """Articles, files and ranked lists of an index, without what names its generation."""
    store = GenerationReader.open(IndexFolder(index))
    searcher = Searcher(store, FakeModel())
    content = (
        [store.article(doc_id) for doc_id in sorted(store.digests())],
        store.files(),
        [
            [
                (hit.passage, hit.score, [item.passage for item in hit.also_in])
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
    return content
