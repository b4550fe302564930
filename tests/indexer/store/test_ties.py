"""Equal scores fall by id, wherever the passages lie in the files."""

import random

import numpy as np
import pytest

from tests.support.generations import DIMENSION, NO_FILTER, build, by_id, entry, only, unit, vector_of, wanted

WORDS = ["grain", "talks", "port", "winter", "bread", "قمة", "هدنة", "سلام"]
SAME = "grain talks in the port قمة"


@pytest.fixture(scope="module")
def entries():
    """Eighty articles with a passage that all of them share, between others."""
    draw = random.Random(1)
    return [
        entry(
            f"{draw.randrange(10**6):06}.txt", f"{' '.join(draw.choices(WORDS, k=draw.randint(1, 9)))} {number}",
            SAME, lang=draw.choice(["ar", "en"]),
        )
        for number in range(80)
    ]  # fmt: skip


def shuffled(entries, seed):
    return random.Random(seed).sample(entries, len(entries))


@pytest.fixture(scope="module")
def orders(tmp_path_factory, entries):
    """The same articles in several orders of rows; at once, and in generations one from the other."""
    place = tmp_path_factory.mktemp("orders")
    stores = [build(place / f"order {seed}", shuffled(entries, seed)) for seed in range(3)]
    for seed in (3, 4):
        some, store = shuffled(entries, seed), None
        for first in range(0, len(some), 16):
            before, store = store, build(place / f"segments {seed}", some[first : first + 16], store)
            if before:
                before.close()
        stores.append(store)
    yield stores
    for store in stores:
        store.close()


@pytest.mark.parametrize("filters", [NO_FILTER, only("ar")])
@pytest.mark.parametrize("depth", [1, 2, 17, 39, 40, 79, 80, 81, 160, 500])
def test_result_does_not_depend_on_the_order_of_rows(orders, depth, filters):
    vectors = [vector_of(SAME), unit(np.ones(DIMENSION)), vector_of(SAME) + unit(np.ones(DIMENSION))]
    for vector in vectors:
        lists = [store.dense(unit(vector), depth, filters) for store in orders]
        assert all(each == lists[0] for each in lists)
    for query in (["grain"], ["talks", "قمة"], ["the"], WORDS, ["winter", "in"]):
        lists = [store.lexical(wanted(*query), depth, filters) for store in orders]
        assert all(each == lists[0] for each in lists)


@pytest.mark.parametrize("depth", [1, 7, 63, 64, 65, 80])
def test_ties_over_the_depth_are_cut_by_id(orders, entries, depth):
    """More than are asked for at first: whoever is first in the files is not who comes first."""
    passages = sorted((each.article.passages[1] for each in entries), key=by_id)
    for store in orders:
        for candidates in (
            store.dense(vector_of(SAME), depth, NO_FILTER), store.lexical(wanted("the"), depth, NO_FILTER),
        ):  # fmt: skip
            assert [each.passage for each in candidates] == passages[:depth]
            assert len({each.score for each in candidates}) == 1


def test_identical_passages_in_different_segments_tie(tmp_path):
    """Though Tantivy may sum the terms in another order in each."""
    draw = random.Random(2)
    shared = [" ".join(draw.choices(WORDS, k=draw.randint(2, 40))) for _ in range(30)]
    store = None
    for generation in range(5):
        texts = [*shared, *(" ".join(draw.choices(WORDS, k=draw.randint(1, 30))) for _ in range(25))]
        draw.shuffle(texts)
        more = [entry(f"{generation}/{number}.txt", text) for number, text in enumerate(texts)]
        before, store = store, build(tmp_path / "index", more, store)
        if before:
            before.close()
    assert len({name.partition(".")[0] for name in store.manifest.files if name.endswith(".idx")}) == 5
    for _ in range(60):
        query = wanted(*draw.sample(WORDS, draw.randint(1, 6)), surface=draw.choice([0.3, 0.7, 1.1]))
        scores = {}
        for each in store.lexical(query, 1_000, NO_FILTER):
            scores.setdefault(each.duplicate_key, []).append(each.score)
        assert max(map(len, scores.values())) >= 5
        assert all(len(set(some)) == 1 for some in scores.values())
    store.close()


def test_passages_of_one_article_tie_in_their_order(tmp_path):
    entries = [entry("b", *["same"] * 12, title=""), entry("a", *["same"] * 3, title="")]
    store = build(tmp_path / "index", entries)
    expected = [*(("a", n) for n in range(1, 4)), *(("b", n) for n in range(1, 13))]
    for candidates in (
        store.dense(vector_of("same"), 15, NO_FILTER), store.lexical(wanted("same"), 15, NO_FILTER),
    ):  # fmt: skip
        assert [by_id(each.passage) for each in candidates] == expected
    store.close()


def test_cosine_does_not_depend_on_the_row_or_its_neighbours(orders, entries):
    vector = unit(np.random.default_rng(3).normal(size=DIMENSION))
    passages = [passage for each in entries for passage in each.article.passages]
    expected = orders[0].cosines(vector, passages)
    for store in orders:
        assert store.cosines(vector, passages) == expected
        assert [store.cosines(vector, [each])[0] for each in passages] == expected


def test_very_many_ties_are_cut_by_id(tmp_path):
    """Thousands of equal passages, of which a search lists the first ones by id."""
    parts = [f"{number % 7} {number}" for number in range(3_000)]
    random.Random(4).shuffle(parts)
    store = build(tmp_path / "index", [entry(f"{part}.txt", "the same words", title="") for part in parts])
    expected = [f"{part}.txt" for part in sorted(parts)][:20]
    vector, query = vector_of("the same words"), wanted("same")
    assert [each.passage.doc_id for each in store.dense(vector, 20, NO_FILTER)] == expected
    assert [each.passage.doc_id for each in store.lexical(query, 20, NO_FILTER)] == expected
    store.close()


def test_scores_that_round_to_the_last_one_tie_with_it(tmp_path, monkeypatch):
    entries = [entry(f"{number:02}", "word " * (number + 1), title="") for number in range(60)]
    store = build(tmp_path / "index", entries)
    exact = store.lexical(wanted("word"), 60, NO_FILTER)
    assert len({each.score for each in exact}) > 10
    monkeypatch.setattr("indexer.store.reader._DIGITS", 1)
    coarse = store.lexical(wanted("word"), 60, NO_FILTER)
    assert len({each.score for each in coarse}) < 10
    for depth in (1, 5, 20, 40):
        assert store.lexical(wanted("word"), depth, NO_FILTER) == coarse[:depth]
    store.close()
