"""Search: each leg against brute force, one pool whatever the page, and receipts that hold."""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from indexer import Searcher, SearchRequest, build_index, open_searcher
from indexer.building.build import write_generation
from indexer.building.changes import ArticleSource
from indexer.datatypes import Document, Passage, SourceFile, SplitDocument
from indexer.errors import GenerationChanged, IndexUnusable, ModelError, NoIndex
from indexer.retrieval.fusion import DEPTH, LITERAL_WEIGHT, SURFACE_WEIGHT
from indexer.retrieval.opening import current_generation, read_manifest
from indexer.serialization import result_json
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import PreparedArticle
from indexer.text.analysis import tokens
from indexer.text.language import detect
from tests.support.fakes import WORDS as ENGLISH
from tests.support.fakes import FakeModel, TwoTongues, bag_of_words

ARABIC = ["نهر", "قمح", "مبعوث", "سوق", "شتاء", "سد", "معاهدة", "ميناء", "طائرة", "ضوء", "زيتون", "قناة"]
QUERY = "river treaty in winter"
MODES = ["dense", "lexical", "hybrid"]


def write_lines(folder, number=320):
    """Articles of one line, three Arabic for each two English, of few words each; some alike."""
    random = np.random.default_rng(7)
    for at in range(number):
        words = random.choice(ARABIC if at % 5 < 3 else ENGLISH, size=random.integers(2, 7))
        (folder / f"{at:03}.txt").write_text(" ".join(words), "utf-8")


def opened(index):
    return Searcher(GenerationReader.open(IndexFolder(index)), FakeModel())


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    write_lines(folder)
    return {path.name: path.read_text("utf-8") for path in sorted(folder.iterdir())} | {"": str(folder)}


@pytest.fixture(scope="module")
def searcher(texts, tmp_path_factory):
    index = tmp_path_factory.mktemp("lines-index")
    build_index(Path(texts[""]), index, FakeModel())
    searcher = opened(index)
    yield searcher
    searcher.store.close()


@pytest.fixture
def built(archive, index, model):
    build_index(archive, index, model)
    searcher = opened(index)
    yield searcher
    searcher.store.close()


def whole(searcher, query=QUERY, **options):
    """The whole list of a question, page by page, nothing folded unless it is asked for."""
    options = {"copies": "all"} | options
    hits, offset = [], 0
    while page := searcher.search(SearchRequest(query, limit=100, offset=offset, **options)).hits:
        hits += page
        offset += 100
    return hits


def cosines(texts, query, lang=None):
    return {
        name: float(bag_of_words(text) @ bag_of_words(query))
        for name, text in texts.items()
        if name and lang in (None, detect(text))
    }


@pytest.mark.parametrize("lang", [None, "ar", "en"])
@pytest.mark.parametrize("query", [QUERY, "معاهدة في ميناء", "unheard"])
def test_dense_is_brute_force(searcher, texts, query, lang):
    expected = cosines(texts, query, lang)
    hits = whole(searcher, query, mode="dense", lang=lang)
    best = sorted(expected.values(), reverse=True)[:DEPTH]
    assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)
    assert [expected[hit.document.doc_id] for hit in hits] == pytest.approx(best, abs=1e-5)
    assert len({hit.document.doc_id for hit in hits}) == len(hits)


@pytest.mark.parametrize("lang", [None, "ar", "en"])
@pytest.mark.parametrize("query", [QUERY, "treaties", "معاهدة في ميناء"])
def test_lexical_finds_what_holds_a_term_and_nothing_else(searcher, texts, query, lang):
    wanted = {(word.kind, word.term) for word in tokens(query)}
    holds = {
        name for name, text in texts.items()
        if name and wanted & {(word.kind, word.term) for word in tokens(text)} and lang in (None, detect(text))
    }  # fmt: skip
    hits = whole(searcher, query, mode="lexical", lang=lang)
    assert {hit.document.doc_id for hit in hits} == holds
    assert len(hits) == len(holds)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lang", [None, "ar"])
@pytest.mark.parametrize("copies", ["fold", "all"])
def test_pages_are_one_list_whatever_their_size(searcher, mode, lang, copies):
    expected = [hit.passage.passage_id for hit in whole(searcher, mode=mode, lang=lang, copies=copies)]
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


