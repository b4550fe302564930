"""Duplicates as one hit, three hits of an article at most, and the highlights of every hit."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from indexer import SearchRequest
from indexer.serialization import result_json
from indexer.text.analysis import tokens
from tests.support.fakes import WORDS as ENGLISH
from tests.support.search_indexes import ARABIC, MODES, Angles, all_hits, index_passages

# --- duplicates and further passages of an article -----------------------------------------------------


def outline(hits):
    """Ids alone: of each hit, of where it is also in, and of what more it stands for."""
    return [
        (hit.passage.passage_id, [item.passage.passage_id for item in hit.also_in], outline(hit.more))
        for hit in hits
    ]


def collapse_reference(ranked):
    """The same from the list that has everything: the best of each wording, then three of each article."""
    wordings = {}
    for hit in ranked:
        wordings.setdefault(tuple(hit.text.split()), []).append(hit)
    outlined, of_article = [], defaultdict(list)
    for first, *rest in wordings.values():
        best = of_article[first.document.doc_id]
        row = (first.passage.passage_id, [item.passage.passage_id for item in rest], [])
        (outlined if len(best) < 3 else best[2][2]).append(row)
        best.append(row)
    return outlined


def every_id(rows):
    return [item for key, also, more in rows for item in (key, *also, *every_id(more))]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Articles of one to nine passages of few words, many of them alike, some but for their spaces."""
    random = np.random.default_rng(5)
    articles = {}
    for position in range(80):
        words = (ARABIC if random.integers(2) else ENGLISH)[:5]
        articles[f"{random.integers(10**6):06}-{position}"] = [
            ["  ", " ", "\t"][random.integers(3)].join(random.choice(words, size=random.integers(1, 4)))
            for _ in range(random.integers(1, 10))
        ]
    # One whose passages all come first, in a row, and one that is a copy of it.
    articles["long"] = [" ".join(["river"] * (number + 4) + ["treaty"]) for number in range(7)]
    articles["echo"] = ["river grain", "river  grain", "dam river grain"]
    articles["longer"] = ["  ".join(article.split()) for article in articles["long"]]
    searcher = index_passages(tmp_path_factory.mktemp("crowded") / "index", articles)
    yield searcher
    searcher.store.close()


QUESTIONS = ["river grain", "river treaty", "نهر قمح", "envoy مبعوث", "unheard"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lang", [None, "ar", "en"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_collapsing_equals_the_reference_and_loses_nothing(crowded, question, mode, lang):
    everything = all_hits(crowded, question, mode=mode, lang=lang)
    assert not any(hit.also_in or hit.more for hit in everything)
    collapsed = all_hits(crowded, question, mode=mode, lang=lang, copies="fold")
    rows = outline(collapsed)
    assert rows == collapse_reference(everything)
    ids = every_id(rows)
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(hit.passage.passage_id for hit in everything)
    assert all(count <= 3 for count in Counter(hit.document.doc_id for hit in collapsed).values())


def test_sample_has_duplicates_and_long_articles_to_collapse(crowded):
    rows = outline(all_hits(crowded, "river treaty", copies="fold"))
    assert any(also for _, also, _ in rows)
    assert any(key.partition("#")[0] != item.partition("#")[0] for key, also, _ in rows for item in also)
    assert any(key.partition("#")[0] == entry.partition("#")[0] for key, also, _ in rows for entry in also)
    assert any(len(more) > 1 for *_, more in rows)
    assert any(also for *_, more in rows for _, also, _ in more)
    assert len(rows) > 30


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("copies", ["fold", "all"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_pages_of_any_size_form_one_list_with_one_total(crowded, question, mode, copies):
    expected = outline(all_hits(crowded, question, mode=mode, copies=copies))
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


def test_an_article_is_three_hits_and_the_rest_is_collapsed(tmp_path):
    articles = {
        "a": ["0.9 river", "0.89 dam", "0.88 port", "0.87 canal", "0.5 olive"],
        "b": ["0.6 market", "0.88 port"],
        "c": ["0.87 canal"],
    }
    searcher = index_passages(tmp_path / "index", articles, Angles())
    result = searcher.search(SearchRequest("light", mode="dense"))
    assert outline(result.hits) == [
        ("a#1", [], []),
        ("a#2", [], []),
        ("a#3", ["b#2"], [("a#4", ["c#1"], []), ("a#5", [], [])]),
        ("b#1", [], []),
    ]
    assert result.total == 4
    assert [hit.rank for hit in result.hits] == [1, 2, 3, 4]
    third = result.hits[2]
    assert [(entry.rank, round(entry.score, 4)) for entry in third.more] == [(None, 0.87), (None, 0.5)]
    assert [item.text for item in third.more] == ["0.87 canal", "0.5 olive"]
    copy = third.more[0].also_in[0]
    assert (copy.rank, copy.text, copy.document.doc_id) == (None, "0.87 canal", "c")
    unused_terms = searcher.search(SearchRequest("light", mode="dense", copies="all"))
    assert unused_terms.total == 8
    assert outline(unused_terms.hits) == [
        (key, [], []) for key in ("a#1", "a#2", "a#3", "b#2", "a#4", "c#1", "b#1", "a#5")
    ]
    searcher.store.close()


# --- highlights ------------------------------------------------------------------------------------


def marked(hit):
    for item in hit["highlights"]:
        assert list(item) == ["start", "end"]
    return [hit["text"][span["start"] : span["end"]] for span in hit["highlights"]]


def every_hit(hits):
    for hit in hits:
        yield hit
        yield from every_hit((hit["more"] or {"hits": []})["hits"])


@pytest.mark.parametrize("mode", MODES)
def test_highlights_are_the_whole_words_that_match(tmp_path, mode):
    text = "🕊🕊 وقالت والحكومة في ٢٠١٠ إنّ Kyiv's envoys met، و«اَلْحُكُومَة» بالـKyiv قالت، لا المحكومة."
    searcher = index_passages(tmp_path / "index", {"a": [text, "the dam of the river"]})

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
def test_hits_and_collapsed_passages_are_highlighted_alike(crowded, question):
    wanted = {word.term for word in tokens(question) if word.kind == "stem"}
    hits = list(every_hit(result_json(crowded.search(SearchRequest(question, limit=100)))["hits"]))
    for hit in hits:
        words = hit["text"].split()
        expected = [word for word in words if wanted & {item.term for item in tokens(word)}]
        assert marked(hit) == expected
        starts = [span["start"] for span in hit["highlights"]]
        assert starts == sorted(set(starts))
    plain = list(
        every_hit(result_json(crowded.search(SearchRequest(question, limit=100, highlight=False)))["hits"])
    )
    assert [{**hit, "highlights": [], "more": None} for hit in hits] == [
        {**hit, "more": None} for hit in plain
    ]
