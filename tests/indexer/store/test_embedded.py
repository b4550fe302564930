"""The contract of a store, held against brute force."""

import math
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from places import SETTINGS

from indexer.datatypes import Article, Cut, Document, Passage
from indexer.store.base import Filters, WeightedTerm
from indexer.store.embedded import EmbeddedStore, EmbeddedWriter
from indexer.store.generation import IndexFolder
from indexer.text.analysis import KINDS, Token

DIMENSION = 16
VOCABULARY = [
    "grain",
    "talks",
    "port",
    "winter",
    "bread",
    "قمة",
    "هدنة",
    "سلام",
    "ميناء",
    "x'\"\\",
    "a:b",
    "+c",
    "😀",
]
NO_FILTER = Filters()


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def held(stems=(), surfaces=()):
    """What a passage holds: terms of each kind, as the analysis gives them."""
    return [
        Token(term, 0, 1, kind) for kind, some in (("stem", stems), ("surface", surfaces)) for term in some
    ]


def wanted(*terms, stem=1.0, surface=0.3):
    """What a question looks for: each term as both kinds, with a weight for each."""
    weights = {"stem": stem, "surface": surface}
    return [WeightedTerm(term, kind, weights[kind]) for term in terms for kind in KINDS if weights[kind]]


def write(path, articles, terms, vectors, dimension=DIMENSION):
    """Build a generation of these articles and open it; terms and vectors are by row."""
    folder = IndexFolder(path)
    folder.prepare()
    with folder.write_aside() as aside:
        writer = EmbeddedWriter(aside)
        row = 0
        for article in articles:
            end = row + len(article.passages)
            writer.add(
                article, b"", terms[row:end], [number.to_bytes(32, "big") for number in range(row, end)]
            )
            row = end
        writer.finish(dimension, iter(np.array_split(vectors, 3)))
        folder.publish(
            aside,
            archive="/somewhere",
            settings=SETTINGS,
            documents=len(articles),
            passages=row,
            languages={},
            failed=[],
        )
    return EmbeddedStore.open(folder)


def make_articles(languages):
    """Articles of up to four passages, one of each language given; each passage is ten characters."""
    draw = random.Random(3)
    articles, left = [], list(languages)
    while left:
        here, left = left[: (size := draw.randint(1, 4))], left[size:]
        # Not in the order of the alphabet: rows follow the order of writing, not of names.
        doc_id = f"{draw.randrange(10**6):06}/{len(articles)}.txt"
        text = "".join(f"{number:09}\n" for number in range(len(here)))
        passages = [
            Passage(doc_id, n + 1, 10 * n, 10 * n + 9, n + 1, n + 1, lang) for n, lang in enumerate(here)
        ]
        articles.append(Article(Document(doc_id, f"Title {doc_id}", text, doc_id, here[0]), tuple(passages)))
    return articles


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


def rows_of(world, lang):
    return [row for row, each in enumerate(world.languages) if lang in (None, each)]


def found(world, candidates):
    row = {passage: row for row, passage in enumerate(world.passages)}
    return [row[candidate.passage] for candidate in candidates]


# --- the dense leg -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", [None, "ar", "en", "fr"])
@pytest.mark.parametrize("depth", [1, 10, 200, 700])
def test_dense_equals_brute_force(world, lang, depth):
    for vector in unit(np.random.default_rng(depth).normal(size=(5, DIMENSION))):
        scores = world.vectors @ vector
        expected = sorted(rows_of(world, lang), key=lambda row: (-scores[row], row))[:depth]
        candidates = world.store.dense(vector, depth, Filters(lang))
        assert [candidate.score for candidate in candidates] == pytest.approx(
            scores[expected].tolist(), abs=1e-6
        )
        assert found(world, candidates) == expected


@pytest.mark.parametrize("depth", [3, 11, 12, 150])
def test_equal_passages_come_in_the_order_of_the_archive(world, depth):
    candidates = world.store.dense(world.vectors[50], depth, NO_FILTER)
    assert found(world, candidates)[:11] == [50, *range(100, 110)][:depth]
    assert len({candidate.score for candidate in candidates[:11]}) == 1
    assert candidates[0].score == pytest.approx(1, abs=1e-6)


