"""Search: each retriever against brute force, candidates, order, filters by language and opening."""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexer import Searcher, SearchRequest, build_index, open_searcher
from indexer.errors import GenerationChanged, IndexUnusable, ModelError, NoIndex
from indexer.retrieval.fusion import DEPTH, LITERAL_WEIGHT
from indexer.retrieval.opening import current_generation, read_manifest
from indexer.retrieval.words import SURFACE_WEIGHT
from indexer.serialization import result_json
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.text.analysis import tokens
from indexer.text.language import detect
from tests.support.fakes import WORDS as ENGLISH
from tests.support.fakes import FakeModel, TwoTongues
from tests.support.search_indexes import (
    ARABIC,
    MODES,
    QUERY,
    Angles,
    all_hits,
    brute_force_cosines,
    index_passages,
    open_fake_index,
)


@pytest.fixture
def built(archive, index, model):
    build_index(archive, index, model)
    searcher = open_fake_index(index)
    yield searcher
    searcher.store.close()


@pytest.mark.parametrize("lang", [None, "ar", "en"])
@pytest.mark.parametrize("query", [QUERY, "معاهدة في ميناء", "unheard"])
def test_dense_retriever_equals_brute_force(searcher, texts, query, lang):
    expected = brute_force_cosines(texts, query, lang)
    hits = all_hits(searcher, query, mode="dense", lang=lang)
    best = sorted(expected.values(), reverse=True)[:DEPTH]
    assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)
    assert [expected[hit.document.doc_id] for hit in hits] == pytest.approx(best, abs=1e-5)
    assert len({hit.document.doc_id for hit in hits}) == len(hits)


@pytest.mark.parametrize("lang", [None, "ar", "en"])
@pytest.mark.parametrize("query", [QUERY, "treaties", "معاهدة في ميناء"])
def test_lexical_retriever_finds_exactly_the_passages_with_a_term(searcher, texts, query, lang):
    wanted = {(word.kind, word.term) for word in tokens(query)}
    holds = {
        name for name, text in texts.items()
        if name and wanted & {(word.kind, word.term) for word in tokens(text)} and lang in (None, detect(text))
    }  # fmt: skip
    hits = all_hits(searcher, query, mode="lexical", lang=lang)
    assert {hit.document.doc_id for hit in hits} == holds
    assert len(hits) == len(holds)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lang", [None, "ar"])
@pytest.mark.parametrize("copies", ["fold", "all"])
def test_pages_of_any_size_form_one_list(searcher, mode, lang, copies):
    expected = [hit.passage.passage_id for hit in all_hits(searcher, mode=mode, lang=lang, copies=copies)]
    assert len(set(expected)) == len(expected)
    for limit in (1, 7, 33, 100):
        got, totals, offset = [], set(), 0
        while offset < len(expected) + limit:
            page = searcher.search(
                SearchRequest(QUERY, mode, limit=limit, offset=offset, lang=lang, copies=copies)
            )
            assert [hit.rank for hit in page.hits] == list(range(offset + 1, offset + 1 + len(page.hits)))
            got += [hit.passage.passage_id for hit in page.hits]
            totals.add(page.total)
            offset += limit * (11 if limit == 1 else 1)
        assert totals == {len(expected)}
        assert got == (expected if limit > 1 else expected[::11])


def test_hybrid_candidates_are_the_union_of_both_retrievers(searcher, texts):
    ids_by_mode = {mode: {hit.document.doc_id for hit in all_hits(searcher, mode=mode)} for mode in MODES}
    assert ids_by_mode["hybrid"] == ids_by_mode["dense"] | ids_by_mode["lexical"]
    assert len(ids_by_mode["dense"]) == DEPTH < len(texts) - 1


def test_candidates_keep_lexical_only_passages_within_the_depth(tmp_path, index):
    (folder := tmp_path / "many").mkdir()
    for number in range(DEPTH + 30):
        (folder / f"{number:03}.txt").write_text(f"river river river {number}", "utf-8")
    # Farther from the question than all of those, and the only one with its rare word.
    (folder / "rare.txt").write_text("treaty " + "grain market dam port " * 8, "utf-8")
    build_index(folder, index, FakeModel())
    searcher = open_fake_index(index)
    question = "river river river river treaty"
    assert "rare.txt" not in {hit.document.doc_id for hit in all_hits(searcher, question, mode="dense")}
    hybrid = all_hits(searcher, question)
    assert "rare.txt" in {hit.document.doc_id for hit in hybrid}
    assert len(hybrid) == searcher.search(SearchRequest(question, limit=1, copies="all")).total > DEPTH
    searcher.store.close()


