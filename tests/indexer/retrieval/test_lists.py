"""Lists made of the candidates: facets, order by date, similar passages, matches of one article."""

from collections import Counter

import numpy as np
import pytest

from indexer import Searcher, SearchRequest, SimilarRequest, build_index
from indexer.errors import GenerationChanged, NoSuchPassage
from indexer.retrieval.fusion import DEPTH
from indexer.retrieval.searcher import MATCHES, SORTED_BY_DATE
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import WORDS, FakeModel

DAYS = [None, "2023-12-31", "2024-01-01", "2024-06-30", "2025-02-28", "2025-03-01"]
SOURCES = ["wire", "post", "gazette"]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    """Sixty articles of two to four passages, dated or not, of three sources, some passages alike."""
    archive, index = tmp_path_factory.mktemp("archive"), tmp_path_factory.mktemp("index")
    draw = np.random.default_rng(11)
    for number in range(60):
        folder = archive / SOURCES[number % 3]
        folder.mkdir(exist_ok=True)
        day = DAYS[number % len(DAYS)]
        lines = [
            " ".join(draw.choice(WORDS, size=draw.integers(14, 22))) + f" in {number}."
            for _ in range(2 + number % 3)
        ]
        if number % 10 == 0:
            lines.append("A light on the river in the winter of the treaty.")
        (folder / f"{number:02}.txt").write_text(f"Title {number}\n\n" + "\n\n".join(lines))
        if day:
            (folder / f"{number:02}.txt.meta.json").write_text(f'{{"published": "{day}"}}')
    build_index(archive, index, FakeModel())
    searcher = Searcher(GenerationReader.open(IndexFolder(index)), FakeModel())
    yield searcher
    searcher.store.close()


def everything(searcher, **options):
    """Every candidate, by relevance, with its document."""
    hits, offset = [], 0
    while page := searcher.search(SearchRequest(limit=100, offset=offset, copies="all", **options)).hits:
        hits += page
        offset += 100
    return hits


FILTERS = [
    {},
    {"lang": "en"},
    {"source": "post"},
    {"published_from": "2024-01-01"},
    {"published_from": "2024-01-01", "published_to": "2024-12-31", "source": "wire"},
    {"mode": "lexical"},
    {"mode": "dense", "published_to": "2024-06-30"},
]


@pytest.mark.parametrize("options", FILTERS)
@pytest.mark.parametrize("copies", ["fold", "all"])
def test_facets_count_what_the_list_of_a_value_would_find(searcher, options, copies):
    hits = everything(searcher, query="river treaty in winter", **options)
    assert hits

    def counted(value_of):
        """Of passages with the same words the best one, and of an article three, for each value."""
        if copies == "all":
            return Counter(map(value_of, hits))
        counts = {}
        for value in set(map(value_of, hits)):
            articles = {hit.text: hit.passage.doc_id for hit in reversed(hits) if value_of(hit) == value}
            counts[value] = sum(min(3, count) for count in Counter(articles.values()).values())
        return counts

    for limit, offset in ((1, 0), (10, 5), (10, 10_000)):
        request = SearchRequest(
            "river treaty in winter", limit=limit, offset=offset, copies=copies, **options
        )
        found = searcher.search(request).facets
        for name, value_of in (
            ("lang", lambda hit: hit.passage.lang),
            ("source", lambda hit: hit.document.source),
            ("year", lambda hit: hit.document.published and hit.document.published[:4]),
        ):
            assert {each.value: each.count for each in found[name]} == counted(value_of)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_chosen_facet_leaves_the_counted_passages(searcher, mode):
    """Where the candidates are all that a retriever finds: a greater depth would find more of the kind."""
    query = "drone"
    found = searcher.search(SearchRequest(query, mode)).facets
    assert sum(each.count for each in found["lang"]) <= DEPTH
    for count in found["source"]:
        assert searcher.search(query, mode=mode, source=count.value).total == count.count
    for count in found["year"]:
        if count.value:
            days = {"published_from": f"{count.value}-01-01", "published_to": f"{count.value}-12-31"}
            assert searcher.search(query, mode=mode, **days).total == count.count