def test_more_than_there_are_is_all_there_are(world):
    vector = world.vectors[0]
    assert sorted(found(world, world.store.dense(vector, 5_000, NO_FILTER))) == list(range(700))
    assert sorted(found(world, world.store.dense(vector, 5_000, Filters("fr")))) == rows_of(world, "fr")


def test_a_language_that_no_passage_has_finds_nothing(world):
    assert world.store.dense(world.vectors[0], 10, Filters("zz")) == []
    assert world.store.lexical(wanted("grain"), 10, Filters("zz")) == []


def test_cosines_are_the_dense_scores(world):
    vector = unit(np.random.default_rng(9).normal(size=DIMENSION))
    candidates = world.store.dense(vector, 700, NO_FILTER)
    random.Random(9).shuffle(candidates)
    passages = [candidate.passage for candidate in candidates]
    expected = [candidate.score for candidate in candidates]
    assert world.store.cosines(vector, passages) == pytest.approx(expected, abs=1e-6)
    assert world.store.cosines(vector, passages[:1] * 2) == pytest.approx(expected[:1] * 2, abs=1e-6)
    assert world.store.cosines(vector, []) == []


# --- the lexical leg -----------------------------------------------------------------------------


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
def test_lexical_is_the_weighted_sum_of_two_bm25s_by_hand(world, query, lang, weights):
    weight_of = dict(zip(("stem", "surface"), weights, strict=True))
    of_kind = {kind: bm25(world.terms[kind], query) for kind in weight_of}
    scores = [sum(weight * of_kind[kind][row] for kind, weight in weight_of.items()) for row in range(700)]
    matching = [
        row for row in rows_of(world, lang)
        if any(weight and set(query) & set(world.terms[kind][row]) for kind, weight in weight_of.items())
    ]  # fmt: skip
    candidates = world.store.lexical(wanted(*query, **weight_of), 700, Filters(lang))
    rows = found(world, candidates)
    assert sorted(rows) == matching
    assert [candidate.score for candidate in candidates] == pytest.approx(
        [scores[row] for row in rows], rel=1e-5
    )
    ours = [candidate.score for candidate in candidates]
    assert rows == [row for _, row in sorted(zip((-score for score in ours), rows, strict=True))]


@pytest.mark.parametrize("lang", [None, "en"])
def test_the_depth_cuts_the_list_and_changes_nothing_in_it(world, lang):
    whole = world.store.lexical(wanted("grain", "قمة"), 700, Filters(lang))
    assert len(whole) > 100
    for depth in (1, 7, 100):
        cut = world.store.lexical(wanted("grain", "قمة"), depth, Filters(lang))
        assert [each.score for each in cut] == pytest.approx([each.score for each in whole[:depth]])
        assert len(cut) == depth


def test_terms_that_no_passage_has_find_nothing(world):
    assert world.store.lexical(wanted("nowhere"), 10, NO_FILTER) == []
    assert world.store.lexical([], 10, NO_FILTER) == []


@pytest.mark.parametrize(
    "term", ["gra", "grain*", "GRAIN", "grain talks", "lang:ar", "*", "", "\0", "(", "a AND b"]
)
def test_a_term_is_never_syntax(world, term):
    assert world.store.lexical(wanted(term), 10, NO_FILTER) == []


def test_a_word_is_found_as_the_kind_that_it_was_asked_as(tmp_path):
    articles = [Article(Document(f"{n}.txt", "", "x", "", "en"), (Passage(f"{n}.txt", 1, 0, 1, 1, 1, "en"),))
                for n in range(3)]  # fmt: skip
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


def test_articles_come_back_as_they_went_in(world):
    assert world.store.size() == (len(world.articles), 700)
    for article in world.articles:
        assert world.store.article(article.document.doc_id) == article
    ids = [article.document.doc_id for article in world.articles]
    assert world.store.documents([*ids, *ids, "nowhere"]) == {
        a.document.doc_id: a.document for a in world.articles
    }
    assert world.store.documents([]) == {}