def test_the_hybrid_pool_is_the_union_of_the_legs(searcher, texts):
    legs = {mode: {hit.document.doc_id for hit in whole(searcher, mode=mode)} for mode in MODES}
    assert legs["hybrid"] == legs["dense"] | legs["lexical"]
    assert len(legs["dense"]) == DEPTH < len(texts) - 1


def test_each_leg_is_cut_at_its_depth_but_the_pool_keeps_what_only_words_find(tmp_path, index):
    (folder := tmp_path / "many").mkdir()
    for at in range(DEPTH + 30):
        (folder / f"{at:03}.txt").write_text(f"river river river {at}", "utf-8")
    # Farther from the question than all of those, and the only one with its rare word.
    (folder / "rare.txt").write_text("treaty " + "grain market dam port " * 8, "utf-8")
    build_index(folder, index, FakeModel())
    searcher = opened(index)
    question = "river river river river treaty"
    assert "rare.txt" not in {hit.document.doc_id for hit in whole(searcher, question, mode="dense")}
    hybrid = whole(searcher, question)
    assert "rare.txt" in {hit.document.doc_id for hit in hybrid}
    assert len(hybrid) == searcher.search(SearchRequest(question, limit=1, copies="all")).total > DEPTH
    searcher.store.close()


@pytest.mark.parametrize("query", [QUERY, "معاهدة في ميناء"])
def test_hybrid_keeps_the_dense_order_between_languages(searcher, texts, query):
    hits = whole(searcher, query)
    expected = cosines(texts, query)
    pool = sorted((expected[hit.document.doc_id] for hit in hits), reverse=True)
    assert [hit.score for hit in hits] == pytest.approx(pool, abs=1e-5)
    others = [hit for hit in hits if hit.passage.lang != detect(query)]
    assert others
    for hit in others:
        assert hit.score == pytest.approx(expected[hit.document.doc_id], abs=1e-5)


class Angles(FakeModel):
    """Cosines chosen by hand: the first word of a passage is its cosine to every question."""

    def encode_passages(self, texts):
        # The sample of the language-neutral space has none: all its texts are alike.
        cosines = np.array(
            [float(text.split()[0]) if text[0].isdecimal() else 0 for text in texts], np.float32
        )
        vectors = np.zeros((len(texts), 64), np.float32)
        vectors[:, 0], vectors[:, 1] = cosines, np.sqrt(1 - cosines**2)
        return vectors

    def encode_queries(self, texts):
        return self.encode_passages(["1.0" for _ in texts])


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


def test_words_move_a_passage_up_within_the_language_of_the_question(tmp_path, index):
    # Standardised among eight: dense 1.33, 1.29 and 1.24, the word 2.65 for c and -0.38 for others,
    # so c has 0.3 x 2.65 + 0.7 x 1.24 = 1.66 against 0.82 for a.
    found = ranked(
        tmp_path / "x", index, "grain", **FAR, a="0.80 river", b="0.79 dam", c="0.78 grain", d="0.785 قمح"
    )
    assert found[:4] == [("c", 0.8), ("a", 0.79), ("d", 0.785), ("b", 0.78)]


def test_copies_do_not_undo_what_words_decide(tmp_path, index):
    found = ranked(tmp_path / "x", index, "grain", **FAR, a="0.80 river", b="0.80 river", c="0.78 grain")
    assert found[:3] == [("c", 0.8), ("a", 0.8), ("b", 0.78)]


def test_what_matches_letter_by_letter_moves_a_passage_of_another_language_a_little(tmp_path, index):
    found = ranked(
        tmp_path / "x", index, "هدنة جديدة Kyiv", **FAR, a="0.80 Kyiv", b="0.81 dam", c="0.79 سلام"
    )
    # BM25 of a word once in one of eight passages of two words, as stem and as surface.
    bm25 = math.log(1 + 7.5 / 1.5) * (1 + SURFACE_WEIGHT)
    raised = 0.80 + LITERAL_WEIGHT * bm25
    assert 0.81 < raised < 0.83
    assert found[:3] == [("a", pytest.approx(raised, abs=2e-4)), ("b", 0.81), ("c", 0.79)]