@pytest.mark.parametrize("options", FILTERS)
def test_date_order_is_newest_first_and_undated_last(searcher, options):
    query = "river treaty in winter"
    ranked = everything(searcher, query=query, **options)
    expected = sorted(ranked[:SORTED_BY_DATE], key=lambda hit: hit.document.published or "", reverse=True)
    dated = everything(searcher, query=query, sort="date", **options)
    assert [hit.passage for hit in dated] == [hit.passage for hit in expected]
    assert [hit.rank for hit in dated] == list(range(1, len(dated) + 1))
    (told,) = [[each.code for each in searcher.search(SearchRequest(query, sort="date", **options)).warnings]]
    assert ("dated" in told) == (len(ranked) > SORTED_BY_DATE)
    assert ("no_dates" in told) == (bool(dated) and not any(hit.document.published for hit in dated))
    assert "dated" not in [each.code for each in searcher.search(SearchRequest(query, **options)).warnings]


@pytest.mark.parametrize("options", FILTERS)
def test_date_order_lists_the_same_hits(searcher, options):
    """Collapsed passages are the same by relevance and by date, as far as the dates reach."""
    query, lists = "a light on the river in the winter of the treaty", []
    for sort in ("relevance", "date"):
        hits, offset = [], 0
        while page := searcher.search(
            SearchRequest(query, limit=100, offset=offset, sort=sort, **options)
        ).hits:
            hits += page
            offset += 100
        lists.append(hits)
    passages = sum(1 + len(hit.also_in) + len(hit.more) for hit in lists[0])
    outlines = [
        {hit.passage.passage_id: (hit.also_in, [each.passage for each in hit.more]) for hit in hits}
        for hits in lists
    ]
    if passages <= SORTED_BY_DATE:
        assert outlines[0] == outlines[1]
    days = [hit.document.published or "" for hit in lists[1]]
    assert days == sorted(days, reverse=True)


def test_archive_exceeds_the_date_order_limit(searcher):
    assert SORTED_BY_DATE < searcher.size()[1] <= DEPTH


def cosines_to(searcher, passage_id):
    """Every passage by its cosine to one, worked out from the texts."""
    rows = [(row.passage, row.text) for row in searcher.store.rows()]
    vectors = searcher.store.vectors(range(len(rows))).astype(np.float64)
    own = next(at for at, (passage, _) in enumerate(rows) if passage.passage_id == passage_id)
    return rows, vectors @ vectors[own], own


@pytest.mark.parametrize(
    "passage_id", ["wire/00.txt#1", "wire/30.txt#2", "post/01.txt#2", "gazette/59.txt#1"]
)
def test_similar_passages_are_nearest_in_other_articles_without_duplicates(searcher, passage_id):
    rows, cosines, own = cosines_to(searcher, passage_id)
    passage, text = rows[own]
    expected = {
        each.passage_id: float(cosines[at])
        for at, (each, words) in enumerate(rows)
        if each.doc_id != passage.doc_id and words.split() != text.split()
    }
    doc_id, _, number = passage_id.rpartition("#")
    result = searcher.similar(SimilarRequest(doc_id, int(number), limit=50, copies="all"))
    scores = [hit.score for hit in result.hits]
    assert scores == pytest.approx([expected[hit.passage.passage_id] for hit in result.hits], abs=1e-6)
    assert scores == pytest.approx(sorted(expected.values(), reverse=True)[:50], abs=1e-6)
    assert result.total == len(expected)
    assert (result.like.passage, result.like.text) == (passage, text)
    assert result.like.rank is None
    assert sum(each.count for each in result.facets["source"]) == result.total


def test_similar_passages_are_filtered_collapsed_and_paged(searcher):
    request = SimilarRequest("wire/00.txt", 1, source="post", published_from="2024-01-01", limit=3)
    result = searcher.similar(request)
    assert result.hits
    for hit in result.hits:
        assert hit.document.source == "post"
        assert hit.document.published >= "2024-01-01"
    ids, offset = [], 0
    while page := searcher.similar(SimilarRequest("wire/00.txt", 1, limit=7, offset=offset)).hits:
        ids += [hit.passage.passage_id for hit in page]
        offset += 7
    whole = searcher.similar(SimilarRequest("wire/00.txt", 1, limit=100))
    assert ids[:100] == [hit.passage.passage_id for hit in whole.hits]
    assert len(ids) == whole.total
    newest = searcher.similar(SimilarRequest("wire/00.txt", 1, sort="date", copies="all")).hits
    assert {hit.document.published for hit in newest} == {"2025-03-01"}