@pytest.mark.parametrize("doc_id", ["nowhere", "", "%", "' OR 1=1 --", "a\0b"])
def test_an_id_that_the_index_does_not_have(world, doc_id):
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
            st.none() | st.just("2025-03-01"), st.dictionaries(odd_text, odd_text, max_size=3),
        ),
        min_size=1, max_size=4, unique_by=lambda document: document.doc_id,
    )
)  # fmt: skip
def test_text_comes_back_whatever_its_characters(tmp_path_factory, documents):
    articles = [
        Article(each, (Passage(each.doc_id, 1, 0, len(each.text), 1, 1, each.lang),)) for each in documents
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
        Article(
            Document(f"{n}.txt", f"Title {n}", f"{n} {each} {n}", "", "en"),
            (Passage(f"{n}.txt", 1, len(f"{n} "), len(f"{n} ") + len(each), 1, 1, "en"),),
        )
        for n, each in enumerate(texts)
    ]
    store = write(path, articles, [[] for _ in texts], unit(np.ones((len(texts), 4))), 4)
    candidates = store.dense(unit(np.ones(4)), len(texts), NO_FILTER)
    store.close()
    return {int(each.passage.doc_id.removesuffix(".txt")): each.copy_key for each in candidates}


def test_both_legs_give_the_copy_key(tmp_path):
    articles = make_articles(["en", "en", "ar"])
    store = write(tmp_path / "index", articles, [held(["grain"])] * 3, unit(np.eye(3, 4)), 4)
    dense = {c.passage: c.copy_key for c in store.dense(unit(np.ones(4)), 3, NO_FILTER)}
    lexical = {c.passage: c.copy_key for c in store.lexical(wanted("grain"), 3, NO_FILTER)}
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
def test_copy_keys_are_equal_for_the_same_words_and_only_those(tmp_path_factory, texts):
    # However they are wrapped and spaced; case, accents and stops are part of what a passage says.
    keys = keys_of(tmp_path_factory.mktemp("copies") / "index", texts)
    for one, text in enumerate(texts):
        for other, another in enumerate(texts):
            assert (keys[one] == keys[other]) == (text.split() == another.split())


# --- at the edges --------------------------------------------------------------------------------


def test_an_empty_index_answers_every_question_with_nothing(tmp_path):
    store = write(tmp_path / "index", [], [], np.empty((0, DIMENSION), np.float32))
    vector = unit(np.ones(DIMENSION))
    assert store.size() == (0, 0)
    for filters in (NO_FILTER, Filters("ar")):
        assert store.dense(vector, 10, filters) == []
        assert store.lexical(wanted("grain"), 10, filters) == []
    assert store.cosines(vector, []) == []
    assert store.article("talks.txt") is None
    assert store.files() == {}
    store.close()


def test_a_document_without_passages_is_kept(tmp_path):
    article = Article(Document("blank.txt", "", "\n\n", "blank.txt", "en"), ())
    store = write(tmp_path / "index", [article], [], np.empty((0, DIMENSION), np.float32))
    assert store.article("blank.txt") == article
    assert store.size() == (1, 0)
    store.close()


def test_what_the_build_saw_of_the_files_is_kept(tmp_path):
    folder = IndexFolder(tmp_path / "index")
    folder.prepare()
    with folder.write_aside() as aside:
        writer = EmbeddedWriter(aside)
        writer.add_file("talks.txt", "ab" * 32)
        writer.add_file("ar/صورة.txt", None, "not text")
        writer.finish(4, iter(()))
        folder.publish(aside, archive="", settings=SETTINGS, documents=0, passages=0, languages={}, failed=[])
    store = EmbeddedStore.open(folder)
    assert store.files() == {"talks.txt": ("ab" * 32, None), "ar/صورة.txt": (None, "not text")}
    store.close()


def test_the_writer_tells_what_it_holds(tmp_path):
    (tmp_path / "aside").mkdir()
    writer = EmbeddedWriter(tmp_path / "aside")
    text = "Grain talks.\nقمة 😀 الحبوب."
    passages = (Passage("a", 1, 0, 12, 1, 1, "en"), Passage("a", 2, 13, 26, 2, 2, "ar"))
    talks = Article(Document("a", "Talks", text, "a", "en"), passages)
    writer.add(talks, b"", [held(["grain"]), held(["قمة"])], [b"k1", b"k2"])
    passage = Passage("b", 1, 0, 3, 1, 1, "ar")
    writer.add(Article(Document("b", "", "هدن", "b", "ar"), (passage,)), b"", [held(["هدن"])], [b"k1"])
    assert writer.vector_keys() == [b"k1", b"k2", b"k1"]
    assert [writer.length(row) for row in range(3)] == [12, 13, 3]
    assert writer.texts([2, 1, 1]) == [("", "هدن"), ("Talks", "قمة 😀 الحبوب."), ("Talks", "قمة 😀 الحبوب.")]
    assert writer.languages() == {"ar": 2, "en": 1}
    assert (writer.documents(), writer.rows) == (2, 3)
    with pytest.raises(AssertionError, match="2 vectors for 3 passages"):
        writer.finish(4, iter([np.eye(2, 4, dtype=np.float32)]))