@pytest.mark.parametrize("mode", MODES)
def test_a_language_leaves_both_legs_their_whole_depth(tmp_path, index, mode):
    """More passages of the other language than a leg is deep, every one of them better."""
    (folder := tmp_path / "many").mkdir()
    for at in range(DEPTH + 10):
        (folder / f"a{at:03}.txt").write_text(
            f"Kyiv Kyiv Kyiv نهر سوق ميناء قمح شتاء معاهدة زيتون {at}", "utf-8"
        )
    for at in range(5):
        (folder / f"e{at}.txt").write_text(
            "Kyiv " + "dam port light olive canal drone envoy " * (at + 2), "utf-8"
        )
    build_index(folder, index, FakeModel())
    searcher = opened(index)
    found = searcher.search(SearchRequest("Kyiv", mode=mode, lang="en", copies="all"))
    assert sorted(hit.document.doc_id for hit in found.hits) == [f"e{at}.txt" for at in range(5)]
    assert found.total == 5
    unfiltered = searcher.search(SearchRequest("Kyiv", mode=mode, copies="all", limit=100))
    assert {hit.passage.lang for hit in unfiltered.hits} == {"ar"}
    searcher.store.close()


@pytest.mark.parametrize("mode", MODES)
def test_the_language_filter_is_applied_before_the_legs(searcher, texts, mode):
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
    searcher = opened(index)
    for mode in MODES:
        found = [hit.document.doc_id for hit in whole(searcher, "same words", mode=mode)]
        assert found == ["a/b.txt", "a/z.txt", "b.txt", "c.txt"]
    searcher.store.close()


def test_lexical_that_finds_nothing_is_empty(built):
    for query in ("unheard", "؟!…", "😀"):
        result = built.search(SearchRequest(query, mode="lexical"))
        assert (result.total, result.hits) == (0, ())
        assert built.search(SearchRequest(query)).total == built.size()[1]


def test_past_the_end_there_are_no_hits_and_the_same_total(built):
    result = built.search(SearchRequest("Geneva", offset=10_000))
    assert (result.total, result.hits) == (built.size()[1], ())
    assert result_json(result)["next"] is None


def test_a_page_of_another_generation_is_refused(built):
    assert built.search(SearchRequest("Geneva", generation=built.generation)).generation == built.generation
    with pytest.raises(GenerationChanged, match=built.generation) as error:
        built.search(SearchRequest("Geneva", generation="20200101T000000-older"))
    assert (error.value.code, error.value.http_status) == ("generation_changed", 409)


def test_every_hit_is_a_receipt(archive, index, model):
    mess = (
        "\ufeff\r\n  A title with café \r\n\r\n"
        + "One sentence about grain 😀 and more of it. " * 4
        + "\r\rEnd."
    )
    (archive / "mess.txt").write_bytes(mess.encode())
    build_index(archive, index, model)
    searcher = opened(index)
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
        searcher = opened(tmp_path / index)
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
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda request: searcher.search(request).hits, requests * 3))
    assert together == alone * 3


def test_a_reader_keeps_its_generation_through_builds(archive, index, model, built):
    before = built.search(SearchRequest("Geneva grain")).hits
    for text in ("One more.", "And another.", "And a third."):
        (archive / "more.txt").write_text(text)
        build_index(archive, index, model)
    assert current_generation(index) != built.generation
    assert built.search(SearchRequest("Geneva grain")).hits == before
    assert opened(index).size()[0] == 3