@pytest.mark.parametrize("query", [QUERY, "معاهدة في ميناء القمح"])
def test_hybrid_keeps_the_dense_order_between_languages(searcher, texts, query):
    hits = all_hits(searcher, query)
    expected = brute_force_cosines(texts, query)
    expected_scores = sorted((expected[hit.document.doc_id] for hit in hits), reverse=True)
    assert [hit.score for hit in hits] == pytest.approx(expected_scores, abs=1e-5)
    others = [hit for hit in hits if hit.passage.lang != detect(query)]
    assert others
    for hit in others:
        assert hit.score == pytest.approx(expected[hit.document.doc_id], abs=1e-5)


def ranked(folder, index, query, **lines):
    folder.mkdir()
    for name, line in lines.items():
        (folder / f"{name}.txt").write_text(line, "utf-8")
    build_index(folder, index, Angles())
    searcher = Searcher(GenerationReader.open(IndexFolder(index)), Angles())
    hits = searcher.search(SearchRequest(query, copies="all")).hits
    searcher.store.close()
    return [(hit.document.doc_id.removesuffix(".txt"), round(hit.score, 4)) for hit in hits]


FAR = {f"far{at}": f"0.1{at} light" for at in range(5)}


def test_words_lift_a_passage_within_the_query_language(tmp_path, index):
    ranking = ranked(
        tmp_path / "x",
        index,
        "grain snow rain",
        **FAR,
        a="0.80 river",
        b="0.79 dam",
        c="0.78 grain",
        d="0.785 قمح",
    )
    assert ranking[:4] == [("c", 0.8), ("a", 0.79), ("d", 0.785), ("b", 0.78)]


def test_duplicates_keep_the_order_that_words_decide(tmp_path, index):
    ranking = ranked(
        tmp_path / "x", index, "grain snow rain", **FAR, a="0.80 river", b="0.80 river", c="0.78 grain"
    )
    assert ranking[:3] == [("c", 0.8), ("a", 0.8), ("b", 0.78)]


def test_one_word_lifts_its_passages_of_any_language_above_all_others(tmp_path, index):
    ranking = ranked(
        tmp_path / "x", index, "قمح", **FAR, a="0.80 river", b="0.40 قمح كثير", c="0.50 grain قمح"
    )
    assert {name for name, _ in ranking[:2]} == {"b", "c"}
    assert ranking[2] == ("a", 0.8)


def test_exact_match_lifts_a_passage_of_another_language_a_little(tmp_path, index):
    ranking = ranked(
        tmp_path / "x", index, "هدنة جديدة Kyiv", **FAR, a="0.80 Kyiv", b="0.81 dam", c="0.79 سلام"
    )
    # BM25 of a word once in one of eight passages of two words, as stem and as surface.
    bm25 = math.log(1 + 7.5 / 1.5) * (1 + SURFACE_WEIGHT)
    raised = 0.80 + LITERAL_WEIGHT * bm25
    assert 0.81 < raised < 0.83
    assert ranking[:3] == [("a", pytest.approx(raised, abs=2e-4)), ("b", 0.81), ("c", 0.79)]


@pytest.mark.parametrize("mode", MODES)
def test_language_filter_leaves_both_retrievers_their_depth(tmp_path, index, mode):
    """More passages of the other language than the depth of a retriever, every one of them better."""
    (folder := tmp_path / "many").mkdir()
    for position in range(DEPTH + 10):
        (folder / f"a{position:03}.txt").write_text(
            f"Kyiv Kyiv Kyiv نهر سوق ميناء قمح شتاء معاهدة زيتون {position}", "utf-8"
        )
    for place in range(5):
        (folder / f"e{place}.txt").write_text(
            "Kyiv " + "dam port light olive canal drone envoy " * (place + 2), "utf-8"
        )
    build_index(folder, index, FakeModel())
    searcher = open_fake_index(index)
    result = searcher.search(SearchRequest("Kyiv", mode=mode, lang="en", copies="all"))
    assert sorted(hit.document.doc_id for hit in result.hits) == [f"e{number}.txt" for number in range(5)]
    assert result.total == 5
    unfiltered = searcher.search(SearchRequest("Kyiv", mode=mode, copies="all", limit=100))
    assert {hit.passage.lang for hit in unfiltered.hits} == {"ar"}
    searcher.store.close()