def test_a_store_outlives_the_folder_that_it_was_opened_from(tmp_path):
    """A reader holds its generation though later builds remove it."""
    articles = make_articles(["ar", "en", "ar", "en"])
    terms = [held(each) for each in (["grain"], ["grain", "talks"], ["talks"], ["port"])]
    vectors = unit(np.eye(4, DIMENSION))
    first = write(tmp_path / "index", articles, terms, vectors)
    before = (first.dense(vectors[2], 4, NO_FILTER), first.lexical(wanted("grain"), 4, NO_FILTER))
    for _ in range(3):
        write(tmp_path / "index", articles[:1], terms, vectors[: len(articles[0].passages)]).close()
    assert not IndexFolder(tmp_path / "index").folder(first.generation).exists()
    assert (first.dense(vectors[2], 4, NO_FILTER), first.lexical(wanted("grain"), 4, NO_FILTER)) == before
    assert first.article(articles[-1].document.doc_id) == articles[-1]
    first.close()


def test_many_threads_read_at_once(world):
    vectors = unit(np.random.default_rng(11).normal(size=(40, DIMENSION)))

    def ask(number):
        filters = Filters([None, "ar", "en", "fr"][number % 4])
        dense = world.store.dense(vectors[number], 50, filters)
        words = wanted(VOCABULARY[number % 13], VOCABULARY[number % 7])
        lexical = world.store.lexical(words, 50, filters)
        cosines = world.store.cosines(vectors[number], [each.passage for each in lexical])
        article = world.store.article(world.articles[number].document.doc_id)
        return dense, lexical, cosines, article

    one_by_one = [ask(number) for number in range(40)]
    world.store._rows.clear()
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, [*range(40)] * 3)) == one_by_one * 3


# --- filters -------------------------------------------------------------------------------------

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


def left_by(filters, document, lang):
    """Whether a passage is within filters, said without a store."""
    day = document.published
    return (
        filters.lang in (None, lang)
        and filters.source in (None, document.source)
        and (filters.published_from is None or (day is not None and day >= filters.published_from))
        and (filters.published_to is None or (day is not None and day <= filters.published_to))
    )


