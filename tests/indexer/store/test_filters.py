"""Both retrievers under filters, compared with filters applied without a store."""

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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

SOURCES = ["", "wire", "Wire", "wire/sub", "harbour.example", "صحيفة المرفأ", 'quote" OR 1=1 --', "two words"]
DAYS = [
    None,
    "0001-01-01",
    "1999-12-31",
    "2025-02-28",
    "2025-03-01",
    "2025-03-02",
    "2025-10-01",
    "9999-12-31",
]


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """A store of 300 passages of articles with sources and days, some without, and what went into it."""
    draw, numbers = random.Random(8), np.random.default_rng(8)
    languages = draw.choices(["ar", "en", "fr"], k=300)
    articles = [
        replace(
            each, document=replace(each.document, source=draw.choice(SOURCES), published=draw.choice(DAYS))
        )
        for each in make_articles(languages)
    ]
    terms = [draw.choices(VOCABULARY, k=draw.randint(1, 12)) for _ in languages]
    vectors = unit(numbers.normal(size=(300, DIMENSION)))
    folder = tmp_path_factory.mktemp("dated") / "index"
    store = write(folder, articles, [held(each, each) for each in terms], vectors)
    rows = [(article.document, passage) for article in articles for passage in article.passages]
    passages = [passage for _, passage in rows]
    yield SimpleNamespace(
        store=store, articles=articles, rows=rows, passages=passages, vectors=vectors, terms=terms
    )
    store.close()


class Wanted(NamedTuple):
    """The condition of the filters, without a store."""

    lang: str | None = None
    source: str | None = None
    published_from: str | None = None
    published_to: str | None = None


def left_by(filters, document, lang):
    """Whether a passage passes the filters, without a store."""
    day = document.published
    return (
        filters.lang in (None, lang)
        and filters.source in (None, document.source)
        and (filters.published_from is None or (day is not None and day >= filters.published_from))
        and (filters.published_to is None or (day is not None and day <= filters.published_to))
    )


some_days = st.sampled_from([*DAYS, "2025-01-01", "2024-12-31", "0001-01-02", "9999-12-30"])
some_filters = st.builds(
    Wanted,
    st.sampled_from([None, None, "ar", "en", "zz"]),
    st.sampled_from([None, None, *SOURCES, "wir", "nowhere", "sub", "words"]),
    some_days,
    some_days,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(some_filters, st.sampled_from([1, 10, 300]))
@example(Wanted(), 300)
@example(Wanted(source=""), 300)
@example(Wanted(published_from="2025-03-02", published_to="2025-03-01"), 300)
def test_both_retrievers_search_exactly_the_filtered_passages(dated, wanted_by, depth):
    filters = only(*wanted_by)
    left = [
        row
        for row, (document, passage) in enumerate(dated.rows)
        if left_by(wanted_by, document, passage.lang)
    ]
    vector = dated.vectors[len(left) % 300]
    scores = (dated.vectors.astype(np.float64) * vector.astype(np.float64)).sum(axis=1)
    dense = dated.store.dense(vector, depth, filters)
    best = sorted(left, key=lambda row: (-scores[row], by_id(dated.passages[row])))[:depth]
    assert found(dated.passages, dense) == best
    assert [each.score for each in dense] == scores[best].tolist()

    everywhere = dated.store.lexical(wanted("grain", "سلام"), 300, NO_FILTER)
    lexical = dated.store.lexical(wanted("grain", "سلام"), depth, filters)
    holding = {row for row in left if {"grain", "سلام"} & set(dated.terms[row])}
    # A filter changes no score: the order of the remaining passages is that of all.
    assert lexical == [each for each in everywhere if found(dated.passages, [each])[0] in holding][:depth]
    assert len(lexical) == min(depth, len(holding))

    undated = {
        document.doc_id for document, passage in dated.rows
        if document.published is None and left_by(Wanted(wanted_by.lang, wanted_by.source), document, passage.lang)
    }  # fmt: skip
    assert dated.store.undated(filters) == len(undated)


def test_sample_filters_match_some_passages_and_not_all(dated):
    for filters in (
        Wanted(source="wire"),
        Wanted(published_from="2025-03-01"),
        Wanted("ar", "", None, "2025-03-01"),
    ):
        left = [left_by(filters, document, passage.lang) for document, passage in dated.rows]
        assert 0 < sum(left) < len(left)


def test_filters_beyond_the_cache_limit_answer_the_same(dated):
    many = [only(source=source, published_from=day) for source in SOURCES for day in DAYS]
    first = [dated.store.dense(dated.vectors[0], 10, each) for each in many]
    assert [dated.store.dense(dated.vectors[0], 10, each) for each in reversed(many)] == first[::-1]
    assert len(dated.store._rows) < len(many)