@pytest.mark.parametrize("mode", MODES)
def test_language_filter_is_applied_before_the_retrievers(searcher, texts, mode):
    query = "river معاهدة"
    for lang in ("ar", "en"):
        result = searcher.search(SearchRequest(query, limit=100, mode=mode, lang=lang))
        assert result.hits
        assert {hit.passage.lang for hit in result.hits} == {lang}
    of_english = sum(detect(text) == "en" for name, text in texts.items() if name)
    assert searcher.search(SearchRequest(query, mode="dense", lang="en", copies="all")).total == of_english
    assert searcher.search(SearchRequest(query, mode=mode, lang="fr")).total == 0


def test_equal_scores_come_in_the_order_of_the_archive(tmp_path, index):
    (folder := tmp_path / "alike").mkdir()
    for name in ("b", "a/z", "c", "a/b"):
        (folder / f"{name}.txt").parent.mkdir(exist_ok=True)
        (folder / f"{name}.txt").write_text("The same words.", "utf-8")
    build_index(folder, index, FakeModel())
    searcher = open_fake_index(index)
    for mode in MODES:
        doc_ids = [hit.document.doc_id for hit in all_hits(searcher, "same words", mode=mode)]
        assert doc_ids == ["a/b.txt", "a/z.txt", "b.txt", "c.txt"]
    searcher.store.close()


def test_lexical_search_without_matches_is_empty(built):
    for query in ("unheard", "؟!…", "😀"):
        result = built.search(SearchRequest(query, mode="lexical"))
        assert (result.total, result.hits) == (0, ())
        by_meaning = 0 if query == "؟!…" else built.size()[1]  # signs alone are near to nothing
        assert built.search(SearchRequest(query)).total == by_meaning


def test_page_past_the_end_is_empty_with_the_same_total(built):
    result = built.search(SearchRequest("Geneva", offset=10_000))
    assert (result.total, result.hits) == (built.size()[1], ())
    assert result_json(result)["next"] is None


def test_a_page_of_another_generation_is_refused(built):
    assert built.search(SearchRequest("Geneva", generation=built.generation)).generation == built.generation
    with pytest.raises(GenerationChanged, match=built.generation) as error:
        built.search(SearchRequest("Geneva", generation="20200101T000000-older"))
    assert (error.value.code, error.value.http_status) == ("generation_changed", 409)


def test_every_hit_has_provenance(archive, index, model):
    mess = (
        "\ufeff\r\n  A title with café \r\n\r\n"
        + "One sentence about grain 😀 and more of it. " * 4
        + "\r\rEnd."
    )
    (archive / "mess.txt").write_bytes(mess.encode())
    build_index(archive, index, model)
    searcher = open_fake_index(index)
    hits = searcher.search(SearchRequest("grain", limit=100)).hits
    assert len(hits) == searcher.size()[1]
    for hit in hits:
        data = (archive / hit.document.file.path).read_bytes()
        text = data.decode("utf-8-sig")
        passage = hit.passage
        assert hit.text == text[passage.start : passage.end] != ""
        assert hit.document.file.sha256 == hashlib.sha256(data).hexdigest()
        before = text[: passage.start].replace("\r\n", "\n").replace("\r", "\n")
        assert passage.line_start == before.count("\n") + 1
        within = hit.text.replace("\r\n", "\n").replace("\r", "\n")
        assert passage.line_end == passage.line_start + within.count("\n")
        assert searcher.article(hit.document.doc_id).passages[passage.number - 1] == passage
    searcher.store.close()


def test_an_incremental_build_ranks_like_a_fresh_one(archive, tmp_path, model):
    for index in ("grown", "fresh"):
        if index == "fresh":
            (archive / "canal.txt").write_text("The canal\nShips wait at the canal for grain and light.\n")
            (archive / "talks.txt").write_text("Talks in Vienna\nEnvoys met about the Black Sea grain.\n")
            (archive / "ar" / "water.txt").unlink()
            build_index(archive, tmp_path / "grown", model)
        build_index(archive, tmp_path / index, model)
    lists = {}
    for index in ("grown", "fresh"):
        searcher = open_fake_index(tmp_path / index)
        lists[index] = [
            [(hit.passage, hit.score) for hit in searcher.search(SearchRequest(query, mode=mode)).hits]
            for mode in MODES
            for query in ("grain of the Black Sea", "canal", "ماء")
        ]
        searcher.store.close()
    assert lists["grown"] == lists["fresh"]