def test_no_index_says_how_to_make_one(tmp_path):
    assert current_generation(tmp_path / "none") is None
    for find in (open_searcher, read_manifest):
        with pytest.raises(NoIndex, match="warraq build"):
            find(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_an_index_of_another_model_is_refused_with_what_mends_it(archive, index, model):
    build_index(archive, index, model)
    with pytest.raises(
        IndexUnusable, match=r"built with the model fake; this run asks for bundled.*--rebuild"
    ):
        open_searcher(index, "bundled")


def test_an_index_of_other_weights_is_refused_without_loading_any(archive, index):
    build_index(archive, index, FakeModel(name="bundled"))
    with pytest.raises(IndexUnusable, match=r"other weights of the model bundled.*--rebuild"):
        open_searcher(index)


def test_an_index_whose_model_is_not_here_names_it(archive, index):
    build_index(archive, index, FakeModel(name="nobody/nothing"))
    with pytest.raises(ModelError, match="warraq model fetch nobody/nothing"):
        open_searcher(index)


def test_a_loaded_encoder_is_used_where_it_is_the_right_one(archive, index, model):
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


def test_what_a_manifest_tells_cannot_be_changed_unseen(archive, index, model):
    path = index / "generations" / build_index(archive, index, model).generation / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    for change in ({"archive": "/elsewhere"}, {"passages": 7}, {"failed": [{"path": "x", "reason": "y"}]}):
        path.write_text(json.dumps({**manifest, **change}), "utf-8")
        with pytest.raises(IndexUnusable, match="damaged"):
            read_manifest(index)


# --- copies and runs of one article ----------------------------------------------------------------


def written(index, articles, model=None):
    """A searcher over articles given as lists of passages, by id."""

    def article(doc_id, passages):
        text = "\n".join(passages)
        found, at = [], 0
        for number, each in enumerate(passages, 1):
            found.append(Passage(doc_id, number, at, at + len(each), number, number, detect(each)))
            at += len(each) + 1
        document = Document(doc_id, "", text, "", "en", None, SourceFile(doc_id, "ab" * 32))
        return PreparedArticle(SplitDocument(document, tuple(found)))

    folder = IndexFolder(index)
    folder.prepare()
    source = ArticleSource(prepare=lambda _encoder: (article(name, some) for name, some in articles.items()))
    write_generation(folder, source, model or FakeModel(), "/somewhere")
    return Searcher(GenerationReader.open(folder), model or FakeModel())


def outline(hits):
    """Ids alone: of each hit, of where it is also in, and of what more it stands for."""
    return [
        (hit.passage.passage_id, [each.passage.passage_id for each in hit.also_in], outline(hit.more))
        for hit in hits
    ]


def folded_by_hand(ranked):
    """The same from the list that has everything: the best of each wording, then runs of one article."""
    wordings = {}
    for hit in ranked:
        wordings.setdefault(tuple(hit.text.split()), []).append(hit)
    found = []
    for _, run in groupby(wordings.values(), key=lambda alike: alike[0].document.doc_id):
        rows = [
            (first.passage.passage_id, [each.passage.passage_id for each in rest], []) for first, *rest in run
        ]
        rows[min(1, len(rows) - 1)][2].extend(rows[2:])
        found += rows[:2]
    return found


def every_id(rows):
    return [each for key, also, more in rows for each in (key, *also, *every_id(more))]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Articles of one to nine passages of few words, many of them alike, some but for their spaces."""
    random = np.random.default_rng(5)
    articles = {}
    for at in range(80):
        words = (ARABIC if random.integers(2) else ENGLISH)[:5]
        articles[f"{random.integers(10**6):06}-{at}"] = [
            ["  ", " ", "\t"][random.integers(3)].join(random.choice(words, size=random.integers(1, 4)))
            for _ in range(random.integers(1, 10))
        ]
    # One whose passages all come first, in a row, and one that is a copy of it.
    articles["long"] = [" ".join(["river"] * (at + 4) + ["treaty"]) for at in range(7)]
    articles["echo"] = ["river grain", "river  grain", "dam river grain"]
    articles["longer"] = ["  ".join(each.split()) for each in articles["long"]]
    searcher = written(tmp_path_factory.mktemp("crowded") / "index", articles)
    yield searcher
    searcher.store.close()


QUESTIONS = ["river grain", "river treaty", "نهر قمح", "envoy مبعوث", "unheard"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lang", [None, "ar", "en"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_folding_is_what_is_worked_out_by_hand_and_loses_nothing(crowded, question, mode, lang):
    everything = whole(crowded, question, mode=mode, lang=lang)
    assert not any(hit.also_in or hit.more for hit in everything)
    folded = whole(crowded, question, mode=mode, lang=lang, copies="fold")
    rows = outline(folded)
    assert rows == folded_by_hand(everything)
    ids = every_id(rows)
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(hit.passage.passage_id for hit in everything)
    for first, second, third in zip(folded, folded[1:], folded[2:], strict=False):
        assert len({each.document.doc_id for each in (first, second, third)}) > 1


def test_the_crowd_has_something_of_each_kind_to_fold(crowded):
    rows = outline(whole(crowded, "river treaty", copies="fold"))
    assert any(also for _, also, _ in rows)
    assert any(key.partition("#")[0] != each.partition("#")[0] for key, also, _ in rows for each in also)
    assert any(key.partition("#")[0] == each.partition("#")[0] for key, also, _ in rows for each in also)
    assert any(len(more) > 1 for *_, more in rows)
    assert any(also for *_, more in rows for _, also, _ in more)
    assert len(rows) > 30


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("copies", ["fold", "all"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_pages_of_any_size_are_one_list_with_one_total(crowded, question, mode, copies):
    expected = outline(whole(crowded, question, mode=mode, copies=copies))
    for limit in (9, 40):
        rows, offset, total = [], 0, None
        while total is None or offset < total:
            page = crowded.search(SearchRequest(question, mode, limit=limit, offset=offset, copies=copies))
            assert page.total == len(expected)
            assert [hit.rank for hit in page.hits] == list(range(offset + 1, offset + 1 + len(page.hits)))
            assert len(page.hits) == min(limit, page.total - offset)
            rows += outline(page.hits)
            total, offset = page.total, offset + limit
        assert rows == expected


def test_a_run_of_one_article_is_two_hits_and_the_rest_is_more_of_the_second(tmp_path):
    articles = {
        "a": ["0.9 river", "0.89 dam", "0.88 port", "0.87 canal", "0.5 olive"],
        "b": ["0.6 market", "0.88 port"],
        "c": ["0.87 canal"],
    }
    searcher = written(tmp_path / "index", articles, Angles())
    result = searcher.search(SearchRequest("light", mode="dense"))
    assert outline(result.hits) == [
        ("a#1", [], []),
        ("a#2", [], [("a#3", ["b#2"], []), ("a#4", ["c#1"], [])]),
        ("b#1", [], []),
        ("a#5", [], []),
    ]
    assert result.total == 4
    assert [hit.rank for hit in result.hits] == [1, 2, 3, 4]
    second = result.hits[1]
    assert [(each.rank, round(each.score, 4)) for each in second.more] == [(None, 0.88), (None, 0.87)]
    assert [each.text for each in second.more] == ["0.88 port", "0.87 canal"]
    copy = second.more[0].also_in[0]
    assert (copy.rank, copy.text, copy.document.doc_id) == (None, "0.88 port", "b")
    unused_terms = searcher.search(SearchRequest("light", mode="dense", copies="all"))
    assert unused_terms.total == 8
    assert outline(unused_terms.hits) == [
        (key, [], []) for key in ("a#1", "a#2", "a#3", "b#2", "a#4", "c#1", "b#1", "a#5")
    ]
    searcher.store.close()


# --- highlights ------------------------------------------------------------------------------------


def marked(hit):
    for each in hit["highlights"]:
        assert list(each) == ["start", "end"]
    return [hit["text"][each["start"] : each["end"]] for each in hit["highlights"]]


def every_hit(hits):
    for hit in hits:
        yield hit
        yield from every_hit((hit["more"] or {"hits": []})["hits"])


@pytest.mark.parametrize("mode", MODES)
def test_highlights_are_the_whole_words_of_the_passage_that_match(tmp_path, mode):
    text = "🕊🕊 وقالت والحكومة في ٢٠١٠ إنّ Kyiv's envoys met، و«اَلْحُكُومَة» بالـKyiv قالت، لا المحكومة."
    searcher = written(tmp_path / "index", {"a": [text, "the dam of the river"]})

    def found(question, **options):
        result = searcher.search(SearchRequest(question, mode=mode, **options))
        return {hit["source"]["passage"]: marked(hit) for hit in result_json(result)["hits"]}

    assert found("حكومه 2010 envoy KYIV في the")[1] == [
        "والحكومة", "٢٠١٠", "Kyiv's", "envoys", "اَلْحُكُومَة", "Kyiv",
    ]  # fmt: skip
    assert found("The river of grain").get(2) == ["river"]
    assert not any(found("في the of").values())  # no word that says nothing by itself
    assert not any(found("حكومه 2010 envoy river", highlight=False).values())
    searcher.store.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_hit_and_what_it_folds_is_highlighted_alike(crowded, question):
    wanted = {word.term for word in tokens(question) if word.kind == "stem"}
    hits = list(every_hit(result_json(crowded.search(SearchRequest(question, limit=100)))["hits"]))
    for hit in hits:
        words = hit["text"].split()
        expected = [word for word in words if wanted & {each.term for each in tokens(word)}]
        assert marked(hit) == expected
        starts = [each["start"] for each in hit["highlights"]]
        assert starts == sorted(set(starts))
    plain = list(
        every_hit(result_json(crowded.search(SearchRequest(question, limit=100, highlight=False)))["hits"])
    )
    assert [{**hit, "highlights": [], "more": None} for hit in hits] == [
        {**hit, "more": None} for hit in plain
    ]


# --- an index with the language-neutral space, and one without ---------------------------------------


def test_the_space_lets_the_answer_in_the_other_language_come_first(tmp_path):
    articles = {"a": ["42 alpha نهر سد نهر"]} | {f"e{at}": ["pad " * (at + 1)] for at in range(4)}
    with_space = written(tmp_path / "one", articles, TwoTongues())
    assert with_space.search(SearchRequest("42 alpha", mode="dense")).hits[0].document.doc_id == "a"
    assert with_space.search(SearchRequest("42 alpha")).hits[0].document.doc_id == "a"
    with_space.store.close()


def test_an_opened_index_has_its_space_and_one_without_has_the_encoder_as_it_is(archive, tmp_path):
    build_index(archive, tmp_path / "with", TwoTongues())
    build_index(archive, tmp_path / "without", FakeModel())
    model = TwoTongues()
    searcher = open_searcher(tmp_path / "with", encoder=model)
    assert searcher.encoder.base is model
    # The encoder of one Searcher serves the next, and is not put into the space twice.
    again = open_searcher(tmp_path / "with", encoder=searcher.encoder)
    assert again.encoder.base is model
    found = [each.search(SearchRequest("grain", mode="dense")).hits for each in (searcher, again)]
    assert found[0] == found[1]
    plain = FakeModel()
    other = open_searcher(tmp_path / "without", encoder=plain)
    assert other.encoder is plain
    for each in (searcher, again, other):
        each.store.close()


# --- sources and days ------------------------------------------------------------------------------

WHERE = ["wire", "post", "harbour.example"]
WHEN = [None, "2024-12-31", "2025-03-01", "2025-03-15", "2025-04-01"]


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """A searcher over 120 records with sources and days, one passage each, and what each record says."""
    random, folder = np.random.default_rng(3), tmp_path_factory.mktemp("dated")
    records = []
    for at in range(120):
        words = random.choice(ARABIC if at % 3 else ENGLISH, size=random.integers(3, 8))
        text = f"{' '.join(words)} {at}"
        records.append(
            {
                "id": f"{at}",
                "text": text,
                "source": WHERE[random.integers(3)],
                "date": WHEN[random.integers(5)],
            }
        )
    (folder / "feed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
    index = tmp_path_factory.mktemp("dated-index")
    build_index(folder, index, FakeModel())
    searcher = opened(index)
    assert searcher.size() == (120, 120)
    yield searcher, records
    searcher.store.close()


def within(record, source=None, published_from=None, published_to=None, lang=None):
    day = record["date"]
    return (
        source in (None, record["source"])
        and lang in (None, detect(record["text"]))
        and not (day is None and (published_from or published_to))
        and (published_from is None or day >= published_from)
        and (published_to is None or day <= published_to)
    )


ASKED = [
    {"source": "wire"}, {"source": "nowhere"}, {"published_from": "2025-03-01"}, {"published_to": "2025-03-01"},
    {"published_from": "2025-03-01", "published_to": "2025-03-01"}, {"published_from": "2025-03-02", "published_to": "2025-03-14"},
    {"source": "post", "published_from": "2025-01-01", "lang": "ar"}, {"source": "harbour.example", "lang": "en"},
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_source_and_days_leave_what_they_say_and_both_legs_their_depth(dated, mode, asked):
    searcher, records = dated
    query = "river treaty نهر قمح"
    left = {record["id"] for record in records if within(record, **asked)}
    words = {word.term for word in tokens(query)}
    if mode == "lexical":
        left = {
            record["id"] for record in records
            if record["id"] in left and words & {word.term for word in tokens(record["text"])}
        }  # fmt: skip
    hits = whole(searcher, query, mode=mode, **asked)
    assert sorted(hit.document.doc_id.removeprefix("feed.jsonl::") for hit in hits) == sorted(left)
    assert all(asked.get("source", hit.document.source) == hit.document.source for hit in hits)
    everywhere = {hit.document.doc_id: hit.score for hit in whole(searcher, query, mode="dense")}
    if mode == "dense":
        assert [hit.score for hit in hits] == pytest.approx(
            [everywhere[hit.document.doc_id] for hit in hits], abs=1e-6
        )


def told(result):
    return tuple(str(each) for each in result.warnings)


def undated_warning(number):
    if not number:
        return ()
    return (f"{number} articles without a date were left out by the date filter.",)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_undated_articles_that_days_leave_out_are_counted(dated, asked):
    searcher, records = dated
    by_date = asked.keys() & {"published_from", "published_to"}
    others = {name: value for name, value in asked.items() if name not in by_date}
    undated = sum(record["date"] is None and within(record, **others) for record in records)
    assert undated != 1
    result = searcher.search(SearchRequest("river", **asked))
    assert told(result) == (undated_warning(undated) if by_date else ())
    assert result_json(result)["warnings"] == list(told(result))


def test_one_undated_article_is_told_in_the_singular(tmp_path, index, model):
    (folder := tmp_path / "few").mkdir()
    for name, day in (("a", "2025-03-01"), ("b", "2025-04-01"), ("c", None)):
        (folder / f"{name}.txt").write_text(f"The river rose, said {name}.")
        if day:
            (folder / f"{name}.meta.json").write_text(json.dumps({"date": day}))
    build_index(folder, index, model)
    searcher = opened(index)
    result = searcher.search(SearchRequest("river", published_from="2025-03-02"))
    assert [hit.document.doc_id for hit in result.hits] == ["b.txt"]
    assert told(result) == ("1 article without a date was left out by the date filter.",)
    assert searcher.search(SearchRequest("river", published_from="2025-03-02", lang="ar")).warnings == ()
    assert (
        searcher.search(SearchRequest("river", published_from="2025-03-02", source="")).warnings
        == result.warnings
    )
    assert searcher.search(SearchRequest("river", published_from="2025-03-02", source="x")).warnings == ()
    searcher.store.close()


@pytest.mark.parametrize("mode", MODES)
def test_a_rare_source_leaves_both_legs_their_whole_depth(tmp_path, index, mode):
    """More passages of another source than a leg is deep, every one of them better."""
    (folder := tmp_path / "many").mkdir()
    records = [{"text": f"river river river {at}", "source": "wire"} for at in range(DEPTH + 10)]
    records += [
        {"text": "river " + "dam port light olive canal drone " * (at + 2), "source": "post"}
        for at in range(4)
    ]
    (folder / "feed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
    build_index(folder, index, FakeModel())
    searcher = opened(index)
    assert searcher.search(SearchRequest("river", mode=mode, source="post", copies="all")).total == 4
    assert {hit.document.source for hit in whole(searcher, "river", mode=mode)[:50]} == {"wire"}
    searcher.store.close()


def test_a_cut_line_is_found_by_no_question(tmp_path, index, model):
    (folder := tmp_path / "cut").mkdir()
    body = "The river rose in the night, and by the morning the quartermaster had counted nine boats less."
    (folder / "a.txt").write_text(
        f"A river at night\n{body}\nSubscribe to the Kingfisher newsletter today\n{body[::-1]}"
    )
    build_index(folder, index, model)
    searcher = opened(index)
    for word, total in (("quartermaster", 1), ("Kingfisher", 0), ("newsletter", 0)):
        assert searcher.search(SearchRequest(word, mode="lexical")).total == total
    assert not any("Kingfisher" in hit.text for hit in whole(searcher, "Kingfisher", mode="dense"))
    searcher.store.close()