@pytest.mark.parametrize(
    ("doc_id", "number"), [("#", 1), ("wire/00.txt", 99), ("nobody", 1), ("\0", 1), ("wire/00.txt#1", 1)]
)
def test_missing_passage_is_reported(searcher, doc_id, number):
    with pytest.raises(NoSuchPassage) as error:
        searcher.similar(SimilarRequest(doc_id, number))
    assert (error.value.code, error.value.http_status, error.value.exit_status) == ("no_such_passage", 404, 2)


def test_similar_passages_of_another_generation_are_refused(searcher):
    with pytest.raises(GenerationChanged):
        searcher.similar(SimilarRequest("wire/00.txt", 1, generation="older"))


@pytest.mark.parametrize("options", FILTERS[:4])
@pytest.mark.parametrize("sort", ["relevance", "date"])
def test_matches_of_an_article_are_its_best_passages_in_its_own_order(searcher, options, sort):
    request = SearchRequest("river treaty in winter", sort=sort, **options)
    candidates = everything(searcher, query=request.query, **options)
    for doc_id in ("wire/00.txt", "post/40.txt", "gazette/59.txt"):
        own = [hit.passage for hit in candidates if hit.passage.doc_id == doc_id]
        best = [hit.passage for hit in candidates[:MATCHES] if hit.passage.doc_id == doc_id] or own[:1]
        found = searcher.matches(request, doc_id)
        assert [hit.passage for hit in found.hits] == sorted(best, key=lambda each: each.number)
        marks = [hit.text[each.start : each.end] for hit in found.hits for each in hit.highlights]
        assert set(marks) <= {"river", "treaty", "winter"}
        assert (found.request, found.total, found.facets) == (request, len(best), {})
        assert {hit.rank for hit in found.hits} <= {None}
    assert searcher.matches(request, "nobody").hits == ()


@pytest.mark.parametrize("options", FILTERS)
@pytest.mark.parametrize("sort", ["relevance", "date"])
def test_every_passage_of_a_list_is_a_match_of_its_article(searcher, options, sort):
    query = "river treaty in winter"
    candidates = everything(searcher, query=query, **options)
    listed = everything(searcher, query=query, sort=sort, **options)
    far = [hit for hit in listed if hit.passage in [each.passage for each in candidates[MATCHES:]]]
    assert far or len(candidates) <= MATCHES
    for hit in [*listed[:10], *far[::7]]:
        found = searcher.matches(SearchRequest(query, sort=sort, **options), hit.passage.doc_id, hit.passage)
        (match,) = [each for each in found.hits if each.passage == hit.passage]
        assert (match.highlights, match.score) == (hit.highlights, hit.score)
        others = [each.passage for each in found.hits if each.passage != hit.passage]
        near = [each.passage for each in candidates[:MATCHES]]
        assert others == [each for each in others if each in near]
        ordinals = [each.passage.number for each in found.hits]
        assert ordinals == sorted(set(ordinals))


def test_passage_outside_the_result_is_not_a_match(searcher):
    request = SearchRequest("treaty", source="post")
    other = searcher.article("wire/00.txt").passages[0]
    assert searcher.matches(request, "wire/00.txt", other).hits == ()


def test_matches_have_timings_and_no_date_notice(searcher):
    found = searcher.matches(SearchRequest("river", published_from="2024-01-01", sort="date"), "post/04.txt")
    assert set(found.stages) == {"encode", "lexical", "dense", "sentences", "fuse", "fetch"}
    assert 0 < sum(found.stages.values()) <= found.took_ms + 0.1
    assert found.warnings == ()


def test_search_reports_the_time_of_each_stage(searcher):
    stages = {
        "hybrid": {"encode", "lexical", "dense", "sentences", "fuse", "fetch"},
        "dense": {"encode", "dense", "sentences", "fetch"},
        "lexical": {"lexical", "fetch"},
    }
    for mode, names in stages.items():
        result = searcher.search(SearchRequest("river", mode))
        assert set(result.stages) == names
        assert all(took >= 0 for took in result.stages.values())
        assert sum(result.stages.values()) <= result.took_ms + 0.1


def test_store_returns_labels_years_and_vectors(searcher):
    store = searcher.store
    assert store.labels(["wire/00.txt", "post/01.txt", "nobody"]) == {
        "wire/00.txt": {"source": "wire", "author": "", "published": None},
        "post/01.txt": {"source": "post", "author": "", "published": "2023-12-31"},
    }
    assert list(store.years().items()) == [("2025", 20), ("2024", 20), ("2023", 10), (None, 10)]
    rows = list(store.rows())
    for row in rows[::17]:
        assert np.array_equal(store.vector(row.passage), store.vectors([row.row])[0])