def test_one_searcher_answers_many_threads_alike(searcher):
    requests = [
        SearchRequest(f"{a} {b}", lang=lang) for a in ENGLISH[:4] for b in ARABIC[:4] for lang in (None, "ar")
    ]
    alone = [searcher.search(request).hits for request in requests]
    with ThreadPoolExecutor(8) as executor:
        together = list(executor.map(lambda request: searcher.search(request).hits, requests * 3))
    assert together == alone * 3


def test_a_reader_keeps_its_generation_through_builds(archive, index, model, built):
    before = built.search(SearchRequest("Geneva grain")).hits
    for text in ("One more.", "And another.", "And a third."):
        (archive / "more.txt").write_text(text)
        build_index(archive, index, model)
    assert current_generation(index) != built.generation
    assert built.search(SearchRequest("Geneva grain")).hits == before
    assert open_fake_index(index).size()[0] == 3


def test_missing_index_error_names_the_build_command(tmp_path):
    assert current_generation(tmp_path / "none") is None
    for find in (open_searcher, read_manifest):
        with pytest.raises(NoIndex, match="warraq build"):
            find(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_index_of_another_model_is_refused_with_the_remedy(archive, index, model):
    build_index(archive, index, model)
    with pytest.raises(
        IndexUnusable, match=r"built with the model fake; this run asks for bundled.*--rebuild"
    ):
        open_searcher(index, "bundled")


def test_index_of_other_weights_is_refused_without_loading_them(archive, index):
    build_index(archive, index, FakeModel(name="bundled"))
    with pytest.raises(IndexUnusable, match=r"other weights of the model bundled.*--rebuild"):
        open_searcher(index)


def test_index_of_a_missing_model_names_the_model(archive, index):
    build_index(archive, index, FakeModel(name="nobody/nothing"))
    with pytest.raises(ModelError, match="warraq model fetch nobody/nothing"):
        open_searcher(index)


def test_loaded_encoder_is_reused_for_its_own_index(archive, index, model):
    build_index(archive, index, model)
    searcher = open_searcher(index, encoder=model)
    assert searcher.encoder is model
    assert model.opened == 1  # by the build
    searcher.store.close()
    with pytest.raises(ModelError):  # the right model is not on this machine
        open_searcher(index, encoder=FakeModel(weights="other"))


@pytest.mark.parametrize("lost", ["model", "weights"])
def test_a_manifest_that_lost_a_setting_is_refused_as_damaged(archive, index, model, lost):
    path = index / "generations" / build_index(archive, index, model).generation / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    del manifest["settings"][lost]
    path.write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(IndexUnusable, match="damaged"):
        open_searcher(index, encoder=model)


def test_changed_manifest_is_detected(archive, index, model):
    path = index / "generations" / build_index(archive, index, model).generation / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    for change in ({"archive": "/elsewhere"}, {"passages": 7}, {"failed": [{"path": "x", "reason": "y"}]}):
        path.write_text(json.dumps({**manifest, **change}), "utf-8")
        with pytest.raises(IndexUnusable, match="damaged"):
            read_manifest(index)


# --- an index with the language-neutral space, and one without ---------------------------------------


def test_space_ranks_the_answer_in_the_other_language_first(tmp_path):
    articles = {"a": ["42 alpha نهر سد نهر"]} | {f"e{number}": ["pad " * (number + 1)] for number in range(4)}
    with_space = index_passages(tmp_path / "one", articles, TwoTongues())
    assert with_space.search(SearchRequest("42 alpha", mode="dense")).hits[0].document.doc_id == "a"
    assert with_space.search(SearchRequest("42 alpha")).hits[0].document.doc_id == "a"
    with_space.store.close()


def test_opened_index_uses_its_space_or_the_plain_encoder(archive, tmp_path):
    build_index(archive, tmp_path / "with", TwoTongues())
    build_index(archive, tmp_path / "without", FakeModel())
    model = TwoTongues()
    searcher = open_searcher(tmp_path / "with", encoder=model)
    assert searcher.encoder.base is model
    # The encoder of one Searcher serves the next, and is not put into the space twice.
    again = open_searcher(tmp_path / "with", encoder=searcher.encoder)
    assert again.encoder.base is model
    hit_lists = [item.search(SearchRequest("grain", mode="dense")).hits for item in (searcher, again)]
    assert hit_lists[0] == hit_lists[1]
    plain = FakeModel()
    other = open_searcher(tmp_path / "without", encoder=plain)
    assert other.encoder is plain
    for entry in (searcher, again, other):
        entry.store.close()
