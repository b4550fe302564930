"""Lists of articles against sorted Python lists, whatever the filters, the order and the size of a page."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.building.build import write_generation
from indexer.building.changes import ArticleSource
from indexer.datatypes import Document, Passage, SourceFile, SplitDocument
from indexer.errors import RequestError
from indexer.request import BrowseRequest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import PreparedArticle
from tests.support.fakes import FakeModel

DAYS = [None, "2023-12-31", "2024-01-01", "2024-01-20", "2025-02-28"]
SOURCES = ["", "wire", "صحيفة المرفأ"]
AUTHORS = ["", "Lina", "سامي"]
ARTICLES = [
    Document(
        f"{number:02}.txt", f"Title {number * 7 % 10}", "river treaty", SOURCES[number % 3], "ar" if number % 4 else "en",
        DAYS[number * 3 % 5], SourceFile(f"{number:02}.txt"), AUTHORS[number % 2 + number % 3 // 2],
    )
    for number in range(40)
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = IndexFolder(tmp_path_factory.mktemp("catalogue") / "index")
    folder.prepare()
    articles = [
        PreparedArticle(SplitDocument(each, (Passage(each.doc_id, 1, 0, 12, 1, 1, each.lang),)))
        for each in ARTICLES
    ]
    write_generation(folder, ArticleSource(prepare=lambda _encoder: iter(articles)), FakeModel(), "archive")
    store = GenerationReader.open(folder)
    yield store
    store.close()


def wanted(request):
    """The ids of the articles that a request lists, in order."""
    passing = [
        each
        for each in ARTICLES
        if request.lang in (None, each.lang)
        and request.source in (None, each.source)
        and request.author in (None, each.author)
        and (not request.published_from or (each.published or "") >= request.published_from)
        and (not request.published_to or (each.published and each.published <= request.published_to))
    ]
    passing.sort(key=lambda each: each.doc_id)
    keys = {
        "date": lambda each: each.published or "",
        "title": lambda each: each.title,
        "source": lambda each: each.source,
    }
    passing.sort(key=keys[request.order], reverse=request.order == "date")
    return passing


requests = st.fixed_dictionaries(
    {"order": st.sampled_from(["date", "title", "source"]), "limit": st.integers(1, 50)},
    optional={
        "lang": st.sampled_from(["ar", "en"]), "source": st.sampled_from(SOURCES[1:]),
        "author": st.sampled_from(AUTHORS[1:]), "published_from": st.sampled_from(DAYS[1:3]),
        "published_to": st.sampled_from(DAYS[3:]),
    },
).map(lambda values: BrowseRequest(**values))  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(requests)
def test_pages_of_a_list_are_the_sorted_articles(store, request_):
    listed, cursor = [], None
    while True:
        page, cursor = store.catalogue.page(BrowseRequest(**{**asdict_of(request_), "after": cursor}))
        assert len(page) <= request_.limit
        listed += page
        if cursor is None:
            break
        assert len(page) == request_.limit
    expected = wanted(request_)
    assert [entry.doc_id for entry in listed] == [each.doc_id for each in expected]
    for entry, each in zip(listed, expected, strict=True):
        assert (entry.title, entry.source, entry.author, entry.lang, entry.published, entry.path, entry.passages) == (
            each.title, each.source, each.author, each.lang, each.published, each.file.path, 1,
        )  # fmt: skip


def asdict_of(request):
    return {
        name: getattr(request, name)
        for name in ("order", "limit", "lang", "source", "author", "published_from", "published_to")
    }


@settings(max_examples=60, deadline=None, derandomize=True)
@given(requests)
def test_facets_and_months_count_the_articles_of_a_list(store, request_):
    facets, months = store.catalogue.facets(request_)
    expected = wanted(request_)
    for name, value_of in (
        ("lang", lambda each: each.lang), ("source", lambda each: each.source or None),
        ("author", lambda each: each.author or None), ("year", lambda each: each.published and each.published[:4]),
    ):  # fmt: skip
        assert {each.value: each.count for each in facets[name]} == Counter(map(value_of, expected))
    by_month = Counter(each.published[:7] for each in expected if each.published)
    assert [(each.value, each.count) for each in months] == sorted(by_month.items())


def test_sources_have_their_articles_and_days(store):
    for facts in store.catalogue.sources():
        days = [each.published for each in ARTICLES if each.source == facts.name and each.published]
        assert facts.articles == sum(each.source == facts.name for each in ARTICLES)
        assert (facts.first, facts.last) == (min(days), max(days))
    assert [facts.name for facts in store.catalogue.sources()] == sorted(SOURCES)


def test_neighbours_are_next_to_an_article_in_the_list_of_its_source(store):
    for source in SOURCES[1:]:
        listed = [each.doc_id for each in wanted(BrowseRequest(source=source))]
        for newer, doc_id, older in zip([None, *listed], listed, [*listed[1:], None], strict=False):
            assert [each and each.doc_id for each in store.catalogue.neighbours(doc_id)] == [newer, older]
    assert store.catalogue.neighbours("nobody") == (None, None)


@pytest.mark.parametrize("cursor", ["x", "eyJhIjoxfQ", "W10", "WyJ0aXRsZSIsICJhIiwgImIiXQ"])
def test_cursor_of_no_list_or_another_list_is_refused(store, cursor):
    with pytest.raises(RequestError, match="not the cursor"):
        store.catalogue.page(BrowseRequest(after=cursor))