some_days = st.sampled_from([*DAYS, "2025-01-01", "2024-12-31", "0001-01-02", "9999-12-30"])
some_filters = st.builds(
    Filters,
    st.sampled_from([None, None, "ar", "en", "zz"]),
    st.sampled_from([None, None, *SOURCES, "wir", "nowhere", "sub", "words"]),
    some_days,
    some_days,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(some_filters, st.sampled_from([1, 10, 300]))
@example(Filters(), 300)
@example(Filters(source=""), 300)
@example(Filters(published_from="2025-03-02", published_to="2025-03-01"), 300)
def test_both_legs_look_at_what_filters_leave_and_at_nothing_else(dated, filters, depth):
    left = [
        row for row, (document, passage) in enumerate(dated.rows) if left_by(filters, document, passage.lang)
    ]
    vector = dated.vectors[len(left) % 300]
    scores = dated.vectors @ vector
    dense = dated.store.dense(vector, depth, filters)
    assert found(dated, dense) == sorted(left, key=lambda row: (-scores[row], row))[:depth]
    assert [each.score for each in dense] == pytest.approx(
        [scores[row] for row in found(dated, dense)], abs=1e-6
    )

    everywhere = {row: each.score for each in dated.store.lexical(wanted("grain", "سلام"), 300, NO_FILTER)
                  for row in found(dated, [each])}  # fmt: skip
    lexical = dated.store.lexical(wanted("grain", "سلام"), depth, filters)
    rows = found(dated, lexical)
    holding = [row for row in left if {"grain", "سلام"} & set(dated.terms[row])]
    assert set(rows) <= set(holding)
    assert len(rows) == min(depth, len(holding))
    # A filter changes no score: the rank among what is left is the rank among all.
    assert [each.score for each in lexical] == pytest.approx([everywhere[row] for row in rows], rel=1e-6)
    assert (
        min((everywhere[row] for row in rows), default=0)
        >= max((everywhere[row] for row in set(holding) - set(rows)), default=0) - 1e-4
    )

    undated = {
        document.doc_id for document, passage in dated.rows
        if document.published is None and left_by(Filters(filters.lang, filters.source), document, passage.lang)
    }  # fmt: skip
    assert dated.store.undated(filters) == len(undated)


def test_the_filters_that_are_tried_leave_something_and_leave_something_out(dated):
    for filters in (
        Filters(source="wire"),
        Filters(published_from="2025-03-01"),
        Filters("ar", "", None, "2025-03-01"),
    ):
        left = [left_by(filters, document, passage.lang) for document, passage in dated.rows]
        assert 0 < sum(left) < len(left)


def test_more_filters_than_are_kept_answer_as_the_first_did(dated):
    many = [Filters(source=source, published_from=day) for source in SOURCES for day in DAYS]
    first = [dated.store.dense(dated.vectors[0], 10, each) for each in many]
    assert [dated.store.dense(dated.vectors[0], 10, each) for each in reversed(many)] == first[::-1]
    assert len(dated.store._rows) < len(many)


def test_only_days_make_a_filter_by_date():
    assert [each.by_date for each in (Filters(), Filters("ar", "wire"))] == [False, False]
    assert [
        each.by_date for each in (Filters(published_from="2025-03-01"), Filters(published_to="2025-03-01"))
    ] == [True] * 2


# --- what was cut, and lines that stand often --------------------------------------------------------


def test_cuts_come_back_with_their_article(tmp_path):
    text = "Title\nLoading\nText of it\n203.0.113.7"
    cuts = (Cut(2, 6, 13, "loading"), Cut(4, 25, 36, "repeated", 17))
    article = Article(Document("a", "Title", text, "wire", "en"), (Passage("a", 1, 0, 5, 1, 1, "en"),), cuts)
    plain = Article(Document("b", "", "x", "wire", "en"), (Passage("b", 1, 0, 1, 1, 1, "en"),))
    store = write(tmp_path / "index", [article, plain], [[], []], unit(np.eye(2, 4)), 4)
    assert store.article("a") == article
    assert store.article("b").cuts == ()
    store.close()


def test_the_writer_counts_sources_undated_articles_and_cut_lines(tmp_path):
    (tmp_path / "aside").mkdir()
    writer = EmbeddedWriter(tmp_path / "aside")
    for doc_id, source, day, rules in (
        ("a", "wire", None, ["tags", "share"]), ("b", "post", "2025-03-01", ["share"]), ("c", "wire", None, []),
        ("d", "", "2025-03-01", []),
    ):  # fmt: skip
        cuts = tuple(Cut(line, 2 * line, 2 * line + 1, rule) for line, rule in enumerate(rules, 1))
        writer.add(Article(Document(doc_id, "", "", source, "en", day), (), cuts), doc_id.encode(), [], [])
    assert list(writer.sources().items()) == [("wire", 2), ("", 1), ("post", 1)]
    assert writer.undated() == 2
    assert list(writer.cut_lines().items()) == [("share", 2), ("tags", 1)]
    assert writer.digests() == {each: each.encode() for each in "abcd"}
    writer.finish(4, iter(()))


def test_lines_that_stand_often_are_known_by_source(tmp_path):
    folder = IndexFolder(tmp_path / "index")
    folder.prepare()
    with folder.write_aside() as aside:
        writer = EmbeddedWriter(aside)
        writer.add_line_counts("wire", 70, iter([(-(2**63), 7), (2**63 - 1, 70)]))
        writer.add_line_counts("", 9, [(-(2**63), 9)])
        writer.finish(4, iter(()))
        folder.publish(aside, archive="", settings=SETTINGS, documents=0, passages=0, languages={}, failed=[])
    store = EmbeddedStore.open(folder)
    assert store.repeated_lines("wire") == (70, {-(2**63): 7, 2**63 - 1: 70})
    assert store.repeated_lines("") == (9, {-(2**63): 9})
    assert store.repeated_lines("nowhere") == (0, {})
    store.close()
