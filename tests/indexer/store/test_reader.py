"""The contract of a store, held against brute force."""

import math
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.datatypes import Cut, Document, Passage, SourceFile, SplitDocument
from indexer.store.folder import IndexFolder
from tests.support.generations import (
    DIMENSION,
    NO_FILTER,
    VOCABULARY,
    by_id,
    found,
    held,
    make_articles,
    only,
    unit,
    wanted,
    write,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A store of 700 passages, more than one statement of SQLite takes, and what went into it."""
    draw, numbers = random.Random(4), np.random.default_rng(4)
    languages = draw.choices(["ar", "en", "fr"], [5, 4, 1], k=700)
    articles = make_articles(languages)
    # Each kind by itself, and of other lengths: a score that mixed them up would be another.
    stems = [draw.choices(VOCABULARY, k=draw.randint(0, 40)) for _ in languages]
    surfaces = [draw.choices(VOCABULARY, k=draw.randint(0, 20)) for _ in languages]
    terms = [held(*each) for each in zip(stems, surfaces, strict=True)]
    vectors = unit(numbers.normal(size=(700, DIMENSION)))
    vectors[100:110] = vectors[50]  # identical passages, whose scores are equal to the last bit
    store = write(tmp_path_factory.mktemp("store") / "index", articles, terms, vectors)
    passages = [passage for article in articles for passage in article.passages]
    yield SimpleNamespace(
        store=store, articles=articles, passages=passages, vectors=vectors, languages=languages,
        terms={"stem": stems, "surface": surfaces},
    )  # fmt: skip
    store.close()


def cosines_of(vectors, vector):
    """Cosines as a sum over the places of each vector, in the precision of a float64."""
    return (vectors.astype(np.float64) * vector.astype(np.float64)).sum(axis=1)


def best_first(world, scores, rows):
    return sorted(rows, key=lambda row: (-scores[row], by_id(world.passages[row])))


def rows_of(world, lang):
    return [row for row, each in enumerate(world.languages) if lang in (None, each)]


# --- the dense retriever -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", [None, "ar", "en", "fr"])
@pytest.mark.parametrize("depth", [1, 10, 200, 700])
def test_dense_retriever_equals_brute_force(world, lang, depth):
    for vector in unit(np.random.default_rng(depth).normal(size=(5, DIMENSION))):
        scores = cosines_of(world.vectors, vector)
        expected = best_first(world, scores, rows_of(world, lang))[:depth]
        candidates = world.store.dense(vector, depth, only(lang))
        assert [candidate.score for candidate in candidates] == scores[expected].tolist()
        assert found(world.passages, candidates) == expected


@pytest.mark.parametrize("depth", [3, 11, 12, 150])
def test_equal_passages_come_in_the_order_of_their_ids(world, depth):
    candidates = world.store.dense(world.vectors[50], depth, NO_FILTER)
    equal = sorted([50, *range(100, 110)], key=lambda row: by_id(world.passages[row]))
    assert equal != sorted(equal)
    assert found(world.passages, candidates)[:11] == equal[:depth]
    assert len({candidate.score for candidate in candidates[:11]}) == 1
    assert candidates[0].score == pytest.approx(1, abs=1e-6)


def test_depth_beyond_the_index_returns_all_passages(world):
    vector = world.vectors[0]
    assert sorted(found(world.passages, world.store.dense(vector, 5_000, NO_FILTER))) == list(range(700))
    assert sorted(found(world.passages, world.store.dense(vector, 5_000, only("fr")))) == rows_of(world, "fr")


def test_a_language_that_no_passage_has_finds_nothing(world):
    assert world.store.dense(world.vectors[0], 10, only("zz")) == []
    assert world.store.lexical(wanted("grain"), 10, only("zz")) == []


def test_cosines_equal_the_dense_scores(world):
    vector = unit(np.random.default_rng(9).normal(size=DIMENSION))
    candidates = world.store.dense(vector, 700, NO_FILTER)
    random.Random(9).shuffle(candidates)
    passages = [candidate.passage for candidate in candidates]
    expected = [candidate.score for candidate in candidates]
    assert world.store.cosines(vector, passages) == expected
    assert world.store.cosines(vector, passages[:1] * 2) == expected[:1] * 2
    assert world.store.cosines(vector, []) == []


# --- the lexical retriever -----------------------------------------------------------------------------


def bm25(collection, query, k1=1.2, b=0.75):
    """Score each list of terms; a term that the query repeats counts as often.

    Lengths up to 40 are exact in Tantivy, which keeps them in one byte.
    """
    count = len(collection)
    mean = sum(map(len, collection)) / count
    scores = [0.0] * count
    for term in query:
        having = sum(term in terms for terms in collection)
        idf = math.log(1 + (count - having + 0.5) / (having + 0.5))
        for row, terms in enumerate(collection):
            often = Counter(terms)[term]
            scores[row] += idf * often * (k1 + 1) / (often + k1 * (1 - b + b * len(terms) / mean))
    return scores


@pytest.mark.parametrize("weights", [(1.0, 0.3), (0.0, 1.0), (1.0, 0.0), (0.25, 2.0)])
@pytest.mark.parametrize("lang", [None, "ar", "en", "fr"])
@pytest.mark.parametrize(
    "query",
    [
        ["grain"], ["grain", "talks"], ["قمة", "سلام", "port"], VOCABULARY, ["bread", "bread", "port"],
        ["winter", "nowhere"], ["x'\"\\"], ["a:b", "+c"], ["😀"],
    ],
)  # fmt: skip
def test_lexical_score_equals_the_weighted_sum_of_two_bm25_scores(world, query, lang, weights):
    weight_of = dict(zip(("stem", "surface"), weights, strict=True))
    of_kind = {kind: bm25(world.terms[kind], query) for kind in weight_of}
    scores = [sum(weight * of_kind[kind][row] for kind, weight in weight_of.items()) for row in range(700)]
    matching = [
        row for row in rows_of(world, lang)
        if any(weight and set(query) & set(world.terms[kind][row]) for kind, weight in weight_of.items())
    ]  # fmt: skip
    candidates = world.store.lexical(wanted(*query, **weight_of), 700, only(lang))
    rows = found(world.passages, candidates)
    assert sorted(rows) == matching
    assert [candidate.score for candidate in candidates] == pytest.approx(
        [scores[row] for row in rows], rel=6e-5
    )
    ours = {row: candidate.score for row, candidate in zip(rows, candidates, strict=True)}
    assert all(score == float(f"{score:.5g}") for score in ours.values())
    assert rows == best_first(world, ours, rows)


@pytest.mark.parametrize("lang", [None, "en"])
def test_depth_truncates_the_list_without_other_changes(world, lang):
    whole = world.store.lexical(wanted("grain", "قمة"), 700, only(lang))
    assert len(whole) > 100
    for depth in (1, 7, 100):
        cut = world.store.lexical(wanted("grain", "قمة"), depth, only(lang))
        assert cut == whole[:depth]


def test_terms_that_no_passage_has_find_nothing(world):
    assert world.store.lexical(wanted("nowhere"), 10, NO_FILTER) == []
    assert world.store.lexical([], 10, NO_FILTER) == []


@pytest.mark.parametrize("term", ["gra", "grain*", "GRAIN", "lang:ar", "*", "", "\0", "(", "a AND b"])
def test_a_term_is_never_syntax(world, term):
    assert world.store.lexical(wanted(term), 10, NO_FILTER) == []


def test_a_term_of_two_words_is_found_where_they_stand_in_a_row(world):
    kinds = world.terms.values()
    in_a_row = [row for row in range(700) if any(("grain", "talks") in pairwise(each[row]) for each in kinds)]
    both = [row for row in range(700) if any({"grain", "talks"} <= set(each[row]) for each in kinds)]
    candidates = world.store.lexical(wanted("grain talks"), 700, NO_FILTER)
    assert sorted(found(world.passages, candidates)) == in_a_row
    assert 0 < len(in_a_row) < len(both)


def test_surface_and_stem_terms_are_searched_separately(tmp_path):
    articles = [
        SplitDocument(Document(f"{n}.txt", "", f"{n}", "", "en"), (Passage(f"{n}.txt", 1, 0, 1, 1, 1, "en"),))
        for n in range(3)
    ]
    terms = [held(["book"], ["books"]), held(["book"], ["book"]), held(["port"], ["port"])]
    store = write(tmp_path / "index", articles, terms, unit(np.eye(3, 4)), 4)

    def ids(words):
        return [each.passage.doc_id for each in store.lexical(words, 10, NO_FILTER)]

    assert ids(wanted("book", surface=0)) == ["0.txt", "1.txt"]
    assert ids(wanted("book", stem=0)) == ["1.txt"]
    assert ids(wanted("books", surface=0)) == []
    # The exact match first, though both have the stem and the archive has the other one before it.
    assert ids(wanted("book")) == ["1.txt", "0.txt"]
    store.close()


# --- documents -----------------------------------------------------------------------------------


def test_articles_are_read_back_unchanged(world):
    assert world.store.size() == (len(world.articles), 700)
    for article in world.articles:
        assert world.store.article(article.document.doc_id) == article
    ids = [article.document.doc_id for article in world.articles]
    assert world.store.documents([*ids, *ids, "nowhere"]) == {
        a.document.doc_id: a.document for a in world.articles
    }
    assert world.store.documents([]) == {}


@pytest.mark.parametrize("doc_id", ["nowhere", "", "%", "' OR 1=1 --", "a\0b"])
def test_unknown_id_has_no_article(world, doc_id):
    assert world.store.article(doc_id) is None
    assert world.store.documents([doc_id]) == {}


odd_text = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\r\n\u2028\ufeff'\"\\\u202eﷺ😀")
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            Document, odd_text, odd_text, odd_text, odd_text, st.sampled_from(["ar", "en"]),
            st.none() | st.just("2025-03-01"),
            st.builds(SourceFile, odd_text, odd_text, st.sampled_from(["file", "extracted"]), odd_text, st.none() | st.integers(1, 9)),
            odd_text, odd_text, odd_text, st.integers(0, 99),
        ),
        min_size=1, max_size=4, unique_by=lambda document: document.doc_id,
    )
)  # fmt: skip
def test_text_is_read_back_whatever_its_characters(tmp_path_factory, documents):
    articles = [
        SplitDocument(each, (Passage(each.doc_id, 1, 0, len(each.text), 1, 1, each.lang),))
        for each in documents
    ]
    terms = [[] for _ in articles]
    store = write(
        tmp_path_factory.mktemp("odd") / "index", articles, terms, unit(np.ones((len(articles), 4))), 4
    )
    assert [store.article(each.doc_id) for each in documents] == articles
    assert store.documents([each.doc_id for each in documents]) == {each.doc_id: each for each in documents}
    store.close()


def keys_of(path, texts):
    """The copy key of each text, as one passage of a document that has more around it."""
    articles = [
        SplitDocument(
            Document(f"{n}.txt", f"Title {n}", f"{n} {each} {n}", "", "en"),
            (Passage(f"{n}.txt", 1, len(f"{n} "), len(f"{n} ") + len(each), 1, 1, "en"),),
        )
        for n, each in enumerate(texts)
    ]
    store = write(path, articles, [[] for _ in texts], unit(np.ones((len(texts), 4))), 4)
    candidates = store.dense(unit(np.ones(4)), len(texts), NO_FILTER)
    store.close()
    return {int(each.passage.doc_id.removesuffix(".txt")): each.duplicate_key for each in candidates}


def test_both_retrievers_return_the_duplicate_key(tmp_path):
    articles = make_articles(["en", "en", "ar"])
    store = write(tmp_path / "index", articles, [held(["grain"])] * 3, unit(np.eye(3, 4)), 4)
    dense = {c.passage: c.duplicate_key for c in store.dense(unit(np.ones(4)), 3, NO_FILTER)}
    lexical = {c.passage: c.duplicate_key for c in store.lexical(wanted("grain"), 3, NO_FILTER)}
    assert dense == lexical
    assert len(dense) == 3
    assert all(dense.values())
    store.close()


spaces = st.sampled_from([" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u2003 "])
some_words = st.lists(
    st.sampled_from(["قمة", "قمةسلام", "سلام", "a", "A", "ab", "b", "á", "a\u0301", "🕊", "a."]),
    min_size=1,
    max_size=4,
)
written = st.builds(
    lambda words, gaps: gaps[0] + "".join(word + gap for word, gap in zip(words, gaps[1:], strict=False)),
    some_words, st.lists(spaces, min_size=5, max_size=5),
)  # fmt: skip


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(written, min_size=8, max_size=24))
def test_duplicate_keys_are_equal_exactly_for_equal_words(tmp_path_factory, texts):
    # Line wraps and spaces do not count; case, accents and stops do.
    keys = keys_of(tmp_path_factory.mktemp("copies") / "index", texts)
    for one, text in enumerate(texts):
        for other, another in enumerate(texts):
            assert (keys[one] == keys[other]) == (text.split() == another.split())


# --- at the edges --------------------------------------------------------------------------------


def test_empty_index_finds_nothing(tmp_path):
    store = write(tmp_path / "index", [], [], np.empty((0, DIMENSION), np.float32))
    vector = unit(np.ones(DIMENSION))
    assert store.size() == (0, 0)
    for filters in (NO_FILTER, only("ar")):
        assert store.dense(vector, 10, filters) == []
        assert store.lexical(wanted("grain"), 10, filters) == []
    assert store.cosines(vector, []) == []
    assert store.article("talks.txt") is None
    assert store.files() == {}
    store.close()


def test_a_document_without_passages_is_kept(tmp_path):
    article = SplitDocument(Document("blank.txt", "", "\n\n", "blank.txt", "en"), ())
    store = write(tmp_path / "index", [article], [], np.empty((0, DIMENSION), np.float32))
    assert store.article("blank.txt") == article
    assert store.size() == (1, 0)
    store.close()


def test_article_is_read_back_with_its_cuts(tmp_path):
    text = "Title\nLoading\nText of it\n203.0.113.7"
    cuts = (Cut(2, 6, 13, "loading"), Cut(4, 25, 36, "repeated", 17))
    article = SplitDocument(
        Document("a", "Title", text, "wire", "en"), (Passage("a", 1, 0, 5, 1, 1, "en"),), cuts
    )
    plain = SplitDocument(Document("b", "", "x", "wire", "en"), (Passage("b", 1, 0, 1, 1, 1, "en"),))
    store = write(tmp_path / "index", [article, plain], [[], []], unit(np.eye(2, 4)), 4)
    assert store.article("a") == article
    assert store.article("b").cuts == ()
    store.close()


def test_store_works_after_its_folder_is_removed(tmp_path):
    """A reader holds its generation though later builds remove it."""
    articles = make_articles(["ar", "en", "ar", "en"])
    terms = [held(each) for each in (["grain"], ["grain", "talks"], ["talks"], ["port"])]
    vectors = unit(np.eye(4, DIMENSION))
    first = write(tmp_path / "index", articles, terms, vectors)
    before = (first.dense(vectors[2], 4, NO_FILTER), first.lexical(wanted("grain"), 4, NO_FILTER))
    few = len(articles[0].passages)
    for _ in range(3):
        write(tmp_path / "index", articles[:1], terms[:few], vectors[:few]).close()
    assert not IndexFolder(tmp_path / "index").folder(first.generation).exists()
    assert (first.dense(vectors[2], 4, NO_FILTER), first.lexical(wanted("grain"), 4, NO_FILTER)) == before
    assert first.article(articles[-1].document.doc_id) == articles[-1]
    first.close()


def test_many_threads_read_at_once(world):
    vectors = unit(np.random.default_rng(11).normal(size=(40, DIMENSION)))

    def ask(number):
        filters = only([None, "ar", "en", "fr"][number % 4])
        dense = world.store.dense(vectors[number], 50, filters)
        words = wanted(VOCABULARY[number % 13], VOCABULARY[number % 7])
        lexical = world.store.lexical(words, 50, filters)
        cosines = world.store.cosines(vectors[number], [each.passage for each in lexical])
        article = world.store.article(world.articles[number].document.doc_id)
        return dense, lexical, cosines, article

    one_by_one = [ask(number) for number in range(40)]
    world.store._rows.clear()
    with ThreadPoolExecutor(16) as executor:
        assert list(executor.map(ask, [*range(40)] * 3)) == one_by_one * 3
